//! What a program must not do: look at filters that no row can satisfy, ask twice, ask where nobody needs it.

use block::{Block, BlockBuilder, Origin, RowInfo, Schema};
use ecs::{Scalar, Shape};
use exec::{Program, Row, Scratch, Stats};
use plan::value::{Case, Function, Operand, Operands, Reading, ValueExpr};
use plan::{Expr, Glob, KeywordField, Predicate, StringTest, Test, Wildcard};

const ACTION: &str = "event.action";
const REQUEST: &str = "aws.cloudtrail.request_parameters";

fn is(path: &str, test: Test) -> Expr {
    Expr::Is(Predicate { path: path.to_owned(), shape: Shape::Leaf, test })
}

fn action(name: &str) -> Expr {
    is(ACTION, Test::term(name))
}

fn contains(path: &str, text: &str) -> Expr {
    let pattern = Wildcard::new([Glob::Any, Glob::Text(text.to_owned()), Glob::Any], false);
    is(path, Test::Keyword { field: KeywordField::default(), test: StringTest::Wildcard(pattern) })
}

/// Events with these actions and request parameters.
fn block(schema: &Schema, events: &[(&str, &str)]) -> Block {
    let mut builder = BlockBuilder::new(schema.clone().into());
    for (action, request) in events {
        for (path, text) in [(ACTION, action), (REQUEST, request)] {
            if let Some(slot) = schema.get(path, Shape::Leaf) {
                builder.push(slot, Scalar::Str(text));
            }
        }
        builder.end_row(RowInfo { id: "it", index: 0, timestamp: 0, origin: Origin::default() });
    }
    builder.finish()
}

fn evaluate(program: &Program, block: &Block) -> (Vec<(usize, Vec<Row>)>, Stats) {
    let (mut found, mut scratch) = (Vec::new(), Scratch::default());
    program.evaluate(block, &["logs".to_owned()], &mut scratch, |at, rows| found.push((at, rows.to_vec())));
    (found, scratch.take_stats())
}

#[test]
fn only_filters_that_a_value_leads_to_are_visited() {
    let mut filters: Vec<Expr> = (0..2_000)
        .map(|at| Expr::And(vec![action(&format!("Absent{at}")), contains(REQUEST, "admin")]))
        .collect();
    // These have no terms; the automaton leads to them.
    filters.extend((0..100).map(|at| contains(REQUEST, &format!("absent-{at}"))));
    filters.push(Expr::And(vec![action("StopLogging"), contains(REQUEST, "trail")]));
    let program = Program::compile(&filters);
    let events = [("GetObject", "bucket"), ("StopLogging", "trail/main"), ("StopLogging", "nothing")];
    let (found, stats) = evaluate(&program, &block(program.schema(), &events));
    assert_eq!(found, [(2_100, vec![1])]);
    assert_eq!((stats.filters_visited, stats.filters_started, stats.rows_started), (1, 1, 2));
}

#[test]
fn a_filter_starts_from_its_rarest_gate() {
    let filter = Expr::And(vec![is(REQUEST, Test::term("rare")), action("GetObject")]);
    let program = Program::compile(&[filter, action("PutObject"), action("ListBuckets")]);
    let mut events = vec![("GetObject", "common"); 100];
    events.push(("GetObject", "rare"));
    let (found, stats) = evaluate(&program, &block(program.schema(), &events));
    assert_eq!(found, [(0, vec![100])]);
    assert_eq!(stats.rows_started, 1);
}

#[test]
fn questions_are_asked_once_a_value_and_only_of_rows_that_are_left() {
    let program = Program::compile(&[
        Expr::And(vec![action("GetObject"), contains(REQUEST, "secret")]),
        Expr::And(vec![action("GetObject"), contains(REQUEST, "secret"), Expr::Not(Box::new(action("x")))]),
    ]);
    let mut events = vec![("GetObject", "one"), ("GetObject", "secret two")];
    events.extend([
        ("PutObject", "other"),
        ("GetObject", "one"),
        ("PutObject", "secret"),
        ("GetObject", "secret two"),
    ]);
    let (found, stats) = evaluate(&program, &block(program.schema(), &events));
    assert_eq!(found, [(0, vec![1, 5]), (1, vec![1, 5])]);
    assert_eq!(stats.values_asked, 2);
}

