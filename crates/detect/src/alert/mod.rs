//! The document of an alert, in Elastic's alert schema.

mod asked;
mod behind;
mod clean;
mod event;
mod overrides;
mod own;
mod reason;
mod rule_fields;
mod sequence;
mod write;

use std::cell::LazyCell;
use std::fmt::Write as _;
use std::sync::Arc;

use ecs::date::to_iso;
use ecs::document::list as each;
use ecs::text::write_text;
use ecs::{Catalog, Layered, Object, SharedFields};
use identity::{Graph, RootField};
use plan::Expr;
use rule::{Rule, Severity};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::id;
use crate::outcome::{AlertSeed, Execution};
use crate::rule_type::{NEW_TERMS, THRESHOLD_RESULT};
use event::EventDocument;
use overrides::Overrides;
use own::{OwnFields, OwnWriter, write_value};

pub use asked::Asked;
pub use sequence::{build_blocks, build_shell, tell_sequence};
pub use write::{AlertWriter, Outline, paths_of_event};

/// The namespace of execution ids: the UUID (version 5) of `urn:trailwarden:execution` as a URL.
const EXECUTION_NAMESPACE: Uuid = Uuid::from_u128(0xcd60_c080_585b_5244_b47b_bfbf_e7a4_2e7c);

/// What all alerts of a rule have in common: made once for many alerts.
#[derive(Clone, Debug)]
pub struct RuleFields {
    shared: Arc<SharedFields>,
    /// Tells who is behind the alerts' events, if they say so.
    graph: Option<Arc<Graph>>,
}

impl RuleFields {
    /// What alerts of this rule say whatever their event; `version` is that of the product, which alerts name.
    pub fn new(rule: &Rule, version: &str) -> Self {
        let shared = Arc::new(SharedFields::new(rule_fields::shared(rule, version)));
        Self { shared, graph: None }
    }

    /// The same for alerts that say who is behind their events, as far as the calls tell that were ingested by the end of
    /// the execution.
    #[must_use]
    pub fn with_identities(self, graph: Arc<Graph>) -> Self {
        Self { graph: Some(graph), ..self }
    }

    /// The same for alerts of which nothing is asked but this.
    #[must_use]
    pub fn asked(self, asked: &Asked) -> Self {
        let shared = self.shared.only(|key| asked.has(key));
        Self { shared: Arc::new(shared), ..self }
    }
}

/// Whether an alert of the rule could satisfy the condition, by what all of its alerts say.
pub fn may_match(condition: &Expr, rule: &Rule) -> bool {
    let mut alert = rule_fields::shared(rule, "");
    let index = ("_index", Some(Value::from(ecs::ALERTS_INDEX)));
    let name = rule.rule_name_override.is_none().then(|| Value::from(rule.name.as_str()));
    let severity = rule.severity_mapping.is_empty().then(|| Value::from(rule.severity.as_str()));
    let said = [index, ("kibana.alert.rule.name", name), ("kibana.alert.severity", severity)];
    alert.extend(said.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))));
    // Of what else there is in an alert nothing is known.
    let is_said = |path: &str| {
        path.strip_prefix("kibana.alert.rule.").is_some_and(|it| it != "name" && !it.starts_with("execution"))
    };
    let known = condition.weaken(|it, _| is_said(&it.path) || alert.contains_key(&it.path));
    plan::naive::matches(&known, &alert)
}

/// The document (`_source`) of the alert, its keys in order. `fields` are those of `rule`, and `event` is the document
/// of the event, which an alert that is about no single one has no use for. [`AlertWriter`] writes the same, where it can, without making a tree of it.
///
/// The alert of a simulated execution is dated at the start of that execution, as a rule preview does, and says
/// that the execution was `manual`; so the same data and rule always give the same alert.
pub fn build(
    seed: &AlertSeed,
    rule: &Rule,
    fields: &RuleFields,
    event: Object,
    catalog: &Catalog,
) -> Layered {
    build_asked(seed, rule, fields, event, catalog, &Asked::everything())
}

