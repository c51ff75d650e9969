//! Rules as Kibana's tools ask for them.

use serde_json::{Value, json};

use crate::setup::{Answer, Server, folder, wait};

pub(crate) const RULES: &str = "/api/detection_engine/rules";
pub(crate) const XSRF: (&str, &str) = ("kbn-xsrf", "true");

impl Server {
    /// Asks as a client of Kibana does.
    pub(crate) fn kibana(&self, method: &str, path: &str, body: &Value) -> Answer {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.ask_with(self.admin.as_deref(), method, path, &[XSRF], body.as_bytes())
    }

    /// Sends a file in a form.
    pub(crate) fn send(&self, path: &str, name: &str, content: &str) -> Answer {
        let body = format!(
            "--limit\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
             Content-Type: application/x-ndjson\r\n\r\n{content}\r\n--limit--\r\n"
        );
        let headers = [XSRF, ("content-type", "multipart/form-data; boundary=limit")];
        self.ask_with(self.admin.as_deref(), "POST", path, &headers, body.as_bytes())
    }
}

/// A rule as Terraform's provider sends one.
pub(crate) fn a_rule(rule_id: &str, query: &str) -> Value {
    json!({
        "rule_id": rule_id, "name": format!("Rule {rule_id}"), "description": "Somebody was refused.", "type": "query",
        "language": "kuery", "query": query, "index": ["logs-aws.cloudtrail*"], "severity": "high", "risk_score": 73,
        "from": "now-9m", "to": "now", "interval": "5m", "max_signals": 100, "enabled": true, "tags": ["ours"],
        "author": ["us"], "false_positives": [], "references": [], "threat": [], "version": 3,
    })
}

#[test]
fn a_rule_is_made_changed_found_and_deleted() {
    let (_folder, data) = folder();
    let server = Server::start(&data, "");
    let body = a_rule("one", "event.action: GetPasswordData");
    let without = server.ask("POST", RULES, body.to_string());
    assert_eq!(
        without.is(400)["message"],
        "Request must contain a kbn-xsrf header.",
        "pages of others cannot send it"
    );
    let made = server.kibana("POST", RULES, &body).is(200);
    for (key, value) in body.as_object().unwrap() {
        assert_eq!(made[key], *value, "{key}");
    }
    assert_eq!(
        (&made["immutable"], &made["rule_source"], &made["revision"]),
        (&json!(false), &json!({"type": "internal"}), &json!(0))
    );
    assert_eq!((&made["created_by"], &made["updated_by"]), (&json!("first"), &json!("first")));
    let id = made["id"].as_str().unwrap().to_owned();
    let again = server.kibana("POST", RULES, &body).is(409);
    assert_eq!(
        (&again["message"], &again["status_code"]),
        (&json!("rule_id: \"one\" already exists"), &json!(409))
    );
    for path in
        [format!("{RULES}?id={id}"), format!("{RULES}?rule_id=one"), format!("/s/default{RULES}?rule_id=one")]
    {
        assert_eq!(server.kibana("GET", &path, &Value::Null).is(200)["id"], *id, "{path}");
    }
    server.kibana("GET", &format!("/s/other{RULES}?rule_id=one"), &Value::Null).is(404);

    // Switched off it says the same; anything else is another revision.
    let patched = server.kibana("PATCH", RULES, &json!({"rule_id": "one", "enabled": false})).is(200);
    assert_eq!((&patched["enabled"], &patched["revision"]), (&json!(false), &json!(0)));
    let patched =
        server.kibana("PATCH", RULES, &json!({"id": id, "severity": "low", "name": "Quiet words"})).is(200);
    assert_eq!(
        (&patched["severity"], &patched["enabled"], &patched["revision"]),
        (&json!("low"), &json!(false), &json!(1))
    );
    let same = server.kibana("PUT", RULES, &patched).is(200);
    assert_eq!(same["revision"], 1, "sent as it was given, nothing changes");
    let mut put = a_rule("one", "event.action: GetObject");
    put.as_object_mut().unwrap().remove("enabled");
    let put = server.kibana("PUT", RULES, &put).is(200);
    assert_eq!(
        (&put["enabled"], &put["query"], &put["revision"]),
        (&json!(false), &json!("event.action: GetObject"), &json!(2))
    );

    let find = |filter: &str| {
        let filter = filter.bytes().fold(String::new(), |text, it| text + &format!("%{it:02x}"));
        server.kibana(
            "GET",
            &format!("{RULES}/_find?filter={filter}&sort_field=name&sort_order=asc&per_page=500"),
            &Value::Null,
        )
    };
    let total = |filter: &str| find(filter).is(200)["total"].as_u64().unwrap();
    let all = total("");
    assert!(all > 10, "the built-in ones are there");
    for (filter, expected) in [
        ("alert.attributes.name: \"rule ONE\"", 1),
        ("alert.attributes.tags: \"ours\"", 1),
        ("alert.attributes.params.ruleId: one", 1),
        ("alert.attributes.enabled: false", 1),
        (
            "alert.attributes.params.ruleSource.type: \"internal\" or alert.attributes.params.immutable: false",
            1,
        ),
        ("alert.attributes.tags:\"__internal_immutable:true\"", all - 1),
        ("alert.attributes.params.severity: high and alert.attributes.params.immutable: false", 1),
        ("alert.attributes.params.riskScore > 99", 0),
    ] {
        assert_eq!(total(filter), expected, "{filter}");
    }
    find("alert: (").is(400);
    let mut names = Vec::new();
    for page in 1..=3 {
        let page = server
            .kibana(
                "GET",
                &format!("{RULES}/_find?page={page}&per_page=2&sort_field=name&sort_order=asc"),
                &Value::Null,
            )
            .is(200);
        assert_eq!(page["perPage"], 2);
        names.extend(
            page["data"].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap().to_lowercase()),
        );
    }
    assert!(names.len() == 6 && names.is_sorted(), "{names:?}");

    assert_eq!(server.kibana("DELETE", &format!("{RULES}?id={id}"), &Value::Null).is(200)["rule_id"], "one");
    let gone = server.kibana("GET", &format!("{RULES}?id={id}"), &Value::Null).is(404);
    assert_eq!(gone["message"], format!("id: \"{id}\" not found"));
    for wrong in ["", "?id=a&rule_id=b", "?rule=x"] {
        server.kibana("GET", &format!("{RULES}{wrong}"), &Value::Null).is(400);
    }
}

