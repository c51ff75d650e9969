//! Detection over a store: what is due is executed once, what is kept can be worked with, a hunt finds the same.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::setup::{Folder, refused};

const STORE: [&str; 2] = ["--store", "kept"];

const RULES: &str = r#"
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

/// The same by groups, of which those alike suppress one another, by when events were ingested.
const ALIKE: &str = r#"
[rule]
name = "Refused often"
rule_id = "refused-often"
description = "Somebody was refused again and again."
severity = "medium"
risk_score = 47
type = "threshold"
index = ["logs-aws.cloudtrail*"]
query = "event.action: GetPasswordData and event.outcome: failure"
timestamp_override = "event.ingested"
from = "now-9m"
interval = "5m"
[rule.threshold]
field = ["aws.cloudtrail.user_identity.session_context.session_issuer.arn"]
value = 2
[rule.alert_suppression]
duration = { value = 1, unit = "h" }
"#;

fn with_rules() -> Folder {
    let folder = Folder::new();
    folder.write("rules/refused.toml", RULES);
    folder.write("rules/alike.toml", ALIKE);
    folder
}

/// Takes in events at a time.
fn add(folder: &Folder, now: &str, events: &[(&str, &str, &str)]) {
    let name = format!("in/{}.ndjson", now.replace([':', ' '], "-"));
    let records: Vec<Value> = events.iter().map(|(id, time, role)| refused(id, time, role)).collect();
    folder.lines(&name, &records);
    folder.run(&[&["store", "add", "-q", &name, "--now", now], &STORE[..]].concat()).printed(0);
}

fn detect(folder: &Folder, now: &str, more: &[&str]) -> Vec<Value> {
    let its = ["detect", "-q", "-r", "rules", "-f", "ndjson", "--now", now];
    let ran = folder.run(&[&its, &STORE[..], more].concat());
    ran.printed(0).lines().map(|it| serde_json::from_str(it).unwrap()).collect()
}

fn alerts(folder: &Folder, arguments: &[&str]) -> String {
    folder.run(&[&["alerts"], arguments, &STORE[..]].concat()).printed(0).to_owned()
}

fn exported(folder: &Folder, query: &str) -> Vec<Value> {
    let text = alerts(folder, &["export", "--query", query]);
    text.lines().map(|it| serde_json::from_str(it).unwrap()).collect()
}

fn id(alert: &Value) -> String {
    alert["kibana.alert.uuid"].as_str().unwrap().to_owned()
}

