//! Which files are to be read.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use globset::GlobBuilder;
use tempfile::{NamedTempFile, TempPath};
use walkdir::WalkDir;

use crate::S3Key;
use crate::sniff::{Content, HEAD, sniff};

/// The argument that means the standard input.
const STDIN: &str = "-";

/// Endings that are read without a look inside.
const OWN_ENDINGS: [&str; 9] = ["json", "ndjson", "jsonl", "gz", "tgz", "zst", "zip", "tar", "log"];

/// Endings that are never records. Everything else is decided by its content.
const FOREIGN_ENDINGS: [&str; 24] = [
    "csv", "css", "doc", "docx", "exe", "gif", "htm", "html", "jpeg", "jpg", "js", "md", "mmdb", "parquet",
    "pdf", "png", "py", "rst", "sh", "svg", "toml", "xml", "yaml", "yml",
];

/// One file to read.
#[derive(Clone, Debug)]
pub struct Input {
    /// Its place in [`Discovery::inputs`].
    pub id: u32,
    /// Its size in bytes, as stored.
    pub size: u64,
    /// What its path says about its delivery.
    pub s3: Option<S3Key>,
    name: String,
    place: Place,
}

#[derive(Clone, Debug)]
enum Place {
    File(PathBuf),
    /// The standard input, spooled. The file goes with the last [`Input`] that names it.
    Spooled(Arc<TempPath>),
}

impl Input {
    /// A single file.
    pub fn file(id: u32, path: &Path) -> io::Result<Self> {
        let size = fs::metadata(path)?.len();
        let (s3, name) = (S3Key::parse(path), path.display().to_string());
        Ok(Self { id, size, s3, name, place: Place::File(path.to_owned()) })
    }

    /// What to call it in messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where its bytes are.
    pub fn path(&self) -> &Path {
        match &self.place {
            Place::File(path) => path,
            Place::Spooled(path) => path,
        }
    }
}

/// The files that were found, sorted by path.
#[derive(Debug, Default)]
pub struct Discovery {
    /// The files. Each one's id is its place here.
    pub inputs: Vec<Input>,
    /// How many files in folders were passed over: hidden ones, and what is no JSON by its name or content.
    pub skipped: u64,
    /// What the user should know.
    pub notices: Vec<PathNotice>,
}

/// Something about the paths that is no error.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathNotice {
    /// A folder without anything to read.
    #[error(
        "`{}` holds no file of records ({skipped} of other kinds were passed over); check the path, or name the \
         files themselves",
        path.display()
    )]
    EmptyFolder {
        /// The folder.
        path: PathBuf,
        /// How many files it holds.
        skipped: u64,
    },
    /// A folder or file that could not be looked at.
    #[error("a part of `{}` cannot be read: {detail}", path.display())]
    Unreadable {
        /// The argument it belongs to.
        path: PathBuf,
        /// What the operating system said.
        detail: String,
    },
}

/// Why the files could not be found.
#[derive(Debug, thiserror::Error)]
pub enum DiscoverError {
    /// There is no such file or folder.
    #[error("`{}` cannot be opened: {source}", path.display())]
    NotFound {
        /// The argument.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A pattern that nothing matches.
    #[error("no file matches `{pattern}`")]
    NoMatch {
        /// The argument.
        pattern: String,
    },
    /// A pattern that is none.
    #[error("`{pattern}` is not a valid pattern: {detail}")]
    Pattern {
        /// The argument.
        pattern: String,
        /// What is wrong with it.
        detail: String,
    },
    /// The standard input could not be kept.
    #[error("the standard input cannot be spooled to a temporary file: {source}")]
    Spool {
        /// What the operating system said.
        source: io::Error,
    },
    /// More files than can be numbered.
    #[error("more than {limit} files; give fewer folders at a time")]
    TooMany {
        /// The limit.
        limit: u32,
    },
}

impl DiscoverError {
    /// A stable code for documentation and tests. Codes are never reused.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "PATH001",
            Self::NoMatch { .. } => "PATH002",
            Self::Pattern { .. } => "PATH003",
            Self::Spool { .. } => "PATH004",
            Self::TooMany { .. } => "PATH005",
        }
    }
}

