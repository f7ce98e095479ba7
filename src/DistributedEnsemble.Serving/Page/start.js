import { h } from './dom.js';
import { post } from './api.js';
import { title } from './app.js';

// Starts a run from the few keys that differ most often, and any other as JSON.
export function showStart(main) {
  title('Start a run');
  const name = h('input', { id: 'name', pattern: '[a-z0-9][a-z0-9\\-]{0,62}', placeholder: 'dataset and number', autocomplete: 'off', spellcheck: 'false' });
  const dataset = h('input', { id: 'dataset', value: 'digits', required: true, autocomplete: 'off', spellcheck: 'false', list: 'datasets' });
  const members = h('input', { id: 'members', type: 'number', min: 1, max: 10000, value: 10, required: true });
  const epochs = h('input', { id: 'epochs', type: 'number', min: 1, placeholder: 'as the dataset has it' });
  const more = h('textarea', { id: 'more', class: 'code', rows: 7, spellcheck: 'false', placeholder: '{ "snapshots": { "perMember": 5 } }' });
  const error = h('p', { class: 'wrong', role: 'alert' });
  const field = (input, label, hint) => h('div', { class: 'field' }, h('label', { for: input.id }, label), input, hint && h('small', {}, hint));
  main.replaceChildren(h('section', { class: 'card narrow' },
    h('header', {}, h('h1', {}, 'Start a run')),
    h('form', { onsubmit: send },
      field(dataset, 'Dataset', 'A dataset that the silos know by name.'),
      h('datalist', { id: 'datasets' }, ...['digits', 'fashion-mnist', 'two-moons'].map(value => h('option', { value }))),
      field(members, 'Members'), field(epochs, 'Epochs'), field(name, 'Name'), field(more, 'Further keys of the spec, as JSON'),
      error, h('button', { class: 'button primary', type: 'submit' }, 'Start'))));

  async function send(event) {
    event.preventDefault();
    error.textContent = '';
    try {
      const spec = more.value.trim() ? JSON.parse(more.value) : {};
      spec.data = { ...spec.data, dataset: dataset.value.trim() };
      spec.members = Number(members.value);
      if (epochs.value) spec.training = { ...spec.training, epochs: Number(epochs.value) };
      if (name.value.trim()) spec.name = name.value.trim();
      const status = await post('/api/runs', spec);
      location.hash = `#/runs/${encodeURIComponent(status.run)}`;
    } catch (refusal) {
      error.textContent = refusal instanceof SyntaxError ? `The further keys are not JSON: ${refusal.message}.` : refusal.message;
    }
  }
}
