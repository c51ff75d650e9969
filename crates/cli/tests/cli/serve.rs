//! The server as a process: started, killed, started again.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use serde_json::Value;

use crate::setup::{Folder, refused};

/// A server that runs, where, and the key that it printed.
pub(crate) struct Serving {
    pub(crate) child: Child,
    pub(crate) address: String,
    pub(crate) key: Option<String>,
    /// What else it says goes here, so that it never waits for a reader.
    _rest: std::thread::JoinHandle<()>,
}

fn serve(folder: &Folder, more: &[&str]) -> Serving {
    serve_by(folder, &[], more)
}

/// The same by a program that becomes it.
pub(crate) fn serve_by(folder: &Folder, by: &[&str], more: &[&str]) -> Serving {
    let arguments = ["serve", "--data", "kept", "--listen", "127.0.0.1:0", "--log", "json"];
    let mut command = folder.command_by(by, &[&arguments[..], more].concat());
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let (mut address, mut key, mut said) = (None, None, Vec::new());
    // The key is told after the address, if this is the first start, and once it is ready.
    while let Some(Ok(line)) = lines.next() {
        if let Ok(it) = serde_json::from_str::<Value>(&line)
            && it["code"] == "SRV016"
        {
            address = it["address"].as_str().map(str::to_owned);
            if folder.join("kept/told").exists() {
                break;
            }
        }
        if let Some(encoded) = line.trim().strip_prefix("header  Authorization: ApiKey ") {
            key = Some(encoded.to_owned());
            folder.write("kept/told", "");
            break;
        }
        said.push(line);
    }
    let address = address.unwrap_or_else(|| panic!("it did not start: {said:?}"));
    let rest = std::thread::spawn(move || lines.for_each(drop));
    Serving { child, address, key, _rest: rest }
}

/// Posts a body; the status, if there was an answer.
fn post(address: &str, key: &str, body: &str) -> Option<u16> {
    ask(address, key, ("POST", "/api/v1/events"), body).map(|it| it.0)
}

/// Asks; the status and the body, if there was an answer.
pub(crate) fn ask(
    address: &str,
    key: &str,
    (method, path): (&str, &str),
    body: &str,
) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(30))).ok()?;
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: ApiKey {key}\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
}

fn ids(folder: &Folder) -> Vec<String> {
    let mut ids = Vec::new();
    for input in store::Store::open(&folder.join("kept")).unwrap().inputs().unwrap() {
        let read = input.segment().unwrap().read(None, &mut |it| {
            let record: Value = serde_json::from_str(it.text).unwrap();
            ids.push(record["eventID"].as_str().unwrap().to_owned());
            ControlFlow::Continue(())
        });
        read.unwrap();
    }
    ids
}

/// Kills it while four clients send, again and again. What was acknowledged is there, and nothing is there twice, though
/// each client sends again what was not answered.
#[test]
fn what_was_acknowledged_survives_kill_9() {
    let folder = Folder::new();
    let (mut key, next) = (None, AtomicUsize::new(0));
    let acknowledged = Mutex::new(BTreeSet::new());
    for round in 0..10_u64 {
        let mut serving = serve(&folder, &[]);
        let key = key.get_or_insert_with(|| serving.key.clone().unwrap()).clone();
        let is_over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    while !is_over.load(Relaxed) {
                        let at = next.fetch_add(1, Relaxed);
                        let id = format!("k-{at:06}");
                        let record =
                            refused(&id, &format!("2026-03-0{}T10:00:00Z", 1 + at % 5), "ci").to_string();
                        // A client that has no answer sends again, and may have two answers for one record.
                        while !is_over.load(Relaxed) {
                            if post(&serving.address, &key, &record) == Some(200) {
                                acknowledged.lock().unwrap().insert(id);
                                break;
                            }
                        }
                    }
                });
            }
            std::thread::sleep(Duration::from_millis(30 + round * 57));
            serving.child.kill().unwrap();
            serving.child.wait().unwrap();
            is_over.store(true, Relaxed);
        });
        let found = ids(&folder);
        let distinct: BTreeSet<&String> = found.iter().collect();
        assert_eq!(distinct.len(), found.len(), "round {round}: something is there twice");
        let lost: Vec<String> =
            acknowledged.lock().unwrap().iter().filter(|it| !distinct.contains(it)).cloned().collect();
        assert_eq!(lost, Vec::<String>::new(), "round {round}: acknowledged, and gone");
    }
    let acknowledged = acknowledged.into_inner().unwrap();
    assert!(acknowledged.len() > 20, "only {} were acknowledged", acknowledged.len());
    let check = folder.run(&["store", "check", "--store", "kept"]);
    assert!(check.printed(0).contains("all as it was written"), "{check:?}");
    // All of it once more, in one piece: nothing is new but what was under way when it was killed.
    let all: String = (0..next.load(Relaxed))
        .map(|at| {
            refused(&format!("k-{at:06}"), &format!("2026-03-0{}T10:00:00Z", 1 + at % 5), "ci").to_string()
                + "\n"
        })
        .collect();
    let mut serving = serve(&folder, &[]);
    assert_eq!(post(&serving.address, key.as_ref().unwrap(), &all), Some(200));
    serving.child.kill().unwrap();
    serving.child.wait().unwrap();
    assert_eq!(ids(&folder).len(), next.load(Relaxed));
}

