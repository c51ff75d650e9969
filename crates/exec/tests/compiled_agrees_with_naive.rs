//! The program finds what its naive twin finds: on random blocks, filters, splits into blocks and late columns.

#[path = "../../plan/tests/support/values.rs"]
mod support;

use block::{Block, BlockBuilder, Origin, RowInfo, Schema};
use ecs::{FieldType, Scalar, Shape};
use exec::naive::NaiveFilter;
use exec::{Program, Row, Scratch};
use plan::{
    Expr, Glob, IgnoreAbove, KeywordField, NumberType, Predicate, Ranges, Regexp, StringTest, Test,
    TextBound, TextRange, TextTest, Wildcard,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

/// Columns, and what every event has beside them.
const PATHS: [(&str, Shape); 7] = [
    ("a", Shape::Leaf),
    ("b", Shape::Leaf),
    ("c", Shape::Leaf),
    ("d", Shape::Leaf),
    ("d", Shape::FlattenedRoot),
    ("_id", Shape::Leaf),
    ("_index", Shape::Leaf),
];
const COLUMNS: usize = 5;

const TEXTS: [&str; 17] = [
    "",
    "x",
    "y",
    "1",
    "true",
    "GetObject",
    "getobject",
    "GetPasswordData",
    "Get",
    "terraform/1.2",
    "aws-cli",
    "id-3",
    "logs-b",
    "Größe",
    "\u{212a}ey",
    "key\0GetObject",
    "tags.a\0terraform/1.2",
];

/// Addresses, of which some are the same, and what is nearly one.
const ADDRESSES: [&str; 9] = [
    "198.51.100.7",
    "::ffff:198.51.100.7",
    "::ffff:c633:6407",
    "198.51.100.8",
    "2001:db8::1",
    "2001:DB8:0::1",
    "fe80::1%eth0",
    "fe80::1",
    "198.51.100.7 ",
];

/// Each of these few rows have.
const RARE: [&str; 40] = {
    let digits = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGH";
    let mut texts = [""; 40];
    let mut at = 0;
    while at < texts.len() {
        texts[at] = digits.split_at(at).1.split_at(3).0;
        at += 1;
    }
    texts
};

const VALUES: [Scalar<'static>; 8] = [
    Scalar::Int(1),
    Scalar::Int(-7),
    Scalar::UInt(u64::MAX),
    Scalar::Float(1.5),
    Scalar::Float(-0.0),
    Scalar::NumberText("1.10"),
    Scalar::Bool(true),
    Scalar::Bool(false),
];

/// One event: its index and the values of each column.
type Event = (u32, [Vec<Scalar<'static>>; COLUMNS]);

fn value() -> impl Strategy<Value = Scalar<'static>> {
    let text = prop_oneof![4 => select(&TEXTS[..]), 1 => select(&RARE[..]), 1 => select(&ADDRESSES[..])];
    prop_oneof![8 => text.prop_map(Scalar::Str), 1 => select(&VALUES[..])]
}

fn event() -> impl Strategy<Value = Event> {
    // Most columns have one value, as in life; `c` often has several, `d` often none.
    let one = || vec(value(), 1..=1);
    let twice = || value().prop_map(|value| vec![value, value]);
    let some = || prop_oneof![4 => vec(value(), 1..=1), 1 => vec(value(), 0..4), 1 => twice()];
    (0..2_u32, (one(), some(), vec(value(), 0..4), vec(value(), 0..2), some()))
        .prop_map(|(index, (a, b, c, d, e))| (index, [a, b, c, d, e]))
}

/// Texts to ask for: some occur, some do not.
fn asked() -> impl Strategy<Value = String> {
    prop_oneof![8 => select(&TEXTS[..]), 2 => select(&RARE[..]), 1 => Just("absent")].prop_map(str::to_owned)
}

/// `*` and `?` around pieces of the texts that occur.
fn wildcard() -> impl Strategy<Value = Wildcard> {
    let piece = select(&["Get", "get", "et", "o", "aws", "-", "rm/1.", "ABJ", "ß", "1", "no"][..]);
    let part = prop_oneof![
        3 => piece.prop_map(|text| Glob::Text(text.to_owned())),
        2 => Just(Glob::Any),
        1 => Just(Glob::One),
    ];
    (vec(part, 0..4), any::<bool>()).prop_map(|(parts, fold)| {
        Wildcard::new(std::iter::once(Glob::Any).chain(parts).chain([Glob::Any]), fold)
    })
}

fn string_test() -> impl Strategy<Value = StringTest> {
    let bound =
        || option::of((asked(), any::<bool>()).prop_map(|(text, inclusive)| TextBound { text, inclusive }));
    let expression = select(&["Get.*", ".*[oO]b.*", "(aws|terraform).*", "", "1?"][..]);
    prop_oneof![
        1 => Just(StringTest::Any),
        2 => vec(asked(), 1..3).prop_map(|mut texts| {
            texts.sort_unstable();
            texts.dedup();
            StringTest::Equals(texts)
        }),
        2 => asked().prop_map(StringTest::Prefix),
        6 => wildcard().prop_map(StringTest::Wildcard),
        1 => (expression, any::<bool>())
            .prop_map(|(source, fold)| StringTest::Regexp(Regexp::new(source, None, fold).expect("all are good"))),
        1 => (bound(), bound()).prop_map(|(lower, upper)| StringTest::Range(TextRange { lower, upper })),
    ]
}

fn keyword_test() -> impl Strategy<Value = Test> {
    let field = (option::weighted(0.2, 0..12_u32), any::<bool>()).prop_map(|(limit, lowercase)| {
        KeywordField { ignore_above: limit.map(IgnoreAbove::Characters), lowercase }
    });
    let field = prop_oneof![2 => Just(KeywordField::default()), 1 => field];
    (field, string_test()).prop_map(|(field, test)| Test::Keyword { field, test })
}

/// Single addresses, blocks of them, or both.
fn address_test() -> impl Strategy<Value = Test> {
    let address = || select(&ADDRESSES[..]).prop_filter_map("is none", plan::parse_address);
    let one = || address().prop_map(|it| Ranges::new(it, it));
    let range = || prop_oneof![6 => one(), 1 => (address(), 0..300_u128).prop_map(|(first, more)| Ranges::new(first, first + more))];
    vec(range(), 1..3).prop_map(|them| Test::Ip(them.iter().fold(Ranges::default(), |all, it| all.union(it))))
}

/// Boxed, as what is made of it holds it many times over.
fn test() -> BoxedStrategy<Test> {
    let terms = || vec(asked(), 1..4).prop_map(Test::terms);
    let ty = NumberType::of(FieldType::Long, None).expect("long is a number");
    let number = (-8..3_i128).prop_map(move |first| Test::Number { ty, ranges: Ranges::new(first, 5) });
    let boolean = || any::<(bool, bool)>().prop_map(|(truth, falsity)| Test::Boolean { truth, falsity });
    let dynamic = (option::of(keyword_test()), option::of(number.clone()), option::of(boolean())).prop_map(
        |(string, integer, boolean)| Test::Dynamic {
            string: string.map(Box::new),
            integer: integer.map(Box::new),
            float: None,
            boolean: boolean.map(Box::new),
        },
    );
    prop_oneof![
        8 => terms(),
        6 => keyword_test(),
        1 => keyword_test().prop_map(|test| match test {
            Test::Keyword { field, test } => Test::FlattenedRoot { field, test },
            other => other,
        }),
        1 => string_test().prop_map(Test::Version),
        1 => string_test().prop_map(|test| Test::Text(TextTest::Token(test))),
        1 => number,
        1 => boolean(),
        2 => address_test(),
        1 => dynamic,
    ]
    .boxed()
}

fn leaf() -> impl Strategy<Value = Expr> {
    (select(&PATHS[..]), test())
        .prop_map(|((path, shape), test)| Expr::Is(Predicate { path: path.to_owned(), shape, test }))
}

fn expr() -> impl Strategy<Value = Expr> {
    let computed = support::leaf(&["a", "b", "c", "d", "_id", "_index"]);
    let atom = prop_oneof![30 => leaf(), 6 => computed, 1 => any::<bool>().prop_map(Expr::Const)];
    atom.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            3 => vec(inner.clone(), 0..6).prop_map(Expr::And),
            2 => vec(inner.clone(), 0..6).prop_map(Expr::Or),
            1 => inner.prop_map(|it| Expr::Not(Box::new(it))),
        ]
    })
}

