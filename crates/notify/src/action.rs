//! What a rule says itself of whom its alerts are told: `actions`, in the format of Kibana.

use ecs::document::lookup;
use ecs::{Millis, Object};
use rule::Severity;
use serde_json::{Value, json};

use crate::plan::{Filter, Gather, On, Plan, Route};
use crate::timeframe::Timeframe;

/// What the actions of an alert's rule come to.
#[derive(Debug, Default)]
pub(crate) struct Actions {
    pub(crate) routes: Vec<Route>,
    /// What is wrong: what it is about, and what is to be told.
    pub(crate) problems: Vec<(String, String)>,
}

/// The actions of a rule that stand in its alert.
pub(crate) fn of_alert(plan: &Plan, document: &Object, now: Millis) -> Actions {
    let Some(Value::Array(list)) = lookup(document, "kibana.alert.rule.actions") else {
        return Actions::default();
    };
    let text = |path: &str| lookup(document, path).and_then(Value::as_str).unwrap_or_default();
    let rule = (text("kibana.alert.rule.rule_id"), text("kibana.alert.rule.name"));
    of_rule(plan, rule, list, lookup(document, "kibana.alert.rule.throttle").and_then(Value::as_str), now)
}

/// The actions of a rule of that id and name; `throttle` is the rule's own, of before actions had one each.
fn of_rule(plan: &Plan, rule: (&str, &str), list: &[Value], throttle: Option<&str>, now: Millis) -> Actions {
    let mut actions = Actions::default();
    if throttle == Some("no_actions") {
        return actions;
    }
    for (at, action) in list.iter().enumerate() {
        let text = |name: &str| action.get(name).and_then(Value::as_str);
        let name = text("uuid").map_or_else(|| at.to_string(), str::to_owned);
        let key = format!("action/{}/{name}", rule.0);
        let mut wrong = |why: String| {
            let kind = text("action_type_id").unwrap_or("no type");
            actions
                .problems
                .push((key.clone(), format!("an action ({kind}) of the rule `{}`: {why}", rule.1)));
        };
        let id = text("id").unwrap_or_default();
        let Some(receiver) = plan.connected(id) else {
            wrong(format!("no receiver is named `{id}` or has it among its `connectors`: nobody is told"));
            continue;
        };
        let frequency = action.get("frequency").filter(|it| it.is_object());
        let said = |name: &str| frequency.and_then(|it| it.get(name));
        let throttle = match frequency {
            Some(_) if said("notifyWhen").and_then(Value::as_str) == Some("onThrottleInterval") => {
                said("throttle").and_then(Value::as_str)
            }
            Some(_) => None,
            None => throttle.filter(|it| *it != "rule"),
        };
        let throttle = throttle.map_or(Some(0), interval).unwrap_or_else(|| {
            wrong("its throttle is no time such as 1h: it has none".to_owned());
            0
        });
        let filters = action.get("alerts_filter").or_else(|| action.get("alertsFilter"));
        let filter = filters.and_then(|it| it.get("query")).and_then(|query| {
            let read = query_of(query, now);
            read.map_err(|why| {
                wrong(format!("its filter cannot be used, and lets everything through: {why}"));
            })
            .ok()
        });
        let hours = filters.and_then(|it| it.get("timeframe")).filter(|it| !it.is_null()).and_then(|it| {
            let read = Timeframe::read(it);
            read.map_err(|why| wrong(format!("its hours cannot be used, and it is for all: {why}"))).ok()
        });
        let is_each = said("summary") == Some(&Value::Bool(false));
        actions.routes.push(Route {
            name: format!("{} action {name}", rule.0),
            receiver: receiver.name.clone(),
            on: On::ALERTS,
            severity: Severity::Low,
            filter: filter.flatten(),
            gather: if is_each { Gather::Each } else { Gather::Summary },
            throttle,
            by: Vec::new(),
            params: Some(json!({
                "action_type_id": action.get("action_type_id"),
                "params": action.get("params"),
            })),
            hours,
        });
    }
    actions
}

/// `{"kql": "…", "filters": […]}`.
fn query_of(query: &Value, now: Millis) -> Result<Option<Filter>, String> {
    let kql = query.get("kql").and_then(Value::as_str).map(str::trim).filter(|it| !it.is_empty());
    let filters = query.get("filters").and_then(Value::as_array).filter(|it| !it.is_empty());
    let kql = kql.map(|it| {
        Filter::kql(it, now).map_err(|all| all.first().map_or_else(String::new, |it| it.message.clone()))
    });
    let filters = filters.map(|it| Filter::filters(it, now));
    Ok(match (kql.transpose()?, filters.transpose()?) {
        (Some(kql), Some(filters)) => Some(kql.and(filters)),
        (one, None) | (None, one) => one,
    })
}

