// The alerts by rule and actor, the most severe first; each opens to what it says, its guide and its fields.

const openGroups = new Set();
const openAlerts = new Set();

/** Alerts of the same rule about the same actor. */
function groupsOf(alerts) {
  const groups = new Map();
  for (const alert of alerts) {
    const key = `${alert.r} ${alert.actor}`;
    if (!groups.has(key)) groups.set(key, { key, alerts: [], s: alert.s, rule: alert.rule, r: alert.r, actor: alert.actor });
    const group = groups.get(key);
    group.alerts.push(alert);
    group.s = Math.max(group.s, alert.s);
  }
  const first = (group) => group.alerts[0].t ?? 0;
  const orders = {
    severity: (a, b) => b.s - a.s || b.alerts.length - a.alerts.length || first(a) - first(b),
    time: (a, b) => first(a) - first(b) || b.s - a.s,
    rule: (a, b) => (a.rule < b.rule ? -1 : a.rule > b.rule ? 1 : first(a) - first(b)),
  };
  return [...groups.values()].sort(orders[sortBy]);
}

function drawAlerts(shown) {
  const groups = groupsOf(shown);
  const place = byId('alert-list');
  rowsInto(place, groups, 64, (group) => [groupNode(group)]);
  if (groups.length === 0 && ALERTS.length > 0) place.append(el('p', 'none-fits', {}, W.none));
  // A few groups are open from the start.
  if (groups.length === 1) openGroups.add(groups[0].key);
}
listeners.push(drawAlerts);

/** Which rule, how many alerts, who, from when to when. */
function headOf(group) {
  const number = group.alerts.length;
  const times = [group.alerts[0].t, group.alerts[number - 1].t];
  return [
    el('b', '', {}, group.rule), el('span', 'of', {}, number === 1 ? W.alert_1 : say(W.alerts_n, { n: count(number) })),
    el('span', 'by', {}, nameOfActor(group.actor)),
    el('span', 'of', {}, times[0] === times[1] ? when(times[0]) : `${when(times[0])} – ${when(times[1])}`),
  ];
}

function groupNode(group) {
  const head = el('button', 'head', { type: 'button', 'aria-expanded': 'false', 'data-group': group.key, onclick: () => toggleGroup(node, group) },
    ...headOf(group));
  const node = el('div', `group s${group.s}`, {}, head);
  if (openGroups.has(group.key) || group.alerts.some((alert) => openAlerts.has(alert.at))) showGroup(node, group);
  return node;
}

function toggleGroup(node, group) {
  const rows = node.querySelector('.rows');
  if (!rows) return showGroup(node, group);
  openGroups.delete(group.key);
  for (const alert of group.alerts) openAlerts.delete(alert.at);
  rowsInto(rows, [], 0, () => []);
  rows.remove();
  node.firstChild.setAttribute('aria-expanded', 'false');
}

function showGroup(node, group) {
  if (node.querySelector('.rows')) return;
  openGroups.add(group.key);
  node.firstChild.setAttribute('aria-expanded', 'true');
  const rows = el('div', 'rows');
  node.append(rows);
  rowsInto(rows, group.alerts, 34, (alert) => alertNodes(alert));
}

/** When, what was done to what, by whom, from where, how it ended. */
function cellsOf(alert) {
  const bad = alert.end && alert.end !== 'success';
  return [
    el('time', '', {}, when(alert.t)),
    el('span', 'call', { title: alert.call }, alert.call, alert.to ? ' ' : '', alert.to ? el('span', 'target', {}, alert.to) : ''),
    el('span', 'who', { title: alert.who }, alert.who),
    el('span', 'from', { title: alert.from }, alert.from),
    el('span', bad ? 'end bad' : 'end', { title: alert.end }, alert.end),
  ];
}

/** The row of an alert, and what it says if it is open. */
function alertNodes(alert) {
  const row = el('button', 'row', { type: 'button', 'aria-expanded': 'false', 'data-alert': alert.at, onclick: () => toggleAlert(row, alert) },
    ...cellsOf(alert));
  if (!openAlerts.has(alert.at)) return [row];
  row.setAttribute('aria-expanded', 'true');
  return [row, detail(alert)];
}

function toggleAlert(row, alert) {
  if (row.getAttribute('aria-expanded') === 'true') {
    openAlerts.delete(alert.at);
    row.setAttribute('aria-expanded', 'false');
    row.nextElementSibling.remove();
  } else {
    openAlerts.add(alert.at);
    row.setAttribute('aria-expanded', 'true');
    row.after(detail(alert));
  }
}

