//! What is stepped over and kept compact says the same as every execution by the book.

mod eql;
mod naive;
mod properties;
mod slots;
mod suppression;
mod threshold;

use std::sync::Arc;

use ecs::date::DateMath;
use ecs::{Catalog, Millis, Scalar};
use plan::Residue;
use proptest::prelude::*;
use proptest::sample::select;
use rule::{AlertSuppression, Cardinality, MissingFields, NewTerms, Rule, RuleKind, Threshold};
use serde_json::json;

use crate::{
    Collector, DataSpan, EventInfo, KnownAlerts, Limits, Matches, Mode, Origin, Outcome, Tail, Tails,
    WarningKind,
};
pub(crate) use naive::SaidAlert;
use naive::{Delivery, Naive, Range, Said};

const MINUTE: Millis = 60_000;
/// What alerts are grouped by.
const GROUPS: [&str; 2] = ["cloud.region", "cloud.account.id"];
const FIELDS: [&str; 4] = ["user.name", "source.address", "event.action", "event.provider"];
const REPLAY: Mode = Mode::Replay { since: None, until: None };

/// What of a rule the executions depend on.
#[derive(Clone, Debug)]
struct Spec {
    interval: Millis,
    from: &'static str,
    to: &'static str,
    history: &'static str,
    max_signals: u32,
    timestamp_override: bool,
    fallback_disabled: bool,
    fields: usize,
    /// Of a threshold rule, how many events and how many distinct values of one more field.
    threshold: Option<(u64, Option<u64>)>,
    suppression: Option<Suppressing>,
}

/// How alerts alike suppress one another.
#[derive(Clone, Debug)]
struct Suppressing {
    /// Of [`GROUPS`]; a threshold rule has groups of its own.
    fields: usize,
    duration: Option<Millis>,
    missing: MissingFields,
}

impl Suppressing {
    fn strategy() -> impl Strategy<Value = Self> {
        let duration = select(vec![1, 5, 6, 10, 31, 120]).prop_map(|it| it * MINUTE);
        let missing = select(vec![MissingFields::Suppress, MissingFields::DoNotSuppress]);
        (1..3_usize, prop::option::weighted(0.7, duration), missing)
            .prop_map(|(fields, duration, missing)| Self { fields, duration, missing })
    }

    fn rule(&self, is_threshold: bool) -> AlertSuppression {
        let duration = if is_threshold { Some(self.duration.unwrap_or(MINUTE)) } else { self.duration };
        AlertSuppression {
            group_by: GROUPS[..if is_threshold { 0 } else { self.fields }]
                .iter()
                .map(|&it| it.to_owned())
                .collect(),
            duration: duration.map(|it| format!("{}s", it / 1_000).parse().unwrap()),
            missing_fields: self.missing,
        }
    }
}

impl Spec {
    fn rule(&self) -> Rule {
        let text = "
            [rule]
            rule_id = '3f0b3f76-3c8e-4d0e-8a41-6f6b8d1f2c11'
            name = 'Twin'
            description = 'Twin.'
            severity = 'low'
            risk_score = 21
            query = 'event.action: *'
            type = 'query'
        ";
        let mut rule = rule::load_text("twin.toml", text).rules.remove(0);
        rule.interval = format!("{}s", self.interval / 1_000).parse().unwrap();
        rule.from = DateMath::of_rule(self.from).unwrap();
        rule.to = DateMath::of_rule(self.to).unwrap();
        rule.max_signals = self.max_signals;
        rule.timestamp_override = self.timestamp_override.then(|| "event.ingested".to_owned());
        rule.timestamp_override_fallback_disabled = self.fallback_disabled;
        if let Some((value, cardinality)) = self.threshold {
            let fields = FIELDS[..self.fields].iter().map(|&it| it.to_owned()).collect();
            let cardinality =
                cardinality.map(|value| Cardinality { field: FIELDS[self.fields].to_owned(), value });
            rule.kind = RuleKind::Threshold(Threshold { fields, value, cardinality });
        } else if self.fields > 0 {
            let fields = FIELDS[..self.fields].iter().map(|&it| it.to_owned()).collect();
            let history_window_start = DateMath::of_rule(self.history).unwrap();
            rule.kind = RuleKind::NewTerms(NewTerms { fields, history_window_start });
        }
        rule.alert_suppression = self.suppression.as_ref().map(|it| it.rule(self.threshold.is_some()));
        rule
    }

