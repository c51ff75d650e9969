//! What constant expressions are worth.
//!
//! A value shows itself by what it equals as a text, so that `21` and `21.0` are two; a truth value by what it, and its
//! negation, selects.

use std::path::Path;

use anyhow::Context as _;
use ecs::Catalog;
use plan::Expr;
use serde_json::Value;

use super::super::CaseResult;
use super::super::kql::{list, read, text};

/// All cases of `fold.json`.
pub(crate) fn cases(data: &Path) -> anyhow::Result<Vec<CaseResult>> {
    let file = read(data, "eql/fold.json")?;
    let mut results = Vec::new();
    for case in list(&file, "cases")? {
        let expression = text(case, "expression")?;
        let (expected, got) = if case.get("error").is_some() {
            ("error".to_owned(), shown(&format!("({expression}) == null")))
        } else {
            let expected = case.get("expected").context("there is nothing expected")?;
            (expected.to_string(), value(expression, expected))
        };
        results.push(CaseResult::compare(text(case, "id")?, expected, got));
    }
    Ok(results)
}

/// The expected value if that is it, else what is known of the one that came.
fn value(expression: &str, expected: &Value) -> String {
    let question = match expected {
        Value::Null => format!("({expression}) == null"),
        Value::String(text) => format!("({expression}) == {text:?}"),
        Value::Bool(truth) => {
            let selects = [shown(expression), shown(&format!("not ({expression})"))];
            if selects.join(" ") != format!("{truth} {}", !truth) {
                return format!("selects {}", selects.join(", negated "));
            }
            format!("string({expression}) == \"{truth}\"")
        }
        other => format!("string({expression}) == \"{other}\""),
    };
    match shown(&question).as_str() {
        "true" => expected.to_string(),
        got => format!("{question} is {got}"),
    }
}

/// What a condition selects of events.
fn shown(condition: &str) -> String {
    let text = format!("any where {condition}");
    match ::eql::statement(&text, &Catalog::default(), &::eql::Options::default()) {
        Ok(::eql::Statement { query: ::eql::Query::Event(condition), .. }) => match condition.at(0) {
            Expr::Const(truth) => truth.to_string(),
            other => other.to_string(),
        },
        Ok(_) => "no event query".to_owned(),
        Err(_) => "error".to_owned(),
    }
}
