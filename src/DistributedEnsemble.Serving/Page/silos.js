// Which member each lane of each silo trains.
import { h } from './dom.js';
import { plural, percent } from './format.js';

export class Silos {
  constructor() {
    this.body = h('div', { class: 'silos' });
    this.count = h('p', { class: 'quiet' });
    this.element = h('section', { class: 'card', hidden: true }, h('header', {}, h('h2', {}, 'Silos and lanes'), this.count), this.body);
  }

  update(members, steps) {
    const silos = new Map();
    for (const member of members) {
      if (member.state !== 'training' || !member.silo) continue;
      if (!silos.has(member.silo)) silos.set(member.silo, []);
      silos.get(member.silo).push(member);
    }
    this.element.hidden = silos.size === 0;
    const text = [...silos].map(([silo, on]) => `${silo} ${on.map(m => `${m.index}@${m.lane}:${percent(m.step, m.stepsTotal || steps)}`)}`).join();
    if (text === this.text) return;
    this.text = text;
    const lanes = [...silos.values()].reduce((sum, on) => sum + on.length, 0);
    this.count.textContent = `${plural(silos.size, 'silo')}, ${plural(lanes, 'lane')} in use`;
    this.body.replaceChildren(...[...silos].sort().map(([silo, on]) => h('div', { class: 'silo' },
      h('span', { class: 'name' }, silo),
      h('ul', { class: 'lanes' }, ...on.sort((a, b) => (a.lane ?? 0) - (b.lane ?? 0)).slice(0, 64).map(member => h('li', { class: 'lane' },
        h('small', {}, `lane ${member.lane ?? '–'}`), `member ${member.index}`, h('small', {}, percent(member.step, member.stepsTotal || steps)))))))); 
  }
}
