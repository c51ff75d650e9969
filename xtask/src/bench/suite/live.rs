//! A server that takes the records in over HTTP with the rules of the pack on, and what it costs to start it again.
//!
//! The pack's rules execute every few seconds rather than minutes, so that a run of seconds sees many executions: what is
//! measured is harder than operation. Records are old, and count as what came in now, as the pack's rules have it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};

use crate::bench::Bench;
use crate::bench::figure::{Figure, Must};
use crate::bench::measure::{Process, in_turns, median};
use crate::bench::suite::store::bytes;
use crate::serving::pack::{self, Times};
use crate::serving::{Broken, Serving, Start, ask};

/// Records a second with all rules on.
const RECORDS: Must = Must::AtLeast(25_000.0);
/// How late executions may be meanwhile, in seconds.
const LAG_S: Must = Must::AtMost(5.0);
/// Bytes of a compacted store by those of the files.
const BYTES: Must = Must::AtMost(1.2);
/// Seconds of a start with everything stored.
const START_S: Must = Must::AtMost(5.0);
/// Bytes of memory without events, in MiB,
const IDLE_MIB: Must = Must::AtMost(150.0);
/// and under load.
const LOADED_MIB: Must = Must::AtMost(1024.0);
/// Seconds of a search that finds little.
const SEARCH_S: Must = Must::AtMost(0.3);

/// Clients that deliver.
const CLIENTS: usize = 4;
/// The pack's rules execute every so many seconds.
const INTERVAL_S: u64 = 5;
/// Events whose way to an alert is timed.
const TIMED: usize = 20;
/// The role that they are of.
const TIMED_ROLE: &str = "bench-timed";
/// How long something may take.
const PATIENCE: Duration = Duration::from_secs(600);
/// How long between two looks.
const NAP: Duration = Duration::from_millis(20);

/// Executes every second: what takes longest to an alert is its turn.
const TIMED_RULE: &str = "[rule]\nname = 'timed'\nrule_id = 'timed'\ndescription = 'Of a benchmark.'\nseverity = 'low'\n\
    risk_score = 21\ntype = 'query'\nlanguage = 'kuery'\nquery = 'event.action: GetPasswordData and user.name: bench-timed'\n\
    index = ['logs-aws.cloudtrail*']\ntimestamp_override = 'event.ingested'\ninterval = '1s'\nfrom = 'now-1m'\n";

pub(in crate::bench) fn run(bench: &Bench) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for (kind, bench) in bench.kinds() {
        figures.extend(of_kind(kind, &bench)?);
    }
    Ok(figures)
}

