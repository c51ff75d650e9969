//! The layout of rule files in TOML, turned into the form of the API.

use span::Span;

use crate::LoadError;
use crate::error::Findings;
use crate::suggest::nearest;
use crate::text::{Data, Member, Node};

/// The parts of a rule file.
pub(crate) struct Parts {
    /// `[rule]` in the form of the API.
    pub(crate) rule: Node,
    /// `[metadata]`.
    pub(crate) metadata: Option<Node>,
    /// `[guide]`.
    pub(crate) guide: Option<Node>,
}

/// The tables of a rule file.
const TABLES: [&str; 5] = ["metadata", "rule", "transform", "guide", "tests"];

/// The lists of `[transform]`.
pub(crate) const TRANSFORMS: [&str; 2] = ["investigate", "osquery"];

/// How far a rule may be, by `[metadata]`.
pub(crate) const MATURITIES: [&str; 5] = ["development", "experimental", "beta", "production", "deprecated"];

/// The days that `[metadata]` may say.
pub(crate) const METADATA_DATES: [&str; 3] = ["creation_date", "updated_date", "deprecation_date"];

/// Takes a rule file apart. `None` if it has no table `[rule]`.
pub(crate) fn parts(mut root: Node, findings: &mut Findings) -> Option<Parts> {
    for member in root.members() {
        if !TABLES.contains(&member.key.as_str()) {
            findings.push(&LoadError::UnknownField {
                field: member.key.clone(),
                similar: nearest(&member.key, TABLES).map(str::to_owned),
                span: member.key_span,
            });
        }
    }
    let mut rule = root.take("rule").filter(|member| matches!(member.value.data, Data::Table(_)))?.value;
    let transform = root.take("transform").map(|member| member.value);
    new_terms(&mut rule, findings);
    threat_mappings(&mut rule);
    if let Some(transform) = &transform {
        only_lists(transform, findings);
    }
    note(&mut rule, transform.as_ref(), findings);
    let mut table = |key| root.take(key).map(|member| member.value);
    let (metadata, guide) = (table("metadata"), table("guide"));
    if let Some(metadata) = &metadata {
        self::metadata(metadata, findings);
    }
    Some(Parts { rule, metadata, guide })
}

/// `[transform]` holds these lists and nothing else.
fn only_lists(transform: &Node, findings: &mut Findings) {
    for member in transform.members().iter().filter(|it| !TRANSFORMS.contains(&it.key.as_str())) {
        findings.push(&LoadError::UnknownField {
            field: format!("transform.{}", member.key),
            similar: nearest(&member.key, TRANSFORMS).map(|list| format!("transform.{list}")),
            span: member.key_span,
        });
    }
}

/// What of `[metadata]` is not as its readers expect it. Keys of others are theirs.
fn metadata(metadata: &Node, findings: &mut Findings) {
    let mut odd = |field, node: &Node, expected: String| {
        let value = node.text().map_or_else(|| node.data.kind().to_string(), str::to_owned);
        findings.push(&LoadError::Metadata { field, value, expected, span: node.span });
    };
    for field in METADATA_DATES {
        if let Some(node) = metadata.get(field).filter(|it| !it.text().is_some_and(is_day)) {
            odd(field, node, "write a day like `2026/01/31`".to_owned());
        }
    }
    let known = |text: &str| MATURITIES.iter().any(|it| it.eq_ignore_ascii_case(text));
    if let Some(node) = metadata.get("maturity").filter(|it| !it.text().is_some_and(known)) {
        let similar = node.text().and_then(|text| nearest(text, MATURITIES));
        let all = MATURITIES.map(|it| format!("`{it}`")).join(", ");
        odd(
            "maturity",
            node,
            match similar {
                Some(similar) => format!("did you mean `{similar}`? The rule is used as one of production"),
                None => format!("the rule is used as one of production; the words are {all}"),
            },
        );
    }
}

/// Whether the text is a day as rule files write it: `2026/01/31`.
fn is_day(text: &str) -> bool {
    let form: Vec<usize> = text.split('/').map(str::len).collect();
    form == [4, 2, 2] && text.bytes().all(|it| it.is_ascii_digit() || it == b'/')
}

/// `[rule.new_terms]` names its two fields in a way of its own.
fn new_terms(rule: &mut Node, findings: &mut Findings) {
    let Some(Member { key_span, value: mut table, .. }) = rule.take("new_terms") else { return };
    let named = |node: &Node, name: &'static str, findings: &mut Findings| {
        if let Some(field) = node.get("field")
            && field.text() != Some(name)
        {
            findings.push(&LoadError::UnknownWord {
                field: "new_terms.field".to_owned(),
                value: field.text().map_or_else(|| field.data.kind().to_string(), str::to_owned),
                allowed: vec![name],
                span: field.span,
            });
        }
    };
    for member in table.members() {
        let known = ["field", "value", "history_window_start"];
        if !known.contains(&member.key.as_str()) {
            findings.push(&LoadError::UnknownField {
                field: format!("new_terms.{}", member.key),
                similar: nearest(&member.key, known).map(str::to_owned),
                span: member.key_span,
            });
        }
    }
    named(&table, "new_terms_fields", findings);
    if let Some(Member { value, .. }) = table.take("value") {
        rule.push(Member { key: "new_terms_fields".to_owned(), key_span, value });
    }
    if let Some(Member { key_span, value, .. }) = table.take("history_window_start") {
        let value = match value.items().first() {
            Some(first) => {
                named(first, "history_window_start", findings);
                first.get("value").cloned().unwrap_or_else(|| first.clone())
            }
            None => value,
        };
        rule.push(Member { key: "history_window_start".to_owned(), key_span, value });
    }
}

