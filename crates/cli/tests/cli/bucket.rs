//! Buckets in the place of folders.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};

use crate::fake::{BUCKET, Fake, Fault, Request};
use crate::moto::{Moto, skipped};
use crate::setup::{Folder, Ran, gzip, refused};

const NOW: &str = "2026-06-01";

/// The example, by the paths of its files in their folder.
fn example() -> (PathBuf, Vec<(String, Vec<u8>)>) {
    let root =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/cloudtrail").canonicalize().unwrap();
    let mut folders = vec![root.clone()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
                files.push((name, std::fs::read(path).unwrap()));
            }
        }
    }
    assert!(files.len() > 10, "the example has files");
    (root, files)
}

/// Runs the command, which finds buckets at an endpoint.
fn run(folder: &Folder, endpoint: &str, arguments: &[&str]) -> Ran {
    let mut command = folder.command(arguments);
    command
        .env("AWS_ENDPOINT_URL", endpoint)
        .env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .env("AWS_REGION", "eu-west-1");
    let output = command.stdout(Stdio::piped()).stderr(Stdio::piped()).output().unwrap();
    Ran {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// What a command prints of a bucket, as if it were a folder.
fn as_folder(text: &str, root: &str) -> String {
    text.replace(&format!("s3://{BUCKET}/AWSLogs"), root).replace(&format!("s3://{BUCKET}"), root)
}

/// Without the time that it took.
fn settled(text: &str) -> String {
    let rate = regex::Regex::new(r"(executions?; ).*").unwrap();
    rate.replace_all(text, "${1}[time and rate]").into_owned()
}

/// Each object fails once, in one way or another, before it is there.
fn weather(request: &Request) -> Option<Fault> {
    let kind = request.key.bytes().fold(0_u32, |all, it| all * 31 % 1_000_003 + u32::from(it)) % 5;
    match (request.before, kind) {
        (0, 0) => Some(Fault::Status(503, "SlowDown")),
        (0 | 1, 1) => Some(Fault::Cut(100)),
        (0, 2) => Some(Fault::Silent),
        (_, 3) => Some(Fault::Slow(Duration::from_millis(3))),
        _ => None,
    }
}

#[test]
fn a_bucket_gives_what_a_folder_gives() {
    let (root, files) = example();
    let count = files.len();
    let fake = Fake::start(files.into_iter().map(|(name, bytes)| (format!("AWSLogs/{name}"), bytes)), 7);
    // What lies beside is passed over in both.
    fake.put("AWSLogs/.hidden/x.json", "{}");
    fake.put("AWSLogs/", "");
    fake.put("AWSLogs-other/y.json", "{\"no\":");
    fake.fail(weather);
    let folder = Folder::new();
    let (root, bucket) = (root.to_str().unwrap(), format!("s3://{BUCKET}/AWSLogs"));
    let commands: [&[&str]; 8] = [
        &["hunt", "--now", NOW, "--format", "ndjson"],
        &["hunt", "--now", NOW, "--only", "iam", "--threads", "1"],
        &["hunt", "--now", NOW, "--only", "cloudtrail", "--since", "2026-03-08", "--format", "json"],
        &["query", "event.outcome: failure", "--now", NOW, "--format", "ndjson"],
        &["query", "user.name: *", "--count-by", "user.name", "--format", "table"],
        &["summary"],
        &["investigate", "--rule", "CloudTrail Logging Stopped", "--now", NOW],
        &["verify"],
    ];
    for command in commands {
        let at = |place: &str| {
            let mut all = command.to_vec();
            all.push(place);
            settled_run(&run(&folder, &fake.endpoint, &all), root)
        };
        let (expected, found) = (at(root), at(&bucket));
        assert!(found == expected, "{command:?}:\n{found}\n--- and not\n{expected}");
        assert!(!expected.starts_with("Some(2)"), "{command:?} does something: {expected}");
    }
    let read = fake.asked().into_iter().filter(|it| it.method == "GET").map(|it| it.key.clone());
    let read: std::collections::BTreeSet<String> = read.filter(|it| !it.is_empty()).collect();
    assert_eq!(read.len(), count, "all that is a record was read, and nothing else");

    // Also by a pattern, and by the name of one.
    let one = run(
        &folder,
        &fake.endpoint,
        &["query", "*", "--format", "ndjson", &format!("s3://{BUCKET}/AWSLogs/**/*.gz")],
    );
    let all = run(&folder, &fake.endpoint, &["query", "*", "--format", "ndjson", &bucket]);
    assert_eq!((one.code, one.out.len()), (Some(0), all.out.len()));
    let name = read.first().unwrap();
    let single =
        run(&folder, &fake.endpoint, &["query", "*", "--format", "ndjson", &format!("s3://{BUCKET}/{name}")]);
    assert!(
        single.code == Some(0) && !single.out.is_empty() && single.out.len() < all.out.len(),
        "{}",
        single.err
    );
}

fn settled_run(ran: &Ran, root: &str) -> String {
    format!(
        "{:?}\n{}\n{}",
        ran.code,
        as_folder(&settled(&ran.out), root),
        as_folder(&settled(&ran.err), root)
    )
}

/// A file of a trail, of one call.
fn delivered(day: u32, id: &str, time: &str) -> (String, Vec<u8>) {
    let key = format!(
        "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/03/{day:02}/111122223333_CloudTrail_eu-west-1_202603{day:02}T1000Z_{id}.json.gz"
    );
    (key, gzip(json!({"Records": [refused(id, time, "ci")]}).to_string().as_bytes()))
}

#[test]
fn what_no_rule_reaches_back_to_is_not_fetched() {
    let days =
        (1..=20).map(|day| delivered(day, &format!("e-{day}"), &format!("2026-03-{day:02}T09:55:00Z")));
    let files: Vec<_> = days.collect();
    let fake = Fake::start(files.clone(), 1_000);
    let folder = Folder::new();
    for (key, bytes) in &files {
        folder.write(&format!("in/{key}"), bytes);
    }
    let hunt = |place: &str| {
        let options = [
            "hunt",
            "--now",
            NOW,
            "--only",
            "query",
            "--once",
            "--since",
            "2026-03-15",
            "--format",
            "ndjson",
        ];
        run(&folder, &fake.endpoint, &[&options[..], &[place]].concat())
    };
    let (expected, found) = (hunt("in"), hunt(&format!("s3://{BUCKET}")));
    assert_eq!((found.code, &found.out), (expected.code, &expected.out), "{}", found.err);
    let fetched = fake.count(|it| !it.key.is_empty());
    assert!((6..20).contains(&fetched), "{fetched} of 20 were fetched");
}

#[test]
fn what_goes_wrong_costs_only_itself() {
    let files: Vec<_> = (1..=4)
        .map(|day| delivered(day, &format!("e-{day}"), &format!("2026-03-{day:02}T09:55:00Z")))
        .collect();
    let fake = Fake::start(files.clone(), 1_000);
    let folder = Folder::new();
    let place = format!("s3://{BUCKET}/AWSLogs/");
    let normalize = || run(&folder, &fake.endpoint, &["normalize", "--now", NOW, &place]);
    let whole = normalize();
    assert_eq!((whole.code, whole.out.lines().count()), (Some(0), 4), "{}", whole.err);
    for (fault, code, told) in [
        (Fault::Status(403, "AccessDenied"), "BKT006", "access denied"),
        (Fault::Status(404, "NoSuchKey"), "BKT008", "there is no such object"),
        (Fault::Status(403, "InvalidObjectState"), "BKT014", "archive"),
        (Fault::Cut(10), "BKT012", "it ended after"),
    ] {
        let (wrong, its) = (files[1].0.clone(), fault.clone());
        // Whatever range is asked for, ten bytes more come at most; and none after those.
        fake.fail(move |it| {
            let is_more = it.headers.contains_key("range");
            let its = if is_more && matches!(its, Fault::Cut(_)) { Fault::Cut(0) } else { its.clone() };
            (it.key == wrong).then_some(its)
        });
        let ran = normalize();
        assert_eq!((ran.code, ran.out.lines().count()), (Some(3), 3), "{fault:?}: {}", ran.err);
        assert!(ran.err.contains("1 part of the input could not be read"), "{}", ran.err);
        assert!(
            ran.err.contains(code) && ran.err.contains(told) && ran.err.contains(&files[1].0),
            "{}",
            ran.err
        );
    }
    fake.fail(|_| None);
    let other = run(&folder, &fake.endpoint, &["normalize", "s3://other/AWSLogs"]);
    assert!(
        other.error().contains("BKT005") || other.error().contains("there is no bucket `other`"),
        "{}",
        other.err
    );
    let nothing = run(&folder, &fake.endpoint, &["normalize", &format!("s3://{BUCKET}/nothing")]);
    assert!(nothing.error().contains("there is no object of this name"), "{}", nothing.err);
    // A part that cannot be listed is one that cannot be read.
    let both = run(&folder, &fake.endpoint, &["normalize", "--now", NOW, &place, "s3://other/"]);
    assert_eq!((both.code, both.out.lines().count()), (Some(3), 4), "{}", both.err);
    let none = folder
        .command(&["normalize", &place])
        .env("AWS_ENDPOINT_URL", &fake.endpoint)
        .env("AWS_METADATA_ENDPOINT", "http://127.0.0.1:9")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&none.stderr).into_owned();
    assert!(none.status.code() == Some(2) && told.contains("there are no credentials"), "{told}");
    assert!(told.contains("AWS_ACCESS_KEY_ID"), "{told}");
}

#[cfg(feature = "store")]
#[test]
fn objects_are_taken_in_once() {
    let files =
        (1..=3).map(|day| delivered(day, &format!("e-{day}"), &format!("2026-03-{day:02}T09:55:00Z")));
    let fake = Fake::start(files, 2);
    let folder = Folder::new();
    let add = |place: &str| run(&folder, &fake.endpoint, &["store", "add", "--store", "kept", place]);
    let place = format!("s3://{BUCKET}");
    assert!(add(&place).printed(0).starts_with("3 files: 3 records read = 3 stored"));
    let fetched = fake.count(|it| !it.key.is_empty());
    assert!(add(&place).printed(0).contains("3 files were taken in before and not read again"));
    assert_eq!(fake.count(|it| !it.key.is_empty()), fetched);
    let (key, bytes) = delivered(4, "e-4", "2026-03-04T09:55:00Z");
    fake.put(&key, bytes);
    assert!(add(&place).printed(0).contains("1 file: 1 record read = 1 stored"));
}

/// Over a bucket of somebody else's make.
#[test]
fn a_bucket_of_moto_gives_what_a_folder_gives() {
    let mut moto = match Moto::start() {
        Ok(moto) => moto,
        Err(missing) => return skipped(missing),
    };
    let (root, files) = example();
    moto.bucket(BUCKET);
    for (name, bytes) in &files {
        moto.put(BUCKET, &format!("AWSLogs/{name}"), bytes);
    }
    moto.put(BUCKET, "AWSLogs/a b+c ä/extra.json", b"{\"Records\":[]}");
    let folder = Folder::new();
    let hunt = |place: &str| {
        let ran = run(&folder, &moto.endpoint, &["hunt", "--now", NOW, "--format", "ndjson", place]);
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        let alerts: Vec<Value> = ran.out.lines().map(|it| serde_json::from_str(it).unwrap()).collect();
        assert!(!alerts.is_empty());
        ran.out
    };
    assert!(hunt(&format!("s3://{BUCKET}/AWSLogs")) == hunt(root.to_str().unwrap()));
    let other = run(&folder, &moto.endpoint, &["hunt", "s3://nobodys-bucket/"]);
    assert!(other.error().contains("there is no bucket `nobodys-bucket`"), "{}", other.err);
}
