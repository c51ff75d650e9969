//! Gzip: small files in one piece, big or odd ones as a stream.

use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;

use crate::Limits;
use crate::meter::Meter;

/// The first bytes of each member: magic and method.
const MEMBER: &[u8] = &[0x1F, 0x8B, 8];

/// Decompresses a gzip file in one piece into `text`, whose length after that is how much space it has. The result is
/// the length of the text.
///
/// `None` if the file is not the ordinary kind: too big, damaged, cut, or of several members. The stream then
/// reads whatever can be read of it.
pub(crate) fn whole(
    gzip: &[u8],
    text: &mut Vec<u8>,
    decompressor: &mut libdeflater::Decompressor,
    limits: &Limits,
    meter: &Meter,
) -> Option<usize> {
    let length = u32::from_le_bytes(*gzip.last_chunk::<4>()?) as usize;
    // Deflate makes at most 1,032 bytes of one: a larger promise is a lie that would cost memory.
    if length > limits.whole_text_bytes || length > gzip.len().saturating_mul(1032) {
        return None;
    }
    // What is over a limit is read up to it.
    if !meter.allows(length as u64, limits) {
        return None;
    }
    // A further member may start at each magic number. libdeflate reads the first one only.
    if memchr::memmem::find(&gzip[MEMBER.len()..], MEMBER).is_some() {
        return None;
    }
    if text.len() < length {
        text.resize(length, 0);
    }
    let written = decompressor.gzip_decompress(gzip, &mut text[..length]).ok()?;
    (written == length && meter.unpacked(length as u64, limits).is_ok()).then_some(length)
}

/// How much is decompressed at a time. Where the data is damaged, what the same call gave before is lost.
const PIECE_BYTES: usize = 8 << 10;

/// Decompresses gzip members one after the other.
pub(crate) struct Members<R> {
    current: Option<GzDecoder<R>>,
}

impl<R: BufRead> Members<R> {
    pub(crate) fn new(source: R) -> Self {
        Self { current: Some(GzDecoder::new(source)) }
    }
}

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.current {
            let piece = buf.len().min(PIECE_BYTES);
            let read = member.read(&mut buf[..piece])?;
            if read > 0 || buf.is_empty() {
                return Ok(read);
            }
            let Some(mut source) = self.current.take().map(GzDecoder::into_inner) else { break };
            match source.fill_buf()?.first() {
                Some(0x1F) => self.current = Some(GzDecoder::new(source)),
                // Nothing, or the padding of a tape.
                None | Some(0) => {}
                Some(_) => {
                    return Err(io::Error::new(
                        io::ErrorKind::InvalidData,
                        "something other than gzip follows the gzip data",
                    ));
                }
            }
        }
        Ok(0)
    }
}
