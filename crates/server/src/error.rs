//! Why a server cannot run.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use live::LiveError;
use store::StoreError;

/// What keeps a server from running, or from doing what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Somebody else has the address, or it is none of this machine's.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the operating system said.
        source: io::Error,
    },
    /// The store refused.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// Notifications refused.
    #[error("{0}")]
    Notify(#[from] notify::NotifyError),
    /// Detection refused.
    #[error("{0}")]
    Live(#[from] LiveError),
    /// The operating system refused.
    #[error("`{}`: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// The file of keys is not as it was written.
    #[error("the keys (`{}`) cannot be read: {detail}; put the file of a backup there, or remove it: the next start makes a new admin key, and all others are void", path.display())]
    Keys {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// There is no randomness.
    #[error("the operating system gives no random bytes")]
    Random,
    /// There are too many keys.
    #[error("there are {limit} keys, and no more can be made; revoke some")]
    TooManyKeys {
        /// The limit.
        limit: usize,
    },
    /// The key is the last one that can make others.
    #[error("it is the last key of an admin; make another one first")]
    LastAdmin,
    /// Threads or sockets cannot be had.
    #[error("the server cannot start: {source}")]
    Start {
        /// What the operating system said.
        source: io::Error,
    },
    /// There can be no such socket.
    #[error("no socket can be made at `{}`: {detail}", path.display())]
    Socket {
        /// Its file.
        path: PathBuf,
        /// What is in the way.
        detail: String,
    },
    /// The certificate or its key cannot be used.
    #[error("`{}`: {detail}", path.display())]
    Tls {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// A source that this program cannot read.
    #[error(
        "source `{source_name}` is a bucket, and this program was built without what reads buckets (feature `s3`)"
    )]
    NoBuckets {
        /// Its name.
        source_name: String,
    },
}

impl ServeError {
    /// A stable code for documentation and tests. Codes are never reused.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Listen { .. } => "SRV001",
            Self::Store(error) => error.code(),
            Self::Live(error) => error.code(),
            Self::Notify(error) => error.code(),
            Self::Io { .. } => "SRV002",
            Self::Keys { .. } => "SRV003",
            Self::Random => "SRV004",
            Self::TooManyKeys { .. } => "SRV005",
            Self::LastAdmin => "SRV006",
            Self::Start { .. } => "SRV007",
            Self::Tls { .. } => "SRV008",
            Self::Socket { .. } => "SRV036",
            Self::NoBuckets { .. } => "SRV055",
        }
    }
}
