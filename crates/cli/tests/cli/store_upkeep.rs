//! What is done to a store beside adding: compaction, retention, copies. What is left is hunted as before.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::setup::{Folder, refused};

const STORE: [&str; 2] = ["--store", "kept"];

/// A store of many small segments: five days, twelve runs; two deliveries of an event differ, and one record cannot be read.
fn filled() -> Folder {
    let folder = Folder::new();
    for run in 0..12 {
        let record = |at: usize| {
            let (day, minute) = (1 + at % 5, (run * 5 + at) % 60);
            refused(&format!("r-{run}-{at}"), &format!("2026-03-0{day}T10:{minute:02}:00Z"), "ci")
        };
        let mut records: Vec<Value> = (0..20).map(record).collect();
        let mut again = refused("twice", "2026-03-02T09:00:00Z", "ci");
        again["awsRegion"] = json!(format!("eu-west-{}", run % 2));
        records.push(again);
        records.push(json!({"eventID": "broken", "eventVersion": "1.08", "eventName": "x", "eventTime": 7}));
        folder.lines(&format!("in/{run:02}.ndjson"), &records);
    }
    folder
}

fn add_apart(folder: &Folder) {
    for run in 0..12 {
        let (file, now) = (format!("in/{run:02}.ndjson"), format!("2026-04-01T{run:02}:00:00Z"));
        let ran = folder.run(&[&["store", "add", "-q", &file, "--now", &now], &STORE[..]].concat());
        assert!(matches!(ran.code, Some(0 | 3)), "{ran:?}");
    }
}

fn store(folder: &Folder, arguments: &[&str]) -> String {
    folder.run(&[&["store"], arguments, &STORE].concat()).printed(0).to_owned()
}

fn shown(folder: &Folder) -> Value {
    serde_json::from_str(&store(folder, &["show", "-f", "json"])).unwrap()
}

fn alerts(folder: &Folder, from: &[&str]) -> String {
    let ran = folder.run(&[&["hunt", "-f", "ndjson", "-q", "--now", "2026-09-01"], from].concat());
    assert!(matches!(ran.code, Some(0 | 3)), "{ran:?}");
    ran.out
}

fn segments(folder: &Folder) -> Vec<PathBuf> {
    let days = std::fs::read_dir(folder.join("kept/events")).unwrap();
    let files = days.flat_map(|day| std::fs::read_dir(day.unwrap().path()).unwrap());
    files.map(|it| it.unwrap().path()).collect()
}

#[test]
fn many_small_segments_become_few_by_themselves() {
    let folder = filled();
    add_apart(&folder);
    let before = shown(&folder);
    assert!(before["segments"].as_u64().unwrap() < 12 * 5, "{before}");
    assert!(!alerts(&folder, &["in"]).is_empty());
    assert_eq!(alerts(&folder, &STORE), alerts(&folder, &["in"]));
    let told = store(&folder, &["compact", "--now", "2026-04-02"]);
    assert!(told.contains("segments"), "{told}");
    let after = shown(&folder);
    assert_eq!(after["segments"], json!(segments(&folder).len()), "{after}");
    assert!(after["days"].as_array().unwrap().iter().all(|day| day["segments"] == json!(1)), "{after}");
    assert_eq!((&after["events"], &after["records"]), (&before["events"], &before["records"]));
    assert_eq!(alerts(&folder, &STORE), alerts(&folder, &["in"]));
    store(&folder, &["check"]);
    assert_eq!(store(&folder, &["compact", "--now", "2026-04-03"]), "nothing to compact\n");
    assert_eq!(
        std::fs::read_dir(folder.join("kept/replaced")).unwrap().count(),
        0,
        "a day later nobody reads them"
    );
    // What is there already is known still.
    let again = folder.run(&[&["store", "add", "-q", "--again", "in"], &STORE[..]].concat());
    assert!(again.out.contains(" 0 stored + "), "{again:?}");
}

