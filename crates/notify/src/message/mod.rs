//! What receivers are told: the body of a message in the format of each.

mod context;
mod elastic;
mod otlp;
mod pagerduty;
mod slack;
mod syslog;
mod teams;
mod text;
mod webhook;

use ecs::{Millis, Object};
use serde_json::Value;

use crate::delivery::{Delivery, Item, What};
use crate::template::{Escape, Template};
use crate::words::{self, Telling, quoted, shortened};

pub use context::context;
pub use elastic::{IndexAnswer, index, index_answer};
pub use otlp::otlp;
pub use pagerduty::pagerduty;
pub use slack::slack;
pub use syslog::{Syslog, syslog};
pub use teams::teams;
pub use text::{Mail, mail};
pub use webhook::{signature, webhook};

/// Of several alerts so many are told in a line each; the others are counted.
const LINES_MAX: usize = 20;

/// A message, and what is known of what it tells.
#[derive(Clone, Debug)]
pub struct Message<'a> {
    /// The message.
    pub delivery: &'a Delivery,
    /// The document of each of its items, if that is there.
    pub documents: Vec<Option<Object>>,
    /// The first step of the guide of a rule, by its `rule_id`.
    pub steps: Vec<(String, String)>,
    /// The time of sending.
    pub now: Millis,
    /// The version of the engine.
    pub version: &'a str,
}

impl Message<'_> {
    /// The title: what it is, in a line.
    pub(crate) fn title(&self) -> String {
        let items = &self.delivery.items;
        let count = items.len() as u64;
        let one = items.first().filter(|_| count == 1);
        let rule = |it: &Item| quoted(&it.rule);
        let severity = |it: &Item| it.severity.to_uppercase();
        match (self.delivery.what, one) {
            (What::Alert | What::Summary, Some(it)) => format!("[{}] {}", severity(it), rule(it)),
            (What::Suppressed, Some(it)) => format!("[{}] still going on: {}", severity(it), rule(it)),
            (What::Closed, Some(it)) => format!("closed: {}", rule(it)),
            (What::Health, Some(it)) => {
                shortened(&format!("Trailwarden: {}", words::harmless(&it.line)), 150)
            }
            (What::Test, _) => "Trailwarden: a test, no alert".to_owned(),
            (What::Alert | What::Summary, None) => {
                let worst = self.worst().map_or_else(String::new, str::to_uppercase);
                format!("[{worst}] {}", report::plural(count, "alert", "alerts"))
            }
            (What::Suppressed, None) => {
                format!("{} still going on", report::plural(count, "alert", "alerts"))
            }
            (What::Closed, None) => report::plural(count, "alert was closed", "alerts were closed"),
            (What::Health, None) => format!("Trailwarden: {}", report::plural(count, "message", "messages")),
        }
    }

    /// The highest severity of what it tells.
    pub(crate) fn worst(&self) -> Option<&'static str> {
        let severities = self.delivery.items.iter().filter_map(|it| rule::Severity::from_name(&it.severity));
        severities.max().map(rule::Severity::as_str)
    }

    /// What is told of its one alert; nothing if there are several, or none.
    pub(crate) fn telling(&self) -> Option<Telling> {
        let [item] = self.delivery.items.as_slice() else { return None };
        if self.delivery.what == What::Health {
            return None;
        }
        let step = self.steps.iter().find(|it| it.0 == item.rule_id).map(|it| it.1.as_str());
        match self.documents.first().and_then(Option::as_ref) {
            Some(document) => Some(Telling::of(document, self.now, step)),
            None => Some(Telling {
                rule: quoted(&item.rule),
                severity: quoted(&item.severity),
                time: ecs::date::to_iso(item.time),
                facts: vec![("What", words::harmless(&item.line))],
                link: None,
                step: step.map(quoted),
                id: quoted(item.alert.as_deref().unwrap_or_default()),
            }),
        }
    }

    /// A line for each of several, the most severe first; and how many are left out. Each goes with its link.
    pub(crate) fn lines(&self) -> (Vec<(String, Option<String>)>, usize) {
        let items = &self.delivery.items;
        let mut order: Vec<usize> = (0..items.len()).collect();
        // Stable: of equal ones the first.
        order.sort_by_key(|it| std::cmp::Reverse(rule::Severity::from_name(&items[*it].severity)));
        let line = |at: &usize| {
            let item = &items[*at];
            let time = ecs::date::to_iso(item.time);
            let text = words::harmless(&item.line);
            let text = if item.alert.is_none() {
                format!("{time} {text}")
            } else {
                format!("{} {time} {text}", quoted(&item.severity))
            };
            (text, self.documents.get(*at).and_then(Option::as_ref).and_then(words::link))
        };
        let lines: Vec<_> = order.iter().take(LINES_MAX).map(line).collect();
        let left = items.len() - lines.len();
        (lines, left)
    }

    /// How many of which rule, the most first.
    pub(crate) fn by_rule(&self) -> Vec<(String, u64)> {
        let mut counts: Vec<(String, u64)> = Vec::new();
        for item in self.delivery.items.iter().filter(|it| it.alert.is_some()) {
            match counts.iter_mut().find(|it| it.0 == item.rule) {
                Some(known) => known.1 += 1,
                None => counts.push((item.rule.clone(), 1)),
            }
        }
        counts.sort_by_key(|it| std::cmp::Reverse(it.1));
        counts.truncate(LINES_MAX);
        counts.into_iter().map(|(rule, count)| (quoted(&rule), count)).collect()
    }

    /// All of it as plain text, in lines.
    pub(crate) fn plain(&self) -> String {
        let mut text = self.title() + "\n\n";
        if let Some(telling) = self.telling() {
            for (name, value) in &telling.facts {
                text += &format!("{:9}{value}\n", format!("{name}:"));
            }
            text += &format!("When:    {}\nAlert:   {}\n", telling.time, telling.id);
            if let Some(step) = &telling.step {
                text += &format!("\nFirst step: {step}\n");
            }
            if let Some(link) = &telling.link {
                text += &format!("\n{link}\n");
            }
            return text;
        }
        let rules = self.by_rule();
        if rules.len() > 1 {
            for (rule, count) in rules {
                text += &format!("{count:>6}  {rule}\n");
            }
            text += "\n";
        }
        let (lines, left) = self.lines();
        for (line, link) in lines {
            text += &format!("* {line}\n");
            text.extend(link.map(|it| format!("  {it}\n")));
        }
        if left > 0 {
            text += &format!("… and {left} more\n");
        }
        text
    }

    /// A member of a rule's action, with its templates filled in: nothing if there is none, or if it cannot be read.
    pub(crate) fn param(&self, name: &str, escape: Escape) -> Option<String> {
        let text = self.delivery.params.as_ref()?.get("params")?.get(name)?.as_str()?;
        let template = Template::parse(text).ok()?;
        let text = template.render(&context(self), escape);
        (!text.trim().is_empty()).then_some(text)
    }
}

