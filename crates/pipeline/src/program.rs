//! A query that is ready to run, and the parts of a run.

use std::cmp::Ordering;
use std::sync::Arc;

use esql::resolved::{self, Pipeline, Source};
use plan::Condition;

use crate::block::Block;
use crate::column::Column;
use crate::command::lookup::Tables;
use crate::command::stats::Groups;
use crate::error::{PipelineError, PrepareError};
use crate::function::order_columns;
use crate::node::{Context, Node, Preparer};
use crate::stage::{Order, Stage, apply, stage};
use crate::table::{Table, TableColumn};
use crate::warnings::{Site, Warnings};

/// What a run may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most bytes that groups take.
    pub group_bytes: usize,
    /// The most rows that are kept at once, to sort them or to return them.
    pub rows: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { group_bytes: 512 << 20, rows: 10_000_000 }
    }
}

/// A query that is ready to run.
#[derive(Debug)]
pub struct Program {
    stages: Vec<Stage>,
    /// The slots that are read behind each stage, in order.
    live: Vec<Vec<usize>>,
    output: Vec<resolved::Column>,
    row: Option<Vec<(usize, Node)>>,
    sites: Vec<Site>,
    searches: Vec<(Condition, usize)>,
    /// What is said of the query itself.
    notes: Vec<String>,
    now: i64,
    limits: Limits,
}

impl Program {
    /// Makes a checked query ready. `rows_max` limits what comes out, whatever the query says; tables are those that
    /// `LOOKUP JOIN` and `ENRICH` may ask.
    pub fn new(
        pipeline: &Pipeline,
        tables: &Tables,
        rows_max: Option<usize>,
        now: i64,
        limits: Limits,
    ) -> Result<Self, PrepareError> {
        let mut preparer = Preparer::new(&pipeline.text, pipeline.slots as usize, now);
        let row = match &pipeline.source {
            Source::Events { .. } => None,
            Source::Row(all) => {
                let mut row = Vec::new();
                for it in all {
                    row.push((it.slot.index(), preparer.node(&it.value)?));
                }
                Some(row)
            }
        };
        let mut stages = Vec::new();
        for step in &pipeline.steps {
            stages.push(stage(&step.kind, step.span, &mut preparer, tables)?);
        }
        if let Some(rows) = rows_max {
            stages.push(Stage::Limit(rows));
        }
        // Only so many rows of a sort are needed as a limit behind it leaves.
        for at in 0..stages.len() {
            let limit = stages[at + 1..].iter().find(|it| !it.keeps_rows()).and_then(|it| match it {
                Stage::Limit(rows) => Some(*rows),
                _ => None,
            });
            if let Stage::Sort(_, kept) = &mut stages[at] {
                *kept = limit;
            }
        }
        let mut needed: Vec<usize> = pipeline.output.iter().map(|it| it.slot.index()).collect();
        let mut live = vec![Vec::new(); stages.len()];
        for (stage, live) in stages.iter().zip(&mut live).rev() {
            needed.sort_unstable();
            needed.dedup();
            live.clone_from(&needed);
            stage.reads(&mut needed);
        }
        Ok(Self {
            stages,
            live,
            output: pipeline.output.clone(),
            row,
            sites: preparer.sites,
            searches: preparer.searches,
            notes: pipeline.warnings.clone(),
            now,
            limits,
        })
    }

    /// What is asked of the events that rows are made of; the answers are columns of `boolean` in these slots.
    pub fn searches(&self) -> &[(Condition, usize)] {
        &self.searches
    }

    /// What `NOW()` says.
    pub fn now(&self) -> i64 {
        self.now
    }

    /// Whether it makes its one row itself.
    pub fn makes_its_row(&self) -> bool {
        self.row.is_some()
    }

    /// The first part of a run.
    pub fn part(&self) -> Part<'_> {
        let mut part = Part::new(self);
        if let Some(row) = &self.row {
            let mut block = Block::new(1);
            for (slot, node) in row {
                let column = node.evaluate(&block, &mut part.context());
                block.set(*slot, column);
            }
            part.failed = part.push(block).err();
        }
        part
    }

    /// A further part of a run, for other rows.
    pub fn further_part(&self) -> Part<'_> {
        Part::new(self)
    }

    /// The table of these rows.
    pub fn run(&self, blocks: impl IntoIterator<Item = Block>) -> Result<Table, PipelineError> {
        let mut part = self.part();
        for block in blocks {
            part.push(block)?;
        }
        part.finish()
    }

    /// The first stage that needs all rows; all before are the matter of single rows.
    fn barrier(&self, from: usize) -> usize {
        self.stages[from..].iter().position(Stage::is_barrier).map_or(self.stages.len(), |it| from + it)
    }
}

