//! The event of an id, by the texts of records: only those that hold it are parsed.

use std::collections::BTreeMap;
use std::path::PathBuf;

use ecs::Millis;
use memchr::memmem::Finder;
use reader::{Discovery, Input};
use serde_json::Value;
use sift::{Document, DocumentBuilder};

use crate::run::HuntError;
use crate::scan::{RawRecord, Visit, Which, scan};
use crate::trouble::Troubles;
use crate::{Progress, Stage};

/// Ids that begin alike and are named.
pub(crate) const ALIKE_NAMED: usize = 4;

/// How to read.
#[derive(Clone, Copy, Debug)]
pub struct Reading<'a> {
    /// How records become events.
    pub normalise: &'a cloudtrail::Options,
    /// How far reading goes.
    pub limits: &'a reader::Limits,
    /// Threads. Has no influence on what is found.
    pub threads: usize,
    /// The time of reading.
    pub now: Millis,
}

/// The first event with an id, or with the only id that begins so, in files and segments of a store.
pub fn find_event(
    paths: &[PathBuf],
    stored: &[Input],
    event_id: &str,
    reading: &Reading<'_>,
    progress: &Progress,
) -> Result<Option<Document>, HuntError> {
    let discovery = Discovery::with_stored(paths, stored, &mut std::io::empty()).map_err(HuntError::Paths)?;
    let (found, _) = find(event_id, &discovery, reading, progress)?;
    Ok(found.into_iter().next().map(|(_, it)| it))
}

/// The events with an id, or with the only id that begins so, in the order of their places.
pub(crate) fn find(
    event_id: &str,
    discovery: &Discovery,
    reading: &Reading<'_>,
    progress: &Progress,
) -> Result<(Vec<Located>, Troubles), HuntError> {
    progress.enter(Stage::Scanning);
    let read = reader::Options { limits: reading.limits.clone(), ..reader::Options::default() };
    let make = |everywhere: bool| Search {
        event_id,
        finder: (!everywhere).then(|| Finder::new(event_id.as_bytes())),
        builder: DocumentBuilder::new(reading.normalise, reading.now),
        found: Vec::new(),
        alike: BTreeMap::new(),
        troubles: Troubles::default(),
    };
    let (mut found, mut alike, mut troubles) = (Vec::new(), Alike::new(), Troubles::default());
    // An id need not stand in a record as it is: it may be escaped, or made from the record where that has none.
    for everywhere in [false, true] {
        let make = || make(everywhere);
        troubles = Troubles::of_paths(&discovery.failures);
        let (visitors, _) = scan(&Which::All(&discovery.inputs), &read, reading.threads, progress, make);
        for visitor in visitors {
            found.extend(visitor.found);
            visitor.alike.into_values().flatten().for_each(|it| keep(&mut alike, it));
            troubles.merge(visitor.troubles);
        }
        if !found.is_empty() || !alike.is_empty() {
            break;
        }
    }
    if found.is_empty() && alike.len() > 1 {
        let ids = alike.into_keys().collect();
        return Err(HuntError::SeveralEvents { id: event_id.to_owned(), ids });
    }
    if found.is_empty() {
        found.extend(alike.into_values().flatten());
    }
    found.sort_by_key(|(at, _)| *at);
    found.dedup_by(|(_, a), (_, b)| a == b);
    Ok((found, troubles))
}

/// An ECS document may have an `_id` of its own.
fn is_named(document: &Document, event_id: &str) -> bool {
    ecs::document::lookup(&document.source, "event.id").and_then(Value::as_str) == Some(event_id)
}

/// One thread's search for an id.
struct Search<'a> {
    event_id: &'a str,
    /// Only records that hold the id's text are parsed; without it, all.
    finder: Option<Finder<'a>>,
    builder: DocumentBuilder,
    found: Vec<Located>,
    alike: Alike,
    troubles: Troubles,
}

/// A document with its place.
pub(crate) type Located = ((u32, u64), Document);

/// Documents whose ids begin as asked for, by these: the first ids, whatever the order of records.
type Alike = BTreeMap<String, Vec<Located>>;

fn keep(alike: &mut Alike, it: Located) {
    alike.entry(it.1.id.clone()).or_default().push(it);
    if alike.len() > ALIKE_NAMED {
        alike.pop_last();
    }
}

impl Visit for Search<'_> {
    fn record(&mut self, record: RawRecord<'_>) {
        let passed_over = |finder: &Finder<'_>| {
            !record.id.is_some_and(|it| it.starts_with(self.event_id))
                && finder.find(record.text.as_bytes()).is_none()
        };
        if self.finder.as_ref().is_some_and(passed_over) {
            return;
        }
        match record.document(&mut self.builder) {
            Ok(document) if document.id == self.event_id || is_named(&document, self.event_id) => {
                self.found.push(((record.input, record.ordinal), document));
            }
            Ok(document) if document.id.starts_with(self.event_id) => {
                keep(&mut self.alike, ((record.input, record.ordinal), document));
            }
            Ok(_) => {}
            Err(error) => self.troubles.of_record(&record, &error),
        }
    }

    fn problem(&mut self, problem: reader::Problem) {
        self.troubles.of_reader(&problem);
    }
}
