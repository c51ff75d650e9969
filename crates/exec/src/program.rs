//! All filters as one program.

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use block::Schema;
use ecs::{Scalar, Shape};
use plan::value::Relation;
use plan::{Expr, Matcher, Predicate, Sign};
use rustc_hash::FxHashMap;

use crate::filter::{Clause, Filter, Gate, GateCost};
use crate::hint::Hint;
use crate::ids::{ColumnId, FilterId, LeafId, PredicateId, TermId};
use crate::normal::{Interner, Node};
use crate::view::Source;

/// A column with fewer patterns than this asks each of them; with more, one automaton finds those worth asking.
const AUTOMATON_PATTERNS_MIN: usize = 4;

/// A column with fewer questions for addresses than this asks each of them, and each reads the value; with more, a value is
/// read once, and its address says which are worth asking. An investigation of many alerts asks for thousands.
const ADDRESSES_MIN: usize = 4;

/// Literals of more bytes than this are searched for by the slower and smaller kind of automaton: the fast one takes
/// up to 1 KiB a byte.
const DFA_BYTES_MAX: usize = 16 * 1024;

/// All filters of all rules, ready to run over blocks. Threads share it; each has its own
/// [`Scratch`](crate::Scratch).
#[derive(Debug)]
pub struct Program {
    schema: Schema,
    pub(crate) columns: Vec<ColumnPlan>,
    pub(crate) predicates: Vec<PredicatePlan>,
    pub(crate) leaves: Vec<Leaf>,
    pub(crate) relations: Vec<RelationPlan>,
    pub(crate) filters: Vec<Filter>,
    /// The filters that no index leads to: looked at in every block.
    pub(crate) always: Vec<FilterId>,
}

/// What is asked about one path.
#[derive(Debug)]
pub(crate) struct ColumnPlan {
    pub(crate) source: Source,
    /// Costly to fill, so filled only for rows that pass everything else.
    pub(crate) late: bool,
    pub(crate) terms: FxHashMap<Box<str>, TermId>,
    /// The same texts by number.
    pub(crate) texts: Vec<Box<str>>,
    /// The predicates that hold for a text and lead to filters, by the text's number.
    pub(crate) leads: Vec<Vec<PredicateId>>,
    /// All predicates of the column that lead to filters.
    pub(crate) leading: Vec<PredicateId>,
    pub(crate) automaton: Option<Automaton>,
    /// The predicates that hold for one address or some, by the address.
    pub(crate) addresses: FxHashMap<u128, Vec<PredicateId>>,
    /// Whether a predicate that is found by searching leads to filters, so that every block's whole dictionary is searched.
    pub(crate) search_leads: bool,
    /// How many different predicates ask about it.
    pub(crate) predicates: usize,
}

/// Finds the predicates whose literals occur in a text.
#[derive(Debug)]
pub(crate) struct Automaton {
    pub(crate) searcher: AhoCorasick,
    /// The predicates with that literal.
    pub(crate) predicates: Vec<Vec<PredicateId>>,
}

#[derive(Debug)]
pub(crate) struct PredicatePlan {
    pub(crate) column: ColumnId,
    pub(crate) matcher: Matcher,
    pub(crate) kind: Kind,
    /// The filters that need this or one of the others that lead to them.
    pub(crate) filters: Vec<FilterId>,
}

/// How to find the strings that satisfy a predicate. Values that are no strings are always asked about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// Exactly these texts do.
    Terms(Vec<TermId>),
    /// Those do that a search of the column finds, by a literal or by the address that they are, and that the matcher confirms.
    Pattern,
    /// Each must be asked about.
    Any,
}

/// A question about several columns, decided row by row.
#[derive(Debug)]
pub(crate) struct RelationPlan {
    pub(crate) relation: Relation,
    /// For each operand the columns that hold its values.
    pub(crate) columns: Vec<Vec<ColumnId>>,
    /// One of them is a late column.
    pub(crate) late: bool,
}

