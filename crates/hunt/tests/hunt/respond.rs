//! Plans of response to alerts on real and invented records.

use cases::shared;
use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::{Command, Stdio};

use investigate::fill::{self, Values, placeholders};
use investigate::{Class, Investigation, Plan};
use rule::{GuideLanguage, Risk};

use crate::investigate::{of_paths, of_records, records};
use crate::setup::NOW;

fn plan(it: &Investigation) -> Plan {
    let rules = rule::builtin(GuideLanguage::English).rules;
    investigate::plan(it, &rules, GuideLanguage::English, NOW)
}

fn ids(plan: &Plan) -> Vec<&str> {
    plan.steps.iter().map(|it| it.id.as_str()).collect()
}

#[test]
fn a_misused_session_of_a_user_is_ended_at_its_source() {
    let all = of_records(&records());
    let plan = plan(&all[0]);
    // Eight calls in a burst for machines that nobody knows.
    assert_eq!(plan.grade.0, "B");
    assert_eq!(ids(&plan), ["R1", "R4-key", "R5", "R11", "R12", "R13", "R14"]);
    let key = &plan.steps[1];
    assert!(
        key.command.text.contains("--user-name ada --access-key-id AKIAEXAMPLE000000ADA --status Inactive"),
        "{}",
        key.command.text
    );
    let end = &plan.steps[2];
    assert!(
        end.command.text.contains("--role-name ops --policy-name AWSRevokeOlderSessions"),
        "{}",
        end.command.text
    );
    // The longest session ends twelve hours from now.
    let until = ecs::date::to_iso(NOW + 12 * 60 * 60 * 1_000);
    assert!(end.undo.as_ref().unwrap().contains(&until), "{:?}", end.undo);
    for (step, why) in &plan.not_indicated {
        assert!(why.starts_with("it is indicated when "), "{}: {why}", step.id);
    }
    assert!(plan.guide.len() == 6, "{:?}", plan.guide);
}

#[test]
fn every_plan_keeps_the_order_and_can_be_taken_back() {
    let mut all = of_records(&records());
    for name in ["stratus", "invictus"] {
        if let Some(data) = shared(name) {
            all.extend(of_paths(vec![data], 2, 0));
        }
    }
    for it in &all {
        let plan = plan(it);
        let mut order: Vec<u8> = plan.steps.iter().map(|it| it.phase).collect();
        if plan.contain_first {
            order = order
                .into_iter()
                .map(|it| match it {
                    1 => 2,
                    2 => 1,
                    it => it,
                })
                .collect();
        }
        assert!(order.is_sorted(), "{order:?}");
        let every = plan.steps.iter().chain(plan.not_indicated.iter().map(|(it, _)| it));
        for step in every {
            assert!(
                step.risk != Some(Risk::Reversible) || step.undo.is_some(),
                "{} cannot be undone",
                step.id
            );
            assert!(step.risk.is_some() && step.reason.is_some(), "{}", step.id);
        }
    }
}

/// Parses commands with the argument parser of the AWS CLI: a dead endpoint, no credentials, no network.
const PARSE: &str = r#"
import os, sys, json, shlex, io, contextlib
os.environ.update(AWS_ACCESS_KEY_ID="x", AWS_SECRET_ACCESS_KEY="x", AWS_EC2_METADATA_DISABLED="true",
                  AWS_CONFIG_FILE=os.devnull, AWS_SHARED_CREDENTIALS_FILE=os.devnull, AWS_MAX_ATTEMPTS="1",
                  AWS_DEFAULT_REGION="us-east-1")
try:
    import awscli.clidriver
except ImportError:
    print("no awscli"); sys.exit(0)
import botocore.httpsession, botocore.exceptions
def dead(self, request):
    raise botocore.exceptions.EndpointConnectionError(endpoint_url=request.url)
botocore.httpsession.URLLib3Session.send = dead
driver = awscli.clidriver.create_clidriver()
bad = []
for line in sys.stdin.read().splitlines():
    words = shlex.split(line)
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = driver.main(
                words[1:] + ["--endpoint-url", "http://127.0.0.1:9", "--cli-connect-timeout", "1"])
        except SystemExit as end:
            code = end.code
    text = err.getvalue()
    if code == 252 or "usage:" in text or "Invalid choice" in text or "Error parsing parameter" in text or "Parameter validation failed" in text:
        bad.append((line, code, text[-400:]))
print(json.dumps(bad))
"#;

