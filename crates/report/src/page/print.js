// On paper stands what a reader of paper needs: the first screen, the stories with their acts folded, the first alerts
// opened with what their guides found, of the others rows. It says what it leaves out. Thousands of opened alerts would be
// no document, and no browser lays them out.

const PAPER = { open: 6, openOfGroup: 1, rows: 200, rowsOfGroup: 12, stories: 10, acts: 40, tableRows: 5 };
let paper = [];

/** A table of evidence, as long as a page of paper bears. */
function shorten(table) {
  const rows = [...table.tBodies[0]?.rows ?? []].slice(PAPER.tableRows);
  if (rows.length === 0) return;
  for (const row of rows) row.remove();
  table.after(el('p', 'range', {}, say(W.paper_rows, { n: count(rows.length) })));
}

/** What an alert says, with the steps that found something; of the plan the steps alone. */
function opened(alert) {
  const node = detail(alert);
  for (const it of node.querySelectorAll('.raw, .about, .jump, .bare')) it.remove();
  for (const it of node.querySelectorAll('.guide > .step, .guide > .plan')) it.open = true;
  for (const it of node.querySelectorAll('table')) shorten(it);
  return node;
}

function alertsOnPaper() {
  const all = fitting(null);
  const left = { open: PAPER.open, rows: PAPER.rows };
  const nodes = [];
  for (const group of groupsOf(all)) {
    if (left.rows + left.open <= 0) break;
    const node = el('div', `group s${group.s}`, {}, el('div', 'head', {}, ...headOf(group)));
    const rows = el('div', 'rows');
    for (const [at, alert] of group.alerts.entries()) {
      const opens = left.open > 0 && at < PAPER.openOfGroup;
      if (!opens && (left.rows <= 0 || at >= PAPER.rowsOfGroup)) break;
      left[opens ? 'open' : 'rows'] -= 1;
      rows.append(el('div', 'row', {}, ...cellsOf(alert)));
      if (opens) rows.append(opened(alert));
    }
    node.append(rows);
    nodes.push(node);
  }
  const said = { open: count(PAPER.open - left.open), rows: count(PAPER.rows - left.rows), all: count(all.length) };
  return [el('p', 'limit', {}, say(W.paper_alerts, said)), ...nodes];
}

function storyOnPaper(at) {
  const all = actsOf(at);
  const matter = all.length <= PAPER.acts ? all : all.filter((act) => act.w || act.alerts.length > 0);
  const some = matter.slice(0, PAPER.acts);
  const said = some.length < all.length
    ? el('p', 'limit', {}, say(W.paper_acts, { n: count(some.length), all: count(all.length), most: count(PAPER.acts) })) : null;
  return [el('h3', '', {}, ACTORS[at].short), ...some.map((act) => el('div', classOfAct(act), {}, ...cellsOfAct(act))), said];
}

function storiesOnPaper() {
  const shown = storyNodes.map((node, at) => at).filter((at) => !storyNodes[at].hidden);
  const nodes = shown.slice(0, PAPER.stories).flatMap(storyOnPaper);
  const more = shown.length - PAPER.stories;
  return more > 0 ? [...nodes, el('p', 'limit', {}, say(W.paper_stories, { n: count(more) }))] : nodes;
}

addEventListener('beforeprint', () => {
  if (paper.length > 0) return;
  for (const [id, make] of [['story-list', storiesOnPaper], ['alert-list', alertsOnPaper]]) {
    const node = el('div', 'paper', {}, ...make());
    byId(id).after(node);
    paper.push(() => node.remove());
  }
  // Nobody opens what is folded on paper.
  for (const it of document.querySelectorAll('.more-actors:not([open])')) {
    it.open = true;
    paper.push(() => { it.open = false; });
  }
});
addEventListener('afterprint', () => {
  for (const undo of paper) undo();
  paper = [];
});

