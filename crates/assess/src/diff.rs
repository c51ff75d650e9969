//! What a change of rules, or of what is excepted from them, changes in the alerts.

use std::collections::{BTreeMap, HashMap};

use hunt::Found;

use crate::alert::{AlertLine, lines};

/// The difference between two sets of rules, by their effect.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// Rules whose alerts differ, by their names.
    pub rules: Vec<Change>,
    /// Alerts that both raise alike.
    pub same: u64,
    /// Rules that only the old set ran, and rules that only the new one runs.
    pub only_old: Vec<String>,
    /// The other way round.
    pub only_new: Vec<String>,
}

/// How the alerts of one rule differ.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// `rule_id`.
    pub rule_id: String,
    /// Its name in the new set, or in the old one if it is in that alone.
    pub rule: String,
    /// Alerts that are raised in the new set only.
    pub appeared: Vec<AlertLine>,
    /// Alerts that are raised in the old set only.
    pub vanished: Vec<AlertLine>,
    /// The same alert with another severity: in the old set, in the new one.
    pub severities: Vec<(AlertLine, AlertLine)>,
}

impl Difference {
    /// Whether any alert differs.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }
}

/// Compares the alerts of two hunts in the same records.
pub fn diff(old: &Found, new: &Found) -> Difference {
    let (before, after) = (lines(old), lines(new));
    let mut known: HashMap<(&str, &str), &AlertLine> = before.iter().map(|it| (key(it), it)).collect();
    let mut changes: BTreeMap<&str, Change> = BTreeMap::new();
    let mut same = 0;
    for alert in &after {
        match known.remove(&key(alert)) {
            None => changes.entry(&alert.rule_id).or_default().appeared.push(alert.clone()),
            Some(other) if other.severity == alert.severity => same += 1,
            Some(other) => {
                changes.entry(&alert.rule_id).or_default().severities.push((other.clone(), alert.clone()));
            }
        }
    }
    for alert in &before {
        if known.contains_key(&key(alert)) {
            changes.entry(&alert.rule_id).or_default().vanished.push(alert.clone());
        }
    }
    let names = |found: &Found| -> BTreeMap<String, String> {
        found.rules.iter().map(|it| (it.rule.rule_id.clone(), it.rule.name.clone())).collect()
    };
    let (old_names, new_names) = (names(old), names(new));
    let only = |these: &BTreeMap<String, String>, those: &BTreeMap<String, String>| {
        these.iter().filter(|(id, _)| !those.contains_key(*id)).map(|(_, name)| name.clone()).collect()
    };
    let mut rules: Vec<Change> = changes
        .into_iter()
        .map(|(id, change)| {
            let name = new_names.get(id).or_else(|| old_names.get(id));
            Change { rule_id: id.to_owned(), rule: name.cloned().unwrap_or_default(), ..change }
        })
        .collect();
    rules.sort_by(|a, b| a.rule.cmp(&b.rule).then_with(|| a.rule_id.cmp(&b.rule_id)));
    Difference { rules, same, only_old: only(&old_names, &new_names), only_new: only(&new_names, &old_names) }
}

/// What makes two alerts the same: an alert's id is that of its event and its rule, whatever the rule says.
fn key(alert: &AlertLine) -> (&str, &str) {
    (&alert.rule_id, &alert.id)
}
