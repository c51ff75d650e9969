//! What could not have been seen: whether the records that are here are all that there were.
//!
//! Three questions, each a function of facts that somebody gathered:
//!
//! * [`check`]: do the files agree with the digest files of their trails, and these with each other and with their
//!   signatures? CloudTrail lists every file that it delivered, with its hash, in an hourly digest file; each digest names
//!   the one before it, with its hash and signature.
//! * [`blind_ranges`]: when did a trail not record, or record less, because somebody said so?
//! * [`gaps`]: where are there no records of an account and a region, although its own rhythm says that there should be?
//!
//! ```
//! use complete::{Hours, Why, gaps};
//!
//! // Ten days, twenty records an hour; on the eighth day three hours are missing.
//! let mut hours = Hours::default();
//! for hour in (0..240).filter(|hour| !(180..183).contains(hour)) {
//!     hours.add("111122223333", "eu-west-1", hour * 3_600_000, 20);
//! }
//! let found = gaps(&hours).gaps;
//! assert_eq!((found[0].from / 3_600_000, found[0].to / 3_600_000), (180, 183));
//! assert_eq!(found[0].why, Why::Rhythm { days: 6, least: 60 });
//! ```
//!
//! **What is not known is not good.** A digest without a signature, or whose key is not given, is said to be unconfirmed;
//! an account with too few days is said to have too few to tell.
//!
//! **Left out on purpose.** No files, no clock, no network: keys, signatures and hashes are given. Nothing here panics on
//! input, however hostile the digest.

mod digest;
mod hash;
mod key;

mod chain;
mod check;
mod listed;

mod blind;
mod calls;
mod selectors;

mod gaps;

mod range;

pub use blind::{Aspect, BlindRange, CALLS_SHOWN, Cause, blind_ranges};
pub use calls::{Call, Means, Subject, SubjectKind, call, filter};
pub use chain::{Chain, ChainProblem, ChainStart, SignatureCounts};
pub use check::{DigestCheck, DigestFile, FileFact, StoredSignature, check, signature_in};
pub use digest::{Digest, DigestError, ListedFile, Previous, TrailName};
pub use gaps::{Gap, Gaps, Hours, Series, Why, gaps};
pub use hash::Sha256;
pub use key::{KeyError, Keys};
pub use listed::{ChangedFile, MissingFile, NotCovered, NotCoveredWhy, file_name};
pub use range::Range;
pub use selectors::Selectors;
