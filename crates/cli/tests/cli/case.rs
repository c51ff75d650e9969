//! Case files: what they hold, and that they say the same elsewhere.

use std::io::{Read as _, Write as _};
use std::path::Path;

use serde_json::Value;

use cases::shared;

use crate::page::Page;
use crate::setup::{Folder, records_below, refused};

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
    let error = folder.run(&["hunt", "calls.ndjson", "--case", "calls.ndjson"]);
    assert!(error.error().contains("one of the files that are read"), "{}", error.err);
}

/// Value lists, alerts of earlier hunts and the standard input go with a case.
#[test]
fn what_a_hunt_is_given_goes_with_it() {
    let folder = Folder::with_calls();
    let rule = "[rule]\nrule_id = \"r\"\nname = \"R\"\ndescription = \"d\"\nseverity = \"low\"\nrisk_score = 1\n\
                type = \"query\"\nquery = \"event.action: GetPasswordData\"\n\
                [[rule.exceptions_list]]\nid = \"1\"\nlist_id = \"known\"\ntype = \"detection\"\nnamespace_type = \"single\"\n";
    folder.write("rules/r.toml", rule);
    let entry = serde_json::json!({"type": "list", "operator": "included", "field": "user.name",
        "list": {"id": "roles.txt", "type": "keyword"}});
    let item = serde_json::json!({"item_id": "i", "list_id": "known", "name": "n", "type": "simple",
        "namespace_type": "single", "entries": [entry]});
    folder.write("rules/known.ndjson", item.to_string());
    folder.write("rules/roles.txt", "ci\n");
    let hunt = ["hunt", "calls.ndjson", "-r", "rules", "--now", NOW, "-f", "ndjson"];
    let plain = folder.run(&[&hunt[..], &["--case", "a.case"]].concat());
    assert!(plain.err.contains("and a hunt over them says the same"), "{}", plain.err);
    let alerts = plain.printed(0).lines().count();
    assert_eq!(alerts, 2, "the list silences one role: {}", plain.out);
    assert!(unpacked(&folder, "a.case").iter().any(|it| it.0 == "values.ndjson"));

    // What is known already is not raised again, there as here.
    let first = plain.out.lines().next().unwrap().to_owned() + "\n";
    folder.write("known.ndjson", first);
    let again = folder.run(&[&hunt[..], &["--case", "b.case", "--alert-history", "known.ndjson"]].concat());
    assert!(again.err.contains("and a hunt over them says the same"), "{}", again.err);
    assert_eq!(again.printed(0).lines().count(), alerts - 1);

    // A pipe is read once, and its records are in the case.
    let calls = std::fs::read(folder.join("calls.ndjson")).unwrap();
    let piped = folder
        .run_with(&calls, &["hunt", "-", "-r", "rules", "--now", NOW, "-f", "ndjson", "--case", "c.case"]);
    assert!(piped.err.contains("and a hunt over them says the same"), "{}", piped.err);
    assert_eq!(piped.out, plain.out);
    let of = |name: &str| {
        let all = unpacked(&folder, name);
        all.into_iter().find(|it| it.0 == "records.json").unwrap().1
    };
    assert_eq!(of("c.case"), of("a.case"));

    let elsewhere = Folder::new();
    for name in ["a.case", "b.case", "c.case"] {
        elsewhere.write(name, std::fs::read(folder.join(name)).unwrap());
        assert!(
            elsewhere.run(&["case", "verify", name]).printed(0).starts_with("The case is whole"),
            "{name}"
        );
    }
}

