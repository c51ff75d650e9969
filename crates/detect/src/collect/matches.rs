//! Everything that the rules matched, complete and in order.

use std::sync::{Arc, OnceLock};

use ecs::Millis;
use hashbrown::HashTable;
use identity::Graph;

use super::events::{EventRef, EventTable};
use super::{Collector, OneRule, Overridden, Told, ToldColumn};
use crate::fate::Watched;
use crate::rule_type::Complete;
use crate::tails::{ColumnNumber, Tails};
use crate::term::{Interner, TermId};

/// The matches of all rules over all the data.
#[derive(Debug)]
pub struct Matches {
    pub(crate) events: EventTable,
    pub(crate) tails: Arc<Tails>,
    pub(crate) rules: Vec<RuleMatches>,
    pub(crate) watched: Vec<Watched>,
    values: Vec<Interner>,
    ranks: Vec<OnceLock<Vec<u32>>>,
}

/// The matches of one rule.
#[derive(Debug)]
pub(crate) struct RuleMatches {
    pub(crate) complete: Complete,
    pub(crate) matched: u64,
    pub(crate) undated: u64,
    pub(crate) overridden: Overridden,
}

impl Matches {
    pub(super) fn new(collector: Collector, graph: &Graph) -> Self {
        let Collector { tails, mut events, rules, mut values, mut watched, .. } = collector;
        let told = ToldColumn::tell(&tails, &mut values, graph);
        for it in &mut watched {
            let filter = tails.filters_of(it.rule).start + it.step();
            let values: Vec<&[TermId]> = it.values.iter().map(Vec::as_slice).collect();
            // What the last executions know of it.
            it.values = Told::new(tails.columns(filter), &told).at(&values, Millis::MAX).into_vec();
        }
        let copies = copies(&events, rules.iter().flat_map(|it| it.gathered.told_apart()));
        let mut completed = Vec::with_capacity(rules.len());
        for (number, rule) in rules.into_iter().enumerate() {
            let OneRule { gathered, matched, undated, overridden, .. } = rule;
            let told: Vec<Told<'_>> =
                tails.filters_of(number).map(|filter| Told::new(tails.columns(filter), &told)).collect();
            let complete = gathered.finish(&copies, &events).told(&told);
            let columns = tails.columns(tails.filters_of(number).start);
            let complete = complete.settled(&tails.rules()[number], columns, &values, &mut events);
            completed.push(RuleMatches { complete, matched, undated, overridden });
        }
        let rules = completed;
        let ranks = values.iter().map(|_| OnceLock::new()).collect();
        Self { events, tails, rules, watched, values, ranks }
    }

    pub(crate) fn values(&self, column: ColumnNumber) -> &Interner {
        &self.values[column.index()]
    }

    /// For each value of the column its place in their order. Made when first asked for: it sorts all values.
    pub(crate) fn ranks(&self, column: ColumnNumber) -> &[u32] {
        self.ranks[column.index()].get_or_init(|| self.values[column.index()].ranks())
    }
}

/// For those of the events that were delivered several times: the number of one of the copies, the same for all. Empty
/// if there are none, as mostly.
fn copies(events: &EventTable, told_apart: impl Iterator<Item = EventRef>) -> Vec<Option<u32>> {
    let mut first: HashTable<EventRef> = HashTable::new();
    let mut copies = Vec::new();
    let mut seen = vec![false; events.len()];
    for event in told_apart {
        if std::mem::replace(&mut seen[event.index()], true) {
            continue;
        }
        let key = events.identity(event);
        if let Some(&copy) = first.find(key, |&it| events.same(it, event)) {
            copies.resize(events.len(), None);
            copies[copy.index()] = Some(copy.index() as u32);
            copies[event.index()] = Some(copy.index() as u32);
        } else {
            first.insert_unique(key, event, |&it| events.identity(it));
        }
    }
    copies
}
