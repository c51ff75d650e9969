//! Whether its ATT&CK mapping says what ATT&CK says.
//!
//! A mapping may follow any version that is known. Which one it follows shows in its ids and names: `TA0005` is
//! `Defense Evasion` in one and `Stealth` in the next. A tactic and what lies below it follow the same one.

use span::Span;

use super::Finding;
use crate::Rule;
use crate::attack::{Edition, Entry, Status, editions, id_of, newest, reference};
use crate::text::Node;

/// Other frameworks have ids of their own.
const FRAMEWORK: &str = "MITRE ATT&CK";

/// Versions that something may follow, oldest first.
type Editions = Vec<&'static Edition>;

pub(super) fn check(rule: &Rule, found: &mut Vec<Finding>) {
    let threats = rule.source.rule.get("threat").map_or(&[][..], Node::items);
    for threat in threats.iter().filter(|threat| text(threat, "framework") == FRAMEWORK) {
        let Some(tactic) = threat.get("tactic") else { continue };
        let of_tactic = check_entry(tactic, found);
        for technique in threat.get("technique").map_or(&[][..], Node::items) {
            let of_technique = check_entry(technique, found);
            let both = together(technique, &of_technique, tactic, &of_tactic, found);
            check_tactic(technique, tactic, &both, found);
            for sub in technique.get("subtechnique").map_or(&[][..], Node::items) {
                let of_sub = check_entry(sub, found);
                let (id, of) = (text(sub, "id"), text(technique, "id"));
                if !id.starts_with(&format!("{of}.")) {
                    let (sub_id, technique) = (id.to_owned(), of.to_owned());
                    found.push(Finding::OutsideTechnique { sub: sub_id, technique, span: span(sub, "id") });
                } else if both.is_empty() {
                    // What is said of the technique goes for what lies below it, too.
                } else {
                    together(sub, &of_sub, tactic, &both, found);
                }
            }
        }
    }
}

/// Checks the id, name and reference of a tactic or technique. Returns the versions that it may follow: none if its
/// id is in use in none.
fn check_entry(node: &Node, found: &mut Vec<Finding>) -> Editions {
    let (id, name, address) = (text(node, "id"), text(node, "name"), text(node, "reference"));
    let current: Vec<(&'static Edition, &'static Entry)> =
        editions().iter().filter_map(|edition| Some((edition, edition.current(id)?))).collect();
    if current.is_empty() {
        found.push(gone(node, id, name));
        return Vec::new();
    }
    let named: Editions =
        current.iter().filter(|(_, entry)| entry.name == name).map(|(edition, _)| *edition).collect();
    // A name and a page of one other id: then the id is the slip.
    let meant = id_of(name, id).filter(|other| *other != id && address == reference(other));
    if let Some(meant) = meant {
        let (id, name) = (id.to_owned(), name.to_owned());
        found.push(Finding::AttackId { id, name, meant, span: span(node, "id") });
    } else {
        if named.is_empty() {
            found.push(Finding::AttackName {
                id: id.to_owned(),
                expected: current.iter().map(|(edition, entry)| (edition.version, entry.name)).collect(),
                found: name.to_owned(),
                certain: address == reference(id),
                span: span(node, "name"),
            });
        }
        if address != reference(id) {
            let (id, certain) = (id.to_owned(), !named.is_empty());
            found.push(Finding::AttackReference { id, certain, span: span(node, "reference") });
        }
    }
    if named.is_empty() { current.into_iter().map(|(edition, _)| edition).collect() } else { named }
}

/// What is wrong with an id that no version has in use.
fn gone(node: &Node, id: &str, name: &str) -> Finding {
    let span = span(node, "id");
    let id = id.to_owned();
    let Some(known) = editions().iter().rev().find_map(|edition| edition.entry(&id)) else {
        let same_name = id_of(name, &id);
        return Finding::NoAttackId { id, same_name, span };
    };
    match known.status {
        Status::Revoked(replacement) => {
            let name = newest().entry(replacement).map_or("", |entry| entry.name);
            Finding::RevokedAttackId { id, replacement, name, span }
        }
        Status::Deprecated | Status::Current => Finding::DeprecatedAttackId { id, span },
    }
}

/// The versions that both follow. Says so if there is none, unless something else was said of one of them.
fn together(
    node: &Node,
    its: &[&'static Edition],
    tactic: &Node,
    others: &[&'static Edition],
    found: &mut Vec<Finding>,
) -> Editions {
    let same = |a: &Edition, b: &Edition| a.version == b.version;
    let both: Editions =
        its.iter().copied().filter(|mine| others.iter().any(|other| same(mine, other))).collect();
    if let (Some(mine), Some(other), true) = (its.last(), others.last(), both.is_empty()) {
        let id = text(node, "id");
        let belongs_to = mine.entry(id).map_or(&[][..], |entry| &entry.tactics);
        found.push(Finding::OtherEdition {
            id: id.to_owned(),
            version: mine.version,
            tactic: format!("{} {}", text(tactic, "id"), text(tactic, "name")),
            tactic_version: other.version,
            belongs_to: named(mine, belongs_to),
            span: span(node, "id"),
        });
    }
    both
}

/// Whether the technique belongs to its tactic in one of the versions.
fn check_tactic(technique: &Node, tactic: &Node, both: &[&'static Edition], found: &mut Vec<Finding>) {
    let (id, tactic) = (text(technique, "id"), text(tactic, "id"));
    let belongs = |edition: &&Edition| edition.entry(id).is_some_and(|entry| entry.tactics.contains(&tactic));
    let Some(last) = both.last().filter(|_| !both.iter().any(belongs)) else { return };
    found.push(Finding::OutsideTactic {
        technique: id.to_owned(),
        tactic: tactic.to_owned(),
        version: last.version,
        belongs_to: named(last, last.entry(id).map_or(&[][..], |entry| &entry.tactics)),
        span: span(technique, "id"),
    });
}

/// Tactics with their names in a version.
fn named(edition: &Edition, tactics: &[&str]) -> Vec<String> {
    tactics.iter().map(|id| format!("`{id}` {}", edition.entry(id).map_or("", |entry| entry.name))).collect()
}

fn text<'n>(node: &'n Node, key: &str) -> &'n str {
    node.get(key).and_then(Node::text).unwrap_or_default()
}

fn span(node: &Node, key: &str) -> Span {
    node.get(key).map_or(node.span, |node| node.span)
}
