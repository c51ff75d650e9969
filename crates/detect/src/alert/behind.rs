//! Who is behind an alert's event.

use identity::{Graph, RootField, WhoBuf, WhoField};
use serde_json::Value;

use super::event::EventDocument;
use super::own::Own;
use crate::outcome::AlertSeed;
use crate::rule_type::Detail;

/// The values of all [`RootField`]s, in order.
pub(super) fn fields(
    seed: &AlertSeed,
    event: EventDocument<'_>,
    graph: Option<&Graph>,
) -> [Option<Own>; RootField::ALL.len()] {
    let mut values = [const { None }; RootField::ALL.len()];
    let is_about_one = match seed.detail {
        Detail::Event | Detail::NewTerms(_) => true,
        // What was counted, and what a sequence is of, may be by several.
        Detail::Threshold(_) | Detail::Sequence(_) => false,
    };
    let Some(graph) = graph.filter(|_| is_about_one) else { return values };
    let mut who = WhoBuf::default();
    for field in WhoField::ALL {
        let value = event.get(field.column().path());
        if let Some(Value::String(text)) = value.as_deref().and_then(ecs::document::first) {
            who.push(field, ecs::Scalar::Str(text));
        }
    }
    let Some(root) = graph.root(who.who(), seed.execution.to) else { return values };
    for (&field, value) in RootField::ALL.iter().zip(&mut values) {
        let all = root.values(field);
        *value = match field {
            RootField::Chain => Some(Value::from(all).into()),
            RootField::Confidence | RootField::Key | RootField::Arn | RootField::Kind => {
                all.first().map(|&it| it.into())
            }
        };
    }
    values
}

/// The fields of an event that tell whose it is.
pub(super) const PATHS: [&str; WhoField::ALL.len()] = {
    let mut paths = [""; WhoField::ALL.len()];
    let mut at = 0;
    while at < paths.len() {
        paths[at] = WhoField::ALL[at].column().path();
        at += 1;
    }
    paths
};
