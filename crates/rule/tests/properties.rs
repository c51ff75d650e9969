//! No panic on any bytes, and every finding prints.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use proptest::prelude::*;
use span::Style;

/// Loads, lints, prints and translates.
fn everything(bytes: &[u8]) -> usize {
    let set = rule::load_bytes("any", bytes);
    let found = rule::lint(&set, &ecs::Catalog::ecs(), cloudtrail::vocabulary(), 1_767_225_600_000);
    for problem in set.problems.iter().chain(&found) {
        set.render(problem, Style::Plain);
    }
    set.localised(rule::GuideLanguage::SimplifiedChinese).rules.len()
}

/// The cases and one of the pack: changed a little, they reach far into the checks.
fn seeds() -> Vec<Vec<u8>> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files: Vec<_> = std::fs::read_dir(folder.join("tests/cases"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension != "snap"))
        .collect();
    files.sort();
    files.push(folder.join("../../rules/aws/credential_access_ec2_get_password_data_assumed_role.toml"));
    files.into_iter().map(|file| std::fs::read(file).unwrap()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        everything(&bytes);
    }

    #[test]
    fn any_text(text in "[\\[\\]{}\"'=.,:\\\\a-z0-9\n ]{0,200}") {
        everything(text.as_bytes());
    }

    /// Files of the cases with pieces cut out, doubled and overwritten.
    #[test]
    fn damaged_files(
        seed in 0..seeds().len(),
        damage in proptest::collection::vec((any::<prop::sample::Index>(), 0..60_usize, 0..3_u8, any::<u8>()), 1..4),
    ) {
        let mut bytes = seeds().swap_remove(seed);
        for (at, length, kind, byte) in damage {
            if bytes.is_empty() {
                break;
            }
            let start = at.index(bytes.len());
            let end = (start + length).min(bytes.len());
            match kind {
                0 => drop(bytes.drain(start..end)),
                1 => {
                    let piece = bytes[start..end].to_vec();
                    bytes.splice(start..start, piece);
                }
                _ => bytes[start] = byte,
            }
        }
        everything(&bytes);
    }
}

#[test]
fn nesting_is_bounded() {
    let depth = 100_000;
    for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("[[", "]]")] {
        let text = format!(
            "{}{}{}",
            "{\"rule_id\":".to_owned() + &open.repeat(depth),
            "1",
            close.repeat(depth) + "}"
        );
        assert_eq!(everything(text.as_bytes()), 0);
        assert_eq!(everything(format!("a = {}", open.repeat(depth)).as_bytes()), 0);
    }
    let dotted = format!("{} = 1\n", vec!["a"; depth].join("."));
    assert_eq!(everything(dotted.as_bytes()), 0);
    assert_eq!(everything(format!("[{}]\n", vec!["a"; depth].join(".")).as_bytes()), 0);
    let names: Vec<String> = (1..400).map(|depth| vec!["a"; depth].join(".")).collect();
    assert_eq!(everything(format!("[{}]\n", names.join("]\n[")).as_bytes()), 0);
    assert_eq!(everything(format!("[[{}]]\n", names.join("]]\n[[")).as_bytes()), 0);
}

/// A file with more findings than anyone reads is told in time, and briefly.
#[test]
fn many_findings_are_counted() {
    let keys: Vec<String> = (0..20_000).map(|number| format!("key_{number} = 1")).collect();
    let set = rule::load_text("many.toml", &format!("[rule]\n{}\n", keys.join("\n")));
    assert!(set.problems.len() < 60);
    assert!(set.rules.is_empty(), "the missing fields refuse it, however many findings come before");
    let last = set.problems.last().unwrap();
    assert!(last.diagnostic.message.contains("more findings"), "{}", last.diagnostic.message);
}
