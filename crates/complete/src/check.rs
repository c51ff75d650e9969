//! Files against the digest files of their trails, and these against each other and their signatures.

use std::collections::{BTreeMap, HashMap};

use ecs::Millis;
use serde_json::Value;

use crate::chain::{Chain, Chains};
use crate::hash::bytes_of_hex;
use crate::listed::{ChangedFile, Listed, MissingFile, NotCovered};
use crate::{Digest, Keys, Sha256, digest};

/// A digest file that is here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DigestFile {
    /// Where.
    pub place: String,
    /// The hash of its text.
    pub hash: Sha256,
    /// What it says.
    pub digest: Digest,
}

/// A signature that was kept beside a digest file: S3 has it among the metadata of the object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSignature {
    /// The name of the file that says so, which begins like that of the digest file.
    pub name: String,
    /// The signature, in hexadecimal digits.
    pub signature: String,
    /// How it was made.
    pub algorithm: Option<String>,
}

/// The signature in what `aws s3api head-object` prints of a digest file.
pub fn signature_in(text: &[u8]) -> Option<(String, Option<String>)> {
    let value: Value = serde_json::from_slice(text).ok()?;
    let metadata = value.get("Metadata")?;
    let text = |name: &str| metadata.get(name).and_then(Value::as_str).map(str::to_owned);
    Some((text("signature")?, text("signature-algorithm")))
}

/// A file that is here, or a member of an archive, and may be one that was delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileFact {
    /// Where.
    pub place: String,
    /// Its path, or that in the archive.
    pub name: String,
    /// The hash of its text; none if it could not be read to its end.
    pub hash: Option<Sha256>,
    /// What its name says about its delivery: account, region, the first and the last time that it can mean.
    pub delivered: Option<(String, String, Millis, Millis)>,
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DigestCheck {
    /// Digest files that were read.
    pub digests: u64,
    /// Those that are none, with why.
    pub unreadable: Vec<(String, String)>,
    /// Whether keys were given.
    pub has_keys: bool,
    /// By bucket, account, region and trail.
    pub chains: Vec<Chain>,
    /// Files that are as a digest says, by their listing.
    pub right: u64,
    /// Listed under a kind of hash that is not known.
    pub unchecked: u64,
    /// Files that are not as a digest says.
    pub changed: Vec<ChangedFile>,
    /// Files that a digest lists and that are not here.
    pub missing: Vec<MissingFile>,
    /// Files that no digest lists.
    pub not_covered: Vec<NotCovered>,
}

impl DigestCheck {
    /// Whether something is changed, missing or broken.
    pub fn is_broken(&self) -> bool {
        let Self { unreadable, chains, changed, missing, .. } = self;
        !(unreadable.is_empty() && changed.is_empty() && missing.is_empty())
            || chains.iter().any(|it| it.problems.iter().any(crate::ChainProblem::is_broken))
    }

    /// Digests that a signature vouches for: their own, or that of one that follows, whose links lead there.
    pub fn vouched(&self) -> u64 {
        self.chains.iter().map(|it| it.vouched).sum()
    }
}

/// How the signature of a digest is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signed {
    Right,
    Wrong,
    /// There is a signature, and no key for it.
    NoKey,
    /// Nobody knows its signature.
    Unsigned,
    /// It was made in a way that is not known.
    Unknown,
}

/// Checks what is here. The result does not depend on the order.
pub fn check(
    mut digests: Vec<DigestFile>,
    unreadable: Vec<(String, String)>,
    stored: &[StoredSignature],
    keys: &Keys,
    files: &[FileFact],
) -> DigestCheck {
    digests.sort_by(|a, b| {
        let key = |it: &DigestFile| (it.digest.end, it.hash);
        key(a).cmp(&key(b)).then_with(|| (&a.digest.object, &a.place).cmp(&(&b.digest.object, &b.place)))
    });
    let count = digests.len() as u64;
    // Copies that are alike are one.
    digests.dedup_by(|a, b| {
        a.hash == b.hash && a.digest.object == b.digest.object && a.digest.bucket == b.digest.bucket
    });
    let signed = signatures(&digests, stored, keys);
    let chains = Chains::new(&digests, &signed);
    let listed = Listed::new(&digests, &chains, files);
    let mut unreadable = unreadable;
    unreadable.sort();
    let has_keys = !keys.is_empty();
    let (chains, counts) = (chains.finish(&listed), listed);
    DigestCheck {
        digests: count,
        unreadable,
        has_keys,
        chains,
        right: counts.right,
        unchecked: counts.unchecked,
        changed: counts.changed,
        missing: counts.missing,
        not_covered: counts.not_covered,
    }
}

/// How the signature of each digest is.
fn signatures(digests: &[DigestFile], stored: &[StoredSignature], keys: &Keys) -> Vec<Signed> {
    // What the digest that follows says,
    let mut known: HashMap<(&str, &str), Vec<&str>> = HashMap::new();
    for previous in digests.iter().filter_map(|it| it.digest.previous.as_ref()) {
        known.entry((&previous.bucket, &previous.object)).or_default().push(&previous.signature);
    }
    // and what lies beside: each is the file whose name it begins with.
    let mut beside: BTreeMap<&str, Vec<&StoredSignature>> = BTreeMap::new();
    for it in stored {
        let end = it.name.find(".json").unwrap_or(it.name.len());
        beside.entry(&it.name[..end]).or_default().push(it);
    }
    // A key without a fingerprint has the one of the digests that it fits.
    let mut fingerprints: HashMap<&str, bool> = HashMap::new();
    let mut judged = Vec::with_capacity(digests.len());
    for DigestFile { hash, digest, .. } in digests {
        let name = digest.object.rsplit('/').next().unwrap_or_default();
        let stem = &name[..name.find(".json").unwrap_or(name.len())];
        let its = beside.get(stem).into_iter().flatten();
        let (mut candidates, mut is_unknown) = (Vec::new(), false);
        for it in its {
            let is_known = it.algorithm.as_deref().is_none_or(|it| it == digest::SIGNATURE);
            is_unknown |= !is_known;
            candidates.extend(is_known.then_some(it.signature.as_str()));
        }
        candidates.extend(known.get(&(&*digest.bucket, &*digest.object)).into_iter().flatten());
        candidates.retain(|it| !it.is_empty());
        is_unknown |= digest.algorithm.as_deref().is_some_and(|it| it != digest::SIGNATURE);
        let signed = if is_unknown {
            Signed::Unknown
        } else if candidates.is_empty() {
            Signed::Unsigned
        } else {
            let text = digest.signed_text(*hash);
            let is_right = |it: &&str| {
                let bytes = bytes_of_hex(it);
                bytes.is_some_and(|it| keys.verify(&digest.fingerprint, &text, &it).is_some())
            };
            if candidates.iter().any(is_right) {
                fingerprints.insert(&digest.fingerprint, true);
                Signed::Right
            } else {
                Signed::Wrong
            }
        };
        judged.push(signed);
    }
    // Wrong is only what a key is there for.
    for (signed, it) in judged.iter_mut().zip(digests) {
        let fingerprint = &*it.digest.fingerprint;
        if *signed == Signed::Wrong && !keys.has(fingerprint) && !fingerprints.contains_key(fingerprint) {
            *signed = Signed::NoKey;
        }
    }
    judged
}
