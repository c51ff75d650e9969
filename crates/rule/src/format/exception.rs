//! The fields of exception lists, their items and the items' entries, as Kibana exports them.

use super::{Entry, Form};

const ANY: usize = usize::MAX;

const NAMESPACES: &[&str] = &["single", "agnostic"];

const OPERATORS: &[&str] = &["included", "excluded"];

/// The container of a list.
pub(crate) const EXCEPTION_LIST: &[Entry] = &[
    Entry::new("_version", Form::Any, "Kibana's bookkeeping."),
    Entry::new("id", Form::Text, "The object id."),
    Entry::new("list_id", Form::Words, "The stable id.").required(),
    Entry::new("type", Form::Text, "What kind of list it is."),
    Entry::new("name", Form::Text, "What the list is called."),
    Entry::new("description", Form::Text, "What it is for."),
    Entry::new("namespace_type", Form::Choice(NAMESPACES), "Whether all spaces share it."),
    Entry::new("os_types", Form::Texts { min: 0, max: ANY }, "Without effect: its items have their own."),
    Entry::new("tags", Form::Texts { min: 0, max: ANY }, "Tags."),
    Entry::new("meta", Form::Any, "Anything else."),
    Entry::new("immutable", Form::Flag, "Whether it came with Kibana."),
    Entry::new("version", Form::Any, "Kibana's bookkeeping."),
    Entry::new("tie_breaker_id", Form::Any, "Kibana's bookkeeping."),
    Entry::new("created_at", Form::Any, "When it was made."),
    Entry::new("created_by", Form::Any, "By whom."),
    Entry::new("updated_at", Form::Any, "When it was last changed."),
    Entry::new("updated_by", Form::Any, "By whom."),
];

/// An item. Its `entries` are checked by their types.
pub(crate) const EXCEPTION_ITEM: &[Entry] = &[
    Entry::new("_version", Form::Any, "Kibana's bookkeeping."),
    Entry::new("id", Form::Text, "The object id."),
    // Kibana gives one to an item that has none.
    Entry::new("item_id", Form::Words, "The stable id."),
    Entry::new("list_id", Form::Words, "The list that it belongs to.").required(),
    Entry::new("type", Form::Choice(&["simple"]), "There is one kind."),
    Entry::new("name", Form::Text, "What the item is called."),
    Entry::new("description", Form::Text, "Why it is there."),
    Entry::new("namespace_type", Form::Choice(NAMESPACES), "Whether all spaces share it."),
    Entry::new("entries", Form::Any, "What all must hold of an event.").required(),
    Entry::new("os_types", Form::Texts { min: 0, max: ANY }, "The operating systems that it is about."),
    Entry::new("tags", Form::Texts { min: 0, max: ANY }, "Tags."),
    Entry::new("_tags", Form::Texts { min: 0, max: ANY }, "Tags of endpoints; without effect."),
    Entry::new("comments", Form::Any, "What people said of it."),
    Entry::new("expire_time", Form::Text, "When it ends."),
    Entry::new("meta", Form::Any, "Anything else."),
    Entry::new("tie_breaker_id", Form::Any, "Kibana's bookkeeping."),
    Entry::new("created_at", Form::Any, "When it was made."),
    Entry::new("created_by", Form::Any, "By whom."),
    Entry::new("updated_at", Form::Any, "When it was last changed."),
    Entry::new("updated_by", Form::Any, "By whom."),
];

/// The types of entries.
const TYPES: &[&str] = &["match", "match_any", "exists", "wildcard", "list", "nested"];

/// The types that the entries of a nested one can have.
const INNER_TYPES: &[&str] = &["match", "match_any", "exists"];

const TYPE: Entry = Entry::new("type", Form::Choice(TYPES), "How the field is compared.").required();
const INNER_TYPE: Entry =
    Entry::new("type", Form::Choice(INNER_TYPES), "How the field is compared.").required();
const FIELD: Entry = Entry::new("field", Form::Words, "A field of the event.").required();
const OPERATOR: Entry =
    Entry::new("operator", Form::Choice(OPERATORS), "`excluded` negates the entry.").required();

/// `match` and `wildcard`.
const ONE_VALUE: &[Entry] =
    &[TYPE, FIELD, OPERATOR, Entry::new("value", Form::Words, "The value, or the pattern.").required()];

const MATCH_ANY: &[Entry] = &[
    TYPE,
    FIELD,
    OPERATOR,
    Entry::new("value", Form::Texts { min: 1, max: ANY }, "The values, any of which will do.").required(),
];

const EXISTS: &[Entry] = &[TYPE, FIELD, OPERATOR];

const VALUE_LIST: &[Entry] = &[
    Entry::new("id", Form::Words, "The value list.").required(),
    Entry::new("type", Form::Text, "The type of its values."),
];

const LIST: &[Entry] =
    &[TYPE, FIELD, OPERATOR, Entry::new("list", Form::Table(VALUE_LIST), "The value list.").required()];

const NESTED: &[Entry] = &[
    TYPE,
    FIELD,
    Entry::new("entries", Form::Any, "What all must hold of one object of the field.").required(),
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
    Entry::new("field", Form::Any, "A field of the event."),
    Entry::new("operator", Form::Any, "`excluded` negates the entry."),
    Entry::new("value", Form::Any, "What the field is compared with."),
    Entry::new("list", Form::Any, "The value list."),
    Entry::new("entries", Form::Any, "The entries of a nested one."),
];
