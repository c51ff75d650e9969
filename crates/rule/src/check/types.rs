//! What the fields of a rule mean together.

use ecs::date::DateMath;

use super::check_table;
use super::form::{REFERENCE, Text};
use crate::LoadError;
use crate::error::Findings;
use crate::format::{Entry, FIELDS, TYPES, field, languages};
use crate::text::{Data, Node};

/// Checks a rule in the form of the API.
pub(crate) fn check_rule(rule: &Node, text: Text<'_>, findings: &mut Findings) {
    let type_name =
        rule.get("type").and_then(Node::text).and_then(|name| TYPES.iter().find(|known| **known == name));
    check_table(rule, "", FIELDS, Some(type_name.copied().unwrap_or("")), text, findings);
    let Some(&type_name) = type_name else { return };
    foreign_fields(rule, type_name, findings);
    language(rule, type_name, findings);
    match type_name {
        "new_terms" => history(rule, findings),
        "threat_match" => threat_mapping(rule, findings),
        _ => {}
    }
    if let Some(suppression) = rule.get("alert_suppression") {
        check_suppression(suppression, type_name, text, findings);
    }
}

/// Fields that only other types have. An empty value is how Kibana writes a field that is not used.
fn foreign_fields(rule: &Node, type_name: &'static str, findings: &mut Findings) {
    for member in rule.members() {
        let unused = match &member.value.data {
            Data::Null => true,
            Data::Text(text) => text.is_empty(),
            Data::List(items) => items.is_empty(),
            Data::Bool(_) | Data::Number(_) | Data::Date(_) | Data::Table(_) => false,
        };
        let Some(Entry { types: Some(types), name, .. }) = field(&member.key) else { continue };
        // A language that does not belong is an error of its own.
        if !unused && !types.contains(&type_name) && *name != "language" {
            findings.push(&LoadError::ForeignField {
                field: (*name).to_owned(),
                type_name,
                belongs_to: types.to_vec(),
                span: member.key_span,
            });
        }
    }
}

fn language(rule: &Node, type_name: &'static str, findings: &mut Findings) {
    let Some(node) = rule.get("language") else { return };
    let Some(language) = node.text() else { return };
    let allowed = languages(type_name);
    let known = ["kuery", "lucene", "eql", "esql"].contains(&language);
    if known && !allowed.contains(&language) {
        findings.push(&LoadError::WrongLanguage {
            type_name,
            language: language.to_owned(),
            allowed: allowed.to_vec(),
            span: node.span,
        });
    }
}

/// Terms can only be new against a time before the one that is checked.
fn history(rule: &Node, findings: &mut Findings) {
    let Some(start) = rule.get("history_window_start") else { return };
    let from = rule.get("from");
    let from_text = from.map_or(Some("now-6m"), Node::text);
    let (Some(history), Some(from_text)) = (start.text(), from_text) else { return };
    let (Ok(before), Ok(after)) = (DateMath::of_rule(history), DateMath::of_rule(from_text)) else { return };
    // An absolute date and one that moves with the clock are compared when the rule runs.
    if before.reads_clock() == after.reads_clock()
        && before.millis_at(REFERENCE) >= after.millis_at(REFERENCE)
    {
        findings.push(&LoadError::HistoryNotBeforeFrom {
            history: history.to_owned(),
            from: from_text.to_owned(),
            span: start.span,
            from_span: from.map(|node| node.span),
        });
    }
}

fn threat_mapping(rule: &Node, findings: &mut Findings) {
    for group in rule.get("threat_mapping").map_or(&[][..], Node::items) {
        let entries = group.get("entries").map_or(&[][..], Node::items);
        let negated =
            |entry: &Node| entry.get("negate").is_some_and(|negate| negate.data == Data::Bool(true));
        if !entries.is_empty() && entries.iter().all(negated) {
            findings.push(&LoadError::OnlyNegated {
                span: group.get("entries").map_or(group.span, |node| node.span),
            });
        }
        for (at, entry) in entries.iter().enumerate() {
            let pair = |entry: &Node| {
                Some((entry.get("field")?.text()?.to_owned(), entry.get("value")?.text()?.to_owned()))
            };
            let Some((field, value)) = pair(entry) else { continue };
            let both = entries[..at].iter().any(|other| {
                negated(other) != negated(entry)
                    && pair(other).is_some_and(|other| other.0 == field && other.1 == value)
            });
            if both {
                findings.push(&LoadError::BothWays { field, value, span: entry.span });
            }
        }
    }
}

/// Threshold rules are grouped by their threshold: they only say for how long.
fn check_suppression(suppression: &Node, type_name: &'static str, text: Text<'_>, findings: &mut Findings) {
    let required = if type_name == "threshold" { "duration" } else { "group_by" };
    if matches!(suppression.data, Data::Table(_)) && suppression.get(required).is_none() {
        let example = if required == "duration" {
            "duration = { value = 1, unit = \"h\" }"
        } else {
            "group_by = [\"…\"]"
        };
        findings.push(&LoadError::Missing {
            field: format!("alert_suppression.{required}"),
            span: text.head(suppression.span),
            help: format!("add `{example}`"),
        });
    }
    if type_name == "threshold" {
        for key in ["group_by", "missing_fields_strategy"] {
            if let Some(member) = suppression.member(key) {
                findings.push(&LoadError::ForeignField {
                    field: format!("alert_suppression.{key}"),
                    type_name,
                    belongs_to: TYPES.iter().copied().filter(|name| *name != "threshold").collect(),
                    span: member.key_span,
                });
            }
        }
    }
}
