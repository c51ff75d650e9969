//! Investigations over files: real records where they are there, invented ones else.

use std::path::PathBuf;

use hunt::{Files, FilesReport, Found, Progress, Which};
use investigate::{Confidence, Investigation, Options, Subject};
use rule::GuideLanguage;
use serde_json::{Value, json};

use crate::conformance::shared;
use crate::setup::{self, DAY_ONE, Folder, HOUR, MINUTE, NOW, get_password_data};

/// Investigates what a hunt with the rule of the project finds in these files; `keep` leaves out records.
pub(crate) fn of_paths(paths: Vec<PathBuf>, threads: usize, block_rows: usize) -> Vec<Investigation> {
    let folder = Folder::new();
    let mut options = setup::options(&folder, &[get_password_data()]);
    options.paths = paths;
    (options.threads, options.block_rows) = (threads, block_rows);
    let progress = Progress::default();
    let found = hunt::hunt(&options, &mut std::io::empty(), &progress).unwrap();
    of_found(&found, &options, &Which::All)
}

fn files<'p>(options: &hunt::HuntOptions, progress: &'p Progress) -> Files<'p> {
    Files {
        paths: options.paths.clone(),
        normalise: options.normalise.clone(),
        limits: reader::Limits::default(),
        threads: options.threads,
        block_rows: options.block_rows,
        now: options.now,
        progress,
        read: FilesReport::default(),
    }
}

fn asked(options: &hunt::HuntOptions, raised: Vec<investigate::Raised>) -> Options {
    Options { now: options.now, steps: Vec::new(), language: GuideLanguage::English, raised }
}

fn of_found(found: &Found, options: &hunt::HuntOptions, which: &Which) -> Vec<Investigation> {
    let picked = hunt::pick(found, which, options.now);
    let progress = Progress::default();
    let mut files = files(options, &progress);
    let all = investigate::investigate(&picked.subjects, &mut files, &asked(options, picked.raised)).unwrap();
    assert!(files.read.passes <= 2, "{} passes beside the hunt's", files.read.passes);
    all
}

#[track_caller]
fn fact<'i>(it: &'i Investigation, name: &str) -> &'i Value {
    &it.fact(name).unwrap_or_else(|| panic!("no fact {name}")).value
}

#[track_caller]
fn has_facts(it: &Investigation, facts: &[(&str, Value)]) {
    for (name, value) in facts {
        assert_eq!(fact(it, name), value, "{name}: {}", it.fact(name).unwrap().text);
    }
}

fn lacks(it: &Investigation, lack: &str) -> bool {
    it.all_missing().iter().any(|it| it.lack.id() == lack)
}

#[test]
fn stratus_tells_who_was_behind_the_role() {
    let Some(data) = shared("stratus") else { return };
    let all = of_paths(vec![data.join("aws.credential-access.ec2-get-password-data.json")], 1, 0);
    let [it] = all.as_slice() else { panic!("{} investigations", all.len()) };
    has_facts(
        it,
        &[
            ("chain_length", json!(1)),
            ("root_type", json!("user")),
            ("assume_refused_before", json!(2)),
            ("calls", json!(30)),
            ("targets", json!(30)),
            ("targets_valid", json!(0)),
            ("targets_known", json!(0)),
            ("burst", json!(true)),
            ("reason", json!("no identity-based policy")),
            ("explicit_deny", json!(false)),
            ("success_elsewhere", json!(0)),
            ("source_identities", json!(2)),
            ("grade", json!("B")),
        ],
    );
    assert!(fact(it, "root_identity").as_str().unwrap().ends_with(":user/christophe"));
    assert_eq!(it.fact("root_identity").unwrap().confidence, Confidence::Exact);
    let refused = it.fact("assume_refused_before").unwrap();
    assert!(refused.text.contains("5 s before, 3 s before"), "{}", refused.text);
    // Two assumptions in the same second: the one whose key the calls have.
    let chain = it.steps[0].results.iter().find(|it| it.id == "chain").unwrap();
    assert_eq!(chain.rows.len(), 1);
    assert!(chain.rows[0].cells[3].ends_with(it.values.first("case.session_key").unwrap()), "{chain:?}");
    let steps: Vec<&str> = it.steps.iter().filter_map(|it| it.id.as_deref()).collect();
    assert_eq!(steps[..7], ["identity", "request", "behaviour", "instances", "related", "lateral", "origin"]);
}

#[test]
fn invictus_tells_who_was_behind_the_role() {
    let Some(data) = shared("invictus") else { return };
    let all = of_paths(vec![data], 2, 0);
    let [it] = all.as_slice() else { panic!("{} investigations", all.len()) };
    has_facts(
        it,
        &[
            ("calls", json!(29)),
            ("role_age", json!(8)),
            ("reason", json!("unknown")),
            ("attack_tool", json!(true)),
        ],
    );
    assert!(fact(it, "root_identity").as_str().unwrap().ends_with(":user/bert-jan"));
    let identity = &it.steps[0];
    assert!(
        identity.statements.iter().any(|it| it.contains("deleted 13 min after")),
        "{:?}",
        identity.statements
    );
    let decode = &it.steps[1].command.as_ref().unwrap().text;
    assert!(decode.starts_with("aws sts decode-authorization-message --encoded-message "), "{decode}");
}

