//! Rules over alerts in a hunt: they execute after the rules over events, slot by slot, and the alerts of each slot go
//! through a pass of their own, over the filters of these rules alone.
//!
//! An alert is built for that only if a rule over alerts could ask for it, by what all alerts of its rule say. Of what is
//! built nothing stays but what the filters' tails keep; who stands on an alert has it built again.

use std::cell::RefCell;
use std::iter::once;
use std::sync::Arc;

use detect::{
    AlertSeed, Collector, DataSpan, KnownAlerts, Limits, Origin, OverAlerts, Tail, TailError, Tails,
    execute_over_alerts,
};
use ecs::{ALERTS_INDEX, Layered, Millis, Object, SharedFields};
use identity::Graph;
use plan::Expr;
use rule::Rule;
use sift::{Built, Policy, Sift, Worker};

use crate::asking::Asking;
use crate::evidence::{Evidence, Window};
use crate::gather::{Gather, filters, sift_alerts, sift_sets};
use crate::run::HuntOptions;
use crate::sources::{KeptAlert, Source, Sources, Trees, records_of};

/// Rules that are gathered together.
pub(crate) struct Set {
    /// Their numbers among all.
    pub(crate) numbers: Vec<usize>,
    pub(crate) tails: Arc<Tails>,
    /// The filters of all, one behind the other.
    filters: Vec<Expr>,
}

impl Set {
    fn new(rules: impl Iterator<Item = (usize, (Tail, Vec<Expr>))>) -> Self {
        let (mut numbers, mut tails, mut filters) = (Vec::new(), Vec::new(), Vec::new());
        for (number, (tail, its)) in rules {
            numbers.push(number);
            tails.push(tail);
            filters.extend(its);
        }
        Self { numbers, tails: Arc::new(Tails::new(tails)), filters }
    }
}

/// The rules over events, and those over alerts, if there are any.
pub(crate) struct Sets {
    pub(crate) events: Set,
    pub(crate) alerts: Option<Set>,
}

impl Sets {
    pub(crate) fn new(rules: &[Arc<Rule>], tails: Vec<Tail>, filters: Vec<Vec<Expr>>) -> Self {
        let all = tails.into_iter().zip(filters).enumerate();
        let (alerts, events): (Vec<_>, Vec<_>) = all.partition(|(at, _)| rule::reads_alerts(&rules[*at]));
        let alerts = (!alerts.is_empty()).then(|| Set::new(alerts.into_iter()));
        Self { events: Set::new(events.into_iter()), alerts }
    }

    /// The pass over the data.
    pub(crate) fn sift(&self, policy: Policy, options: &HuntOptions) -> Sift {
        let sets = once(&self.events).chain(&self.alerts);
        sift_sets(sets.map(|it| (it.filters.clone(), &*it.tails)).collect(), policy, options)
    }

    /// A thread's collectors.
    pub(crate) fn collectors(&self) -> Vec<Collector> {
        let sets = once(&self.events).chain(&self.alerts);
        sets.map(|it| Collector::new(Arc::clone(&it.tails))).collect()
    }

    /// The time before which no event matters; none if any may.
    pub(crate) fn reads_from(&self) -> Option<Millis> {
        let earliest = |tails: &Tails, of: &dyn Fn(&Tail) -> Option<Millis>| {
            let all: Option<Vec<Millis>> = tails.rules().iter().map(of).collect();
            all.map(|it| it.into_iter().min().unwrap_or(Millis::MAX))
        };
        let Some(alerts) = &self.alerts else { return earliest(&self.events.tails, &Tail::reads_from) };
        let mut from = earliest(&alerts.tails, &Tail::reads_from)?;
        // Rules over alerts may stand on one another.
        for _ in 1..alerts.numbers.len() {
            from = from.min(earliest(&alerts.tails, &|tail| tail.reads_from_slot(from))?);
        }
        let own = earliest(&self.events.tails, &Tail::reads_from)?;
        let needed = earliest(&self.events.tails, &|tail| tail.reads_from_slot(from))?;
        Some(from.min(own).min(needed))
    }
}

impl Set {
    /// The filters of all, one behind the other.
    pub(crate) fn filters(&self) -> &[Expr] {
        &self.filters
    }

