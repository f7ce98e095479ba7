// Asks a run's ensemble for one answer: from a form of its columns, or from a picture.
import { h, announce } from './dom.js';
import { get, post, runPath } from './api.js';
import { measure } from './format.js';
import { title, refused } from './app.js';
import { drawPicture, makePad, numbersOf, scaleOf } from './pictures.js';
import { classAnswer, numberAnswer } from './answers.js';

const mostFields = 200;

export async function showPredict(main, name) {
  title(`Predict with ${name}`);
  let model, data;
  try {
    [model, data] = await Promise.all([get(`/v2/models/${encodeURIComponent(name)}`), get(runPath(name, '/data'))]);
  } catch (refusal) {
    refused(refusal);
    return undefined;
  }

  const isClasses = model.parameters.task === 'classification', target = data.task.target ?? 'the target';
  const answer = h('section', { class: 'card', 'aria-live': 'polite' }, h('header', {}, h('h2', {}, 'Answer')), h('p', { class: 'quiet' }, 'Nothing was asked yet.'));
  const error = h('p', { class: 'wrong', role: 'alert' });
  const isPicture = data.inputShape.length === 3 && !data.table;
  const input = isPicture ? pictureInput(data, ask) : columnInput(model, data, ask);
  main.replaceChildren(
    h('div', { class: 'head' }, h('div', {},
      h('p', { class: 'crumb' }, h('a', { href: '#/' }, 'Runs'), ' / ', h('a', { href: `#/runs/${encodeURIComponent(name)}` }, name)),
      h('h1', {}, isClasses ? `Predict ${data.task.target ?? 'a class'}` : `Predict ${target}`))),
    h('div', { class: 'pair' }, h('section', { class: 'card' }, h('header', {}, h('h2', {}, isPicture ? 'Picture' : 'Row')), input, error), answer));

  async function ask(inputs) {
    error.textContent = '';
    const outputs = isClasses ? ['probabilities', 'entropy', 'mutual_information', 'member_probabilities'] : ['mean', 'standard_deviation', 'aleatoric', 'epistemic', 'lower', 'upper', 'member_mean', 'member_standard_deviation', 'member_weight'];
    try {
      const reply = await post(`/v2/models/${encodeURIComponent(name)}/infer`, { inputs, outputs: outputs.map(output => ({ name: output })) });
      const values = Object.fromEntries(reply.outputs.map(output => [output.name, output.data]));
      answer.replaceChildren(h('header', {}, h('h2', {}, 'Answer')), ...(isClasses ? classAnswer(model.parameters.classes, values) : numberAnswer(target, values)));
      announce(isClasses ? '' : `${measure(values.mean[0])}`);
    } catch (refusal) {
      error.textContent = refusal.message;
      if (refusal.status === 401) refused(refusal);
    }
  }
}

// A field for each column: what the model has not seen may be left empty.
function columnInput(model, data, ask) {
  const described = new Map((data.table?.columns ?? []).map(column => [column.name, column]));
  const names = data.table ? model.inputs.map(one => one.name) : data.columns;
  const inputs = names.slice(0, mostFields).map((name, i) => {
    const column = described.get(name) ?? { kind: 'number' };
    if (column.kind === 'category' && column.levels.length <= 200) {
      return [name, h('select', { id: `c${i}` }, h('option', { value: '' }, 'unknown'), ...column.levels.map(level => h('option', {}, level))), null];
    }
    const mean = typeof column.mean === 'number' ? column.mean : data.table ? null : data.mean?.[i];
    return [name, h('input', {
      id: `c${i}`, autocomplete: 'off', spellcheck: 'false', inputmode: column.kind === 'number' ? 'decimal' : undefined,
      placeholder: column.kind === 'datetime' ? '2026-05-01 12:00' : mean !== null && mean !== undefined ? `mean ${measure(mean)}` : '',
    }), column.kind === 'datetime' ? 'date or time' : null];
  });
  return h('form', {
    onsubmit: event => {
      event.preventDefault();
      const text = inputs.map(([, input]) => input.value.trim());
      ask(data.table
        ? inputs.map(([name], i) => ({ name, datatype: 'BYTES', shape: [1, 1], data: [text[i]] }))
        : [{ name: 'input', datatype: 'FP32', shape: [1, names.length], data: text.map((value, i) => (value === '' ? data.mean?.[i] ?? 0 : Number(value))) }]);
    },
  },
  h('div', { class: 'fields' }, ...inputs.map(([name, input, hint]) => h('div', { class: 'field' }, h('label', { for: input.id, title: name }, name), input, hint && h('small', {}, hint)))),
  h('div', {}, h('button', { class: 'button primary', type: 'submit' }, 'Predict')));
}

function pictureInput(data, ask) {
  const [channels, height, width] = data.inputShape, times = Math.max(1, Math.round(280 / width));
  const canvas = h('canvas', { class: 'pad', width: width * times, height: height * times, role: 'img', 'aria-label': channels === 1 ? 'The picture that is asked about' : 'The picture' });
  const invert = h('input', { id: 'invert', type: 'checkbox', onchange: send });
  const file = h('input', { id: 'file', type: 'file', accept: 'image/*', onchange: load });
  const wrong = h('p', { class: 'wrong', role: 'alert' });
  const clear = channels === 1 ? makePad(canvas, () => { invert.checked = false; send(); }) : null;
  if (!clear) canvas.classList.add('still');

  async function load() {
    if (!file.files.length) return;
    wrong.textContent = '';
    try {
      drawPicture(canvas, await createImageBitmap(file.files[0]));
      send();
    } catch {
      wrong.textContent = `${file.files[0].name} is no picture that this browser reads.`;
    }
  }

  function send() {
    ask([{ name: 'input', datatype: 'FP32', shape: [1, channels, height, width], data: numbersOf(canvas, data.inputShape, scaleOf(data), invert.checked) }]);
  }

  return h('form', { onsubmit: event => { event.preventDefault(); send(); } },
    clear && h('p', { class: 'quiet' }, 'Draw light on dark, or choose a file.'), canvas, h('div', { class: 'field' }, h('label', { for: 'file' }, 'From a file'), file), wrong,
    channels === 1 && h('label', { class: 'check', for: 'invert' }, invert, 'Dark on light: invert'),
    h('div', { class: 'buttons' }, h('button', { class: 'button primary', type: 'submit' }, 'Predict'), clear && h('button', { class: 'button', type: 'button', onclick: () => { clear(); file.value = ''; } }, 'Clear')));
}
