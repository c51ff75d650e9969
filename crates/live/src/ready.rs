//! What is kept in memory: made anew from the store and the alerts at any time, to the same end.

use std::collections::HashSet;
use std::sync::Arc;

use detect::Behind;
use ecs::Millis;
use hunt::{KeptAlert, Progress, Raised, Segment, Standing};
use reader::Input;
use rusqlite::params;

use crate::compose::{ALERTS, AlertRow, COLUMNS};
use crate::events::{CountedSegment, Events};
use crate::{Engine, LiveError};

/// For so long are files read that others stand in place of; a store keeps them twice as long.
const REPLACED_FOR: Millis = 30 * 60_000;

/// What the reader says of a segment that cannot be read.
const UNREADABLE: &str = "READ029";

/// Rules that stand ready, with what arrived so far.
pub(crate) struct Ready {
    pub(crate) standing: Standing,
    pub(crate) raised: Raised,
    /// The segments that were looked at.
    taken: HashSet<String>,
    version: (u64, u64),
    /// What was ingested until then has arrived.
    pub(crate) seen: Millis,
    /// What came too late, and is not written down yet.
    pub(crate) late: Vec<(usize, Behind)>,
    /// When it was noticed that others stand in place of some segments: their files are there a while longer.
    replaced: Option<Millis>,
}

/// Which of the events of segments arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    /// All.
    All,
    /// Those that were ingested after the others.
    New,
}

impl Engine {
    /// Lets arrive what was ingested meanwhile.
    pub(crate) fn arrive(&mut self, now: Millis) -> Result<(), LiveError> {
        let version = self.events.version()?;
        if self.ready.as_ref().is_some_and(|it| it.version == version) {
            return Ok(());
        }
        let segments = self.events.segments()?;
        let inputs: Vec<Input> = segments.iter().map(|it| it.input.clone()).collect();
        if let Some(ready) = self.ready.as_mut().filter(|it| it.standing.is_for(&inputs)) {
            let counting: HashSet<&str> = segments.iter().map(|it| it.name.as_str()).collect();
            let before = ready.taken.len();
            ready.taken.retain(|it| counting.contains(it.as_str()));
            if ready.taken.len() < before {
                ready.replaced.get_or_insert(now);
            }
        }
        let is_good = |it: &Ready| it.standing.is_for(&inputs) && !it.is_old(now);
        if let Some(mut ready) = self.ready.take().filter(is_good) {
            let mut new = Vec::new();
            for CountedSegment { name, input } in segments {
                if !ready.taken.contains(&name) {
                    let segment = segment(input)?;
                    // What is in place of others holds nothing new.
                    if segment.ingested.span().is_some_and(|(_, last)| last > ready.seen) {
                        new.push(segment);
                    }
                    ready.taken.insert(name);
                }
            }
            let nexts: Vec<Millis> = self.plans.iter().map(|it| it.next).collect();
            let after = ready.seen;
            ready.take(new, (after, &nexts), Wanted::New)?;
            ready.version = version;
            self.ready = Some(ready);
            return Ok(());
        }
        let standing =
            Standing::new(self.hunt_options(self.rules.clone(), self.exceptions.clone(), now), &inputs)?;
        let slots: Vec<(usize, Millis)> = self.plans.iter().map(|it| it.next).enumerate().collect();
        let ready = self.make(standing, segments, &slots, version)?;
        self.ready = Some(ready);
        Ok(())
    }

    /// Lets arrive all that matters to rules whose next slots are these.
    pub(crate) fn make(
        &self,
        mut standing: Standing,
        segments: Vec<CountedSegment>,
        slots: &[(usize, Millis)],
        version: (u64, u64),
    ) -> Result<Ready, LiveError> {
        let mut raised = Raised::default();
        for &(rule, slot) in slots {
            let uuid = standing.rules()[rule].id.clone();
            let known = raised.of_rule(&uuid);
            // An event may be delivered once more after however long, and is seen then if its rule goes by when events
            // were ingested: all ids are known.
            for id in self.ids_of(&uuid)? {
                known.add_id(id);
            }
            for line in self.alerts_of(&uuid, standing.known_from(rule, slot))? {
                // Only what this crate wrote is there.
                _ = known.add_line(&line.known());
            }
        }
        let from = standing.looks_from(slots.iter().copied());
        if standing.has_rules_over_alerts() {
            standing.keep(self.alerts_since(from)?);
        }
        let committed = self.database.ask(|it| {
            it.query_row("SELECT max(seen_ms) FROM slots", [], |row| row.get::<_, Option<Millis>>(0))
        })?;
        let (mut taken, mut wanted) = (HashSet::new(), Vec::new());
        let mut seen = committed.unwrap_or(Millis::MIN);
        for CountedSegment { name, input } in segments {
            let segment = segment(input)?;
            let last = segment.ingested.span().map_or(Millis::MIN, |(_, last)| last);
            seen = seen.max(last);
            if segment.input.last_ms.is_none_or(|it| it >= from) || last >= from {
                wanted.push(segment);
            }
            taken.insert(name);
        }
        let mut nexts = vec![Millis::MIN; standing.rules().len()];
        for &(rule, slot) in slots {
            nexts[rule] = slot;
        }
        let (late, replaced) = (Vec::new(), None);
        let mut ready = Ready { standing, raised, taken, version, seen, late, replaced };
        // Before the first slot nothing is late.
        ready.take(wanted, (committed.unwrap_or(Millis::MAX), &nexts), Wanted::All)?;
        Ok(ready)
    }

