//! What is known of where events come from.

use std::collections::BTreeMap;

/// What the events of one source can hold, and what the source itself calls it.
///
/// The catalogue says which types fields have, whoever fills them. A source says which of them it fills, so that a
/// rule that asks for another, or for a value that it never gives, can be told before it is silent.
#[derive(Clone, Debug, Default)]
pub struct Source {
    /// Its name for people.
    pub name: &'static str,
    /// The fields that its events can have, by their paths.
    pub fields: BTreeMap<&'static str, Filled>,
    /// Beginnings of paths that whoever ships or stores the events may add.
    pub shipped: &'static [&'static str],
    /// What the source itself calls things: the paths of its records.
    pub names: Vec<OwnName>,
}

/// A field that events can have.
#[derive(Clone, Debug, Default)]
pub struct Filled {
    /// It holds objects, so that paths below it may exist, too.
    pub is_tree: bool,
    /// It is there only if addresses are looked up in a database.
    pub is_looked_up: bool,
    /// What it can hold.
    pub values: Values,
}

/// What is known of the values of a field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Values {
    /// Nothing.
    #[default]
    Any,
    /// There are no others.
    Only(Vec<String>),
    /// There are others, but these are written so and not otherwise.
    Known(Vec<String>),
    /// Names of hosts, these among them.
    Hosts(Vec<String>),
    /// They have no capital letters.
    Lowercase,
}

/// A path of the source's own records, and the fields that hold what stands there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnName {
    /// The path as the source writes it, such as `userIdentity.arn`.
    pub name: String,
    /// The fields, the one that is nearest to it first. Never empty.
    pub fields: Vec<&'static str>,
    /// The field that holds what stands below the path, by the same keys.
    pub below: Option<&'static str>,
}

/// What shippers and services put around a record.
const AROUND: [&str; 6] = ["aws.cloudtrail.", "cloudtrail.", "aws.", "detail.", "record.", "json."];

impl Source {
    /// Whether events can have a value at that path.
    pub fn has(&self, path: &str) -> bool {
        let below = |root: &str| path.strip_prefix(root).is_some_and(|rest| rest.starts_with('.'));
        self.shipped.iter().any(|prefix| path.starts_with(prefix))
            || self.fields.contains_key(path)
            || self.fields.iter().any(|(field, filled)| {
                // An object that fields lie in, a key of a tree, a multi-field.
                let inside = field.strip_prefix(path).is_some_and(|rest| rest.starts_with('.'));
                inside || below(field) && (filled.is_tree || path[field.len() + 1..] == *"text")
            })
    }

    /// Whether a value at that path is there only if addresses are looked up.
    pub fn looks_up(&self, path: &str) -> bool {
        let is_part =
            |field: &str| field == path || field.strip_prefix(path).is_some_and(|rest| rest.starts_with('.'));
        let mut parts = self.fields.iter().filter(|(field, _)| is_part(field)).peekable();
        // `source.geo.location` is a point made of two fields.
        parts.peek().is_some() && parts.all(|(_, filled)| filled.is_looked_up)
    }

    /// What is known of the values at that path.
    pub fn values(&self, path: &str) -> &Values {
        self.fields.get(path).map_or(&Values::Any, |filled| &filled.values)
    }

    /// The fields that hold what a rule means by one of the source's own names, whatever is written around it and
    /// however its words are joined: the nearest first.
    pub fn fields_named(&self, name: &str) -> Vec<String> {
        let mut bare = name;
        while let Some(rest) = AROUND.iter().find_map(|around| bare.strip_prefix(around)) {
            bare = rest;
        }
        let folded = fold(bare);
        if let Some(own) = self.names.iter().find(|own| fold(&own.name) == folded) {
            return own.fields.iter().map(|field| (*field).to_owned()).collect();
        }
        let below = self.names.iter().find_map(|own| {
            let root = own.below?;
            let rest = folded.strip_prefix(&fold(&own.name))?;
            if !rest.starts_with('.') {
                return None;
            }
            // The keys below are those of the record, as they are written.
            let (at, _) = bare.match_indices('.').nth(own.name.matches('.').count())?;
            Some(format!("{root}{}", &bare[at..]))
        });
        below.into_iter().collect()
    }
}

/// Equal for names that differ only in how their words are joined.
fn fold(name: &str) -> String {
    name.chars().filter(|it| *it != '_').flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source() -> Source {
        let tree = || Filled { is_tree: true, ..Filled::default() };
        let looked_up = || Filled { is_looked_up: true, ..Filled::default() };
        Source {
            name: "Test",
            fields: [
                ("event.action", Filled::default()),
                ("payload.keys", tree()),
                ("source.geo.location.lat", looked_up()),
                ("source.geo.location.lon", looked_up()),
            ]
            .into(),
            shipped: &["agent."],
            names: vec![
                OwnName { name: "eventName".to_owned(), fields: vec!["event.action"], below: None },
                OwnName {
                    name: "requestParameters".to_owned(),
                    fields: vec!["payload.text"],
                    below: Some("payload.keys"),
                },
            ],
        }
    }

    #[test]
    fn what_events_can_have() {
        for path in [
            "event.action",
            "event",
            "event.action.text",
            "payload.keys.a.b",
            "agent.id",
            "source.geo.location",
        ] {
            assert!(source().has(path), "{path}");
        }
        for path in ["event.act", "event.actions", "event.action.name", "payload", "process.name"] {
            assert_eq!(source().has(path), path == "payload", "{path}");
        }
    }

    #[test]
    fn what_is_looked_up() {
        assert!(source().looks_up("source.geo.location"));
        assert!(source().looks_up("source.geo.location.lat"));
        for path in ["event.action", "event", "source.geo.loc", "nothing"] {
            assert!(!source().looks_up(path), "{path}");
        }
    }

    #[test]
    fn own_names_lead_to_fields() {
        for (name, expected) in [
            ("eventName", &["event.action"][..]),
            ("eventname", &["event.action"]),
            ("aws.cloudtrail.event_name", &["event.action"]),
            ("detail.eventName", &["event.action"]),
            ("request_parameters", &["payload.text"]),
            ("aws.cloudtrail.request_parameters.dBName.x", &["payload.keys.dBName.x"]),
            ("requestParametersX", &[]),
            ("name", &[]),
        ] {
            assert_eq!(source().fields_named(name), expected, "{name}");
        }
    }
}
