//! What parses, what does not, and what is printed of it.

mod common;

use common::{peer_cases, public_rules};
use esql::ast::{ArithmeticOp, CompareOp, Expr, ExprKind, LikeKind, Literal, Name, Text, Unit};
use proptest::prelude::*;
use span::Span;

/// What a text prints to, and whether that is the same query.
fn round_trip(text: &str) -> Result<(), String> {
    let ast = esql::parse(text).map_err(|errors| format!("{errors}"))?;
    let printed = ast.to_string();
    match esql::parse(&printed) {
        Ok(again) if again == ast => Ok(()),
        Ok(_) => Err(format!("another query: {printed}")),
        Err(errors) => Err(format!("{errors}: {printed}")),
    }
}

#[test]
fn every_peer_case_parses_and_prints() {
    let mut wrong = Vec::new();
    for case in peer_cases() {
        let query = case["query"].as_str().expect("it is a text");
        if let Err(error) = round_trip(query) {
            wrong.push(format!("{}: {error}", case["name"]));
        }
    }
    assert!(wrong.is_empty(), "{}\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_public_rule_parses_but_for_what_asks_a_model() {
    let mut wrong = Vec::new();
    for (path, query) in public_rules() {
        match esql::parse(&query) {
            Ok(_) => wrong.extend(round_trip(&query).err().map(|it| format!("{path}: {it}"))),
            Err(errors) => {
                let only_models =
                    errors.iter().all(|it| it.to_string() == "the command COMPLETION is not supported");
                if !only_models || !query.contains("COMPLETION") {
                    wrong.push(format!("{path}: {errors}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}\n{}", wrong.len(), wrong.join("\n"));
}

fn tree_of(condition: &str) -> String {
    let ast = esql::parse(&format!("ROW x = 1 | WHERE {condition}")).expect(condition);
    let printed = ast.commands[1].to_string();
    printed.strip_prefix("WHERE ").expect("it is one").to_owned()
}

#[test]
fn operators_bind_as_documented() {
    for (written, meant) in [
        ("NOT a IN (1,2) AND b", "NOT a IN (1, 2) AND b"),
        ("(NOT (a IN (1,2))) AND b", "NOT a IN (1, 2) AND b"),
        ("NOT (a AND b)", "NOT (a AND b)"),
        ("a OR b AND c", "a OR b AND c"),
        ("(a OR b) AND c", "(a OR b) AND c"),
        ("a + b * 2 == c - (1 - 2)", "a + b * 2 == c - (1 - 2)"),
        ("(a + b) * -2 == -c", "(a + b) * -2 == -c"),
        ("-1::long == 1", "-1::long == 1"),
        ("a::string::long > - - 2", "a::string::long > 2"),
        ("(3 days)::date_period == x", "3 days::date_period == x"),
        ("3 DAYS::date_period == 1h", "3 days::date_period == 1 hours"),
        ("a NOT LIKE \"x*\" is null", ""),
        ("a == 1 IS NOT NULL", "a == 1 IS NOT NULL"),
        (
            "a rlike (\"x\") or b not rlike (\"x\", \"\"\"y\\d\"\"\")",
            "a RLIKE \"x\" OR b NOT RLIKE (\"x\", \"y\\\\d\")",
        ),
        ("true IN (starts_with(a, \"x\"), b)", "true IN (starts_with(a, \"x\"), b)"),
        ("source.`as`.`x-y`.in == `a.b`", "`source.as.x-y.in` == a.b"),
        ("a . b == Esql.@timestamp.min", "a.b == Esql.@timestamp.min"),
        ("`by` == `a``b`", "`by` == `a``b`"),
        ("a : \"x\" and b::ip : -5", "a : \"x\" AND b::ip : -5"),
        (
            "f([1, 2.5, -3], [true], [\"a\"], {\"k\": 1, \"l\": \"x\"})",
            "f([1, 2.5, -3], [true], [\"a\"], {\"k\": 1, \"l\": \"x\"})",
        ),
        ("first(a by b) == 4E5 and x == .5 or y == 5.", "first(a, b) == 400000.0 AND x == 0.5 OR y == 5.0"),
        ("a == /* c */ 1 // d", "a == 1"),
    ] {
        if meant.is_empty() {
            assert!(esql::parse(&format!("ROW x = 1 | WHERE {written}")).is_err(), "{written}");
        } else {
            assert_eq!(tree_of(written), meant, "{written}");
        }
    }
}

#[test]
fn commands_print_as_they_are_written() {
    for text in [
        "FROM \"logs-*\", \"-logs-x\", \".alerts-security.*\", \"<logs-{now/d}>\", \"a:b-*\" METADATA _id, _index",
        "ROW a = 1, b = [1, 2], c",
        "ROW a = 1\n| EVAL couNt ( 1 ), b = a + 1",
        "ROW a = 1\n| STATS couNt( * ), c = MAX(a) WHERE a > 1, MIN(a) where a == 2 BY a, d = a % 2",
        "ROW a = 1\n| INLINE STATS c = COUNT(*)",
        "ROW a = 1\n| STATS BY a",
        "ROW a = 1\n| SORT a DESC NULLS FIRST, b NULLS LAST, -c",
        "ROW a = 1\n| LIMIT 10",
        "ROW a = 1\n| KEEP a*, *, *.ip, `a*b`, x.*.y*z, `d-e`.f*, first",
        "ROW a = 1\n| DROP a*b*, `c d`",
        "ROW a = 1\n| RENAME a AS b, `c-d` AS e.f",
        "ROW a = 1\n| MV_EXPAND a.b",
        "ROW a = 1\n| DISSECT CONCAT(a, b) \"%{c} \\\"%{d}\" APPEND_SEPARATOR = \",\"",
        "ROW a = 1\n| GROK a::string \"%{WORD:b}\", \"%{INT:c:int}\"",
        "ROW a = 1\n| LOOKUP JOIN \"known-hosts\" ON host.id, b",
        "ROW a = 1\n| ENRICH \"_any:policy\" ON a WITH b = c, d",
        "SET unmapped_fields = \"nullify\";\nROW a = 1",
    ] {
        let ast = esql::parse(text).unwrap_or_else(|errors| panic!("{text}: {errors}"));
        let printed = ast.to_string();
        assert_eq!(printed, text);
        assert_eq!(round_trip(text), Ok(()), "{text}");
    }
    // Patterns of indices need no quotes.
    let bare = "FROM logs-aws.cloudtrail-*,-*x,.alerts-security.*,<logs-{now/d}>, a:b-* [METADATA _id]";
    let quoted = "FROM \"logs-aws.cloudtrail-*\", \"-*x\", \".alerts-security.*\", \"<logs-{now/d}>\", \"a:b-*\" METADATA _id";
    assert_eq!(esql::parse(bare).expect(bare).to_string(), quoted);
}

/// Any order of the pieces that mean something.
fn tokens() -> impl Strategy<Value = String> {
    let token = prop::sample::select(vec![
        "FROM ",
        "logs-*",
        " METADATA ",
        "_id",
        "ROW ",
        "WHERE ",
        "EVAL ",
        "STATS ",
        "INLINE STATS ",
        " BY ",
        "SORT ",
        "LIMIT ",
        "KEEP ",
        "DROP ",
        "RENAME ",
        " AS ",
        "MV_EXPAND ",
        "DISSECT ",
        "GROK ",
        "LOOKUP JOIN ",
        " ON ",
        "ENRICH ",
        " WITH ",
        "SET ",
        ";",
        "|",
        "| ",
        "a",
        "b.c",
        "`d``e`",
        "@t",
        "*",
        ".",
        ",",
        "=",
        "==",
        "!=",
        "<",
        ">=",
        "+",
        "-",
        "/",
        "%",
        "::",
        ":",
        "long",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "\"x*\"",
        "\"\"\"r\\d\"\"\"",
        "\"",
        "'",
        "`",
        "1",
        "2.5",
        "1e3",
        "5 minutes",
        "3d",
        " AND ",
        " OR ",
        "NOT ",
        " IN ",
        " LIKE ",
        " RLIKE ",
        " IS NULL",
        " IS NOT NULL",
        "null",
        "true",
        "COUNT(",
        "f(",
        "DESC",
        " NULLS FIRST",
        "?",
        "&&",
        "!",
        "//",
        "/*",
        "*/",
        "\n",
        "é",
        "COMPLETION ",
        "KQL(\"a:b\")",
        "_",
        "\\",
    ]);
    prop::collection::vec(token, 0..24).prop_map(|tokens| tokens.concat())
}

fn expr(kind: ExprKind) -> Expr {
    Expr { kind, span: Span::at(0) }
}

fn name(text: &str) -> Name {
    Name { text: text.to_owned(), span: Span::at(0) }
}

fn text(text: &str) -> Text {
    Text { text: text.into(), span: Span::at(0) }
}

fn scalar() -> impl Strategy<Value = Literal> {
    prop_oneof![
        Just(Literal::Null),
        any::<bool>().prop_map(Literal::Boolean),
        any::<i64>().prop_map(|it| Literal::Integer(it.into())),
        any::<u64>().prop_map(|it| Literal::Integer(it.into())),
        prop::num::f64::NORMAL.prop_map(Literal::Decimal),
        "[a*?\"\\\\\\n\\t\\u{1}é`]{0,4}".prop_map(|it| Literal::Text(it.into())),
        (any::<i32>(), prop::sample::select(vec![Unit::Year, Unit::Minute, Unit::Millisecond]))
            .prop_map(|(count, unit)| Literal::Span { count: count.into(), unit }),
    ]
}

fn literal() -> impl Strategy<Value = Literal> {
    let numbers = prop::collection::vec(any::<i64>().prop_map(|it| Literal::Integer(it.into())), 1..3);
    let truths = prop::collection::vec(any::<bool>().prop_map(Literal::Boolean), 1..3);
    prop_oneof![4 => scalar(), 1 => numbers.prop_map(Literal::List), 1 => truths.prop_map(Literal::List)]
}

/// Trees as the parser makes them.
fn tree() -> impl Strategy<Value = Expr> {
    let column = prop::sample::select(vec![
        "a",
        "b.c",
        "by",
        "x.as",
        "d-e",
        "a`b",
        "@timestamp",
        "first",
        "a..b",
        "null",
    ]);
    let column = column.prop_map(|it| expr(ExprKind::Column(name(it))));
    let leaf = prop_oneof![column.clone(), literal().prop_map(|it| expr(ExprKind::Literal(it)))];
    leaf.prop_recursive(4, 24, 3, move |inner| {
        let boxed = inner.clone().prop_map(Box::new);
        let compare = prop::sample::select(vec![
            CompareOp::Equal,
            CompareOp::NotEqual,
            CompareOp::Less,
            CompareOp::GreaterOrEqual,
        ]);
        let arithmetic = prop::sample::select(vec![
            ArithmeticOp::Add,
            ArithmeticOp::Subtract,
            ArithmeticOp::Multiply,
            ArithmeticOp::Divide,
            ArithmeticOp::Modulo,
        ]);
        let list = |range: std::ops::Range<usize>| prop::collection::vec(inner.clone(), range);
        let patterns = prop::collection::vec("[a*?.\"\\\\]{0,3}".prop_map(|it| text(&it)), 1..3);
        let like = prop::sample::select(vec![LikeKind::Like, LikeKind::RLike]);
        let is_signed = |it: &Expr| {
            matches!(
                it.kind,
                ExprKind::Literal(Literal::Integer(_) | Literal::Decimal(_) | Literal::Span { .. })
            )
        };
        prop_oneof![
            list(2..4).prop_map(|it| expr(ExprKind::Or(it))),
            list(2..4).prop_map(|it| expr(ExprKind::And(it))),
            boxed.clone().prop_map(|it| expr(ExprKind::Not(it))),
            (boxed.clone(), compare, boxed.clone()).prop_map(|(left, op, right)| expr(ExprKind::Compare {
                left,
                op,
                right
            })),
            (boxed.clone(), any::<bool>(), list(1..3))
                .prop_map(|(value, negated, list)| expr(ExprKind::In { value, negated, list })),
            (boxed.clone(), any::<bool>(), like, patterns).prop_map(|(value, negated, kind, patterns)| expr(
                ExprKind::Like { value, negated, kind, patterns }
            )),
            (boxed.clone(), any::<bool>())
                .prop_map(|(value, negated)| expr(ExprKind::IsNull { value, negated })),
            (column.clone().prop_map(Box::new), scalar()).prop_map(|(field, query)| {
                let query = Box::new(expr(ExprKind::Literal(query)));
                expr(ExprKind::Match { field, query })
            }),
            (boxed.clone(), arithmetic, boxed.clone())
                .prop_map(|(left, op, right)| expr(ExprKind::Arithmetic { left, op, right })),
            // A sign before a number is part of it.
            boxed
                .clone()
                .prop_filter("no number", move |it| !is_signed(it))
                .prop_map(|it| expr(ExprKind::Negate(it))),
            (boxed, prop::sample::select(vec!["long", "date_period"]))
                .prop_map(|(value, to)| expr(ExprKind::Cast { value, to: name(to) })),
            (prop::sample::select(vec!["length", "FIRST", "xyz"]), list(0..3), prop::option::of(scalar()))
                .prop_map(|(function, arguments, option)| {
                    let options = option.into_iter().map(|it| (text("k\"x"), it)).collect();
                    expr(ExprKind::Call { function: name(function), arguments, options })
                }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(600) })]

    #[test]
    fn what_is_printed_parses_to_the_same_tree(tree in tree()) {
        let printed = format!("ROW x = 1 | WHERE {tree}");
        match esql::parse(&printed) {
            Ok(ast) => prop_assert_eq!(ast.commands[1].kind.expressions(), vec![&tree], "printed as {:?}", printed),
            Err(errors) => prop_assert!(false, "{}: {:?}", errors, printed),
        }
    }

    #[test]
    fn texts_print_and_parse_and_nothing_panics(text in prop_oneof![tokens(), any::<String>()]) {
        match esql::parse(&text) {
            Ok(ast) => {
                let printed = ast.to_string();
                let again = esql::parse(&printed);
                prop_assert_eq!(Ok(&ast), again.as_ref(), "printed as {:?}", printed);
            }
            Err(errors) => {
                for found in errors.to_diagnostics(&text) {
                    let spans = found.labels.iter().map(|it| it.span).chain(found.edits.iter().map(|it| it.span));
                    for span in spans {
                        prop_assert!(span.start <= span.end && text.get(span.range()).is_some(), "{:?}", span);
                    }
                }
            }
        }
    }
}
