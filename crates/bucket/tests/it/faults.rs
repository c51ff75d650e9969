//! What goes wrong between here and a bucket.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::time::{Duration, Instant};

use bucket::{Address, BucketError, Client, Listing, Object, Settings};
use reader::{Ahead, Begun, Input, Remote as _, RemoteBody};

use crate::fake::{BUCKET, Fake, Fault};

fn client(fake: &Fake) -> Client {
    let variables: BTreeMap<String, String> = [
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_ENDPOINT_URL", &fake.endpoint),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    let settings = Settings::of(&variables, &|_| None).unwrap();
    Client::new(settings.with_pause(Duration::from_millis(1))).unwrap()
}

fn address(key: &str) -> Address {
    Address { bucket: BUCKET.to_owned(), key: key.to_owned() }
}

fn all(client: &Client, prefix: &str) -> Result<Vec<Object>, BucketError> {
    let mut all = Vec::new();
    let listing = Listing { bucket: BUCKET.to_owned(), prefix: prefix.to_owned(), ..Listing::default() };
    client.list_all(&listing, &mut all)?;
    Ok(all)
}

fn keys(objects: &[Object]) -> Vec<&str> {
    objects.iter().map(Object::key).collect()
}

/// What reading an object gives, and why not more.
fn read(object: &Object) -> (Vec<u8>, Option<&'static str>) {
    match object.open() {
        Ok(RemoteBody::Whole(bytes, failure)) => (bytes, failure.map(|it| it.code)),
        Ok(RemoteBody::Stream(mut body)) => {
            let mut bytes = Vec::new();
            let failure = body.read_to_end(&mut bytes).err();
            (
                bytes,
                failure.map(|it| it.get_ref().unwrap().downcast_ref::<reader::RemoteError>().unwrap().code),
            )
        }
        Err(error) => (Vec::new(), Some(error.code)),
    }
}

fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|it| (it * 7 % 251) as u8).collect()
}

#[test]
fn every_key_is_listed_whatever_is_in_it() {
    let strange = ["a b+c", "a//b", "a/./b", "ä/ö&<>\"'", "a\u{1}b", "a/../b", "a/b/", "z%20"];
    let objects = strange.iter().map(|it| ((*it).to_owned(), b"x".to_vec()));
    let fake = Fake::start(objects, 3);
    let client = client(&fake);
    let mut expected = strange.to_vec();
    expected.sort_unstable();
    let found = all(&client, "").unwrap();
    assert_eq!(keys(&found), expected);
    // What would be asked for under another name is not asked for.
    for object in &found {
        let expected =
            if object.key().split('/').any(|it| it == "." || it == "..") { Some("BKT016") } else { None };
        let (bytes, failure) = read(object);
        assert_eq!((failure, bytes.is_empty()), (expected, expected.is_some()), "{}", object.key());
    }
    let mut folders = Vec::new();
    let listing =
        Listing { bucket: BUCKET.to_owned(), prefix: "a/".to_owned(), is_flat: true, ..Listing::default() };
    client
        .list(&listing, &mut |page| {
            folders.extend(page.folders);
            true
        })
        .unwrap();
    assert_eq!(folders, ["a/../", "a/./", "a//", "a/b/"]);
    let listing =
        Listing { bucket: BUCKET.to_owned(), start_after: Some("a//b".to_owned()), ..Listing::default() };
    let mut after = Vec::new();
    client.list_all(&listing, &mut after).unwrap();
    assert_eq!(keys(&after).first(), Some(&"a/b/"));
    assert_eq!(client.find(&address("a b+c")).unwrap().unwrap().key(), "a b+c");
    assert!(client.find(&address("a")).unwrap().is_none());
}

