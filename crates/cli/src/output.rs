//! Where results go.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal as _, Write, stdout};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use reader::{Discovery, Input};
use serde::Serialize;

/// Standard output, or a file.
pub(crate) fn open(path: Option<&Path>) -> anyhow::Result<Box<dyn Write + Send>> {
    Ok(match path {
        None => Box::new(BufWriter::new(stdout())),
        Some(path) => {
            let file = File::create(path).with_context(|| format!("cannot write to `{}`", path.display()))?;
            Box::new(BufWriter::new(file))
        }
    })
}

/// Whether a file can be written, as far as that can be told without touching it: better known before the work
/// than after it.
pub(crate) fn check(path: &Path) -> anyhow::Result<()> {
    let place = || format!("cannot write to `{}`", path.display());
    if path.exists() {
        // Nothing is written: this asks for leave.
        File::options().append(true).open(path).with_context(place)?;
    } else if let Some(folder) = path.parent().filter(|it| !it.as_os_str().is_empty() && !it.is_dir()) {
        bail!("{}: there is no folder `{}`", place(), folder.display());
    }
    Ok(())
}

/// Refuses to write over a file that is read: records are evidence, and the alerts of earlier hunts are not kept twice.
pub(crate) fn spare(path: &Path, inputs: &[PathBuf], more: &[PathBuf]) -> anyhow::Result<()> {
    // Devices and pipes keep nothing that could be lost.
    let Some(own) = path.canonicalize().ok().filter(|it| it.is_file()) else { return Ok(()) };
    // A pipe is read once, and not for this.
    let is_pipe = |it: &Path| {
        it == Path::new("-") || it.metadata().is_ok_and(|found| !found.is_file() && !found.is_dir())
    };
    let files: Vec<PathBuf> =
        inputs.iter().filter(|it| !is_pipe(it) && !reader::is_remote(it)).cloned().collect();
    // What is wrong with the paths is told when they are read.
    let found = Discovery::find(&files, &mut io::empty()).unwrap_or_default();
    let mut read = found.inputs.iter().map(Input::path).chain(more.iter().map(PathBuf::as_path));
    if read.any(|it| it.canonicalize().is_ok_and(|it| it == own)) {
        bail!("`{}` is one of the files that are read: write the result to another one", path.display());
    }
    Ok(())
}

/// Whether results go to a terminal.
pub(crate) fn is_terminal() -> bool {
    stdout().is_terminal()
}

/// Lines that come one by one, until writing fails.
pub(crate) struct Lines {
    out: Box<dyn Write + Send>,
    error: Option<anyhow::Error>,
}

impl Lines {
    pub(crate) fn open(path: Option<&Path>) -> anyhow::Result<Self> {
        Ok(Self { out: open(path)?, error: None })
    }

    /// Writes a value as one line of JSON; says whether there is any use in going on.
    pub(crate) fn json(&mut self, value: &impl Serialize) -> bool {
        let result = serde_json::to_writer(&mut self.out, value)
            .map_err(anyhow::Error::from)
            .and_then(|()| self.out.write_all(b"\n").map_err(anyhow::Error::from));
        self.error = self.error.take().or(result.err());
        self.error.is_none()
    }

    /// Ends the output; says what went wrong on the way.
    pub(crate) fn finish(mut self) -> anyhow::Result<()> {
        let result = match self.error {
            Some(error) => Err(error),
            None => self.out.flush().map_err(anyhow::Error::from),
        };
        result.context("cannot write the result")
    }
}

/// Whether an error means that nobody reads our output any more.
pub(crate) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let io = cause.downcast_ref::<io::Error>().map(io::Error::kind);
        let json = cause.downcast_ref::<serde_json::Error>().and_then(serde_json::Error::io_error_kind);
        let csv = match cause.downcast_ref::<csv::Error>().map(csv::Error::kind) {
            Some(csv::ErrorKind::Io(error)) => Some(error.kind()),
            _ => None,
        };
        io.or(json).or(csv) == Some(io::ErrorKind::BrokenPipe)
    })
}
