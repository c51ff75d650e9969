//! Receivers that are slow, fail, refuse and ask to be left alone; throttles; crashes between any two steps and before any
//! commit; clocks that jump. Each alert that a route wants is delivered at least once or is put aside, and nothing else is;
//! what comes twice has the same id; a receiver gets its messages in order. The seed is the report of a fault.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use ecs::{Millis, Object};
use fastrand::Rng;
use notify::{
    Cursors, Filter, Fresh, FreshAlert, Gather, Happened, Head, Health, On, Outbox, Outcome, Plan, Receiver,
    Route, Settled, State, What,
};
use rule::Severity;
use serde_json::{Value, json};

const START: Millis = 1_772_500_000_000;
const MINUTE: Millis = 60_000;
const HOUR: Millis = 60 * MINUTE;

/// How much is simulated.
const SEEDS: u64 = 30;
const STEPS: usize = 250;

fn plan() -> Plan {
    let receiver = |name: &str, each_max: usize| Receiver {
        name: name.to_owned(),
        connectors: vec![format!("connector-{name}")],
        each_max,
        give_up: 3 * HOUR,
    };
    let route = |name: &str, receiver: &str, gather: Gather, throttle: Millis| Route {
        name: name.to_owned(),
        receiver: receiver.to_owned(),
        on: On::ALERTS,
        severity: Severity::Low,
        filter: None,
        gather,
        throttle,
        by: Vec::new(),
        params: None,
        hours: None,
    };
    let by = vec!["kibana.alert.rule.rule_id".to_owned()];
    let high = Filter::kql("user.name: (ada or bob)", START).unwrap();
    Plan {
        receivers: vec![
            receiver("each", 4),
            receiver("quiet", 4),
            receiver("pager", usize::MAX),
            receiver("ops", 4),
        ],
        routes: vec![
            route("all", "each", Gather::Each, 0),
            Route { by, ..route("by rule", "quiet", Gather::Each, 10 * MINUTE) },
            route("summary", "quiet", Gather::Summary, 7 * MINUTE),
            Route {
                severity: Severity::High,
                filter: Some(high),
                on: On { closed: true, ..On::ALERTS },
                ..route("severe", "pager", Gather::Each, 0)
            },
            Route {
                on: On { alerts: false, health: true, ..On::ALERTS },
                ..route("health", "ops", Gather::Summary, 0)
            },
        ],
    }
}

/// An alert of the book; what is wanted of it is said by plain code below.
#[derive(Clone, Debug)]
struct Alert {
    id: String,
    rule: usize,
    severity: Severity,
    user: &'static str,
    has_action: bool,
    is_silenced: bool,
    is_block: bool,
}

impl Alert {
    fn random(number: usize, rng: &mut Rng) -> Self {
        Self {
            id: format!("alert-{number}"),
            rule: rng.usize(..3),
            severity: Severity::ALL[rng.usize(..4)],
            user: ["ada", "bob", "eve"][rng.usize(..3)],
            has_action: rng.usize(..4) == 0,
            is_silenced: rng.usize(..10) == 0,
            is_block: rng.usize(..10) == 0,
        }
    }

    fn document(&self) -> Object {
        let mut document = json!({
            "@timestamp": "2026-03-03T01:06:40.000Z",
            "kibana.alert.uuid": self.id,
            "kibana.alert.severity": self.severity.as_str(),
            "kibana.alert.rule.rule_id": format!("rule-{}", self.rule),
            "kibana.alert.rule.uuid": format!("uuid-{}", self.rule),
            "kibana.alert.rule.name": format!("Rule {}", self.rule),
            "kibana.alert.rule.actions": [],
            "user": {"name": self.user},
        });
        if self.has_action {
            document["kibana.alert.rule.actions"] =
                json!([{"id": "connector-each", "action_type_id": ".webhook", "uuid": "u", "params": {}}]);
        }
        if self.is_block {
            document["kibana.alert.building_block_type"] = "default".into();
        }
        let Value::Object(document) = document else { unreachable!() };
        document
    }

