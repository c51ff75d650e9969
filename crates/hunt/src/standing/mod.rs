//! Rules that stand ready: events go through the pass once, as they arrive, and executions take place one slot after the
//! other over what has arrived by then.
//!
//! A slot is a time at which executions start. In each the rules over events execute first, then those over alerts, which
//! see the alerts of the same slot; what they raise themselves, the next slots see. What was said before is known by the
//! alerts that exist ([`Raised`]) and by nothing else: whoever starts again with the same events and alerts says the same.
//!
//! This is what detection around the clock and a hunt as if live ([`as_live`](crate::as_live)) have in common.

mod kept;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::iter::once;
use std::sync::Arc;

use detect::{
    AlertSeed, Behind, Collector, DataSpan, Limits, Origin, Outcome, SlotOutcome, SuppressedMore, Tail,
    TailError, Turn,
};
use ecs::{Catalog, Millis};
use identity::Graph;
use reader::{Ingested, Input};
use rule::Rule;
use sift::{Policy, Seen, Sift};
use span::Diagnostic;

use crate::arriving::{Arrived, Ingestion};
use crate::evidence::Evidence;
use crate::gather::{Gathering, asks_who, sift_alerts};
use crate::identities::{self, Issues};
use crate::over_alerts::{Feed, Set, Sets, used};
use crate::progress::Progress;
use crate::run::{
    Found, HuntError, HuntOptions, RanRule, ReadReport, Refused, RunnableRules, limits, of_stored, prepare,
    unplaced,
};
use crate::scan::{Which, scan};
use crate::sources::{KeptAlert, Sources, records_of};
use crate::trouble::Troubles;
use kept::Gathered;

pub use kept::{Raised, Segment, Taken};

/// The executions of a slot.
pub struct SlotFound {
    /// The rules that executed, and what they raised.
    pub found: Found,
    /// For each of [`Found::rules`] its number.
    pub ran: Vec<usize>,
    /// For each of them what it suppressed in favour of earlier alerts.
    pub more: Vec<Vec<SuppressedMore>>,
    /// The rules that could not be executed, and why.
    pub failed: Vec<(usize, TailError)>,
}

/// Rules that stand ready.
pub struct Standing {
    options: HuntOptions,
    limits: Limits,
    /// The time of reading, which stands for that of an event without one in the pass.
    reading: Millis,
    rules: Vec<Arc<Rule>>,
    max_signals: Vec<u32>,
    warnings: Vec<Vec<Diagnostic>>,
    refused: Vec<Refused>,
    unplaced: Vec<String>,
    sets: Sets,
    /// For each rule the set, and its number there.
    places: Vec<(bool, usize)>,
    sift: Sift,
    sift_alerts: Option<Sift>,
    events: Gathered,
    alerts: Gathered,
    issues: Option<Issues>,
    graph: Arc<Graph>,
    /// Whether calls arrived that the graph does not know.
    is_graph_old: bool,
    inputs: Arc<Vec<Input>>,
    /// Of segments that were not looked at yet what they hold: when it was ingested, and the number of its input.
    numbers: HashMap<String, Vec<(Millis, u32)>>,
    /// Alerts that rules over alerts saw, by their ordinals.
    sources: Sources,
    next_source: u64,
    seen: Seen,
}

impl Standing {
    /// The rules of `options`, over segments like these; nothing is read yet. Paths of the options are not looked at.
    pub fn new(options: HuntOptions, segments: &[Input]) -> Result<Self, HuntError> {
        let prepared = prepare(&options, &Catalog::ecs());
        let unplaced = unplaced(&prepared, &options);
        let RunnableRules { rules, tails, filters, warnings, refused, .. } = prepared;
        if rules.is_empty() {
            return Err(if refused.is_empty() { HuntError::NoRules } else { HuntError::AllRefused(refused) });
        }
        let max_signals = tails.iter().map(Tail::max_signals).collect();
        let sets = Sets::new(&rules, tails, filters);
        let policy = match segments {
            [] => Policy::OnlyMatches,
            some => of_stored(some, &options.normalise),
        };
        let sift = sets.sift(policy, &options);
        let sift_alerts =
            sets.alerts.as_ref().map(|it| sift_alerts(it.filters().to_vec(), &it.tails, &sift, &options));
        let mut places = vec![(false, 0); rules.len()];
        for (is_over_alerts, set) in
            once((false, &sets.events)).chain(sets.alerts.iter().map(|it| (true, it)))
        {
            for (number, &rule) in set.numbers.iter().enumerate() {
                places[rule] = (is_over_alerts, number);
            }
        }
        Ok(Self {
            limits: limits(&options),
            reading: options.now,
            events: Gathered::new(Some(&sets.events)),
            alerts: Gathered::new(sets.alerts.as_ref()),
            options,
            rules,
            max_signals,
            warnings,
            refused,
            unplaced,
            sets,
            places,
            sift,
            sift_alerts,
            issues: None,
            graph: Arc::default(),
            is_graph_old: false,
            inputs: Arc::default(),
            numbers: HashMap::new(),
            sources: Sources::new(),
            next_source: 0,
            seen: Seen::default(),
        })
    }