    fn tail(&self, mode: Mode) -> Tail {
        Tail::new(&self.rule(), mode, &Catalog::ecs()).unwrap()
    }

    /// How many fields of an event matter.
    fn columns(&self) -> usize {
        let groups = self.suppression.as_ref().filter(|_| self.threshold.is_none()).map_or(0, |it| it.fields);
        self.fields
            + usize::from(self.threshold.is_some_and(|(_, cardinality)| cardinality.is_some()))
            + groups
    }
}

/// `event.created` lies in the last hour, or more than two hours back.
fn residue() -> Residue {
    let query = json!({"bool": {"should": [
        {"range": {"event.created": {"gte": "now-1h"}}},
        {"range": {"event.created": {"lt": "now-2h"}}},
    ]}});
    let query = plan::dsl::parse(&query).unwrap();
    plan::condition(&query, &Catalog::ecs()).unwrap().residue().unwrap()
}

/// Times that meet the edges of ranges, and times beside them.
fn time() -> impl Strategy<Value = Millis> {
    (0..300_i64, prop_oneof![3 => Just(0), 1 => -1..=1_i64, 1 => 0..30_000_i64])
        .prop_map(|(halves, beside)| 1_769_904_000_000 + halves * MINUTE / 2 + beside)
}

fn deliveries(fields: usize) -> impl Strategy<Value = Vec<Delivery>> {
    let id = select(vec![
        "a",
        "b",
        "c",
        "d",
        "e",
        "f",
        "g",
        "h",
        "i",
        "j",
        "aa",
        "9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d",
        "1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed",
        "1B9D6BCD-BBFD-4B2D-9B5D-AB8DFBBD4BED",
    ]);
    let values =
        prop::collection::vec(select(vec!["", "ana", "bo", "cy", "dee"]).prop_map(str::to_owned), 0..4);
    let over = prop::option::weighted(0.7, time());
    let one = (id, 0..2_u32, time(), over, prop::collection::vec(values, fields), time());
    let copied = prop::collection::vec((one, prop::bool::weighted(0.2)), 1..40);
    copied.prop_map(|all| {
        let mut deliveries = Vec::new();
        for ((id, index, timestamp, over, terms, created), twice) in all {
            for _ in 0..=usize::from(twice) {
                let origin = Origin { input: deliveries.len() as u32 % 3, ordinal: deliveries.len() as u64 };
                deliveries.push(Delivery {
                    id: id.into(),
                    index,
                    timestamp,
                    over,
                    origin,
                    terms: terms.clone(),
                    created,
                    visible: Millis::MIN,
                });
            }
        }
        deliveries
    })
}

#[derive(Clone, Debug)]
struct Case {
    rule: Spec,
    deliveries: Vec<Delivery>,
    /// The order of feeding, and which collector gets each.
    feeding: Vec<(usize, usize)>,
    since: Option<Millis>,
    until: Option<Millis>,
    /// Every so many of the alerts exist already.
    known: usize,
    page: usize,
}

