// The members of a run, as many as there are: only the rows in sight are in the page.
import { h, setText, setClass } from './dom.js';
import { count, measure, rate, duration, none } from './format.js';

const rowHeight = 36, spare = 6;
const states = ['training', 'waiting', 'completed', 'failed'];

const columns = [
  { name: 'Member', key: m => m.index },
  { name: 'State', key: m => states.indexOf(m.state), cell: 'state-cell' },
  { name: 'Settings', key: m => m.settings ?? '', cell: 'settings-cell' },
  { name: 'Silo and lane', key: m => `${m.silo ?? '~'}/${m.lane ?? ''}`, cell: 'silo-cell' },
  { name: 'Steps', key: m => m.step },
  { name: 'Loss', key: m => m.loss ?? Infinity, cell: 'number' },
  { name: 'Steps/s', key: m => -m.stepsPerSecond, cell: 'number rate-cell' },
  { name: 'Epoch', key: m => m.epoch, cell: 'number epoch-cell' },
  { name: 'Left', key: m => m.left ?? Infinity, cell: 'number left-cell' },
];

export class MemberTable {
  constructor(onPick) {
    this.onPick = onPick;
    this.members = [];
    this.picked = null;
    this.sort = { column: 0, down: false };
    this.filter = null;
    this.rows = new Map();
    this.filters = h('div', { class: 'filters', role: 'group', 'aria-label': 'Show members that are' });
    this.headings = columns.map((column, i) => h('span', { role: 'columnheader', class: column.cell, 'aria-sort': 'none' },
      h('button', { type: 'button', onclick: () => this.sortBy(i) }, column.name)));
    this.space = h('div', { class: 'space', role: 'presentation' });
    this.scroll = h('div', { class: 'scroll', role: 'rowgroup', tabindex: '0', 'aria-label': 'Members, by arrow keys', onscroll: () => this.draw(), onkeydown: event => this.onKey(event) }, this.space);
    this.table = h('div', { class: 'table', role: 'table', 'aria-label': 'Members' },
      h('div', { role: 'rowgroup' }, h('div', { class: 'row headings', role: 'row', 'aria-rowindex': '1' }, this.headings)), this.scroll);
    this.element = h('section', { class: 'card' }, h('header', {}, h('h2', {}, 'Members'), this.filters), this.table);
    this.resize = new ResizeObserver(() => this.draw());
    this.resize.observe(this.scroll);
  }

  update(members, stepsPerMember, settings) {
    this.members = members;
    setClass(this.table, settings ? 'table varied' : 'table');
    for (const member of members) member.settings = settings?.[member.index % settings.length] ?? null;
    this.steps = stepsPerMember;
    for (const member of members) member.left = member.state === 'training' && member.stepsPerSecond > 0 ? ((member.stepsTotal || stepsPerMember) - member.step) / member.stepsPerSecond : null;
    this.drawFilters();
    this.arrange();
  }

  arrange() {
    const { column, down } = this.sort, { key } = columns[column];
    const compare = (a, b) => {
      const [x, y] = [key(a), key(b)];
      return (x < y ? -1 : x > y ? 1 : 0) * (down ? -1 : 1) || a.index - b.index;
    };
    this.shown = this.members.filter(member => !this.filter || member.state === this.filter).sort(compare);
    this.space.style.height = `${this.shown.length * rowHeight}px`;
    this.table.setAttribute('aria-rowcount', this.shown.length + 1);
    this.headings.forEach((heading, i) => heading.setAttribute('aria-sort', i !== column ? 'none' : down ? 'descending' : 'ascending'));
    this.draw();
  }

  sortBy(column) {
    this.sort = { column, down: this.sort.column === column && !this.sort.down };
    this.arrange();
  }

  drawFilters() {
    const counts = new Map();
    for (const member of this.members) counts.set(member.state, (counts.get(member.state) ?? 0) + 1);
    const present = states.filter(state => counts.has(state));
    const text = present.map(state => `${state} ${counts.get(state)}`).join() + this.filter;
    if (text === this.filtersText) return;
    this.filtersText = text;
    const hadFocus = this.filters.contains(document.activeElement) ? document.activeElement.dataset.state : null;
    this.filters.replaceChildren(...(present.length > 1 || this.filter ? present : []).map(state => h('button', {
      class: 'chip', type: 'button', 'data-state': state, 'aria-pressed': String(this.filter === state),
      onclick: () => { this.filter = this.filter === state ? null : state; this.drawFilters(); this.scroll.scrollTop = 0; this.arrange(); },
    }, `${count(counts.get(state))} ${state}`)));
    if (this.filter && !counts.has(this.filter)) this.filter = null;
    if (hadFocus) this.filters.querySelector(`[data-state="${hadFocus}"]`)?.focus();
  }

