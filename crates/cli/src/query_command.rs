//! `trailwarden query`.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, anyhow, bail};
use ecs::{Catalog, Millis, Shape, Wanted};
use hunt::{Document, FieldCounts, Order, Pattern, Progress, QueryOptions};
use report::Cell;
use rule::{EqlQuery, Form};
use serde_json::{Value, json};
use span::Style;

use crate::args::{Global, Query, QueryFormat, QueryOrder};
use crate::status::{self, FAILED};
use crate::{count_by, eql_query, esql_query, input, output, terminal};

/// Columns of table and CSV for events, if the user names none.
const COLUMNS: [&str; 6] = [
    "@timestamp",
    "event.provider",
    "event.action",
    "event.outcome",
    "aws.cloudtrail.user_identity.arn",
    "source.address",
];
/// Rows of a table before it is printed: columns are as wide as their widest cell.
const TABLE_ROWS_MAX: usize = 100_000;

pub(crate) fn run(args: &Query, global: &Global) -> anyhow::Result<u8> {
    let now = input::now(args.now.as_deref())?;
    let (since, until) = input::range(args.since.as_deref(), args.until.as_deref(), now)?;
    let patterns = args
        .regex
        .iter()
        .map(|text| Pattern::parse(text).with_context(|| format!("--regex {}", report::clean(text))));
    let patterns: Vec<Pattern> = patterns.collect::<anyhow::Result<_>>()?;
    let catalog = match &args.mapping {
        None => Catalog::ecs(),
        Some(path) => mapping(path)?,
    };
    if args.language == rule::QueryLanguage::Esql
        || (args.language == rule::QueryLanguage::Kuery && esql_query::is_piped(&args.text))
    {
        return piped(args, &catalog, (since, until), now, global);
    }
    if args.explain {
        bail!("--explain tells how a query in ES|QL is run: FROM logs-* | WHERE …");
    }
    let several = |it: &EqlQuery| !eql_query::is_plain(it);
    let (filter, query) = match checked(args, &catalog) {
        Ok((condition, query)) => (condition.into_expr(now), query.filter(several)),
        Err(diagnostics) => {
            let style = if terminal::stderr_colour(global) { Style::Coloured } else { Style::Plain };
            for diagnostic in &diagnostics {
                terminal::say(&span::render(diagnostic, "query", &args.text, style));
            }
            return Ok(FAILED);
        }
    };
    if query.is_some() && !args.count_by.is_empty() {
        bail!(
            "--count-by counts events, and this query finds what several events form: leave one of them out"
        );
    }
    if !global.quiet {
        remarks(&args.text, args.language, &catalog, args.mapping.is_none(), global);
        let fields = patterns.iter().filter_map(Pattern::field);
        for field in args.count_by.iter().map(String::as_str).chain(fields) {
            remarks(
                &format!("{field}: *"),
                rule::QueryLanguage::Kuery,
                &catalog,
                args.mapping.is_none(),
                global,
            );
        }
    }
    let is_plain = args.mapping.is_some();
    let order = match args.order {
        // Counts come in an order of their own, and results of several events find theirs.
        _ if query.is_some() || !args.count_by.is_empty() => Order::Files,
        Some(QueryOrder::Files) => Order::Files,
        None if is_plain => Order::Files,
        Some(QueryOrder::Time) | None => Order::Time { bytes_max: args.order_bytes },
    };
    let options = QueryOptions {
        patterns,
        order,
        limit: if query.is_some() || !args.count_by.is_empty() { None } else { args.limit },
        ..options(args, filter, (since, until), now)?
    };
    let progress = Arc::new(Progress::default());
    let bar = (!output::is_terminal() || args.format == QueryFormat::Table)
        .then(|| terminal::Bar::start(global, Arc::clone(&progress)));
    if !args.count_by.is_empty() {
        let mut counts = FieldCounts::new(&args.count_by);
        let report = hunt::query(&options, &mut std::io::stdin(), &progress, &mut |document| {
            let time = ecs::document::timestamp(&document.source).filter(|&time| time != now);
            counts.add(&document, time);
            true
        });
        drop(bar);
        let report = report?;
        count_by::print(args, counts, global)?;
        return Ok(told(&report, args, global));
    }
    let mut print = Printer::new(args, query.as_ref().is_some_and(|it| it.pattern.form != Form::Event))?;
    let report = if let Some(query) = &query {
        let found = eql_query::run(query, &options, args.limit, now, &catalog, &progress);
        found.map(|found| {
            for (number, (documents, keys)) in found.documents.iter().zip(&found.join_keys).enumerate() {
                if !print.result(number + 1, documents, keys) {
                    break;
                }
            }
            found.report
        })
    } else if args.limit == Some(0) {
        Ok(hunt::QueryReport::default())
    } else {
        let take = &mut |document| print.document(&document);
        hunt::query(&options, &mut std::io::stdin(), &progress, take).map_err(Into::into)
    };
    drop(bar);
    print.finish(global)?;
    Ok(told(&report?, args, global))
}

