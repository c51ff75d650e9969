//! `trailwarden serve tail` and `serve tap`: what comes to pass in a data directory, as it does.

use std::collections::HashSet;
use std::io::Write as _;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow};
use cloudtrail::{Normaliser, ReadAt, RecordBuf};
use ecs::{Catalog, Object};
use jiff::Timestamp;
use live::Book;
use plan::naive::Evaluator;
use reader::RecordKind;
use rule::{QueryLanguage, Severity};
use serde_json::Value;
use server::{Feed, FeedError};
use store::Store;

use crate::alerts_command::{coded, line};
use crate::args::Global;
use crate::serve_args::{Tail, Tap, TapFormat};
use crate::status::DONE;
use crate::store_args::StoreFormat;
use crate::{input, output, store_command, terminal};

/// How long is waited between two looks.
const NAP: Duration = Duration::from_millis(250);
/// The same, if it is a server that is asked.
const SERVER_NAP: Duration = Duration::from_secs(1);
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

/// Where alerts come from.
enum Source {
    Folder(Box<Book>),
    Server(Box<Feed>),
}

impl Source {
    fn of(args: &Tail) -> anyhow::Result<Self> {
        let Some(url) = &args.url else {
            let data = args.data.as_deref().context("name a data directory or a server")?;
            return Ok(Self::Folder(Box::new(Book::open(data).map_err(|it| coded(&it))?)));
        };
        let trusted = args
            .ca
            .as_ref()
            .map(|path| std::fs::read(path).with_context(|| format!("`{}` cannot be read", path.display())));
        let key = args.key.as_deref().unwrap_or_default();
        let feed = Feed::new(url, key, trusted.transpose()?.as_deref());
        Ok(Self::Server(Box::new(feed.map_err(|it| told(&it))?)))
    }

    /// The alerts after that of a number, and the number of the last; none, and where to begin, without one. Nothing if the
    /// server cannot be asked now.
    fn after(&self, number: Option<i64>) -> anyhow::Result<Result<(Vec<Object>, i64), FeedError>> {
        match (self, number) {
            (Self::Folder(book), None) => Ok(Ok((Vec::new(), book.last_number().map_err(|it| coded(&it))?))),
            (Self::Folder(book), Some(number)) => {
                Ok(Ok(book.alerts_after(number, AT_ONCE).map_err(|it| coded(&it))?))
            }
            (Self::Server(feed), number) => match feed.after(number, AT_ONCE) {
                Err(error) if !error.may_pass() => Err(told(&error)),
                answer => Ok(answer),
            },
        }
    }

    const fn nap(&self) -> Duration {
        match self {
            Self::Folder(_) => NAP,
            Self::Server(_) => SERVER_NAP,
        }
    }
}

fn told(error: &FeedError) -> anyhow::Error {
    anyhow!("{} {error}", error.code())
}

pub(crate) fn tail(args: &Tail, global: &Global) -> anyhow::Result<u8> {
    let query = query(&args.query)?;
    let source = Source::of(args)?;
    let how_long = args.how_long.as_ref();
    let end = how_long.map(|it| Instant::now() + Duration::from_millis(it.millis().unsigned_abs()));
    let mut last = args.all.then_some(0);
    let mut left = args.limit.unwrap_or(u64::MAX);
    let mut out = output::open(None)?;
    let mut is_lost = false;
    while left > 0 {
        let mut is_behind = false;
        match source.after(last)? {
            Ok((alerts, next)) => {
                is_lost = false;
                last = Some(next);
                is_behind = alerts.len() == AT_ONCE;
                for alert in alerts.iter().filter(|it| is_wanted(it, args, query.as_ref())) {
                    let text = match args.format {
                        StoreFormat::Text => line(alert),
                        StoreFormat::Json => Value::Object(alert.clone()).to_string() + "\n",
                    };
                    // Whoever follows wants each at once.
                    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
                    written.context("cannot write the result")?;
                    left -= 1;
                    if left == 0 {
                        break;
                    }
                }
            }
            // Nothing is missed by that: it goes on where it was.
            Err(error) if !is_lost => {
                is_lost = true;
                terminal::note(global, &format!("{}; it is asked again", told(&error)));
            }
            Err(_) => {}
        }
        if end.is_some_and(|it| Instant::now() >= it) {
            break;
        }
        if !is_behind && left > 0 {
            std::thread::sleep(source.nap());
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
