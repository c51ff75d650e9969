//! What the pass finds, to the collector of the executions. The texts of what may alert are kept, as far as there is
//! room.

use std::collections::BTreeMap;
use std::iter::once;
use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use block::{Ordinal, Slot};
use detect::{Collector, ColumnNumber, EventInfo, Tail, Tails, TermId};
use ecs::{Millis, Object, Scalar, Shape};
use identity::WhoBuf;
use plan::Expr;
use reader::{Input, Problem, Stored, StoredError, StoredPart, StoredRecord};
use sift::{Event, Filter, Policy, Settings, Sift, Sifted, Sink, Worker};

use crate::arriving::{Arrival, Arrived, Arriving, Ingestion};
use crate::copies::Deliveries;
use crate::identities::{self, Identities, Issues};
use crate::keep::Keeper;
use crate::run::HuntOptions;
use crate::scan::{PartRead, RawRecord, Visit};
use crate::stored::Columns;
use crate::summary::{Summed, Summing};
use crate::trouble::{RecordError, Troubles};
use crate::watch::{self, Watch};

/// So many records may be read again, a thread, before it keeps the texts of records of which it seems less likely that
/// they alert: rules that name no call turn out to match.
const MISSED_MAX: usize = 64;

/// The field of the time of indexing. Records in files were never indexed, so they are taken as ingested when they
/// happened.
const INGESTED: &str = "event.ingested";

/// The field of the name of the index.
const INDEX: &str = "_index";

/// The pass over the filters of all rules, which have the numbers that they have in `tails`.
pub(crate) fn sift(exprs: Vec<Expr>, tails: &Tails, options: &HuntOptions) -> Sift {
    sift_sets(vec![(exprs, tails)], Policy::OnlyMatches, options)
}

/// The pass over the filters of several sets of rules, one behind the other; behind them over that of the calls that issue
/// credentials, if anybody asks who is behind an event, and that of the calls that stop recording, if they are watched.
pub(crate) fn sift_sets(sets: Vec<(Vec<Expr>, &Tails)>, policy: Policy, options: &HuntOptions) -> Sift {
    let issues = asks_who(sets.iter().map(|(_, tails)| *tails), options).then(identities::filter);
    let watched = options.watch.then(watch::filter);
    let all = sets.into_iter().flat_map(|(exprs, tails)| filters(exprs, tails));
    Sift::new(all.chain(issues).chain(watched).collect(), policy, settings(options, false))
}

/// The pass over alerts of a hunt, with indices as they are numbered in the pass over the data.
pub(crate) fn sift_alerts(exprs: Vec<Expr>, tails: &Tails, data: &Sift, options: &HuntOptions) -> Sift {
    let settings = settings(options, true);
    Sift::new(filters(exprs, tails), Policy::OnlyMatches, settings).with_indices_of(data)
}

/// Whether anybody asks who is behind an event.
pub(crate) fn asks_who<'t>(tails: impl IntoIterator<Item = &'t Tails>, options: &HuntOptions) -> bool {
    match options.identities {
        Identities::Never => false,
        Identities::Asked => tails.into_iter().any(|it| it.rules().iter().any(Tail::asks_who)),
        Identities::Known | Identities::InAlerts => true,
    }
}

fn settings(options: &HuntOptions, only_built: bool) -> Settings {
    Settings { wants_texts: !only_built && kept_bytes(options) > 0, only_built, ..options.settings() }
}

/// The filters, each with the columns that its matches are asked for.
pub(crate) fn filters(exprs: Vec<Expr>, tails: &Tails) -> Vec<Filter> {
    let columns: Vec<(&str, Shape)> = tails.all_columns().collect();
    let filters = exprs.into_iter().enumerate().map(|(filter, expr)| {
        let over = tails.tail_of(filter).timestamp_override().map(|path| (path, Shape::Leaf));
        let wanted = tails.columns(filter).iter().map(|it| columns[it.index()]);
        let wanted = wanted.flat_map(|(path, shape)| identities::needs(path, shape));
        let needs = over.into_iter().map(|(path, shape)| (path.to_owned(), shape)).chain(wanted);
        Filter { expr, needs: needs.collect() }
    });
    filters.collect()
}

/// Bytes of records that a thread may keep.
fn kept_bytes(options: &HuntOptions) -> usize {
    options.evidence_bytes / options.threads.max(1)
}

