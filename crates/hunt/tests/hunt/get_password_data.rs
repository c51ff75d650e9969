//! The rule that the project began with, and the two beside it, on invented records.

use detect::KnownAlerts;
use hunt::{Document, NormalizeOptions, Progress};
use serde_json::{Value, json};

use crate::setup::{
    Call, DAY, DAY_ONE, Folder, HOUR, Hunted, MINUTE, NOW, built_in, get_password_data, hunt_in, issuer,
    normalise, options, refused, run, texts, verdicts,
};

const NAME: &str = "AWS EC2 Admin Credential Fetch via Assumed Role";

fn alerts(calls: &[Call<'_>]) -> Vec<String> {
    let found = hunt_in(&Folder::of(calls), &[get_password_data()]);
    verdicts(&found).into_iter().map(|it| it.strip_prefix(NAME).unwrap().trim().to_owned()).collect()
}

#[test]
fn one_alert_a_role_at_its_first_refused_call() {
    let at = |minutes| DAY_ONE + minutes * MINUTE;
    let calls = [
        refused("second", at(61), "ci"),
        refused("first", at(60), "ci"),
        refused("third", at(64), "ci"),
        refused("much-later", at(500), "ci"),
        refused("other-role", at(62), "backup"),
        Call { error: None, ..refused("allowed", at(1), "ops") },
        Call { error: Some("Client.InvalidInstanceID.NotFound"), ..refused("no-instance", at(2), "ops") },
        Call { action: "DescribeInstances", ..refused("other-action", at(3), "ops") },
    ];
    assert_eq!(alerts(&calls), ["first", "other-role"]);
}

#[test]
fn a_role_is_new_again_after_seven_quiet_days() {
    let noon = DAY_ONE + 12 * HOUR;
    let after = |quiet| {
        let calls = [refused("first", noon, "ci"), refused("second", noon + quiet, "ci")];
        alerts(&calls)
    };
    assert_eq!(after(6 * DAY), ["first"]);
    assert_eq!(after(7 * DAY - 10 * MINUTE), ["first"]);
    // The last execution that sees a second call at 11:55 is that of 12:00, whose history begins at noon seven days before.
    assert_eq!(after(7 * DAY - 5 * MINUTE), ["first"], "the history's first instant belongs to it");
    // That of 12:05 has forgotten the first call, and sees what happened after 11:56, whether or not there is more data.
    assert_eq!(after(7 * DAY - 4 * MINUTE), ["first"], "first seen at `from` is not new");
    assert_eq!(after(7 * DAY - 4 * MINUTE + 1), ["first", "second"]);
    assert_eq!(after(7 * DAY), ["first", "second"]);
    // The silence counts from the last call, not from the first.
    let calls = [
        refused("first", noon, "ci"),
        refused("quiet", noon + 5 * DAY, "ci"),
        refused("still-known", noon + 10 * DAY, "ci"),
        refused("new-again", noon + 18 * DAY, "ci"),
    ];
    assert_eq!(alerts(&calls), ["first", "new-again"]);
}

#[test]
fn the_alert_says_what_happened() {
    let folder = Folder::of(&[refused("first", DAY_ONE + 61_500, "ci")]);
    let found = hunt_in(&folder, &[get_password_data()]);
    let [alert] = found.alerts.as_slice() else { panic!("{:?}", verdicts(&found)) };
    assert_eq!(alert["kibana.alert.new_terms"], serde_json::json!([issuer("ci")]));
    assert_eq!(alert["kibana.alert.original_time"], "2026-03-02T00:01:01.500Z");
    // The execution of five minutes past is the first that sees it.
    assert_eq!(alert["@timestamp"], "2026-03-02T00:05:00.000Z");
    assert_eq!(
        alert["kibana.alert.reason"],
        format!("event with source 203.0.113.20 by ci created medium alert {NAME}.")
    );
    assert_eq!(
        alert["kibana.alert.ancestors"],
        serde_json::json!([
            {"id": "first", "type": "event", "index": "logs-aws.cloudtrail-default", "depth": 0}
        ])
    );
    assert_eq!(alert["source"]["ip"], "203.0.113.20", "the event's fields are the alert's");
}

#[test]
fn alerts_of_an_earlier_hunt_are_not_raised_again() {
    let calls = [
        refused("first", DAY_ONE, "ci"),
        refused("second", DAY_ONE + HOUR, "backup"),
        refused("third", DAY_ONE + 9 * DAY, "ci"),
    ];
    let folder = Folder::of(&calls);
    let rules = [get_password_data()];
    let first = hunt_in(&folder, &rules);
    assert_eq!(first.alerts.len(), 3);
    let again = |lines: &[String]| {
        let mut known = KnownAlerts::default();
        for line in lines {
            known.add_line(line).unwrap();
        }
        verdicts(&run(&hunt::HuntOptions { known, ..options(&folder, &rules) }))
    };
    let lines = texts(&first);
    assert!(again(&lines).is_empty());
    assert_eq!(again(&lines[1..]), verdicts(&first)[..1], "the one that is not known is raised");
}

#[test]
fn duplicates_and_late_copies_change_nothing() {
    let first = refused("first", DAY_ONE, "ci");
    let second = refused("second", DAY_ONE + HOUR, "ci");
    let whole = [first.clone(), second.clone(), first.clone(), second, first.clone()];
    assert_eq!(alerts(&whole), ["first"]);
    // A copy that carries another time is no other event: the role was seen before.
    let late = Call { at: Some(DAY_ONE + 2 * HOUR), ..first.clone() };
    assert_eq!(alerts(&[first, late]), ["first"]);
}

/// Whether the rule alerts on a record that differs from a refused call as `change` says.
fn alerts_on(change: impl FnOnce(&mut Value)) -> bool {
    let mut record = refused("only", DAY_ONE, "ci").record();
    change(&mut record);
    let folder = Folder::new();
    folder.write("record.json", record.to_string());
    !hunt_in(&folder, &[get_password_data()]).alerts.is_empty()
}

#[test]
fn all_five_conditions_must_hold() {
    assert!(alerts_on(|_| {}));
    // An insight is of another data set; so is anything that is no record of CloudTrail.
    let other_dataset = |record: &mut Value| {
        *record = json!({
            "@timestamp": "2026-03-02T00:00:00Z",
            "event": {"dataset": "aws.s3access", "provider": "ec2.amazonaws.com", "action": "GetPasswordData"},
            "aws": {"cloudtrail": {
                "error_code": "Client.UnauthorizedOperation",
                "user_identity": {
                    "type": "AssumedRole",
                    "session_context": {"session_issuer": {"arn": issuer("ci")}},
                },
            }},
        });
    };
    assert!(!alerts_on(other_dataset));
    assert!(alerts_on(|record| {
        other_dataset(record);
        record["event"]["dataset"] = "aws.cloudtrail".into();
    }));
    for (pointer, value) in [
        ("/eventSource", json!("ec2-instance-connect.amazonaws.com")),
        ("/eventName", json!("GetConsoleOutput")),
        ("/eventName", json!("getpassworddata")),
        ("/userIdentity/type", json!("IAMUser")),
        ("/userIdentity/type", json!("FederatedUser")),
        ("/errorCode", Value::Null),
        ("/errorCode", json!("AccessDenied")),
        ("/errorCode", json!("UnauthorizedOperation")),
        ("/errorCode", json!("Client.UnauthorizedOperation ")),
        // Without the role's ARN there is no term that could be new.
        ("/userIdentity/sessionContext/sessionIssuer/arn", Value::Null),
    ] {
        let change = |record: &mut Value| *record.pointer_mut(pointer).unwrap() = value.clone();
        assert!(!alerts_on(change), "{pointer} = {value}");
    }
}

#[test]
fn a_role_is_its_arn() {
    let mut records = Vec::new();
    for (id, role, session) in [
        ("one", "arn:aws:iam::111122223333:role/ci", "a"),
        ("session", "arn:aws:iam::111122223333:role/ci", "b"),
        ("account", "arn:aws:iam::444455556666:role/ci", "a"),
        ("path", "arn:aws:iam::111122223333:role/team/ci", "a"),
        ("case", "arn:aws:iam::111122223333:role/CI", "a"),
    ] {
        let mut record = refused(id, DAY_ONE + records.len() as i64 * MINUTE, "ci").record();
        record["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"] = role.into();
        record["userIdentity"]["arn"] = format!("arn:aws:sts::111122223333:assumed-role/ci/{session}").into();
        records.push(record.to_string());
    }
    let folder = Folder::new();
    folder.write("records.ndjson", records.join("\n"));
    let ids: Vec<String> = verdicts(&hunt_in(&folder, &[get_password_data()]));
    assert_eq!(ids, ["account", "case", "one", "path"].map(|id| format!("{NAME} {id}")));
}

/// A hunt for `count` roles that are refused at the same instant, in a trail that goes on for an hour.
fn refused_at_once(count: usize, at: i64) -> Hunted {
    let roles: Vec<String> = (0..count).map(|number| format!("role-{number:03}")).collect();
    let mut calls: Vec<Call<'_>> = roles.iter().map(|role| refused(role, at, role)).collect();
    calls.push(Call { action: "DescribeInstances", ..refused("later", at + HOUR, "ci") });
    hunt_in(&Folder::of(&calls), &[get_password_data()])
}

#[test]
fn an_execution_raises_a_hundred_alerts_and_looks_back_nine_minutes() {
    let limit_met = |found: &Hunted| found.rules[0].outcome.metrics.truncated;
    // The execution of 00:05 sees all of them and stops at a hundred, those of the first roles. That of 00:10 begins
    // at 00:01, which is not later than its beginning: the others are lost.
    let found = refused_at_once(120, DAY_ONE + MINUTE);
    assert_eq!((found.alerts.len(), limit_met(&found)), (100, 1));
    let last = verdicts(&found).pop().unwrap();
    assert_eq!(last, format!("{NAME} role-099"));
    // A millisecond later they lie within its nine minutes and are still new.
    let found = refused_at_once(120, DAY_ONE + MINUTE + 1);
    assert_eq!((found.alerts.len(), limit_met(&found)), (120, 1));
    let found = refused_at_once(100, DAY_ONE + MINUTE);
    assert_eq!((found.alerts.len(), limit_met(&found)), (100, 0));
}

/// The documents of calls as a shipper of that version makes them, in that index, with the time of their indexing.
fn shipped(calls: &[Call<'_>], version: cloudtrail::Version, index: &str, ingested: Option<&str>) -> String {
    let folder = Folder::of(calls);
    let options = NormalizeOptions {
        paths: folder.paths(),
        stored: Vec::new(),
        normalise: cloudtrail::Options { version, ..normalise() },
        limits: reader::Limits::default(),
        now: NOW,
        copies: true,
    };
    let mut lines = String::new();
    let mut take = |mut document: Document| {
        if let Some(time) = ingested {
            document.source["event"]["ingested"] = time.into();
        }
        let line = json!({"_index": index, "_id": document.id, "_source": document.source});
        lines += &format!("{line}\n");
        true
    };
    hunt::normalize(&options, &mut std::io::empty(), &Progress::default(), &mut take).unwrap();
    assert_eq!(lines.lines().count(), calls.len());
    lines
}

#[test]
fn documents_of_filebeat_and_of_the_integration_alert_in_their_indices() {
    use cloudtrail::Version::{Filebeat, V2_24, V8_9};
    for (version, index, expected) in [
        (Filebeat, "filebeat-8.19.0", true),
        (Filebeat, ".ds-filebeat-8.19.0-2026.03.02-000001", true),
        (Filebeat, "filebeat_8.19.0", false),
        (Filebeat, "winlogbeat-8.19.0", false),
        (V2_24, "logs-aws.cloudtrail-default", true),
        (V8_9, "logs-aws.cloudtrail-default", true),
        (V8_9, "logs-aws.cloudtrail-prod", true),
        (V8_9, ".ds-logs-aws.cloudtrail-prod-2026.03.01-000012", true),
        (V8_9, "logs-aws.cloudtrail_of_another_name", true),
        (V8_9, "logs-aws.s3access-default", false),
        (V8_9, "metrics-aws.cloudtrail-default", false),
    ] {
        let folder = Folder::new();
        let calls = [refused("first", DAY_ONE, "ci"), refused("second", DAY_ONE + MINUTE, "ci")];
        folder.write("documents.ndjson", shipped(&calls, version, index, None));
        let found = hunt_in(&folder, &[get_password_data()]);
        let expected: &[Value] = if expected { &[json!("first")] } else { &[] };
        let ids: Vec<&Value> = found.alerts.iter().map(|it| &it["kibana.alert.ancestors"][0]["id"]).collect();
        assert_eq!(ids, expected.iter().collect::<Vec<_>>(), "{version:?} in {index}");
        for alert in &found.alerts {
            assert_eq!(alert["kibana.alert.new_terms"], json!([issuer("ci")]));
            assert_eq!(alert["kibana.alert.ancestors"][0]["index"], index);
        }
    }
}

#[test]
fn what_was_indexed_late_is_seen_when_it_was_indexed() {
    let folder = Folder::new();
    let version = cloudtrail::Version::V8_9;
    let index = "logs-aws.cloudtrail-default";
    let late = [refused("late", DAY_ONE, "ci")];
    let soon = [refused("soon", DAY_ONE + HOUR, "ci")];
    let documents = [
        shipped(&late, version, index, Some("2026-03-02T03:00:00Z")),
        shipped(&soon, version, index, Some("2026-03-02T01:00:30Z")),
    ];
    folder.write("documents.ndjson", documents.concat());
    let found = hunt_in(&folder, &[get_password_data()]);
    // By the time of indexing, the call that was made later came first.
    let [alert] = found.alerts.as_slice() else { panic!("{:?}", verdicts(&found)) };
    assert_eq!(alert["kibana.alert.ancestors"][0]["id"], "soon");
    assert_eq!(alert["@timestamp"], "2026-03-02T01:05:00.000Z");
}

/// The three rules on this call, by what they are about.
const REFUSED: &str = "52ba7dad-d2ad-5157-8031-77e4c0ca146f";
const ANSWERED: &str = "568ac0ba-0c16-5a69-99e0-16cab8b7ea54";
const PROBED: &str = "2d2a2ad7-d7e5-5b58-b68b-558c7a554293";

#[test]
fn every_answer_to_the_call_has_one_rule_at_most() {
    let rules = [REFUSED, ANSWERED, PROBED].map(built_in);
    for (identity, error, expected) in [
        ("AssumedRole", Some("Client.UnauthorizedOperation"), Some(REFUSED)),
        ("AssumedRole", None, Some(ANSWERED)),
        ("AssumedRole", Some("AccessDenied"), Some(PROBED)),
        ("AssumedRole", Some("AccessDeniedException"), Some(PROBED)),
        ("AssumedRole", Some("UnauthorizedOperation"), Some(PROBED)),
        ("AssumedRole", Some("Client.AuthFailure"), Some(PROBED)),
        ("AssumedRole", Some("Client.DryRunOperation"), Some(PROBED)),
        ("IAMUser", Some("Client.UnauthorizedOperation"), Some(PROBED)),
        ("IAMUser", Some("Client.DryRunOperation"), Some(PROBED)),
        ("Root", Some("Client.UnauthorizedOperation"), Some(PROBED)),
        // A wrong id or too many requests say nothing of who may do it.
        ("AssumedRole", Some("Client.InvalidInstanceID.NotFound"), None),
        ("AssumedRole", Some("Client.RequestLimitExceeded"), None),
        ("IAMUser", None, None),
    ] {
        let mut record = refused("first", DAY_ONE, "ci").record();
        record["userIdentity"]["type"] = identity.into();
        record["errorCode"] = error.into();
        record["errorMessage"] = error.into();
        let mut again = record.clone();
        again["eventID"] = "again".into();
        again["eventTime"] = ecs::date::to_iso(DAY_ONE + DAY).into();
        let folder = Folder::new();
        folder.write("records.ndjson", format!("{record}\n{again}\n"));
        let found = hunt_in(&folder, &rules);
        let of: Vec<(&Value, &Value)> = found
            .alerts
            .iter()
            .map(|it| (&it["kibana.alert.rule.rule_id"], &it["kibana.alert.ancestors"][0]["id"]))
            .collect();
        let expected: Vec<(Value, Value)> =
            expected.map(|id| (json!(id), json!("first"))).into_iter().collect();
        assert_eq!(of, expected.iter().map(|(a, b)| (a, b)).collect::<Vec<_>>(), "{identity} {error:?}");
    }
}

#[test]
fn what_another_rule_saw_is_no_history() {
    let rules = [REFUSED, ANSWERED, PROBED].map(built_in);
    let calls = [
        Call { error: Some("Client.DryRunOperation"), ..refused("asked", DAY_ONE, "ci") },
        refused("refused", DAY_ONE + MINUTE, "ci"),
        Call { error: None, ..refused("answered", DAY_ONE + 2 * MINUTE, "ci") },
    ];
    assert_eq!(hunt_in(&Folder::of(&calls), &rules).alerts.len(), 3);
}
