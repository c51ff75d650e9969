//! Files as a source of events for investigations: many questions, one pass.

use std::path::PathBuf;
use std::sync::Arc;

use ecs::{Millis, Shape};
use identity::{Builder, Column};
use investigate::{Answer, Answers, Event, Field, Pool, Question, Source};
use reader::{Discovery, Input};
use rustc_hash::FxHashMap;
use sift::{Filter, Policy, Settings, Sift, Sifted, Sink};

use crate::Progress;
use crate::answers::{Asked, Found, by_text};
use crate::pushing::{Pushing, Takes};
use crate::run::HuntError;
use crate::scan::{Which, scan};
use crate::trouble::{Trouble, Troubles};

/// Files as a source.
#[derive(Debug)]
pub struct Files<'p> {
    /// Files, folders, globs: read anew by every pass.
    pub paths: Vec<PathBuf>,
    /// Segments of a store, which are read like files.
    pub stored: Vec<Input>,
    /// How records become events.
    pub normalise: cloudtrail::Options,
    /// How far reading goes.
    pub limits: reader::Limits,
    /// Threads. Has no influence on the answers.
    pub threads: usize,
    /// Events of a block; 0 is the default. Has no influence on the answers.
    pub block_rows: usize,
    /// The time of reading.
    pub now: Millis,
    /// Where to say how far it is.
    pub progress: &'p Progress,
    /// What the passes read.
    pub read: FilesReport,
}

/// What the passes over files read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FilesReport {
    /// Passes so far.
    pub passes: u32,
    /// Records of the last pass.
    pub records: u64,
    /// What could not be read: the first of it,
    pub troubles: Vec<Trouble>,
    /// and how much there is.
    pub trouble_count: u64,
    /// How much of it may have cost records.
    pub loss_count: u64,
}

impl<'p> Files<'p> {
    /// The files of a hunt, read again.
    pub fn of_hunt(hunt: &crate::HuntOptions, progress: &'p Progress) -> Self {
        Self {
            paths: hunt.paths.clone(),
            stored: hunt.stored.clone(),
            normalise: hunt.normalise.clone(),
            limits: hunt.limits.clone(),
            threads: hunt.threads,
            block_rows: hunt.block_rows,
            now: hunt.now,
            progress,
            read: FilesReport::default(),
        }
    }
}

impl Source for Files<'_> {
    type Error = HuntError;

    fn answer(
        &mut self,
        questions: &[Question],
        columns: &[String],
        wants_graph: bool,
    ) -> Result<Answers, HuntError> {
        let discovery = Discovery::with_stored(&self.paths, &self.stored, &mut std::io::empty())
            .map_err(HuntError::Paths)?;
        let asking = Asking::new(questions, columns, wants_graph);
        let settings = Settings {
            normalise: self.normalise.clone(),
            now: self.now,
            block_rows: self.block_rows,
            ..Settings::default()
        };
        let sift = Sift::new(asking.filters(), Policy::OnlyMatches, settings);
        self.progress.enter(crate::Stage::Scanning);
        let read = reader::Options {
            limits: self.limits.clone(),
            without_tokens: sift.skips(),
            ..reader::Options::default()
        };
        let make = || Pushing::new(sift.worker(), Taking::new(&asking));
        let (visitors, totals) =
            scan(&Which::All(&discovery.inputs), &read, self.threads, self.progress, make);
        let mut troubles = Troubles::of_paths(&discovery.failures);
        let mut all: Option<Taking<'_>> = None;
        for visitor in visitors {
            troubles.merge(visitor.troubles);
            match &mut all {
                None => all = Some(visitor.taking),
                Some(all) => all.merge(visitor.taking),
            }
        }
        let name = |input: u32| discovery.inputs.get(input as usize).map_or("", |it| it.name()).to_owned();
        self.read.passes += 1;
        self.read.records = totals.records;
        self.read.loss_count = troubles.losses();
        (self.read.troubles, self.read.trouble_count) = troubles.finish(name);
        Ok(all.map(Taking::finish).unwrap_or_default())
    }
}

