//! What people read: errors and lints as they are printed, and the fields of trees as they are translated.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::fmt::Write as _;

use ecs::Catalog;
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
        "user.name: root and source.ip: ::1",
        "event.action: not CreateUser or event.action: >= 5",
        "message: cannot connect",
        "file.path: C:\\Windows\\System32",
        "(user.name: (alice or bob) and not(event.outcome: success)",
        "attachments { name: x } or >= 7 or \"open",
        "user.name: 'it is: me'",
        "not not user.name: x or () or user.name: x not user.name: y",
        "null:{ a: 1 } or user.name: root (uid 0) or a: 1)",
        "event.action in (\"a\", \"b\")",
        "event.action: (\"a\", \"b\") and user.name like \"ad%\"",
        "user.name = \"root\" && event.outcome != \"success\"",
        "event.action: a && event.outcome: b || user.name: c",
        "not user.name <> root and !(a: 1)",
    ];
    let mut out = String::new();
    for text in texts {
        out += &printed(text, &kql::parse(text).unwrap_err().to_diagnostics());
    }
    insta::assert_snapshot!(out);
}

#[test]
fn lints() {
    let texts = [
        "event.action: CreateUser or event.action: PutUserPolicy and event.outcome: success",
        "process.name: \"power*.exe\" and file.path: \"C:\\temp\\x\"",
        "process.args: *evil.xml\n  *payload* or process.args: te?t*",
        "event.action: (CreateUser or createuser or Create* or CreateUser) and mfa: True",
        "user.name: 'root' and source.port: [1 TO 5] and event.duration > 5*",
        "user.name = root or user.name: x and (not user.name: x)",
        "not user.name: null and user.id > null",
        "a:{ word } and user.name: b or",
        "user.name: x and not user.name: x",
        "event.action: /Get.*Data/ or file.path: /dev/null or _exists_: user.name or _missing_: user.id",
        "+user.name: root and -event.outcome: success or !user.id: 1 or +root",
        "user.name: roam~ or user.name: roam~2 or message: word^3 or user.name: a~b",
        "event.action: (CreateUser, DeleteUser) or tags: a,b or event.action: te?t or url.path: /a?b=c",
        "user.name: \u{201c}Admin\u{201d} or event.action: Get\u{2013}Object or message: \"don\u{2019}t\"",
        "user.name == root or user.name like ro* or event.action:=Create or source.port => 5",
        "process.name in a or words in a text",
    ];
    let mut out = String::new();
    for text in texts {
        out += &printed(text, &kql::lint(&kql::parse(text).unwrap()));
    }
    insta::assert_snapshot!(out);
}

#[test]
fn nothing_to_say_of_a_good_query() {
    for text in [
        "",
        "event.provider: iam.amazonaws.com and event.action: (CreateUser or CreateAccessKey) and event.outcome: success",
        "(a: 1 and b: 2) or not c: x*",
        "aws.cloudtrail.error_code: * and not user_agent.original: \"console.amazonaws.com\"",
    ] {
        assert_eq!(kql::lint(&kql::parse(text).unwrap()), [], "{text}");
    }
}

#[test]
fn names_of_fields_in_order_and_once() {
    let ast = kql::parse("b: 1 and a:{ c: 2 and d:{ e > 3 } } and (aws.*: x or b: 2) and free").unwrap();
    assert_eq!(ast.fields(), ["b", "a.c", "a.d.e", "aws.*"]);
}

#[test]
fn translation_errors() {
    let mapping = serde_json::json!({"properties": {
        "user": {"properties": {"name": {"type": "keyword"}}},
        "file": {"type": "nested", "properties": {
            "name": {"type": "keyword"},
            "hash": {"type": "nested", "properties": {"md5": {"type": "keyword"}}}
        }}
    }});
    let catalog = Catalog::from_mapping(&mapping).unwrap();
    let mut out = String::new();
    for text in [
        "user:{ name: x }",
        "file.name: x and file.hash.md5 > y",
        "file:{ hash.md5: x or name: y }",
        "file:{ *: x }",
    ] {
        let errors = kql::to_query(&kql::parse(text).unwrap(), &catalog).unwrap_err();
        out += &printed(text, &errors.iter().map(kql::TranslateError::to_diagnostic).collect::<Vec<_>>());
    }
    insta::assert_snapshot!(out);
    for text in
        ["file:{ name: x and hash:{ md5: y } }", "fil*: x", "file:{ n*: x }", "file: x", "unknown:{ a: 1 }"]
    {
        assert!(kql::to_query(&kql::parse(text).unwrap(), &catalog).is_ok(), "{text}");
    }
}
