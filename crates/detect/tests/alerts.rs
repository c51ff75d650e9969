//! The document of an alert.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

use detect::{AlertSeed, Detail, Execution, Origin, RuleFields, SeedEvent};
use ecs::{Catalog, Object};
use rule::{RiskScoreMapping, Rule, Severity, SeverityMapping};
use serde_json::{Value, json};

fn object(value: Value) -> Object {
    match value {
        Value::Object(object) => object,
        other => panic!("{other} is no object"),
    }
}

fn parse(text: &str) -> Object {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn rule(more: &str) -> Rule {
    let text = format!(
        "[rule]\nrule_id = 'case'\nname = 'Case'\ndescription = 'Case.'\nseverity = 'low'\nrisk_score = 21\n{more}"
    );
    rule::load_text("case.toml", &text).rules.remove(0)
}

fn query_rule() -> Rule {
    rule("type = 'query'\nquery = 'event.action: *'\n")
}

fn seed(detail: Detail) -> AlertSeed {
    AlertSeed {
        id: "0123456789abcdef".to_owned(),
        event: SeedEvent {
            id: "e1".to_owned(),
            index: "logs-aws.cloudtrail-default".to_owned(),
            timestamp: 1_772_323_351_000,
            origin: Origin::default(),
        },
        execution: Execution {
            started_at: 1_772_323_500_000,
            from: 1_772_323_140_000,
            to: 1_772_323_500_000,
        },
        detail,
        suppressed: None,
    }
}

fn alert(rule: &Rule, document: Object) -> Object {
    build(&seed(Detail::Event), rule, document)
}

fn build(seed: &AlertSeed, rule: &Rule, document: Object) -> Object {
    detect::build(seed, rule, &RuleFields::new(rule, "trailwarden"), document, &Catalog::ecs()).to_object()
}

/// The cases of a file: blocks of `key: text` lines.
fn cases(file: &str) -> Vec<Vec<(String, String)>> {
    let path = format!("{}/tests/cases/alerts/{file}.txt", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    let pairs = |case: &str| {
        let lines = case.lines().filter(|it| !it.starts_with('#'));
        lines
            .map(|it| it.split_once(": ").map(|(key, rest)| (key.to_owned(), rest.to_owned())).unwrap())
            .collect()
    };
    let cases: Vec<_> = text.split("\n\n").map(pairs).collect();
    assert!(cases.len() > 5);
    cases
}

fn get<'a>(case: &'a [(String, String)], key: &str) -> &'a str {
    &case.iter().find(|(it, _)| it == key).unwrap_or_else(|| panic!("no {key} in {case:?}")).1
}

#[test]
fn reasons() {
    for case in cases("reason") {
        let alert = alert(&query_rule(), parse(get(&case, "document")));
        assert_eq!(alert["kibana.alert.reason"], get(&case, "reason"), "{case:?}");
    }
}

#[test]
fn cleaning() {
    for case in cases("clean") {
        let mut alert = alert(&query_rule(), parse(get(&case, "document")));
        assert_eq!(alert.remove("event.kind"), Some("signal".into()));
        assert_eq!(alert.remove("@timestamp"), Some("2026-03-01T00:05:00.000Z".into()));
        alert.retain(|key, _| !key.starts_with("kibana."));
        assert_eq!(Value::Object(alert), Value::Object(parse(get(&case, "keeps"))), "{case:?}");
    }
}

#[test]
fn overrides() {
    for case in cases("overrides") {
        let (mut rule, given) = (query_rule(), parse(get(&case, "rule")));
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        for item in given.get("severity").and_then(Value::as_array).into_iter().flatten() {
            rule.severity_mapping.push(SeverityMapping {
                field: text(&item[0]),
                value: text(&item[1]),
                severity: Severity::ALL.into_iter().find(|it| it.as_str() == item[2]).unwrap(),
            });
        }
        rule.risk_score_mapping =
            given.get("risk").map(|it| RiskScoreMapping { field: text(it) }).into_iter().collect();
        rule.rule_name_override = given.get("name").map(text);
        let alert = alert(&rule, parse(get(&case, "document")));
        let said = format!(
            "{} {} {}",
            text(&alert["kibana.alert.severity"]),
            alert["kibana.alert.risk_score"],
            text(&alert["kibana.alert.rule.name"])
        );
        assert_eq!(said, get(&case, "says"), "{case:?}");
        assert_eq!(alert["kibana.alert.rule.severity"], "low");
        assert_eq!(alert["kibana.alert.rule.risk_score"], 21);
        assert!(text(&alert["kibana.alert.reason"]).ends_with(&format!(
            "{} alert {}.",
            text(&alert["kibana.alert.severity"]),
            text(&alert["kibana.alert.rule.name"])
        )));
    }
}

