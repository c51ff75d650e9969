//! Commands that see more than one row at a time.

pub(crate) mod accumulate;
pub(crate) mod lookup;
pub(crate) mod stats;
