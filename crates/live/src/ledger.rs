//! What is written down of a slot, all of it or nothing.

use detect::{Behind, SuppressedMore};
use ecs::Millis;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::LiveError;
use crate::gap::Reason;
use crate::incident::{Member, join};
use crate::report::{ExecutionReport, Kind, Status};
use crate::schema::Refusal;
use crate::silence::expire;

/// What came of a slot.
pub(crate) struct SlotRecord {
    pub(crate) slot: Millis,
    pub(crate) started: Millis,
    pub(crate) seen: Millis,
    pub(crate) kind: Kind,
    pub(crate) executions: Vec<ExecutionRecord>,
    pub(crate) alerts: Vec<AlertRecord>,
    pub(crate) more: Vec<SuppressedMore>,
    pub(crate) late: Vec<LateRecord>,
    /// The gap that is filled, and what of it comes next.
    pub(crate) filled: Option<(i64, Option<Millis>)>,
}

/// An execution.
pub(crate) struct ExecutionRecord {
    /// The rule's number in the database.
    pub(crate) rule: i64,
    /// Where the rule goes on, if the execution was on schedule.
    pub(crate) next: Option<Millis>,
    pub(crate) report: ExecutionReport,
}

/// An alert.
pub(crate) struct AlertRecord {
    pub(crate) rule: i64,
    pub(crate) id: String,
    /// The time of the newest event that it is about.
    pub(crate) time: Millis,
    pub(crate) severity: &'static str,
    /// The `rule_id` and the name that its document has.
    pub(crate) names: (String, String),
    /// Who is behind it.
    pub(crate) root: Option<String>,
    /// If it begins an incident: since when alerts belong to that.
    pub(crate) incident_from: Option<Millis>,
    /// The silence that it is raised in.
    pub(crate) silence: Option<i64>,
    pub(crate) document: String,
    /// The ids and documents of its building blocks.
    pub(crate) blocks: Vec<(String, String)>,
}

/// Events that came too late for a rule.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LateRecord {
    pub(crate) rule: i64,
    pub(crate) interval: Millis,
    pub(crate) behind: Behind,
    /// The slots that would have seen them.
    pub(crate) slots: (Millis, Millis),
}

/// Writes down what came of a slot. Says which of the alerts did not exist before.
pub(crate) fn write(connection: &Connection, record: &SlotRecord) -> Result<Vec<bool>, Refusal> {
    let slot = "INSERT INTO slots (slot_ms, started_ms, seen_ms, turn) VALUES (?1, ?2, ?3, ?4)";
    let turn = match record.kind {
        Kind::Scheduled => 0,
        Kind::Manual => 1,
    };
    connection.prepare_cached(slot)?.execute(params![record.slot, record.started, record.seen, turn])?;
    let id = connection.last_insert_rowid();
    for it in &record.executions {
        execution(connection, id, record.slot, it)?;
    }
    expire(connection, record.started)?;
    let mut are_new = Vec::with_capacity(record.alerts.len());
    for it in &record.alerts {
        are_new.push(alert(connection, id, record.slot, it)?);
    }
    // Once all are there: one that stands on others of the slot takes them along.
    for it in record.alerts.iter().zip(&are_new).filter(|(_, is_new)| **is_new).map(|(it, _)| it) {
        let Some(root) = &it.root else { continue };
        let from = it.incident_from;
        join(connection, &Member { id: &it.id, root, time: it.time, slot: record.slot, from })?;
    }
    let more = "UPDATE alerts SET suppressed = suppressed + ?2,
            suppressed_start_ms = coalesce(min(suppressed_start_ms, ?3), suppressed_start_ms, ?3),
            suppressed_end_ms = max(coalesce(suppressed_end_ms, ?4), ?4),
            last_detected_ms = max(coalesce(last_detected_ms, ?5), ?5),
            suppressed_slot = ?6
        WHERE id = ?1";
    for SuppressedMore { id: alert, docs_count, start, end, last_detected } in &record.more {
        let its = params![alert, *docs_count as i64, start, end, last_detected, id];
        connection.prepare_cached(more)?.execute(its)?;
    }
    for it in &record.late {
        late(connection, record.started, it)?;
    }
    if let Some((gap, next)) = record.filled {
        connection
            .prepare_cached("UPDATE gaps SET next_ms = ?2 WHERE id = ?1")?
            .execute(params![gap, next])?;
    }
    Ok(are_new)
}

