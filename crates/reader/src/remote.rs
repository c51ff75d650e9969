//! Files that have no place in the file system: objects of buckets.

use std::any::Any;
use std::fmt;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::Input;

/// Finds files elsewhere.
pub trait Remotes: Send + Sync {
    /// Whether this is an address of something elsewhere, and no path.
    fn has(&self, address: &str) -> bool;

    /// The file of this address, if there is one, and those below it.
    fn find(&self, address: &str) -> Result<Vec<Arc<dyn Remote>>, RemoteError>;
}

/// A file elsewhere.
pub trait Remote: fmt::Debug + Send + Sync + UnwindSafe + RefUnwindSafe {
    /// Where it is.
    fn address(&self) -> &str;

    /// Its size in bytes.
    fn size(&self) -> u64;

    /// When it was last changed.
    fn modified_ms(&self) -> i64;

    /// Its first bytes: so many, or all.
    fn head(&self, bytes: usize) -> Result<Vec<u8>, RemoteError>;

    /// All of it, from its beginning.
    fn open(&self) -> Result<RemoteBody, RemoteError>;

    /// Begins to fetch it, since it is opened soon.
    fn ahead(&self) -> Begun;
}

/// What a file elsewhere holds.
pub enum RemoteBody {
    /// All of it, or as much of it as there was to be had, and why it is not more.
    Whole(Vec<u8>, Option<RemoteError>),
    /// It comes as it is read.
    Stream(Box<dyn Read + Send>),
}

/// What became of the wish that a file be fetched.
pub enum Begun {
    /// It is fetched when it is opened.
    Nothing,
    /// There is no room for it now.
    NoRoom,
    /// It is being fetched. What there is of it is given up when this is dropped.
    Held(Box<dyn Any + Send>),
}

/// Why a file elsewhere cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct RemoteError {
    /// A stable code.
    pub code: &'static str,
    /// What is wrong.
    pub detail: String,
    /// What the user can do about it.
    pub advice: &'static str,
}

/// Which addresses can be opened is a matter of the program, like which files: so it is said once.
static REMOTES: OnceLock<Box<dyn Remotes>> = OnceLock::new();

/// From now on what is elsewhere is found by these. Only the first call counts.
pub fn open_remotes_with(remotes: Box<dyn Remotes>) {
    let _ = REMOTES.set(remotes);
}

/// Who finds what has this address, if it is one.
pub(crate) fn remotes_of(path: &Path) -> Option<(&'static dyn Remotes, &str)> {
    let (remotes, address) = (REMOTES.get()?, path.to_str()?);
    remotes.has(address).then_some((&**remotes, address))
}

/// Whether a path is the address of something elsewhere, which this program may be able to open or not.
pub fn is_remote(path: &Path) -> bool {
    path.to_str().is_some_and(|it| it.starts_with("s3://"))
}

/// A body that was fetched, and then fails if it is not all of it.
pub(crate) struct Fetched {
    bytes: Cursor<Vec<u8>>,
    failure: Option<RemoteError>,
}

impl Fetched {
    pub(crate) fn new(bytes: Vec<u8>, failure: Option<RemoteError>) -> Self {
        Self { bytes: Cursor::new(bytes), failure }
    }
}

impl Read for Fetched {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let read = self.bytes.read(buf)?;
        // Again and again: who reads on must not take it for the end.
        match self.failure.as_ref().filter(|_| read == 0 && !buf.is_empty()) {
            Some(failure) => Err(io::Error::other(failure.clone())),
            None => Ok(read),
        }
    }
}

impl Seek for Fetched {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.bytes.seek(to)
    }
}

/// So many inputs are looked at ahead of the one that is read.
const AHEAD_MAX: usize = 256;

/// Has inputs fetched ahead of whoever reads them in order, as far as there is room. Costs nothing where all are files.
pub struct Ahead<'a> {
    inputs: Vec<Option<&'a dyn Remote>>,
    state: Mutex<AheadState>,
}

#[derive(Default)]
struct AheadState {
    /// The first that was not asked for.
    next: usize,
    /// Those that were, and are not read yet.
    held: Vec<(usize, Box<dyn Any + Send>)>,
}

impl<'a> Ahead<'a> {
    /// Of inputs in the order in which they are begun.
    pub fn new(inputs: impl Iterator<Item = &'a Input>) -> Self {
        let mut inputs: Vec<_> = inputs.map(Input::remote).collect();
        if inputs.iter().all(Option::is_none) {
            inputs = Vec::new();
        }
        Self { inputs, state: Mutex::default() }
    }

    /// One is being read from now on, by its place.
    pub fn begins(&self, at: usize) {
        if self.inputs.is_empty() {
            return;
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.next = state.next.max(at + 1);
        while state.next <= at + AHEAD_MAX
            && let Some(next) = self.inputs.get(state.next)
        {
            match next.map_or(Begun::Nothing, Remote::ahead) {
                Begun::NoRoom => break,
                Begun::Nothing => {}
                Begun::Held(it) => {
                    let place = state.next;
                    state.held.push((place, it));
                }
            }
            state.next += 1;
        }
    }

    /// One was read.
    pub fn ends(&self, at: usize) {
        if self.inputs.is_empty() {
            return;
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.held.retain(|it| it.0 != at);
    }
}
