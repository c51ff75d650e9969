//! Records that are delivered: made by the generator, as if they happened now.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use fastrand::Rng;
use jiff::Timestamp;
use serde_json::{Map, Value};

/// How many there are to draw from.
const RECORDS: u32 = 6_000;
/// Of a million such as rules watch: many, so that there is something to alert on.
const SENSITIVE: u32 = 60_000;

/// Records to draw from.
pub(super) struct Pool(Vec<Map<String, Value>>);

impl Pool {
    /// Has them made.
    pub(super) fn generate(folder: &Path, seed: u64) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["generate", "--format", "ndjson", "--attack", "all", "--accounts", "2"]);
        command.arg("--records").arg(RECORDS.to_string()).arg("--sensitive").arg(SENSITIVE.to_string());
        command.arg("--seed").arg(seed.to_string()).arg("--out").arg(folder).stdout(Stdio::null());
        ensure!(command.status()?.success(), "the generator failed");
        let text = fs::read_to_string(folder.join("records.ndjson"))?;
        let records: Result<Vec<_>, _> = text.lines().map(serde_json::from_str).collect();
        let records = records.context("the generator writes a record a line")?;
        ensure!(!records.is_empty(), "the generator made nothing");
        Ok(Self(records))
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// One of them, as if it happened now, under this id.
    pub(super) fn draw(&self, id: &str, rng: &mut Rng) -> String {
        let mut record = self.0[rng.usize(..self.0.len())].clone();
        let time = Timestamp::from_second(Timestamp::now().as_second()).unwrap_or_default();
        record.insert("eventTime".to_owned(), time.to_string().into());
        record.insert("eventID".to_owned(), id.into());
        Value::Object(record).to_string()
    }
}
