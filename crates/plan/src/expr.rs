//! What a query means once the field types are known.

use ecs::Shape;

use crate::Test;
use crate::value::{Measure, Relation};

/// A boolean expression over one document. Negation is complement: there is no third truth value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Expr {
    /// Always or never.
    Const(bool),
    /// All of them; empty is true.
    And(Vec<Expr>),
    /// Any of them; empty is false.
    Or(Vec<Expr>),
    /// Not it.
    Not(Box<Expr>),
    /// A question about one field.
    Is(Predicate),
    /// A question about the values of several fields at once.
    Relates(Relation),
}

/// A yes/no question about the values of one field: true if any one value satisfies the test.
///
/// Pure data, so that equal predicates of many rules are found and evaluated once.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Predicate {
    /// The path; `_id` and `_index` are paths too.
    pub path: String,
    /// How the values are laid out.
    pub shape: Shape,
    /// The question about one value.
    pub test: Test,
}

impl Expr {
    /// All questions about one field in it, in order, repeats included; not those inside of nested ones.
    pub fn predicates(&self) -> Vec<&Predicate> {
        let mut found = Vec::new();
        self.visit(&mut |question| match question {
            Question::Predicate(predicate) => found.push(predicate),
            Question::Relation(_) => {}
        });
        found
    }

    /// What has to be known of a document to evaluate it; sorted, each once.
    pub fn paths(&self) -> Vec<(&str, Shape)> {
        let mut paths = Vec::new();
        self.visit(&mut |question| match question {
            Question::Predicate(predicate) => paths.push((predicate.path.as_str(), predicate.shape)),
            Question::Relation(relation) => paths.extend(relation.paths()),
        });
        paths.sort_unstable();
        paths.dedup();
        paths
    }

    pub(crate) fn visit<'a>(&'a self, found: &mut impl FnMut(Question<'a>)) {
        match self {
            Self::Const(_) => {}
            Self::And(clauses) | Self::Or(clauses) => clauses.iter().for_each(|it| it.visit(found)),
            Self::Not(inner) => inner.visit(found),
            Self::Is(predicate) => found(Question::Predicate(predicate)),
            Self::Relates(relation) => found(Question::Relation(relation)),
        }
    }
}

/// What an expression asks of a document.
pub(crate) enum Question<'a> {
    Predicate(&'a Predicate),
    Relation(&'a Relation),
}

impl Question<'_> {
    /// What it computes.
    pub(crate) fn measures(&self) -> Vec<Measure> {
        match self {
            Self::Predicate(predicate) => predicate.measures(),
            Self::Relation(relation) => relation.measures(),
        }
    }
}
