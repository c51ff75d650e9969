//! Verdicts on documents, written by people: each case file has fields, documents, and queries with the ids of
//! the documents they match, or the error they must give.

use ecs::{Catalog, Object};
use plan::{Query, dsl, filters, lower, naive};
use serde_json::Value;

/// 2024-05-04T12:00:00Z.
const NOW: i64 = 1_714_824_000_000;

#[test]
fn cases() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases");
    let mut count = 0;
    let mut failures = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let file: Value =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let catalog = match file["catalog"].as_str() {
            Some(_) => Catalog::ecs(),
            None => Catalog::from_mapping(&file["mapping"]).unwrap().into(),
        };
        let documents = file["documents"].as_object().unwrap();
        for case in file["cases"].as_array().unwrap() {
            count += 1;
            let answer = answer(case, &catalog, documents);
            let expected = if case["match"].is_null() { &case["error"] } else { &case["match"] };
            if answer != *expected {
                let name = path.file_name().unwrap().display();
                failures.push(format!("{name}: {case}\n  answered {answer}"));
            }
        }
    }
    assert!(count > 150, "only {count} cases found");
    assert!(failures.is_empty(), "{} of {count} cases:\n{}", failures.len(), failures.join("\n"));
}

/// The ids of the documents that match, separated by spaces, or the first error.
fn answer(case: &Value, catalog: &Catalog, documents: &Object) -> Value {
    let query = match &case["filters"] {
        Value::Array(list) => filters::parse(list, catalog),
        _ => dsl::parse(&case["query"]),
    };
    let query = match query {
        Ok(query) => query,
        Err(errors) => return format!("{} {}", errors[0].code(), errors[0]).into(),
    };
    assert_reads_back(&query);
    match lower(&query, catalog, NOW) {
        Err(errors) => format!("{} {}", errors[0].code(), errors[0]).into(),
        Ok(expr) => {
            let evaluator = naive::Evaluator::new(&expr);
            let matching =
                documents.iter().filter(|(_, it)| it.as_object().is_some_and(|it| evaluator.matches(it)));
            matching.map(|(id, _)| id.as_str()).collect::<Vec<_>>().join(" ").into()
        }
    }
}

fn assert_reads_back(query: &Query) {
    let json = dsl::to_json(query);
    assert_eq!(dsl::parse(&json).as_ref(), Ok(query), "{json}");
}
