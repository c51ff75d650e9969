//! Rules that cannot alert on what is here: each is told, once, by `hunt` and where it is known before, by `lint`.

use crate::setup::{Folder, Ran, refused};

fn rule(name: &str, lines: &str) -> String {
    format!(
        "[rule]\nname = \"{name}\"\ndescription = \"d\"\nseverity = \"low\"\nrisk_score = 1\ntype = \"query\"\n{lines}\n"
    )
}

/// A hunt in `calls.ndjson` with one rule.
fn hunt(folder: &Folder, lines: &str) -> Ran {
    folder.write("rules/a.toml", rule("A", lines));
    folder.run(&["hunt", "calls.ndjson", "-r", "rules"])
}

fn folder() -> Folder {
    let folder = Folder::new();
    folder.lines("calls.ndjson", &[refused("e-1", "2026-03-02T10:00:00Z", "ci")]);
    folder
}

/// Asserts that it is said once.
fn once(ran: &Ran, text: &str) {
    let whole = format!("{}{}", ran.out, ran.err);
    assert_eq!(whole.matches(text).count(), 1, "{text:?} is not there once:\n{whole}");
}

#[test]
fn a_time_that_no_event_has() {
    let folder = folder();
    let lines = "query = \"event.action: GetPasswordData\"\ntimestamp_override = \"event.start\"\n";
    let without = hunt(&folder, &format!("{lines}timestamp_override_fallback_disabled = true"));
    once(&without, "Of 1 events that its query lets through, 1 have no `event.start`");
    once(&without, "0 alerts");
    let with = hunt(&folder, lines);
    assert!(!with.out.contains("event.start"), "{}", with.out);
    once(&with, "1 alert:");
}

#[test]
fn places_without_a_database() {
    let ran = hunt(&folder(), "query = \"source.geo.country_iso_code: US\"");
    once(&ran, "1 rule asks for places or networks of addresses (`source.geo`, `source.as`)");
}

#[test]
fn an_index_that_matches_nothing() {
    let ran = hunt(&folder(), "index = [\"winlogbeat-*\"]\nquery = \"event.action: GetPasswordData\"");
    once(&ran, "1 rule reads nothing of what is here, which belongs to `logs-aws.cloudtrail-default`");
    assert_eq!(ran.code, Some(2), "nothing could have alerted");
}

/// A record that cannot be read is told, and is no event, not even for who asks for such; of a record whose time alone
/// cannot be read there is a document that says so.
#[test]
fn what_the_pipeline_could_not_read() {
    let folder = folder();
    let mut odd = refused("e-2", "soon", "ci");
    odd["eventName"] = "Odd".into();
    folder.write(
        "calls.ndjson",
        format!("{odd}\n{{\"eventVersion\":\"1.08\",\"eventSource\":\"a.b\",\"x\":{{\"k\":\n"),
    );
    let ran = hunt(&folder, "query = \"event.kind: pipeline_error\"");
    once(&ran, "1 alert:");
    once(&ran, "Odd");
    assert_eq!(ran.code, Some(3), "{}", ran.out);
}

/// The ending of a file may be written in any letter case, and no file hides another.
#[test]
fn files_whose_names_differ_in_letter_case() {
    let folder = folder();
    folder.write("rules/x.toml", rule("Lower", "query = \"event.action: GetPasswordData\""));
    folder.write("rules/X.TOML", rule("Upper", "query = \"user.name: ci\""));
    let ran = folder.run(&["hunt", "calls.ndjson", "-r", "rules"]);
    for name in ["Lower", "Upper"] {
        assert!(ran.printed(0).contains(name), "{name}: {}", ran.out);
    }
    once(&ran, "2 alerts");
}
