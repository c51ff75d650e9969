//! The arguments of `trailwarden serve` and `trailwarden config`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// The data directory: events and all that is known of them. It is made if it is not there, and is a store that `hunt`,
    /// `query` and others read with `--store`.
    #[arg(long, value_name = "DIR", required_unless_present = "demo")]
    pub(crate) data: Option<PathBuf>,
    /// Play a trail in first, its times moved so that it ended some minutes ago, and show what is detected in it: by default the example of
    /// this project's repository. Without --data it goes to a directory that goes away with the server.
    #[arg(long, value_name = "PATH", num_args = 0..=1, default_missing_value = "examples/cloudtrail")]
    pub(crate) demo: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) configuration: Configuration,
    /// How lines on standard error look.
    #[arg(long, value_enum, default_value_t = LogFormat::Auto, value_name = "FORMAT")]
    pub(crate) log: LogFormat,
}

/// What the server is to do.
#[derive(Debug, Args)]
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
