// What a model answers, as pictures: bars of classes with the members' spread, or the density of a number.
import { h, svg } from './dom.js';
import { measure, plural } from './format.js';

const share = value => `${(100 * value).toFixed(value > 0.9995 || value === 0 ? 0 : 1)} %`;
const mostBars = 20;

export function classAnswer(classes, answer) {
  const probabilities = answer.probabilities, members = answer.member_probabilities, width = classes.length;
  const order = probabilities.map((_, i) => i).sort((a, b) => probabilities[b] - probabilities[a]);
  const shown = width <= mostBars ? probabilities.map((_, i) => i) : order.slice(0, mostBars);
  const top = order[0], count = members.length / width;
  const bars = h('ul', { class: 'bars' }, ...shown.map(i => {
    const own = Array.from({ length: count }, (_, member) => members[member * width + i]);
    const [low, high] = [Math.min(...own), Math.max(...own)];
    return h('li', { class: i === top ? 'top' : '', title: `members from ${share(low)} to ${share(high)}` },
      h('span', { class: 'label' }, classes[i]),
      svg('svg', { viewBox: '0 0 200 22', preserveAspectRatio: 'none', 'aria-hidden': 'true' },
        svg('rect', { class: 'full', x: 0, y: 4, width: 200, height: 14, rx: 2 }),
        svg('rect', { class: 'mean', x: 0, y: 4, width: 200 * probabilities[i], height: 14, rx: 2 }),
        svg('line', { class: 'spread', x1: 200 * low, x2: 200 * high, y1: 11, y2: 11, 'vector-effect': 'non-scaling-stroke' }),
        ...[low, high].map(end => svg('line', { class: 'spread', x1: 200 * end, x2: 200 * end, y1: 7, y2: 15, 'vector-effect': 'non-scaling-stroke' }))),
      h('span', { class: 'number' }, share(probabilities[i])));
  }));
  const votes = Array.from({ length: count }, (_, member) => {
    const own = members.slice(member * width, (member + 1) * width);
    return own.indexOf(Math.max(...own));
  }).filter(vote => vote === top).length;
  return [
    h('p', { class: 'answer' }, classes[top]),
    h('p', { class: 'quiet' }, `${share(probabilities[top])}; ${votes} of ${plural(count, 'member')} say so`),
    bars,
    h('dl', { class: 'facts' },
      fact('Entropy', measure(answer.entropy[0]), 'nats, how unsure'),
      fact('Mutual information', measure(answer.mutual_information[0]), 'nats, how much members disagree')),
    h('p', { class: 'quiet' }, 'Bars are the ensemble’s probabilities; whiskers span those of its members.'),
  ];
}

export function numberAnswer(target, answer) {
  const mean = answer.mean[0], deviation = answer.standard_deviation[0], [lower, upper] = [answer.lower[0], answer.upper[0]];
  const members = answer.member_mean.map((center, i) => ({ center, noise: Math.max(1e-12, answer.member_standard_deviation[i]), weight: answer.member_weight[i] }));
  const from = Math.min(lower, ...members.map(({ center, noise }) => center - 3.6 * noise)), to = Math.max(upper, ...members.map(({ center, noise }) => center + 3.6 * noise));
  const width = 560, height = 190, base = 150, x = value => 10 + (width - 20) * (value - from) / (to - from || 1);
  const density = value => members.reduce((sum, { center, noise, weight }) => sum + weight * Math.exp(-0.5 * ((value - center) / noise) ** 2) / noise, 0);
  // Evenly, and densely about each member: one that is sure is a needle among the others.
  const places = [...evenly(from, to, 240), ...members.flatMap(({ center, noise }) => evenly(center - 3.6 * noise, center + 3.6 * noise, 24))].sort((a, b) => a - b);
  const points = places.map(value => [value, density(value)]);
  const most = Math.max(...points.map(([, d]) => d)), path = points.map(([value, d]) => `${x(value).toFixed(1)},${(base - 130 * d / most).toFixed(1)}`);
  const ticks = Array.from({ length: 5 }, (_, i) => from + (to - from) * i / 4);
  return [
    h('p', { class: 'answer' }, `${measure(mean)} ± ${measure(deviation)}`),
    h('p', { class: 'quiet' }, `90 % between ${measure(lower)} and ${measure(upper)}`),
    svg('svg', { class: 'density', viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': `Predictive density of ${target}: mean ${measure(mean)}, standard deviation ${measure(deviation)}` },
      svg('polygon', { class: 'area', points: [`${x(from)},${base}`, ...path, `${x(to)},${base}`].join(' ') }),
      svg('polyline', { class: 'curve', points: path.join(' ') }),
      svg('line', { class: 'axis', x1: 10, x2: width - 10, y1: base, y2: base }),
      svg('line', { class: 'interval', x1: x(lower), x2: x(upper), y1: base, y2: base }),
      ...members.map(({ center }) => svg('line', { class: 'one', x1: x(center), x2: x(center), y1: base - 8, y2: base + 8 })),
      ...ticks.map((tick, i) => svg('text', { x: x(tick), y: 180, 'text-anchor': i === 0 ? 'start' : i === 4 ? 'end' : 'middle' }, measure(tick)))),
    h('dl', { class: 'facts' },
      fact('Aleatoric', measure(answer.aleatoric[0]), 'noise of the target'),
      fact('Epistemic', measure(answer.epistemic[0]), 'how much members disagree')),
    h('p', { class: 'quiet' }, `The density of ${target}: the mixture of what each member says, of its mean (a tick) with its own noise. The thick line is the interval of 90 %.`),
  ];
}

const evenly = (from, to, count) => Array.from({ length: count + 1 }, (_, i) => from + (to - from) * i / count);

const fact = (label, value, note) => h('div', {}, h('dt', {}, label), h('dd', {}, value, ' ', h('small', {}, note)));
