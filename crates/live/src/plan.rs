//! How far each rule is.

use ecs::Millis;
use hunt::Standing;
use rule::Exceptions;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::gap::Reason;
use crate::ledger::gap;
use crate::options::Options;
use crate::schema::Refusal;

/// How far a rule is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RulePlan {
    /// Its number in the database.
    pub(crate) number: i64,
    pub(crate) interval: Millis,
    /// Its first slot.
    pub(crate) first: Millis,
    /// Its next slot.
    pub(crate) next: Millis,
}

/// Says how far the rules are that stand ready, and that all others do not run.
pub(crate) fn begin(
    connection: &Connection,
    standing: Option<&Standing>,
    exceptions: &Exceptions,
    options: &Options,
    now: Millis,
) -> Result<Vec<RulePlan>, Refusal> {
    let mut plans = Vec::new();
    let each = standing
        .into_iter()
        .flat_map(|it| it.rules().iter().enumerate().map(move |(at, rule)| (it, at, rule)));
    for (standing, place, rule) in each {
        let known = "SELECT id, first_ms, next_ms, enabled, interval_ms FROM rules WHERE uuid = ?1";
        let known = connection.prepare_cached(known)?.query_row([&rule.id], |row| {
            Ok((
                row.get::<_, i64>(0)?,
                row.get::<_, Millis>(1)?,
                row.get::<_, Millis>(2)?,
                row.get::<_, i64>(3)?,
                row.get::<_, Millis>(4)?,
            ))
        });
        let interval = standing.interval(place);
        let plan = if let Some((number, mut first, next, enabled, before)) = known.optional()? {
            // Of another schedule than it had: the first of its slots after the last that was executed. The next of the old
            // schedule may be a day away.
            let is_begun = next > first;
            let since = match next - before + 1 {
                _ if before == interval => next,
                after if is_begun => after,
                after => after.max(now).min(next),
            };
            let next = standing.slot_from(place, since);
            if !is_begun {
                first = next;
            }
            let mut plan = RulePlan { number, interval, first, next };
            if enabled == 0 {
                plan.skip_to(connection, standing.slot_from(place, now), Reason::Disabled, now)?;
            }
            let set = "UPDATE rules SET rule_id = ?2, name = ?3, interval_ms = ?4, next_ms = ?5, enabled = 1,
                       first_ms = ?6 WHERE id = ?1";
            let values = params![number, rule.rule_id, rule.name, interval, plan.next, first];
            connection.prepare_cached(set)?.execute(values)?;
            plan
        } else {
            let first = standing.slot_from(place, options.begin.unwrap_or(now));
            let add = "INSERT INTO rules (uuid, rule_id, name, interval_ms, first_ms, next_ms, enabled)
                       VALUES (?1, ?2, ?3, ?4, ?5, ?5, 1)";
            let values = params![rule.id, rule.rule_id, rule.name, interval, first];
            connection.prepare_cached(add)?.execute(values)?;
            RulePlan { number: connection.last_insert_rowid(), interval, first, next: first }
        };
        set_version(connection, plan.number, &rule::definition(rule, exceptions), now)?;
        plans.push(plan);
    }
    let all = "SELECT id FROM rules WHERE enabled <> 0";
    let running: Vec<i64> =
        connection.prepare_cached(all)?.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for number in running.into_iter().filter(|it| plans.iter().all(|plan| plan.number != *it)) {
        connection.prepare_cached("UPDATE rules SET enabled = 0 WHERE id = ?1")?.execute([number])?;
    }
    Ok(plans)
}

/// Writes down what a rule says from now on, unless it said so before.
fn set_version(connection: &Connection, rule: i64, definition: &str, now: Millis) -> rusqlite::Result<()> {
    let last =
        "SELECT definition = ?2 FROM rules JOIN versions ON versions.id = rules.version WHERE rules.id = ?1";
    let last = connection.prepare_cached(last)?.query_row(params![rule, definition], |row| row.get(0));
    if last.optional()? == Some(true) {
        return Ok(());
    }
    let add = "INSERT INTO versions (rule, since_ms, definition) VALUES (?1, ?2, ?3)";
    connection.prepare_cached(add)?.execute(params![rule, now, definition])?;
    let set = "UPDATE rules SET version = ?2 WHERE id = ?1";
    connection.prepare_cached(set)?.execute(params![rule, connection.last_insert_rowid()])?;
    Ok(())
}

impl RulePlan {
    /// Leaves out the slots before `slot`, which are a gap.
    fn skip_to(
        &mut self,
        connection: &Connection,
        slot: Millis,
        reason: Reason,
        now: Millis,
    ) -> rusqlite::Result<()> {
        if self.next < slot {
            gap(connection, self.number, (self.next, slot - self.interval), reason, 0, now)?;
            self.next = slot;
        }
        Ok(())
    }

    /// Leaves out what was missed for longer than is caught up with; says whether anything was.
    pub(crate) fn give_up(
        &mut self,
        connection: &Connection,
        since: Millis,
        now: Millis,
    ) -> rusqlite::Result<()> {
        let slot = since.div_euclid(self.interval).saturating_mul(self.interval);
        let before = self.next;
        self.skip_to(connection, slot, Reason::Down, now)?;
        if self.next != before {
            let set = "UPDATE rules SET next_ms = ?2 WHERE id = ?1 AND next_ms = ?3";
            connection.prepare_cached(set)?.execute(params![self.number, self.next, before])?;
        }
        Ok(())
    }
}
