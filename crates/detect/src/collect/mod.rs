//! Takes what the filters let through, from many threads and in any order.

mod chunked;
mod events;
mod feed;
mod matches;
mod moved;
mod told;

use std::sync::Arc;

use ecs::{Millis, Scalar};
use identity::Graph;

pub use events::EventInfo;
pub use matches::Matches;

pub(crate) use chunked::Chunked;
pub(crate) use events::{EventRef, EventTable};
pub(crate) use feed::Feed;
pub(crate) use moved::Moved;
pub(crate) use told::{Told, ToldColumn};

use crate::fate::Watched;
use crate::outcome::DataSpan;
use crate::rule_type::Gathered;
use crate::tails::{ColumnNumber, Tails};
use crate::term::{Interner, Term, TermId};
use events::Current;

/// Gathers the matches of all rules. Each thread has its own; in the end they are merged.
///
/// Neither the order of feeding nor the number of collectors has any influence on the alerts.
#[derive(Clone, Debug)]
pub struct Collector {
    tails: Arc<Tails>,
    events: EventTable,
    rules: Vec<OneRule>,
    values: Vec<Interner>,
    /// The `_id` of events of which more is kept.
    watched_id: Option<String>,
    watched: Vec<Watched>,
    /// For each rule the time before which no execution will look any more, if it is asked what came too late.
    looked_from: Option<Arc<[Millis]>>,
}

/// Events that a rule matches and that came after the last execution which could have seen them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Behind {
    /// How many.
    pub events: u64,
    /// The times of the first and the last, as the rule tells time.
    pub span: Option<(Millis, Millis)>,
}

impl Behind {
    fn add(&mut self, time: Millis) {
        self.events += 1;
        self.span = Some(self.span.map_or((time, time), |(first, last)| (first.min(time), last.max(time))));
    }

    /// Counts others, too.
    pub fn merge(&mut self, other: Self) {
        self.events += other.events;
        let (mine, its) = (self.span.or(other.span), other.span.or(self.span));
        self.span = mine.zip(its).map(|(a, b)| (a.0.min(b.0), a.1.max(b.1)));
    }
}

#[derive(Clone, Debug)]
struct OneRule {
    gathered: Gathered,
    matched: u64,
    /// What it would have matched, if it had the rule's override.
    undated: u64,
    overridden: Overridden,
    behind: Behind,
}

/// The first and the last time that an override gave to an event of a rule in place of its `@timestamp`.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Overridden(pub(crate) Option<(Millis, Millis)>);

impl Overridden {
    fn add(&mut self, first: Millis, last: Millis) {
        self.0 = Some(self.0.map_or((first, last), |it| (it.0.min(first), it.1.max(last))));
    }

    fn merge(&mut self, other: Self) {
        if let Some((first, last)) = other.0 {
            self.add(first, last);
        }
    }

    /// What data span by it that span this by their `@timestamp`s.
    pub(crate) fn widen(self, span: DataSpan) -> DataSpan {
        let (first, last) = self.0.unwrap_or((span.first, span.last));
        DataSpan { first: span.first.min(first), last: span.last.max(last), ..span }
    }

    /// Without what was before.
    fn since(self, time: Millis) -> Self {
        Self(self.0.filter(|it| it.1 >= time).map(|(first, last)| (first.max(time), last)))
    }
}

impl Collector {
    /// Nothing matched yet.
    pub fn new(tails: Arc<Tails>) -> Self {
        let rules = tails.rules().iter().map(|it| OneRule {
            gathered: Gathered::new(it),
            matched: 0,
            undated: 0,
            overridden: Overridden::default(),
            behind: Behind::default(),
        });
        Self {
            rules: rules.collect(),
            values: vec![Interner::default(); tails.column_count()],
            events: EventTable::default(),
            watched_id: None,
            watched: Vec::new(),
            looked_from: None,
            tails,
        }
    }

    /// Counts what comes too late: for each rule what is before the time that its next execution looks at.
    #[must_use]
    pub fn counting_behind(self, looked_from: Vec<Millis>) -> Self {
        debug_assert_eq!(looked_from.len(), self.rules.len(), "one a rule");
        Self { looked_from: Some(looked_from.into()), ..self }
    }

    /// What came too late for a rule, if that was [counted](Self::counting_behind).
    pub fn behind(&self, rule: usize) -> Behind {
        self.rules[rule].behind
    }

    /// Keeps what is needed to say what became of the events with this `_id`: see [`Matches::fates`].
    #[must_use]
    pub fn watching(self, id: String) -> Self {
        Self { watched_id: Some(id), ..self }
    }

    /// The rules whose matches are gathered.
    pub fn tails(&self) -> &Arc<Tails> {
        &self.tails
    }

    /// The number of a value, for [`EventMatches::push`]; nothing if the field's type does not index it. Worth keeping
    /// for each value of a block's dictionary; it is good for this collector only.
    ///
    /// Of a column that is [told later](Tails::is_told_later) the value is whose event it is, packed: see
    /// [`WhoBuf::pack`](identity::WhoBuf::pack).
    pub fn intern(&mut self, column: ColumnNumber, value: Scalar<'_>) -> Option<TermId> {
        let values = &mut self.values[column.index()];
        if self.tails.is_told_later(column) {
            return Some(values.intern(Term::as_delivered(value)));
        }
        self.tails.column(column).ty.with(value, |term| values.intern(term))
    }

    /// Says what the indices are called, by their number: the alerts' ids contain the names, and events are ordered
    /// by them. To be called before an event of an index that had no name yet; further names may follow, but
    /// those given stay. An index without a name is the empty text.
    pub fn name_indices(&mut self, names: &[String]) {
        self.events.name_indices(names);
    }

