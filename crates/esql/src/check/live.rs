//! What is still read behind each step.

use std::collections::BTreeSet;

use crate::resolved::{Assign, Expr, Pipeline, Slot, Source, Stats, StepKind};

/// Marks what lives behind each step. What lives before the first.
pub(super) fn mark(pipeline: &mut Pipeline) -> BTreeSet<Slot> {
    let mut live: BTreeSet<Slot> = pipeline.output.iter().map(|it| it.slot).collect();
    for step in pipeline.steps.iter_mut().rev() {
        step.live = live.iter().copied().collect();
        before(&step.kind, &mut live);
    }
    if let Source::Row(assigns) = &pipeline.source {
        computed(assigns, &mut live);
    }
    live
}

/// What lives before a step, of what lives behind it.
fn before(kind: &StepKind, live: &mut BTreeSet<Slot>) {
    match kind {
        StepKind::Where(it) => read(it, live),
        StepKind::Eval(assigns) => computed(assigns, live),
        StepKind::Stats(stats) => {
            live.clear();
            told(stats, live);
        }
        StepKind::InlineStats(stats) => {
            computed(&stats.after, live);
            for it in &stats.aggregates {
                live.remove(&it.slot);
            }
            for it in &stats.keys {
                live.remove(&it.group);
            }
            told(stats, live);
        }
        StepKind::Sort(orders) => orders.iter().for_each(|it| read(&it.value, live)),
        StepKind::Limit(_) => {}
        StepKind::MvExpand { from, to } => {
            live.remove(to);
            live.insert(*from);
        }
        StepKind::Dissect { input, outputs, .. } | StepKind::Grok { input, outputs, .. } => {
            for it in outputs {
                live.remove(&it.slot);
            }
            read(input, live);
        }
        StepKind::Lookup(lookup) => {
            for (_, slot, _) in &lookup.adds {
                live.remove(slot);
            }
            live.extend(lookup.on.iter().map(|(slot, _)| *slot));
        }
    }
}

/// What rows need to have for their groups: what is computed of groups reads only these.
fn told(stats: &Stats, live: &mut BTreeSet<Slot>) {
    for it in &stats.aggregates {
        for expr in it.arguments.iter().chain(&it.filter) {
            read(expr, live);
        }
    }
    for it in stats.keys.iter().rev() {
        live.remove(&it.row);
        read(&it.value, live);
    }
}

fn computed(assigns: &[Assign], live: &mut BTreeSet<Slot>) {
    for it in assigns.iter().rev() {
        live.remove(&it.slot);
        read(&it.value, live);
    }
}

fn read(expr: &Expr, live: &mut BTreeSet<Slot>) {
    expr.slots(&mut |slot| {
        live.insert(slot);
    });
}
