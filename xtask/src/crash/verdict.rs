//! What must hold after all.
//!
//! * Every record that was acknowledged, and every one of a file, is stored once and as it was sent; nothing else is.
//! * The accounts of the sources hold.
//! * Every slot of every rule was executed once and in order; no execution failed, and what came late was filled.
//! * The alerts are those of `hunt --as-live`, which does the same slots again over the stored events: the same documents.
//! * The alerts of rules that look at events one by one are those of a hunt in the files that were sent, which knows neither
//!   slots nor the store: what a server that was never killed would have raised.
//! * Every note on an alert that was acknowledged is there once.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use live::{Book, Kind, Reason, Status};
use reader::Input;
use serde_json::{Map, Value};
use store::Store;
use xxhash_rust::xxh3::xxh3_128;

use super::deliver::Load;
use super::{NAP, PATIENCE, Place};
use crate::serving::{Serving, Start};

/// How many of things that are wrong are told.
const TOLD: usize = 5;

/// Alerts by their ids.
type Alerts = BTreeMap<String, Map<String, Value>>;

/// Waits until everything is stored and executed, stops the server, and says what does not hold.
pub(super) fn of(place: &Place, start: &Start, serving: Serving, load: &Load) -> Result<Vec<String>> {
    let mut faults = load.wrong();
    wait("the files of the folder are stored", || {
        let store = Store::open(&start.data)?;
        for entry in fs::read_dir(place.of("watched"))? {
            if !store.has_taken(&Input::file(0, &entry?.path())?)? {
                return Ok(false);
            }
        }
        Ok(true)
    })?;
    let now = jiff::Timestamp::now().as_millisecond();
    wait("everything is executed, and filled", || {
        let rules = Book::open(&start.data)?.rules()?;
        Ok(rules.iter().all(|it| it.next - it.interval > now && it.unfilled_slots == 0))
    })?;
    let status = serving.stop()?;
    if !status.success() {
        faults.push(format!("asked to stop, it ended with {status}"));
    }
    let store = start.data.as_os_str();
    let check = Command::new(&start.program).args(["store", "check", "--store"]).arg(store).output()?;
    if !check.status.success() {
        faults.push(format!("store check: {}", String::from_utf8_lossy(&check.stdout)));
    }
    let events = events(&start.data, load, &mut faults)?;
    let book = Book::open(&start.data)?;
    let executions = executions(&book, &mut faults)?;
    let mut kept = run(start, &["alerts", "export", "--store"], &[start.data.as_path()])?;
    for id in kept.keys().cloned().collect::<Vec<_>>() {
        // A hunt prints what sequences are made of as alerts of their own.
        for block in book.blocks(&id)? {
            let block: Map<String, Value> = block;
            let id = block.get("kibana.alert.uuid").and_then(Value::as_str).unwrap_or_default().to_owned();
            kept.insert(id, block);
        }
    }
    let hunt = ["hunt", "--quiet", "--format=ndjson", "--rules"];
    let (rules, sent) = (place.of("rules"), place.of("sent.ndjson"));
    let options = [&hunt[..1], &["--as-live"], &hunt[1..]].concat();
    let again = run(start, &options, &[&rules, Path::new("--store"), &start.data])?;
    as_live(&kept, &again, &mut faults);
    fs::write(&sent, load.texts())?;
    let in_files = run(start, &hunt, &[&rules, &sent])?;
    let alone = one_by_one(&kept, &in_files, &mut faults);
    let notes = notes(&book, load, &mut faults)?;
    println!(
        "{events} events, {executions} executions, {} alerts, {alone} of them on one event, {notes} notes: {}",
        kept.len(),
        if faults.is_empty() { "all as it must be" } else { "not as it must be" }
    );
    Ok(faults)
}

