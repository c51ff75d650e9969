//! Some thousands of events as columns.
//!
//! A [`Schema`] lists the paths that anybody asks for; a [`BlockBuilder`] takes events row by row and keeps
//! only those; the finished [`Block`] holds one [`Column`] a path. Each column has a dictionary of its distinct
//! values, so a predicate is decided once per distinct value and not once per event.
//!
//! ```
//! use block::{BlockBuilder, RowInfo, Schema};
//! use ecs::{Scalar, Shape};
//!
//! let mut schema = Schema::default();
//! let action = schema.add("event.action", Shape::Leaf);
//! let mut builder = BlockBuilder::new(schema.into());
//! for name in ["GetObject", "GetObject", "PutObject"] {
//!     builder.push(action, Scalar::Str(name));
//!     builder.end_row(RowInfo { id: "1", index: 0, timestamp: 0, origin: Default::default() });
//! }
//! let block = builder.finish();
//! assert_eq!(block.rows(), 3);
//! assert_eq!(block.column(action).values().count(), 2);
//! ```
//!
//! **Left out on purpose.** The block knows no field types and no predicates: it holds what was delivered.

mod builder;
mod column;
mod schema;
mod texts;

pub use builder::{Block, BlockBuilder, RowInfo};
pub use column::{Column, Ordinal};
pub use schema::{Schema, Slot};
pub use texts::Texts;

pub use ecs::Origin;
