//! `trailwarden store`.

use std::io::Write as _;
use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use hunt::{Progress, Stage};
use reader::Discovery;
use report::{bytes, count, plural};
use serde_json::{Value, json};
use store::{Accounting, AddOptions, Check, DayOverview, Overview, Reason, Removed, Store, StoreError};

use crate::VERSION;
use crate::args::Global;
use crate::status::{self, DONE, FOUND};
use crate::store_args::{Add, Show, StoreCommand, StoreFormat};
use crate::{input, output, store_letters, store_upkeep, terminal};

pub(crate) fn run(args: &StoreCommand, global: &Global) -> anyhow::Result<u8> {
    match args {
        StoreCommand::Add(args) => add(args, global),
        StoreCommand::Show(args) => show(args),
        StoreCommand::Check(args) => check(args, global),
        StoreCommand::Compact(args) => store_upkeep::compact(args, global),
        StoreCommand::Prune(args) => store_upkeep::prune(args),
        StoreCommand::Discard(args) => store_upkeep::discard(args, global),
        StoreCommand::Backup(args) => store_upkeep::backup(args, global),
        StoreCommand::Restore(args) => store_upkeep::restore(args, global),
        StoreCommand::DeadLetters(args) => store_letters::run(args),
    }
}

/// An error with its code, as messages of this tool have it.
pub(crate) fn coded(error: &StoreError) -> anyhow::Error {
    let code = error.code();
    anyhow!("{code} {error}")
}

fn add(args: &Add, global: &Global) -> anyhow::Result<u8> {
    let now = input::now(args.now.as_deref())?;
    let discovery = Discovery::find(&args.paths, &mut std::io::stdin()).map_err(hunt::HuntError::Paths)?;
    let mut store = Store::open_or_create(&args.folder.path).map_err(|it| coded(&it))?;
    if store.orphans > 0 {
        let files = plural(store.orphans, "file", "files");
        terminal::note(global, &format!("{files} of a run that was stopped counted for nothing and went"));
    }
    let progress = Arc::new(Progress::default());
    let bar = terminal::Bar::start(global, Arc::clone(&progress));
    progress.enter(Stage::Scanning);
    progress.expect(discovery.inputs.len() as u64, discovery.inputs.iter().map(|it| it.size).sum());
    let options = AddOptions {
        inputs: &discovery.inputs,
        limits: args.limits.reader(),
        threads: input::threads(args.threads).get(),
        batch_bytes: usize::try_from(args.batch_bytes).unwrap_or(usize::MAX),
        again: args.again,
        now,
        engine: VERSION,
    };
    let added = store::add(&mut store, &options, &|step| {
        progress.add_bytes(step.bytes);
        progress.add_records(step.records);
        (0..step.files).for_each(|_| progress.add_file());
    });
    drop(bar);
    let added = added.map_err(|it| coded(&it))?;
    let mut notices: Vec<String> = discovery.notices.iter().map(ToString::to_string).collect();
    notices.extend(discovery.failures.iter().map(|it| format!("{} {it}", it.code())));
    let troubles: Vec<hunt::Trouble> =
        added.troubles.into_iter().map(|it| hunt::Trouble { code: Some(it.code), text: it.text }).collect();
    terminal::troubles(global, &notices, &troubles, added.trouble_count);
    let mut out = output::open(None)?;
    let files = plural(added.files, "file", "files");
    let mut text = format!("{files}: {}\n", accounted(&added.accounting));
    if added.passed_over > 0 {
        let files = plural(added.passed_over, "file was", "files were");
        text += &format!("{files} taken in before and not read again (--again reads them)\n");
    }
    if added.segments > 0 {
        text += &format!(
            "{} of records in {}, {}\n",
            bytes(added.text_bytes),
            plural(added.segments, "segment", "segments"),
            bytes(added.bytes)
        );
    }
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("cannot write the result")?;
    let is_complete = added.loss_count == 0 && discovery.failures.is_empty();
    Ok(status::of(
        false,
        status::Input {
            is_usable: added.accounting.stored + added.accounting.duplicate + added.passed_over > 0
                || is_complete,
            is_complete,
            strict: args.strict,
        },
    ))
}

fn accounted(it: &Accounting) -> String {
    let Accounting { read, stored, duplicate, unreadable, dropped } = *it;
    let mut text = format!(
        "{} read = {} stored + {} there already + {} unreadable",
        plural(read, "record", "records"),
        count(stored),
        count(duplicate),
        count(unreadable)
    );
    // Only what comes from sources of a server is ever dropped.
    if dropped > 0 {
        text += &format!(" + {} dropped by configuration", count(dropped));
    }
    text
}

fn show(args: &Show) -> anyhow::Result<u8> {
    let store = Store::open(&args.folder.path).map_err(|it| coded(&it))?;
    let overview = store.overview().map_err(|it| coded(&it))?;
    let text = match args.format {
        StoreFormat::Json => json(&overview).to_string() + "\n",
        StoreFormat::Text => text(&overview),
    };
    let mut out = output::open(None)?;
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("cannot write the result")?;
    Ok(DONE)
}

