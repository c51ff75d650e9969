//! The event store: what was taken in is hunted as the files are, whatever happened on the way.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use cases::shared;
use serde_json::{Value, json};

use crate::setup::{Folder, refused};

const NOW: [&str; 2] = ["--now", "2026-09-01"];

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/cloudtrail").canonicalize().unwrap()
}

/// Records of other forms: in two compressions, twice, without a time, without an id, of strange kinds, and no records.
fn strange(folder: &Folder) {
    let with = |id: &str, more: &[(&str, Value)]| {
        let mut record = refused(id, "2026-03-02T10:00:00Z", "ci");
        for (key, value) in more {
            record[*key] = value.clone();
        }
        record
    };
    let mut undated = refused("u-1", "2026-03-02T10:00:00Z", "ci");
    undated.as_object_mut().unwrap().remove("eventTime");
    let mut nameless = refused("n-1", "2026-03-03T10:00:00Z", "ci");
    nameless.as_object_mut().unwrap().remove("eventID");
    folder.lines(
        "in/a.ndjson",
        &[
            with("e-1", &[]),
            with("e-1", &[]),
            with("e-1", &[("awsRegion", json!("eu-central-1"))]),
            with("e-2", &[("sourceIPAddress", json!(["198.51.100.7", "198.51.100.8"]))]),
            with("e-3", &[("eventName", json!(["GetPasswordData", "RunInstances"]))]),
            with("e-4", &[("errorCode", json!(7))]),
            with("e-5", &[("eventTime", json!("0001-01-01T00:00:00Z"))]),
            with("e-6", &[("eventTime", json!("soon"))]),
            undated,
            nameless.clone(),
            nameless,
            json!({"@timestamp": "2026-03-04T10:00:00Z", "event": {"action": "GetPasswordData", "provider": "ec2.amazonaws.com",
                "dataset": "aws.cloudtrail", "outcome": "failure", "id": "d-1"}, "aws": {"cloudtrail": {"error_code": "Client.UnauthorizedOperation"}}}),
            json!({"_id": "hit", "_index": "logs-aws.cloudtrail-other", "_source": {"@timestamp": "2026-03-04T11:00:00Z",
                "event": {"action": "StopLogging", "provider": "cloudtrail.amazonaws.com", "outcome": "success"}}}),
            json!({"colour": "red"}),
        ],
    );
    folder.lines("in/b.ndjson", &[with("e-1", &[]), with("e-7", &[])]);
    folder.write("in/c.ndjson", "{\"eventName\": nope}\nno JSON at all\n");
}

/// All alerts, one a line.
fn alerts(folder: &Folder, from: &[&str], threads: &str) -> String {
    let ran = folder.run(&[&["hunt", "-f", "ndjson", "--threads", threads, "-q"], &NOW[..], from].concat());
    assert!(matches!(ran.code, Some(0 | 3)), "{ran:?}");
    ran.out
}

fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines
}

fn add(folder: &Folder, arguments: &[&str]) -> String {
    let ran = folder.run(&[&["store", "add", "--store", "kept", "-q"], arguments].concat());
    assert!(matches!(ran.code, Some(0 | 3)), "{ran:?}");
    let check = folder.run(&["store", "check", "--store", "kept"]);
    assert!(check.printed(0).contains("all as it was written"), "{check:?}");
    ran.out
}

fn show(folder: &Folder) -> Value {
    serde_json::from_str(folder.run(&["store", "show", "--store", "kept", "-f", "json"]).printed(0)).unwrap()
}

