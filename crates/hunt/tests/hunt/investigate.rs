//! Investigations over files: real records where they are there, invented ones else.

use cases::shared;
use std::path::PathBuf;

use hunt::{Files, FilesReport, Found, Progress, Which};
use investigate::{Confidence, Investigation, Options, Subject};
use rule::{GuideLanguage, Severity};
use serde_json::{Value, json};

use crate::setup::{self, DAY_ONE, Folder, HOUR, MINUTE, NOW, get_password_data};

/// Investigates what a hunt with the rule of the project finds in these files; `keep` leaves out records.
pub(crate) fn of_paths(paths: Vec<PathBuf>, threads: usize, block_rows: usize) -> Vec<Investigation> {
    let folder = Folder::new();
    let mut options = setup::options(&folder, &[get_password_data()]);
    options.paths = paths;
    (options.threads, options.block_rows) = (threads, block_rows);
    options.identities = hunt::Identities::Known;
    let progress = Progress::default();
    let found = hunt::hunt(&options, &mut std::io::empty(), &progress).unwrap();
    of_found(&found, &options, &Which::From(Severity::Low))
}

fn files<'p>(options: &hunt::HuntOptions, progress: &'p Progress) -> Files<'p> {
    Files {
        paths: options.paths.clone(),
        stored: Vec::new(),
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
    Options { now: options.now, steps: Vec::new(), language: GuideLanguage::English, raised, issued: None }
}

fn of_found(found: &Found, options: &hunt::HuntOptions, which: &Which) -> Vec<Investigation> {
    let picked = hunt::pick(found, which, hunt::ALERTS_MAX, options.now);
    let progress = Progress::default();
    let mut files = files(options, &progress);
    let all = investigate::investigate(&picked.subjects, &mut files, &asked(options, picked.raised)).unwrap();
    assert!(files.read.passes <= 2, "{} passes beside the hunt's", files.read.passes);
    // What the hunt knows of credentials saves a pass, and changes nothing.
    if found.issued.is_some() {
        let again = hunt::pick(found, which, hunt::ALERTS_MAX, options.now);
        let known = Options { issued: found.issued.clone(), ..asked(options, again.raised) };
        files.read = FilesReport::default();
        let once = investigate::investigate(&again.subjects, &mut files, &known).unwrap();
        assert_eq!(files.read.passes, 1);
        assert!(format!("{once:?}") == format!("{all:?}"), "the same");
    }
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
        stored: Vec::new(),
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

/// Facts that rest on the calls of the session, its role and its address alone.
const WITHOUT_CHAIN: [&str; 27] = [
    "answered",
    "attack_tool",
    "burst",
    "calls",
    "dry_run",
    "explicit_deny",
    "history_calls",
    "history_days",
    "mfa",
    "new_actions",
    "new_region",
    "new_source",
    "new_tool",
    "probing_services",
    "reason",
    "refused_share",
    "role_session",
    "same_source_success",
    "session_form_new",
    "sessions_alive",
    "source_identities",
    "src_kind",
    "success_elsewhere",
    "targets",
    "targets_known",
    "unusual_hour",
    "via_console",
];

/// All records of a folder or file that are to stay, in one file.
fn written(folder: &Folder, data: &std::path::Path, stays: impl Fn(&Value) -> bool) {
    let mut files = vec![data.to_owned()];
    let mut kept = Vec::new();
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(std::fs::read_dir(&path).unwrap().map(|it| it.unwrap().path()));
            continue;
        }
        let Ok(bytes) = std::fs::read(&path) else { continue };
        let mut text = Vec::new();
        let is_packed = path.extension().is_some_and(|it| it == "gz");
        let read = if is_packed {
            std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&bytes[..]), &mut text).is_ok()
        } else {
            text = bytes;
            true
        };
        let Ok(value) = serde_json::from_slice::<Value>(&text) else { continue };
        let records = value.get("Records").unwrap_or(&value).as_array().cloned().unwrap_or_default();
        kept.extend(records.into_iter().filter(|it| read && it.is_object() && stays(it)));
    }
    assert!(!kept.is_empty());
    folder.write("trail.json", json!({"Records": kept}).to_string());
}

