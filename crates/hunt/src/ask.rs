//! Files as a source of events for investigations: many questions, one pass.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use ecs::{Millis, Shape};
use identity::{Builder, Column};
use investigate::{Answer, Answers, Event, Field, Question, Source};
use reader::Discovery;
use sift::{Filter, Policy, Settings, Sift, Sifted, Sink};
use xxhash_rust::xxh3::xxh3_64;

use crate::Progress;
use crate::pushing::{Pushing, Takes};
use crate::run::HuntError;
use crate::scan::{Which, scan};
use crate::trouble::{Trouble, Troubles};

/// Files as a source.
#[derive(Debug)]
pub struct Files<'p> {
    /// Files, folders, globs: read anew by every pass.
    pub paths: Vec<PathBuf>,
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
        let discovery = Discovery::find(&self.paths, &mut std::io::empty()).map_err(HuntError::Paths)?;
        let asking = Asking::new(questions, columns, wants_graph);
        let settings = Settings {
            normalise: self.normalise.clone(),
            now: self.now,
            block_rows: self.block_rows,
            wants_texts: false,
            only_built: false,
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
    questions: &'q [Question],
    /// For each filter the questions that have it.
    of_filter: Vec<Vec<usize>>,
    columns: Vec<String>,
    wants_graph: bool,
}

impl<'q> Asking<'q> {
    fn new(questions: &'q [Question], columns: &[String], wants_graph: bool) -> Self {
        let mut of_filter: Vec<Vec<usize>> = Vec::new();
        let mut known: HashMap<&str, usize> = HashMap::new();
        for (number, question) in questions.iter().enumerate() {
            let filter = *known.entry(&question.text).or_insert(of_filter.len());
            if filter == of_filter.len() {
                of_filter.push(Vec::new());
            }
            of_filter[filter].push(number);
        }
        let columns =
            Field::ALL.iter().map(|it| it.path().to_owned()).chain(columns.iter().cloned()).collect();
        Self { questions, of_filter, columns, wants_graph }
    }

    fn filters(&self) -> Vec<Filter> {
        let filter = |numbers: &Vec<usize>| {
            let first = &self.questions[numbers[0]];
            // Who only counts needs no values.
            let counts = numbers.iter().all(|&it| self.questions[it].limit == 0);
            let needs = if counts { &[][..] } else { &self.columns };
            let needs = needs.iter().map(|path| (path.clone(), Shape::Leaf)).collect();
            Filter { expr: first.filter.clone(), needs }
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
    found: Vec<Taken>,
    graph: Builder,
}

/// What one question found.
#[derive(Default)]
struct Taken {
    events: Vec<Arc<Event>>,
    /// Eight bytes a delivery: how many events there are is known whatever was thrown away.
    ids: Vec<u64>,
    /// Deliveries, where nobody wants the events.
    counted: u64,
    span: Option<(Millis, Millis)>,
}

impl Taken {
    fn add(&mut self, question: &Question, id: &str, time: Millis, event: impl FnOnce() -> Arc<Event>) {
        if time < question.from || time > question.to {
            return;
        }
        self.span = Some(self.span.map_or((time, time), |(first, last)| (first.min(time), last.max(time))));
        if question.limit == 0 {
            self.counted += 1;
            return;
        }
        self.ids.push(xxh3_64(id.as_bytes()));
        self.events.push(event());
        if self.events.len() > question.limit.saturating_mul(2) {
            self.keep_nearest(question);
        }
    }

    /// Each event once, and of more than are wanted the nearest: the same whatever came first.
    fn keep_nearest(&mut self, question: &Question) {
        let distance = |it: &Arc<Event>| it.time.abs_diff(question.near);
        self.events.sort_by(|a, b| (distance(a), a.time, &a.id).cmp(&(distance(b), b.time, &b.id)));
        self.events.dedup_by(|a, b| a.id == b.id);
        self.events.truncate(question.limit);
    }

    fn finish(mut self, question: &Question) -> Answer {
        self.keep_nearest(question);
        let mut events = self.events;
        events.sort_by(|a, b| (a.time, &a.id).cmp(&(b.time, &b.id)));
        // Copies of one event may differ in their time: the first counts.
        let mut seen = HashSet::new();
        events.retain(|it| seen.insert(xxh3_64(it.id.as_bytes())));
        self.ids.sort_unstable();
        self.ids.dedup();
        let total = self.counted + self.ids.len() as u64;
        Answer { events, total, span: self.span }
    }
}

impl<'q> Taking<'q> {
    fn new(asking: &'q Asking<'q>) -> Self {
        let found = asking.questions.iter().map(|_| Taken::default()).collect();
        Self { asking, found, graph: Builder::default() }
    }

    fn merge(&mut self, other: Self) {
        for (mine, its) in self.found.iter_mut().zip(other.found) {
            mine.events.extend(its.events);
            mine.ids.extend(its.ids);
            mine.counted += its.counted;
            mine.span = match (mine.span, its.span) {
                (Some(a), Some(b)) => Some((a.0.min(b.0), a.1.max(b.1))),
                (a, b) => a.or(b),
            };
        }
        self.graph.merge(&other.graph);
    }

    fn finish(self) -> Answers {
        let answers = self.found.into_iter().zip(self.asking.questions);
        Answers {
            answers: answers.map(|(taken, question)| taken.finish(question)).collect(),
            graph: self.asking.wants_graph.then(|| self.graph.finish()),
        }
    }
}

impl Takes for Taking<'_> {}

impl Sink for Taking<'_> {
    fn take(&mut self, sifted: &Sifted<'_>) {
        let Self { asking, found, graph } = self;
        // A value of a block becomes a text once.
        let mut texts: HashMap<(usize, u32), Arc<str>> = HashMap::new();
        for event in sifted.events() {
            let mut made: Option<Arc<Event>> = None;
            for filter in event.filters() {
                let slots = sifted.needs(filter);
                let Some(numbers) = asking.of_filter.get(filter) else {
                    graph.push(event.id, event.timestamp, &|column| {
                        let slot = slots[column.index()];
                        let &first = sifted.row(slot, &event).first()?;
                        Some(sifted.column(slot).value(first).text())
                    });
                    continue;
                };
                for &number in numbers {
                    found[number].add(&asking.questions[number], event.id, event.timestamp, || {
                        let value = |(at, &slot): (usize, &block::Slot)| {
                            let row = sifted.row(slot, &event).iter();
                            let text = |&ordinal: &block::Ordinal| {
                                let make = || Arc::from(sifted.column(slot).value(ordinal).text().as_ref());
                                Arc::clone(texts.entry((at, ordinal)).or_insert_with(make))
                            };
                            row.map(text).collect::<Box<[Arc<str>]>>()
                        };
                        Arc::clone(made.get_or_insert_with(|| {
                            Arc::new(Event {
                                id: event.id.into(),
                                time: event.timestamp,
                                values: slots.iter().enumerate().map(value).collect(),
                            })
                        }))
                    });
                }
            }
        }
    }
}
