//! Who is behind the events of a hunt: the calls that issue credentials are one more filter of its pass.

use std::sync::Arc;

use block::Slot;
use ecs::{Millis, Object, Shape};
use identity::{Builder, Column, Graph, RootField, WhoBuf, WhoField};
use reader::Input;
use sift::{Event, Filter, Policy, Settings, Sift, Sifted, Sink};

use crate::Progress;
use crate::pushing::{Pushing, Takes};
use crate::scan::{Which, scan};

/// Whether it is worked out who is behind events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Identities {
    /// No: rules that ask for it are refused.
    Never,
    /// If a rule asks for it.
    #[default]
    Asked,
    /// Yes, for whoever asks afterwards.
    Known,
    /// Yes, and alerts say so.
    InAlerts,
}

/// Credentials are good for so long at most: who is behind an event, calls before it tell. Roles last twelve hours, and
/// one hour each that follows on another; federated users and tokens of users last a day and a half.
pub(crate) const REACHES_BACK: Millis = 48 * 3_600_000;

/// What a column needs of the pass: a value that is told later is known by whose event it is.
pub(crate) fn needs(path: &str, shape: Shape) -> Vec<(String, Shape)> {
    let of = |it: &WhoField| (it.column().path().to_owned(), Shape::Leaf);
    match RootField::of(path) {
        Some(_) => WhoField::ALL.iter().map(of).collect(),
        None => vec![(path.to_owned(), shape)],
    }
}

/// The filter of the calls that issue credentials.
pub(crate) fn filter() -> Filter {
    let needs = Column::ALL.iter().map(|it| (it.path().to_owned(), Shape::Leaf)).collect();
    Filter { expr: identity::filter(), needs }
}

/// Whose event it is, as the graph unpacks it; empty if it is nobody's.
pub(crate) fn pack(who: &mut WhoBuf, slots: &[Slot], sifted: &Sifted<'_>, event: &Event<'_>) -> String {
    who.clear();
    for (&field, &slot) in WhoField::ALL.iter().zip(slots) {
        if let Some(&ordinal) = sifted.row(slot, event).first() {
            who.push(field, sifted.column(slot).value(ordinal));
        }
    }
    let mut packed = String::new();
    who.pack(&mut packed);
    packed
}

/// One thread's calls that issue credentials.
#[derive(Clone, Debug)]
pub(crate) struct Issues {
    /// The number of the filter.
    pub(crate) filter: usize,
    builder: Builder,
}

impl Issues {
    pub(crate) fn new(filter: usize) -> Self {
        Self { filter, builder: Builder::default() }
    }

    /// Takes an event that the filter matches.
    pub(crate) fn take(&mut self, sifted: &Sifted<'_>, event: &Event<'_>) {
        let slots = sifted.needs(self.filter);
        self.builder.push(event.id, event.timestamp, &|column: Column| {
            let slot = slots[column.index()];
            let &first = sifted.row(slot, event).first()?;
            Some(sifted.column(slot).value(first).text())
        });
    }

    /// Takes what another thread took.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.builder.merge(&other.builder);
    }

    /// The graph of what all threads took.
    pub(crate) fn graph(all: Vec<Self>) -> Graph {
        let mut builders = all.into_iter().map(|it| it.builder);
        let mut merged = builders.next().unwrap_or_default();
        for builder in builders {
            merged.merge(&builder);
        }
        merged.finish()
    }
}

/// Puts into a document who is behind its event.
pub(crate) fn put(graph: &Graph, as_of: Millis, document: &mut Object) {
    let root = graph.root(WhoBuf::of(document).who(), as_of);
    for &field in RootField::ALL {
        document.shift_remove(field.path());
        let values = root.as_ref().map(|it| it.values(field)).unwrap_or_default();
        match (field, &values[..]) {
            (_, []) => {}
            (RootField::Chain, all) => drop(document.insert(field.path().to_owned(), all.into())),
            (_, [value, ..]) => drop(document.insert(field.path().to_owned(), (*value).into())),
        }
    }
}

/// The graph of all records of these inputs: by a pass of its own.
pub(crate) fn graph(
    inputs: &[Input],
    read: &reader::Options,
    normalise: &cloudtrail::Options,
    now: Millis,
    threads: usize,
    progress: &Progress,
) -> Graph {
    let settings = Settings { normalise: normalise.clone(), now, ..Settings::default() };
    let sift = Sift::new(vec![filter()], Policy::OnlyMatches, settings);
    let read = reader::Options { without_tokens: sift.skips(), ..read.clone() };
    // What cannot be read is reported by whoever reads it for its own sake.
    let make = || Pushing::new(sift.worker(), Taking(Issues::new(0)));
    let (visitors, _) = scan(&Which::All(inputs), &read, threads, progress, make);
    Issues::graph(visitors.into_iter().map(|it| it.taking.0).collect())
}

struct Taking(Issues);

impl Sink for Taking {
    fn take(&mut self, sifted: &Sifted<'_>) {
        sifted.events().for_each(|event| self.0.take(sifted, &event));
    }
}

impl Takes for Taking {}

/// The graph, if alerts say who is behind their events.
pub(crate) fn for_alerts(identities: Identities, graph: &Arc<Graph>) -> Option<Arc<Graph>> {
    match identities {
        Identities::InAlerts => Some(Arc::clone(graph)),
        Identities::Never | Identities::Asked | Identities::Known => None,
    }
}
