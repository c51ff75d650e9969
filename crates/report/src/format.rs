//! The formats of alerts.

use std::io::{self, Write};

use ecs::Object;

use crate::{Alert, Summary, Terminal, csv_format, html, summary, table, timeline};

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

/// Prints alerts, oldest event first.
pub fn write(
    out: &mut dyn Write,
    format: Format,
    alerts: &[Object],
    about: &Summary<'_>,
    terminal: Terminal,
) -> io::Result<()> {
    let mut alerts: Vec<Alert<'_>> = alerts.iter().map(Alert::new).collect();
    alerts.sort_by_cached_key(|alert| (alert.time(), alert.rule_id().into_owned(), alert.id().into_owned()));
    match format {
        Format::Summary => out.write_all(summary(&alerts, about, terminal).as_bytes()),
        Format::Table => out.write_all(table::alerts(&alerts, terminal).as_bytes()),
        Format::Ndjson => {
            for alert in &alerts {
                serde_json::to_writer(&mut *out, alert.document())?;
                out.write_all(b"\n")?;
            }
            Ok(())
        }
        Format::Json => {
            let documents: Vec<_> = alerts.iter().map(|alert| alert.document()).collect();
            serde_json::to_writer_pretty(&mut *out, &documents)?;
            out.write_all(b"\n")
        }
        Format::Csv => csv_format::write(out, &alerts),
        Format::Timeline => out.write_all(timeline::write(&alerts, terminal).as_bytes()),
        Format::Html => out.write_all(html::page(&alerts, about).as_bytes()),
    }
}