fn wait(what: &str, mut holds: impl FnMut() -> Result<bool>) -> Result<()> {
    let until = Instant::now() + PATIENCE;
    while !holds()? {
        ensure!(Instant::now() < until, "it takes too long until {what}");
        std::thread::sleep(NAP);
    }
    Ok(())
}

/// The first of some.
fn first(all: &[String]) -> String {
    let more = all.len().saturating_sub(TOLD);
    let told = all.iter().take(TOLD).cloned().collect::<Vec<_>>().join(", ");
    if more == 0 { told } else { format!("{told} and {more} more") }
}

/// What is stored is what was sent, once.
fn events(data: &Path, load: &Load, faults: &mut Vec<String>) -> Result<usize> {
    let store = Store::open(data)?;
    let mut stored: BTreeMap<String, Vec<u128>> = BTreeMap::new();
    for input in store.inputs()? {
        let segment = input.segment().context("what a store holds are segments")?;
        segment.read(None, &mut |it| {
            let id = serde_json::from_str::<Value>(it.text).ok();
            let id = id.as_ref().and_then(|it| it["eventID"].as_str()).unwrap_or(it.text).to_owned();
            stored.entry(id).or_default().push(xxh3_128(it.text.as_bytes()));
            ControlFlow::Continue(())
        })?;
    }
    let sent = load.sent();
    let mut say = |what: &str, ids: Vec<String>| {
        if !ids.is_empty() {
            faults.push(format!("{} events {what}: {}", ids.len(), first(&ids)));
        }
    };
    say(
        "were acknowledged, and are gone",
        sent.keys().filter(|it| !stored.contains_key(*it)).cloned().collect(),
    );
    let twice = stored.iter().filter(|it| it.1.len() > 1).map(|it| it.0.clone());
    say("are there more than once", twice.collect());
    let other = stored.iter().filter(|(id, its)| sent.get(*id).is_none_or(|it| !its.contains(it)));
    say("are there that nobody sent so", other.map(|it| it.0.clone()).collect());
    for account in store.sources()? {
        let it = account.accounting;
        let is_whole = it.read == it.stored + it.duplicate + it.unreadable + it.dropped;
        if !is_whole || it.unreadable + it.dropped > 0 {
            faults.push(format!("the account of `{}` does not hold: {it:?}", account.name));
        }
    }
    let total: u64 = store.sources()?.iter().map(|it| it.accounting.stored).sum();
    if total != stored.len() as u64 {
        faults.push(format!("{} events are stored, and the accounts say {total}", stored.len()));
    }
    Ok(stored.len())
}

/// Every slot was executed once, and in order.
fn executions(book: &Book, faults: &mut Vec<String>) -> Result<usize> {
    let mut all = book.executions(None, usize::MAX >> 1)?;
    all.reverse();
    let count = all.len();
    let mut slots: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for it in all {
        if it.status == Status::Failed {
            faults.push(format!("`{}` failed at {}: {}", it.rule_name, it.slot, it.messages.join("; ")));
        }
        if it.kind == Kind::Scheduled {
            slots.entry(it.rule_id).or_default().push(it.slot);
        }
    }
    for rule in book.rules()? {
        let due: Vec<i64> = (rule.first..rule.next).step_by(rule.interval as usize).collect();
        if slots.get(&rule.rule_id).unwrap_or(&Vec::new()) != &due {
            faults.push(format!("not every slot of `{}` was executed once, and in order", rule.name));
        }
    }
    for gap in book.gaps(None)? {
        if gap.reason != Reason::Late || gap.next.is_some() {
            faults.push(format!("a gap that should not be, or is not filled: {gap:?}"));
        }
    }
    Ok(count)
}

