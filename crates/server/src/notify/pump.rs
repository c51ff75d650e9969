//! The threads: one that reads what is new, and one for each receiver.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use ecs::Millis;
use live::{Book, LiveError, News};
use notify::{
    Cursors, Delivery, Fresh, FreshAlert, Happened, Head, Message, NotifyError, Outbox, Outcome,
    ReceiverState, Settled,
};
use ring::rand::{SecureRandom as _, SystemRandom};
use rule::Rule;
use serde_json::Value;
use tokio::runtime::Handle;
use tokio::sync::watch;

use super::sender::{Sender, Sent};
use super::watch::{Watch, of_news};
use crate::ServeError;
use crate::app::App;
use crate::config::{Config, ReceiverConfig};
use crate::stop::Stop;

/// How often it is looked for something new.
const ROUND: Duration = Duration::from_millis(500);
/// How often receivers look whether there is something for them.
const NAP: Duration = Duration::from_millis(200);
/// Others may change what waits, by the command line: so often it is looked at in any case.
const LOOK_EVERY: Millis = 3_000;
/// How often it is looked whether all is well.
const WATCH_EVERY: Millis = 10_000;
/// How long to wait after something went wrong here.
const PAUSE: Duration = Duration::from_secs(5);
/// Alerts that are read at once.
const NEWS_MAX: usize = 500;

/// What waits to be told, for whoever asks.
pub(crate) struct Notifier {
    outbox: Mutex<Outbox>,
    /// The first step of the guide of each rule that has one, by `rule_id`.
    steps: Vec<(String, String)>,
    /// Counts up when something was made for receivers.
    changes: AtomicU64,
    data: PathBuf,
    /// What keeps it from going on.
    trouble: Mutex<Option<String>>,
}

impl Notifier {
    /// Opens what waits in a data directory. The first time it begins with what happens from now on.
    pub(crate) fn open(data: &Path, rules: &[Rule]) -> Result<Self, ServeError> {
        let place = Book::open(data)?.place()?;
        let live::Place { alerts, suppressed, audit, slots, gaps } = place;
        let mut seed = [0; 8];
        SystemRandom::new().fill(&mut seed).map_err(|_| ServeError::Random)?;
        let begin = Cursors { alerts, suppressed, audit, slots, gaps };
        let outbox = Outbox::open(data, begin, u64::from_le_bytes(seed), true)?;
        let step = |rule: &Rule| {
            let step = rule.guide.as_ref()?.triage.first()?;
            Some((rule.rule_id.clone(), step.title.clone()))
        };
        let steps = rules.iter().filter_map(step).collect();
        Ok(Self {
            outbox: Mutex::new(outbox),
            steps,
            changes: AtomicU64::new(0),
            data: data.to_owned(),
            trouble: Mutex::default(),
        })
    }

    pub(crate) fn outbox(&self) -> MutexGuard<'_, Outbox> {
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// There is something for receivers.
    pub(crate) fn ring(&self) {
        self.changes.fetch_add(1, Relaxed);
    }

    /// What keeps it from going on.
    pub(crate) fn trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What is known of receivers.
    pub(crate) fn receivers(&self, config: &Config) -> Result<Vec<ReceiverState>, NotifyError> {
        let names: Vec<String> = config.receivers.iter().map(|it| it.name.clone()).collect();
        self.outbox().receivers(&names)
    }

    /// Starts the threads. They end soon after `stop` and `stopping` say so.
    pub(crate) fn start(
        app: &Arc<App>,
        stop: &Stop,
        stopping: &watch::Receiver<bool>,
        runtime: &Handle,
    ) -> JoinHandle<()> {
        let its = Around {
            app: Arc::clone(app),
            stop: stop.clone(),
            stopping: stopping.clone(),
            runtime: runtime.clone(),
        };
        std::thread::spawn(move || its.app.notifier.run(&its))
    }

