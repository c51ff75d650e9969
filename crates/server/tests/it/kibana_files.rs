//! Rules, exceptions and values as files, in and out.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::kibana::{RULES, a_rule};
use crate::setup::{Server, folder};

#[test]
fn what_is_imported_is_exported_as_what_it_was() {
    let (_folder, data) = folder();
    let server = Server::start(&data, "");
    let list = json!({"list_id": "known", "type": "detection", "name": "Known", "description": "d", "namespace_type": "single", "tags": []});
    let item = json!({"list_id": "known", "item_id": "i", "type": "simple", "name": "I", "description": "d", "namespace_type": "single",
        "comments": [{"comment": "said"}], "entries": [{"type": "match", "field": "user.name", "operator": "included", "value": "ci"}]});
    let mut one = a_rule("one", "event.action: GetPasswordData");
    // As detection-rules' tools write it.
    one["exceptions_list"] =
        json!([{"list_id": "known", "namespace_type": "single", "type": "detection", "id": "known"}]);
    let mut lost = a_rule("lost", "event.action: GetObject");
    lost["exceptions_list"] =
        json!([{"list_id": "nowhere", "namespace_type": "single", "type": "detection", "id": "x"}]);
    let lines = |all: &[&Value]| all.iter().fold(String::new(), |text, it| text + &format!("{it}\n"));
    let text = lines(&[&one, &lost, &list, &item]);
    let import = |query: &str, text: &str| {
        server.send(&format!("{RULES}/_import?{query}"), "import.ndjson", text).is(200)
    };
    let done = import("overwrite=false", &text);
    assert_eq!(
        (&done["success_count"], &done["rules_count"], &done["exceptions_success_count"]),
        (&json!(2), &json!(2), &json!(2))
    );
    assert_eq!(done["errors"][0]["rule_id"], "lost");
    assert!(
        done["errors"][0]["error"]["message"]
            .as_str()
            .unwrap()
            .contains("references a non existent exception list")
    );
    let again = import("overwrite=false", &text);
    assert_eq!((&again["success_count"], again["errors"].as_array().unwrap().len()), (&json!(0), 2));
    assert_eq!(again["exceptions_errors"].as_array().unwrap().len(), 2);
    let over = import("overwrite=true&overwrite_exceptions=true", &lines(&[&one, &list, &item]));
    assert_eq!((&over["success"], &over["success_count"]), (&json!(true), &json!(1)), "{over}");
    let export = |query: &str, ids: Value| {
        let answer = server.kibana("POST", &format!("{RULES}/_export?{query}"), &ids);
        assert_eq!(answer.status, 200);
        answer.body.lines().map(|it| serde_json::from_str(it).unwrap()).collect::<Vec<Value>>()
    };
    let out = export("", json!({"objects": [{"rule_id": "one"}, {"rule_id": "absent"}]}));
    assert_eq!(out.len(), 4, "{out:#?}");
    for (key, value) in one.as_object().unwrap().iter().filter(|(key, _)| *key != "exceptions_list") {
        assert_eq!(out[0][key], *value, "{key}");
    }
    assert_eq!(out[0]["exceptions_list"][0]["list_id"], "known");
    assert_eq!(
        (&out[1]["list_id"], &out[2]["entries"], &out[2]["comments"][0]["comment"]),
        (&json!("known"), &item["entries"], &json!("said"))
    );
    assert_eq!(out[3]["missing_rules"], json!([{"rule_id": "absent"}]));
    assert_eq!(out[3]["exported_rules_count"], 1);
    assert_eq!(export("exclude_export_details=true", json!({"objects": [{"rule_id": "one"}]})).len(), 1);
    // What came out goes in again.
    let text = lines(&out.iter().collect::<Vec<_>>());
    assert_eq!(import("overwrite=true&overwrite_exceptions=true", &text)["success"], true);
    assert_eq!(export("", json!({"objects": [{"rule_id": "one"}]}))[2]["entries"], item["entries"]);
    for (name, text) in [("rules.toml", "x"), ("x.ndjson", "no json"), ("x.ndjson", "{\"a\":1}")] {
        let answer = server.send(&format!("{RULES}/_import"), name, text);
        assert!(
            answer.status == 400 || !answer.json()["errors"].as_array().unwrap().is_empty(),
            "{answer:?}"
        );
    }
}