/// Databases of places do not go with a case; their hashes do, and others are refused.
#[test]
fn a_case_names_its_databases() {
    let Some(databases) = shared("geoip-test") else { return };
    let folder = Folder::new();
    let mut call = refused("e-1", "2026-03-02T10:00:00Z", "ci");
    call["sourceIPAddress"] = "81.2.69.142".into();
    folder.lines("calls.ndjson", &[call]);
    let rule = "[rule]\nrule_id = \"r\"\nname = \"R\"\ndescription = \"d\"\nseverity = \"low\"\nrisk_score = 1\n\
                type = \"query\"\nquery = \"source.geo.country_iso_code: *\"\n";
    folder.write("rules/r.toml", rule);
    let place = databases.display().to_string();
    let ran = folder.run(&[
        "hunt",
        "calls.ndjson",
        "-r",
        "rules",
        "--now",
        NOW,
        "-f",
        "ndjson",
        "--geoip",
        &place,
        "--case",
        "a.case",
    ]);
    assert!(ran.err.contains("and a hunt over them says the same"), "{}", ran.err);
    assert_eq!(ran.printed(0).lines().count(), 1);
    assert!(
        folder
            .run(&["case", "verify", "a.case", "--geoip", &place])
            .printed(0)
            .starts_with("The case is whole")
    );
    let without = folder.run(&["case", "verify", "a.case"]);
    assert!(without.printed(1).contains("give --geoip a folder with "), "{}", without.out);
    folder.write("others/GeoLite2-City.mmdb", b"none");
    let others = folder.run(&["case", "verify", "a.case", "--geoip", "others"]);
    assert!(others.printed(1).contains("are not those of the hunt"), "{}", others.out);
}

/// A small generator of numbers, so that a case that fails can be had again.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// Whatever the rules and the records: a case of them raises the same alerts, its bytes do not depend on threads, and a
/// byte that was changed in any of its files is found.
#[test]
fn any_case_says_the_same_and_any_change_is_found() {
    let records = records_below(Path::new(&example()));
    let words =
        ["iam", "s3", "sts", "ec2", "new identity", "threshold", "new_terms", "query", "cloudtrail", "eql"];
    for seed in 0..6 {
        let mut dice = Dice(seed);
        let folder = Folder::new();
        let share = 2 + dice.roll(6);
        let some: Vec<Value> = records.iter().filter(|_| dice.roll(share) != 0).cloned().collect();
        let cut = usize::try_from(dice.roll(some.len() as u64)).unwrap();
        folder.lines("trail/a.ndjson", &some[cut..]);
        folder.lines("trail/b.ndjson", &some[..cut]);
        let mut hunt = vec!["hunt", "trail", "--now", NOW, "-f", "ndjson"];
        for _ in 0..=dice.roll(3) {
            hunt.extend(["--only", words[dice.roll(words.len() as u64) as usize]]);
        }
        let ran = folder.run(&[&hunt[..], &["--case", "a.case", "--threads", "1"]].concat());
        assert!(ran.err.contains("and a hunt over them says the same"), "{seed}: {hunt:?} {}", ran.err);
        let again = folder.run(&[&hunt[..], &["--case", "b.case", "--threads", "3"]].concat());
        assert_eq!(ran.printed(0), again.printed(0), "{seed}: {hunt:?}");
        let bytes = |name: &str| std::fs::read(folder.join(name)).unwrap();
        assert!(bytes("a.case") == bytes("b.case"), "{seed}: {hunt:?}");

        let files = unpacked(&folder, "a.case");
        for at in 1..files.len() {
            let mut other = files.clone();
            let (name, bytes) = &mut other[at];
            if bytes.is_empty() {
                continue;
            }
            let (name, place) = (name.clone(), usize::try_from(dice.roll(bytes.len() as u64)).unwrap());
            bytes[place] ^= 1 << dice.roll(7);
            pack(&folder, "changed.zip", &other);
            let ran = folder.run(&["case", "verify", "changed.zip", "--threads", "1"]);
            assert!(
                ran.printed(1).contains(&format!("{name} was changed\n")),
                "{seed} {name} {place}: {}",
                ran.out
            );
        }
    }
}

/// The records of a case are enough to tell the stories of all actors, call by call.
#[test]
fn stories_are_in_the_case() {
    let folder = Folder::new();
    let example = example();
    let page = |path: &str, more: &[&str]| {
        let base = ["hunt", path, "-q", "-f", "html", "--no-investigate", "--now", NOW];
        Page(folder.run(&[&base, more].concat()).printed(0).to_owned())
    };
    let whole = page(&example, &["--case", "a.case"]);
    for (name, bytes) in unpacked(&folder, "a.case") {
        folder.write(&format!("case/{name}"), bytes);
    }
    let again = page("case/records.json", &[]);
    assert!(!whole.data("stories").is_empty());
    assert_eq!(whole.data("actors"), again.data("actors"));
    assert_eq!(whole.data("stories"), again.data("stories"));
}
