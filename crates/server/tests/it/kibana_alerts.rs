//! What rules and exceptions of the API come to: alerts, and searches over them.

use std::sync::atomic::Ordering::Relaxed;

use serde_json::{Value, json};

use crate::alerts::{refused, refused_at};
use crate::kibana::{RULES, a_rule};
use crate::setup::{NOW, Server, folder, wait};

const MINUTE: i64 = 60_000;

#[test]
fn rules_and_exceptions_are_in_force_from_the_next_slot_on_and_hunts_know_it() {
    let (_folder, data) = folder();
    let server = Server::start(&data, "[rules]\nbuiltin = false");
    let query = "event.action: GetPasswordData and event.outcome: failure";
    server.kibana("POST", RULES, &a_rule("one", query)).is(200);
    let of_rule = |name: &str| {
        server.ask("GET", &format!("/api/v1/alerts?query=kibana.alert.rule.rule_id:%20{name}"), "").is(200)
    };
    let at = |minutes: i64| server.clock.store(NOW + minutes * MINUTE, Relaxed);
    let listed = |name: &str| {
        let rules = server.ask("GET", "/api/v1/rules", "").is(200);
        rules["rules"].as_array().unwrap().iter().any(|it| it["rule_id"] == name && it["enabled"] == true)
    };
    wait("the rule runs", || listed("one"));
    let post = |id: &str, role: &str, minutes: i64| {
        server
            .ask("POST", "/api/v1/events", refused_at(id, role, NOW + minutes * MINUTE).to_string())
            .is(200);
    };
    post("e-1", "ci", 1);
    at(10);
    wait("there is an alert", || of_rule("one")["total"] == 1);

    // From now on it is excepted, and a second rule is there.
    let one = server.kibana("GET", &format!("{RULES}?rule_id=one"), &Value::Null).is(200);
    let items = json!({"items": [{"name": "ci", "description": "ci", "type": "simple", "entries": [
        {"type": "match", "field": "aws.cloudtrail.user_identity.session_context.session_issuer.arn", "operator": "included",
         "value": "arn:aws:iam::111122223333:role/ci"}]}]});
    server.kibana("POST", &format!("{RULES}/{}/exceptions", one["id"].as_str().unwrap()), &items).is(200);
    server.kibana("POST", RULES, &a_rule("two", query)).is(200);
    wait("the second one runs", || listed("two"));
    at(12);
    post("e-2", "ci", 11);
    post("e-3", "ops", 11);
    at(20);
    wait("both executed", || of_rule("two")["total"] == 2 && of_rule("one")["total"] == 2);
    let first = of_rule("one");
    let events: Vec<&Value> =
        first["alerts"].as_array().unwrap().iter().map(|it| &it["kibana.alert.original_event.id"]).collect();
    assert!(!events.contains(&&json!("e-2")), "{events:?}");

    // Executed once more, it knows what it said.
    let again = server
        .ask("POST", "/api/v1/rules/two/executions", json!({"from": ecs::date::to_iso(NOW)}).to_string())
        .is(200);
    assert_eq!(again["state"], "done");
    server.ask("POST", "/api/v1/rules/two/executions", "{}").problem(400, "API008");
    server
        .ask("POST", "/api/v1/rules/absent/executions", json!({"from": "now-1h"}).to_string())
        .problem(404, "API003");

    // Switched off, nothing runs, and the server is well.
    server.kibana("POST", &format!("{RULES}/_bulk_action"), &json!({"action": "disable"})).is(200);
    wait("nothing runs", || !listed("one") && !listed("two"));
    at(60);
    assert_eq!(server.ask("GET", "/readyz", "").status, 200);
    let alerts = || {
        let mut all: Vec<(String, Value)> = ["one", "two"]
            .iter()
            .flat_map(|it| of_rule(it)["alerts"].as_array().unwrap().clone())
            .map(|it| {
                (
                    it["kibana.alert.uuid"].as_str().unwrap().to_owned(),
                    it["kibana.alert.rule.exceptions_list"].clone(),
                )
            })
            .collect();
        all.sort_by(|a, b| a.0.cmp(&b.0));
        all
    };
    let kept = alerts();
    assert_eq!(kept.len(), 5, "the second one was executed over what was there before it, too");
    // Even after a rule is gone, a hunt as if live says what was said.
    server.kibana("DELETE", &format!("{RULES}?rule_id=two"), &Value::Null).is(200);
    server.stop();
    let options = hunt::HuntOptions {
        stored: store::Store::open(&data).unwrap().inputs().unwrap(),
        as_live: Some(live::Book::open(&data).unwrap().as_live().unwrap()),
        ..hunt::HuntOptions::new(
            Vec::new(),
            rule::Selection::default(),
            rule::Exceptions::default(),
            crate::setup::normalise(),
            NOW + 60 * MINUTE,
            "0.0.0-test",
        )
    };
    let found = hunt::hunt(&options, &mut std::io::empty(), &hunt::Progress::default()).unwrap();
    let mut hunted = Vec::new();
    let make = |alert: &mut hunt::Alert<'_, '_>| {
        let document = Value::Object(alert.document().to_object());
        (alert.id().to_owned(), document["kibana.alert.rule.exceptions_list"].clone())
    };
    found.alerts(&[], make, |alerts| hunted.extend(alerts));
    hunted.sort_by(|a: &(String, Value), b| a.0.cmp(&b.0));
    assert_eq!(hunted, kept);
}