/// `30s`, `5m`, `1h`, `2d`.
fn interval(text: &str) -> Option<Millis> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let unit = match unit {
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    let number: Millis = number.parse().ok()?;
    number.checked_mul(unit).filter(|it| (1..=366 * 86_400_000).contains(it))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Receiver;

    fn plan() -> Plan {
        let receiver = |name: &str, connectors: &[&str]| Receiver {
            name: name.to_owned(),
            connectors: connectors.iter().map(|&it| it.to_owned()).collect(),
            each_max: 20,
            give_up: 1,
        };
        Plan { receivers: vec![receiver("soc", &["c-1", "c-2"]), receiver("pager", &[])], routes: Vec::new() }
    }

    fn of(list: &Value, throttle: Option<&str>) -> Actions {
        of_rule(&plan(), ("r-1", "A rule"), list.as_array().unwrap(), throttle, 0)
    }

    #[test]
    fn actions_as_kibana_has_them() {
        let list = json!([
            {"action_type_id": ".slack", "id": "c-2", "group": "default", "params": {"message": "hi"},
             "frequency": {"summary": true, "notifyWhen": "onThrottleInterval", "throttle": "1h"}},
            {"action_type_id": ".pagerduty", "id": "pager", "uuid": "u", "params": {},
             "frequency": {"summary": false, "notifyWhen": "onActiveAlert", "throttle": null}},
            {"action_type_id": ".slack", "id": "soc", "params": {}},
        ]);
        let actions = of(&list, Some("5m"));
        assert!(actions.problems.is_empty(), "{:?}", actions.problems);
        let told: Vec<_> =
            actions.routes.iter().map(|it| (it.receiver.as_str(), it.gather, it.throttle)).collect();
        assert_eq!(
            told,
            [
                ("soc", Gather::Summary, 3_600_000),
                ("pager", Gather::Each, 0),
                // Without a frequency the rule's own throttle holds.
                ("soc", Gather::Summary, 300_000),
            ]
        );
        assert_eq!(actions.routes[1].name, "r-1 action u");
        assert!(of(&list, Some("no_actions")).routes.is_empty());
        assert_eq!(of(&list, Some("rule")).routes[2].throttle, 0);
    }

    #[test]
    fn a_filter_holds_and_one_that_cannot_be_read_is_loud() {
        let action = |filter: Value| json!([{"id": "soc", "params": {}, "alerts_filter": filter}]);
        let actions = of(
            &action(json!({"query": {
                "kql": "kibana.alert.severity: high",
                "filters": [{"meta": {"negate": true}, "query": {"match_phrase": {"user.name": "ci"}}}],
            }})),
            None,
        );
        let alert = |severity: &str, user: &str| {
            let alert = json!({"kibana.alert.severity": severity, "user": {"name": user}});
            actions.routes[0].wants(alert.as_object().unwrap())
        };
        assert!(actions.problems.is_empty(), "{:?}", actions.problems);
        assert!(alert("high", "ada") && !alert("high", "ci") && !alert("low", "ada"));
        for wrong in [
            json!({"query": {"kql": "user.name: ("}}),
            json!({"query": {"filters": [{"query": {"unheard_of": {}}}]}}),
            json!({"timeframe": {"days": [1], "timezone": "Mars/Olympus"}}),
        ] {
            let actions = of(&action(wrong.clone()), None);
            assert_eq!((actions.routes.len(), actions.problems.len()), (1, 1), "{wrong}");
            assert!(actions.routes[0].wants(&Object::new()), "nothing is lost for it");
        }
        let nobody = of(&json!([{"id": "gone", "action_type_id": ".email"}]), None);
        assert!(nobody.routes.is_empty());
        assert_eq!(nobody.problems[0].0, "action/r-1/0");
        assert!(nobody.problems[0].1.contains("nobody is told"), "{:?}", nobody.problems);
    }

    #[test]
    fn times() {
        assert_eq!(interval("30s"), Some(30_000));
        assert_eq!(interval("2d"), Some(172_800_000));
        for wrong in ["", "h", "0m", "-1h", "1w", "1.5h", "99999999999999d", "1ü"] {
            assert_eq!(interval(wrong), None, "{wrong}");
        }
    }
}
