//! What can be wrong with an input.

use std::fmt;

use crate::{Other, RemoteError};

/// Something that could not be read: where, what and why. Everything around it is read nevertheless.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Which input, as discovery numbered it.
    pub input: u32,
    /// The input's name.
    pub name: String,
    /// The member of the archive.
    pub member: Option<String>,
    /// Where in the decompressed text.
    pub place: Option<TextPlace>,
    /// What is wrong.
    pub cause: Cause,
}

/// A place in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextPlace {
    /// Bytes before it.
    pub offset: u64,
    /// The line, from 1 on.
    pub line: u64,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Cause {
    /// The operating system refused.
    #[error("cannot be opened or read: {detail}")]
    Unreadable {
        /// What it said.
        detail: String,
    },
    /// It lies elsewhere, and cannot be had, or not to its end.
    #[error("{0}")]
    Remote(RemoteError),
    /// There is nothing but white space.
    #[error("the file is empty")]
    Empty,
    /// The compressed data stops early.
    #[error("the compressed data is cut off; the records before the cut were read")]
    Truncated,
    /// The compressed data or the archive is damaged.
    #[error("the compressed data is damaged ({detail}); the records before the damage were read")]
    Damaged {
        /// What the decompressor said.
        detail: String,
    },
    /// A decompression bomb, or a limit set too low.
    #[error("gives more than {ratio} bytes for each compressed one; the rest was not read")]
    Ratio {
        /// The limit.
        ratio: u64,
    },
    /// More text than one input may give.
    #[error("gives more than {limit} bytes of text; the rest was not read")]
    TooBig {
        /// The limit.
        limit: u64,
    },
    /// More members than an archive may have.
    #[error("the archive has more than {limit} members; the rest was not read")]
    TooManyMembers {
        /// The limit.
        limit: u64,
    },
    /// An archive in an archive, or compression upon compression.
    #[error("an archive or compressed file inside another one is opened only once")]
    Nested,
    /// A member that needs a password or an unknown method.
    #[error("this member of the archive cannot be unpacked: {detail}")]
    Member {
        /// What the archive reader said.
        detail: String,
    },
    /// UTF-16, as PowerShell writes it.
    #[error("the text is UTF-16, not UTF-8")]
    Utf16,
    /// Not text at all.
    #[error("this is a binary file, not JSON")]
    Binary,
    /// Text that is not JSON.
    #[error("this is not JSON; {} skipped", bytes_were(*.skipped))]
    NotJson {
        /// How many bytes until something readable came.
        skipped: u64,
    },
    /// A value that is no object, and no text of one.
    #[error("a record must be an object, and this value is none")]
    NotAnObject,
    /// Broken JSON.
    #[error("the JSON is broken here; the record was lost, {} skipped", bytes_were(*.skipped))]
    Broken {
        /// How many bytes from the start of the record to the next one.
        skipped: u64,
    },
    /// The text stops inside a record.
    #[error("the text ends inside a record or array; the records before it were read")]
    Unfinished,
    /// Records where nobody looks for them.
    #[error(
        "what looks like records stands beside the records of its file; these {skipped} bytes were not read"
    )]
    Beside {
        /// How long the value is that holds them.
        skipped: u64,
    },
    /// Objects that are known, and no records.
    #[error("holds {} ({count}), which are no records of CloudTrail", other.what)]
    Other {
        /// What they are.
        other: Other,
        /// How many.
        count: u64,
    },
    /// A file that is known, and holds no records or none that are read.
    #[error("these are {}, which are not read", other.what)]
    OtherFile {
        /// What it holds.
        other: Other,
    },
    /// Objects of no known kind, where others are records.
    #[error("{} of no known kind {} beside the records that are wrapped in here", if *.count == 1 { "1 object".to_owned() } else { format!("{count} objects") }, if *.count == 1 { "stands" } else { "stand" })]
    Strangers {
        /// How many.
        count: u64,
    },
    /// A row of a table over the limit.
    #[error(
        "a row of the table is longer than {limit} bytes, and the rest was not read: a quote may be missing"
    )]
    Row {
        /// The limit.
        limit: usize,
    },
    /// Rows of a table, where others hold records.
    #[error("{} no record", if *.count == 1 { "1 row of the table holds".to_owned() } else { format!("{count} rows of the table hold") })]
    Rows {
        /// How many.
        count: u64,
    },
    /// What is wrapped around records is broken.
    #[error("what holds the records in here is broken or cut off; the records before that were read")]
    BrokenInside,
    /// More is wrapped around a record than is opened.
    #[error("is wrapped more than {limit} times; what is inside was not looked at")]
    Wrapped {
        /// The limit.
        limit: u32,
    },
    /// A record over the limit.
    #[error("the record is longer than {limit} bytes; {} skipped", bytes_were(*.skipped))]
    TooLong {
        /// The limit.
        limit: usize,
        /// Its length, as far as it could be told.
        skipped: u64,
    },
    /// A record over the limit.
    #[error("the record nests deeper than {limit} levels; {} skipped", bytes_were(*.skipped))]
    TooDeep {
        /// The limit.
        limit: u32,
        /// Its length, as far as it could be told.
        skipped: u64,
    },
    /// Bytes that are no UTF-8.
    #[error("the record is not valid UTF-8 here; it was skipped")]
    InvalidUtf8,
    /// Too many problems to show.
    #[error("{count} more {} not shown", if *.count == 1 { "problem in this input is" } else { "problems in this input are" })]
    More {
        /// How many.
        count: u64,
    },
    /// A segment of a store that is not as it was written.
    #[error("this segment of the store cannot be read: {detail}; the records before that were read")]
    Segment {
        /// What is wrong with it.
        detail: String,
    },
    /// A Parquet file that is damaged, or made in a way that is not known.
    #[error("this Parquet file cannot be read: {detail}; the rows before that were read")]
    Parquet {
        /// What its decoder said.
        detail: String,
    },
    /// A second reading found less than the first.
    #[error("{missing} {} gone", if *.missing == 1 { "record that was read before is" } else { "records that were read before are" })]
    Changed {
        /// How many.
        missing: u64,
    },
}

