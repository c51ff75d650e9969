//! Exceptions made from alerts: proposed, tried, made.

use std::sync::Arc;

use ecs::Millis;
use ecs::date::{DateMath, to_iso};
use investigate::Subject;
use live::{Book, ClosingReason, NewException, Search};
use rule::Rule;
use serde_json::{Map, Value, json};

use super::alerts::{author, book, object, problem};
use crate::http::{Answer, Asked, Kind, Problem};

/// An exception is tried on the alerts of so long before.
const TRIED: Millis = 30 * 24 * 3_600_000;
/// Alerts that are named of those that it would have hidden.
const IDS: usize = 20;
/// Entries of an exception, and the longest comment.
const ENTRIES_MAX: usize = 50;
const COMMENT_MAX: usize = 16 << 10;

/// The alert of a request, what would silence exactly it, and its rule as it is in force.
fn proposed(asked: &Asked<'_>, book: &Book) -> Result<(NewException, Option<Arc<Rule>>, String), Problem> {
    let document = book.alert(asked.part("id")).map_err(|it| problem(&it))?;
    let id = ecs::alert::id(&document).unwrap_or_default().to_owned();
    let blocks = book.blocks(&id).map_err(|it| problem(&it))?;
    let subject = Subject::kept(document, blocks, None);
    let rule_id = ecs::alert::field(&subject.document, "rule.rule_id").and_then(Value::as_str);
    let rule_id = rule_id.unwrap_or_default().to_owned();
    let rule = asked.app.detection.force().rules.iter().find(|it| it.rule_id == rule_id).map(Arc::clone);
    let proposal = investigate::exception(&subject, asked.app.now());
    let entries = proposal.iter().flat_map(|it| &it.entries).map(investigate::ExceptionEntry::item).collect();
    let expires = proposal.map(|it| it.expires);
    Ok((NewException { alert: id, entries, expires, ..NewException::default() }, rule, rule_id))
}

/// What an exception would have hidden of the alerts of its rule.
fn tried(asked: &Asked<'_>, book: &Book, new: &NewException, rule_id: &str) -> Result<Value, Problem> {
    let now = asked.app.now();
    let since = now.saturating_sub(TRIED);
    let search = Search { since: Some(since), now, ..Search::default() };
    let found = book.try_exceptions(rule_id, &[new.item()], &search).map_err(|it| problem(&it))?;
    let ids: Vec<&String> = found.ids.iter().take(IDS).collect();
    Ok(json!({"since": to_iso(since), "alerts": found.alerts, "ids": ids}))
}

/// The exception that would have silenced exactly the alert, and what else it would have hidden. Makes nothing.
pub(super) fn propose(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&[])?;
    let book = book(asked)?;
    let (new, _, rule_id) = proposed(asked, &book)?;
    let hides = if new.entries.is_empty() { Value::Null } else { tried(asked, &book, &new, &rule_id)? };
    Ok(Answer::json(&json!({
        "rule_id": rule_id,
        "entries": new.entries,
        "expires": new.expires.map(to_iso),
        "hides": hides,
    })))
}

/// Makes it, or another that is given; with `dry_run` says what it would have hidden.
pub(super) fn make(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&["dry_run"])?;
    let book = book(asked)?;
    let (proposal, rule, rule_id) = proposed(asked, &book)?;
    let new = read(&object(asked)?, proposal, asked.app.now())?;
    match asked.query.get("dry_run") {
        None | Some("false") => {}
        Some("true") => {
            let hides = tried(asked, &book, &new, &rule_id)?;
            return Ok(Answer::json(&json!({"entries": new.entries, "hides": hides})));
        }
        Some(other) => {
            return Err(Problem::new(Kind::Parameter, format!("`dry_run={other}`: true or false")));
        }
    }
    let none = || Problem::new(Kind::Conflict, format!("the rule `{}` does not run", rule_id.escape_debug()));
    let rule = rule.ok_or_else(none)?;
    let made = live::except(&asked.app.data, &rule, &new, &author(asked), asked.app.now());
    let made = made.map_err(|it| problem(&it))?;
    let told =
        json!({"item_id": made.item_id, "rule_id": rule_id, "entries": new.entries, "closed": made.closed});
    Ok(Answer::json_of(201, &told))
}

fn read(body: &Map<String, Value>, proposal: NewException, now: Millis) -> Result<NewException, Problem> {
    const KNOWN: [&str; 5] = ["comment", "expires", "entries", "close", "reason"];
    let wrong = |detail: String| Problem::new(Kind::Body, detail);
    if let Some(unknown) = body.keys().find(|it| !KNOWN.contains(&it.as_str())) {
        return Err(wrong(format!("`{unknown}` is not known; there are {}", KNOWN.join(", "))));
    }
    let comment = body.get("comment").and_then(Value::as_str).map(str::trim);
    let comment = comment.filter(|it| !it.is_empty() && it.len() <= COMMENT_MAX);
    let comment =
        comment.ok_or_else(|| wrong(format!("`comment` says why, in up to {COMMENT_MAX} bytes")))?;
    let expires = match body.get("expires") {
        None => proposal.expires,
        Some(Value::Null) => None,
        Some(Value::String(text)) => {
            let math = DateMath::of_rule(text).map_err(|error| wrong(format!("`expires`: {error}")))?;
            let at = math.millis_at(now);
            if at <= now {
                return Err(wrong("`expires` lies in the past".to_owned()));
            }
            Some(at)
        }
        Some(_) => return Err(wrong("`expires` is a date, date math such as now+30d, or null".to_owned())),
    };
    let entries = match body.get("entries") {
        None => proposal.entries,
        Some(Value::Array(entries)) if entries.len() <= ENTRIES_MAX => entries.clone(),
        Some(_) => return Err(wrong(format!("`entries` is a list of up to {ENTRIES_MAX} entries"))),
    };
    if entries.is_empty() {
        let detail =
            "it counts events, or nobody is known to have caused it: say what is excepted by `entries`";
        return Err(wrong(detail.to_owned()));
    }
    let is_closing = match body.get("close") {
        None => false,
        Some(Value::Bool(close)) => *close,
        Some(_) => return Err(wrong("`close` is true or false".to_owned())),
    };
    let reason = match body.get("reason") {
        None => None,
        Some(_) if !is_closing => return Err(wrong("`reason` goes with `close`".to_owned())),
        Some(it) => Some(it.as_str().and_then(ClosingReason::from_name).ok_or_else(|| {
            let all = ClosingReason::ALL.map(ClosingReason::as_str).join(", ");
            wrong(format!("`reason` is one of {all}"))
        })?),
    };
    let comment = comment.to_owned();
    Ok(NewException { entries, comment, expires, closes: is_closing, reason, ..proposal })
}
