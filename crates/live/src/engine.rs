//! Executes what is due.

use std::collections::HashSet;
use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::Arc;

use detect::{Behind, Turn};
use ecs::Millis;
use hunt::{HuntOptions, KeptAlert, Progress, Raised, Refused, Segment, SlotFound, Standing};
use reader::Input;
use rule::{Exceptions, Rule, Selection, Severity};
use rusqlite::params;

use crate::compose::{AlertRow, COLUMNS, executed};
use crate::events::{CountedSegment, Events, StoredEvents};
use crate::ledger::{self, AlertRecord, ExecutionRecord, LateRecord, SlotRecord};
use crate::plan::{self, RulePlan};
use crate::report::{ExecutionReport, Kind, NewAlert, SlotReport, Status};
use crate::schema::{Database, Refusal};
use crate::{LiveError, Options};

/// Held by whoever executes.
const LOCK: &str = "live.lock";

/// So often is a slot begun anew because segments were replaced meanwhile.
const TRIES: usize = 5;

/// For so long are files read that others stand in place of; a store keeps them twice as long.
const REPLACED_FOR: Millis = 30 * 60_000;

/// What the reader says of a segment that cannot be read.
const UNREADABLE: &str = "READ029";

/// What was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Advanced {
    /// Slots that were executed, or filled.
    pub slots: u64,
    /// Executions in them.
    pub executions: u64,
    /// Alerts that they raised.
    pub alerts: u64,
    /// Whether all was done that was to be done.
    pub is_done: bool,
}

/// Executes rules over a store.
pub struct Engine {
    pub(crate) database: Database,
    /// Held as long as it is there.
    _lock: File,
    pub(crate) events: Box<dyn Events>,
    pub(crate) options: Options,
    pub(crate) rules: Selection,
    pub(crate) exceptions: Exceptions,
    refused: Vec<Refused>,
    /// The rules that run, by their places in whatever stands ready.
    pub(crate) running: Vec<Arc<Rule>>,
    pub(crate) plans: Vec<RulePlan>,
    /// What stands ready; nothing if it is to be made anew from the store.
    pub(crate) ready: Option<Ready>,
}

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
    late: Vec<(usize, Behind)>,
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

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("database", &self.database.path).field("plans", &self.plans).finish()
    }
}

impl Engine {
    /// Executes rules over the store in that folder. A rule that is new begins at its first slot after `now`, unless the
    /// options say otherwise; one that was there before goes on where it was.
    pub fn open(
        folder: &Path,
        rules: Selection,
        exceptions: Exceptions,
        options: Options,
        now: Millis,
    ) -> Result<Self, LiveError> {
        let events = StoredEvents::open(folder)?;
        Self::over(Box::new(events), folder, rules, exceptions, options, now)
    }

