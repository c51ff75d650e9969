//! The slow and plain twin of a [`Program`](crate::Program): every expression row by row, nothing shared.
//!
//! It is the authority: where the two differ, the program is wrong.

use block::Block;
use ecs::{Scalar, Shape};
use plan::value::{Answer, Operand, Relation, Values};
use plan::{Expr, Matcher};

use crate::Row;

/// An expression with its tests made ready to run.
#[derive(Debug)]
pub struct NaiveFilter<'a>(Node<'a>);

#[derive(Debug)]
enum Node<'a> {
    Const(bool),
    And(Vec<Node<'a>>),
    Or(Vec<Node<'a>>),
    Not(Box<Node<'a>>),
    Is { predicate: &'a plan::Predicate, matcher: Matcher },
    Relates(&'a Relation),
}

impl<'a> NaiveFilter<'a> {
    /// Of this expression.
    pub fn new(expr: &'a Expr) -> Self {
        Self(Node::new(expr))
    }

    /// Whether a row of the block matches. A predicate on a path that is no column of the block finds no value.
    pub fn matches(&self, block: &Block, indices: &[String], row: Row) -> bool {
        self.0.matches(block, indices, row as usize)
    }

    /// The rows that match, ascending.
    pub fn rows(&self, block: &Block, indices: &[String]) -> Vec<Row> {
        (0..block.rows() as Row).filter(|&row| self.matches(block, indices, row)).collect()
    }
}

impl<'a> Node<'a> {
    fn new(expr: &'a Expr) -> Self {
        match expr {
            Expr::Const(value) => Self::Const(*value),
            Expr::And(all) => Self::And(all.iter().map(Self::new).collect()),
            Expr::Or(any) => Self::Or(any.iter().map(Self::new).collect()),
            Expr::Not(inner) => Self::Not(Box::new(Self::new(inner))),
            Expr::Is(predicate) => Self::Is { predicate, matcher: predicate.test.compile() },
            Expr::Relates(relation) => Self::Relates(relation),
        }
    }

    fn matches(&self, block: &Block, indices: &[String], row: usize) -> bool {
        match self {
            Self::Const(value) => *value,
            Self::And(all) => all.iter().all(|node| node.matches(block, indices, row)),
            Self::Or(any) => any.iter().any(|node| node.matches(block, indices, row)),
            Self::Not(inner) => !inner.matches(block, indices, row),
            Self::Is { predicate, matcher } => {
                let mut found = false;
                let place = (predicate.path.as_str(), predicate.shape);
                each_value(block, indices, row, place, |value| found = found || matcher.matches(value));
                found
            }
            Self::Relates(relation) => {
                let values = |operand: &'a Operand| {
                    let mut values = Values::new(operand);
                    for path in &operand.paths {
                        each_value(block, indices, row, (path, operand.shape), |it| values.add_copy(it));
                    }
                    values.finish()
                };
                let values: Vec<_> = relation.operands().iter().map(values).collect();
                relation.some_choice(&values) == Answer::Yes
            }
        }
    }
}

/// Shows the values of a path, one after the other.
fn each_value(
    block: &Block,
    indices: &[String],
    row: usize,
    (path, shape): (&str, Shape),
    mut show: impl FnMut(Scalar<'_>),
) {
    match path {
        "_id" => show(Scalar::Str(block.id(row))),
        "_index" => show(Scalar::Str(&indices[block.index(row) as usize])),
        _ => {
            if let Some(slot) = block.schema().get(path, shape) {
                let column = block.column(slot);
                column.row(row).iter().for_each(|&ordinal| show(column.value(ordinal)));
            }
        }
    }
}
