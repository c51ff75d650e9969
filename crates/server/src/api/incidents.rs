//! Incidents: listed, shown with their alerts, changed as one.

use live::{AuditEntry, Incident, Search, Silenced};
use serde_json::{Value, json};

use super::alerts::{author, book, object, problem, read, status};
use crate::http::{Answer, Asked, Kind, Problem};

/// Incidents that one request gives, and how far paging goes.
const SIZE_MAX: usize = 1_000;
const FROM_MAX: usize = 1_000_000;
/// Alerts of an incident that are shown with it; `/api/v1/alerts?incident=ID` gives all.
const ALERTS_MAX: usize = 200;

pub(super) fn list(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&["status", "from", "size"])?;
    let from = asked.query.number("from", 0, FROM_MAX)?;
    let size = asked.query.number("size", 50, SIZE_MAX)?.max(1);
    let found = book(asked)?.incidents(status(asked)?, (from, size));
    let (total, found) = found.map_err(|it| problem(&it))?;
    let found: Vec<Value> = found.iter().map(Incident::told).collect();
    Ok(Answer::json(&json!({"total": total, "from": from, "incidents": found})))
}

fn id(asked: &Asked<'_>) -> Result<i64, Problem> {
    let id = asked.part("id");
    let none =
        |_| Problem::new(Kind::NoSuchResource, format!("there is no incident `{}`", id.escape_debug()));
    id.parse().map_err(none)
}

pub(super) fn show(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&[])?;
    let (book, id) = (book(asked)?, id(asked)?);
    let mut told = book.incident(id).map_err(|it| problem(&it))?.told();
    let limit = ALERTS_MAX;
    let search = Search {
        incident: Some(id),
        silenced: Silenced::Included,
        limit,
        now: asked.app.now(),
        ..Search::default()
    };
    told["alerts"] = book.search(&search).map_err(|it| problem(&it))?.alerts.into();
    let history = book.incident_history(id).map_err(|it| problem(&it))?;
    told["history"] = history.iter().map(AuditEntry::told).collect();
    Ok(Answer::json(&told))
}

/// Changes an incident and its alerts alike.
pub(super) fn change(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&[])?;
    let change = read(&object(asked)?, &[])?;
    let (mut book, id) = (book(asked)?, id(asked)?);
    let changed = book.change_incident(id, &change, &author(asked), asked.app.now());
    let changed = changed.map_err(|it| problem(&it))?;
    let mut told = book.incident(id).map_err(|it| problem(&it))?.told();
    told["changed_alerts"] = changed.into();
    Ok(Answer::json(&told))
}
