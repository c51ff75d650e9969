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
