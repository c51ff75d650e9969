//! One query over files.

mod count;
mod order;
mod pattern;

use std::io::Read;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ecs::Millis;
use identity::{Graph, RootField};
use plan::naive::Evaluator;
use reader::{Discovery, Input};
use sift::{Document, DocumentBuilder, Kind, Record, document_id, parse_document};

pub(crate) use count::cut;
pub use count::{COMBINATIONS_MAX, COMBINATIONS_OF_ONE_MAX, Combination, FieldCounts, LeftOut};
pub use pattern::{Pattern, PatternError};

use crate::copies::Copies;
use crate::identities;
use crate::normalize::failure;
use crate::run::HuntError;
use crate::scan::{RawRecord, Visit, Which, scan};
use crate::trouble::{RecordError, Trouble, Troubles};
use crate::{Progress, Stage};
use order::{Earliest, Place};

/// Bytes of records that are put in order at a time, if nothing else is asked for.
pub const ORDERED_BYTES: usize = 256 << 20;

/// What to search.
#[derive(Debug)]
pub struct QueryOptions {
    /// Files, folders, globs, `-`; each with the name of the index that its documents belong to, if that is given.
    pub sources: Vec<(Option<String>, PathBuf)>,
    /// Segments of a store, which are read like files.
    pub stored: Vec<Input>,
    /// The condition.
    pub filter: plan::Expr,
    /// Whether documents say who is behind their events even if the condition does not ask.
    pub identities: bool,
    /// Expressions that must match as well, each of them.
    pub patterns: Vec<Pattern>,
    /// Only events of this time or later,
    pub since: Option<Millis>,
    /// and before this one. What has no time of its own is taken as happening now, as in a hunt.
    pub until: Option<Millis>,
    /// In which order documents are given.
    pub order: Order,
    /// The most documents that are given.
    pub limit: Option<u64>,
    /// Whether the files hold plain documents rather than records of an audit trail.
    pub plain: bool,
    /// How records become events.
    pub normalise: cloudtrail::Options,
    /// How far reading goes.
    pub limits: reader::Limits,
    /// The time of reading.
    pub now: Millis,
    /// An event that was delivered several times is given as often.
    pub copies: bool,
}

/// The order of documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// As they lie in the files: each is given as soon as it is found.
    Files,
    /// By their times, those of one time by index and id, whatever the order of files.
    Time {
        /// Bytes of records that are kept for it. If there are more, the files are read again for the next of them.
        bytes_max: usize,
    },
}

/// What a query read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueryReport {
    /// Documents that were looked at.
    pub documents: u64,
    /// Deliveries that were left out: their events were there before.
    pub copies: u64,
    /// Documents that match, have no time of their own and were left out because now is not in the time asked for.
    pub undated: u64,
    /// How often the files were read.
    pub passes: u64,
    /// What could not be read: the first of it,
    pub troubles: Vec<Trouble>,
    /// and how much there is.
    pub trouble_count: u64,
    /// How much of it may have cost records: not what is known to hold none.
    pub loss_count: u64,
    /// What else the user should know of the paths.
    pub notices: Vec<String>,
}