impl Discovery {
    /// Finds the files behind `paths`: files, folders, patterns (`*`, `?`, `[…]`, `{…}`, `**`), and `-` for `stdin`,
    /// which is copied to a temporary file so that it can be read again.
    ///
    /// A file that is named itself is always read; in folders and behind patterns hidden files and those that are no
    /// JSON are passed over. The result does not depend on the order of `paths`, and a file named twice is read
    /// once. All errors are told, not only the first.
    pub fn find(paths: &[PathBuf], stdin: &mut dyn Read) -> Result<Self, Vec<DiscoverError>> {
        let mut finder = Finder::default();
        let mut errors = Vec::new();
        for path in paths {
            if let Err(error) = finder.argument(path, stdin) {
                errors.push(error);
            }
        }
        if finder.files.len() >= u32::MAX as usize {
            errors.push(DiscoverError::TooMany { limit: u32::MAX });
        }
        if errors.is_empty() { Ok(finder.finish(paths.len() > 1)) } else { Err(errors) }
    }

    /// Drops the files that can hold no event between these times (both included), as far as S3 layout tells, and
    /// says how many. The others are numbered anew.
    ///
    /// Files are named by delivery: see [`DELIVERY_LAG_MS`](crate::DELIVERY_LAG_MS) and
    /// [`DELIVERY_SKEW_MS`](crate::DELIVERY_SKEW_MS) for the margins.
    pub fn prune(&mut self, not_before_ms: i64, not_after_ms: i64) -> usize {
        let before = self.inputs.len();
        let may_hold =
            |input: &Input| input.s3.as_ref().is_none_or(|key| key.may_hold(not_before_ms, not_after_ms));
        self.inputs.retain(may_hold);
        for (id, input) in self.inputs.iter_mut().enumerate() {
            input.id = id as u32;
        }
        before - self.inputs.len()
    }
}

#[derive(Default)]
struct Finder {
    files: BTreeSet<PathBuf>,
    spooled: Option<(TempPath, u64)>,
    skipped: u64,
    notices: Vec<PathNotice>,
}

impl Finder {
    fn argument(&mut self, path: &Path, stdin: &mut dyn Read) -> Result<(), DiscoverError> {
        if path == Path::new(STDIN) {
            return self.spool(stdin).map_err(|source| DiscoverError::Spool { source });
        }
        match fs::metadata(path) {
            Ok(found) if found.is_dir() => {
                self.folder(path);
                Ok(())
            }
            Ok(_) => {
                self.files.insert(path.to_owned());
                Ok(())
            }
            Err(source) => match path.to_str().filter(|text| text.contains(['*', '?', '[', '{'])) {
                Some(pattern) => self.pattern(pattern),
                None => Err(DiscoverError::NotFound { path: path.to_owned(), source }),
            },
        }
    }

    fn spool(&mut self, stdin: &mut dyn Read) -> io::Result<()> {
        if self.spooled.is_none() {
            let mut file = NamedTempFile::new()?;
            let size = io::copy(stdin, &mut file)?;
            self.spooled = Some((file.into_temp_path(), size));
        }
        Ok(())
    }

    fn folder(&mut self, root: &Path) {
        let (found, skipped) = self.walk(root, root, &|_| true);
        if found == 0 {
            self.notices.push(PathNotice::EmptyFolder { path: root.to_owned(), skipped });
        }
    }

    fn pattern(&mut self, pattern: &str) -> Result<(), DiscoverError> {
        let refused = |error: globset::Error| DiscoverError::Pattern {
            pattern: pattern.to_owned(),
            detail: error.kind().to_string(),
        };
        let matcher =
            GlobBuilder::new(pattern).literal_separator(true).build().map_err(refused)?.compile_matcher();
        // The walk starts in the deepest folder that the pattern names without a wildcard.
        let root: PathBuf = Path::new(pattern)
            .iter()
            .take_while(|part| !part.to_string_lossy().contains(['*', '?', '[', '{']))
            .collect();
        let (start, bare) =
            if root.as_os_str().is_empty() { (Path::new("."), true) } else { (&*root, false) };
        let fits = |path: &Path| {
            let path = if bare { path.strip_prefix(".").unwrap_or(path) } else { path };
            matcher.is_match(path)
        };
        let (found, _) = self.walk(start, Path::new(pattern), &fits);
        if found == 0 {
            return Err(DiscoverError::NoMatch { pattern: pattern.to_owned() });
        }
        Ok(())
    }

