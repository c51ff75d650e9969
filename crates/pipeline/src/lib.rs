//! The evaluator of ES|QL: a checked query, made ready once, and then rows in blocks.
//!
//! A [`Program`] is made of an [`esql::resolved::Pipeline`]. Its rows come in [`Block`]s of columns, whose cells have no value, one
//! or several. Each thread has a [`Part`]; parts [merge](Part::merge) in the order of their rows, and the last one is
//! [finished](Part::finish) to a [`Table`]. However rows are cut into blocks and parts, the table is the same: sums of
//! doubles are exact, groups stand in the order in which they appear.
//!
//! **Where ES|QL surprises.** A function of one value is null where there are several, and warns. `x == null` is null.
//! What fails in a row is null there, and told once in the [`Warnings`].
//!
//! **Left out on purpose.** No syntax, no names, no types to be checked: `esql` has done that. No events, no files: whoever
//! has rows gives them. No clock: `NOW()` is an argument.

mod block;
mod cells;
mod column;
mod command;
mod error;
mod exact;
mod function;
mod kernel;
mod node;
mod numbers;
mod program;
mod rows;
mod scalar;
mod stage;
mod table;
mod time;
mod warnings;

pub use block::Block;
pub use cells::{Builder, Cells, Text};
pub use column::Column;
pub use command::lookup::Tables;
pub use error::{PipelineError, PrepareError};
pub use esql::Type;
pub use program::{Limits, Part, Program};
pub use rows::{BLOCK_ROWS, RowMetadata, Rows};
pub use scalar::{Element, Ip, Millis, Point, Scalar, Value, Version};
pub use table::{Table, TableColumn};
pub use time::{DatePattern, DatePatternError};
pub use warnings::{FAILURES_MAX, Failure, Site, Warnings};
