//! The database for whoever reads it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use detect::Turn;
use ecs::Millis;
use hunt::{AsLive, ExecutedRule, ExecutedSlot, RuleVersion};
use rusqlite::{OptionalExtension as _, params};

use crate::LiveError;
use crate::gap::{Gap, Reason};
use crate::report::{Kind, Status};
use crate::schema::Database;
use crate::workflow::WorkflowStatus;

/// What was executed over a store, and what came of it.
#[derive(Debug)]
pub struct Book {
    pub(crate) database: Database,
    /// Where the server is that shows alerts, if one said so.
    pub(crate) url: Option<String>,
}

/// How a rule is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleState {
    /// Its `rule_id`.
    pub rule_id: String,
    /// Its object id.
    pub uuid: String,
    /// Its name.
    pub name: String,
    /// Whether it runs.
    pub enabled: bool,
    /// The time between its executions.
    pub interval: Millis,
    /// Its first slot.
    pub first: Millis,
    /// Its next slot.
    pub next: Millis,
    /// Its last execution on schedule, if there was one: its slot, how it ended, what is to be known of it.
    pub last: Option<(Millis, Status, Vec<String>)>,
    /// Events that were ingested after the last execution that could have seen them.
    pub late_events: u64,
    /// Slots that are to be filled.
    pub unfilled_slots: u64,
    /// Its alerts, by what became of them.
    pub alerts: u64,
}

/// An execution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecutionRow {
    /// The rule's `rule_id`.
    pub rule_id: String,
    /// Its name.
    pub rule_name: String,
    /// When it was due.
    pub slot: Millis,
    /// When it started.
    pub started: Millis,
    /// It saw what had been ingested until then.
    pub seen: Millis,
    /// Why it took place.
    pub kind: Kind,
    /// How it ended.
    pub status: Status,
    /// What is to be known of it.
    pub messages: Vec<String>,
    /// Alerts that it raised.
    pub alerts: u64,
    /// What it suppressed.
    pub suppressed: u64,
    /// What it would have raised if it did not exist already.
    pub known: u64,
}

/// Some numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Executions.
    pub executions: u64,
    /// Those that failed.
    pub failed: u64,
    /// Open alerts,
    pub open: u64,
    /// those that somebody looks at,
    pub acknowledged: u64,
    /// and those that are done with.
    pub closed: u64,
    /// Alerts that were raised in a silence.
    pub silenced: u64,
    /// Incidents that are not done with.
    pub open_incidents: u64,
    /// Events that were ingested after the last execution that could have seen them, once for each rule that they match.
    pub late_events: u64,
    /// Gaps that are not filled.
    pub unfilled_gaps: u64,
    /// The last slot that was executed on schedule.
    pub last_slot: Option<Millis>,
}

impl Book {
    /// Opens that of a store's folder, if there is one.
    pub fn open(folder: &Path) -> Result<Self, LiveError> {
        let database = Database::open(folder, false, true)?;
        let url = "SELECT value FROM settings WHERE name = 'public_url'";
        let url = database.ask(|it| it.query_row(url, [], |row| row.get(0)).optional())?;
        Ok(Self { database, url })
    }

    /// Says where the server is that shows alerts: their documents have its address from now on (`kibana.alert.url`).
    pub fn set_public_url(&mut self, url: Option<&str>) -> Result<(), LiveError> {
        let url = url.map(|it| it.trim_end_matches('/').to_owned());
        self.database.ask(|it| match &url {
            None => it.execute("DELETE FROM settings WHERE name = 'public_url'", []),
            Some(url) => {
                it.execute("INSERT OR REPLACE INTO settings (name, value) VALUES ('public_url', ?1)", [url])
            }
        })?;
        self.url = url;
        Ok(())
    }