#[test]
fn executions_see_what_was_ingested_and_a_hunt_as_if_live_finds_the_same() {
    let folder = with_rules();
    add(&folder, "2026-03-02T10:01:00Z", &[("e-1", "2026-03-02T10:00:00Z", "ci")]);
    let first = detect(&folder, "2026-03-02T10:06:00Z", &["--begin", "2026-03-02T10:00:00Z"]);
    assert_eq!(first.len(), 1, "{first:?}");
    assert_eq!(first[0]["kibana.alert.rule.execution.type"], "scheduled");
    assert_eq!(first[0]["@timestamp"], "2026-03-02T10:00:00.000Z", "the range of a slot ends with it");
    assert_eq!(first[0]["kibana.alert.rule.execution.timestamp"], "2026-03-02T10:06:00.000Z");
    assert!(detect(&folder, "2026-03-02T10:06:30Z", &[]).is_empty(), "each execution once");
    let none = ["detect", "-q", "-r", "rules", "--now", "2026-03-02T10:06:40Z"];
    let none = folder.run(&[&none, &STORE[..]].concat());
    assert_eq!(none.printed(0), "0 alerts\n", "nothing is told of records: there was no hunt");
    let two = [("e-2", "2026-03-02T10:07:00Z", "ci"), ("e-3", "2026-03-02T10:08:00Z", "ci")];
    add(&folder, "2026-03-02T10:09:00Z", &two);
    assert_eq!(detect(&folder, "2026-03-02T10:10:00Z", &[]).len(), 3, "two, and that it was often");
    // What comes after the last execution that could have seen it is counted, and filled.
    add(
        &folder,
        "2026-03-02T10:40:00Z",
        &[("e-4", "2026-03-02T10:02:00Z", "backup"), ("e-1", "2026-03-02T10:00:00Z", "ci")],
    );
    let late = detect(&folder, "2026-03-02T10:41:00Z", &["--no-fill"]);
    assert!(late.is_empty(), "{late:?}");
    let status = folder.run(&[&["detect", "--status", "-f", "json"], &STORE[..]].concat());
    let status: Value = serde_json::from_str(status.printed(0)).unwrap();
    let of = |name: &str| {
        status["rules"].as_array().unwrap().iter().find(|it| it["rule_id"] == name).unwrap().clone()
    };
    assert_eq!(of("refused")["late_events"], 1, "{status:#}");
    assert_eq!(of("refused-often")["late_events"], 0, "it goes by when events were ingested");
    let filled = detect(&folder, "2026-03-02T10:42:00Z", &[]);
    assert_eq!(filled.len(), 1, "{filled:?}");
    assert_eq!(filled[0]["kibana.alert.rule.execution.type"], "manual");
    assert_eq!(filled[0]["@timestamp"], "2026-03-02T10:05:00.000Z");
    let again =
        ["rules", "run", "refused", "-q", "-r", "rules", "-f", "ndjson", "--now", "2026-03-02T10:43:00Z"];
    let again = folder.run(&[&again[..], &["--from", "2026-03-02T10:00:00Z"], &STORE[..]].concat());
    assert_eq!(again.printed(0), "", "nothing is said twice");
    // More of those alike is counted in the alert that exists.
    let more = [("e-5", "2026-03-02T10:44:00Z", "ci"), ("e-6", "2026-03-02T10:44:30Z", "ci")];
    add(&folder, "2026-03-02T10:45:00Z", &more);
    assert_eq!(detect(&folder, "2026-03-02T10:51:00Z", &[]).len(), 2);
    let kept = exported(&folder, "");
    let often: Vec<&Value> =
        kept.iter().filter(|it| it["kibana.alert.rule.rule_id"] == "refused-often").collect();
    assert_eq!(often.len(), 1);
    assert_eq!(often[0]["kibana.alert.suppression.docs_count"], 1);

    let hunt = ["hunt", "--as-live", "-q", "-r", "rules", "-f", "ndjson", "--now", "2026-03-02T11:00:00Z"];
    let hunted = folder.run(&[&hunt, &STORE[..]].concat());
    let comparable = |it: &Value| {
        let mut it = it.as_object().unwrap().clone();
        // When it was read, written, and why, may differ.
        it.retain(|key, _| {
            !key.starts_with("kibana.alert.rule.execution.t") && !key.ends_with("event.created")
        });
        it.get_mut("event").and_then(Value::as_object_mut).map(|it| it.remove("created"));
        (it["kibana.alert.uuid"].as_str().unwrap().to_owned(), Value::from(it))
    };
    let hunted: BTreeMap<String, Value> =
        hunted.printed(0).lines().map(|it| comparable(&serde_json::from_str(it).unwrap())).collect();
    let kept: BTreeMap<String, Value> = kept.iter().map(comparable).collect();
    assert_eq!(kept, hunted);
    assert_eq!(kept.len(), 7);
}

#[test]
fn a_hunt_as_if_live_executes_what_rules_said_then() {
    let folder = with_rules();
    add(&folder, "2026-03-02T10:01:00Z", &[("e-1", "2026-03-02T10:00:00Z", "ci")]);
    assert_eq!(detect(&folder, "2026-03-02T10:06:00Z", &["--begin", "2026-03-02T10:00:00Z"]).len(), 1);
    // Somebody edits the rule, and later removes it.
    folder.write("rules/refused.toml", RULES.replace("severity = \"high\"", "severity = \"low\""));
    add(&folder, "2026-03-02T10:09:00Z", &[("e-2", "2026-03-02T10:07:00Z", "ci")]);
    assert!(!detect(&folder, "2026-03-02T10:10:00Z", &[]).is_empty());
    folder.write("rules/refused.toml", ALIKE);
    let told = |it: &Value| (id(it), it["kibana.alert.severity"].clone());
    let kept: BTreeMap<String, Value> = exported(&folder, "").iter().map(told).collect();
    let hunt = |more: &[&str]| {
        let hunt = ["hunt", "--as-live", "-q", "-f", "ndjson", "--now", "2026-03-02T11:00:00Z"];
        let ran = folder.run(&[&hunt, &STORE[..], more].concat());
        ran.printed(0).lines().map(|it| told(&serde_json::from_str(it).unwrap())).collect::<BTreeMap<_, _>>()
    };
    assert_eq!(hunt(&[]), kept);
    assert!(kept.values().any(|it| it == "high") && kept.values().any(|it| it == "low"), "{kept:?}");
    assert_eq!(hunt(&["--only", "refused-often"]).len(), 1, "of some only");
    assert!(hunt(&["-r", "rules"]).len() < kept.len(), "rules that are named are executed as they are");
}

