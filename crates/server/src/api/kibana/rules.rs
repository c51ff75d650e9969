//! Rules, one by one.

use ecs::Object;
use serde_json::{Value, json};

use super::super::shelf::{Origin, Shelf};
use super::{object, text, wrong};
use crate::http::{Answer, Asked, Kind, Problem};

/// Rules that are made at once.
const CREATED_MAX: usize = 1_000;

pub(super) fn show(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&["id", "rule_id"])?;
    let shelf = Shelf::open(asked)?;
    let entry = shelf.find(asked.query.get("id"), asked.query.get("rule_id"))?;
    let states = Shelf::states(asked)?;
    Ok(Answer::json(&shelf.told(&entry, states.get(&entry.rule.id))))
}

pub(super) fn make(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&[])?;
    let body = object(asked)?;
    let mut shelf = Shelf::open(asked)?;
    Ok(Answer::json(&made(&mut shelf, &body)?))
}

/// Makes a rule of a body.
pub(in super::super) fn made(shelf: &mut Shelf<'_>, body: &Object) -> Result<Value, Problem> {
    let rule = Shelf::read(body)?;
    if rule.enabled == Some(true) {
        shelf.check_runs(&rule)?;
    }
    let entry = shelf.change(|shelf, edit| shelf.add(edit, &rule))?;
    Ok(shelf.told(&entry, None))
}

pub(super) fn make_several(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&[])?;
    let Value::Array(rules) = asked.json()? else { return Err(wrong("expected a list of rules")) };
    if rules.len() > CREATED_MAX {
        return Err(wrong(format!("more than {CREATED_MAX} rules")));
    }
    let mut shelf = Shelf::open(asked)?;
    let mut told = Vec::with_capacity(rules.len());
    for rule in rules {
        let rule_id = rule.get("rule_id").cloned().unwrap_or_else(|| "(unknown id)".into());
        let done = match &rule {
            Value::Object(body) => made(&mut shelf, body),
            _ => Err(wrong("expected an object")),
        };
        told.push(done.unwrap_or_else(|problem| error(&rule_id, &problem)));
    }
    Ok(Answer::json(&told.into()))
}

/// What became of one of several rules, where that is nothing good.
pub(super) fn error(rule_id: &Value, problem: &Problem) -> Value {
    let (code, status, _, _) = problem.kind.told();
    json!({"rule_id": rule_id, "error": {"status_code": status, "message": problem.detail, "code": code}})
}

/// The rule that a body speaks of.
fn meant(body: &Object) -> Result<(Option<&str>, Option<&str>), Problem> {
    match (text(body, "id")?, text(body, "rule_id")?) {
        // Whoever sends a rule as it was given sends both.
        (Some(id), _) => Ok((Some(id), None)),
        (None, rule_id) => Ok((None, rule_id)),
    }
}

pub(super) fn replace(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&[])?;
    let body = object(asked)?;
    let mut shelf = Shelf::open(asked)?;
    let (id, rule_id) = meant(&body)?;
    let entry = shelf.find(id, rule_id)?;
    let Origin::Made(kept) = &entry.origin else {
        // Whatever it says else is what it says already, or is refused.
        let entry = shelf.change(|shelf, edit| shelf.patch(edit, &entry, &body))?;
        return Ok(Answer::json(&shelf.told(&entry, None)));
    };
    let mut body = body.clone();
    body.insert("id".to_owned(), kept.id.as_str().into());
    body.insert("rule_id".to_owned(), kept.key.as_str().into());
    let rule = Shelf::read(&body)?;
    let was = kept.document.get("enabled") == Some(&Value::Bool(true));
    if rule.enabled.unwrap_or(was) {
        shelf.check_runs(&rule)?;
    }
    let entry = shelf.change(|_, edit| Shelf::replace(edit, kept, &rule))?;
    let states = Shelf::states(asked)?;
    Ok(Answer::json(&shelf.told(&entry, states.get(&entry.rule.id))))
}

pub(super) fn patch(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&[])?;
    let body = object(asked)?;
    let mut shelf = Shelf::open(asked)?;
    let (id, rule_id) = meant(&body)?;
    let entry = shelf.find(id, rule_id)?;
    let entry = shelf.change(|shelf, edit| shelf.patch(edit, &entry, &body))?;
    let states = Shelf::states(asked)?;
    Ok(Answer::json(&shelf.told(&entry, states.get(&entry.rule.id))))
}

pub(super) fn delete(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&["id", "rule_id"])?;
    let mut shelf = Shelf::open(asked)?;
    let entry = shelf.find(asked.query.get("id"), asked.query.get("rule_id"))?;
    let told = shelf.told(&entry, None);
    shelf.change(|_, edit| Shelf::remove(edit, &entry))?;
    let details = [("rule", Value::from(entry.rule.rule_id.as_str())), ("by", asked.author().into())];
    asked.app.log.info("SRV047", "a rule was deleted", &details);
    Ok(Answer::json(&told))
}

/// Whether something is not there.
pub(super) fn is_missing(problem: &Problem) -> bool {
    problem.kind == Kind::NoSuchResource
}
