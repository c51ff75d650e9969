//! One execution by the book, from a list of matches: for rules with a residue.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashSet};

use ecs::Millis;

use super::execute::ValueOrder;
use super::table::Combination;
use super::terms_of;
use crate::collect::EventRef;
use crate::rule_type::combinations::Combinations;
use crate::rule_type::listed::ListedMatch;
use crate::rule_type::{Detail, Run};
use crate::schedule::Window;
use crate::term::TermId;

/// What is known of one term.
struct Seen<'a> {
    first: Millis,
    /// The matches in the interval.
    interval: Vec<&'a ListedMatch>,
}

/// What one execution offers, in order: the terms first seen after `from`, with the oldest event of each, but for what
/// was said. That is no part of a page, so it must not be counted into one.
pub(crate) fn by_the_book<'m>(
    matches: &[&'m ListedMatch],
    window: &Window,
    run: Run<'_>,
    was_said: &dyn Fn(EventRef, &Detail) -> bool,
) -> Vec<(&'m ListedMatch, Detail)> {
    let (events, columns) = (&run.matches.events, run.columns());
    let fields = run.tail.rule_type.columns(0).len();
    let mut terms: BTreeMap<Combination, Seen<'m>> = BTreeMap::new();
    for &it in matches {
        let values: Vec<&[TermId]> = it.values[..fields].iter().map(Vec::as_slice).collect();
        Combinations::new(&values, |column, id| run.matches.values(columns[column]).get(id)).each(|key| {
            let seen = terms.entry(key).or_insert_with(|| Seen { first: it.at.time, interval: Vec::new() });
            seen.first = seen.first.min(it.at.time);
            if it.at.time >= window.from {
                seen.interval.push(it);
            }
        });
    }
    terms.retain(|_, seen| seen.first > window.from && !seen.interval.is_empty());
    let mut new: Vec<(Combination, Seen<'m>)> = terms.into_iter().collect();
    let order = ValueOrder::new(run, new.len());
    new.sort_by(|(a, _), (b, _)| order.compare(*a, *b));
    let oldest = |seen: &Seen<'m>| {
        let by_time = |a: &&&ListedMatch, b: &&&ListedMatch| {
            a.at.time.cmp(&b.at.time).then_with(|| events.compare(a.event, b.event))
        };
        seen.interval.iter().min_by(by_time).copied()
    };
    let mut offers: Vec<(&'m ListedMatch, Detail, Seen<'m>)> = Vec::new();
    for (key, seen) in new {
        let detail = Detail::NewTerms(terms_of(key, run));
        if let Some(event) = oldest(&seen).filter(|it| !was_said(it.event, &detail)) {
            offers.push((event, detail, seen));
        }
    }
    if fields == 1 {
        for page in offers.chunks_mut(run.page) {
            page.sort_by_cached_key(|(_, _, seen)| {
                // However often an event was delivered, it is one.
                let identities = seen.interval.iter().map(|it| (it.at.time, events.identity(it.event)));
                Reverse(identities.collect::<HashSet<_>>().len())
            });
        }
    }
    offers.into_iter().map(|(event, detail, _)| (event, detail)).collect()
}