fn text(it: &Overview) -> String {
    let sum = |of: &dyn Fn(&DayOverview) -> u64| it.days.iter().map(of).sum::<u64>();
    let (events, segments) = (sum(&|it| it.events), sum(&|it| it.segments));
    let (size, text_size) = (sum(&|it| it.bytes), sum(&|it| it.text_bytes));
    let mut text = format!(
        "{} in {}, {} ({} of records)\n",
        plural(events, "event", "events"),
        plural(segments, "segment", "segments"),
        bytes(size),
        bytes(text_size)
    );
    if let Some((first, last)) = it.span {
        text += &format!("from {} to {}\n", report::when(first), report::when(last));
    }
    if it.undated > 0 {
        text += &format!("{} without a time\n", plural(it.undated, "event", "events"));
    }
    let columns: Vec<String> = it.columns.iter().map(ToString::to_string).collect();
    text += &format!(
        "{}, {}: {}\n",
        plural(it.batches, "batch", "batches"),
        plural(it.files, "file", "files"),
        accounted(&it.accounting)
    );
    let is_damage = |it: &&Removed| it.reason == Reason::Damage;
    let (damaged, retired): (Vec<&Removed>, Vec<&Removed>) = it.removed.iter().partition(is_damage);
    for (removed, why, (one, many)) in
        [(retired, "by retention", ("day", "days")), (damaged, "as damaged", ("segment", "segments"))]
    {
        if !removed.is_empty() {
            let events = plural(removed.iter().map(|it| it.events).sum(), "event", "events");
            text += &format!("{events} removed {why} ({})\n", plural(removed.len() as u64, one, many));
        }
    }
    text += &format!(
        "format {}, columns of version {}\n",
        it.format,
        if columns.is_empty() { "-".to_owned() } else { columns.join(", ") }
    );
    for day in &it.days {
        text += &format!(
            "  {:10}  {:>12}  {:>3} {:8}  {:>10}\n",
            day.day,
            plural(day.events, "event", "events"),
            day.segments,
            if day.segments == 1 { "segment" } else { "segments" },
            bytes(day.bytes)
        );
    }
    text
}

fn json(it: &Overview) -> Value {
    let Overview { format, columns, days, span, undated, accounting, batches, files, removed } = it;
    let day = |it: &DayOverview| {
        let DayOverview { day, segments, events, bytes, text_bytes } = it;
        json!({
            "day": day,
            "segments": segments,
            "events": events,
            "bytes": bytes,
            "record_bytes": text_bytes,
        })
    };
    let Accounting { read, stored, duplicate, unreadable, dropped } = accounting;
    json!({
        "format": format,
        "columns": columns,
        "events": days.iter().map(|it| it.events).sum::<u64>(),
        "segments": days.iter().map(|it| it.segments).sum::<u64>(),
        "bytes": days.iter().map(|it| it.bytes).sum::<u64>(),
        "record_bytes": days.iter().map(|it| it.text_bytes).sum::<u64>(),
        "first": span.map(|it| ecs::date::to_iso(it.0)),
        "last": span.map(|it| ecs::date::to_iso(it.1)),
        "undated": undated,
        "records": {"read": read, "stored": stored, "duplicate": duplicate, "unreadable": unreadable, "dropped": dropped},
        "batches": batches,
        "files": files,
        "removed": removed.iter().map(store_upkeep::removed).collect::<Vec<_>>(),
        "days": days.iter().map(day).collect::<Vec<_>>(),
    })
}

fn check(args: &Show, global: &Global) -> anyhow::Result<u8> {
    let store = Store::open(&args.folder.path).map_err(|it| coded(&it))?;
    let progress = Arc::new(Progress::default());
    let bar = terminal::Bar::start(global, Arc::clone(&progress));
    progress.enter(Stage::Scanning);
    let overview = store.overview().map_err(|it| coded(&it))?;
    progress.expect(
        overview.days.iter().map(|it| it.segments).sum(),
        overview.days.iter().map(|it| it.bytes).sum(),
    );
    let found = store.check(&|bytes| {
        progress.add_bytes(bytes);
        progress.add_file();
    });
    drop(bar);
    let Check { segments, events, wrong, orphans } = found.map_err(|it| coded(&it))?;
    let text = match args.format {
        StoreFormat::Json => {
            json!({"segments": segments, "events": events, "wrong": wrong, "orphans": orphans}).to_string()
                + "\n"
        }
        StoreFormat::Text => {
            let mut text = format!(
                "{}, {}: {}\n",
                plural(segments, "segment", "segments"),
                plural(events, "event", "events"),
                if wrong.is_empty() {
                    "all as it was written".to_owned()
                } else {
                    plural(wrong.len() as u64, "thing is", "things are") + " wrong"
                }
            );
            for it in &wrong {
                text += &format!("  {}\n", report::clean(it));
            }
            if !orphans.is_empty() {
                let files = plural(orphans.len() as u64, "file counts", "files count");
                text += &format!(
                    "{files} for nothing (a run was stopped) and will go with the next `store add`\n"
                );
            }
            text
        }
    };
    let mut out = output::open(None)?;
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("cannot write the result")?;
    Ok(if wrong.is_empty() { DONE } else { FOUND })
}