    /// As [`open`](Self::open), over events that lie elsewhere: the folder is that of the database.
    pub fn over(
        events: Box<dyn Events>,
        folder: &Path,
        rules: Selection,
        exceptions: Exceptions,
        options: Options,
        now: Millis,
    ) -> Result<Self, LiveError> {
        let path = folder.join(LOCK);
        let lock = File::create(&path).map_err(|source| LiveError::Lock { path: path.clone(), source })?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(LiveError::Locked { path: folder.to_owned() }),
            Err(TryLockError::Error(source)) => return Err(LiveError::Lock { path, source }),
        }
        let database = Database::open(folder, true, options.is_durable)?;
        let mut engine = Self {
            database,
            _lock: lock,
            events,
            options,
            rules: Selection::default(),
            exceptions: Exceptions::default(),
            refused: Vec::new(),
            running: Vec::new(),
            plans: Vec::new(),
            ready: None,
        };
        engine.set_rules(rules, exceptions, now)?;
        Ok(engine)
    }

    /// Executes other rules from now on.
    pub fn set_rules(
        &mut self,
        rules: Selection,
        exceptions: Exceptions,
        now: Millis,
    ) -> Result<(), LiveError> {
        let standing = Standing::new(self.hunt_options(rules.clone(), exceptions.clone(), now), &[])?;
        let options = &self.options;
        self.plans = self.database.change(|it| plan::begin(it, &standing, options, now))?;
        self.refused = standing.refused().to_vec();
        self.running = standing.rules().to_vec();
        (self.rules, self.exceptions, self.ready) = (rules, exceptions, None);
        Ok(())
    }

    /// The rules that cannot run, and why.
    pub fn refused(&self) -> &[Refused] {
        &self.refused
    }

    /// The rules that run.
    pub fn rules(&self) -> &[Arc<Rule>] {
        &self.running
    }

    /// When something is due next.
    pub fn next_due(&self) -> Option<Millis> {
        self.plans.iter().map(|it| it.next).min()
    }

    /// How many matches are kept in memory.
    pub fn kept(&self) -> usize {
        self.ready.as_ref().map_or(0, |it| it.standing.kept())
    }

    /// Forgets what is kept in memory: it is made anew from the store. Changes nothing else.
    pub fn renew(&mut self) {
        self.ready = None;
    }

    /// Executes all that is due up to `now`, slot by slot, and fills gaps as far as the options say. `report` is told of each
    /// slot once it is committed, and says whether to go on.
    pub fn advance(
        &mut self,
        now: Millis,
        report: &mut dyn FnMut(&SlotReport) -> bool,
    ) -> Result<Advanced, LiveError> {
        self.give_up(now)?;
        let mut advanced = Advanced::default();
        while let Some(slot) = self.next_due().filter(|&it| it <= now) {
            let its = self.execute(slot, now)?;
            advanced.add(&its);
            if !report(&its) {
                return Ok(advanced);
            }
        }
        advanced.is_done = self.fill_gaps(now, &mut advanced, report)?;
        Ok(advanced)
    }

    /// What was missed for too long is a gap.
    fn give_up(&mut self, now: Millis) -> Result<(), LiveError> {
        let since = now.saturating_sub(self.options.catch_up);
        if self.plans.iter().all(|it| it.next.saturating_add(it.interval) > since) {
            return Ok(());
        }
        let mut plans = self.plans.clone();
        self.database.change(|it| {
            plans.iter_mut().try_for_each(|plan| plan.give_up(it, since, now)).map_err(Refusal::from)
        })?;
        self.plans = plans;
        Ok(())
    }

    /// Executes the rules that are due in a slot.
    fn execute(&mut self, slot: Millis, now: Millis) -> Result<SlotReport, LiveError> {
        let due: Vec<usize> = (0..self.plans.len()).filter(|&it| self.plans[it].next == slot).collect();
        for _ in 1..TRIES {
            match self.try_execute(slot, &due, now) {
                Err(LiveError::Unreadable { .. }) => self.ready = None,
                done => return done,
            }
        }
        self.try_execute(slot, &due, now)
    }

    fn try_execute(&mut self, slot: Millis, due: &[usize], now: Millis) -> Result<SlotReport, LiveError> {
        self.arrive(now)?;
        // Whatever goes wrong from here on, what is in memory may be ahead of what is committed.
        let Some(mut ready) = self.ready.take() else { return Err(replaced()) };
        let found = ready.standing.execute((slot, ready.seen), due, Turn::First, &mut ready.raised);
        let (record, alerts, _) = self.record(&found, slot, now, ready.seen, Kind::Scheduled);
        let late = std::mem::take(&mut ready.late);
        let late = late.into_iter().filter_map(|(rule, behind)| self.late(&ready.standing, rule, behind));
        let record = SlotRecord { late: late.collect(), ..record };
        let events = &*self.events;
        let are_new = self.database.change(|it| {
            let are_new = ledger::write(it, &record)?;
            // What an alert says of its events was read from segments that still count, or it may be missing.
            ready.check(events)?;
            Ok(are_new)
        })?;
        for &rule in due {
            self.plans[rule].next += self.plans[rule].interval;
        }
        let next = self.next_due().unwrap_or(slot);
        ready.standing.forget(next);
        self.ready = Some(ready);
        Ok(report(record, alerts, &are_new))
    }

    /// What came too late, if there is a slot that would have seen it.
    fn late(&self, standing: &Standing, rule: usize, behind: Behind) -> Option<LateRecord> {
        let RulePlan { number, interval, first, next } = self.plans[rule];
        let (from, to) = standing.slots_seeing(rule, behind.span?, next - interval)?;
        // What was before its first slot was never due.
        let slots = (from.max(first), to);
        (slots.0 <= to).then_some(LateRecord { rule: number, interval, behind, slots })
    }

    /// What is to be written down and told of executions; and the documents of their alerts for rules over alerts.
    pub(crate) fn record(
        &self,
        executed: &SlotFound,
        slot: Millis,
        now: Millis,
        seen: Millis,
        kind: Kind,
    ) -> (SlotRecord, Vec<NewAlert>, Vec<KeptAlert>) {
        let SlotFound { found, ran, more, failed } = executed;
        let mut executions = Vec::with_capacity(ran.len() + failed.len());
        let next = |rule: usize| match kind {
            Kind::Scheduled => Some(slot + self.plans[rule].interval),
            Kind::Manual => None,
        };
        for (&rule, ran) in ran.iter().zip(&found.rules) {
            let warnings = ran.outcome.warnings.iter();
            let mut messages: Vec<String> =
                warnings.map(|it| format!("{} {}", it.kind.code(), it.kind)).collect();
            messages.extend(ran.warnings.iter().map(|it| format!("{} {}", it.code, it.message)));
            let status = if messages.is_empty() { Status::Succeeded } else { Status::Warning };
            let metrics = &ran.outcome.metrics;
            let report = ExecutionReport {
                rule_id: ran.rule.rule_id.clone(),
                rule_name: ran.rule.name.clone(),
                slot,
                status,
                messages,
                alerts: ran.outcome.alerts.len() as u64,
                suppressed: metrics.suppressed,
                known: metrics.known,
            };
            executions.push(ExecutionRecord { rule: self.plans[rule].number, next: next(rule), report });
        }
        for (rule, error) in failed {
            let its = &self.running[*rule];
            let report = ExecutionReport {
                rule_id: its.rule_id.clone(),
                rule_name: its.name.clone(),
                slot,
                status: Status::Failed,
                messages: vec![format!("{} {error}", error.code())],
                alerts: 0,
                suppressed: 0,
                known: 0,
            };
            executions.push(ExecutionRecord { rule: self.plans[*rule].number, next: next(*rule), report });
        }
        let number = |rule: &Rule| {
            let place = self.running.iter().position(|it| it.id == rule.id);
            place.map_or(0, |it| self.plans[it].number)
        };
        let make = |alert: &mut hunt::Alert<'_, '_>| {
            let blocks: Vec<_> = alert.blocks().iter().map(ecs::Layered::to_object).collect();
            let (rule, time) = (Arc::clone(alert.rule()), alert.seed().event.timestamp);
            (alert.id().to_owned(), rule, time, alert.document().to_object(), blocks)
        };
        let (mut alerts, mut new, mut kept) = (Vec::new(), Vec::new(), Vec::new());
        found.alerts(&[], make, |made| {
            for (id, rule, time, mut document, blocks) in made {
                let severity = document.get("kibana.alert.severity").and_then(|it| it.as_str());
                let severity = severity.and_then(Severity::from_name).unwrap_or(rule.severity);
                let text = serde_json::Value::Object(document.clone()).to_string();
                let mut block_texts = Vec::with_capacity(blocks.len());
                for (at, block) in blocks.into_iter().enumerate() {
                    let own = ecs::alert::id(&block).unwrap_or_default().to_owned();
                    block_texts.push((own.clone(), serde_json::Value::Object(block.clone()).to_string()));
                    let block_of = Some((id.clone(), at));
                    kept.push(KeptAlert { id: own, block_of, raised: slot, time, document: block });
                }
                kept.push(KeptAlert {
                    id: id.clone(),
                    block_of: None,
                    raised: slot,
                    time,
                    document: document.clone(),
                });
                self::executed(&mut document, now, kind);
                alerts.push(AlertRecord {
                    rule: number(&rule),
                    id: id.clone(),
                    time,
                    severity: severity.as_str(),
                    document: text,
                    blocks: block_texts,
                });
                new.push(NewAlert { id, rule_id: rule.rule_id.clone(), severity, document });
            }
        });
        let more = more.iter().flatten().cloned().collect();
        let (late, filled) = (Vec::new(), None);
        let record = SlotRecord { slot, started: now, seen, kind, executions, alerts, more, late, filled };
        (record, new, kept)
    }

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

    /// The alerts of a rule that were raised at `from` or later.
    fn alerts_of(&self, uuid: &str, from: Millis) -> Result<Vec<AlertRow>, LiveError> {
        let text = format!(
            "SELECT {COLUMNS} FROM alerts JOIN slots ON slots.id = alerts.slot
             WHERE alerts.rule = (SELECT id FROM rules WHERE uuid = ?1) AND alerts.slot_ms >= ?2
             ORDER BY alerts.number"
        );
        self.database
            .ask(|it| it.prepare_cached(&text)?.query_map(params![uuid, from], AlertRow::of)?.collect())
    }

    /// All alerts that were raised at `from` or later, with their building blocks, as rules over alerts see them.
    fn alerts_since(&self, from: Millis) -> Result<Vec<KeptAlert>, LiveError> {
        let text = format!(
            "SELECT {COLUMNS} FROM alerts JOIN slots ON slots.id = alerts.slot
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

    pub(crate) fn hunt_options(&self, rules: Selection, exceptions: Exceptions, now: Millis) -> HuntOptions {
        let Options { normalise, limits, identities, threads, version, max_signals, .. } = &self.options;
        HuntOptions {
            limits: limits.clone(),
            identities: *identities,
            threads: *threads,
            max_signals: *max_signals,
            ..HuntOptions::new(Vec::new(), rules, exceptions, normalise.clone(), now, version)
        }
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

fn replaced() -> LiveError {
    LiveError::Unreadable { detail: "segments were replaced meanwhile".to_owned() }
}

fn segment(input: Input) -> Result<Segment, LiveError> {
    let name = input.name().to_owned();
    Segment::of(input).map_err(|error| LiveError::Unreadable { detail: format!("{name}: {error}") })
}

/// What is told of what was committed.
pub(crate) fn report(record: SlotRecord, alerts: Vec<NewAlert>, are_new: &[bool]) -> SlotReport {
    let alerts = alerts.into_iter().zip(are_new).filter(|(_, is_new)| **is_new).map(|(it, _)| it);
    SlotReport {
        slot: record.slot,
        started: record.started,
        seen: record.seen,
        kind: record.kind,
        executions: record.executions.into_iter().map(|it| it.report).collect(),
        alerts: alerts.collect(),
        suppressed: record.more.into_iter().map(|it| it.id).collect(),
    }
}

impl Advanced {
    pub(crate) fn add(&mut self, report: &SlotReport) {
        self.slots += 1;
        self.executions += report.executions.len() as u64;
        self.alerts += report.alerts.len() as u64;
    }
}
