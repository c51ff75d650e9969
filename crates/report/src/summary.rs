//! What a person wants to know first.

use std::collections::BTreeMap;

use ecs::Millis;
use rule::{GuideLanguage, Rule, Severity};

use crate::alert::Line;
use crate::table::{clean, clip, grid};
use crate::timeline::colour;
use crate::words::stamp;
use crate::{Cell, Terminal, bytes, count, plural, when};

/// Alerts shown one by one before the rest is only counted.
const SHOWN: usize = 40;
/// Columns of the small time line.
const TIMELINE_COLUMNS: u64 = 60;
/// Shorter runs say nothing about speed.
const RATE_FROM_MS: u64 = 1000;
/// Rules named in the counts.
const RULES_SHOWN: usize = 15;

/// What was read and run, to go with the alerts.
#[derive(Debug)]
pub struct Summary<'a> {
    /// The rules that ran.
    pub rules: Vec<&'a Rule>,
    /// The language of their texts.
    pub language: GuideLanguage,
    /// What was read.
    pub coverage: Coverage,
    /// What was skipped, and what else the reader must know.
    pub notices: Vec<Remark>,
}

/// What was read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Coverage {
    /// Files read.
    pub files: u64,
    /// Records in them.
    pub records: u64,
    /// Bytes of the files.
    pub bytes_read: u64,
    /// Bytes of text in them.
    pub bytes_text: u64,
    /// The first event's time.
    pub first: Option<Millis>,
    /// The last event's time.
    pub last: Option<Millis>,
    /// Alerts, of query rules events, that were suppressed in favour of others.
    pub suppressed: u64,
    /// Executions of rules, those without news included.
    pub executions: u64,
    /// How long it took.
    pub elapsed_ms: u64,
}

/// Something the reader must know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// Whether it may have cost alerts.
    pub severe: bool,
    /// What, where, what to do.
    pub text: String,
}

/// Prints what a person wants to know first.
pub(crate) fn summary(alerts: &[Line], about: &Summary<'_>, terminal: Terminal) -> String {
    let mut out = String::new();
    out += &headline(alerts, about, terminal);
    if !alerts.is_empty() {
        out.push('\n');
        out += &small_timeline(alerts, about, terminal);
        out.push('\n');
        for alert in most_severe(alerts) {
            out += &two_lines(alert, terminal);
        }
        if alerts.len() > SHOWN {
            out += &format!(
                "These are the {SHOWN} most severe; --format table shows all {}, --format html -o report.html with their evidence.\n",
                count(alerts.len() as u64)
            );
        }
        out.push('\n');
        out += &counts(alerts, terminal);
    }
    out += &notices(about, terminal);
    out
}

fn headline(alerts: &[Line], about: &Summary<'_>, terminal: Terminal) -> String {
    let it = &about.coverage;
    let mut out = String::new();
    let by_severity: Vec<String> = ["critical", "high", "medium", "low"]
        .into_iter()
        .filter_map(|severity| {
            let number = alerts.iter().filter(|alert| alert.severity == severity).count();
            (number > 0)
                .then(|| terminal.paint(colour(severity), &format!("{} {severity}", count(number as u64))))
        })
        .collect();
    let number = terminal.paint("1", &plural(alerts.len() as u64, "alert", "alerts"));
    let number = match it.suppressed {
        0 => number,
        suppressed => format!("{number} ({} suppressed)", count(suppressed)),
    };
    out += &if by_severity.is_empty() {
        format!("{number}\n")
    } else {
        format!("{number}: {}\n", by_severity.join(", "))
    };
    out += &format!(
        "{} in {} ({} of text)",
        plural(it.records, "record", "records"),
        plural(it.files, "file", "files"),
        bytes(it.bytes_text),
    );
    if let (Some(first), Some(last)) = (it.first, it.last) {
        out += &format!(", {} to {} UTC", when(first), when(last));
    }
    out += &format!(
        "; {}, {}",
        plural(about.rules.len() as u64, "rule", "rules"),
        plural(it.executions, "execution", "executions")
    );
    if it.elapsed_ms > 0 {
        let seconds = it.elapsed_ms as f64 / 1000.0;
        out += &format!("; {seconds:.1} s");
        if it.elapsed_ms >= RATE_FROM_MS {
            out += &format!(", {} records/s", count((it.records as f64 / seconds) as u64));
        }
    }
    out.push('\n');
    out
}