fn spec() -> impl Strategy<Value = Spec> {
    (
        select(vec![1, 5, 7, 60]),
        select(vec![
            "now-1m",
            "now-5m",
            "now-6m",
            "now-9m",
            "now-1h",
            "now-3h",
            "now-10m/m",
            "now-1h/h",
            "now/d",
        ]),
        select(vec!["now", "now", "now", "now-1m", "now+1m", "now/m", "now-1h/h", "2026-02-01T01:00:00Z"]),
        select(vec!["now-20m", "now-61m", "now-4h", "now-7d", "now-1d/d", "now-2h/h", "now-1M"]),
        1..4_u32,
        any::<bool>(),
        prop::bool::weighted(0.2),
        0..4_usize,
        (prop::option::of((1..5_u64, prop::option::of(0..3_u64))), prop::option::of(Suppressing::strategy())),
    )
        .prop_map(
            |(
                minutes,
                from,
                to,
                history,
                max_signals,
                timestamp_override,
                fallback_disabled,
                fields,
                (threshold, suppression),
            )| Spec {
                interval: minutes * MINUTE,
                from,
                to,
                history,
                max_signals,
                timestamp_override,
                fallback_disabled,
                fields,
                threshold,
                suppression,
            },
        )
}

fn case() -> impl Strategy<Value = Case> {
    let accepted = |spec: &Spec| Tail::new(&spec.rule(), REPLAY, &Catalog::ecs()).is_ok();
    let spec = spec().prop_filter("the history window does not always lie before the interval", accepted);
    spec.prop_flat_map(|rule| {
        let bound = || prop::option::weighted(0.3, time());
        let all = (Just(rule.clone()), deliveries(rule.columns()), bound(), bound(), 2..6_usize, 1..6_usize);
        all.prop_flat_map(|(rule, deliveries, since, until, known, page)| {
            let collectors = prop::collection::vec(0..3_usize, deliveries.len());
            let order = Just((0..deliveries.len()).collect::<Vec<_>>()).prop_shuffle();
            (order, collectors).prop_map(move |(order, collectors)| Case {
                rule: rule.clone(),
                deliveries: deliveries.clone(),
                feeding: order.into_iter().zip(collectors).collect(),
                since,
                until,
                known,
                page,
            })
        })
    })
}

impl Case {
    /// Feeds the deliveries that are wanted.
    fn collect(&self, tail: Tail, watched: &str, wanted: impl Fn(&Delivery) -> bool) -> Collector {
        let has_residue = tail.has_residue();
        let is_overridden = tail.timestamp_override().is_some();
        let tails = Arc::new(Tails::new(vec![tail]));
        let mut collectors = vec![Collector::new(Arc::clone(&tails)).watching(watched.to_owned()); 3];
        for collector in &mut collectors {
            collector.name_indices(&indices());
        }
        for &(at, collector) in &self.feeding {
            let (delivery, collector) = (&self.deliveries[at], &mut collectors[collector]);
            if !wanted(delivery) {
                continue;
            }
            let texts = delivery.terms.iter().map(|it| it.iter().map(|it| Scalar::Str(it)).collect());
            let created = ecs::date::to_iso(delivery.created);
            let values = texts.chain(has_residue.then(|| vec![Scalar::Str(&created)]));
            let terms: Vec<Vec<_>> = tails
                .columns(0)
                .iter()
                .zip(values)
                .map(|(&column, values)| {
                    values.into_iter().filter_map(|it| collector.intern(column, it)).collect()
                })
                .collect();
            let terms: Vec<&[_]> = terms.iter().map(Vec::as_slice).collect();
            let info = EventInfo {
                id: &delivery.id,
                index: delivery.index,
                timestamp: delivery.timestamp,
                origin: delivery.origin,
            };
            collector.event(info).push(0, delivery.over.filter(|_| is_overridden), &terms);
        }
        let mut all = collectors.pop().unwrap();
        for collector in collectors {
            all.merge(collector);
        }
        all
    }

    fn matches(&self, tail: Tail) -> Matches {
        self.collect(tail, "a", |_| true).finish()
    }

    fn span(&self) -> DataSpan {
        let times = || self.deliveries.iter().flat_map(|it| [Some(it.timestamp), it.over]).flatten();
        DataSpan { first: times().min().unwrap(), last: times().max().unwrap(), complete_from: None }
    }

