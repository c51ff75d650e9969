//! Numbers and words.

use simd_json::StaticNode;

/// So many digits fit a 64-bit integer, whatever they are.
const SAFE_DIGITS: usize = 18;

/// What the number or word `text` is. `None` if it is neither, or one that parsers disagree about.
pub(crate) fn scalar(text: &str) -> Option<StaticNode> {
    let bytes = text.as_bytes();
    match bytes {
        b"true" => return Some(StaticNode::Bool(true)),
        b"false" => return Some(StaticNode::Bool(false)),
        b"null" => return Some(StaticNode::Null),
        _ => {}
    }
    let digits = bytes.strip_prefix(b"-").unwrap_or(bytes);
    let whole = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    // Neither `007` nor `-0`, which is an integer to some and a float to others.
    if whole == 0 || whole > SAFE_DIGITS || digits[0] == b'0' && whole > 1 || bytes == b"-0" {
        return None;
    }
    if whole == digits.len() {
        let value = digits.iter().fold(0, |value, digit| value * 10 + i64::from(digit - b'0'));
        return Some(if bytes[0] == b'-' {
            StaticNode::I64(-value)
        } else {
            StaticNode::U64(value.unsigned_abs())
        });
    }
    let fraction = digits[whole..].strip_prefix(b".")?;
    if fraction.is_empty() || !fraction.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let value: f64 = text.parse().ok()?;
    Some(StaticNode::F64(value))
}
