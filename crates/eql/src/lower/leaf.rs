//! What has no `and`, `or` or `not` at its top.

use plan::value::{Datum, Function, Operands, Type, ValueExpr};
use plan::{Condition, Expr as Asked, Leaf, LeafKind, RangeBounds};
use span::Span;

use super::search::literal;
use super::{CheckErrorKind, Field, Found, Lowering, Truth, Wrong};
use crate::ast::{CompareOp, Expr, ExprKind, Literal};

/// One side of a comparison.
pub(super) enum Side {
    /// The same in every event.
    Constant(Datum<'static>),
    /// A field as it is.
    Field(Field),
    /// Anything else.
    Computed,
}

impl Lowering<'_> {
    pub(super) fn leaf(&mut self, expr: &Expr) -> Result<Truth, Wrong> {
        match &expr.kind {
            ExprKind::Field(field) => match self.field(field)? {
                Found::Field(field) if matches!(field.ty, Type::Bool | Type::Any | Type::Null) => {
                    Ok(self.equal(&field, &Datum::Bool(true), expr.span))
                }
                Found::Field(field) => Err(self.fail(CheckErrorKind::NotBoolean { ty: field.ty }, expr.span)),
                Found::Null => Ok(Truth::Known(None)),
            },
            ExprKind::Compare { left, op, right } => self.compare(expr, left, *op, right),
            ExprKind::In { value, negated, fold, list } => {
                let truth = match self.side(value)? {
                    Side::Field(field) => self.one_of(&field, *fold, list),
                    Side::Constant(_) | Side::Computed => {
                        let plain = ExprKind::In {
                            value: value.clone(),
                            negated: false,
                            fold: *fold,
                            list: list.clone(),
                        };
                        self.computed(&Expr { kind: plain, span: expr.span })
                    }
                }?;
                Ok(if *negated { truth.negate() } else { truth })
            }
            ExprKind::Match { value, op, patterns } => match self.side(value)? {
                Side::Field(field) => Ok(self.matched(&field, *op, patterns)),
                Side::Constant(_) | Side::Computed => self.computed(expr),
            },
            ExprKind::Call { function, fold, arguments, .. } => {
                match self.searched(function, *fold, arguments)? {
                    Some(truth) => Ok(truth),
                    None => self.computed(expr),
                }
            }
            ExprKind::Or(_)
            | ExprKind::And(_)
            | ExprKind::Not(_)
            | ExprKind::Arithmetic { .. }
            | ExprKind::Negate(_)
            | ExprKind::Constant(_) => self.computed(expr),
        }
    }

    /// Some choice of values makes it true.
    fn computed(&mut self, expr: &Expr) -> Result<Truth, Wrong> {
        let mut operands = Operands::default();
        let value = self.value(expr, &mut operands)?;
        self.some_choice(&operands, value, expr.span)
    }

    fn some_choice(&mut self, operands: &Operands, value: ValueExpr, span: Span) -> Result<Truth, Wrong> {
        match value {
            ValueExpr::Const(Datum::Bool(known)) => Ok(Truth::Known(Some(known))),
            ValueExpr::Const(Datum::Null) => Ok(Truth::Known(None)),
            value if matches!(value.ty(), Type::Bool | Type::Any) => {
                Ok(Truth::asked(Condition::from(Asked::some(operands.as_slice(), value))))
            }
            value => Err(self.fail(CheckErrorKind::NotBoolean { ty: value.ty() }, span)),
        }
    }

    pub(super) fn side(&mut self, expr: &Expr) -> Result<Side, Wrong> {
        if let ExprKind::Field(field) = &expr.kind {
            return Ok(match self.field(field)? {
                Found::Field(field) => Side::Field(field),
                Found::Null => Side::Constant(Datum::Null),
            });
        }
        // What is wrong with it is noted when it is built.
        let count = self.errors.len();
        let value = self.value(expr, &mut Operands::default());
        Ok(match value {
            Ok(ValueExpr::Const(datum)) => Side::Constant(datum),
            Ok(ValueExpr::Field(..) | ValueExpr::Call(..)) => Side::Computed,
            Err(wrong) => {
                debug_assert!(self.errors.len() > count, "whoever says so has noted why");
                return Err(wrong);
            }
        })
    }