    /// The rules that stand ready; they are known by their places.
    pub fn rules(&self) -> &[Arc<Rule>] {
        &self.rules
    }

    /// The rules that cannot.
    pub fn refused(&self) -> &[Refused] {
        &self.refused
    }

    /// What of each rule is not applied, and why.
    pub fn warnings(&self, rule: usize) -> &[Diagnostic] {
        &self.warnings[rule]
    }

    fn tail(&self, rule: usize) -> &Tail {
        let (is_over_alerts, number) = self.places[rule];
        let set = if is_over_alerts { self.sets.alerts.as_ref() } else { None };
        &set.unwrap_or(&self.sets.events).tails.rules()[number]
    }

    /// The time between the executions of a rule.
    pub fn interval(&self, rule: usize) -> Millis {
        self.tail(rule).interval()
    }

    /// The first slot of a rule that starts at `time` or later.
    pub fn slot_from(&self, rule: usize, time: Millis) -> Millis {
        let interval = self.interval(rule);
        let tick = time.div_euclid(interval) + i64::from(time.rem_euclid(interval) != 0);
        tick.saturating_mul(interval)
    }

    /// The slots of a rule, the first and the last, that look at a time from `first` to `last`; none up to `until`, if
    /// there is no such.
    pub fn slots_seeing(
        &self,
        rule: usize,
        (first, last): (Millis, Millis),
        until: Millis,
    ) -> Option<(Millis, Millis)> {
        self.tail(rule).slots_seeing(first, last, until)
    }

    /// No alert that a rule raised in an earlier slot matters to its executions in `slot` and after it.
    pub fn known_from(&self, rule: usize, slot: Millis) -> Millis {
        self.tail(rule).known_from(slot)
    }

    /// The time before which no event matters to the executions of rules that start at these slots or later, one a rule.
    pub fn looks_from(&self, slots: impl Iterator<Item = (usize, Millis)>) -> Millis {
        let from = slots.map(|(rule, slot)| self.tail(rule).looks_from(slot).0).min().unwrap_or(Millis::MAX);
        let tails = self.sets.alerts.iter().chain(once(&self.sets.events)).map(|it| &*it.tails);
        let back = if asks_who(tails, &self.options) { identities::REACHES_BACK } else { 0 };
        from.saturating_sub(back)
    }

    /// Whether any rule is over alerts.
    pub fn has_rules_over_alerts(&self) -> bool {
        self.sets.alerts.is_some()
    }

    /// Whether segments like these are looked at in another way than those that it was made for: then it is to be made anew.
    pub fn is_for(&self, segments: &[Input]) -> bool {
        if segments.is_empty() {
            return true;
        }
        let asked = self.sift.stored_fields();
        match of_stored(segments, &self.options.normalise) {
            Policy::Stored { fields } => {
                asked.is_some_and(|asked| asked.iter().all(|it| fields.iter().any(|field| field == it)))
            }
            Policy::OnlyMatches | Policy::Everything { .. } => asked.is_none(),
        }
    }

    /// Numbers what was ingested at one time and lies in one segment: in the order in which it was. To be called with all
    /// segments that hold something from the same time.
    pub fn number(&mut self, segments: &[Segment]) {
        let mut all: Vec<(Millis, usize)> = Vec::new();
        for (at, it) in
            segments.iter().enumerate().filter(|(_, it)| !self.numbers.contains_key(it.input.name()))
        {
            match &*it.ingested {
                Ingested::Together(time) => all.push((*time, at)),
                Ingested::Apart(times) => {
                    let times: BTreeSet<Millis> = times.iter().copied().collect();
                    all.extend(times.into_iter().map(|time| (time, at)));
                }
            }
        }
        all.sort_unstable();
        let inputs = Arc::make_mut(&mut self.inputs);
        for (time, at) in all {
            let (number, mut input) = (inputs.len() as u32, segments[at].input.clone());
            self.numbers.entry(input.name().to_owned()).or_default().push((time, number));
            input.id = number;
            inputs.push(input);
        }
    }

