//! Takes from a document what an alert's index would refuse.

use std::net::IpAddr;

use ecs::{Catalog, FieldType, Object};
use serde_json::Value;

/// What lies deeper in a document is kept as it stands.
const DEPTH_MAX: usize = 100;

/// First segments of paths that belong to alerts and not to events.
const RESERVED: [&str; 3] = ["kibana", "signal", "threshold_result"];

/// First segments of paths that the catalogue knows beyond ECS: only ECS types are enforced.
const NOT_ECS: [&str; 3] = ["aws", "elastic_agent", "input"];

/// Removes the fields of alerts, values that do not fit the ECS type of their path, and what is empty then.
pub(super) fn clean(document: &mut Object, catalog: &Catalog) {
    document.retain(|key, value| {
        let root = key.split('.').next().unwrap_or(key);
        !RESERVED.contains(&root)
            && keep(value, key, 0, (!NOT_ECS.contains(&root)).then_some(catalog), DEPTH_MAX)
    });
}

/// Cleans the value at `path`, of which the last key begins at `key`; says whether to keep it.
fn keep(value: &mut Value, path: &str, key: usize, catalog: Option<&Catalog>, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return true };
    match value {
        Value::Array(values) => {
            values.retain_mut(|value| keep(value, path, key, catalog, depth));
            !values.is_empty()
        }
        Value::Object(inner) => {
            if catalog.is_some_and(|it| !fits_object(path, key, it)) {
                return false;
            }
            inner
                .retain(|name, value| keep(value, &format!("{path}.{name}"), path.len() + 1, catalog, depth));
            !inner.is_empty()
        }
        Value::Null => true,
        Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            catalog.is_none_or(|it| fits(value, path, key, it))
        }
    }
}

/// Whether the keys on the way to `path`, from the byte `key` on, can hold something.
fn passable(path: &str, key: usize, catalog: &Catalog) -> bool {
    path[key..]
        .match_indices('.')
        .all(|(at, _)| catalog.get(&path[..key + at]).is_none_or(|it| is_container(it.ty)))
}

const fn is_container(ty: FieldType) -> bool {
    matches!(ty, FieldType::Object | FieldType::Nested | FieldType::Flattened)
}

fn fits_object(path: &str, key: usize, catalog: &Catalog) -> bool {
    passable(path, key, catalog)
        && catalog.get(path).is_none_or(|it| is_container(it.ty) || it.ty == FieldType::GeoPoint)
}

/// Which values of a path stay, as far as that is known before one is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    /// All that holds nothing empty.
    Anything,
    /// Texts, numbers, booleans, and lists of them.
    Values,
    /// Those of these that a field of this type takes.
    Of(FieldType),
    /// None.
    Nothing,
}

/// Which values at `path` stay, in a document whose keys have no dots.
pub(super) fn fit(path: &str, catalog: &Catalog) -> Fit {
    let root = path.split('.').next().unwrap_or(path);
    if RESERVED.contains(&root) {
        return Fit::Nothing;
    }
    if NOT_ECS.contains(&root) {
        return Fit::Anything;
    }
    let mut objects = path.match_indices('.').map(|(at, _)| &path[..at]);
    if !objects.all(|object| fits_object(object, last_key(object), catalog)) {
        return Fit::Nothing;
    }
    match catalog.get(path).map(|it| it.ty) {
        None if catalog.under(path).next().is_none() => Fit::Values,
        None | Some(FieldType::Object | FieldType::Nested | FieldType::Flattened) => Fit::Nothing,
        Some(ty) if takes_all(ty) => Fit::Values,
        Some(ty) => Fit::Of(ty),
    }
}

/// Whether a field of this type takes the value, a text, number or boolean or a list of them, as it is.
pub(super) fn stays(value: &Value, ty: FieldType) -> bool {
    match value {
        Value::Array(values) => !values.is_empty() && values.iter().all(|it| takes(ty, it)),
        value => takes(ty, value),
    }
}

/// Where the last key of a path begins.
fn last_key(path: &str) -> usize {
    path.rfind('.').map_or(0, |dot| dot + 1)
}

/// Whether a field takes whatever is no object. Points have many forms and are not checked.
const fn takes_all(ty: FieldType) -> bool {
    matches!(
        ty,
        FieldType::GeoPoint
            | FieldType::Keyword
            | FieldType::ConstantKeyword
            | FieldType::Wildcard
            | FieldType::Text
            | FieldType::MatchOnlyText
            | FieldType::Version
    )
}

fn fits(value: &Value, path: &str, key: usize, catalog: &Catalog) -> bool {
    if !passable(path, key, catalog) {
        return false;
    }
    catalog.get(path).map_or_else(|| catalog.under(path).next().is_none(), |it| takes(it.ty, value))
}

/// Whether a field of this type takes a value that is no list and no object.
fn takes(ty: FieldType, value: &Value) -> bool {
    let number = || match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse::<f64>().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    match ty {
        FieldType::Object | FieldType::Nested | FieldType::Flattened => false,
        FieldType::Long
        | FieldType::Integer
        | FieldType::Short
        | FieldType::Byte
        | FieldType::UnsignedLong => {
            number().is_some_and(|it| it.is_finite() && (value.is_string() || it.fract() == 0.0))
        }
        FieldType::Double | FieldType::Float | FieldType::HalfFloat | FieldType::ScaledFloat => {
            number().is_some_and(f64::is_finite)
        }
        FieldType::Ip => value.as_str().is_some_and(|it| it.parse::<IpAddr>().is_ok()),
        FieldType::Date | FieldType::DateNanos => match value.as_str() {
            Some(text) => ecs::date::parse(text).is_ok(),
            None => value.is_number(),
        },
        FieldType::Boolean => value.is_boolean() || matches!(value.as_str(), Some("true" | "false" | "")),
        // Points have many forms and are not checked.
        FieldType::GeoPoint
        | FieldType::Keyword
        | FieldType::ConstantKeyword
        | FieldType::Wildcard
        | FieldType::Text
        | FieldType::MatchOnlyText
        | FieldType::Version => true,
    }
}

/// Adds a copy of every leaf at and under the top-level key `root` to `into`, under `prefix`.
pub(super) fn copy_flat(document: &Object, root: &str, prefix: &str, into: &mut Object) {
    for (key, value) in document {
        if let Some(rest) = key.strip_prefix(root)
            && (rest.is_empty() || rest.starts_with('.'))
        {
            flatten(value, format!("{prefix}{rest}"), into, DEPTH_MAX);
        }
    }
}

/// Adds the leaves of `value` under dotted keys that begin with `path`.
pub(super) fn flatten_at(value: &Value, path: &str, into: &mut Object) {
    flatten(value, path.to_owned(), into, DEPTH_MAX);
}

fn flatten(value: &Value, path: String, into: &mut Object, depth: usize) {
    match (value, depth.checked_sub(1)) {
        (Value::Object(inner), Some(depth)) => {
            for (key, value) in inner {
                flatten(value, format!("{path}.{key}"), into, depth);
            }
        }
        _ => {
            into.insert(path, value.clone());
        }
    }
}
