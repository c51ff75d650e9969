//! What a pass over the events leaves to the executions.

use ecs::{Millis, Object, Scalar, Shape, document};

use super::{Dates, Part};
use crate::value::{Answer, Relation, Values as Choices};
use crate::{Expr, Matcher};

/// What the [filter](super::Condition::filter) of a condition leaves open, made ready to run: each execution decides
/// it on the values of an event that passed the filter. Tests are compiled once; an execution resolves bounds only.
#[derive(Debug)]
pub struct Residue {
    columns: Vec<(String, Shape)>,
    node: Node,
}

#[derive(Debug)]
enum Node {
    Const(bool),
    All(Vec<Node>),
    Any(Vec<Node>),
    Not(Box<Node>),
    /// The number is that of the column.
    Is(usize, Matcher),
    /// With the columns of each operand.
    Relates(Vec<Vec<usize>>, Relation),
    Dates(usize, Dates),
    /// Each value is an object, as text.
    Objects(usize, Box<Residue>),
    Until(Millis),
}

/// Shows the values of a column, by its number, one after the other.
type Values<'a> = dyn Fn(usize, &mut dyn FnMut(Scalar<'_>)) + 'a;

impl Residue {
    pub(super) fn all_of(parts: &[&Part]) -> Self {
        let mut columns = Vec::new();
        let node = Node::All(parts.iter().map(|it| Node::of_part(it, &mut columns)).collect());
        Self { columns, node }
    }

    /// What has to be known of an event: paths and how their values are laid out, each once.
    pub fn columns(&self) -> &[(String, Shape)] {
        &self.columns
    }

    /// Whether all executions that start between `first` and `last` decide alike, whatever the event: then nothing is left
    /// to any single one of them.
    pub fn is_settled(&self, first: Millis, last: Millis) -> bool {
        self.node.is_settled(first, last)
    }

    /// Whether the event is a match for an execution that starts at `now`. `values` shows the event's values of a
    /// column, by its place in [`Residue::columns`].
    pub fn holds(&self, now: Millis, values: &Values<'_>) -> bool {
        self.node.holds(now, values)
    }
}

impl Node {
    fn of_part(part: &Part, columns: &mut Vec<(String, Shape)>) -> Self {
        match part {
            Part::Always(expr) | Part::Later(expr) => Self::of_expr(expr, columns),
            Part::And(parts) => Self::All(parts.iter().map(|it| Self::of_part(it, columns)).collect()),
            Part::Or(parts) => Self::Any(parts.iter().map(|it| Self::of_part(it, columns)).collect()),
            Part::Not(part) => Self::Not(Box::new(Self::of_part(part, columns))),
            Part::Dates { path, dates } => Self::Dates(number(columns, path, Shape::Leaf), dates.clone()),
            Part::Objects { path, inner } => {
                let inner = Residue::all_of(&[inner]);
                Self::Objects(number(columns, path, Shape::Nested), Box::new(inner))
            }
            Part::Until(last) => Self::Until(*last),
        }
    }

    fn of_expr(expr: &Expr, columns: &mut Vec<(String, Shape)>) -> Self {
        match expr {
            Expr::Const(value) => Self::Const(*value),
            Expr::And(clauses) => Self::All(clauses.iter().map(|it| Self::of_expr(it, columns)).collect()),
            Expr::Or(clauses) => Self::Any(clauses.iter().map(|it| Self::of_expr(it, columns)).collect()),
            Expr::Not(inner) => Self::Not(Box::new(Self::of_expr(inner, columns))),
            Expr::Is(predicate) => {
                Self::Is(number(columns, &predicate.path, predicate.shape), predicate.test.compile())
            }
            Expr::Relates(relation) => {
                let columns = relation.operands().iter().map(|operand| {
                    operand.paths.iter().map(|path| number(columns, path, operand.shape)).collect()
                });
                Self::Relates(columns.collect(), relation.clone())
            }
        }
    }

    fn is_settled(&self, first: Millis, last: Millis) -> bool {
        match self {
            Self::Const(_) | Self::Is(..) | Self::Relates(..) => true,
            Self::All(nodes) | Self::Any(nodes) => nodes.iter().all(|it| it.is_settled(first, last)),
            Self::Not(node) => node.is_settled(first, last),
            Self::Dates(_, dates) => dates.is_same(first, last),
            Self::Objects(_, inner) => inner.is_settled(first, last),
            Self::Until(end) => last <= *end || *end < first,
        }
    }

    fn holds(&self, now: Millis, values: &Values<'_>) -> bool {
        let any = |column: usize, test: &mut dyn FnMut(Scalar<'_>) -> bool| {
            let mut found = false;
            values(column, &mut |value| found = found || test(value));
            found
        };
        match self {
            Self::Const(value) => *value,
            Self::All(nodes) => nodes.iter().all(|it| it.holds(now, values)),
            Self::Any(nodes) => nodes.iter().any(|it| it.holds(now, values)),
            Self::Not(node) => !node.holds(now, values),
            Self::Is(column, matcher) => any(*column, &mut |value| matcher.matches(value)),
            Self::Relates(columns, relation) => {
                let of_operand = |(operand, columns): (_, &Vec<usize>)| {
                    let mut choices = Choices::new(operand);
                    for &column in columns {
                        values(column, &mut |value| choices.add_copy(value));
                    }
                    choices.finish()
                };
                let choices: Vec<_> = relation.operands().iter().zip(columns).map(of_operand).collect();
                relation.some_choice(&choices) == Answer::Yes
            }
            Self::Dates(column, dates) => {
                let ranges = dates.ranges(now);
                any(*column, &mut |value| dates.has(&ranges, value))
            }
            Self::Objects(column, inner) => any(*column, &mut |value| {
                let Scalar::Str(text) = value else { return false };
                serde_json::from_str::<Object>(text).is_ok_and(|object| {
                    inner.holds(now, &|column, show| {
                        let (path, shape) = &inner.columns[column];
                        document::values(&object, path, *shape, show);
                    })
                })
            }),
            Self::Until(last) => now <= *last,
        }
    }
}

fn number(columns: &mut Vec<(String, Shape)>, path: &str, shape: Shape) -> usize {
    let known = columns.iter().position(|(known, its)| known == path && *its == shape);
    known.unwrap_or_else(|| {
        columns.push((path.to_owned(), shape));
        columns.len() - 1
    })
}
