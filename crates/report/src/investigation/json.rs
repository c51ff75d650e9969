//! JSON: stable, the facts by name.

use investigate::{Command, Evidence, Found, Investigation, Target};
use serde_json::{Map, Value, json};

pub(super) fn one(it: &Investigation) -> Value {
    let mut facts = Map::new();
    for fact in &it.facts {
        facts.insert(
            fact.name.to_owned(),
            json!({
                "value": fact.value,
                "confidence": fact.confidence.name(),
                "events": fact.events,
                "text": fact.text,
                "targets": fact.targets.iter().map(target).collect::<Vec<_>>(),
            }),
        );
    }
    let missing = |missing: &[investigate::Missing]| -> Vec<Value> {
        missing.iter().map(|it| json!({"id": it.lack.id(), "text": it.text})).collect()
    };
    let values: Map<String, Value> = it
        .values
        .iter()
        .filter(|(name, _)| name.starts_with("case."))
        .map(|(name, values)| (name.to_owned(), Value::from(values.to_vec())))
        .collect();
    json!({
        "id": it.id,
        "rule": it.rule.as_ref().map(|it| json!({"rule_id": it.rule_id, "name": it.name})),
        "severity": it.severity,
        "from": ecs::date::to_iso(it.anchor.0),
        "to": ecs::date::to_iso(it.anchor.1),
        "sentence": it.sentence,
        "deviations": it.deviations,
        "facts": facts,
        "values": values,
        "steps": it.steps.iter().map(|step| evidence(step, &missing)).collect::<Vec<_>>(),
        "false_positives": it.harmless.iter().map(|list| json!({
            "title": list.title,
            "text": list.text,
            "supports": list.supports,
            "speaks_against": list.against,
            "unknown": list.unknown,
        })).collect::<Vec<_>>(),
        "exception": it.exception.as_ref().map(|it| json!({
            "entries": it.entries.iter().map(|it| json!({"field": it.name(), "value": it.value})).collect::<Vec<_>>(),
            "hides": it.hides,
            "expires": ecs::date::to_iso(it.expires),
        })),
        "missing": missing(&it.missing),
    })
}

fn evidence(step: &Evidence, missing: &dyn Fn(&[investigate::Missing]) -> Vec<Value>) -> Value {
    json!({
        "step": step.id,
        "title": step.title,
        "text": step.text,
        "prose": step.is_prose,
        "range": step.range.map(|(from, to)| json!({"from": ecs::date::to_iso(from), "to": ecs::date::to_iso(to)})),
        "data_from": step.data_from.map(ecs::date::to_iso),
        "statements": step.statements,
        "results": step.results.iter().map(result).collect::<Vec<_>>(),
        "missing": missing(&step.missing),
        "command": step.command.as_ref().map(command),
        "osquery": step.snippets.iter().map(|it| json!({"label": it.label, "query": command(&it.command)})).collect::<Vec<_>>(),
    })
}

fn target(it: &Target) -> Value {
    json!({
        "call": it.call,
        "object": it.object,
        "detail": it.detail,
        "region": it.region,
        "account": it.account,
    })
}

/// A command with what was not accepted into it.
pub(crate) fn command(it: &Command) -> Value {
    json!({"text": it.text, "notes": it.notes, "is_open": it.is_open})
}

fn result(it: &Found) -> Value {
    json!({
        "id": it.id,
        "show": it.show,
        "query": it.query,
        "columns": it.columns,
        "total": it.total,
        "events": it.events,
        "truncated": it.total > it.rows.len() as u64,
        "rows": it.rows.iter().map(|row| json!({
            "cells": row.cells,
            "events": row.events,
            "count": row.count,
            "own": row.is_own,
        })).collect::<Vec<_>>(),
    })
}
