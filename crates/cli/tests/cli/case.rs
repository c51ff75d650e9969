//! Case files: what they hold, and that they say the same elsewhere.

use std::io::{Read as _, Write as _};
use std::path::Path;

use serde_json::Value;

use crate::setup::Folder;

const NOW: &str = "2026-06-01";

fn example() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/cloudtrail").display().to_string()
}

/// The files of a case.
fn unpacked(folder: &Folder, name: &str) -> Vec<(String, Vec<u8>)> {
    let mut zip = zip::ZipArchive::new(std::fs::File::open(folder.join(name)).unwrap()).unwrap();
    let count = zip.len();
    let member = |at| {
        let mut member = zip.by_index(at).unwrap();
        let mut bytes = Vec::new();
        member.read_to_end(&mut bytes).unwrap();
        (member.name().unwrap().into_owned(), bytes)
    };
    (0..count).map(member).collect()
}

fn pack(folder: &Folder, name: &str, files: &[(String, Vec<u8>)]) {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    folder.write(name, zip.finish().unwrap().into_inner());
}

#[test]
fn a_case_says_the_same_elsewhere() {
    let folder = Folder::new();
    let hunt = ["hunt", &example(), "--now", NOW, "-f", "ndjson", "--case"];
    let ran = folder.run(&[&hunt[..], &["a.case"]].concat());
    assert!(ran.err.contains("and a hunt over them says the same"), "{}", ran.err);
    // The same bytes, whatever the threads.
    let again = folder.run(&[&hunt[..], &["b.case", "--threads", "1"]].concat());
    assert_eq!(again.out, ran.out);
    assert_eq!(std::fs::read(folder.join("a.case")).unwrap(), std::fs::read(folder.join("b.case")).unwrap());

    let files = unpacked(&folder, "a.case");
    let names: Vec<&str> = files.iter().map(|it| &*it.0).collect();
    assert_eq!(
        names,
        [
            "manifest.json",
            "alerts.ndjson",
            "options.json",
            "places.ndjson",
            "records.json",
            "report.txt",
            "rules.ndjson"
        ]
    );
    assert_eq!(String::from_utf8_lossy(&files[1].1), ran.out, "its alerts are those that were printed");
    let lines = |at: usize| String::from_utf8_lossy(&files[at].1).lines().count();
    assert_eq!(lines(3), lines(4), "each record has a place");

    let elsewhere = Folder::new();
    elsewhere.write("moved.zip", std::fs::read(folder.join("a.case")).unwrap());
    let ran = elsewhere.run(&["case", "verify", "moved.zip"]);
    assert!(
        ran.printed(0)
            .starts_with("The case is whole: 6 files as listed.\na hunt over its records raises the same ")
    );

    // A byte of a record, an alert less, a file more.
    let at = |name: &str| files.iter().position(|it| it.0 == name).unwrap();
    let mut other = files.clone();
    let text = String::from_utf8(other[at("records.json")].1.clone()).unwrap();
    other[at("records.json")].1 = text.replacen("eventVersion", "eventversion", 1).into_bytes();
    pack(&elsewhere, "changed.zip", &other);
    assert!(
        elsewhere.run(&["case", "verify", "changed.zip"]).printed(1).contains("records.json was changed\n")
    );
    let mut other = files.clone();
    let alerts = String::from_utf8(other[at("alerts.ndjson")].1.clone()).unwrap();
    let (first, rest) = alerts.split_once('\n').unwrap();
    other[at("alerts.ndjson")].1 = rest.as_bytes().to_vec();
    other.push(("more.txt".to_owned(), Vec::new()));
    other.remove(at("report.txt"));
    pack(&elsewhere, "changed.zip", &other);
    let id: Value = serde_json::from_str(first).unwrap();
    let ran = elsewhere.run(&["case", "verify", "changed.zip"]);
    for said in [
        "The case is not as it was written.\n",
        "alerts.ndjson was changed\n",
        "report.txt is missing\n",
        "more.txt does not belong to the case\n",
        &format!(
            "alert {} was raised now and is not in the case\n",
            id["kibana.alert.uuid"].as_str().unwrap()
        ),
    ] {
        assert!(ran.printed(1).contains(said), "{said}: {}", ran.out);
    }
}

/// Whatever the options, and whatever records are: delivered, copied, or documents of an index.
#[test]
fn a_case_depends_on_nothing_else() {
    let folder = Folder::new();
    let example = example();
    let documents = folder.run(&["query", "*", &example, "--now", NOW]);
    folder.write("documents.ndjson", documents.printed(0));
    for (number, options) in [
        &["--once", "--since", "2026-03-05", "--until", "2026-03-11", "--keep-original", "--no-identity"][..],
        &["--since", "2026-03-10", "--lang", "zh-CN", "--max-signals", "1"],
        &["--only", "credential", "documents.ndjson"],
        &["documents.ndjson"],
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("{number}.case");
        let mut arguments = vec!["hunt", &example, "--now", NOW, "-f", "ndjson", "--case", &name];
        if number == 3 {
            arguments.remove(1);
        }
        arguments.extend(options);
        let ran = folder.run(&arguments);
        assert!(ran.err.contains("and a hunt over them says the same"), "{options:?}: {}", ran.err);
        assert!(folder.run(&["case", "verify", &name]).printed(0).starts_with("The case is whole"));
    }
}

#[test]
fn bad_cases() {
    let folder = Folder::with_calls();
    let error = folder.run(&["case", "verify", "calls.ndjson"]);
    assert!(error.error().contains("is no case file"), "{}", error.err);
    pack(&folder, "empty.zip", &[]);
    assert!(folder.run(&["case", "verify", "empty.zip"]).error().contains("is no case file"));
    let manifest = br#"{"form": 9, "trailwarden": "9.9", "files": []}"#.to_vec();
    pack(&folder, "later.zip", &[("manifest.json".to_owned(), manifest)]);
    let error = folder.run(&["case", "verify", "later.zip"]);
    assert!(error.error().contains("has form 9") && error.err.contains("use 9.9"), "{}", error.err);
    let error = folder.run(&["hunt", "-", "--case", "a.case"]);
    assert!(error.error().contains("standard input can be read once"), "{}", error.err);
    let error = folder.run(&["hunt", "calls.ndjson", "--case", "calls.ndjson"]);
    assert!(error.error().contains("one of the files that are read"), "{}", error.err);
}
