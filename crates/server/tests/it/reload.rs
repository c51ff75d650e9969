//! The configuration, read again while the server runs.

use serde_json::{Value, json};

use crate::setup::{Server, folder, ids};

const RELOAD: &str = "/api/v1/config/reload";

#[test]
fn what_can_change_changes_at_once() {
    let (_folder, data) = folder();
    let config = |of: &str, indices: &str| {
        format!(
            "[server]\nbody_max = \"{of}\"\n[[sources]]\ntype = \"http\"\nname = \"in\"\nindices = [{indices}]\n"
        )
    };
    let server = Server::start(&data, &config("1 KiB", "\"logs-*\""));
    let set = |text: String| *server.text.lock().unwrap() = text;
    let document = |id: usize, index: &str| {
        let document =
            json!({"@timestamp": "2026-03-03T10:00:00Z", "event": {"action": "x"}, "note": "x".repeat(600)});
        server.ask("PUT", &format!("/{index}/_doc/{id}"), document.to_string())
    };
    let long = "{\"event\":{\"action\":\"x\"}}\n".repeat(100);
    server.ask("POST", "/api/v1/events", &long).problem(413, "API005");
    assert_eq!(document(1, "other").is(200)["result"], json!("noop"));
    // What is wrong changes nothing.
    set("[server]\nbody_mx = \"1 MiB\"\n".to_owned());
    let told = server.ask("POST", RELOAD, "").problem(409, "API015");
    assert!(told["detail"].as_str().unwrap().contains("body_mx"), "{told}");
    server.ask("POST", "/api/v1/events", &long).problem(413, "API005");
    set(config("1 MiB", "\"logs-*\", \"other\"") + "[rules]\nbuiltin = false\n");
    let told = server.ask("POST", RELOAD, "").is(200);
    assert_eq!(told, json!({"changed": ["body_max", "sources.in.indices"], "needs_restart": ["rules"]}));
    assert_ne!(server.ask("POST", "/api/v1/events", &long).status, 413);
    document(2, "other").is(201);
    assert!(ids(&data).contains(&"2".to_owned()));
    let told = server.ask("POST", RELOAD, "").is(200);
    assert_eq!(told["changed"], Value::Array(Vec::new()), "{told}");
}