/// Predicates on one column, any of which may hold.
#[derive(Debug)]
pub(crate) struct Leaf {
    pub(crate) column: ColumnId,
    /// All of them, ascending, then those of each kind.
    pub(crate) predicates: Vec<PredicateId>,
    pub(crate) terms: Vec<TermId>,
    pub(crate) patterns: Vec<PredicateId>,
    pub(crate) others: Vec<PredicateId>,
    /// It is on a late column.
    pub(crate) late: bool,
}

impl Leaf {
    /// Whether a look-up of terms decides it for all strings of a block.
    pub(crate) fn is_exact(&self) -> bool {
        self.patterns.is_empty() && self.others.is_empty()
    }

    /// Whether an index can lead from the values of a block to it.
    pub(crate) fn can_lead(&self) -> bool {
        self.others.is_empty() && !self.late
    }
}

impl Program {
    /// Makes one program of all filters. A filter is known by its index from now on.
    ///
    /// The expressions' depth bounds the recursion, here and when the program runs; every language has a limit
    /// of depth for this.
    pub fn compile(filters: &[Expr]) -> Self {
        Self::compile_with_late(filters, |_, _| false)
    }

    /// As [`Program::compile`]; for the columns that `late` picks, [`Program::candidates`] needs no values.
    pub fn compile_with_late(filters: &[Expr], late: impl Fn(&str, Shape) -> bool) -> Self {
        let mut interner = Interner::default();
        let nodes: Vec<Node> = filters.iter().map(|filter| interner.normalise(filter, true)).collect();
        let mut program = Self {
            schema: Schema::default(),
            columns: Vec::with_capacity(interner.columns.len()),
            predicates: Vec::with_capacity(interner.predicates.len()),
            leaves: Vec::new(),
            relations: Vec::with_capacity(interner.relations.len()),
            filters: Vec::with_capacity(filters.len()),
            always: Vec::new(),
        };
        program.add_columns(&interner, late);
        program.add_predicates(&interner);
        program.add_relations(&interner);
        let mut leaf_ids = FxHashMap::default();
        for (node, filter) in nodes.into_iter().zip(filters) {
            let clause = program.clause(node, &mut leaf_ids);
            let gates = program.gates(filter, &interner, &mut leaf_ids);
            program.filters.push(Filter::new(clause, gates, &program));
        }
        program.index_filters();
        program
    }

    /// Lets [`Program::candidates`] name the rows of this filter even if the filter itself needs no late column: for
    /// callers that read such a column of the rows that match.
    pub fn want_late(&mut self, filter: usize) {
        self.filters[filter].wants_late = true;
    }

    /// The columns that the filters ask about. A block's schema must have them as its first columns: to add
    /// more, extend a clone of this.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// How many filters there are.
    pub fn len(&self) -> usize {
        self.filters.len()
    }

    /// Whether there is no filter.
    pub fn is_empty(&self) -> bool {
        self.filters.is_empty()
    }

    fn add_columns(&mut self, interner: &Interner<'_>, late: impl Fn(&str, Shape) -> bool) {
        for &(path, shape) in &interner.columns {
            let source = Source::of(path, shape, |path, shape| self.schema.add(path, shape));
            self.columns.push(ColumnPlan {
                source,
                late: matches!(source, Source::Slot(_)) && late(path, shape),
                terms: FxHashMap::default(),
                texts: Vec::new(),
                leads: Vec::new(),
                leading: Vec::new(),
                automaton: None,
                addresses: FxHashMap::default(),
                search_leads: false,
                predicates: 0,
            });
        }
    }

