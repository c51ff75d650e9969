//! The logical form that all query languages share.
//!
//! A language makes a [`Query`] of its text: the typed form of Elasticsearch's Query DSL, with spans. Lowering
//! checks it against the field catalogue and makes an [`Expr`] of it: a boolean expression over [`Predicate`]s,
//! each a yes/no question about the values of one field. `naive` evaluates an expression on one
//! document; the `exec` crate evaluates many on blocks. Both ask the same [`Matcher`]s.
//!
//! **Left out on purpose.** No syntax, no rules, no I/O, no clock: `now` is an argument of lowering.

mod expr;
mod query;

pub use expr::{Expr, Hint, Matcher, Predicate, Test};
pub use query::{Bool, Leaf, LeafKind, Literal, Operator, Query, RangeBounds};
