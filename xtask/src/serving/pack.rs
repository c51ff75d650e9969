//! The rules of the pack, with other times.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};

/// Alerts of one execution, as many as there may be: nothing is to be cut off that a hunt in files finds.
pub(crate) const MAX_SIGNALS: u32 = 1_000;

/// When a rule executes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    /// Every so many seconds.
    pub(crate) interval_s: u64,
    /// It looks back so many; as the rule says, if nothing is said.
    pub(crate) from_s: Option<u64>,
    /// Whether it goes by when events were ingested, if the rule does.
    pub(crate) is_by_ingestion: bool,
}

/// Writes them into a folder; says how many there are.
pub(crate) fn write(folder: &Path, times: &mut dyn FnMut() -> Times) -> Result<usize> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the workspace has a folder")?;
    let pack = root.join("rules/aws");
    let mut files: Vec<_> = fs::read_dir(&pack)
        .with_context(|| format!("cannot read {}", pack.display()))?
        .map(|it| it.map(|it| it.path()))
        .collect::<Result<_, _>>()?;
    files.sort_unstable();
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let mut count = 0;
    for path in files {
        let name = path.file_name().and_then(|it| it.to_str()).unwrap_or_default();
        // Not its texts in other languages.
        if name.strip_suffix(".toml").is_none_or(|it| it.contains('.')) {
            continue;
        }
        let Times { interval_s, from_s, is_by_ingestion } = times();
        let mut changed = String::new();
        for line in fs::read_to_string(&path)?.lines() {
            match (line.split_once(" = ").map_or("", |it| it.0), from_s) {
                ("interval", _) => changed += &format!("interval = \"{interval_s}s\""),
                ("from", Some(from)) => changed += &format!("from = \"now-{from}s\""),
                ("max_signals", _) => changed += &format!("max_signals = {MAX_SIGNALS}"),
                ("timestamp_override", _) if !is_by_ingestion => {}
                _ => changed += line,
            }
            changed.push('\n');
        }
        fs::write(folder.join(name), changed)?;
        count += 1;
    }
    ensure!(count > 0, "{} holds no rule", pack.display());
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_of_the_pack_has_the_times() {
        let folder = tempfile::tempdir().unwrap();
        let mut times = || Times { interval_s: 7, from_s: Some(33), is_by_ingestion: false };
        let count = write(folder.path(), &mut times).unwrap();
        let mut found = 0;
        for entry in fs::read_dir(folder.path()).unwrap() {
            let path = entry.unwrap().path();
            let mut loaded =
                rule::load_text(&path.display().to_string(), &fs::read_to_string(&path).unwrap());
            assert_eq!(loaded.rules.len(), 1, "{}: {:?}", path.display(), loaded.problems);
            let text = fs::read_to_string(&path).unwrap();
            assert!(
                text.contains("\ninterval = \"7s\"\n") && text.contains("\nfrom = \"now-33s\"\n"),
                "{text}"
            );
            assert!(loaded.rules.remove(0).timestamp_override.is_none(), "{}", path.display());
            found += 1;
        }
        assert_eq!(found, count);
    }
}
