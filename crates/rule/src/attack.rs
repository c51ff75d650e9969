//! MITRE ATT&CK: which ids there are, and what became of those that are no more.

use std::collections::BTreeMap;
use std::sync::LazyLock;

/// The version of the table.
pub(crate) const VERSION: &str = "18.1";

/// One tactic, technique or sub-technique.
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    /// The ids of a technique's tactics; empty of a tactic.
    pub(crate) tactics: Vec<&'static str>,
    pub(crate) status: Status,
}

/// Whether an id may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Current,
    /// Another id took its place.
    Revoked(&'static str),
    /// Nothing took its place.
    Deprecated,
}

static TABLE: LazyLock<BTreeMap<&'static str, Entry>> = LazyLock::new(|| {
    let lines = include_str!("attack.tsv").lines().filter(|line| !line.starts_with('#'));
    let entry = |line: &'static str| {
        let mut columns = line.split('\t');
        let mut column = || columns.next().unwrap_or_default();
        let (id, name, tactics, status) = (column(), column(), column(), column());
        let status = match status.split_once(':') {
            Some((_, replacement)) => Status::Revoked(replacement),
            None if status == "deprecated" => Status::Deprecated,
            None => Status::Current,
        };
        (id, Entry { name, tactics: tactics.split(',').filter(|id| !id.is_empty()).collect(), status })
    };
    lines.map(entry).collect()
});

/// What is known of an id.
pub(crate) fn entry(id: &str) -> Option<&'static Entry> {
    TABLE.get(id)
}

/// The current id of that name, of the same kind as `like` (tactic, technique or sub-technique).
pub(crate) fn id_of(name: &str, like: &str) -> Option<&'static str> {
    let kind = |id: &str| (id.starts_with("TA"), id.contains('.'));
    TABLE
        .iter()
        .find(|(id, entry)| {
            entry.name.eq_ignore_ascii_case(name) && entry.status == Status::Current && kind(id) == kind(like)
        })
        .map(|(id, _)| *id)
}

/// The address of the page of an id.
pub(crate) fn reference(id: &str) -> String {
    if id.starts_with("TA") {
        format!("https://attack.mitre.org/tactics/{id}/")
    } else {
        format!("https://attack.mitre.org/techniques/{}/", id.replace('.', "/"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole() {
        assert!(TABLE.len() > 800);
        for (id, entry) in TABLE.iter() {
            assert!(!entry.name.is_empty(), "{id}");
            assert_eq!(entry.tactics.is_empty(), id.starts_with("TA"), "{id}");
            assert!(entry.tactics.iter().all(|tactic| TABLE.contains_key(tactic)), "{id}");
            if let Status::Revoked(replacement) = entry.status {
                assert_eq!(TABLE[replacement].status, Status::Current, "{id}");
            }
            if let Some((technique, _)) = id.split_once('.') {
                assert!(TABLE.contains_key(technique), "{id}");
            }
        }
        assert_eq!(entry("T1552.005").unwrap().name, "Cloud Instance Metadata API");
        assert_eq!(id_of("unsecured credentials", "T9999"), Some("T1552"));
        assert_eq!(reference("T1552.005"), "https://attack.mitre.org/techniques/T1552/005/");
    }
}
