//! Expressions in canonical form.

use std::collections::BTreeMap;

use crate::{Expr, Predicate, StringTest, Test, TextTest};

impl Expr {
    /// The canonical form: same meaning on every document, and equal for many ways to write the same. No
    /// constant but at the top, no `and` directly in an `and`, no double negation; clauses sorted, each once;
    /// alternatives about one field joined to one predicate (`a: x or a: y` asks for one of two terms).
    #[must_use]
    pub fn simplify(self) -> Self {
        match self {
            Self::Const(_) | Self::Relates(_) => self,
            Self::Is(mut predicate) => {
                if let Test::Nested(inner) = predicate.test {
                    predicate.test = Test::Nested(Box::new(inner.simplify()));
                }
                if predicate.test.is_never() { Self::Const(false) } else { Self::Is(predicate) }
            }
            Self::Not(inner) => inner.simplify().negate(),
            Self::And(clauses) => combine(clauses.into_iter().map(Self::simplify), true),
            Self::Or(clauses) => combine(clauses.into_iter().map(Self::simplify), false),
        }
    }

    /// All of some canonical expressions, canonical: what [`Expr::simplify`] makes of their [`Expr::And`], without
    /// looking at the inside of each again.
    #[must_use]
    pub fn all_of(canonical: Vec<Self>) -> Self {
        combine(canonical.into_iter(), true)
    }

    /// The complement of a canonical expression, canonical.
    fn negate(self) -> Self {
        match self {
            Self::Const(value) => Self::Const(!value),
            Self::Not(inner) => *inner,
            other => Self::Not(Box::new(other)),
        }
    }
}

/// `and` of canonical clauses if `all`, else `or`. The constant `all` is neutral, its opposite decides.
fn combine(clauses: impl Iterator<Item = Expr>, all: bool) -> Expr {
    let mut flat = Vec::new();
    for clause in clauses {
        match (clause, all) {
            (Expr::Const(value), _) if value == all => {}
            (Expr::Const(value), _) => return Expr::Const(value),
            (Expr::And(inner), true) | (Expr::Or(inner), false) => flat.extend(inner),
            (other, _) => flat.push(other),
        }
    }
    // One value may satisfy each alternative by itself, so alternatives can be joined; two conditions may be
    // met by two values of a field, so they cannot, except under a negation.
    if all {
        let (negated, mut rest): (Vec<Expr>, Vec<Expr>) =
            flat.into_iter().partition(|it| matches!(it, Expr::Not(inner) if matches!(**inner, Expr::Is(_))));
        let inner =
            negated.into_iter().map(|it| if let Expr::Not(inner) = it { *inner } else { it }).collect();
        rest.extend(join(inner).into_iter().map(Expr::negate));
        flat = rest;
    } else {
        flat = join(flat);
    }
    flat.sort_unstable();
    flat.dedup();
    let contradicts = |it: &Expr| match it {
        Expr::Not(inner) => flat.binary_search(inner).is_ok(),
        _ => false,
    };
    if flat.iter().any(contradicts) {
        return Expr::Const(!all);
    }
    match flat.len() {
        0 => Expr::Const(all),
        1 => flat.swap_remove(0),
        _ if all => Expr::And(flat),
        _ => Expr::Or(flat),
    }
}

/// Joins alternatives about one field.
fn join(alternatives: Vec<Expr>) -> Vec<Expr> {
    let mut joined = Vec::new();
    let mut tests: BTreeMap<(String, ecs::Shape), Vec<Test>> = BTreeMap::new();
    for it in alternatives {
        match it {
            Expr::Is(Predicate { path, shape, test }) => tests.entry((path, shape)).or_default().push(test),
            other => joined.push(other),
        }
    }
    for ((path, shape), mut tests) in tests {
        // Sorted, tests of one kind that can be joined stand side by side.
        tests.sort_unstable();
        joined.extend(
            united(tests).into_iter().map(|test| Expr::Is(Predicate { path: path.clone(), shape, test })),
        );
    }
    joined
}

/// Joins neighbours that can be. In rounds, so that of many thousands of values none is copied more often than there are
/// rounds.
fn united(mut tests: Vec<Test>) -> Vec<Test> {
    loop {
        let before = tests.len();
        let mut kept: Vec<Test> = Vec::with_capacity(before / 2 + 1);
        let mut rest = tests.into_iter().peekable();
        while let Some(test) = rest.next() {
            match rest.peek().and_then(|next| test.union(next)) {
                Some(union) => {
                    rest.next();
                    kept.push(union);
                }
                None => kept.push(test),
            }
        }
        if kept.len() == before {
            return kept;
        }
        tests = kept;
    }
}

