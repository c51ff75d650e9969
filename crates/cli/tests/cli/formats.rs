//! What a hunt prints.

use serde_json::Value;

use crate::setup::{Folder, refused};

const ONLY: [&str; 2] = ["--only", "GetPassword"];

/// A rule of our own, so that what is printed here does not change with the built-in ones.
const RULE: &str = r#"
[rule]
rule_id = "0f6f0c2e-8b0a-4c51-9d7b-3f1a7f3c9a01"
name = "GetPasswordData refused to a new role"
description = "A role was refused GetPasswordData for the first time."
severity = "medium"
risk_score = 47
type = "new_terms"
index = ["logs-aws.cloudtrail*"]
from = "now-9m"
query = "event.action: GetPasswordData and aws.cloudtrail.error_code: *"

[rule.new_terms]
field = "new_terms_fields"
value = ["aws.cloudtrail.user_identity.session_context.session_issuer.arn"]

[[rule.new_terms.history_window_start]]
field = "history_window_start"
value = "now-7d"

[[rule.threat]]
framework = "MITRE ATT&CK"

[rule.threat.tactic]
id = "TA0006"
name = "Credential Access"
reference = "https://attack.mitre.org/tactics/TA0006/"
"#;

fn folder() -> Folder {
    let folder = Folder::with_calls();
    folder.write("rules/refused.toml", RULE);
    folder
}

fn hunted(arguments: &[&str]) -> String {
    let mut all = vec!["hunt", "calls.ndjson", "--rules", "rules", "--now", "2026-04-01"];
    all.extend(arguments);
    folder().run(&all).whole()
}

#[test]
fn formats_for_people() {
    insta::assert_snapshot!("summary", hunted(&[]));
    insta::assert_snapshot!("table", hunted(&["--format", "table"]));
    insta::assert_snapshot!("timeline", hunted(&["--format", "timeline"]));
    insta::assert_snapshot!("csv", hunted(&["--format", "csv"]));
    insta::assert_snapshot!("timesketch", hunted(&["--format", "timesketch"]));
    insta::assert_snapshot!("timesketch_csv", hunted(&["--format", "timesketch-csv"]));
    insta::assert_snapshot!("ocsf", pretty(&hunted(&["-q", "--format", "ocsf"])));
    insta::assert_snapshot!("nothing_found", hunted(&["--since", "2026-03-10", "--format", "summary"]));
}

/// The lines of JSON in it, for people.
fn pretty(text: &str) -> String {
    text.lines()
        .map(|line| match serde_json::from_str::<Value>(line) {
            Ok(value) => serde_json::to_string_pretty(&value).unwrap() + "\n",
            Err(_) => format!("{line}\n"),
        })
        .collect()
}

#[test]
fn explanations() {
    insta::assert_snapshot!("explain", hunted(&["--explain", "e-1"]));
    insta::assert_snapshot!("explain_no_match", hunted(&["--explain", "e-4"]));
    // It matches, and does not alert: the role was seen a minute before.
    let seen = hunted(&["--explain", "e-2"]);
    let said =
        "had been seen within the history window, at 2026-03-02 10:00:00, by the event e-1 (arn:aws:iam:";
    assert!(seen.contains("1 match of 1 rule") && seen.contains(said), "{seen}");
    insta::assert_snapshot!("explain_absent", hunted(&["--explain", "e-9"]));
}

#[test]
fn formats_for_programs_hold_the_same_alerts() {
    let folder = folder();
    let hunt = |format: &str| {
        let ran =
            folder.run(&["hunt", "calls.ndjson", "-q", "-r", "rules", "--now", "2026-04-01", "-f", format]);
        assert_eq!(ran.err, "");
        ran.printed(0).to_owned()
    };
    let lines: Vec<Value> = hunt("ndjson").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let array: Vec<Value> = serde_json::from_str(&hunt("json")).unwrap();
    assert_eq!(lines, array);
    let events: Vec<&str> =
        lines.iter().map(|it| it["kibana.alert.ancestors"][0]["id"].as_str().unwrap()).collect();
    assert_eq!(events, ["e-1", "e-3"]);
    let ids = |format: &str, path: &str| {
        let id = |line: &str| serde_json::from_str::<Value>(line).unwrap().pointer(path).unwrap().clone();
        hunt(format).lines().map(id).collect::<Vec<_>>()
    };
    let known: Vec<Value> = lines.iter().map(|it| it["kibana.alert.uuid"].clone()).collect();
    assert_eq!(ids("timesketch", "/alert_id"), known);
    assert_eq!(ids("ocsf", "/finding_info/uid"), known);
    let page = hunt("html");
    for alert in &lines {
        assert!(page.contains(alert["kibana.alert.uuid"].as_str().unwrap()));
    }
    assert!(hunt("html") == page, "a report says nothing of the time it took");
}

