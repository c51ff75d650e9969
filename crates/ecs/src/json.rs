//! Reading JSON that others wrote.

use serde_json::Value;

/// Reads a JSON text. Half a surrogate pair in it becomes U+FFFD: see [`mend_surrogates`].
pub fn parse(text: &str) -> serde_json::Result<Value> {
    serde_json::from_str(text).or_else(|error| {
        let mut mended = text.as_bytes().to_vec();
        if mend_surrogates(&mut mended) { serde_json::from_slice(&mended) } else { Err(error) }
    })
}

/// Replaces every escaped half of a surrogate pair by U+FFFD. Returns whether there was any.
///
/// Such a half stands for no character, and parsers refuse the text that holds one. Whoever can write it into a
/// request could hide the call.
pub fn mend_surrogates(text: &mut [u8]) -> bool {
    let (mut at, mut any) = (0, false);
    while let Some(found) = text.get(at..).and_then(|rest| rest.iter().position(|&byte| byte == b'\\')) {
        at += found;
        match (unit(text, at), unit(text, at + 6)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => at += 12,
            (Some(0xd800..=0xdfff), _) => {
                text[at + 2..at + 6].copy_from_slice(b"fffd");
                any = true;
                at += 6;
            }
            _ => at += 2,
        }
    }
    any
}

/// The code of the escape `\uXXXX` that begins at `at`.
fn unit(text: &[u8], at: usize) -> Option<u16> {
    let digits = text.get(at..at + 6)?.strip_prefix(b"\\u")?;
    u16::from_str_radix(std::str::from_utf8(digits).ok().filter(|it| !it.starts_with('+'))?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_surrogate_pair_is_a_replacement_character() {
        for (written, read) in [
            (r"\ud83d", "\u{FFFD}"),
            (r"a\uDFFFb", "a\u{FFFD}b"),
            (r"\ud83d\ud83d\ude00", "\u{FFFD}😀"),
            (r"\ude00\ud83d", "\u{FFFD}\u{FFFD}"),
            (r"\\ud800\ud800", "\\ud800\u{FFFD}"),
            (r"\ud83d\ude00", "😀"),
        ] {
            let text = format!(r#"{{"a":"{written}","{written}":1}}"#);
            let value = parse(&text).unwrap();
            assert_eq!(value["a"], read, "{written}");
            assert_eq!(value[read], 1, "{written}");
        }
        for broken in [r#""\ud83d"#, r#"{"a":"\ud83d",}"#, r#""\ud83""#, r#""\u+123""#, ""] {
            assert!(parse(broken).is_err(), "{broken}");
        }
    }
}
