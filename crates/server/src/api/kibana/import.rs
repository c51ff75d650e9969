//! Exports, taken in.

use std::collections::HashSet;

use live::{Edit, KeptKind, list_key};
use rule::Part;
use serde_json::{Value, json};

use super::super::shelf::{Origin, Shelf};
use super::rules::{error, is_missing};
use super::{exceptions, file, flag, items, wrong};
use crate::http::{Answer, Asked, Kind, Problem};

/// Lines of an import.
const LINES_MAX: usize = 50_000;

/// What became of what an import holds.
#[derive(Default)]
struct Imported {
    rules: u64,
    rules_done: u64,
    errors: Vec<Value>,
    lists_done: u64,
    exception_errors: Vec<Value>,
}

pub(super) fn rules(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&["overwrite", "overwrite_exceptions", "overwrite_action_connectors", "as_new_list"])?;
    let overwrites = (flag(asked, "overwrite", false)?, flag(asked, "overwrite_exceptions", false)?);
    refuse_new_list(asked)?;
    flag(asked, "overwrite_action_connectors", false)?;
    let done = import(asked, overwrites)?;
    let success = done.errors.is_empty() && done.exception_errors.is_empty();
    Ok(Answer::json(&json!({
        "success": success,
        "success_count": done.rules_done,
        "rules_count": done.rules,
        "errors": done.errors,
        "exceptions_success": done.exception_errors.is_empty(),
        "exceptions_success_count": done.lists_done,
        "exceptions_errors": done.exception_errors,
        "action_connectors_success": true,
        "action_connectors_success_count": 0,
        "action_connectors_errors": [],
        "action_connectors_warnings": [],
    })))
}

pub(super) fn exceptions(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&["overwrite", "as_new_list"])?;
    let overwrite = flag(asked, "overwrite", false)?;
    refuse_new_list(asked)?;
    let done = import(asked, (false, overwrite))?;
    let errors: Vec<Value> = done.exception_errors.into_iter().chain(done.errors).collect();
    Ok(Answer::json(&json!({
        "success": errors.is_empty(),
        "success_count": done.lists_done,
        "success_exception_lists": errors.is_empty(),
        "success_exception_list_items": errors.is_empty(),
        "success_count_exception_lists": done.lists_done,
        "success_count_exception_list_items": done.lists_done,
        "errors": errors,
    })))
}

/// Lists keep their ids here, or the rules that name them would lose them.
fn refuse_new_list(asked: &Asked<'_>) -> Result<(), Problem> {
    if flag(asked, "as_new_list", false)? {
        return Err(Problem::new(Kind::NotSupported, "`as_new_list` is not supported: lists keep their ids"));
    }
    Ok(())
}

fn import(asked: &Asked<'_>, (overwrite, overwrite_lists): (bool, bool)) -> Result<Imported, Problem> {
    let (name, text) = file(asked)?;
    let ending = name.rsplit_once('.').map(|it| it.1.to_ascii_lowercase());
    if ending.is_some_and(|it| it != "ndjson" && it != "json") {
        return Err(Problem::new(Kind::Body, format!("Invalid file extension of {name}: expected .ndjson")));
    }
    let lines: Vec<&str> = text.lines().filter(|it| !it.trim().is_empty()).collect();
    if lines.len() > LINES_MAX {
        return Err(wrong(format!("file: more than {LINES_MAX} lines")));
    }
    let mut shelf = Shelf::open(asked)?;
    let done = shelf.change(|shelf, edit| {
        let mut done = Imported::default();
        let mut parts: Vec<(Part, Result<Value, String>)> = Vec::with_capacity(lines.len());
        for line in &lines {
            let value = serde_json::from_str::<Value>(line).map_err(|it| it.to_string());
            parts.push((rule::part(line), value));
        }
        // Rules name lists, and lists come before their items.
        for wanted in [Part::ExceptionList, Part::ExceptionItem] {
            for (_, value) in parts.iter().filter(|it| it.0 == wanted) {
                let Ok(Value::Object(body)) = value else { continue };
                let kept = if wanted == Part::ExceptionList {
                    exceptions::imported(edit, body, overwrite_lists).map(drop)
                } else {
                    items::imported(edit, body, overwrite_lists).map(drop)
                };
                match kept {
                    Ok(()) => done.lists_done += 1,
                    Err(problem) => done.exception_errors.push(json!({
                        "list_id": body.get("list_id"),
                        "item_id": body.get("item_id"),
                        "error": {"status_code": problem.kind.told().1, "message": problem.detail},
                    })),
                }
            }
        }
        let mut seen = HashSet::new();
        for (part, value) in &parts {
            match (part, value) {
                (Part::Rule, Ok(value)) => {
                    done.rules += 1;
                    let rule_id = value.get("rule_id").cloned().unwrap_or_else(|| "(unknown id)".into());
                    if !overwrite && !seen.insert(rule_id.to_string()) {
                        let twice = wrong(format!("More than one rule with rule-id: {rule_id} found"));
                        done.errors.push(error(&rule_id, &twice));
                        continue;
                    }
                    match rule(shelf, edit, value, overwrite) {
                        Ok(problems) => {
                            done.rules_done += 1;
                            done.errors.extend(problems.iter().map(|it| error(&rule_id, it)));
                        }
                        Err(problem) => done.errors.push(error(&rule_id, &problem)),
                    }
                }
                (Part::Unknown, Ok(value)) => {
                    done.rules += 1;
                    let rule_id = value.get("rule_id").cloned().unwrap_or_else(|| "(unknown id)".into());
                    done.errors
                        .push(error(&rule_id, &wrong("it is neither a rule nor anything else of an export")));
                }
                (_, Err(message)) => {
                    done.errors
                        .push(error(&"(unknown id)".into(), &wrong(format!("a line is no JSON: {message}"))));
                }
                (
                    Part::ExceptionList | Part::ExceptionItem | Part::Value | Part::ValueList | Part::Other,
                    Ok(_),
                ) => {}
            }
        }
        Ok(done)
    })?;
    let details = [
        ("rules", Value::from(done.rules_done)),
        ("exceptions", done.lists_done.into()),
        ("errors", (done.errors.len() + done.exception_errors.len()).into()),
        ("by", asked.author().into()),
    ];
    asked.app.log.info("SRV048", "an export was imported", &details);
    Ok(done)
}

