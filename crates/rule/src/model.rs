//! What a rule file says.

use std::sync::Arc;

use ecs::date::DateMath;
use ecs::{Millis, Object};
use serde_json::Value;

use crate::index_pattern::IndexPatterns;
use crate::source::Source;
use crate::translation::Translation;
use crate::{Guide, Interval};

/// One detection rule, all fields of the rule schema, checked.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The file it was read from, for messages; with `#n` for the n-th line of an export.
    pub file: String,
    /// The signature id (`rule_id`), stable across exports.
    pub rule_id: String,
    /// The object id (`id`): goes into alert ids. A rule file has none; then it is a UUID (version 5) of `rule_id`.
    pub id: String,
    /// `name`.
    pub name: String,
    /// `description`.
    pub description: String,
    /// `severity`.
    pub severity: Severity,
    /// `risk_score`, 0 to 100.
    pub risk_score: u8,
    /// What kind of rule it is, with what only that kind has.
    pub kind: RuleKind,
    /// `language`, where the kind has a query.
    pub language: Option<QueryLanguage>,
    /// `query`; empty where the kind has none.
    pub query: String,
    /// `index`: patterns; empty means the rule names none.
    pub index: Vec<String>,
    /// `data_view_id`.
    pub data_view_id: Option<String>,
    /// `filters`: Kibana filter objects as they stand.
    pub filters: Vec<Value>,
    /// `interval`: time between executions.
    pub interval: Interval,
    /// `from`.
    pub from: DateMath,
    /// `to`.
    pub to: DateMath,
    /// `max_signals`: alerts an execution.
    pub max_signals: u32,
    /// `timestamp_override`.
    pub timestamp_override: Option<String>,
    /// `timestamp_override_fallback_disabled`.
    pub timestamp_override_fallback_disabled: bool,
    /// `severity_mapping`.
    pub severity_mapping: Vec<SeverityMapping>,
    /// `risk_score_mapping`.
    pub risk_score_mapping: Vec<RiskScoreMapping>,
    /// `rule_name_override`.
    pub rule_name_override: Option<String>,
    /// `building_block_type`.
    pub building_block_type: Option<String>,
    /// `alert_suppression`.
    pub alert_suppression: Option<AlertSuppression>,
    /// `threat`.
    pub threat: Vec<Threat>,
    /// `tags`.
    pub tags: Vec<String>,
    /// `author`.
    pub author: Vec<String>,
    /// `license`.
    pub license: Option<String>,
    /// `references`.
    pub references: Vec<String>,
    /// `false_positives`.
    pub false_positives: Vec<String>,
    /// `note`: the investigation guide as Markdown; made from `guide` if the file has only that.
    pub note: Option<String>,
    /// `setup`.
    pub setup: String,
    /// `version`.
    pub version: u32,
    /// `revision`.
    pub revision: u32,
    /// `enabled`, if the file says so.
    pub enabled: Option<bool>,
    /// `exceptions_list` as it stands.
    pub exceptions_list: Vec<Value>,
    /// Our own guide, structured.
    pub guide: Option<Guide>,
    /// `maturity` of the file's `[metadata]`: see [`Rule::withheld`].
    pub maturity: Option<String>,
    /// Where it was read from, for messages about it.
    pub(crate) source: Arc<Source>,
    /// The prose in other languages.
    pub(crate) translations: Vec<Translation>,
}

impl Rule {
    /// The text of the file it was read from: what diagnostics about it point into.
    pub fn text(&self) -> &str {
        self.source.text()
    }

    /// The whole rule as the API would give it (snake case, defaults filled in): what
    /// `kibana.alert.rule.parameters` and exports are made of. Made when it is asked for, because it is larger than all
    /// the rest and few rules of many alert.
    pub fn api(&self) -> Object {
        crate::read::api(self)
    }

    /// Where it stands, as `file:line`.
    pub fn place(&self) -> String {
        let at = self.source.span(&["rule_id"]).start;
        format!("{}:{}", self.source.name, span::position(self.text(), at).line)
    }

    /// Whether its index patterns name that index.
    pub fn reads(&self, index: &str) -> bool {
        IndexPatterns::new(&self.index).matches(index)
    }

    /// The fields that the rule wants to be shown first, `@timestamp` before them: none if it names none.
    pub fn investigation_fields(&self) -> Vec<String> {
        let names = self.source.rule.at(&["investigation_fields", "field_names"]);
        let mut fields: Vec<String> = names
            .map_or(&[][..], crate::text::Node::items)
            .iter()
            .filter_map(crate::text::Node::text)
            .map(str::to_owned)
            .collect();
        if !fields.is_empty() && !fields.iter().any(|it| it == "@timestamp") {
            fields.insert(0, "@timestamp".to_owned());
        }
        fields
    }

    /// How much time one execution at `now` covers: `to` less `from`.
    pub fn window_ms(&self, now: Millis) -> Millis {
        self.to.millis_at(now).saturating_sub(self.from.millis_at(now))
    }

    /// How far an execution reads back beyond the interval, so that late events are still seen. Negative if the
    /// executions leave gaps.
    pub fn look_back_ms(&self, now: Millis) -> Millis {
        self.window_ms(now).saturating_sub(self.interval.millis())
    }

    /// How far before `now` the oldest event lies that an execution at `now` can need, its history included.
    pub fn reach_ms(&self, now: Millis) -> Millis {
        let from = now.saturating_sub(self.from.millis_at(now));
        match &self.kind {
            RuleKind::NewTerms(terms) => {
                // The history window counts from `to`.
                let history = terms.history_window_start.millis_at(self.to.millis_at(now));
                from.max(now.saturating_sub(history))
            }
            RuleKind::Query
            | RuleKind::SavedQuery { .. }
            | RuleKind::Threshold(_)
            | RuleKind::Eql { .. }
            | RuleKind::Esql
            | RuleKind::ThreatMatch(_)
            | RuleKind::MachineLearning { .. } => from,
        }
    }
}

