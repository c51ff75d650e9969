//! Near misses are those that a look at every document finds.

use std::path::PathBuf;

use ecs::Catalog;
use hunt::{FieldValues, Item, NormalizeOptions, Progress};
use plan::Expr;
use plan::naive::Evaluator;

use crate::setup::{Call, DAY_ONE, Folder, MINUTE, normalise, options, refused, rule};

#[test]
fn near_misses_are_those_of_every_document() {
    // Some files of the trail, from all of its days.
    let trail = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/cloudtrail");
    let mut files: Vec<PathBuf> = Vec::new();
    let mut folders = vec![PathBuf::from(trail)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.sort_unstable();
    let some: Vec<PathBuf> = files.into_iter().step_by(12).collect();
    let rules = rule::builtin(rule::GuideLanguage::English).rules;
    let folder = Folder::new();
    let mut options = options(&folder, &rules);
    options.paths.clone_from(&some);
    let found = hunt::near_misses(&options, &mut std::io::empty(), &Progress::default()).unwrap();

    let mut documents = Vec::new();
    let all = NormalizeOptions {
        paths: some,
        stored: Vec::new(),
        normalise: normalise(),
        limits: reader::Limits::default(),
        now: options.now,
        copies: true,
    };
    hunt::normalize(&all, &mut std::io::empty(), &Progress::default(), &mut |mut document| {
        document.source.insert("_index".to_owned(), document.index.into());
        documents.push(document.source);
        true
    })
    .unwrap();
    assert_eq!(found.records, documents.len() as u64);

    let mut misses = 0;
    // A sequence has several filters, which together are no condition on one event.
    let is_sequence = |rule: &rule::Rule| matches!(rule.kind, rule::RuleKind::Eql { .. });
    for it in found.rules.iter().filter(|it| !is_sequence(&it.rule)) {
        let Ok(condition) = rule::compile(&it.rule, &Catalog::ecs()) else { panic!("{}", it.rule.name) };
        // Who is behind an event is known only when everything was read: such a clause is left out of what is near.
        let filter = condition.leaving(&|path| path.starts_with("trailwarden.identity.")).filter();
        let clauses: Vec<Evaluator> = filter.conjuncts().iter().map(Evaluator::new).collect();
        let (mut matched, mut missed) = (0, vec![0_u64; clauses.len()]);
        for document in &documents {
            let failed: Vec<usize> =
                (0..clauses.len()).filter(|&at| !clauses[at].matches(document)).collect();
            match failed.as_slice() {
                [] => matched += 1,
                [alone] if clauses.len() > 1 => missed[*alone] += 1,
                _ => {}
            }
        }
        assert_eq!(it.matched, matched, "{}", it.rule.name);
        missed.retain(|&count| count > 0);
        missed.sort_unstable_by(|a, b| b.cmp(a));
        let told: Vec<u64> = it.clauses.iter().map(|clause| clause.missed).collect();
        assert_eq!(told, missed, "{}", it.rule.name);
        misses += told.len();
        for clause in &it.clauses {
            for field in &clause.fields {
                let values: u64 = field.values.iter().map(|(_, count)| count).sum();
                assert!(
                    values + field.absent + field.more >= clause.missed,
                    "{}: {}",
                    it.rule.name,
                    field.path
                );
            }
        }
        assert!(matches!(filter, Expr::And(_)), "{}", it.rule.name);
    }
    assert!(misses > 10, "{misses}");
}

/// What a clause computes is told beside what the fields hold, and of a sequence which item lacks what.
#[test]
fn what_is_computed_and_what_items_lack() {
    let calls: Vec<Call<'_>> = (0..)
        .zip([("ci", "GetPasswordData"), ("ops", "GetPasswordData"), ("backup", "StopInstances")])
        .map(|(at, (role, action))| Call { action, ..refused(role, DAY_ONE + at * MINUTE, role) })
        .collect();
    let folder = Folder::of(&calls);
    let eql = |name: &str, query: &str| {
        rule(name, &format!("type = \"eql\"\nlanguage = \"eql\"\nquery = '''{query}'''\n"))
    };
    let rules = [
        eql("Long", r#"any where event.action == "GetPasswordData" and length(user.name) > 5"#),
        eql(
            "Both",
            r#"any where event.action == "GetPasswordData" and concat(user.name, "-", event.outcome) == "eve-success""#,
        ),
        eql(
            "Sequence",
            r#"sequence by source.ip with maxspan=1h [any where event.action == "GetPasswordData"]
               ![any where event.action == "Nothing" and user.name == "ci"]
               [any where event.action == "StopInstances" and user.name == "ci"]
               until [any where event.action == "StopInstances" and user.name == "nobody"]"#,
        ),
    ];
    let found =
        hunt::near_misses(&options(&folder, &rules), &mut std::io::empty(), &Progress::default()).unwrap();
    let values = |path: &str, values: &[(&str, u64)]| {
        let values = values.iter().map(|(value, count)| ((*value).to_owned(), *count)).collect();
        FieldValues { path: path.to_owned(), values, absent: 0, more: 0 }
    };
    let [long, both, sequence] = found.rules.as_slice() else { panic!("{:?}", found.refused) };
    let names = values("user.name", &[("ci", 1), ("ops", 1)]);
    let computed = values("length(user.name)", &[("2", 1), ("3", 1)]);
    let of_long = long.clauses.iter().find(|it| it.clause.starts_with("length")).unwrap();
    assert_eq!(of_long.fields, [names.clone(), computed]);
    let of_both = both.clauses.iter().find(|it| it.clause.starts_with("concat")).unwrap();
    let computed =
        values(r#"concat(user.name, "-", event.outcome)"#, &[("ci-failure", 1), ("ops-failure", 1)]);
    assert_eq!(of_both.fields[..2], [values("event.outcome", &[("failure", 2)]), names]);
    assert!(of_both.fields[2].path.starts_with("concat("), "{:?}", of_both.fields);
    assert_eq!(of_both.fields[2].values, computed.values);

    let event = |number| Item::Event { number, of: 3 };
    let expected = [(event(1), 2), (Item::Missing { number: 2, of: 3 }, 0), (event(3), 0), (Item::Until, 0)];
    assert_eq!(sequence.items, expected);
    assert!(sequence.lacks_items());
    // What must be missing, and what ends sequences, keeps no rule from firing.
    let blockers: Vec<Option<Item>> = sequence.blockers().map(|it| it.item).collect();
    assert!(!blockers.is_empty() && blockers.iter().all(|it| *it == Some(event(3))), "{blockers:?}");
    assert!(sequence.clauses.iter().any(|it| it.item == Some(Item::Until) && !it.never_holds));
}
