//! Fast and in pieces is the same as slow and whole.

use proptest::prelude::*;
use reader::{Input, Limits, Options, Reader, Reading};

use crate::support::{Keep, base64, file_of, gzip, options, read_with, record, tar, zip, zstd};

/// JSON text of some value, with white space and hostile strings.
fn json() -> impl Strategy<Value = String> {
    let string = r#"([a-z{}\[\]:, äß\u{1F600}]|\\"|\\\\|\\n|\\u00e4){0,70}"#;
    let leaf = prop_oneof![
        string.prop_map(|text| format!("\"{text}\"")),
        "(null|true|-1\\.5e3|0|123456789012)".prop_map(|text| text),
    ];
    leaf.prop_recursive(4, 24, 5, move |inner| {
        prop_oneof![
            (prop::collection::vec(inner.clone(), 0..5), "[ \n\t]{0,3}")
                .prop_map(|(items, space)| format!("[{space}{}{space}]", items.join(&format!(",{space}")))),
            object_of(inner),
        ]
    })
}

fn object_of(value: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    let key =
        "[a-z]{1,12}|eventName|eventSource|event|message|detail|_id|_source|@timestamp|Records|data|fields";
    (prop::collection::vec((key, value), 0..6), "[ \n]{0,3}").prop_map(|(members, space)| {
        let members: Vec<String> =
            members.into_iter().map(|(key, value)| format!("\"{key}\"{space}:{value}")).collect();
        format!("{{{space}{}{space}}}", members.join(&format!(",{space}")))
    })
}

fn object() -> impl Strategy<Value = String> {
    object_of(json())
}

