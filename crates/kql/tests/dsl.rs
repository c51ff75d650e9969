//! What trees are translated to, read in review.

use std::fmt::Write as _;

use ecs::Catalog;

#[test]
fn translation() {
    let types = serde_json::json!({
        "user.name": "keyword", "user.note": "text", "port": "long", "at": "date", "n": "nested", "n.k": "keyword", "n.t": "text",
    });
    let catalog =
        Catalog::from_types(types.as_object().expect("it is an object")).expect("each type is known");
    let mut out = String::new();
    for text in [
        "",
        "*:*",
        "*",
        "free \"quoted\"",
        "free text",
        "\"quoted text\"",
        "fr*e text",
        "user.name: a b or not user.name: a?b*c",
        "user.note: a b and user.note: \"a b\" and user.note: a* b c",
        "user.note: a* \\AND b",
        "user.*: *",
        "us*: x",
        "port: true and port: null and port > 5*",
        "at: now-1d/d and at >= 1714559400000 and nope: 2024",
        "n:{ k: a and t: b and *:* } and n*: x",
        "nope*: y and nope > 1",
        "other:{ a:{ b: c } and free }",
    ] {
        let query = match kql::parse(text) {
            Ok(ast) => match kql::to_query(&ast, &catalog) {
                Ok(query) => plan::dsl::to_json(&query).to_string(),
                Err(errors) => format!("{errors:?}"),
            },
            Err(errors) => errors.to_string(),
        };
        writeln!(out, "{text}\n  {query}").expect("writing to a string cannot fail");
    }
    insta::assert_snapshot!(out);
}

#[test]
fn options_reach_the_leaves_they_concern() {
    let types = serde_json::json!({"k": "keyword", "at": "date"});
    let catalog =
        Catalog::from_types(types.as_object().expect("it is an object")).expect("each type is known");
    let options = kql::Options { case_insensitive: Some(true), time_zone: Some("+02:00".to_owned()) };
    let dsl = |text: &str| {
        let ast = kql::parse(text).expect("the query is right");
        plan::dsl::to_json(&kql::to_query_with(&ast, &catalog, &options).expect("the query is right"))
            .to_string()
    };
    assert!(dsl("k: a").contains("case_insensitive"));
    assert!(dsl("k: a*").contains("case_insensitive"));
    assert!(dsl("at > 2024").contains("2024") && !dsl("at > 2024").contains("+02:00"), "digits have no zone");
    assert!(dsl("at: 2024-05-01").contains("+02:00"));
}
