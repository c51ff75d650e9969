//! Query to JSON.

use ecs::Object;
use serde_json::{Value, json};

use crate::{Bool, Leaf, LeafKind, Literal, Operator, Query, RangeBounds};

/// The query as Query DSL.
pub fn to_json(query: &Query) -> Value {
    match query {
        Query::MatchAll => json!({"match_all": {}}),
        Query::MatchNone => json!({"match_none": {}}),
        Query::Bool(query) => json!({"bool": bool(query)}),
        Query::Nested { path, query, .. } => {
            json!({"nested": {"path": path, "query": to_json(query), "score_mode": "none"}})
        }
        // Query DSL says of each question by itself whether it is lenient, and of some kinds it cannot.
        Query::Lenient(query) => to_json(query),
        Query::Leaf(leaf) => leaf_json(leaf),
    }
}

fn bool(query: &Bool) -> Object {
    let Bool { must, filter, should, must_not, minimum_should_match } = query;
    let mut object = Object::new();
    for (name, clauses) in [("must", must), ("filter", filter), ("should", should), ("must_not", must_not)] {
        if !clauses.is_empty() {
            object.insert(name.to_owned(), clauses.iter().map(to_json).collect());
        }
    }
    if let Some(least) = minimum_should_match {
        object.insert("minimum_should_match".to_owned(), (*least).into());
    }
    object
}

fn leaf_json(leaf: &Leaf) -> Value {
    let of_field = |name: &str, body: Value| match &leaf.field {
        Some(field) => json!({name: {field: body}}),
        None => json!({name: body}),
    };
    match &leaf.kind {
        LeafKind::Term { value, case_insensitive } => {
            of_field("term", long("value", json(value), *case_insensitive))
        }
        LeafKind::Terms(values) => of_field("terms", values.iter().map(json).collect()),
        LeafKind::Match { query, operator, lenient } => {
            let mut body = Object::from_iter([("query".to_owned(), json(query))]);
            if *operator == Operator::And {
                body.insert("operator".to_owned(), "and".into());
            }
            full_text(leaf, "match", "best_fields", body, *lenient)
        }
        LeafKind::MatchPhrase { query, slop, lenient } => {
            let mut body = Object::from_iter([("query".to_owned(), json(query))]);
            if *slop > 0 {
                body.insert("slop".to_owned(), (*slop).into());
            }
            full_text(leaf, "match_phrase", "phrase", body, *lenient)
        }
        LeafKind::Exists => match &leaf.field {
            Some(field) => json!({"exists": {"field": field}}),
            None => json!({"match_all": {}}),
        },
        LeafKind::Range(bounds) | LeafKind::WordRange(bounds) => of_field("range", range(bounds)),
        LeafKind::Fuzzy { value, edits } => of_field("fuzzy", json!({"value": value, "fuzziness": edits})),
        LeafKind::Word(pattern) => {
            of_field("wildcard", long("value", pattern.to_string().into(), pattern.fold()))
        }
        LeafKind::Wildcard { value, case_insensitive } => {
            of_field("wildcard", long("value", value.as_str().into(), *case_insensitive))
        }
        LeafKind::Prefix { value, case_insensitive } => {
            of_field("prefix", long("value", value.as_str().into(), *case_insensitive))
        }
        LeafKind::Regexp { value, flags, case_insensitive } => {
            let mut body = long("value", value.as_str().into(), *case_insensitive);
            if let Some(flags) = flags {
                body["flags"] = flags.as_str().into();
            }
            of_field("regexp", body)
        }
        LeafKind::Pattern { pieces, lenient } => {
            let words: Vec<String> = pieces
                .iter()
                .map(|piece| piece.iter().map(|part| escaped(part.as_deref())).collect())
                .collect();
            let mut body = json!({"query": words.join(" ")});
            if let Some(field) = &leaf.field {
                body["fields"] = json!([field]);
            }
            if *lenient {
                body["lenient"] = true.into();
            }
            json!({"query_string": body})
        }
        LeafKind::Ids(ids) => json!({"ids": {"values": ids}}),
    }
}

/// `match` and `match_phrase` on one field, `multi_match` on all, or on one where errors are passed over.
fn full_text(leaf: &Leaf, name: &str, ty: &str, mut body: Object, lenient: bool) -> Value {
    match &leaf.field {
        Some(field) if !lenient || name == "match" => {
            if lenient {
                body.insert("lenient".to_owned(), true.into());
            }
            json!({name: {field: body}})
        }
        field => {
            body.insert("type".to_owned(), ty.into());
            if let Some(field) = field {
                body.insert("fields".to_owned(), json!([field]));
            }
            body.insert("lenient".to_owned(), true.into());
            json!({"multi_match": body})
        }
    }
}

fn range(bounds: &RangeBounds) -> Value {
    let RangeBounds { gt, gte, lt, lte, time_zone, format } = bounds;
    let mut body = Object::new();
    for (name, bound) in [("gt", gt), ("gte", gte), ("lt", lt), ("lte", lte)] {
        if let Some(bound) = bound {
            body.insert(name.to_owned(), json(bound));
        }
    }
    for (name, option) in [("time_zone", time_zone), ("format", format)] {
        if let Some(option) = option {
            body.insert(name.to_owned(), option.as_str().into());
        }
    }
    Value::Object(body)
}

fn long(name: &str, value: Value, case_insensitive: bool) -> Value {
    let mut body = Value::Object(Object::from_iter([(name.to_owned(), value)]));
    if case_insensitive {
        body["case_insensitive"] = true.into();
    }
    body
}

fn json(literal: &Literal) -> Value {
    match literal {
        Literal::Null => Value::Null,
        Literal::Bool(value) => Value::Bool(*value),
        // As text where JSON has no such number.
        Literal::Number(text) => serde_json::from_str(text).unwrap_or_else(|_| text.as_str().into()),
        Literal::Text(text) => text.as_str().into(),
    }
}

/// A part of a word of a `query_string`.
fn escaped(part: Option<&str>) -> String {
    let Some(text) = part else { return "*".to_owned() };
    let mut escaped = String::new();
    for it in text.chars() {
        if "+-=&|><!(){}[]^\"~*?:\\/".contains(it) || it.is_whitespace() {
            escaped.push('\\');
        }
        escaped.push(it);
    }
    escaped
}
