//! The logical form that all query languages share.
//!
//! A language makes a [`Query`] of its text: the typed form of Elasticsearch's Query DSL, with spans.
//! [`condition()`] checks it against the field catalogue and makes a [`Condition`] of it, which is an [`Expr`] unless it
//! reads the clock: a boolean expression over [`Predicate`]s, each a yes/no question about the values of one field.
//! What computes with values, or asks several fields at once, is a [`value`].
//! [`naive`] evaluates an expression on one document; the `exec` crate evaluates many on blocks. Both ask the same
//! [`Matcher`]s.
//!
//! ```
//! use plan::{Leaf, LeafKind, Literal, Query};
//!
//! let types = serde_json::json!({"port": "long"});
//! let catalog = ecs::Catalog::from_types(types.as_object().unwrap()).unwrap();
//! let equals = |value: &str| Query::Leaf(Leaf {
//!     field: Some("port".to_owned()),
//!     kind: LeafKind::Term { value: Literal::Text(value.to_owned()), case_insensitive: false },
//!     span: None,
//! });
//! let expr = plan::lower(&equals("443"), &catalog, 0).unwrap();
//! let document = serde_json::json!({"port": [80, "443"]});
//! assert!(plan::naive::matches(&expr, document.as_object().unwrap()));
//! let errors = plan::lower(&equals("http"), &catalog, 0).unwrap_err();
//! assert_eq!(errors[0].to_string(), "`port` (long): `http` is no number");
//! ```
//!
//! **Left out on purpose.** No syntax, no rules, no I/O, no clock: what reads it asks for a `now`.

mod condition;
mod display;
pub mod dsl;
mod explain;
mod expr;
pub mod filters;
mod fuzzy;
mod lower;
mod matcher;
pub mod naive;
mod number;
mod query;
mod ranges;
mod regexp;
mod simplify;
mod test;
pub mod value;
mod version;
mod weaken;
mod wildcard;

pub use condition::{Condition, Residue};
pub use explain::{Explanation, explain};
pub use expr::{Expr, Predicate};
pub use lower::{LowerError, LowerErrorKind, addresses, condition, is_left_out, lower};
pub use matcher::{Matcher, parse_address};
pub(crate) use number::Number;
pub use number::NumberType;
pub use query::{Bool, FieldUse, Leaf, LeafKind, Literal, Operator, Query, RangeBounds, ValueKind, ValueUse};
pub use ranges::Ranges;
pub use regexp::{CompiledRegexp, Regexp, RegexpError};
pub use test::{IgnoreAbove, KeywordField, Resolution, StringTest, Test, TextBound, TextRange, TextTest};
pub use version::compare as compare_versions;
pub use weaken::Sign;
pub use wildcard::{Glob, Wildcard};
