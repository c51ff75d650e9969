//! What analysts do with more than single alerts: counting, silences, incidents, the log.

use serde_json::{Value, json};

use crate::setup::{Folder, refused};

const STORE: [&str; 2] = ["--store", "kept"];

const RULES: &str = r#"
[rule]
name = "NAME"
rule_id = "ID"
description = "Somebody was refused."
severity = "SEVERITY"
risk_score = 50
type = "query"
index = ["logs-aws.cloudtrail*"]
query = "event.action: GetPasswordData and event.outcome: failure"
from = "now-9m"
interval = "5m"
"#;

/// Rules of two names that alert on one identity make an incident.
const INCIDENT: &str = r#"
[rule]
name = "Together"
rule_id = "together"
description = "Two rules alert on one identity."
severity = "critical"
risk_score = 99
type = "threshold"
index = [".alerts-security.*"]
query = "trailwarden.identity.root.arn: * and not kibana.alert.rule.rule_id: together"
from = "now-61m"
interval = "5m"
[rule.threshold]
field = ["trailwarden.identity.root.arn"]
value = 2
[[rule.threshold.cardinality]]
field = "kibana.alert.rule.rule_id"
value = 2
"#;

fn folder() -> Folder {
    let folder = Folder::new();
    let rule = |id: &str, name: &str, severity: &str| {
        RULES.replace("NAME", name).replace("ID", id).replace("SEVERITY", severity)
    };
    folder.write("rules/high.toml", rule("high", "Refused", "high"));
    folder.write("rules/low.toml", rule("low", "Refused, quietly", "low"));
    folder.write("rules/together.toml", INCIDENT);
    folder
}

/// Takes in events at a time, and executes what is due some minutes later.
fn happen(folder: &Folder, minute: u32, events: &[(&str, &str)]) {
    let time = |minute: u32| format!("2026-03-02T{:02}:{:02}:00Z", 10 + minute / 60, minute % 60);
    let name = format!("in/{minute}.ndjson");
    let records: Vec<Value> = events.iter().map(|(id, role)| refused(id, &time(minute), role)).collect();
    folder.lines(&name, &records);
    let now = time(minute + 1);
    folder.run(&[&["store", "add", "-q", &name, "--now", &now], &STORE[..]].concat()).printed(0);
    let (now, begin) = (time(minute + 6), "2026-03-02T10:00:00Z");
    let its = ["detect", "-q", "-r", "rules", "--now", &now, "--begin", begin];
    folder.run(&[&its, &STORE[..]].concat()).printed(0);
}

fn alerts(folder: &Folder, arguments: &[&str]) -> String {
    folder.run(&[&["alerts"], arguments, &STORE[..]].concat()).printed(0).to_owned()
}

