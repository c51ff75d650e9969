//! What several parts of the checker share.

use crate::Type;

/// The nearest of `known`, if it is near enough to be meant.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if name.len() > 128 {
        return None;
    }
    let lower = name.to_lowercase();
    let allowed = match lower.len() {
        0..=3 => 1,
        4..=8 => 2,
        9..=20 => 3,
        _ => 4,
    };
    known
        .into_iter()
        .filter(|it| *it != name && it.len().abs_diff(name.len()) <= allowed)
        .map(|it| (strsim::damerau_levenshtein(&lower, &it.to_lowercase()), it))
        .filter(|(distance, it)| *distance <= allowed && *distance * 2 < it.len())
        .min()
        .map(|(_, it)| it)
}

/// The type that values have in common, if the first of them decides: a later one may be narrower.
pub(crate) fn joined(first: Type, next: Type) -> Option<Type> {
    match (first.without_text(), next.without_text()) {
        (Type::Null, it) | (it, Type::Null) => Some(it),
        (first, next) if first == next => Some(first),
        (first, next) if first.widest(next) == Some(first) => Some(first),
        _ => None,
    }
}
