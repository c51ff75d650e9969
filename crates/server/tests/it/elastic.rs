//! What shippers of Elasticsearch's say.

use serde_json::{Value, json};

use crate::setup::{Server, folder, gzip, ids, record};

fn document(time: &str) -> Value {
    json!({"@timestamp": time, "event": {"action": "StopLogging", "provider": "cloudtrail.amazonaws.com"}})
}

#[test]
fn every_item_of_a_bulk_is_answered() {
    let (_folder, data) = folder();
    let server =
        Server::start(&data, "[[sources]]\ntype = \"http\"\nname = \"shippers\"\nindices = [\"logs-*\"]\n");
    let message = json!({"@timestamp": "2026-03-04T10:00:00Z", "message": record("m", 4).to_string()});
    let lines = [
        json!({"create": {"_index": "logs-aws.cloudtrail-default"}}).to_string(),
        record("a", 1).to_string(),
        json!({"index": {"_index": "logs-x", "_id": "mine"}}).to_string(),
        document("2026-03-03T10:00:00Z").to_string(),
        json!({"index": {"_index": "metrics-x"}}).to_string(),
        document("2026-03-03T10:00:00Z").to_string(),
        json!({"index": {}}).to_string(),
        message.to_string(),
        json!({"create": {"_id": "broken"}}).to_string(),
        "{\"a\":".to_owned(),
        json!({"delete": {"_id": "gone"}}).to_string(),
        json!({"update": {"_id": "other"}}).to_string(),
        "{\"doc\":{}}".to_owned(),
        json!({"index": {}}).to_string(),
        record("a", 1).to_string(),
    ];
    let body = lines.join("\n") + "\n";
    let headers = [("content-encoding", "gzip"), ("content-type", "application/x-ndjson")];
    let answer = server.ask_with(
        server.admin.as_deref(),
        "POST",
        "/logs-other/_bulk",
        &headers,
        &gzip(body.as_bytes()),
    );
    let told = answer.is(200);
    assert_eq!(answer.header("x-elastic-product"), Some("Elasticsearch"));
    assert_eq!(told["errors"], json!(true));
    let short: Vec<String> = told["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            let (name, it) = it.as_object().unwrap().iter().next().unwrap();
            let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
            let what = if it["error"].is_object() { text(&it["error"]["type"]) } else { text(&it["result"]) };
            format!("{name} {} {} {} {what}", text(&it["_index"]), text(&it["_id"]), it["status"])
        })
        .collect();
    assert_eq!(
        short,
        [
            "create logs-aws.cloudtrail-default a 201 created",
            "index logs-x mine 201 created",
            "index metrics-x - 200 noop",
            "index logs-other m 201 created",
            "create logs-other broken 400 document_parsing_exception",
            "delete logs-other gone 400 illegal_argument_exception",
            "update logs-other other 400 illegal_argument_exception",
            "index logs-other a 200 noop",
        ]
    );
    assert_eq!(ids(&data), ["a", "m", "mine"]);
    let account = server.account("shippers");
    assert_eq!(account, json!({"read": 6, "stored": 3, "duplicate": 1, "unreadable": 1, "dropped": 1}));
}

#[test]
fn an_id_that_is_to_be_new_and_is_not_is_a_conflict() {
    let (_folder, data) = folder();
    let server = Server::start(&data, "");
    let body = document("2026-03-03T10:00:00Z").to_string();
    assert_eq!(server.ask("PUT", "/logs/_create/one", &body).is(201)["result"], json!("created"));
    let told = server.ask("PUT", "/logs/_create/one", &body).is(409);
    assert_eq!(told["error"]["type"], json!("version_conflict_engine_exception"));
    assert_eq!(server.ask("PUT", "/logs/_doc/one", &body).is(200)["result"], json!("noop"));
    assert_eq!(server.ask("PUT", "/logs/_doc/one?op_type=create", &body).is(409)["status"], json!(409));
    // A document over several lines.
    let pretty = serde_json::to_string_pretty(&document("2026-03-03T11:00:00Z")).unwrap();
    let told = server.ask("POST", "/logs/_doc", &pretty).is(201);
    assert!(!told["_id"].as_str().unwrap().is_empty());
    assert_eq!(ids(&data).len(), 2);
    assert_eq!(
        server.ask("POST", "/logs/_doc", "[1]").is(400)["error"]["type"],
        json!("document_parsing_exception")
    );
    // A document that differs under an id that there is: both are kept.
    server.ask("PUT", "/logs/_doc/one", document("2026-03-03T12:00:00Z").to_string()).is(201);
    assert_eq!(ids(&data).len(), 3);
}

#[test]
fn what_is_unclear_stores_nothing() {
    let (_folder, data) = folder();
    let server = Server::start(&data, "");
    let good = format!("{{\"create\":{{\"_index\":\"x\"}}}}\n{}\n", record("a", 1));
    for bad in ["nothing of the kind\n", "{\"create\":{\"_index\":\"x\"}}", "{\"create\":{}}\n{}\n"] {
        let told = server.ask("POST", "/_bulk", good.clone() + bad).problem(400, "API008");
        assert!(told["detail"].as_str().unwrap().starts_with("line 3: "), "{told}");
        assert_eq!(told["error"]["type"], json!("illegal_argument_exception"));
    }
    server.ask("POST", "/_bulk", [0xff, 0xfe]).problem(400, "API008");
    assert_eq!(
        server.account("http"),
        json!({"read": 0, "stored": 0, "duplicate": 0, "unreadable": 0, "dropped": 0})
    );
    server.ask("GET", "/x/_search", "").problem(404, "API003");
    server.ask("DELETE", "/x", "").problem(405, "API004");
}

#[test]
fn what_shippers_ask_before_they_send() {
    let (_folder, data) = folder();
    let server = Server::start(&data, "");
    let json = |path: &str| server.ask("GET", path, "").is(200);
    assert_eq!(json("/")["tagline"], json!("You Know, for Search"));
    assert_eq!(json("/?pretty")["version"]["number"], json!("9.0.0"));
    assert_eq!(json("/_license")["license"]["status"], json!("active"));
    assert_eq!(json("/_xpack")["features"]["ilm"]["available"], json!(false));
    assert_eq!(json("/_cluster/health")["status"], json!("green"));
    for path in [
        "/_index_template/a",
        "/_component_template/a",
        "/_template/a",
        "/_ilm/policy/a",
        "/_ingest/pipeline/a",
        "/_data_stream/a",
        "/logs-a",
    ] {
        assert_eq!(server.ask("PUT", path, "{}").is(200)["acknowledged"], json!(true), "{path}");
        let head = server.ask("HEAD", path, "");
        assert_eq!((head.status, head.body.as_str()), (200, ""), "{path}");
        assert!(json(path).is_object(), "{path}");
    }
    let asks = [("accept", "application/vnd.elasticsearch+json; compatible-with=9")];
    let answer = server.ask_with(server.admin.as_deref(), "GET", "/", &asks, b"");
    assert_eq!(answer.header("content-type"), Some("application/vnd.elasticsearch+json; compatible-with=9"));
}
