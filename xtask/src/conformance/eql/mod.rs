//! The suites of EQL.

mod data;
mod events;
mod fold;
mod parse;

pub(crate) use events::cases as event_cases;
pub(crate) use fold::cases as fold_cases;
pub(crate) use parse::cases as parse_cases;
