//! What the node is asked about an execution of a new-terms rule: which values occur in its range, which of them were not
//! seen before, and by which event each was seen first.

use std::collections::BTreeMap;

use anyhow::Context as _;
use ecs::Millis;
use rule::{Rule, RuleKind};
use serde_json::{Value, json};

use super::case::values;
use super::{Asked, Said, search};
use crate::differential::indices::Indices;

/// Terms of an answer: no case has so many.
const SIZE: usize = 10_000;
/// Combinations of one search.
const COMBINATIONS: usize = 500;

/// What each execution would say.
pub(super) fn ask(indices: &mut Indices, asked: &[Asked<'_>]) -> anyhow::Result<Vec<Vec<Said>>> {
    let recent = asked.iter().map(|it| {
        let query = it.events(it.window.from, it.window.to);
        json!({"query": query, "size": 0, "aggs": {"terms": composite(it, SIZE, None)}})
    });
    let recent: Vec<Vec<Vec<Value>>> = search(indices, recent.collect())?
        .into_iter()
        .zip(asked)
        .map(|(answer, it)| buckets(answer)?.iter().map(|bucket| key(bucket, it)).collect())
        .collect::<anyhow::Result<_>>()?;

    // Only of executions that see a value is more asked.
    let open: Vec<usize> = (0..asked.len()).filter(|&at| !recent[at].is_empty()).collect();
    let checks = open.iter().map(|&at| check(&asked[at], &recent[at])).collect();
    let mut fresh: Vec<Vec<Vec<Value>>> = vec![Vec::new(); asked.len()];
    for (answer, &at) in search(indices, checks)?.into_iter().zip(&open) {
        for bucket in buckets(answer)? {
            let first = bucket["first"]["value"].as_f64().context("a bucket has no time")? as Millis;
            if first > asked[at].window.from {
                fresh[at].push(own(&key(&bucket, &asked[at])?, &recent[at])?);
            }
        }
    }

    let open: Vec<usize> = (0..asked.len()).filter(|&at| !fresh[at].is_empty()).collect();
    let fetches = open.iter().map(|&at| fetch(&asked[at], &fresh[at])).collect();
    let mut said: Vec<Vec<Said>> = vec![Vec::new(); asked.len()];
    for (answer, &at) in search(indices, fetches)?.into_iter().zip(&open) {
        let wanted: BTreeMap<String, &Vec<Value>> = fresh[at].iter().map(|it| (values(it), it)).collect();
        for bucket in buckets(answer)? {
            let detail = values(&key(&bucket, &asked[at])?);
            if wanted.contains_key(&detail) {
                let event = bucket.pointer("/top/hits/hits/0/_id").and_then(Value::as_str);
                said[at].push(Said { event: event.context("a bucket has no event")?.to_owned(), detail });
            }
        }
    }
    Ok(said)
}

/// Whether, and when, each of the values was seen first since the history began.
fn check(it: &Asked<'_>, recent: &[Vec<Value>]) -> Value {
    let first = json!({"first": {"min": {"field": it.time_field()}}});
    within_history(it, recent, first)
}

/// The first event with each of the values.
fn fetch(it: &Asked<'_>, fresh: &[Vec<Value>]) -> Value {
    // Between events of one time the node's choice is nobody's; this is ours.
    let sort = [it.time_field(), "@timestamp", "event.id"].map(|field| json!({field: {"order": "asc"}}));
    let first = json!({"top": {"top_hits": {"size": 1, "sort": sort, "_source": false}}});
    if let [field] = fields(it.rule) {
        let terms =
            json!({"terms": {"field": field, "size": SIZE, "include": included(fresh)}, "aggs": first});
        let query = it.events(it.window.from, it.window.to);
        return json!({"query": query, "size": 0, "aggs": {"terms": terms}});
    }
    within_history(it, fresh, first)
}

/// The values with something of each, over the history: as terms if there is one field, else as combinations.
fn within_history(it: &Asked<'_>, wanted: &[Vec<Value>], each: Value) -> Value {
    let events = it.events(it.window.history, it.window.to);
    if let [field] = fields(it.rule) {
        let terms =
            json!({"terms": {"field": field, "size": SIZE, "include": included(wanted)}, "aggs": each});
        return json!({"query": events, "size": 0, "aggs": {"terms": terms}});
    }
    let should: Vec<Value> = wanted
        .iter()
        .map(|values| {
            let must =
                fields(it.rule).iter().zip(values).map(|(field, value)| json!({"match": {field: value}}));
            json!({"bool": {"must": must.collect::<Vec<_>>()}})
        })
        .collect();
    let query =
        json!({"bool": {"filter": [events, {"bool": {"should": should, "minimum_should_match": 1}}]}});
    json!({"query": query, "size": 0, "aggs": {"terms": composite(it, COMBINATIONS, Some(each))}})
}

/// All combinations of values, in their order.
fn composite(it: &Asked<'_>, size: usize, each: Option<Value>) -> Value {
    let source = |(at, field): (usize, &String)| json!({at.to_string(): {"terms": {"field": field}}});
    let sources: Vec<Value> = fields(it.rule).iter().enumerate().map(source).collect();
    let mut aggregation = json!({"composite": {"size": size, "sources": sources}});
    if let Some(each) = each {
        aggregation["aggs"] = each;
    }
    aggregation
}

fn fields(rule: &Rule) -> &[String] {
    match &rule.kind {
        RuleKind::NewTerms(it) => &it.fields,
        RuleKind::Query
        | RuleKind::SavedQuery { .. }
        | RuleKind::Threshold(_)
        | RuleKind::Eql { .. }
        | RuleKind::Esql
        | RuleKind::ThreatMatch(_)
        | RuleKind::MachineLearning { .. } => &[],
    }
}

fn included(values: &[Vec<Value>]) -> Vec<&Value> {
    values.iter().flatten().collect()
}

fn buckets(mut answer: Value) -> anyhow::Result<Vec<Value>> {
    match answer["aggregations"]["terms"]["buckets"].take() {
        Value::Array(buckets) => Ok(buckets),
        _ => anyhow::bail!("no buckets: {answer}"),
    }
}

/// The values of a bucket, by fields.
fn key(bucket: &Value, it: &Asked<'_>) -> anyhow::Result<Vec<Value>> {
    let key = &bucket["key"];
    (0..fields(it.rule).len())
        .map(|at| match key {
            Value::Object(key) => key.get(&at.to_string()).cloned().context("a value is missing"),
            // A truth value as a number, and a time as a number of milliseconds.
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                Ok(key.clone())
            }
        })
        .collect()
}

/// The values as the first answer wrote them: truth values are numbers in the second, and cannot be asked for as such.
fn own(found: &[Value], recent: &[Vec<Value>]) -> anyhow::Result<Vec<Value>> {
    let text = values(found);
    recent.iter().find(|it| values(it) == text).cloned().with_context(|| format!("{text} was not asked for"))
}
