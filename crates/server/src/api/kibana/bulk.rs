//! The same with many rules.

use ecs::Object;
use live::Edit;
use rule::ExportDetails;
use serde_json::{Value, json};

use super::super::shelf::{Entry, Origin, Shelf, random_id};
use super::{export, find, flag, ndjson, object, text, texts, wrong};
use crate::http::{Answer, Asked, Kind, Problem};

/// Rules that one request is about.
const RULES_MAX: usize = 10_000;

/// What is done with each of them.
enum Action {
    Enable(bool),
    Delete,
    Duplicate,
    Edit(Vec<Change>),
}

/// A change of a rule.
enum Change {
    /// Something is added to a list, taken from it, or is all of it.
    List { field: &'static str, how: How, values: Vec<String> },
    /// Other times of executions.
    Schedule { interval: String, lookback: String },
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    Add,
    Delete,
    Set,
}

/// What became of the rules.
#[derive(Default)]
struct Done {
    updated: Vec<Value>,
    created: Vec<Value>,
    deleted: Vec<Value>,
    skipped: Vec<Value>,
    errors: Vec<Value>,
}

pub(super) fn act(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&["dry_run"])?;
    let is_dry = flag(asked, "dry_run", false)?;
    let body = object(asked)?;
    let name = text(&body, "action")?.ok_or_else(|| wrong("action: Required"))?;
    let mut shelf = Shelf::open(asked)?;
    let (chosen, missing) = chosen(&shelf, &body)?;
    let action = match name {
        "export" => {
            let text = export::exported(asked, &shelf, &chosen, &missing, ExportDetails::Told)?;
            return Ok(ndjson(text, "rules_export.ndjson"));
        }
        "enable" => Action::Enable(true),
        "disable" => Action::Enable(false),
        "delete" => Action::Delete,
        "duplicate" => Action::Duplicate,
        "edit" => Action::Edit(changes(&body)?),
        other => {
            let detail = format!(
                "action: `{other}` is not supported; there are enable, disable, delete, duplicate, export, edit"
            );
            return Err(Problem::new(Kind::NotSupported, detail));
        }
    };
    let total = chosen.len() + missing.len();
    let work = |shelf: &Shelf<'_>, edit: &mut Edit<'_>| -> Result<Done, Problem> {
        let mut done = Done::default();
        for id in &missing {
            done.errors.push(json!({"message": "Rule not found", "status_code": 404, "rules": [{"id": id}]}));
        }
        for entry in &chosen {
            if let Err(problem) = one(shelf, edit, entry, &action, &mut done) {
                let (code, status, _, _) = problem.kind.told();
                let rules = json!([{"id": entry.rule.id, "name": entry.rule.name}]);
                done.errors.push(json!({"message": problem.detail, "status_code": status, "err_code": code, "rules": rules}));
            }
        }
        Ok(done)
    };
    let done = if is_dry {
        // All of it is done, and given up.
        let mut found = None;
        let refused = shelf.change(|shelf, edit| {
            found = Some(work(shelf, edit)?);
            Err::<(), Problem>(Problem::new(Kind::Conflict, "a dry run changes nothing"))
        });
        found.map_or_else(|| refused.map(|()| Done::default()), Ok)?
    } else {
        let done = shelf.change(work)?;
        let details = [
            ("action", Value::from(name)),
            ("rules", (total - done.errors.len()).into()),
            ("errors", done.errors.len().into()),
            ("by", asked.author().into()),
        ];
        asked.app.log.info("SRV049", "rules were changed", &details);
        done
    };
    let (failed, skipped) = (done.errors.len(), done.skipped.len());
    let mut attributes = json!({
        "results": {"updated": done.updated, "created": done.created, "deleted": done.deleted, "skipped": done.skipped},
        "summary": {"failed": failed, "skipped": skipped, "succeeded": total - failed - skipped, "total": total},
    });
    if failed == 0 {
        return Ok(Answer::json(&json!({"success": true, "rules_count": total, "attributes": attributes})));
    }
    attributes["errors"] = done.errors.into();
    let message = if failed == total { "Bulk edit failed" } else { "Bulk edit partially failed" };
    // In Kibana this is a 500; it is no fault of the server.
    Ok(Answer::json_of(
        400,
        &json!({
            "success": false, "statusCode": 400, "status_code": 400, "error": "Bad Request", "message": message, "code": "API008",
            "rules_count": total, "attributes": attributes,
        }),
    ))
}

/// The rules that are meant, and the ids of those that are not there.
fn chosen(shelf: &Shelf<'_>, body: &Object) -> Result<(Vec<Entry>, Vec<String>), Problem> {
    let ids = texts(body, "ids")?;
    let query = text(body, "query")?;
    if !ids.is_empty() && query.is_some() {
        return Err(wrong("Both query and ids are sent. Define either ids or query in request payload."));
    }
    let all = shelf.all()?;
    let (found, missing) = if ids.is_empty() {
        (find::matching(shelf, query.unwrap_or_default(), all)?, Vec::new())
    } else {
        let (mut found, mut missing): (Vec<Entry>, Vec<String>) = (Vec::new(), Vec::new());
        for id in ids {
            // Tools that keep rules in files know them by their `rule_id`.
            match all.iter().find(|it| it.rule.id == id || it.rule.rule_id == id) {
                Some(entry) if found.iter().all(|it| it.rule.id != entry.rule.id) => {
                    found.push(entry.clone());
                }
                Some(_) => {}
                None => missing.push(id),
            }
        }
        (found, missing)
    };
    if found.len() > RULES_MAX {
        return Err(wrong(format!(
            "More than {RULES_MAX} rules matched the filter query. Try to narrow it down."
        )));
    }
    Ok((found, missing))
}

