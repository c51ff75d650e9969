//! The arguments of `trailwarden rules`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum, value_parser};

#[cfg(feature = "store")]
use super::FromStore;
use super::{Limits, RuleSource, THREADS_MAX};

#[derive(Debug, Subcommand)]
pub(crate) enum Rules {
    /// One line a rule.
    List {
        #[command(flatten)]
        source: RuleSource,
        /// How to print.
        #[arg(long, short, value_enum, default_value_t = RuleFormat::Table)]
        format: RuleFormat,
    },
    /// Everything about a rule: query, schedule, ATT&CK, guide.
    Show {
        /// Its id or (part of) its name.
        #[arg(value_name = "RULE")]
        rule: String,
        #[command(flatten)]
        source: RuleSource,
        /// How to print.
        #[arg(long, short, value_enum, default_value_t = RuleFormat::Table)]
        format: RuleFormat,
    },
    /// Check rules: what is wrong, where, and what to write instead.
    ///
    /// A comment `# lint: ignore RULE127` on the line of a finding or above it says that it is known; JSON knows no
    /// comments, so --ignore says it there.
    Lint {
        /// Rule files or folders. Default: the built-in rules.
        #[arg(value_name = "PATH")]
        paths: Vec<PathBuf>,
        /// How to print.
        #[arg(long, short, value_enum, default_value_t = LintFormat::Table)]
        format: LintFormat,
        /// The least that is shown. The exit status goes by everything that was found.
        #[arg(long, value_enum, default_value_t = Least::Info)]
        severity: Least,
        /// Leave out findings of this code, unless they are errors. Several are separated by commas.
        #[arg(long, value_name = "CODE", value_delimiter = ',')]
        ignore: Vec<String>,
        /// Write into the files what certainly mends a finding, and say what was written.
        #[arg(long)]
        fix: bool,
        /// Warnings are errors.
        #[arg(long)]
        strict: bool,
        /// Also try the rules on these records, and warn of clauses that never hold where the rest of the rule does.
        #[arg(long, value_name = "RECORDS", num_args = 1..)]
        over: Vec<PathBuf>,
    },
    /// Run the tests of rules: `NAME.test.yaml` beside `NAME.toml`, or `[[tests]]` in it.
    ///
    /// Exit status: 0 all passed; 1 a test failed; 2 nothing could be tested.
    Test(Test),
    /// Print rules as other tools take them: with the exceptions that they name as Kibana imports them (NDJSON), or as
    /// files of Elastic's rule repository (TOML).
    Export {
        #[command(flatten)]
        source: RuleSource,
        /// How to write.
        #[arg(long, short, value_enum, default_value_t = ExportFormat::Ndjson)]
        format: ExportFormat,
        /// A file for NDJSON; a folder for TOML, with a file for each rule. No file is written over.
        #[arg(long, short, value_name = "PATH")]
        output: Option<PathBuf>,
    },
    /// How loud the rules would be on these records: alerts a day, who they are about, what is cut off.
    Forecast(ForecastArgs),
    /// What a change of rules or exceptions changes in the alerts on these records.
    Diff(DiffArgs),
    /// Which tactics and techniques of ATT&CK the rules are about; with --over which attacks they see.
    Coverage(CoverageArgs),
    /// Execute a rule over a store once more, slot by slot, over a range of time: what it missed, or did not see.
    #[cfg(feature = "store")]
    Run(Box<crate::live_args::RunRule>),
    /// Print the JSON Schema of rule files, for editors.
    Schema,
}

#[derive(Debug, Args)]
pub(crate) struct Test {
    /// Rule files, test files or folders with both; with --from-alert the records that it is about.
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// More rules that tests may be about. The built-in rules always are, by their ids.
    #[arg(long, short = 'r', value_name = "PATH")]
    pub(crate) rules: Vec<PathBuf>,
    /// Only tests whose name, rule or file contains this text (any letter case). May be given several times.
    #[arg(long = "only", value_name = "TEXT")]
    pub(crate) only: Vec<String>,
    /// How to print.
    #[arg(long, short, value_enum, default_value_t = TestFormat::Table)]
    pub(crate) format: TestFormat,
    /// Print to a file.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// For each test that fails, print what it would have to expect. Changes no file.
    #[arg(long)]
    pub(crate) update: bool,
    /// Print a test made of this alert (its id, or the beginning of it), which the rules raise on the records: names,
    /// addresses and account ids are replaced.
    #[arg(long, value_name = "ALERT_ID", conflicts_with_all = ["update", "only", "format"])]
    pub(crate) from_alert: Option<String>,
    /// Worker threads. Default: one a core.
    #[arg(long, value_name = "N", value_parser = value_parser!(u16).range(1..=THREADS_MAX))]
    pub(crate) threads: Option<u16>,
}

