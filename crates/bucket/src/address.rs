//! Where an object is.

use std::fmt;
use std::str::FromStr;

use crate::BucketError;

/// How addresses begin.
pub(crate) const SCHEME: &str = "s3://";

/// `s3://bucket/key`. The key may be that of an object, or what the keys of some begin with.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// The bucket.
    pub bucket: String,
    /// The key; empty for the whole bucket.
    pub key: String,
}

impl FromStr for Address {
    type Err = BucketError;

    fn from_str(text: &str) -> Result<Self, BucketError> {
        let wrong = || BucketError::Address { address: text.to_owned() };
        let rest = text.strip_prefix(SCHEME).ok_or_else(wrong)?;
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        // More than the rules of Amazon allow, and nothing that changes where a request goes.
        let is_name = |it: u8| it.is_ascii_alphanumeric() || b"-._".contains(&it);
        let is_bucket = !bucket.is_empty()
            && bucket.len() <= 255
            && bucket.bytes().all(is_name)
            && bucket.bytes().any(|it| it != b'.');
        if !is_bucket || key.len() > KEY_BYTES_MAX {
            return Err(wrong());
        }
        Ok(Self { bucket: bucket.to_owned(), key: key.to_owned() })
    }
}

/// The longest key that S3 has.
const KEY_BYTES_MAX: usize = 1_024;

impl fmt::Display for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{SCHEME}{}/{}", self.bucket, self.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for (text, bucket, key) in [
            ("s3://trail", "trail", ""),
            ("s3://trail/", "trail", ""),
            ("s3://trail/AWSLogs", "trail", "AWSLogs"),
            ("s3://my.trail-1/a//b c?d", "my.trail-1", "a//b c?d"),
        ] {
            let it: Address = text.parse().unwrap();
            assert_eq!((&*it.bucket, &*it.key), (bucket, key), "{text}");
        }
        for text in
            ["", "s3:", "s3://", "s3:///key", "s3://a b/c", "s3://a@evil.test/c", "s3://../c", "gs://a/b"]
        {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }
}