/// What is kept of the rows before the first stage that needs all of them.
#[derive(Debug)]
enum Kept {
    Rows(Vec<Block>),
    Groups(Box<Groups>),
    /// The rows, and the groups of each.
    Inline(Vec<(Block, Vec<(u32, u32)>)>, Box<Groups>),
}

/// A part of a run: some of the rows, those that follow one another.
#[derive(Debug)]
pub struct Part<'p> {
    program: &'p Program,
    kept: Kept,
    rows: usize,
    warnings: Warnings,
    failed: Option<PipelineError>,
}

impl<'p> Part<'p> {
    fn new(program: &'p Program) -> Self {
        let kept = Self::nothing(program, program.barrier(0));
        Self { program, kept, rows: 0, warnings: Warnings::default(), failed: None }
    }

    fn nothing(program: &Program, barrier: usize) -> Kept {
        match program.stages.get(barrier) {
            Some(Stage::Stats(plan)) => Kept::Groups(Box::new(Groups::new(plan))),
            Some(Stage::InlineStats(plan)) => Kept::Inline(Vec::new(), Box::new(Groups::new(plan))),
            _ => Kept::Rows(Vec::new()),
        }
    }

    fn context(&mut self) -> Context<'_> {
        Context { warnings: &mut self.warnings, now: self.program.now }
    }

    /// Whether no row can add anything: a limit is reached.
    pub fn is_full(&self) -> bool {
        match (self.program.stages.get(self.program.barrier(0)), &self.kept) {
            (Some(Stage::Limit(rows)), Kept::Rows(_)) => self.rows >= *rows,
            _ => false,
        }
    }

    /// Takes rows.
    pub fn push(&mut self, block: Block) -> Result<(), PipelineError> {
        let barrier = self.program.barrier(0);
        let block = self.through(0, barrier, block);
        self.keep(barrier, block)
    }

    /// What single rows become from one stage to another.
    fn through(&mut self, from: usize, to: usize, mut block: Block) -> Block {
        let program = self.program;
        for at in from..to {
            block = apply(&program.stages[at], &program.live[at], block, &mut self.context());
        }
        block
    }

    fn keep(&mut self, barrier: usize, block: Block) -> Result<(), PipelineError> {
        let program = self.program;
        let limits = program.limits;
        let stage = program.stages.get(barrier);
        let mut context = Context { warnings: &mut self.warnings, now: program.now };
        match (&mut self.kept, stage) {
            (Kept::Groups(groups), Some(Stage::Stats(plan))) => {
                groups.add(plan, &block, limits.group_bytes, &mut context)?;
            }
            (Kept::Inline(rows, groups), Some(Stage::InlineStats(plan))) => {
                let (block, pairs) = groups.add(plan, &block, limits.group_bytes, &mut context)?;
                self.rows += block.rows();
                rows.push((block, pairs));
            }
            (Kept::Rows(rows), Some(Stage::Limit(limit))) => {
                let left = limit.saturating_sub(self.rows);
                let block = first(block, left, &program.live[barrier]);
                self.rows += block.rows();
                rows.push(block);
            }
            (Kept::Rows(rows), stage) => {
                self.rows += block.rows();
                rows.push(block);
                if let Some(Stage::Sort(orders, Some(limit))) = stage
                    && self.rows > limit.saturating_mul(4).saturating_add(8_192)
                {
                    let slots = sort_slots(program, barrier);
                    let sorted = sort(rows, orders, Some(*limit), &slots, &mut context);
                    self.rows = sorted.rows();
                    *rows = vec![sorted];
                }
            }
            (Kept::Groups(_) | Kept::Inline(..), _) => {}
        }
        if self.rows > limits.rows { Err(PipelineError::Rows { limit: limits.rows }) } else { Ok(()) }
    }

    /// Takes a part whose rows follow.
    pub fn merge(&mut self, later: Self) -> Result<(), PipelineError> {
        let program = self.program;
        let barrier = program.barrier(0);
        if let Some(failed) = later.failed {
            self.failed.get_or_insert(failed);
        }
        self.warnings.merge(later.warnings);
        let limits = program.limits;
        match (&mut self.kept, later.kept) {
            (Kept::Groups(mine), Kept::Groups(theirs)) => {
                if let Some(Stage::Stats(plan)) = program.stages.get(barrier) {
                    mine.merge(plan, *theirs, limits.group_bytes)?;
                }
            }
            (Kept::Inline(rows, mine), Kept::Inline(more, theirs)) => {
                if let Some(Stage::InlineStats(plan)) = program.stages.get(barrier) {
                    let numbers = mine.merge(plan, *theirs, limits.group_bytes)?;
                    for (block, mut pairs) in more {
                        for (_, group) in &mut pairs {
                            *group = numbers[*group as usize];
                        }
                        self.rows += block.rows();
                        rows.push((block, pairs));
                    }
                }
            }
            (Kept::Rows(_), Kept::Rows(more)) => {
                for block in more {
                    self.keep(barrier, block)?;
                }
            }
            (Kept::Rows(_) | Kept::Groups(_) | Kept::Inline(..), _) => {
                unreachable!("both parts are of one program")
            }
        }
        if self.rows > limits.rows { Err(PipelineError::Rows { limit: limits.rows }) } else { Ok(()) }
    }

    /// The result.
    pub fn finish(mut self) -> Result<Table, PipelineError> {
        if let Some(failed) = self.failed.take() {
            return Err(failed);
        }
        let program = self.program;
        let mut barrier = program.barrier(0);
        loop {
            let blocks = self.release(barrier);
            if barrier >= program.stages.len() {
                return Ok(self.table(&blocks));
            }
            let next = program.barrier(barrier + 1);
            self.kept = Self::nothing(program, next);
            self.rows = 0;
            for block in blocks {
                let block = self.through(barrier + 1, next, block);
                self.keep(next, block)?;
            }
            barrier = next;
        }
    }

    /// What the stage makes of all that was kept.
    fn release(&mut self, barrier: usize) -> Vec<Block> {
        let program = self.program;
        let kept = std::mem::replace(&mut self.kept, Kept::Rows(Vec::new()));
        let mut context = Context { warnings: &mut self.warnings, now: program.now };
        match (kept, program.stages.get(barrier)) {
            (Kept::Groups(groups), Some(Stage::Stats(plan))) => vec![groups.finish(plan, &mut context)],
            (Kept::Inline(rows, groups), Some(Stage::InlineStats(plan))) => {
                let groups = groups.finish(plan, &mut context);
                let live = &program.live[barrier];
                rows.into_iter().map(|(block, pairs)| joined(&block, &pairs, &groups, live)).collect()
            }
            (Kept::Rows(rows), Some(Stage::Sort(orders, limit))) => {
                vec![sort(&rows, orders, *limit, &sort_slots(program, barrier), &mut context)]
            }
            (Kept::Rows(rows), _) => rows,
            (Kept::Groups(_) | Kept::Inline(..), _) => Vec::new(),
        }
    }

    fn table(self, blocks: &[Block]) -> Table {
        let slots: Vec<usize> = self.program.output.iter().map(|it| it.slot.index()).collect();
        let all = Block::concat(blocks, &slots);
        let mut warnings = self.program.notes.clone();
        warnings.extend(self.warnings.texts(&self.program.sites));
        let columns = self.program.output.iter().map(|it| TableColumn {
            name: it.name.clone(),
            ty: it.ty,
            values: all.get(it.slot.index()),
        });
        Table { columns: columns.collect(), rows: all.rows(), warnings }
    }
}