#[test]
fn recorded_attacks_without_the_calls_that_issued_credentials() {
    for (name, file) in [("stratus", "aws.credential-access.ec2-get-password-data.json"), ("invictus", "")] {
        let Some(data) = shared(name) else { return };
        let (all, stripped) = (Folder::new(), Folder::new());
        written(&all, &data.join(file), |_| true);
        written(&stripped, &data.join(file), |it| {
            it["eventSource"] != "sts.amazonaws.com" || it["errorCode"].is_string()
        });
        let (whole, without) = (of_paths(all.paths(), 1, 0), of_paths(stripped.paths(), 1, 0));
        let (whole, without) = (&whole[0], &without[0]);
        assert!(!lacks(whole, "no-issuer-event") && lacks(without, "no-issuer-event"), "{name}");
        for fact in WITHOUT_CHAIN {
            let value = |it: &Investigation| it.fact(fact).map(|it| (it.value.clone(), it.confidence));
            assert_eq!(value(whole), value(without), "{name}: {fact}");
        }
        let root = without.fact("root_identity").unwrap();
        assert_eq!(root.confidence, Confidence::Weak, "{name}: {}", root.text);
        assert_eq!(root.value.as_str(), without.values.first("case.role_arn"), "{name}");
        // What it says is missing says where it was looked for.
        let key = without.values.first("case.session_key").unwrap();
        let missing = without.all_missing();
        let text = &missing.iter().find(|it| it.lack.id() == "no-issuer-event").unwrap().text;
        assert!(text.contains(key) && text.contains("us-east-1"), "{text}");
    }
}

#[test]
fn a_history_of_a_day_makes_nothing_surely_new() {
    let mut records = records();
    for n in 0..40 {
        let mut call = records[3].clone();
        call["eventID"] = format!("h{n}").into();
        call["eventTime"] = ecs::date::to_iso(DAY_ONE - (n + 1) * HOUR / 2).into();
        call["eventName"] = "DescribeInstances".into();
        call["userIdentity"]["accessKeyId"] = "ASIAEXAMPLE00HISTORY".into();
        records.push(call);
    }
    let all = of_records(&records);
    let it = &all[0];
    assert!(lacks(it, "short-history"));
    let new: Vec<_> =
        it.facts.iter().filter(|it| it.name.contains("new") && it.name != "assumer_new").collect();
    assert!(new.len() >= 5, "{new:?}");
    for fact in new {
        assert_eq!(fact.confidence, Confidence::Weak, "{}", fact.name);
    }
}

/// Calls of a user with a long-term key: what was done before is its past, though the key is the same.
#[test]
fn a_long_term_key_has_a_past() {
    let user = json!({"type": "IAMUser", "principalId": "AIDAEXAMPLE", "accountId": "111122223333",
        "arn": "arn:aws:iam::111122223333:user/ada", "userName": "ada", "accessKeyId": "AKIAEXAMPLE000000ADA"});
    let mut records = Vec::new();
    let mut call = |id: String, at: i64, name: &str, address: &str| {
        let mut record = self::records().swap_remove(3);
        record["eventID"] = id.into();
        record["eventTime"] = ecs::date::to_iso(at).into();
        record["eventName"] = name.into();
        record["sourceIPAddress"] = address.into();
        record["userIdentity"] = user.clone();
        records.push(record);
    };
    for n in 0..60 {
        call(format!("h{n}"), DAY_ONE - (n + 1) * 4 * HOUR, "DescribeInstances", "198.51.100.4");
    }
    // The run that ends in the alert began forty minutes before.
    for n in 0..5 {
        call(format!("r{n}"), DAY_ONE - (4 - n) * 10 * MINUTE, "ListBuckets", "203.0.113.7");
    }
    let folder = Folder::new();
    folder.write("trail.json", json!({"Records": records}).to_string());
    let subject = event_of(folder.paths(), |it| it["event"]["id"] == "r4").unwrap();
    let options = setup::options(&folder, &[get_password_data()]);
    let progress = Progress::default();
    let all =
        investigate::investigate(&[subject], &mut files(&options, &progress), &asked(&options, Vec::new()));
    let all = all.unwrap();
    has_facts(
        &all[0],
        &[
            ("history_calls", json!(60)),
            ("new_source", json!(true)),
            ("new_actions", json!(["ec2:ListBuckets"])),
            ("chain_length", json!(0)),
            ("root_type", json!("user")),
        ],
    );
    assert_eq!(all[0].fact("new_source").unwrap().confidence, Confidence::Exact);
}

