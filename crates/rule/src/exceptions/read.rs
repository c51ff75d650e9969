//! Objects of an export become lists and items.

use span::{Diagnostic, Severity};

use super::{Entry, Item, ItemSource, ListKey, Namespace, Test};
use crate::LoadError;
use crate::check::{Text, check_table};
use crate::error::{Expected, Findings};
use crate::format::{EXCEPTION_ITEM, EXCEPTION_LIST, exception_entry};
use crate::parse::Input;
use crate::text::{Data, Node};

impl ListKey {
    /// The container of a list, and what is wrong with it.
    pub(crate) fn read(node: &Node, input: &Input<'_>) -> (Self, Vec<Diagnostic>) {
        let mut findings = Findings::default();
        let text = Text { text: &input.text, syntax: input.syntax };
        check_table(node, "", EXCEPTION_LIST, None, text, &mut findings);
        (Self::of(node), warnings(findings))
    }

    fn of(node: &Node) -> Self {
        let namespace = Namespace::from_name(node.get("namespace_type").and_then(Node::text));
        Self { list_id: text(node, "list_id"), namespace }
    }
}

impl Item {
    /// An item, and what is wrong with it. One that cannot be applied is an item all the same: the rules that ask
    /// for it must say so.
    pub(crate) fn read(node: Node, input: &Input<'_>) -> (Self, Vec<Diagnostic>) {
        let mut findings = Findings::default();
        let text_of = Text { text: &input.text, syntax: input.syntax };
        check_table(&node, "", EXCEPTION_ITEM, None, text_of, &mut findings);
        let list = node.get("entries");
        check_entries(list, "entries", false, text_of, &mut findings);
        let expiry = node.get("expire_time").filter(|node| node.text().is_some_and(|it| !it.is_empty()));
        let expires = expiry.and_then(Node::text).and_then(|text| ecs::date::parse(text).ok());
        if let (Some(expiry), None) = (expiry, expires) {
            findings.push(&LoadError::BadDate { field: "expire_time".to_owned(), span: expiry.span });
        }
        let entries = if findings.refuse() { None } else { entries(list) };
        let name = Some(text(&node, "name")).filter(|name| !name.trim().is_empty());
        let item = Self {
            name: name.unwrap_or_else(|| text(&node, "item_id")),
            list: ListKey::of(&node),
            os_types: node.get("os_types").map_or(&[][..], Node::items).iter().filter_map(owned).collect(),
            entries,
            expires,
            source: ItemSource { file: input.name.to_owned(), node },
        };
        (item, warnings(findings))
    }
}

/// Nothing that is wrong with an exception costs a rule.
fn warnings(findings: Findings) -> Vec<Diagnostic> {
    let mut diagnostics = findings.into_diagnostics();
    for diagnostic in &mut diagnostics {
        diagnostic.severity = diagnostic.severity.min(Severity::Warning);
    }
    diagnostics
}

/// Checks the entries of an item, or those `inner` to a nested entry.
fn check_entries(list: Option<&Node>, path: &str, inner: bool, text: Text<'_>, findings: &mut Findings) {
    // What is missing was told already.
    let Some(list) = list else { return };
    if !matches!(list.data, Data::List(_)) {
        let (expected, found) = (Expected::Tables, list.data.kind());
        findings.push(&LoadError::WrongType {
            field: path.to_owned(),
            expected,
            found,
            span: text.head(list.span),
        });
    } else if list.items().is_empty() {
        findings.push(&LoadError::Empty { field: path.to_owned(), span: list.span });
    }
    for (at, entry) in list.items().iter().enumerate() {
        let path = format!("{path}[{at}]");
        if !matches!(entry.data, Data::Table(_)) {
            let (expected, found) = (Expected::Table, entry.data.kind());
            findings.push(&LoadError::WrongType { field: path, expected, found, span: entry.span });
            continue;
        }
        let type_name = entry.get("type").and_then(Node::text);
        check_table(entry, &path, exception_entry(type_name, inner), None, text, findings);
        match (type_name, entry.get("value"), entry.get("entries")) {
            (Some("match_any"), Some(values), _) => {
                for empty in values.items().iter().filter(|it| it.text().is_some_and(str::is_empty)) {
                    findings.push(&LoadError::Empty { field: format!("{path}.value"), span: empty.span });
                }
            }
            (Some("nested"), _, entries) if !inner => {
                check_entries(entries, &format!("{path}.entries"), true, text, findings);
            }
            _ => {}
        }
    }
}

/// The entries, or nothing at all: with one of them left out, an item would except more than was meant. Recurses
/// as deep as the checks allow, which is once.
fn entries(list: Option<&Node>) -> Option<Vec<Entry>> {
    list?.items().iter().map(entry).collect()
}

fn entry(node: &Node) -> Option<Entry> {
    let test = match node.get("type")?.text()? {
        "match" => Test::Match(text(node, "value")),
        "match_any" => Test::MatchAny(node.get("value")?.items().iter().map(owned).collect::<Option<_>>()?),
        "exists" => Test::Exists,
        "wildcard" => Test::Wildcard(text(node, "value")),
        "list" => {
            let list = node.get("list")?;
            Test::List { id: text(list, "id"), ty: list.get("type").and_then(owned) }
        }
        "nested" => Test::Nested(entries(node.get("entries"))?),
        _ => return None,
    };
    let excluded = node.get("operator").and_then(Node::text) == Some("excluded");
    Some(Entry { field: text(node, "field"), excluded, test })
}

fn text(node: &Node, key: &str) -> String {
    node.get(key).and_then(owned).unwrap_or_default()
}

fn owned(node: &Node) -> Option<String> {
    node.text().map(str::to_owned)
}
