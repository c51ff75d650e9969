//! What a query means once the field types are known.

use std::borrow::Cow;

use ecs::{Scalar, Shape};

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

/// A question about one raw value. It knows how the field indexes a value (type, `ignore_above`, format), so a
/// value that the field would not index satisfies nothing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Test {
    /// The keyword equals this text. The most frequent test: decided by a look-up in a block's dictionary.
    Keyword(String),
}

/// What a string must be for a test to be true of it: necessary, not sufficient. Says nothing of other values.
///
/// It lets `exec` find the few values of a block worth asking about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hint<'a> {
    /// It is one of these texts, byte for byte.
    Terms(Vec<Cow<'a, str>>),
    /// It contains one of these texts, apart from the case of ASCII letters. None is empty.
    Contains(Vec<Cow<'a, str>>),
    /// Nothing is known.
    Any,
}

/// A test made ready to run.
#[derive(Debug)]
pub struct Matcher {
    test: Test,
}

impl Test {
    /// What a string must be for this to be true of it.
    pub fn hint(&self) -> Hint<'_> {
        match self {
            Self::Keyword(text) => Hint::Terms(vec![Cow::Borrowed(text)]),
        }
    }

    /// Makes the test ready to run: builds its automata.
    pub fn compile(&self) -> Matcher {
        Matcher { test: self.clone() }
    }
}

impl Matcher {
    /// Whether the value satisfies the test.
    pub fn matches(&self, value: Scalar<'_>) -> bool {
        match (&self.test, value) {
            (Test::Keyword(text), Scalar::Str(value)) => text == value,
            (Test::Keyword(_), _) => false,
        }
    }
}
