//! The questions by tactic and by caller, and the steps of plans that rest on their facts: invented records.

use cases::shared;
use std::sync::Arc;

use hunt::{Files, FilesReport, Progress, Which};
use investigate::{Confidence, Investigation, Options, Plan};
use rule::GuideLanguage;
use serde_json::{Value, json};

use crate::setup::{self, DAY_ONE, Folder, HOUR, MINUTE, NOW};

const ACCOUNT: &str = "111122223333";
const KEY: &str = "AKIAEXAMPLE000000ADA";

/// A call of a user.
#[expect(clippy::needless_pass_by_value, reason = "requests are written where they are sent")]
pub(crate) fn call(id: &str, at: i64, service: &str, action: &str, request: Value) -> Value {
    json!({
        "eventVersion": "1.10", "eventID": id, "eventTime": ecs::date::to_iso(at),
        "eventSource": format!("{service}.amazonaws.com"), "eventName": action, "awsRegion": "eu-west-1",
        "sourceIPAddress": "203.0.113.7", "userAgent": "aws-cli/2.15.30", "readOnly": action.starts_with("Get"),
        "recipientAccountId": ACCOUNT, "eventType": "AwsApiCall", "managementEvent": true,
        "requestParameters": request,
        "userIdentity": {"type": "IAMUser", "principalId": "AIDAEXAMPLE", "accountId": ACCOUNT,
            "arn": format!("arn:aws:iam::{ACCOUNT}:user/ada"), "userName": "ada", "accessKeyId": KEY},
    })
}

/// A call like another, changed.
pub(crate) fn with(mut call: Value, change: impl Fn(&mut Value)) -> Value {
    change(&mut call);
    call
}

fn refused(call: Value) -> Value {
    with(call, |it| {
        it["errorCode"] = "AccessDenied".into();
        it["errorMessage"] = "not authorized because no identity-based policy allows it".into();
    })
}

/// Investigates the alerts on one action, of a rule of a tactic.
fn investigated(
    records: &[Value],
    action: &str,
    tactic: &str,
    geo: bool,
    language: GuideLanguage,
) -> Vec<Investigation> {
    let folder = Folder::new();
    folder.write("trail.json", json!({"Records": records}).to_string());
    let lines = format!(
        "type = \"query\"\nquery = \"event.action: {action}\"\nfrom = \"now-6m\"\n[[rule.threat]]\nframework = \"MITRE ATT&CK\"\ntactic = {{ id = \"{tactic}\", name = \"x\", reference = \"https://attack.mitre.org/tactics/{tactic}/\" }}\n"
    );
    let mut options = setup::options(&folder, &[setup::rule("Of a tactic", &lines)]);
    if geo {
        let data = shared("geoip-test").unwrap();
        options.normalise.geo = Some(Arc::new(cloudtrail::Geo::open(&data).unwrap()));
    }
    let progress = Progress::default();
    let found = hunt::hunt(&options, &mut std::io::empty(), &progress).unwrap();
    let picked = hunt::pick(&found, &Which::From(rule::Severity::Low), hunt::ALERTS_MAX, NOW);
    let mut files = Files {
        paths: options.paths.clone(),
        stored: Vec::new(),
        normalise: options.normalise.clone(),
        limits: reader::Limits::default(),
        threads: 2,
        block_rows: 0,
        now: NOW,
        progress: &progress,
        read: FilesReport::default(),
    };
    let asked = Options { now: NOW, steps: Vec::new(), language, raised: picked.raised, issued: None };
    investigate::investigate(&picked.subjects, &mut files, &asked).unwrap()
}

pub(crate) fn one(records: &[Value], action: &str, tactic: &str) -> Investigation {
    let mut all = investigated(records, action, tactic, false, GuideLanguage::English);
    assert_eq!(all.len(), 1, "alerts on {action}");
    all.remove(0)
}

pub(crate) fn plan(it: &Investigation) -> Plan {
    investigate::plan(it, &[], GuideLanguage::English, NOW)
}