/// The questions by what they ask of an event: those of the same text share a filter.
struct Asking<'q> {
    questions: usize,
    /// For each filter the questions that have it.
    of_filter: Vec<Asked<'q>>,
    columns: Vec<String>,
    wants_graph: bool,
}

impl<'q> Asking<'q> {
    fn new(questions: &'q [Question], columns: &[String], wants_graph: bool) -> Self {
        let columns =
            Field::ALL.iter().map(|it| it.path().to_owned()).chain(columns.iter().cloned()).collect();
        Self { questions: questions.len(), of_filter: by_text(questions), columns, wants_graph }
    }

    fn filters(&self) -> Vec<Filter> {
        let filter = |asked: &Asked<'_>| {
            // Who only counts needs no values.
            let needs = if asked.only_counts() { &[][..] } else { &self.columns };
            let needs = needs.iter().map(|path| (path.clone(), Shape::Leaf)).collect();
            let nothing = || plan::Expr::Or(Vec::new());
            Filter { expr: asked.first().map_or_else(nothing, |it| (*it.filter).clone()), needs }
        };
        let mut filters: Vec<Filter> = self.of_filter.iter().map(filter).collect();
        if self.wants_graph {
            let needs = Column::ALL.iter().map(|it| (it.path().to_owned(), Shape::Leaf)).collect();
            filters.push(Filter { expr: identity::filter(), needs });
        }
        filters
    }
}

/// What one thread found.
struct Taking<'q> {
    asking: &'q Asking<'q>,
    /// By filter.
    found: Vec<Found>,
    graph: Builder,
    /// What the events of a thread have in common.
    pool: Pool,
}

impl<'q> Taking<'q> {
    fn new(asking: &'q Asking<'q>) -> Self {
        let found = asking.of_filter.iter().map(|_| Found::default()).collect();
        Self { asking, found, graph: Builder::default(), pool: Pool::default() }
    }

    fn merge(&mut self, other: Self) {
        for (mine, its) in self.found.iter_mut().zip(other.found) {
            mine.merge(its);
        }
        self.graph.merge(&other.graph);
    }

    fn finish(self) -> Answers {
        let mut answers = vec![Answer::default(); self.asking.questions];
        for (found, asked) in self.found.into_iter().zip(&self.asking.of_filter) {
            for (number, answer) in found.finish(asked) {
                answers[number] = answer;
            }
        }
        Answers { answers, graph: self.asking.wants_graph.then(|| self.graph.finish()) }
    }
}

impl Takes for Taking<'_> {}

impl Sink for Taking<'_> {
    fn take(&mut self, sifted: &Sifted<'_>) {
        let Self { asking, found, graph, pool } = self;
        // A value of a block becomes a text once.
        let mut texts: FxHashMap<(usize, u32), Arc<str>> = FxHashMap::default();
        for event in sifted.events() {
            let mut made: Option<Arc<Event>> = None;
            for filter in event.filters() {
                let slots = sifted.needs(filter);
                let Some(asked) = asking.of_filter.get(filter) else {
                    graph.push(event.id, event.timestamp, &|column| {
                        let slot = slots[column.index()];
                        let &first = sifted.row(slot, &event).first()?;
                        Some(sifted.column(slot).value(first).text())
                    });
                    continue;
                };
                found[filter].add(asked, event.timestamp, || {
                    Arc::clone(made.get_or_insert_with(|| {
                        let mut its: Vec<Vec<Arc<str>>> = Vec::with_capacity(slots.len());
                        for (at, &slot) in slots.iter().enumerate() {
                            let text = |&ordinal: &block::Ordinal| {
                                let make = || pool.text(&sifted.column(slot).value(ordinal).text());
                                Arc::clone(texts.entry((at, ordinal)).or_insert_with(make))
                            };
                            its.push(sifted.row(slot, &event).iter().map(text).collect());
                        }
                        Arc::new(pool.event(event.id, event.timestamp, its))
                    }))
                });
            }
        }
    }
}
