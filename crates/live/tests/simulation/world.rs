//! What happens, by a seed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use ecs::{Millis, Object};
use fastrand::Rng;
use hunt::{HuntOptions, Progress};
use live::{Book, Engine, FillLimits, Kind, LiveError, Options, Search};
use rule::{Exceptions, Rule};
use serde_json::json;

use crate::memory::Memory;
use crate::rules::{record, rules, selection};

const MINUTE: Millis = 60_000;
/// When it begins.
const START: Millis = 1_772_323_200_000;

/// How time passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Speed {
    /// Rules execute every few minutes, for some hours.
    Hours,
    /// Rules execute every few hours, for a year.
    Year,
}

pub(crate) struct World {
    seed: u64,
    rng: Rng,
    speed: Speed,
    tells: bool,
    memory: Memory,
    rules: Vec<Rule>,
    exceptions: Exceptions,
    clock: Millis,
    events: u64,
    /// What was delivered lately.
    recent: Vec<(Millis, String)>,
}

impl World {
    pub(crate) fn new(seed: u64, speed: Speed) -> Self {
        let mut rng = Rng::with_seed(seed);
        let minutes = if speed == Speed::Hours { 5 } else { 240 };
        let rules = rules(&mut rng, minutes);
        let (memory, exceptions) = (Memory::default(), Exceptions::default());
        let (tells, clock, events, recent) = (false, START, 0, Vec::new());
        Self { seed, rng, speed, tells, memory, rules, exceptions, clock, events, recent }
    }

    pub(crate) fn telling(self) -> Self {
        Self { tells: true, ..self }
    }

    fn tell(&self, what: impl FnOnce() -> String) {
        if self.tells {
            let at = ecs::date::to_iso(self.clock);
            #[expect(clippy::print_stderr, reason = "somebody looks for a bug")]
            {
                eprintln!("{at} {}", what());
            }
        }
    }

    fn step(&self) -> Millis {
        if self.speed == Speed::Hours { MINUTE } else { 60 * MINUTE }
    }

    fn options(&mut self) -> Options {
        let fill = [FillLimits::default(), FillLimits::NONE][usize::from(self.seed % 4 == 3)];
        let age = if self.speed == Speed::Hours { fill.age } else { 40 * fill.age };
        let catch_up = if self.speed == Speed::Hours { 6 * 60 * MINUTE } else { 20 * 24 * 60 * MINUTE };
        let normalise = cloudtrail::Options::default();
        let fill = FillLimits { age: age.min(fill.age * 40), ..fill };
        Options { is_durable: false, catch_up, fill, ..Options::new(normalise, "1") }
    }

    fn open(&mut self, folder: &Path) -> Engine {
        let (events, rules, options) = (self.memory.clone(), selection(&self.rules), self.options());
        let exceptions = self.exceptions.clone();
        Engine::over(Box::new(events), folder, rules, exceptions, options, self.clock).unwrap()
    }

    /// Somebody excepts something else, from one more rule, which may also alert more or less often from now on.
    fn change_rules(&mut self, engine: &mut Option<Engine>) {
        let user = ["ana", "bo", "cy", "dee"][self.rng.usize(0..4)];
        let item = json!({"list_id": "known", "item_id": "one", "type": "simple", "name": user, "description": user,
            "entries": [{"type": "match", "field": "user.name", "operator": "included", "value": user}]});
        self.exceptions = rule::load_text("exceptions", &item.to_string()).exceptions;
        let list =
            json!({"id": "known", "list_id": "known", "type": "detection", "namespace_type": "single"});
        let max_signals = [2, 100][self.rng.usize(0..2)];
        let fields = json!({"exceptions_list": [list], "max_signals": max_signals});
        let at = self.rng.usize(0..self.rules.len());
        self.rules[at] = self.rules[at].changed(fields.as_object().unwrap()).unwrap();
        self.tell(|| format!("{} changes, {user} is excepted", self.rules[at].name));
        if let Some(engine) = engine {
            engine.set_rules(selection(&self.rules), self.exceptions.clone(), self.clock).unwrap();
        }
    }

