//! The combinations of an event's values.

use ecs::Millis;

use crate::outcome::{Warning, WarningKind};
use crate::term::{Term, TermId};

/// So many combinations of values of one event are looked at; of the rest, in the order of the values, is said that they
/// were left out.
pub const COMBINATIONS_MAX: u64 = 1 << 20;

/// The Cartesian product of the values of each field.
pub(super) struct Combinations<'a, 'v, F> {
    values: &'a [&'v [TermId]],
    term: F,
}

impl<'t, F: Fn(usize, TermId) -> Term<'t>> Combinations<'_, '_, F> {
    /// `term` gives a value of a column.
    pub(super) fn new<'a, 'v>(values: &'a [&'v [TermId]], term: F) -> Combinations<'a, 'v, F> {
        Combinations { values, term }
    }

    /// Calls with each combination; says how many were too many. An event without one of the fields has none.
    ///
    /// Beyond the fields there are, `N` at most, combinations have the default.
    pub(super) fn each<const N: usize>(self, mut take: impl FnMut([TermId; N])) -> u64 {
        let mut key = [TermId::default(); N];
        if self.values.iter().any(|it| it.is_empty()) {
            return 0;
        }
        if self.values.iter().all(|it| it.len() == 1) {
            for (to, from) in key.iter_mut().zip(self.values) {
                *to = from[0];
            }
            take(key);
            return 0;
        }
        let mut distinct: Vec<Vec<TermId>> = self.values.iter().map(|it| it.to_vec()).collect();
        for ids in &mut distinct {
            ids.sort_unstable();
            ids.dedup();
        }
        let all = distinct.iter().fold(1_u64, |all, ids| all.saturating_mul(ids.len() as u64));
        if all > COMBINATIONS_MAX {
            // Numbers depend on the order of feeding; which combinations are looked at must not.
            for (column, ids) in distinct.iter_mut().enumerate() {
                ids.sort_unstable_by(|&a, &b| (self.term)(column, a).cmp(&(self.term)(column, b)));
            }
        }
        for number in 0..all.min(COMBINATIONS_MAX) {
            let mut rest = number as usize;
            for (to, ids) in key.iter_mut().zip(&distinct).rev() {
                *to = ids[rest % ids.len()];
                rest /= ids.len();
            }
            take(key);
        }
        all.saturating_sub(COMBINATIONS_MAX)
    }
}

/// Combinations that were left out because events had more than [`COMBINATIONS_MAX`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Skipped {
    events: u64,
    combinations: u64,
    /// The first such event: its time and id.
    first: Option<(Millis, String)>,
}

impl Skipped {
    /// Says so, if any were.
    pub(super) fn report(&self, warnings: &mut Vec<Warning>) {
        if self.events > 0 {
            let Self { events, combinations, ref first } = *self;
            let kind = WarningKind::Combinations { events, combinations, first: first.clone() };
            warnings.push(Warning { execution: None, kind });
        }
    }

    pub(super) fn add(&mut self, time: Millis, id: &str, combinations: u64) {
        self.merge(Self { events: 1, combinations, first: Some((time, id.to_owned())) });
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.events += other.events;
        self.combinations = self.combinations.saturating_add(other.combinations);
        self.first = match (self.first.take(), other.first) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
    }
}
