//! `trailwarden alerts incident`.

use live::{AuditEntry, Book, Change, Incident, Search, Silenced};
use serde_json::{Value, json};

use crate::alerts_command::{coded, line, open, said};
use crate::analyst_args::{IncidentCommand, OneIncident};
use crate::args::Global;
use crate::count_command::write;
use crate::store_args::StoreFormat;
use crate::{input, terminal};

pub(crate) fn run(command: &IncidentCommand, global: &Global) -> anyhow::Result<u8> {
    match command {
        IncidentCommand::List { folder, status, limit, format } => {
            let found = open(&folder.path)?.incidents(*status, (0, *limit));
            let (total, found) = found.map_err(|it| coded(&it))?;
            if *format == StoreFormat::Json {
                let all: Vec<Value> = found.iter().map(Incident::told).collect();
                return write(&(json!({"total": total, "incidents": all}).to_string() + "\n"));
            }
            let lines: String = found.iter().map(told).collect();
            if (found.len() as u64) < total {
                let note = format!("{} of {total} incidents; --limit 0 prints all", found.len());
                terminal::note(global, &note);
            }
            write(&lines)
        }
        IncidentCommand::Show { id, folder, format } => show(*id, &open(&folder.path)?, *format),
        IncidentCommand::Acknowledge(which) => change(which, &Change::Acknowledge, global),
        IncidentCommand::Close { which, reason } => change(which, &Change::Close { reason: *reason }, global),
        IncidentCommand::Reopen(which) => change(which, &Change::Reopen, global),
        IncidentCommand::Assign { which, add, remove } => {
            said(add, remove, "--to WHO or --remove WHO")?;
            change(which, &Change::Assign { add: add.clone(), remove: remove.clone() }, global)
        }
        IncidentCommand::Note { which, text } => change(which, &Change::Note(text.clone()), global),
    }
}

fn change(which: &OneIncident, change: &Change, global: &Global) -> anyhow::Result<u8> {
    let now = input::now(which.by.now.as_deref())?;
    let mut book = open(&which.by.folder.path)?;
    let changed = book.change_incident(which.id, change, &which.by.author, now);
    let alerts = report::plural(changed.map_err(|it| coded(&it))?, "alert", "alerts");
    terminal::note(global, &format!("{}: incident {} and {alerts}", change.as_str(), which.id));
    write("")
}

fn show(id: i64, book: &Book, format: StoreFormat) -> anyhow::Result<u8> {
    let incident = book.incident(id).map_err(|it| coded(&it))?;
    let search = Search { incident: Some(id), silenced: Silenced::Included, ..Search::default() };
    let mut alerts = book.search(&search).map_err(|it| coded(&it))?.alerts;
    alerts.sort_by_cached_key(|it| {
        let time = ecs::alert::field(it, "original_time").and_then(ecs::document::date);
        time.or_else(|| ecs::document::timestamp(it))
    });
    let history = book.incident_history(id).map_err(|it| coded(&it))?;
    if format == StoreFormat::Json {
        let history: Vec<Value> = history.iter().map(AuditEntry::told).collect();
        let all = json!({"incident": incident.told(), "alerts": alerts, "history": history});
        return write(&(serde_json::to_string_pretty(&all)? + "\n"));
    }
    let mut text = told(&incident);
    for rule in &incident.rules {
        text += &format!("  {}\n", report::clean(rule));
    }
    for alert in &alerts {
        text += &line(alert);
    }
    for AuditEntry { at, author, what, detail } in &history {
        text +=
            &format!("  {}\n", report::clean(&format!("{} {author}: {what} {detail}", report::when(*at))));
    }
    write(&text)
}

/// An incident in a line.
fn told(it: &Incident) -> String {
    let alerts = report::plural(it.alerts, "alert", "alerts");
    let rules = report::plural(it.rules.len() as u64, "rule", "rules");
    let who = if it.assignees.is_empty() { String::new() } else { format!(", {}", it.assignees.join(", ")) };
    let text = format!(
        "{:>4}  {}  to {}  {:12}  {:8}  {}: {alerts} of {rules}{who}",
        it.id,
        report::when(it.first),
        report::when(it.last),
        it.status.as_str(),
        it.severity,
        it.root
    );
    report::clean(&text) + "\n"
}
