//! What became of the input: the exit status, `--stats`, and events that were delivered more than once.

use serde_json::Value;

use crate::setup::{Folder, refused};

#[test]
fn exit_statuses() {
    let folder = Folder::with_calls();
    folder.write("broken.ndjson", "{\"eventName\": nope}\n");
    folder.write("none.json", "{\"Records\":[]}");
    folder.write("other.ndjson", "{\"@timestamp\":\"2026-03-02T10:00:00Z\",\"colour\":\"red\"}\n");
    let only = ["--only", "EC2 Admin", "--now", "2026-04-01"];
    let cases: [(&[&str], i32); 12] = [
        (&["hunt", "calls.ndjson"], 0),
        (&["hunt", "calls.ndjson", "broken.ndjson"], 3),
        (&["hunt", "calls.ndjson", "broken.ndjson", "--strict"], 2),
        (&["hunt", "calls.ndjson", "broken.ndjson", "--strict", "--fail-on", "medium"], 1),
        (&["hunt", "calls.ndjson", "broken.ndjson", "--fail-on", "high"], 3),
        (&["hunt", "broken.ndjson"], 2),
        (&["hunt", "none.json"], 2),
        (&["hunt", "other.ndjson"], 2),
        (&["hunt", "other.ndjson", "calls.ndjson"], 0),
        (&["normalize", "calls.ndjson", "broken.ndjson"], 3),
        (&["normalize", "calls.ndjson", "broken.ndjson", "--strict"], 2),
        (&["query", "user.name: x", "calls.ndjson", "broken.ndjson"], 3),
    ];
    for (arguments, code) in cases {
        let is_hunt = arguments[0] == "hunt";
        let ran = folder.run(&[arguments, if is_hunt { &only } else { &[] }].concat());
        assert_eq!(ran.code, Some(code), "{arguments:?}: {ran:?}");
    }
}

#[test]
fn records_that_no_rule_can_see_are_told() {
    let folder = Folder::with_calls();
    folder.write("other.ndjson", "{\"@timestamp\":\"2026-03-02T10:00:00Z\",\"colour\":\"red\"}\n");
    let ran = folder.run(&["hunt", "other.ndjson", "--only", "EC2 Admin"]);
    assert!(
        ran.printed(2)
            .contains("1 document has no field that any of the rules reads, and there is nothing else"),
        "{}",
        ran.out
    );
    let ran = folder.run(&["hunt", "other.ndjson", "calls.ndjson", "--only", "EC2 Admin"]);
    assert!(
        ran.printed(0).contains("1 document has no field that any of the rules reads: they may"),
        "{}",
        ran.out
    );
}

fn stats(folder: &Folder, arguments: &[&str]) -> Value {
    let ran = folder
        .run(&[["hunt", "--stats", "stats.json", "--now", "2026-04-01"].as_slice(), arguments].concat());
    assert!(matches!(ran.code, Some(0 | 3)), "{ran:?}");
    serde_json::from_str(&std::fs::read_to_string(folder.join("stats.json")).unwrap()).unwrap()
}

/// Every record is in one of the numbers, whatever else is loaded.
#[test]
fn stats_add_up() {
    let folder = Folder::with_calls();
    let mut other = refused("e-9", "2026-03-02T12:00:00Z", "ci");
    other["eventName"] = "DescribeInstances".into();
    let copy = refused("e-1", "2026-03-02T10:00:00Z", "ci");
    folder.lines("more.ndjson", &[other, copy.clone(), copy]);
    folder.write("broken.ndjson", "{\"eventName\": \"GetPasswordData\", nope}\nnothing at all\n");
    let input = ["calls.ndjson", "more.ndjson", "broken.ndjson"];
    let narrow = stats(&folder, &[input.as_slice(), &["--only", "EC2 Admin"]].concat());
    let of = |stats: &Value, key: &str| stats["records"][key].as_u64().unwrap();
    let keys = ["matched", "unmatched", "duplicate", "unreadable", "skipped_unread"];
    let numbers: Vec<u64> = keys.iter().map(|key| of(&narrow, key)).collect();
    assert_eq!((numbers.as_slice(), of(&narrow, "total")), ([3, 1, 2, 1, 1].as_slice(), 8), "{narrow}");
    assert_eq!(narrow["alerts"], 2);
    assert_eq!(narrow["rules"][0]["matched"], 5);
    assert_eq!(narrow["unreadable_parts"], 2, "a line that is no record, and a record that is broken");
    // A rule that may match anything leaves nothing unread.
    folder.write(
        "wide.toml",
        "[rule]\nname = \"Wide\"\ndescription = \"d\"\nseverity = \"low\"\nrisk_score = 1\ntype = \"query\"\nquery = \"event.outcome: *\"\n",
    );
    let wide = stats(&folder, &[input.as_slice(), &["-r", "wide.toml"]].concat());
    let numbers: Vec<u64> = keys.iter().map(|key| of(&wide, key)).collect();
    assert_eq!(numbers, [5, 0, 2, 1, 0], "{wide}");
    assert_eq!(narrow["last"], wide["last"]);
    // It must not cost the evidence.
    let ran = folder.run(&["hunt", "calls.ndjson", "--stats", "calls.ndjson"]);
    assert!(ran.error().contains("is one of the files that are read"), "{ran:?}");
}

#[test]
fn an_event_is_one_document() {
    let folder = Folder::with_calls();
    std::fs::copy(folder.join("calls.ndjson"), folder.join("copy.ndjson")).unwrap();
    for command in [["normalize"].as_slice(), &["query", "event.action: *"]] {
        let run = |more: &[&str]| folder.run(&[command, &["calls.ndjson", "copy.ndjson"], more].concat());
        let ran = run(&[]);
        assert_eq!(ran.printed(0).lines().count(), 4, "{command:?}");
        assert_eq!(
            ran.err,
            "note: 4 further deliveries of events that were there before; --copies prints them too\n"
        );
        let all = run(&["--copies"]);
        assert_eq!((all.printed(0).lines().count(), all.err.as_str()), (8, ""), "{command:?}");
    }
    let hunted = folder.run(&["hunt", "calls.ndjson", "copy.ndjson", "--only", "EC2 Admin"]);
    assert!(
        hunted.printed(0).contains("3 records are further deliveries of an event that was there before"),
        "{}",
        hunted.out
    );
}

/// Nothing is called nothing: events without an id or an index of their own are not copies of each other.
#[test]
fn empty_ids_are_no_ids() {
    let folder = Folder::new();
    let hit = |user: &str| {
        serde_json::json!({"_id": "", "_index": "", "_source": {
            "@timestamp": "2026-03-02T10:00:00Z", "event": {"dataset": "aws.cloudtrail", "action": "X"}, "user": {"name": user},
        }})
    };
    folder.lines("hits.ndjson", &[hit("a"), hit("b")]);
    folder.write(
        "all.toml",
        "[rule]\nname = \"All\"\ndescription = \"d\"\nseverity = \"low\"\nrisk_score = 1\ntype = \"query\"\nindex = [\"logs-aws.cloudtrail*\"]\nquery = \"event.action: X\"\n",
    );
    let ran = folder.run(&["hunt", "hits.ndjson", "-r", "all.toml"]);
    assert!(ran.printed(0).starts_with("2 alerts"), "{}", ran.out);
}
