//! A case file: a zip with what an investigation stands on, and hashes of all of it.
//!
//! The same content makes the same bytes: files in order of their names, times fixed.

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _, Write as _};
use std::path::Path;

use anyhow::{Context as _, anyhow, bail};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use zip::write::SimpleFileOptions;

/// The form of case files that this program writes, and the only one that it reads.
pub(crate) const FORM: u32 = 1;

/// The list of what is in there.
const MANIFEST: &str = "manifest.json";
/// Files of a case.
const FILES_MAX: usize = 64;
/// Bytes of one, unpacked.
const FILE_BYTES_MAX: u64 = 4 << 30;

/// Everything in a case but its list, by name.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// The list of what is in a case.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Manifest {
    pub(crate) form: u32,
    /// Which program made it.
    pub(crate) trailwarden: String,
    pub(crate) files: Vec<Listed>,
}

/// A file by its hash.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Listed {
    pub(crate) name: String,
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
}

impl Listed {
    pub(crate) fn of(name: String, bytes: &[u8]) -> Self {
        Self { name, bytes: bytes.len() as u64, sha256: sha256(bytes) }
    }
}

/// What is wrong with the files of a case.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Changed(String),
    Missing(String),
    Unlisted(String),
}

fn sha256(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in Sha256::digest(bytes) {
        text += &format!("{byte:02x}");
    }
    text
}

/// The bytes of a case file.
pub(crate) fn write(version: &str, files: &Files) -> anyhow::Result<Vec<u8>> {
    let listed = |(name, bytes): (&String, &Vec<u8>)| Listed::of(name.clone(), bytes);
    let manifest =
        Manifest { form: FORM, trailwarden: version.to_owned(), files: files.iter().map(listed).collect() };
    let manifest = serde_json::to_string_pretty(&manifest)? + "\n";
    let mut out = zip::ZipWriter::new(Cursor::new(Vec::new()));
    // The beginning of the time of zip files: no clock gets in.
    let options = SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Deflated)
        .last_modified_time(zip::DateTime::default())
        .unix_permissions(0o644)
        .large_file(false);
    let all = std::iter::once((MANIFEST, manifest.as_bytes()));
    for (name, bytes) in all.chain(files.iter().map(|(name, bytes)| (&**name, &**bytes))) {
        let is_large = bytes.len() as u64 >= FILE_BYTES_MAX;
        if is_large {
            bail!("`{name}` would have more than {FILE_BYTES_MAX} bytes");
        }
        out.start_file(name, options)?;
        out.write_all(bytes)?;
    }
    Ok(out.finish()?.into_inner())
}

/// Reads a case file, and says what is not as its list has it.
pub(crate) fn read(path: &Path) -> anyhow::Result<(Manifest, Files, Vec<Fault>)> {
    let place = || format!("`{}`", path.display());
    let no_case = || format!("{} is no case file; give what `hunt --case` wrote", place());
    let file = std::fs::File::open(path).with_context(place)?;
    let mut zip = zip::ZipArchive::new(std::io::BufReader::new(file)).with_context(no_case)?;
    if zip.len() > FILES_MAX {
        bail!("{} has more than {FILES_MAX} files", place());
    }
    let (mut files, mut faults) = (Files::new(), Vec::new());
    for at in 0..zip.len() {
        let member = zip.by_index(at).with_context(place)?;
        let name = member.name().with_context(place)?.into_owned();
        let mut bytes = Vec::new();
        // What is damaged is changed: its list tells.
        let read = member.take(FILE_BYTES_MAX).read_to_end(&mut bytes);
        if read.is_err() {
            faults.push(Fault::Changed(name.clone()));
        }
        files.insert(name, bytes);
    }
    let manifest = files.remove(MANIFEST).ok_or_else(|| anyhow!("{}", no_case()))?;
    let manifest: Manifest = serde_json::from_slice(&manifest).with_context(no_case)?;
    if manifest.form != FORM {
        bail!(
            "{} has form {}, and this trailwarden reads form {FORM}: use {}, which made it",
            place(),
            manifest.form,
            manifest.trailwarden
        );
    }
    for it in &manifest.files {
        match files.get(&it.name) {
            None => faults.push(Fault::Missing(it.name.clone())),
            Some(bytes) if sha256(bytes) != it.sha256 => faults.push(Fault::Changed(it.name.clone())),
            Some(_) => {}
        }
    }
    let is_listed = |name: &String| manifest.files.iter().any(|it| it.name == *name);
    faults.extend(files.keys().filter(|it| !is_listed(it)).map(|it| Fault::Unlisted(it.clone())));
    faults.dedup();
    Ok((manifest, files, faults))
}
