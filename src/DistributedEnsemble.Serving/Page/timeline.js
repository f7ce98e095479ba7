// What happened to a run: a strip to see when, and a list to read what.
import { h, svg } from './dom.js';
import { time } from './format.js';

const kinds = {
  started: ['good', () => 'The run started'],
  paused: ['warn', one => `The run paused${one.reason ? `: ${one.reason}` : ''}`],
  resumed: ['good', () => 'The run went on'],
  completed: ['good', () => 'The run completed'],
  degraded: ['warn', one => `The run ended without some members${one.reason ? `: ${one.reason}` : ''}`],
  failed: ['bad', one => `The run failed${one.reason ? `: ${one.reason}` : ''}`],
  memberStarted: ['soft', one => `Member ${one.member} started on ${one.silo}`],
  memberWentOn: ['', one => `Member ${one.member} went on at step ${one.step} on ${one.silo}`],
  memberLeft: ['soft', one => `Member ${one.member} left ${one.silo ?? 'its lane'} at step ${one.step}`],
  memberLost: ['bad', one => `Member ${one.member} lost its silo ${one.silo ?? ''}`],
  memberCompleted: ['soft', one => `Member ${one.member} completed`],
  memberFailed: ['bad', one => `Member ${one.member} failed: ${one.reason}`],
};
const mostListed = 300;

export class Timeline {
  constructor() {
    this.happened = [];
    this.strip = svg('svg', { class: 'strip', role: 'img', 'aria-label': 'When it happened', preserveAspectRatio: 'none' });
    this.list = h('ol', { class: 'happened', tabindex: '0', 'aria-label': 'What happened, the latest first' });
    this.element = h('section', { class: 'card' }, h('header', {}, h('h2', {}, 'Timeline')), this.strip, this.list);
    this.resize = new ResizeObserver(() => this.drawStrip());
    this.resize.observe(this.element);
  }

  clear() {
    this.happened = [];
    this.list.replaceChildren();
  }

  add(happened) {
    for (const one of happened) {
      if (!kinds[one.kind]) continue;
      one.at = Date.parse(one.time);
      this.happened.push(one);
      const [look, words] = kinds[one.kind];
      this.list.prepend(h('li', {}, h('span', { class: `dot ${look}` }), h('time', { datetime: one.time }, time(one.at)), h('span', {}, words(one))));
    }
    while (this.list.children.length > mostListed) this.list.lastChild.remove();
    this.drawStrip();
  }

  drawStrip() {
    this.element.hidden = this.happened.length === 0;
    const width = this.strip.clientWidth;
    if (!width || !this.happened.length) return;
    const first = this.happened[0].at, last = Math.max(first + 1000, this.happened.at(-1).at);
    const x = at => 8 + (width - 16) * (at - first) / (last - first);
    // The loud ones over the soft ones.
    const marks = [...this.happened].sort((a, b) => (kinds[b.kind][0] === 'soft') - (kinds[a.kind][0] === 'soft'))
      .map(one => svg('circle', { class: `mark ${kinds[one.kind][0]}`, cx: x(one.at), cy: 14, r: kinds[one.kind][0] === 'soft' ? 3.5 : 6 }, svg('title', {}, `${time(one.at)} ${kinds[one.kind][1](one)}`)));
    this.strip.setAttribute('viewBox', `0 0 ${width} 44`);
    this.strip.replaceChildren(
      svg('line', { x1: 8, x2: width - 8, y1: 14, y2: 14 }), ...marks,
      svg('text', { x: 2, y: 40 }, time(first)), svg('text', { x: width - 2, y: 40, 'text-anchor': 'end' }, time(last)));
  }

  destroy() {
    this.resize.disconnect();
  }
}
