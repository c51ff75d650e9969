//! Sentences with values, in the language of the guide.
//!
//! A sentence stands in the code as it is said in English, and `sentences.zh-CN.txt` says it in Chinese. `{}` is the next
//! value, `{2}` the third, and `{|call|calls}` is the next value, a number, with its noun. A value is never read for braces.

use std::collections::HashMap;
use std::sync::LazyLock;

use rule::GuideLanguage;

/// Says a sentence in a language.
macro_rules! say {
    ($language:expr, $sentence:literal $(, $value:expr)* $(,)?) => {
        $crate::say::said($language, $sentence, &[$(&($value).to_string()),*])
    };
}
/// The heads of a table. They stay English here, as programs read them; [`word`] translates them for people.
macro_rules! heads {
    ($($head:literal),* $(,)?) => { vec![$($head.to_owned()),*] };
}
/// A word that [`word`] translates where it is shown.
macro_rules! term {
    ($word:literal) => {
        $word
    };
}
pub(crate) use {heads, say, term};

/// Pairs of lines: what is said in English, and in Chinese.
const CHINESE: &str = include_str!("sentences.zh-CN.txt");

static SENTENCES: LazyLock<HashMap<&'static str, &'static str>> = LazyLock::new(|| pairs(CHINESE).collect());

fn pairs(text: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let mut lines = text.lines().filter(|it| !it.is_empty() && !it.starts_with('#'));
    std::iter::from_fn(move || Some((lines.next()?, lines.next()?)))
}

/// The name of a query, a head of a table or another word of ours, for people.
pub fn word(language: GuideLanguage, word: &str) -> &str {
    match language {
        GuideLanguage::English => word,
        GuideLanguage::SimplifiedChinese => SENTENCES.get(word).copied().unwrap_or(word),
    }
}

pub(crate) fn said(language: GuideLanguage, sentence: &str, values: &[&str]) -> String {
    let sentence = word(language, sentence);
    let (mut out, mut next) = (String::with_capacity(sentence.len()), 0);
    let mut rest = sentence;
    while let Some(open) = rest.find('{') {
        let Some(close) = rest[open..].find('}') else { break };
        out.push_str(&rest[..open]);
        let inner = &rest[open + 1..open + close];
        let (number, nouns) = inner.split_once('|').map_or((inner, None), |(at, nouns)| (at, Some(nouns)));
        let at = number.parse().unwrap_or_else(|_| {
            next += 1;
            next - 1
        });
        let value = values.get(at).copied().unwrap_or_default();
        out.push_str(value);
        if let Some((one, many)) = nouns.and_then(|it| it.split_once('|')) {
            out.push(' ');
            out.push_str(if value == "1" { one } else { many });
        }
        rest = &rest[open + close + 1..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use super::*;

    #[test]
    fn sentences() {
        let english = GuideLanguage::English;
        assert_eq!(said(english, "{|call|calls} by {}", &["1", "a"]), "1 call by a");
        assert_eq!(said(english, "{|call|calls} by {}", &["3", "{0} {"]), "3 calls by {0} {");
        assert_eq!(said(english, "{1} of {0}", &["a", "b"]), "b of a");
        assert_eq!(said(english, "nothing", &[]), "nothing");
    }

    /// The literals that follow these macros in a source: of `heads!` all.
    fn literals(source: &str) -> Vec<String> {
        let mut out = Vec::new();
        for (at, _) in ["say!(", "heads![", "term!("].iter().flat_map(|it| source.match_indices(it)) {
            let is_heads = source[at..].starts_with("heads");
            let end = if is_heads { source[at..].find(']').map(|it| at + it) } else { None };
            let mut rest = &source[at..end.unwrap_or(source.len())];
            while let Some(open) = rest.find('"') {
                // An escaped quote ends no literal of ours.
                let mut close = open + 1;
                let bytes = rest.as_bytes();
                while bytes[close] != b'"' {
                    close += if bytes[close] == b'\\' { 2 } else { 1 };
                }
                out.push(rest[open + 1..close].replace("\\\"", "\""));
                rest = &rest[close + 1..];
                if !is_heads {
                    break;
                }
            }
        }
        out
    }

    /// Which values a sentence has, in any order.
    fn holes(sentence: &str) -> Vec<usize> {
        let mut next = 0;
        let mut holes: Vec<usize> = sentence
            .match_indices('{')
            .map(|(at, _)| {
                let inner = sentence[at + 1..].split('}').next().unwrap_or_default();
                inner.split('|').next().unwrap_or_default().parse().unwrap_or_else(|_| {
                    next += 1;
                    next - 1
                })
            })
            .collect();
        holes.sort_unstable();
        holes.dedup();
        holes
    }

    #[test]
    fn every_sentence_is_said_in_chinese() {
        let mut known: BTreeMap<String, bool> = BTreeMap::new();
        for (english, chinese) in pairs(CHINESE) {
            assert!(known.insert(english.to_owned(), false).is_none(), "twice: {english}");
            assert_eq!(holes(english), holes(chinese), "{english}\n{chinese}");
        }
        let mut missing = Vec::new();
        let mut said = Vec::new();
        for file in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_some_and(|it| it == "rs") && !path.ends_with("say.rs") {
                said.extend(literals(&std::fs::read_to_string(path).unwrap()));
            }
        }
        // What is shown of a query is its name.
        let mut rules = rule::builtin(GuideLanguage::English).rules;
        rules.push(crate::general(GuideLanguage::English).clone());
        let guides = rules.iter().filter_map(|it| it.guide.as_ref());
        let queries = guides.flat_map(|it| &it.triage).flat_map(|it| &it.queries);
        said.extend(queries.filter_map(|it| it.id.clone()));
        assert!(said.len() > 100, "{} sentences were found", said.len());
        for sentence in said.into_iter().filter(|it| !it.is_empty()) {
            match known.get_mut(&sentence) {
                Some(is_said) => *is_said = true,
                None => missing.push(sentence),
            }
        }
        missing.sort();
        missing.dedup();
        assert!(missing.is_empty(), "not in sentences.zh-CN.txt:\n{}", missing.join("\n"));
        let unsaid: Vec<&String> = known.iter().filter(|(_, is_said)| !**is_said).map(|(it, _)| it).collect();
        assert!(unsaid.is_empty(), "nobody says {unsaid:#?}");
    }
}