/// As [`build`], without what is not asked for of what the alert says beyond its event and its rule.
pub fn build_asked(
    seed: &AlertSeed,
    rule: &Rule,
    fields: &RuleFields,
    event: Object,
    catalog: &Catalog,
    asked: &Asked,
) -> Layered {
    let event = seed.detail.document(event);
    let document = EventDocument::Tree(&event);
    let (own, _) =
        own_fields(seed, &Overrides::new(document, rule), document, rule, fields.graph.as_deref(), asked);
    Layered::new(without_rule(&own, event, catalog), Arc::clone(&fields.shared))
}

/// An alert's document without what all alerts of the rule say.
fn without_rule(own: &OwnFields, event: Object, catalog: &Catalog) -> Object {
    let mut alert = of_event(event, catalog);
    alert.extend(own.values());
    alert
}

/// What an alert has of the document of its event.
fn of_event(event: Object, catalog: &Catalog) -> Object {
    let mut alert = event;
    clean::clean(&mut alert, catalog);
    let mut originals = Object::new();
    for root in COPIED_ROOTS {
        clean::copy_flat(&alert, root, &format!("{ORIGINAL}{root}"), &mut originals);
    }
    alert.append(&mut originals);
    alert.remove(KIND);
    if let Some(Value::Object(event)) = alert.get_mut("event") {
        event.remove("kind");
    }
    alert
}

/// Roots of the event that the alert has a flat copy of,
const COPIED_ROOTS: [&str; 2] = ["event", "data_stream"];
/// under keys that begin so, followed by the root.
const ORIGINAL: &str = "kibana.alert.original_";
/// What kind of event it is: an alert is a signal, whatever its event was.
const KIND: &str = "event.kind";

/// What an alert says beyond its event and what all alerts of the rule say, as far as it is asked for, each at its key;
/// and its severity.
fn own_fields(
    seed: &AlertSeed,
    overrides: &Overrides<'_>,
    event: EventDocument<'_>,
    rule: &Rule,
    graph: Option<&Graph>,
    asked: &Asked,
) -> (OwnFields, Severity) {
    let now = to_iso(seed.execution.started_at);
    let suppressed = seed.suppressed.as_deref();
    let ancestors = LazyCell::new(|| ancestors(seed, event));
    let root = if asked.has_root() { behind::root(seed, event, graph) } else { None };
    let mut own = OwnWriter::new(asked);
    own.field("@timestamp", |out| write_text(&now, out));
    own.field("kibana.alert.ancestors", |out| out.push_str(&ancestors.0));
    own.field("kibana.alert.depth", |out| _ = write!(out, "{}", ancestors.1));
    own.field("kibana.alert.instance.id", |out| {
        if let Some(it) = suppressed {
            write_text(&it.instance, out);
        }
    });
    own.field("kibana.alert.intended_timestamp", |out| write_text(&now, out));
    own.field("kibana.alert.last_detected", |out| match suppressed {
        Some(it) => write_text(&to_iso(it.last_detected), out),
        None => write_text(&now, out),
    });
    own.field(NEW_TERMS, |out| {
        if let Some(it) = seed.detail.new_terms() {
            write_value(&it, out);
        }
    });
    own.field("kibana.alert.original_time", |out| {
        if let Some(it) = original_time(event) {
            write_text(&it, out);
        }
    });
    own.field("kibana.alert.reason", |out| write_text(&reason::reason(event, overrides), out));
    own.field("kibana.alert.risk_score", |out| overrides.write_risk_score(out));
    own.field("kibana.alert.rule.execution.timestamp", |out| write_text(&now, out));
    own.field("kibana.alert.rule.execution.uuid", |out| {
        let uuid = execution_uuid(rule, &seed.execution);
        write_text(uuid.hyphenated().encode_lower(&mut Uuid::encode_buffer()), out);
    });
    own.field("kibana.alert.rule.name", |out| write_text(&overrides.name, out));
    own.field("kibana.alert.severity", |out| write_text(overrides.severity.as_str(), out));
    own.field("kibana.alert.start", |out| write_text(&now, out));
    own.field("kibana.alert.suppression.docs_count", |out| {
        if let Some(it) = suppressed {
            _ = write!(out, "{}", it.docs_count);
        }
    });
    own.field("kibana.alert.suppression.end", |out| {
        if let Some(it) = suppressed {
            write_text(&to_iso(it.end), out);
        }
    });
    own.field("kibana.alert.suppression.start", |out| {
        if let Some(it) = suppressed {
            write_text(&to_iso(it.start), out);
        }
    });
    own.field("kibana.alert.suppression.terms", |out| {
        if let Some(it) = suppressed {
            write_value(&id::pairs(&it.terms), out);
        }
    });
    own.field(THRESHOLD_RESULT, |out| {
        if let Some(it) = seed.detail.threshold_result() {
            out.push_str(&it);
        }
    });
    own.field("kibana.alert.uuid", |out| write_text(&seed.id, out));
    for &field in RootField::ALL {
        own.field(field.path(), |out| {
            if let Some(root) = &root {
                behind::write(root, field, out);
            }
        });
    }
    (own.finish(), overrides.severity)
}

