//! Severity, risk score and name as the event's own values make them.

use std::borrow::Cow;
use std::fmt::Write as _;

use ecs::document::list as each;
use rule::{Rule, Severity};
use serde_json::{Number, Value};

use super::event::EventDocument;

/// The largest integer that a double holds exactly, with all below it.
const SAFE_INTEGER_MAX: i64 = (1 << 53) - 1;

/// What an alert says instead of, or as, the rule.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Overrides<'r> {
    pub(super) name: Cow<'r, str>,
    pub(super) severity: Severity,
    /// The rule's, if the event has none.
    risk_score: Result<Number, u8>,
}

impl<'r> Overrides<'r> {
    /// What the rule says.
    pub(super) fn none(rule: &'r Rule) -> Self {
        let (name, risk_score) = (Cow::Borrowed(rule.name.as_str()), Err(rule.risk_score));
        Self { name, severity: rule.severity, risk_score }
    }

    pub(super) fn new(document: EventDocument<'_>, rule: &'r Rule) -> Self {
        let name = rule.rule_name_override.as_deref().and_then(|field| {
            let value = document.get(field);
            Some(each(value.as_deref()).first()?.as_str()?.to_owned())
        });
        Self {
            name: name.map_or(Cow::Borrowed(&rule.name), Cow::Owned),
            severity: severity(document, rule),
            risk_score: risk_score(document, rule).ok_or(rule.risk_score),
        }
    }

    /// Appends the risk score as JSON.
    pub(super) fn write_risk_score(&self, out: &mut String) {
        _ = match &self.risk_score {
            Ok(score) => write!(out, "{score}"),
            Err(score) => write!(out, "{score}"),
        };
    }
}

/// The paths that overrides of the rule look at.
pub(super) fn paths(rule: &Rule) -> impl Iterator<Item = &str> {
    let severities = rule.severity_mapping.iter().map(|it| it.field.as_str());
    let scores = rule.risk_score_mapping.first().map(|it| it.field.as_str());
    severities.chain(scores).chain(rule.rule_name_override.as_deref())
}

/// The highest severity whose item applies.
fn severity(document: EventDocument<'_>, rule: &Rule) -> Severity {
    let applies = |field: &str, value: &str| {
        let found = document.get(field);
        let values = each(found.as_deref());
        if field == "event.severity" {
            let wanted = value.trim().parse::<f64>().map(f64::floor);
            let number = |it: &Value| it.as_number().and_then(Number::as_f64);
            return wanted.is_ok_and(|wanted| values.iter().any(|it| number(it) == Some(wanted)));
        }
        values.iter().any(|it| match it {
            Value::String(text) => text == value,
            Value::Number(number) => number
                .as_i64()
                .filter(|it| (-SAFE_INTEGER_MAX..=SAFE_INTEGER_MAX).contains(it))
                .is_some_and(|it| it.to_string() == value),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => false,
        })
    };
    let matching = rule.severity_mapping.iter().filter(|it| applies(&it.field, &it.value));
    matching.map(|it| it.severity).max().unwrap_or(rule.severity)
}

/// The highest score from 0 to 100 among the values of the first item's field.
fn risk_score(document: EventDocument<'_>, rule: &Rule) -> Option<Number> {
    let found = document.get(&rule.risk_score_mapping.first()?.field);
    let scores = each(found.as_deref()).iter().filter_map(|value| match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    });
    let score = scores.filter(|it| (0.0..=100.0).contains(it)).max_by(f64::total_cmp)?;
    if score.fract() == 0.0 { Some((score as u8).into()) } else { Number::from_f64(score) }
}
