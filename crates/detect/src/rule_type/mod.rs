//! The list of rule types. Each is one module: what it needs of an event, how it gathers matches and forgets them, what
//! its executions make of them, its part of an alert, and why an event did not alert.
//!
//! Whatever is asked of a type is asked here, by one `match`.

mod alike;
mod combinations;
mod eql;
mod esql;
mod grouped;
mod groups;
mod listed;
mod new_terms;
mod query;
mod threshold;

use ecs::date::DateMath;
use ecs::{Catalog, Object};
use rule::{Pattern, Rule, RuleKind};
use serde_json::Value;

use crate::collect::{EventRef, EventTable, Feed, Matches, Moved, Told};
use crate::fate::{Fate, Watched};
use crate::id;
use crate::known::KnownThreshold;
use crate::outcome::{Metrics, Warning, WarningKind};
use crate::schedule::{Ticks, Window};
use crate::tail::{EventTime, SPACE, Tail, TailError};
use crate::tails::{Column, ColumnNumber};
use crate::term::{Interner, TermId};
use crate::writer::Writer;

pub use combinations::COMBINATIONS_MAX;
use combinations::{Combinations, Skipped};
pub(crate) use eql::{Eql, OrderFields, shell_id};
pub use eql::{JOIN_KEYS_MAX, QueryResult, SEQUENCES_BEGUN_MAX, Sequence, SequenceEvent};
pub use esql::Row;
pub(crate) use groups::FIELDS_MAX;
pub(crate) use new_terms::{NEW_TERMS, TERMS_PAGE};
pub(crate) use threshold::THRESHOLD_RESULT;
pub use threshold::ThresholdResult;

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

    /// What the ids of its alerts are made of.
    fn space_and_rule(&self) -> String {
        format!("{SPACE}:{}", self.tail.rule_uuid)
    }
}

/// The type of a rule, with what only that type has.
#[derive(Clone, Debug)]
pub(crate) enum RuleType {
    /// `query` and `saved_query`.
    Query,
    /// The same with suppression.
    Grouped(Box<grouped::Grouped>),
    /// `new_terms`.
    NewTerms(new_terms::NewTerms),
    /// `threshold`.
    Threshold(Box<threshold::Threshold>),
    /// `eql`.
    Eql(Box<Eql>),
    /// `esql`.
    Esql(Box<esql::Esql>),
}

/// What of an alert only its rule's type has.
#[derive(Clone, Debug, PartialEq)]
pub enum Detail {
    /// Nothing beyond the event.
    Event,
    /// The new values, in the order of the rule's fields.
    NewTerms(Vec<Value>),
    /// What was counted.
    Threshold(Box<ThresholdResult>),
    /// The events of a sequence or sample.
    Sequence(Box<Sequence>),
    /// What a pipeline made of events.
    Row(Box<Row>),
}

/// What is gathered for one rule by one thread.
#[derive(Clone, Debug)]
pub(crate) enum Gathered {
    Query(query::Gathered),
    NewTerms(Box<new_terms::Gathered>),
    Groups(Box<groups::GroupTable>),
    Eql(eql::Gathered),
    /// Of a rule of any type with a [`Residue`](plan::Residue).
    Listed(listed::Listed),
}

/// All that was gathered for one rule, in order.
#[derive(Debug)]
pub(crate) enum Complete {
    Query(query::Complete),
    NewTerms(Box<new_terms::Complete>),
    Groups(Box<groups::Groups>),
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

    /// Whether what was said before the first execution, of which nothing is known, could change what the one at `first`
    /// says, or those after it. What the executions between left to others is no part of the question.
    fn depends_on_earlier(&self, _first: i64) -> bool {
        false
    }

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
    /// What alerts of the rule counted that were raised before the first of these executions.
    pub(crate) counted: &'a [KnownThreshold],
    /// See [`TERMS_PAGE`].
    pub(crate) page: usize,
    /// The most alerts of one execution.
    pub(crate) budget: u32,
}

