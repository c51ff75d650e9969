//! Rules over alerts by the book: in each slot every execution is made of a plain list of the alerts that there are.

use std::collections::BTreeSet;
use std::iter::once;
use std::sync::Arc;

use ecs::{Millis, Scalar};
use proptest::prelude::*;
use proptest::sample::select;
use rule::{Rule, RuleKind};

use super::naive::{Delivery, Memory, Naive, Range, SaidAlert};
use super::{FIELDS, GROUPS, MINUTE, REPLAY, Spec, indices, said, spec, time};
use crate::rule_type::TERMS_PAGE;
use crate::slots::{SLOTS_AFTER_LAST_ALERT_MAX, execute_over_alerts};
use crate::{
    AlertSeed, Collector, DataSpan, EventInfo, KnownAlerts, Limits, Mode, Origin, SeedEvent, Tail, Tails,
};

/// The fields that rules ask for.
const WIDTH: usize = FIELDS.len() + GROUPS.len();

/// An alert as a document.
#[derive(Clone, Debug)]
struct Document {
    of: Delivery,
    /// For each field one value.
    terms: Vec<String>,
    /// The rules that match it.
    matches: [bool; 2],
    /// The rules that it comes from.
    lineage: BTreeSet<usize>,
}

#[derive(Clone, Debug)]
struct Case {
    rules: [Spec; 2],
    /// Of the data themselves, and then of rules over events.
    documents: Vec<Document>,
    since: Option<Millis>,
    until: Option<Millis>,
    /// Every so many of the alerts exist already.
    known: usize,
}

fn name() -> impl Strategy<Value = String> {
    select(vec!["ana", "bo", "cy"]).prop_map(str::to_owned)
}

fn documents() -> impl Strategy<Value = Vec<Document>> {
    let of_data = prop::bool::weighted(0.2);
    let over = prop::option::weighted(0.5, time());
    let one = (time(), 0..3_i64, of_data, over, prop::collection::vec(name(), WIDTH), any::<[bool; 2]>());
    prop::collection::vec(one, 1..40).prop_map(|all| {
        let document = |(at, (time, delay, of_data, over, terms, matches)): (usize, _)| {
            let slot = (time / MINUTE + 1 + delay) * MINUTE;
            let (timestamp, visible) = if of_data { (time, Millis::MIN) } else { (slot, slot) };
            let of = Delivery {
                id: format!("document-{at}"),
                index: 0,
                timestamp,
                over,
                origin: Origin { input: 0, ordinal: at as u64 },
                terms: Vec::new(),
                created: timestamp,
                visible,
            };
            Document { of, terms, matches, lineage: BTreeSet::new() }
        };
        all.into_iter().enumerate().map(document).collect()
    })
}

fn case() -> impl Strategy<Value = Case> {
    let spec = || spec().prop_map(|it| Spec { interval: it.interval.max(5 * MINUTE), ..it });
    let accepted = |spec: &Spec| Tail::new(&spec.rule(), REPLAY, &ecs::Catalog::ecs()).is_ok();
    let spec = || spec().prop_filter("the history window does not always lie before the interval", accepted);
    let bound = || prop::option::weighted(0.3, time());
    (spec(), spec(), documents(), bound(), bound(), 2..6_usize).prop_map(
        |(one, other, documents, since, until, known)| Case {
            rules: [one, other],
            documents,
            since,
            until,
            known,
        },
    )
}

/// What rules say of an alert: that of `rule` on `base`, raised at `slot`.
fn document(
    id: &str,
    rule: usize,
    slot: Millis,
    base: Option<&Document>,
    kinds: &[Rule; 2],
    count: usize,
) -> Document {
    let value = |byte: u8| ["ana", "bo", "cy"][usize::from(byte) % 3].to_owned();
    let terms: Vec<String> = id.bytes().take(WIDTH).map(value).collect();
    let lineage: BTreeSet<usize> =
        base.into_iter().flat_map(|it| it.lineage.iter().copied()).chain(once(rule)).collect();
    let spares = |it: &usize| matches!(kinds[*it].kind, RuleKind::Query) && lineage.contains(it);
    let of = Delivery {
        id: id.to_owned(),
        index: 1,
        timestamp: slot,
        over: (terms[0] != "cy").then_some(slot - MINUTE / 2),
        origin: Origin { input: 9, ordinal: count as u64 },
        terms: Vec::new(),
        created: slot,
        visible: slot + 1,
    };
    Document { of, terms, matches: [0, 1].map(|it| !spares(&it)), lineage }
}

