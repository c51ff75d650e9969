//! Which files are to be read.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, FileType};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use globset::{GlobBuilder, GlobMatcher};
use tempfile::{NamedTempFile, TempPath};
use walkdir::WalkDir;

use crate::remote::{Remotes, remotes_of};
use crate::sniff::{Content, HEAD, begins_like_json, sniff};
use crate::table::{HEADER_BYTES, Header};
use crate::{Remote, RemoteBody, RemoteError, S3Key, Stored, is_remote};

/// The argument that means the standard input.
const STDIN: &str = "-";

/// Endings that are read without a look inside.
const OWN_ENDINGS: [&str; 12] =
    ["json", "ndjson", "jsonl", "gz", "tgz", "zst", "bz2", "xz", "zip", "tar", "log", "parquet"];

/// Endings that are never records. Everything else is decided by its content.
const FOREIGN_ENDINGS: [&str; 22] = [
    "css", "doc", "docx", "exe", "gif", "htm", "html", "jpeg", "jpg", "js", "md", "mmdb", "pdf", "png", "py",
    "rst", "sh", "svg", "toml", "xml", "yaml", "yml",
];

/// So many objects are looked into at a time, to see whether they hold records.
const HEADS_AT_ONCE: usize = 32;

/// One file to read.
#[derive(Clone, Debug)]
pub struct Input {
    /// Its place in [`Discovery::inputs`].
    pub id: u32,
    /// Its size in bytes, as stored.
    pub size: u64,
    /// What its path says about its delivery.
    pub s3: Option<S3Key>,
    /// No event in it is younger than this, if that is known.
    pub last_ms: Option<i64>,
    name: String,
    place: Place,
}

#[derive(Clone, Debug)]
enum Place {
    File(PathBuf),
    /// The standard input or a pipe, spooled. The file goes with the last [`Input`] that names it.
    Spooled(Arc<TempPath>),
    /// A segment of a store, and its file.
    Stored(Arc<dyn Stored>, PathBuf),
    /// What somebody sent.
    Memory(Arc<Vec<u8>>),
    /// An object of a bucket.
    Elsewhere(Arc<dyn Remote>),
}

impl Input {
    /// A single file.
    pub fn file(id: u32, path: &Path) -> io::Result<Self> {
        let size = fs::metadata(path)?.len();
        let (s3, name) = (S3Key::parse(path), path.display().to_string());
        Ok(Self { id, size, s3, last_ms: None, name, place: Place::File(path.to_owned()) })
    }

    /// A segment of a store, which lies in a file of so many bytes. No event in it is younger than `last_ms`, if that is
    /// known.
    pub fn stored(segment: Arc<dyn Stored>, file: PathBuf, size: u64, last_ms: Option<i64>) -> Self {
        let name = file.display().to_string();
        Self { id: 0, size, s3: None, last_ms, name, place: Place::Stored(segment, file) }
    }

    /// Bytes as a file would hold them, of whatever kind. The name is what messages call them.
    pub fn memory(id: u32, name: impl Into<String>, bytes: Arc<Vec<u8>>) -> Self {
        let size = bytes.len() as u64;
        Self { id, size, s3: None, last_ms: None, name: name.into(), place: Place::Memory(bytes) }
    }

    /// Something that lies elsewhere.
    pub fn elsewhere(id: u32, remote: Arc<dyn Remote>) -> Self {
        let name = remote.address().to_owned();
        let s3 = S3Key::parse(Path::new(&name));
        Self { id, size: remote.size(), s3, last_ms: None, name, place: Place::Elsewhere(remote) }
    }

    /// What it is elsewhere, if it lies there.
    pub fn remote(&self) -> Option<&dyn Remote> {
        match &self.place {
            Place::File(_) | Place::Spooled(_) | Place::Memory(_) | Place::Stored(..) => None,
            Place::Elsewhere(remote) => Some(&**remote),
        }
    }

    /// The segment, if it is one of a store.
    pub fn segment(&self) -> Option<&dyn Stored> {
        match &self.place {
            Place::File(_) | Place::Spooled(_) | Place::Memory(_) | Place::Elsewhere(_) => None,
            Place::Stored(segment, _) => Some(&**segment),
        }
    }

    /// The bytes, if they are in memory.
    pub(crate) fn bytes(&self) -> Option<&[u8]> {
        match &self.place {
            Place::File(_) | Place::Spooled(_) | Place::Stored(..) | Place::Elsewhere(_) => None,
            Place::Memory(bytes) => Some(bytes),
        }
    }

