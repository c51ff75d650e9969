//! The Elastic Common Schema as this engine knows it: which field has which type, and what a value is.
//!
//! The [`Catalog`] gives a dotted path its [`Mapping`]; query semantics depend on it. A [`Scalar`] is one value
//! of a document as delivered, before any type is applied to it.
//!
//! **Left out on purpose.** No I/O, no query language, no rules; time is always an argument.

mod catalog;
mod scalar;

pub use catalog::{Catalog, FieldType, Mapping, Resolved};
pub use scalar::{Scalar, Shape};

/// Milliseconds since 1970-01-01T00:00:00Z: every instant in this engine.
pub type Millis = i64;

/// A JSON object whose keys keep their order: a document, or a part of one.
pub type Object = serde_json::Map<String, serde_json::Value>;
