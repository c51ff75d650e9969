//! What a process of the benchmark does, besides the real `trailwarden`.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use clap::ValueEnum;
use detect::{KnownAlerts, Mode};
use hunt::{Depth, HuntOptions, Progress, Stage};
use libdeflater::Decompressor;
use reader::Discovery;
use report::{Format, Summary};

use super::{Args, NOW, measure};

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Part {
    /// Decompress every file.
    Decompress,
    /// Decompress every file and parse it to a tape.
    ParseTape,
    /// Decompress every file and parse it to a tree.
    ParseTree,
    /// The pass of a hunt, ended early.
    Read,
    Parse,
    Fill,
    Match,
    /// A hunt, stage by stage; prints the alerts.
    Hunt,
    /// A hunt on one thread; prints the alerts in several formats and says what each took.
    Alerts,
    /// Makes and prints the documents of all records, and says what that took.
    Normalize,
}

impl Part {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Decompress => "decompress",
            Self::ParseTape => "parse-tape",
            Self::ParseTree => "parse-tree",
            Self::Read => "read",
            Self::Parse => "parse",
            Self::Fill => "fill",
            Self::Match => "match",
            Self::Hunt => "hunt",
            Self::Alerts => "alerts",
            Self::Normalize => "normalize",
        }
    }
}

/// What the parts need to know besides.
#[derive(Debug, clap::Args)]
pub(super) struct PartArgs {
    /// Events of a block.
    #[arg(long, hide = true, default_value_t = 0)]
    block_rows: usize,
    /// Bytes of records that are kept in case they alert.
    #[arg(long, hide = true, default_value_t = hunt::EVIDENCE_BYTES)]
    evidence_bytes: usize,
    /// The files of the folder one by one, the last first.
    #[arg(long, hide = true)]
    reverse: bool,
    /// The folder is a store.
    #[arg(long, hide = true)]
    stored: bool,
}

impl Part {
    pub(super) fn run(self, args: &Args) -> Result<()> {
        let data = args.data.as_deref().context("--part needs --data")?;
        match self {
            Self::Decompress => files(data, args.threads(), |_, _| Ok(())),
            Self::ParseTape => files(data, args.threads(), Parser::tape),
            Self::ParseTree => files(data, args.threads(), |_, text| {
                let tree: sonic_rs::Value = sonic_rs::from_slice(text)?;
                std::hint::black_box(&tree);
                Ok(())
            }),
            Self::Read => pass(args, data, Depth::Read),
            Self::Parse => pass(args, data, Depth::Parse),
            Self::Fill => pass(args, data, Depth::Fill),
            Self::Match => pass(args, data, Depth::Match),
            Self::Hunt => hunt(args, data),
            Self::Alerts => alerts(args, data),
            Self::Normalize => normalize(args, data),
        }
    }
}

/// Keeps the memory of parsing.
#[derive(Default)]
struct Parser {
    buffers: simd_json::Buffers,
    tape: Option<simd_json::Tape<'static>>,
}

impl Parser {
    fn tape(&mut self, text: &mut [u8]) -> Result<()> {
        let mut tape = self.tape.take().map_or_else(simd_json::Tape::null, simd_json::Tape::reset);
        simd_json::fill_tape(text, &mut self.buffers, &mut tape)?;
        std::hint::black_box(&tape);
        self.tape = Some(tape.reset());
        Ok(())
    }
}

/// Decompresses all gzip files on all threads, with nothing around it that could be left out.
fn files(
    data: &Path,
    threads: usize,
    each: impl Fn(&mut Parser, &mut [u8]) -> Result<()> + Sync,
) -> Result<()> {
    let found = Discovery::find(&[data.to_owned()], &mut std::io::empty());
    let found = found.map_err(|errors| anyhow::anyhow!("{errors:?}"))?;
    let next = AtomicUsize::new(0);
    let work = || -> Result<u64> {
        let (mut decompressor, mut parser) = (Decompressor::new(), Parser::default());
        let (mut text, mut bytes) = (Vec::new(), 0);
        while let Some(input) = found.inputs.get(next.fetch_add(1, Ordering::Relaxed)) {
            let packed = std::fs::read(input.path())?;
            let size = unpacked_size(&packed).with_context(|| format!("{} is no gzip file", input.name()))?;
            text.resize(size, 0);
            let size = decompressor.gzip_decompress(&packed, &mut text)?;
            bytes += size as u64;
            each(&mut parser, &mut text[..size]).with_context(|| input.name().to_owned())?;
        }
        Ok(bytes)
    };
    let bytes = std::thread::scope(|scope| -> Result<u64> {
        let threads: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(work)).collect();
        let mut bytes = 0;
        for thread in threads {
            bytes += thread.join().map_err(|_| anyhow::anyhow!("a thread panicked"))??;
        }
        Ok(bytes)
    })?;
    measure::say(&[("text_bytes", bytes as f64)]);
    Ok(())
}

