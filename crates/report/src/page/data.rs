//! What the page's script makes rows of: blocks of data, a line of JSON each thing.
//!
//! There may be tens of thousands of alerts, which say much the same. So a thing is a row of values, whose keys stand in the
//! first line of its block; and a text stands once, in the block of texts: a key that begins with `$` has its place there.
//!
//! ```text
//! alerts   ["id","t","s","$call", …]          texts  ["ec2:GetPasswordData","203.0.113.20", …]
//!          ["9f2…",1772409600000,1,0, …]
//! ```

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};

use rule::GuideLanguage;
use serde_json::{Value, json};
use story::{Act, Portrait};

use super::entry::Entry;
use super::words::Words;
use super::{Page, escape};
use crate::alert::resource;

/// Calls of an act that are told one by one at most; the rest is there by its event ids.
const TARGETS_SHOWN: usize = 3;

/// What a row of an alert has. The last is an object of what few have.
const ALERT: [&str; 17] = [
    "id", "t", "s", "r", "$rule", "a", "$who", "$call", "$to", "$more", "$from", "$end", "$account",
    "$region", "$first", "events", "rest",
];
/// What a row of an act has.
const ACT: [&str; 12] =
    ["t", "u", "$call", "n", "$who", "$from", "$end", "w", "$to", "tos", "$more", "alerts"];

/// The rules of the alerts, in the order of their first alert.
pub(super) fn rules(page: &Page<'_>) -> Vec<String> {
    let mut known: Vec<String> = Vec::new();
    for entry in &page.alerts {
        if !known.contains(&entry.line.rule_id) {
            known.push(entry.line.rule_id.clone());
        }
    }
    known
}

/// Writes all blocks.
pub(super) fn write(
    to: &mut dyn Write,
    page: &Page<'_>,
    rules: &[String],
    words: &Words,
    language: GuideLanguage,
) -> io::Result<()> {
    let said: BTreeMap<&str, &str> = words.script.iter().copied().collect();
    let severities: Vec<&str> = (0..4).map(|rank| words.rank(rank)).collect();
    let said = json!({
        "words": said, "severities": severities, "lang": language.tag(),
        "fields": [page.fields.len(), page.alerts.len()],
    });
    block(to, "words", [said])?;
    let mut texts = Texts::default();
    block(to, "rules", rules.iter().map(|id| rule(id, page)))?;
    block(to, "alerts", std::iter::once(json!(ALERT)).chain(alerts(page, rules, &mut texts)))?;
    block(to, "actors", page.actors.iter().map(actor))?;
    block(
        to,
        "stories",
        std::iter::once(json!(ACT)).chain(page.actors.iter().map(|it| story(it, &mut texts))),
    )?;
    let fields = page.fields.iter().map(|(at, fields)| {
        let places = fields.iter().flat_map(|(path, value)| [texts.place(path), texts.place(value)]);
        json!([at, places.collect::<Vec<usize>>()])
    });
    block(to, "fields", fields)?;
    let values = page.values.iter().map(|(at, values)| {
        let one = |(name, value, accepted): &(String, String, bool)| {
            [texts.place(name), texts.place(value), usize::from(*accepted)]
        };
        json!([at, values.iter().flat_map(one).collect::<Vec<usize>>()])
    });
    block(to, "values", values)?;
    block(to, "texts", [json!(texts.all)])
}

fn block(to: &mut dyn Write, id: &str, lines: impl IntoIterator<Item = Value>) -> io::Result<()> {
    to.write_all(format!("<script type=\"application/json\" id=\"data-{id}\">\n").as_bytes())?;
    for line in lines {
        to.write_all(escape::json(&line).as_bytes())?;
        to.write_all(b"\n")?;
    }
    to.write_all(b"</script>\n")
}

/// What all alerts of a rule say.
fn rule(id: &str, page: &Page<'_>) -> Value {
    let one = page.alerts.iter().find(|it| it.line.rule_id == id);
    json!({"tactics": one.map(|it| it.line.tactics.clone()).unwrap_or_default()})
}