/// How records stand in a file.
fn layout(records: &[String], layout: usize) -> String {
    match layout {
        0 => records.join("\n"),
        1 => records.concat(),
        2 => format!("[{}]", records.join(",")),
        3 => format!("[\n{}\n]\n", records.join(",\n")),
        _ => format!("[{}]\n", records.join("]\n[")),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Plain documents come out as they went in, whatever is between them.
    #[test]
    fn every_document_is_found(
        records in prop::collection::vec(object(), 1..8),
        form in 0usize..5,
        window in 1usize..300,
    ) {
        // A member named `_source` is opened on purpose: see the cases.
        let records: Vec<String> =
            records.into_iter().map(|record| record.replace("_source", "source")).collect();
        let text = layout(&records, form);
        let (found, _) = read_with(options(Reading::Plain, window), text.as_bytes());
        prop_assert!(found.problems.is_empty(), "{:?}", found.problems);
        prop_assert_eq!(found.texts(), records);
    }

    /// Whatever the text, even after damage: the size of the window and the container change nothing.
    #[test]
    fn windows_and_containers_change_nothing(
        records in prop::collection::vec(prop_oneof![object(), (0usize..99).prop_map(record)], 1..8),
        form in 0usize..5,
        envelope in any::<bool>(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), prop_oneof![
            Just(None), prop::sample::select(b"\"{}[],:\\\nx\xFF".to_vec()).prop_map(Some)
        ]), 0..4),
        windows in prop::collection::vec(1usize..400, 3),
        record_bytes in prop_oneof![Just(16usize << 20), 50usize..600],
    ) {
        let mut text = layout(&records, form).into_bytes();
        if envelope && form == 2 {
            text = [b"{\"Records\":", &text[..], b"}"].concat();
        }
        for (place, byte) in damage {
            let place = place.index(text.len());
            match byte {
                Some(byte) => text[place] = byte,
                None if text.len() > 1 => _ = text.remove(place),
                None => {}
            }
        }
        let limits = Limits { record_bytes, depth: 6, ..Limits::default() };
        let options = |window_bytes| {
            Options { limits: Limits { window_bytes, ..limits.clone() }, ..Options::default() }
        };
        let (expected, _) = read_with(options(1 << 20), &text);
        for window in windows {
            let (found, _) = read_with(options(window), &text);
            prop_assert_eq!(&found.records, &expected.records, "window of {}", window);
            prop_assert_eq!(causes(&found), causes(&expected), "window of {}", window);
            for place in found.problems.iter().filter_map(|problem| problem.place.as_ref()) {
                let before = &text[..usize::try_from(place.offset).expect("it is in the text")];
                let lines = before.split(|&byte| byte == b'\n').count() as u64;
                prop_assert_eq!(place.line, lines, "window of {}", window);
            }
        }
        for packed in [gzip(&text), zstd(&text), tar(&[("a.json", &text)]), zip(&[("a.json", &text)])] {
            let (found, _) = read_with(options(100), &packed);
            prop_assert_eq!(found.texts(), expected.texts());
            prop_assert_eq!(causes(&found), causes(&expected));
        }
    }

    /// A record is found again by its ordinal.
    #[test]
    fn ordinals_find_records_again(
        records in prop::collection::vec(prop_oneof![object(), (0usize..99).prop_map(record)], 1..12),
        damage in any::<prop::sample::Index>(),
        wanted in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        window in 1usize..400,
        packed in any::<bool>(),
    ) {
        let mut text = records.join("\n").into_bytes();
        let place = damage.index(text.len());
        text[place] = b'"';
        let file = file_of(&if packed { gzip(&text) } else { text });
        let input = Input::file(0, file.path()).unwrap();
        let mut reader = Reader::new(options(Reading::Trail, window));
        let mut all = Keep::default();
        reader.read(&input, &mut all);
        if all.records.is_empty() {
            return Ok(());
        }
        let wanted: std::collections::BTreeSet<usize> =
            wanted.into_iter().map(|index| index.index(all.records.len())).collect();
        let ordinals: Vec<u64> = wanted.iter().map(|&place| all.records[place].ordinal).collect();
        let mut again = Keep::default();
        reader.read_at(&input, &ordinals, &mut again);
        let expected: Vec<_> = wanted.iter().map(|&place| all.records[place].clone()).collect();
        prop_assert_eq!(again.records, expected);
        prop_assert!(again.problems.is_empty());
    }

    /// One record lost a byte or got another: the others are read, except that the one before may be torn with it.
    #[test]
    fn damage_costs_one_record(
        count in 3usize..20,
        damage in any::<prop::sample::Index>(),
        byte in prop::sample::select(b"\"{}[],:x".to_vec()),
        lines in any::<bool>(),
    ) {
        let records: Vec<String> = (0..count).map(record).collect();
        let hurt = damage.index(count);
        let mut hurt_record = records[hurt].clone().into_bytes();
        let place = damage.index(hurt_record.len());
        hurt_record[place] = byte;
        let texts: Vec<Vec<u8>> = records.iter().enumerate()
            .map(|(i, text)| if i == hurt { hurt_record.clone() } else { text.clone().into_bytes() }).collect();
        let text = if lines {
            texts.join(&b'\n')
        } else {
            [b"{\"Records\":[", &texts.join(&b',')[..], b"]}"].concat()
        };
        let (found, _) = read_with(options(Reading::Trail, 500), &text);
        let texts = found.texts();
        for (i, text) in records.iter().enumerate() {
            prop_assert!(i == hurt || texts.contains(&text.as_str()), "record {} of {}: {:?}", i, count, found.problems);
        }
    }
}

