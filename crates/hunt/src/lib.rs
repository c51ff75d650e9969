//! A hunt: paths and rules in, alerts out. Also the other things that are done with a folder of records:
//! explaining a verdict, running a query, printing documents.
//!
//! [`hunt`] reads every record once, on all threads, through the one pass of `sift` over the filters of all rules,
//! keeping the texts of what may alert as far as there is room; executes each rule over what matched; and reads those
//! records of what alerted once more that were not kept, to build the alerts' documents.
//!
//! **Left out on purpose.** No terminal, no clock, no environment: they belong to the binary. What is the same for a
//! hunt and for live detection is in the crates below this one.

mod as_live;
mod bounded;
mod case;
mod copies;
mod correlate;
mod depth;
mod explain;
mod explain_alert;
mod fate;
mod find_event;
mod near_misses;
mod normalize;
mod notices;
mod query;
mod run;
mod standing;
mod summary;
mod verify;

mod alerts;
mod answers;
mod arriving;
mod ask;
mod asking;
mod evidence;
mod gather;
mod identities;
mod keep;
mod over_alerts;
mod pack;
mod pushing;
mod scan;
mod sources;
mod stored;
mod subjects;
mod watch;

mod progress;
mod trouble;
mod unfed;

pub use alerts::Alert;
pub use as_live::{AsLive, ExecutedRule, ExecutedSlot, RuleVersion};
pub use ask::{Files, FilesReport};
pub use case::{CASE_BYTES_MAX, CASE_RECORDS_MAX, CaseError, CaseRecord, case_records};
pub use correlate::{Asked, Correlation};
pub use depth::{Depth, PassReport, pass};
pub use explain::{Explained, Verdict, explain};
pub use explain_alert::RaisedAlert;
pub use find_event::{Reading, find_event};
pub use identities::Identities;
pub use keep::EVIDENCE_BYTES;
pub use near_misses::{ClauseMisses, FieldValues, Item, NearMisses, RuleMisses, near_misses};
pub use normalize::{NormalizeOptions, NormalizeReport, normalize};
pub use notices::Notice;
pub use progress::{Progress, Stage};
pub use query::{
    COMBINATIONS_MAX, COMBINATIONS_OF_ONE_MAX, Combination, FieldCounts, LeftOut, ORDERED_BYTES, Order,
    Pattern, PatternError, QueryOptions, QueryReport, query,
};
pub use run::{Found, HuntError, HuntOptions, RanRule, ReadReport, Records, Refused, hunt, several, summary};
pub use sift::Document;
pub use sources::KeptAlert;
pub use standing::{Raised, Segment, SlotFound, Standing, Taken};
pub use subjects::{ALERTS_MAX, Picked, Which, pick};
pub use summary::{Dimension, ENTRIES_MAX, SET_MAX, Subject, Subjects, Summary, SummaryOptions};
pub use trouble::Trouble;
pub use unfed::unfed;
pub use verify::{Accounting, Verified, verify};
pub use watch::{Blind, Completeness, WATCHED_CALLS_MAX};
