//! The pairs of record and document that Elastic publishes.
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

mod common;
mod pairs;

#[test]
fn published_pairs_are_reproduced() {
    let Some(data) = common::data() else { return };
    let pairs = pairs::run(&data).unwrap();
    assert!(pairs.len() > 100, "only {} pairs were found", pairs.len());
    let mut failed = 0;
    for pair in pairs.iter().filter(|it| it.expected != it.got) {
        failed += 1;
        eprintln!("{}\n  expected:\n{}\n  got:\n{}", pair.id, pair.expected, pair.got);
    }
    assert_eq!(failed, 0, "of {} documents", pairs.len());
}
