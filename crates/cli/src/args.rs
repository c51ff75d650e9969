//! The command line.

use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum, value_parser};
use report::Format;
use rule::{QueryLanguage, Severity, Withheld};

/// Detection for audit trails: reads AWS CloudTrail, runs Elastic-format rules on it, raises alerts.
#[derive(Debug, Parser)]
#[command(name = "trailwarden", version, propagate_version = true, arg_required_else_help = true)]
#[command(
    after_help = "Exit status: 0 done; 1 done, and --fail-on found what it names (hunt) or a finding was an error (rules lint), a test failed (rules test), an alert differs (rules diff --fail), or files were changed or are missing (verify, case verify); 2 could not run, or read nothing that it has use for; 3 done, and a part of the input could not be read (2 with --strict)."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) global: Global,
}

/// Options of every command.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// When to use colours.
    #[arg(long, global = true, value_enum, default_value_t = Colour::Auto, value_name = "WHEN", help_heading = "Terminal")]
    pub(crate) color: Colour,
    /// No progress bars and no notices on standard error.
    #[arg(long, short, global = true, help_heading = "Terminal")]
    pub(crate) quiet: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Colour {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Hunt in files and folders: CloudTrail in, alerts out.
    Hunt(Box<Hunt>),
    /// Investigate alerts: who did what to what, what came before and after, what is missing.
    Investigate(Box<Investigate>),
    /// Plan the response to alerts: steps with reasons, what they break and how to take them back. Runs nothing.
    Respond(Box<Respond>),
    /// Print the ECS document of every record, one a line.
    Normalize(Normalize),
    /// Run one query over files.
    Query(Query),
    /// Who and what records are about: each identity, key, address, instance, account and region, when it was seen, what it
    /// did and made, and which alerts name it.
    Summary(Box<SummaryArgs>),
    /// What could not have been seen: files against CloudTrail's digest files and their signatures, times in which trails did
    /// not record, hours without records that should have some.
    ///
    /// Exit status 1: a file was changed or is missing, or the chain of digests is broken.
    Verify(Verify),
    /// Check case files, which `hunt --case` writes.
    #[command(subcommand)]
    Case(Case),
    /// List, show, check, test, compare and export rules.
    #[command(subcommand)]
    Rules(Rules),
}

/// What to read, and how much of it at most.
#[derive(Debug, Args)]
pub(crate) struct Input {
    /// Files, folders (recursive), globs, or `-` for standard input. Any of .json, .ndjson, .gz, .zst, .zip, .tar;
    /// the content decides, not the name.
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Exit with 2 instead of 3 if a part of the input could not be read.
    #[arg(long)]
    pub(crate) strict: bool,
    #[command(flatten)]
    pub(crate) limits: Limits,
}

/// How far reading goes: a hostile file must not exhaust memory or time.
#[derive(Debug, Args)]
pub(crate) struct Limits {
    /// The longest record, in bytes; a longer one is skipped and reported.
    #[arg(long = "max-record-bytes", value_name = "BYTES", default_value_t = 16 << 20, help_heading = "Limits", value_parser = value_parser!(u64).range(1..))]
    pub(crate) record_bytes: u64,
    /// The most bytes of text in one file, archives and compression unpacked.
    #[arg(long = "max-file-bytes", value_name = "BYTES", default_value_t = 64 << 30, help_heading = "Limits")]
    pub(crate) file_bytes: u64,
    /// The highest ratio of text to compressed bytes (beyond the first 64 MiB): stops compression bombs.
    #[arg(long = "max-ratio", value_name = "N", default_value_t = 1000, help_heading = "Limits")]
    pub(crate) ratio: u64,
    /// The deepest nesting of a record: 100 at most.
    #[arg(long = "max-depth", value_name = "N", default_value_t = DEPTH_MAX, help_heading = "Limits", value_parser = value_parser!(u32).range(1..=i64::from(DEPTH_MAX)))]
    pub(crate) depth: u32,
}

/// What the parsers below take.
const DEPTH_MAX: u32 = cloudtrail::MAX_DEPTH as u32;
/// More threads than any machine has use for.
const THREADS_MAX: i64 = 1024;

