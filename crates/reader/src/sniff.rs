//! Tells by its first bytes what a file is. Names lie: what S3 and browsers call `.gz` is often unpacked.

use crate::envelope::may_hold_json;
use crate::known::{MAGICS, Other, TEXTS};
use crate::prefix::fits;

/// How many bytes are looked at: the magic of a tar archive ends at 262.
pub(crate) const HEAD: usize = 512;

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// Nothing but white space, as far as can be seen.
    Blank,
    /// Text, which may be JSON.
    Text,
    /// Gzip.
    Gzip,
    /// Zstandard.
    Zstd,
    /// bzip2.
    Bzip2,
    /// XZ.
    Xz,
    /// A zip archive.
    Zip,
    /// A tar archive.
    Tar,
    /// Text in UTF-16.
    Utf16,
    /// Known by its first bytes, and not read.
    Known(Other),
    /// Anything else.
    Binary,
}

/// What a file with these first bytes is.
pub(crate) fn sniff(head: &[u8]) -> Content {
    let head = &head[..head.len().min(HEAD)];
    match head {
        [0x1F, 0x8B, ..] => return Content::Gzip,
        [0x28, 0xB5, 0x2F, 0xFD, ..] | [0x50..=0x5F, 0x2A, 0x4D, 0x18, ..] => return Content::Zstd,
        // A block follows, or at once the end.
        [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, ..]
        | [b'B', b'Z', b'h', b'1'..=b'9', 0x17, 0x72, 0x45, ..] => return Content::Bzip2,
        [0xFD, b'7', b'z', b'X', b'Z', 0, ..] => return Content::Xz,
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => return Content::Zip,
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] | [b'{' | b'[', 0, ..] | [0, b'{' | b'[', ..] => {
            return Content::Utf16;
        }
        _ => {}
    }
    if let Some((_, other)) = MAGICS.iter().find(|(magic, _)| head.starts_with(magic)) {
        return Content::Known(*other);
    }
    if head.get(257..262) == Some(b"ustar") {
        return Content::Tar;
    }
    let text = head.strip_prefix(BOM).unwrap_or(head);
    if text.iter().all(|&byte| byte <= b' ' && byte != 0) {
        return Content::Blank;
    }
    // No text holds control characters, except white space, the record separator of JSON sequences and escape.
    let foreign = |&byte: &u8| byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0C | 0x1B | 0x1E);
    let starts_json = matches!(text.trim_ascii_start().first(), Some(b'{' | b'['));
    if !starts_json && text.iter().any(foreign) { Content::Binary } else { Content::Text }
}

/// Whether a text begins like JSON, or is blank as far as can be seen.
pub(crate) fn begins_like_json(head: &[u8]) -> bool {
    match head.strip_prefix(BOM).unwrap_or(head).trim_ascii_start() {
        [b'"', first, ..] => may_hold_json(*first),
        [first, ..] => matches!(first, b'{' | b'['),
        [] => true,
    }
}

/// What a text that does not is, if it is known.
pub(crate) fn known_text(head: &[u8]) -> Option<Other> {
    let text = head.strip_prefix(BOM).unwrap_or(head).trim_ascii_start();
    TEXTS.iter().find(|(pattern, _)| fits(text, pattern)).map(|(_, other)| *other)
}

/// The byte order mark that some programs put before UTF-8.
pub(crate) const BOM: &[u8] = b"\xEF\xBB\xBF";
