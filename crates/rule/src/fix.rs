//! Changes that certainly mend what was found.

use span::{Diagnostic, Edit};

/// A text that was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mended {
    /// The text.
    pub text: String,
    /// The numbers of the findings that were mended, in their order.
    pub mended: Vec<usize>,
}

/// The text with the changes of the findings made, all else byte for byte as it was. Changes that belong to one finding
/// are made together; of findings whose changes get in one another's way, the first is mended.
pub fn mend<'d>(text: &str, diagnostics: impl IntoIterator<Item = &'d Diagnostic>) -> Mended {
    let mut edits: Vec<&Edit> = Vec::new();
    let mut mended = Vec::new();
    for (at, diagnostic) in diagnostics.into_iter().enumerate() {
        let its = &diagnostic.edits;
        let fits = |edit: &Edit| {
            text.get(edit.span.range()).is_some()
                && edits.iter().all(|other| *other == edit || !overlap(other, edit))
        };
        if !its.is_empty() && its.iter().all(fits) {
            mended.push(at);
            for edit in its {
                if !edits.contains(&edit) {
                    edits.push(edit);
                }
            }
        }
    }
    edits.sort_by_key(|edit| edit.span);
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for edit in edits {
        out.push_str(&text[at..edit.span.start]);
        out.push_str(&edit.text);
        at = edit.span.end;
    }
    out.push_str(&text[at..]);
    Mended { text: out, mended }
}

fn overlap(a: &Edit, b: &Edit) -> bool {
    a.span.start < b.span.end && b.span.start < a.span.end || a.span.start == b.span.start
}

#[cfg(test)]
mod tests {
    use span::{Severity, Span};

    use super::*;

    fn finding(edits: &[(usize, usize, &str)]) -> Diagnostic {
        let it = Diagnostic::new(Severity::Warning, "RULE999", "odd", Span::at(0));
        edits.iter().fold(it, |it, &(start, end, text)| it.edit(Span::new(start, end), text))
    }

    #[test]
    fn all_else_stays() {
        let found = [finding(&[(4, 5, "two"), (0, 1, "one")]), finding(&[]), finding(&[(2, 3, "and")])];
        assert_eq!(mend("a b c", &found), Mended { text: "one and two".to_owned(), mended: vec![0, 2] });
    }

    #[test]
    fn what_gets_in_the_way_waits() {
        let found = [
            finding(&[(0, 3, "x")]),
            finding(&[(2, 4, "y"), (5, 5, "z")]),
            finding(&[(0, 3, "x")]),
            finding(&[(9, 10, "beyond")]),
        ];
        assert_eq!(mend("abcde", &found), Mended { text: "xde".to_owned(), mended: vec![0, 2] });
    }
}
