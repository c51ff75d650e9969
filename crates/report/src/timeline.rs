//! What happened, in order.

use crate::table::{clean, clip};
use crate::words::stamp;
use crate::{Alert, Terminal};

/// Day by day, a line for each alert.
pub(crate) fn write(alerts: &[Alert<'_>], terminal: Terminal) -> String {
    let mut out = String::new();
    let mut day = String::new();
    for alert in alerts {
        let at = alert.time().unwrap_or_default();
        let today = stamp(at, "%A, %-d %B %Y");
        if today != day {
            if !day.is_empty() {
                out.push('\n');
            }
            out += &terminal.paint("1", &today);
            out.push('\n');
            day = today;
        }
        let severity = alert.severity();
        out += &format!(
            "  {}  {}  {}\n                      {} did {} from {}: {}\n",
            stamp(at, "%H:%M:%S"),
            terminal.paint(colour(&severity), &format!("{severity:<8}")),
            clean(&alert.rule_name()),
            clip(&clean(&alert.who())),
            clip(&clean(&alert.what())),
            clip(&clean(&alert.from_where())),
            clip(&clean(&alert.outcome())),
        );
        if let Some(terms) = alert.text("kibana.alert.new_terms") {
            out += &format!("                      first time: {}\n", clip(&clean(&terms)));
        }
    }
    out
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
