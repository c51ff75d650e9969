//! What is known of receivers and of what they were told.

use ecs::Millis;
use rusqlite::{OptionalExtension as _, params};

use crate::NotifyError;
use crate::delivery::Delivery;
use crate::outbox::Outbox;
use crate::queue::{COLUMNS, delivery, items};

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It waits.
    Waiting,
    /// It could not be delivered.
    Dead,
    /// It was sent.
    Sent,
}

impl State {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Dead => "dead",
            Self::Sent => "sent",
        }
    }

    const fn number(self) -> i64 {
        match self {
            Self::Waiting => 0,
            Self::Dead => 1,
            Self::Sent => 2,
        }
    }
}

/// What is known of a receiver.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReceiverState {
    /// Its name.
    pub name: String,
    /// Messages that it took, ever.
    pub sent: u64,
    /// Attempts that failed, ever.
    pub failed: u64,
    /// Alerts that it was not told of, ever: somebody silenced them, or an action is for other hours.
    pub left_out: u64,
    /// Messages that wait,
    pub waiting: u64,
    /// the oldest of them,
    pub oldest: Option<Millis>,
    /// what is held until a throttle is over,
    pub held: u64,
    /// and messages that could not be delivered.
    pub dead: u64,
    /// When it last took something.
    pub last_sent: Option<Millis>,
    /// Since when it takes nothing.
    pub failing: Option<Millis>,
    /// It is left alone until then.
    pub not_before: Option<Millis>,
    /// What went wrong last, if nothing was sent since.
    pub error: Option<String>,
}

impl Outbox {
    /// What is known of receivers, by name: those that are named, and all others that there is anything of.
    pub fn receivers(&self, names: &[String]) -> Result<Vec<ReceiverState>, NotifyError> {
        self.database.ask(|it| {
            let text =
                "SELECT name FROM receivers UNION SELECT DISTINCT receiver FROM deliveries WHERE state < 2
                        UNION SELECT DISTINCT receiver FROM items WHERE delivery IS NULL";
            let mut all: Vec<String> =
                it.prepare_cached(text)?.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
            all.extend(names.iter().cloned());
            all.sort();
            all.dedup();
            let mut states = Vec::with_capacity(all.len());
            for name in all {
                let text = "SELECT sent, failed, left_out, sent_ms, failing_ms, not_before_ms, error
                            FROM receivers WHERE name = ?1";
                let state = it.prepare_cached(text)?.query_row([&name], |row| {
                    let count = |at: usize| row.get::<_, i64>(at).map(|it| it as u64);
                    Ok(ReceiverState {
                        sent: count(0)?,
                        failed: count(1)?,
                        left_out: count(2)?,
                        last_sent: row.get(3)?,
                        failing: row.get(4)?,
                        not_before: row.get(5)?,
                        error: row.get(6)?,
                        ..ReceiverState::default()
                    })
                });
                let mut state = state.optional()?.unwrap_or_default();
                let text = "SELECT count(*), min(made_ms) FROM deliveries WHERE state = ?2 AND receiver = ?1";
                let count = |of: State| {
                    it.prepare_cached(text)?.query_row(params![name, of.number()], |row| {
                        Ok((row.get::<_, i64>(0)? as u64, row.get::<_, Option<Millis>>(1)?))
                    })
                };
                (state.waiting, state.oldest) = count(State::Waiting)?;
                state.dead = count(State::Dead)?.0;
                let held = "SELECT count(*) FROM items WHERE receiver = ?1 AND delivery IS NULL";
                state.held = it.prepare_cached(held)?.query_row([&name], |row| row.get::<_, i64>(0))? as u64;
                state.name = name;
                states.push(state);
            }
            Ok(states)
        })
    }

    /// Messages of a state, in order, the oldest first; of those that were sent, the newest.
    pub fn deliveries(
        &self,
        state: State,
        receiver: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Delivery>, NotifyError> {
        let order = if state == State::Sent { "DESC" } else { "ASC" };
        let text = format!(
            "SELECT {COLUMNS} FROM deliveries WHERE state = ?1 AND (?2 IS NULL OR receiver = ?2)
             ORDER BY number {order} LIMIT ?3"
        );
        self.database.ask(|it| {
            let mut statement = it.prepare_cached(&text)?;
            let found = statement.query_map(params![state.number(), receiver, limit as i64], delivery)?;
            let mut found = found.collect::<Result<Vec<_>, _>>()?;
            for delivery in &mut found {
                delivery.items = items(it, delivery.number)?;
            }
            Ok(found)
        })
    }

    /// What is not well, with since when.
    pub fn conditions(&self) -> Result<Vec<(String, Millis, String)>, NotifyError> {
        self.database.ask(|it| {
            let mut statement =
                it.prepare_cached("SELECT key, since_ms, text FROM conditions ORDER BY since_ms, key")?;
            let found = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
            found.collect()
        })
    }

    /// Sends again what could not be delivered: those with these ids or beginnings of ids; all if there are none, or all of a
    /// receiver. Says how many.
    pub fn retry(&mut self, ids: &[String], receiver: Option<&str>, now: Millis) -> Result<u64, NotifyError> {
        for id in ids {
            let text = "SELECT 1 FROM deliveries WHERE state = 1 AND id >= ?1 AND id < ?1 || char(1114111)";
            if id.is_empty() || !self.database.ask(|it| it.prepare_cached(text)?.exists([id]))? {
                return Err(NotifyError::NoDelivery { id: id.clone() });
            }
        }
        self.database.change(|it| {
            // It is as old as any that is made now: or it would be given up at once.
            let set = "UPDATE deliveries SET state = 0, attempts = 0, refusals = 0, ended_ms = NULL, made_ms = ?1
                       WHERE state = 1 AND (?2 IS NULL OR receiver = ?2)";
            let mut again = 0;
            if ids.is_empty() {
                again += it.prepare_cached(set)?.execute(params![now, receiver])?;
            }
            for id in ids {
                let set = format!("{set} AND id >= ?3 AND id < ?3 || char(1114111)");
                again += it.prepare_cached(&set)?.execute(params![now, receiver, id])?;
            }
            // Somebody is there who has reason to think that it works now.
            let set = "UPDATE receivers SET not_before_ms = NULL, failing_ms = NULL, failures = 0
                       WHERE name IN (SELECT receiver FROM deliveries WHERE state = 0 AND attempts = 0 AND made_ms = ?1)";
            it.prepare_cached(set)?.execute([now])?;
            Ok(again as u64)
        })
    }
}
