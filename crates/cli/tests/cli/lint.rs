//! `trailwarden rules lint`: what is shown, ignored and mended.

use std::fs;

use serde_json::Value;

use crate::setup::Folder;

/// A rule with something of everything: values that cannot be, a name of CloudTrail's, a wrong name in ATT&CK.
const ODD: &str = r#"# A comment that stays.
[rule]
rule_id = "0f6f0c2e-8b0a-4c51-9d7b-3f1a7f3c9a04"
name   =   "Passwords asked for"
description = "Somebody asked for the password of an instance."
severity = "high"
risk_score = 73
type = "query"
index = ["logs-aws.cloudtrail*"]
query = '''
eventName: getpassworddata and event.outcome: ("Failure" or failed)
  and event.provider: ec2 and not eventName: x and sourceIPAddress: *
'''
references = ["https://example.com/"]
note = "Ask who it was."

[[rule.threat]]
framework = "MITRE ATT&CK"
[rule.threat.tactic]
id = "TA0006"
name = "Credentials Access"
reference = "https://attack.mitre.org/tactics/TA0006/"
"#;

fn folder(rule: &str) -> Folder {
    let folder = Folder::new();
    folder.write("rules/odd.toml", rule);
    folder
}

fn lint(folder: &Folder, arguments: &[&str]) -> String {
    folder.run(&[["rules", "lint", "rules"].as_slice(), arguments].concat()).printed(0).to_owned()
}

