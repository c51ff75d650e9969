//! What holds for any text.

use ecs::Catalog;
use eql::ast::{ArithmeticOp, CompareOp, Constant, Expr, ExprKind, Field, Literal, MatchOp, Name};
use eql::{Options, Query};
use plan::naive;
use proptest::prelude::*;
use span::Span;

/// Any order of the pieces that mean something.
fn tokens() -> impl Strategy<Value = String> {
    let token = prop::sample::select(vec![
        "any where ",
        "process where ",
        "sequence ",
        "sample ",
        "by a ",
        "by ?b ",
        "with ",
        "maxspan=",
        "5m ",
        "runs=2 ",
        "until ",
        "[",
        "]",
        "![",
        "(",
        ")",
        "a",
        "b.c",
        ".",
        ",",
        " and ",
        " or ",
        "not ",
        " in ",
        "in~ ",
        ":",
        " like ",
        "regex~",
        "==",
        "!=",
        "<",
        ">=",
        "+",
        "-",
        "*",
        "/",
        "%",
        "\"x*\"",
        "\"\"\"r\\\"\"\"",
        "\"",
        "`q``q`",
        "`",
        "\\u{41}",
        "1",
        ".5",
        "1e3",
        "null",
        "true",
        "?",
        "|",
        "head 3",
        "tail ",
        "length(",
        "startsWith~(",
        "//",
        "/*",
        "*/",
        "\n",
        "é",
        "!",
        "=",
        "'",
        "of",
        "AND",
        "&&",
    ]);
    prop::collection::vec(token, 0..24).prop_map(|tokens| tokens.concat())
}

fn expr(kind: ExprKind) -> Expr {
    Expr { kind, span: Span::at(0) }
}

fn literal() -> impl Strategy<Value = Literal> {
    prop_oneof![
        Just(Literal::Null),
        any::<bool>().prop_map(Literal::Bool),
        any::<i64>().prop_map(|it| Literal::Integer(it.into())),
        any::<u64>().prop_map(|it| Literal::Integer(it.into())),
        prop::num::f64::NORMAL.prop_map(Literal::Float),
        "[a*?\"\\\\\\n\\t\\u{1}é`]{0,4}".prop_map(Literal::Text),
    ]
}

/// On the right side of a pattern stand no signs.
fn constants() -> impl Strategy<Value = Vec<Constant>> {
    let unsigned = literal().prop_filter("no signs", |it| match it {
        Literal::Integer(it) => *it >= 0,
        Literal::Float(it) => it.is_sign_positive(),
        Literal::Null | Literal::Bool(_) | Literal::Text(_) => true,
    });
    prop::collection::vec(unsigned.prop_map(|value| Constant { value, span: Span::at(0) }), 1..3)
}

/// Trees as the parser makes them.
fn tree() -> impl Strategy<Value = Expr> {
    let path = prop::sample::select(vec!["a", "b.c", "by", "x.sequence", "d-e", "a`b", "@timestamp"]);
    let field = (path, any::<bool>()).prop_map(|(path, optional)| {
        expr(ExprKind::Field(Field { path: path.to_owned(), optional, span: Span::at(0) }))
    });
    let leaf = prop_oneof![field, literal().prop_map(|it| expr(ExprKind::Constant(it)))];
    leaf.prop_recursive(4, 24, 3, |inner| {
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
        let matcher = prop::sample::select(vec![
            MatchOp::Colon,
            MatchOp::Like,
            MatchOp::LikeFold,
            MatchOp::Regex,
            MatchOp::RegexFold,
        ]);
        let list = |range: std::ops::Range<usize>| prop::collection::vec(inner.clone(), range);
        prop_oneof![
            list(2..4).prop_map(|it| expr(ExprKind::Or(it))),
            list(2..4).prop_map(|it| expr(ExprKind::And(it))),
            boxed.clone().prop_map(|it| expr(ExprKind::Not(it))),
            (boxed.clone(), compare, boxed.clone()).prop_map(|(left, op, right)| expr(ExprKind::Compare {
                left,
                op,
                right
            })),
            (boxed.clone(), any::<bool>(), any::<bool>(), list(1..3)).prop_map(
                |(value, negated, fold, list)| { expr(ExprKind::In { value, negated, fold, list }) }
            ),
            (boxed.clone(), matcher, constants()).prop_map(|(value, op, patterns)| expr(ExprKind::Match {
                value,
                op,
                patterns
            })),
            (boxed.clone(), arithmetic, boxed.clone())
                .prop_map(|(left, op, right)| expr(ExprKind::Arithmetic { left, op, right })),
            // A sign before a number is part of it.
            boxed
                .prop_filter("no number", |it| {
                    !matches!(it.kind, ExprKind::Constant(Literal::Integer(_) | Literal::Float(_)))
                })
                .prop_map(|it| expr(ExprKind::Negate(it))),
            (prop::sample::select(vec!["length", "startsWith", "xyz"]), any::<bool>(), list(0..3)).prop_map(
                |(function, fold, arguments)| {
                    let function = function.to_owned();
                    expr(ExprKind::Call { function, fold, arguments, name: Name(Span::at(0)) })
                }
            ),
        ]
    })
}

