//! Whether it lives, whether it is ready, and figures for whoever watches.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::atomic::Ordering::Relaxed;

use notify::ReceiverState;
use serde_json::{Value, json};
use store::{Accounting, SourceAccount};

use super::sources::{accounts, letter_accounts};
use crate::app::App;
use crate::config::SourceKind;
use crate::detection::set_back;
use crate::http::{Answer, Asked, Kind, Problem};
use crate::source::{BucketState, SourceState};

#[expect(clippy::unnecessary_wraps, reason = "all handlers look alike")]
pub(super) fn live(_: &Asked<'_>) -> Result<Answer, Problem> {
    Ok(Answer::text("alive\n"))
}

/// What keeps the server from doing its work.
pub(crate) struct Obstacle {
    /// What kind of thing: the same as long as it lasts.
    pub(crate) kind: &'static str,
    pub(crate) text: String,
}

/// What keeps the server from doing its work; nothing if all is well.
pub(crate) fn obstacles(app: &App) -> Vec<Obstacle> {
    let mut all = Vec::new();
    let mut push = |kind: &'static str, text: String| all.push(Obstacle { kind, text });
    if let Some(trouble) = app.intake.state().trouble {
        push("store", format!("the last batch could not be stored: {} {}", trouble.code, trouble.detail));
    }
    if let Err(error) = probe(&app.data) {
        push("disk", format!("nothing can be written to `{}`: {error}", app.data.display()));
    }
    if let Some(trouble) = app.detection.state().trouble {
        push("detection", format!("detection does not go on: {trouble}"));
    }
    if let Some(trouble) = app.notifier.trouble() {
        push("notifications", format!("notifications do not go on: {trouble}"));
    }
    if let Some(until) = app.detection.state().ahead {
        push("clock", format!("SRV090 {}", set_back(until)));
    }
    let behind = app.detection.behind(app.now());
    if behind.unsigned_abs() > app.config().behind_ms {
        push("behind", format!("detection is {} s late (`behind_max`)", behind / 1_000));
    }
    all
}

/// Writes something where segments are written, and removes it.
fn probe(data: &Path) -> io::Result<()> {
    // Whatever is left of it goes with the next start, as all that counts for nothing.
    let path = data.join("incoming").join(format!("probe-{:?}", std::thread::current().id()));
    let write = || {
        let mut file = File::create(&path)?;
        file.write_all(&[0; 4096])?;
        file.sync_all()
    };
    let written = write();
    let removed = std::fs::remove_file(&path);
    written.and(removed)
}

#[expect(clippy::unnecessary_wraps, reason = "all handlers look alike")]
pub(super) fn ready(asked: &Asked<'_>) -> Result<Answer, Problem> {
    let obstacles: Vec<String> = obstacles(asked.app).into_iter().map(|it| it.text).collect();
    let status = if obstacles.is_empty() { 200 } else { 503 };
    Ok(Answer::json_of(status, &json!({"ready": obstacles.is_empty(), "obstacles": obstacles})))
}

/// Metrics in the making.
struct Metrics(String);

impl Metrics {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        self.0 += &format!("# HELP trailwarden_{name} {help}\n# TYPE trailwarden_{name} {kind}\n");
    }

    fn value(&mut self, name: &str, labels: &[(&str, &str)], value: impl Into<Value>) {
        let escape = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let labels: Vec<String> =
            labels.iter().map(|(key, value)| format!("{key}=\"{}\"", escape(value))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        self.0 += &format!("trailwarden_{name}{labels} {}\n", value.into());
    }

    fn one(&mut self, name: &str, kind: &str, help: &str, value: impl Into<Value>) {
        self.family(name, kind, help);
        self.value(name, &[], value);
    }
}

