//! What conditions compute on the way to their answer: the `length(user.name)` of `length(user.name) > 20`.
//!
//! Whoever asks why a condition does not hold sees the values of the fields, and from these does not see what came of them.

use std::collections::BTreeSet;

use ecs::{Object, document};

use super::{Computed, Datum, Operand, Relation, Type, ValueExpr, Values};
use crate::{Expr, Predicate, Test};

/// A value that a condition computes from fields, and then asks something of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Measure {
    operands: Vec<Operand>,
    expr: ValueExpr,
}

impl Measure {
    /// The fields that it is computed from.
    pub fn operands(&self) -> &[Operand] {
        &self.operands
    }

    pub(super) fn expr(&self) -> &ValueExpr {
        &self.expr
    }

    /// What it is, as text, for the first `most` choices of values of its fields, each once; `None` is null.
    pub fn of(&self, values: &[Vec<Datum<'_>>], most: usize) -> BTreeSet<Option<String>> {
        let mut found = BTreeSet::new();
        let mut left = most;
        self.each(values, &mut Vec::new(), &mut left, &mut found);
        found
    }

    fn each<'d>(
        &self,
        values: &'d [Vec<Datum<'d>>],
        choice: &mut Vec<Datum<'d>>,
        left: &mut usize,
        found: &mut BTreeSet<Option<String>>,
    ) {
        let Some(of_next) = values.get(choice.len()) else {
            *left -= 1;
            found.insert(self.expr.evaluate(choice).to_text().map(std::borrow::Cow::into_owned));
            return;
        };
        for value in of_next {
            if *left == 0 {
                return;
            }
            choice.push(value.borrowed());
            self.each(values, choice, left, found);
            choice.pop();
        }
    }

    /// What it is in a document.
    pub(crate) fn of_document(&self, document: &Object, most: usize) -> BTreeSet<Option<String>> {
        let values = self.operands.iter().map(|operand| {
            let mut values = Values::new(operand);
            for path in &operand.paths {
                document::values(document, path, operand.shape, |it| values.add_copy(it));
            }
            values.finish()
        });
        self.of(&values.collect::<Vec<_>>(), most)
    }
}

impl Predicate {
    /// What its question computes from the field's value.
    pub fn measures(&self) -> Vec<Measure> {
        let Test::Computed(computed) = &self.test else { return Vec::new() };
        let Computed { reading, expr } = &**computed;
        let (paths, shape) = (vec![self.path.clone()], self.shape);
        measures(&[Operand { paths, shape, reading: reading.clone() }], expr)
    }
}

impl Relation {
    /// What it computes from the values of its fields.
    pub fn measures(&self) -> Vec<Measure> {
        measures(self.operands(), self.expr())
    }
}

impl Expr {
    /// What the questions in it compute, in their order, each once; not those inside of nested ones.
    pub fn measures(&self) -> Vec<Measure> {
        let mut all: Vec<Measure> = Vec::new();
        self.visit(&mut |question| {
            for it in question.measures() {
                if !all.contains(&it) {
                    all.push(it);
                }
            }
        });
        all
    }
}

fn measures(operands: &[Operand], expr: &ValueExpr) -> Vec<Measure> {
    let mut found = Vec::new();
    measured(expr, &mut found);
    let of = |expr: &ValueExpr| {
        let used = expr.fields();
        let number = |it: usize| used.binary_search(&it).ok();
        Measure {
            operands: used.iter().filter_map(|&it| operands.get(it).cloned()).collect(),
            expr: expr.renumbered(&number),
        }
    };
    found.into_iter().map(of).collect()
}

/// The outermost parts whose values are no answers: what is asked of them is what stands around.
fn measured<'e>(expr: &'e ValueExpr, found: &mut Vec<&'e ValueExpr>) {
    match expr {
        ValueExpr::Const(_) | ValueExpr::Field(..) => {}
        ValueExpr::Call(_, arguments) if expr.ty() == Type::Bool => {
            for it in arguments {
                measured(it, found);
            }
        }
        ValueExpr::Call(..) if expr.is_constant() => {}
        ValueExpr::Call(..) => found.push(expr),
    }
}
