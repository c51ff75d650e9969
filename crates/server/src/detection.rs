//! Detection by the clock: a thread that has the engine execute what is due.

use std::collections::{BTreeSet, VecDeque};
use std::path::Path;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use ecs::Millis;
use live::{Advanced, Engine, InForce, LiveError, Rulebook, SlotReport};
use rule::{Exceptions, Rule, Selection};
use serde_json::Value;

use crate::ServeError;
use crate::log::{Clock, Log};
use crate::stop::Stop;

/// How long is slept at most when nothing is due: the clock may be set.
const NAP: Duration = Duration::from_secs(1);
/// How long to wait after something went wrong.
const PAUSE: Duration = Duration::from_secs(5);

/// What is detected, and how.
pub struct Rules {
    /// All rules of files, and the built-in ones, whether or not they run.
    pub all: Vec<Rule>,
    /// What files except from them.
    pub exceptions: Exceptions,
    /// How records become events.
    pub normalise: cloudtrail::Options,
    /// Since when rules are executed that were not there before; since now, if nothing is said.
    pub begin: Option<Millis>,
}

/// How detection is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct DetectionState {
    /// What is executed next, or was executed last.
    pub(crate) due: Option<Millis>,
    /// Slots that were executed since the start.
    pub(crate) slots: u64,
    /// What keeps it from going on.
    pub(crate) trouble: Option<String>,
    /// Until when slots were executed, if the clock is not there yet: it was set back.
    pub(crate) ahead: Option<Millis>,
}

/// What comes from files.
pub(crate) struct Base {
    pub(crate) rules: Vec<Rule>,
    pub(crate) exceptions: Exceptions,
}

/// What is in force.
#[derive(Default)]
pub(crate) struct Force {
    revision: u64,
    /// The rules that run.
    pub(crate) rules: Vec<Arc<Rule>>,
    /// Names of rules that do not, and why.
    pub(crate) refused: Vec<(String, String)>,
    /// All rules.
    pub(crate) all: Vec<Rule>,
}

/// Slots of a rule that somebody wants to be executed once more.
struct Order {
    rule: String,
    range: (Millis, Millis),
    done: Sender<Result<Advanced, LiveError>>,
}

/// What is known of detection, for whoever asks.
pub(crate) struct Detection {
    state: Mutex<DetectionState>,
    base: Arc<Base>,
    force: RwLock<Arc<Force>>,
    rulebook: Mutex<Rulebook>,
    orders: Mutex<VecDeque<Order>>,
    pub(crate) normalise: cloudtrail::Options,
}

/// Orders that wait.
const ORDERS_MAX: usize = 16;

impl Detection {
    /// Opens the engine.
    pub(crate) fn open(
        data: &Path,
        rules: Rules,
        (threads, catch_up): (usize, Millis),
        version: &'static str,
        now: Millis,
        log: &Log,
    ) -> Result<(Self, Engine), ServeError> {
        let Rules { all, exceptions, normalise, begin } = rules;
        let rulebook = Rulebook::open(data)?;
        let force = rulebook.in_force(&all, &exceptions)?;
        let its = live::Options::new(normalise.clone(), version);
        let options = live::Options { threads, catch_up, begin, may_idle: true, ..its };
        let selection = Selection::new(force.rules.iter().cloned(), &[]);
        let engine = Engine::open(data, selection, force.exceptions.clone(), options, now)?;
        let detection = Self {
            state: Mutex::new(DetectionState { due: engine.next_due(), ..DetectionState::default() }),
            base: Arc::new(Base { rules: all, exceptions }),
            force: RwLock::default(),
            rulebook: Mutex::new(rulebook),
            orders: Mutex::default(),
            normalise,
        };
        detection.take_force(force, &engine, log);
        Ok((detection, engine))
    }

    /// What comes from files.
    pub(crate) fn base(&self) -> Arc<Base> {
        Arc::clone(&self.base)
    }

