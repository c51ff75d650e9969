//! What the pass is told of a query keeps every event of which the evaluator makes a row, and the tail makes the same of these.

#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::sync::Arc;

use ecs::Catalog;
use pipeline::{Limits, Program, RowMetadata, Rows, Tables};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

fn catalog() -> Arc<Catalog> {
    let types = json!({
        "k": "keyword", "l": "keyword", "w": "wildcard", "t": "text", "n": "long", "i": "integer", "d": "double", "f": "float",
        "ip": "ip", "b": "boolean", "at": "date",
    });
    Arc::new(Catalog::from_types(types.as_object().unwrap()).unwrap())
}

/// How many rows a query makes of a document.
fn rows(pipeline: &esql::resolved::Pipeline, document: &serde_json::Map<String, Json>) -> usize {
    let program = Program::new(pipeline, &Tables::new(), None, 0, Limits::default()).unwrap();
    let mut rows = Rows::new(pipeline, &program, &catalog());
    rows.push(RowMetadata { id: "1", index: "x" }, document);
    program.run([rows.take()]).unwrap().rows
}

fn leaf() -> impl Strategy<Value = String> {
    let text = || prop::sample::select(vec!["a", "ab", "A", "key", "KEY", "a*", "", "\u{212a}ey", "b"]);
    let string = || prop::sample::select(vec!["k", "l", "w", "t", "c"]);
    let number = || prop::sample::select(vec!["n", "i", "d", "f"]);
    let any = || prop::sample::select(vec!["k", "w", "t", "n", "d", "ip", "b", "at", "c"]);
    let compare = || prop::sample::select(vec!["==", "!=", "<", "<=", ">", ">="]);
    let count =
        prop::sample::select(vec!["0", "1", "1.5", "-2", "2", "9007199254740993", "9007199254740993.0"]);
    let pattern = || prop::sample::select(vec!["a*", "*", "?", "*b", "k?y", "ab", "*e*"]);
    prop_oneof![
        (string(), compare(), text()).prop_map(|(field, op, it)| format!("{field} {op} \"{it}\"")),
        (number(), compare(), count.clone()).prop_map(|(field, op, it)| format!("{field} {op} {it}")),
        (number(), compare(), count).prop_map(|(field, op, it)| format!("{it} {op} {field}")),
        (string(), text(), text()).prop_map(|(field, a, b)| format!("{field} IN (\"{a}\", \"{b}\")")),
        (string(), text()).prop_map(|(field, it)| format!("{field} NOT IN (\"{it}\", null, l)")),
        (string(), pattern()).prop_map(|(field, it)| format!("{field} LIKE \"{it}\"")),
        (string(), pattern(), pattern())
            .prop_map(|(field, a, b)| format!("{field} NOT LIKE (\"{a}\", \"{b}\")")),
        (string(), prop::sample::select(vec![".*", "a.*", "[ab]+", "k.y"]))
            .prop_map(|(field, it)| format!("{field} RLIKE \"{it}\"")),
        (string(), text()).prop_map(|(field, it)| format!("TO_LOWER({field}) == \"{it}\"")),
        (string(), pattern()).prop_map(|(field, it)| format!("TO_LOWER({field}) LIKE \"{it}\"")),
        (string(), text()).prop_map(|(field, it)| format!("TO_UPPER({field}) == \"{it}\"")),
        (string(), text()).prop_map(|(field, it)| format!("STARTS_WITH({field}, \"{it}\")")),
        (string(), text()).prop_map(|(field, it)| format!("ENDS_WITH({field}, \"{it}\")")),
        any().prop_map(|field| format!("{field} IS NULL")),
        any().prop_map(|field| format!("MV_COUNT({field}) > 1")),
        (string(), string()).prop_map(|(a, b)| format!("COALESCE({a}, {b}) == \"a\"")),
        (string(), string()).prop_map(|(a, b)| format!("CASE({a} == \"a\", {b} == \"a\", {b} IS NULL)")),
        (string(), string()).prop_map(|(a, b)| format!("true IN ({a} == \"a\", STARTS_WITH({b}, \"a\"))")),
        Just("b".to_owned()),
        Just("ip == \"10.0.0.1\"".to_owned()),
        Just("CIDR_MATCH(ip, \"10.0.0.0/8\", \"::1\")".to_owned()),
        Just("at >= \"2024-01-01T00:00:00.001Z\"".to_owned()),
        Just("at == \"2024-01-01\"".to_owned()),
        Just("n + 1 == 2".to_owned()),
        Just("k == l".to_owned()),
    ]
}

fn condition() -> impl Strategy<Value = String> {
    leaf().prop_recursive(3, 8, 2, |inner| {
        prop_oneof![
            inner.clone().prop_map(|it| format!("NOT ({it})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) AND ({b})")),
            (inner.clone(), inner).prop_map(|(a, b)| format!("({a}) OR ({b})")),
        ]
    })
}

fn document() -> impl Strategy<Value = Json> {
    let text = prop::sample::select(vec!["a", "ab", "A", "key", "KEY", "a*", "", "\u{212a}ey", "b"]);
    let texts = move || prop::collection::vec(text.clone(), 0..3);
    let number =
        prop::sample::select(vec![json!(0), json!(1), json!(-2), json!(2), json!(9_007_199_254_740_993_i64)]);
    let numbers = move || prop::collection::vec(number.clone(), 0..3);
    let doubles =
        prop::collection::vec(prop::sample::select(vec![json!(1.5), json!(1), json!(2.03), json!(-2)]), 0..3);
    let addresses = prop::collection::vec(prop::sample::select(vec!["10.0.0.1", "::1", "8.8.8.8"]), 0..3);
    let dates = prop::collection::vec(
        prop::sample::select(vec!["2024-01-01T00:00:00Z", "2024-01-01T00:00:00.001Z", "2023-05-05"]),
        0..2,
    );
    let truths = prop::collection::vec(any::<bool>(), 0..3);
    (texts(), texts(), texts(), numbers(), doubles, addresses, dates, truths).prop_map(
        |(k, l, t, n, d, ip, at, b)| {
            let small: Vec<&Json> = n.iter().filter(|it| it.as_i64().is_some_and(|it| it < 1000)).collect();
            json!({"k": k, "l": l, "w": l, "t": t, "n": n, "i": small, "d": d, "f": d, "ip": ip, "at": at, "b": b})
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1500) })]

    #[test]
    fn no_event_is_lost(condition in condition(), documents in prop::collection::vec(document(), 1..6), expands: bool) {
        let expand = if expands { "| MV_EXPAND k " } else { "" };
        let query = format!("FROM x | EVAL c = k {expand}| WHERE {condition} | KEEP n");
        let Ok(pipeline) = esql::pipeline(&query, &esql::Sources::of(&catalog())) else { return Ok(()) };
        let split = esql::split(pipeline.clone(), &catalog());
        let filter = split.filter.into_expr(0);
        for document in &documents {
            let document = document.as_object().unwrap();
            let made = rows(&pipeline, document);
            let is_kept = plan::naive::matches(&filter, document);
            prop_assert!(made == 0 || is_kept, "{} makes {} of {:?}, and {} is false", query, made, document, filter);
            if is_kept {
                prop_assert_eq!(rows(&split.tail, document), made, "{}", query);
            }
        }
    }
}