impl RuleType {
    /// The type of a rule, checked. `pattern` is what its query asks of several events.
    pub(crate) fn of(rule: &Rule, pattern: Option<&Pattern>, catalog: &Catalog) -> Result<Self, TailError> {
        match (&rule.kind, pattern) {
            (RuleKind::Query | RuleKind::SavedQuery { .. }, _) => match &rule.alert_suppression {
                Some(it) => grouped::Grouped::new(it, catalog).map(|it| Self::Grouped(Box::new(it))),
                None => Ok(Self::Query),
            },
            (RuleKind::NewTerms(it), _) => new_terms::NewTerms::new(it, catalog).map(Self::NewTerms),
            (RuleKind::Eql { timestamp_field, tiebreaker_field, .. }, Some(pattern)) => {
                let order = OrderFields {
                    timestamp: timestamp_field.as_deref(),
                    tiebreaker: tiebreaker_field.as_deref(),
                };
                Ok(Self::Eql(Box::new(Eql::new(pattern, order, catalog)?)))
            }
            (RuleKind::Threshold(it), _) => {
                threshold::Threshold::new(rule, it, catalog).map(|it| Self::Threshold(Box::new(it)))
            }
            (RuleKind::Esql, _) => Ok(Self::Esql(Box::new(esql::Esql::new(rule, catalog)?))),
            (RuleKind::Eql { .. } | RuleKind::ThreatMatch(_) | RuleKind::MachineLearning { .. }, _) => {
                Err(TailError::Type { kind: rule.kind.type_name() })
            }
        }
    }

    /// How many filters a rule has.
    pub(crate) fn filters(&self) -> usize {
        match self {
            Self::Query | Self::Grouped(_) | Self::NewTerms(_) | Self::Threshold(_) | Self::Esql(_) => 1,
            Self::Eql(it) => it.filters(),
        }
    }

    /// The columns whose values go with a match of one of its filters.
    pub(crate) fn columns(&self, step: usize) -> &[Column] {
        match self {
            Self::Query => &[],
            Self::Grouped(it) => it.columns(),
            Self::NewTerms(it) => it.columns(),
            Self::Threshold(it) => &it.by().columns,
            Self::Eql(it) => it.columns(step),
            Self::Esql(it) => it.columns(),
        }
    }

    /// Where the history begins that a rule compares with, if its type has one.
    pub(crate) fn history_window_start(&self) -> Option<&DateMath> {
        match self {
            Self::Query | Self::Grouped(_) | Self::Threshold(_) | Self::Eql(_) | Self::Esql(_) => None,
            Self::NewTerms(it) => Some(it.history_window_start()),
        }
    }

    /// Whether an event exactly at `tuple.from` cannot alert anyway.
    pub(crate) const fn excludes_from(&self) -> bool {
        match self {
            Self::Query | Self::Grouped(_) | Self::Threshold(_) | Self::Eql(_) | Self::Esql(_) => false,
            Self::NewTerms(_) => true,
        }
    }

    /// What one execution offers, in order, of these matches within its reach: by the book. What earlier ones said, which
    /// `was_said` tells, is no part of a page of new terms; beyond that no regard is had to it.
    fn by_the_book<'m>(
        &self,
        matches: &[&'m listed::ListedMatch],
        window: &Window,
        run: Run<'_>,
        was_said: &dyn Fn(EventRef, &Detail) -> bool,
    ) -> Vec<(&'m listed::ListedMatch, Detail)> {
        match self {
            Self::Query => query::by_the_book(matches, window, run),
            // The groups are no matter of single events.
            Self::Grouped(it) => {
                let apart = matches.iter().copied().filter(|one| it.by().is_apart(&one.values));
                query::by_the_book(&apart.collect::<Vec<_>>(), window, run)
            }
            Self::NewTerms(_) => new_terms::by_the_book(matches, window, run, was_said),
            Self::Threshold(_) | Self::Eql(_) | Self::Esql(_) => {
                unreachable!("their executions decide on residues themselves")
            }
        }
    }

