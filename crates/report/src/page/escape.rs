//! Values in a page: as text between tags, as data for its script. Records are written by whoever attacks.

use serde_json::Value;

use crate::table::is_invisible;

/// Text inside HTML, attribute values included.
pub(crate) fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for it in text.chars() {
        match it {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(it),
            other => out.push(plain(other)),
        }
    }
    out
}

/// A sentence of ours, in which values stand between back-quotes.
pub(crate) fn sentence(text: &str) -> String {
    let mut out = String::new();
    for (at, part) in text.split('`').enumerate() {
        if at % 2 == 1 {
            out += &format!("<code>{}</code>", html(part));
        } else {
            out += &html(part);
        }
    }
    out
}

/// What is made of each of several things, one after the other.
pub(crate) fn each<T>(things: impl IntoIterator<Item = T>, make: impl Fn(T) -> String) -> String {
    things.into_iter().map(make).collect()
}

/// A line of JSON inside a data block: nothing in it ends the block or turns around how it is read.
pub(crate) fn json(value: &Value) -> String {
    let mut out = String::new();
    for it in value.to_string().chars() {
        match it {
            '<' => out.push_str("\\u003c"),
            '>' => out.push_str("\\u003e"),
            '&' => out.push_str("\\u0026"),
            other => out.push(plain(other)),
        }
    }
    out
}

/// A name with its direction turned around reads as another: such a character is shown as one that cannot be shown.
fn plain(it: char) -> char {
    if it.is_control() || is_invisible(it) { '\u{fffd}' } else { it }
}

/// Characters of a value that are shown.
const VALUE_MAX: usize = 4_000;

/// A value that is shown as far as anybody reads it.
pub(crate) fn cut(text: &str) -> String {
    match text.char_indices().nth(VALUE_MAX) {
        Some((at, _)) => format!("{}… ({} bytes)", &text[..at], crate::count(text.len() as u64)),
        None => text.to_owned(),
    }
}

/// `sha256-…` of a text, as a policy names it.
pub(crate) fn digest(text: &str) -> String {
    use sha2::{Digest as _, Sha256};
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = "sha256-".to_owned();
    for three in Sha256::digest(text.as_bytes()).chunks(3) {
        let bits =
            three.iter().fold(0_u32, |bits, &byte| bits << 8 | u32::from(byte)) << (8 * (3 - three.len()));
        for at in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * at) & 63) as usize];
            out.push(if at <= three.len() { char::from(letter) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nothing_gets_out() {
        assert_eq!(html("</script>\u{202e}\"'&\u{0}"), "&lt;/script&gt;\u{fffd}&quot;&#39;&amp;\u{fffd}");
        let line = json(&json!({"a": "</script><!--\u{202e}\u{2028}\n"}));
        assert_eq!(line, "{\"a\":\"\\u003c/script\\u003e\\u003c!--\u{fffd}\u{fffd}\\n\"}");
        assert_eq!(sentence("a `<b>` c"), "a <code>&lt;b&gt;</code> c");
    }

    #[test]
    fn digests() {
        // As any other tool has it.
        assert_eq!(digest(""), "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
        assert_eq!(digest("abc"), "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
    }
}
