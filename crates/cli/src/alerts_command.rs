//! `trailwarden alerts`.

use std::io::Write as _;
use std::sync::Arc;

use anyhow::{Context as _, anyhow, bail};
use ecs::{Layered, Object, SharedFields};
use live::{AuditEntry, Book, Change, LiveError};
use report::{Coverage, Format, Part, Summary};
use serde_json::{Value, json};

use crate::args::Global;
use crate::live_args::{Alerts, List, Search, Silenced, Which};
use crate::status::DONE;
use crate::store_args::StoreFormat;
use crate::{count_command, exception_command, incident_command, input, output, silence_command, terminal};

/// So many alerts are listed, if nothing else is said.
const LISTED: usize = 100;

pub(crate) fn run(args: &Alerts, global: &Global) -> anyhow::Result<u8> {
    match args {
        Alerts::List(args) => list(args, args.limit.unwrap_or(LISTED), args.format, global),
        Alerts::Export(args) => {
            let format = args.format.unwrap_or(Format::Ndjson);
            list(args, args.limit.unwrap_or(0), Some(format), global)
        }
        Alerts::Show { id, folder, format } => show(id, &open(&folder.path)?, *format),
        Alerts::Acknowledge(which) => change(which, &Change::Acknowledge, global),
        Alerts::Close { which, reason } => change(which, &Change::Close { reason: *reason }, global),
        Alerts::Reopen(which) => change(which, &Change::Reopen, global),
        Alerts::Assign { which, add, remove } => {
            said(add, remove, "--to WHO or --remove WHO")?;
            change(which, &Change::Assign { add: add.clone(), remove: remove.clone() }, global)
        }
        Alerts::Tag { which, add, remove } => {
            said(add, remove, "--add TAG or --remove TAG")?;
            change(which, &Change::Tag { add: add.clone(), remove: remove.clone() }, global)
        }
        Alerts::Note { which, text } => change(which, &Change::Note(text.clone()), global),
        Alerts::Facets(args) => count_command::facets(args),
        Alerts::Histogram(args) => count_command::histogram(args),
        Alerts::Stats(args) => count_command::stats(args),
        Alerts::Log(args) => count_command::log(args),
        Alerts::Silence(command) => silence_command::run(command, global),
        Alerts::Exception(command) => exception_command::run(command, global),
        Alerts::Incident(command) => incident_command::run(command, global),
    }
}

/// An error with its code, as messages of this tool have it.
pub(crate) fn coded(error: &LiveError) -> anyhow::Error {
    let code = error.code();
    anyhow!("{code} {error}")
}

pub(crate) fn open(folder: &std::path::Path) -> anyhow::Result<Book> {
    Book::open(folder).map_err(|it| coded(&it))
}

pub(crate) fn said(add: &[String], remove: &[String], options: &str) -> anyhow::Result<()> {
    if add.is_empty() && remove.is_empty() {
        bail!("nothing is asked for: give {options}");
    }
    Ok(())
}

/// What is searched for.
pub(crate) fn search(args: &Search, limit: usize) -> anyhow::Result<live::Search> {
    let now = input::now(args.now.as_deref())?;
    let (since, until) = input::range(args.since.as_deref(), args.until.as_deref(), now)?;
    let silenced = match args.silenced {
        Silenced::No => live::Silenced::LeftOut,
        Silenced::Yes => live::Silenced::Included,
        Silenced::Only => live::Silenced::Only,
    };
    Ok(live::Search {
        query: args.query.clone(),
        status: args.status,
        since,
        until,
        incident: args.incident,
        silenced,
        also: None,
        offset: 0,
        limit,
        now,
    })
}

fn list(args: &List, limit: usize, format: Option<Format>, global: &Global) -> anyhow::Result<u8> {
    if let Some(path) = &args.output {
        output::check(path)?;
    }
    let book = open(&args.search.folder.path)?;
    let found = book.search(&search(&args.search, limit)?).map_err(|it| coded(&it))?;
    let mut out = output::open(args.output.as_deref())?;
    let shown = found.alerts.len() as u64;
    match format {
        None => {
            for alert in &found.alerts {
                out.write_all(line(alert).as_bytes())?;
            }
        }
        Some(Format::Html) => bail!("alerts that were kept have no page: `hunt --format html` makes one"),
        Some(format) => {
            // Those who tell what happened begin with what happened first.
            let mut alerts = found.alerts;
            alerts.reverse();
            print(&mut out, format, alerts, args.output.is_some(), global)?;
        }
    }
    out.flush().context("cannot write the result")?;
    if shown < found.total {
        let total = report::plural(found.total, "alert", "alerts");
        terminal::note(global, &format!("{shown} of {total}; --limit 0 prints all"));
    }
    if found.silenced > 0 {
        let more = report::plural(found.silenced, "alert was", "alerts were");
        terminal::note(global, &format!("{more} raised in a silence and left out; --silenced yes shows all"));
    }
    Ok(DONE)
}

