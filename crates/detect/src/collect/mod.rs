//! Takes what the filters let through, from many threads and in any order.

mod chunked;
mod events;
mod matches;
mod term_table;
mod terms;

use std::sync::Arc;

use ecs::Millis;
use rustc_hash::FxHashMap;

pub use events::{EventInfo, Origin};
pub use matches::Matches;
pub use terms::{Term, TermId};

pub(crate) use events::{EventRef, EventTable};
pub(crate) use matches::{Match, QueryMatches, RuleMatches, Skipped};
pub(crate) use term_table::{Combination, Counting, RunId, Shape, Terms};
pub(crate) use terms::Interner;

use crate::Plan;
use crate::plan::{EventTime, Kind};
use events::Current;
use term_table::TermTable;

/// So many combinations of new-terms values of one event are looked at; of the rest, in the order of the
/// values, is said that they were left out.
pub const COMBINATIONS_MAX: u64 = 1 << 20;

/// The number of a field among those whose values rules ask for; see [`Collector::fields`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldNumber(u32);

impl FieldNumber {
    /// As an index.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Gathers the matches of all rules. Each thread has its own; in the end they are merged.
///
/// Neither the order of feeding nor the number of collectors has any influence on the alerts.
#[derive(Clone, Debug)]
pub struct Collector {
    plans: Arc<[Plan]>,
    events: EventTable,
    rules: Vec<OneRule>,
    values: Vec<Interner>,
}

#[derive(Clone, Debug)]
struct OneRule {
    fields: Vec<FieldNumber>,
    found: Found,
    matched: u64,
    skipped: Skipped,
}

#[derive(Clone, Debug)]
enum Found {
    Query(QueryMatches),
    NewTerms(Box<TermTable>),
}

impl Collector {
    /// Nothing matched yet.
    pub fn new(plans: Arc<[Plan]>) -> Self {
        let mut fields: FxHashMap<String, FieldNumber> = FxHashMap::default();
        let mut rules = Vec::with_capacity(plans.len());
        for plan in plans.iter() {
            let numbers = plan.term_fields().iter().map(|path| {
                let next = FieldNumber(fields.len() as u32);
                *fields.entry(path.clone()).or_insert(next)
            });
            rules.push(OneRule {
                fields: numbers.collect(),
                found: match plan.kind {
                    Kind::Query => Found::Query(QueryMatches::default()),
                    Kind::NewTerms { .. } => Found::NewTerms(Box::new(TermTable::new(plan.shape()))),
                },
                matched: 0,
                skipped: Skipped::default(),
            });
        }
        let values = vec![Interner::default(); fields.len()];
        Self { plans, events: EventTable::default(), rules, values }
    }

    /// The fields whose values the rule asks for, in its order. Rules that ask for the same field share its
    /// number. `rule` is the rule's place among the plans.
    pub fn fields(&self, rule: usize) -> &[FieldNumber] {
        &self.rules[rule].fields
    }

    /// The number of a value, for [`EventMatches::push`]. Worth keeping for each value of a block's dictionary;
    /// it is good for this collector only.
    pub fn intern(&mut self, field: FieldNumber, term: Term<'_>) -> TermId {
        self.values[field.index()].intern(term)
    }

    /// Says what the indices are called, by their number: the alerts' ids contain the names, and events are ordered
    /// by them. To be called before an event of an index that had no name yet; further names may follow, but
    /// those given stay. An index without a name is the empty text.
    pub fn name_indices(&mut self, names: &[String]) {
        self.events.name_indices(names);
    }

    /// Begins an event that some rule matched.
    pub fn event<'a>(&'a mut self, info: EventInfo<'a>) -> EventMatches<'a> {
        EventMatches { collector: self, current: Current::new(info) }
    }

    /// Takes over what another collector of the same plans gathered.
    pub fn merge(&mut self, mut other: Self) {
        if self.events.len() < other.events.len() {
            std::mem::swap(self, &mut other);
        }
        let shift = self.events.append(other.events);
        let values: Vec<Vec<TermId>> =
            self.values.iter_mut().zip(other.values).map(|(into, from)| from.move_into(into)).collect();
        for (mine, theirs) in self.rules.iter_mut().zip(other.rules) {
            mine.matched += theirs.matched;
            mine.skipped.merge(theirs.skipped);
            let value = |mut key: Combination| {
                for (id, field) in key.iter_mut().zip(&theirs.fields) {
                    *id = values[field.index()][id.index()];
                }
                key
            };
            match (&mut mine.found, theirs.found) {
                (Found::Query(mine), Found::Query(theirs)) => mine.merge(theirs, shift),
                (Found::NewTerms(mine), Found::NewTerms(theirs)) => {
                    mine.merge(*theirs, &mut self.events, value, |event| EventTable::shifted(event, shift));
                }
                (Found::Query(_), Found::NewTerms(_)) | (Found::NewTerms(_), Found::Query(_)) => {
                    unreachable!("both collectors were made from the same plans")
                }
            }
        }
    }

