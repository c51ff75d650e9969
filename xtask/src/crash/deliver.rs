//! Who delivers, and who works on alerts: each goes on as if the server did not die.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use fastrand::Rng;
use libdeflater::{CompressionLvl, Compressor};
use serde_json::{Value, json};
use xxhash_rust::xxh3::xxh3_128;

use super::records::Pool;
use crate::serving::{Broken, ask};

/// Records of one delivery.
const BATCH: std::ops::Range<usize> = 1..60;
/// Milliseconds between two deliveries of one client.
const PAUSE: std::ops::Range<u64> = 0..120;
/// Milliseconds between two files.
const FILE_PAUSE: std::ops::Range<u64> = 200..900;
/// Milliseconds between two things that somebody does with alerts.
const WORK_PAUSE: std::ops::Range<u64> = 50..400;
/// How long a client waits before it asks again.
const AGAIN: Duration = Duration::from_millis(40);
/// Of so many deliveries one is broken off in its middle by the client, and one is not waited for.
const RUDE_ONE_IN: u32 = 25;

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    /// Everybody delivers.
    On,
    /// Nobody begins anything: what is under way is sent until it is answered.
    Last,
    /// It is over.
    Over,
}

/// What everybody knows.
struct State {
    phase: Phase,
    /// The address of the server and the key, unless it is away.
    server: Option<(String, String)>,
}

/// All that is delivered.
pub(super) struct Load {
    pool: Pool,
    state: Mutex<State>,
    changed: Condvar,
    /// The records that were delivered, by id: the hash of the text.
    sent: Mutex<BTreeMap<String, u128>>,
    /// Their texts, in the order in which they were made.
    texts: Mutex<Vec<u8>>,
    /// Notes on alerts: whether they were acknowledged.
    notes: Mutex<Vec<(String, String, bool)>>,
    /// Deliveries that are not acknowledged yet.
    outstanding: AtomicU64,
    acknowledged: AtomicU64,
    broken: AtomicU64,
    busy: AtomicU64,
    files: AtomicU64,
    pub(super) stillborn: AtomicU64,
    wrong: Mutex<Vec<String>>,
}

/// A folder that is watched, and one beside it: a file is moved there when it is whole.
pub(super) struct Folder {
    watched: PathBuf,
    moving: PathBuf,
}

impl Folder {
    pub(super) fn new(watched: &Path, moving: &Path) -> Self {
        Self { watched: watched.to_owned(), moving: moving.to_owned() }
    }
}