/// What a command prints, which are alerts.
fn run(start: &Start, arguments: &[&str], paths: &[&Path]) -> Result<Alerts> {
    let paths: Vec<PathBuf> = paths.iter().map(|&it| it.to_owned()).collect();
    let ran = Command::new(&start.program).args(arguments).args(&paths).output()?;
    let said = String::from_utf8_lossy(&ran.stderr);
    ensure!(ran.status.success(), "{} {paths:?}: {said}", arguments.join(" "));
    let mut alerts = Alerts::new();
    for line in String::from_utf8(ran.stdout)?.lines() {
        let alert: Map<String, Value> =
            serde_json::from_str(line).context("alerts are printed a line each")?;
        let id = alert.get("kibana.alert.uuid").and_then(Value::as_str).context("an alert has an id")?;
        let id = id.to_owned();
        ensure!(alerts.insert(id.clone(), alert).is_none(), "{}: alert {id} twice", arguments.join(" "));
    }
    Ok(alerts)
}

fn rule(alert: &Map<String, Value>) -> &str {
    alert.get("kibana.alert.rule.rule_id").and_then(Value::as_str).unwrap_or_default()
}

/// Without when it was read, written, and why, and without what people did with it.
fn timeless(alert: &Map<String, Value>) -> BTreeMap<&str, Value> {
    let of_writing = |key: &str| {
        key.starts_with("kibana.alert.workflow_")
            || key.starts_with("kibana.alert.updated_")
            || key == "kibana.alert.rule.execution.timestamp"
            || key == "kibana.alert.rule.execution.type"
            || key == "kibana.alert.original_event.created"
            || key == "kibana.alert.url"
            // Of which incident it is part, and whether it is silenced, is found out beside executions.
            || key == "kibana.alert.case_ids"
            || key == "kibana.alert.muted"
    };
    let mut kept: BTreeMap<&str, Value> = alert
        .iter()
        .filter(|it| !of_writing(it.0))
        .map(|(key, value)| (key.as_str(), value.clone()))
        .collect();
    if let Some(Value::Object(event)) = kept.get_mut("event") {
        event.remove("created");
    }
    kept
}

/// The ids that only one of two has, each with its rule.
fn only(one: &Alerts, other: &Alerts) -> Vec<String> {
    let only = one.iter().filter(|it| !other.contains_key(it.0));
    only.map(|(id, alert)| format!("{} ({})", id, rule(alert))).collect()
}

/// Says what one of two has and the other has not.
fn differ(what: &str, kept: &Alerts, others: &Alerts, faults: &mut Vec<String>) {
    for (said, ids) in
        [("not raised that", only(others, kept)), ("raised that are not those of", only(kept, others))]
    {
        if !ids.is_empty() {
            faults.push(format!("{} alerts were {said} {what}: {}", ids.len(), first(&ids)));
        }
    }
}

/// The same slots over the stored events give the same alerts.
fn as_live(kept: &Alerts, again: &Alerts, faults: &mut Vec<String>) {
    differ("a hunt as if live raises", kept, again, faults);
    let both = kept.iter().filter_map(|(id, alert)| Some((id, alert, again.get(id)?)));
    let others = both.filter(|(_, one, other)| timeless(one) != timeless(other));
    let others: Vec<String> = others
        .map(|(id, one, other)| {
            let (one_its, other_its) = (timeless(one), timeless(other));
            let keys: BTreeSet<&&str> = one_its.keys().chain(other_its.keys()).collect();
            let keys = keys.into_iter().filter(|it| one_its.get(**it) != other_its.get(**it));
            let keys: Vec<String> = keys.map(ToString::to_string).collect();
            format!("{id} ({}: {})", rule(one), keys.join(", "))
        })
        .collect();
    if !others.is_empty() {
        faults.push(format!(
            "{} alerts are not those of a hunt as if live: {}",
            others.len(),
            first(&others)
        ));
    }
}

