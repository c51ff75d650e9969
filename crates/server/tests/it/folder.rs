//! A folder that is watched.

use std::fs;

use serde_json::json;

use crate::setup::{Server, folder, gzip, ids, record, wait};

#[test]
fn files_are_taken_in_as_they_come_and_after_a_restart() {
    let (folder, data) = folder();
    let inbox = folder.path().join("in");
    fs::create_dir_all(inbox.join("2026/03")).unwrap();
    let config = format!(
        "[[sources]]\ntype = \"folder\"\nname = \"trail\"\npath = \"{}\"\ninterval = \"100ms\"\nsettle = \"0s\"\n",
        inbox.display()
    );
    let file = |ids: &[&str]| {
        let records: Vec<_> = ids.iter().map(|it| record(it, 1)).collect();
        gzip(json!({"Records": records}).to_string().as_bytes())
    };
    fs::write(inbox.join("1.json.gz"), file(&["a"])).unwrap();
    let server = Server::start(&data, &config);
    let has = |expected: &[&str]| wait("the file is stored", || ids(&data) == expected);
    has(&["a"]);
    fs::write(inbox.join("2026/03/2.json.gz"), file(&["b", "a"])).unwrap();
    has(&["a", "b"]);
    // Longer than it was.
    fs::write(inbox.join("1.json.gz"), file(&["a", "c"])).unwrap();
    has(&["a", "b", "c"]);
    fs::write(inbox.join("3.ndjson"), format!("{}\n{{\"colour\":\"red\"}}\n", record("d", 1))).unwrap();
    has(&["a", "b", "c", "d"]);
    wait("the account is that of four files", || server.account("trail")["read"] == json!(7));
    assert_eq!(
        server.account("trail"),
        json!({"read": 7, "stored": 4, "duplicate": 2, "unreadable": 1, "dropped": 0})
    );
    let admin = server.admin.clone();
    server.stop();

    fs::write(inbox.join("4.json.gz"), file(&["e"])).unwrap();
    let mut server = Server::start(&data, &config);
    server.admin = admin;
    has(&["a", "b", "c", "d", "e"]);
    // What has a part that cannot be read is read, and told of, once more; what was read whole is not.
    wait("the account is that of two more files", || server.account("trail")["read"] == json!(10));
    assert_eq!(
        server.account("trail"),
        json!({"read": 10, "stored": 5, "duplicate": 3, "unreadable": 2, "dropped": 0})
    );
}

#[test]
fn a_file_is_read_once_it_is_left_alone() {
    let (folder, data) = folder();
    let inbox = folder.path().join("in");
    fs::create_dir_all(&inbox).unwrap();
    let config = format!(
        "[[sources]]\ntype = \"folder\"\nname = \"trail\"\npath = \"{}\"\ninterval = \"200ms\"\nsettle = \"1h\"\n",
        inbox.display()
    );
    // The server's clock stands long before that of the file, as one that was never set may: what stays as it is from one
    // look to the next is read all the same.
    fs::write(inbox.join("1.json"), record("a", 1).to_string()).unwrap();
    let server = Server::start(&data, &config);
    wait("the file is stored", || ids(&data) == ["a"]);
    server.stop();
}

#[test]
fn a_folder_that_is_not_there_is_told_and_taken_when_it_is() {
    let (folder, data) = folder();
    let inbox = folder.path().join("in");
    let config = format!(
        "[[sources]]\ntype = \"folder\"\nname = \"trail\"\npath = \"{}\"\ninterval = \"100ms\"\nsettle = \"0s\"\n",
        inbox.display()
    );
    let server = Server::start(&data, &config);
    let trouble =
        || server.ask("GET", "/api/v1/sources", "").is(200)["sources"][0]["trouble"]["text"].clone();
    wait("the trouble is told", || trouble().as_str().is_some_and(|it| it.contains("cannot be opened")));
    fs::create_dir(&inbox).unwrap();
    fs::write(inbox.join("1.json"), record("a", 1).to_string()).unwrap();
    wait("the file is stored", || ids(&data) == ["a"]);
}
