//! The Elastic Common Schema as this engine knows it: which field has which type, and what a value is.
//!
//! The [`Catalog`] gives a dotted path its [`Mapping`]; query semantics depend on it. A [`Scalar`] is one value
//! of a document as delivered, before any type is applied to it. [`document`] finds the values of a path in a
//! JSON document, [`Wanted`] those of many paths in one walk. [`json`] reads the texts of documents, [`date`] dates and
//! date math; [`analyze`] splits text into tokens. Documents that have much in common are [`Layered`]. A
//! [`Source`] says which fields the events of one origin can have.
//!
//! **Left out on purpose.** No I/O, no query language, no rules; time is always an argument.

pub mod alert;
pub mod analyze;
mod catalog;
pub mod date;
pub mod document;
mod index;
pub mod json;
mod layered;
mod mapping;
mod origin;
mod scalar;
mod source;
pub mod text;
mod wanted;

pub use catalog::{Catalog, Dynamic, FieldType, Mapping, Resolved};
pub use index::{ALERTS_INDEX, CLOUDTRAIL_INDEX};
pub use layered::{Layered, SharedFields};
pub use mapping::MappingError;
pub use origin::Origin;
pub use scalar::{Scalar, Shape};
pub use source::{Filled, OwnName, Source, Values};
pub use text::{Paths, TextDocument};
pub use wanted::Wanted;

/// Milliseconds since 1970-01-01T00:00:00Z: every instant in this engine.
pub type Millis = i64;

/// A JSON object whose keys keep their order: a document, or a part of one.
pub type Object = serde_json::Map<String, serde_json::Value>;