/// One thing around a text that is JSON.
#[derive(Clone, Debug)]
enum Wrapper {
    Object(&'static str),
    Text(&'static str),
    Quoted,
    List,
    Lists,
    Base64,
    Gzip64,
}

impl Wrapper {
    fn around(&self, json: &str, decorated: bool) -> String {
        let quoted = |text: &str| serde_json::to_string(text).expect("a text is JSON");
        let around = if decorated { r#""@timestamp":"t","tags":["x",{"y":1}],"# } else { "" };
        let end = if decorated { r#","after":{"z":[]}"# } else { "" };
        let member = |key: &str, value: &str| format!("{{{around}\"{key}\":{value}{end}}}");
        match self {
            Self::Object(key) => member(key, json),
            Self::Text(key) => member(key, &quoted(json)),
            Self::Quoted => quoted(json),
            Self::List => format!("[{json}]"),
            Self::Lists => format!("[[ {json}]]"),
            Self::Base64 => member("data", &quoted(&base64(json.as_bytes()))),
            Self::Gzip64 => member("data", &quoted(&base64(&gzip(json.as_bytes())))),
        }
    }
}

fn wrapper() -> impl Strategy<Value = Wrapper> {
    let key = prop::sample::select(vec![
        "Records",
        "detail",
        "message",
        "event.original",
        "event",
        "json",
        "log",
        "_source",
        "_raw",
        "Body",
        "aws",
        "value",
        "results",
        "Message",
        "logEvents",
    ]);
    prop_oneof![
        3 => key.clone().prop_map(Wrapper::Object),
        3 => key.prop_map(Wrapper::Text),
        1 => Just(Wrapper::List),
        1 => Just(Wrapper::Base64),
        1 => Just(Wrapper::Gzip64),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever known things are around a record, it is found as it was delivered, and nothing is made up.
    #[test]
    fn envelopes_compose(
        wrapped in prop::collection::vec((prop::collection::vec((wrapper(), any::<bool>()), 0..6), prop_oneof![
            3 => Just(None), 1 => prop::sample::select(vec![Wrapper::Quoted, Wrapper::Lists]).prop_map(Some)
        ]), 1..4),
        layout_number in 0usize..5,
        windows in prop::collection::vec(1usize..400, 2),
    ) {
        let mut expected = Vec::new();
        let mut lines = Vec::new();
        for (number, (wrappers, innermost)) in wrapped.iter().enumerate() {
            expected.push(record(number));
            let mut text = record(number);
            // A string or a list of lists in an object: on a line of its own the second would be no array of records.
            if let (Some(innermost), false) = (innermost, wrappers.is_empty()) {
                text = innermost.around(&text, false);
            }
            for (wrapper, decorated) in wrappers {
                // Nobody puts lists in lists in lists.
                if matches!(wrapper, Wrapper::List) && text.starts_with("[[") {
                    continue;
                }
                text = wrapper.around(&text, *decorated);
            }
            let is_object = text.starts_with('{');
            lines.push(if is_object { text } else { format!("{{\"message\":{text}}}") });
        }
        let text = layout(&lines, layout_number);
        for window in windows {
            let (found, _) = read_with(options(Reading::Trail, window), text.as_bytes());
            prop_assert!(found.problems.is_empty(), "{:?}\n{}", found.problems, text);
            prop_assert_eq!(found.texts(), expected.clone(), "{}", text);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    /// The size of the window does not change what is made of a heap of pieces that never was a file.
    #[test]
    fn windows_change_nothing_in_a_heap_of_pieces(
        pieces in prop::collection::vec(prop::sample::select(vec![
            "{", "}", "[", "]", "\"", ",", ":", "\n", " ", "\0", "\\", "1", "x", "[[", "[\"k", "{\"k\":", "\"k\"",
            "{\"Records\":[", ",\"Records\":[", "]", "{\"eventVersion\":1", "{\"k\":[{\"k\":1}]}",
            "\"{", "\\\"", "{\"message\":\"", "{\"message\":[", "{\\\"eventVersion\\\":1}", "\"}", "2024-05-01T10:00 ",
            "{\"eventSource\":\"aws:s3\"}", "\"{\\\"eventVersion\\\":1}\"",
        ]), 1..40),
        windows in prop::collection::vec(1usize..100, 4),
        record_bytes in prop_oneof![Just(16usize << 20), 64usize..200],
        plain in any::<bool>(),
    ) {
        let text = pieces.concat();
        let mode = if plain { Reading::Plain } else { Reading::Trail };
        let limits = Limits { record_bytes, depth: 6, ..Limits::default() };
        let options = |window_bytes| Options { mode, limits: Limits { window_bytes, ..limits.clone() }, ..Options::default() };
        let (expected, _) = read_with(options(1 << 20), text.as_bytes());
        for window in windows {
            let (found, _) = read_with(options(window), text.as_bytes());
            prop_assert_eq!(&found.records, &expected.records, "window of {}", window);
            prop_assert_eq!(causes(&found), causes(&expected), "window of {}", window);
        }
    }
}

fn causes(found: &Keep) -> Vec<(Option<u64>, String)> {
    found
        .problems
        .iter()
        .map(|problem| (problem.place.map(|at| at.offset), format!("{:?}", problem.cause)))
        .collect()
}
