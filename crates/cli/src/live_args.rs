//! The arguments of `trailwarden detect` and `trailwarden alerts`.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand, ValueEnum, value_parser};
use live::{ClosingReason, WorkflowStatus};
use report::Format;
use rule::{Severity, Withheld};

use crate::analyst_args::{ExceptionCommand, Facets, Histogram, IncidentCommand, Log, SilenceCommand, Stats};
use crate::args::{RuleSource, formats, severities, withheld};
use crate::store_args::{Folder, StoreFormat};

/// Which rules run over a store.
#[derive(Debug, Args)]
pub(crate) struct Running {
    #[command(flatten)]
    pub(crate) folder: Folder,
    #[command(flatten)]
    pub(crate) rules: RuleSource,
    /// Also run rules whose files say that they do not run, as in `hunt`.
    #[arg(long, value_name = "STATE", value_parser = withheld(), value_delimiter = ',')]
    pub(crate) include: Vec<Withheld>,
    /// A folder with MaxMind databases (City, ASN): adds places and networks to source addresses.
    #[arg(long, value_name = "DIR")]
    pub(crate) geoip: Option<PathBuf>,
    /// Worker threads. Default: one a core.
    #[arg(long, value_name = "N", value_parser = value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Option<u16>,
    /// The time that it is. Default: the clock.
    #[arg(long, value_name = "TIME")]
    pub(crate) now: Option<String>,
    /// How to print the alerts that are new. Default: a summary.
    #[arg(long, short, value_parser = formats(), default_value = Format::Summary.name())]
    pub(crate) format: Format,
    /// Print to a file.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Exit with 1 if an alert of this severity or above is raised.
    #[arg(long, value_parser = severities(), value_name = "SEVERITY")]
    pub(crate) fail_on: Option<Severity>,
}

#[derive(Debug, Args)]
pub(crate) struct Detect {
    #[command(flatten)]
    pub(crate) running: Running,
    /// When a rule begins that never ran over this store: a date or date math, such as `now-1d`. Default: now.
    #[arg(long, value_name = "TIME")]
    pub(crate) begin: Option<String>,
    /// What was missed for longer is not executed late: it is a gap.
    #[arg(long, value_name = "DURATION", default_value = "24h")]
    pub(crate) catch_up: rule::Interval,
    /// Fill no gaps.
    #[arg(long)]
    pub(crate) no_fill: bool,
    /// Execute nothing: say how far each rule is, how its last execution ended, what was missed.
    #[arg(long, conflicts_with_all = ["fail_on", "begin", "no_fill"])]
    pub(crate) status: bool,
}

