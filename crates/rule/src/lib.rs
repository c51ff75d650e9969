//! Detection rules: what a rule file says, checked.
//!
//! A [`Rule`] is read from a TOML file in the layout of Elastic's public rule repository or from Kibana's
//! NDJSON/JSON export. It carries everything the file says, so that an alert can carry it too.
//!
//! **Left out on purpose.** Nothing here runs a rule, and nothing reads a clock.

mod guide;
mod model;

pub use guide::{Guide, Language as GuideLanguage, Note, Step, StepQuery};
pub use model::{
    AlertSuppression, Cardinality, HistoryWindow, Interval, MissingFields, NewTerms, QueryLanguage, RiskScoreMapping, Rule,
    RuleKind, Severity, SeverityMapping, Threat, ThreatEntry, ThreatMapping, Threshold,
};
