//! What the checker makes of queries that others have: the columns that a node gives, and what it accepts.

mod common;

use std::collections::BTreeMap;
use std::sync::Arc;

use common::{peer_cases, public_rules};
use ecs::Catalog;
use esql::{Sources, TableColumn, Type};
use serde_json::{Map, Value};

/// The columns of the tables that the cases read, by name: their storage types.
fn tables() -> BTreeMap<String, Map<String, Value>> {
    let path = cases::shared_path("data/esql/indices.json").expect("it lies beside the cases");
    let text = std::fs::read_to_string(path).expect("it can be read");
    let all: Value = serde_json::from_str(&text).expect("it is JSON");
    let of = |it: &Value| {
        let columns = it["columns"].as_object().expect("they have names");
        columns.iter().map(|(name, column)| (name.clone(), column["type"].clone())).collect()
    };
    let indices = all["indices"].as_object().expect("they have names");
    indices.iter().map(|(name, it)| (name.clone(), of(it))).collect()
}

/// What a case may ask: the tables that it names after `FROM` as one.
fn sources(case: &Value, tables: &BTreeMap<String, Map<String, Value>>) -> Sources {
    let mut types = Map::new();
    for name in case["indices"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if !name.ends_with("_lookup") {
            for (name, ty) in tables.get(name).into_iter().flatten() {
                let scaled = serde_json::json!({"type": "scaled_float", "scaling_factor": 100});
                types.insert(name.clone(), if ty == "scaled_float" { scaled } else { ty.clone() });
            }
        }
    }
    let fields = Arc::new(Catalog::from_types(&types).expect("types are known"));
    let mut sources = Sources::of(&fields);
    for (name, columns) in tables {
        let ty = |it: &Value| it.as_str().and_then(ecs::FieldType::from_name).and_then(Type::of_field);
        let column =
            |(name, it): (&String, &Value)| TableColumn { name: name.clone(), ty: ty(it).expect("a type") };
        sources.tables.insert(name.clone(), columns.iter().map(column).collect());
    }
    sources
}

#[test]
fn peer_cases_have_the_columns_that_a_node_gives() {
    let cases = peer_cases();
    let tables = if cases.is_empty() { return } else { tables() };
    let (mut wrong, mut count) = (Vec::new(), 0);
    for case in &cases {
        if case["data_held"] != Value::Bool(true) {
            continue;
        }
        count += 1;
        let query = case["query"].as_str().expect("it is a text");
        let name = format!("{} {}", case["file"], case["name"]);
        match esql::pipeline(query, &sources(case, &tables)) {
            Err(errors) => {
                let errors: Vec<String> =
                    errors.iter().map(|it| format!("{} {}", it.code, it.message)).collect();
                wrong.push(format!("{name}: {}\n  {query}", errors.join("; ")));
            }
            Ok(found) => {
                let found: Vec<String> =
                    found.output.iter().map(|it| format!("{}:{}", it.name, it.ty)).collect();
                let expected: Vec<String> = case["expected_columns"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .map(|it| {
                        format!(
                            "{}:{}",
                            it["name"].as_str().expect("a name"),
                            it["type"].as_str().expect("a type")
                        )
                    })
                    .collect();
                if found != expected {
                    wrong.push(format!("{name}: {found:?}\n  instead of {expected:?}\n  {query}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {count}\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn public_rules_are_accepted() {
    let sources = Sources::of(&Catalog::ecs());
    let mut wrong = Vec::new();
    for (path, query) in public_rules() {
        if query.contains("COMPLETION") {
            continue;
        }
        if let Err(errors) = esql::pipeline(&query, &sources) {
            for it in errors {
                let at = it.span().map_or("", |span| &query[span.range()]);
                wrong.push(format!("{path}: {} {} at `{at}`", it.code, it.message));
            }
        }
    }
    assert!(wrong.is_empty(), "{}\n{}", wrong.len(), wrong.join("\n"));
}