/// `[[rule.threat_mappings]]` gives `threat` for several versions of ATT&CK; the newest counts.
fn threat_mappings(rule: &mut Node) {
    let Some(mappings) = rule.take("threat_mappings") else { return };
    if rule.get("threat").is_some() {
        return;
    }
    let version = |node: &Node| -> Vec<u64> {
        let text = match node.get("version").map(|version| &version.data) {
            Some(Data::Text(text) | Data::Number(text)) => text.trim_start_matches('v').to_owned(),
            _ => String::new(),
        };
        text.split('.').map(|part| part.parse().unwrap_or(0)).collect()
    };
    let newest = mappings.value.items().iter().max_by_key(|node| version(node));
    if let Some(threat) = newest.and_then(|node| node.member("threat")) {
        rule.push(threat.clone());
    }
}

/// Puts the queries of `[transform]` into the note, and moves a chapter "Setup" of it to `setup`.
fn note(rule: &mut Node, transform: Option<&Node>, findings: &mut Findings) {
    let Some(member) = rule.member("note") else { return };
    let Some(text) = member.value.text() else { return };
    let (span, key_span) = (member.value.span, member.key_span);
    let mut text =
        transform.map_or_else(|| text.to_owned(), |transform| transformed(text, span, transform, findings));
    let has_setup = rule.get("setup").and_then(Node::text).is_some_and(|setup| !setup.trim().is_empty());
    let mut setup = None;
    if !has_setup && let Some((rest, chapter)) = split_setup(&text) {
        (text, setup) = (rest, Some(chapter));
    }
    rule.take("note");
    rule.push(Member { key: "note".to_owned(), key_span, value: Node { span, data: Data::Text(text) } });
    if let Some(setup) = setup {
        rule.take("setup");
        rule.push(Member {
            key: "setup".to_owned(),
            key_span,
            value: Node { span, data: Data::Text(setup) },
        });
    }
}

/// Replaces `$investigate_0`, `${investigate_0}` and the same of `osquery` by the query of that number.
fn transformed(text: &str, span: Span, transform: &Node, findings: &mut Findings) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let Some((list, number, length)) = reference(&rest[at..]) else {
            out.push('$');
            rest = &rest[at + 1..];
            continue;
        };
        let query = number.parse::<usize>().ok().and_then(|at| transform.get(list)?.items().get(at));
        if let Some(query) = query {
            out.push_str("!{");
            out.push_str(list);
            out.push_str(&query.to_json().to_string());
            out.push('}');
        } else {
            findings.push(&LoadError::NoTransform { list, number: number.to_owned(), span });
            out.push_str(&rest[at..at + length]);
        }
        rest = &rest[at + length..];
    }
    out.push_str(rest);
    out
}

/// The list and the number that a text begins with a reference to, and how long that is.
fn reference(text: &str) -> Option<(&'static str, &str, usize)> {
    let (body, is_braced) = match text.strip_prefix("${") {
        Some(body) => (body, true),
        None => (text.strip_prefix('$')?, false),
    };
    TRANSFORMS.into_iter().find_map(|list| {
        let number = body.strip_prefix(list)?.strip_prefix('_')?;
        let end = number.find(|it: char| !it.is_ascii_digit()).unwrap_or(number.len());
        let after = number[end..].chars().next();
        let is_whole = if is_braced {
            after == Some('}')
        } else {
            !after.is_some_and(|it| it.is_ascii_alphanumeric() || it == '_')
        };
        let length = text.len() - body.len() + list.len() + 1 + end + usize::from(is_braced);
        (end > 0 && is_whole).then_some((list, &number[..end], length))
    })
}

/// Splits the chapter "## Setup" off a note: the note without it, and its text.
fn split_setup(note: &str) -> Option<(String, String)> {
    let (mut rest, mut chapter) = (String::new(), None::<String>);
    let (mut inside, mut fenced) = (false, false);
    for line in note.split_inclusive('\n') {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if !fenced && line.trim_end() == "## Setup" && chapter.is_none() {
            (inside, chapter) = (true, Some(String::new()));
            continue;
        }
        if inside && !fenced && (line.starts_with("# ") || line.starts_with("## ")) {
            inside = false;
        }
        match &mut chapter {
            Some(chapter) if inside => chapter.push_str(line),
            _ => rest.push_str(line),
        }
    }
    let chapter = chapter?;
    Some((rest.trim_end().to_owned(), chapter.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_of_both_forms() {
        assert_eq!(reference("$investigate_0 x"), Some(("investigate", "0", 14)));
        assert_eq!(reference("${osquery_12}x"), Some(("osquery", "12", 13)));
        for text in ["$investigate_", "$investigate_0a", "${investigate_0", "$other_0", "$"] {
            assert_eq!(reference(text), None, "{text}");
        }
    }

    #[test]
    fn the_setup_chapter_moves() {
        let note = "## Triage\n\nLook.\n\n## Setup\n\n### Logs\n```\n# not a heading\n```\nTurn on.\n\n## More\n\nRead.\n";
        let (rest, setup) = split_setup(note).unwrap();
        assert_eq!(rest, "## Triage\n\nLook.\n\n## More\n\nRead.");
        assert_eq!(setup, "### Logs\n```\n# not a heading\n```\nTurn on.");
        assert_eq!(split_setup("## Triage\n"), None);
    }
}
