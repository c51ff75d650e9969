//! Who may ask, and for what.
//!
//! A key is an id and a secret of 256 random bits; the file keeps the SHA-256 of the secret. A slow hash (argon2id) is for
//! passwords, which people choose and others guess: nobody guesses 256 bits, however quick the hash, and a hash that takes
//! long for every request would let anybody without a key keep the server busy.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use ecs::Millis;
use ring::rand::{SecureRandom as _, SystemRandom};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::ServeError;

/// Base64 as headers have it; clients differ in whether they pad it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The file in the data directory.
pub(crate) const FILE: &str = "keys.json";

/// What a key may do. Each role but the last may do what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Reads alerts and what is known of the server.
    Viewer,
    /// Also works on alerts.
    Analyst,
    /// Also delivers events.
    Engineer,
    /// Also makes and revokes keys.
    Admin,
    /// Delivers events and does nothing else: for shippers.
    Shipper,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Viewer, Self::Analyst, Self::Engineer, Self::Admin, Self::Shipper];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Analyst => "analyst",
            Self::Engineer => "engineer",
            Self::Admin => "admin",
            Self::Shipper => "shipper",
        }
    }

    /// That of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == name)
    }

    /// Whether it may do what this one may.
    pub fn may(self, needed: Self) -> bool {
        match (self, needed) {
            (Self::Shipper, needed) => needed == Self::Shipper,
            (role, Self::Shipper) => role >= Self::Engineer,
            (role, needed) => role >= needed,
        }
    }
}

/// A key, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// Its id.
    pub id: String,
    /// Whose it is, or what for.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// When it was made, in milliseconds since 1970.
    pub created_ms: Millis,
    /// The SHA-256 of its secret.
    sha256: String,
}

/// A key with its secret, which is told once.
#[derive(Clone, PartialEq, Eq)]
pub struct NewKey {
    /// The key.
    pub key: Key,
    /// The secret.
    pub secret: String,
}

impl NewKey {
    /// As it stands in `Authorization: ApiKey …`.
    pub fn encoded(&self) -> String {
        BASE64.encode(format!("{}:{}", self.key.id, self.secret))
    }
}

/// The file.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    format: u32,
    keys: Vec<Key>,
}

/// The format of the file.
const FORMAT: u32 = 1;

/// The most keys.
const KEYS_MAX: usize = 10_000;

/// All keys.
pub(crate) struct Keys {
    path: PathBuf,
    keys: RwLock<BTreeMap<String, Key>>,
}

impl Keys {
    /// Reads the keys of a data directory; makes the first one if there is none, for an admin.
    pub(crate) fn open(folder: &Path, now: Millis) -> Result<(Self, Option<NewKey>), ServeError> {
        let path = folder.join(FILE);
        let keys = match fs::read(&path) {
            Ok(bytes) => {
                let kept: Kept = serde_json::from_slice(&bytes)
                    .map_err(|it| ServeError::Keys { path: path.clone(), detail: it.to_string() })?;
                if kept.format != FORMAT {
                    let detail = format!("it has format {}, and this version knows {FORMAT}", kept.format);
                    return Err(ServeError::Keys { path, detail });
                }
                kept.keys.into_iter().map(|it| (it.id.clone(), it)).collect()
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Err(source) => return Err(ServeError::Io { path, source }),
        };
        let is_new = keys.is_empty();
        let keys = Self { path, keys: RwLock::new(keys) };
        let first = is_new.then(|| keys.make("first", Role::Admin, now)).transpose()?;
        Ok((keys, first))
    }

    /// Makes a key.
    pub(crate) fn make(&self, name: &str, role: Role, now: Millis) -> Result<NewKey, ServeError> {
        let (id, secret) = (random::<8>()?, random::<32>()?);
        let key = Key { id, name: name.to_owned(), role, created_ms: now, sha256: digest(&secret) };
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        if keys.len() >= KEYS_MAX {
            return Err(ServeError::TooManyKeys { limit: KEYS_MAX });
        }
        let mut changed = keys.clone();
        changed.insert(key.id.clone(), key.clone());
        self.write(&changed)?;
        *keys = changed;
        Ok(NewKey { key, secret })
    }

    /// Revokes a key; says whether there was one. The last key of an admin stays, or nobody could make another.
    pub(crate) fn revoke(&self, id: &str) -> Result<bool, ServeError> {
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        let mut changed = keys.clone();
        if changed.remove(id).is_none() {
            return Ok(false);
        }
        if !changed.values().any(|it| it.role == Role::Admin) {
            return Err(ServeError::LastAdmin);
        }
        self.write(&changed)?;
        *keys = changed;
        Ok(true)
    }

    /// All keys, by id.
    pub(crate) fn list(&self) -> Vec<Key> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// The key of an `Authorization` header: `ApiKey` or `Bearer` with `base64(id:secret)`, or `Basic` with the id as the
    /// user and the secret as the password.
    pub(crate) fn authenticate(&self, header: &str) -> Option<Key> {
        let (scheme, encoded) = header.trim().split_once(' ')?;
        if !["apikey", "bearer", "basic"].contains(&&*scheme.to_ascii_lowercase()) {
            return None;
        }
        let decoded = String::from_utf8(BASE64.decode(encoded.trim()).ok()?).ok()?;
        let (id, secret) = decoded.split_once(':')?;
        let given = digest(secret);
        let key = self.keys.read().unwrap_or_else(PoisonError::into_inner).get(id).cloned()?;
        // As long for any two: how much of a hash is right is nobody's business.
        let differs = key.sha256.bytes().zip(given.bytes()).fold(0, |all, (a, b)| all | (a ^ b));
        (key.sha256.len() == given.len() && differs == 0).then_some(key)
    }

    fn write(&self, keys: &BTreeMap<String, Key>) -> Result<(), ServeError> {
        let kept = Kept { format: FORMAT, keys: keys.values().cloned().collect() };
        let text = serde_json::to_string_pretty(&kept).expect("keys are texts and numbers");
        let write = || {
            let new = self.path.with_extension("json.new");
            let mut file = private(&new)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&new, &self.path)?;
            if let Some(folder) = self.path.parent().filter(|_| cfg!(unix)) {
                File::open(folder)?.sync_all()?;
            }
            Ok(())
        };
        write().map_err(|source| ServeError::Io { path: self.path.clone(), source })
    }
}

