//! Hashes, as digest files write them.

use std::fmt;

/// A SHA-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sha256(pub [u8; 32]);

impl Sha256 {
    /// Reads hexadecimal digits. Digest files have been seen without the leading zeros: what is meant is a number.
    pub fn from_hex(text: &str) -> Option<Self> {
        if text.is_empty() || text.len() > 64 {
            return None;
        }
        let mut bytes = [0; 32];
        let mut digits = text.bytes().rev();
        for byte in bytes.iter_mut().rev() {
            let mut digit = || digits.next().map_or(Some(0), |it| char::from(it).to_digit(16));
            let (low, high) = (digit()?, digit()?);
            *byte = (high << 4 | low) as u8;
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The bytes of hexadecimal digits, two each.
pub(crate) fn bytes_of_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    let nibble = |digit: u8| char::from(digit).to_digit(16);
    let byte = |pair: &[u8]| Some((nibble(pair[0])? << 4 | nibble(pair[1])?) as u8);
    digits.len().is_multiple_of(2).then(|| digits.chunks_exact(2).map(byte).collect())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal() {
        let hash = Sha256::from_hex("1f").unwrap();
        assert_eq!(hash.to_string(), "0".repeat(62) + "1f");
        assert_eq!(Sha256::from_hex(&hash.to_string()), Some(hash));
        assert_eq!(Sha256::from_hex(&"A".repeat(64)).unwrap().0, [0xAA; 32]);
        for text in ["", "0g", "é", &"0".repeat(65)] {
            assert_eq!(Sha256::from_hex(text), None, "{text}");
        }
        assert_eq!(bytes_of_hex("00ff"), Some(vec![0, 255]));
        assert_eq!((bytes_of_hex("0"), bytes_of_hex("zz")), (None, None));
    }
}
