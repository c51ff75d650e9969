//! `new_terms`: one alert for each value, or combination of values, not seen in the history window before.

use std::cmp::{Ordering, Reverse};

use serde_json::Value;

use crate::collect::{Combination, FieldNumber, Matches, RunId, Terms};
use crate::id;
use crate::outcome::Detail;
use crate::schedule::{Ticks, Window};
use crate::tail::{Tail, Writer, Written};

/// New terms are created in pages of so many, in the order of the values; the terms of a page, if the rule has
/// one field, by the number of their events in the interval, most first. Elasticsearch makes its pages of all
/// the interval's values, not only of the new ones: with more than so many of these in one interval and more
/// new ones than `max_signals`, which of them are created can differ.
pub(crate) const TERMS_PAGE: usize = 10_000;

/// Up to so many terms are put in order by comparing their values; beyond, all values of the fields are ranked
/// once.
const COMPARED_DIRECTLY_MAX: usize = 64;

/// The tail of a new-terms rule.
///
/// A run (see `term_table.rs`) makes its term new in the executions whose history window no longer holds the
/// term's event before the run, and whose interval holds the run's first event after its beginning. As all
/// ranges only move forward, that is a stretch of executions, and the first of them says it unless it is full.
pub(crate) struct NewTermsTail<'a> {
    matches: &'a Matches,
    terms: &'a Terms,
    fields: &'a [FieldNumber],
    space_and_rule: String,
    page: usize,
    /// Which execution, counted from the first, makes which run's term new; the last entry is next.
    due: Vec<(u32, RunId)>,
    first: i64,
    /// Due, but beyond the budget so far.
    pending: Vec<RunId>,
}

impl<'a> NewTermsTail<'a> {
    pub(crate) fn new(
        matches: &'a Matches,
        terms: &'a Terms,
        fields: &'a [FieldNumber],
        space_and_rule: String,
        ticks: &Ticks,
        page: usize,
    ) -> Self {
        let mut due = Vec::new();
        for (id, run, before) in terms.runs() {
            let Some(mut tick) = ticks.first_reaching(run.start) else { continue };
            let mut window = ticks.window(tick);
            // Nothing precedes the earliest time, not even where a history window has no beginning.
            if before != i64::MIN && window.history <= before {
                let Some(later) = ticks.first_forgetting(before, tick) else { continue };
                tick = later;
                window = ticks.window(tick);
            }
            if window.from < run.start {
                let number =
                    u32::try_from(tick - ticks.first).expect("a replay has at most TICKS_MAX executions");
                due.push((number, id));
            }
        }
        due.sort_unstable_by_key(|&(number, id)| Reverse((number, id)));
        Self { matches, terms, fields, space_and_rule, page, due, first: ticks.first, pending: Vec::new() }
    }

    fn values(&self, id: RunId) -> Vec<Value> {
        let alone = self.fields.len() == 1;
        let key = self.terms.key(id);
        self.fields
            .iter()
            .zip(key)
            .map(|(&field, term)| self.matches.values(field).get(term).to_value(alone))
            .collect()
    }
}

impl Tail for NewTermsTail<'_> {
    fn next(&mut self, ticks: &Ticks, tick: i64) -> Option<i64> {
        if tick <= ticks.last && !self.pending.is_empty() {
            let from = ticks.window(tick).from;
            self.pending.retain(|&id| from < self.terms.run(id).start);
            if !self.pending.is_empty() {
                return Some(tick);
            }
        }
        self.due.last().map(|&(number, _)| self.first + i64::from(number))
    }

    fn execute(&mut self, tick: i64, window: &Window, writer: &mut Writer<'_>) {
        let mut new = std::mem::take(&mut self.pending);
        while let Some(&(number, id)) = self.due.last()
            && self.first + i64::from(number) <= tick
        {
            self.due.pop();
            new.push(id);
        }
        // Millions may be due at once.
        if self.due.len() < self.due.capacity() / 2 {
            self.due.shrink_to_fit();
        }
        let order = ValueOrder::new(self, new.len());
        let mut done = 0;
        while done < new.len() {
            let rest = &mut new[done..];
            let len = self.page.min(rest.len());
            if len < rest.len() {
                rest.select_nth_unstable_by(len, |&a, &b| order.compare(a, b));
            }
            let page = &mut rest[..len];
            page.sort_unstable_by(|&a, &b| order.compare(a, b));
            if self.fields.len() == 1 {
                page.sort_by_cached_key(|&id| Reverse(self.terms.count(id, window.to)));
            }
            for (at, &id) in page.iter().enumerate() {
                let offer = |index: &str, event: &str| {
                    let values = self.values(id);
                    (
                        id::new_terms_alert(index, event, &self.space_and_rule, &values),
                        Detail::NewTerms(values),
                    )
                };
                if writer.offer(self.terms.run(id).event, offer) == Written::Full {
                    new.drain(..done + at);
                    self.pending = new;
                    return;
                }
            }
            done += len;
        }
    }
}

/// The order of a composite aggregation: by the value of the first field, then the second, then the third.
struct ValueOrder<'a> {
    matches: &'a Matches,
    terms: &'a Terms,
    fields: &'a [FieldNumber],
    ranks: Vec<&'a [u32]>,
}

impl<'a> ValueOrder<'a> {
    fn new(tail: &NewTermsTail<'a>, len: usize) -> Self {
        let &NewTermsTail { matches, terms, fields, .. } = tail;
        let ranks = if len > COMPARED_DIRECTLY_MAX {
            fields.iter().map(|&field| matches.ranks(field)).collect()
        } else {
            Vec::new()
        };
        Self { matches, terms, fields, ranks }
    }

    fn compare(&self, a: RunId, b: RunId) -> Ordering {
        let (left, right): (Combination, Combination) = (self.terms.key(a), self.terms.key(b));
        let mut pairs = left.into_iter().zip(right).enumerate().take(self.fields.len());
        let by_value = pairs.find_map(|(at, (left, right))| {
            if left == right {
                return None;
            }
            Some(if let Some(ranks) = self.ranks.get(at) {
                ranks[left.index()].cmp(&ranks[right.index()])
            } else {
                let values = self.matches.values(self.fields[at]);
                values.get(left).cmp(&values.get(right))
            })
        });
        // No term stands here twice: while one of its runs is new, the history window still holds any before it.
        by_value.unwrap_or(Ordering::Equal)
    }
}
