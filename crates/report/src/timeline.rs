//! What happened, in order.

use crate::Terminal;
use crate::alert::Line;
use crate::lines::{Ids, facts, packed, stands_on, width};
use crate::table::{clean, clip};
use crate::words::stamp;

/// Day by day, some lines for each alert, one alert after the other.
pub(crate) struct Timeline {
    terminal: Terminal,
    day: String,
    ids: Ids,
}

/// Where the facts of an alert begin.
const INDENT: usize = 22;

impl Timeline {
    pub(crate) fn new(terminal: Terminal, ids: Ids) -> Self {
        Self { terminal, day: String::new(), ids }
    }

    /// The lines of the next alert, with the day if it is a new one.
    pub(crate) fn alert(&mut self, alert: &Line) -> String {
        let mut out = String::new();
        let at = alert.time.unwrap_or_default();
        let today = stamp(at, "%A, %-d %B %Y");
        if today != self.day {
            if !self.day.is_empty() {
                out.push('\n');
            }
            out += &self.terminal.paint("1", &today);
            out.push('\n');
            self.day = today;
        }
        let severity = &alert.severity;
        out += &format!(
            "  {}  {}  {}\n",
            stamp(at, "%H:%M:%S"),
            self.terminal.paint(colour(severity), &format!("{severity:<8}")),
            clean(&alert.rule),
        );
        let mut facts = facts(alert, &self.ids);
        if alert.counted.is_some() {
            facts.insert(0, "counted".to_owned());
        }
        if let Some(terms) = &alert.new_terms {
            let at = facts.len().saturating_sub(1);
            facts.insert(at, format!("first time: {}", clip(&clean(terms))));
        }
        for line in packed(&facts, width(self.terminal) - INDENT) {
            out += &format!("{}{line}\n", " ".repeat(INDENT));
        }
        for fact in stands_on(alert, usize::MAX - 1) {
            for line in packed(&[fact], width(self.terminal) - INDENT) {
                out += &format!("{}{line}\n", " ".repeat(INDENT));
            }
        }
        out
    }
}

/// The ANSI code of a severity.
pub(crate) fn colour(severity: &str) -> &'static str {
    match severity {
        "critical" => "35;1",
        "high" => "31",
        "medium" => "33",
        "low" => "36",
        _ => "0",
    }
}
