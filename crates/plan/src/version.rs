//! Order of `version` fields.

use std::cmp::Ordering;

/// Semantic versions in their order, then everything else as text.
pub fn compare(a: &str, b: &str) -> Ordering {
    match (Version::parse(a), Version::parse(b)) {
        (Some(a), Some(b)) => a.compare(&b),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => a.cmp(b),
    }
}

struct Version<'a> {
    /// Major, minor, patch, and more where there is more.
    numbers: Vec<&'a str>,
    pre_release: Option<&'a str>,
    build: Option<&'a str>,
}

impl<'a> Version<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let (text, build) = split(text, '+');
        let (text, pre_release) = split(text, '-');
        let numbers: Vec<&str> = text.split('.').collect();
        let is_number = |it: &&str| !it.is_empty() && it.bytes().all(|it| it.is_ascii_digit());
        numbers.iter().all(is_number).then_some(Self { numbers, pre_release, build })
    }

    fn compare(&self, other: &Self) -> Ordering {
        let len = self.numbers.len().max(other.numbers.len());
        let number = |numbers: &[&'a str], at: usize| numbers.get(at).copied().unwrap_or("0");
        (0..len)
            .map(|at| by_number(number(&self.numbers, at), number(&other.numbers, at)))
            .find(|it| it.is_ne())
            .unwrap_or(Ordering::Equal)
            .then_with(|| match (self.pre_release, other.pre_release) {
                (None, None) => Ordering::Equal,
                // A release comes after its previews.
                (None, Some(_)) => Ordering::Greater,
                (Some(_), None) => Ordering::Less,
                (Some(a), Some(b)) => by_identifiers(a, b),
            })
            .then_with(|| self.build.cmp(&other.build))
    }
}

fn split(text: &str, at: char) -> (&str, Option<&str>) {
    text.split_once(at).map_or((text, None), |(before, after)| (before, Some(after)))
}

fn by_number(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.trim_start_matches('0'), b.trim_start_matches('0'));
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

fn by_identifiers(a: &str, b: &str) -> Ordering {
    let is_number = |it: &str| !it.is_empty() && it.bytes().all(|it| it.is_ascii_digit());
    let (mut a, mut b) = (a.split('.'), b.split('.'));
    loop {
        let order = match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(a), Some(b)) => match (is_number(a), is_number(b)) {
                (true, true) => by_number(a, b),
                (true, false) => Ordering::Less,
                (false, true) => Ordering::Greater,
                (false, false) => a.cmp(b),
            },
        };
        if order.is_ne() {
            return order;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorts_as_semantic_versions() {
        let sorted =
            ["0.9", "1.2.0-alpha.2", "1.2.0-alpha.10", "1.2.0-beta", "1.2.0", "1.10.0", "2", "latest", "v1"];
        for (at, a) in sorted.iter().enumerate() {
            for b in &sorted[at + 1..] {
                assert_eq!(compare(a, b), Ordering::Less, "{a} {b}");
                assert_eq!(compare(b, a), Ordering::Greater, "{b} {a}");
            }
        }
    }
}
