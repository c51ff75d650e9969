//! The formats of alerts.

use std::io::{self, Write};

use ecs::Layered;
use ecs::text::indent;

use crate::alert::{EVENT_PATHS, Line};
use crate::lines::Ids;
use crate::summary::summary;
use crate::timeline::Timeline;
use crate::{Alert, Summary, Terminal, csv_format, ocsf, table, timesketch};

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
    /// One event a line, for Timesketch.
    Timesketch,
    /// The same in CSV.
    TimesketchCsv,
    /// One Detection Finding of OCSF a line.
    Ocsf,
}

impl Format {
    /// All.
    pub const ALL: [Self; 10] = [
        Self::Summary,
        Self::Table,
        Self::Ndjson,
        Self::Json,
        Self::Csv,
        Self::Timeline,
        Self::Html,
        Self::Timesketch,
        Self::TimesketchCsv,
        Self::Ocsf,
    ];

    /// The word that asks for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Summary => "summary",
            Self::Table => "table",
            Self::Ndjson => "ndjson",
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Timeline => "timeline",
            Self::Html => "html",
            Self::Timesketch => "timesketch",
            Self::TimesketchCsv => "timesketch-csv",
            Self::Ocsf => "ocsf",
        }
    }

    /// Whether it prints the documents of alerts, and not only what is asked of them.
    pub const fn prints_documents(self) -> bool {
        matches!(self, Self::Ndjson | Self::Json)
    }

    /// The paths of an alert's event that are asked of it. None stands for all.
    pub const fn event_paths(self) -> &'static [&'static str] {
        match self {
            Self::Summary
            | Self::Table
            | Self::Csv
            | Self::Timeline
            | Self::Timesketch
            | Self::TimesketchCsv => &EVENT_PATHS,
            Self::Ocsf => &ocsf::EVENT_PATHS,
            Self::Html | Self::Ndjson | Self::Json => &[],
        }
    }

    /// What it is, for people.
    pub const fn description(self) -> &'static str {
        match self {
            Self::Summary => "What happened when, counts, a small time line, notices",
            Self::Table => "One line an alert",
            Self::Ndjson => "One alert document a line",
            Self::Json => "One array of alert documents",
            Self::Csv => "One line an alert, for spreadsheets",
            Self::Timeline => "What happened, in order, by day",
            Self::Html => "One self-contained page with evidence and guides",
            Self::Timesketch => "One event a line (JSONL) to load into Timesketch",
            Self::TimesketchCsv => "The same as CSV",
            Self::Ocsf => "One Detection Finding of OCSF a line",
        }
    }
}

/// What is printed of one alert. It depends on that alert alone, so that several can be made at a time.
#[derive(Clone, Debug)]
pub struct Part {
    /// What others summarise.
    line: Option<Line>,
    /// What stands as it is.
    text: Vec<u8>,
}

impl Part {
    /// What a format that [prints documents](Format::prints_documents) prints of the alert, whose document this is in one
    /// line of JSON.
    pub fn of_json(format: Format, mut json: String) -> Self {
        debug_assert!(format.prints_documents(), "{format:?} prints no documents");
        let text = if format == Format::Json {
            let mut text = String::with_capacity(json.len() * 2);
            indent(&json, &mut text);
            text
        } else {
            // A line is given to the system as a whole: a piece without its end is searched for one, and the end alone
            // would be written alone.
            json.push('\n');
            json
        };
        Self { line: None, text: text.into_bytes() }
    }

    /// What another format prints of the alert; of its event it must have what is at [`Format::event_paths`].
    pub fn of_fields(format: Format, alert: &Layered) -> Self {
        debug_assert!(!format.prints_documents(), "{format:?} prints whole documents");
        let line = || Some(Line::new(Alert::of(alert)));
        match format {
            Format::Csv => Self { line: None, text: csv_format::row(Alert::of(alert)) },
            Format::Timesketch | Format::TimesketchCsv => {
                Self { line: None, text: timesketch::row(format, Alert::of(alert)) }
            }
            Format::Ocsf => Self { line: None, text: ocsf::line(Alert::of(alert)) },
            Format::Summary
            | Format::Table
            | Format::Timeline
            | Format::Html
            | Format::Ndjson
            | Format::Json => Self { line: line(), text: Vec::new() },
        }
    }
}

/// What writing to memory gave.
pub(crate) fn in_memory<T, E: std::fmt::Debug>(written: Result<T, E>) -> T {
    written.expect("memory takes everything, and the keys of JSON are texts")
}

/// Prints the parts of this format, in the order they come in, which should be that of the
/// alerts' events. Written at once where that can be: all of them may not fit into memory.
pub fn write(
    out: &mut dyn Write,
    format: Format,
    parts: &mut dyn Iterator<Item = Part>,
    about: &Summary<'_>,
    terminal: Terminal,
) -> io::Result<()> {
    match format {
        Format::Summary => {
            let lines: Vec<Line> = parts.filter_map(|part| part.line).collect();
            out.write_all(summary(&lines, about, terminal).as_bytes())
        }
        Format::Table => {
            let lines: Vec<Line> = parts.filter_map(|part| part.line).collect();
            out.write_all(table::alerts(&lines, terminal).as_bytes())
        }
        Format::Ndjson | Format::Timesketch | Format::Ocsf => texts(out, parts),
        // One array, pretty.
        Format::Json => {
            out.write_all(b"[")?;
            for (at, part) in parts.enumerate() {
                out.write_all(if at == 0 { b"\n" } else { b",\n" })?;
                out.write_all(&part.text)?;
            }
            out.write_all(b"\n]\n")
        }
        Format::Csv => {
            out.write_all(&csv_format::head())?;
            texts(out, parts)
        }
        Format::TimesketchCsv => {
            out.write_all(&timesketch::head())?;
            texts(out, parts)
        }
        Format::Timeline => {
            let lines: Vec<Line> = parts.filter_map(|part| part.line).collect();
            let mut timeline = Timeline::new(terminal, Ids::of(&lines));
            lines.iter().try_for_each(|line| out.write_all(timeline.alert(line).as_bytes()))
        }
        // A page tells more than alerts: see [`page`](crate::page).
        Format::Html => Ok(()),
    }
}

/// The texts of the parts, as they stand.
fn texts(out: &mut dyn Write, parts: &mut dyn Iterator<Item = Part>) -> io::Result<()> {
    for part in parts {
        out.write_all(&part.text)?;
    }
    Ok(())
}
