//! Checks a rule's tree against the format: every field's form first, then what the fields mean together.

mod form;
mod types;

pub(crate) use form::{REFERENCE, Text, check_table, integer};
pub(crate) use types::check_rule;