/// As rules are written: some terms, of which any may do, and some things that must not be.
fn rule() -> impl Strategy<Value = Expr> {
    (vec(vec(leaf(), 1..4).prop_map(Expr::Or), 1..4), vec(vec(leaf(), 1..3).prop_map(Expr::Or), 0..2))
        .prop_map(|(mut all, not)| {
            all.extend(not.into_iter().map(|it| Expr::Not(Box::new(it))));
            Expr::And(all)
        })
}

/// As an investigation asks: from one address or a few, and something else.
fn from_addresses() -> impl Strategy<Value = Expr> {
    let from = (select(&PATHS[..4]), address_test())
        .prop_map(|((path, shape), test)| Expr::Is(Predicate { path: path.to_owned(), shape, test }));
    (from, option::of(leaf())).prop_map(|(from, more)| Expr::And(std::iter::once(from).chain(more).collect()))
}

fn filters() -> impl Strategy<Value = Vec<Expr>> {
    prop_oneof![
        9 => vec(prop_oneof![expr(), rule()], 0..12),
        1 => vec(rule(), 100..300),
        2 => vec(prop_oneof![4 => from_addresses(), 1 => rule()], 10..60),
    ]
}

fn indices() -> Vec<String> {
    vec!["logs-a".to_owned(), "logs-b".to_owned()]
}

