//! A fuzzer that is driven by the API's own document: whatever is asked, the server does not fail.

use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::clients::skipped;
use crate::setup::{Server, folder, record};

/// Requests for each operation, beside those that its parameters and schemas suggest.
const EXAMPLES: &str = "8";

#[test]
fn nothing_that_can_be_asked_makes_it_fail() {
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/schemathesis/bin/schemathesis");
    let program = if ours.exists() { ours } else { "schemathesis".into() };
    if Command::new(&program).arg("--version").output().is_err() {
        return skipped("the Python package schemathesis");
    }
    let (folder, data) = folder();
    let server = Server::start(&data, "");
    server.ask("POST", "/api/v1/events", record("a", 1).to_string() + "\n{\"colour\":\"red\"}\n");
    let document = server.ask("GET", "/api/v1/openapi.json", "").is(200);
    let path = folder.path().join("openapi.json");
    std::fs::write(&path, document.to_string()).unwrap();
    let key = format!("Authorization: ApiKey {}", server.admin.as_deref().unwrap());
    let run = Command::new(&program)
        .current_dir(folder.path())
        .args(["run", "--url", &format!("http://{}", server.address), "--header", &key])
        .args(["--checks", "not_a_server_error", "--phases", "examples,coverage,fuzzing"])
        .args(["--max-examples", EXAMPLES, "--seed", "1", "--generation-database", "none"])
        // Who revokes keys that were listed comes to its own.
        .args(["--exclude-path-regex", "^/api/v1/keys/"])
        .args([
            "--suppress-health-check",
            "all",
            "--continue-on-failure",
            "--request-timeout",
            "60",
            "--no-color",
        ])
        .arg(&path)
        .output()
        .unwrap();
    let out = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{out}\n{}", String::from_utf8_lossy(&run.stderr));
    // It goes on as before, and nobody was locked out.
    server.ask("POST", "/api/v1/events", record("z", 1).to_string()).is(200);
    assert_eq!(server.ask("GET", "/readyz", "").is(200)["ready"], json!(true));
}
