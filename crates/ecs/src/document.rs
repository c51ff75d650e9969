//! Documents: JSON trees in which nested objects and dotted keys are the same path.

use serde_json::Value;

use crate::{Millis, Object, Scalar, Shape};

/// How deep the values of a document may lie; what is deeper is not seen. Elasticsearch refuses such documents.
pub(crate) const MAX_DEPTH: usize = 256;

/// The values of `path` in a document, in the order of the document.
///
/// The slow and obvious way: it looks at every leaf. [`Wanted`](crate::Wanted) does the same for many paths.
pub fn values(document: &Object, path: &str, shape: Shape, mut found: impl FnMut(Scalar<'_>)) {
    match shape {
        Shape::Leaf => leaves(document, None, 0, &mut |at, value| {
            if at == path {
                found(value);
            }
        }),
        Shape::FlattenedRoot => leaves(document, None, 0, &mut |at, value| {
            if let Some(key) = at.strip_prefix(path).and_then(|rest| rest.strip_prefix('.')) {
                found(Scalar::Str(&format!("{key}\0{}", value.text())));
            }
        }),
        Shape::Nested => elements(document, None, path, 0, &mut |text| found(Scalar::Str(text))),
    }
}

/// The value at `path`: the literal key first, then every way of cutting the path at a dot.
pub fn lookup<'a>(document: &'a Object, path: &str) -> Option<&'a Value> {
    if let Some(value) = document.get(path) {
        return Some(value);
    }
    // Goes no deeper than the document, and only where it has the key.
    path.match_indices('.').find_map(|(at, _)| match document.get(&path[..at])? {
        Value::Object(inner) => lookup(inner, &path[at + 1..]),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => None,
    })
}

/// A single value, out of its list if it is in one: Kibana shows every value in a list. Of several it is the first.
pub fn first(value: &Value) -> Option<&Value> {
    value.as_array().map_or(Some(value), |list| list.first())
}

/// A document's `@timestamp`, if that is a date.
pub fn timestamp(document: &Object) -> Option<Millis> {
    date(document.get("@timestamp")?)
}

/// The date that a value is, or the first of several.
pub fn date(value: &Value) -> Option<Millis> {
    match first(value)? {
        Value::String(text) => crate::date::parse(text).ok(),
        Value::Number(number) => number.as_i64(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// One value or the elements of an array.
pub fn list(value: Option<&Value>) -> &[Value] {
    match value {
        None => &[],
        Some(Value::Array(values)) => values,
        Some(value) => std::slice::from_ref(value),
    }
}

/// Calls with the dotted path and the value of every leaf.
fn leaves(object: &Object, prefix: Option<&str>, depth: usize, found: &mut dyn FnMut(&str, Scalar<'_>)) {
    for (key, value) in object {
        let path = join(prefix, key);
        each(value, depth, &mut |value, depth| match value {
            Value::Object(inner) => leaves(inner, Some(&path), depth, found),
            _ => {
                if let Some(value) = Scalar::of(value) {
                    found(&path, value);
                }
            }
        });
    }
}

/// Calls with the JSON text of every object at `wanted`.
fn elements(object: &Object, prefix: Option<&str>, wanted: &str, depth: usize, found: &mut dyn FnMut(&str)) {
    for (key, value) in object {
        let path = join(prefix, key);
        if let Some(rest) = path.strip_prefix(wanted).and_then(|rest| rest.strip_prefix('.'))
            && prefix.is_none_or(|it| it.len() < wanted.len())
        {
            found(&element_of(rest, value));
            continue;
        }
        each(value, depth, &mut |value, depth| {
            if let Value::Object(inner) = value {
                if path == wanted {
                    found(&value.to_string());
                } else {
                    elements(inner, Some(&path), wanted, depth, found);
                }
            }
        });
    }
}

/// The element of a nested field that a dotted key makes by itself: `"steps.n": 1` is `{"n": 1}`.
pub(crate) fn element_of(key: &str, value: &Value) -> String {
    format!("{{{}:{value}}}", Value::from(key))
}

/// Calls for a value, or for each item of an array, however deep.
pub(crate) fn each<'a>(value: &'a Value, depth: usize, found: &mut dyn FnMut(&'a Value, usize)) {
    match value {
        _ if depth > MAX_DEPTH => {}
        Value::Array(items) => items.iter().for_each(|item| each(item, depth + 1, found)),
        _ => found(value, depth + 1),
    }
}

fn join(prefix: Option<&str>, key: &str) -> String {
    prefix.map_or_else(|| key.to_owned(), |prefix| format!("{prefix}.{key}"))
}