/// What every command makes of the files and of the store must be the same.
fn assert_alike(folder: &Folder, paths: &[&str]) {
    let of_files = alerts(folder, paths, "1");
    for threads in ["1", "2", "3"] {
        assert_eq!(alerts(folder, &["--store", "kept"], threads), of_files, "with {threads} threads");
    }
    let both: [&[&str]; 5] = [
        &["query", "event.outcome: failure"],
        &["query", "*", "--count-by", "event.action,user.name"],
        &["query", "sequence by user.name [any where true] [any where true]", "-l", "eql"],
        &["normalize"],
        &["summary", "-f", "json"],
    ];
    for command in both {
        let run = |from: &[&str]| {
            let ran = folder.run(&[command, &NOW, &["-q"], from].concat());
            assert!(matches!(ran.code, Some(0 | 3)), "{ran:?}");
            ran.out
        };
        let (files, stored) = (run(paths), run(&["--store", "kept"]));
        assert!(!files.is_empty(), "{command:?}");
        // Those that print in the order of files have another one to print in.
        assert_eq!(sorted(&stored), sorted(&files), "{command:?}");
    }
}

#[test]
fn hunts_over_a_store_find_what_hunts_over_its_files_find() {
    let folder = Folder::new();
    let examples = examples();
    let examples = examples.to_str().unwrap();
    let out = add(&folder, &[examples]);
    assert!(out.contains(" 0 there already + 0 unreadable"), "{out}");
    assert!(!alerts(&folder, &[examples], "1").is_empty());
    assert_alike(&folder, &[examples]);
    let first: Value =
        serde_json::from_str(alerts(&folder, &[examples], "1").lines().next().unwrap()).unwrap();
    let id = first["kibana.alert.uuid"].as_str().unwrap();
    let investigate = |from: &[&str]| {
        let of = ["investigate", "--alert", id, "-f", "json", "-q"];
        let ran = folder.run(&[&of, &NOW[..], from].concat());
        ran.printed(0).to_owned()
    };
    assert_eq!(investigate(&["--store", "kept"]), investigate(&[examples]));
}

/// Recorded attacks and all rules at hand: every hunt goes by the columns first, and must find what the records say.
#[test]
fn columns_change_no_verdict() {
    let Some(rules) = shared("rules/elastic") else { return };
    let names = ["invictus", "stratus", "sans504", "permiso-console-sessions", "cloudtrail-ecs"];
    let mut paths: Vec<String> =
        names.iter().filter_map(|it| shared(it)).map(|it| it.display().to_string()).collect();
    paths.push(examples().display().to_string());
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let folder = Folder::new();
    strange(&folder);
    let paths = [&paths[..], &["in"]].concat();
    add(&folder, &paths);
    let rules = rules.display().to_string();
    let with = |more: &[&str]| {
        let of = ["hunt", "-f", "ndjson", "-q", "-r", &rules, "--builtin"];
        let ran = folder.run(&[&of, &NOW[..], more].concat());
        assert!(matches!(ran.code, Some(0 | 3)), "{}", ran.err);
        ran.out
    };
    for more in
        [&[][..], &["--no-identity", "--keep-original"], &["--since", "2023-07-10", "--until", "2026-03-03"]]
    {
        let (files, stored) =
            (with(&[&paths[..], more].concat()), with(&[&["--store", "kept"], more].concat()));
        assert!(files.lines().count() > 20, "{more:?}");
        for (a, b) in files.lines().zip(stored.lines()) {
            assert_eq!(a, b, "{more:?}");
        }
        assert_eq!(files.len(), stored.len(), "{more:?}");
    }
}

#[test]
fn strange_records_are_kept_as_they_are() {
    let folder = Folder::new();
    strange(&folder);
    let out = add(&folder, &["in"]);
    assert!(
        out.starts_with("3 files: 18 records read = 13 stored + 3 there already + 2 unreadable\n"),
        "{out}"
    );
    assert_alike(&folder, &["in"]);
    // Again, in smaller batches, and from a copy: nothing is stored twice.
    let before = show(&folder)["events"].clone();
    let out = add(&folder, &["in", "--again", "--batch-bytes", "1"]);
    assert!(
        out.starts_with("3 files: 18 records read = 0 stored + 16 there already + 2 unreadable\n"),
        "{out}"
    );
    folder.write("copy/a.ndjson", std::fs::read(folder.join("in/a.ndjson")).unwrap());
    let out = add(&folder, &["copy"]);
    assert!(
        out.starts_with("1 file: 14 records read = 0 stored + 13 there already + 1 unreadable\n"),
        "{out}"
    );
    assert_eq!(show(&folder)["events"], before);
    assert_alike(&folder, &["in"]);
}

