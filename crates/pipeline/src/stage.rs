//! What a command does, made ready; and what single rows become of it.

use std::sync::Arc;

use esql::resolved::{self, StepKind};
use extract::{Dissect, Grok, Kind as GrokKind};
use span::Span;

use crate::block::Block;
use crate::cells::{Builder, Text};
use crate::column::Column;
use crate::command::{lookup, stats};
use crate::error::PrepareError;
use crate::kernel::{At, typed};
use crate::node::{Context, Node, Preparer, rows_where};
use crate::scalar::{Element, Scalar, Value};

#[derive(Debug)]
pub(crate) enum Stage {
    Where(Node, usize),
    Eval(Vec<(usize, Node)>),
    Expand { from: usize, to: usize },
    Dissect { input: Node, pattern: Dissect, outputs: Vec<usize> },
    Grok { input: Node, site: usize, pattern: Grok, outputs: Vec<usize> },
    Lookup(lookup::Plan),
    Stats(stats::Plan),
    InlineStats(stats::Plan),
    Sort(Vec<Order>, Option<usize>),
    Limit(usize),
}

#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) node: Node,
    pub(crate) descending: bool,
    pub(crate) nulls_first: bool,
}

impl Stage {
    /// Whether it needs all rows before the next stage has any.
    pub(crate) fn is_barrier(&self) -> bool {
        match self {
            Self::Where(..)
            | Self::Eval(_)
            | Self::Expand { .. }
            | Self::Dissect { .. }
            | Self::Grok { .. }
            | Self::Lookup(_) => false,
            Self::Stats(_) | Self::InlineStats(_) | Self::Sort(..) | Self::Limit(_) => true,
        }
    }

    /// Whether as many rows come out as go in, in the same order.
    pub(crate) fn keeps_rows(&self) -> bool {
        matches!(self, Self::Eval(_) | Self::Dissect { .. } | Self::Grok { .. })
    }

    pub(crate) fn reads(&self, slots: &mut Vec<usize>) {
        match self {
            Self::Where(node, _) => node.slots(slots),
            Self::Eval(all) => all.iter().for_each(|it| it.1.slots(slots)),
            Self::Expand { from, .. } => slots.push(*from),
            Self::Dissect { input, .. } | Self::Grok { input, .. } => input.slots(slots),
            Self::Lookup(it) => it.reads(slots),
            Self::Stats(it) | Self::InlineStats(it) => it.reads(slots),
            Self::Sort(orders, _) => orders.iter().for_each(|it| it.node.slots(slots)),
            Self::Limit(_) => {}
        }
    }
}

/// A step, made ready.
pub(crate) fn stage(
    kind: &StepKind,
    place: Span,
    preparer: &mut Preparer<'_>,
    tables: &lookup::Tables,
) -> Result<Stage, PrepareError> {
    let slots = |columns: &[resolved::Column]| columns.iter().map(|it| it.slot.index()).collect();
    Ok(match kind {
        StepKind::Where(condition) => {
            Stage::Where(preparer.node(condition)?, preparer.site(condition.span, "null"))
        }
        StepKind::Eval(all) => {
            let mut columns = Vec::new();
            for it in all {
                columns.push((it.slot.index(), preparer.node(&it.value)?));
            }
            Stage::Eval(columns)
        }
        StepKind::Stats(it) => Stage::Stats(stats::Plan::new(it, preparer)?),
        StepKind::InlineStats(it) => Stage::InlineStats(stats::Plan::new(it, preparer)?),
        StepKind::Sort(orders) => {
            let mut all = Vec::new();
            for it in orders {
                let node = preparer.node(&it.value)?;
                all.push(Order { node, descending: it.descending, nulls_first: it.nulls_first });
            }
            Stage::Sort(all, None)
        }
        StepKind::Limit(rows) => Stage::Limit(usize::try_from(*rows).unwrap_or(usize::MAX)),
        StepKind::MvExpand { from, to } => Stage::Expand { from: from.index(), to: to.index() },
        StepKind::Dissect { input, pattern, pattern_span, separator, outputs } => {
            let pattern = Dissect::new(pattern, separator)
                .map_err(|it| PrepareError::Pattern { message: it.to_string(), span: *pattern_span })?;
            Stage::Dissect { input: preparer.node(input)?, pattern, outputs: slots(outputs) }
        }
        StepKind::Grok { input, patterns, outputs } => {
            let texts: Vec<&str> = patterns.iter().map(|it| &*it.0).collect();
            let span = patterns.first().map_or(place, |it| it.1);
            let pattern =
                Grok::new(&texts).map_err(|it| PrepareError::Pattern { message: it.to_string(), span })?;
            let site = preparer.site(place, "null");
            Stage::Grok { input: preparer.node(input)?, site, pattern, outputs: slots(outputs) }
        }
        StepKind::Lookup(it) => Stage::Lookup(lookup::Plan::new(it, place, tables)?),
    })
}

