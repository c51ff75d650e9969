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
