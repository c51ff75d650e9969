//! Event Query Language, as Elasticsearch has it: text in, conditions on events out.
//!
//! [`parse`] turns a query into an [`Ast`](ast::Ast), or reports every error it finds, with its place and with what to write
//! instead. [`statement()`] checks it against the fields and makes a [`Statement`] of it: what is asked of single events, and
//! of events that follow one another.
//!
//! ```
//! let catalog = ecs::Catalog::ecs();
//! let text = r#"sequence by user.name with maxspan=1h
//!     [iam where event.action == "CreateUser"]
//!     [iam where event.action : "Attach*Policy"] with runs=2"#;
//! let statement = eql::statement(text, &catalog, &eql::Options::default()).unwrap();
//! let eql::Query::Sequence(sequence) = statement.query else { panic!() };
//! assert_eq!((sequence.items.len(), sequence.maxspan), (3, Some(3_600_000)));
//! ```
//!
//! **Left out on purpose.** No rules, no I/O, no clock, and no state: what becomes of events one after the other is for whoever
//! has them. Parsing never panics and never recurses deeper than [`MAX_DEPTH`], whatever the input.
//!
//! **Where EQL surprises.** `==` is exact and knows no patterns, `:` ignores case and does. A comparison with a missing field
//! is no, so `not user.name == "root"` and `user.name != "root"` hold where there is no name. Two comparisons may be met by
//! two values of a field. `stringContains(field, "a*b")` looks for a pattern, because Elasticsearch asks an index.

pub mod ast;
mod print;

mod error;
mod lexer;
mod parse;

mod lower;
mod statement;

mod lint;

mod check;

pub use check::{check, errors, fields, findings, values};
pub use error::{OtherDialect, ParseError, ParseErrorKind, ParseErrors};
pub use lint::lint;
pub use parse::{MAX_DEPTH, MAX_ITEMS, MAX_LENGTH, MAX_OPERATORS, parse};
pub use statement::{Item, Key, Options, Query, Sample, Sequence, Statement, statement};
