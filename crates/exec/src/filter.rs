//! One filter: the clauses that must all hold, and what a block must have for any row to satisfy it.

use crate::ids::LeafId;
use crate::program::{Leaf, Program};

/// What a decision on a value costs, relative to a look-up of its number in a set of bits.
const ASKING: u32 = 16;

/// A condition on a row.
#[derive(Clone, Debug)]
pub(crate) enum Clause {
    Const(bool),
    /// Whether some value satisfies the leaf, or that none does.
    Leaf {
        leaf: LeafId,
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
#[derive(Clone, Debug)]
pub(crate) struct Gate {
    pub(crate) leaves: Vec<LeafId>,
    /// The clause that says just this, so that it need not be looked at again.
    pub(crate) decides: Option<usize>,
    class: Class,
    /// The share of rows that may pass, guessed from how many different questions the column gets.
    share: f64,
}

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
    pub(crate) fn new(clause: Clause, program: &Program) -> Self {
        let mut never = false;
        let mut clauses = match clause {
            Clause::Const(value) => {
                never = !value;
                Vec::new()
            }
            Clause::All(clauses) => clauses,
            Clause::Leaf { .. } | Clause::Any(_) => vec![clause],
        };
        for clause in &mut clauses {
            clause.order(program);
        }
        clauses.sort_by_key(|clause| (clause.is_late(program), clause.cost(program)));
        let early = clauses.iter().take_while(|clause| !clause.is_late(program)).count();
        let mut gates: Vec<Gate> = Vec::new();
        for (at, clause) in clauses.iter().enumerate() {
            if let Some(mut gate) = Gate::of(clause, program) {
                gate.decides = clause.is_any_of_leaves().then_some(at);
                gates.push(gate);
            }
        }
        gates.sort_by(Gate::order);
        // A worse class costs more to look at than it can save: asking about values is for the rows that are left.
        if let Some(best) = gates.first().map(|gate| gate.class) {
            gates.retain(|gate| gate.class == best);
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
    /// What every row that satisfies the clause must satisfy.
    fn of(clause: &Clause, program: &Program) -> Option<Self> {
        match clause {
            Clause::Leaf { leaf, wanted: true } => {
                let plan = &program.leaves[leaf.index()];
                let class = match (plan.others.is_empty(), plan.patterns.is_empty()) {
                    (true, true) => Class::Exact,
                    (true, false) => Class::Literal,
                    (false, _) => Class::Any,
                };
                let share = share(plan, program);
                (!plan.late).then(|| Self { leaves: vec![*leaf], decides: None, class, share })
            }
            Clause::Const(_) | Clause::Leaf { wanted: false, .. } => None,
            Clause::All(clauses) => clauses.iter().filter_map(|it| Self::of(it, program)).min_by(Self::order),
            Clause::Any(clauses) => {
                let mut all = Self { leaves: Vec::new(), decides: None, class: Class::Exact, share: 0.0 };
                for clause in clauses {
                    let gate = Self::of(clause, program)?;
                    all.leaves.extend(gate.leaves);
                    all.class = all.class.max(gate.class);
                    all.share += gate.share;
                }
                all.leaves.sort_unstable();
                all.leaves.dedup();
                Some(all)
            }
        }
    }

    fn order(&self, other: &Self) -> std::cmp::Ordering {
        self.class.cmp(&other.class).then(self.share.total_cmp(&other.share))
    }
}

/// A column that gets many different questions (`event.action`) tells rows apart better than one that always gets
/// the same (`event.dataset`).
fn share(leaf: &Leaf, program: &Program) -> f64 {
    let asked = program.columns[leaf.column.index()].predicates;
    leaf.predicates.len() as f64 / asked as f64
}

impl Clause {
    /// Puts the cheapest of the children first, at every level.
    fn order(&mut self, program: &Program) {
        match self {
            Self::Const(_) | Self::Leaf { .. } => {}
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
            Self::All(clauses) | Self::Any(clauses) => {
                clauses.iter().fold(1, |sum: u32, clause| sum.saturating_add(clause.cost(program)))
            }
        }
    }

    fn is_late(&self, program: &Program) -> bool {
        match self {
            Self::Const(_) => false,
            Self::Leaf { leaf, .. } => program.leaves[leaf.index()].late,
            Self::All(clauses) | Self::Any(clauses) => clauses.iter().any(|clause| clause.is_late(program)),
        }
    }

    fn is_any_of_leaves(&self) -> bool {
        let is_leaf = |clause: &Self| matches!(clause, Self::Leaf { wanted: true, .. });
        match self {
            Self::Leaf { .. } => is_leaf(self),
            Self::Any(clauses) => clauses.iter().all(is_leaf),
            Self::Const(_) | Self::All(_) => false,
        }
    }
}