/// What became of objects and messages, of sources that have some.
fn buckets(app: &App, out: &mut Metrics) {
    let states = app.sources.iter().filter(|it| matches!(it.kind(), SourceKind::S3(_)));
    let states: Vec<(&str, BucketState)> = states.map(|it| (it.name(), it.state().bucket)).collect();
    if states.is_empty() {
        return;
    }
    out.family(
        "source_objects_total",
        "counter",
        "Objects of a bucket, since the start: stored, by how they were found; gone; failed, each time one could not be had.",
    );
    for (name, it) in &states {
        let all = [
            ("listed", it.listed),
            ("noticed", it.noticed),
            ("reconciled", it.reconciled),
            ("gone", it.gone),
            ("failed", it.failed),
            ("foreign", it.foreign),
        ];
        for (outcome, count) in all {
            out.value("source_objects_total", &[("source", name), ("outcome", outcome)], count);
        }
    }
    out.family(
        "source_messages_total",
        "counter",
        "Messages of a queue by what became of them, since the start.",
    );
    for (name, it) in &states {
        let all = [
            ("taken", it.messages),
            ("done", it.messages_done),
            ("unread", it.messages_unread),
            ("given_up", it.messages_given_up),
        ];
        for (outcome, count) in all {
            out.value("source_messages_total", &[("source", name), ("outcome", outcome)], count);
        }
    }
    out.family(
        "source_lag_seconds",
        "gauge",
        "How old the oldest object of a bucket is that was found and is not stored.",
    );
    for (name, it) in &states {
        let lag = it.oldest_ms.map_or(0, |it| app.now().saturating_sub(it).max(0) / 1_000);
        out.value("source_lag_seconds", &[("source", name)], lag);
    }
    out.family(
        "source_reconciled_seconds",
        "gauge",
        "When all objects were last listed, since 1970; 0 is never.",
    );
    for (name, it) in &states {
        out.value("source_reconciled_seconds", &[("source", name)], it.reconciled_ms.unwrap_or(0) / 1_000);
    }
}

/// A figure of a receiver.
type Figure<'a> = &'a dyn Fn(&ReceiverState) -> Value;

