//! What a person wants to know first.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use ecs::Millis;
use rule::{GuideLanguage, Rule, Severity};

use crate::alert::Line;
use crate::lines::{Ids, facts, packed, stands_on, width};
use crate::table::{clean, grid};
use crate::timeline::colour;
use crate::words::stamp;
use crate::{Cell, Terminal, bytes, count, plural, when};

/// Alerts shown one by one; the rest is only counted.
const SHOWN: usize = 24;
/// Alerts of one rule that are shown at most.
const SHOWN_OF_RULE: usize = 4;
/// Alerts named that another stands on.
const STANDS_ON_SHOWN: usize = 3;
/// Columns of the small time line.
const TIMELINE_COLUMNS: u64 = 60;
/// Shorter runs say nothing about speed.
const RATE_FROM_MS: u64 = 1000;
/// Rules that are shown with alerts; the rest is only counted.
const RULES_SHOWN: usize = 16;

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
    /// What could not have been seen, in one line.
    pub completeness: Option<Remark>,
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
        out += &by_rule(alerts, terminal);
        out += &tactics(alerts, terminal);
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
    // Alerts that are kept come of no hunt: nothing was read for them now.
    if about.rules.is_empty() && it.files == 0 && it.executions == 0 {
        return out;
    }
    out += &format!(
        "{} in {} ({} of text)\n",
        plural(it.records, "record", "records"),
        plural(it.files, "file", "files"),
        bytes(it.bytes_text),
    );
    if let (Some(first), Some(last)) = (it.first, it.last) {
        out += &format!("{} to {} UTC\n", when(first), when(last));
    }
    out += &format!(
        "{}, {}",
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

/// The alerts by rule, the most severe rules first: no rule pushes another off the screen, however loud it is.
fn by_rule(alerts: &[Line], terminal: Terminal) -> String {
    let rank = |severity: &str| Severity::ALL.iter().position(|it| it.as_str() == severity);
    let mut rules: BTreeMap<(&str, &str), Vec<&Line>> = BTreeMap::new();
    for alert in alerts {
        rules.entry((alert.rule.as_str(), alert.severity.as_str())).or_default().push(alert);
    }
    let mut rules: Vec<_> = rules.into_iter().collect();
    rules.sort_by_key(|((_, severity), its)| (Reverse(rank(severity)), Reverse(its.len())));
    let ids = Ids::of(alerts);
    let each = (SHOWN / rules.len().clamp(1, RULES_SHOWN)).clamp(1, SHOWN_OF_RULE);
    let mut out = String::new();
    for ((rule, severity), its) in rules.iter().take(RULES_SHOWN) {
        let number = plural(its.len() as u64, "alert", "alerts");
        let head = format!("{} ({number})", clean(rule));
        for (at, line) in packed(&[head], width(terminal) - INDENT).into_iter().enumerate() {
            let severity = if at == 0 {
                terminal.paint(colour(severity), &format!("{severity:<8}"))
            } else {
                " ".repeat(8)
            };
            out += &format!("{severity}  {}\n", terminal.paint("1", &line));
        }
        for alert in its.iter().take(each) {
            out += &one(alert, &ids, terminal);
        }
        let more = its.len().saturating_sub(each);
        if more > 0 {
            out += &format!("{}… and {} more\n", " ".repeat(INDENT), count(more as u64));
        }
    }
    if rules.len() > RULES_SHOWN {
        let its: usize = rules[RULES_SHOWN..].iter().map(|(_, its)| its.len()).sum();
        out += &format!(
            "… and {} of {}, none more severe\n",
            plural(its as u64, "alert", "alerts"),
            plural((rules.len() - RULES_SHOWN) as u64, "other rule", "other rules")
        );
    }
    if its_are_left(&rules, each) {
        out += "--format table shows all; --format html -o report.html tells the whole story.\n";
    }
    out
}

/// Whether an alert is only counted.
fn its_are_left(rules: &[((&str, &str), Vec<&Line>)], each: usize) -> bool {
    rules.len() > RULES_SHOWN || rules.iter().any(|(_, its)| its.len() > each)
}

/// Where what is said of a rule begins.
const INDENT: usize = 10;

/// An alert: when, what happened.
fn one(alert: &Line, ids: &Ids, terminal: Terminal) -> String {
    let time = alert.time.map_or_else(|| " ".repeat(19), when);
    let indent = INDENT + time.len() + 2;
    let mut out = String::new();
    for (at, line) in packed(&facts(alert, ids), width(terminal) - indent).into_iter().enumerate() {
        let lead = if at == 0 { format!("{}{time}  ", " ".repeat(INDENT)) } else { " ".repeat(indent) };
        out += &format!("{lead}{}\n", terminal.paint("2", &line));
    }
    for fact in stands_on(alert, STANDS_ON_SHOWN) {
        for line in packed(&[fact], width(terminal) - indent) {
            out += &format!("{}{}\n", " ".repeat(indent), terminal.paint("2", &line));
        }
    }
    out
}

/// How many alerts are of each tactic.
fn tactics(alerts: &[Line], terminal: Terminal) -> String {
    let mut tactics: BTreeMap<&str, u64> = BTreeMap::new();
    for tactic in alerts.iter().flat_map(|alert| &alert.tactics) {
        *tactics.entry(tactic).or_default() += 1;
    }
    if tactics.is_empty() {
        return String::new();
    }
    let mut tactics: Vec<_> = tactics.into_iter().collect();
    tactics.sort_by_key(|(_, number)| Reverse(*number));
    let rows = tactics.into_iter().map(|(name, number)| vec![Cell::number(count(number)), name.into()]);
    format!("\n{}", grid(&["Alerts", "Tactic"], rows, terminal))
}

fn notices(about: &Summary<'_>, terminal: Terminal) -> String {
    let mut out = String::new();
    for notice in about.notices.iter().chain(&about.completeness) {
        let (code, word) = if notice.severe { ("33;1", "warning") } else { ("36", "note") };
        let lines = notice.text.lines().map(clean);
        // Only a terminal has an edge.
        let lines: Vec<String> = match terminal.width {
            Some(_) => lines.flat_map(|it| packed(&[it], width(terminal) - 10)).collect(),
            None => lines.collect(),
        };
        let text = lines.join("\n    ");
        out += &format!("{}: {text}\n", terminal.paint(code, word));
    }
    if out.is_empty() { out } else { format!("\n{out}") }
}