    /// All its bytes as they are stored, if they are no more than `most` and no segment of a store.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn contents(&self, most: u64) -> io::Result<Option<Vec<u8>>> {
        let path: &Path = match &self.place {
            Place::Memory(bytes) => return Ok((bytes.len() as u64 <= most).then(|| bytes.to_vec())),
            Place::Stored(..) => return Ok(None),
            Place::Elsewhere(remote) if remote.size() > most => return Ok(None),
            Place::Elsewhere(remote) => {
                return match remote.open().map_err(io::Error::other)? {
                    RemoteBody::Whole(_, Some(failure)) => Err(io::Error::other(failure)),
                    RemoteBody::Whole(bytes, None) => Ok((bytes.len() as u64 <= most).then_some(bytes)),
                    RemoteBody::Stream(body) => at_most(body, most),
                };
            }
            Place::File(path) => path,
            Place::Spooled(path) => path,
        };
        at_most(File::open(path)?, most)
    }

    /// What to call it in messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where its bytes are; of bytes in memory their name, and of what lies elsewhere its address.
    pub fn path(&self) -> &Path {
        match &self.place {
            Place::File(path) | Place::Stored(_, path) => path,
            Place::Spooled(path) => path,
            Place::Memory(_) | Place::Elsewhere(_) => Path::new(&self.name),
        }
    }
}

/// All that there is to read, if it is no more than this.
fn at_most(from: impl Read, most: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    from.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= most).then_some(bytes))
}

/// The files that were found, sorted by path.
#[derive(Debug, Default)]
pub struct Discovery {
    /// The files. Each one's id is its place here.
    pub inputs: Vec<Input>,
    /// How many files in folders were passed over: hidden ones, and what is no JSON by its name or content.
    pub skipped: u64,
    /// What could not be read of the paths. Everything else is.
    pub failures: Vec<PathError>,
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
    /// Pipes, sockets and devices in a folder: to open one may mean to wait forever.
    #[error(
        "{} in `{}` {} passed over, such as `{}`; a pipe that is named itself is read",
        if *.count == 1 { "1 pipe, socket or device".to_owned() } else { format!("{count} pipes, sockets or devices") },
        path.display(),
        if *.count == 1 { "was" } else { "were" },
        first.display()
    )]
    Special {
        /// The argument they belong to.
        path: PathBuf,
        /// How many there are.
        count: u64,
        /// One of them.
        first: PathBuf,
    },
}

/// A part of the input that cannot be read. It costs only itself.
#[derive(Debug, thiserror::Error)]
pub enum PathError {
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
    /// The standard input or a pipe could not be kept.
    #[error("{name} cannot be spooled to a temporary file: {source}")]
    Spool {
        /// What it is.
        name: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// More files than can be numbered.
    #[error("more than {limit} files; give fewer folders at a time")]
    TooMany {
        /// The limit.
        limit: u32,
    },
    /// A folder or file that could not be looked at.
    #[error("a part of `{}` cannot be read: {detail}", path.display())]
    Unreadable {
        /// The argument it belongs to.
        path: PathBuf,
        /// What the operating system said.
        detail: String,
    },
    /// Something that has no records, or has them without end.
    #[error("`{}` is {what}, and none is read; give a file, a folder, a pipe, or `-` for the standard input", path.display())]
    Device {
        /// The argument.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// An address that this program cannot open.
    #[error(
        "`{address}`: this program was built without what reads buckets; copy it to a folder, or build with the feature `s3`"
    )]
    NotOpened {
        /// The argument.
        address: String,
    },
    /// Something elsewhere that cannot be had.
    #[error("`{address}`: {error}; {}", error.advice)]
    Remote {
        /// The argument.
        address: String,
        /// What is wrong.
        error: RemoteError,
    },
    /// Nothing lies there.
    #[error(
        "`{address}`: there is no object of this name, and none below it; a prefix ends where a slash is"
    )]
    Nothing {
        /// The argument.
        address: String,
    },
}

impl PathError {
    /// A stable code for documentation and tests. Codes are never reused.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "PATH001",
            Self::NoMatch { .. } => "PATH002",
            Self::Pattern { .. } => "PATH003",
            Self::Spool { .. } => "PATH004",
            Self::TooMany { .. } => "PATH005",
            Self::Unreadable { .. } => "PATH006",
            Self::Device { .. } => "PATH007",
            Self::NotOpened { .. } => "PATH008",
            Self::Remote { error, .. } => error.code,
            Self::Nothing { .. } => "PATH009",
        }
    }
}

