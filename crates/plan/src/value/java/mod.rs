//! Java's regular expressions, over a whole computed text.
//!
//! They are run by automata, in time linear in the text. What no automaton can decide (a look around, a reference back to a
//! group) is refused with a message, and never just fails to match.

mod class;
mod parse;

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

/// How large an automaton may be.
const MAX_BYTES: usize = 10 * 1024 * 1024;

/// An expression that is known to be good, and made ready to run. As data it is its source.
#[derive(Clone, Debug)]
pub struct JavaRegexp {
    source: String,
    fold: bool,
    regex: regex::Regex,
}

/// Why a regular expression was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JavaRegexpError {
    /// The syntax does not allow what stands there.
    #[error("expected {expected} at byte {at}")]
    Syntax {
        /// Where.
        at: usize,
        /// What should stand there.
        expected: &'static str,
    },
    /// Java has it, but no automaton can do it, or none here does.
    #[error("{what} at byte {at} is not supported")]
    Unsupported {
        /// What it is.
        what: &'static str,
        /// Where.
        at: usize,
    },
    /// A hostile expression must not exhaust the stack.
    #[error("the expression nests deeper than {limit} levels")]
    TooDeep {
        /// The limit.
        limit: usize,
    },
    /// The automaton would be too large.
    #[error("the expression is too large: its automaton takes more than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
}

impl JavaRegexp {
    /// Reads an expression. `fold`: letters match in either case.
    pub fn new(source: &str, fold: bool) -> Result<Self, JavaRegexpError> {
        let text = parse::parse(source, parse::Purpose::Whole)?;
        let regex = regex::RegexBuilder::new(&format!("\\A(?:{text})\\z"))
            .case_insensitive(fold)
            .size_limit(MAX_BYTES)
            .build()
            .map_err(|_| JavaRegexpError::TooLarge { limit: MAX_BYTES })?;
        Ok(Self { source: source.to_owned(), fold, regex })
    }

    /// An expression to search with, its groups numbered and named as they are written.
    pub fn search(source: &str) -> Result<regex::Regex, JavaRegexpError> {
        regex::RegexBuilder::new(&parse::parse(source, parse::Purpose::Search)?)
            .size_limit(MAX_BYTES)
            .build()
            .map_err(|_| JavaRegexpError::TooLarge { limit: MAX_BYTES })
    }

    /// As written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether letters match in either case.
    pub fn fold(&self) -> bool {
        self.fold
    }

    /// Whether the whole text fits.
    pub fn matches(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    fn key(&self) -> (&str, bool) {
        (&self.source, self.fold)
    }
}

impl PartialEq for JavaRegexp {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for JavaRegexp {}

impl PartialOrd for JavaRegexp {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for JavaRegexp {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl Hash for JavaRegexp {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::parse::MAX_DEPTH;
    use super::*;

    fn matches(source: &str, text: &str) -> bool {
        JavaRegexp::new(source, false).unwrap_or_else(|error| panic!("{source}: {error}")).matches(text)
    }

    #[test]
    fn verdicts() {
        for (source, yes, no) in [
            ("ab?c", "ac", "abbc"),
            ("a|b.*", "bxyz", "ax"),
            (".*?net[1]?  localgroup.*?", "x net1  localgroup y", "net2  localgroup"),
            ("[0-9]{3}", "123", "1234"),
            ("[^a-c]+", "xyz", "xa"),
            ("a\\.b", "a.b", "axb"),
            ("^a$", "a", "^a$"),
            ("\\Qa.b\\E+", "a.bb", "axb"),
            ("\\d{2,}", "22", "2"),
            ("\\w+\\s\\S", "ab c", "a-b c"),
            ("(?i)get(?-i)X", "GETX", "getx"),
            ("(?i:get)X", "GeTX", "getx"),
            ("x(a(?i)b|c)d", "xCd", "xCD"),
            ("(?s:a.)b.", "a\nbc", "a\nb\n"),
            ("(?)a(?-)b", "ab", "AB"),
            ("(?<name>a)b", "ab", "b"),
            ("[a-z&&[^bc]]", "d", "b"),
            ("[a-d[m-p]]", "n", "e"),
            ("[]a]", "]", "b"),
            ("[a-]", "-", "b"),
            ("[\\w-]+", "a-b", "a b"),
            ("\\p{Lower}\\p{L}\\pN", "aÉ5", "AÉ5"),
            ("\\x41\\u0042\\x{43}\\t", "ABC\t", "ABC"),
            ("\\uD83D\\uDE00", "😀", "a"),
            ("a&b~#@<1-2>", "a&b~#@<1-2>", "ab"),
            ("[&~-]+", "&~-", "a"),
            ("\\bab\\b.*", "ab c", "abc"),
            ("a\\Bb", "ab", "a b"),
            ("[\\D&&[^a]]", "b", "a"),
            ("\\p{IsGreek}\\P{L}", "α1", "a1"),
            ("[\\p{Alpha}_]+", "a_B", "a1"),
            ("\\07\\cA\\e", "\u{7}\u{1}\u{1b}", "a"),
            ("(?s)a.b", "a\nb", "ab"),
            ("a.b", "a b", "a\nb"),
            ("\\R", "\r\n", "a"),
            ("x{0}", "", "x"),
            ("", "", "a"),
            ("a||b", "", "c"),
        ] {
            assert!(matches(source, yes), "{source} should match {yes:?}");
            assert!(!matches(source, no), "{source} should not match {no:?}");
        }
        assert!(!JavaRegexp::new("größe", true).unwrap().matches("GRÖSSE"), "one letter for one");
        assert!(JavaRegexp::new("é", true).unwrap().matches("É"));
    }