/// The keys of [`own_fields`], in order.
const OWN_KEYS: [&str; 26] = [
    "@timestamp",
    "kibana.alert.ancestors",
    "kibana.alert.depth",
    "kibana.alert.instance.id",
    "kibana.alert.intended_timestamp",
    "kibana.alert.last_detected",
    NEW_TERMS,
    "kibana.alert.original_time",
    "kibana.alert.reason",
    "kibana.alert.risk_score",
    "kibana.alert.rule.execution.timestamp",
    "kibana.alert.rule.execution.uuid",
    "kibana.alert.rule.name",
    "kibana.alert.severity",
    "kibana.alert.start",
    "kibana.alert.suppression.docs_count",
    "kibana.alert.suppression.end",
    "kibana.alert.suppression.start",
    "kibana.alert.suppression.terms",
    THRESHOLD_RESULT,
    "kibana.alert.uuid",
    RootField::Chain.path(),
    RootField::Confidence.path(),
    RootField::Key.path(),
    RootField::Arn.path(),
    RootField::Kind.path(),
];

/// The documents that the alert comes from as JSON, the event itself last, and how deep alerts on alerts go here.
fn ancestors(seed: &AlertSeed, event: EventDocument<'_>) -> (String, u64) {
    // No source but alerts has the fields of alerts, and those come as trees.
    let parent = event.tree().and_then(|tree| {
        let rule = ecs::alert::field(tree, "rule.uuid").or_else(|| ecs::alert::field(tree, "rule.id"));
        Some((tree, rule?.as_str()?))
    });
    let Some((parent, parent_rule)) = parent else {
        let mut text = "[{\"id\":".to_owned();
        write_text(&seed.event.id, &mut text);
        text += ",\"type\":\"event\",\"index\":";
        write_text(&seed.event.index, &mut text);
        text += ",\"depth\":0}]";
        return (text, 1);
    };
    let depth = ecs::alert::field(parent, "depth").and_then(Value::as_u64).unwrap_or(1);
    let mut all = each(ecs::alert::field(parent, "ancestors")).to_vec();
    all.push(json!({
        "id": seed.event.id, "type": "signal", "index": seed.event.index, "depth": depth, "rule": parent_rule,
    }));
    (Value::from(all).to_string(), depth.saturating_add(1))
}

/// Where an event says when it happened.
const TIME: &str = "@timestamp";

/// The event's `@timestamp`, never the rule's timestamp override; `None` if it is not a date.
fn original_time(event: EventDocument<'_>) -> Option<String> {
    ecs::document::date(&*event.get(TIME)?).map(to_iso)
}

/// The same rule, start and range give the same id, so that output can be compared.
fn execution_uuid(rule: &Rule, execution: &Execution) -> Uuid {
    let Execution { started_at, from, to } = execution;
    let name = format!("{} {started_at} {from} {to}", rule.id);
    Uuid::new_v5(&EXECUTION_NAMESPACE, name.as_bytes())
}
