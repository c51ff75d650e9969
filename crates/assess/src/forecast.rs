//! How loud rules would be.

use std::collections::BTreeMap;
use std::sync::Arc;

use ecs::Millis;
use hunt::Found;
use rule::Rule;

use crate::alert::{AlertLine, lines};

/// A day.
const DAY: Millis = 86_400_000;
/// Identities that are named of a rule.
const IDENTITIES: usize = 3;

/// What the rules would have raised.
#[derive(Clone, Debug)]
pub struct Forecast {
    /// The days between the first and the last event, at least a part of one.
    pub days: f64,
    /// All alerts.
    pub alerts: u64,
    /// Each rule that ran, the loudest first.
    pub rules: Vec<RuleForecast>,
}

/// What one rule would have raised.
#[derive(Clone, Debug)]
pub struct RuleForecast {
    /// The rule.
    pub rule: Arc<Rule>,
    /// Its alerts.
    pub alerts: u64,
    /// Alerts, of a query rule events, that were suppressed in favour of these.
    pub suppressed: u64,
    /// As many a day on average.
    pub per_day: f64,
    /// The day with most alerts (its first millisecond, UTC), and how many.
    pub busiest: Option<(Millis, u64)>,
    /// Who the alerts are about, the most frequent first, and how often; at most three.
    pub identities: Vec<(String, u64)>,
    /// How many others there are.
    pub more_identities: usize,
    /// Events that satisfied its filter.
    pub matched: u64,
    /// Executions that were cut off at `max_signals`.
    pub truncated: u64,
    /// The limit.
    pub max_signals: u32,
}

/// Counts the alerts of a hunt.
pub fn forecast(found: &Found) -> Forecast {
    let alerts = lines(found);
    let days = found.read.span.map_or(0.0, |(first, last)| (last - first) as f64 / DAY as f64);
    // Whatever lies within a day is that day's.
    let days = days.max(1.0);
    let mut by_rule: BTreeMap<&str, Vec<&AlertLine>> = BTreeMap::new();
    for alert in &alerts {
        by_rule.entry(&alert.rule_id).or_default().push(alert);
    }
    let mut rules: Vec<RuleForecast> = found
        .rules
        .iter()
        .map(|ran| {
            let its = by_rule.get(ran.rule.rule_id.as_str()).map_or(&[][..], Vec::as_slice);
            let (mut by_day, mut by_identity) = (BTreeMap::new(), BTreeMap::new());
            for alert in its {
                if let Some(time) = alert.time {
                    *by_day.entry(time.div_euclid(DAY) * DAY).or_insert(0_u64) += 1;
                }
                if !alert.who.is_empty() {
                    *by_identity.entry(alert.who.as_str()).or_insert(0_u64) += 1;
                }
            }
            let mut identities: Vec<(String, u64)> =
                by_identity.into_iter().map(|(who, count)| (who.to_owned(), count)).collect();
            identities.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
            let more_identities = identities.len().saturating_sub(IDENTITIES);
            identities.truncate(IDENTITIES);
            RuleForecast {
                rule: Arc::clone(&ran.rule),
                alerts: its.len() as u64,
                suppressed: ran.outcome.metrics.suppressed,
                per_day: its.len() as f64 / days,
                // Of several the first.
                busiest: by_day.into_iter().rev().max_by_key(|(_, count)| *count),
                identities,
                more_identities,
                matched: ran.outcome.metrics.matched,
                truncated: ran.outcome.metrics.truncated,
                max_signals: ran.max_signals,
            }
        })
        .collect();
    rules.sort_by(|a, b| b.alerts.cmp(&a.alerts).then_with(|| a.rule.name.cmp(&b.rule.name)));
    Forecast { days, alerts: alerts.len() as u64, rules }
}
