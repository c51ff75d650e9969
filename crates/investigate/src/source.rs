//! Where events come from. Steps ask a [`Source`] for events, and know nothing of files or stores.

use std::ops::{Deref, Range};
use std::sync::Arc;

use ecs::Millis;
use identity::Graph;
use plan::Expr;

use crate::event::Event;

/// What is asked of the data.
#[derive(Clone, Debug)]
pub struct Question {
    /// Questions of the same text have the same filter.
    pub text: Arc<str>,
    /// What holds of the events.
    pub filter: Arc<Expr>,
    /// They happened then or later,
    pub from: Millis,
    /// and then or before.
    pub to: Millis,
    /// Of more events than `limit`, those are given that are nearest to this time.
    pub near: Millis,
    /// How many events are given; all are counted.
    pub limit: usize,
}

/// Events in a row, of which others may be given to other questions: there may be very many of both.
#[derive(Clone, Debug)]
pub struct Events {
    all: Arc<[Arc<Event>]>,
    range: Range<usize>,
}

impl Events {
    /// Those at these places of all.
    ///
    /// # Panics
    ///
    /// If there are no such places.
    pub fn of(all: &Arc<[Arc<Event>]>, range: Range<usize>) -> Self {
        assert!(range.start <= range.end && range.end <= all.len(), "{range:?} of {}", all.len());
        Self { all: Arc::clone(all), range }
    }
}

impl Default for Events {
    fn default() -> Self {
        Self { all: Arc::new([]), range: 0..0 }
    }
}

impl Deref for Events {
    type Target = [Arc<Event>];

    fn deref(&self) -> &Self::Target {
        &self.all[self.range.clone()]
    }
}

impl PartialEq for Events {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Events {}

/// Where those stand that are nearest to a time, at most so many. `events` are in the order of time.
pub fn nearest<T>(events: &[T], time: impl Fn(&T) -> Millis, near: Millis, limit: usize) -> Range<usize> {
    let Some(more) = events.len().checked_sub(limit).filter(|it| *it > 0) else {
        return 0..events.len();
    };
    // Of two events the one that is given: the nearer; of equally near ones the earlier; of those of one time the one on the
    // side of the time that is asked about. So those that are given stand in a row.
    let gives_last = |first: Millis, last: Millis| {
        let distance = |it: Millis| it.abs_diff(near);
        match (distance(first), first).cmp(&(distance(last), last)) {
            std::cmp::Ordering::Equal => first < near,
            order => order.is_gt(),
        }
    };
    let (mut low, mut high) = (0, more);
    while low < high {
        let middle = usize::midpoint(low, high);
        if gives_last(time(&events[middle]), time(&events[middle + limit])) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low..low + limit
}

/// The events that a question asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// By time and id, each once.
    pub events: Events,
    /// How many there are, those included that were not given.
    pub total: u64,
    /// The times of the first and the last of all.
    pub span: Option<(Millis, Millis)>,
}

impl Answer {
    /// Whether there are more than were given.
    pub fn is_cut(&self) -> bool {
        self.total > self.events.len() as u64
    }
}

/// What one pass over the data gives.
#[derive(Debug, Default)]
pub struct Answers {
    /// For each question.
    pub answers: Vec<Answer>,
    /// Who issued which credentials, if that was asked for.
    pub graph: Option<Graph>,
}

/// Where events come from.
pub trait Source {
    /// What can go wrong.
    type Error;

    /// Answers all questions in one pass. Events have the columns of [`Field::ALL`](crate::Field::ALL), then `columns`.
    fn answer(
        &mut self,
        questions: &[Question],
        columns: &[String],
        wants_graph: bool,
    ) -> Result<Answers, Self::Error>;
}