/// An alert on an alert names where it comes from and lies one deeper.
#[test]
fn ancestors() {
    let from_event = alert(&query_rule(), Object::new());
    let event = json!({"id": "e1", "type": "event", "index": "logs-aws.cloudtrail-default", "depth": 0});
    assert_eq!(from_event["kibana.alert.ancestors"], json!([event]));
    assert_eq!(from_event["kibana.alert.depth"], 1);

    let first = json!({"id": "e0", "type": "event", "index": "logs", "depth": 0});
    let parent = json!({
        "id": "e1", "type": "signal", "index": "logs-aws.cloudtrail-default", "depth": 1, "rule": "parent",
    });
    for document in [
        json!({"kibana.alert.rule.uuid": "parent", "kibana.alert.depth": 1, "kibana.alert.ancestors": [first]}),
        json!({"kibana": {"alert": {"rule": {"uuid": "parent"}, "depth": 1, "ancestors": first}}}),
        json!({"signal": {"rule": {"id": "parent"}, "depth": 1, "ancestors": [first]}}),
    ] {
        let from_alert = alert(&query_rule(), object(document));
        assert_eq!(from_alert["kibana.alert.ancestors"], json!([first, parent]));
        assert_eq!(from_alert["kibana.alert.depth"], 2);
    }
}

/// `original_event` is what is left of `event` after cleaning, flat, with the kind that the event had.
#[test]
fn originals() {
    let document = object(json!({
        "@timestamp": 1_772_323_351_000_i64,
        "event": {"kind": "event", "created": "never", "type": ["info"], "a": {"b": 1}},
        "event.outcome": "failure",
        "eventual": "no",
        "data_stream": {"dataset": "aws.cloudtrail"},
    }));
    let mut alert = alert(&query_rule(), document);
    alert.retain(|key, _| key.starts_with("kibana.alert.original"));
    let expected = json!({
        "kibana.alert.original_data_stream.dataset": "aws.cloudtrail",
        "kibana.alert.original_event.a.b": 1,
        "kibana.alert.original_event.kind": "event",
        "kibana.alert.original_event.outcome": "failure",
        "kibana.alert.original_event.type": ["info"],
        "kibana.alert.original_time": "2026-03-01T00:02:31.000Z",
    });
    assert_eq!(Value::Object(alert), expected);
}

#[test]
fn whole() {
    let rule = rule(
        r#"
        author = ["Trailwarden"]
        license = "Apache-2.0"
        version = 2
        type = "new_terms"
        index = ["logs-aws.cloudtrail*"]
        interval = "5m"
        from = "now-6m"
        timestamp_override = "event.ingested"
        building_block_type = "default"
        tags = ["Data Source: AWS"]
        note = "Ask the owner of the role."
        query = 'event.action: "CreateAccessKey"'
        [rule.new_terms]
        field = "new_terms_fields"
        value = ["user.name"]
        [[rule.new_terms.history_window_start]]
        field = "history_window_start"
        value = "now-7d"
        [[rule.threat]]
        framework = "MITRE ATT&CK"
        [rule.threat.tactic]
        id = "TA0003"
        name = "Persistence"
        reference = "https://attack.mitre.org/tactics/TA0003/"
        "#,
    );
    let document = object(json!({
        "@timestamp": "2026-03-01T00:02:31Z",
        "aws": {"cloudtrail": {"user_identity": {"type": "IAMUser"}}},
        "cloud": {"account": {"id": "111122223333"}, "region": "eu-central-1"},
        "event": {"action": "CreateAccessKey", "category": ["iam"], "kind": "event", "outcome": "success"},
        "source": {"ip": "198.51.100.23"},
        "user": {"name": "deploy"},
    }));
    let seed = seed(Detail::NewTerms(vec!["deploy".into()]));
    let alert = build(&seed, &rule, document);
    assert!(alert.keys().is_sorted());
    insta::assert_snapshot!(serde_json::to_string_pretty(&alert).unwrap());
}
