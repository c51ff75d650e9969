//! The command line.

mod investigate;
mod rules;

use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum, value_parser};
use report::Format;
use rule::{QueryLanguage, Severity, Withheld};

pub(crate) use investigate::*;
pub(crate) use rules::*;

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
    /// Run one query over files, in KQL, Lucene, EQL or ES|QL.
    Query(Query),
    /// Who and what records are about: each identity, key, address, instance, account and region, when it was seen, what it
    /// did and made, and which alerts name it.
    Summary(Box<SummaryArgs>),
    /// What could not have been seen: files against CloudTrail's digest files and their signatures, times in which trails did
    /// not record, hours without records that should have some.
    ///
    /// Exit status 1: a file was changed or is missing, or the chain of digests is broken.
    Verify(Verify),
    /// Keep events in a store, which is taken in once and hunted as often as one likes.
    #[cfg(feature = "store")]
    #[command(subcommand)]
    Store(crate::store_args::StoreCommand),
    /// Detection around the clock: takes events in as they come, and answers over HTTP.
    #[cfg(feature = "serve")]
    Serve(crate::serve_args::Serve),
    /// The configuration of `serve`: a template, what is wrong with one, where each of its values comes from.
    #[cfg(feature = "serve")]
    #[command(subcommand)]
    Config(crate::serve_args::Config),
    /// Notifications of `serve`: test receivers, see what was not sent, send that again.
    #[cfg(feature = "serve")]
    #[command(subcommand)]
    Notify(crate::notify_args::Notify),
    /// Execute what rules are due to execute over a store, each execution once, and keep the alerts: from cron, say.
    #[cfg(feature = "store")]
    Detect(Box<crate::live_args::Detect>),
    /// Alerts that `detect` keeps: list, search and show them, say what became of them.
    #[cfg(feature = "store")]
    #[command(subcommand)]
    Alerts(crate::live_args::Alerts),
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
    #[cfg_attr(feature = "store", arg(required_unless_present = "store", value_name = "PATH"))]
    #[cfg_attr(not(feature = "store"), arg(required = true, value_name = "PATH"))]
    pub(crate) paths: Vec<PathBuf>,
    #[cfg(feature = "store")]
    #[command(flatten)]
    pub(crate) store: FromStore,
    /// Exit with 2 instead of 3 if a part of the input could not be read.
    #[arg(long)]
    pub(crate) strict: bool,
    #[command(flatten)]
    pub(crate) limits: Limits,
}

/// Events that were stored.
#[cfg(feature = "store")]
#[derive(Debug, Args)]
pub(crate) struct FromStore {
    /// Read the events of this store, which `trailwarden store add` fills, in place of files.
    #[arg(long, value_name = "DIR")]
    pub(crate) store: Option<PathBuf>,
}

/// How a store is hunted.
#[cfg(feature = "store")]
#[derive(Debug, Args)]
pub(crate) struct AsLive {
    /// Let each execution see only what had been ingested before it started: with --store. Executions that `detect` had are
    /// those that took place; a rule that it does not know is executed as if it had been on time.
    #[arg(long, requires = "store", conflicts_with_all = ["once", "explain", "near_misses", "case", "investigate"])]
    pub(crate) as_live: bool,
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
    #[cfg(feature = "store")]
    #[command(flatten)]
    pub(crate) as_live: AsLive,
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
    #[arg(long, value_name = "FILE", conflicts_with_all = ["explain", "near_misses"])]
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

/// The formats of alerts.
pub(crate) fn formats() -> impl TypedValueParser<Value = Format> {
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
pub(crate) fn severities() -> impl TypedValueParser<Value = Severity> {
    PossibleValuesParser::new(Severity::ALL.map(Severity::as_str))
        .try_map(|name| Severity::from_name(&name).ok_or("no such severity"))
}

/// Why rules do not run.
pub(crate) fn withheld() -> impl TypedValueParser<Value = Withheld> {
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
    #[cfg(feature = "store")]
    #[command(flatten)]
    pub(crate) store: FromStore,
    /// Its language. What begins with `FROM` and has pipes is ES|QL, whatever is said here.
    #[arg(long, short, value_parser = languages(), default_value = QueryLanguage::Kuery.short_name())]
    pub(crate) language: QueryLanguage,
    /// Of a query in ES|QL: say what of it is asked of events as they are read, and what is done with them then. Reads nothing.
    #[arg(long)]
    pub(crate) explain: bool,
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
    /// The folder with the MaxMind databases that the hunt had: they are not in the case, which has their hashes.
    #[arg(long, value_name = "DIR")]
    pub(crate) geoip: Option<PathBuf>,
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
    /// Only what is about this time or later: digests and files delivered then, blind ranges and gaps that reach into it.
    /// Everything is read all the same.
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    /// Only what is about the time before this.
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<String>,
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