/// What single rows become.
pub(crate) fn apply(stage: &Stage, live: &[usize], mut block: Block, context: &mut Context<'_>) -> Block {
    let rows = block.rows();
    match stage {
        Stage::Where(condition, site) => {
            let column = condition.evaluate(&block, context);
            let mut at = At { warnings: context.warnings, site: *site, rows, now: context.now };
            let kept = rows_where(&column, &mut at);
            if kept.len() == rows { block } else { block.take(&kept, live) }
        }
        Stage::Eval(all) => {
            for (slot, node) in all {
                let column = node.evaluate(&block, context);
                block.set(*slot, column);
            }
            block
        }
        Stage::Expand { from, to } => expand(&block, *from, *to, live),
        Stage::Dissect { input, pattern, outputs } => {
            let texts = input.evaluate(&block, context);
            let texts = typed::<Text>(&texts);
            let mut builders: Vec<Builder<Text>> = outputs.iter().map(|_| Builder::new(rows)).collect();
            for row in 0..rows {
                for text in texts.cell(row) {
                    let found = pattern.find(text).unwrap_or_default();
                    builders.iter_mut().zip(found).for_each(|(it, value)| it.add(value.into()));
                }
                builders.iter_mut().for_each(Builder::end);
            }
            for (slot, builder) in outputs.iter().zip(builders) {
                block.set(*slot, Arc::new(Column::Keyword(builder.finish())));
            }
            block
        }
        Stage::Grok { input, site, pattern, outputs } => {
            let texts = input.evaluate(&block, context);
            let texts = typed::<Text>(&texts);
            let mut values: Vec<Vec<Value>> = outputs.iter().map(|_| Vec::with_capacity(rows)).collect();
            for row in 0..rows {
                let mut found: Vec<Vec<Scalar>> = vec![Vec::new(); outputs.len()];
                for text in texts.cell(row) {
                    pattern.find(text, |output, value| {
                        match captured(value, pattern.outputs()[output].kind) {
                            Some(it) => found[output].push(it),
                            None => context
                                .warnings
                                .add(*site, crate::Failure::Number(format!("For input string: \"{value}\""))),
                        }
                    });
                }
                values.iter_mut().zip(found).for_each(|(all, it)| all.push(Value::of(it)));
            }
            for ((slot, output), values) in outputs.iter().zip(pattern.outputs()).zip(values) {
                let ty = match output.kind {
                    GrokKind::Keyword => crate::Type::Keyword,
                    GrokKind::Integer => crate::Type::Integer,
                    GrokKind::Long => crate::Type::Long,
                    GrokKind::Double => crate::Type::Double,
                    GrokKind::Boolean => crate::Type::Boolean,
                };
                block.set(*slot, Arc::new(Column::of_type(ty, values.iter())));
            }
            block
        }
        Stage::Lookup(plan) => plan.apply(block, live),
        Stage::Stats(_) | Stage::InlineStats(_) | Stage::Sort(..) | Stage::Limit(_) => block,
    }
}

/// A captured text as what the pattern asks for.
fn captured(text: &str, kind: GrokKind) -> Option<Scalar> {
    Some(match kind {
        GrokKind::Keyword => Scalar::Keyword(text.into()),
        GrokKind::Integer => Scalar::Integer(text.parse().ok()?),
        GrokKind::Long => Scalar::Long(text.parse().ok()?),
        GrokKind::Double => Scalar::Double(crate::numbers::java_parse(text)?),
        GrokKind::Boolean => Scalar::Boolean(text.eq_ignore_ascii_case("true")),
    })
}

/// One value a row; null stays one row.
fn singles<T: Element>(cells: &crate::Cells<T>, rows: usize) -> Column {
    let mut builder = Builder::new(rows);
    for cell in cells.iter() {
        if cell.is_empty() {
            builder.push_null();
        }
        for it in cell {
            builder.push(it.clone());
        }
    }
    T::column(builder.finish())
}

/// A row for each value.
fn expand(block: &Block, from: usize, to: usize, live: &[usize]) -> Block {
    let column = block.get(from);
    let mut rows = Vec::with_capacity(block.rows());
    for row in 0..block.rows() {
        rows.extend(std::iter::repeat_n(row as u32, column.count(row).max(1)));
    }
    let count = rows.len();
    let mut expanded = if count == block.rows() { block.clone() } else { block.take(&rows, live) };
    let values =
        crate::column::each_type!(&*column, it => singles(it, count), null _rows => Column::Null(count));
    expanded.set(to, Arc::new(values));
    expanded
}
