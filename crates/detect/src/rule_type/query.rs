//! `query` and `saved_query`: one alert for each event, oldest first.

use ecs::Millis;

use super::listed::ListedMatch;
use super::{Detail, Executions, Run};
use crate::collect::{EventRef, EventTable, Feed, Moved};
use crate::fate::{Fate, Watched};
use crate::schedule::{Ticks, Window};
use crate::tail::EventTime;
use crate::writer::{Writer, Written};

/// One match: sixteen bytes, as millions of them are ordinary.
#[derive(Clone, Copy, Debug)]
struct Match {
    time: Millis,
    event: EventRef,
    /// The event lacks the timestamp override.
    fallback: bool,
}

/// What one thread gathered.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gathered(Vec<Match>);

impl Gathered {
    pub(super) fn push(&mut self, at: EventTime, feed: &mut Feed<'_, '_>) -> bool {
        // Also what lies outside all ranges: it may be the copy that counts.
        self.add(at, feed.row());
        feed.is_in_reach
    }

    pub(super) fn add(&mut self, at: EventTime, event: EventRef) {
        self.0.push(Match { time: at.time, event, fallback: at.fallback });
    }

    pub(super) fn retain(&mut self, mut stays: impl FnMut(EventRef) -> bool) {
        self.0.retain(|it| stays(it.event));
    }

    pub(super) fn merge(&mut self, other: Self, moved: &mut Moved<'_>) {
        let since = moved.since;
        let kept = other.0.into_iter().filter(|it| it.time >= since);
        self.0.extend(kept.map(|it| Match { event: moved.event(it.event), ..it }));
    }

    pub(super) fn events(&self) -> impl Iterator<Item = EventRef> {
        self.0.iter().map(|it| it.event)
    }

    pub(super) fn finish(self, copies: &[Option<u32>], events: &EventTable) -> Complete {
        let mut found = self.0;
        let before = found.len();
        if !copies.is_empty() {
            // Of the copies of an event, the one read first stays.
            let copy = |it: &Match| copies[it.event.index()];
            found.sort_unstable_by_key(|it| (copy(it), events.origin(it.event), it.time));
            found.dedup_by(|a, b| copy(a).is_some() && copy(a) == copy(b));
        }
        let copies = (before - found.len()) as u64;
        found.sort_unstable_by(|a, b| {
            (a.fallback, a.time).cmp(&(b.fallback, b.time)).then_with(|| events.compare(a.event, b.event))
        });
        let split = found.partition_point(|it| !it.fallback);
        Complete { found, split, copies }
    }
}

/// All matches of a rule, in order.
#[derive(Debug)]
pub(crate) struct Complete {
    found: Vec<Match>,
    /// Where the events without the timestamp override begin.
    split: usize,
    copies: u64,
}

impl Complete {
    /// Of these matches, as they were listed.
    pub(super) fn of(matches: &[&ListedMatch], copies: u64, events: &EventTable) -> Self {
        let found = matches.iter().filter(|it| !it.is_copy);
        let found = found.map(|it| Match { time: it.at.time, event: it.event, fallback: it.at.fallback });
        Self { copies, ..Gathered(found.collect()).finish(&[], events) }
    }

    /// Events with the timestamp override (or of a rule without), then those that lack it, each by time.
    fn lists(&self) -> [&[Match]; 2] {
        let (with, without) = self.found.split_at(self.split);
        [with, without]
    }

    pub(super) fn copies(&self) -> u64 {
        self.copies
    }

    /// Every event in a range alerts, unless that is full.
    pub(super) fn why_not(&self, watched: &Watched, run: Run<'_>) -> Vec<Fate> {
        let is_it = |it: &&Match| watched.is(&run.matches.events, it.event);
        // Of a rule with groups, the delivery that stands for it may be in one of these.
        if self.found.iter().find(is_it).is_none_or(|it| it.time != watched.at.time) {
            return vec![Fate::Copy];
        }
        match run.ticks.first_holding(watched.at.time) {
            Some(tick) => {
                vec![Fate::Cut { execution: run.ticks.window(tick).started_at, terms: Vec::new() }]
            }
            None => vec![Fate::Unseen],
        }
    }
}

/// The executions of a query rule.
///
/// Ranges never move back and an execution takes the oldest first, so in each list all that was said lies
/// between where the range begins and a cursor: nothing before the cursor has to be looked at again.
pub(super) struct QueryExecutions<'a> {
    lists: [List<'a>; 2],
}

struct List<'a> {
    matches: &'a [Match],
    cursor: usize,
}

impl<'a> QueryExecutions<'a> {
    pub(super) fn new(complete: &'a Complete) -> Self {
        Self { lists: complete.lists().map(|matches| List { matches, cursor: 0 }) }
    }
}

impl List<'_> {
    /// Moves past what lies before `from`.
    fn skip_to(&mut self, from: Millis) {
        self.cursor += self.matches[self.cursor..].partition_point(|it| it.time < from);
    }

    fn next(&mut self, ticks: &Ticks, tick: i64) -> Option<i64> {
        loop {
            let time = self.matches.get(self.cursor)?.time;
            let reaching = ticks.in_range(ticks.first_reaching(time)?.max(tick))?;
            let from = ticks.window(reaching).from;
            if from <= time {
                return Some(reaching);
            }
            // The event fell between two ranges.
            self.skip_to(from);
        }
    }
}

impl Executions for QueryExecutions<'_> {
    fn next(&mut self, ticks: &Ticks, tick: i64) -> Option<i64> {
        self.lists.iter_mut().filter_map(|list| list.next(ticks, tick)).min()
    }

    fn execute(&mut self, _: i64, window: &Window, writer: &mut Writer<'_>) {
        for list in &mut self.lists {
            list.skip_to(window.from);
            while let Some(found) = list.matches.get(list.cursor).filter(|it| it.time <= window.to) {
                match writer.offer(found.event, Detail::Event) {
                    Written::Created | Written::Duplicate => list.cursor += 1,
                    Written::Suppressed | Written::Full => return,
                }
            }
        }
    }
}

/// What one execution offers of these matches, all of which lie in its range.
pub(super) fn by_the_book<'m>(
    matches: &[&'m ListedMatch],
    _: &Window,
    run: Run<'_>,
) -> Vec<(&'m ListedMatch, Detail)> {
    let events = &run.matches.events;
    let mut found: Vec<&'m ListedMatch> = matches.iter().copied().filter(|it| !it.is_copy).collect();
    found.sort_by(|a, b| {
        (a.at.fallback, a.at.time)
            .cmp(&(b.at.fallback, b.at.time))
            .then_with(|| events.compare(a.event, b.event))
    });
    found.into_iter().map(|it| (it, Detail::Event)).collect()
}
