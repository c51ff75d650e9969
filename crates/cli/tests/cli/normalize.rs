//! `trailwarden normalize`.

use serde_json::Value;

use crate::setup::{Folder, refused};

fn normalized(folder: &Folder, arguments: &[&str]) -> Vec<Value> {
    let ran = folder.run(&[["normalize"].as_slice(), arguments].concat());
    assert_eq!(ran.err, "");
    ran.printed(0).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn the_same_input_gives_the_same_output() {
    let folder = Folder::with_calls();
    let arguments = ["calls.ndjson", "--now", "2026-03-05T00:00:00Z", "--tag", "forwarded", "--tag", "mine"];
    let first = normalized(&folder, &arguments);
    assert_eq!(first, normalized(&folder, &arguments));
    let ids: Vec<&Value> = first.iter().map(|it| &it["event"]["id"]).collect();
    assert_eq!(ids, ["e-1", "e-2", "e-3", "e-4"], "in the order of the file");
    assert_eq!(first[0]["tags"], serde_json::json!(["forwarded", "mine"]));
    assert_eq!(first[0]["event"]["created"], "2026-03-05T00:00:00.000Z");
    assert_eq!(first[0]["@timestamp"], "2026-03-02T10:00:00.000Z");
    insta::assert_snapshot!("document", serde_json::to_string_pretty(&first[0]).unwrap());
}

#[test]
fn tags_do_what_they_say() {
    let folder = Folder::with_calls();
    let original = |arguments: &[&str]| {
        normalized(&folder, arguments)[0]["event"].get("original").and_then(Value::as_str).map(str::to_owned)
    };
    assert_eq!(original(&["calls.ndjson"]), None);
    let expected = refused("e-1", "2026-03-02T10:00:00Z", "ci").to_string();
    assert_eq!(original(&["calls.ndjson", "--tag", "preserve_original_event"]), Some(expected));
}

#[test]
fn what_cannot_be_read_is_told_beside_the_rest() {
    let folder = Folder::with_calls();
    folder.write("more.ndjson", "{\"eventName\": nope}\nnothing at all\n");
    let ran = folder.run(&["normalize", "calls.ndjson", "more.ndjson"]);
    assert_eq!(ran.printed(3).lines().count(), 5, "the broken record is kept, as a document that says so");
    insta::assert_snapshot!("normalize_troubles", ran.err);
    let ran = folder.run(&["normalize", "-q", "more.ndjson"]);
    assert_eq!((ran.printed(3).lines().count(), ran.err.as_str()), (1, ""));
    std::fs::create_dir(folder.join("empty")).unwrap();
    for arguments in
        [["normalize", "empty"].as_slice(), &["query", "a: *", "empty"], &["hunt", "empty", "--explain", "e"]]
    {
        let ran = folder.run(arguments);
        assert!(ran.err.starts_with("warning: `empty` holds no file of records"), "{ran:?}");
    }
}