#[test]
fn lists_items_and_values_are_kept_and_count() {
    let (_folder, data) = folder();
    let server = Server::start(&data, "");
    let get = |path: &str| server.kibana("GET", path, &Value::Null);
    let (lists, items) = ("/api/exception_lists", "/api/exception_lists/items");
    let list = server
        .kibana("POST", lists, &json!({"list_id": "l", "name": "L", "description": "d", "type": "detection"}))
        .is(200);
    assert_eq!((&list["namespace_type"], &list["version"]), (&json!("single"), &json!(1)));
    server
        .kibana("POST", lists, &json!({"list_id": "l", "name": "L", "description": "d", "type": "detection"}))
        .is(409);
    let entry = json!({"type": "match", "field": "user.name", "operator": "included", "value": "ci"});
    let item = json!({"list_id": "l", "item_id": "i", "name": "I", "description": "d", "type": "simple", "entries": [entry], "tags": ["t"]});
    let made = server.kibana("POST", items, &item).is(200);
    server.kibana("POST", items, &json!({"list_id": "absent", "name": "I", "description": "d", "type": "simple", "entries": [entry]})).is(404);
    for entries in [
        json!([]),
        json!([{"type": "match", "field": "a", "operator": "maybe", "value": "x"}]),
        json!([{"type": "match"}]),
        json!(7),
    ] {
        let wrong =
            json!({"list_id": "l", "name": "I", "description": "d", "type": "simple", "entries": entries});
        server.kibana("POST", items, &wrong).is(400);
    }
    let mut new = item.clone();
    new["name"] = json!("J");
    new["_version"] = made["_version"].clone();
    let changed = server.kibana("PUT", items, &new).is(200);
    assert_eq!(changed["name"], "J");
    server.kibana("PUT", items, &new).is(409);
    assert_eq!(get(&format!("{items}?item_id=i")).is(200)["id"], made["id"]);
    assert_eq!(
        get(&format!("{items}/_find?list_id=l&filter=exception-list.attributes.tags:t")).is(200)["total"],
        1
    );
    assert_eq!(get(&format!("{lists}/_find")).is(200)["data"][0]["list_id"], "l");
    let exported = server.kibana(
        "POST",
        &format!("{lists}/_export?list_id=l&namespace_type=single&id=&include_expired_exceptions=true"),
        &Value::Null,
    );
    assert_eq!(exported.status, 404, "an empty id is one");
    let exported =
        server.kibana("POST", &format!("{lists}/_export?list_id=l&namespace_type=single"), &Value::Null);
    assert_eq!((exported.status, exported.body.lines().count()), (200, 3));
    assert_eq!(
        server.kibana("DELETE", &format!("{lists}?list_id=l"), &Value::Null).is(200)["id"],
        list["id"]
    );
    get(&format!("{items}?item_id=i")).is(404);
    let back = server.send(&format!("{lists}/_import?overwrite=false"), "l.ndjson", &exported.body).is(200);
    assert_eq!(back["success"], true, "{back}");
    get(&format!("{items}?item_id=i")).is(200);

    assert_eq!(get("/api/lists/index").is(200), json!({"list_index": true, "list_item_index": true}));
    let ips = json!({"id": "ips", "name": "IPs", "description": "d", "type": "ip"});
    server.kibana("POST", "/api/lists", &ips).is(200);
    server.kibana("POST", "/api/lists", &ips).is(409);
    server.kibana("POST", "/api/lists", &json!({"name": "x", "description": "d", "type": "colour"})).is(400);
    let value = server
        .kibana("POST", "/api/lists/items", &json!({"list_id": "ips", "value": "203.0.113.20"}))
        .is(200);
    server.kibana("POST", "/api/lists/items", &json!({"list_id": "ips", "value": "nowhere"})).is(400);
    assert_eq!(get("/api/lists/items?list_id=ips&value=203.0.113.20").is(200)[0]["id"], value["id"]);
    server
        .send("/api/lists/items/_import?list_id=ips&type=ip", "ips.txt", "198.51.100.1\n203.0.113.20\n")
        .is(200);
    let out = server.kibana("POST", "/api/lists/items/_export?list_id=ips", &Value::Null);
    assert_eq!(out.body, "203.0.113.20\n198.51.100.1\n");
    assert_eq!(get("/api/lists/items/_find?list_id=ips&per_page=1").is(200)["total"], 2);
    let asks = json!({"list_id": "l", "item_id": "v", "name": "V", "description": "d", "type": "simple", "entries": [
        {"type": "list", "field": "source.ip", "operator": "included", "list": {"id": "ips", "type": "ip"}}]});
    server.kibana("POST", items, &asks).is(200);
    server.kibana("DELETE", "/api/lists?id=ips", &Value::Null).is(409);
    server.kibana("DELETE", &format!("{items}?item_id=v"), &Value::Null).is(200);
    server.kibana("DELETE", "/api/lists/index", &Value::Null).is(409);
    server.kibana("DELETE", "/api/lists?id=ips", &Value::Null).is(200);
    server.kibana("DELETE", "/api/lists/index", &Value::Null).is(200);
}

