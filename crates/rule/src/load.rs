//! Rule files, exports, folders and text into a [`RuleSet`].

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::{self, Read as _};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use walkdir::WalkDir;

use crate::error::Findings;
use crate::foreign::ForeignForm;
use crate::parallel;
use crate::parse::{Input, parse, sniff};
use crate::test_file::test_stem;
use crate::text::Syntax;
use crate::translation::Translation;
use crate::{GuideLanguage, LoadError, RuleSet};

/// Larger files are refused: an export of all public rules has a tenth of this.
const MAX_FILE_BYTES: u64 = 256 << 20;

/// What is looked at of a file in YAML: far more than any rule has.
const HEAD_BYTES: u64 = 256 << 10;

/// Reads rules from files and, recursively, folders. What cannot be read is a problem of the set; the rest is
/// loaded. In a folder, `.toml`, `.json`, `.ndjson` and `.jsonl` files are read, in whatever letter case, in the order
/// of their names, and of the `.txt` files those that are called as a value list that some exception asks for. A path within another one is not read twice.
pub fn load<P: AsRef<Path>>(paths: &[P]) -> RuleSet {
    load_with(paths, NonZeroUsize::MIN)
}

/// As [`load`], by so many threads: the set is the same.
pub fn load_with<P: AsRef<Path>>(paths: &[P], threads: NonZeroUsize) -> RuleSet {
    let mut found = Listing::default();
    for path in without_repetition(paths) {
        if path.is_dir() {
            found.folder(path);
        } else {
            found.file(path.to_owned(), true);
        }
    }
    let Listing { items, translations, values } = found;
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
    load_values(&values, &mut set);
    let mut texts = Vec::with_capacity(translations.len());
    for (language, path) in translations {
        let name = path.display().to_string();
        match read_text(&path) {
            Ok(text) => texts.push(TranslationFile { language, name, text }),
            Err(error) => set.report(&name, [error.diagnostic()]),
        }
    }
    attach(texts, &mut set);
    set
}

