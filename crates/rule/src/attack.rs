//! MITRE ATT&CK: which ids there are, and what became of those that are no more.
//!
//! Rules of several versions are in use side by side, so each version that is has a table of its own, written by
//! `cargo xtask attack` from the data that MITRE publishes.

use std::collections::BTreeMap;
use std::sync::LazyLock;

/// The tables, oldest version first.
const TABLES: [&str; 2] = [include_str!("attack/v18.tsv"), include_str!("attack/v19.tsv")];

/// ATT&CK as one version has it.
pub(crate) struct Edition {
    /// Such as `18.1`.
    pub(crate) version: &'static str,
    entries: BTreeMap<&'static str, Entry>,
}

/// One tactic, technique or sub-technique.
#[derive(Debug, PartialEq, Eq)]
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

static EDITIONS: LazyLock<[Edition; TABLES.len()]> = LazyLock::new(|| TABLES.map(Edition::read));

/// The versions that are known, oldest first.
pub(crate) fn editions() -> &'static [Edition] {
    &*EDITIONS
}

/// The newest version that is known.
pub(crate) fn newest() -> &'static Edition {
    let [.., newest] = &*EDITIONS;
    newest
}

/// The newest version of ATT&CK that is known, such as `19`.
pub fn attack_version() -> &'static str {
    newest().version
}

/// The versions in words: `18.1 and 19`.
pub(crate) fn versions() -> String {
    editions().iter().map(|edition| edition.version).collect::<Vec<_>>().join(" and ")
}

impl Edition {
    fn read(table: &'static str) -> Self {
        // The first line says `# MITRE ATT&CK(R) Enterprise 18.1: …`.
        let version = table.split(':').next().and_then(|title| title.split(' ').next_back()).unwrap_or("");
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
        Self { version, entries: table.lines().filter(|line| !line.starts_with('#')).map(entry).collect() }
    }

    /// What the version knows of an id.
    pub(crate) fn entry(&self, id: &str) -> Option<&Entry> {
        self.entries.get(id)
    }

    /// What it knows of an id that may be used.
    pub(crate) fn current(&self, id: &str) -> Option<&Entry> {
        self.entry(id).filter(|entry| entry.status == Status::Current)
    }

    /// The current id of that name, of the same kind as `like` (tactic, technique or sub-technique).
    pub(crate) fn id_of(&self, name: &str, like: &str) -> Option<&'static str> {
        let kind = |id: &str| (id.starts_with("TA"), id.contains('.'));
        self.entries
            .iter()
            .find(|(id, entry)| {
                entry.name.eq_ignore_ascii_case(name)
                    && entry.status == Status::Current
                    && kind(id) == kind(like)
            })
            .map(|(id, _)| *id)
    }
}

/// The current id of that name, of the same kind as `like`; the newest version's if they differ.
pub(crate) fn id_of(name: &str, like: &str) -> Option<&'static str> {
    editions().iter().rev().find_map(|edition| edition.id_of(name, like))
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
    fn the_tables_are_whole() {
        for edition in editions() {
            let entries = &edition.entries;
            assert!(entries.len() > 800, "{}", edition.version);
            for (id, entry) in entries {
                assert!(!entry.name.is_empty(), "{id}");
                assert_eq!(entry.tactics.is_empty(), id.starts_with("TA"), "{id}");
                assert!(entry.tactics.iter().all(|tactic| entries.contains_key(tactic)), "{id}");
                if let Status::Revoked(replacement) = entry.status {
                    assert_eq!(entries[replacement].status, Status::Current, "{id}");
                }
                if let Some((technique, _)) = id.split_once('.') {
                    assert!(entries.contains_key(technique), "{id}");
                }
            }
        }
        assert_eq!(versions(), "18.1 and 19");
        assert_eq!(id_of("unsecured credentials", "T9999"), Some("T1552"));
        assert_eq!(reference("T1552.005"), "https://attack.mitre.org/techniques/T1552/005/");
    }

    /// As many as MITRE says there are.
    #[test]
    fn as_many_as_published() {
        let published = [("18.1", 14, 216, 475), ("19", 15, 222, 475)];
        for (edition, (version, tactics, techniques, subs)) in editions().iter().zip(published) {
            let current = || edition.entries.iter().filter(|(_, entry)| entry.status == Status::Current);
            let count = |is: fn(&str) -> bool| current().filter(|(id, _)| is(id)).count();
            assert_eq!(edition.version, version);
            assert_eq!(count(|id| id.starts_with("TA")), tactics);
            assert_eq!(count(|id| !id.starts_with("TA") && !id.contains('.')), techniques);
            assert_eq!(count(|id| id.contains('.')), subs);
        }
    }

    #[test]
    fn what_changed_from_18_to_19() {
        let [before, after] = editions() else { panic!("two editions") };
        assert_eq!(before.current("TA0005").unwrap().name, "Defense Evasion");
        assert_eq!(after.current("TA0005").unwrap().name, "Stealth");
        assert_eq!(before.entry("TA0112"), None);
        assert_eq!(after.current("TA0112").unwrap().name, "Defense Impairment");
        assert_eq!(before.entry("T1562.008").unwrap().status, Status::Current);
        assert_eq!(after.entry("T1562.008").unwrap().status, Status::Revoked("T1685.002"));
        assert_eq!(after.current("T1685.002").unwrap().tactics, ["TA0112"]);
    }
}
