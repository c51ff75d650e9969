//! Tests of dead letters.

use std::fs;
use std::sync::Arc;

use proptest::prelude::*;
use reader::Input;

use super::*;
use crate::{Accounting, Delivery, Ingest, IngestOptions, Refused, Trouble};

const NOW: Millis = 1_772_500_000_000;

fn open(folder: &std::path::Path, letters: LetterLimits) -> Ingest {
    let limits = reader::Limits::default();
    let options =
        IngestOptions { limits, threads: 2, batch_bytes: 1 << 20, engine: "test".to_owned(), letters };
    Ingest::open(folder, options).unwrap()
}

fn record(id: &str) -> String {
    format!("{{\"eventVersion\":\"1.08\",\"eventTime\":\"2026-03-01T10:00:00Z\",\"eventID\":\"{id}\"}}\n")
}

fn input(text: &str) -> Input {
    Input::memory(0, "POST /here", Arc::new(text.as_bytes().to_vec()))
}

fn of<'a>(source: &'a str, text: &str) -> Delivery<'a> {
    Delivery::new(source, input(text))
}

/// All accounts hold, and every unreadable record is accounted for.
fn assert_whole(store: &Store) {
    assert_eq!(store.check(&|_| ()).unwrap().wrong, Vec::<String>::new());
    let letters: BTreeMap<String, LetterAccount> =
        store.letter_accounts().unwrap().into_iter().map(|it| (it.source.clone(), it)).collect();
    for it in store.sources().unwrap() {
        let Accounting { read, stored, duplicate, unreadable, dropped } = it.accounting;
        assert_eq!(read, stored + duplicate + unreadable + dropped, "{it:?}");
        let its = letters.get(&it.name).cloned().unwrap_or_default();
        assert!(its.is_whole(), "{its:?}");
        assert_eq!(its.received, unreadable, "{it:?} {its:?}");
    }
}

#[test]
fn records_that_are_none_are_kept_by_themselves() {
    let folder = tempfile::tempdir().unwrap();
    let mut ingest = open(folder.path(), LetterLimits::default());
    let text = record("a") + "{\"colour\":\n\"red\"}\n{\"size\":3}\n" + &record("b");
    let [its] = ingest.take(&[of("http", &text)], NOW).unwrap().try_into().unwrap();
    assert_eq!((its.accounting.stored, its.accounting.unreadable), (2, 2), "{its:?}");
    let id = its.letter.unwrap();
    let letter = ingest.store().letter(id).unwrap();
    assert_eq!((letter.source.as_str(), letter.name.as_str(), letter.records), ("http", "POST /here", 2));
    assert_eq!((letter.code.as_str(), letter.contents), ("STORE009", LetterContents::Records));
    assert_eq!((letter.first, letter.last, letter.deliveries), (NOW, NOW, 1));
    let contents = String::from_utf8(ingest.store().letter_contents(id).unwrap()).unwrap();
    assert_eq!(contents, "{\"colour\": \"red\"}\n{\"size\":3}\n");
    assert_whole(ingest.store());
    // A delivery of which all can be read leaves no letter.
    let [its] = ingest.take(&[of("http", &record("c"))], NOW).unwrap().try_into().unwrap();
    assert_eq!(its.letter, None);
    assert_eq!(ingest.store().letters(None, 0, 9).unwrap().len(), 1);
    assert_eq!(ingest.store().letters(Some("other"), 0, 9).unwrap(), []);
}

#[test]
fn what_is_broken_is_kept_whole_and_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut ingest = open(folder.path(), LetterLimits::default());
    let text = record("a") + "{\"eventVersion\":\"1.08\",\"eventN\n";
    for round in 0..3 {
        let [its] = ingest.take(&[of("http", &text)], NOW + round * 10).unwrap().try_into().unwrap();
        assert_eq!(its.letter, Some(1), "{its:?}");
    }
    let letter = ingest.store().letter(1).unwrap();
    assert_eq!((letter.deliveries, letter.records, letter.contents), (3, 1, LetterContents::Delivery));
    assert!(letter.last > letter.first);
    assert_eq!(ingest.store().letter_contents(1).unwrap(), text.as_bytes());
    let [account] = ingest.store().letter_accounts().unwrap().try_into().unwrap();
    assert_eq!((account.received, account.waiting, account.repeated), (3, 1, 2));
    assert_whole(ingest.store());
}

#[test]
fn what_was_refused_is_kept_with_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let mut ingest = open(folder.path(), LetterLimits::default());
    let trouble = Trouble { code: "API008", text: "API008: no JSON".to_owned() };
    let refused = [Refused { text: "nonsense".to_owned(), trouble }];
    for text in [record("a"), String::new()] {
        let delivery = Delivery { refused: &refused, ..of("http", &text) };
        let [its] = ingest.take(&[delivery], NOW).unwrap().try_into().unwrap();
        assert_eq!((its.accounting.unreadable, its.trouble_count), (1, 1), "{its:?}");
        assert_eq!(its.accounting.stored, u64::from(!text.is_empty()));
        assert_eq!(ingest.store().letter_contents(its.letter.unwrap()).unwrap(), b"nonsense\n");
    }
    assert_whole(ingest.store());
}