#[test]
#[cfg(unix)]
fn sigterm_ends_it_well() {
    let folder = Folder::new();
    let mut serving = serve(&folder, &[]);
    let record = refused("e-1", "2026-03-02T10:00:00Z", "ci").to_string();
    assert_eq!(post(&serving.address, serving.key.as_ref().unwrap(), &record), Some(200));
    let id = serving.child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    assert_eq!(serving.child.wait().unwrap().code(), Some(0));
    assert_eq!(ids(&folder), ["e-1"]);
    // The database alone is all of it.
    let wal = folder.join("kept/trailwarden.db-wal");
    assert!(std::fs::metadata(wal).map_or(true, |it| it.len() == 0));
}

#[test]
fn configurations_are_made_checked_and_shown() {
    let folder = Folder::new();
    folder.run(&["config", "init"]).printed(0);
    assert!(folder.run(&["config", "init"]).error().contains("trailwarden.toml"), "what is there stays");
    assert_eq!(
        folder.run(&["config", "check", "--config", "trailwarden.toml"]).printed(0),
        "nothing is wrong\n"
    );
    let shown = folder.run(&["config", "show", "--config", "trailwarden.toml", "--listen", "127.0.0.1:1"]);
    assert!(shown.printed(0).contains("listen = \"127.0.0.1:1\""), "{shown:?}");
    assert!(shown.out.contains("# option --listen\n") && shown.out.contains("# default\n"), "{shown:?}");
    folder.write("wrong.toml", "[server]\nlisten = \"127.0.0.1:9480\"\nbody_mx = 7\n");
    for command in [
        &["config", "check", "--config", "wrong.toml"][..],
        &["serve", "--data", "kept", "--config", "wrong.toml"],
    ] {
        let ran = folder.run(command);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        for part in ["error[CONF003]", "wrong.toml:3:1", "did you mean `body_max`?", "1 thing is wrong"] {
            assert!(ran.err.contains(part), "{part}: {}", ran.err);
        }
    }
    assert!(!folder.join("kept").exists());
}

#[test]
fn what_keeps_it_from_starting_is_told() {
    let folder = Folder::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ran = folder.run(&["serve", "--data", "kept", "--listen", &address]);
    assert!(ran.err.contains("SRV001"), "{ran:?}");
    assert_eq!(ran.code, Some(2));
    folder.write("other/file", "x");
    assert!(folder.run(&["serve", "--data", "other", "--listen", "127.0.0.1:0"]).err.contains("STORE002"));
}

/// The example is played in, and what is known to be in it is told.
#[test]
fn the_demo_shows_alerts() {
    let folder = Folder::new();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/cloudtrail");
    let example = example.canonicalize().unwrap().display().to_string();
    let arguments = ["serve", "--demo", &example, "--listen", "127.0.0.1:0", "--log", "json"];
    let mut child = folder.command(&arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut alerts = BTreeSet::new();
    let mut said = Vec::new();
    for line in BufReader::new(child.stderr.take().unwrap()).lines() {
        let line = line.unwrap();
        if let Ok(it) = serde_json::from_str::<Value>(&line)
            && it["code"] == "SRV040"
        {
            alerts.insert(it["message"].as_str().unwrap().to_owned());
            if alerts.len() >= 3 {
                break;
            }
        }
        said.push(line);
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(alerts.len() >= 3, "{said:?}");
    assert!(said.iter().any(|it| it.contains("/api/v1/alerts")), "{said:?}");
    folder.write("data/file", "x");
    let ran = folder.run(&["serve", "--demo", &example, "--data", "data"]);
    assert!(ran.error().contains("is not empty"), "{ran:?}");
}

/// What a pipe held is stored when the command ends.
#[test]
fn a_pipe_is_taken_to_its_end() {
    let folder = Folder::new();
    let arguments = ["serve", "--data", "kept", "--listen", "127.0.0.1:0", "--stdin"];
    let mut child = folder.command(&arguments).stdin(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut pipe = child.stdin.take().unwrap();
    for at in 0..300 {
        writeln!(pipe, "{}", refused(&format!("p-{at:03}"), "2026-03-02T10:00:00Z", "ci")).unwrap();
    }
    drop(pipe);
    assert!(child.wait().unwrap().success());
    assert_eq!(ids(&folder).len(), 300);
}

/// A signal has the configuration read again: one that is wrong changes nothing, and neither ends the server.
#[test]
#[cfg(unix)]
fn a_hangup_reads_the_configuration_again() {
    let folder = Folder::new();
    folder.write("tw.toml", "[server]\nbody_max = \"1 KiB\"\n");
    let mut serving = serve(&folder, &["--config", "tw.toml"]);
    let key = serving.key.clone().unwrap();
    let long = (0..20).map(|it| refused(&format!("h-{it}"), "2026-03-02T10:00:00Z", "ci").to_string() + "\n");
    let long: String = long.collect();
    let hang_up = || {
        let id = serving.child.id().to_string();
        assert!(std::process::Command::new("kill").args(["-HUP", &id]).status().unwrap().success());
    };
    assert_eq!(post(&serving.address, &key, &long), Some(413));
    folder.write("tw.toml", "[server]\nbody_mx = \"1 MiB\"\n");
    hang_up();
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(post(&serving.address, &key, &long), Some(413));
    folder.write("tw.toml", "[server]\nbody_max = \"1 MiB\"\n");
    hang_up();
    let held = (0..100).any(|_| {
        std::thread::sleep(Duration::from_millis(100));
        post(&serving.address, &key, &long) == Some(200)
    });
    assert!(held);
    serving.child.kill().unwrap();
    serving.child.wait().unwrap();
}

/// What is packed with the server is a configuration.
#[test]
fn the_configuration_of_the_container_is_one() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packaging/trailwarden.toml");
    let path = path.display().to_string();
    let ran = Folder::new().run(&["config", "check", "--config", &path]);
    assert_eq!(ran.printed(0), "nothing is wrong\n");
}