    /// The routes that want it, silenced or not.
    fn routes(&self) -> Vec<(&'static str, String)> {
        let mut routes = Vec::new();
        if !self.is_block {
            routes.extend([
                ("each", "all".to_owned()),
                ("quiet", "by rule".to_owned()),
                ("quiet", "summary".to_owned()),
            ]);
            if self.severity >= Severity::High && self.user != "eve" {
                routes.push(("pager", "severe".to_owned()));
            }
        }
        if self.has_action {
            routes.push(("each", format!("rule-{} action u", self.rule)));
        }
        routes
    }
}

/// A message on its way.
struct Sending {
    delivery: notify::Delivery,
    done: Millis,
    outcome: Outcome,
    /// Whether the receiver has it, whatever it answers.
    arrives: bool,
}

struct World {
    seed: u64,
    rng: Rng,
    folder: tempfile::TempDir,

    outbox: Option<Outbox>,
    now: Millis,
    /// Whether the clock was ever set back: times prove nothing then.
    was_set_back: bool,
    book: Vec<Alert>,
    /// What people closed, in order.
    closed: Vec<usize>,
    healths: u64,
    sending: BTreeMap<String, Sending>,
    /// Receivers that are down until then.
    down: BTreeMap<String, Millis>,
    asked: BTreeMap<String, Millis>,
    /// What arrived, in order: receiver, route, number, id, what, alerts.
    arrived: Vec<(String, String, i64, String, What, Vec<String>)>,
    made: BTreeMap<(String, String, String), BTreeMap<String, Millis>>,
}

impl World {
    fn new(seed: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let outbox = Outbox::open(folder.path(), Cursors::default(), seed, false).unwrap();
        Self {
            seed,
            rng: Rng::with_seed(seed),
            folder,

            outbox: Some(outbox),
            now: START,
            was_set_back: false,
            book: Vec::new(),
            closed: Vec::new(),
            healths: 0,
            sending: BTreeMap::new(),
            down: BTreeMap::new(),
            asked: BTreeMap::new(),
            arrived: Vec::new(),
            made: BTreeMap::new(),
        }
    }

    fn outbox(&mut self) -> &mut Outbox {
        self.outbox.as_mut().unwrap()
    }

    /// The process ends and begins again. What is on its way may arrive or not; nobody learns of it.
    fn crash(&mut self) {
        self.outbox = None;
        for sending in std::mem::take(&mut self.sending).into_values() {
            if sending.arrives && self.rng.bool() {
                self.arrive(&sending.delivery);
            }
        }
        self.outbox = Some(
            Outbox::open(self.folder.path(), Cursors { alerts: 99, ..Cursors::default() }, 1, false).unwrap(),
        );
    }

    /// Does something with the outbox. Now and then the process ends before it is committed.
    fn step<T>(&mut self, act: impl Fn(&mut Outbox) -> T) -> Option<T> {
        if self.rng.usize(..25) > 0 {
            return Some(act(self.outbox()));
        }
        self.outbox = None;
        let file = self.folder.path().join("notify.db");
        let before = std::fs::read(&file).unwrap();
        let folder: &Path = self.folder.path();
        let mut outbox = Outbox::open(folder, Cursors::default(), 1, false).unwrap();
        act(&mut outbox);
        drop(outbox);
        for name in ["notify.db-wal", "notify.db-shm"] {
            let _ = std::fs::remove_file(folder.join(name));
        }
        std::fs::write(&file, before).unwrap();
        self.crash();
        None
    }

