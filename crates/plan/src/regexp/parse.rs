//! From the text of an expression to a tree.

use std::fmt::Write as _;

use super::{Flags, Node, RegexpError};

/// How deep groups may nest.
pub(super) const MAX_DEPTH: usize = 100;
/// How many numbers an interval `<1-99>` may have.
const MAX_INTERVAL: u64 = 10_000;

/// Reads a whole expression. `fold`: ASCII letters match in either case.
pub(super) fn parse(text: &str, flags: Flags, fold: bool) -> Result<Node, RegexpError> {
    if text.is_empty() {
        return Ok(Node::Text(String::new()));
    }
    let mut parser = Parser { text, at: 0, depth: 0, flags, fold };
    let node = parser.union()?;
    if parser.at < parser.text.len() {
        return Err(parser.expected("the end, `|` or an operand"));
    }
    Ok(node)
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
            // A doubled backslash is one, and begins no range.
            if self.rest().starts_with("\\\\") {
                self.at += 2;
                class.push_str("\\x{5c}");
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
