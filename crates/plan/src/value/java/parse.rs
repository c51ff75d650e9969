//! From Java's syntax to that of the `regex` crate.

use super::JavaRegexpError;

/// How deep groups and classes may nest.
pub(super) const MAX_DEPTH: usize = 100;

/// What `.` does not match in Java.
const NOT_A_LINE_END: &str = "[^\\n\\r\\x{85}\\x{2028}\\x{2029}]";

/// What an expression is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Whether a whole text fits: how it does is nobody's matter.
    Whole,
    /// Where in a text it fits, and what its groups hold.
    Search,
}

/// Reads a whole expression.
pub(super) fn parse(text: &str, purpose: Purpose) -> Result<String, JavaRegexpError> {
    let mut parser = Parser { text, at: 0, depth: 0, dot_all: false, purpose, out: String::new() };
    parser.union()?;
    if parser.at < text.len() {
        return Err(parser.expected("the end, or an opening `(` before"));
    }
    Ok(parser.out)
}

pub(super) struct Parser<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
    depth: usize,
    /// Whether `.` matches the ends of lines.
    dot_all: bool,
    purpose: Purpose,
    pub(super) out: String,
}

impl Parser<'_> {
    /// `union = piece* ( "|" piece* )*`
    fn union(&mut self) -> Result<(), JavaRegexpError> {
        self.enter()?;
        loop {
            match self.peek() {
                None | Some(')') => break,
                Some('|') => {
                    self.at += 1;
                    self.out.push('|');
                }
                Some(_) => self.piece()?,
            }
        }
        self.depth -= 1;
        Ok(())
    }

    /// `piece = operand [ ( "?" | "*" | "+" | "{" n [ "," [ m ] ] "}" ) [ "?" ] ]`
    fn piece(&mut self) -> Result<(), JavaRegexpError> {
        let start = self.at;
        if !self.operand()? {
            return Ok(());
        }
        let operand = &self.text[start..self.at];
        match self.peek() {
            Some(it @ ('?' | '*' | '+')) => {
                self.at += 1;
                self.out.push(it);
            }
            Some('{') => self.count()?,
            _ => return Ok(()),
        }
        match self.peek() {
            Some('?') => {
                self.at += 1;
                // For a whole text, it does not matter which of the fits is found first.
                if self.purpose == Purpose::Search {
                    self.out.push('?');
                }
            }
            Some('+') if self.purpose == Purpose::Search && self.gives_nothing_back_anyway(operand) => {
                self.at += 1;
            }
            Some('+') => return Err(self.unsupported("a repetition that gives nothing back", self.at)),
            _ => {}
        }
        Ok(())
    }

    /// Whether what follows the repetition, whose `+` is next, cannot begin with anything that the operand takes, so that
    /// it is the same as one that gives back.
    fn gives_nothing_back_anyway(&self, operand: &str) -> bool {
        let mut next = self.rest()[1..].chars();
        let follows = match next.next() {
            Some('\\') => next.next(),
            Some('(' | '[' | '.' | '*' | '?' | '{' | '|') => return false,
            other => other,
        };
        matches!(operand, "\\w" | "\\d") && follows.is_none_or(|it| !it.is_alphanumeric() && it != '_')
    }

    fn count(&mut self) -> Result<(), JavaRegexpError> {
        self.at += 1;
        let least = self.number()?;
        let mut text = format!("{{{least}");
        if self.eat(',') {
            text.push(',');
            if self.peek() != Some('}') {
                let most = self.number()?;
                if most < least {
                    return Err(self.expected("a number that is not below the first"));
                }
                text.push_str(&most.to_string());
            }
        }
        if !self.eat('}') {
            return Err(self.expected("`}`"));
        }
        text.push('}');
        self.out.push_str(&text);
        Ok(())
    }

    fn number(&mut self) -> Result<u32, JavaRegexpError> {
        let digits = self.rest().bytes().take_while(u8::is_ascii_digit).count();
        let value = self.rest()[..digits].parse().map_err(|_| self.expected("a number"))?;
        self.at += digits;
        Ok(value)
    }

    /// One operand. Whether it is something that can be repeated.
    fn operand(&mut self) -> Result<bool, JavaRegexpError> {
        let start = self.at;
        let Some(it) = self.peek() else { return Ok(false) };
        match it {
            '(' => return self.group(),
            '[' => self.class()?,
            '\\' => return self.escape(),
            '.' => {
                self.at += 1;
                self.out.push_str(if self.dot_all { "(?s:.)" } else { NOT_A_LINE_END });
            }
            '^' => {
                self.at += 1;
                self.out.push_str("(?:\\A)");
            }
            '$' => {
                self.at += 1;
                self.end(start)?;
            }
            '*' | '+' | '?' | '{' => return Err(self.expected("something to repeat")),
            _ => {
                self.at += it.len_utf8();
                self.literal(it);
            }
        }
        Ok(true)
    }

    /// The end of the text, or what precedes a last end of line: nothing may follow, so that this is not asked.
    fn end(&mut self, start: usize) -> Result<(), JavaRegexpError> {
        if !matches!(self.peek(), None | Some('|' | ')')) {
            return Err(self.unsupported("`$` before the end", start));
        }
        self.out.push_str("(?:\\z)");
        Ok(())
    }

    /// `group = "(" [ "?:" | "?<" name ">" | "?" flags [ ":" ] ] union ")"`
    fn group(&mut self) -> Result<bool, JavaRegexpError> {
        let start = self.at;
        let dot_all = self.dot_all;
        self.at += 1;
        let is_special = self.rest().starts_with('?');
        let mut opening = if self.purpose == Purpose::Search && !is_special { "(" } else { "(?:" }.to_owned();
        if self.eat('?') {
            let rest = self.rest();
            if self.purpose == Purpose::Search && rest.starts_with('!') && self.class_without()? {
                return Ok(true);
            }
            let rest = self.rest();
            if rest.starts_with('=') || rest.starts_with('!') {
                return Err(self.unsupported("a look ahead", start));
            }
            if rest.starts_with("<=") || rest.starts_with("<!") {
                return Err(self.unsupported("a look behind", start));
            }
            if rest.starts_with('>') {
                return Err(self.unsupported("a group that gives nothing back", start));
            }
            if self.eat('<') {
                let name = self.rest().bytes().take_while(u8::is_ascii_alphanumeric).count();
                self.at += name;
                if name == 0 || !self.eat('>') {
                    return Err(self.expected("a name and `>`"));
                }
                if self.purpose == Purpose::Search {
                    opening = format!("(?P<{}>", &self.text[self.at - name - 1..self.at - 1]);
                }
            } else {
                let flags = self.flags()?;
                if self.eat(')') {
                    // They hold to the end of the group around.
                    if !flags.is_empty() {
                        self.out.push_str(&format!("(?{flags})"));
                    }
                    return Ok(false);
                }
                self.at += 1;
                opening = format!("(?{flags}:");
            }
        }
        self.out.push_str(&opening);
        self.union()?;
        if !self.eat(')') {
            return Err(self.expected("`)`"));
        }
        self.out.push(')');
        self.dot_all = dot_all;
        Ok(true)
    }

    /// A look ahead that says which single characters must not follow, and the class that does: a class without these.
    /// Whether it is that, and was read.
    fn class_without(&mut self) -> Result<bool, JavaRegexpError> {
        let rest = &self.rest()[1..];
        let Some(end) = rest.find(')') else { return Ok(false) };
        let is_single = |it: &str| {
            let inner = it.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
            inner.is_some_and(|it| it.bytes().all(|it| it.is_ascii_alphanumeric()))
                || matches!(it, "\\r" | "\\n" | "\\t" | "\\d" | "\\w" | "\\s")
        };
        if !rest[..end].split('|').all(is_single) || !rest[end + 1..].starts_with('[') {
            return Ok(false);
        }
        let without = rest[..end].replace('|', "");
        self.at += end + 2;
        let start = self.out.len();
        self.class()?;
        let class = self.out.split_off(start);
        self.out.push_str(&format!("[{class}--[{without}]]"));
        Ok(true)
    }

    /// Flags, up to the `:` or `)` after them: those that are left to the automaton.
    fn flags(&mut self) -> Result<String, JavaRegexpError> {
        let mut flags = String::new();
        let mut on = true;
        loop {
            match self.peek() {
                Some(':' | ')') => break,
                Some('-') if on => {
                    on = false;
                    flags.push('-');
                }
                Some('i') => flags.push('i'),
                Some('s') => self.dot_all = on,
                // Letters beyond ASCII are the same in either case anyway.
                Some('u') => {}
                Some('m' | 'x' | 'd' | 'U') => return Err(self.unsupported("the flag", self.at)),
                Some(_) | None => return Err(self.expected("a flag, `:` or `)`")),
            }
            self.at += 1;
        }
        Ok(flags.trim_end_matches('-').to_owned())
    }

    /// What follows a backslash. Whether it can be repeated.
    fn escape(&mut self) -> Result<bool, JavaRegexpError> {
        let start = self.at;
        if self.rest().starts_with("\\Q") {
            return Ok(self.quoted());
        }
        let what = match self.rest().as_bytes().get(1) {
            Some(b'b') => "(?-u:\\b)",
            Some(b'B') => "(?:\\B)",
            Some(b'A') => "(?:\\A)",
            Some(b'z') => "(?:\\z)",
            Some(b'Z') => {
                self.at += 2;
                self.end(start)?;
                return Ok(true);
            }
            Some(b'R') => "(?:\\r\\n|[\\n\\x{0b}\\f\\r\\x{85}\\x{2028}\\x{2029}])",
            Some(b'G' | b'X' | b'N') => return Err(self.unsupported("the escape", start)),
            Some(b'k' | b'1'..=b'9') => return Err(self.unsupported("a reference to a group", start)),
            _ => {
                if !self.predefined()? {
                    let it = self.escaped_char()?;
                    self.literal(it);
                }
                return Ok(true);
            }
        };
        self.at += 2;
        self.out.push_str(what);
        Ok(true)
    }

    /// `\Q…\E`. Whether there is anything between, whose last character can be repeated.
    fn quoted(&mut self) -> bool {
        self.at += 2;
        let len = self.rest().find("\\E").unwrap_or(self.rest().len());
        let text = self.rest()[..len].to_owned();
        self.at = (self.at + len + 2).min(self.text.len());
        text.chars().for_each(|it| self.literal(it));
        !text.is_empty()
    }

    pub(super) fn literal(&mut self, it: char) {
        self.out.push_str(&regex::escape(it.encode_utf8(&mut [0; 4])));
    }

    /// One level deeper, if there is one.
    pub(super) fn enter(&mut self) -> Result<(), JavaRegexpError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH { Err(JavaRegexpError::TooDeep { limit: MAX_DEPTH }) } else { Ok(()) }
    }

    pub(super) fn leave(&mut self) {
        self.depth -= 1;
    }

    pub(super) fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn eat(&mut self, it: char) -> bool {
        let found = self.peek() == Some(it);
        if found {
            self.at += it.len_utf8();
        }
        found
    }

    pub(super) fn expected(&self, expected: &'static str) -> JavaRegexpError {
        JavaRegexpError::Syntax { at: self.at, expected }
    }

    #[expect(clippy::unused_self, reason = "it reads as the other error does")]
    pub(super) fn unsupported(&self, what: &'static str, at: usize) -> JavaRegexpError {
        JavaRegexpError::Unsupported { what, at }
    }
}
