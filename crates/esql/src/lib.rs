//! ES|QL, as Elasticsearch has it: text in, a checked pipeline of commands out.
//!
//! A text becomes an [`Ast`](ast::Ast). Checked against the columns of its source it is a [`resolved::Pipeline`], in which no
//! name is left: columns are numbers, functions are those of one list ([`Function`]), every expression has its [`Type`].
//!
//! **Left out on purpose.** No rules, no I/O, no clock, and nothing runs: what a pipeline gives is for whoever has events.

pub mod ast;

mod function;
pub mod resolved;
mod types;

pub use function::{Function, FunctionKind, Parameter, Presence, Returns, Spec, Types};
pub use types::Type;