fn alerts<'p>(
    page: &'p Page<'_>,
    rules: &'p [String],
    texts: &'p mut Texts,
) -> impl Iterator<Item = Value> + use<'p> {
    let places: HashMap<&str, usize> = rules.iter().enumerate().map(|(at, it)| (it.as_str(), at)).collect();
    let investigated: HashMap<&str, usize> = page.guides.ids().zip(0..).collect();
    page.alerts.iter().enumerate().map(move |(at, entry): (usize, &Entry)| {
        let line = &entry.line;
        let highlights: Vec<String> =
            line.highlights.iter().map(|(key, value)| format!("{key} {value}")).collect();
        let mut rest = serde_json::Map::new();
        let mut few = |key: &str, value: Option<Value>| {
            rest.extend(value.map(|value| (key.to_owned(), value)));
        };
        let is_told = !line.what.is_empty() && entry.stands_on.is_empty();
        few("reason", (!is_told).then(|| entry.reason.clone().into()));
        few("stands", line.stands_for.as_deref().map(|it| escape::cut(it).into()));
        few("on", (!entry.stands_on.is_empty()).then(|| entry.stands_on.clone().into()));
        few("guide", investigated.get(line.id.as_str()).map(|&it| it.into()));
        json!([
            line.id,
            line.time,
            entry.rank(),
            places.get(line.rule_id.as_str()),
            texts.place(&line.rule),
            page.of.get(at).copied().flatten(),
            texts.place(&line.who),
            texts.place(&line.what),
            texts.place(&resource(&line.target)),
            texts.place(&highlights.join(", ")),
            texts.place(&line.from),
            texts.place(&line.outcome),
            texts.place(&entry.account),
            texts.place(&entry.region),
            line.new_terms.as_deref().map(|it| texts.place(it)),
            entry.events,
            if rest.is_empty() { Value::from(0) } else { rest.into() },
        ])
    })
}

fn actor(it: &Portrait) -> Value {
    json!({
        "name": it.name,
        "short": it.short,
        "sentence": it.sentence,
        "calls": it.calls,
        "alerts": it.alerts,
        "addresses": it.addresses.iter().map(|it| &it.value).collect::<Vec<_>>(),
    })
}

/// A line of a story: all its acts, and for each its calls: how long after its start, which event, to what.
fn story(it: &Portrait, texts: &mut Texts) -> Value {
    let mut acts: Vec<&Act> = it.acts.iter().collect();
    acts.sort_by_key(|it| it.start);
    let each = |act: &Act, texts: &mut Texts| -> Vec<Value> {
        let one = |it: &story::Each| json!([it.time - act.start, it.id, texts.place(&resource(&it.target))]);
        act.each.iter().map(one).collect()
    };
    let each: Vec<Vec<Value>> = acts.iter().map(|act| each(act, texts)).collect();
    json!({
        "acts": acts.into_iter().map(|act| one(act, texts)).collect::<Vec<_>>(),
        "each": each,
        "loose": it.loose,
    })
}

fn one(act: &Act, texts: &mut Texts) -> Value {
    let targets = act.targets();
    let shown: Vec<usize> = targets.iter().take(TARGETS_SHOWN).map(|it| texts.place(&resource(it))).collect();
    let highlights: Vec<String> = match act.each.as_slice() {
        [one] => one.highlights.iter().map(|(key, value)| format!("{key} {value}")).collect(),
        _ => Vec::new(),
    };
    json!([
        act.start,
        act.end,
        texts.place(&act.call),
        act.each.len(),
        texts.place(&resource(&act.who)),
        texts.place(&act.address),
        texts.place(&act.error),
        u8::from(act.is_write),
        shown,
        targets.len(),
        texts.place(&highlights.join(", ")),
        act.alerts,
    ])
}

/// Texts, each once.
#[derive(Default)]
struct Texts {
    all: Vec<String>,
    places: HashMap<String, usize>,
}

impl Texts {
    fn place(&mut self, text: &str) -> usize {
        let next = self.all.len();
        *self.places.entry(text.to_owned()).or_insert_with(|| {
            self.all.push(escape::cut(text));
            next
        })
    }
}
