//! What it counts.

use super::Finding;
use super::finding::time;
use crate::check::REFERENCE;
use crate::{Rule, RuleKind};

pub(super) fn check(rule: &Rule, found: &mut Vec<Finding>) {
    let RuleKind::Threshold(threshold) = &rule.kind else { return };
    let source = &rule.source;
    let span = source.span(&["threshold"]);
    let at = |path: &[&str]| source.rule.at(path).map_or(span, |node| node.span);
    if let Some(cardinality) = &threshold.cardinality {
        let item = source.rule.at(&["threshold", "cardinality"]).and_then(|it| it.items().first());
        let place = |key: &str| item.and_then(|it| it.get(key)).map_or(span, |node| node.span);
        if threshold.fields.contains(&cardinality.field) {
            let field = cardinality.field.clone();
            found.push(Finding::CountedGroup { field, span: place("field") });
        } else if cardinality.value <= 1 {
            let (field, value) = (cardinality.field.clone(), cardinality.value);
            found.push(Finding::NoCardinality { field, value, span: place("value") });
        }
    }
    if threshold.value == 1 && threshold.fields.is_empty() && threshold.cardinality.is_none() {
        found.push(Finding::OneEvent { span: at(&["threshold", "value"]) });
    }
    let (window, interval) = (rule.window_ms(REFERENCE), rule.interval.millis());
    // What lies in one execution only because of its own range is counted in parts where two of them share it.
    if threshold.value > 1
        && rule.from.reads_clock()
        && rule.to.reads_clock()
        && interval < window
        && window < interval.saturating_mul(2)
    {
        let (window, interval) = (time(window), time(interval));
        found.push(Finding::CountedInParts { window, interval, span: source.span(&["from"]) });
    }
}
