//! Rule files, exports, folders and text into a [`RuleSet`].

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read as _};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use walkdir::WalkDir;

use crate::error::Findings;
use crate::parallel;
use crate::parse::{Input, parse, sniff};
use crate::text::Syntax;
use crate::translation::Translation;
use crate::{GuideLanguage, LoadError, RuleSet};

/// Larger files are refused: an export of all public rules has a tenth of this.
const MAX_FILE_BYTES: u64 = 256 << 20;

/// Reads rules from files and, recursively, folders. What cannot be read is a problem of the set; the rest is
/// loaded. In a folder, `.toml`, `.json`, `.ndjson` and `.jsonl` files are read, in the order of their names.
pub fn load<P: AsRef<Path>>(paths: &[P]) -> RuleSet {
    load_with(paths, NonZeroUsize::MIN)
}

/// As [`load`], by so many threads: the set is the same.
pub fn load_with<P: AsRef<Path>>(paths: &[P], threads: NonZeroUsize) -> RuleSet {
    let mut found = Found::default();
    for path in paths {
        let path = path.as_ref();
        if path.is_dir() {
            found.folder(path);
        } else {
            found.file(path.to_owned(), true);
        }
    }
    let Found { items, translations } = found;
    let parts = parallel::chunks(&items, threads, |items| {
        let mut set = RuleSet::default();
        for item in items {
            item.load(&mut set);
        }
        set
    });
    let mut set = RuleSet::default();
    for part in parts {
        set.extend(part);
    }
    for (language, path) in translations {
        match read(&path) {
            Ok(text) => attach(language, &path.display().to_string(), &text, &mut set),
            Err(error) => set.report(&path.display().to_string(), [error.diagnostic()]),
        }
    }
    set
}

/// Reads rules from a text, such as standard input: TOML, or JSON as exported from Kibana.
pub fn load_text(name: &str, text: &str) -> RuleSet {
    let mut set = RuleSet::default();
    parse(
        &Input { name, text: Arc::from(text), syntax: sniff(text), expected: true, built_in: false },
        &mut set,
    );
    set
}

/// As [`load_text`], of bytes that may be anything.
pub fn load_bytes(name: &str, bytes: &[u8]) -> RuleSet {
    match std::str::from_utf8(bytes) {
        Ok(text) => load_text(name, text),
        Err(error) => {
            let mut set = RuleSet::default();
            set.report(name, [LoadError::NotUtf8 { offset: error.valid_up_to() }.diagnostic()]);
            set
        }
    }
}

/// What there is to read, before anything is read.
#[derive(Default)]
struct Found {
    items: Vec<Item>,
    translations: BTreeSet<(GuideLanguage, PathBuf)>,
}

enum Item {
    /// A file that should hold rules; `expected` if the user named it.
    File { path: PathBuf, expected: bool },
    /// A path that could not be looked at.
    Unreadable { path: String, message: String },
}

impl Found {
    fn folder(&mut self, folder: &Path) {
        for entry in WalkDir::new(folder).follow_links(true).sort_by_file_name() {
            match entry {
                Ok(entry) if entry.file_type().is_file() && has_known_extension(entry.path()) => {
                    self.file(entry.into_path(), false);
                }
                Ok(_) => {}
                Err(error) => self.items.push(Item::Unreadable {
                    path: error.path().unwrap_or(folder).display().to_string(),
                    message: error.to_string(),
                }),
            }
        }
    }

    fn file(&mut self, path: PathBuf, expected: bool) {
        if let Some(language) = translation_language(&path) {
            self.translations.insert((language, path));
            return;
        }
        // In a folder, what lies beside a file is found by itself.
        if expected {
            for language in GuideLanguage::ALL {
                let beside = path.with_extension(format!("{}.toml", language.tag()));
                if path.extension().is_some_and(|it| it == "toml") && beside.is_file() {
                    self.translations.insert((language, beside));
                }
            }
        }
        self.items.push(Item::File { path, expected });
    }
}

impl Item {
    fn load(&self, set: &mut RuleSet) {
        match self {
            Self::File { path, expected } => load_file(path, *expected, set),
            Self::Unreadable { path, message } => {
                set.report(path, [LoadError::Unreadable { message: message.clone() }.diagnostic()]);
            }
        }
    }
}

fn load_file(path: &Path, expected: bool, set: &mut RuleSet) {
    let name = path.display().to_string();
    let text = match read(path) {
        Ok(text) => text,
        Err(error) => return set.report(&name, [error.diagnostic()]),
    };
    let syntax = match path.extension().and_then(|extension| extension.to_str()) {
        Some("toml") => Syntax::Toml,
        Some("json" | "ndjson" | "jsonl") => Syntax::Json,
        _ => sniff(&text),
    };
    parse(&Input { name: &name, text: Arc::from(text), syntax, expected, built_in: false }, set);
}

fn read(path: &Path) -> Result<String, LoadError> {
    let unreadable = |error: &io::Error| LoadError::Unreadable { message: error.to_string() };
    let mut file = File::open(path).map_err(|error| unreadable(&error))?;
    let size = file.metadata().map_err(|error| unreadable(&error))?.len();
    if size > MAX_FILE_BYTES {
        return Err(LoadError::TooLarge { size, limit: MAX_FILE_BYTES });
    }
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
    file.read_to_end(&mut bytes).map_err(|error| unreadable(&error))?;
    String::from_utf8(bytes).map_err(|error| LoadError::NotUtf8 { offset: error.utf8_error().valid_up_to() })
}

fn has_known_extension(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    matches!(extension, Some("toml" | "json" | "ndjson" | "jsonl"))
}

/// The language of `<name>.<language>.toml`.
fn translation_language(path: &Path) -> Option<GuideLanguage> {
    let name = path.file_name()?.to_str()?.strip_suffix(".toml")?;
    GuideLanguage::from_tag(name.rsplit_once('.')?.1)
}

/// Gives the translation in that file to its rule.
pub(crate) fn attach(language: GuideLanguage, name: &str, text: &str, set: &mut RuleSet) {
    set.texts.insert(name.to_owned(), Arc::from(text));
    let rule_file =
        name.strip_suffix(".toml").and_then(|stem| stem.rsplit_once('.')).map_or("", |(stem, _)| stem);
    let rule_file = format!("{rule_file}.toml");
    let mut findings = Findings::default();
    if let Some(translation) = Translation::parse(language, text, &mut findings) {
        match set.rules.iter_mut().find(|rule| rule.file == rule_file) {
            Some(rule) => {
                findings.extend(translation.compare(rule));
                rule.translations.push(translation);
            }
            // A rule that was refused has told why; its translation need not.
            None if set.texts.contains_key(&rule_file) => {}
            None => findings.push(&LoadError::TranslationOrphan { rule: rule_file }),
        }
    }
    set.report(name, findings.into_diagnostics());
}
