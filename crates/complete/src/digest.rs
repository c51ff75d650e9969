//! Digest files: which files CloudTrail delivered in an hour, and which digest came before.

use ecs::Millis;
use serde::Deserialize;

use crate::Sha256;

/// The only algorithms that digest files have named so far.
const HASH: &str = "SHA-256";
pub(crate) const SIGNATURE: &str = "SHA256withRSA";

/// A digest file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest {
    /// Whose files it lists.
    pub account: String,
    /// The first delivery that it is about,
    pub start: Millis,
    /// and the last.
    pub end: Millis,
    /// The same as written: it is signed.
    pub end_text: String,
    /// The bucket that it was delivered to.
    pub bucket: String,
    /// Its name in there.
    pub object: String,
    /// Which key its signature was made with.
    pub fingerprint: String,
    /// How, if it is said.
    pub algorithm: Option<String>,
    /// The digest before it; the first of a chain has none.
    pub previous: Option<Previous>,
    /// The files that it lists.
    pub files: Vec<ListedFile>,
}

/// What a digest says of the one before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Previous {
    /// The bucket.
    pub bucket: String,
    /// The name in there.
    pub object: String,
    /// Its hash; none if it is of a kind that is not known.
    pub hash: Option<Sha256>,
    /// Its signature, in hexadecimal digits as written.
    pub signature: String,
}

/// A file that was delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedFile {
    /// The bucket.
    pub bucket: String,
    /// The name in there.
    pub object: String,
    /// Its hash, out of its compression; none if it is of a kind that is not known.
    pub hash: Option<Sha256>,
}

/// Why a text is no digest file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DigestError {
    /// It is no JSON, or lacks something.
    #[error("this is no whole digest file: {detail}")]
    Form {
        /// What is missing or where it is broken.
        detail: String,
    },
    /// It is called a digest file.
    #[error("this is called a digest file, and is none that can be read to its end")]
    Unread,
    /// A time that is none.
    #[error("the digest's `{field}` is `{text}`, which is no time")]
    Time {
        /// Which.
        field: &'static str,
        /// What it says.
        text: String,
    },
}

impl DigestError {
    /// A stable code for documentation and tests. Codes are never reused.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Form { .. } => "DIG001",
            Self::Time { .. } => "DIG002",
            Self::Unread => "DIG003",
        }
    }
}

/// The file as it is written.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    aws_account_id: String,
    digest_start_time: String,
    digest_end_time: String,
    #[serde(rename = "digestS3Bucket")]
    bucket: String,
    #[serde(rename = "digestS3Object")]
    object: String,
    #[serde(rename = "digestPublicKeyFingerprint", default)]
    fingerprint: Option<String>,
    #[serde(rename = "digestSignatureAlgorithm", default)]
    algorithm: Option<String>,
    #[serde(rename = "previousDigestS3Bucket", default)]
    previous_bucket: Option<String>,
    #[serde(rename = "previousDigestS3Object", default)]
    previous_object: Option<String>,
    #[serde(rename = "previousDigestHashValue", default)]
    previous_hash: Option<String>,
    #[serde(rename = "previousDigestHashAlgorithm", default)]
    previous_hash_algorithm: Option<String>,
    #[serde(rename = "previousDigestSignature", default)]
    previous_signature: Option<String>,
    #[serde(default)]
    log_files: Vec<WireFile>,
}

#[derive(Deserialize)]
struct WireFile {
    #[serde(rename = "s3Bucket")]
    bucket: String,
    #[serde(rename = "s3Object")]
    object: String,
    #[serde(rename = "hashValue")]
    hash: String,
    #[serde(rename = "hashAlgorithm", default)]
    algorithm: Option<String>,
}

/// The hash, if it is of the kind that is known.
fn hash(text: &str, algorithm: Option<&str>) -> Option<Sha256> {
    Sha256::from_hex(text).filter(|_| algorithm.is_none_or(|it| it == HASH))
}

