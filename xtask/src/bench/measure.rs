//! Runs processes in turns and tells what each took.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use wait4::Wait4 as _;
use xxhash_rust::xxh3::Xxh3;

/// A process to measure.
#[derive(Debug, Clone)]
pub(super) struct Process {
    name: String,
    program: PathBuf,
    arguments: Vec<OsString>,
}

impl Process {
    pub(super) fn new(name: impl Into<String>, program: &Path) -> Self {
        Self { name: name.into(), program: program.to_owned(), arguments: Vec::new() }
    }

    pub(super) fn args(mut self, arguments: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Runs it once.
    pub(super) fn run(&self) -> Result<Sample> {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).stdin(Stdio::null()).stdout(Stdio::piped());
        let started = Instant::now();
        let mut child =
            command.spawn().with_context(|| format!("cannot start {}", self.program.display()))?;
        let mut output = Output::default();
        if let Some(mut pipe) = child.stdout.take() {
            let mut piece = vec![0; PIECE_BYTES];
            loop {
                match pipe.read(&mut piece)? {
                    0 => break,
                    size => output.take(&piece[..size]),
                }
            }
        }
        let used = child.wait4().with_context(|| format!("cannot wait for {}", self.name))?;
        let wall_s = started.elapsed().as_secs_f64();
        ensure!(used.status.success(), "{}: {}, after {:?}", self.name, used.status, self.arguments);
        let (lines, hash, facts) = output.finish();
        Ok(Sample {
            wall_s,
            cpu_s: (used.rusage.utime + used.rusage.stime).as_secs_f64(),
            peak_bytes: used.rusage.maxrss,
            lines,
            hash,
            facts,
        })
    }
}

/// What one run of a process took, and what it said.
#[derive(Debug, Clone)]
pub(super) struct Sample {
    pub(super) wall_s: f64,
    /// Processor time, user's and system's.
    pub(super) cpu_s: f64,
    pub(super) peak_bytes: u64,
    /// Lines of its output: of a hunt its alerts.
    pub(super) lines: u64,
    /// Of its output.
    pub(super) hash: u128,
    /// The numbers that it said: see [`say`].
    pub(super) facts: BTreeMap<String, f64>,
}

/// Bytes of output that are read at a time.
const PIECE_BYTES: usize = 64 << 10;

/// What a process writes, summed up while it comes.
///
/// None of it is kept but the last line. What this program holds counts for its children: until one runs its own program
/// it is a copy of this one, and the system remembers the most memory that it ever had.
#[derive(Default)]
struct Output {
    lines: u64,
    hash: Xxh3,
    /// The last line, which may go on.
    last: Vec<u8>,
}

impl Output {
    fn take(&mut self, piece: &[u8]) {
        self.last.extend_from_slice(piece);
        // The line that ends last may be the one with the numbers.
        let settled =
            self.last.strip_suffix(b"\n").unwrap_or(&self.last).iter().rposition(|&byte| byte == b'\n');
        if let Some(end) = settled {
            self.settle(end + 1);
        }
    }

    fn settle(&mut self, end: usize) {
        let settled = &self.last[..end];
        self.lines += settled.split_inclusive(|&byte| byte == b'\n').count() as u64;
        self.hash.update(settled);
        self.last.drain(..end);
    }

    /// How many lines there were, and the hash of all, but for the numbers that the process said.
    fn finish(mut self) -> (u64, u128, BTreeMap<String, f64>) {
        let (rest, facts) = split_facts(&self.last);
        self.settle(rest.len());
        (self.lines, self.hash.digest128(), facts)
    }
}

/// The processor time of this thread so far, the user's and the system's.
pub(super) fn thread_cpu_s() -> Result<f64> {
    let text =
        std::fs::read_to_string("/proc/thread-self/schedstat").context("this is measured on Linux only")?;
    let nanos = text.split(' ').next().and_then(|it| it.parse::<f64>().ok());
    Ok(nanos.context("the system does not say what a thread took")? / 1e9)
}

/// What begins the line with a part's numbers.
const FACTS: &str = "facts ";

/// Says numbers to the process that measures.
pub(super) fn say(facts: &[(&str, f64)]) {
    let facts: BTreeMap<&str, f64> = facts.iter().copied().collect();
    println!("{FACTS}{}", serde_json::json!(facts));
}