/// A new file that nobody else reads.
fn private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// So many random bytes, in hexadecimal.
fn random<const N: usize>() -> Result<String, ServeError> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| ServeError::Random)?;
    Ok(hex(&bytes))
}

fn digest(secret: &str) -> String {
    hex(&Sha256::digest(secret.as_bytes()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, it| text + &format!("{it:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_kept_without_their_secrets_and_known_again() {
        let folder = tempfile::tempdir().unwrap();
        let (keys, first) = Keys::open(folder.path(), 1).unwrap();
        let first = first.unwrap();
        let viewer = keys.make("screen", Role::Viewer, 2).unwrap();
        let text = fs::read_to_string(folder.path().join(FILE)).unwrap();
        assert!(!text.contains(&first.secret) && !text.contains(&viewer.secret));
        let (keys, again) = Keys::open(folder.path(), 3).unwrap();
        assert!(again.is_none(), "the first key is told once");
        for key in [&first, &viewer] {
            let basic = BASE64.encode(format!("{}:{}", key.key.id, key.secret));
            for header in
                [format!("ApiKey {}", key.encoded()), format!("basic {basic}"), format!("Bearer  {basic}")]
            {
                assert_eq!(keys.authenticate(&header).unwrap(), key.key, "{header}");
            }
        }
        assert!(keys.revoke(&viewer.key.id).unwrap() && !keys.revoke(&viewer.key.id).unwrap());
        assert!(keys.authenticate(&format!("ApiKey {}", viewer.encoded())).is_none());
        assert!(matches!(keys.revoke(&first.key.id), Err(ServeError::LastAdmin)));
        assert!(keys.authenticate(&format!("ApiKey {}", first.encoded())).is_some());
    }

    #[test]
    fn what_is_no_key_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let (keys, first) = Keys::open(folder.path(), 1).unwrap();
        let first = first.unwrap();
        let of = |text: &str| BASE64.encode(text);
        let id = &first.key.id;
        for header in [
            String::new(),
            "ApiKey".to_owned(),
            "ApiKey ".to_owned(),
            format!("Digest {}", first.encoded()),
            format!("ApiKey {}", of(id)),
            format!("ApiKey {}", of(&format!("{id}:"))),
            format!("ApiKey {}", of(&format!("{id}:{}0", first.secret))),
            format!("ApiKey {}", of(&format!("{id}:{}", &first.secret[1..]))),
            format!("ApiKey {}", of(&format!(":{}", first.secret))),
            format!("ApiKey {}", of(&format!("{id}:{}", first.key.sha256))),
            format!("ApiKey {id}:{}", first.secret),
            "ApiKey ****".to_owned(),
        ] {
            assert!(keys.authenticate(&header).is_none(), "{header}");
        }
    }

    #[test]
    #[cfg(unix)]
    fn nobody_else_reads_the_file() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        Keys::open(folder.path(), 1).unwrap();
        let mode = fs::metadata(folder.path().join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0);
    }

    #[test]
    fn a_damaged_file_is_told_and_nobody_gets_in() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE), "{\"format\":1").unwrap();
        assert!(matches!(Keys::open(folder.path(), 1), Err(ServeError::Keys { .. })));
        fs::write(folder.path().join(FILE), "{\"format\":9,\"keys\":[]}").unwrap();
        assert!(matches!(Keys::open(folder.path(), 1), Err(ServeError::Keys { .. })));
    }

    #[test]
    fn who_may_do_what() {
        let table: [(Role, [bool; 5]); 5] = [
            // viewer, analyst, engineer, admin, shipper
            (Role::Viewer, [true, false, false, false, false]),
            (Role::Analyst, [true, true, false, false, false]),
            (Role::Engineer, [true, true, true, false, true]),
            (Role::Admin, [true, true, true, true, true]),
            (Role::Shipper, [false, false, false, false, true]),
        ];
        for (role, expected) in table {
            assert_eq!(Role::ALL.map(|needed| role.may(needed)), expected, "{role:?}");
            assert_eq!(Role::from_name(role.as_str()), Some(role));
        }
    }
}
