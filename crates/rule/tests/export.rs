//! What is exported is read as what it was.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

use rule::{GuideLanguage, Rule, RuleSet};
use serde_json::Value;

/// Without what only an installed copy has, and without `null`, which counts as absent.
fn api(rule: &Rule) -> Value {
    fn without_null(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                fields.retain(|_, value| !value.is_null());
                fields.values_mut().for_each(without_null);
            }
            Value::Array(items) => {
                items.retain(|it| !it.is_null());
                items.iter_mut().for_each(without_null);
            }
            _ => {}
        }
    }
    let mut api = Value::Object(rule.api());
    without_null(&mut api);
    let fields = api.as_object_mut().unwrap();
    for key in
        ["id", "revision", "created_at", "created_by", "updated_at", "updated_by", "immutable", "rule_source"]
    {
        fields.remove(key);
    }
    api
}

fn assert_comes_back(set: &RuleSet) {
    for rule in &set.rules {
        let toml = rule::rule_to_toml(rule);
        let back = rule::load_text("back.toml", &toml);
        assert_eq!(back.error_count(), 0, "{}\n{toml}", rule.name);
        let back = back.rules.first().unwrap_or_else(|| panic!("{}\n{toml}", rule.name));
        assert_eq!(api(back), api(rule), "{}\n{toml}", rule.name);
        assert_eq!(back.guide, rule.guide, "{}", rule.name);
    }
    let back = rule::load_text("back.ndjson", &rule::to_ndjson(&set.rules, &set.exceptions));
    assert_eq!(back.rules.len(), set.rules.len());
    for (back, rule) in back.rules.iter().zip(&set.rules) {
        assert_eq!(api(back), api(rule), "{}", rule.name);
    }
}

#[test]
fn the_built_in_rules_come_back() {
    assert_comes_back(&rule::builtin(GuideLanguage::English));
}

/// Rules of all types with what they may have, and exceptions.
#[test]
fn rules_with_exceptions_come_back_with_them() {
    let text = concat!(
        r#"{"rule_id":"a","name":"A: b/c","description":"d","severity":"low","risk_score":21,"type":"threshold","query":"a: 1","language":"kuery","index":["logs-*"],"threshold":{"field":["user.name"],"value":5,"cardinality":[{"field":"source.ip","value":2}]},"exceptions_list":[{"id":"x","list_id":"known","namespace_type":"single","type":"detection"}],"filters":[{"meta":{"alias":null,"negate":true},"query":{"match_phrase":{"a":"b"}}}],"alert_suppression":{"duration":{"value":5,"unit":"m"}}}"#,
        "\n",
        r#"{"rule_id":"b","name":"B","description":"line\n\nline '''\"\"\" line\\","severity":"low","risk_score":21,"type":"eql","query":"sequence [any where true] [any where false]","language":"eql","index":["logs-*"]}"#,
        "\n",
        r#"{"list_id":"known","type":"detection","name":"Known","description":"d","namespace_type":"single"}"#,
        "\n",
        r#"{"list_id":"known","item_id":"i","type":"simple","name":"I","description":"d","namespace_type":"single","entries":[{"type":"match","field":"user.name","operator":"included","value":"ci"}],"expire_time":"2027-01-01T00:00:00Z"}"#,
        "\n",
    );
    let set = rule::load_text("all.ndjson", text);
    assert_eq!((set.rules.len(), set.error_count()), (2, 0));
    assert_comes_back(&set);
    let toml = rule::exceptions_to_toml(&set.rules, &set.exceptions).unwrap();
    let back = rule::load_text("exceptions.toml", &toml);
    let ndjson = rule::to_ndjson(&set.rules, &set.exceptions);
    assert_eq!(rule::to_ndjson(&set.rules, &back.exceptions), ndjson, "{toml}");
    let summary: Value = serde_json::from_str(ndjson.lines().last().unwrap()).unwrap();
    assert_eq!(summary["exported_count"], 4);
    assert_eq!(rule::file_name(&set.rules[0]), "a_b_c.toml");
}

