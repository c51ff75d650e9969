//! The arguments of `trailwarden store`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum, value_parser};

use crate::args::Limits;

#[derive(Debug, Subcommand)]
pub(crate) enum StoreCommand {
    /// Take the records of files in. What was taken in before is not stored twice, so that a run that was stopped can
    /// simply be started again.
    Add(Add),
    /// What a store holds: events by day, what became of the records, formats.
    Show(Show),
    /// Read all of a store and say what is not as it was written.
    ///
    /// Exit status 1: something is not.
    Check(Show),
    /// Make few segments of many, and give all the columns of this version. `store add` does that by itself where it pays.
    Compact(Compact),
    /// Remove days that are too old, or more than there is room for, and say what went.
    Prune(Prune),
    /// Set segments aside that are not as they were written, so that the rest can be used: nothing is executed, and no day
    /// of theirs added to, while they count. Their files are kept in `damaged/`.
    ///
    /// Exit status 1: there were such.
    Discard(Compact),
    /// Copy a store into an empty folder, while others read it and add to it.
    Backup(Backup),
    /// Copy a backup into an empty folder, and check every byte of it.
    Restore(Restore),
    /// What sources of a server delivered and could not be read: list it, look at it, read it once more, throw it away.
    #[command(subcommand)]
    DeadLetters(DeadLetters),
}

#[derive(Debug, Subcommand)]
pub(crate) enum DeadLetters {
    /// What there is, the newest first: where it came from, when, and why it could not be read.
    List(ListLetters),
    /// Write what one holds to standard output, as it came.
    Contents(Contents),
    /// Read them once more, after the cause was mended: what can be read is stored, the rest stays. While a server has the
    /// store open, ask it: POST /api/v1/sources/NAME/dead-letters/replay.
    ///
    /// Exit status 1: some are left.
    Replay(Replay),
    /// Throw them away, for good.
    Discard(Discard),
}

#[derive(Debug, Args)]
pub(crate) struct ListLetters {
    #[command(flatten)]
    pub(crate) folder: Folder,
    /// Only those of a source.
    #[arg(long, value_name = "NAME")]
    pub(crate) source: Option<String>,
    /// How to print.
    #[arg(long, short, value_enum, default_value_t = StoreFormat::Text)]
    pub(crate) format: StoreFormat,
}

#[derive(Debug, Args)]
pub(crate) struct Contents {
    #[command(flatten)]
    pub(crate) folder: Folder,
    /// Its number.
    #[arg(value_name = "ID")]
    pub(crate) id: u64,
}

#[derive(Debug, Args)]
pub(crate) struct Replay {
    #[command(flatten)]
    pub(crate) folder: Folder,
    /// Their numbers. Default: all.
    #[arg(value_name = "ID")]
    pub(crate) ids: Vec<u64>,
    /// Only those of a source.
    #[arg(long, value_name = "NAME")]
    pub(crate) source: Option<String>,
    #[command(flatten)]
    pub(crate) limits: Limits,
    /// Worker threads. Default: one a core.
    #[arg(long, value_name = "N", value_parser = value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Option<u16>,
    /// The time of taking in. Default: the clock.
    #[arg(long, value_name = "TIME")]
    pub(crate) now: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Discard {
    #[command(flatten)]
    pub(crate) folder: Folder,
    /// Their numbers.
    #[arg(required = true, value_name = "ID")]
    pub(crate) ids: Vec<u64>,
}

/// Which store.
#[derive(Debug, Args)]
pub(crate) struct Folder {
    /// The store's folder.
    #[arg(long = "store", value_name = "DIR")]
    pub(crate) path: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Add {
    #[command(flatten)]
    pub(crate) folder: Folder,
    /// Files, folders (recursive), globs, or `-` for standard input, as `hunt` takes them.
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Also read files that were taken in before as they are: their path, size and time of change are the same.
    #[arg(long)]
    pub(crate) again: bool,
    /// Exit with 2 instead of 3 if a part of the input could not be read.
    #[arg(long)]
    pub(crate) strict: bool,
    #[command(flatten)]
    pub(crate) limits: Limits,
    /// Bytes of records that are read, and held in memory, before they are written and count.
    #[arg(long = "batch-bytes", value_name = "BYTES", default_value_t = 256 << 20, help_heading = "Limits", value_parser = value_parser!(u64).range(1..=1 << 40))]
    pub(crate) batch_bytes: u64,
    /// Worker threads. Default: one a core.
    #[arg(long, value_name = "N", value_parser = value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Option<u16>,
    /// The time of taking in. Default: the clock.
    #[arg(long, value_name = "TIME")]
    pub(crate) now: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    #[command(flatten)]
    pub(crate) folder: Folder,
    /// How to print.
    #[arg(long, short, value_enum, default_value_t = StoreFormat::Text)]
    pub(crate) format: StoreFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum StoreFormat {
    /// For people.
    #[value(alias = "table")]
    Text,
    /// One JSON document.
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct Compact {
    #[command(flatten)]
    pub(crate) folder: Folder,
    /// The time of it. Default: the clock.
    #[arg(long, value_name = "TIME")]
    pub(crate) now: Option<String>,
}

#[derive(Debug, Args)]
#[group(id = "retention", required = true, multiple = true, args = ["older_than", "max_bytes"])]
pub(crate) struct Prune {
    #[command(flatten)]
    pub(crate) folder: Folder,
    /// Remove days that ended longer ago than this, such as `90d`. Events without a time stay.
    #[arg(long, value_name = "AGE")]
    pub(crate) older_than: Option<String>,
    /// Remove the oldest days until the segments have no more bytes than this. The last day stays, and events without a
    /// time.
    #[arg(long, value_name = "BYTES")]
    pub(crate) max_bytes: Option<u64>,
    /// Only say what would go.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// The time of it. Default: the clock.
    #[arg(long, value_name = "TIME")]
    pub(crate) now: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Backup {
    #[command(flatten)]
    pub(crate) folder: Folder,
    /// The folder of the copy; it is a store of its own.
    #[arg(value_name = "DIR")]
    pub(crate) into: PathBuf,
    /// Copy every segment, also where the copy lies on the same disk and could share the files.
    #[arg(long)]
    pub(crate) copy: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Restore {
    #[command(flatten)]
    pub(crate) folder: Folder,
    /// The folder of the backup.
    #[arg(value_name = "DIR")]
    pub(crate) from: PathBuf,
}
