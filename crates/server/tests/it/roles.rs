//! Who may do what, route by route.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::setup::{Server, folder, ids, record};

/// For each route who may ask, by hand: o everybody; v a viewer, a an analyst, e an engineer, m an admin, s a shipper.
const TABLE: &[(&str, &str, &str)] = &[
    ("GET", "/livez", "o"),
    ("GET", "/readyz", "vaem"),
    ("GET", "/metrics", "vaem"),
    ("GET", "/api/v1/openapi.json", "vaems"),
    ("POST", "/api/v1/events", "ems"),
    ("POST", "/v1/logs", "ems"),
    ("GET", "/api/v1/sources", "vaem"),
    ("GET", "/api/v1/sources/{name}/dead-letters", "vaem"),
    ("POST", "/api/v1/sources/{name}/dead-letters/replay", "em"),
    ("GET", "/api/v1/sources/{name}/dead-letters/{id}/contents", "em"),
    ("POST", "/api/v1/sources/{name}/dead-letters/{id}/replay", "em"),
    ("DELETE", "/api/v1/sources/{name}/dead-letters/{id}", "em"),
    ("GET", "/api/v1/alerts", "vaem"),
    ("POST", "/api/v1/alerts/changes", "aem"),
    ("GET", "/api/v1/alerts/facets", "vaem"),
    ("GET", "/api/v1/alerts/histogram", "vaem"),
    ("GET", "/api/v1/alerts/quality", "vaem"),
    ("GET", "/api/v1/alerts/feed", "vaem"),
    ("GET", "/api/v1/alerts/{id}", "vaem"),
    ("PATCH", "/api/v1/alerts/{id}", "aem"),
    ("GET", "/api/v1/alerts/{id}/history", "vaem"),
    ("GET", "/api/v1/alerts/{id}/investigation", "vaem"),
    ("GET", "/api/v1/alerts/{id}/response", "vaem"),
    ("GET", "/api/v1/alerts/{id}/exception", "vaem"),
    ("POST", "/api/v1/alerts/{id}/exception", "aem"),
    ("GET", "/api/v1/silences", "vaem"),
    ("POST", "/api/v1/silences", "aem"),
    ("DELETE", "/api/v1/silences/{id}", "aem"),
    ("GET", "/api/v1/incidents", "vaem"),
    ("GET", "/api/v1/incidents/{id}", "vaem"),
    ("PATCH", "/api/v1/incidents/{id}", "aem"),
    ("GET", "/api/v1/log", "vaem"),
    ("GET", "/api/v1/rules", "vaem"),
    ("GET", "/api/v1/executions", "vaem"),
    ("GET", "/api/v1/gaps", "vaem"),
    ("POST", "/api/v1/config/reload", "m"),
    ("GET", "/api/v1/notifications", "vaem"),
    ("GET", "/api/v1/notifications/messages", "vaem"),
    ("POST", "/api/v1/notifications/retry", "em"),
    ("POST", "/api/v1/notifications/test", "em"),
    ("GET", "/api/v1/keys", "m"),
    ("POST", "/api/v1/keys", "m"),
    ("DELETE", "/api/v1/keys/{id}", "m"),
    ("GET", "/api/status", "vaems"),
    ("GET", "/api/features", "vaems"),
    ("GET", "/api/spaces/space", "vaems"),
    ("GET", "/api/spaces/space/{id}", "vaems"),
    ("GET", "/api/detection_engine/index", "vaems"),
    ("POST", "/api/detection_engine/index", "em"),
    ("GET", "/api/detection_engine/privileges", "vaems"),
    ("GET", "/api/detection_engine/tags", "vaem"),
    ("GET", "/api/detection_engine/rules", "vaem"),
    ("POST", "/api/detection_engine/rules", "em"),
    ("PUT", "/api/detection_engine/rules", "em"),
    ("PATCH", "/api/detection_engine/rules", "em"),
    ("DELETE", "/api/detection_engine/rules", "em"),
    ("POST", "/api/detection_engine/rules/_bulk_create", "em"),
    ("GET", "/api/detection_engine/rules/_find", "vaem"),
    ("POST", "/api/detection_engine/rules/_import", "em"),
    ("POST", "/api/detection_engine/rules/_export", "vaem"),
    ("POST", "/api/detection_engine/rules/_bulk_action", "em"),
    ("POST", "/api/detection_engine/rules/preview", "em"),
    ("POST", "/api/detection_engine/rules/{id}/exceptions", "em"),
    ("POST", "/api/detection_engine/signals/search", "vaem"),
    ("POST", "/api/detection_engine/signals/status", "aem"),
    ("POST", "/api/detection_engine/signals/tags", "aem"),
    ("POST", "/api/detection_engine/signals/assignees", "aem"),
    ("GET", "/api/exception_lists", "vaem"),
    ("POST", "/api/exception_lists", "em"),
    ("PUT", "/api/exception_lists", "em"),
    ("DELETE", "/api/exception_lists", "em"),
    ("GET", "/api/exception_lists/_find", "vaem"),
    ("POST", "/api/exception_lists/_export", "vaem"),
    ("POST", "/api/exception_lists/_import", "em"),
    ("GET", "/api/exception_lists/items", "vaem"),
    ("POST", "/api/exception_lists/items", "em"),
    ("PUT", "/api/exception_lists/items", "em"),
    ("DELETE", "/api/exception_lists/items", "em"),
    ("GET", "/api/exception_lists/items/_find", "vaem"),
    ("GET", "/api/lists", "vaem"),
    ("POST", "/api/lists", "em"),
    ("PUT", "/api/lists", "em"),
    ("PATCH", "/api/lists", "em"),
    ("DELETE", "/api/lists", "em"),
    ("GET", "/api/lists/_find", "vaem"),
    ("GET", "/api/lists/index", "vaem"),
    ("POST", "/api/lists/index", "em"),
    ("DELETE", "/api/lists/index", "em"),
    ("GET", "/api/lists/privileges", "vaems"),
    ("GET", "/api/lists/items", "vaem"),
    ("POST", "/api/lists/items", "em"),
    ("PUT", "/api/lists/items", "em"),
    ("PATCH", "/api/lists/items", "em"),
    ("DELETE", "/api/lists/items", "em"),
    ("GET", "/api/lists/items/_find", "vaem"),
    ("POST", "/api/lists/items/_import", "em"),
    ("POST", "/api/lists/items/_export", "vaem"),
    ("POST", "/api/v1/rules", "em"),
    ("PATCH", "/api/v1/rules/{id}", "em"),
    ("POST", "/api/v1/rules/{id}/executions", "em"),
    ("GET", "/", "vaems"),
    ("HEAD", "/", "vaems"),
    ("POST", "/_bulk", "ems"),
    ("PUT", "/_bulk", "ems"),
    ("POST", "/{index}/_bulk", "ems"),
    ("PUT", "/{index}/_bulk", "ems"),
    ("POST", "/{index}/_doc", "ems"),
    ("POST", "/{index}/_doc/{id}", "ems"),
    ("PUT", "/{index}/_doc/{id}", "ems"),
    ("POST", "/{index}/_create/{id}", "ems"),
    ("PUT", "/{index}/_create/{id}", "ems"),
    ("GET", "/_license", "vaems"),
    ("HEAD", "/_license", "vaems"),
    ("GET", "/_xpack", "vaems"),
    ("HEAD", "/_xpack", "vaems"),
    ("GET", "/_cluster/health", "vaems"),
    ("HEAD", "/_cluster/health", "vaems"),
    ("GET", "/_index_template/{name}", "ems"),
    ("HEAD", "/_index_template/{name}", "ems"),
    ("PUT", "/_index_template/{name}", "ems"),
    ("GET", "/_component_template/{name}", "ems"),
    ("HEAD", "/_component_template/{name}", "ems"),
    ("PUT", "/_component_template/{name}", "ems"),
    ("GET", "/_template/{name}", "ems"),
    ("HEAD", "/_template/{name}", "ems"),
    ("PUT", "/_template/{name}", "ems"),
    ("GET", "/_ilm/policy/{name}", "ems"),
    ("HEAD", "/_ilm/policy/{name}", "ems"),
    ("PUT", "/_ilm/policy/{name}", "ems"),
    ("GET", "/_ingest/pipeline/{name}", "ems"),
    ("HEAD", "/_ingest/pipeline/{name}", "ems"),
    ("PUT", "/_ingest/pipeline/{name}", "ems"),
    ("GET", "/_data_stream/{name}", "ems"),
    ("HEAD", "/_data_stream/{name}", "ems"),
    ("PUT", "/_data_stream/{name}", "ems"),
    ("GET", "/{index}", "ems"),
    ("HEAD", "/{index}", "ems"),
    ("PUT", "/{index}", "ems"),
];