/// Which rules.
#[derive(Debug, Args)]
pub(crate) struct RuleSource {
    /// Rule files or folders: TOML as in Elastic's rule repository, or Kibana exports (NDJSON, JSON).
    /// Without it the built-in rules are used.
    #[arg(long, short = 'r', value_name = "PATH")]
    pub(crate) rules: Vec<PathBuf>,
    /// Use the built-in rules as well as those of --rules.
    #[arg(long)]
    pub(crate) builtin: bool,
    /// Only rules whose id, name, tag or type contains this text (any letter case). May be given several times.
    #[arg(long = "only", value_name = "TEXT")]
    pub(crate) only: Vec<String>,
    /// The language of the built-in rules' texts.
    #[arg(long, value_enum, default_value_t = Lang::En)]
    pub(crate) lang: Lang,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Lang {
    #[value(name = "en")]
    En,
    #[value(name = "zh-CN", alias = "zh")]
    ZhCn,
}

/// Alerts that there are.
#[derive(Debug, Args)]
pub(crate) struct History {
    /// Alerts of earlier hunts (NDJSON): what they hold is not raised again. May be given several times.
    #[arg(long, value_name = "FILE")]
    pub(crate) alert_history: Vec<PathBuf>,
    /// An alert of --alert-history that somebody closed suppresses others no longer, as Elastic's engine has it.
    #[arg(long, requires = "alert_history")]
    pub(crate) closed_ends_suppression: bool,
}

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub(crate) struct Hunt {
    #[command(flatten)]
    pub(crate) input: Input,
    #[command(flatten)]
    pub(crate) rules: RuleSource,
    /// Also run rules whose files say that they do not run: those that are switched off (`enabled` is false), or whose
    /// `maturity` is development or deprecated. Several are separated by commas.
    #[arg(long, value_name = "STATE", value_parser = withheld(), value_delimiter = ',')]
    pub(crate) include: Vec<Withheld>,
    /// Only alerts whose newest event took place at this time or later: a date (`2026-03-01`, `2026-03-01 10:00`, in
    /// UTC unless it says) or date math such as `now-30d`. What lies before still serves as history.
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    /// Only alerts whose newest event took place before this time. With `--once`, the time itself still counts.
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<String>,
    /// One execution over the whole range instead of the rules' schedules.
    #[arg(long)]
    pub(crate) once: bool,
    /// The most alerts of one execution, instead of what each rule says.
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..))]
    pub(crate) max_signals: Option<u32>,
    #[command(flatten)]
    pub(crate) history: History,
    /// A folder with MaxMind databases (City, ASN): adds places and networks to source addresses.
    #[arg(long, value_name = "DIR")]
    pub(crate) geoip: Option<PathBuf>,
    /// Do not work out who is behind an identity: alerts lack `trailwarden.identity`, and rules that ask for it are refused.
    #[arg(long)]
    pub(crate) no_identity: bool,
    /// Keep the text of the record in each alert (`event.original`).
    #[arg(long)]
    pub(crate) keep_original: bool,
    /// How to print. Default: a summary.
    #[arg(long, short, value_parser = formats(), default_value = Format::Summary.name())]
    pub(crate) format: Format,
    /// Print to a file.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Write a case file (zip): the records that the alerts stand on and what their actors did, where each was read, rules,
    /// options, alerts, report, and hashes of all of it. `trailwarden case verify` checks it anywhere.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["explain", "near_misses", "geoip", "alert_history"])]
    pub(crate) case: Option<PathBuf>,
    /// Write what was read, matched and left out to this file, as JSON.
    #[arg(long, value_name = "FILE")]
    pub(crate) stats: Option<PathBuf>,
    /// Say why this event (its eventID, or the beginning of it) does or does not match each rule, clause by clause, instead of hunting.
    #[arg(long, value_name = "EVENT_ID")]
    pub(crate) explain: Option<String>,
    /// Instead of hunting, count for each rule the records that satisfy all of its clauses but one, and say what they
    /// have where that clause looks: why a rule that should fire does not.
    #[arg(long, conflicts_with_all = ["explain", "format", "stats", "fail_on", "alert_history"])]
    pub(crate) near_misses: bool,
    /// Below the summary, investigate every alert of medium severity and above: the 200 most severe and first ones.
    #[arg(long, conflicts_with_all = ["explain", "near_misses", "stats"])]
    pub(crate) investigate: bool,
    /// Investigate no alert for `--format html`, which has the guide of each alert of medium severity and above done: of the
    /// 200 most severe and first ones.
    #[arg(long, conflicts_with_all = ["explain", "near_misses", "investigate"])]
    pub(crate) no_investigate: bool,
    /// Worker threads. Default: one a core.
    #[arg(long, value_name = "N", value_parser = value_parser!(u16).range(1..=THREADS_MAX))]
    pub(crate) threads: Option<u16>,
    /// Exit with 1 if an alert of this severity or above is raised.
    #[arg(long, value_parser = severities(), value_name = "SEVERITY")]
    pub(crate) fail_on: Option<Severity>,
    /// The time that `now` stands for. Default: the clock.
    #[arg(long, value_name = "TIME")]
    pub(crate) now: Option<String>,
}

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

