//! What the events of one filter answer to many questions.
//!
//! Alerts by the thousand ask the same of their own times: of one account whether it has events at all, of one role what it
//! did around each of them. What an event costs must not depend on how many ask. So all questions of a filter share what it
//! found:
//!
//! ```text
//! questions      |---- a ----|
//!                      |------- b -------|          an event is kept once, whoever asks for it
//! to count   ....|....|......|...........|....      an event is counted in one piece; a question adds up its pieces
//! ```

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use ecs::Millis;
use investigate::{Answer, Event, Events, Question, nearest};
use xxhash_rust::xxh3::xxh3_64;

/// The questions of one filter.
#[derive(Debug, Default)]
pub(crate) struct Asked<'q> {
    /// Those that only count,
    counting: Vec<(usize, &'q Question)>,
    /// and the times at which their pieces begin.
    cuts: Vec<Millis>,
    /// Those that want events,
    wanting: Vec<(usize, &'q Question)>,
    /// and when these may happen: times that do not meet, in order, both ends included.
    windows: Vec<(Millis, Millis)>,
}

impl<'q> Asked<'q> {
    /// Of questions with their numbers.
    pub(crate) fn new(questions: impl IntoIterator<Item = (usize, &'q Question)>) -> Self {
        let (counting, wanting): (Vec<_>, Vec<_>) =
            questions.into_iter().partition(|(_, question)| question.limit == 0);
        let mut cuts: Vec<Millis> =
            counting.iter().flat_map(|(_, it)| [it.from, it.to.saturating_add(1)]).collect();
        cuts.sort_unstable();
        cuts.dedup();
        let mut all: Vec<(Millis, Millis)> = wanting.iter().map(|(_, it)| (it.from, it.to)).collect();
        all.sort_unstable();
        let mut windows: Vec<(Millis, Millis)> = Vec::new();
        for (from, to) in all.into_iter().filter(|(from, to)| from <= to) {
            match windows.last_mut().filter(|it| from <= it.1) {
                Some(last) => last.1 = last.1.max(to),
                None => windows.push((from, to)),
            }
        }
        Self { counting, cuts, wanting, windows }
    }

    /// The first question, which has the filter.
    pub(crate) fn first(&self) -> Option<&'q Question> {
        self.counting.iter().chain(&self.wanting).min_by_key(|(number, _)| *number).map(|(_, it)| *it)
    }

    /// Whether none of them wants events.
    pub(crate) fn only_counts(&self) -> bool {
        self.wanting.is_empty()
    }

    fn is_wanted(&self, time: Millis) -> bool {
        let at = self.windows.partition_point(|it| it.1 < time);
        self.windows.get(at).is_some_and(|it| it.0 <= time)
    }
}

/// What the events of one filter amount to between two cuts.
#[derive(Clone, Copy, Debug, Default)]
struct Piece {
    count: u64,
    span: Option<(Millis, Millis)>,
}

fn join(a: Option<(Millis, Millis)>, b: Option<(Millis, Millis)>) -> Option<(Millis, Millis)> {
    match (a, b) {
        (Some(a), Some(b)) => Some((a.0.min(b.0), a.1.max(b.1))),
        (a, b) => a.or(b),
    }
}

/// What one thread found of one filter.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pieces: Vec<Piece>,
    /// With their times: they are put in order by these.
    events: Vec<(Millis, Arc<Event>)>,
    /// The time and the id of every delivery that somebody wanted and that was thrown away: how many events there are is
    /// known all the same.
    thrown: Vec<(Millis, u64)>,
    /// Of so many events those are thrown away that nobody gets.
    full_at: usize,
}

impl Found {
    /// Takes an event; `make` makes it if it is kept.
    pub(crate) fn add(&mut self, asked: &Asked<'_>, time: Millis, make: impl FnOnce() -> Arc<Event>) {
        if !asked.cuts.is_empty() {
            self.pieces.resize(asked.cuts.len() + 1, Piece::default());
            let piece = &mut self.pieces[asked.cuts.partition_point(|it| *it <= time)];
            piece.count += 1;
            piece.span = join(piece.span, Some((time, time)));
        }
        if asked.is_wanted(time) {
            self.events.push((time, make()));
            if self.events.len() > self.full_at.max(FULL_MIN) {
                self.keep_nearest(asked);
            }
        }
    }

    /// Throws away what no question gets: the same is left whatever came first.
    fn keep_nearest(&mut self, asked: &Asked<'_>) {
        self.sort();
        // At each place how many questions begin, less those that end.
        let mut turns = vec![0_i64; self.events.len() + 1];
        for (_, question) in &asked.wanting {
            let given = given(&self.events, |it| it.0, question);
            turns[given.start] += 1;
            turns[given.end] -= 1;
        }
        let mut getting = 0;
        let mut turns = turns.into_iter();
        let thrown = &mut self.thrown;
        self.events.retain(|(time, event)| {
            getting += turns.next().unwrap_or(0);
            if getting == 0 {
                thrown.push((*time, hash_of(event)));
            }
            getting > 0
        });
        self.full_at = self.events.len() * 2;
    }

