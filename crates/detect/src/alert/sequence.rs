//! The alerts about a sequence: a building block for each of its events, and a shell of what these have in common.

use std::sync::Arc;

use ecs::date::to_iso;
use ecs::document::list as each;
use ecs::{Catalog, Layered, Object};
use rule::Rule;
use serde_json::{Value, json};

use super::event::EventDocument;
use super::overrides::Overrides;
use super::{Asked, RuleFields, own_fields, without_rule};
use crate::outcome::AlertSeed;
use crate::rule_type::{Detail, Sequence};

/// What an alert is part of.
const GROUP_ID: &str = "kibana.alert.group.id";
/// Which part it is.
const GROUP_INDEX: &str = "kibana.alert.group.index";
const BUILDING_BLOCK: &str = "kibana.alert.building_block_type";

impl AlertSeed {
    /// The events of a sequence or sample, if it is about one.
    pub fn sequence(&self) -> Option<&Sequence> {
        match &self.detail {
            Detail::Sequence(it) => Some(it),
            Detail::Event | Detail::NewTerms(_) | Detail::Threshold(_) | Detail::Row(_) => None,
        }
    }
}

/// The building blocks of an alert about a sequence, in order: `events` are the documents of its
/// [events](AlertSeed::events). None if it is about something else.
///
/// Their severity, risk score and name are those of the rule, whatever the event says, unless the rule's alerts are
/// suppressed: that is how Elastic's engine has it.
pub fn build_blocks(
    seed: &AlertSeed,
    rule: &Rule,
    fields: &RuleFields,
    events: Vec<Object>,
    catalog: &Catalog,
) -> Vec<Layered> {
    let (blocks, asked) = (seed.sequence().into_iter().flat_map(Sequence::present), Asked::everything());
    let block = |(at, (block, event)): (usize, (&crate::SequenceEvent, Object))| {
        let of_event = AlertSeed {
            id: block.block_id.clone(),
            event: block.event.clone(),
            execution: seed.execution,
            detail: Detail::Event,
            suppressed: None,
        };
        let overrides = if rule.alert_suppression.is_some() {
            Overrides::new(EventDocument::Tree(&event), rule)
        } else {
            Overrides::none(rule)
        };
        let (own, _) = own_fields(
            &of_event,
            &overrides,
            EventDocument::Tree(&event),
            rule,
            fields.graph.as_deref(),
            &asked,
        );
        let mut alert = without_rule(&own, event, catalog);
        alert.insert(BUILDING_BLOCK.to_owned(), "default".into());
        alert.insert(GROUP_ID.to_owned(), seed.id.clone().into());
        alert.insert(GROUP_INDEX.to_owned(), at.into());
        Layered::new(alert, Arc::clone(&fields.shared))
    };
    blocks.zip(events).enumerate().map(block).collect()
}

/// The alert about a sequence around its [building blocks](build_blocks): what these have in common, and where they are.
pub fn build_shell(seed: &AlertSeed, rule: &Rule, fields: &RuleFields, blocks: &[Layered]) -> Layered {
    let own = |it: &Layered| -> Object {
        it.own().iter().map(|(key, value)| (key.clone(), value.clone())).collect()
    };
    let mut all = blocks.iter().map(own);
    let mut common = all.next().unwrap_or_default();
    for block in all {
        intersect(&mut common, &block);
    }
    common.remove(BUILDING_BLOCK);
    let (own, _) = own_fields(
        seed,
        &Overrides::none(rule),
        EventDocument::Tree(&common),
        rule,
        None,
        &Asked::everything(),
    );
    common.extend(own.values());
    let mut ancestors: Vec<Value> = Vec::new();
    let mut depth = 0;
    let ids = seed.sequence().into_iter().flat_map(Sequence::present).map(|it| it.block_id.as_str());
    for (block, id) in blocks.iter().zip(ids) {
        let of_block = block.get("kibana.alert.depth").and_then(Value::as_u64).unwrap_or(1);
        ancestors.extend(each(block.get("kibana.alert.ancestors")).iter().cloned());
        ancestors.push(json!({"id": id, "type": "signal", "index": "", "depth": of_block, "rule": rule.id}));
        depth = depth.max(of_block);
    }
    common.insert("kibana.alert.ancestors".to_owned(), ancestors.into());
    common.insert("kibana.alert.depth".to_owned(), depth.saturating_add(1).into());
    // That of its first block.
    let made = Value::from(to_iso(seed.execution.started_at));
    common.insert("kibana.alert.original_time".to_owned(), made);
    common.insert(GROUP_ID.to_owned(), seed.id.clone().into());
    Layered::new(common, Arc::clone(&fields.shared))
}

