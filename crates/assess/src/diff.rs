//! What a change of rules, or of what is excepted from them, changes in the alerts.

use std::collections::{BTreeMap, HashMap};

use ecs::Millis;
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
    /// The same alert, which counts or stands for another number of events or alerts: in the old set, in the new one.
    pub counts: Vec<(AlertLine, AlertLine)>,
}

impl Change {
    /// Takes an alert that both sets raise, and says whether it is alike in both.
    fn compare(&mut self, old: &AlertLine, new: &AlertLine) -> bool {
        let suppressed = |it: &AlertLine| it.instance.as_ref().map(|it| it.suppressed);
        let pair = || (old.clone(), new.clone());
        let other_severity = old.severity != new.severity;
        let other_count = (old.count, suppressed(old)) != (new.count, suppressed(new));
        self.severities.extend(other_severity.then(pair));
        self.counts.extend(other_count.then(pair));
        !other_severity && !other_count
    }

    fn is_empty(&self) -> bool {
        let Self { rule_id: _, rule: _, appeared, vanished, severities, counts } = self;
        appeared.is_empty() && vanished.is_empty() && severities.is_empty() && counts.is_empty()
    }
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
    let mut left: Vec<&AlertLine> = Vec::new();
    for alert in &after {
        match known.remove(&key(alert)) {
            None => left.push(alert),
            Some(other) => {
                let is_same = changes.entry(&alert.rule_id).or_default().compare(other, alert);
                same += u64::from(is_same);
            }
        }
    }
    // The id of an alert that stands for a group says when this began and ended: with another event in it, the alert is the
    // same.
    let mut gone: Vec<&AlertLine> = before.iter().filter(|it| known.contains_key(&key(it))).collect();
    for alert in left {
        let change = changes.entry(&alert.rule_id).or_default();
        match gone.iter().position(|it| are_alike(it, alert)) {
            Some(at) => same += u64::from(change.compare(gone.remove(at), alert)),
            None => change.appeared.push(alert.clone()),
        }
    }
    for alert in gone {
        changes.entry(&alert.rule_id).or_default().vanished.push(alert.clone());
    }
    changes.retain(|_, it| !it.is_empty());
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

/// Whether two alerts stand for the same group of events, or of alerts, at the same time.
fn are_alike(a: &AlertLine, b: &AlertLine) -> bool {
    let (Some(one), Some(other)) = (&a.instance, &b.instance) else { return false };
    let meet = |(first, last): (Millis, Millis), (from, to): (Millis, Millis)| first <= to && from <= last;
    a.rule_id == b.rule_id && one.id == other.id && one.span.zip(other.span).is_some_and(|(a, b)| meet(a, b))
}
