//! What happened, in order.

use crate::Terminal;
use crate::alert::Line;
use crate::table::{clean, clip};
use crate::words::stamp;

/// Day by day, some lines for each alert, one alert after the other.
pub(crate) struct Timeline {
    terminal: Terminal,
    day: String,
}

impl Timeline {
    pub(crate) fn new(terminal: Terminal) -> Self {
        Self { terminal, day: String::new() }
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
        if let Some(counted) = &alert.counted {
            out += &format!("                      counted: {}\n", clip(&clean(counted)));
            out += &stands_for(alert);
            return out;
        }
        out += &format!(
            "                      {} did {} from {}: {}\n",
            clip(&clean(&alert.who)),
            clip(&clean(&alert.what)),
            clip(&clean(&alert.from)),
            clip(&clean(&alert.outcome)),
        );
        if let Some(terms) = &alert.new_terms {
            out += &format!("                      first time: {}\n", clip(&clean(terms)));
        }
        out += &stands_for(alert);
        out
    }
}

fn stands_for(alert: &Line) -> String {
    let line = |it: &String| format!("                      {}\n", clip(&clean(it)));
    alert.stands_for.as_ref().map(line).unwrap_or_default()
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
