//! What the pass finds, to the collector of the executions. The texts of what may alert are kept, as far as there is
//! room.

use std::sync::Arc;

use block::{Ordinal, Slot};
use detect::{Collector, EventInfo, FieldNumber, Plan, TermId};
use ecs::{Catalog, Millis, Scalar, Shape};
use plan::Expr;
use reader::Problem;
use sift::{Event, Filter, Policy, Settings, Sift, Sifted, Sink, Worker};

use crate::copies::Deliveries;
use crate::keep::Keeper;
use crate::run::HuntOptions;
use crate::scan::{RawRecord, Visit};
use crate::term::TermType;
use crate::trouble::{RecordError, Troubles};

/// So many records may be read again, a thread, before it keeps the texts of records of which it seems less likely that
/// they alert: rules that name no call turn out to match.
const MISSED_MAX: usize = 64;

/// The field of the time of indexing. Records in files were never indexed, so they are taken as ingested when they
/// happened.
const INGESTED: &str = "event.ingested";

/// The pass over the filters of all rules: a rule has one filter, with its number.
pub(crate) fn sift(exprs: Vec<Expr>, plans: &[Plan], options: &HuntOptions) -> Sift {
    let filters = exprs.into_iter().zip(plans).map(|(expr, plan)| {
        let paths =
            plan.timestamp_override().into_iter().chain(plan.term_fields().iter().map(String::as_str));
        Filter { expr, needs: paths.map(|path| (path.to_owned(), Shape::Leaf)).collect() }
    });
    let settings = Settings {
        normalise: options.normalise.clone(),
        now: options.now,
        block_rows: options.block_rows,
        wants_texts: kept_bytes(options) > 0,
    };
    Sift::new(filters.collect(), Policy::OnlyMatches, settings)
}

/// Bytes of records that a thread may keep.
fn kept_bytes(options: &HuntOptions) -> usize {
    options.evidence_bytes / options.threads.max(1)
}

/// One thread's part of the pass.
pub(crate) struct Gathering<'s> {
    worker: Worker<'s>,
    gather: Gather,
    /// Records that the pass does not take.
    foreign: u64,
    pub(crate) troubles: Troubles,
}

impl<'s> Gathering<'s> {
    pub(crate) fn new(sift: &'s Sift, plans: &Arc<[Plan]>, catalog: &Catalog, options: &HuntOptions) -> Self {
        let gather = Gather::new(sift, plans, catalog, kept_bytes(options));
        Self { worker: sift.worker(), gather, foreign: 0, troubles: Troubles::default() }
    }

    /// What was seen of the data, what the rules matched, the records that may alert, and how often each was delivered.
    pub(crate) fn finish(self) -> (sift::Seen, Collector, Keeper, Deliveries) {
        let mut seen = *self.worker.seen();
        seen.counts.records += self.foreign;
        seen.counts.unreadable += self.foreign;
        (seen, self.gather.collector, self.gather.keeper, self.gather.deliveries)
    }
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
        if self.gather.missed > MISSED_MAX {
            self.worker.keep_all_texts();
        }
    }

    fn problem(&mut self, problem: Problem) {
        self.troubles.of_reader(&problem);
    }

    fn end(&mut self) {
        self.worker.flush(&mut self.gather);
    }
}

/// One thread's matches.
struct Gather {
    plans: Arc<[Plan]>,
    collector: Collector,
    keeper: Keeper,
    deliveries: Deliveries,
    /// How many records may alert whose texts were not at hand.
    missed: usize,
    /// For each field that collectors number, its column and type, and the number of each value of the block's dictionary,
    /// once it was asked for.
    fields: Vec<Field>,
}

struct Field {
    slot: Slot,
    ty: TermType,
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
    fn new(sift: &Sift, plans: &Arc<[Plan]>, catalog: &Catalog, keeps: usize) -> Self {
        let collector = Collector::new(Arc::clone(plans));
        let mut fields: Vec<Option<Field>> = Vec::new();
        for (rule, plan) in plans.iter().enumerate() {
            let slots = terms(plan, sift.needs(rule));
            for ((number, path), &slot) in collector.fields(rule).iter().zip(plan.term_fields()).zip(slots) {
                if fields.len() <= number.index() {
                    fields.resize_with(number.index() + 1, || None);
                }
                let ty = TermType::of(path, catalog);
                fields[number.index()] = Some(Field { slot, ty, known: Vec::new() });
            }
        }
        let fields =
            fields.into_iter().map(|field| field.expect("fields are numbered without gaps")).collect();
        Self {
            keeper: Keeper::new(plans.len(), keeps),
            plans: Arc::clone(plans),
            collector,
            deliveries: Deliveries::default(),
            missed: 0,
            fields,
        }
    }

