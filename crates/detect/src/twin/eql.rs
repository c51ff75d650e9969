//! Sequences and samples, event by event as the text of the specification has them, execution by execution.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ecs::date::DateMath;
use ecs::{Catalog, Millis};
use proptest::prelude::*;
use proptest::sample::select;
use rule::{Form, JoinKey, Pattern, Pipe, Rule, RuleKind, Stage};
use serde_json::Value;

mod naive;

use super::naive::Range;
use super::{GROUPS, MINUTE, Suppressing, residue, said};
use naive::Naive;

use crate::{
    AlertSeed, Collector, DataSpan, EventInfo, Fate, KnownAlerts, Limits, Matches, Mode, Origin, Tail, Tails,
};

const START: Millis = 1_769_904_000_000;

/// A key: for each field of `by` a value, or null.
type Key = Vec<Option<String>>;

/// One delivery of an event.
#[derive(Clone, Debug)]
struct Delivery {
    id: String,
    index: u32,
    timestamp: Millis,
    over: Option<Millis>,
    /// The value of `timestamp_field`.
    own_time: Option<Millis>,
    tiebreaker: Option<i64>,
    created: Millis,
    origin: Origin,
    /// For each filter that it satisfies the values of the fields of `by`.
    hits: BTreeMap<usize, Vec<Vec<String>>>,
    /// The values that make alerts alike.
    alike: Vec<Vec<String>>,
}

#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is drawn by itself")]
struct Case {
    pattern: Pattern,
    interval: Millis,
    from: &'static str,
    to: &'static str,
    max_signals: u32,
    timestamp_override: bool,
    fallback_disabled: bool,
    timestamp_field: bool,
    tiebreaker: bool,
    suppression: Option<Suppressing>,
    deliveries: Vec<Delivery>,
    feeding: Vec<(usize, usize)>,
    since: Option<Millis>,
    until: Option<Millis>,
    known: usize,
}

fn pattern() -> impl Strategy<Value = Pattern> {
    let form = select(vec![Form::Sequence, Form::Sequence, Form::Sequence, Form::Sample, Form::Event]);
    let stages = prop::collection::vec((0..3_usize, prop::bool::weighted(0.2)), 1..5);
    let key = |fields: &'static [&'static str]| (select(fields), any::<bool>());
    let keys = prop_oneof![
        2 => Just(Vec::new()),
        3 => prop::collection::vec(prop::collection::vec(key(&["user.name"]), 1), 4),
        2 => prop::collection::vec(prop::collection::vec(key(&["user.name", "source.address"]), 1), 4),
        2 => prop::collection::vec(prop::collection::vec(key(&["user.name", "source.address"]), 2), 4),
    ];
    let maxspan = prop::option::weighted(0.7, select(vec![1, 30_000, MINUTE, 4 * MINUTE, 20 * MINUTE]));
    let pipe = (any::<bool>(), 0..4_usize)
        .prop_map(|(head, count)| if head { Pipe::Head(count) } else { Pipe::Tail(count) });
    let pipes = prop_oneof![3 => Just(Vec::new()), 1 => prop::collection::vec(pipe, 1..3)];
    (form, stages, keys, maxspan, any::<bool>(), pipes).prop_map(
        |(form, stages, keys, maxspan, has_until, pipes)| {
            if form == Form::Event {
                return Pattern::event(pipes);
            }
            let mut stages: Vec<Stage> =
                stages.into_iter().map(|(filter, missing)| Stage { filter, missing }).collect();
            let is_sample = form == Form::Sample;
            if is_sample || maxspan.is_none() || stages.iter().all(|it| it.missing) {
                for it in &mut stages {
                    it.missing = false;
                }
            }
            let keys = (0..4).map(|filter| {
                let of = keys.get(filter).into_iter().flatten();
                of.map(|(path, optional)| JoinKey { path: (*path).to_owned(), optional: *optional }).collect()
            });
            let until = (has_until && !is_sample).then_some(3);
            let maxspan = maxspan.filter(|_| !is_sample);
            Pattern { form, stages, until, maxspan, keys: keys.collect(), pipes }
        },
    )
}

fn time() -> impl Strategy<Value = Millis> {
    (0..80_i64, prop_oneof![4 => Just(0), 1 => -1..=1_i64])
        .prop_map(|(quarters, beside)| START + quarters * MINUTE / 4 + beside)
}

