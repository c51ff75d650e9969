//! The arguments of `trailwarden serve` and `trailwarden config`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use rule::Severity;

use crate::args::severities;
use crate::store_args::StoreFormat;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Serve {
    #[command(subcommand)]
    pub(crate) command: Option<Watching>,
    /// The data directory: events and all that is known of them. It is made if it is not there, and is a store that `hunt`,
    /// `query` and others read with `--store`.
    #[arg(long, value_name = "DIR", required_unless_present = "demo")]
    pub(crate) data: Option<PathBuf>,
    /// Play a trail in first, its times moved so that it ended some minutes ago, and show what is detected in it: by default the example of
    /// this project's repository. Without --data it goes to a directory that goes away with the server.
    #[arg(long, value_name = "PATH", num_args = 0..=1, default_missing_value = "examples/cloudtrail")]
    pub(crate) demo: Option<PathBuf>,
    /// Also take records from standard input, one a line. When it ends, what came is stored and the server stops.
    #[arg(long)]
    pub(crate) stdin: bool,
    #[command(flatten)]
    pub(crate) configuration: Configuration,
    /// How lines on standard error look.
    #[arg(long, value_enum, default_value_t = LogFormat::Auto, value_name = "FORMAT")]
    pub(crate) log: LogFormat,
}

/// What can be seen of a server that runs, from its data directory.
#[derive(Debug, Subcommand)]
pub(crate) enum Watching {
    /// Follow the alerts of a server: print each as it is raised.
    Tail(Tail),
    /// Record the events that come in, as fixtures for tests.
    ///
    /// They are written when it ends: after --limit of them, or after --for.
    Tap(Tap),
}

#[derive(Debug, Args)]
pub(crate) struct Tail {
    /// The data directory of the server.
    #[arg(long, value_name = "DIR", required_unless_present = "url")]
    pub(crate) data: Option<PathBuf>,
    /// The server instead, as in `https://host:9480`.
    #[arg(long, value_name = "URL", conflicts_with = "data", requires = "key")]
    pub(crate) url: Option<String>,
    /// The key to ask the server with, as it told when the key was made (`encoded`); a viewer's will do.
    #[arg(long, value_name = "KEY", env = "TRAILWARDEN_KEY", hide_env_values = true)]
    pub(crate) key: Option<String>,
    /// Certificates (PEM) to trust beside those of the system.
    #[arg(long, value_name = "FILE", requires = "url")]
    pub(crate) ca: Option<PathBuf>,
    /// Only alerts that satisfy this query (KQL).
    #[arg(long, value_name = "QUERY", default_value = "")]
    pub(crate) query: String,
    /// Only alerts of this severity or above.
    #[arg(long, value_parser = severities(), value_name = "SEVERITY")]
    pub(crate) severity: Option<Severity>,
    /// Also alerts that are raised in a silence.
    #[arg(long)]
    pub(crate) silenced: bool,
    /// Begin with all alerts that there are.
    #[arg(long)]
    pub(crate) all: bool,
    /// How to print: a line an alert, or its document in a line.
    #[arg(long, short, value_enum, default_value_t = StoreFormat::Text)]
    pub(crate) format: StoreFormat,
    /// End after so many alerts.
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<u64>,
    /// End after so long.
    #[arg(long = "for", value_name = "DURATION")]
    pub(crate) how_long: Option<rule::Interval>,
}

#[derive(Debug, Args)]
pub(crate) struct Tap {
    /// The data directory of the server.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// Replace names, addresses, account ids, keys and ids of things, the same by the same in all records.
    #[arg(long)]
    pub(crate) redact: bool,
    /// Only events that satisfy this query (KQL).
    #[arg(long, value_name = "QUERY", default_value = "")]
    pub(crate) query: String,
    /// How to print: a record a line, or the events of a test of a rule.
    #[arg(long, short, value_enum, default_value_t = TapFormat::Ndjson)]
    pub(crate) format: TapFormat,
    /// Print to a file.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// End after so many events.
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) limit: usize,
    /// End after so long.
    #[arg(long = "for", value_name = "DURATION", default_value = "10m")]
    pub(crate) how_long: rule::Interval,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TapFormat {
    /// One record a line, as it was delivered.
    Ndjson,
    /// As they stand below `events:` in a test file.
    Events,
}

/// What the server is to do.
#[derive(Clone, Debug, Args)]
pub(crate) struct Configuration {
    /// The configuration; `trailwarden config init` writes one.
    #[arg(long, value_name = "FILE", env = "TRAILWARDEN_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Where to listen, instead of what the configuration says.
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) listen: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people on a terminal, JSON elsewhere.
    Auto,
    /// For people.
    Text,
    /// A JSON object a line.
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    /// Write a file that says what can be set.
    Init(Init),
    /// Say what is wrong with a configuration, and where.
    ///
    /// Exit status 2: something is.
    Check(Configuration),
    /// Print a configuration, each value with where it comes from.
    Show(Configuration),
}

#[derive(Debug, Args)]
pub(crate) struct Init {
    /// The file to write; `-` for standard output.
    #[arg(value_name = "FILE", default_value = "trailwarden.toml")]
    pub(crate) file: PathBuf,
}
