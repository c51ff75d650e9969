//! The shared data: real records that lie outside the repository.

use std::env;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use serde_json::Value;

/// The shared data, unless it is absent and may be.
pub(crate) fn data() -> Option<PathBuf> {
    let shared = env::var_os("TRAILWARDEN_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let data = shared.join("data");
    if data.is_dir() {
        return Some(data);
    }
    assert!(
        env::var_os("CI").is_none_or(|it| it != "true"),
        "the shared data is missing: set TRAILWARDEN_SHARED"
    );
    eprintln!("SKIPPED: no shared data in {}", data.display());
    None
}

/// All records of all sets, whatever their form: lists, files as CloudTrail delivers them, one a line.
#[allow(dead_code, reason = "each test file compiles this module for itself, and not every one needs it")]
pub(crate) fn records(data: &Path) -> io::Result<Vec<String>> {
    let mut records = Vec::new();
    for set in [
        "stratus",
        "invictus",
        "sans504",
        "otrf",
        "traildiscover",
        "permiso-console-sessions",
        "panther-tests",
    ] {
        let mut folders = vec![data.join(set)];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder)? {
                let path = entry?.path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    add_records(&path, &mut records)?;
                }
            }
        }
    }
    Ok(records)
}

#[allow(dead_code, reason = "see above")]
fn add_records(path: &Path, records: &mut Vec<String>) -> io::Result<()> {
    let mut bytes = fs::read(path)?;
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let mut plain = Vec::new();
        flate2::read::MultiGzDecoder::new(&bytes[..]).read_to_end(&mut plain)?;
        bytes = plain;
    }
    let text = String::from_utf8(bytes).map_err(io::Error::other)?;
    if let Ok(file) = serde_json::from_str::<Value>(&text)
        && let Some(all) = file.as_array().or_else(|| file.get("Records")?.as_array())
    {
        records.extend(all.iter().map(ToString::to_string));
        return Ok(());
    }
    for line in text.lines().filter(|line| line.starts_with('{')) {
        let record: Value = serde_json::from_str(line)?;
        records.push(record.get("event").filter(|it| it.is_object()).unwrap_or(&record).to_string());
    }
    Ok(())
}
