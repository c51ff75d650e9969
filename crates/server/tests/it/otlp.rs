//! Logs of OpenTelemetry.

use serde_json::{Value, json};

use crate::setup::{Server, folder, gzip, ids, record};

/// A request with logs of these bodies, for an index or for none.
fn request(bodies: &[Value], dataset: &str) -> Value {
    let records: Vec<Value> = bodies
        .iter()
        .map(|it| json!({"timeUnixNano": "1772500000000000000", "severityNumber": 9, "body": it, "attributes": []}))
        .collect();
    let stream = json!([{"key": "data_stream.dataset", "value": {"stringValue": dataset}}]);
    json!({"resourceLogs": [{"resource": {"attributes": stream}, "scopeLogs": [{"scope": {}, "logRecords": records}]}]})
}

fn message(number: u8, bytes: &[u8]) -> Vec<u8> {
    assert!(bytes.len() < 1 << 14);
    let (low, high) = ((bytes.len() & 0x7f) as u8 | 0x80, (bytes.len() >> 7) as u8);
    [&[number << 3 | 2, low, high], bytes].concat()
}

/// A request as Protocol Buffers, each body a text.
fn protobuf(bodies: &[String]) -> Vec<u8> {
    let records = bodies.iter().map(|it| message(2, &message(5, &message(1, it.as_bytes()))));
    message(1, &message(2, &records.collect::<Vec<_>>().concat()))
}

#[test]
fn bodies_are_records_and_documents() {
    let (_folder, data) = folder();
    let server = Server::start(&data, "");
    let post = |kind: &str, headers: &[(&str, &str)], body: &[u8]| {
        let headers = [&[("content-type", kind)], headers].concat();
        server.ask_with(server.admin.as_deref(), "POST", "/v1/logs", &headers, body)
    };
    let pretty = serde_json::to_string_pretty(&record("b", 1)).unwrap();
    let document = json!({"kvlistValue": {"values": [
        {"key": "@timestamp", "value": {"stringValue": "2026-03-01T10:00:00Z"}},
        {"key": "event", "value": {"kvlistValue": {"values": [{"key": "action", "value": {"stringValue": "StopLogging"}}]}}},
    ]}});
    let body = request(
        &[json!({"stringValue": record("a", 1).to_string()}), json!({"stringValue": pretty}), document],
        "aws.cloudtrail",
    );
    let answer = post("application/json; charset=utf-8", &[], body.to_string().as_bytes());
    assert_eq!(answer.is(200), json!({}));
    assert_eq!(ids(&data).len(), 3);
    let store = store::Store::open(&data).unwrap();
    let mut indices = Vec::new();
    for input in store.inputs().unwrap() {
        let mut take = |it: reader::StoredRecord<'_>| {
            indices.push(it.index.map(str::to_owned));
            std::ops::ControlFlow::Continue(())
        };
        input.segment().unwrap().read(None, &mut take).unwrap();
    }
    assert!(indices.contains(&Some("logs-aws.cloudtrail-default".to_owned())), "{indices:?}");
    let packed = gzip(&protobuf(&[record("c", 1).to_string(), record("a", 1).to_string()]));
    let answer = post("application/x-protobuf", &[("content-encoding", "gzip")], &packed);
    assert_eq!((answer.status, answer.body.as_str()), (200, ""), "all of it was taken: {answer:?}");
    assert_eq!(answer.header("content-type"), Some("application/x-protobuf"));
    assert!(ids(&data).contains(&"c".to_owned()));
    assert_eq!(post("application/x-protobuf", &[], b"").status, 200, "nothing is as good as anything");
}

#[test]
fn what_is_not_taken_is_told_as_the_protocol_says() {
    let (_folder, data) = folder();
    let server = Server::start(&data, "");
    let post = |kind: &str, body: &[u8]| {
        server.ask_with(server.admin.as_deref(), "POST", "/v1/logs", &[("content-type", kind)], body)
    };
    let bodies = [
        json!({"stringValue": "GET / HTTP/1.1"}),
        json!({"stringValue": record("a", 1).to_string()}),
        json!({"stringValue": "{\"colour\":\"red\"}"}),
        json!({"intValue": "7"}),
        Value::Null,
    ];
    let told = post("application/json", request(&bodies, "").to_string().as_bytes()).is(200);
    assert_eq!(told["partialSuccess"]["rejectedLogRecords"], json!("4"), "{told}");
    assert!(told["partialSuccess"]["errorMessage"].as_str().unwrap().contains("API018"), "{told}");
    assert_eq!(ids(&data), ["a"]);
    let account = server.account("http");
    assert_eq!((&account["read"], &account["unreadable"]), (&json!(5), &json!(4)), "{account}");
    let letters = server.ask("GET", "/api/v1/sources/http/dead-letters", "").is(200);
    assert_eq!(letters["account"]["waiting"], json!(4), "{letters}");
    let answer =
        post("application/x-protobuf", &protobuf(&["nothing".to_owned(), record("b", 1).to_string()]));
    // partial_success, one rejected.
    assert_eq!((answer.status, &answer.body.as_bytes()[..1]), (200, &b"\x0a"[..]), "{answer:?}");
    assert!(answer.body.contains("\u{8}\u{1}\u{12}") && answer.body.contains("API018"), "{answer:?}");
    // What is no request is an error in the same encoding.
    let answer = post("application/x-protobuf", b"\x0a\x05ab");
    assert_eq!((answer.status, answer.header("content-type")), (400, Some("application/x-protobuf")));
    assert!(answer.body.contains("API008"), "{answer:?}");
    post("application/json", b"{\"resourceLogs\":{}}").problem(400, "API008");
    post("application/json", b"{").problem(400, "API008");
    post("text/plain", b"{}").problem(415, "API013");
    std::fs::remove_dir_all(data.join("incoming")).unwrap();
    let answer = post("application/x-protobuf", &protobuf(&[record("c", 1).to_string()]));
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("1")), "{answer:?}");
}
