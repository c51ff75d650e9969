//! `trailwarden serve --demo`: a trail that is there, played in as if it ended now.

use std::ops::ControlFlow;
use std::path::Path;

use anyhow::{anyhow, bail};
use ecs::Millis;
use jiff::{SignedDuration, Timestamp};
use reader::{Discovery, Input, Reader, RecordKind};
use store::{Delivery, Ingest, IngestOptions};

use crate::VERSION;

/// The source that the records are on the account of.
const SOURCE: &str = "demo";
/// The length of `2026-03-01T10:00:00Z`.
const TIME_LENGTH: usize = 20;

/// The records of a trail.
#[derive(Default)]
struct Texts(Vec<String>);

impl reader::Sink for Texts {
    fn record(&mut self, record: reader::Record<'_>) -> ControlFlow<()> {
        if record.kind == RecordKind::CloudTrail {
            self.0.push(record.text.to_owned());
        }
        ControlFlow::Continue(())
    }

    fn problem(&mut self, _: reader::Problem) {}
}

/// Stores the records of a trail in a data directory that is empty, with all times moved so that the last event was just
/// now.
pub(crate) fn play(trail: &Path, data: &Path, threads: usize, now: Millis) -> anyhow::Result<()> {
    let is_empty = std::fs::read_dir(data).map_or(true, |mut it| it.next().is_none());
    if !is_empty {
        bail!(
            "--demo: `{}` is not empty; the times of the example would lie among those of others",
            data.display()
        );
    }
    let found = Discovery::find(&[trail.to_owned()], &mut std::io::empty());
    let found = found.map_err(|_| {
        anyhow!(
            "--demo: `{}` cannot be read; name a folder of records, or run it where `examples` lies",
            trail.display()
        )
    })?;
    let (mut reader, mut texts) = (Reader::default(), Texts::default());
    for input in &found.inputs {
        reader.read(input, &mut texts);
    }
    let times = texts.0.iter().filter_map(|it| event_time(it));
    let Some(last) = times.max() else {
        bail!("--demo: there is no record of CloudTrail in `{}`", trail.display());
    };
    let by = now / 1_000 * 1_000 - last;
    let moved: String = texts.0.iter().map(|it| moved(it, by) + "\n").collect();
    let options = IngestOptions {
        limits: reader::Limits::default(),
        threads,
        batch_bytes: 256 << 20,
        engine: VERSION.to_owned(),
        letters: store::LetterLimits::default(),
    };
    let mut ingest = Ingest::open(data, options).map_err(|it| crate::store_command::coded(&it))?;
    let input = Input::memory(0, trail.display().to_string(), std::sync::Arc::new(moved.into_bytes()));
    ingest
        .take(&[Delivery::new(SOURCE, input)], now)
        .and_then(|_| ingest.close())
        .map_err(|it| crate::store_command::coded(&it))?;
    Ok(())
}

/// When a record says that it happened.
fn event_time(record: &str) -> Option<Millis> {
    let at = record.find("\"eventTime\"")?;
    let rest = &record[at..];
    let start = rest.find(|it: char| it.is_ascii_digit())?;
    millis(rest.get(start..start + TIME_LENGTH)?)
}

fn millis(text: &str) -> Option<Millis> {
    Some(text.parse::<Timestamp>().ok()?.as_millisecond())
}

/// A record with every time in it moved.
fn moved(record: &str, by: Millis) -> String {
    let mut text = String::with_capacity(record.len());
    let mut rest = record;
    while let Some(quote) = rest.find('"') {
        let (before, after) = rest.split_at(quote + 1);
        text.push_str(before);
        rest = after;
        let time = rest.get(..TIME_LENGTH).filter(|it| it.ends_with('Z'));
        let time = time.and_then(|it| it.parse::<Timestamp>().ok());
        let time = time.and_then(|it| it.checked_add(SignedDuration::from_millis(by)).ok());
        if let Some(time) = time {
            text += &time.to_string();
            rest = &rest[TIME_LENGTH..];
        }
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_moved_and_nothing_else() {
        let record = "{\"eventTime\":\"2026-03-01T10:00:00Z\",\"a\":\"x 2026-03-01T10:00:00Z\",\"b\":[\"2026-02-28T23:59:59Z\"],\"c\":\"2026\",\"d\":\"\"}";
        let hour = "{\"eventTime\":\"2026-03-01T11:00:00Z\",\"a\":\"x 2026-03-01T10:00:00Z\",\"b\":[\"2026-03-01T00:59:59Z\"],\"c\":\"2026\",\"d\":\"\"}";
        assert_eq!(moved(record, 3_600_000), hour);
        assert_eq!(moved(hour, -3_600_000), record);
        assert_eq!(event_time(record), Some(1_772_359_200_000));
        assert_eq!(event_time("{}"), None);
    }
}
