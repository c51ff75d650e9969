//! What could not have been seen, as a hunt and `verify` tell it.

use std::collections::BTreeMap;

use cases::shared;
use complete::{Aspect, BlindRange, Hours, Keys, gaps};
use hunt::{HuntOptions, Progress, Verified};
use serde_json::{Value, json};

use crate::setup::{DAY_ONE, Folder, HOUR, MINUTE, get_password_data, options, refused, run};

fn trail(id: &str, minute: i64, action: &str, request: Value, error: Option<&str>) -> String {
    let mut record = refused(id, DAY_ONE + minute * MINUTE, "ci").record();
    record["eventSource"] = "cloudtrail.amazonaws.com".into();
    record["eventName"] = action.into();
    record["requestParameters"] = request;
    let all = record.as_object_mut().unwrap();
    all.retain(|key, _| !key.starts_with("error"));
    if let Some(error) = error {
        all.insert("errorCode".to_owned(), error.into());
    }
    record.to_string() + "\n"
}

/// Calls about two trails in three files, with copies, refused ones and others between them.
fn story() -> Folder {
    let folder = Folder::new();
    let name = |name: &str| json!({"name": name});
    let between: String =
        (0..300).map(|at| refused(&format!("r-{at}"), DAY_ONE + at * MINUTE, "ci").line()).collect();
    let stop = trail("stop", 10, "StopLogging", name("main"), None);
    folder.write("c.ndjson", stop.clone() + &between);
    let selectors = json!({"trailName": "other", "eventSelectors": [{"readWriteType": "WriteOnly"}]});
    let b = [
        trail("refused", 5, "DeleteTrail", name("main"), Some("AccessDenied")),
        trail("select", 20, "PutEventSelectors", selectors, None),
        stop,
    ];
    folder.write("b.ndjson", b.concat());
    folder.write("a.ndjson", trail("start", 90, "StartLogging", name("main"), None));
    folder
}

fn shown(ranges: &[BlindRange]) -> Vec<(&str, Aspect, i64, Option<i64>, u64)> {
    let minute = |time: i64| (time - DAY_ONE) / MINUTE;
    ranges
        .iter()
        .map(|it| (&*it.subject.name, it.aspect, minute(it.from), it.to.map(minute), it.call_count))
        .collect()
}

fn verified(folder: &Folder, threads: usize) -> Verified {
    let options = HuntOptions { threads, ..options(folder, &[]) };
    hunt::verify(
        &options,
        &Keys::default(),
        complete::Range::default(),
        &mut std::io::empty(),
        &Progress::default(),
    )
    .unwrap()
}

#[test]
fn a_hunt_and_verify_tell_the_same() {
    let folder = story();
    let expected =
        [("main", Aspect::Everything, 10, Some(90), 1), ("other", Aspect::Management, 20, None, 1)];
    for threads in [1, 3] {
        let it = verified(&folder, threads);
        assert_eq!(shown(&it.blind.ranges), expected);
        // No whole hour lies in the range.
        assert_eq!(it.meanwhile[0], 0);
        assert_eq!((it.read.events, it.read.duplicates, it.read.files), (304, 1, 3));
        let who = &it.blind.ranges[0].calls[0].who;
        assert_eq!(who, "arn:aws:iam::111122223333:role/ci");
        for evidence_bytes in [0, hunt::EVIDENCE_BYTES] {
            let options = HuntOptions {
                watch: true,
                threads,
                evidence_bytes,
                ..options(&folder, &[get_password_data()])
            };
            let found = run(&options);
            assert_eq!(found.completeness.as_ref().unwrap().blind, it.blind);
            // It costs no alert, and no record is counted otherwise.
            let plain = run(&HuntOptions { watch: false, ..options });
            assert_eq!(found.alerts, plain.alerts);
            assert_eq!(found.read.records.matched, plain.read.records.matched);
            assert_eq!(found.read.records.total(), plain.read.records.total());
            assert!(plain.completeness.is_none());
        }
    }
}

#[test]
fn records_that_are_here_all_the_same() {
    let folder = Folder::new();
    let calls: String =
        (0..12).map(|at| refused(&format!("r-{at}"), DAY_ONE + at * HOUR, "ci").line()).collect();
    let stop = trail("stop", 90, "StopLogging", json!({"name": "main"}), None);
    folder.write("a.ndjson", calls + &stop);
    let it = verified(&folder, 1);
    // From two to eleven: the hour before had begun when it was stopped.
    assert_eq!(it.meanwhile, [10]);
    assert_eq!(it.read.span, Some((DAY_ONE, DAY_ONE + 11 * HOUR)));
}

/// Recorded trails have no gaps that nobody can see; of days as they were recorded, again and again, the hours that are
/// taken out are found, and nothing else.
#[test]
fn gaps_of_recorded_trails() {
    const DAYS: i64 = 42;
    for name in ["sans504", "invictus", "stratus"] {
        let Some(data) = shared(name) else { return };
        let nowhere = Folder::new();
        let options = HuntOptions { paths: vec![data], ..options(&nowhere, &[]) };
        let range = complete::Range::default();
        let it = hunt::verify(&options, &Keys::default(), range, &mut std::io::empty(), &Progress::default())
            .unwrap();
        assert_eq!(it.gaps.gaps, [], "{name}");
        assert!(it.gaps.looked_at > 0 && it.gaps.too_little.len() as u64 == it.gaps.looked_at, "{name}");
        if name != "sans504" {
            continue;
        }
        // The busiest day of a region, over and over.
        let mut counts: BTreeMap<(String, String, i64), BTreeMap<i64, u64>> = BTreeMap::new();
        let normalize = hunt::NormalizeOptions {
            paths: options.paths.clone(),
            stored: Vec::new(),
            normalise: options.normalise.clone(),
            limits: reader::Limits::default(),
            now: options.now,
            copies: false,
        };
        let mut take = |it: hunt::Document| {
            let text = |path: &str| {
                let value = ecs::document::lookup(&it.source, path).and_then(Value::as_str);
                value.unwrap_or_default().to_owned()
            };
            let hour = ecs::document::timestamp(&it.source).unwrap().div_euclid(HOUR);
            let day = (text("cloud.account.id"), text("cloud.region"), hour.div_euclid(24));
            *counts.entry(day).or_default().entry(hour.rem_euclid(24)).or_default() += 1;
            true
        };
        hunt::normalize(&normalize, &mut std::io::empty(), &Progress::default(), &mut take).unwrap();
        let ((account, region, first), day) =
            counts.into_iter().max_by_key(|(_, hours)| hours.values().sum::<u64>()).unwrap();
        let (busiest, most) =
            day.iter().max_by_key(|it| it.1).map(|(hour, records)| (*hour, *records)).unwrap();
        assert!(most >= 8 && day.len() > 1, "{day:?}");
        let hours = |without: Option<i64>| {
            let mut hours = Hours::default();
            for number in 0..DAYS {
                for (hour, records) in day.iter().filter(|(hour, _)| without != Some(number * 24 + **hour)) {
                    hours.add(&account, &region, ((first + number) * 24 + hour) * HOUR, *records);
                }
            }
            hours
        };
        assert_eq!(gaps(&hours(None)).gaps, [], "what repeats itself has no gap");
        let out = 30 * 24 + busiest;
        let found = gaps(&hours(Some(out))).gaps;
        assert_eq!(found.len(), 1, "{found:?}");
        // It is as long as the silence that the hour makes together with the quiet ones beside it.
        let at = (first * 24 + out) * HOUR;
        assert!(found[0].from <= at && found[0].to >= at + HOUR, "{found:?}");
    }
}