    fn add_predicates(&mut self, interner: &Interner<'_>) {
        let mut literals: Vec<FxHashMap<String, Vec<PredicateId>>> =
            vec![FxHashMap::default(); self.columns.len()];
        let mut for_addresses: Vec<Vec<PredicateId>> = vec![Vec::new(); self.columns.len()];
        for (at, &(column, predicate)) in interner.predicates.iter().enumerate() {
            let id = PredicateId::new(at);
            let matcher = predicate.test.compile();
            let plan = &mut self.columns[column.index()];
            plan.predicates += 1;
            // Only a column's dictionary holds each value once, so that one look-up finds all of it.
            let hint =
                if matches!(plan.source, Source::Slot(_)) { Hint::of(&predicate.test) } else { Hint::Any };
            let kind = match hint {
                Hint::Terms(texts) => {
                    let mut terms: Vec<TermId> = texts
                        .iter()
                        .filter(|text| matcher.matches(Scalar::Str(text)))
                        .map(|text| plan.term(text))
                        .collect();
                    terms.sort_unstable();
                    terms.dedup();
                    Kind::Terms(terms)
                }
                Hint::Contains(texts) => {
                    for text in texts {
                        literals[column.index()].entry(text.to_ascii_lowercase()).or_default().push(id);
                    }
                    Kind::Pattern
                }
                Hint::Addresses(addresses) => {
                    for address in addresses {
                        plan.addresses.entry(address).or_default().push(id);
                    }
                    for_addresses[column.index()].push(id);
                    Kind::Pattern
                }
                Hint::Any => Kind::Any,
            };
            self.predicates.push(PredicatePlan { column, matcher, kind, filters: Vec::new() });
        }
        for (column, them) in self.columns.iter_mut().zip(for_addresses) {
            if them.len() < ADDRESSES_MIN {
                column.addresses.clear();
                for id in them {
                    self.predicates[id.index()].kind = Kind::Any;
                }
            }
        }
        for (column, literals) in self.columns.iter_mut().zip(literals) {
            // Sorted, because the order of a hash map must not decide anything.
            let mut literals: Vec<(String, Vec<PredicateId>)> = literals.into_iter().collect();
            literals.sort_unstable();
            let mut patterns: Vec<PredicateId> = literals.iter().flat_map(|(_, ids)| ids).copied().collect();
            patterns.sort_unstable();
            patterns.dedup();
            if patterns.len() >= AUTOMATON_PATTERNS_MIN {
                column.automaton = Automaton::new(literals);
            }
            if column.automaton.is_none() {
                for id in patterns {
                    self.predicates[id.index()].kind = Kind::Any;
                }
            }
        }
    }

    fn add_relations(&mut self, interner: &Interner<'_>) {
        for (columns, relation) in &interner.relations {
            let late = columns.iter().flatten().any(|it| self.columns[it.index()].late);
            self.relations.push(RelationPlan {
                relation: (*relation).clone(),
                columns: columns.clone(),
                late,
            });
        }
    }

    fn clause(&mut self, node: Node, ids: &mut FxHashMap<Vec<PredicateId>, LeafId>) -> Clause {
        match node {
            Node::Const(value) => Clause::Const(value),
            Node::All(nodes) => Clause::All(nodes.into_iter().map(|node| self.clause(node, ids)).collect()),
            Node::Any(nodes) => Clause::Any(nodes.into_iter().map(|node| self.clause(node, ids)).collect()),
            Node::Leaf { wanted, column, predicates } => {
                Clause::Leaf { leaf: self.leaf_id(column, predicates, ids), wanted }
            }
            Node::Relation { wanted, id } => Clause::Relation { id, wanted },
        }
    }

    fn leaf_id(
        &mut self,
        column: ColumnId,
        predicates: Vec<PredicateId>,
        ids: &mut FxHashMap<Vec<PredicateId>, LeafId>,
    ) -> LeafId {
        if let Some(&id) = ids.get(&predicates) {
            return id;
        }
        let id = LeafId::new(self.leaves.len());
        ids.insert(predicates.clone(), id);
        let leaf = self.leaf(column, predicates);
        self.leaves.push(leaf);
        id
    }

