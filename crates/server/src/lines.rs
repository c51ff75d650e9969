//! Sources that give lines without an end, a record each: the standard input, and a Unix socket.
//!
//! One thread reads, and takes no more than [`HELD_CHUNKS`] chunks ahead; another has what was read stored. While nothing can be
//! stored nothing is read, so that whoever writes waits. Nothing is acknowledged: what was read and is not stored yet is lost
//! if the process is killed, and is stored if it is told to stop.

use std::io::{self, ErrorKind, Read};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use reader::Input;
use serde_json::Value;

use crate::intake::{Full, Intake, Offer};
use crate::log::{Clock, Log};
use crate::source::Source;
use crate::stop::Stop;

/// Bytes that are read at once.
const CHUNK_BYTES: usize = 64 << 10;
/// Chunks that are read ahead of what is stored.
const HELD_CHUNKS: usize = 64;
/// Bytes that are stored as one delivery, about.
const DELIVERY_BYTES: usize = 4 << 20;
/// How long what came is kept for more to come with it.
const LINGER: Duration = Duration::from_millis(50);
/// How often it is looked whether it is time to stop.
const GLANCE: Duration = Duration::from_millis(100);
/// How long to wait when there is no room, or nothing can be stored.
const PAUSE: Duration = Duration::from_millis(250);
/// The longest line that is waited for: what is longer is no record, and goes on in pieces.
const LINE_BYTES_MAX: usize = 32 << 20;

/// What has lines stored.
#[derive(Clone)]
pub(crate) struct Lines {
    pub(crate) source: Arc<Source>,
    pub(crate) intake: Arc<Intake>,
    pub(crate) stop: Stop,
    pub(crate) clock: Clock,
    pub(crate) log: Log,
}

/// How reading ended.
#[derive(Debug)]
pub(crate) enum End {
    /// There is no more.
    Over,
    /// It cannot be read.
    Failed(io::Error),
    /// It is time to stop.
    Stopped,
}

impl Lines {
    /// Takes all of a stream, and says how that ended. What came is stored then.
    ///
    /// `stream` is read on a thread of its own, which is left behind if it is time to stop and nothing comes any more.
    pub(crate) fn take(&self, name: &str, stream: impl Read + Send + 'static) -> End {
        let (chunks, come) = sync_channel(HELD_CHUNKS);
        let end = Arc::new(Mutex::new(End::Stopped));
        let (its_end, stop) = (Arc::clone(&end), self.stop.clone());
        std::thread::spawn(move || {
            let ended = pump(stream, &chunks, &stop);
            *its_end.lock().unwrap_or_else(PoisonError::into_inner) = ended;
            // Now that it is known how it ended, that it did.
            drop(chunks);
        });
        self.store_all(name, &come);
        let mut end = end.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *end, End::Stopped)
    }

    /// Takes the standard input, or what stands for it, to its end.
    pub(crate) fn take_stdin(&self, stream: impl Read + Send + 'static) -> bool {
        let source = || [("source", Value::from(self.source.name()))];
        match self.take("standard input", stream) {
            End::Over => {
                self.log.info(
                    "SRV031",
                    "the standard input has ended, and all that came of it is stored",
                    &source(),
                );
                self.source.ended();
                true
            }
            End::Failed(error) => {
                let message = format!("the standard input cannot be read any more: {error}");
                self.log.error("SRV035", &message, &source());
                self.source.failed((self.clock)(), &message);
                self.source.ended();
                true
            }
            End::Stopped => false,
        }
    }

    /// Has chunks stored as they come, cut behind lines, until there are no more.
    fn store_all(&self, name: &str, come: &Receiver<Vec<u8>>) {
        let mut held: Vec<u8> = Vec::new();
        // So much of it was looked through for the end of a line.
        let mut whole = 0;
        let mut since = Instant::now();
        loop {
            let is_over = match come.recv_timeout(if whole > 0 { LINGER } else { GLANCE }) {
                Ok(chunk) => {
                    if whole == 0 {
                        since = Instant::now();
                    }
                    let before = held.len();
                    held.extend_from_slice(&chunk);
                    if let Some(at) = held[before..].iter().rposition(|it| *it == b'\n') {
                        whole = before + at + 1;
                    } else if held.len() - whole > LINE_BYTES_MAX {
                        whole = held.len();
                    }
                    false
                }
                // Who reads sees it as well, unless nothing comes to be read: then nothing is lost.
                Err(RecvTimeoutError::Timeout) if self.stop.is_set() => true,
                Err(RecvTimeoutError::Timeout) => {
                    since = since.checked_sub(LINGER).unwrap_or(since);
                    false
                }
                Err(RecvTimeoutError::Disconnected) => true,
            };
            if is_over {
                // The last line may have no end.
                whole = held.len();
            }
            let is_due = is_over || whole >= DELIVERY_BYTES || since.elapsed() >= LINGER;
            if whole > 0 && is_due {
                let later = held.split_off(whole);
                let lines = std::mem::replace(&mut held, later);
                whole = 0;
                self.store(name, lines);
            }
            if is_over {
                return;
            }
        }
    }

    /// Has lines stored, however long that takes. At the end it is tried once more, and said if that is in vain.
    fn store(&self, name: &str, lines: Vec<u8>) {
        if lines.iter().all(u8::is_ascii_whitespace) {
            return;
        }
        let lines = Arc::new(lines);
        let mut last_try = false;
        loop {
            let input = Input::memory(0, name, Arc::clone(&lines));
            let why = match self.intake.offer(Offer::new(&self.source, input)) {
                Ok(later) => match later.blocking_recv() {
                    // What could not be read is kept as a dead letter.
                    Ok(Ok(_)) => return,
                    Ok(Err(error)) => format!("{} {}", error.code, error.detail),
                    Err(_) => "the server is stopping".to_owned(),
                },
                Err(Full) => "what waits to be stored leaves no room (`queue_max`)".to_owned(),
            };
            if last_try {
                let message = format!("{} bytes that were read are lost: {why}", lines.len());
                self.log.error("SRV032", &message, &[("source", Value::from(self.source.name()))]);
                self.source.failed((self.clock)(), &message);
                return;
            }
            self.stop.wait(PAUSE);
            last_try = self.stop.is_set();
        }
    }
}

/// Reads a stream to its end, and hands on what it gives.
fn pump(mut stream: impl Read, chunks: &SyncSender<Vec<u8>>, stop: &Stop) -> End {
    loop {
        if stop.is_set() {
            return End::Stopped;
        }
        let mut chunk = vec![0; CHUNK_BYTES];
        match stream.read(&mut chunk) {
            Ok(0) => return End::Over,
            Ok(read) => {
                chunk.truncate(read);
                // Waits until there is room.
                if chunks.send(chunk).is_err() {
                    return End::Stopped;
                }
            }
            // A socket that is silent: time to look whether it is time to stop.
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::Interrupted | ErrorKind::WouldBlock | ErrorKind::TimedOut
                ) => {}
            Err(error) => return End::Failed(error),
        }
    }
}
