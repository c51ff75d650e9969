//! `trailwarden verify`, over a bucket with signed digest files.

use std::io::{Read as _, Write as _};

use serde_json::Value;

use crate::setup::{Folder, case};

const FOLDER: &str = "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/03/02";
const DIGESTS: &str = "AWSLogs/111122223333/CloudTrail-Digest/eu-west-1/2026/03/02";
const NOW: &str = "2026-06-01";

fn log(number: u32) -> String {
    let (hour, minute) = (10 + (number - 1) / 2, if number % 2 == 1 { 5 } else { 35 });
    format!("{FOLDER}/111122223333_CloudTrail_eu-west-1_20260302T{hour}{minute:02}Z_File{number:012}.json.gz")
}

fn digest(hour: u32) -> String {
    format!("{DIGESTS}/111122223333_CloudTrail-Digest_eu-west-1_main_eu-west-1_20260302T{hour}0000Z.json.gz")
}

fn text(folder: &Folder, name: &str) -> String {
    let mut text = String::new();
    flate2::read::GzDecoder::new(std::fs::File::open(folder.join(name)).unwrap())
        .read_to_string(&mut text)
        .unwrap();
    text
}

fn put(folder: &Folder, name: &str, text: &str) {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(text.as_bytes()).unwrap();
    folder.write(name, out.finish().unwrap());
}

fn json(folder: &Folder, code: i32, keys: &str) -> Value {
    let arguments = ["verify", "AWSLogs", "--public-keys", keys, "-f", "json", "--now", NOW];
    serde_json::from_str(folder.run(&arguments).printed(code)).unwrap()
}

#[test]
fn a_bucket_as_it_was_delivered() {
    let folder = case("verify");
    let ran = folder.run(&["verify", "AWSLogs", "--public-keys", "keys.json", "--now", NOW]);
    insta::assert_snapshot!("verify", ran.whole());
    let found = json(&folder, 0, "keys.json");
    assert_eq!(found["digests"]["chains"][0]["signatures"]["right"], 3);
    assert_eq!((&found["files"]["right"], &found["digests"]["chains"][0]["vouched"]), (&6.into(), &3.into()));
    // What nobody checked is not good.
    let bare = folder.run(&["verify", "AWSLogs", "--now", NOW]);
    assert!(bare.printed(0).contains("whose signatures were not checked (--public-keys)"), "{}", bare.out);
    // The order of threads does not matter.
    for threads in ["1", "3"] {
        let same = folder.run(&[
            "verify",
            "AWSLogs",
            "--public-keys",
            "keys.json",
            "--now",
            NOW,
            "--threads",
            threads,
        ]);
        assert_eq!(same.out, ran.out);
    }
    let markdown = folder.run(&["verify", "AWSLogs", "-f", "md", "--now", NOW]);
    assert!(markdown.printed(0).starts_with("# Completeness\n"));
}

#[test]
fn unpacked_and_renamed_it_is_the_same() {
    let folder = case("verify");
    for number in 1..=6 {
        let text = text(&folder, &log(number));
        std::fs::remove_file(folder.join(&log(number))).unwrap();
        folder.write(&format!("AWSLogs/copy/{number}.json"), text);
    }
    let found = json(&folder, 0, "keys.json");
    assert_eq!((&found["files"]["right"], &found["verdict"]), (&6.into(), &"blind".into()));
}

#[test]
fn what_somebody_did() {
    let folder = case("verify");
    let changed = text(&folder, &log(2)).replacen("198.51.100.7", "198.51.100.8", 1);
    put(&folder, &log(2), &changed);
    std::fs::remove_file(folder.join(&log(5))).unwrap();
    folder.write(&log(6), &std::fs::read(folder.join(&log(6))).unwrap()[..60]);
    let found = json(&folder, 1, "keys.json");
    assert_eq!((&found["verdict"], &found["files"]["right"]), (&"broken".into(), &3.into()));
    let changed: Vec<(&str, bool)> = found["files"]["changed"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["object"].as_str().unwrap(), it["readable"].as_bool().unwrap()))
        .collect();
    assert_eq!(changed, [(&*log(2), true), (&*log(6), false)]);
    assert_eq!(found["files"]["missing"][0]["object"], log(5));
    let ran = folder.run(&["verify", "AWSLogs", "--public-keys", "keys.json", "--now", NOW]);
    let first = ran.printed(1).replace("\n  ", " ");
    let sentence = "Something is wrong: 2 files were changed, 1 listed file is missing, 1 blind range, \
                    3 listed files of 3 digests as it should be.";
    assert!(first.starts_with(sentence), "{first}");
}

