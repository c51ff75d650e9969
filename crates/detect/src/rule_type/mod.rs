//! The list of rule types. Each is one module: what it needs of an event, how it gathers matches and forgets them, what
//! its executions make of them, its part of an alert, and why an event did not alert.
//!
//! Whatever is asked of a type is asked here, by one `match`.

mod eql;
mod listed;
mod new_terms;
mod query;

use ecs::Catalog;
use ecs::date::DateMath;
use rule::{Pattern, Rule, RuleKind};
use serde_json::Value;

use crate::collect::{EventRef, EventTable, Feed, Matches, Moved};
use crate::fate::{Fate, Watched};
use crate::outcome::{Metrics, Warning, WarningKind};
use crate::schedule::{Ticks, Window};
use crate::tail::{EventTime, Tail, TailError};
use crate::tails::{Column, ColumnNumber};
use crate::term::{Interner, TermId};
use crate::writer::Writer;

pub(crate) use eql::{Eql, OrderFields, shell_id};
pub use eql::{JOIN_KEYS_MAX, QueryResult, SEQUENCES_BEGUN_MAX, Sequence, SequenceEvent};
pub use new_terms::COMBINATIONS_MAX;
pub(crate) use new_terms::{NEW_TERMS, TERMS_PAGE};

impl<'a> Run<'a> {
    /// The columns of the rule's first filter.
    fn columns(&self) -> &'a [ColumnNumber] {
        self.columns_of(0)
    }

    /// The columns of one of the rule's filters.
    fn columns_of(&self, step: usize) -> &'a [ColumnNumber] {
        let tails = &self.matches.tails;
        tails.columns(tails.filters_of(self.rule).start + step)
    }
}

/// The type of a rule, with what only that type has.
#[derive(Clone, Debug)]
pub(crate) enum RuleType {
    /// `query` and `saved_query`.
    Query,
    /// `new_terms`.
    NewTerms(new_terms::NewTerms),
    /// `eql`.
    Eql(Box<Eql>),
}

/// What of an alert only its rule's type has.
#[derive(Clone, Debug, PartialEq)]
pub enum Detail {
    /// Nothing beyond the event.
    Event,
    /// The new values, in the order of the rule's fields.
    NewTerms(Vec<Value>),
    /// The events of a sequence or sample.
    Sequence(Box<Sequence>),
}

/// What is gathered for one rule by one thread.
#[derive(Clone, Debug)]
pub(crate) enum Gathered {
    Query(query::Gathered),
    NewTerms(Box<new_terms::Gathered>),
    Eql(eql::Gathered),
    /// Of a rule of any type with a [`Residue`](plan::Residue).
    Listed(listed::Listed),
}

/// All that was gathered for one rule, in order.
#[derive(Debug)]
pub(crate) enum Complete {
    Query(query::Complete),
    NewTerms(Box<new_terms::Complete>),
    Eql(eql::Complete),
    Listed(listed::Listed),
}

/// What one rule's executions do, one after the other. Each remembers what it has said, so that an execution
/// looks only at what is new, and knows which execution is the next that could say something.
pub(crate) trait Executions {
    /// The first execution, not before `tick`, that could create an alert.
    fn next(&mut self, ticks: &Ticks, tick: i64) -> Option<i64>;

    /// Offers the alerts of this execution to the writer, in order, until it is full.
    fn execute(&mut self, tick: i64, window: &Window, writer: &mut Writer<'_>);

    /// What is to be known of all of them, once they are done.
    fn warnings(&self) -> Vec<WarningKind> {
        Vec::new()
    }
}

/// What executions are made of.
#[derive(Clone, Copy)]
pub(crate) struct Run<'a> {
    pub(crate) matches: &'a Matches,
    pub(crate) rule: usize,
    pub(crate) tail: &'a Tail,
    pub(crate) ticks: &'a Ticks,
    /// See [`TERMS_PAGE`].
    pub(crate) page: usize,
    /// The most alerts of one execution.
    pub(crate) budget: u32,
}

impl RuleType {
    /// The type of a rule, checked. `pattern` is what its query asks of several events.
    pub(crate) fn of(rule: &Rule, pattern: Option<&Pattern>, catalog: &Catalog) -> Result<Self, TailError> {
        match (&rule.kind, pattern) {
            (RuleKind::Query | RuleKind::SavedQuery { .. }, _) => Ok(Self::Query),
            (RuleKind::NewTerms(it), _) => new_terms::NewTerms::new(it, catalog).map(Self::NewTerms),
            (RuleKind::Eql { timestamp_field, tiebreaker_field, .. }, Some(pattern)) => {
                let order = OrderFields {
                    timestamp: timestamp_field.as_deref(),
                    tiebreaker: tiebreaker_field.as_deref(),
                };
                Ok(Self::Eql(Box::new(Eql::new(pattern, order, catalog)?)))
            }
            (
                RuleKind::Threshold(_)
                | RuleKind::Eql { .. }
                | RuleKind::Esql
                | RuleKind::ThreatMatch(_)
                | RuleKind::MachineLearning { .. },
                _,
            ) => Err(TailError::Type { kind: rule.kind.type_name() }),
        }
    }