/// The limit that was in the way is mended: what is replayed is stored, and the letter goes.
#[test]
fn what_is_mended_is_stored_when_it_is_replayed() {
    let folder = tempfile::tempdir().unwrap();
    let mut ingest = open(folder.path(), LetterLimits::default());
    let text: String = (0..100).map(|it| record(&it.to_string())).collect();
    let packed = zstd::bulk::compress(text.as_bytes(), 3).unwrap();
    let packed = Input::memory(0, "POST /here", Arc::new(packed));
    let short = Delivery { text_max: Some(2_000), ..Delivery::new("http", packed) };
    let [its] = ingest.take(&[short], NOW).unwrap().try_into().unwrap();
    let (stored, id) = (its.accounting.stored, its.letter.unwrap());
    assert!(stored > 0 && stored < 100 && its.accounting.unreadable == 1, "{its:?}");
    let replay = |ingest: &mut Ingest, text_max: Option<u64>| {
        let contents = ingest.store().letter_contents(id).unwrap();
        let input = Input::memory(0, "replay", Arc::new(contents));
        let delivery = Delivery { replays: Some(id), text_max, ..Delivery::new("http", input) };
        let [its] = ingest.take(&[delivery], NOW + 1).unwrap().try_into().unwrap();
        its
    };
    let its = replay(&mut ingest, Some(2_000));
    assert_eq!(
        (its.accounting.unreadable, its.letter),
        (0, Some(id)),
        "it was counted when it came: {its:?}"
    );
    assert_eq!(ingest.store().letter(id).unwrap().tries, 1);
    assert_whole(ingest.store());
    let its = replay(&mut ingest, None);
    assert_eq!((its.accounting.stored, its.letter), (100 - stored, None), "{its:?}");
    assert_eq!(ingest.store().letter(id).unwrap_err().code(), "STORE011");
    let [account] = ingest.store().letter_accounts().unwrap().try_into().unwrap();
    assert_eq!((account.received, account.replayed, account.letters, account.bytes), (1, 1, 0, 0));
    assert_whole(ingest.store());
}

#[test]
fn a_part_that_can_be_read_later_leaves_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let mut ingest = open(folder.path(), LetterLimits::default());
    let strange = "{\"colour\":\"red\"}\n";
    let [its] = ingest.take(&[of("http", &strange.repeat(3))], NOW).unwrap().try_into().unwrap();
    let id = its.letter.unwrap();
    let text = record("a") + strange;
    let delivery = Delivery { replays: Some(id), ..of("http", &text) };
    let [its] = ingest.take(&[delivery], NOW).unwrap().try_into().unwrap();
    assert_eq!((its.accounting.read, its.accounting.stored, its.letter), (1, 1, Some(id)));
    let letter = ingest.store().letter(id).unwrap();
    assert_eq!((letter.records, letter.tries), (1, 1));
    assert_eq!(ingest.store().letter_contents(id).unwrap(), strange.as_bytes());
    assert_whole(ingest.store());
    ingest.store().discard_letter(id).unwrap();
    let [account] = ingest.store().letter_accounts().unwrap().try_into().unwrap();
    assert_eq!((account.received, account.replayed, account.discarded, account.waiting), (3, 2, 1, 0));
    assert_whole(ingest.store());
}

#[test]
fn bounds_let_the_oldest_go_and_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let limits = LetterLimits { bytes: 10 * ROW_BYTES as u64, age: 1_000 };
    let mut ingest = open(folder.path(), limits);
    let strange = |it: i64| format!("{{\"colour\":{it}}}\n");
    for at in 0..12 {
        ingest.take(&[of("one", &strange(at)), of("two", &strange(at % 2))], NOW + at).unwrap();
    }
    let go = ingest.let_go();
    assert!(!go.is_empty() && go.iter().all(|it| it.source == "one" && !it.is_age), "{go:?}");
    assert_eq!(ingest.let_go(), []);
    let letters = ingest.store().letters(Some("one"), 0, 100).unwrap();
    assert!((5..=9).contains(&letters.len()), "{}", letters.len());
    let newest = ingest.store().letter_contents(letters[0].id).unwrap();
    assert_eq!(newest, strange(11).as_bytes());
    assert_whole(ingest.store());
    ingest.take(&[of("one", &strange(99))], NOW + 5_000).unwrap();
    let go = ingest.let_go();
    assert!(go.iter().all(|it| it.is_age) && go.len() == 2, "{go:?}");
    assert_eq!(ingest.store().letters(None, 0, 100).unwrap().len(), 1);
    assert_whole(ingest.store());
}

