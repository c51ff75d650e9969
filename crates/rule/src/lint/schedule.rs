//! When it runs and what time it reads.

use super::Finding;
use super::finding::time;
use crate::check::REFERENCE;
use crate::{Rule, RuleKind, Severity};

/// The framework writes no more alerts an execution than this.
const MAX_ALERTS_A_RUN: u32 = 1_000;

/// The public repository's rule for building blocks: they look back further than they run often, because what
/// they feed does.
const BLOCK_WINDOW_MS: i64 = 119 * 60_000;
const BLOCK_INTERVAL_MS: i64 = 60 * 60_000;

/// A history shorter than this beyond the searched time is probably a slip.
const SHORT_HISTORY_MS: i64 = 60 * 60_000;

pub(super) fn check(rule: &Rule, found: &mut Vec<Finding>) {
    let source = &rule.source;
    let from = source.span(&["from"]);
    let window = rule.window_ms(REFERENCE);
    let (interval, interval_span) =
        (rule.interval.millis(), source.rule.at(&["interval"]).map(|node| node.span));
    if window <= 0 {
        found.push(Finding::NoTime { from: rule.from.to_string(), to: rule.to.to_string(), span: from });
    } else if !is_relative(rule) {
        // A fixed range is searched again and again: there is nothing to miss.
    } else if window < interval {
        found.push(Finding::Gap {
            interval: time(interval),
            window: time(window),
            gap: time(interval - window),
            span: from,
            interval_span: interval_span.filter(|span| *span != from),
        });
    } else if window == interval {
        found.push(Finding::NoOverlap { interval: time(interval), span: from });
    }
    if rule.building_block_type.is_some() {
        if window < BLOCK_WINDOW_MS {
            let (wanted, found_window) = ("119m".to_owned(), time(window));
            found.push(Finding::BlockWindow { wanted, found: found_window, span: from });
        }
        if interval < BLOCK_INTERVAL_MS {
            let span = interval_span.unwrap_or(from);
            found.push(Finding::BlockInterval { wanted: "60m".to_owned(), found: time(interval), span });
        }
    }
    if matches!(rule.kind, RuleKind::NewTerms(_))
        && let history = rule.reach_ms(REFERENCE) - window - (REFERENCE - rule.to.millis_at(REFERENCE))
        && history < SHORT_HISTORY_MS
        && window > 0
    {
        let span = source.span(&["history_window_start"]);
        found.push(Finding::ShortHistory { history: time(history.max(0)), span });
    }
    if let Some(maxspan) = maxspan(rule)
        && maxspan > window
        && window > 0
    {
        let span = source.span(&["query"]);
        found.push(Finding::LongSpan { maxspan: time(maxspan), window: time(window), span });
    }
    if rule.max_signals > MAX_ALERTS_A_RUN {
        found.push(Finding::TooManySignals {
            max_signals: rule.max_signals,
            limit: MAX_ALERTS_A_RUN,
            span: source.span(&["max_signals"]),
        });
    }
    let (band, usual) = (band(rule.risk_score), usual(rule.severity));
    if band != rule.severity {
        found.push(Finding::SeverityBand {
            severity: rule.severity.as_str(),
            risk_score: rule.risk_score,
            band: band.as_str(),
            usual,
            span: source.span(&["risk_score"]),
        });
    }
}

/// How long a sequence of the rule may take.
fn maxspan(rule: &Rule) -> Option<i64> {
    let ast = matches!(rule.kind, RuleKind::Eql { .. }).then(|| eql::parse(&rule.query).ok())??;
    match ast.query {
        eql::ast::Query::Sequence(it) => it.maxspan,
        eql::ast::Query::Event(_) | eql::ast::Query::Sample(_) => None,
    }
}

fn is_relative(rule: &Rule) -> bool {
    rule.from.reads_clock() && rule.to.reads_clock()
}

/// The severity that goes with a risk score.
const fn band(risk_score: u8) -> Severity {
    match risk_score {
        0..=21 => Severity::Low,
        22..=47 => Severity::Medium,
        48..=73 => Severity::High,
        _ => Severity::Critical,
    }
}

/// The risk score that goes with a severity.
const fn usual(severity: Severity) -> u8 {
    match severity {
        Severity::Low => 21,
        Severity::Medium => 47,
        Severity::High => 73,
        Severity::Critical => 99,
    }
}
