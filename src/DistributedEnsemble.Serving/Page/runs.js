import { h, setText, setClass, announce } from './dom.js';
import { listen } from './api.js';
import { count, plural, percent, rate, duration, measure, none } from './format.js';
import { title, refused } from './app.js';

const order = { running: 0, queued: 1, paused: 2, failed: 3, degraded: 4, completed: 5 };

// Every run of the server, those that move first.
export function showRuns(main) {
  title('Runs');
  const list = h('ul', { class: 'list' });
  const total = h('p', { class: 'quiet' });
  main.replaceChildren(h('div', { class: 'head' }, h('div', {}, h('h1', {}, 'Runs'), total)), list);
  const runs = new Map(), items = new Map();

  function apply({ changed, gone }, isFirst) {
    if (isFirst) runs.clear();
    for (const run of changed) {
      const before = runs.get(run.run);
      if (before && before.state !== run.state) announce(`Run ${run.run} is ${run.state}`);
      runs.set(run.run, run);
    }
    for (const name of gone) runs.delete(name);
    draw();
  }

  function draw() {
    const sorted = [...runs.values()].sort((a, b) => order[a.state] - order[b.state] || a.run.localeCompare(b.run, 'en', { numeric: true }));
    setText(total, sorted.length ? plural(sorted.length, 'run') : '');
    for (const [name, item] of items) if (!runs.has(name)) { item.element.remove(); items.delete(name); }
    sorted.forEach((run, place) => {
      const item = items.get(run.run) ?? makeItem(run.run);
      items.set(run.run, item);
      item.update(run);
      if (list.children[place] !== item.element) list.insertBefore(item.element, list.children[place] ?? null);
    });
    list.hidden = sorted.length === 0;
    empty.hidden = sorted.length > 0;
  }

  const empty = h('div', { class: 'list empty', hidden: true }, h('p', {}, 'There are no runs yet.'), h('code', {}, 'ensemble train'));
  main.append(empty);
  return listen('/api/live', { all: data => apply(data, true), delta: data => apply(data, false) }, refused);
}

function makeItem(name) {
  const state = h('span', { class: 'state' }), bar = h('i'), share = h('span', { class: 'quiet number' });
  const track = h('span', { class: 'track' }, bar);
  const members = h('span', { class: 'quiet number members' }), speed = h('span', { class: 'quiet number rate' }), left = h('span', { class: 'quiet number left' });
  const element = h('li', {}, h('a', { class: 'item', href: `#/runs/${encodeURIComponent(name)}` },
    h('span', { class: 'name' }, name), state, h('span', { class: 'share' }, track, share), members, speed, left));
  return {
    element,
    update(run) {
      setClass(state, `state ${run.state}`);
      setText(state, run.state);
      setClass(track, `track ${run.state}`);
      bar.style.width = `${100 * run.steps / Math.max(1, run.stepsTotal)}%`;
      setText(share, percent(run.steps, run.stepsTotal));
      setText(members, plural(run.members, 'member'));
      const isRunning = run.state === 'running' && run.stepsPerSecond > 0;
      setText(speed, isRunning ? `${rate(run.stepsPerSecond)} steps/s` : run.loss === null ? none : `loss ${measure(run.loss)}`);
      setText(left, isRunning ? `${duration((run.stepsTotal - run.steps) / run.stepsPerSecond)} left` : `${count(run.stepsTotal)} steps`);
    },
  };
}
