//! Alerts that exist already.

use std::collections::HashSet;

use ecs::document::{list, lookup};
use ecs::{Millis, Object};
use serde_json::Value;

use crate::outcome::AlertSeed;
use crate::rule_type::Detail;
use crate::suppression::SuppressedMore;

/// The ids of alerts from earlier hunts: they are not raised again and do not use up `max_signals`.
#[derive(Clone, Debug, Default)]
pub struct KnownAlerts {
    ids: HashSet<String>,
    thresholds: Vec<KnownThreshold>,
    suppressing: Vec<KnownSuppressing>,
    closed_end_suppression: bool,
}

/// An alert that may suppress others.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct KnownSuppressing {
    pub(crate) id: String,
    /// The object id of its rule.
    pub(crate) rule: String,
    /// See [`Suppressed::instance`](crate::Suppressed::instance).
    pub(crate) instance: String,
    /// When it was raised.
    pub(crate) created: Millis,
    /// When the newest event was that it speaks of.
    pub(crate) end: Millis,
    pub(crate) terms: Vec<(String, Value)>,
}

impl KnownSuppressing {
    /// What it counted, if its rule counts by groups.
    pub(crate) fn counted(&self) -> KnownThreshold {
        let Self { rule, created, end, terms, .. } = self;
        KnownThreshold { rule: rule.clone(), created: *created, result_to: *end, terms: terms.clone() }
    }
}

/// What an alert of a threshold rule counted.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct KnownThreshold {
    /// The object id of its rule.
    pub(crate) rule: String,
    /// When it was raised.
    pub(crate) created: Millis,
    /// When the newest event was that it counted.
    pub(crate) result_to: Millis,
    pub(crate) terms: Vec<(String, Value)>,
}

impl KnownThreshold {
    /// What an alert of that rule counted, if it is of a threshold rule.
    pub(crate) fn of(alert: &AlertSeed, rule: &str) -> Option<Self> {
        Self::new(rule, alert.execution.started_at, &alert.detail)
    }

    fn new(rule: &str, created: Millis, detail: &Detail) -> Option<Self> {
        let Detail::Threshold(result) = detail else { return None };
        Some(Self { rule: rule.to_owned(), created, result_to: result.to, terms: result.terms.clone() })
    }
}

/// Why a line is no alert.
#[derive(Debug, thiserror::Error)]
pub enum KnownAlertError {
    /// Not JSON.
    #[error("not a JSON document: {0}")]
    Json(#[from] serde_json::Error),
    /// JSON, but no object.
    #[error("not a JSON document: it is no object")]
    NotAnObject,
    /// No id.
    #[error("the document has neither `kibana.alert.uuid` nor `_id`, so it is no alert")]
    NoId,
}

impl KnownAlerts {
    /// Whether an alert that somebody closed suppresses others no longer. Elastic's engine has it so unless it is told
    /// otherwise; a replay, which nobody closes alerts of, then says something else than executions that were scheduled.
    #[must_use]
    pub fn closed_end_suppression(self, yes: bool) -> Self {
        Self { closed_end_suppression: yes, ..self }
    }

    /// Adds the alert of one line of NDJSON: the alert's document, or a hit with `_id` and `_source`.
    pub fn add_line(&mut self, line: &str) -> Result<(), KnownAlertError> {
        let Value::Object(document) = ecs::json::parse(line)? else {
            return Err(KnownAlertError::NotAnObject);
        };
        let uuid = |it: &Object| it.get("kibana.alert.uuid").and_then(Value::as_str).map(str::to_owned);
        let source = document.get("_source").and_then(Value::as_object);
        let hit_id = || document.get("_id").and_then(Value::as_str).map(str::to_owned);
        let id =
            uuid(&document).or_else(|| source.and_then(uuid)).or_else(hit_id).ok_or(KnownAlertError::NoId)?;
        let alert = source.unwrap_or(&document);
        self.thresholds.extend(threshold(alert));
        self.suppressing.extend(suppressing(alert, &id, self.closed_end_suppression));
        self.ids.insert(id);
        Ok(())
    }

    /// Adds an alert as it was raised by the rule with that object id: as its document would tell.
    pub fn raise(&mut self, alert: &AlertSeed, rule: &str) {
        self.thresholds.extend(KnownThreshold::of(alert, rule));
        self.suppressing.extend(alert.suppressed.as_ref().map(|it| KnownSuppressing {
            id: alert.id.clone(),
            rule: rule.to_owned(),
            instance: it.instance.clone(),
            created: alert.execution.started_at,
            end: it.end,
            terms: it.terms.clone(),
        }));
        self.ids.insert(alert.id.clone());
    }

    /// An alert stands for more than it did.
    pub fn suppress_more(&mut self, more: &SuppressedMore) {
        for it in self.suppressing.iter_mut().filter(|it| it.id == more.id) {
            it.end = it.end.max(more.end);
        }
    }

