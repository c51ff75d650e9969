//! What texts are in other codes: Base64, per cent, hashes; and the paths of JSON.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::Digest as _;

use crate::cells::Text;
use crate::column::Column;
use crate::kernel::{At, map1, map2};
use crate::warnings::Failure;

/// As Java's `Character.isWhitespace` has it.
pub(super) fn is_white_space(it: char) -> bool {
    matches!(it, '\t'..='\r' | '\u{1c}'..='\u{20}' | '\u{1680}' | '\u{2000}'..='\u{2006}' | '\u{2008}'..='\u{200a}'
        | '\u{2028}' | '\u{2029}' | '\u{205f}' | '\u{3000}')
}

pub(super) fn reverse(text: &str) -> String {
    text.chars().rev().collect()
}

pub(super) fn from_base64(a: &Column, at: &mut At<'_>) -> Column {
    map1::<Text, Text>(a, at, |text| {
        let bare = text.trim_end_matches('=');
        let wrong = bare.bytes().find(|it| !it.is_ascii_alphanumeric() && !b"+/".contains(it));
        if let Some(wrong) = wrong {
            return Err(Failure::Argument(format!("Illegal base64 character {wrong:x}")));
        }
        let engine = base64::engine::general_purpose::GeneralPurpose::new(
            &base64::alphabet::STANDARD,
            base64::engine::general_purpose::NO_PAD.with_decode_allow_trailing_bits(true),
        );
        let bytes = engine
            .decode(bare)
            .map_err(|_| Failure::Argument("Input byte array has incorrect ending byte".to_owned()))?;
        Ok(String::from_utf8_lossy(&bytes).as_ref().into())
    })
}

pub(super) fn to_base64(a: &Column, at: &mut At<'_>) -> Column {
    map1::<Text, Text>(a, at, |text| Ok(STANDARD.encode(text.as_bytes()).into()))
}

pub(super) fn url_decode(a: &Column, at: &mut At<'_>) -> Column {
    map1::<Text, Text>(a, at, |text| {
        let mut bytes = Vec::with_capacity(text.len());
        let mut rest = text.as_bytes();
        while let Some((&byte, after)) = rest.split_first() {
            rest = after;
            match byte {
                b'+' => bytes.push(b' '),
                b'%' => {
                    let digits = after.get(..2).and_then(|it| std::str::from_utf8(it).ok());
                    let value = digits
                        .filter(|it| it.bytes().all(|it| it.is_ascii_hexdigit()))
                        .and_then(|it| u8::from_str_radix(it, 16).ok());
                    let Some(value) = value else {
                        return Err(Failure::Argument(
                            "URLDecoder: Illegal hex characters in escape (%) pattern".to_owned(),
                        ));
                    };
                    bytes.push(value);
                    rest = &after[2..];
                }
                _ => bytes.push(byte),
            }
        }
        Ok(String::from_utf8_lossy(&bytes).as_ref().into())
    })
}

/// `plus`: a blank is a `+`.
pub(super) fn url_encode(text: &str, plus: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric()
            || b"-_.".contains(&byte)
            || (byte == b'*' && plus)
            || (byte == b'~' && !plus)
        {
            out.push(char::from(byte));
        } else if byte == b' ' && plus {
            out.push('+');
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, it| text + &format!("{it:02x}"))
}

/// By the names that Java has.
pub(super) fn digest(algorithm: &str, text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    Some(match algorithm.to_ascii_lowercase().as_str() {
        "md5" => hex(&md5(bytes)),
        "sha" | "sha1" | "sha-1" => hex(&sha1::Sha1::digest(bytes)),
        "sha224" | "sha-224" => hex(&sha2::Sha224::digest(bytes)),
        "sha256" | "sha-256" => hex(&sha2::Sha256::digest(bytes)),
        "sha384" | "sha-384" => hex(&sha2::Sha384::digest(bytes)),
        "sha512" | "sha-512" => hex(&sha2::Sha512::digest(bytes)),
        _ => return None,
    })
}

pub(super) fn hash(algorithm: &Column, a: &Column, at: &mut At<'_>) -> Column {
    map2::<Text, Text, Text>((algorithm, a), at, |algorithm, text| {
        let wrong = || Failure::Argument(format!("{algorithm} MessageDigest not available"));
        digest(algorithm, text).map(Into::into).ok_or_else(wrong)
    })
}