/// What to read, and which events of it.
fn options(
    args: &Query,
    filter: plan::Expr,
    (since, until): (Option<Millis>, Option<Millis>),
    now: Millis,
) -> anyhow::Result<QueryOptions> {
    let is_plain = args.mapping.is_some();
    if is_plain && args.has_store() {
        bail!("--mapping is for plain documents, and a store holds events: give their files");
    }
    Ok(QueryOptions {
        sources: sources(args)?,
        stored: args.stored()?,
        filter,
        patterns: Vec::new(),
        since,
        until,
        order: Order::Files,
        limit: None,
        plain: is_plain,
        identities: std::iter::once(&args.text)
            .chain(&args.columns)
            .any(|it| it.contains("trailwarden.identity.")),
        normalise: cloudtrail::Options {
            tags: vec![
                "forwarded".to_owned(),
                "aws-cloudtrail".to_owned(),
                "actor_target_mapping".to_owned(),
            ],
            envelope: Some(cloudtrail::Envelope::default()),
            ..cloudtrail::Options::default()
        },
        limits: args.limits.reader(),
        now,
        copies: args.copies,
    })
}

/// A query of pipes: its result is a table.
fn piped(
    args: &Query,
    catalog: &Arc<Catalog>,
    range: (Option<Millis>, Option<Millis>),
    now: Millis,
    global: &Global,
) -> anyhow::Result<u8> {
    if !args.count_by.is_empty() || !args.columns.is_empty() || !args.regex.is_empty() {
        bail!("--count-by, --columns and --regex are not for ES|QL: STATS, KEEP and RLIKE say the same");
    }
    let Some(prepared) = esql_query::prepare(args, catalog, now, global) else { return Ok(FAILED) };
    if args.explain {
        let mut out = output::open(None)?;
        out.write_all(prepared.explain().as_bytes())?;
        out.flush()?;
        return Ok(status::DONE);
    }
    // Rows have an order of their own only if the query sorts them; else that of time is the one to expect.
    let order = match args.order {
        Some(QueryOrder::Files) => Order::Files,
        Some(QueryOrder::Time) | None => Order::Time { bytes_max: args.order_bytes },
    };
    let progress = Arc::new(Progress::default());
    if prepared.makes_its_row() {
        let (table, _) = prepared.run(None, &progress)?;
        esql_query::print(&table, args, global)?;
        return Ok(status::DONE);
    }
    let options = QueryOptions { order, ..options(args, prepared.filter.clone(), range, now)? };
    let bar = (!output::is_terminal() || args.format == QueryFormat::Table)
        .then(|| terminal::Bar::start(global, Arc::clone(&progress)));
    let (table, report) = prepared.run(Some(&options), &progress)?;
    drop(bar);
    esql_query::print(&table, args, global)?;
    Ok(told(&report, args, global))
}

/// What must be known besides what was found, and the exit status.
fn told(report: &hunt::QueryReport, args: &Query, global: &Global) -> u8 {
    terminal::troubles(global, &report.notices, &report.troubles, report.trouble_count);
    terminal::copies(global, report.copies);
    if report.undated > 0 {
        terminal::note(
            global,
            &match report.undated {
                1 => "1 event without a time of its own left out: it counts as happening now".to_owned(),
                more => format!(
                    "{} events without a time of their own left out: they count as happening now",
                    report::count(more)
                ),
            },
        );
    }
    if report.passes > 1 {
        terminal::note(
            global,
            &format!(
                "the files were read {} times, for more matches than {} are in the order of time; --order files reads them once, --max-order-bytes takes more at a time",
                report::count(report.passes),
                report::bytes(args.order_bytes as u64)
            ),
        );
    }
    status::of(
        false,
        status::Input {
            is_usable: report.documents > 0 || report.trouble_count == 0,
            is_complete: report.loss_count == 0,
            strict: args.strict,
        },
    )
}