    /// The numbers of the values of a rule's new-terms fields.
    fn terms(&mut self, sifted: &Sifted<'_>, event: &Event<'_>, rule: usize) -> Vec<Vec<TermId>> {
        let slots = terms(&self.plans[rule], sifted.needs(rule));
        if slots.is_empty() {
            return Vec::new();
        }
        let numbers: Vec<FieldNumber> = self.collector.fields(rule).to_vec();
        numbers
            .into_iter()
            .map(|number| {
                let Field { slot, ty, known } = &mut self.fields[number.index()];
                let column = sifted.column(*slot);
                let mut term = |&ordinal: &Ordinal| {
                    let known = &mut known[ordinal as usize];
                    if let Known::Unknown = known {
                        let id = ty.with(column.value(ordinal), |term| self.collector.intern(number, term));
                        *known = id.map_or(Known::Nothing, Known::Term);
                    }
                    if let Known::Term(id) = *known { Some(id) } else { None }
                };
                sifted.row(*slot, event).iter().filter_map(&mut term).collect()
            })
            .collect()
    }
}

/// Of what was asked for with a rule's filter, the columns of its new terms.
fn terms<'s>(plan: &Plan, needs: &'s [Slot]) -> &'s [Slot] {
    if plan.timestamp_override().is_some() { &needs[1..] } else { needs }
}

/// What an event has in the rule's override field.
fn overriding(plan: &Plan, sifted: &Sifted<'_>, event: &Event<'_>, rule: usize) -> Option<Millis> {
    let path = plan.timestamp_override()?;
    let slot = sifted.needs(rule)[0];
    let column = sifted.column(slot);
    let date = sifted.row(slot, event).iter().find_map(|&ordinal| match column.value(ordinal) {
        Scalar::Str(text) => ecs::date::parse(text).ok(),
        Scalar::Int(millis) => Some(millis),
        Scalar::UInt(_) | Scalar::Float(_) | Scalar::NumberText(_) | Scalar::Bool(_) => None,
    });
    date.or((path == INGESTED).then_some(event.timestamp))
}

impl Sink for Gather {
    fn take(&mut self, sifted: &Sifted<'_>) {
        for Field { slot, known, .. } in &mut self.fields {
            known.clear();
            known.resize(sifted.column(*slot).distinct(), Known::Unknown);
        }
        self.collector.name_indices(sifted.indices());
        let plans = Arc::clone(&self.plans);
        let (mut matches, mut may_alert) = (Vec::new(), Vec::new());
        for event in sifted.events() {
            let index = sifted.indices().get(event.index as usize).map_or("", String::as_str);
            self.deliveries.add(index, event.id);
            // Rules do not alert on their own alerts.
            let rules = event.filters().filter(|&rule| !plans[rule].is_own(event.lineage));
            // Numbers first: they borrow the collector as the event does.
            matches.clear();
            matches.extend(rules.map(|rule| (rule, self.terms(sifted, &event, rule))));
            if matches.is_empty() {
                continue;
            }
            let origin = detect::Origin { input: event.origin.input, ordinal: event.origin.ordinal };
            let mut collected = self.collector.event(EventInfo {
                id: event.id,
                index: event.index,
                timestamp: event.timestamp,
                origin,
            });
            may_alert.clear();
            for (rule, values) in &matches {
                let over = overriding(&plans[*rule], sifted, &event, *rule);
                let values: Vec<&[TermId]> = values.iter().map(Vec::as_slice).collect();
                if collected.push(*rule, over, &values) {
                    may_alert.push(*rule);
                }
            }
            if let Some((kind, text)) = event.text {
                self.keeper.keep(origin, kind, text, may_alert.iter().copied());
            } else if !may_alert.is_empty() {
                self.missed += 1;
            }
        }
    }
}