const ROLES: [(&str, char); 5] =
    [("viewer", 'v'), ("analyst", 'a'), ("engineer", 'e'), ("admin", 'm'), ("shipper", 's')];

#[test]
fn each_role_may_do_what_the_table_says() {
    let (_folder, data) = folder();
    let server = Server::start(&data, "");
    let document = server.ask("GET", "/api/v1/openapi.json", "").is(200);
    let mut documented = BTreeSet::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for method in operations.as_object().unwrap().keys() {
            documented.insert((method.to_uppercase(), path.clone()));
        }
    }
    let listed: BTreeSet<(String, String)> =
        TABLE.iter().map(|it| (it.0.to_owned(), it.1.to_owned())).collect();
    assert_eq!(listed, documented, "every route stands in the table");
    assert_eq!(listed.len(), TABLE.len());
    let keys = ROLES.map(|(role, letter)| (server.key(role), letter));
    for (method, path, who) in TABLE {
        let path = path.replace("{index}", "logs").replace("{id}", "none").replace("{name}", "x");
        let ask = |key: Option<&str>| server.ask_with(key, method, &path, &[("kbn-xsrf", "true")], b"{}");
        let nobody = ask(None);
        if *who == "o" {
            assert_eq!(nobody.status, 200, "{method} {path}");
            continue;
        }
        assert_eq!(nobody.status, 401, "{method} {path}");
        assert!(nobody.header("www-authenticate").is_some());
        for wrong in ["", "AAAA", "bm9uZTpub25l"] {
            assert_eq!(ask(Some(wrong)).status, 401, "{method} {path}");
        }
        for (key, letter) in &keys {
            let status = ask(Some(key)).status;
            if who.contains(*letter) {
                assert!(
                    ![401, 403, 405].contains(&status) && status < 500,
                    "{letter} {method} {path}: {status}"
                );
            } else {
                assert_eq!(status, 403, "{letter} {method} {path}");
            }
        }
    }
    // What is not there is not told to who has no key.
    for path in ["/_nothing", "/api/v2", "/a/b/c/d"] {
        assert_eq!(server.ask_with(None, "GET", path, &[], b"").status, 401);
        server.ask("GET", path, "").problem(404, "API003");
    }
}

