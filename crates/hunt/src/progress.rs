//! How far a run is, for whoever draws it.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed};

/// What a run is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Finding the files.
    Discovering,
    /// Reading and matching.
    Scanning,
    /// Executing the rules over what matched.
    Executing,
    /// Reading again the records of what alerted.
    Building,
}

/// Counters that a run increases and a progress bar reads, from different threads.
#[derive(Debug, Default)]
pub struct Progress {
    stage: AtomicU8,
    total_bytes: AtomicU64,
    read_bytes: AtomicU64,
    records: AtomicU64,
    files: AtomicU64,
    total_files: AtomicU64,
}

impl Progress {
    /// What is going on.
    pub fn stage(&self) -> Stage {
        match self.stage.load(Relaxed) {
            0 => Stage::Discovering,
            1 => Stage::Scanning,
            2 => Stage::Executing,
            _ => Stage::Building,
        }
    }

    /// Bytes of the files that this stage reads.
    pub fn total_bytes(&self) -> u64 {
        self.total_bytes.load(Relaxed)
    }

    /// Bytes of them that it has read.
    pub fn read_bytes(&self) -> u64 {
        self.read_bytes.load(Relaxed)
    }

    /// Records so far.
    pub fn records(&self) -> u64 {
        self.records.load(Relaxed)
    }

    /// Files that this stage is done with, and how many there are.
    pub fn files(&self) -> (u64, u64) {
        (self.files.load(Relaxed), self.total_files.load(Relaxed))
    }

    /// Goes on to another stage.
    pub fn enter(&self, stage: Stage) {
        self.stage.store(stage as u8, Relaxed);
    }

    /// Begins a stage that reads files.
    pub fn expect(&self, files: u64, bytes: u64) {
        self.files.store(0, Relaxed);
        self.read_bytes.store(0, Relaxed);
        self.total_files.store(files, Relaxed);
        self.total_bytes.store(bytes, Relaxed);
    }

    /// So many bytes of the files were read.
    pub fn add_bytes(&self, bytes: u64) {
        self.read_bytes.fetch_add(bytes, Relaxed);
    }

    /// So many records were.
    pub fn add_records(&self, records: u64) {
        self.records.fetch_add(records, Relaxed);
    }

    /// Another file is done with.
    pub fn add_file(&self) {
        self.files.fetch_add(1, Relaxed);
    }
}
