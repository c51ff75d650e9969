//! What is said when something is wrong with what the user asked for: what, where, what to do.

use crate::setup::{Folder, Ran};

fn hunt(folder: &Folder, arguments: &[&str]) -> Ran {
    folder.run(&[["hunt"].as_slice(), arguments].concat())
}

#[test]
fn wrong_options() {
    let folder = Folder::with_calls();
    folder.write("alerts.csv", "time,severity\n");
    folder.write("alerts.json", "[\n{}\n]\n");
    folder.write("mapping.json", "{\"properties\": {\"a\": {\"type\": \"wurst\"}}}");
    folder.write("no-mapping.json", "{\"a\": 1}");
    folder.write("no-json.txt", "Dear customer");
    let cases: &[&[&str]] = &[
        &["hunt", "absent"],
        &["hunt", "absent-*.json"],
        &["hunt", "absent-1", "absent-2"],
        &["hunt", "calls.ndjson", "--rules", "absent"],
        &["hunt", "calls.ndjson", "--only", "nothing-like-it"],
        &["hunt", "calls.ndjson", "--since", "yesterday"],
        &["hunt", "calls.ndjson", "--since", "2026-02-30"],
        &["hunt", "calls.ndjson", "--until", "now-7x"],
        &["hunt", "calls.ndjson", "--until", "2026-03-01T10:00:00+25:00"],
        &["hunt", "calls.ndjson", "--now", "soon"],
        &["hunt", "calls.ndjson", "--since", "2026-03-02", "--until", "2026-03-01"],
        &["hunt", "calls.ndjson", "--since", "2026-03-02", "--until", "2026-03-02"],
        &["hunt", "calls.ndjson", "--output", "absent/alerts.json"],
        &["hunt", "calls.ndjson", "--output", "."],
        &["hunt", "calls.ndjson", "--alert-history", "absent.ndjson"],
        &["hunt", "calls.ndjson", "--alert-history", "alerts.csv"],
        &["hunt", "calls.ndjson", "--alert-history", "alerts.json"],
        &["hunt", "calls.ndjson", "--alert-history", "calls.ndjson"],
        &["hunt", "calls.ndjson", "--geoip", "absent"],
        &["hunt", "calls.ndjson", "--geoip", "."],
        &["hunt", "calls.ndjson", "--threads", "0"],
        &["hunt", "calls.ndjson", "--threads", "100000"],
        &["hunt", "calls.ndjson", "--max-signals", "0"],
        &["hunt", "calls.ndjson", "--max-depth", "1000"],
        &["hunt", "calls.ndjson", "--format", "pdf"],
        &["hunt"],
        &["normalize", "absent"],
        &["normalize", "calls.ndjson", "--now", "then"],
        &["query", "event.action: *"],
        &["query", "event.action: *", "absent"],
        &["query", "event.action: *", "--source", "calls.ndjson"],
        &["query", "event.action: *", "--source", "=calls.ndjson"],
        &["query", "a: *", "calls.ndjson", "--mapping", "absent"],
        &["query", "a: *", "calls.ndjson", "--mapping", "mapping.json"],
        &["query", "a: *", "calls.ndjson", "--mapping", "no-mapping.json"],
        &["query", "a: *", "calls.ndjson", "--mapping", "no-json.txt"],
        &["query", "a: *", "calls.ndjson", "--language", "sql"],
        &["rules", "show", "nothing-like-it"],
        &["rules", "lint", "absent"],
    ];
    let mut text = String::new();
    for arguments in cases {
        let ran = folder.run(arguments);
        text += &format!("$ trailwarden {}\n{}\n", arguments.join(" "), ran.error());
    }
    insta::assert_snapshot!("wrong_options", text);
}