/// One thread's part of the pass.
pub(crate) struct Gathering<'s> {
    sift: &'s Sift,
    worker: Worker<'s>,
    gather: Watched<'s>,
    /// Records that the pass does not take.
    foreign: u64,
    pub(crate) troubles: Troubles,
}

impl<'s> Gathering<'s> {
    /// With a collector for each set of rules.
    pub(crate) fn new(
        sift: &'s Sift,
        collectors: impl IntoIterator<Item = Collector>,
        options: &HuntOptions,
    ) -> Self {
        let collectors: Vec<Collector> = collectors.into_iter().collect();
        let asks_who = asks_who(collectors.iter().map(|it| &**it.tails()), options);
        let mut gather = Gather::new(sift, collectors, kept_bytes(options));
        let filters = gather.parts.iter().map(|it| it.tails.filters()).sum();
        gather.issues = asks_who.then(|| Issues::new(filters));
        gather.watch = options.watch.then(|| Watch::new(filters + usize::from(asks_who)));
        let gather = Watched { gather, summing: None };
        Self { sift, worker: sift.worker(), gather, foreign: 0, troubles: Troubles::default() }
    }

    /// Keeps what was ingested at different times apart: see [`Gathered::arrived`].
    pub(crate) fn arriving(mut self, ingestion: Arc<Ingestion>) -> Self {
        self.gather.gather.arriving = Some(Arriving::new(ingestion));
        self
    }

    /// Takes some events by their columns.
    fn events(&mut self, input: u32, part: &mut dyn StoredPart) -> Result<(), StoredError> {
        part.read_events()?;
        let exact = part.events().map(|it| it.exact.clone()).unwrap_or_default();
        // What columns do not tell, or what is no record of CloudTrail's, the record tells.
        let mut by_columns = exact.iter().peekable();
        let is_told = |row: &u32| by_columns.next_if_eq(&row).is_none();
        let told: Vec<u32> = (0..part.len() as u32).filter(is_told).collect();
        let mut left = told.len() as u64;
        let pushed = self.worker.push_stored(&exact, &mut Columns { input, part }, &mut self.gather);
        let read = pushed.and_then(|()| {
            if told.is_empty() {
                return Ok(());
            }
            part.records(&told, &mut |it| {
                let StoredRecord { ordinal, kind, id, index, text } = it;
                self.record(RawRecord { input, ordinal, kind, id, index, text, tokens: None });
                left -= 1;
                ControlFlow::Continue(())
            })
        });
        self.worker.flush(&mut self.gather);
        // There they are; what they are, nobody can say.
        self.foreign += left;
        read
    }

    /// Sums up all events on the way.
    pub(crate) fn summing(mut self, summing: Option<Summing<'s>>) -> Self {
        self.gather.summing = summing;
        self
    }

    /// What was summed up.
    pub(crate) fn take_summed(&mut self) -> Option<Summed> {
        self.gather.summing.take().map(|it| it.summed)
    }

    /// What came of it.
    pub(crate) fn finish(self) -> Gathered {
        let mut seen = *self.worker.seen();
        seen.counts.records += self.foreign;
        seen.counts.unreadable += self.foreign;
        let Gather { parts, keeper, deliveries, issues, watch, only_beside, arriving, .. } =
            self.gather.gather;
        seen.counts.matched -= only_beside;
        seen.counts.unmatched += only_beside;
        let collectors = parts.into_iter().map(|it| it.collector).collect();
        let arrived = arriving.map(Arriving::finish).unwrap_or_default();
        Gathered { seen, collectors, keeper, deliveries, issues, watch, arrived, troubles: self.troubles }
    }
}

/// What one thread gathered.
pub(crate) struct Gathered {
    /// What was seen of the data.
    pub(crate) seen: sift::Seen,
    /// What the rules matched, by set.
    pub(crate) collectors: Vec<Collector>,
    /// The records that may alert.
    pub(crate) keeper: Keeper,
    /// How often each event was delivered.
    pub(crate) deliveries: Deliveries,
    /// The calls that issue credentials, if they are looked at.
    pub(crate) issues: Option<Issues>,
    /// The calls that stop recording, if they are watched.
    pub(crate) watch: Option<Watch>,
    /// In place of collectors and calls, by when events were ingested, if that [matters](Gathering::arriving).
    pub(crate) arrived: BTreeMap<Millis, Arrived>,
    /// What could not be read.
    pub(crate) troubles: Troubles,
}

