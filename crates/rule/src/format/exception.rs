//! The fields of exception lists, their items and the items' entries, as Kibana exports them.

use super::{Entry, Shape};

const ANY: usize = usize::MAX;

const NAMESPACES: &[&str] = &["single", "agnostic"];

const OPERATORS: &[&str] = &["included", "excluded"];

/// The container of a list.
pub(crate) const EXCEPTION_LIST: &[Entry] = &[
    Entry::new("_version", Shape::Any, "Kibana's bookkeeping."),
    Entry::new("id", Shape::Text, "The object id."),
    Entry::new("list_id", Shape::Words, "The stable id.").required(),
    Entry::new("type", Shape::Text, "What kind of list it is."),
    Entry::new("name", Shape::Text, "What the list is called."),
    Entry::new("description", Shape::Text, "What it is for."),
    Entry::new("namespace_type", Shape::Choice(NAMESPACES), "Whether all spaces share it."),
    Entry::new("os_types", Shape::Texts { min: 0, max: ANY }, "Without effect: its items have their own."),
    Entry::new("tags", Shape::Texts { min: 0, max: ANY }, "Tags."),
    Entry::new("meta", Shape::Any, "Anything else."),
    Entry::new("immutable", Shape::Flag, "Whether it came with Kibana."),
    Entry::new("version", Shape::Any, "Kibana's bookkeeping."),
    Entry::new("tie_breaker_id", Shape::Any, "Kibana's bookkeeping."),
    Entry::new("created_at", Shape::Any, "When it was made."),
    Entry::new("created_by", Shape::Any, "By whom."),
    Entry::new("updated_at", Shape::Any, "When it was last changed."),
    Entry::new("updated_by", Shape::Any, "By whom."),
];

/// An item. Its `entries` are checked by their types.
pub(crate) const EXCEPTION_ITEM: &[Entry] = &[
    Entry::new("_version", Shape::Any, "Kibana's bookkeeping."),
    Entry::new("id", Shape::Text, "The object id."),
    // Kibana gives one to an item that has none.
    Entry::new("item_id", Shape::Words, "The stable id."),
    Entry::new("list_id", Shape::Words, "The list that it belongs to.").required(),
    Entry::new("type", Shape::Choice(&["simple"]), "There is one kind."),
    Entry::new("name", Shape::Text, "What the item is called."),
    Entry::new("description", Shape::Text, "Why it is there."),
    Entry::new("namespace_type", Shape::Choice(NAMESPACES), "Whether all spaces share it."),
    Entry::new("entries", Shape::Any, "What all must hold of an event.").required(),
    Entry::new("os_types", Shape::Texts { min: 0, max: ANY }, "The operating systems that it is about."),
    Entry::new("tags", Shape::Texts { min: 0, max: ANY }, "Tags."),
    Entry::new("_tags", Shape::Texts { min: 0, max: ANY }, "Tags of endpoints; without effect."),
    Entry::new("comments", Shape::Any, "What people said of it."),
    Entry::new("expire_time", Shape::Text, "When it ends."),
    Entry::new("meta", Shape::Any, "Anything else."),
    Entry::new("tie_breaker_id", Shape::Any, "Kibana's bookkeeping."),
    Entry::new("created_at", Shape::Any, "When it was made."),
    Entry::new("created_by", Shape::Any, "By whom."),
    Entry::new("updated_at", Shape::Any, "When it was last changed."),
    Entry::new("updated_by", Shape::Any, "By whom."),
];

/// The types of entries.
const TYPES: &[&str] = &["match", "match_any", "exists", "wildcard", "list", "nested"];

/// The types that the entries of a nested one can have.
const INNER_TYPES: &[&str] = &["match", "match_any", "exists"];

const TYPE: Entry = Entry::new("type", Shape::Choice(TYPES), "How the field is compared.").required();
const INNER_TYPE: Entry =
    Entry::new("type", Shape::Choice(INNER_TYPES), "How the field is compared.").required();
const FIELD: Entry = Entry::new("field", Shape::Words, "A field of the event.").required();
const OPERATOR: Entry =
    Entry::new("operator", Shape::Choice(OPERATORS), "`excluded` negates the entry.").required();

/// `match` and `wildcard`.
const ONE_VALUE: &[Entry] =
    &[TYPE, FIELD, OPERATOR, Entry::new("value", Shape::Words, "The value, or the pattern.").required()];

const MATCH_ANY: &[Entry] = &[
    TYPE,
    FIELD,
    OPERATOR,
    Entry::new("value", Shape::Texts { min: 1, max: ANY }, "The values, any of which will do.").required(),
];

const EXISTS: &[Entry] = &[TYPE, FIELD, OPERATOR];

const VALUE_LIST: &[Entry] = &[
    Entry::new("id", Shape::Words, "The value list.").required(),
    Entry::new("type", Shape::Text, "The type of its values."),
];

const LIST: &[Entry] =
    &[TYPE, FIELD, OPERATOR, Entry::new("list", Shape::Table(VALUE_LIST), "The value list.").required()];

const NESTED: &[Entry] = &[
    TYPE,
    FIELD,
    Entry::new("entries", Shape::Any, "What all must hold of one object of the field.").required(),
];

/// The fields of an entry of that type, in an item or `inner` of a nested entry.
pub(crate) fn exception_entry(type_name: Option<&str>, inner: bool) -> &'static [Entry] {
    let allowed = if inner { INNER_TYPES } else { TYPES };
    match type_name.filter(|name| allowed.contains(name)) {
        Some("match" | "wildcard") => ONE_VALUE,
        Some("match_any") => MATCH_ANY,
        Some("exists") => EXISTS,
        Some("list") => LIST,
        Some("nested") => NESTED,
        _ if inner => UNKNOWN_INNER,
        _ => UNKNOWN,
    }
}

/// What an entry of an unknown type has cannot be told.
const UNKNOWN: &[Entry] = &[TYPE, ANYTHING[0], ANYTHING[1], ANYTHING[2], ANYTHING[3], ANYTHING[4]];

const UNKNOWN_INNER: &[Entry] =
    &[INNER_TYPE, ANYTHING[0], ANYTHING[1], ANYTHING[2], ANYTHING[3], ANYTHING[4]];

const ANYTHING: [Entry; 5] = [
    Entry::new("field", Shape::Any, "A field of the event."),
    Entry::new("operator", Shape::Any, "`excluded` negates the entry."),
    Entry::new("value", Shape::Any, "What the field is compared with."),
    Entry::new("list", Shape::Any, "The value list."),
    Entry::new("entries", Shape::Any, "The entries of a nested one."),
];
