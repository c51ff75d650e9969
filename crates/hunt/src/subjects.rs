//! Alerts of a hunt as what investigations begin with.

use std::sync::Arc;

use ecs::Millis;
use investigate::{Raised, Subject};
use rule::{Rule, Severity};
use serde_json::Value;

use crate::alerts::Alert;
use crate::run::Found;

/// So many alerts are investigated at once, if nothing else is asked for.
pub const ALERTS_MAX: usize = 200;

/// Which alerts are to be investigated.
#[derive(Clone, Debug)]
pub enum Which {
    /// The one whose id begins so.
    Alert(String),
    /// Those of this severity and above.
    From(Severity),
    /// Those of the rule with this id.
    Rule(String),
}

/// Alerts of a hunt as subjects, and what an exception could look at in all of them.
#[derive(Clone, Debug, Default)]
pub struct Picked {
    /// Those to be investigated.
    pub subjects: Vec<Subject>,
    /// Of all alerts.
    pub raised: Vec<Raised>,
    /// How many would have been picked without the limit.
    pub total: usize,
}

/// The alerts to investigate, at most so many, the most severe first; and of all alerts what an exception could look at.
pub fn pick(found: &Found, which: &Which, most: usize, now: Millis) -> Picked {
    struct One {
        severity: Option<Severity>,
        id: String,
        raised: Option<Raised>,
        subject: Option<Subject>,
    }
    let rules: Vec<Arc<Rule>> = found.rules.iter().map(|it| Arc::clone(&it.rule)).collect();
    let make = |alert: &mut Alert<'_, '_>| {
        let mut json = String::new();
        let severity = alert.write_json(&mut json);
        let Ok(Value::Object(document)) = ecs::json::parse(&json) else {
            return One { severity: Some(severity), id: String::new(), raised: None, subject: None };
        };
        let text = |path: &str| {
            ecs::document::lookup(&document, path).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let (id, rule_id) = (text("kibana.alert.uuid"), text("kibana.alert.rule.rule_id"));
        let is_counted = ecs::document::lookup(&document, "kibana.alert.threshold_result").is_some();
        let mut anchors = Vec::new();
        for block in alert.blocks() {
            let mut json = String::new();
            block.write_json(&mut json);
            if let Ok(Value::Object(block)) = ecs::json::parse(&json) {
                anchors.push((ancestor(&block), block));
            }
        }
        if anchors.is_empty() && !is_counted {
            anchors.push((ancestor(&document), document.clone()));
        }
        let rule = rules.iter().find(|it| it.rule_id == rule_id).map(Arc::clone);
        let subject = Subject { id: id.clone(), document, anchors, rule };
        let raised = investigate::raised(&rule_id, &subject, now);
        let is_wanted = match which {
            Which::Alert(wanted) => id.starts_with(wanted.as_str()),
            Which::Rule(wanted) => rule_id == *wanted,
            Which::From(least) => severity >= *least,
        };
        One { severity: Some(severity), id, raised, subject: is_wanted.then_some(subject) }
    };
    let (mut raised, mut wanted, mut total) = (Vec::new(), Vec::<One>::new(), 0);
    found.alerts(&[], make, |alerts| {
        for mut one in alerts {
            raised.extend(one.raised.take());
            if one.subject.is_some() {
                total += 1;
                wanted.push(one);
                // The most severe are kept, and of equal ones the first.
                if wanted.len() > most {
                    let least = wanted.iter().map(|it| it.severity).min().flatten();
                    let at = wanted.iter().rposition(|it| it.severity == least);
                    wanted.remove(at.unwrap_or(most));
                }
            }
        }
    });
    // An id that is given whole is meant alone, though others may begin so.
    if let Which::Alert(id) = which
        && wanted.iter().any(|it| it.id == *id)
    {
        wanted.retain(|it| it.id == *id);
    }
    wanted.sort_by_key(|it| std::cmp::Reverse(it.severity));
    Picked { subjects: wanted.into_iter().filter_map(|it| it.subject).collect(), raised, total }
}

/// The `_id` of the event that an alert's document is made of.
fn ancestor(document: &ecs::Object) -> String {
    let ancestors = ecs::document::list(ecs::document::lookup(document, "kibana.alert.ancestors"));
    let first = ancestors.iter().find(|it| it.get("depth").and_then(Value::as_i64) == Some(0));
    let id = first.or(ancestors.first()).and_then(|it| it.get("id")).and_then(Value::as_str);
    id.unwrap_or_default().to_owned()
}
