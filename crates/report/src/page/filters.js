// What is shown: filters by facets, time and words. Of one facet any chosen value may fit, of several all must.

const FACETS = [
  { name: 'severity', title: W.severity, of: (it) => [String(it.s)], label: (value) => SEVERITIES[value], most: 4 },
  { name: 'actor', title: W.actors, of: (it) => [it.actor], label: nameOfActor, most: 6 },
  { name: 'address', title: W.addresses, of: (it) => [it.address], label: (value) => value, most: 6 },
  { name: 'target', title: W.targets, of: (it) => [it.to], label: (value) => value, most: 6 },
  { name: 'tactic', title: W.tactics, of: (it) => it.tactics, label: (value) => value, most: 8 },
  { name: 'rule', title: W.rules, of: (it) => [it.rule], label: (value) => value, most: 6 },
];
const chosen = new Map(FACETS.map(({ name }) => [name, new Set()]));
let range = null;
let needles = [];
let sortBy = 'severity';
const listeners = [];

const fitsWords = (text) => needles.every((needle) => text.includes(needle));
const fitsFacet = (facet, alert) => {
  const wanted = chosen.get(facet.name);
  return wanted.size === 0 || facet.of(alert).some((value) => wanted.has(value));
};
const fitsRange = (time) => !range || (time !== null && time >= range[0] && time < range[1]);

/** The alerts that fit all filters, but for one facet. */
function fitting(but) {
  const facets = FACETS.filter((facet) => facet !== but && chosen.get(facet.name).size > 0);
  return ALERTS.filter((alert) => fitsRange(alert.t) && (needles.length === 0 || fitsWords(textOf(alert)))
    && facets.every((facet) => fitsFacet(facet, alert)));
}

function changed() {
  const shown = fitting(null);
  byId('count').textContent = say(W.shown, { n: count(shown.length), all: count(ALERTS.length) });
  drawFacets(shown);
  drawChosen();
  for (const it of document.querySelectorAll('.bar')) it.classList.toggle('on', !!range && it.dataset.from === String(range[0]));
  for (const it of document.querySelectorAll('[data-filter="actor"]')) {
    it.setAttribute('aria-pressed', String(chosen.get('actor').has(it.dataset.value)));
  }
  for (const listen of listeners) listen(shown);
}

/** Chooses a value of a facet, or lets go of it. */
function toggle(name, value) {
  const wanted = chosen.get(name);
  if (!wanted.delete(value)) wanted.add(value);
  changed();
}

function clearAll() {
  for (const wanted of chosen.values()) wanted.clear();
  range = null;
  needles = [];
  byId('search').value = '';
  changed();
}

const unfolded = new Set();

/** All values of a facet. They never change. */
function choicesOf(facet) {
  if (!facet.values) {
    facet.values = new Set(ALERTS.flatMap((alert) => facet.of(alert)));
    facet.values.delete('');
    facet.values = [...facet.values];
  }
  return facet.values;
}

function drawFacets(shown = fitting(null)) {
  const facets = FACETS.map((facet) => {
    const counts = new Map(choicesOf(facet).map((value) => [value, 0]));
    for (const alert of chosen.get(facet.name).size > 0 ? fitting(facet) : shown) {
      for (const value of facet.of(alert)) if (value) counts.set(value, counts.get(value) + 1);
    }
    const order = facet.name === 'severity'
      ? (a, b) => Number(b[0]) - Number(a[0])
      : (a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1);
    const all = [...counts].sort(order);
    if (all.length === 0) return null;
    const wanted = chosen.get(facet.name);
    const open = unfolded.has(facet.name);
    const some = all.filter(([value], at) => open || at < facet.most || wanted.has(value)).slice(0, 200);
    const button = ([value, number]) => el('button', number ? '' : 'none', {
      type: 'button', 'aria-pressed': String(wanted.has(value)), title: facet.label(value),
      'data-facet': facet.name, 'data-value': value, onclick: () => toggle(facet.name, value),
    }, facet.name === 'severity' ? el('span', `dot s${value}`) : null, el('span', 'label', {}, facet.label(value)), el('span', 'number', {}, count(number)));
    const more = all.length - facet.most;
    const unfold = more > 0 ? el('button', 'toggle', {
      type: 'button',
      onclick: () => { if (!unfolded.delete(facet.name)) unfolded.add(facet.name); drawFacets(); },
    }, open ? W.fewer : say(W.more, { n: count(more) })) : null;
    return el('div', 'facet', {}, el('h4', '', {}, facet.title), ...some.map(button), unfold);
  });
  byId('facets').replaceChildren(...facets.filter(Boolean));
  byId('facets').hidden = ALERTS.length === 0;
}

/** The filters that are on, in the bar; each goes when it is pressed. */
function drawChosen() {
  const all = FACETS.flatMap((facet) => [...chosen.get(facet.name)].map((value) => el('button', 'chosen', {
    type: 'button', title: facet.title, onclick: () => toggle(facet.name, value),
  }, `${facet.label(value)} ×`)));
  if (range) {
    all.push(el('button', 'chosen', { type: 'button', onclick: () => { range = null; changed(); } },
      `${say(W.time_range, { from: when(range[0]), to: when(range[1]) })} ×`));
  }
  for (const it of byId('bar').querySelectorAll('.chosen')) it.remove();
  byId('clear').before(...all);
  byId('clear').hidden = all.length === 0 && needles.length === 0;
}