    /// Whether a rule does not alert on its own alerts.
    pub(crate) const fn spares_own_alerts(&self) -> bool {
        match self {
            Self::Query | Self::Grouped(_) | Self::Eql(_) | Self::Esql(_) => true,
            Self::NewTerms(_) | Self::Threshold(_) => false,
        }
    }

    /// Whether it has the values among its own columns that make alerts alike.
    pub(crate) const fn groups(&self) -> bool {
        match self {
            Self::Grouped(_) | Self::Threshold(_) | Self::Esql(_) => true,
            Self::Query | Self::NewTerms(_) | Self::Eql(_) => false,
        }
    }
}

impl Gathered {
    pub(crate) fn new(tail: &Tail) -> Self {
        match &tail.rule_type {
            RuleType::Eql(_) => Self::Eql(eql::Gathered::new(tail)),
            RuleType::Esql(_) => Self::Listed(listed::Listed::default()),
            _ if tail.is_left_open() => Self::Listed(listed::Listed::default()),
            RuleType::Query => Self::Query(query::Gathered::default()),
            RuleType::NewTerms(_) => Self::NewTerms(Box::new(new_terms::Gathered::new(tail))),
            RuleType::Grouped(it) => Self::Groups(Box::new(groups::GroupTable::new(it.by()))),
            RuleType::Threshold(it) => Self::Groups(Box::new(groups::GroupTable::new(it.by()))),
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
            // The alerts of a threshold rule are about no single event.
            Self::Groups(it) => {
                it.push(at, values, feed) && feed.is_in_reach && it.by().lacking != groups::Lacking::Left
            }
            Self::Eql(it) => it.take(step, at, values, feed),
            Self::Listed(it) => it.push(at, values, feed),
        }
    }

    /// Takes over what `other` gathered for the same rule, but for what [`Moved::since`] leaves behind.
    pub(crate) fn merge(&mut self, other: Self, moved: &mut Moved<'_>) {
        match (self, other) {
            (Self::Query(mine), Self::Query(theirs)) => mine.merge(theirs, moved),
            (Self::NewTerms(mine), Self::NewTerms(theirs)) => mine.merge(*theirs, moved),
            (Self::Groups(mine), Self::Groups(theirs)) => mine.merge(*theirs, moved),
            (Self::Eql(mine), Self::Eql(theirs)) => mine.merge(&theirs, moved),
            (Self::Listed(mine), Self::Listed(theirs)) => mine.merge(theirs, moved),
            (Self::Query(_) | Self::NewTerms(_) | Self::Groups(_) | Self::Eql(_) | Self::Listed(_), _) => {
                unreachable!("both collectors were made from the same tails")
            }
        }
    }

    /// The events of which a rule must know the copies: those that it would raise twice.
    pub(crate) fn told_apart(&self) -> Box<dyn Iterator<Item = EventRef> + '_> {
        match self {
            Self::Query(it) => Box::new(it.events()),
            Self::NewTerms(_) => Box::new(std::iter::empty()),
            Self::Groups(it) => Box::new(it.events()),
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
            Self::Groups(it) => Complete::Groups(Box::new(it.finish(copies, events))),
            Self::Eql(it) => Complete::Eql(it.finish(copies, events)),
            Self::Listed(it) => Complete::Listed(it.finish(copies, events)),
        }
    }
}

impl Complete {
    /// With the values of columns that are told when all matches are known; by filter.
    pub(crate) fn told(self, told: &[Told<'_>]) -> Self {
        match self {
            Self::Listed(it) if told[0].is_any() => Self::Listed(it.told(told[0])),
            Self::Eql(it) if told.iter().any(Told::is_any) => Self::Eql(it.told(told)),
            Self::Query(_) | Self::NewTerms(_) | Self::Groups(_) | Self::Eql(_) | Self::Listed(_) => self,
        }
    }

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
        if let RuleType::Esql(_) = &tail.rule_type {
            return Self::Listed(listed);
        }
        let Some(now) = listed.settled_at(tail) else { return Self::Listed(listed) };
        let copies = listed.copies();
        let matches = listed.matching(tail, columns, values, now);
        match &tail.rule_type {
            RuleType::Query => Self::Query(query::Complete::of(&matches, copies, events)),
            RuleType::NewTerms(_) => {
                Self::NewTerms(Box::new(new_terms::Complete::of(&matches, tail, columns, values, events)))
            }
            RuleType::Threshold(it) => {
                Self::Groups(Box::new(groups::Groups::of(it.by(), &matches, columns, values, events)))
            }
            RuleType::Grouped(it) => {
                Self::Groups(Box::new(groups::Groups::of(it.by(), &matches, columns, values, events)))
            }
            RuleType::Eql(_) | RuleType::Esql(_) => {
                unreachable!("its executions decide on residues themselves")
            }
        }
    }

