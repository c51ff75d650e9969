//! `trailwarden store compact|prune|discard|backup|restore`.

use std::io::Write as _;
use std::sync::Arc;

use anyhow::Context as _;
use hunt::{Progress, Stage};
use report::{bytes, plural};
use serde_json::{Value, json};
use store::{Compacted, Compaction, Copied, Copying, Discarded, Pruned, Reason, Removed, Retention, Store};

use crate::args::Global;
use crate::status::{DONE, FOUND};
use crate::store_args::{Backup, Compact, Prune, Restore};
use crate::store_command::coded;
use crate::{input, output, terminal};

/// A bar over some segments of so many bytes; what it returns is to be told of bytes that are done.
fn progress(global: &Global, segments: u64, bytes: u64) -> (terminal::Bar, Arc<Progress>) {
    let progress = Arc::new(Progress::default());
    let bar = terminal::Bar::start(global, Arc::clone(&progress));
    progress.enter(Stage::Scanning);
    progress.expect(segments, bytes);
    (bar, progress)
}

fn print(text: &str) -> anyhow::Result<()> {
    let mut out = output::open(None)?;
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("cannot write the result")
}

pub(crate) fn compact(args: &Compact, global: &Global) -> anyhow::Result<u8> {
    let now = input::now(args.now.as_deref())?;
    // Who names a wrong folder must not make a store of it.
    Store::open(&args.folder.path).map_err(|it| coded(&it))?;
    let mut store = Store::open_or_create(&args.folder.path).map_err(|it| coded(&it))?;
    let overview = store.overview().map_err(|it| coded(&it))?;
    let (bar, progress) = progress(
        global,
        overview.days.iter().map(|it| it.segments).sum(),
        overview.days.iter().map(|it| it.bytes).sum(),
    );
    let compacted = store::compact(&mut store, Compaction::Full, now, &|bytes| progress.add_bytes(bytes));
    drop(bar);
    let Compacted { segments_before, segments_after, bytes_before, bytes_after, events } =
        compacted.map_err(|it| coded(&it))?;
    let text = if segments_before == 0 {
        "nothing to compact\n".to_owned()
    } else {
        format!(
            "{} in {}, {}: were {}, {}\n",
            plural(events, "event", "events"),
            plural(segments_after, "segment", "segments"),
            bytes(bytes_after),
            plural(segments_before, "segment", "segments"),
            bytes(bytes_before)
        )
    };
    print(&text)?;
    Ok(DONE)
}

pub(crate) fn prune(args: &Prune) -> anyhow::Result<u8> {
    let now = input::now(args.now.as_deref())?;
    let since = args.older_than.as_deref().map(|age| input::time("--older-than", &format!("now-{age}"), now));
    let retention = Retention { since: since.transpose()?, max_bytes: args.max_bytes };
    Store::open(&args.folder.path).map_err(|it| coded(&it))?;
    let mut store = Store::open_or_create(&args.folder.path).map_err(|it| coded(&it))?;
    let pruned = store::prune(&mut store, retention, args.dry_run, now).map_err(|it| coded(&it))?;
    let Pruned { removed, bytes: left } = pruned;
    let mut text = String::new();
    for it in &removed {
        text += &format!(
            "{}  {:>12}  {:>10}  {}\n",
            it.day.name(),
            plural(it.events, "event", "events"),
            bytes(it.bytes),
            match it.reason {
                Reason::Age => "too old",
                Reason::Size => "no room",
                Reason::Damage => "damaged",
            }
        );
    }
    let days = plural(removed.len() as u64, "day", "days");
    let what = if args.dry_run { "would go" } else { "removed" };
    text += &format!("{days} {what}, {} left\n", bytes(left));
    if let Some(most) = args.max_bytes.filter(|&most| left > most) {
        text += &format!("more than {} are left: the last day and events without a time stay\n", bytes(most));
    }
    print(&text)?;
    Ok(DONE)
}

