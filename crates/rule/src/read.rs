//! A checked tree becomes a [`Rule`].

use std::sync::Arc;

use ecs::date::DateMath;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::check::integer;
use crate::format::{FIELDS, field};
use crate::source::Source;
use crate::text::{Data, Node};
use crate::{
    AlertSuppression, Builtin, Cardinality, Guide, GuideLanguage, Interval, MissingFields, NewTerms, Note,
    QueryLanguage, Risk, RiskScoreMapping, Rule, RuleKind, Scope, Severity, SeverityMapping, Show, Step,
    StepQuery, Threat, ThreatEntry, ThreatMapping, Threshold, TimeUnit, When,
};

/// Ids of rules without one are names in this namespace: the same on every machine, and nobody else's.
const NAMESPACE: Uuid = Uuid::from_u128(0x5b1c_9f0e_6d2a_4f37_9c44_7a1e_30d8_b6c2);

/// Makes the rule of a tree that passed the checks.
pub(crate) fn rule(file: String, metadata: Option<&Node>, source: Source) -> Rule {
    let node = &source.rule;
    let type_name = node.get("type").and_then(Node::text).unwrap_or("query");
    let name = text(node, "name");
    // The file of a rule without `rule_id` still gives the same rule every time it is read.
    let rule_id =
        optional(node, "rule_id").unwrap_or_else(|| Uuid::new_v5(&NAMESPACE, name.as_bytes()).to_string());
    let id = optional(node, "id").unwrap_or_else(|| Uuid::new_v5(&NAMESPACE, rule_id.as_bytes()).to_string());
    let guide = source.guide.as_ref().map(guide);
    let note = optional(node, "note")
        .or_else(|| guide.as_ref().map(|guide| crate::note::note(guide, GuideLanguage::English)));
    Rule {
        file,
        rule_id,
        id,
        name,
        description: text(node, "description"),
        severity: severity(node),
        risk_score: number(node, "risk_score", 0) as u8,
        kind: kind(node, type_name),
        language: language(node, type_name),
        query: text(node, "query"),
        // Where events come from is part of a query in ES|QL.
        index: if type_name == "esql" { esql::patterns(&text(node, "query")) } else { texts(node, "index") },
        data_view_id: optional(node, "data_view_id"),
        filters: values(node, "filters"),
        interval: optional(node, "interval")
            .map_or_else(|| Interval::clamped(5, TimeUnit::Minute), |text| text.parse().expect(CHECKED)),
        from: date_math(node, "from", "now-6m"),
        to: date_math(node, "to", "now"),
        max_signals: clamped(node, "max_signals", 100),
        timestamp_override: optional(node, "timestamp_override"),
        timestamp_override_fallback_disabled: flag(node, "timestamp_override_fallback_disabled")
            .unwrap_or(false),
        severity_mapping: items(node, "severity_mapping")
            .iter()
            .map(|item| SeverityMapping {
                field: text(item, "field"),
                value: text(item, "value"),
                severity: severity(item),
            })
            .collect(),
        risk_score_mapping: items(node, "risk_score_mapping")
            .iter()
            .map(|item| RiskScoreMapping { field: text(item, "field") })
            .collect(),
        rule_name_override: optional(node, "rule_name_override"),
        building_block_type: optional(node, "building_block_type"),
        alert_suppression: suppression(node),
        threat: items(node, "threat").iter().map(threat).collect(),
        tags: texts(node, "tags"),
        author: texts(node, "author"),
        license: optional(node, "license"),
        references: texts(node, "references"),
        false_positives: texts(node, "false_positives"),
        note,
        setup: text(node, "setup"),
        version: clamped(node, "version", 1),
        revision: clamped(node, "revision", 0),
        enabled: flag(node, "enabled"),
        exceptions_list: values(node, "exceptions_list"),
        guide,
        maturity: metadata.and_then(|metadata| optional(metadata, "maturity")),
        source: Arc::new(source),
        translations: Vec::new(),
    }
}

/// Why a text of the tree can be read.
const CHECKED: &str = "a tree that did not pass the checks becomes no rule";

/// Room for what most rules have, defaults included.
const API_FIELDS: usize = 40;