    /// Begins an event that some filter matched.
    pub fn event<'a>(&'a mut self, info: EventInfo<'a>) -> EventMatches<'a> {
        let is_watched = self.watched_id.as_deref() == Some(info.id);
        EventMatches { collector: self, current: Current::new(info), is_watched, counted: None }
    }

    /// Takes over what another collector of the same rules gathered.
    pub fn merge(&mut self, mut other: Self) {
        if self.events.len() < other.events.len() {
            std::mem::swap(self, &mut other);
        }
        let shift = self.events.append(other.events);
        let values: Vec<Vec<TermId>> =
            self.values.iter_mut().zip(other.values).map(|(into, from)| from.move_into(into)).collect();
        let mut moved = Moved::shifted(&self.tails, &mut self.events, shift, &values);
        for (rule, (mine, theirs)) in self.rules.iter_mut().zip(other.rules).enumerate() {
            mine.matched += theirs.matched;
            mine.undated += theirs.undated;
            mine.overridden.merge(theirs.overridden);
            mine.behind.merge(theirs.behind);
            moved.of_rule(rule, Millis::MIN);
            mine.gathered.merge(theirs.gathered, &mut moved);
        }
        for mut watched in other.watched {
            moved.of_rule(watched.rule, Millis::MIN);
            watched.renumber(&mut moved);
            self.watched.push(watched);
        }
    }

    /// Forgets what no execution looks at that starts at `now` or later.
    pub fn forget(&mut self, now: Millis) {
        let old = std::mem::replace(self, Self::new(Arc::clone(&self.tails)));
        self.events.name_indices(old.events.indices());
        self.watched_id = old.watched_id;
        let mut moved =
            Moved::anew(&self.tails, &mut self.events, &mut self.values, &old.events, &old.values);
        for (rule, (mine, theirs)) in self.rules.iter_mut().zip(old.rules).enumerate() {
            let window = self.tails.rules()[rule].bounds.window(now);
            let since = window.history.min(window.from);
            mine.matched = theirs.matched;
            mine.undated = theirs.undated;
            mine.overridden = theirs.overridden.since(since);
            moved.of_rule(rule, since);
            mine.gathered.merge(theirs.gathered, &mut moved);
        }
        for mut watched in old.watched {
            moved.of_rule(watched.rule, Millis::MIN);
            watched.renumber(&mut moved);
            self.watched.push(watched);
        }
    }

    /// The rules that match anything in it.
    pub(crate) fn matching(&self) -> impl Iterator<Item = usize> {
        self.rules.iter().enumerate().filter(|(_, it)| it.matched > 0).map(|(rule, _)| rule)
    }

    /// Whether any rule matches anything in it.
    pub fn has_matches(&self) -> bool {
        self.matching().next().is_some()
    }

    /// What overrides made of the times of a rule's events.
    pub(crate) fn overridden(&self, rule: usize) -> Overridden {
        self.rules[rule].overridden
    }

    /// How many events are kept.
    pub fn events(&self) -> usize {
        self.events.len()
    }

    /// All that was matched, if nothing is known of who issued credentials.
    pub fn finish(self) -> Matches {
        self.finish_with(&Graph::default())
    }

    /// All that was matched; the graph tells who is behind the events.
    pub fn finish_with(self, graph: &Graph) -> Matches {
        Matches::new(self, graph)
    }
}

/// One event and the filters that match it.
#[derive(Debug)]
pub struct EventMatches<'a> {
    collector: &'a mut Collector,
    current: Current<'a>,
    is_watched: bool,
    /// The rule that it was counted for last.
    counted: Option<usize>,
}

impl EventMatches<'_> {
    /// Says that a filter matches the event; those of one rule one after the other. `over` is the value of [`Tail::timestamp_override`], if the rule has
    /// that and the event does; `values` are those of each of the filter's [columns](Tails::columns), in any order
    /// and repeated as the event has them.
    ///
    /// An event that is itself an alert must not be given to a rule whose own it is ([`Tail::is_own`]).
    ///
    /// Says whether the rule could alert on the event, as far as this collector can tell by now: if not, it never
    /// will.
    ///
    /// [`Tail::timestamp_override`]: crate::Tail::timestamp_override
    /// [`Tail::is_own`]: crate::Tail::is_own
    pub fn push(&mut self, filter: usize, over: Option<Millis>, values: &[&[TermId]]) -> bool {
        let Collector { tails, events, rules, values: interned, watched, looked_from, .. } =
            &mut *self.collector;
        let (rule, step, columns) = (tails.rule_of(filter), tails.step(filter), tails.columns(filter));
        debug_assert_eq!(values.len(), columns.len(), "the filter's columns, each with its values");
        let tail = &tails.rules()[rule];
        let timestamp = self.current.info.timestamp;
        let at = tail.time(over, timestamp);
        if self.is_watched {
            watched.push(Watched::new(rule, step, at, &self.current.info, values));
        }
        let is_first = self.counted.replace(rule) != Some(rule);
        let Some(at) = at else {
            rules[rule].undated += u64::from(is_first);
            return false;
        };
        rules[rule].matched += u64::from(is_first);
        if at.time != timestamp {
            rules[rule].overridden.add(at.time, at.time);
        }
        if is_first && looked_from.as_ref().is_some_and(|it| at.time < it[rule]) {
            rules[rule].behind.add(at.time);
        }
        let (earliest, latest) = tail.reach();
        let is_in_reach = at.time >= earliest && at.time <= latest;
        let mut feed = Feed::new(&mut self.current, events, interned, columns, is_in_reach);
        rules[rule].gathered.push(step, at, values, &mut feed) && tail.mode.selects(timestamp)
    }
}
