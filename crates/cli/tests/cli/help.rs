//! The texts of `--help`.

use crate::setup::Folder;

#[test]
fn help() {
    let folder = Folder::new();
    for (name, command) in [
        ("help", vec![]),
        ("help_hunt", vec!["hunt"]),
        ("help_normalize", vec!["normalize"]),
        ("help_query", vec!["query"]),
        ("help_investigate", vec!["investigate"]),
        ("help_respond", vec!["respond"]),
        ("help_summary", vec!["summary"]),
        ("help_rules", vec!["rules"]),
        ("help_rules_list", vec!["rules", "list"]),
        ("help_rules_show", vec!["rules", "show"]),
        ("help_rules_lint", vec!["rules", "lint"]),
    ] {
        let ran = folder.run(&[command.as_slice(), &["--help"]].concat());
        assert_eq!(ran.err, "");
        insta::assert_snapshot!(name, ran.printed(0));
    }
}

#[test]
fn version() {
    let expected = format!("trailwarden {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(Folder::new().run(&["--version"]).printed(0), expected);
}

/// Without arguments it says what it can do, but did nothing.
#[test]
fn nothing_to_do() {
    let ran = Folder::new().run(&[]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("Usage: trailwarden"), "{}", ran.err);
}