#[test]
fn what_cannot_be_read_or_run_is_refused_and_told() {
    let (_folder, data) = folder();
    let server = Server::start(&data, "");
    let mut body = a_rule("bad", "event.action: (");
    let refused = server.kibana("POST", RULES, &body).is(400);
    assert!(refused["message"].as_str().unwrap().contains("KQL"), "{refused}");
    body["query"] = json!("event.action: GetObject");
    body.as_object_mut().unwrap().remove("name");
    let refused = server.kibana("POST", RULES, &body).is(400);
    assert!(refused["message"].as_str().unwrap().starts_with("[request body]: "), "{refused}");
    // One that cannot run is kept switched off, and says why.
    let mut learned = a_rule("ml", "");
    for key in ["query", "language", "index"] {
        learned.as_object_mut().unwrap().remove(key);
    }
    learned["type"] = json!("machine_learning");
    learned["anomaly_threshold"] = json!(50);
    learned["machine_learning_job_id"] = json!(["job"]);
    let refused = server.kibana("POST", RULES, &learned).is(400);
    assert!(refused["message"].as_str().unwrap().contains("cannot run"), "{refused}");
    learned["enabled"] = json!(false);
    let made = server.kibana("POST", RULES, &learned).is(200);
    let last = &made["execution_summary"]["last_execution"];
    assert_eq!(last["status"], "failed");
    assert!(last["message"].as_str().unwrap().contains("RULE201"), "{last}");
    let bulk = json!({"action": "enable", "ids": ["ml", "absent"]});
    let told = server.kibana("POST", &format!("{RULES}/_bulk_action"), &bulk).is(400);
    assert_eq!(told["attributes"]["summary"], json!({"failed": 2, "skipped": 0, "succeeded": 0, "total": 2}));
    for body in ["", "[]", "null", "7", "{\"action\":7}", "{\"action\":\"edit\"}", "{\"action\":\"burn\"}"] {
        let answer = server.ask_with(
            server.admin.as_deref(),
            "POST",
            &format!("{RULES}/_bulk_action"),
            &[XSRF],
            body.as_bytes(),
        );
        answer.is(400);
    }
}