/// What the last four bytes of a gzip file say.
fn unpacked_size(packed: &[u8]) -> Option<usize> {
    let is_gzip = packed.starts_with(&[0x1f, 0x8b]);
    packed.last_chunk().filter(|_| is_gzip).map(|size| u32::from_le_bytes(*size) as usize)
}

/// The pass of a hunt, so far as the depth says.
fn pass(args: &Args, data: &Path, depth: Depth) -> Result<()> {
    let options = options(args, data)?;
    let pass = hunt::pass(&options, depth, &mut std::io::empty(), &Progress::default())?;
    let left = pass.seen.left_out;
    measure::say(&[
        ("records", pass.records as f64),
        ("read_bytes", pass.read_bytes as f64),
        ("text_bytes", pass.text_bytes as f64),
        ("unparsed", left.unparsed as f64),
        ("hopeless", left.hopeless as f64),
        ("guarded", left.guarded as f64),
        ("empty_columns", left.empty_columns as f64),
        ("never_late", left.never_late as f64),
        ("filled_late", left.filled_late as f64),
        ("stored", left.stored as f64),
        ("fetched", left.fetched as f64),
        ("fetched_bytes", left.fetched_bytes as f64),
        ("rows", left.exec.rows as f64),
        ("filters_visited", left.exec.filters_visited as f64),
        ("filters_started", left.exec.filters_started as f64),
        ("rows_started", left.exec.rows_started as f64),
        ("values_asked", left.exec.values_asked as f64),
        ("rows_matched", left.exec.rows_matched as f64),
    ]);
    Ok(())
}

/// How often a hunt is looked at, to see when its stages begin.
const LOOK_EVERY: Duration = Duration::from_micros(200);

/// A hunt: prints its alerts and how long each stage took.
fn hunt(args: &Args, data: &Path) -> Result<()> {
    let options = options(args, data)?;
    let progress = Progress::default();
    let is_done = std::sync::atomic::AtomicBool::new(false);
    let started = Instant::now();
    let (found, begun) = std::thread::scope(|scope| {
        let watch = scope.spawn(|| {
            let mut begun = [None; 2];
            while !is_done.load(Ordering::Relaxed) {
                match progress.stage() {
                    Stage::Discovering | Stage::Scanning => {}
                    Stage::Executing => begun[0] = begun[0].or(Some(started.elapsed())),
                    Stage::Building => begun[1] = begun[1].or(Some(started.elapsed())),
                }
                std::thread::sleep(LOOK_EVERY);
            }
            begun
        });
        let found = hunt::hunt(&options, &mut std::io::empty(), &progress);
        is_done.store(true, Ordering::Relaxed);
        (found, watch.join().unwrap_or_default())
    });
    let found = found?;
    // An alert's document is built when it is asked for.
    let mut alerts: u32 = 0;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let line = |alert: &mut hunt::Alert<'_, '_>| {
        let mut line = String::new();
        alert.write_json(&mut line);
        line.push('\n');
        line
    };
    found.alerts(&[], line, |lines| {
        for line in lines {
            out.write_all(line.as_bytes())?;
            alerts += 1;
        }
        out.flush()
    })?;
    drop(out);
    let ended = started.elapsed();
    // A stage that was over before it was seen took no time.
    let building = begun[1].unwrap_or(ended);
    let executing = begun[0].unwrap_or(building);
    measure::say(&[
        ("records", found.read.records.total() as f64),
        ("matched", found.rules.iter().map(|it| it.outcome.metrics.matched as f64).sum()),
        ("executions", found.rules.iter().map(|it| it.outcome.executions.total as f64).sum()),
        ("executions_run", found.rules.iter().map(|it| it.outcome.executions.run as f64).sum()),
        ("alerts", f64::from(alerts)),
        ("rules", found.rules.len() as f64),
        ("refused", found.refused.len() as f64),
        ("scan_s", executing.as_secs_f64()),
        ("execute_s", (building.saturating_sub(executing)).as_secs_f64()),
        ("build_s", (ended.saturating_sub(building)).as_secs_f64()),
    ]);
    Ok(())
}

