//! A Unix socket: whoever may write to its file delivers records, a line each.
//!
//! Nobody shows a key there: the permissions of the socket's file say who may deliver.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;

use crate::ServeError;
use crate::lines::{End, Lines};

/// Connections of a socket that are open at the same time. Each holds some megabytes at most.
const CONNECTIONS_MAX: usize = 32;
/// How often it is looked whether somebody comes, or whether it is time to stop.
const GLANCE: Duration = Duration::from_millis(50);

/// A socket that listens.
pub(crate) struct Socket {
    listener: UnixListener,
    path: PathBuf,
}

impl Socket {
    /// Makes the socket's file. One that a server left behind that was killed is replaced; any other file is somebody's.
    pub(crate) fn open(path: &Path, mode: u32) -> Result<Self, ServeError> {
        let wrong = |detail: String| ServeError::Socket { path: path.to_owned(), detail };
        let failed = |it: io::Error| ServeError::Socket { path: path.to_owned(), detail: it.to_string() };
        match fs::symlink_metadata(path) {
            Ok(found) if !found.file_type().is_socket() => {
                return Err(wrong("there is another file, which is no socket".to_owned()));
            }
            Ok(_) if UnixStream::connect(path).is_ok() => {
                return Err(wrong("somebody else listens there".to_owned()));
            }
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
        }
        // It has its permissions before anybody can find it by its name.
        let mut new = path.as_os_str().to_owned();
        new.push(".new");
        let new = PathBuf::from(new);
        match fs::remove_file(&new) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
            Ok(()) | Err(_) => {}
        }
        let listener = UnixListener::bind(&new).map_err(failed)?;
        let made = fs::set_permissions(&new, fs::Permissions::from_mode(mode))
            .and_then(|()| fs::rename(&new, path))
            .and_then(|()| listener.set_nonblocking(true));
        if let Err(error) = made {
            let _ = fs::remove_file(&new);
            return Err(failed(error));
        }
        Ok(Self { listener, path: path.to_owned() })
    }

    /// Takes what comes until it is time to stop, and removes the socket's file.
    pub(crate) fn run(self, lines: &Lines) {
        let Self { listener, path } = self;
        let mut open: Vec<JoinHandle<()>> = Vec::new();
        let number = Arc::new(AtomicU64::new(0));
        while !lines.stop.is_set() {
            open.retain(|it| !it.is_finished());
            lines.source.connected(open.len() as u64);
            if open.len() >= CONNECTIONS_MAX {
                // Who comes waits in line.
                lines.stop.wait(GLANCE);
                continue;
            }
            match listener.accept() {
                Ok((stream, _)) => {
                    let (its, number) = (lines.clone(), number.fetch_add(1, Relaxed) + 1);
                    open.push(std::thread::spawn(move || connection(&its, stream, number)));
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => lines.stop.wait(GLANCE),
                Err(error) => {
                    let source = Value::from(lines.source.name());
                    lines.log.warn(
                        "SRV033",
                        &format!("a connection was not accepted: {error}"),
                        &[("source", source)],
                    );
                    lines.stop.wait(GLANCE);
                }
            }
        }
        let _ = fs::remove_file(path);
        for it in open {
            let _ = it.join();
        }
    }
}

fn connection(lines: &Lines, stream: UnixStream, number: u64) {
    // What it inherits of the listener differs from system to system.
    let ready = stream
        .set_nonblocking(false)
        .and_then(|()| stream.set_read_timeout(Some(Duration::from_millis(200))));
    if ready.is_err() {
        return;
    }
    let name = format!("connection {number} of {}", lines.source.name());
    if let End::Failed(error) = lines.take(&name, stream) {
        let source = Value::from(lines.source.name());
        lines.log.warn("SRV034", &format!("{name} broke off: {error}"), &[("source", source)]);
    }
}
