//! ES|QL, as Elasticsearch has it: text in, a checked pipeline of commands out.
//!
//! [`parse`] turns a query into an [`Ast`](ast::Ast), or reports every error it finds, with its place and with what to write
//! instead. Checked against the columns of its source it is a [`resolved::Pipeline`], in which no name is left: columns are
//! numbers, functions are those of one list ([`Function`]), every expression has its [`Type`].
//!
//! **Left out on purpose.** No rules, no I/O, no clock, and nothing runs: what a pipeline gives is for whoever has events.
//! Parsing never panics and never recurses deeper than [`MAX_DEPTH`], whatever the input.

pub mod ast;
mod print;

mod error;
mod lexer;
mod parse;

mod check;
mod filter;
mod function;
mod language;
mod lint;
pub mod literal;
pub mod resolved;
mod types;

pub use check::{Policy, Sources, TableColumn, pipeline, resolve};
pub use error::{ParseError, ParseErrorKind, ParseErrors};
pub use filter::{Split, split};
pub use function::{Function, FunctionKind, Parameter, Presence, Returns, Spec, Types};
pub use language::{check, errors, fields, findings, patterns, values};
pub use lint::lint;
pub use parse::{MAX_DEPTH, MAX_LENGTH, MAX_OPERATORS, parse};
pub use types::Type;
