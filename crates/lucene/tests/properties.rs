//! What holds for any text.

use lucene::{Occur, occurs};
use proptest::prelude::*;

/// Any order of the pieces that mean something.
fn tokens() -> impl Strategy<Value = String> {
    let token = prop::sample::select(vec![
        "a",
        "b.c",
        ":",
        ":",
        " ",
        " ",
        " AND ",
        " OR ",
        "NOT ",
        "&&",
        "||",
        "(",
        ")",
        "[",
        "{",
        "]",
        "}",
        " TO ",
        "*",
        "?",
        "\"",
        "\\",
        "/",
        "~",
        "^2",
        "+",
        "-",
        "!",
        "\\u0041",
        "<",
        ">=",
        "é",
        "\u{3000}",
        "\t",
        "1",
        ".5",
        "\\ud83d",
        "\\ude00",
        "_exists_:",
        "or",
        "'",
    ]);
    prop::collection::vec(token, 0..24).prop_map(|tokens| tokens.concat())
}

/// Texts that are nearly always queries.
fn query_like() -> impl Strategy<Value = String> {
    let clause = prop::sample::select(vec![
        "a:b",
        "-a:b",
        "a:(b c)",
        "a:(b OR -c)",
        "x\\*:*",
        "free text",
        "\"quoted \\\" text\"~2",
        "a:[1 TO b}",
        "/r[e]\\/x/",
        "a:b*c?",
        "w~1",
        "a:>=5",
        "(a:1 AND NOT b:2)^3",
        "\\AND",
        "\\+ \\-",
        "*:*",
        "a:{* TO \"x y\"]",
        "NOT (b OR c)",
        "a:\"\"",
        "\\u0020x",
        "a - b",
        "a:x\\ y",
    ]);
    let joint = prop::sample::select(vec![" ", " AND ", " OR ", " && ", "\t||\n"]);
    prop::collection::vec((clause, joint), 1..6).prop_map(|parts| {
        let text: String = parts.iter().flat_map(|(clause, joint)| [*clause, *joint]).collect();
        text.trim_end_matches(|it: char| {
            !matches!(it, ')' | ']' | '"' | '/' | '*' | '}') && !it.is_alphanumeric()
        })
        .to_owned()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn what_is_printed_parses_to_the_same_tree(text in prop_oneof![query_like(), tokens()]) {
        if let Ok(ast) = lucene::parse(&text) {
            let printed = ast.to_string();
            let again = lucene::parse(&printed);
            prop_assert_eq!(Ok(&ast), again.as_ref(), "printed as {:?}", printed);
        }
    }

    #[test]
    fn nothing_panics_and_spans_lie_within_the_text(text in prop_oneof![tokens(), query_like(), any::<String>()]) {
        let diagnostics = match lucene::parse(&text) {
            Ok(ast) => {
                let catalog = ecs::Catalog::default();
                let _ = plan::lower(&lucene::to_query(&ast, &catalog), &catalog, 0);
                lucene::lint(&ast)
            }
            Err(errors) => errors.to_diagnostics(),
        };
        for diagnostic in diagnostics {
            let span = diagnostic.labels[0].span;
            prop_assert!(span.start <= span.end && text.get(span.range()).is_some(), "{:?}", span);
        }
    }

    /// A group means what its clauses' roles say: all that must match do, none that must not, and of the others one
    /// unless something must.
    #[test]
    fn groups_mean_what_their_clauses_are(
        clauses in prop::collection::vec((0_usize..4, prop::sample::select(vec!["", "+", "-"]), 0_u32..6), 1..6),
        values in prop::collection::vec(0_u32..6, 0..4),
    ) {
        let joints = ["", " ", " AND ", " OR "];
        let mut text = String::new();
        for (at, (joint, sign, value)) in clauses.iter().enumerate() {
            text += if at == 0 { "" } else { joints[(*joint).max(1)] };
            text += &format!("{sign}f:{value}");
        }
        let ast = lucene::parse(&text).expect("every joint and sign is allowed");
        let group = ast.root.as_ref().expect("there is a clause");
        let holds = |at: usize| values.contains(&clauses[at].2);
        let is = |wanted| {
            let roles = occurs(group);
            (0..clauses.len()).filter(move |at| roles[*at] == wanted)
        };
        let required = is(Occur::Must).all(holds) && !is(Occur::MustNot).any(holds);
        let free = is(Occur::Must).next().is_some() || is(Occur::Should).next().is_none() || is(Occur::Should).any(holds);
        let types = serde_json::json!({"f": "long"});
        let catalog = ecs::Catalog::from_types(types.as_object().expect("it is one")).expect("types are known");
        let expr = plan::lower(&lucene::to_query(&ast, &catalog), &catalog, 0).expect("every question is lenient");
        let document = serde_json::json!({"f": values});
        let found = plan::naive::matches(&expr, document.as_object().expect("it is one"));
        prop_assert_eq!(found, required && free, "{}", text);
    }
}
