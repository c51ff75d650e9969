//! Chains of digest files that are made here, signed with keys of the tests, and tampered with.

use complete::{
    ChainProblem, ChainStart, Digest, DigestCheck, DigestFile, FileFact, Keys, NotCoveredWhy, Sha256,
    StoredSignature, check,
};
use proptest::prelude::*;
use ring::rand::SystemRandom;
use ring::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};

const ACCOUNT: &str = "111122223333";
const HOUR_MS: i64 = 3_600_000;
/// 2026-03-01T00:00:00Z.
const START_MS: i64 = 1_772_323_200_000;

fn base64(text: &str) -> Vec<u8> {
    let digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut out, mut bits, mut held) = (Vec::new(), 0u32, 0);
    for digit in text.chars().filter_map(|it| digits.find(it)) {
        bits = bits << 6 | digit as u32;
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push((bits >> held) as u8);
        }
    }
    out
}

fn encoded(bytes: &[u8]) -> String {
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for three in bytes.chunks(3) {
        let bits = three.iter().fold(0u32, |all, &it| all << 8 | u32::from(it)) << (8 * (3 - three.len()));
        let four = (0..4).map(|at| digits[(bits >> (18 - 6 * at) & 63) as usize] as char);
        out.extend(four.take(three.len() + 1));
        out.extend(std::iter::repeat_n('=', 3 - three.len()));
    }
    out
}

fn key(name: &str) -> RsaKeyPair {
    let text = std::fs::read_to_string(format!("tests/keys/{name}.base64")).expect("the key is there");
    RsaKeyPair::from_der(&base64(&text)).expect("the key is whole")
}

fn public(key: &RsaKeyPair) -> Vec<u8> {
    key.public_key().as_ref().to_vec()
}

/// As `aws cloudtrail list-public-keys` prints it.
fn listed_keys(keys: &[(&str, &RsaKeyPair)]) -> Keys {
    let list: Vec<Value> = keys
        .iter()
        .map(|(fingerprint, key)| json!({"Value": encoded(&public(key)), "Fingerprint": fingerprint}))
        .collect();
    Keys::read(json!({"PublicKeyList": list}).to_string().as_bytes()).expect("these are keys")
}

fn hash(bytes: &[u8]) -> Sha256 {
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    Sha256(digest.as_ref().try_into().expect("it has 32 bytes"))
}

fn signature(key: &RsaKeyPair, text: &str) -> String {
    let mut bytes = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut bytes).expect("the key signs");
    hex(&bytes)
}

fn hex(bytes: &[u8]) -> String {
    let digit = |it: u8| char::from_digit(u32::from(it), 16).expect("half a byte");
    bytes.iter().flat_map(|it| [digit(it >> 4), digit(it & 15)]).collect()
}

fn digest_of(text: &str) -> Digest {
    Digest::parse(text.as_bytes()).expect("these are digests")
}

fn iso(hour: usize) -> String {
    ecs::date::to_iso(START_MS + hour as i64 * HOUR_MS).replace(".000", "")
}

fn object(hour: usize) -> String {
    let stamp = iso(hour).replace(['-', ':'], "");
    format!(
        "AWSLogs/{ACCOUNT}/CloudTrail-Digest/eu-west-1/2026/03/01/\
         {ACCOUNT}_CloudTrail-Digest_eu-west-1_main_eu-west-1_{stamp}.json.gz"
    )
}

fn log_name(hour: usize, number: usize) -> String {
    format!("{ACCOUNT}_CloudTrail_eu-west-1_202603{:02}T{:02}30Z_x{number}.json.gz", 1 + hour / 24, hour % 24)
}

/// A bucket: texts of digests, signatures, logs.
struct Bucket {
    /// The hour at which it ends, its text and its signature.
    digests: Vec<(usize, String, String)>,
    /// Names and texts.
    logs: Vec<(String, String)>,
}

