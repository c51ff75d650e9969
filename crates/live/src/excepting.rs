//! Exceptions made of alerts; what they would hide, before they are made: tried on the alerts that there are.

use std::path::Path;

use ecs::{Catalog, Millis, Object};
use plan::Expr;
use serde_json::{Value, json};

use crate::actions::act;
use crate::rulebook::{Kept, Rulebook};
use crate::search::{Search, Silenced};
use crate::silence::Tried;
use crate::workflow::{Change, ClosingReason};
use crate::{Book, LiveError};

/// The list that items are in while they are tried.
const LIST: &str = "trailwarden-trial";

/// A rule that finds every alert but for what that list excepts.
const PROBE: &str = "[rule]\nname = 'All'\nrule_id = 'all'\ndescription = 'All.'\nseverity = 'low'\nrisk_score = 1\n\
    type = 'query'\nlanguage = 'kuery'\nquery = '*'\nindex = ['.alerts-security.*']\n\
    exceptions_list = [{ id = 'trial', list_id = 'trailwarden-trial', namespace_type = 'single', type = 'detection' }]\n";

impl Book {
    /// The alerts of a rule, raised at `since` or later, that exception items would have hidden: how many, and their ids, the
    /// newest first, of those of this status. Items are as Kibana has them.
    pub fn try_exceptions(
        &self,
        rule_id: &str,
        items: &[Object],
        search: &Search,
    ) -> Result<Tried, LiveError> {
        let excepted = excepted(items, search.now)?;
        let mut query = format!("kibana.alert.rule.rule_id: {}", Value::from(rule_id));
        if !search.query.trim().is_empty() {
            query += &format!(" and ({})", search.query);
        }
        let search = Search { query, silenced: Silenced::Included, also: Some(excepted), ..search.clone() };
        let ids = self.ids(&search)?;
        Ok(Tried { alerts: ids.len() as u64, ids })
    }
}

/// What an event satisfies that any of the items excepts in an execution that starts then.
fn excepted(items: &[Object], now: Millis) -> Result<Expr, LiveError> {
    let list = json!({"list_id": LIST, "type": "detection", "name": LIST, "description": LIST, "namespace_type": "single"});
    let mut text = format!("{list}\n");
    for (number, item) in items.iter().enumerate() {
        let mut item = item.clone();
        item.insert("list_id".to_owned(), LIST.into());
        item.insert("namespace_type".to_owned(), "single".into());
        item.entry("item_id".to_owned()).or_insert_with(|| format!("trial-{number}").into());
        text += &format!("{}\n", Value::Object(item));
    }
    let mut set = rule::load_text("trial.ndjson", &text);
    set.extend(rule::load_text("trial.toml", PROBE));
    let wrong: Vec<_> = set.problems.into_iter().map(|it| it.diagnostic).collect();
    let Some(probe) = set.rules.first().filter(|_| wrong.is_empty()) else {
        return Err(LiveError::Exception(wrong));
    };
    let compiled = rule::compile_with(probe, &set.exceptions, &Catalog::ecs(), &(Millis::MIN..=Millis::MAX));
    let compiled = compiled.map_err(LiveError::Exception)?;
    if !compiled.warnings.is_empty() {
        return Err(LiveError::Exception(compiled.warnings));
    }
    let found = compiled.conditions.iter().map(|it| it.at(now)).collect();
    Ok(Expr::Not(Box::new(Expr::Or(found))))
}

/// An exception that is to be made of an alert.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewException {
    /// The id of the alert.
    pub alert: String,
    /// What fields must be, as Kibana's exception items have it.
    pub entries: Vec<Value>,
    /// Why.
    pub comment: String,
    /// When it ends; never, if nothing is said.
    pub expires: Option<Millis>,
    /// Whether the alerts are closed that it would have hidden,
    pub closes: bool,
    /// and why.
    pub reason: Option<ClosingReason>,
}

/// An exception that was made.
#[derive(Clone, Debug, PartialEq)]
pub struct MadeException {
    /// Its `item_id`.
    pub item_id: String,
    /// The ids of the alerts that were closed.
    pub closed: Vec<String>,
}

