//! Conditions that read the clock: what a pass filters and what an execution decides are together what the query
//! means at its time.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

#[path = "support/values.rs"]
mod support;

use ecs::date::to_iso;
use ecs::{Catalog, Millis, Object, document};
use plan::{Bool, Condition, Leaf, LeafKind, Literal, Query, RangeBounds, naive};
use proptest::prelude::*;
use serde_json::{Value, json};

/// 2024-05-01T10:05:00Z.
const NOW: Millis = 1_714_557_900_000;
const MINUTE: Millis = 60_000;

fn catalog() -> Catalog {
    let mapping = json!({"properties": {
        "k": {"type": "keyword"}, "d": {"type": "date"}, "e": {"type": "date_nanos"},
        "n": {"type": "nested", "properties": {"d": {"type": "date"}, "k": {"type": "keyword"}}},
    }});
    Catalog::from_mapping(&mapping).unwrap()
}

fn instant() -> impl Strategy<Value = Millis> {
    // Around now, and some half days away: bounds are rounded to either.
    (-4..=4_i64, prop_oneof![Just(MINUTE / 2), Just(360 * MINUTE)], prop_oneof![Just(0), -1..=1_i64])
        .prop_map(|(steps, step, beside)| NOW + steps * step + beside)
}

/// Date math around [`NOW`], or an instant.
fn date() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "now([-+]([012]m|6h|12h))?(/[md])?",
        1 => instant().prop_map(to_iso),
        1 => instant().prop_map(|it| format!("{}||-1m", to_iso(it))),
    ]
}

fn query() -> BoxedStrategy<Query> {
    let leaf = |field: &str, kind| Query::Leaf(Leaf { field: Some(field.to_owned()), kind, span: None });
    let bound = || prop::option::of(date().prop_map(Literal::Text));
    let kind = prop_oneof![
        1 => date().prop_map(|it| LeafKind::Match {
            query: Literal::Text(it),
            operator: plan::Operator::Or,
            lenient: false
        }),
        1 => date().prop_map(|it| LeafKind::Terms(vec![Literal::Text(it), Literal::Text("2024".to_owned())])),
        4 => (any::<bool>(), bound(), any::<bool>(), bound()).prop_map(|(lower_within, lower, upper_within, upper)| {
            let split = |within, bound| if within { (bound, None) } else { (None, bound) };
            let ((gte, gt), (lte, lt)) = (split(lower_within, lower), split(upper_within, upper));
            LeafKind::Range(RangeBounds { gt, gte, lt, lte, time_zone: None, format: None })
        }),
    ];
    let dates = (prop_oneof![3 => Just("d"), 1 => Just("e"), 2 => Just("n.d")], kind)
        .prop_map(move |(field, kind)| leaf(field, kind));
    let words = (prop_oneof![Just("k"), Just("n.k")], "[ab]").prop_map(move |(field, value)| {
        leaf(field, LeafKind::Term { value: Literal::Text(value), case_insensitive: false })
    });
    prop_oneof![3 => dates, 2 => words, 1 => Just(Query::MatchAll)]
        .prop_recursive(4, 24, 3, |inner| {
            let clauses = || prop::collection::vec(inner.clone(), 0..3);
            prop_oneof![
                3 => (clauses(), clauses(), clauses(), prop::option::of(0_i64..3)).prop_map(
                    |(filter, should, must_not, minimum_should_match)| {
                        Query::Bool(Bool { filter, should, must_not, minimum_should_match, ..Bool::default() })
                    }
                ),
                1 => inner.clone().prop_map(|it| Query::Nested {
                    path: "n".to_owned(),
                    query: Box::new(it),
                    span: None
                }),
            ]
        })
        .boxed()
}

/// Queries joined with what else makes a rule's condition: expiries, and each other.
fn condition() -> impl Strategy<Value = Condition> {
    let query = query().prop_map(|it| plan::condition(&it, &catalog()).unwrap());
    let computed = support::leaf(&["k", "d", "e"]).prop_map(Condition::from);
    let leaf = prop_oneof![4 => query, 1 => computed, 1 => instant().prop_map(Condition::until)];
    leaf.prop_recursive(2, 6, 3, |inner| {
        let some = || prop::collection::vec(inner.clone(), 0..3);
        prop_oneof![
            some().prop_map(Condition::all_of),
            some().prop_map(Condition::any_of),
            inner.prop_map(Condition::negate),
        ]
    })
}

