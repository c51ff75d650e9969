//! Exceptions: what a rule's user has excepted from it.
//!
//! A rule names lists; a list has items; an item has entries. An event is excepted if it satisfies all entries of
//! some item. The condition is part of the rule's filter, so that an excepted event is no history either.

mod condition;
mod read;
mod toml;
mod value_list;

use std::collections::{BTreeMap, BTreeSet};

use ecs::{Catalog, Millis};
use serde_json::Value;

use crate::text::Node;

pub(crate) use condition::{NotApplied, References, excepted};
pub(crate) use toml::read_all;
pub(crate) use value_list::ValueLists;

/// Exception lists and their items, as they were loaded.
#[derive(Clone, Debug, Default)]
pub struct Exceptions {
    pub(crate) items: Vec<Item>,
    pub(crate) value_lists: ValueLists,
    /// Where the items of each list stand; lists without items are there, too.
    lists: BTreeMap<ListKey, Vec<usize>>,
    /// The containers of the lists, as they stood in their files.
    containers: BTreeMap<ListKey, Node>,
}

impl Exceptions {
    /// Whether there is neither a list nor an item.
    pub fn is_empty(&self) -> bool {
        self.lists.is_empty() && self.value_lists.is_empty()
    }

    /// The ids of the value lists that entries ask for.
    pub(crate) fn asked_lists(&self) -> BTreeSet<String> {
        self.items.iter().flat_map(Item::asked_lists).collect()
    }

    /// The ids of the value lists that entries of the items of a list ask for.
    pub(crate) fn lists_asked_by(&self, list: &ListKey) -> BTreeSet<String> {
        self.items_of(list).unwrap_or_default().into_iter().flat_map(Item::asked_lists).collect()
    }

    /// Whether anything of that list was loaded.
    pub fn has_list(&self, list_id: &str, namespace: &str) -> bool {
        let namespace = Namespace::from_name(Some(namespace));
        self.lists.contains_key(&ListKey { list_id: list_id.to_owned(), namespace })
    }

    /// The items that cannot be applied to any event, by their names, and why. A value list that is not there is no reason:
    /// it may come.
    pub fn unusable(&self) -> Vec<(String, String)> {
        let catalog = Catalog::ecs();
        let reason = |item: &Item| match excepted(item, &self.value_lists, &catalog) {
            Ok(_) | Err(NotApplied::ValueList { .. }) => None,
            Err(reason @ (NotApplied::Broken | NotApplied::Unfit(_))) => Some(reason.to_string()),
        };
        self.items.iter().filter_map(|it| Some((it.name.clone(), reason(it)?))).collect()
    }

    /// Adds what others hold.
    pub fn extend(&mut self, other: Self) {
        other.lists.into_keys().for_each(|list| self.add_list(list));
        self.containers.extend(other.containers);
        self.value_lists.extend(other.value_lists);
        other.items.into_iter().for_each(|item| self.add_item(item));
    }

    pub(crate) fn add_list(&mut self, list: ListKey) {
        self.lists.entry(list).or_default();
    }

    /// Keeps the container of a list, for whoever exports it.
    pub(crate) fn add_container(&mut self, list: ListKey, container: Node) {
        self.containers.insert(list.clone(), container);
        self.add_list(list);
    }

    /// The container of a list, if it was loaded.
    pub(crate) fn container(&self, list: &ListKey) -> Option<&Node> {
        self.containers.get(list)
    }

    pub(crate) fn add_item(&mut self, item: Item) {
        self.lists.entry(item.list.clone()).or_default().push(self.items.len());
        self.items.push(item);
    }

    /// The items of a list; `None` if nothing of it was loaded.
    pub(crate) fn items_of(&self, list: &ListKey) -> Option<Vec<&Item>> {
        Some(self.lists.get(list)?.iter().map(|&at| &self.items[at]).collect())
    }
}

/// What identifies a list.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ListKey {
    pub(crate) list_id: String,
    pub(crate) namespace: Namespace,
}

/// Whether a list belongs to one space or to all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Namespace {
    #[default]
    Single,
    Agnostic,
}

impl Namespace {
    /// As Kibana writes it; what is absent is `single`.
    fn from_name(name: Option<&str>) -> Self {
        match name {
            Some("agnostic") => Self::Agnostic,
            _ => Self::Single,
        }
    }

    /// As Kibana writes it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Single => "single",
            Self::Agnostic => "agnostic",
        }
    }

    pub(crate) fn of(value: &Value) -> Self {
        Self::from_name(value.get("namespace_type").and_then(Value::as_str))
    }
}

/// One item of a list.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    /// What people call it: its name, else its id.
    pub(crate) name: String,
    pub(crate) list: ListKey,
    /// Windows, Linux, macOS: if there are any, the item is about hosts with these only.
    os_types: Vec<String>,
    /// All must hold. `None` if they are not what the format asks for, which loading has reported.
    pub(crate) entries: Option<Vec<Entry>>,
    /// It counts until then, that instant included.
    pub(crate) expires: Option<Millis>,
    pub(crate) source: ItemSource,
}

/// Where an item was read from.
#[derive(Clone, Debug)]
pub(crate) struct ItemSource {
    pub(crate) file: String,
    pub(crate) node: Node,
}

/// One condition of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The field; of entries within a nested one, below that one's field.
    pub(crate) field: String,
    /// The entry must not hold.
    pub(crate) excluded: bool,
    pub(crate) test: Test,
}

/// What an entry asks of its field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Test {
    Match(String),
    MatchAny(Vec<String>),
    Exists,
    Wildcard(String),
    /// Some value is in the value list of that id, whose values are of that type.
    List {
        id: String,
        ty: Option<String>,
    },
    /// One object of a nested field satisfies all of these.
    Nested(Vec<Entry>),
}

impl Item {
    /// The ids of the value lists that its entries ask for.
    fn asked_lists(&self) -> impl Iterator<Item = String> {
        self.entries.iter().flatten().filter_map(|entry| match &entry.test {
            Test::List { id, .. } => Some(id.clone()),
            // The format allows none in there.
            Test::Match(_) | Test::MatchAny(_) | Test::Exists | Test::Wildcard(_) | Test::Nested(_) => None,
        })
    }

    /// Whether it counts for an execution that starts then.
    pub(crate) fn is_active(&self, now: Millis) -> bool {
        self.expires.is_none_or(|expires| expires >= now)
    }
}