/// The formats of alerts.
fn formats() -> impl TypedValueParser<Value = Format> {
    let values = Format::ALL.map(|it| PossibleValue::new(it.name()).help(it.description()));
    PossibleValuesParser::new(values)
        .try_map(|name| Format::ALL.into_iter().find(|it| it.name() == name).ok_or("no such format"))
}

/// The languages of queries.
fn languages() -> impl TypedValueParser<Value = QueryLanguage> {
    let values = QueryLanguage::ALL.map(|it| PossibleValue::new(it.short_name()).alias(it.as_str()));
    PossibleValuesParser::new(values).try_map(|name| {
        let found =
            QueryLanguage::ALL.into_iter().find(|it| [it.short_name(), it.as_str()].contains(&&*name));
        found.ok_or("no such language")
    })
}

/// The severities of rules.
fn severities() -> impl TypedValueParser<Value = Severity> {
    PossibleValuesParser::new(Severity::ALL.map(Severity::as_str))
        .try_map(|name| Severity::from_name(&name).ok_or("no such severity"))
}

/// Why rules do not run.
fn withheld() -> impl TypedValueParser<Value = Withheld> {
    PossibleValuesParser::new(Withheld::ALL.map(Withheld::as_str))
        .try_map(|name| Withheld::ALL.into_iter().find(|it| it.as_str() == name).ok_or("no such state"))
}

