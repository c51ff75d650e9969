//! `STATS` and `INLINE STATS`: groups, by the values of keys.

use std::sync::Arc;

use esql::Function;
use esql::resolved::Stats;
use rustc_hash::FxHashMap;

use super::accumulate::{Accumulator, Asked};
use crate::block::Block;
use crate::column::Column;
use crate::error::{PipelineError, PrepareError};
use crate::kernel::At;
use crate::node::{Context, Node, Preparer, rows_where, value};
use crate::scalar::{Scalar, Value};

/// About how many bytes a group takes beside what it keeps.
const GROUP_BYTES: usize = 96;

/// What is to be told of which groups, made ready.
#[derive(Debug)]
pub(crate) struct Plan {
    keys: Vec<Key>,
    aggregates: Vec<Aggregate>,
    after: Vec<(usize, Node)>,
}

#[derive(Debug)]
struct Key {
    node: Node,
    row: usize,
    group: usize,
}

#[derive(Debug)]
struct Aggregate {
    asked: Asked,
    arguments: Vec<Node>,
    filter: Option<(Node, usize)>,
    slot: usize,
    site: usize,
}

/// The groups so far, in the order in which they appear.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    by_key: FxHashMap<Box<[u8]>, u32>,
    keys: Vec<Vec<Value>>,
    /// For each aggregate what is kept of each group.
    kept: Vec<Vec<Accumulator>>,
    bytes: usize,
}

fn constant(expr: Option<&esql::resolved::Expr>) -> Option<Scalar> {
    match &expr?.kind {
        esql::resolved::ExprKind::Constant(it) => value(it).as_slice().first().cloned(),
        esql::resolved::ExprKind::Column(_)
        | esql::resolved::ExprKind::Call { .. }
        | esql::resolved::ExprKind::Search(_) => None,
    }
}

fn whole(scalar: &Scalar) -> i64 {
    match scalar {
        Scalar::Integer(it) => (*it).into(),
        Scalar::Long(it) => *it,
        Scalar::UnsignedLong(it) => i64::try_from(*it).unwrap_or(i64::MAX),
        Scalar::Double(it) => *it as i64,
        _ => 0,
    }
}

impl Plan {
    pub(crate) fn new(stats: &Stats, preparer: &mut Preparer<'_>) -> Result<Self, PrepareError> {
        let mut keys = Vec::new();
        for key in &stats.keys {
            keys.push(Key {
                node: preparer.node(&key.value)?,
                row: key.row.index(),
                group: key.group.index(),
            });
        }
        let mut aggregates = Vec::new();
        for it in &stats.aggregates {
            let second = constant(it.arguments.get(1));
            let order = constant(it.arguments.get(2)).map(|it| it.text());
            let percentile = match second {
                Some(Scalar::Double(it)) => it,
                Some(ref it) => whole(it) as f64,
                None => 50.0,
            };
            // `COUNT(*)`, and `COUNT` of what is the same in every row.
            let is_of_rows = it.function == Function::Count && it.arguments.is_empty();
            let asked = Asked {
                function: it.function,
                ty: it.ty,
                is_of_rows,
                percentile,
                limit: second.as_ref().map_or(0, |it| usize::try_from(whole(it)).unwrap_or(0)),
                descending: order.is_some_and(|it| it.eq_ignore_ascii_case("desc")),
            };
            let arguments = it.arguments.iter().map(|it| preparer.node(it)).collect::<Result<_, _>>()?;
            let filter = match &it.filter {
                Some(filter) => Some((preparer.node(filter)?, preparer.site(filter.span, "null"))),
                None => None,
            };
            let site = preparer.site(it.span, "null");
            aggregates.push(Aggregate { asked, arguments, filter, slot: it.slot.index(), site });
        }
        let mut after = Vec::new();
        for it in &stats.after {
            after.push((it.slot.index(), preparer.node(&it.value)?));
        }
        Ok(Self { keys, aggregates, after })
    }

