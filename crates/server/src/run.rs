//! From options to a server that runs, and to its end.

use std::io::Read;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use ecs::Millis;
use serde_json::Value;
use store::{Ingest, IngestOptions};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Semaphore, watch};

use crate::app::{App, Counters};
use crate::config::{self, Config, SourceConfig, SourceKind};
use crate::detection::{Detection, Rules};
use crate::folder::Watcher;
use crate::http::{Listening, listen};
use crate::intake::Intake;
use crate::keys::{Keys, NewKey};
use crate::lines::Lines;
use crate::log::{Clock, Log};
use crate::notify::{self, Notifier};
#[cfg(feature = "s3")]
use crate::objects;
use crate::rate::Rates;
#[cfg(unix)]
use crate::reload::reload;
use crate::reload::{Current, ReadAgain};
use crate::source::Source;
use crate::stop::Stop;
#[cfg(unix)]
use crate::unix::Socket;
use crate::{ServeError, tls};

/// Bytes of records that are held in memory before they are written.
const BATCH_BYTES: usize = 256 << 20;
/// Threads that move bytes; what handlers do has threads of its own.
const IO_THREADS: usize = 2;
/// How long what still answers has when all else has ended.
const LAST_MOMENT: Duration = Duration::from_secs(1);

/// What a server is to do.
pub struct Options {
    /// As it is configured.
    pub config: Config,
    /// What is detected.
    pub rules: Rules,
    /// The data directory.
    pub data: PathBuf,
    /// The standard input, for the source that reads it.
    pub stdin: Option<Box<dyn Read + Send>>,
    /// Reads the configuration again, when that is asked for.
    pub read_again: Option<ReadAgain>,
    /// The version of the engine.
    pub version: &'static str,
    /// Tells the time.
    pub clock: Clock,
    /// Says what happens.
    pub log: Log,
    /// How buckets are asked for, as far as the configuration does not say it.
    #[cfg(feature = "s3")]
    pub aws: AwsSettings,
}

/// Who asks for buckets, and where: what the environment says, asked anew as long as nobody could be asked.
#[cfg(feature = "s3")]
pub type AwsSettings = Arc<dyn Fn() -> Result<bucket::Settings, bucket::BucketError> + Send + Sync>;

/// A server that runs.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// Whether it speaks TLS.
    pub is_encrypted: bool,
    /// The first key, if this is the first start.
    pub first_key: Option<NewKey>,
    /// Files of batches that did not end, which were removed.
    pub orphans: u64,
}

/// Stops a server.
#[derive(Clone, Debug)]
pub struct Stopper(Arc<watch::Sender<bool>>);

impl Default for Stopper {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }
}

