//! Thresholds by the book: every execution counts a plain list of events.

use std::collections::{BTreeMap, BTreeSet};

use ecs::Millis;
use proptest::prelude::*;
use rule::Threshold;
use serde_json::Value;
use uuid::Uuid;

use super::naive::{Delivery, Memory, Naive, Range, Said, combinations};
use super::suppression::{Alike, Book, Offer};
use super::{Case, indices};
use crate::rule_type::ThresholdResult;
use crate::{Detail, Fate, KnownAlerts, Limits, Matches, Origin, Outcome, id};

/// Which deliveries an alert counted.
pub(super) type Counted = Vec<(String, Vec<Origin>)>;

impl Naive<'_> {
    pub(super) fn threshold(
        &self,
        threshold: &Threshold,
        ranges: impl IntoIterator<Item = Range>,
    ) -> (Said, Counted) {
        let mut memory = Memory::default();
        for range in ranges {
            self.count(threshold, range, &mut memory);
        }
        (memory.said, memory.counted)
    }

    /// One execution after those that are remembered.
    pub(super) fn count(&self, threshold: &Threshold, range: Range, memory: &mut Memory) {
        let Memory { said, history, counted, .. } = &mut *memory;
        let suppression = self.rule.alert_suppression.as_ref();
        let fields = threshold.fields.len();
        let keys = |it: &Delivery| combinations(&it.terms[..fields]);
        // What was delivered several times is one event: the one read first.
        let mut events: BTreeMap<(&str, u32), &Delivery> = BTreeMap::new();
        for it in self.deliveries.iter().filter(|it| self.time(it).is_some() && !keys(it).is_empty()) {
            let event = events.entry((&it.id, it.index)).or_insert(it);
            if it.origin < event.origin {
                *event = it;
            }
        }
        history.retain(|_, last| *last > range.from);
        let mut buckets: BTreeMap<Vec<String>, Vec<(Millis, &Delivery)>> = BTreeMap::new();
        for it in events.values().copied().filter(|it| self.is_match(range, it)) {
            let time = self.time(it).unwrap();
            let is_in_range =
                range.from <= time && time <= range.to && !(range.exclusive && time == range.from);
            let keys = keys(it);
            if is_in_range && !history.iter().any(|(key, last)| time <= *last && keys.contains(key)) {
                for key in keys {
                    buckets.entry(key).or_default().push((time, it));
                }
            }
        }
        let distinct = |bucket: &[(Millis, &Delivery)]| {
            let values: BTreeSet<&String> = bucket.iter().flat_map(|(_, it)| &it.terms[fields]).collect();
            values.len() as u64
        };
        let mut reached: Vec<_> = buckets
            .into_iter()
            .filter(|(_, bucket)| {
                bucket.len() as u64 >= threshold.value
                    && threshold.cardinality.as_ref().is_none_or(|it| distinct(bucket) >= it.value)
            })
            .collect();
        if reached.len() > self.budget as usize {
            said.truncated.push(range.started_at);
            reached.truncate(self.budget as usize);
        }
        let mut offers = Vec::new();
        for (key, bucket) in reached {
            let (from, to) = (
                bucket.iter().map(|(time, _)| *time).min().unwrap(),
                bucket.iter().map(|(time, _)| *time).max().unwrap(),
            );
            let mut values = key.clone();
            values.sort();
            let name = format!(
                "{}{}{}{}",
                self.rule.rule_id,
                ecs::date::to_iso(range.started_at),
                threshold.fields.join(","),
                values.join(",")
            );
            let space = Uuid::parse_str("0684ec03-7201-4ee0-8ee0-3a3f6b2479b2").unwrap();
            let counted_id = Uuid::new_v5(&space, name.as_bytes()).to_string();
            let id = match suppression {
                Some(_) => id::suppressed_threshold_alert("", &counted_id, &self.space_and_rule()),
                None => id::event_alert("", &counted_id, &self.space_and_rule()),
            };
            let cardinality = threshold.cardinality.as_ref();
            let terms = threshold.fields.iter().cloned().zip(key.iter().map(|it| Value::from(it.as_str())));
            let result = ThresholdResult {
                terms: terms.collect(),
                cardinality: cardinality.map(|it| (it.field.clone(), distinct(&bucket))),
                count: bucket.len() as u64,
                from,
                to,
                alerts: Vec::new(),
            };
            // Two groups can have one id: then there is one alert, and the other is counted again.
            if counted.iter().any(|(it, _)| *it == id) {
                continue;
            }
            history.insert(key, to);
            counted.push((id.clone(), bucket.iter().map(|(_, it)| it.origin).collect()));
            let terms = result.terms.clone();
            offers.push(Offer {
                id,
                origin: Origin::default(),
                timestamp: bucket.iter().map(|(_, it)| it.timestamp).max().unwrap(),
                detail: Detail::Threshold(Box::new(result)),
                alike: suppression.map(|_| Alike { terms, start: from, end: to, docs_count: 0 }),
            });
        }
        let mut budget = self.budget;
        Book { rule: self.rule, known: self.known, memory }.write(&range, &offers, &mut budget, &mut 0);
    }
}

