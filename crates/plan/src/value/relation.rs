//! Questions about the values of several fields, and how conditions over values become expressions.

use ecs::{Object, Scalar, Shape, document};

use super::{Datum, Function, Operand, ValueExpr};
use crate::{Expr, Test};

/// How many choices of values are tried for one event. Two fields of four hundred values each have more, and a record that
/// somebody made up must not hold up all others: what is left untried is told ([`Answer::Cut`]).
pub const CHOICES_MAX: usize = 100_000;

/// A question about the values of several fields: true if some choice of values, one of each field, makes the expression
/// true. A field without a value contributes null.
///
/// Pure data, so that equal questions of many rules are found and evaluated once.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Relation {
    operands: Vec<Operand>,
    expr: ValueExpr,
}

/// What came of trying choices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Some choice makes the expression true.
    Yes,
    /// None does.
    No,
    /// None of the first [`CHOICES_MAX`] does, and there are more.
    Cut,
}

/// What a value must satisfy that an expression computes with.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Computed {
    /// How the value is read.
    pub reading: super::Reading,
    /// The expression, of which the value is the only operand.
    pub expr: ValueExpr,
}

impl Computed {
    /// Whether a raw value satisfies it.
    pub(crate) fn matches(&self, value: Scalar<'_>) -> bool {
        self.reading.read(value).is_some_and(|it| self.expr.holds(&[it]))
    }
}

impl Relation {
    /// A question as it stands; [`Expr::some`] makes the plainest expression that says the same.
    pub fn new(operands: Vec<Operand>, expr: ValueExpr) -> Self {
        Self { operands, expr }
    }

    /// The fields, by the numbers that the expression gives them.
    pub fn operands(&self) -> &[Operand] {
        &self.operands
    }

    /// What must be true of some choice of their values.
    pub fn expr(&self) -> &ValueExpr {
        &self.expr
    }

    /// The paths that hold their values, and how these are laid out; not sorted, repeats included.
    pub fn paths(&self) -> impl Iterator<Item = (&str, Shape)> {
        self.operands.iter().flat_map(|it| it.paths.iter().map(|path| (path.as_str(), it.shape)))
    }

    /// Whether it is true of a document: tries one choice after the other. What [`CHOICES_MAX`] cuts off counts as no.
    pub fn matches(&self, document: &Object) -> bool {
        let values = self.operands.iter().map(|operand| {
            let mut values = Values::new(operand);
            for path in &operand.paths {
                document::values(document, path, operand.shape, |it| values.add_copy(it));
            }
            values.finish()
        });
        let values: Vec<_> = values.collect();
        self.some_choice(&values) == Answer::Yes
    }

    /// Whether it is true of some choice, given the values of each operand.
    pub fn some_choice(&self, values: &[Vec<Datum<'_>>]) -> Answer {
        let mut choice = Vec::with_capacity(values.len());
        let mut left = CHOICES_MAX;
        if self.choose(values, &mut choice, &mut left) {
            return Answer::Yes;
        }
        let choices = values.iter().try_fold(1_usize, |all, it| all.checked_mul(it.len()));
        if choices.is_none_or(|it| it > CHOICES_MAX) { Answer::Cut } else { Answer::No }
    }

    fn choose<'d>(
        &self,
        values: &'d [Vec<Datum<'d>>],
        choice: &mut Vec<Datum<'d>>,
        left: &mut usize,
    ) -> bool {
        let Some(values_of_next) = values.get(choice.len()) else {
            *left -= 1;
            return self.expr.holds(choice);
        };
        for value in values_of_next {
            if *left == 0 {
                return false;
            }
            choice.push(value.borrowed());
            let found = self.choose(values, choice, left);
            choice.pop();
            if found {
                return true;
            }
        }
        false
    }
}

/// The values of an operand for one event: each once, sorted, null if there is none.
#[derive(Debug)]
pub struct Values<'o, 'v> {
    operand: &'o Operand,
    found: Vec<Datum<'v>>,
}

impl<'o, 'v> Values<'o, 'v> {
    /// None yet.
    pub fn new(operand: &'o Operand) -> Self {
        Self { operand, found: Vec::new() }
    }

    /// Adds a raw value.
    pub fn add(&mut self, value: Scalar<'v>) {
        self.found.extend(self.operand.reading.read(value));
    }

    /// Adds a copy of a raw value, which may be gone soon.
    pub fn add_copy(&mut self, value: Scalar<'_>) {
        self.found.extend(self.operand.reading.read(value).map(Datum::into_owned));
    }

    /// All of them.
    pub fn finish(mut self) -> Vec<Datum<'v>> {
        self.found.sort_unstable();
        self.found.dedup();
        if self.found.is_empty() {
            self.found.push(Datum::Null);
        }
        self.found
    }
}

