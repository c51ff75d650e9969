// The data beside the page: lines of JSON, parsed as far as they are needed.

const linesOf = (id) => byId(`data-${id}`).textContent.split('\n').filter(Boolean);
const { words: W, severities: SEVERITIES } = JSON.parse(linesOf('words')[0]);
const ALERTS = linesOf('alerts').map((line) => JSON.parse(line));
const ACTORS = linesOf('actors').map((line) => JSON.parse(line));
const FIELDS = linesOf('fields');
const STORY_LINES = linesOf('stories');
const STORIES = [];

/** The story of an actor. */
function storyOf(at) {
  if (!STORIES[at]) STORIES[at] = JSON.parse(STORY_LINES[at]);
  return STORIES[at];
}

/** The fields of an alert: paths with values. */
const fieldsOf = (at) => JSON.parse(FIELDS[at]);

ALERTS.forEach((alert, at) => {
  alert.at = at;
  // A country in brackets is no part of the address.
  alert.address = (alert.from || '').split(' ')[0];
  alert.actor = alert.a === null ? '' : String(alert.a);
  alert.text = [
    alert.rule, alert.who, alert.call, alert.to, alert.more, alert.from, alert.end, alert.id, alert.account,
    alert.region, alert.first, alert.stands, SEVERITIES[alert.s], when(alert.t), ...alert.events, ...alert.tactics,
    ACTORS[alert.a]?.name,
  ].join('\n').toLowerCase();
});

const nameOfActor = (value) => ACTORS[value]?.short ?? W.nobody;
