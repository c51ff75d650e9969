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
    if text.len() < length {
        text.resize(length, 0);
    }
    let written = decompressor.gzip_decompress(gzip, &mut text[..length]).ok()?;
    // libdeflate reads the first member only, and a further one may start at each magic number.
    let is_alone = memchr::memmem::find(&gzip[MEMBER.len()..], MEMBER).is_none()
        || ends_with_file(gzip, &text[..written]);
    (written == length && is_alone && meter.unpacked(length as u64, limits).is_ok()).then_some(length)
}

/// Whether the first member, whose text this is, certainly ends with the file. In one file of fifty some bytes are a magic
/// number by chance, and to read it as a stream takes three times as long.
///
/// A member ends with the checksum and the length of its text. If the file ends with those of the first one, and they stand
/// nowhere else in it, there the first one ends.
fn ends_with_file(gzip: &[u8], text: &[u8]) -> bool {
    let mut checksum = libdeflater::Crc::new();
    checksum.update(text);
    let end = [checksum.sum().to_le_bytes(), (text.len() as u32).to_le_bytes()].concat();
    memchr::memmem::find(gzip, &end) == Some(gzip.len() - end.len())
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

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{Compression, write::GzEncoder};
    use proptest::prelude::*;

    use super::*;

    /// A member whose name has the magic number in it, or not.
    fn member(text: &[u8], magic: bool) -> Vec<u8> {
        let name: &[u8] = if magic { MEMBER } else { b"name" };
        let mut out = flate2::GzBuilder::new().filename(name).write(Vec::new(), Compression::fast());
        out.write_all(text).unwrap();
        GzEncoder::finish(out).unwrap()
    }

    /// Texts of few kinds, so that members are often alike.
    fn texts() -> impl Strategy<Value = Vec<(&'static str, bool)>> {
        let text = prop::sample::select(vec!["", "{\"a\":1}", "{\"b\":2}", "{\"longer\":[1,2,3]}"]);
        prop::collection::vec((text, any::<bool>()), 1..4)
    }

    proptest! {
        /// In one piece or not at all.
        #[test]
        fn what_is_read_in_one_piece_is_all(texts in texts(), between in prop::sample::select(vec!["", "\0\0", "x"])) {
            let members: Vec<Vec<u8>> = texts.iter().map(|(text, magic)| member(text.as_bytes(), *magic)).collect();
            let gzip = members.join(between.as_bytes());
            let (limits, meter) = (Limits::default(), Meter::default());
            let mut text = Vec::new();
            let length = whole(&gzip, &mut text, &mut libdeflater::Decompressor::new(), &limits, &meter);
            match length {
                Some(length) => {
                    prop_assert_eq!(texts.len(), 1);
                    prop_assert_eq!(&text[..length], texts[0].0.as_bytes());
                }
                None => prop_assert!(texts.len() > 1 || texts[0].0.is_empty()),
            }
        }
    }
}