/// One event of these files as a subject.
fn event_of(paths: Vec<PathBuf>, wanted: impl Fn(&ecs::Object) -> bool + Sync) -> Option<Subject> {
    let options = hunt::NormalizeOptions {
        paths,
        normalise: setup::normalise(),
        limits: reader::Limits::default(),
        now: NOW,
        copies: false,
    };
    let mut found = None;
    hunt::normalize(&options, &mut std::io::empty(), &Progress::default(), &mut |it| {
        if wanted(&it.source) {
            found = Some(it);
        }
        found.is_none()
    })
    .unwrap();
    let it = found?;
    Some(Subject {
        id: it.id.clone(),
        document: it.source.clone(),
        anchors: vec![(it.id, it.source)],
        rule: None,
    })
}

#[test]
fn invictus_tells_credentials_that_left_their_instance() {
    let Some(data) = shared("invictus") else { return };
    let text = |it: &ecs::Object, path: &str| -> String {
        let mut out = String::new();
        ecs::document::values(it, path, ecs::Shape::Leaf, |it| out = it.text().into_owned());
        out
    };
    let of_instance = |it: &ecs::Object| text(it, "user.id").ends_with(":i-0dbc91f429e48eeed");
    let delivery = "aws.cloudtrail.user_identity.session_context.ec2_role_delivery";
    let stolen = event_of(vec![data.clone()], |it| of_instance(it) && text(it, delivery) == "1.0").unwrap();
    let agent = event_of(vec![data.clone()], |it| {
        of_instance(it) && text(it, "user_agent.original").contains("amazon-ssm-agent")
    })
    .unwrap();
    let folder = Folder::new();
    let mut options = setup::options(&folder, &[get_password_data()]);
    options.paths = vec![data];
    let progress = Progress::default();
    let mut files = files(&options, &progress);
    let all = investigate::investigate(&[stolen, agent], &mut files, &asked(&options, Vec::new())).unwrap();
    has_facts(
        &all[0],
        &[
            ("credentials_outside_instance", json!(true)),
            ("credentials_from_instance", json!(true)),
            ("home_instance", json!("i-0dbc91f429e48eeed")),
            ("root_type", json!("instance")),
        ],
    );
    has_facts(&all[1], &[("credentials_outside_instance", json!(false))]);
}

/// A call that issued a session of a role, and calls with it.
pub(crate) fn records() -> Vec<Value> {
    let mut records = Vec::new();
    let assume = |id: &str, at: i64, key: &str, caller: &str, error: bool| {
        let mut record = json!({
            "eventVersion": "1.10", "eventID": id, "eventTime": ecs::date::to_iso(at),
            "eventSource": "sts.amazonaws.com", "eventName": "AssumeRole", "awsRegion": "eu-west-1",
            "sourceIPAddress": "203.0.113.7", "userAgent": "aws-cli/2.15.30", "readOnly": true,
            "recipientAccountId": "111122223333", "eventType": "AwsApiCall", "managementEvent": true,
            "userIdentity": {"type": "IAMUser", "principalId": "AIDAEXAMPLE", "accountId": "111122223333",
                "arn": format!("arn:aws:iam::111122223333:user/{caller}"), "userName": caller,
                "accessKeyId": "AKIAEXAMPLE000000ADA"},
            "requestParameters": {"roleArn": "arn:aws:iam::111122223333:role/ops", "roleSessionName": "build"},
            "responseElements": {"credentials": {"accessKeyId": key}},
        });
        if error {
            record["errorCode"] = "AccessDenied".into();
            record["errorMessage"] =
                "not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::111122223333:role/ops"
                    .into();
            record["requestParameters"] = Value::Null;
            record["responseElements"] = Value::Null;
        }
        record
    };
    records.push(assume("r1", DAY_ONE - 4 * MINUTE, "", "ada", true));
    records.push(assume("a1", DAY_ONE, "ASIAEXAMPLE000000ONE", "ada", false));
    // The same second, role and session name: another session.
    records.push(assume("a2", DAY_ONE, "ASIAEXAMPLE000000TWO", "bob", false));
    for n in 0..8 {
        records.push(json!({
            "eventVersion": "1.10", "eventID": format!("c{n}"),
            "eventTime": ecs::date::to_iso(DAY_ONE + MINUTE + n * 1_000),
            "eventSource": "ec2.amazonaws.com", "eventName": "GetPasswordData", "awsRegion": "eu-west-1",
            "sourceIPAddress": "203.0.113.7", "userAgent": "Boto3/1.34", "readOnly": true,
            "recipientAccountId": "111122223333", "eventType": "AwsApiCall", "managementEvent": true,
            "errorCode": "Client.UnauthorizedOperation",
            "errorMessage": "… because no identity-based policy allows the ec2:GetPasswordData action. Encoded authorization failure message: abc",
            "requestParameters": {"instanceId": format!("i-0000000{n}")},
            "userIdentity": {"type": "AssumedRole", "principalId": "AROAEXAMPLE:build", "accountId": "111122223333",
                "arn": "arn:aws:sts::111122223333:assumed-role/ops/build", "accessKeyId": "ASIAEXAMPLE000000ONE",
                "sessionContext": {"attributes": {"creationDate": ecs::date::to_iso(DAY_ONE), "mfaAuthenticated": "true"},
                    "sessionIssuer": {"type": "Role", "arn": "arn:aws:iam::111122223333:role/ops",
                        "accountId": "111122223333", "userName": "ops", "principalId": "AROAEXAMPLE"}}},
        }));
    }
    records
}

