//! What of a document says that it is an alert, and whose.

use serde_json::Value;

use crate::Object;
use crate::document::{first, list, lookup};

/// The fields that alerts have beside those of their events. Some are there only if somebody worked on the alert.
pub const FIELDS: &[&str] = &[
    "kibana.alert.ancestors.depth",
    "kibana.alert.ancestors.id",
    "kibana.alert.ancestors.index",
    "kibana.alert.ancestors.rule",
    "kibana.alert.ancestors.type",
    "kibana.alert.building_block_type",
    "kibana.alert.case_ids",
    "kibana.alert.depth",
    "kibana.alert.group.id",
    "kibana.alert.group.index",
    "kibana.alert.instance.id",
    "kibana.alert.intended_timestamp",
    "kibana.alert.last_detected",
    "kibana.alert.muted",
    "kibana.alert.new_terms",
    "kibana.alert.original_time",
    "kibana.alert.reason",
    "kibana.alert.risk_score",
    "kibana.alert.rule.actions",
    "kibana.alert.rule.author",
    "kibana.alert.rule.building_block_type",
    "kibana.alert.rule.category",
    "kibana.alert.rule.consumer",
    "kibana.alert.rule.created_at",
    "kibana.alert.rule.created_by",
    "kibana.alert.rule.description",
    "kibana.alert.rule.enabled",
    "kibana.alert.rule.exceptions_list",
    "kibana.alert.rule.execution.timestamp",
    "kibana.alert.rule.execution.type",
    "kibana.alert.rule.execution.uuid",
    "kibana.alert.rule.false_positives",
    "kibana.alert.rule.from",
    "kibana.alert.rule.immutable",
    "kibana.alert.rule.indices",
    "kibana.alert.rule.interval",
    "kibana.alert.rule.license",
    "kibana.alert.rule.max_signals",
    "kibana.alert.rule.name",
    "kibana.alert.rule.namespace",
    "kibana.alert.rule.note",
    "kibana.alert.rule.producer",
    "kibana.alert.rule.references",
    "kibana.alert.rule.revision",
    "kibana.alert.rule.risk_score",
    "kibana.alert.rule.risk_score_mapping",
    "kibana.alert.rule.rule_id",
    "kibana.alert.rule.rule_name_override",
    "kibana.alert.rule.rule_type_id",
    "kibana.alert.rule.severity",
    "kibana.alert.rule.severity_mapping",
    "kibana.alert.rule.tags",
    "kibana.alert.rule.threat.framework",
    "kibana.alert.rule.threat.tactic.id",
    "kibana.alert.rule.threat.tactic.name",
    "kibana.alert.rule.threat.tactic.reference",
    "kibana.alert.rule.threat.technique.id",
    "kibana.alert.rule.threat.technique.name",
    "kibana.alert.rule.threat.technique.reference",
    "kibana.alert.rule.threat.technique.subtechnique.id",
    "kibana.alert.rule.threat.technique.subtechnique.name",
    "kibana.alert.rule.threat.technique.subtechnique.reference",
    "kibana.alert.rule.throttle",
    "kibana.alert.rule.timeline_id",
    "kibana.alert.rule.timeline_title",
    "kibana.alert.rule.timestamp_override",
    "kibana.alert.rule.to",
    "kibana.alert.rule.type",
    "kibana.alert.rule.updated_at",
    "kibana.alert.rule.updated_by",
    "kibana.alert.rule.uuid",
    "kibana.alert.rule.version",
    "kibana.alert.severity",
    "kibana.alert.start",
    "kibana.alert.status",
    "kibana.alert.suppression.docs_count",
    "kibana.alert.suppression.end",
    "kibana.alert.suppression.start",
    "kibana.alert.suppression.terms.field",
    "kibana.alert.suppression.terms.value",
    "kibana.alert.threshold_result.cardinality.field",
    "kibana.alert.threshold_result.cardinality.value",
    "kibana.alert.threshold_result.count",
    "kibana.alert.threshold_result.from",
    "kibana.alert.threshold_result.terms.field",
    "kibana.alert.threshold_result.terms.value",
    "kibana.alert.updated_at",
    "kibana.alert.updated_by.user.id",
    "kibana.alert.updated_by.user.name",
    "kibana.alert.url",
    "kibana.alert.uuid",
    "kibana.alert.workflow_assignee_ids",
    "kibana.alert.workflow_reason",
    "kibana.alert.workflow_status",
    "kibana.alert.workflow_status_updated_at",
    "kibana.alert.workflow_tags",
    "kibana.alert.workflow_user",
    "kibana.space_ids",
    "kibana.version",
];

