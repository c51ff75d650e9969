//! What a rule asks of a node: its query as Kibana translates it, its filters, its indices, its new terms.

use std::collections::BTreeSet;

use ecs::Millis;
use rule::{Rule, RuleKind};
use serde_json::{Value, json};

use crate::differential::indices::EVENTS_MAX;

/// The range that one execution covers: `(from, to]`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Range {
    pub(super) from: Option<Millis>,
    pub(super) to: Option<Millis>,
}

/// A search, and what to read from its answer.
#[derive(Clone, Debug)]
pub(super) struct Question {
    /// The index patterns as one expression.
    pub(super) index: String,
    /// The condition on an event, without the range.
    pub(super) condition: Value,
    pub(super) ask: Ask,
}

/// What is asked of the events.
#[derive(Clone, Debug)]
pub(super) enum Ask {
    /// Which they are.
    Events(Range),
    /// Which values of the fields none of them had from `history` on until `range` begins.
    Terms { fields: Vec<String>, history: Option<Millis>, range: Range },
}

/// Why a rule is not asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum NotAsked {
    Type,
    Override,
    Exceptions,
    Filter,
    Cluster,
}

impl NotAsked {
    /// For the last lines of the output.
    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::Type => "of a type that is more than a search here",
            Self::Override => "goes by a time that this tool does not give its events",
            Self::Exceptions => "names lists of exceptions",
            Self::Filter => "has a filter of a kind that this tool does not ask",
            Self::Cluster => "names another cluster",
        }
    }
}

/// Whether rules of its type are asked.
pub(super) fn is_asked(rule: &Rule) -> bool {
    match &rule.kind {
        RuleKind::Query | RuleKind::SavedQuery { .. } | RuleKind::NewTerms(_) => true,
        RuleKind::Threshold(_)
        | RuleKind::Eql { .. }
        | RuleKind::Esql
        | RuleKind::ThreatMatch(_)
        | RuleKind::MachineLearning { .. } => false,
    }
}

impl Question {
    /// What the rule asks in one execution over the range, given its query as Query DSL and the indices there are.
    pub(super) fn new(
        rule: &Rule,
        query: &Value,
        indices: &BTreeSet<&str>,
        range: Range,
    ) -> Result<Self, NotAsked> {
        if !is_asked(rule) {
            return Err(NotAsked::Type);
        }
        match rule.timestamp_override.as_deref() {
            // No event has the time of its indexing, so its own takes the place.
            None | Some("@timestamp") => {}
            Some("event.ingested") if !rule.timestamp_override_fallback_disabled => {}
            Some(_) => return Err(NotAsked::Override),
        }
        if rule.exceptions_list.iter().any(|list| list["type"] != "endpoint") {
            return Err(NotAsked::Exceptions);
        }
        let patterns: Vec<&str> = rule.index.iter().flat_map(|item| item.split(',')).map(str::trim).collect();
        if patterns.iter().any(|pattern| pattern.contains(':')) {
            return Err(NotAsked::Cluster);
        }
        let mut clauses = vec![query.clone()];
        let mut negated = Vec::new();
        for filter in &rule.filters {
            if filter["meta"]["disabled"] == true {
                continue;
            }
            let query = filter.get("query").filter(|it| it.is_object()).ok_or(NotAsked::Filter)?;
            let to = if filter["meta"]["negate"] == true { &mut negated } else { &mut clauses };
            to.push(query.clone());
        }
        let index = if patterns.is_empty() {
            indices.iter().copied().collect::<Vec<_>>().join(",")
        } else {
            patterns.join(",")
        };
        let ask = match &rule.kind {
            RuleKind::NewTerms(terms) => Ask::Terms {
                fields: terms.fields.clone(),
                history: range.from.map(|from| terms.history_window_start.millis_at(from)),
                range,
            },
            RuleKind::Query
            | RuleKind::SavedQuery { .. }
            | RuleKind::Threshold(_)
            | RuleKind::Eql { .. }
            | RuleKind::Esql
            | RuleKind::ThreatMatch(_)
            | RuleKind::MachineLearning { .. } => Ask::Events(range),
        };
        Ok(Self { index, condition: json!({"bool": {"filter": clauses, "must_not": negated}}), ask })
    }