impl Discovery {
    /// Finds the files behind `paths`: files, folders, patterns (`*`, `?`, `[…]`, `{…}`, `**`), addresses of buckets
    /// (`s3://…`, as if each were a folder), and `-` for `stdin`.
    /// That and pipes are copied to temporary files so that they can be read again.
    ///
    /// A file that is named itself is always read; in folders and behind patterns hidden files and those that are no
    /// JSON are passed over. The result does not depend on the order of `paths`, and a file named twice is read
    /// once. A path that cannot be read costs nothing but itself; the result is an error only if there is nothing else.
    pub fn find(paths: &[PathBuf], stdin: &mut dyn Read) -> Result<Self, Vec<PathError>> {
        let mut finder = Finder::default();
        for path in paths {
            if let Err(error) = finder.argument(path, stdin) {
                finder.failures.push(error);
            }
        }
        let limit = u32::MAX;
        if finder.files.len() + finder.spooled.len() + finder.remotes.len() > limit as usize {
            return Err(vec![PathError::TooMany { limit }]);
        }
        let found = finder.finish(paths.len() > 1);
        if found.inputs.is_empty() && !found.failures.is_empty() { Err(found.failures) } else { Ok(found) }
    }

    /// As [`Discovery::find`], with segments of a store behind the files.
    pub fn with_stored(
        paths: &[PathBuf],
        stored: &[Input],
        stdin: &mut dyn Read,
    ) -> Result<Self, Vec<PathError>> {
        let mut found = Self::find(paths, stdin)?;
        for segment in stored {
            let id = found.inputs.len() as u32;
            found.inputs.push(Input { id, ..segment.clone() });
        }
        Ok(found)
    }

    /// Drops the files that can hold no event from this time on, as far as S3 layout or a store tells, and says how many. The others
    /// are numbered anew.
    ///
    /// Files are named by delivery, and an event may be delivered however late: of the 1st of May one came in the
    /// folder of the 5th, and it is late exactly when something was wrong. So a file may be dropped for an early delivery
    /// and never for a late one. See [`DELIVERY_SKEW_MS`](crate::DELIVERY_SKEW_MS) for the margin.
    pub fn prune(&mut self, not_before_ms: i64) -> usize {
        let before = self.inputs.len();
        self.inputs.retain(|input| {
            input.s3.as_ref().is_none_or(|key| key.may_hold(not_before_ms))
                && input.last_ms.is_none_or(|last| last >= not_before_ms)
        });
        for (id, input) in self.inputs.iter_mut().enumerate() {
            input.id = id as u32;
        }
        before - self.inputs.len()
    }
}

/// Of what was found below an address that which may hold records, as of the files in a folder, and how many were passed
/// over. What is `named` itself is always kept. `of` gives the file of a thing.
pub fn keep_records<T: Send + Sync, F>(root: &str, named: Option<&str>, found: Vec<T>, of: F) -> (Vec<T>, u64)
where
    F: Sync + for<'t> Fn(&'t T) -> &'t dyn Remote,
{
    let (mut kept, mut unknown) = (Vec::new(), Vec::new());
    let mut skipped = 0;
    for it in found {
        let key = of(&it).address();
        let folders = key.strip_prefix(root).and_then(|it| it.rsplit_once('/')).map_or("", |it| it.0);
        // What stands for a folder, and what lies in one that is hidden.
        if key.ends_with('/') || named != Some(key) && folders.split('/').any(is_hidden) {
            continue;
        }
        if named == Some(key) {
            kept.push(it);
        } else if is_foreign(key) {
            skipped += 1;
        } else if has_own_ending(Path::new(key)) {
            kept.push(it);
        } else {
            unknown.push(it);
        }
    }
    // To look into one takes a request, and so much time: many ask at once.
    let next = AtomicUsize::new(0);
    let records = Mutex::new(vec![false; unknown.len()]);
    std::thread::scope(|scope| {
        for _ in 0..HEADS_AT_ONCE.min(unknown.len()) {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Relaxed);
                    let Some(it) = unknown.get(at) else { break };
                    // What cannot be read is told when it is read.
                    let is_one =
                        of(it).head(HEAD + HEADER_BYTES).map_or(true, |it| begins_like_records(&*it));
                    records.lock().unwrap_or_else(PoisonError::into_inner)[at] = is_one;
                }
            });
        }
    });
    let records = records.into_inner().unwrap_or_else(PoisonError::into_inner);
    skipped += records.iter().filter(|it| !**it).count() as u64;
    kept.extend(unknown.into_iter().zip(records).filter_map(|(it, is_one)| is_one.then_some(it)));
    (kept, skipped)
}