    /// What follows from a filter and can be told of columns that are filled at once: for each clause that must hold the
    /// best set of predicates one of which must.
    fn gates(
        &mut self,
        filter: &Expr,
        interner: &Interner<'_>,
        ids: &mut FxHashMap<Vec<PredicateId>, LeafId>,
    ) -> Vec<Gate> {
        let is_early = |it: &Predicate| interner.id(it).is_some_and(|(at, _)| !self.columns[at.index()].late);
        let early = filter.weaken(|predicate, sign| sign == Sign::Holds && is_early(predicate));
        let numbers = |them: &[&Predicate]| -> Vec<PredicateId> {
            them.iter().filter_map(|it| interner.id(it)).map(|(_, id)| id).collect()
        };
        let sets: Vec<Vec<PredicateId>> = early
            .conjuncts()
            .iter()
            .filter_map(|clause| clause.one_of(&|them| GateCost::of(&numbers(them), self)))
            .map(|them| numbers(&them))
            .filter(|them| !them.is_empty())
            .collect();
        let mut gates = Vec::with_capacity(sets.len());
        for mut set in sets {
            let column = |id: &PredicateId| self.predicates[id.index()].column;
            set.sort_unstable_by_key(|id| (column(id), *id));
            set.dedup();
            let cost = GateCost::of(&set, self);
            let by_column: Vec<(ColumnId, Vec<PredicateId>)> =
                set.chunk_by(|a, b| column(a) == column(b)).map(|it| (column(&it[0]), it.to_vec())).collect();
            let leaves =
                by_column.into_iter().map(|(column, them)| self.leaf_id(column, them, ids)).collect();
            gates.push(Gate::new(leaves, cost));
        }
        gates
    }

    fn leaf(&self, column: ColumnId, predicates: Vec<PredicateId>) -> Leaf {
        let late = self.columns[column.index()].late;
        let (mut terms, mut patterns, mut others) = (Vec::new(), Vec::new(), Vec::new());
        for &id in &predicates {
            match &self.predicates[id.index()].kind {
                Kind::Terms(its) => terms.extend_from_slice(its),
                Kind::Pattern => patterns.push(id),
                Kind::Any => others.push(id),
            }
        }
        terms.sort_unstable();
        terms.dedup();
        Leaf { column, predicates, terms, patterns, others, late }
    }

    /// Lets the predicates of each filter's best gate lead to it.
    fn index_filters(&mut self) {
        for at in 0..self.filters.len() {
            let id = FilterId::new(at);
            let filter = &self.filters[at];
            if filter.never {
                continue;
            }
            let Some(leaves) = filter.index_gate(self).map(|gate| gate.leaves.clone()) else {
                self.always.push(id);
                continue;
            };
            for leaf in leaves {
                for &predicate in &self.leaves[leaf.index()].predicates {
                    self.predicates[predicate.index()].filters.push(id);
                }
            }
        }
        for (at, predicate) in self.predicates.iter().enumerate() {
            if predicate.filters.is_empty() {
                continue;
            }
            let id = PredicateId::new(at);
            let column = &mut self.columns[predicate.column.index()];
            column.leading.push(id);
            match &predicate.kind {
                Kind::Terms(terms) => terms.iter().for_each(|term| column.leads[term.index()].push(id)),
                Kind::Pattern => column.search_leads = true,
                Kind::Any => {}
            }
        }
    }
}

impl ColumnPlan {
    fn term(&mut self, text: &str) -> TermId {
        if let Some(&id) = self.terms.get(text) {
            return id;
        }
        let id = TermId::new(self.texts.len());
        self.terms.insert(text.into(), id);
        self.texts.push(text.into());
        self.leads.push(Vec::new());
        id
    }
}

impl Automaton {
    /// `None` if the literals are too many for one automaton.
    fn new(literals: Vec<(String, Vec<PredicateId>)>) -> Option<Self> {
        let bytes: usize = literals.iter().map(|(literal, _)| literal.len()).sum();
        let searcher = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .kind((bytes <= DFA_BYTES_MAX).then_some(AhoCorasickKind::DFA))
            .ascii_case_insensitive(true)
            .build(literals.iter().map(|(literal, _)| literal))
            .ok()?;
        let predicates = literals.into_iter().map(|(_, ids)| ids).collect();
        Some(Self { searcher, predicates })
    }
}
