//! `new_terms`: one alert for each value, or combination of values, not seen in the history window before.

mod execute;
mod plain;
mod table;

use ecs::date::DateMath;
use ecs::{Catalog, Millis};
use serde_json::Value;

use super::Run;
use super::combinations::{Combinations, Skipped};
use super::listed::ListedMatch;
use crate::collect::{EventRef, EventTable, Feed, Moved};
use crate::fate::{Fate, Watched};
use crate::id;
use crate::outcome::{Metrics, Warning};
use crate::tail::{EventTime, Mode, Tail, TailError};
use crate::tails::{Column, ColumnNumber};
use crate::term::{Interner, TermId, TermType};
use table::{Combination, Counting, Keeping, TermTable, Terms};

pub(super) use execute::NewTermsExecutions;
pub(crate) use execute::TERMS_PAGE;
pub(super) use plain::by_the_book;

/// What a rule says.
#[derive(Clone, Debug)]
pub(crate) struct NewTerms {
    /// One to three.
    columns: Vec<Column>,
    history_window_start: DateMath,
}

impl NewTerms {
    pub(super) fn new(rule: &rule::NewTerms, catalog: &Catalog) -> Result<Self, TailError> {
        if !(1..=3).contains(&rule.fields.len()) {
            return Err(TailError::FieldCount { count: rule.fields.len() });
        }
        let column = |path: &String| match TermType::of(path, catalog) {
            Ok(ty) => Ok(Column { path: path.clone(), shape: ty.shape(), ty }),
            Err(ty) => Err(TailError::NoTerms { field: path.clone(), ty }),
        };
        Ok(Self {
            columns: rule.fields.iter().map(column).collect::<Result<_, _>>()?,
            history_window_start: rule.history_window_start.clone(),
        })
    }

    pub(super) fn columns(&self) -> &[Column] {
        &self.columns
    }

    pub(super) fn history_window_start(&self) -> &DateMath {
        &self.history_window_start
    }
}

/// What one thread gathered.
#[derive(Clone, Debug)]
pub(crate) struct Gathered {
    table: TermTable,
    /// The number of the rule's own columns: behind them stands what makes alerts alike.
    own: usize,
    alike: Vec<Alike>,
    skipped: Skipped,
}

/// What makes an alert about an event alike others.
#[derive(Clone, Debug)]
struct Alike {
    time: Millis,
    event: EventRef,
    /// The values of each field.
    values: Box<[Box<[TermId]>]>,
}

impl Gathered {
    pub(super) fn new(tail: &Tail) -> Self {
        let single = tail.rule_type.columns(0).len() == 1;
        let keeping = match tail.mode {
            Mode::Replay { .. } => Keeping {
                gap: tail.bounds.history_reach(),
                counting: single
                    .then(|| Counting { after: Millis::MIN, within_of_start: tail.bounds.length_max() }),
            },
            // Whatever lies outside the one execution's windows is not kept, so all that is kept is one run.
            Mode::Once { from, .. } => Keeping {
                gap: Millis::MAX,
                counting: single
                    .then(|| Counting { after: from.unwrap_or(Millis::MIN), within_of_start: Millis::MAX }),
            },
        };
        let own = tail.rule_type.columns(0).len();
        Self { table: TermTable::new(keeping), own, alike: Vec::new(), skipped: Skipped::default() }
    }

    pub(super) fn push(&mut self, at: EventTime, values: &[&[TermId]], feed: &mut Feed<'_, '_>) -> bool {
        if !feed.is_in_reach {
            return false;
        }
        let mut is_first = false;
        let (own, alike) = values.split_at(self.own);
        let left_out = Combinations::new(own, feed.terms()).each(|key| {
            is_first |= self.table.push(key, at.time, feed);
        });
        if is_first && !alike.is_empty() {
            let values = alike.iter().map(|&it| it.into()).collect();
            self.alike.push(Alike { time: at.time, event: feed.row(), values });
        }
        if left_out > 0 {
            self.skipped.add(at.time, feed.id(), left_out);
        }
        is_first
    }

    pub(super) fn merge(&mut self, other: Self, moved: &mut Moved<'_>) {
        self.skipped.merge(other.skipped);
        self.table.merge(other.table, moved);
        // No alert is about what lies before.
        let since = moved.since;
        for mut it in other.alike.into_iter().filter(|it| it.time >= since) {
            it.event = moved.event(it.event);
            for (column, ids) in it.values.iter_mut().enumerate() {
                ids.iter_mut().for_each(|id| *id = moved.value(0, self.own + column, *id));
            }
            self.alike.push(it);
        }
    }