    /// Makes messages of what is new, until it is to stop. A receiver that is new has a thread from then on.
    fn run(&self, around: &Around) {
        let Around { app, stop, .. } = around;
        let mut watch = Watch::default();
        let mut watched = None;
        let mut threads: BTreeMap<String, JoinHandle<()>> = BTreeMap::new();
        while !stop.is_set() {
            for ReceiverConfig { name, .. } in &app.config().receivers {
                if threads.get(name).is_none_or(JoinHandle::is_finished) {
                    let (its, receiver) = (around.clone(), name.clone());
                    let serve = move || its.app.notifier.serve(&its, &receiver);
                    threads.insert(name.clone(), std::thread::spawn(serve));
                }
            }
            let now = app.now();
            let looks = watched.is_none_or(|it: Millis| !(it..it + WATCH_EVERY).contains(&now));
            match self.round(app, looks.then_some(&mut watch), now) {
                Ok(has_more) => {
                    if looks {
                        watched = Some(now);
                    }
                    if self.trouble.lock().unwrap_or_else(PoisonError::into_inner).take().is_some() {
                        app.log.info("SRV074", "notifications go on", &[]);
                    }
                    if !has_more {
                        stop.wait(ROUND);
                    }
                }
                Err(why) => {
                    let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
                    if trouble.as_ref() != Some(&why) {
                        app.log.error("SRV073", &format!("notifications do not go on: {why}"), &[]);
                    }
                    *trouble = Some(why);
                    drop(trouble);
                    stop.wait(PAUSE);
                }
            }
        }
        for thread in threads.into_values() {
            if thread.join().is_err() {
                app.log.error("SRV019", "a thread failed in a way that should not be; please report it", &[]);
            }
        }
    }

    /// Takes what is new; says whether there is more.
    fn round(&self, app: &App, watch: Option<&mut Watch>, now: Millis) -> Result<bool, String> {
        let coded = |it: NotifyError| format!("{} {it}", it.code());
        let of_live = |it: LiveError| format!("{} {it}", it.code());
        let outbox = self.outbox();
        let cursors = outbox.cursors().map_err(coded)?;
        let is_over = outbox.next_release().map_err(coded)?.is_some_and(|it| it <= now);
        let known: BTreeSet<String> =
            outbox.conditions().map_err(coded)?.into_iter().map(|(key, ..)| key).collect();
        drop(outbox);
        let Cursors { alerts, suppressed, audit, slots, gaps } = cursors;
        let place = live::Place { alerts, suppressed, audit, slots, gaps };
        let news = Book::open(&self.data).and_then(|it| it.news(&place, NEWS_MAX)).map_err(of_live)?;
        let mut health = of_news(&news, &known);
        let is_watched = watch.is_some();
        health.extend(watch.into_iter().flat_map(|it| it.look(app, &known, now)));
        if news.place == place && health.is_empty() && !is_over && !is_watched {
            return Ok(false);
        }
        let has_more = news.raised.len() == NEWS_MAX;
        let plan = super::plan(&app.config(), now);
        let fresh = fresh(news, health);
        let taken = self.outbox().take(&plan, &fresh, now).map_err(coded)?;
        if taken.deliveries > 0 {
            self.ring();
        }
        Ok(has_more)
    }

    /// Tells one receiver, until it is to stop, or the receiver is not configured any more.
    fn serve(&self, around: &Around, name: &str) {
        let Around { app, stop, .. } = around;
        let mut current = app.config();
        let of = |config: &Config| config.receivers.iter().find(|it| it.name == name).cloned();
        let Some(mut config) = of(&current) else { return };
        let mut sender = Sender::new(&config, app.version);
        let (mut seen, mut next, mut looked) = (u64::MAX, Millis::MIN, Millis::MIN);
        while !stop.is_set() {
            let newest = app.config();
            if !Arc::ptr_eq(&newest, &current) {
                current = newest;
                match of(&current) {
                    None => return,
                    Some(its) if its != config => {
                        sender = Sender::new(&its, app.version);
                        config = its;
                    }
                    Some(_) => {}
                }
            }
            let (now, changes) = (app.now(), self.changes.load(Relaxed));
            let is_due = next != Millis::MIN && now >= next;
            if changes == seen && !is_due && (looked..looked.saturating_add(LOOK_EVERY)).contains(&now) {
                stop.wait(NAP);
                continue;
            }
            (seen, looked) = (changes, now);
            let head = self.outbox().head(name, now);
            let delivery = match head {
                Ok(Head::Due(delivery)) => delivery,
                Ok(Head::Later(later)) => {
                    next = later;
                    continue;
                }
                Ok(Head::Nothing) => {
                    next = Millis::MIN;
                    continue;
                }
                // Whoever reads what is new has the same trouble, and tells of it.
                Err(_) => {
                    stop.wait(PAUSE);
                    continue;
                }
            };
            if sender.is_err() {
                // What was missing may be there now.
                sender = Sender::new(&config, app.version);
            }
            let sent = match &sender {
                Ok(sender) => self.send(around, sender, &delivery),
                Err(why) => Some(super::client::failed(why.clone())),
            };
            // It was cut off, and is sent again after the next start.
            let Some(sent) = sent else { return };
            seen = seen.wrapping_sub(1);
            self.settle(app, &config, &delivery, &sent, stop);
        }
    }

