//! Reads an input: through archives and compression down to records.

use std::collections::BTreeMap;

use json::Tokens;

use crate::meter::Meter;
use crate::open::OpenSpace;
use crate::{Cause, Input, Options, Other, Problem, Progress, Sink, TextPlace, Totals};

/// Reads inputs, one after the other. Holds the space that reading takes, so each thread keeps one.
#[derive(Default)]
pub struct Reader {
    options: Options,
    space: Space,
}

/// Buffers that serve one input after the other.
#[derive(Default)]
pub(crate) struct Space {
    pub(crate) packed: Vec<u8>,
    pub(crate) unpacked: Vec<u8>,
    pub(crate) window: Vec<u8>,
    pub(crate) decompressor: Option<libdeflater::Decompressor>,
    pub(crate) open: OpenSpace,
    pub(crate) tokens: Tokens,
}

impl Reader {
    /// A reader that works like this.
    pub fn new(options: Options) -> Self {
        Self { options, space: Space::default() }
    }

    /// Gives every record of the input to the sink, and every problem. Never fails as a whole: what cannot be
    /// read is a problem like any other.
    pub fn read(&mut self, input: &Input, sink: &mut dyn Sink) -> Totals {
        self.run(input, None, sink)
    }

    /// Reads the input again and gives the records with these ordinals to the sink; `ordinals` is strictly
    /// ascending. Stops behind the last one. Problems were told by the first reading and are not told again,
    /// except that a record is gone.
    pub fn read_at(&mut self, input: &Input, ordinals: &[u64], sink: &mut dyn Sink) -> Totals {
        debug_assert!(ordinals.is_sorted_by(|a, b| a < b), "`ordinals` must be strictly ascending");
        if ordinals.is_empty() {
            return Totals::default();
        }
        self.run(input, Some(ordinals), sink)
    }

    fn run(&mut self, input: &Input, wanted: Option<&[u64]>, sink: &mut dyn Sink) -> Totals {
        let meter = Meter::default();
        let mut run = Run {
            input,
            options: &self.options,
            meter: &meter,
            sink,
            wanted,
            member: None,
            failure: None,
            ordinal: 0,
            totals: Totals::default(),
            others: BTreeMap::new(),
            record_problems: 0,
            other_problems: 0,
            reported_bytes: 0,
            told_text: false,
        };
        // Break means that the sink or `wanted` has enough, which is as good an end as any.
        _ = match input.segment() {
            Some(segment) => run.segment(segment),
            None => run.file(&mut self.space),
        };
        run.finish()
    }
}

/// One reading of one input.
pub(crate) struct Run<'r> {
    pub(crate) input: &'r Input,
    pub(crate) options: &'r Options,
    pub(crate) meter: &'r Meter,
    pub(crate) sink: &'r mut dyn Sink,
    /// The ordinals that are asked for and were not met yet, if not all are.
    pub(crate) wanted: Option<&'r [u64]>,
    pub(crate) member: Option<String>,
    /// What ended the text of the last member early.
    pub(crate) failure: Option<Cause>,
    pub(crate) ordinal: u64,
    pub(crate) totals: Totals,
    /// What was seen in the text so far that is known and no record: how often, and where first.
    pub(crate) others: BTreeMap<Other, (u64, TextPlace)>,
    pub(crate) record_problems: u64,
    pub(crate) other_problems: u64,
    /// How much of the file was reported as progress.
    pub(crate) reported_bytes: u64,
    /// Whether the file or member that is read gave a text, with its hash.
    pub(crate) told_text: bool,
}

impl Run<'_> {
    /// Reports a problem, unless there were too many.
    pub(crate) fn problem(&mut self, place: Option<TextPlace>, cause: Cause) {
        if self.wanted.is_some() {
            return;
        }
        self.totals.problems += 1;
        self.totals.losses += u64::from(cause.is_loss());
        // Whole files and single records are counted apart, so that neither hides the other.
        let of_a_record = cause.is_of_a_record();
        let told = if of_a_record { &mut self.record_problems } else { &mut self.other_problems };
        *told += 1;
        if *told <= self.options.limits.problems {
            self.tell(place, cause);
        }
    }

    fn tell(&mut self, place: Option<TextPlace>, cause: Cause) {
        self.sink.problem(Problem {
            input: self.input.id,
            name: self.input.name().to_owned(),
            member: self.member.clone(),
            place,
            cause,
        });
    }

    pub(crate) fn progress(&mut self, text_bytes: u64) {
        self.totals.text_bytes += text_bytes;
        let stored = self.meter.stored.get();
        let read_bytes = stored.saturating_sub(self.reported_bytes);
        self.reported_bytes = stored;
        self.sink.progress(Progress { read_bytes, text_bytes });
    }

    fn finish(mut self) -> Totals {
        self.progress(0);
        self.totals.read_bytes = self.meter.stored.get();
        let limit = self.options.limits.problems;
        let more = self.record_problems.saturating_sub(limit) + self.other_problems.saturating_sub(limit);
        self.member = None;
        if more > 0 {
            self.tell(None, Cause::More { count: more });
        }
        if let Some(missing) = self.wanted.map(<[u64]>::len).filter(|&missing| missing > 0) {
            self.totals.problems += 1;
            self.totals.losses += 1;
            self.tell(None, Cause::Changed { missing: missing as u64 });
        }
        self.totals
    }
}
