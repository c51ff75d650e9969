//! The rule format as data: which fields there are, of what form, for which types, with which default.
//!
//! One table serves the checks, the defaults and order of the API form, and the JSON Schema for editors.

mod exception;
mod fields;
mod form;
mod guide;
mod test_file;

pub(crate) use exception::{EXCEPTION_ITEM, EXCEPTION_LIST, exception_entry};
pub(crate) use fields::{FIELDS, TYPES, field, languages, reads_index};
pub(crate) use form::{Entry, Form, Need};
pub(crate) use guide::GUIDE;
pub(crate) use test_file::{EXPECTED, RECIPE, TEST_FILE};