#[test]
fn a_hunt_that_began_before_a_compaction_comes_to_its_end() {
    let folder = filled();
    add_apart(&folder);
    let database = std::fs::read(folder.join("kept/trailwarden.db")).unwrap();
    store(&folder, &["compact", "--now", "2026-04-01T12:10:00Z"]);
    // As one sees it who asked the database before.
    let _ = std::fs::remove_file(folder.join("kept/trailwarden.db-wal"));
    folder.write("kept/trailwarden.db", database);
    assert_eq!(alerts(&folder, &STORE), alerts(&folder, &["in"]));
    // Whoever writes next puts everything in its place.
    store(&folder, &["compact", "--now", "2026-04-01T12:20:00Z"]);
    assert_eq!(alerts(&folder, &STORE), alerts(&folder, &["in"]));
    store(&folder, &["check"]);
}

#[test]
fn retention_says_what_went() {
    let folder = filled();
    add_apart(&folder);
    let prune = |more: &[&str]| store(&folder, &[&["prune", "--now", "2026-03-10"], more].concat());
    let told = prune(&["--older-than", "8d", "--dry-run"]);
    assert!(told.contains("2026-03-01") && told.contains("1 day would go"), "{told}");
    let before = shown(&folder);
    let told = prune(&["--older-than", "8d"]);
    assert!(
        told.contains("2026-03-01") && told.contains("too old") && told.contains("1 day removed"),
        "{told}"
    );
    let after = shown(&folder);
    let gone = &after["removed"][0];
    assert_eq!((&gone["day"], &gone["reason"]), (&json!("2026-03-01"), &json!("age")));
    let events = |it: &Value| it["events"].as_u64().unwrap();
    assert_eq!(events(&before), events(&after) + events(gone));
    store(&folder, &["check"]);
    let told = prune(&["--max-bytes", "1"]);
    assert!(told.contains("no room") && told.contains("the last day"), "{told}");
    let days: Vec<Value> =
        shown(&folder)["days"].as_array().unwrap().iter().map(|it| it["day"].clone()).collect();
    assert_eq!(days, [json!("2026-03-05"), json!("none")]);
    store(&folder, &["check"]);
    let ran = folder.run(&[&["store", "prune"], &STORE[..]].concat());
    assert_eq!(ran.code, Some(2), "{ran:?}");
    let ran = folder.run(&[&["store", "prune", "--older-than", "soon"], &STORE[..]].concat());
    assert_eq!(ran.code, Some(2), "{ran:?}");
}

#[test]
fn a_backup_is_a_store_and_so_is_what_it_is_restored_to() {
    let folder = filled();
    add_apart(&folder);
    let expected = alerts(&folder, &STORE);
    for (into, more) in [("linked", &[][..]), ("apart", &["--copy"])] {
        store(&folder, &[&["backup", into], more].concat());
        assert_eq!(alerts(&folder, &["--store", into]), expected, "{into}");
        let again = folder.run(&[&["store", "backup", into], &STORE[..]].concat());
        assert!(again.error().contains("STORE002"), "{again:?}");
    }
    // Whatever becomes of the store, the copy is as it was.
    store(&folder, &["compact"]);
    std::fs::remove_dir_all(folder.join("kept")).unwrap();
    let ran = folder.run(&["store", "restore", "linked", "--store", "back"]);
    assert!(ran.printed(0).contains("all as it was written"), "{ran:?}");
    assert_eq!(alerts(&folder, &["--store", "back"]), expected);
    let damaged =
        std::fs::read_dir(folder.join("apart/events/day=2026-03-02")).unwrap().next().unwrap().unwrap();
    let mut bytes = std::fs::read(damaged.path()).unwrap();
    bytes[100] ^= 1;
    std::fs::write(damaged.path(), bytes).unwrap();
    let ran = folder.run(&["store", "restore", "apart", "--store", "other"]);
    assert!(ran.printed(1).contains("STORE007"), "{ran:?}");
}

#[test]
fn verify_says_what_a_store_cannot_tell() {
    let folder = filled();
    add_apart(&folder);
    let ran = folder.run(&[&["verify", "--now", "2026-04-01"], &STORE[..]].concat());
    assert!(ran.err.contains("no digest files"), "{ran:?}");
    let ran = folder.run(&["verify", "--now", "2026-04-01", "in"]);
    assert!(!ran.err.contains("a store keeps"), "{ran:?}");
}