    /// Passes over segments. What of them was ingested until the first of `until`, until the second and so on is kept apart;
    /// these are ascending, and what came later is a part, too. Of what was ingested after `late.0` is counted what comes
    /// too late for rules that execute next in these slots.
    pub fn take(
        &mut self,
        segments: Vec<Segment>,
        until: Arc<[Millis]>,
        late: Option<(Millis, &[Millis])>,
        progress: &Progress,
    ) -> Taken {
        self.number(&segments);
        let (mut inputs, mut times) = (Vec::with_capacity(segments.len()), HashMap::new());
        let mut numbers = HashMap::new();
        for Segment { mut input, ingested } in segments {
            let its = self.numbers.remove(input.name()).unwrap_or_default();
            // One that holds nothing has no number, and nothing to tell.
            let Some(&(_, first)) = its.first() else { continue };
            input.id = first;
            numbers.extend(its.into_iter().map(|(ingested, number)| ((first, ingested), number)));
            times.insert(first, ingested);
            inputs.push(input);
        }
        let looked = |set: &Set, slots: &[Millis]| -> Vec<Millis> {
            set.numbers.iter().map(|&rule| self.tail(rule).looks_from(slots[rule]).1).collect()
        };
        let sets = || once(&self.sets.events).chain(&self.sets.alerts);
        let late = late.map(|(after, slots)| (after, sets().map(|it| looked(it, slots)).collect()));
        let ingestion = Arc::new(Ingestion { times, numbers, reading: self.reading, until, late });
        let read = reader::Options {
            limits: self.options.limits.clone(),
            without_tokens: self.sift.skips(),
            ..reader::Options::default()
        };
        let make = || {
            Gathering::new(&self.sift, self.sets.collectors(), &self.options).arriving(Arc::clone(&ingestion))
        };
        let (visitors, _) = scan(&Which::All(&inputs), &read, self.options.threads, progress, make);
        let (mut taken, mut troubles) = (Taken::default(), Troubles::default());
        for visitor in visitors {
            let its = visitor.finish();
            taken.seen.merge(&its.seen);
            troubles.merge(its.troubles);
            for (until, part) in its.arrived {
                match taken.parts.get_mut(&until) {
                    Some(all) => all.merge(part),
                    None => drop(taken.parts.insert(until, part)),
                }
            }
        }
        taken.loss_count = troubles.losses();
        let name = |input: u32| self.inputs.get(input as usize).map_or("", Input::name).to_owned();
        taken.troubles = troubles.finish(name).0;
        taken
    }

    /// Lets everything arrive that was ingested until `seen` or earlier: executions see it from now on. Says what came too
    /// late for which rule.
    pub fn arrive(&mut self, taken: &mut Taken, seen: Millis) -> Vec<(usize, Behind)> {
        let mut behind: BTreeMap<usize, Behind> = BTreeMap::new();
        self.seen.merge(&std::mem::take(&mut taken.seen));
        while let Some(part) = taken.parts.first_entry().filter(|it| *it.key() <= seen) {
            let Arrived { collectors, issues } = part.remove();
            if let Some(its) = issues {
                match &mut self.issues {
                    Some(all) => all.merge(&its),
                    all @ None => *all = Some(its),
                }
                self.is_graph_old = true;
            }
            let sets = once(&self.sets.events).chain(&self.sets.alerts);
            for (set, collector) in sets.zip(&collectors) {
                for (number, &rule) in set.numbers.iter().enumerate() {
                    let its = collector.behind(number);
                    if its.events > 0 {
                        behind.entry(rule).or_default().merge(its);
                    }
                }
            }
            let mut collectors = collectors.into_iter();
            for gathered in [&mut self.events, &mut self.alerts] {
                if let Some(part) = collectors.next() {
                    gathered.arrive(part);
                }
            }
        }
        behind.into_iter().collect()
    }