/// What the query asks of an event that may be part of a result; and the whole of it, if it is in EQL.
fn checked(
    args: &Query,
    catalog: &Catalog,
) -> Result<(plan::Condition, Option<EqlQuery>), Vec<span::Diagnostic>> {
    if args.language != rule::QueryLanguage::Eql {
        return rule::check_query(args.language, &args.text, catalog).map(|it| (it, None));
    }
    let query = EqlQuery::new(&args.text, None, catalog)?;
    Ok((plan::Condition::any_of(query.conditions.clone()), Some(query)))
}

/// Says what in the query is probably not meant: a misspelt field finds nothing, and does so in silence.
pub(crate) fn remarks(
    text: &str,
    language: rule::QueryLanguage,
    catalog: &Catalog,
    is_cloudtrail: bool,
    global: &Global,
) {
    let source = is_cloudtrail.then(cloudtrail::vocabulary);
    let style = if terminal::stderr_colour(global) { Style::Coloured } else { Style::Plain };
    for diagnostic in rule::lint_query(language, text, catalog, source) {
        terminal::say(&span::render(&diagnostic, "query", text, style));
    }
}

fn mapping(path: &Path) -> anyhow::Result<Arc<Catalog>> {
    let place = || format!("--mapping `{}`", path.display());
    let text = fs::read_to_string(path).with_context(place)?;
    let json: Value =
        serde_json::from_str(&text).with_context(|| format!("{}: this is not JSON", place()))?;
    let catalog = Catalog::from_mapping(&json).map_err(|errors| {
        let lines: Vec<String> = errors.iter().map(|error| format!("\n    {error}")).collect();
        anyhow!("{}:{}", place(), lines.concat())
    })?;
    Ok(Arc::new(catalog))
}

fn sources(args: &Query) -> anyhow::Result<Vec<(Option<String>, PathBuf)>> {
    let mut sources: Vec<(Option<String>, PathBuf)> =
        args.paths.iter().map(|path| (None, path.clone())).collect();
    for source in &args.sources {
        let (name, path) = source
            .split_once('=')
            .filter(|(name, path)| !name.is_empty() && !path.is_empty())
            .ok_or_else(|| anyhow!("--source {source}: write NAME=PATH, such as logs=events.ndjson"))?;
        sources.push((Some(name.to_owned()), PathBuf::from(path)));
    }
    if sources.is_empty() && !args.has_store() {
        bail!("name the files to search: trailwarden query 'event.action: GetObject' logs/");
    }
    if !args.count_by.is_empty() {
        // Copies of an event may differ, and the first one counts.
        sources.sort();
    }
    Ok(sources)
}

/// Prints documents as they come.
enum Printer {
    Ndjson(output::Lines),
    Csv {
        columns: Columns,
        grouped: bool,
        out: Box<csv::Writer<Box<dyn std::io::Write + Send>>>,
        error: Option<csv::Error>,
    },
    Table {
        columns: Columns,
        grouped: bool,
        rows: Vec<Vec<Cell>>,
        more: u64,
    },
}

impl Printer {
    /// With `grouped`, several documents are one result.
    fn new(args: &Query, grouped: bool) -> anyhow::Result<Self> {
        let columns = || match args.columns.as_slice() {
            [] if args.mapping.is_none() => COLUMNS.map(str::to_owned).to_vec(),
            [] => vec!["_index".to_owned(), "_id".to_owned(), "_source".to_owned()],
            given => given.to_vec(),
        };
        Ok(match args.format {
            QueryFormat::Ndjson => Self::Ndjson(output::Lines::open(None)?),
            QueryFormat::Csv => {
                let columns = Columns::new(columns());
                let mut out = csv::Writer::from_writer(output::open(None)?);
                out.write_record(columns.heads(grouped))?;
                Self::Csv { columns, grouped, out: Box::new(out), error: None }
            }
            QueryFormat::Table => {
                Self::Table { columns: Columns::new(columns()), grouped, rows: Vec::new(), more: 0 }
            }
        })
    }