#[test]
fn what_is_too_long_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let mut ingest = open(folder.path(), LetterLimits { bytes: 2 * ROW_BYTES as u64, age: 1_000 });
    // Does not get much smaller when it is packed.
    let mut noise = 1_u64;
    let text: String = (0..4_000)
        .map(|_| {
            noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            char::from(b'a' + (noise >> 33) as u8 % 26)
        })
        .collect();
    let text = format!("{{\"colour\":\"{text}{text}{}\"}}\n", text.chars().rev().collect::<String>());
    let [its] = ingest.take(&[of("http", &text)], NOW).unwrap().try_into().unwrap();
    let letter = ingest.store().letter(its.letter.unwrap()).unwrap();
    assert_eq!((letter.contents, letter.bytes), (LetterContents::Nothing, 0));
    let error = ingest.store().letter_contents(letter.id).unwrap_err();
    assert_eq!(error.code(), "STORE012");
    assert!(error.to_string().contains("POST /here"), "{error}");
    assert_whole(ingest.store());
}

#[test]
fn what_brings_the_reader_down_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let mut ingest = open(folder.path(), LetterLimits::default());
    let trouble = Trouble { code: "SRV021", text: "SRV021: reading failed".to_owned() };
    let its = ingest.keep(&of("http", "poison"), &trouble, NOW).unwrap();
    assert_eq!(ingest.store().letter_contents(its.letter.unwrap()).unwrap(), b"poison");
    assert_eq!(ingest.store().letter(1).unwrap().code, "SRV021");
    assert_whole(ingest.store());
}

/// What a generated delivery holds.
#[derive(Clone, Debug)]
enum Line {
    Record(u8),
    Strange(u8),
    Broken(u8),
}

fn line() -> impl Strategy<Value = Line> {
    prop_oneof![
        4 => (0..40_u8).prop_map(Line::Record),
        2 => (0..6_u8).prop_map(Line::Strange),
        1 => (0..3_u8).prop_map(Line::Broken),
    ]
}

/// What happens.
#[derive(Clone, Debug)]
enum Step {
    Deliver(Vec<Line>, bool),
    /// Something is delivered while nothing can be written.
    Fail(Vec<Line>),
    Replay(usize),
    Discard(usize),
    /// The process is gone, and another comes.
    Restart,
    Wait(i64),
}

fn step() -> impl Strategy<Value = Step> {
    let lines = || prop::collection::vec(line(), 1..6);
    prop_oneof![
        6 => (lines(), any::<bool>()).prop_map(|(it, two)| Step::Deliver(it, two)),
        1 => lines().prop_map(Step::Fail),
        2 => (0..9_usize).prop_map(Step::Replay),
        1 => (0..9_usize).prop_map(Step::Discard),
        1 => Just(Step::Restart),
        1 => (0..20_000_i64).prop_map(Step::Wait),
    ]
}

fn text(lines: &[Line]) -> String {
    let line = |it: &Line| match it {
        Line::Record(id) => record(&format!("e-{id}")),
        Line::Strange(id) => format!("{{\"colour\":{id}}}\n"),
        Line::Broken(id) => format!("{{\"eventVersion\":\"1.08\",\"eventName\": no{id}pe}}}}\n"),
    };
    lines.iter().map(line).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever comes, fails, is replayed, discarded, let go: every unreadable record is accounted for at any time.
    #[test]
    fn no_unreadable_record_is_lost(steps in prop::collection::vec(step(), 1..20)) {
        let folder = tempfile::tempdir().unwrap();
        let limits = LetterLimits { bytes: 6 * ROW_BYTES as u64, age: 30_000 };
        let mut ingest = open(folder.path(), limits);
        let incoming = folder.path().join("incoming");
        let mut now = NOW;
        for step in &steps {
            now += 1;
            let letters = ingest.store().letters(None, 0, 100).unwrap();
            match step {
                Step::Deliver(lines, two) => {
                    let text = text(lines);
                    let mut all = vec![of("one", &text)];
                    if *two {
                        all.push(of("two", &text));
                    }
                    ingest.take(&all, now).unwrap();
                }
                Step::Fail(lines) => {
                    let before = (ingest.store().sources().unwrap(), letters);
                    fs::remove_dir_all(&incoming).unwrap();
                    let taken = ingest.take(&[of("one", &text(lines))], now);
                    fs::create_dir(&incoming).unwrap();
                    if taken.is_err() {
                        let after = (ingest.store().sources().unwrap(), ingest.store().letters(None, 0, 100).unwrap());
                        prop_assert_eq!(before, after);
                    }
                }
                Step::Replay(at) => {
                    let Some(letter) = letters.get(*at) else { continue };
                    let contents = ingest.store().letter_contents(letter.id).unwrap();
                    let input = Input::memory(0, "replay", Arc::new(contents));
                    let delivery = Delivery { replays: Some(letter.id), ..Delivery::new(&letter.source, input) };
                    let taken = ingest.take(&[delivery], now).unwrap();
                    prop_assert_eq!((taken[0].accounting.stored, taken[0].accounting.unreadable), (0, 0));
                }
                Step::Discard(at) => {
                    let Some(letter) = letters.get(*at) else { continue };
                    ingest.store().discard_letter(letter.id).unwrap();
                }
                Step::Restart => {
                    drop(ingest);
                    ingest = open(folder.path(), limits);
                }
                Step::Wait(by) => now += by,
            }
            assert_whole(ingest.store());
        }
    }
}