    fn take(&mut self) {
        let cursors = self.outbox().cursors().unwrap();
        let fresh = |book: &[Alert], of: &[usize], happened: Happened| -> Vec<FreshAlert> {
            let one = |at: &usize| FreshAlert {
                document: book[*at].document(),
                happened,
                is_silenced: book[*at].is_silenced,
            };
            of.iter().map(one).collect()
        };
        let raised: Vec<usize> = (cursors.alerts as usize..self.book.len()).take(30).collect();
        let mut alerts = fresh(&self.book, &raised, Happened::Raised);
        let mut next = cursors;
        next.alerts += raised.len() as i64;
        // An alert can be closed only once it was raised.
        let closed: Vec<usize> = self.closed[cursors.audit as usize..]
            .iter()
            .copied()
            .take_while(|it| (*it as i64) < next.alerts)
            .collect();
        alerts.extend(fresh(&self.book, &closed, Happened::Closed));
        next.audit += closed.len() as i64;
        let health = if cursors.gaps < self.healths as i64 {
            vec![(self.now, Health::Once { text: format!("gap {}", cursors.gaps) })]
        } else {
            Vec::new()
        };
        next.gaps += health.len() as i64;
        let fresh = Fresh { alerts, health, cursors: next };
        let now = self.now;
        let plan = plan();
        self.step(move |it| it.take(&plan, &fresh, now).unwrap());
    }

    fn arrive(&mut self, delivery: &notify::Delivery) {
        let alerts = delivery.items.iter().filter_map(|it| it.alert.clone()).collect();
        let (receiver, route, id) = (delivery.receiver.clone(), delivery.route.clone(), delivery.id.clone());
        self.arrived.push((receiver, route, delivery.number, id, delivery.what, alerts));
    }

    /// Starts to send what is next, and ends what was sent.
    fn send(&mut self, is_well: bool) {
        for receiver in ["each", "quiet", "pager", "ops"] {
            if self.sending.get(receiver).is_some_and(|it| it.done <= self.now || is_well) {
                let sending = self.sending.remove(receiver).unwrap();
                if sending.arrives {
                    self.arrive(&sending.delivery);
                }
                let (number, outcome, now, plan) =
                    (sending.delivery.number, sending.outcome, self.now, plan());
                let its = outcome.clone();
                let settled = self.step(move |it| it.settle(&plan, number, &its, now).unwrap());
                if let (Some(Settled::Again(_)), Outcome::Failed { after: Some(after), .. }) =
                    (settled, outcome)
                {
                    self.asked.insert(receiver.to_owned(), self.now + after);
                }
            }
            if self.sending.contains_key(receiver) {
                continue;
            }
            let now = self.now;
            let Head::Due(delivery) = self.outbox().head(receiver, now).unwrap() else { continue };
            if let Some(until) = self.asked.remove(receiver) {
                assert!(
                    self.was_set_back || now >= until,
                    "seed {}: {receiver} asked to be left alone",
                    self.seed
                );
            }
            if delivery.what != What::Closed && delivery.what != What::Health {
                let key = match delivery.route.as_str() {
                    "by rule" => delivery.items[0].rule_id.clone(),
                    _ => String::new(),
                };
                let of = (receiver.to_owned(), delivery.route.clone(), key);
                self.made.entry(of).or_default().insert(delivery.id.clone(), delivery.made);
            }
            let sending = self.fate(*delivery, receiver, is_well);
            self.sending.insert(receiver.to_owned(), sending);
        }
    }

    fn fate(&mut self, delivery: notify::Delivery, receiver: &str, is_well: bool) -> Sending {
        let takes =
            if self.rng.usize(..10) == 0 { self.rng.i64(0..20 * MINUTE) } else { self.rng.i64(0..5_000) };
        let done = self.now + takes;
        let is_down = self.down.get(receiver).is_some_and(|it| *it > self.now);
        let is_poison =
            delivery.items.iter().any(|it| it.alert.as_deref().is_some_and(|it| it.ends_with("13")));
        let failed = |after: Option<Millis>| Outcome::Failed { detail: "503\n".to_owned(), after };
        let (outcome, arrives) = if is_well {
            (Outcome::Delivered, true)
        } else if is_down {
            (failed((self.rng.usize(..3) == 0).then(|| self.rng.i64(0..30 * MINUTE))), false)
        } else if is_poison {
            (Outcome::Refused { detail: "400".to_owned() }, false)
        } else {
            match self.rng.usize(..8) {
                // It has it, and the answer is lost.
                0 => (failed(None), true),
                1 => (failed(Some(self.rng.i64(0..5 * MINUTE))), false),
                _ => (Outcome::Delivered, true),
            }
        };
        Sending { delivery, done, outcome, arrives }
    }

