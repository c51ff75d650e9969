//! How an alert of the hunt came about, and what rules over alerts made of it.

use std::collections::BTreeSet;
use std::sync::Arc;

use detect::{AlertSeed, Collector, DataSpan, Fate, Matches, Origin, Sequence};
use ecs::{ALERTS_INDEX, Layered, Millis};
use reader::{Discovery, Input};
use rule::Rule;
use sift::{Built, Document, Policy, Seen};

use crate::Progress;
use crate::explain::{Verdict, searched};
use crate::find_event::ALIKE_NAMED;
use crate::gather::{Gather, Gathering, sift_alerts};
use crate::identities::Issues;
use crate::over_alerts::Sets;
use crate::run::{Found, HuntError, HuntOptions, RanRule, RunnableRules, data_span, hunt_over, limits};
use crate::scan::{Which, scan};

/// How an alert came about.
#[derive(Clone, Debug)]
pub struct RaisedAlert {
    /// Its rule.
    pub rule: Arc<Rule>,
    /// The start of the execution that raised it.
    pub execution: Millis,
    /// The `_id`s of the events that it is about, in the order of the rule's query; of what was counted none.
    pub events: Vec<String>,
    /// The alert of the whole sequence, if it is a building block of one.
    pub block_of: Option<String>,
}

/// How an alert came about, its document, and what each rule over alerts says of it.
pub(crate) type Explanation = (RaisedAlert, (Document, Vec<Verdict>));

