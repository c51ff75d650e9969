//! The document of an alert, in Elastic's alert schema.

mod clean;
mod overrides;
mod reason;
mod rule_fields;

use std::sync::Arc;

use ecs::date::to_iso;
use ecs::document::{list as each, lookup};
use ecs::{Catalog, Layered, Object, SharedFields};
use rule::Rule;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::outcome::{AlertSeed, Detail, Execution};
use crate::plan::SPACE;
use overrides::Overrides;

/// The namespace of execution ids: the UUID (version 5) of `urn:trailwarden:execution` as a URL.
const EXECUTION_NAMESPACE: Uuid = Uuid::from_u128(0xcd60_c080_585b_5244_b47b_bfbf_e7a4_2e7c);

/// What alerts need to know beyond event, rule and execution.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The types that values have to fit.
    pub catalog: &'a Catalog,
    /// What `kibana.version` says: the product and version that made the alert.
    pub version: &'a str,
}

/// What all alerts of a rule say of it: made once for many alerts.
#[derive(Clone, Debug)]
pub struct RuleFields(Arc<SharedFields>);

impl RuleFields {
    /// What alerts say of this rule.
    pub fn new(rule: &Rule) -> Self {
        Self(Arc::new(SharedFields::new(rule_fields::shared(rule))))
    }
}

/// The document (`_source`) of the alert, its keys in order. `fields` are those of `rule`, and `event` is the document
/// of the event.
///
/// The alert of a simulated execution is dated at the start of that execution, as a rule preview does, and says
/// that the execution was `manual`; so the same data and rule always give the same alert.
pub fn build(
    seed: &AlertSeed,
    rule: &Rule,
    fields: &RuleFields,
    event: Object,
    context: Context<'_>,
) -> Layered {
    let overrides = Overrides::new(&event, rule);
    let reason = reason::reason(&event, &overrides);
    let now = Value::from(to_iso(seed.execution.started_at));
    let (ancestors, depth) = ancestors(seed, &event);
    let original_time = original_time(&event);

    let mut alert = event;
    clean::clean(&mut alert, context.catalog);
    let mut originals = Object::new();
    for root in ["event", "data_stream"] {
        clean::copy_flat(&alert, root, &format!("kibana.alert.original_{root}"), &mut originals);
    }
    alert.append(&mut originals);
    alert.remove("event.kind");
    if let Some(Value::Object(event)) = alert.get_mut("event") {
        event.remove("kind");
    }

    let mut set = |key: &str, value: Value| {
        alert.insert(key.to_owned(), value);
    };
    set("@timestamp", now.clone());
    set("event.kind", "signal".into());
    set("kibana.space_ids", json!([SPACE]));
    set("kibana.version", context.version.into());
    set("kibana.alert.ancestors", ancestors);
    set("kibana.alert.depth", depth.into());
    set("kibana.alert.intended_timestamp", now.clone());
    set("kibana.alert.last_detected", now.clone());
    set("kibana.alert.reason", reason.into());
    set("kibana.alert.risk_score", overrides.risk_score.clone().into());
    set("kibana.alert.rule.execution.timestamp", now.clone());
    set("kibana.alert.rule.execution.type", "manual".into());
    set("kibana.alert.rule.execution.uuid", execution_uuid(rule, &seed.execution).into());
    set("kibana.alert.rule.name", overrides.name.into());
    set("kibana.alert.severity", overrides.severity.as_str().into());
    set("kibana.alert.start", now);
    set("kibana.alert.status", "active".into());
    set("kibana.alert.uuid", seed.id.clone().into());
    set("kibana.alert.workflow_assignee_ids", json!([]));
    set("kibana.alert.workflow_status", "open".into());
    set("kibana.alert.workflow_tags", json!([]));
    if let Some(time) = original_time {
        set("kibana.alert.original_time", time.into());
    }
    if let Some(kind) = &rule.building_block_type {
        set("kibana.alert.building_block_type", kind.clone().into());
    }
    match &seed.detail {
        Detail::Event => {}
        Detail::NewTerms(terms) => set("kibana.alert.new_terms", terms.clone().into()),
    }
    Layered::new(alert, Arc::clone(&fields.0))
}

/// The documents that the alert comes from, the event itself last, and how deep alerts on alerts go here.
fn ancestors(seed: &AlertSeed, event: &Object) -> (Value, u64) {
    let get = |path: &str| ecs::alert::field(event, path);
    let parent_rule = get("rule.uuid").or_else(|| get("rule.id")).and_then(Value::as_str);
    let Some(parent_rule) = parent_rule else {
        let parent = json!({"id": seed.event.id, "type": "event", "index": seed.event.index, "depth": 0});
        return (json!([parent]), 1);
    };
    let depth = get("depth").and_then(Value::as_u64).unwrap_or(1);
    let mut all = each(get("ancestors")).to_vec();
    all.push(json!({
        "id": seed.event.id, "type": "signal", "index": seed.event.index, "depth": depth, "rule": parent_rule,
    }));
    (all.into(), depth.saturating_add(1))
}

/// The event's `@timestamp`, never the rule's timestamp override; `None` if it is not a date.
fn original_time(event: &Object) -> Option<String> {
    match lookup(event, "@timestamp")? {
        Value::String(text) => ecs::date::parse(text).ok().map(to_iso),
        Value::Number(number) => number.as_i64().map(to_iso),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The same rule, start and range give the same id, so that output can be compared.
fn execution_uuid(rule: &Rule, execution: &Execution) -> String {
    let Execution { started_at, from, to } = execution;
    let name = format!("{} {started_at} {from} {to}", rule.id);
    Uuid::new_v5(&EXECUTION_NAMESPACE, name.as_bytes()).to_string()
}
