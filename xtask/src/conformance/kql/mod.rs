//! The suites of KQL that look at its own forms: text to tree, text to Query DSL.

mod dsl;
mod parse;

pub(crate) use dsl::cases as dsl_cases;
pub(crate) use parse::cases as parse_cases;

use std::path::Path;

use anyhow::Context as _;
use serde_json::Value;

/// A file with cases.
pub(super) fn read(data: &Path, name: &str) -> anyhow::Result<Value> {
    let path = data.join(name);
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is not JSON", path.display()))
}

/// The cases below `key`.
pub(super) fn list<'a>(value: &'a Value, key: &str) -> anyhow::Result<&'a Vec<Value>> {
    value.get(key).and_then(Value::as_array).with_context(|| format!("there is no list `{key}`"))
}

/// A text of a case.
pub(super) fn text<'a>(value: &'a Value, key: &str) -> anyhow::Result<&'a str> {
    value.get(key).and_then(Value::as_str).with_context(|| format!("a case has no text `{key}`: {value}"))
}
