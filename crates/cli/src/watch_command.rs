//! `trailwarden serve tail` and `serve tap`: what comes to pass in a data directory, as it does.

use std::collections::HashSet;
use std::io::Write as _;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use cloudtrail::{Normaliser, ReadAt, RecordBuf};
use ecs::{Catalog, Object};
use jiff::Timestamp;
use live::Book;
use plan::naive::Evaluator;
use reader::RecordKind;
use rule::{QueryLanguage, Severity};
use serde_json::Value;
use store::Store;

use crate::alerts_command::{coded, line};
use crate::args::Global;
use crate::serve_args::{Tail, Tap, TapFormat};
use crate::status::DONE;
use crate::store_args::StoreFormat;
use crate::{input, output, store_command, terminal};

/// How long is waited between two looks.
const NAP: Duration = Duration::from_millis(250);
/// Alerts that are read at a time.
const AT_ONCE: usize = 500;

/// The query, if one is given.
fn query(text: &str) -> anyhow::Result<Option<Evaluator>> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let now = Timestamp::now().as_millisecond();
    let condition = rule::check_query(QueryLanguage::Kuery, text, &Catalog::ecs());
    let condition = condition.map_err(|it| coded(&live::LiveError::Query(it)))?;
    Ok(Some(Evaluator::new(&condition.at(now))))
}

pub(crate) fn tail(args: &Tail) -> anyhow::Result<u8> {
    let query = query(&args.query)?;
    let book = Book::open(&args.data).map_err(|it| coded(&it))?;
    let end =
        args.how_long.as_ref().map(|it| Instant::now() + Duration::from_millis(it.millis().unsigned_abs()));
    let mut last = if args.all { 0 } else { book.last_number().map_err(|it| coded(&it))? };
    let mut left = args.limit.unwrap_or(u64::MAX);
    let mut out = output::open(None)?;
    while left > 0 {
        let (alerts, next) = book.alerts_after(last, AT_ONCE).map_err(|it| coded(&it))?;
        last = next;
        let is_behind = alerts.len() == AT_ONCE;
        for alert in alerts.iter().filter(|it| is_wanted(it, args, query.as_ref())) {
            let text = match args.format {
                StoreFormat::Text => line(alert),
                StoreFormat::Json => Value::Object(alert.clone()).to_string() + "\n",
            };
            // Whoever follows wants each at once.
            out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("cannot write the result")?;
            left -= 1;
            if left == 0 {
                break;
            }
        }
        if end.is_some_and(|it| Instant::now() >= it) {
            break;
        }
        if !is_behind && left > 0 {
            std::thread::sleep(NAP);
        }
    }
    Ok(DONE)
}

fn is_wanted(alert: &Object, args: &Tail, query: Option<&Evaluator>) -> bool {
    let severity = alert.get("kibana.alert.severity").and_then(Value::as_str);
    let is_silenced = alert.contains_key("trailwarden.silence.id");
    args.severity.is_none_or(|least| severity.and_then(Severity::from_name) >= Some(least))
        && (args.silenced || !is_silenced)
        && query.is_none_or(|it| it.matches(alert))
}

pub(crate) fn tap(args: &Tap, global: &Global) -> anyhow::Result<u8> {
    if let Some(path) = &args.output {
        output::check(path)?;
    }
    let query = query(&args.query)?;
    let mut seen: HashSet<String> =
        segments(&args.data)?.into_iter().map(|it| it.name().to_owned()).collect();
    let end = Instant::now() + Duration::from_millis(args.how_long.millis().unsigned_abs());
    let mut normaliser = Normaliser::new(input::normalise(None)?);
    let (mut buffer, mut records, mut unreadable) = (RecordBuf::default(), Vec::new(), 0_u64);
    // Names are looked for in all records before any is written: what tells who in the last may stand in the first, too.
    while records.len() < args.limit && Instant::now() < end {
        for input in segments(&args.data)? {
            if !seen.insert(input.name().to_owned()) {
                continue;
            }
            let Some(segment) = input.segment() else { continue };
            let read = segment.read(None, &mut |it| {
                if it.kind != RecordKind::CloudTrail {
                    return ControlFlow::Continue(());
                }
                let Ok(record) = ecs::json::parse(it.text) else {
                    unreadable += 1;
                    return ControlFlow::Continue(());
                };
                let is_wanted = query.as_ref().is_none_or(|query| {
                    let read_at = ReadAt::new(Timestamp::now().as_millisecond());
                    let parsed = buffer.parse(it.text.as_bytes());
                    query.matches(&normaliser.document(&parsed, &read_at))
                });
                if is_wanted {
                    records.push(record);
                }
                if records.len() < args.limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            });
            // A compaction may have taken it away: its events are in another then, which is new.
            if read.is_err() {
                unreadable += 1;
            }
        }
        if records.len() < args.limit {
            std::thread::sleep(NAP);
        }
    }
    if args.redact {
        ruletest::redact(&mut records);
    }
    let text = match args.format {
        TapFormat::Ndjson => records.iter().map(|it| it.to_string() + "\n").collect(),
        TapFormat::Events => ruletest::events(&records),
    };
    let mut out = output::open(args.output.as_deref())?;
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("cannot write the result")?;
    let events = report::plural(records.len() as u64, "event", "events");
    terminal::note(global, &format!("{events} recorded"));
    if unreadable > 0 {
        terminal::note(global, &format!("{unreadable} more could not be read"));
    }
    Ok(DONE)
}

fn segments(data: &Path) -> anyhow::Result<Vec<reader::Input>> {
    Store::open(data).and_then(|it| it.inputs()).map_err(|it| store_command::coded(&it))
}
