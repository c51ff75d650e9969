//! What people read: errors and lints as they are printed.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::fmt::Write as _;

use ecs::Catalog;
use esql::Sources;
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
        "FROM logs-* | WHERE a = 'x' && NOT b <> 2 | KEEP a-b | LIMIT",
        "FROM logs-* | WERE a == 1 | SELECT a | COMPLETION x = y WITH {\"inference_id\": \"m\"} | FROM b",
        "WHERE a == 1",
        "FROM logs-* | EVAL a = [], b = [1, \"x\"], c = 5 parsecs",
        "FROM logs-* | EVAL c = \"C:\\Windows\" | WHERE a LIKE b OR d IN ()",
        "FROM logs-* | WHERE 1 < a < 3 | STATS | SORT a DESC NULLS",
        "FROM logs-* | WHERE (a == 1 | LIMIT 5",
        "FROM logs-* | WHERE by == ?x",
        "FROM logs-* | LOOKUP JOIN t ON a == b",
        "FROM logs-* | WHERE a == \"x",
    ];
    let mut out = String::new();
    for text in texts {
        out += &printed(text, &esql::parse(text).unwrap_err().to_diagnostics(text));
    }
    insta::assert_snapshot!(out);
}

#[test]
fn what_does_not_fit() {
    let types = serde_json::json!({
        "@timestamp": "date", "user.name": "keyword", "source.ip": "ip", "source.port": "long", "size": "unsigned_long",
        "message": "text", "params": "flattened", "ok": "boolean", "place": "geo_point",
    });
    let catalog = std::sync::Arc::new(Catalog::from_types(types.as_object().unwrap()).unwrap());
    let texts = [
        "FROM logs-* METADATA _id, _idx | WHERE user.nme == \"x\" AND LENGHT(user.name) > 1",
        "FROM logs-* | WHERE source.port == \"443\" OR user.name == 5 OR source.ip == \"10.0.0.0/8\"",
        "FROM logs-* | WHERE @timestamp > \"now-1d\" OR @timestamp - @timestamp > 5 OR @timestamp > 0",
        "FROM logs-* | WHERE user.name | WHERE COUNT(*) > 1 | SORT place",
        "FROM logs-* | STATS COUNT(*), source.port, MAX(MIN(source.port)), 1 BY user.name",
        "FROM logs-* | EVAL params = params, d = 1 day, e = 1 day + 2 hours",
        "FROM logs-* | EVAL a = CASE(ok, 1, \"x\"), b = CONCAT(user.name), c = source.port::text, d = size + 1",
        "FROM logs-* | KEEP nothing*, user.name | WHERE source.port > 1 | DROP * | LIMIT -1",
        "FROM logs-* | LIMIT 5 | WHERE KQL(\"user.name: a\") | EVAL a = MATCH(user.name, \"x\")",
        "FROM logs-* | WHERE KQL(\"user.name: (a and\") AND MATCH(user.name, \"x\", {\"slop\": 1})",
        "FROM logs-* | WHERE user.name LIKE \"C:\\\\Windows\" OR user.name RLIKE \"[a\"",
        "FROM logs-* | DISSECT message \"%{a\" | GROK message \"%{IPP:a}\" | GROK source.port \"%{WORD:b}\"",
        "FROM logs-* | LOOKUP JOIN assets ON host.id | ENRICH owners | EVAL x = CATEGORIZE(message)",
        "SET tz = \"UTC\"; FROM logs-* | EVAL a = TO_IP(user.name, {\"zeros\": true}) | WHERE b.c : \"x\"",
    ];
    let mut out = String::new();
    for text in texts {
        let found = esql::pipeline(text, &Sources::of(&catalog)).unwrap_err();
        out += &printed(text, &found);
    }
    insta::assert_snapshot!(out);
}

#[test]
fn findings() {
    let texts = [
        "FROM logs-* | WHERE a == null OR b != null OR c NOT IN (1, null) OR d + null > 1",
        "FROM logs-* METADATA _id, _index, _version | KEEP user.name, _id",
        "FROM logs-* METADATA _id, _index, _version | DROP _*",
        "FROM logs-* | LIMIT 10 | STATS COUNT(*) BY user.name",
        "FROM logs-* | STATS c = COUNT(*) BY a | WHERE a == \"x*\" OR TO_LOWER(a) == \"Abc\" OR TO_UPPER(a) LIKE \"ab*\"",
        "FROM logs-* | STATS c = COUNT(*) BY a | WHERE a LIKE \"abc\" OR a RLIKE \"^ab$\" OR a RLIKE \".+@x.*\"",
        "FROM logs-* METADATA _id, _index, _version | WHERE event.category == \"process\" AND TO_LOWER(process.args) LIKE \"a*\"",
    ];
    let mut out = String::new();
    for text in texts {
        out += &printed(text, &esql::findings(text));
    }
    insta::assert_snapshot!(out);
}

#[test]
fn what_is_usual_is_not_odd() {
    for text in [
        "FROM logs-* METADATA _id, _index, _version | WHERE a == \"x\" | KEEP _*, a",
        "FROM logs-* METADATA _id, _version, _index | WHERE a LIKE (\"x\", \"y*\") AND b IS NULL | KEEP *",
        "FROM logs-* | STATS c = COUNT(*) BY a | SORT c DESC | LIMIT 10 | WHERE c > 5 | KEEP a",
        "FROM logs-* | MV_EXPAND event.category | WHERE event.category == \"process\" | STATS c = COUNT(*) BY event.category",
        "FROM logs-* | STATS c = COUNT(*) BY a | WHERE TO_LOWER(a) == \"abc\" AND a RLIKE \"\"\".*\\@[@&]x\"\"\" AND a != \"*\"",
        "ROW a = 1 | WHERE a == 1",
    ] {
        assert_eq!(esql::findings(text), [], "{text}");
    }
}
