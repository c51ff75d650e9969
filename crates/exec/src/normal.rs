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
use plan::value::Relation;
use plan::{Expr, Predicate};
use rustc_hash::FxHashMap;

use crate::ids::{ColumnId, PredicateId, RelationId};

/// An expression in normal form. The order of the variants and of the children is arbitrary but fixed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Node {
    /// Only ever at the top.
    Const(bool),
    /// Whether some value of the column satisfies some predicate, or that none does.
    Leaf { wanted: bool, column: ColumnId, predicates: Vec<PredicateId> },
    /// Whether some choice of values of several columns satisfies the relation, or that none does.
    Relation { wanted: bool, id: RelationId },
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
    /// The relations, with the columns of each of their operands.
    pub(crate) relations: Vec<(Vec<Vec<ColumnId>>, &'a Relation)>,
    relation_ids: FxHashMap<&'a Relation, RelationId>,
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
            Expr::Relates(relation) => Node::Relation { wanted, id: self.intern_relation(relation) },
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
                node @ (Node::Leaf { .. } | Node::Relation { .. } | Node::All(_) | Node::Any(_)) => {
                    flat.push(node);
                }
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
        let column = self.column(&predicate.path, predicate.shape);
        let id = PredicateId::new(self.predicates.len());
        self.predicates.push((column, predicate));
        self.predicate_ids.insert(predicate, id);
        (column, id)
    }

    fn intern_relation(&mut self, relation: &'a Relation) -> RelationId {
        if let Some(&id) = self.relation_ids.get(relation) {
            return id;
        }
        let columns = relation
            .operands()
            .iter()
            .map(|operand| operand.paths.iter().map(|path| self.column(path, operand.shape)).collect());
        let columns = columns.collect();
        let id = RelationId::new(self.relations.len());
        self.relations.push((columns, relation));
        self.relation_ids.insert(relation, id);
        id
    }

    fn column(&mut self, path: &'a str, shape: Shape) -> ColumnId {
        *self.column_ids.entry((path, shape)).or_insert_with(|| {
            self.columns.push((path, shape));
            ColumnId::new(self.columns.len() - 1)
        })
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
