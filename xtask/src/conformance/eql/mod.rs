//! The suites of EQL.

mod parse;

pub(crate) use parse::cases as parse_cases;
