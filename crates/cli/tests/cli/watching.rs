//! `serve tail` and `serve tap`: what comes to pass in a data directory.

use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;

use crate::setup::{Folder, refused};

const RULE: &str = r#"
[rule]
name = "Refused"
rule_id = "refused"
description = "Somebody was refused."
severity = "high"
risk_score = 73
type = "query"
index = ["logs-aws.cloudtrail*"]
query = "event.action: GetPasswordData and event.outcome: failure"
from = "now-9m"
interval = "5m"
"#;

fn add(folder: &Folder, number: u32, role: &str) {
    let name = format!("in/{number}.ndjson");
    folder.lines(&name, &[refused(&format!("e-{number}"), "2026-03-02T10:01:00Z", role)]);
    folder.run(&["store", "add", "-q", &name, "--store", "kept", "--now", "2026-03-02T10:02:00Z"]).printed(0);
}

#[test]
fn tail_prints_alerts_as_they_are_raised() {
    let folder = Folder::new();
    folder.write("rules/refused.toml", RULE);
    add(&folder, 1, "ci");
    add(&folder, 2, "backup");
    let tail = ["serve", "tail", "--data", "kept"];
    assert!(folder.run(&tail).error().starts_with("LIVE001"), "there is nothing to follow yet");
    let its = ["detect", "-q", "-r", "rules", "--store", "kept", "--now", "2026-03-02T10:06:00Z"];
    folder.run(&[&its[..], &["--begin", "2026-03-02T10:00:00Z"]].concat()).printed(0);
    let follow = |more: &[&str]| folder.run(&[&tail, more].concat()).printed(0).to_owned();
    assert_eq!(follow(&["--all", "--limit", "2"]).lines().count(), 2);
    let one = follow(&["--all", "--query", "user.name: backup", "--limit", "1", "-f", "json"]);
    let one: Value = serde_json::from_str(&one).unwrap();
    assert_eq!(one["user"]["name"], "backup");
    assert_eq!(follow(&["--for", "1s"]), "", "what was there before is not told");
    assert_eq!(follow(&["--all", "--severity", "critical", "--for", "1s"]), "");
    assert!(folder.run(&[&tail[..], &["--query", "a: ("]].concat()).error().starts_with("LIVE012"));
}

#[test]
fn tap_records_events_with_what_tells_replaced() {
    let folder = Folder::new();
    add(&folder, 1, "before");
    let command = ["serve", "tap", "--data", "kept", "--redact", "--limit", "2", "-q", "-o", "tapped.ndjson"];
    let more = ["--query", "user.name: payroll*", "--for", "2m"];
    let mut command = folder.command(&[&command[..], &more].concat());
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    // Until it has seen enough: when it begins nobody knows.
    let mut number = 10;
    while child.try_wait().unwrap().is_none() && number < 400 {
        add(&folder, number, ["payroll-run", "other"][number as usize % 2]);
        number += 1;
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let text = std::fs::read_to_string(folder.join("tapped.ndjson")).unwrap();
    let records: Vec<Value> = text.lines().map(|it| serde_json::from_str(it).unwrap()).collect();
    assert_eq!(records.len(), 2, "{text}");
    for telling in ["payroll", "203.0.113.20", "before", "other"] {
        assert!(!text.contains(telling), "{telling}: {text}");
    }
    let arn = |it: &Value| it["userIdentity"]["arn"].clone();
    assert_eq!(arn(&records[0]), arn(&records[1]), "the same by the same");
    assert_eq!(records[0]["eventName"], "GetPasswordData");
    assert_eq!(folder.run(&["hunt", "-q", "--once", "-f", "table", "tapped.ndjson"]).code, Some(0));
    let nothing = folder.run(&["serve", "tap", "--data", "kept", "--for", "1s", "-f", "events"]);
    assert!(nothing.printed(0).is_empty() && nothing.err.contains("0 events recorded"), "{nothing:?}");
}

#[test]
fn help() {
    let folder = Folder::new();
    for command in [&["serve"][..], &["serve", "tail"], &["serve", "tap"]] {
        let ran = folder.run(&[command, &["--help"]].concat());
        insta::assert_snapshot!(format!("help_{}", command.join("_")), ran.printed(0));
    }
}
