//! A segment: some events of a day in a Parquet file, sorted by time.
//!
//! Columns: what every event has ([`schema`]), then one a field ([`crate::column`]), then the record. A file is written once
//! and never changed. Its row says the hash of every part of it that is read apart ([`Checksums`]): nothing reaches a decoder
//! that is not as it was written.

mod checksums;
mod part;
mod provenance;
mod read;
mod records;
mod schema;
mod texts;
mod write;

pub(crate) use checksums::Checksums;
pub(crate) use read::Segment;
pub(crate) use write::{Effort, Row, Written, write};
