//! One thread's part of the pass: records into blocks, blocks through the program, matches to the collector.

use std::sync::Arc;

use block::{Block, BlockBuilder, Schema, Slot};
use detect::{Collector, EventInfo, FieldNumber, Plan, TermId};
use ecs::{Catalog, Millis, Scalar, Shape};
use exec::{Program, Scratch};
use plan::Expr;
use reader::Problem;

use crate::events::RowFiller;
use crate::index::Indices;
use crate::scan::{RawRecord, Visit};
use crate::term::TermType;
use crate::trouble::{Trouble, Troubles};

/// Events of a block.
pub(crate) const BLOCK_ROWS: usize = 4096;
/// Bytes of values after which a block is full, however few its events.
const BLOCK_BYTES: usize = 64 << 20;

/// All rules, ready to run: shared by all threads.
pub(crate) struct Prepared {
    program: Program,
    schema: Arc<Schema>,
    plans: Arc<[Plan]>,
    /// For each rule the column of its `timestamp_override`.
    overrides: Vec<Option<Slot>>,
    /// For each rule the columns of its new terms.
    terms: Vec<Vec<Slot>>,
    /// For each field that collectors number, its column and type.
    fields: Vec<(Slot, TermType)>,
    rows: usize,
}

impl Prepared {
    /// One program of the rules' filters, and the columns that filters and tails need.
    pub(crate) fn new(filters: &[Expr], plans: Arc<[Plan]>, catalog: &Catalog, rows: usize) -> Self {
        let program = Program::compile(filters);
        let mut schema = program.schema().clone();
        let overrides = plans
            .iter()
            .map(|plan| plan.timestamp_override().map(|path| schema.add(path, Shape::Leaf)))
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
        Self { program, schema: schema.into(), plans, overrides, terms, fields, rows }
    }
}

/// One thread's matches.
pub(crate) struct Matching<'a> {
    prepared: &'a Prepared,
    filler: RowFiller,
    builder: Option<BlockBuilder>,
    scratch: Scratch,
    collector: Collector,
    /// Rows and rules that match, of the block at hand.
    found: Vec<(u32, u32)>,
    /// For each field, the number of each value of the block's dictionary, once it was asked for.
    term_ids: Vec<Vec<Cached>>,
    pub(crate) troubles: Troubles,
    pub(crate) span: Option<(Millis, Millis)>,
    pub(crate) undated: u64,
}

#[derive(Clone, Copy, Debug)]
enum Cached {
    Unknown,
    /// The field's type does not index the value.
    Nothing,
    Term(TermId),
}

impl<'a> Matching<'a> {
    pub(crate) fn new(
        prepared: &'a Prepared,
        options: &cloudtrail::Options,
        now: Millis,
        indices: Arc<Indices>,
    ) -> Self {
        Self {
            filler: RowFiller::new(&prepared.schema, options, now, indices),
            builder: Some(BlockBuilder::new(Arc::clone(&prepared.schema))),
            scratch: Scratch::default(),
            collector: Collector::new(Arc::clone(&prepared.plans)),
            found: Vec::new(),
            term_ids: vec![Vec::new(); prepared.fields.len()],
            troubles: Troubles::default(),
            span: None,
            undated: 0,
            prepared,
        }
    }

    /// What the rules matched.
    pub(crate) fn into_collector(self) -> Collector {
        self.collector
    }

    fn builder(&mut self) -> &mut BlockBuilder {
        self.builder.as_mut().expect("only `flush` takes the builder, and gives it back")
    }

    fn flush(&mut self) {
        let builder = self.builder.take().expect("only `flush` takes the builder, and gives it back");
        let block = builder.finish();
        self.found.clear();
        let found = &mut self.found;
        self.prepared.program.evaluate(&block, self.filler.names(), &mut self.scratch, |rule, rows| {
            found.extend(rows.iter().map(|&row| (row, rule as u32)));
        });
        self.found.sort_unstable();
        self.collect(&block);
        self.builder = Some(BlockBuilder::reuse(block));
    }

    fn collect(&mut self, block: &Block) {
        for (ids, (slot, _)) in self.term_ids.iter_mut().zip(&self.prepared.fields) {
            ids.clear();
            ids.resize(block.column(*slot).distinct(), Cached::Unknown);
        }
        let found = std::mem::take(&mut self.found);
        for matches in found.chunk_by(|a, b| a.0 == b.0) {
            let row = matches[0].0 as usize;
            // Numbers first: they borrow the collector as the event does.
            let values: Vec<Vec<Vec<TermId>>> =
                matches.iter().map(|&(_, rule)| self.terms(block, row, rule as usize)).collect();
            let origin = block.origin(row);
            let mut event = self.collector.event(EventInfo {
                id: block.id(row),
                index: block.index(row),
                timestamp: block.timestamp(row),
                origin: detect::Origin { input: origin.input, ordinal: origin.ordinal },
            });
            for (&(_, rule), values) in matches.iter().zip(&values) {
                let over = self.prepared.overrides[rule as usize].and_then(|slot| date(block, slot, row));
                let values: Vec<&[TermId]> = values.iter().map(Vec::as_slice).collect();
                event.push(rule as usize, over, &values);
            }
        }
        self.found = found;
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
        let builder = self.builder.as_mut().expect("only `flush` takes the builder, and gives it back");
        match self.filler.fill(&record, builder) {
            Ok(filled) => match filled.time {
                Some(time) => {
                    let (first, last) = self.span.unwrap_or((time, time));
                    self.span = Some((first.min(time), last.max(time)));
                }
                None => self.undated += 1,
            },
            Err(text) => self.troubles.push(Trouble::of_record(&record, text)),
        }
        if builder.rows() >= self.prepared.rows || builder.bytes() >= BLOCK_BYTES {
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