    fn compare(&mut self, expr: &Expr, left: &Expr, op: CompareOp, right: &Expr) -> Result<Truth, Wrong> {
        let is_equality = matches!(op, CompareOp::Equal | CompareOp::NotEqual);
        let negated = |truth: Truth| if op == CompareOp::NotEqual { truth.negate() } else { truth };
        match (self.side(left)?, self.side(right)?) {
            (Side::Field(field), Side::Constant(datum)) => Ok(self.bound(&field, op, &datum, right.span)),
            (Side::Constant(datum), Side::Field(field)) => {
                Ok(self.bound(&field, op.swapped(), &datum, left.span))
            }
            (Side::Computed, Side::Constant(Datum::Bool(truth))) if is_equality && is_condition(left) => {
                let found = self.truth(left);
                Ok(negated(if truth { found } else { found.negate() }))
            }
            (Side::Constant(Datum::Bool(truth)), Side::Computed) if is_equality && is_condition(right) => {
                let found = self.truth(right);
                Ok(negated(if truth { found } else { found.negate() }))
            }
            (Side::Field(_) | Side::Computed, Side::Field(_) | Side::Computed) => {
                Err(self.fail(CheckErrorKind::NotConstant, expr.span))
            }
            (Side::Constant(_) | Side::Computed, Side::Constant(_) | Side::Computed) => {
                // `!=` is the complement of `==`, whatever values there are.
                let op = if op == CompareOp::NotEqual { CompareOp::Equal } else { op };
                let mut operands = Operands::default();
                let value = self.comparison(left, op, right, expr.span, &mut operands)?;
                Ok(negated(self.some_choice(&operands, value, expr.span)?))
            }
        }
    }

    /// A field against a constant.
    fn bound(&mut self, field: &Field, op: CompareOp, datum: &Datum<'static>, span: Span) -> Truth {
        let Some(value) = literal(datum) else {
            let exists = Leaf { field: Some(field.path.clone()), kind: LeafKind::Exists, span: Some(span) };
            return match op {
                CompareOp::Equal => Truth::asked(self.ask(exists).negate()),
                CompareOp::NotEqual => Truth::asked(self.ask(exists)),
                CompareOp::Less | CompareOp::LessOrEqual | CompareOp::Greater | CompareOp::GreaterOrEqual => {
                    Truth::Known(None)
                }
            };
        };
        let mut bounds = RangeBounds::default();
        match op {
            CompareOp::Equal => return self.equal(field, datum, span),
            CompareOp::NotEqual => return self.equal(field, datum, span).negate(),
            CompareOp::Less => bounds.lt = Some(value),
            CompareOp::LessOrEqual => bounds.lte = Some(value),
            CompareOp::Greater => bounds.gt = Some(value),
            CompareOp::GreaterOrEqual => bounds.gte = Some(value),
        }
        self.search(field, datum, LeafKind::Range(bounds), span)
    }

    /// Whether a value is null, of something that is computed.
    pub(super) fn is_null(&mut self, value: ValueExpr, span: Span) -> Result<ValueExpr, Wrong> {
        self.call(Function::IsNull, vec![value], &[span])
    }
}

/// Whether it says yes or no by itself, so that `== true` adds nothing.
fn is_condition(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Or(_)
        | ExprKind::And(_)
        | ExprKind::Not(_)
        | ExprKind::Compare { .. }
        | ExprKind::In { .. }
        | ExprKind::Match { .. }
        | ExprKind::Constant(Literal::Bool(_)) => true,
        ExprKind::Call { function, .. } => super::call::is_condition(function),
        ExprKind::Constant(_) | ExprKind::Field(_) | ExprKind::Arithmetic { .. } | ExprKind::Negate(_) => {
            false
        }
    }
}
