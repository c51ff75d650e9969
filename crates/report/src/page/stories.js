// The story of each actor: all its calls, alike ones folded, with the alerts among them.

const storyNodes = [];
const openActs = new Set();

function drawStories() {
  const nodes = ACTORS.map((actor, at) => {
    const node = el('details', 'story', { 'data-story': at },
      el('summary', '', {}, el('b', '', {}, actor.short), el('span', '', {}, '')),
      el('div', 'choose'), el('div', 'acts'));
    const choose = node.children[1];
    for (const [name, word] of [['marked', W.only_alerts], ['write', W.only_writes]]) {
      const box = el('input', '', { type: 'checkbox', onchange: () => drawStory(at) });
      box.dataset.only = name;
      choose.append(el('label', '', {}, box, ` ${word}`));
    }
    node.addEventListener('toggle', () => { if (node.open) drawStory(at); });
    return node;
  });
  storyNodes.push(...nodes);
  byId('story-list').append(...nodes);
  if (nodes.length > 0) nodes[0].open = true;
}

/** The acts of a story that fit the filters. */
function actsOf(at) {
  const story = storyOf(at);
  const only = (name) => storyNodes[at].querySelector(`[data-only="${name}"]`).checked;
  const marked = only('marked');
  const write = only('write');
  const addresses = chosen.get('address');
  return story.acts.filter((act) => {
    if (marked && act.alerts.length === 0) return false;
    if (write && !act.w) return false;
    if (range && (act.u < range[0] || act.t >= range[1])) return false;
    if (addresses.size > 0 && !addresses.has(act.from)) return false;
    if (needles.length === 0) return true;
    act.text ??= [act.call, act.end, act.more, act.who, act.from, ACTORS[at].name,
      ...act.to, ...act.each.flatMap((one) => [one[1], TEXTS[one[2]]])].join('\n').toLowerCase();
    return fitsWords(act.text);
  });
}

function drawStory(at) {
  const node = storyNodes[at];
  const acts = actsOf(at);
  const calls = acts.reduce((sum, act) => sum + act.n, 0);
  node.querySelector('summary span').textContent = say(W.calls, { n: count(acts.length), all: count(storyOf(at).acts.length), calls: count(calls) });
  if (!node.open) return;
  const place = node.querySelector('.acts');
  // Alerts that stand on no single call have their time, too.
  const loose = needles.length > 0 ? [] : storyOf(at).loose.filter((number) => fitsRange(ALERTS[number].t));
  const things = [...acts, ...loose.map((number) => ({ loose: ALERTS[number], t: ALERTS[number].t }))];
  things.sort((a, b) => a.t - b.t);
  rowsInto(place, things, 29, (it) => (it.loose ? [looseNode(it.loose)] : actNodes(at, it)));
  if (acts.length === 0) place.append(el('p', 'none-fits', {}, W.none));
}

listeners.push(() => {
  const wanted = chosen.get('actor');
  storyNodes.forEach((node, at) => {
    node.hidden = wanted.size > 0 && !wanted.has(String(at));
    if (!node.hidden) drawStory(at);
  });
});

/** When, what, to what, by which session, from where; dots are its alerts. */
function cellsOfAct(act) {
  const to = act.to.join(', ') + (act.tos > act.to.length ? ` … ${say(W.more, { n: count(act.tos - act.to.length) })}` : '');
  const marks = act.alerts.slice(0, 3).map((number) => el('span', `dot s${ALERTS[number].s}`, { title: ALERTS[number].rule }));
  return [
    el('time', '', {}, when(act.t)),
    el('span', 'call', { title: act.call }, act.call, act.n > 1 ? ` ×${count(act.n)}` : '', act.end ? ' ' : '', act.end ? el('span', 'end', {}, act.end) : ''),
    el('span', 'target', { title: to }, [to, act.more].filter(Boolean).join(' · ')),
    el('span', 'whose', { title: act.who }, act.who),
    el('span', 'from', { title: act.from }, act.from),
    el('span', 'marks', {}, ...marks),
  ];
}

const classOfAct = (act) => ['act', act.w ? 'write' : '', act.alerts.length > 0 ? 'marked' : ''].filter(Boolean).join(' ');

/** The row of an act. */
function actNodes(at, act) {
  const row = el('button', classOfAct(act), { type: 'button', 'aria-expanded': 'false', onclick: () => toggleAct(row, at, act) }, ...cellsOfAct(act));
  row.dataset.act = `${at} ${act.each[0][1]}`;
  if (!openActs.has(act)) return [row];
  row.setAttribute('aria-expanded', 'true');
  return [row, eachNode(act)];
}

function toggleAct(row, at, act) {
  if (openActs.delete(act)) {
    row.setAttribute('aria-expanded', 'false');
    row.nextElementSibling.remove();
  } else {
    openActs.add(act);
    row.setAttribute('aria-expanded', 'true');
    row.after(eachNode(act));
  }
}

/** The calls of an act, one by one, and its alerts. */
function eachNode(act) {
  const alerts = act.alerts.map((number) => el('li', '', {}, el('span', `pill s${ALERTS[number].s}`, {}, SEVERITIES[ALERTS[number].s]),
    el('button', 'link', { type: 'button', onclick: () => toAlert(ALERTS[number]) }, ALERTS[number].rule)));
  const calls = act.each.map(([after, id, target]) => el('li', '', {}, el('time', '', {}, when(act.t + after)),
    el('span', 'target', {}, TEXTS[target]), el('span', 'id', {}, id)));
  return el('ul', 'each', {}, ...alerts, ...calls);
}

/** An alert that stands on no single call. */
function looseNode(alert) {
  return el('button', 'act marked', { type: 'button', onclick: () => toAlert(alert) },
    el('time', '', {}, when(alert.t)), el('span', 'call', {}, alert.rule), el('span', 'target', {}, alert.call),
    el('span', 'whose', {}, alert.on.length === 0 && alert.events.length > 0 ? W.loose_cut : W.loose), el('span', 'from', {}, alert.from), el('span', 'marks', {}, el('span', `dot s${alert.s}`)));
}

/** Shows where in the story of its actor an alert stands. */
function toStory(alert) {
  const at = alert.a;
  const node = storyNodes[at];
  const act = storyOf(at).acts.find((it) => it.alerts.includes(alert.at));
  if (act && !actsOf(at).includes(act)) clearAll();
  node.open = true;
  node.hidden = false;
  drawStory(at);
  if (!act) return node.scrollIntoView();
  openActs.add(act);
  const find = () => document.querySelector(`[data-act="${CSS.escape(`${at} ${act.each[0][1]}`)}"]`);
  for (const piece of [...pieces.keys()]) { if (find()) break; if (node.contains(piece)) fillPiece(piece); }
  const row = find();
  row?.scrollIntoView({ block: 'center' });
  row?.focus();
}
