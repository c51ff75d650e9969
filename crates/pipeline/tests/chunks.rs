//! However rows are cut into blocks and parts, the same table comes of them.

#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::sync::Arc;

use esql::resolved::{
    Aggregate, Assign, Column as Named, Expr, ExprKind, Key, Order, Origin, Pipeline, Slot, Source,
    SourceField, Stats, Step, StepKind, Value as Constant,
};
use esql::{Function, Type};
use pipeline::{Block, Builder, Column, Limits, PipelineError, Program, Table, Tables, Text};
use proptest::prelude::*;
use span::Span;

const TEXT: &str = "FROM rows | STATS …";

fn at() -> Span {
    Span::new(0, 4)
}

fn column(slot: u32, ty: Type) -> Expr {
    Expr { kind: ExprKind::Column(Slot(slot)), ty, span: at() }
}

fn constant(value: Constant, ty: Type) -> Expr {
    Expr { kind: ExprKind::Constant(value), ty, span: at() }
}

fn pipeline(steps: Vec<StepKind>, output: &[(u32, Type)], slots: u32) -> Pipeline {
    let field = |slot, path: &str, ty| SourceField {
        slot: Slot(slot),
        origin: Origin::Field { path: path.to_owned(), stored: None },
        ty,
    };
    Pipeline {
        text: TEXT.into(),
        source: Source::Events {
            patterns: vec!["rows".to_owned()],
            fields: vec![
                field(0, "k", Type::Keyword),
                field(1, "n", Type::Long),
                field(2, "d", Type::Double),
            ],
        },
        steps: steps.into_iter().map(|kind| Step { kind, span: at(), live: Vec::new() }).collect(),
        output: output
            .iter()
            .map(|(slot, ty)| Named { name: format!("c{slot}"), slot: Slot(*slot), ty: *ty })
            .collect(),
        slots,
        is_limited: false,
        warnings: Vec::new(),
    }
}

/// Every aggregate, by the keyword.
fn stats() -> (Stats, Vec<(u32, Type)>) {
    let (n, d) = (|| column(1, Type::Long), || column(2, Type::Double));
    let order = || constant(Constant::Text("desc".into()), Type::Keyword);
    let all: Vec<(Function, Vec<Expr>, Type)> = vec![
        (Function::Count, vec![], Type::Long),
        (Function::Count, vec![n()], Type::Long),
        (Function::CountDistinct, vec![n()], Type::Long),
        (Function::Values, vec![column(0, Type::Keyword)], Type::Keyword),
        (Function::Values, vec![n()], Type::Long),
        (Function::Sum, vec![n()], Type::Long),
        (Function::Sum, vec![d()], Type::Double),
        (Function::Avg, vec![d()], Type::Double),
        (Function::Min, vec![column(0, Type::Keyword)], Type::Keyword),
        (Function::Max, vec![d()], Type::Double),
        (Function::Median, vec![d()], Type::Double),
        (Function::MedianAbsoluteDeviation, vec![d()], Type::Double),
        (Function::Percentile, vec![d(), constant(Constant::Integer(90), Type::Integer)], Type::Double),
        (Function::StdDev, vec![d()], Type::Double),
        (Function::WeightedAvg, vec![d(), n()], Type::Double),
        (Function::Top, vec![d(), constant(Constant::Integer(3), Type::Integer), order()], Type::Double),
        (Function::First, vec![column(0, Type::Keyword), n()], Type::Keyword),
        (Function::Last, vec![d(), n()], Type::Double),
        (Function::Present, vec![n()], Type::Boolean),
    ];
    let mut output = Vec::new();
    let mut aggregates = Vec::new();
    for (index, (function, arguments, ty)) in all.into_iter().enumerate() {
        let slot = 10 + index as u32;
        output.push((slot, ty));
        let filter = (index % 5 == 4).then(|| Expr {
            kind: ExprKind::Call {
                function: Function::IsNotNull,
                arguments: vec![column(0, Type::Keyword)],
                options: vec![],
            },
            ty: Type::Boolean,
            span: at(),
        });
        aggregates.push(Aggregate { function, arguments, filter, slot: Slot(slot), ty, span: at() });
    }
    output.push((9, Type::Keyword));
    let keys = vec![Key { value: column(0, Type::Keyword), row: Slot(0), group: Slot(9) }];
    (Stats { keys, aggregates, after: Vec::new() }, output)
}