    /// How many filters a rule has.
    pub(crate) fn filters(&self) -> usize {
        match self {
            Self::Query | Self::NewTerms(_) => 1,
            Self::Eql(it) => it.filters(),
        }
    }

    /// The columns whose values go with a match of one of its filters.
    pub(crate) fn columns(&self, step: usize) -> &[Column] {
        match self {
            Self::Query => &[],
            Self::NewTerms(it) => it.columns(),
            Self::Eql(it) => it.columns(step),
        }
    }

    /// Where the history begins that a rule compares with, if its type has one.
    pub(crate) fn history_window_start(&self) -> Option<&DateMath> {
        match self {
            Self::Query | Self::Eql(_) => None,
            Self::NewTerms(it) => Some(it.history_window_start()),
        }
    }

    /// Whether an event exactly at `tuple.from` cannot alert anyway.
    pub(crate) const fn excludes_from(&self) -> bool {
        match self {
            Self::Query | Self::Eql(_) => false,
            Self::NewTerms(_) => true,
        }
    }

    /// What one execution offers, in order, of these matches within its reach: by the book. What earlier ones said, which
    /// `was_said` tells, is no part of a page of new terms; beyond that no regard is had to it.
    fn by_the_book(
        &self,
        matches: &[&listed::ListedMatch],
        window: &Window,
        run: Run<'_>,
        was_said: &dyn Fn(EventRef, &Detail) -> bool,
    ) -> Vec<(EventRef, Detail)> {
        match self {
            Self::Query => query::by_the_book(matches, window, run),
            Self::NewTerms(_) => new_terms::by_the_book(matches, window, run, was_said),
            Self::Eql(_) => unreachable!("its executions decide on residues themselves"),
        }
    }

    /// Whether a rule does not alert on its own alerts.
    pub(crate) const fn spares_own_alerts(&self) -> bool {
        match self {
            Self::Query | Self::Eql(_) => true,
            Self::NewTerms(_) => false,
        }
    }
}

impl Gathered {
    pub(crate) fn new(tail: &Tail) -> Self {
        match &tail.rule_type {
            RuleType::Eql(_) => Self::Eql(eql::Gathered::new(tail)),
            _ if tail.has_residue() => Self::Listed(listed::Listed::default()),
            RuleType::Query => Self::Query(query::Gathered::default()),
            RuleType::NewTerms(_) => Self::NewTerms(Box::new(new_terms::Gathered::new(tail))),
        }
    }

    /// Takes a match of one of the rule's filters with the values of its columns. Says whether the rule could alert on
    /// the event, as far as is known by now: if not, it never will.
    pub(crate) fn push(
        &mut self,
        step: usize,
        at: EventTime,
        values: &[&[TermId]],
        feed: &mut Feed<'_, '_>,
    ) -> bool {
        match self {
            Self::Query(it) => it.push(at, feed),
            Self::NewTerms(it) => it.push(at, values, feed),
            Self::Eql(it) => it.take(step, at, values, feed),
            Self::Listed(it) => it.push(at, values, feed),
        }
    }

    /// Takes over what `other` gathered for the same rule, but for what [`Moved::since`] leaves behind.
    pub(crate) fn merge(&mut self, other: Self, moved: &mut Moved<'_>) {
        match (self, other) {
            (Self::Query(mine), Self::Query(theirs)) => mine.merge(theirs, moved),
            (Self::NewTerms(mine), Self::NewTerms(theirs)) => mine.merge(*theirs, moved),
            (Self::Eql(mine), Self::Eql(theirs)) => mine.merge(&theirs, moved),
            (Self::Listed(mine), Self::Listed(theirs)) => mine.merge(theirs, moved),
            (Self::Query(_) | Self::NewTerms(_) | Self::Eql(_) | Self::Listed(_), _) => {
                unreachable!("both collectors were made from the same tails")
            }
        }
    }