/// The rule as the API gives it: known fields in its order, defaults filled in, what is not known at the end.
pub(crate) fn api(rule: &Rule) -> Map<String, Value> {
    let (node, type_name) = (&rule.source.rule, rule.kind.type_name());
    // What was made for the rule, and what may be translated.
    let own = |name: &str| match name {
        "id" => Some(rule.id.as_str().into()),
        "rule_id" => Some(rule.rule_id.as_str().into()),
        "name" => Some(rule.name.as_str().into()),
        "description" => Some(rule.description.as_str().into()),
        "note" => rule.note.as_deref().map(Value::from),
        "setup" => Some(rule.setup.as_str().into()),
        "false_positives" => Some(rule.false_positives.clone().into()),
        _ => None,
    };
    let mut api = Map::with_capacity(API_FIELDS);
    for entry in FIELDS {
        if let Some(value) = own(entry.name) {
            api.insert(entry.name.to_owned(), value);
            continue;
        }
        let value = match node.get(entry.name) {
            Some(value) => normalised(entry.name, value),
            None if entry.name == "language" && entry.belongs(type_name) => Value::from("kuery"),
            None if entry.name == "query" && type_name == "query" => Value::from(""),
            None => match entry.default.filter(|_| entry.belongs(type_name)) {
                Some(default) => serde_json::from_str(default).expect("the defaults of the format are JSON"),
                None => continue,
            },
        };
        api.insert(entry.name.to_owned(), value);
    }
    for member in node.members() {
        if field(&member.key).is_none() && member.value.data != Data::Null {
            api.insert(member.key.clone(), member.value.to_json());
        }
    }
    api
}

/// What may be written in two ways has one in the API.
fn normalised(name: &str, value: &Node) -> Value {
    let mut json = value.to_json();
    match name {
        "machine_learning_job_id" if json.is_string() => Value::Array(vec![json]),
        "threshold" => {
            if let Some(field) = json.get_mut("field") {
                *field = match field.take() {
                    Value::String(text) if text.is_empty() => Value::Array(Vec::new()),
                    text @ Value::String(_) => Value::Array(vec![text]),
                    other => other,
                };
            }
            json
        }
        "threat" => {
            for item in json.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
                item.entry("technique").or_insert_with(|| Value::Array(Vec::new()));
            }
            json
        }
        _ => json,
    }
}

fn kind(node: &Node, type_name: &str) -> RuleKind {
    match type_name {
        "saved_query" => RuleKind::SavedQuery { saved_id: text(node, "saved_id") },
        "new_terms" => RuleKind::NewTerms(NewTerms {
            fields: texts(node, "new_terms_fields"),
            history_window_start: date_math(node, "history_window_start", "now-7d"),
        }),
        "threshold" => RuleKind::Threshold(threshold(node)),
        "eql" => RuleKind::Eql {
            event_category_override: optional(node, "event_category_override"),
            tiebreaker_field: optional(node, "tiebreaker_field"),
            timestamp_field: optional(node, "timestamp_field"),
        },
        "esql" => RuleKind::Esql,
        "threat_match" => RuleKind::ThreatMatch(ThreatMapping {
            index: texts(node, "threat_index"),
            query: text(node, "threat_query"),
            language: optional(node, "threat_language")
                .and_then(|name| QueryLanguage::from_name(&name))
                .unwrap_or(QueryLanguage::Kuery),
            filters: values(node, "threat_filters"),
            mapping: items(node, "threat_mapping").iter().map(threat_entries).collect(),
            indicator_path: optional(node, "threat_indicator_path")
                .unwrap_or_else(|| "threat.indicator".to_owned()),
        }),
        "machine_learning" => RuleKind::MachineLearning {
            anomaly_threshold: clamped(node, "anomaly_threshold", 0),
            job_ids: texts(node, "machine_learning_job_id"),
        },
        _ => RuleKind::Query,
    }
}

fn language(node: &Node, type_name: &str) -> Option<QueryLanguage> {
    let default = || field("language").filter(|entry| entry.belongs(type_name)).map(|_| QueryLanguage::Kuery);
    match optional(node, "language") {
        Some(name) => QueryLanguage::from_name(&name),
        None => default(),
    }
}

fn threshold(node: &Node) -> Threshold {
    let Some(table) = node.get("threshold") else {
        return Threshold { fields: Vec::new(), value: 1, cardinality: None };
    };
    Threshold {
        fields: texts(table, "field").into_iter().filter(|field| !field.is_empty()).collect(),
        value: number(table, "value", 1).max(0) as u64,
        cardinality: items(table, "cardinality").first().map(|first| Cardinality {
            field: text(first, "field"),
            value: number(first, "value", 0).max(0) as u64,
        }),
    }
}

fn threat_entries(group: &Node) -> Vec<ThreatEntry> {
    items(group, "entries")
        .iter()
        .map(|entry| ThreatEntry {
            field: text(entry, "field"),
            value: text(entry, "value"),
            negate: flag(entry, "negate").unwrap_or(false),
        })
        .collect()
}

