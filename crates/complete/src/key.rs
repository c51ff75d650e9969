//! Public keys: those that `aws cloudtrail list-public-keys` prints, PEM, DER.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use serde_json::Value;

/// Keys to check signatures with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys(Vec<Key>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Key {
    /// What digest files call it by; unknown of a key that came alone.
    fingerprint: Option<String>,
    /// PKCS#1, in DER.
    der: Vec<u8>,
}

/// Why a file holds no keys.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// None of the forms that are read.
    #[error(
        "there is no public key in it; give what `aws cloudtrail list-public-keys` prints, or RSA keys in PEM or DER"
    )]
    NoKey,
    /// A key that is none.
    #[error("key {number} in it is not an RSA key in DER, or not in Base64")]
    NotAKey {
        /// Which, from 1 on.
        number: usize,
    },
}

impl KeyError {
    /// A stable code for documentation and tests. Codes are never reused.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoKey => "DIG010",
            Self::NotAKey { .. } => "DIG011",
        }
    }
}

impl Keys {
    /// Reads the keys of a file.
    pub fn read(file: &[u8]) -> Result<Self, KeyError> {
        let keys = if file.first() == Some(&SEQUENCE) {
            vec![(None, Some(file.to_vec()))]
        } else {
            let text = std::str::from_utf8(file).map_err(|_| KeyError::NoKey)?;
            if text.contains(PEM_BEGIN) { pem(text) } else { json(text).ok_or(KeyError::NoKey)? }
        };
        let key = |(at, (fingerprint, der)): (usize, (Option<String>, Option<Vec<u8>>))| {
            let der = der.as_deref().and_then(pkcs1).ok_or(KeyError::NotAKey { number: at + 1 })?;
            Ok(Key { fingerprint, der: der.to_vec() })
        };
        let keys: Vec<Key> = keys.into_iter().enumerate().map(key).collect::<Result<_, _>>()?;
        if keys.is_empty() { Err(KeyError::NoKey) } else { Ok(Self(keys)) }
    }

    /// Adds the keys of another file.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a key is given under this fingerprint.
    pub(crate) fn has(&self, fingerprint: &str) -> bool {
        self.0.iter().any(|it| it.fingerprint.as_deref() == Some(fingerprint))
    }

    /// The number of a key of this fingerprint, or of one without any, that made the signature.
    pub(crate) fn verify(&self, fingerprint: &str, text: &str, signature: &[u8]) -> Option<usize> {
        let fits = |it: &Key| it.fingerprint.as_deref().is_none_or(|its| its == fingerprint);
        let is_it = |it: &Key| {
            let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &it.der);
            key.verify(text.as_bytes(), signature).is_ok()
        };
        self.0.iter().position(|it| fits(it) && is_it(it))
    }
}

/// A fingerprint, and what may be the key.
type Found = (Option<String>, Option<Vec<u8>>);

fn json(text: &str) -> Option<Vec<Found>> {
    let value: Value = serde_json::from_str(text).ok()?;
    let list = value.get("PublicKeyList").unwrap_or(&value).as_array()?;
    let key = |it: &Value| {
        let text = |name: &str| it.get(name).and_then(Value::as_str);
        (text("Fingerprint").map(str::to_owned), text("Value").and_then(base64))
    };
    Some(list.iter().map(key).collect())
}

const PEM_BEGIN: &str = "-----BEGIN ";

fn pem(text: &str) -> Vec<Found> {
    let block = |block: &str| {
        let (label, rest) = block.split_once("-----")?;
        let (body, _) = rest.split_once("-----END ")?;
        // Certificates and private keys are none.
        label.ends_with("PUBLIC KEY").then(|| base64(body))?
    };
    text.split(PEM_BEGIN).skip(1).map(|it| (None, block(it))).collect()
}

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const SEQUENCE: u8 = 0x30;

/// The key itself: PKCS#1 as it is, or out of what says which kind of key it is.
fn pkcs1(der: &[u8]) -> Option<&[u8]> {
    let (tag, inside, _) = element(der)?;
    let (first, _, rest) = element(inside)?;
    match (tag, first) {
        (SEQUENCE, INTEGER) => Some(der),
        (SEQUENCE, SEQUENCE) => {
            let (tag, bits, _) = element(rest)?;
            // No bit of the last byte is unused.
            (tag == BIT_STRING).then(|| bits.strip_prefix(&[0]))?
        }
        _ => None,
    }
}

/// The tag and the content of the element that stands first, and what follows it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[tag, length], rest) = der.split_first_chunk::<2>()?;
    let (length, rest) = if length < 0x80 {
        (usize::from(length), rest)
    } else {
        let (digits, rest) = rest.split_at_checked(usize::from(length & 0x7F))?;
        // Longer ones are no keys.
        let length =
            (digits.len() <= 4).then(|| digits.iter().fold(0, |all, &it| all << 8 | usize::from(it)))?;
        (length, rest)
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

fn base64(text: &str) -> Option<Vec<u8>> {
    // Lines end anywhere in it.
    let letters: String = text.chars().filter(|it| !it.is_ascii_whitespace()).collect();
    STANDARD.decode(letters).ok()
}