/// Gives every document that satisfies the query to `take`, in the order asked for, until that says stop.
pub fn query(
    options: &QueryOptions,
    stdin: &mut dyn Read,
    progress: &Progress,
    take: &mut (dyn FnMut(Document) -> bool + Send),
) -> Result<QueryReport, HuntError> {
    let mut inputs: Vec<(Option<&str>, Input)> = Vec::new();
    let mut report = QueryReport::default();
    let mut failures = Vec::new();
    for (name, path) in &options.sources {
        let found = match Discovery::find(std::slice::from_ref(path), stdin) {
            Ok(found) => found,
            Err(errors) => {
                failures.extend(errors);
                continue;
            }
        };
        failures.extend(found.failures);
        report.notices.extend(found.notices.iter().map(ToString::to_string));
        for mut input in found.inputs {
            input.id = inputs.len() as u32;
            inputs.push((name.as_deref(), input));
        }
    }
    for segment in &options.stored {
        let mut input = segment.clone();
        input.id = inputs.len() as u32;
        inputs.push((None, input));
    }
    if inputs.is_empty() && !failures.is_empty() {
        return Err(HuntError::Paths(failures));
    }
    progress.enter(Stage::Scanning);
    let graph = asks_who(options).then(|| {
        let all: Vec<Input> = inputs.iter().map(|(_, input)| input.clone()).collect();
        let read = reader::Options { limits: options.limits.clone(), ..reader::Options::default() };
        identities::graph(&all, &read, &options.normalise, options.now, 1, progress)
    });
    let search = Search { options, evaluator: Evaluator::new(&options.filter), graph, inputs: &inputs };
    // Plain documents are no events: each is one, whatever it says of itself.
    let tells_copies = !options.copies && !options.plain;
    let mut left = options.limit.unwrap_or(u64::MAX);
    let mut troubles = Troubles::of_paths(&failures);
    match options.order {
        Order::Files => {
            let copies = tells_copies.then(Copies::default);
            let mut give = |document| {
                left = left.saturating_sub(1);
                take(document) && left > 0
            };
            let found = search.pass(Found { copies, undated: 0, to: To::Caller(&mut give) }, progress);
            (report.documents, report.passes) = (found.documents, 1);
            (report.copies, report.undated) = (found.copies, found.undated);
            troubles.merge(found.troubles);
        }
        Order::Time { bytes_max } => {
            let mut given = tells_copies.then(Copies::default);
            let mut after: Option<Place> = None;
            while left > 0 {
                let is_first = after.is_none();
                let mut earliest = Earliest::new(after.take(), bytes_max, left);
                let copies = (tells_copies && is_first).then(Copies::default);
                let to = To::Order { earliest: &mut earliest, copies: !tells_copies };
                let found = search.pass(Found { copies, undated: 0, to }, progress);
                report.passes += 1;
                // Further passes meet the same again.
                if is_first {
                    (report.documents, report.copies) = (found.documents, found.copies);
                    report.undated = found.undated;
                    troubles.merge(found.troubles);
                }
                let is_over = earliest.is_over;
                let mut goes_on = true;
                let mut makers = Makers::new(&search);
                after = earliest.give(|record| {
                    let Some(document) = makers.document(record) else { return true };
                    // The first of copies that differ is the earliest: the same one, whatever was read first.
                    if !given.as_mut().is_some_and(|it| it.is_copy(&document)) {
                        left -= 1;
                        goes_on = take(document) && left > 0;
                    }
                    goes_on
                });
                if !is_over || !goes_on || after.is_none() {
                    break;
                }
            }
        }
    }
    let name = |input: u32| inputs.get(input as usize).map_or("", |(_, input)| input.name()).to_owned();
    report.loss_count = troubles.losses();
    (report.troubles, report.trouble_count) = troubles.finish(name);
    Ok(report)
}

/// Whether the query, or who takes what it finds, asks who is behind an event.
fn asks_who(options: &QueryOptions) -> bool {
    let paths = options.filter.paths();
    !options.plain && (options.identities || paths.iter().any(|(path, _)| RootField::of(path).is_some()))
}

/// A query and what it searches.
struct Search<'a> {
    options: &'a QueryOptions,
    evaluator: Evaluator,
    /// Tells who is behind events, if that is asked for.
    graph: Option<Graph>,
    inputs: &'a [(Option<&'a str>, Input)],
}

/// What one pass came to.
struct Passed {
    documents: u64,
    copies: u64,
    undated: u64,
    troubles: Troubles,
}

/// Where matches go.
struct Found<'t> {
    /// Tells what was there before. In order of time it only counts.
    copies: Option<Copies>,
    undated: u64,
    to: To<'t>,
}

enum To<'t> {
    Caller(&'t mut (dyn FnMut(Document) -> bool + Send)),
    Order {
        earliest: &'t mut Earliest,
        /// Whether each delivery is a document of its own.
        copies: bool,
    },
}

impl Search<'_> {
    /// Reads all files, one after the other.
    fn pass(&self, found: Found<'_>, progress: &Progress) -> Passed {
        let mode = if self.options.plain { reader::Reading::Plain } else { reader::Reading::Trail };
        let read = reader::Options {
            mode,
            limits: self.options.limits.clone(),
            without_tokens: mode == reader::Reading::Plain,
            hashes: false,
        };
        let found = Mutex::new(found);
        let mut passed = Passed { documents: 0, copies: 0, undated: 0, troubles: Troubles::default() };
        let mut stopped = false;
        for (_, input) in self.inputs {
            if stopped {
                break;
            }
            let make = || Searching {
                search: self,
                maker: Maker::new(self, input.id),
                found: &found,
                stopped: false,
                troubles: Troubles::default(),
            };
            // One thread: the documents come in the order of the files.
            let (visitors, totals) = scan(&Which::All(std::slice::from_ref(input)), &read, 1, progress, make);
            passed.documents += totals.records;
            for visitor in visitors {
                stopped |= visitor.stopped;
                passed.troubles.merge(visitor.troubles);
            }
        }
        let found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
        passed.copies = found.copies.map_or(0, |it| it.count);
        passed.undated = found.undated;
        passed
    }
}

/// The index of a file's documents, if nothing else names one: the file's name up to its first dot.
fn file_stem(input: &Input) -> &str {
    let name = input.path().file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.split('.').next().unwrap_or_default()
}