impl Bucket {
    /// So many hours, each with two files; the chain begins anew at these hours.
    fn new(hours: usize, anew: &[usize], key: &RsaKeyPair) -> Self {
        let mut bucket = Self { digests: Vec::new(), logs: Vec::new() };
        for hour in 0..hours {
            let mut files = Vec::new();
            for number in 0..2 {
                let (name, text) = (log_name(hour, number), format!("{{\"Records\":[{hour},{number}]}}"));
                files.push(json!({
                    "s3Bucket": "trail", "s3Object": format!("AWSLogs/{ACCOUNT}/CloudTrail/eu-west-1/2026/03/01/{name}"),
                    "hashValue": hash(text.as_bytes()).to_string(), "hashAlgorithm": "SHA-256",
                }));
                bucket.logs.push((name, text));
            }
            let before = bucket.digests.last().filter(|_| !anew.contains(&hour));
            let mut digest = json!({
                "awsAccountId": ACCOUNT, "digestStartTime": iso(hour), "digestEndTime": iso(hour + 1),
                "digestS3Bucket": "trail", "digestS3Object": object(hour + 1),
                "digestPublicKeyFingerprint": "f1", "digestSignatureAlgorithm": "SHA256withRSA",
                "previousDigestS3Bucket": null, "previousDigestS3Object": null, "previousDigestHashValue": null,
                "previousDigestHashAlgorithm": null, "previousDigestSignature": null, "logFiles": files,
            });
            if let Some((end, text, signature)) = before {
                digest["previousDigestS3Bucket"] = "trail".into();
                digest["previousDigestS3Object"] = object(*end).into();
                digest["previousDigestHashValue"] = hash(text.as_bytes()).to_string().into();
                digest["previousDigestHashAlgorithm"] = "SHA-256".into();
                digest["previousDigestSignature"] = signature.clone().into();
            }
            let text = digest.to_string();
            let signed = digest_of(&text).signed_text(hash(text.as_bytes()));
            bucket.digests.push((hour + 1, text, signature(key, &signed)));
        }
        bucket
    }

    fn stored(&self, hour: usize) -> StoredSignature {
        let (end, _, signature) = &self.digests[hour];
        let name = object(*end).rsplit('/').next().unwrap_or_default().to_owned() + ".metadata.json";
        StoredSignature { name, signature: signature.clone(), algorithm: Some("SHA256withRSA".to_owned()) }
    }

    fn check(&self, keys: &Keys, stored: &[StoredSignature]) -> DigestCheck {
        let digest = |(at, (_, text, _)): (usize, &(usize, String, String))| DigestFile {
            place: format!("d/{at}"),
            hash: hash(text.as_bytes()),
            digest: digest_of(text),
        };
        let digests = self.digests.iter().enumerate().map(digest).collect();
        let files: Vec<FileFact> = self.logs.iter().map(|(name, text)| file(name, text)).collect();
        check(digests, Vec::new(), stored, keys, &files)
    }
}

fn file(name: &str, text: &str) -> FileFact {
    let stamp = name.split('_').find(|it| it.starts_with("2026"));
    let delivered = stamp.map(|it| {
        let number = |from: usize| it[from..from + 2].parse::<i64>().expect("a number");
        let from = START_MS + ((number(6) - 1) * 24 + number(9)) * HOUR_MS + number(11) * 60_000;
        (ACCOUNT.to_owned(), "eu-west-1".to_owned(), from, from + 59_999)
    });
    FileFact {
        place: format!("somewhere/{name}"),
        name: format!("x/{name}"),
        hash: Some(hash(text.as_bytes())),
        delivered,
    }
}

#[test]
fn a_whole_chain_is_right() {
    let key = key("first");
    let bucket = Bucket::new(5, &[], &key);
    let keys = listed_keys(&[("f1", &key)]);
    let found = bucket.check(&keys, &[]);
    assert!(!found.is_broken(), "{found:?}");
    assert_eq!((found.digests, found.right, found.has_keys), (5, 10, true));
    let [chain] = &found.chains[..] else { panic!("{found:?}") };
    assert_eq!((chain.name.trail.as_str(), chain.start.clone()), ("main", ChainStart::Beginning));
    assert_eq!((chain.from, chain.to), (START_MS, START_MS + 5 * HOUR_MS));
    // Nobody says what the signature of the last one is.
    assert_eq!((chain.signatures.right, chain.signatures.unsigned, chain.vouched), (4, 1, 4));
    let found = bucket.check(&keys, &[bucket.stored(4)]);
    assert_eq!(found.chains[0].signatures.right, 5);

    // One signature is enough for all before it.
    let mut bare = Bucket { digests: bucket.digests.clone(), logs: Vec::new() };
    for (_, text, _) in &mut bare.digests[..4] {
        assert!(text.contains("previousDigestSignature"));
    }
    bare.digests.truncate(5);
    let found = bare.check(&Keys::default(), &[bucket.stored(4)]);
    assert_eq!((found.chains[0].signatures.no_key, found.vouched()), (5, 0));
}