    /// Whether a rule of the set could match an alert of that rule.
    pub(crate) fn may_see(&self, rule: &Rule) -> bool {
        self.filters.iter().any(|filter| detect::may_match(filter, rule))
    }
}

/// What rules over alerts executed with.
pub(crate) struct Slots<'a> {
    pub(crate) set: &'a Set,
    /// All rules.
    pub(crate) rules: &'a [Arc<Rule>],
    /// The pass over the data.
    pub(crate) data: &'a Sift,
    pub(crate) evidence: &'a Evidence,
    /// Who is behind the events of alerts.
    pub(crate) graph: &'a Graph,
    pub(crate) options: &'a HuntOptions,
    pub(crate) limits: Limits,
}

impl Slots<'_> {
    /// Executes the rules. `collector` is what they matched of the data; `raised` are the alerts of rules over events that
    /// they may match, each with the number of its rule. Says what they came to, and which alerts theirs stand on.
    pub(crate) fn execute(
        &self,
        collector: Collector,
        mut raised: Vec<(usize, AlertSeed)>,
        span: DataSpan,
        known: &KnownAlerts,
    ) -> (Vec<Result<OverAlerts, TailError>>, Sources) {
        let Self { set, rules, data, evidence, graph, options, limits } = self;
        raised.sort_by(|(a, one), (b, other)| {
            let key = |rule: usize, it: &AlertSeed| {
                (it.execution.started_at, it.event.timestamp, rules[rule].rule_id.clone())
            };
            key(*a, one).cmp(&key(*b, other)).then_with(|| one.id.cmp(&other.id))
        });
        let raised: Vec<(usize, Arc<AlertSeed>)> =
            raised.into_iter().map(|(rule, seed)| (rule, Arc::new(seed))).collect();
        let slots = || raised.iter().map(|(_, it)| it.execution.started_at);
        let span = DataSpan {
            first: slots().min().map_or(span.first, |it| it.min(span.first)),
            last: slots().max().map_or(span.last, |it| it.max(span.last)),
            ..span
        };
        let sift = sift_alerts(set.filters.clone(), &set.tails, data, options);
        let feed = RefCell::new(Feed::new(set, &sift, evidence, options, (Sources::new(), 0)));
        let arrivals = Arrivals { slots: self, feed: &feed, left: &raised, window: None };
        let seen: Vec<bool> = set.numbers.iter().map(|&rule| set.may_see(&rules[rule])).collect();
        let own = |new: Vec<(usize, &AlertSeed)>| {
            let mut feed = feed.borrow_mut();
            for (number, seed) in new {
                let rule = &rules[set.numbers[number]];
                if seen[number] {
                    let records = records_of(seed, &feed.sources);
                    let window = evidence.window(&once(records.iter().copied()));
                    feed.push(rule, &Arc::new(seed.clone()), &window);
                }
            }
            feed.take()
        };
        let (outcomes, _) = execute_over_alerts(collector, arrivals, own, graph, span, known, *limits);
        let mut sources = feed.into_inner().sources;
        let alerts = outcomes.iter().flatten().flat_map(|it| &it.outcome.alerts);
        keep_used(&mut sources, alerts);
        (outcomes, sources)
    }
}

/// Forgets what no alert stands on.
fn keep_used<'a>(sources: &mut Sources, alerts: impl Iterator<Item = &'a AlertSeed>) {
    *sources = used(sources, alerts);
}

/// What alerts stand on.
pub(crate) fn used<'a>(sources: &Sources, alerts: impl Iterator<Item = &'a AlertSeed>) -> Sources {
    let mut left: Vec<Origin> = alerts.flat_map(AlertSeed::alerts).collect();
    let mut kept = Sources::new();
    while let Some(origin) = left.pop() {
        if let Some(source) = sources.get(&origin.ordinal).filter(|_| !kept.contains_key(&origin.ordinal)) {
            left.extend(source.alerts());
            kept.insert(origin.ordinal, source.clone());
        }
    }
    kept
}

/// Alerts on their way through the pass.
pub(crate) struct Feed<'s> {
    worker: Worker<'s>,
    gather: Gather,
    /// Makes what is asked of alerts,
    asking: Option<Asking<'s>>,
    /// or their documents.
    trees: Trees<'s>,
    /// What documents that were kept have in common.
    nothing: Arc<SharedFields>,
    /// Those that were fed, by their ordinals.
    pub(crate) sources: Sources,
    next: u64,
}

