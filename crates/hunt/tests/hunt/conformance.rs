//! Recorded attacks, where they are at hand.

use cases::shared;
use detect::KnownAlerts;
use hunt::HuntOptions;
use serde_json::{Value, json};
use sha1::{Digest as _, Sha1};

use crate::setup::{Folder, documents, get_password_data, options, run, texts};

const GET_PASSWORD_DATA: &str = "aws.credential-access.ec2-get-password-data.json";

/// The id of a new-terms alert as Kibana makes it: `object-hash` of index, id, version, space and rule, terms.
fn alert_id(index: &str, event: &str, rule_uuid: &str, terms: &[&str]) -> String {
    let text = |text: &str| format!("string:{}:{text}", text.encode_utf16().count());
    let mut whole = "array:5:".to_owned();
    for part in [index, event, "undefined", &format!("default:{rule_uuid}")] {
        whole += &text(part);
    }
    whole += &format!("array:{}:", terms.len());
    whole.extend(terms.iter().map(|term| text(term)));
    Sha1::digest(whole.as_bytes()).iter().fold(String::new(), |out, byte| format!("{out}{byte:02x}"))
}

#[test]
fn the_recorded_get_password_data_attack_is_one_alert() {
    let Some(folder) = shared("stratus") else { return };
    let path = folder.join(GET_PASSWORD_DATA);
    let records: Vec<Value> = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let mut refused: Vec<&Value> = records.iter().filter(|it| it["eventName"] == "GetPasswordData").collect();
    assert_eq!(refused.len(), 30);
    let first_time = refused.iter().map(|it| it["eventTime"].as_str().unwrap()).min().unwrap();
    refused.retain(|it| it["eventTime"] == first_time);
    let role = refused[0]["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"].as_str().unwrap();

    let nowhere = Folder::new();
    let rule = get_password_data();
    let hunted = |known| {
        run(&HuntOptions {
            paths: vec![path.clone()],
            known,
            ..options(&nowhere, std::slice::from_ref(&rule))
        })
    };
    let found = hunted(KnownAlerts::default());
    let [alert] = found.alerts.as_slice() else { panic!("{} alerts", found.alerts.len()) };
    let event = alert["kibana.alert.ancestors"][0]["id"].as_str().unwrap();
    let record = *refused.iter().find(|it| it["eventID"] == event).expect("it is among the first");
    let index = rule::CLOUDTRAIL_INDEX;
    assert_eq!(
        alert["kibana.alert.ancestors"],
        json!([{"id": event, "type": "event", "index": index, "depth": 0}])
    );
    assert_eq!(alert["kibana.alert.new_terms"], json!([role]));
    assert_eq!(alert["kibana.alert.uuid"], alert_id(index, event, &rule.id, &[role]));
    let source = record["sourceIPAddress"].as_str().unwrap();
    let user = role.rsplit('/').next().unwrap();
    assert_eq!(
        alert["kibana.alert.reason"],
        format!("event with source {source} by {user} created medium alert {}.", rule.name)
    );
    let time = ecs::date::parse(first_time).unwrap();
    assert_eq!(alert["kibana.alert.original_time"], ecs::date::to_iso(time));

    let mut known = KnownAlerts::default();
    known.add_line(&texts(&found)[0]).unwrap();
    assert!(hunted(known).alerts.is_empty(), "the second hunt has nothing to say");
}

#[test]
fn every_recording_is_hunted_without_trouble() {
    let Some(folder) = shared("stratus") else { return };
    let rules = rule::builtin(rule::GuideLanguage::English).rules;
    let nowhere = Folder::new();
    let found = run(&HuntOptions { paths: vec![folder], ..options(&nowhere, &rules) });
    assert_eq!(found.read.troubles, []);
    assert!(found.refused.is_empty());
    assert_eq!(found.read.undated, 0);
    assert!(found.alerts.len() > 10, "{} alerts", found.alerts.len());
    assert!(documents(&nowhere).is_empty());
}