type Row = (Vec<&'static str>, Vec<i64>, Vec<i32>);

fn block(rows: &[Row]) -> Block {
    let (mut k, mut n, mut d) = (Builder::<Text>::new(0), Builder::<i64>::new(0), Builder::<f64>::new(0));
    for row in rows {
        k.push_all(&row.0.iter().map(|it| Text::from(*it)).collect::<Vec<_>>());
        n.push_all(&row.1);
        d.push_all(&row.2.iter().map(|it| f64::from(*it) / 10.0).collect::<Vec<_>>());
    }
    let mut block = Block::new(rows.len());
    block.set(0, Arc::new(Column::Keyword(k.finish())));
    block.set(1, Arc::new(Column::Long(n.finish())));
    block.set(2, Arc::new(Column::Double(d.finish())));
    block
}

fn show(table: &Table) -> String {
    let rows = (0..table.rows)
        .map(|row| table.row(row).map(|it| format!("{:?}", it.1)).collect::<Vec<_>>().join(" | "));
    format!("{}\n{:?}", rows.collect::<Vec<_>>().join("\n"), table.warnings)
}

/// One block after the other in one part, against parts that are merged from behind.
fn agrees(pipeline: &Pipeline, rows: &[Row], cuts: &[usize]) {
    let program = Program::new(pipeline, &Tables::new(), None, 0, Limits::default()).unwrap();
    let whole = program.run([block(rows)]).unwrap();
    let mut bounds: Vec<usize> = cuts.iter().map(|it| it % (rows.len() + 1)).chain([0, rows.len()]).collect();
    bounds.sort_unstable();
    let pieces: Vec<Block> = bounds.windows(2).map(|it| block(&rows[it[0]..it[1]])).collect();
    assert_eq!(show(&program.run(pieces.clone()).unwrap()), show(&whole));
    let mut parts: Vec<_> = pieces
        .into_iter()
        .enumerate()
        .map(|(at, piece)| {
            let mut part = if at == 0 { program.part() } else { program.further_part() };
            part.push(piece).unwrap();
            part
        })
        .collect();
    while parts.len() > 1 {
        let last = parts.pop().unwrap();
        parts.last_mut().unwrap().merge(last).unwrap();
    }
    assert_eq!(show(&parts.pop().unwrap().finish().unwrap()), show(&whole));
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let keys = prop::collection::vec(prop::sample::select(vec!["a", "b", "c"]), 0..3);
    let numbers = prop::collection::vec(prop_oneof![-3i64..4, Just(i64::MAX)], 0..3);
    let doubles = prop::collection::vec(-50i32..50, 0..3);
    prop::collection::vec((keys, numbers, doubles), 0..40)
}

proptest! {
    #[test]
    fn groups_are_the_same(rows in rows(), cuts in prop::collection::vec(0usize..40, 0..5)) {
        let (stats, output) = stats();
        agrees(&pipeline(vec![StepKind::Stats(stats.clone())], &output, 40), &rows, &cuts);
        let mut inline = output;
        inline.push((1, Type::Long));
        agrees(&pipeline(vec![StepKind::InlineStats(stats)], &inline, 40), &rows, &cuts);
    }

    #[test]
    fn sorted_and_cut_rows_are_the_same(rows in rows(), cuts in prop::collection::vec(0usize..40, 0..5), limit in 0u64..9) {
        let sum = Expr {
            kind: ExprKind::Call {
                function: Function::Add,
                arguments: vec![column(1, Type::Long), constant(Constant::Long(1), Type::Long)],
                options: vec![],
            },
            ty: Type::Long,
            span: at(),
        };
        let order = |value, descending| Order { value, descending, nulls_first: descending };
        let steps = vec![
            StepKind::Eval(vec![Assign { slot: Slot(3), value: sum }]),
            StepKind::Sort(vec![order(column(2, Type::Double), true), order(column(3, Type::Long), false)]),
            StepKind::MvExpand { from: Slot(0), to: Slot(4) },
            StepKind::Limit(limit),
        ];
        let output = [(4, Type::Keyword), (3, Type::Long), (2, Type::Double)];
        agrees(&pipeline(steps.clone(), &output, 5), &rows, &cuts);
        let direct = vec![steps[0].clone(), steps[1].clone(), steps[3].clone()];
        agrees(&pipeline(direct, &[(0, Type::Keyword), (3, Type::Long)], 5), &rows, &cuts);
        agrees(&pipeline(vec![StepKind::Limit(limit)], &[(0, Type::Keyword)], 5), &rows, &cuts);
    }
}

#[test]
fn groups_have_a_limit() {
    let (stats, output) = stats();
    let limits = Limits { group_bytes: 10_000, ..Limits::default() };
    let pipeline = pipeline(vec![StepKind::Stats(stats)], &output, 40);
    let program = Program::new(&pipeline, &Tables::new(), None, 0, limits).unwrap();
    let rows: Vec<Row> = (0..1000).map(|it| (vec!["a"], vec![it], vec![1])).collect();
    let error = program.run([block(&rows)]).unwrap_err();
    assert_eq!(error, PipelineError::Groups { limit: 10_000 });
    assert_eq!(error.code(), "PIPE006");
}

#[test]
fn what_fails_is_told_once() {
    let (stats, _) = stats();
    let sum = stats.aggregates.iter().position(|it| it.function == Function::Sum).unwrap();
    let only = Stats { keys: Vec::new(), aggregates: vec![stats.aggregates[sum].clone()], after: Vec::new() };
    let slot = stats.aggregates[sum].slot.0;
    let pipeline = pipeline(vec![StepKind::Stats(only)], &[(slot, Type::Long)], 40);
    let program = Program::new(&pipeline, &Tables::new(), None, 0, Limits::default()).unwrap();
    let rows: Vec<Row> = vec![(vec![], vec![i64::MAX], vec![]), (vec![], vec![1], vec![])];
    let table = program.run([block(&rows)]).unwrap();
    assert_eq!(show(&table).lines().next(), Some("Null"));
    assert_eq!(
        table.warnings,
        [
            "Line 1:1: evaluation of [FROM] failed, treating result as null. Only first 20 failures recorded.",
            "Line 1:1: java.lang.ArithmeticException: long overflow"
        ]
    );
}