    /// The slots that it reads of the rows.
    pub(crate) fn reads(&self, slots: &mut Vec<usize>) {
        self.keys.iter().for_each(|it| it.node.slots(slots));
        for it in &self.aggregates {
            it.arguments.iter().for_each(|it| it.slots(slots));
            if let Some((filter, _)) = &it.filter {
                filter.slots(slots);
            }
        }
    }
}

/// Appends what tells a value from all others of its type.
fn encode(value: Option<&Scalar>, key: &mut Vec<u8>) {
    let Some(value) = value else {
        key.push(0);
        return;
    };
    key.push(1);
    match value {
        Scalar::Boolean(it) => key.push(u8::from(*it)),
        Scalar::Integer(it) => key.extend_from_slice(&it.to_le_bytes()),
        Scalar::Long(it) => key.extend_from_slice(&it.to_le_bytes()),
        Scalar::UnsignedLong(it) => key.extend_from_slice(&it.to_le_bytes()),
        Scalar::Double(it) => key.extend_from_slice(&(it + 0.0).to_bits().to_le_bytes()),
        Scalar::Keyword(it) => {
            key.extend_from_slice(&(it.len() as u32).to_le_bytes());
            key.extend_from_slice(it.as_bytes());
        }
        Scalar::Datetime(it) => key.extend_from_slice(&it.0.to_le_bytes()),
        Scalar::Ip(it) => key.extend_from_slice(&it.0.to_le_bytes()),
        Scalar::Version(it) => {
            key.extend_from_slice(&(it.0.len() as u32).to_le_bytes());
            key.extend_from_slice(it.0.as_bytes());
        }
        Scalar::GeoPoint(it) => {
            key.extend_from_slice(&it.lon.to_bits().to_le_bytes());
            key.extend_from_slice(&it.lat.to_bits().to_le_bytes());
        }
    }
}

impl Groups {
    pub(crate) fn new(plan: &Plan) -> Self {
        let mut groups = Self { kept: vec![Vec::new(); plan.aggregates.len()], ..Self::default() };
        if plan.keys.is_empty() {
            groups.group(plan, Box::default(), Vec::new);
        }
        groups
    }

    fn group(&mut self, plan: &Plan, key: Box<[u8]>, values: impl FnOnce() -> Vec<Value>) -> u32 {
        if let Some(known) = self.by_key.get(&key) {
            return *known;
        }
        let number = self.keys.len() as u32;
        self.bytes += GROUP_BYTES + 2 * key.len();
        self.by_key.insert(key, number);
        self.keys.push(values());
        for (aggregate, kept) in plan.aggregates.iter().zip(&mut self.kept) {
            kept.push(Accumulator::new(&aggregate.asked));
            self.bytes += size_of::<Accumulator>();
        }
        number
    }

    /// Takes rows. They come back with the values of keys, and with the groups of each, one after the other: rows ascend.
    pub(crate) fn add(
        &mut self,
        plan: &Plan,
        block: &Block,
        limit: usize,
        context: &mut Context<'_>,
    ) -> Result<(Block, Vec<(u32, u32)>), PipelineError> {
        let mut block = block.clone();
        for key in &plan.keys {
            let column = key.node.evaluate(&block, context);
            block.set(key.row, column);
        }
        let pairs = self.assign(plan, &block);
        for (aggregate, kept) in plan.aggregates.iter().zip(&mut self.kept) {
            let arguments: Vec<Arc<Column>> =
                aggregate.arguments.iter().map(|it| it.evaluate(&block, context)).collect();
            let arguments: Vec<&Column> = arguments.iter().map(|it| &**it).collect();
            let filter = aggregate.filter.as_ref().map(|(filter, site)| {
                let column = filter.evaluate(&block, context);
                let mut at =
                    At { warnings: context.warnings, site: *site, rows: block.rows(), now: context.now };
                let mut holds = vec![false; block.rows()];
                for row in rows_where(&column, &mut at) {
                    holds[row as usize] = true;
                }
                holds
            });
            for &(row, group) in &pairs {
                if filter.as_ref().is_none_or(|it| it[row as usize]) {
                    self.bytes += kept[group as usize].add(&aggregate.asked, &arguments, row as usize);
                }
            }
        }
        if self.bytes > limit { Err(PipelineError::Groups { limit }) } else { Ok((block, pairs)) }
    }