impl Stopper {
    /// It is time to stop: what is being asked is answered, what waits is stored, and [`run`] returns.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

/// Runs until a signal or `stopper` says that it is enough. `ready` is told when requests are answered.
///
/// # Errors
///
/// Only at the start: what goes wrong later is told in the log and does not end the server.
pub fn run(options: Options, stopper: &Stopper, ready: impl FnOnce(Running)) -> Result<(), ServeError> {
    #[cfg(feature = "s3")]
    let aws = Arc::clone(&options.aws);
    let Options { config, rules, data, stdin, read_again, version, clock, log, .. } = options;
    #[cfg(not(feature = "s3"))]
    if let Some(source) = config.sources.iter().find(|it| matches!(it.kind, SourceKind::S3(_))) {
        return Err(ServeError::NoBuckets { source_name: source.name.clone() });
    }
    let runtime = Builder::new_multi_thread()
        .worker_threads(IO_THREADS)
        .max_blocking_threads(config.requests + 2)
        .thread_name("http")
        .enable_all()
        .build()
        .map_err(|source| ServeError::Start { source })?;
    let tls = config.tls.as_ref().map(|(chain, key)| tls::acceptor(chain, key)).transpose()?;
    let address = config.listen;
    let listener = runtime.block_on(TcpListener::bind(address));
    let listener = listener.map_err(|source| ServeError::Listen { address, source })?;
    let address = listener.local_addr().map_err(|source| ServeError::Listen { address, source })?;
    on_signals(&runtime, stopper)?;
    #[cfg(unix)]
    let hangups = hangups(&runtime)?;

    let sources: Vec<Arc<Source>> =
        config.sources.iter().map(|it| Arc::new(Source::new(it.clone()))).collect();
    let posted = || {
        let (name, kind) = (config::HTTP.to_owned(), SourceKind::Http);
        Arc::new(Source::new(SourceConfig { name, kind, indices: Vec::new(), silent_ms: None }))
    };
    let http = sources.iter().find(|it| *it.kind() == SourceKind::Http).map_or_else(posted, Arc::clone);
    #[cfg(unix)]
    let sockets = sockets(&sources)?;

    let threads = if config.threads > 0 {
        config.threads
    } else {
        std::thread::available_parallelism().map_or(1, Into::into)
    };
    let limits = reader::Limits::default();
    let letters = config.letters;
    let engine = version.to_owned();
    let ingest = IngestOptions { limits, threads, batch_bytes: BATCH_BYTES, engine, letters };
    let ingest = Ingest::open(&data, ingest)?;
    let orphans = ingest.store().orphans;
    let now: Millis = clock();
    let catch_up = config.rules.catch_up_ms as Millis;
    let (detection, engine) = Detection::open(&data, rules, (threads, catch_up), version, now, &log)?;
    live::Book::open(&data)?.set_public_url(config.public_url.as_deref())?;
    // What is raised from here on is told.
    let notifier = Notifier::open(&data, &detection.force().all)?;
    notify::tell_faults(&config, &log);
    let (keys, first_key) = Keys::open(&data, now)?;
    let (intake, writer) = Intake::start(ingest, config.queue_bytes, Arc::clone(&clock), log.clone());
    let intake = Arc::new(intake);
    let room = Arc::new(Semaphore::new(config.requests));
    let is_encrypted = tls.is_some();
    if !is_encrypted && !address.ip().is_loopback() {
        let message = "it can be reached from other machines, and keys go there unencrypted: set `tls_certificate` \
                       and `tls_key`, or put something before it that speaks TLS";
        log.warn("SRV015", message, &[("address", address.to_string().into())]);
    }
    let app = Arc::new(App {
        version,
        current: Current::new(config, tls, read_again),
        data,
        keys,
        intake: Arc::clone(&intake),
        sources,
        http,
        detection,
        notifier,
        investigating: Mutex::default(),
        threads,
        counters: Counters::default(),
        rates: Rates::default(),
        room,
        started_ms: now,
        clock,
        log,
        told_refusal: AtomicI64::new(Millis::MIN),
    });
    let stop = Stop::default();
    app.log.info(
        "SRV016",
        "listening",
        &[
            ("address", Value::from(address.to_string())),
            ("tls", is_encrypted.into()),
            ("data", app.data.display().to_string().into()),
            ("rules", app.detection.force().rules.len().into()),
        ],
    );
    ready(Running { address, is_encrypted, first_key, orphans });
    let mut others = watch_folders(&app, &stop);
    #[cfg(unix)]
    for (source, socket) in sockets {
        let lines = lines(&app, &source, &stop);
        others.push(std::thread::spawn(move || socket.run(&lines)));
    }
    others.extend(read_stdin(&app, &stop, stdin, stopper));
    #[cfg(feature = "s3")]
    others.extend(objects::start(&app, &aws, &stop));
    let (its, until) = (Arc::clone(&app), stop.clone());
    others.push(std::thread::spawn(move || its.detection.run(engine, &until, &its.clock, &its.log)));

    others.push(Notifier::start(&app, &stop, &stopper.0.subscribe(), runtime.handle()));
    #[cfg(unix)]
    runtime.spawn(reload_on(hangups, Arc::clone(&app)));
    let listening = Listening { listener, stop: stopper.0.subscribe() };
    runtime.block_on(listen(Arc::clone(&app), listening));
    app.log.info("SRV017", "stopping: what waits is being stored", &[]);
    stop.set();
    for thread in others {
        joined(thread, &app.log);
    }
    intake.end();
    joined(writer, &app.log);
    runtime.shutdown_timeout(LAST_MOMENT);
    app.log.info("SRV018", "stopped", &[]);
    Ok(())
}

fn joined(thread: JoinHandle<()>, log: &Log) {
    if thread.join().is_err() {
        log.error("SRV019", "a thread failed in a way that should not be; please report it", &[]);
    }
}

fn watch_folders(app: &Arc<App>, stop: &Stop) -> Vec<JoinHandle<()>> {
    let mut watchers = Vec::new();
    for source in &app.sources {
        let SourceKind::Folder { path, interval_ms, settle_ms } = source.kind() else { continue };
        let watcher = Watcher {
            source: Arc::clone(source),
            path: path.clone(),
            interval: Duration::from_millis(*interval_ms),
            settle_ms: *settle_ms as Millis,
            data: app.data.clone(),
            intake: Arc::clone(&app.intake),
            stop: stop.clone(),
            clock: Arc::clone(&app.clock),
            log: app.log.clone(),
        };
        watchers.push(std::thread::spawn(move || watcher.run()));
    }
    watchers
}

/// The sockets of sources, made before anybody is told that it is ready.
#[cfg(unix)]
fn sockets(sources: &[Arc<Source>]) -> Result<Vec<(Arc<Source>, Socket)>, ServeError> {
    let mut all = Vec::new();
    for source in sources {
        let SourceKind::Unix { path, mode } = source.kind() else { continue };
        all.push((Arc::clone(source), Socket::open(path, *mode)?));
    }
    Ok(all)
}

fn lines(app: &App, source: &Arc<Source>, stop: &Stop) -> Lines {
    Lines {
        source: Arc::clone(source),
        intake: Arc::clone(&app.intake),
        stop: stop.clone(),
        clock: Arc::clone(&app.clock),
        log: app.log.clone(),
    }
}

fn read_stdin(
    app: &App,
    stop: &Stop,
    stdin: Option<Box<dyn Read + Send>>,
    stopper: &Stopper,
) -> Option<JoinHandle<()>> {
    let stdin = stdin?;
    let (source, stops) = app.sources.iter().find_map(|it| match it.kind() {
        SourceKind::Stdin { stops } => Some((it, *stops)),
        SourceKind::Http | SourceKind::Folder { .. } | SourceKind::Unix { .. } | SourceKind::S3(_) => None,
    })?;
    let (lines, stopper) = (lines(app, source, stop), stopper.clone());
    Some(std::thread::spawn(move || {
        if lines.take_stdin(stdin) && stops {
            stopper.stop();
        }
    }))
}

/// SIGHUP, from now on: it ends nothing any more.
#[cfg(unix)]
fn hangups(runtime: &Runtime) -> Result<Signal, ServeError> {
    let _inside = runtime.enter();
    signal(SignalKind::hangup()).map_err(|source| ServeError::Start { source })
}

/// Has the configuration read again whenever SIGHUP comes.
#[cfg(unix)]
async fn reload_on(mut hangups: Signal, app: Arc<App>) {
    while hangups.recv().await.is_some() {
        let app = Arc::clone(&app);
        // What is wrong with it is in the log.
        let _ = tokio::task::spawn_blocking(move || reload(&app)).await;
    }
}

/// SIGTERM and ctrl-c stop it.
fn on_signals(runtime: &Runtime, stopper: &Stopper) -> Result<(), ServeError> {
    let _inside = runtime.enter();
    let stopper = stopper.clone();
    #[cfg(unix)]
    {
        let start = |source| ServeError::Start { source };
        let mut terminate = signal(SignalKind::terminate()).map_err(start)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(start)?;
        runtime.spawn(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            stopper.stop();
        });
    }
    #[cfg(not(unix))]
    runtime.spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            stopper.stop();
        }
    });
    Ok(())
}
