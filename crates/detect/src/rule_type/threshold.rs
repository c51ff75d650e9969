//! `threshold`: one alert for each group of events that reaches a number in one execution.
//!
//! Events that an alert counted are not counted again: counting goes on with what is newer than the newest of them. An
//! alert has no event: of those that were counted it says how many, of which values, and when.

use std::collections::HashSet;

use ecs::date::to_iso;
use ecs::text::write_text;
use ecs::{Catalog, Millis, Object, Origin};
use rule::Rule;
use serde_json::Value;
use uuid::Uuid;

use super::groups::{Bucket, Counting, GroupBy, Key, Lacking, values_of};
use super::{Detail, Executions, Run};
use crate::fate::{Fate, Watched};
use crate::id;
use crate::outcome::SeedEvent;
use crate::schedule::{Ticks, Window};
use crate::suppression::{Candidate, Group};
use crate::tail::TailError;
use crate::tails::Column;
use crate::term::TermType;
use crate::writer::Writer;

/// The namespace of the ids of what was counted.
const COUNTED_NAMESPACE: Uuid = Uuid::from_u128(0x0684_ec03_7201_4ee0_8ee0_3a3f_6b24_79b2);

/// So many executions that hold an event are asked what they counted, if it did not alert; then only those that alert.
const LOOKED_AT_MAX: usize = 10_000;

/// What a rule says.
#[derive(Clone, Debug)]
pub(crate) struct Threshold {
    by: GroupBy,
    fields: Vec<String>,
    /// The field whose values are counted.
    cardinality: Option<String>,
    /// The signature id: part of the ids of what was counted.
    signature: String,
    /// The index patterns: what was counted has no other index.
    patterns: String,
    /// Whether its alerts suppress one another.
    is_suppressed: bool,
}

/// What an alert counted.
#[derive(Clone, Debug, PartialEq)]
pub struct ThresholdResult {
    /// The fields that were grouped by, each with the group's value.
    pub terms: Vec<(String, Value)>,
    /// The field whose distinct values were counted, and how many there were.
    pub cardinality: Option<(String, u64)>,
    /// How many events.
    pub count: u64,
    /// When the oldest of them was.
    pub from: Millis,
    /// When the newest of them was.
    pub to: Millis,
    /// Those of them that are alerts which the hunt itself raised.
    pub alerts: Vec<Origin>,
}

impl Threshold {
    pub(super) fn new(
        rule: &Rule,
        threshold: &rule::Threshold,
        catalog: &Catalog,
    ) -> Result<Self, TailError> {
        if threshold.fields.len() > super::groups::FIELDS_MAX {
            return Err(TailError::GroupFields { count: threshold.fields.len() });
        }
        let cardinality = threshold.cardinality.as_ref();
        let paths = threshold.fields.iter().chain(cardinality.map(|it| &it.field));
        let column = |path: &String| match TermType::of(path, catalog) {
            Ok(ty) => Ok(Column { path: path.clone(), shape: ty.shape(), ty }),
            Err(ty) => Err(TailError::NoGroups { field: path.clone(), ty }),
        };
        Ok(Self {
            by: GroupBy {
                columns: paths.map(column).collect::<Result<_, _>>()?,
                fields: threshold.fields.len(),
                lacking: Lacking::Left,
                value: threshold.value,
                cardinality: cardinality.map(|it| it.value),
            },
            fields: threshold.fields.clone(),
            cardinality: cardinality.map(|it| it.field.clone()),
            signature: rule.rule_id.clone(),
            patterns: rule.index.join(","),
            is_suppressed: rule.alert_suppression.is_some(),
        })
    }

    pub(super) fn by(&self) -> &GroupBy {
        &self.by
    }

    /// Whether an execution raises an alert on a group. Not on the second of two that have the same values, each of another
    /// field: their alerts have one id. The next execution counts it again.
    fn is_said<'a>(&'a self, run: Run<'a>) -> impl FnMut(&Bucket) -> bool + 'a {
        // Of what the ids of one execution are made, nothing else differs.
        let mut said = HashSet::new();
        move |bucket| said.insert(in_order(&values_of(run, self.fields.len(), &bucket.key)).join(","))
    }

