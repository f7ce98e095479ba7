import { h } from './dom.js';
import { post } from './api.js';
import { refreshSession, title } from './app.js';

// The key goes to the server once; what the browser keeps is a cookie that no script can read.
export function showLogin(main, to) {
  title('Log in');
  const key = h('input', { id: 'key', type: 'password', autocomplete: 'current-password', required: true, spellcheck: 'false', 'aria-describedby': 'login-error' });
  const error = h('p', { id: 'login-error', class: 'wrong', role: 'alert' });
  const form = h('form', { onsubmit: send },
    h('div', { class: 'field' }, h('label', { for: 'key' }, 'Key'), key, h('small', {}, 'An inference key shows runs and predicts. An admin key also starts, stops and resumes runs.')),
    error,
    h('button', { class: 'button primary', type: 'submit' }, 'Log in'));
  main.replaceChildren(h('section', { class: 'card narrow' }, h('header', {}, h('h1', {}, 'Log in')), form));
  key.focus();

  async function send(event) {
    event.preventDefault();
    error.textContent = '';
    try {
      await post('/api/session', { key: key.value });
      await refreshSession();
      location.hash = to.startsWith('#/') && !to.startsWith('#/login') ? to : '#/';
    } catch (refusal) {
      error.textContent = refusal.message;
      key.setAttribute('aria-invalid', 'true');
      key.select();
    }
  }
}
