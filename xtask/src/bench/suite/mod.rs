//! One suite a file: which processes run, and what their times come to.

pub(super) mod alerts;
pub(super) mod identical;
pub(super) mod limit;
pub(super) mod live;
pub(super) mod new_terms;
pub(super) mod phases;
pub(super) mod replay;
pub(super) mod rules;
pub(super) mod store;
pub(super) mod tails;