#[test]
fn keys_of_all_forms() {
    let (first, second) = (key("first"), key("second"));
    let bucket = Bucket::new(3, &[], &first);
    let der = public(&first);
    let pem = format!("-----BEGIN RSA PUBLIC KEY-----\n{}\n-----END RSA PUBLIC KEY-----\n", encoded(&der));
    // The same with the algorithm around it.
    let mut bits = vec![0x03, 0x82, 0, 0, 0];
    let length = (der.len() + 1) as u16;
    bits[2..4].copy_from_slice(&length.to_be_bytes());
    bits.extend(&der);
    let algorithm = [0x30, 0x0D, 6, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 1, 5, 0];
    let inside = [&algorithm[..], &bits].concat();
    let spki = [&[0x30, 0x82][..], &(inside.len() as u16).to_be_bytes(), &inside].concat();
    let other = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", encoded(&spki));
    for file in [der.clone(), pem.clone().into_bytes(), spki, other.clone().into_bytes()] {
        let keys = Keys::read(&file).unwrap();
        assert_eq!(bucket.check(&keys, &[]).chains[0].signatures.right, 2);
    }
    // Of several that one counts which fits.
    let both = format!("{}{pem}", String::from_utf8(pem_of(&second)).unwrap());
    assert_eq!(bucket.check(&Keys::read(both.as_bytes()).unwrap(), &[]).chains[0].signatures.right, 2);
    // One that fits nothing says nothing: it may be of another region.
    let alone = bucket.check(&Keys::read(&public(&second)).unwrap(), &[]);
    assert_eq!((alone.chains[0].signatures.no_key, alone.is_broken()), (2, false));
    let named = bucket.check(&listed_keys(&[("f2", &first)]), &[]);
    assert_eq!((named.chains[0].signatures.no_key, named.is_broken()), (2, false));
    // But of this fingerprint it says that the signatures are wrong.
    let wrong = bucket.check(&listed_keys(&[("f1", &second)]), &[]);
    assert_eq!((wrong.chains[0].signatures.wrong, wrong.is_broken()), (2, true));
    for none in [
        "",
        "{}",
        "[]",
        "-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----",
        "0",
        "[{\"Value\":\"!\"}]",
    ] {
        assert!(Keys::read(none.as_bytes()).is_err(), "{none}");
    }
}

fn pem_of(key: &RsaKeyPair) -> Vec<u8> {
    format!("-----BEGIN RSA PUBLIC KEY-----\n{}\n-----END RSA PUBLIC KEY-----\n", encoded(&public(key)))
        .into_bytes()
}