/// Without what an installed copy has of its own, and `null`, which counts as absent.
fn facts(rule: &Value) -> Value {
    fn without_null(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                fields.retain(|_, value| !value.is_null());
                fields.values_mut().for_each(without_null);
            }
            Value::Array(items) => items.iter_mut().for_each(without_null),
            _ => {}
        }
    }
    let mut rule = rule.clone();
    without_null(&mut rule);
    let fields = rule.as_object_mut().unwrap();
    for key in [
        "id",
        "revision",
        "created_at",
        "created_by",
        "updated_at",
        "updated_by",
        "immutable",
        "rule_source",
        "enabled",
        "exceptions_list",
        "outcome",
        "execution_summary",
    ] {
        fields.remove(key);
    }
    rule
}

/// Every rule at hand goes in, and comes out as what it was.
#[test]
fn rules_of_others_go_in_and_come_out_equal() {
    let Some(rules) = cases::shared("rules") else { return };
    let set = rule::load(&[rules]);
    // Of several with one id, one is installed.
    let selection = rule::Selection::all(set.rules.clone());
    let given: Vec<&rule::Rule> = selection.rules().iter().map(|it| &**it).collect();
    assert!(given.len() > 100, "{}", given.len());
    let (_folder, data) = folder();
    let server = Server::start(&data, "[rules]\nbuiltin = false");
    let mut text = String::new();
    for rule in &given {
        let mut api = rule.api();
        // Switched on is only what can run, and names of lists that are not there are told.
        api.insert("enabled".to_owned(), false.into());
        api.shift_remove("exceptions_list");
        text += &format!("{}\n", Value::Object(api));
    }
    let done = server.send(&format!("{RULES}/_import"), "all.ndjson", &text).is(200);
    assert_eq!(done["errors"], json!([]));
    assert_eq!(done["success_count"], given.len());
    let exported =
        server.kibana("POST", &format!("{RULES}/_export?exclude_export_details=true"), &Value::Null);
    let exported: BTreeMap<String, Value> = exported
        .body
        .lines()
        .map(|it| serde_json::from_str(it).unwrap())
        .map(|it: Value| (it["rule_id"].as_str().unwrap().to_owned(), it))
        .collect();
    assert_eq!(exported.len(), given.len());
    for rule in given {
        assert_eq!(facts(&exported[&rule.rule_id]), facts(&Value::Object(rule.api())), "{}", rule.name);
    }
}