    /// Lets events be ingested: most of what just happened, and some of what happened long ago or was there before.
    fn ingest(&mut self) {
        let step = self.step();
        let mut batch = Vec::new();
        for _ in 0..self.rng.u64(1..8) {
            if !self.recent.is_empty() && self.rng.u8(0..10) == 0 {
                let (time, text) = self.recent[self.rng.usize(0..self.recent.len())].clone();
                // A store takes in again only what differs.
                batch.push((time, text.replace("aws-cli/2", "aws-cli/3")));
                continue;
            }
            let delay = match self.rng.u8(0..20) {
                0 => self.rng.i64(0..step * 400),
                1..4 => self.rng.i64(0..step * 40),
                _ => self.rng.i64(0..step * 3),
            };
            let time = self.clock - delay;
            self.events += 1;
            let text = record(&mut self.rng, self.events, time);
            let time = time - time.rem_euclid(1_000);
            batch.push((time, text));
        }
        self.recent.extend(batch.iter().cloned());
        let old = self.recent.len().saturating_sub(50);
        self.recent.drain(..old);
        self.tell(|| format!("ingest {}", batch.len()));
        self.memory.add(self.clock, batch);
    }

    /// Executes what is due, perhaps not to its end.
    fn advance(&mut self, engine: &mut Option<Engine>, folder: &Path) {
        let mut its = engine.take().unwrap_or_else(|| self.open(folder));
        let dies = self.rng.u8(0..6) == 0;
        let after = self.rng.u64(0..12);
        self.memory.kill_after(dies.then_some(after));
        let stops = (self.rng.u8(0..10) == 0).then(|| self.rng.u64(1..4));
        let mut told = 0;
        let done = its.advance(self.clock, &mut |_| {
            told += 1;
            stops.is_none_or(|it| told < it)
        });
        self.memory.kill_after(None);
        match done {
            Ok(done) => {
                self.tell(|| format!("advance: {done:?}"));
                *engine = Some(its);
            }
            Err(LiveError::NoRule { name }) if name == "killed" => {
                self.tell(|| format!("killed after {after}"));
                // In one case of two it goes on as if nothing had happened.
                if self.rng.bool() {
                    *engine = Some(its);
                }
            }
            Err(error) => panic!("seed {}: {error}", self.seed),
        }
    }

    pub(crate) fn run(mut self) {
        let folder = tempfile::tempdir().unwrap();
        let mut engine = Some(self.open(folder.path()));
        let steps = if self.speed == Speed::Hours { 120 } else { 24 * 365 / 6 };
        let mut skew = 0;
        for _ in 0..steps {
            self.clock += self.step() * self.rng.i64(0..10);
            match self.rng.u16(0..100) {
                0..50 => self.ingest(),
                50..85 => self.advance(&mut engine, folder.path()),
                85..88 => {
                    self.tell(|| "killed".to_owned());
                    engine = None;
                }
                88..91 => {
                    if let Some(it) = &mut engine {
                        it.renew();
                    }
                }
                91..94 => {
                    let count = self.memory.len();
                    if count > 2 {
                        let first = self.rng.usize(0..count - 1);
                        let last = self.rng.usize(first + 1..=count);
                        self.tell(|| format!("compact {first}..{last}"));
                        self.memory.compact(first..last);
                    }
                }
                94..96 if skew == 0 => {
                    // A clock that is wrong for a while.
                    skew = self.step() * self.rng.i64(-60..30);
                    self.clock += skew;
                    self.tell(|| format!("the clock jumps by {skew}"));
                }
                96..98 => {
                    self.clock -= skew;
                    skew = 0;
                }
                98 => {
                    engine = None;
                    self.clock += self.step() * self.rng.i64(60..600);
                    self.tell(|| "nothing for a while".to_owned());
                }
                _ => self.change_rules(&mut engine),
            }
        }
        self.clock += self.step() * 60;
        let mut engine = engine.unwrap_or_else(|| self.open(folder.path()));
        while !engine.advance(self.clock, &mut |_| true).unwrap().is_done {}
        drop(engine);
        let book = Book::open(folder.path()).unwrap();
        self.check_executions(&book);
        self.check_alerts(&book);
    }

