//! Which attacks rules see: one hunt for each file or folder with the records of one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use hunt::{HuntOptions, Progress};

use crate::alert::lines;

/// The records of one attack, and what became of them.
#[derive(Clone, Debug)]
pub struct Detonation {
    /// The file or folder.
    pub name: String,
    /// What the rules saw of it.
    pub seen: Seen,
}

/// What the rules saw of an attack.
#[derive(Clone, Debug)]
pub enum Seen {
    /// Alerts by rule: its name, its severity, how many; the most severe first. None is a blind spot.
    Alerts {
        /// How many records it has.
        records: u64,
        /// The rules.
        rules: Vec<(String, String, u64)>,
    },
    /// Its records could not be read.
    Unreadable(String),
}

/// Hunts in each of the paths by itself; in a folder, in each file and folder in it. `options` says all but the paths.
pub fn detonations(
    paths: &[PathBuf],
    mut options: HuntOptions,
    done: &dyn Fn(usize, usize),
) -> Vec<Detonation> {
    let units = units(paths);
    let all = units.len();
    let mut found = Vec::with_capacity(all);
    for (at, path) in units.into_iter().enumerate() {
        options.paths = vec![path.clone()];
        let seen = match hunt::hunt(&options, &mut std::io::empty(), &Progress::default()) {
            Ok(hunted) if !hunted.is_usable() => Seen::Unreadable(trouble(&hunted)),
            Ok(hunted) => {
                let mut rules: BTreeMap<(String, String), u64> = BTreeMap::new();
                for alert in lines(&hunted) {
                    *rules.entry((alert.rule, alert.severity)).or_default() += 1;
                }
                let mut rules: Vec<_> =
                    rules.into_iter().map(|((rule, severity), count)| (rule, severity, count)).collect();
                let rank = |severity: &str| rule::Severity::from_name(severity);
                rules.sort_by(|a, b| rank(&b.1).cmp(&rank(&a.1)).then_with(|| a.0.cmp(&b.0)));
                Seen::Alerts { records: hunted.read.records.total(), rules }
            }
            Err(error) => Seen::Unreadable(error.to_string()),
        };
        found.push(Detonation { name: path.display().to_string(), seen });
        done(at + 1, all);
    }
    found
}

fn trouble(found: &hunt::Found) -> String {
    match found.read.troubles.first() {
        Some(trouble) => trouble.text.clone(),
        None => "it holds no record".to_owned(),
    }
}

/// The paths; of folders what lies in them, by name.
fn units(paths: &[PathBuf]) -> Vec<PathBuf> {
    let mut units = Vec::new();
    for path in paths {
        match inside(path) {
            Some(mut inner) if !inner.is_empty() => {
                inner.sort_unstable();
                units.extend(inner);
            }
            Some(_) | None => units.push(path.clone()),
        }
    }
    units
}

fn inside(folder: &Path) -> Option<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).ok()?;
    let is_hidden = |path: &Path| path.file_name().is_some_and(|it| it.to_string_lossy().starts_with('.'));
    Some(entries.filter_map(|it| Some(it.ok()?.path())).filter(|it| !is_hidden(it)).collect())
}
