//! Checks a rule's tree against the format: every field's shape first, then what the fields mean together.

mod shape;
mod types;

pub(crate) use shape::{REFERENCE, Text, check_table, integer};
pub(crate) use types::check_rule;
