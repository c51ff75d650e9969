//! The arguments of `trailwarden alerts` that are about more than single alerts.

use clap::{Args, Subcommand};
use live::{ClosingReason, WorkflowStatus};

use crate::args::RuleSource;
use crate::live_args::{Search, reasons, statuses};
use crate::store_args::{Folder, StoreFormat};

#[derive(Debug, Args)]
pub(crate) struct Facets {
    #[command(flatten)]
    pub(crate) search: Search,
    /// A field whose values are counted. May be given several times. Default: severity, status, rule, assignees and tags.
    #[arg(long = "by", value_name = "FIELD")]
    pub(crate) fields: Vec<String>,
    /// So many values of each field.
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) values: usize,
    /// How to print.
    #[arg(long, short, value_enum, default_value_t = StoreFormat::Text)]
    pub(crate) format: StoreFormat,
}

#[derive(Debug, Args)]
pub(crate) struct Histogram {
    #[command(flatten)]
    pub(crate) search: Search,
    /// How long each part of the time is, such as 1h. Default: so that there are up to a hundred.
    #[arg(long, value_name = "DURATION")]
    pub(crate) interval: Option<rule::Interval>,
    /// How to print.
    #[arg(long, short, value_enum, default_value_t = StoreFormat::Text)]
    pub(crate) format: StoreFormat,
}

#[derive(Debug, Args)]
pub(crate) struct Stats {
    #[command(flatten)]
    pub(crate) folder: Folder,
    /// Only alerts that were raised at this time or later.
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    /// Only alerts that were raised before this time.
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<String>,
    /// The time that `now` stands for. Default: the clock.
    #[arg(long, value_name = "TIME")]
    pub(crate) now: Option<String>,
    /// How to print.
    #[arg(long, short, value_enum, default_value_t = StoreFormat::Text)]
    pub(crate) format: StoreFormat,
}

#[derive(Debug, Args)]
pub(crate) struct Log {
    #[command(flatten)]
    pub(crate) folder: Folder,
    /// Only what was done at this time or later.
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    /// Only what was done before this time.
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<String>,
    /// Only what was done by this author.
    #[arg(long, value_name = "WHO")]
    pub(crate) author: Option<String>,
    /// Only what was done to this: "alert ID", "silence 3", "incident 4", or the first word alone.
    #[arg(long, value_name = "WHAT")]
    pub(crate) subject: Option<String>,
    /// So many entries at most, the newest first; 0 is all.
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) limit: usize,
    /// The time that `now` stands for. Default: the clock.
    #[arg(long, value_name = "TIME")]
    pub(crate) now: Option<String>,
    /// How to print: JSON is one entry a line.
    #[arg(long, short, value_enum, default_value_t = StoreFormat::Text)]
    pub(crate) format: StoreFormat,
}

/// Who does something, and when.
#[derive(Debug, Args)]
pub(crate) struct By {
    #[command(flatten)]
    pub(crate) folder: Folder,
    /// Who does this: it is written down.
    #[arg(long = "as", value_name = "WHO", env = "USER", default_value = "somebody")]
    pub(crate) author: String,
    /// The time that it is. Default: the clock.
    #[arg(long, value_name = "TIME")]
    pub(crate) now: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SilenceCommand {
    /// For a while, do not hear of some alerts: they are raised and kept, marked, and left out of lists and notifications.
    Add(AddSilence),
    /// Silences, the newest first, and how many alerts were raised in each.
    List {
        #[command(flatten)]
        folder: Folder,
        /// Also those that have ended.
        #[arg(long)]
        all: bool,
        /// The time that it is. Default: the clock.
        #[arg(long, value_name = "TIME")]
        now: Option<String>,
        /// How to print.
        #[arg(long, short, value_enum, default_value_t = StoreFormat::Text)]
        format: StoreFormat,
    },
    /// End a silence before its time.
    End {
        /// Its number.
        #[arg(value_name = "SILENCE")]
        id: i64,
        #[command(flatten)]
        by: By,
    },
}

#[derive(Debug, Args)]
pub(crate) struct AddSilence {
    /// The alerts of this rule, by its id or its name.
    #[arg(long, value_name = "RULE", required_unless_present = "query")]
    pub(crate) rule: Option<String>,
    /// The alerts that satisfy this query (KQL); with --rule, those of the rule that do.
    #[arg(long, value_name = "QUERY")]
    pub(crate) query: Option<String>,
    /// Why.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    /// When it ends: a date, or date math such as now+4h.
    #[arg(long, value_name = "TIME")]
    pub(crate) until: String,
    /// Make nothing: say which alerts of the last 30 days it would have been about.
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) by: By,
}

