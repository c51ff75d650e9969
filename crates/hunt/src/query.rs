//! One query over files.

use std::io::Read;
use std::path::PathBuf;

use ecs::Millis;
use plan::naive::Evaluator;
use reader::{Discovery, Input};
use sift::{Document, DocumentBuilder, Kind, Record, document_id, parse_document};

use crate::copies::Copies;
use crate::normalize::{Take, failure};
use crate::run::HuntError;
use crate::scan::{RawRecord, Visit, Which, scan};
use crate::trouble::{RecordError, Trouble, Troubles};
use crate::{Progress, Stage};

/// What to search.
#[derive(Debug)]
pub struct QueryOptions {
    /// Files, folders, globs, `-`; each with the name of the index that its documents belong to, if that is given.
    pub sources: Vec<(Option<String>, PathBuf)>,
    /// The condition.
    pub filter: plan::Expr,
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

/// What a query read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueryReport {
    /// Documents that were looked at.
    pub documents: u64,
    /// Deliveries that were left out: their events were there before.
    pub copies: u64,
    /// What could not be read: the first of it,
    pub troubles: Vec<Trouble>,
    /// and how much there is.
    pub trouble_count: u64,
    /// How much of it may have cost records: not what is known to hold none.
    pub loss_count: u64,
    /// What else the user should know of the paths.
    pub notices: Vec<String>,
}

/// Gives every document that satisfies the query to `take`, in the order of the files, until that says stop.
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
    if inputs.is_empty() && !failures.is_empty() {
        return Err(HuntError::Paths(failures));
    }
    progress.enter(Stage::Scanning);
    let mode = if options.plain { reader::Reading::Plain } else { reader::Reading::Trail };
    let read = reader::Options {
        mode,
        limits: options.limits.clone(),
        without_tokens: mode == reader::Reading::Plain,
    };
    let evaluator = Evaluator::new(&options.filter);
    let mut troubles = Troubles::of_paths(&failures);
    let mut stopped = false;
    let take: Take<'_> = std::sync::Mutex::new(take);
    // Plain documents are no events: each is one, whatever it says of itself.
    let mut copies = (!options.copies && !options.plain).then(Copies::default);
    for (name, input) in &inputs {
        if stopped {
            break;
        }
        // One thread: the documents come in the order of the files.
        let lent = std::sync::Mutex::new(copies.take());
        let make = || Searching {
            index: name.unwrap_or(if options.plain { file_stem(input) } else { "" }),
            named: name.is_some(),
            plain: options.plain,
            evaluator: &evaluator,
            builder: DocumentBuilder::new(&options.normalise, options.now),
            take: &take,
            stopped: false,
            copies: lent.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take(),
            troubles: Troubles::default(),
        };
        let (visitors, totals) = scan(&Which::All(std::slice::from_ref(input)), &read, 1, progress, make);
        report.documents += totals.records;
        for visitor in visitors {
            stopped |= visitor.stopped;
            copies = copies.or(visitor.copies);
            troubles.merge(visitor.troubles);
        }
    }
    report.copies = copies.map_or(0, |it| it.count);
    let name = |input: u32| inputs.get(input as usize).map_or("", |(_, input)| input.name()).to_owned();
    report.loss_count = troubles.losses();
    (report.troubles, report.trouble_count) = troubles.finish(name);
    Ok(report)
}

/// The index of a file's documents, if nothing else names one: the file's name up to its first dot.
fn file_stem(input: &Input) -> &str {
    let name = input.path().file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.split('.').next().unwrap_or_default()
}

struct Searching<'a, 'f> {
    index: &'a str,
    named: bool,
    plain: bool,
    evaluator: &'a Evaluator,
    builder: DocumentBuilder,
    take: &'a Take<'f>,
    stopped: bool,
    copies: Option<Copies>,
    troubles: Troubles,
}

impl Searching<'_, '_> {
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

impl Visit for Searching<'_, '_> {
    fn is_done(&self) -> bool {
        self.stopped
    }

    fn record(&mut self, record: RawRecord<'_>) {
        if self.stopped {
            return;
        }
        let built = if self.plain { self.plain(&record) } else { record.document(&mut self.builder) };
        let mut document = match built {
            Ok(document) => document,
            Err(error) => return self.troubles.of_record(&record, &error),
        };
        if let Some(text) = failure(&document).filter(|_| !self.plain) {
            self.troubles.of_record(&record, &RecordError::Failed(text));
        }
        if self.named {
            self.index.clone_into(&mut document.index);
        }
        // `_id` and `_index` are fields to a query, but not of the document.
        document.source.insert("_id".to_owned(), document.id.clone().into());
        document.source.insert("_index".to_owned(), document.index.clone().into());
        let matches = self.evaluator.matches(&document.source);
        document.source.shift_remove("_id");
        document.source.shift_remove("_index");
        if matches && !self.copies.as_mut().is_some_and(|it| it.is_copy(&document)) {
            let mut take = self.take.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            self.stopped = !take(document);
        }
    }

    fn problem(&mut self, problem: reader::Problem) {
        self.troubles.of_reader(&problem);
    }
}