fn json(folder: &Folder, arguments: &[&str]) -> Value {
    let text = alerts(folder, &[arguments, &["-f", "json"]].concat());
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

const AT_NOON: [&str; 4] = ["--as", "ada", "--now", "2026-03-02T12:00:00Z"];

#[test]
fn alerts_are_counted() {
    let folder = folder();
    happen(&folder, 1, &[("e-1", "ci"), ("e-2", "ci"), ("e-3", "backup")]);
    let facets = json(&folder, &["facets", "--by", "kibana.alert.severity", "--by", "user.name"]);
    assert_eq!(facets["facets"][0]["values"][0], json!({"value": "high", "alerts": 3}), "{facets:#}");
    assert_eq!(facets["facets"][1]["values"][0], json!({"value": "ci", "alerts": 4}), "{facets:#}");
    let only = ["facets", "--query", "kibana.alert.severity: low", "--by", "kibana.alert.rule.name"];
    assert_eq!(json(&folder, &only)["total"], 3);
    let text = alerts(&folder, &["facets", "--values", "1"]);
    assert!(text.contains("kibana.alert.severity\n       3  high\n"), "{text}");
    let histogram = json(&folder, &["histogram", "--interval", "5m"]);
    let first = json!({"from": "2026-03-02T10:05:00.000Z", "alerts": 8, "low": 3, "medium": 0, "high": 3, "critical": 2});
    assert_eq!(histogram["buckets"][0], first, "{histogram:#}");
    let close = |query: &str, reason: &str| {
        alerts(&folder, &[&["close", "-q", "--query", query, "--reason", reason][..], &AT_NOON].concat());
    };
    close("user.name: ci and kibana.alert.rule.rule_id: high", "false_positive");
    close("user.name: backup and kibana.alert.rule.rule_id: high", "true_positive");
    close("kibana.alert.rule.rule_id: low", "duplicate");
    let stats = json(&folder, &["stats"]);
    let of =
        |id: &str| stats["rules"].as_array().unwrap().iter().find(|it| it["rule_id"] == id).unwrap().clone();
    assert_eq!(of("high")["reasons"]["false_positive"], 2, "{stats:#}");
    let ratio = of("high")["false_positive_ratio"].as_f64().unwrap();
    assert!((ratio - 2.0 / 3.0).abs() < 1e-9, "{stats:#}");
    assert_eq!(of("low")["false_positive_ratio"], Value::Null, "a duplicate says nothing of the rule");
    assert!(alerts(&folder, &["stats"]).contains("67% of 3"));
    let wrong = folder.run(&[&["alerts", "histogram", "--interval", "1s"], &STORE[..]].concat());
    assert_eq!(wrong.code, Some(0), "one slot is one bucket: {wrong:?}");
}

#[test]
fn what_is_silenced_is_kept_and_told_apart() {
    let folder = folder();
    happen(&folder, 1, &[("e-1", "ci")]);
    let add = |more: &[&str]| {
        let its = ["alerts", "silence", "add", "--reason", "a test of the backup", "--as", "ada"];
        folder.run(&[&its[..], &["--now", "2026-03-02T10:08:00Z"], more, &STORE[..]].concat())
    };
    let tried = add(&["--rule", "Refused", "--query", "user.name: ci", "--until", "now+20m", "--dry-run"]);
    assert!(
        tried.printed(0).starts_with("it would have been about 1 alert of the last 30 days\n"),
        "{tried:?}"
    );
    let silences = ["silence", "list", "--all", "--now", "2026-03-02T10:09:00Z"];
    assert_eq!(alerts(&folder, &silences), "", "nothing was made");
    for (more, code) in [
        (&["--rule", "nothing", "--until", "now+1h"][..], "LIVE009"),
        (&["--query", "a: (", "--until", "now+1h"], "LIVE012"),
        (&["--query", " ", "--until", "now+1h"], "LIVE021"),
        (&["--rule", "high", "--until", "now-1h"], "LIVE023"),
        (&["--rule", "high", "--until", "now+2y"], "LIVE023"),
    ] {
        let ran = add(more);
        assert!(ran.error().starts_with(code), "{more:?}: {ran:?}");
    }
    add(&["--rule", "high", "--query", "user.name: ci", "--until", "now+20m"]).printed(0);
    happen(&folder, 11, &[("e-2", "ci"), ("e-3", "backup")]);
    let listed = folder.run(&[&["alerts", "list", "--since", "2026-03-02T10:10:00Z"], &STORE[..]].concat());
    assert_eq!(listed.printed(0).lines().filter(|it| it.contains("Refused")).count(), 3, "{listed:?}");
    assert!(listed.err.contains("1 alert was raised in a silence"), "{listed:?}");
    let silenced = alerts(&folder, &["export", "--silenced", "only"]);
    let silenced: Value = serde_json::from_str(&silenced).unwrap();
    assert_eq!(silenced["kibana.alert.muted"], true);
    assert_eq!(silenced["trailwarden.silence.id"], "1");
    assert_eq!(silenced["user"]["name"], "ci");
    assert_eq!(json(&folder, &silences)["silences"][0]["alerts"], 1);
    // It ends by itself, and that is written down.
    happen(&folder, 31, &[("e-4", "ci")]);
    let after = alerts(
        &folder,
        &["list", "--since", "2026-03-02T10:30:00Z", "--query", "kibana.alert.rule.rule_id: high"],
    );
    assert_eq!(after.lines().count(), 1, "{after}");
    assert_eq!(alerts(&folder, &["silence", "list", "--now", "2026-03-02T10:40:00Z"]), "");
    let log = alerts(&folder, &["log", "--subject", "silence 1"]);
    let log: Vec<&str> = log.lines().collect();
    assert!(
        log[0].contains("trailwarden: expire, silence 1") && log[1].contains("ada: silence, silence 1"),
        "{log:?}"
    );
    let end = folder.run(&[&["alerts", "silence", "end", "1"], &AT_NOON[..], &STORE].concat());
    assert!(end.error().starts_with("LIVE025"), "{end:?}");
    let other = add(&["--rule", "low", "--until", "now+10h"]);
    assert!(other.printed(0).starts_with("   2  until "), "{other:?}");
    folder.run(&[&["alerts", "silence", "end", "2"], &AT_NOON[..], &STORE].concat()).printed(0);
    happen(&folder, 141, &[("e-5", "ci")]);
    let after = alerts(&folder, &["list", "--since", "2026-03-02T12:20:00Z"]);
    assert_eq!(after.lines().count(), 3, "nothing is silenced any more: {after}");
}

#[test]
fn alerts_with_one_identity_behind_them_are_an_incident() {
    let folder = folder();
    happen(&folder, 1, &[("e-1", "ci"), ("e-2", "backup")]);
    let incidents = json(&folder, &["incident", "list"]);
    assert_eq!(incidents["total"], 2, "{incidents:#}");
    let ci = incidents["incidents"].as_array().unwrap().iter();
    let ci = ci.clone().find(|it| it["root"].as_str().unwrap().contains("ci")).unwrap();
    let id = ci["id"].to_string();
    assert_eq!(ci["alert_count"], 3, "two, and the one that says that they are two: {incidents:#}");
    assert_eq!(ci["severity"], "critical");
    assert_eq!(ci["rules"], json!(["Refused", "Refused, quietly", "Together"]));
    // What follows belongs to it; after hours of quiet it does not.
    happen(&folder, 61, &[("e-3", "ci")]);
    assert_eq!(json(&folder, &["incident", "show", &id])["incident"]["alert_count"], 6);
    let change = |arguments: &[&str]| {
        folder.run(&[&["alerts", "incident"], arguments, &AT_NOON[..], &STORE].concat()).printed(0);
    };
    change(&["assign", &id, "--to", "kim"]);
    change(&["close", &id, "--reason", "true_positive"]);
    let shown = json(&folder, &["incident", "show", &id]);
    assert_eq!(shown["incident"]["status"], "closed", "{shown:#}");
    assert_eq!(shown["incident"]["assignees"], json!(["kim"]));
    for alert in shown["alerts"].as_array().unwrap() {
        assert_eq!(alert["kibana.alert.workflow_status"], "closed");
        assert_eq!(alert["kibana.alert.workflow_assignee_ids"], json!(["kim"]));
        assert_eq!(alert["kibana.alert.case_ids"], json!([id]));
    }
    let what: Vec<&str> =
        shown["history"].as_array().unwrap().iter().map(|it| it["what"].as_str().unwrap()).collect();
    assert_eq!(what, ["begin", "assign", "close"], "{shown:#}");
    let log = alerts(&folder, &["log", "--author", "ada", "--limit", "0"]);
    assert_eq!(log.lines().count(), 2 * (6 + 1), "each alert, and the incident: {log}");
    let others = alerts(&folder, &["list", "--incident", &id, "--status", "open"]);
    assert_eq!(others, "");
    // What happens after it was closed is another.
    happen(&folder, 121, &[("e-4", "ci")]);
    let open = json(&folder, &["incident", "list", "--status", "open"]);
    assert_eq!(open["total"], 2, "{open:#}");
    let ran = folder.run(&[&["alerts", "incident", "show", "77"], &STORE[..]].concat());
    assert!(ran.error().starts_with("LIVE026"), "{ran:?}");
}

/// An exception made of an alert counts from the next slot on, and a hunt as if live knows since when it does.
#[test]
fn what_is_excepted_is_not_raised_any_more() {
    let folder = folder();
    happen(&folder, 1, &[("e-1", "ci"), ("e-2", "backup")]);
    let of_ci = "kibana.alert.rule.rule_id: high and user.name: ci";
    let alert: Value = serde_json::from_str(&alerts(&folder, &["export", "--query", of_ci])).unwrap();
    let id = alert["kibana.alert.uuid"].as_str().unwrap();
    let add = |more: &[&str]| {
        let its = [
            "alerts",
            "exception",
            "add",
            id,
            "-r",
            "rules",
            "--comment",
            "the nightly build",
            "--as",
            "ada",
        ];
        folder.run(&[&its[..], &["--now", "2026-03-02T10:08:00Z"], more, &STORE[..]].concat())
    };
    let tried = add(&["--dry-run"]);
    assert!(tried.printed(0).contains("it would have hidden 1 alert of the last 30 days\n"), "{tried:?}");
    assert!(tried.out.contains("session_issuer.arn match: arn:aws:iam::111122223333:role/ci\n"), "{tried:?}");
    assert_eq!(alerts(&folder, &["exception", "list"]), "", "nothing was made");
    for (more, wrong) in [
        (&["--field", "nothing.of.it"][..], "the alert has no `nothing.of.it`"),
        (&["--expires", "now-1d"], "--expires lies in the past"),
        (&["--builtin", "--only", "IAM"], "is not among those that were loaded"),
    ] {
        let ran = add(more);
        assert!(ran.error().contains(wrong), "{more:?}: {ran:?}");
    }
    let made = add(&["--close", "--reason", "benign_positive"]);
    made.printed(0);
    assert!(made.err.contains("of Refused: 1 alert was closed"), "{made:?}");
    let closed = alerts(&folder, &["list", "--status", "closed"]);
    assert!(closed.lines().count() == 1 && closed.contains("role/ci"), "{closed}");
    happen(&folder, 11, &[("e-3", "ci"), ("e-4", "backup")]);
    let after = alerts(
        &folder,
        &["list", "--since", "2026-03-02T10:10:00Z", "--query", "kibana.alert.rule.rule_id: high"],
    );
    assert!(after.lines().count() == 1 && after.contains("backup"), "{after}");
    let other = alerts(
        &folder,
        &["list", "--since", "2026-03-02T10:10:00Z", "--query", "kibana.alert.rule.rule_id: low"],
    );
    assert_eq!(other.lines().count(), 2, "other rules go on: {other}");
    let log = alerts(&folder, &["log", "--subject", "rule high"]);
    assert!(log.contains("ada: except, rule high") && log.contains("the nightly build"), "{log}");
    let listed = alerts(&folder, &["exception", "list"]);
    let item = listed.split_whitespace().next().unwrap().to_owned();
    assert!(listed.contains("the nightly build") && listed.contains("(ada)"), "{listed}");
    let by = ["--as", "ada", "--now", "2026-03-02T10:18:00Z"];
    folder.run(&[&["alerts", "exception", "remove", &item], &by[..], &STORE].concat()).printed(0);
    assert_eq!(alerts(&folder, &["exception", "list"]), "");
    happen(&folder, 21, &[("e-5", "ci")]);
    let after = alerts(
        &folder,
        &["list", "--since", "2026-03-02T10:20:00Z", "--query", "kibana.alert.rule.rule_id: high"],
    );
    // With what was excepted before and that executions still look back on.
    assert_eq!(after.lines().count(), 2, "it is raised again: {after}");

    let hunt = ["hunt", "--as-live", "-q", "-f", "ndjson", "--now", "2026-03-02T11:00:00Z"];
    let hunted = folder.run(&[&hunt, &STORE[..]].concat());
    let id = |it: &Value| it["kibana.alert.uuid"].as_str().unwrap().to_owned();
    let ids = |text: &str| -> std::collections::BTreeSet<String> {
        text.lines().map(|it| id(&serde_json::from_str(it).unwrap())).collect()
    };
    assert_eq!(ids(hunted.printed(0)), ids(&alerts(&folder, &["export", "--silenced", "yes"])));
}

#[test]
fn help() {
    let folder = Folder::new();
    for command in [
        &["alerts"][..],
        &["alerts", "list"],
        &["alerts", "facets"],
        &["alerts", "histogram"],
        &["alerts", "stats"],
        &["alerts", "log"],
        &["alerts", "silence"],
        &["alerts", "silence", "add"],
        &["alerts", "silence", "list"],
        &["alerts", "silence", "end"],
        &["alerts", "exception"],
        &["alerts", "exception", "add"],
        &["alerts", "exception", "list"],
        &["alerts", "exception", "remove"],
        &["alerts", "incident"],
        &["alerts", "incident", "list"],
        &["alerts", "incident", "show"],
        &["alerts", "incident", "close"],
        &["alerts", "incident", "assign"],
    ] {
        let ran = folder.run(&[command, &["--help"]].concat());
        insta::assert_snapshot!(format!("help_{}", command.join("_")), ran.printed(0));
    }
}
