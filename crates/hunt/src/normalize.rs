//! The documents of all records.

use std::io::Read;
use std::path::PathBuf;

use ecs::Millis;
use reader::{Discovery, Input};
use sift::{Document, DocumentBuilder};

use crate::copies::Copies;
use crate::run::HuntError;
use crate::scan::{RawRecord, Visit, Which, scan};
use crate::trouble::{RecordError, Trouble, Troubles};
use crate::{Progress, Stage};

/// What to normalise.
#[derive(Debug)]
pub struct NormalizeOptions {
    /// Files, folders, globs, `-`.
    pub paths: Vec<PathBuf>,
    /// Segments of a store, which are read like files.
    pub stored: Vec<Input>,
    /// How records become events.
    pub normalise: cloudtrail::Options,
    /// How far reading goes.
    pub limits: reader::Limits,
    /// The time of reading.
    pub now: Millis,
    /// An event that was delivered several times is given as often.
    pub copies: bool,
}

/// What was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NormalizeReport {
    /// Documents that were made.
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

/// Gives the document of every record to `take`, in the order of the files, until that says stop. Documents that
/// are ECS already are given as they are.
pub fn normalize(
    options: &NormalizeOptions,
    stdin: &mut dyn Read,
    progress: &Progress,
    take: &mut (dyn FnMut(Document) -> bool + Send),
) -> Result<NormalizeReport, HuntError> {
    let discovery =
        Discovery::with_stored(&options.paths, &options.stored, stdin).map_err(HuntError::Paths)?;
    progress.enter(Stage::Scanning);
    let read = reader::Options { limits: options.limits.clone(), ..reader::Options::default() };
    let shared: Take<'_> = std::sync::Mutex::new(take);
    let make = || Normalizing {
        builder: DocumentBuilder::new(&options.normalise, options.now),
        take: &shared,
        stopped: false,
        documents: 0,
        copies: (!options.copies).then(Copies::default),
        troubles: Troubles::default(),
    };
    // One thread: the documents come in the order of the files.
    let (visitors, _) = scan(&Which::All(&discovery.inputs), &read, 1, progress, make);
    let mut report = NormalizeReport::default();
    let mut troubles = Troubles::of_paths(&discovery.failures);
    for visitor in visitors {
        report.documents += visitor.documents;
        report.copies += visitor.copies.map_or(0, |it| it.count);
        troubles.merge(visitor.troubles);
    }
    let name = |input: u32| discovery.inputs.get(input as usize).map_or("", |it| it.name()).to_owned();
    report.loss_count = troubles.losses();
    (report.troubles, report.trouble_count) = troubles.finish(name);
    report.notices = discovery.notices.iter().map(ToString::to_string).collect();
    Ok(report)
}

/// Why a record became a document that says little else: an unreadable one is kept, and told of nevertheless.
pub(crate) fn failure(document: &Document) -> Option<String> {
    if document.source.get("event")?.get("kind")? != "pipeline_error" {
        return None;
    }
    let message = document.source.get("error")?.get("message")?;
    message.as_str().or_else(|| message.get(0)?.as_str()).map(str::to_owned)
}

/// Where documents go, one thread at a time.
pub(crate) type Take<'f> = std::sync::Mutex<&'f mut (dyn FnMut(Document) -> bool + Send + 'f)>;

struct Normalizing<'a, 'f> {
    builder: DocumentBuilder,
    take: &'a Take<'f>,
    stopped: bool,
    documents: u64,
    copies: Option<Copies>,
    troubles: Troubles,
}

impl Visit for Normalizing<'_, '_> {
    fn is_done(&self) -> bool {
        self.stopped
    }

    fn record(&mut self, record: RawRecord<'_>) {
        if self.stopped {
            return;
        }
        match record.document(&mut self.builder) {
            Ok(document) => {
                self.documents += 1;
                if let Some(text) = failure(&document) {
                    self.troubles.of_record(&record, &RecordError::Failed(text));
                }
                if self.copies.as_mut().is_some_and(|it| it.is_copy(&document)) {
                    return;
                }
                let mut take = self.take.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                self.stopped = !take(document);
            }
            Err(error) => self.troubles.of_record(&record, &error),
        }
    }

    fn problem(&mut self, problem: reader::Problem) {
        self.troubles.of_reader(&problem);
    }
}
