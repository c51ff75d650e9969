//! Expressions.

use span::Span;

use super::{MAX_DEPTH, MAX_OPERATORS, Parsed, Parser};
use crate::ast::{ArithmeticOp, CompareOp, Constant, Expr, ExprKind, Literal, MatchOp, Name};
use crate::error::{OtherDialect, ParseErrorKind};
use crate::lexer::{Kind, is_keyword};

impl Parser<'_> {
    /// `expression = all ( "or" all )*`
    pub(super) fn expression(&mut self) -> Parsed<Expr> {
        self.chain("or", Self::all, ExprKind::Or)
    }

    /// `all = negation ( "and" negation )*`
    fn all(&mut self) -> Parsed<Expr> {
        self.chain("and", Self::negation, ExprKind::And)
    }

    fn chain(
        &mut self,
        operator: &str,
        part: fn(&mut Self) -> Parsed<Expr>,
        join: fn(Vec<Expr>) -> ExprKind,
    ) -> Parsed<Expr> {
        let first = part(self)?;
        if !self.word().is_some_and(|it| it.eq_ignore_ascii_case(operator)) {
            return Ok(first);
        }
        let mut parts = vec![first];
        while self.eat_word(operator) {
            parts.push(part(self)?);
        }
        let span = parts[0].span.to(parts[parts.len() - 1].span);
        Ok(Expr { kind: join(parts), span })
    }

    /// `negation = "not" negation | comparison`
    fn negation(&mut self) -> Parsed<Expr> {
        let start = self.span();
        let is_shouted = self.word().is_some_and(|it| it != "not" && it.eq_ignore_ascii_case("not"))
            && self.begins_operand(1);
        if self.word() != Some("not") && !is_shouted {
            return self.comparison();
        }
        self.eat_word("not");
        let inner = self.nested(Self::negation)?;
        let span = start.to(inner.span);
        Ok(Expr { kind: ExprKind::Not(Box::new(inner)), span })
    }

    /// Whether an operand can begin so many tokens ahead.
    fn begins_operand(&self, ahead: usize) -> bool {
        let token = self.token(ahead);
        match &token.kind {
            Kind::Word => !is_keyword(&self.text[token.span.range()]),
            Kind::QuotedName(_) | Kind::Symbol("(" | "?") => true,
            Kind::TildeWord | Kind::Text(_) | Kind::Integer | Kind::Decimal | Kind::Symbol(_) | Kind::End => {
                false
            }
        }
    }

    /// `comparison = sum [ ( "==" | "!=" | "<" | "<=" | ">" | ">=" ) sum ]`
    fn comparison(&mut self) -> Parsed<Expr> {
        let left = self.sum()?;
        let Some(op) = self.comparator() else { return Ok(left) };
        let right = self.sum()?;
        let span = left.span.to(right.span);
        if self.comparator().is_some() {
            return Err(ParseErrorKind::Chained.at(span.to(self.before())));
        }
        Ok(Expr { kind: ExprKind::Compare { left: Box::new(left), op, right: Box::new(right) }, span })
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
            "<>" | "=~" => {
                self.note(ParseErrorKind::NoOperator { operator: (*symbol).to_owned() }, self.span());
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
        let mut left = part(self)?;
        while let Kind::Symbol(symbol) = self.kind()
            && let Some(op) = operator(symbol)
        {
            self.operators += 1;
            if self.operators > MAX_OPERATORS {
                return Err(ParseErrorKind::TooManyOperators { limit: MAX_OPERATORS }.at(self.span()));
            }
            self.at += 1;
            let right = part(self)?;
            let span = left.span.to(right.span);
            left = Expr {
                kind: ExprKind::Arithmetic { left: Box::new(left), op, right: Box::new(right) },
                span,
            };
        }
        Ok(left)
    }

    /// `sign = ( "-" | "+" ) sign | predicate`
    fn sign(&mut self) -> Parsed<Expr> {
        let start = self.span();
        if self.eat("+") {
            return self.nested(Self::sign);
        }
        if !self.eat("-") {
            return self.predicate();
        }
        let inner = self.nested(Self::sign)?;
        let span = start.to(inner.span);
        Ok(match inner.kind {
            ExprKind::Constant(Literal::Integer(it)) => Expr { kind: ExprKind::Constant(integer(-it)), span },
            ExprKind::Constant(Literal::Float(it)) => {
                Expr { kind: ExprKind::Constant(Literal::Float(-it)), span }
            }
            kind => Expr { kind: ExprKind::Negate(Box::new(Expr { kind, ..inner })), span },
        })
    }

    /// `predicate = operand [ [ "not" ] ( "in" | "in~" ) list | matcher constants ]`
    fn predicate(&mut self) -> Parsed<Expr> {
        let value = self.operand()?;
        let start = self.span();
        if self.is("!:") || self.is("!~") {
            let operator = self.text[start.range()].to_owned();
            self.note(ParseErrorKind::NoOperator { operator }, start);
            return self.matched(value, MatchOp::Colon);
        }
        let is_not = self.word().is_some_and(|it| it.eq_ignore_ascii_case("not"));
        let ahead = usize::from(is_not);
        let operator = match &self.token(ahead).kind {
            Kind::Symbol(":") => ":",
            Kind::Word | Kind::TildeWord => &self.text[self.token(ahead).span.range()],
            Kind::QuotedName(_)
            | Kind::Text(_)
            | Kind::Integer
            | Kind::Decimal
            | Kind::Symbol(_)
            | Kind::End => return Ok(value),
        };
        let fold = match operator.to_ascii_lowercase().as_str() {
            "in" => false,
            "in~" => true,
            lower => {
                let op = match lower {
                    ":" => MatchOp::Colon,
                    "like" => MatchOp::Like,
                    "like~" => MatchOp::LikeFold,
                    "regex" => MatchOp::Regex,
                    "regex~" => MatchOp::RegexFold,
                    "of" if operator == "of" => {
                        let what = OtherDialect::Lineage;
                        return Err(ParseErrorKind::OtherDialect { what }.at(value.span.to(start)));
                    }
                    _ => return Ok(value),
                };
                if is_not {
                    let operator = format!("not {operator}");
                    self.note(ParseErrorKind::NoOperator { operator }, start.to(self.token(1).span));
                    self.at += 1;
                }
                return self.matched(value, op);
            }
        };
        if is_not {
            self.eat_word("not");
        }
        self.eat_word(if fold { "in~" } else { "in" });
        if !self.is("(") {
            return Err(self.unexpected("`(` and the values"));
        }
        let open = self.span();
        let list = self.list(Self::expression)?;
        let span = value.span.to(self.before());
        if list.is_empty() {
            return Err(ParseErrorKind::EmptyList.at(open.to(self.before())));
        }
        Ok(Expr { kind: ExprKind::In { value: Box::new(value), negated: is_not, fold, list }, span })
    }

    /// `constants = constant | "(" constant ( "," constant )* ")"`
    fn matched(&mut self, value: Expr, op: MatchOp) -> Parsed<Expr> {
        if self.word().is_some() {
            self.eat_word(op.as_str());
        } else {
            self.at += 1;
        }
        let patterns = if self.is("(") {
            let open = self.span();
            let read = move |it: &mut Self| it.constant(op);
            let list = self.list(read)?;
            if list.is_empty() {
                return Err(ParseErrorKind::EmptyList.at(open.to(self.before())));
            }
            list
        } else {
            vec![self.constant(op)?]
        };
        let span = value.span.to(self.before());
        Ok(Expr { kind: ExprKind::Match { value: Box::new(value), op, patterns }, span })
    }

    fn constant(&mut self, op: MatchOp) -> Parsed<Constant> {
        let span = self.span();
        if let Some(value) = self.literal()? {
            return Ok(Constant { value, span });
        }
        let is_call = self.token(1).kind == Kind::Symbol("(");
        if op == MatchOp::Colon
            && *self.kind() == Kind::Word
            && is_call
            && self.token(2).kind == Kind::Symbol(")")
        {
            return Err(ParseErrorKind::OtherDialect { what: OtherDialect::Method }.at(span));
        }
        match self.kind() {
            Kind::Word | Kind::TildeWord | Kind::QuotedName(_) | Kind::Symbol("?" | "-" | "+" | "(") => {
                Err(ParseErrorKind::NotConstant { operator: op.as_str() }.at(span))
            }
            Kind::Text(_) | Kind::Integer | Kind::Decimal | Kind::Symbol(_) | Kind::End => {
                Err(self.unexpected("a constant, or constants in parentheses"))
            }
        }
    }

    /// `list = "(" [ part ( "," part )* ] ")"`
    fn list<T>(&mut self, mut part: impl FnMut(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        self.open("(");
        let mut parts = Vec::new();
        if !self.is(")") {
            self.nested(|it| {
                parts.push(part(it)?);
                while it.eat(",") {
                    parts.push(part(it)?);
                }
                Ok(())
            })?;
        }
        self.close(")", "`,` or `)`")?;
        Ok(parts)
    }

    /// `operand = constant | field | call | "(" expression ")"`
    fn operand(&mut self) -> Parsed<Expr> {
        let span = self.span();
        if let Some(literal) = self.literal()? {
            return Ok(Expr { kind: ExprKind::Constant(literal), span });
        }
        match self.kind() {
            Kind::Symbol("(") => {
                self.open("(");
                let inner = self.nested(Self::expression)?;
                self.close(")", "`)` or an operator")?;
                Ok(inner)
            }
            Kind::Word if is_keyword(&self.text[span.range()]) => {
                // A key word that a comparison follows is meant as a field.
                let word = self.text[span.range()].to_owned();
                let is_field =
                    matches!(&self.token(1).kind, Kind::Symbol(it) if !matches!(*it, ")" | "]" | "|" | ","));
                if is_field && !matches!(word.as_str(), "and" | "or" | "in" | "where") {
                    return Err(ParseErrorKind::Reserved { word }.at(span));
                }
                Err(self.unexpected("a value"))
            }
            Kind::Word | Kind::TildeWord if self.token(1).kind == Kind::Symbol("(") => self.call(span),
            Kind::TildeWord => Err(self.unexpected("a value")),
            Kind::Word | Kind::QuotedName(_) | Kind::Symbol("?") => {
                let field = self.field()?;
                if self.is("[") {
                    let what = OtherDialect::ArrayIndex;
                    return Err(ParseErrorKind::OtherDialect { what }.at(field.span.to(self.token(2).span)));
                }
                let span = field.span;
                Ok(Expr { kind: ExprKind::Field(field), span })
            }
            Kind::Text(_) | Kind::Integer | Kind::Decimal | Kind::Symbol(_) | Kind::End => {
                Err(self.unexpected("a value"))
            }
        }
    }

    /// `call = WORD [ "~" ] "(" [ expression ( "," expression )* ] ")"`
    fn call(&mut self, name: Span) -> Parsed<Expr> {
        let written = &self.text[name.range()];
        let (function, fold) = written.strip_suffix('~').map_or((written, false), |it| (it, true));
        let function = function.to_owned();
        self.at += 1;
        let arguments = self.list(Self::expression)?;
        let span = name.to(self.before());
        Ok(Expr { kind: ExprKind::Call { function, fold, arguments, name: Name(name) }, span })
    }

    /// The constant that stands here, if one does.
    fn literal(&mut self) -> Parsed<Option<Literal>> {
        let span = self.span();
        let text = &self.text[span.range()];
        let literal = match self.kind() {
            Kind::Text(text) => Literal::Text(text.clone()),
            Kind::Integer | Kind::Decimal => number(text, *self.kind() == Kind::Integer)
                .ok_or_else(|| ParseErrorKind::LargeNumber.at(span))?,
            Kind::Word if matches!(text, "true" | "false") => Literal::Bool(text == "true"),
            Kind::Word if text == "null" => Literal::Null,
            Kind::Word | Kind::TildeWord | Kind::QuotedName(_) | Kind::Symbol(_) | Kind::End => {
                return Ok(None);
            }
        };
        self.at += 1;
        Ok(Some(literal))
    }

    /// All recursion leads through here.
    fn nested<T>(&mut self, part: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= MAX_DEPTH {
            return Err(ParseErrorKind::TooDeep { limit: MAX_DEPTH }.at(self.span()));
        }
        self.depth += 1;
        let read = part(self);
        self.depth -= 1;
        read
    }
}

/// A number as written, without a sign.
fn number(text: &str, is_whole: bool) -> Option<Literal> {
    if is_whole && let Ok(number) = text.parse::<u64>() {
        return Some(Literal::Integer(number.into()));
    }
    let number: f64 = text.parse().ok()?;
    number.is_finite().then_some(Literal::Float(number))
}

/// A whole number, or the double next to it if 64 bits do not hold it.
pub(crate) fn integer(value: i128) -> Literal {
    let fits = (i128::from(i64::MIN)..=i128::from(u64::MAX)).contains(&value);
    if fits { Literal::Integer(value) } else { Literal::Float(value as f64) }
}