impl NewException {
    /// As an item, without a list.
    pub fn item(&self) -> Object {
        let short: String = self.alert.chars().take(12).collect();
        let item = json!({
            "type": "simple",
            "name": format!("Made of alert {short}"),
            "description": self.comment,
            "entries": self.entries,
            "os_types": [],
            "tags": [],
            "comments": [{"comment": self.comment}],
        });
        let mut item = item.as_object().cloned().unwrap_or_default();
        if let Some(expires) = self.expires {
            item.insert("expire_time".to_owned(), ecs::date::to_iso(expires).into());
        }
        item
    }
}

/// Makes an exception of an alert for its rule, which is given as it is in force, and closes the alerts that it would have
/// hidden, if that is wanted. Executions know of it from the next slot on.
pub fn except(
    folder: &Path,
    rule: &rule::Rule,
    new: &NewException,
    author: &str,
    now: Millis,
) -> Result<MadeException, LiveError> {
    let mut book = Book::open(folder)?;
    if new.comment.trim().is_empty() {
        return Err(LiveError::NoReason);
    }
    let item = new.item();
    // What no rule could apply is refused before it is kept.
    let query = "not kibana.alert.workflow_status: closed".to_owned();
    let open = Search { query, now, ..Search::default() };
    let hidden = book.try_exceptions(&rule.rule_id, std::slice::from_ref(&item), &open)?;
    let made = Rulebook::open(folder)?.add_rule_exceptions(rule, &[item], author, now)?;
    let text = |it: &Kept| it.document.get("item_id").and_then(Value::as_str).unwrap_or(&it.id).to_owned();
    let item_id = made.first().map(text).unwrap_or_default();
    let mut closed = Vec::new();
    if new.closes {
        let change = Change::Close { reason: new.reason };
        closed = book.change(&hidden.ids, &change, author, now)?.changed;
    }
    let detail = json!({
        "item_id": item_id,
        "alert": new.alert,
        "entries": new.entries,
        "comment": new.comment,
        "expires": new.expires.map(ecs::date::to_iso),
        "closed": closed.len(),
    });
    let subject = format!("rule {}", rule.rule_id);
    book.database.change(|it| Ok(act(it, now, author, &subject, "except", &detail)?))?;
    Ok(MadeException { item_id, closed })
}

#[cfg(test)]
mod tests {
    use plan::naive::matches;

    use super::*;

    fn holds(entries: Value, document: Value) -> bool {
        let mut item = json!({"name": "x", "description": "", "type": "simple"}).as_object().unwrap().clone();
        item.insert("entries".to_owned(), entries);
        let excepted = excepted(&[item], 0).unwrap();
        let Value::Object(mut document) = document else { panic!("{document} is no document") };
        document.insert("_index".to_owned(), ecs::ALERTS_INDEX.into());
        matches(&excepted, &document)
    }

    #[test]
    fn items_are_tried_as_rules_apply_them() {
        let user =
            |it: &str| json!([{"type": "match", "field": "user.name", "operator": "included", "value": it}]);
        assert!(holds(user("ana"), json!({"user": {"name": "ana"}})));
        assert!(!holds(user("ana"), json!({"user": {"name": "Ana"}})) && !holds(user("ana"), json!({})));
        let pattern = json!([{"type": "wildcard", "field": "user_agent.original", "operator": "included", "value": "*aws-cli*"}]);
        assert!(holds(pattern.clone(), json!({"user_agent.original": "aws-cli/2.1"})));
        assert!(!holds(pattern, json!({"user_agent.original": "Boto3"})));
        let none: Vec<Object> = Vec::new();
        assert!(!matches(
            &excepted(&none, 0).unwrap(),
            &json!({"_index": ecs::ALERTS_INDEX}).as_object().unwrap().clone()
        ));
        let wrong = json!({"name": "x", "description": "", "type": "simple", "entries": []});
        assert!(excepted(&[wrong.as_object().unwrap().clone()], 0).is_err());
    }
}
