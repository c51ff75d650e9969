//! Alerts, counted; followed; and the log of who did what.

use live::{Facet, LogEntry, LogSearch, RuleQuality};
use rule::Interval;
use serde_json::{Value, json};

use super::alerts::{SEARCH, book, problem, search};
use crate::http::{Answer, Asked, Kind, Problem};

/// Fields of one request, and values of each.
const FIELDS_MAX: usize = 20;
const VALUES_MAX: usize = 1_000;
/// Alerts, or entries of the log, that one request gives.
const SIZE_MAX: usize = 1_000;

/// The fields that are counted if nobody names any.
const FIELDS: &str = "kibana.alert.severity,kibana.alert.workflow_status,kibana.alert.rule.name,\
    kibana.alert.workflow_assignee_ids,kibana.alert.workflow_tags";

pub(super) fn facets(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&[&SEARCH[..], &["fields", "values"]].concat())?;
    let fields = asked.query.get("fields").unwrap_or(FIELDS);
    let fields: Vec<String> =
        fields.split(',').map(str::trim).filter(|it| !it.is_empty()).map(str::to_owned).collect();
    if fields.is_empty() || fields.len() > FIELDS_MAX {
        return Err(Problem::new(Kind::Parameter, format!("`fields` names up to {FIELDS_MAX} fields")));
    }
    let values = asked.query.number("values", 10, VALUES_MAX)?;
    let counted = book(asked)?.facets(&search(asked)?, &fields, values);
    let (total, facets) = counted.map_err(|it| problem(&it))?;
    let facets: Vec<Value> = facets.iter().map(Facet::told).collect();
    Ok(Answer::json(&json!({"total": total, "facets": facets})))
}

pub(super) fn histogram(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&[&SEARCH[..], &["interval"]].concat())?;
    let interval = asked.query.get("interval").map(|it| {
        let wrong = |error| Problem::new(Kind::Parameter, format!("`interval`: {error}"));
        it.parse::<Interval>().map(|it| it.millis()).map_err(wrong)
    });
    let counted = book(asked)?.histogram(&search(asked)?, interval.transpose()?);
    let counted = counted.map_err(|it| problem(&it))?;
    Ok(Answer::json(&counted.told()))
}

/// What became of the alerts of each rule.
pub(super) fn quality(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&["since", "until"])?;
    let now = asked.app.now();
    let range = (asked.query.time("since", now)?, asked.query.time("until", now)?);
    let rules = book(asked)?.quality(range).map_err(|it| problem(&it))?;
    let rules: Vec<Value> = rules.iter().map(RuleQuality::told).collect();
    Ok(Answer::json(&json!({"rules": rules})))
}

/// Alerts in the order in which they were committed.
pub(super) fn feed(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&["after", "size"])?;
    let book = book(asked)?;
    let size = asked.query.number("size", 100, SIZE_MAX)?.max(1);
    let (alerts, next) = if asked.query.get("after").is_some() {
        let after = asked.query.number("after", 0, i64::MAX as usize)?;
        book.alerts_after(after as i64, size).map_err(|it| problem(&it))?
    } else {
        (Vec::new(), book.last_number().map_err(|it| problem(&it))?)
    };
    Ok(Answer::json(&json!({"next": next, "alerts": alerts})))
}

pub(super) fn log(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&["since", "until", "author", "subject", "size"])?;
    let (query, now) = (&asked.query, asked.app.now());
    let search = LogSearch {
        since: query.time("since", now)?,
        until: query.time("until", now)?,
        author: query.get("author").map(str::to_owned),
        subject: query.get("subject").map(str::to_owned),
        limit: query.number("size", 100, SIZE_MAX)?.max(1),
    };
    let entries = book(asked)?.log(&search).map_err(|it| problem(&it))?;
    let entries: Vec<Value> = entries.iter().map(LogEntry::told).collect();
    Ok(Answer::json(&json!({"log": entries})))
}
