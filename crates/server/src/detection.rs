//! Detection by the clock: a thread that has the engine execute what is due.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ecs::Millis;
use live::{Engine, SlotReport};
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
    /// The rules that run.
    pub selection: Selection,
    /// What is excepted from them.
    pub exceptions: Exceptions,
    /// All rules that were loaded, for what plans of response name.
    pub all: Vec<Rule>,
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

/// What is known of detection, for whoever asks.
pub(crate) struct Detection {
    state: Mutex<DetectionState>,
    /// The rules that run.
    pub(crate) rules: Vec<Arc<Rule>>,
    /// Names of rules that do not, and why.
    pub(crate) refused: Vec<(String, String)>,
    /// All rules that were loaded.
    pub(crate) all: Vec<Rule>,
    pub(crate) normalise: cloudtrail::Options,
}

impl Detection {
    /// Opens the engine.
    pub(crate) fn open(
        data: &Path,
        rules: Rules,
        (threads, catch_up): (usize, Millis),
        version: &'static str,
        now: Millis,
    ) -> Result<(Self, Engine), ServeError> {
        let Rules { selection, exceptions, all, normalise, begin } = rules;
        let options =
            live::Options { threads, catch_up, begin, ..live::Options::new(normalise.clone(), version) };
        let engine = Engine::open(data, selection, exceptions, options, now)?;
        let refused = engine.refused().iter().map(|it| (it.rule.name.clone(), it.reason.clone())).collect();
        let state = DetectionState { due: engine.next_due(), ..DetectionState::default() };
        let rules = engine.rules().to_vec();
        Ok((Self { state: Mutex::new(state), rules, refused, all, normalise }, engine))
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
                !stop.is_set()
            };
            let advanced = engine.advance(clock(), &mut report);
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