fn delivery(filters: usize, fields: usize) -> impl Strategy<Value = Delivery> {
    let values = prop::collection::vec(select(vec!["ana", "bo", ""]).prop_map(str::to_owned), 0..3);
    let alike = prop::collection::vec(values.clone(), GROUPS.len());
    let satisfied = prop::collection::vec(any::<bool>(), filters);
    let hits = (satisfied, prop::collection::vec(prop::collection::vec(values, fields), filters));
    let times = (time(), prop::option::weighted(0.8, -2..3_i64), prop::option::weighted(0.9, time()), time());
    (0..12_u32, 0..2_u32, times, prop::option::weighted(0.6, 0..3_i64), hits, alike).prop_map(
        |(id, index, (timestamp, delay, own_time, created), tiebreaker, (satisfied, values), alike)| {
            Delivery {
                id: format!("{id:02}"),
                index,
                timestamp,
                over: delay.map(|it| timestamp + it * MINUTE / 2),
                own_time,
                tiebreaker,
                created,
                origin: Origin::default(),
                hits: values.into_iter().enumerate().filter(|(filter, _)| satisfied[*filter]).collect(),
                alike,
            }
        },
    )
}

fn case() -> impl Strategy<Value = Case> {
    let schedule = (
        select(vec![1, 5, 7]),
        select(vec!["now-1m", "now-5m", "now-9m", "now-30m", "now-10m/m"]),
        select(vec!["now", "now", "now-1m", "now+1m", "now/m"]),
    );
    let fields = (any::<bool>(), prop::bool::weighted(0.2), prop::bool::weighted(0.2), any::<bool>());
    let all = (pattern(), schedule, 1..5_u32, fields, prop::option::of(Suppressing::strategy()));
    all.prop_flat_map(|(pattern, schedule, max_signals, fields, suppression)| {
        let one = delivery(pattern.filters(), pattern.keys[0].len());
        let deliveries = prop::collection::vec(one, 1..24);
        let bound = || prop::option::weighted(0.3, time());
        (deliveries, bound(), bound(), 2..6_usize, any::<u64>()).prop_flat_map(
            move |(mut deliveries, since, until, known, _)| {
                for (at, delivery) in deliveries.iter_mut().enumerate() {
                    delivery.origin = Origin { input: at as u32 % 3, ordinal: at as u64 };
                }
                let (pattern, suppression) = (pattern.clone(), suppression.clone());
                let order = Just((0..deliveries.len()).collect::<Vec<_>>()).prop_shuffle();
                let collectors = prop::collection::vec(0..3_usize, deliveries.len());
                (order, collectors).prop_map(move |(order, collectors)| Case {
                    pattern: pattern.clone(),
                    interval: schedule.0 * MINUTE,
                    from: schedule.1,
                    to: schedule.2,
                    max_signals,
                    timestamp_override: fields.0,
                    fallback_disabled: fields.1,
                    timestamp_field: fields.2,
                    tiebreaker: fields.3,
                    suppression: suppression.clone(),
                    deliveries: deliveries.clone(),
                    feeding: order.into_iter().zip(collectors).collect(),
                    since,
                    until,
                    known,
                })
            },
        )
    })
}

fn indices() -> Vec<String> {
    vec!["logs-other".to_owned(), "logs-aws.cloudtrail-default".to_owned()]
}

impl Case {
    fn rule(&self) -> Rule {
        let text = "
            [rule]
            rule_id = '3f0b3f76-3c8e-4d0e-8a41-6f6b8d1f2c11'
            name = 'Twin'
            description = 'Twin.'
            severity = 'low'
            risk_score = 21
            query = 'any where true'
            language = 'eql'
            type = 'eql'
        ";
        let mut rule = rule::load_text("twin.toml", text).rules.remove(0);
        rule.interval = format!("{}s", self.interval / 1_000).parse().unwrap();
        rule.from = DateMath::of_rule(self.from).unwrap();
        rule.to = DateMath::of_rule(self.to).unwrap();
        rule.max_signals = self.max_signals;
        rule.timestamp_override = self.timestamp_override.then(|| "event.ingested".to_owned());
        rule.timestamp_override_fallback_disabled = self.fallback_disabled;
        rule.alert_suppression = self.suppression.as_ref().map(|it| it.rule(false));
        rule.kind = RuleKind::Eql {
            event_category_override: None,
            tiebreaker_field: self.tiebreaker.then(|| "event.sequence".to_owned()),
            timestamp_field: self.timestamp_field.then(|| "event.start".to_owned()),
        };
        rule
    }

