//! One filter: the clauses that must all hold, and what a block must have for any row to satisfy it.

use crate::ids::{LeafId, PredicateId, RelationId};
use crate::program::{Kind, Program};

/// What a decision on a value costs, relative to a look-up of its number in a set of bits.
const ASKING: u32 = 16;

/// What a question about several fields costs: it is computed row by row, so it comes after all that is decided by value.
const RELATING: u32 = 1 << 20;

/// A condition on a row.
#[derive(Clone, Debug)]
pub(crate) enum Clause {
    Const(bool),
    /// Whether some value satisfies the leaf, or that none does.
    Leaf {
        leaf: LeafId,
        wanted: bool,
    },
    /// Whether some choice of values satisfies the relation, or that none does.
    Relation {
        id: RelationId,
        wanted: bool,
    },
    All(Vec<Clause>),
    Any(Vec<Clause>),
}

/// A filter, ready to run.
#[derive(Debug)]
pub(crate) struct Filter {
    /// No row can match.
    pub(crate) never: bool,
    /// What must hold, the cheapest first, those on late columns after all others.
    pub(crate) clauses: Vec<Clause>,
    /// How many of the clauses need no late column.
    pub(crate) early: usize,
    /// Whether the late columns are wanted for the rows that satisfy the early clauses.
    pub(crate) wants_late: bool,
    /// What a matching row must satisfy, as far as an index can tell which rows do; any of them may be used.
    pub(crate) gates: Vec<Gate>,
}

/// Leaves one of which every matching row satisfies.
///
/// `event.action: (A or B) and user.name: *x` has two gates, one of its clauses each. A block in which nothing is called
/// `A` or `B` holds no match, whatever its users are called, and where some rows are, only those are looked at. `not
/// user.name: x` opens no gate: rows of which nothing is said satisfy it, too. Nor does `event.action: A or not
/// user.name: x`: of a match, `A` need not be true.
#[derive(Clone, Debug)]
pub(crate) struct Gate {
    pub(crate) leaves: Vec<LeafId>,
    /// The clause that says just this, so that it need not be looked at again.
    pub(crate) decides: Option<usize>,
    cost: GateCost,
}

/// How good a gate is: less is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct GateCost {
    class: Class,
    /// The share of rows that may pass, guessed from how many different questions the columns get, in parts of
    /// [`ALL_ROWS`].
    share: u64,
}

/// The share of rows that pass if all do.
const ALL_ROWS: u64 = 1 << 32;

/// How the rows that pass a gate are found, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    /// By looking up terms.
    Exact,
    /// By searching the dictionary for literals.
    Literal,
    /// By asking about each value.
    Any,
}

impl Filter {
    /// What must hold, and gates that follow from it.
    pub(crate) fn new(clause: Clause, gates: Vec<Gate>, program: &Program) -> Self {
        let mut never = false;
        let mut clauses = match clause {
            Clause::Const(value) => {
                never = !value;
                Vec::new()
            }
            Clause::All(clauses) => clauses,
            Clause::Leaf { .. } | Clause::Relation { .. } | Clause::Any(_) => vec![clause],
        };
        for clause in &mut clauses {
            clause.order(program);
        }
        clauses.sort_by_key(|clause| (clause.is_late(program), clause.cost(program)));
        let early = clauses.iter().take_while(|clause| !clause.is_late(program)).count();
        let mut gates = gates;
        for gate in &mut gates {
            gate.decides = clauses.iter().position(|clause| clause.is_any_of(&gate.leaves));
        }
        gates.sort_by_key(|gate| (gate.cost, gate.decides.unwrap_or(usize::MAX)));
        // A worse class costs more to look at than it can save: asking about values is for the rows that are left.
        if let Some(best) = gates.first().map(|gate| gate.cost.class) {
            gates.retain(|gate| gate.cost.class == best);
        }
        let wants_late = early < clauses.len();
        Self { never, clauses, early, wants_late, gates }
    }

    /// The gate whose values lead to this filter. Without one it is looked at in every block.
    pub(crate) fn index_gate(&self, program: &Program) -> Option<&Gate> {
        let can_lead = |gate: &&Gate| gate.leaves.iter().all(|leaf| program.leaves[leaf.index()].can_lead());
        self.gates.iter().find(can_lead)
    }
}

impl Gate {
    /// The gate of leaves one of which must hold.
    pub(crate) fn new(mut leaves: Vec<LeafId>, cost: GateCost) -> Self {
        leaves.sort_unstable();
        Self { leaves, decides: None, cost }
    }
}

impl GateCost {
    /// Of predicates one of which must hold.
    pub(crate) fn of(predicates: &[PredicateId], program: &Program) -> Self {
        let mut all = Self { class: Class::Exact, share: 0 };
        for id in predicates {
            let plan = &program.predicates[id.index()];
            all.class = all.class.max(match plan.kind {
                Kind::Terms(_) => Class::Exact,
                Kind::Pattern => Class::Literal,
                Kind::Any => Class::Any,
            });
            // A column that gets many different questions (`event.action`) tells rows apart better than one that always
            // gets the same (`event.dataset`).
            all.share += ALL_ROWS / program.columns[plan.column.index()].predicates as u64;
        }
        all
    }
}

impl Clause {
    /// Puts the cheapest of the children first, at every level.
    fn order(&mut self, program: &Program) {
        match self {
            Self::Const(_) | Self::Leaf { .. } | Self::Relation { .. } => {}
            Self::All(clauses) | Self::Any(clauses) => {
                for clause in &mut *clauses {
                    clause.order(program);
                }
                clauses.sort_by_key(|clause| clause.cost(program));
            }
        }
    }

    fn cost(&self, program: &Program) -> u32 {
        match self {
            Self::Const(_) => 0,
            Self::Leaf { leaf, wanted } => {
                let plan = &program.leaves[leaf.index()];
                let asked = (plan.patterns.len() + plan.others.len()) as u32;
                // Negated clauses are rarely what leaves few rows.
                1 + u32::from(!wanted) + asked.saturating_mul(ASKING)
            }
            Self::Relation { .. } => RELATING,
            Self::All(clauses) | Self::Any(clauses) => {
                clauses.iter().fold(1, |sum: u32, clause| sum.saturating_add(clause.cost(program)))
            }
        }
    }

    fn is_late(&self, program: &Program) -> bool {
        match self {
            Self::Const(_) => false,
            Self::Leaf { leaf, .. } => program.leaves[leaf.index()].late,
            Self::Relation { id, .. } => program.relations[id.index()].late,
            Self::All(clauses) | Self::Any(clauses) => clauses.iter().any(|clause| clause.is_late(program)),
        }
    }

    /// Whether it says just that one of these leaves holds.
    fn is_any_of(&self, leaves: &[LeafId]) -> bool {
        let is = |clause: &Self| matches!(clause, Self::Leaf { leaf, wanted: true } if leaves.contains(leaf));
        match self {
            Self::Leaf { .. } => leaves.len() == 1 && is(self),
            Self::Any(clauses) => leaves.len() == clauses.len() && clauses.iter().all(is),
            Self::Const(_) | Self::Relation { .. } | Self::All(_) => false,
        }
    }
}
