//! Notifications: receivers are told, each by a thread of its own, so that a slow one holds up nothing else.
//!
//! What is to be told is decided in the crate of that name. Here are sockets and secrets: nothing of a secret is logged, shown or
//! kept.

mod client;
mod mail;
mod pump;
mod sender;
mod socket;
mod watch;

use ecs::Millis;
use notify::{Filter, Gather, Outcome, Plan, Receiver, Route};
use tokio::runtime;

use crate::config::Config;
use crate::log::Log;

pub(crate) use mail::mailbox;
pub(crate) use pump::Notifier;
use sender::Sender;

/// Of what comes at once, so many messages go to people one by one.
const EACH_MAX: usize = 20;

/// Who is told of what, as it is configured.
pub(crate) fn plan(config: &Config, now: Millis) -> Plan {
    let receiver = |it: &crate::config::ReceiverConfig| Receiver {
        name: it.name.clone(),
        connectors: it.connectors.clone(),
        each_max: if it.kind.is_for_people() { EACH_MAX } else { usize::MAX },
        give_up: it.give_up_ms as Millis,
    };
    let route = |it: &crate::config::NotificationConfig| Route {
        name: it.name.clone(),
        receiver: it.receiver.clone(),
        on: it.on,
        severity: it.severity,
        // It was read when the configuration was.
        filter: (!it.query.trim().is_empty()).then(|| Filter::kql(&it.query, now).ok()).flatten(),
        gather: if it.is_summary { Gather::Summary } else { Gather::Each },
        throttle: it.throttle_ms as Millis,
        by: it.by.clone(),
        params: None,
        hours: None,
    };
    Plan {
        receivers: config.receivers.iter().map(receiver).collect(),
        routes: config.notifications.iter().map(route).collect(),
    }
}

/// What keeps receivers from being told, as far as it can be seen without telling them: secrets that are not there, certificates that
/// cannot be read. A name and what is wrong each.
pub fn check_receivers(config: &Config) -> Vec<(String, String)> {
    let wrong = |it: &crate::config::ReceiverConfig| {
        let why = Sender::new(it, "").and_then(|sender| sender.check()).err()?;
        Some((it.name.clone(), why))
    };
    config.receivers.iter().filter_map(wrong).collect()
}

/// Says in the log what keeps receivers from being told.
pub(crate) fn tell_faults(config: &Config, log: &Log) {
    for (name, why) in check_receivers(config) {
        log.error("SRV076", &format!("the receiver `{name}` cannot be told: {why}"), &[]);
    }
    if !config.receivers.is_empty() && !config.notifications.iter().any(|it| it.on.health) {
        let message =
            "nobody is told when detection itself is not well: no notification has \"health\" in its `on`";
        log.warn("SRV077", message, &[]);
    }
}

/// Sends a test to a receiver, and says what came of it.
///
/// # Errors
///
/// What is wrong with the receiver, or what it answered.
pub fn test_receiver(
    config: &Config,
    receiver: &str,
    now: Millis,
    version: &'static str,
) -> Result<String, String> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(|it| it.to_string())?;
    runtime.block_on(test(config, receiver, now, version))
}

/// Sends a test to a receiver, and says what it answered.
pub(crate) async fn test(
    config: &Config,
    receiver: &str,
    now: Millis,
    version: &'static str,
) -> Result<String, String> {
    let its = config.receivers.iter().find(|it| it.name == receiver);
    let its = its.ok_or_else(|| format!("no receiver is named `{receiver}`"))?;
    let sender = Sender::new(its, version)?;
    let (delivery, document) = notify::test_message(receiver, format!("test-{now}"), now);
    let message = notify::Message {
        delivery: &delivery,
        documents: vec![Some(document)],
        steps: Vec::new(),
        now,
        version,
    };
    let sent = sender.send(&message).await;
    match sent.outcome {
        Outcome::Delivered => Ok(sent.answer),
        Outcome::Refused { detail } | Outcome::Failed { detail, .. } => Err(detail),
    }
}
