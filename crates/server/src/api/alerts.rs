//! Alerts: found, shown, worked on.

use ecs::Object;
use live::{AuditEntry, Book, Change, ClosingReason, LiveError, Search, Silenced, WorkflowStatus};
use serde_json::{Map, Value, json};

use crate::http::{Answer, Asked, Kind, Problem};

/// Alerts that one request gives.
const SIZE_MAX: usize = 1_000;
/// How far paging goes.
const FROM_MAX: usize = 1_000_000;
/// Alerts that are sorted by something else than their time.
const SORTED_MAX: u64 = 20_000;
/// Alerts that are changed at once.
const CHANGED_MAX: usize = 1_000;
/// The longest note.
const NOTE_MAX: usize = 16 << 10;
/// Assignees, or tags, of a request, and how long each may be.
const NAMES_MAX: usize = 100;
const NAME_MAX: usize = 256;

/// The book of alerts.
pub(super) fn book(asked: &Asked<'_>) -> Result<Book, Problem> {
    Book::open(&asked.app.data).map_err(|it| problem(&it))
}

/// What is wrong with what was asked, or with the book.
pub(super) fn problem(error: &LiveError) -> Problem {
    let kind = match error {
        LiveError::NoAlert { .. }
        | LiveError::NoRule { .. }
        | LiveError::NoSilence { .. }
        | LiveError::NoIncident { .. } => Kind::NoSuchResource,
        LiveError::SeveralAlerts { .. } | LiveError::TooManyBuckets { .. } => Kind::Parameter,
        LiveError::NoScope
        | LiveError::NoReason
        | LiveError::SilenceEnds { .. }
        | LiveError::Exception(_) => Kind::Body,
        LiveError::SilenceEnded { .. } | LiveError::Refused => Kind::Conflict,
        LiveError::Query(_) => Kind::Query,
        LiveError::NoBook { .. }
        | LiveError::Newer { .. }
        | LiveError::Locked { .. }
        | LiveError::Database { .. }
        | LiveError::Lock { .. }
        | LiveError::Overtaken { .. }
        | LiveError::Store(_)
        | LiveError::Unreadable { .. }
        | LiveError::Version { .. }
        | LiveError::Rules(_) => Kind::Failed,
    };
    Problem::new(kind, format!("{} {error}", error.code()))
}

/// The parameters that say which alerts.
pub(super) const SEARCH: [&str; 6] = ["query", "status", "since", "until", "silenced", "incident"];

/// Which alerts are asked for.
pub(super) fn search(asked: &Asked<'_>) -> Result<Search, Problem> {
    let query = &asked.query;
    let now = asked.app.now();
    let silenced = match query.get("silenced").unwrap_or("no") {
        "no" => Silenced::LeftOut,
        "yes" => Silenced::Included,
        "only" => Silenced::Only,
        other => return Err(Problem::new(Kind::Parameter, format!("`silenced={other}`: no, yes or only"))),
    };
    let incident = query
        .get("incident")
        .map(|it| it.parse().map_err(|_| Problem::new(Kind::Parameter, "`incident` is the number of one")));
    Ok(Search {
        query: query.get("query").unwrap_or_default().to_owned(),
        status: status(asked)?,
        since: query.time("since", now)?,
        until: query.time("until", now)?,
        incident: incident.transpose()?,
        silenced,
        also: None,
        offset: 0,
        limit: 0,
        now,
    })
}

/// The status that is asked for.
pub(super) fn status(asked: &Asked<'_>) -> Result<Option<WorkflowStatus>, Problem> {
    let status = asked.query.get("status").map(|name| {
        WorkflowStatus::from_name(name).ok_or_else(|| {
            let names = WorkflowStatus::ALL.map(WorkflowStatus::as_str).join(", ");
            Problem::new(Kind::Parameter, format!("`status` is one of {names}"))
        })
    });
    status.transpose()
}