    /// The alert that an execution at `started_at` raises.
    fn alert(&self, run: Run<'_>, bucket: &Bucket, started_at: Millis) -> Candidate {
        let values = values_of(run, self.fields.len(), &bucket.key);
        let event = SeedEvent {
            id: counted_id(&self.signature, started_at, &self.fields, &values),
            index: self.patterns.clone(),
            timestamp: bucket.timestamp,
            origin: Origin::default(),
        };
        let result = ThresholdResult {
            terms: self.fields.iter().cloned().zip(values).collect(),
            cardinality: self.cardinality.clone().zip(bucket.cardinality),
            count: bucket.count,
            from: bucket.start,
            to: bucket.end,
            alerts: Vec::new(),
        };
        let group = self
            .is_suppressed
            .then(|| Group::new(result.terms.clone(), &run.tail.rule_uuid, (bucket.start, bucket.end)));
        let (detail, rule) = (Detail::Threshold(Box::new(result)), run.space_and_rule());
        let id = if self.is_suppressed {
            id::suppressed_threshold_alert(&event.index, &event.id, &rule)
        } else {
            detail.alert_id(&event.index, &event.id, &rule)
        };
        Candidate { id, event, detail, group }
    }
}

/// The id of what an execution counted in one group.
fn counted_id(signature: &str, started_at: Millis, fields: &[String], values: &[Value]) -> String {
    let values = in_order(values).join(",");
    let name = format!("{signature}{}{}{values}", to_iso(started_at), fields.join(","));
    Uuid::new_v5(&COUNTED_NAMESPACE, name.as_bytes()).to_string()
}

/// The values as text, sorted as Kibana sorts them: two groups of the same values, each of another field, are alike.
fn in_order(values: &[Value]) -> Vec<String> {
    let mut values: Vec<String> = values.iter().map(id::js_text).collect();
    values.sort_by(|a, b| a.encode_utf16().cmp(b.encode_utf16()));
    values
}

/// The executions of a threshold rule.
pub(super) struct ThresholdExecutions<'a> {
    rule: &'a Threshold,
    run: Run<'a>,
    counting: Counting<'a>,
}

impl<'a> ThresholdExecutions<'a> {
    pub(super) fn new(rule: &'a Threshold, run: Run<'a>, mut counting: Counting<'a>) -> Self {
        rule.recall(run, &mut counting);
        Self { rule, run, counting }
    }
}

impl Executions for ThresholdExecutions<'_> {
    fn next(&mut self, ticks: &Ticks, tick: i64) -> Option<i64> {
        self.counting.next(ticks, tick)
    }

    fn execute(&mut self, tick: i64, window: &Window, writer: &mut Writer<'_>) {
        // An alert that exists already was raised by this same execution, and takes the place that it took then.
        let (rule, run) = (self.rule, self.run);
        let mut is_said = rule.is_said(run);
        let mut said: Vec<bool> = Vec::new();
        let limit = writer.budget as usize;
        let (buckets, is_more) = self.counting.execute(tick, window, limit, &mut |bucket| {
            said.push(is_said(bucket));
            said.last() == Some(&true)
        });
        // Offered together they are put in another order, and of two with one id the wrong one would be left.
        let offered: Vec<&Bucket> = (buckets.iter().zip(said))
            .filter_map(|(bucket, is_said)| (!rule.is_suppressed || is_said).then_some(bucket))
            .collect();
        let alerts = offered.iter().map(|bucket| {
            let mut alert = rule.alert(run, bucket, window.started_at);
            if let Detail::Threshold(result) = &mut alert.detail {
                let events = &run.matches.events;
                let counted = self.counting.events(bucket).into_iter().map(|it| events.origin(it));
                result.alerts = counted.filter(|it| it.is_alert()).collect();
                result.alerts.sort_unstable();
            }
            alert
        });
        let alerts: Vec<Candidate> = alerts.collect();
        if rule.is_suppressed {
            for group in alerts.iter().filter_map(|it| it.group.as_ref()) {
                writer.count(group.terms.to_vec(), group.end);
            }
            writer.offer_alike(alerts);
        } else {
            for it in alerts {
                writer.create(it);
            }
        }
        if is_more {
            writer.cut_off();
        }
    }

    fn depends_on_earlier(&self, first: i64) -> bool {
        self.counting.depends_on_earlier(first)
    }
}

