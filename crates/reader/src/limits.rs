//! How far a reader goes, and as what it takes the objects it finds.

/// What the objects of a file are taken for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reading {
    /// Records of an audit trail: envelopes and wrappers are opened, and each object is classified.
    #[default]
    Trail,
    /// Documents: each line and each element of an array is one, whatever it holds. Only a search hit
    /// (`_source` with `_id`, `_index`) is opened.
    Plain,
}

/// How a [`Reader`](crate::Reader) works.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// What the objects are taken for.
    pub mode: Reading,
    /// How far it goes.
    pub limits: Limits,
    /// Records come without their tokens: for whoever parses few of them.
    pub without_tokens: bool,
    /// Texts are told with their hashes ([`Sink::text`](crate::Sink::text)).
    pub hashes: bool,
}

/// Every limit of reading one input. Memory depends on these, never on the size of the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest record, in bytes, with what is wrapped around it.
    pub record_bytes: usize,
    /// How many brackets deep a record may nest.
    pub depth: u32,
    /// How many envelopes may stand around a record, one in the other, beside that of the file. A record in an SNS
    /// message in an SQS message in a search hit is in four.
    pub wrappers: u32,
    /// How many bytes an input may give for each of its own, once it gave [`Limits::ratio_free_bytes`].
    /// Deflate itself ends at 1,032.
    pub ratio: u64,
    /// How many bytes an input may give before [`Limits::ratio`] is asked.
    pub ratio_free_bytes: u64,
    /// How many decompressed bytes an input may give in all.
    pub decompressed_bytes: u64,
    /// How many members of an archive are read.
    pub members: u64,
    /// How many problems of one input are reported one by one; the rest is counted.
    pub problems: u64,
    /// The largest gzip file that is decompressed in one piece, in its own bytes: the fast way.
    pub whole_gzip_bytes: usize,
    /// The largest text that is decompressed in one piece.
    pub whole_text_bytes: usize,
    /// How much memory an XZ file may ask for: its writer decides how far back it looks.
    pub xz_memory_bytes: u64,
    /// The longest text of a kind that is wanted whole beside its records: digest files of trails and their metadata.
    pub kept_text_bytes: usize,
    /// How many bytes of an input too big for that are read at a time.
    pub window_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            record_bytes: 16 << 20,
            depth: 128,
            wrappers: 8,
            ratio: 1000,
            ratio_free_bytes: 64 << 20,
            decompressed_bytes: 64 << 30,
            members: 1_000_000,
            problems: 20,
            whole_gzip_bytes: 16 << 20,
            whole_text_bytes: 64 << 20,
            xz_memory_bytes: 256 << 20,
            kept_text_bytes: 32 << 20,
            window_bytes: 512 << 10,
        }
    }
}
