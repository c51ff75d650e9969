//! Rules as files.

use ecs::Object;
use rule::{ExportDetails, Rule};
use serde_json::Value;

use super::super::shelf::{Entry, Shelf};
use super::{flag, ndjson, wrong};
use crate::http::{Answer, Asked, Problem};

pub(super) fn rules(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&["exclude_export_details", "file_name"])?;
    let details = if flag(asked, "exclude_export_details", false)? {
        ExportDetails::LeftOut
    } else {
        ExportDetails::Told
    };
    let shelf = Shelf::open(asked)?;
    let wanted = wanted(asked)?;
    let all = shelf.all()?;
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    match wanted {
        None => found = all,
        Some(ids) => {
            for id in ids {
                match all.iter().find(|it| it.rule.rule_id == id) {
                    Some(entry) => found.push(entry.clone()),
                    None => missing.push(id),
                }
            }
        }
    }
    let text = exported(asked, &shelf, &found, &missing, details)?;
    Ok(ndjson(text, asked.query.get("file_name").unwrap_or("export.ndjson")))
}

/// Rules with the exceptions that they name.
pub(super) fn exported(
    asked: &Asked<'_>,
    shelf: &Shelf<'_>,
    found: &[Entry],
    missing: &[String],
    details: ExportDetails,
) -> Result<String, Problem> {
    let rules: Vec<(&Rule, Object)> =
        found.iter().map(|it| (&it.rule, it.exported(asked.app.started_ms))).collect();
    Ok(rule::to_ndjson_of(&rules, &shelf.in_force()?.exceptions, missing, details))
}

/// The `rule_id`s that are asked for; all, if none is named.
fn wanted(asked: &Asked<'_>) -> Result<Option<Vec<String>>, Problem> {
    if asked.body.iter().all(u8::is_ascii_whitespace) {
        return Ok(None);
    }
    let body = asked.json()?;
    if body.is_null() {
        return Ok(None);
    }
    let objects = body.get("objects").and_then(Value::as_array);
    let objects = objects.ok_or_else(|| wrong("objects: expected a list of {\"rule_id\": …}"))?;
    let id = |it: &Value| it.get("rule_id").and_then(Value::as_str).map(str::to_owned);
    let ids: Option<Vec<String>> = objects.iter().map(id).collect();
    ids.map(Some).ok_or_else(|| wrong("objects: each has a `rule_id`"))
}