impl Visit for Gathering<'_> {
    fn record(&mut self, raw: RawRecord<'_>) {
        let pushed = match raw.record() {
            Ok(record) => self.worker.push(&record, &mut self.gather).map_err(RecordError::from),
            Err(error) => {
                self.foreign += 1;
                Err(error)
            }
        };
        if let Err(error) = pushed {
            self.troubles.of_record(&raw, &error);
        }
        if self.gather.gather.missed > MISSED_MAX {
            self.worker.keep_all_texts();
        }
    }

    fn problem(&mut self, problem: Problem) {
        self.troubles.of_reader(&problem);
    }

    fn takes_parts(&self) -> bool {
        self.sift.stored_fields().is_some()
    }

    fn part(&mut self, input: &Input, segment: &dyn Stored, part: usize) -> PartRead {
        let fields = self.sift.stored_fields().unwrap_or_default();
        let mut taken = 0;
        let read = segment.part(part, &fields, &mut |part| {
            taken += part.len() as u64;
            self.events(input.id, part)
        });
        (taken, read)
    }

    fn end(&mut self) {
        self.worker.flush(&mut self.gather);
    }
}

/// One thread's matches, and the sums of all events if they are asked for.
struct Watched<'s> {
    gather: Gather,
    summing: Option<Summing<'s>>,
}

impl Sink for Watched<'_> {
    fn take(&mut self, sifted: &Sifted<'_>) {
        self.gather.take(sifted);
        if let Some(summing) = &mut self.summing {
            summing.take(sifted, sifted.columns());
        }
    }
}

/// One thread's matches.
pub(crate) struct Gather {
    parts: Vec<Part>,
    /// How many rules there are.
    rules: usize,
    keeper: Keeper,
    deliveries: Deliveries,
    /// How many records may alert whose texts were not at hand.
    missed: usize,
    issues: Option<Issues>,
    watch: Option<Watch>,
    /// Events that are looked at for these, and that no rule's filter matches.
    only_beside: u64,
    /// What was ingested at different times, if it is kept apart.
    arriving: Option<Arriving>,
}

/// The matches of one set of rules.
#[derive(Clone)]
pub(crate) struct Part {
    tails: Arc<Tails>,
    pub(crate) collector: Collector,
    /// For each column that collectors number, where it is, and the number of each value of the block's dictionary, once
    /// it was asked for.
    columns: Vec<Column>,
    matches: Matches,
    /// The number of its first filter in the pass,
    first_filter: usize,
    /// and of its first rule among all.
    first_rule: usize,
}

/// Room for the filters that match an event, with its values: matches are many, and each would take memory of its own.
#[derive(Clone, Default)]
struct Matches {
    /// The filters, each with the number of its columns.
    filters: Vec<(usize, usize)>,
    /// The values of each of these columns, one after the other: where they are.
    values: Vec<Range<usize>>,
    terms: Vec<TermId>,
}

impl Matches {
    fn clear(&mut self) {
        self.filters.clear();
        self.values.clear();
        self.terms.clear();
    }
}

/// So many columns have the matches of nearly all filters.
const COLUMNS_USUALLY: usize = 8;

#[derive(Clone)]
struct Column {
    slot: Slot,
    /// Of a column that is told later, where it stands whose event it is.
    who: Vec<Slot>,
    /// It is the name of the index, which stands beside the event and in no column of the block.
    is_index: bool,
    known: Vec<Known>,
}

#[derive(Clone, Copy, Debug)]
enum Known {
    Unknown,
    /// The field's type does not index the value.
    Nothing,
    Term(TermId),
}

impl Gather {
    fn new(sift: &Sift, collectors: impl IntoIterator<Item = Collector>, keeps: usize) -> Self {
        let (mut parts, mut first_filter, mut first_rule) = (Vec::new(), 0, 0);
        for collector in collectors {
            let part = Part::new(sift, collector, first_filter, first_rule);
            first_filter += part.tails.filters();
            first_rule += part.tails.rules().len();
            parts.push(part);
        }
        Self {
            parts,
            // One more for the calls that stop recording.
            keeper: Keeper::new(first_rule + 1, keeps),
            rules: first_rule,
            deliveries: Deliveries::default(),
            missed: 0,
            issues: None,
            watch: None,
            only_beside: 0,
            arriving: None,
        }
    }

    /// For what rules over alerts match of some alerts.
    pub(crate) fn of_alerts(sift: &Sift, collector: Collector) -> Self {
        Self::new(sift, [collector], 0)
    }