    /// One result of several documents. Says whether there is any use in going on.
    fn result(&mut self, number: usize, documents: &[Option<Document>], join_keys: &[Value]) -> bool {
        match self {
            Self::Ndjson(lines) => {
                let event = |it: &Option<Document>| match it {
                    Some(it) => json!({"_index": it.index, "_id": it.id, "_source": it.source}),
                    None => json!({"missing": true}),
                };
                if let [Some(one)] = documents {
                    return self.document(one);
                }
                let events: Vec<Value> = documents.iter().map(event).collect();
                lines.json(&json!({"join_keys": join_keys, "events": events}))
            }
            Self::Csv { grouped, .. } | Self::Table { grouped, .. } => {
                let number = grouped.then(|| number.to_string());
                documents.iter().all(|it| self.row(number.as_deref(), it.as_ref()))
            }
        }
    }

    /// Says whether there is any use in going on.
    fn document(&mut self, it: &Document) -> bool {
        self.row(None, Some(it))
    }

    /// A document, or nothing where one had to be missing; with the number of its result, if several are one.
    fn row(&mut self, number: Option<&str>, it: Option<&Document>) -> bool {
        let cells = |columns: &Columns| -> Vec<String> {
            let cells = it.map_or_else(|| vec!["-".to_owned(); columns.names.len()], |it| columns.cells(it));
            number.map(str::to_owned).into_iter().chain(cells).collect()
        };
        match self {
            Self::Ndjson(lines) => it.is_none_or(|it| {
                lines.json(&json!({"_index": it.index, "_id": it.id, "_source": it.source}))
            }),
            Self::Csv { columns, out, error, .. } => {
                let cells = cells(columns);
                let result = out.write_record(cells.iter().map(|cell| report::harmless(cell).into_owned()));
                *error = error.take().or(result.err());
                error.is_none()
            }
            Self::Table { columns, rows, more, .. } => {
                if rows.len() < TABLE_ROWS_MAX {
                    rows.push(cells(columns).into_iter().map(Cell::from).collect());
                } else {
                    *more += 1;
                }
                true
            }
        }
    }

    fn finish(self, global: &Global) -> anyhow::Result<()> {
        match self {
            Self::Ndjson(lines) => lines.finish(),
            Self::Csv { mut out, error, .. } => match error {
                Some(error) => Err(error.into()),
                None => Ok(out.flush()?),
            },
            Self::Table { columns, grouped, rows, more } => {
                let heads: Vec<&str> = columns.heads(grouped).collect();
                let count = rows.len() as u64 + more;
                let mut out = output::open(None)?;
                if count > 0 {
                    out.write_all(
                        report::grid(&heads, rows, terminal::stdout_terminal(global, false)).as_bytes(),
                    )?;
                }
                if more > 0 {
                    writeln!(out, "… and {} more: --format csv prints all", report::count(more))?;
                }
                writeln!(out, "{}", report::plural(count, "document", "documents"))?;
                Ok(out.flush()?)
            }
        }
    }
}

/// The columns of a table, and where their values lie.
struct Columns {
    names: Vec<String>,
    wanted: Wanted,
}

impl Columns {
    fn new(names: Vec<String>) -> Self {
        let paths = names.iter().enumerate().map(|(at, name)| (at as u32, name.as_str(), Shape::Leaf));
        let wanted = Wanted::new(paths);
        Self { names, wanted }
    }

    /// What stands above the columns; the number of the result before them, if several documents are one.
    fn heads(&self, grouped: bool) -> impl Iterator<Item = &str> {
        grouped.then_some("#").into_iter().chain(self.names.iter().map(String::as_str))
    }

    /// A document's values, those of one column joined: a query finds each of them, in whatever objects and arrays they
    /// lie. What has no values of its own, such as an object, is there as JSON.
    fn cells(&self, document: &Document) -> Vec<String> {
        let mut cells = vec![String::new(); self.names.len()];
        self.wanted.walk(&document.source, &mut |at, value| {
            let cell = &mut cells[at as usize];
            if !cell.is_empty() {
                cell.push_str(", ");
            }
            cell.push_str(&value.text());
        });
        for (cell, name) in cells.iter_mut().zip(&self.names) {
            match name.as_str() {
                "_index" => cell.clone_from(&document.index),
                "_id" => cell.clone_from(&document.id),
                "_source" => *cell = Value::Object(document.source.clone()).to_string(),
                path if cell.is_empty() => {
                    *cell = report::Alert::new(&document.source).text(path).unwrap_or_default().into_owned();
                }
                _ => {}
            }
        }
        cells
    }
}