/** Who did what to what, what was asked and answered, on top; the guide; all fields at the end. */
function detail(alert) {
  const facts = el('dl', 'facts');
  const fact = (name, ...values) => {
    if (values.some((value) => value)) facts.append(el('dt', '', {}, name), el('dd', '', {}, ...values));
  };
  fact(W.who, alert.who, alert.a !== null && nameOfActor(alert.a) !== alert.who ? ` · ${nameOfActor(alert.a)}` : '');
  fact(W.what, alert.call);
  fact(W.to_what, alert.to ? el('span', 'target', {}, alert.to) : '');
  fact(W.request, alert.more);
  fact(W.answer, alert.end);
  fact(W.from, alert.from);
  fact(W.when, alert.t === null ? '' : `${when(alert.t)} UTC`);
  fact(W.where, [alert.account, alert.region].filter(Boolean).join(' · '));
  fact(W.first_time, alert.first);
  fact(W.stands_for, alert.stands);
  if (alert.on.length > 0) fact(W.stands_on, ...alert.on.flatMap((it) => [standsOn(it), el('br')]));
  fact(W.reason, alert.on.length > 0 || alert.call === '' ? alert.reason : '');
  fact(W.event, ...alert.events.flatMap((id) => [el('span', 'id', {}, id), ' ']));
  fact(W.alert, el('span', 'id', {}, alert.id));
  const node = el('div', 'detail', {}, facts);
  if (alert.a !== null) node.append(el('button', 'link jump', { type: 'button', onclick: () => toStory(alert) }, `→ ${W.story}`));
  if (alert.guide !== null && alert.guide !== undefined) {
    node.append(el('details', 'guide', { open: '' }, el('summary', '', {}, el('b', '', {}, W.guide)), ofTemplate(`guide-${alert.guide}`)));
  }
  node.append(folded(W.rule, (it) => it.append(filled(ofTemplate(`rule-${alert.r}`), alert)), 'about'));
  node.append(folded(W.fields, (it) => it.append(fieldTable(alert)), 'raw'));
  return node;
}

/** What is made once it is opened. */
function folded(title, make, className) {
  const it = el('details', className, {}, el('summary', '', {}, title));
  it.addEventListener('toggle', () => { if (it.open && it.children.length === 1) make(it); });
  return it;
}

/** Puts the values of an alert into the blanks of a guide: into queries and commands only what means itself there. */
function filled(content, alert) {
  const values = valuesOf(alert.at);
  for (const blank of content.querySelectorAll('[data-fill]')) {
    const [value, accepted] = values.get(blank.dataset.fill) ?? [];
    if (value === undefined) continue;
    const code = blank.closest('pre');
    const isCommand = !!code?.querySelector('.language-sh');
    const isQuoted = (blank.previousSibling?.textContent ?? '').endsWith('"');
    const plain = isCommand ? /^[\w./:@=+,-]+$/ : isQuoted ? /^[^"\\]+$/ : /^[\w./@=+-]+$/;
    if (code && (!plain.test(value) || (isCommand && !accepted))) continue;
    blank.textContent = value;
    blank.className = 'filled';
  }
  return content;
}

function fieldTable(alert) {
  const fields = fieldsOf(alert.at);
  if (!fields) return el('p', 'range', {}, sentence(say(W.fields_elsewhere, { n: count(FIELDS_HERE), all: count(FIELDS_ALL) })));
  const body = el('tbody');
  for (const [path, value] of fields) body.append(el('tr', '', {}, el('th', '', {}, path), el('td', '', {}, value)));
  return el('table', 'fields', {}, body);
}

let ALERTS_BY_ID = null;

/** An alert that another stands on. */
function standsOn(it) {
  const text = `${it.rule_name} · ${String(it.time ?? '').replace('T', ' ').slice(0, 19)}`;
  // Of a sequence the id is that of a building block.
  ALERTS_BY_ID ??= new Map(ALERTS.map((alert) => [alert.id, alert]));
  const known = ALERTS_BY_ID.get(it.id);
  return known ? el('button', 'link', { type: 'button', onclick: () => toAlert(known) }, text) : text;
}

/** Shows an alert, whatever the filters. */
function toAlert(alert) {
  openAlerts.add(alert.at);
  openGroups.add(`${alert.r} ${alert.actor}`);
  if (!fitting(null).includes(alert)) clearAll(); else drawAlerts(fitting(null));
  const find = () => document.querySelector(`[data-alert="${alert.at}"]`);
  // Pieces before it must be there for it to have its place.
  for (const piece of [...pieces.keys()]) { if (find()) break; if (byId('alert-list').contains(piece)) fillPiece(piece); }
  const row = find();
  row?.scrollIntoView({ block: 'center' });
  row?.focus();
}
