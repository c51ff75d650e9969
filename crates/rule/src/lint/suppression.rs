//! Which alerts suppress one another.

use super::Finding;
use super::finding::time;
use crate::Rule;

pub(super) fn check(rule: &Rule, found: &mut Vec<Finding>) {
    let duration = rule.alert_suppression.as_ref().and_then(|it| it.duration.as_ref());
    let Some(duration) = duration.map(crate::Interval::millis) else { return };
    let interval = rule.interval.millis();
    if duration < interval {
        let span = rule.source.span(&["alert_suppression"]);
        let span = rule.source.rule.at(&["alert_suppression", "duration"]).map_or(span, |node| node.span);
        found.push(Finding::ShortWindow { duration: time(duration), interval: time(interval), span });
    }
}
