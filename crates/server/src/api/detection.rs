//! What is known of detection: rules, executions, gaps.

use std::time::Duration;

use ecs::Millis;
use ecs::date::DateMath;
use live::ExecutionRow;
use serde_json::{Value, json};

use super::alerts::{book, problem};
use super::shelf::Shelf;
use crate::http::{Answer, Asked, Kind, Problem};

/// How long whoever wants executions waits for them to be done.
const ANSWERED_WITHIN: Duration = Duration::from_secs(25);

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
    let refused: Vec<Value> = asked
        .app
        .detection
        .force()
        .refused
        .iter()
        .map(|(name, why)| json!({"name": name, "reason": why}))
        .collect();
    Ok(Answer::json(&json!({"rules": rules, "refused": refused})))
}

/// Makes a rule.
pub(super) fn make_rule(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&[])?;
    let Value::Object(body) = asked.json()? else {
        return Err(Problem::new(Kind::Body, "the body is no object"));
    };
    let made = super::kibana::made(&mut Shelf::open(asked)?, &body)?;
    Ok(Answer::json_of(201, &made))
}

/// Changes fields of a rule.
pub(super) fn change_rule(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&[])?;
    let Value::Object(body) = asked.json()? else {
        return Err(Problem::new(Kind::Body, "the body is no object"));
    };
    let mut shelf = Shelf::open(asked)?;
    let entry = shelf.find_any(asked.part("id"))?;
    let entry = shelf.change(|shelf, edit| shelf.patch(edit, &entry, &body))?;
    let states = Shelf::states(asked)?;
    Ok(Answer::json(&shelf.told(&entry, states.get(&entry.rule.id))))
}

/// Executes slots of a rule once more.
pub(super) fn execute_rule(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&[])?;
    let Value::Object(body) = asked.json()? else {
        return Err(Problem::new(Kind::Body, "the body is no object"));
    };
    if let Some(unknown) = body.keys().find(|it| !["from", "to"].contains(&it.as_str())) {
        return Err(Problem::new(Kind::Body, format!("`{unknown}` is not known; there are `from` and `to`")));
    }
    let now = asked.app.now();
    let time = |name: &str| -> Result<Option<Millis>, Problem> {
        let Some(text) = body.get(name).filter(|it| !it.is_null()) else { return Ok(None) };
        let math = text.as_str().map(DateMath::of_rule);
        match math {
            Some(Ok(math)) => Ok(Some(math.millis_at(now))),
            Some(Err(error)) => Err(Problem::new(Kind::Body, format!("`{name}`: {error}"))),
            None => Err(Problem::new(Kind::Body, format!("`{name}` is a time, such as now-1d"))),
        }
    };
    let from = time("from")?.ok_or_else(|| Problem::new(Kind::Body, "`from` says where to begin"))?;
    let to = time("to")?.unwrap_or(now);
    if from > to {
        return Err(Problem::new(Kind::Body, "`from` lies after `to`"));
    }
    let entry = Shelf::open(asked)?.find_any(asked.part("id"))?;
    let wait = asked.app.detection.order(&entry.rule.id, (from, to));
    let wait = wait.ok_or_else(|| Problem::later(Kind::Busy, "too many executions are being waited for"))?;
    match wait.recv_timeout(ANSWERED_WITHIN) {
        Ok(Ok(done)) => Ok(Answer::json(&json!({
            "state": if done.is_done { "done" } else { "stopped" },
            "slots": done.slots, "executions": done.executions, "alerts": done.alerts,
        }))),
        Ok(Err(error)) => Err(problem(&error)),
        // It goes on; `/api/v1/executions` tells what comes of it.
        Err(_) => Ok(Answer::json_of(202, &json!({"state": "running"}))),
    }
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
