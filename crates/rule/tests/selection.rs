//! Which of the loaded rules run, and which of several with one id.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use proptest::prelude::*;
use rule::{IdleReason, Rule, Selection, Withheld};
use serde_json::{Value, json};

/// A rule of an export, by what is not the same for all.
fn rule(file: &str, members: &Value) -> Rule {
    let mut rule =
        json!({ "name": file, "description": "d", "severity": "low", "risk_score": 1, "type": "query" });
    rule.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    rule::load_text(file, &rule.to_string()).rules.remove(0)
}

fn toml(metadata: &str, lines: &str) -> Rule {
    let text = format!(
        "[metadata]\n{metadata}\n[rule]\nname = \"n\"\ndescription = \"d\"\nseverity = \"low\"\nrisk_score = 1\n\
         type = \"query\"\n{lines}\n"
    );
    rule::load_text("a.toml", &text).rules.remove(0)
}

/// `NAME` for a rule that runs, `NAME: why` for one that does not.
fn said(selection: &Selection) -> Vec<String> {
    selection
        .in_order()
        .map(|(rule, reason)| match reason {
            None => rule.name.clone(),
            Some(IdleReason::Withheld(why)) => format!("{}: {}", rule.name, why.as_str()),
            Some(IdleReason::SameId { field, other }) => format!("{}: {field} of {}", rule.name, other.name),
        })
        .collect()
}

#[test]
fn what_a_file_says_of_its_rule() {
    for (metadata, lines, expected) in [
        ("", "", ""),
        ("", "enabled = true", ""),
        ("", "enabled = false", "disabled"),
        ("maturity = \"production\"", "", ""),
        ("maturity = \"production\"", "enabled = false", "disabled"),
        ("maturity = \"experimental\"", "", ""),
        ("maturity = \"beta\"", "", ""),
        ("maturity = \"development\"", "", "development"),
        ("maturity = \"Development\"", "", "development"),
        ("maturity = \"development\"", "enabled = true", ""),
        ("maturity = \"development\"", "enabled = false", "disabled"),
        ("maturity = \"deprecated\"", "", "deprecated"),
        ("maturity = \"deprecated\"", "enabled = true", "deprecated"),
        ("maturity = \"deprecated\"", "enabled = false", "deprecated disabled"),
        ("", "building_block_type = \"default\"", ""),
    ] {
        let reasons: Vec<&str> = toml(metadata, lines).withheld().map(Withheld::as_str).collect();
        assert_eq!(reasons.join(" "), expected, "{metadata} {lines}");
    }
}

/// A rule runs if every reason not to is among those that were asked for.
#[test]
fn every_reason_has_to_be_asked_for() {
    let both = || [toml("maturity = \"deprecated\"", "enabled = false")];
    let runs = |include: &[Withheld]| Selection::new(both(), include).rules().len();
    assert_eq!(runs(&[]), 0);
    assert_eq!(runs(&[Withheld::Deprecated]), 0);
    assert_eq!(runs(&[Withheld::Disabled]), 0);
    assert_eq!(runs(&[Withheld::Disabled, Withheld::Deprecated]), 1);
    assert_eq!(runs(&Withheld::ALL), 1);
}

