//! The executions of a new-terms rule.

use std::cmp::{Ordering, Reverse};

use ecs::Millis;

use super::table::{Combination, Run as Stretch, RunId, Terms};
use super::{Complete, terms_of};
use crate::collect::Matches;
use crate::rule_type::alike::{GroupsOfEvents, ValueForm, offer_alike};
use crate::rule_type::{Detail, Executions, Run};
use crate::schedule::{TICKS_MAX, Ticks, Window};
use crate::tail::TailError;
use crate::tails::ColumnNumber;
use crate::writer::{Writer, Written};

/// New terms are created in pages of so many, in the order of the values; the terms of a page, if the rule has
/// one field, by the number of their events in the interval, most first. Elasticsearch makes its pages of all
/// the interval's values, not only of the new ones: with more than so many of these in one interval and more
/// new ones than `max_signals`, which of them are created can differ.
pub(crate) const TERMS_PAGE: usize = 10_000;

/// Up to so many terms are put in order by comparing their values; beyond, all values of the fields are ranked
/// once.
const COMPARED_DIRECTLY_MAX: usize = 64;

/// The executions of a new-terms rule.
///
/// A run (see `table.rs`) makes its term new in the executions whose history window no longer holds the
/// term's event before the run, and whose interval holds the run's first event after its beginning. As all
/// ranges only move forward, that is a stretch of executions, and the first of them says it unless it is full.
pub(crate) struct NewTermsExecutions<'a> {
    complete: &'a Complete,
    terms: &'a Terms,
    run: Run<'a>,
    /// Which execution, counted from the first, makes which run's term new; the last entry is next.
    due: Vec<(u32, RunId)>,
    /// Due, but beyond the budget so far, or suppressed.
    pending: Vec<RunId>,
    /// The last execution that looks at what was suppressed,
    last: i64,
    /// unless the one before left something to those that follow.
    is_cut: bool,
}

/// The first execution in which a run makes its term new, if there is one. `before` is the time of the term's last
/// event before.
pub(super) fn first_new(run: Stretch, before: Millis, ticks: &Ticks) -> Option<i64> {
    let mut tick = ticks.first_reaching(run.start)?;
    let mut window = ticks.window(tick);
    // Nothing precedes the earliest time, not even where a history window has no beginning.
    if before != Millis::MIN && window.history <= before {
        tick = ticks.first_forgetting(before, tick)?;
        window = ticks.window(tick);
    }
    (window.from < run.start).then_some(tick)
}

impl<'a> NewTermsExecutions<'a> {
    pub(crate) fn new(complete: &'a Complete, run: Run<'a>) -> Result<Self, TailError> {
        let terms = &complete.terms;
        let mut due = Vec::new();
        for (id, stretch, before) in terms.runs() {
            let Some(tick) = first_new(stretch, before, run.ticks) else { continue };
            let count = tick.abs_diff(run.ticks.first);
            let number =
                u32::try_from(count).map_err(|_| TailError::TooManyExecutions { count, limit: TICKS_MAX })?;
            due.push((number, id));
        }
        due.sort_unstable_by_key(|&(number, id)| Reverse((number, id)));
        let newest = due.iter().map(|&(_, id)| terms.run(id).start).max();
        let last = run.ticks.last_offering(newest);
        Ok(Self { complete, terms, run, due, pending: Vec::new(), last, is_cut: false })
    }

    fn tick(&self, number: u32) -> i64 {
        self.run.ticks.first + i64::from(number)
    }
}