    /// Adds an alert by its id.
    pub fn add_id(&mut self, id: String) {
        self.ids.insert(id);
    }

    /// Whether the alert exists.
    pub fn contains(&self, id: &str) -> bool {
        self.ids.contains(id)
    }

    /// Adds what an alert of a threshold rule counted, if it is one.
    #[cfg(test)]
    pub(crate) fn add_threshold(&mut self, rule: &str, alert: &crate::twin::SaidAlert) {
        self.thresholds.extend(KnownThreshold::new(rule, alert.execution, &alert.detail));
    }

    /// Adds what an alert says of those that it stands for.
    #[cfg(test)]
    pub(crate) fn add_suppressing(&mut self, rule: &str, alert: &crate::twin::SaidAlert) {
        if let Some(it) = &alert.suppressed {
            self.suppressing.push(KnownSuppressing {
                id: alert.id.clone(),
                rule: rule.to_owned(),
                instance: it.instance.clone(),
                created: alert.execution,
                end: it.end,
                terms: it.terms.clone(),
            });
        }
    }

    /// The alerts that may suppress others.
    pub(crate) fn suppressing(&self) -> &[KnownSuppressing] {
        &self.suppressing
    }

    /// What alerts of threshold rules counted.
    pub(crate) fn thresholds(&self) -> &[KnownThreshold] {
        &self.thresholds
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }
}

/// What the alert counted, if it is one of a threshold rule.
fn threshold(alert: &Object) -> Option<KnownThreshold> {
    let field = |name: &str| ecs::alert::field(alert, name);
    let date = |value: &Value| ecs::document::date(value);
    Some(KnownThreshold {
        rule: field("rule.uuid")?.as_str()?.to_owned(),
        created: date(lookup(alert, "@timestamp")?)?,
        result_to: date(field("original_time")?)?,
        terms: list(field("threshold_result")?.get("terms")).iter().filter_map(term).collect(),
    })
}

/// A field with its value.
fn term(it: &Value) -> Option<(String, Value)> {
    Some((it.get("field")?.as_str()?.to_owned(), it.get("value")?.clone()))
}

/// What the alert says of those that it stands for, if it may suppress others.
fn suppressing(alert: &Object, id: &str, closed_end_it: bool) -> Option<KnownSuppressing> {
    let field = |name: &str| ecs::alert::field(alert, name);
    let date = |name: &str| ecs::document::date(field(name)?);
    if closed_end_it && field("workflow_status").and_then(Value::as_str) == Some("closed") {
        return None;
    }
    Some(KnownSuppressing {
        id: id.to_owned(),
        rule: field("rule.uuid")?.as_str()?.to_owned(),
        instance: field("instance.id")?.as_str()?.to_owned(),
        created: date("start").or_else(|| ecs::document::date(lookup(alert, "@timestamp")?))?,
        end: date("suppression.end")?,
        terms: list(field("suppression.terms")).iter().filter_map(term).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let mut known = KnownAlerts::default();
        known.add_line(r#"{"kibana.alert.uuid":"a","event.kind":"signal"}"#).unwrap();
        known.add_line(r#"{"_id":"b","_source":{}}"#).unwrap();
        known.add_line(r#"{"_id":"x","_source":{"kibana.alert.uuid":"c"}}"#).unwrap();
        assert!(known.contains("a") && known.contains("b") && known.contains("c") && known.len() == 3);
        assert!(matches!(known.add_line("{}"), Err(KnownAlertError::NoId)));
        assert!(matches!(known.add_line("[]"), Err(KnownAlertError::NotAnObject)));
        assert!(matches!(known.add_line("{"), Err(KnownAlertError::Json(_))));
        let alike = r#"{"kibana.alert.uuid":"e","kibana.alert.rule.uuid":"r","kibana.alert.instance.id":"i",
            "kibana.alert.start":"2026-03-01T00:05:00.000Z","kibana.alert.suppression.end":"2026-03-01T00:02:00.000Z",
            "kibana.alert.suppression.terms":[{"field":"user.name","value":null}],
            "kibana.alert.workflow_status":"closed"}"#;
        known.add_line(alike).unwrap();
        let expected = KnownSuppressing {
            id: "e".to_owned(),
            rule: "r".to_owned(),
            instance: "i".to_owned(),
            created: 1_772_323_500_000,
            end: 1_772_323_320_000,
            terms: vec![("user.name".to_owned(), Value::Null)],
        };
        assert_eq!(known.suppressing(), [expected]);
        let mut as_elastic = KnownAlerts::default().closed_end_suppression(true);
        as_elastic.add_line(alike).unwrap();
        assert!(as_elastic.suppressing().is_empty() && as_elastic.contains("e"));
        known.add_line(r#"{"kibana.alert.uuid":"d","user_agent.original":"\ud83d"}"#).unwrap();
        assert!(known.contains("d"), "half a surrogate pair hides no alert");
    }
}
