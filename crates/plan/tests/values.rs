//! Functions over values: cases written by people, and what must hold of all.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

#[path = "support/values.rs"]
mod support;

use ecs::{Object, Scalar};
use plan::value::{
    Answer, CHOICES_MAX, Case, Datum, Function, JavaRegexp, Like, Named, Operand, Operands, Relation,
    ValueExpr,
};
use plan::{Expr, Ranges, Wildcard, explain, naive};
use proptest::prelude::*;
use serde_json::{Value, json};

/// The function of a name in a case; its patterns and expressions stand with it.
fn function(name: &Value) -> Function {
    let (name, with): (&str, &[Value]) = match name {
        Value::Array(list) => (list[0].as_str().unwrap(), &list[1..]),
        name => (name.as_str().unwrap(), &[]),
    };
    let case = if name.ends_with('~') { Case::Ignored } else { Case::Exact };
    let texts = || with.iter().map(|it| it.as_str().unwrap());
    match name.trim_end_matches('~') {
        "and" => Function::And,
        "or" => Function::Or,
        "not" => Function::Not,
        "is null" => Function::IsNull,
        "is not null" => Function::IsNotNull,
        "==" => Function::Equals,
        "<" => Function::Less,
        "<=" => Function::LessOrEqual,
        ">" => Function::Greater,
        ">=" => Function::GreaterOrEqual,
        "in" => Function::OneOf(case),
        "+" => Function::Add,
        "-" => Function::Subtract,
        "*" => Function::Multiply,
        "/" => Function::Divide,
        "%" => Function::Modulo,
        "negate" => Function::Negate,
        "length" => Function::Length,
        "string" => Function::ToText,
        "number" => Function::ToNumber,
        "concat" => Function::Concat,
        "startsWith" => Function::StartsWith(case),
        "endsWith" => Function::EndsWith(case),
        "stringContains" => Function::Contains(case),
        "indexOf" => Function::IndexOf(case),
        "substring" => Function::Substring,
        "between" => Function::Between(case),
        "within" => {
            let key = |it: &str| it.parse::<std::net::Ipv4Addr>().unwrap().to_ipv6_mapped().into();
            let ends: Vec<u128> = texts().map(key).collect();
            Function::WithinCidr(Ranges::new(ends[0], ends[1]))
        }
        "like" => Function::Like(Like::new(texts().map(|it| Wildcard::without_escapes(it, false)), case)),
        "regex" => {
            Function::Matches(texts().map(|it| JavaRegexp::new(it, case == Case::Ignored).unwrap()).collect())
        }
        name => panic!("no function `{name}`"),
    }
}

/// An expression: a constant, `{"field": name}`, or a list of a function and its arguments.
fn expr(written: &Value, catalog: &ecs::Catalog, operands: &mut Operands) -> Result<ValueExpr, String> {
    match written {
        Value::Null => Ok(ValueExpr::Const(Datum::Null)),
        Value::Bool(it) => Ok(ValueExpr::Const(Datum::Bool(*it))),
        Value::String(it) => Ok(ValueExpr::Const(Datum::text(it.clone()))),
        Value::Number(it) => Ok(ValueExpr::Const(match it.as_str().parse() {
            Ok(whole) => Datum::Int(whole),
            Err(_) => Datum::double(it.as_str().parse().unwrap()),
        })),
        Value::Object(field) => match Operand::named(field["field"].as_str().unwrap(), catalog) {
            Named::Operand(operand) => Ok(operands.value(operand)),
            Named::Constant(datum) => Ok(ValueExpr::Const(datum)),
            Named::Nothing => Ok(ValueExpr::Const(Datum::Null)),
        },
        Value::Array(call) => {
            let arguments: Result<_, _> = call[1..].iter().map(|it| expr(it, catalog, operands)).collect();
            let called = ValueExpr::call(function(&call[0]), arguments?);
            called.map_err(|error| format!("{} {error}", error.code()))
        }
    }
}

/// The value as a case has it.
fn json(datum: &Datum<'_>) -> Value {
    match datum {
        Datum::Null => Value::Null,
        Datum::Bool(it) => json!(it),
        Datum::Int(it) => it.to_string().parse().map(Value::Number).unwrap(),
        Datum::Double(it) => json!(it.get()),
        other => json!(other.to_text().unwrap()),
    }
}

#[test]
fn constants() {
    let file: Value = serde_json::from_str(include_str!("values/constants.json")).unwrap();
    let mut failures = Vec::new();
    let cases = file["cases"].as_array().unwrap();
    for case in cases {
        let (call, expected) = (&case[0], &case[1]);
        let answer = match expr(call, &ecs::Catalog::default(), &mut Operands::default()) {
            Ok(ValueExpr::Const(datum)) => json(&datum),
            Ok(other) => panic!("{call} is not computed: {other:?}"),
            Err(error) => json!({ "error": error }),
        };
        if answer != *expected {
            failures.push(format!("{case}\n  answered {answer}"));
        }
    }
    assert!(cases.len() > 150, "only {} cases", cases.len());
    assert!(failures.is_empty(), "{} of {}:\n{}", failures.len(), cases.len(), failures.join("\n"));
}

