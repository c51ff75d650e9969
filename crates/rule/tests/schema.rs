//! The JSON Schema accepts the built-in pack and refuses what loading refuses.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::path::Path;

use regex::Regex;
use serde_json::{Value, json};

/// The keywords that the schema uses, checked one by one. Returns the first thing that is wrong.
fn check(schema: &Value, value: &Value, at: &str) -> Result<(), String> {
    let Some(schema) = schema.as_object() else {
        return if schema == &json!(false) { Err(format!("{at} is not allowed")) } else { Ok(()) };
    };
    for (keyword, rule) in schema {
        let ok = match keyword.as_str() {
            "type" => match rule {
                Value::Array(types) => types.iter().any(|ty| is_type(ty, value)),
                ty => is_type(ty, value),
            },
            "enum" => rule.as_array().unwrap().contains(value),
            "const" => rule == value,
            "pattern" => {
                value.as_str().is_none_or(|text| Regex::new(rule.as_str().unwrap()).unwrap().is_match(text))
            }
            "minimum" => value.as_i64().is_none_or(|number| number >= rule.as_i64().unwrap()),
            "maximum" => value.as_i64().is_none_or(|number| number <= rule.as_i64().unwrap()),
            "minItems" => value.as_array().is_none_or(|items| items.len() as u64 >= rule.as_u64().unwrap()),
            "maxItems" => value.as_array().is_none_or(|items| items.len() as u64 <= rule.as_u64().unwrap()),
            "required" => value.as_object().is_none_or(|object| {
                rule.as_array().unwrap().iter().all(|key| object.contains_key(key.as_str().unwrap()))
            }),
            "items" => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    check(rule, item, &format!("{at}[{index}]"))?;
                }
                true
            }
            "properties" => {
                for (key, rule) in rule.as_object().unwrap() {
                    if let Some(member) = value.get(key) {
                        check(rule, member, &format!("{at}.{key}"))?;
                    }
                }
                true
            }
            "additionalProperties" => {
                let known = schema.get("properties").and_then(Value::as_object);
                rule == &json!(true)
                    || value.as_object().is_none_or(|object| {
                        object.keys().all(|key| known.is_some_and(|known| known.contains_key(key)))
                    })
            }
            "anyOf" => rule.as_array().unwrap().iter().any(|rule| check(rule, value, at).is_ok()),
            "allOf" => {
                for rule in rule.as_array().unwrap() {
                    check(rule, value, at)?;
                }
                true
            }
            "if" => {
                if check(rule, value, at).is_ok() {
                    check(&schema["then"], value, at)?;
                }
                true
            }
            "then" | "description" | "default" | "title" | "$schema" => true,
            other => panic!("this test does not know the keyword {other}"),
        };
        if !ok {
            return Err(format!("{at} breaks {keyword}: {value}"));
        }
    }
    Ok(())
}

fn is_type(ty: &Value, value: &Value) -> bool {
    match ty.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        other => panic!("this test does not know the type {other}"),
    }
}

fn file(text: &str) -> Value {
    serde_json::to_value(toml::from_str::<toml::Table>(text).unwrap()).unwrap()
}

#[test]
fn the_pack_validates() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules");
    let schema = rule::schema();
    let mut count = 0;
    for entry in walkdir::WalkDir::new(folder) {
        let entry = entry.unwrap();
        let name = entry.file_name().to_str().unwrap();
        // Translations have a form of their own.
        if entry.path().extension().is_some_and(|extension| extension == "toml")
            && name.matches('.').count() == 1
        {
            let text = std::fs::read_to_string(entry.path()).unwrap();
            check(&schema, &file(&text), name).unwrap();
            count += 1;
        }
    }
    assert!(count > 10, "only {count} rules");
}

const GOOD: &str = r#"
[rule]
name = "Console sign-in by root"
description = "The root user signed in."
severity = "high"
risk_score = 73
type = "query"
query = "event.action: ConsoleLogin"
from = "now-6m"

[guide]
overview = "Somebody used the root user."
[[guide.triage]]
title = "Who"
text = "Ask."
query = { language = "kuery", query = "source.ip: \"{{source.ip}}\"", before = "1h", after = "0m" }
"#;

/// What the schema refuses, loading refuses or warns of, too.
#[test]
fn wrong_files_are_refused() {
    let schema = rule::schema();
    check(&schema, &file(GOOD), "good").unwrap();
    assert!(rule::load_text("good.toml", GOOD).problems.is_empty());
    let tested = format!("{GOOD}\n[[tests]]\nname = \"a\"\nevents = [{{ call = \"a:B\" }}]\nalerts = 1\n");
    check(&schema, &file(&tested), "tested").unwrap();
    for (right, wrong) in [
        ("severity = \"high\"", "severity = \"severe\""),
        ("severity = \"high\"\n", ""),
        ("risk_score = 73", "risk_score = 101"),
        ("risk_score = 73", "risk_score = \"73\""),
        ("risk_score = 73", "risk_scores = 73\nrisk_score = 73"),
        ("type = \"query\"", "type = \"query\"\nindex = \"logs-*\""),
        ("type = \"query\"", "type = \"query\"\nlanguage = \"eql\""),
        ("type = \"query\"", "type = \"query\"\nthreshold = { field = [], value = 5 }"),
        ("type = \"query\"", "type = \"eql\""),
        ("type = \"query\"", "type = \"new_terms\""),
        ("type = \"query\"", "type = \"query\"\ninterval = \"0m\""),
        ("type = \"query\"", "type = \"query\"\ninterval = \"5 minutes\""),
        ("from = \"now-6m\"", "from = \"6 minutes ago\""),
        ("from = \"now-6m\"", "max_signals = 0"),
        ("name = \"Console sign-in by root\"", "name = \" \""),
        ("title = \"Who\"\n", ""),
        ("after = \"0m\"", "after = \"soon\""),
        ("after = \"0m\"", "afterwards = \"5m\""),
        ("[rule]", "[metadatas]\n[rule]"),
        ("[rule]", "[metadata]\nmaturity = \"prod\"\n[rule]"),
        ("[rule]", "[metadata]\nupdated_date = \"2026-01-31\"\n[rule]"),
        ("[rule]", "[[transform.investigates]]\n[rule]"),
    ] {
        let text = GOOD.replacen(right, wrong, 1);
        assert_ne!(text, GOOD, "{right}");
        assert!(check(&schema, &file(&text), "").is_err(), "the schema accepts {wrong:?}");
        assert!(!rule::load_text("wrong.toml", &text).problems.is_empty(), "loading accepts {wrong:?}");
    }
}
