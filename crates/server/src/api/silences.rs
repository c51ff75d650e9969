//! Silences: made, listed, ended.

use ecs::Millis;
use ecs::date::{DateMath, to_iso};
use live::NewSilence;
use serde_json::{Map, Value, json};

use super::alerts::{author, book, object, problem};
use crate::http::{Answer, Asked, Kind, Problem};

/// A silence that is tried is tried on the alerts of so long before.
const TRIED: Millis = 30 * 24 * 3_600_000;
/// The longest text of a silence.
const TEXT_MAX: usize = 16 << 10;

pub(super) fn list(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&["active"])?;
    let now = asked.app.now();
    let only_active = match asked.query.get("active") {
        None | Some("false") => false,
        Some("true") => true,
        Some(other) => return Err(Problem::new(Kind::Parameter, format!("`active={other}`: true or false"))),
    };
    let all = book(asked)?.silences().map_err(|it| problem(&it))?;
    let all: Vec<Value> =
        all.iter().filter(|it| !only_active || it.is_active(now)).map(|it| it.told(now)).collect();
    Ok(Answer::json(&json!({"silences": all})))
}

pub(super) fn make(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&["dry_run"])?;
    let now = asked.app.now();
    let new = read(&object(asked)?, now)?;
    let mut book = book(asked)?;
    match asked.query.get("dry_run") {
        None | Some("false") => {
            let made = book.silence(&new, &author(asked), now).map_err(|it| problem(&it))?;
            Ok(Answer::json_of(201, &made.told(now)))
        }
        Some("true") => {
            let since = now.saturating_sub(TRIED);
            let tried = book.try_silence(&new, since, now).map_err(|it| problem(&it))?;
            Ok(Answer::json(&json!({"since": to_iso(since), "alerts": tried.alerts, "ids": tried.ids})))
        }
        Some(other) => Err(Problem::new(Kind::Parameter, format!("`dry_run={other}`: true or false"))),
    }
}

pub(super) fn end(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&[])?;
    let id = asked.part("id");
    let none = || Problem::new(Kind::NoSuchResource, format!("there is no silence `{}`", id.escape_debug()));
    let id = id.parse().map_err(|_| none())?;
    let now = asked.app.now();
    let ended = book(asked)?.end_silence(id, &author(asked), now).map_err(|it| problem(&it))?;
    Ok(Answer::json(&ended.told(now)))
}

fn read(body: &Map<String, Value>, now: Millis) -> Result<NewSilence, Problem> {
    const KNOWN: [&str; 4] = ["rule", "query", "reason", "until"];
    let wrong = |detail: String| Problem::new(Kind::Body, detail);
    if let Some(unknown) = body.keys().find(|it| !KNOWN.contains(&it.as_str())) {
        return Err(wrong(format!("`{unknown}` is not known; there are {}", KNOWN.join(", "))));
    }
    let text = |name: &str| match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.len() <= TEXT_MAX => Ok(Some(text.clone())),
        Some(_) => Err(wrong(format!("`{name}` is a text of up to {TEXT_MAX} bytes"))),
    };
    let until = text("until")?
        .ok_or_else(|| wrong("`until` says when it ends: a date, or date math such as now+4h".to_owned()))?;
    let until = DateMath::of_rule(&until).map_err(|error| wrong(format!("`until`: {error}")))?;
    Ok(NewSilence {
        rule: text("rule")?,
        query: text("query")?,
        reason: text("reason")?.unwrap_or_default(),
        until: until.millis_at(now),
    })
}
