//! Evaluation on one document: slow, obvious, and the authority for what is fast.

use ecs::{Object, document};

use crate::value::Relation;
use crate::{Expr, Matcher, Predicate};

/// Whether the document satisfies the expression. Its `_id` and `_index` are keys of the document.
pub fn matches(expr: &Expr, document: &Object) -> bool {
    Evaluator::new(expr).matches(document)
}

/// An expression ready to be evaluated on documents.
#[derive(Debug)]
pub struct Evaluator(Node);

#[derive(Debug)]
enum Node {
    Const(bool),
    And(Vec<Node>),
    Or(Vec<Node>),
    Not(Box<Node>),
    Is(Predicate, Matcher),
    Relates(Relation),
}

impl Evaluator {
    /// Compiles every test of the expression.
    pub fn new(expr: &Expr) -> Self {
        Self(Node::new(expr))
    }

    /// Whether the document satisfies the expression.
    pub fn matches(&self, document: &Object) -> bool {
        self.0.matches(document)
    }
}

impl Node {
    fn new(expr: &Expr) -> Self {
        match expr {
            Expr::Const(value) => Self::Const(*value),
            Expr::And(all) => Self::And(all.iter().map(Self::new).collect()),
            Expr::Or(any) => Self::Or(any.iter().map(Self::new).collect()),
            Expr::Not(inner) => Self::Not(Box::new(Self::new(inner))),
            Expr::Is(predicate) => Self::Is(predicate.clone(), predicate.test.compile()),
            Expr::Relates(relation) => Self::Relates(relation.clone()),
        }
    }

    fn matches(&self, object: &Object) -> bool {
        match self {
            Self::Const(value) => *value,
            Self::And(all) => all.iter().all(|it| it.matches(object)),
            Self::Or(any) => any.iter().any(|it| it.matches(object)),
            Self::Not(inner) => !inner.matches(object),
            Self::Is(predicate, matcher) => {
                let mut found = false;
                document::values(object, &predicate.path, predicate.shape, |value| {
                    found = found || matcher.matches(value);
                });
                found
            }
            Self::Relates(relation) => relation.matches(object),
        }
    }
}