impl Test {
    /// Whether no value satisfies it, as far as that is plain.
    fn is_never(&self) -> bool {
        match self {
            Self::Terms(terms) => terms.is_empty(),
            Self::Number { ranges, .. } | Self::Date { ranges, .. } => ranges.is_empty(),
            Self::Ip(ranges) => ranges.is_empty(),
            Self::Boolean { truth, falsity } => !truth && !falsity,
            Self::Nested(expr) => **expr == Expr::Const(false),
            Self::Computed(computed) => computed.expr.is_constant() && !computed.expr.holds(&[]),
            Self::Dynamic { string, integer, float, boolean } => {
                [string, integer, float, boolean].iter().all(|it| it.as_ref().is_none_or(|it| it.is_never()))
            }
            Self::Keyword { test, .. }
            | Self::FlattenedRoot { test, .. }
            | Self::Text(TextTest::Token(test))
            | Self::Version(test) => *test == StringTest::Equals(Vec::new()),
            Self::Text(TextTest::Any | TextTest::Phrase { .. }) | Self::Place => false,
        }
    }

    /// The test that a value satisfies if it satisfies either, where one test can say that.
    fn union(&self, other: &Self) -> Option<Self> {
        match (self, other) {
            (a, b) if a == b => Some(a.clone()),
            (Self::Terms(a), Self::Terms(b)) => Some(Self::terms([a.as_slice(), b].concat())),
            (Self::Keyword { field: a, test: x }, Self::Keyword { field: b, test: y }) if a == b => {
                Some(Self::Keyword { field: *a, test: x.union(y)? })
            }
            (Self::FlattenedRoot { field: a, test: x }, Self::FlattenedRoot { field: b, test: y })
                if a == b =>
            {
                Some(Self::FlattenedRoot { field: *a, test: x.union(y)? })
            }
            (Self::Text(TextTest::Token(a)), Self::Text(TextTest::Token(b))) => {
                Some(Self::Text(TextTest::Token(a.union(b)?)))
            }
            (Self::Number { ty: a, ranges: x }, Self::Number { ty: b, ranges: y }) if a == b => {
                Some(Self::Number { ty: *a, ranges: x.union(y) })
            }
            (Self::Ip(a), Self::Ip(b)) => Some(Self::Ip(a.union(b))),
            (
                Self::Date { format: a, resolution, ranges: x },
                Self::Date { format: b, resolution: other, ranges: y },
            ) if a == b && resolution == other => {
                Some(Self::Date { format: a.clone(), resolution: *resolution, ranges: x.union(y) })
            }
            (Self::Boolean { truth: a, falsity: b }, Self::Boolean { truth: c, falsity: d }) => {
                Some(Self::Boolean { truth: a | c, falsity: b | d })
            }
            (Self::Dynamic { .. }, Self::Dynamic { .. }) => self.union_of_kinds(other),
            _ => None,
        }
    }

    /// As [`Test::union`], kind by kind.
    fn union_of_kinds(&self, other: &Self) -> Option<Self> {
        let mut kinds = self.kinds().into_iter().zip(other.kinds()).map(|it| match it {
            (None, None) => Ok(None),
            (Some(test), None) | (None, Some(test)) => Ok(Some(Box::new(test.clone()))),
            (Some(a), Some(b)) => a.union(b).map(|it| Some(Box::new(it))).ok_or(()),
        });
        let mut next = || kinds.next().unwrap_or(Ok(None)).ok();
        Some(Self::Dynamic { string: next()?, integer: next()?, float: next()?, boolean: next()? })
    }

    /// The tests of a [`Test::Dynamic`].
    fn kinds(&self) -> [Option<&Self>; 4] {
        match self {
            Self::Dynamic { string, integer, float, boolean } => {
                [string, integer, float, boolean].map(|it| it.as_deref())
            }
            _ => [None; 4],
        }
    }
}

impl StringTest {
    fn union(&self, other: &Self) -> Option<Self> {
        match (self, other) {
            (Self::Any, _) | (_, Self::Any) => Some(Self::Any),
            (Self::Equals(a), Self::Equals(b)) => {
                let mut terms = [a.as_slice(), b].concat();
                terms.sort_unstable();
                terms.dedup();
                Some(Self::Equals(terms))
            }
            _ => None,
        }
    }
}