fn of_kind(kind: &str, bench: &Bench) -> Result<Vec<Figure>> {
    let folder = bench.scratch.join(if kind.is_empty() { "live" } else { "live-derived" });
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    let rules = folder.join("rules");
    pack::write(&rules, &mut || Times { interval_s: INTERVAL_S, from_s: None, is_by_ingestion: true })?;
    fs::write(rules.join("timed.toml"), TIMED_RULE)?;
    let quoted = toml::Value::String(rules.display().to_string());
    fs::write(
        folder.join("trailwarden.toml"),
        format!(
            "[server]\nlisten = \"127.0.0.1:0\"\nthreads = {}\n\n[rules]\nbuiltin = false\npaths = [{quoted}]\n",
            bench.threads
        ),
    )?;
    let start = Start {
        program: bench.trailwarden.clone(),
        data: folder.join("data"),
        config: folder.join("trailwarden.toml"),
        log: folder.join("server.log"),
    };
    let mut files = Vec::new();
    files_below(&bench.data, &mut files)?;
    ensure!(!files.is_empty(), "{} holds no file", bench.data.display());
    let figure = |name: &str, value: f64, unit| Figure::new(format!("{kind}{name}"), value, unit);

    let mut serving = start.start()?;
    let address = serving.is_ready(true)?;
    let key = serving.key.clone().context("the first start tells a key")?;
    let server = Server { address, key };
    server.is_on_time()?;
    let idle = memory(&serving, "VmRSS")?;
    let loaded = server.load(&files)?;
    let records = bench.records()?;
    // What is on time afterwards was as late as that when all of it was stored.
    let after = Instant::now();
    server.is_on_time()?;
    let caught_up = after.elapsed().as_secs_f64();
    let at_rest = server.to_alert("at rest")?;
    let most = memory(&serving, "VmHWM")?;
    serving.stop()?;

    let compact = Process::new("store compact", &bench.trailwarden)
        .args(["store", "compact", "--quiet", "--store"])
        .args([start.data.as_os_str()])
        .run()?;
    let (before, stored) = (bytes(&bench.data)?, bytes(&start.data.join("events"))?);
    let search = Process::new("search", &bench.trailwarden)
        .args(["query", "event.action: StopLogging and event.outcome: success", "--quiet", "--format=ndjson"])
        .args(["--store"])
        .args([start.data.as_os_str()]);
    let searched = in_turns(&[search], bench.repetitions)?;
    let mut starts = Vec::new();
    for _ in 0..bench.repetitions {
        let began = Instant::now();
        let mut serving = start.start()?;
        let address = serving.is_ready(false)?;
        let listening = began.elapsed().as_secs_f64();
        Server { address, key: server.key.clone() }.is_on_time()?;
        starts.push((listening, began.elapsed().as_secs_f64(), memory(&serving, "VmRSS")?));
        serving.stop()?;
    }
    let of_starts = |of: fn(&(f64, f64, f64)) -> f64| median(starts.iter().map(of));
    Ok(vec![
        figure("records taken in over HTTP with all rules on", records / loaded.wall_s, "records/s")
            .must(RECORDS),
        figure("executions late meanwhile, at most", loaded.lag_s, "s").must(LAG_S),
        figure("until they are on time afterwards", caught_up, "s"),
        figure("deliveries told to come again", loaded.busy as f64, ""),
        figure(
            "receipt to alert, at rest, a rule every second, median",
            median(at_rest.iter().copied()),
            "s",
        ),
        figure("receipt to alert, at rest, the longest", at_rest.iter().copied().fold(0.0, f64::max), "s"),
        figure("memory without events", idle, "MiB").must(IDLE_MIB),
        figure("memory under load, at most", most, "MiB").must(LOADED_MIB),
        figure("compaction", compact.wall_s, "s"),
        figure("bytes after compaction by those of the files", stored as f64 / before as f64, "times")
            .must(BYTES),
        figure("search over stored events, selective", searched[0].wall_s(), "s").must(SEARCH_S),
        figure("start with them stored, until it answers", of_starts(|it| it.0), "s").must(START_S),
        figure("start with them stored, until executions are on time", of_starts(|it| it.1), "s"),
        figure("memory after such a start", of_starts(|it| it.2), "MiB"),
    ])
}

/// Where it is, and how to ask.
struct Server {
    address: String,
    key: String,
}

/// What taking in came to.
struct Loaded {
    wall_s: f64,
    lag_s: f64,
    busy: usize,
}

impl Server {
    fn ask(&self, method: &str, path: &str, body: &[u8]) -> Result<(u16, Value, String)> {
        match ask(&self.address, &self.key, (method, path), "", body) {
            Ok(answer) => Ok((answer.status, answer.json(), answer.body)),
            Err(Broken) => bail!("{method} {path} was not answered"),
        }
    }

