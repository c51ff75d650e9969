//! Detection rules: what a rule file says, checked.
//!
//! A [`Rule`] is read from a TOML file in the layout of Elastic's public rule repository or from Kibana's
//! NDJSON/JSON export. It carries everything the file says, so that an alert can carry it too. [`load()`] reads
//! files and folders into a [`RuleSet`]; whatever is wrong with a file is a finding with the characters to
//! underline, and costs no other rule.
//!
//! ```
//! let set = rule::load_text("demo.toml", r#"
//!     [rule]
//!     name = "Root logs in"
//!     description = "The root user signed in."
//!     severity = "high"
//!     risk_score = 73
//!     type = "query"
//!     query = "event.action: ConsoleLogin and aws.cloudtrail.user_identity.type: Root"
//! "#);
//! assert_eq!(set.rules[0].from.text(), "now-6m");
//! ```
//!
//! **Left out on purpose.** Nothing here runs a rule, and nothing reads a clock.

mod case;
mod changed;
mod exceptions;
mod guide;
mod inquiry;
mod model;
mod selection;
mod set;
mod when;

mod builtin;
mod foreign;
mod load;
mod parse;

mod eql;
mod language;
mod layout;
mod source;
mod text;

mod check;
mod format;
mod note;
mod read;
mod translation;

mod schema;
mod test_file;

mod compile;
mod export;
mod new_terms;
mod pattern;

mod attack;
mod fix;
mod index_pattern;
mod lint;

mod duration;
mod error;
mod parallel;
mod suggest;
mod support;

pub use attack::attack_version;
pub use builtin::builtin;
pub use case::{CASE_VALUES, FACTS};
pub use compile::{Compiled, compile, compile_all, compile_with};
pub use duration::{Interval, IntervalError, TimeUnit};
pub use eql::EqlQuery;
pub(crate) use error::LoadError;
pub use exceptions::Exceptions;
pub use export::{
    ExportDetails, definition, exceptions_to_toml, file_name, rule_to_toml, to_ndjson, to_ndjson_of,
    value_lists_to_ndjson,
};
pub use fix::{Mended, mend};
pub use guide::{Builtin, Guide, Language as GuideLanguage, Note, Risk, Scope, Show, Step, StepQuery};
pub use index_pattern::{ALERTS_INDEX, CLOUDTRAIL_INDEX, matches_index, reads_alerts, reads_only_alerts};
pub use inquiry::{Asks, EventsAsked, Flaw, Inquiry, inquiries, with_inquiries};
pub use language::check_query;
pub use lint::{Heeded, heed, lint, lint_query, never_holds, nothing_gives};
pub use load::{load, load_bytes, load_text, load_with};
pub use model::{
    AlertSuppression, Cardinality, MissingFields, NewTerms, QueryLanguage, RiskScoreMapping, Rule, RuleKind,
    Severity, SeverityMapping, Threat, ThreatEntry, ThreatMapping, Threshold,
};
pub use new_terms::{TermField, asked_fields};
pub use parse::{Part, part};
pub use pattern::{Form, JoinKey, Pattern, Pipe, Stage};
pub use schema::schema;
pub use selection::{Idle, IdleReason, Selection, Withheld};
pub use set::{Problem, RuleSet};
pub use support::{Supported, SupportedKind, Unsupported, support};
pub use test_file::{
    At, Caller, Expected, Recipe, Subject, TestCase, TestEvent, TestFile, TestFiles, test_files, test_text,
};
pub use when::{Comparison, Facts, When};
