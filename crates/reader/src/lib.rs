//! Paths in, records out: files, folders and archives of audit trails, cut into single JSON texts.
//!
//! [`Discovery`] finds the files. A [`Reader`] reads one of them at a time and gives each [`Record`] and each
//! [`Problem`] to a [`Sink`]. Files are independent of each other, so the caller reads them on as many threads as it
//! likes, with one reader a thread.
//!
//! ```
//! use std::ops::ControlFlow;
//!
//! #[derive(Default)]
//! struct Count(u64);
//! impl reader::Sink for Count {
//!     fn record(&mut self, record: reader::Record<'_>) -> ControlFlow<()> {
//!         assert_eq!(record.kind, reader::RecordKind::CloudTrail);
//!         self.0 += 1;
//!         ControlFlow::Continue(())
//!     }
//!     fn problem(&mut self, problem: reader::Problem) {
//!         panic!("{problem}");
//!     }
//! }
//!
//! let mut stdin = &br#"{"Records":[{"eventVersion":"1.08"},{"eventVersion":"1.09"}]}"#[..];
//! let found = reader::Discovery::find(&["-".into()], &mut stdin).unwrap();
//! let mut count = Count::default();
//! reader::Reader::default().read(&found.inputs[0], &mut count);
//! assert_eq!(count.0, 2);
//! ```
//!
//! **What a file is, its content tells**, not its name: gzip (also of several members), Zstandard, bzip2, xz, zip and tar with
//! files like these inside, JSON in any layout, tables with records in their cells, Parquet likewise (a feature of the build). Text is cut at the brackets, in one
//! pass, without parsing it.
//!
//! **What an object is** ([`Reading::Trail`]). Two tables tell: one by which members an object is known, one under which of
//! them records may stand, as an object, as text, in a list. They compose, so that a record in an SNS message in an SQS
//! message in a search hit is found, down to [`Limits::wrappers`]. Whole files are opened the same way; the arrays of those that
//! may be long (`Records`, `Events`, `logEvents`, the hits of Elasticsearch) are gone through without holding them.
//!
//! An Elastic document that was normalised already (it has an `event.action` or `aws.cloudtrail`) stays as it is, for that
//! is what rules would have seen in the index; one that only carries the record (`event.original`, `message`) gives the
//! record, to be normalised here. What is known and is no record, such as notifications of S3 or another cloud's logs,
//! is named ([`Cause::Other`]).
//!
//! **What lies in a store** comes as an [`Input`], too ([`Input::stored`]): a [`Stored`] gives its records, and everybody who
//! reads files reads them alike.
//!
//! **What lies elsewhere**, such as an object of a bucket, is an [`Input`] as well ([`Input::elsewhere`]). The program says
//! who finds it ([`open_remotes_with`]); from then on its address is good wherever a path is, and [`Ahead`] has it fetched
//! before it is read.
//!
//! **Left out on purpose.** Nothing here parses a record or knows ECS. Broken records are found by what breaks the
//! reading of their neighbours; whether one is JSON in every respect is for the parser to say. Memory depends on
//! [`Limits`], not on the input.

mod discover;
mod limits;
mod s3;

#[cfg(feature = "parquet")]
mod columnar;
mod problem;
mod read;
mod record;
mod remote;
mod stored;
mod table;
mod texts;
mod unpack;

mod gzip;
mod hash;
mod meter;
mod sniff;

mod known;

mod clues;
mod decode;
mod open;
mod prefix;

mod envelope;
mod frame;
mod scan;
mod target;
mod walk;
mod window;

pub use discover::{Discovery, Input, PathError, PathNotice, keep_records};
pub use known::Other;
pub use limits::{Limits, Options, Reading};
pub use problem::{Cause, Problem, TextPlace};
pub use read::Reader;
pub use record::{FileText, Progress, Record, RecordKind, Sink, Totals};
pub use remote::{Ahead, Begun, Remote, RemoteBody, RemoteError, Remotes, is_remote, open_remotes_with};
pub use s3::{DELIVERY_SKEW_MS, Delivery, S3Key};
pub use stored::{
    Ingested, Stored, StoredError, StoredEvents, StoredPart, StoredRecord, StoredTexts, TakePart, TakeStored,
};
