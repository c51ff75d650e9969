//! What waits to be told: made of what is new, once.

use std::path::Path;

use ecs::document::lookup;
use ecs::{Millis, Object};
use rusqlite::{Connection, OptionalExtension as _, params};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::action::{self, Actions};
use crate::delivery::{Item, What};
use crate::fresh::{Cursors, Fresh, FreshAlert, Happened, Health, Taken};
use crate::plan::{Gather, Plan, Route};
use crate::schema::Database;
use crate::{NotifyError, words};

/// What one message tells of at most.
pub(crate) const ITEMS_MAX: usize = 1_000;
/// What is not well is told of in one message for so long at least: what comes and goes must not fill a channel.
const HEALTH_THROTTLE: Millis = 5 * 60_000;
/// What waits for a receiver that is not configured any more is put aside after so long.
const ORPHANED: Millis = 24 * 3_600_000;
/// What was sent is remembered for so long,
const REMEMBERED: Millis = 7 * 24 * 3_600_000;
/// and looked through so often.
const FORGET_EVERY: Millis = 10 * 60_000;

/// What waits to be told, what is held, what was sent, and what could not be.
#[derive(Debug)]
pub struct Outbox {
    pub(crate) database: Database,
    pub(crate) seed: u64,
    forgotten: Option<Millis>,
}

impl Outbox {
    /// Opens that of a data directory; makes one that begins at `begin`. Ids of messages and the times of trying again follow
    /// from `seed`, which is kept: a new one is random.
    pub fn open(folder: &Path, begin: Cursors, seed: u64, is_durable: bool) -> Result<Self, NotifyError> {
        let mut database = Database::open(folder, true, is_durable)?;
        let seed = database.change(|it| {
            let mut begin = begin;
            let text = "INSERT INTO cursors (name, at) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
            for (name, at) in begin.named() {
                it.execute(text, params![name, *at])?;
            }
            it.execute(text, params!["seed", seed as i64])?;
            it.query_row("SELECT at FROM cursors WHERE name = 'seed'", [], |row| row.get::<_, i64>(0))
        })?;
        Ok(Self { database, seed: seed as u64, forgotten: None })
    }

    /// Opens that of a data directory, if there is one: to look, or to try again what could not be sent.
    pub fn existing(folder: &Path) -> Result<Self, NotifyError> {
        let database = Database::open(folder, false, true)?;
        let text = "SELECT at FROM cursors WHERE name = 'seed'";
        let seed = database.ask(|it| it.query_row(text, [], |row| row.get::<_, i64>(0)).optional())?;
        Ok(Self { database, seed: seed.unwrap_or_default() as u64, forgotten: None })
    }

    /// How far the book of alerts was read.
    pub fn cursors(&self) -> Result<Cursors, NotifyError> {
        self.database.ask(|it| {
            let mut cursors = Cursors::default();
            let mut statement = it.prepare_cached("SELECT at FROM cursors WHERE name = ?1")?;
            for (name, at) in cursors.named() {
                *at = statement.query_row([name], |row| row.get(0))?;
            }
            Ok(cursors)
        })
    }

    /// Makes of what is new what is to be told, and of throttles that are over, too; how far the book was read is committed
    /// with it. What is known already ([`Cursors`]) must not be in it.
    pub fn take(&mut self, plan: &Plan, fresh: &Fresh, now: Millis) -> Result<Taken, NotifyError> {
        let seed = self.seed;
        let forgets = self.forgotten.is_none_or(|it| !(it..it + FORGET_EVERY).contains(&now));
        let taken = self.database.change(|it| {
            let mut desk = Desk { it, plan, seed, now, taken: Taken::default() };
            desk.release()?;
            desk.put_aside()?;
            desk.alerts(&fresh.alerts)?;
            desk.health(&fresh.health, None)?;
            let set = "UPDATE cursors SET at = ?2 WHERE name = ?1";
            let mut cursors = fresh.cursors;
            for (name, at) in cursors.named() {
                it.prepare_cached(set)?.execute(params![name, *at])?;
            }
            if forgets {
                desk.forget()?;
            }
            Ok(desk.taken)
        })?;
        if forgets {
            self.forgotten = Some(now);
        }
        Ok(taken)
    }