    /// Takes what was gathered; begins anew.
    pub(crate) fn take_collector(&mut self) -> Option<Collector> {
        let part = self.parts.first_mut()?;
        let new = Collector::new(Arc::clone(&part.tails));
        let found = std::mem::replace(&mut part.collector, new);
        (found.has_matches()).then_some(found)
    }
}

impl Part {
    fn new(sift: &Sift, collector: Collector, first_filter: usize, first_rule: usize) -> Self {
        let tails = Arc::clone(collector.tails());
        let paths: Vec<&str> = tails.all_columns().map(|(path, _)| path).collect();
        let mut columns: Vec<Option<Column>> = Vec::new();
        for filter in 0..tails.filters() {
            let mut slots = columns_of(tails.tail_of(filter), sift.needs(first_filter + filter));
            for number in tails.columns(filter) {
                let (its, rest) = slots.split_at(identities::needs(paths[number.index()], Shape::Leaf).len());
                slots = rest;
                if columns.len() <= number.index() {
                    columns.resize_with(number.index() + 1, || None);
                }
                let is_index = paths[number.index()] == INDEX;
                let who = if tails.is_told_later(*number) { its.to_vec() } else { Vec::new() };
                columns[number.index()] = Some(Column { slot: its[0], who, is_index, known: Vec::new() });
            }
        }
        let columns = columns.into_iter().map(|it| it.expect("columns are numbered without gaps")).collect();
        Self { tails, collector, columns, matches: Matches::default(), first_filter, first_rule }
    }

    /// Begins another block.
    pub(crate) fn begin(&mut self, sifted: &Sifted<'_>) {
        for Column { slot, known, .. } in &mut self.columns {
            known.clear();
            known.resize(sifted.column(*slot).distinct(), Known::Unknown);
        }
        self.collector.name_indices(sifted.indices());
    }

    /// Takes an event with those of its filters that are of these rules. Adds the rules that may alert on it.
    fn take(
        &mut self,
        sifted: &Sifted<'_>,
        event: &Event<'_>,
        arrival: Option<Arrival>,
        may_alert: &mut Vec<usize>,
    ) {
        let Self { tails, collector, columns, matches, first_filter, first_rule } = self;
        let own = *first_filter..*first_filter + tails.filters();
        let filters = event.filters().filter(|it| own.contains(it)).map(|it| it - own.start);
        // Rules do not alert on their own alerts.
        let filters = filters.filter(|&it| !tails.tail_of(it).is_own(event.lineage));
        // Numbers first: they borrow the collector as the event does.
        matches.clear();
        for filter in filters {
            for &number in tails.columns(filter) {
                let start = matches.terms.len();
                columns[number.index()].values(number, collector, sifted, event, &mut matches.terms);
                matches.values.push(start..matches.terms.len());
            }
            matches.filters.push((filter, tails.columns(filter).len()));
        }
        if matches.filters.is_empty() {
            return;
        }
        let mut collected = collector.event(EventInfo {
            id: event.id,
            index: event.index,
            timestamp: arrival.map_or(event.timestamp, |it| it.time(event.timestamp)),
            origin: arrival.map_or(event.origin, |it| it.origin),
        });
        let Matches { filters, values, terms } = matches;
        let mut left = &values[..];
        for &(filter, columns) in &*filters {
            let over = overriding(tails.tail_of(filter), sifted, event, own.start + filter, arrival);
            let (its, rest) = left.split_at(columns);
            left = rest;
            let its = its.iter().map(|it| &terms[it.clone()]);
            let (mut usual, many): ([&[TermId]; COLUMNS_USUALLY], Vec<&[TermId]>);
            let values = if columns <= COLUMNS_USUALLY {
                usual = [&[]; COLUMNS_USUALLY];
                usual.iter_mut().zip(its).for_each(|(place, it)| *place = it);
                &usual[..columns]
            } else {
                many = its.collect();
                &many
            };
            if collected.push(filter, over, values) {
                may_alert.push(*first_rule + tails.rule_of(filter));
            }
        }
    }
}

