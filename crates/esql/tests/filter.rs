//! What the pass is told of a query: what holds wherever the query's first conditions do.

use std::sync::Arc;

use ecs::Catalog;
use esql::Sources;

fn catalog() -> Arc<Catalog> {
    let types = serde_json::json!({
        "@timestamp": "date", "a": "keyword", "b": "keyword", "n": "long", "d": "double", "f": "float", "ip": "ip", "t": "text",
        "ok": "boolean",
    });
    Arc::new(Catalog::from_types(types.as_object().expect("it is one")).expect("types are known"))
}

fn split(text: &str) -> esql::Split {
    let pipeline =
        esql::pipeline(text, &Sources::of(&catalog())).unwrap_or_else(|found| panic!("{text}: {found:?}"));
    esql::split(pipeline, &catalog())
}

/// The filter as it is shown.
fn filter(text: &str) -> String {
    split(text).filter.into_expr(0).to_string()
}

/// What KQL calls the same.
fn kql(text: &str) -> String {
    if text == "not *" {
        return "false".to_owned();
    }
    kql::check(text, &catalog()).unwrap_or_else(|found| panic!("{text}: {found:?}")).into_expr(0).to_string()
}

#[test]
fn conditions_become_filters() {
    for (query, same) in [
        ("WHERE a == \"x\"", "a: x"),
        ("WHERE a != \"x\"", "a: * and not a: x"),
        ("WHERE NOT a == \"x\"", "a: * and not a: x"),
        ("WHERE a == \"x\" AND LENGTH(b) > 5", "a: x and b: *"),
        ("WHERE a == \"x\" OR b IN (\"y\", \"z\")", "a: x or b: (y or z)"),
        ("WHERE NOT (a == \"x\" AND b == \"y\")", "(a: * and not a: x) or (b: * and not b: y)"),
        ("WHERE a NOT IN (\"x\", \"y\")", "a: * and not a: (x or y)"),
        ("WHERE a IS NULL OR b IS NOT NULL", "not a: * or b: *"),
        ("WHERE n > 5 AND 10 >= n", "n > 5 and n <= 10"),
        ("WHERE NOT n > 5", "n <= 5"),
        ("WHERE n == 5 OR d < 2.5", "n: 5 or d < 2.5"),
        ("WHERE a LIKE \"x*\" AND b NOT LIKE \"*y\"", "a: x* and b: * and not b: *y"),
        ("WHERE STARTS_WITH(a, \"x\")", "a: x*"),
        ("WHERE CIDR_MATCH(ip, \"10.0.0.0/8\", \"::1\")", "ip: \"10.0.0.0/8\" or ip: \"::1\""),
        ("WHERE NOT ok AND a == b", "ok: false and a: * and b: *"),
        ("WHERE KQL(\"a: x or t: y\") AND NOT QSTR(\"b:z\")", "(a: x or t: y) and not b: z"),
        ("EVAL c = a | WHERE c == \"x\" | SORT n | WHERE n > 1", "a: x and n > 1"),
        ("KEEP a, n | RENAME a AS z | DISSECT z \"%{x} %{y}\" | WHERE z == \"x\" AND x == \"q\"", "a: x"),
        ("WHERE true IN (STARTS_WITH(a, \"x\"), b == \"y\")", "a: x* or b: y"),
        ("MV_EXPAND a | WHERE a == \"x\" AND NOT a == \"y\"", "a: x and a: *"),
        // From there on rows are not events.
        ("WHERE a == \"x\" | STATS c = COUNT(*) BY b | WHERE b == \"y\"", "a: x"),
        ("LIMIT 5 | WHERE a == \"x\"", "*"),
        ("INLINE STATS c = COUNT(*) | WHERE a == \"x\"", "*"),
    ] {
        assert_eq!(filter(&format!("FROM logs-* | {query}")), kql(same), "{query}");
    }
}

#[test]
fn what_is_not_the_same_question_is_weaker() {
    for (query, same) in [
        // A word of a text is not all of it, and a float is not what it is compared with.
        ("WHERE t == \"x\" AND f == 1.5", "t: * and f: *"),
        // In a list one member may be null.
        ("WHERE a IN (b, \"x\")", "a: *"),
        ("WHERE a NOT IN (\"x\", null)", "not *"),
        // What fits anything fits several values, too, and what does not is null.
        ("WHERE a LIKE \"*\"", "a: *"),
        ("WHERE a NOT LIKE \"*\"", "not a: *"),
        ("WHERE a RLIKE (\"x\", \".*\")", "a: *"),
        ("WHERE a NOT RLIKE (\"x\", \".*\")", "not *"),
        // Nothing is known of what a function makes of null.
        ("WHERE CASE(a == \"x\", true, false)", "*"),
        ("WHERE COALESCE(a, b) == \"x\"", "a: * or b: *"),
        ("WHERE TO_UPPER(a) == \"X\"", "a: *"),
        ("WHERE n > 9007199254740993.0", "n: *"),
    ] {
        let query = format!("FROM logs-* | {query}");
        assert_eq!(filter(&query), kql(same), "{query}");
    }
    // One other letter becomes `k`, so any may stand there.
    let lower = split("FROM logs-* | WHERE TO_LOWER(a) == \"key*\"").filter.into_expr(0);
    for (value, is_found) in [("KEY*", true), ("\u{212a}ey*", true), ("key", false), ("bey*", true)] {
        let document = serde_json::json!({"a": value});
        let document = document.as_object().expect("it is one");
        assert_eq!(plan::naive::matches(&lower, document), is_found, "{value}");
    }
}

#[test]
fn what_the_filter_decides_is_left_out_of_the_tail() {
    let it = split("FROM logs-* | WHERE KQL(\"a: x\") | WHERE a == \"x\" AND KQL(\"b: y\") | LIMIT 5");
    assert_eq!(it.tail.steps.len(), 2, "{:?}", it.tail.steps);
    assert_eq!(it.tail.output.len(), 9, "the columns are the same");
    let it = split("FROM logs-* | WHERE a == \"x\" OR KQL(\"b: y\")");
    assert_eq!(it.tail.steps.len(), 1, "a choice is decided by whoever knows the other half");
}
