//! Expressions in normal form: negation only at the leaves, no nested `And` in `And`, no constant inside.
//!
//! Questions about the same column are gathered, because a field with several values satisfies one of two
//! predicates exactly if any of its values satisfies any of them:
//!
//! ```text
//! a: x or a: y            one leaf on `a`: x, y
//! not a: x and not a: y   one negated leaf on `a`: x, y
//! ```
//!
//! `a: x and a: y` stays two leaves: different values may satisfy them.

use ecs::Shape;
use plan::{Expr, Predicate};
use rustc_hash::FxHashMap;

use crate::ids::{ColumnId, PredicateId};

/// An expression in normal form. The order of the variants and of the children is arbitrary but fixed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Node {
    /// Only ever at the top.
    Const(bool),
    /// Whether some value of the column satisfies some predicate, or that none does.
    Leaf { wanted: bool, column: ColumnId, predicates: Vec<PredicateId> },
    /// Two or more, all of which must hold.
    All(Vec<Node>),
    /// Two or more, any of which may hold.
    Any(Vec<Node>),
}

/// The columns and predicates of all filters, each once.
#[derive(Debug, Default)]
pub(crate) struct Interner<'a> {
    pub(crate) columns: Vec<(&'a str, Shape)>,
    pub(crate) predicates: Vec<(ColumnId, &'a Predicate)>,
    column_ids: FxHashMap<(&'a str, Shape), ColumnId>,
    predicate_ids: FxHashMap<&'a Predicate, PredicateId>,
}

impl<'a> Interner<'a> {
    /// The normal form of `expr`, or of its complement unless `wanted`.
    ///
    /// Recursion is as deep as the expression, which the languages bound.
    pub(crate) fn normalise(&mut self, expr: &'a Expr, wanted: bool) -> Node {
        match expr {
            Expr::Const(value) => Node::Const(*value == wanted),
            Expr::Not(inner) => self.normalise(inner, !wanted),
            Expr::Is(predicate) => {
                let (column, id) = self.intern(predicate);
                Node::Leaf { wanted, column, predicates: vec![id] }
            }
            Expr::And(children) => self.combine(children, wanted, wanted),
            Expr::Or(children) => self.combine(children, !wanted, wanted),
        }
    }

    /// The column and the number of a predicate that was met.
    pub(crate) fn id(&self, predicate: &Predicate) -> Option<(ColumnId, PredicateId)> {
        let id = *self.predicate_ids.get(predicate)?;
        Some((self.predicates[id.index()].0, id))
    }

    fn combine(&mut self, children: &'a [Expr], all: bool, wanted: bool) -> Node {
        let mut flat = Vec::with_capacity(children.len());
        for child in children {
            match self.normalise(child, wanted) {
                Node::Const(value) if value == all => {}
                Node::Const(value) => return Node::Const(value),
                Node::All(inner) if all => flat.extend(inner),
                Node::Any(inner) if !all => flat.extend(inner),
                node @ (Node::Leaf { .. } | Node::All(_) | Node::Any(_)) => flat.push(node),
            }
        }
        flat = gather(flat, all);
        match flat.len() {
            0 => Node::Const(all),
            1 => flat.swap_remove(0),
            _ if all => Node::All(flat),
            _ => Node::Any(flat),
        }
    }

    fn intern(&mut self, predicate: &'a Predicate) -> (ColumnId, PredicateId) {
        if let Some(&id) = self.predicate_ids.get(predicate) {
            return (self.predicates[id.index()].0, id);
        }
        let key = (predicate.path.as_str(), predicate.shape);
        let column = *self.column_ids.entry(key).or_insert_with(|| {
            self.columns.push(key);
            ColumnId::new(self.columns.len() - 1)
        });
        let id = PredicateId::new(self.predicates.len());
        self.predicates.push((column, predicate));
        self.predicate_ids.insert(predicate, id);
        (column, id)
    }
}

/// Sorts the children, drops repeats and makes one leaf of those that may be one.
fn gather(mut children: Vec<Node>, all: bool) -> Vec<Node> {
    children.sort_unstable();
    let mut gathered: Vec<Node> = Vec::with_capacity(children.len());
    for child in children {
        match (gathered.last_mut(), child) {
            (
                Some(Node::Leaf { wanted, column, predicates }),
                Node::Leaf { wanted: new_wanted, column: new_column, predicates: mut new },
            ) if *wanted == new_wanted && *column == new_column && *wanted != all => {
                predicates.append(&mut new);
            }
            (Some(last), child) if *last == child => {}
            (_, child) => gathered.push(child),
        }
    }
    for child in &mut gathered {
        if let Node::Leaf { predicates, .. } = child {
            predicates.sort_unstable();
            predicates.dedup();
        }
    }
    gathered
}
