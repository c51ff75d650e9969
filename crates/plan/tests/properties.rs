//! What must hold for every expression, query and document.

#[path = "support/values.rs"]
mod support;

use std::hash::{Hash as _, Hasher as _};

use ecs::{Object, Shape};
use plan::{
    Bool, Expr, IgnoreAbove, KeywordField, Leaf, LeafKind, Literal, NumberType, Operator, Predicate, Query,
    RangeBounds, Ranges, Sign, StringTest, Test, TextTest, Wildcard, dsl, explain, naive,
};
use proptest::prelude::*;
use serde_json::{Value, json};

fn word() -> impl Strategy<Value = String> {
    prop_oneof![Just("a"), Just("b"), Just("ab"), Just("A b"), Just("1"), Just("2"), Just("")]
        .prop_map(str::to_owned)
}

fn string_test() -> BoxedStrategy<StringTest> {
    prop_oneof![
        Just(StringTest::Any),
        prop::collection::btree_set(word(), 0..3).prop_map(|it| StringTest::Equals(it.into_iter().collect())),
        word().prop_map(StringTest::Prefix),
        ("[ab*?]{0,3}", any::<bool>())
            .prop_map(|(it, fold)| StringTest::Wildcard(Wildcard::parse(&it, fold))),
    ]
    .boxed()
}

fn leaf_test() -> BoxedStrategy<Test> {
    let field = (prop::option::of(0_u32..3), any::<bool>()).prop_map(|(limit, lowercase)| KeywordField {
        ignore_above: limit.map(IgnoreAbove::CodeUnits),
        lowercase,
    });
    prop_oneof![
        prop::collection::vec(word(), 0..3).prop_map(Test::terms),
        (field, string_test()).prop_map(|(field, test)| Test::Keyword { field, test }),
        string_test().prop_map(|test| Test::Text(TextTest::Token(test))),
        (-2_i128..3, -2_i128..3)
            .prop_map(|(a, b)| Test::Number { ty: NumberType::Long, ranges: Ranges::new(a, b) }),
        (any::<bool>(), any::<bool>()).prop_map(|(truth, falsity)| Test::Boolean { truth, falsity }),
    ]
    .boxed()
}

fn test() -> BoxedStrategy<Test> {
    let maybe = || prop::option::of(leaf_test().prop_map(Box::new));
    prop_oneof![
        4 => leaf_test(),
        1 => (maybe(), maybe(), maybe(), maybe())
            .prop_map(|(string, integer, float, boolean)| Test::Dynamic { string, integer, float, boolean }),
    ]
    .boxed()
}

fn expr() -> BoxedStrategy<Expr> {
    let is = (prop_oneof![Just("x"), Just("y"), Just("x.y")], test())
        .prop_map(|(path, test)| Expr::Is(Predicate { path: path.to_owned(), shape: Shape::Leaf, test }));
    let computed = support::leaf(&["x", "y", "x.y"]);
    let leaf = prop_oneof![8 => is, 2 => computed, 1 => any::<bool>().prop_map(Expr::Const)];
    leaf.prop_recursive(5, 40, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Expr::And),
            prop::collection::vec(inner.clone(), 0..4).prop_map(Expr::Or),
            inner.clone().prop_map(|it| Expr::Not(Box::new(it))),
            inner.prop_map(|it| Expr::Is(Predicate {
                path: "x".to_owned(),
                shape: Shape::Nested,
                test: Test::Nested(Box::new(it)),
            })),
        ]
    })
    .boxed()
}

fn document() -> BoxedStrategy<Object> {
    let scalar = prop_oneof![
        word().prop_map(Value::from),
        (-2_i64..3).prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(json!(1.5)),
        Just(Value::Null),
    ];
    let value = scalar.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::Array),
            object(inner).prop_map(Value::Object),
        ]
    });
    object(value).boxed()
}

