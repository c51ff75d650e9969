//! Near misses are those that a look at every document finds.

use std::path::PathBuf;

use ecs::Catalog;
use hunt::{NormalizeOptions, Progress};
use plan::Expr;
use plan::naive::Evaluator;

use crate::setup::{Folder, normalise, options};

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
        let filter = condition.filter();
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