#[test]
fn alerts_are_worked_with_and_it_is_written_down() {
    let folder = with_rules();
    let events = [("e-1", "2026-03-02T10:00:00Z", "ci"), ("e-2", "2026-03-02T10:00:30Z", "backup")];
    add(&folder, "2026-03-02T10:01:00Z", &events);
    detect(&folder, "2026-03-02T10:06:00Z", &["--begin", "2026-03-02T10:00:00Z"]);
    let its = exported(&folder, "kibana.alert.rule.rule_id: refused");
    assert_eq!(its.len(), 2);
    let (one, beginning) = (id(&its[0]), id(&its[0])[..12].to_owned());
    let by = ["--as", "ada", "--now", "2026-03-02T12:00:00Z", "-q"];
    let change = |arguments: &[&str]| alerts(&folder, &[arguments, &by].concat());
    change(&["acknowledge", &beginning]);
    change(&["tag", &beginning, "--add", "vpn", "--add", "night"]);
    change(&["tag", &beginning, "--remove", "night"]);
    change(&["assign", &beginning, "--to", "kim"]);
    change(&["note", &beginning, "--text", "it was a test"]);
    change(&["close", &beginning, "--reason", "false_positive"]);
    change(&["close", &beginning, "--reason", "false_positive"]);
    let closed =
        exported(&folder, "kibana.alert.workflow_status: closed and kibana.alert.workflow_tags: vpn");
    assert_eq!(closed.iter().map(id).collect::<Vec<_>>(), [one]);
    assert_eq!(closed[0]["kibana.alert.workflow_reason"], "false_positive");
    assert_eq!(closed[0]["kibana.alert.workflow_user"], "ada");
    assert_eq!(closed[0]["kibana.alert.workflow_tags"], json!(["vpn"]));
    assert_eq!(closed[0]["kibana.alert.workflow_assignee_ids"], json!(["kim"]));
    assert_eq!(closed[0]["kibana.alert.updated_at"], "2026-03-02T12:00:00.000Z");
    let shown: Value = serde_json::from_str(&alerts(&folder, &["show", &beginning, "-f", "json"])).unwrap();
    let done: Vec<&str> =
        shown["history"].as_array().unwrap().iter().map(|it| it["what"].as_str().unwrap()).collect();
    assert_eq!(
        done,
        ["acknowledge", "tag", "tag", "assign", "note", "close"],
        "what changed nothing is not there"
    );
    change(&["reopen", "--query", "kibana.alert.workflow_status: closed"]);
    assert!(exported(&folder, "kibana.alert.workflow_status: closed").is_empty());
    let listed = alerts(&folder, &["list", "--status", "open"]);
    assert_eq!(listed.lines().count(), 2, "{listed}");
    let wrong = folder.run(&[&["alerts", "show", "zzz"], &STORE[..]].concat());
    assert!(wrong.error().starts_with("LIVE010 "), "{wrong:?}");
    let wrong = folder.run(&[&["alerts", "list", "--query", "a: ("], &STORE[..]].concat());
    assert!(wrong.error().starts_with("LIVE012 KQL"), "{wrong:?}");
}

#[test]
fn without_a_store_or_alerts_it_says_what_to_do() {
    let folder = with_rules();
    let ran = folder.run(&["alerts", "list", "--store", "kept"]);
    assert!(ran.error().starts_with("LIVE001 "), "{ran:?}");
    let ran = folder.run(&["detect", "-r", "rules", "--store", "kept"]);
    assert!(ran.error().starts_with("STORE001 "), "{ran:?}");
}