#[test]
fn late_columns_are_needed_only_where_the_rest_of_a_filter_holds() {
    let filters = [
        Expr::And(vec![action("GetObject"), contains(REQUEST, "secret")]),
        action("PutObject"),
        Expr::And(vec![action("Absent"), contains(REQUEST, "a")]),
    ];
    let mut program = Program::compile_with_late(&filters, |path, _| path == REQUEST);
    let events = [("PutObject", ""), ("GetObject", ""), ("ListBuckets", "")];
    let mut scratch = Scratch::default();
    let block = block(program.schema(), &events);
    assert_eq!(program.candidates(&block, &["logs".to_owned()], &mut scratch), [1]);
    program.want_late(1);
    assert_eq!(
        program.candidates(&block, &["logs".to_owned()], &mut scratch),
        [0, 1],
        "asked for by the caller"
    );
}

#[test]
fn where_many_patterns_are_asked_for_the_values_are_searched_once() {
    let mut filters: Vec<Expr> = (0..400)
        .map(|at| Expr::And(vec![action("GetObject"), contains(REQUEST, &format!("absent-{at}"))]))
        .collect();
    filters.push(Expr::And(vec![action("GetObject"), contains(REQUEST, "bucket-7")]));
    let program = Program::compile(&filters);
    let requests: Vec<String> = (0..100).map(|at| format!("bucket-{at}")).collect();
    let events: Vec<(&str, &str)> = requests.iter().map(|it| ("GetObject", it.as_str())).collect();
    let (found, stats) = evaluate(&program, &block(program.schema(), &events));
    assert_eq!(found, [(400, [vec![7], (70..80).collect()].concat())]);
    assert_eq!(stats.values_searched, 100);
    // The literals of all others occur nowhere.
    assert_eq!(stats.rows_asked, 16 * 100);
}

/// That the request contains the name of the action.
fn names_its_action() -> Expr {
    let mut operands = Operands::default();
    let mut field = |path: &str| {
        let reading = Reading::Keyword(KeywordField::default());
        operands.value(Operand { paths: vec![path.to_owned()], shape: Shape::Leaf, reading })
    };
    let arguments = vec![field(REQUEST), field(ACTION)];
    let contains = ValueExpr::call(Function::Contains(Case::Exact), arguments).expect("both are texts");
    Expr::some(operands.as_slice(), contains)
}

#[test]
fn several_fields_at_once_are_asked_about_last_and_once_a_row() {
    let few = Expr::And(vec![names_its_action(), action("GetObject"), contains(REQUEST, "secret")]);
    let fewer = Expr::And(vec![Expr::Not(Box::new(names_its_action())), few.clone()]);
    let program = Program::compile(&[few.clone(), fewer, Expr::Or(vec![few, action("PutObject")])]);
    let events = [
        ("GetObject", "secret GetObject"),
        ("GetObject", "secret"),
        ("GetObject", "GetObject"),
        ("PutObject", "secret PutObject"),
        ("ListBuckets", "ListBuckets"),
    ];
    let (found, stats) = evaluate(&program, &block(program.schema(), &events));
    assert_eq!(found, [(0, vec![0]), (2, vec![0, 3])]);
    assert_eq!((stats.rows_related, stats.choices_cut), (2, 0), "the first two, for all filters");
}

#[test]
fn a_question_about_several_fields_waits_for_late_columns() {
    let filter = Expr::And(vec![names_its_action(), action("GetObject")]);
    let program = Program::compile_with_late(&[filter], |path, _| path == REQUEST);
    let mut scratch = Scratch::default();
    let slot = |path| program.schema().get(path, Shape::Leaf).expect("the program asks for it");
    let mut builder = BlockBuilder::new(program.schema().clone().into());
    for name in ["GetObject", "PutObject"] {
        builder.push(slot(ACTION), Scalar::Str(name));
        builder.end_row(RowInfo { id: "it", index: 0, timestamp: 0, origin: Origin::default() });
    }
    let mut block = builder.finish();
    let names = ["logs".to_owned()];
    assert_eq!(program.candidates(&block, &names, &mut scratch), [0]);
    block.push_late(0, slot(REQUEST), Scalar::Str("to GetObject"));
    let mut found = Vec::new();
    program.finish(&block, &names, &mut scratch, |at, rows| found.push((at, rows.to_vec())));
    assert_eq!(found, [(0, vec![0])]);
    assert_eq!(scratch.take_stats().rows_related, 1);
}
