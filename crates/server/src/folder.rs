//! A folder that is watched: looked through again and again, because no notice of the operating system reaches as far as
//! a share or a synchronised bucket does.
//!
//! A file is read once it was left alone for a while, and again when its size or time of change is another: what of it is
//! stored already is not stored twice. Which files were taken in, the store says, so that a restart goes on where it ended.

use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use ecs::Millis;
use reader::{Discovery, Input};
use serde_json::Value;
use store::Store;

use crate::intake::{Full, Intake, Offer};
use crate::log::{Clock, Log};
use crate::source::Source;
use crate::stop::Stop;

/// Bytes of files that are offered at a time.
const OFFERED_BYTES: u64 = 64 << 20;
/// Files that are offered at a time.
const OFFERED_FILES: usize = 256;
/// How long to wait when there is no room, or nothing can be stored.
const PAUSE: Duration = Duration::from_millis(250);

/// What a file is like: when that is another, so is the file.
type State = (u64, Millis);

/// Watches a folder.
pub(crate) struct Watcher {
    pub(crate) source: Arc<Source>,
    pub(crate) path: PathBuf,
    pub(crate) interval: Duration,
    pub(crate) settle_ms: Millis,
    /// The data directory.
    pub(crate) data: PathBuf,
    pub(crate) intake: Arc<Intake>,
    pub(crate) stop: Stop,
    pub(crate) clock: Clock,
    pub(crate) log: Log,
}

impl Watcher {
    /// Watches until it is to stop.
    pub(crate) fn run(&self) {
        let mut done: HashMap<PathBuf, State> = HashMap::new();
        let mut before: HashMap<PathBuf, State> = HashMap::new();
        let mut told = None;
        while !self.stop.is_set() {
            match self.look(&mut done, &mut before) {
                Ok(()) => told = None,
                Err(error) => {
                    self.source.failed((self.clock)(), &error.1);
                    // Once is enough.
                    if told.as_ref() != Some(&error) {
                        self.log.error(error.0, &error.1, &[("source", Value::from(self.source.name()))]);
                    }
                    told = Some(error);
                }
            }
            self.stop.wait(self.interval);
        }
    }

    /// Looks once, and takes what is new.
    fn look(
        &self,
        done: &mut HashMap<PathBuf, State>,
        before: &mut HashMap<PathBuf, State>,
    ) -> Result<(), (&'static str, String)> {
        let found = Discovery::find(std::slice::from_ref(&self.path), &mut std::io::empty());
        let found = found.map_err(|all| {
            all.into_iter()
                .next()
                .map_or(("SRV030", "nothing can be found".to_owned()), |it| (it.code(), it.to_string()))
        })?;
        let now = (self.clock)();
        let mut states: HashMap<PathBuf, State> = HashMap::new();
        let mut due: Vec<(Input, State)> = Vec::new();
        for input in found.inputs {
            let Some(state) = state(input.path()) else { continue };
            states.insert(input.path().to_owned(), state);
            if done.get(input.path()) == Some(&state) {
                continue;
            }
            // Who has no clock of their own, or one that is wrong, is known by being the same as before.
            let is_left_alone = state.1.saturating_add(self.settle_ms) <= now
                || self.settle_ms == 0
                || before.get(input.path()) == Some(&state);
            if is_left_alone {
                due.push((input, state));
            }
        }
        done.retain(|path, _| states.contains_key(path));
        *before = states;
        if !due.is_empty() {
            let store = Store::open(&self.data).map_err(|it| (it.code(), it.to_string()))?;
            let mut left = VecDeque::new();
            for (input, state) in due {
                if store.has_taken(&input).map_err(|it| (it.code(), it.to_string()))? {
                    done.insert(input.path().to_owned(), state);
                } else {
                    left.push_back((input, state));
                }
            }
            self.take(left, done);
        }
        match found.failures.into_iter().next() {
            Some(it) => Err((it.code(), it.to_string())),
            None => Ok(()),
        }
    }

    /// Offers files, some at a time, and waits until they are stored.
    fn take(&self, mut left: VecDeque<(Input, State)>, done: &mut HashMap<PathBuf, State>) {
        self.source.waits(left.len() as u64);
        while !left.is_empty() && !self.stop.is_set() {
            let mut offered = Vec::new();
            let mut bytes = 0;
            while offered.len() < OFFERED_FILES
                && let Some((input, state)) = left.pop_front()
            {
                let is_much = !offered.is_empty() && bytes + input.size > OFFERED_BYTES;
                let offer = || Offer::new(&self.source, input.clone());
                let answer = if is_much { Err(Full) } else { self.intake.offer(offer()) };
                let Ok(answer) = answer else {
                    left.push_front((input, state));
                    break;
                };
                bytes += input.size;
                offered.push((answer, input, state));
            }
            let mut is_stuck = offered.is_empty();
            for (answer, input, state) in offered {
                if let Ok(Ok(_)) = answer.blocking_recv() {
                    // What of it could not be read cannot be read again, as long as it is the same.
                    done.insert(input.path().to_owned(), state);
                } else {
                    left.push_back((input, state));
                    is_stuck = true;
                }
            }
            self.source.waits(left.len() as u64);
            if is_stuck {
                self.stop.wait(PAUSE);
            }
        }
    }
}

fn state(path: &Path) -> Option<State> {
    let metadata = std::fs::metadata(path).ok()?;
    let modified = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some((metadata.len(), modified.as_millis() as Millis))
}