    /// Adds the files under `root` that fit. How many there were, and how many were passed over.
    fn walk(&mut self, root: &Path, argument: &Path, fits: &dyn Fn(&Path) -> bool) -> (u64, u64) {
        let (mut found, mut skipped) = (0, 0);
        let shown = |entry: &walkdir::DirEntry| {
            entry.depth() == 0
                || !entry.file_type().is_dir()
                || !is_hidden(&entry.file_name().to_string_lossy())
        };
        for entry in WalkDir::new(root).follow_links(true).into_iter().filter_entry(shown) {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    let (path, detail) = (argument.to_owned(), error.to_string());
                    self.notices.push(PathNotice::Unreadable { path, detail });
                    continue;
                }
            };
            if !entry.file_type().is_file() || !fits(entry.path()) {
                continue;
            }
            if is_record_file(entry.path()) {
                let path = entry.path();
                self.files.insert(path.strip_prefix("./").unwrap_or(path).to_owned());
                found += 1;
            } else {
                skipped += 1;
            }
        }
        self.skipped += skipped;
        (found, skipped)
    }

    /// Numbers the files. With several arguments the same file may have been found by different names.
    fn finish(self, several: bool) -> Discovery {
        let mut seen = BTreeSet::new();
        let mut inputs = Vec::with_capacity(self.files.len());
        if let Some((path, size)) = self.spooled {
            let place = Place::Spooled(Arc::new(path));
            inputs.push(Input { id: 0, size, s3: None, name: "standard input".to_owned(), place });
        }
        for path in self.files {
            if several && !seen.insert(fs::canonicalize(&path).unwrap_or_else(|_| path.clone())) {
                continue;
            }
            let (s3, name) = (S3Key::parse(&path), path.display().to_string());
            // A file that has gone since is told when it is read.
            let size = fs::metadata(&path).map_or(0, |found| found.len());
            inputs.push(Input { id: inputs.len() as u32, size, s3, name, place: Place::File(path) });
        }
        Discovery { inputs, skipped: self.skipped, notices: self.notices }
    }
}

/// Whether a file in a folder can hold records.
fn is_record_file(path: &Path) -> bool {
    let name = path.to_string_lossy();
    if is_foreign(&name) {
        return false;
    }
    let own =
        path.extension().is_some_and(|ending| OWN_ENDINGS.iter().any(|own| ending.eq_ignore_ascii_case(own)));
    own || looks_like_records(path)
}

/// Whether the name of a file or of a member of an archive says that it holds no records.
pub(crate) fn is_foreign(name: &str) -> bool {
    let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let ending = file.rsplit_once('.').map_or("", |(_, ending)| ending);
    is_hidden(file)
        || name.starts_with("__MACOSX/")
        || FOREIGN_ENDINGS.iter().any(|foreign| foreign.eq_ignore_ascii_case(ending))
        || ["README", "LICENSE", "NOTICE", "CHANGELOG"].contains(&file)
}

fn is_hidden(name: &str) -> bool {
    name.starts_with('.') && name.len() > 1 && name != ".."
}

/// Whether a file begins like JSON, or like something that may hold it.
fn looks_like_records(path: &Path) -> bool {
    let mut head = Vec::with_capacity(HEAD);
    let Ok(file) = File::open(path) else { return true };
    if file.take(HEAD as u64).read_to_end(&mut head).is_err() {
        return true;
    }
    match sniff(&head) {
        Content::Gzip | Content::Zstd | Content::Zip | Content::Tar | Content::Utf16 => true,
        Content::Text => matches!(head.trim_ascii_start().first(), Some(b'{' | b'[' | 0xEF)),
        Content::Blank | Content::Binary => false,
    }
}