fn event() -> impl Strategy<Value = Object> {
    let dates = || prop::collection::vec(instant().prop_map(|it| Value::from(to_iso(it))), 0..3);
    let words = || prop::collection::vec("[abc]".prop_map(Value::from), 0..3);
    let inner = (dates(), words()).prop_map(|(d, k)| json!({"d": d, "k": k}));
    (dates(), dates(), words(), prop::collection::vec(inner, 0..3))
        .prop_map(|(d, e, k, n)| json!({"d": d, "e": e, "k": k, "n": n}).as_object().unwrap().clone())
}

/// The verdict of a pass with the filter and then of an execution on what is left.
fn passes(condition: &Condition, now: Millis, event: &Object) -> bool {
    naive::matches(&condition.filter(), event)
        && condition.residue().is_none_or(|residue| {
            residue.holds(now, &|column, show| {
                let (path, shape) = &residue.columns()[column];
                document::values(event, path, *shape, show);
            })
        })
}

/// The same query with the time in place of `now`.
fn fixed(query: &Query, now: Millis) -> Query {
    let text = plan::dsl::to_json(query).to_string();
    let math = format!("\"{}||", to_iso(now));
    plan::dsl::parse(&serde_json::from_str(&text.replace("\"now", &math)).unwrap()).unwrap()
}

proptest! {
    #[test]
    fn filter_and_residue_are_the_condition(condition in condition(), event in event(), now in instant()) {
        let whole = naive::matches(&condition.at(now), &event);
        prop_assert_eq!(passes(&condition, now, &event), whole, "{}", condition);
        prop_assert_eq!(condition.reads_clock(), condition.residue().is_some());
        prop_assert_eq!(condition.explain(now, &event).verdict, whole);
    }

    #[test]
    fn what_all_executions_agree_on_is_decided(
        condition in condition(), event in event(), a in instant(), b in instant(), now in instant(),
    ) {
        let (first, last) = (a.min(b), a.max(b));
        let now = now.clamp(first, last);
        let narrowed = condition.clone().between(first, last);
        let whole = naive::matches(&condition.at(now), &event);
        prop_assert_eq!(naive::matches(&narrowed.at(now), &event), whole, "{} became {}", condition, narrowed);
        prop_assert_eq!(passes(&narrowed, now, &event), whole, "{} became {}", condition, narrowed);
        if condition.residue().is_some_and(|it| it.is_settled(first, last)) {
            prop_assert_eq!(passes(&condition, first, &event), whole);
            prop_assert!(!narrowed.reads_clock());
        }
        let single = condition.clone().between(now, now);
        prop_assert!(!single.reads_clock());
        prop_assert_eq!(single.filter(), condition.at(now));
    }

    #[test]
    fn now_is_the_time_of_the_execution(query in query(), now in instant()) {
        let fixed = plan::condition(&fixed(&query, now), &catalog()).unwrap();
        prop_assert!(!fixed.reads_clock());
        prop_assert_eq!(plan::lower(&query, &catalog(), now).unwrap(), fixed.filter());
    }
}

fn of(query: &Value) -> Condition {
    plan::condition(&plan::dsl::parse(query).unwrap(), &catalog()).unwrap()
}