    /// Adds what was counted and what is to be known before anything is executed.
    pub(crate) fn report(&self, metrics: &mut Metrics, warnings: &mut Vec<Warning>) {
        match self {
            Self::Query(it) => metrics.copies = Some(it.copies()),
            Self::NewTerms(it) => it.report(metrics, warnings),
            Self::Groups(it) => it.report(metrics, warnings),
            Self::Eql(it) => it.report(metrics),
            Self::Listed(it) => metrics.copies = Some(it.copies()),
        }
    }

    /// The combinations of values that no execution looks at, of matches that are listed; what is gathered otherwise
    /// [reports](Complete::report) its own.
    pub(crate) fn report_skipped(&self, matches: &Matches, rule: usize, warnings: &mut Vec<Warning>) {
        let Self::Listed(listed) = self else { return };
        let (tail, tails) = (&matches.tails.rules()[rule], &matches.tails);
        let columns = tails.columns(tails.filters_of(rule).start);
        let term = |column: usize, id| matches.values(columns[column]).get(id);
        let mut skipped = Skipped::default();
        for it in listed.all() {
            let values: Vec<&[TermId]> = it.values.iter().map(Vec::as_slice).collect();
            let take = |_: [TermId; FIELDS_MAX]| ();
            let left_out = match &tail.rule_type {
                RuleType::NewTerms(of) => Combinations::new(&values[..of.columns().len()], term).each(take),
                RuleType::Grouped(of) => of.by().keys(&values, term, take),
                RuleType::Threshold(of) => of.by().keys(&values, term, take),
                RuleType::Query | RuleType::Eql(_) | RuleType::Esql(_) => 0,
            };
            if left_out > 0 {
                let id = matches.events.id(it.event, &mut [0; 36]).to_owned();
                skipped.add(it.at.time, &id, left_out);
            }
        }
        skipped.report(warnings);
    }

    /// The executions, none of which has said anything yet.
    pub(crate) fn executions<'a>(&'a self, run: Run<'a>) -> Result<Box<dyn Executions + 'a>, TailError> {
        Ok(match (self, &run.tail.rule_type) {
            (_, RuleType::Threshold(rule)) => {
                Box::new(threshold::ThresholdExecutions::new(rule, run, self.counting(rule.by(), run)))
            }
            (_, RuleType::Grouped(rule)) => Box::new(grouped::GroupedExecutions::new(
                rule,
                run,
                self.counting(rule.by(), run),
                self.apart(run),
            )),
            (Self::Eql(it), RuleType::Eql(eql)) => Box::new(eql::EqlExecutions::new(it, eql, run)),
            (Self::Query(it), _) => Box::new(query::QueryExecutions::new(it)),
            (Self::NewTerms(it), _) => Box::new(new_terms::NewTermsExecutions::new(it, run)?),
            (Self::Listed(it), RuleType::Esql(rule)) => Box::new(esql::EsqlExecutions::new(rule, it, run)),
            (Self::Listed(it), _) => Box::new(listed::ListedExecutions::new(it, run)),
            (Self::Eql(_) | Self::Groups(_), _) => unreachable!("what was gathered is of the rule's type"),
        })
    }

