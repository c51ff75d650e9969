//! Rules of any type whose filter leaves a [`Residue`](plan::Residue): match by match, execution by execution.
//!
//! What one execution sees the next may not, so nothing can be stepped over or summed up: each execution that has
//! matches in reach asks all of them again. Such rules are few; and once all matches are known, those of a rule whose
//! executions decide alike are handed to its type.
//!
//! So it is with values that are told later ([`Told`]): a match of which executions know different things is several, each
//! for the executions that end within some time.

use std::collections::HashMap;

use ecs::{Millis, Scalar};
use plan::Residue;

use super::alike::{GroupsOfEvents, ValueForm, offer_alike};
use super::{Detail, Executions, Run};
use crate::collect::{EventRef, EventTable, Feed, Moved, Told};
use crate::fate::{Fate, Watched};
use crate::schedule::{Ticks, Window};
use crate::tail::{EventTime, Tail};
use crate::tails::ColumnNumber;
use crate::term::{Interner, TermId};
use crate::writer::{Writer, Written};

/// One match with all its values.
#[derive(Clone, Debug)]
pub(crate) struct ListedMatch {
    pub(super) at: EventTime,
    pub(super) event: EventRef,
    /// Another delivery of the event stands for it.
    pub(super) is_copy: bool,
    /// Of each column of the filter.
    pub(super) values: Box<[Vec<TermId>]>,
    /// The values are those for executions that end no earlier than the first and no later than the last: always, as a rule.
    holds: (Millis, Millis),
}

/// At any time.
const ALWAYS: (Millis, Millis) = (Millis::MIN, Millis::MAX);

/// The matches of one rule; in the end by time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Listed {
    matches: Vec<ListedMatch>,
    copies: u64,
}

impl Listed {
    pub(super) fn push(&mut self, at: EventTime, values: &[&[TermId]], feed: &mut Feed<'_, '_>) -> bool {
        let values = values.iter().map(|it| it.to_vec()).collect();
        self.matches.push(ListedMatch { at, event: feed.row(), is_copy: false, values, holds: ALWAYS });
        feed.is_in_reach
    }

    pub(super) fn merge(&mut self, other: Self, moved: &mut Moved<'_>) {
        let since = moved.since;
        for mut it in other.matches.into_iter().filter(|it| it.at.time >= since) {
            it.event = moved.event(it.event);
            for (column, ids) in it.values.iter_mut().enumerate() {
                for id in ids {
                    *id = moved.value(0, column, *id);
                }
            }
            self.matches.push(it);
        }
    }

    pub(super) fn events(&self) -> impl Iterator<Item = EventRef> {
        self.matches.iter().map(|it| it.event)
    }

    pub(super) fn finish(mut self, copies: &[Option<u32>], events: &EventTable) -> Self {
        // Of the copies of an event, the one read first stands for all.
        let copy = |it: &ListedMatch| copies.get(it.event.index()).copied().flatten();
        self.matches.sort_by_key(|it| (copy(it), events.origin(it.event), it.at.time));
        let mut last = None;
        for it in &mut self.matches {
            let number = copy(it);
            it.is_copy = number.is_some() && number == last;
            self.copies += u64::from(it.is_copy);
            last = number;
        }
        self.matches.sort_by(|a, b| {
            (a.at.time, a.at.fallback)
                .cmp(&(b.at.time, b.at.fallback))
                .then_with(|| events.compare(a.event, b.event))
        });
        self
    }

    /// With what executions know of each match.
    pub(super) fn told(self, told: Told<'_>) -> Self {
        let mut matches = Vec::with_capacity(self.matches.len());
        for it in self.matches {
            let values: Vec<&[TermId]> = it.values.iter().map(Vec::as_slice).collect();
            let all = told.all(&values, it.at.time);
            matches.extend(all.into_iter().map(|(first, last, values)| ListedMatch {
                at: it.at,
                event: it.event,
                is_copy: it.is_copy,
                values,
                holds: (first, last),
            }));
        }
        Self { matches, ..self }
    }

    pub(super) fn times(&self) -> Option<(Millis, Millis)> {
        Some((self.matches.first()?.at.time, self.matches.last()?.at.time))
    }

