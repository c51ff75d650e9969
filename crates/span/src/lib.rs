//! Text positions and diagnostics, for everything a person writes: rules, queries, mappings.
//!
//! A [`Span`] is a byte range of one text; a [`Diagnostic`] says what is wrong there and what to write instead;
//! [`render`] prints it the way a compiler does, with the file, the line and the column.
//!
//! **Left out on purpose.** Nothing here knows a language, reads a file or decides where output goes.

mod diagnostic;
mod position;

pub use diagnostic::{Diagnostic, Edit, Label, Severity, Style, render};
pub use position::{Position, Span, position};
