//! What every type of rule can have: overrides of name, severity and risk score, building blocks, exceptions, value lists.

use std::fmt::Write as _;

use ecs::{Layered, Object};
use hunt::Progress;
use rule::Rule;
use serde_json::{Value, json};

use crate::setup::{DAY_ONE, Folder, MINUTE, options, rule};

/// For each type the lines of a rule that alerts on every `Act`.
pub(crate) fn types() -> Vec<(&'static str, &'static str)> {
    let group = "[\"user.name\", \"event.action\", \"event.risk_score\", \"source.ip\"]";
    assert!(THRESHOLD.contains(group), "what overrides read, a threshold groups by");
    vec![
        ("query", "type = \"query\"\nquery = \"event.action: Act*\"\n"),
        ("saved_query", "type = \"saved_query\"\nsaved_id = \"s\"\nquery = \"event.action: Act*\"\n"),
        ("lucene", "type = \"query\"\nlanguage = \"lucene\"\nquery = \"event.action:Act*\"\n"),
        (
            "new_terms",
            "type = \"new_terms\"\nquery = \"event.action: Act*\"\nnew_terms_fields = [\"event.id\"]\n\
             history_window_start = \"now-7d\"\n",
        ),
        ("threshold", THRESHOLD),
        ("eql", "type = \"eql\"\nlanguage = \"eql\"\nquery = 'any where event.action like \"Act*\"'\n"),
        (
            "sequence",
            "type = \"eql\"\nlanguage = \"eql\"\nquery = 'sequence by user.name [any where event.action like \"Act*\"] \
             [any where event.action == \"Then\"]'\n",
        ),
    ]
}

const THRESHOLD: &str = "type = \"threshold\"\nquery = \"event.action: Act*\"\n[rule.threshold]\n\
                         field = [\"user.name\", \"event.action\", \"event.risk_score\", \"source.ip\"]\nvalue = 1\n";

/// Documents of users, each with a call and what comes after it.
pub(crate) fn documents(users: &[(&str, &str)]) -> Folder {
    let mut lines = String::new();
    for (at, (user, address)) in (0..).zip(users) {
        for (action, later) in [("Act", 0), ("Then", 1)] {
            let document = json!({
                "@timestamp": ecs::date::to_iso(DAY_ONE + at * 1_000 + later * MINUTE),
                "event": {
                    "id": format!("{user}-{action}"), "action": action, "risk_score": 99,
                    "dataset": "aws.cloudtrail",
                },
                "user": {"name": user},
                "source": {"ip": address},
            });
            writeln!(lines, "{document}").unwrap();
        }
    }
    let folder = Folder::new();
    folder.write("documents.ndjson", lines);
    folder
}

/// The alerts, and the building blocks before them.
fn alerts(folder: &Folder, rule: &Rule, set: Option<rule::RuleSet>) -> (Vec<Object>, Vec<Object>) {
    let mut options = options(folder, std::slice::from_ref(rule));
    options.max_signals = Some(1_000);
    options.exceptions = set.map(|it| it.exceptions).unwrap_or_default();
    let found = hunt::hunt(&options, &mut std::io::empty(), &Progress::default()).unwrap();
    assert!(found.refused.is_empty(), "{:?}", found.refused);
    assert!(found.rules.iter().all(|it| it.warnings.is_empty()), "{:?}", found.rules[0].warnings);
    let make = |alert: &mut hunt::Alert<'_, '_>| {
        let blocks: Vec<Object> = alert.blocks().iter().map(Layered::to_object).collect();
        (alert.document().to_object(), blocks)
    };
    let (alerts, blocks): (Vec<Object>, Vec<Vec<Object>>) = found.alerts(&[], make, |it| it.unzip());
    (alerts, blocks.concat())
}

/// What an alert says of itself: name, severity, risk score, whether it is a building block.
fn says(alert: &Object) -> [Value; 4] {
    ["rule.name", "severity", "risk_score", "building_block_type"]
        .map(|key| alert.get(&format!("kibana.alert.{key}")).cloned().unwrap_or_default())
}