#[test]
fn alerts_are_searched_as_elasticsearch_has_it_and_changed() {
    let (_folder, data) = folder();
    let server = Server::start(&data, "[rules]\nbuiltin = false");
    let mut body = a_rule("one", "event.action: GetPasswordData");
    body["tags"] = json!(["ours", "loud"]);
    server.kibana("POST", RULES, &body).is(200);
    wait("the rule runs", || {
        !server.ask("GET", "/api/v1/rules", "").is(200)["rules"].as_array().unwrap().is_empty()
    });
    for (id, role) in [("a", "ci"), ("b", "ci"), ("c", "ops")] {
        server.ask("POST", "/api/v1/events", refused(id, role).to_string()).is(200);
    }
    server.clock.store(NOW + 10 * MINUTE, Relaxed);
    let signals = "/api/detection_engine/signals";
    let search = |body: Value| server.kibana("POST", &format!("{signals}/search"), &body);
    let hits =
        |query: Value| search(json!({"query": query})).is(200)["hits"]["total"]["value"].as_u64().unwrap();
    wait("there are alerts", || hits(json!({"match_all": {}})) == 3);
    let issuer = "aws.cloudtrail.user_identity.session_context.session_issuer.arn";
    for (query, expected) in [
        (json!({"bool": {"filter": {"match_all": {}}}}), 3),
        (json!({"bool": {"filter": [{"match": {"signal.status": "open"}}]}}), 3),
        (json!({"term": {(issuer): "arn:aws:iam::111122223333:role/ops"}}), 1),
        (json!({"bool": {"must_not": {"term": {(issuer): "arn:aws:iam::111122223333:role/ops"}}}}), 2),
        (json!({"terms": {"kibana.alert.severity": ["high", "low"]}}), 3),
        (json!({"range": {"@timestamp": {"gte": ecs::date::to_iso(NOW + 60 * MINUTE)}}}), 0),
        (json!({"exists": {"field": "kibana.alert.rule.name"}}), 3),
        (
            json!({"query_string": {"query": "kibana.alert.rule.rule_id:one AND event.action:GetPasswordData"}}),
            3,
        ),
        (json!({"bool": {"must": [{"query_string": {"query": "kibana.alert.rule.rule_id:other"}}]}}), 0),
    ] {
        assert_eq!(hits(query.clone()), expected, "{query}");
    }
    let first = search(json!({"size": 1})).is(200)["hits"]["hits"][0].clone();
    let id = first["_id"].as_str().unwrap();
    assert_eq!(first["_source"]["kibana.alert.uuid"], *id);
    assert!(first["_source"].get("signal").is_none() && first["_source"].get("_id").is_none());
    assert_eq!(hits(json!({"ids": {"values": [id]}})), 1);
    let told = search(json!({"size": 0, "track_total_hits": true, "aggs": {
        "roles": {"terms": {"field": issuer}, "aggs": {"last": {"max": {"field": "@timestamp"}}}},
        "tags": {"terms": {"field": "kibana.alert.rule.tags", "order": {"_key": "desc"}}},
        "lastSeen": {"max": {"field": "@timestamp"}}, "ids": {"cardinality": {"field": "kibana.alert.uuid"}},
    }}))
    .is(200);
    let figures = &told["aggregations"];
    assert_eq!(
        (&figures["roles"]["buckets"][0]["doc_count"], &figures["ids"]["value"]),
        (&json!(2), &json!(3))
    );
    assert_eq!(figures["tags"]["buckets"][0]["key"], "ours");
    assert!(figures["lastSeen"]["value_as_string"].as_str().unwrap().starts_with("20"), "{figures}");
    assert_eq!(figures["roles"]["buckets"][0]["last"], figures["lastSeen"]);
    assert_eq!(told["hits"]["hits"], json!([]));
    let sorted = search(json!({"sort": [{(issuer): {"order": "desc"}}], "_source": ["kibana.alert.uuid"], "from": 0, "size": 2})).is(200);
    let page = sorted["hits"]["hits"].as_array().unwrap();
    assert_eq!((page.len(), page[0]["sort"][0].as_str().unwrap().ends_with("/ops")), (2, true), "{page:?}");
    assert_eq!(page[0]["_source"].as_object().unwrap().len(), 1);
    for wrong in [
        json!({"query": {"script": {}}}),
        json!({"query": {"bool": {"should": [{"query_string": {"query": "a:b"}}]}}}),
        json!({"query": {"query_string": {"query": "a:("}}}),
        json!({"aggs": {"x": {"percentiles": {"field": "y"}}}}),
        json!({"aggs": 7}),
        json!({"suggest": {}}),
        json!({"size": 100_000}),
        json!({"sort": 7}),
        json!([]),
    ] {
        search(wrong).is(400);
    }

    let post = |path: &str, body: Value| server.kibana("POST", &format!("{signals}/{path}"), &body);
    let done = post("status", json!({"signal_ids": [id, "absent"], "status": "closed"})).is(200);
    assert_eq!((&done["updated"], &done["total"]), (&json!(1), &json!(1)));
    assert_eq!(hits(json!({"match": {"kibana.alert.workflow_status": "closed"}})), 1);
    let done = post(
        "status",
        json!({"query": {"term": {"kibana.alert.workflow_status": "open"}}, "status": "acknowledged"}),
    )
    .is(200);
    assert_eq!(done["updated"], 2);
    post("tags", json!({"ids": [id], "tags": {"tags_to_add": ["x"], "tags_to_remove": []}})).is(200);
    post("assignees", json!({"ids": [id], "assignees": {"add": ["kim"], "remove": []}})).is(200);
    let after = server.ask("GET", &format!("/api/v1/alerts/{id}"), "").is(200);
    assert_eq!(
        (&after["kibana.alert.workflow_tags"], &after["kibana.alert.workflow_assignee_ids"]),
        (&json!(["x"]), &json!(["kim"]))
    );
    post("status", json!({"signal_ids": [id], "status": "burnt"})).is(400);
    post("tags", json!({"ids": [id], "tags": {"tags_to_add": ["x"], "tags_to_remove": ["x"]}})).is(400);

    // A rule that is only tried raises the same, and nothing is kept of it.
    let mut tried = a_rule("tried", "event.action: GetPasswordData");
    tried["invocationCount"] = json!(3);
    tried["timeframeEnd"] = json!(ecs::date::to_iso(NOW + 10 * MINUTE));
    let preview = server.kibana("POST", &format!("{RULES}/preview"), &tried).is(200);
    assert_eq!((&preview["total"], &preview["logs"][0]["errors"]), (&json!(3), &json!([])), "{preview}");
    assert_eq!(hits(json!({"match_all": {}})), 3);
    server.kibana("GET", &format!("{RULES}?rule_id=tried"), &Value::Null).is(404);
    tried["query"] = json!("a: (");
    server.kibana("POST", &format!("{RULES}/preview"), &tried).is(400);
}
