//! What is sent next, and what came of it.

use ecs::Millis;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::NotifyError;
use crate::backoff::{self, ASKED_MAX, pause};
use crate::delivery::{Delivery, Item, What};
use crate::fresh::{Health, Taken};
use crate::outbox::{Desk, Outbox};
use crate::plan::Plan;

/// What is refused so often is at fault itself.
const REFUSALS_MAX: i64 = 3;
/// A receiver that takes nothing for so long is told of.
const FAILING_TOLD: Millis = 5 * 60_000;
/// The longest text of an error that is kept.
const ERROR_MAX: usize = 500;

/// What is next for a receiver.
#[derive(Clone, Debug, PartialEq)]
pub enum Head {
    /// Nothing.
    Nothing,
    /// It is left alone until then.
    Later(Millis),
    /// This.
    Due(Box<Delivery>),
}

/// What came of trying.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver took it.
    Delivered,
    /// The receiver says that the message is wrong: trying again is of little use.
    Refused {
        /// What it said.
        detail: String,
    },
    /// It did not work now.
    Failed {
        /// What was said.
        detail: String,
        /// When the receiver wants to be asked again, in so many milliseconds.
        after: Option<Millis>,
    },
}

/// What was made of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// It was sent.
    Sent,
    /// It is tried again then.
    Again(Millis),
    /// It, and others that wait as long, were put aside.
    Dead(u64),
    /// Somebody else has settled it.
    Gone,
}

pub(crate) const COLUMNS: &str = "number, id, receiver, route, what, params, made_ms, attempts, error";

pub(crate) fn delivery(row: &Row<'_>) -> rusqlite::Result<Delivery> {
    let params: Option<String> = row.get(5)?;
    Ok(Delivery {
        number: row.get(0)?,
        id: row.get(1)?,
        receiver: row.get(2)?,
        route: row.get(3)?,
        what: What::of(row.get(4)?),
        params: params.and_then(|it| serde_json::from_str(&it).ok()),
        made: row.get(6)?,
        attempts: row.get(7)?,
        error: row.get(8)?,
        items: Vec::new(),
    })
}

pub(crate) fn items(it: &Connection, delivery: i64) -> rusqlite::Result<Vec<Item>> {
    let text =
        "SELECT alert, rule_id, rule, severity, time_ms, line FROM items WHERE delivery = ?1 ORDER BY number";
    let mut statement = it.prepare_cached(text)?;
    let items = statement.query_map([delivery], |row| {
        Ok(Item {
            alert: row.get(0)?,
            rule_id: row.get(1)?,
            rule: row.get(2)?,
            severity: row.get(3)?,
            time: row.get(4)?,
            line: row.get(5)?,
        })
    })?;
    items.collect()
}

impl Outbox {
    /// What is next for a receiver: always the first that waits, so that order is kept.
    pub fn head(&self, receiver: &str, now: Millis) -> Result<Head, NotifyError> {
        self.database.ask(|it| {
            let text = format!(
                "SELECT {COLUMNS} FROM deliveries WHERE state = 0 AND receiver = ?1 ORDER BY number LIMIT 1"
            );
            let Some(mut found) = it.prepare_cached(&text)?.query_row([receiver], delivery).optional()?
            else {
                return Ok(Head::Nothing);
            };
            let text = "SELECT not_before_ms FROM receivers WHERE name = ?1";
            let later = it.prepare_cached(text)?.query_row([receiver], |row| row.get::<_, Option<Millis>>(0));
            // A clock that was set back must not hold it any longer than was said.
            let is_later = |it: &Millis| *it > now && it.saturating_sub(now) <= ASKED_MAX;
            if let Some(later) = later.optional()?.flatten().filter(is_later) {
                return Ok(Head::Later(later));
            }
            found.items = items(it, found.number)?;
            Ok(Head::Due(Box::new(found)))
        })
    }

    /// What came of trying to send a message.
    pub fn settle(
        &mut self,
        plan: &Plan,
        number: i64,
        outcome: &Outcome,
        now: Millis,
    ) -> Result<Settled, NotifyError> {
        let seed = self.seed;
        self.database.change(|it| {
            let text = "SELECT receiver, attempts, refusals FROM deliveries WHERE number = ?1 AND state = 0";
            let found = it.prepare_cached(text)?.query_row([number], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?))
            });
            let Some((receiver, attempts, refusals)) = found.optional()? else { return Ok(Settled::Gone) };
            let desk = Desk { it, plan, seed, now, taken: Taken::default() };
            Settling { desk, number, receiver, attempts: attempts + 1, refusals }.settle(outcome)
        })
    }
}

