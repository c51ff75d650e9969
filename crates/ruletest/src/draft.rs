//! A test made of an alert.

use ecs::document::lookup;
use ecs::{Object, json};
use rule::Rule;
use serde_json::Value;

use crate::pseudonyms::Pseudonyms;

/// Why no test can be made of an alert.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DraftError {
    /// No event belongs to it.
    #[error("the alert carries no record of an event to make a test of")]
    NoEvent,
    /// What is kept of the event cannot be read.
    #[error("the record of its event cannot be read: {0}")]
    Unreadable(String),
}

/// The text of a test file, to be looked over and put beside the rule, made of alerts that belong together, each with the text of its record in `event.original`. What tells who or
/// where is replaced, the same by the same.
pub fn draft(rule: &Rule, alerts: &[Object]) -> Result<String, DraftError> {
    let mut records = Vec::new();
    for alert in alerts {
        let Some(text) = lookup(alert, "event.original").and_then(Value::as_str) else { continue };
        let record = json::parse(text).map_err(|it| DraftError::Unreadable(it.to_string()))?;
        if !records.contains(&record) {
            records.push(record);
        }
    }
    if records.is_empty() {
        return Err(DraftError::NoEvent);
    }
    redact(&mut records);
    let mut yaml = format!(
        "# Made of an alert; names, addresses and numbers are replaced. Say in `name` what the test shows.\nrule: {}\ntests:\n  - name: {}\n    events:\n",
        quoted(&rule.rule_id),
        quoted(&format!("{} (from an alert)", rule.name)),
    );
    yaml += &events(&records);
    yaml += "    alerts: 1\n";
    Ok(yaml)
}

/// Replaces what tells who or where in records, the same by the same in all of them.
pub fn redact(records: &mut [Value]) {
    let mut pseudonyms = Pseudonyms::of(records);
    for record in records {
        pseudonyms.replace(record);
    }
}

/// Records as the events of a test, as they stand below `events:` in its file.
pub fn events(records: &[Value]) -> String {
    let mut yaml = String::new();
    for record in records {
        yaml += "      - ";
        block(&mut yaml, record, 8);
    }
    yaml
}

/// Writes a value as YAML, its first line where the text stands, the others at that column.
pub(crate) fn block(out: &mut String, value: &Value, column: usize) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (at, (key, value)) in fields.iter().enumerate() {
                if at > 0 {
                    out.extend(std::iter::repeat_n(' ', column));
                }
                out.push_str(&quoted(key));
                out.push(':');
                inner(out, value, column);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.extend(std::iter::repeat_n(' ', column));
                }
                out.push_str("- ");
                block(out, item, column + 2);
            }
        }
        other => {
            out.push_str(&scalar(other));
            out.push('\n');
        }
    }
}

fn inner(out: &mut String, value: &Value, column: usize) {
    let is_block = match value {
        Value::Object(fields) => !fields.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => false,
    };
    if is_block {
        out.push('\n');
        out.extend(std::iter::repeat_n(' ', column + 2));
        block(out, value, column + 2);
    } else {
        out.push(' ');
        out.push_str(&scalar(value));
        out.push('\n');
    }
}

/// JSON is YAML; a word that can mean nothing else needs no quotes.
fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        other => other.to_string(),
    }
}

fn quoted(text: &str) -> String {
    if is_plain(text) { text.to_owned() } else { Value::from(text).to_string() }
}

/// Letters first, and nothing after them that YAML could take for more than a word.
fn is_plain(text: &str) -> bool {
    let is_word = |it: char| it.is_ascii_alphanumeric() || matches!(it, '_' | '-' | '.' | '/');
    let reserved = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    text.starts_with(|it: char| it.is_ascii_alphabetic())
        && text.chars().all(is_word)
        && !reserved.contains(&text.to_ascii_lowercase().as_str())
}