/// An alert that is none, to see whether a receiver is told.
pub fn test_message(receiver: &str, id: String, now: Millis) -> (Delivery, Object) {
    let document = serde_json::json!({
        "@timestamp": ecs::date::to_iso(now),
        "kibana.alert.uuid": id,
        "kibana.alert.severity": "low",
        "kibana.alert.risk_score": 1,
        "kibana.alert.reason": "a test of notifications, no alert",
        "kibana.alert.rule.rule_id": "trailwarden-test",
        "kibana.alert.rule.name": "A test, no alert",
        "kibana.alert.rule.note": "## Triage\n- Nothing is to be done: somebody tests this receiver.",
        "event": {"action": "TestNotification", "provider": "trailwarden", "outcome": "success"},
        "user": {"name": "nobody"},
        "source": {"ip": "203.0.113.1"},
    });
    let Value::Object(document) = document else { unreachable!("it is an object") };
    let item = Item {
        alert: Some(id.clone()),
        rule_id: "trailwarden-test".to_owned(),
        rule: "A test, no alert".to_owned(),
        severity: "low".to_owned(),
        time: now,
        line: words::line(&document),
    };
    let delivery = Delivery {
        number: 0,
        id,
        receiver: receiver.to_owned(),
        route: "test".to_owned(),
        what: What::Test,
        params: None,
        made: now,
        attempts: 0,
        error: None,
        items: vec![item],
    };
    (delivery, document)
}
