//! `prevalence`: how common what the alert is about is: its call, its address, its user agent, its identity, its objects.

use std::sync::Arc;

use ecs::Millis;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::event::{Event, place};
use crate::evidence::{Confidence, Evidence, Found, ROW_EVENTS_MAX, Row};
use crate::fill::shown;
use crate::look::{DAY, Look, ids, short, time};
use crate::say::{heads, say, term, word};

/// So far back it is counted.
const SPAN: Millis = 30 * DAY;

pub(crate) fn prevalence(look: &mut Look<'_>, evidence: &mut Evidence) {
    let (case, l) = (look.case, look.language);
    let Some(anchor) = case.anchor() else { return };
    let call = anchor.call();
    let who = short(anchor.identity());
    let mut asked = vec![
        (term!("action"), call.as_str(), "p-action"),
        (term!("address"), case.get("src"), "p-address"),
        (term!("agent"), case.get("ua"), "p-agent"),
        (term!("identity"), who, "behaviour"),
    ];
    asked.extend(case.all("objects").iter().map(|it| (term!("object"), it.as_str(), "p-object")));
    let mut rows = Vec::new();
    let mut alone = Vec::new();
    for (what, value, id) in asked {
        if value.is_empty() || !look.answers.contains_key(id) {
            continue;
        }
        // Several objects share one question.
        let is_its = |it: &&Arc<Event>| {
            id != "p-object" || it.all(crate::event::Field::Entities).iter().any(|it| **it == *value)
        };
        let near = look.between(id, case.first - SPAN, Millis::MAX);
        let (mut people, mut others, mut count) = (FxHashMap::default(), 0, 0);
        let (mut first, mut last) = (Vec::new(), None);
        for event in near.iter().filter(is_its) {
            people.entry(place(event.identity())).or_insert_with(|| event.identity());
            others += usize::from(!case.is_own(event));
            count += 1;
            last = Some(event.time);
            if first.len() < ROW_EVENTS_MAX {
                first.push(&**event);
            }
        }
        let people: FxHashSet<&str> = people.into_values().collect();
        if others == 0 && what != "identity" {
            alone.push(say!(l, "{} {}", word(l, what), shown(value)));
        }
        rows.push(Row {
            cells: vec![
                word(l, what).to_owned(),
                value.to_owned(),
                count.to_string(),
                others.to_string(),
                people.len().to_string(),
                first.first().map(|it: &&Event| time(it.time)).unwrap_or_default(),
                last.map(time).unwrap_or_default(),
            ],
            events: ids(first),
            count,
            is_own: others == 0,
        });
    }
    if rows.is_empty() {
        return;
    }
    let text = if alone.is_empty() {
        say!(l, "the call, its address, its user agent and its objects occur elsewhere, too")
    } else {
        say!(l, "seen in this session only, in thirty days: {}", crate::look::some(l, &alone, 5))
    };
    if !alone.is_empty() {
        evidence.statements.push(say!(l, "{}.", crate::look::upper(&text)));
    }
    look.fact("seen_here_only", alone, Confidence::Exact, Vec::new(), text);
    let columns = heads!["what", "value", "events", "of others", "identities", "first", "last"];
    evidence.results.push(Found::table(term!("prevalence"), "table", columns, rows));
}
