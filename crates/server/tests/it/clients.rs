//! Clients that others wrote, as they are.

use std::process::Command;

use serde_json::{Value, json};

use crate::setup::{Server, folder, ids};

/// Sends documents with the clients of Elasticsearch and OpenSearch, as a shipper would, and prints what they were told.
const PYTHON: &str = r#"
import json, sys
try:
    import elasticsearch, elasticsearch.helpers, opensearchpy, opensearchpy.helpers
except ImportError as error:
    print("missing", error); sys.exit(0)
url, key, id, secret = sys.argv[1:]
def record(id):
    return {"eventVersion": "1.08", "eventTime": "2026-03-01T10:00:00Z", "eventSource": "ec2.amazonaws.com",
        "eventName": "RunInstances", "eventID": id, "eventType": "AwsApiCall"}
def actions(prefix, op):
    for number in range(250):
        yield {"_op_type": op, "_index": "logs-aws.cloudtrail-default", "_source": record(f"{prefix}-{number:03}")}
told = {}
es = elasticsearch.Elasticsearch(url, api_key=key, http_compress=True)
told["version"] = es.info()["version"]["number"]
told["ping"] = es.ping()
told["health"] = es.cluster.health()["status"]
told["bulk"] = elasticsearch.helpers.bulk(es, actions("es", "create"), chunk_size=100)
told["again"] = elasticsearch.helpers.bulk(es, actions("es", "index"), chunk_size=100)
told["one"] = es.index(index="logs-x", document={"@timestamp": "2026-03-01T10:00:00Z", "event": {"action": "x"}}, id="mine")["result"]
try:
    es.create(index="logs-x", document={"@timestamp": "2026-03-01T10:00:00Z", "event": {"action": "x"}}, id="mine")
except elasticsearch.ConflictError as error:
    told["conflict"] = error.error
told["template"] = [bool(es.indices.exists_index_template(name="a")), es.indices.put_index_template(name="a", index_patterns=["a-*"])["acknowledged"]]
try:
    elasticsearch.Elasticsearch(url, api_key=key[:-4] + "AAAA").info()
except elasticsearch.AuthenticationException as error:
    told["refused"] = error.status_code
try:
    es.search(index="x")
except elasticsearch.NotFoundError as error:
    told["search"] = error.status_code
basic = elasticsearch.Elasticsearch(url, basic_auth=(id, secret))
told["basic"] = basic.info()["tagline"]
os = opensearchpy.OpenSearch(url, http_auth=(id, secret), http_compress=True)
told["os_ping"] = os.ping()
told["os_bulk"] = opensearchpy.helpers.bulk(os, actions("os", "index"), chunk_size=60)
told["os_one"] = os.index(index="logs-x", body=record("os-one"))["result"]
errors = opensearchpy.helpers.bulk(os, [{"_op_type": "delete", "_index": "a", "_id": "b"}], raise_on_error=False)
told["os_delete"] = [errors[0], errors[1][0]["delete"]["status"]]
print(json.dumps(told))
"#;

#[test]
fn python_clients_send_unchanged() {
    let (_folder, data) = folder();
    let server = Server::start(&data, "");
    let made =
        server.ask("POST", "/api/v1/keys", json!({"name": "python", "role": "shipper"}).to_string()).is(201);
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    let url = format!("http://{}", server.address);
    let run = Command::new("python3")
        .args(["-c", PYTHON, &url, &text("encoded"), &text("id"), &text("secret")])
        .output();
    let Ok(run) = run else { return skipped("python3") };
    let out = String::from_utf8_lossy(&run.stdout);
    if out.starts_with("missing") {
        return skipped("the packages elasticsearch and opensearch-py");
    }
    let told: Value =
        serde_json::from_str(&out).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&run.stderr)));
    assert_eq!(
        told,
        json!({
            "version": "9.0.0", "ping": true, "health": "green", "bulk": [250, []], "again": [250, []], "one": "created",
            "conflict": "version_conflict_engine_exception", "template": [true, true], "refused": 401, "search": 404,
            "basic": "You Know, for Search", "os_ping": true, "os_bulk": [250, []], "os_one": "created",
            "os_delete": [0, 400],
        })
    );
    assert_eq!(ids(&data).len(), 250 + 250 + 2);
}

#[expect(clippy::print_stderr, reason = "whoever runs the tests must see what they did not do")]
fn skipped(what: &str) {
    let must_run = std::env::var_os("CI").is_some_and(|value| value == "true");
    assert!(!must_run, "without {what} no other client is tried");
    eprintln!("SKIPPED: without {what} no other client was tried");
}
