//! Limits: of size, of time, of what waits.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::setup::{Server, folder, gzip, ids, record};

#[test]
fn bodies_are_bounded() {
    let (_folder, data) = folder();
    let server = Server::start(&data, "[server]\nbody_max = \"4 KiB\"\ntext_max = \"64 KiB\"\n");
    let many = |count: usize| {
        (0..count).map(|at| record(&format!("{at}"), 1).to_string() + "\n").collect::<String>()
    };
    server.ask("POST", "/api/v1/events", many(40)).problem(413, "API005");
    let key = server.admin.as_deref().unwrap();
    let chunk = "x".repeat(5_000);
    let chunked = format!(
        "POST /api/v1/events HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: ApiKey {key}\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{chunk}\r\n0\r\n\r\n",
        chunk.len()
    );
    server.raw(chunked.as_bytes()).problem(413, "API005");
    // Small, until it is unpacked.
    let packed = gzip(many(1_000).as_bytes());
    assert!(packed.len() < 4_096, "{}", packed.len());
    let told = server.ask("POST", "/api/v1/events", &packed).problem(422, "API009");
    assert!(told["troubles"].to_string().contains("READ006"), "{told}");
    let bulk: String = (0..1_000)
        .map(|it| {
            "{\"create\":{\"_index\":\"x\"}}\n".to_owned() + &record(&it.to_string(), 1).to_string() + "\n"
        })
        .collect();
    let headers = [("content-encoding", "gzip")];
    let packed = gzip(bulk.as_bytes());
    assert!(packed.len() < 4_096, "{}", packed.len());
    server.ask_with(Some(key), "POST", "/_bulk", &headers, &packed).problem(413, "API005");
    server.ask_with(Some(key), "POST", "/_bulk", &headers, &packed[..100]).problem(400, "API008");
    assert_eq!(server.account("http")["stored"].as_u64(), Some(ids(&data).len() as u64));
    server
        .ask("POST", "/api/v1/keys", format!("{{\"name\":\"{}\"", "x".repeat(2 << 20)))
        .problem(413, "API005");
}

#[test]
fn who_is_slow_is_told_and_holds_nobody_up() {
    let (_folder, data) = folder();
    let server = Server::start(&data, "[server]\nrequest_timeout = \"5s\"\nrequests_max = 8\n");
    let key = server.admin.as_deref().unwrap();
    let head = format!(
        "POST /api/v1/events HTTP/1.1\r\nhost: x\r\nauthorization: ApiKey {key}\r\ncontent-length: 100\r\n\r\n"
    );
    let mut slow: Vec<TcpStream> = (0..8).map(|_| TcpStream::connect(server.address).unwrap()).collect();
    for it in &mut slow {
        it.write_all(head.as_bytes()).unwrap();
    }
    let started = Instant::now();
    // All places are taken: that it lives is answered all the same, and others are told to come again.
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(server.ask_with(None, "GET", "/livez", &[], b"").status, 200);
    let answer = server.ask("GET", "/api/v1/sources", "");
    assert_eq!(answer.header("retry-after"), Some("1"), "{answer:?}");
    answer.problem(429, "API010");
    for mut stream in slow {
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let mut text = String::new();
        let _ = stream.read_to_string(&mut text);
        assert!(text.starts_with("HTTP/1.1 408 "), "{text}");
        assert!(text.contains("API006"), "{text}");
    }
    assert!(started.elapsed() < Duration::from_secs(60));
    server.ask("GET", "/api/v1/sources", "").is(200);
}

#[test]
fn a_key_that_asks_too_often_is_told_to_wait() {
    let (_folder, data) = folder();
    let server = Server::start(&data, "[server]\nrate_max = 3\nlog_requests = true\n");
    // Its clock stands still.
    let answers: Vec<_> = (0..8).map(|_| server.ask("GET", "/api/v1/sources", "")).collect();
    let good = answers.iter().filter(|it| it.status == 200).count();
    assert_eq!(good, 6);
    answers[7].problem(429, "API010");
    assert_eq!(answers[7].header("retry-after"), Some("1"));
    assert_eq!(server.ask_with(None, "GET", "/livez", &[], b"").status, 200);
    server.clock.fetch_add(1_000, std::sync::atomic::Ordering::Relaxed);
    server.ask("GET", "/api/v1/sources", "").is(200);
    assert!(server.ask("GET", "/metrics", "").body.contains("trailwarden_http_hurried_total 2\n"));
}

#[test]
fn nonsense_is_answered_or_closed() {
    let (_folder, data) = folder();
    let server = Server::start(&data, "");
    for bytes in ["\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "\u{0}\u{1}\u{2}\r\n\r\n", "GET\r\n\r\n"] {
        let mut stream = TcpStream::connect(server.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        stream.write_all(bytes.as_bytes()).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut text = Vec::new();
        let _ = stream.read_to_end(&mut text);
        assert!(text.is_empty() || text.starts_with(b"HTTP/1.1 400"), "{text:?}");
    }
    server.ask("GET", "/api/v1/sources?x=%zz", "").problem(400, "API007");
    server.ask("BREW", "/livez", "").problem(405, "API004");
    server.ask("GET", "/%ff/_doc", "").problem(404, "API003");
    server.ask("POST", "/api/v1/keys", "{").problem(400, "API008");
    server.ask("POST", "/api/v1/keys", "{\"name\":\"x\",\"role\":\"king\"}").problem(400, "API008");
    server
        .ask("POST", "/api/v1/keys", "{\"name\":\"x\",\"role\":\"viewer\",\"more\":1}")
        .problem(400, "API008");
    assert_eq!(ids(&data), Vec::<String>::new());
}
