//! Many filters over a block of events in one pass.
//!
//! [`Program::compile`] takes the conditions of all rules; [`Program::evaluate`] tells for each the rows of a
//! block that match. What a block costs depends on its distinct values and on the filters that some of its rows
//! may satisfy, hardly on how many filters there are:
//!
//! * Equal predicates are one predicate, predicates on one column that may replace each other are one *leaf*.
//! * A leaf is decided on the distinct values of its column, not on rows: terms by one look-up each, patterns by
//!   one automaton a column, anything else by asking. What it decides is a set of ordinals.
//! * What every match must have is a filter's *gate*. The values of a block lead to the filters whose gates they
//!   open; no other filter is looked at.
//! * A filter starts from the rows of its most selective gate; each further clause sees only what is left.
//!   Expensive questions come last and are asked about the values of those rows only.
//! * A clause over several fields ([`plan::value::Relation`], `endsWith~(mail.to, user.domain)`) is the one thing that the
//!   values of a column cannot decide: each row has a pair of its own. It opens no gate, leads to no filter, and is asked
//!   row by row when everything else has been; equal ones of many filters are asked once (`relate.rs`).
//!
//! ```
//! use block::{BlockBuilder, RowInfo};
//! use ecs::{Scalar, Shape};
//! use exec::{Program, Scratch};
//! use plan::{Expr, Predicate, Test};
//!
//! let test = Test::term("StopLogging");
//! let stop = Expr::Is(Predicate { path: "event.action".to_owned(), shape: Shape::Leaf, test });
//! let program = Program::compile(&[stop.clone(), Expr::Not(stop.into())]);
//!
//! let action = program.schema().get("event.action", Shape::Leaf).unwrap();
//! let mut builder = BlockBuilder::new(program.schema().clone().into());
//! for name in ["GetObject", "StopLogging", "GetObject"] {
//!     builder.push(action, Scalar::Str(name));
//!     builder.end_row(RowInfo { id: "1", index: 0, timestamp: 0, origin: Default::default() });
//! }
//!
//! let mut found = Vec::new();
//! let mut scratch = Scratch::default();
//! program.evaluate(&builder.finish(), &["logs".to_owned()], &mut scratch, |filter, rows| {
//!     found.push((filter, rows.to_vec()));
//! });
//! assert_eq!(found, [(0, vec![1]), (1, vec![0, 2])]);
//! ```
//!
//! **Left out on purpose.** It knows no query language and no rules, only [`plan::Expr`]; what a test means is
//! [`plan::Matcher`]'s business. [`naive`] is the twin that shares nothing and holds it to its verdicts.

pub mod naive;

mod decide;
mod evaluate;
mod filter;
mod hint;
mod ids;
mod normal;
mod postings;
mod program;
mod relate;
mod scratch;
mod view;

pub use program::Program;
pub use scratch::{Scratch, Stats};

/// The number of an event in its block.
pub type Row = u32;