impl Threshold {
    /// What alerts of the rule counted that were raised before the first execution is not counted again.
    fn recall(&self, run: Run<'_>, counting: &mut Counting<'_>) {
        let window = run.ticks.window(run.ticks.first);
        let known = run
            .counted
            .iter()
            .filter(|it| it.result_to >= window.from && it.terms.len() == self.fields.len());
        let known: Vec<_> = known.collect();
        if known.is_empty() {
            return;
        }
        for key in counting.groups() {
            let values = values_of(run, self.fields.len(), &key);
            let is_it = |terms: &[(String, Value)]| {
                self.fields.iter().zip(&values).all(|(field, value)| {
                    terms.iter().any(|(of, it)| of == field && id::js_text(it) == id::js_text(value))
                })
            };
            if let Some(to) = known.iter().filter(|it| is_it(&it.terms)).map(|it| it.result_to).max() {
                counting.count_to(&key, to);
            }
        }
    }

    /// What became of an event: in which alert it was counted, or how much was counted with it at most.
    pub(super) fn why_not(&self, mut counting: Counting<'_>, watched: &Watched, run: Run<'_>) -> Vec<Fate> {
        let (ticks, time) = (run.ticks, watched.at.time);
        self.recall(run, &mut counting);
        let values: Vec<_> = watched.values.iter().map(Vec::as_slice).collect();
        let columns = run.columns();
        let mut keys: Vec<Key> = Vec::new();
        let left_out = self.by.keys(
            &values,
            |column, id| run.matches.values(columns[column]).get(id),
            |key| keys.push(key),
        );
        let lacking = (left_out > 0 || keys.is_empty()).then_some(Fate::NoTerm);
        if keys.is_empty() {
            return lacking.into_iter().collect();
        }
        if !keys.iter().any(|key| counting.holds(key, watched)) {
            return vec![Fate::Copy];
        }
        let Some(first) = ticks.first_holding(time) else { return vec![Fate::Unseen] };
        let end = ticks.last_for(Some(time));
        let mut best: Vec<Option<Fate>> = vec![None; keys.len()];
        let (mut most, mut next) = (vec![0; keys.len()], ticks.first);
        let limit = run.budget as usize;
        let mut tick = first;
        for number in 0_usize.. {
            // A range without an end holds the event very often: then only those that alert are looked at.
            let following = match number {
                0 => Some(first),
                1..LOOKED_AT_MAX => Some(tick + 1),
                _ => counting.next(ticks, tick + 1),
            };
            let Some(following) = following.filter(|it| *it <= end) else { break };
            tick = following;
            let window = ticks.window(tick);
            if window.from > time {
                break;
            }
            let mut due = counting.next(ticks, next);
            while let Some(before) = due.filter(|it| *it < tick) {
                let window = ticks.window(before);
                counting.execute(before, &window, limit, &mut self.is_said(run));
                next = before + 1;
                due = counting.next(ticks, next);
            }
            // Alerts may have counted its groups while it was no match of theirs.
            if !counting.is_match(watched, window.started_at) || counting.is_counted(&keys, time, window.from)
            {
                continue;
            }
            let counts: Vec<Option<Bucket>> = keys.iter().map(|key| counting.count(key, &window)).collect();
            let (mut found, mut is_more) = (Vec::new(), false);
            if due == Some(tick) {
                let mut is_said = self.is_said(run);
                (found, is_more) = counting.execute(tick, &window, limit, &mut is_said);
                next = tick + 1;
            }
            let alerts = found.iter().filter(|it| keys.contains(&it.key)).map(|bucket| {
                let id = self.alert(run, bucket, window.started_at).id;
                let terms = values_of(run, self.fields.len(), &bucket.key);
                Fate::Alerted { id, execution: window.started_at, terms }
            });
            let alerts: Vec<Fate> = alerts.collect();
            if !alerts.is_empty() {
                return alerts;
            }
            for (at, bucket) in counts.iter().enumerate().filter_map(|(at, it)| Some((at, it.as_ref()?))) {
                let terms = values_of(run, self.fields.len(), &bucket.key);
                let execution = window.started_at;
                let distinct = bucket.cardinality.unwrap_or_default();
                if is_more && self.by.is_reached(bucket.count, || distinct) {
                    best[at] = Some(Fate::Cut { execution, terms });
                    most[at] = u64::MAX;
                } else if bucket.count > most[at] {
                    let cardinality = self.by.cardinality.map(|least| (distinct, least));
                    let (count, value) = (bucket.count, self.by.value);
                    best[at] = Some(Fate::Counted { terms, execution, count, value, cardinality });
                    most[at] = bucket.count;
                }
            }
        }
        let mut fates: Vec<Fate> = best.into_iter().flatten().collect();
        if fates.is_empty() {
            fates.push(Fate::NotThen);
        }
        fates.extend(lacking);
        fates
    }
}

