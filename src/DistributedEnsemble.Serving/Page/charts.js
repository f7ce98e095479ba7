// Charts of the page: every member a quiet line, their mean in the accent colour, a picked one in ink.
import uPlot from './vendor/uPlot.js';
import { h, setText } from './dom.js';
import { count, measure, tick as tickText } from './format.js';

export const mostLines = 60;
const dark = matchMedia('(prefers-color-scheme: dark)');

// Custom properties hold light-dark(): an element's own colour resolves it.
function resolve(name) {
  const probe = h('span', { style: { color: `var(${name})`, display: 'none' } });
  document.body.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}

function palette() {
  const [accent, ink, quiet, line] = ['--accent', '--ink', '--quiet', '--line'].map(resolve);
  const fade = (value, alpha) => value.replace(/^rgb\((.*)\)$/, `rgba($1, ${alpha})`);
  return { accent, ink, quiet, line, soft: fade(accent, 0.36), softer: fade(accent, 0.2), band: fade(accent, 0.18) };
}

export class Chart {
  // options: title, hint (what the y axis is), xName, log (whether y may be logarithmic), blank (what is said without data, once that is known)
  constructor(options) {
    this.options = options;
    this.readout = h('p', { class: 'readout' });
    this.blank = h('p', { class: 'blank' }, 'Loading …');
    this.plotted = h('div', { class: 'plotted', role: 'img', 'aria-label': `${options.title}: no data yet` });
    this.host = h('div', { class: 'chart' }, this.plotted, this.blank);
    this.key = h('p', { class: 'key', hidden: true });
    this.heading = h('h2', {}, options.title);
    this.log = options.log && h('button', { class: 'chip', type: 'button', 'aria-pressed': 'false', onclick: () => this.setLog(!this.isLog) }, 'log scale');
    this.header = h('header', {}, this.heading, this.log, this.readout);
    this.element = h('section', { class: 'card' }, this.header, this.host, this.key);
    this.resize = new ResizeObserver(() => this.fit());
    this.resize.observe(this.host);
    this.rescheme = () => this.rebuild();
    dark.addEventListener('change', this.rescheme);
  }

  // drawn: { xs, lines: [{values, kind: mean|member|picked|edge, name, only (the one member that there is)}], marks: [{step, kind}], summary }
  draw(drawn) {
    this.drawn = drawn;
    const hasData = drawn.xs.length > 0;
    this.blank.hidden = hasData;
    setText(this.blank, drawn.blank ?? this.options.blank);
    if (!hasData) {
      this.plot?.destroy();
      this.plot = null;
      setText(this.readout, '');
      this.key.hidden = true;
      return;
    }
    // A density's logarithm may be a loss below zero, which a logarithmic scale would leave out.
    if (this.log) {
      this.log.hidden = drawn.lines.some(line => line.values.some(value => value < 0));
      if (this.log.hidden && this.isLog) this.setLog(false);
    }
    const shape = drawn.lines.map(line => line.kind).join();
    if (!this.plot || shape !== this.shape) this.build(shape);
    else this.plot.setData(this.data());
    this.plotted.setAttribute('aria-label', `${this.options.title}. ${drawn.summary}`);
    if (this.plot.cursor.idx === null || this.plot.cursor.idx === undefined) setText(this.readout, drawn.summary);
    this.drawKey();
  }

  // A logarithm has no place for zero.
  data() {
    return [this.drawn.xs, ...this.drawn.lines.map(line => (this.isLog ? line.values.map(value => (value > 0 ? value : null)) : line.values))];
  }

  rebuild() {
    if (!this.plot) return;
    this.build(this.shape);
  }