#[test]
fn batches_of_any_size_hold_the_same() {
    let folder = Folder::new();
    strange(&folder);
    let examples = examples();
    let paths = ["in", examples.to_str().unwrap()];
    for (batch, threads) in [("1", "1"), ("100000", "3")] {
        let _ = std::fs::remove_dir_all(folder.join("kept"));
        add(&folder, &[&paths[..], &["--batch-bytes", batch, "--threads", threads]].concat());
        assert_eq!(alerts(&folder, &["--store", "kept"], "2"), alerts(&folder, &paths, "2"), "{batch}");
        let shown = show(&folder);
        assert_eq!(shown["records"]["stored"], shown["events"]);
    }
}

#[test]
fn files_that_were_taken_in_are_not_read_again() {
    let folder = Folder::with_calls();
    assert!(add(&folder, &["calls.ndjson"]).starts_with("1 file: 4 records read = 4 stored"));
    let out = add(&folder, &["calls.ndjson"]);
    assert!(out.starts_with("0 files: 0 records read"), "{out}");
    assert!(out.contains("1 file was taken in before"), "{out}");
    let mut more = std::fs::read_to_string(folder.join("calls.ndjson")).unwrap();
    more += &(refused("e-9", "2026-03-05T10:00:00Z", "ci").to_string() + "\n");
    folder.write("calls.ndjson", more);
    let out = add(&folder, &["calls.ndjson"]);
    assert!(out.starts_with("1 file: 5 records read = 1 stored + 4 there already"), "{out}");
}

const COMPACT: [&str; 7] = ["store", "compact", "--store", "kept", "-q", "--now", "2026-03-09"];

/// Kills `store add` and `store compact` at moments that are spread over its run, again and again, and then lets it end.
#[test]
fn a_killed_run_loses_nothing_and_stores_nothing_twice() {
    let folder = Folder::new();
    let record = |at: usize| {
        let (day, minute) = (1 + at % 5, at % 60);
        refused(&format!("k-{at}"), &format!("2026-03-0{day}T10:{minute:02}:00Z"), "ci")
    };
    for file in 0..24 {
        let records: Vec<Value> = (0..40).map(|at| record(file * 40 + at)).collect();
        folder.lines(&format!("in/{file:02}.ndjson"), &records);
    }
    let arguments = ["store", "add", "--store", "kept", "-q", "--batch-bytes", "40000", "in"];
    let mut kills = 0;
    for round in 0..40_u64 {
        // Now and then it is a compaction, which a run that ends begins by itself, too.
        let is_compaction = round % 4 == 3 && folder.join("kept/trailwarden.db").exists();
        let arguments = if is_compaction { &COMPACT[..] } else { &arguments };
        let mut command = folder.command(arguments);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let (started, patience) = (Instant::now(), Duration::from_micros(2_000 + round * round * 90));
        while started.elapsed() < patience {
            if child.try_wait().unwrap().is_some() {
                break;
            }
            std::thread::yield_now();
        }
        // What was said to be stored before is there, whatever this run came to.
        kills += u64::from(child.kill().is_ok() && child.wait().unwrap().code().is_none());
        // Nobody who knows nothing of the database reads an event twice.
        if let Some(twice) = duckdb(&folder, DUCKDB_TWICE) {
            assert_eq!(twice, json!(0), "round {round}");
        }
        if folder.join("kept/trailwarden.db").exists() {
            let check = folder.run(&["store", "check", "--store", "kept", "-f", "json"]);
            // A database that was being made has no tables yet.
            if check.code != Some(2) {
                let check: Value = serde_json::from_str(check.printed(0)).unwrap();
                assert_eq!(check["wrong"], json!([]), "round {round}");
            }
        }
    }
    assert!(kills > 5, "only {kills} runs were killed");
    add(&folder, &["in"]);
    folder.run(&COMPACT).printed(0);
    let shown = show(&folder);
    assert_eq!((&shown["events"], &shown["segments"]), (&json!(24 * 40), &json!(5)));
    assert_eq!(alerts(&folder, &["--store", "kept"], "2"), alerts(&folder, &["in"], "2"));
}