/// Where an alert has what it counted.
pub(crate) const THRESHOLD_RESULT: &str = "kibana.alert.threshold_result";

/// As JSON: of some rules there are so many alerts that a tree of this takes longer than all the rest.
pub(super) fn alert_field(result: &ThresholdResult) -> String {
    let mut text = format!("{{\"count\":{},\"from\":\"{}\",\"terms\":[", result.count, to_iso(result.from));
    let mut pair = |field: &str, value: &Value| {
        text += if text.ends_with('[') { "{\"field\":" } else { ",{\"field\":" };
        write_text(field, &mut text);
        text += &format!(",\"value\":{value}}}");
    };
    result.terms.iter().for_each(|(field, value)| pair(field, value));
    text += "]";
    if let Some((field, count)) = &result.cardinality {
        text += ",\"cardinality\":[{\"field\":";
        write_text(field, &mut text);
        text += &format!(",\"value\":{count}}}]");
    }
    text += "}";
    text
}

/// What stands for the event in an alert: the values of its group, and when the newest event was.
pub(super) fn document(result: &ThresholdResult) -> Object {
    let mut document = Object::new();
    document.insert("@timestamp".to_owned(), to_iso(result.to).into());
    document.extend(result.terms.iter().cloned());
    document
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// As JSON, and as what that says.
    #[test]
    fn what_was_counted_is_json() {
        let terms = vec![("user.name".to_owned(), json!("a\"b")), ("port".to_owned(), json!(80))];
        let none = ThresholdResult {
            terms: Vec::new(),
            cardinality: None,
            count: 3,
            alerts: Vec::new(),
            from: 0,
            to: 0,
        };
        let some = ThresholdResult { terms, cardinality: Some(("source.ip".to_owned(), 2)), ..none.clone() };
        let expected = json!({"count": 3, "from": "1970-01-01T00:00:00.000Z", "terms": []});
        assert_eq!(alert_field(&none), expected.to_string());
        let expected = json!({
            "count": 3,
            "from": "1970-01-01T00:00:00.000Z",
            "terms": [{"field": "user.name", "value": "a\"b"}, {"field": "port", "value": 80}],
            "cardinality": [{"field": "source.ip", "value": 2}],
        });
        assert_eq!(alert_field(&some), expected.to_string());
    }

    /// As Kibana makes them.
    #[test]
    fn known_ids() {
        let fields = ["user.name".to_owned(), "source.ip".to_owned()];
        let values = [json!("alice"), json!("10.0.0.1")];
        let counted = counted_id("sig-rule-1", 1_785_542_700_000, &fields, &values);
        assert_eq!(counted, "2b3d51d8-16f0-5754-be49-d8bcc7e1e79d");
        let result = ThresholdResult {
            terms: Vec::new(),
            cardinality: None,
            count: 3,
            from: 0,
            to: 0,
            alerts: Vec::new(),
        };
        let rule = "default:6f1d3b2e-8a54-4c1f-9f0e-2b7c1d5e9a10";
        assert_eq!(
            Detail::Threshold(Box::new(result)).alert_id("logs-aws.cloudtrail*", &counted, rule),
            "aeac6714e2ad43bb03391411a2f9adc74bf6be2c3c8d8513a9c7e21cf696943e"
        );
    }
}
