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
