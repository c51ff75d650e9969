// The data beside the page: lines of JSON, parsed as far as they are needed.

const linesOf = (id) => byId(`data-${id}`).textContent.split('\n').filter(Boolean);
const { words: W, severities: SEVERITIES, fields: [FIELDS_HERE, FIELDS_ALL] } = JSON.parse(linesOf('words')[0]);
const TEXTS = JSON.parse(linesOf('texts')[0]);

/** What makes a thing of a row: of keys that begin with `$` the row has the places of texts. */
function reader(line) {
  const keys = JSON.parse(line).map((key) => (key[0] === '$' ? [key.slice(1), true] : [key, false]));
  const text = (it) => (Array.isArray(it) ? it.map((place) => TEXTS[place]) : TEXTS[it]);
  return (row) => {
    const it = {};
    for (let at = 0; at < keys.length; at += 1) it[keys[at][0]] = keys[at][1] ? text(row[at]) : row[at];
    return it;
  };
}

const RULES = linesOf('rules').map((line) => JSON.parse(line));
const [ALERT_KEYS, ...ALERT_LINES] = linesOf('alerts');
const alertOf = reader(ALERT_KEYS);
const ALERTS = ALERT_LINES.map((line) => alertOf(JSON.parse(line)));
const ACTORS = linesOf('actors').map((line) => JSON.parse(line));
const [ACT_KEYS, ...STORY_LINES] = linesOf('stories');
const actOf = reader(ACT_KEYS);
const STORIES = [];

/** The story of an actor. */
function storyOf(at) {
  if (!STORIES[at]) {
    const { acts, each, loose } = JSON.parse(STORY_LINES[at]);
    STORIES[at] = { acts: acts.map((row, number) => ({ ...actOf(row), each: each[number] })), loose };
  }
  return STORIES[at];
}

/** The lines with fields, by the places of their alerts: `[12,[…]]`. */
const FIELDS = new Map(linesOf('fields').map((line) => [parseInt(line.slice(1), 10), line]));

/** The fields of an alert, paths with values; nothing if they are not here. */
function fieldsOf(at) {
  if (!FIELDS.has(at)) return null;
  const [, places] = JSON.parse(FIELDS.get(at));
  const fields = [];
  for (let it = 0; it < places.length; it += 2) fields.push([TEXTS[places[it]], TEXTS[places[it + 1]]]);
  return fields;
}

/** The lines with values for guides, likewise. */
const VALUES = new Map(linesOf('values').map((line) => [parseInt(line.slice(1), 10), line]));

/** What the guide of its rule asks of an alert: names with values, and whether these may stand in a command. */
function valuesOf(at) {
  const values = new Map();
  if (!VALUES.has(at)) return values;
  const [, places] = JSON.parse(VALUES.get(at));
  for (let it = 0; it < places.length; it += 3) values.set(TEXTS[places[it]], [TEXTS[places[it + 1]], places[it + 2] === 1]);
  return values;
}

ALERTS.forEach((alert, at) => {
  alert.at = at;
  Object.assign(alert, alert.rest || {});
  alert.on ??= [];
  alert.tactics = RULES[alert.r].tactics;
  // A country in brackets is no part of the address.
  alert.address = (alert.from || '').split(' ')[0];
  // Of those who are not told of, the sessions of a role are one.
  alert.actor = alert.a === null ? `? ${alert.who.split(' (')[0]}` : String(alert.a);
});

/** What is searched of an alert. Nobody may ever ask. */
function textOf(alert) {
  alert.text ??= [
    alert.rule, alert.who, alert.call, alert.to, alert.more, alert.from, alert.end, alert.id, alert.account,
    alert.region, alert.first, alert.stands, SEVERITIES[alert.s], when(alert.t), ...alert.events, ...alert.tactics,
    ACTORS[alert.a]?.name,
  ].join('\n').toLowerCase();
  return alert.text;
}

const nameOfActor = (value) => ACTORS[value]?.short ?? (String(value).slice(2) || W.nobody);
