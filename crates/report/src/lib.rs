//! What a hunt found, for people and for scripts.
//!
//! [`write()`] prints alerts in the [`Format`] asked for, a [`Part`] each; [`Format::Summary`] is what a person sees on a
//! terminal: what happened when, by whom, from where; counts by rule and tactic; a small time line; and a notice
//! for everything that was skipped. [`rules`] prints rules.
//!
//! **Left out on purpose.** Nothing here decides anything: it prints what it is given. No colour is written
//! unless [`Terminal::colour`] says so.

mod alert;
pub mod completeness;
mod csv_format;
mod explanation;
mod field_words;
mod format;
mod guide;
pub mod investigation;
mod lines;
mod markdown;
mod ocsf;
mod one_by_one;
pub mod page;
pub mod rule_tests;
pub mod rules;
pub mod runbook;
mod summary;
mod table;
mod timeline;
mod timesketch;
mod words;

pub use alert::{Alert, StandsOn};
pub use csv_format::harmless;
pub use explanation::{ExplainedEvent, Raised, RuleVerdict, explanation};
pub use format::{Format, Part, write};
pub use summary::{Coverage, Remark, Summary};
pub use table::{Cell, clean, grid};
pub use words::{Terminal, bytes, count, plural, when};
