//! A server with a data directory of its own, and a client that knows no more of HTTP than it must.

use std::io::{Read, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::{Value, json};
use server::{Clock, Config, Log, LogFormat, Options, ReadAgain, Rules, ServeError, Stopper, config};

/// The time of the server.
pub(crate) const NOW: i64 = 1_772_500_000_000;

/// A server that runs. It stops when dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    /// The first key, of an admin; nothing if there was one.
    pub(crate) admin: Option<String>,
    /// Its time.
    pub(crate) clock: Arc<AtomicI64>,
    /// What it reads when its configuration is to be read again.
    pub(crate) text: Arc<Mutex<String>>,
    stopper: Stopper,
    thread: Option<JoinHandle<Result<(), ServeError>>>,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Asserts the status, and gives the body.
    pub(crate) fn is(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        if self.body.is_empty() { Value::Null } else { self.json() }
    }

    /// Asserts that it is an error of the one shape with this code.
    pub(crate) fn problem(&self, status: u16, code: &str) -> Value {
        let body = self.is(status);
        assert_eq!((&body["status"], &body["code"]), (&json!(status), &json!(code)), "{self:?}");
        for member in ["type", "title", "detail"] {
            assert!(body[member].as_str().is_some_and(|it| !it.is_empty()), "{member}: {self:?}");
        }
        body
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|it| it.split_once(": "));
        lines.find(|it| it.0.eq_ignore_ascii_case(name)).map(|it| it.1)
    }
}

impl Server {
    /// Starts one with this configuration.
    pub(crate) fn start(data: &Path, text: &str) -> Self {
        Self::start_with(data, text, None)
    }

    /// Starts one that has something to read as its standard input.
    pub(crate) fn start_with(data: &Path, text: &str, stdin: Option<Box<dyn Read + Send>>) -> Self {
        let config = configured(text).unwrap();
        let text = Arc::new(Mutex::new(text.to_owned()));
        let its = Arc::clone(&text);
        let read_again: ReadAgain = Box::new(move || configured(&its.lock().unwrap()));
        let now = Arc::new(AtomicI64::new(NOW));
        let time = Arc::clone(&now);
        let clock: Clock = Arc::new(move || time.load(Relaxed));
        let is_builtin = config.rules.builtin;
        let set =
            if is_builtin { rule::builtin(rule::GuideLanguage::English) } else { rule::RuleSet::default() };
        let rules = Rules { exceptions: set.exceptions, all: set.rules, normalise: normalise(), begin: None };
        let log = Log::new(LogFormat::Json, Arc::clone(&clock));
        let options = Options {
            config,
            rules,
            data: data.to_owned(),
            stdin,
            read_again: Some(read_again),
            version: "0.0.0-test",
            clock,
            log,
            #[cfg(feature = "s3")]
            aws: Arc::new(aws),
        };
        let stopper = Stopper::default();
        let (ready, is_ready) = mpsc::channel();
        let its = stopper.clone();
        let thread = std::thread::spawn(move || {
            server::run(options, &its, move |running| {
                let _ = ready.send((running.address, running.first_key.map(|it| it.encoded())));
            })
        });
        let Ok((address, admin)) = is_ready.recv() else { panic!("{}", thread.join().unwrap().unwrap_err()) };
        Self { address, admin, clock: now, text, stopper, thread: Some(thread) }
    }

    /// Asks as the first admin.
    pub(crate) fn ask(&self, method: &str, path: &str, body: impl AsRef<[u8]>) -> Answer {
        self.ask_with(self.admin.as_deref(), method, path, &[], body.as_ref())
    }

