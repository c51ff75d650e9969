//! A server as a process, and a client that knows as much of HTTP as it must.

mod http;
pub(crate) mod pack;

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

pub(crate) use http::{Broken, ask};

/// The code of the line that says where it listens.
const LISTENING: &str = "SRV016";
/// How long a start may take: a store that is large, on a machine that does much else.
const START: Duration = Duration::from_secs(120);

/// How a server is started.
#[derive(Clone, Debug)]
pub(crate) struct Start {
    /// The program.
    pub(crate) program: PathBuf,
    /// Its data directory.
    pub(crate) data: PathBuf,
    /// Its configuration.
    pub(crate) config: PathBuf,
    /// What it says is added to this file.
    pub(crate) log: PathBuf,
}

/// What a server says at its start.
enum Said {
    Key(String),
    Listens(String),
}

/// A server that was started.
pub(crate) struct Serving {
    child: Child,
    said: Receiver<Said>,
    reader: Option<JoinHandle<()>>,
    /// Where it listens, once it does.
    pub(crate) address: Option<String>,
    /// The first key, if this is the first start, and it listens.
    pub(crate) key: Option<String>,
}

impl Start {
    /// Starts it, and waits for nothing.
    pub(crate) fn start(&self) -> Result<Serving> {
        let mut arguments: Vec<OsString> = vec!["serve".into(), "--log".into(), "json".into()];
        arguments.extend(["--data".into(), self.data.as_os_str().to_owned()]);
        arguments.extend(["--config".into(), self.config.as_os_str().to_owned()]);
        let mut command = Command::new(&self.program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child =
            command.spawn().with_context(|| format!("cannot start {}", self.program.display()))?;
        let stderr = child.stderr.take().context("what it says is piped")?;
        let log = OpenOptions::new().create(true).append(true).open(&self.log);
        let log = log.with_context(|| format!("cannot write to {}", self.log.display()))?;
        let (said, lines) = channel();
        // What it says is read to its end, so that it never waits for a reader.
        let reader = std::thread::spawn(move || listen(BufReader::new(stderr), log, &said));
        Ok(Serving { child, said: lines, reader: Some(reader), address: None, key: None })
    }
}

fn listen(lines: impl BufRead, mut log: File, said: &Sender<Said>) {
    for line in lines.lines() {
        let Ok(line) = line else { break };
        let _ = writeln!(log, "{line}");
        let its = if let Some(key) = line.trim().strip_prefix("header  Authorization: ApiKey ") {
            Some(Said::Key(key.to_owned()))
        } else {
            let line: Option<Value> = serde_json::from_str(&line).ok();
            let listening = line.filter(|it| it["code"] == LISTENING);
            listening.and_then(|it| it["address"].as_str().map(|it| Said::Listens(it.to_owned())))
        };
        if let Some(its) = its {
            // Whoever asked may know enough.
            let _ = said.send(its);
        }
    }
}

impl Serving {
    /// Waits until it answers; at its first start until it has told its key, too.
    pub(crate) fn is_ready(&mut self, is_first: bool) -> Result<String> {
        while self.address.is_none() || is_first && self.key.is_none() {
            match self.said.recv_timeout(START) {
                Ok(Said::Key(key)) => self.key = Some(key),
                Ok(Said::Listens(address)) => self.address = Some(address),
                Err(_) => bail!("the server did not start: what it said is in its log"),
            }
        }
        self.address.clone().context("it said where it listens")
    }

    /// Its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it at once, as `kill -9` does.
    pub(crate) fn kill(mut self) -> Result<()> {
        self.child.kill().context("it cannot be killed")?;
        self.end().map(drop)
    }

    /// Asks it to end, and waits until it did.
    pub(crate) fn stop(self) -> Result<ExitStatus> {
        let id = self.child.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &id]).status().context("there is no `kill`")?;
        anyhow::ensure!(asked.success(), "the server was gone before it was asked to stop");
        self.end()
    }

    fn end(mut self) -> Result<ExitStatus> {
        let status = self.child.wait().context("it cannot be waited for")?;
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
        Ok(status)
    }
}

/// Whoever gives up leaves no server behind.
impl Drop for Serving {
    fn drop(&mut self) {
        if self.reader.is_some() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// The program of this build: the one beside this one, made now.
pub(crate) fn program() -> Result<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the workspace has a folder")?;
    let mut command = Command::new(option_env!("CARGO").unwrap_or("cargo"));
    command.current_dir(root).args(["build", "--quiet", "--package", "cli", "--bin", "trailwarden"]);
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    anyhow::ensure!(command.status().context("cannot start cargo")?.success(), "trailwarden cannot be built");
    let itself = std::env::current_exe()?;
    Ok(itself.with_file_name(format!("trailwarden{}", std::env::consts::EXE_SUFFIX)))
}