    /// The events of which a rule must know the copies: those that it would raise twice.
    pub(crate) fn told_apart(&self) -> Box<dyn Iterator<Item = EventRef> + '_> {
        match self {
            Self::Query(it) => Box::new(it.events()),
            Self::NewTerms(_) => Box::new(std::iter::empty()),
            Self::Eql(it) => Box::new(it.events()),
            Self::Listed(it) => Box::new(it.events()),
        }
    }

    /// Puts all that was gathered in order. `copies` are events delivered several times, see
    /// [`Gathered::told_apart`].
    pub(crate) fn finish(self, copies: &[Option<u32>], events: &EventTable) -> Complete {
        match self {
            Self::Query(it) => Complete::Query(it.finish(copies, events)),
            Self::NewTerms(it) => Complete::NewTerms(Box::new(it.finish())),
            Self::Eql(it) => Complete::Eql(it.finish(copies, events)),
            Self::Listed(it) => Complete::Listed(it.finish(copies, events)),
        }
    }
}

impl Complete {
    /// As the rule's type keeps it, if all executions that could see a match decide alike what the filter left to them:
    /// an exception, say, that expires long after the data.
    pub(crate) fn settled(
        self,
        tail: &Tail,
        columns: &[ColumnNumber],
        values: &[Interner],
        events: &mut EventTable,
    ) -> Self {
        let Self::Listed(listed) = self else { return self };
        let Some(now) = listed.settled_at(tail) else { return Self::Listed(listed) };
        let copies = listed.copies();
        let matches = listed.matching(tail, columns, values, now);
        match &tail.rule_type {
            RuleType::Query => Self::Query(query::Complete::of(&matches, copies, events)),
            RuleType::NewTerms(_) => {
                Self::NewTerms(Box::new(new_terms::Complete::of(&matches, tail, columns, values, events)))
            }
            RuleType::Eql(_) => unreachable!("its executions decide on residues themselves"),
        }
    }

    /// Adds what was counted and what is to be known before anything is executed.
    pub(crate) fn report(&self, metrics: &mut Metrics, warnings: &mut Vec<Warning>) {
        match self {
            Self::Query(it) => metrics.copies = Some(it.copies()),
            Self::NewTerms(it) => it.report(metrics, warnings),
            Self::Eql(it) => it.report(metrics),
            Self::Listed(it) => metrics.copies = Some(it.copies()),
        }
    }

    /// The executions, none of which has said anything yet.
    pub(crate) fn executions<'a>(&'a self, run: Run<'a>) -> Result<Box<dyn Executions + 'a>, TailError> {
        Ok(match self {
            Self::Query(it) => Box::new(query::QueryExecutions::new(it)),
            Self::NewTerms(it) => Box::new(new_terms::NewTermsExecutions::new(it, run)?),
            Self::Eql(it) => match &run.tail.rule_type {
                RuleType::Eql(eql) => Box::new(eql::EqlExecutions::new(it, eql, run)),
                RuleType::Query | RuleType::NewTerms(_) => {
                    unreachable!("what was gathered is of the rule's type")
                }
            },
            Self::Listed(it) => Box::new(listed::ListedExecutions::new(it, run)),
        })
    }

    /// Why no alert is about the event, which the rule matched: one reason, or one for each of its terms.
    pub(crate) fn why_not(&self, watched: &Watched, run: Run<'_>) -> Vec<Fate> {
        match self {
            // What was settled for all executions was left out of these.
            Self::Query(_) | Self::NewTerms(_) if listed::is_left_out(watched, run) => vec![Fate::NotThen],
            Self::Query(it) => it.why_not(watched, run),
            Self::NewTerms(it) => it.why_not(watched, run),
            Self::Eql(it) => it.why_not(watched, run),
            Self::Listed(it) => it.why_not(watched, run),
        }
    }
}

impl Detail {
    /// The new terms, if the rule asks for such.
    pub(crate) fn terms(&self) -> &[Value] {
        match self {
            Self::Event | Self::Sequence(_) => &[],
            Self::NewTerms(terms) => terms,
        }
    }

    /// The id of the alert.
    pub(crate) fn alert_id(&self, index: &str, event: &str, space_and_rule: &str) -> String {
        match self {
            Self::Event => query::alert_id(index, event, space_and_rule),
            Self::NewTerms(terms) => new_terms::alert_id(index, event, space_and_rule, terms),
            Self::Sequence(_) => unreachable!("a sequence has no single event: see `shell_id`"),
        }
    }

    /// What the alert has at this key of its own.
    pub(crate) fn field(&self, key: &str) -> Option<Value> {
        match self {
            Self::Event | Self::Sequence(_) => None,
            Self::NewTerms(terms) => new_terms::alert_field(key, terms),
        }
    }
}