#[test]
fn a_session_that_is_older_than_the_data_is_told_so() {
    let mut records: Vec<Value> =
        records().into_iter().filter(|it| it["eventName"] != "AssumeRole").collect();
    let text = |records: &[Value]| {
        let all = of_records(records);
        let missing = all[0].all_missing();
        missing.iter().find(|it| it.lack.id() == "no-issuer-event").unwrap().text.clone()
    };
    assert!(
        text(&records)
            .ends_with("the session began at 2026-03-02 00:00:00, before the data do (2026-03-02 00:01:00)")
    );
    // With a record from before, the call may be elsewhere.
    let mut first = records[0].clone();
    (first["eventID"], first["eventTime"]) = ("first".into(), ecs::date::to_iso(DAY_ONE - HOUR).into());
    (first["eventName"], first["userIdentity"]["accessKeyId"]) =
        ("ListBuckets".into(), "ASIAEXAMPLE00000OLD".into());
    records.push(first);
    assert!(text(&records).ends_with("the trail of the calling account, or of us-east-1, may be missing"));
}

#[test]
fn an_alert_that_counts_has_no_events_and_is_told_so() {
    let folder = Folder::new();
    folder.write("trail.json", json!({"Records": records()}).to_string());
    let counting = setup::rule(
        "Often",
        "type = \"threshold\"\nquery = \"event.action: GetPasswordData\"\ninterval = \"5m\"\nfrom = \"now-9m\"\n\
         [rule.threshold]\nfield = [\"source.ip\"]\nvalue = 3\n",
    );
    let options = setup::options(&folder, &[counting]);
    let found = hunt::hunt(&options, &mut std::io::empty(), &Progress::default()).unwrap();
    let all = of_found(&found, &options, &Which::From(Severity::Low));
    let [it] = all.as_slice() else { panic!("{} investigations", all.len()) };
    assert!(lacks(it, "no-events"));
    // What its own fields tell is computed all the same.
    assert_eq!(fact(it, "src_kind"), &json!("public"));
    assert_eq!(fact(it, "source_identities"), &json!(3));
    assert!(it.steps.len() > 5);
}

#[test]
fn values_of_a_megabyte_cost_only_themselves() {
    let mut records = records();
    for record in &mut records[3..] {
        record["userAgent"] = "x".repeat(1 << 20).into();
        record["requestParameters"]["instanceId"] = "i".repeat(1 << 20).into();
        record["userIdentity"]["principalId"] = format!("AROAEXAMPLE:{}", "s".repeat(1 << 20)).into();
    }
    let all = of_records(&records[..6]);
    let it = &all[0];
    has_facts(it, &[("calls", json!(3)), ("chain_length", json!(1)), ("src_kind", json!("public"))]);
    for text in it.deviations.iter().chain(it.all_missing().iter().map(|it| &it.text)) {
        assert!(text.len() < 2_000, "{} bytes: {}", text.len(), &text[..200]);
    }
}
