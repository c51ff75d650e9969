//! What goes wrong with the disk and the clock: it is told, nothing is lost, and it goes on by itself.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering::Relaxed;

use serde_json::Value;

use crate::setup::{NOW, Server, folder, ids, record, wait};

const MINUTE: i64 = 60_000;

/// What is in the way, as one text; nothing if it is ready.
fn obstacles(server: &Server) -> String {
    let answer = server.ask("GET", "/readyz", "");
    assert_eq!(answer.status == 200, answer.json()["ready"] == true, "{answer:?}");
    if answer.status == 200 { String::new() } else { answer.json()["obstacles"].to_string() }
}

fn slots(server: &Server) -> u64 {
    let metrics = server.ask("GET", "/metrics", "").body;
    let line = metrics.lines().find_map(|it| it.strip_prefix("trailwarden_detection_slots_total "));
    line.and_then(|it| it.parse().ok()).unwrap_or_else(|| panic!("{metrics}"))
}

/// Starts again as the same admin.
fn again(server: Server, data: &Path) -> Server {
    let (admin, now) = (server.admin.clone(), server.clock.load(Relaxed));
    server.stop();
    let mut server = Server::start(data, "");
    server.admin = admin;
    server.clock.store(now, Relaxed);
    server
}

fn last_segment(data: &Path) -> PathBuf {
    let store = store::Store::open(data).unwrap();
    let mut paths: Vec<PathBuf> = store.inputs().unwrap().iter().map(|it| it.path().to_owned()).collect();
    paths.sort_by_key(|it| it.file_name().map(ToOwned::to_owned));
    paths.pop().unwrap()
}

/// Nothing is executed without a part of the store, and what comes is not stored beside it; once it can be read again all of
/// it goes on.
#[test]
fn a_segment_that_is_not_as_it_was_written() {
    let (_folder, data) = folder();
    let mut server = Server::start(&data, "");
    for id in ["e-1", "e-2"] {
        server.ask("POST", "/api/v1/events", record(id, 3).to_string()).is(200);
    }
    let path = last_segment(&data);
    let whole = fs::read(&path).unwrap();
    let mut changed = whole.clone();
    changed[whole.len() / 2] ^= 1;
    for (number, damaged) in [Some(changed), Some(whole[..whole.len() / 2].to_vec()), None].iter().enumerate()
    {
        match damaged {
            Some(bytes) => fs::write(&path, bytes).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
        // What was read before is in memory: it is noticed by whoever reads it first.
        server = again(server, &data);
        let before = slots(&server);
        server.clock.fetch_add(10 * MINUTE, Relaxed);
        wait("it is told", || obstacles(&server).contains("LIVE007"));
        assert!(obstacles(&server).contains("store discard"), "what to do is told: {}", obstacles(&server));
        assert_eq!(slots(&server), before, "nothing is executed without it");
        let id = format!("e-{}", 3 + number);
        let told = server.ask("POST", "/api/v1/events", record(&id, 3).to_string()).problem(503, "API011");
        let told = told["detail"].as_str().unwrap();
        assert!(told.contains("STORE007") || told.contains("STORE005"), "{told}");
        // Another day has nothing to do with it.
        let other = format!("o-{number}");
        server.ask("POST", "/api/v1/events", record(&other, 2).to_string()).is(200);
        fs::write(&path, &whole).unwrap();
        wait("what comes is stored again", || {
            server.ask("POST", "/api/v1/events", record(&id, 3).to_string()).status == 200
        });
        wait("it goes on", || obstacles(&server).is_empty() && slots(&server) > before);
    }
    assert_eq!(ids(&data), ["e-1", "e-2", "e-3", "e-4", "e-5", "o-0", "o-1", "o-2"]);
    let rules = server.ask("GET", "/api/v1/rules", "").is(200);
    let is_complete = |it: &Value| it["last"]["status"] == "succeeded";
    assert!(rules["rules"].as_array().unwrap().iter().all(is_complete), "{rules}");
    assert_eq!(server.ask("GET", "/api/v1/gaps", "").is(200)["gaps"], Value::Array(Vec::new()));
}

/// Somebody holds both databases for longer than anybody waits.
#[test]
fn databases_that_are_locked() {
    let (_folder, data) = folder();
    let server = Server::start(&data, "");
    server.ask("POST", "/api/v1/events", record("e-1", 3).to_string()).is(200);
    let hold = |name: &str| {
        let connection = rusqlite::Connection::open(data.join(name)).unwrap();
        connection.execute_batch("BEGIN IMMEDIATE").unwrap();
        connection
    };
    let held = [hold("trailwarden.db"), hold("live.db")];
    server.clock.fetch_add(10 * MINUTE, Relaxed);
    let told = server.ask("POST", "/api/v1/events", record("e-2", 3).to_string()).problem(503, "API011");
    assert!(told["detail"].as_str().unwrap().contains("STORE006"), "{told}");
    wait("it is told", || {
        let all = obstacles(&server);
        all.contains("STORE006") && all.contains("LIVE004") && all.contains("locked")
    });
    let before = slots(&server);
    drop(held);
    server.ask("POST", "/api/v1/events", record("e-2", 3).to_string()).is(200);
    wait("it goes on", || obstacles(&server).is_empty() && slots(&server) > before);
    assert_eq!(ids(&data), ["e-1", "e-2"]);
    assert_eq!(server.ask("GET", "/api/v1/gaps", "").is(200)["gaps"], Value::Array(Vec::new()));
}

/// While the clock is not where it was nothing is due: that is told, events are stored, and no slot is executed twice.
#[test]
fn a_clock_that_is_set_back() {
    let (_folder, data) = folder();
    let server = Server::start(&data, "");
    server.clock.store(NOW + 60 * MINUTE, Relaxed);
    wait("what is due is executed", || slots(&server) > 0 && obstacles(&server).is_empty());
    let executions = || server.ask("GET", "/api/v1/executions?size=1000", "").is(200)["executions"].clone();
    let before = executions();
    server.clock.store(NOW + 10 * MINUTE, Relaxed);
    wait("it is told", || obstacles(&server).contains("SRV090 the clock was set back"));
    server.ask("POST", "/api/v1/events", record("e-1", 3).to_string()).is(200);
    assert_eq!(executions(), before, "nothing is executed twice");
    let server = again(server, &data);
    wait("it is told after a restart, too", || obstacles(&server).contains("SRV090"));
    // The second is nothing: clocks are corrected all the time.
    server.clock.store(NOW + 60 * MINUTE - 1_000, Relaxed);
    wait("it is over", || obstacles(&server).is_empty());
    let done = slots(&server);
    server.clock.store(NOW + 70 * MINUTE, Relaxed);
    wait("it goes on", || slots(&server) > done && obstacles(&server).is_empty());
    assert_eq!(ids(&data), ["e-1"]);
    assert_eq!(server.ask("GET", "/api/v1/gaps", "").is(200)["gaps"], Value::Array(Vec::new()));
}