pub(crate) fn discard(args: &Compact, global: &Global) -> anyhow::Result<u8> {
    let now = input::now(args.now.as_deref())?;
    Store::open(&args.folder.path).map_err(|it| coded(&it))?;
    let mut store = Store::open_or_create(&args.folder.path).map_err(|it| coded(&it))?;
    let overview = store.overview().map_err(|it| coded(&it))?;
    let (bar, progress) = progress(
        global,
        overview.days.iter().map(|it| it.segments).sum(),
        overview.days.iter().map(|it| it.bytes).sum(),
    );
    let discarded = store::discard(&mut store, now, &|bytes| progress.add_bytes(bytes));
    drop(bar);
    let discarded = discarded.map_err(|it| coded(&it))?;
    let mut text = String::new();
    for Discarded { removed, wrong, file } in &discarded {
        let events = plural(removed.events, "event", "events");
        text += &format!("{}  {events}  {}\n", removed.day.name(), report::clean(wrong));
        if let Some(file) = file {
            text += &format!("  now {}\n", report::clean(&file.display().to_string()));
        }
    }
    let events: u64 = discarded.iter().map(|it| it.removed.events).sum();
    text += &if discarded.is_empty() {
        "all as it was written: nothing is set aside\n".to_owned()
    } else {
        format!(
            "{} set aside, with {}; what delivered them can deliver them again (`store add --again`)\n",
            plural(discarded.len() as u64, "segment", "segments"),
            plural(events, "event", "events")
        )
    };
    print(&text)?;
    Ok(if discarded.is_empty() { DONE } else { FOUND })
}

/// A day that retention removed, as JSON.
pub(crate) fn removed(it: &Removed) -> Value {
    let Removed { at, day, segments, events, bytes, reason } = it;
    json!({
        "at": ecs::date::to_iso(*at),
        "day": day.name(),
        "segments": segments,
        "events": events,
        "bytes": bytes,
        "reason": reason.as_str(),
    })
}

pub(crate) fn backup(args: &Backup, global: &Global) -> anyhow::Result<u8> {
    let store = Store::open(&args.folder.path).map_err(|it| coded(&it))?;
    let overview = store.overview().map_err(|it| coded(&it))?;
    let (bar, progress) = progress(
        global,
        overview.days.iter().map(|it| it.segments).sum(),
        overview.days.iter().map(|it| it.bytes).sum(),
    );
    let copying = if args.copy { Copying::Apart } else { Copying::Linked };
    let copied = store::copy(&store, &args.into, copying, &|bytes| progress.add_bytes(bytes));
    drop(bar);
    let copied = copied.map_err(|it| coded(&it))?;
    let mut text = told(copied);
    if copied.linked > 0 {
        let files = plural(copied.linked, "segment is", "segments are");
        text += &format!("{files} shared with the store: --copy makes a copy that its damage cannot reach\n");
    }
    print(&text)?;
    Ok(DONE)
}

pub(crate) fn restore(args: &Restore, global: &Global) -> anyhow::Result<u8> {
    let backup = Store::open(&args.from).map_err(|it| coded(&it))?;
    let overview = backup.overview().map_err(|it| coded(&it))?;
    let (segments, size): (u64, u64) =
        (overview.days.iter().map(|it| it.segments).sum(), overview.days.iter().map(|it| it.bytes).sum());
    let (bar, progress) = progress(global, 2 * segments, 2 * size);
    let add = |bytes: u64| progress.add_bytes(bytes);
    let copied = store::copy(&backup, &args.folder.path, Copying::Apart, &add);
    let copied = copied.map_err(|it| coded(&it))?;
    let store = Store::open(&args.folder.path).map_err(|it| coded(&it))?;
    let check = store.check(&add);
    drop(bar);
    let check = check.map_err(|it| coded(&it))?;
    let mut text = told(copied);
    if check.wrong.is_empty() {
        text += "all as it was written\n";
    }
    for it in &check.wrong {
        text += &format!("  {}\n", report::clean(it));
    }
    print(&text)?;
    Ok(if check.wrong.is_empty() { DONE } else { FOUND })
}

fn told(copied: Copied) -> String {
    let Copied { segments, events, bytes: size, linked: _ } = copied;
    format!(
        "{} in {}, {}\n",
        plural(events, "event", "events"),
        plural(segments, "segment", "segments"),
        bytes(size)
    )
}