impl Column {
    /// Appends the numbers of the values that go with a match.
    fn values(
        &mut self,
        number: ColumnNumber,
        collector: &mut Collector,
        sifted: &Sifted<'_>,
        event: &Event<'_>,
        terms: &mut Vec<TermId>,
    ) {
        let Self { slot, who, is_index, known } = self;
        if !who.is_empty() {
            let packed = identities::pack(&mut WhoBuf::default(), who, sifted, event);
            let number = (!packed.is_empty()).then(|| collector.intern(number, Scalar::Str(&packed)));
            terms.extend(number.flatten());
            return;
        }
        if *is_index {
            let name = sifted.indices().get(event.index as usize);
            let number = name.and_then(|name| collector.intern(number, Scalar::Str(name)));
            terms.extend(number);
            return;
        }
        let column = sifted.column(*slot);
        let mut term = |&ordinal: &Ordinal| {
            let known = &mut known[ordinal as usize];
            if let Known::Unknown = known {
                let id = collector.intern(number, column.value(ordinal));
                *known = id.map_or(Known::Nothing, Known::Term);
            }
            if let Known::Term(id) = *known { Some(id) } else { None }
        };
        terms.extend(sifted.row(*slot, event).iter().filter_map(&mut term));
    }
}

/// Of what was asked for with a filter, the columns whose values go with its matches.
fn columns_of<'s>(tail: &Tail, needs: &'s [Slot]) -> &'s [Slot] {
    if tail.timestamp_override().is_some() { &needs[1..] } else { needs }
}

/// What an event has in the rule's override field.
fn overriding(
    tail: &Tail,
    sifted: &Sifted<'_>,
    event: &Event<'_>,
    filter: usize,
    arrival: Option<Arrival>,
) -> Option<Millis> {
    let path = tail.timestamp_override()?;
    let slot = sifted.needs(filter)[0];
    let column = sifted.column(slot);
    let date = sifted.row(slot, event).iter().find_map(|&ordinal| date(column.value(ordinal)));
    date.or((path == INGESTED).then_some(arrival.map_or(event.timestamp, |it| it.ingested)))
}

/// When the rule takes an event to have happened that has this document and `@timestamp`: by its override, or else then.
pub(crate) fn time_of(tail: &Tail, document: &Object, timestamp: Millis) -> Millis {
    let mut found = None;
    if let Some(path) = tail.timestamp_override() {
        ecs::document::values(document, path, Shape::Leaf, |value| found = found.or_else(|| date(value)));
    }
    found.unwrap_or(timestamp)
}

fn date(value: Scalar<'_>) -> Option<Millis> {
    match value {
        Scalar::Str(text) => ecs::date::parse(text).ok(),
        Scalar::Int(millis) => Some(millis),
        Scalar::UInt(_) | Scalar::Float(_) | Scalar::NumberText(_) | Scalar::Bool(_) => None,
    }
}

impl Sink for Gather {
    fn take(&mut self, sifted: &Sifted<'_>) {
        for part in &mut self.parts {
            part.begin(sifted);
        }
        if let Some(arriving) = &mut self.arriving {
            arriving.begin();
        }
        let mut may_alert = Vec::new();
        // Who sums up sees events that no rule matches, too.
        for event in sifted.events().filter(|it| it.filters().next().is_some()) {
            let has = |filter: usize| event.filters().any(|at| at == filter);
            let (parts, issues, arrival) = match &mut self.arriving {
                None => (&mut self.parts, self.issues.as_mut(), None),
                Some(it) => {
                    let arrival = it.arrival(event.origin);
                    let its = it.part_of(arrival, sifted, &self.parts, self.issues.as_ref());
                    (&mut its.parts, its.issues.as_mut(), arrival)
                }
            };
            let issues = issues.filter(|it| has(it.filter));
            let watch = self.watch.as_mut().filter(|it| has(it.filter));
            let beside = [issues.as_ref().map(|it| it.filter), watch.as_ref().map(|it| it.filter)];
            if let Some(issues) = issues {
                issues.take(sifted, &event);
            }
            let is_watched = watch.is_some();
            if let Some(watch) = watch {
                watch.take(&event);
            }
            if event.filters().all(|at| beside.contains(&Some(at))) {
                self.only_beside += 1;
                if let Some((kind, text)) = event.text.filter(|_| is_watched) {
                    self.keeper.keep(event.origin, kind, text, once(self.rules));
                }
                continue;
            }
            let index = sifted.indices().get(event.index as usize).map_or("", String::as_str);
            self.deliveries.add(index, event.id);
            may_alert.clear();
            may_alert.extend(is_watched.then_some(self.rules));
            for part in parts {
                part.take(sifted, &event, arrival, &mut may_alert);
            }
            if let Some((kind, text)) = event.text {
                self.keeper.keep(event.origin, kind, text, may_alert.iter().copied());
            } else if may_alert.iter().any(|&rule| rule < self.rules) {
                self.missed += 1;
            }
        }
    }
}
