//! `rules test`: tests beside rules, in them, and made of alerts.

use serde_json::Value;

use crate::setup::Folder;

const RULE: &str = r#"
[rule]
rule_id = "5b0a0f4e-5d0f-4f0e-9d0f-000000000001"
name = "Refused by a new role"
description = "A role was refused for the first time."
severity = "medium"
risk_score = 47
type = "new_terms"
language = "kuery"
index = ["logs-aws.cloudtrail*"]
query = "event.action: GetPasswordData and aws.cloudtrail.user_identity.type: AssumedRole and event.outcome: failure"
new_terms_fields = ["aws.cloudtrail.user_identity.session_context.session_issuer.arn"]
history_window_start = "now-7d"
from = "now-9m"
"#;

const TESTS: &str = r#"
shared:
  refused: &refused { call: "ec2:GetPasswordData", as: role/ci, error: Client.UnauthorizedOperation }
tests:
  - name: a role is refused
    events: [*refused]
    alerts:
      with: [{ user.name: ci, kibana.alert.new_terms: ["arn:aws:iam::111122223333:role/ci"] }]
  - name: again, and others, in another account
    account: "222233334444"
    events:
      - *refused
      - { call: "ec2:GetPasswordData", as: role/ci, error: Client.UnauthorizedOperation, at: +1h, repeat: 5 }
      - { call: "ec2:GetPasswordData", as: "role/r{n}", error: Client.UnauthorizedOperation, repeat: 2, every: 10m }
    alerts: 3
  - name: a record as it is
    events:
      - eventVersion: "1.08"
        eventID: 8f0c5c1e-0000-4000-8000-000000000001
        eventTime: 2026-01-02T03:04:05Z
        eventSource: ec2.amazonaws.com
        eventName: GetPasswordData
        errorCode: Client.UnauthorizedOperation
        userIdentity: { type: AssumedRole, sessionContext: { sessionIssuer: { arn: "arn:aws:iam::1:role/x" } } }
    alerts: 1
"#;

const FAILING: &str = r#"
tests:
  - name: a user is refused
    why: Only roles count.
    events:
      - { call: "ec2:GetPasswordData", as: user/ana, error: Client.UnauthorizedOperation, id: e-1 }
    alerts: 1
  - name: two roles
    events:
      - { call: "ec2:GetPasswordData", as: "role/r{n}", error: Client.UnauthorizedOperation, repeat: 2 }
    alerts: { exactly: 2, with: [{ user.name: r1 }, { user.name: r3 }] }
"#;

fn folder(tests: &str) -> Folder {
    let folder = Folder::new();
    folder.write("rules/refused.toml", RULE);
    folder.write("rules/refused.test.yaml", tests);
    folder
}

#[test]
fn tests_beside_a_rule_pass() {
    let folder = folder(TESTS);
    for paths in [["rules"], ["rules/refused.toml"], ["rules/refused.test.yaml"]] {
        let ran = folder.run(&["rules", "test", paths[0]]);
        assert_eq!(ran.printed(0).lines().last(), Some("3 tests, 3 passed"), "{paths:?}\n{}", ran.out);
    }
    // They are no rules, and nothing is said of them where rules are read.
    let ran = folder.run(&["rules", "list", "-r", "rules"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
}

#[test]
fn what_fails_is_explained() {
    let folder = folder(FAILING);
    let ran = folder.run(&["rules", "test", "rules"]);
    assert_eq!(ran.code, Some(1));
    insta::assert_snapshot!(ran.whole());
    let ran = folder.run(&["rules", "test", "rules", "--update", "--only", "two roles"]);
    insta::assert_snapshot!(ran.whole());
    let ran = folder.run(&["rules", "test", "rules", "-f", "junit"]);
    insta::assert_snapshot!(ran.whole());
    let ran = folder.run(&["rules", "test", "rules", "-f", "json"]);
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((&report["passed"], &report["failed"]), (&0.into(), &2.into()));
}

#[test]
fn a_test_of_nothing_is_none() {
    for (tests, code) in [
        ("tests:\n  - name: x\n    events: []\n    alerts: none\n", "RULE030"),
        ("tests: []\n", "RULE012"),
        ("tests:\n  - name: x\n    evnts: [{ call: \"a:B\" }]\n    alerts: none\n", "RULE020"),
        ("tests:\n  - name: x\n    events: [{ call: B }]\n    alerts: none\n", "RULE030"),
        ("tests:\n  - name: x\n    events: [{ call: \"a:B\", as: me }]\n    alerts: none\n", "RULE030"),
        ("tests:\n  - name: x\n    events: [{ call: \"a:B\", at: soon }]\n    alerts: none\n", "RULE026"),
        ("tests:\n  - name: x\n    events: [{ call: \"a:B\" }]\n    alerts: {}\n", "RULE030"),
        (
            "tests:\n  - name: x\n    events: [{ call: \"a:B\" }]\n    alerts: { at_most: 0, with: [{ a: b }] }\n",
            "RULE030",
        ),
        ("tests: [\n", "RULE028"),
        ("", "RULE030"),
    ] {
        let ran = folder(tests).run(&["rules", "test", "rules"]);
        assert_eq!(ran.code, Some(2), "{tests}\n{}", ran.err);
        assert!(ran.err.contains(code), "{tests}\n{}", ran.err);
    }
    let unreadable = "tests:\n  - name: x\n    events: [{ what: is this }]\n    alerts: none\n";
    let ran = folder(unreadable).run(&["rules", "test", "rules"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.out.contains("ERROR  x"), "{}", ran.out);
}

#[test]
fn tests_may_stand_in_the_rule_and_name_files() {
    let folder = Folder::with_calls();
    let tests = r#"
        [[tests]]
        name = "files"
        paths = ["../calls.ndjson"]
        alerts = { at_least = 1, at_most = 5 }
    "#;
    folder.write("rules/refused.toml", format!("{RULE}{tests}"));
    let ran = folder.run(&["rules", "test", "rules"]);
    assert_eq!(ran.printed(0).lines().last(), Some("1 test, 1 passed"));
}

#[test]
fn a_test_is_made_of_an_alert() {
    let folder = Folder::with_calls();
    folder.write("rules/refused.toml", RULE);
    let alerts = folder.run(&["hunt", "calls.ndjson", "-r", "rules", "-f", "ndjson", "-q"]);
    let first: Value = serde_json::from_str(alerts.out.lines().next().unwrap()).unwrap();
    let id = first["kibana.alert.uuid"].as_str().unwrap();
    let made = folder.run(&["rules", "test", "--from-alert", &id[..12], "calls.ndjson", "-r", "rules"]);
    assert_eq!((made.code, made.err.as_str()), (Some(0), ""), "{}", made.out);
    insta::assert_snapshot!(made.out);
    folder.write("rules/made.test.yaml", &made.out);
    let ran = folder.run(&["rules", "test", "rules/made.test.yaml", "-r", "rules"]);
    assert_eq!(ran.printed(0).lines().last(), Some("1 test, 1 passed"));
    let none = folder.run(&["rules", "test", "--from-alert", "zzz", "calls.ndjson", "-r", "rules"]);
    assert!(none.error().starts_with("--from-alert zzz: none of the"), "{}", none.err);
}