#[test]
fn what_somebody_did_is_found() {
    let key = key("first");
    let keys = listed_keys(&[("f1", &key)]);
    let whole = || Bucket::new(6, &[], &key);

    let mut it = whole();
    it.logs[3].1.push(' ');
    let found = it.check(&keys, &[]);
    assert_eq!((found.right, found.changed.len(), found.missing.len()), (11, 1, 0));
    assert!(found.changed[0].object.ends_with(&log_name(1, 1)) && found.is_broken());

    let mut it = whole();
    let gone = it.logs.remove(4);
    let found = it.check(&keys, &[]);
    assert_eq!((found.right, found.changed.len(), found.missing.len()), (11, 0, 1));
    assert!(found.missing[0].object.ends_with(&gone.0) && found.is_broken());

    // Under another name and unpacked it is the same file; a changed copy beside it is told all the same.
    let mut it = whole();
    it.logs[4].0 = "renamed.json".to_owned();
    assert!(!it.check(&keys, &[]).is_broken());
    let mut it = whole();
    it.logs.push((it.logs[4].0.replace(".gz", ""), "{}".to_owned()));
    let found = it.check(&keys, &[]);
    assert_eq!((found.right, found.changed.len()), (12, 1));

    let mut it = whole();
    it.digests.remove(2);
    let found = it.check(&keys, &[]);
    let missing = ChainProblem::Missing {
        object: object(3),
        wanted_by: object(4),
        from: START_MS + 2 * HOUR_MS,
        to: START_MS + 3 * HOUR_MS,
    };
    assert_eq!(found.chains[0].problems, [missing]);
    let why: Vec<NotCoveredWhy> = found.not_covered.iter().map(|it| it.why).collect();
    assert_eq!(why, [NotCoveredWhy::InGap; 2], "nobody lists the files of the missing digest");

    // A file struck off the list of a digest.
    let mut it = whole();
    let mut digest: Value = serde_json::from_str(&it.digests[2].1).unwrap();
    digest["logFiles"].as_array_mut().unwrap().pop();
    it.digests[2].1 = digest.to_string();
    let found = it.check(&keys, &[]);
    assert_eq!(
        found.chains[0].problems,
        [
            ChainProblem::WrongSignature { object: object(3) },
            ChainProblem::BrokenLink { object: object(3), next: object(4) }
        ]
    );
    assert_eq!(found.not_covered[0].why, NotCoveredWhy::NotListed);
    // Nothing vouches for what it links to but that one's own signature; the link alone tells it without keys, too.
    assert!(it.check(&Keys::default(), &[]).is_broken());

    // The last one has only what was kept beside it.
    let mut it = whole();
    let mut digest: Value = serde_json::from_str(&it.digests[5].1).unwrap();
    digest["logFiles"] = json!([]);
    it.digests[5].1 = digest.to_string();
    assert!(!it.check(&keys, &[]).is_broken());
    assert_eq!(it.check(&keys, &[]).chains[0].signatures.unsigned, 1);
    let found = it.check(&keys, &[it.stored(5)]);
    assert_eq!(found.chains[0].problems, [ChainProblem::WrongSignature { object: object(6) }]);

    // Signatures of two digests change places.
    let it = whole();
    let swapped = StoredSignature { signature: it.digests[2].2.clone(), ..it.stored(5) };
    assert!(it.check(&keys, &[swapped]).is_broken());

    // A digest and a forged copy of it.
    let mut it = whole();
    let mut forged: Value = serde_json::from_str(&it.digests[2].1).unwrap();
    forged["logFiles"] = json!([]);
    it.digests.push((3, forged.to_string(), String::new()));
    let found = it.check(&keys, &[]);
    assert_eq!(found.right, 12, "the one counts that the next one names");
    assert!(
        matches!(&found.chains[0].problems[..], [ChainProblem::Copies { places, .. }] if places.len() == 2)
    );
}

