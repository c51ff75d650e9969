//! Which of many expressions can match a text at all.
//!
//! Most expressions contain a text that every match must contain, or a few of which every match must contain
//! one. One Aho-Corasick automaton finds all of them at once; expressions without such a text are always tried.

use aho_corasick::AhoCorasick;
use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind};

/// A required text shorter than this rules out too little.
const REQUIRED_LEN_MIN: usize = 2;
/// Expressions with more alternatives than this are always tried.
const ALTERNATIVES_MAX: usize = 64;

/// Finds candidates.
pub(super) struct Prefilter {
    automaton: Option<AhoCorasick>,
    /// For each text of the automaton the expression that wants it.
    owners: Vec<usize>,
    always: Vec<bool>,
}

impl Prefilter {
    /// Takes what [`required_texts`] says of each expression.
    pub(super) fn new(required: Vec<Option<Vec<String>>>) -> Self {
        let always: Vec<bool> = required.iter().map(Option::is_none).collect();
        let (mut texts, mut owners) = (Vec::new(), Vec::new());
        for (owner, alternatives) in required.into_iter().enumerate() {
            for text in alternatives.into_iter().flatten() {
                texts.push(text);
                owners.push(owner);
            }
        }
        let automaton = AhoCorasick::builder().ascii_case_insensitive(true).build(&texts).ok();
        let always = if automaton.is_some() { always } else { vec![true; always.len()] };
        Self { automaton, owners, always }
    }

    /// The expressions that can match, in order.
    pub(super) fn candidates(&self, text: &str) -> impl Iterator<Item = usize> {
        let mut possible = self.always.clone();
        for found in self.automaton.iter().flat_map(|it| it.find_overlapping_iter(text)) {
            possible[self.owners[found.pattern().as_usize()]] = true;
        }
        possible.into_iter().enumerate().filter(|&(_, it)| it).map(|(index, _)| index)
    }
}

/// Texts, in lower case, one of which every match contains whatever its case; none if no such texts are known.
pub(super) fn required_texts(pattern: &str, ignore_case: bool) -> Option<Vec<String>> {
    let mut parser = ParserBuilder::new().unicode(false).utf8(false).case_insensitive(ignore_case).build();
    let required = of(&parser.parse(pattern).ok()?)?;
    required.iter().all(|text| text.len() >= REQUIRED_LEN_MIN).then_some(required)
}

fn of(hir: &Hir) -> Option<Vec<String>> {
    match hir.kind() {
        HirKind::Literal(_) | HirKind::Class(_) => {
            let mut text = String::new();
            append(hir, &mut text).then(|| vec![text])
        }
        HirKind::Capture(capture) => of(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => of(&repetition.sub),
        HirKind::Concat(parts) => {
            let mut best: Option<Vec<String>> = None;
            let mut offer = |it: Vec<String>| {
                if best.as_ref().is_none_or(|best| selectivity(&it) > selectivity(best)) {
                    best = Some(it);
                }
            };
            let mut run = String::new();
            for part in parts {
                if !append(part, &mut run) {
                    if !run.is_empty() {
                        offer(vec![std::mem::take(&mut run)]);
                    }
                    if let Some(it) = of(part) {
                        offer(it);
                    }
                }
            }
            if !run.is_empty() {
                offer(vec![run]);
            }
            best
        }
        HirKind::Alternation(parts) => {
            let mut all = Vec::new();
            for part in parts {
                all.extend(of(part)?);
            }
            (all.len() <= ALTERNATIVES_MAX).then_some(all)
        }
        HirKind::Empty | HirKind::Look(_) | HirKind::Repetition(_) => None,
    }
}

/// The longer the shortest alternative, the better; then the fewer.
fn selectivity(texts: &[String]) -> (usize, std::cmp::Reverse<usize>) {
    (texts.iter().map(String::len).min().unwrap_or(0), std::cmp::Reverse(texts.len()))
}

/// Appends what matches one fixed text, or one letter in either case. Returns whether `hir` is that.
fn append(hir: &Hir, run: &mut String) -> bool {
    match hir.kind() {
        HirKind::Literal(literal) => match std::str::from_utf8(&literal.0) {
            Ok(text) if text.is_ascii() => {
                run.push_str(&text.to_ascii_lowercase());
                true
            }
            _ => false,
        },
        HirKind::Class(Class::Bytes(class)) => {
            let letters: Vec<u8> = class.iter().flat_map(|range| [range.start(), range.end()]).collect();
            match letters[..] {
                [a, b, c, d] if a == b && c == d && a.is_ascii() && a.eq_ignore_ascii_case(&c) => {
                    run.push(char::from(a.to_ascii_lowercase()));
                    true
                }
                _ => false,
            }
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_required_text_is_taken() {
        let it = |pattern, ignore_case| required_texts(pattern, ignore_case);
        assert_eq!(it(r"(Foo Bar)/(\d+)\.(\d+)", false), Some(vec!["foo bar".to_owned()]));
        assert_eq!(it("(?:Android|iOS)[ /-]x", false), Some(vec!["android".to_owned(), "ios".to_owned()]));
        assert_eq!(it("curl", true), Some(vec!["curl".to_owned()]));
        assert_eq!(it("a?(?:bcd)*", false), None);
        assert_eq!(it("x", false), None, "a single letter rules nothing out");
    }
}
