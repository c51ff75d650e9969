//! The suites of EQL.

mod data;
mod events;
mod fold;
mod parse;
mod sequences;

pub(crate) use events::cases as event_cases;
pub(crate) use fold::cases as fold_cases;
pub(crate) use parse::cases as parse_cases;
pub(crate) use sequences::{cases as sequence_cases, series_cases};
