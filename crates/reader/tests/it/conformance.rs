//! Real trails: every record of the published sets is found. They are not part of this repository.

use std::env;
use std::path::PathBuf;

use reader::{Discovery, Reader, RecordKind};

use crate::support::Keep;

/// A set, its files, its records, and how many of them are CloudTrail records.
const SETS: [(&str, usize, usize, usize); 7] = [
    ("sans504", 1388, 11_805, 11_805),
    ("invictus", 55, 2900, 2900),
    ("stratus", 25, 190, 190),
    ("otrf", 1, 103, 103),
    ("traildiscover", 1, 207, 207),
    ("permiso-console-sessions", 16, 5877, 5877),
    ("panther-tests", 1, 225, 225),
];

#[test]
fn published_sets_are_read_whole() {
    let Some(data) = shared_data() else { return };
    for (name, files, records, cloudtrail) in SETS {
        let found = Discovery::find(&[data.join(name)], &mut std::io::empty()).unwrap();
        assert_eq!(found.inputs.len(), files, "files of {name}");
        let mut keep = Keep::default();
        let mut reader = Reader::default();
        for input in &found.inputs {
            reader.read(input, &mut keep);
        }
        assert!(keep.problems.is_empty(), "{name}: {:?}", keep.problems);
        assert_eq!(keep.records.len(), records, "records of {name}");
        let is_cloudtrail =
            keep.records.iter().filter(|record| record.kind == RecordKind::CloudTrail).count();
        assert_eq!(is_cloudtrail, cloudtrail, "CloudTrail records of {name}");
        for record in &keep.records {
            let value: Result<serde_json::Value, _> = serde_json::from_str(&record.text);
            assert!(value.is_ok_and(|value| value.is_object()), "{name}: {}", record.text);
        }
    }
}

/// No event of the published S3 tree lies behind the margin that pruning leaves.
#[test]
fn deliveries_stay_within_the_margin() {
    let Some(data) = shared_data() else { return };
    for name in ["sans504", "invictus"] {
        let found = Discovery::find(&[data.join(name)], &mut std::io::empty()).unwrap();
        for input in &found.inputs {
            let key = input.s3.as_ref().unwrap_or_else(|| panic!("no delivery time: {}", input.name()));
            let mut keep = Keep::default();
            Reader::default().read(input, &mut keep);
            for record in &keep.records {
                let value: serde_json::Value = serde_json::from_str(&record.text).unwrap();
                let time = value["eventTime"].as_str().unwrap();
                // The same instant as a name would write it: only the library knows how to read those.
                let stamp: String =
                    time[..16].chars().filter(|letter| !matches!(letter, '-' | ':')).collect();
                let name = format!("111122223333_CloudTrail_eu-west-1_{stamp}Z_x.json.gz");
                let event = reader::S3Key::parse(name.as_ref()).unwrap();
                assert!(key.may_hold(event.delivered_to_ms), "{time} in {}", input.name());
            }
        }
    }
}

/// The folder with the published sets. Without it the test cannot run, which must not go unnoticed.
#[expect(clippy::disallowed_methods, reason = "a test finds its data by the environment")]
#[expect(clippy::print_stderr, reason = "a skipped test must say so")]
fn shared_data() -> Option<PathBuf> {
    let shared = env::var("TRAILWARDEN_SHARED").map_or_else(
        |_| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared")),
        PathBuf::from,
    );
    let data = shared.join("data");
    if data.is_dir() {
        return Some(data);
    }
    assert!(env::var("CI").as_deref() != Ok("true"), "no data at {}; set TRAILWARDEN_SHARED", data.display());
    eprintln!(
        "SKIPPED: no published sets at {}; set TRAILWARDEN_SHARED to check against them",
        data.display()
    );
    None
}