    /// By time and id; what is the same of both is there once.
    fn sort(&mut self) {
        self.events.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.id.cmp(&b.1.id)));
        self.events.dedup_by(|a, b| a.0 == b.0 && a.1.id == b.1.id);
    }

    /// Takes what another thread found.
    pub(crate) fn merge(&mut self, other: Self) {
        if self.pieces.is_empty() {
            self.pieces = other.pieces;
        } else {
            for (mine, its) in self.pieces.iter_mut().zip(other.pieces) {
                mine.count += its.count;
                mine.span = join(mine.span, its.span);
            }
        }
        self.events.extend(other.events);
        self.thrown.extend(other.thrown);
    }

    /// The answers, each with the number of its question.
    pub(crate) fn finish(mut self, asked: &Asked<'_>) -> Vec<(usize, Answer)> {
        self.sort();
        let kept = self.events.iter().map(|(time, event)| (*time, hash_of(event)));
        let deliveries = Deliveries::of(self.thrown.into_iter().chain(kept).collect());
        let events: Arc<[Arc<Event>]> = self.events.into_iter().map(|it| it.1).collect();
        let copied: Vec<usize> = places_of(&events, &deliveries.copied);
        let count = |&(number, question): &(usize, &Question)| {
            let at = |time: Millis| asked.cuts.partition_point(|it| *it <= time);
            let pieces = self.pieces.get(at(question.from)..=at(question.to)).unwrap_or_default();
            let total = pieces.iter().map(|it| it.count).sum();
            let span = pieces.iter().fold(None, |span, it| join(span, it.span));
            (number, Answer { events: Events::default(), total, span })
        };
        let events = |&(number, question): &(usize, &Question)| {
            let range = given(&events, |it| it.time, question);
            let mut its = Events::of(&events, range.clone());
            // Copies of one event may differ in their time: the first counts.
            let from = copied.partition_point(|it| *it < range.start);
            if copied.get(from).is_some_and(|it| *it < range.end) {
                let mut seen: HashSet<&str> = HashSet::new();
                let once: Arc<[Arc<Event>]> = its.iter().filter(|it| seen.insert(&*it.id)).cloned().collect();
                its = Events::of(&once, 0..once.len());
            }
            let (total, span) = deliveries.between(question.from, question.to);
            (number, Answer { events: its, total, span })
        };
        asked.counting.iter().map(count).chain(asked.wanting.iter().map(events)).collect()
    }
}

/// So many events are kept before anybody asks who gets them.
const FULL_MIN: usize = 100_000;

/// Where the events stand that a question gets: of more than it wants the nearest. `events` are in order.
fn given<T>(events: &[T], time: impl Fn(&T) -> Millis, question: &Question) -> Range<usize> {
    let start = events.partition_point(|it| time(it) < question.from);
    let end = events.partition_point(|it| time(it) <= question.to).max(start);
    let nearest = nearest(&events[start..end], time, question.near, question.limit);
    start + nearest.start..start + nearest.end
}

fn hash_of(event: &Event) -> u64 {
    xxh3_64(event.id.as_bytes())
}

/// The places of events with these ids.
fn places_of(events: &[Arc<Event>], ids: &HashSet<u64>) -> Vec<usize> {
    if ids.is_empty() {
        return Vec::new();
    }
    let is_one = |it: &Arc<Event>| ids.contains(&hash_of(it));
    events.iter().enumerate().filter(|(_, it)| is_one(it)).map(|(at, _)| at).collect()
}

/// The deliveries of events.
#[derive(Debug)]
struct Deliveries {
    /// Their times, in order; of one event once each.
    times: Vec<Millis>,
    /// Of events with several times each time with the one that follows.
    pairs: Vec<(Millis, Millis)>,
    /// The ids of these.
    copied: HashSet<u64>,
}

impl Deliveries {
    fn of(mut all: Vec<(Millis, u64)>) -> Self {
        all.sort_unstable_by_key(|&(time, id)| (id, time));
        all.dedup();
        let mut pairs = Vec::new();
        let mut copied = HashSet::new();
        for two in all.windows(2) {
            if two[0].1 == two[1].1 {
                pairs.push((two[0].0, two[1].0));
                copied.insert(two[0].1);
            }
        }
        let mut times: Vec<Millis> = all.into_iter().map(|(time, _)| time).collect();
        times.sort_unstable();
        Self { times, pairs, copied }
    }

