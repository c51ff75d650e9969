//! Dead letters: what could not be read is kept, and replayed when the cause is mended.

use std::fs;

use serde_json::{Value, json};

use crate::setup::{Server, folder, gzip, ids, record, wait};

const HTTP: &str = "/api/v1/sources/http/dead-letters";

fn sum(account: &Value) -> u64 {
    let of = ["waiting", "replayed", "repeated", "expired", "crowded_out", "discarded"];
    of.iter().map(|it| account[it].as_u64().unwrap()).sum()
}

#[test]
fn what_cannot_be_read_is_kept_shown_and_thrown_away() {
    let (_folder, data) = folder();
    let server = Server::start(&data, "");
    let body = format!("{}\n{{\"colour\":\"red\"}}\n", record("a", 1));
    let told = server.ask("POST", "/api/v1/events", &body).problem(422, "API009");
    assert_eq!(told["dead_letter"], json!(1), "{told}");
    let broken = "{\"eventVersion\":\"1.08\",\"eventN";
    server.ask("POST", "/api/v1/events", broken).problem(422, "API009");
    let bulk = "{\"create\":{\"_index\":\"x\"}}\n{\"a\":\n{\"create\":{\"_index\":\"x\"}}\n{\"a\":1}\n";
    assert_eq!(server.ask("POST", "/_bulk", bulk).is(200)["errors"], json!(true));
    let listed = server.ask("GET", HTTP, "").is(200);
    let letters = listed["dead_letters"].as_array().unwrap();
    let codes: Vec<&str> = letters.iter().map(|it| it["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["API017", "READ015", "STORE009"], "the newest first: {listed}");
    assert_eq!(letters[2]["from"], json!("POST /api/v1/events"));
    assert_eq!(letters[1]["contents"], json!("delivery"));
    assert_eq!(listed["account"]["waiting"], json!(3), "{listed}");
    let contents = |id: u64| server.ask("GET", &format!("{HTTP}/{id}/contents"), "");
    assert_eq!(contents(1).body, "{\"colour\":\"red\"}\n");
    assert_eq!(contents(2).body, broken);
    assert_eq!(contents(3).body, "{\"a\":\n");
    // Nothing has changed: they stay, and no account does.
    let before = server.account("http");
    let told = server.ask("POST", &format!("{HTTP}/replay"), "").is(200);
    assert_eq!((&told["replayed"], &told["mended"]), (&json!(3), &json!(0)), "{told}");
    assert_eq!(server.account("http"), before);
    let told = server.ask("POST", &format!("{HTTP}/1/replay"), "").is(200);
    assert_eq!((&told["dead_letter"]["tries"], &told["account"]["read"]), (&json!(2), &json!(0)), "{told}");
    assert_eq!(server.ask("DELETE", &format!("{HTTP}/1"), "").status, 204);
    server.ask("DELETE", &format!("{HTTP}/1"), "").problem(404, "API003");
    server.ask("GET", &format!("{HTTP}/1/contents"), "").problem(404, "API003");
    server.ask("POST", &format!("{HTTP}/no/replay"), "").problem(404, "API003");
    server.ask("GET", "/api/v1/sources/none/dead-letters", "").problem(404, "API003");
    let sources = server.ask("GET", "/api/v1/sources", "").is(200);
    let account = &sources["sources"][0]["dead_letters"];
    assert_eq!((&account["letters"], &account["discarded"]), (&json!(2), &json!(1)), "{account}");
    assert_eq!(account["received"].as_u64().unwrap(), sum(account));
    assert_eq!(
        account["received"],
        server.account("http")["unreadable"],
        "every unreadable record is in one"
    );
    let metrics = server.ask("GET", "/metrics", "").body;
    assert!(metrics.contains("trailwarden_dead_letters{source=\"http\"} 2\n"), "{metrics}");
    assert_eq!(ids(&data).len(), 2, "a record, and a document of an index");
}

/// `text_max` was too small for what a shipper sends: it is raised, and what was kept is replayed.
#[test]
fn what_is_mended_is_replayed() {
    let (_folder, data) = folder();
    let lines: String = (100..200).map(|it| record(&it.to_string(), 1).to_string() + "\n").collect();
    let mut server = Server::start(&data, "[server]\ntext_max = \"4 KiB\"\n");
    let admin = server.admin.clone();
    server.ask("POST", "/api/v1/events", gzip(lines.as_bytes())).problem(422, "API009");
    assert!(ids(&data).len() < 100);
    server.stop();
    server = Server::start(&data, "");
    server.admin = admin;
    let told = server.ask("POST", &format!("{HTTP}/replay"), "").is(200);
    assert_eq!((&told["replayed"], &told["mended"]), (&json!(1), &json!(1)), "{told}");
    assert_eq!(ids(&data).len(), 100);
    let listed = server.ask("GET", HTTP, "").is(200);
    assert_eq!(
        (&listed["dead_letters"], &listed["account"]["replayed"]),
        (&json!([]), &json!(1)),
        "{listed}"
    );
    assert!(store::Store::open(&data).unwrap().check(&|_| ()).unwrap().wrong.is_empty());
}

/// A file of a folder is kept, too: who delivers may remove it.
#[test]
fn files_are_kept_once_however_often_they_are_read() {
    let (folder, data) = folder();
    let inbox = folder.path().join("in");
    fs::create_dir_all(&inbox).unwrap();
    let config = format!(
        "[[sources]]\ntype = \"folder\"\nname = \"trail\"\npath = \"{}\"\ninterval = \"100ms\"\nsettle = \"0s\"\n",
        inbox.display()
    );
    let text = format!("{{\"Records\":[{},{{\"eventVersion\":", record("a", 1));
    fs::write(inbox.join("1.json"), &text).unwrap();
    let mut admin = None;
    for round in 1..=2 {
        let mut server = Server::start(&data, &config);
        admin = admin.or(server.admin.clone());
        server.admin.clone_from(&admin);
        wait("it is read", || server.account("trail")["unreadable"] == json!(round));
        let listed = server.ask("GET", "/api/v1/sources/trail/dead-letters", "").is(200);
        let [letter] = listed["dead_letters"].as_array().unwrap().as_slice() else { panic!("{listed}") };
        assert_eq!(letter["deliveries"], json!(round));
        assert!(letter["from"].as_str().unwrap().ends_with("1.json"), "{letter}");
        let contents = server.ask("GET", "/api/v1/sources/trail/dead-letters/1/contents", "");
        assert_eq!(contents.body, text);
        assert_eq!(listed["account"]["received"].as_u64().unwrap(), sum(&listed["account"]));
    }
}