/// A message whose fate is written down.
struct Settling<'a> {
    desk: Desk<'a>,
    number: i64,
    receiver: String,
    attempts: i64,
    refusals: i64,
}

impl Settling<'_> {
    fn settle(mut self, outcome: &Outcome) -> rusqlite::Result<Settled> {
        let now = self.desk.now;
        match outcome {
            Outcome::Delivered => {
                let set = "UPDATE deliveries SET state = 2, ended_ms = ?2, attempts = ?3 WHERE number = ?1";
                self.desk.it.prepare_cached(set)?.execute(params![self.number, now, self.attempts])?;
                self.desk.count(&self.receiver, "sent")?;
                let set = "UPDATE receivers SET failures = 0, failing_ms = NULL, not_before_ms = NULL, sent_ms = ?2,
                           error = NULL WHERE name = ?1";
                self.desk.it.prepare_cached(set)?.execute(params![self.receiver, now])?;
                self.desk.health(&[(now, Health::Good { key: self.key() })], None)?;
                Ok(Settled::Sent)
            }
            Outcome::Refused { detail } => {
                let detail = short(detail);
                let refusals = self.refusals + 1;
                self.failed(&detail, refusals)?;
                // The receiver is there: only the message is at fault.
                let next = now + pause(refusals as u32, None, self.random());
                self.leave_alone(next, "failures = 0, failing_ms = NULL", &detail)?;
                if refusals < REFUSALS_MAX {
                    return Ok(Settled::Again(next));
                }
                let set = "UPDATE deliveries SET state = 1, ended_ms = ?2 WHERE number = ?1";
                self.desk.it.prepare_cached(set)?.execute(params![self.number, now])?;
                let text = format!(
                    "`{}` refused a notification, which was put aside: {detail}; `trailwarden notify dead` lists it",
                    self.receiver
                );
                self.desk.health(&[(now, Health::Once { text })], Some(&self.receiver))?;
                Ok(Settled::Dead(1))
            }
            Outcome::Failed { detail, after } => {
                let detail = short(detail);
                self.failed(&detail, self.refusals)?;
                let text = "SELECT failures, failing_ms FROM receivers WHERE name = ?1";
                let (failures, since) =
                    self.desk.it.prepare_cached(text)?.query_row([&self.receiver], |row| {
                        Ok((row.get::<_, i64>(0)?, row.get::<_, Option<Millis>>(1)?))
                    })?;
                let since = since.unwrap_or(now).min(now);
                let next = now + pause((failures + 1).clamp(1, 1_000) as u32, *after, self.random());
                self.leave_alone(next, &format!("failures = failures + 1, failing_ms = {since}"), &detail)?;
                let give_up = self.desk.plan.receiver(&self.receiver).map(|it| it.give_up);
                if let Some(give_up) = give_up.filter(|it| now - since >= *it) {
                    let dead = self.desk.give_up(&self.receiver.clone(), now - give_up, &detail)?;
                    if dead > 0 {
                        return Ok(Settled::Dead(dead));
                    }
                }
                if now - since >= FAILING_TOLD {
                    let text = format!("nothing can be delivered to `{}`: {detail}", self.receiver);
                    let bad = Health::Bad { key: self.key(), text };
                    self.desk.health(&[(since, bad)], Some(&self.receiver))?;
                }
                Ok(Settled::Again(next))
            }
        }
    }

    fn key(&self) -> String {
        format!("receiver/{}", self.receiver)
    }

    fn random(&self) -> u64 {
        backoff::random(
            self.desk.seed,
            (self.number as u64).wrapping_mul(1_000).wrapping_add(self.attempts as u64),
        )
    }

    fn failed(&self, detail: &str, refusals: i64) -> rusqlite::Result<()> {
        let set = "UPDATE deliveries SET attempts = ?2, refusals = ?3, error = ?4 WHERE number = ?1";
        self.desk.it.prepare_cached(set)?.execute(params![self.number, self.attempts, refusals, detail])?;
        self.desk.count(&self.receiver, "failed")
    }

    fn leave_alone(&self, until: Millis, beside: &str, detail: &str) -> rusqlite::Result<()> {
        let set = format!("UPDATE receivers SET not_before_ms = ?2, error = ?3, {beside} WHERE name = ?1");
        self.desk.it.execute(&set, params![self.receiver, until, detail]).map(drop)
    }
}

/// What others said, safe to print and not too long.
fn short(text: &str) -> String {
    let text = report::clean(text);
    match text.char_indices().nth(ERROR_MAX) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}