/// A row of bars for each severity that occurs, over the time of the data.
fn small_timeline(alerts: &[Line], about: &Summary<'_>, terminal: Terminal) -> String {
    let times = || alerts.iter().filter_map(|alert| alert.time);
    let first = about.coverage.first.into_iter().chain(times()).min();
    let last = about.coverage.last.into_iter().chain(times()).max();
    let (Some(first), Some(last)) = (first, last) else { return String::new() };
    let columns = terminal
        .width
        .map_or(TIMELINE_COLUMNS, |width| TIMELINE_COLUMNS.min(u64::from(width.saturating_sub(12)).max(10)));
    let step = (last.abs_diff(first) / columns + 1).max(1);
    let mut out = String::new();
    for severity in ["critical", "high", "medium", "low"] {
        let mut bars = vec![0_usize; columns as usize];
        for alert in alerts.iter().filter(|alert| alert.severity == severity) {
            if let Some(at) = alert.time {
                bars[((at.abs_diff(first) / step) as usize).min(columns as usize - 1)] += 1;
            }
        }
        let Some(&highest) = bars.iter().max().filter(|&&highest| highest > 0) else { continue };
        let line: String = bars.iter().map(|&number| bar(number, highest)).collect();
        out += &format!("{severity:>8}  {}\n", terminal.paint(colour(severity), &line));
    }
    let pattern = if last.abs_diff(first) > 3 * 24 * 3_600_000 { "%Y-%m-%d" } else { "%Y-%m-%d %H:%M" };
    let (left, right) = (stamp(first, pattern), stamp(last, pattern));
    let gap = (columns as usize).saturating_sub(left.len() + right.len()).max(1);
    out += &format!("          {left}{}{right}\n", " ".repeat(gap));
    out
}

fn bar(number: usize, highest: usize) -> char {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    if number == 0 { '·' } else { BARS[(number * BARS.len()).div_ceil(highest).clamp(1, BARS.len()) - 1] }
}

/// The alerts shown one by one, in order of time.
fn most_severe(alerts: &[Line]) -> Vec<&Line> {
    let rank = |alert: &Line| Severity::ALL.iter().position(|it| it.as_str() == alert.severity);
    let mut chosen: Vec<(usize, &Line)> = alerts.iter().enumerate().collect();
    chosen.sort_by_key(|(at, alert)| (std::cmp::Reverse(rank(alert)), *at));
    chosen.truncate(SHOWN);
    chosen.sort_by_key(|(at, _)| *at);
    chosen.into_iter().map(|(_, alert)| alert).collect()
}

/// An alert: when, how bad, which rule; below that what happened.
fn two_lines(alert: &Line, terminal: Terminal) -> String {
    let severity = &alert.severity;
    let facts = [&alert.what, &alert.who, &alert.from, &alert.outcome];
    let mut facts: Vec<String> =
        facts.iter().filter(|fact| !fact.is_empty()).map(|fact| clip(&clean(fact))).collect();
    facts.extend(alert.stands_for.as_ref().map(|it| clip(&clean(it))));
    format!(
        "{}  {}  {}\n                               {}\n",
        alert.time.map_or_else(|| " ".repeat(19), when),
        terminal.paint(colour(severity), &format!("{severity:<8}")),
        terminal.paint("1", &clean(&alert.rule)),
        terminal.paint("2", &facts.join(" · ")),
    )
}

fn counts(alerts: &[Line], terminal: Terminal) -> String {
    let mut rules: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    let mut tactics: BTreeMap<&str, u64> = BTreeMap::new();
    for alert in alerts {
        *rules.entry((alert.rule.as_str(), alert.severity.as_str())).or_default() += 1;
        for tactic in &alert.tactics {
            *tactics.entry(tactic).or_default() += 1;
        }
    }
    let mut rules: Vec<_> = rules.into_iter().collect();
    rules.sort_by_key(|(_, number)| std::cmp::Reverse(*number));
    let more = rules.len().saturating_sub(RULES_SHOWN);
    let rows = rules.into_iter().take(RULES_SHOWN).map(|((name, severity), number)| {
        vec![Cell::number(count(number)), Cell::severity(severity), name.into()]
    });
    let mut out = grid(&["Alerts", "Severity", "Rule"], rows, terminal);
    if more > 0 {
        out += &format!("… and {}\n", plural(more as u64, "more rule", "more rules"));
    }
    if !tactics.is_empty() {
        out.push('\n');
        let mut tactics: Vec<_> = tactics.into_iter().collect();
        tactics.sort_by_key(|(_, number)| std::cmp::Reverse(*number));
        let rows = tactics.into_iter().map(|(name, number)| vec![Cell::number(count(number)), name.into()]);
        out += &grid(&["Alerts", "Tactic"], rows, terminal);
    }
    out
}

fn notices(about: &Summary<'_>, terminal: Terminal) -> String {
    let mut out = String::new();
    for notice in &about.notices {
        let (code, word) = if notice.severe { ("33;1", "warning") } else { ("36", "note") };
        let text = notice.text.lines().map(clean).collect::<Vec<_>>().join("\n    ");
        out += &format!("{}: {text}\n", terminal.paint(code, word));
    }
    if out.is_empty() { out } else { format!("\n{out}") }
}