    /// Sends a message. Nothing, if it is to stop meanwhile.
    fn send(&self, around: &Around, sender: &Sender, delivery: &Delivery) -> Option<Sent> {
        let Around { app, stopping, runtime, .. } = around;
        let documents = match self.documents(delivery) {
            Ok(documents) => documents,
            Err(error) => return Some(super::client::failed(format!("{} {error}", error.code()))),
        };
        let steps = self.steps.iter().filter(|it| delivery.items.iter().any(|item| item.rule_id == it.0));
        let message = Message {
            delivery,
            documents,
            steps: steps.cloned().collect(),
            now: app.now(),
            version: app.version,
        };
        let mut stopping = stopping.clone();
        runtime.block_on(async {
            tokio::select! {
                sent = sender.send(&message) => Some(sent),
                _ = stopping.wait_for(|it| *it) => None,
            }
        })
    }

    /// The alerts of a message, as they are by now.
    fn documents(&self, delivery: &Delivery) -> Result<Vec<Option<ecs::Object>>, LiveError> {
        let book = Book::open(&self.data)?;
        let document = |id: &Option<String>| match id.as_deref().map(|it| book.alert(it)) {
            None | Some(Err(LiveError::NoAlert { .. } | LiveError::SeveralAlerts { .. })) => Ok(None),
            Some(Ok(document)) => Ok(Some(document)),
            Some(Err(error)) => Err(error),
        };
        delivery.items.iter().map(|it| document(&it.alert)).collect()
    }

    fn settle(&self, app: &App, config: &ReceiverConfig, delivery: &Delivery, sent: &Sent, stop: &Stop) {
        let plan = super::plan(&app.config(), app.now());
        loop {
            let settled = self.outbox().settle(&plan, delivery.number, &sent.outcome, app.now());
            let details = |more: Vec<(&'static str, Value)>| {
                let mut all = vec![
                    ("receiver", Value::from(config.name.as_str())),
                    ("message", delivery.id.as_str().into()),
                    ("type", delivery.what.as_str().into()),
                ];
                all.extend(more);
                all
            };
            match settled {
                Ok(Settled::Sent) => {
                    let told = details(vec![("tells_of", delivery.items.len().into())]);
                    app.log.info("SRV070", "a notification was sent", &told);
                }
                Ok(Settled::Again(at)) => {
                    let told = details(vec![("again", ecs::date::to_iso(at).into())]);
                    app.log.warn("SRV071", &format!("a notification was not sent: {}", sent.answer), &told);
                }
                Ok(Settled::Dead(count)) => {
                    let told = details(vec![("put_aside", count.into())]);
                    app.log.error("SRV072", &format!("notifications were put aside: {}", sent.answer), &told);
                    // Others are told of it.
                    self.ring();
                }
                Ok(Settled::Gone) => {}
                // Sent or not, it must be written down: or it is sent once more, which is better than never.
                Err(error) => {
                    let text = format!("what became of a notification cannot be written down: {error}");
                    app.log.error("SRV075", &text, &details(Vec::new()));
                    stop.wait(PAUSE);
                    if sent.outcome == Outcome::Delivered && !stop.is_set() {
                        continue;
                    }
                }
            }
            return;
        }
    }
}

/// What threads share.
#[derive(Clone)]
struct Around {
    app: Arc<App>,
    stop: Stop,
    stopping: watch::Receiver<bool>,
    runtime: Handle,
}

fn fresh(news: News, health: Vec<(Millis, notify::Health)>) -> Fresh {
    let live::Place { alerts, suppressed, audit, slots, gaps } = news.place;
    let of = |happened: Happened| {
        move |document: ecs::Object| {
            // Set here, and never by an event.
            let is_silenced = document.get("kibana.alert.muted") == Some(&Value::Bool(true));
            FreshAlert { document, happened, is_silenced }
        }
    };
    let raised = news.raised.into_iter().map(of(Happened::Raised));
    let more = news.suppressed.into_iter().map(of(Happened::Suppressed));
    let closed = news.closed.into_iter().map(of(Happened::Closed));
    let alerts_of = raised.chain(more).chain(closed).collect();
    Fresh { alerts: alerts_of, health, cursors: Cursors { alerts, suppressed, audit, slots, gaps } }
}
