//! What could not have been seen, as a hunt and `verify` tell it.

use complete::{Aspect, BlindRange, Keys};
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
    hunt::verify(&options, &Keys::default(), &mut std::io::empty(), &Progress::default()).unwrap()
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
