//! Alerts for spreadsheets.

use std::borrow::Cow;

use crate::format::in_memory;
use crate::table::is_invisible;
use crate::{Alert, when};

/// The columns: heading, and where the value comes from.
const COLUMNS: [&str; 20] = [
    "time",
    "severity",
    "risk_score",
    "rule",
    "rule_id",
    "tactics",
    "who",
    "source",
    "action",
    "outcome",
    "account",
    "region",
    "new_terms",
    "count",
    "grouped_by",
    "suppressed",
    "reason",
    "event_id",
    "detected_at",
    "alert_id",
];

/// The line of headings.
pub(crate) fn head() -> Vec<u8> {
    line(COLUMNS)
}

/// The line of an alert.
pub(crate) fn row(alert: Alert<'_>) -> Vec<u8> {
    let text = |path| alert.text(path).unwrap_or_default();
    let row: [Cow<'_, str>; COLUMNS.len()] = [
        alert.time().map(when).unwrap_or_default().into(),
        alert.severity(),
        text("kibana.alert.risk_score"),
        alert.rule_name(),
        alert.rule_id(),
        alert.tactics().join("; ").into(),
        alert.who().into(),
        alert.from_where().into(),
        alert.what().into(),
        alert.outcome(),
        text("cloud.account.id"),
        text("cloud.region"),
        text("kibana.alert.new_terms"),
        alert.count().map(|it| it.to_string()).unwrap_or_default().into(),
        alert.grouped_by().or_else(|| alert.alike()).unwrap_or_default().into(),
        alert.suppressed().map(|it| it.to_string()).unwrap_or_default().into(),
        text("kibana.alert.reason"),
        text("event.id"),
        text("@timestamp"),
        alert.id(),
    ];
    line(row.iter().map(|cell| harmless(cell).into_owned()))
}

/// One line of cells.
pub(crate) fn line(cells: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Vec<u8> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    in_memory(csv.write_record(cells));
    in_memory(csv.into_inner())
}

/// A cell that a spreadsheet will not take for a formula, nor a terminal for commands: records are written by
/// whoever attacks. Line breaks and tabs inside stay.
pub fn harmless(cell: &str) -> Cow<'_, str> {
    let steers = |it: char| it.is_control() && !matches!(it, '\n' | '\t') || is_invisible(it);
    let cell = if cell.contains(steers) {
        Cow::Owned(cell.replace(steers, "\u{fffd}"))
    } else {
        Cow::Borrowed(cell)
    };
    if cell.starts_with(['=', '+', '-', '@', '\t', '\n', '＝', '＋', '－', '＠']) {
        Cow::Owned(format!("'{cell}"))
    } else {
        cell
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_defused() {
        assert_eq!(harmless("=cmd|' /C calc'!A0"), "'=cmd|' /C calc'!A0");
        assert_eq!(harmless("-1+1"), "'-1+1");
        assert_eq!(harmless("\t=1"), "'\t=1");
        assert_eq!(harmless("\r=1\u{1b}[2J"), "\u{fffd}=1\u{fffd}[2J");
        assert_eq!(harmless("role/ci"), "role/ci");
        assert_eq!(harmless("two\nlines"), "two\nlines");
    }
}