fn object(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Object> {
    prop::collection::vec((prop_oneof![Just("x"), Just("y"), Just("x.y")], value), 0..4)
        .prop_map(|it| it.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

fn literal() -> impl Strategy<Value = Literal> {
    prop_oneof![
        ".{0,5}".prop_map(Literal::Text),
        any::<i64>().prop_map(|it| Literal::Number(it.to_string())),
        any::<bool>().prop_map(Literal::Bool),
    ]
}

fn kind() -> BoxedStrategy<LeafKind> {
    let bound = || prop::option::of(literal());
    let range = (any::<bool>(), bound(), any::<bool>(), bound(), prop::option::of("[+-]0[0-9]:00")).prop_map(
        |(lower_within, lower, upper_within, upper, time_zone)| {
            let split = |within, bound| if within { (bound, None) } else { (None, bound) };
            let ((gte, gt), (lte, lt)) = (split(lower_within, lower), split(upper_within, upper));
            LeafKind::Range(RangeBounds { gt, gte, lt, lte, time_zone, format: None })
        },
    );
    let operator = prop_oneof![Just(Operator::Or), Just(Operator::And)];
    prop_oneof![
        Just(LeafKind::Exists),
        (literal(), any::<bool>())
            .prop_map(|(value, case_insensitive)| LeafKind::Term { value, case_insensitive }),
        prop::collection::vec(literal(), 0..3).prop_map(LeafKind::Terms),
        (literal(), operator, any::<bool>()).prop_map(|(query, operator, lenient)| LeafKind::Match {
            query,
            operator,
            lenient
        }),
        (literal(), 0_u32..3).prop_map(|(query, slop)| LeafKind::MatchPhrase { query, slop, lenient: false }),
        range,
        (".{0,5}", any::<bool>())
            .prop_map(|(value, case_insensitive)| LeafKind::Wildcard { value, case_insensitive }),
        (".{0,5}", any::<bool>())
            .prop_map(|(value, case_insensitive)| LeafKind::Prefix { value, case_insensitive }),
        (".{0,5}", prop::option::of(Just("NONE".to_owned())), any::<bool>())
            .prop_map(|(value, flags, case_insensitive)| LeafKind::Regexp { value, flags, case_insensitive }),
    ]
    .boxed()
}

fn query() -> BoxedStrategy<Query> {
    let field = prop_oneof![Just("k"), Just("n.l"), Just("t"), Just("f.key"), Just("nowhere")];
    let leaf = (field, kind())
        .prop_map(|(field, kind)| Query::Leaf(Leaf { field: Some(field.to_owned()), kind, span: None }));
    let leaf = prop_oneof![8 => leaf, 1 => Just(Query::MatchAll), 1 => Just(Query::MatchNone)];
    leaf.prop_recursive(4, 24, 3, |inner| {
        let clauses = || prop::collection::vec(inner.clone(), 0..3);
        prop_oneof![
            (clauses(), clauses(), clauses(), clauses(), prop::option::of(-2_i64..3)).prop_map(
                |(must, filter, should, must_not, minimum_should_match)| {
                    Query::Bool(Bool { must, filter, should, must_not, minimum_should_match })
                }
            ),
            inner.clone().prop_map(|it| Query::Nested {
                path: "n".to_owned(),
                query: Box::new(it),
                span: None
            }),
        ]
    })
    .boxed()
}

/// The predicates of an expression with what is wanted of each.
fn signs<'a>(expr: &'a Expr, wanted: Sign, told: &mut Vec<(&'a Predicate, Sign)>) {
    match expr {
        Expr::Const(_) => {}
        Expr::Is(predicate) => told.push((predicate, wanted)),
        Expr::Relates(relation) => panic!("{relation} was kept"),
        Expr::And(clauses) | Expr::Or(clauses) => clauses.iter().for_each(|it| signs(it, wanted, told)),
        Expr::Not(inner) => {
            let opposite = if wanted == Sign::Holds { Sign::Fails } else { Sign::Holds };
            signs(inner, opposite, told);
        }
    }
}

/// Whether it asks several fields at once.
fn relates(expr: &Expr) -> bool {
    match expr {
        Expr::Const(_) | Expr::Is(_) => false,
        Expr::Relates(_) => true,
        Expr::And(clauses) | Expr::Or(clauses) => clauses.iter().any(relates),
        Expr::Not(inner) => relates(inner),
    }
}

proptest! {
    /// What an expression is weakened to follows from it, and says nothing of what is not kept.
    #[test]
    fn weakening_follows(expr in expr(), document in document(), seed in any::<u64>()) {
        let keep = |predicate: &Predicate, sign: Sign| {
            let mut hasher = std::hash::DefaultHasher::new();
            (seed, predicate, sign == Sign::Holds).hash(&mut hasher);
            hasher.finish().is_multiple_of(2)
        };
        let weak = expr.weaken(keep);
        prop_assert!(!naive::matches(&expr, &document) || naive::matches(&weak, &document), "{expr}\n{weak}");
        let strong = Expr::Not(Box::new(expr.clone())).weaken(keep);
        prop_assert!(naive::matches(&expr, &document) || naive::matches(&strong, &document), "{expr}\n{strong}");
        let whole = expr.weaken(|_, _| true);
        if !relates(&expr) {
            prop_assert_eq!(naive::matches(&expr, &document), naive::matches(&whole, &document));
        }
        for weak in [weak, strong] {
            let mut told = Vec::new();
            signs(&weak, Sign::Holds, &mut told);
            prop_assert!(told.iter().all(|(predicate, sign)| keep(predicate, *sign)), "{weak}");
        }
    }

    /// One of the predicates that must hold does.
    #[test]
    fn one_of_them_holds(expr in expr(), document in document(), seed in any::<u64>()) {
        let cost = |them: &[&Predicate]| {
            let mut hasher = std::hash::DefaultHasher::new();
            (seed, them).hash(&mut hasher);
            hasher.finish()
        };
        for expr in [expr.weaken(|_, _| true), expr.weaken(|_, sign| sign == Sign::Holds), expr.simplify()] {
            if let Some(them) = expr.one_of(&cost) && naive::matches(&expr, &document) {
                let holds = |it: &&Predicate| naive::matches(&Expr::Is((*it).clone()), &document);
                prop_assert!(them.iter().any(holds), "{expr}\n{them:?}");
            }
        }
    }

    #[test]
    fn the_canonical_form_means_the_same(expr in expr(), documents in prop::collection::vec(document(), 0..8)) {
        let simple = expr.clone().simplify();
        prop_assert_eq!(&simple, &simple.clone().simplify(), "canonical already");
        for document in &documents {
            prop_assert_eq!(naive::matches(&simple, document), naive::matches(&expr, document), "{}", simple);
        }
    }

    #[test]
    fn the_order_of_clauses_does_not_matter(clauses in prop::collection::vec(expr(), 0..5)) {
        let reversed: Vec<Expr> = clauses.iter().rev().cloned().collect();
        prop_assert_eq!(Expr::And(clauses.clone()).simplify(), Expr::And(reversed.clone()).simplify());
        prop_assert_eq!(Expr::Or(clauses).simplify(), Expr::Or(reversed).simplify());
    }

    #[test]
    fn all_of_canonical_ones_is_their_canonical_and(clauses in prop::collection::vec(expr(), 0..5)) {
        let canonical = clauses.iter().cloned().map(Expr::simplify).collect();
        prop_assert_eq!(Expr::all_of(canonical), Expr::And(clauses).simplify());
    }

    #[test]
    fn an_explanation_ends_in_the_verdict(expr in expr(), document in document()) {
        prop_assert_eq!(explain(&expr, &document).verdict, naive::matches(&expr, &document));
    }

    #[test]
    fn what_is_written_reads_back(query in query()) {
        prop_assert_eq!(dsl::parse(&dsl::to_json(&query)), Ok(query));
    }

    #[test]
    fn lowering_never_panics(query in query(), now: i64, document in document()) {
        let mapping = json!({"properties": {
            "k": {"type": "keyword", "ignore_above": 2}, "t": {"type": "text"}, "f": {"type": "flattened"},
            "n": {"type": "nested", "properties": {"l": {"type": "long"}}},
        }});
        let mapped = ecs::Catalog::from_mapping(&mapping).unwrap();
        for catalog in [&mapped, &ecs::Catalog::ecs()] {
            if let Ok(expr) = plan::lower(&query, catalog, now) {
                naive::matches(&expr, &document);
            }
        }
    }

    #[test]
    fn no_json_makes_the_reader_panic(value in document()) {
        let _ = dsl::parse(&Value::Object(value.clone()));
        let _ = dsl::parse(&json!({"bool": {"must": [{"term": value}]}}));
    }
}

#[test]
fn an_explanation_shows_every_clause_and_value() {
    let mapping = json!({"properties": {
        "action": {"type": "keyword"}, "port": {"type": "long"},
        "changes": {"type": "nested", "properties": {"role": {"type": "keyword"}}},
    }});
    let catalog = ecs::Catalog::from_mapping(&mapping).unwrap();
    let query = json!({"bool": {
        "filter": [
            {"terms": {"action": ["CreateUser", "DeleteUser"]}},
            {"range": {"port": {"gte": 20, "lt": 30}}},
            {"nested": {"path": "changes", "query": {"prefix": {"changes.role": "admin"}}}},
        ],
        "must_not": {"exists": {"field": "error"}},
    }});
    let expr = plan::lower(&dsl::parse(&query).unwrap(), &catalog, 0).unwrap();
    let document = json!({"action": ["CreateUser"], "port": [80, "22"], "changes": [{"role": "ops"}, {}]});
    let explanation = explain(&expr, document.as_object().unwrap());
    assert_eq!(
        explanation.to_string(),
        "\
no  and
yes   action: (\"CreateUser\" or \"DeleteUser\")   [\"CreateUser\"]
no    changes: { role: prefix \"admin\" }
no      role: prefix \"admin\"   [\"ops\"]
no      role: prefix \"admin\"   [no value]
yes   port: 20 to 29   [\"80\", \"22\"]
"
    );
    assert_eq!(expr.paths(), [("action", Shape::Leaf), ("changes", Shape::Nested), ("port", Shape::Leaf)]);
}

#[test]
fn depth_is_bounded() {
    let catalog = ecs::Catalog::ecs();
    let deep = |levels: usize| {
        (0..levels)
            .fold(json!({"term": {"event.action": "x"}}), |inner, _| json!({"bool": {"must_not": [inner]}}))
    };
    let query = dsl::parse(&deep(90)).unwrap();
    let expr = plan::lower(&query, &catalog, 0).unwrap();
    assert!(!naive::matches(&expr, &Object::new()), "an even number of negations");
    assert_eq!(dsl::parse(&deep(150)).unwrap_err()[0].code(), "DSL004");

    let query = (0..1_000)
        .fold(Query::MatchAll, |inner, _| Query::Bool(Bool { filter: vec![inner], ..Bool::default() }));
    assert_eq!(plan::lower(&query, &catalog, 0).unwrap_err()[0].code(), "PLAN015");
}
