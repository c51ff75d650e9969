//! `store dead-letters`: what a server's sources delivered and could not be read.

use std::sync::Arc;

use reader::Input;
use serde_json::{Value, json};
use store::{Delivery, Ingest, IngestOptions, LetterLimits};

use crate::setup::{Folder, refused};

/// A store with three letters of two sources: a record over a limit, records that are none, a text that is broken.
fn store() -> Folder {
    let folder = Folder::new();
    let limits = reader::Limits { record_bytes: 1 << 10, ..reader::Limits::default() };
    let options = IngestOptions {
        limits,
        threads: 1,
        batch_bytes: 1 << 20,
        engine: "test".to_owned(),
        letters: LetterLimits::default(),
    };
    let mut ingest = Ingest::open(&folder.join("kept"), options).unwrap();
    let mut long = refused("long", "2026-03-02T10:00:00Z", "ci");
    long["requestParameters"] = json!({"note": "x".repeat(2_000)});
    let short = refused("short", "2026-03-02T10:00:00Z", "ci");
    let deliver = |ingest: &mut Ingest, source: &str, text: String| {
        let input = Input::memory(0, "POST /api/v1/events", Arc::new(text.into_bytes()));
        ingest.take(&[Delivery::new(source, input)], 1_772_500_000_000).unwrap();
    };
    deliver(&mut ingest, "http", format!("{long}\n{short}\n"));
    deliver(&mut ingest, "http", "{\"colour\":\"red\"}\n{\"colour\":\"blue\"}\n".to_owned());
    deliver(&mut ingest, "other", "{\"eventVersion\":\"1.08\",\"eventN".to_owned());
    ingest.close().unwrap();
    folder
}

fn run(folder: &Folder, arguments: &[&str], code: i32) -> String {
    let of = [&["store", "dead-letters"], arguments, &["--store", "kept"]].concat();
    folder.run(&of).printed(code).to_owned()
}

fn listed(folder: &Folder) -> Vec<(u64, u64, u64)> {
    let told: Value = serde_json::from_str(&run(folder, &["list", "-f", "json"], 0)).unwrap();
    let number = |it: &Value, name: &str| it[name].as_u64().unwrap();
    let all = told["dead_letters"].as_array().unwrap().iter();
    all.map(|it| (number(it, "id"), number(it, "records"), number(it, "tries"))).collect()
}

#[test]
fn they_are_listed_replayed_and_discarded() {
    let folder = store();
    let text = run(&folder, &["list"], 0);
    assert!(text.starts_with("3 dead letters, 4 unreadable records, "), "{text}");
    assert!(text.contains("    from POST /api/v1/events\n    READ016 "), "{text}");
    assert_eq!(run(&folder, &["list", "--source", "other"], 0).matches("    from ").count(), 1);
    assert_eq!(run(&folder, &["contents", "2"], 0), "{\"colour\":\"red\"}\n{\"colour\":\"blue\"}\n");
    // The limit of this command is higher than that of who took it.
    let text = run(&folder, &["replay"], 1);
    assert!(text.ends_with("3 dead letters replayed: 1 mended, 2 left; 1 event stored\n"), "{text}");
    assert_eq!(listed(&folder), [(3, 1, 1), (2, 2, 1)]);
    let text = run(&folder, &["replay", "--source", "other", "3"], 1);
    assert!(text.starts_with("3: READ015 "), "{text}");
    let found = folder.run(&["query", "*", "-f", "ndjson", "--store", "kept"]);
    assert_eq!(found.printed(0).lines().count(), 2, "{found:?}");
    let text = run(&folder, &["discard", "3"], 0);
    assert_eq!(text, "3: 1 record is gone for good, of other\n");
    assert_eq!(listed(&folder), [(2, 2, 1)]);
    assert!(folder.run(&["store", "check", "--store", "kept"]).printed(0).contains("all as it was written"));
}

#[test]
fn what_is_not_there_is_said() {
    let folder = store();
    let error = |arguments: &[&str]| {
        let of = [&["store", "dead-letters"], arguments].concat();
        folder.run(&of).error().to_owned()
    };
    assert_eq!(error(&["contents", "9", "--store", "kept"]), "STORE011 there is no dead letter 9");
    assert_eq!(error(&["replay", "9", "--store", "kept"]), "STORE011 there is no dead letter 9");
    assert_eq!(error(&["discard", "2", "9", "--store", "kept"]), "STORE011 there is no dead letter 9");
    assert!(error(&["replay", "--store", "none"]).starts_with("STORE001 "));
    assert!(!folder.join("none").exists());
    assert_eq!(listed(&folder).len(), 3, "all of them, or none");
}
