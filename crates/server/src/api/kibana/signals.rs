//! Alerts, as tools of Kibana search and change them.

use std::time::Instant;

use ecs::Object;
use live::{Change, ClosingReason, WorkflowStatus};
use serde_json::{Value, json};

use super::super::alerts::{book, names, problem};
use super::search::{Search, condition};
use super::status::ALERTS;
use super::{object, text, texts, wrong};
use crate::http::{Answer, Asked, Kind, Problem};

/// Alerts that one request changes.
const CHANGED_MAX: usize = 10_000;
/// Tags, or assignees, of one request.
const NAMES_MAX: usize = 100;

pub(super) fn search(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&[])?;
    let started = Instant::now();
    let body = object(asked)?;
    let mut search = Search::read(&body, asked.app.now())?;
    let book = book(asked)?;
    let all = every(asked);
    book.each_alert(&all, &mut |id, document| search.take(id, document)).map_err(|it| problem(&it))?;
    Ok(Answer::json(&search.finish(started.elapsed().as_millis() as u64)))
}

/// All alerts: in Kibana's eyes one that was raised in a silence is one like others.
fn every(asked: &Asked<'_>) -> live::Search {
    live::Search { silenced: live::Silenced::Included, now: asked.app.now(), ..live::Search::default() }
}

/// The alerts that a body names, by their ids or by a query.
fn meant(asked: &Asked<'_>, body: &Object, ids: &str) -> Result<Vec<String>, Problem> {
    let given = texts(body, ids)?;
    let query = body.get("query").filter(|it| !it.is_null());
    match (given.is_empty(), query) {
        (false, None) if given.len() <= CHANGED_MAX => Ok(given),
        (false, None) => Err(wrong(format!("{ids}: more than {CHANGED_MAX}"))),
        (true, Some(query)) if ids == "signal_ids" => {
            let evaluator = condition(query, asked.app.now())?;
            let mut found = Vec::new();
            let book = book(asked)?;
            book.each_alert(&every(asked), &mut |id, document| {
                if evaluator.matches(&super::search::known(id, document)) {
                    found.push(id.to_owned());
                }
            })
            .map_err(|it| problem(&it))?;
            if found.len() > CHANGED_MAX {
                return Err(wrong(format!("query: it finds more than {CHANGED_MAX} alerts")));
            }
            Ok(found)
        }
        (false, Some(_)) => Err(wrong(format!("either `{ids}` or `query`"))),
        (true, _) => Err(wrong(format!("{ids}: Required"))),
    }
}

/// Changes alerts, and says so as Elasticsearch does.
fn changed(
    asked: &Asked<'_>,
    ids: &[String],
    changes: &[Change],
    started: Instant,
) -> Result<Answer, Problem> {
    let mut book = book(asked)?;
    let author = asked.key.map_or_else(String::new, |it| format!("{} ({})", it.name, it.id));
    // Who names what is not there changes what is.
    let mut there = Vec::with_capacity(ids.len());
    for id in ids {
        if book.has_alert(id).map_err(|it| problem(&it))? {
            there.push(id.clone());
        }
    }
    let mut updated = std::collections::BTreeSet::new();
    for change in changes {
        let done = book.change(&there, change, &author, asked.app.now()).map_err(|it| problem(&it))?;
        updated.extend(done.changed);
    }
    Ok(Answer::json(&json!({
        "took": started.elapsed().as_millis() as u64,
        "timed_out": false,
        "total": there.len(),
        "updated": updated.len(),
        "deleted": 0,
        "batches": 1,
        "version_conflicts": 0,
        "noops": there.len() - updated.len(),
        "retries": {"bulk": 0, "search": 0},
        "throttled_millis": 0,
        "requests_per_second": -1.0,
        "throttled_until_millis": 0,
        "failures": [],
    })))
}

pub(super) fn status(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&[])?;
    let started = Instant::now();
    let body = object(asked)?;
    let change = match text(&body, "status")? {
        Some("open") => Change::Reopen,
        Some("acknowledged" | "in-progress") => Change::Acknowledge,
        Some("closed") => {
            let reason = text(&body, "reason")?.map(|name| {
                let all = ClosingReason::ALL.map(ClosingReason::as_str).join(", ");
                ClosingReason::from_name(name)
                    .ok_or_else(|| wrong(format!("reason: `{name}` is none of {all}")))
            });
            Change::Close { reason: reason.transpose()? }
        }
        _ => {
            let all = WorkflowStatus::ALL.map(WorkflowStatus::as_str).join(", ");
            return Err(wrong(format!("status: one of {all}")));
        }
    };
    let ids = meant(asked, &body, "signal_ids")?;
    changed(asked, &ids, &[change], started)
}

pub(super) fn tags(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&[])?;
    let started = Instant::now();
    let body = object(asked)?;
    let (add, remove) = both(&body, "tags", ("tags_to_add", "tags_to_remove"))?;
    let ids = meant(asked, &body, "ids")?;
    changed(asked, &ids, &[Change::Tag { add, remove }], started)
}

pub(super) fn assignees(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&[])?;
    let started = Instant::now();
    let body = object(asked)?;
    let (add, remove) = both(&body, "assignees", ("add", "remove"))?;
    let ids = meant(asked, &body, "ids")?;
    changed(asked, &ids, &[Change::Assign { add, remove }], started)
}

/// What is added and what is taken away.
fn both(
    body: &Object,
    name: &str,
    (add, remove): (&str, &str),
) -> Result<(Vec<String>, Vec<String>), Problem> {
    let Some(Value::Object(both)) = body.get(name) else {
        return Err(wrong(format!("{name}: expected {{\"{add}\": […], \"{remove}\": […]}}")));
    };
    let list = |key: &str| both.get(key).map_or(Ok(Vec::new()), |it| names(it, name, NAMES_MAX));
    let (add, remove) = (list(add)?, list(remove)?);
    if add.iter().any(|it| remove.contains(it)) {
        return Err(Problem::new(
            Kind::Body,
            format!("Duplicate {name} were found in the add and remove lists"),
        ));
    }
    Ok((add, remove))
}

/// The index that an alert is said to lie in.
pub(super) const fn index() -> &'static str {
    ALERTS
}
