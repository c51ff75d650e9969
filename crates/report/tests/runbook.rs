//! Plans as people and shells get them.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

use std::process::{Command as Process, Stdio};

use investigate::{Command, Plan, PlanStep};
use report::runbook::{PlanFormat, Writer};
use rule::{GuideLanguage, Risk};

fn step(id: &str, phase: u8, risk: Risk, text: &str) -> PlanStep {
    PlanStep {
        id: id.to_owned(),
        title: format!("Don't wait: {id}"),
        text: "What to do.".to_owned(),
        reason: Some("It must be.".to_owned()),
        undo: Some("The other way round.".to_owned()),
        phase,
        risk: Some(risk),
        command: Command {
            text: text.to_owned(),
            notes: vec!["`x\u{1b}[2Jy` is no valid instance id".to_owned()],
            is_open: false,
        },
        ..PlanStep::default()
    }
}

fn plan() -> Plan {
    Plan {
        id: "0123abcd".to_owned(),
        sentence: "`role/ci` called `ec2:GetPasswordData` for `<script>alert(1)</script>`.".to_owned(),
        grade: ("B".to_owned(), "the credentials are misused".to_owned()),
        contain_first: false,
        account: Some("111122223333".to_owned()),
        role_account: None,
        steps: vec![
            step(
                "R5",
                2,
                Risk::Reversible,
                "aws iam put-role-policy --role-name ci\naws iam get-role --role-name <role name>",
            ),
            step("R10", 5, Risk::Destructive, "aws iam delete-user --user-name mallory"),
            step("R11", 6, Risk::Read, "aws iam get-role --role-name ci"),
            // Commands for two accounts; then back in the first.
            step(
                "R12",
                6,
                Risk::Read,
                "aws iam get-role --role-name a\n# account 444455556666\naws iam get-role --role-name b\n# account 111122223333\naws iam get-role --role-name c",
            ),
        ],
        not_indicated: vec![(step("R9", 4, Risk::Reversible, ""), "secrets_read is empty".to_owned())],
        guide: vec![("Isolate".to_owned(), "At once.".to_owned())],
        own_alerts: vec![("A rule".to_owned(), "PutRolePolicy".to_owned())],
        open: vec!["no GeoIP database".to_owned()],
        watch: Some("[rule]\nname = \"`id`$(id)'\"".to_owned()),
    }
}

fn printed(format: PlanFormat) -> String {
    let mut out = Vec::new();
    let mut plans = Writer::new(&mut out, format, GuideLanguage::English);
    plans.add(&plan()).unwrap();
    plans.finish().unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn a_runbook() {
    insta::assert_snapshot!(printed(PlanFormat::Markdown));
}

#[test]
fn a_script_asks_and_removes_nothing() {
    let script = printed(PlanFormat::Shell);
    insta::assert_snapshot!(script);
    // What only looks stands first, what cannot be taken back and what is still open only as a comment.
    let line = |text: &str| script.lines().position(|it| it.trim() == text).unwrap();
    assert!(line("aws iam get-role --role-name ci") < line("aws iam put-role-policy --role-name ci"));
    assert!(script.contains("# aws iam delete-user --user-name mallory"));
    assert!(script.contains("# aws iam get-role --role-name <role name>"));
    // What is to be done in another account is no part of what runs in this one.
    for (name, runs) in [("a", true), ("b", false), ("c", true)] {
        let command = format!("aws iam get-role --role-name {name}");
        let shown = script.lines().find(|it| it.contains(&command)).unwrap();
        assert_eq!(!shown.starts_with('#'), runs, "{shown}");
    }
    // A shell that is told no runs nothing.
    let mut shell = Process::new("sh");
    let mut child = shell
        .arg("-c")
        .arg(&script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("there is a sh to try the script with");
    drop(child.stdin.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(String::from_utf8_lossy(&output.stdout).matches("[y/N]").count(), 3);
}

#[test]
fn json_says_the_same() {
    let json: serde_json::Value = serde_json::from_str(&printed(PlanFormat::Json)).unwrap();
    let plan = &json["plans"][0];
    assert_eq!(plan["steps"].as_array().unwrap().len(), 4);
    assert_eq!(plan["steps"][1]["risk"], "destructive");
    assert_eq!(plan["not_indicated"][0]["step"]["id"], "R9");
}