#[test]
fn what_passes_is_asked_for_again() {
    let fake = Fake::start([("a".to_owned(), bytes(1_000))], 1_000);
    let client = client(&fake);
    for fault in [
        Fault::Status(503, "SlowDown"),
        Fault::Status(500, "InternalError"),
        Fault::Status(429, ""),
        Fault::Status(400, "RequestTimeout"),
        Fault::Silent,
        Fault::Cut(0),
    ] {
        let before = fake.asked().len();
        let told = fault.clone();
        fake.fail(move |request| (request.before % 4 != 3).then(|| told.clone()));
        let found = all(&client, "").unwrap();
        assert_eq!(read(&found[0]), (bytes(1_000), None), "{fault:?}");
        assert!(fake.asked().len() >= before + 8, "{fault:?}");
        fake.fail(|_| None);
        // So that the next round begins at the beginning.
        while !fake.count(|it| it.key == "a").is_multiple_of(4) {
            read(&found[0]);
        }
        while !fake.count(|it| it.key.is_empty()).is_multiple_of(4) {
            all(&client, "").unwrap();
        }
    }
}

#[test]
fn what_does_not_pass_is_told() {
    let fake = Fake::start([("a".to_owned(), bytes(10))], 1_000);
    let client = client(&fake);
    let object = client.look(&address("a")).unwrap();
    for (fault, code, asked) in [
        (Fault::Status(503, "SlowDown"), "BKT010", 8),
        (Fault::Status(403, "AccessDenied"), "BKT006", 1),
        (Fault::Status(403, "InvalidAccessKeyId"), "BKT007", 1),
        (Fault::Status(403, "RequestTimeTooSkewed"), "BKT007", 1),
        (Fault::Status(403, "InvalidObjectState"), "BKT014", 1),
        (Fault::Status(404, "NoSuchKey"), "BKT008", 1),
        (Fault::Status(405, "MethodNotAllowed"), "BKT011", 1),
        (Fault::Silent, "BKT009", 8),
        (Fault::Cut(0), "BKT012", 6),
    ] {
        let before = fake.asked().len();
        let told = fault.clone();
        fake.fail(move |_| Some(told.clone()));
        assert_eq!(read(&object), (Vec::new(), Some(code)), "{fault:?}");
        assert_eq!(fake.asked().len() - before, asked, "{fault:?}");
    }
    for (fault, code) in [
        (Fault::Status(403, "AccessDenied"), "BKT006"),
        (Fault::Status(404, "NoSuchBucket"), "BKT005"),
        (Fault::Stranger("<html>hello</html>"), "BKT015"),
        (Fault::Stranger("{}"), "BKT015"),
    ] {
        let told = fault.clone();
        fake.fail(move |_| Some(told.clone()));
        assert_eq!(all(&client, "").unwrap_err().code(), code, "{fault:?}");
    }
    fake.fail(|_| None);
    let other = Listing { bucket: "other".to_owned(), ..Listing::default() };
    let error = client.list_all(&other, &mut Vec::new()).unwrap_err();
    assert_eq!(error.to_string(), "there is no bucket `other`");
    assert_eq!(client.look(&address("b")).unwrap_err().code(), "BKT008");
}

#[test]
fn a_body_that_ends_early_is_read_on() {
    // One that is held, and one that is not.
    for length in [100_000, 9 << 20] {
        let fake = Fake::start([("a".to_owned(), bytes(length))], 1_000);
        let client = client(&fake);
        let object = client.look(&address("a")).unwrap();
        fake.fail(move |request| {
            (request.method == "GET" && request.before < 5).then_some(Fault::Cut(length / 7))
        });
        assert_eq!(read(&object), (bytes(length), None));
        let first = |request: &crate::fake::Request| request.headers.get("range").cloned();
        let ranges: Vec<_> = fake.asked().iter().filter(|it| it.method == "GET").map(first).collect();
        assert_eq!(ranges[0], None);
        assert_eq!(ranges.len(), 6);
        assert!(ranges[1..].iter().all(Option::is_some), "{ranges:?}");
        assert_eq!(object.head(10).unwrap(), bytes(10));
    }
}