#[test]
fn a_viewer_changes_nothing() {
    let (_folder, data) = folder();
    let server = Server::start(&data, "");
    server.ask("POST", "/api/v1/events", record("a", 1).to_string()).is(200);
    let viewer = server.key("viewer");
    let state = || (ids(&data), server.account("http"), server.ask("GET", "/api/v1/keys", "").is(200));
    let before = state();
    let first = before.2["keys"][0]["id"].as_str().unwrap().to_owned();
    let bodies = [
        record("b", 1).to_string(),
        json!({"name": "x", "role": "admin"}).to_string(),
        format!("{{\"create\":{{}}}}\n{}\n", record("c", 1)),
    ];
    for (method, path, who) in TABLE {
        let path = path.replace("{index}", "logs").replace("{id}", &first).replace("{name}", "x");
        for body in &bodies {
            let answer = server.ask_with(Some(&viewer), method, &path, &[("kbn-xsrf", "x")], body.as_bytes());
            assert!(
                *method == "GET" || *method == "HEAD" || who.contains('v') || answer.status == 403,
                "{method} {path}: {answer:?}"
            );
        }
    }
    assert_eq!(state(), before);
}

#[test]
fn keys_are_made_used_and_revoked() {
    let (_folder, data) = folder();
    let server = Server::start(&data, "");
    let made = server
        .ask("POST", "/api/v1/keys", json!({"name": "filebeat", "role": "shipper"}).to_string())
        .is(201);
    let (id, secret) = (made["id"].as_str().unwrap(), made["secret"].as_str().unwrap());
    let key = made["encoded"].as_str().unwrap();
    let basic = [("authorization", &*format!("Basic {key}"))];
    let post = |headers: &[(&str, &str)], key: Option<&str>| {
        server.ask_with(key, "POST", "/api/v1/events", headers, record("a", 1).to_string().as_bytes()).status
    };
    assert_eq!((post(&basic, None), post(&[], Some(key))), (200, 200));
    let listed = server.ask("GET", "/api/v1/keys", "").is(200);
    let listed: Vec<&Value> = listed["keys"].as_array().unwrap().iter().collect();
    assert_eq!(listed.len(), 2);
    assert!(listed.iter().all(|it| it.get("secret").is_none() && !it.to_string().contains(secret)));
    assert_eq!(server.ask("DELETE", &format!("/api/v1/keys/{id}"), "").status, 204);
    server.ask("DELETE", &format!("/api/v1/keys/{id}"), "").problem(404, "API003");
    assert_eq!(post(&[], Some(key)), 401);
    // Nobody can lock everybody out.
    let admin = listed.iter().find(|it| it["role"] == "admin").unwrap()["id"].as_str().unwrap();
    server.ask("DELETE", &format!("/api/v1/keys/{admin}"), "").problem(409, "API015");
}