#[test]
fn what_is_damaged_is_told_and_nothing_panics() {
    let folder = Folder::with_calls();
    add(&folder, &["calls.ndjson"]);
    let segments: Vec<PathBuf> = walk(&folder.join("kept/events"));
    assert_eq!(segments.len(), 2);
    let whole = std::fs::read(&segments[0]).unwrap();
    for at in (0..whole.len()).step_by(397).chain([whole.len() - 1, whole.len() - 6]) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x55;
        std::fs::write(&segments[0], &bytes).unwrap();
        let check = folder.run(&["store", "check", "--store", "kept"]);
        assert!(check.printed(1).contains("STORE007"), "byte {at}: {check:?}");
        let hunt = folder.run(&["hunt", "--store", "kept", "--only", "EC2 Admin", "--now", "2026-04-01"]);
        assert!(!hunt.err.contains("panicked"), "byte {at}: {hunt:?}");
        assert!(matches!(hunt.code, Some(0 | 3)), "byte {at}: {hunt:?}");
    }
    for cut in [0, 1, 8, whole.len() / 2, whole.len() - 1] {
        std::fs::write(&segments[0], &whole[..cut]).unwrap();
        let hunt = folder.run(&["hunt", "--store", "kept", "--now", "2026-04-01"]);
        assert_eq!(hunt.code, Some(3), "{hunt:?}");
        assert!(hunt.out.contains("READ029") || hunt.err.contains("READ029"), "{hunt:?}");
    }
    std::fs::remove_file(&segments[0]).unwrap();
    let hunt = folder.run(&["hunt", "--store", "kept", "--strict", "--now", "2026-04-01"]);
    assert_eq!(hunt.code, Some(2), "{hunt:?}");
    std::fs::write(&segments[0], &whole).unwrap();
    assert_eq!(folder.run(&["hunt", "--store", "kept", "--now", "2026-04-01"]).code, Some(0));

    let database = std::fs::read(folder.join("kept/trailwarden.db")).unwrap();
    for at in (0..database.len()).step_by(2_053) {
        let mut bytes = database.clone();
        bytes[at..].iter_mut().take(64).for_each(|it| *it ^= 0x55);
        folder.write("kept/trailwarden.db", &bytes);
        for command in ["show", "check"] {
            let ran = folder.run(&["store", command, "--store", "kept"]);
            assert!(!ran.err.contains("panicked") && ran.code.is_some(), "byte {at}: {ran:?}");
        }
    }
    folder
        .write("kept/trailwarden.db", "this is no database, and longer than the header of one is".repeat(9));
    let ran = folder.run(&["hunt", "--store", "kept"]);
    assert!(ran.error().contains("STORE006"), "{ran:?}");
}

#[test]
fn what_is_no_store_is_told() {
    let folder = Folder::with_calls();
    let ran = folder.run(&["hunt", "--store", "nowhere"]);
    assert!(ran.error().starts_with("STORE001"), "{ran:?}");
    let ran = folder.run(&["store", "add", "--store", ".", "calls.ndjson"]);
    assert!(ran.error().starts_with("STORE002"), "{ran:?}");
    let ran = folder.run(&["query", "*", "--store", "nowhere", "--mapping", "calls.ndjson"]);
    assert_eq!(ran.code, Some(2));
}

/// Counts and filters the events of a store as somebody would who knows nothing of it but its columns.
const DUCKDB: &str = r#"
import json, sys
try:
    import duckdb
