//! Text to tree: recursive descent, one method a production.
//!
//! After an error the parser goes on at the next operator or bracket, so that all errors of a text are reported.

use span::Span;

use crate::literal::{has_word, is_space, operator, scan, skip_space, spaced_word};
use crate::{Ast, Node, NodeKind, ParseError, ParseErrors, RangeOp, Term, TermKind};

/// How many parentheses and braces may be open at once.
pub const MAX_DEPTH: usize = 100;

/// How many bytes a query may have.
pub const MAX_LENGTH: usize = 1 << 20;

/// How many errors of one text are reported.
pub(crate) const MAX_ERRORS: usize = 100;

/// Parses a query.
///
/// `query = ws* [ or ] ws* EOF`; nothing but white space selects every document.
pub fn parse(text: &str) -> Result<Ast, ParseErrors> {
    if text.len() > MAX_LENGTH {
        let span = Span::at(0);
        let error = ParseError::TooLong { limit: MAX_LENGTH, length: text.len(), span };
        return ParseErrors::new(vec![error], text).map_or_else(|| Ok(Ast { root: None }), Err);
    }
    let mut parser = Parser { text, at: 0, open: 0, errors: Vec::new() };
    let root = parser.query();
    match ParseErrors::new(parser.errors, text) {
        Some(errors) => Err(errors),
        None => Ok(Ast { root }),
    }
}

/// A position in the text. A production returns `None` after it has reported an error; it has then moved to a
/// place from where its caller can go on.
struct Parser<'a> {
    text: &'a str,
    at: usize,
    /// How many brackets are open: the depth of the recursion, and what a closing bracket may close.
    open: usize,
    errors: Vec<ParseError>,
}

/// What a list of conditions is made of.
#[derive(Clone, Copy)]
enum Element<'t> {
    /// Conditions of any kind: `sub`.
    Condition,
    /// Values of this field: `list`.
    ValueOf(&'t Term),
}