/// Takes a rule in; says what of it was not.
fn rule(
    shelf: &Shelf<'_>,
    edit: &mut Edit<'_>,
    value: &Value,
    overwrite: bool,
) -> Result<Vec<Problem>, Problem> {
    let Value::Object(body) = value else { return Err(wrong("expected an object")) };
    let mut body = body.clone();
    let rule_id = body.get("rule_id").and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut problems = Vec::new();
    // As in Kibana: a list that is not there is told, and the rule comes without it.
    if let Some(Value::Array(lists)) = body.get_mut("exceptions_list") {
        let mut kept = Vec::with_capacity(lists.len());
        for list in std::mem::take(lists) {
            let said = |name: &str| list.get(name).and_then(Value::as_str).unwrap_or_default();
            let namespace = if said("namespace_type") == "agnostic" { "agnostic" } else { "single" };
            let (list_id, key) = (said("list_id").to_owned(), list_key(namespace, said("list_id")));
            let found = edit.by_key(KeptKind::List, &key)?;
            if found.is_none() && !shelf.has_list(&list_id, namespace) {
                let detail = format!(
                    "Rule with rule_id: \"{rule_id}\" references a non existent exception list of list_id: \"{list_id}\". \
                     Reference has been removed."
                );
                problems.push(Problem::new(Kind::Body, detail));
                continue;
            }
            let mut list = list;
            if let Some(found) = found {
                list["id"] = found.id.as_str().into();
            } else if list.get("id").is_none() {
                list["id"] = key.as_str().into();
            }
            kept.push(list);
        }
        *lists = kept;
    }
    let known = match shelf.find(None, Some(&rule_id)) {
        Ok(entry) => Some(entry),
        Err(problem) if is_missing(&problem) || rule_id.is_empty() => None,
        Err(problem) => return Err(problem),
    };
    match known {
        Some(_) if !overwrite => {
            Err(Problem::new(Kind::Conflict, format!("rule_id: \"{rule_id}\" already exists")))
        }
        Some(entry) => {
            match &entry.origin {
                Origin::Made(kept) => {
                    body.insert("id".to_owned(), kept.id.as_str().into());
                    let rule = Shelf::read(&body)?;
                    let was = kept.document.get("enabled") == Some(&Value::Bool(true));
                    if rule.enabled.unwrap_or(was) {
                        shelf.check_runs(&rule)?;
                    }
                    Shelf::replace(edit, kept, &rule)?;
                }
                Origin::File(_) => {
                    shelf.patch(edit, &entry, &body)?;
                }
            }
            Ok(problems)
        }
        None => {
            let rule = Shelf::read(&body)?;
            if rule.enabled == Some(true) {
                shelf.check_runs(&rule)?;
            }
            shelf.add(edit, &rule)?;
            Ok(problems)
        }
    }
}
