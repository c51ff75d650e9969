//! Counts what flows, and stops it where it is too much.

use std::cell::Cell;
use std::error::Error;
use std::io::{self, Read, Seek, SeekFrom};

use crate::{Cause, Limits, RemoteError};

/// What one input has given so far.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    /// Bytes read from the file.
    pub(crate) stored: Cell<u64>,
    /// Bytes that came out of decompressors.
    unpacked: Cell<u64>,
}

/// Counts the bytes read from a file.
pub(crate) struct Stored<'m, R> {
    pub(crate) inner: R,
    pub(crate) meter: &'m Meter,
}

impl<R: Read> Read for Stored<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buf)?;
        self.meter.stored.set(self.meter.stored.get() + read as u64);
        Ok(read)
    }
}

impl<R: Seek> Seek for Stored<'_, R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}

/// Counts the bytes that come out of a decompressor and stops when they are too many.
pub(crate) struct Unpacked<'m, R> {
    pub(crate) inner: R,
    pub(crate) meter: &'m Meter,
    pub(crate) limits: &'m Limits,
}

impl<R: Read> Read for Unpacked<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        // What the limit allows is given to the last byte, however much is asked for at a time. One byte more tells
        // whether there is more.
        let room = self.limits.decompressed_bytes.saturating_sub(self.meter.unpacked.get()).max(1);
        let most = buf.len().min(usize::try_from(room).unwrap_or(usize::MAX));
        let read = self.inner.read(&mut buf[..most])?;
        self.meter.unpacked(read as u64, self.limits)?;
        Ok(read)
    }
}

impl Meter {
    /// Whether so many bytes more are not too many.
    pub(crate) fn allows(&self, bytes: u64, limits: &Limits) -> bool {
        self.check(self.unpacked.get().saturating_add(bytes), limits).is_ok()
    }

    /// Takes note of bytes out of a decompressor. An error if they are too many.
    pub(crate) fn unpacked(&self, bytes: u64, limits: &Limits) -> io::Result<()> {
        self.unpacked.set(self.unpacked.get().saturating_add(bytes));
        self.check(self.unpacked.get(), limits).map_err(limit_reached)
    }

    fn check(&self, unpacked: u64, limits: &Limits) -> Result<(), Cause> {
        if unpacked > limits.decompressed_bytes {
            return Err(Cause::TooBig { limit: limits.decompressed_bytes });
        }
        let allowed = self.stored.get().saturating_mul(limits.ratio);
        if unpacked > limits.ratio_free_bytes && unpacked > allowed {
            return Err(Cause::Ratio { ratio: limits.ratio });
        }
        Ok(())
    }
}

/// A limit, as it travels through other people's readers.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
struct LimitReached(Cause);

/// An error of a reader that is stopped at a limit.
pub(crate) fn limit_reached(cause: Cause) -> io::Error {
    io::Error::other(LimitReached(cause))
}

/// What an error of reading means for the user.
pub(crate) fn cause_of(error: &io::Error) -> Cause {
    let mut inner = error.get_ref().map(|inner| inner as &(dyn Error + 'static));
    while let Some(found) = inner {
        if let Some(LimitReached(cause)) = found.downcast_ref() {
            return cause.clone();
        }
        if let Some(error) = found.downcast_ref::<RemoteError>() {
            return Cause::Remote(error.clone());
        }
        // An archive reader may have wrapped it once more.
        inner = match found.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(wrapped) => Some(wrapped),
            None => found.source(),
        };
    }
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Cause::Truncated,
        _ if error.raw_os_error().is_some() => Cause::Unreadable { detail: error.to_string() },
        _ => Cause::Damaged { detail: error.to_string() },
    }
}