/// A block of these events; the columns for which `skip` holds stay empty.
fn block(schema: &Schema, events: &[Event], skip: impl Fn(usize) -> bool) -> Block {
    let mut builder = BlockBuilder::new(schema.clone().into());
    for (row, (index, values)) in events.iter().enumerate() {
        for (at, (path, shape)) in PATHS[..COLUMNS].iter().enumerate() {
            if let Some(slot) = schema.get(path, *shape).filter(|_| !skip(at)) {
                values[at].iter().for_each(|&value| builder.push(slot, value));
            }
        }
        let id = format!("id-{}", row % 5);
        builder.end_row(RowInfo { id: &id, index: *index, timestamp: 0, origin: Origin::default() });
    }
    builder.finish()
}

fn naive(filters: &[Expr], block: &Block) -> Vec<(usize, Vec<Row>)> {
    let rows = filters.iter().map(|filter| NaiveFilter::new(filter).rows(block, &indices()));
    rows.enumerate().filter(|(_, rows)| !rows.is_empty()).collect()
}

proptest! {
    #[test]
    fn on_one_block(filters in filters(), events in vec(event(), 0..200)) {
        let program = Program::compile(&filters);
        let block = block(program.schema(), &events, |_| false);
        let mut found = Vec::new();
        program.evaluate(&block, &indices(), &mut Scratch::default(), |at, rows| found.push((at, rows.to_vec())));
        prop_assert_eq!(found, naive(&filters, &block));
    }

    /// One scratch for all, even for blocks of other programs, must not carry anything over.
    #[test]
    fn on_block_after_block(
        programs in vec((filters(), vec(vec(event(), 0..40), 0..4)), 1..3),
    ) {
        let mut scratch = Scratch::default();
        for (filters, blocks) in &programs {
            let program = Program::compile(filters);
            let mut schema = program.schema().clone();
            schema.add("a column of some tail", Shape::Leaf);
            for events in blocks {
                let block = block(&schema, events, |_| false);
                let mut found = Vec::new();
                program.evaluate(&block, &indices(), &mut scratch, |at, rows| found.push((at, rows.to_vec())));
                prop_assert_eq!(found, naive(filters, &block));
            }
        }
    }

    #[test]
    fn with_late_columns(
        filters in filters(),
        blocks in vec(vec(event(), 0..60), 1..3),
        late in any::<[bool; COLUMNS]>(),
    ) {
        let is_late = |path: &str, shape| {
            PATHS[..COLUMNS].iter().zip(late).any(|(it, late)| late && *it == (path, shape))
        };
        let program = Program::compile_with_late(&filters, is_late);
        let mut scratch = Scratch::default();
        for events in &blocks {
            let mut early = block(program.schema(), events, |at| late[at]);
            let wanted = program.candidates(&early, &indices(), &mut scratch).to_vec();
            for &row in &wanted {
                for (at, (path, shape)) in PATHS[..COLUMNS].iter().enumerate() {
                    if let Some(slot) = program.schema().get(path, *shape).filter(|_| late[at]) {
                        events[row as usize].1[at].iter().for_each(|&it| early.push_late(row as usize, slot, it));
                    }
                }
            }
            let mut found = Vec::new();
            program.finish(&early, &indices(), &mut scratch, |at, rows| found.push((at, rows.to_vec())));
            prop_assert_eq!(found, naive(&filters, &block(program.schema(), events, |_| false)));
        }
    }
}