    pub(super) fn copies(&self) -> u64 {
        self.copies
    }

    /// A time at which the residue says what it says in every execution that could see one of the matches; none if it
    /// does not say the same in all.
    pub(super) fn settled_at(&self, tail: &Tail) -> Option<Millis> {
        let (first, last) = self.times()?;
        if self.matches.iter().any(|it| it.holds != ALWAYS) {
            return None;
        }
        let Some(residue) = tail.residue(0) else { return Some(first) };
        let (from, to) = (tail.bounds.from.spread()?, tail.bounds.to.spread()?);
        let (first, last) = (first.saturating_sub(to.1), last.saturating_sub(from.0));
        residue.is_settled(first, last).then_some(first)
    }

    /// What matches for an execution at `now`.
    pub(super) fn matching(
        &self,
        tail: &Tail,
        columns: &[ColumnNumber],
        values: &[Interner],
        now: Millis,
    ) -> Vec<&ListedMatch> {
        let residue = ResidueColumns::of(tail, 0, columns.iter().map(|it| &values[it.index()]));
        self.matches.iter().filter(|it| residue.holds(now, &it.values)).collect()
    }

    pub(super) fn all(&self) -> &[ListedMatch] {
        &self.matches
    }

    /// The first execution, not before `tick`, that has a match in its range. `is_cut` says that the one before left
    /// something to those that follow.
    pub(super) fn next(&self, ticks: &Ticks, tick: i64, is_cut: bool) -> Option<i64> {
        let tick = ticks.in_range(tick)?;
        let from = |tick: i64| ticks.window(tick).from;
        let mut at = self.from(from(tick));
        loop {
            let time = self.matches.get(at)?.at.time;
            let reaching = ticks.in_range(ticks.first_reaching(time)?.max(tick))?;
            if from(reaching) <= time {
                return (is_cut || reaching <= self.last(ticks)).then_some(reaching);
            }
            at = self.from(from(reaching));
        }
    }

    /// The place of the first match that is not before the time.
    fn from(&self, time: Millis) -> usize {
        self.matches.partition_point(|it| it.at.time < time)
    }

    /// The last execution that is looked at.
    fn last(&self, ticks: &Ticks) -> i64 {
        ticks.last_for(self.matches.last().map(|it| it.at.time))
    }

    /// The matches within reach of an execution that are such for it.
    pub(super) fn within(&self, window: &Window, residue: &ResidueColumns<'_>) -> Vec<&ListedMatch> {
        self.matches[self.from(window.history.min(window.from))..]
            .iter()
            .take_while(|it| it.at.time <= window.to)
            .filter(|it| it.holds.0 <= window.to && window.to <= it.holds.1)
            .filter(|it| residue.holds(window.started_at, &it.values))
            .collect()
    }

    pub(super) fn why_not(&self, watched: &Watched, run: Run<'_>) -> Vec<Fate> {
        let events = &run.matches.events;
        let is_it = |it: &&ListedMatch| !it.is_copy && watched.is(events, it.event);
        if self.copies > 0 && self.matches.iter().find(is_it).is_some_and(|it| it.at != watched.at) {
            return vec![Fate::Copy];
        }
        let Some(first) = run.ticks.first_holding(watched.at.time) else { return vec![Fate::Unseen] };
        let residue = ResidueColumns::new(run, 0);
        let windows = (first..=self.last(run.ticks)).map(|tick| run.ticks.window(tick));
        let holding = windows.take_while(|window| window.from <= watched.at.time);
        let mut matching = holding.filter(|it| residue.holds(it.started_at, &watched.values));
        let Some(window) = matching.next() else { return vec![Fate::NotThen] };
        let within = self.within(&window, &residue);
        let mut offered = run.tail.rule_type.by_the_book(&within, &window, run, &|_, _| false).into_iter();
        match offered.find(|(it, _)| watched.is(events, it.event)) {
            Some((_, detail)) => {
                vec![Fate::Cut { execution: window.started_at, terms: detail.terms().to_vec() }]
            }
            None => vec![Fate::Seen { terms: Vec::new(), at: None, by: None }],
        }
    }
}

