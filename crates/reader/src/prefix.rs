//! What stands before a record on its line: the time that an export of CloudWatch Logs puts there, the head of a syslog line.

/// Whether `prefix`, which stands between the start of a line and the first bracket on it, is what programs that write logs
/// put before a message: it begins with a time.
pub(crate) fn is_line_prefix(prefix: &[u8]) -> bool {
    let text = without_priority(prefix.trim_ascii_start());
    fits(text, "9999-99-99?99:99") || is_bsd_time(text) || is_epoch(text)
}

/// Syslog begins with `<134>`, or `<134>1 ` since RFC 5424.
fn without_priority(text: &[u8]) -> &[u8] {
    let behind = || {
        let rest = text.strip_prefix(b"<")?;
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let rest = rest[digits..].strip_prefix(b">").filter(|_| (1..=3).contains(&digits))?;
        Some(rest.strip_prefix(b"1 ").unwrap_or(rest))
    };
    behind().unwrap_or(text)
}

/// `May  6 07:08:09`
fn is_bsd_time(text: &[u8]) -> bool {
    const MONTHS: [&[u8]; 12] =
        [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];
    let Some((month, rest)) = text.split_at_checked(3) else { return false };
    MONTHS.contains(&month) && (fits(rest, "  9 99:99:99") || fits(rest, " 99 99:99:99"))
}

/// Seconds or milliseconds since 1970, and white space.
fn is_epoch(text: &[u8]) -> bool {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    matches!(digits, 10 | 13) && matches!(text.get(digits), Some(b' ' | b'\t' | b'.'))
}

/// Whether a text begins so: `9` is any digit, `~` any hexadecimal one, `?` anything, the others are what they are.
pub(crate) fn fits(text: &[u8], pattern: &str) -> bool {
    text.len() >= pattern.len()
        && pattern.bytes().zip(text).all(|(wanted, &byte)| match wanted {
            b'9' => byte.is_ascii_digit(),
            b'~' => byte.is_ascii_hexdigit(),
            b'?' => true,
            _ => byte == wanted,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_begin_with_a_time() {
        for prefix in [
            "2024-05-01T10:00:00.000Z ",
            "2024-05-01 10:00:00,123 INFO app ",
            "2024-05-01T10:00:00.123000+00:00 111122223333_CloudTrail_us-east-1 ",
            "May  6 07:08:09 host app: ",
            "<134>May 16 07:08:09 host app: ",
            "<134>1 2024-05-01T10:00:00Z host app - - - ",
            "1714557600000\t",
            "1714557600.123 ",
        ] {
            assert!(is_line_prefix(prefix.as_bytes()), "{prefix}");
        }
        for prefix in ["", "x", "Mayor ", "2024-05-01 ", "12 ", "Notes on: ", "<a>", "May  x 07:08:09"] {
            assert!(!is_line_prefix(prefix.as_bytes()), "{prefix}");
        }
    }
}