    /// Each slot of each rule was executed once, in order, or is part of a gap.
    fn check_executions(&self, book: &Book) {
        let mut executed: BTreeMap<String, Vec<Millis>> = BTreeMap::new();
        let mut all = book.executions(None, usize::MAX >> 1).unwrap();
        all.reverse();
        for it in all.iter().filter(|it| it.kind == Kind::Scheduled) {
            executed.entry(it.rule_id.clone()).or_default().push(it.slot);
        }
        for rule in book.rules().unwrap() {
            let slots = executed.remove(&rule.rule_id).unwrap_or_default();
            assert!(slots.is_sorted_by(|a, b| a < b), "seed {}: {} in order, once", self.seed, rule.name);
            let missed = book.gaps(Some(&rule.rule_id)).unwrap();
            let missed = missed.iter().filter(|it| it.reason == live::Reason::Down);
            let mut there: BTreeSet<Millis> = slots.into_iter().collect();
            for gap in missed {
                for slot in (gap.from..=gap.to).step_by(rule.interval as usize) {
                    assert!(there.insert(slot), "seed {}: {} is no gap of {}", self.seed, slot, rule.name);
                }
            }
            let all: BTreeSet<Millis> = (rule.first..rule.next).step_by(rule.interval as usize).collect();
            assert_eq!(there, all, "seed {}: every slot of {}", self.seed, rule.name);
            assert!(rule.next > self.clock, "seed {}: {} is on time", self.seed, rule.name);
        }
    }

    /// Without when its event was read: a hunt reads it now.
    fn timeless(mut document: Object) -> Object {
        if let Some(serde_json::Value::Object(event)) = document.get_mut("event") {
            event.remove("created");
        }
        document.remove("kibana.alert.original_event.created");
        document.sort_keys();
        document
    }

    /// A hunt as if live finds the same alerts, with the rules and exceptions that were in force then.
    fn check_alerts(&self, book: &Book) {
        let mut found: BTreeMap<String, Object> = BTreeMap::new();
        let normalise = cloudtrail::Options::default();
        let options = HuntOptions {
            stored: self.memory.inputs(),
            as_live: Some(book.as_live().unwrap()),
            identities: hunt::Identities::InAlerts,
            ..HuntOptions::new(
                Vec::new(),
                selection(&self.rules),
                Exceptions::default(),
                normalise,
                self.clock,
                "1",
            )
        };
        let hunted = hunt::hunt(&options, &mut std::io::empty(), &Progress::default()).unwrap();
        hunted.alerts(
            &[],
            |alert| (alert.id().to_owned(), Self::timeless(alert.document().to_object())),
            |alerts| found.extend(alerts),
        );
        let mut kept: BTreeMap<String, Object> = BTreeMap::new();
        for mut document in book.search(&Search::default()).unwrap().alerts {
            let id = document["kibana.alert.uuid"].as_str().unwrap().to_owned();
            // When it was written, and why, may differ.
            let uuid = document["kibana.alert.start"].clone();
            document.insert("kibana.alert.rule.execution.timestamp".to_owned(), uuid);
            document.insert("kibana.alert.rule.execution.type".to_owned(), "manual".into());
            assert!(
                kept.insert(id, Self::timeless(document)).is_none(),
                "seed {}: an alert twice",
                self.seed
            );
        }
        let (live, hunted): (BTreeSet<&String>, BTreeSet<&String>) =
            (kept.keys().collect(), found.keys().collect());
        let of = |id: &&String, all: &BTreeMap<String, Object>| {
            let it = &all[*id];
            let event = it.get("kibana.alert.original_event.id");
            let time = it.get("kibana.alert.original_time");
            format!("{} at {}: {id} on {event:?} of {time:?}", it["kibana.alert.rule.name"], it["@timestamp"])
        };
        let missed: Vec<String> = hunted.difference(&live).map(|it| of(it, &found)).collect();
        let more: Vec<String> = live.difference(&hunted).map(|it| of(it, &kept)).collect();
        assert!(
            missed.is_empty() && more.is_empty(),
            "seed {}: live raised {}, a hunt {}; live missed {missed:#?}, and the hunt {more:#?}",
            self.seed,
            kept.len(),
            found.len()
        );
        for (id, document) in &kept {
            let other = &found[id];
            let differ = document.iter().filter(|(key, value)| other.get(*key) != Some(value));
            let mut differ: Vec<String> =
                differ.map(|(key, value)| format!("{key}: {value}\n    and {:?}", other.get(key))).collect();
            differ.extend(other.keys().filter(|it| !document.contains_key(*it)).cloned());
            let name = &document["kibana.alert.rule.name"];
            assert!(differ.is_empty(), "seed {}: {name} {id}: {}", self.seed, differ.join("\n"));
        }
        self.tell(|| format!("{} alerts", kept.len()));
    }
}
