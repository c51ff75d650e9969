//! The calls that say what trails record, noted in the pass: when they made a trail blind.

use std::iter::once;

use complete::{BlindRange, Call, Gaps, Hours, blind_ranges, gaps};
use detect::Origin;
use ecs::Millis;
use identity::WhoBuf;
use reader::{Delivery, Input};
use sift::{DocumentBuilder, Event, Filter};

use crate::evidence::Evidence;

/// So many such calls are looked at: the first.
pub const WATCHED_CALLS_MAX: usize = 10_000;

/// A file that is named by the minute says so within this.
const NAMED_BY_THE_MINUTE_MS: Millis = 60_000;

/// What the pass of a hunt tells about what could not have been seen. `verify` tells more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completeness {
    /// When trails did not record, or recorded less.
    pub blind: Blind,
    /// Times without a delivered file, by the names of files; nothing if those do not tell.
    pub gaps: Option<Gaps>,
    /// Digest files among the files.
    pub digest_files: u64,
}

/// When trails did not record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Blind {
    /// The times.
    pub ranges: Vec<BlindRange>,
    /// There are more than [`WATCHED_CALLS_MAX`] calls that say so, and those after them were not looked at.
    pub is_over: bool,
}

/// The filter of the calls.
pub(crate) fn filter() -> Filter {
    Filter { expr: complete::filter(), needs: Vec::new() }
}

/// The calls that were met.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    /// The number of the filter.
    pub(crate) filter: usize,
    noted: Vec<Noted>,
    is_over: bool,
}

/// A call that was met, by the order of events.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Noted {
    time: Millis,
    id: String,
    input: u32,
    ordinal: u64,
}

impl Watch {
    pub(crate) fn new(filter: usize) -> Self {
        Self { filter, ..Self::default() }
    }

    /// Takes an event that the filter matches.
    pub(crate) fn take(&mut self, event: &Event<'_>) {
        let Origin { input, ordinal } = event.origin;
        self.noted.push(Noted { time: event.timestamp, id: event.id.to_owned(), input, ordinal });
        if self.noted.len() > 2 * WATCHED_CALLS_MAX {
            self.cut();
        }
    }

    /// Adds those of another thread.
    pub(crate) fn merge(&mut self, other: Self) {
        self.noted.extend(other.noted);
        self.is_over |= other.is_over;
        self.cut();
    }

    /// Each event once, and the first of them: the same whatever came first.
    fn cut(&mut self) {
        self.noted.sort_unstable();
        self.noted.dedup_by(|a, b| (a.time, &a.id) == (b.time, &b.id));
        self.is_over |= self.noted.len() > WATCHED_CALLS_MAX;
        self.noted.truncate(WATCHED_CALLS_MAX);
    }

    /// Where their records are.
    pub(crate) fn origins(&mut self) -> Vec<Origin> {
        self.cut();
        self.noted.iter().map(|it| Origin { input: it.input, ordinal: it.ordinal }).collect()
    }

    /// The times in which trails were blind, by the calls' documents.
    pub(crate) fn finish(
        mut self,
        evidence: &Evidence,
        normalise: &cloudtrail::Options,
        now: Millis,
    ) -> Blind {
        self.cut();
        let mut builder = DocumentBuilder::new(normalise, now);
        let mut calls: Vec<Call> = Vec::new();
        let mut left = &self.noted[..];
        while !left.is_empty() {
            let origin = |it: &Noted| Origin { input: it.input, ordinal: it.ordinal };
            let window = evidence.window(&left.iter().map(|it| once(origin(it))));
            let (these, later) = left.split_at(window.len.clamp(1, left.len()));
            for it in these {
                // What cannot be read any more was reported.
                let built = evidence.record(origin(it), &window).and_then(|it| builder.build(&it).ok());
                let Some(built) = built else { continue };
                let who = WhoBuf::of(&built.source);
                calls.extend(complete::call(&it.id, it.time, &who.who().name(), &built.source));
            }
            left = later;
        }
        Blind { ranges: blind_ranges(calls), is_over: self.is_over }
    }
}

/// Times without a delivered file, and how many digest files there are.
pub(crate) fn deliveries(inputs: &[Input]) -> (Option<Gaps>, u64) {
    let mut hours = Hours::default();
    let mut digests = 0;
    for (input, key) in inputs.iter().filter_map(|it| Some((it, it.s3.as_ref()?))) {
        match key.delivery {
            Delivery::Trail => {}
            Delivery::Insight => continue,
            Delivery::Digest => {
                // Beside them may lie what S3 says of them.
                digests += u64::from(complete::file_name(input.name()).matches('.').count() <= 1);
                continue;
            }
        }
        // A folder tells only the day.
        let is_exact = key.delivered_to_ms - key.delivered_from_ms < NAMED_BY_THE_MINUTE_MS;
        if let (Some(account), Some(region), true) = (&key.account, &key.region, is_exact) {
            hours.add(account, region, key.delivered_from_ms, 1);
        }
    }
    ((!hours.is_empty()).then(|| gaps(&hours)), digests)
}