#[test]
fn an_object_that_changes_meanwhile_is_no_mixture() {
    let fake = std::sync::Arc::new(Fake::start([("a".to_owned(), bytes(100_000))], 1_000));
    let client = client(&fake);
    let object = client.look(&address("a")).unwrap();
    fake.fail(|request| (request.method == "GET" && request.before == 0).then_some(Fault::Cut(50_000)));
    let changed = std::thread::spawn({
        let fake = std::sync::Arc::clone(&fake);
        move || {
            while fake.count(|it| it.method == "GET") == 0 {
                std::thread::yield_now();
            }
            fake.put("a", vec![b'x'; 100_000]);
        }
    });
    let (bytes_read, failure) = read(&object);
    changed.join().unwrap();
    // Whoever was quick enough had the old one to its end.
    match failure {
        None => assert!(bytes_read == bytes(100_000) || bytes_read == vec![b'x'; 100_000]),
        Some(code) => {
            assert_eq!(code, "BKT013");
            assert!(bytes(100_000).starts_with(&bytes_read));
        }
    }
    // Whoever fetches it whole wants what was looked at.
    fake.fail(|_| None);
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(object.fetch(folder.path()).unwrap_err().code(), "BKT013");
}

#[test]
fn what_is_fetched_ahead_hides_the_time_it_takes() {
    let objects = (0..64).map(|it| (format!("{it:03}.json"), bytes(100 + it)));
    let fake = Fake::start(objects, 1_000);
    let client = client(&fake);
    let inputs: Vec<Input> = all(&client, "")
        .unwrap()
        .into_iter()
        .map(|it| Input::elsewhere(0, std::sync::Arc::new(it)))
        .collect();
    fake.fail(|request| {
        (request.method == "GET" && !request.key.is_empty()).then_some(Fault::Slow(Duration::from_millis(50)))
    });
    let begun = Instant::now();
    let ahead = Ahead::new(inputs.iter());
    for (at, input) in inputs.iter().enumerate() {
        ahead.begins(at);
        let RemoteBody::Whole(read, None) = input.remote().unwrap().open().unwrap() else { panic!("{at}") };
        assert_eq!(read, bytes(100 + at));
        ahead.ends(at);
    }
    // One after the other they take 3.2 s.
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    assert_eq!(fake.count(|it| !it.key.is_empty()), 64, "each is fetched once");
}

#[test]
fn what_is_fetched_ahead_is_bounded_and_given_up() {
    // 20 times 7 MiB are more than may be held.
    let objects = (0..20).map(|it| (format!("{it:03}.json"), vec![b'x'; 7 << 20]));
    let fake = Fake::start(objects, 1_000);
    let client = client(&fake);
    let found = all(&client, "").unwrap();
    let mut held = Vec::new();
    for object in &found {
        match object.ahead() {
            Begun::Held(it) => held.push(it),
            Begun::NoRoom => break,
            Begun::Nothing => panic!("it is small enough"),
        }
    }
    assert_eq!(held.len(), 9);
    held.clear();
    assert!(matches!(found[19].ahead(), Begun::Held(_)), "there is room again");
    // What was given up is fetched when it is read.
    assert_eq!(read(&found[0]).0.len(), 7 << 20);
}

#[test]
fn whoever_asks_in_the_wrong_region_is_told_the_right_one() {
    let fake = Fake::start([("a".to_owned(), bytes(10)), ("b".to_owned(), bytes(20))], 1_000);
    let client = client(&fake);
    let told = "<Error><Code>AuthorizationHeaderMalformed</Code><Message>wrong</Message><Region>eu-west-3</Region></Error>";
    fake.fail(move |request| {
        let is_right = request.headers["authorization"].contains("/eu-west-3/s3/");
        (!is_right).then_some(Fault::Body(400, told))
    });
    let found = all(&client, "").unwrap();
    assert_eq!((found.len(), fake.asked().len()), (2, 2));
    assert_eq!(read(&found[1]), (bytes(20), None));
    assert_eq!(fake.asked().len(), 3, "it is known from then on");
    // Who says one thing and then another is asked for so long, and no longer.
    let turn = std::sync::atomic::AtomicUsize::new(0);
    fake.fail(move |_| {
        let is_even = turn.fetch_add(1, std::sync::atomic::Ordering::Relaxed).is_multiple_of(2);
        let told = if is_even {
            "<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-1</Region></Error>"
        } else {
            "<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-2</Region></Error>"
        };
        Some(Fault::Body(400, told))
    });
    assert_eq!(all(&client, "").unwrap_err().code(), "BKT007");
}
