//! What is stepped over and kept compact says the same as every execution by the book.

mod naive;

use std::sync::Arc;

use ecs::Millis;
use ecs::date::DateMath;
use proptest::prelude::*;
use proptest::sample::select;
use rule::{NewTerms, Rule, RuleKind};

use crate::COMBINATIONS_MAX;
use crate::{
    Collector, DataSpan, EventInfo, KnownAlerts, Limits, Matches, Mode, Origin, Plan, Term, WarningKind,
};
use naive::{Delivery, Naive, Range, Said};

const MINUTE: Millis = 60_000;
const FIELDS: [&str; 3] = ["user.name", "source.ip", "event.action"];

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
        if self.fields > 0 {
            let fields = FIELDS[..self.fields].iter().map(|&it| it.to_owned()).collect();
            let history_window_start = DateMath::of_rule(self.history).unwrap();
            rule.kind = RuleKind::NewTerms(NewTerms { fields, history_window_start });
        }
        rule
    }
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
    let one =
        (id, 0..2_u32, time(), prop::option::weighted(0.7, time()), prop::collection::vec(values, fields));
    let copied = prop::collection::vec((one, prop::bool::weighted(0.2)), 1..40);
    copied.prop_map(|all| {
        let mut deliveries = Vec::new();
        for ((id, index, timestamp, over, terms), twice) in all {
            for _ in 0..=usize::from(twice) {
                let origin = Origin { input: deliveries.len() as u32 % 3, ordinal: deliveries.len() as u64 };
                deliveries.push(Delivery {
                    id: id.into(),
                    index,
                    timestamp,
                    over,
                    origin,
                    terms: terms.clone(),
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
    )
        .prop_map(
            |(minutes, from, to, history, max_signals, timestamp_override, fallback_disabled, fields)| Spec {
                interval: minutes * MINUTE,
                from,
                to,
                history,
                max_signals,
                timestamp_override,
                fallback_disabled,
                fields,
            },
        )
}

fn case() -> impl Strategy<Value = Case> {
    let replay = Mode::Replay { since: None, until: None };
    let accepted = move |spec: &Spec| Plan::new(&spec.rule(), replay).is_ok();
    let spec = spec().prop_filter("the history window does not always lie before the interval", accepted);
    spec.prop_flat_map(|rule| {
        let bound = || prop::option::weighted(0.3, time());
        let all = (Just(rule.clone()), deliveries(rule.fields), bound(), bound(), 2..6_usize, 1..6_usize);
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
    fn matches(&self, plan: Plan) -> Matches {
        let plans: Arc<[Plan]> = Arc::from([plan]);
        let mut collectors = vec![Collector::new(Arc::clone(&plans)); 3];
        for collector in &mut collectors {
            collector.name_indices(&indices());
        }
        for &(at, collector) in &self.feeding {
            let (delivery, collector) = (&self.deliveries[at], &mut collectors[collector]);
            let fields = collector.fields(0).to_vec();
            let terms: Vec<Vec<_>> = fields
                .iter()
                .zip(&delivery.terms)
                .map(|(&field, values)| {
                    values.iter().map(|it| collector.intern(field, Term::Str(it))).collect()
                })
                .collect();
            let terms: Vec<&[_]> = terms.iter().map(Vec::as_slice).collect();
            let info = EventInfo {
                id: &delivery.id,
                index: delivery.index,
                timestamp: delivery.timestamp,
                origin: delivery.origin,
            };
            let over = delivery.over.filter(|_| plans[0].timestamp_override().is_some());
            collector.event(info).push(0, over, &terms);
        }
        let mut all = collectors.pop().unwrap();
        for collector in collectors {
            all.merge(collector);
        }
        all.finish()
    }

    fn span(&self) -> DataSpan {
        let times = || self.deliveries.iter().flat_map(|it| [Some(it.timestamp), it.over]).flatten();
        DataSpan { first: times().min().unwrap(), last: times().max().unwrap() }
    }

    /// Compares the outcome with the naive one, without and with alerts that exist already.
    fn check(&self, plan: Plan, rule: &Rule, ranges: &[Range]) -> Result<(), TestCaseError> {
        let matches = self.matches(plan);
        let mut known = KnownAlerts::default();
        for _ in 0..2 {
            let (deliveries, indices, limits) = (&self.deliveries[..], &indices()[..], Limits::default());
            let outcome = matches.execute_paged(0, self.span(), &known, limits, self.page).unwrap();
            let naive =
                Naive { rule, deliveries, indices, known: &known, budget: rule.max_signals, page: self.page };
            let expected = naive.execute(ranges.iter().copied());
            let truncated = outcome.warnings.iter().filter(|it| it.kind == WarningKind::AlertLimit);
            let said = Said {
                truncated: truncated.filter_map(|it| it.execution).collect(),
                alerts: outcome
                    .alerts
                    .iter()
                    .map(|it| (it.execution.started_at, it.id.clone(), it.event.origin, it.detail.clone()))
                    .collect(),
            };
            prop_assert_eq!(outcome.metrics.truncated, said.truncated.len() as u64);
            prop_assert_eq!(&said, &expected);
            prop_assert_eq!(outcome.executions.total, ranges.len() as u64);
            prop_assert!(outcome.executions.run <= outcome.executions.total);
            for alert in outcome.alerts.iter().step_by(self.known) {
                known.add_id(alert.id.clone());
            }
        }
        Ok(())
    }
}

fn indices() -> Vec<String> {
    // Numbers are given in the order of arrival, so the names' order is another.
    vec!["logs-aws.cloudtrail-other".to_owned(), "logs-aws.cloudtrail-default".to_owned()]
}

proptest! {
    /// Whatever the schedule, the order of feeding and the number of collectors.
    #[test]
    fn replay_is_every_execution(case in case()) {
        let rule = case.rule.rule();
        let plan = Plan::new(&rule, Mode::Replay { since: case.since, until: case.until }).unwrap();
        let (span, interval) = (case.span(), rule.interval.millis());
        let since = case.since.unwrap_or(span.first - 1);
        let until = case.until.unwrap_or_else(|| {
            let end = (span.last + interval - 1).div_euclid(interval);
            let mut late = (end..end + 2_000).map(|it| it * interval);
            late.find(|&it| Range::scheduled(&rule, it).to >= span.last).unwrap_or(end * interval)
        });
        let ranges: Vec<Range> = (since.div_euclid(interval) + 1..=until.div_euclid(interval))
            .map(|tick| Range::scheduled(&rule, tick * interval))
            .collect();
        case.check(plan, &rule, &ranges)?;
    }

    #[test]
    fn once_is_one_execution(case in case()) {
        let rule = case.rule.rule();
        let plan = Plan::new(&rule, Mode::Once { from: case.since, to: case.until }).unwrap();
        let span = case.span();
        let (from, to) = (case.since.unwrap_or(span.first - 1), case.until.unwrap_or(span.last));
        let history = match (&rule.kind, case.since) {
            (RuleKind::NewTerms(it), Some(from)) => {
                it.history_window_start.millis_at(from)
            }
            _ => from,
        };
        case.check(plan, &rule, &[Range { started_at: to, from, to, history, exclusive: true }])?;
    }
}

/// A new-terms rule on `user.name` and `source.ip`.
fn two_fields() -> Spec {
    Spec {
        interval: 5 * MINUTE,
        from: "now-6m",
        to: "now",
        history: "now-1h",
        max_signals: 100,
        timestamp_override: false,
        fallback_disabled: false,
        fields: 2,
    }
}

/// An event with more combinations than are looked at: the rest is left out by the order of the values, not by
/// that of feeding, and it is said.
#[test]
fn combinations_are_limited() {
    const SIDE: usize = 1_100;
    let start = 1_769_904_000_000;
    let words: Vec<String> = (0..SIDE).map(|it| format!("{it:04}")).collect();
    for reversed in [false, true] {
        let plan = Plan::new(&two_fields().rule(), Mode::Replay { since: None, until: None }).unwrap();
        let mut collector = Collector::new([plan].into());
        let fields = collector.fields(0).to_vec();
        let mut push = |id: &str, timestamp, words: &[String], reversed| {
            let mut words: Vec<&String> = words.iter().collect();
            if reversed {
                words.reverse();
            }
            let ids: Vec<Vec<_>> = fields
                .iter()
                .map(|&field| words.iter().map(|it| collector.intern(field, Term::Str(it))).collect())
                .collect();
            let origin = Origin { input: 0, ordinal: timestamp as u64 };
            collector.event(EventInfo { id, index: 0, timestamp, origin }).push(0, None, &[&ids[0], &ids[1]]);
        };
        push("all", start, &words, reversed);
        push("first", start + 30 * MINUTE, &words[..1], false);
        push("last", start + 30 * MINUTE, &words[SIDE - 1..], false);
        let matches = collector.finish();
        let span = DataSpan { first: start, last: start + 30 * MINUTE };
        let outcome = matches.execute(0, span, &KnownAlerts::default(), Limits::default()).unwrap();
        let left_out = (SIDE * SIDE) as u64 - COMBINATIONS_MAX;
        let kind = WarningKind::Combinations {
            events: 1,
            combinations: left_out,
            first: Some((start, "all".to_owned())),
        };
        assert!(outcome.warnings.iter().any(|it| it.kind == kind), "{:?}", outcome.warnings);
        assert_eq!(outcome.metrics.terms, Some(COMBINATIONS_MAX + 1));
        let about = outcome.alerts.iter().map(|it| it.event.id.as_str());
        let later: Vec<&str> = about.filter(|it| *it != "all").collect();
        assert_eq!(later, ["last"]);
    }
}

/// `max_signals` beyond what is configured is cut, and it is said.
#[test]
fn configured_limit() {
    let mut rule = two_fields().rule();
    rule.kind = RuleKind::Query;
    let plan = Plan::new(&rule, Mode::Once { from: None, to: None }).unwrap();
    let mut collector = Collector::new([plan].into());
    for id in ["a", "b", "c"] {
        collector.event(EventInfo { id, index: 0, timestamp: 0, origin: Origin::default() }).push(
            0,
            None,
            &[],
        );
    }
    let (matches, span) = (collector.finish(), DataSpan { first: 0, last: 0 });
    let limits = Limits { alerts_per_execution: 2 };
    let outcome = matches.execute(0, span, &KnownAlerts::default(), limits).unwrap();
    let kinds: Vec<_> = outcome.warnings.into_iter().map(|it| it.kind).collect();
    assert_eq!(kinds, [WarningKind::MaxSignals { max_signals: 100, limit: 2 }, WarningKind::AlertLimit]);
    assert_eq!(outcome.alerts.len(), 2);
}

proptest! {
    /// No time, however absurd, does harm.
    #[test]
    fn nothing_panics(
        spec in spec(),
        times in prop::collection::vec(prop_oneof![any::<i64>(), time(), Just(i64::MIN), Just(i64::MAX)], 1..6),
        from in prop::option::of(any::<i64>()),
        to in prop::option::of(any::<i64>()),
    ) {
        for mode in [Mode::Replay { since: from, until: to }, Mode::Once { from, to }] {
            let Ok(plan) = Plan::new(&spec.rule(), mode) else { continue };
            let mut collector = Collector::new([plan].into());
            let fields = collector.fields(0).to_vec();
            for (ordinal, &timestamp) in (0..).zip(&times) {
                let term: Vec<_> = fields.iter().map(|&it| [collector.intern(it, Term::Str("x"))]).collect();
                let terms: Vec<&[_]> = term.iter().map(<[_; 1]>::as_slice).collect();
                let info = EventInfo { id: "a", index: 9, timestamp, origin: Origin { input: 0, ordinal } };
                collector.event(info).push(0, Some(times[0]), &terms);
            }
            let span = DataSpan { first: *times.iter().min().unwrap(), last: *times.iter().max().unwrap() };
            let _ = collector.finish().execute(0, span, &KnownAlerts::default(), Limits::default());
        }
    }
}