/// The output without the line of numbers, and these.
fn split_facts(output: &[u8]) -> (&[u8], BTreeMap<String, f64>) {
    let text = output.trim_ascii_end();
    let start = text.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
    let facts = text[start..].strip_prefix(FACTS.as_bytes()).and_then(|it| serde_json::from_slice(it).ok());
    facts.map_or((output, BTreeMap::new()), |facts| (&output[..start], facts))
}

/// The median of what several runs of one process took.
#[derive(Debug, Clone)]
pub(super) struct Measured {
    samples: Vec<Sample>,
}

impl Measured {
    pub(super) fn wall_s(&self) -> f64 {
        median(self.samples.iter().map(|it| it.wall_s))
    }

    pub(super) fn cpu_s(&self) -> f64 {
        median(self.samples.iter().map(|it| it.cpu_s))
    }

    /// The most of all runs: a limit is a limit.
    pub(super) fn peak_bytes(&self) -> u64 {
        self.samples.iter().map(|it| it.peak_bytes).max().unwrap_or_default()
    }

    /// The slowest run beside the fastest, in processor time: what noise there was.
    pub(super) fn spread(&self) -> f64 {
        let times = || self.samples.iter().map(|it| it.cpu_s);
        times().fold(0.0, f64::max) / times().fold(f64::INFINITY, f64::min)
    }

    pub(super) fn lines(&self) -> u64 {
        self.samples.first().map_or(0, |it| it.lines)
    }

    /// The median of a number that the process said.
    pub(super) fn fact(&self, name: &str) -> Result<f64> {
        let said: Option<Vec<f64>> = self.samples.iter().map(|it| it.facts.get(name).copied()).collect();
        Ok(median(said.with_context(|| format!("a process did not say `{name}`"))?.into_iter()))
    }
}

/// Runs all processes, then all again, and so on: whatever slows the machine down meets all of them.
pub(super) fn in_turns(processes: &[Process], repetitions: u32) -> Result<Vec<Measured>> {
    let mut measured = vec![Measured { samples: Vec::new() }; processes.len()];
    // What is read the first time comes from the disk; that is not what is compared.
    if let Some(first) = processes.first() {
        first.run()?;
    }
    for repetition in 0..repetitions {
        for (process, measured) in processes.iter().zip(&mut measured) {
            eprint!("\r\x1b[K{} ({} of {repetitions})", process.name, repetition + 1);
            measured.samples.push(process.run()?);
        }
    }
    eprint!("\r\x1b[K");
    Ok(measured)
}

pub(super) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => 0.0,
        count if count % 2 == 1 => values[count / 2],
        count => f64::midpoint(values[count / 2 - 1], values[count / 2]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians() {
        let near = |median: f64, expected: f64| assert!((median - expected).abs() < 1e-9, "{median}");
        near(median([3.0, 1.0, 2.0].into_iter()), 2.0);
        near(median([3.0, 1.0, 2.0, 10.0].into_iter()), 2.5);
    }

    #[test]
    fn facts_are_in_the_last_line() {
        let (output, facts) = split_facts(b"one line\nfacts {\"records\":3.0}\n");
        assert_eq!((output, facts.get("records")), (&b"one line\n"[..], Some(&3.0)));
        assert_eq!(split_facts(b"one line\n"), (&b"one line\n"[..], BTreeMap::new()));
    }

    #[test]
    fn output_is_summed_up_as_if_it_came_at_once() {
        let text = b"one\n\ntwo lines\nfacts {\"records\":3.0}\n";
        let summed = |text: &[u8], size: usize| {
            let mut output = Output::default();
            text.chunks(size).for_each(|piece| output.take(piece));
            output.finish()
        };
        for size in 1..=text.len() {
            let (lines, hash, facts) = summed(text, size);
            assert_eq!((lines, hash), (3, xxhash_rust::xxh3::xxh3_128(b"one\n\ntwo lines\n")), "{size}");
            assert_eq!(facts.get("records"), Some(&3.0));
            assert_eq!(summed(b"one\ntwo", size).0, 2, "{size}");
            assert_eq!(summed(b"one\ntwo", size).1, xxhash_rust::xxh3::xxh3_128(b"one\ntwo"), "{size}");
        }
    }

    #[test]
    fn a_process_is_measured() {
        let sample =
            Process::new("echo", Path::new("/bin/sh")).args(["-c", "echo one; echo two"]).run().unwrap();
        assert_eq!(sample.lines, 2);
        assert!(sample.wall_s > 0.0 && sample.peak_bytes > 0, "{sample:?}");
        assert!(Process::new("fails", Path::new("/bin/sh")).args(["-c", "exit 3"]).run().is_err());
    }
}