/// What the pass can decide is not asked again, and only the columns that are needed are.
#[test]
fn a_residue_is_small() {
    let since = json!({"range": {"d": {"gte": "now-10m"}}});
    let both = of(&json!({"bool": {"filter": [{"term": {"k": "a"}}, since]}}));
    assert_eq!(both.to_string(), "(and k: \"a\" d: >= now-10m)");
    assert_eq!(both.filter().to_string(), "k: \"a\"");
    let columns = |it: &Condition| -> Vec<String> {
        it.residue().unwrap().columns().iter().map(|(path, _)| path.clone()).collect()
    };
    assert_eq!(columns(&both), ["d"]);
    let either = of(&json!({"bool": {"should": [{"term": {"k": "a"}}, since]}}));
    assert_eq!(either.filter().to_string(), "true");
    assert_eq!(columns(&either), ["k", "d"]);
    let nested = of(&json!({"nested": {"path": "n", "query": {"bool": {"filter": [
        {"term": {"n.k": "a"}}, {"range": {"n.d": {"lt": "now/d"}}},
    ]}}}}));
    assert_eq!(nested.filter().to_string(), "n: { k: \"a\" }");
    assert_eq!(columns(&nested), ["n"]);
    // An exception that expires: until then, what it excepts is left out.
    let excepted = Condition::all_of([of(&json!({"term": {"k": "b"}})), Condition::until(NOW)]);
    let kept = Condition::all_of([of(&json!({"term": {"k": "a"}})), excepted.negate()]);
    assert_eq!(kept.filter().to_string(), "k: \"a\"");
    assert_eq!(kept.clone().between(NOW + 1, NOW + 2), of(&json!({"term": {"k": "a"}})));
    assert_eq!(kept.clone().between(NOW - 2, NOW).filter().to_string(), "(and (not k: \"b\") k: \"a\")");
    assert!(kept.between(NOW, NOW + 1).reads_clock());
}

#[test]
fn no_dates_at_either_end_may_be_some_between() {
    let condition = of(&json!({"range": {"d": {"gt": "now/d", "lt": "now+12h"}}}));
    let at = |text: &str| ecs::date::parse(text).unwrap();
    let narrowed = condition.between(at("2024-05-01T06:00:00Z"), at("2024-05-02T06:00:00Z"));
    let event = json!({"d": "2024-05-02T03:00:00Z"});
    let verdict = |now: &str| naive::matches(&narrowed.at(at(now)), event.as_object().unwrap());
    assert!(verdict("2024-05-01T18:00:00Z"), "the next day has come near: {narrowed}");
    assert!(!verdict("2024-05-01T06:00:00Z"));
    assert!(!verdict("2024-05-02T06:00:00Z"));
}

/// Every range of dates with bounds that are rounded to days or are not, over two days in steps of six hours.
#[test]
fn ranges_are_decided_once_only_where_they_stay() {
    let bounds = ["now", "now/d", "now+12h", "now+12h/d", "now-6h", "now-6h/d"];
    let grid: Vec<Millis> = (0..9).map(|step| NOW + step * 360 * MINUTE).collect();
    let mut settled = 0;
    for (lower, upper, within) in bounds
        .iter()
        .flat_map(|lower| bounds.iter().flat_map(move |upper| [true, false].map(|it| (lower, upper, it))))
    {
        let (from, to) = if within { ("gte", "lte") } else { ("gt", "lt") };
        let condition = of(&json!({"range": {"d": {from: lower, to: upper}}}));
        let residue = condition.residue().unwrap();
        let verdicts: Vec<Vec<bool>> = grid
            .iter()
            .map(|&now| {
                let holds =
                    |date: &Millis| residue.holds(now, &|_, show| show(ecs::Scalar::Str(&to_iso(*date))));
                grid.iter().map(holds).collect()
            })
            .collect();
        for first in 0..grid.len() {
            for last in first..grid.len() {
                if residue.is_settled(grid[first], grid[last]) {
                    settled += 1;
                    assert!(verdicts[first..=last].iter().all(|it| *it == verdicts[first]), "{condition}");
                }
            }
        }
    }
    assert!(settled > 72 * 9, "more than single instants: {settled}");
}

#[test]
fn an_explanation_shows_now_and_what_it_stood_for() {
    let query = json!({"bool": {"filter": [
        {"term": {"k": "a"}}, {"exists": {"field": "e"}}, {"range": {"d": {"gte": "now-10m", "lt": "now/m"}}},
    ]}});
    let condition = Condition::all_of([of(&query), Condition::until(NOW - 1)]);
    let event = json!({"k": ["a"], "d": "2024-05-01T09:50:00Z"});
    assert_eq!(
        condition.explain(NOW, event.as_object().unwrap()).to_string(),
        "\
no  and
no    e: *   [no value]
yes   k: \"a\"   [\"a\"]
no    d: >= now-10m and < now/m (2024-05-01T09:55:00.000Z to 2024-05-01T10:04:59.999Z)   [\"2024-05-01T09:50:00Z\"]
no    executions until 2024-05-01T10:04:59.999Z   [\"2024-05-01T10:05:00.000Z\"]
"
    );
}