  build(shape) {
    this.shape = shape;
    this.plot?.destroy();
    const colors = palette(), { lines } = this.drawn;
    const stroke = { mean: [colors.accent, 2.25], member: [lines.length > 24 ? colors.softer : colors.soft, 1], picked: [colors.ink, 2], edge: [null, 0] };
    const axis = { stroke: colors.quiet, font: '11px system-ui, sans-serif', grid: { stroke: colors.line, width: 1 }, ticks: { show: false }, gap: 6 };
    const bands = lines.flatMap((line, i) => (line.kind === 'edge' && line.over ? [{ series: [i + 1, i], fill: colors.band }] : []));
    this.plot = new uPlot({
      ...this.size(),
      legend: { show: false },
      cursor: { y: false, points: { show: false }, drag: { x: true, y: false } },
      scales: { x: { time: false, range: this.options.xRange }, y: { distr: this.isLog ? 3 : 1, range: (plot, low, high) => this.range(low, high) } },
      axes: [
        { ...axis, grid: { show: false }, values: (plot, ticks) => ticks.map(tick => (Number.isInteger(tick) ? count(tick) : '')), size: 28 },
        { ...axis, values: (plot, ticks) => ticks.map(tick => (this.isLog && !(Math.abs(Math.log10(tick) - Math.round(Math.log10(tick))) < 1e-9) ? '' : tickText(tick, this.isLog || ticks.length < 2 ? 0 : ticks[1] - ticks[0]))), size: (plot, labels) => Math.max(48, 12 + 7 * Math.max(0, ...(labels ?? []).map(label => label.length))) },
      ],
      series: [{}, ...lines.map(({ kind }) => ({ stroke: stroke[kind][0] ?? 'transparent', width: stroke[kind][1], spanGaps: true, points: { show: kind === 'mean' && this.options.points === true, size: 6, fill: colors.accent } }))],
      bands,
      hooks: { setCursor: [() => this.read()], draw: [plot => this.drawMarks(plot, colors)] },
    }, this.data(), this.plotted);
  }

  setLog(isLog) {
    this.isLog = isLog;
    this.log.setAttribute('aria-pressed', String(isLog));
    this.rebuild();
  }

  range(low, high) {
    if (this.isLog) return uPlot.rangeLog(Math.max(low ?? 0.1, 1e-9), Math.max(high ?? 1, 1e-8), 10, false);
    if (low === null || high === null || !Number.isFinite(low)) return [0, 1];
    const room = (high - low || Math.abs(high) || 1) * 0.06;
    return [low >= 0 && low - room < 0 ? 0 : low - room, high + room];
  }

  size() {
    return { width: Math.max(120, this.host.clientWidth), height: Math.max(120, this.host.clientHeight) };
  }

  fit() {
    if (this.plot && this.host.clientWidth > 0) this.plot.setSize(this.size());
  }

  read() {
    const i = this.plot?.cursor.idx;
    if (i === null || i === undefined) {
      setText(this.readout, this.drawn.summary);
      return;
    }
    const shown = this.drawn.lines.filter(line => line.name && line.values[i] !== null && line.values[i] !== undefined);
    setText(this.readout, `${this.options.xName} ${count(this.drawn.xs[i])} · ${shown.slice(0, 3).map(line => `${line.name} ${measure(line.values[i])}`).join(' · ')}`);
  }

  // Snapshots are diamonds at the bottom, EMA models circles above them.
  drawMarks(plot, colors) {
    const marks = this.drawn.marks ?? [];
    if (!marks.length) return;
    const { ctx } = plot, { top, height, left, width } = plot.bbox, r = 3.5 * devicePixelRatio;
    ctx.save();
    ctx.fillStyle = ctx.strokeStyle = colors.quiet;
    ctx.lineWidth = 1.25 * devicePixelRatio;
    for (const { step, kind } of marks) {
      const x = plot.valToPos(step, 'x', true);
      if (x < left - 1 || x > left + width + 1) continue;
      const y = top + height - (kind === 'ema' ? 3.4 * r : r);
      ctx.beginPath();
      if (kind === 'ema') ctx.arc(x, y, r * 0.8, 0, 2 * Math.PI);
      else ctx.moveTo(x, y - r), ctx.lineTo(x + r, y), ctx.lineTo(x, y + r), ctx.lineTo(x - r, y), ctx.closePath();
      if (kind === 'ema') ctx.stroke(); else ctx.fill();
    }
    ctx.restore();
  }

  drawKey() {
    const kinds = new Map();
    const words = this.options.keys ?? {};
    for (const line of this.drawn.lines) if (words[line.kind]) kinds.set(line.kind === 'edge' ? 'band' : line.kind, line.only ?? (line.kind === 'picked' ? line.name : words[line.kind]));
    for (const mark of this.drawn.marks ?? []) kinds.set(mark.kind, mark.kind === 'ema' ? 'EMA model' : 'snapshot');
    const text = [...kinds].flat().join();
    this.key.hidden = kinds.size < 2;
    if (text === this.keyText) return;
    this.keyText = text;
    this.key.replaceChildren(...[...kinds].map(([kind, word]) => h('span', { class: kind }, word)));
  }

  destroy() {
    dark.removeEventListener('change', this.rescheme);
    this.resize.disconnect();
    this.plot?.destroy();
  }
}