    /// Takes alerts that were raised before: rules over alerts see them.
    pub fn keep(&mut self, alerts: Vec<KeptAlert>) {
        let (Some(set), Some(sift)) = (&self.sets.alerts, &self.sift_alerts) else { return };
        let evidence = self.evidence(&[]);
        let fed = (std::mem::take(&mut self.sources), self.next_source);
        let mut feed = Feed::new(set, sift, &evidence, &self.options, fed);
        for it in alerts {
            feed.push_kept(Arc::new(it));
        }
        let found = feed.take();
        (self.sources, self.next_source) = feed.finish();
        if let Some(found) = found {
            self.alerts.arrive(found);
        }
    }

    /// Forgets what no execution looks at that starts at `slot` or later.
    pub fn forget(&mut self, slot: Millis) {
        self.events.forget(slot);
        self.alerts.forget(slot);
        if let Some(set) = self.sets.alerts.as_ref().filter(|_| !self.sources.is_empty()) {
            let from = set.tails.rules().iter().map(|it| it.looks_from(slot).0).min().unwrap_or(slot);
            self.sources.retain(|_, it| it.raised() >= from);
        }
    }

    /// How many matches are kept.
    pub fn kept(&self) -> usize {
        [&self.events, &self.alerts]
            .iter()
            .filter_map(|it| it.collector.as_ref())
            .map(Collector::events)
            .sum()
    }

    /// Executes rules, which are due, in a slot.
    /// Documents say that their events were read at `seen`: until then they had been ingested.
    pub fn execute(
        &mut self,
        (slot, seen): (Millis, Millis),
        due: &[usize],
        turn: Turn,
        raised: &mut Raised,
    ) -> SlotFound {
        self.options.now = seen;
        if std::mem::take(&mut self.is_graph_old) {
            self.graph = Arc::new(Issues::graph(self.issues.iter().cloned().collect()));
        }
        let (of_events, of_alerts): (Vec<usize>, Vec<usize>) =
            due.iter().partition(|&&it| !self.places[it].0);
        let mut outcomes: BTreeMap<usize, Result<SlotOutcome, TailError>> = BTreeMap::new();
        let first = self.run(&of_events, slot, turn, raised);
        let evidence =
            self.evidence(&first.iter().filter_map(|(_, it)| it.as_ref().ok()).collect::<Vec<_>>());
        self.feed(&first, &evidence);
        outcomes.extend(first);
        let second = self.run(&of_alerts, slot, turn, raised);
        self.feed(&second, &evidence);
        outcomes.extend(second);
        self.found(outcomes, evidence)
    }

    /// Executes rules of one set.
    fn run(
        &mut self,
        due: &[usize],
        slot: Millis,
        turn: Turn,
        raised: &mut Raised,
    ) -> Vec<(usize, Result<SlotOutcome, TailError>)> {
        let Some(&first) = due.first() else { return Vec::new() };
        let span = self.span();
        let gathered = if self.places[first].0 { &self.alerts } else { &self.events };
        let Some(matches) = gathered.matches(slot, &self.graph) else { return Vec::new() };
        let mut outcomes = Vec::with_capacity(due.len());
        for &rule in due {
            let (uuid, number) = (&self.rules[rule].id, self.places[rule].1);
            let known = raised.of_rule(uuid);
            let outcome = matches.execute_slot(number, slot, turn, span, known, self.limits);
            if let Ok(SlotOutcome { outcome, more }) = &outcome {
                raised.add(uuid, &outcome.alerts, more);
            }
            outcomes.push((rule, outcome));
        }
        outcomes
    }

    /// Shows the alerts of a slot to rules over alerts.
    fn feed(&mut self, outcomes: &[(usize, Result<SlotOutcome, TailError>)], evidence: &Evidence) {
        let (Some(set), Some(sift)) = (&self.sets.alerts, &self.sift_alerts) else { return };
        let seen = outcomes.iter().filter(|(rule, _)| set.may_see(&self.rules[*rule]));
        let mut alerts: Vec<(&Arc<Rule>, Arc<AlertSeed>)> = Vec::new();
        for (rule, outcome) in seen {
            let its = outcome.iter().flat_map(|it| &it.outcome.alerts);
            alerts.extend(its.map(|it| (&self.rules[*rule], Arc::new(it.clone()))));
        }
        if alerts.is_empty() {
            return;
        }
        alerts.sort_by(|(a, one), (b, other)| {
            let key = |rule: &Arc<Rule>, it: &AlertSeed| (it.event.timestamp, rule.rule_id.clone());
            key(a, one).cmp(&key(b, other)).then_with(|| one.id.cmp(&other.id))
        });
        let fed = (std::mem::take(&mut self.sources), self.next_source);
        let mut feed = Feed::new(set, sift, evidence, &self.options, fed);
        for (rule, seed) in alerts {
            let records = records_of(&seed, &feed.sources);
            let window = evidence.window(&once(records.iter().copied()));
            feed.push(rule, &seed, &window);
        }
        let found = feed.take();
        (self.sources, self.next_source) = feed.finish();
        if let Some(found) = found {
            self.alerts.arrive(found);
        }
    }

