//! `trailwarden rules`.

use serde_json::Value;

use crate::setup::Folder;

const GOOD: &str = r#"
[rule]
rule_id = "0f6f0c2e-8b0a-4c51-9d7b-3f1a7f3c9a02"
name = "Root logs in"
description = "The root user signed in to the console."
severity = "high"
risk_score = 73
type = "query"
index = ["logs-aws.cloudtrail*"]
query = "event.action: ConsoleLogin and aws.cloudtrail.user_identity.type: Root"
references = ["https://attack.mitre.org/techniques/T1078/"]
tags = ["Domain: Cloud"]
note = "Ask who it was."

[[rule.threat]]
framework = "MITRE ATT&CK"
[rule.threat.tactic]
id = "TA0001"
name = "Initial Access"
reference = "https://attack.mitre.org/tactics/TA0001/"
"#;

const BAD: &str = r#"
[rule]
rule_id = "0f6f0c2e-8b0a-4c51-9d7b-3f1a7f3c9a03"
name = "Broken"
description = "Its query is no query."
severity = "hihg"
risk_score = 21
type = "query"
query = "event.action: (ConsoleLogin or"
"#;

fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("good/root.toml", GOOD);
    folder.write("both/root.toml", GOOD);
    folder.write("both/broken.toml", BAD);
    folder.write("both/garbage.toml", "[rule\nname = 3\n");
    folder
}

#[test]
fn lists() {
    let folder = folder();
    insta::assert_snapshot!("rules_list", folder.run(&["rules", "list", "-r", "good"]).whole());
    insta::assert_snapshot!("rules_list_broken", folder.run(&["rules", "list", "-r", "both"]).whole());
    let ran = folder.run(&["rules", "list", "-r", "good", "-f", "ndjson"]);
    let rule: Value = serde_json::from_str(ran.printed(0)).unwrap();
    assert_eq!(rule["name"], "Root logs in");
    let built_in = folder.run(&["rules", "list", "-f", "ndjson"]);
    assert!(built_in.printed(0).lines().count() > 10);
    let both = folder.run(&["rules", "list", "-f", "ndjson", "-r", "good", "--builtin"]);
    assert_eq!(both.printed(0).lines().count(), built_in.out.lines().count() + 1);
}

/// What a hunt refuses is refused here by the same words, and by those of lint.
#[test]
fn what_cannot_run_is_told() {
    let folder = folder();
    let suppressed = GOOD
        .replace("9a02", "9a04")
        .replace("Root logs in", "Suppressed")
        .replace("[[rule.threat]]", "[rule.alert_suppression]\ngroup_by = [\"user.name\"]\n[[rule.threat]]");
    let learned = GOOD
        .replace("9a02", "9a05")
        .replace("Root logs in", "Learned")
        .replace("type = \"query\"", "type = \"machine_learning\"\nanomaly_threshold = 50")
        .replace(
            "query = \"event.action: ConsoleLogin and aws.cloudtrail.user_identity.type: Root\"",
            "machine_learning_job_id = \"rare\"",
        )
        .replace("index = [\"logs-aws.cloudtrail*\"]\n", "");
    let unfit = GOOD
        .replace("9a02", "9a06")
        .replace("Root logs in", "Unfit")
        .replace("query = \"event.action: ConsoleLogin", "query = \"source.port: http");
    for (name, text) in
        [("root", GOOD), ("suppressed", &suppressed), ("learned", &learned), ("unfit", &unfit)]
    {
        folder.write(&format!("mixed/{name}.toml"), text);
    }
    folder.write("calls.json", "{\"Records\": []}");
    insta::assert_snapshot!("rules_list_cannot_run", folder.run(&["rules", "list", "-r", "mixed"]).whole());
    let listed = folder.run(&["rules", "list", "-r", "mixed", "-f", "json", "-q"]);
    let listed: Value = serde_json::from_str(listed.printed(0)).unwrap();
    let codes = |it: &Value| -> Vec<String> {
        it["why_not"].as_array().unwrap().iter().map(|it| it["code"].as_str().unwrap().to_owned()).collect()
    };
    let runs = |name: &str| {
        let rule = listed.as_array().unwrap().iter().find(|it| it["name"] == name).unwrap();
        assert_eq!(rule["runs"], codes(rule).is_empty(), "{name}");
        codes(rule)
    };
    assert_eq!(runs("Root logs in"), [""; 0]);
    let hunted = folder.run(&["hunt", "calls.json", "-r", "mixed", "-f", "csv"]);
    let linted = folder.run(&["rules", "lint", "mixed"]);
    assert_eq!(runs("Suppressed"), [""; 0]);
    for (name, code) in [("Learned", "RULE201"), ("Unfit", "PLAN001")] {
        assert_eq!(runs(name), [code]);
        let line = hunted.err.lines().find(|it| it.contains(&format!("\"{name}\""))).unwrap_or_default();
        assert!(line.contains(code), "{name}: {}", hunted.err);
        assert!(linted.out.contains(&format!("[{code}]")), "{name}: {}", linted.out);
    }
}

