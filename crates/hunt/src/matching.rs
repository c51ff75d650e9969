//! One thread's part of the pass: records into blocks, blocks through the program, matches to the collector.

use std::sync::Arc;

use block::{Block, BlockBuilder, Schema, Slot};
use detect::{Collector, EventInfo, FieldNumber, Plan, TermId};
use ecs::{Catalog, Millis, Scalar, Shape};
use exec::{Program, Scratch};
use plan::Expr;
use reader::Problem;

use crate::calls::Calls;
use crate::costly::{is_costly, late_paths};
use crate::events::{Phase, RowFiller};
use crate::index::Indices;
use crate::keep::Keeper;
use crate::run::HuntOptions;
use crate::scan::{RawRecord, Visit};
use crate::skip::Skip;
use crate::term::TermType;
use crate::trouble::{Trouble, Troubles};

/// Events of a block.
pub(crate) const BLOCK_ROWS: usize = 4096;
/// Bytes of values after which a block is full, however few its events.
const BLOCK_BYTES: usize = 64 << 20;

/// So many records may be read again, a thread, before it keeps the texts of records of which it seems less likely that
/// they alert: rules that name no call turn out to match.
const MISSED_MAX: usize = 64;

/// All rules, ready to run: shared by all threads.
pub(crate) struct Prepared {
    program: Program,
    schema: Arc<Schema>,
    plans: Arc<[Plan]>,
    /// For each rule the column of its `timestamp_override`, and what an event without a value there gets.
    overrides: Vec<Option<(Slot, Absent)>>,
    /// For each rule the columns of its new terms.
    terms: Vec<Vec<Slot>>,
    /// For each field that collectors number, its column and type.
    fields: Vec<(Slot, TermType)>,
    /// When each column is filled.
    phases: Vec<Phase>,
    /// For each rule whether its tail needs columns that no filter does.
    needs_tail: Vec<bool>,
    /// Which columns matter to the records of a call.
    calls: Option<Arc<Calls>>,
    /// Tells records that no rule can match.
    skip: Option<Skip>,
    rows: usize,
}

impl Prepared {
    /// One program of the rules' filters, and the columns that filters and tails need.
    pub(crate) fn new(
        filters: &[Expr],
        plans: Arc<[Plan]>,
        catalog: &Catalog,
        looks_up: bool,
        rows: usize,
    ) -> Self {
        let late = late_paths(filters, looks_up);
        let is_late = |path: &str, shape| late.contains(&(path.to_owned(), shape));
        let mut program = Program::compile_with_late(filters, is_late);
        let mut schema = program.schema().clone();
        let phase = |(_, path, shape): (Slot, &str, Shape)| {
            if is_late(path, shape) { Phase::Late } else { Phase::Early }
        };
        let mut phases: Vec<Phase> = schema.columns().map(phase).collect();
        let overrides: Vec<Option<(Slot, Absent)>> = plans
            .iter()
            .map(|plan| {
                let path = plan.timestamp_override()?;
                let absent = if path == INGESTED { Absent::Timestamp } else { Absent::Nothing };
                Some((schema.add(path, Shape::Leaf), absent))
            })
            .collect();
        let terms: Vec<Vec<Slot>> = plans
            .iter()
            .map(|plan| plan.term_fields().iter().map(|path| schema.add(path, Shape::Leaf)).collect())
            .collect();
        let collector = Collector::new(Arc::clone(&plans));
        let mut fields: Vec<Option<(Slot, TermType)>> = Vec::new();
        for (rule, plan) in plans.iter().enumerate() {
            for ((number, path), slot) in
                collector.fields(rule).iter().zip(plan.term_fields()).zip(&terms[rule])
            {
                if fields.len() <= number.index() {
                    fields.resize(number.index() + 1, None);
                }
                fields[number.index()] = Some((*slot, TermType::of(path, catalog)));
            }
        }
        let fields =
            fields.into_iter().map(|field| field.expect("fields are numbered without gaps")).collect();
        phases.extend(
            schema
                .columns()
                .skip(phases.len())
                .map(|(_, path, _)| if is_costly(path, looks_up) { Phase::Tail } else { Phase::Early }),
        );
        let asks = |rule: usize, phase: Phase| {
            let over = overrides[rule].iter().map(|(slot, _)| slot);
            over.chain(&terms[rule]).any(|slot| phases[slot.index()] == phase)
        };
        let needs_tail = (0..plans.len()).map(|rule| asks(rule, Phase::Tail)).collect();
        // A column that the filter of one rule needs late is filled only where that filter leads; the tails of
        // others may ask for it, too.
        for rule in (0..plans.len()).filter(|&rule| asks(rule, Phase::Late)) {
            program.want_late(rule);
        }
        let needs = (0..plans.len()).map(|rule| {
            let filter =
                filters[rule].paths().into_iter().filter_map(|(path, shape)| schema.get(path, shape));
            let tail = overrides[rule].iter().map(|(slot, _)| *slot).chain(terms[rule].iter().copied());
            filter.chain(tail).collect()
        });
        let is_early = |slot: Slot| phases[slot.index()] == Phase::Early;
        let calls = Calls::new(filters, needs.collect(), &schema, is_early).map(Arc::new);
        Self {
            calls,
            program,
            schema: schema.into(),
            plans,
            overrides,
            terms,
            fields,
            phases,
            needs_tail,
            skip: Skip::new(filters),
            rows,
        }
    }

