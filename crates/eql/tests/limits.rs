//! Hostile queries: as deep and as long as is allowed, they are read, checked, shown and dropped; beyond, they are refused by
//! name.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use eql::{MAX_DEPTH, MAX_ITEMS, MAX_LENGTH, MAX_OPERATORS, Options};

fn catalog() -> ecs::Catalog {
    let types = serde_json::json!({"a": "long", "b": "keyword", "c": "boolean"});
    ecs::Catalog::from_types(types.as_object().unwrap()).unwrap()
}

/// The codes of what is wrong with it.
fn codes(text: &str) -> Vec<&'static str> {
    if let Ok(ast) = eql::parse(text) {
        assert_eq!(eql::parse(&ast.to_string()).as_ref(), Ok(&ast));
    }
    eql::findings(text);
    eql::fields(text);
    eql::values(text);
    let found = eql::statement(text, &catalog(), &Options::default());
    found.err().unwrap_or_default().iter().map(|it| it.code).collect()
}

#[test]
fn depth() {
    let nested = |open: &str, inner: &str, close: &str, times: usize| {
        format!("any where {}{inner}{}", open.repeat(times), close.repeat(times))
    };
    for (open, inner, close) in
        [("(", "a == 1", ")"), ("not ", "c", ""), ("(c or ", "c", ")"), ("(b == \"x\" and not ", "c", ")")]
    {
        // A bracket and what it negates are two levels.
        let times = if open.contains("not") && open.starts_with('(') { MAX_DEPTH / 2 } else { MAX_DEPTH };
        assert_eq!(codes(&nested(open, inner, close, times)), <[&str; 0]>::default(), "{open}");
        assert_eq!(codes(&nested(open, inner, close, MAX_DEPTH + 1)), ["EQL005"], "{open}");
    }
    let call = |times: usize| format!("any where {}b{} == \"x\"", "concat(".repeat(times), ")".repeat(times));
    assert_eq!(codes(&call(MAX_DEPTH)), <[&str; 0]>::default());
    assert_eq!(codes(&call(MAX_DEPTH + 1)), ["EQL005"]);
    let compared = |times: usize| format!("any where {}c{}", "(".repeat(times), " == true)".repeat(times));
    assert_eq!(codes(&compared(MAX_DEPTH)), <[&str; 0]>::default());
    assert_eq!(codes(&format!("any where -{}a == 1", "- ".repeat(MAX_DEPTH))), ["EQL005"]);
}

#[test]
fn length() {
    let sum = |count: usize| format!("any where {}a{} == 1", "(".repeat(MAX_DEPTH), " + a".repeat(count));
    let sum = |count: usize| sum(count).replace(" == 1", &format!("{} == 1", ")".repeat(MAX_DEPTH)));
    assert_eq!(codes(&sum(MAX_OPERATORS)), <[&str; 0]>::default());
    assert_eq!(codes(&sum(MAX_OPERATORS + 1)), ["EQL007"]);
    let sequence = |count: usize| format!("sequence {}", "[any where c] with runs=100 ".repeat(count));
    assert_eq!(codes(&sequence(MAX_ITEMS / 100)), <[&str; 0]>::default());
    assert_eq!(codes(&sequence(MAX_ITEMS / 100 + 1)), ["EQL008"]);
    let mut list = String::from("any where b in (\"\"");
    (0..50_000).for_each(|at| list += &format!(", \"{at}\""));
    list.push(')');
    assert_eq!(codes(&list), <[&str; 0]>::default());
    assert_eq!(codes(&format!("any where c{}", " ".repeat(MAX_LENGTH))), ["EQL006"]);
}
