//! What is told of a hunt: who did what to what, in which order, and how sure that is.
//!
//! [`tell`] makes a [`Portrait`] of each actor behind the alerts: one sentence, its [`Deed`]s in the order in which they
//! began, and its story: all its calls, alike ones folded into an [`Act`], with the alerts among them. Nothing of a story is
//! left out; what is folded keeps its events.
//!
//! Sentences are ours, in English or Simplified Chinese; values of events stand between back-quotes, as in evidence.
//!
//! **Left out on purpose.** No output format, no files, no verdict: a deed says what was done, not whether it was right.

mod fold;
mod portrait;
mod share;
mod tell;
mod words;

pub use fold::{Act, Each};
pub use investigate::DeedKind;
pub use portrait::{Counted, Deed, Portrait};
pub use share::{Grantee, shares};
pub use tell::{Mark, tell};