/// Conditions whose leaves are known to be true, false or null of a document.
fn logic() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "a == \"x\"",
        "a : \"X*\"",
        "a != \"x\"",
        "a not in (\"y\", \"z\")",
        "b > 1",
        "length(a) == 1",
        "b + 1 == 2",
        "a == null",
        "b != null",
        "not a : \"x\"",
        "true",
        "false",
        "concat(a, b) == \"x1\"",
        "null == (b > 1)",
        "startsWith(a, \"x\")",
        "cidrMatch(ip, \"10.0.0.0/8\")",
        "(b > 0) == false",
    ]);
    leaf.prop_map(str::to_owned).prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|it| format!("not ({it})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) and ({b})")),
            (inner.clone(), inner).prop_map(|(a, b)| format!("({a}) or ({b})")),
        ]
    })
}

fn catalog() -> Catalog {
    let types = serde_json::json!({"a": "keyword", "b": "long", "ip": "ip"});
    Catalog::from_types(types.as_object().expect("it is one")).expect("types are known")
}

fn matches(condition: &str, document: &ecs::Object) -> bool {
    let statement = eql::statement(&format!("any where {condition}"), &catalog(), &Options::default());
    match statement.expect("it fits the fields").query {
        Query::Event(found) => naive::matches(&found.at(0), document),
        Query::Sequence(_) | Query::Sample(_) => unreachable!("the query is of events"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(600) })]

    #[test]
    fn what_is_printed_parses_to_the_same_tree(tree in tree()) {
        let printed = format!("any where {tree}");
        match eql::parse(&printed) {
            Ok(ast) => {
                let eql::ast::Query::Event(event) = &ast.query else { unreachable!("it is of events") };
                prop_assert_eq!(&event.condition, &tree, "printed as {:?}", printed);
            }
            Err(errors) => prop_assert!(false, "{}: {:?}", errors, printed),
        }
    }

    #[test]
    fn texts_print_and_parse_and_nothing_panics(text in prop_oneof![tokens(), any::<String>()]) {
        let mut found = eql::findings(&text);
        if let Ok(ast) = eql::parse(&text) {
            let printed = ast.to_string();
            let again = eql::parse(&printed);
            prop_assert_eq!(Ok(&ast), again.as_ref(), "printed as {:?}", printed);
        }
        found.extend(eql::errors(&text));
        found.extend(eql::check(&text, &catalog()).err().into_iter().flatten());
        _ = eql::check(&text, &Catalog::ecs());
        for field in eql::fields(&text) {
            prop_assert!(text.get(field.span.range()).is_some_and(|it| !it.is_empty()));
        }
        for value in eql::values(&text) {
            prop_assert_eq!(text.get(value.span.range()), Some(&*format!("\"{}\"", value.text)));
        }
        for diagnostic in found {
            let spans = diagnostic.labels.iter().map(|it| it.span).chain(diagnostic.edits.iter().map(|it| it.span));
            for span in spans {
                prop_assert!(span.start <= span.end && text.get(span.range()).is_some(), "{:?}", span);
            }
        }
    }

    /// `and`, `or` and `not` around leaves are those of documents, whatever the leaves are.
    #[test]
    fn logic_is_that_of_documents(
        first in logic(),
        second in logic(),
        a in prop::collection::vec("[xyX]{1,2}", 0..3),
        b in prop::collection::vec(0_i64..4, 0..3),
        ip in prop::option::of("10\\.0\\.0\\.[1-9]|8\\.8\\.8\\.8"),
    ) {
        let document = serde_json::json!({"a": a, "b": b, "ip": ip});
        let document = document.as_object().expect("it is one");
        let (left, right) = (matches(&first, document), matches(&second, document));
        prop_assert_eq!(matches(&format!("({first}) and ({second})"), document), left && right);
        prop_assert_eq!(matches(&format!("({first}) or ({second})"), document), left || right);
        prop_assert_eq!(matches(&format!("not ({first})"), document), !left);
        prop_assert_eq!(matches(&format!("({first}) == false"), document), !left);
    }

    /// What an index answers is what computing answers, of texts in which patterns and case play no part.
    #[test]
    fn searching_is_computing(a in prop::collection::vec("[xyz]{0,3}", 0..3), b in prop::collection::vec(0_i64..4, 0..3), text in "[xyz]{1,2}", number in 0_i64..4) {
        let document = serde_json::json!({"a": a, "b": b});
        let document = document.as_object().expect("it is one");
        let same = |searched: &str, computed: &str| {
            prop_assert_eq!(matches(searched, document), matches(computed, document), "{} {}", searched, computed);
            Ok(())
        };
        for function in ["startsWith", "endsWith~", "stringContains"] {
            same(&format!("{function}(a, \"{text}\")"), &format!("{function}(substring(a, 0), \"{text}\")"))?;
        }
        for operator in ["==", ":", "like", "like~", "regex", "<", ">="] {
            same(&format!("a {operator} \"{text}\""), &format!("string(a) {operator} \"{text}\""))?;
        }
        for operator in ["==", "<", "<=", ">", ">=", "!="] {
            same(&format!("b {operator} {number}"), &format!("b + 0 {operator} {number}"))?;
        }
        same(&format!("a in (\"{text}\", \"x\")"), &format!("concat(a) in (\"{text}\", \"x\")"))?;
        same("a == null", "concat(a) == null")?;
        same("b == null", "-b == null")?;
    }
}