pub(super) fn list(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&[&SEARCH[..], &["sort", "from", "size"]].concat())?;
    let query = &asked.query;
    let (from, size) = (query.number("from", 0, FROM_MAX)?, query.number("size", 50, SIZE_MAX)?.max(1));
    let mut search = Search { offset: from, limit: size, ..search(asked)? };
    let book = book(asked)?;
    let sort = query.get("sort").unwrap_or("newest");
    let (total, silenced, alerts) = match sort {
        "newest" => {
            let found = book.search(&search).map_err(|it| problem(&it))?;
            (found.total, found.silenced, found.alerts)
        }
        "oldest" | "severity" => {
            (search.offset, search.limit) = (0, SORTED_MAX as usize + 1);
            let found = book.search(&search).map_err(|it| problem(&it))?;
            if found.total > SORTED_MAX {
                let detail = format!(
                    "{} alerts match, and {SORTED_MAX} at most are sorted by something else than `newest`",
                    found.total
                );
                return Err(Problem::new(Kind::Parameter, detail));
            }
            let mut alerts = found.alerts;
            if sort == "oldest" {
                alerts.reverse();
            } else {
                // Stable: of equal ones the newest first.
                alerts.sort_by_key(|it| std::cmp::Reverse(risk(it)));
            }
            (found.total, found.silenced, alerts.into_iter().skip(from).take(size).collect())
        }
        other => {
            return Err(Problem::new(Kind::Parameter, format!("`sort={other}`: newest, oldest or severity")));
        }
    };
    let told = json!({"total": total, "silenced": silenced, "from": from, "alerts": alerts});
    Ok(Answer::json(&told))
}

fn risk(alert: &Object) -> u64 {
    let score = ecs::document::lookup(alert, "kibana.alert.risk_score");
    score.and_then(Value::as_f64).map_or(0, |it| (it.clamp(0.0, 100.0) * 1_000.0) as u64)
}

pub(super) fn show(asked: &Asked<'_>) -> Result<Answer, Problem> {
    let book = book(asked)?;
    let document = book.alert(asked.part("id")).map_err(|it| problem(&it))?;
    Ok(Answer::json(&Value::Object(document)))
}

pub(super) fn history(asked: &Asked<'_>) -> Result<Answer, Problem> {
    let entries = book(asked)?.history(asked.part("id")).map_err(|it| problem(&it))?;
    let entries: Vec<Value> = entries.iter().map(AuditEntry::told).collect();
    Ok(Answer::json(&json!({"history": entries})))
}

/// Changes one alert.
pub(super) fn change(asked: &Asked<'_>) -> Result<Answer, Problem> {
    let body = object(asked)?;
    let change = read(&body, &[])?;
    changed(asked, &[asked.part("id").to_owned()], &change)
}

/// Changes several alerts alike: all of them, or none.
pub(super) fn change_several(asked: &Asked<'_>) -> Result<Answer, Problem> {
    let body = object(asked)?;
    let ids = names(body.get("ids").unwrap_or(&Value::Null), "ids", CHANGED_MAX)?;
    if ids.is_empty() {
        return Err(Problem::new(Kind::Body, "`ids` names no alert"));
    }
    let change = read(&body, &["ids"])?;
    changed(asked, &ids, &change)
}

fn changed(asked: &Asked<'_>, ids: &[String], change: &Change) -> Result<Answer, Problem> {
    let mut book = book(asked)?;
    let changed = book.change(ids, change, &author(asked), asked.app.now()).map_err(|it| problem(&it))?;
    Ok(Answer::json(&json!({"changed": changed.changed, "unchanged": changed.unchanged})))
}

/// Who does it. Names may be alike, ids are not.
pub(super) fn author(asked: &Asked<'_>) -> String {
    asked.key.map_or_else(String::new, |it| format!("{} ({})", it.name, it.id))
}

pub(super) fn object(asked: &Asked<'_>) -> Result<Map<String, Value>, Problem> {
    match asked.json()? {
        Value::Object(members) => Ok(members),
        _ => Err(Problem::new(Kind::Body, "the body is no object")),
    }
}

