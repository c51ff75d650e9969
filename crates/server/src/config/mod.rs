//! `trailwarden.toml`: what can be set, what is set, and where each value comes from.
//!
//! [`KEYS`] is the one list of what can be set. It makes the template of `config init`, says what a value must be, and what
//! a key was probably meant to be that is none.

mod key;
mod read;
mod receiver;
mod show;
mod value;

use std::net::SocketAddr;
use std::path::PathBuf;

pub use key::{KEYS, Key, Kind, Section};
pub use read::{Configured, Settings, read};
pub use receiver::{NotificationConfig, Protocol, ReceiverConfig, ReceiverKind, Secret};
pub use show::{show, template};
use store::LetterLimits;
pub use value::{Origin, Value};

/// What the server is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Certificate chain and key for TLS, as PEM files.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// Where people reach it, for links in alerts.
    pub public_url: Option<String>,
    /// The longest body of a request that delivers events, as it comes.
    pub body_bytes: usize,
    /// The longest text that such a body may hold, unpacked.
    pub text_bytes: u64,
    /// Bytes of deliveries that wait to be stored before others are told to come again later.
    pub queue_bytes: usize,
    /// Requests that are answered at the same time.
    pub requests: usize,
    /// How long a request may take to arrive, in milliseconds.
    pub request_ms: u64,
    /// Requests that a key may make in a second; 0 is as many as it likes.
    pub rate: u64,
    /// Whether each request is told in the log.
    pub logs_requests: bool,
    /// How far detection may lag behind before the server says that it is not ready, in milliseconds.
    pub behind_ms: u64,
    /// Threads that read and normalise; 0 is one a core.
    pub threads: usize,
    /// What may be kept of what cannot be read, of each source.
    pub letters: LetterLimits,
    /// The sources.
    pub sources: Vec<SourceConfig>,
    /// The rules.
    pub rules: RulesConfig,
    /// Who is told,
    pub receivers: Vec<ReceiverConfig>,
    /// and of what.
    pub notifications: Vec<NotificationConfig>,
}

/// A source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceConfig {
    /// Its name: its account and its metrics go by it.
    pub name: String,
    /// What it is.
    pub kind: SourceKind,
    /// Patterns of the indices whose documents are taken; those of others are dropped, and counted. Empty: all are taken.
    pub indices: Vec<String>,
    /// After so many milliseconds without anything of it somebody is told.
    pub silent_ms: Option<u64>,
}

/// What a source is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceKind {
    /// What is posted to this server.
    Http,
    /// A folder that is watched.
    Folder {
        /// The folder.
        path: PathBuf,
        /// How long it is left alone between two looks, in milliseconds.
        interval_ms: u64,
        /// How long a file must be left as it is before it is read, in milliseconds.
        settle_ms: u64,
    },
    /// The standard input, a record a line.
    Stdin {
        /// Whether the server stops when it ends.
        stops: bool,
    },
    /// A Unix socket, a record a line.
    Unix {
        /// The socket's file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// A bucket.
    S3(S3Config),
}

/// A bucket that is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct S3Config {
    /// The bucket, and what the keys of its objects begin with.
    pub url: String,
    /// The queue that tells of new objects.
    pub queue: Option<String>,
    /// How long it is left alone between two looks for new objects, in milliseconds.
    pub listing_ms: u64,
    /// How long between two listings of all objects, in milliseconds.
    pub reconcile_ms: u64,
    /// What is older is left alone.
    pub since_ms: Option<i64>,
    /// Where it is, if not on AWS.
    pub endpoint: Option<String>,
    /// Its region.
    pub region: Option<String>,
}

impl SourceKind {
    /// Its name, as `type` has it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Folder { .. } => "folder",
            Self::Stdin { .. } => "stdin",
            Self::Unix { .. } => "unix",
            Self::S3(_) => "s3",
        }
    }
}

/// Which rules run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RulesConfig {
    /// Files and folders of rules.
    pub paths: Vec<PathBuf>,
    /// Whether the built-in rules run.
    pub builtin: bool,
    /// Only rules whose id, name, tag or type contains one of these texts.
    pub only: Vec<String>,
    /// Executions that were missed for longer than this are a gap, in milliseconds.
    pub catch_up_ms: u64,
}

/// The name of the source that takes what is posted, if the configuration gives it none.
pub const HTTP: &str = "http";
/// The name of the source that is the standard input, likewise.
pub const STDIN: &str = "stdin";
