//! JSON with positions: a value, a value a line, or values one after the other.
//!
//! Written by hand because messages must underline the key or value in the file, which `serde_json` cannot say.

use span::Span;

use super::{Data, Member, Node};

/// Values nested deeper than this are refused: no rule is, and the stack is finite.
const MAX_DEPTH: usize = 64;

/// What is wrong with a JSON text, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JsonError {
    pub(crate) message: String,
    pub(crate) span: Span,
}

/// All values of the text. After an error, reading resumes at the next line that begins with `{`, so that one bad
/// line of an export costs only itself.
pub(crate) fn parse_json(text: &str) -> (Vec<Node>, Vec<JsonError>) {
    let mut parser = Parser { text, at: 0 };
    if text.starts_with('\u{feff}') {
        parser.at = '\u{feff}'.len_utf8();
    }
    let (mut nodes, mut errors) = (Vec::new(), Vec::new());
    loop {
        parser.space();
        if parser.at >= text.len() {
            return (nodes, errors);
        }
        let begin = parser.at;
        match parser.value(0) {
            Ok(node) => nodes.push(node),
            Err(error) => {
                errors.push(error);
                // A mistake can swallow following lines (an unclosed string or object), so look from the line
                // after the one where the broken value began.
                let Some(next) = text[begin..].find("\n{") else { return (nodes, errors) };
                parser.at = begin + next + 1;
            }
        }
    }
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// An error at the next character.
    fn unexpected<T>(&self, expected: &str) -> Result<T, JsonError> {
        let before = &self.text[..self.at];
        if self.peek() == Some(b'{') && before.ends_with('\n') {
            // The next object of an export begins here: this one ended too early.
            let message = format!("expected {expected}, found the end of the line");
            return Err(JsonError { message, span: Span::at(before.trim_end().len()) });
        }
        let (found, length) = match self.text[self.at..].chars().next() {
            Some(found) => (format!("`{}`", found.escape_debug()), found.len_utf8()),
            None => ("the end of the text".to_owned(), 0),
        };
        let message = format!("expected {expected}, found {found}");
        Err(JsonError { message, span: Span::new(self.at, self.at + length) })
    }

    /// value = object | array | string | number | "true" | "false" | "null"
    fn value(&mut self, depth: usize) -> Result<Node, JsonError> {
        let start = self.at;
        if depth > MAX_DEPTH {
            let message = format!("values nest deeper than {MAX_DEPTH} levels");
            return Err(JsonError { message, span: Span::at(start) });
        }
        let data = match self.peek() {
            Some(b'{') => self.object(depth)?,
            Some(b'[') => self.array(depth)?,
            Some(b'"') => Data::Text(self.string()?),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(b't') => self.word("true", Data::Bool(true))?,
            Some(b'f') => self.word("false", Data::Bool(false))?,
            Some(b'n') => self.word("null", Data::Null)?,
            _ => return self.unexpected("a JSON value"),
        };
        Ok(Node { span: Span::new(start, self.at), data })
    }

    fn word(&mut self, word: &str, data: Data) -> Result<Data, JsonError> {
        if self.text[self.at..].starts_with(word) {
            self.at += word.len();
            return Ok(data);
        }
        self.unexpected("a JSON value")
    }

    /// object = "{" [ string ":" value { "," string ":" value } ] "}"
    fn object(&mut self, depth: usize) -> Result<Data, JsonError> {
        self.at += 1;
        let mut members = Vec::new();
        self.space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Data::Table(members));
        }
        loop {
            self.space();
            let start = self.at;
            if self.peek() != Some(b'"') {
                return self.unexpected("a key in double quotes");
            }
            let key = self.string()?;
            let key_span = Span::new(start, self.at);
            self.space();
            if self.peek() != Some(b':') {
                return self.unexpected("`:` after the key");
            }
            self.at += 1;
            self.space();
            members.push(Member { key, key_span, value: self.value(depth + 1)? });
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(Data::Table(members));
                }
                _ => return self.unexpected("`,` or `}`"),
            }
        }
    }

    /// array = "[" [ value { "," value } ] "]"
    fn array(&mut self, depth: usize) -> Result<Data, JsonError> {
        self.at += 1;
        let mut items = Vec::new();
        self.space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Data::List(items));
        }
        loop {
            self.space();
            items.push(self.value(depth + 1)?);
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(Data::List(items));
                }
                _ => return self.unexpected("`,` or `]`"),
            }
        }
    }

    /// A string, its escapes decoded by `serde_json`.
    fn string(&mut self) -> Result<String, JsonError> {
        let start = self.at;
        self.at += 1;
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => self.at += 1 + usize::from(self.at + 1 < self.text.len()),
                Some(b'\n') | None => {
                    let message = "this string has no closing quote".to_owned();
                    return Err(JsonError { message, span: Span::new(start, start + 1) });
                }
                Some(_) => self.at += 1,
            }
        }
        self.at += 1;
        let span = Span::new(start, self.at);
        serde_json::from_str(&self.text[span.range()]).map_err(|_| JsonError {
            message: "this string has an invalid escape or control character".to_owned(),
            span,
        })
    }

    fn number(&mut self) -> Result<Data, JsonError> {
        let start = self.at;
        while matches!(self.peek(), Some(b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9')) {
            self.at += 1;
        }
        let span = Span::new(start, self.at);
        let text = &self.text[span.range()];
        match serde_json::from_str::<serde_json::Number>(text) {
            Ok(_) => Ok(Data::Number(text.to_owned())),
            Err(_) => Err(JsonError { message: "this is not a JSON number".to_owned(), span }),
        }
    }
}
