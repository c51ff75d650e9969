//! Elasticsearch's Query DSL as JSON: what filters, exceptions and backends speak.
//!
//! [`parse`] reads the subset that rules need and refuses everything else by name; [`to_json`] writes a query
//! so that a node answers it as this engine does.

mod error;
mod parse;
mod print;

pub use error::{DslError, DslErrorKind};
pub(crate) use parse::Parser;
pub use parse::{Placed, parse};
pub use print::to_json;