/// Fields of alerts below which there may be anything: what a rule's type knows, and whatever its author noted.
const TREES: [&str; 4] = [
    "kibana.alert.rule.actions.",
    "kibana.alert.rule.exceptions_list.",
    "kibana.alert.rule.meta.",
    "kibana.alert.rule.parameters.",
];

/// Fields of an alert that its event has without the first part.
const COPIES: [(&str, &str); 2] =
    [("kibana.alert.original_event.", "event."), ("kibana.alert.original_data_stream.", "data_stream.")];

/// Whether alerts can have a field of that name, which begins with `kibana.`; `has` tells which fields events have. An
/// object that holds such fields is one.
pub fn is_field(name: &str, has: impl Fn(&str) -> bool) -> bool {
    let is_object = |it: &&str| it.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
    let mapping = ["severity_mapping.", "risk_score_mapping."];
    let is_mapping = name
        .strip_prefix("kibana.alert.rule.")
        .is_some_and(|rest| mapping.iter().any(|it| rest.starts_with(it)));
    let is_copy = |(copy, original): &(&str, &str)| {
        name.strip_prefix(copy).is_some_and(|rest| has(&format!("{original}{rest}")))
    };
    FIELDS.contains(&name)
        || FIELDS.iter().any(is_object)
        || TREES.iter().any(|tree| name.starts_with(tree) || tree.strip_suffix('.') == Some(name))
        || is_mapping
        || COPIES.iter().any(is_copy)
}

/// A field of a document that is an alert. Those of before Kibana 8 say `signal` for `kibana.alert`.
pub fn field<'a>(document: &'a Object, path: &str) -> Option<&'a Value> {
    lookup(document, &format!("kibana.alert.{path}")).or_else(|| lookup(document, &format!("signal.{path}")))
}

/// The id that only an alert has.
pub fn id(document: &Object) -> Option<&str> {
    let nested = || document.get("kibana")?.get("alert")?.get("uuid");
    first(document.get("kibana.alert.uuid").or_else(nested)?)?.as_str()
}

/// The object ids of the rules that raised an alert and those it comes from; nothing of a document that is no alert.
pub fn lineage(document: &Object) -> Vec<String> {
    // Most documents are no alerts, and this is asked of all.
    if !document.keys().any(|key| key.starts_with("kibana") || key.starts_with("signal")) {
        return Vec::new();
    }
    // Before Kibana 8 it was `signal.rule.id`.
    let own = field(document, "rule.uuid").or_else(|| field(document, "rule.id"));
    let ancestors = list(field(document, "ancestors")).iter().filter_map(|it| it.get("rule"));
    own.into_iter().chain(ancestors).filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The [`lineage`] of an alert as it is built here, with its fields at keys with dots.
pub fn lineage_of<'a>(field: impl Fn(&str) -> Option<&'a Value>) -> Vec<String> {
    let own = field("kibana.alert.rule.uuid");
    let ancestors = list(field("kibana.alert.ancestors")).iter().filter_map(|it| it.get("rule"));
    own.into_iter().chain(ancestors).filter_map(Value::as_str).map(str::to_owned).collect()
}
