//! Fast and sure is the same as slow.

use json::Tokens;
use proptest::prelude::*;
use simd_json::Node;

/// JSON of some value, in any layout.
fn value() -> impl Strategy<Value = String> {
    let string =
        r#"([a-z{}\[\]:, äß\u{1F600}]|\\"|\\\\|\\/|\\[bfnrt]|\\u00e4|\\u4e2d|\\ud83d\\ude00|\\ud83d){0,90}"#;
    let leaf = prop_oneof![
        string.prop_map(|text| format!("\"{text}\"")),
        prop::sample::select(vec![
            "null",
            "true",
            "false",
            "0",
            "-1",
            "12.50",
            "0.0",
            "-0.25",
            "123456789012345678"
        ])
        .prop_map(str::to_owned),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        let space = "[ \n\t\r]{0,3}";
        prop_oneof![
            (prop::collection::vec(inner.clone(), 0..6), space).prop_map(|(items, space)| format!(
                "[{space}{}{space}]",
                items.join(&format!("{space},{space}"))
            )),
            object_of(inner),
        ]
    })
}

fn object_of(value: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    (prop::collection::vec(("([a-c]|\\\\n|é){0,12}", value), 0..6), "[ \n\t\r]{0,3}").prop_map(
        |(members, space)| {
            let members: Vec<String> =
                members.into_iter().map(|(key, value)| format!("\"{key}\"{space}:{space}{value}")).collect();
            format!("{{{space}{}{space}}}", members.join(&format!("{space},{space}")))
        },
    )
}

/// What the fast way makes of a text, if it is sure.
fn fast(text: &str) -> Option<String> {
    let (mut spare, mut tape) = (Vec::new(), vec![Node::String("left over")]);
    json::tape::fill(text, &Tokens::of(text), &mut spare, &mut tape).ok().map(|()| format!("{tape:?}"))
}

/// What simd-json makes of it, if it is an object. It would refuse half a surrogate pair.
fn slow(text: &str) -> Option<String> {
    let mut bytes = text.as_bytes().to_vec();
    json::mend_halves(&mut bytes);
    let tape = simd_json::to_tape(&mut bytes).ok()?;
    matches!(tape.0.first(), Some(Node::Object { .. })).then(|| format!("{:?}", tape.0))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1000) })]

    /// What is plain is read the fast way, and as the other parser reads it.
    #[test]
    fn plain_records_are_read(text in object_of(value())) {
        let found = fast(&text);
        prop_assert!(found.is_some());
        prop_assert_eq!(found, slow(&text));
    }

    /// Whatever it is, what the fast way is sure of is right.
    #[test]
    fn sure_is_right(
        text in object_of(value()),
        damage in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(vec![
            "", "\"", "{", "}", "[", "]", ",", ":", "\\", "\n", "\u{1}", "x", "ä", "1", "-", ".5", "e9", "007", "-0",
            "18446744073709551615", "1e999", "tru", "null", "\\u12", "\\ud83d", "\\x", "{}", "[]", ", ,", "\u{a0}",
        ])), 1..4),
    ) {
        let mut text: Vec<char> = text.chars().collect();
        for (place, piece) in damage {
            let place = place.index(text.len());
            text.splice(place..=place, piece.chars());
            if text.is_empty() {
                break;
            }
        }
        let text: String = text.into_iter().collect();
        if let Some(found) = fast(&text) {
            prop_assert_eq!(Some(found), slow(&text));
        }
    }

    /// Pieces of JSON in any order: nothing panics, and sure is right.
    #[test]
    fn heaps_of_pieces(pieces in prop::collection::vec(prop::sample::select(vec![
        "{", "}", "[", "]", "\"", ",", ":", "\\", "\"k\"", "\"k\":", "1", "true", " ", "\n", "{\"a\":1}", "\"\\u0041\"",
    ]), 0..60)) {
        let text = pieces.concat();
        if let Some(found) = fast(&text) {
            prop_assert_eq!(Some(found), slow(&text));
        }
    }
}

#[test]
fn depth_is_bounded() {
    let deep = |levels| format!("{{\"a\":{}{}}}", "[".repeat(levels), "]".repeat(levels));
    assert_eq!(fast(&deep(40)), slow(&deep(40)));
    assert!(fast(&deep(40)).is_some());
    assert_eq!(fast(&deep(100_000)), None);
}

/// The tokens of another text cost the record, not the program.
#[test]
fn foreign_tokens_are_survived() {
    let long = Tokens::of(r#"{"aaaaaaaaaaaaaaaaaaaaaaaa":"bbbbbbbbbbbbbbbbbbbb","c":[1,2,3]}"#);
    for text in ["", "{}", r#"{"a":"b"}"#, "{\"ääääääääääääääääääää\":1}"] {
        let (mut spare, mut tape) = (Vec::new(), Vec::new());
        assert!(json::tape::fill(text, &long, &mut spare, &mut tape).is_err(), "{text}");
    }
}
