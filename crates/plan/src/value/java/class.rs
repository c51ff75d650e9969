//! Classes of characters, and characters by their escapes.

use std::fmt::Write as _;

use super::JavaRegexpError;
use super::parse::Parser;

/// Java's names for classes of ASCII, and those of the `regex` crate.
const POSIX: [(&str, &str); 13] = [
    ("Lower", "lower"),
    ("Upper", "upper"),
    ("ASCII", "ascii"),
    ("Alpha", "alpha"),
    ("Digit", "digit"),
    ("Alnum", "alnum"),
    ("Punct", "punct"),
    ("Graph", "graph"),
    ("Print", "print"),
    ("Blank", "blank"),
    ("Cntrl", "cntrl"),
    ("XDigit", "xdigit"),
    ("Space", "space"),
];

impl Parser<'_> {
    /// `class = "[" [ "^" ] ( item | "&&" )* "]"`, `item = class | predefined | char [ "-" char ]`
    pub(super) fn class(&mut self) -> Result<(), JavaRegexpError> {
        self.enter()?;
        self.at += 1;
        self.out.push('[');
        if self.eat('^') {
            self.out.push('^');
        }
        let mut is_empty = true;
        loop {
            match self.peek() {
                None => return Err(self.expected("`]`")),
                Some(']') if !is_empty => break,
                Some('[') => self.class()?,
                Some('&') if self.rest().starts_with("&&") => {
                    self.at += 2;
                    if is_empty || matches!(self.peek(), None | Some(']' | '&')) {
                        return Err(self.expected("characters on both sides of `&&`"));
                    }
                    self.out.push_str("&&");
                }
                Some(_) => self.item()?,
            }
            is_empty = false;
        }
        self.at += 1;
        self.out.push(']');
        self.leave();
        Ok(())
    }

    fn item(&mut self) -> Result<(), JavaRegexpError> {
        if self.rest().starts_with("\\Q") {
            self.at += 2;
            let len = self.rest().find("\\E").unwrap_or(self.rest().len());
            let text = self.rest()[..len].to_owned();
            self.at = (self.at + len + 2).min(self.text.len());
            text.chars().for_each(|it| self.one(it));
            return Ok(());
        }
        if self.peek() == Some('\\') && self.predefined()? {
            return Ok(());
        }
        let from = self.class_char()?;
        let is_range = self.rest().starts_with('-')
            && !matches!(self.rest()[1..].chars().next(), None | Some(']' | '['))
            && !self.rest().starts_with("-&&");
        if !is_range {
            self.one(from);
            return Ok(());
        }
        self.at += 1;
        let to = self.class_char()?;
        if to < from {
            return Err(self.expected("a range that goes up"));
        }
        let _ = write!(self.out, "\\x{{{:x}}}-\\x{{{:x}}}", from as u32, to as u32);
        Ok(())
    }

    fn one(&mut self, it: char) {
        let _ = write!(self.out, "\\x{{{:x}}}", it as u32);
    }

    fn class_char(&mut self) -> Result<char, JavaRegexpError> {
        if self.peek() == Some('\\') {
            return self.escaped_char();
        }
        let it = self.peek().ok_or_else(|| self.expected("`]`"))?;
        self.at += it.len_utf8();
        Ok(it)
    }

    /// A class with a name: `\d`, `\p{Lower}`. Whether one stands here.
    pub(super) fn predefined(&mut self) -> Result<bool, JavaRegexpError> {
        let class = match self.rest().as_bytes().get(1) {
            Some(b'd') => "[0-9]",
            Some(b'D') => "[^0-9]",
            Some(b'w') => "[0-9A-Za-z_]",
            Some(b'W') => "[^0-9A-Za-z_]",
            Some(b's') => "[ \\t\\n\\x{0b}\\f\\r]",
            Some(b'S') => "[^ \\t\\n\\x{0b}\\f\\r]",
            Some(b'h') => "[ \\t\\x{a0}\\x{1680}\\x{180e}\\x{2000}-\\x{200a}\\x{202f}\\x{205f}\\x{3000}]",
            Some(b'H') => "[^ \\t\\x{a0}\\x{1680}\\x{180e}\\x{2000}-\\x{200a}\\x{202f}\\x{205f}\\x{3000}]",
            Some(b'v') => "[\\n\\x{0b}\\f\\r\\x{85}\\x{2028}\\x{2029}]",
            Some(b'V') => "[^\\n\\x{0b}\\f\\r\\x{85}\\x{2028}\\x{2029}]",
            Some(b'p' | b'P') => return self.property().map(|()| true),
            _ => return Ok(false),
        };
        self.at += 2;
        self.out.push_str(class);
        Ok(true)
    }

    /// `\p{Name}`, `\pL` and their complements.
    fn property(&mut self) -> Result<(), JavaRegexpError> {
        let start = self.at;
        let negated = self.rest().as_bytes().get(1) == Some(&b'P');
        self.at += 2;
        let name = if self.eat('{') {
            let len = self.rest().find('}').ok_or_else(|| self.expected("`}`"))?;
            let name = self.rest()[..len].to_owned();
            self.at += len + 1;
            name
        } else {
            let it = self.peek().ok_or_else(|| self.expected("a property"))?;
            self.at += it.len_utf8();
            it.to_string()
        };
        let sign = if negated { "^" } else { "" };
        let class = match POSIX.iter().find(|(known, _)| *known == name) {
            Some((_, posix)) => format!("[{sign}[:{posix}:]]"),
            None => format!("[{sign}\\p{{{}}}]", name.strip_prefix("Is").unwrap_or(&name)),
        };
        let is_name = name.bytes().all(|it| it.is_ascii_alphanumeric() || matches!(it, b'_' | b'='));
        if !is_name || regex::Regex::new(&class).is_err() {
            return Err(self.unsupported("the property", start));
        }
        self.out.push_str(&class);
        Ok(())
    }

    /// The character that an escape stands for.
    pub(super) fn escaped_char(&mut self) -> Result<char, JavaRegexpError> {
        self.at += 1;
        let Some(it) = self.peek() else { return Err(self.expected("what is escaped")) };
        if !it.is_ascii_alphanumeric() {
            self.at += it.len_utf8();
            return Ok(it);
        }
        let start = self.at;
        self.at += 1;
        let code = match it {
            't' => 9,
            'n' => 10,
            'r' => 13,
            'f' => 12,
            'a' => 7,
            'e' => 27,
            '0' => self.octal()?,
            'x' if self.eat('{') => {
                let code = self.hexadecimal(1, 6)?;
                if !self.eat('}') {
                    return Err(self.expected("`}`"));
                }
                code
            }
            'x' => self.hexadecimal(2, 2)?,
            'u' => self.unit()?,
            'c' => {
                let Some(it) = self.peek() else { return Err(self.expected("a control character")) };
                self.at += it.len_utf8();
                it as u32 ^ 64
            }
            _ => {
                self.at = start;
                return Err(self.expected("an escape that Java knows"));
            }
        };
        char::from_u32(code).ok_or_else(|| self.expected("the number of a character before"))
    }

    /// Up to three digits, the first of which is at most 3 if there are three.
    fn octal(&mut self) -> Result<u32, JavaRegexpError> {
        let is_octal = |it: &u8| (b'0'..=b'7').contains(it);
        let digits = self.rest().bytes().take(3).take_while(is_octal).count();
        let most = if self.rest().starts_with(['0', '1', '2', '3']) { 3 } else { 2 };
        let len = digits.min(most);
        let code = u32::from_str_radix(&self.rest()[..len], 8).map_err(|_| self.expected("octal digits"))?;
        self.at += len;
        Ok(code)
    }

    fn hexadecimal(&mut self, least: usize, most: usize) -> Result<u32, JavaRegexpError> {
        let len = self.rest().bytes().take(most).take_while(u8::is_ascii_hexdigit).count();
        if len < least {
            return Err(self.expected("hexadecimal digits"));
        }
        let code = u32::from_str_radix(&self.rest()[..len], 16);
        let code = code.map_err(|_| self.expected("hexadecimal digits"))?;
        self.at += len;
        Ok(code)
    }

    /// A UTF-16 unit; two that belong together are one character.
    fn unit(&mut self) -> Result<u32, JavaRegexpError> {
        let high = self.hexadecimal(4, 4)?;
        if !(0xd800..0xdc00).contains(&high) || !self.rest().starts_with("\\u") {
            return Ok(high);
        }
        self.at += 2;
        let low = self.hexadecimal(4, 4)?;
        if !(0xdc00..0xe000).contains(&low) {
            return Err(self.expected("the other half of a character before"));
        }
        Ok(0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00))
    }
}
