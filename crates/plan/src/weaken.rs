//! What must hold of a document for an expression to be true of it, said with some of its predicates alone.
//!
//! A record can be told apart long before everything is known of it: by its bytes, by its call, by one cheap field. What
//! is known by then answers some of the predicates of an expression. [`Expr::weaken`] says what the expression asks of
//! those, so that whoever looks at records early need only know which predicates it can answer, and not how expressions
//! are built:
//!
//! ```text
//! expression                                      keeping what is asked of `call`
//! call: A and user: x                             call: A
//! call: A or call: B and user: x                  call: A or call: B
//! call: A or user: x                              always: a user `x` is enough
//! call: A and not (call: B or user: x)            call: A and not call: B
//! not (call: A and user: x)                       always: with another user, `A` will do
//! call: A and endsWith~(user, domain)             call: A
//! ```
//!
//! A document of which the right side is false need not be looked at again; one of which it is true may still fail.

use crate::{Expr, Predicate};

/// What an expression wants of a predicate where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// That it holds.
    Holds,
    /// That it does not: it stands under an odd number of negations.
    Fails,
}

impl Sign {
    fn opposite(self) -> Self {
        match self {
            Self::Holds => Self::Fails,
            Self::Fails => Self::Holds,
        }
    }
}

impl Expr {
    /// What is true wherever this expression is, and made only of those predicates that `keep` accepts, which is told what
    /// is wanted of each. No constant but at the top, and no negation but of a predicate. Questions about several fields at
    /// once are never kept: who knows a document in part does not know their answer.
    ///
    /// Under a negation everything turns round: to weaken `not (a and b)` is to find something that `a and b` follows
    /// from, and there a predicate that is not kept becomes false.
    #[must_use]
    pub fn weaken(&self, keep: impl Fn(&Predicate, Sign) -> bool) -> Self {
        self.weakened(Sign::Holds, &keep)
    }

    /// What is true of every document of which this expression is, or is not.
    fn weakened(&self, wanted: Sign, keep: &impl Fn(&Predicate, Sign) -> bool) -> Self {
        let holds = wanted == Sign::Holds;
        match self {
            Self::Const(value) => Self::Const(*value == holds),
            // Whatever it says, it may be as wanted.
            Self::Is(predicate) if !keep(predicate, wanted) => Self::Const(true),
            // Several fields are never known before all are.
            Self::Relates(_) => Self::Const(true),
            Self::Is(_) if holds => self.clone(),
            Self::Is(_) => Self::Not(Box::new(self.clone())),
            Self::Not(inner) => inner.weakened(wanted.opposite(), keep),
            // That not all hold is that any fails, and the other way round.
            Self::And(clauses) => join(clauses.iter().map(|it| it.weakened(wanted, keep)), holds),
            Self::Or(clauses) => join(clauses.iter().map(|it| it.weakened(wanted, keep)), !holds),
        }
    }

    /// The clauses that must all hold.
    pub fn conjuncts(&self) -> &[Self] {
        match self {
            Self::And(clauses) => clauses,
            Self::Const(_) | Self::Or(_) | Self::Not(_) | Self::Is(_) | Self::Relates(_) => {
                std::slice::from_ref(self)
            }
        }
    }

    /// Predicates at least one of which holds of every document of which the expression is true: of all such sets that
    /// are plain, one for which `cost` is least. Nothing if there is none, as where the expression is satisfied by a
    /// predicate that fails; the empty set if it is true of no document.
    pub fn one_of<'a, K: Ord>(&'a self, cost: &impl Fn(&[&'a Predicate]) -> K) -> Option<Vec<&'a Predicate>> {
        match self {
            Self::Is(predicate) => Some(vec![predicate]),
            Self::Const(false) => Some(Vec::new()),
            Self::Const(true) | Self::Not(_) | Self::Relates(_) => None,
            Self::And(clauses) => {
                clauses.iter().filter_map(|it| it.one_of(cost)).min_by_key(|it| cost(it.as_slice()))
            }
            Self::Or(clauses) => {
                let sets: Option<Vec<_>> = clauses.iter().map(|it| it.one_of(cost)).collect();
                Some(sets?.into_iter().flatten().collect())
            }
        }
    }
}

/// `and` of the clauses if `all`, else `or`. The constant `all` is neutral, its opposite decides.
fn join(clauses: impl Iterator<Item = Expr>, all: bool) -> Expr {
    let mut flat = Vec::new();
    for clause in clauses {
        match (clause, all) {
            (Expr::Const(value), _) if value == all => {}
            (Expr::Const(value), _) => return Expr::Const(value),
            (Expr::And(inner), true) | (Expr::Or(inner), false) => flat.extend(inner),
            (other, _) => flat.push(other),
        }
    }
    match flat.len() {
        0 => Expr::Const(all),
        1 => flat.swap_remove(0),
        _ if all => Expr::And(flat),
        _ => Expr::Or(flat),
    }
}

#[cfg(test)]
mod tests {
    use ecs::Shape;

    use super::*;
    use crate::Test;

    fn is(path: &str, term: &str) -> Expr {
        let test = Test::term(term);
        Expr::Is(Predicate { path: path.to_owned(), shape: Shape::Leaf, test })
    }

    fn not(expr: Expr) -> Expr {
        Expr::Not(Box::new(expr))
    }

    #[test]
    fn what_an_expression_asks_of_some_predicates() {
        let (a, b, user) = (is("call", "A"), is("call", "B"), is("user", "x"));
        let asked = |expr: Expr| expr.weaken(|predicate, _| predicate.path == "call");
        let (and, or) = (Expr::And, Expr::Or);
        assert_eq!(asked(and(vec![a.clone(), user.clone()])), a);
        let either = or(vec![a.clone(), and(vec![b.clone(), user.clone()])]);
        assert_eq!(asked(either), or(vec![a.clone(), b.clone()]));
        assert_eq!(asked(or(vec![a.clone(), user.clone()])), Expr::Const(true));
        let neither = not(or(vec![b.clone(), user.clone()]));
        assert_eq!(asked(and(vec![a.clone(), neither])), and(vec![a.clone(), not(b.clone())]));
        assert_eq!(asked(not(and(vec![a.clone(), user.clone()]))), Expr::Const(true));
        assert_eq!(asked(not(not(and(vec![a.clone(), user])))), a);
        let positive = not(a.clone()).weaken(|_, sign| sign == Sign::Holds);
        assert_eq!(positive, Expr::Const(true), "that it fails is not asked for");
    }

    #[test]
    fn the_cheapest_set_one_of_which_must_hold() {
        let fewest = |expr: &Expr| {
            let found = expr.one_of(&|them| them.len())?;
            Some(found.into_iter().map(|it| it.path.clone()).collect::<Vec<_>>())
        };
        let (a, b, c) = (is("a", "1"), is("b", "1"), is("c", "1"));
        let either = Expr::Or(vec![a.clone(), b.clone()]);
        assert_eq!(fewest(&Expr::And(vec![either.clone(), c.clone()])), Some(vec!["c".to_owned()]));
        assert_eq!(fewest(&either), Some(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(fewest(&Expr::Or(vec![a, not(b)])), None);
        assert_eq!(fewest(&Expr::Const(false)), Some(Vec::new()));
        assert_eq!(fewest(&not(c)), None);
    }
}
