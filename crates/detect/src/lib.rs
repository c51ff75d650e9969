//! Executions of rules: the matches of a filter in, alerts out.
//!
//! A [`Plan`] says what the executions of one rule need. A [`Collector`] takes the events that the rules'
//! filters let through, from many threads and in any order; the finished [`Matches`] execute a rule
//! ([`Matches::execute`]): every execution of its schedule over the past, or one over the whole range
//! ([`Mode`]). The [`Outcome`] holds the seeds of alerts; [`build`] makes the document of one from the document
//! of its event.
//!
//! ```
//! use detect::{Collector, DataSpan, EventInfo, KnownAlerts, Limits, Mode, Origin, Plan};
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
//! let plan = Plan::new(&rules[0], Mode::Replay { since: None, until: None })?;
//! let mut collector = Collector::new([plan].into());
//! collector.name_indices(&["logs-aws.cloudtrail-default".to_owned()]);
//! for (ordinal, time) in [(0, 1_767_225_630_000), (1, 1_767_312_030_000)] {
//!     let id = format!("event-{ordinal}");
//!     let info = EventInfo { id: &id, index: 0, timestamp: time, origin: Origin { input: 0, ordinal } };
//!     collector.event(info).push(0, None, &[]);
//! }
//! let matches = collector.finish();
//! let span = DataSpan { first: 1_767_225_600_000, last: 1_767_398_400_000 };
//! let outcome = matches.execute(0, span, &KnownAlerts::default(), Limits::default())?;
//! assert_eq!(outcome.alerts.len(), 2);
//! // The first execution after each event; the other 575 had nothing new in their range.
//! assert_eq!((outcome.executions.total, outcome.executions.run), (577, 2));
//! # Ok::<(), detect::PlanError>(())
//! ```
//!
//! **What makes it right.** A replay is one scheduled execution after the other. It steps over those that
//! cannot say anything new, and a new-terms rule keeps no list of events; the tests (`twin/`) compare both with
//! every execution done by the book.
//!
//! **Left out on purpose.** No files, no blocks, no query languages, no clock: time is an argument. An event
//! delivered several times is one event for a query rule, the copy read first. A new-terms rule needs no such
//! care, as seeing a term twice at a time is seeing it once; only which of the new terms come first where there
//! are more than `max_signals` goes by the number of deliveries.

mod collect;
mod plan;
mod schedule;

mod execute;
mod tail;

mod id;
mod known;
mod outcome;

mod alert;

#[cfg(test)]
mod twin;

pub use alert::{AlertWriter, Outline, RuleFields, build, paths_of_event};
pub use collect::{
    COMBINATIONS_MAX, Collector, EventInfo, EventMatches, FieldNumber, Matches, Origin, Term, TermId,
};
pub use execute::Limits;
pub use known::{KnownAlertError, KnownAlerts};
pub use outcome::{
    AlertSeed, DataSpan, Detail, Execution, Executions, Metrics, Outcome, SeedEvent, Warning, WarningKind,
};
pub use plan::{ALERTS_PER_EXECUTION_MAX, Mode, Plan, PlanError, SPACE};
pub use schedule::TICKS_MAX;
