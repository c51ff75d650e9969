//! What people read: errors and lints as they are printed.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::fmt::Write as _;

use ecs::Catalog;
use eql::Options;
use span::{Diagnostic, Style, render};

fn printed(text: &str, diagnostics: &[Diagnostic]) -> String {
    let mut out = String::new();
    for diagnostic in diagnostics {
        write!(out, "{}", render(diagnostic, "query", text, Style::Plain)).unwrap();
        if !diagnostic.edits.is_empty() {
            let mut mended = text.to_owned();
            for edit in diagnostic.edits.iter().rev() {
                mended.replace_range(edit.span.range(), &edit.text);
            }
            writeln!(out, "mended: {mended}").unwrap();
        }
    }
    out
}

#[test]
fn errors() {
    let texts = [
        "process where user.name = 'root' AND NOT host.name == ?\"a\"",
        "process where process.args : -1 and user.name !: \"a\"",
        "any where event.action == \"a\" && user.name == \"b\"",
        "any where event.action == \"CreateUser",
        "any where message == \"C:\\Windows\"",
        "sequence by user.name [any where true] [any where true] by host.id with runs=0",
        "process where length(process.args[0]) > 1",
        "process where process.name == \"a\" | sort user.name",
        "any where a.sequence > 1",
        "any where 1 < a < 3",
    ];
    let mut out = String::new();
    for text in texts {
        out += &printed(text, &eql::parse(text).unwrap_err().to_diagnostics(text));
    }
    insta::assert_snapshot!(out);
}

#[test]
fn what_does_not_fit() {
    let texts = [
        "any where message == \"x\"",
        "any where source.port",
        "any where wildcard(user.name, \"a*\") or LEN(user.name) > 1",
        "any where user.name == user.id",
        "any where length(source.port) > 1 or source.port + \"a\" == 1",
        "any where cidrMatch(source.ip, \"10.0.0.0/99\")",
        "any where source.port == \"http\"",
    ];
    let mut out = String::new();
    for text in texts {
        let found = eql::statement(text, &Catalog::ecs(), &Options::default()).unwrap_err();
        out += &printed(text, &found);
    }
    insta::assert_snapshot!(out);
}

#[test]
fn lints() {
    let texts = [
        "any where process.name == \"power*.exe\"",
        "any where process.args regex~ \"^-enc.*$\"",
        "any where user.name : \"*\"",
        "any where event.code : \"4624\"",
        "any where stringContains(aws.cloudtrail.request_parameters, \"principal=\\\\*\")",
        "any where not ?user.name : \"svc-*\"",
        "sequence with maxspan=1m [iam where true] [iam where true]",
        "sequence by user.id [iam where true] [iam where true]",
        "any where event.action == \"a\" and event.action == \"b\"",
        "any where user.name != \"a\" or user.name != \"b\"",
    ];
    let mut out = String::new();
    for text in texts {
        let found = eql::findings(text);
        assert_eq!(found.len(), 1, "{text}");
        out += &printed(text, &found);
    }
    insta::assert_snapshot!(out);
}

#[test]
fn nothing_to_say_of_a_good_query() {
    for text in [
        "any where true",
        "iam where event.action in (\"CreateUser\", \"CreateAccessKey\") and not user.name : (\"root\", \"admin*\")",
        "sequence by user.id with maxspan=5m [iam where a == 1 and b == 2] [any where c regex \"a\\\\$\"] until [any where d]",
        "sample by host.id [any where a == \"x\" or a == \"y\"] [any where b != \"x\" and b != \"y\"]",
    ] {
        assert_eq!(eql::findings(text), [], "{text}");
    }
}