fn matcher(pattern: &str) -> Result<GlobMatcher, PathError> {
    let refused = |error: globset::Error| PathError::Pattern {
        pattern: pattern.to_owned(),
        detail: error.kind().to_string(),
    };
    Ok(GlobBuilder::new(pattern).literal_separator(true).build().map_err(refused)?.compile_matcher())
}

#[derive(Default)]
struct Finder {
    files: BTreeSet<PathBuf>,
    /// What was spooled, by its path.
    spooled: BTreeMap<PathBuf, Spooled>,
    /// What lies elsewhere, in the order of paths.
    remotes: BTreeMap<PathBuf, Arc<dyn Remote>>,
    skipped: u64,
    failures: Vec<PathError>,
    notices: Vec<PathNotice>,
}

struct Spooled {
    name: String,
    path: TempPath,
    size: u64,
}

impl Finder {
    fn argument(&mut self, path: &Path, stdin: &mut dyn Read) -> Result<(), PathError> {
        if path == Path::new(STDIN) {
            return self.spool(path, "standard input", stdin);
        }
        if let Some((remotes, address)) = remotes_of(path) {
            return self.remote(remotes, address);
        }
        if is_remote(path) {
            return Err(PathError::NotOpened { address: path.display().to_string() });
        }
        match fs::metadata(path) {
            Ok(found) if found.is_dir() => {
                self.folder(path);
                Ok(())
            }
            Ok(found) if found.is_file() => {
                self.files.insert(path.to_owned());
                Ok(())
            }
            Ok(found) => match special(found.file_type()) {
                // To open it again would be to wait for somebody who writes again.
                Special::Pipe if self.spooled.contains_key(path) => Ok(()),
                Special::Pipe => match File::open(path) {
                    Ok(mut pipe) => self.spool(path, &path.display().to_string(), &mut pipe),
                    Err(source) => Err(PathError::NotFound { path: path.to_owned(), source }),
                },
                Special::Other(what) => Err(PathError::Device { path: path.to_owned(), what }),
            },
            Err(source) => match path.to_str().filter(|text| text.contains(['*', '?', '[', '{'])) {
                Some(pattern) => self.pattern(pattern),
                None => Err(PathError::NotFound { path: path.to_owned(), source }),
            },
        }
    }

    /// Copies what can be read only once, unless that was done.
    fn spool(&mut self, path: &Path, name: &str, source: &mut dyn Read) -> Result<(), PathError> {
        if self.spooled.contains_key(path) {
            return Ok(());
        }
        let copy = |source: &mut dyn Read| {
            let mut file = NamedTempFile::new()?;
            let size = io::copy(source, &mut file)?;
            Ok(Spooled { name: name.to_owned(), path: file.into_temp_path(), size })
        };
        match copy(source) {
            Ok(spooled) => _ = self.spooled.insert(path.to_owned(), spooled),
            Err(source) => return Err(PathError::Spool { name: name.to_owned(), source }),
        }
        Ok(())
    }

    fn folder(&mut self, root: &Path) {
        let (found, skipped) = self.walk(root, root, &|_| true);
        if found == 0 {
            self.notices.push(PathNotice::EmptyFolder { path: root.to_owned(), skipped });
        }
    }

    fn pattern(&mut self, pattern: &str) -> Result<(), PathError> {
        let matcher = matcher(pattern)?;
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
        // Where nothing is there is nothing to walk, and one message is enough.
        let found = if start.exists() { self.walk(start, Path::new(pattern), &fits).0 } else { 0 };
        if found == 0 {
            return Err(PathError::NoMatch { pattern: pattern.to_owned() });
        }
        Ok(())
    }

    /// Adds what lies behind an address: an object, those below it as if it were a folder, or those that a pattern fits.
    fn remote(&mut self, remotes: &dyn Remotes, address: &str) -> Result<(), PathError> {
        let failed = |error| PathError::Remote { address: address.to_owned(), error };
        let mut found = remotes.find(address).map_err(failed)?;
        let mut root = address;
        if let Some(wild) = address.find(['*', '?', '[', '{']).filter(|_| found.is_empty()) {
            let matcher = matcher(address)?;
            root = &address[..address[..wild].rfind('/').map_or(0, |it| it + 1)];
            found = remotes.find(root).map_err(failed)?;
            found.retain(|it| matcher.is_match(it.address()));
            if found.is_empty() {
                return Err(PathError::NoMatch { pattern: address.to_owned() });
            }
        }
        if found.is_empty() {
            return Err(PathError::Nothing { address: address.to_owned() });
        }
        let (kept, skipped) = keep_records(root, Some(address), found, |it| &**it);
        let count = kept.len();
        self.remotes.extend(kept.into_iter().map(|it| (PathBuf::from(it.address()), it)));
        self.skipped += skipped;
        if count == 0 {
            self.notices.push(PathNotice::EmptyFolder { path: PathBuf::from(address), skipped });
        }
        Ok(())
    }