/// What is known of each receiver.
fn notifications(app: &App, out: &mut Metrics) -> Result<(), Problem> {
    let states = app.notifier.receivers(&app.config());
    let states = states.map_err(|it| Problem::new(Kind::Failed, format!("{} {it}", it.code())))?;
    let now = app.now();
    let age = |it: &ReceiverState| it.oldest.map_or(0, |it| now.saturating_sub(it).max(0) / 1_000);
    let families: [(&str, &str, &str, Figure<'_>); 7] = [
        ("notifications_sent_total", "counter", "Messages that a receiver took, ever.", &|it| it.sent.into()),
        ("notifications_failed_total", "counter", "Attempts that failed, ever.", &|it| it.failed.into()),
        (
            "notifications_left_out_total",
            "counter",
            "Alerts that a receiver was not told of because they are silenced, ever.",
            &|it| it.left_out.into(),
        ),
        ("notifications_waiting", "gauge", "Messages that wait for a receiver.", &|it| it.waiting.into()),
        ("notifications_oldest_waiting_seconds", "gauge", "How long the oldest of them waits.", &|it| {
            age(it).into()
        }),
        ("notifications_held", "gauge", "Alerts that are held until a throttle is over.", &|it| {
            it.held.into()
        }),
        ("notifications_dead", "gauge", "Messages that could not be delivered.", &|it| it.dead.into()),
    ];
    for (name, kind, help, value) in families {
        out.family(name, kind, help);
        for it in &states {
            out.value(name, &[("receiver", &it.name)], value(it));
        }
    }
    Ok(())
}

pub(super) fn metrics(asked: &Asked<'_>) -> Result<Answer, Problem> {
    let app = asked.app;
    let accounts = accounts(asked)?;
    let mut out = Metrics(String::new());
    out.family("info", "gauge", "The version that runs.");
    out.value("info", &[("version", app.version)], 1);
    let uptime = app.now().saturating_sub(app.started_ms).max(0) / 1_000;
    out.one("uptime_seconds", "counter", "How long it runs.", uptime);

    out.family(
        "source_records_total",
        "counter",
        "Records of a source by what became of them; read is the sum of the others.",
    );
    for (name, its) in &accounts {
        let Accounting { read, stored, duplicate, unreadable, dropped } = its.accounting;
        let outcomes = [
            ("read", read),
            ("stored", stored),
            ("duplicate", duplicate),
            ("unreadable", unreadable),
            ("dropped", dropped),
        ];
        for (outcome, count) in outcomes {
            out.value("source_records_total", &[("source", name), ("outcome", outcome)], count);
        }
    }
    let mut per_source = |name: &str, kind: &str, help: &str, values: Vec<(&str, Value)>| {
        out.family(name, kind, help);
        for (source, value) in values {
            out.value(name, &[("source", source)], value);
        }
    };
    let kept = |of: &dyn Fn(&SourceAccount) -> Value| {
        accounts.iter().map(|(name, it)| (name.as_str(), of(it))).collect()
    };
    per_source(
        "source_deliveries_total",
        "counter",
        "Files or requests of a source.",
        kept(&|it| it.deliveries.into()),
    );
    per_source("source_bytes_total", "counter", "Bytes of them, as they came.", kept(&|it| it.bytes.into()));
    let last = kept(&|it| (it.last_ms / 1_000).into());
    per_source(
        "source_last_seconds",
        "gauge",
        "When something of a source was last stored, since 1970.",
        last,
    );
    let now = |of: &dyn Fn(&SourceState) -> Value| {
        app.sources.iter().map(|it| (it.name(), of(&it.state()))).collect()
    };
    let failures = now(&|it| it.failures.into());
    per_source(
        "source_failures_total",
        "counter",
        "Deliveries of a source that could not be stored, since the start.",
        failures,
    );
    let waiting = now(&|it| it.waiting.into());
    per_source(
        "source_waiting_files",
        "gauge",
        "Files of a folder, or objects of a bucket, that were found and are not stored yet.",
        waiting,
    );
    buckets(app, &mut out);

    let letters = letter_accounts(asked)?;
    out.family("dead_letters", "gauge", "Dead letters of a source that are kept.");
    for (name, its) in &letters {
        out.value("dead_letters", &[("source", name)], its.letters);
    }
    out.family("dead_letter_bytes", "gauge", "Bytes that they take.");
    for (name, its) in &letters {
        out.value("dead_letter_bytes", &[("source", name)], its.bytes);
    }
    out.family(
        "dead_letter_records_total",
        "counter",
        "Unreadable records that came, and those of them that are kept no more, by what became of them.",
    );
    for (name, its) in &letters {
        let outcomes = [
            ("received", its.received),
            ("replayed", its.replayed),
            ("repeated", its.repeated),
            ("expired", its.expired),
            ("crowded_out", its.crowded_out),
            ("discarded", its.discarded),
        ];
        for (outcome, count) in outcomes {
            out.value("dead_letter_records_total", &[("source", name), ("outcome", outcome)], count);
        }
    }

    let intake = app.intake.state();
    out.one("intake_waiting_bytes", "gauge", "Bytes that wait to be stored.", intake.waiting_bytes);
    out.one("intake_waiting_deliveries", "gauge", "Deliveries that wait to be stored.", intake.waiting);
    out.one("intake_batches_total", "counter", "Batches that were stored, since the start.", intake.batches);
    out.one(
        "intake_failures_total",
        "counter",
        "Batches that could not be stored, since the start.",
        intake.failures,
    );
    out.one(
        "intake_writable",
        "gauge",
        "Whether the last batch could be stored.",
        i32::from(intake.trouble.is_none()),
    );

    let state = app.detection.state();
    out.one("detection_rules", "gauge", "Rules that run.", app.detection.force().rules.len());
    out.one(
        "detection_rules_refused",
        "gauge",
        "Rules that cannot run.",
        app.detection.force().refused.len(),
    );
    let behind = app.detection.behind(app.now()) / 1_000;
    out.one("detection_behind_seconds", "gauge", "How late what is due is executed.", behind);
    out.one("detection_slots_total", "counter", "Slots that were executed, since the start.", state.slots);
    let is_going = i32::from(state.trouble.is_none() && state.ahead.is_none());
    out.one("detection_going", "gauge", "Whether detection goes on.", is_going);
    let counts = super::alerts::book(asked)?.counts().map_err(|it| super::alerts::problem(&it))?;
    out.one("executions_total", "counter", "Executions of rules, ever.", counts.executions);
    out.one("executions_failed_total", "counter", "Those that failed.", counts.failed);
    out.one(
        "late_events_total",
        "counter",
        "Events that came after the last execution that could see them, a rule each.",
        counts.late_events,
    );
    out.one("gaps_unfilled", "gauge", "Gaps that are not filled.", counts.unfilled_gaps);
    out.family("alerts", "gauge", "Alerts by status.");
    for (status, count) in
        [("open", counts.open), ("acknowledged", counts.acknowledged), ("closed", counts.closed)]
    {
        out.value("alerts", &[("status", status)], count);
    }
    out.one("alerts_silenced", "gauge", "Alerts that were raised in a silence.", counts.silenced);
    out.one("incidents_open", "gauge", "Incidents that are not closed.", counts.open_incidents);

    notifications(app, &mut out)?;

    out.family("http_requests_total", "counter", "Requests by route and status, since the start.");
    for ((path, status), count) in app.counters.answers() {
        out.value("http_requests_total", &[("route", path), ("status", &status.to_string())], count);
    }
    out.one(
        "http_refused_total",
        "counter",
        "Requests without a key that is known, since the start.",
        app.counters.refused.load(Relaxed),
    );
    out.one(
        "http_hurried_total",
        "counter",
        "Requests that came too fast for their keys (`rate_max`), since the start.",
        app.counters.hurried.load(Relaxed),
    );
    Ok(Answer::new(200, "text/plain; version=0.0.4; charset=utf-8", out.0))
}