/// Prints the documents of alerts as a hunt prints them.
pub(crate) fn print(
    out: &mut dyn std::io::Write,
    format: Format,
    alerts: Vec<Object>,
    to_file: bool,
    global: &Global,
) -> anyhow::Result<()> {
    let nothing = Arc::new(SharedFields::default());
    let mut parts = alerts.into_iter().map(|alert| {
        if format.prints_documents() {
            Part::of_json(format, Value::Object(alert).to_string())
        } else {
            Part::of_fields(format, &Layered::new(alert, Arc::clone(&nothing)))
        }
    });
    let summary = Summary {
        rules: Vec::new(),
        language: rule::GuideLanguage::English,
        coverage: Coverage::default(),
        notices: Vec::new(),
        completeness: None,
    };
    let terminal = terminal::stdout_terminal(global, to_file);
    report::write(out, format, &mut parts, &summary, terminal).context("cannot write the result")
}

/// An alert in a line.
pub(crate) fn line(alert: &Object) -> String {
    let it = report::Alert::new(alert);
    let time = it.text("@timestamp").unwrap_or_default();
    let id: String = it.id().chars().take(12).collect();
    let status = it.text("kibana.alert.workflow_status").unwrap_or_default();
    let who = Some(it.who()).filter(|it| !it.is_empty()).or_else(|| it.grouped_by()).unwrap_or_default();
    let rule = format!("{}{}{who}", it.rule_name(), if who.is_empty() { "" } else { ": " });
    let severity = it.severity();
    report::clean(&format!("{time:24}  {id:12}  {status:12}  {severity:8}  {rule}")) + "\n"
}

fn show(id: &str, book: &Book, format: StoreFormat) -> anyhow::Result<u8> {
    let alert = book.alert(id).map_err(|it| coded(&it))?;
    let whole = ecs::alert::id(&alert).unwrap_or(id).to_owned();
    let history = book.history(&whole).map_err(|it| coded(&it))?;
    let blocks = book.blocks(&whole).map_err(|it| coded(&it))?;
    let text = match format {
        StoreFormat::Json => {
            let history: Vec<Value> = history.iter().map(AuditEntry::told).collect();
            let all = json!({"alert": alert, "building_blocks": blocks, "history": history});
            serde_json::to_string_pretty(&all)? + "\n"
        }
        StoreFormat::Text => {
            let it = report::Alert::new(&alert);
            let mut text = line(&alert);
            text += &format!("{}\n", report::clean(&it.sentence()));
            for (name, value) in it.highlights() {
                text += &format!("  {name}: {}\n", report::clean(&value));
            }
            for (what, path) in [
                ("assigned to", "kibana.alert.workflow_assignee_ids"),
                ("tags", "kibana.alert.workflow_tags"),
                ("closed because", "kibana.alert.workflow_reason"),
                ("incident", "kibana.alert.case_ids"),
                ("raised in silence", "trailwarden.silence.id"),
            ] {
                let values = ecs::document::list(alert.get(path));
                let all: Vec<&str> = values.iter().filter_map(Value::as_str).collect();
                if !all.is_empty() {
                    text += &format!("  {what}: {}\n", report::clean(&all.join(", ")));
                }
            }
            if !blocks.is_empty() {
                text += &format!("  of {}\n", report::plural(blocks.len() as u64, "event", "events"));
            }
            for AuditEntry { at, author, what, detail } in &history {
                let detail = match detail.as_object() {
                    Some(it) if !it.is_empty() => format!(" {detail}"),
                    Some(_) | None => String::new(),
                };
                let told = format!("{} {author}: {what}{detail}", report::when(*at));
                text += &format!("  {}\n", report::clean(&told));
            }
            text
        }
    };
    let mut out = output::open(None)?;
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("cannot write the result")?;
    Ok(DONE)
}

fn change(which: &Which, change: &Change, global: &Global) -> anyhow::Result<u8> {
    let mut book = open(&which.folder.path)?;
    let now = input::now(which.now.as_deref())?;
    let ids = match &which.query {
        None => which.ids.clone(),
        Some(query) => {
            let search = live::Search { query: query.clone(), now, ..live::Search::default() };
            book.ids(&search).map_err(|it| coded(&it))?
        }
    };
    let changed = book.change(&ids, change, &which.author, now).map_err(|it| coded(&it))?;
    let alerts = report::plural(changed.changed.len() as u64, "alert", "alerts");
    let unchanged = changed.unchanged.len();
    let rest = if unchanged == 0 { String::new() } else { format!(", {unchanged} were like that before") };
    terminal::note(global, &format!("{}: {alerts}{rest}", change.as_str()));
    if let Some(query) = &which.query {
        let silenced = live::Silenced::Only;
        let search = live::Search { query: query.clone(), silenced, now, ..live::Search::default() };
        let left = book.ids(&search).map_err(|it| coded(&it))?.len() as u64;
        if left > 0 {
            let left = report::plural(left, "alert that was", "alerts that were");
            terminal::note(global, &format!("{left} raised in a silence stay as they are; name them by id"));
        }
    }
    Ok(DONE)
}
