//! What an alert says of its rule.

use ecs::Object;
use rule::{Rule, RuleKind};
use serde_json::{Value, json};

use super::clean::flatten_at;
use crate::tail::SPACE;

/// Fields of a rule that are not parameters of its type: those of any rule of Kibana, and bookkeeping.
const NOT_PARAMETERS: [&str; 17] = [
    "actions",
    "alias_purpose",
    "alias_target_id",
    "created_at",
    "created_by",
    "enabled",
    "execution_summary",
    "id",
    "interval",
    "name",
    "outcome",
    "output_index",
    "revision",
    "tags",
    "throttle",
    "updated_at",
    "updated_by",
];

/// Fields that stand in the alert as they stand in the rule, if it has them.
const COPIED: [&str; 23] = [
    "building_block_type",
    "created_at",
    "description",
    "exceptions_list",
    "from",
    "immutable",
    "interval",
    "license",
    "max_signals",
    "namespace",
    "note",
    "revision",
    "risk_score",
    "rule_name_override",
    "severity",
    "throttle",
    "timeline_id",
    "timeline_title",
    "timestamp_override",
    "to",
    "type",
    "updated_at",
    "version",
];

/// Lists that stand in the alert even if the rule has none.
const LISTS: [&str; 8] = [
    "actions",
    "author",
    "false_positives",
    "references",
    "risk_score_mapping",
    "severity_mapping",
    "tags",
    "threat",
];

/// What all alerts of the rule say: `kibana.alert.rule.*`, but for what an event may override or an execution says, and
/// what is the same in every new alert.
pub(super) fn shared(rule: &Rule, version: &str) -> Object {
    let mut fields = Object::new();
    let new = [
        (super::KIND, "signal".into()),
        ("kibana.space_ids", json!([SPACE])),
        ("kibana.version", version.into()),
        ("kibana.alert.rule.execution.type", "manual".into()),
        ("kibana.alert.status", "active".into()),
        ("kibana.alert.workflow_assignee_ids", json!([])),
        ("kibana.alert.workflow_status", "open".into()),
        ("kibana.alert.workflow_tags", json!([])),
    ];
    fields.extend(new.map(|(key, value): (&str, Value)| (key.to_owned(), value)));
    if let Some(kind) = &rule.building_block_type {
        fields.insert("kibana.alert.building_block_type".to_owned(), kind.clone().into());
    }
    let api = rule.api();
    let given = |key: &str| api.get(key).filter(|it| !it.is_null()).cloned();
    let mut set = |key: &str, value: Value| {
        fields.insert(format!("kibana.alert.rule.{key}"), value);
    };
    for key in COPIED {
        if let Some(value) = given(key) {
            set(key, value);
        }
    }
    for key in LISTS {
        set(key, given(key).unwrap_or_else(|| json!([])));
    }
    for key in ["created_by", "updated_by"] {
        set(key, given(key).unwrap_or_else(|| "".into()));
    }
    set("enabled", given("enabled").unwrap_or_else(|| rule.enabled.unwrap_or(false).into()));
    set("uuid", rule.id.clone().into());
    set("rule_id", rule.rule_id.clone().into());
    set("type", rule.kind.type_name().into());
    set("indices", rule.index.clone().into());
    set("consumer", "siem".into());
    set("producer", "siem".into());
    let (category, type_id) = type_names(&rule.kind);
    set("category", category.into());
    set("rule_type_id", type_id.into());
    let meta = given("meta");
    let parameters = api.into_iter().filter(|(key, _)| !NOT_PARAMETERS.contains(&key.as_str()));
    set("parameters", Value::Object(parameters.collect()));
    if let Some(meta) = meta {
        flatten_at(&meta, "kibana.alert.rule.meta", &mut fields);
    }
    fields
}

/// The name that people see and the one that Kibana's alerting framework knows.
fn type_names(kind: &RuleKind) -> (&'static str, &'static str) {
    match kind {
        RuleKind::Query => ("Custom Query Rule", "siem.queryRule"),
        RuleKind::SavedQuery { .. } => ("Saved Query Rule", "siem.savedQueryRule"),
        RuleKind::NewTerms(_) => ("New Terms Rule", "siem.newTermsRule"),
        RuleKind::Threshold(_) => ("Threshold Rule", "siem.thresholdRule"),
        RuleKind::Eql { .. } => ("Event Correlation Rule", "siem.eqlRule"),
        RuleKind::Esql => ("ES|QL Rule", "siem.esqlRule"),
        RuleKind::ThreatMatch(_) => ("Indicator Match Rule", "siem.indicatorRule"),
        RuleKind::MachineLearning { .. } => ("Machine Learning Rule", "siem.mlRule"),
    }
}
