//! What became of the records, and what was left undone for them.

use ecs::Millis;
use exec::Stats;

/// What became of the records. Once everything is flushed, `matched`, `unmatched`, `unreadable` and `unread` add up to
/// `records`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Records that were given.
    pub records: u64,
    /// Those that some filter matches; an event that was delivered twice is counted twice here, for the pass knows no
    /// other records than the one at hand.
    pub matched: u64,
    /// Those that none does.
    pub unmatched: u64,
    /// Those that cannot be read.
    pub unreadable: u64,
    /// Those that no filter can match by their bytes alone: nobody looked whether the rest of them can be read.
    pub unread: u64,
    /// Of the unmatched ones, documents without any field that was asked for: they may be of a kind that no filter is
    /// meant for.
    pub blind: u64,
}

impl Counts {
    fn merge(&mut self, other: Self) {
        let Self { records, matched, unmatched, unreadable, unread, blind } = other;
        self.records += records;
        self.matched += matched;
        self.unmatched += unmatched;
        self.unreadable += unreadable;
        self.unread += unread;
        self.blind += blind;
    }
}

/// How much work was left out, by what left it out: more is better. Has no influence on what is found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Records that were not parsed.
    pub unparsed: u64,
    /// Records that became no row because of their call,
    pub hopeless: u64,
    /// or because no guard let them pass.
    pub guarded: u64,
    /// Columns of rows that stayed empty because their filters are not about the row's call.
    pub empty_columns: u64,
    /// Rows whose late columns nobody had to fill,
    pub never_late: u64,
    /// and those where they were filled.
    pub filled_late: u64,
    /// Records that came by their columns. Some of them are hopeless or guarded,
    pub stored: u64,
    /// and some were fetched nevertheless: fewer are better;
    pub fetched: u64,
    /// these had so many bytes.
    pub fetched_bytes: u64,
    /// What evaluating the filters took: see exec's gates.
    pub exec: Stats,
}

impl LeftOut {
    fn merge(&mut self, other: &Self) {
        let Self {
            unparsed,
            hopeless,
            guarded,
            empty_columns,
            never_late,
            filled_late,
            stored,
            fetched,
            fetched_bytes,
            exec,
        } = other;
        self.unparsed += unparsed;
        self.hopeless += hopeless;
        self.guarded += guarded;
        self.empty_columns += empty_columns;
        self.never_late += never_late;
        self.filled_late += filled_late;
        self.stored += stored;
        self.fetched += fetched;
        self.fetched_bytes += fetched_bytes;
        self.exec.merge(exec);
    }
}

/// What a worker saw of the data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// What became of the records.
    pub counts: Counts,
    /// The times of the first and the last event. A CloudTrail record that is not read counts if its bytes tell the time,
    /// whether it was skipped or cannot be read: so the span does not depend on the filters.
    pub span: Option<(Millis, Millis)>,
    /// Events without a time of their own, or with that of reading, which stands for none.
    pub undated: u64,
    /// Whether any event belongs to the index of CloudTrail's records.
    pub cloudtrail: bool,
    /// What was left undone.
    pub left_out: LeftOut,
}

impl Seen {
    /// Notes that there was an event at this time.
    pub(crate) fn see(&mut self, time: Millis) {
        let (first, last) = self.span.unwrap_or((time, time));
        self.span = Some((first.min(time), last.max(time)));
    }

    /// Adds what another worker saw.
    pub fn merge(&mut self, other: &Self) {
        self.counts.merge(other.counts);
        self.undated += other.undated;
        self.cloudtrail |= other.cloudtrail;
        self.left_out.merge(&other.left_out);
        for time in other.span.into_iter().flat_map(|(first, last)| [first, last]) {
            self.see(time);
        }
    }
}