impl Digest {
    /// Reads a digest file.
    pub fn parse(text: &[u8]) -> Result<Self, DigestError> {
        let it: Wire =
            serde_json::from_slice(text).map_err(|error| DigestError::Form { detail: error.to_string() })?;
        let time = |field, text: &str| {
            ecs::date::parse(text).map_err(|_| DigestError::Time { field, text: text.to_owned() })
        };
        let previous = match (it.previous_bucket, it.previous_object) {
            (Some(bucket), Some(object)) => Some(Previous {
                bucket,
                object,
                hash: hash(
                    it.previous_hash.as_deref().unwrap_or_default(),
                    it.previous_hash_algorithm.as_deref(),
                ),
                signature: it.previous_signature.unwrap_or_default(),
            }),
            (None, _) | (_, None) => None,
        };
        let file = |it: WireFile| ListedFile {
            hash: hash(&it.hash, it.algorithm.as_deref()),
            bucket: it.bucket,
            object: it.object,
        };
        Ok(Self {
            account: it.aws_account_id,
            start: time("digestStartTime", &it.digest_start_time)?,
            end: time("digestEndTime", &it.digest_end_time)?,
            end_text: it.digest_end_time,
            bucket: it.bucket,
            object: it.object,
            fingerprint: it.fingerprint.unwrap_or_default(),
            algorithm: it.algorithm,
            previous,
            files: it.log_files.into_iter().map(file).collect(),
        })
    }

    /// What CloudTrail signs of a digest file that has this hash.
    pub fn signed_text(&self, hash: Sha256) -> String {
        // The first of a chain has no signature before it, and says so by the word.
        let previous = self.previous.as_ref().map_or("null", |it| &it.signature);
        format!("{}\n{}/{}\n{hash}\n{previous}", self.end_text, self.bucket, self.object)
    }

    /// The trail, as far as the digest's name tells.
    pub fn trail(&self) -> TrailName {
        TrailName::of(&self.account, &self.object)
    }
}

/// Which trail, and of which region, a digest is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct TrailName {
    /// The region whose files are listed; empty if the name does not tell.
    pub region: String,
    /// The name of the trail; empty if the name does not tell.
    pub trail: String,
    /// Whether it lists files that the digest of their hour did not.
    pub is_backfill: bool,
}

impl TrailName {
    /// `…/ACCOUNT_CloudTrail-Digest_REGION_TRAIL_HOMEREGION_TIME[_backfill].json.gz`; the name of a trail may have
    /// underscores, too.
    fn of(account: &str, object: &str) -> Self {
        let name = object.rsplit('/').next().unwrap_or(object);
        let stem = name.split('.').next().unwrap_or(name);
        let (stem, is_backfill) = match stem.strip_suffix("_backfill") {
            Some(stem) => (stem, true),
            None => (stem, false),
        };
        let parts = stem.strip_prefix(account).and_then(|it| it.strip_prefix("_CloudTrail-Digest_"));
        let parts = parts.and_then(|it| it.split_once('_'));
        let named =
            parts.and_then(|(region, rest)| Some((region, rest.rsplit_once('_')?.0.rsplit_once('_')?.0)));
        let (region, trail) = named.unwrap_or_default();
        Self { region: region.to_owned(), trail: trail.to_owned(), is_backfill }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_trails() {
        let of = |name: &str| {
            let it = TrailName::of("111122223333", name);
            (it.region, it.trail, it.is_backfill)
        };
        let name = "p/AWSLogs/111122223333/CloudTrail-Digest/eu-west-1/2026/03/01/\
                    111122223333_CloudTrail-Digest_eu-west-1_my_main_trail_us-east-1_20260301T010000Z";
        assert_eq!(of(&format!("{name}.json.gz")), ("eu-west-1".into(), "my_main_trail".into(), false));
        assert_eq!(
            of(&format!("{name}_backfill.json.gz")),
            ("eu-west-1".into(), "my_main_trail".into(), true)
        );
        for other in ["", "x", "111122223333_CloudTrail-Digest_eu-west-1.json", "1_CloudTrail-Digest_a_b_c_d"]
        {
            assert_eq!(of(other), (String::new(), String::new(), false), "{other}");
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        let parse = |text: &str| Digest::parse(text.as_bytes()).map_err(|it| (it.code(), it.to_string()));
        assert!(parse("[").is_err_and(|it| it.0 == "DIG001"));
        assert!(parse("{}").is_err_and(|it| it.1.contains("awsAccountId")));
        let text = r#"{"awsAccountId":"1","digestStartTime":"soon","digestEndTime":"","digestS3Bucket":"b","digestS3Object":"o"}"#;
        assert!(parse(text).is_err_and(|it| it.0 == "DIG002" && it.1.contains("soon")));
    }
}