/// The paths without those that are read with another one: the same again, or a part of a folder.
fn without_repetition<P: AsRef<Path>>(paths: &[P]) -> Vec<&Path> {
    let paths = paths.iter().map(AsRef::as_ref);
    // What does not exist is reported when it is read.
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let folders: BTreeSet<PathBuf> = paths.clone().filter(|path| path.is_dir()).map(real).collect();
    let mut seen = BTreeSet::new();
    paths
        .filter(|path| {
            let real = real(path);
            // A folder passes over files with other endings; named, they are read.
            let found = real.is_dir() || real.is_file() && Ending::of(path).is_some();
            let within = found && real.ancestors().skip(1).any(|folder| folders.contains(folder));
            !within && seen.insert(real)
        })
        .collect()
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
struct Listing {
    items: Vec<Item>,
    translations: BTreeSet<(GuideLanguage, PathBuf)>,
    /// Files that may be value lists; `true` if the user named it.
    values: Vec<(PathBuf, bool)>,
}

enum Item {
    /// A file that should hold rules; `expected` if the user named it.
    File { path: PathBuf, expected: bool },
    /// A path that could not be looked at.
    Unreadable { path: String, message: String },
}

impl Listing {
    fn folder(&mut self, folder: &Path) {
        for entry in WalkDir::new(folder).follow_links(true).sort_by_file_name() {
            match entry {
                Ok(entry) if entry.file_type().is_file() && Ending::of(entry.path()).is_some() => {
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
        if Ending::of(&path) == Some(Ending::Values) {
            self.values.push((path, expected));
            return;
        }
        // In a folder, what lies beside a file is found by itself.
        if expected {
            for language in GuideLanguage::ALL {
                let beside = path.with_extension(format!("{}.toml", language.tag()));
                if Ending::of(&path) == Some(Ending::Toml) && beside.is_file() {
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
    let ending = Ending::of(path);
    // Tests of rules are asked for by themselves.
    if test_stem(&name).is_some() {
        return;
    }
    // Beside rules lies much else in YAML: pipelines, settings, pages.
    if ending == Some(Ending::Yaml) && !expected {
        if let Ok(text) = head(path) {
            set.foreign.extend(ForeignForm::of_yaml(&text).map(|form| (form, name)));
        }
        return;
    }
    let text = match read_text(path) {
        Ok(text) => text,
        Err(error) => return set.report(&name, [error.diagnostic()]),
    };
    let syntax = match ending {
        Some(Ending::Toml) => Syntax::Toml,
        Some(Ending::Json) => Syntax::Json,
        Some(Ending::Yaml | Ending::Values) | None => {
            if let Some(form) = ForeignForm::of_yaml(&text) {
                set.foreign.push((form, name));
                return;
            }
            sniff(&text)
        }
    };
    parse(&Input { name: &name, text: Arc::from(text), syntax, expected, built_in: false }, set);
}

/// Reads the value lists that exceptions ask for. What else is written beside rules, such as a licence, is none of them.
fn load_values(files: &[(PathBuf, bool)], set: &mut RuleSet) {
    let asked = set.exceptions.asked_lists();
    for (path, expected) in files {
        let (name, file) = (path.display().to_string(), path.file_name().map(|it| it.to_string_lossy()));
        let ids = asked.iter().filter(|id| file.as_ref().is_some_and(|file| is_called(file, id)));
        let ids: Vec<&String> = ids.collect();
        if ids.is_empty() {
            if *expected {
                let id = file.unwrap_or_default().into_owned();
                set.report(&name, [LoadError::UnaskedValues { id }.diagnostic()]);
            }
            continue;
        }
        match read_text(path) {
            Ok(text) => ids.into_iter().for_each(|id| set.exceptions.value_lists.add_file(id, &text)),
            Err(error) => set.report(&name, [error.diagnostic()]),
        }
    }
}

/// Whether a list of that id is made of the file: Kibana calls a list by the name of the file that it was made of.
fn is_called(file: &str, id: &str) -> bool {
    file == id || file.rsplit_once('.').is_some_and(|(stem, _)| stem == id)
}

/// The beginning of a file.
fn head(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    File::open(path)?.take(HEAD_BYTES).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The text of a file.
pub(crate) fn read_text(path: &Path) -> Result<String, LoadError> {
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

/// How a file is written, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    Toml,
    Json,
    Yaml,
    /// A value a line.
    Values,
}

impl Ending {
    /// The ending of a file that may hold rules, in whatever letter case.
    fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "toml" => Some(Self::Toml),
            "json" | "ndjson" | "jsonl" => Some(Self::Json),
            "yml" | "yaml" => Some(Self::Yaml),
            "txt" => Some(Self::Values),
            _ => None,
        }
    }
}

/// A name without `.toml`, in whatever letter case.
pub(crate) fn toml_stem(name: &str) -> Option<&str> {
    let (stem, ending) = name.rsplit_once('.')?;
    ending.eq_ignore_ascii_case("toml").then_some(stem)
}

/// The language of `<name>.<language>.toml`.
fn translation_language(path: &Path) -> Option<GuideLanguage> {
    let name = toml_stem(path.file_name()?.to_str()?)?;
    GuideLanguage::from_tag(name.rsplit_once('.')?.1)
}

/// The text of a translation.
pub(crate) struct TranslationFile {
    pub(crate) language: GuideLanguage,
    pub(crate) name: String,
    pub(crate) text: String,
}

/// Gives each translation to the rule beside it.
pub(crate) fn attach(translations: Vec<TranslationFile>, set: &mut RuleSet) {
    if translations.is_empty() {
        return;
    }
    // Files with rules by their names without the ending; a rule that was refused is none of them.
    let mut files: HashMap<String, Option<usize>> =
        set.texts.keys().filter_map(|file| Some((toml_stem(file)?.to_owned(), None))).collect();
    for (at, rule) in set.rules.iter().enumerate() {
        if let Some(stem) = toml_stem(&rule.file) {
            files.entry(stem.to_owned()).or_default().get_or_insert(at);
        }
    }
    for TranslationFile { language, name, text } in translations {
        let stem = toml_stem(&name).and_then(|stem| stem.rsplit_once('.')).map_or("", |(stem, _)| stem);
        let mut findings = Findings::default();
        if let Some(translation) = Translation::parse(language, &text, &mut findings) {
            match files.get(stem) {
                Some(&Some(at)) => {
                    let rule = &mut set.rules[at];
                    findings.extend(translation.compare(rule));
                    rule.translations.push(translation);
                }
                // A rule that was refused has told why; its translation need not.
                Some(None) => {}
                None => findings.push(&LoadError::TranslationOrphan { rule: format!("{stem}.toml") }),
            }
        }
        set.texts.insert(name.clone(), Arc::from(text));
        set.report(&name, findings.into_diagnostics());
    }
}
