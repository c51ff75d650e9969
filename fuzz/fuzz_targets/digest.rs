//! Whatever digest files, signatures and keys hold, checking them ends, and says the same in whatever order they came.
#![no_main]

use complete::{Digest, DigestFile, FileFact, Keys, Sha256, StoredSignature, check, signature_in};
use libfuzzer_sys::fuzz_target;

/// Texts are apart by a byte that is in none of them.
const BETWEEN: u8 = 0;

/// A number that depends on the whole text, in place of its hash: what is checked is what follows from hashes.
fn hash(text: &[u8]) -> Sha256 {
    let mut out = [0_u8; 32];
    for (at, byte) in text.iter().enumerate() {
        let place = at % out.len();
        out[place] = out[place].wrapping_mul(31).wrapping_add(*byte);
    }
    Sha256(out)
}

fuzz_target!(|bytes: &[u8]| {
    let (mut digests, mut broken, mut stored, mut keys) = (Vec::new(), Vec::new(), Vec::new(), Keys::default());
    let mut files = Vec::new();
    for (at, text) in bytes.split(|it| *it == BETWEEN).take(64).enumerate() {
        let place = format!("{at}.json");
        match Digest::parse(text) {
            Ok(digest) => {
                _ = digest.trail();
                // Of its files every second is here, and of these every second as it was.
                for (number, file) in digest.files.iter().enumerate().filter(|(number, _)| number % 2 == 0) {
                    let as_it_was = file.hash.filter(|_| number % 4 == 0);
                    files.push(FileFact {
                        place: format!("{place} {number}"),
                        name: file.object.clone(),
                        hash: as_it_was.or_else(|| Some(hash(text))),
                        delivered: Some((digest.account.clone(), digest.trail().region, digest.start, digest.end)),
                    });
                }
                digests.push(DigestFile { place, hash: hash(text), digest });
            }
            Err(error) => {
                assert!(error.code().starts_with("DIG"));
                if let Some((signature, algorithm)) = signature_in(text) {
                    stored.push(StoredSignature { name: place, signature, algorithm });
                } else if let Ok(its) = Keys::read(text) {
                    keys.extend(its);
                } else {
                    broken.push((place, error.to_string()));
                }
            }
        }
    }
    let there = check(digests.clone(), broken.clone(), &stored, &keys, &files);
    digests.reverse();
    broken.reverse();
    stored.reverse();
    files.reverse();
    let back = check(digests, broken, &stored, &keys, &files);
    assert_eq!(there, back);
    assert!(there.vouched() <= there.digests);
});
