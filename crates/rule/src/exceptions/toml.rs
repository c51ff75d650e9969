//! Exceptions as the rule repository's tools write them: `[[exceptions]]`, each with a container and its items.

use super::{Item, ListKey};
use crate::error::Findings;
use crate::parse::Input;
use crate::suggest::nearest;
use crate::text::{Data, Member, Node};
use crate::{LoadError, RuleSet};

/// The parts of one of `[[exceptions]]`.
const PARTS: [&str; 2] = ["container", "items"];

/// What an item has from its container if it does not say so itself.
const INHERITED: [&str; 2] = ["list_id", "namespace_type"];

/// Reads the lists of a file and their items into the set.
pub(crate) fn read_all(exceptions: Node, input: &Input<'_>, set: &mut RuleSet) {
    let lists = match exceptions.data {
        Data::List(lists) => lists,
        // `[exceptions]` with single brackets means one of them.
        _ => vec![exceptions],
    };
    for list in lists {
        read_list(list, input, set);
    }
}

fn read_list(mut list: Node, input: &Input<'_>, set: &mut RuleSet) {
    let mut findings = Findings::default();
    for member in list.members().iter().filter(|member| !PARTS.contains(&member.key.as_str())) {
        findings.push(&LoadError::UnknownField {
            field: format!("exceptions.{}", member.key),
            similar: nearest(&member.key, PARTS).map(str::to_owned),
            span: member.key_span,
        });
    }
    set.report(input.name, findings.into_diagnostics());
    let container = list.take("container").map(|member| member.value);
    if let Some(container) = &container {
        let (key, found) = ListKey::read(container, input);
        set.exceptions.add_container(key, container.clone());
        set.report(input.name, found);
    }
    let items = match list.take("items").map(|member| member.value) {
        Some(Node { data: Data::List(items), .. }) => items,
        Some(item) => vec![item],
        None => Vec::new(),
    };
    for item in items {
        let (item, found) = Item::read(completed(item, container.as_ref()), input);
        set.exceptions.add_item(item);
        set.report(input.name, found);
    }
}

/// The item in the form of an export.
fn completed(mut item: Node, container: Option<&Node>) -> Node {
    for key in INHERITED {
        if item.get(key).is_none()
            && let Some(member) = container.and_then(|container| container.member(key))
        {
            item.push(member.clone());
        }
    }
    // TOML has dates of its own; exports write them as text.
    if let Some(Member { key, key_span, value: Node { span, data } }) = item.take("expire_time") {
        let data = match data {
            Data::Date(text) => Data::Text(text),
            other => other,
        };
        item.push(Member { key, key_span, value: Node { span, data } });
    }
    item
}
