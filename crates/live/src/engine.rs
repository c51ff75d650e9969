//! Executes what is due.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::Arc;

use detect::{Behind, Turn};
use ecs::Millis;
use hunt::{HuntError, HuntOptions, KeptAlert, Refused, SlotFound, Standing};
use rule::{Exceptions, Rule, Selection, Severity};

use crate::compose::executed;
use crate::events::{Events, StoredEvents};
use crate::incident;
use crate::ledger::{self, AlertRecord, ExecutionRecord, LateRecord, SlotRecord};
use crate::plan::{self, RulePlan};
use crate::ready::{Ready, replaced};
use crate::report::{ExecutionReport, Kind, NewAlert, SlotReport, Status};
use crate::schema::{Database, Refusal};
use crate::silence::silence;
use crate::{LiveError, Options};

/// Held by whoever executes.
const LOCK: &str = "live.lock";

/// A clock that is corrected by less than this was not set back.
const SLEW: Millis = 10_000;

/// So often is a slot begun anew because segments were replaced meanwhile.
const TRIES: usize = 5;

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

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (path, plans) = (&self.database.path, &self.plans);
        f.debug_struct("Engine").field("database", path).field("plans", plans).finish_non_exhaustive()
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
        let standing = Standing::new(self.hunt_options(rules.clone(), exceptions.clone(), now), &[]);
        let (standing, refused) = match standing {
            Ok(standing) => {
                let refused = standing.refused().to_vec();
                (Some(standing), refused)
            }
            Err(HuntError::NoRules) if self.options.may_idle => (None, Vec::new()),
            Err(HuntError::AllRefused(refused)) if self.options.may_idle => (None, refused),
            Err(error) => return Err(error.into()),
        };
        let (options, its) = (&self.options, standing.as_ref());
        self.plans = self.database.change(|it| plan::begin(it, its, &exceptions, options, now))?;
        self.refused = refused;
        self.running = standing.map_or_else(Vec::new, |it| it.rules().to_vec());
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

    /// Until when slots were executed, if that lies ahead of `now`: then the clock was set back, or had been ahead, and
    /// nothing is due until it is there again.
    pub fn ahead_of(&self, now: Millis) -> Option<Millis> {
        let last = self.plans.iter().map(|it| it.next.saturating_sub(it.interval)).max()?;
        (last > now.saturating_add(SLEW)).then_some(last)
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
        let (mut record, mut alerts, _) = self.record(&found, slot, now, ready.seen, Kind::Scheduled);
        let late = std::mem::take(&mut ready.late);
        let late = late.into_iter().filter_map(|(rule, behind)| self.late(&ready.standing, rule, behind));
        record.late = late.collect();
        let events = &*self.events;
        let are_new = self.database.change(|it| {
            silence(it, now, &mut record.alerts, &mut alerts)?;
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
                let text_of = |path: &str| {
                    ecs::document::lookup(&document, path)
                        .and_then(ecs::document::first)?
                        .as_str()
                        .map(str::to_owned)
                };
                let name = text_of("kibana.alert.rule.name").unwrap_or_else(|| rule.name.clone());
                let root = incident::root(&document);
                // What began the alert's range, or nothing was looked at but its own events.
                let from = || incident::looked_from(&document).unwrap_or(time);
                let incident_from = (root.is_some() && rule::reads_only_alerts(&rule)).then(from);
                self::executed(&mut document, now, kind);
                alerts.push(AlertRecord {
                    rule: number(&rule),
                    id: id.clone(),
                    time,
                    severity: severity.as_str(),
                    names: (rule.rule_id.clone(), name),
                    root,
                    incident_from,
                    silence: None,
                    document: text,
                    blocks: block_texts,
                });
                let rule_id = rule.rule_id.clone();
                new.push(NewAlert { id, rule_id, severity, document, silence: None });
            }
        });
        let more = more.iter().flatten().cloned().collect();
        let (late, filled) = (Vec::new(), None);
        let record = SlotRecord { slot, started: now, seen, kind, executions, alerts, more, late, filled };
        (record, new, kept)
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
