//! Suites of languages that are not supported yet: counted, never run.
//!
//! Why, and until when, stands in `docs/compatibility.md`.

use std::path::Path;

use anyhow::Context as _;
use serde_json::Value;

use super::{CaseResult, Outcome};

/// The cases of `language`: those in the `cases` of its files, or the entries of its `index.json`.
pub(crate) fn cases(data: &Path, language: &str) -> anyhow::Result<Vec<CaseResult>> {
    let folder = data.join(language);
    let mut files = std::fs::read_dir(&folder)
        .and_then(|entries| {
            entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()
        })
        .with_context(|| format!("cannot list {}", folder.display()))?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    let mut results = Vec::new();
    for path in files {
        let text =
            std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let value: Value =
            serde_json::from_str(&text).with_context(|| format!("{} is not JSON", path.display()))?;
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let list =
            if stem == "index" { value.as_array() } else { value.get("cases").and_then(Value::as_array) };
        for (at, case) in list.into_iter().flatten().enumerate() {
            let id =
                case.get("id").and_then(Value::as_str).map_or_else(|| format!("{stem}-{at}"), str::to_owned);
            let reason = format!("{language} is not supported yet");
            results.push(CaseResult { id, outcome: Outcome::Unsupported { reason } });
        }
    }
    Ok(results)
}
