//! Rules and exceptions as other tools take them: Kibana's NDJSON, and the TOML of Elastic's rule repository.
//!
//! What is written here is read here as what it was: a test holds that of every rule at hand.

mod toml;

use std::collections::BTreeSet;

use ecs::Object;
use serde_json::{Value, json};

use crate::exceptions::{Exceptions, ListKey, Namespace};
use crate::{Rule, text::Node};

pub use toml::{exceptions_to_toml, file_name, rule_to_toml};

/// What Kibana imports: the rules, the exception lists that they name with their items, and the summary that ends an
/// export. A value a line.
pub fn to_ndjson<'r>(rules: impl IntoIterator<Item = &'r Rule>, exceptions: &Exceptions) -> String {
    let rules: Vec<(&Rule, Object)> = rules.into_iter().map(|it| (it, it.api())).collect();
    to_ndjson_of(&rules, exceptions, &[], ExportDetails::Told)
}

/// What an export holds beside the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportDetails {
    /// The exception lists, and the summary.
    Told,
    /// Nothing.
    LeftOut,
}

/// As [`to_ndjson`], of rules with what is told of each; the summary names those that are `missing`.
pub fn to_ndjson_of(
    rules: &[(&Rule, Object)],
    exceptions: &Exceptions,
    missing_rules: &[String],
    details: ExportDetails,
) -> String {
    let (mut out, count) = (String::new(), rules.len() as u64);
    let mut wanted = BTreeSet::new();
    let mut line = |value: &Value| {
        out += &value.to_string();
        out.push('\n');
    };
    for (rule, told) in rules {
        line(&Value::Object(told.clone()));
        wanted.extend(rule.exceptions_list.iter().map(named));
    }
    if details == ExportDetails::LeftOut {
        return out;
    }
    let (mut lists, mut items) = (0_u64, 0_u64);
    let mut missing = Vec::new();
    for key in &wanted {
        match exceptions.parts(key) {
            None => missing.push(json!({"list_id": key.list_id, "namespace_type": key.namespace.as_str()})),
            Some((container, its)) => {
                lists += 1;
                line(&container);
                for item in its {
                    items += 1;
                    line(&item);
                }
            }
        }
    }
    line(&json!({
        "exported_count": count + lists + items,
        "exported_rules_count": count,
        "missing_rules": missing_rules.iter().map(|it| json!({"rule_id": it})).collect::<Vec<_>>(),
        "missing_rules_count": missing_rules.len(),
        "exported_exception_list_count": lists,
        "exported_exception_list_item_count": items,
        "missing_exception_list_item_count": 0,
        "missing_exception_list_items": [],
        "missing_exception_lists": missing,
        "missing_exception_lists_count": missing.len(),
        "exported_action_connector_count": 0,
        "missing_action_connection_count": 0,
        "missing_action_connections": [],
        "excluded_action_connection_count": 0,
        "excluded_action_connections": [],
    }));
    out
}

/// The value lists that were loaded, as the lists API has them: each list, then its values, one a line.
pub fn value_lists_to_ndjson(exceptions: &Exceptions) -> String {
    let mut out = String::new();
    for (id, values) in exceptions.value_lists.iter() {
        out += &format!("{}\n", json!({"id": id, "name": id, "type": "keyword"}));
        for value in values {
            out += &format!("{}\n", json!({"list_id": id, "value": value}));
        }
    }
    out
}

/// A rule with all that is excepted from it, the values of lists included: what it is reads as what it was, whatever becomes
/// of its file and of the lists. A value a line.
pub fn definition(rule: &Rule, exceptions: &Exceptions) -> String {
    let mut out = format!("{}\n", Value::Object(rule.api()));
    let wanted: BTreeSet<ListKey> = rule.exceptions_list.iter().map(named).collect();
    let mut asked = BTreeSet::new();
    for (key, (container, items)) in wanted.iter().filter_map(|it| Some((it, exceptions.parts(it)?))) {
        out += &format!("{container}\n");
        for item in items {
            out += &format!("{item}\n");
        }
        asked.extend(exceptions.lists_asked_by(key));
    }
    for (id, values) in exceptions.value_lists.iter().filter(|(id, _)| is_asked(&asked, id)) {
        out += &format!("{}\n", json!({"id": id, "type": "keyword"}));
        for value in values {
            out += &format!("{}\n", json!({"list_id": id, "value": value}));
        }
    }
    out
}

/// Whether an entry asks for a value list, which may be called by the ending of its file.
fn is_asked(asked: &BTreeSet<String>, id: &str) -> bool {
    asked.contains(id) || id.strip_suffix(".txt").is_some_and(|it| asked.contains(it))
}

/// The list that a rule names.
fn named(reference: &Value) -> ListKey {
    let list_id = reference.get("list_id").and_then(Value::as_str).unwrap_or_default().to_owned();
    ListKey { list_id, namespace: Namespace::of(reference) }
}

impl Exceptions {
    /// A list as it is exported: its container and its items. `None` if nothing of it was loaded.
    fn parts(&self, key: &ListKey) -> Option<(Value, Vec<Value>)> {
        let items: Vec<Value> = self.items_of(key)?.into_iter().map(|it| it.source.node.to_json()).collect();
        let container = self.container(key).map_or_else(|| made(key), Node::to_json);
        Some((container, items))
    }
}

/// The container of a list of which only items were loaded.
fn made(key: &ListKey) -> Value {
    json!({
        "list_id": key.list_id,
        "name": key.list_id,
        "description": key.list_id,
        "type": "detection",
        "namespace_type": key.namespace.as_str(),
        "tags": [],
        "os_types": [],
        "version": 1,
    })
}
