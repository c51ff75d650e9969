//! Who and what the records are about: for each identity, key, address and so on when it was seen, and what it did.
//!
//! A summary is made in the pass of a hunt, of columns; documents are built only for the alerts that name something.

mod facts;
mod total;

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, OnceLock, PoisonError};

use ecs::{Millis, Shape};
use identity::Graph;
use sift::{Event, Sifted};

use crate::bounded::hash;
use facts::Columns;
pub(crate) use facts::{Facts, Roots};
use total::Totals;
pub use total::{Dimension, ENTRIES_MAX, SET_MAX, Subject, Subjects};

/// Locks of the events that were seen: threads seldom want the same one.
const SHARDS: usize = 64;

/// What to sum up.
#[derive(Clone, Debug)]
pub struct SummaryOptions {
    /// By what.
    pub dimensions: Vec<Dimension>,
    /// Only events of this time or later,
    pub since: Option<Millis>,
    /// and before this one.
    pub until: Option<Millis>,
}

/// What a summary of the records came to.
#[derive(Debug)]
pub struct Summary {
    /// By each dimension that was asked for, in that order.
    pub dimensions: Vec<Subjects>,
    /// Events that were summed up, each once.
    pub events: u64,
    /// Further deliveries of them.
    pub copies: u64,
}

/// The events that all threads have seen so far, with what was seen of each: twenty-four bytes an event.
#[derive(Debug)]
struct SeenEvents {
    shards: Vec<Mutex<HashMap<u128, u64>>>,
    differs: AtomicBool,
}

impl SeenEvents {
    fn new() -> Self {
        Self { shards: (0..SHARDS).map(|_| Mutex::default()).collect(), differs: AtomicBool::new(false) }
    }

    /// Whether the event was not there before.
    fn is_new(&self, event: u128, content: u64) -> bool {
        let shard = &self.shards[(event % SHARDS as u128) as usize];
        match shard.lock().unwrap_or_else(PoisonError::into_inner).entry(event) {
            Slot::Vacant(slot) => {
                slot.insert(content);
                true
            }
            Slot::Occupied(slot) => {
                if *slot.get() != content {
                    self.differs.store(true, Relaxed);
                }
                false
            }
        }
    }
}

/// One thread's part of a summary.
pub(crate) struct Summing<'s> {
    options: &'s SummaryOptions,
    columns: &'s Columns,
    seen: &'s SeenEvents,
    /// Of whoever is behind events, if that is asked for.
    roots: Option<Roots<'s>>,
    /// The time of reading, which stands for none.
    now: Millis,
    pub(crate) summed: Summed,
}

/// What was summed up.
#[derive(Debug)]
pub(crate) struct Summed {
    pub(crate) totals: Totals,
    pub(crate) events: u64,
    pub(crate) copies: u64,
}

impl Summed {
    pub(crate) fn new(options: &SummaryOptions) -> Self {
        Self { totals: Totals::new(&options.dimensions), events: 0, copies: 0 }
    }

    /// Adds what another thread summed up.
    pub(crate) fn merge(&mut self, other: Self) {
        self.totals.merge(other.totals);
        self.events += other.events;
        self.copies += other.copies;
    }
}

/// What all threads share.
pub(crate) struct Plan {
    pub(crate) columns: Columns,
    seen: SeenEvents,
    wants_roots: bool,
    graph: OnceLock<Graph>,
    now: Millis,
}

impl Plan {
    pub(crate) fn new(options: &SummaryOptions, now: Millis) -> Self {
        Self {
            columns: Columns::new(&options.dimensions),
            seen: SeenEvents::new(),
            wants_roots: options.dimensions.contains(&Dimension::Root),
            graph: OnceLock::new(),
            now,
        }
    }

    /// Finds out who is behind whom, before anything is summed up: that takes a pass of its own.
    pub(crate) fn find_roots(&self, graph: impl FnOnce() -> Graph) {
        if self.wants_roots {
            self.graph.get_or_init(graph);
        }
    }

    /// Who is behind whom, if that is asked for.
    pub(crate) fn roots(&self) -> Option<Roots<'_>> {
        self.graph.get().map(Roots::new)
    }

    /// The columns that are wanted of every event.
    pub(crate) fn needs(&self) -> Vec<(String, Shape)> {
        self.columns.paths().map(|path| (path.to_owned(), Shape::Leaf)).collect()
    }

    pub(crate) fn summing<'s>(&'s self, options: &'s SummaryOptions) -> Summing<'s> {
        let (roots, summed) = (self.roots(), Summed::new(options));
        Summing { options, columns: &self.columns, seen: &self.seen, roots, now: self.now, summed }
    }

    /// Whether copies of an event were not alike, so that it matters which one came first.
    pub(crate) fn differ(&self) -> bool {
        self.seen.differs.load(Relaxed)
    }

    /// Forgets which events were seen.
    pub(crate) fn forget(&self) {
        for shard in &self.seen.shards {
            shard.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
    }
}

impl Summing<'_> {
    /// Sums up the events of a block. `slots` are those of the columns, in their order.
    pub(crate) fn take(&mut self, sifted: &Sifted<'_>, slots: &[block::Slot]) {
        for event in sifted.events() {
            let time = event.timestamp;
            let SummaryOptions { since, until, .. } = *self.options;
            if since.is_some_and(|since| time < since) || until.is_some_and(|until| time >= until) {
                continue;
            }
            self.event(sifted, slots, &event);
        }
    }

    fn event(&mut self, sifted: &Sifted<'_>, slots: &[block::Slot], event: &Event<'_>) {
        let index = sifted.indices().get(event.index as usize).map_or("", String::as_str);
        let values: Vec<Vec<_>> = slots
            .iter()
            .map(|&slot| {
                let column = sifted.column(slot);
                sifted.row(slot, event).iter().map(|&ordinal| column.value(ordinal).text()).collect()
            })
            .collect();
        let mut content = event.timestamp.to_le_bytes().to_vec();
        for value in values.iter().flat_map(|values| values.iter().map(AsRef::as_ref).chain(["\n"])) {
            content.extend_from_slice(value.as_bytes());
            content.push(0);
        }
        let id = format!("{index}\0{}", event.id);
        if !self.seen.is_new(hash(id.as_bytes()), hash(&content) as u64) {
            self.summed.copies += 1;
            return;
        }
        self.summed.events += 1;
        let facts = Facts::new(self.columns, &values, self.roots.as_mut());
        self.summed.totals.add(&facts, Some(event.timestamp).filter(|it| *it != self.now));
    }
}
