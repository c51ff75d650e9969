//! The rule that the project began with, on invented records.

use detect::KnownAlerts;

use crate::setup::{
    Call, DAY, DAY_ONE, Folder, HOUR, MINUTE, get_password_data, hunt_in, issuer, options, refused, run,
    texts, verdicts,
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
    // The execution that sees the second call at 12:00:00 is that of 12:00, whose history reaches back seven days.
    let noon = DAY_ONE + 12 * HOUR;
    let after = |quiet| {
        let calls = [refused("first", noon, "ci"), refused("second", noon + quiet, "ci")];
        alerts(&calls)
    };
    assert_eq!(after(6 * DAY), ["first"]);
    assert_eq!(after(7 * DAY - 10 * MINUTE), ["first"]);
    assert_eq!(after(7 * DAY + 5 * MINUTE), ["first", "second"]);
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