/// `severity`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Severity {
    Low,
    Medium,
    High,
    Critical,
}

impl Severity {
    /// All, lowest first.
    pub const ALL: [Self; 4] = [Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The word in rules and alerts.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// The severity of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|severity| severity.as_str() == name)
    }
}

/// `language`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum QueryLanguage {
    Kuery,
    Lucene,
    Eql,
    Esql,
}

/// `type`, with the fields that only this type has.
#[derive(Clone, Debug, PartialEq)]
pub enum RuleKind {
    /// `query`.
    Query,
    /// `saved_query`.
    SavedQuery {
        /// The saved query; the rule's own query is the fallback.
        saved_id: String,
    },
    /// `new_terms`.
    NewTerms(NewTerms),
    /// `threshold`.
    Threshold(Threshold),
    /// `eql`.
    Eql {
        /// `event_category_override`.
        event_category_override: Option<String>,
        /// `tiebreaker_field`.
        tiebreaker_field: Option<String>,
        /// `timestamp_field`.
        timestamp_field: Option<String>,
    },
    /// `esql`.
    Esql,
    /// `threat_match`.
    ThreatMatch(ThreatMapping),
    /// `machine_learning`.
    MachineLearning {
        /// `anomaly_threshold`.
        anomaly_threshold: u32,
        /// `machine_learning_job_id`.
        job_ids: Vec<String>,
    },
}

impl RuleKind {
    /// The word in rules: `new_terms` and so on.
    pub const fn type_name(&self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::SavedQuery { .. } => "saved_query",
            Self::NewTerms(_) => "new_terms",
            Self::Threshold(_) => "threshold",
            Self::Eql { .. } => "eql",
            Self::Esql => "esql",
            Self::ThreatMatch(_) => "threat_match",
            Self::MachineLearning { .. } => "machine_learning",
        }
    }

    /// The type's name for people, as alerts carry it in `kibana.alert.rule.category`.
    pub const fn category(&self) -> &'static str {
        match self {
            Self::Query => "Custom Query Rule",
            Self::SavedQuery { .. } => "Saved Query Rule",
            Self::NewTerms(_) => "New Terms Rule",
            Self::Threshold(_) => "Threshold Rule",
            Self::Eql { .. } => "Event Correlation Rule",
            Self::Esql => "ES|QL Rule",
            Self::ThreatMatch(_) => "Indicator Match Rule",
            Self::MachineLearning { .. } => "Machine Learning Rule",
        }
    }

    /// The type's id, as alerts carry it in `kibana.alert.rule.rule_type_id`.
    pub const fn rule_type_id(&self) -> &'static str {
        match self {
            Self::Query => "siem.queryRule",
            Self::SavedQuery { .. } => "siem.savedQueryRule",
            Self::NewTerms(_) => "siem.newTermsRule",
            Self::Threshold(_) => "siem.thresholdRule",
            Self::Eql { .. } => "siem.eqlRule",
            Self::Esql => "siem.esqlRule",
            Self::ThreatMatch(_) => "siem.indicatorRule",
            Self::MachineLearning { .. } => "siem.mlRule",
        }
    }
}

/// What only `new_terms` rules have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTerms {
    /// `new_terms_fields`, one to three.
    pub fields: Vec<String>,
    /// `history_window_start`.
    pub history_window_start: DateMath,
}

/// What only `threshold` rules have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Threshold {
    /// `threshold.field`; empty means no grouping.
    pub fields: Vec<String>,
    /// `threshold.value`.
    pub value: u64,
    /// `threshold.cardinality`.
    pub cardinality: Option<Cardinality>,
}

/// How many distinct values a threshold asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cardinality {
    /// Of this field.
    pub field: String,
    /// At least so many.
    pub value: u64,
}

/// What only `threat_match` rules have.
#[derive(Clone, Debug, PartialEq)]
pub struct ThreatMapping {
    /// `threat_index`.
    pub index: Vec<String>,
    /// `threat_query`.
    pub query: String,
    /// `threat_language`.
    pub language: QueryLanguage,
    /// `threat_filters`.
    pub filters: Vec<Value>,
    /// `threat_mapping`: any group, all entries of it.
    pub mapping: Vec<Vec<ThreatEntry>>,
    /// `threat_indicator_path`.
    pub indicator_path: String,
}

/// One entry of a threat mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThreatEntry {
    /// The event's field.
    pub field: String,
    /// The indicator's field.
    pub value: String,
    /// The values must differ.
    pub negate: bool,
}

/// One item of `severity_mapping`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeverityMapping {
    /// If this field
    pub field: String,
    /// has this value
    pub value: String,
    /// the alert has this severity.
    pub severity: Severity,
}

/// One item of `risk_score_mapping`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RiskScoreMapping {
    /// The field whose value is the risk score.
    pub field: String,
}

/// `alert_suppression`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertSuppression {
    /// `group_by`.
    pub group_by: Vec<String>,
    /// `duration`; `None` is once an execution.
    pub duration: Option<Interval>,
    /// `missing_fields_strategy`.
    pub missing_fields: MissingFields,
}

/// What becomes of events that lack a field to group by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MissingFields {
    /// They are a group of their own.
    #[default]
    Suppress,
    /// They become ordinary alerts.
    DoNotSuppress,
}

/// One `threat` entry, for output; the whole of it stands in [`Rule::api`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Threat {
    /// `MITRE ATT&CK`.
    pub framework: String,
    /// The tactic's id and name.
    pub tactic: (String, String),
    /// Techniques and sub-techniques: id and name.
    pub techniques: Vec<(String, String)>,
}
