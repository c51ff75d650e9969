//! Lucene's regular expressions, over a whole text.

mod parse;

/// A regular expression that is known to be good.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Regexp {
    source: String,
    flags: Flags,
    fold: bool,
}

/// Why a regular expression was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegexpError {
    /// The syntax does not allow what stands there.
    #[error("expected {expected} at byte {at}")]
    Syntax {
        /// Where.
        at: usize,
        /// What should stand there.
        expected: &'static str,
    },
    /// `&` or `~` within a larger expression.
    #[error("`{operator}` at byte {at} is supported around whole expressions only, not inside of one")]
    Inner {
        /// The operator.
        operator: char,
        /// Where.
        at: usize,
    },
    /// A flag that does not exist.
    #[error(
        "`{flag}` is no flag; there are ALL, NONE, INTERSECTION, COMPLEMENT, EMPTY, ANYSTRING and INTERVAL"
    )]
    Flag {
        /// The flag.
        flag: String,
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

impl RegexpError {
    /// Whether the expression is right, and only this engine cannot run it.
    pub(crate) fn is_own_limit(&self) -> bool {
        match self {
            Self::Inner { .. } | Self::TooDeep { .. } | Self::TooLarge { .. } => true,
            Self::Syntax { .. } | Self::Flag { .. } => false,
        }
    }
}

/// How large an automaton may be.
const MAX_BYTES: usize = 10 * 1024 * 1024;
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of Elasticsearch's, by its name")]
struct Flags {
    intersection: bool,
    complement: bool,
    empty: bool,
    any_string: bool,
    interval: bool,
}

impl Flags {
    const fn all(value: bool) -> Self {
        Self { intersection: value, complement: value, empty: value, any_string: value, interval: value }
    }

    fn parse(flags: Option<&str>) -> Result<Self, RegexpError> {
        let Some(flags) = flags.filter(|it| !it.is_empty()) else { return Ok(Self::all(true)) };
        let mut all = Self::all(false);
        for flag in flags.split('|') {
            match flag.trim() {
                "ALL" => all = Self::all(true),
                "NONE" => {}
                "INTERSECTION" => all.intersection = true,
                "COMPLEMENT" => all.complement = true,
                "EMPTY" => all.empty = true,
                "ANYSTRING" => all.any_string = true,
                "INTERVAL" => all.interval = true,
                flag => return Err(RegexpError::Flag { flag: flag.to_owned() }),
            }
        }
        Ok(all)
    }
}

impl Regexp {
    /// Checks an expression. `flags`: the optional operators, all if none is given. `fold`: ASCII letters match
    /// in either case (not in ranges of a class, as in Lucene).
    pub fn new(source: &str, flags: Option<&str>, fold: bool) -> Result<Self, RegexpError> {
        let regexp = Self { source: source.to_owned(), flags: Flags::parse(flags)?, fold };
        regexp.build()?;
        Ok(regexp)
    }

    /// The expression as written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Makes it ready to run.
    ///
    /// # Panics
    ///
    /// Never: there is no `Regexp` that was not built once already.
    pub fn compile(&self) -> CompiledRegexp {
        self.build().expect("`new` built the same before")
    }

    fn build(&self) -> Result<CompiledRegexp, RegexpError> {
        compile(&parse::parse(&self.source, self.flags, self.fold)?)
    }
}

/// A regular expression that is ready to run.
#[derive(Debug)]
pub enum CompiledRegexp {
    /// One automaton.
    Regex(regex::Regex),
    /// All of them.
    And(Vec<CompiledRegexp>),
    /// Any of them.
    Or(Vec<CompiledRegexp>),
    /// Not it.
    Not(Box<CompiledRegexp>),
}

impl CompiledRegexp {
    /// Whether the whole text fits.
    pub fn matches(&self, text: &str) -> bool {
        match self {
            Self::Regex(regex) => regex.is_match(text),
            Self::And(all) => all.iter().all(|it| it.matches(text)),
            Self::Or(any) => any.iter().any(|it| it.matches(text)),
            Self::Not(inner) => !inner.matches(text),
        }
    }
}

/// A tree of boolean operations over expressions in the syntax of the `regex` crate.
enum Node {
    Text(String),
    And(Vec<Node>),
    Or(Vec<Node>),
    Not(Box<Node>),
}

fn compile(node: &Node) -> Result<CompiledRegexp, RegexpError> {
    let all = |nodes: &[Node]| nodes.iter().map(compile).collect::<Result<Vec<_>, _>>();
    match node {
        Node::Text(text) => regex::RegexBuilder::new(&format!("\\A(?:{text})\\z"))
            .dot_matches_new_line(true)
            .size_limit(MAX_BYTES)
            .build()
            .map(CompiledRegexp::Regex)
            .map_err(|_| RegexpError::TooLarge { limit: MAX_BYTES }),
        Node::And(nodes) => all(nodes).map(CompiledRegexp::And),
        Node::Or(nodes) => all(nodes).map(CompiledRegexp::Or),
        Node::Not(inner) => compile(inner).map(|it| CompiledRegexp::Not(it.into())),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::parse::MAX_DEPTH;
    use super::*;

    fn matches(source: &str, text: &str) -> bool {
        Regexp::new(source, None, false).unwrap().compile().matches(text)
    }

    #[test]
    fn verdicts() {
        for (source, yes, no) in [
            ("ab?c", "ac", "abbc"),
            ("a|b.*", "bxyz", "ax"),
            ("[0-9]{3}", "123", "1234"),
            ("[^a-c]+", "xyz", "xa"),
            ("a\\.b", "a.b", "axb"),
            ("\"a.b\"c", "a.bc", "axbc"),
            ("^a$", "^a$", "a"),
            ("@&~(.*x.*)", "abc", "axc"),
            ("<8-12>", "010", "13"),
            ("v<08-12>", "v09", "v9"),
            ("a\\d+", "a22", "ab"),
            ("(ab)+", "abab", "aba"),
            ("()", "", "a"),
            ("[-a]", "-", "b"),
            (r"[\\-c]+", r"-\c", "b"),
            (r"[A-\\]", r"\", "-"),
            ("*a", "*a", "a"),
            ("a.b", "a\nb", "ab"),
        ] {
            assert!(matches(source, yes), "{source} should match {yes}");
            assert!(!matches(source, no), "{source} should not match {no}");
        }
        assert!(!matches("#", "") && !matches("#", "x"));
        let folded = Regexp::new("Get[OP]bject", None, true).unwrap().compile();
        assert!(folded.matches("gEToBJECT") && !folded.matches("getxbject"));
        let plain = Regexp::new("a&b~", Some("NONE"), false).unwrap().compile();
        assert!(plain.matches("a&b~"));
    }

    #[test]
    fn says_what_is_wrong() {
        for (source, message) in [
            ("(a", "expected `)` at byte 2"),
            ("a)", "expected the end, `|` or an operand at byte 1"),
            ("[a", "expected a character or `]` at byte 2"),
            ("[a-]", "expected a range that goes up at byte 4"),
            ("[z-a]", "expected a range that goes up at byte 4"),
            ("a{2,1}", "expected a number that is not below the first at byte 5"),
            ("\\q", "expected an escaped sign, or one of \\d \\D \\w \\W \\s \\S at byte 1"),
            ("x(a&b)", "`&` at byte 1 is supported around whole expressions only, not inside of one"),
            ("<a-b>", "expected an interval like `<1-99>` at byte 1"),
        ] {
            assert_eq!(Regexp::new(source, None, false).unwrap_err().to_string(), message, "{source}");
        }
        let deep = "(".repeat(5_000);
        assert_eq!(Regexp::new(&deep, None, false), Err(RegexpError::TooDeep { limit: MAX_DEPTH }));
    }

    proptest! {
        #[test]
        fn nothing_panics(source in "[]\\[(){}|&~@#<>0-9,.\\\\^\"a-cé*+?-]{0,12}", text in ".{0,4}", fold: bool) {
            if let Ok(regexp) = Regexp::new(&source, None, fold) {
                regexp.compile().matches(&text);
            }
        }
    }
}
