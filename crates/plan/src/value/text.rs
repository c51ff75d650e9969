//! Functions of texts. Positions count UTF-16 units, as Java has them.

use std::borrow::Cow;

use super::{Case, Datum};
use crate::Number;
use crate::{Glob, NumberType, Wildcard};

/// Patterns with `*` and `?` over a computed text, any of which it may fit. Ignoring case, they fold all letters, where a
/// [`Wildcard`] by itself folds those of ASCII.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Like {
    /// Each compares exactly; its letters are folded already.
    patterns: Vec<Wildcard>,
    case: Case,
}

impl Like {
    /// Any of the patterns.
    pub fn new(patterns: impl IntoIterator<Item = Wildcard>, case: Case) -> Self {
        let fold = |part: &Glob| match part {
            Glob::Text(text) => Glob::Text(folded(text, case).into_owned()),
            Glob::One | Glob::Any => part.clone(),
        };
        let patterns = patterns.into_iter().map(|it| Wildcard::new(it.parts().iter().map(fold), false));
        Self { patterns: patterns.collect(), case }
    }

    /// Whether case matters.
    pub fn case(&self) -> Case {
        self.case
    }

    /// The patterns.
    pub fn patterns(&self) -> &[Wildcard] {
        &self.patterns
    }

    /// Whether the whole text fits any of them.
    pub(super) fn fits(&self, text: &str) -> bool {
        let text = folded(text, self.case);
        self.patterns.iter().any(|it| it.matches(&text))
    }
}

/// The character that stands for it and its other case: one for one, so that nothing changes its place.
fn fold(it: char) -> char {
    fn single(mut chars: impl ExactSizeIterator<Item = char>, otherwise: char) -> char {
        if chars.len() == 1 { chars.next().unwrap_or(otherwise) } else { otherwise }
    }
    if it.is_ascii() {
        return it.to_ascii_lowercase();
    }
    let upper = single(it.to_uppercase(), it);
    single(upper.to_lowercase(), upper)
}

/// The text in which letters that are to be the same are.
pub(super) fn folded(text: &str, case: Case) -> Cow<'_, str> {
    if case == Case::Exact || text.chars().all(|it| fold(it) == it) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(fold).collect())
}

/// How many UTF-16 units it has.
pub(super) fn length(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.chars().map(char::len_utf16).sum() }
}

/// The byte at which the unit of that number stands; one within a character stands where that ends. Beyond the end it is the
/// end.
fn byte_of(text: &str, unit: usize) -> usize {
    if text.is_ascii() {
        return unit.min(text.len());
    }
    let mut left = unit;
    for (at, it) in text.char_indices() {
        if left == 0 {
            return at;
        }
        left = left.saturating_sub(it.len_utf16());
    }
    text.len()
}

/// Where the part begins, at `start` or after it. With letters folded every character stays at its unit.
pub(super) fn index_of(text: &str, part: &str, start: i128, case: Case) -> Option<usize> {
    let (text, part) = (folded(text, case), folded(part, case));
    let from = byte_of(&text, usize::try_from(start.max(0)).unwrap_or(usize::MAX));
    let at = from + text[from..].find(&*part)?;
    Some(length(&text[..at]))
}

/// The units from `start` to before `end`; negative ones count from the end, and beyond it is the end.
pub(super) fn substring(text: &str, start: i128, end: i128) -> &str {
    let length = length(text) as i128;
    let unit = |it: i128| (if it < 0 { it.saturating_add(length) } else { it }).clamp(0, length);
    let (start, end) = (unit(start), unit(end));
    if start >= end {
        return "";
    }
    let byte = |unit: i128| byte_of(text, usize::try_from(unit).unwrap_or(usize::MAX));
    &text[byte(start)..byte(end)]
}

/// What stands between `left` and the next `right`, or the last if `greedy`.
pub(super) fn between<'t>(
    text: &'t str,
    left: &str,
    right: &str,
    greedy: bool,
    case: Case,
) -> Option<&'t str> {
    let (plain, left, right) = (folded(text, case), folded(left, case), folded(right, case));
    let first = plain.find(&*left)? + left.len();
    let found = if greedy { plain[first..].rfind(&*right) } else { plain[first..].find(&*right) };
    let last = first + found?;
    // Characters may take more bytes or fewer once they are folded, but they are as many.
    let byte = |at: usize| {
        let chars = plain[..at].chars().count();
        text.char_indices().nth(chars).map_or(text.len(), |(byte, _)| byte)
    };
    Some(&text[byte(first)..byte(last)])
}

/// The number that a text is, in a base.
pub(super) fn number(text: &str, base: Option<i128>) -> Option<Datum<'static>> {
    let text = text.trim_matches(|it: char| it <= ' ');
    let digits = text.strip_prefix("0x");
    let base = base.unwrap_or(if digits.is_some() { 16 } else { 10 });
    if base == 10 {
        if let Ok(whole) = text.parse::<i64>() {
            return Some(Datum::Int(whole.into()));
        }
        return match NumberType::Double.parse(text)? {
            Number::Whole(value) => Some(Datum::double(value as f64)),
            Number::Real(value) => Some(Datum::double(value)),
        };
    }
    let radix = u32::try_from(base).ok().filter(|it| (2..=36).contains(it))?;
    let digits = digits.filter(|_| radix == 16).unwrap_or(text);
    i64::from_str_radix(digits, radix).ok().map(|it| Datum::Int(it.into()))
}
