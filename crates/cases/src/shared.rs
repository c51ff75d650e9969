//! Data that lies beside the checkout and is not ours: tests that need it look for it, and say loudly that they are skipped.
#![expect(clippy::print_stderr, reason = "what was skipped is for whoever runs the test")]

use std::path::{Path, PathBuf};

/// That folder of the recordings; `None` where it is absent.
pub fn shared(name: &str) -> Option<PathBuf> {
    found(&Path::new("data").join(name))
}

/// That file or folder beside the recordings; `None` where it is absent.
pub fn shared_path(path: &str) -> Option<PathBuf> {
    found(Path::new(path))
}

fn found(path: &Path) -> Option<PathBuf> {
    let shared = std::env::var_os("TRAILWARDEN_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let path = shared.join(path);
    if path.exists() {
        return Some(path);
    }
    let must_run = std::env::var_os("CI").is_some_and(|value| value == "true");
    assert!(!must_run, "there is no {}: set TRAILWARDEN_SHARED", path.display());
    eprintln!("SKIPPED: there is no {}; set TRAILWARDEN_SHARED to run this test", path.display());
    None
}