    /// The groups of each row: a row with several values of a key is in the group of each.
    fn assign(&mut self, plan: &Plan, block: &Block) -> Vec<(u32, u32)> {
        let columns: Vec<Arc<Column>> = plan.keys.iter().map(|it| block.get(it.row)).collect();
        let mut pairs = Vec::with_capacity(block.rows());
        let mut key = Vec::new();
        for row in 0..block.rows() {
            if columns.iter().all(|it| it.count(row) < 2) {
                key.clear();
                for column in &columns {
                    encode(column.scalar(row, 0).as_ref(), &mut key);
                }
                let group = if let Some(known) = self.by_key.get(key.as_slice()) {
                    *known
                } else {
                    let values = || columns.iter().map(|it| it.value(row)).collect();
                    self.group(plan, key.as_slice().into(), values)
                };
                pairs.push((row as u32, group));
                continue;
            }
            let mut of_row: Vec<u32> = Vec::new();
            self.combine(plan, &columns, row, &mut Vec::new(), &mut of_row);
            pairs.extend(of_row.into_iter().map(|group| (row as u32, group)));
        }
        pairs
    }

    fn combine(
        &mut self,
        plan: &Plan,
        columns: &[Arc<Column>],
        row: usize,
        values: &mut Vec<Value>,
        groups: &mut Vec<u32>,
    ) {
        let Some(column) = columns.get(values.len()) else {
            let mut key = Vec::new();
            for value in &*values {
                encode(value.as_slice().first(), &mut key);
            }
            let group = self.group(plan, key.into(), || values.clone());
            // A value that stands there twice counts the row once.
            if !groups.contains(&group) {
                groups.push(group);
            }
            return;
        };
        for at in 0..column.count(row).max(1) {
            values.push(column.scalar(row, at).map_or(Value::Null, Value::One));
            self.combine(plan, columns, row, values, groups);
            values.pop();
        }
    }

    /// Takes the groups of later rows. The number that each of them has here.
    pub(crate) fn merge(
        &mut self,
        plan: &Plan,
        later: Self,
        limit: usize,
    ) -> Result<Vec<u32>, PipelineError> {
        let mut by_number: Vec<(Box<[u8]>, u32)> = later.by_key.into_iter().collect();
        by_number.sort_unstable_by_key(|it| it.1);
        let mut numbers = Vec::with_capacity(by_number.len());
        for ((key, _), values) in by_number.into_iter().zip(later.keys) {
            numbers.push(self.group(plan, key, || values));
        }
        for ((aggregate, mine), theirs) in plan.aggregates.iter().zip(&mut self.kept).zip(later.kept) {
            for (number, it) in numbers.iter().zip(theirs) {
                self.bytes += mine[*number as usize].merge(&aggregate.asked, it);
            }
        }
        if self.bytes > limit { Err(PipelineError::Groups { limit }) } else { Ok(numbers) }
    }

    /// A row for each group.
    pub(crate) fn finish(self, plan: &Plan, context: &mut Context<'_>) -> Block {
        let mut block = Block::new(self.keys.len());
        for (at, key) in plan.keys.iter().enumerate() {
            let values = self.keys.iter().map(|it| &it[at]);
            block.set(key.group, Arc::new(Column::of_type(key.node.ty().without_text(), values)));
        }
        for (aggregate, kept) in plan.aggregates.iter().zip(self.kept) {
            let mut values = Vec::with_capacity(kept.len());
            for it in kept {
                values.push(it.finish(&aggregate.asked).unwrap_or_else(|failure| {
                    context.warnings.add(aggregate.site, failure);
                    Value::Null
                }));
            }
            let ty = aggregate.asked.ty;
            block.set(aggregate.slot, Arc::new(Column::of_type(ty, values.iter())));
        }
        for (slot, node) in &plan.after {
            let column = node.evaluate(&block, context);
            block.set(*slot, column);
        }
        block
    }
}
