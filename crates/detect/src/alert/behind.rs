//! Who is behind an alert's event.

use ecs::text::write_text;
use identity::{Graph, Root, RootField, Who, WhoField};

use super::event::EventDocument;
use crate::outcome::AlertSeed;
use crate::rule_type::Detail;

/// Who is behind the event of an alert, if the graph is to say so.
pub(super) fn root(seed: &AlertSeed, event: EventDocument<'_>, graph: Option<&Graph>) -> Option<Root> {
    let is_about_one = match &seed.detail {
        Detail::Event | Detail::NewTerms(_) => true,
        Detail::Row(it) => it.is_of_event,
        // What was counted, and what a sequence is of, may be by several.
        Detail::Threshold(_) | Detail::Sequence(_) => false,
    };
    let graph = graph.filter(|_| is_about_one)?;
    let values = WhoField::ALL.map(|field| event.first_text(field.column().path()));
    graph.root(Who::new(|field| values[field as usize].as_deref()), seed.execution.to)
}

/// Appends what a field says of it as JSON; nothing if it says nothing.
pub(super) fn write(root: &Root, field: RootField, out: &mut String) {
    let all = root.values(field);
    match (field, &all[..]) {
        (RootField::Chain, names) => {
            out.push('[');
            for (at, name) in names.iter().enumerate() {
                out.push_str(if at > 0 { "," } else { "" });
                write_text(name, out);
            }
            out.push(']');
        }
        (RootField::Confidence | RootField::Key | RootField::Arn | RootField::Kind, [value, ..]) => {
            write_text(value, out);
        }
        (RootField::Confidence | RootField::Key | RootField::Arn | RootField::Kind, []) => {}
    }
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