/// What looks at events one by one finds the same, however it is executed. Says how many alerts that are.
fn one_by_one(kept: &Alerts, in_files: &Alerts, faults: &mut Vec<String>) -> usize {
    let is_suppressed =
        |it: &Map<String, Value>| it.keys().any(|key| key.starts_with("kibana.alert.suppression"));
    let grouping: BTreeSet<&str> =
        kept.values().chain(in_files.values()).filter(|it| is_suppressed(it)).map(rule).collect();
    let alone = |all: &Alerts| -> Alerts {
        let is_alone = |it: &Map<String, Value>| {
            it.get("kibana.alert.rule.type") == Some(&Value::from("query")) && !grouping.contains(rule(it))
        };
        all.iter().filter(|it| is_alone(it.1)).map(|(id, it)| (id.clone(), it.clone())).collect()
    };
    let (kept, in_files) = (alone(kept), alone(in_files));
    differ("a hunt in the files raises", &kept, &in_files, faults);
    kept.len()
}

/// Every note that was acknowledged is there, and once.
fn notes(book: &Book, load: &Load, faults: &mut Vec<String>) -> Result<usize> {
    let notes = load.notes();
    let (mut lost, mut twice) = (Vec::new(), Vec::new());
    for (id, note, is_acknowledged) in &notes {
        let history = book.history(id)?;
        match history.iter().filter(|it| it.detail["text"] == note.as_str()).count() {
            0 if *is_acknowledged => lost.push(note.clone()),
            0 | 1 => {}
            _ => twice.push(note.clone()),
        }
    }
    for (what, notes) in [("were acknowledged, and are gone", lost), ("are there more than once", twice)] {
        if !notes.is_empty() {
            faults.push(format!("{} notes {what}: {}", notes.len(), first(&notes)));
        }
    }
    Ok(notes.len())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn alert(id: &str, rule: &str, more: &Value) -> (String, Map<String, Value>) {
        let mut alert = json!({
            "kibana.alert.uuid": id, "kibana.alert.rule.rule_id": rule, "kibana.alert.rule.type": "query",
            "kibana.alert.rule.execution.timestamp": "whenever", "event": {"action": "a", "created": id},
        });
        alert.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
        (id.to_owned(), alert.as_object().unwrap().clone())
    }

    #[test]
    fn what_is_missing_or_too_much_or_otherwise_is_told() {
        let alerts = |all: &[(&str, &str, Value)]| -> Alerts {
            all.iter().map(|(id, rule, more)| alert(id, rule, more)).collect()
        };
        let note = json!({"kibana.alert.workflow_tags": ["x"], "kibana.alert.updated_at": "then"});
        let kept = alerts(&[("1", "one", note), ("2", "two", json!({}))]);
        let mut faults = Vec::new();
        as_live(&kept, &alerts(&[("1", "one", json!({})), ("2", "two", json!({}))]), &mut faults);
        assert_eq!(faults, Vec::<String>::new(), "what people did is no difference");
        as_live(&kept, &alerts(&[("1", "one", json!({})), ("3", "two", json!({}))]), &mut faults);
        assert_eq!(faults.len(), 2, "one too few, one too much: {faults:?}");
        faults.clear();
        let other = json!({"kibana.alert.reason": "another"});
        as_live(&kept, &alerts(&[("1", "one", other), ("2", "two", json!({}))]), &mut faults);
        assert!(faults.len() == 1 && faults[0].contains("(one: kibana.alert.reason)"), "{faults:?}");
    }

    #[test]
    fn only_rules_that_look_at_events_alone_are_compared_with_files() {
        let alone = alert("1", "one", &json!({}));
        let grouped = alert("2", "two", &json!({"kibana.alert.suppression.docs_count": 3}));
        let counted = alert("3", "three", &json!({"kibana.alert.rule.type": "threshold"}));
        let (mut faults, none) = (Vec::new(), Alerts::new());
        let kept: Alerts = [grouped, counted].into();
        assert_eq!(one_by_one(&kept, &none, &mut faults), 0);
        assert_eq!(faults, Vec::<String>::new());
        one_by_one(&kept, &[alone].into(), &mut faults);
        assert!(faults.len() == 1 && faults[0].contains("1 (one)"), "{faults:?}");
    }
}
