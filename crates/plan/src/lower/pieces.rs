//! The words and patterns of a `query_string`.

use super::{Atom, LowerErrorKind};
use crate::condition::Part;
use crate::{Glob, Literal, Wildcard};

/// A part of a `query_string`.
pub(super) enum Piece {
    /// Words in a row are one text, as its parser has it.
    Words(Literal),
    /// A word with asterisks.
    Pattern(Wildcard),
    /// An asterisk alone.
    Star,
}

impl Piece {
    pub(super) fn all(pieces: &[Vec<Option<String>>]) -> impl Iterator<Item = Self> {
        words_of(pieces).map(|pieces| match pieces {
            [piece] if matches!(piece[..], [None]) => Self::Star,
            [piece] if !piece.iter().all(Option::is_some) => {
                let globs = piece.iter().map(|part| part.clone().map_or(Glob::Any, Glob::Text));
                Self::Pattern(Wildcard::new(globs, false))
            }
            words => {
                let words: Vec<String> =
                    words.iter().map(|word| word.iter().flatten().map(String::as_str).collect()).collect();
                Self::Words(Literal::Text(words.join(" ")))
            }
        })
    }

    pub(super) fn atom(&self) -> Atom<'_> {
        match self {
            Self::Words(text) => Atom::Match(text),
            Self::Pattern(pattern) => Atom::Wildcard { pattern: pattern.clone(), analyzed: true },
            Self::Star => Atom::Exists,
        }
    }
}

/// The beginning of a text, which the analyzer takes apart: any of its words, the last of them as a beginning.
pub(super) fn beginning(
    text: &str,
    ask: &mut dyn FnMut(&Atom<'_>) -> Result<Part, LowerErrorKind>,
) -> Result<Part, LowerErrorKind> {
    let mut words = ecs::analyze::tokens(text);
    let Some(last) = words.pop() else { return Ok(Part::constant(false)) };
    let last = Wildcard::new([Glob::Text(last), Glob::Any], false);
    let mut any = vec![ask(&Atom::Wildcard { pattern: last, analyzed: true })?];
    for word in words {
        any.push(ask(&Atom::Match(&Literal::Text(word)))?);
    }
    Ok(Part::or(any))
}

/// Patterns one by one, words in a row together.
pub(super) fn words_of(pieces: &[Vec<Option<String>>]) -> impl Iterator<Item = &[Vec<Option<String>>]> {
    let is_word = |piece: &Vec<Option<String>>| piece.iter().all(Option::is_some);
    pieces.chunk_by(move |before, after| is_word(before) && is_word(after))
}
