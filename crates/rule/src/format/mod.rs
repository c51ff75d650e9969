//! The rule format as data: which fields there are, of what shape, for which types, with which default.
//!
//! One table serves the checks, the defaults and order of the API form, and the JSON Schema for editors.

mod exception;
mod fields;
mod guide;
mod shape;

pub(crate) use exception::{EXCEPTION_ITEM, EXCEPTION_LIST, exception_entry};
pub(crate) use fields::{FIELDS, TYPES, field, languages, reads_index};
pub(crate) use guide::GUIDE;
pub(crate) use shape::{Entry, Need, Shape};
