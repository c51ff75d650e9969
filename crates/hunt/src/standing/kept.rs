//! What stands ready: segments on their way, matches, alerts that exist.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use detect::{AlertSeed, Collector, KnownAlerts, Matches, SuppressedMore};
use ecs::Millis;
use identity::Graph;
use reader::{Ingested, Input, Stored, StoredError};
use sift::Seen;

use crate::arriving::Arrived;
use crate::over_alerts::Set;
use crate::trouble::Trouble;

/// Matches that are kept at least before old ones are forgotten: it takes as long as looking at all of them.
const FORGOTTEN_FROM: usize = 256;

/// A segment of a store, with when each of its events was ingested.
#[derive(Clone, Debug)]
pub struct Segment {
    /// The segment.
    pub input: Input,
    /// Its events' times.
    pub ingested: Arc<Ingested>,
}

impl Segment {
    /// A segment, of which it is read when its events were ingested.
    pub fn of(input: Input) -> Result<Self, StoredError> {
        let ingested = input.segment().map_or(Ok(Ingested::Apart(Vec::new())), Stored::ingested)?;
        Ok(Self { input, ingested: Arc::new(ingested) })
    }
}

/// What rules match of some segments, by when it was ingested: see [`Standing::take`](crate::Standing::take).
#[derive(Default)]
pub struct Taken {
    pub(super) parts: BTreeMap<Millis, Arrived>,
    pub(super) seen: Seen,
    /// What could not be read: the first of it,
    pub troubles: Vec<Trouble>,
    /// and how much of it may have cost events.
    pub loss_count: u64,
}

impl Taken {
    /// When the first of it is to [arrive](crate::Standing::arrive) that has not yet.
    pub fn first(&self) -> Option<Millis> {
        self.parts.keys().next().copied()
    }

    /// Leaves out what was ingested until then.
    pub fn leave_out(&mut self, until: Millis) {
        self.parts.retain(|&its, _| its > until);
    }
}

/// The alerts that exist, by the object ids of their rules.
#[derive(Clone, Debug, Default)]
pub struct Raised {
    by_rule: HashMap<String, KnownAlerts>,
}

impl Raised {
    /// Those of a rule.
    pub fn of_rule(&mut self, uuid: &str) -> &mut KnownAlerts {
        self.by_rule.entry(uuid.to_owned()).or_default()
    }

    /// Takes what an execution raised.
    pub fn add(&mut self, uuid: &str, alerts: &[AlertSeed], more: &[SuppressedMore]) {
        if alerts.is_empty() && more.is_empty() {
            return;
        }
        let known = self.of_rule(uuid);
        for it in alerts {
            known.raise(it, uuid);
        }
        for it in more {
            known.suppress_more(it);
        }
    }
}

/// The matches of a set of rules.
pub(super) struct Gathered {
    pub(super) collector: Option<Collector>,
    /// How many were left when something was forgotten last.
    kept: usize,
}

impl Gathered {
    pub(super) fn new(set: Option<&Set>) -> Self {
        Self { collector: set.map(|it| Collector::new(Arc::clone(&it.tails))), kept: 0 }
    }

    pub(super) fn arrive(&mut self, part: Collector) {
        if part.has_matches()
            && let Some(all) = &mut self.collector
        {
            all.merge(part);
        }
    }

    /// Forgets what no execution looks at that starts at `slot` or later, if that is worth it.
    pub(super) fn forget(&mut self, slot: Millis) {
        if let Some(all) = self.collector.as_mut().filter(|it| it.events() > 2 * self.kept + FORGOTTEN_FROM) {
            all.forget(slot);
            self.kept = all.events();
        }
    }

    /// What the executions of a slot look at, and nothing that was before: whether that is kept still must not matter, and
    /// of the copies of an event the first that an execution looks at counts.
    pub(super) fn matches(&self, slot: Millis, graph: &Graph) -> Option<Matches> {
        let mut seen = self.collector.clone()?;
        seen.forget(slot);
        Some(seen.finish_with(graph))
    }
}
