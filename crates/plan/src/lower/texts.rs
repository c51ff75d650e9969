//! Questions to fields of text: keywords, flattened leaves, versions, analysed text.

use ecs::analyze;

use super::{Asked, Atom, LowerErrorKind, tokens_test, wildcard_test};
use crate::test::TextBound;
use crate::{Glob, KeywordField, RangeBounds, Regexp, StringTest, Test, TextRange, TextTest, Wildcard};

impl KeywordField {
    /// A keyword.
    pub(super) fn ask(self, atom: &Atom<'_>) -> Asked {
        Ok(match self.string_test(atom)? {
            StringTest::Equals(terms) if !self.lowercase => {
                let terms: Vec<String> = terms.into_iter().filter(|it| self.fits(it)).collect();
                (!terms.is_empty()).then_some(Test::Terms(terms))
            }
            test => Some(Test::Keyword { field: self, test }),
        })
    }

    /// A key of a flattened field. A pattern asks the key's own leaves; Elasticsearch would search all keys for
    /// any but a prefix (docs/compatibility.md).
    pub(super) fn ask_key(self, atom: &Atom<'_>) -> Asked {
        let what = match atom {
            Atom::Wildcard { analyzed: false, .. } => "`wildcard`",
            Atom::Wildcard { pattern, .. } if pattern.parts().contains(&Glob::One) => "`?`",
            Atom::Regexp { .. } => "a regular expression",
            Atom::Fuzzy { .. } => "a fuzzy comparison",
            Atom::Range(bounds) if bounds.lower().is_none() || bounds.upper().is_none() => {
                "a range with one bound"
            }
            _ => return self.ask(atom),
        };
        Err(LowerErrorKind::FlattenedKey { what })
    }

    /// Any leaf of a flattened field.
    pub(super) fn ask_root(self, atom: &Atom<'_>) -> Asked {
        Ok(Some(Test::FlattenedRoot { field: self, test: self.string_test(atom)? }))
    }

    fn string_test(self, atom: &Atom<'_>) -> Result<StringTest, LowerErrorKind> {
        let normal = |text: &str| if self.lowercase { analyze::lower(text) } else { text.to_owned() };
        string_test(atom, &normal)
    }

    fn fits(self, term: &str) -> bool {
        self.index(term.into()).is_some()
    }
}

/// A version.
pub(super) fn ask_version(atom: &Atom<'_>) -> Asked {
    string_test(atom, &str::to_owned).map(|test| Some(Test::Version(test)))
}

/// Analysed text.
pub(super) fn ask(atom: &Atom<'_>) -> Asked {
    let token = |test| Ok(Some(Test::Text(TextTest::Token(test))));
    match atom {
        Atom::Exists => Ok(Some(Test::Text(TextTest::Any))),
        Atom::Match(value) => Ok(tokens_test(analyze::tokens(&value.text()))),
        Atom::Phrase { value, slop } => {
            let tokens = analyze::tokens(&value.text());
            Ok(match tokens.len() {
                0 | 1 => tokens_test(tokens),
                _ => Some(Test::Text(TextTest::Phrase { tokens, slop: *slop })),
            })
        }
        Atom::Wildcard { pattern, analyzed: true } => {
            let lower = pattern.parts().iter().map(|part| match part {
                Glob::Text(text) => Glob::Text(analyze::lower(text)),
                Glob::One | Glob::Any => part.clone(),
            });
            token(wildcard_test(&Wildcard::new(lower, pattern.fold())))
        }
        // As the analyzer leaves one word of a query.
        Atom::Fuzzy { value, edits } => token(fuzzy_test(analyze::lower(value), *edits)),
        Atom::Term { .. }
        | Atom::OneTerm(_)
        | Atom::Wildcard { .. }
        | Atom::Prefix { .. }
        | Atom::Regexp { .. }
        | Atom::Range(_) => token(string_test(atom, &str::to_owned)?),
    }
}

/// The test of a whole text; `normal` is applied to what the query says.
fn string_test(atom: &Atom<'_>, normal: &dyn Fn(&str) -> String) -> Result<StringTest, LowerErrorKind> {
    Ok(match atom {
        Atom::Exists => StringTest::Any,
        Atom::Term { value, fold } => {
            wildcard_test(&Wildcard::new([Glob::Text(normal(&value.text()))], *fold))
        }
        Atom::OneTerm(value) | Atom::Match(value) | Atom::Phrase { value, .. } => {
            StringTest::Equals(vec![normal(&value.text())])
        }
        // Lucene's automaton for no pattern accepts nothing, not even the empty text.
        Atom::Wildcard { pattern, analyzed: false } if pattern.parts().is_empty() => {
            StringTest::Equals(Vec::new())
        }
        Atom::Wildcard { pattern, .. } => {
            let parts = pattern.parts().iter().map(|part| match part {
                Glob::Text(text) => Glob::Text(normal(text)),
                Glob::One | Glob::Any => part.clone(),
            });
            wildcard_test(&Wildcard::new(parts, pattern.fold()))
        }
        Atom::Prefix { value, fold } => {
            wildcard_test(&Wildcard::new([Glob::Text(normal(value)), Glob::Any], *fold))
        }
        Atom::Regexp { value, flags, fold } => {
            let regexp = Regexp::new(&normal(value), *flags, *fold);
            StringTest::Regexp(
                regexp.map_err(|error| LowerErrorKind::BadRegexp { value: (*value).to_owned(), error })?,
            )
        }
        Atom::Fuzzy { value, edits } => fuzzy_test(normal(value), *edits),
        Atom::Range(bounds) => StringTest::Range(text_range(bounds, normal)),
    })
}

fn fuzzy_test(text: String, edits: u8) -> StringTest {
    if edits == 0 { StringTest::Equals(vec![text]) } else { StringTest::Fuzzy { text, edits } }
}

fn text_range(bounds: &RangeBounds, normal: &dyn Fn(&str) -> String) -> TextRange {
    let bound = |it: Option<(&crate::Literal, bool)>| {
        it.map(|(value, inclusive)| TextBound { text: normal(&value.text()), inclusive })
    };
    TextRange { lower: bound(bounds.lower()), upper: bound(bounds.upper()) }
}
