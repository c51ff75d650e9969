//! What a filter cannot do without, told by one field.
//!
//! A filter that names no call may still ask for something that few records have:
//!
//! ```text
//! user_identity.access_key_id: AKIA* and event.outcome: success
//! user_identity.arn: *root and not event.action: ConsoleLogin
//! ```
//!
//! If these are all that the call leaves, a record whose key begins with `ASIA`, made by a role, satisfies neither:
//! before any column is filled its key and its role are looked at, and it becomes no row. Most records do not.
//!
//! It would be wrong for `access_key_id: AKIA* or event.outcome: failure`: an `ASIA` that failed is a match. What guards a
//! filter must hold of every match, so it is read off what is left of the filter when all but that field is taken out
//! ([`Expr::weaken`]), and of this filter nothing is. It would be wrong for `not access_key_id: ASIA*`, which a record
//! without a key satisfies: only what must hold is kept, never what must fail. And one filter without a guard is enough
//! for the record to become a row.

use std::collections::BTreeSet;

use block::{Schema, Slot};
use cloudtrail::{Columns, Event, Spread, Traits, Version};
use ecs::{Scalar, Shape};
use plan::{Expr, Matcher, Predicate, Sign, StringTest, Test};
use rustc_hash::FxHashMap;

use crate::calls::is_of_call;

/// What stands beside the columns. A tail may ask for a column of that name, which stays empty.
const BESIDE: [&str; 2] = ["_id", "_index"];

/// How many verdicts on values a guard remembers; when there are more, all are forgotten.
const VERDICTS_MAX: usize = 4096;
/// The longest value whose verdict is remembered, in bytes.
const REMEMBERED_MAX: usize = 128;

/// The guards of all filters.
pub(crate) struct Guards {
    /// Each once, the cheap ones first.
    conditions: Vec<Condition>,
    /// For each filter the number of its guard, if it has one.
    of_filter: Vec<Option<usize>>,
}

/// What some value of one field has to satisfy for a filter to be true.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Condition {
    cost: Cost,
    slot: Slot,
    /// One of them is enough.
    tests: Vec<Test>,
}

/// How much it takes to ask a test about a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Cost {
    Compare,
    Search,
}

impl Guards {
    /// `is_early` says which columns are filled at once: the others cost too much to guard anything.
    pub(crate) fn new(
        filters: &[Expr],
        schema: &Schema,
        version: Version,
        is_early: impl Fn(Slot) -> bool,
    ) -> Self {
        let spreads: Vec<Spread> =
            schema.columns().map(|(_, path, shape)| Traits::of(path, shape, version).spread).collect();
        // What is common guards nothing, and the call was asked before.
        let may_guard = |predicate: &Predicate, slot: Slot| {
            predicate.shape == Shape::Leaf
                && is_early(slot)
                && spreads[slot.index()] != Spread::Common
                && !is_of_call(predicate)
                && !BESIDE.contains(&predicate.path.as_str())
        };
        let slot = |predicate: &Predicate| {
            let slot = schema.get(&predicate.path, predicate.shape)?;
            (cost(&predicate.test).is_some() && may_guard(predicate, slot)).then_some(slot)
        };
        let choose = |filter: &Expr| {
            let slots: BTreeSet<Slot> = filter.predicates().into_iter().filter_map(slot).collect();
            let conditions = slots.into_iter().filter_map(|it| condition(filter, it, &slot));
            conditions.min_by_key(|it| (spreads[it.slot.index()] == Spread::Few, it.cost, it.tests.len()))
        };
        let chosen: Vec<Option<Condition>> = filters.iter().map(choose).collect();
        let mut conditions: Vec<Condition> = chosen.iter().flatten().cloned().collect();
        conditions.sort_unstable();
        conditions.dedup();
        let number = |guard: &Option<Condition>| conditions.binary_search(guard.as_ref()?).ok();
        Self { of_filter: chosen.iter().map(number).collect(), conditions }
    }

    /// The number of a filter's guard.
    pub(crate) fn of(&self, filter: usize) -> Option<usize> {
        self.of_filter[filter]
    }

    /// A guard made ready to look at records. `early` are the columns that are filled at once.
    pub(crate) fn guard(&self, number: usize, early: &Columns) -> Guard {
        let Condition { cost, slot, tests } = &self.conditions[number];
        Guard {
            slot: *slot,
            column: early.only(|it| it == *slot),
            matchers: tests.iter().map(Test::compile).collect(),
            verdicts: (*cost == Cost::Search).then(FxHashMap::default),
        }
    }
}

/// One thread's guard.
pub(crate) struct Guard {
    slot: Slot,
    column: Columns,
    matchers: Vec<Matcher>,
    /// What was said of values, if it takes longer to find out than to look up.
    verdicts: Option<FxHashMap<Box<str>, bool>>,
}

impl Guard {
    /// Whether a record may satisfy the filters that have this guard.
    pub(crate) fn lets_pass(&mut self, event: &mut Event<'_>) -> bool {
        let Self { column, matchers, verdicts, .. } = self;
        let mut passes = false;
        event.values(column, |value| passes = passes || is_hit(matchers, verdicts.as_mut(), value));
        passes
    }

    /// The column that it looks at.
    pub(crate) fn slot(&self) -> Slot {
        self.slot
    }

    /// Whether a record with this value in its column, and no other, may satisfy them.
    pub(crate) fn lets_text_pass(&mut self, text: &str) -> bool {
        is_hit(&self.matchers, self.verdicts.as_mut(), Scalar::Str(text))
    }
}