except ImportError:
    print("no duckdb"); sys.exit(0)
events = "read_parquet('kept/events/*/*.parquet', hive_partitioning = true)"
def ask(query):
    return duckdb.sql(query).fetchall()
print(json.dumps({
    "all": ask(f"SELECT count(*) FROM {events}")[0][0],
    "events": ask(f"SELECT count(*) FROM {events} WHERE delivery = 1")[0][0],
    "ids": ask(f"SELECT count(DISTINCT id) FROM {events}")[0][0],
    "days": ask(f"SELECT day::VARCHAR, count(*) FROM {events} GROUP BY ALL ORDER BY 1 NULLS LAST"),
    "user": ask(f"SELECT id FROM {events} WHERE event_outcome = 'failure' AND user_name = 'backup'"),
    "time": ask(f"SELECT id FROM {events} WHERE event_time >= TIMESTAMPTZ '2026-03-04 11:00:00Z' ORDER BY 1"),
    "record": ask(f"SELECT record->>'eventName' FROM {events} WHERE id = 'e-7'"),
    "sorted": ask(f"SELECT count(*) FROM (SELECT event_time < lag(event_time) OVER (PARTITION BY filename "
                  f"ORDER BY file_row_number) AS back FROM read_parquet('kept/events/*/*.parquet', "
                  f"filename = true, file_row_number = true)) WHERE back")[0][0],
}))
"#;

/// How many records lie in the folder twice.
const DUCKDB_TWICE: &str = r#"
import json, glob
try:
    import duckdb
except ImportError:
    print("no duckdb")
else:
    files = glob.glob("kept/events/*/*.parquet")
    query = f"SELECT count(*) - count(DISTINCT record) FROM read_parquet({files})"
    print(json.dumps(duckdb.sql(query).fetchall()[0][0] if files else 0))
"#;

/// What a script says that asks `DuckDB`; nothing, loudly, where there is none.
fn duckdb(folder: &Folder, script: &str) -> Option<Value> {
    let mut python = std::process::Command::new("python3");
    let Ok(output) = python.args(["-c", script]).current_dir(folder.path()).output() else {
        skipped("python3");
        return None;
    };
    let out = String::from_utf8_lossy(&output.stdout);
    if out.trim() == "no duckdb" {
        skipped("the package duckdb");
        return None;
    }
    let error = || panic!("{}", String::from_utf8_lossy(&output.stderr));
    Some(serde_json::from_str(&out).unwrap_or_else(|_| error()))
}

#[test]
fn duckdb_reads_the_segments_as_they_lie_there() {
    let folder = Folder::new();
    strange(&folder);
    let mut backup = refused("e-8", "2026-03-04T12:00:00Z", "backup");
    backup["userIdentity"]["type"] = json!("AssumedRole");
    folder.lines("in/d.ndjson", &[backup]);
    add(&folder, &["in", "--batch-bytes", "1000"]);
    let Some(found) = duckdb(&folder, DUCKDB) else { return };
    assert_eq!(found["all"], json!(14), "one of them is a further delivery");
    assert_eq!((&found["events"], &found["ids"], &found["sorted"]), (&json!(13), &json!(13), &json!(0)));
    assert_eq!(found["days"], json!([["2026-03-02", 6], ["2026-03-03", 1], ["2026-03-04", 3], [null, 4]]));
    assert_eq!(found["user"], json!([["e-8"]]));
    assert_eq!(found["time"], json!([["e-8"], ["hit"]]));
    assert_eq!(found["record"], json!([["GetPasswordData"]]));
}

#[expect(clippy::print_stderr, reason = "whoever runs the tests must see what they did not do")]
fn skipped(what: &str) {
    let must_run = std::env::var_os("CI").is_some_and(|value| value == "true");
    assert!(!must_run, "without {what} no other engine reads the store");
    eprintln!("SKIPPED: without {what} no other engine read the store");
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(walk(&path)) } else { files.push(path) }
    }
    files.sort();
    files
}
