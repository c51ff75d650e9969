//! Whether the alerts of a test are those that must be there.

use std::collections::VecDeque;

use ecs::document::lookup;
use ecs::{Object, alert};
use rule::Expected;
use serde_json::Value;

/// What is wrong with these alerts; nothing if they are as expected.
pub(crate) fn compare(expected: &Expected, alerts: &[Object]) -> Vec<String> {
    let count = alerts.len() as u64;
    let mut wrong = Vec::new();
    let Expected { at_least, at_most, with, suppressed } = expected;
    if count < *at_least || at_most.is_some_and(|most| count > most) {
        let alerts = |count: u64| if count == 1 { "1 alert".to_owned() } else { format!("{count} alerts") };
        let asked = match at_most {
            Some(0) => "no alert".to_owned(),
            Some(most) if most == at_least => alerts(*most),
            Some(most) if *at_least == 0 => format!("at most {}", alerts(*most)),
            Some(most) => format!("{at_least} to {}", alerts(*most)),
            None => format!("at least {}", alerts(*at_least)),
        };
        wrong.push(format!(
            "expected {asked}, found {}",
            if count == 0 { "none".to_owned() } else { count.to_string() }
        ));
    }
    for at in unmatched(with, alerts) {
        wrong.push(not_found(&with[at], alerts));
    }
    if let Some(suppressed) = suppressed {
        let found: u64 = alerts.iter().filter_map(suppressed_of).sum();
        if found != *suppressed {
            wrong.push(format!("expected {suppressed} suppressed, found {found}"));
        }
    }
    wrong
}

/// How many alerts one stands for beside itself.
fn suppressed_of(document: &Object) -> Option<u64> {
    alert::field(document, "suppression.docs_count")?.as_u64()
}

/// The entries that have no alert of their own, whichever way alerts are given to entries.
fn unmatched(with: &[Object], alerts: &[Object]) -> Vec<usize> {
    let fits: Vec<Vec<usize>> = with
        .iter()
        .map(|entry| {
            (0..alerts.len())
                .filter(|&at| entry.iter().all(|(path, it)| has(&alerts[at], path, it)))
                .collect()
        })
        .collect();
    // Entries take alerts in turns; one that finds all taken looks for one whose holder can take another.
    let mut holder: Vec<Option<usize>> = vec![None; alerts.len()];
    let mut alone = Vec::new();
    for entry in 0..with.len() {
        let mut came_from: Vec<Option<usize>> = vec![None; alerts.len()];
        let mut waiting = VecDeque::from([entry]);
        let mut free = None;
        'search: while let Some(asking) = waiting.pop_front() {
            for &at in &fits[asking] {
                if came_from[at].is_some() {
                    continue;
                }
                came_from[at] = Some(asking);
                match holder[at] {
                    None => {
                        free = Some(at);
                        break 'search;
                    }
                    Some(other) => waiting.push_back(other),
                }
            }
        }
        let Some(mut at) = free else {
            alone.push(entry);
            continue;
        };
        while let Some(taker) = came_from[at] {
            let before = holder.iter().position(|it| *it == Some(taker));
            holder[at] = Some(taker);
            match before {
                Some(other) if taker != entry => at = other,
                _ => break,
            }
        }
    }
    alone
}

/// Whether an alert has the value at the path: among its values, or all of a list in any order; `null` is none.
fn has(document: &Object, path: &str, wanted: &Value) -> bool {
    let found = values(document, path);
    match wanted {
        Value::Null => found.is_empty(),
        Value::Array(items) => {
            let mut wanted: Vec<String> = items.iter().map(text).collect();
            let mut found: Vec<String> = found.iter().map(|it| text(it)).collect();
            wanted.sort_unstable();
            found.sort_unstable();
            wanted == found
        }
        _ => found.iter().any(|it| text(it) == text(wanted)),
    }
}

fn values<'a>(document: &'a Object, path: &str) -> Vec<&'a Value> {
    match lookup(document, path) {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(items)) => items.iter().collect(),
        Some(other) => vec![other],
    }
}

/// A value as people write it in a test: `"1"` and `1` are the same.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Says which alert comes nearest to an entry.
fn not_found(entry: &Object, alerts: &[Object]) -> String {
    let wanted = Value::Object(entry.clone());
    let wrong = |alert: &Object| entry.iter().filter(|(path, it)| !has(alert, path, it)).count();
    let Some(nearest) = alerts.iter().min_by_key(|it| wrong(it)) else {
        return format!("no alert with {wanted}");
    };
    let differences: Vec<String> = entry
        .iter()
        .filter(|(path, it)| !has(nearest, path, it))
        .map(|(path, it)| {
            let found: Vec<String> = values(nearest, path).into_iter().map(text).collect();
            let found = if found.is_empty() { "absent".to_owned() } else { found.join(", ") };
            format!("`{path}` is {found}, not {}", text(it))
        })
        .collect();
    match differences.as_slice() {
        [] => format!("no alert of its own with {wanted}"),
        _ => format!("no alert with {wanted}; in the nearest, {}", differences.join(" and ")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Object {
        match value {
            Value::Object(fields) => fields,
            other => panic!("{other} is no object"),
        }
    }

    fn with(entries: Vec<Value>) -> Expected {
        let count = entries.len() as u64;
        Expected { at_least: count, with: entries.into_iter().map(object).collect(), ..Expected::default() }
    }

    #[test]
    fn entries_have_alerts_of_their_own_whatever_the_order() {
        let alerts =
            [object(json!({"user.name": "a", "n": [1, 2]})), object(json!({"user.name": "a", "n": 3}))];
        // The first entry fits both alerts and must leave the first one to the second entry.
        let expected = with(vec![json!({"user.name": "a"}), json!({"n": [2, 1]})]);
        assert_eq!(compare(&expected, &alerts), Vec::<String>::new());
        let expected = with(vec![json!({"n": 3}), json!({"user.name": "a", "n": 3})]);
        assert_eq!(compare(&expected, &alerts).len(), 1);
        let expected = with(vec![json!({"user.name": "b", "n": 3, "x": null})]);
        assert_eq!(
            compare(&expected, &alerts),
            [r#"no alert with {"user.name":"b","n":3,"x":null}; in the nearest, `user.name` is a, not b"#]
        );
    }

    #[test]
    fn counts_are_said_as_they_were_asked() {
        let said = |at_least, at_most, count| {
            let expected = Expected { at_least, at_most, ..Expected::default() };
            compare(&expected, &vec![Object::new(); count]).join("; ")
        };
        assert_eq!(said(0, Some(0), 0), "");
        assert_eq!(said(0, Some(0), 2), "expected no alert, found 2");
        assert_eq!(said(1, Some(1), 0), "expected 1 alert, found none");
        assert_eq!(said(2, None, 1), "expected at least 2 alerts, found 1");
        assert_eq!(said(0, Some(3), 4), "expected at most 3 alerts, found 4");
        assert_eq!(said(1, Some(3), 4), "expected 1 to 3 alerts, found 4");
    }
}
