//! What the page's script makes rows of: blocks of data, a line of JSON each thing.

use std::collections::{BTreeMap, HashMap};

use rule::GuideLanguage;
use serde_json::{Value, json};
use story::{Act, Portrait};

use super::entry::Entry;
use super::words::Words;
use super::{Page, escape};
use crate::alert::resource;
use crate::lines::Ids;

/// Calls of an act that are told one by one at most; the rest is there by its event ids.
const TARGETS_SHOWN: usize = 3;

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

/// All blocks.
pub(super) fn blocks(page: &Page<'_>, rules: &[String], words: &Words, language: GuideLanguage) -> String {
    let mut out = String::new();
    let said: BTreeMap<&str, &str> = words.script.iter().copied().collect();
    let severities: Vec<&str> = (0..4).map(|rank| words.rank(rank)).collect();
    block(
        &mut out,
        "words",
        [escape::json(&json!({"words": said, "severities": severities, "lang": language.tag()}))],
    );
    block(&mut out, "alerts", alerts(page, rules));
    block(&mut out, "fields", page.alerts.iter().map(|it| it.fields.clone()));
    block(&mut out, "actors", page.actors.iter().map(|it| escape::json(&actor(it))));
    block(&mut out, "stories", page.actors.iter().map(|it| escape::json(&story(it))));
    out
}

fn block(out: &mut String, id: &str, lines: impl IntoIterator<Item = String>) {
    *out += &format!("<script type=\"application/json\" id=\"data-{id}\">\n");
    for line in lines {
        *out += &line;
        out.push('\n');
    }
    *out += "</script>\n";
}

fn alerts(page: &Page<'_>, rules: &[String]) -> Vec<String> {
    let places: HashMap<&str, usize> = rules.iter().enumerate().map(|(at, it)| (it.as_str(), at)).collect();
    let investigated: HashMap<&str, usize> =
        page.investigated.iter().enumerate().map(|(at, (it, _))| (it.id.as_str(), at)).collect();
    let ids = Ids::of(page.alerts.iter().map(|it| &it.line));
    let line = |(at, entry): (usize, &Entry)| {
        let line = &entry.line;
        let highlights: Vec<String> =
            line.highlights.iter().map(|(key, value)| format!("{key} {value}")).collect();
        let of_suspect = page.of.get(at).copied().flatten();
        escape::json(&json!({
            "id": line.id,
            "short": ids.short(if line.event.is_empty() { &line.id } else { &line.event }),
            "t": line.time,
            "s": entry.rank(),
            "r": places.get(line.rule_id.as_str()),
            "rule": line.rule,
            "a": of_suspect,
            "who": escape::cut(&line.who),
            "call": escape::cut(&line.what),
            "to": escape::cut(&resource(&line.target)),
            "more": escape::cut(&highlights.join(", ")),
            "from": escape::cut(&line.from),
            "end": escape::cut(&line.outcome),
            "tactics": line.tactics,
            "events": entry.events,
            "account": entry.account,
            "region": entry.region,
            "reason": entry.reason,
            "first": line.new_terms.as_deref().map(escape::cut),
            "stands": line.stands_for.as_deref().map(escape::cut),
            "on": entry.stands_on,
            "guide": investigated.get(line.id.as_str()),
        }))
    };
    page.alerts.iter().enumerate().map(line).collect()
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

/// A line of a story: all its acts. Sessions and addresses are named by their places in lists.
fn story(it: &Portrait) -> Value {
    let mut who = Names::default();
    let mut from = Names::default();
    let mut acts: Vec<(i64, Value)> = it
        .acts
        .iter()
        .map(|act| {
            let (who, from) = (who.place(&resource(&act.who)), from.place(&act.address));
            (act.start, one(act, who, from))
        })
        .collect();
    acts.sort_by_key(|(start, _)| *start);
    json!({
        "who": who.all,
        "from": from.all,
        "acts": acts.into_iter().map(|(_, act)| act).collect::<Vec<_>>(),
        "loose": it.loose,
    })
}

fn one(act: &Act, who: usize, from: usize) -> Value {
    let targets = act.targets();
    let shown: Vec<String> =
        targets.iter().take(TARGETS_SHOWN).map(|it| escape::cut(&resource(it))).collect();
    let highlights: Vec<String> = match act.each.as_slice() {
        [one] => one.highlights.iter().map(|(key, value)| format!("{key} {value}")).collect(),
        _ => Vec::new(),
    };
    json!({
        "t": act.start,
        "u": act.end,
        "call": act.call,
        "n": act.each.len(),
        "who": who,
        "from": from,
        "end": act.error,
        "w": u8::from(act.is_write),
        "to": shown,
        "tos": targets.len(),
        "more": highlights.join(", "),
        "alerts": act.alerts,
        "each": act.each.iter().map(|it| json!([it.time - act.start, it.id, escape::cut(&resource(&it.target))])).collect::<Vec<_>>(),
    })
}

/// Texts, each once.
#[derive(Default)]
struct Names {
    all: Vec<String>,
    places: HashMap<String, usize>,
}

impl Names {
    fn place(&mut self, text: &str) -> usize {
        let next = self.all.len();
        *self.places.entry(text.to_owned()).or_insert_with(|| {
            self.all.push(escape::cut(text));
            next
        })
    }
}
