//! Durations of rules, such as `5m`.

use ecs::Millis;

/// More digits than any duration has.
const MAX_DIGITS: usize = 9;

/// Reads a whole number and one of `units` (of `s`, `m`, `h`, `d`).
pub(crate) fn duration(text: &str, units: &str) -> Option<Millis> {
    let unit = text.chars().last().filter(|unit| units.contains(*unit))?;
    let digits = &text[..text.len() - unit.len_utf8()];
    if digits.is_empty() || digits.len() > MAX_DIGITS || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: Millis = digits.parse().ok()?;
    let unit = match unit {
        's' => 1_000,
        'm' => 60_000,
        'h' => 3_600_000,
        'd' => 86_400_000,
        _ => return None,
    };
    Some(number * unit)
}

/// A time in words: `1h 30m`.
pub(crate) fn words(millis: Millis) -> String {
    let units = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s"), (1, "ms")];
    let mut rest = millis.unsigned_abs();
    let mut parts = Vec::new();
    for (size, name) in units {
        if rest >= size {
            parts.push(format!("{}{name}", rest / size));
            rest %= size;
        }
    }
    if parts.is_empty() { "0s".to_owned() } else { parts.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        assert_eq!(duration("5m", "smhd"), Some(300_000));
        assert_eq!(duration("1d", "smhd"), Some(86_400_000));
        assert_eq!(duration("0m", "smhd"), Some(0));
        for text in ["", "m", "5", "5w", "-5m", "1.5h", "5M", "9999999999d", "5č"] {
            assert_eq!(duration(text, "smhd"), None, "{text}");
        }
        assert_eq!(duration("1d", "smh"), None);
        assert_eq!(words(5_400_000), "1h 30m");
        assert_eq!(words(0), "0s");
    }
}