    #[test]
    fn says_what_is_wrong() {
        for (source, message) in [
            ("(a", "expected `)` at byte 2"),
            ("a)", "expected the end, or an opening `(` before at byte 1"),
            ("[a", "expected `]` at byte 2"),
            ("[z-a]", "expected a range that goes up at byte 4"),
            ("a{2,1}", "expected a number that is not below the first at byte 5"),
            ("*a", "expected something to repeat at byte 0"),
            ("a**", "expected something to repeat at byte 2"),
            ("\\y", "expected an escape that Java knows at byte 1"),
            ("a(?=b)", "a look ahead at byte 1 is not supported"),
            ("(?<!a)b", "a look behind at byte 0 is not supported"),
            ("(?>a)b", "a group that gives nothing back at byte 0 is not supported"),
            ("a++b", "a repetition that gives nothing back at byte 2 is not supported"),
            ("(a)\\1", "a reference to a group at byte 3 is not supported"),
            ("(?x)a", "the flag at byte 2 is not supported"),
            ("\\p{Foo}", "the property at byte 0 is not supported"),
            ("a$b", "`$` before the end at byte 1 is not supported"),
        ] {
            assert_eq!(JavaRegexp::new(source, false).unwrap_err().to_string(), message, "{source}");
        }
        let deep = "(".repeat(5_000);
        assert_eq!(JavaRegexp::new(&deep, false), Err(JavaRegexpError::TooDeep { limit: MAX_DEPTH }));
        let nested = format!("{}a{}", "[".repeat(5_000), "]".repeat(5_000));
        assert_eq!(JavaRegexp::new(&nested, false), Err(JavaRegexpError::TooDeep { limit: MAX_DEPTH }));
        let large = JavaRegexp::new("(((a{1,200}){1,200}){1,200})", false);
        assert_eq!(large, Err(JavaRegexpError::TooLarge { limit: MAX_BYTES }));
    }

    #[test]
    fn searches_with_groups() {
        let replaced = |source: &str, text: &str| {
            JavaRegexp::search(source).unwrap().replace_all(text, "<$1>").into_owned()
        };
        for (source, text, expected) in [
            ("(?i)(bearer +)[^ ]+", "x Bearer abc y", "x <Bearer > y"),
            ("a(.*?)b", "a1b2b", "<1>2b"),
            (r"\{(\w++`){2,}\w++\}", "{a`b`c}", "<b`>"),
            (r"([A-Za-z_-])`(?![rntb]|\r|\n|\d)[A-Za-z0-9_-]", "a`x a`r a`7", "<a> a`r a`7"),
            ("(?<word>[a-z]+)$", "one two", "one <two>"),
        ] {
            assert_eq!(replaced(source, text), expected, "{source}");
        }
        assert!(JavaRegexp::search("(?!abc)x").is_err() && JavaRegexp::search(r"\w++a").is_err());
        assert_eq!(JavaRegexp::search("(?:a)(b)").unwrap().captures_len(), 2);
    }

    proptest! {
        #[test]
        fn nothing_panics(source in "[]\\[(){}|&~^$<>:=!0-9,.\\\\a-cisQEpux*+?-]{0,14}", text in ".{0,4}", fold: bool) {
            if let Ok(regexp) = JavaRegexp::new(&source, fold) {
                regexp.matches(&text);
            }
        }

        /// What both know means the same, whole value: so the translation adds and drops nothing.
        #[test]
        fn agrees_with_the_crate_on_what_both_know(source in "([ab.]|[ab][*+?]|\\(a\\|b\\)|\\[\\^?ab\\]){0,6}", text in "[abc\n]{0,6}") {
            let regex = regex::Regex::new(&format!("\\A(?:{source})\\z")).unwrap();
            prop_assert_eq!(matches(&source, &text), regex.is_match(&text));
        }
    }
}
