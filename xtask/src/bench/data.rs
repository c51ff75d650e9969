//! The records to measure on.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

/// Days that the records cover: what the figure for replays is about.
const DAYS: &str = "30";

/// Records that this generator made for these options, made now unless they are there: derived from those in the folders
/// `from`, or made up if there are none.
pub(super) fn generated(scratch: &Path, records: u64, seed: u64, from: &[PathBuf]) -> Result<PathBuf> {
    let kind = if from.is_empty() { "records" } else { "derived" };
    let folder = scratch.join(format!("{kind}-{records}-seed-{seed}"));
    if folder.exists() {
        return Ok(folder);
    }
    std::fs::create_dir_all(scratch).with_context(|| format!("cannot make {}", scratch.display()))?;
    // Under another name until it is whole: an interrupted run must not leave half of it to the next.
    let partial = scratch.join(format!("partial-{}", std::process::id()));
    let truth = |folder: &Path| folder.with_extension("ground-truth.ndjson");
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["generate", "--accounts", "8", "--days", DAYS]);
    if !from.is_empty() {
        command.arg("--from").args(from);
    }
    command.arg("--records").arg(records.to_string()).arg("--seed").arg(seed.to_string());
    command.arg("--out").arg(&partial).stdout(std::process::Stdio::null());
    ensure!(command.status()?.success(), "the generator failed");
    std::fs::rename(truth(&partial), truth(&folder))?;
    std::fs::rename(&partial, &folder)?;
    Ok(folder)
}
