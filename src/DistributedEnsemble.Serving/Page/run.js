// One run: where it stands, its members' curves, what the ensemble gains, what happened.
import { h, setText, setClass, announce } from './dom.js';
import { get, post, listen, runPath } from './api.js';
import { count, plural, percent, rate, duration, measure, measureName, none } from './format.js';
import { session, title, refused } from './app.js';
import { Curves, align, summarize } from './curves.js';
import { Chart, mostLines } from './charts.js';
import { MemberTable } from './members.js';
import { Timeline } from './timeline.js';
import { Silos } from './silos.js';

// The keys in which members differ, of each variant, by their last words where these are enough: learningRate=0.1 hidden=[64].
function inWords(settings) {
  if (!settings) return null;
  const last = key => key.slice(key.lastIndexOf('.') + 1), keys = Object.keys(settings[0]);
  const name = key => (keys.filter(other => last(other) === last(key)).length > 1 ? key : last(key));
  const own = one => keys.filter(key => one[key] !== null);
  return settings.map(one => (own(one).length ? own(one) : keys).map(key => `${name(key)}=${one[key] === null ? none : typeof one[key] === 'string' ? one[key] : JSON.stringify(one[key])}`).join(' '));
}

export function showRun(main, name) {
  title(name);
  const run = { members: [], snapshots: [], ema: [] };
  const curves = new Curves();
  let scores = null, unmeasured = null, scoreMeasure = 'nll', isDrawing = false, isLeft = false, hasHistory = false, again, settings = null;
  const pace = [];

  const state = h('span', { class: 'state' }), reason = h('p', { class: 'quiet' }), teacher = h('p', { class: 'quiet' });
  const error = h('p', { class: 'wrong', role: 'alert' });
  const button = (text, act, kind = '') => h('button', { class: `button ${kind}`, type: 'button', hidden: true, onclick: act }, text);
  const stop = button('Stop', () => change('stop')), resume = button('Resume', () => change('resume'), 'primary');
  const predict = h('a', { class: 'button', href: `#/runs/${encodeURIComponent(name)}/predict`, hidden: true }, 'Predict');
  const bar = h('i'), track = h('div', { class: 'track', role: 'progressbar', 'aria-label': 'Steps done', 'aria-valuemin': '0', 'aria-valuemax': '100', 'aria-valuenow': '0' }, bar);
  const facts = Object.fromEntries(['Steps', 'Members', 'Speed', 'Time left', 'Trained for', 'Mean loss'].map(label => [label, h('dd', {}, none)]));

  const keys = { mean: 'mean of the members', member: 'a member', edge: '10 to 90 % of the members', picked: 'picked' };
  const loss = new Chart({ title: 'Loss of batches', log: true, xName: 'step', blank: 'Loss appears with the first logged step.', keys });
  const quality = new Chart({ title: 'Quality of batches', xName: 'step', blank: 'Appears with the first checkpoint.', keys });
  const validation = new Chart({ title: 'Validation', xName: 'step', blank: 'No member was measured yet.', keys });
  const learningRate = new Chart({ title: 'Learning rate', xName: 'step', blank: 'Appears with the first checkpoint.' });
  const size = new Chart({ title: 'Ensemble against size', xName: 'members', blank: 'Appears with the first weights that a member hands over.', points: true });
  const growth = new Chart({ title: 'Ensemble as it trains', xName: 'step of all members', blank: 'Appears with the first weights that a member hands over.', points: true });
  const measures = h('select', { class: 'small', 'aria-label': 'Measure', hidden: true, onchange: event => { scoreMeasure = event.target.value; draw(); } });
  size.heading.after(measures);
  validation.element.hidden = true;
  const charts = [loss, size, growth, quality, validation, learningRate];
  const members = new MemberTable(() => draw()), timeline = new Timeline(), silos = new Silos();

  main.replaceChildren(
    h('div', { class: 'head' },
      h('div', {}, h('p', { class: 'crumb' }, h('a', { href: '#/' }, 'Runs')), h('div', { class: 'title' }, h('h1', {}, name), state), teacher, reason),
      h('div', { class: 'actions' }, stop, resume, predict)),
    error, track,
    h('dl', { class: 'facts' }, ...Object.entries(facts).map(([label, value]) => h('div', {}, h('dt', {}, label), value))),
    h('div', { class: 'cards' }, ...charts.map(chart => chart.element)),
    silos.element, members.element, timeline.element);

  async function change(what) {
    error.textContent = '';
    stop.disabled = resume.disabled = true;
    try {
      await post(runPath(name, `/${what}`));
    } catch (refusal) {
      error.textContent = refusal.message;
      if (refusal.status === 401 || refusal.status === 403) refused(refusal);
    } finally {
      stop.disabled = resume.disabled = false;
    }
  }

  function begin(all) {
    // A run of the same name may be another one by now.
    if (run.id && run.id !== all.id) [curves.members, scores, unmeasured] = [new Map(), null, null];
    Object.assign(run, { members: [], snapshots: [], ema: [] });
    timeline.clear();
    apply(all);
    // Also after the connection broke: lines of a member that ended meanwhile come by no delta.
    askHistory();
  }

  function apply(delta) {
    const before = run.state;
    const { members: changed = [], snapshots = [], ema, happened = [], points = [], ...head } = delta;
    Object.assign(run, head);
    if (head.settings !== undefined) settings = inWords(head.settings);
    if (head.teacher) teacher.replaceChildren('Learns what ', h('a', { href: `#/runs/${encodeURIComponent(head.teacher)}` }, head.teacher), ' answers.');
    for (const member of changed) {
      run.members[member.index] = member;
      if (member.state === 'training') curves.setLive(member.index, member.step, member.loss);
    }
    run.snapshots.push(...snapshots);
    if (ema) run.ema = ema;
    curves.measure = head.measure ?? curves.measure;
    for (const metrics of points) curves.add(metrics);
    timeline.add(happened);
    if (before && before !== run.state) {
      announce(`Run ${name} is ${run.state}`);
      if (run.state !== 'running') askHistory();
    }
    observePace();
    draw();
  }

  // Of a thousand members some points each; of ten many. Of long files some lines at first, until the server has read them all.
  async function askHistory() {
    clearTimeout(again);
    const steps = stepsPerMember(), each = run.memberCount > mostLines ? 60 : run.memberCount > 20 ? 150 : 300;
    try {
      const history = await get(runPath(name, `/metrics?step=${Math.max(1, Math.ceil(steps / each))}&columns=loss,quality,learningRate`));
      curves.setHistory(history);
      if (history.sampled && !isLeft) again = setTimeout(askHistory, 1_500);
    } catch {
      // The next checkpoint's points come anyway.
    } finally {
      hasHistory = true;
      draw();
    }
  }

  const hasEnded = () => ['completed', 'degraded', 'failed'].includes(run.state);
  const stepsPerMember = () => Math.round((run.stepsTotal ?? 0) / Math.max(1, run.memberCount ?? 1));

  function observePace() {
    const now = performance.now();
    if (pace.length && run.steps < pace.at(-1).steps) pace.length = 0;
    pace.push({ now, steps: run.steps, done: done() });
    while (now - pace[0].now > 10_000) pace.shift();
  }

  function speed() {
    const elapsed = (pace.at(-1).now - pace[0].now) / 1000;
    return elapsed > 1 ? (pace.at(-1).steps - pace[0].steps) / elapsed : run.members.reduce((sum, member) => sum + (member?.stepsPerSecond ?? 0), 0);
  }

  // The share of the work that is done, by the estimate that places members: a step of one may take longer than one of another.
  function done() {
    const all = run.members.reduce((sum, member) => sum + (member?.cost ?? 0), 0);
    return all > 0 ? run.members.reduce((sum, member) => sum + (member?.cost ?? 0) * (member?.step ?? 0) / Math.max(1, member?.stepsTotal ?? 1), 0) / all
      : run.steps / Math.max(1, run.stepsTotal);
  }

  // Seconds; by steps until there is something to measure.
  function timeLeft(perSecond) {
    const first = pace[0], last = pace.at(-1), elapsed = (last.now - first.now) / 1000;
    if (elapsed <= 1) return perSecond > 0 ? (run.stepsTotal - run.steps) / perSecond : null;
    return last.done > first.done ? (1 - last.done) * elapsed / (last.done - first.done) : null;
  }

  function draw() {
    if (isDrawing) return;
    isDrawing = true;
    requestAnimationFrame(() => {
      isDrawing = false;
      if (run.state) drawNow();
    });
  }

  function drawNow() {
    const isRunning = run.state === 'running' || run.state === 'queued', steps = stepsPerMember();
    setClass(state, `state ${run.state}`);
    setText(state, run.state);
    setText(reason, run.reason ?? (run.exact ? '' : 'This run can not be repeated bit by bit.'));
    stop.hidden = !(session.mayChange && isRunning);
    resume.hidden = !(session.mayChange && run.state === 'paused');
    predict.hidden = !['completed', 'degraded'].includes(run.state);
    setClass(track, `track ${run.state}`);
    bar.style.width = `${100 * run.steps / Math.max(1, run.stepsTotal)}%`;
    track.setAttribute('aria-valuenow', Math.floor(100 * run.steps / Math.max(1, run.stepsTotal)));
    const known = run.members.filter(Boolean), training = known.filter(member => member.state === 'training').length;
    const losses = known.map(member => member.loss).filter(value => value !== null && value !== undefined);
    fact('Steps', count(run.steps), `of ${count(run.stepsTotal)}, ${percent(run.steps, run.stepsTotal)}`);
    fact('Members', count(run.memberCount), training ? `${count(training)} in training` : '');
    const perSecond = isRunning ? speed() : run.trainSeconds > 0 ? run.steps / run.trainSeconds : 0;
    fact('Speed', rate(perSecond), 'member-steps/s');
    fact('Time left', isRunning ? duration(timeLeft(perSecond)) : none, '');
    fact('Trained for', duration(run.trainSeconds), '');
    fact('Mean loss', losses.length ? measure(losses.reduce((sum, value) => sum + value, 0) / losses.length) : none, '');
    if (run.members.length && known.length === run.members.length) {
      members.update(run.members, steps, settings);
      silos.update(run.members, steps);
    }
    drawCurves(loss, member => curves.column(member, 'loss'), 'loss', marks());
    quality.heading.textContent = curves.measure ? `${measureName(curves.measure)} of batches` : 'Quality of batches';
    drawCurves(quality, member => curves.column(member, 'quality'), curves.measure ?? 'quality');
    const [measured] = curves.validationMeasures();
    validation.element.hidden = !measured;
    if (measured) {
      validation.heading.textContent = `Validation ${measureName(measured)}`;
      drawCurves(validation, member => curves.validation(member, measured), measured);
    }
    drawCurves(learningRate, member => curves.column(member, 'learningRate'), 'rate', [], settings ? null : [members.picked ?? 0]);
    drawSize();
  }

  function fact(label, value, note) {
    const element = facts[label];
    if (element.dataset.text === value + note) return;
    element.dataset.text = value + note;
    element.replaceChildren(value, ...(note ? [' ', h('small', {}, note)] : []));
  }

  function marks() {
    const all = [...new Set(run.snapshots.map(([, step]) => step))].map(step => ({ step, kind: 'snapshot' }));
    return [...all, ...[...new Set(run.ema.map(([, step]) => step))].map(step => ({ step, kind: 'ema' }))];
  }

  function drawCurves(chart, column, word, chartMarks = [], only = null) {
    const shown = only ?? [...curves.members.keys()].sort((a, b) => a - b);
    const withData = shown.map(member => [member, column(member)]).filter(([, [steps, values]]) => steps.length && values.some(value => value !== null));
    const [xs, rows] = align(withData.map(([, points]) => points));
    if (!xs.length) return chart.draw({ xs, lines: [], summary: '', blank: !hasHistory ? 'Loading …' : hasEnded() ? 'Nothing was logged.' : undefined });
    const { mean, low, high } = summarize(xs, rows), picked = withData.findIndex(([member]) => member === members.picked);
    const lines =
      withData.length === 1 ? [{ values: rows[0], kind: 'mean', name: word, only: `member ${withData[0][0]}` }]
        : withData.length > mostLines
          ? [{ values: low, kind: 'edge' }, { values: high, kind: 'edge', over: true }, { values: mean, kind: 'mean', name: 'mean' }]
          : [...rows.map(values => ({ values, kind: 'member' })), { values: mean, kind: 'mean', name: 'mean' }];
    if (picked >= 0 && withData.length > 1) lines.push({ values: rows[picked], kind: 'picked', name: `member ${members.picked}${settings ? ` (${settings[members.picked % settings.length]})` : ''}` });
    // Members may have come to different steps, and ended there.
    const ends = rows.map(row => row.findLastIndex(value => value !== null)), lasts = rows.map((row, i) => row[ends[i]]), step = xs[Math.max(...ends)];
    const where = ends.every(end => xs[end] === step) ? `at step ${count(step)}` : `each at its last step, up to ${count(step)}`;
    const summary = withData.length === 1 ? `${measure(lasts[0])} ${where}`
      : `mean ${measure(lasts.reduce((sum, value) => sum + value, 0) / lasts.length)}, ${measure(Math.min(...lasts))} to ${measure(Math.max(...lasts))} ${where}`;
    chart.draw({ xs, lines, marks: chartMarks, summary });
  }

  function drawSize() {
    // How it grew was not seen by this server.
    growth.element.hidden = hasEnded() && !(scores?.history.length > 1);
    if (!scores) return [size, growth].forEach(chart => chart.draw({ xs: [], lines: [], summary: '', blank: unmeasured ?? (hasEnded() ? 'Being measured …' : undefined) }));
    const flat = scores.sizes.map(({ members: n, measures: all }) => [n, all]);
    const names = Object.entries(flat[0][1]).filter(([, value]) => typeof value === 'number').map(([key]) => key);
    if (!names.includes(scoreMeasure)) [scoreMeasure] = names;
    if (measures.children.length !== names.length) {
      measures.replaceChildren(...names.map(value => h('option', { value }, measureName(value))));
      measures.value = scoreMeasure;
      measures.hidden = false;
    }
    const xs = flat.map(([n]) => n), values = flat.map(([, all]) => all[scoreMeasure] ?? null);
    const grown = scores.history.map(({ measures: all }) => all[scoreMeasure] ?? null), last = scores.history.at(-1);
    growth.draw({ xs: scores.history.map(point => point.steps), lines: [{ values: grown, kind: 'mean', name: measureName(scoreMeasure) }], summary: `${measureName(scoreMeasure)} ${measure(grown.at(-1))} of ${plural(last.members, 'member')} at step ${count(last.steps)}` });
    size.draw({ xs, lines: [{ values, kind: 'mean', name: measureName(scoreMeasure) }], summary: `${xs.length > 1 ? `${measure(values[0])} with ${xs[0]}, ` : ''}${measure(values.at(-1))} with ${plural(xs.at(-1), 'member')}; ${scores.outOfFold ? `${plural(scores.rows, 'training row')}, answered by members that did not see them` : plural(scores.rows, 'validation row')}` });
  }

  const end = listen(runPath(name, '/live'), {
    all: begin, delta: apply,
    scores: data => { scores = data; draw(); },
    end: data => { unmeasured = data.unmeasured; askHistory(); draw(); },
    gone: () => refused({ message: `Run ${name} is gone.` }),
  }, refused);
  return () => {
    isLeft = true;
    clearTimeout(again);
    end();
    charts.forEach(chart => chart.destroy());
    members.destroy();
    timeline.destroy();
  };
}
