//! What the events of an EQL query must form together, beyond the condition on each of them.
//!
//! The conditions are a rule's filters, numbered in the order of the query, that of `until` last; a pattern says what is
//! made of their matches. It knows no language: whatever executes it needs only numbers of filters.

use ecs::Millis;

/// What the matches of the filters must form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// What each result is.
    pub form: Form,
    /// Of what, in order; `with runs=3` is three stages. An event query has one.
    pub stages: Vec<Stage>,
    /// The filter that ends what is not complete.
    pub until: Option<usize>,
    /// The most that may lie between the first event and the last.
    pub maxspan: Option<Millis>,
    /// What the events of one result have in common, for each filter: all filters have as many.
    pub keys: Vec<Vec<JoinKey>>,
    /// What is taken of the results, one after the other.
    pub pipes: Vec<Pipe>,
}

/// What a result of a query is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One event.
    Event,
    /// Events one after the other.
    Sequence,
    /// Events in any order.
    Sample,
}

/// One event of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stage {
    /// Which filter it satisfies.
    pub filter: usize,
    /// There must be no such event.
    pub missing: bool,
}

/// A field of a `by`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct JoinKey {
    /// The field.
    pub path: String,
    /// Events without it have the key null, and are not left out.
    pub optional: bool,
}

/// What is taken of a list of results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pipe {
    /// The first so many.
    Head(usize),
    /// The last so many.
    Tail(usize),
}

impl Pattern {
    /// That of an event query.
    pub fn event(pipes: Vec<Pipe>) -> Self {
        Self {
            form: Form::Event,
            stages: vec![Stage { filter: 0, missing: false }],
            until: None,
            maxspan: None,
            keys: vec![Vec::new()],
            pipes,
        }
    }

    /// How many filters there are.
    pub fn filters(&self) -> usize {
        self.keys.len()
    }

    /// The stages that an event stands at, in order.
    pub fn positive(&self) -> impl DoubleEndedIterator<Item = usize> {
        (0..self.stages.len()).filter(|&at| !self.stages[at].missing)
    }

    /// Whether events are missing before the first or behind the last one.
    pub fn has_open_end(&self) -> bool {
        [self.stages.first(), self.stages.last()].into_iter().flatten().any(|it| it.missing)
    }
}
