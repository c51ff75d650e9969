//! Every rule of the built-in pack has tests beside it, and they pass.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::setup::Folder;

const PACK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../rules");

#[test]
fn every_built_in_rule_is_tested() {
    let ran = Folder::new().run(&["rules", "test", PACK, "-f", "json"]);
    let report: Value = serde_json::from_str(ran.printed(0)).unwrap();
    assert_eq!(report["failed"], 0, "{report:#}");
    assert_eq!(report["untested_rules"], Value::Array(Vec::new()), "a rule has no tests");

    // What it must find, and what is nearly that and must not be found.
    let mut tested: BTreeMap<&str, (bool, bool)> = BTreeMap::new();
    for test in report["tests"].as_array().unwrap() {
        let (alerts, quiet) = tested.entry(test["rule"].as_str().unwrap()).or_default();
        match test["alerts"].as_u64().unwrap() {
            0 => *quiet = true,
            _ => *alerts = true,
        }
    }
    assert_eq!(tested.len(), rule::builtin(rule::GuideLanguage::English).rules.len());
    for (rule, (alerts, quiet)) in tested {
        assert!(alerts, "no test shows what {rule} finds");
        assert!(quiet, "no test shows what {rule} leaves alone");
    }
}