fn codes(folder: &Folder, arguments: &[&str]) -> Vec<String> {
    let found: Value = serde_json::from_str(&lint(folder, &[arguments, &["-f", "json"]].concat())).unwrap();
    found.as_array().unwrap().iter().map(|it| it["code"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn json_is_one_list() {
    let folder = folder(ODD);
    let found: Vec<Value> = serde_json::from_str(&lint(&folder, &["-f", "json"])).unwrap();
    let lines = lint(&folder, &["-f", "ndjson"]);
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(found, lines);
    let name = found.iter().find(|it| it["code"] == "RULE143").unwrap();
    assert_eq!(
        (&name["file"], &name["line"], &name["column"]),
        (&"rules/odd.toml".into(), &11.into(), &1.into())
    );
    assert_eq!((&name["severity"], &name["help"]), (&"warning".into(), &"write `event.action`".into()));
    assert_eq!(name["fixable"], true);
}

#[test]
fn the_least_that_is_shown() {
    let folder = folder(&ODD.replace("risk_score = 73", "risk_score = 5").replace("9a04", "9"));
    let all = codes(&folder, &[]);
    assert!(all.contains(&"RULE126".to_owned()) && all.contains(&"RULE105".to_owned()), "{all:?}");
    assert_eq!(codes(&folder, &["--severity", "info"]), all);
    let warnings = codes(&folder, &["--severity", "warning"]);
    assert!(!warnings.contains(&"RULE126".to_owned()) && warnings.contains(&"RULE105".to_owned()));
    assert_eq!(codes(&folder, &["--severity", "error"]), [""; 0]);
    let line = lint(&folder, &["--severity", "error"]);
    assert!(line.starts_with("1 rule: 0 errors, ") && line.ends_with(" not shown\n"), "{line}");
    // The status goes by everything.
    let strict = folder.run(&["rules", "lint", "rules", "--severity", "error", "--strict"]);
    assert_eq!(strict.code, Some(1));
}

#[test]
fn what_is_known_is_ignored() {
    let commented = ODD.replace("query = '''", "# lint: ignore RULE143, RULE999 the old names\nquery = '''");
    let commented = commented.replace("risk_score = 73", "risk_score = 73 # lint: ignore RULE105");
    let folder = folder(&commented);
    let found = codes(&folder, &[]);
    assert!(!found.contains(&"RULE143".to_owned()), "{found:?}");
    assert!(found.contains(&"RULE145".to_owned()) && found.contains(&"RULE150".to_owned()), "{found:?}");
    assert!(lint(&folder, &[]).ends_with("; 2 ignored\n"));
    let found = codes(&folder, &["--ignore", "RULE145,RULE150", "--ignore", "RULE147"]);
    assert_eq!(found, ["RULE109"]);
    // What cannot run is told whatever is said.
    folder.write("rules/odd.toml", ODD.replace("73", "'73'"));
    let ran = folder.run(&["rules", "lint", "rules", "--ignore", "RULE009"]);
    assert!(ran.printed(1).contains("RULE009"), "{}", ran.out);
}

#[test]
fn what_is_certain_is_mended() {
    let folder = folder(ODD);
    let path = folder.join("rules/odd.toml");
    let ran = folder.run(&["rules", "lint", "rules", "--fix"]);
    let mended = fs::read_to_string(&path).unwrap();
    let expected = ODD
        .replace("eventName: getpassworddata", "event.action: GetPasswordData")
        .replace("eventName: x", "event.action: x")
        .replace("(\"Failure\" or failed)", "(\"failure\" or failure)")
        .replace("event.provider: ec2 ", "event.provider: ec2.amazonaws.com ")
        .replace("Credentials Access", "Credential Access");
    assert_eq!(mended, expected, "{}", ran.out);
    insta::assert_snapshot!("lint_fix", ran.whole());
    // Once is enough, and nothing is written that need not be.
    let time = |path| fs::metadata(path).unwrap().modified().unwrap();
    let before = time(&path);
    let again = folder.run(&["rules", "lint", "rules", "--fix"]);
    assert!(!again.printed(0).contains("mended["), "{}", again.out);
    assert_eq!((fs::read_to_string(&path).unwrap(), time(&path)), (expected, before));
}

/// In an export the same is written as JSON has it, in the line of the one rule.
#[test]
fn an_export_is_mended_line_by_line() {
    let folder = Folder::new();
    let rule = |query: &str, name: &str| {
        format!(
            r#"{{"rule_id":"0f6f0c2e-8b0a-4c51-9d7b-3f1a7f3c9a0{name}","name":"Rule {name}","description":"D.","severity":"low","risk_score":21,"type":"query","index":["logs-aws.cloudtrail*"],"query":{query},"references":["https://example.com/"],"note":"Ask."}}"#
        ) + "\n"
    };
    let text = rule(r#""event.outcome: \"Failure\" and\tuser.name: \"ü\"""#, "1")
        + &rule("\"event.action: x\"", "2");
    folder.write("rules/export.ndjson", &text);
    folder.run(&["rules", "lint", "rules", "--fix", "-f", "json"]).printed(0);
    let mended = fs::read_to_string(folder.join("rules/export.ndjson")).unwrap();
    assert_eq!(mended, text.replace("Failure", "failure"));
}

#[test]
fn what_cannot_be_mended_is_left() {
    let folder = Folder::new();
    assert!(folder.run(&["rules", "lint", "--fix"]).error().starts_with("--fix: the built-in rules"));
    let broken = ODD.replace("severity = \"high\"", "severity = \"hihg\"");
    folder.write("rules/odd.toml", &broken);
    folder.run(&["rules", "lint", "rules", "--fix"]).printed(1);
    assert_eq!(fs::read_to_string(folder.join("rules/odd.toml")).unwrap(), broken);
}

/// A rule over alerts that no rule beside it gives any is a rule that cannot fire.
#[test]
fn a_rule_over_alerts_that_nobody_feeds() {
    let folder = Folder::new();
    let rule = |id: &str, index: &str, query: &str| {
        format!(
            "[rule]\nrule_id = \"{id}\"\nname = \"{id}\"\ndescription = \"d\"\nseverity = \"low\"\nrisk_score = 21\n\
             type = \"query\"\nlanguage = \"kuery\"\nindex = [\"{index}\"]\nquery = '{query}'\n"
        )
    };
    folder.write("rules/call.toml", rule("call", "logs-aws.cloudtrail-*", "event.action: StopLogging"));
    folder.write(
        "rules/fed.toml",
        rule("fed", ".alerts-*", "kibana.alert.rule.rule_id: call and user.name: ada"),
    );
    folder.write(
        "rules/unfed.toml",
        rule("unfed", ".alerts-*", "kibana.alert.rule.rule_id: (cal or unfed) and user.name: ada"),
    );
    folder.write("rules/severe.toml", rule("severe", ".alerts-*", "kibana.alert.severity: critical"));
    let found = |paths: &[&str]| {
        let ran = folder.run(&[&["rules", "lint", "-f", "json"], paths].concat());
        let all: Value = serde_json::from_str(&ran.out).unwrap();
        let unfed = all.as_array().unwrap().iter().filter(|it| it["code"] == "RULE171");
        unfed.map(|it| it["file"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(found(&["rules"]), ["rules/severe.toml", "rules/unfed.toml"]);
    // What it reads may lie elsewhere.
    assert_eq!(found(&["rules/unfed.toml"]), [""; 0]);
}
