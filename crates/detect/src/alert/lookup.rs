//! Finds values in a document, whether its keys are dotted, nested or both.

use ecs::Object;
use serde_json::Value;

/// The value at `path`: the literal key first, then every way of cutting the path at a dot.
pub(super) fn lookup<'a>(document: &'a Object, path: &str) -> Option<&'a Value> {
    if let Some(value) = document.get(path) {
        return Some(value);
    }
    // Goes no deeper than the document, and only where it has the key.
    path.match_indices('.').find_map(|(at, _)| match document.get(&path[..at])? {
        Value::Object(inner) => lookup(inner, &path[at + 1..]),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => None,
    })
}

/// One value or the elements of an array.
pub(super) fn each(value: Option<&Value>) -> &[Value] {
    match value {
        None => &[],
        Some(Value::Array(values)) => values,
        Some(value) => std::slice::from_ref(value),
    }
}