#[test]
fn overrides_and_building_blocks() {
    let folder = documents(&[("ada", "203.0.113.9")]);
    let overrides = "rule_name_override = \"event.action\"\nbuilding_block_type = \"default\"\n\
        severity_mapping = [{ field = \"user.name\", operator = \"equals\", value = \"ada\", severity = \"critical\" }]\n\
        risk_score_mapping = [{ field = \"event.risk_score\", operator = \"equals\", value = \"\" }]\n";
    let plain = |name: &str| [json!(name), json!("low"), json!(21), Value::Null];
    let overridden = [json!("Act"), json!("critical"), json!(99), json!("default")];
    for (name, lines) in types() {
        let (found, blocks) = alerts(&folder, &rule(name, lines), None);
        assert_eq!(found.iter().map(says).collect::<Vec<_>>(), [plain(name)], "{name}");
        let is_sequence = name == "sequence";
        assert_eq!(blocks.len(), if is_sequence { 2 } else { 0 }, "{name}");

        let (found, blocks) = alerts(&folder, &rule(name, &format!("{overrides}{lines}")), None);
        // A sequence says what its rule says, and so do its blocks, which are building blocks whatever the rule is.
        let [_, severity, risk, block] = overridden.clone();
        let of_rule = [json!(name), json!("low"), json!(21), block.clone()];
        let expected = if is_sequence { of_rule.clone() } else { overridden.clone() };
        assert_eq!(found.iter().map(says).collect::<Vec<_>>(), [expected], "{name}");
        assert!(blocks.iter().all(|it| says(it) == of_rule), "{name}");

        // Alike or not: what an alert says of its event it says, too, where others are suppressed in its favour.
        let by = if name == "threshold" { "" } else { "group_by = [\"user.name\"], " };
        let suppression = format!("alert_suppression = {{ {by}duration = {{ value = 1, unit = \"h\" }} }}\n");
        let (found, blocks) = alerts(&folder, &rule(name, &format!("{overrides}{suppression}{lines}")), None);
        assert_eq!(found.len(), 1, "{name}");
        assert!(found[0].contains_key("kibana.alert.suppression.docs_count"), "{name}");
        if is_sequence {
            for (its, action) in blocks.iter().zip(["Act", "Then"]) {
                let expected = [json!(action), severity.clone(), risk.clone(), block.clone()];
                assert_eq!(says(its), expected, "{name}");
            }
        } else {
            assert_eq!(says(&found[0]), overridden, "{name}");
        }
    }
}

