//! Lucene's regular expressions, over a whole text.

use std::fmt::Write as _;

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

/// How deep groups may nest.
const MAX_DEPTH: usize = 100;
/// How large an automaton may be.
const MAX_BYTES: usize = 10 * 1024 * 1024;
/// How many numbers an interval `<1-99>` may have.
const MAX_INTERVAL: u64 = 10_000;

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
        let mut parser = Parser { text: &self.source, at: 0, depth: 0, flags: self.flags, fold: self.fold };
        if self.source.is_empty() {
            return compile(&Node::Text(String::new()));
        }
        let node = parser.union()?;
        if parser.at < parser.text.len() {
            return Err(parser.expected("the end, `|` or an operand"));
        }
        compile(&node)
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

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    flags: Flags,
    fold: bool,
}

impl Parser<'_> {
    /// `union = intersection ( "|" intersection )*`
    fn union(&mut self) -> Result<Node, RegexpError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(RegexpError::TooDeep { limit: MAX_DEPTH });
        }
        let mut nodes = vec![self.intersection()?];
        while self.eat('|') {
            nodes.push(self.intersection()?);
        }
        self.depth -= 1;
        if nodes.iter().all(|it| matches!(it, Node::Text(_))) {
            let texts: Vec<&str> = nodes
                .iter()
                .filter_map(|it| if let Node::Text(text) = it { Some(text.as_str()) } else { None })
                .collect();
            return Ok(Node::Text(texts.join("|")));
        }
        Ok(Node::Or(nodes))
    }

    /// `intersection = concatenation ( "&" concatenation )*`
    fn intersection(&mut self) -> Result<Node, RegexpError> {
        let mut nodes = vec![self.concatenation()?];
        while self.flags.intersection && self.eat('&') {
            nodes.push(self.concatenation()?);
        }
        Ok(match nodes.len() {
            1 => nodes.swap_remove(0),
            _ => Node::And(nodes),
        })
    }

    /// `concatenation = repeat+`
    fn concatenation(&mut self) -> Result<Node, RegexpError> {
        let start = self.at;
        let first = self.repeat()?;
        let more = |it: &Self| match it.peek() {
            None | Some(')' | '|') => false,
            Some('&') => !it.flags.intersection,
            Some(_) => true,
        };
        if !more(self) {
            return Ok(first);
        }
        let mut text = Self::operand(first, start)?;
        while more(self) {
            let at = self.at;
            let next = self.repeat()?;
            text.push_str(&Self::operand(next, at)?);
        }
        Ok(Node::Text(text))
    }

    /// `repeat = complement ( "?" | "*" | "+" | "{" n [ "," [ m ] ] "}" )*`
    fn repeat(&mut self) -> Result<Node, RegexpError> {
        let start = self.at;
        let mut node = self.complement()?;
        loop {
            let suffix = match self.peek() {
                Some(it @ ('?' | '*' | '+')) => {
                    self.at += 1;
                    it.to_string()
                }
                Some('{') => {
                    self.at += 1;
                    let least = self.count()?;
                    let suffix = if !self.eat(',') {
                        format!("{{{least}}}")
                    } else if self.peek() == Some('}') {
                        format!("{{{least},}}")
                    } else {
                        let most = self.count()?;
                        if most < least {
                            return Err(self.expected("a number that is not below the first"));
                        }
                        format!("{{{least},{most}}}")
                    };
                    if !self.eat('}') {
                        return Err(self.expected("`}`"));
                    }
                    suffix
                }
                _ => return Ok(node),
            };
            node = Node::Text(format!("(?:{}){suffix}", Self::operand(node, start)?));
        }
    }

    fn count(&mut self) -> Result<u32, RegexpError> {
        let digits = self.rest().bytes().take_while(u8::is_ascii_digit).count();
        let value = self.rest()[..digits].parse().map_err(|_| self.expected("a number"))?;
        self.at += digits;
        Ok(value)
    }

    /// `complement = "~" complement | class | simple`
    fn complement(&mut self) -> Result<Node, RegexpError> {
        let mut negations = 0;
        while self.flags.complement && self.eat('~') {
            negations += 1;
        }
        let node = if self.eat('[') { Node::Text(self.class()?) } else { self.simple()? };
        Ok(if negations % 2 == 1 { Node::Not(node.into()) } else { node })
    }

    /// `class = "[" [ "^" ] ( char [ "-" char ] )+ "]"`
    fn class(&mut self) -> Result<String, RegexpError> {
        let mut class = String::from(if self.eat('^') { "[^" } else { "[" });
        let mut first = true;
        while first || self.peek() != Some(']') {
            first = false;
            if let Some(predefined) = self.predefined() {
                class.push_str(predefined);
                continue;
            }
            let from = self.char("a character or `]`")?;
            if self.eat('-') {
                let to = self.char("the end of the range")?;
                if to < from {
                    return Err(self.expected("a range that goes up"));
                }
                let _ = write!(class, "\\x{{{:x}}}-\\x{{{:x}}}", from as u32, to as u32);
            } else {
                for it in self.cases(from) {
                    let _ = write!(class, "\\x{{{:x}}}", it as u32);
                }
            }
        }
        self.at += 1;
        class.push(']');
        Ok(class)
    }

    /// One operand without operators.
    fn simple(&mut self) -> Result<Node, RegexpError> {
        if let Some(predefined) = self.predefined() {
            return Ok(Node::Text(predefined.to_owned()));
        }
        let start = self.at;
        let text = match self.peek() {
            Some('.') => ".".to_owned(),
            Some('#') if self.flags.empty => "[^\\x{0}-\\x{10ffff}]".to_owned(),
            Some('@') if self.flags.any_string => ".*".to_owned(),
            Some('"') => {
                self.at += 1;
                let len = self.rest().find('"').ok_or_else(|| self.expected("a closing quote"))?;
                let quoted: String = self.rest()[..len].chars().map(|it| self.literal(it)).collect();
                self.at += len;
                format!("(?:{quoted})")
            }
            Some('(') => {
                self.at += 1;
                if self.eat(')') {
                    return Ok(Node::Text(String::new()));
                }
                let node = self.union()?;
                if !self.eat(')') {
                    return Err(self.expected("`)`"));
                }
                return Ok(match node {
                    Node::Text(text) => Node::Text(format!("(?:{text})")),
                    Node::And(_) | Node::Or(_) | Node::Not(_) => node,
                });
            }
            Some('<') if self.flags.interval => {
                self.at += 1;
                self.interval()?
            }
            _ => {
                let it = self.char("an operand")?;
                return Ok(Node::Text(self.literal(it)));
            }
        };
        debug_assert!(self.at < self.text.len() && start <= self.at, "each arm ends on its last character");
        self.at += 1;
        Ok(Node::Text(text))
    }

    /// `interval = "<" n "-" m ">"`; as many digits as the longer one, if both have as many.
    fn interval(&mut self) -> Result<String, RegexpError> {
        let end = self.rest().find('>').ok_or_else(|| self.expected("`>`"))?;
        let body = &self.rest()[..end];
        let numbers = body.split_once('-').and_then(|(a, b)| Some((a, a.parse().ok()?, b, b.parse().ok()?)));
        let Some((a, first, b, last)): Option<(&str, u64, &str, u64)> = numbers else {
            return Err(self.expected("an interval like `<1-99>`"));
        };
        let width = if a.len() == b.len() { a.len() } else { 0 };
        let (first, last) = (first.min(last), first.max(last));
        if last - first >= MAX_INTERVAL {
            return Err(self.expected("an interval of fewer than 10000 numbers"));
        }
        let numbers: Vec<String> = (first..=last)
            .map(|it| if width == 0 { format!("0*{it}") } else { format!("{it:0width$}") })
            .collect();
        self.at += end;
        Ok(format!("(?:{})", numbers.join("|")))
    }

    /// `\d`, `\w`, `\s` and their complements.
    fn predefined(&mut self) -> Option<&'static str> {
        let class = match self.rest().as_bytes() {
            [b'\\', b'd', ..] => "[0-9]",
            [b'\\', b'D', ..] => "[^0-9]",
            [b'\\', b'w', ..] => "[0-9A-Za-z_]",
            [b'\\', b'W', ..] => "[^0-9A-Za-z_]",
            [b'\\', b's', ..] => "[ \\t\\n\\r]",
            [b'\\', b'S', ..] => "[^ \\t\\n\\r]",
            _ => return None,
        };
        self.at += 2;
        Some(class)
    }

    /// A character, perhaps escaped.
    fn char(&mut self, expected: &'static str) -> Result<char, RegexpError> {
        let escaped = self.eat('\\');
        let it = self.peek().ok_or_else(|| self.expected(expected))?;
        if escaped && it.is_ascii_alphabetic() {
            return Err(self.expected("an escaped sign, or one of \\d \\D \\w \\W \\s \\S"));
        }
        self.at += it.len_utf8();
        Ok(it)
    }

    fn cases(&self, it: char) -> impl Iterator<Item = char> + use<> {
        let other = if it.is_ascii_lowercase() { it.to_ascii_uppercase() } else { it.to_ascii_lowercase() };
        std::iter::once(it).chain((self.fold && other != it).then_some(other))
    }

    /// The character itself, in the syntax of the `regex` crate.
    fn literal(&self, it: char) -> String {
        let cases: Vec<String> =
            self.cases(it).map(|it| regex::escape(it.encode_utf8(&mut [0; 4]))).collect();
        if cases.len() == 1 { cases.concat() } else { format!("[{}]", cases.concat()) }
    }

    fn operand(node: Node, at: usize) -> Result<String, RegexpError> {
        match node {
            Node::Text(text) => Ok(text),
            Node::And(_) | Node::Or(_) => Err(RegexpError::Inner { operator: '&', at }),
            Node::Not(_) => Err(RegexpError::Inner { operator: '~', at }),
        }
    }

    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn eat(&mut self, it: char) -> bool {
        let found = self.peek() == Some(it);
        if found {
            self.at += it.len_utf8();
        }
        found
    }

    fn expected(&self, expected: &'static str) -> RegexpError {
        RegexpError::Syntax { at: self.at, expected }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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