#[derive(Debug, Subcommand)]
pub(crate) enum IncidentCommand {
    /// Incidents, those with the newest events first.
    List {
        #[command(flatten)]
        folder: Folder,
        /// Only incidents of this status.
        #[arg(long, value_parser = statuses(), value_name = "STATUS")]
        status: Option<WorkflowStatus>,
        /// The most that are printed; 0 is all.
        #[arg(long, value_name = "N", default_value_t = 100)]
        limit: usize,
        /// How to print.
        #[arg(long, short, value_enum, default_value_t = StoreFormat::Text)]
        format: StoreFormat,
    },
    /// An incident, its alerts in the order of their events, and what was done with it.
    Show {
        /// Its number.
        #[arg(value_name = "INCIDENT")]
        id: i64,
        #[command(flatten)]
        folder: Folder,
        /// How to print.
        #[arg(long, short, value_enum, default_value_t = StoreFormat::Text)]
        format: StoreFormat,
    },
    /// Say that somebody looks at an incident and all its alerts.
    Acknowledge(OneIncident),
    /// Say that an incident and all its alerts are done with.
    Close {
        #[command(flatten)]
        which: OneIncident,
        /// Why.
        #[arg(long, value_parser = reasons(), value_name = "REASON")]
        reason: Option<ClosingReason>,
    },
    /// Say that an incident and all its alerts are not done with.
    Reopen(OneIncident),
    /// Say who looks after an incident and all its alerts.
    Assign {
        #[command(flatten)]
        which: OneIncident,
        /// Somebody who does. May be given several times.
        #[arg(long = "to", value_name = "WHO")]
        add: Vec<String>,
        /// Somebody who does not any more. May be given several times.
        #[arg(long, value_name = "WHO")]
        remove: Vec<String>,
    },
    /// Say something about an incident and all its alerts.
    Note {
        #[command(flatten)]
        which: OneIncident,
        /// What.
        #[arg(long, value_name = "TEXT")]
        text: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ExceptionCommand {
    /// Except from the rule of an alert what is like it.
    ///
    /// By default what `investigate` proposes: the identity, its tool and its address together. Executions know of it from the
    /// next slot on; alerts that there are stay, unless --close says otherwise.
    Add(AddException),
    /// The exceptions that were made here or over the API.
    List {
        #[command(flatten)]
        folder: Folder,
        /// How to print: JSON is one item a line.
        #[arg(long, short, value_enum, default_value_t = StoreFormat::Text)]
        format: StoreFormat,
    },
    /// Remove an exception: executions are without it from the next slot on.
    Remove {
        /// Its id.
        #[arg(value_name = "ITEM_ID")]
        id: String,
        #[command(flatten)]
        by: By,
    },
}

#[derive(Debug, Args)]
pub(crate) struct AddException {
    /// The alert's id, or the beginning of it.
    #[arg(value_name = "ALERT_ID")]
    pub(crate) id: String,
    /// Why.
    #[arg(long, value_name = "TEXT")]
    pub(crate) comment: String,
    /// When it ends: a date, date math such as now+30d, or `never`. Default: in 30 days.
    #[arg(long, value_name = "TIME")]
    pub(crate) expires: Option<String>,
    /// A field of the alert, all of whose values must be the same, instead of what is proposed. May be given several times.
    #[arg(long = "field", value_name = "FIELD")]
    pub(crate) fields: Vec<String>,
    /// Close the alerts that it would have hidden.
    #[arg(long)]
    pub(crate) close: bool,
    /// Why they are closed.
    #[arg(long, value_parser = reasons(), value_name = "REASON", requires = "close")]
    pub(crate) reason: Option<ClosingReason>,
    /// Make nothing: say which alerts of the last 30 days it would have hidden.
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) rules: RuleSource,
    #[command(flatten)]
    pub(crate) by: By,
}

/// An incident that is changed.
#[derive(Debug, Args)]
pub(crate) struct OneIncident {
    /// Its number.
    #[arg(value_name = "INCIDENT")]
    pub(crate) id: i64,
    #[command(flatten)]
    pub(crate) by: By,
}
