//! A disk that is full, or cannot be written to, under a server that runs.

#![cfg(target_os = "linux")]

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::serve::{ask, serve_by};
use crate::setup::{Folder, refused};

const CONFIG: &str = "[rules]\nbuiltin = false\npaths = [\"rules\"]\n";

/// Executes every second, so that there is something to write all the time.
const RULE: &str = r#"
[rule]
name = "Refused"
rule_id = "refused"
description = "Somebody was refused."
severity = "high"
risk_score = 73
type = "query"
index = ["logs-aws.cloudtrail*"]
query = "event.action: GetPasswordData and event.outcome: failure"
timestamp_override = "event.ingested"
from = "now-1h"
interval = "1s"
"#;

fn with_rule() -> Folder {
    let folder = Folder::new();
    folder.write("rules/refused.toml", RULE);
    folder.write("trailwarden.toml", CONFIG);
    folder
}

fn skipped(why: &str) {
    #[expect(clippy::print_stderr, reason = "whoever reads the tests' output is to know")]
    {
        eprintln!("SKIPPED: {why}");
    }
}

/// Whether a command is there; else it is said that a test is skipped.
fn is_there(program: &str) -> bool {
    let is_there = Command::new(program).arg("--version").output().is_ok_and(|it| it.status.success());
    if !is_there {
        skipped(&format!("there is no `{program}` (util-linux)"));
    }
    is_there
}

fn wait(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..900 {
        if holds() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    panic!("{what} did not come to pass");
}

struct Asking<'a> {
    address: &'a str,
    key: &'a str,
}

impl Asking<'_> {
    fn ask(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        let (status, body) = ask(self.address, self.key, (method, path), body).unwrap();
        (status, serde_json::from_str(&body).unwrap_or_default())
    }

    fn post(&self, id: &str) -> (u16, Value) {
        self.ask("POST", "/api/v1/events", &refused(id, "2026-03-02T10:00:00Z", "ci").to_string())
    }

    /// What is in the way.
    fn obstacles(&self) -> String {
        let (status, body) = self.ask("GET", "/readyz", "");
        if status == 200 { String::new() } else { body["obstacles"].to_string() }
    }

    /// The events that were alerted on.
    fn alerted(&self) -> Vec<String> {
        let (_, found) = self.ask("GET", "/api/v1/alerts?size=100", "");
        let alerts = found["alerts"].as_array().unwrap().iter();
        let mut ids: Vec<String> =
            alerts.map(|it| it["kibana.alert.original_event.id"].as_str().unwrap().to_owned()).collect();
        ids.sort();
        ids
    }
}

/// No file may become longer: as if the disk were full, for everything at once.
#[test]
fn a_full_disk() {
    if !is_there("prlimit") {
        return;
    }
    let folder = with_rule();
    // Who is told by a signal that a file may not become longer ends; here it is to be an error, as on a disk.
    let mut serving = serve_by(
        &folder,
        &["sh", "-c", "trap '' XFSZ; exec \"$0\" \"$@\""],
        &["--config", "trailwarden.toml"],
    );
    let (address, key) = (serving.address.clone(), serving.key.clone().unwrap());
    let asking = Asking { address: &address, key: &key };
    let id = serving.child.id().to_string();
    let limit = |limit: &str| {
        let set =
            Command::new("prlimit").args(["--pid", &id, &format!("--fsize={limit}:unlimited")]).status();
        assert!(set.unwrap().success());
    };
    assert_eq!(asking.post("e-1").0, 200);
    wait("the first is alerted on", || asking.alerted() == ["e-1"]);
    limit("0");
    let (status, told) = asking.post("e-2");
    assert_eq!((status, told["code"].as_str()), (503, Some("API011")), "{told}");
    assert!(told["detail"].as_str().unwrap().contains("STORE00"), "{told}");
    wait("it is told", || {
        let all = asking.obstacles();
        all.contains("could not be stored: STORE00")
            && all.contains("nothing can be written")
            && all.contains("LIVE004")
    });
    assert_eq!(asking.alerted(), ["e-1"], "what is there can be read");
    limit("unlimited");
    assert_eq!(asking.post("e-2").0, 200);
    wait("the second is alerted on", || asking.alerted() == ["e-1", "e-2"]);
    wait("all is well", || asking.obstacles().is_empty());
    assert_eq!(asking.ask("GET", "/api/v1/gaps", "").1["gaps"], Value::Array(Vec::new()));
    serving.child.kill().unwrap();
    serving.child.wait().unwrap();
    let check = folder.run(&["store", "check", "--store", "kept"]);
    assert!(check.printed(0).contains("all as it was written"), "{check:?}");
}

