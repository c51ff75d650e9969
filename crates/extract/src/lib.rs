//! Named values out of texts: what `GROK` and `DISSECT` patterns mean.
//!
//! ```
//! let grok = extract::Grok::new(&["%{IP:client} %{INT:bytes:int}"]).unwrap();
//! let mut found = Vec::new();
//! assert!(grok.find("from 10.0.0.1 17", |output, text| found.push((output, text))));
//! assert_eq!(found, [(1, "10.0.0.1"), (0, "17")]);
//!
//! let dissect = extract::Dissect::new("%{user}@%{host}", "").unwrap();
//! assert_eq!(dissect.find("root@db").unwrap(), ["root", "db"]);
//! ```
//!
//! **Left out on purpose.** No columns, no types but the names of those that a grok pattern asks for: whoever calls
//! converts. Time is linear in the text: what an automaton cannot decide (a look around, a group that gives nothing back)
//! is refused by name.

mod dissect;
mod grok;
mod oniguruma;

pub use dissect::{Dissect, DissectError};
pub use grok::{Grok, GrokError, Kind, Output};