/// Executes slots of a rule once more.
#[derive(Debug, Args)]
pub(crate) struct RunRule {
    /// The rule's id, or its name.
    #[arg(value_name = "RULE")]
    pub(crate) rule: String,
    /// The first time whose executions take place.
    #[arg(long, value_name = "TIME")]
    pub(crate) from: String,
    /// The last. Default: now.
    #[arg(long, value_name = "TIME")]
    pub(crate) to: Option<String>,
    #[command(flatten)]
    pub(crate) running: Running,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Alerts {
    /// Alerts that were raised, the newest first.
    List(List),
    /// An alert, what was done with it, and its building blocks.
    Show {
        /// Its id, or the beginning of it.
        #[arg(value_name = "ALERT_ID")]
        id: String,
        #[command(flatten)]
        folder: Folder,
        /// How to print.
        #[arg(long, short, value_enum, default_value_t = StoreFormat::Text)]
        format: StoreFormat,
    },
    /// Say that somebody looks at alerts.
    Acknowledge(Which),
    /// Say that alerts are done with.
    Close {
        #[command(flatten)]
        which: Which,
        /// Why.
        #[arg(long, value_parser = reasons(), value_name = "REASON")]
        reason: Option<ClosingReason>,
    },
    /// Say that alerts are not done with.
    Reopen(Which),
    /// Say who looks after alerts.
    Assign {
        #[command(flatten)]
        which: Which,
        /// Somebody who does. May be given several times.
        #[arg(long = "to", value_name = "WHO")]
        add: Vec<String>,
        /// Somebody who does not any more. May be given several times.
        #[arg(long, value_name = "WHO")]
        remove: Vec<String>,
    },
    /// Mark alerts.
    Tag {
        #[command(flatten)]
        which: Which,
        /// A tag. May be given several times.
        #[arg(long, value_name = "TAG")]
        add: Vec<String>,
        /// A tag that they are to lose. May be given several times.
        #[arg(long, value_name = "TAG")]
        remove: Vec<String>,
    },
    /// Say something about alerts.
    Note {
        #[command(flatten)]
        which: Which,
        /// What.
        #[arg(long, value_name = "TEXT")]
        text: String,
    },
    /// Print the documents of alerts, the earliest first.
    Export(List),
    /// How often fields of alerts have which values.
    Facets(Facets),
    /// Alerts over time, by severity.
    Histogram(Histogram),
    /// What became of the alerts of each rule, and how many of those that were judged were false positives.
    Stats(Stats),
    /// Who did what with alerts, silences and incidents, the newest first.
    Log(Log),
    /// For a while, do not hear of some alerts.
    #[command(subcommand)]
    Silence(SilenceCommand),
    /// What is excepted from rules, made of alerts.
    #[command(subcommand)]
    Exception(ExceptionCommand),
    /// Alerts that belong together, because one identity is behind them.
    #[command(subcommand)]
    Incident(IncidentCommand),
}

/// Which alerts.
#[derive(Debug, Args)]
pub(crate) struct Search {
    #[command(flatten)]
    pub(crate) folder: Folder,
    /// Only alerts that satisfy this query (KQL), such as `kibana.alert.severity: high and user.name: ada`.
    #[arg(long, value_name = "QUERY", default_value = "")]
    pub(crate) query: String,
    /// Only alerts of this status.
    #[arg(long, value_parser = statuses(), value_name = "STATUS")]
    pub(crate) status: Option<WorkflowStatus>,
    /// Alerts that were raised in a silence.
    #[arg(long, value_enum, default_value_t = Silenced::No, value_name = "WHICH")]
    pub(crate) silenced: Silenced,
    /// Only alerts of this incident.
    #[arg(long, value_name = "INCIDENT")]
    pub(crate) incident: Option<i64>,
    /// Only alerts that were raised at this time or later.
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    /// Only alerts that were raised before this time.
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<String>,
    /// The time that `now` stands for. Default: the clock.
    #[arg(long, value_name = "TIME")]
    pub(crate) now: Option<String>,
}

/// What of alerts that were raised in a silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Silenced {
    /// They are left out, and counted.
    No,
    /// They are there like others.
    Yes,
    /// They alone.
    Only,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    pub(crate) search: Search,
    /// The most that are printed; 0 is all.
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<usize>,
    /// How to print: as `hunt` does. Default: a line an alert with its id and status (list), or NDJSON (export).
    #[arg(long, short, value_parser = formats())]
    pub(crate) format: Option<Format>,
    /// Print to a file.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// The alerts that are changed.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// Their ids, or the beginnings of them.
    #[arg(value_name = "ALERT_ID", required_unless_present = "query")]
    pub(crate) ids: Vec<String>,
    #[command(flatten)]
    pub(crate) folder: Folder,
    /// All that satisfy this query (KQL) instead.
    #[arg(long, value_name = "QUERY", conflicts_with = "ids")]
    pub(crate) query: Option<String>,
    /// Who does this: it is written down.
    #[arg(long = "as", value_name = "WHO", env = "USER", default_value = "somebody")]
    pub(crate) author: String,
    /// The time that it is. Default: the clock.
    #[arg(long, value_name = "TIME")]
    pub(crate) now: Option<String>,
}

pub(crate) fn statuses() -> impl TypedValueParser<Value = WorkflowStatus> {
    PossibleValuesParser::new(WorkflowStatus::ALL.map(WorkflowStatus::as_str))
        .try_map(|name| WorkflowStatus::from_name(&name).ok_or("no such status"))
}

pub(crate) fn reasons() -> impl TypedValueParser<Value = ClosingReason> {
    PossibleValuesParser::new(ClosingReason::ALL.map(ClosingReason::as_str))
        .try_map(|name| ClosingReason::from_name(&name).ok_or("no such reason"))
}