    /// The rules that ever ran, by name.
    pub fn rules(&self) -> Result<Vec<RuleState>, LiveError> {
        let text = "
            SELECT rules.rule_id, uuid, name, enabled, interval_ms, first_ms, next_ms, late_events, slot_ms,
                executions.status, executions.messages,
                (SELECT total((to_ms - gaps.next_ms) / interval_ms + 1) FROM gaps
                 WHERE gaps.rule = rules.id AND gaps.next_ms IS NOT NULL),
                (SELECT count(*) FROM alerts WHERE alerts.rule = rules.id)
            FROM rules LEFT JOIN (
                SELECT executions.rule AS rule, max(slots.id) AS slot FROM executions
                JOIN slots ON slots.id = executions.slot WHERE slots.turn = 0 GROUP BY executions.rule
            ) AS newest ON newest.rule = rules.id
            LEFT JOIN slots ON slots.id = newest.slot
            LEFT JOIN executions ON executions.slot = newest.slot AND executions.rule = rules.id
            ORDER BY name, rules.id";
        self.database.ask(|it| {
            let mut statement = it.prepare_cached(text)?;
            let rules = statement.query_map([], |row| {
                let last = match row.get::<_, Option<Millis>>(8)? {
                    None => None,
                    Some(slot) => Some((
                        slot,
                        Status::of(row.get(9)?),
                        messages(row.get::<_, Option<String>>(10)?.as_deref()),
                    )),
                };
                Ok(RuleState {
                    rule_id: row.get(0)?,
                    uuid: row.get(1)?,
                    name: row.get(2)?,
                    enabled: row.get::<_, i64>(3)? != 0,
                    interval: row.get(4)?,
                    first: row.get(5)?,
                    next: row.get(6)?,
                    late_events: row.get::<_, i64>(7)? as u64,
                    last,
                    unfilled_slots: row.get::<_, f64>(11)? as u64,
                    alerts: row.get::<_, i64>(12)? as u64,
                })
            })?;
            rules.collect()
        })
    }

    /// Executions, the newest first: those of the rule with that `rule_id`, or of all.
    pub fn executions(&self, rule: Option<&str>, limit: usize) -> Result<Vec<ExecutionRow>, LiveError> {
        let text = "
            SELECT rules.rule_id, name, slot_ms, started_ms, seen_ms, turn, status, messages, alerts, suppressed, known
            FROM executions JOIN slots ON slots.id = executions.slot JOIN rules ON rules.id = executions.rule
            WHERE ?1 IS NULL OR rules.rule_id = ?1
            ORDER BY slots.id DESC, name LIMIT ?2";
        self.database.ask(|it| {
            let mut statement = it.prepare_cached(text)?;
            let rows = statement.query_map(params![rule, limit as i64], |row| {
                let count = |at: usize| row.get::<_, i64>(at).map(|it| it as u64);
                Ok(ExecutionRow {
                    rule_id: row.get(0)?,
                    rule_name: row.get(1)?,
                    slot: row.get(2)?,
                    started: row.get(3)?,
                    seen: row.get(4)?,
                    kind: if row.get::<_, i64>(5)? == 0 { Kind::Scheduled } else { Kind::Manual },
                    status: Status::of(row.get(6)?),
                    messages: messages(row.get::<_, Option<String>>(7)?.as_deref()),
                    alerts: count(8)?,
                    suppressed: count(9)?,
                    known: count(10)?,
                })
            })?;
            rows.collect()
        })
    }

    /// Gaps in the order in which they were found: those of the rule with that `rule_id`, or of all.
    pub fn gaps(&self, rule: Option<&str>) -> Result<Vec<Gap>, LiveError> {
        let text = "
            SELECT rules.rule_id, name, from_ms, to_ms, reason, events, found_ms, gaps.next_ms
            FROM gaps JOIN rules ON rules.id = gaps.rule WHERE ?1 IS NULL OR rules.rule_id = ?1 ORDER BY gaps.id";
        self.database.ask(|it| {
            let mut statement = it.prepare_cached(text)?;
            let gaps = statement.query_map([rule], |row| {
                Ok(Gap {
                    rule_id: row.get(0)?,
                    rule_name: row.get(1)?,
                    from: row.get(2)?,
                    to: row.get(3)?,
                    reason: Reason::of(row.get(4)?),
                    events: row.get::<_, i64>(5)? as u64,
                    found: row.get(6)?,
                    next: row.get(7)?,
                })
            })?;
            gaps.collect()
        })
    }

