//! Another generator's truth, where it is at hand: records made of real ones by a program that knows nothing of this one.
//!
//! What it knows is held here: which events alert, how many records there are by identity, error and call, the role behind
//! each alert, and which requests were answered. What it does not know: which call issued which key (no call of its does, so
//! every chain must end at the role, and say so), and where its identities usually call from, so that no baseline can be
//! compared. Those truths are the other generator's, `cargo xtask generate`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use cases::{shared, shared_path};
use hunt::{Files, HuntOptions, Progress, Which};
use investigate::Options;
use rule::GuideLanguage;
use serde_json::Value;

use crate::setup::{self, Folder, get_password_data, options};

const DAY: i64 = 24 * 60 * 60 * 1_000;

/// The records and the truth; nothing where there is no Python or no generator.
fn generated(folder: &Folder) -> Option<(PathBuf, Value)> {
    let script = shared_path("tools/gen_cloudtrail.py")?;
    let (real, more) = (shared("stratus")?, shared("invictus")?);
    let (trail, truth) = (folder.path().join("trail"), folder.path().join("truth.json"));
    let mut command = Command::new("python3");
    command.arg(script).arg("--real").arg(real).arg("--real").arg(more).arg("--out").arg(&trail);
    command.arg("--truth").arg(&truth).stdout(Stdio::null());
    let numbers = "--count 12000 --seed 7 --planted 60 --planted-roles 20 --accounts 3 --regions 2 --roles 200 --users 50 --ips 200 --uas 50 --jobs 2";
    let made = command.args(numbers.split(' ')).status();
    match made {
        Ok(status) => assert!(status.success(), "the generator failed"),
        Err(error) => {
            let must_run = std::env::var_os("CI").is_some_and(|value| value == "true");
            assert!(!must_run, "there is no python3: {error}");
            return None;
        }
    }
    let truth = serde_json::from_slice(&std::fs::read(truth).unwrap()).unwrap();
    Some((trail, truth))
}

#[test]
fn another_generator_knows_the_same() {
    let folder = Folder::new();
    let Some((trail, truth)) = generated(&folder) else { return };
    let now = ecs::date::parse("2024-07-01").unwrap();
    let hunt = HuntOptions { paths: vec![trail.clone()], now, ..options(&folder, &[get_password_data()]) };
    let progress = Progress::default();
    let found = hunt::hunt(&hunt, &mut std::io::empty(), &progress).unwrap();
    assert_eq!(found.read.records.total(), truth["records"].as_u64().unwrap());

    // The alerts.
    let picked = hunt::pick(&found, &Which::From(rule::Severity::Low), 1_000, now);
    let planted = truth["first_seen"].as_array().unwrap();
    let wanted: BTreeMap<&str, &str> = planted
        .iter()
        .map(|it| (it["eventID"].as_str().unwrap(), it["role_arn"].as_str().unwrap()))
        .collect();
    let alerted: BTreeSet<&str> = picked.subjects.iter().map(|it| it.anchors[0].0.as_str()).collect();
    assert_eq!(alerted, wanted.keys().copied().collect());
    assert!(wanted.len() >= 20, "{} alerts", wanted.len());

    // The records.
    let normalize = hunt::NormalizeOptions {
        paths: vec![trail],
        stored: Vec::new(),
        normalise: setup::normalise(),
        limits: reader::Limits::default(),
        now,
        copies: false,
    };
    let mut counts: BTreeMap<(&str, String), u64> = BTreeMap::new();
    let mut asks = Vec::new();
    hunt::normalize(&normalize, &mut std::io::empty(), &progress, &mut |it| {
        let text = |path: &str| {
            ecs::document::lookup(&it.source, path).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let (action, error) = (text("event.action"), text("aws.cloudtrail.error_code"));
        if action == "GetPasswordData" {
            let key = text("aws.cloudtrail.user_identity.access_key_id");
            asks.push((ecs::document::timestamp(&it.source).unwrap(), key, error.clone()));
        }
        *counts.entry(("eventName", action)).or_default() += 1;
        let error = if error.is_empty() { "None".to_owned() } else { error };
        *counts.entry(("errorCode", error)).or_default() += 1;
        true
    })
    .unwrap();
    for kind in ["eventName", "errorCode"] {
        for (name, count) in truth["counts"][kind].as_object().unwrap() {
            assert_eq!(counts.get(&(kind, name.clone())), count.as_u64().as_ref(), "{kind} {name}");
        }
    }
    assert_eq!(asks.len() as u64, truth["getpassworddata_total"].as_u64().unwrap());

    // Facts of the investigations.
    let mut files = Files::of_hunt(&hunt, &progress);
    let asked = Options {
        now,
        steps: Vec::new(),
        language: GuideLanguage::English,
        raised: picked.raised,
        issued: None,
    };
    let all = investigate::investigate(&picked.subjects, &mut files, &asked).unwrap();
    for (it, subject) in all.iter().zip(&picked.subjects) {
        let event = subject.anchors[0].0.as_str();
        let value = |name: &str| it.fact(name).unwrap_or_else(|| panic!("no fact {name}")).value.clone();
        assert_eq!(it.values.first("case.role_arn"), Some(wanted[event]), "{event}");
        let no_issue = it.all_missing().iter().any(|it| it.lack.id() == "no-issuer-event");
        assert!(no_issue, "no call issued the key of {event}, and nobody says so");
        assert_eq!(value("chain_length"), 0, "{event}");
        assert_eq!(value("root_identity"), wanted[event]);
        // Whoever else was answered in the time that is looked at.
        let key = it.values.first("case.session_key").unwrap();
        let (from, to) = (it.anchor.0 - 30 * DAY, it.anchor.1 + 2 * DAY);
        let answered = asks
            .iter()
            .filter(|(time, its, error)| (from..=to).contains(time) && its != key && error.is_empty())
            .count();
        assert_eq!(value("success_elsewhere"), answered, "{event}");
    }
}
