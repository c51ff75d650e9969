//! Expressions.

use std::ops::ControlFlow;
use std::sync::Arc;

use span::Span;

use super::{CheckErrorKind, Checker};
use crate::ast::{self, ArithmeticOp, CompareOp, LikeKind};
use crate::literal;
use crate::resolved::{Expr, ExprKind, Value};
use crate::{Function, Type};

/// Where an expression stands, and so what it may be made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// It is computed for each row.
    Row,
    /// It decides about rows: it may ask the event.
    Filter,
    /// Rows are grouped by it.
    Grouping,
    /// It is computed for each row, within an aggregate.
    Aggregate,
    /// It is computed for each group.
    Group,
}

impl Checker<'_> {
    /// An expression with its types. None if anything in it is wrong, which is said.
    pub(super) fn expression(&mut self, expr: &ast::Expr, place: Place) -> Option<Expr> {
        if place == Place::Group
            && let ControlFlow::Break(found) = self.told_of_group(expr)
        {
            return found;
        }
        let span = expr.span;
        match &expr.kind {
            ast::ExprKind::Or(parts) => self.connected(Function::Or, parts, place, span),
            ast::ExprKind::And(parts) => self.connected(Function::And, parts, place, span),
            ast::ExprKind::Not(inner) => {
                let inner = self.condition(inner, place)?;
                Some(call(Function::Not, vec![inner], Type::Boolean, span))
            }
            ast::ExprKind::Compare { left, op, right } => {
                let (left, right) = (self.expression(left, place), self.expression(right, place));
                let (left, right) = self.comparable(left?, right?, Some(*op), span)?;
                let function = match op {
                    CompareOp::Equal => Function::Equal,
                    CompareOp::NotEqual => Function::NotEqual,
                    CompareOp::Less => Function::Less,
                    CompareOp::LessOrEqual => Function::LessOrEqual,
                    CompareOp::Greater => Function::Greater,
                    CompareOp::GreaterOrEqual => Function::GreaterOrEqual,
                };
                Some(call(function, vec![left, right], Type::Boolean, span))
            }
            ast::ExprKind::In { value, negated, list } => {
                let value = self.expression(value, place);
                let list: Vec<Option<Expr>> = list.iter().map(|it| self.expression(it, place)).collect();
                let mut value = value?;
                let mut arguments = Vec::with_capacity(list.len() + 1);
                for it in list {
                    let (left, right) = self.comparable(value, it?, None, span)?;
                    value = left;
                    arguments.push(right);
                }
                arguments.insert(0, value);
                Some(negation(call(Function::In, arguments, Type::Boolean, span), *negated))
            }
            ast::ExprKind::Like { value, negated, kind, patterns } => {
                let value = self.expression(value, place);
                let wrong = patterns.iter().filter(|it| !self.is_pattern(*kind, it)).count();
                let value = self.string(value?, kind.as_str())?;
                let function = match kind {
                    LikeKind::Like => Function::Like,
                    LikeKind::RLike => Function::RLike,
                };
                let patterns = patterns
                    .iter()
                    .map(|it| constant(Value::Text(Arc::clone(&it.text)), Type::Keyword, it.span));
                let arguments = std::iter::once(value).chain(patterns).collect();
                (wrong == 0).then(|| negation(call(function, arguments, Type::Boolean, span), *negated))
            }
            ast::ExprKind::IsNull { value, negated } => {
                let value = self.expression(value, place)?;
                let function = if *negated { Function::IsNotNull } else { Function::IsNull };
                Some(call(function, vec![value], Type::Boolean, span))
            }
            ast::ExprKind::Match { field, query } => self.match_field(field, query, &[], place, span),
            ast::ExprKind::Arithmetic { left, op, right } => {
                let (left, right) = (self.expression(left, place), self.expression(right, place));
                self.arithmetic(left?, *op, right?, span)
            }
            ast::ExprKind::Negate(inner) => {
                let inner = self.expression(inner, place)?;
                self.negate(inner, span)
            }
            ast::ExprKind::Cast { value, to } => {
                let inner = self.expression(value, place);
                let Some(ty) = Type::of_cast(&to.text) else {
                    self.error(CheckErrorKind::UnknownType { name: to.text.clone() }, to.span);
                    return None;
                };
                // There is a function for each of these types.
                let function = Function::cast_to(ty)?;
                self.called(function, vec![inner?], Vec::new(), span)
            }
            ast::ExprKind::Literal(it) => {
                let Some((value, ty)) = literal::value(it) else {
                    self.error(
                        CheckErrorKind::Literal { text: it.to_string(), ty: Type::TimeDuration },
                        span,
                    );
                    return None;
                };
                Some(constant(value, ty, span))
            }
            ast::ExprKind::Column(name) => {
                let (slot, ty) = self.column(&name.text, name.span)?;
                Some(Expr { kind: ExprKind::Column(slot), ty, span })
            }
            ast::ExprKind::Call { function, arguments, options } => {
                self.function(function, arguments, options, place, span)
            }
            ast::ExprKind::Star => {
                self.error(CheckErrorKind::Star, span);
                None
            }
        }
    }

    /// An expression that is true, false or null.
    pub(super) fn condition(&mut self, expr: &ast::Expr, place: Place) -> Option<Expr> {
        let found = self.expression(expr, place)?;
        match found.ty {
            Type::Boolean | Type::Null => Some(found),
            ty => {
                if !self.wish(&found, Type::Boolean) {
                    self.error(CheckErrorKind::Condition { found: ty }, expr.span);
                }
                None
            }
        }
    }

    fn connected(
        &mut self,
        function: Function,
        parts: &[ast::Expr],
        place: Place,
        span: Span,
    ) -> Option<Expr> {
        let parts: Vec<Option<Expr>> = parts.iter().map(|it| self.condition(it, place)).collect();
        let mut parts = parts.into_iter();
        let mut all = parts.next()??;
        for it in parts {
            let it = it?;
            let part = Span::new(span.start, it.span.end.max(span.start));
            all = call(function, vec![all, it], Type::Boolean, part);
        }
        all.span = span;
        Some(all)
    }

    /// Both sides of a comparison, texts read as what the other side is. `op` is none for `IN`.
    fn comparable(
        &mut self,
        left: Expr,
        right: Expr,
        op: Option<CompareOp>,
        span: Span,
    ) -> Option<(Expr, Expr)> {
        let (left, right) = (self.value(left)?, self.value(right)?);
        let right = self.as_other(right, left.ty)?;
        let left = self.as_other(left, right.ty)?;
        let (a, b) = (left.ty, right.ty);
        let is_equality = matches!(op, None | Some(CompareOp::Equal | CompareOp::NotEqual));
        if a.is_numeric() && b.is_numeric() && a.widest(b).is_none() {
            self.error(CheckErrorKind::Unsigned { left: a, right: b }, span);
            return None;
        }
        let is_same = a.without_text() == b.without_text()
            || a.is_numeric() && b.is_numeric()
            || a.is_date() && b.is_date();
        let is_ordered = is_equality || ![a, b].iter().any(|it| matches!(it, Type::Boolean | Type::GeoPoint));
        let is_null = [a, b].contains(&Type::Null);
        if (is_same || is_null) && is_ordered && !a.is_span() && !b.is_span() {
            return Some((left, right));
        }
        // A number next to a field of which nothing is known makes it one.
        if self.wish(&left, guess(b)) || self.wish(&right, guess(a)) {
            return None;
        }
        let operator = op.map_or("IN", CompareOp::as_str);
        self.error(CheckErrorKind::Operands { operator, left: a, right: b }, span);
        None
    }

    /// A text as a value of the type that it stands next to.
    pub(super) fn as_other(&mut self, value: Expr, ty: Type) -> Option<Expr> {
        let is_cast =
            matches!(ty, Type::Datetime | Type::DateNanos | Type::Ip | Type::Version | Type::Boolean);
        if is_cast { self.read_as(value, ty) } else { Some(value) }
    }

    /// A text that is written there as a value of a type. What is no text stays.
    pub(super) fn read_as(&mut self, value: Expr, ty: Type) -> Option<Expr> {
        let span = value.span;
        let read = |it: &Value| match it {
            Value::Text(text) => literal::cast(text, ty).ok_or_else(|| text.to_string()),
            other => Ok(other.clone()),
        };
        let read = match &value.kind {
            ExprKind::Constant(it @ Value::Text(_)) => read(it),
            ExprKind::Constant(Value::List(items)) if value.ty == Type::Keyword => {
                items.iter().map(read).collect::<Result<Vec<_>, _>>().map(Value::List)
            }
            ExprKind::Constant(_) | ExprKind::Column(_) | ExprKind::Call { .. } | ExprKind::Search(_) => {
                return Some(value);
            }
        };
        match read {
            Ok(read) => Some(constant(read, ty, span)),
            Err(text) => {
                self.error(CheckErrorKind::Literal { text, ty }, span);
                None
            }
        }
    }

    /// A value that can be computed with.
    pub(super) fn value(&mut self, value: Expr) -> Option<Expr> {
        if !matches!(value.ty, Type::Unsupported | Type::Source) {
            return Some(value);
        }
        let stored = match &value.kind {
            ExprKind::Column(slot) => self.stored_as(*slot),
            ExprKind::Constant(_) | ExprKind::Call { .. } | ExprKind::Search(_) => value.ty.to_string(),
        };
        let name = self.text[value.span.range()].to_owned();
        self.error(CheckErrorKind::UnsupportedType { name, stored }, value.span);
        None
    }

    fn string(&mut self, value: Expr, function: &'static str) -> Option<Expr> {
        let value = self.value(value)?;
        if value.ty.is_string() || value.ty == Type::Null {
            return Some(value);
        }
        if !self.wish(&value, Type::Keyword) {
            let (argument, expected) = ("left side".to_owned(), "a text".to_owned());
            self.error(
                CheckErrorKind::ArgumentType { function, argument, expected, found: value.ty },
                value.span,
            );
        }
        None
    }

    fn is_pattern(&mut self, kind: LikeKind, pattern: &ast::Text) -> bool {
        match kind {
            LikeKind::Like => {
                let mut chars = pattern.text.chars();
                while let Some(it) = chars.next() {
                    if it == '\\' && !matches!(chars.next(), Some('*' | '?' | '\\')) {
                        self.error(CheckErrorKind::LikeEscape, pattern.span);
                        return false;
                    }
                }
                true
            }
            LikeKind::RLike => match plan::Regexp::new(&pattern.text, None, false) {
                Ok(_) => true,
                Err(error) => {
                    self.error(CheckErrorKind::Pattern(error.to_string()), pattern.span);
                    false
                }
            },
        }
    }

    fn arithmetic(&mut self, left: Expr, op: ArithmeticOp, right: Expr, span: Span) -> Option<Expr> {
        let (left, right) = (self.value(left)?, self.value(right)?);
        let function = match op {
            ArithmeticOp::Add => Function::Add,
            ArithmeticOp::Subtract => Function::Subtract,
            ArithmeticOp::Multiply => Function::Multiply,
            ArithmeticOp::Divide => Function::Divide,
            ArithmeticOp::Modulo => Function::Modulo,
        };
        let is_sum = matches!(op, ArithmeticOp::Add | ArithmeticOp::Subtract);
        // A text next to a length of time is a date.
        let left = if is_sum && right.ty.is_span() { self.read_as(left, Type::Datetime)? } else { left };
        let right = if op == ArithmeticOp::Add && left.ty.is_span() {
            self.read_as(right, Type::Datetime)?
        } else {
            right
        };
        let (a, b) = (left.ty, right.ty);
        // A choice of lengths of time is a choice of sums.
        if is_sum
            && a.is_date()
            && b.is_span()
            && let ExprKind::Call { function: Function::Case, arguments, .. } = right.kind
        {
            let count = arguments.len();
            let mut sums = Vec::with_capacity(count);
            for (at, it) in arguments.into_iter().enumerate() {
                let is_value = at % 2 == 1 || at + 1 == count;
                sums.push(if is_value { self.arithmetic(left.clone(), op, it, span)? } else { it });
            }
            return Some(call(Function::Case, sums, a, span));
        }
        let is_null = |it: Type| it == Type::Null;
        let ty = match (a, b) {
            (a, b) if is_sum && a.is_span() && b.is_span() => return self.spans(&left, op, &right, span),
            (a, b) if is_sum && a.is_date() && (b.is_span() || is_null(b)) => a,
            (a, b) if op == ArithmeticOp::Add && b.is_date() && (a.is_span() || is_null(a)) => b,
            (a, b) if is_sum && (is_null(a) && b.is_span() || a.is_span() && is_null(b)) => Type::Datetime,
            (a, b) if is_null(a) && (b.is_numeric() || is_null(b)) => b,
            (a, b) if a.is_numeric() && is_null(b) => a,
            (a, b) if a.is_numeric() && b.is_numeric() => {
                let widest = a.widest(b);
                if widest.is_none() {
                    self.error(CheckErrorKind::Unsigned { left: a, right: b }, span);
                }
                widest?
            }
            (a, b) => {
                let mut is_guessed = a.is_string() && self.wish(&left, beside(b));
                is_guessed |= b.is_string() && self.wish(&right, beside(a));
                if !is_guessed {
                    self.error(CheckErrorKind::Operands { operator: op.as_str(), left: a, right: b }, span);
                }
                return None;
            }
        };
        Some(call(function, vec![left, right], ty, span))
    }

    /// Lengths of time are constants, and added at once.
    fn spans(&mut self, left: &Expr, op: ArithmeticOp, right: &Expr, span: Span) -> Option<Expr> {
        let sign = if op == ArithmeticOp::Add { 1 } else { -1 };
        let added = |a: i64, b: i64| b.checked_mul(sign).and_then(|b| a.checked_add(b));
        let sum = match (&left.kind, &right.kind) {
            (
                ExprKind::Constant(Value::Period { months, days }),
                ExprKind::Constant(Value::Period { months: more_months, days: more_days }),
            ) => added(*months, *more_months)
                .zip(added(*days, *more_days))
                .map(|(months, days)| Value::Period { months, days }),
            (ExprKind::Constant(Value::Duration(a)), ExprKind::Constant(Value::Duration(b))) => {
                added(*a, *b).map(Value::Duration)
            }
            _ => None,
        };
        if sum.is_none() {
            self.error(CheckErrorKind::Spans { left: left.ty, right: right.ty }, span);
        }
        sum.map(|it| constant(it, left.ty, span))
    }

    fn negate(&mut self, inner: Expr, span: Span) -> Option<Expr> {
        let inner = self.value(inner)?;
        let folded = match &inner.kind {
            ExprKind::Constant(Value::Period { months, days }) => months
                .checked_neg()
                .zip(days.checked_neg())
                .map(|(months, days)| Value::Period { months, days }),
            ExprKind::Constant(Value::Duration(it)) => it.checked_neg().map(Value::Duration),
            _ => None,
        };
        if let Some(folded) = folded {
            return Some(constant(folded, inner.ty, span));
        }
        if inner.ty.is_numeric() && inner.ty != Type::UnsignedLong || inner.ty == Type::Null {
            let ty = inner.ty;
            return Some(call(Function::Negate, vec![inner], ty, span));
        }
        if !self.wish(&inner, Type::Long) {
            let (argument, expected) = ("right side".to_owned(), "a number".to_owned());
            self.error(
                CheckErrorKind::ArgumentType { function: "-", argument, expected, found: inner.ty },
                span,
            );
        }
        None
    }
}

/// The type of a field that is added to a value of this one.
fn beside(ty: Type) -> Type {
    match ty {
        Type::DatePeriod | Type::TimeDuration => Type::Datetime,
        Type::Double | Type::UnsignedLong => ty,
        _ => Type::Long,
    }
}

/// The type of a field that stands next to a value of this one.
fn guess(ty: Type) -> Type {
    match ty {
        Type::Integer => Type::Long,
        Type::Text => Type::Keyword,
        other => other,
    }
}

pub(super) fn call(function: Function, arguments: Vec<Expr>, ty: Type, span: Span) -> Expr {
    Expr { kind: ExprKind::Call { function, arguments, options: Vec::new() }, ty, span }
}

pub(super) fn constant(value: Value, ty: Type, span: Span) -> Expr {
    Expr { kind: ExprKind::Constant(value), ty, span }
}

fn negation(expr: Expr, negated: bool) -> Expr {
    if !negated {
        return expr;
    }
    let span = expr.span;
    call(Function::Not, vec![expr], Type::Boolean, span)
}
