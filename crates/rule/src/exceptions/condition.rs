//! Items become a condition on events.

use ecs::{Catalog, Millis};
use plan::{Bool, Condition, Leaf, LeafKind, Literal, LowerError, Query};
use serde_json::Value;

use super::{Entry, Exceptions, Item, ListKey, Namespace, Test, ValueLists};
use crate::Rule;

/// The list of all endpoints, which is left to the endpoints.
const ENDPOINT_LIST: &str = "endpoint_list";

/// Why an item cannot be applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotApplied {
    /// Loading has reported what is wrong with it.
    #[error("it is not written as the format asks")]
    Broken,
    /// Nobody gave the list.
    #[error("it asks for the value list `{id}`, which was not loaded")]
    ValueList { id: String },
    /// An entry does not fit its field.
    #[error("{0}")]
    Unfit(LowerError),
}

/// What a rule's `exceptions_list` comes to.
#[derive(Debug, Default)]
pub(crate) struct References<'a> {
    /// The items of its lists that are active in some execution, with the places of the lists in `exceptions_list`.
    pub(crate) items: Vec<(usize, &'a Item)>,
    /// The places in `exceptions_list` of lists of which nothing was loaded, with their ids.
    pub(crate) absent: Vec<(usize, String)>,
}

impl<'a> References<'a> {
    /// Looks up the lists of the rule, for executions of which none starts before `first`.
    pub(crate) fn of(rule: &Rule, exceptions: &'a Exceptions, first: Millis) -> Self {
        let mut found = Self::default();
        let mut seen: Vec<ListKey> = Vec::new();
        for (at, reference) in rule.exceptions_list.iter().enumerate() {
            let Some(list_id) = reference.get("list_id").and_then(Value::as_str) else { continue };
            let list = ListKey { list_id: list_id.to_owned(), namespace: Namespace::of(reference) };
            if list_id == ENDPOINT_LIST || seen.contains(&list) {
                continue;
            }
            match exceptions.items_of(&list) {
                Some(items) => {
                    let active = items.into_iter().filter(|item| item.is_active(first));
                    found.items.extend(active.map(|item| (at, item)));
                }
                None => found.absent.push((at, list_id.to_owned())),
            }
            seen.push(list);
        }
        found
    }
}

/// What an event satisfies that the item excepts: until it expires, that instant included.
pub(crate) fn excepted(item: &Item, lists: &ValueLists, catalog: &Catalog) -> Result<Condition, NotApplied> {
    let unfit = |mut errors: Vec<LowerError>| NotApplied::Unfit(errors.swap_remove(0));
    let condition = plan::condition(&query(item, lists)?, catalog).map_err(unfit)?;
    Ok(Condition::all_of([condition].into_iter().chain(item.expires.map(Condition::until))))
}

/// The item as a query.
fn query(item: &Item, lists: &ValueLists) -> Result<Query, NotApplied> {
    let entries = item.entries.as_ref().ok_or(NotApplied::Broken)?;
    let all = entries.iter().map(|entry| entry.query(None, lists)).collect::<Result<Vec<_>, _>>()?;
    if item.os_types.is_empty() {
        return Ok(and(all));
    }
    let hosts = item
        .os_types
        .iter()
        .flat_map(|os_type| OS_FIELDS.iter().map(|field| leaf((*field).to_owned(), phrase(os_type))));
    Ok(and([or(hosts.collect())].into_iter().chain(all).collect()))
}

/// Either of them names the operating system.
const OS_FIELDS: [&str; 2] = ["host.os.type", "host.os.name.caseless"];

impl Entry {
    /// The entry as a query; `parent` is the field of the nested entry that it stands in.
    pub(crate) fn query(&self, parent: Option<&str>, lists: &ValueLists) -> Result<Query, NotApplied> {
        let field = || match parent {
            Some(parent) => format!("{parent}.{}", self.field),
            None => self.field.clone(),
        };
        let query = match &self.test {
            Test::Match(value) => leaf(field(), phrase(value)),
            Test::MatchAny(values) => or(values.iter().map(|value| leaf(field(), phrase(value))).collect()),
            Test::Exists => leaf(field(), LeafKind::Exists),
            Test::Wildcard(value) => {
                leaf(field(), LeafKind::Wildcard { value: value.clone(), case_insensitive: false })
            }
            Test::List { id, ty } => lists
                .query(field(), id, ty.as_deref())
                .ok_or_else(|| NotApplied::ValueList { id: id.clone() })?,
            Test::Nested(entries) => {
                let path = field();
                let all = entries
                    .iter()
                    .map(|entry| entry.query(Some(&path), lists))
                    .collect::<Result<Vec<_>, _>>()?;
                Query::Nested { path, query: Box::new(and(all)), span: None }
            }
        };
        Ok(if self.excluded { Query::Bool(Bool { must_not: vec![query], ..Bool::default() }) } else { query })
    }
}

pub(super) fn leaf(field: String, kind: LeafKind) -> Query {
    Query::Leaf(Leaf { field: Some(field), kind, span: None })
}

pub(super) fn phrase(value: &str) -> LeafKind {
    LeafKind::MatchPhrase { query: Literal::Text(value.to_owned()), slop: 0, lenient: false }
}

fn and(filter: Vec<Query>) -> Query {
    Query::Bool(Bool { filter, ..Bool::default() })
}

/// Any of them; none of none.
pub(super) fn or(should: Vec<Query>) -> Query {
    Query::Bool(Bool { should, minimum_should_match: Some(1), ..Bool::default() })
}
