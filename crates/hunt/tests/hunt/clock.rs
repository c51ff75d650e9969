//! `now` is the time of the execution: what a hunt says of rules that read the clock is what each execution says by the
//! book, event by event.

use std::collections::BTreeSet;

use ecs::{Catalog, Millis};
use proptest::prelude::*;
use rule::Rule;

use crate::setup::{Call, DAY_ONE, Folder, MINUTE, documents, options, rule, run};

const ROLES: [&str; 3] = ["ci", "backup", "ops"];

fn rules() -> Vec<Rule> {
    [
        "@timestamp >= now-7m",
        "not @timestamp >= now-7m",
        "user.name: ci or @timestamp < now-11m",
        "user.name: (ci or ops) and not (related.user: c* and @timestamp >= now/h)",
        // Nothing of it is left to the executions.
        "user.name: ci and @timestamp <= now",
    ]
    .into_iter()
    .enumerate()
    .map(|(at, query)| {
        let lines = format!("type = \"query\"\nquery = \"{query}\"\nfrom = \"now-17m\"\nto = \"now-1m\"\n");
        rule(&format!("Rule {at}"), &lines)
    })
    .collect()
}

fn call() -> impl Strategy<Value = Call<'static>> {
    let at = (0..90_i64, prop_oneof![3 => Just(0), 1 => -1..=1_i64])
        .prop_map(|(minutes, beside)| DAY_ONE + minutes * MINUTE + beside);
    (at, prop::sample::select(ROLES.to_vec())).prop_map(|(at, role)| Call {
        id: "",
        at: Some(at),
        action: "GetPasswordData",
        role,
        address: "203.0.113.20",
        error: None,
    })
}

/// The executions and the events that they alert on.
fn by_the_book(documents: &[hunt::Document], rule: &Rule) -> BTreeSet<(Millis, String)> {
    let condition = rule::compile(rule, &Catalog::ecs()).unwrap();
    let interval = rule.interval.millis();
    let mut alerted: BTreeSet<String> = BTreeSet::new();
    let mut found = BTreeSet::new();
    for tick in 0..=120 * MINUTE / interval {
        let now = DAY_ONE + tick * interval;
        let (from, to, expr) = (rule.from.millis_at(now), rule.to.millis_at(now), condition.at(now));
        for document in documents {
            let time = ecs::date::parse(document.source["@timestamp"].as_str().unwrap()).unwrap();
            let is_seen = from <= time && time <= to;
            if is_seen && plan::naive::matches(&expr, &document.source) && alerted.insert(document.id.clone())
            {
                found.insert((now, document.id.clone()));
            }
        }
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn every_execution_decides(calls in prop::collection::vec(call(), 1..12), block_rows in 1..4_usize) {
        let ids: Vec<String> =
            (0..calls.len()).map(|number| format!("00000000-0000-4000-8000-{number:012}")).collect();
        let calls: Vec<Call<'_>> =
            calls.iter().zip(&ids).map(|(call, id)| Call { id, ..call.clone() }).collect();
        let folder = Folder::of(&calls);
        let (rules, documents) = (rules(), documents(&folder));
        let found = run(&hunt::HuntOptions { block_rows, ..options(&folder, &rules) });
        for (rule, ran) in rules.iter().zip(&found.rules) {
            let alerts = ran.outcome.alerts.iter();
            let got: BTreeSet<(Millis, String)> =
                alerts.map(|it| (it.execution.started_at, it.event.id.clone())).collect();
            prop_assert_eq!(got, by_the_book(&documents, rule), "{}", rule.query);
        }
    }
}