fn is_hit(matchers: &[Matcher], verdicts: Option<&mut FxHashMap<Box<str>, bool>>, value: Scalar<'_>) -> bool {
    let ask = || matchers.iter().any(|it| it.matches(value));
    let (Some(verdicts), Scalar::Str(text)) = (verdicts, value) else { return ask() };
    if text.len() > REMEMBERED_MAX {
        return ask();
    }
    if let Some(&known) = verdicts.get(text) {
        return known;
    }
    if verdicts.len() >= VERDICTS_MAX {
        verdicts.clear();
    }
    *verdicts.entry(text.into()).or_insert_with(ask)
}

/// What a value of the field must satisfy for the filter to be true. A field without a value satisfies no test.
fn condition(filter: &Expr, slot: Slot, slot_of: &impl Fn(&Predicate) -> Option<Slot>) -> Option<Condition> {
    let own = filter.weaken(|predicate, sign| sign == Sign::Holds && slot_of(predicate) == Some(slot));
    let own = own.simplify();
    let dearest = |them: &[&Predicate]| them.iter().filter_map(|it| cost(&it.test)).max();
    let them = own.one_of(&|them| (dearest(them), them.len()))?;
    let tests = them.iter().map(|it| it.test.clone()).collect();
    Some(Condition { cost: dearest(&them).unwrap_or(Cost::Compare), slot, tests })
}

/// Nothing if most values satisfy the test, or it takes too long.
fn cost(test: &Test) -> Option<Cost> {
    match test {
        Test::Terms(_) => Some(Cost::Compare),
        Test::Keyword { test, .. } => match test {
            StringTest::Equals(_) | StringTest::Prefix(_) => Some(Cost::Compare),
            StringTest::Wildcard(_) | StringTest::Regexp(_) | StringTest::Fuzzy { .. } => Some(Cost::Search),
            StringTest::Any | StringTest::Range(_) => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use ecs::Catalog;
    use exec::Program;

    use super::*;

    fn lower(query: &str) -> Expr {
        let catalog = Catalog::ecs();
        let query = kql::to_query(&kql::parse(query).unwrap(), &catalog).unwrap();
        plan::lower(&query, &catalog, 0).unwrap().simplify()
    }

    /// The field of the filter's guard, and how many tests it has.
    fn guard(query: &str) -> Option<(String, usize)> {
        let filters = [lower(query)];
        let program = Program::compile(&filters);
        let late = program.schema().get("user_agent.name", Shape::Leaf);
        let guards = Guards::new(&filters, program.schema(), Version::default(), |slot| Some(slot) != late);
        let Condition { slot, tests, .. } = &guards.conditions[guards.of(0)?];
        let column = program.schema().columns().find(|(it, ..)| it == slot);
        Some((column.unwrap().1.to_owned(), tests.len()))
    }

    #[test]
    fn guards_are_what_a_filter_cannot_do_without() {
        let is = |query: &str, path: &str, tests: usize| {
            assert_eq!(guard(query), Some((path.to_owned(), tests)), "{query}");
        };
        is("event.outcome: success and user.name: x", "user.name", 1);
        is("event.outcome: success and (user.name: x and user.id: *)", "user.name", 1);
        is("user.name: *x and user.id: x*", "user.id", 1);
        is("aws.cloudtrail.user_identity.type: Root", "aws.cloudtrail.user_identity.type", 1);
        is("aws.cloudtrail.user_identity.type: Root and user.name: *x", "user.name", 1);
        is("user.name: x and event.action: A or user.name: y* and event.action: B", "user.name", 2);
        is("user.name: *x or user.name: *y and user.id: z", "user.name", 2);
        for none in [
            "event.outcome: success",
            "not user.name: x",
            "user.name: *",
            "user.name > \"x\"",
            "user.name: x or user.id: x",
            "user.name: x or not user.name: y",
            "user_agent.name: x",
        ] {
            assert_eq!(guard(none), None, "{none}");
        }
    }

    #[test]
    fn equal_guards_are_one_and_cheap_ones_come_first() {
        let queries = ["user.name: *x", "user.id: x and event.action: A", "user.id: x and event.action: B"];
        let filters = queries.map(lower);
        let guards = Guards::new(&filters, Program::compile(&filters).schema(), Version::default(), |_| true);
        assert_eq!([0, 1, 2].map(|it| guards.of(it)), [Some(1), Some(0), Some(0)]);
    }

    #[test]
    fn verdicts_are_remembered_and_forgotten() {
        let test = Test::Keyword {
            field: plan::KeywordField::default(),
            test: StringTest::Wildcard(plan::Wildcard::parse("*7", false)),
        };
        let matchers = [test.compile()];
        let mut verdicts = FxHashMap::default();
        for round in 0..2 {
            for number in 0..VERDICTS_MAX + 20 {
                let text = number.to_string();
                let hit = is_hit(&matchers, Some(&mut verdicts), Scalar::Str(&text));
                assert_eq!(hit, text.ends_with('7'), "{text} in round {round}");
                assert!(verdicts.len() <= VERDICTS_MAX);
            }
        }
        let known = verdicts.len();
        assert!(is_hit(&matchers, Some(&mut verdicts), Scalar::Int(7)), "numbers are asked");
        let long = "7".repeat(REMEMBERED_MAX + 1);
        assert!(is_hit(&matchers, Some(&mut verdicts), Scalar::Str(&long)), "long texts are asked");
        assert_eq!(verdicts.len(), known);
    }
}