/// An event alerted if it was counted in an alert; else it is said how much was counted.
pub(super) fn check_fates(
    case: &Case,
    matches: &Matches,
    outcome: &Outcome,
    has_residue: bool,
) -> Result<(), TestCaseError> {
    let (rule, none, indices) = (case.rule.rule(), KnownAlerts::default(), indices());
    let rule::RuleKind::Threshold(threshold) = &rule.kind else { unreachable!("it is one") };
    let naive = Naive { has_residue, ..case.naive(&rule, &indices, &none) };
    let (_, counted) = naive.threshold(threshold, case.ranges(&rule));
    let watched: Vec<&Delivery> = case.deliveries.iter().filter(|it| it.id == "a").collect();
    let origins: Vec<Origin> = watched.iter().map(|it| it.origin).collect();
    let raised = counted.iter().filter(|(_, of)| of.iter().any(|it| origins.contains(it))).count();
    let fates = matches.fates(0, case.span(), &none, Limits::default()).unwrap();
    prop_assert_eq!(fates.is_empty(), watched.is_empty());
    let is_told =
        |it: &&Fate| matches!(it, Fate::Alerted { .. } | Fate::NotAsked { .. } | Fate::Suppressed { .. });
    let told = fates.iter().filter(is_told);
    prop_assert_eq!(told.count() > 0, raised > 0, "{:?} {:?}", fates, counted);
    for fate in &fates {
        let is_true = match fate {
            Fate::Alerted { id, execution, .. } => {
                counted.iter().any(|(of, all)| of == id && all.iter().any(|it| origins.contains(it)))
                    && outcome.alerts.iter().any(|it| it.id == *id && it.execution.started_at == *execution)
            }
            Fate::NotAsked { .. } => case.since.is_some() || case.until.is_some(),
            Fate::Counted { count, value, cardinality, .. } => {
                *count > 0 && (count < value || cardinality.is_some_and(|(found, least)| found < least))
            }
            Fate::Cut { .. } => outcome.metrics.truncated > 0,
            Fate::NoTerm => watched.iter().any(|it| it.terms[..case.rule.fields].iter().any(Vec::is_empty)),
            Fate::Copy => watched.len() > 1,
            Fate::Undated => rule.timestamp_override_fallback_disabled && rule.timestamp_override.is_some(),
            Fate::Unseen => true,
            Fate::NotThen => has_residue,
            Fate::Suppressed { by, .. } => {
                rule.alert_suppression.is_some() && outcome.alerts.iter().any(|it| it.id == *by)
            }
            Fate::Known { .. }
            | Fate::Seen { .. }
            | Fate::Stuck { .. }
            | Fate::Split
            | Fate::Dropped { .. }
            | Fate::Against => false,
        };
        prop_assert!(is_true, "{fate:?} of {fates:?}");
    }
    Ok(())
}