#[test]
fn ranges_that_hold_nothing() {
    let folder = Folder::with_calls();
    let said = |arguments: &[&str]| {
        let ran = hunt(&folder, &[["calls.ndjson", "-f", "csv"].as_slice(), arguments].concat());
        assert_eq!(ran.printed(0).lines().count(), 1);
        ran.err
    };
    assert_eq!(
        said(&["--since", "2026-04-01"]),
        "0 alerts\nwarning: --since 2026-04-01 00:00:00 lies after the last event (2026-03-04 06:30:00): \
         nothing can be found\n"
    );
    assert_eq!(
        said(&["--until", "2026-01-01"]),
        "0 alerts\nwarning: --until 2026-01-01 00:00:00 does not lie after the first event (2026-03-02 \
         10:00:00): nothing can be found\n"
    );
}

#[test]
fn times_may_be_written_in_many_ways() {
    let folder = Folder::with_calls();
    let alerts = |since: &str| {
        let ran = hunt(
            &folder,
            &[
                "calls.ndjson",
                "-q",
                "-f",
                "csv",
                "--only",
                "EC2 Admin",
                "--now",
                "2026-03-05",
                "--since",
                since,
            ],
        );
        ran.printed(0).lines().count() - 1
    };
    // The role `ci` calls on the second at ten, `backup` on the fourth at half past six.
    assert_eq!(alerts("2026-03-02"), 2);
    assert_eq!(alerts("2026-03-03"), 1);
    assert_eq!(alerts("2026-03-04T06:00:00Z"), 1);
    assert_eq!(alerts("2026-03-04 06:00"), 1);
    assert_eq!(alerts("2026-03-04 06:00:00-02:00"), 0);
    assert_eq!(alerts("20260304"), 1);
    assert_eq!(alerts("2026-03-04T06:00:00-02:00"), 0);
    assert_eq!(alerts("2026-03-04T12:00:00+06:00"), 1);
    assert_eq!(alerts("now-3d"), 2);
    assert_eq!(alerts("now-2d/d"), 1);
    assert_eq!(alerts("now/M"), 2);
}

#[test]
fn rules_that_cannot_run_are_named() {
    let folder = Folder::with_calls();
    let rule = "[rule]\nname = \"Learned\"\ndescription = \"Of the tests.\"\nseverity = \"low\"\nrisk_score = 21\n\
                type = \"machine_learning\"\nanomaly_threshold = 50\nmachine_learning_job_id = \"rare\"\n";
    folder.write("rules/learned.toml", rule);
    let ran = hunt(&folder, &["calls.ndjson", "-f", "csv", "-r", "rules", "--builtin"]);
    assert!(ran.printed(0).lines().count() > 1);
    let expected = "warning: 1 rule did not run:\n    RULE201: rules of type `machine_learning` are not supported yet: \"Learned\"\n";
    assert!(ran.err.contains(expected), "{}", ran.err);
    let ran = hunt(&folder, &["calls.ndjson", "-r", "rules"]);
    assert!(ran.error().starts_with("no rule can run:\n    Learned: "), "{}", ran.err);
}

/// A rule on other indices finds nothing, however long it is looked at.
#[test]
fn rules_on_other_indices_are_named() {
    let folder = Folder::with_calls();
    let rule = "[rule]\nname = \"On mine\"\ndescription = \"Of the tests.\"\nseverity = \"low\"\nrisk_score = 21\n\
                type = \"query\"\nindex = [\"my-trail-*\"]\nquery = \"event.action: *\"\n";
    folder.write("rules/mine.toml", rule);
    let said = "1 rule reads nothing of what is here, which belongs to `logs-aws.cloudtrail-default`; `index` asks \
                for something else:\n    \"On mine\"\n";
    let ran = hunt(&folder, &["calls.ndjson", "-f", "csv", "-r", "rules", "--no-identity"]);
    // What is said of trails is in few records.
    let unread = "note: 4 records were not looked into: no call that is asked for is in their text\n";
    assert_eq!(ran.err, format!("0 alerts\n{unread}warning: {said}"));
    let ran = hunt(&folder, &["calls.ndjson", "-f", "csv", "-r", "rules", "--builtin"]);
    assert!(ran.err.contains(&format!("\nnote: {said}")), "{}", ran.err);
    // Rules on CloudTrail have nothing to read where there is none.
    folder.lines(
        "okta.ndjson",
        &[serde_json::json!({
            "@timestamp": "2026-03-02T10:00:00Z", "event": {"dataset": "okta.system", "action": "x"},
        })],
    );
    let rule = rule.replace("On mine", "On CloudTrail").replace("my-trail-*", "logs-aws.cloudtrail-*");
    folder.write("cloudtrail.toml", rule);
    let ran = hunt(&folder, &["okta.ndjson", "-f", "csv", "-r", "cloudtrail.toml", "--now", "2026-04-01"]);
    assert_eq!(
        ran.err,
        "0 alerts\nwarning: 1 rule reads nothing of what is here, which belongs to `logs-okta.system-default`; `index` \
         asks for something else:\n    \"On CloudTrail\"\n"
    );
}

