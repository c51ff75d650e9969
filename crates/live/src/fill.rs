//! Gaps are filled: their slots are executed once more, or for the first time, over everything that is there by now.

use std::sync::Arc;

use detect::Turn;
use ecs::Millis;
use hunt::Standing;
use rule::Selection;
use rusqlite::params;

use crate::engine::{Advanced, Engine, report};
use crate::ledger;
use crate::ready::Ready;
use crate::report::{Kind, SlotReport};
use crate::silence::silence;
use crate::{LiveError, Options};

/// A gap that is to be filled.
#[derive(Clone, Copy, Debug)]
struct Unfilled {
    id: Option<i64>,
    /// The place of its rule.
    rule: usize,
    next: Millis,
    to: Millis,
}

impl Engine {
    /// Executes the slots of a rule from `from` to `to` once more. It is named by its id or its name.
    pub fn fill(
        &mut self,
        rule: &str,
        (from, to): (Millis, Millis),
        now: Millis,
        told: &mut dyn FnMut(&SlotReport) -> bool,
    ) -> Result<Advanced, LiveError> {
        let is_it = |it: &rule::Rule| it.rule_id == rule || it.id == rule || it.name == rule;
        let place = self.running.iter().position(|it| is_it(it));
        let place = place.ok_or_else(|| LiveError::NoRule { name: rule.to_owned() })?;
        let interval = self.plans[place].interval;
        let next = from.div_euclid(interval) + i64::from(from.rem_euclid(interval) != 0);
        // What is due is executed when it is its turn.
        let to = to.min(self.plans[place].next.saturating_sub(1));
        let whole = Unfilled { id: None, rule: place, next: next.saturating_mul(interval), to };
        let mut advanced = Advanced::default();
        advanced.is_done = self.fill_gap(whole, now, &mut usize::MAX.clone(), &mut advanced, told)?;
        if advanced.is_done {
            let number = self.plans[place].number;
            let text = "UPDATE gaps SET next_ms = NULL WHERE rule = ?1 AND next_ms >= ?2 AND to_ms <= ?3";
            self.database.ask(|it| it.execute(text, params![number, from, to]))?;
        }
        Ok(advanced)
    }

    /// Fills gaps as far as the options say. Says whether nothing is left that they speak of.
    pub(crate) fn fill_gaps(
        &mut self,
        now: Millis,
        advanced: &mut Advanced,
        told: &mut dyn FnMut(&SlotReport) -> bool,
    ) -> Result<bool, LiveError> {
        let Options { fill, .. } = &self.options;
        let (since, mut left) = (now.saturating_sub(fill.age), fill.slots_per_advance);
        if left == 0 {
            return Ok(true);
        }
        let text = "SELECT id, rule, next_ms, to_ms FROM gaps WHERE next_ms >= ?1 ORDER BY id";
        let gaps: Vec<(i64, i64, Millis, Millis)> = self.database.ask(|it| {
            let mut statement = it.prepare_cached(text)?;
            let gaps = statement
                .query_map([since], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
            gaps.collect()
        })?;
        for (id, number, next, to) in gaps {
            let Some(rule) = self.plans.iter().position(|it| it.number == number) else { continue };
            let gap = Unfilled { id: Some(id), rule, next, to };
            if left == 0 || !self.fill_gap(gap, now, &mut left, advanced, told)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Fills a gap as far as there is leave to; says whether all of it is.
    fn fill_gap(
        &mut self,
        gap: Unfilled,
        now: Millis,
        left: &mut usize,
        advanced: &mut Advanced,
        told: &mut dyn FnMut(&SlotReport) -> bool,
    ) -> Result<bool, LiveError> {
        let Unfilled { id, rule, next: mut slot, to } = gap;
        if slot > to {
            return Ok(true);
        }
        // Those that stand ready may have forgotten what was then.
        let mut alone = self.alone(rule, slot, now)?;
        let interval = self.plans[rule].interval;
        while slot <= to {
            if *left == 0 {
                return Ok(false);
            }
            *left -= 1;
            let found = alone.standing.execute((slot, alone.seen), &[0], Turn::Again, &mut alone.raised);
            let found = hunt::SlotFound {
                ran: found.ran.iter().map(|_| rule).collect(),
                failed: found.failed.into_iter().map(|(_, error)| (rule, error)).collect(),
                ..found
            };
            let (mut record, mut alerts, kept) = self.record(&found, slot, now, alone.seen, Kind::Manual);
            slot += interval;
            record.filled = id.map(|id| (id, (slot <= to).then_some(slot)));
            let events = &*self.events;
            let written = self.database.change(|it| {
                silence(it, now, &mut record.alerts, &mut alerts)?;
                let are_new = ledger::write(it, &record)?;
                alone.check(events)?;
                Ok(are_new)
            });
            let are_new = match written {
                // Segments were replaced meanwhile: another time.
                Err(LiveError::Unreadable { .. }) => return Ok(false),
                other => other?,
            };
            if let Some(ready) = &mut self.ready {
                let uuid = &self.running[rule].id;
                for (ran, more) in found.found.rules.iter().zip(&found.more) {
                    ready.raised.add(uuid, &ran.outcome.alerts, more);
                }
                if ready.standing.has_rules_over_alerts() && !kept.is_empty() {
                    ready.standing.keep(kept);
                }
            }
            let its = report(record, alerts, &are_new);
            advanced.add(&its);
            if !told(&its) {
                return Ok(slot > to);
            }
        }
        Ok(true)
    }

    /// One rule alone, over all that is there by now.
    fn alone(&self, rule: usize, slot: Millis, now: Millis) -> Result<Ready, LiveError> {
        let only = Selection::only(Arc::clone(&self.running[rule]));
        let version = self.events.version()?;
        let segments = self.events.segments()?;
        let inputs: Vec<reader::Input> = segments.iter().map(|it| it.input.clone()).collect();
        let standing = Standing::new(self.hunt_options(only, self.exceptions.clone(), now), &inputs)?;
        self.make(standing, segments, &[(0, slot)], version)
    }
}
