//! What somebody asks of alerts.

use identity::RootField;
use rule::Rule;

use super::{ORIGINAL, OWN_KEYS, TIME, behind, overrides, reason};

/// What somebody asks of alerts: everything, or what lies at some paths. A rule over alerts asks for a few fields, and
/// what else its alerts would say need not be made:
///
/// ```text
/// asked                               made of an alert
/// kibana.alert.rule.threat.tactic.id  kibana.alert.rule.threat, which holds it
/// kibana.alert.ancestors              the same
/// kibana.alert                        all that lies in it
/// user.name                           of the event the user's name
/// ```
///
/// It would be wrong for `user.name` if nothing but `user` were looked for, or nothing in `user`: so a key counts if one of
/// the two begins with the other.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Nothing if everything is asked for.
    paths: Option<Vec<String>>,
    /// For each of [`OWN_KEYS`].
    own: [bool; OWN_KEYS.len()],
}

impl Asked {
    /// All of an alert.
    pub fn everything() -> Self {
        Self { paths: None, own: [true; OWN_KEYS.len()] }
    }

    /// What lies at these paths, above or below them; and what tells whose alert it is.
    pub fn paths<'p>(paths: impl IntoIterator<Item = &'p str>) -> Self {
        let paths = paths.into_iter().chain(LINEAGE).map(str::to_owned).collect();
        let asked = Self { paths: Some(paths), own: [false; OWN_KEYS.len()] };
        Self { own: OWN_KEYS.map(|key| asked.has(key)), ..asked }
    }

    /// Whether a field at this key is asked for, or a part of it.
    pub(super) fn has(&self, key: &str) -> bool {
        let Some(paths) = &self.paths else { return true };
        paths.iter().any(|path| lies_in(path, key) || lies_in(key, path))
    }

    /// The same for one of [`OWN_KEYS`], by its place.
    pub(super) fn has_own(&self, at: usize) -> bool {
        self.own[at]
    }

    /// Whether a field is asked for that says who is behind an event.
    pub(super) fn has_root(&self) -> bool {
        self.own[FIRST_OF_ROOT..].contains(&true)
    }

    /// The paths of the event that an alert of the rule must know to say what is asked for; nothing if that is all of them.
    pub fn paths_of_event<'a>(&'a self, rule: &'a Rule) -> Option<Vec<&'a str>> {
        let mut all: Vec<&str> = Vec::new();
        for path in self.paths.as_ref()? {
            all.push(path);
            match path.strip_prefix(ORIGINAL) {
                Some(copied) => all.push(copied),
                // All copies lie in it.
                None if ORIGINAL.starts_with(path) => return None,
                None => {}
            }
        }
        let is_asked = |keys: &[&str]| keys.iter().any(|key| self.has(key));
        if is_asked(&["kibana.alert.original_time"]) {
            all.push(TIME);
        }
        if is_asked(&["kibana.alert.reason"]) {
            all.extend(reason::PATHS);
        }
        if is_asked(&OVERRIDDEN) {
            all.extend(overrides::paths(rule));
        }
        if is_asked(&["trailwarden.identity"]) {
            all.extend(behind::PATHS);
        }
        Some(all)
    }
}

/// The place in [`OWN_KEYS`] of the first field that says who is behind an event; the others follow it.
const FIRST_OF_ROOT: usize = OWN_KEYS.len() - RootField::ALL.len();

/// What an alert says as the overrides of its rule have it.
const OVERRIDDEN: [&str; 4] =
    ["kibana.alert.reason", "kibana.alert.risk_score", "kibana.alert.rule.name", "kibana.alert.severity"];

/// What tells which rules raised an alert: see [`ecs::alert::lineage_of`].
const LINEAGE: [&str; 2] = ["kibana.alert.rule.uuid", "kibana.alert.ancestors"];

/// Whether a path is the other, or below it.
fn lies_in(inner: &str, outer: &str) -> bool {
    inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}
