//! Trees to conditions.
//!
//! A condition is cut at its `and`, `or` and `not` into leaves, each of which is answered yes or no by itself: some
//! choice of values of the fields in it makes it true. What is constant is computed before, with null as a third truth
//! value; a leaf that is null counts as no.
//!
//! A leaf that compares one field with constants is a question to an index, as Elasticsearch asks it (`leaf`, `search`); any
//! other computes with values (`value`). Where the two differ, as in what `stringContains` looks for, it matters which of
//! them a leaf is.

mod call;
mod error;
mod field;
mod leaf;
mod search;
mod value;

use ecs::Catalog;
use plan::{Condition, Expr as Asked, LowerError, Query};
use span::Diagnostic;

use crate::ast::{Expr, ExprKind, Literal};
pub(crate) use error::{CheckError, CheckErrorKind};
pub(crate) use field::{Field, Found};

pub(crate) struct Lowering<'a> {
    catalog: &'a Catalog,
    pub(crate) errors: Vec<Diagnostic>,
}

/// That an error was noted, and the expression goes on with something that is never used.
pub(crate) struct Wrong;

/// What a condition is, or a part of one.
pub(crate) enum Truth {
    /// The same of every event; `None` is null.
    Known(Option<bool>),
    /// It depends on the event.
    Asked(Box<Condition>),
}

impl Truth {
    fn asked(condition: Condition) -> Self {
        Self::Asked(Box::new(condition))
    }

    fn negate(self) -> Self {
        match self {
            Self::Known(known) => Self::Known(known.map(|it| !it)),
            Self::Asked(condition) => Self::asked(condition.negate()),
        }
    }

    /// Any of them.
    fn any(parts: Vec<Self>) -> Self {
        Self::combine(parts, false)
    }

    /// `and` if `all`, else `or`.
    fn combine(parts: Vec<Self>, all: bool) -> Self {
        let mut asked = Vec::new();
        let mut has_null = false;
        for part in parts {
            match part {
                // This one decides.
                Self::Known(Some(known)) if known != all => return Self::Known(Some(known)),
                Self::Known(Some(_)) => {}
                Self::Known(None) => has_null = true,
                Self::Asked(condition) => asked.push(*condition),
            }
        }
        match (asked.is_empty(), has_null, all) {
            (true, true, _) => Self::Known(None),
            (true, false, _) => Self::Known(Some(all)),
            // Beside leaves, null is one that says no.
            (false, true, true) => Self::Known(Some(false)),
            (false, false, true) => Self::asked(Condition::all_of(asked)),
            (false, _, false) => Self::asked(Condition::any_of(asked)),
        }
    }

    fn condition(self) -> Condition {
        match self {
            Self::Known(known) => Asked::Const(known == Some(true)).into(),
            Self::Asked(condition) => *condition,
        }
    }
}

impl<'a> Lowering<'a> {
    pub(crate) fn new(catalog: &'a Catalog) -> Self {
        Self { catalog, errors: Vec::new() }
    }

    /// What holds of an event.
    pub(crate) fn condition(&mut self, expr: &Expr) -> Condition {
        self.truth(expr).condition()
    }

    /// Recurses as deep as the tree, which the parser bounds.
    fn truth(&mut self, expr: &Expr) -> Truth {
        match &expr.kind {
            ExprKind::And(all) => Truth::combine(self.truths(all), true),
            ExprKind::Or(any) => Truth::combine(self.truths(any), false),
            ExprKind::Not(inner) => self.truth(inner).negate(),
            ExprKind::Constant(Literal::Bool(it)) => Truth::Known(Some(*it)),
            ExprKind::Constant(Literal::Null) => Truth::Known(None),
            ExprKind::Compare { .. }
            | ExprKind::In { .. }
            | ExprKind::Match { .. }
            | ExprKind::Arithmetic { .. }
            | ExprKind::Negate(_)
            | ExprKind::Constant(_)
            | ExprKind::Field(_)
            | ExprKind::Call { .. } => self.leaf(expr).unwrap_or(Truth::Known(Some(false))),
        }
    }

    fn truths(&mut self, parts: &[Expr]) -> Vec<Truth> {
        parts.iter().map(|it| self.truth(it)).collect()
    }

    /// What a question about one field is.
    pub(crate) fn ask(&mut self, leaf: plan::Leaf) -> Condition {
        match plan::condition(&Query::Leaf(leaf), self.catalog) {
            Ok(condition) => condition,
            Err(errors) => {
                self.errors.extend(errors.iter().map(LowerError::diagnostic));
                Asked::Const(false).into()
            }
        }
    }

    fn fail(&mut self, kind: CheckErrorKind, span: span::Span) -> Wrong {
        self.errors.push(CheckError { kind, span }.to_diagnostic());
        Wrong
    }
}