/// What alerts have beside their events lint knows.
#[test]
fn the_fields_of_alerts_are_known() {
    fn leaves(path: &str, value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(object) => {
                for (key, it) in object {
                    leaves(&format!("{path}.{key}"), it, found);
                }
            }
            Value::Array(items) => {
                for it in items {
                    leaves(path, it, found);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => found.push(path.to_owned()),
        }
    }
    let folder = documents(&[("ada", "203.0.113.9")]);
    let catalog = ecs::Catalog::ecs();
    let has = |field: &str| !matches!(catalog.resolve(field), ecs::Resolved::Unmapped);
    let more = "building_block_type = \"default\"\ntags = [\"t\"]\nalert_suppression = { BY duration = { value = 1, unit = \"h\" } }\n\
        severity_mapping = [{ field = \"user.name\", operator = \"equals\", value = \"ada\", severity = \"critical\" }]\n";
    let mut seen = 0;
    for (name, lines) in types() {
        let by = if name == "threshold" { "" } else { "group_by = [\"user.name\"]," };
        let (alerts, blocks) =
            alerts(&folder, &rule(name, &format!("{}{lines}", more.replace("BY", by))), None);
        for (key, value) in
            alerts.iter().chain(&blocks).flatten().filter(|(key, _)| key.starts_with("kibana."))
        {
            let mut found = Vec::new();
            leaves(key, value, &mut found);
            for field in found {
                seen += 1;
                assert!(ecs::alert::is_field(&field, has), "{name}: {field}");
            }
        }
    }
    assert!(seen > 300, "{seen}");
    assert!(
        !ecs::alert::is_field("kibana.alert.rule.nam", has) && !ecs::alert::is_field("kibana.alert.", has)
    );
}

/// Lists of so many values that nothing may look at each of them for each event.
#[test]
fn value_lists_of_a_hundred_thousand() {
    let names: Vec<String> = (0..40).map(|at| format!("user-{}", at * 4_999)).collect();
    let users: Vec<(&str, String)> =
        names.iter().zip(0..).map(|(name, at): (_, u8)| (name.as_str(), format!("198.51.{at}.7"))).collect();
    let users: Vec<(&str, &str)> = users.iter().map(|(name, address)| (*name, address.as_str())).collect();
    let folder = documents(&users);
    let lists = Folder::new();
    // Every other user, and the addresses of every third of the networks.
    let values: String = (0..100_000).fold(String::new(), |mut all, at| {
        writeln!(all, "user-{}", at * 2).unwrap();
        all
    });
    lists.write("users.txt", values);
    let ranges: String = (0..=255).step_by(3).fold(String::new(), |mut all, at| {
        writeln!(all, "198.51.{at}.0-198.51.{at}.200").unwrap();
        all
    });
    lists.write("networks.txt", ranges);
    lists.write("LICENSE.txt", b"no text: \xff\xfe");
    let entry = |field: &str, id: &str, ty: &str| json!({ "type": "list", "operator": "included", "field": field, "list": { "id": id, "type": ty } });
    let item = |id: &str, entries: &Value| {
        json!({ "item_id": id, "list_id": "known", "name": id, "entries": entries }).to_string()
    };
    let items = [
        item("users", &json!([entry("user.name", "users", "keyword")])),
        item("networks", &json!([entry("source.ip", "networks.txt", "ip_range")])),
    ];
    lists.write("items.ndjson", items.join("\n"));
    let set = || rule::load(&[lists.path()]);
    assert_eq!(set().problems, []);
    let expected: Vec<&str> = (0..)
        .zip(&names)
        .filter(|(at, _)| (at * 4_999) % 2 != 0 && at % 3 != 0)
        .map(|(_, name)| name.as_str())
        .collect();
    assert!(expected.len() > 5);
    for (name, lines) in types() {
        let mut rule = rule(name, lines);
        let list = json!({ "id": "1", "list_id": "known", "type": "detection", "namespace_type": "single" });
        rule.exceptions_list.push(list);
        let (found, _) = alerts(&folder, &rule, Some(set()));
        let user = |it: &Object| {
            ecs::document::lookup(it, "user.name").and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let mut users: Vec<String> = found.iter().map(user).collect();
        users.sort_unstable();
        let mut expected = expected.clone();
        expected.sort_unstable();
        assert_eq!(users, expected, "{name}");
    }
}

/// A rule's alerts are the same alone and among two thousand others: rules whose alerts suppress one another, and rules
/// over alerts beside those whose alerts they read.
#[test]
fn alone_and_among_two_thousand() {
    let users: Vec<(String, String)> =
        (0..12).map(|at| (format!("user-{}", at % 4), format!("198.51.100.{}", at % 3))).collect();
    let users: Vec<(&str, &str)> =
        users.iter().map(|(name, address)| (name.as_str(), address.as_str())).collect();
    let folder = documents(&users);
    let suppression = |name: &str| {
        let by = if name == "threshold" { "" } else { "group_by = [\"user.name\", \"source.ip\"], " };
        format!("alert_suppression = {{ {by}duration = {{ value = 1, unit = \"h\" }} }}\n")
    };
    let named = |name: &str, lines: &str| rule(name, &format!("rule_id = \"{name}\"\n{lines}"));
    let on_events: Vec<Rule> = types()
        .into_iter()
        .map(|(name, lines)| named(name, &format!("index = [\"logs-*\"]\n{}{lines}", suppression(name))))
        .collect();
    let on_alerts = "index = [\".alerts-*\"]\nfrom = \"now-31m\"\n";
    let over: Vec<Rule> = vec![
        named(
            "over-query",
            &format!(
                "{on_alerts}type = \"query\"\nquery = \"kibana.alert.rule.rule_id: (eql or threshold)\"\nalert_suppression = {{ group_by = [\"user.name\"] }}\n"
            ),
        ),
        named(
            "over-threshold",
            &format!(
                "{on_alerts}type = \"threshold\"\nquery = \"kibana.alert.rule.rule_id: (query or lucene or new_terms)\"\n[rule.threshold]\nfield = [\"user.name\"]\nvalue = 3\n"
            ),
        ),
        named(
            "over-terms",
            &format!(
                "{on_alerts}type = \"new_terms\"\nquery = \"kibana.alert.rule.rule_id: sequence\"\nnew_terms_fields = [\"user.name\"]\nhistory_window_start = \"now-7d\"\n"
            ),
        ),
    ];
    let others: Vec<Rule> = (0..2_000)
        .map(|at| {
            let query = match at % 4 {
                0 => format!("event.action: Act* and user.name: \\\"user-{}\\\"", at % 7),
                1 => format!("event.action: Other{at}"),
                2 => format!("source.ip: 198.51.{}.0/24 and not event.action: Act", at % 256),
                _ => format!("event.id: *-{at}"),
            };
            named(
                &format!("other-{at}"),
                &format!("index = [\"logs-*\"]\ntype = \"query\"\nquery = \"{query}\"\n"),
            )
        })
        .collect();
    let of = |rules: &[Rule], rule: &Rule| {
        let found =
            hunt::hunt(&options(&folder, rules), &mut std::io::empty(), &Progress::default()).unwrap();
        assert!(found.refused.is_empty(), "{:?}", found.refused);
        let make = |alert: &mut hunt::Alert<'_, '_>| alert.document().to_object();
        let alerts: Vec<Object> = found.alerts(&[], make, |all| all.collect());
        let its = alerts.into_iter().filter(|it| it["kibana.alert.rule.uuid"] == rule.id.as_str());
        its.map(|it| serde_json::to_string(&it).unwrap()).collect::<Vec<String>>()
    };
    let all: Vec<Rule> = on_events.iter().chain(&over).chain(&others).cloned().collect();
    let found = hunt::hunt(&options(&folder, &all), &mut std::io::empty(), &Progress::default()).unwrap();
    // Those of the others are many.
    let is_other = |it: &Layered| {
        it.get("kibana.alert.rule.name").and_then(Value::as_str).is_some_and(|it| it.starts_with("other-"))
    };
    let make = |alert: &mut hunt::Alert<'_, '_>| {
        let document = alert.document();
        (!is_other(&document)).then(|| document.to_object())
    };
    let alerts: Vec<Object> = found.alerts(&[], make, |all| all.flatten().collect());
    let among = |rule: &Rule| {
        let its = alerts.iter().filter(|it| it["kibana.alert.rule.uuid"] == rule.id.as_str());
        its.map(|it| serde_json::to_string(it).unwrap()).collect::<Vec<String>>()
    };
    for rule in &on_events {
        let alone = of(std::slice::from_ref(rule), rule);
        assert!(!alone.is_empty(), "{}", rule.name);
        assert_eq!(alone, among(rule), "{}", rule.name);
    }
    for rule in &over {
        let alone: Vec<Rule> = on_events.iter().chain([rule]).cloned().collect();
        let alone = of(&alone, rule);
        assert!(!alone.is_empty(), "{}", rule.name);
        assert_eq!(alone, among(rule), "{}", rule.name);
    }
}
