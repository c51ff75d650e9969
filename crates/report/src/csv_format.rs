//! Alerts for spreadsheets.

use std::borrow::Cow;
use std::io::{self, Write};

use crate::{Alert, when};

/// The columns: heading, and where the value comes from.
const COLUMNS: [&str; 17] = [
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
    "reason",
    "event_id",
    "detected_at",
    "alert_id",
];

pub(crate) fn write(out: &mut dyn Write, alerts: &[Alert<'_>]) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record(COLUMNS)?;
    for alert in alerts {
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
            text("kibana.alert.reason"),
            text("event.id"),
            text("@timestamp"),
            alert.id(),
        ];
        csv.write_record(row.iter().map(|cell| harmless(cell).into_owned()))?;
    }
    csv.flush()
}

/// A cell that a spreadsheet will not take for a formula: records are written by whoever attacks.
pub fn harmless(cell: &str) -> Cow<'_, str> {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        Cow::Owned(format!("'{cell}"))
    } else {
        Cow::Borrowed(cell)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_defused() {
        assert_eq!(harmless("=cmd|' /C calc'!A0"), "'=cmd|' /C calc'!A0");
        assert_eq!(harmless("role/ci"), "role/ci");
    }
}
