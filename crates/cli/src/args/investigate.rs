//! The arguments of `trailwarden investigate` and `trailwarden respond`.

use std::path::PathBuf;

use clap::{Args, ValueEnum, value_parser};

use super::{Input, RuleSource, THREADS_MAX};

/// Which alerts, and how to look at them.
#[derive(Debug, Args)]
pub(crate) struct Investigate {
    #[command(flatten)]
    pub(crate) case: CaseArgs,
    /// Only this step, by its id: `identity`, `request`, … May be given several times.
    #[arg(long, value_name = "ID")]
    pub(crate) step: Vec<String>,
    /// How to print.
    #[arg(long, short, value_enum, default_value_t = InvestigationFormat::Text)]
    pub(crate) format: InvestigationFormat,
}

/// Which alerts, and how to print the plan.
#[derive(Debug, Args)]
pub(crate) struct Respond {
    #[command(flatten)]
    pub(crate) case: CaseArgs,
    /// How to print.
    #[arg(long, short, value_enum, default_value_t = PlanFormat::Md)]
    pub(crate) format: PlanFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PlanFormat {
    /// A runbook in Markdown.
    Md,
    /// A shell script that asks before each step, and only prints what cannot be taken back.
    Sh,
    /// JSON.
    Json,
}

/// Which alerts to look at, and over what.
#[derive(Debug, Args)]
pub(crate) struct CaseArgs {
    #[command(flatten)]
    pub(crate) input: Input,
    #[command(flatten)]
    pub(crate) rules: RuleSource,
    /// The alert of this id (`kibana.alert.uuid`), or the one whose id begins so.
    #[arg(long, value_name = "ID", group = "which")]
    pub(crate) alert: Option<String>,
    /// The event of this id (`eventID`), or the one whose id begins so, whether it alerted or not.
    #[arg(long, value_name = "ID", group = "which")]
    pub(crate) event: Option<String>,
    /// The alerts of a rule: its id or (part of) its name, as `rules show` takes it.
    #[arg(long, value_name = "TEXT", group = "which")]
    pub(crate) rule: Option<String>,
    /// At most so many alerts: the most severe and first ones.
    #[arg(long, value_name = "N", default_value_t = hunt::ALERTS_MAX as u32, value_parser = value_parser!(u32).range(1..=10_000))]
    pub(crate) limit: u32,
    /// A folder with MaxMind databases (City, ASN): adds places and networks to source addresses.
    #[arg(long, value_name = "DIR")]
    pub(crate) geoip: Option<PathBuf>,
    /// Print to a file.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Worker threads. Default: one a core.
    #[arg(long, value_name = "N", value_parser = value_parser!(u16).range(1..=THREADS_MAX))]
    pub(crate) threads: Option<u16>,
    /// The time that `now` stands for. Default: the clock.
    #[arg(long, value_name = "TIME")]
    pub(crate) now: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum InvestigationFormat {
    /// For a terminal.
    Text,
    /// Markdown.
    Md,
    /// A page that loads nothing.
    Html,
    /// JSON, the facts by name.
    Json,
}