    fn naive<'a>(&'a self, rule: &'a Rule, indices: &'a [String], known: &'a KnownAlerts) -> Naive<'a> {
        let (deliveries, page) = (&self.deliveries[..], self.page);
        Naive { rule, deliveries, indices, known, budget: rule.max_signals, page, has_residue: false }
    }

    /// Compares the outcome with the naive one, without and with alerts that exist already. `is_asked` says of which
    /// executions it matters that they were cut off.
    fn check(
        &self,
        tail: Tail,
        rule: &Rule,
        ranges: &[Range],
        is_asked: impl Fn(&Range) -> bool,
    ) -> Result<(), TestCaseError> {
        let (mode, has_residue) = (tail.mode, tail.has_residue());
        let matches = self.matches(tail);
        let mut known = KnownAlerts::default();
        for _ in 0..2 {
            let limits = Limits::default();
            let outcome = matches.execute_as(mode, 0, self.span(), &known, limits, self.page).unwrap();
            let indices = indices();
            let naive = Naive { has_residue, ..self.naive(rule, &indices, &known) };
            let mut expected = naive.execute(ranges.iter().copied());
            expected.alerts.retain(|it| mode.selects(it.timestamp));
            let asked: Vec<Millis> =
                ranges.iter().filter(|it| is_asked(it)).map(|it| it.started_at).collect();
            expected.truncated.retain(|it| asked.contains(it));
            prop_assert_eq!(outcome.metrics.truncated, expected.truncated.len() as u64);
            prop_assert_eq!(&said(&outcome), &expected);
            if known.is_empty() {
                let suppressed: u64 = outcome.alerts.iter().map(crate::AlertSeed::suppressed_count).sum();
                prop_assert_eq!(outcome.metrics.suppressed, suppressed);
            }
            prop_assert!(outcome.executions.run <= outcome.executions.total);
            for alert in outcome.alerts.iter().step_by(self.known) {
                known.add_id(alert.id.clone());
            }
        }
        Ok(())
    }

    /// The same with an event of its own for each delivery.
    fn apart(mut self) -> Self {
        for (at, delivery) in self.deliveries.iter_mut().enumerate() {
            delivery.id = format!("event-{at}");
        }
        self
    }

    /// Every execution that has anything to see, by the book.
    fn ranges(&self, rule: &Rule) -> Vec<Range> {
        let (span, interval) = (self.span(), rule.interval.millis());
        let range = |tick: i64| Range::scheduled(rule, tick * interval);
        let started = (span.first + interval - 1).div_euclid(interval);
        // An end that does not move with the clock is there before there are events.
        let first = if rule.to.reads_clock() {
            let mut later = started - 2_000..;
            later.find(|&tick| range(tick).to >= span.first).unwrap()
        } else {
            started
        };
        (first..first + 1_000_000).map(range).take_while(|it| it.from <= span.last).collect()
    }
}

fn said(outcome: &Outcome) -> Said {
    let truncated = outcome.warnings.iter().filter(|it| it.kind == WarningKind::AlertLimit);
    let alert = |it: &crate::AlertSeed| SaidAlert {
        execution: it.execution.started_at,
        id: it.id.clone(),
        origin: it.event.origin,
        timestamp: it.event.timestamp,
        detail: it.detail.clone(),
        suppressed: it.suppressed.as_deref().cloned(),
    };
    Said {
        truncated: truncated.filter_map(|it| it.execution).collect(),
        alerts: outcome.alerts.iter().map(alert).collect(),
    }
}

fn indices() -> Vec<String> {
    // Numbers are given in the order of arrival, so the names' order is another.
    vec!["logs-aws.cloudtrail-other".to_owned(), "logs-aws.cloudtrail-default".to_owned()]
}

/// Whether an execution can raise an alert that is asked for.
fn is_asked(rule: &Rule, mode: Mode, range: &Range) -> bool {
    let Mode::Replay { since, until } = mode else { return true };
    rule.timestamp_override.is_some()
        || since.is_none_or(|it| range.to >= it) && until.is_none_or(|it| range.from < it)
}
