//! Events by when they were ingested: what arrives at different times is gathered apart.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use block::Origin;
use detect::Collector;
use ecs::Millis;
use reader::Ingested;
use sift::Sifted;

use crate::gather::Part;
use crate::identities::Issues;

/// When the events of segments were ingested, and what of them is kept apart.
#[derive(Debug)]
pub(crate) struct Ingestion {
    /// By input.
    pub(crate) times: HashMap<u32, Arc<Ingested>>,
    /// The number of an input that holds of another what was ingested at that time. Of copies the one that arrived first
    /// counts, and numbers ascend as events arrived, wherever they lie by now.
    pub(crate) numbers: HashMap<(u32, Millis), u32>,
    /// The time of reading, which stands for that of an event without one: in its place comes when it was ingested.
    pub(crate) reading: Millis,
    /// Ascending: what was ingested until the first of them, until the second, and so on. What came later is the last part.
    pub(crate) until: Arc<[Millis]>,
    /// What was ingested after this time is counted if it comes too late: for each set of rules, for each of its rules,
    /// the time from which executions look.
    pub(crate) late: Option<(Millis, Vec<Vec<Millis>>)>,
}

impl Ingestion {
    /// The part that an event belongs to: the end of the time of its ingestion.
    pub(crate) fn part_of(&self, ingested: Option<Millis>) -> Millis {
        let ingested = ingested.unwrap_or(Millis::MIN);
        self.until.get(self.until.partition_point(|&it| it < ingested)).copied().unwrap_or(Millis::MAX)
    }
}

/// When an event arrived.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival {
    pub(crate) ingested: Millis,
    reading: Millis,
    /// Where it is to be found, by the number of what arrived then.
    pub(crate) origin: Origin,
}

impl Arrival {
    /// When an event took place that says this time.
    pub(crate) fn time(self, timestamp: Millis) -> Millis {
        if timestamp == self.reading { self.ingested } else { timestamp }
    }
}

/// What one thread gathers, by when it was ingested.
pub(crate) struct Arriving {
    ingestion: Arc<Ingestion>,
    parts: BTreeMap<Millis, ArrivingPart>,
}

/// What was ingested within some time.
pub(crate) struct ArrivingPart {
    /// By set of rules.
    pub(crate) parts: Vec<Part>,
    /// The calls that issue credentials.
    pub(crate) issues: Option<Issues>,
    /// Whether the block at hand was begun.
    is_begun: bool,
}

/// What came of it.
pub(crate) struct Arrived {
    /// By set of rules.
    pub(crate) collectors: Vec<Collector>,
    /// The calls that issue credentials.
    pub(crate) issues: Option<Issues>,
}

impl Arriving {
    pub(crate) fn new(ingestion: Arc<Ingestion>) -> Self {
        Self { ingestion, parts: BTreeMap::new() }
    }

    /// Another block begins.
    pub(crate) fn begin(&mut self) {
        self.parts.values_mut().for_each(|it| it.is_begun = false);
    }

    /// When an event was ingested, if that is known.
    pub(crate) fn arrival(&self, origin: Origin) -> Option<Arrival> {
        let Ingestion { times, numbers, reading, .. } = &*self.ingestion;
        let ingested = times.get(&origin.input)?.get(origin.ordinal)?;
        let input = numbers.get(&(origin.input, ingested)).copied().unwrap_or(origin.input);
        Some(Arrival { ingested, reading: *reading, origin: Origin { input, ..origin } })
    }

    /// Where an event is gathered; `empty` is what gathers nothing yet.
    pub(crate) fn part_of(
        &mut self,
        arrival: Option<Arrival>,
        sifted: &Sifted<'_>,
        empty: &[Part],
        issues: Option<&Issues>,
    ) -> &mut ArrivingPart {
        let ingestion = &self.ingestion;
        let until = ingestion.part_of(arrival.map(|it| it.ingested));
        let its = self.parts.entry(until).or_insert_with(|| {
            let late = ingestion.late.as_ref().filter(|(after, _)| until > *after);
            let mut parts = empty.to_vec();
            for (part, from) in parts.iter_mut().zip(late.into_iter().flat_map(|(_, it)| it)) {
                part.collector =
                    Collector::new(Arc::clone(part.collector.tails())).counting_behind(from.clone());
            }
            ArrivingPart { parts, issues: issues.map(|it| Issues::new(it.filter)), is_begun: false }
        });
        if !its.is_begun {
            its.parts.iter_mut().for_each(|it| it.begin(sifted));
            its.is_begun = true;
        }
        its
    }

    pub(crate) fn finish(self) -> BTreeMap<Millis, Arrived> {
        let finished = |it: ArrivingPart| Arrived {
            collectors: it.parts.into_iter().map(|it| it.collector).collect(),
            issues: it.issues,
        };
        self.parts.into_iter().map(|(until, it)| (until, finished(it))).collect()
    }
}

impl Arrived {
    /// Takes what another thread gathered of the same part.
    pub(crate) fn merge(&mut self, other: Self) {
        self.collectors.iter_mut().zip(other.collectors).for_each(|(all, it)| all.merge(it));
        match (&mut self.issues, other.issues) {
            (Some(all), Some(its)) => all.merge(&its),
            (all @ None, its) => *all = its,
            (Some(_), None) => {}
        }
    }
}
