//! Executions of rules: the matches of a filter in, alerts out.
//!
//! A [`Tail`] says what the executions of one rule need; [`Tails`] are those of all rules, with their filters and the
//! columns that they ask for numbered. A [`Collector`] takes the events that the filters let through, from many threads
//! and in any order; the finished [`Matches`] execute a rule ([`Matches::execute`]): every execution of its schedule over
//! the past, or one over the whole range ([`Mode`]). The [`Outcome`] holds the seeds of alerts; [`build`] makes the
//! document of one from the document of its event. [`Matches::fates`] says what became of one event.
//!
//! ```
//! use detect::{Collector, DataSpan, EventInfo, KnownAlerts, Limits, Mode, Origin, Tail, Tails};
//!
//! let rules = rule::load_text("demo.toml", r#"
//!     [rule]
//!     name = "Root logs in"
//!     description = "The root user signed in."
//!     severity = "high"
//!     risk_score = 73
//!     type = "query"
//!     query = "event.action: ConsoleLogin and aws.cloudtrail.user_identity.type: Root"
//! "#).rules;
//! let mode = Mode::Replay { since: None, until: None };
//! let tail = Tail::new(&rules[0], mode, &ecs::Catalog::ecs())?;
//! let mut collector = Collector::new(Tails::new(vec![tail]).into());
//! collector.name_indices(&["logs-aws.cloudtrail-default".to_owned()]);
//! for (ordinal, time) in [(0, 1_767_225_630_000), (1, 1_767_312_030_000)] {
//!     let id = format!("event-{ordinal}");
//!     let info = EventInfo { id: &id, index: 0, timestamp: time, origin: Origin { input: 0, ordinal } };
//!     collector.event(info).push(0, None, &[]);
//! }
//! let matches = collector.finish();
//! let span = DataSpan { first: 1_767_225_600_000, last: 1_767_398_400_000, complete_from: None };
//! let outcome = matches.execute(0, span, &KnownAlerts::default(), Limits::default())?;
//! assert_eq!(outcome.alerts.len(), 2);
//! // The first execution after each event; the other 575 had nothing new in their range.
//! assert_eq!((outcome.executions.total, outcome.executions.run), (577, 2));
//! # Ok::<(), detect::TailError>(())
//! ```
//!
//! **What makes it right.** A replay is one scheduled execution after the other. It steps over those that
//! cannot say anything new, and a new-terms rule keeps no list of events; the tests (`twin/`) compare both with
//! every execution done by the book.
//!
//! **A rule type is one module** (`rule_type/`): what it needs of an event, how it gathers matches and forgets them, how
//! it executes, its part of an alert, why an event did not alert. `rule_type/mod.rs` is the list of them: nothing else
//! names a type. A type that keeps values gets them as numbers, typed by the catalogue, with each match.
//!
//! **Alerts alike** suppress one another where a rule says so (`suppression.rs`), whatever its type: a type offers all that
//! an execution would raise, each with what makes it alike others.
//!
//! **Left out on purpose.** No files, no blocks, no query languages, no clock: time is an argument. An event
//! delivered several times is one event: for a query rule the copy read first, and a new-terms rule counts it once.

mod schedule;
mod tail;
mod tails;
mod term;

mod collect;

mod rule_type;

mod execute;
mod fate;
mod replay;
mod slots;
mod suppression;
mod writer;

mod id;
mod known;
mod outcome;

mod alert;

#[cfg(test)]
mod twin;

pub use alert::{
    AlertWriter, Asked, Outline, RuleFields, build, build_asked, build_blocks, build_shell, may_match,
    paths_of_event, tell_sequence,
};
pub use collect::{Behind, Collector, EventInfo, EventMatches, Matches};
pub use ecs::Origin;
pub use execute::{Limits, SlotOutcome, Turn};
pub use fate::{Fate, Stuck};
pub use known::{KnownAlertError, KnownAlerts};
pub use outcome::{
    AlertSeed, DataSpan, Execution, Executions, Metrics, Outcome, SeedEvent, Warning, WarningKind,
};
pub use rule_type::{
    COMBINATIONS_MAX, Detail, JOIN_KEYS_MAX, QueryResult, Row, SEQUENCES_BEGUN_MAX, Sequence, SequenceEvent,
    ThresholdResult,
};
pub use schedule::TICKS_MAX;
pub use slots::{OverAlerts, SLOTS_AFTER_LAST_ALERT_MAX, execute_over_alerts};
pub use suppression::{Suppressed, SuppressedMore};
pub use tail::{ALERTS_PER_EXECUTION_MAX, Mode, SPACE, Tail, TailError};
pub use tails::{ColumnNumber, Tails};
pub use term::{Term, TermId};