    pub(crate) fn ask_with(
        &self,
        key: Option<&str>,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\ncontent-length: {}\r\n",
            body.len()
        );
        if let Some(key) = key {
            head += &format!("authorization: ApiKey {key}\r\n");
        }
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        self.raw(&[head.as_bytes(), b"\r\n", body].concat())
    }

    /// Sends this, and reads to the end.
    pub(crate) fn raw(&self, bytes: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        // Who has answered may not read the rest.
        let _ = stream.write_all(bytes);
        let mut text = Vec::new();
        let _ = stream.read_to_end(&mut text);
        let text = String::from_utf8_lossy(&text).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text}"));
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head: head.to_owned(), body: body.to_owned() }
    }

    /// A key of a role.
    pub(crate) fn key(&self, role: &str) -> String {
        let made = self.ask(
            "POST",
            "/api/v1/keys",
            json!({"name": format!("the {role}"), "role": role}).to_string(),
        );
        made.is(201)["encoded"].as_str().unwrap().to_owned()
    }

    /// The account of a source.
    pub(crate) fn account(&self, source: &str) -> Value {
        let sources = self.ask("GET", "/api/v1/sources", "").is(200);
        let all = sources["sources"].as_array().unwrap();
        all.iter().find(|it| it["name"] == source).map_or(Value::Null, |it| it["account"].clone())
    }

    /// Waits until it has ended by itself.
    pub(crate) fn ends(mut self) {
        self.thread.take().unwrap().join().unwrap().unwrap();
    }

    pub(crate) fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.stopper.stop();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap().unwrap();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.end();
        }
    }
}

/// The configuration of a text.
fn configured(text: &str) -> Result<Config, String> {
    let text = text.replace("[server]", "[server]\nlisten = \"127.0.0.1:0\"");
    let text =
        if text.contains("[server]") { text } else { format!("[server]\nlisten = \"127.0.0.1:0\"\n{text}") };
    let read = config::read(Some(("test", &text)), Path::new(""), &|_| None, &[]);
    read.map(|it| it.config).map_err(|all| all[0].message.clone())
}

/// Who asks for buckets; where they are, the configuration says.
#[cfg(feature = "s3")]
fn aws() -> Result<bucket::Settings, bucket::BucketError> {
    let variables = [("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "secret")];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Ok(bucket::Settings::of(&variables.into(), &|_| None)?.with_pause(Duration::from_millis(1)))
}

/// As hunts make events.
pub(crate) fn normalise() -> cloudtrail::Options {
    cloudtrail::Options {
        tags: vec!["forwarded".to_owned(), "aws-cloudtrail".to_owned(), "actor_target_mapping".to_owned()],
        envelope: Some(cloudtrail::Envelope::default()),
        ..cloudtrail::Options::default()
    }
}

/// A record of CloudTrail.
pub(crate) fn record(id: &str, day: usize) -> Value {
    json!({
        "eventVersion": "1.08",
        "eventTime": format!("2026-03-0{day}T10:00:00Z"),
        "eventSource": "ec2.amazonaws.com",
        "eventName": "RunInstances",
        "awsRegion": "eu-west-1",
        "sourceIPAddress": "203.0.113.20",
        "userIdentity": {"type": "IAMUser", "userName": "ci", "accountId": "111122223333"},
        "eventID": id,
        "eventType": "AwsApiCall",
    })
}

/// The ids of all events of a store.
pub(crate) fn ids(data: &Path) -> Vec<String> {
    let Ok(store) = store::Store::open(data) else { return Vec::new() };
    let mut ids = Vec::new();
    for input in store.inputs().unwrap_or_default() {
        let segment = input.segment().unwrap();
        segment
            .read(None, &mut |it| {
                let record: Value = serde_json::from_str(it.text).unwrap();
                ids.push(record["eventID"].as_str().or(it.id).unwrap_or_default().to_owned());
                std::ops::ControlFlow::Continue(())
            })
            .unwrap();
    }
    ids.sort();
    ids
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Waits until something holds, as long as is reasonable.
pub(crate) fn wait(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..600 {
        if holds() {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("{what} did not come to pass");
}

/// A folder for a test.
pub(crate) fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    (folder, data)
}
