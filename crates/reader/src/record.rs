//! What reading gives.

use std::ops::ControlFlow;

use json::Tokens;

use crate::Problem;

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordKind {
    /// A CloudTrail record as AWS wrote it: an event, an Insights event or a digest. One that a shipper parsed and
    /// decorated (`@timestamp`, `@version`) is still one.
    CloudTrail,
    /// An ECS or other Elasticsearch document, or any object in [`Reading::Plain`](crate::Reading::Plain).
    Document,
    /// None of these. The caller says so to the user: nothing is dropped silently.
    Other,
}

/// One record, while the reader stands on it.
#[derive(Debug)]
pub struct Record<'a> {
    /// Which record of the input it is. [`Reader::read_at`](crate::Reader::read_at) finds it again by this number.
    pub ordinal: u64,
    /// Where the object starts in the decompressed text of the file or archive member.
    pub offset: u64,
    /// The member of the archive.
    pub member: Option<&'a str>,
    /// What it is.
    pub kind: RecordKind,
    /// The `_id` of the document, if one stands beside it: what it means, not how it is escaped.
    pub id: Option<&'a str>,
    /// The `_index` of the document, if one stands beside it, likewise.
    pub index: Option<&'a str>,
    /// The JSON text, without what was wrapped around it.
    pub text: &'a str,
    /// The tokens of the text, if they are known: no need to look for them again.
    pub tokens: Option<&'a Tokens>,
}

/// A text that was read: a file, or a member of an archive, out of its compression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileText<'a> {
    /// The member of the archive.
    pub member: Option<&'a str>,
    /// Its bytes, as far as they could be read.
    pub bytes: u64,
    /// Its SHA-256; none of what is no text, or could not be read to its end.
    pub sha256: Option<[u8; 32]>,
    /// All of it, if it begins like a digest file of a trail or like the metadata of one, and is not longer than
    /// [`Limits::kept_text_bytes`](crate::Limits::kept_text_bytes).
    pub kept: Option<&'a [u8]>,
}

/// How much was read since the last report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Bytes of the input as it is stored.
    pub read_bytes: u64,
    /// Bytes of text after decompression.
    pub text_bytes: u64,
}

/// Takes what a [`Reader`](crate::Reader) finds.
pub trait Sink {
    /// A record. [`ControlFlow::Break`] ends the reading of this input.
    fn record(&mut self, record: Record<'_>) -> ControlFlow<()>;

    /// Something that could not be read; reading goes on behind it.
    fn problem(&mut self, problem: Problem);

    /// A text ended, the records of which were given. Only if [`Options::hashes`](crate::Options::hashes) asks for it.
    fn text(&mut self, text: FileText<'_>) {
        let _ = text;
    }

    /// How much was read since the last call.
    fn progress(&mut self, progress: Progress) {
        let _ = progress;
    }
}

/// What reading one input came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Records given to the sink.
    pub records: u64,
    /// Problems, the unreported ones included.
    pub problems: u64,
    /// Those of them that may have cost records: all but what is known to hold none.
    pub losses: u64,
    /// Bytes of the input as it is stored.
    pub read_bytes: u64,
    /// Bytes of text after decompression.
    pub text_bytes: u64,
    /// Members of the archive that were read.
    pub members: u64,
    /// Members of the archive that were passed over for their names (folders do not count).
    pub skipped_members: u64,
}
