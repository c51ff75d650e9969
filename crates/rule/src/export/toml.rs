//! The TOML of Elastic's rule repository.

use serde_json::Value;
use toml::{Table, Value as Toml};

use super::named;
use crate::exceptions::Exceptions;
use crate::format::field;
use crate::{Rule, RuleKind};

/// What an installed copy has of its own, and no rule file.
const OF_A_COPY: [&str; 10] = [
    "id",
    "revision",
    "created_at",
    "created_by",
    "updated_at",
    "updated_by",
    "immutable",
    "rule_source",
    "execution_summary",
    "outcome",
];

/// The rule as a file of the rule repository, with its guide.
pub fn rule_to_toml(rule: &Rule) -> String {
    let mut out = Table::new();
    if let Some(maturity) = &rule.maturity {
        let metadata = Table::from_iter([("maturity".to_owned(), Toml::from(maturity.as_str()))]);
        out.insert("metadata".to_owned(), Toml::Table(metadata));
    }
    let mut table = Table::new();
    for (key, value) in &rule.api() {
        let is_default = || {
            let default =
                field(key).and_then(|it| it.default).and_then(|it| serde_json::from_str::<Value>(it).ok());
            default.as_ref() == Some(value)
        };
        // The note of a rule with a guide is made of it.
        let is_made = key == "note" && rule.guide.is_some() && rule.source.rule.get("note").is_none();
        let is_moved = matches!(rule.kind, RuleKind::NewTerms(_))
            && matches!(key.as_str(), "new_terms_fields" | "history_window_start");
        if OF_A_COPY.contains(&key.as_str()) || is_moved || is_made || is_default() {
            continue;
        }
        if let Some(value) = of_json(value) {
            table.insert(key.clone(), value);
        }
    }
    if let RuleKind::NewTerms(terms) = &rule.kind {
        let history = Table::from_iter([
            ("field".to_owned(), Toml::from("history_window_start")),
            ("value".to_owned(), Toml::from(terms.history_window_start.text())),
        ]);
        let new_terms = Table::from_iter([
            ("field".to_owned(), Toml::from("new_terms_fields")),
            (
                "value".to_owned(),
                Toml::Array(terms.fields.iter().map(|it| Toml::from(it.as_str())).collect()),
            ),
            ("history_window_start".to_owned(), Toml::Array(vec![Toml::Table(history)])),
        ]);
        table.insert("new_terms".to_owned(), Toml::Table(new_terms));
    }
    out.insert("rule".to_owned(), Toml::Table(table));
    if let Some(guide) = rule.source.guide.as_ref().and_then(|it| of_json(&it.to_json())) {
        out.insert("guide".to_owned(), guide);
    }
    written(&out)
}

/// The exception lists that these rules name, as `[[exceptions]]`; nothing if none of them was loaded.
pub fn exceptions_to_toml<'r>(
    rules: impl IntoIterator<Item = &'r Rule>,
    exceptions: &Exceptions,
) -> Option<String> {
    let wanted: std::collections::BTreeSet<_> =
        rules.into_iter().flat_map(|it| it.exceptions_list.iter().map(named)).collect();
    let lists: Vec<Toml> = wanted
        .iter()
        .filter_map(|key| exceptions.parts(key))
        .map(|(container, items)| {
            let items = items.iter().filter_map(of_json).collect();
            let parts = [("container", of_json(&container)), ("items", Some(Toml::Array(items)))];
            let parts = parts.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
            Toml::Table(parts.collect())
        })
        .collect();
    if lists.is_empty() {
        return None;
    }
    Some(written(&Table::from_iter([("exceptions".to_owned(), Toml::Array(lists))])))
}

/// The name of a rule's file: its name in words that every file system takes.
pub fn file_name(rule: &Rule) -> String {
    let mut name = String::new();
    for it in rule.name.chars() {
        if it.is_alphanumeric() {
            name.extend(it.to_lowercase());
        } else if !name.is_empty() && !name.ends_with('_') {
            name.push('_');
        }
    }
    let name = name.trim_end_matches('_');
    if name.is_empty() { format!("{}.toml", rule.rule_id) } else { format!("{name}.toml") }
}

fn written(table: &Table) -> String {
    toml::to_string_pretty(table).expect("tables of strings, numbers, lists and tables can be written")
}

/// The value in TOML; nothing for `null`, which TOML does not have and which counts as absent. A number that is
/// neither a whole one of 64 bits nor has a value as a double stays a text.
fn of_json(value: &Value) -> Option<Toml> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(flag) => Toml::Boolean(*flag),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Toml::Integer(whole),
            (None, Some(double)) if double.is_finite() => Toml::Float(double),
            (None, _) => Toml::String(number.to_string()),
        },
        Value::String(text) => Toml::String(text.clone()),
        Value::Array(items) => Toml::Array(items.iter().filter_map(of_json).collect()),
        Value::Object(fields) => Toml::Table(
            fields.iter().filter_map(|(key, value)| Some((key.clone(), of_json(value)?))).collect(),
        ),
    })
}