    /// Whether most records are likely not to be parsed.
    pub(crate) fn skips(&self) -> bool {
        self.skip.is_some()
    }

    /// The columns of every block.
    pub(crate) fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// What fills them; keeps the texts of a block even if no column needs that, if asked to.
    pub(crate) fn filler(
        &self,
        options: &cloudtrail::Options,
        now: Millis,
        indices: Arc<Indices>,
        keeps_texts: bool,
    ) -> RowFiller {
        let phase = |slot: Slot| self.phases[slot.index()];
        let filler = RowFiller::new(&self.schema, phase, options, now, indices, self.calls.clone());
        if keeps_texts { filler.keeping_texts() } else { filler }
    }
}

/// Whether a block has enough in it.
pub(crate) fn is_full(builder: &BlockBuilder, filler: &RowFiller, rows: usize) -> bool {
    builder.rows() >= rows || builder.bytes() + filler.bytes() >= BLOCK_BYTES
}

/// One thread's matches.
pub(crate) struct Matching<'a> {
    prepared: &'a Prepared,
    filler: RowFiller,
    builder: Option<BlockBuilder>,
    scratch: Scratch,
    collector: Collector,
    keeper: Keeper,
    /// How many records may alert whose texts were not at hand.
    missed: usize,
    /// Rows and rules that match, of the block at hand.
    found: Vec<(u32, u32)>,
    /// For each field, the number of each value of the block's dictionary, once it was asked for.
    term_ids: Vec<Vec<Cached>>,
    pub(crate) troubles: Troubles,
    pub(crate) span: Option<(Millis, Millis)>,
    pub(crate) undated: u64,
}

/// The field of the time of indexing.
const INGESTED: &str = "event.ingested";

/// What an event without an override field gets.
#[derive(Clone, Copy, Debug)]
enum Absent {
    /// Its `@timestamp`: records in files were never indexed, so they are taken as ingested when they happened.
    Timestamp,
    /// Nothing: the rule decides.
    Nothing,
}

#[derive(Clone, Copy, Debug)]
enum Cached {
    Unknown,
    /// The field's type does not index the value.
    Nothing,
    Term(TermId),
}

impl<'a> Matching<'a> {
    pub(crate) fn new(prepared: &'a Prepared, options: &HuntOptions, indices: Arc<Indices>) -> Self {
        let keeps = options.evidence_bytes / options.threads.max(1);
        Self {
            // To copy the texts of all rows costs more than reading some records again, unless the rows are few or
            // their texts are needed anyhow.
            filler: prepared.filler(
                &options.normalise,
                options.now,
                indices,
                keeps > 0 && prepared.skip.is_some(),
            ),
            builder: Some(BlockBuilder::new(Arc::clone(&prepared.schema))),
            scratch: Scratch::default(),
            collector: Collector::new(Arc::clone(&prepared.plans)),
            keeper: Keeper::new(prepared.plans.len(), keeps),
            missed: 0,
            found: Vec::new(),
            term_ids: vec![Vec::new(); prepared.fields.len()],
            troubles: Troubles::default(),
            span: None,
            undated: 0,
            prepared,
        }
    }

    /// What the rules matched, and the records that may alert.
    pub(crate) fn finish(self) -> (Collector, Keeper) {
        (self.collector, self.keeper)
    }

    fn builder(&mut self) -> &mut BlockBuilder {
        self.builder.as_mut().expect("only `flush` takes the builder, and gives it back")
    }

    /// Notes that there was an event at this time.
    fn see(&mut self, time: Millis) {
        let (first, last) = self.span.unwrap_or((time, time));
        self.span = Some((first.min(time), last.max(time)));
    }

    fn flush(&mut self) {
        let builder = self.builder.take().expect("only `flush` takes the builder, and gives it back");
        let mut block = builder.finish();
        let program = &self.prepared.program;
        let rows = program.candidates(&block, self.filler.names(), &mut self.scratch).to_vec();
        self.filler.fill_later(Phase::Late, rows, &mut block);
        self.found.clear();
        let found = &mut self.found;
        program.finish(&block, self.filler.names(), &mut self.scratch, |rule, rows| {
            found.extend(rows.iter().map(|&row| (row, rule as u32)));
        });
        // Rules do not alert on their own alerts.
        let (filler, plans) = (&self.filler, &self.prepared.plans);
        self.found.retain(|&(row, rule)| !plans[rule as usize].is_own(filler.lineage(row)));
        self.found.sort_unstable();
        let matched = self.found.chunk_by(|a, b| a.0 == b.0).filter_map(|matches| {
            let needed = matches.iter().any(|&(_, rule)| self.prepared.needs_tail[rule as usize]);
            needed.then_some(matches[0].0)
        });
        self.filler.fill_later(Phase::Tail, matched, &mut block);
        self.collect(&block);
        self.filler.clear();
        self.builder = Some(BlockBuilder::reuse(block));
    }