/// The first rows.
fn first(block: Block, rows: usize, live: &[usize]) -> Block {
    if block.rows() <= rows {
        return block;
    }
    let kept: Vec<u32> = (0..rows as u32).collect();
    block.take(&kept, live)
}

/// What is read behind a sort, and by it.
fn sort_slots(program: &Program, at: usize) -> Vec<usize> {
    let mut slots = program.live[at].clone();
    program.stages[at].reads(&mut slots);
    slots.sort_unstable();
    slots.dedup();
    slots
}

/// All rows in order; those that are equal stay as they were.
fn sort(
    blocks: &[Block],
    orders: &[Order],
    limit: Option<usize>,
    slots: &[usize],
    context: &mut Context<'_>,
) -> Block {
    let all = Block::concat(blocks, slots);
    let keys: Vec<Arc<Column>> = orders.iter().map(|it| it.node.evaluate(&all, context)).collect();
    let compare = |a: &u32, b: &u32| -> Ordering {
        orders
            .iter()
            .zip(&keys)
            .map(|(order, key)| {
                order_columns(key, *a as usize, *b as usize, order.descending, order.nulls_first)
            })
            .find(|it| it.is_ne())
            .unwrap_or(Ordering::Equal)
            .then(a.cmp(b))
    };
    let mut rows: Vec<u32> = (0..all.rows() as u32).collect();
    match limit {
        Some(limit) if limit < rows.len() => {
            if limit > 0 {
                rows.select_nth_unstable_by(limit - 1, compare);
            }
            rows.truncate(limit);
            rows.sort_unstable_by(compare);
        }
        _ => rows.sort_unstable_by(compare),
    }
    all.take(&rows, slots)
}

/// Rows with what is told of their groups.
fn joined(block: &Block, pairs: &[(u32, u32)], groups: &Block, live: &[usize]) -> Block {
    let (rows, of): (Vec<u32>, Vec<u32>) = pairs.iter().copied().unzip();
    let mut joined = block.take(&rows, live);
    let told = groups.take(&of, live);
    for &slot in live {
        if !matches!(&*told.get(slot), Column::Null(_)) {
            joined.set(slot, told.get(slot));
        }
    }
    joined
}
