// Which view is shown, and who looks at it.
import { h, announce } from './dom.js';
import { get, remove } from './api.js';
import { showRuns } from './runs.js';
import { showRun } from './run.js';
import { showPredict } from './predict.js';
import { showLogin } from './login.js';
import { showStart } from './start.js';

const main = document.getElementById('main');
const nav = document.getElementById('nav');
let leave = () => {};
let shown = 0;

export const session = { hasKeys: false, mayRead: true, mayChange: false };

export async function refreshSession() {
  Object.assign(session, await get('/api/session'));
  drawNav();
}

export function title(text) {
  document.title = text ? `${text} · DistributedEnsemble` : 'DistributedEnsemble';
}

export function refused(refusal) {
  if (refusal.status === 401 || refusal.status === 403) {
    location.hash = `#/login?to=${encodeURIComponent(location.hash)}`;
    return;
  }
  title('Not found');
  main.replaceChildren(h('div', { class: 'empty' }, h('h1', {}, 'Nothing to show'), h('p', {}, refusal.message), h('p', {}, h('a', { href: '#/' }, 'All runs'))));
}

function drawNav() {
  const link = (href, text) => h('a', { href, 'aria-current': location.hash === href || (href === '#/' && location.hash === '') ? 'page' : undefined }, text);
  nav.replaceChildren(
    link('#/', 'Runs'),
    ...(session.mayChange ? [link('#/start', 'Start a run')] : []),
    ...(session.hasKeys && !session.mayChange ? [link('#/login', 'Log in')] : []),
    ...(session.hasKeys && session.mayChange ? [h('button', { class: 'plain', type: 'button', onclick: logOut }, 'Log out')] : []));
}

async function logOut() {
  await remove('/api/session');
  announce('Logged out');
  await refreshSession();
  await show();
}

export async function show() {
  const turn = ++shown;
  leave();
  leave = () => {};
  const [path, query = ''] = (location.hash.slice(1) || '/').split('?');
  const parts = path.split('/').filter(Boolean).map(decodeURIComponent);
  drawNav();
  main.replaceChildren();
  if (!session.mayRead && parts[0] !== 'login') {
    location.hash = `#/login?to=${encodeURIComponent(location.hash || '#/')}`;
    return;
  }
  const view =
    parts.length === 0 ? showRuns(main)
      : parts[0] === 'login' ? showLogin(main, new URLSearchParams(query).get('to') ?? '#/')
        : parts[0] === 'start' ? showStart(main)
          : parts[0] === 'runs' && parts.length === 2 ? showRun(main, parts[1])
            : parts[0] === 'runs' && parts[2] === 'predict' ? showPredict(main, parts[1])
              : refused({ message: 'This address leads nowhere.' });
  const end = (await view) ?? (() => {});
  // Another view may have been asked for meanwhile.
  if (turn === shown) leave = end;
  else end();
}

window.addEventListener('hashchange', async () => {
  await show();
  main.focus({ preventScroll: true });
  scrollTo(0, 0);
});

try {
  await refreshSession();
} catch {
  // The view says that the server does not answer.
}
await show();