/// RFC 1321.
fn md5(bytes: &[u8]) -> [u8; 16] {
    const SHIFTS: [[u32; 4]; 4] = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]];
    let mut padded = bytes.to_vec();
    padded.push(0x80);
    while padded.len() % 64 != 56 {
        padded.push(0);
    }
    padded.extend_from_slice(&(bytes.len() as u64).wrapping_mul(8).to_le_bytes());
    let mut state = [0x6745_2301_u32, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];
    for block in padded.as_chunks::<64>().0 {
        let words: Vec<u32> = block.as_chunks::<4>().0.iter().map(|it| u32::from_le_bytes(*it)).collect();
        let [mut a, mut b, mut c, mut d] = state;
        for step in 0..64_usize {
            let (mix, word) = match step / 16 {
                0 => ((b & c) | (!b & d), step),
                1 => ((d & b) | (!d & c), (5 * step + 1) % 16),
                2 => (b ^ c ^ d, (3 * step + 5) % 16),
                _ => (c ^ (b | !d), 7 * step % 16),
            };
            let sine = (((step + 1) as f64).sin().abs() * 4_294_967_296.0) as u32;
            let turned = a
                .wrapping_add(mix)
                .wrapping_add(sine)
                .wrapping_add(words[word])
                .rotate_left(SHIFTS[step / 16][step % 4]);
            (a, d, c, b) = (d, c, b, b.wrapping_add(turned));
        }
        for (kept, new) in state.iter_mut().zip([a, b, c, d]) {
            *kept = kept.wrapping_add(new);
        }
    }
    let mut out = [0; 16];
    for (place, word) in out.as_chunks_mut::<4>().0.iter_mut().zip(state) {
        *place = word.to_le_bytes();
    }
    out
}

/// A step into a JSON value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum JsonStep {
    Key(String),
    Index(usize),
}

/// `$.a.b[0]['c.d']`; the beginning may be left out.
pub(crate) fn parse_json_path(path: &str) -> Option<Vec<JsonStep>> {
    let mut rest = path.strip_prefix('$').unwrap_or(path);
    let mut steps = Vec::new();
    let mut is_first = true;
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let quote = inner.chars().next().filter(|it| *it == '\'' || *it == '"');
            if let Some(quote) = quote {
                let end = inner[1..].find(quote)? + 1;
                steps.push(JsonStep::Key(inner[1..end].to_owned()));
                rest = inner[end + 1..].strip_prefix(']')?;
            } else {
                let end = inner.find(']')?;
                steps.push(JsonStep::Index(inner[..end].parse().ok()?));
                rest = &inner[end + 1..];
            }
        } else {
            let key = match rest.strip_prefix('.') {
                Some(key) => key,
                None if is_first => rest,
                None => return None,
            };
            let end = key.find(['.', '[']).unwrap_or(key.len());
            if end == 0 {
                return None;
            }
            steps.push(JsonStep::Key(key[..end].to_owned()));
            rest = &key[end..];
        }
        is_first = false;
    }
    Some(steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes() {
        for (algorithm, text, expected) in [
            ("MD5", "", "d41d8cd98f00b204e9800998ecf8427e"),
            ("md5", "message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
            ("SHA-1", "abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
            ("SHA-256", "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        ] {
            assert_eq!(digest(algorithm, text).as_deref(), Some(expected), "{algorithm}");
        }
        let long = "1234567890".repeat(8);
        assert_eq!(digest("md5", &long).as_deref(), Some("57edf4a22be3c955ac49da2e2107b67a"));
        assert_eq!(digest("crc", "x"), None);
    }

    #[test]
    fn paths() {
        let key = |it: &str| JsonStep::Key(it.to_owned());
        for path in ["$.a[0]['b.c']", "a[0]['b.c']", ".a[0][\"b.c\"]"] {
            assert_eq!(parse_json_path(path).unwrap(), [key("a"), JsonStep::Index(0), key("b.c")], "{path}");
        }
        assert_eq!(parse_json_path("$"), Some(vec![]));
        assert!(["a[", "a[x]", "a..b", "a[0]b"].iter().all(|it| parse_json_path(it).is_none()));
    }

    #[test]
    fn urls() {
        assert_eq!(url_encode("a b/ü~*", true), "a+b%2F%C3%BC%7E*");
        assert_eq!(url_encode("a b~*", false), "a%20b~%2A");
    }
}
