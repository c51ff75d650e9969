//! How loud the built-in rules are where nobody attacks.

use super::*;
use hunt::{HuntOptions, Progress};
use rule::{GuideLanguage, Selection, Severity};
use std::collections::BTreeMap;

const RULES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../rules/aws");
const RECORDS: u64 = 20_000;
/// After all data.
const NOW: i64 = 1_788_220_800_000;

#[derive(clap::Parser)]
struct Cli {
    #[command(flatten)]
    args: Args,
}

/// The alerts of medium severity or higher, by rule, that people are shown of data with these attacks; and how many records
/// some rule matches.
fn hunted(seed: u64, attacks: &str) -> (BTreeMap<String, usize>, u64) {
    let folder = tempfile::tempdir().unwrap();
    let (seed, records) = (seed.to_string(), RECORDS.to_string());
    let arguments =
        ["generate", "--out", "none", "--attack", attacks, "--seed", &seed, "--records", &records];
    let options = <Cli as clap::Parser>::parse_from(arguments).args.options().unwrap();
    let written =
        Data::new(&options, Path::new(RULES)).unwrap().write(folder.path(), Format::Ndjson, None).unwrap();
    assert_eq!(written.records, RECORDS);
    let mut options = HuntOptions::new(
        vec![folder.path().to_owned()],
        Selection::all(rule::builtin(GuideLanguage::English).rules),
        rule::Exceptions::default(),
        cloudtrail::Options {
            envelope: Some(cloudtrail::Envelope::default()),
            ..cloudtrail::Options::default()
        },
        NOW,
        "0.0.0",
    );
    options.threads = 2;
    let found = hunt::hunt(&options, &mut std::io::empty(), &Progress::default()).unwrap();
    assert!(found.refused.is_empty(), "{:?}", found.refused);
    assert_eq!(found.read.records.total(), RECORDS);
    let is_loud = |rule: &rule::Rule| rule.building_block_type.is_none() && rule.severity > Severity::Low;
    let loud = found.rules.iter().filter(|it| is_loud(&it.rule) && !it.outcome.alerts.is_empty());
    (loud.map(|it| (it.rule.name.clone(), it.outcome.alerts.len())).collect(), found.read.records.matched)
}

/// At most one alert in ten thousand records, whatever the seed.
#[test]
fn who_is_not_attacked_is_left_alone() {
    let mut too_loud = Vec::new();
    let mut looked_at = 0;
    for seed in 1..=5 {
        let (loud, matched) = hunted(seed, "none");
        looked_at += matched;
        if loud.values().sum::<usize>() as u64 * 10_000 > RECORDS {
            too_loud.push(format!("seed {seed}: {loud:?}"));
        }
    }
    assert!(too_loud.is_empty(), "{}", too_loud.join("\n"));
    // It is quiet although there are records such as rules look at; and attacks are heard.
    assert!(looked_at > 0, "no rule matches anything");
    assert!(!hunted(1, "all").0.is_empty(), "attacks are not heard, either");
}
