//! What a query means once the field types are known.

use ecs::Shape;

use crate::Test;

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
    /// All questions in it, in order, repeats included; not those inside of nested ones.
    pub fn predicates(&self) -> Vec<&Predicate> {
        let mut found = Vec::new();
        self.visit(&mut |predicate| found.push(predicate));
        found
    }

    /// What has to be known of a document to evaluate it; sorted, each once.
    pub fn paths(&self) -> Vec<(&str, Shape)> {
        let mut paths: Vec<_> = self.predicates().iter().map(|it| (it.path.as_str(), it.shape)).collect();
        paths.sort_unstable();
        paths.dedup();
        paths
    }

    fn visit<'a>(&'a self, found: &mut impl FnMut(&'a Predicate)) {
        match self {
            Self::Const(_) => {}
            Self::And(clauses) | Self::Or(clauses) => clauses.iter().for_each(|it| it.visit(found)),
            Self::Not(inner) => inner.visit(found),
            Self::Is(predicate) => found(predicate),
        }
    }
}
