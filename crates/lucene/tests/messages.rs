//! What people read: errors and lints as they are printed.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::fmt::Write as _;

use span::{Diagnostic, Style, render};

fn printed(text: &str, diagnostics: &[Diagnostic]) -> String {
    let mut out = String::new();
    for diagnostic in diagnostics {
        write!(out, "{}", render(diagnostic, "query", text, Style::Plain)).unwrap();
    }
    out
}

#[test]
fn errors() {
    let texts = [
        "event.action:CreateUser AND",
        "(user.name:alice OR (user.name:bob)",
        "source.ip:10.0.0.0/8",
        "user.name:-root",
        "@timestamp:2024-05-01T10:00:00Z",
        "message:\"cannot connect",
        "source.port:[1 TO 1024",
        "user.name:rooot~5 OR x",
        "a:b) AND c:d",
        "C\\",
    ];
    let mut out = String::new();
    for text in texts {
        out += &printed(text, &lucene::parse(text).unwrap_err().to_diagnostics());
    }
    insta::assert_snapshot!(out);
}

#[test]
fn lints() {
    let texts = [
        "event.action:CreateUser OR event.action:PutUserPolicy AND event.outcome:success",
        "user.name:root OR NOT event.outcome:success",
        "event.type:(start or process_started)",
        "source.port:(>=22 <=80)",
        "process.name:\"power*.exe\"",
        "process.args:/^-enc.*$/",
        "user.name:bob smith",
    ];
    let mut out = String::new();
    for text in texts {
        let found = lucene::lint(&lucene::parse(text).unwrap());
        assert_eq!(found.len(), 1, "{text}");
        out += &printed(text, &found);
    }
    insta::assert_snapshot!(out);
}

#[test]
fn nothing_to_say_of_a_good_query() {
    for text in [
        "",
        "event.provider:iam.amazonaws.com AND event.action:(CreateUser OR CreateAccessKey) AND NOT user.name:root",
        "a:1 OR b:2 OR (c:3 AND d:4)",
        "+a:x -b:y c:/[a-z]+\\$/ AND d:[1 TO 5] AND \"quoted text\"",
    ] {
        assert_eq!(lucene::lint(&lucene::parse(text).unwrap()), [], "{text}");
    }
}

/// Where values that no field can hold are passed over, an expression that cannot be run here must not be: it would find
/// nothing, and say nothing.
#[test]
fn an_expression_that_cannot_be_run_is_told_whatever_field_it_asks() {
    let catalog = ecs::Catalog::ecs();
    for text in ["/a(b&c)d/", "us\\*:/x~(y)z/"] {
        let found = lucene::check(text, &catalog).unwrap_err();
        assert_eq!(found.iter().map(|it| it.code).collect::<Vec<_>>(), ["PLAN010"], "{text}");
    }
    assert!(lucene::check("/[a/", &catalog).is_ok(), "a node passes over what is no expression");
}
