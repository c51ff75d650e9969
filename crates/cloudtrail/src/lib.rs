//! From a CloudTrail record to an ECS event.
//!
//! [`RecordBuf`] parses the text of a record; a [`Normaliser`] makes its document, the same that the `cloudtrail`
//! data stream of Elastic's AWS integration makes, as a tree or as text; [`Columns`] fills only the columns that somebody asks for. Both
//! go through one definition of each field, so a column holds exactly what the document holds at its path.
//!
//! ```
//! use cloudtrail::{Normaliser, Options, ReadAt, RecordBuf};
//!
//! let text = br#"{"eventTime": "2026-02-03T04:05:06Z", "eventName": "DeleteTrail",
//!     "eventSource": "cloudtrail.amazonaws.com", "errorCode": "AccessDenied"}"#;
//! let mut buf = RecordBuf::default();
//! let document = Normaliser::new(Options::default()).document(&buf.parse(text), &ReadAt::new(0));
//! assert_eq!(document["@timestamp"], "2026-02-03T04:05:06.000Z");
//! assert_eq!(document["event"]["action"], "DeleteTrail");
//! assert_eq!(document["event"]["outcome"], "failure");
//! ```
//!
//! **Left out on purpose.** The crate reads no files but the databases of [`Geo`], knows no clock and no rules. It
//! finds no records in files and sets no `_index`.
//!
//! **Where the mapping surprises.** The texts of request parameters list their keys in the order of a Java
//! `HashMap`; `"none"` and `"-"` vanish wherever they stand; the name of an assumed role's user is the role.

mod actions;
mod bytes;
mod columns;
mod distinct;
mod document;
mod emit;
mod entity;
mod event;
mod facts;
mod field;
mod geo;
mod identity;
mod keys;
mod normalise;
mod options;
mod record;
mod related;
mod render;
mod scratch;
mod subtree;
mod text;
mod time;
mod traits;
mod tree;
mod user_agent;
mod vocabulary;

pub use bytes::TimeFinder;
pub use columns::Columns;
pub use document::{Fields, paths};
pub use event::{Call, Event, EventHead, event_id};
pub use geo::{Geo, GeoError};
pub use normalise::Normaliser;
pub use options::{Envelope, Options, Original, ReadAt, Retain, Version};
pub use record::{MAX_DEPTH, MAX_RECORD_BYTES, ParseError, Record, RecordBuf};
pub use time::parse_time;
pub use traits::{Cost, Spread, Traits};
pub use vocabulary::vocabulary;
