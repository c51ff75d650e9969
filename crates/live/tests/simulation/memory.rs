//! A store in memory.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use ecs::Millis;
use live::{CountedSegment, Events, LiveError};
use reader::{Ingested, Input, RecordKind, Stored, StoredError, StoredRecord, TakeStored};

/// An event that is kept.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) ingested: Millis,
    pub(crate) time: Millis,
    pub(crate) text: Arc<str>,
}

/// A segment.
#[derive(Debug)]
struct Segment(Vec<Kept>);

impl Stored for Segment {
    fn read(&self, wanted: Option<&[u64]>, take: &mut TakeStored<'_>) -> Result<(), StoredError> {
        for (ordinal, it) in (0..).zip(&self.0) {
            if wanted.is_some_and(|wanted| wanted.binary_search(&ordinal).is_err()) {
                continue;
            }
            let kind = RecordKind::CloudTrail;
            let record = StoredRecord { ordinal, kind, id: None, index: None, text: &it.text };
            if let ControlFlow::Break(()) = take(record) {
                break;
            }
        }
        Ok(())
    }

    fn fields(&self) -> &'static [&'static str] {
        &[]
    }

    fn parts(&self) -> usize {
        0
    }

    fn part(&self, _: usize, _: &[&str], _: &mut reader::TakePart<'_>) -> Result<(), StoredError> {
        Err(StoredError { detail: "there are no columns".to_owned() })
    }

    fn ingested(&self) -> Result<Ingested, StoredError> {
        Ok(Ingested::of(self.0.iter().map(|it| it.ingested).collect()))
    }
}

/// What there is.
#[derive(Debug, Default)]
struct Contents {
    next: u64,
    segments: Vec<(u64, Arc<Segment>)>,
    last: Millis,
    /// After so many questions the process is killed.
    killed_after: Option<u64>,
}

/// Events, as a process sees them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memory(Arc<Mutex<Contents>>);

impl Memory {
    /// Stores a batch; its events were ingested at `now`, or just after the batch before.
    pub(crate) fn add(&self, now: Millis, events: Vec<(Millis, String)>) {
        let mut its = self.0.lock().unwrap();
        let ingested = now.max(its.last + 1);
        its.last = ingested;
        let kept = events.into_iter().map(|(time, text)| Kept { ingested, time, text: text.into() });
        let segment = Arc::new(Segment(kept.collect()));
        let number = its.next;
        its.next += 1;
        its.segments.push((number, segment));
    }

    /// Puts one segment in place of several.
    pub(crate) fn compact(&self, range: std::ops::Range<usize>) {
        let mut its = self.0.lock().unwrap();
        let mut all: Vec<Kept> = Vec::new();
        for (_, segment) in its.segments.drain(range.clone()) {
            all.extend(segment.0.iter().cloned());
        }
        all.sort_by_key(|it| it.time);
        let number = its.next;
        its.next += 1;
        its.segments.insert(range.start, (number, Arc::new(Segment(all))));
    }

    pub(crate) fn len(&self) -> usize {
        self.0.lock().unwrap().segments.len()
    }

    /// Whoever asks so many times finds itself killed.
    pub(crate) fn kill_after(&self, questions: Option<u64>) {
        self.0.lock().unwrap().killed_after = questions;
    }

    pub(crate) fn inputs(&self) -> Vec<Input> {
        let its = self.0.lock().unwrap();
        let input = |(number, segment): &(u64, Arc<Segment>)| {
            let last = segment.0.iter().map(|it| it.time).max();
            let name = PathBuf::from(format!("{number:08}"));
            Input::stored(Arc::clone(segment) as Arc<dyn Stored>, name, 1, last)
        };
        its.segments.iter().map(input).collect()
    }
}

impl Events for Memory {
    fn version(&self) -> Result<(u64, u64), LiveError> {
        let mut its = self.0.lock().unwrap();
        if let Some(left) = &mut its.killed_after {
            if *left == 0 {
                return Err(LiveError::NoRule { name: "killed".to_owned() });
            }
            *left -= 1;
        }
        Ok((its.next, its.segments.len() as u64))
    }

    fn segments(&self) -> Result<Vec<CountedSegment>, LiveError> {
        let counted = |input: Input| CountedSegment { name: input.name().to_owned(), input };
        Ok(self.inputs().into_iter().map(counted).collect())
    }
}