    /// When the next throttle is over.
    pub fn next_release(&self) -> Result<Option<Millis>, NotifyError> {
        self.database.ask(|it| it.query_row("SELECT min(ends_ms) FROM windows", [], |row| row.get(0)))
    }
}

/// A transaction in which messages are made.
pub(crate) struct Desk<'a> {
    pub(crate) it: &'a Connection,
    pub(crate) plan: &'a Plan,
    pub(crate) seed: u64,
    pub(crate) now: Millis,
    pub(crate) taken: Taken,
}

/// Messages that are alike, and what they tell of.
struct Group<'a> {
    route: &'a Route,
    what: What,
    key: String,
    items: Vec<Item>,
}

impl Desk<'_> {
    fn alerts(&mut self, alerts: &[FreshAlert]) -> rusqlite::Result<()> {
        let plan = self.plan;
        // Rules that have none are most of them; and alerts of one come together.
        let mut known: Vec<(String, Actions)> = Vec::new();
        let mut of_alert = Vec::with_capacity(alerts.len());
        for alert in alerts {
            let actions = lookup(&alert.document, "kibana.alert.rule.actions");
            let is_empty = actions.and_then(Value::as_array).is_none_or(Vec::is_empty);
            of_alert.push(if is_empty {
                None
            } else {
                let rule = lookup(&alert.document, "kibana.alert.rule.uuid").map(Value::to_string);
                let key = format!(
                    "{} {}",
                    rule.unwrap_or_default(),
                    actions.map(Value::to_string).unwrap_or_default()
                );
                let at = known.iter().position(|it| it.0 == key).unwrap_or_else(|| {
                    known.push((key, action::of_alert(plan, &alert.document, self.now)));
                    known.len() - 1
                });
                Some(at)
            });
        }
        let mut groups: Vec<Group<'_>> = Vec::new();
        for (alert, actions) in alerts.iter().zip(of_alert) {
            let actions = actions.map_or(&[][..], |at| &known[at].1.routes);
            for route in plan.routes.iter().chain(actions) {
                self.alert(alert, route, &mut groups)?;
            }
        }
        for group in groups {
            self.offer(group)?;
        }
        let problems = known.iter().flat_map(|it| &it.1.problems);
        let problems: Vec<(Millis, Health)> = problems
            .map(|(key, text)| (self.now, Health::Bad { key: key.clone(), text: text.clone() }))
            .collect();
        self.health(&problems, None)
    }

    fn alert<'r>(
        &mut self,
        alert: &FreshAlert,
        route: &'r Route,
        groups: &mut Vec<Group<'r>>,
    ) -> rusqlite::Result<()> {
        let document = &alert.document;
        let id = ecs::alert::id(document).unwrap_or_default();
        let (is_on, what) = match (alert.happened, route.gather) {
            (Happened::Raised, Gather::Each) => (route.on.alerts, What::Alert),
            (Happened::Raised, Gather::Summary) => (route.on.alerts, What::Summary),
            (Happened::Suppressed, _) => (route.on.suppressed, What::Suppressed),
            (Happened::Closed, _) => (route.on.closed, What::Closed),
        };
        if !is_on {
            return Ok(());
        }
        if alert.happened == Happened::Closed {
            // Whoever was told that it is there is told that it is not, and nobody else.
            let gone = "DELETE FROM told WHERE alert = ?1 AND receiver = ?2";
            if self.it.prepare_cached(gone)?.execute(params![id, route.receiver])? == 0 {
                return Ok(());
            }
        } else {
            if !route.wants(document) {
                return Ok(());
            }
            if alert.is_silenced || route.hours.as_ref().is_some_and(|it| !it.holds(self.now)) {
                self.taken.left_out += 1;
                return self.count(&route.receiver, "left_out");
            }
            if self.plan.routes.iter().any(|it| it.on.closed && it.receiver == route.receiver) {
                let told = "INSERT INTO told (alert, receiver) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
                self.it.prepare_cached(told)?.execute(params![id, route.receiver])?;
            }
        }
        let key = format!("{} {}", what.number(), route.key(document));
        let item = item(document, self.now);
        match groups.iter_mut().find(|it| std::ptr::eq(it.route, route) && it.key == key) {
            Some(group) => group.items.push(item),
            None => groups.push(Group { route, what, key, items: vec![item] }),
        }
        Ok(())
    }

    /// Tells of what is not well, and of what is again. `except` is not told: it is what it is about.
    pub(crate) fn health(&mut self, all: &[(Millis, Health)], except: Option<&str>) -> rusqlite::Result<()> {
        let mut items = Vec::new();
        for (time, health) in all {
            let line = match health {
                Health::Bad { key, text } => {
                    let put = "INSERT INTO conditions (key, since_ms, text) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
                    if self.it.prepare_cached(put)?.execute(params![key, time, text])? == 0 {
                        continue;
                    }
                    text.clone()
                }
                Health::Good { key } => {
                    let gone = "DELETE FROM conditions WHERE key = ?1 RETURNING text";
                    let was = self.it.prepare_cached(gone)?.query_row([key], |row| row.get::<_, String>(0));
                    let Some(was) = was.optional()? else { continue };
                    format!("over: {was}")
                }
                Health::Once { text } => text.clone(),
            };
            let (alert, rule_id, rule, severity) = (None, String::new(), String::new(), String::new());
            items.push(Item { alert, rule_id, rule, severity, time: *time, line: report::clean(&line) });
        }
        if items.is_empty() {
            return Ok(());
        }
        let plan = self.plan;
        for route in plan.routes.iter().filter(|it| it.on.health && Some(it.receiver.as_str()) != except) {
            let key = format!("{} ", What::Health.number());
            self.offer(Group { route, what: What::Health, key, items: items.clone() })?;
        }
        Ok(())
    }

    /// What is to be told now, or is held.
    fn offer(&mut self, group: Group<'_>) -> rusqlite::Result<()> {
        let Group { route, what, key, mut items } = group;
        let throttle = match what {
            What::Health => route.throttle.max(HEALTH_THROTTLE),
            // What is over is over at once.
            What::Closed => 0,
            What::Alert | What::Summary | What::Suppressed | What::Test => route.throttle,
        };
        let receiver = self.plan.receiver(&route.receiver);
        let each_max = receiver.map_or(usize::MAX, |it| it.each_max);
        let window = "SELECT 1 FROM windows WHERE receiver = ?1 AND route = ?2 AND key = ?3";
        let window = self.it.prepare_cached(window)?.exists(params![route.receiver, route.name, key])?;
        if window {
            return self.hold(route, &key, &items);
        }
        let is_each = route.gather == Gather::Each && what != What::Health && what != What::Closed;
        if throttle == 0 {
            if is_each && items.len() <= each_max {
                for item in items {
                    self.deliver(route, &key, what, std::slice::from_ref(&item))?;
                }
                return Ok(());
            }
            return self.gathered(route, &key, what, &items);
        }
        if is_each {
            let rest = items.split_off(1);
            self.deliver(route, &key, what, &items)?;
            self.hold(route, &key, &rest)?;
        } else {
            self.gathered(route, &key, what, &items)?;
        }
        let put = "INSERT INTO windows (receiver, route, key, ends_ms, throttle_ms, what, params)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        self.it.prepare_cached(put)?.execute(params![
            route.receiver,
            route.name,
            key,
            self.now.saturating_add(throttle),
            throttle,
            gathered(what).number(),
            route.params.as_ref().map(Value::to_string)
        ])?;
        Ok(())
    }

    /// Several in one message, or as few as can be.
    fn gathered(&mut self, route: &Route, key: &str, what: What, items: &[Item]) -> rusqlite::Result<()> {
        for some in items.chunks(ITEMS_MAX) {
            self.deliver(route, key, gathered(what), some)?;
        }
        Ok(())
    }

    fn deliver(&mut self, route: &Route, key: &str, what: What, items: &[Item]) -> rusqlite::Result<()> {
        let params = route.params.as_ref().map(Value::to_string);
        let number = self.delivery(&route.receiver, &route.name, what, params.as_deref())?;
        for it in items {
            self.item(Some(number), (&route.receiver, &route.name, key), it)?;
        }
        Ok(())
    }

    fn hold(&mut self, route: &Route, key: &str, items: &[Item]) -> rusqlite::Result<()> {
        self.taken.held += items.len() as u64;
        items.iter().try_for_each(|it| self.item(None, (&route.receiver, &route.name, key), it))
    }

    fn delivery(
        &mut self,
        receiver: &str,
        route: &str,
        what: What,
        params: Option<&str>,
    ) -> rusqlite::Result<i64> {
        let put = "INSERT INTO deliveries (id, receiver, route, what, params, made_ms)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        let last = "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'deliveries'";
        let number = self.it.prepare_cached(last)?.query_row([], |row| row.get::<_, i64>(0))? + 1;
        let id = id(self.seed, number);
        self.it.prepare_cached(put)?.execute(params![
            id,
            receiver,
            route,
            what.number(),
            params,
            self.now
        ])?;
        self.taken.deliveries += 1;
        Ok(self.it.last_insert_rowid())
    }

    fn item(
        &self,
        delivery: Option<i64>,
        (receiver, route, key): (&str, &str, &str),
        it: &Item,
    ) -> rusqlite::Result<()> {
        let put = "INSERT INTO items (delivery, receiver, route, key, alert, rule_id, rule, severity, time_ms, line)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
        let Item { alert, rule_id, rule, severity, time, line } = it;
        let values = params![delivery, receiver, route, key, alert, rule_id, rule, severity, time, line];
        self.it.prepare_cached(put)?.execute(values).map(drop)
    }

    /// What was held until now is told. A clock that was set back must not hold it any longer than was said.
    fn release(&mut self) -> rusqlite::Result<()> {
        let over = "SELECT receiver, route, key, throttle_ms, what, params FROM windows
                    WHERE ends_ms <= ?1 OR ends_ms > ?1 + throttle_ms ORDER BY receiver, route, key";
        let mut statement = self.it.prepare_cached(over)?;
        let windows: Vec<(String, String, String, Millis, i64, Option<String>)> = statement
            .query_map([self.now], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?))
            })?
            .collect::<Result<_, _>>()?;
        for (receiver, route, key, throttle, what, its) in windows {
            let held = "SELECT number FROM items WHERE receiver = ?1 AND route = ?2 AND key = ?3
                        AND delivery IS NULL ORDER BY number";
            let mut statement = self.it.prepare_cached(held)?;
            let held: Vec<i64> = statement
                .query_map(params![receiver, route, key], |row| row.get(0))?
                .collect::<Result<_, _>>()?;
            if held.is_empty() {
                let gone = "DELETE FROM windows WHERE receiver = ?1 AND route = ?2 AND key = ?3";
                self.it.prepare_cached(gone)?.execute(params![receiver, route, key])?;
                continue;
            }
            for some in held.chunks(ITEMS_MAX) {
                let number = self.delivery(&receiver, &route, What::of(what), its.as_deref())?;
                let set = "UPDATE items SET delivery = ?2 WHERE number = ?1";
                for it in some {
                    self.it.prepare_cached(set)?.execute(params![it, number])?;
                }
            }
            let set = "UPDATE windows SET ends_ms = ?4 WHERE receiver = ?1 AND route = ?2 AND key = ?3";
            let ends = self.now.saturating_add(throttle);
            self.it.prepare_cached(set)?.execute(params![receiver, route, key, ends])?;
        }
        Ok(())
    }

    /// What waits for a receiver that is not there any more.
    fn put_aside(&mut self) -> rusqlite::Result<()> {
        let waiting = "SELECT DISTINCT receiver FROM deliveries WHERE state = 0 AND made_ms <= ?1";
        let mut statement = self.it.prepare_cached(waiting)?;
        let waiting: Vec<String> =
            statement.query_map([self.now - ORPHANED], |row| row.get(0))?.collect::<Result<_, _>>()?;
        for receiver in waiting {
            if self.plan.receiver(&receiver).is_none() {
                let why = "no receiver of that name is configured any more";
                self.give_up(&receiver, self.now - ORPHANED, why)?;
            }
        }
        Ok(())
    }

    /// Puts aside what was made until then, and says so.
    pub(crate) fn give_up(&mut self, receiver: &str, until: Millis, why: &str) -> rusqlite::Result<u64> {
        let set = "UPDATE deliveries SET state = 1, ended_ms = ?3, error = coalesce(error, ?4)
                   WHERE state = 0 AND receiver = ?1 AND made_ms <= ?2";
        let dead = self.it.prepare_cached(set)?.execute(params![receiver, until, self.now, why])? as u64;
        if dead > 0 {
            let things = report::plural(dead, "notification was", "notifications were");
            let text = format!(
                "{things} not delivered to `{receiver}` and put aside ({why}); `trailwarden notify retry` sends them again"
            );
            self.health(&[(self.now, Health::Once { text })], Some(receiver))?;
        }
        Ok(dead)
    }

    /// What was sent long ago.
    fn forget(&self) -> rusqlite::Result<()> {
        let old = "SELECT number FROM deliveries WHERE state = 2 AND ended_ms < ?1";
        let since = self.now - REMEMBERED;
        self.it.execute(&format!("DELETE FROM items WHERE delivery IN ({old})"), [since])?;
        self.it.execute("DELETE FROM deliveries WHERE state = 2 AND ended_ms < ?1", [since])?;
        Ok(())
    }

    /// Counts something of a receiver.
    pub(crate) fn count(&self, receiver: &str, column: &str) -> rusqlite::Result<()> {
        let put = format!(
            "INSERT INTO receivers (name, {column}) VALUES (?1, 1)
             ON CONFLICT (name) DO UPDATE SET {column} = {column} + 1"
        );
        self.it.prepare_cached(&put)?.execute([receiver]).map(drop)
    }
}

/// What a message of several is that would each be this.
const fn gathered(what: What) -> What {
    match what {
        What::Alert | What::Summary => What::Summary,
        What::Suppressed => What::Suppressed,
        What::Closed => What::Closed,
        What::Health => What::Health,
        What::Test => What::Test,
    }
}

/// What is kept of an alert.
fn item(document: &Object, now: Millis) -> Item {
    let alert = report::Alert::new(document);
    Item {
        alert: Some(alert.id().into_owned()),
        rule_id: alert.rule_id().into_owned(),
        rule: alert.rule_name().into_owned(),
        severity: alert.severity().into_owned(),
        time: alert.time().unwrap_or(now),
        line: words::line(document),
    }
}

/// The id of a message: whoever gets it twice can tell, and no two are alike.
fn id(seed: u64, number: i64) -> String {
    let hash = Sha256::new().chain_update(seed.to_be_bytes()).chain_update(number.to_be_bytes()).finalize();
    hash.iter().take(16).fold(String::new(), |text, it| text + &format!("{it:02x}"))
}
