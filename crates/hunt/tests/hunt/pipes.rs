//! Rules in ES|QL: rows become alerts.

use serde_json::json;

use crate::setup::{DAY_ONE, Folder, MINUTE, hunt_in, refused, rule};

fn calls() -> Folder {
    Folder::of(&[
        refused("a-1", DAY_ONE, "ci"),
        refused("a-2", DAY_ONE + MINUTE, "ci"),
        refused("b-1", DAY_ONE + 2 * MINUTE, "backup"),
    ])
}

fn piped(name: &str, query: &str) -> rule::Rule {
    rule(name, &format!("type = \"esql\"\nlanguage = \"esql\"\nquery = '''{query}'''\n"))
}

/// One alert an event, whatever the number of executions that see it; columns of the row are fields of the alert.
#[test]
fn rows_of_events() {
    let query = "FROM logs-aws.cloudtrail-* | WHERE event.action == \"GetPasswordData\" | EVAL Esql.upper = TO_UPPER(event.action) \
                 | WHERE Esql.upper LIKE \"GETPASS*\" | KEEP Esql.*, user.*";
    let found = hunt_in(&calls(), &[piped("Each", query)]);
    assert_eq!(found.refused.len(), 0, "{:?}", found.refused);
    assert_eq!(found.alerts.len(), 3);
    let mut ids: Vec<&str> =
        found.alerts.iter().map(|it| it["kibana.alert.uuid"].as_str().unwrap()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 3);
    for it in &found.alerts {
        assert_eq!(it["Esql"], json!({"upper": "GETPASSWORDDATA"}));
        assert_eq!(it["event"]["action"], "GetPasswordData", "the event is there");
        assert_eq!(it["kibana.alert.ancestors"][0]["index"], "logs-aws.cloudtrail-default");
    }
}

/// An alert a group, with nothing but the columns of the result.
#[test]
fn rows_of_groups() {
    let query = "FROM logs-* | WHERE event.outcome == \"failure\" \
                 | STATS Esql.count = COUNT(*), Esql.ids = MV_SORT(VALUES(event.id)) BY event.action | WHERE Esql.count >= 3";
    let mut rule = piped("Counted", query);
    rule.from = ecs::date::DateMath::of_rule("now-1h").unwrap();
    rule.interval = "1h".parse().unwrap();
    let found = hunt_in(&calls(), &[rule]);
    assert_eq!(found.refused.len(), 0, "{:?}", found.refused);
    assert_eq!(found.alerts.len(), 1, "{:?}", found.alerts);
    let alert = &found.alerts[0];
    assert_eq!(alert["Esql"], json!({"count": 3, "ids": ["a-1", "a-2", "b-1"]}));
    assert_eq!(alert["event"], json!({"action": "GetPasswordData"}));
    assert!(alert.get("user").is_none(), "there is no event");
}