    /// Delivers all files, as they are, from several clients, and looks how late executions are.
    fn load(&self, files: &[PathBuf]) -> Result<Loaded> {
        let (next, busy, is_done) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicBool::new(false));
        let failed: Mutex<Option<anyhow::Error>> = Mutex::new(None);
        let client = || -> Result<()> {
            while let Some(path) = files.get(next.fetch_add(1, Relaxed)) {
                let body = fs::read(path)?;
                loop {
                    match self.ask("POST", "/api/v1/events", &body)? {
                        (200, ..) => break,
                        (429 | 503, ..) => _ = busy.fetch_add(1, Relaxed),
                        (status, _, said) => bail!("{}: {status} {said}", path.display()),
                    }
                    std::thread::sleep(NAP);
                }
            }
            Ok(())
        };
        let began = Instant::now();
        let (mut wall_s, mut lag_s) = (0.0, 0.0_f64);
        std::thread::scope(|scope| -> Result<()> {
            let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(client)).collect();
            let watch = scope.spawn(|| -> Result<f64> {
                let mut lag = 0.0_f64;
                while !is_done.load(Relaxed) {
                    lag = lag.max(self.behind_s()?);
                    std::thread::sleep(10 * NAP);
                }
                Ok(lag)
            });
            for it in clients {
                if let Err(error) = it.join().unwrap_or_else(|_| bail!("a client failed")) {
                    failed.lock().unwrap_or_else(std::sync::PoisonError::into_inner).get_or_insert(error);
                }
            }
            wall_s = began.elapsed().as_secs_f64();
            is_done.store(true, Relaxed);
            lag_s = watch.join().unwrap_or_else(|_| bail!("nobody watched"))?;
            Ok(())
        })?;
        match failed.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
            Some(error) => Err(error),
            None => Ok(Loaded { wall_s, lag_s, busy: busy.into_inner() }),
        }
    }

    /// How late executions are: what the first that is due should have been, in seconds.
    fn behind_s(&self) -> Result<f64> {
        let (_, _, metrics) = self.ask("GET", "/metrics", b"")?;
        let line = metrics.lines().find_map(|it| it.strip_prefix("trailwarden_detection_behind_seconds "));
        line.and_then(|it| it.parse().ok()).context("the metrics say how late executions are")
    }

    /// Waits until every rule was executed, and is on time.
    fn is_on_time(&self) -> Result<()> {
        let until = Instant::now() + PATIENCE;
        let began = jiff::Timestamp::now().as_millisecond();
        loop {
            let (_, rules, _) = self.ask("GET", "/api/v1/rules", b"")?;
            let is_past = |rule: &Value| {
                let next = rule["next"].as_str().and_then(|it| it.parse::<jiff::Timestamp>().ok());
                next.is_some_and(|it| it.as_millisecond() > began + 1_000 * INTERVAL_S as i64)
            };
            let rules = rules["rules"].as_array().context("the rules are listed")?;
            if !rules.is_empty() && rules.iter().filter(|it| it["enabled"] != false).all(is_past) {
                return Ok(());
            }
            ensure!(Instant::now() < until, "executions are not on time");
            std::thread::sleep(NAP);
        }
    }

    /// Sends events that alert, one after the other, and times each until its alert is there.
    fn to_alert(&self, name: &str) -> Result<Vec<f64>> {
        let mut times = Vec::new();
        for number in 0..TIMED {
            let id = format!("bench {name} {number}");
            let record = json!({
                "eventVersion": "1.10", "eventTime": jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
                "eventSource": "ec2.amazonaws.com", "eventName": "GetPasswordData", "awsRegion": "eu-west-1",
                "sourceIPAddress": "203.0.113.20", "eventID": id, "eventType": "AwsApiCall",
                "userIdentity": {"type": "IAMUser", "userName": TIMED_ROLE, "accountId": "111122223333"},
            });
            let began = Instant::now();
            let (status, _, said) = self.ask("POST", "/api/v1/events", record.to_string().as_bytes())?;
            ensure!(status == 200, "an event was answered with {status}: {said}");
            let path = "/api/v1/alerts?size=1&query=kibana.alert.rule.rule_id:%20timed";
            loop {
                let (_, found, _) = self.ask("GET", path, b"")?;
                if found["total"].as_u64() == Some(number as u64 + 1) {
                    break;
                }
                ensure!(began.elapsed() < PATIENCE, "an event does not alert");
                std::thread::sleep(NAP);
            }
            times.push(began.elapsed().as_secs_f64());
        }
        Ok(times)
    }
}

/// Memory of its process in MiB: `VmRSS`, what it has, or `VmHWM`, the most that it had.
fn memory(serving: &Serving, which: &str) -> Result<f64> {
    let path = format!("/proc/{}/status", serving.id());
    let status = fs::read_to_string(path).context("this is measured on Linux only")?;
    let line = status.lines().find_map(|it| it.strip_prefix(which)?.strip_prefix(':'));
    let kilobytes = line.and_then(|it| it.trim().strip_suffix(" kB")?.parse::<f64>().ok());
    Ok(kilobytes.context("the system does not say what memory a process has")? / 1_024.0)
}

fn files_below(path: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    if path.is_dir() {
        let mut entries: Vec<PathBuf> =
            fs::read_dir(path)?.map(|it| it.map(|it| it.path())).collect::<Result<_, _>>()?;
        entries.sort_unstable();
        entries.iter().try_for_each(|it| files_below(it, files))
    } else {
        files.push(path.to_owned());
        Ok(())
    }
}