/// What is to be changed: one thing, so that it is done or not.
pub(super) fn read(body: &Map<String, Value>, beside: &[&str]) -> Result<Change, Problem> {
    const KNOWN: [&str; 5] = ["status", "reason", "assignees", "tags", "note"];
    let wrong = |detail: String| Problem::new(Kind::Body, detail);
    if let Some(unknown) =
        body.keys().find(|it| !KNOWN.contains(&it.as_str()) && !beside.contains(&it.as_str()))
    {
        return Err(wrong(format!("`{unknown}` is not known; there are {}", KNOWN.join(", "))));
    }
    let given: Vec<&str> =
        ["status", "assignees", "tags", "note"].into_iter().filter(|it| body.contains_key(*it)).collect();
    let [what] = given.as_slice() else {
        return Err(wrong("give one of `status`, `assignees`, `tags`, `note`".to_owned()));
    };
    let reason = body.get("reason");
    let value = &body[*what];
    let both = |name: &str| -> Result<(Vec<String>, Vec<String>), Problem> {
        let members = value.as_object().filter(|it| it.keys().all(|key| key == "add" || key == "remove"));
        let members =
            members.ok_or_else(|| wrong(format!("`{name}` is {{\"add\": […], \"remove\": […]}}")))?;
        let list = |key: &str| members.get(key).map_or(Ok(Vec::new()), |it| names(it, name, NAMES_MAX));
        let (add, remove) = (list("add")?, list("remove")?);
        if add.is_empty() && remove.is_empty() {
            return Err(wrong(format!("`{name}` names nothing")));
        }
        Ok((add, remove))
    };
    let change = match *what {
        "status" => match value.as_str().and_then(WorkflowStatus::from_name) {
            Some(WorkflowStatus::Open) => Change::Reopen,
            Some(WorkflowStatus::Acknowledged) => Change::Acknowledge,
            Some(WorkflowStatus::Closed) => {
                let of = |it: &Value| {
                    it.as_str().and_then(ClosingReason::from_name).ok_or_else(|| {
                        let all = ClosingReason::ALL.map(ClosingReason::as_str).join(", ");
                        wrong(format!("`reason` is one of {all}"))
                    })
                };
                Change::Close { reason: reason.map(of).transpose()? }
            }
            None => {
                let all = WorkflowStatus::ALL.map(WorkflowStatus::as_str).join(", ");
                return Err(wrong(format!("`status` is one of {all}")));
            }
        },
        "assignees" => {
            let (add, remove) = both("assignees")?;
            Change::Assign { add, remove }
        }
        "tags" => {
            let (add, remove) = both("tags")?;
            Change::Tag { add, remove }
        }
        _ => match value.as_str().map(str::trim) {
            Some(text) if !text.is_empty() && text.len() <= NOTE_MAX => Change::Note(text.to_owned()),
            Some(_) | None => return Err(wrong(format!("`note` is a text of up to {NOTE_MAX} bytes"))),
        },
    };
    if reason.is_some() && !matches!(change, Change::Close { .. }) {
        return Err(wrong("`reason` goes with the status `closed`".to_owned()));
    }
    Ok(change)
}

/// A list of names.
pub(super) fn names(value: &Value, what: &str, most: usize) -> Result<Vec<String>, Problem> {
    let wrong = || {
        Problem::new(
            Kind::Body,
            format!("`{what}`: a list of up to {most} texts, of up to {NAME_MAX} characters each"),
        )
    };
    let values = value.as_array().filter(|it| it.len() <= most).ok_or_else(wrong)?;
    let text = |it: &Value| {
        let text = it.as_str().map(str::trim)?;
        (!text.is_empty() && text.chars().count() <= NAME_MAX && !text.chars().any(char::is_control))
            .then(|| text.to_owned())
    };
    values.iter().map(|it| text(it).ok_or_else(wrong)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Change, String> {
        let Value::Object(body) = serde_json::from_str(text).unwrap() else { panic!("{text}") };
        read(&body, &["ids"]).map_err(|it| it.detail.clone())
    }

    #[test]
    fn one_thing_is_changed() {
        assert_eq!(of(r#"{"status":"open"}"#), Ok(Change::Reopen));
        assert_eq!(of(r#"{"status":"acknowledged","ids":[]}"#), Ok(Change::Acknowledge));
        assert_eq!(of(r#"{"status":"closed"}"#), Ok(Change::Close { reason: None }));
        let closed = Change::Close { reason: Some(ClosingReason::FalsePositive) };
        assert_eq!(of(r#"{"status":"closed","reason":"false_positive"}"#), Ok(closed));
        let tagged = Change::Tag { add: vec!["a".to_owned()], remove: Vec::new() };
        assert_eq!(of(r#"{"tags":{"add":[" a "]}}"#), Ok(tagged));
        assert_eq!(of(r#"{"note":" said "}"#), Ok(Change::Note("said".to_owned())));
        for wrong in [
            r"{}",
            r#"{"status":"gone"}"#,
            r#"{"status":1}"#,
            r#"{"status":"closed","reason":"because"}"#,
            r#"{"status":"open","reason":"false_positive"}"#,
            r#"{"status":"open","note":"x"}"#,
            r#"{"tags":["a"]}"#,
            r#"{"tags":{}}"#,
            r#"{"tags":{"set":["a"]}}"#,
            r#"{"assignees":{"add":[1]}}"#,
            r#"{"assignees":{"add":[""]}}"#,
            r#"{"note":""}"#,
            r#"{"note":["x"]}"#,
            r#"{"sttus":"open"}"#,
        ] {
            assert!(of(wrong).is_err(), "{wrong}");
        }
    }
}
