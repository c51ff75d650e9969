//! Why detection cannot go on.

use std::path::PathBuf;

use ecs::Millis;
use hunt::HuntError;
use span::Diagnostic;
use store::StoreError;

/// What is wrong.
#[derive(Debug, thiserror::Error)]
pub enum LiveError {
    /// There is nothing of detection in the folder.
    #[error(
        "`{}` holds no alerts; `trailwarden detect --store DIR` makes them of a store's events", path.display()
    )]
    NoBook {
        /// The folder.
        path: PathBuf,
    },
    /// A later version wrote it.
    #[error("live.db has format {found}, and this version knows formats up to {known}; use a newer version")]
    Newer {
        /// The database's.
        found: i64,
        /// The last that is known.
        known: i64,
    },
    /// Another process executes rules over the store.
    #[error("rules are executed over `{}` by another process; stop that, or ask it", path.display())]
    Locked {
        /// The folder.
        path: PathBuf,
    },
    /// The database refused.
    #[error("the database of alerts (`{}`): {source}", path.display())]
    Database {
        /// The database's file.
        path: PathBuf,
        /// What it said.
        source: rusqlite::Error,
    },
    /// The operating system refused.
    #[error("`{}` cannot be locked: {source}", path.display())]
    Lock {
        /// The file.
        path: PathBuf,
        /// What it said.
        source: std::io::Error,
    },
    /// Another process went on in the middle of ours: nothing of the slot was kept.
    #[error("somebody else executed `{rule}` meanwhile")]
    Overtaken {
        /// The rule's name.
        rule: String,
    },
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A part of the store cannot be read: nothing was executed without it.
    #[error(
        "a part of the store cannot be read, and nothing is executed without it: {detail}; put the file of a backup in its \
         place, or stop the server and let `trailwarden store discard` set it aside"
    )]
    Unreadable {
        /// What.
        detail: String,
    },
    /// No rule can run.
    #[error(transparent)]
    Rules(#[from] HuntError),
    /// No rule is called that.
    #[error("no rule that runs has the id or the name `{name}`")]
    NoRule {
        /// What was given.
        name: String,
    },
    /// There is no such alert.
    #[error("there is no alert whose id is, or begins with, `{}`", id.escape_debug())]
    NoAlert {
        /// What was given.
        id: String,
    },
    /// Several alerts' ids begin like that.
    #[error("the ids of several alerts begin with `{}`; give more of it", id.escape_debug())]
    SeveralAlerts {
        /// What was given.
        id: String,
    },
    /// A histogram that nobody could look at.
    #[error("that makes {count} buckets; there are {most} at most: choose longer ones, or less time")]
    TooManyBuckets {
        /// How many it would have.
        count: u64,
        /// The most.
        most: usize,
    },
    /// It would silence everything.
    #[error("a silence says which alerts it is about: those of a rule, those that satisfy a query, or both")]
    NoScope,
    /// Nobody could say later why it was done.
    #[error("say why: whoever looks at it later must know")]
    NoReason,
    /// A silence that never begins, or never ends.
    #[error(
        "a silence ends in the future, and within {days} days; what nobody wants to hear of for good is an exception"
    )]
    SilenceEnds {
        /// The longest.
        days: Millis,
    },
    /// There is no such silence.
    #[error("there is no silence {id}")]
    NoSilence {
        /// What was given.
        id: i64,
    },
    /// It is over.
    #[error("silence {id} is over")]
    SilenceEnded {
        /// Which.
        id: i64,
    },
    /// There is no such incident.
    #[error("there is no incident {id}")]
    NoIncident {
        /// What was given.
        id: i64,
    },
    /// An exception that no rule could apply.
    #[error("the exception cannot be applied: {}", .0.iter().map(|it| format!("{}: {}", it.code, it.message)).collect::<Vec<_>>().join("; "))]
    Exception(Vec<Diagnostic>),
    /// A search that cannot be understood.
    #[error("{}", .0.iter().map(|it| format!("{}: {}", it.code, it.message)).collect::<Vec<_>>().join("; "))]
    Query(Vec<Diagnostic>),
    /// Whoever was changing rules refused it, or what was to be changed is not there.
    #[error("nothing was changed")]
    Refused,
    /// What was written down of a rule cannot be read any more.
    #[error("what was in force of rule `{rule}` cannot be read: {detail}")]
    Version {
        /// The rule.
        rule: String,
        /// What is wrong.
        detail: String,
    },
}

impl LiveError {
    /// A stable code for documentation, tests and output. Codes are never reused.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoBook { .. } => "LIVE001",
            Self::Newer { .. } => "LIVE002",
            Self::Locked { .. } => "LIVE003",
            Self::Database { .. } => "LIVE004",
            Self::Lock { .. } => "LIVE005",
            Self::Overtaken { .. } => "LIVE006",
            Self::Store(error) => error.code(),
            Self::Unreadable { .. } => "LIVE007",
            Self::Rules(_) => "LIVE008",
            Self::NoRule { .. } => "LIVE009",
            Self::NoAlert { .. } => "LIVE010",
            Self::SeveralAlerts { .. } => "LIVE011",
            Self::Query(_) => "LIVE012",
            Self::TooManyBuckets { .. } => "LIVE020",
            Self::NoScope => "LIVE021",
            Self::NoReason => "LIVE022",
            Self::SilenceEnds { .. } => "LIVE023",
            Self::NoSilence { .. } => "LIVE024",
            Self::SilenceEnded { .. } => "LIVE025",
            Self::NoIncident { .. } => "LIVE026",
            Self::Exception(_) => "LIVE027",
            Self::Refused => "LIVE013",
            Self::Version { .. } => "LIVE014",
        }
    }
}
