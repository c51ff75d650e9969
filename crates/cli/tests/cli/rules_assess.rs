//! `rules forecast`, `diff`, `coverage`, `export`: what rules would do, and rules for other tools.

use serde_json::Value;

use crate::setup::{Folder, refused};

fn rule(id: &str, name: &str, query: &str, more: &str) -> String {
    format!(
        r#"
[rule]
rule_id = "{id}"
name = "{name}"
description = "d"
severity = "medium"
risk_score = 47
type = "query"
language = "kuery"
index = ["logs-aws.cloudtrail*"]
query = '{query}'
{more}
[[rule.threat]]
framework = "MITRE ATT&CK"
[rule.threat.tactic]
id = "TA0006"
name = "Credential Access"
reference = "https://attack.mitre.org/tactics/TA0006/"
[[rule.threat.technique]]
id = "T1552"
name = "Unsecured Credentials"
reference = "https://attack.mitre.org/techniques/T1552/"
"#
    )
}

fn folder() -> Folder {
    let folder = Folder::with_calls();
    folder.write("old/a.toml", rule("a", "Refused", "event.outcome: failure", ""));
    folder.write("old/b.toml", rule("b", "Any", "event.provider: ec2.amazonaws.com", "max_signals = 1"));
    folder.write(
        "new/a.toml",
        rule("a", "Refused", "event.outcome: failure and not user.name: ops", "").replace("medium", "high"),
    );
    folder.write("new/c.toml", rule("c", "Never", "event.action: Nothing", ""));
    folder
}

#[test]
fn forecasts_say_who_and_how_much() {
    let folder = folder();
    let ran =
        folder.run(&["rules", "forecast", "-r", "old", "--over", "calls.ndjson", "--now", "2026-04-01"]);
    insta::assert_snapshot!(ran.whole());
    let ran = folder.run(&["rules", "forecast", "-r", "old", "--over", "calls.ndjson", "-f", "json"]);
    let report: Value = serde_json::from_str(ran.printed(0)).unwrap();
    assert_eq!(report["rules"].as_array().unwrap().len(), 2);
    assert_eq!(folder.run(&["rules", "forecast", "-r", "old"]).code, Some(2), "records must be named");
}

#[test]
fn differences_are_alerts() {
    let folder = folder();
    let over = ["--over", "calls.ndjson", "--now", "2026-04-01"];
    let diff = |arguments: &[&str]| folder.run(&[&["rules", "diff"], arguments, &over].concat());
    insta::assert_snapshot!(diff(&["old", "new"]).whole());
    assert_eq!(diff(&["old", "new", "--fail"]).code, Some(1));
    let same = diff(&["old", "old", "--fail"]);
    assert!(same.printed(0).ends_with("the same; 0 rules differ\n"), "{}", same.out);
}

#[test]
fn what_a_store_holds_is_tried_on_as_its_files_are() {
    let folder = folder();
    folder.run(&["store", "add", "--store", "kept", "-q", "calls.ndjson"]).printed(0);
    for command in [
        &["rules", "forecast", "-r", "old", "--now", "2026-04-01"][..],
        &["rules", "diff", "old", "new", "--now", "2026-04-01"],
    ] {
        let with = |from: &[&str]| folder.run(&[command, from].concat()).printed(0).to_owned();
        let of_files = with(&["--over", "calls.ndjson"]);
        assert!(of_files.contains("Refused"), "{of_files}");
        assert_eq!(with(&["--store", "kept"]), of_files, "{command:?}");
    }
}

/// An alert that stands for a group is the same when one of the group is gone.
#[test]
fn groups_are_the_same_with_another_event_in_them() {
    let folder = Folder::new();
    let calls = [("e-1", "10:01:00"), ("e-2", "10:02:00"), ("e-3", "12:01:00")];
    folder.lines("calls.ndjson", &calls.map(|(id, time)| refused(id, &format!("2026-03-02T{time}Z"), "ci")));
    let suppression = "alert_suppression = { group_by = [\"event.provider\"] }\nfrom = \"now-20m\"\n";
    let of = |query: &str| rule("a", "Grouped", query, suppression);
    folder.write("old/a.toml", of("event.action: GetPasswordData"));
    folder.write("new/a.toml", of("event.action: GetPasswordData and not event.id: e-1"));
    let ran = folder.run(&["rules", "diff", "old", "new", "--over", "calls.ndjson", "--now", "2026-04-01"]);
    assert_eq!(
        ran.printed(0),
        "Grouped\n  ~ 1 alert count otherwise\n      1 suppressed → 0 suppressed: \
         2026-03-02 10:02:00 · ec2:GetPasswordData · role/ci (session-1) · 203.0.113.20\n\
         1 alert is the same; 1 rule differs\n"
    );
}

#[test]
fn coverage_by_technique_and_by_attack() {
    let folder = folder();
    insta::assert_snapshot!(folder.run(&["rules", "coverage", "-r", "old"]).whole());
    let layer = folder.run(&["rules", "coverage", "-r", "old", "-f", "navigator"]);
    let layer: Value = serde_json::from_str(layer.printed(0)).unwrap();
    assert_eq!(layer["techniques"][0]["techniqueID"], "T1552");
    assert_eq!(layer["techniques"][0]["score"], 2);
    std::fs::create_dir(folder.join("attacks")).unwrap();
    std::fs::copy(folder.join("calls.ndjson"), folder.join("attacks/refused.ndjson")).unwrap();
    folder.write("attacks/nothing.txt", "this is no record\n");
    let quiet = r#"{"eventVersion":"1.08","eventID":"q","eventTime":"2026-01-01T00:00:00Z","eventSource":"s3.amazonaws.com","eventName":"GetObject"}"#;
    folder.write("attacks/quiet.json", quiet);
    insta::assert_snapshot!(folder.run(&["rules", "coverage", "-r", "old", "--over", "attacks"]).whole());
}

#[test]
fn exports_are_read_again() {
    let folder = folder();
    let ran = folder.run(&["rules", "export", "-r", "old"]);
    folder.write("all.ndjson", ran.printed(0));
    let ran = folder.run(&["rules", "export", "-r", "all.ndjson", "-f", "toml", "-o", "made"]);
    assert_eq!((ran.printed(0), ran.err.as_str()), ("", "2 files in made\n"));
    let same = folder.run(&["rules", "diff", "old", "made", "--over", "calls.ndjson", "--fail"]);
    assert_eq!(same.code, Some(0), "{}", same.whole());
    let again = folder.run(&["rules", "export", "-r", "old", "-f", "toml", "-o", "made"]);
    assert!(again.err.contains("is there already"), "{}", again.err);
    let several = folder.run(&["rules", "export", "-r", "old", "-f", "toml"]);
    assert!(several.error().starts_with("2 rules are 2 files"), "{}", several.err);
    insta::assert_snapshot!(
        folder.run(&["rules", "export", "-r", "old", "--only", "Refused", "-f", "toml"]).whole()
    );
}