/// The commands of a step that is indicated.
#[track_caller]
pub(crate) fn commands(plan: &Plan, id: &str) -> String {
    let step = plan.steps.iter().find(|it| it.id == id);
    step.unwrap_or_else(|| panic!("{id} is not indicated")).command.text.clone()
}

#[track_caller]
pub(crate) fn has(it: &Investigation, name: &str, value: &Value) {
    let fact = it.fact(name).unwrap_or_else(|| panic!("no fact {name}"));
    assert_eq!(&fact.value, value, "{name}: {}", fact.text);
}

fn steps(it: &Investigation) -> Vec<&str> {
    it.steps.iter().filter_map(|it| it.id.as_deref()).collect()
}

#[test]
fn a_rule_has_the_questions_of_its_tactic_and_of_its_caller() {
    let records = [call("e1", DAY_ONE, "kms", "ScheduleKeyDeletion", json!({"keyId": "k-1"}))];
    for (tactic, step) in [
        ("TA0001", "tactic-initial-access"),
        ("TA0112", "tactic-defense-evasion"),
        ("TA0009", "tactic-exfiltration"),
        ("TA0040", "tactic-impact"),
    ] {
        let it = one(&records, "ScheduleKeyDeletion", tactic);
        let its: Vec<&str> = steps(&it)
            .into_iter()
            .filter(|it| it.starts_with("tactic-") || it.starts_with("caller-"))
            .collect();
        assert_eq!(its, [step, "caller-user"], "{tactic}");
        assert!(!steps(&it).contains(&"instances"), "nothing is about instances");
    }
}

#[test]
fn what_was_switched_off_is_blind_until_it_is_on_again() {
    let stop = call("e1", DAY_ONE, "cloudtrail", "StopLogging", json!({"name": "main-trail"}));
    let start = call("e2", DAY_ONE + HOUR, "cloudtrail", "StartLogging", json!({"name": "main-trail"}));
    let other = call("e3", DAY_ONE + HOUR, "cloudtrail", "StartLogging", json!({"name": "other"}));
    let off = one(&[stop.clone(), other], "StopLogging", "TA0005");
    has(&off, "logging_off", &json!(["cloudtrail:StopLogging main-trail"]));
    let text = commands(&plan(&off), "R1-logging");
    assert!(text.contains("aws cloudtrail start-logging --region eu-west-1 --name main-trail"), "{text}");
    assert!(!text.contains("configservice"), "no recorder was stopped: {text}");
    let on = one(&[stop, start], "StopLogging", "TA0005");
    has(&on, "logging_off", &json!([]));
    assert!(plan(&on).not_indicated.iter().any(|it| it.0.id == "R1-logging"));
    let related = on.steps.iter().find(|it| it.id.as_deref() == Some("related")).unwrap();
    let blind = related.results.iter().find(|it| it.id == "blind").unwrap();
    let time = |at: i64| ecs::date::to_iso(at)[..19].replace('T', " ");
    assert_eq!(blind.rows[0].cells[3..], [time(DAY_ONE), time(DAY_ONE + HOUR)]);
    assert_eq!(blind.rows.len(), 1);
}

#[test]
fn sharing_is_taken_back_from_the_account_that_has_it() {
    let request = json!({"snapshotId": "snap-0123456789abcdef0", "attributeType": "CREATE_VOLUME_PERMISSION",
        "createVolumePermission": {"add": {"items": [{"userId": "444455556666"}]}}});
    let records = [call("e1", DAY_ONE, "ec2", "ModifySnapshotAttribute", request)];
    let it = one(&records, "ModifySnapshotAttribute", "TA0010");
    has(&it, "shared_with", &json!(["444455556666"]));
    has(&it, "snapshot_copied", &json!(false));
    let text = commands(&plan(&it), "R7-sharing");
    assert!(
        text.contains("modify-snapshot-attribute --region eu-west-1 --snapshot-id snap-0123456789abcdef0 --attribute createVolumePermission --operation-type remove --user-ids 444455556666"),
        "{text}"
    );
    assert!(!text.contains("modify-image-attribute") && !text.contains("rds"), "{text}");
    // Taking back is no sharing.
    let request = json!({"snapshotId": "snap-0123456789abcdef0",
        "createVolumePermission": {"remove": {"items": [{"userId": "444455556666"}]}}});
    let back = [call("e1", DAY_ONE, "ec2", "ModifySnapshotAttribute", request)];
    has(&one(&back, "ModifySnapshotAttribute", "TA0010"), "shared_with", &json!([]));
}