    /// With a residue at the filters that this says.
    fn tail(&self, mode: Mode, has_residue: impl Fn(usize) -> bool) -> Tail {
        let tail = Tail::of_pattern(&self.rule(), Some(&self.pattern), mode, &Catalog::ecs()).unwrap();
        let filters = 0..self.pattern.filters();
        tail.with_residues(filters.map(|it| has_residue(it).then(residue)).collect())
    }

    fn matches(&self, tail: Tail, watched: &str) -> Matches {
        let is_overridden = tail.timestamp_override().is_some();
        let tails = Arc::new(Tails::new(vec![tail]));
        let mut collectors = vec![Collector::new(Arc::clone(&tails)).watching(watched.to_owned()); 3];
        for collector in &mut collectors {
            collector.name_indices(&indices());
        }
        for &(at, collector) in &self.feeding {
            let (it, collector) = (&self.deliveries[at], &mut collectors[collector]);
            let mut pushed = Vec::new();
            for (&filter, keys) in &it.hits {
                let iso = |time: &Millis| ecs::date::to_iso(*time);
                let mut values: Vec<Vec<Value>> =
                    keys.iter().map(|it| it.iter().map(|it| it.as_str().into()).collect()).collect();
                if self.timestamp_field {
                    values.push(it.own_time.iter().map(|it| iso(it).into()).collect());
                }
                if self.tiebreaker {
                    values.push(it.tiebreaker.iter().map(|it| (*it).into()).collect());
                }
                let groups = self.suppression.as_ref().map_or(0, |it| it.fields);
                let alike = it.alike[..groups].iter();
                values.extend(alike.map(|it| it.iter().map(|it| it.as_str().into()).collect::<Vec<Value>>()));
                values.push(vec![iso(&it.created).into()]);
                let columns = tails.columns(filter).iter().zip(&values);
                let ids = columns.map(|(&column, values)| {
                    let scalar = |it| ecs::Scalar::of(it).unwrap();
                    values.iter().filter_map(|it| collector.intern(column, scalar(it))).collect()
                });
                pushed.push((filter, ids.collect::<Vec<Vec<_>>>()));
            }
            let info = EventInfo { id: &it.id, index: it.index, timestamp: it.timestamp, origin: it.origin };
            let mut event = collector.event(info);
            for (filter, ids) in pushed {
                let ids: Vec<&[_]> = ids.iter().map(Vec::as_slice).collect();
                event.push(filter, it.over.filter(|_| is_overridden), &ids);
            }
        }
        let mut all = collectors.pop().unwrap();
        for collector in collectors {
            all.merge(collector);
        }
        all.finish()
    }

    fn span(&self) -> DataSpan {
        let times = || self.deliveries.iter().flat_map(|it| [Some(it.timestamp), it.over]).flatten();
        DataSpan { first: times().min().unwrap(), last: times().max().unwrap(), complete_from: None }
    }

    fn ranges(&self, rule: &Rule) -> Vec<Range> {
        let (span, interval) = (self.span(), rule.interval.millis());
        let first = (span.first - 10 * interval).div_euclid(interval);
        let range = |tick: i64| Range::scheduled(rule, tick * interval);
        let first = (first..i64::MAX).find(|&tick| range(tick).to >= span.first).unwrap();
        (first..i64::MAX).map(range).take_while(|it| it.from <= span.last).collect()
    }

    fn check(
        &self,
        tail: Tail,
        ranges: &[Range],
        has_residue: impl Fn(usize) -> bool,
    ) -> Result<(), TestCaseError> {
        let (rule, mode) = (self.rule(), tail.mode);
        let matches = self.matches(tail, "00");
        let mut known = KnownAlerts::default();
        for _ in 0..2 {
            let outcome = matches.execute(0, self.span(), &known, Limits::default()).unwrap();
            let naive = Naive { case: self, rule: &rule, known: &known, has_residue: &has_residue };
            let mut expected = naive.execute(ranges);
            expected.alerts.retain(|it| mode.selects(it.timestamp));
            let asked = |at: &Millis| {
                let range = ranges.iter().find(|it| it.started_at == *at).unwrap();
                super::is_asked(&rule, mode, range)
            };
            expected.truncated.retain(asked);
            prop_assert_eq!(&said(&outcome), &expected);
            prop_assert_eq!(outcome.metrics.truncated, expected.truncated.len() as u64);
            for alert in outcome.alerts.iter().step_by(self.known) {
                known.add_id(alert.id.clone());
            }
        }
        Ok(())
    }
}

