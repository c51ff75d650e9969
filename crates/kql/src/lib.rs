//! Kibana Query Language: query text in, typed query out.
//!
//! [`parse`] turns the text of a query into an [`Ast`], or reports every error it finds with the
//! [`span::Span`] to underline and what to write instead. [`to_query`] translates the tree to Query DSL as
//! Kibana does, with the field types of a catalogue; [`lint`] finds what is legal but probably not meant. [`check()`],
//! [`errors`], [`findings`] and [`fields`] are what every language offers: all of that in one step, from text.
//!
//! ```
//! let ast = kql::parse("event.outcome: failure and not user.name: root")?;
//! assert_eq!(ast.fields(), ["event.outcome", "user.name"]);
//! assert_eq!(ast.to_string(), "event.outcome: failure and not user.name: root");
//! # Ok::<(), kql::ParseErrors>(())
//! ```
//!
//! **Left out on purpose.** The crate does no I/O, reads no clock and knows nothing of rules or HTTP.
//! Parsing never panics and never recurses deeper than [`MAX_DEPTH`], whatever the input.
//!
//! **Where KQL surprises.**
//!
//! * `not f: x` selects documents without `f`, too; a field with several values matches if any of them does.
//! * Unquoted words are one value on a keyword field, but any of the words on a text field.
//! * `*` within quotes is an asterisk, and `?` never is a wildcard.
//! * `not` followed by white space ends unquoted text anywhere, even within a word: `cannot x` is an error.

mod ast;
mod print;

mod error;
mod foreign;
mod literal;
mod parse;

mod pattern;
mod translate;

mod lint;

mod check;

pub use ast::{Ast, Node, NodeKind, RangeOp, Term, TermKind};
pub use check::{check, errors, fields, findings, values};
pub use error::{ParseError, ParseErrors};
pub use lint::lint;
pub use parse::{MAX_DEPTH, MAX_LENGTH, parse};
pub use translate::{Options, TranslateError, to_query, to_query_with};