#[derive(Debug, Args)]
pub(crate) struct Normalize {
    #[command(flatten)]
    pub(crate) input: Input,
    /// Print an event as often as it was delivered, instead of once.
    #[arg(long)]
    pub(crate) copies: bool,
    /// Put these in `tags`. `preserve_original_event` keeps the record's text, `actor_target_mapping` adds the
    /// entity fields.
    #[arg(long = "tag", value_name = "TAG")]
    pub(crate) tags: Vec<String>,
    /// The time of reading (`event.created`). Default: the clock.
    #[arg(long, value_name = "TIME")]
    pub(crate) now: Option<String>,
    /// A folder with MaxMind databases (City, ASN).
    #[arg(long, value_name = "DIR")]
    pub(crate) geoip: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Query {
    /// The query; `*` in KQL is all.
    #[arg(value_name = "QUERY")]
    pub(crate) text: String,
    /// Files and folders to search; `-` is standard input.
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Its language.
    #[arg(long, short, value_parser = languages(), default_value = QueryLanguage::Kuery.short_name())]
    pub(crate) language: QueryLanguage,
    /// An Elasticsearch mapping: `{"properties": …}`. The files are then plain documents, not CloudTrail.
    #[arg(long, value_name = "FILE")]
    pub(crate) mapping: Option<PathBuf>,
    /// A path whose documents belong to the index NAME. May be given several times.
    #[arg(long = "source", value_name = "NAME=PATH")]
    pub(crate) sources: Vec<String>,
    /// Only events that took place at this time or later: a date (`2026-03-01`, `2026-03-01 10:00`, in UTC unless it says)
    /// or date math such as `now-30d`. What has no time of its own is taken as happening now.
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    /// Only events that took place before this time.
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<String>,
    /// Only events that match this regular expression as well: FIELD=EXPRESSION asks the values of a field, one by one;
    /// EXPRESSION alone the text of the record as it was delivered, and every value of the event. Letter case counts
    /// (`(?i)` at the beginning: it does not), and it may match anywhere (`^…$`: all of it). May be given several times:
    /// all must match.
    #[arg(long, value_name = "[FIELD=]EXPRESSION")]
    pub(crate) regex: Vec<String>,
    /// Instead of events print the values of these fields (comma-separated; several: the combinations of their values),
    /// how many events have them, and when first and last. An event with several values counts for each.
    #[arg(long, value_name = "FIELDS", value_delimiter = ',', conflicts_with = "columns")]
    pub(crate) count_by: Vec<String>,
    /// In which order. Default: time; for plain documents (--mapping) files.
    #[arg(long, value_enum, conflicts_with = "count_by")]
    pub(crate) order: Option<QueryOrder>,
    /// How to print.
    #[arg(long, short, value_enum, default_value_t = QueryFormat::Ndjson)]
    pub(crate) format: QueryFormat,
    /// Columns of table and CSV, comma-separated.
    #[arg(long, value_name = "FIELDS", value_delimiter = ',')]
    pub(crate) columns: Vec<String>,
    /// Print an event as often as it was delivered, instead of once.
    #[arg(long)]
    pub(crate) copies: bool,
    /// Exit with 2 instead of 3 if a part of the input could not be read.
    #[arg(long)]
    pub(crate) strict: bool,
    #[command(flatten)]
    pub(crate) limits: Limits,
    /// Bytes of records that are put in the order of time at a time; if more match, the files are read again for the next.
    #[arg(long = "max-order-bytes", value_name = "BYTES", default_value_t = hunt::ORDERED_BYTES, help_heading = "Limits")]
    pub(crate) order_bytes: usize,
    /// Print the first so many events only; with --count-by the most frequent values.
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<u64>,
    /// The time that `now` stands for. Default: the clock.
    #[arg(long, value_name = "TIME")]
    pub(crate) now: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum QueryFormat {
    /// `{"_index", "_id", "_source"}` a line.
    Ndjson,
    /// Columns for a terminal.
    Table,
    /// Columns for spreadsheets.
    Csv,
}

#[derive(Debug, Args)]
pub(crate) struct SummaryArgs {
    #[command(flatten)]
    pub(crate) input: Input,
    #[command(flatten)]
    pub(crate) rules: RuleSource,
    /// Only events that took place at this time or later, and alerts about them: a date or date math such as `now-30d`.
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    /// Only events that took place before this time.
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<String>,
    /// Sum up by the values of this field instead.
    #[arg(long, value_name = "FIELD")]
    pub(crate) by: Option<String>,
    /// Print the values to search for next, one a line with the times at which they were seen first and last: addresses,
    /// access keys, identities, user agents, what was made.
    #[arg(long, conflicts_with = "by")]
    pub(crate) pivots: bool,
    /// The most values of each kind that are printed for people; other formats print all.
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) rows: usize,
    /// How to print.
    #[arg(long, short, value_enum, default_value_t = SummaryFormat::Table)]
    pub(crate) format: SummaryFormat,
    /// A folder with MaxMind databases (City, ASN).
    #[arg(long, value_name = "DIR")]
    pub(crate) geoip: Option<PathBuf>,
    /// Worker threads. Default: one a core.
    #[arg(long, value_name = "N", value_parser = value_parser!(u16).range(1..=THREADS_MAX))]
    pub(crate) threads: Option<u16>,
    /// The time that `now` stands for. Default: the clock.
    #[arg(long, value_name = "TIME")]
    pub(crate) now: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Case {
    /// Check every hash in a case file, and hunt again over its records with its rules and options: the same alerts must come.
    ///
    /// Exit status 1: something is not as it was written, or other alerts come.
    Verify(CaseVerify),
}

#[derive(Debug, Args)]
pub(crate) struct CaseVerify {
    /// The case file.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Worker threads. Default: one a core.
    #[arg(long, value_name = "N", value_parser = value_parser!(u16).range(1..=THREADS_MAX))]
    pub(crate) threads: Option<u16>,
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    #[command(flatten)]
    pub(crate) input: Input,
    /// Public keys to check the signatures of digest files with: what `aws cloudtrail list-public-keys` prints, or RSA keys in
    /// PEM or DER. Get them from AWS, not from the bucket. May be given several times: each region has its own.
    #[arg(long, value_name = "FILE")]
    pub(crate) public_keys: Vec<PathBuf>,
    /// How to print.
    #[arg(long, short, value_enum, default_value_t = VerifyFormat::Text)]
    pub(crate) format: VerifyFormat,
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
pub(crate) enum VerifyFormat {
    /// For a terminal.
    Text,
    /// Markdown.
    Md,
    /// JSON: all of it.
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SummaryFormat {
    /// For people.
    #[value(alias = "text")]
    Table,
    /// One JSON list.
    Json,
    /// One JSON object a line.
    Ndjson,
    /// For spreadsheets.
    Csv,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum QueryOrder {
    /// When they took place; the order of files has no influence.
    Time,
    /// As they lie in the files, each as soon as it is found.
    Files,
}

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
#[command(mut_arg("paths", |it| it.required(true)))]
pub(crate) struct ForecastArgs {
    #[command(flatten)]
    pub(crate) rules: RuleSource,
    #[command(flatten)]
    pub(crate) over: Records,
    /// How to print.
    #[arg(long, short, value_enum, default_value_t = TableFormat::Table)]
    pub(crate) format: TableFormat,
}

#[derive(Debug, Args)]
#[command(mut_arg("paths", |it| it.required(true)))]
pub(crate) struct DiffArgs {
    /// The rules before, with their exceptions: a file or a folder; `builtin` are the built-in rules.
    #[arg(value_name = "OLD")]
    pub(crate) old: PathBuf,
    /// The rules after.
    #[arg(value_name = "NEW")]
    pub(crate) new: PathBuf,
    #[command(flatten)]
    pub(crate) over: Records,
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