#[test]
fn results_go_to_a_file() {
    let folder = folder();
    let ran = folder.run(&["hunt", "calls.ndjson", "-r", "rules", "-f", "ndjson", "-o", "alerts.ndjson"]);
    assert_eq!(ran.printed(0), "");
    assert_eq!(ran.err.lines().next(), Some("2 alerts in alerts.ndjson"));
    // What is new in two days need not be new in the seven that the rule compares with.
    assert!(ran.err.contains("The data cover 44 hours, less than the history of 7 days"), "{}", ran.err);
    assert_eq!(std::fs::read_to_string(folder.join("alerts.ndjson")).unwrap().lines().count(), 2);
    // The second hunt knows them.
    let again = ["hunt", "calls.ndjson", "-r", "rules", "-f", "ndjson", "--alert-history", "alerts.ndjson"];
    let ran = folder.run(&again);
    assert_eq!((ran.printed(0), ran.err.as_str()), ("", "0 alerts\n"));
}

#[test]
fn exit_status() {
    let folder = folder();
    let status = |arguments: &[&str]| {
        let mut all = vec!["hunt", "calls.ndjson", "-q", "-r", "rules"];
        all.extend(arguments);
        folder.run(&all).code
    };
    assert_eq!(status(&[]), Some(0), "alerts are no failure unless asked for");
    assert_eq!(status(&["--fail-on", "low"]), Some(1));
    assert_eq!(status(&["--fail-on", "medium"]), Some(1));
    assert_eq!(status(&["--fail-on", "high"]), Some(0));
    assert_eq!(status(&["--fail-on", "medium", "--format", "json"]), Some(1));
    assert_eq!(status(&["--fail-on", "low", "--until", "2026-03-01"]), Some(0));
    assert_eq!(status(&["--since", "soon"]), Some(2));
}

#[test]
fn colours_only_where_they_are_wanted() {
    let folder = folder();
    let colours = |arguments: &[&str], no_color: bool| {
        let mut all = vec!["hunt", "calls.ndjson", "-r", "rules"];
        all.extend(arguments);
        let mut command = folder.command(&all);
        if no_color {
            command.env("NO_COLOR", "1");
        }
        let output = command.output().unwrap();
        output.stdout.contains(&0x1b) || output.stderr.contains(&0x1b)
    };
    assert!(!colours(&[], false), "a pipe has none");
    assert!(colours(&["--color", "always"], false));
    assert!(colours(&["--color", "always"], true), "what is said on the command line goes first");
    assert!(colours(&["--color", "always", "--format", "table"], false));
    assert!(!colours(&["--color", "never"], false));
}

#[test]
fn standard_input() {
    let folder = folder();
    let text = std::fs::read(folder.join("calls.ndjson")).unwrap();
    let arguments = ["hunt", "-", "-q", "-r", "rules", "-f", "csv"];
    let from_file = folder.run(&["hunt", "calls.ndjson", "-q", "-r", "rules", "-f", "csv"]);
    assert_eq!(folder.run_with(&text, &arguments).printed(0), from_file.printed(0));
    let zipped = crate::setup::gzip(&text);
    assert_eq!(folder.run_with(&zipped, &arguments).printed(0), from_file.printed(0));
}

#[test]
fn built_in_rules_are_there_without_any_option() {
    let folder = Folder::with_calls();
    let ran = folder.run(&["hunt", "calls.ndjson", "-q", "-f", "csv", "--only", "EC2 Admin"]);
    assert_eq!(ran.printed(0).lines().count(), 3, "{}", ran.out);
    let ran = folder.run(&[["hunt", "calls.ndjson"].as_slice(), &ONLY].concat());
    assert!(ran.error().contains("has GetPassword in its id, name, tags or type"));
}

