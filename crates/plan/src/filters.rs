//! Kibana's filters: the narrowing conditions beside a rule's query.

use ecs::{Catalog, Object};
use serde_json::Value;

use crate::dsl::{DslError, DslErrorKind, Parser, Placed};
use crate::{Bool, LeafKind, Query};

/// How deep combined filters may nest.
const MAX_DEPTH: usize = 50;

/// Reads the filters of a rule: all must hold, those with `meta.negate` must not. Disabled ones are left out,
/// old shapes are read as Kibana migrates them, and what asks a nested field is wrapped to do so.
pub fn parse(filters: &[Value], catalog: &Catalog) -> Result<Query, Vec<DslError>> {
    let mut parser = Parser::default();
    let query = all(&mut parser, filters, catalog, 0);
    if parser.errors.is_empty() { Ok(Query::Bool(query)) } else { Err(parser.errors) }
}

/// What filters ask, also those with which [`parse`] finds something wrong.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Asked {
    /// The questions about fields, in the order of the text.
    pub fields: Vec<Placed>,
    /// Where the texts of queries in Lucene stand.
    pub lucene: Vec<String>,
}

/// What the filters of a rule ask. The paths begin with `filters[0]`.
pub fn asked(filters: &[Value], catalog: &Catalog) -> Asked {
    let mut parser = Parser::default();
    all(&mut parser, filters, catalog, 0);
    Asked { fields: parser.placed, lucene: parser.lucene }
}

/// All of them.
fn all(parser: &mut Parser, filters: &[Value], catalog: &Catalog, depth: usize) -> Bool {
    let mut query = Bool::default();
    for (at, filter) in filters.iter().enumerate() {
        match one(parser, filter, catalog, at, depth) {
            Some((clause, false)) => query.filter.push(clause),
            Some((clause, true)) => query.must_not.push(clause),
            None => {}
        }
    }
    query
}

/// The filter's query, and whether it is negated.
fn one(
    parser: &mut Parser,
    filter: &Value,
    catalog: &Catalog,
    at: usize,
    depth: usize,
) -> Option<(Query, bool)> {
    let empty = Object::new();
    parser.at(if depth == 0 { format!("filters.[{at}]") } else { format!("params.[{at}]") }, |parser| {
        let filter = match filter {
            Value::Null => return None,
            Value::Object(filter) => filter,
            _ => return Some((parser.expected("an object with `meta` and `query`"), false)),
        };
        let meta = filter.get("meta").and_then(Value::as_object).unwrap_or(&empty);
        let is = |name: &str| meta.get(name) == Some(&Value::Bool(true));
        if is("disabled") {
            return None;
        }
        let combined = meta.get("type").and_then(Value::as_str) == Some("combined");
        let query = if combined {
            parser.at("meta", |parser| relation(parser, meta, catalog, depth))
        } else {
            in_nested(body(parser, filter), catalog)
        };
        Some((query, is("negate")))
    })
}

/// The filters that a combined one joins.
fn relation(parser: &mut Parser, meta: &Object, catalog: &Catalog, depth: usize) -> Query {
    if depth == MAX_DEPTH {
        return parser.fail(DslErrorKind::TooDeep { limit: MAX_DEPTH });
    }
    let Some(Value::Array(filters)) = meta.get("params") else {
        return parser.expected("`params`, a list of filters");
    };
    match meta.get("relation").and_then(Value::as_str) {
        Some(word) if word.eq_ignore_ascii_case("and") => {
            Query::Bool(all(parser, filters, catalog, depth + 1))
        }
        Some(word) if word.eq_ignore_ascii_case("or") => {
            let clauses = filters.iter().enumerate().filter_map(|(at, filter)| {
                let (clause, negate) = one(parser, filter, catalog, at, depth + 1)?;
                Some(if negate { not(clause) } else { clause })
            });
            let should = clauses.collect();
            Query::Bool(Bool { should, minimum_should_match: Some(1), ..Bool::default() })
        }
        _ => parser.expected("`relation`, AND or OR"),
    }
}

/// The query of a filter, or what old filters have beside `meta` instead of it.
fn body(parser: &mut Parser, filter: &Object) -> Query {
    if let Some(query) = filter.get("query") {
        return parser.at("query", |parser| parser.query(query));
    }
    let mut old = filter.iter().filter(|(name, _)| !matches!(name.as_str(), "meta" | "$state"));
    match (old.next(), old.next()) {
        (Some((name, body)), None) if name == "missing" => match body.get("field").and_then(Value::as_str) {
            Some(field) => {
                let ask = |parser: &mut Parser| parser.leaf(field, LeafKind::Exists, None);
                not(parser.at("missing", |parser| parser.at("field", ask)))
            }
            None => parser.expected("`missing` with `field`, a name"),
        },
        (Some((name, body)), None) => {
            parser.query(&Value::Object(Object::from_iter([(name.clone(), body.clone())])))
        }
        _ => parser.expected("an object with `meta` and `query`"),
    }
}

fn not(query: Query) -> Query {
    Query::Bool(Bool { must_not: vec![query], ..Bool::default() })
}

/// A query on fields of one nested field asks its objects, as Kibana has it.
fn in_nested(query: Query, catalog: &Catalog) -> Query {
    let mut paths = Vec::new();
    nested_paths(&query, catalog, &mut paths);
    match paths.as_slice() {
        [Some(path), rest @ ..] if rest.iter().all(|it| *it == Some(*path)) => {
            let path = (*path).to_owned();
            Query::Nested { path, query: Box::new(query), span: None }
        }
        _ => query,
    }
}

/// For every leaf, the nested field it lies in; nothing for what is wrapped already.
fn nested_paths<'a>(query: &'a Query, catalog: &'a Catalog, paths: &mut Vec<Option<&'a str>>) {
    match query {
        Query::MatchAll | Query::MatchNone | Query::Nested { .. } => paths.push(None),
        Query::Bool(Bool { must, filter, should, must_not, .. }) => {
            for clause in must.iter().chain(filter).chain(should).chain(must_not) {
                nested_paths(clause, catalog, paths);
            }
        }
        Query::Lenient(query) => nested_paths(query, catalog, paths),
        Query::Leaf(leaf) => paths.push(leaf.field.as_deref().and_then(|it| catalog.nested_of(it))),
    }
}
