//! Patterns as `query_string` reads them: split at white space, with that parser's own operators.
//!
//! Kibana escapes everything in a pattern except `*`, white space and letters. So Lucene's parser splits it into
//! words and takes the upper-case words `AND`, `OR` and `NOT` for operators; neighbouring words without a
//! wildcard are one text for it.

use plan::{Bool, LeafKind, Query};

/// A word of the pattern: pieces of text with `None` for each `*`.
type Word = Vec<Option<String>>;

/// The pattern cannot be read: this word stands where Lucene's parser expects a term.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Misplaced(pub(crate) String);

/// Makes a query of a pattern. `leaf` puts the question to a field.
pub(crate) fn query(
    pieces: &[String],
    lenient: bool,
    leaf: &dyn Fn(LeafKind) -> Query,
) -> Result<Query, Misplaced> {
    let words = split(pieces);
    let clauses = clauses(&words)?;
    if clauses.iter().all(|clause| clause.occur == Occur::Should) {
        // Plain words next to each other in one `Pattern` are one text, so those that are not go apart.
        let mut groups: Vec<Vec<Word>> = vec![Vec::new()];
        for Clause { word, .. } in clauses {
            let group = groups.last_mut().expect("there is a group from the start");
            if is_plain(&word) && group.last().is_some_and(is_plain) {
                groups.push(vec![word]);
            } else {
                group.push(word);
            }
        }
        let mut leaves = groups.into_iter().map(|pieces| leaf(LeafKind::Pattern { pieces, lenient }));
        return Ok(match (leaves.next(), leaves.next()) {
            (Some(only), None) => only,
            (first, second) => {
                let should = first.into_iter().chain(second).chain(leaves).collect();
                Query::Bool(Bool { should, minimum_should_match: Some(1), ..Bool::default() })
            }
        });
    }
    let of = |occur: Occur| {
        let words = clauses.iter().filter(|clause| clause.occur == occur);
        words.map(|clause| leaf(LeafKind::Pattern { pieces: vec![clause.word.clone()], lenient })).collect()
    };
    Ok(Query::Bool(Bool {
        must: of(Occur::Must),
        should: of(Occur::Should),
        must_not: of(Occur::MustNot),
        ..Bool::default()
    }))
}

/// What a clause of Lucene's boolean query demands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Occur {
    Must,
    Should,
    MustNot,
}

#[derive(Debug)]
struct Clause {
    word: Word,
    occur: Occur,
}

/// `query = clause ( ["AND" | "OR"] clause )*`, `clause = ["NOT"] word`; nothing binds tighter than anything else.
fn clauses(words: &[Word]) -> Result<Vec<Clause>, Misplaced> {
    let mut clauses: Vec<Clause> = Vec::new();
    let mut at = 0;
    while at < words.len() {
        let conjunction =
            if clauses.is_empty() { None } else { operator(&words[at]).filter(|it| *it != "NOT") };
        at += usize::from(conjunction.is_some());
        let negated = words.get(at).and_then(|word| operator(word)) == Some("NOT");
        at += usize::from(negated);
        let Some(word) = words.get(at).filter(|word| operator(word).is_none()) else {
            return Err(Misplaced(words[at.min(words.len() - 1)].iter().flatten().cloned().collect()));
        };
        let mut word = word.clone();
        at += 1;
        if conjunction == Some("AND")
            && let Some(before) = clauses.last_mut().filter(|before| before.occur == Occur::Should)
        {
            before.occur = Occur::Must;
        }
        if conjunction.is_none() && !negated {
            at += join(&mut word, &words[at..]);
        }
        let occur = match (negated, conjunction) {
            (true, _) => Occur::MustNot,
            (false, Some("AND")) => Occur::Must,
            (false, _) => Occur::Should,
        };
        clauses.push(Clause { word, occur });
    }
    Ok(clauses)
}

/// Joins plain words to a plain word and returns how many. One that comes directly before a lone `*`, `AND` or
/// `OR` stays by itself, as the parser looks one word further.
fn join(word: &mut Word, rest: &[Word]) -> usize {
    let mut joined = 0;
    while let ([Some(text)], Some([Some(next)])) = (&mut word[..], rest.get(joined).map(Vec::as_slice)) {
        let after = rest.get(joined + 1);
        let stays = after.is_some_and(|after| {
            matches!(after[..], [None]) || matches!(operator(after), Some("AND" | "OR"))
        });
        if stays || operator(&rest[joined]).is_some() {
            break;
        }
        text.push(' ');
        text.push_str(next);
        joined += 1;
    }
    joined
}

fn is_plain(word: &Word) -> bool {
    matches!(word[..], [Some(_)])
}

fn operator(word: &Word) -> Option<&str> {
    match &word[..] {
        [Some(text)] => Some(text.as_str()).filter(|text| ["AND", "OR", "NOT"].contains(text)),
        _ => None,
    }
}

/// Splits at what that parser takes for white space; U+00A0 is none for it.
fn split(pieces: &[String]) -> Vec<Word> {
    let mut words = Vec::new();
    let mut word = Word::new();
    for (at, piece) in pieces.iter().enumerate() {
        if at > 0 {
            word.push(None);
        }
        for (at, part) in piece.split([' ', '\t', '\n', '\r', '\u{3000}']).enumerate() {
            if at > 0 && !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
            if !part.is_empty() {
                word.push(Some(part.to_owned()));
            }
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The clauses of a pattern: `+` must, `-` must not, `|` between words.
    fn read(pattern: &str) -> String {
        let pieces: Vec<String> = pattern.split('*').map(str::to_owned).collect();
        let show = |clause: &Clause| {
            let sign = match clause.occur {
                Occur::Must => "+",
                Occur::Should => "",
                Occur::MustNot => "-",
            };
            let text = clause.word.iter().map(|piece| piece.as_deref().unwrap_or("*")).collect::<String>();
            format!("{sign}{text}")
        };
        match clauses(&split(&pieces)) {
            Ok(clauses) => clauses.iter().map(show).collect::<Vec<_>>().join("|"),
            Err(Misplaced(word)) => format!("error: {word}"),
        }
    }

    #[test]
    fn plain_neighbours_are_one_text() {
        assert_eq!(read("x* foo bar"), "x*|foo bar");
        assert_eq!(read("foo  bar\tbaz x*"), "foo bar baz|x*");
        assert_eq!(read("foo x* bar"), "foo|x*|bar");
        assert_eq!(read("foo bar *"), "foo|bar|*");
        assert_eq!(read("foo bar baz *"), "foo bar|baz|*");
        assert_eq!(read("a* AND b c d"), "+a*|+b|c d");
    }

    #[test]
    fn upper_case_operators() {
        assert_eq!(read("b* AND foo"), "+b*|+foo");
        assert_eq!(read("b* OR foo"), "b*|foo");
        assert_eq!(read("NOT b*"), "-b*");
        assert_eq!(read("x* NOT foo bar"), "x*|-foo|bar");
        assert_eq!(read("a b AND c*"), "a|+b|+c*");
        assert_eq!(read("a AND NOT b*"), "+a|-b*");
        assert_eq!(read("a* and b"), "a*|and b");
        for wrong in ["AND b*", "b* OR", "b* NOT", "b* AND AND c", "NOT NOT b*", "b* OR AND c"] {
            assert!(read(wrong).starts_with("error"), "{wrong}");
        }
    }
}
