//! Events kept: taken in once, hunted as often as one likes.
//!
//! [`Store::open_or_create`] and [`add`] take records in; [`Store::open`] and [`Store::inputs`] give them back as inputs of the
//! reader, so that whoever reads files reads a store in the same way, and hunts find the same.
//!
//! ```text
//! DIR/
//!   trailwarden.db                       SQLite: which segments count, which files were taken in, what became of records
//!   events/day=2026-03-01/0000000001.parquet    a segment: events of a day, sorted by time
//!   incoming/                            segments that are being written
//!   replaced/                            segments that a compaction replaced, for whoever still reads them
//! ```
//!
//! **What counts.** A segment is written to `incoming`, synced, moved to its day and counts once its row is committed, with
//! all others of its batch, the files they came from and what became of their records. What lies in the folder without a
//! row is of a batch that did not end: it is removed before anything else is written. So a process may be killed at any
//! time: what it said was stored is, and to add the same again stores nothing twice.
//!
//! **Who runs all the time** has an [`Ingest`], which takes what sources deliver, files or bytes from memory, as one batch:
//! the events, the files they were and each source's account count together, or not at all. What could not be read is kept
//! with them as a dead [`Letter`].
//!
//! **What is one event.** A record that was stored before, byte for byte and with the same `_id` and `_index`, is a
//! duplicate. One of the same `_id` that differs is kept beside it, as it is in files; its `delivery` says so, for whoever
//! counts events in the Parquet files. Since an event happens once, only its own day is looked through.
//!
//! **Left out on purpose.** No clock and no threads that outlive a call: time is an argument, so that simulation covers
//! this. No second normaliser: a document is made of the record, by whoever asks for it.

mod column;
mod day;
mod error;

mod add;
mod catalog;
mod folder;
mod fresh;
mod ingest;
mod known;
mod letters;
mod overview;
mod piece;
mod reading;
mod segment;

mod backup;
mod compact;
mod discard;
mod replaced;
mod retain;
mod upkeep;

pub use add::{AddOptions, Added, Step, Trouble, add};
pub use backup::{Copied, Copying, copy};
pub use catalog::{Accounting, SourceAccount};
pub use compact::{Compacted, Compaction, compact};
pub use day::Day;
pub use discard::{Discarded, discard};
pub use error::StoreError;
pub use folder::Store;
pub use ingest::{Delivered, Delivery, Fate, Ingest, IngestOptions, RecordFate, Refused, Wants};
pub use letters::{LETTER_BYTES_MAX, LetGo, Letter, LetterAccount, LetterContents, LetterLimits};
pub use overview::{Check, DayOverview, Overview};
pub use retain::{Pruned, Reason, Removed, Retention, prune};
