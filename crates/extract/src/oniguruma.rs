//! From Oniguruma's syntax to that of the `regex` crate.

use crate::grok::{Captured, GrokError, Kind};

/// What `%{…}` becomes.
type Refer<'r> = &'r mut dyn FnMut(&str, &mut Captured) -> Result<String, GrokError>;

struct Translation<'p> {
    pattern: &'p str,
    at: usize,
    out: String,
}

/// The same expression, in which only named groups capture; their names are added to `captured`.
pub(crate) fn translate(
    pattern: &str,
    captured: &mut Captured,
    refer: Refer<'_>,
) -> Result<String, GrokError> {
    let mut it = Translation { pattern, at: 0, out: String::with_capacity(pattern.len()) };
    while let Some(next) = it.peek() {
        match next {
            '%' if it.rest().starts_with("%{") => it.reference(captured, refer)?,
            '\\' => it.escape()?,
            '[' => it.class()?,
            '(' => it.group(captured)?,
            '*' | '+' | '?' => it.repetition(next)?,
            '{' => it.count(),
            '}' => it.push("\\}", 1),
            '#' | '~' | '&' | '-' => {
                it.out.push('\\');
                it.copy();
            }
            _ => it.copy(),
        }
    }
    Ok(it.out)
}

impl Translation<'_> {
    fn rest(&self) -> &str {
        &self.pattern[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Appends, and goes on behind so many bytes.
    fn push(&mut self, text: &str, bytes: usize) {
        self.out.push_str(text);
        self.at += bytes;
    }

    fn copy(&mut self) {
        if let Some(next) = self.peek() {
            self.out.push(next);
            self.at += next.len_utf8();
        }
    }

    fn unsupported(&self, what: &'static str) -> GrokError {
        GrokError::Unsupported { what, pattern: self.pattern.to_owned() }
    }

    fn syntax(&self, what: &str) -> GrokError {
        GrokError::Syntax { what: what.to_owned(), pattern: self.pattern.to_owned() }
    }

    fn reference(&mut self, captured: &mut Captured, refer: Refer<'_>) -> Result<(), GrokError> {
        let inner = &self.pattern[self.at + 2..];
        let Some(end) = inner.find('}') else { return Err(self.syntax("`%{` without `}`")) };
        let expression = refer(&inner[..end], captured)?;
        self.push(&expression, end + 3);
        Ok(())
    }

    fn group(&mut self, captured: &mut Captured) -> Result<(), GrokError> {
        let rest = self.rest();
        let Some(special) = rest.strip_prefix("(?") else {
            self.push("(?:", 1);
            return Ok(());
        };
        if special.starts_with("<=") || special.starts_with("<!") {
            return Err(self.unsupported("a look behind"));
        }
        if special.starts_with('=') || special.starts_with('!') {
            return Err(self.unsupported("a look ahead"));
        }
        if special.starts_with('>') {
            return Err(self.unsupported("a group that gives nothing back"));
        }
        if let Some(comment) = special.strip_prefix('#') {
            let Some(end) = comment.find(')') else { return Err(self.syntax("a comment without `)`")) };
            self.at += end + 4;
            return Ok(());
        }
        if let Some(named) = special.strip_prefix('<') {
            let Some(end) = named.find('>') else { return Err(self.syntax("a name without `>`")) };
            let mut parts = named[..end].splitn(2, ':');
            let name = parts.next().unwrap_or_default();
            if name.is_empty() {
                return Err(self.syntax("a group without a name"));
            }
            captured.0.push((name.to_owned(), Kind::Keyword));
            self.push("(", end + 4);
            return Ok(());
        }
        let flags = special.bytes().take_while(|it| b"imx-".contains(it)).count();
        match special.as_bytes().get(flags) {
            Some(b':' | b')') => {
                // There, `m` says what others call `s`.
                let text = special[..flags].replace('m', "s");
                let closing = if special.as_bytes()[flags] == b':' { ":" } else { ")" };
                let opening =
                    if text.is_empty() { format!("(?{closing}") } else { format!("(?{text}{closing}") };
                self.push(if opening == "(?)" { "" } else { &opening }, 3 + flags);
                Ok(())
            }
            _ => Err(self.syntax("a group of an unknown kind")),
        }
    }

    fn repetition(&mut self, it: char) -> Result<(), GrokError> {
        self.out.push(it);
        self.at += 1;
        match self.peek() {
            Some('?') => self.push("?", 1),
            Some('+') => return Err(self.unsupported("a repetition that gives nothing back")),
            _ => {}
        }
        Ok(())
    }

    /// `{2}`, `{2,}`, `{,2}` and `{2,3}` count; any other brace is a character.
    fn count(&mut self) {
        let inner = &self.rest()[1..];
        let end = inner.find('}').unwrap_or(0);
        let (least, most) = inner[..end].split_once(',').unwrap_or((&inner[..end], "-"));
        let is_number = |it: &str| it.bytes().all(|it| it.is_ascii_digit());
        let counts = end > 0
            && !(least.is_empty() && (most.is_empty() || most == "-"))
            && is_number(least)
            && (most == "-" || is_number(most));
        if !counts || self.out.is_empty() {
            self.push("\\{", 1);
            return;
        }
        let text = if least.is_empty() {
            format!("{{0{}}}", &inner[..end])
        } else {
            format!("{{{}}}", &inner[..end])
        };
        self.push(&text, end + 2);
        if self.peek() == Some('?') {
            self.push("?", 1);
        }
    }

    /// What follows a backslash, outside of a class.
    fn escape(&mut self) -> Result<(), GrokError> {
        let what = match self.rest().as_bytes().get(1) {
            Some(b'Z') => "\\n?\\z",
            Some(b'R') => "(?:\\r\\n|[\\n\\x0b\\f\\r\\x{85}\\x{2028}\\x{2029}])",
            Some(b'k' | b'g' | b'1'..=b'9') => return Err(self.unsupported("a reference to a group")),
            Some(b'G' | b'K' | b'X') => return Err(self.unsupported("the escape")),
            Some(it @ (b'b' | b'B' | b'A' | b'z')) => {
                let text = format!("\\{}", char::from(*it));
                self.push(&text, 2);
                return Ok(());
            }
            _ => return self.escaped_char(false),
        };
        self.push(what, 2);
        Ok(())
    }

    /// An escape that is one character, or a class of them.
    fn escaped_char(&mut self, in_class: bool) -> Result<(), GrokError> {
        let rest = &self.rest()[1..];
        let Some(it) = rest.chars().next() else { return Err(self.syntax("a backslash at the end")) };
        match it {
            'h' | 'H' => {
                let (open, not) = if it == 'H' { ("[", "^") } else { ("[", "") };
                self.push(&format!("{open}{not}0-9A-Fa-f]"), 2);
            }
            'd' | 'D' | 'w' | 'W' | 's' | 'S' | 'n' | 'r' | 't' | 'f' | 'v' | 'a' | 'x' | 'p' | 'P' => {
                self.push(&format!("\\{it}"), 2);
            }
            'e' => self.push("\\x1b", 2),
            'b' if in_class => self.push("\\x08", 2),
            'u' => self.push("\\u", 2),
            '0' => self.push("\\x00", 2),
            _ => {
                let text = escaped(it);
                self.push(&text, 1 + it.len_utf8());
            }
        }
        Ok(())
    }

    /// `[…]`, with classes inside.
    fn class(&mut self) -> Result<(), GrokError> {
        let mut depth = 0_usize;
        loop {
            let rest = self.rest();
            let Some(it) = self.peek() else { return Err(self.syntax("`[` without `]`")) };
            if rest.starts_with("[:") && depth > 0 {
                let Some(end) = rest.find(":]") else { return Err(self.syntax("`[:` without `:]`")) };
                let name = rest[..end + 2].to_owned();
                self.push(&name, end + 2);
            } else if it == '[' {
                depth += 1;
                self.copy();
                if self.peek() == Some('^') {
                    self.copy();
                }
                // A bracket that comes first is a character.
                if self.peek() == Some(']') {
                    self.push("\\]", 1);
                }
            } else if it == ']' {
                self.copy();
                depth -= 1;
                if depth == 0 {
                    return Ok(());
                }
            } else if it == '\\' {
                self.escaped_char(true)?;
            } else if rest.starts_with("&&") {
                self.push("&&", 2);
            } else if rest.starts_with("--") || it == '~' || it == '&' {
                let text = escaped(it);
                self.push(&text, 1);
            } else {
                self.copy();
            }
        }
    }
}

fn escaped(it: char) -> String {
    if it.is_ascii_punctuation() && !matches!(it, '<' | '>' | '"' | '\'' | '/' | '`') {
        format!("\\{it}")
    } else {
        it.to_string()
    }
}