    /// Why no alert is about the event, which the rule matched: one reason, or one for each of its terms.
    /// `is_cut` tells whether an execution reached the limit of alerts.
    pub(crate) fn why_not(&self, watched: &Watched, run: Run<'_>, is_cut: bool) -> Vec<Fate> {
        match (self, &run.tail.rule_type) {
            // What was settled for all executions was left out of these.
            (Self::Query(_) | Self::NewTerms(_) | Self::Groups(_), _)
                if listed::is_left_out(watched, run) =>
            {
                vec![Fate::NotThen]
            }
            (_, RuleType::Threshold(rule)) => rule.why_not(self.counting(rule.by(), run), watched, run),
            (_, RuleType::Grouped(rule)) => {
                rule.why_not(&self.counting(rule.by(), run), &self.apart(run), watched, run)
            }
            (Self::Query(it), _) => it.why_not(watched, run),
            (Self::NewTerms(it), _) => it.why_not(watched, run),
            (Self::Eql(it), _) => it.why_not(watched, run, is_cut),
            (Self::Listed(it), RuleType::Esql(rule)) => esql::why_not(it, rule, watched, run),
            (Self::Listed(it), _) => it.why_not(watched, run),
            (Self::Groups(_), _) => unreachable!("only rules that count are gathered so"),
        }
    }

    /// The events of a rule with groups that are in none.
    fn apart<'a>(&'a self, run: Run<'a>) -> grouped::Apart<'a> {
        match self {
            Self::Groups(it) => grouped::Apart::table(&it.apart),
            Self::Listed(it) => grouped::Apart::listed(it, run),
            Self::Query(_) | Self::NewTerms(_) | Self::Eql(_) => {
                unreachable!("rules with groups are gathered otherwise")
            }
        }
    }

    /// The executions over the groups of a rule that counts, however its matches are kept.
    fn counting<'a>(&'a self, by: &'a groups::GroupBy, run: Run<'a>) -> groups::Counting<'a> {
        match self {
            Self::Groups(it) => groups::Counting::Table(groups::GroupExecutions::new(it, run)),
            Self::Listed(it) => groups::Counting::Listed(groups::ListedGroups::new(by, it, run)),
            Self::Query(_) | Self::NewTerms(_) | Self::Eql(_) => {
                unreachable!("rules that count are gathered otherwise")
            }
        }
    }
}

impl Detail {
    /// The new terms, if the rule asks for such.
    pub(crate) fn terms(&self) -> &[Value] {
        match self {
            Self::Event | Self::Threshold(_) | Self::Sequence(_) | Self::Row(_) => &[],
            Self::NewTerms(terms) => terms,
        }
    }

    /// The id of the alert.
    pub(crate) fn alert_id(&self, index: &str, event: &str, space_and_rule: &str) -> String {
        match self {
            Self::Event | Self::Threshold(_) => id::event_alert(index, event, space_and_rule),
            Self::NewTerms(terms) => new_terms::alert_id(index, event, space_and_rule, terms),
            Self::Row(row) => row.id().to_owned(),
            Self::Sequence(_) => unreachable!("a sequence has no single event: see `shell_id`"),
        }
    }

    /// The new terms, as an alert has them at [`NEW_TERMS`].
    pub(crate) fn new_terms(&self) -> Option<Value> {
        match self {
            Self::Event | Self::Threshold(_) | Self::Sequence(_) | Self::Row(_) => None,
            Self::NewTerms(terms) => Some(terms.clone().into()),
        }
    }

    /// What was counted, as an alert has it at [`THRESHOLD_RESULT`]: as JSON.
    pub(crate) fn threshold_result(&self) -> Option<String> {
        match self {
            Self::Event | Self::NewTerms(_) | Self::Sequence(_) | Self::Row(_) => None,
            Self::Threshold(result) => Some(threshold::alert_field(result)),
        }
    }

    /// What stands for the event: its document, unless the alert is about none or says more.
    pub(crate) fn document(&self, event: Object) -> Object {
        match self {
            Self::Event | Self::NewTerms(_) | Self::Sequence(_) => event,
            Self::Threshold(result) => threshold::document(result),
            Self::Row(row) => row.document(event),
        }
    }
}
