//! Instants: lengths of time, intervals, units, and what dates look like in Java's patterns.

pub(crate) mod pattern;
pub(crate) mod span;
pub(crate) mod unit;

pub use pattern::{DatePattern, DatePatternError};