#[test]
fn where_a_chain_begins_and_ends() {
    let key = key("first");
    let keys = listed_keys(&[("f1", &key)]);
    let mut it = Bucket::new(6, &[3], &key);
    it.logs.push((log_name(30, 0), "late".to_owned()));
    it.logs.push(("notes.json".to_owned(), "[]".to_owned()));
    let found = it.check(&keys, &[]);
    let at = START_MS + 3 * HOUR_MS;
    assert_eq!(found.chains[0].problems, [ChainProblem::Interrupted { from: at, to: at }]);
    assert!(!found.is_broken(), "that is a matter of the trail");
    let why: Vec<NotCoveredWhy> = found.not_covered.iter().map(|it| it.why).collect();
    assert_eq!(why, [NotCoveredWhy::After, NotCoveredWhy::Unnamed]);

    it.digests.drain(..2);
    let found = it.check(&keys, &[]);
    assert_eq!(found.chains[0].start, ChainStart::Cut { previous: object(2) });
    assert_eq!(found.not_covered.iter().filter(|it| it.why == NotCoveredWhy::Before).count(), 4);
    let none = Bucket { digests: Vec::new(), logs: it.logs }.check(&keys, &[]);
    assert_eq!(none.not_covered.iter().filter(|it| it.why == NotCoveredWhy::NoChain).count(), 13);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(24) })]

    /// Whatever is done to a bucket whose last signature is known, it is found; and nothing else is.
    #[test]
    fn tampering_is_found(hours in 2usize..6, at in 0usize..100, what in 0usize..7) {
        let key = key("first");
        let keys = listed_keys(&[("f1", &key)]);
        let mut bucket = Bucket::new(hours, &[], &key);
        let stored = [bucket.stored(hours - 1)];
        let (digest, log) = (at % hours, at % (2 * hours));
        let inner = at % (hours - 1);
        match what {
            0 => {}
            1 => drop(bucket.logs.remove(log)),
            2 => bucket.logs[log].1.push('x'),
            // The first may be missing: then the chain is given from there on.
            3 => drop(bucket.digests.remove(inner)),
            4 => bucket.digests[digest].1 = bucket.digests[digest].1.clone() + " ",
            5 => {
                let text = bucket.digests[digest].1.clone();
                bucket.digests[digest].1 = text.replacen("hashValue\":\"", "hashValue\":\"0", 1).replacen("0\",\"hashAlgorithm", "\",\"hashAlgorithm", 1) + "\n";
            }
            _ => {
                let (a, b) = (log, (log + 1) % bucket.logs.len());
                let text = std::mem::replace(&mut bucket.logs[a].1, "{\"Records\":[]}".to_owned());
                bucket.logs[b].1 = text;
            }
        }
        let found = bucket.check(&keys, &stored);
        let is_cut = what == 3 && inner == 0;
        prop_assert_eq!(found.is_broken(), what != 0 && !is_cut, "{:?}", found);
        if is_cut {
            let starts_cut = matches!(found.chains[0].start, ChainStart::Cut { .. });
            prop_assert!(starts_cut);
            prop_assert_eq!(found.not_covered.len(), 2);
        }
    }

    /// Nothing a digest says makes it panic: links in circles, times of any order, names of any kind.
    #[test]
    fn hostile_digests(digests in prop::collection::vec(hostile(), 0..8), names in prop::collection::vec("[a-c/_.]{0,6}", 0..4)) {
        let digests: Vec<DigestFile> = digests
            .iter()
            .enumerate()
            .filter_map(|(at, text)| {
                let digest = Digest::parse(text.as_bytes()).ok()?;
                Some(DigestFile { place: at.to_string(), hash: hash(text.as_bytes()), digest })
            })
            .collect();
        let files: Vec<FileFact> = names.iter().map(|name| file(name, name)).collect();
        let stored: Vec<StoredSignature> = names
            .iter()
            .map(|name| StoredSignature { name: name.clone(), signature: name.clone(), algorithm: None })
            .collect();
        let keys = listed_keys(&[("f", &key("first"))]);
        let found = check(digests.clone(), Vec::new(), &stored, &keys, &files);
        let mut turned = digests;
        turned.reverse();
        prop_assert_eq!(check(turned, Vec::new(), &stored, &keys, &files), found);
    }
}

fn hostile() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec!["a", "b/c", "1_CloudTrail-Digest_r_t_r_x.json.gz", "é", ""]);
    let time = prop::sample::select(vec![
        "1970-01-01",
        "2026-03-01T00:00:00Z",
        "9999-12-31",
        "0001-01-01T00:00:00Z",
    ]);
    (name.clone(), name, time.clone(), time, any::<bool>(), "[0-9a-fz]{0,4}").prop_map(
        |(object, previous, start, end, linked, hash)| {
            json!({
                "awsAccountId": "1", "digestStartTime": start, "digestEndTime": end, "digestS3Bucket": "b",
                "digestS3Object": object, "digestPublicKeyFingerprint": "f",
                "previousDigestS3Bucket": linked.then_some("b"), "previousDigestS3Object": previous,
                "previousDigestHashValue": hash, "previousDigestSignature": hash,
                "logFiles": [{"s3Bucket": "b", "s3Object": previous, "hashValue": hash}],
            })
            .to_string()
        },
    )
}
