//! Detection around the clock over a store: what is due is executed, exactly once and in order, and what came of it is kept.
//!
//! [`Engine`] executes rules slot by slot over what was ingested by then, and keeps all of it in a database beside the
//! store's, one transaction a slot: the executions with what they counted and warned of, the alerts, and how far each rule
//! is. So a process may be killed at any time: what was committed was executed, the rest is due. [`Book`] is that database for
//! whoever reads it, or says what became of an alert, also while an engine runs.
//!
//! ```text
//! DIR/
//!   trailwarden.db, events/    the store
//!   live.db                    SQLite: rules and how far they are, slots, executions, gaps, alerts, silences, incidents,
//!                              who changed them; rules, exceptions and value lists that people keep ([`Rulebook`])
//!   live.lock                  held by the engine
//! ```
//!
//! **What an execution sees.** The events that had been ingested when it started, and no others: a slot's row says up to
//! which time of ingestion that was (`seen`), and times of ingestion ascend from batch to batch. So a hunt over the store can
//! do the same again at any time ([`Book::as_live`], `hunt --as-live`).
//!
//! **What an execution knows** of what was said before are the alerts in the database. Matches are kept in memory, as far back
//! as the rules look, and made anew from the store when an engine begins: whether that happened changes nothing.
//!
//! **Nothing is left out silently.** Slots that were missed are executed late, each over its own range. What was missed for
//! longer than [`Options::catch_up`], while a rule was away, or because it failed, is a [`Gap`]; so are slots whose range holds
//! events that were ingested after they had been executed. Gaps are filled: their slots are executed once more.
//!
//! **Left out on purpose.** No clock, no threads of its own, no network: time and events are arguments, so that a year of
//! operation runs in seconds in tests.

mod error;
mod events;
mod schema;

mod book;
mod feed;
mod gap;
mod ledger;
mod report;

mod actions;
mod alerts;
mod compose;
mod excepting;
mod incident;
mod quality;
mod search;
mod silence;
mod told;
mod workflow;

mod rulebook;

mod engine;
mod fill;
mod options;
mod plan;
mod ready;

pub use actions::{LogEntry, LogSearch};
pub use alerts::Changed;
pub use book::{Book, Counts, ExecutionRow, RuleState};
pub use engine::{Advanced, Engine};
pub use error::LiveError;
pub use events::{CountedSegment, Events, StoredEvents};
pub use excepting::{MadeException, NewException, except};
pub use feed::{Ended, News, Place};
pub use gap::{Gap, Reason};
pub use incident::{Incident, QUIET};
pub use options::{CATCH_UP, FillLimits, Options};
pub use quality::{Quality, RuleQuality};
pub use report::{ExecutionReport, Kind, NewAlert, SlotReport, Status};
pub use rulebook::{
    Counted, DEFAULT_LIST, Edit, InForce, Kept, KeptKind, NewKept, Rulebook, Unread, list_key,
};
pub use search::{BUCKETS_MAX, Facet, FoundAlerts, Histogram, Search, Silenced};
pub use silence::{NewSilence, SILENCE_MAX, Silence, Tried};
pub use workflow::{AuditEntry, Change, ClosingReason, WorkflowStatus};