#[test]
fn built_in_rules_are_switched_and_excepted_from_and_say_nothing_else() {
    let (_folder, data) = folder();
    let server = Server::start(&data, "");
    let first = server
        .kibana("GET", &format!("{RULES}/_find?per_page=1&sort_field=name&sort_order=asc"), &Value::Null)
        .is(200);
    let rule = first["data"][0].clone();
    let (id, rule_id) = (rule["id"].as_str().unwrap(), rule["rule_id"].as_str().unwrap());
    assert_eq!((&rule["immutable"], &rule["enabled"]), (&json!(true), &json!(true)));
    server.kibana("PATCH", RULES, &json!({"id": id, "severity": "low", "name": "mine"})).is(400);
    server.kibana("DELETE", &format!("{RULES}?id={id}"), &Value::Null).is(400);
    server.kibana("POST", RULES, &json!({"rule_id": rule_id, "name": "x", "description": "x", "severity": "low", "risk_score": 1, "type": "query", "query": "a: b"})).is(409);
    let off = server
        .ask("PATCH", &format!("/api/v1/rules/{rule_id}"), json!({"enabled": false}).to_string())
        .is(200);
    assert_eq!(
        (&off["enabled"], &off["name"], &off["immutable"]),
        (&json!(false), &rule["name"], &json!(true))
    );
    let running = || {
        let rules = server.ask("GET", "/api/v1/rules", "").is(200);
        let rules = rules["rules"].as_array().unwrap().clone();
        rules.iter().find(|it| it["rule_id"] == *rule_id).map(|it| it["enabled"].clone())
    };
    wait("it does not run any more", || running() == Some(json!(false)));
    let items = json!({"items": [{"name": "ours", "description": "ours", "type": "simple", "entries": [
        {"type": "match", "field": "user.name", "operator": "included", "value": "ci"}]}]});
    let made = server.kibana("POST", &format!("{RULES}/{id}/exceptions"), &items).is(200);
    let list_id = made[0]["list_id"].as_str().unwrap();
    let now = server.kibana("GET", &format!("{RULES}?id={id}"), &Value::Null).is(200);
    assert_eq!(
        (&now["exceptions_list"][0]["list_id"], &now["exceptions_list"][0]["type"]),
        (&json!(list_id), &json!("rule_default"))
    );
    assert_eq!(now["enabled"], false, "what was changed before stays");
    let copy = server
        .kibana("POST", &format!("{RULES}/_bulk_action"), &json!({"action": "duplicate", "ids": [id]}))
        .is(200);
    let copy = &copy["attributes"]["results"]["created"][0];
    assert_eq!((&copy["immutable"], &copy["enabled"]), (&json!(false), &json!(false)));
    assert_ne!(copy["rule_id"], *rule_id);
}

#[test]
fn many_rules_are_changed_at_once_or_only_looked_at() {
    let (_folder, data) = folder();
    let server = Server::start(&data, "");
    for name in ["one", "two"] {
        server.kibana("POST", RULES, &a_rule(name, "event.action: GetObject")).is(200);
    }
    let act =
        |dry: bool, body: Value| server.kibana("POST", &format!("{RULES}/_bulk_action?dry_run={dry}"), &body);
    let get = |name: &str| server.kibana("GET", &format!("{RULES}?rule_id={name}"), &Value::Null).is(200);
    let edit = |kind: &str, value: Value| json!({"action": "edit", "query": "alert.attributes.tags: ours", "edit": [{"type": kind, "value": value}]});
    let dry = act(true, edit("add_tags", json!(["new"]))).is(200);
    assert_eq!(dry["attributes"]["summary"]["succeeded"], 2);
    assert_eq!(get("one")["tags"], json!(["ours"]), "a dry run changes nothing");
    act(false, edit("add_tags", json!(["new"]))).is(200);
    act(false, edit("add_index_patterns", json!(["logs-other*"]))).is(200);
    let after = get("two");
    assert_eq!(
        (&after["tags"], &after["index"]),
        (&json!(["ours", "new"]), &json!(["logs-aws.cloudtrail*", "logs-other*"]))
    );
    assert_eq!(after["revision"], 2);
    act(false, edit("set_index_patterns", json!([]))).is(400);
    let same = act(false, edit("add_tags", json!(["new"]))).is(200);
    assert_eq!(same["attributes"]["summary"]["skipped"], 2);
    act(false, edit("set_schedule", json!({"interval": "10m", "lookback": "2m"}))).is(200);
    let after = get("one");
    assert_eq!((&after["interval"], &after["from"]), (&json!("10m"), &json!("now-720s")));
    act(false, json!({"action": "disable", "query": "alert.attributes.tags: ours"})).is(200);
    assert_eq!(get("one")["enabled"], false);
    act(false, json!({"action": "delete", "ids": [get("one")["id"]]})).is(200);
    server.kibana("GET", &format!("{RULES}?rule_id=one"), &Value::Null).is(404);
    act(
        false,
        json!({"action": "edit", "ids": ["two"], "edit": [{"type": "add_rule_actions", "value": {}}]}),
    )
    .is(400);
}
