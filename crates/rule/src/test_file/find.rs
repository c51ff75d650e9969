//! Which files hold tests.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use span::Diagnostic;
use walkdir::WalkDir;

use super::read::{Form, read};
use super::{Subject, TestFile, TestFiles};
use crate::error::Findings;
use crate::load::{read_text, toml_stem};
use crate::{LoadError, Problem};

/// What the name of a test file ends with.
const ENDINGS: [&str; 2] = [".test.yaml", ".test.yml"];

/// The name without the ending of a test file, in whatever letter case.
pub(crate) fn test_stem(name: &str) -> Option<&str> {
    ENDINGS.into_iter().find_map(|ending| {
        let at = name.len().checked_sub(ending.len())?;
        name.get(at..)?.eq_ignore_ascii_case(ending).then(|| &name[..at])
    })
}

/// Reads the tests in files and, recursively, folders: of test files, and of rule files in TOML. Beside a rule file
/// that is named lie its tests, too. What cannot be read costs no other file.
pub fn test_files<P: AsRef<Path>>(paths: &[P]) -> TestFiles {
    let mut found: Vec<PathBuf> = Vec::new();
    let mut all = TestFiles::default();
    for path in paths.iter().map(AsRef::as_ref) {
        if path.is_dir() {
            for entry in WalkDir::new(path).follow_links(true).sort_by_file_name() {
                match entry {
                    Ok(entry) if entry.file_type().is_file() => found.push(entry.into_path()),
                    Ok(_) => {}
                    Err(error) => {
                        let file = error.path().unwrap_or(path).display().to_string();
                        let diagnostic = LoadError::Unreadable { message: error.to_string() }.diagnostic();
                        all.problems.push(Problem { file, diagnostic });
                    }
                }
            }
        } else {
            let name = path.display().to_string();
            if let Some(stem) = toml_stem(&name) {
                let beside = ENDINGS.iter().map(|ending| PathBuf::from(format!("{stem}{ending}")));
                found.extend(beside.filter(|it| it.is_file()));
            }
            found.push(path.to_owned());
        }
    }
    found.sort_unstable();
    found.dedup();
    for path in found {
        let name = path.display().to_string();
        if let Some(stem) = test_stem(&name) {
            all.add(&path, &name, &Form::Yaml, stem);
        } else if let Some(stem) = toml_stem(&name) {
            all.add(&path, &name, &Form::Toml, stem);
        }
    }
    all
}

/// Reads the text of a test file.
pub fn test_text(name: &str, text: &str) -> (Option<TestFile>, Vec<Diagnostic>) {
    let mut findings = Findings::default();
    let subject = Subject::Beside(test_stem(name).unwrap_or(name).to_owned());
    let file = read(name, text, &Form::Yaml, subject, Path::new(""), &mut findings);
    (file, findings.into_diagnostics())
}

impl TestFiles {
    fn add(&mut self, path: &Path, name: &str, form: &Form, stem: &str) {
        let mut findings = Findings::default();
        match read_text(path) {
            Err(error) => findings.push(&error),
            Ok(text) => {
                let subject = Subject::Beside(stem.to_owned());
                let folder = path.parent().unwrap_or(Path::new(""));
                if let Some(file) = read(name, &text, form, subject, folder, &mut findings) {
                    self.files.push(file);
                }
                self.texts.insert(name.to_owned(), Arc::from(text));
            }
        }
        let problem = |diagnostic| Problem { file: name.to_owned(), diagnostic };
        self.problems.extend(findings.into_diagnostics().into_iter().map(problem));
    }
}
