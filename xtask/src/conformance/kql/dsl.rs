//! Query text to Query DSL.
//!
//! Both sides are brought to one form before they are compared as a whole: `{"match": {"f": "x"}}` stands for
//! `{"match": {"f": {"query": "x"}}}`, a single clause of `bool` for a list of one, and a `query_string` that names
//! no fields is lenient.

use std::path::Path;

use anyhow::Context as _;
use ecs::{Catalog, Object};
use serde_json::{Value, json};

use super::super::CaseResult;
use super::parse::sorted;

/// All cases of `parse.json`, key `dsl`.
pub(crate) fn cases(data: &Path) -> anyhow::Result<Vec<CaseResult>> {
    let file = super::read(data, "kql/parse.json")?;
    let fields = file.get("dsl_fields").and_then(Value::as_object).context("there are no `dsl_fields`")?;
    let catalog = catalog(fields)?;
    let mut results = Vec::new();
    for case in super::list(&file, "dsl")? {
        let is_set = |key: &str| case.get(key).and_then(Value::as_bool).unwrap_or(false);
        let listed = if is_set("without_field_list") { &Catalog::default() } else { &catalog };
        let got = translated(super::text(case, "query")?, listed, &options(case.get("config")));
        let expected = case.get("dsl").cloned().unwrap_or_default();
        let (expected, got) = (sorted(&normal(expected)), sorted(&normal(got)));
        results.push(CaseResult::compare(super::text(case, "id")?, expected, got));
    }
    Ok(results)
}

fn translated(query: &str, catalog: &Catalog, options: &::kql::Options) -> Value {
    let Ok(ast) = ::kql::parse(query) else { return json!("error") };
    match ::kql::to_query_with(&ast, catalog, options) {
        Ok(query) => plan::dsl::to_json(&query),
        Err(_) => json!("error"),
    }
}

fn options(config: Option<&Value>) -> ::kql::Options {
    let get = |key: &str| config.and_then(|config| config.get(key));
    ::kql::Options {
        case_insensitive: get("case_insensitive").and_then(Value::as_bool),
        time_zone: get("time_zone").and_then(Value::as_str).map(str::to_owned),
    }
}

/// The catalogue of fields given as a list of types, or as an object with the path of their nested field.
fn catalog(fields: &Object) -> anyhow::Result<Catalog> {
    let mut types = Object::new();
    for (name, field) in fields {
        let list = field.get("es_types").unwrap_or(field).as_array();
        let Some([ty]) = list.map(Vec::as_slice) else {
            anyhow::bail!("`{name}` has other than one type: {field}")
        };
        types.insert(name.clone(), ty.clone());
        let mut path = field.get("nested_path").and_then(Value::as_str);
        while let Some(nested) = path {
            types.insert(nested.to_owned(), json!("nested"));
            path = nested.rsplit_once('.').map(|(parent, _)| parent);
        }
    }
    Catalog::from_types(&types).map_err(|errors| anyhow::anyhow!("{errors:?}"))
}

fn normal(value: Value) -> Value {
    let object = match value {
        Value::Object(object) => object,
        Value::Array(values) => return values.into_iter().map(normal).collect(),
        other => return other,
    };
    let mut out = Object::new();
    for (name, body) in object {
        let mut body = normal(body);
        match (name.as_str(), &mut body) {
            ("match" | "match_phrase", Value::Object(fields)) => {
                for query in fields.values_mut().filter(|query| !query.is_object()) {
                    *query = json!({"query": query.take()});
                }
            }
            ("must" | "filter" | "should" | "must_not", clause) if !clause.is_array() => {
                *clause = json!([clause.take()]);
            }
            ("query_string", Value::Object(options)) if !options.contains_key("fields") => {
                options.insert("lenient".to_owned(), json!(true));
            }
            _ => {}
        }
        out.insert(name, body);
    }
    Value::Object(out)
}