    fn run(&mut self) {
        for _ in 0..STEPS {
            self.now += match self.rng.usize(..40) {
                0 => self.rng.i64(0..5 * HOUR),
                1 if self.seed.is_multiple_of(3) => {
                    self.was_set_back = true;
                    -self.rng.i64(0..2 * HOUR)
                }
                _ => self.rng.i64(0..2 * MINUTE),
            };
            match self.rng.usize(..30) {
                0 => self.crash(),
                1 => {
                    let receiver = ["each", "quiet", "pager", "ops"][self.rng.usize(..4)];
                    let until = self.now + self.rng.i64(0..8 * HOUR);
                    self.down.insert(receiver.to_owned(), until);
                }
                2 => self.healths += 1,
                3..=10 => {
                    let many = if self.rng.usize(..5) == 0 { 12 } else { 3 };
                    for _ in 0..self.rng.usize(..many) {
                        let alert = Alert::random(self.book.len(), &mut self.rng);
                        self.book.push(alert);
                    }
                }
                11..=12 if !self.book.is_empty() => {
                    let at = self.rng.usize(..self.book.len());
                    if !self.closed.contains(&at) {
                        self.closed.push(at);
                    }
                }
                _ => {}
            }
            self.take();
            self.send(false);
        }
    }

    /// All is well from now on.
    fn settle(&mut self) {
        for _ in 0..2_000 {
            self.now += 10 * MINUTE;
            self.take();
            self.send(true);
            let states = self.outbox().receivers(&[]).unwrap();
            let read = self.outbox().cursors().unwrap();
            let is_read = read.alerts as usize == self.book.len() && read.audit as usize == self.closed.len();
            let is_done = states.iter().all(|it| it.waiting == 0 && it.held == 0) && self.sending.is_empty();
            if is_done && is_read && self.outbox().next_release().unwrap().is_none() {
                return;
            }
        }
        panic!("seed {}: it never ends", self.seed);
    }

    fn dead(&mut self) -> Vec<notify::Delivery> {
        self.outbox().deliveries(State::Dead, None, 100_000).unwrap()
    }

