//! Lucene query strings: text in, Query DSL out.
//!
//! [`parse`] turns the text of a `query_string` into an [`Ast`], or reports the errors with their places.
//! [`to_query`] translates the tree: its boolean logic is that of Lucene's classic parser, its questions are those of
//! Elasticsearch's `query_string` with the settings that rules use.
//!
//! ```
//! let catalog = ecs::Catalog::ecs();
//! let ast = lucene::parse("event.outcome:failure AND NOT user.name:(root OR admin)")?;
//! let query = lucene::to_query(&ast, &catalog);
//! let expr = plan::lower(&query, &catalog, 0).unwrap();
//! assert_eq!(expr.paths().len(), 2);
//! # Ok::<(), lucene::ParseErrors>(())
//! ```
//!
//! **Left out on purpose.** No rules, no I/O, no clock. Boosts are read and change nothing: there are no scores here.
//! Parsing never panics and never recurses deeper than [`MAX_DEPTH`], whatever the input.
//!
//! **Where Lucene surprises.** `AND`, `OR` and `NOT` are no operators between two sides: they make the clauses around
//! them required, optional or prohibited. `a OR b AND c` is `b` and `c`; `a` does nothing. Words in a row are one
//! text, so `user.name:(bob smith)` is the value `bob smith`. A field that cannot hold a value matches nothing.

mod ast;
mod print;

mod error;
mod lexer;
mod parse;

mod translate;

mod lint;

mod check;

pub use ast::{Ast, Atom, Clause, Conjunction, Field, Group, Modifier, Node, Occur, occurs};
pub use check::{check, errors, fields, findings, values};
pub use error::{ParseError, ParseErrors};
pub use lint::lint;
pub use parse::{MAX_DEPTH, MAX_LENGTH, parse};
pub use translate::to_query;
