//! What the escapes in JSON strings mean.
//!
//! There is one answer to half a surrogate pair, for whoever reads a text: it means U+FFFD. Such a half stands for no
//! character, and most parsers refuse the whole text that holds one. Whoever can write it into a request could hide
//! the call.

use std::ops::RangeInclusive;

const HIGH: RangeInclusive<u32> = 0xD800..=0xDBFF;
const LOW: RangeInclusive<u32> = 0xDC00..=0xDFFF;

/// How many bytes `\uXXXX` takes.
const UNIT_BYTES: usize = 6;

/// Writes what `raw`, the content of a JSON string, means to the front of `out`, which has at least as many bytes. Gives
/// how many it took; nothing if it is no content of a string. Bytes that need no escape are not looked at: whether
/// they may stand there is for the caller to know.
pub fn unescape(raw: &[u8], out: &mut [u8]) -> Option<usize> {
    let (mut from, mut to) = (0, 0);
    while let Some(plain) = memchr::memchr(b'\\', &raw[from..]) {
        out.get_mut(to..to + plain)?.copy_from_slice(&raw[from..from + plain]);
        (from, to) = (from + plain, to + plain);
        let (meant, took) = escape(&raw[from..])?;
        from += took;
        to += meant.encode_utf8(out.get_mut(to..)?.get_mut(..meant.len_utf8())?).len();
    }
    let rest = &raw[from..];
    out.get_mut(to..to + rest.len())?.copy_from_slice(rest);
    Some(to + rest.len())
}

/// What the escape means with which `raw` begins, and how long it is.
fn escape(raw: &[u8]) -> Option<(char, usize)> {
    let meant = match raw.get(1)? {
        letter @ (b'"' | b'\\' | b'/') => char::from(*letter),
        b'b' => '\u{8}',
        b'f' => '\u{C}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => {
            let first = unit(raw)?;
            if HIGH.contains(&first)
                && let Some(second) = raw.get(UNIT_BYTES..).and_then(unit).filter(|it| LOW.contains(it))
            {
                let code = 0x1_0000 + ((first - HIGH.start()) << 10) + (second - LOW.start());
                return Some((char::from_u32(code)?, 2 * UNIT_BYTES));
            }
            return Some((char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER), UNIT_BYTES));
        }
        _ => return None,
    };
    Some((meant, 2))
}

/// The code of the escape `\uXXXX` with which `raw` begins.
fn unit(raw: &[u8]) -> Option<u32> {
    let digits = raw.strip_prefix(b"\\u")?.get(..UNIT_BYTES - 2)?;
    digits.iter().try_fold(0, |unit, &digit| Some(unit * 16 + char::from(digit).to_digit(16)?))
}

/// Replaces each escape in a JSON text that is half a surrogate pair by that of U+FFFD, for a parser that would refuse
/// the text. Returns whether there was any.
pub fn mend_halves(text: &mut [u8]) -> bool {
    let (mut at, mut any) = (0, false);
    while let Some(found) = text.get(at..).and_then(|rest| memchr::memchr(b'\\', rest)) {
        at += found;
        let is_half = |raw: &[u8]| unit(raw).is_some_and(|it| HIGH.contains(&it) || LOW.contains(&it));
        match escape(&text[at..]) {
            Some((char::REPLACEMENT_CHARACTER, took)) if is_half(&text[at..]) => {
                text[at + 2..at + UNIT_BYTES].copy_from_slice(b"fffd");
                any = true;
                at += took;
            }
            Some((_, took)) => at += took,
            None => at += 2,
        }
    }
    any
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn unescaped(raw: &str) -> Option<String> {
        let mut out = vec![0; raw.len()];
        let length = unescape(raw.as_bytes(), &mut out)?;
        Some(std::str::from_utf8(&out[..length]).expect("what was valid is valid without escapes").to_owned())
    }

    fn by_serde(raw: &str) -> serde_json::Result<String> {
        serde_json::from_str(&format!("\"{raw}\""))
    }

    #[test]
    fn half_a_pair_is_a_replacement_character() {
        for (written, read) in [
            (r"\ud83d", "\u{FFFD}"),
            (r"a\uDFFFb", "a\u{FFFD}b"),
            (r"\ud83d\ud83d\ude00", "\u{FFFD}😀"),
            (r"\ude00\ud83d", "\u{FFFD}\u{FFFD}"),
            (r"\ud83d\n", "\u{FFFD}\n"),
            (r"\\ud800\ud800", "\\ud800\u{FFFD}"),
            (r"\ud83d\ude00", "😀"),
            (r"\ufffd", "\u{FFFD}"),
        ] {
            assert_eq!(unescaped(written).as_deref(), Some(read), "{written}");
            let mut mended = written.as_bytes().to_vec();
            mend_halves(&mut mended);
            assert_eq!(by_serde(std::str::from_utf8(&mended).unwrap()).unwrap(), read, "{written}");
        }
    }

    #[test]
    fn what_is_no_escape_is_refused() {
        for raw in ["\\", r"\x", r"\u12", r"\u12g4", r"\u+123", r"a\", r"\ud83d\", r"\ud83d\u12"] {
            assert_eq!(unescaped(raw), None, "{raw}");
        }
    }

    #[test]
    fn too_little_space_is_no_panic() {
        for raw in ["abc", r"abc\n", r"\u4e2d", r"\ud83d\ude00", r"a\nbcd"] {
            for space in 0..raw.len() {
                _ = unescape(raw.as_bytes(), &mut vec![0; space]);
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

        /// What serde_json reads is read alike; what it refuses is refused, but for half a pair.
        #[test]
        fn reads_as_serde_does(pieces in prop::collection::vec(prop::sample::select(vec![
            "plain", "ä", "😀", r#"\""#, r"\\", r"\/", r"\b", r"\f", r"\n", r"\r", r"\t", r"\u00e4", r"\u4E2d", r"\u0000",
            r"\ud83d\ude00", r"\uD83D", r"\ude00", "\\", r"\x", r"\u", r"\u12", "u", "d83d", "\\ud8",
        ]), 0..12)) {
            let raw = pieces.concat();
            // A quote that no backslash hides ends the string: then this is not the content of one.
            prop_assume!(!raw.replace(r"\\", "").replace(r#"\""#, "").contains('"'));
            let mut mended = raw.clone().into_bytes();
            let any = mend_halves(&mut mended);
            let mended = String::from_utf8(mended).expect("only digits were replaced");
            prop_assert_eq!(any, mended != raw);
            prop_assert_eq!(unescaped(&raw), by_serde(&mended).ok(), "{}", raw);
            if let Ok(read) = by_serde(&raw) {
                prop_assert!(!any);
                prop_assert_eq!(unescaped(&raw), Some(read));
            }
        }

        /// Whatever a string holds, its escaped form says it.
        #[test]
        fn reads_what_was_written(text in any::<String>(), units in any::<bool>()) {
            let raw = if units {
                text.encode_utf16().fold(String::new(), |raw, unit| raw + &format!("\\u{unit:04x}"))
            } else {
                let written = serde_json::to_string(&text).expect("a text is JSON");
                written[1..written.len() - 1].to_owned()
            };
            prop_assert_eq!(unescaped(&raw), Some(text));
        }
    }
}
