//! Tests of rules: the events of a test are made, its rule is hunted with, and what came is compared with what must.
//!
//! A test runs through [`hunt::hunt`], the same pass and the same executions as any hunt: what it shows is what happens.
//! [`run`] runs all tests of some files; [`draft()`] makes a test of an alert, with everything in it that tells who or
//! where replaced.
//!
//! **Left out on purpose.** What a test file may say is `rule`'s business; how results are printed is `report`'s.

mod compare;
mod draft;
#[cfg(test)]
mod kinds;
mod proposal;
mod pseudonyms;
mod record;
mod run;

pub use draft::{DraftError, draft, events, redact};
pub use proposal::proposal;
pub use run::{Options, Outcome, Report, Tested, run};