impl Case {
    fn rules(&self) -> [Rule; 2] {
        [0, 1].map(|at| {
            let id = format!("3f0b3f76-3c8e-4d0e-8a41-6f6b8d1f2c1{at}");
            let mut rule = self.rules[at].rule();
            (rule.rule_id, rule.id) = (id.clone(), id);
            rule
        })
    }

    fn span(&self) -> DataSpan {
        let times =
            || self.documents.iter().map(|it| &it.of).flat_map(|it| [Some(it.timestamp), it.over]).flatten();
        DataSpan { first: times().min().unwrap(), last: times().max().unwrap(), complete_from: None }
    }

    /// What the rules match of these documents.
    fn collect<'d>(&self, tails: &Arc<Tails>, documents: impl Iterator<Item = &'d Document>) -> Collector {
        let mut collector = Collector::new(Arc::clone(tails));
        collector.name_indices(&indices());
        for it in documents {
            let mut ids = Vec::new();
            for rule in 0..2 {
                let columns = tails.columns(rule).iter().zip(&it.terms);
                let of_rule: Vec<Vec<_>> = columns
                    .map(|(&column, text)| collector.intern(column, Scalar::Str(text)).into_iter().collect())
                    .collect();
                ids.push(of_rule);
            }
            let Delivery { id, index, timestamp, origin, over, .. } = &it.of;
            let info = EventInfo { id, index: *index, timestamp: *timestamp, origin: *origin };
            let mut event = collector.event(info);
            for (rule, ids) in ids.iter().enumerate().filter(|(rule, _)| it.matches[*rule]) {
                let ids: Vec<&[_]> = ids.iter().map(Vec::as_slice).collect();
                event.push(rule, over.filter(|_| self.rules[rule].timestamp_override), &ids);
            }
        }
        collector
    }

    /// The alerts of both rules by the book, those that exist already apart.
    fn by_the_book(&self, rules: &[Rule; 2], known: &KnownAlerts) -> [Memory; 2] {
        let mut documents = self.documents.clone();
        let mut memories = [Memory::default(), Memory::default()];
        let span = self.span();
        let names = indices();
        let first = |rule: &Rule| {
            let interval = rule.interval.millis();
            let started = (span.first + interval - 1).div_euclid(interval);
            if !rule.to.reads_clock() {
                return started;
            }
            (started - 2_000..started + 2_000)
                .find(|&tick| rule.to.millis_at(tick * interval) >= span.first)
                .unwrap()
        };
        let firsts = [first(&rules[0]), first(&rules[1])];
        let mut at =
            firsts.iter().zip(rules).map(|(tick, rule)| tick * rule.interval.millis()).min().unwrap();
        let (last, mut after_last) = (self.documents.iter().map(|it| it.of.visible).max().unwrap(), 0);
        // Long enough after the last alert for everything to be forgotten.
        let end = span.last + 25 * 3_600_000;
        while at <= end {
            let mut new: Vec<(usize, SaidAlert)> = Vec::new();
            for rule in 0..2 {
                let interval = rules[rule].interval.millis();
                if at % interval != 0 || at / interval < firsts[rule] {
                    continue;
                }
                let columns = self.rules[rule].columns();
                let range = Range::scheduled(&rules[rule], at);
                let times = documents.iter().flat_map(|it| [Some(it.of.timestamp), it.of.over]).flatten();
                if !times.clone().any(|time| range.from <= time && time <= range.to) {
                    continue;
                }
                let mine = documents.iter().filter(|it| it.matches[rule]).map(|it| Delivery {
                    terms: it.terms[..columns].iter().map(|it| vec![it.clone()]).collect(),
                    ..it.of.clone()
                });
                let mine: Vec<Delivery> = mine.collect();
                let naive = Naive {
                    rule: &rules[rule],
                    deliveries: &mine,
                    indices: &names,
                    known,
                    budget: rules[rule].max_signals,
                    page: TERMS_PAGE,
                    has_residue: false,
                };
                let memory = &mut memories[rule];
                let before = (memory.said.alerts.len(), memory.existing.len());
                naive.step(range, memory);
                let raised = memory.said.alerts[before.0..].iter().chain(&memory.existing[before.1..]);
                new.extend(raised.map(|it| (rule, it.clone())));
            }
            new.sort_by(|a, b| (a.0, &a.1.id).cmp(&(b.0, &b.1.id)));
            let is_after_last = at >= last && !new.is_empty();
            after_last += usize::from(is_after_last);
            if after_last > SLOTS_AFTER_LAST_ALERT_MAX {
                new.clear();
            }
            for (rule, alert) in new {
                let base = documents
                    .iter()
                    .find(|it| it.of.origin == alert.origin && alert.origin != Origin::default());
                let made = document(&alert.id, rule, at, base, rules, 0);
                let place = Origin { input: 9, ordinal: documents.len() as u64 };
                documents.push(Document { of: Delivery { origin: place, ..made.of }, ..made });
            }
            at += MINUTE;
        }
        memories
    }
}

