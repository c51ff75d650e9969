//! JSON as text.

use std::fmt::Write as _;

/// Bytes that are looked at in one step.
const STEP: usize = 32;

/// Appends a text in quotes, escaped as [`serde_json`] does it.
pub fn write_text(text: &str, out: &mut String) {
    out.push('"');
    let mut rest = text;
    loop {
        let plain = plain_len(rest.as_bytes());
        out.push_str(&rest[..plain]);
        let Some(&byte) = rest.as_bytes().get(plain) else { break };
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            0x08 => out.push_str("\\b"),
            0x0c => out.push_str("\\f"),
            _ => _ = write!(out, "\\u{byte:04x}"),
        }
        rest = &rest[plain + 1..];
    }
    out.push('"');
}

/// How many bytes stand before the first that needs an escape. A step without any is one look at all of it.
fn plain_len(bytes: &[u8]) -> usize {
    let is_plain = |byte: &u8| *byte >= 0x20 && *byte != b'"' && *byte != b'\\';
    let mut len = 0;
    for step in bytes.chunks_exact(STEP) {
        if !step.iter().fold(true, |all, byte| all & is_plain(byte)) {
            break;
        }
        len += STEP;
    }
    len + bytes[len..].iter().take_while(|byte| is_plain(byte)).count()
}

/// Appends a JSON text without white space as [`serde_json`] prints it for people.
pub fn indent(json: &str, out: &mut String) {
    let bytes = json.as_bytes();
    let (mut depth, mut start, mut in_text, mut at) = (0, 0, false, 0);
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", depth));
    };
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if in_text => at += 1,
            b'"' => in_text = !in_text,
            _ if in_text => {}
            b'{' | b'[' => {
                out.push_str(&json[start..=at]);
                start = at + 1;
                if matches!(bytes.get(at + 1), Some(b'}' | b']')) {
                    at += 1;
                } else {
                    depth += 1;
                    line(out, depth);
                }
            }
            b'}' | b']' => {
                out.push_str(&json[start..at]);
                start = at;
                depth -= 1;
                line(out, depth);
            }
            b',' => {
                out.push_str(&json[start..=at]);
                start = at + 1;
                line(out, depth);
            }
            b':' => {
                out.push_str(&json[start..=at]);
                out.push(' ');
                start = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    out.push_str(&json[start..]);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::json;
    use super::*;

    proptest! {
        #[test]
        fn people_read_it_as_serde_json_prints_it(value in json()) {
            let mut out = String::new();
            indent(&value.to_string(), &mut out);
            prop_assert_eq!(out, serde_json::to_string_pretty(&value).unwrap());
        }
    }
}