fn one(
    shelf: &Shelf<'_>,
    edit: &mut Edit<'_>,
    entry: &Entry,
    action: &Action,
    done: &mut Done,
) -> Result<(), Problem> {
    let started = 0;
    match action {
        Action::Enable(is_enabled) => {
            if entry.is_enabled == *is_enabled {
                done.skipped.push(
                    json!({"id": entry.rule.id, "name": entry.rule.name, "skip_reason": "RULE_NOT_MODIFIED"}),
                );
                return Ok(());
            }
            let fields = Object::from_iter([("enabled".to_owned(), Value::Bool(*is_enabled))]);
            let changed = shelf.patch(edit, entry, &fields)?;
            done.updated.push(Value::Object(changed.exported(started)));
        }
        Action::Delete => {
            Shelf::remove(edit, entry)?;
            done.deleted.push(Value::Object(entry.exported(started)));
        }
        Action::Duplicate => {
            let mut fields = entry.exported(started);
            fields.shift_remove("id");
            fields.insert("rule_id".to_owned(), random_id()?.into());
            fields.insert("name".to_owned(), format!("{} [Duplicate]", entry.rule.name).into());
            fields.insert("enabled".to_owned(), false.into());
            let rule = Shelf::read(&fields)?;
            done.created.push(Value::Object(shelf.add(edit, &rule)?.exported(started)));
        }
        Action::Edit(changes) => {
            let mut fields = Object::new();
            for change in changes {
                changed(entry, change, &mut fields)?;
            }
            let api = entry.rule.api();
            if fields.iter().all(|(key, value)| api.get(key) == Some(value)) {
                done.skipped.push(
                    json!({"id": entry.rule.id, "name": entry.rule.name, "skip_reason": "RULE_NOT_MODIFIED"}),
                );
                return Ok(());
            }
            if matches!(entry.origin, Origin::File(_)) {
                return Err(Problem::new(
                    Kind::NotSupported,
                    "Elastic rule can't be edited: it stands in a file, or is built in",
                ));
            }
            let changed = shelf.patch(edit, entry, &fields)?;
            done.updated.push(Value::Object(changed.exported(started)));
        }
    }
    Ok(())
}

/// What a change makes of a rule's fields.
fn changed(entry: &Entry, change: &Change, fields: &mut Object) -> Result<(), Problem> {
    match change {
        Change::Schedule { interval, lookback } => {
            let of =
                |text: &str| text.parse::<rule::Interval>().map_err(|it| wrong(format!("edit: value: {it}")));
            let (every, back) = (of(interval)?, of(lookback)?);
            let seconds = (every.millis() + back.millis()) / 1_000;
            fields.insert("interval".to_owned(), interval.as_str().into());
            fields.insert("from".to_owned(), format!("now-{seconds}s").into());
            fields.insert("to".to_owned(), "now".into());
        }
        Change::List { field, how, values } => {
            if *field == "index" && !entry.reads_index() {
                return Err(wrong(format!(
                    "Index patterns can't be edited: a rule of type {} has none",
                    entry.rule.kind.type_name()
                )));
            }
            let now = fields.get(*field).cloned().unwrap_or_else(|| match *field {
                "index" => entry.rule.index.clone().into(),
                _ => entry.rule.tags.clone().into(),
            });
            let mut now: Vec<String> = now
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|it| it.as_str().map(str::to_owned))
                .collect();
            match how {
                How::Set => now.clone_from(values),
                How::Add => {
                    now.extend(values.iter().filter(|it| !entry_has(&now, it)).cloned().collect::<Vec<_>>());
                }
                How::Delete => now.retain(|it| !values.contains(it)),
            }
            if *field == "index" && now.is_empty() {
                return Err(wrong("Index patterns can't be empty: the rule would read everything"));
            }
            fields.insert((*field).to_owned(), now.into());
        }
    }
    Ok(())
}

fn entry_has(list: &[String], value: &str) -> bool {
    list.iter().any(|it| it == value)
}

/// What is to be edited.
fn changes(body: &Object) -> Result<Vec<Change>, Problem> {
    let edits = body.get("edit").and_then(Value::as_array).filter(|it| !it.is_empty());
    let edits = edits.ok_or_else(|| wrong("edit: expected a list of {\"type\": …, \"value\": …}"))?;
    let one = |edit: &Value| -> Result<Change, Problem> {
        let kind = edit.get("type").and_then(Value::as_str).unwrap_or_default();
        let (how, what) = kind.split_once('_').unwrap_or_default();
        let how = match how {
            "add" => How::Add,
            "delete" => How::Delete,
            "set" => How::Set,
            _ => return Err(unknown(kind)),
        };
        let value = || edit.get("value").cloned().unwrap_or_default();
        let list = |field| {
            let body = Object::from_iter([("value".to_owned(), value())]);
            Ok(Change::List { field, how, values: texts(&body, "value")? })
        };
        match what {
            "tags" => list("tags"),
            "index_patterns" => list("index"),
            "schedule" if how == How::Set => {
                let value = value();
                let part = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
                match (part("interval"), part("lookback")) {
                    (Some(interval), Some(lookback)) => Ok(Change::Schedule { interval, lookback }),
                    _ => Err(wrong("edit: set_schedule has an `interval` and a `lookback`")),
                }
            }
            _ => Err(unknown(kind)),
        }
    };
    edits.iter().map(one).collect()
}

fn unknown(kind: &str) -> Problem {
    let detail = format!(
        "edit: `{kind}` is not supported; there are add_, delete_ and set_ of tags and index_patterns, and set_schedule"
    );
    Problem::new(Kind::NotSupported, detail)
}
