//! Alerts that suppress one another: who says so, and how.

use serde_json::Value;

use crate::setup::{Folder, refused};

const RULE: &str = r#"
[rule]
rule_id = "5b0a0f4e-5d0f-4f0e-9d0f-000000000002"
name = "Refused"
description = "A role was refused."
severity = "medium"
risk_score = 47
type = "query"
query = "event.action: GetPasswordData"
from = "now-6m"
interval = "5m"

[rule.alert_suppression]
group_by = ["user.name"]
duration = { value = 1, unit = "h" }
missing_fields_strategy = "doNotSuppress"
"#;

fn folder() -> Folder {
    let folder = Folder::new();
    let calls = [
        refused("e-1", "2026-03-02T10:00:30Z", "ci"),
        refused("e-2", "2026-03-02T10:01:30Z", "ci"),
        refused("e-3", "2026-03-02T10:31:30Z", "ci"),
        refused("e-4", "2026-03-02T10:32:30Z", "ops"),
        refused("e-5", "2026-03-02T12:01:30Z", "ci"),
    ];
    folder.lines("calls.ndjson", &calls);
    folder.write("rules/refused.toml", RULE);
    folder
}

#[test]
fn every_format_says_how_many() {
    let folder = folder();
    let hunt = |format: &str| {
        folder.run(&["hunt", "calls.ndjson", "-r", "rules", "-f", format, "--stats", "stats.json"])
    };
    let summary = hunt("summary");
    assert!(summary.printed(0).starts_with("3 alerts (2 suppressed): 3 medium\n"), "{}", summary.out);
    assert!(summary.out.contains("2 more suppressed, user ci"), "{}", summary.out);
    for format in ["table", "timeline", "html"] {
        let ran = hunt(format);
        assert!(ran.printed(0).contains("2 more suppressed, user ci"), "{format}: {}", ran.out);
    }
    let csv = hunt("csv");
    let first = csv.printed(0).lines().nth(1).unwrap();
    assert!(first.contains(",user.name: ci,2,"), "{first}");
    let ran = hunt("ndjson");
    let first: Value = serde_json::from_str(ran.printed(0).lines().next().unwrap()).unwrap();
    assert_eq!(first["kibana.alert.suppression.docs_count"], 2);
    assert_eq!(first["kibana.alert.suppression.start"], "2026-03-02T10:00:30.000Z");
    assert_eq!(first["kibana.alert.suppression.end"], "2026-03-02T10:31:30.000Z");
    assert_eq!(first["kibana.alert.start"], "2026-03-02T10:05:00.000Z");
    assert_eq!(first["kibana.alert.last_detected"], "2026-03-02T10:35:00.000Z");
    assert_eq!(first["kibana.alert.suppression.terms"][0]["value"], "ci");
    let stats: Value = serde_json::from_slice(&std::fs::read(folder.join("stats.json")).unwrap()).unwrap();
    assert_eq!((&stats["suppressed"], &stats["rules"][0]["suppressed"]), (&2.into(), &2.into()));
    let forecast = folder.run(&["rules", "forecast", "-r", "rules", "--over", "calls.ndjson", "-f", "json"]);
    let forecast: Value = serde_json::from_str(forecast.printed(0)).unwrap();
    assert_eq!(forecast["rules"][0]["suppressed"], 2);
}

#[test]
fn which_alert_stands_for_an_event() {
    let folder = folder();
    let explain = |id: &str| {
        folder.run(&["hunt", "calls.ndjson", "-r", "rules", "--explain", id]).printed(0).to_owned()
    };
    let (raised, others) = (explain("e-1"), ["e-2", "e-3"].map(explain));
    let (_, id) = raised.rsplit_once(": ").unwrap();
    for (text, execution) in others.iter().zip(["2026-03-02 10:05:00", "2026-03-02 10:35:00"]) {
        let words = format!(
            "it is suppressed: the execution of {execution} counted it in the alert {}, which stands for it",
            id.trim()
        );
        assert!(text.contains(&words), "{words:?} is not in\n{text}");
    }
    assert!(explain("e-5").contains("it alerted in the execution of 2026-03-02 12:05:00"));
}

/// Of what an earlier hunt raised, only what somebody closed may end its window, and only if that is asked for.
#[test]
fn closed_alerts() {
    let folder = folder();
    let hunt = |more: &[&str]| {
        folder.run(&[&["hunt", "calls.ndjson", "-r", "rules", "-f", "ndjson", "-q"], more].concat())
    };
    let before = hunt(&["--until", "2026-03-02T10:10:00Z"]);
    assert_eq!(before.printed(0).lines().count(), 1);
    folder.write("before.ndjson", before.out.replace("\"open\"", "\"closed\""));
    folder.lines(
        "later/calls.ndjson",
        &[refused("e-3", "2026-03-02T10:31:30Z", "ci"), refused("e-4", "2026-03-02T10:32:30Z", "ops")],
    );
    let later = |more: &[&str]| {
        let base = ["hunt", "later", "-r", "rules", "-f", "ndjson", "-q", "--alert-history", "before.ndjson"];
        folder.run(&[&base, more].concat()).printed(0).lines().count()
    };
    assert_eq!(later(&[]), 1);
    assert_eq!(later(&["--closed-ends-suppression"]), 2);
    let alone = folder.run(&["hunt", "later", "-r", "rules", "--closed-ends-suppression"]);
    assert!(alone.err.contains("--alert-history"), "{}", alone.err);
}

#[test]
fn a_test_of_a_rule_expects_it() {
    let folder = folder();
    let tests = |suppressed: u64| {
        format!(
            "tests:\n  - name: many\n    events:\n      - {{ call: \"ec2:GetPasswordData\", as: role/ci, repeat: 5 }}\n    \
             alerts: {{ exactly: 1, suppressed: {suppressed} }}\n"
        )
    };
    folder.write("rules/refused.test.yaml", tests(4));
    folder.run(&["rules", "test", "rules"]).printed(0);
    folder.write("rules/refused.test.yaml", tests(3));
    let failed = folder.run(&["rules", "test", "rules"]);
    assert!(failed.printed(1).contains("expected 3 suppressed, found 4"), "{}", failed.out);
}

#[test]
fn a_rule_shows_it() {
    let folder = folder();
    let shown = folder.run(&["rules", "show", "Refused", "-r", "rules"]);
    assert!(shown.printed(0).contains("- Alerts suppressed by: user.name (1h)\n"), "{}", shown.out);
}