    fn collect(&mut self, block: &Block) {
        for (ids, (slot, _)) in self.term_ids.iter_mut().zip(&self.prepared.fields) {
            ids.clear();
            ids.resize(block.column(*slot).distinct(), Cached::Unknown);
        }
        self.collector.name_indices(self.filler.names());
        let found = std::mem::take(&mut self.found);
        let mut may_alert = Vec::new();
        for matches in found.chunk_by(|a, b| a.0 == b.0) {
            let row = matches[0].0 as usize;
            // Numbers first: they borrow the collector as the event does.
            let values: Vec<Vec<Vec<TermId>>> =
                matches.iter().map(|&(_, rule)| self.terms(block, row, rule as usize)).collect();
            let origin = block.origin(row);
            let origin = detect::Origin { input: origin.input, ordinal: origin.ordinal };
            let mut event = self.collector.event(EventInfo {
                id: block.id(row),
                index: block.index(row),
                timestamp: block.timestamp(row),
                origin,
            });
            may_alert.clear();
            for (&(_, rule), values) in matches.iter().zip(&values) {
                let over = self.prepared.overrides[rule as usize].and_then(|(slot, absent)| match absent {
                    Absent::Timestamp => date(block, slot, row).or(Some(block.timestamp(row))),
                    Absent::Nothing => date(block, slot, row),
                });
                let values: Vec<&[TermId]> = values.iter().map(Vec::as_slice).collect();
                if event.push(rule as usize, over, &values) {
                    may_alert.push(rule as usize);
                }
            }
            if let Some((kind, text)) = self.filler.text(matches[0].0) {
                self.keeper.keep(origin, kind, text, may_alert.iter().copied());
            } else if !may_alert.is_empty() {
                self.missed += 1;
            }
        }
        self.found = found;
        if self.missed > MISSED_MAX {
            self.filler.keep_all();
        }
    }

    /// The numbers of the values of a rule's new-terms fields.
    fn terms(&mut self, block: &Block, row: usize, rule: usize) -> Vec<Vec<TermId>> {
        let slots = &self.prepared.terms[rule];
        if slots.is_empty() {
            return Vec::new();
        }
        let numbers: Vec<FieldNumber> = self.collector.fields(rule).to_vec();
        slots
            .iter()
            .zip(numbers)
            .map(|(&slot, number)| {
                let column = block.column(slot);
                let (_, ty) = &self.prepared.fields[number.index()];
                let mut out = Vec::new();
                for &ordinal in column.row(row) {
                    let cached = &mut self.term_ids[number.index()][ordinal as usize];
                    if let Cached::Unknown = cached {
                        let id = ty.with(column.value(ordinal), |term| self.collector.intern(number, term));
                        *cached = id.map_or(Cached::Nothing, Cached::Term);
                    }
                    if let Cached::Term(id) = *cached {
                        out.push(id);
                    }
                }
                out
            })
            .collect()
    }
}

/// The first date of a column's row.
fn date(block: &Block, slot: Slot, row: usize) -> Option<Millis> {
    let column = block.column(slot);
    column.row(row).iter().find_map(|&ordinal| match column.value(ordinal) {
        Scalar::Str(text) => ecs::date::parse(text).ok(),
        Scalar::Int(millis) => Some(millis),
        Scalar::UInt(_) | Scalar::Float(_) | Scalar::NumberText(_) | Scalar::Bool(_) => None,
    })
}

impl Visit for Matching<'_> {
    fn record(&mut self, record: RawRecord<'_>) {
        if let Some(time) = self.prepared.skip.as_ref().and_then(|skip| skip.time_if_hopeless(&record)) {
            self.see(time);
            return;
        }
        let builder = self.builder.as_mut().expect("only `flush` takes the builder, and gives it back");
        let filled = self.filler.fill(&record, builder);
        let is_full = is_full(builder, &self.filler, self.prepared.rows);
        match filled {
            Ok(filled) => match filled.time {
                Some(time) => self.see(time),
                None => self.undated += 1,
            },
            Err(text) => self.troubles.push(Trouble::of_record(&record, text)),
        }
        if is_full {
            self.flush();
        }
    }

    fn problem(&mut self, problem: Problem) {
        self.troubles.push(Trouble::of_reader(&problem));
    }

    fn end(&mut self) {
        if self.builder().rows() > 0 {
            self.flush();
        }
    }
}