impl Parser<'_> {
    fn query(&mut self) -> Option<Node> {
        self.skip_space();
        self.peek()?;
        let mut node = self.or(Element::Condition);
        loop {
            self.skip_space();
            if self.peek().is_none() {
                return node;
            }
            node = None;
            self.leftover(Element::Condition);
        }
    }

    /// `or = and ( ws+ OR ws+ and )*`, for conditions as for values in a list.
    fn or(&mut self, element: Element<'_>) -> Option<Node> {
        self.chain("or", NodeKind::Or, |parser| parser.and(element))
    }

    /// `and = not ( ws+ AND ws+ not )*`
    fn and(&mut self, element: Element<'_>) -> Option<Node> {
        self.chain("and", NodeKind::And, |parser| parser.not(element))
    }

    /// Operands of one operator: flat, and the operand itself if there is only one.
    fn chain(
        &mut self,
        word: &str,
        combine: fn(Vec<Node>) -> NodeKind,
        mut operand: impl FnMut(&mut Self) -> Option<Node>,
    ) -> Option<Node> {
        let mut nodes = vec![operand(self)];
        while let Some(end) = operator(self.text, self.at, word) {
            self.at = end;
            nodes.push(operand(self));
        }
        if nodes.len() == 1 {
            return nodes.swap_remove(0);
        }
        let nodes = nodes.into_iter().collect::<Option<Vec<_>>>()?;
        let span = nodes.iter().map(|node| node.span).reduce(Span::to)?;
        Some(Node { kind: combine(nodes), span, parenthesised: false })
    }

    /// `not = NOT ws+ element | element`
    fn not(&mut self, element: Element<'_>) -> Option<Node> {
        let start = self.at;
        let Some(end) = spaced_word(self.text, self.at, "not") else { return self.element(element) };
        self.at = end;
        let mut repeated = false;
        while let Some(end) = spaced_word(self.text, self.at, "not") {
            let span = Span::new(self.at, self.at + "not".len());
            self.at = end;
            repeated = true;
            self.report(ParseError::RepeatedNot { span });
        }
        let node = self.element(element)?;
        let span = Span::new(start, start).to(node.span);
        (!repeated).then(|| Node { kind: NodeKind::Not(Box::new(node)), span, parenthesised: false })
    }

    fn element(&mut self, element: Element<'_>) -> Option<Node> {
        match element {
            Element::Condition => self.sub(),
            Element::ValueOf(field) => self.list(field, true),
        }
    }

    /// `sub = "(" or ")" | field ":" "{" or "}" | field range literal | field ":" list | value`
    fn sub(&mut self) -> Option<Node> {
        if self.peek() == Some('(') {
            return self.group(Element::Condition, ')');
        }
        let Some(name) = self.literal() else { return self.no_condition() };
        let after = skip_space(self.text, self.at);
        if self.text[after..].starts_with(':') {
            self.at = skip_space(self.text, after + 1);
            return if self.peek() == Some('{') { self.nested(name) } else { self.list(&name, false) };
        }
        if let Some((op, length)) = range_operator(&self.text[after..]) {
            self.at = skip_space(self.text, after + length);
            let Some(value) = self.literal() else {
                return self.unexpected("a value to compare with");
            };
            let span = name.span.to(value.span);
            let kind = NodeKind::Range { field: name, op, value };
            return Some(Node { kind, span, parenthesised: false });
        }
        Some(Node { span: name.span, kind: NodeKind::Is { field: None, value: name }, parenthesised: false })
    }

    /// `"{" or "}"`, after the name of the nested field and the colon.
    fn nested(&mut self, path: Term) -> Option<Node> {
        let is_null = path.kind == TermKind::Null;
        if is_null {
            self.report(ParseError::NullPath { span: path.span });
        }
        let query = self.group(Element::Condition, '}')?;
        let span = Span::new(path.span.start, self.at);
        let kind = NodeKind::Nested { path, query: Box::new(Node { parenthesised: false, ..query }) };
        (!is_null).then_some(Node { kind, span, parenthesised: false })
    }

    /// `list = "(" orlist ")" | value`, all for one field. `within` tells whether a parenthesis of the list is open.
    fn list(&mut self, field: &Term, within: bool) -> Option<Node> {
        if self.peek() == Some('(') {
            return self.group(Element::ValueOf(field), ')');
        }
        let Some(value) = self.literal() else { return self.no_value(field, within) };
        let span = if within { value.span } else { field.span.to(value.span) };
        // The word `null` as a name is no name: Kibana then asks all fields.
        let field = (field.kind != TermKind::Null).then(|| field.clone());
        Some(Node { kind: NodeKind::Is { field, value }, span, parenthesised: false })
    }

    /// Brackets and what is in them. All recursion of the parser goes through here, and so is bounded.
    fn group(&mut self, element: Element<'_>, close: char) -> Option<Node> {
        let opened = Span::new(self.at, self.at + 1);
        if self.open == MAX_DEPTH {
            self.report(ParseError::TooDeep { limit: MAX_DEPTH, span: opened });
            // What follows cannot be told apart from here on.
            self.at = self.text.len();
            return None;
        }
        self.at += 1;
        self.skip_space();
        if self.peek() == Some(close) {
            self.at += 1;
            let open = if close == '}' { "{}" } else { "()" };
            self.report(ParseError::EmptyGroup { open, span: Span::new(opened.start, self.at) });
            return None;
        }
        self.open += 1;
        let mut node = self.or(element);
        loop {
            self.skip_space();
            match self.peek() {
                Some(c) if c == close => {
                    self.at += 1;
                    break;
                }
                Some(_) => {
                    node = None;
                    self.leftover(element);
                }
                None => {
                    // Not worth a second message when the depth ended the text.
                    if !matches!(self.errors.last(), Some(ParseError::TooDeep { .. })) {
                        let open = if close == '}' { '{' } else { '(' };
                        self.report(ParseError::Unclosed { open, span: opened });
                    }
                    node = None;
                    break;
                }
            }
        }
        self.open -= 1;
        node.map(|node| Node { parenthesised: true, ..node })
    }

    /// Reports that no condition begins here.
    fn no_condition(&mut self) -> Option<Node> {
        if let Some((op, length)) = range_operator(&self.text[self.at..]) {
            let span = Span::new(self.at, self.at + length);
            self.report(ParseError::RangeWithoutField { operator: op.as_str().to_owned(), span });
            self.recover();
            return None;
        }
        self.unexpected("a field name or a value")
    }

    /// Reports that no value begins here.
    fn no_value(&mut self, field: &Term, within: bool) -> Option<Node> {
        let name = self.text[field.span.range()].to_owned();
        if let Some((op, length)) = range_operator(&self.text[self.at..]) {
            let span = Span::new(self.at, self.at + length);
            self.report(ParseError::RangeAfterColon { field: name, operator: op.as_str().to_owned(), span });
            self.recover();
            return None;
        }
        if !within && spaced_word(self.text, self.at, "not").is_some() {
            let span = Span::new(self.at, self.at + "not".len());
            self.report(ParseError::NotAfterColon { field: name, span });
            while let Some(end) = spaced_word(self.text, self.at, "not") {
                self.at = end;
            }
            self.list(field, false);
            return None;
        }
        self.unexpected("a value")
    }

    /// Reports that something else than `expected` stands here.
    fn unexpected(&mut self, expected: &'static str) -> Option<Node> {
        let (found, span) = self.found();
        self.report(ParseError::Unexpected { expected, found, span });
        self.recover();
        None
    }

    /// Reports what stands after a complete condition without belonging to it, and goes on behind it, to find
    /// further errors. Moves at least one character.
    fn leftover(&mut self, element: Element<'_>) {
        let start = self.at;
        let error = self.leftover_error();
        self.report(error);
        self.recover();
        if self.at == start {
            self.at += self.peek().map_or(0, char::len_utf8);
        }
        for word in ["or", "and"] {
            if let Some(end) = operator(self.text, self.at, word) {
                self.at = end;
                self.or(element);
                return;
            }
        }
    }

    fn leftover_error(&self) -> ParseError {
        let rest = &self.text[self.at..];
        let here = |length: usize| Span::new(self.at, self.at + length);
        if spaced_word(self.text, self.at, "not").is_some() {
            let word = self.word_before();
            if !word.is_empty() {
                let end = self.at + "not".len();
                let start = self.at - word.len();
                let word = self.text[start..end].to_owned();
                return ParseError::NotInWord { word, span: Span::new(start, end) };
            }
            return ParseError::MissingOperator { found: "`not`".to_owned(), span: here("not".len()) };
        }
        for word in ["and", "or"] {
            if has_word(self.text, self.at, word) && !rest[word.len()..].starts_with(is_word) {
                return ParseError::MissingSpace {
                    operator: rest[..word.len()].to_owned(),
                    span: here(word.len()),
                };
            }
        }
        if let Some((op, length)) = range_operator(rest) {
            return ParseError::RangeWithoutField { operator: op.as_str().to_owned(), span: here(length) };
        }
        match rest.chars().next() {
            Some(':') => ParseError::ColonInValue { span: here(1) },
            Some('{') => ParseError::NestedWithoutColon { span: here(1) },
            Some(close @ (')' | '}')) => ParseError::Unopened { close, span: here(1) },
            Some('(' | '"') => {
                let word = self.word_before();
                if ["and", "or", "not"].iter().any(|operator| operator.eq_ignore_ascii_case(word)) {
                    let span = Span::new(self.at - word.len(), self.at);
                    return ParseError::MissingSpace { operator: word.to_owned(), span };
                }
                let (found, span) = self.found();
                ParseError::MissingOperator { found, span }
            }
            Some(_) | None => {
                let (found, span) = self.found();
                ParseError::MissingOperator { found, span }
            }
        }
    }

    /// The letters and digits directly before the current place.
    fn word_before(&self) -> &str {
        let before = &self.text[..self.at];
        &before[before.trim_end_matches(is_word).len()..]
    }

    /// What stands here, for a message: a word, a character or the end.
    fn found(&self) -> (String, Span) {
        let rest = &self.text[self.at..];
        let Some(first) = rest.chars().next() else {
            return ("the end of the query".to_owned(), Span::at(self.at));
        };
        let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len()).max(first.len_utf8());
        (format!("`{}`", &rest[..length]), Span::new(self.at, self.at + length))
    }

    /// Moves to the next operator of the same level, or to a closing bracket that may close something, or to the end.
    fn recover(&mut self) {
        let mut inner = 0_usize;
        while let Some(c) = self.peek() {
            match c {
                '(' | '{' => inner += 1,
                ')' | '}' if inner > 0 => inner -= 1,
                ')' | '}' if self.open > 0 => return,
                '"' => {
                    let rest = &self.text[self.at + 1..];
                    self.at += rest.find('"').unwrap_or(rest.len()) + 1;
                    // The closing quote, or nothing, is skipped below.
                    if self.peek().is_none() {
                        return;
                    }
                }
                c if is_space(c) => {
                    let is_operator = |word| operator(self.text, self.at, word).is_some();
                    if inner == 0 && (is_operator("or") || is_operator("and")) {
                        return;
                    }
                    self.skip_space();
                    continue;
                }
                _ => {}
            }
            self.at += c.len_utf8();
        }
    }

    /// Takes note of an error; after too many of them the rest of the text is not looked at.
    fn report(&mut self, error: ParseError) {
        self.errors.push(error);
        if self.errors.len() >= MAX_ERRORS {
            self.at = self.text.len();
        }
    }

    fn literal(&mut self) -> Option<Term> {
        let (term, end) = scan(self.text, self.at, &mut self.errors)?;
        self.at = end;
        Some(term)
    }

    fn skip_space(&mut self) {
        self.at = skip_space(self.text, self.at);
    }

    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }
}

/// `range = "<=" | ">=" | "<" | ">"`, with its length.
fn range_operator(rest: &str) -> Option<(RangeOp, usize)> {
    [(RangeOp::Lte, "<="), (RangeOp::Gte, ">="), (RangeOp::Lt, "<"), (RangeOp::Gt, ">")]
        .into_iter()
        .find(|(_, text)| rest.starts_with(text))
        .map(|(op, text)| (op, text.len()))
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}