/// `trailwarden … | head`: whoever reads may stop.
#[test]
fn a_reader_that_stops_is_no_error() {
    let folder = Folder::new();
    let records: Vec<Value> = (0..3_000)
        .map(|at| {
            let time = format!("2026-03-02T{:02}:{:02}:{:02}Z", at / 3600, at / 60 % 60, at % 60);
            refused(&format!("e-{at}"), &time, &format!("role-{at}"))
        })
        .collect();
    folder.lines("calls.ndjson", &records);
    let hunt = |format| vec!["hunt", "calls.ndjson", "-q", "-f", format];
    let commands = [
        hunt("ndjson"),
        hunt("json"),
        hunt("csv"),
        hunt("table"),
        hunt("timeline"),
        hunt("html"),
        vec!["normalize", "calls.ndjson"],
        vec!["query", "event.action: *", "calls.ndjson"],
        vec!["query", "event.action: *", "calls.ndjson", "-f", "csv"],
        vec!["query", "event.action: *", "calls.ndjson", "-f", "table"],
        vec!["rules", "list", "-f", "ndjson"],
        vec!["rules", "schema"],
    ];
    for arguments in commands {
        let mut command = folder.command(&arguments);
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        let mut child = command.spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{arguments:?}");
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
    }
}

/// A rule that matches too much is named wherever its alerts go.
#[test]
fn noisy_rules_are_named() {
    let folder = Folder::new();
    let calls: Vec<_> = (0..101)
        .map(|at| refused(&format!("e-{at}"), &format!("2026-03-02T10:{:02}:{:02}Z", at / 60, at % 60), "ci"))
        .collect();
    folder.lines("calls.ndjson", &calls);
    let noise = "the rule \"AWS EC2 Admin";
    let matched = "matched 101 of 101 records: consider an exception or a narrower query";
    for format in ["summary", "html", "ndjson", "table"] {
        let ran = folder.run(&["hunt", "calls.ndjson", "--only", "EC2 Admin", "-f", format]);
        let said = if ["summary", "html"].contains(&format) { &ran.out } else { &ran.err };
        assert!(said.replace("&quot;", "\"").contains(noise) && said.contains(matched), "{format}: {ran:?}");
    }
}

/// One noisy rule pushes no other off the screen, and the most severe comes first.
#[test]
fn a_summary_is_sorted_by_severity() {
    let folder = Folder::new();
    let calls: Vec<_> = (0..90)
        .map(|at| refused(&format!("e-{at}"), &format!("2026-03-02T10:{:02}:{:02}Z", at / 60, at % 60), "ci"))
        .collect();
    folder.lines("calls.ndjson", &calls);
    let rule = |name: &str, severity: &str, query: &str| {
        let text = format!(
            "[rule]\nname = \"{name}\"\ndescription = \"d\"\nseverity = \"{severity}\"\nrisk_score = 1\n\
             type = \"query\"\nquery = \"{query}\"\n"
        );
        folder.write(&format!("rules/{name}.toml"), text);
    };
    rule("Loud", "low", "event.action: *");
    rule("Rare", "critical", "event.id: e-89");
    let ran = folder.run(&["hunt", "calls.ndjson", "-r", "rules"]);
    let at = |text: &str| ran.printed(0).find(text).unwrap_or_else(|| panic!("{text}: {}", ran.out));
    assert!(at("Rare (1 alert)") < at("Loud (90 alerts)"), "{}", ran.out);
    at("… and 86 more");
    // The target is told, and what was found fits a terminal.
    at("ec2:GetPasswordData i-0example000000001");
    let found = ran.out.lines().take_while(|line| !line.starts_with("note")).map(|it| it.chars().count());
    assert!(found.max() <= Some(80), "{}", ran.out);
    let timeline = folder.run(&["hunt", "calls.ndjson", "-r", "rules", "-f", "timeline"]);
    assert!(timeline.printed(0).lines().all(|line| line.chars().count() <= 80), "{}", timeline.out);
}