    fn check(&mut self) {
        let seed = self.seed;
        // What came twice is the same.
        let mut first: BTreeMap<(String, String, String), String> = BTreeMap::new();
        let mut last: BTreeMap<String, i64> = BTreeMap::new();
        let mut seen: BTreeSet<String> = BTreeSet::new();
        for (receiver, route, number, id, what, alerts) in &self.arrived {
            if seen.insert(id.clone()) {
                let before = last.insert(receiver.clone(), *number).unwrap_or(0);
                assert!(before < *number, "seed {seed}: {receiver} got {number} after {before}");
            }
            for alert in alerts {
                let of = (receiver.clone(), format!("{route} {}", *what == What::Closed), alert.clone());
                let known = first.entry(of.clone()).or_insert_with(|| id.clone());
                assert_eq!(known, id, "seed {seed}: {of:?} came with two ids");
            }
        }
        // Of each route and what it takes as the same, in the order in which they were raised.
        let number = |id: &str| id.trim_start_matches("alert-").parse::<usize>().unwrap();
        let mut order: BTreeMap<(String, String, usize), usize> = BTreeMap::new();
        let mut seen: BTreeSet<String> = BTreeSet::new();
        for (receiver, route, _, id, what, alerts) in &self.arrived {
            if *what == What::Closed || !seen.insert(id.clone()) {
                continue;
            }
            for alert in alerts {
                let rule = if route == "by rule" { self.book[number(alert)].rule } else { 0 };
                let of = (receiver.clone(), route.clone(), rule);
                let before = order.insert(of, number(alert));
                assert!(
                    before.is_none_or(|it| it < number(alert)),
                    "seed {seed}: {route} {alert} after {before:?}"
                );
            }
        }
        // Everything that is wanted came, or is put aside; nothing else.
        let dead = self.dead();
        let mut has: BTreeSet<(String, String, String)> = BTreeSet::new();
        let dead_ones = dead.iter().filter(|it| it.what != What::Closed).flat_map(|it| {
            it.items
                .iter()
                .filter_map(|item| Some((it.receiver.clone(), it.route.clone(), item.alert.clone()?)))
        });
        has.extend(dead_ones);
        for (receiver, route, _, _, what, alerts) in &self.arrived {
            if *what != What::Closed {
                has.extend(alerts.iter().map(|it| (receiver.clone(), route.clone(), it.clone())));
            }
        }
        let (mut wanted, mut silenced) = (BTreeSet::new(), 0);
        for alert in &self.book {
            for (receiver, route) in alert.routes() {
                if alert.is_silenced {
                    silenced += 1;
                } else {
                    wanted.insert((receiver.to_owned(), route, alert.id.clone()));
                }
            }
        }
        let lost: Vec<_> = wanted.difference(&has).collect();
        let extra: Vec<_> = has.difference(&wanted).collect();
        assert!(lost.is_empty() && extra.is_empty(), "seed {seed}: lost {lost:?}, not wanted {extra:?}");
        let states = self.outbox().receivers(&[]).unwrap();
        assert_eq!(states.iter().map(|it| it.left_out).sum::<u64>(), silenced, "seed {seed}");
        // Who was told that an alert is there was told that it is closed.
        let is_told = |it: &(String, String, i64, String, What, Vec<String>)| it.4 == What::Closed;
        let mut told: BTreeSet<String> =
            self.arrived.iter().filter(|it| is_told(it)).flat_map(|it| it.5.clone()).collect();
        let closed_dead = dead.iter().filter(|it| it.what == What::Closed).flat_map(|it| &it.items);
        told.extend(closed_dead.filter_map(|it| it.alert.clone()));
        let pager = |it: &Alert| !it.is_silenced && it.routes().iter().any(|it| it.0 == "pager");
        let closed: BTreeSet<String> = self
            .closed
            .iter()
            .map(|it| &self.book[*it])
            .filter(|it| pager(it))
            .map(|it| it.id.clone())
            .collect();
        assert_eq!(told, closed, "seed {seed}");
        // Throttles.
        if !self.was_set_back {
            for ((receiver, route, key), made) in &self.made {
                let throttle = match route.as_str() {
                    "by rule" => 10 * MINUTE,
                    "summary" => 7 * MINUTE,
                    _ => continue,
                };
                let mut times: Vec<Millis> = made.values().copied().collect();
                times.sort_unstable();
                let close = times.windows(2).find(|it| it[1] - it[0] < throttle);
                assert!(close.is_none(), "seed {seed}: {receiver} {route} {key}: {close:?}");
            }
        }
        // Whatever is put aside is told of, and can be sent again.
        let ops = self.arrived.iter().filter(|it| it.0 == "ops").count();
        assert!(dead.iter().all(|it| it.receiver == "ops") || ops > 0, "seed {seed}: nobody is told");
    }
}

#[test]
fn nothing_is_lost_whatever_happens() {
    let (mut dead, mut doubles) = (0, 0);
    for seed in 0..SEEDS {
        let mut world = World::new(seed);
        world.run();
        world.settle();
        world.check();
        let put_aside = world.dead();
        dead += put_aside.len();
        let distinct: BTreeSet<_> = world.arrived.iter().map(|it| &it.3).collect();
        doubles += world.arrived.len() - distinct.len();
        // What was put aside is sent again when somebody says so.
        let now = world.now;
        assert_eq!(world.outbox().retry(&[], None, now).unwrap(), put_aside.len() as u64);
        world.settle();
        assert!(world.dead().is_empty(), "seed {seed}");
        let arrived: BTreeSet<_> = world.arrived.iter().map(|it| it.3.clone()).collect();
        assert!(put_aside.iter().all(|it| arrived.contains(&it.id)), "seed {seed}");
    }
    assert!(dead > 20 && doubles > 20, "the simulation is too kind: {dead} put aside, {doubles} twice");
}