fn suppression(node: &Node) -> Option<AlertSuppression> {
    let table = node.get("alert_suppression")?;
    let duration = table.get("duration").map(|duration| {
        let unit = match optional(duration, "unit").as_deref() {
            Some("s") => TimeUnit::Second,
            Some("h") => TimeUnit::Hour,
            _ => TimeUnit::Minute,
        };
        Interval::clamped(number(duration, "value", 1), unit)
    });
    let missing_fields = match optional(table, "missing_fields_strategy").as_deref() {
        Some("doNotSuppress") => MissingFields::DoNotSuppress,
        _ => MissingFields::Suppress,
    };
    Some(AlertSuppression { group_by: texts(table, "group_by"), duration, missing_fields })
}

fn threat(node: &Node) -> Threat {
    let pair = |node: &Node| (text(node, "id"), text(node, "name"));
    let techniques = items(node, "technique")
        .iter()
        .flat_map(|technique| std::iter::once(technique).chain(items(technique, "subtechnique")))
        .map(pair)
        .collect();
    let tactic = node.get("tactic").map(pair).unwrap_or_default();
    Threat { framework: text(node, "framework"), tactic, techniques }
}

fn guide(node: &Node) -> Guide {
    let steps = |key| items(node, key).iter().map(step).collect();
    Guide {
        overview: optional(node, "overview"),
        triage: steps("triage"),
        false_positives: items(node, "false_positive")
            .iter()
            .map(|note| Note { title: text(note, "title"), text: text(note, "text") })
            .collect(),
        response: steps("response"),
    }
}

fn step(node: &Node) -> Step {
    let word = |key| node.get(key).and_then(Node::text);
    Step {
        title: text(node, "title"),
        text: text(node, "text"),
        id: optional(node, "id"),
        uses: texts(node, "uses"),
        builtin: word("builtin").and_then(Builtin::from_name),
        queries: step_queries(node).map(step_query).collect(),
        command: optional(node, "command"),
        when: word("when").map(|text| When::parse(text).expect(CHECKED)),
        reason: optional(node, "reason"),
        breaks: optional(node, "breaks"),
        undo: optional(node, "undo"),
        needs: texts(node, "needs"),
        verify: optional(node, "verify"),
        phase: node.get("phase").map(|_| number(node, "phase", 0) as u8),
        risk: word("risk").and_then(Risk::from_name),
    }
}

/// The queries of a step: its one, or its list.
pub(crate) fn step_queries(step: &Node) -> impl Iterator<Item = &Node> {
    step.get("query").into_iter().chain(items(step, "queries"))
}

fn step_query(query: &Node) -> StepQuery {
    let window = |key| optional(query, key).unwrap_or_else(|| "1h".to_owned());
    let word = |key| query.get(key).and_then(Node::text);
    StepQuery {
        id: optional(query, "id"),
        language: text(query, "language"),
        query: text(query, "query"),
        before: window("before"),
        after: window("after"),
        columns: texts(query, "columns"),
        show: word("show").and_then(Show::from_name).unwrap_or_default(),
        limit: query.get("limit").map(|_| clamped(query, "limit", 0)),
        scope: word("scope").and_then(Scope::from_name).unwrap_or_default(),
    }
}

fn severity(node: &Node) -> Severity {
    optional(node, "severity").and_then(|name| Severity::from_name(&name)).unwrap_or(Severity::Low)
}

fn text(node: &Node, key: &str) -> String {
    node.get(key).and_then(Node::text).unwrap_or_default().to_owned()
}

/// A text that says something: Kibana writes an empty one for a field that is not used.
fn optional(node: &Node, key: &str) -> Option<String> {
    node.get(key).and_then(Node::text).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// Date math, or `default` where there is none.
fn date_math(node: &Node, key: &str, default: &str) -> DateMath {
    let text = optional(node, key);
    DateMath::of_rule(text.as_deref().unwrap_or(default)).expect(CHECKED)
}

/// A list of strings, or one string as a list.
fn texts(node: &Node, key: &str) -> Vec<String> {
    match node.get(key) {
        Some(Node { data: Data::Text(text), .. }) => vec![text.clone()],
        Some(list) => list.items().iter().filter_map(Node::text).map(str::to_owned).collect(),
        None => Vec::new(),
    }
}

fn items<'n>(node: &'n Node, key: &str) -> &'n [Node] {
    node.get(key).map_or(&[], Node::items)
}

fn values(node: &Node, key: &str) -> Vec<Value> {
    items(node, key).iter().map(Node::to_json).collect()
}

fn flag(node: &Node, key: &str) -> Option<bool> {
    match node.get(key)?.data {
        Data::Bool(flag) => Some(flag),
        _ => None,
    }
}

fn number(node: &Node, key: &str, default: i64) -> i64 {
    match node.get(key).map(|node| &node.data) {
        Some(Data::Number(number)) => integer(number).unwrap_or(default),
        _ => default,
    }
}

fn clamped(node: &Node, key: &str, default: u32) -> u32 {
    u32::try_from(number(node, key, default.into()).max(0)).unwrap_or(u32::MAX)
}