    /// What is in force.
    pub(crate) fn force(&self) -> Arc<Force> {
        Arc::clone(&self.force.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Has the slots of a rule executed once more, as soon as nothing else is being executed; nothing if too many wait.
    pub(crate) fn order(
        &self,
        rule: &str,
        range: (Millis, Millis),
    ) -> Option<Receiver<Result<Advanced, LiveError>>> {
        let mut orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        if orders.len() >= ORDERS_MAX {
            return None;
        }
        let (done, wait) = mpsc::channel();
        orders.push_back(Order { rule: rule.to_owned(), range, done });
        Some(wait)
    }

    fn take_force(&self, force: InForce, engine: &Engine, log: &Log) {
        for it in &force.unread {
            let details = [("reason", Value::from(it.reason.as_str()))];
            log.error("SRV045", &format!("what is kept of rule {} cannot be read", it.key), &details);
        }
        let mut refused = Vec::new();
        for it in engine.refused() {
            let reason = ("reason", Value::from(it.reason.as_str()));
            log.warn("SRV044", &format!("a rule does not run: {}", it.rule.name), &[reason]);
            refused.push((it.rule.name.clone(), it.reason.clone()));
        }
        refused.extend(force.unread.into_iter().map(|it| (it.key, it.reason)));
        let (revision, rules, all) = (force.revision, engine.rules().to_vec(), force.rules);
        let its = Arc::new(Force { revision, rules, refused, all });
        *self.force.write().unwrap_or_else(PoisonError::into_inner) = its;
    }

    /// Whether somebody changed a rule since it was taken into force.
    fn is_changed(&self) -> Result<bool, LiveError> {
        let rulebook = self.rulebook.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(rulebook.revision()? != self.force().revision)
    }

    /// Takes into force what was changed.
    fn renew(&self, engine: &mut Engine, now: Millis, log: &Log) -> Result<(), LiveError> {
        if !self.is_changed()? {
            return Ok(());
        }
        let Base { rules, exceptions } = &*self.base;
        let force =
            self.rulebook.lock().unwrap_or_else(PoisonError::into_inner).in_force(rules, exceptions)?;
        let selection = Selection::new(force.rules.iter().cloned(), &[]);
        engine.set_rules(selection, force.exceptions.clone(), now)?;
        self.take_force(force, engine, log);
        let force = self.force();
        let details = [("revision", Value::from(force.revision)), ("rules", force.rules.len().into())];
        log.info("SRV046", "other rules are in force", &details);
        Ok(())
    }

    pub(crate) fn state(&self) -> DetectionState {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How late it is.
    pub(crate) fn behind(&self, now: Millis) -> Millis {
        self.state().due.map_or(0, |due| now.saturating_sub(due).max(0))
    }

    fn change(&self, change: impl FnOnce(&mut DetectionState)) {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Says when the clock was set back so far that nothing is due, and when that is over.
    fn look_at_the_clock(&self, engine: &Engine, now: Millis, log: &Log) {
        let ahead = engine.ahead_of(now);
        let was = self.state().ahead;
        match ahead {
            Some(until) if was.is_none() => {
                log.error("SRV090", &set_back(until), &[]);
            }
            None if was.is_some() => log.info("SRV091", "the clock is where it was", &[]),
            Some(_) | None => {}
        }
        self.change(|state| state.ahead = ahead);
    }

    /// Executes until it is to stop.
    pub(crate) fn run(&self, mut engine: Engine, stop: &Stop, clock: &Clock, log: &Log) {
        let mut told = BTreeSet::new();
        while !stop.is_set() {
            let mut report = |slot: &SlotReport| {
                self.change(|state| {
                    state.due = Some(slot.slot);
                    state.slots += 1;
                });
                tell(slot, log, &mut told);
                // What cannot be asked now, the next turn tells.
                !stop.is_set() && !self.is_changed().unwrap_or(false)
            };
            let renewed = self.renew(&mut engine, clock(), log);
            let advanced = renewed.and_then(|()| engine.advance(clock(), &mut report));
            let due = engine.next_due();
            self.look_at_the_clock(&engine, clock(), log);
            match advanced {
                Ok(_) => {
                    let was = std::mem::take(
                        &mut self.state.lock().unwrap_or_else(PoisonError::into_inner).trouble,
                    );
                    if was.is_some() {
                        log.info("SRV041", "detection goes on", &[]);
                    }
                    self.change(|state| state.due = due);
                    if self.obey(&mut engine, (stop, clock, log), &mut told) {
                        continue;
                    }
                    let left = due.map_or(NAP, |due| {
                        Duration::from_millis(due.saturating_sub(clock()).max(0) as u64).min(NAP)
                    });
                    stop.wait(left);
                }
                Err(error) => {
                    let trouble = format!("{} {error}", error.code());
                    if self.state().trouble.as_ref() != Some(&trouble) {
                        log.error(error.code(), &format!("detection does not go on: {error}"), &[]);
                    }
                    self.change(|state| {
                        state.due = due;
                        state.trouble = Some(trouble);
                    });
                    stop.wait(PAUSE);
                }
            }
        }
    }

    /// Executes slots that somebody wants to be executed once more; says whether anybody did.
    fn obey(
        &self,
        engine: &mut Engine,
        (stop, clock, log): (&Stop, &Clock, &Log),
        told: &mut BTreeSet<(String, String)>,
    ) -> bool {
        let order = self.orders.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let Some(Order { rule, range, done }) = order else { return false };
        let mut report = |slot: &SlotReport| {
            tell(slot, log, told);
            !stop.is_set()
        };
        let filled = engine.fill(&rule, range, clock(), &mut report);
        if let Err(error) = &filled {
            log.warn(error.code(), &format!("slots of {rule} were not executed: {error}"), &[]);
        }
        // Whoever asked may be gone.
        let _ = done.send(filled);
        true
    }
}

/// What is to be known while the clock is not where it was.
pub(crate) fn set_back(until: Millis) -> String {
    format!(
        "the clock was set back: slots were executed until {}, and nothing is executed before the clock is there again",
        ecs::date::to_iso(until)
    )
}

/// What holds of a rule whenever it is executed: it is told once. Each execution has it on its account.
const OF_RULES: [&str; 1] = ["DETW16 "];

/// Says what was raised, and what did not go well. `told` is what was said of rules.
fn tell(slot: &SlotReport, log: &Log, told: &mut BTreeSet<(String, String)>) {
    for it in &slot.executions {
        for message in &it.messages {
            let is_of_rule = OF_RULES.iter().any(|code| message.starts_with(code));
            if is_of_rule && !told.insert((it.rule_id.clone(), message.clone())) {
                continue;
            }
            let details = [
                ("rule", Value::from(it.rule_name.as_str())),
                ("slot", ecs::date::to_iso(it.slot).into()),
                ("status", it.status.as_str().into()),
            ];
            log.warn("SRV042", message, &details);
        }
    }
    for it in &slot.alerts {
        let rule = slot.executions.iter().find(|execution| execution.rule_id == it.rule_id);
        let name = rule.map_or(it.rule_id.as_str(), |it| &it.rule_name);
        let mut details = vec![
            ("severity", Value::from(it.severity.as_str())),
            ("alert", it.id.as_str().into()),
            ("slot", ecs::date::to_iso(slot.slot).into()),
        ];
        details.extend(it.silence.map(|it| ("silence", it.into())));
        let what = if it.silence.is_some() { "silenced alert" } else { "alert" };
        log.info("SRV040", &format!("{what}: {name}"), &details);
    }
}