    /// The ids of all alerts of a rule.
    fn ids_of(&self, uuid: &str) -> Result<Vec<String>, LiveError> {
        let text = "SELECT id FROM alerts WHERE rule = (SELECT id FROM rules WHERE uuid = ?1)";
        self.database.ask(|it| it.prepare_cached(text)?.query_map([uuid], |row| row.get(0))?.collect())
    }

    /// The alerts of a rule that were raised at `from` or later.
    fn alerts_of(&self, uuid: &str, from: Millis) -> Result<Vec<AlertRow>, LiveError> {
        let text = format!(
            "SELECT {COLUMNS} alerts.document FROM {ALERTS}
             WHERE alerts.rule = (SELECT id FROM rules WHERE uuid = ?1) AND alerts.slot_ms >= ?2
             ORDER BY alerts.number"
        );
        self.database
            .ask(|it| it.prepare_cached(&text)?.query_map(params![uuid, from], AlertRow::of)?.collect())
    }

    /// All alerts that were raised at `from` or later, with their building blocks, as rules over alerts see them.
    fn alerts_since(&self, from: Millis) -> Result<Vec<KeptAlert>, LiveError> {
        let text = format!(
            "SELECT {COLUMNS} alerts.document FROM {ALERTS}
             WHERE alerts.slot_ms >= ?1 ORDER BY alerts.number"
        );
        let blocks = "SELECT id, document FROM blocks WHERE alert = ?1 ORDER BY place";
        self.database.ask(|it| {
            let mut kept = Vec::new();
            let mut statement = it.prepare_cached(&text)?;
            let mut rows = statement.query([from])?;
            while let Some(row) = rows.next()? {
                let row = AlertRow::of(row)?;
                let mut statement = it.prepare_cached(blocks)?;
                let mut blocks = statement.query([row.number])?;
                let mut place = 0;
                while let Some(block) = blocks.next()? {
                    let (id, text): (String, String) = (block.get(0)?, block.get(1)?);
                    let block_of = Some((row.id.clone(), place));
                    let document = crate::compose::object(&text);
                    kept.push(KeptAlert { id, block_of, raised: row.slot, time: row.time, document });
                    place += 1;
                }
                let document = row.document();
                kept.push(KeptAlert {
                    id: row.id,
                    block_of: None,
                    raised: row.slot,
                    time: row.time,
                    document,
                });
            }
            Ok(kept)
        })
    }
}

impl Ready {
    /// Lets segments arrive. What was ingested after a time is counted, if it comes too late for rules whose next slots are
    /// these.
    fn take(
        &mut self,
        segments: Vec<Segment>,
        (after, nexts): (Millis, &[Millis]),
        wanted: Wanted,
    ) -> Result<(), LiveError> {
        if segments.is_empty() {
            return Ok(());
        }
        let last = segments.iter().filter_map(|it| it.ingested.span()).map(|(_, last)| last).max();
        let mut taken =
            self.standing.take(segments, Arc::from([after]), Some((after, nexts)), &Progress::default());
        if let Some(it) = taken.troubles.iter().find(|it| it.code == Some(UNREADABLE)) {
            return Err(LiveError::Unreadable { detail: it.text.clone() });
        }
        if wanted == Wanted::New {
            taken.leave_out(after);
        }
        self.late.extend(self.standing.arrive(&mut taken, Millis::MAX));
        self.seen = self.seen.max(last.unwrap_or(Millis::MIN));
        Ok(())
    }

    /// Whether the files may soon be gone that records of matches are read from again.
    fn is_old(&self, now: Millis) -> bool {
        self.replaced.is_some_and(|since| !(since..since + REPLACED_FOR).contains(&now))
    }

    /// Whether all segments still count that were looked at.
    fn has_all(&self, segments: &[CountedSegment]) -> bool {
        segments.iter().filter(|it| self.taken.contains(&it.name)).count() == self.taken.len()
    }

    /// Refuses if not all segments count any more that were looked at.
    pub(crate) fn check(&self, events: &dyn Events) -> Result<(), LiveError> {
        if events.version()? == self.version || self.has_all(&events.segments()?) {
            Ok(())
        } else {
            Err(replaced())
        }
    }
}

pub(crate) fn replaced() -> LiveError {
    LiveError::Unreadable { detail: "segments were replaced meanwhile".to_owned() }
}

fn segment(input: Input) -> Result<Segment, LiveError> {
    let name = input.name().to_owned();
    Segment::of(input).map_err(|error| LiveError::Unreadable { detail: format!("{name}: {error}") })
}