#[test]
fn shows() {
    let folder = folder();
    insta::assert_snapshot!("rules_show", folder.run(&["rules", "show", "root", "-r", "good"]).whole());
    let none = folder.run(&["rules", "show", "nothing-like-it", "-r", "good"]);
    assert!(none.error().starts_with("no rule has `nothing-like-it`"), "{}", none.err);
    let several = folder.run(&["rules", "show", "iam"]);
    assert!(several.error().contains("say which by its id"), "{}", several.err);
    let english = folder.run(&["rules", "show", "52ba7dad-d2ad-5157-8031-77e4c0ca146f"]);
    let chinese = folder.run(&["rules", "show", "52ba7dad-d2ad-5157-8031-77e4c0ca146f", "--lang", "zh-CN"]);
    assert!(english.printed(0).is_ascii() || english.out.contains("Triage"), "{}", english.out);
    assert!(chinese.printed(0).chars().any(|it| ('\u{4e00}'..'\u{9fff}').contains(&it)));
}

#[test]
fn lints() {
    let folder = folder();
    insta::assert_snapshot!("rules_lint", folder.run(&["rules", "lint", "both"]).whole());
    let clean = folder.run(&["rules", "lint", "good"]);
    assert!(clean.printed(0).ends_with("1 rule: 0 errors, 0 warnings, 0 notes\n"), "{}", clean.out);
    let ran = folder.run(&["rules", "lint", "both", "-f", "ndjson"]);
    for line in ran.printed(1).lines() {
        let finding: Value = serde_json::from_str(line).unwrap();
        for key in ["file", "line", "column", "severity", "code", "message"] {
            assert!(!finding[key].is_null(), "{key}: {line}");
        }
    }
}

#[test]
fn exit_status_of_lint() {
    let folder = folder();
    let warned = GOOD.replace("risk_score = 73", "risk_score = 5");
    folder.write("warned/root.toml", warned);
    let status = |arguments: &[&str]| folder.run(&[["rules", "lint"].as_slice(), arguments].concat()).code;
    assert_eq!(status(&["good"]), Some(0));
    assert_eq!(status(&["both"]), Some(1));
    assert_eq!(status(&["warned"]), Some(0));
    assert_eq!(status(&["warned", "--strict"]), Some(1));
    assert_eq!(status(&["absent"]), Some(2));
    assert_eq!(status(&[]), Some(0), "the built-in rules are clean");
}

/// A folder without rules is a mistake, not a clean bill.
#[test]
fn a_folder_without_rules() {
    let folder = folder();
    folder.write("empty/README.md", "Nothing here.\n");
    for arguments in [
        ["rules", "lint", "empty"].as_slice(),
        &["rules", "list", "-r", "empty"],
        &["hunt", "good", "-r", "empty"],
    ] {
        let ran = folder.run(arguments);
        assert!(ran.error().ends_with("`empty`: no rule in there; rules are .toml, .ndjson or .json files"));
    }
}

#[test]
fn the_schema_is_json() {
    let ran = Folder::new().run(&["rules", "schema"]);
    let schema: Value = serde_json::from_str(ran.printed(0)).unwrap();
    assert!(schema["$schema"].is_string());
}
