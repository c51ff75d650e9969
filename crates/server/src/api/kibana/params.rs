//! What can be said in the addresses.

use super::super::param;
use crate::http::Param;

pub(super) const ID: &[Param] =
    &[param("id", "string", "The object id of a rule."), param("rule_id", "string", "Or its rule_id.")];
pub(super) const FIND: &[Param] = &[
    param("page", "integer", "Which page: 1 is the first."),
    param("per_page", "integer", "So many on a page: 20, up to 10000."),
    param("sort_field", "string", "name, enabled, created_at, updated_at, risk_score or severity."),
    param("sort_order", "string", "asc or desc."),
    param("filter", "string", "KQL over what Kibana keeps of rules, such as alert.attributes.name: x."),
    param("fields", "string", "Is taken and has no effect: all fields are given."),
];
pub(super) const IMPORT: &[Param] = &[
    param("overwrite", "boolean", "Whether rules that are there are replaced."),
    param("overwrite_exceptions", "boolean", "Whether exception lists that are there are replaced."),
    param("overwrite_action_connectors", "boolean", "Is taken and has no effect."),
    param("as_new_list", "boolean", "Must be false."),
];
pub(super) const EXPORT: &[Param] = &[
    param("exclude_export_details", "boolean", "Rules alone, without exceptions and the summary."),
    param("file_name", "string", "What the file is called."),
];
pub(super) const DRY_RUN: &[Param] = &[param("dry_run", "boolean", "Whether nothing is changed.")];
pub(super) const LIST_ID: &[Param] = &[
    param("id", "string", "The object id."),
    param("list_id", "string", "Or the id of the list."),
    param("namespace_type", "string", "single (the default) or agnostic."),
];
pub(super) const LIST_FIND: &[Param] = &[
    param("page", "integer", "Which page: 1 is the first."),
    param("per_page", "integer", "So many on a page: 20, up to 10000."),
    param("sort_field", "string", "A field of the document."),
    param("sort_order", "string", "asc or desc."),
    param("filter", "string", "KQL over the documents, such as exception-list.attributes.name: x."),
    param("namespace_type", "string", "single (the default) or agnostic; several with commas."),
];
pub(super) const LIST_EXPORT: &[Param] = &[
    LIST_ID[0],
    LIST_ID[1],
    LIST_ID[2],
    param("include_expired_exceptions", "boolean", "Whether items are there that have expired: true."),
];
pub(super) const LIST_IMPORT: &[Param] = &[
    param("overwrite", "boolean", "Whether lists that are there are replaced."),
    param("as_new_list", "boolean", "Must be false."),
];
pub(super) const ITEM_ID: &[Param] = &[
    param("id", "string", "The object id."),
    param("item_id", "string", "Or the id of the item."),
    param("namespace_type", "string", "single (the default) or agnostic."),
];
pub(super) const ITEM_FIND: &[Param] = &[
    param("list_id", "string", "The list, or several with commas."),
    LIST_FIND[0],
    LIST_FIND[1],
    LIST_FIND[2],
    LIST_FIND[3],
    LIST_FIND[4],
    LIST_FIND[5],
    param("search", "string", "A word of it."),
];
pub(super) const VALUE_LIST: &[Param] = &[param("id", "string", "The id of the value list.")];
pub(super) const VALUE_FIND: &[Param] = &[
    LIST_FIND[0],
    LIST_FIND[1],
    LIST_FIND[2],
    LIST_FIND[3],
    LIST_FIND[4],
    param("cursor", "string", "Is taken and has no effect."),
    param("list_id", "string", "The value list, of whose values it is asked."),
];
pub(super) const VALUE: &[Param] = &[
    param("id", "string", "The id of the value."),
    param("list_id", "string", "Or the value list,"),
    param("value", "string", "and the value."),
];
pub(super) const VALUE_IMPORT: &[Param] = &[
    param("list_id", "string", "The list that the values go into; the name of the file if it is absent."),
    param("type", "string", "The type of a list that is new: keyword."),
];
pub(super) const VALUE_EXPORT: &[Param] = &[param("list_id", "string", "The value list.")];
