//! Expressions that compute with values.

use plan::Wildcard;
use plan::value::{Case, Datum, Function, JavaRegexp, Like, Named, Operand, Operands, ValueExpr};
use span::Span;

use super::{CheckErrorKind, Found, Lowering, Wrong};
use crate::ast::{ArithmeticOp, CompareOp, Constant, Expr, ExprKind, Literal, MatchOp};

impl Literal {
    pub(super) fn datum(&self) -> Datum<'static> {
        match self {
            Self::Null => Datum::Null,
            Self::Bool(it) => Datum::Bool(*it),
            Self::Integer(it) => Datum::Int(*it),
            Self::Float(it) => Datum::double(*it),
            Self::Text(it) => Datum::text(it.clone()),
        }
    }
}

impl Lowering<'_> {
    /// Recurses as deep as the tree, which the parser bounds.
    pub(super) fn value(&mut self, expr: &Expr, operands: &mut Operands) -> Result<ValueExpr, Wrong> {
        let span = expr.span;
        match &expr.kind {
            ExprKind::Constant(literal) => Ok(ValueExpr::Const(literal.datum())),
            ExprKind::Field(field) => Ok(match self.field(field)? {
                Found::Null => ValueExpr::Const(Datum::Null),
                Found::Field(field) => match Operand::named(&field.text_path, self.catalog) {
                    Named::Operand(operand) => operands.value(operand),
                    Named::Constant(datum) => ValueExpr::Const(datum),
                    Named::Nothing => ValueExpr::Const(Datum::Null),
                },
            }),
            ExprKind::And(all) => self.joined(Function::And, all, span, operands),
            ExprKind::Or(any) => self.joined(Function::Or, any, span, operands),
            ExprKind::Not(inner) => self.joined(Function::Not, std::slice::from_ref(inner), span, operands),
            ExprKind::Negate(inner) => {
                self.joined(Function::Negate, std::slice::from_ref(inner), span, operands)
            }
            ExprKind::Arithmetic { left, op, right } => {
                let function = match op {
                    ArithmeticOp::Add => Function::Add,
                    ArithmeticOp::Subtract => Function::Subtract,
                    ArithmeticOp::Multiply => Function::Multiply,
                    ArithmeticOp::Divide => Function::Divide,
                    ArithmeticOp::Modulo => Function::Modulo,
                };
                let (before, after) = (self.value(left, operands), self.value(right, operands));
                self.call(function, vec![before?, after?], &[left.span, right.span, span])
            }
            ExprKind::Compare { left, op, right } => self.comparison(left, *op, right, span, operands),
            ExprKind::In { value, negated, fold, list } => {
                let case = if *fold { Case::Ignored } else { Case::Exact };
                let mut arguments = vec![self.value(value, operands)?];
                for it in list {
                    let other = self.value(it, operands)?;
                    if !other.is_constant() {
                        return Err(self.fail(CheckErrorKind::NotConstant, it.span));
                    }
                    arguments.push(other);
                }
                let mut spans = vec![value.span];
                spans.extend(list.iter().map(|it| it.span).chain([span]));
                let found = self.call(Function::OneOf(case), arguments, &spans)?;
                if *negated { self.call(Function::Not, vec![found], &[span]) } else { Ok(found) }
            }
            ExprKind::Match { value, op, patterns } => self.fits(value, *op, patterns, span, operands),
            ExprKind::Call { function, fold, arguments, name } => {
                self.named_call((function, name.0), *fold, arguments, span, operands)
            }
        }
    }

    pub(super) fn values(
        &mut self,
        parts: &[Expr],
        operands: &mut Operands,
    ) -> Result<Vec<ValueExpr>, Wrong> {
        let values: Vec<_> = parts.iter().map(|it| self.value(it, operands)).collect();
        values.into_iter().collect()
    }

    fn joined(
        &mut self,
        function: Function,
        parts: &[Expr],
        span: Span,
        operands: &mut Operands,
    ) -> Result<ValueExpr, Wrong> {
        let values = self.values(parts, operands)?;
        let spans: Vec<Span> = parts.iter().map(|it| it.span).chain([span]).collect();
        self.call(function, values, &spans)
    }

    /// One side has to be constant, as for Elasticsearch.
    pub(super) fn comparison(
        &mut self,
        left: &Expr,
        op: CompareOp,
        right: &Expr,
        span: Span,
        operands: &mut Operands,
    ) -> Result<ValueExpr, Wrong> {
        let (before, after) = (self.value(left, operands), self.value(right, operands));
        let (before, after) = (before?, after?);
        if !before.is_constant() && !after.is_constant() {
            return Err(self.fail(CheckErrorKind::NotConstant, span));
        }
        let null = ValueExpr::Const(Datum::Null);
        let (function, is_negated) = match op {
            CompareOp::Equal => (Function::Equals, false),
            CompareOp::NotEqual => (Function::Equals, true),
            CompareOp::Less => (Function::Less, false),
            CompareOp::LessOrEqual => (Function::LessOrEqual, false),
            CompareOp::Greater => (Function::Greater, false),
            CompareOp::GreaterOrEqual => (Function::GreaterOrEqual, false),
        };
        let equals = match (function, before, after) {
            (Function::Equals, it, other) | (Function::Equals, other, it) if other == null => {
                self.is_null(it, span)?
            }
            (function, before, after) => {
                self.call(function, vec![before, after], &[left.span, right.span, span])?
            }
        };
        if is_negated { self.call(Function::Not, vec![equals], &[span]) } else { Ok(equals) }
    }

    /// A value against patterns.
    fn fits(
        &mut self,
        value: &Expr,
        op: MatchOp,
        patterns: &[Constant],
        span: Span,
        operands: &mut Operands,
    ) -> Result<ValueExpr, Wrong> {
        let found = self.value(value, operands)?;
        let (mut wildcards, mut regexps, mut any) = (Vec::new(), Vec::new(), Vec::new());
        for Constant { value: literal, span: at } in patterns {
            match (literal, op) {
                (Literal::Text(text), MatchOp::Regex | MatchOp::RegexFold) => {
                    match JavaRegexp::new(text, op.folds()) {
                        Ok(regexp) => regexps.push(regexp),
                        Err(error) => {
                            let value = text.clone();
                            return Err(self.fail(CheckErrorKind::Regexp { value, error }, *at));
                        }
                    }
                }
                (Literal::Text(text), _) => wildcards.push(Wildcard::without_escapes(text, false)),
                (literal, _) => {
                    let other = ValueExpr::Const(literal.datum());
                    any.push(self.call(
                        Function::Equals,
                        vec![found.clone(), other],
                        &[value.span, *at, span],
                    )?);
                }
            }
        }
        if !wildcards.is_empty() {
            let case = if op.folds() { Case::Ignored } else { Case::Exact };
            let like = Function::Like(Like::new(wildcards, case));
            any.push(self.call(like, vec![found.clone()], &[value.span, span])?);
        }
        if !regexps.is_empty() {
            any.push(self.call(Function::Matches(regexps), vec![found], &[value.span, span])?);
        }
        match any.len() {
            1 => Ok(any.swap_remove(0)),
            _ => self.call(Function::Or, any, &[span]),
        }
    }
}