#[test]
fn keys_of_kms_can_be_saved() {
    let id = "0123abcd-0123-0123-0123-0123456789ab";
    let records = [
        call("e1", DAY_ONE, "kms", "ScheduleKeyDeletion", json!({"keyId": id})),
        call("e2", DAY_ONE + MINUTE, "kms", "DisableKey", json!({"keyId": "$(id); --x"})),
    ];
    let it = one(&records, "ScheduleKeyDeletion", "TA0040");
    let step = plan(&it);
    let step = step.steps.iter().find(|it| it.id == "R7-keys").unwrap();
    assert!(step.command.text.contains(&format!("cancel-key-deletion --region eu-west-1 --key-id {id}")));
    // What is no name of a key is no part of a command.
    assert!(
        !step.command.text.contains('$') && step.command.text.contains("<kms key>"),
        "{}",
        step.command.text
    );
}

#[test]
fn what_is_allowed_after_a_policy_was_not_before() {
    let attach = call(
        "e2",
        DAY_ONE,
        "iam",
        "AttachUserPolicy",
        json!({"userName": "ada", "policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}),
    );
    let records = [
        refused(call("e1", DAY_ONE - 5 * MINUTE, "s3", "ListBuckets", json!({}))),
        attach,
        call("e3", DAY_ONE + 2 * MINUTE, "s3", "ListBuckets", json!({})),
    ];
    let it = one(&records, "AttachUserPolicy", "TA0004");
    has(&it, "newly_allowed", &json!(["s3:ListBuckets"]));
    has(&it, "rights_widened", &json!(["iam:AttachUserPolicy ada"]));
    let text = commands(&plan(&it), "R4-rights");
    let command =
        "aws iam detach-user-policy --user-name ada --policy-arn arn:aws:iam::aws:policy/AdministratorAccess";
    assert!(text.contains(command), "{text}");
}

#[test]
fn a_new_key_is_seen_in_use() {
    let made = with(call("e1", DAY_ONE, "iam", "CreateAccessKey", json!({"userName": "bob"})), |it| {
        it["responseElements"] =
            json!({"accessKey": {"accessKeyId": "AKIAEXAMPLE000000BOB", "userName": "bob"}});
    });
    let used = with(call("e2", DAY_ONE + HOUR, "s3", "ListBuckets", json!({})), |it| {
        it["userIdentity"]["accessKeyId"] = "AKIAEXAMPLE000000BOB".into();
        it["userIdentity"]["userName"] = "bob".into();
        it["userIdentity"]["arn"] = format!("arn:aws:iam::{ACCOUNT}:user/bob").into();
        it["sourceIPAddress"] = "198.51.100.9".into();
    });
    has(&one(&[made.clone(), used], "CreateAccessKey", "TA0003"), "made_used", &json!(1));
    has(&one(&[made], "CreateAccessKey", "TA0003"), "made_used", &json!(0));
}

#[test]
fn a_long_term_key_has_a_past() {
    let mut records: Vec<Value> = (1..=80_i64)
        .map(|n| {
            with(call(&format!("h{n}"), DAY_ONE - n * 12 * HOUR, "s3", "ListBuckets", json!({})), |it| {
                it["sourceIPAddress"] = "198.51.100.9".into();
            })
        })
        .collect();
    records.push(call("e1", DAY_ONE, "s3", "ListBuckets", json!({})));
    records.push(call("e2", DAY_ONE + MINUTE, "iam", "CreateUser", json!({"userName": "mallory"})));
    let it = one(&records, "CreateUser", "TA0003");
    // The same key, but not the same piece of work.
    has(&it, "history_calls", &json!(59));
    has(&it, "new_source", &json!(true));
    has(&it, "new_tool", &json!(false));
    has(&it, "new_actions", &json!(["iam:CreateUser"]));
    assert_eq!(it.fact("new_source").unwrap().confidence, Confidence::Exact);
}

#[test]
fn nobody_is_in_two_far_places_at_once() {
    if shared("geoip-test").is_none() {
        return;
    }
    let from = |call: Value, address: &str| with(call, |it| it["sourceIPAddress"] = address.into());
    // London, and Milton in Washington.
    let (here, there) = ("81.2.69.142", "216.160.83.56");
    let before =
        |at: i64, address: &str| from(call("e0", at, "sts", "GetCallerIdentity", json!({})), address);
    let alert = from(call("e1", DAY_ONE, "iam", "CreateUser", json!({"userName": "mallory"})), here);
    for (earlier, impossible) in [
        (before(DAY_ONE - 30 * MINUTE, there), Some(true)),
        (before(DAY_ONE - 20 * HOUR, there), Some(false)),
        (before(DAY_ONE - 30 * MINUTE, here), Some(false)),
        (before(DAY_ONE - 30 * MINUTE, "10.0.0.1"), None),
    ] {
        let all =
            investigated(&[earlier, alert.clone()], "CreateUser", "TA0003", true, GuideLanguage::English);
        let fact = all[0].fact("impossible_travel");
        assert_eq!(fact.map(|it| it.value.clone()), impossible.map(Value::from), "{fact:?}");
        assert!(fact.is_none_or(|it| it.confidence == Confidence::Weak));
    }
    let all = investigated(
        &[before(DAY_ONE - 30 * MINUTE, there), alert],
        "CreateUser",
        "TA0003",
        false,
        GuideLanguage::English,
    );
    assert!(all[0].fact("impossible_travel").is_none(), "without a database nothing is known of places");
}

#[test]
fn in_chinese_no_sentence_is_english() {
    let records = [
        refused(call("e1", DAY_ONE - 5 * MINUTE, "s3", "ListBuckets", json!({}))),
        call("e2", DAY_ONE, "cloudtrail", "StopLogging", json!({"name": "main-trail"})),
        call("e3", DAY_ONE + MINUTE, "iam", "CreateUser", json!({"userName": "mallory"})),
    ];
    for tactic in
        ["TA0001", "TA0002", "TA0003", "TA0004", "TA0005", "TA0006", "TA0007", "TA0008", "TA0010", "TA0040"]
    {
        let all = investigated(&records, "StopLogging", tactic, false, GuideLanguage::SimplifiedChinese);
        let it = &all[0];
        let mut texts: Vec<&str> = vec![&it.sentence];
        texts.extend(it.deviations.iter().map(String::as_str));
        texts.extend(it.facts.iter().map(|it| it.text.as_str()));
        texts.extend(it.steps.iter().flat_map(|it| &it.statements).map(String::as_str));
        texts.extend(it.all_missing().into_iter().map(|it| it.text.as_str()));
        let lists =
            it.harmless.iter().flat_map(|it| it.supports.iter().chain(&it.against).chain(&it.unknown));
        texts.extend(lists.map(String::as_str));
        for text in texts {
            assert!(text.chars().any(|it| ('\u{4e00}'..='\u{9fff}').contains(&it)), "{tactic}: {text}");
            // Values stand in backquotes; besides these there are names of things, but no sentences.
            let ours: String = text.split('`').step_by(2).collect();
            for word in [" the ", " was ", " of ", " is ", " and ", " not "] {
                assert!(!ours.contains(word), "{tactic}: {text}");
            }
        }
    }
}
