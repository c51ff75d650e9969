//! The values of `by` as numbers: events of one sequence have the same.

use std::hash::Hasher as _;

use hashbrown::HashTable;
use rule::Pattern;
use rustc_hash::FxHasher;

use crate::collect::Matches;
use crate::tails::ColumnNumber;
use crate::term::{Interner, Term, TermId};

/// Join keys of one event and filter that are looked at; more come only of several fields with very many values.
pub const JOIN_KEYS_MAX: usize = 10_000;

/// What stands for null.
const NULL: u32 = u32::MAX;

/// All join keys, numbered. The numbers depend on the order of feeding.
#[derive(Debug)]
pub(super) struct Keys<'a> {
    matches: &'a Matches,
    parts: Vec<Part>,
    /// The keys one after the other, each as long as there are parts.
    tuples: Vec<u32>,
    index: HashTable<u32>,
    count: u32,
}

/// The values of one field of `by`. Filters may take them from different fields; then they are numbered anew.
#[derive(Debug)]
struct Part {
    /// By filter.
    columns: Vec<ColumnNumber>,
    /// By filter.
    optional: Vec<bool>,
    /// If not all filters have the same field.
    anew: Option<Anew>,
}

#[derive(Debug)]
struct Anew {
    values: Interner,
    /// By filter, for each value of its column the number that it has here.
    numbers: Vec<Vec<u32>>,
}

impl<'a> Keys<'a> {
    /// For the filters with these columns, of which the first are those of the keys.
    pub(super) fn new(matches: &'a Matches, pattern: &Pattern, columns: &[&[ColumnNumber]]) -> Self {
        let len = pattern.keys.first().map_or(0, Vec::len);
        let parts = (0..len).map(|at| {
            let columns: Vec<ColumnNumber> = columns.iter().map(|it| it[at]).collect();
            let anew = columns
                .windows(2)
                .any(|it| it[0] != it[1])
                .then(|| Anew { values: Interner::default(), numbers: vec![Vec::new(); columns.len()] });
            Part { columns, optional: pattern.keys.iter().map(|it| it[at].optional).collect(), anew }
        });
        Self { matches, parts: parts.collect(), tuples: Vec::new(), index: HashTable::new(), count: 0 }
    }

    /// Calls with the number of each key that an event has at a filter, by the values of the filter's columns. Says how
    /// many keys were left out.
    pub(super) fn each(&mut self, filter: usize, values: &[&[TermId]], mut take: impl FnMut(u32)) -> usize {
        let mut choices: Vec<Vec<u32>> = Vec::with_capacity(self.parts.len());
        for (part, ids) in self.parts.iter_mut().zip(values) {
            let mut numbers: Vec<u32> = ids.iter().map(|&id| part.number(self.matches, filter, id)).collect();
            numbers.sort_unstable();
            numbers.dedup();
            match (numbers.is_empty(), part.optional[filter]) {
                (false, _) => {}
                (true, true) => numbers.push(NULL),
                (true, false) => return 0,
            }
            choices.push(numbers);
        }
        let all = choices.iter().map(Vec::len).fold(1_usize, usize::saturating_mul);
        let mut tuple = vec![0; choices.len()];
        for number in 0..all.min(JOIN_KEYS_MAX) {
            let mut rest = number;
            for (at, choice) in choices.iter().enumerate().rev() {
                tuple[at] = choice[rest % choice.len()];
                rest /= choice.len();
            }
            take(self.intern(&tuple));
        }
        all.saturating_sub(JOIN_KEYS_MAX)
    }

    fn intern(&mut self, tuple: &[u32]) -> u32 {
        let Self { tuples, index, count, .. } = self;
        let at = |number: u32| &tuples[number as usize * tuple.len()..][..tuple.len()];
        let key = hash(tuple);
        if let Some(&number) = index.find(key, |&number| at(number) == tuple) {
            return number;
        }
        index.insert_unique(key, *count, |&number| hash(at(number)));
        tuples.extend(tuple);
        *count += 1;
        *count - 1
    }

    /// The values of a key, in order; null is none.
    pub(super) fn values(&self, key: u32) -> impl Iterator<Item = Option<Term<'_>>> {
        let len = self.parts.len();
        let tuple = &self.tuples[key as usize * len..][..len];
        self.parts.iter().zip(tuple).map(|(part, &number)| {
            (number != NULL).then(|| match &part.anew {
                Some(anew) => anew.values.get(TermId(number)),
                None => self.matches.values(part.columns[0]).get(TermId(number)),
            })
        })
    }
}

impl Part {
    fn number(&mut self, matches: &Matches, filter: usize, id: TermId) -> u32 {
        let Some(Anew { values, numbers }) = &mut self.anew else { return id.0 };
        let numbers = &mut numbers[filter];
        if numbers.len() <= id.index() {
            numbers.resize(id.index() + 1, NULL);
        }
        let number = &mut numbers[id.index()];
        if *number == NULL {
            *number = values.intern(matches.values(self.columns[filter]).get(id)).0;
        }
        *number
    }
}

fn hash(tuple: &[u32]) -> u64 {
    let mut hasher = FxHasher::default();
    for &it in tuple {
        hasher.write_u32(it);
    }
    hasher.finish()
}