proptest! {
    /// Whatever the query, the schedule, the order of feeding and the number of collectors.
    #[test]
    fn replay_is_every_execution(case in case()) {
        let mode = Mode::Replay { since: case.since, until: case.until };
        case.check(case.tail(mode, |_| false), &case.ranges(&case.rule()), |_| false)?;
    }

    /// What a residue decides of the events of one filter, it decides for each execution.
    #[test]
    fn a_residue_is_decided_by_each_execution(case in case(), residues in 1..16_usize) {
        let has_residue = |filter: usize| residues >> filter & 1 == 1;
        let mode = Mode::Replay { since: case.since, until: case.until };
        case.check(case.tail(mode, has_residue), &case.ranges(&case.rule()), has_residue)?;
    }

    /// A match beyond the end of the data, as an event without a time is one, alerts as any other: also where the range
    /// never leaves anything behind.
    #[test]
    fn what_lies_beyond_the_data_alerts_too(case in case(), until in time(), is_fixed in any::<bool>()) {
        let from = if is_fixed { "2026-01-01" } else { case.from };
        let case = Case { from, timestamp_field: false, ..case };
        let mode = Mode::Replay { since: None, until: None };
        let matches = case.matches(case.tail(mode, |_| false), "00");
        let span = case.span();
        let shorter = DataSpan { last: until.clamp(span.first, span.last), ..span };
        let execute = |span| matches.execute(0, span, &KnownAlerts::default(), Limits::default()).unwrap();
        prop_assert_eq!(said(&execute(shorter)).alerts, said(&execute(span)).alerts);
    }

    #[test]
    fn once_is_one_execution(case in case(), residues in 0..16_usize) {
        let has_residue = |filter: usize| residues >> filter & 1 == 1;
        let span = case.span();
        let (from, to) = (case.since.unwrap_or(span.first - 1), case.until.unwrap_or(span.last));
        let range = Range { started_at: to, from, to, history: from, exclusive: true };
        case.check(case.tail(Mode::Once { from: case.since, to: case.until }, has_residue), &[range], has_residue)?;
    }

    /// Of an event that a sequence or its like could be made of it is said what became of it, and that is true.
    #[test]
    fn fates_are_true(case in case(), residues in 0..16_usize) {
        let has_residue = |filter: usize| residues >> filter & 1 == 1;
        let mode = Mode::Replay { since: None, until: None };
        let case = Case { since: None, until: None, ..case };
        let rule = case.rule();
        let watched = "00";
        let matches = case.matches(case.tail(mode, has_residue), watched);
        let (none, limits) = (KnownAlerts::default(), Limits::default());
        let outcome = matches.execute(0, case.span(), &none, limits).unwrap();
        let fates = matches.fates(0, case.span(), &none, limits).unwrap();
        let deliveries: Vec<&Delivery> = case.deliveries.iter().filter(|it| it.id == watched && !it.hits.is_empty()).collect();
        prop_assert_eq!(fates.is_empty(), deliveries.is_empty(), "{:?}", fates);
        let has_it = |alert: &AlertSeed| alert.events().any(|it| it.id == watched);
        let raised: BTreeSet<&str> = outcome.alerts.iter().filter(|it| has_it(it)).map(|it| it.id.as_str()).collect();
        let told: BTreeSet<&str> = fates
            .iter()
            .filter_map(|it| if let Fate::Alerted { id, .. } = it { Some(id.as_str()) } else { None })
            .collect();
        prop_assert!(told.is_subset(&raised) && told.is_empty() == raised.is_empty(), "{:?} of {:?}", fates, raised);
        for fate in &fates {
            let is_true = match fate {
                Fate::Alerted { id, execution, .. } => {
                    outcome.alerts.iter().any(|it| it.id == *id && it.execution.started_at == *execution)
                }
                Fate::Suppressed { by, .. } => {
                    case.suppression.is_some() && outcome.alerts.iter().any(|it| it.id == *by)
                }
                Fate::Undated => rule.timestamp_override_fallback_disabled && rule.timestamp_override.is_some()
                    || case.timestamp_field,
                Fate::Cut { .. } => outcome.metrics.truncated > 0 || case.pattern.form == Form::Event,
                Fate::NotThen => residues > 0,
                Fate::Copy => deliveries.len() > 1,
                Fate::Unseen | Fate::NoTerm | Fate::Split => true,
                Fate::Against => case.pattern.form == Form::Sequence,
                Fate::Stuck { step, of, .. } => step <= of && case.pattern.form != Form::Event,
                Fate::Dropped { .. } | Fate::Known { .. } | Fate::NotAsked { .. } | Fate::Counted { .. } | Fate::Seen { .. } => false,
            };
            prop_assert!(is_true, "{fate:?} of {fates:?}");
        }
    }
}
