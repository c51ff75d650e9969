//! The formats of alerts.

use std::io::{self, Write};

use ecs::Object;

use crate::alert::Line;
use crate::summary::summary;
use crate::timeline::Timeline;
use crate::{Alert, Summary, Terminal, csv_format, html, table};

/// How alerts are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// What a person wants to know first.
    Summary,
    /// One line an alert.
    Table,
    /// One alert document a line.
    Ndjson,
    /// One array of alert documents.
    Json,
    /// One line an alert, for spreadsheets.
    Csv,
    /// What happened, in order, grouped by day.
    Timeline,
    /// One self-contained page with alerts, evidence and guides.
    Html,
}

/// Prints alerts in the order they come in, which should be that of their events. One at a time: all of them may not
/// fit into memory.
pub fn write(
    out: &mut dyn Write,
    format: Format,
    alerts: &mut dyn Iterator<Item = Object>,
    about: &Summary<'_>,
    terminal: Terminal,
) -> io::Result<()> {
    match format {
        Format::Summary => {
            let lines: Vec<Line> = alerts.map(|alert| Line::new(Alert::new(&alert))).collect();
            out.write_all(summary(&lines, about, terminal).as_bytes())
        }
        Format::Table => {
            let lines: Vec<Line> = alerts.map(|alert| Line::new(Alert::new(&alert))).collect();
            out.write_all(table::alerts(&lines, terminal).as_bytes())
        }
        Format::Ndjson => {
            for alert in alerts {
                serde_json::to_writer(&mut *out, &alert)?;
                out.write_all(b"\n")?;
            }
            Ok(())
        }
        Format::Json => json(out, alerts),
        Format::Csv => csv_format::write(out, alerts),
        Format::Timeline => {
            let mut timeline = Timeline::new(terminal);
            for alert in alerts {
                out.write_all(timeline.alert(&Line::new(Alert::new(&alert))).as_bytes())?;
            }
            Ok(())
        }
        Format::Html => html::page(out, alerts, about),
    }
}

/// One array, pretty.
fn json(out: &mut dyn Write, alerts: &mut dyn Iterator<Item = Object>) -> io::Result<()> {
    out.write_all(b"[")?;
    for (at, alert) in alerts.enumerate() {
        out.write_all(if at == 0 { b"\n" } else { b",\n" })?;
        serde_json::to_writer_pretty(&mut *out, &alert)?;
    }
    out.write_all(b"\n]\n")
}
