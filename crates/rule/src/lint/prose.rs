//! What people read: names, references, the guide.

use uuid::Uuid;

use super::Finding;
use crate::text::Node;
use crate::{Rule, inquiries};

pub(super) fn check(rule: &Rule, found: &mut Vec<Finding>) {
    let source = &rule.source;
    match source.rule.get("rule_id") {
        None => found.push(Finding::NoRuleId { span: source.span(&["name"]) }),
        Some(node) if Uuid::try_parse(&rule.rule_id).is_err() => {
            found.push(Finding::NotUuid { rule_id: rule.rule_id.clone(), span: node.span });
        }
        Some(_) => {}
    }
    if let Some(problem) = name_problem(&rule.name) {
        found.push(Finding::Name { problem, span: source.span(&["name"]) });
    }
    for (node, reference) in
        source.rule.get("references").map_or(&[][..], Node::items).iter().zip(&rule.references)
    {
        if let Some(reason) = reference_problem(reference) {
            found.push(Finding::BadReference { reason, span: node.span });
        }
    }
    let note = rule.note.as_deref().filter(|_| rule.guide.is_none()).unwrap_or_default();
    for it in inquiries(note) {
        let flaws = it.asks.err().unwrap_or_default();
        let label = if it.label.is_empty() { note[it.at].to_owned() } else { it.label };
        let label: String = label.chars().take(60).collect();
        found.extend(flaws.into_iter().map(|flaw| Finding::BrokenInquiry {
            label: label.clone(),
            flaw: flaw.to_string(),
            span: source.span(&["note"]),
        }));
    }
    let missing: Vec<&'static str> = [
        (rule.references.is_empty(), "references"),
        (rule.note.is_none() && rule.guide.is_none(), "investigation guide"),
        (rule.threat.is_empty() && rule.building_block_type.is_none(), "ATT&CK mapping"),
    ]
    .into_iter()
    .filter_map(|(is_missing, what)| is_missing.then_some(what))
    .collect();
    if !missing.is_empty() {
        found.push(Finding::NoProse { missing, span: source.span(&["name"]) });
    }
}

/// The form that the public repository asks for: `^[a-zA-Z0-9].+?[a-zA-Z0-9\[\]()]$`.
fn name_problem(name: &str) -> Option<&'static str> {
    let ends_well = |last: char| last.is_ascii_alphanumeric() || "[]()".contains(last);
    if name.chars().count() < 3 {
        Some("is too short")
    } else if !name.starts_with(|first: char| first.is_ascii_alphanumeric()) {
        Some("begins with an unusual character")
    } else if !name.ends_with(ends_well) {
        Some("ends with an unusual character")
    } else {
        None
    }
}

fn reference_problem(reference: &str) -> Option<&'static str> {
    let Some(rest) = reference.strip_prefix("https://").or_else(|| reference.strip_prefix("http://")) else {
        return Some("it begins neither with `https://` nor with `http://`");
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = host.split(':').next().unwrap_or_default();
    if reference.contains(char::is_whitespace) {
        Some("it contains white space")
    } else if host.is_empty() || host.starts_with('.') || host.ends_with('.') || !host.contains('.') {
        Some("it names no host")
    } else {
        None
    }
}
