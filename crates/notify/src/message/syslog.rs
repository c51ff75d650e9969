//! Syslog: RFC 5424.

use super::Message;
use crate::delivery::What;
use crate::words::harmless;

/// `LOG_AUTHPRIV`.
const FACILITY: u8 = 10;
/// The longest message: every receiver of RFC 5424 should take 2,048 bytes.
const BYTES_MAX: usize = 2_000;

/// How messages name where they are from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Syslog {
    /// The name of this machine.
    pub host: String,
}

/// The lines of a message: one for each that it tells of, without an end.
pub fn syslog(message: &Message<'_>, from: &Syslog) -> Vec<String> {
    let delivery = message.delivery;
    let name = |text: &str, most: usize| {
        let text: String = text.chars().filter(char::is_ascii_graphic).take(most).collect();
        if text.is_empty() { "-".to_owned() } else { text }
    };
    let host = name(&from.host, 255);
    let one = |item: &crate::Item| {
        let severity = match (delivery.what, item.severity.as_str()) {
            (What::Closed | What::Test, _) => 6,
            (What::Health, _) | (_, "high") => 3,
            (_, "critical") => 2,
            (_, "medium") => 4,
            (_, _) => 5,
        };
        let params = [
            ("message", delivery.id.as_str()),
            ("alert", item.alert.as_deref().unwrap_or_default()),
            ("rule", &item.rule_id),
            ("severity", &item.severity),
        ];
        let params = params
            .iter()
            .filter(|it| !it.1.is_empty())
            .fold(String::new(), |all, (name, value)| all + &format!(" {name}=\"{}\"", escaped(value)));
        let priority = FACILITY * 8 + severity;
        let time = ecs::date::to_iso(item.time);
        let what = delivery.what.as_str();
        // 32473 is the number of enterprises that examples have.
        let mut line = format!(
            "<{priority}>1 {time} {host} trailwarden - {what} [trailwarden@32473{params}] \u{feff}{}",
            harmless(&item.line)
        );
        if line.len() > BYTES_MAX {
            let end = (0..=BYTES_MAX).rev().find(|it| line.is_char_boundary(*it)).unwrap_or(0);
            line.truncate(end);
        }
        line
    };
    delivery.items.iter().map(one).collect()
}

/// The value of a parameter: `"`, `\` and `]` would end it.
fn escaped(text: &str) -> String {
    let text = super::shortened(&report::clean(text), 256);
    text.replace('\\', "\\\\").replace('"', "\\\"").replace(']', "\\]")
}
