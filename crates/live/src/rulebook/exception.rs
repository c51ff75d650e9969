//! Exceptions that are made for one rule.

use ecs::Object;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Counted, Edit, Kept, KeptKind, NewKept, Rulebook};
use crate::LiveError;
use ecs::Millis;

/// The type of the list that belongs to one rule.
pub const DEFAULT_LIST: &str = "rule_default";

/// Ids are names in this namespace.
const NAMESPACE: Uuid = Uuid::from_u128(0x2f6d_1c58_7a0b_4f1e_8e53_90c4_b7d1_63aa);

/// What an exception list or an item is known by.
pub fn list_key(namespace: &str, id: &str) -> String {
    format!("{namespace}:{id}")
}

impl Rulebook {
    /// Excepts from a rule, whether it was made here, is built in or stands in a file: puts the items into the list that belongs
    /// to it, and makes that if there is none. `rule` is the rule as it is in force. The items are as Kibana has them, without
    /// `list_id`; what they need has been checked.
    pub fn add_rule_exceptions(
        &mut self,
        rule: &rule::Rule,
        items: &[Object],
        author: &str,
        now: Millis,
    ) -> Result<Vec<Kept>, LiveError> {
        self.change(author, now, |it| it.add_rule_exceptions(rule, items))
    }
}

impl Edit<'_> {
    /// As [`Rulebook::add_rule_exceptions`], as a part of a change.
    pub fn add_rule_exceptions(
        &mut self,
        rule: &rule::Rule,
        items: &[Object],
    ) -> Result<Vec<Kept>, LiveError> {
        let own = rule.exceptions_list.iter().find(|it| it["type"] == DEFAULT_LIST);
        let of_list = |it: &Value| it["list_id"].as_str().unwrap_or_default().to_owned();
        let list_id = own.map_or_else(|| name("list", &rule.id), of_list);
        let namespace = own.and_then(|it| it["namespace_type"].as_str()).unwrap_or("single").to_owned();
        let list = list_key(&namespace, &list_id);
        let kept = if let Some(kept) = self.by_key(KeptKind::List, &list)? {
            kept
        } else {
            let document = json!({
                "list_id": list_id,
                "type": DEFAULT_LIST,
                "name": format!("Exceptions for rule - {}", rule.name),
                "description": format!("Exception list containing exceptions for rule with id: {}", rule.id),
                "namespace_type": namespace,
                "tags": ["default_rule_exception_list"],
                "os_types": [],
            });
            let document = document.as_object().cloned().unwrap_or_default();
            let (id, key, parent) = (name("container", &list), list.clone(), String::new());
            self.add(KeptKind::List, &NewKept { id, key, parent, document })?
        };
        if own.is_none() {
            let mut lists = rule.exceptions_list.clone();
            let its =
                json!({"id": kept.id, "list_id": list_id, "namespace_type": namespace, "type": DEFAULT_LIST});
            lists.push(its);
            self.change_rule(rule, &[("exceptions_list", lists.into())], Counted::Yes)?;
        }
        let before = self.count(KeptKind::Item, None)?;
        let mut added = Vec::with_capacity(items.len());
        for (number, item) in items.iter().enumerate() {
            let mut document = item.clone();
            let generated =
                || name("item", &format!("{list}:{before}:{number}:{}", Value::Object(item.clone())));
            let item_id = item.get("item_id").and_then(Value::as_str).map_or_else(generated, str::to_owned);
            document.insert("item_id".to_owned(), item_id.as_str().into());
            document.insert("list_id".to_owned(), list_id.as_str().into());
            document.insert("namespace_type".to_owned(), namespace.as_str().into());
            let key = list_key(&namespace, &item_id);
            let id = name("object", &key);
            added.push(self.add(KeptKind::Item, &NewKept { id, key, parent: list.clone(), document })?);
        }
        Ok(added)
    }

    /// Gives a rule other values of some fields: in its document, or as what is different of one of a file.
    pub fn change_rule(
        &mut self,
        rule: &rule::Rule,
        fields: &[(&str, Value)],
        counted: Counted,
    ) -> Result<(), LiveError> {
        let (kind, kept) = match self.by_key(KeptKind::Rule, &rule.rule_id)? {
            Some(kept) => (KeptKind::Rule, Some(kept)),
            None => (KeptKind::Changes, self.by_key(KeptKind::Changes, &rule.rule_id)?),
        };
        let mut document = kept.as_ref().map_or_else(Object::new, |it| it.document.clone());
        for (name, value) in fields {
            document.insert((*name).to_owned(), value.clone());
        }
        if let Some(kept) = kept {
            self.set(kind, &kept.id, &document, counted)?;
        } else {
            let (id, key) = (rule.id.clone(), rule.rule_id.clone());
            self.add(kind, &NewKept { id, key, parent: String::new(), document })?;
        }
        Ok(())
    }
}

fn name(kind: &str, of: &str) -> String {
    Uuid::new_v5(&NAMESPACE, format!("{kind} {of}").as_bytes()).to_string()
}