fn execution(connection: &Connection, id: i64, slot: Millis, it: &ExecutionRecord) -> Result<(), Refusal> {
    let ExecutionRecord { rule, next, report } = it;
    if let Some(next) = next {
        // Exactly once: whoever comes second finds the rule further on.
        let set = "UPDATE rules SET next_ms = ?2 WHERE id = ?1 AND next_ms = ?3";
        if connection.prepare_cached(set)?.execute(params![rule, next, slot])? != 1 {
            return Err(LiveError::Overtaken { rule: report.rule_name.clone() }.into());
        }
        if report.status == Status::Failed {
            gap(connection, *rule, (slot, slot), Reason::Failed, 0, slot)?;
        }
    }
    let text = "INSERT INTO executions (slot, rule, status, alerts, suppressed, known, messages, version)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, (SELECT version FROM rules WHERE id = ?2))";
    let messages = (!report.messages.is_empty()).then(|| report.messages.join("\n"));
    connection.prepare_cached(text)?.execute(params![
        id,
        rule,
        report.status.number(),
        report.alerts as i64,
        report.suppressed as i64,
        report.known as i64,
        messages
    ])?;
    Ok(())
}

fn alert(connection: &Connection, id: i64, slot: Millis, it: &AlertRecord) -> rusqlite::Result<bool> {
    let named = named(connection, &it.names)?;
    let text = "INSERT INTO alerts (id, rule, slot, slot_ms, time_ms, severity, document, named, root,
                    silence)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (id) DO NOTHING";
    let values =
        params![it.id, it.rule, id, slot, it.time, it.severity, it.document, named, it.root, it.silence];
    if connection.prepare_cached(text)?.execute(values)? == 0 {
        return Ok(false);
    }
    let number = connection.last_insert_rowid();
    let text = "INSERT INTO blocks (alert, place, id, document) VALUES (?1, ?2, ?3, ?4)";
    for (place, (id, document)) in it.blocks.iter().enumerate() {
        connection.prepare_cached(text)?.execute(params![number, place as i64, id, document])?;
    }
    Ok(true)
}

/// The number of what an alert calls its rule.
pub(crate) fn named(connection: &Connection, (rule_id, name): &(String, String)) -> rusqlite::Result<i64> {
    let add = "INSERT INTO alert_rules (rule_id, name) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
    connection.prepare_cached(add)?.execute([rule_id, name])?;
    let find = "SELECT id FROM alert_rules WHERE rule_id = ?1 AND name = ?2";
    connection.prepare_cached(find)?.query_row([rule_id, name], |row| row.get(0))
}

fn late(connection: &Connection, now: Millis, it: &LateRecord) -> rusqlite::Result<()> {
    let events = it.behind.events as i64;
    let count = "UPDATE rules SET late_events = late_events + ?2 WHERE id = ?1";
    connection.prepare_cached(count)?.execute(params![it.rule, events])?;
    let (from, to) = it.slots;
    // One that nobody began to fill, and that it touches, becomes longer: late events come in many small batches.
    let near = "SELECT id, from_ms, to_ms FROM gaps WHERE rule = ?1 AND reason = ?2 AND next_ms = from_ms
                AND from_ms <= ?4 + ?5 AND to_ms >= ?3 - ?5 ORDER BY id LIMIT 1";
    let values = params![it.rule, Reason::Late.number(), from, to, it.interval];
    let near = connection.prepare_cached(near)?.query_row(values, |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, Millis>(1)?, row.get::<_, Millis>(2)?))
    });
    if let Some((id, first, last)) = near.optional()? {
        let (first, last) = (first.min(from), last.max(to));
        let set =
            "UPDATE gaps SET from_ms = ?2, next_ms = ?2, to_ms = ?3, events = events + ?4 WHERE id = ?1";
        connection.prepare_cached(set)?.execute(params![id, first, last, events])?;
        return Ok(());
    }
    gap(connection, it.rule, (from, to), Reason::Late, events, now)
}

/// Writes down a gap.
pub(crate) fn gap(
    connection: &Connection,
    rule: i64,
    (from, to): (Millis, Millis),
    reason: Reason,
    events: i64,
    now: Millis,
) -> rusqlite::Result<()> {
    let text = "INSERT INTO gaps (rule, from_ms, to_ms, reason, events, found_ms, next_ms)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?2)";
    connection.prepare_cached(text)?.execute(params![rule, from, to, reason.number(), events, now])?;
    Ok(())
}