#[test]
fn every_command_is_one_that_the_aws_cli_takes() {
    let mut all = of_records(&records());
    if let Some(data) = shared("invictus") {
        all.extend(of_paths(vec![data], 2, 0));
    }
    let mut commands = BTreeSet::new();
    for it in &all {
        let plan = plan(it);
        let steps = plan.steps.iter().chain(plan.not_indicated.iter().map(|(it, _)| it));
        let texts = steps.map(|it| it.command.text.clone());
        let own = it.steps.iter().filter_map(|it| it.command.as_ref()).map(|it| it.text.clone());
        for line in texts.chain(own).flat_map(|it| it.lines().map(str::to_owned).collect::<Vec<_>>()) {
            if line.starts_with("aws ") {
                commands.insert(sample(&line));
            }
        }
    }
    assert!(commands.len() > 50, "only {} commands", commands.len());
    parse(commands);
}

#[test]
fn every_command_of_every_guide_is_one_too() {
    let general = investigate::general(GuideLanguage::English);
    let mut rules = rule::builtin(GuideLanguage::English).rules;
    rules.push(general.clone());
    let mut commands = BTreeSet::new();
    for guide in rules.iter().filter_map(|it| it.guide.as_ref()) {
        for template in guide.triage.iter().chain(&guide.response).filter_map(|it| it.command.as_ref()) {
            let mut values = Values::default();
            for name in placeholders(template) {
                values.add(name, [good(name)]);
            }
            let filled = fill::shell(template, &values, GuideLanguage::English);
            let lines = filled.text.replace("\\\n", " ");
            commands.extend(lines.lines().filter(|it| it.starts_with("aws ")).map(sample));
        }
    }
    assert!(commands.len() > 100, "only {} commands", commands.len());
    parse(commands);
}

/// A value as the class of the placeholder wants it.
fn good(name: &str) -> &'static str {
    match Class::of(name) {
        Class::Instance => "i-0123456789abcdef0",
        Class::Resource("sg-") => "sg-0123456789abcdef0",
        Class::Resource(_) => "vol-0123456789abcdef0",
        Class::AccessKey => "AKIAEXAMPLE000000ADA",
        Class::Account => "111122223333",
        Class::Region => "eu-west-1",
        Class::IamName => "ada",
        Class::Arn => "arn:aws:iam::111122223333:role/ops",
        Class::Time => "2026-03-02T00:00:00.000Z",
        Class::Own => "0123456789abcdef",
        Class::Name | Class::Other => "0f1e2d3c-0000-4000-8000-00000000000a",
    }
}

/// Asks the AWS CLI whether it takes them.
fn parse(commands: BTreeSet<String>) {
    let child = Command::new("python3")
        .args(["-c", PARSE])
        .current_dir(std::env::temp_dir())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut child) = child else { return skipped("python3") };
    let text: Vec<String> = commands.into_iter().collect();
    child.stdin.take().unwrap().write_all(text.join("\n").as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let out = String::from_utf8_lossy(&output.stdout);
    if out.trim() == "no awscli" {
        return skipped("the package awscli");
    }
    assert_eq!(out.trim(), "[]", "{}", String::from_utf8_lossy(&output.stderr));
}

#[expect(clippy::print_stderr, reason = "whoever runs the tests must see what they did not do")]
fn skipped(what: &str) {
    let must_run = std::env::var_os("CI").is_some_and(|value| value == "true");
    assert!(!must_run, "without {what} nobody parses the commands of plans");
    eprintln!("SKIPPED: without {what} nobody parsed the commands of plans");
}

/// A command as somebody would have filled it in.
fn sample(line: &str) -> String {
    let mut out = line.replace("$(date -u +%Y-%m-%dT%H:%M:%SZ)", "2026-03-02T00:00:00Z");
    while let Some((before, rest)) = out.clone().split_once('<') {
        let Some((hint, after)) = rest.split_once('>') else { break };
        let value = match hint {
            "instance id" => "i-0123456789abcdef0",
            "account" => "111122223333",
            "region" => "eu-west-1",
            "access key id" => "AKIAEXAMPLE000000ADA",
            "time" => "2026-03-02T00:00:00Z",
            "serial number" => "arn:aws:iam::111122223333:mfa/phone",
            "command id" => "0123abcd-0123-0123-0123-0123456789ab",
            hint if hint.contains("arn") || hint == "target group" => "arn:aws:iam::111122223333:x/y",
            // As long as the longest of them.
            hint if hint.to_lowercase().ends_with("id") => "0f1e2d3c-0000-4000-8000-00000000000a",
            _ => "sample",
        };
        out = format!("{before}{value}{after}");
    }
    // Files that only the reader has.
    while let Some((before, rest)) = out.split_once("file://") {
        let after = rest.find([' ', '\'']).map_or("", |at| &rest[at..]);
        out = format!("{before}'{{}}'{after}");
    }
    out
}
