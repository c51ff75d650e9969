//! Writing: the folder layout of CloudTrail in S3, or one file with a record a line.

use super::attack::Planted;
use super::background::Background;
use super::clock;
use super::derived::Derived;
use super::plan::Plan;
use super::seed::mix;
use super::template::push_base62;
use super::world::World;
use anyhow::{Context as _, Result};
use fastrand::Rng;
use libdeflater::{CompressionLvl, Compressor};
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Compression level of the files: what AWS's own files compress to, about.
const GZIP_LEVEL: i32 = 6;

/// Everything that decides the bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) seed: u64,
    pub(super) world: &'a World,
    pub(super) plan: &'a Plan,
    pub(super) ordinary: Ordinary<'a>,
    /// Sorted by time.
    pub(super) planted: &'a [Planted],
}

/// Where ordinary records come from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Ordinary<'a> {
    /// The catalogue of calls.
    MadeUp(&'a Background<'a>),
    /// Real records.
    Derived(&'a Derived),
}

/// What was written.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Written {
    pub(super) records: u64,
    pub(super) files: u64,
    /// Size of the records as text.
    pub(super) text_bytes: u64,
    pub(super) disk_bytes: u64,
}

impl Written {
    fn add(&mut self, other: Self) {
        self.records += other.records;
        self.files += other.files;
        self.text_bytes += other.text_bytes;
        self.disk_bytes += other.disk_bytes;
    }
}

impl Source<'_> {
    /// Appends all records of a stream in a slot, each followed by `separator`, and says how many there are.
    ///
    /// A slot has a random source of its own: it does not matter which thread makes it, or in which order.
    fn push_slot(&self, stream: usize, slot: usize, separator: char, out: &mut String) -> u64 {
        let (account, region) = self.plan.place(stream);
        let (account, region) = (&self.world.accounts[account], self.world.regions[region]);
        let start = self.plan.slot_start(slot);
        let last = start + self.plan.slot_seconds - 1;
        let mut rng = Rng::with_seed(mix(mix(self.seed, 10 + stream as u64), slot as u64));
        let from = self.planted.partition_point(|it| it.seconds < start);
        let to = self.planted.partition_point(|it| it.seconds <= last);
        let mut planted = self.planted[from..to].iter().filter(|it| it.stream == stream).peekable();

        let wanted = self.plan.count(stream, slot);
        let mut made = 0;
        let mut records = 0;
        while made < wanted {
            // In time order, with the random jumps growing to fill the slot on average.
            let seconds = start + ((made as i64 * self.plan.slot_seconds) / wanted as i64) + rng.i64(0..60);
            let seconds = seconds.min(last);
            while let Some(attack) = planted.next_if(|it| it.seconds <= seconds) {
                out.push_str(&attack.text);
                out.push(separator);
                records += 1;
            }
            let background = match self.ordinary {
                Ordinary::MadeUp(background) => background,
                Ordinary::Derived(derived) => {
                    derived.push(account, region, seconds, &mut rng, out);
                    out.push(separator);
                    made += 1;
                    continue;
                }
            };
            let burst = background.burst(account, region, seconds, &mut rng);
            for _ in 0..burst.length.min((wanted - made) as usize) {
                background.push(&burst, last, &mut rng, out);
                out.push(separator);
                made += 1;
            }
        }
        for attack in planted {
            out.push_str(&attack.text);
            out.push(separator);
            records += 1;
        }
        records + made
    }

    /// Writes `AWSLogs/<account>/CloudTrail/<region>/<year>/<month>/<day>/….json.gz` below `folder`, on several
    /// threads.
    pub(super) fn write_s3(&self, folder: &Path, threads: usize) -> Result<Written> {
        let next = AtomicUsize::new(0);
        let total = Mutex::new(Ok(Written::default()));
        std::thread::scope(|scope| {
            for _ in 0..threads.max(1) {
                scope.spawn(|| {
                    let result = self.write_slots(folder, &next);
                    let mut total = total.lock().expect("no thread panics while it holds the sum");
                    match (&mut *total, result) {
                        (Ok(sum), Ok(part)) => sum.add(part),
                        (Ok(_), Err(error)) => *total = Err(error),
                        (Err(_), _) => {}
                    }
                });
            }
        });
        total.into_inner().expect("no thread panics while it holds the sum")
    }

    fn write_slots(&self, folder: &Path, next: &AtomicUsize) -> Result<Written> {
        let level = CompressionLvl::new(GZIP_LEVEL).expect("the level is one that gzip has");
        let mut compressor = Compressor::new(level);
        let mut written = Written::default();
        let (mut text, mut packed) = (String::new(), Vec::new());
        loop {
            let slot = next.fetch_add(1, Ordering::Relaxed);
            if slot >= self.plan.slots {
                return Ok(written);
            }
            for stream in 0..self.plan.streams() {
                text.clear();
                text.push_str(r#"{"Records":["#);
                let records = self.push_slot(stream, slot, ',', &mut text);
                if records == 0 {
                    continue;
                }
                text.pop();
                text.push_str("]}");
                packed.resize(compressor.gzip_compress_bound(text.len()), 0);
                let size = compressor
                    .gzip_compress(text.as_bytes(), &mut packed)
                    .context("cannot compress a log file")?;
                let path = folder.join(self.file_name(stream, slot));
                let parent = path.parent().expect("a log file lies in the folder of its day");
                std::fs::create_dir_all(parent)
                    .with_context(|| format!("cannot make {}", parent.display()))?;
                std::fs::write(&path, &packed[..size])
                    .with_context(|| format!("cannot write {}", path.display()))?;
                written.add(Written {
                    records,
                    files: 1,
                    text_bytes: text.len() as u64,
                    disk_bytes: size as u64,
                });
            }
        }
    }

    fn file_name(&self, stream: usize, slot: usize) -> String {
        let (account, region) = self.plan.place(stream);
        let (account, region) = (&self.world.accounts[account].id, self.world.regions[region]);
        let start = self.plan.slot_start(slot);
        let day = clock::day_folders(start);
        let time = clock::file_time(start + self.plan.slot_seconds);
        let mut random = String::new();
        let noise = mix(mix(self.seed, 20 + stream as u64), slot as u64);
        push_base62(&mut random, noise, 8);
        push_base62(&mut random, mix(noise, 1), 8);
        format!(
            "AWSLogs/{account}/CloudTrail/{region}/{day}/{account}_CloudTrail_{region}_{time}_{random}.json.gz"
        )
    }

    /// Writes all records into one file, slot after slot.
    pub(super) fn write_ndjson(&self, path: &Path) -> Result<Written> {
        let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
        let mut file = BufWriter::new(file);
        let mut written = Written { files: 1, ..Written::default() };
        let mut text = String::new();
        for slot in 0..self.plan.slots {
            for stream in 0..self.plan.streams() {
                text.clear();
                written.records += self.push_slot(stream, slot, '\n', &mut text);
                written.text_bytes += text.len() as u64;
                file.write_all(text.as_bytes())
                    .with_context(|| format!("cannot write {}", path.display()))?;
            }
        }
        file.flush().with_context(|| format!("cannot write {}", path.display()))?;
        written.disk_bytes = written.text_bytes;
        Ok(written)
    }
}
