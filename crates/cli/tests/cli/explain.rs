//! `hunt --explain`: what the rules say of one event, and in which execution.

use crate::setup::{Folder, refused};

fn rule(name: &str, query: &str) -> String {
    format!(
        "[rule]\nname = \"{name}\"\ndescription = \"d\"\nseverity = \"low\"\nrisk_score = 1\ntype = \"query\"\n\
         query = \"event.action: GetPasswordData and {query}\"\nfrom = \"now-20m\"\n"
    )
}

/// What the clock decides is shown as of the execution that alerted, which need not be the first that sees the event.
#[test]
fn what_the_clock_decided() {
    let folder = Folder::new();
    folder.lines("calls.ndjson", &[refused("e-1", "2026-03-02T10:00:30Z", "ci")]);
    folder.write("rules/waits.toml", rule("Waits", "@timestamp < now-7m"));
    folder.write("rules/never.toml", rule("Never", "@timestamp >= now-3m"));
    folder.write("rules/always.toml", rule("Always", "user.name: ci"));
    let explain = |more: &[&str]| {
        let arguments = ["hunt", "calls.ndjson", "-r", "rules", "--explain", "e-1"];
        folder.run(&[arguments.as_slice(), more].concat()).printed(0).to_owned()
    };
    let replayed = explain(&[]);
    for part in [
        "matches: Waits\n    in the execution of 2026-03-02 10:10:00:\n",
        "→ it alerted in the execution of 2026-03-02 10:10:00",
        "does not match: Never (1 condition does not hold)\n    in the execution of 2026-03-02 10:05:00:\n",
        "→ what depends on the time of execution holds in none that looks at it",
    ] {
        assert!(replayed.contains(part), "{part:?} is not in\n{replayed}");
    }
    assert_eq!(replayed.matches("in the execution of 2026-03-02 10:05:00:\n").count(), 1, "{replayed}");
    // One execution over all the data starts with its end.
    let once = explain(&["--once"]);
    assert!(once.contains("matches: Never\n    in the execution of 2026-03-02 10:00:30:\n"), "{once}");
    // With a given end there is one, known from the start: nothing depends on it.
    let later = explain(&["--once", "--until", "2026-03-02T10:10:00Z"]);
    assert!(later.contains("matches: Waits\n    yes and"), "{later}");
}

/// What is printed of an id is enough to ask for it.
#[test]
fn the_beginning_of_an_id() {
    let folder = Folder::new();
    let ids = ["aabbccdd-1", "aabbccdd-2", "eeff0011-3"];
    let calls: Vec<_> = ids.iter().map(|id| refused(id, "2026-03-02T10:00:30Z", id)).collect();
    folder.lines("calls.ndjson", &calls);
    folder.write("rules/always.toml", rule("Always", "user.name: *"));
    let run = |arguments: &[&str]| folder.run(&[arguments, &["-r", "rules"]].concat());
    let explained = run(&["hunt", "calls.ndjson", "--explain", "eeff"]);
    assert!(explained.printed(0).starts_with("eeff0011-3  2026"), "{explained:?}");
    for command in [["hunt", "calls.ndjson", "--explain"], ["investigate", "calls.ndjson", "--event"]] {
        let several = run(&[command.as_slice(), &["aabb"]].concat());
        assert_eq!(
            several.error(),
            "the ids of several events begin with `aabb`: aabbccdd-1, aabbccdd-2 …; give more of it"
        );
        let one = run(&[command.as_slice(), &["aabbccdd-2"]].concat());
        assert!(one.printed(0).contains("aabbccdd-2"), "{one:?}");
        let none = run(&[command.as_slice(), &["aabbccdd-3"]].concat());
        assert!(none.out.contains("no event") || none.err.contains("no event"), "{none:?}");
    }
    // Ten characters are needed here, and they are what is printed.
    let summary = run(&["hunt", "calls.ndjson"]);
    for id in ids {
        assert!(summary.printed(0).contains(&format!("event {id}")), "{summary:?}");
    }
    let alerts = run(&["hunt", "calls.ndjson", "-f", "csv"]);
    let alert = alerts.printed(0).lines().nth(1).unwrap().rsplit(',').next().unwrap().to_owned();
    let found = run(&["investigate", "calls.ndjson", "--alert", &alert[..8]]);
    assert!(found.printed(0).contains(&alert), "{found:?}");
    let several = run(&["investigate", "calls.ndjson", "--alert", ""]);
    assert!(several.error().contains("several alerts begin with"), "{several:?}");
}