/// An exception that is not applied is told of; one that is, is not.
#[test]
fn exceptions() {
    let folder = Folder::with_calls();
    let rule = "[rule]\nname = \"Call\"\ndescription = \"Of the tests.\"\nseverity = \"low\"\nrisk_score = 21\n\
                type = \"query\"\nquery = \"event.action: GetPasswordData\"\n[[rule.exceptions_list]]\n\
                id = \"1\"\nlist_id = \"known-callers\"\ntype = \"detection\"\nnamespace_type = \"single\"\n";
    folder.write("rules/call.toml", rule);
    let hunt = || hunt(&folder, &["calls.ndjson", "-f", "csv", "-r", "rules"]);
    let ran = hunt();
    assert_eq!(ran.printed(0).lines().count(), 5);
    assert!(
        ran.err.starts_with("4 alerts\nwarning: the rule \"Call\": The following exceptions won't be applied to rule execution: all of the list `known-callers`"),
        "{}",
        ran.err
    );
    let list = serde_json::json!({
        "list_id": "known-callers", "type": "detection", "namespace_type": "single",
        "name": "Known callers", "description": "Of the tests.",
    });
    let item = serde_json::json!({
        "list_id": "known-callers", "item_id": "ci", "type": "simple", "namespace_type": "single",
        "name": "The build", "description": "Of the tests.",
        "entries": [{"field": "user.name", "operator": "included", "type": "match", "value": "ci"}],
    });
    folder.lines("rules/exceptions.ndjson", &[list, item]);
    let ran = hunt();
    assert_eq!(ran.err, "2 alerts\n");
    assert!(!ran.printed(0).contains("role/ci"), "{}", ran.out);
}

/// Nothing on standard error when asked to be quiet, however bad the input.
#[test]
fn quiet() {
    let folder = Folder::with_calls();
    folder.write("broken.ndjson", "{\"eventName\": nope}\n");
    let ran = hunt(&folder, &["calls.ndjson", "broken.ndjson", "-q", "-f", "csv"]);
    assert!(ran.printed(3).lines().count() > 1);
    assert_eq!(ran.err, "");
    let ran = hunt(&folder, &["absent", "-q"]);
    assert!(ran.error().contains("`absent`"), "an error is no notice");
}

/// A hunt may take an hour: what it is for must not fail at its end.
#[test]
fn the_output_is_asked_for_before_the_work() {
    let folder = Folder::with_calls();
    let ran = hunt(&folder, &["absent", "-o", "absent/alerts.json"]);
    assert_eq!(ran.error(), "cannot write to `absent/alerts.json`: there is no folder `absent`");
    folder.write("alerts.json", "kept");
    assert!(hunt(&folder, &["absent", "-o", "alerts.json"]).error().contains("`absent`"));
    assert_eq!(
        std::fs::read_to_string(folder.join("alerts.json")).unwrap(),
        "kept",
        "a hunt that failed wrote nothing"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    let folder = Folder::with_calls();
    let ran = hunt(&folder, &["calls.ndjson", "-f", "json", "-o", "/dev/full"]);
    assert!(ran.error().starts_with("cannot write the result to `/dev/full`: "), "{}", ran.err);
}
