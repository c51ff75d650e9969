//! What the node is asked about the executions of a threshold rule: the groups of the events in the range that were not
//! counted before, how many events each has, and how many distinct values. One execution decides what the next one
//! counts, so those of one rule are asked one after the other, and those of many rules together.

use std::collections::BTreeMap;

use anyhow::Context as _;
use ecs::Millis;
use rule::{Rule, RuleKind, Threshold};
use serde_json::{Value, json};

use super::case::{Window, values};
use super::{Alerts, Asked, Said, search};
use crate::differential::indices::Indices;

/// Groups of an answer: no case has so many.
const SIZE: usize = 10_000;

/// A group that alerted: its values, and the newest of its events.
type History = BTreeMap<String, (Vec<Value>, Millis)>;

/// The alerts of each rule, and how many of its executions had more to say.
pub(super) fn execute(
    indices: &mut Indices,
    rules: &[(&Rule, &Value, &[Window])],
) -> anyhow::Result<Vec<(Alerts, usize)>> {
    let mut said = vec![(Alerts::new(), 0); rules.len()];
    let mut histories = vec![History::new(); rules.len()];
    let most = rules.iter().map(|(.., windows)| windows.len()).max().unwrap_or_default();
    for step in 0..most {
        let asked: Vec<(usize, Asked<'_>, &Threshold)> = rules
            .iter()
            .enumerate()
            .filter_map(|(at, (rule, condition, windows))| {
                let window = *windows.get(step)?;
                Some((at, Asked { rule, condition, window }, threshold(rule)?))
            })
            .collect();
        for (at, it, _) in &asked {
            histories[*at].retain(|_, (_, newest)| *newest > it.window.from);
        }
        let bodies = asked.iter().map(|(at, it, threshold)| body(it, threshold, &histories[*at])).collect();
        for (answer, (at, it, threshold)) in search(indices, bodies)?.into_iter().zip(&asked) {
            let mut groups = groups(answer, threshold)?;
            groups.retain(|it| it.count > 0 && it.count >= threshold.value);
            if let Some(cardinality) = &threshold.cardinality {
                groups.retain(|it| it.cardinality >= cardinality.value);
            }
            let budget = it.rule.max_signals as usize;
            let (alerts, cut) = &mut said[*at];
            *cut += usize::from(groups.len() > budget);
            for group in groups.into_iter().take(budget) {
                let cardinality = threshold.cardinality.as_ref().map(|_| group.cardinality);
                let detail = told(&group.terms, group.count, cardinality, group.oldest, group.newest);
                let alert = Said { event: String::new(), detail };
                alerts.entry(it.window.started_at).or_default().push(alert);
                histories[*at].insert(values(&group.terms), (group.terms, group.newest));
            }
        }
    }
    Ok(said)
}

/// What an alert says, as both sides write it.
pub(super) fn told(
    terms: &[Value],
    count: u64,
    cardinality: Option<u64>,
    oldest: Millis,
    newest: Millis,
) -> String {
    let iso = ecs::date::to_iso;
    let distinct = cardinality.map_or_else(String::new, |it| format!(", {it} distinct"));
    format!("[{}] {count} events{distinct} from {} to {}", values(terms), iso(oldest), iso(newest))
}

/// One group of events.
struct Group {
    terms: Vec<Value>,
    count: u64,
    cardinality: u64,
    oldest: Millis,
    newest: Millis,
}

fn body(it: &Asked<'_>, threshold: &Threshold, history: &History) -> Value {
    let counted: Vec<Value> = history
        .values()
        .map(|(terms, newest)| {
            let range = json!({"range": {it.time_field(): {"lte": newest, "format": "epoch_millis"}}});
            let terms =
                threshold.fields.iter().zip(terms).map(|(field, value)| json!({"term": {field: value}}));
            json!({"bool": {"filter": std::iter::once(range).chain(terms).collect::<Vec<_>>()}})
        })
        .collect();
    let events = it.events(it.window.from, it.window.to);
    let query = json!({"bool": {"filter": [events], "must_not": counted}});
    let mut each = json!({
        "oldest": {"min": {"field": it.time_field()}},
        "newest": {"max": {"field": it.time_field()}},
    });
    if let Some(cardinality) = &threshold.cardinality {
        each["cardinality"] = json!({"cardinality": {"field": cardinality.field}});
    }
    if threshold.fields.is_empty() {
        return json!({"query": query, "size": 0, "track_total_hits": true, "aggs": each});
    }
    let source = |(at, field): (usize, &String)| json!({at.to_string(): {"terms": {"field": field}}});
    let sources: Vec<Value> = threshold.fields.iter().enumerate().map(source).collect();
    let groups = json!({"composite": {"size": SIZE, "sources": sources}, "aggs": each});
    json!({"query": query, "size": 0, "aggs": {"groups": groups}})
}

fn groups(mut answer: Value, threshold: &Threshold) -> anyhow::Result<Vec<Group>> {
    if threshold.fields.is_empty() {
        let count =
            answer.pointer("/hits/total/value").and_then(Value::as_u64).context("nothing is counted")?;
        let found = (count > 0).then(|| group(&answer["aggregations"], Vec::new(), count)).transpose()?;
        return Ok(found.into_iter().collect());
    }
    let Value::Array(buckets) = answer["aggregations"]["groups"]["buckets"].take() else {
        anyhow::bail!("no groups: {answer}")
    };
    let one = |bucket: &Value| {
        let terms = (0..threshold.fields.len()).map(|at| bucket["key"][at.to_string()].clone()).collect();
        group(bucket, terms, bucket["doc_count"].as_u64().context("a group has no count")?)
    };
    buckets.iter().map(one).collect()
}

fn group(of: &Value, terms: Vec<Value>, count: u64) -> anyhow::Result<Group> {
    let time = |name: &str| of[name]["value"].as_f64().map(|it| it as Millis).context("a group has no time");
    let cardinality = of["cardinality"]["value"].as_u64().unwrap_or_default();
    Ok(Group { terms, count, cardinality, oldest: time("oldest")?, newest: time("newest")? })
}

fn threshold(rule: &Rule) -> Option<&Threshold> {
    match &rule.kind {
        RuleKind::Threshold(it) => Some(it),
        RuleKind::Query
        | RuleKind::SavedQuery { .. }
        | RuleKind::NewTerms(_)
        | RuleKind::Eql { .. }
        | RuleKind::Esql
        | RuleKind::ThreatMatch(_)
        | RuleKind::MachineLearning { .. } => None,
    }
}
