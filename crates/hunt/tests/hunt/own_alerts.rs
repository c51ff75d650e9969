//! Rules over alerts: they read those of other rules, and do not alert on their own.

use rule::Rule;
use serde_json::json;

use crate::setup::{DAY_ONE, Folder, Hunted, hunt_in, options, refused, rule};
use hunt::Progress;

const ALERTS: &str = rule::ALERTS_INDEX;

fn call() -> Rule {
    rule(
        "Call",
        "rule_id = \"call\"\ntype = \"query\"\nquery = \"event.action: GetPasswordData\"\nindex = [\"logs-*\"]\n",
    )
}

/// A rule over all alerts, its own included.
fn about_alerts(name: &str, index: &str) -> Rule {
    let lines = format!(
        "rule_id = \"{name}\"\ntype = \"query\"\nquery = \"kibana.alert.severity: low\"\nindex = {index}\n"
    );
    rule(name, &lines)
}

/// A folder with the alerts of a hunt.
fn written(found: &Hunted) -> Folder {
    let lines: Vec<String> = found.alerts.iter().map(|it| serde_json::to_string(it).unwrap()).collect();
    let folder = Folder::new();
    folder.write("alerts.ndjson", lines.join("\n"));
    folder
}

fn first() -> Folder {
    let found = hunt_in(&Folder::of(&[refused("record", DAY_ONE, "ci")]), &[call()]);
    assert_eq!(found.alerts.len(), 1);
    written(&found)
}

#[test]
fn an_alert_keeps_its_id_and_index() {
    let folder = first();
    let original = hunt_in(&Folder::of(&[refused("record", DAY_ONE, "ci")]), &[call()]);
    let id = &original.alerts[0]["kibana.alert.uuid"];
    let second = hunt_in(&folder, &[about_alerts("Second", "[\".alerts-security.alerts-default\"]")]);
    assert_eq!(second.alerts.len(), 1);
    let ancestors = &second.alerts[0]["kibana.alert.ancestors"];
    assert_eq!(ancestors[0]["id"], "record");
    assert_eq!(
        ancestors[1],
        json!({ "id": id, "type": "signal", "index": ALERTS, "depth": 1, "rule": call().id })
    );
    assert_eq!(second.alerts[0]["kibana.alert.depth"], 2);
}

#[test]
fn alerts_are_hidden_from_those_who_do_not_name_them() {
    let folder = first();
    let alerts = |index: &str| hunt_in(&folder, &[about_alerts("Second", index)]).alerts.len();
    for index in [
        "[\".alerts-security.alerts-*\"]",
        "[\".alerts-*\"]",
        "[\".internal.alerts-*\"]",
        "[\"logs-*\", \".*\"]",
    ] {
        assert_eq!(alerts(index), 1, "{index}");
    }
    for index in [
        "[]",
        "[\"*\"]",
        "[\"logs-*\"]",
        "[\".alerts-security.alerts-other\"]",
        "[\".alerts-*\", \"-.alerts-security*\"]",
    ] {
        assert_eq!(alerts(index), 0, "{index}");
    }
}

#[test]
fn no_rule_of_queries_alerts_on_its_own_alerts() {
    let second = about_alerts("Second", "[\".alerts-*\"]");
    let third = about_alerts("Third", "[\".alerts-*\"]");
    let found = hunt_in(&first(), std::slice::from_ref(&second));
    assert_eq!(found.alerts.len(), 1);
    // Its own alert.
    let folder = written(&found);
    assert_eq!(hunt_in(&folder, std::slice::from_ref(&second)).alerts.len(), 0);
    // Another rule's alert on it comes from it.
    let found = hunt_in(&folder, std::slice::from_ref(&third));
    assert_eq!(found.alerts.len(), 1);
    let folder = written(&found);
    let both = hunt_in(&folder, &[second.clone(), third.clone()]);
    assert_eq!(both.alerts.len(), 0);
    assert_eq!(both.rules.len(), 2);
    // A rule that has nothing to do with it sees it, small blocks or not.
    let fourth = about_alerts("Fourth", "[\".alerts-*\"]");
    assert_eq!(hunt_in(&folder, &[second.clone(), fourth]).alerts.len(), 1);

    // The explanation says so.
    let id = found.alerts[0]["kibana.alert.uuid"].as_str().unwrap();
    let explained =
        hunt::explain(&options(&folder, &[second]), id, &mut std::io::empty(), &Progress::default()).unwrap();
    let (document, verdicts) = &explained.events[0];
    assert_eq!(document.index, ALERTS);
    assert!(!verdicts[0].explanation.verdict);
    assert!(verdicts[0].explanation.to_string().contains("not an alert of this rule"));
}

/// What Kibana exports: a search hit, and alerts moved to another index.
#[test]
fn the_content_decides_wherever_the_alert_lies() {
    let second = about_alerts("Second", "[\"moved-*\"]");
    let alert = json!({
        "_id": "a", "_index": "moved-alerts",
        "_source": {
            "@timestamp": "2026-03-02T00:00:00Z", "kibana.alert.uuid": "a", "kibana.alert.severity": "low",
            "kibana.alert.rule.uuid": "other", "kibana.alert.ancestors": [{ "id": "b", "rule": second.id }],
        },
    });
    let hits = |alert: &serde_json::Value| {
        let folder = Folder::new();
        folder.write("hits.ndjson", alert.to_string());
        hunt_in(&folder, std::slice::from_ref(&second)).alerts.len()
    };
    assert_eq!(hits(&alert), 0);
    let mut foreign = alert.clone();
    foreign["_source"]["kibana.alert.ancestors"][0]["rule"] = "another".into();
    assert_eq!(hits(&foreign), 1);
}

/// New terms are not checked for it.
#[test]
fn rules_on_new_terms_see_their_own_alerts() {
    let lines = "rule_id = \"terms\"\ntype = \"new_terms\"\nquery = \"kibana.alert.severity: low\"\n\
                 index = [\".alerts-*\"]\nnew_terms_fields = [\"kibana.alert.uuid\"]\n\
                 history_window_start = \"now-7d\"\n";
    let terms = rule("Terms", lines);
    // Each of them is a new term, so that they would never end.
    let found = hunt_in(&first(), std::slice::from_ref(&terms));
    assert_eq!(found.alerts.len(), 1 + detect::SLOTS_AFTER_LAST_ALERT_MAX);
    let endless = |it: &detect::Warning| it.kind == detect::WarningKind::Endless;
    assert!(found.rules[0].outcome.warnings.iter().any(endless));
}
