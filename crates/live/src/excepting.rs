//! What exceptions would hide, before they are made: tried on the alerts that there are.

use ecs::{Catalog, Millis, Object};
use plan::Expr;
use serde_json::{Value, json};

use crate::search::{Search, Silenced};
use crate::silence::Tried;
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
        let of_rule = format!("kibana.alert.rule.rule_id: {}", Value::from(rule_id));
        let search =
            Search { query: of_rule, silenced: Silenced::Included, also: Some(excepted), ..search.clone() };
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

#[cfg(test)]
mod tests {
    use plan::naive::matches;

    use super::*;

    fn holds(entries: Value, document: Value) -> bool {
        let item = json!({"name": "x", "description": "", "type": "simple", "entries": entries});
        let excepted = excepted(&[item.as_object().unwrap().clone()], 0).unwrap();
        let mut document = document.as_object().unwrap().clone();
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