    /// Adds the files under `root` that fit. How many there were, and how many were passed over.
    fn walk(&mut self, root: &Path, argument: &Path, fits: &dyn Fn(&Path) -> bool) -> (u64, u64) {
        let (mut found, mut skipped) = (0, 0);
        let mut specials: Vec<PathBuf> = Vec::new();
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
                    self.failures.push(PathError::Unreadable { path, detail });
                    continue;
                }
            };
            if entry.file_type().is_dir() || !fits(entry.path()) {
                continue;
            }
            if !entry.file_type().is_file() {
                specials.push(entry.into_path());
            } else if is_record_file(entry.path()) {
                let path = entry.path();
                self.files.insert(path.strip_prefix("./").unwrap_or(path).to_owned());
                found += 1;
            } else {
                skipped += 1;
            }
        }
        self.skipped += skipped;
        let count = specials.len() as u64;
        // The order of a walk is that of the file system.
        if let Some(first) = specials.into_iter().min() {
            self.notices.push(PathNotice::Special { path: argument.to_owned(), count, first });
        }
        (found, skipped)
    }

    /// Numbers the files. With several arguments the same file may have been found by different names.
    fn finish(self, several: bool) -> Discovery {
        let mut seen = BTreeSet::new();
        let mut inputs = Vec::with_capacity(self.files.len() + self.spooled.len() + self.remotes.len());
        for Spooled { name, path, size } in self.spooled.into_values() {
            let place = Place::Spooled(Arc::new(path));
            let id = inputs.len() as u32;
            inputs.push(Input { id, size, s3: None, last_ms: None, name, place });
        }
        for path in self.files {
            if several && !seen.insert(fs::canonicalize(&path).unwrap_or_else(|_| path.clone())) {
                continue;
            }
            let (s3, name) = (S3Key::parse(&path), path.display().to_string());
            // A file that has gone since is told when it is read.
            let size = fs::metadata(&path).map_or(0, |found| found.len());
            let id = inputs.len() as u32;
            inputs.push(Input { id, size, s3, last_ms: None, name, place: Place::File(path) });
        }
        for remote in self.remotes.into_values() {
            inputs.push(Input::elsewhere(inputs.len() as u32, remote));
        }
        let Self { skipped, failures, notices, .. } = self;
        Discovery { inputs, skipped, failures, notices }
    }
}

/// What is neither a file nor a folder.
enum Special {
    /// It can be read, once.
    Pipe,
    /// It cannot, or has no end.
    Other(&'static str),
}

#[cfg(unix)]
fn special(kind: FileType) -> Special {
    use std::os::unix::fs::FileTypeExt as _;

    if kind.is_fifo() {
        Special::Pipe
    } else if kind.is_socket() {
        Special::Other("a socket")
    } else {
        Special::Other("a device")
    }
}

#[cfg(not(unix))]
fn special(_: FileType) -> Special {
    Special::Other("a device")
}

/// Whether a file in a folder can hold records.
fn is_record_file(path: &Path) -> bool {
    let name = path.to_string_lossy();
    if is_foreign(&name) {
        return false;
    }
    has_own_ending(path) || looks_like_records(path)
}

fn has_own_ending(path: &Path) -> bool {
    path.extension().is_some_and(|ending| OWN_ENDINGS.iter().any(|own| ending.eq_ignore_ascii_case(own)))
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
    File::open(path).map_or(true, begins_like_records)
}

/// Whether something begins like JSON, or like something that may hold it.
fn begins_like_records(mut file: impl Read) -> bool {
    let mut head = Vec::with_capacity(HEAD);
    if file.by_ref().take(HEAD as u64).read_to_end(&mut head).is_err() {
        return true;
    }
    match sniff(&head) {
        Content::Gzip
        | Content::Zstd
        | Content::Bzip2
        | Content::Xz
        | Content::Zip
        | Content::Tar
        | Content::Utf16 => true,
        Content::Known(other) => other.may_hold_records,
        Content::Text if begins_like_json(&head) => true,
        // A table of records has them in its cells.
        Content::Text => {
            file.take(HEADER_BYTES as u64).read_to_end(&mut head).is_err()
                || Header::of(&head).is_some_and(|it| it.may_hold_records(&head))
        }
        Content::Blank | Content::Binary => false,
    }
}
