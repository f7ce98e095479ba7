// The curves of a run's members: the past that the server has in its files, then what comes.
export class Curves {
  constructor() {
    this.members = new Map();
    this.measure = null;
    this.width = 1;
  }

  of(member) {
    let curves = this.members.get(member);
    if (!curves) this.members.set(member, curves = { steps: [], loss: [], quality: [], learningRate: [], validation: new Map(), live: null });
    return curves;
  }

  // An answer of /metrics: it takes the place of what was known.
  setHistory({ step, measure, members }) {
    this.width = step;
    this.measure = measure ?? this.measure;
    for (const metrics of members) {
      const known = this.members.get(metrics.member);
      this.members.delete(metrics.member);
      this.add(metrics);
      // What came while the answer was on its way.
      if (known) this.addColumns(this.of(metrics.member), known);
    }
  }

  add(metrics) {
    const curves = this.of(metrics.member);
    this.addColumns(curves, metrics);
    if (metrics.validation) {
      metrics.validation.steps.forEach((step, i) => {
        const values = {};
        for (const [name, column] of Object.entries(metrics.validation.values)) values[name] = column[i];
        curves.validation.set(step, values);
      });
    }
  }

  addColumns(curves, { steps, loss, quality, learningRate }) {
    const last = curves.steps.at(-1) ?? 0;
    for (let i = 0; i < steps.length; i++) {
      if (steps[i] <= last) continue;
      curves.steps.push(steps[i]);
      curves.loss.push(loss?.[i] ?? null);
      curves.quality.push(quality?.[i] ?? null);
      curves.learningRate.push(learningRate?.[i] ?? null);
    }
    if (curves.live && curves.live.step <= (curves.steps.at(-1) ?? 0)) curves.live = null;
  }

  // Where a member is between two checkpoints, whose lines come later.
  setLive(member, step, loss) {
    const curves = this.of(member);
    if (loss === null || step <= (curves.steps.at(-1) ?? 0)) return;
    (curves.tail ??= []).push({ step: Math.max(1, Math.round(step / this.width)) * this.width, loss });
    if (curves.tail.length > 400) curves.tail = curves.tail.filter((_, i) => i % 2);
    curves.live = { step, loss };
  }

  // Steps and values of one column, the provisional ones at the end.
  column(member, name) {
    const curves = this.members.get(member);
    if (!curves) return [[], []];
    const last = curves.steps.at(-1) ?? 0;
    if (curves.tail) curves.tail = curves.tail.filter(point => point.step > last);
    if (name !== 'loss' || !curves.tail?.length) return [curves.steps, curves[name]];
    const steps = curves.steps.slice(), values = curves.loss.slice();
    for (const { step, loss } of curves.tail) {
      if (step > (steps.at(-1) ?? 0)) {
        steps.push(step);
        values.push(loss);
      }
    }
    return [steps, values];
  }

  validationMeasures() {
    const names = new Set();
    for (const curves of this.members.values()) for (const values of curves.validation.values()) for (const name of Object.keys(values)) names.add(name);
    return [...names];
  }

  validation(member, name) {
    const points = [...(this.members.get(member)?.validation ?? [])].sort((a, b) => a[0] - b[0]);
    return [points.map(([step]) => step), points.map(([, values]) => values[name] ?? null)];
  }
}

// Several curves over the union of their steps: one row of x, one row of values (or null) for each.
export function align(curves) {
  const xs = [...new Set(curves.flatMap(([steps]) => steps))].sort((a, b) => a - b);
  const place = new Map(xs.map((x, i) => [x, i]));
  const rows = curves.map(([steps, values]) => {
    const row = new Array(xs.length).fill(null);
    steps.forEach((step, i) => { row[place.get(step)] = values[i]; });
    return row;
  });
  return [xs, rows];
}

// Mean and spread over the curves at each x; a curve counts between its first and last point, there on a straight line. Where most
// have ended, or not begun, there is none: those that are left differ from the rest.
export function summarize(xs, rows) {
  const columns = xs.map(() => []);
  for (const row of rows) {
    let from = -1;
    for (let i = 0; i < row.length; i++) {
      if (row[i] === null) continue;
      if (from >= 0) for (let k = from + 1; k < i; k++) columns[k].push(row[from] + (row[i] - row[from]) * (xs[k] - xs[from]) / (xs[i] - xs[from]));
      columns[i].push(row[i]);
      from = i;
    }
  }
  const isKnown = values => 2 * values.length >= rows.length;
  const at = share => columns.map(values => (isKnown(values) ? values[Math.min(values.length - 1, Math.floor(share * values.length))] : null));
  const mean = columns.map(values => (isKnown(values) ? values.reduce((sum, value) => sum + value, 0) / values.length : null));
  for (const values of columns) values.sort((a, b) => a - b);
  return { mean, low: at(0.1), high: at(0.9) };
}
