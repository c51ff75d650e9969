//! Lists the files of the built-in pack, so that the binary carries them.
//!
//! Twenty lines here save a dependency with a procedural macro.
#![allow(clippy::disallowed_methods, reason = "cargo tells a build script its folders in the environment")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let pack = Path::new(&env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?)
        .join("../../rules")
        .canonicalize()?;
    println!("cargo::rerun-if-changed={}", pack.display());
    let mut files = Vec::new();
    collect(&pack, &mut files)?;
    files.sort();
    let mut code =
        "/// The files of the built-in pack: name and text.\nstatic BUILTIN_RULES: &[(&str, &str)] = &[\n"
            .to_owned();
    for file in files {
        println!("cargo::rerun-if-changed={}", file.display());
        let name =
            file.strip_prefix(&pack).map_err(io::Error::other)?.display().to_string().replace('\\', "/");
        writeln!(
            code,
            "    ({:?}, include_str!({:?})),",
            format!("builtin/{name}"),
            file.display().to_string()
        )
        .map_err(io::Error::other)?;
    }
    code.push_str("];\n");
    fs::write(Path::new(&env::var("OUT_DIR").map_err(io::Error::other)?).join("builtin_rules.rs"), code)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
    Ok(())
}
