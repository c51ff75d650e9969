//! Events that are posted.

use serde_json::json;

use crate::setup::{Server, folder, gzip, ids, record};

#[test]
fn what_is_posted_is_stored_in_any_container() {
    let (_folder, data) = folder();
    let server = Server::start(&data, "");
    let lines = format!("{}\n{}\n", record("a", 1), record("b", 2));
    let post = |body: &[u8], headers: &[(&str, &str)]| {
        server.ask_with(server.admin.as_deref(), "POST", "/api/v1/events", headers, body).is(200)["account"]
            .clone()
    };
    let account = |stored: u64, duplicate: u64| json!({"read": stored + duplicate, "stored": stored, "duplicate": duplicate, "unreadable": 0, "dropped": 0});
    assert_eq!(post(lines.as_bytes(), &[]), account(2, 0));
    assert_eq!(ids(&data), ["a", "b"], "what is answered is in the store");
    assert_eq!(post(lines.as_bytes(), &[]), account(0, 2));
    assert_eq!(post(&gzip(lines.as_bytes()), &[("content-encoding", "gzip")]), account(0, 2));
    let file = json!({"Records": [record("c", 1), record("a", 1)]}).to_string();
    assert_eq!(post(&gzip(file.as_bytes()), &[]), account(1, 1));
    let envelope =
        json!({"detail-type": "AWS API Call via CloudTrail", "source": "aws.ec2", "detail": record("d", 3)});
    assert_eq!(post(envelope.to_string().as_bytes(), &[]), account(1, 0));
    // Without a length, in chunks.
    let key = server.admin.as_deref().unwrap();
    let body = record("e", 1).to_string();
    let chunked = format!(
        "POST /api/v1/events HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: ApiKey {key}\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
        body.len()
    );
    assert_eq!(server.raw(chunked.as_bytes()).is(200)["account"], account(1, 0));
    let total = server.account("http");
    assert_eq!((&total["read"], &total["stored"], &total["duplicate"]), (&json!(10), &json!(5), &json!(5)));
    server.stop();
    let again = Server::start(&data, "");
    assert!(again.admin.is_none());
    assert_eq!(ids(&data), ["a", "b", "c", "d", "e"]);
}

#[test]
fn what_cannot_be_read_is_told_and_the_rest_is_stored() {
    let (_folder, data) = folder();
    let server = Server::start(&data, "");
    let lines = format!("{}\n{{\"colour\":\"red\"}}\nno JSON\n{}\n", record("a", 1), record("b", 2));
    let told = server.ask("POST", "/api/v1/events", &lines).problem(422, "API009");
    assert_eq!(
        (&told["account"]["stored"], &told["account"]["unreadable"]),
        (&json!(2), &json!(2)),
        "{told}"
    );
    assert!(told["troubles"].to_string().contains("STORE009"), "{told}");
    assert_eq!(ids(&data), ["a", "b"]);
    server.ask("POST", "/api/v1/events", "").problem(400, "API008");
    server.ask("POST", "/api/v1/events", "this is no record").problem(422, "API009");
    server.ask("POST", "/api/v1/events", [0x1f, 0x8b, 8, 0, 0]).problem(422, "API009");
    let brotli = [("content-encoding", "br")];
    server.ask_with(server.admin.as_deref(), "POST", "/api/v1/events", &brotli, b"x").problem(415, "API013");
    let account = server.account("http");
    let sum: u64 =
        ["stored", "duplicate", "unreadable", "dropped"].iter().map(|it| account[it].as_u64().unwrap()).sum();
    assert_eq!(account["read"], json!(sum), "{account}");
}

/// The folder where segments are written is gone: nothing is acknowledged, and all is well when it is there again.
#[test]
fn what_cannot_be_stored_is_not_acknowledged() {
    let (_folder, data) = folder();
    let server = Server::start(&data, "");
    assert_eq!(server.ask("GET", "/readyz", "").is(200)["ready"], json!(true));
    std::fs::remove_dir_all(data.join("incoming")).unwrap();
    let answer = server.ask("POST", "/api/v1/events", record("a", 1).to_string());
    answer.problem(503, "API011");
    assert_eq!(answer.header("retry-after"), Some("1"));
    let bulk = format!("{{\"create\":{{\"_index\":\"x\"}}}}\n{}\n", record("a", 1));
    assert_eq!(
        server.ask("POST", "/_bulk", &bulk).problem(503, "API011")["error"]["type"],
        json!("unavailable_exception")
    );
    assert_eq!(server.ask("GET", "/readyz", "").is(503)["ready"], json!(false));
    assert!(server.ask("GET", "/metrics", "").body.contains("trailwarden_intake_writable 0\n"));
    std::fs::create_dir(data.join("incoming")).unwrap();
    server.ask("POST", "/api/v1/events", record("a", 1).to_string()).is(200);
    assert_eq!(server.ask("GET", "/readyz", "").is(200)["ready"], json!(true));
    assert_eq!(ids(&data), ["a"]);
}

#[test]
fn what_waits_when_it_stops_is_stored() {
    let (_folder, data) = folder();
    let server = Server::start(&data, "");
    let stored = std::thread::scope(|scope| {
        let posts: Vec<_> = (0..24)
            .map(|at| {
                let server = &server;
                scope.spawn(move || {
                    server.ask("POST", "/api/v1/events", record(&format!("e-{at:02}"), 1).to_string()).status
                })
            })
            .collect();
        posts.into_iter().filter(|_| true).map(|it| it.join().unwrap()).filter(|it| *it == 200).count()
    });
    server.stop();
    assert_eq!(ids(&data).len(), stored);
    assert_eq!(stored, 24);
    assert!(store::Store::open(&data).unwrap().check(&|_| ()).unwrap().wrong.is_empty());
}

#[test]
fn metrics_are_as_prometheus_reads_them() {
    let (_folder, data) = folder();
    let server = Server::start(&data, "");
    server.ask("POST", "/api/v1/events", record("a", 1).to_string()).is(200);
    let text = server.ask("GET", "/metrics", "").body;
    let stored = "trailwarden_source_records_total{source=\"http\",outcome=\"stored\"} 1\n";
    assert!(text.contains(stored), "{text}");
    let mut families = std::collections::BTreeSet::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert!(families.insert(name.to_owned()), "{name} twice");
            assert_eq!(
                kind == "counter",
                name.ends_with("_total") || name.ends_with("uptime_seconds"),
                "{name}"
            );
        } else if !line.starts_with('#') {
            let name = line.split(['{', ' ']).next().unwrap();
            assert!(families.contains(name), "{line}");
            assert!(line.rsplit(' ').next().unwrap().parse::<f64>().is_ok(), "{line}");
        }
    }
}
