//! What is known of detection: rules, executions, gaps.

use live::ExecutionRow;
use serde_json::{Value, json};

use super::alerts::{book, problem};
use crate::http::{Answer, Asked, Problem};

/// Executions that one request gives.
const SIZE_MAX: usize = 10_000;

pub(super) fn rules(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&[])?;
    let rules = book(asked)?.rules().map_err(|it| problem(&it))?;
    let rules: Vec<Value> = rules
        .into_iter()
        .map(|it| {
            let last = it.last.map(|(slot, status, messages)| {
                json!({"slot": ecs::date::to_iso(slot), "status": status.as_str(), "messages": messages})
            });
            json!({
                "rule_id": it.rule_id,
                "uuid": it.uuid,
                "name": it.name,
                "enabled": it.enabled,
                "interval_ms": it.interval,
                "first": ecs::date::to_iso(it.first),
                "next": ecs::date::to_iso(it.next),
                "last": last,
                "late_events": it.late_events,
                "unfilled_slots": it.unfilled_slots,
                "alerts": it.alerts,
            })
        })
        .collect();
    let refused: Vec<Value> =
        asked.app.detection.refused.iter().map(|(name, why)| json!({"name": name, "reason": why})).collect();
    Ok(Answer::json(&json!({"rules": rules, "refused": refused})))
}

pub(super) fn executions(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&["rule", "size"])?;
    let size = asked.query.number("size", 100, SIZE_MAX)?;
    let rows = book(asked)?.executions(asked.query.get("rule"), size).map_err(|it| problem(&it))?;
    let one = |it: ExecutionRow| {
        json!({
            "rule_id": it.rule_id,
            "rule_name": it.rule_name,
            "slot": ecs::date::to_iso(it.slot),
            "started": ecs::date::to_iso(it.started),
            "seen": ecs::date::to_iso(it.seen),
            "type": it.kind.as_str(),
            "status": it.status.as_str(),
            "messages": it.messages,
            "alerts": it.alerts,
            "suppressed": it.suppressed,
            "known": it.known,
        })
    };
    Ok(Answer::json(&json!({"executions": rows.into_iter().map(one).collect::<Vec<_>>()})))
}

pub(super) fn gaps(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&["rule"])?;
    let gaps = book(asked)?.gaps(asked.query.get("rule")).map_err(|it| problem(&it))?;
    let gaps: Vec<Value> = gaps
        .into_iter()
        .map(|it| {
            json!({
                "rule_id": it.rule_id,
                "rule_name": it.rule_name,
                "from": ecs::date::to_iso(it.from),
                "to": ecs::date::to_iso(it.to),
                "reason": it.reason.as_str(),
                "events": it.events,
                "found": ecs::date::to_iso(it.found),
                "filled": it.next.is_none(),
                "next": it.next.map(ecs::date::to_iso),
            })
        })
        .collect();
    Ok(Answer::json(&json!({"gaps": gaps})))
}
