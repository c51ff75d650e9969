//! Random expressions over values, for property tests here and of the crates that run them.

#![allow(dead_code, reason = "no test needs all of it")]

use std::sync::LazyLock;

use ecs::Shape;
use ecs::date::Format;
use plan::value::{Case, Datum, Function, JavaRegexp, Like, Operand, Reading, Relation, Type, ValueExpr};
use plan::{Expr, IgnoreAbove, KeywordField, NumberType, Ranges, Resolution, Wildcard};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// A way to read raw values.
pub(crate) fn reading() -> impl Strategy<Value = Reading> {
    let field = KeywordField::default();
    let short = KeywordField { ignore_above: Some(IgnoreAbove::Characters(2)), lowercase: true };
    prop_oneof![
        4 => select(vec![Reading::Keyword(field), Reading::Keyword(short), Reading::Text]),
        4 => Just(Reading::Dynamic(field)),
        2 => select(vec![NumberType::Long, NumberType::Byte, NumberType::Double, NumberType::UnsignedLong])
            .prop_map(Reading::Number),
        1 => select(vec![Reading::Boolean, Reading::Version, Reading::Ip]),
        1 => Just(Reading::Date { format: Format::default(), resolution: Resolution::Millis }),
    ]
}

/// A field, or two that are one.
pub(crate) fn operand(paths: &'static [&'static str]) -> impl Strategy<Value = Operand> {
    let path = || select(paths).prop_map(str::to_owned);
    (prop_oneof![5 => vec(path(), 1), 1 => vec(path(), 2)], reading()).prop_map(|(paths, reading)| Operand {
        paths,
        shape: Shape::Leaf,
        reading,
    })
}

fn datum() -> impl Strategy<Value = Datum<'static>> {
    prop_oneof![
        4 => select(vec!["", "a", "b", "ab", "A b", "1", "2", "x", "Get", "0x2"]).prop_map(Datum::text),
        3 => (-2_i128..4).prop_map(Datum::Int),
        1 => select(vec![0.5, 1.0, -2.0]).prop_map(Datum::double),
        1 => any::<bool>().prop_map(Datum::Bool),
        1 => Just(Datum::Null),
    ]
}

const COMPARISONS: &[Function] =
    &[Function::Equals, Function::Less, Function::LessOrEqual, Function::Greater, Function::GreaterOrEqual];

/// Those that ignore case or not; expressions take a while to compile.
static OF_TEXTS: LazyLock<Vec<Function>> = LazyLock::new(|| {
    let of = |case| {
        let expression = JavaRegexp::new("[ab]+|x.*", case == Case::Ignored).expect("it is good");
        vec![
            Function::OneOf(case),
            Function::StartsWith(case),
            Function::EndsWith(case),
            Function::Contains(case),
            Function::IndexOf(case),
            Function::Between(case),
            Function::Like(Like::new(["a*", "?"].map(|it| Wildcard::parse(it, false)), case)),
            Function::Matches(vec![expression]),
        ]
    };
    [of(Case::Exact), of(Case::Ignored)].concat()
});

fn function() -> impl Strategy<Value = Function> {
    let plain = vec![
        Function::Add,
        Function::Subtract,
        Function::Multiply,
        Function::Divide,
        Function::Modulo,
        Function::Negate,
        Function::Length,
        Function::ToText,
        Function::ToNumber,
        Function::Concat,
        Function::Substring,
        Function::WithinCidr(Ranges::new(0, 1 << 127)),
    ];
    let logic = vec![Function::And, Function::Or, Function::Not, Function::IsNull, Function::IsNotNull];
    prop_oneof![
        3 => select(logic),
        3 => select(COMPARISONS),
        2 => select(&OF_TEXTS[..]),
        2 => select(plain),
    ]
}

/// The call if it is a good one, else one of its arguments.
fn call(function: &Function, mut arguments: Vec<ValueExpr>) -> ValueExpr {
    (1..=arguments.len())
        .rev()
        .find_map(|len| ValueExpr::call(function.clone(), arguments[..len].to_vec()).ok())
        .unwrap_or_else(|| arguments.swap_remove(0))
}

/// Makes a condition of any value.
fn condition(expr: ValueExpr) -> ValueExpr {
    if expr.ty() == Type::Bool { expr } else { call(&Function::IsNotNull, vec![expr]) }
}

/// A condition on up to that many fields. Of what type each is shows when it is read.
fn expr(fields: usize) -> impl Strategy<Value = ValueExpr> {
    let field = || (0..fields).prop_map(|at| ValueExpr::Field(at, Type::Any));
    let constant = || datum().prop_map(ValueExpr::Const);
    // Anything at all is null most of the time,
    let anything = prop_oneof![3 => field(), 1 => constant()].prop_recursive(4, 24, 4, |inner| {
        (function(), vec(inner, 1..5)).prop_map(|(function, arguments)| call(&function, arguments))
    });
    // so half are comparisons, joined.
    let comparison = (select(COMPARISONS), field(), prop_oneof![3 => constant(), 1 => field()])
        .prop_map(|(function, left, right)| call(&function, vec![left, right]));
    let joined = comparison.prop_recursive(3, 12, 3, |inner| {
        let joins = select(vec![Function::And, Function::And, Function::Or, Function::Not, Function::IsNull]);
        (joins, vec(inner, 1..4)).prop_map(|(function, arguments)| call(&function, arguments))
    });
    prop_oneof![anything.prop_map(condition), joined]
}

/// A condition on some fields, with those.
pub(crate) fn question(paths: &'static [&'static str]) -> impl Strategy<Value = (Vec<Operand>, ValueExpr)> {
    const FIELDS: usize = 3;
    (vec(operand(paths), FIELDS), expr(FIELDS))
}

/// A condition on some fields, as it stands or taken apart.
pub(crate) fn leaf(paths: &'static [&'static str]) -> impl Strategy<Value = Expr> {
    (question(paths), prop::bool::weighted(0.3)).prop_map(|((operands, expr), as_it_stands)| {
        if as_it_stands { Expr::Relates(Relation::new(operands, expr)) } else { Expr::some(&operands, expr) }
    })
}
