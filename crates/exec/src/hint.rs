//! What a string must be for a test to be true of it.
//!
//! A hint only says where to look: the matcher decides. So a hint may let too much through, never too little.
//! Values that are no strings are few and asked about without a hint.

use plan::{Glob, StringTest, Test, TextTest};

/// What a string must be for a test to be true of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Hint {
    /// One of these, byte for byte.
    Terms(Vec<String>),
    /// It must contain one of these, apart from the case of ASCII letters. None is empty.
    Contains(Vec<String>),
    /// It must be one of these addresses, however it is written.
    Addresses(Vec<u128>),
    /// Nothing is known.
    Any,
}

impl Hint {
    pub(crate) fn of(test: &Test) -> Self {
        match test {
            Test::Terms(terms) => Self::Terms(terms.clone()),
            // A field that lower-cases its values has more letters that become an `i` or a `k` than ASCII has.
            Test::Keyword { field, .. } | Test::FlattenedRoot { field, .. } if field.lowercase => Self::Any,
            Test::Keyword { test, .. } | Test::Version(test) => Self::of_text(test),
            // The text stands behind the key.
            Test::FlattenedRoot { test, .. } => match Self::of_text(test) {
                Self::Terms(terms) => {
                    Self::Contains(terms.into_iter().map(|term| format!("\0{term}")).collect())
                }
                hint @ (Self::Contains(_) | Self::Addresses(_) | Self::Any) => hint,
            },
            Test::Boolean { truth, falsity } => {
                let texts = [(*truth, "true"), (*falsity, "false"), (*falsity, "")];
                Self::Terms(
                    texts.iter().filter(|(asked, _)| *asked).map(|&(_, text)| text.to_owned()).collect(),
                )
            }
            Test::Dynamic { string: Some(test), .. } => Self::of(test),
            Test::Dynamic { string: None, .. } => Self::Terms(Vec::new()),
            // A block of addresses is no list: each value must be asked about.
            Test::Ip(ranges) => ranges
                .as_slice()
                .iter()
                .map(|&(first, last)| (first == last).then_some(first))
                .collect::<Option<Vec<u128>>>()
                .map_or(Self::Any, Self::Addresses),
            // Tokens are lower-cased too; numbers and dates are written in many ways.
            Test::Text(TextTest::Any | TextTest::Token(_) | TextTest::Phrase { .. })
            | Test::Number { .. }
            | Test::Date { .. }
            | Test::Place
            | Test::Nested(_)
            | Test::Computed(_) => Self::Any,
        }
    }

    fn of_text(test: &StringTest) -> Self {
        match test {
            StringTest::Equals(terms) => Self::Terms(terms.clone()),
            StringTest::Prefix(prefix) => Self::contains(Some(prefix)),
            StringTest::Wildcard(wildcard) => {
                // The longest part is the rarest.
                let texts = wildcard.parts().iter().filter_map(|part| match part {
                    Glob::Text(text) => Some(text),
                    Glob::One | Glob::Any => None,
                });
                Self::contains(texts.max_by_key(|text| text.len()))
            }
            StringTest::Any | StringTest::Regexp(_) | StringTest::Fuzzy { .. } | StringTest::Range(_) => {
                Self::Any
            }
        }
    }

    fn contains(text: Option<&String>) -> Self {
        match text {
            Some(text) if !text.is_empty() => Self::Contains(vec![text.clone()]),
            Some(_) | None => Self::Any,
        }
    }
}