impl Cause {
    /// A stable code for documentation and tests. Codes are never reused.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "READ001",
            Self::Remote(error) => error.code,
            Self::Empty => "READ002",
            Self::Truncated => "READ003",
            Self::Damaged { .. } => "READ004",
            Self::Ratio { .. } => "READ005",
            Self::TooBig { .. } => "READ006",
            Self::TooManyMembers { .. } => "READ007",
            Self::Nested => "READ008",
            Self::Member { .. } => "READ009",
            Self::Utf16 => "READ010",
            Self::Binary => "READ011",
            Self::NotJson { .. } => "READ012",
            Self::NotAnObject => "READ013",
            Self::Broken { .. } => "READ014",
            Self::Unfinished => "READ015",
            Self::TooLong { .. } => "READ016",
            Self::TooDeep { .. } => "READ017",
            Self::InvalidUtf8 => "READ018",
            Self::More { .. } => "READ019",
            Self::Changed { .. } => "READ020",
            Self::Beside { .. } => "READ021",
            Self::Other { .. } => "READ022",
            Self::OtherFile { .. } => "READ023",
            Self::Strangers { .. } => "READ024",
            Self::BrokenInside => "READ025",
            Self::Wrapped { .. } => "READ026",
            Self::Rows { .. } => "READ027",
            Self::Row { .. } => "READ028",
            Self::Segment { .. } => "READ029",
            Self::Parquet { .. } => "READ030",
        }
    }

    /// What the user can do about it.
    pub fn advice(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "check that the file exists and that you may read it",
            Self::Remote(error) => error.advice,
            Self::Empty => "check whether the download was complete",
            Self::Truncated | Self::Damaged { .. } | Self::Unfinished | Self::Parquet { .. } => {
                "fetch the file again"
            }
            Self::Ratio { .. } | Self::TooBig { .. } | Self::TooManyMembers { .. } => {
                "if the file is genuine, raise the limit"
            }
            Self::Nested => "unpack it first and give the folder",
            Self::Member { .. } => "unpack the archive first and give the folder",
            Self::Utf16 => "convert it to UTF-8, for example with `iconv -f UTF-16 -t UTF-8`",
            Self::Binary | Self::NotJson { .. } => "leave it out, or give the JSON it was made from",
            Self::NotAnObject => "give an array of objects, or one object a line",
            Self::Other { other, .. } | Self::OtherFile { other } => other.advice,
            Self::Strangers { .. } | Self::Rows { .. } => "look at them by hand",
            Self::BrokenInside => "whoever wrapped it may have cut it: compare it with the original delivery",
            Self::Wrapped { .. } => "unwrap it first, for example with `jq`",
            Self::Broken { .. } | Self::InvalidUtf8 => "compare the record with the original delivery",
            Self::Beside { .. } => "give them in a file of their own",
            Self::TooLong { .. } | Self::Row { .. } => "if it is genuine, raise the limit",
            Self::TooDeep { .. } => "no event nests like this: look at the record by hand",
            Self::More { .. } => "mend those shown first, or raise the number shown",
            Self::Segment { .. } => {
                "`trailwarden store check` says what else is wrong; take its records in again"
            }
            Self::Changed { .. } => "leave the files as they are while they are read",
        }
    }

    /// Whether records may be lost by it. What is known to hold none costs nothing.
    pub fn is_loss(&self) -> bool {
        match self {
            Self::Other { other, .. } | Self::OtherFile { other } => other.may_hold_records,
            // They were counted one by one.
            Self::More { .. } => false,
            Self::Unreadable { .. }
            | Self::Remote(_)
            | Self::Empty
            | Self::Truncated
            | Self::Damaged { .. }
            | Self::Ratio { .. }
            | Self::TooBig { .. }
            | Self::TooManyMembers { .. }
            | Self::Nested
            | Self::Member { .. }
            | Self::Utf16
            | Self::Binary
            | Self::NotJson { .. }
            | Self::NotAnObject
            | Self::Broken { .. }
            | Self::Unfinished
            | Self::Beside { .. }
            | Self::Strangers { .. }
            | Self::Rows { .. }
            | Self::Row { .. }
            | Self::BrokenInside
            | Self::Wrapped { .. }
            | Self::TooLong { .. }
            | Self::TooDeep { .. }
            | Self::InvalidUtf8
            | Self::Segment { .. }
            | Self::Parquet { .. }
            | Self::Changed { .. } => true,
        }
    }

    /// Whether it concerns one record and not a whole file or member.
    pub(crate) fn is_of_a_record(&self) -> bool {
        match self {
            Self::NotJson { .. }
            | Self::NotAnObject
            | Self::Broken { .. }
            | Self::Beside { .. }
            | Self::Other { .. }
            | Self::Strangers { .. }
            | Self::Rows { .. }
            | Self::BrokenInside
            | Self::Wrapped { .. }
            | Self::TooLong { .. }
            | Self::TooDeep { .. }
            | Self::InvalidUtf8 => true,
            Self::Unreadable { .. }
            | Self::Remote(_)
            | Self::OtherFile { .. }
            | Self::Row { .. }
            | Self::Empty
            | Self::Truncated
            | Self::Damaged { .. }
            | Self::Ratio { .. }
            | Self::TooBig { .. }
            | Self::TooManyMembers { .. }
            | Self::Nested
            | Self::Member { .. }
            | Self::Utf16
            | Self::Binary
            | Self::Unfinished
            | Self::More { .. }
            | Self::Segment { .. }
            | Self::Parquet { .. }
            | Self::Changed { .. } => false,
        }
    }
}

/// So many bytes as the beginning of a sentence about them.
fn bytes_were(count: u64) -> String {
    if count == 1 { "1 byte was".to_owned() } else { format!("{count} bytes were") }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.cause.code(), self.name)?;
        if let Some(member) = &self.member {
            write!(f, " ({member})")?;
        }
        if let Some(place) = self.place {
            write!(f, ", line {}, byte {}", place.line, place.offset)?;
        }
        write!(f, ": {}; {}", self.cause, self.cause.advice())
    }
}
