//! Recorded attacks, where they are at hand: what the intruder did raises alerts, and the rest few.

use cases::shared;
use std::collections::BTreeSet;
use std::path::Path;

use detect::KnownAlerts;
use ecs::document::lookup;
use hunt::HuntOptions;
use rule::{GuideLanguage, Rule, Severity};

use crate::setup::{Folder, Hunted, options, run};

const TECHNIQUES: &str = include_str!("../attacks/stratus.tsv");
const ACTS: &str = include_str!("../attacks/acts.tsv");

/// Alerts of medium severity or higher that ten thousand records may raise, where nobody is sure to be attacked.
const LOUD: usize = 10;

/// The rows of a table, each with so many columns.
fn rows<const N: usize>(table: &'static str) -> Vec<[&'static str; N]> {
    let rows = table.lines().filter(|line| !line.starts_with('#'));
    let rows: Vec<[&str; N]> =
        rows.map(|row| row.split('\t').collect::<Vec<_>>().try_into().unwrap()).collect();
    assert!(rows.len() > 10, "the table is nearly empty");
    rows
}

fn pack() -> Vec<Rule> {
    rule::builtin(GuideLanguage::English).rules
}

/// The built-in rule of that file.
fn of_file<'r>(rules: &'r [Rule], stem: &str) -> &'r Rule {
    let file = format!("builtin/aws/{stem}.toml");
    rules.iter().find(|it| it.file == file).unwrap_or_else(|| panic!("no rule {stem}"))
}

/// What the whole pack finds there.
fn hunted(path: &Path, rules: &[Rule]) -> Hunted {
    let nowhere = Folder::new();
    run(&HuntOptions {
        paths: vec![path.to_owned()],
        known: KnownAlerts::default(),
        ..options(&nowhere, rules)
    })
}

/// Each alert: its rule, and the call that it is about. Alerts about many events have no call.
fn alerts(found: &Hunted) -> BTreeSet<(String, String)> {
    let text = |alert: &ecs::Object, path: &str| {
        lookup(alert, path).and_then(|it| it.as_str()).unwrap_or("-").to_owned()
    };
    found.alerts.iter().map(|it| (text(it, "kibana.alert.rule.rule_id"), text(it, "event.action"))).collect()
}

#[test]
fn every_recorded_technique_alerts() {
    let Some(folder) = shared("stratus") else { return };
    let rules = pack();
    let table = rows::<3>(TECHNIQUES);
    let mut recordings = BTreeSet::new();
    for entry in std::fs::read_dir(&folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        recordings.extend(name.strip_suffix(".json").map(str::to_owned));
    }
    let named: BTreeSet<String> = table.iter().map(|[recording, ..]| (*recording).to_owned()).collect();
    assert_eq!(named, recordings, "the table names every recording");

    let mut missing = Vec::new();
    for recording in &recordings {
        let found = hunted(&folder.join(format!("{recording}.json")), &rules);
        let alerted: BTreeSet<String> = alerts(&found).into_iter().map(|(rule, _)| rule).collect();
        for [_, technique, stem] in table.iter().filter(|[it, ..]| it == recording) {
            let rule = of_file(&rules, stem);
            let mut mapped = rule.threat.iter().flat_map(|it| &it.techniques);
            if !mapped.any(|(id, _)| id == technique) {
                missing.push(format!("{stem} is not mapped to {technique}"));
            }
            if !alerted.contains(&rule.rule_id) {
                missing.push(format!("{recording} does not alert {stem}"));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn every_act_of_the_intruder_alerts() {
    let rules = pack();
    let table = rows::<4>(ACTS);
    for name in ["invictus", "sans504"] {
        let Some(folder) = shared(name) else { return };
        let alerted = alerts(&hunted(&folder, &rules));
        let missing: Vec<&str> = table
            .iter()
            .filter(|[folder, stem, call, _]| {
                *folder == name
                    && !alerted.contains(&(of_file(&rules, stem).rule_id.clone(), (*call).to_owned()))
            })
            .map(|[.., act]| *act)
            .collect();
        assert!(missing.is_empty(), "in silence, the intruder {}", missing.join("; "));
    }
}

#[test]
fn a_quiet_account_stays_quiet() {
    let Some(folder) = shared("sans504") else { return };
    let found = hunted(&folder, &pack());
    let loud = |it: &&ecs::Object| {
        let is_low = it["kibana.alert.severity"] == Severity::Low.as_str();
        // Of a sequence only its shell is shown to people.
        !is_low && !it.contains_key("kibana.alert.building_block_type")
    };
    let loud = found.alerts.iter().filter(loud).count();
    let records = usize::try_from(found.read.records.total()).unwrap();
    assert!(records > 10_000, "{records} records");
    assert!(loud * 10_000 <= LOUD * records, "{loud} loud alerts in {records} records");
}