impl<'s> Feed<'s> {
    /// For the rules of a set; some alerts were fed before.
    pub(crate) fn new(
        set: &Set,
        sift: &'s Sift,
        evidence: &'s Evidence,
        options: &'s HuntOptions,
        (sources, next): (Sources, u64),
    ) -> Self {
        Self {
            worker: sift.worker(),
            gather: Gather::of_alerts(sift, Collector::new(Arc::clone(&set.tails))),
            asking: Asking::new(&filters(set.filters.clone(), &set.tails), evidence, options),
            trees: Trees::new(evidence, &options.normalise, options.now, options.version),
            nothing: Arc::new(SharedFields::new(Object::new())),
            sources,
            next,
        }
    }

    /// Feeds an alert, or a building block, whose document was kept.
    pub(crate) fn push_kept(&mut self, alert: Arc<KeptAlert>) {
        let document = Layered::new(alert.document.clone(), Arc::clone(&self.nothing));
        let built = Built {
            origin: Origin { input: Origin::ALERTS, ordinal: self.next },
            id: &alert.id,
            index: ALERTS_INDEX,
            timestamp: alert.raised,
            fields: &document,
        };
        if self.worker.push_built(&built, &mut self.gather).is_ok() {
            self.sources.insert(self.next, Source::Kept(alert));
            self.next += 1;
        }
    }

    /// Feeds an alert, with its building blocks if it is one of a sequence. The window has its records.
    pub(crate) fn push(&mut self, rule: &Arc<Rule>, seed: &Arc<AlertSeed>, window: &Window) {
        let asked = self.asking.as_mut().and_then(|it| it.alert(rule, seed, window));
        let (blocks, alert) = match asked {
            Some(alert) => (Vec::new(), alert),
            None => (
                self.trees.blocks(rule, seed, window, &self.sources),
                self.trees.alert(rule, seed, window, &self.sources),
            ),
        };
        let blocks = blocks.into_iter().enumerate().map(|(at, it)| (Some(at), it));
        for (block, document) in blocks.chain(once((None, alert))) {
            let source = Source::Raised { rule: Arc::clone(rule), seed: Arc::clone(seed), block };
            let built = Built {
                origin: Origin { input: Origin::ALERTS, ordinal: self.next },
                id: source.id(),
                index: ALERTS_INDEX,
                timestamp: seed.execution.started_at,
                fields: &document,
            };
            // The index of alerts may be one too many; then their data were reported as unreadable, too.
            if self.worker.push_built(&built, &mut self.gather).is_ok() {
                self.sources.insert(self.next, source);
                self.next += 1;
            }
        }
    }

    /// The alerts that were fed, and how many ordinals are taken.
    pub(crate) fn finish(self) -> (Sources, u64) {
        (self.sources, self.next)
    }

    /// What rules match of that was fed.
    pub(crate) fn take(&mut self) -> Option<Collector> {
        self.worker.flush(&mut self.gather);
        self.gather.take_collector()
    }
}

/// What rules over alerts match of the alerts of rules over events, slot by slot.
struct Arrivals<'a, 's> {
    slots: &'a Slots<'a>,
    feed: &'a RefCell<Feed<'s>>,
    left: &'a [(usize, Arc<AlertSeed>)],
    /// The records of the first that are left, of so many.
    window: Option<(Window, usize)>,
}

impl Iterator for Arrivals<'_, '_> {
    type Item = (Millis, Collector);

    fn next(&mut self) -> Option<Self::Item> {
        let mut feed = self.feed.borrow_mut();
        loop {
            let slot = self.left.first()?.1.execution.started_at;
            while let Some(((rule, seed), later)) = self.left.split_first()
                && seed.execution.started_at == slot
            {
                let (window, len) = self.window.take().unwrap_or_else(|| {
                    let records = self.left.iter().map(|(_, it)| it.events().map(|event| event.origin));
                    let window = self.slots.evidence.window(&records);
                    let len = window.len;
                    (window, len)
                });
                feed.push(&self.slots.rules[*rule], seed, &window);
                self.window = (len > 1).then(|| (window, len - 1));
                self.left = later;
            }
            if let Some(found) = feed.take() {
                return Some((slot, found));
            }
        }
    }
}