/// What is written down of a rule in force reads as what it was, with what was excepted from it and with nothing else.
#[test]
fn definitions_come_back_with_their_exceptions() {
    let text = concat!(
        r#"{"rule_id":"a","id":"5f2c2bd6-5a0c-4f6c-8b39-6a5b0e6d5c11","name":"A","description":"d","severity":"low","risk_score":21,"type":"query","query":"a: 1","language":"kuery","index":["logs-*"],"exceptions_list":[{"id":"x","list_id":"known","namespace_type":"single","type":"detection"}]}"#,
        "\n",
        r#"{"list_id":"known","type":"detection","name":"Known","description":"d","namespace_type":"single"}"#,
        "\n",
        r#"{"list_id":"other","type":"detection","name":"Other","description":"d","namespace_type":"single"}"#,
        "\n",
        r#"{"list_id":"known","item_id":"i","type":"simple","name":"I","description":"d","namespace_type":"single","entries":[{"type":"list","field":"source.ip","operator":"included","list":{"id":"ips","type":"ip"}}]}"#,
        "\n",
        r#"{"id":"ips","type":"ip"}"#,
        "\n",
        r#"{"list_id":"ips","value":"203.0.113.1"}"#,
        "\n",
        r#"{"list_id":"unasked","value":"203.0.113.2"}"#,
        "\n",
    );
    let set = rule::load_text("all.ndjson", text);
    let definition = rule::definition(&set.rules[0], &set.exceptions);
    let back = rule::load_text("back.ndjson", &definition);
    assert_eq!((back.rules.len(), back.error_count()), (1, 0), "{definition}");
    assert_eq!(back.rules[0].api(), set.rules[0].api());
    assert_eq!(rule::definition(&back.rules[0], &back.exceptions), definition);
    assert!(
        definition.contains("203.0.113.1")
            && !definition.contains("203.0.113.2")
            && !definition.contains("other")
    );
    let catalog = ecs::Catalog::ecs();
    let compile =
        |set: &RuleSet| rule::compile_with(&set.rules[0], &set.exceptions, &catalog, &(0..=1)).unwrap();
    assert_eq!(compile(&back).conditions, compile(&set).conditions);
}

#[test]
fn fields_of_a_rule_change_and_its_guide_stays() {
    let rule = rule::builtin(GuideLanguage::English).rules.into_iter().find(|it| it.guide.is_some()).unwrap();
    let fields = serde_json::json!({"enabled": false, "exceptions_list": [
        {"id": "x", "list_id": "known", "namespace_type": "single", "type": "detection"}]});
    let changed = rule.changed(fields.as_object().unwrap()).unwrap();
    assert_eq!((changed.enabled, changed.exceptions_list.len()), (Some(false), 1));
    assert_eq!((&changed.guide, &changed.note, &changed.id), (&rule.guide, &rule.note, &rule.id));
    let mut api = changed.api();
    for (key, value) in rule.api() {
        if !fields.as_object().unwrap().contains_key(&key) {
            assert_eq!(api.shift_remove(&key), Some(value), "{key}");
        }
    }
    assert!(rule.changed(serde_json::json!({"enabled": 7}).as_object().unwrap()).is_err());
    assert!(rule.changed(serde_json::json!({"exceptions_list": [{}]}).as_object().unwrap()).is_err());
}

#[test]
fn exceptions_that_can_never_be_applied_are_told() {
    let item = |entries: &str| {
        let text =
            format!(r#"{{"list_id":"l","item_id":"i","name":"I","description":"d","entries":{entries}}}"#);
        rule::load_text("item", &text).exceptions.unusable()
    };
    assert!(item(r#"[{"type":"match","field":"user.name","operator":"included","value":"ci"}]"#).is_empty());
    assert!(item(r#"[{"type":"list","field":"source.ip","operator":"included","list":{"id":"absent","type":"ip"}}]"#).is_empty());
    for broken in [
        "[]",
        "7",
        r#"[{"type":"match"}]"#,
        r#"[{"type":"match","field":"source.ip","operator":"included","value":"x"}]"#,
    ] {
        assert_eq!(item(broken).len(), 1, "{broken}");
    }
}