/// Hunts, and finds the alert with that id. With it comes what the rules over alerts say of it.
pub(crate) fn explain(
    options: &HuntOptions,
    id: &str,
    prepared: &RunnableRules,
    discovery: Discovery,
    progress: &Progress,
) -> Result<Option<Explanation>, HuntError> {
    let inputs = discovery.inputs.clone();
    let found = match hunt_over(options, None, prepared.clone(), discovery, progress) {
        Ok((found, _)) => found,
        // Then there are no alerts.
        Err(HuntError::NoRules | HuntError::AllRefused(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    let seeds = || found.rules.iter().flat_map(|ran| ran.outcome.alerts.iter().map(move |seed| (ran, seed)));
    // The id, or the only one that begins so.
    let ids = seeds().flat_map(|(_, seed)| blocks(seed).chain([seed.id.as_str()]));
    let alike: BTreeSet<&str> = ids.filter(|it| it.starts_with(id)).collect();
    let id = match alike.first() {
        None => return Ok(None),
        Some(first) if *first == id || alike.len() == 1 => (*first).to_owned(),
        Some(_) => {
            let ids = alike.into_iter().map(str::to_owned).take(ALIKE_NAMED).collect();
            return Err(HuntError::SeveralAlerts { id: id.to_owned(), ids });
        }
    };
    let id = id.as_str();
    let is_it = |seed: &AlertSeed| seed.id == id || blocks(seed).any(|it| it == id);
    let Some((ran, seed)) = seeds().find(|(_, seed)| is_it(seed)) else { return Ok(None) };
    let raised = RaisedAlert {
        rule: Arc::clone(&ran.rule),
        execution: seed.execution.started_at,
        events: seed.events().map(|it| it.id.clone()).collect(),
        block_of: (seed.id != id).then(|| seed.id.clone()),
    };
    let alerts = documents(&found);
    let source =
        alerts.iter().find(|(_, it)| uuid(it) == id).map(|(_, it)| it.to_object()).unwrap_or_default();
    let document = Document { id: id.to_owned(), index: ALERTS_INDEX.to_owned(), source };
    let watching = Watching { options, id, prepared, found: &found, inputs: &inputs };
    let verdicts = watching.verdicts(&document, raised.execution, &alerts, progress);
    Ok(Some((raised, (document, verdicts))))
}

/// An alert's `_id`.
fn uuid(alert: &Layered) -> &str {
    alert.get("kibana.alert.uuid").and_then(|it| it.as_str()).unwrap_or_default()
}

/// The ids of its building blocks.
fn blocks(seed: &AlertSeed) -> impl Iterator<Item = &str> {
    seed.sequence().into_iter().flat_map(Sequence::present).map(|it| it.block_id.as_str())
}

/// All alerts, building blocks included, each with the time when it was raised.
fn documents(found: &Found) -> Vec<(Millis, Layered)> {
    let make = |alert: &mut crate::Alert<'_, '_>| {
        let raised = alert.seed().execution.started_at;
        let mut all = alert.blocks();
        all.push(alert.document());
        all.into_iter().map(|it| (raised, it)).collect::<Vec<_>>()
    };
    found.alerts(&[], make, |all| all.flatten().collect())
}

/// What it takes to say what became of an alert.
struct Watching<'a> {
    options: &'a HuntOptions,
    id: &'a str,
    prepared: &'a RunnableRules,
    found: &'a Found,
    inputs: &'a [Input],
}

impl Watching<'_> {
    /// What each rule over alerts says of the alert: those that come nearest first.
    fn verdicts(
        &self,
        alert: &Document,
        raised: Millis,
        all: &[(Millis, Layered)],
        progress: &Progress,
    ) -> Vec<Verdict> {
        let prepared = self.prepared;
        let sets = Sets::new(&prepared.rules, prepared.tails.clone(), prepared.filters.clone());
        let Some(set) = &sets.alerts else { return Vec::new() };
        let matches = self.matches(&sets, all, progress);
        let (searched, lineage) = (searched(alert), ecs::alert::lineage(&alert.source));
        let of = |(at, &rule): (usize, &usize)| {
            let (conditions, tail) = (&prepared.conditions[rule], &prepared.tails[rule]);
            let is_own = tail.is_own(&lineage);
            let matched = prepared.filters[rule].iter().any(|it| plan::naive::matches(it, &searched));
            let mut fates = Vec::new();
            if matched && !is_own {
                fates = self.alerted(&prepared.rules[rule]);
                if fates.is_empty()
                    && let Some((matches, span)) = &matches
                {
                    let told = matches.fates(at, *span, &self.options.known, limits(self.options));
                    fates = told.unwrap_or_default();
                    // What alerted, the hunt itself knows better: there an alert of a rule over alerts comes a slot later.
                    fates.retain(|it| !matches!(it, Fate::Alerted { .. }));
                }
            }
            let execution = fates.iter().find_map(Fate::execution);
            let execution = execution.unwrap_or_else(|| tail.first_seeing(raised));
            Verdict::new(&prepared.rules[rule], conditions, &searched, execution, is_own, fates)
        };
        let mut verdicts: Vec<Verdict> = set.numbers.iter().enumerate().map(of).collect();
        verdicts.sort_by_key(Verdict::failed);
        verdicts
    }

    /// The alerts of a rule that stand on the alert.
    fn alerted(&self, rule: &Rule) -> Vec<Fate> {
        let is_it = |origin: &Origin| {
            self.found.sources.get(&origin.ordinal).is_some_and(|source| source.id() == self.id)
        };
        let ran = self.found.rules.iter().filter(|ran| ran.rule.id == rule.id);
        let alerts = ran.flat_map(|RanRule { outcome, .. }| &outcome.alerts);
        let fate = |it: &AlertSeed| Fate::Alerted {
            id: it.id.clone(),
            execution: it.execution.started_at,
            terms: Vec::new(),
        };
        alerts.filter(|it| it.alerts().iter().any(is_it)).map(fate).collect()
    }

    /// What rules over alerts match of the alerts, and of the data, with what these span: as if all of it had lain there.
    fn matches(
        &self,
        sets: &Sets,
        alerts: &[(Millis, Layered)],
        progress: &Progress,
    ) -> Option<(Matches, DataSpan)> {
        let Self { options, id, inputs, .. } = self;
        let set = sets.alerts.as_ref()?;
        let watching = || Collector::new(Arc::clone(&set.tails)).watching((*id).to_owned());
        let sift = sets.sift(Policy::OnlyMatches, options);
        let read = reader::Options {
            limits: options.limits.clone(),
            without_tokens: sift.skips(),
            ..reader::Options::default()
        };
        let make =
            || Gathering::new(&sift, [Collector::new(Arc::clone(&sets.events.tails)), watching()], options);
        let (visitors, _) = scan(&Which::All(inputs), &read, options.threads, progress, make);
        let (mut seen, mut all, mut issues) = (Seen::default(), watching(), Vec::new());
        for visitor in visitors {
            let its = visitor.finish();
            seen.merge(&its.seen);
            its.collectors.into_iter().skip(1).for_each(|it| all.merge(it));
            issues.extend(its.issues);
        }
        let of_alerts = sift_alerts(set.filters().to_vec(), &set.tails, &sift, options);
        let (mut worker, mut gather) = (of_alerts.worker(), Gather::of_alerts(&of_alerts, watching()));
        for (ordinal, (raised, fields)) in (0..).zip(alerts) {
            let built = Built {
                origin: Origin { input: Origin::ALERTS, ordinal },
                id: uuid(fields),
                index: ALERTS_INDEX,
                timestamp: *raised,
                fields,
            };
            // The index of alerts may be one too many; then its alerts were reported.
            drop(worker.push_built(&built, &mut gather));
        }
        worker.flush(&mut gather);
        all.merge(gather.take_collector()?);
        let span = data_span(&seen, options, None)?;
        let slots = || alerts.iter().map(|(raised, _)| *raised);
        let (first, last) = (slots().min()?, slots().max()?);
        let span = DataSpan { first: span.first.min(first), last: span.last.max(last), ..span };
        Some((all.finish_with(&Issues::graph(issues)), span))
    }
}