/// Nothing can be made in the folders of the store. Root may do that anyway: then the server runs as somebody else.
#[test]
fn folders_that_cannot_be_written_to() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    let folder = with_rule();
    let is_root = std::fs::metadata(folder.path()).unwrap().uid() == 0;
    let mut by: Vec<&str> = Vec::new();
    if is_root {
        if !is_there("setpriv") {
            return;
        }
        by.extend(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]);
        let can_run = folder.command_by(&by, &["--version"]).output();
        if !can_run.is_ok_and(|it| it.status.success()) {
            skipped("the program lies where nobody else may run it");
            return;
        }
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
    }
    let mut serving = serve_by(&folder, &by, &["--config", "trailwarden.toml"]);
    let (address, key) = (serving.address.clone(), serving.key.clone().unwrap());
    let asking = Asking { address: &address, key: &key };
    let set = |mode: u32| {
        let mut folders = vec![folder.join("kept")];
        while let Some(path) = folders.pop() {
            folders.extend(below(&path));
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        }
    };
    assert_eq!(asking.post("e-1").0, 200);
    wait("the first is alerted on", || asking.alerted() == ["e-1"]);
    set(0o555);
    let (status, told) = asking.post("e-2");
    assert_eq!((status, told["code"].as_str()), (503, Some("API011")), "{told}");
    wait("it is told", || asking.obstacles().contains("STORE005"));
    assert!(asking.obstacles().contains("nothing can be written"), "{}", asking.obstacles());
    set(0o755);
    assert_eq!(asking.post("e-2").0, 200);
    wait("the second is alerted on", || asking.alerted() == ["e-1", "e-2"]);
    wait("all is well", || asking.obstacles().is_empty());
    serving.child.kill().unwrap();
    serving.child.wait().unwrap();
}

fn below(path: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(path).unwrap().map(|it| it.unwrap().path());
    entries.filter(|it| it.is_dir()).collect()
}

/// A segment that is damaged for good is set aside, and detection goes on without it.
#[test]
fn a_damaged_segment_is_set_aside() {
    let folder = Folder::new();
    folder.write("rules/refused.toml", RULE);
    for (id, day) in [("e-1", "02"), ("e-2", "03")] {
        folder.lines("in.ndjson", &[refused(id, &format!("2026-03-{day}T10:00:00Z"), "ci")]);
        folder
            .run(&["store", "add", "-q", "in.ndjson", "--store", "kept", "--now", "2026-03-04T10:00:00Z"])
            .printed(0);
    }
    let detect = || {
        let begin = ["--begin", "2026-03-04T10:00:00Z", "--now", "2026-03-04T10:00:10Z", "-f", "ndjson"];
        folder.run(&[&["detect", "-q", "-r", "rules", "--store", "kept"], &begin[..]].concat())
    };
    let segment = below(&folder.join("kept/events")).into_iter().min().unwrap();
    let segment = std::fs::read_dir(segment).unwrap().next().unwrap().unwrap().path();
    let mut bytes = std::fs::read(&segment).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&segment, &bytes).unwrap();
    assert!(detect().error().starts_with("LIVE007 "), "{:?}", detect());
    let check = folder.run(&["store", "check", "--store", "kept"]);
    assert!(check.printed(1).contains("STORE007"), "{check:?}");
    let discarded =
        folder.run(&["store", "discard", "-q", "--store", "kept", "--now", "2026-03-04T11:00:00Z"]);
    assert!(discarded.printed(1).contains("1 segment set aside, with 1 event"), "{discarded:?}");
    assert!(folder.join("kept/damaged").join(segment.file_name().unwrap()).exists());
    let alerts = detect();
    assert_eq!(alerts.printed(0).lines().count(), 1, "{alerts:?}");
    assert!(alerts.out.contains("\"e-2\""), "{alerts:?}");
    assert!(folder.run(&["store", "check", "--store", "kept"]).printed(0).contains("all as it was written"));
    assert!(
        folder.run(&["store", "show", "--store", "kept"]).printed(0).contains("1 event removed as damaged")
    );
    let again = folder.run(&["store", "discard", "-q", "--store", "kept"]);
    assert!(again.printed(0).contains("nothing is set aside"), "{again:?}");
    assert_eq!(folder.run(&["store", "discard", "--store", "nowhere"]).code, Some(2));
}