/// Over fields: the documents that match, what the condition became, and that every way of asking agrees.
#[test]
fn fields() {
    let file: Value = serde_json::from_str(include_str!("values/fields.json")).unwrap();
    let catalog = ecs::Catalog::from_mapping(&file["mapping"]).unwrap();
    let documents = file["documents"].as_object().unwrap();
    let mut failures = Vec::new();
    for case in file["cases"].as_array().unwrap() {
        let mut operands = Operands::default();
        let (shown, matching) = match expr(&case["expr"], &catalog, &mut operands) {
            Err(error) => (error, Value::Null),
            Ok(expr) => {
                let some = Expr::some(operands.as_slice(), expr).simplify();
                let matching = documents.iter().filter(|(_, it)| {
                    let document = it.as_object().unwrap();
                    assert_eq!(explain(&some, document).verdict, naive::matches(&some, document), "{case}");
                    naive::matches(&some, document)
                });
                let matching = matching.map(|(id, _)| id.as_str()).collect::<Vec<_>>().join(" ").into();
                (some.to_string(), matching)
            }
        };
        if case["shown"] != shown.as_str() || case["match"] != matching {
            failures.push(format!("{case}\n  answered {matching}, {shown}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Of a field that is not mapped each value has its own type.
#[test]
fn fields_that_are_not_mapped() {
    let catalog = ecs::Catalog::from_mapping(&json!({"dynamic": "true", "properties": {}})).unwrap();
    for (call, document, expected) in [
        (json!([["within", "10.0.0.0", "10.255.255.255"], {"field": "x"}]), json!({"x": "10.1.2.3"}), true),
        (json!([["within", "10.0.0.0", "10.255.255.255"], {"field": "x"}]), json!({"x": ["here", 7]}), false),
        (json!(["==", {"field": "x"}, {"field": "y"}]), json!({"x": [1, "b"], "y": [2, "b"]}), true),
        (json!(["==", {"field": "x"}, {"field": "y"}]), json!({"x": 1, "y": "1"}), false),
        (json!([">", ["+", {"field": "x"}, 1], 2.5]), json!({"x": ["9", 1.75]}), true),
        (json!(["is null", ["length", {"field": "x"}]]), json!({"x": 5}), true),
        (json!(["is null", ["length", {"field": "x"}]]), json!({"x": "5"}), false),
    ] {
        let mut operands = Operands::default();
        let some = expr(&call, &catalog, &mut operands).unwrap();
        let some = Expr::some(operands.as_slice(), some);
        assert_eq!(naive::matches(&some, document.as_object().unwrap()), expected, "{some} {document}");
    }
}

#[test]
fn an_explanation_shows_the_values_of_each_field() {
    let mut operands = Operands::default();
    let call = json!(["endsWith", {"field": "k"}, {"field": "l"}]);
    let ends = expr(&call, &catalog(), &mut operands).unwrap();
    let long = expr(&json!([">", ["length", {"field": "k"}], 2]), &catalog(), &mut operands).unwrap();
    let both = Expr::And(vec![Expr::some(operands.as_slice(), ends), Expr::some(operands.as_slice(), long)]);
    let shown = |document: Value| explain(&both, document.as_object().unwrap()).to_string();
    assert_eq!(
        shown(json!({"k": ["ab", "cd"], "l": "d"})),
        "\
no  and
yes   endsWith(k, l)   [\"k: ab\", \"k: cd\", \"l: d\"]
no    length(k) > 2   [\"ab\", \"cd\", \"length(k): 2\"]
"
    );
    assert_eq!(
        shown(json!({"k": "abc"})),
        "\
no  and
no    endsWith(k, l)   [\"k: abc\", \"l: no value\"]
yes   length(k) > 2   [\"abc\", \"length(k): 3\"]
"
    );
}

#[test]
fn too_many_choices_are_told() {
    let operand = |path: &str| match Operand::named(path, &catalog()) {
        Named::Operand(operand) => operand,
        other => panic!("{other:?}"),
    };
    let operands = vec![operand("k"), operand("l")];
    let field = |at| ValueExpr::Field(at, plan::value::Type::Text);
    let equals = ValueExpr::call(Function::Equals, vec![field(0), field(1)]).unwrap();
    let relation = Relation::new(operands, equals);
    let many = |prefix: &str, count: usize| -> Vec<Datum<'static>> {
        (0..count).map(|at| Datum::text(format!("{prefix}{at}"))).collect()
    };
    let side = CHOICES_MAX.isqrt();
    assert_eq!(relation.some_choice(&[many("k", side), many("l", side)]), Answer::No);
    assert_eq!(relation.some_choice(&[many("k", side + 2), many("l", side)]), Answer::Cut);
    assert_eq!(relation.some_choice(&[many("k", side + 2), many("k", side)]), Answer::Yes);
}

/// A pattern that would take for ever if it were tried in all ways.
#[test]
fn hostile_patterns_are_linear() {
    let text = "a".repeat(100_000);
    let holds = |function: Function| {
        let call = ValueExpr::call(function, vec![ValueExpr::Const(Datum::text(text.clone()))]);
        assert_eq!(call, Ok(ValueExpr::Const(Datum::Bool(false))));
    };
    for source in ["(a*)*b", "(a|a)*b", "(a|aa)+b", "(.*a){12}b", "([a-z]+)+[0-9]"] {
        holds(Function::Matches(vec![JavaRegexp::new(source, true).unwrap()]));
    }
    let pattern = Wildcard::without_escapes(&format!("{}b", "a*".repeat(30)), false);
    holds(Function::Like(Like::new([pattern], Case::Ignored)));
}

fn catalog() -> ecs::Catalog {
    let types = json!({"k": "keyword", "l": "keyword"});
    ecs::Catalog::from_types(types.as_object().unwrap()).unwrap()
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        6 => prop::sample::select(vec!["", "a", "B", "ab", "A b", "1", "2", "x", "true", "10.0.0.1", "2024"])
            .prop_map(Value::from),
        3 => (-2_i64..4).prop_map(Value::from),
        1 => prop::sample::select(vec![json!(1.5), json!(u64::MAX), json!(true), json!(null)]),
    ]
}

const PATHS: &[&str] = &["x", "y", "z"];

fn document() -> impl Strategy<Value = Object> {
    let values = || prop::collection::vec(scalar(), 0..3).prop_map(Value::Array);
    (values(), values(), values())
        .prop_map(|(x, y, z)| json!({"x": x, "y": y, "z": z}).as_object().unwrap().clone())
}

proptest! {
    /// What is taken apart means what it says as it stands: some choice of values makes it true.
    #[test]
    fn some_choice_is_what_it_says(
        (operands, expr) in support::question(PATHS), documents in prop::collection::vec(document(), 1..6),
    ) {
        // The same field twice is one operand: a choice gives it one value.
        let mut all = Operands::default();
        let expr = renumber(&expr, &operands.iter().map(|it| all.value(it.clone())).collect::<Vec<_>>());
        let plain = Expr::Relates(Relation::new(all.as_slice().to_vec(), expr.clone()));
        let some = Expr::some(all.as_slice(), expr);
        for document in &documents {
            prop_assert_eq!(naive::matches(&some, document), naive::matches(&plain, document), "{}\n{}", some, plain);
        }
    }

    /// A value can be read if and only if it satisfies the question whether there is one.
    #[test]
    fn what_can_be_read_exists(reading in support::reading(), value in scalar()) {
        if let Some(value) = Scalar::of(&value) {
            prop_assert_eq!(reading.read(value).is_some(), reading.exists().compile().matches(value));
        }
    }

    /// Positions are those of UTF-16, and what is cut out of a text and put together again is the text.
    #[test]
    fn parts_make_the_whole(text in "[aß😀É]{0,6}", at in -8_i128..8) {
        let value = |function, rest: Vec<Datum<'static>>| {
            let mut arguments = vec![ValueExpr::Const(Datum::text(text.clone()))];
            arguments.extend(rest.into_iter().map(ValueExpr::Const));
            match ValueExpr::call(function, arguments) {
                Ok(ValueExpr::Const(datum)) => datum,
                other => panic!("{other:?}"),
            }
        };
        let units = text.encode_utf16().count();
        prop_assert_eq!(value(Function::Length, vec![]), Datum::Int(units as i128));
        let head = value(Function::Substring, vec![Datum::Int(0), Datum::Int(at)]);
        let tail = value(Function::Substring, vec![Datum::Int(at)]);
        let both = [head.clone(), tail].map(|it| it.to_text().unwrap().into_owned()).concat();
        prop_assert_eq!(&both, &text);
        if let Datum::Int(found) = value(Function::IndexOf(Case::Ignored), vec![Datum::text("é")]) {
            let before: String = text.chars().take_while(|it| *it != 'É').collect();
            prop_assert_eq!(found, before.encode_utf16().count() as i128);
        } else {
            prop_assert!(!text.contains('É'));
        }
    }
}

/// The expression with other operands.
fn renumber(expr: &ValueExpr, fields: &[ValueExpr]) -> ValueExpr {
    match expr {
        ValueExpr::Const(_) => expr.clone(),
        ValueExpr::Field(at, _) => fields[*at].clone(),
        ValueExpr::Call(function, arguments) => {
            ValueExpr::Call(function.clone(), arguments.iter().map(|it| renumber(it, fields)).collect())
        }
    }
}