#[test]
fn one_of_several_with_one_id_runs() {
    let of = |members: &[(&str, Value)]| {
        let rules = members.iter().map(|(file, members)| rule(file, members));
        said(&Selection::all(rules))
    };
    let id = "9b1d6c1e-3c57-4a1e-9a55-0d5f4f6f0a01";
    // The first by name, in whatever order they come.
    assert_eq!(
        of(&[("b", json!({ "rule_id": "r" })), ("a", json!({ "rule_id": "r" }))]),
        ["b: rule_id of a", "a"]
    );
    // The version comes before the revision, that before the name.
    assert_eq!(
        of(&[
            ("a", json!({ "rule_id": "r", "version": 2, "revision": 9 })),
            ("b", json!({ "rule_id": "r", "version": 3, "revision": 1 })),
            ("c", json!({ "rule_id": "r", "version": 3, "revision": 2 })),
            ("d", json!({ "rule_id": "r", "version": 3, "revision": 2 })),
        ]),
        ["a: rule_id of c", "b: rule_id of c", "c", "d: rule_id of c"]
    );
    // Alerts are named after `id`.
    assert_eq!(
        of(&[("a", json!({ "rule_id": "r", "id": id })), ("b", json!({ "rule_id": "s", "id": id }))]),
        ["a", "b: id of a"]
    );
    // What is not there cannot be the same; the id of a rule without `rule_id` is made of its name.
    assert_eq!(of(&[("a", json!({})), ("b", json!({}))]), ["a", "b"]);
}

/// A rule that does not run anyway stands in nobody's way.
#[test]
fn withheld_rules_do_not_compete() {
    let rules = [
        rule("old", &json!({ "rule_id": "r", "version": 1 })),
        rule("new", &json!({ "rule_id": "r", "version": 2, "enabled": false })),
    ];
    assert_eq!(said(&Selection::new(rules.clone(), &[])), ["old", "new: disabled"]);
    assert_eq!(said(&Selection::new(rules, &[Withheld::Disabled])), ["old: rule_id of new", "new"]);
}

/// A copy that somebody has made their own counts more than the one that comes with the engine.
#[test]
fn a_file_goes_before_the_built_in_rules() {
    let built_in = rule::builtin(rule::GuideLanguage::English).rules;
    let first = &built_in[0];
    let mut own = rule("zz", &json!({ "rule_id": first.rule_id }));
    own.version = 0;
    let selection = Selection::all(built_in.iter().cloned().chain([own]));
    assert_eq!(selection.rules().len(), built_in.len());
    assert!(selection.rules().iter().any(|it| it.name == "zz"));
    assert_eq!(selection.idle().len(), 1);
    assert_eq!(selection.idle()[0].rule.name, first.name);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the order of the rules: the same ones run, each id once, and whoever does not run has an id of one that
    /// does.
    #[test]
    fn the_order_of_the_files_does_not_matter(
        rules in prop::collection::vec((0..4_u8, 0..4_u8, 0..3_u8, 0..2_u8), 0..12).prop_flat_map(|rules| {
            (Just(rules.clone()), Just((0..rules.len()).collect::<Vec<_>>()).prop_shuffle())
        })
    ) {
        let (rules, order) = rules;
        let rules: Vec<Rule> = rules
            .iter()
            .enumerate()
            .map(|(at, (rule_id, id, version, revision))| {
                let id = format!("9b1d6c1e-3c57-4a1e-9a55-0d5f4f6f0a0{id}");
                rule(&format!("f{at:02}"), &json!({ "rule_id": format!("r{rule_id}"), "id": id, "version": version + 1, "revision": revision }))
            })
            .collect();
        let one = Selection::all(rules.iter().cloned());
        let other = Selection::all(order.iter().map(|&at| rules[at].clone()));
        let running = |selection: &Selection| {
            let mut names: Vec<String> = selection.rules().iter().map(|it| it.name.clone()).collect();
            names.sort();
            names
        };
        prop_assert_eq!(running(&one), running(&other));
        prop_assert_eq!(one.rules().len() + one.idle().len(), rules.len());
        for (at, rule) in one.rules().iter().enumerate() {
            for other in &one.rules()[..at] {
                prop_assert!(rule.rule_id != other.rule_id && rule.id != other.id);
            }
        }
        for idle in one.idle() {
            let IdleReason::SameId { field, other } = &idle.reason else { panic!("{idle:?}") };
            prop_assert!(one.rules().iter().any(|it| it.name == other.name));
            let same = if *field == "id" { idle.rule.id == other.id } else { idle.rule.rule_id == other.rule_id };
            prop_assert!(same);
        }
    }
}
