//! Base64, and what may be compressed in it: how CloudWatch Logs, Kinesis and Firehose hand records on.

use std::io::{self, Read};

use flate2::bufread::MultiGzDecoder;

use crate::Limits;
use crate::meter::{Meter, Unpacked};

/// Shorter texts are not taken for Base64: any word could be.
const BASE64_MIN: usize = 16;

/// Decodes `text` to `out`. `false` if it is no Base64 of anything that could hold a record.
pub(crate) fn base64(text: &[u8], out: &mut Vec<u8>) -> bool {
    out.clear();
    if text.len() < BASE64_MIN {
        return false;
    }
    let text = text.strip_suffix(b"=").unwrap_or(text);
    let text = text.strip_suffix(b"=").unwrap_or(text);
    out.reserve(text.len() / 4 * 3 + 3);
    for group in text.chunks(4) {
        let mut bits = 0_u32;
        for &byte in group {
            let Some(value) = value(byte) else { return false };
            bits = bits << 6 | value;
        }
        let bytes = (bits << (6 * (4 - group.len()))).to_be_bytes();
        match group.len() {
            4 => out.extend_from_slice(&bytes[1..]),
            3 => out.extend_from_slice(&bytes[1..3]),
            2 => out.push(bytes[1]),
            _ => return false,
        }
    }
    is_gzip(out) || memchr::memchr(b'{', out).is_some()
}

fn value(byte: u8) -> Option<u32> {
    let value = match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    };
    Some(u32::from(value))
}

/// Whether what was decoded is compressed.
pub(crate) fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1F, 0x8B])
}

/// Decompresses `packed` to `out`, up to the longest that a record may be with all that is around it.
pub(crate) fn gunzip(packed: &[u8], out: &mut Vec<u8>, meter: &Meter, limits: &Limits) -> io::Result<()> {
    out.clear();
    let inner = MultiGzDecoder::new(packed);
    let bound = limits.record_bytes as u64;
    Unpacked { inner, meter, limits }.take(bound).read_to_end(out)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The plain way to write Base64: bit by bit.
    fn encoded(bytes: &[u8]) -> String {
        const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let bits: Vec<u8> =
            bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)).collect();
        let mut text: String = bits
            .chunks(6)
            .map(|six| (0..6).fold(0, |value, bit| value << 1 | six.get(bit).copied().unwrap_or(0)))
            .map(|value| char::from(LETTERS[usize::from(value)]))
            .collect();
        while !text.len().is_multiple_of(4) {
            text.push('=');
        }
        text
    }

    #[test]
    fn only_what_may_hold_a_record_is_decoded() {
        let mut out = Vec::new();
        assert!(base64(encoded(br#"{"eventName":"a"}"#).as_bytes(), &mut out));
        assert_eq!(out, br#"{"eventName":"a"}"#);
        for text in
            ["e30=", "abcdefghijklmnopqrstuvwx", "eyJldmVudE5hbWUiOiJhIn0!", "eyJldmVudE5hbWUiOiJh\\n"]
        {
            assert!(!base64(text.as_bytes(), &mut out), "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_was_written_is_read(bytes in prop::collection::vec(any::<u8>(), 16..80), padded in any::<bool>()) {
            let bytes = [b"{".to_vec(), bytes].concat();
            let text = encoded(&bytes);
            let text = if padded { &text } else { text.trim_end_matches('=') };
            let mut out = Vec::new();
            prop_assert!(base64(text.as_bytes(), &mut out));
            prop_assert_eq!(out, bytes);
        }
    }
}