    /// Some numbers.
    pub fn counts(&self) -> Result<Counts, LiveError> {
        self.database.ask(|it| {
            let count = |text: &str| it.query_row(text, [], |row| row.get::<_, i64>(0)).map(|it| it as u64);
            let alerts = |status: WorkflowStatus| {
                count(&format!("SELECT count(*) FROM alerts WHERE status = {}", status.number()))
            };
            Ok(Counts {
                executions: count("SELECT value FROM tallies WHERE name = 'executions'")?,
                failed: count("SELECT value FROM tallies WHERE name = 'failed'")?,
                open: alerts(WorkflowStatus::Open)?,
                acknowledged: alerts(WorkflowStatus::Acknowledged)?,
                closed: alerts(WorkflowStatus::Closed)?,
                silenced: count("SELECT count(*) FROM alerts WHERE silence IS NOT NULL")?,
                open_incidents: count(&format!(
                    "SELECT count(*) FROM incidents WHERE status <> {}",
                    WorkflowStatus::Closed.number()
                ))?,
                late_events: count("SELECT coalesce(sum(late_events), 0) FROM rules")?,
                unfilled_gaps: count("SELECT count(*) FROM gaps WHERE next_ms IS NOT NULL")?,
                last_slot: it
                    .query_row("SELECT max(slot_ms) FROM slots WHERE turn = 0", [], |row| row.get(0))?,
            })
        })
    }

    /// What was executed, in order, for a hunt that does the same again; and what the rules said then.
    pub fn as_live(&self) -> Result<AsLive, LiveError> {
        let text = "SELECT slots.id, slot_ms, seen_ms, turn, uuid, executions.version FROM slots
            JOIN executions ON executions.slot = slots.id JOIN rules ON rules.id = executions.rule
            WHERE executions.status <> ?1 ORDER BY slots.id, rules.id";
        let mut numbers: BTreeMap<i64, usize> = BTreeMap::new();
        let slots = self.database.ask(|it| {
            let mut statement = it.prepare_cached(text)?;
            let mut rows = statement.query([Status::Failed.number()])?;
            let (mut slots, mut last, mut executed) = (Vec::new(), None, Vec::new());
            // The same rules execute together again and again: they are listed once.
            let mut lists: BTreeMap<Vec<ExecutedRule>, Arc<[ExecutedRule]>> = BTreeMap::new();
            let mut end = |of: Option<(i64, Millis, Millis, i64)>, executed: &mut Vec<ExecutedRule>| {
                let Some((_, slot, seen, turn)) = of else { return };
                let all = std::mem::take(executed);
                let rules = Arc::clone(lists.entry(all.clone()).or_insert_with(|| all.into()));
                let turn = if turn == 0 { Turn::First } else { Turn::Again };
                slots.push(ExecutedSlot { slot, seen, turn, rules });
            };
            while let Some(row) = rows.next()? {
                let of = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
                if last != Some(of) {
                    end(last, &mut executed);
                    last = Some(of);
                }
                let next = numbers.len();
                let version = row.get::<_, Option<i64>>(5)?;
                let version = version.map(|it| *numbers.entry(it).or_insert(next));
                executed.push(ExecutedRule { uuid: row.get(4)?, version });
            }
            end(last, &mut executed);
            Ok(slots)
        })?;
        let mut ids: Vec<(usize, i64)> = numbers.into_iter().map(|(id, number)| (number, id)).collect();
        ids.sort_unstable();
        let versions = ids.into_iter().map(|(_, id)| self.version(id)).collect::<Result<_, _>>()?;
        Ok(AsLive { slots, versions })
    }

    /// What a rule said, and what was excepted from it.
    fn version(&self, id: i64) -> Result<RuleVersion, LiveError> {
        let text = "SELECT uuid, definition FROM versions JOIN rules ON rules.id = versions.rule WHERE versions.id = ?1";
        let (uuid, definition): (String, String) = self
            .database
            .ask(|it| it.prepare_cached(text)?.query_row([id], |row| Ok((row.get(0)?, row.get(1)?))))?;
        let mut set = rule::load_text(&format!("version {id} of {uuid}"), &definition);
        if let Some(rule) = set.rules.pop().filter(|it| it.id == uuid) {
            return Ok(RuleVersion { rule: Arc::new(rule), exceptions: set.exceptions });
        }
        let wrong = set.problems.iter().map(|it| format!("{} {}", it.diagnostic.code, it.diagnostic.message));
        Err(LiveError::Version { rule: uuid, detail: wrong.collect::<Vec<_>>().join("; ") })
    }
}

/// Messages as they are kept: a line each.
pub(crate) fn messages(text: Option<&str>) -> Vec<String> {
    text.into_iter().flat_map(str::lines).map(str::to_owned).collect()
}