    /// How many events happened between two times, and when the first and the last of them did.
    fn between(&self, from: Millis, to: Millis) -> (u64, Option<(Millis, Millis)>) {
        let start = self.times.partition_point(|it| *it < from);
        let end = self.times.partition_point(|it| *it <= to).max(start);
        let its = &self.times[start..end];
        let span = its.first().copied().zip(its.last().copied());
        let again = self.pairs.iter().filter(|(a, b)| *a >= from && *b <= to).count();
        ((its.len() - again) as u64, span)
    }
}

/// Groups questions by their texts, in the order of the first: those of one text share a filter.
pub(crate) fn by_text(questions: &[Question]) -> Vec<Asked<'_>> {
    let mut groups: Vec<Vec<(usize, &Question)>> = Vec::new();
    let mut known: HashMap<&str, usize> = HashMap::new();
    for (number, question) in questions.iter().enumerate() {
        let group = *known.entry(&question.text).or_insert(groups.len());
        if group == groups.len() {
            groups.push(Vec::new());
        }
        groups[group].push((number, question));
    }
    groups.into_iter().map(Asked::new).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use investigate::Pool;
    use plan::Expr;
    use proptest::prelude::*;

    use super::*;

    fn event(id: u8, time: Millis) -> Arc<Event> {
        Arc::new(Pool::default().event(&id.to_string(), time, std::iter::empty::<Vec<Arc<str>>>()))
    }

    /// One question alone, as it is said: each event once, the first of its copies; of more than are wanted the nearest.
    fn plainly(
        deliveries: &[(u8, Millis)],
        question: &Question,
    ) -> (Vec<Millis>, u64, Option<(Millis, Millis)>) {
        let its: Vec<(u8, Millis)> =
            deliveries.iter().copied().filter(|it| (question.from..=question.to).contains(&it.1)).collect();
        let span = its.iter().map(|it| it.1).min().zip(its.iter().map(|it| it.1).max());
        if question.limit == 0 {
            return (Vec::new(), its.len() as u64, span);
        }
        let mut first: BTreeMap<u8, Millis> = BTreeMap::new();
        for (id, time) in its {
            let known = first.entry(id).or_insert(time);
            *known = time.min(*known);
        }
        let mut times: Vec<Millis> = first.values().copied().collect();
        times.sort_by_key(|it| (it.abs_diff(question.near), *it));
        times.truncate(question.limit);
        times.sort_unstable();
        (times, first.len() as u64, span)
    }

    fn question() -> impl Strategy<Value = Question> {
        (0..40_i64, 0..40_i64, 0..40_i64, 0..6_usize, 0..2_u8).prop_map(
            |(from, length, near, limit, text)| Question {
                text: text.to_string().into(),
                filter: Expr::And(Vec::new()).into(),
                from,
                to: from + length,
                near,
                limit,
            },
        )
    }

    proptest! {
        /// Questions that share a filter are answered as each would be alone, whatever the threads and what is thrown away.
        #[test]
        fn sharing_changes_no_answer(
            questions in prop::collection::vec(question(), 1..8),
            // Each event has one time.
            times in prop::collection::vec(0..60_i64, 1..40),
            deliveries in prop::collection::vec(0..40_usize, 0..80),
            threads in 1..4_usize,
            throws_away: bool,
        ) {
            let deliveries: Vec<(u8, Millis)> =
                deliveries.iter().map(|it| it % times.len()).map(|it| (it as u8, times[it])).collect();
            for asked in by_text(&questions) {
                let mut found: Vec<Found> = (0..threads).map(|_| Found::default()).collect();
                for (at, &(id, time)) in deliveries.iter().enumerate() {
                    let its = &mut found[at % threads];
                    its.add(&asked, time, || event(id, time));
                    if throws_away && at % 7 == 0 {
                        its.keep_nearest(&asked);
                    }
                }
                let all = found.into_iter().reduce(|mut all, it| { all.merge(it); all }).unwrap();
                for (number, answer) in all.finish(&asked) {
                    let times: Vec<Millis> = answer.events.iter().map(|it| it.time).collect();
                    prop_assert!(answer.events.is_sorted_by_key(|it| (it.time, it.id.clone())));
                    prop_assert_eq!(
                        (times, answer.total, answer.span),
                        plainly(&deliveries, &questions[number]),
                        "{:?}", &questions[number]
                    );
                }
            }
        }

        /// An event with several times counts once, and is the first of its copies.
        #[test]
        fn copies_with_other_times_are_one_event(
            deliveries in prop::collection::vec((0..6_u8, 0..30_i64), 0..40),
            mut question in question(),
        ) {
            // As many as there are: nothing is thrown away.
            question.limit = 100;
            let asked = Asked::new([(0, &question)]);
            let mut found = Found::default();
            for &(id, time) in &deliveries {
                found.add(&asked, time, || event(id, time));
            }
            let (_, answer) = found.finish(&asked).remove(0);
            let times: Vec<Millis> = answer.events.iter().map(|it| it.time).collect();
            prop_assert_eq!((times, answer.total, answer.span), plainly(&deliveries, &question));
        }
    }
}