    /// The body of the search. `only` is the `_id` of the one document to look at; `after` is where the last page of
    /// terms ended.
    pub(super) fn body(&self, only: Option<&str>, after: Option<&Value>) -> Value {
        let mut filter = vec![self.condition.clone()];
        filter.extend(only.map(|id| json!({"ids": {"values": [id]}})));
        match &self.ask {
            Ask::Events(range) => {
                filter.push(between("gt", range.from, range.to));
                json!({"query": {"bool": {"filter": filter}}, "_source": false, "size": EVENTS_MAX})
            }
            Ask::Terms { fields, history, range } => {
                filter.push(between("gte", *history, range.to));
                let source =
                    |(at, field): (usize, &String)| json!({at.to_string(): {"terms": {"field": field}}});
                let sources: Vec<Value> = fields.iter().enumerate().map(source).collect();
                let mut terms = json!({"size": PAGE, "sources": sources});
                if let Some(after) = after {
                    terms["after"] = after.clone();
                }
                let first = json!({"first": {"min": {"field": "@timestamp"}}});
                json!({
                    "query": {"bool": {"filter": filter}},
                    "size": 0,
                    "aggs": {"terms": {"composite": terms, "aggs": first}},
                })
            }
        }
    }
}

/// Terms of a page.
pub(super) const PAGE: usize = 10_000;

/// The times of events, from a lower bound of this kind on.
fn between(lower: &str, from: Option<Millis>, to: Option<Millis>) -> Value {
    let mut bounds = json!({"format": "epoch_millis"});
    if let Some(from) = from {
        bounds[lower] = from.into();
    }
    if let Some(to) = to {
        bounds["lte"] = to.into();
    }
    json!({"range": {"@timestamp": bounds}})
}

/// New terms, as both sides write them: the values, and when they were first seen.
pub(super) fn term(values: impl IntoIterator<Item = Value>, first: Millis) -> String {
    let values: Vec<String> = values.into_iter().map(|value| written(&value)).collect();
    format!("{} first at {}", values.join(" | "), ecs::date::to_iso(first))
}

/// Numbers and truth values have several forms in answers, and mean the same.
pub(in crate::differential) fn written(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Bool(truth) => u8::from(*truth).to_string(),
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.as_i64().is_none() => float.to_string(),
            _ => number.to_string(),
        },
        Value::Null | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(lines: &str) -> Rule {
        let text = format!(
            "[rule]\nname = \"n\"\ndescription = \"d\"\nseverity = \"low\"\nrisk_score = 1\nquery = \"a: b\"\n{lines}"
        );
        rule::load_text("rule.toml", &text).rules.remove(0)
    }

    fn ask(lines: &str, range: Range) -> Result<Question, NotAsked> {
        Question::new(&rule(lines), &json!({"match_all": {}}), &BTreeSet::from(["one", "two"]), range)
    }

    #[test]
    fn filters_narrow_and_indices_are_an_expression() {
        let asked = ask(
            "type = \"query\"\nindex = [\"logs-*, -logs-x\", \"filebeat-*\"]\nfilters = [\
             { meta = { negate = true }, query = { exists = { field = \"a\" } } },\
             { meta = { disabled = true }, query = { exists = { field = \"b\" } } },\
             { meta = {}, query = { exists = { field = \"c\" } } }]\n",
            Range::default(),
        )
        .unwrap();
        assert_eq!(asked.index, "logs-*,-logs-x,filebeat-*");
        let exists = |field: &str| json!({"exists": {"field": field}});
        let expected =
            json!({"bool": {"filter": [{"match_all": {}}, exists("c")], "must_not": [exists("a")]}});
        assert_eq!(asked.condition, expected);
        assert_eq!(ask("type = \"query\"\n", Range::default()).unwrap().index, "one,two");
        let refused = |lines| ask(lines, Range::default()).unwrap_err();
        assert_eq!(refused("type = \"query\"\nindex = [\"west:logs-*\"]\n"), NotAsked::Cluster);
        assert_eq!(refused("type = \"query\"\ntimestamp_override = \"event.created\"\n"), NotAsked::Override);
    }

    #[test]
    fn the_history_of_new_terms_begins_before_the_range() {
        let lines =
            "type = \"new_terms\"\nnew_terms_fields = [\"user.name\"]\nhistory_window_start = \"now-1d\"\n";
        let range = Range { from: Some(86_400_000 * 3), to: None };
        let asked = ask(lines, range).unwrap();
        let body = asked.body(None, None);
        assert_eq!(body.pointer("/query/bool/filter/1/range/@timestamp/gte"), Some(&json!(86_400_000 * 2)));
        assert_eq!(body.pointer("/aggs/terms/composite/sources/0/0/terms/field"), Some(&json!("user.name")));
    }

    #[test]
    fn values_are_written_alike() {
        assert_eq!(term([json!("a"), json!(5)], 0), term([json!("a"), json!(5.0)], 0));
        assert_eq!(term([json!(true)], 0), term([json!(1)], 0));
    }
}