proptest! {
    // Each case is some hundred executions of growing lists.
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases / 4))]

    /// Whatever the schedules, and whatever rules over alerts make of one another's alerts.
    #[test]
    fn slots_are_every_execution(case in case()) {
        let rules = case.rules();
        let mode = Mode::Replay { since: case.since, until: case.until };
        let tails = rules.iter().map(|it| Tail::new(it, mode, &ecs::Catalog::ecs()).unwrap());
        let tails = Arc::new(Tails::new(tails.collect()));
        let mut known = KnownAlerts::default();
        for _ in 0..2 {
            let (of_data, raised): (Vec<&Document>, Vec<&Document>) =
                case.documents.iter().partition(|it| it.of.visible == Millis::MIN);
            let slots: BTreeSet<Millis> = raised.iter().map(|it| it.of.visible).collect();
            let arrivals = slots.into_iter().map(|at| {
                (at, case.collect(&tails, raised.iter().copied().filter(|it| it.of.visible == at)))
            });
            let mut all = case.documents.clone();
            let feed = |mut new: Vec<(usize, &AlertSeed)>| {
                new.sort_by(|a, b| (a.0, &a.1.id).cmp(&(b.0, &b.1.id)));
                let start = all.len();
                for (rule, alert) in new {
                    let SeedEvent { origin, .. } = alert.event;
                    let base = all.iter().find(|it| it.of.origin == origin && origin != Origin::default());
                    let made = document(&alert.id, rule, alert.execution.started_at, base, &rules, all.len());
                    all.push(made);
                }
                Some(case.collect(&tails, all[start..].iter()))
            };
            let of_data = case.collect(&tails, of_data.into_iter());
            let (outcomes, _) =
                execute_over_alerts(
                    of_data,
                    arrivals,
                    feed,
                    &identity::Graph::default(),
                    case.span(),
                    &known,
                    Limits::default(),
                );
            let expected = case.by_the_book(&rules, &known);
            for ((outcome, expected), rule) in outcomes.into_iter().zip(expected).zip(&rules) {
                let crate::OverAlerts { outcome, others } = outcome.unwrap();
                let everything = expected.said.alerts.len() + expected.existing.len();
                let mut asked = expected.said;
                asked.alerts.retain(|it| mode.selects(it.timestamp));
                prop_assert_eq!(&said(&outcome).alerts, &asked.alerts);
                if rule.timestamp_override.is_some() || case.since.is_none() && case.until.is_none() {
                    prop_assert_eq!(outcome.metrics.truncated, asked.truncated.len() as u64);
                }
                prop_assert_eq!(outcome.alerts.len() + others.len(), everything);
                for alert in outcome.alerts.iter().step_by(case.known) {
                    known.add_id(alert.id.clone());
                }
            }
        }
    }
}
