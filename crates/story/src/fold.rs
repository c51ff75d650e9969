//! All calls of an actor, alike ones folded.

use std::collections::HashSet;
use std::sync::Arc;

use ecs::Millis;
use investigate::{Event, Field, request};

/// Calls that are no further apart than that are told together.
const APART_MAX: Millis = 60_000;
/// A folded row takes no longer than that: what began later is told later.
const LASTS_MAX: Millis = 10 * 60_000;
/// Rows that a call may still join: of many calls side by side, each kind is one row.
const OPEN_MAX: usize = 48;

/// Calls of the same kind, in the same session, from the same address, with the same end, one soon after the other.
#[derive(Clone, Debug)]
pub struct Act {
    /// When the first was made,
    pub start: Millis,
    /// and the last.
    pub end: Millis,
    /// `iam:CreateUser`.
    pub call: String,
    /// Whose session: the ARN.
    pub who: String,
    /// The access key that they were signed with.
    pub key: String,
    /// From where.
    pub address: String,
    /// The error code of what was refused.
    pub error: String,
    /// Whether it changes something.
    pub is_write: bool,
    /// The calls.
    pub each: Vec<Each>,
    /// The alerts that stand on them, by their numbers.
    pub alerts: Vec<usize>,
}

/// One call of an act.
#[derive(Clone, Debug)]
pub struct Each {
    /// When.
    pub time: Millis,
    /// The `_id` of its event.
    pub id: String,
    /// To what.
    pub target: String,
    /// What else of the request matters.
    pub highlights: Vec<(&'static str, String)>,
}

impl Act {
    fn joins(&self, event: &Event) -> bool {
        event.time - self.end <= APART_MAX
            && event.time - self.start <= LASTS_MAX
            && self.error == event.get(Field::ErrorCode)
            && self.key == event.get(Field::Key)
            && self.address == event.get(Field::Address)
            && self.who == event.who()
            && self.is_write == event.is_write()
            && self.call == event.call()
    }

    /// What the calls are about, each once, in order.
    pub fn targets(&self) -> Vec<&str> {
        let mut known: HashSet<&str> = HashSet::new();
        let all = self.each.iter().map(|it| it.target.as_str());
        all.filter(|it| !it.is_empty() && known.insert(it)).collect()
    }
}

/// The calls in order, folded. `alerts` says which alerts stand on an event.
pub(crate) fn fold(events: &[Arc<Event>], alerts: impl Fn(&str) -> Vec<usize>) -> Vec<Act> {
    let mut acts: Vec<Act> = Vec::new();
    for event in events {
        let text = event.text_at(Field::Request as usize);
        let each = Each {
            time: event.time,
            id: event.id.to_string(),
            target: request::object(&text).unwrap_or_default(),
            highlights: request::highlights(&text),
        };
        let its = alerts(&event.id);
        let open = acts.len().saturating_sub(OPEN_MAX);
        if let Some(act) = acts[open..].iter_mut().rev().find(|it| it.joins(event)) {
            act.end = act.end.max(event.time);
            act.each.push(each);
            for alert in its {
                if !act.alerts.contains(&alert) {
                    act.alerts.push(alert);
                }
            }
            continue;
        }
        acts.push(Act {
            start: event.time,
            end: event.time,
            call: event.call(),
            who: event.who().to_owned(),
            key: event.get(Field::Key).to_owned(),
            address: event.get(Field::Address).to_owned(),
            error: event.get(Field::ErrorCode).to_owned(),
            is_write: event.is_write(),
            each: vec![each],
            alerts: its,
        });
    }
    acts
}

#[cfg(test)]
mod tests {
    use investigate::Pool;

    use super::*;

    fn event(id: &str, time: Millis, action: &str, error: &str) -> Arc<Event> {
        let value = |field: &Field| -> Option<Arc<str>> {
            let text = match field {
                Field::Provider => "iam.amazonaws.com",
                Field::Action => action,
                Field::ErrorCode => error,
                Field::Request => "{userName=u}",
                _ => "",
            };
            (!text.is_empty()).then(|| text.into())
        };
        Arc::new(Pool::default().event(id, time, Field::ALL.iter().map(value)))
    }

    #[test]
    fn calls_side_by_side_are_folded_and_none_is_lost() {
        let events = [
            event("1", 0, "ListUsers", ""),
            event("2", 1_000, "GetUser", ""),
            event("3", 2_000, "ListUsers", ""),
            event("4", 3_000, "ListUsers", "AccessDenied"),
            event("5", 100_000, "ListUsers", ""),
        ];
        let acts = fold(&events, |id| if id == "3" { vec![7] } else { Vec::new() });
        let told: Vec<(&str, usize, &str)> =
            acts.iter().map(|it| (it.call.as_str(), it.each.len(), it.error.as_str())).collect();
        assert_eq!(
            told,
            [
                ("iam:ListUsers", 2, ""),
                ("iam:GetUser", 1, ""),
                ("iam:ListUsers", 1, "AccessDenied"),
                ("iam:ListUsers", 1, "")
            ]
        );
        assert_eq!(acts[0].alerts, [7]);
        assert_eq!(acts[0].targets(), ["u"]);
        let mut ids: Vec<&str> = acts.iter().flat_map(|it| &it.each).map(|it| it.id.as_str()).collect();
        ids.sort_unstable();
        assert_eq!(ids, ["1", "2", "3", "4", "5"]);
    }
}
