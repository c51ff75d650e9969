//! What is stepped over and kept compact says the same as every execution by the book.

mod eql;
mod naive;
mod slots;
mod suppression;
mod threshold;

use std::collections::BTreeSet;
use std::sync::Arc;

use ecs::date::DateMath;
use ecs::{Catalog, Millis, Scalar};
use plan::Residue;
use proptest::prelude::*;
use proptest::sample::select;
use rule::{AlertSuppression, Cardinality, MissingFields, NewTerms, Rule, RuleKind, Threshold};
use serde_json::json;

use crate::rule_type::TERMS_PAGE;
use crate::{
    COMBINATIONS_MAX, Collector, DataSpan, EventInfo, Fate, KnownAlerts, Limits, Matches, Mode, Origin,
    Outcome, Tail, Tails, WarningKind,
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

proptest! {
    /// Whatever the schedule, the order of feeding and the number of collectors; and whatever is asked for, its alerts
    /// are those of the whole.
    #[test]
    fn replay_is_every_execution(case in case()) {
        let (rule, mode) = (case.rule.rule(), Mode::Replay { since: case.since, until: case.until });
        case.check(case.rule.tail(mode), &rule, &case.ranges(&rule), |it| is_asked(&rule, mode, it))?;
    }

    #[test]
    fn once_is_one_execution(case in case(), has_residue in any::<bool>()) {
        let rule = case.rule.rule();
        let tail = case.rule.tail(Mode::Once { from: case.since, to: case.until });
        let tail = tail.with_residue(has_residue.then(residue));
        let span = case.span();
        let (from, to) = (case.since.unwrap_or(span.first - 1), case.until.unwrap_or(span.last));
        let history = match (&rule.kind, case.since) {
            (RuleKind::NewTerms(it), Some(from)) => {
                it.history_window_start.millis_at(from)
            }
            _ => from,
        };
        case.check(tail, &rule, &[Range { started_at: to, from, to, history, exclusive: true }], |_| true)?;
    }

    /// What a residue decides, it decides for each execution, of the history as well.
    #[test]
    fn a_residue_is_decided_by_each_execution(case in case()) {
        let (rule, mode) = (case.rule.rule(), Mode::Replay { since: case.since, until: case.until });
        let tail = case.rule.tail(mode).with_residue(Some(residue()));
        case.check(tail, &rule, &case.ranges(&rule), |it| is_asked(&rule, mode, it))?;
    }

    /// A residue on which all executions agree is a filter.
    #[test]
    fn a_settled_residue_is_a_filter(case in case().prop_map(Case::apart), created in time()) {
        let mode = Mode::Replay { since: case.since, until: case.until };
        let before = json!({"range": {"event.created": {"lt": ecs::date::to_iso(created)}}});
        let before = plan::condition(&plan::dsl::parse(&before).unwrap(), &Catalog::ecs()).unwrap();
        let outcome = |matches: &Matches| {
            let (known, limits) = (KnownAlerts::default(), Limits::default());
            let outcome = matches.execute_as(mode, 0, case.span(), &known, limits, case.page).unwrap();
            // Those of an event's terms come in the order of their numbers.
            let fates = matches.fates(0, case.span(), &known, limits).unwrap();
            let fates: BTreeSet<String> = fates.iter().map(|it| format!("{it:?}")).collect();
            (said(&outcome), outcome.executions, fates)
        };
        let filtered = case.collect(case.rule.tail(mode), "event-0", |it| it.created < created).finish();
        let (expected, executions, fates) = outcome(&filtered);
        // Long expired, and long to come.
        for until in [0, 4_000_000_000_000] {
            let condition = plan::Condition::until(until);
            let condition = if until == 0 { condition } else { condition.negate() };
            let condition = plan::Condition::any_of([before.clone(), condition]);
            let tail = case.rule.tail(mode).with_residue(condition.residue());
            let matches = case.collect(tail, "event-0", |_| true).finish();
            let found = outcome(&matches);
            prop_assert_eq!(&found.0, &expected);
            if case.rule.rule().from.reads_clock() && case.rule.rule().to.reads_clock() {
                prop_assert_eq!(&found.1, &executions);
                if !fates.is_empty() {
                    prop_assert_eq!(&found.2, &fates);
                }
            }
        }
    }

    /// Events that the rule does not match change nothing, wherever they lie.
    #[test]
    fn unrelated_events_change_no_alert(
        case in case(),
        earlier in 0..300_i64,
        later in 0..300_i64,
        has_residue in any::<bool>(),
    ) {
        prop_assume!(case.rule.rule().to.reads_clock());
        let matches = case.matches(case.rule.tail(REPLAY).with_residue(has_residue.then(residue)));
        let span = case.span();
        let longer = DataSpan {
            first: span.first - earlier * MINUTE,
            last: span.last + later * MINUTE,
            complete_from: None,
        };
        let execute =
            |span| said(&matches.execute(0, span, &KnownAlerts::default(), Limits::default()).unwrap());
        prop_assert_eq!(execute(longer), execute(span));
    }

    /// Nor do those that it matches beyond the end of the data, such as records without a time, change how the others
    /// alert; and they do.
    #[test]
    fn what_lies_beyond_the_data_alerts_too(
        case in case(),
        until in time(),
        has_residue in any::<bool>(),
        is_fixed in any::<bool>(),
    ) {
        let mut case = case;
        // A history must begin before the range; and what a residue says of a match that is held forever, it may say at
        // any time to come.
        if is_fixed && !has_residue && (case.rule.fields == 0 || case.rule.threshold.is_some()) {
            case.rule.from = "2026-01-01";
        }
        prop_assume!(case.rule.rule().to.reads_clock());
        let matches = case.matches(case.rule.tail(REPLAY).with_residue(has_residue.then(residue)));
        let span = case.span();
        let shorter = DataSpan { last: until.clamp(span.first, span.last), ..span };
        let execute = |span| matches.execute(0, span, &KnownAlerts::default(), Limits::default()).unwrap();
        let (whole, part) = (execute(span), execute(shorter));
        prop_assert_eq!(said(&part), said(&whole));
        prop_assert!(part.executions.run <= part.executions.total);
        prop_assert!(part.executions.total <= whole.executions.total);
    }

    /// Delivered once or three times, in whatever order: the alerts are the same.
    #[test]
    fn copies_change_no_alert(case in case(), has_residue in any::<bool>()) {
        let once = case.apart();
        let mut thrice = once.clone();
        let count = once.deliveries.len();
        for copy in 1..3_u32 {
            for at in 0..count {
                let origin = Origin { input: 10 + copy, ordinal: at as u64 };
                thrice.feeding.insert(at * copy as usize % thrice.feeding.len(), (thrice.deliveries.len(), at % 3));
                thrice.deliveries.push(Delivery { origin, ..once.deliveries[at].clone() });
            }
        }
        let execute = |case: &Case| {
            let matches = case.matches(case.rule.tail(REPLAY).with_residue(has_residue.then(residue)));
            let (known, limits) = (KnownAlerts::default(), Limits::default());
            said(&matches.execute_as(REPLAY, 0, case.span(), &known, limits, case.page).unwrap())
        };
        prop_assert_eq!(execute(&thrice), execute(&once));
    }

    /// What a rule says it reads is all it needs for what is asked for, or it says that it may not be.
    #[test]
    fn what_need_not_be_read_changes_no_alert(case in case().prop_map(Case::apart)) {
        let spec = Spec { timestamp_override: false, ..case.rule.clone() };
        let mode = Mode::Replay { since: case.since, until: case.until };
        let tail = spec.tail(mode);
        let from = tail.reads_from();
        let execute = |collector: Collector, span| {
            collector.finish().execute(0, span, &KnownAlerts::default(), Limits::default()).unwrap()
        };
        let whole = execute(case.collect(tail.clone(), "a", |_| true), case.span());
        let is_read = |it: &Delivery| from.is_none_or(|from| from <= it.timestamp);
        let part = execute(
            case.collect(tail, "a", is_read),
            DataSpan { complete_from: from, ..case.span() },
        );
        let is_uncertain = |it: &WarningKind| {
            matches!(it, WarningKind::UncertainStart | WarningKind::UncertainSuppression { .. })
        };
        if !part.warnings.iter().any(|it| is_uncertain(&it.kind)) {
            prop_assert_eq!(said(&part), said(&whole));
        }
    }

    /// What is forgotten, later executions do not look at.
    #[test]
    fn what_is_forgotten_is_not_needed(case in case().prop_map(Case::apart), now in time()) {
        let rule = case.rule.rule();
        let tail = case.rule.tail(REPLAY);
        let interval = rule.interval.millis();
        let now = now.div_euclid(interval) * interval;
        // Where the replay over what is left begins.
        let begin = |now| {
            let window = tail.bounds.window(now);
            window.history.min(window.from)
        };
        let begins = begin(now);
        prop_assume!(begin(now - interval) < begins);
        let mut collector = case.collect(tail.clone(), "a", |_| true);
        let before = collector.events();
        let whole = collector.clone().finish();
        collector.forget(now);
        prop_assert!(collector.events() <= before);
        let (none, limits) = (KnownAlerts::default(), Limits::default());
        let all = said(&whole.execute(0, case.span(), &none, limits).unwrap()).alerts;
        let (earlier, expected): (Vec<_>, Vec<_>) = all.into_iter().partition(|it| it.execution < now);
        let mut known = KnownAlerts::default();
        for alert in earlier {
            known.add_id(alert.id);
        }
        // As they are at that time: later executions may add to them.
        let indices = indices();
        let before = case.ranges(&rule).into_iter().filter(|it| it.started_at < now);
        let naive = Naive { page: TERMS_PAGE, ..case.naive(&rule, &indices, &none) };
        for alert in naive.execute(before).alerts {
            known.add_threshold(&rule.id, &alert);
            known.add_suppressing(&rule.id, &alert);
        }
        let span = DataSpan { complete_from: Some(begins), ..case.span() };
        let mut later = said(&collector.finish().execute(0, span, &known, limits).unwrap()).alerts;
        later.retain(|it| it.execution >= now);
        prop_assert_eq!(later, expected);
    }

    /// Of what a rule matched it is said what became of it, and that is true.
    #[test]
    fn fates_are_true(case in case(), has_residue in any::<bool>()) {
        let rule = case.rule.rule();
        let mode = Mode::Replay { since: case.since, until: case.until };
        let matches = case.matches(case.rule.tail(mode).with_residue(has_residue.then(residue)));
        let (none, limits, span) = (KnownAlerts::default(), Limits::default(), case.span());
        let outcome = matches.execute_as(REPLAY, 0, span, &none, limits, TERMS_PAGE).unwrap();
        if case.rule.threshold.is_some() {
            threshold::check_fates(&case, &matches, &outcome, has_residue)?;
            return Ok(());
        }
        let about = |it: &Delivery| it.id == "a";
        let deliveries = case.deliveries.iter().filter(|it| about(it)).count();
        let fates = matches.fates(0, span, &none, limits).unwrap();
        prop_assert_eq!(fates.is_empty(), deliveries == 0);
        let ranges = case.ranges(&rule);
        let indices = indices();
        let naive = case.naive(&rule, &indices, &none);
        let held = |it: &Delivery| {
            naive.time(it).is_some_and(|time| ranges.iter().any(|range| range.from <= time && time <= range.to))
        };
        let alerts = outcome.alerts.iter().filter(|it| it.event.id == "a").count();
        let raised = fates.iter().filter(|it| matches!(it, Fate::Alerted { .. } | Fate::NotAsked { .. }));
        // Executions that raise several alerts outside of what was asked for are told once.
        prop_assert!(raised.clone().count() <= alerts && (raised.count() > 0) == (alerts > 0));
        for fate in &fates {
            let is_true = match fate {
                Fate::Alerted { id, execution, .. } => {
                    outcome.alerts.iter().any(|it| it.id == *id && it.execution.started_at == *execution)
                }
                Fate::NotAsked { .. } => true,
                Fate::Undated => rule.timestamp_override_fallback_disabled && rule.timestamp_override.is_some(),
                Fate::Unseen => case.deliveries.iter().any(|it| about(it) && !held(it)) || case.rule.fields > 0,
                Fate::NotThen => has_residue,
                Fate::Copy => deliveries > 1,
                Fate::NoTerm | Fate::Seen { .. } => case.rule.fields > 0,
                Fate::Cut { .. } => outcome.metrics.truncated > 0,
                Fate::Suppressed { by, .. } => {
                    rule.alert_suppression.is_some() && outcome.alerts.iter().any(|it| it.id == *by)
                }
                Fate::Known { .. }
                | Fate::Stuck { .. }
                | Fate::Split
                | Fate::Against
                | Fate::Counted { .. } => false,
            };
            prop_assert!(is_true, "{fate:?} of {fates:?}");
        }
    }
}

/// A new-terms rule on `user.name` and `source.address`.
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
        threshold: None,
        suppression: None,
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
        let tails = Arc::new(Tails::new(vec![two_fields().tail(REPLAY)]));
        let mut collector = Collector::new(Arc::clone(&tails));
        let fields = tails.columns(0);
        let mut push = |id: &str, timestamp, words: &[String], reversed| {
            let mut words: Vec<&String> = words.iter().collect();
            if reversed {
                words.reverse();
            }
            let ids: Vec<Vec<_>> = fields
                .iter()
                .map(|&field| {
                    words.iter().filter_map(|it| collector.intern(field, Scalar::Str(it))).collect()
                })
                .collect();
            let origin = Origin { input: 0, ordinal: timestamp as u64 };
            collector.event(EventInfo { id, index: 0, timestamp, origin }).push(0, None, &[&ids[0], &ids[1]]);
        };
        push("all", start, &words, reversed);
        push("first", start + 30 * MINUTE, &words[..1], false);
        push("last", start + 30 * MINUTE, &words[SIDE - 1..], false);
        let matches = collector.finish();
        let span = DataSpan { first: start, last: start + 30 * MINUTE, complete_from: None };
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
    let tail = Tail::new(&rule, Mode::Once { from: None, to: None }, &Catalog::ecs()).unwrap();
    let mut collector = Collector::new(Tails::new(vec![tail]).into());
    for id in ["a", "b", "c"] {
        collector.event(EventInfo { id, index: 0, timestamp: 0, origin: Origin::default() }).push(
            0,
            None,
            &[],
        );
    }
    let (matches, span) = (collector.finish(), DataSpan { first: 0, last: 0, complete_from: None });
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
        complete_from in prop::option::of(any::<i64>()),
        has_residue in any::<bool>(),
    ) {
        for mode in [Mode::Replay { since: from, until: to }, Mode::Once { from, to }] {
            let Ok(tail) = Tail::new(&spec.rule(), mode, &Catalog::ecs()) else { continue };
            let _ = tail.reads_from();
            // A range without beginning or end holds everything for all time, execution by execution.
            let has_residue = has_residue && spec.rule().to.reads_clock();
            let tails = Arc::new(Tails::new(vec![tail.with_residue(has_residue.then(residue))]));
            let mut collector = Collector::new(Arc::clone(&tails)).watching("a".to_owned());
            let fields = tails.columns(0);
            for (ordinal, &timestamp) in (0..).zip(&times) {
                let term: Vec<_> =
                    fields.iter().map(|&it| [collector.intern(it, Scalar::Str("x")).unwrap()]).collect();
                let terms: Vec<&[_]> = term.iter().map(<[_; 1]>::as_slice).collect();
                let info = EventInfo { id: "a", index: 9, timestamp, origin: Origin { input: 0, ordinal } };
                collector.event(info).push(0, Some(times[0]), &terms);
            }
            let (first, last) = (*times.iter().min().unwrap(), *times.iter().max().unwrap());
            let span = DataSpan { first, last, complete_from };
            let (known, limits) = (KnownAlerts::default(), Limits::default());
            collector.forget(times[0]);
            let matches = collector.finish();
            let _ = matches.execute(0, span, &known, limits);
            let _ = matches.fates(0, span, &known, limits);
        }
    }
}