    /// Where the records of alerts are read again.
    fn evidence(&self, outcomes: &[&SlotOutcome]) -> Evidence {
        let wanted = outcomes.iter().flat_map(|it| &it.outcome.alerts).flat_map(AlertSeed::events);
        let wanted: Vec<Origin> = wanted.map(|it| it.origin).collect();
        let read = reader::Options { limits: self.options.limits.clone(), ..reader::Options::default() };
        // Without alerts nobody asks for records of theirs, unless one stands on an alert of an earlier slot.
        Evidence::new(wanted.into_iter(), Vec::new(), Arc::clone(&self.inputs), &self.options, read)
    }

    fn span(&self) -> DataSpan {
        let (first, last) = self.seen.span.unwrap_or((self.options.now, self.options.now));
        DataSpan { first, last, complete_from: None }
    }

    fn found(
        &self,
        outcomes: BTreeMap<usize, Result<SlotOutcome, TailError>>,
        evidence: Evidence,
    ) -> SlotFound {
        let (mut rules, mut ran, mut all, mut failed) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (rule, outcome) in outcomes {
            match outcome {
                Ok(SlotOutcome { outcome, more }) => {
                    rules.push(self.ran(rule, outcome));
                    ran.push(rule);
                    all.push(more);
                }
                Err(error) => failed.push((rule, error)),
            }
        }
        SlotFound { found: self.tell(rules, evidence), ran, more: all, failed }
    }

    /// What came of a rule.
    pub(crate) fn ran(&self, rule: usize, outcome: Outcome) -> RanRule {
        let max_signals = self.max_signals[rule];
        RanRule {
            rule: Arc::clone(&self.rules[rule]),
            max_signals,
            outcome,
            warnings: self.warnings[rule].clone(),
        }
    }

    fn tell(&self, rules: Vec<RanRule>, evidence: Evidence) -> Found {
        let alerts = rules.iter().flat_map(|it| &it.outcome.alerts);
        Found {
            sources: used(&self.sources, alerts),
            evidence,
            normalise: self.options.normalise.clone(),
            now: self.options.now,
            version: self.options.version,
            graph: identities::for_alerts(self.options.identities, &self.graph),
            issued: None,
            threads: self.options.threads,
            rules,
            refused: Vec::new(),
            unplaced: Vec::new(),
            read: ReadReport::default(),
            span: self.seen.span.map(|_| self.span()),
            completeness: None,
        }
    }

    /// What came of all rules and of all that was read, as a hunt tells it.
    pub(crate) fn finish(mut self, rules: Vec<RanRule>, read: ReadReport, sources: Sources) -> Found {
        let (refused, unplaced) = (std::mem::take(&mut self.refused), std::mem::take(&mut self.unplaced));
        let evidence = self.evidence(&[]);
        let issued = (self.issues.is_some()).then(|| Arc::clone(&self.graph));
        let mut indices = self.sift.indices();
        indices.retain(|name| self.seen.cloudtrail || name != rule::CLOUDTRAIL_INDEX);
        indices.sort_unstable();
        let Seen { span, undated, counts, left_out, .. } = self.seen;
        let read = ReadReport {
            records: crate::run::records(counts, crate::copies::Deliveries::default()),
            files: self.options.stored.len() as u64,
            read_bytes: self.options.stored.iter().map(|it| it.size).sum(),
            span,
            indices,
            undated,
            blind: counts.blind,
            choices_cut: left_out.exec.choices_cut,
            ..read
        };
        Found { sources, issued, refused, unplaced, read, ..self.tell(rules, evidence) }
    }
}