impl Executions for NewTermsExecutions<'_> {
    fn next(&mut self, ticks: &Ticks, tick: i64) -> Option<i64> {
        if tick <= ticks.end && !self.pending.is_empty() {
            let from = ticks.window(tick).from;
            self.pending.retain(|&id| from < self.terms.run(id).start);
            if self.run.alike().is_some() && tick > self.last && !self.is_cut {
                self.pending.clear();
            }
            if !self.pending.is_empty() {
                return Some(tick);
            }
        }
        self.due.last().map(|&(number, _)| self.tick(number))
    }

    fn execute(&mut self, tick: i64, window: &Window, writer: &mut Writer<'_>) {
        let mut new = std::mem::take(&mut self.pending);
        while let Some(&(number, id)) = self.due.last()
            && self.tick(number) <= tick
        {
            self.due.pop();
            new.push(id);
        }
        // Millions may be due at once.
        if self.due.len() < self.due.capacity() / 2 {
            self.due.shrink_to_fit();
        }
        let order = ValueOrder::new(self.run, new.len());
        let compare = |a: RunId, b: RunId| order.compare(self.terms.key(a), self.terms.key(b));
        let single = self.run.tail.rule_type.columns(0).len() == 1;
        let mut done = 0;
        while done < new.len() {
            let rest = &mut new[done..];
            let len = self.run.page.min(rest.len());
            if len < rest.len() {
                rest.select_nth_unstable_by(len, |&a, &b| compare(a, b));
            }
            let page = &mut rest[..len];
            page.sort_unstable_by(|&a, &b| compare(a, b));
            if single {
                page.sort_by_cached_key(|&id| Reverse(self.terms.count(id, window.to)));
            }
            if self.run.alike().is_some() {
                done += len;
                continue;
            }
            for (at, &id) in page.iter().enumerate() {
                let detail = Detail::NewTerms(terms_of(self.terms.key(id), self.run));
                if writer.offer(self.terms.run(id).event, detail) == Written::Full {
                    new.drain(..done + at);
                    self.pending = new;
                    return;
                }
            }
            done += len;
        }
        if self.run.alike().is_some() {
            self.execute_alike(&new, writer);
        }
    }
}

impl NewTermsExecutions<'_> {
    /// Offers new terms, in order, of which those alike suppress one another.
    fn execute_alike(&mut self, new: &[RunId], writer: &mut Writer<'_>) {
        let groups = GroupsOfEvents::default();
        let offered = offer_alike(writer, self.run.page, new, |writer, &id| {
            let stretch = self.terms.run(id);
            let (event, start) = (stretch.event, stretch.start);
            let group =
                groups.of(event, || self.run.group(0, self.complete.alike_of(event), start, ValueForm::List));
            writer.candidate(event, Detail::NewTerms(terms_of(self.terms.key(id), self.run)), group)
        });
        self.is_cut = offered.is_cut;
        let left = new.iter().zip(offered.written).filter(|(_, written)| !written.is_there());
        self.pending.extend(left.map(|(&id, _)| id));
    }
}

/// The order of a composite aggregation: by the value of the first field, then the second, then the third.
pub(super) struct ValueOrder<'a> {
    matches: &'a Matches,
    columns: &'a [ColumnNumber],
    ranks: Vec<&'a [u32]>,
}

impl<'a> ValueOrder<'a> {
    pub(super) fn new(run: Run<'a>, len: usize) -> Self {
        let matches = run.matches;
        let columns = &run.columns()[..run.tail.rule_type.columns(0).len()];
        let ranks = if len > COMPARED_DIRECTLY_MAX {
            columns.iter().map(|&column| matches.ranks(column)).collect()
        } else {
            Vec::new()
        };
        Self { matches, columns, ranks }
    }

    pub(super) fn compare(&self, left: Combination, right: Combination) -> Ordering {
        let mut pairs = left.into_iter().zip(right).enumerate().take(self.columns.len());
        let by_value = pairs.find_map(|(at, (left, right))| {
            if left == right {
                return None;
            }
            Some(if let Some(ranks) = self.ranks.get(at) {
                ranks[left.index()].cmp(&ranks[right.index()])
            } else {
                let values = self.matches.values(self.columns[at]);
                values.get(left).cmp(&values.get(right))
            })
        });
        // No term stands here twice: while one of its runs is new, the history window still holds any before it.
        by_value.unwrap_or(Ordering::Equal)
    }
}
