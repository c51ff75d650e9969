//! The arguments of `trailwarden notify`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::serve_args::Configuration;
use crate::store_args::StoreFormat;

#[derive(Debug, Subcommand)]
pub(crate) enum Notify {
    /// Send a test to a receiver of the configuration, or to all, and print what each answered. The server need not run.
    ///
    /// Exit status 1: one was not told.
    Test(Test),
    /// Who is told: what was sent, what waits and since when, what went wrong last.
    List(List),
    /// Messages that could not be delivered, with why.
    Dead(Messages),
    /// Send again what could not be delivered. A server that runs does it at once, another when it starts.
    Retry(Retry),
}

/// Where it is kept.
#[derive(Debug, Args)]
pub(crate) struct Data {
    /// The server's data directory.
    #[arg(long = "data", value_name = "DIR")]
    pub(crate) folder: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Test {
    /// The receiver's name. Without it all are told.
    #[arg(value_name = "RECEIVER")]
    pub(crate) receiver: Option<String>,
    #[command(flatten)]
    pub(crate) configuration: Configuration,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    pub(crate) data: Data,
    /// How to print.
    #[arg(long, short, value_enum, default_value_t = StoreFormat::Text)]
    pub(crate) format: StoreFormat,
}

#[derive(Debug, Args)]
pub(crate) struct Messages {
    #[command(flatten)]
    pub(crate) data: Data,
    /// Only those of this receiver.
    #[arg(long, value_name = "RECEIVER")]
    pub(crate) receiver: Option<String>,
    /// Other messages than those that could not be delivered.
    #[arg(long, value_enum, default_value_t = Which::Dead, value_name = "STATE")]
    pub(crate) state: Which,
    /// So many at most.
    #[arg(long, default_value_t = 100, value_name = "N")]
    pub(crate) limit: usize,
    /// How to print.
    #[arg(long, short, value_enum, default_value_t = StoreFormat::Text)]
    pub(crate) format: StoreFormat,
}

/// What became of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Which {
    /// They could not be delivered.
    Dead,
    /// They wait.
    Waiting,
    /// They were sent, in the last seven days.
    Sent,
}

#[derive(Debug, Args)]
#[group(id = "messages", required = true, multiple = true, args = ["ids", "receiver", "all"])]
pub(crate) struct Retry {
    /// Their ids, or the beginnings of them.
    #[arg(value_name = "ID")]
    pub(crate) ids: Vec<String>,
    #[command(flatten)]
    pub(crate) data: Data,
    /// Those of this receiver.
    #[arg(long, value_name = "RECEIVER")]
    pub(crate) receiver: Option<String>,
    /// All.
    #[arg(long, conflicts_with_all = ["ids", "receiver"])]
    pub(crate) all: bool,
    /// The time of it. Default: the clock.
    #[arg(long, value_name = "TIME")]
    pub(crate) now: Option<String>,
}
