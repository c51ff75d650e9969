//! What holds of the executions of every rule that is no sequence.

use std::collections::BTreeSet;
use std::sync::Arc;

use ecs::{Catalog, Scalar};
use proptest::prelude::*;
use rule::RuleKind;
use serde_json::json;

use super::{
    Case, Delivery, MINUTE, Naive, REPLAY, Range, Spec, case, indices, is_asked, residue, said, spec,
    threshold, time,
};
use crate::rule_type::TERMS_PAGE;
use crate::{
    COMBINATIONS_MAX, Collector, DataSpan, EventInfo, Fate, KnownAlerts, Limits, Matches, Mode, Origin, Tail,
    Tails, WarningKind,
};

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
                | Fate::Dropped { .. }
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

/// So it is said where a residue leaves it to each execution which of the events count.
#[test]
fn limited_combinations_are_told_with_a_residue() {
    const SIDE: usize = 1_100;
    let words: Vec<String> = (0..SIDE).map(|it| format!("{it:04}")).collect();
    for spec in [two_fields(), Spec { threshold: Some((1, None)), ..two_fields() }] {
        let tails = Arc::new(Tails::new(vec![spec.tail(REPLAY).with_residue(Some(residue()))]));
        let mut collector = Collector::new(Arc::clone(&tails));
        let values = |column: usize| if column < 2 { &words[..] } else { &words[..1] };
        let columns = tails.columns(0).iter().enumerate();
        let ids: Vec<Vec<_>> = columns
            .map(|(at, &column)| {
                values(at).iter().filter_map(|it| collector.intern(column, Scalar::Str(it))).collect()
            })
            .collect();
        let ids: Vec<&[_]> = ids.iter().map(Vec::as_slice).collect();
        let info = EventInfo { id: "all", index: 0, timestamp: 7, origin: Origin::default() };
        collector.event(info).push(0, None, &ids);
        let warnings = collector.finish().before(0, Limits::default()).warnings;
        let combinations = (SIDE * SIDE) as u64 - COMBINATIONS_MAX;
        let first = Some((7, "all".to_owned()));
        let kind = WarningKind::Combinations { events: 1, combinations, first };
        assert_eq!(warnings.into_iter().map(|it| it.kind).collect::<Vec<_>>(), [kind]);
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