    pub(super) fn finish(self) -> Complete {
        let mut alike = self.alike;
        alike.sort_unstable_by_key(|it| it.event.index());
        Complete { terms: self.table.finish(), alike, skipped: self.skipped }
    }
}

/// All terms of a rule.
#[derive(Debug)]
pub(crate) struct Complete {
    terms: Terms,
    /// By the numbers of the events.
    alike: Vec<Alike>,
    skipped: Skipped,
}

impl Complete {
    /// Of these matches, as they were listed.
    pub(super) fn of(
        matches: &[&ListedMatch],
        tail: &Tail,
        columns: &[ColumnNumber],
        values: &[Interner],
        events: &mut EventTable,
    ) -> Self {
        let mut gathered = Gathered::new(tail);
        let (earliest, latest) = tail.reach();
        let own = tail.rule_type.columns(0).len() + tail.alike_columns().len();
        for it in matches {
            let is_in_reach = earliest <= it.at.time && it.at.time <= latest;
            let terms: Vec<&[TermId]> = it.values[..own].iter().map(Vec::as_slice).collect();
            Feed::again(it.event, events, values, &columns[..own], is_in_reach, |feed| {
                gathered.push(it.at, &terms, feed);
            });
        }
        gathered.finish()
    }

    /// The values that make an alert about the event alike others.
    fn alike_of(&self, event: EventRef) -> impl Iterator<Item = &[TermId]> {
        let found = self.alike.binary_search_by_key(&event.index(), |it| it.event.index());
        let values = found.ok().map(|at| &self.alike[at].values);
        values.into_iter().flat_map(|it| it.iter().map(AsRef::as_ref))
    }

    pub(super) fn report(&self, metrics: &mut Metrics, warnings: &mut Vec<Warning>) {
        metrics.terms = Some(self.terms.len() as u64);
        self.skipped.report(warnings);
    }

    /// For each of the event's terms.
    pub(super) fn why_not(&self, watched: &Watched, run: Run<'_>) -> Vec<Fate> {
        let mut fates = Vec::new();
        let own = run.tail.rule_type.columns(0).len();
        let values: Vec<&[TermId]> = watched.values[..own].iter().map(Vec::as_slice).collect();
        let columns = run.columns();
        let term = |column: usize, id| run.matches.values(columns[column]).get(id);
        let left_out = Combinations::new(&values, term).each(|key| {
            fates.extend(self.why_not_term(key, watched, run));
        });
        if left_out > 0 || fates.is_empty() {
            fates.push(Fate::NoTerm);
        }
        fates
    }

    fn why_not_term(&self, key: Combination, watched: &Watched, run: Run<'_>) -> Option<Fate> {
        let (stretch, before) = self.terms.run_at(key, watched.at.time)?;
        let terms = terms_of(key, run);
        let events = &run.matches.events;
        if !watched.is(events, stretch.event) {
            let by = events.id(stretch.event, &mut [0; 36]).to_owned();
            return Some(Fate::Seen { terms, at: Some(stretch.start), by: Some(by) });
        }
        let Some(tick) = run.ticks.first_holding(stretch.start) else { return Some(Fate::Unseen) };
        let due = execute::first_new(stretch, before, run.ticks);
        Some(match due {
            Some(due) => Fate::Cut { execution: run.ticks.window(due).started_at, terms },
            None if run.ticks.window(tick).history <= before && before != Millis::MIN => {
                Fate::Seen { terms, at: Some(before), by: None }
            }
            None => Fate::Unseen,
        })
    }
}

/// The values of a combination, as an alert has them.
fn terms_of(key: Combination, run: Run<'_>) -> Vec<Value> {
    let columns = &run.columns()[..run.tail.rule_type.columns(0).len()];
    let alone = columns.len() == 1;
    let values = columns.iter().zip(key);
    values.map(|(&column, term)| run.matches.values(column).get(term).to_value(alone)).collect()
}

pub(super) fn alert_id(index: &str, event: &str, space_and_rule: &str, terms: &[Value]) -> String {
    id::new_terms_alert(index, event, space_and_rule, terms)
}

/// Where an alert has the new terms.
pub(crate) const NEW_TERMS: &str = "kibana.alert.new_terms";
