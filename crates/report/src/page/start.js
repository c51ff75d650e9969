// The bar, the keys, and printing.

const bar = el('div');
bar.append(ofTemplate('bar-parts'));
byId('bar').append(bar);

let typing = 0;
byId('search').addEventListener('input', () => {
  clearTimeout(typing);
  typing = setTimeout(() => {
    needles = byId('search').value.toLowerCase().split(/\s+/).filter(Boolean);
    changed();
  }, ALERTS.length > 1000 ? 150 : 0);
});
byId('sort').addEventListener('change', () => { sortBy = byId('sort').value; changed(); });
byId('clear').addEventListener('click', clearAll);
byId('keys').addEventListener('click', toggleHelp);
for (const it of document.querySelectorAll('[data-filter]')) {
  it.addEventListener('click', () => toggle(it.dataset.filter, it.dataset.value));
}
// A value in a sentence is searched for.
for (const it of document.querySelectorAll('#happened code')) {
  it.title = it.textContent;
  it.addEventListener('click', () => { byId('search').value = it.textContent.split(/[ ,×(→]/)[0]; byId('search').dispatchEvent(new Event('input')); });
}
for (const it of document.querySelectorAll('.bar:not(.empty)')) {
  it.addEventListener('click', () => {
    const wanted = [Number(it.dataset.from), Number(it.dataset.to)];
    range = range && range[0] === wanted[0] ? null : wanted;
    changed();
  });
}

function toggleHelp() {
  const known = document.querySelector('.help');
  if (known) return known.remove();
  document.body.append(el('div', 'help', { role: 'status' }, ...byId('keys').title.split(' · ').map((line) => el('div', '', {}, line))));
}

/** What can be moved to, in order: heads, rows, and pieces of which nobody has seen the rows yet. */
function stops() {
  const all = [...document.querySelectorAll('#alert-list .head, #alert-list .row, #alert-list .piece')];
  return all.filter((it) => !it.matches('.piece') || pieces.has(it));
}

/** Moves to the next row of alerts, or to the one before. Rows that are not made yet are made, and not passed over. */
function move(step) {
  for (;;) {
    const all = stops();
    const at = all.indexOf(document.activeElement);
    const next = all[at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + step, 0), all.length - 1)];
    if (pieces.has(next)) {
      fillPiece(next);
      continue;
    }
    next?.focus();
    next?.scrollIntoView({ block: 'nearest' });
    return;
  }
}

addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const inField = ['INPUT', 'SELECT', 'TEXTAREA'].includes(document.activeElement?.tagName);
  if (event.key === 'Escape') {
    document.querySelector('.help')?.remove();
    if (inField && byId('search').value === '') document.activeElement.blur();
    else clearAll();
    return;
  }
  if (inField) return;
  const keys = {
    '/': () => { byId('search').focus(); byId('search').select(); },
    j: () => move(1),
    k: () => move(-1),
    s: () => { const at = document.activeElement?.dataset?.alert; if (at && ALERTS[at].a !== null) toStory(ALERTS[at]); },
    '?': toggleHelp,
  };
  if (keys[event.key]) {
    event.preventDefault();
    keys[event.key]();
  }
});

// On paper everything that fits the filters is there: all rows, and what alerts say; not their raw fields.
let before = null;
addEventListener('beforeprint', () => {
  if (before) return;
  before = { groups: new Set(openGroups), alerts: new Set(openAlerts), folded: [] };
  for (const alert of ALERTS) { openAlerts.add(alert.at); openGroups.add(`${alert.r} ${alert.actor}`); }
  for (const node of storyNodes) if (!node.hidden) node.open = true;
  changed();
  storyNodes.forEach((node, at) => { if (!node.hidden) drawStory(at); });
  fillAll();
  for (const it of document.querySelectorAll('main details:not([open]):not(.raw):not(.about)')) {
    it.open = true;
    before.folded.push(it);
  }
});
addEventListener('afterprint', () => {
  if (!before) return;
  const { groups, alerts, folded } = before;
  before = null;
  for (const it of folded) it.open = false;
  openGroups.clear();
  openAlerts.clear();
  for (const key of groups) openGroups.add(key);
  for (const at of alerts) openAlerts.add(at);
  changed();
});

drawStories();
changed();
