//! Whether its ATT&CK mapping says what ATT&CK says.

use span::Span;

use super::Finding;
use crate::Rule;
use crate::attack::{Status, entry, id_of, reference};
use crate::text::Node;

/// Other frameworks have ids of their own.
const FRAMEWORK: &str = "MITRE ATT&CK";

pub(super) fn check(rule: &Rule, found: &mut Vec<Finding>) {
    let threats = rule.source.rule.get("threat").map_or(&[][..], Node::items);
    for threat in threats.iter().filter(|threat| text(threat, "framework") == FRAMEWORK) {
        let Some(tactic) = threat.get("tactic") else { continue };
        let tactic_is_known = check_entry(tactic, found);
        for technique in threat.get("technique").map_or(&[][..], Node::items) {
            if check_entry(technique, found) && tactic_is_known {
                check_tactic(technique, text(tactic, "id"), found);
            }
            for sub in technique.get("subtechnique").map_or(&[][..], Node::items) {
                check_entry(sub, found);
                let (id, of) = (text(sub, "id"), text(technique, "id"));
                if !id.starts_with(&format!("{of}.")) {
                    let (sub_id, technique) = (id.to_owned(), of.to_owned());
                    found.push(Finding::OutsideTechnique { sub: sub_id, technique, span: span(sub, "id") });
                }
            }
        }
    }
}

/// Checks the id, name and reference of a tactic or technique. Says whether the id is one in use.
fn check_entry(node: &Node, found: &mut Vec<Finding>) -> bool {
    let (id, name, address) = (text(node, "id"), text(node, "name"), text(node, "reference"));
    let Some(known) = entry(id) else {
        found.push(Finding::NoAttackId {
            id: id.to_owned(),
            same_name: id_of(name, id),
            span: span(node, "id"),
        });
        return false;
    };
    match known.status {
        Status::Revoked(replacement) => {
            found.push(Finding::RevokedAttackId { id: id.to_owned(), replacement, span: span(node, "id") });
            return false;
        }
        Status::Deprecated => {
            found.push(Finding::DeprecatedAttackId { id: id.to_owned(), span: span(node, "id") });
            return false;
        }
        Status::Current => {}
    }
    if name != known.name {
        let (id, found_name) = (id.to_owned(), name.to_owned());
        found.push(Finding::AttackName {
            id,
            expected: known.name,
            found: found_name,
            span: span(node, "name"),
        });
    }
    if address != reference(id) {
        found.push(Finding::AttackReference { id: id.to_owned(), span: span(node, "reference") });
    }
    true
}

fn check_tactic(technique: &Node, tactic: &str, found: &mut Vec<Finding>) {
    let id = text(technique, "id");
    let Some(known) = entry(id) else { return };
    if !known.tactics.contains(&tactic) {
        found.push(Finding::OutsideTactic {
            technique: id.to_owned(),
            tactic: tactic.to_owned(),
            belongs_to: known.tactics.clone(),
            span: span(technique, "id"),
        });
    }
}

fn text<'n>(node: &'n Node, key: &str) -> &'n str {
    node.get(key).and_then(Node::text).unwrap_or_default()
}

fn span(node: &Node, key: &str) -> Span {
    node.get(key).map_or(node.span, |node| node.span)
}