    /// All that was matched.
    pub fn finish(self) -> Matches {
        Matches::new(self)
    }
}

/// One event and the rules that match it.
#[derive(Debug)]
pub struct EventMatches<'a> {
    collector: &'a mut Collector,
    current: Current<'a>,
}

impl EventMatches<'_> {
    /// Says that a rule matches the event. `over` is the value of [`Plan::timestamp_override`], if the rule has
    /// that and the event does; `terms` are the values of each of [`Plan::term_fields`], in any order and
    /// repeated as the event has them.
    ///
    /// An event that is itself an alert must not be given to a rule whose own it is ([`Plan::is_own`]).
    ///
    /// Says whether the rule could alert on the event, as far as this collector can tell by now: if not, it never
    /// will.
    pub fn push(&mut self, rule: usize, over: Option<Millis>, terms: &[&[TermId]]) -> bool {
        let Collector { plans, events, rules, values, .. } = &mut *self.collector;
        let (plan, rule) = (&plans[rule], &mut rules[rule]);
        let Some(at) = plan.time(over, self.current.info.timestamp) else { return false };
        rule.matched += 1;
        let (earliest, latest) = plan.reach();
        let is_in_reach = at.time >= earliest && at.time <= latest;
        match &mut rule.found {
            // Also what lies outside all ranges: it may be the copy that counts.
            Found::Query(matches) => {
                matches.push(at, self.current.row(events));
                is_in_reach
            }
            Found::NewTerms(table) => {
                if !is_in_reach {
                    return false;
                }
                let pushed =
                    push_combinations(table, &rule.fields, at, terms, values, &mut self.current, events);
                if pushed.left_out > 0 {
                    rule.skipped.add(at.time, self.current.info.id, pushed.left_out);
                }
                pushed.is_first
            }
        }
    }
}

/// What became of the combinations of one event.
#[derive(Default)]
struct Pushed {
    /// The event is the first of a run of some combination.
    is_first: bool,
    /// How many combinations were too many.
    left_out: u64,
}

/// Adds the Cartesian product of the fields' values.
fn push_combinations(
    table: &mut TermTable,
    fields: &[FieldNumber],
    at: EventTime,
    terms: &[&[TermId]],
    values: &[Interner],
    current: &mut Current<'_>,
    events: &mut EventTable,
) -> Pushed {
    if terms.len() != fields.len() || terms.iter().any(|it| it.is_empty()) {
        return Pushed::default();
    }
    let mut key = Combination::default();
    if terms.iter().all(|it| it.len() == 1) {
        for (to, from) in key.iter_mut().zip(terms) {
            *to = from[0];
        }
        return Pushed { is_first: table.push(key, at.time, current, events), left_out: 0 };
    }
    let mut distinct: Vec<Vec<TermId>> = terms.iter().map(|it| it.to_vec()).collect();
    for ids in &mut distinct {
        ids.sort_unstable();
        ids.dedup();
    }
    let all = distinct.iter().fold(1_u64, |all, ids| all.saturating_mul(ids.len() as u64));
    if all > COMBINATIONS_MAX {
        // Numbers depend on the order of feeding; which combinations are looked at must not.
        for (ids, field) in distinct.iter_mut().zip(fields) {
            let values = &values[field.index()];
            ids.sort_unstable_by(|&a, &b| values.get(a).cmp(&values.get(b)));
        }
    }
    let mut is_first = false;
    for number in 0..all.min(COMBINATIONS_MAX) {
        let mut rest = number as usize;
        for (to, ids) in key.iter_mut().zip(&distinct).rev() {
            *to = ids[rest % ids.len()];
            rest /= ids.len();
        }
        is_first |= table.push(key, at.time, current, events);
    }
    Pushed { is_first, left_out: all.saturating_sub(COMBINATIONS_MAX) }
}