#[test]
fn what_somebody_did_to_digests() {
    let kinds = |found: &Value| -> Vec<String> {
        let problems = found["digests"]["chains"][0]["problems"].as_array().unwrap();
        problems.iter().map(|it| it["kind"].as_str().unwrap().to_owned()).collect()
    };
    let folder = case("verify");
    assert_eq!(kinds(&json(&folder, 1, "others.json")), ["wrong-signature"; 3]);

    std::fs::remove_file(folder.join(&digest(12))).unwrap();
    let found = json(&folder, 1, "keys.json");
    assert_eq!(kinds(&found), ["missing"]);
    assert_eq!(found["files"]["not_covered"].as_array().unwrap().len(), 2);

    let folder = case("verify");
    let less = text(&folder, &digest(12)).replacen("2026-03-02T11:33:00Z", "2026-03-02T11:33:01Z", 1);
    put(&folder, &digest(12), &less);
    assert_eq!(kinds(&json(&folder, 1, "keys.json")), ["wrong-signature", "broken-link"]);

    // The signature that lies beside the last one is that of another.
    let folder = case("verify");
    let before: Value = serde_json::from_str(&text(&folder, &digest(13))).unwrap();
    let swapped = serde_json::json!({"Metadata": {"signature": before["previousDigestSignature"]}});
    folder.write(&format!("{}.metadata.json", digest(13)), swapped.to_string());
    assert_eq!(kinds(&json(&folder, 1, "keys.json")), ["wrong-signature"]);

    let folder = case("verify");
    put(&folder, &digest(12), "{\"digestEndTime\":");
    let found = json(&folder, 1, "keys.json");
    let why = found["digests"]["unreadable"][0]["why"].as_str().unwrap();
    assert!(why.starts_with("DIG001 "), "{why}");
}

/// A range narrows what is told, and nothing of how it is judged.
#[test]
fn what_is_about_a_range() {
    let folder = case("verify");
    std::fs::remove_file(folder.join(&log(5))).unwrap();
    let of = |range: &[&str], code: i32| -> Value {
        let all = ["verify", "AWSLogs", "--public-keys", "keys.json", "-f", "json", "--now", NOW];
        serde_json::from_str(folder.run(&[&all[..], range].concat()).printed(code)).unwrap()
    };
    // The fifth file is of twelve o'clock; the blind range lasts from 11:04 to 11:34.
    let whole = of(&[], 1);
    let late = of(&["--since", "2026-03-02 12:00"], 1);
    let early = of(&["--until", "2026-03-02 11:00"], 0);
    for (found, missing, blind) in [(&whole, 1, 1), (&late, 1, 0), (&early, 0, 0)] {
        assert_eq!(found["files"]["missing"].as_array().unwrap().len(), missing, "{found:#}");
        assert_eq!(found["blind"].as_array().unwrap().len(), blind, "{found:#}");
        assert_eq!(found["read"]["events"], whole["read"]["events"], "everything is read");
    }
    // The digest of ten o'clock is vouched for by the one that follows it.
    assert_eq!(early["digests"]["chains"][0]["problems"].as_array().unwrap().len(), 0);
    assert!(early["digests"]["chains"][0]["vouched"].as_u64().unwrap() >= 1, "{early:#}");
    let error = folder.run(&["verify", "AWSLogs", "--since", "2026-03-03", "--until", "2026-03-02"]);
    assert!(error.error().contains("does not lie before"), "{}", error.err);
}

#[test]
fn a_hunt_says_it_in_one_line() {
    let folder = case("verify");
    let ran = folder.run(&["hunt", "AWSLogs", "--now", NOW]);
    let last = ran.printed(0).trim_end().lines().last().unwrap_or_default().to_owned();
    assert_eq!(
        last,
        "warning: completeness: trail main (111122223333 eu-west-1) recorded nothing from 2026-03-02 11:04:00 to \
         2026-03-02 11:34:00 (StopLogging by arn:aws:iam::111122223333:user/ada); 3 digest files not checked: \
         `trailwarden verify` does"
    );
    let quiet = folder.run(&["hunt", &log(1), "--now", NOW]);
    assert!(
        quiet.out.contains("note: completeness: no call stopped or narrowed a trail; files not checked"),
        "{}",
        quiet.out
    );
}

#[test]
fn bad_input() {
    let folder = case("verify");
    let error = folder.run(&["verify", "AWSLogs", "--public-keys", "README.md"]);
    assert!(
        error.error().contains("--public-keys `README.md`: DIG010 there is no public key in it"),
        "{}",
        error.err
    );
    let error = folder.run(&["verify", "AWSLogs", "--public-keys", "none.json"]);
    assert!(error.error().contains("none.json"));
    let nothing = folder.run(&["verify", "keys.json", "--now", NOW]);
    assert_eq!(nothing.code, Some(2), "nothing was read: {}", nothing.out);
    folder.write("AWSLogs/broken.json", "{\"Records\":[{\"eventVersion\":\"1.08\"");
    let part = folder.run(&["verify", "AWSLogs", "--public-keys", "keys.json", "--now", NOW]);
    assert!(part.printed(3).contains("1 part of the input could not be read"), "{}", part.out);
    let strict = folder.run(&["verify", "AWSLogs", "--now", NOW, "--strict"]);
    assert_eq!(strict.code, Some(2));
}