/// What people are told of a sequence: what its shell says, and at each path of its events their values in order, each
/// once. It happened when its newest event did.
pub fn tell_sequence(seed: &AlertSeed, shell: &Layered, fields: &RuleFields, events: &[Object]) -> Layered {
    let mut told = Object::new();
    for event in events {
        collect("", event, &mut told);
    }
    for value in told.values_mut() {
        if let Value::Array(values) = value
            && values.len() == 1
        {
            *value = values.remove(0);
        }
    }
    let own = shell.own().iter().filter(|(key, _)| key.starts_with("kibana.") || *key == "@timestamp");
    told.extend(own.map(|(key, value)| (key.clone(), value.clone())));
    told.insert("kibana.alert.original_time".to_owned(), to_iso(seed.event.timestamp).into());
    Layered::new(told, Arc::clone(&fields.shared))
}

/// Keeps what both have: of two lists what is in both, of two values one if they are equal.
fn intersect(common: &mut Object, other: &Object) {
    common.retain(|key, mine| {
        let Some(theirs) = other.get(key) else { return false };
        match (&mut *mine, theirs) {
            (Value::Object(mine), Value::Object(theirs)) => {
                intersect(mine, theirs);
                !mine.is_empty()
            }
            (Value::Array(mine), theirs) => {
                mine.retain(|it| each(Some(theirs)).contains(it));
                true
            }
            (scalar, Value::Array(theirs)) => {
                let kept = theirs.contains(scalar).then(|| scalar.clone());
                *mine = Value::Array(kept.into_iter().collect());
                true
            }
            (mine, theirs) => mine == theirs,
        }
    });
}

/// Adds the values of a document at their paths, each once.
fn collect(before: &str, document: &Object, told: &mut Object) {
    for (key, value) in document {
        let path = if before.is_empty() { key.clone() } else { format!("{before}.{key}") };
        if let Value::Object(inner) = value {
            collect(&path, inner, told);
            continue;
        }
        let known = told.entry(path).or_insert_with(|| json!([]));
        if let Value::Array(known) = known {
            for it in each(Some(value)) {
                if !known.contains(it) {
                    known.push(it.clone());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(value: Value) -> Object {
        let Value::Object(object) = value else { panic!("{value}") };
        object
    }

    #[test]
    fn what_documents_have_in_common() {
        let mut common = object(json!({
            "user": {"name": "ada", "id": "1"}, "source": {"ip": "10.0.0.1"}, "tags": ["a", "b"], "one": "x",
            "many": ["x", "y"], "none": [1], "only": true, "number": 1,
        }));
        let other = object(json!({
            "user": {"name": "ada", "id": "2"}, "source": {"ip": "10.0.0.2"}, "tags": ["b", "c"], "one": ["y", "x"],
            "many": "y", "none": [2], "number": 1,
        }));
        intersect(&mut common, &other);
        let expected = json!({
            "user": {"name": "ada"}, "tags": ["b"], "one": ["x"], "many": ["y"], "none": [], "number": 1,
        });
        assert_eq!(Value::Object(common), expected);
    }

    #[test]
    fn values_stand_side_by_side() {
        let mut told = Object::new();
        collect("", &object(json!({"event": {"action": "A"}, "tags": ["x"]})), &mut told);
        collect("", &object(json!({"event": {"action": "B"}, "tags": ["x"]})), &mut told);
        assert_eq!(Value::Object(told), json!({"event.action": ["A", "B"], "tags": ["x"]}));
    }
}