  draw() {
    if (!this.shown) return;
    const first = Math.max(0, Math.floor(this.scroll.scrollTop / rowHeight) - spare);
    const last = Math.min(this.shown.length, Math.ceil((this.scroll.scrollTop + (this.scroll.clientHeight || 440)) / rowHeight) + spare);
    const wanted = new Map(this.shown.slice(first, last).map((member, i) => [member.index, first + i]));
    for (const [index, row] of this.rows) {
      if (wanted.has(index) || row.element.contains(document.activeElement)) continue;
      row.element.remove();
      this.rows.delete(index);
    }
    let before = null;
    for (const [index, place] of wanted) {
      const row = this.rows.get(index) ?? this.makeRow(index);
      row.update(this.members[index], place);
      // In the order in which they are seen, also for those who hear them.
      const next = before ? before.nextSibling : this.space.firstChild;
      if (row.element !== next) this.space.insertBefore(row.element, next);
      before = row.element;
    }
  }

  makeRow(index) {
    const pick = h('button', { class: 'pick', type: 'button', 'aria-pressed': 'false', title: 'Show this member in the charts', onclick: () => this.pick(index) }, String(index));
    const settings = h('span', { role: 'cell', class: 'settings-cell' });
    const state = h('span', { class: 'state' }), silo = h('span', { role: 'cell', class: 'quiet silo-cell' }), bar = h('i'), steps = h('span', { class: 'quiet number' });
    const track = h('span', { class: 'track' }, bar);
    // Where there is no room for cells of the state and the silo, which says why a member failed.
    const word = h('span', { class: 'word quiet' });
    const cell = name => h('span', { role: 'cell', class: `number ${name}` });
    const [loss, speed, epoch, left] = [cell(''), cell('rate-cell'), cell('epoch-cell'), cell('left-cell')];
    const element = h('div', { class: 'row', role: 'row' },
      h('span', { role: 'cell' }, pick), h('span', { role: 'cell', class: 'state-cell' }, state), settings, silo,
      h('span', { role: 'cell', class: 'share' }, track, word, steps), loss, speed, epoch, left);
    const row = {
      element,
      update: (member, place) => {
        element.style.top = `${place * rowHeight}px`;
        element.setAttribute('aria-rowindex', place + 2);
        const isPicked = this.picked === index;
        setClass(element, `row ${member.state}${isPicked ? ' picked' : ''}`);
        pick.setAttribute('aria-pressed', String(isPicked));
        setText(settings, member.settings ?? '');
        settings.title = member.settings ?? '';
        setClass(state, `state ${member.state}`);
        setText(state, member.state);
        state.title = member.reason ?? '';
        setText(silo, member.reason && member.state === 'failed' ? member.reason : member.silo ? `${member.silo}${member.lane === null || member.lane === undefined ? '' : ` · lane ${member.lane}`}` : none);
        setText(word, member.state === 'failed' && member.reason ? `failed: ${member.reason}` : member.state);
        word.title = member.reason ?? '';
        setClass(track, `track ${member.state}`);
        bar.style.width = `${member.state === 'completed' ? 100 : 100 * member.step / Math.max(1, member.stepsTotal || this.steps)}%`;
        setText(steps, count(member.step));
        setText(loss, measure(member.loss));
        setText(speed, member.state === 'training' ? rate(member.stepsPerSecond) : none);
        setText(epoch, (member.epoch ?? 0).toFixed(1));
        setText(left, duration(member.left));
      },
    };
    this.rows.set(index, row);
    return row;
  }

  pick(index) {
    this.picked = this.picked === index ? null : index;
    this.draw();
    this.onPick(this.picked);
  }

  // Up and down go from member to member, also to those that are not in the page yet.
  onKey(event) {
    const row = document.activeElement?.closest?.('.row');
    const at = row && this.space.contains(row) ? Number(row.getAttribute('aria-rowindex')) - 2 : -1;
    const page = Math.max(1, Math.floor(this.scroll.clientHeight / rowHeight) - 1), last = this.shown.length - 1;
    const to = { ArrowDown: at + 1, ArrowUp: Math.max(0, at - 1), PageDown: at + page, PageUp: at - page, Home: 0, End: last }[event.key];
    if (to === undefined || last < 0) return;
    event.preventDefault();
    const place = Math.max(0, Math.min(last, to)), top = place * rowHeight;
    if (top < this.scroll.scrollTop) this.scroll.scrollTop = top;
    else if (top + rowHeight > this.scroll.scrollTop + this.scroll.clientHeight) this.scroll.scrollTop = top + rowHeight - this.scroll.clientHeight;
    this.draw();
    this.rows.get(this.shown[place].index)?.element.querySelector('button').focus({ preventScroll: true });
    this.draw();
  }

  destroy() {
    this.resize.disconnect();
  }
}