/// Makes the documents of a file's records.
struct Maker<'a> {
    index: &'a str,
    named: bool,
    plain: bool,
    builder: DocumentBuilder,
    graph: Option<&'a Graph>,
}

impl<'s> Maker<'s> {
    fn new(search: &'s Search<'_>, input: u32) -> Self {
        let (name, input) = &search.inputs[input as usize];
        let plain = search.options.plain;
        Self {
            index: name.unwrap_or(if plain { file_stem(input) } else { "" }),
            named: name.is_some(),
            plain,
            builder: DocumentBuilder::new(&search.options.normalise, search.options.now),
            graph: search.graph.as_ref(),
        }
    }

    fn document(&mut self, record: &RawRecord<'_>) -> Result<Document, RecordError> {
        if self.plain {
            return self.plain(record);
        }
        let mut document = record.document(&mut self.builder)?;
        if self.named {
            self.index.clone_into(&mut document.index);
        }
        if let Some(graph) = self.graph {
            identities::put(graph, Millis::MAX, &mut document.source);
        }
        Ok(document)
    }

    /// A plain document: its `_id` may stand in it, and is then no field of it.
    fn plain(&self, record: &RawRecord<'_>) -> Result<Document, RecordError> {
        let mut source = parse_document(record.text)?;
        let document = Record { id: record.id, ..Record::of(Kind::Document, record.text) };
        let id = document_id(&document, &source);
        source.remove("_id");
        let own = source.remove("_index").and_then(|it| it.as_str().map(str::to_owned));
        let index = if self.named { None } else { record.index.map(str::to_owned).or(own) };
        Ok(Document { id, index: index.unwrap_or_else(|| self.index.to_owned()), source })
    }
}

/// Makes documents of records of any file again. Neighbours in time often come from one file.
struct Makers<'s, 'a> {
    search: &'s Search<'a>,
    last: Option<(u32, Maker<'s>)>,
}

impl<'s, 'a> Makers<'s, 'a> {
    fn new(search: &'s Search<'a>) -> Self {
        Self { search, last: None }
    }

    /// The document, which was made before.
    fn document(&mut self, record: &RawRecord<'_>) -> Option<Document> {
        if self.last.as_ref().is_none_or(|(input, _)| *input != record.input) {
            self.last = Some((record.input, Maker::new(self.search, record.input)));
        }
        let (_, maker) = self.last.as_mut()?;
        maker.document(record).ok()
    }
}

struct Searching<'s, 'a, 't> {
    search: &'s Search<'a>,
    maker: Maker<'s>,
    found: &'s Mutex<Found<'t>>,
    stopped: bool,
    troubles: Troubles,
}

impl<'t> Searching<'_, '_, 't> {
    fn found(&self) -> MutexGuard<'_, Found<'t>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the query finds a document.
    fn matches(&self, document: &mut Document, text: &str) -> bool {
        // `_id` and `_index` are fields to a query, but not of the document.
        document.source.insert("_id".to_owned(), document.id.clone().into());
        document.source.insert("_index".to_owned(), document.index.clone().into());
        let matches = self.search.evaluator.matches(&document.source);
        document.source.shift_remove("_id");
        document.source.shift_remove("_index");
        matches && self.search.options.patterns.iter().all(|it| it.matches(text, document))
    }
}

impl Visit for Searching<'_, '_, '_> {
    fn is_done(&self) -> bool {
        self.stopped
    }

    fn record(&mut self, record: RawRecord<'_>) {
        if self.stopped {
            return;
        }
        let mut document = match self.maker.document(&record) {
            Ok(document) => document,
            Err(error) => return self.troubles.of_record(&record, &error),
        };
        let QueryOptions { since, until, now, plain, .. } = *self.search.options;
        if let Some(text) = failure(&document).filter(|_| !plain) {
            self.troubles.of_record(&record, &RecordError::Failed(text));
        }
        let own = ecs::document::timestamp(&document.source);
        let time = own.unwrap_or(now);
        let is_in_range = since.is_none_or(|since| time >= since) && until.is_none_or(|until| time < until);
        let is_undated = own.is_none_or(|own| own == now);
        // What has no time is told of if it is left out for that.
        if (!is_in_range && !is_undated) || !self.matches(&mut document, record.text) {
            return;
        }
        let mut found = self.found();
        let Found { copies, undated, to } = &mut *found;
        if !is_in_range {
            *undated += 1;
            return;
        }
        let is_copy = copies.as_mut().is_some_and(|it| it.is_copy(&document));
        let goes_on = match to {
            To::Caller(take) => is_copy || take(document),
            To::Order { earliest, copies } => {
                earliest.add(time, &document, &record, *copies);
                true
            }
        };
        drop(found);
        self.stopped = !goes_on;
    }

    fn problem(&mut self, problem: reader::Problem) {
        self.troubles.of_reader(&problem);
    }
}
