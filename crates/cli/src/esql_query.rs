//! `trailwarden query` in ES|QL: events become rows, and what comes out is a table.

use std::io::Write as _;

use std::sync::Arc;

use anyhow::Context as _;
use ecs::{Catalog, Millis};
use hunt::{Progress, QueryOptions};
use pipeline::{Limits, Program, RowMetadata, Rows, Table, Tables, Value};
use report::Cell;
use serde_json::{Map, Value as Json};
use span::Style;

use crate::args::{Global, Query, QueryFormat};
use crate::{output, terminal};

/// Rows that come of a query without `LIMIT`.
const ROWS_DEFAULT: usize = 1_000;

/// Whether the text is a pipeline, whatever language was named.
pub(crate) fn is_piped(text: &str) -> bool {
    let text = text.trim_start();
    let starts = |word: &str| {
        text.get(..word.len()).is_some_and(|it| it.eq_ignore_ascii_case(word))
            && text[word.len()..].starts_with(char::is_whitespace)
    };
    (starts("from") && text.contains('|')) || starts("row")
}

/// A query that is ready.
pub(crate) struct Prepared {
    /// What is asked of an event that becomes a row.
    pub(crate) filter: plan::Expr,
    tail: esql::resolved::Pipeline,
    program: Program,
    rows: Rows,
    patterns: Vec<String>,
    /// The query says how many rows it gives.
    is_limited: bool,
}

/// Makes a query ready; `None` if it is wrong, which has been told.
pub(crate) fn prepare(
    args: &Query,
    catalog: &Arc<Catalog>,
    now: Millis,
    global: &Global,
) -> Option<Prepared> {
    let style = if terminal::stderr_colour(global) { Style::Coloured } else { Style::Plain };
    let refuse = |diagnostics: &[span::Diagnostic]| {
        for it in diagnostics {
            terminal::say(&span::render(it, "query", &args.text, style));
        }
    };
    let tables = Tables::new();
    let pipeline = match esql::pipeline(&args.text, &esql::Sources::of(catalog)) {
        Ok(it) => it,
        Err(diagnostics) => {
            refuse(&diagnostics);
            return None;
        }
    };
    let is_limited = pipeline.is_limited;
    let patterns = match &pipeline.source {
        esql::resolved::Source::Events { patterns, .. } => patterns.clone(),
        esql::resolved::Source::Row(_) => Vec::new(),
    };
    let esql::Split { filter, tail } = esql::split(pipeline, catalog);
    let filter = filter.into_expr(now);
    let rows_max = match args.limit {
        Some(limit) => Some(usize::try_from(limit).unwrap_or(usize::MAX)),
        None if is_limited => None,
        None => Some(ROWS_DEFAULT),
    };
    let program = match Program::new(&tail, &tables, rows_max, now, Limits::default()) {
        Ok(it) => it,
        Err(error) => {
            refuse(&[span::Diagnostic::new(
                span::Severity::Error,
                error.code(),
                error.to_string(),
                error.span(),
            )]);
            return None;
        }
    };
    let rows = Rows::new(&tail, &program, catalog);
    Some(Prepared { filter, tail, program, rows, patterns, is_limited })
}

impl Prepared {
    /// Whether no event is read.
    pub(crate) fn makes_its_row(&self) -> bool {
        self.program.makes_its_row()
    }

    /// What becomes of which part of the query.
    pub(crate) fn explain(&self) -> String {
        let mut text = format!("events of: {}\n", self.patterns.join(", "));
        text += &format!("filter: {}\n", self.filter);
        let fields: Vec<&str> = self.rows.paths().collect();
        text += &format!("fields: {}\n", fields.join(", "));
        text += "then:\n";
        for step in &self.tail.steps {
            let source = self.tail.text.get(step.span.range()).unwrap_or_default();
            let source: Vec<&str> = source.split_whitespace().collect();
            text += &format!("  | {}\n", source.join(" "));
        }
        if !self.is_limited {
            text += &format!("  | LIMIT {ROWS_DEFAULT} (default)\n");
        }
        text
    }

    /// Reads events, if the query does, and makes the table of them.
    pub(crate) fn run(
        mut self,
        options: Option<&QueryOptions>,
        progress: &Progress,
    ) -> anyhow::Result<(Table, hunt::QueryReport)> {
        let mut part = self.program.part();
        let mut failed = None;
        let (rows, patterns) = (&mut self.rows, &self.patterns);
        let (mut of_others, mut is_any) = (None, false);
        let mut report = hunt::QueryReport::default();
        if let Some(options) = options {
            report = hunt::query(options, &mut std::io::stdin(), progress, &mut |document| {
                if !rule::matches_index(patterns, &document.index) {
                    of_others.get_or_insert(document.index);
                    return true;
                }
                is_any = true;
                rows.push(RowMetadata { id: &document.id, index: &document.index }, &document.source);
                if rows.is_full() {
                    failed = part.push(rows.take()).err();
                }
                failed.is_none() && !part.is_full()
            })?;
        }
        if failed.is_none() && options.is_some() {
            failed = part.push(self.rows.take()).err();
        }
        if let Some(error) = failed {
            return Err(error).context("the query was stopped");
        }
        let mut table = part.finish().context("the query was stopped")?;
        if !self.is_limited && table.rows == ROWS_DEFAULT {
            table.warnings.push(format!("No limit defined, adding default limit of [{ROWS_DEFAULT}]"));
        }
        if let Some(index) = of_others.filter(|_| !is_any) {
            table.warnings.push(format!(
                "no event is of an index that `FROM {}` names: events here are of `{index}`",
                self.patterns.join(", ")
            ));
        }
        Ok((table, report))
    }
}

/// A cell for people: several values are joined.
fn text(value: &Value) -> String {
    value.as_slice().iter().map(pipeline::Scalar::text).collect::<Vec<_>>().join(", ")
}

/// Prints a table, and says what is to be known of it.
pub(crate) fn print(table: &Table, args: &Query, global: &Global) -> anyhow::Result<()> {
    let heads: Vec<&str> = table.columns.iter().map(|it| it.name.as_str()).collect();
    match args.format {
        QueryFormat::Ndjson => {
            let mut lines = output::Lines::open(None)?;
            for row in 0..table.rows {
                let cells = table.row(row).filter(|it| it.1 != Value::Null);
                let object: Map<String, Json> =
                    cells.map(|(column, value)| (column.name.clone(), value.to_json())).collect();
                if !lines.json(&Json::Object(object)) {
                    break;
                }
            }
            lines.finish()?;
        }
        QueryFormat::Csv => {
            let mut out = csv::Writer::from_writer(output::open(None)?);
            out.write_record(&heads)?;
            for row in 0..table.rows {
                out.write_record(table.row(row).map(|it| report::harmless(&text(&it.1)).into_owned()))?;
            }
            out.flush()?;
        }
        QueryFormat::Table => {
            let rows = (0..table.rows)
                .map(|row| table.row(row).map(|it| Cell::from(text(&it.1))).collect::<Vec<_>>());
            let mut out = output::open(None)?;
            if table.rows > 0 {
                let terminal = terminal::stdout_terminal(global, false);
                out.write_all(report::grid(&heads, rows, terminal).as_bytes())?;
            }
            writeln!(out, "{}", report::plural(table.rows as u64, "row", "rows"))?;
            out.flush()?;
        }
    }
    for warning in &table.warnings {
        terminal::note(global, warning);
    }
    Ok(())
}
