//! Questions that a field answers by itself.

use plan::{Leaf, LeafKind, Literal as Value, RangeBounds};
use span::Span;

use super::{CheckErrorKind, Field, Kind, Lowering, Truth};
use crate::ast::{CompareOp, Constant, Expr, ExprKind, Literal, MatchOp};

/// One side of a comparison.
enum Side {
    Constant(Literal),
    Field(Field),
    Computed,
}

impl Lowering<'_> {
    /// What has no `and`, `or` or `not` at its top.
    pub(super) fn leaf(&mut self, expr: &Expr) -> Truth {
        let span = expr.span;
        match &expr.kind {
            ExprKind::Field(field) => match self.field(field) {
                Some(field) => {
                    if !matches!(field.kind, Kind::Bool | Kind::Any) {
                        self.fail(CheckErrorKind::NotBoolean { kind: field.kind.name() }, span);
                    }
                    self.equal(&field, &Literal::Bool(true), span)
                }
                None => Truth::Known(None),
            },
            ExprKind::Constant(literal) => {
                self.fail(CheckErrorKind::NotBoolean { kind: literal.kind().name() }, span);
                Truth::never()
            }
            ExprKind::Compare { left, op, right } => self.compare(left, *op, right, span),
            ExprKind::In { value, negated, fold, list } => {
                let truth = self.one_of(value, *fold, list);
                if *negated { truth.negate() } else { truth }
            }
            ExprKind::Match { value, op, patterns } => match self.side(value) {
                Side::Field(field) => self.matched(&field, *op, patterns),
                Side::Constant(Literal::Null) => Truth::Known(None),
                Side::Constant(_) | Side::Computed => self.computed(span),
            },
            ExprKind::Call { .. } | ExprKind::Arithmetic { .. } | ExprKind::Negate(_) => self.computed(span),
            ExprKind::Or(_) | ExprKind::And(_) | ExprKind::Not(_) => self.truth(expr),
        }
    }

    fn computed(&mut self, span: Span) -> Truth {
        self.fail(CheckErrorKind::Computed, span);
        Truth::never()
    }

    fn side(&mut self, expr: &Expr) -> Side {
        match &expr.kind {
            ExprKind::Constant(literal) => Side::Constant(literal.clone()),
            ExprKind::Field(field) => self.field(field).map_or(Side::Constant(Literal::Null), Side::Field),
            _ => Side::Computed,
        }
    }

    fn compare(&mut self, left: &Expr, op: CompareOp, right: &Expr, span: Span) -> Truth {
        match (self.side(left), self.side(right)) {
            (Side::Field(field), Side::Constant(literal)) => self.bound(&field, op, &literal, right.span),
            (Side::Constant(literal), Side::Field(field)) => {
                self.bound(&field, op.swapped(), &literal, left.span)
            }
            (Side::Field(_), Side::Field(_)) => {
                self.fail(CheckErrorKind::NotConstant, span);
                Truth::never()
            }
            _ => self.computed(span),
        }
    }

    /// A field against a constant.
    fn bound(&mut self, field: &Field, op: CompareOp, literal: &Literal, span: Span) -> Truth {
        let Some(value) = literal.value() else {
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
            CompareOp::Equal => return self.equal(field, literal, span),
            CompareOp::NotEqual => return self.equal(field, literal, span).negate(),
            CompareOp::Less => bounds.lt = Some(value),
            CompareOp::LessOrEqual => bounds.lte = Some(value),
            CompareOp::Greater => bounds.gt = Some(value),
            CompareOp::GreaterOrEqual => bounds.gte = Some(value),
        }
        self.asked(field, literal, LeafKind::Range(bounds), span)
    }

    fn equal(&mut self, field: &Field, literal: &Literal, span: Span) -> Truth {
        match literal.value() {
            None => Truth::Known(None),
            Some(value) => {
                self.asked(field, literal, LeafKind::Term { value, case_insensitive: false }, span)
            }
        }
    }

    fn one_of(&mut self, value: &Expr, fold: bool, list: &[Expr]) -> Truth {
        let field = match self.side(value) {
            Side::Field(field) => field,
            Side::Constant(Literal::Null) => return Truth::Known(None),
            Side::Constant(_) | Side::Computed => return self.computed(value.span),
        };
        let mut any = Vec::new();
        for it in list {
            match self.side(it) {
                Side::Constant(Literal::Text(text)) if fold => {
                    let kind = LeafKind::Term { value: Value::Text(text.clone()), case_insensitive: true };
                    any.push(self.asked(&field, &Literal::Text(text), kind, it.span));
                }
                Side::Constant(literal) => any.push(self.equal(&field, &literal, it.span)),
                Side::Field(_) => self.fail(CheckErrorKind::NotConstant, it.span),
                Side::Computed => any.push(self.computed(it.span)),
            }
        }
        Truth::any(any)
    }

    fn matched(&mut self, field: &Field, op: MatchOp, patterns: &[Constant]) -> Truth {
        let any = patterns.iter().map(|Constant { value, span }| match value {
            Literal::Text(text) => {
                let fold = op.folds();
                let kind = match op {
                    MatchOp::Regex | MatchOp::RegexFold => {
                        LeafKind::Regexp { value: text.clone(), flags: None, case_insensitive: fold }
                    }
                    MatchOp::Colon | MatchOp::Like | MatchOp::LikeFold if text.contains(['*', '?']) => {
                        // A backslash is a character like any other.
                        LeafKind::Wildcard { value: text.replace('\\', "\\\\"), case_insensitive: fold }
                    }
                    MatchOp::Colon | MatchOp::Like | MatchOp::LikeFold => {
                        LeafKind::Term { value: Value::Text(text.clone()), case_insensitive: fold }
                    }
                };
                self.asked(field, value, kind, *span)
            }
            literal => self.equal(field, literal, *span),
        });
        let any = any.collect();
        Truth::any(any)
    }

    fn asked(&mut self, field: &Field, literal: &Literal, kind: LeafKind, span: Span) -> Truth {
        let path = match literal {
            Literal::Text(_) => &field.text_path,
            Literal::Null | Literal::Bool(_) | Literal::Integer(_) | Literal::Float(_) => &field.path,
        };
        Truth::asked(self.ask(Leaf { field: Some(path.clone()), kind, span: Some(span) }))
    }
}

impl Literal {
    /// As questions have it; null is none.
    fn value(&self) -> Option<Value> {
        Some(match self {
            Self::Null => return None,
            Self::Bool(it) => Value::Bool(*it),
            Self::Integer(it) => Value::Number(it.to_string()),
            Self::Float(it) => Value::Number(format!("{it:?}")),
            Self::Text(it) => Value::Text(it.clone()),
        })
    }

    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::Null => Kind::Any,
            Self::Bool(_) => Kind::Bool,
            Self::Integer(_) => Kind::Whole,
            Self::Float(_) => Kind::Float,
            Self::Text(_) => Kind::Text,
        }
    }
}
