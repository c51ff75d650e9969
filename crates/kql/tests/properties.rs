//! What holds for any text.

use proptest::prelude::*;

/// Texts made of the pieces that the grammar cares about, so that many of them are queries and the rest are nearly.
fn query_like() -> impl Strategy<Value = String> {
    let condition = prop_oneof![
        4 => prop::sample::select(vec![
            "a: b", "not a: b", "a.b >= 5", "a: (b or c)", "a: (b and not (c or d*))", "x*: *", "free text",
            "\"quoted \\\" text\"", "n:{ a: 1 and b: 2 }", "a: \\u0041\\*\\\\", "f: null", "true", "k\\u006eot",
            "a: x\\not", "a: \\or \\and", "f: \\u3000", "(a: 1 or b: 2)", "not (not a: 1)", "* or\\u0020*",
        ])
        .prop_map(str::to_owned),
        1 => "[a-z*'?.=\\[\\]é☃ ]{0,12}",
        1 => "\\PC{0,8}",
    ];
    let joint =
        prop::sample::select(vec![" and ", " or ", " or ", "\n and\t", "", " ", ") or (", "\u{a0}or\u{a0}"]);
    prop::collection::vec((condition, joint), 0..6).prop_map(|parts| {
        parts.into_iter().flat_map(|(condition, joint)| [condition, joint.to_owned()]).collect()
    })
}

/// Any order of the pieces that mean something.
fn tokens() -> impl Strategy<Value = String> {
    let token = prop::sample::select(vec![
        "a", "b.c", ":", " ", " ", "and", "or", "not", "(", ")", "{", "}", "*", "\"", "\\", "\\n", "\\u0041",
        "null", "<", ">=", "'", "é", "\u{3000}", "\u{a0}", "\t", "\n", "?", "\\ud83d", "\\ude00", "\\not",
        "NOT", "Or",
    ]);
    prop::collection::vec(token, 0..24).prop_map(|tokens| tokens.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn what_is_printed_parses_to_the_same_tree(text in prop_oneof![query_like(), tokens()]) {
        if let Ok(ast) = kql::parse(&text) {
            let printed = ast.to_string();
            let again = kql::parse(&printed);
            prop_assert_eq!(Ok(&ast), again.as_ref(), "printed as {:?}", printed);
            prop_assert_eq!(ast.fields(), again.expect("was just compared").fields());
        }
    }

    #[test]
    fn nothing_panics_and_spans_lie_within_the_text(text in prop_oneof![tokens(), query_like(), any::<String>()]) {
        let diagnostics = match kql::parse(&text) {
            Ok(ast) => {
                let translated = kql::to_query(&ast, &ecs::Catalog::ecs());
                let errors = translated.err().unwrap_or_default();
                errors.iter().map(kql::TranslateError::to_diagnostic).chain(kql::lint(&ast)).collect()
            }
            Err(errors) => errors.to_diagnostics(),
        };
        for diagnostic in diagnostics {
            for label in diagnostic.labels {
                prop_assert!(text.get(label.span.range()).is_some(), "{:?}", label.span);
            }
        }
    }
}

#[test]
fn depth_and_length_are_bounded() {
    let nested = |depth: usize| format!("{}a: 1{}", "(".repeat(depth), ")".repeat(depth));
    assert!(kql::parse(&nested(kql::MAX_DEPTH)).is_ok());
    let code =
        |text: &str| kql::parse(text).unwrap_err().iter().map(kql::ParseError::code).collect::<Vec<_>>();
    assert_eq!(code(&nested(kql::MAX_DEPTH + 1)), ["KQL005"]);
    assert_eq!(code(&"(".repeat(100_000)), ["KQL005"]);
    assert_eq!(code(&"a".repeat(kql::MAX_LENGTH + 1)), ["KQL006"]);
    for hostile in ["not ", "f: not ", "a: ", ") ", "\\q", "\" ", " ", "x:{", "a or "] {
        // What matters is that these end, and soon.
        let _ = kql::parse(&hostile.repeat(100_000));
    }
}