pub(crate) fn of_records(records: &[Value]) -> Vec<Investigation> {
    let folder = Folder::new();
    folder.write("trail.json", json!({"Records": records}).to_string());
    of_paths(vec![folder.path().to_owned()], 1, 0)
}

#[test]
fn the_key_tells_which_of_two_sessions_it_was() {
    let all = of_records(&records());
    let [it] = all.as_slice() else { panic!("{} investigations", all.len()) };
    has_facts(
        it,
        &[
            ("root_identity", json!("arn:aws:iam::111122223333:user/ada")),
            ("chain_length", json!(1)),
            ("assume_refused_before", json!(1)),
            ("assumer_new", json!(true)),
            ("calls", json!(8)),
            ("targets_valid", json!(8)),
            ("targets_known", json!(0)),
            ("mfa", json!(true)),
            ("history_calls", json!(0)),
        ],
    );
    assert!(
        it.exception.as_ref().is_some_and(|it| it.hides == 1 && it.entries.len() == 3),
        "{:?}",
        it.exception
    );
    assert!(lacks(it, "short-history"));
    assert_eq!(it.fact("new_tool").unwrap().confidence, Confidence::Weak);
}

#[test]
fn without_the_call_that_issued_the_key_the_rest_stands() {
    let records = records();
    let stripped: Vec<Value> = records.iter().filter(|it| it["eventName"] != "AssumeRole").cloned().collect();
    let (whole, without) = (of_records(&records), of_records(&stripped));
    let (whole, without) = (&whole[0], &without[0]);
    assert!(!lacks(whole, "no-issuer-event") && lacks(without, "no-issuer-event"));
    for name in ["calls", "targets", "burst", "reason", "history_calls", "success_elsewhere", "new_source"] {
        assert_eq!(fact(whole, name), fact(without, name), "{name}");
    }
    assert_eq!(fact(without, "chain_length"), &json!(0));
}

#[test]
fn the_same_whatever_the_threads_and_the_order_of_files() {
    let folder = Folder::new();
    let records = records();
    for (at, part) in records.chunks(3).enumerate() {
        folder.write(&format!("{at}.json"), json!({"Records": part}).to_string());
    }
    // One file twice: its events are the same events.
    folder.write("copy.json", json!({"Records": &records[..3]}).to_string());
    let told = |threads, rows| format!("{:?}", of_paths(vec![folder.path().to_owned()], threads, rows));
    let one = told(1, 0);
    for (threads, rows) in [(2, 0), (3, 1), (2, 2)] {
        assert_eq!(told(threads, rows), one, "{threads} threads, blocks of {rows}");
    }
    assert_eq!(one, format!("{:?}", of_records(&records)));
}

#[test]
fn a_role_with_a_history_shows_what_is_new() {
    let mut records = records();
    for n in 0..240 {
        let mut call = records[3].clone();
        call["eventID"] = format!("h{n}").into();
        call["eventTime"] = ecs::date::to_iso(DAY_ONE - (n + 1) * 3 * HOUR).into();
        call["eventName"] = "DescribeInstances".into();
        call["errorCode"] = Value::Null;
        call["errorMessage"] = Value::Null;
        call["requestParameters"] = Value::Null;
        call["userIdentity"]["accessKeyId"] = "ASIAEXAMPLE00HISTORY".into();
        call["sourceIPAddress"] = "198.51.100.4".into();
        records.push(call);
    }
    let all = of_records(&records);
    has_facts(
        &all[0],
        &[
            ("history_calls", json!(239)),
            ("history_days", json!(30)),
            ("new_source", json!(true)),
            ("new_tool", json!(false)),
            ("new_region", json!(false)),
            ("new_actions", json!(["ec2:GetPasswordData"])),
            ("session_form_new", json!(false)),
        ],
    );
    assert_eq!(all[0].fact("new_source").unwrap().confidence, Confidence::Exact);
}