fn locked<T>(it: &Mutex<T>) -> MutexGuard<'_, T> {
    it.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Load {
    pub(super) fn new(pool: Pool) -> Self {
        Self {
            pool,
            state: Mutex::new(State { phase: Phase::On, server: None }),
            changed: Condvar::new(),
            sent: Mutex::default(),
            texts: Mutex::default(),
            notes: Mutex::default(),
            outstanding: AtomicU64::new(0),
            acknowledged: AtomicU64::new(0),
            broken: AtomicU64::new(0),
            busy: AtomicU64::new(0),
            files: AtomicU64::new(0),
            stillborn: AtomicU64::new(0),
            wrong: Mutex::default(),
        }
    }

    /// The server answers there.
    pub(super) fn is_there(&self, address: &str, key: &str) {
        locked(&self.state).server = Some((address.to_owned(), key.to_owned()));
        self.changed.notify_all();
    }

    /// It is about to die.
    pub(super) fn is_away(&self) {
        locked(&self.state).server = None;
    }

    fn turn(&self, phase: Phase) {
        let mut state = locked(&self.state);
        state.phase = state.phase.max(phase);
        drop(state);
        self.changed.notify_all();
    }

    /// Nothing new is begun.
    pub(super) fn finish(&self) {
        self.turn(Phase::Last);
    }

    /// Everybody goes home.
    pub(super) fn end(&self) {
        self.turn(Phase::Over);
    }

    /// Whether every delivery over HTTP was acknowledged.
    pub(super) fn is_acknowledged(&self) -> bool {
        self.outstanding.load(Relaxed) == 0
    }

    /// Waits until another delivery is acknowledged, but no longer than that.
    pub(super) fn is_getting_on(&self, time: Duration) {
        let (until, before) = (Instant::now() + time, self.acknowledged.load(Relaxed));
        while self.acknowledged.load(Relaxed) == before && Instant::now() < until {
            std::thread::sleep(AGAIN);
        }
    }

    /// What should not have been answered.
    pub(super) fn wrong(&self) -> Vec<String> {
        locked(&self.wrong).clone()
    }

    /// The records that were delivered: their ids, with the hashes of their texts.
    pub(super) fn sent(&self) -> BTreeMap<String, u128> {
        locked(&self.sent).clone()
    }

    /// Their texts.
    pub(super) fn texts(&self) -> Vec<u8> {
        locked(&self.texts).clone()
    }

    /// The notes: of which alert, their texts, and whether they were acknowledged.
    pub(super) fn notes(&self) -> Vec<(String, String, bool)> {
        locked(&self.notes).clone()
    }

    pub(super) fn told(&self) -> String {
        format!(
            "{} deliveries acknowledged, {} attempts without an answer, {} told to come again, {} files, {} notes, \
             {} starts not lived to see",
            self.acknowledged.load(Relaxed),
            self.broken.load(Relaxed),
            self.busy.load(Relaxed),
            self.files.load(Relaxed),
            locked(&self.notes).len(),
            self.stillborn.load(Relaxed)
        )
    }

    /// Where the server is, once it is there. Nothing once it is over, or, for whoever would begin something, once nothing is
    /// begun any more.
    fn server(&self, begins: bool) -> Option<(String, String)> {
        let last = if begins { Phase::Last } else { Phase::Over };
        let wait = self.changed.wait_while(locked(&self.state), |it| it.phase < last && it.server.is_none());
        let state = wait.unwrap_or_else(PoisonError::into_inner);
        if state.phase >= last { None } else { state.server.clone() }
    }

    /// Records that were never delivered before, as NDJSON.
    fn draw(&self, name: &str, number: u64, rng: &mut Rng) -> Vec<u8> {
        let mut text = Vec::new();
        for at in 0..rng.usize(BATCH) {
            let id = format!("{name}-{number:06}-{at:02}");
            let record = self.pool.draw(&id, rng);
            locked(&self.sent).insert(id, xxh3_128(record.as_bytes()));
            text.extend_from_slice(record.as_bytes());
            text.push(b'\n');
        }
        locked(&self.texts).extend_from_slice(&text);
        text
    }

    /// A client: delivers, and delivers again whatever was not answered.
    pub(super) fn post(&self, client: u8, mut rng: Rng) {
        let mut number = 0;
        while self.server(true).is_some() {
            self.outstanding.fetch_add(1, Relaxed);
            let text = self.draw(&format!("client-{client}"), number, &mut rng);
            number += 1;
            let body = if rng.bool() { text } else { gzip(&text) };
            if !self.deliver(&body, &mut rng) {
                return;
            }
            self.outstanding.fetch_sub(1, Relaxed);
            std::thread::sleep(Duration::from_millis(rng.u64(PAUSE)));
        }
    }

    /// Delivers until that is acknowledged; says whether it was.
    fn deliver(&self, body: &[u8], rng: &mut Rng) -> bool {
        while let Some((address, key)) = self.server(false) {
            if rng.u32(0..RUDE_ONE_IN) == 0 {
                rude(&address, &key, body, rng);
                self.broken.fetch_add(1, Relaxed);
            }
            match ask(&address, &key, ("POST", "/api/v1/events"), "", body) {
                Ok(answer) if answer.status == 200 => {
                    self.acknowledged.fetch_add(1, Relaxed);
                    return true;
                }
                Ok(answer) if answer.status == 429 || answer.status == 503 => {
                    self.busy.fetch_add(1, Relaxed);
                }
                Ok(answer) => {
                    let what = format!("a delivery was answered with {}: {}", answer.status, answer.body);
                    locked(&self.wrong).push(what);
                }
                Err(Broken) => _ = self.broken.fetch_add(1, Relaxed),
            }
            std::thread::sleep(AGAIN);
        }
        false
    }

    /// Puts files into the folder that is watched.
    pub(super) fn fill(&self, folder: &Folder, mut rng: Rng) {
        if let Err(error) = fs::create_dir_all(&folder.moving) {
            locked(&self.wrong).push(format!("{}: {error}", folder.moving.display()));
            return;
        }
        let mut number = 0;
        // Whoever writes files goes on for a while when the server is away, and not for as long as it takes to come back.
        while locked(&self.state).phase == Phase::On && (rng.bool() || self.server(true).is_some()) {
            let text = self.draw("file", number, &mut rng);
            let name = format!("{number:06}.json.gz");
            number += 1;
            let records: Vec<Value> = text
                .split(|&it| it == b'\n')
                .filter(|it| !it.is_empty())
                .filter_map(|it| serde_json::from_slice(it).ok())
                .collect();
            // Of a file of CloudTrail the record is the same text, since it is written the same way.
            let bytes = gzip(json!({"Records": records}).to_string().as_bytes());
            let (from, to) = (folder.moving.join(&name), folder.watched.join(&name));
            if let Err(error) = fs::write(&from, bytes).and_then(|()| fs::rename(&from, &to)) {
                locked(&self.wrong).push(format!("{}: {error}", to.display()));
            }
            self.files.fetch_add(1, Relaxed);
            std::thread::sleep(Duration::from_millis(rng.u64(FILE_PAUSE)));
        }
    }

    /// Somebody notes things on alerts.
    pub(super) fn work(&self, mut rng: Rng) {
        let mut number = 0;
        while let Some((address, key)) = self.server(true) {
            std::thread::sleep(Duration::from_millis(rng.u64(WORK_PAUSE)));
            let since = jiff::Timestamp::now() - jiff::SignedDuration::from_secs(300);
            let path = format!("/api/v1/alerts?size=50&since={since}");
            let Ok(found) = ask(&address, &key, ("GET", &path), "", b"") else { continue };
            let found = found.json();
            let ids: Vec<&str> = found["alerts"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|it| it["kibana.alert.uuid"].as_str())
                .collect();
            if ids.is_empty() {
                continue;
            }
            let id = ids[rng.usize(..ids.len())];
            let note = format!("note {number}");
            number += 1;
            let path = format!("/api/v1/alerts/{id}");
            let body = json!({"note": note}).to_string();
            let is_done = match ask(&address, &key, ("PATCH", &path), "", body.as_bytes()) {
                Ok(answer) if answer.status == 200 => true,
                Ok(answer) if answer.status == 503 => continue,
                Ok(answer) => {
                    let what = format!("a note was answered with {}: {}", answer.status, answer.body);
                    locked(&self.wrong).push(what);
                    continue;
                }
                Err(Broken) => false,
            };
            locked(&self.notes).push((id.to_owned(), note, is_done));
        }
    }
}

/// A delivery whose client goes away: before all of it was sent, or before the answer.
fn rude(address: &str, key: &str, body: &[u8], rng: &mut Rng) {
    let sent = if rng.bool() { body.len() } else { rng.usize(..body.len().max(1)) };
    if let Ok(mut stream) = TcpStream::connect(address) {
        let head = format!(
            "POST /api/v1/events HTTP/1.1\r\nhost: x\r\nauthorization: ApiKey {key}\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        // Whether anything of it arrives is what this is about.
        let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body[..sent]));
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut compressor = Compressor::new(CompressionLvl::fastest());
    let mut packed = vec![0; compressor.gzip_compress_bound(bytes.len())];
    let size = compressor.gzip_compress(bytes, &mut packed).unwrap_or_default();
    packed.truncate(size);
    packed
}
