//! Expressions.

use std::sync::Arc;

use span::Span;

use super::{Parsed, Parser};
use crate::ast::{ArithmeticOp, CompareOp, Expr, ExprKind, LikeKind, Literal, Name, Text, Unit};
use crate::error::ParseErrorKind;
use crate::lexer::{Kind, is_keyword};

impl Parser<'_> {
    /// `expression = all ( "OR" all )*`
    pub(super) fn expression(&mut self) -> Parsed<Expr> {
        self.chain("or", "||", Self::all, ExprKind::Or)
    }

    /// `all = negation ( "AND" negation )*`
    fn all(&mut self) -> Parsed<Expr> {
        self.chain("and", "&&", Self::negation, ExprKind::And)
    }

    fn chain(
        &mut self,
        operator: &str,
        foreign: &'static str,
        part: fn(&mut Self) -> Parsed<Expr>,
        join: fn(Vec<Expr>) -> ExprKind,
    ) -> Parsed<Expr> {
        let mut parts = vec![part(self)?];
        loop {
            if self.is(foreign) {
                self.note(ParseErrorKind::NoOperator { operator: foreign }, self.span());
                self.at += 1;
            } else if !self.eat_word(operator) {
                break;
            }
            parts.push(part(self)?);
        }
        if parts.len() == 1 {
            return Ok(parts.swap_remove(0));
        }
        let span = parts[0].span.to(parts[parts.len() - 1].span);
        Ok(Expr { kind: join(parts), span })
    }

    /// `negation = "NOT" negation | predicate`
    fn negation(&mut self) -> Parsed<Expr> {
        let start = self.span();
        if !self.eat_word("not") {
            return self.predicate();
        }
        let inner = self.nested(Self::negation)?;
        let span = start.to(self.before());
        Ok(Expr { kind: ExprKind::Not(Box::new(inner)), span })
    }

    /// `predicate = sum [ comparator sum | ":" constant | [ "NOT" ] ( "IN" list | "LIKE" texts | "RLIKE" texts )
    /// | "IS" [ "NOT" ] "NULL" ]`
    fn predicate(&mut self) -> Parsed<Expr> {
        let start = self.span();
        let value = self.sum()?;
        if self.is(":") && is_field(&value) {
            self.at += 1;
            let span = self.span();
            let literal = self.constant("a text, a number or a truth value")?;
            let query = Box::new(Expr { kind: ExprKind::Literal(literal), span: span.to(self.before()) });
            let span = start.to(self.before());
            return Ok(Expr { kind: ExprKind::Match { field: Box::new(value), query }, span });
        }
        let mut value = value;
        if let Some(op) = self.comparator() {
            let right = self.sum()?;
            let span = start.to(self.before());
            if self.comparator().is_some() {
                return Err(ParseErrorKind::Chained.at(span.to(self.before())));
            }
            value =
                Expr { kind: ExprKind::Compare { left: Box::new(value), op, right: Box::new(right) }, span };
        }
        self.asked(value, start)
    }

    /// What may be asked of a value.
    fn asked(&mut self, value: Expr, start: Span) -> Parsed<Expr> {
        if self.eat_word("is") {
            let negated = self.eat_word("not");
            if !self.eat_word("null") {
                return Err(self.unexpected(if negated { "NULL" } else { "NULL or NOT NULL" }));
            }
            let span = start.to(self.before());
            return Ok(Expr { kind: ExprKind::IsNull { value: Box::new(value), negated }, span });
        }
        let negated = self.is_word("not");
        let operator = self.word_at(usize::from(negated)).unwrap_or_default().to_ascii_uppercase();
        let kind = match operator.as_str() {
            "IN" => None,
            "LIKE" => Some(LikeKind::Like),
            "RLIKE" => Some(LikeKind::RLike),
            _ => return Ok(value),
        };
        self.at += 1 + usize::from(negated);
        let value = Box::new(value);
        let kind = if let Some(kind) = kind {
            let patterns = self.patterns(kind)?;
            ExprKind::Like { value, negated, kind, patterns }
        } else {
            if !self.is("(") {
                return Err(self.unexpected("`(` and the values"));
            }
            let open = self.span();
            let list = self.list(Self::expression)?;
            if list.is_empty() {
                return Err(ParseErrorKind::EmptyList.at(open.to(self.before())));
            }
            ExprKind::In { value, negated, list }
        };
        Ok(Expr { kind, span: start.to(self.before()) })
    }

    /// `texts = TEXT | "(" TEXT ( "," TEXT )* ")"`
    fn patterns(&mut self, kind: LikeKind) -> Parsed<Vec<Text>> {
        let pattern = move |it: &mut Self| match it.kind() {
            Kind::Text(_) => it.text("a text"),
            Kind::Word | Kind::QuotedName(_) | Kind::Integer | Kind::Decimal => {
                Err(ParseErrorKind::NotConstant { operator: kind.as_str() }.at(it.span()))
            }
            Kind::Symbol(_) | Kind::Other(_) | Kind::End => Err(it.unexpected("a text in double quotes")),
        };
        if !self.is("(") {
            return Ok(vec![pattern(self)?]);
        }
        let open = self.span();
        let patterns = self.list(pattern)?;
        if patterns.is_empty() {
            return Err(ParseErrorKind::EmptyList.at(open.to(self.before())));
        }
        Ok(patterns)
    }

    fn comparator(&mut self) -> Option<CompareOp> {
        let Kind::Symbol(symbol) = self.kind() else { return None };
        let op = match *symbol {
            "==" => CompareOp::Equal,
            "!=" => CompareOp::NotEqual,
            "<" => CompareOp::Less,
            "<=" => CompareOp::LessOrEqual,
            ">" => CompareOp::Greater,
            ">=" => CompareOp::GreaterOrEqual,
            "=" => {
                self.note(ParseErrorKind::SingleEquals, self.span());
                CompareOp::Equal
            }
            operator @ ("<>" | "=~" | "!~") => {
                self.note(ParseErrorKind::NoOperator { operator }, self.span());
                CompareOp::NotEqual
            }
            _ => return None,
        };
        self.at += 1;
        Some(op)
    }

    /// `sum = product ( ( "+" | "-" ) product )*`
    fn sum(&mut self) -> Parsed<Expr> {
        self.arithmetic(Self::product, |symbol| match symbol {
            "+" => Some(ArithmeticOp::Add),
            "-" => Some(ArithmeticOp::Subtract),
            _ => None,
        })
    }

    /// `product = sign ( ( "*" | "/" | "%" ) sign )*`
    fn product(&mut self) -> Parsed<Expr> {
        self.arithmetic(Self::sign, |symbol| match symbol {
            "*" => Some(ArithmeticOp::Multiply),
            "/" => Some(ArithmeticOp::Divide),
            "%" => Some(ArithmeticOp::Modulo),
            _ => None,
        })
    }

    fn arithmetic(
        &mut self,
        part: fn(&mut Self) -> Parsed<Expr>,
        operator: fn(&str) -> Option<ArithmeticOp>,
    ) -> Parsed<Expr> {
        let start = self.span();
        let mut left = part(self)?;
        while let Kind::Symbol(symbol) = self.kind()
            && let Some(op) = operator(symbol)
        {
            self.operator()?;
            self.at += 1;
            let right = part(self)?;
            let kind = ExprKind::Arithmetic { left: Box::new(left), op, right: Box::new(right) };
            left = Expr { kind, span: start.to(self.before()) };
        }
        Ok(left)
    }

    /// `sign = ( "-" | "+" ) sign | cast`
    fn sign(&mut self) -> Parsed<Expr> {
        let start = self.span();
        if self.eat("+") {
            return self.nested(Self::sign);
        }
        if !self.eat("-") {
            return self.operand();
        }
        let inner = self.nested(Self::sign)?;
        let span = start.to(self.before());
        let kind = match inner.kind {
            ExprKind::Literal(Literal::Integer(it)) => ExprKind::Literal(integer(-it)),
            ExprKind::Literal(Literal::Decimal(it)) => ExprKind::Literal(Literal::Decimal(-it)),
            ExprKind::Literal(Literal::Span { count, unit }) => {
                ExprKind::Literal(Literal::Span { count: -count, unit })
            }
            kind => ExprKind::Negate(Box::new(Expr { kind, ..inner })),
        };
        Ok(Expr { kind, span })
    }

    /// `operand = primary ( "::" type )*`
    pub(super) fn operand(&mut self) -> Parsed<Expr> {
        let start = self.span();
        let mut value = self.primary()?;
        while self.is("::") {
            self.operator()?;
            self.at += 1;
            let to = self.name("the name of a type")?;
            value =
                Expr { kind: ExprKind::Cast { value: Box::new(value), to }, span: start.to(self.before()) };
        }
        Ok(value)
    }

    /// `primary = constant | column | call | "(" expression ")"`
    fn primary(&mut self) -> Parsed<Expr> {
        let span = self.span();
        if let Some(literal) = self.literal()? {
            return Ok(Expr { kind: ExprKind::Literal(literal), span: span.to(self.before()) });
        }
        match self.kind() {
            Kind::Symbol("(") => {
                self.open("(");
                let inner = self.nested(Self::expression)?;
                self.close(")", "`)` or an operator")?;
                Ok(inner)
            }
            Kind::Word if self.token(1).kind == Kind::Symbol("(") => {
                let word = &self.text[span.range()];
                let is_function =
                    !is_keyword(word) || matches!(word.to_ascii_lowercase().as_str(), "first" | "last");
                if is_function { self.call(span) } else { Err(self.unexpected("a value")) }
            }
            Kind::Word | Kind::QuotedName(_) => {
                let word = &self.text[span.range()];
                let is_operator =
                    ["and", "or", "in", "is", "like", "rlike"].iter().any(|it| it.eq_ignore_ascii_case(word));
                if is_operator {
                    return Err(self.unexpected("a value"));
                }
                let name = self.name("a value")?;
                let span = name.span;
                Ok(Expr { kind: ExprKind::Column(name), span })
            }
            Kind::Text(_) | Kind::Integer | Kind::Decimal | Kind::Symbol(_) | Kind::Other(_) | Kind::End => {
                Err(self.unexpected("a value"))
            }
        }
    }

    /// `call = WORD "(" [ "*" | expression ( ( "," | "BY" ) expression )* [ "," map ] ] ")"`
    fn call(&mut self, name: Span) -> Parsed<Expr> {
        let function = Name { text: self.text[name.range()].to_owned(), span: name };
        self.at += 1;
        self.open("(");
        let (mut arguments, mut options) = (Vec::new(), Vec::new());
        if self.is("*") && self.token(1).kind == Kind::Symbol(")") {
            arguments.push(Expr { kind: ExprKind::Star, span: self.span() });
            self.at += 1;
        } else if !self.is(")") {
            self.nested(|it| {
                loop {
                    if it.is("{") {
                        options = it.map()?;
                        return Ok(());
                    }
                    arguments.push(it.expression()?);
                    if !it.eat(",") && !it.eat_word("by") {
                        return Ok(());
                    }
                }
            })?;
        }
        self.close(")", "`,` or `)`")?;
        let span = name.to(self.before());
        Ok(Expr { kind: ExprKind::Call { function, arguments, options }, span })
    }

    /// `map = "{" TEXT ":" constant ( "," TEXT ":" constant )* "}"`
    fn map(&mut self) -> Parsed<Vec<(Text, Literal)>> {
        self.open("{");
        let entries = self.several(|it| {
            let key = it.text("an option in double quotes")?;
            it.expect(":", "`:`")?;
            Ok((key, it.constant("a constant")?))
        })?;
        self.close("}", "`,` or `}`")?;
        Ok(entries)
    }

    /// `list = "(" [ part ( "," part )* ] ")"`
    fn list<T>(&mut self, part: impl FnMut(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        self.open("(");
        let parts = if self.is(")") { Vec::new() } else { self.nested(|it| it.several(part))? };
        self.close(")", "`,` or `)`")?;
        Ok(parts)
    }

    /// A constant with its sign.
    pub(super) fn constant(&mut self, expected: &'static str) -> Parsed<Literal> {
        let negative = self.is("-");
        let signed = negative || self.is("+");
        self.at += usize::from(signed);
        match self.literal()? {
            Some(Literal::Integer(it)) if negative => Ok(integer(-it)),
            Some(Literal::Decimal(it)) if negative => Ok(Literal::Decimal(-it)),
            Some(Literal::Span { count, unit }) if negative => Ok(Literal::Span { count: -count, unit }),
            Some(it @ (Literal::Integer(_) | Literal::Decimal(_) | Literal::Span { .. })) => Ok(it),
            Some(it) if !signed => Ok(it),
            _ => Err(self.unexpected(expected)),
        }
    }

    /// The constant without a sign that stands here, if one does.
    fn literal(&mut self) -> Parsed<Option<Literal>> {
        let span = self.span();
        let text = &self.text[span.range()];
        let literal = match self.kind() {
            Kind::Text(text) => Literal::Text(Arc::clone(text)),
            Kind::Integer if self.word_at(1).is_some_and(|it| !is_keyword(it) && !is_command_word(it)) => {
                let word = self.token(1).span;
                let unit = &self.text[word.range()];
                self.at += 1;
                match (Unit::from_name(unit), text.parse()) {
                    (Some(unit), Ok(count)) => Literal::Span { count, unit },
                    (None, _) => return Err(ParseErrorKind::Unit { unit: unit.to_owned() }.at(word)),
                    (_, Err(_)) => return Err(ParseErrorKind::LargeNumber.at(span)),
                }
            }
            Kind::Integer | Kind::Decimal => number(text, *self.kind() == Kind::Integer)
                .ok_or_else(|| ParseErrorKind::LargeNumber.at(span))?,
            Kind::Word if self.token(1).kind == Kind::Symbol("(") => return Ok(None),
            Kind::Word if text.eq_ignore_ascii_case("true") => Literal::Boolean(true),
            Kind::Word if text.eq_ignore_ascii_case("false") => Literal::Boolean(false),
            Kind::Word if text.eq_ignore_ascii_case("null") => Literal::Null,
            Kind::Symbol("[") => return Ok(Some(self.constants()?)),
            Kind::Word | Kind::QuotedName(_) | Kind::Symbol(_) | Kind::Other(_) | Kind::End => {
                return Ok(None);
            }
        };
        self.at += 1;
        Ok(Some(literal))
    }

    /// `constants = "[" constant ( "," constant )* "]"`
    fn constants(&mut self) -> Parsed<Literal> {
        let start = self.span();
        self.open("[");
        if self.is("]") {
            return Err(ParseErrorKind::EmptyList.at(start.to(self.span())));
        }
        let list = self.several(|it| {
            let at = it.span();
            if it.is("[") || it.kind() == &Kind::Word && it.literal_word().is_none() {
                return Err(ParseErrorKind::List.at(at));
            }
            it.constant("a constant")
        })?;
        self.close("]", "`,` or `]`")?;
        let kind = |it: &Literal| match it {
            Literal::Boolean(_) => 1,
            Literal::Integer(_) | Literal::Decimal(_) => 2,
            Literal::Text(_) => 3,
            Literal::Null | Literal::Span { .. } | Literal::List(_) => 0,
        };
        let first = list.first().map_or(0, kind);
        if first == 0 || list.iter().any(|it| kind(it) != first) {
            return Err(ParseErrorKind::List.at(start.to(self.before())));
        }
        Ok(Literal::List(list))
    }

    fn literal_word(&self) -> Option<&str> {
        self.word_at(0)
            .filter(|it| ["true", "false", "null"].iter().any(|word| word.eq_ignore_ascii_case(it)))
    }
}

/// What `:` may ask.
fn is_field(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Column(_) => true,
        ExprKind::Cast { value, .. } => is_field(value),
        _ => false,
    }
}

/// What may follow a number and is no unit.
fn is_command_word(word: &str) -> bool {
    ["where", "append_separator"].iter().any(|it| it.eq_ignore_ascii_case(word))
}

/// A number as written, without a sign.
fn number(text: &str, is_whole: bool) -> Option<Literal> {
    if is_whole && let Ok(number) = text.parse::<u64>() {
        return Some(Literal::Integer(number.into()));
    }
    let number: f64 = text.parse().ok()?;
    number.is_finite().then_some(Literal::Decimal(number))
}

/// A whole number, or the double next to it if 64 bits do not hold it.
#[expect(clippy::cast_precision_loss, reason = "it is the nearest that is meant")]
pub(crate) fn integer(value: i128) -> Literal {
    let fits = (i128::from(i64::MIN)..=i128::from(u64::MAX)).contains(&value);
    if fits { Literal::Integer(value) } else { Literal::Decimal(value as f64) }
}