/// Whether the rule's residue leaves the event out in the first execution whose range it lies in.
pub(super) fn is_left_out(watched: &Watched, run: Run<'_>) -> bool {
    let first = run.tail.residue(0).and_then(|_| run.ticks.first_holding(watched.at.time));
    first.is_some_and(|tick| {
        !ResidueColumns::new(run, 0).holds(run.ticks.window(tick).started_at, &watched.values)
    })
}

/// The residue of one of a rule's filters, and where its values are.
pub(super) struct ResidueColumns<'a> {
    residue: Option<&'a Residue>,
    columns: Vec<&'a Interner>,
    /// Behind those of the rule's type and those that make alerts alike.
    skipped: usize,
}

impl<'a> ResidueColumns<'a> {
    pub(super) fn new(run: Run<'a>, step: usize) -> Self {
        Self::of(run.tail, step, run.columns_of(step).iter().map(|&it| run.matches.values(it)))
    }

    /// With the values of all columns of the filter.
    fn of(tail: &'a Tail, step: usize, columns: impl Iterator<Item = &'a Interner>) -> Self {
        let skipped = tail.rule_type.columns(step).len() + tail.alike_columns().len();
        Self { residue: tail.residue(step), columns: columns.skip(skipped).collect(), skipped }
    }

    /// Whether nothing is left to decide.
    pub(super) fn is_empty(&self) -> bool {
        self.residue.is_none()
    }

    /// Whether what has these values is a match for the execution at `now`.
    pub(super) fn holds(&self, now: Millis, values: &[impl AsRef<[TermId]>]) -> bool {
        let show = |column: usize, show: &mut dyn FnMut(Scalar<'_>)| {
            let ids = values[self.skipped + column].as_ref();
            ids.iter().filter_map(|&id| self.columns[column].get(id).delivered()).for_each(show);
        };
        self.residue.is_none_or(|it| it.holds(now, &show))
    }
}

/// The executions of a rule with a residue.
pub(super) struct ListedExecutions<'a> {
    listed: &'a Listed,
    run: Run<'a>,
    residue: ResidueColumns<'a>,
    /// What was said of each event.
    said: HashMap<EventRef, Vec<Detail>>,
    /// The last execution left something to those that follow.
    is_cut: bool,
}

impl<'a> ListedExecutions<'a> {
    pub(super) fn new(listed: &'a Listed, run: Run<'a>) -> Self {
        Self { listed, run, residue: ResidueColumns::new(run, 0), said: HashMap::new(), is_cut: false }
    }
}

impl Executions for ListedExecutions<'_> {
    fn next(&mut self, ticks: &Ticks, tick: i64) -> Option<i64> {
        self.listed.next(ticks, tick, self.is_cut)
    }

    fn execute(&mut self, _: i64, window: &Window, writer: &mut Writer<'_>) {
        let within = self.listed.within(window, &self.residue);
        let was_said =
            |event, detail: &Detail| self.said.get(&event).is_some_and(|said| said.contains(detail));
        let offers = self.run.tail.rule_type.by_the_book(&within, window, self.run, &was_said);
        self.is_cut = false;
        if self.run.alike().is_some() {
            let groups = GroupsOfEvents::default();
            let offered = offer_alike(writer, self.run.page, &offers, |writer, (it, detail)| {
                let values = it.values[self.run.alike_at(0)].iter();
                let group = groups.of(it.event, || self.run.group(0, values, it.at.time, ValueForm::List));
                writer.candidate(it.event, detail.clone(), group)
            });
            self.is_cut = offered.is_cut;
            let there = offers.into_iter().zip(offered.written).filter(|(_, written)| written.is_there());
            for ((it, detail), _) in there {
                self.said.entry(it.event).or_default().push(detail);
            }
            return;
        }
        for (it, detail) in offers {
            if self.said.get(&it.event).is_some_and(|said| said.contains(&detail)) {
                continue;
            }
            match writer.offer(it.event, detail.clone()) {
                Written::Created | Written::Duplicate => {
                    self.said.entry(it.event).or_default().push(detail);
                }
                Written::Suppressed | Written::Full => {
                    self.is_cut = true;
                    return;
                }
            }
        }
    }
}
