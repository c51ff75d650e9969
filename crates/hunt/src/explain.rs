//! Why an event did or did not match.

use std::io::Read;

use ecs::Catalog;
use memchr::memmem::Finder;
use reader::Discovery;

use crate::events::{Document, DocumentBuilder};
use crate::run::{HuntError, HuntOptions, Refused, prepare};
use crate::scan::{RawRecord, Visit, Which, scan};
use crate::{Progress, Stage};

/// What one rule says of one event.
#[derive(Debug)]
pub struct Verdict {
    /// The rule.
    pub rule: rule::Rule,
    /// Clause by clause.
    pub explanation: plan::Explanation,
}

impl Verdict {
    /// How many of the conditions that must all hold do not: how far the event is from a match.
    pub fn failed(&self) -> usize {
        match (&self.explanation.verdict, self.explanation.clause.as_str()) {
            (true, _) => 0,
            (false, "and") => self.explanation.parts.iter().filter(|it| !it.verdict).count(),
            (false, _) => 1,
        }
    }
}

/// What the rules say of the events with one id.
#[derive(Debug)]
pub struct Explained {
    /// The id.
    pub event_id: String,
    /// Each event with that id, and the rules' verdicts: those that come nearest first.
    pub events: Vec<(Document, Vec<Verdict>)>,
    /// The rules that cannot run.
    pub refused: Vec<Refused>,
}

/// Finds the events with an id and explains what each rule says of them.
pub fn explain(
    options: &HuntOptions,
    event_id: &str,
    stdin: &mut dyn Read,
    progress: &Progress,
) -> Result<Explained, HuntError> {
    let catalog = Catalog::ecs();
    let discovery = Discovery::find(&options.paths, stdin).map_err(HuntError::Paths)?;
    let prepared = prepare(options, &catalog);
    progress.enter(Stage::Scanning);
    let read = reader::Options { mode: reader::Mode::Trail, limits: options.limits.clone() };
    let make = || Search {
        event_id,
        finder: Finder::new(event_id.as_bytes()),
        builder: DocumentBuilder::new(&options.normalise, options.now),
        found: Vec::new(),
    };
    let (visitors, _) = scan(&Which::All(&discovery.inputs), &read, options.threads, progress, make);
    let mut found: Vec<_> = visitors.into_iter().flat_map(|visitor| visitor.found).collect();
    found.sort_by_key(|(at, _)| *at);
    found.dedup_by(|(_, a), (_, b)| a == b);
    let events = found
        .into_iter()
        .map(|(_, document)| {
            let mut searched = document.source.clone();
            searched.insert("_id".to_owned(), document.id.clone().into());
            searched.insert("_index".to_owned(), document.index.clone().into());
            let mut verdicts: Vec<Verdict> = prepared
                .rules
                .iter()
                .zip(&prepared.filters)
                .map(|(rule, filter)| Verdict {
                    rule: rule.clone(),
                    explanation: plan::explain(filter, &searched),
                })
                .collect();
            verdicts.sort_by_key(Verdict::failed);
            (document, verdicts)
        })
        .collect();
    Ok(Explained { event_id: event_id.to_owned(), events, refused: prepared.refused })
}

/// One thread's search for an id. Only records that hold its text are parsed.
struct Search<'a> {
    event_id: &'a str,
    finder: Finder<'a>,
    builder: DocumentBuilder,
    found: Vec<((u32, u64), Document)>,
}

impl Visit for Search<'_> {
    fn record(&mut self, record: RawRecord<'_>) {
        if record.id != Some(self.event_id) && self.finder.find(record.text).is_none() {
            return;
        }
        if let Ok(document) = self.builder.build(&record)
            && document.id == self.event_id
        {
            self.found.push(((record.input, record.ordinal), document));
        }
    }

    fn problem(&mut self, _: reader::Problem) {
        // Explaining is about one event; a hunt reports what cannot be read.
    }
}