/// Prints the alerts of a hunt as `trailwarden hunt` does, and says the processor time of each format.
fn alerts(args: &Args, data: &Path) -> Result<()> {
    let options = options(args, data)?;
    let found = hunt::hunt(&options, &mut std::io::empty(), &Progress::default())?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let started = measure::thread_cpu_s()?;
    let document = |alert: &mut hunt::Alert<'_, '_>| {
        let mut json = String::new();
        alert.write_json(&mut json);
        report::Part::of_json(Format::Ndjson, json)
    };
    let about = Summary {
        rules: Vec::new(),
        language: rule::GuideLanguage::English,
        coverage: report::Coverage::default(),
        notices: Vec::new(),
        completeness: None,
    };
    let mut print = |format, parts: &mut dyn Iterator<Item = report::Part>| {
        report::write(&mut out, format, parts, &about, report::Terminal::PLAIN)
    };
    found.alerts(&[], document, |parts| print(Format::Ndjson, parts))?;
    let documents = measure::thread_cpu_s()?;
    let line = |alert: &mut hunt::Alert<'_, '_>| report::Part::of_fields(Format::Csv, &alert.brief());
    found.alerts(Format::Csv.event_paths(), line, |parts| print(Format::Csv, parts))?;
    let lines = measure::thread_cpu_s()?;
    out.flush()?;
    drop(out);
    measure::say(&[
        ("alerts", found.alert_count() as f64),
        ("ndjson_s", documents - started),
        ("csv_s", lines - documents),
    ]);
    Ok(())
}

/// Prints the documents of all records as `trailwarden normalize` does.
fn normalize(args: &Args, data: &Path) -> Result<()> {
    let HuntOptions { paths, stored, normalise, limits, now, .. } = options(args, data)?;
    let options = hunt::NormalizeOptions { paths, stored, normalise, limits, now, copies: false };
    let mut out = std::io::BufWriter::new(std::io::stdout());
    let mut written = Ok(());
    let started = measure::thread_cpu_s()?;
    let report = hunt::normalize(&options, &mut std::io::empty(), &Progress::default(), &mut |document| {
        written = serde_json::to_writer(&mut out, &document.source).map_err(anyhow::Error::from);
        written.is_ok() && out.write_all(b"\n").is_ok()
    })?;
    let documents_s = measure::thread_cpu_s()? - started;
    written?;
    out.flush()?;
    drop(out);
    measure::say(&[("records", report.documents as f64), ("documents_s", documents_s)]);
    Ok(())
}

/// The options that `trailwarden hunt` has by default.
fn options(args: &Args, data: &Path) -> Result<HuntOptions> {
    let set = match &args.rules {
        Some(rules) => rule::load(std::slice::from_ref(rules)),
        None => rule::builtin(rule::GuideLanguage::English),
    };
    let normalise = cloudtrail::Options {
        tags: vec!["forwarded".to_owned(), "aws-cloudtrail".to_owned(), "actor_target_mapping".to_owned()],
        original: cloudtrail::Original::Tagged,
        envelope: Some(cloudtrail::Envelope::default()),
        ..cloudtrail::Options::default()
    };
    let paths = if args.own.reverse { last_first(data)? } else { vec![data.to_owned()] };
    let (paths, stored) =
        if args.own.stored { (Vec::new(), store::Store::open(data)?.inputs()?) } else { (paths, Vec::new()) };
    Ok(HuntOptions {
        identities: hunt::Identities::Asked,
        paths,
        stored,
        rules: rule::Selection::new(set.rules, &[]),
        exceptions: rule::Exceptions::default(),
        mode: Mode::Replay { since: None, until: None },
        max_signals: None,
        known: KnownAlerts::default(),
        normalise,
        limits: reader::Limits::default(),
        threads: args.threads(),
        block_rows: args.own.block_rows,
        watch: false,
        span: None,
        as_live: None,
        evidence_bytes: args.own.evidence_bytes,
        now: ecs::date::parse(NOW).map_err(|error| anyhow::anyhow!("{error:?}"))?,
        version: env!("CARGO_PKG_VERSION"),
    })
}

/// The files below a folder, the last first.
fn last_first(data: &Path) -> Result<Vec<PathBuf>> {
    let found = Discovery::find(&[data.to_owned()], &mut std::io::empty());
    let found = found.map_err(|errors| anyhow::anyhow!("{errors:?}"))?;
    Ok(found.inputs.iter().rev().map(|input| input.path().to_owned()).collect())
}
