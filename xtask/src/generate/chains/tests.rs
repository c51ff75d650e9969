//! Every alert on a planted chain is investigated, and what comes out is the ground truth.

use super::super::*;
use detect::{KnownAlerts, Mode};
use hunt::{Files, FilesReport, HuntOptions, Identities, Progress};
use investigate::{Investigation, Options as Asked};
use rule::{GuideLanguage, Selection};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const RULES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../rules/aws");
const RULE: &str = r#"
[rule]
name = "Chains"
description = "Every call at the end of a chain."
severity = "medium"
risk_score = 47
type = "query"
index = ["logs-aws.cloudtrail-*"]
query = 'event.action: GetPasswordData and aws.cloudtrail.error_code: Client.UnauthorizedOperation'
from = "now-6m"
interval = "5m"
max_signals = 10000
"#;
/// After all data.
const NOW: i64 = 1_788_220_800_000;

fn data(chains: usize, records: u64) -> Data {
    let options = Options {
        seed: 11,
        records,
        size: Size { accounts: 3, regions: 2, principals: 20 },
        days: 40,
        start: 1_772_409_600, // 2026-03-02T00:00:00Z
        attacks: vec!["none".to_owned()],
        chains,
        repeat_attacks: 1,
        sensitive: 500,
        records_per_file: 500,
    };
    Data::new(&options, Path::new(RULES)).unwrap()
}

fn options(folder: &Path, threads: usize) -> HuntOptions {
    let set = rule::load_text("chains.toml", RULE);
    assert_eq!(set.error_count(), 0);
    HuntOptions {
        paths: vec![folder.to_owned()],
        stored: Vec::new(),
        rules: Selection::all(set.rules),
        exceptions: rule::Exceptions::default(),
        mode: Mode::Replay { since: None, until: None },
        max_signals: None,
        known: KnownAlerts::default(),
        normalise: cloudtrail::Options::default(),
        limits: reader::Limits::default(),
        identities: Identities::InAlerts,
        span: None,
        as_live: None,
        watch: false,
        threads,
        block_rows: 0,
        evidence_bytes: hunt::EVIDENCE_BYTES,
        now: NOW,
        version: "0.0.0",
    }
}

/// Of each alert its event, who it says is behind it, and what an investigation finds.
fn investigated(folder: &Path, threads: usize) -> Vec<(String, Value, Investigation)> {
    let options = options(folder, threads);
    let progress = Progress::default();
    let found = hunt::hunt(&options, &mut std::io::empty(), &progress).unwrap();
    let picked = hunt::pick(&found, &hunt::Which::From(rule::Severity::Low), usize::MAX, NOW);
    let mut files = Files {
        paths: options.paths.clone(),
        stored: Vec::new(),
        normalise: options.normalise.clone(),
        limits: options.limits.clone(),
        threads,
        block_rows: 0,
        now: NOW,
        progress: &progress,
        read: FilesReport::default(),
    };
    let asked = Asked {
        now: NOW,
        steps: Vec::new(),
        language: GuideLanguage::English,
        raised: picked.raised,
        issued: None,
    };
    let all = investigate::investigate(&picked.subjects, &mut files, &asked).unwrap();
    assert!(files.read.passes <= 2, "{} passes beside the hunt's", files.read.passes);
    let told = picked.subjects.iter().map(|it| {
        let mut fields = serde_json::Map::new();
        for name in ["root.arn", "chain", "confidence"] {
            let path = format!("trailwarden.identity.{name}");
            fields.insert(name.to_owned(), it.document.get(&path).cloned().unwrap_or_default());
        }
        (it.anchors[0].0.clone(), Value::from(fields))
    });
    told.zip(all).map(|((id, fields), it)| (id, fields, it)).collect()
}

/// A thousand alerts, every kind of chain thirty-nine times.
#[test]
fn investigations_find_what_was_planted() {
    let chains = 39 * super::Shape::ALL.len();
    assert!(chains > 1_000);
    let data = data(chains, (chains * 120) as u64);
    let folder = tempfile::tempdir().unwrap();
    data.write(folder.path(), Format::S3, Some(2)).unwrap();
    let found = investigated(folder.path(), 2);
    assert_eq!(found.len(), chains, "an alert for each chain");
    let by_alert: BTreeMap<&str, &(String, Value, Investigation)> =
        found.iter().map(|it| (it.0.as_str(), it)).collect();
    let mut wrong = Vec::new();
    let mut values: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for truth in &data.chains {
        let (_, fields, it) = by_alert[truth.alert.as_str()];
        let mut differs = |what: &str, wanted: &Value, got: &Value| {
            if wanted != got {
                wrong.push(format!(
                    "{} {}: {what} is {got}, and should be {wanted}",
                    truth.shape, truth.alert
                ));
            }
        };
        for (&name, wanted) in &truth.facts {
            let fact = it.fact(name);
            differs(name, wanted, fact.map_or(&Value::Null, |it| &it.value));
            values.entry(name).or_default().insert(wanted.to_string());
        }
        for (&name, &wanted) in &truth.confidence {
            let fact = it.fact(name).map(|it| it.confidence.name());
            differs(&format!("confidence of {name}"), &wanted.into(), &fact.into());
        }
        differs("root.arn of the alert", &truth.root.as_str().into(), &fields["root.arn"]);
        differs("confidence of the alert", &truth.confidence["root_identity"].into(), &fields["confidence"]);
        differs("chain of the alert", &truth.chain.as_slice().into(), &fields["chain"]);
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
    // What is always the same is no test.
    for (name, values) in values {
        assert!(values.len() > 1, "{name} is always {values:?}");
    }
}

#[test]
fn two_runs_say_the_same() {
    let data = data(2 * super::Shape::ALL.len(), 12_000);
    let folder = tempfile::tempdir().unwrap();
    data.write(folder.path(), Format::S3, Some(2)).unwrap();
    let text = |threads| format!("{:?}", investigated(folder.path(), threads));
    let first = text(1);
    assert!(first == text(3), "what is found depends on the threads");
}

#[test]
fn chains_are_the_same_for_a_seed_and_change_nothing_else() {
    let (one, two) = (data(60, 12_000), data(60, 12_000));
    let texts = |data: &Data| data.planted.iter().map(|it| it.text.clone()).collect::<Vec<_>>();
    assert_eq!(texts(&one), texts(&two));
    let lines =
        |data: &Data| data.chains.iter().map(|it| serde_json::to_string(it).unwrap()).collect::<Vec<_>>();
    assert_eq!(lines(&one), lines(&two));
    let shapes: BTreeSet<&str> = one.chains.iter().map(|it| it.shape).collect();
    assert_eq!(shapes.len(), super::Shape::ALL.len());
    assert!(data(0, 12_000).planted.is_empty());
}

#[test]
fn chains_need_time() {
    let options = Options { days: 5, ..data(0, 12_000).options };
    let error = Data::new(&Options { chains: 1, ..options }, Path::new(RULES)).err().unwrap().to_string();
    assert!(error.contains("10 days"), "{error}");
}
