//! `prevalence`: how common what the alert is about is: its call, its address, its user agent, its identity, its objects.

use std::collections::BTreeSet;
use std::sync::Arc;

use ecs::Millis;

use crate::event::Event;
use crate::evidence::{Confidence, Evidence, Found, Row};
use crate::fill::shown;
use crate::look::{DAY, Look, ROWS_MAX, ids, short, time};
use crate::say::{heads, say, term, word};

/// So far back it is counted.
const SPAN: Millis = 30 * DAY;

pub(crate) fn prevalence(look: &mut Look<'_>, evidence: &mut Evidence) {
    let (case, l) = (look.case, look.language);
    let Some(anchor) = case.anchor() else { return };
    let near = |it: &&Arc<Event>| it.time >= case.first - SPAN;
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
        let events: Vec<&Event> =
            look.events(id).iter().filter(near).filter(is_its).map(|it| &**it).collect();
        let people: BTreeSet<&str> = events.iter().map(|it| it.identity()).collect();
        let others = events.iter().filter(|it| !case.is_own(it)).count();
        if others == 0 && what != "identity" {
            alone.push(say!(l, "{} {}", word(l, what), shown(value)));
        }
        rows.push(Row {
            cells: vec![
                word(l, what).to_owned(),
                value.to_owned(),
                events.len().to_string(),
                others.to_string(),
                people.len().to_string(),
                events.first().map(|it| time(it.time)).unwrap_or_default(),
                events.last().map(|it| time(it.time)).unwrap_or_default(),
            ],
            events: ids(events.iter().copied()),
            count: events.len() as u64,
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
    let total = rows.len() as u64;
    rows.truncate(ROWS_MAX);
    evidence.results.push(Found {
        id: term!("prevalence").to_owned(),
        show: "table",
        query: None,
        columns: heads!["what", "value", "events", "of others", "identities", "first", "last"],
        rows,
        total,
        events: total,
    });
}
