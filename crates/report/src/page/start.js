// The bar and the keys.

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

drawStories();
changed();
