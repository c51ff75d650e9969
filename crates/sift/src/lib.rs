//! The pass that a hunt, a store and live detection share: filters in, records in, and out come the events with the
//! filters that each satisfies.
//!
//! A [`Sift`] is made of all [`Filter`]s at once and shared by all threads; each thread has a [`Worker`]. It turns
//! records into rows of a block, evaluates all filters on it in one go, and hands what it found to a [`Sink`], with the
//! columns that the filters' callers asked for.
//!
//! ```
//! use sift::{Filter, Kind, Policy, Record, Settings, Sift, Sifted, Sink};
//!
//! /// The users of the events that were found.
//! struct Users(Vec<String>);
//!
//! impl Sink for Users {
//!     fn take(&mut self, sifted: &Sifted<'_>) {
//!         for event in sifted.events() {
//!             for filter in event.filters() {
//!                 let column = sifted.needs(filter)[0];
//!                 let values = sifted.row(column, &event).iter().map(|&it| sifted.column(column).value(it));
//!                 self.0.extend(values.map(|value| value.text().into_owned()));
//!             }
//!         }
//!     }
//! }
//!
//! let test = plan::Test::term("StopLogging");
//! let is = plan::Predicate { path: "event.action".to_owned(), shape: ecs::Shape::Leaf, test };
//! let needs = vec![("user.name".to_owned(), ecs::Shape::Leaf)];
//! let filters = vec![Filter { expr: plan::Expr::Is(is), needs }];
//! let sift = Sift::new(filters, Policy::OnlyMatches, Settings::default());
//!
//! let (mut worker, mut users) = (sift.worker(), Users(Vec::new()));
//! for (action, user) in [("GetObject", "ada"), ("StopLogging", "bob")] {
//!     let text = format!(r#"{{"eventName": "{action}", "userIdentity": {{"userName": "{user}"}}}}"#);
//!     worker.push(&Record::of(Kind::CloudTrail, &text), &mut users).unwrap();
//! }
//! worker.flush(&mut users);
//! assert_eq!(users.0, ["bob"]);
//! ```
//!
//! Most of the code is about what need not be done ([`Policy::OnlyMatches`]), in the order in which a record meets it:
//!
//! 1. `skip`: its text names none of the calls that any filter is about. It is not parsed.
//! 2. `calls`: its call makes all filters false. It becomes no row; or most filters, and the columns of those stay empty.
//! 3. `guards`: it lacks what those that are left cannot do without. It becomes no row.
//! 4. `late`: columns that take work are filled only for rows on which a filter's verdict still hangs; where that is most
//!    rows, their record is not parsed again for it (`stash`).
//! 5. exec's gates: a filter is looked at only if the values of the block lead to it.
//!
//! What was stored by columns begins at 2 (`stored`): calls and guards are decided once for each value of a dictionary, only
//! the columns that the rows which are left need are read, and a record only where these leave a verdict open.
//!
//! None of these changes a verdict, and property tests hold each to that.
//!
//! **Left out on purpose.** No rules, no files, no clock. The pass knows filters: what they belong to, and what becomes
//! of their matches, is the caller's.

mod counts;
mod document;
mod index;
mod record;
mod sifted;
mod sifting;
mod worker;

mod calls;
mod guards;
mod late;
mod rows;
mod skip;
mod stash;
mod stored;

pub use counts::{Counts, LeftOut, Seen};
pub use document::{Document, DocumentBuilder};
pub use record::{Built, Kind, Record, StoredRows, Unreadable, document_id, parse_document};
pub use sifted::{Event, Sifted, Sink};
pub use sifting::{BLOCK_ROWS, Filter, Policy, Settings, Sift};
pub use worker::Worker;