impl Expr {
    /// That some choice of values of the operands makes the expression true. A field without a value contributes null.
    ///
    /// What can be told by one field alone becomes a [`Predicate`](crate::Predicate), which is decided once for each
    /// distinct value; only what needs several values at once stays a [`Relation`]. Alternatives choose independently of
    /// each other, and so do conditions on different fields.
    pub fn some(operands: &[Operand], expr: ValueExpr) -> Self {
        match expr {
            ValueExpr::Const(datum) => Self::Const(datum.truth() == Some(true)),
            ValueExpr::Call(Function::Or, any) => {
                Self::Or(any.into_iter().map(|it| Self::some(operands, it)).collect())
            }
            // Null stays null whatever stands around it, so that a negation moves inwards as with two truth values.
            ValueExpr::Call(Function::Not, mut inner) => match inner.pop() {
                Some(ValueExpr::Call(Function::Not, mut inner)) if inner.len() == 1 => {
                    Self::some(operands, inner.swap_remove(0))
                }
                Some(ValueExpr::Call(Function::Or, any)) => {
                    Self::some(operands, ValueExpr::Call(Function::And, negated(any)))
                }
                Some(ValueExpr::Call(Function::And, all)) => {
                    Self::some(operands, ValueExpr::Call(Function::Or, negated(all)))
                }
                Some(inner) => leaf(operands, &ValueExpr::Call(Function::Not, vec![inner])),
                None => Self::Const(false),
            },
            ValueExpr::Call(Function::And, all) => {
                let mut groups = independent(all, operands);
                match groups.len() {
                    1 => leaf(operands, &conjunction(groups.swap_remove(0))),
                    _ => Self::And(
                        groups.into_iter().map(|it| Self::some(operands, conjunction(it))).collect(),
                    ),
                }
            }
            expr @ (ValueExpr::Field(..) | ValueExpr::Call(..)) => leaf(operands, &expr),
        }
    }
}

fn conjunction(mut all: Vec<ValueExpr>) -> ValueExpr {
    if all.len() == 1 { all.swap_remove(0) } else { ValueExpr::Call(Function::And, all) }
}

fn negated(all: Vec<ValueExpr>) -> Vec<ValueExpr> {
    all.into_iter().map(|it| ValueExpr::Call(Function::Not, vec![it])).collect()
}

/// Groups of conditions that have no field in common with those of other groups.
fn independent(all: Vec<ValueExpr>, operands: &[Operand]) -> Vec<Vec<ValueExpr>> {
    let mut groups: Vec<(Vec<&Operand>, Vec<ValueExpr>)> = Vec::new();
    for expr in all {
        let fields: Vec<&Operand> = expr.fields().into_iter().filter_map(|it| operands.get(it)).collect();
        let shares = |group: &(Vec<&Operand>, Vec<ValueExpr>)| group.0.iter().any(|it| fields.contains(it));
        let (joined, apart): (Vec<_>, Vec<_>) = groups.into_iter().partition(shares);
        groups = apart;
        let (mut all_fields, mut exprs) = (fields, Vec::new());
        for (fields, joined) in joined {
            all_fields.extend(fields);
            exprs.extend(joined);
        }
        exprs.push(expr);
        groups.push((all_fields, exprs));
    }
    groups.into_iter().map(|(_, exprs)| exprs).collect()
}

/// The plainest expression for one question.
fn leaf(operands: &[Operand], expr: &ValueExpr) -> Expr {
    // The same field is the same operand, and equal questions number their operands alike.
    let mut used: Vec<&Operand> = expr.fields().into_iter().filter_map(|it| operands.get(it)).collect();
    used.sort_unstable();
    used.dedup();
    let number = |it: usize| operands.get(it).and_then(|it| used.binary_search(&it).ok());
    let expr = expr.renumbered(&number);
    match used.as_slice() {
        [] => Expr::Const(expr.holds(&[])),
        [operand] => of_one(operand, &expr),
        _ => Expr::Relates(Relation::new(used.into_iter().cloned().collect(), expr)),
    }
}

/// A question about one field.
fn of_one(operand: &Operand, expr: &ValueExpr) -> Expr {
    let of_value = match expr.of_present() {
        ValueExpr::Const(datum) if datum.truth() == Some(true) => operand.exists(),
        ValueExpr::Const(_) => Expr::Const(false),
        expr => operand.any(&Test::Computed(Box::new(Computed { reading: operand.reading.clone(), expr }))),
    };
    if expr.holds(&[]) {
        return Expr::Or(vec![of_value, Expr::Not(Box::new(operand.exists()))]);
    }
    of_value
}