/// Records that rules are tried on.
#[derive(Debug, Args)]
pub(crate) struct Records {
    /// Files and folders with records. May be given several times, and takes several.
    #[arg(long = "over", value_name = "PATH", num_args = 1..)]
    pub(crate) paths: Vec<PathBuf>,
    /// Only alerts whose newest event took place at this time or later.
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    /// Only alerts whose newest event took place before this time.
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<String>,
    /// The time that `now` stands for. Default: the clock.
    #[arg(long, value_name = "TIME")]
    pub(crate) now: Option<String>,
    /// A folder with MaxMind databases (City, ASN).
    #[arg(long, value_name = "DIR")]
    pub(crate) geoip: Option<PathBuf>,
    /// Worker threads. Default: one a core.
    #[arg(long, value_name = "N", value_parser = value_parser!(u16).range(1..=THREADS_MAX))]
    pub(crate) threads: Option<u16>,
    #[command(flatten)]
    pub(crate) limits: Limits,
}

#[derive(Debug, Args)]
#[cfg_attr(feature = "store", command(mut_arg("paths", |it| it.required_unless_present("store"))))]
#[cfg_attr(not(feature = "store"), command(mut_arg("paths", |it| it.required(true))))]
pub(crate) struct ForecastArgs {
    #[command(flatten)]
    pub(crate) rules: RuleSource,
    #[command(flatten)]
    pub(crate) over: Records,
    #[cfg(feature = "store")]
    #[command(flatten)]
    pub(crate) store: FromStore,
    /// How to print.
    #[arg(long, short, value_enum, default_value_t = TableFormat::Table)]
    pub(crate) format: TableFormat,
}

#[derive(Debug, Args)]
#[cfg_attr(feature = "store", command(mut_arg("paths", |it| it.required_unless_present("store"))))]
#[cfg_attr(not(feature = "store"), command(mut_arg("paths", |it| it.required(true))))]
pub(crate) struct DiffArgs {
    /// The rules before, with their exceptions: a file or a folder; `builtin` are the built-in rules.
    #[arg(value_name = "OLD")]
    pub(crate) old: PathBuf,
    /// The rules after.
    #[arg(value_name = "NEW")]
    pub(crate) new: PathBuf,
    #[command(flatten)]
    pub(crate) over: Records,
    #[cfg(feature = "store")]
    #[command(flatten)]
    pub(crate) store: FromStore,
    /// How to print.
    #[arg(long, short, value_enum, default_value_t = TableFormat::Table)]
    pub(crate) format: TableFormat,
    /// Exit with 1 if any alert differs.
    #[arg(long)]
    pub(crate) fail: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CoverageArgs {
    #[command(flatten)]
    pub(crate) rules: RuleSource,
    #[command(flatten)]
    pub(crate) over: Records,
    /// How to print.
    #[arg(long, short, value_enum, default_value_t = CoverageFormat::Table)]
    pub(crate) format: CoverageFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TableFormat {
    /// For people.
    #[value(alias = "text")]
    Table,
    /// One JSON document.
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CoverageFormat {
    /// For people.
    #[value(alias = "text")]
    Table,
    /// One JSON document.
    Json,
    /// A layer for the ATT&CK Navigator.
    Navigator,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// What Kibana imports.
    Ndjson,
    /// What Elastic's rule repository holds.
    Toml,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TestFormat {
    /// For people.
    #[value(alias = "text")]
    Table,
    /// `JUnit` XML, for CI systems.
    Junit,
    /// One JSON document.
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RuleFormat {
    /// For people.
    #[value(alias = "text")]
    Table,
    /// One JSON object a line; of `list`, the rules themselves.
    Ndjson,
    /// One JSON document; of `list`, which rules run, and why not.
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LintFormat {
    /// For people.
    #[value(alias = "text")]
    Table,
    /// One JSON object a line.
    Ndjson,
    /// One JSON list.
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Least {
    /// What cannot run.
    Error,
    /// What probably does not do what was meant.
    Warning,
    /// What is worth knowing.
    #[value(alias = "note")]
    Info,
}

impl Least {
    pub(crate) const fn severity(self) -> span::Severity {
        match self {
            Self::Error => span::Severity::Error,
            Self::Warning => span::Severity::Warning,
            Self::Info => span::Severity::Note,
        }
    }
}
