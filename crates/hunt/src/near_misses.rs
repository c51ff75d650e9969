//! What nearly matched: of each rule the events that satisfy all of its clauses but one.
//!
//! A rule of clauses *a*, *b* and *c* becomes four filters of the one pass: all three, and each two of them. An event
//! that satisfies *a* and *b* and not *c* is a near miss of *c*. If nothing matches, and something nearly did but for
//! *c*, then *c* is what keeps the rule from firing: it may ask for a value that is written otherwise.
//!
//! A sequence has a filter for each of its items. Each is counted by itself, and said to be of its item; what the events of
//! the items must have in common no single event tells.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::io::Read;
use std::sync::Arc;

use ecs::{Catalog, Scalar, Shape};
use plan::Expr;
use plan::value::{Measure, Operand, Values as OperandValues};
use reader::Discovery;
use rule::{Form, Pattern, Rule};
use sift::{Event, Filter, Policy, Seen, Sift, Sifted, Sink};

use crate::Progress;
use crate::progress::Stage;
use crate::pushing::{Pushing, Takes};
use crate::run::{HuntError, HuntOptions, Refused, RunnableRules, prepare};
use crate::scan::{Which, scan};
use crate::trouble::{Trouble, Troubles};

/// Different values that are counted of a field that a clause is about; further ones are counted together.
const VALUES_MAX: usize = 1_000;

/// Choices of an event's values from which is computed what a clause computes.
const CHOICES_MAX: usize = 100;

/// The name of the index, which stands beside the event.
const INDEX: &str = "_index";

/// What nearly matched.
#[derive(Debug)]
pub struct NearMisses {
    /// The rules that can run, in their order.
    pub rules: Vec<RuleMisses>,
    /// The rules that cannot.
    pub refused: Vec<Refused>,
    /// Records that were looked at.
    pub records: u64,
    /// What could not be read: the first of it,
    pub troubles: Vec<Trouble>,
    /// and how much there is.
    pub trouble_count: u64,
    /// How much of it may have cost records.
    pub loss_count: u64,
}

/// What nearly matched one rule.
#[derive(Clone, Debug)]
pub struct RuleMisses {
    /// The rule.
    pub rule: Arc<Rule>,
    /// Records that satisfy all clauses; of a sequence, all clauses of an item.
    pub matched: u64,
    /// Of a sequence or a sample, how many of them each item has.
    pub items: Vec<(Item, u64)>,
    /// The clauses that some records lack alone, those that most lack first.
    pub clauses: Vec<ClauseMisses>,
}

/// The records that satisfy everything but one clause.
#[derive(Clone, Debug)]
pub struct ClauseMisses {
    /// The clause, in words.
    pub clause: String,
    /// Of which item of a sequence or a sample it is.
    pub item: Option<Item>,
    /// How many records lack it alone.
    pub missed: u64,
    /// No record satisfies it together with the rest, and the rule needs one.
    pub never_holds: bool,
    /// What they have in the fields that it is about, the most frequent first; nothing of a field is the empty list. Then
    /// what it computes from these.
    pub fields: Vec<FieldValues>,
}

/// An item of a sequence or a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item {
    /// One that an event must satisfy.
    Event {
        /// Its number, from 1.
        number: usize,
        /// How many items there are.
        of: usize,
    },
    /// One that no event may satisfy.
    Missing {
        /// Its number, from 1.
        number: usize,
        /// How many items there are.
        of: usize,
    },
    /// What ends sequences.
    Until,
}

impl Item {
    /// That of the filter of that number; none if the rule asks for single events.
    fn of(filter: usize, pattern: Option<&Pattern>) -> Option<Self> {
        let pattern = pattern.filter(|it| it.form != Form::Event)?;
        if pattern.until == Some(filter) {
            return Some(Self::Until);
        }
        // Each item has a filter of its own, in the order of the query.
        let (number, of) = (filter + 1, pattern.filters() - usize::from(pattern.until.is_some()));
        let is_missing = pattern.stages.iter().any(|it| it.filter == filter && it.missing);
        Some(if is_missing { Self::Missing { number, of } } else { Self::Event { number, of } })
    }

    /// Whether there is no result without an event that satisfies it.
    pub fn is_needed(self) -> bool {
        match self {
            Self::Event { .. } => true,
            Self::Missing { .. } | Self::Until => false,
        }
    }
}

/// What records have in a field, or what is computed from what they have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldValues {
    /// Its path, or what is computed: `length(user.name)`.
    pub path: String,
    /// The values and how many records have each.
    pub values: Vec<(String, u64)>,
    /// Records with none; of what is computed, how often it is null.
    pub absent: u64,
    /// Values beyond those that are told apart.
    pub more: u64,
}

impl RuleMisses {
    /// The clauses that never hold where the rest does: nothing matched the rule, or an item of it, and this is why.
    pub fn blockers(&self) -> impl Iterator<Item = &ClauseMisses> {
        self.clauses.iter().filter(|it| it.never_holds)
    }

    /// Items of which there is no event, while there are of others.
    pub fn lacks_items(&self) -> bool {
        let needed = || self.items.iter().filter(|(item, _)| item.is_needed());
        needed().any(|(_, matched)| *matched == 0) && needed().any(|(_, matched)| *matched > 0)
    }
}

/// Counts near misses in the paths of a hunt.
pub fn near_misses(
    options: &HuntOptions,
    stdin: &mut dyn Read,
    progress: &Progress,
) -> Result<NearMisses, HuntError> {
    let catalog = Catalog::ecs();
    let RunnableRules { rules, filters, patterns, refused, .. } = prepare(options, &catalog);
    let discovery =
        Discovery::with_stored(&options.paths, &options.stored, stdin).map_err(HuntError::Paths)?;
    if rules.is_empty() {
        return Err(if refused.is_empty() { HuntError::NoRules } else { HuntError::AllRefused(refused) });
    }
    let questions = Questions::new(&filters, &patterns);
    let sift = Sift::new(questions.filters.clone(), Policy::OnlyMatches, options.settings());
    progress.enter(Stage::Scanning);
    let read = reader::Options {
        limits: options.limits.clone(),
        without_tokens: sift.skips(),
        ..reader::Options::default()
    };
    let make = || {
        let of = vec![Count::default(); questions.filters.len()];
        Pushing::new(sift.worker(), Counts { questions: &questions, of })
    };
    let (visitors, _) = scan(&Which::All(&discovery.inputs), &read, options.threads, progress, make);
    let mut troubles = Troubles::of_paths(&discovery.failures);
    let mut all = vec![Count::default(); questions.filters.len()];
    let mut seen = Seen::default();
    let mut foreign = 0;
    for visitor in visitors {
        seen.merge(visitor.worker.seen());
        foreign += visitor.foreign;
        troubles.merge(visitor.troubles);
        for (mine, theirs) in all.iter_mut().zip(visitor.taking.of) {
            mine.merge(theirs);
        }
    }
    let name = |input: u32| discovery.inputs.get(input as usize).map_or("", reader::Input::name).to_owned();
    let loss_count = troubles.losses();
    let (troubles, trouble_count) = troubles.finish(name);
    Ok(NearMisses {
        rules: questions.answers(rules, &all),
        refused,
        records: seen.counts.records + foreign,
        troubles,
        trouble_count,
        loss_count,
    })
}

/// The filters that are run: of each rule's filter the whole, then the whole without each clause.
struct Questions {
    filters: Vec<Filter>,
    /// For each filter what the clause computes that it leaves out.
    measures: Vec<Vec<Measure>>,
    /// For each filter the whole that it is a part of.
    whole: Vec<usize>,
    asked: Vec<Asked>,
}

/// What is asked for a filter of a rule.
struct Asked {
    /// Its place among the rules.
    rule: usize,
    /// What it is of the rule.
    item: Option<Item>,
    /// The place of its whole filter.
    whole: usize,
    /// Its clauses; what is left without each follows the whole, in this order.
    clauses: Vec<Expr>,
}

impl Questions {
    fn new(rules: &[Vec<Expr>], patterns: &[Option<Pattern>]) -> Self {
        let (filters, measures, whole, asked) = Default::default();
        let mut all = Self { filters, measures, whole, asked };
        let filters = rules.iter().enumerate().flat_map(|(rule, its)| {
            its.iter().enumerate().map(move |(at, expr)| (rule, Item::of(at, patterns[rule].as_ref()), expr))
        });
        for (rule, item, expr) in filters {
            let clauses = expr.conjuncts();
            let whole = all.filters.len();
            all.filters.push(Filter { expr: expr.clone(), needs: Vec::new() });
            all.measures.push(Vec::new());
            // With one clause everything is a near miss of it, which says nothing.
            let clauses = if clauses.len() > 1 { clauses.to_vec() } else { Vec::new() };
            for (at, clause) in clauses.iter().enumerate() {
                let others = clauses.iter().enumerate().filter(|(other, _)| *other != at);
                let rest = Expr::And(others.map(|(_, it)| it.clone()).collect()).simplify();
                let needs = clause.paths().into_iter().map(|(path, shape)| (path.to_owned(), shape));
                all.filters.push(Filter { expr: rest, needs: needs.collect() });
                all.measures.push(clause.measures());
            }
            all.whole.resize(all.filters.len(), whole);
            all.asked.push(Asked { rule, item, whole, clauses });
        }
        all
    }

    fn answers(&self, rules: Vec<Arc<Rule>>, counts: &[Count]) -> Vec<RuleMisses> {
        let none = |rule| RuleMisses { rule, matched: 0, items: Vec::new(), clauses: Vec::new() };
        let mut answers: Vec<RuleMisses> = rules.into_iter().map(none).collect();
        for Asked { rule, item, whole, clauses } in &self.asked {
            let matched = counts[*whole].matched;
            let answer = &mut answers[*rule];
            answer.matched += matched;
            answer.items.extend(item.map(|it| (it, matched)));
            for (at, clause) in clauses.iter().enumerate() {
                let filter = whole + 1 + at;
                // Whatever satisfies the whole satisfies each part of it.
                let missed = counts[filter].matched - matched;
                if missed == 0 {
                    continue;
                }
                let fields = self.filters[filter].needs.iter().map(|(path, _)| path.clone());
                let names = fields.chain(self.measures[filter].iter().map(ToString::to_string));
                let fields = names.zip(&counts[filter].values).map(|(name, values)| values.told(name));
                answer.clauses.push(ClauseMisses {
                    clause: words(clause),
                    item: *item,
                    missed,
                    never_holds: matched == 0 && item.is_none_or(Item::is_needed),
                    fields: fields.collect(),
                });
            }
        }
        for answer in &mut answers {
            answer.clauses.sort_by(|a, b| b.missed.cmp(&a.missed).then_with(|| a.clause.cmp(&b.clause)));
        }
        answers
    }
}

/// A clause in one line.
fn words(expr: &Expr) -> String {
    let join = |clauses: &[Expr], word: &str| {
        let parts: Vec<String> = clauses.iter().map(words).collect();
        format!("({})", parts.join(word))
    };
    match expr {
        Expr::And(clauses) => join(clauses, " and "),
        Expr::Or(clauses) => join(clauses, " or "),
        Expr::Not(inner) => format!("not {}", words(inner)),
        Expr::Const(_) | Expr::Is(_) | Expr::Relates(_) => plan::explain(expr, &ecs::Object::new()).clause,
    }
}

/// What is counted of a filter.
#[derive(Clone, Debug, Default)]
struct Count {
    matched: u64,
    /// For each field of the clause that the filter leaves out, and then for each thing that it computes, what those have
    /// that lack it.
    values: Vec<Values>,
}

#[derive(Clone, Debug, Default)]
struct Values {
    counts: BTreeMap<String, u64>,
    absent: u64,
    more: u64,
}

impl Count {
    fn merge(&mut self, other: Self) {
        self.matched += other.matched;
        if self.values.is_empty() {
            self.values = other.values;
            return;
        }
        for (mine, theirs) in self.values.iter_mut().zip(other.values) {
            mine.absent += theirs.absent;
            mine.more += theirs.more;
            for (value, count) in theirs.counts {
                mine.add(value, count);
            }
        }
    }
}

impl Values {
    fn add(&mut self, value: String, count: u64) {
        let is_full = self.counts.len() >= VALUES_MAX;
        match self.counts.entry(value) {
            Entry::Occupied(mut known) => *known.get_mut() += count,
            Entry::Vacant(_) if is_full => self.more += count,
            Entry::Vacant(new) => {
                new.insert(count);
            }
        }
    }

    fn told(&self, path: String) -> FieldValues {
        let mut values: Vec<(String, u64)> =
            self.counts.iter().map(|(value, count)| (value.clone(), *count)).collect();
        values.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        FieldValues { path, values, absent: self.absent, more: self.more }
    }
}

/// What one thread counts.
struct Counts<'q> {
    questions: &'q Questions,
    of: Vec<Count>,
}

impl Takes for Counts<'_> {}

impl Sink for Counts<'_> {
    fn take(&mut self, sifted: &Sifted<'_>) {
        for event in sifted.events() {
            let matched: Vec<usize> = event.filters().collect();
            for &filter in &matched {
                self.of[filter].matched += 1;
            }
            // An event that satisfies the whole of a rule is no near miss of it.
            let mut whole = None;
            for &filter in &matched {
                let of = self.questions.whole[filter];
                if filter == of {
                    whole = Some(of);
                } else if whole != Some(of) {
                    self.values(filter, sifted, &event);
                }
            }
        }
    }
}

impl Counts<'_> {
    fn values(&mut self, filter: usize, sifted: &Sifted<'_>, event: &Event<'_>) {
        let (needs, measures) = (&self.questions.filters[filter].needs, &self.questions.measures[filter]);
        let count = &mut self.of[filter];
        count.values.resize_with(needs.len() + measures.len(), Values::default);
        let (of_fields, of_measures) = count.values.split_at_mut(needs.len());
        for (at, values) in of_fields.iter_mut().enumerate() {
            let mut is_absent = true;
            each_value(sifted, event, filter, &needs[at], at, |value| {
                values.add(value.text().into_owned(), 1);
                is_absent = false;
            });
            values.absent += u64::from(is_absent);
        }
        for (measure, counts) in measures.iter().zip(of_measures) {
            let of_operand = |operand: &Operand| {
                let mut values = OperandValues::new(operand);
                for (at, need) in needs.iter().enumerate() {
                    if need.1 == operand.shape && operand.paths.contains(&need.0) {
                        each_value(sifted, event, filter, need, at, |value| values.add_copy(value));
                    }
                }
                values.finish()
            };
            let values: Vec<_> = measure.operands().iter().map(of_operand).collect();
            for computed in measure.of(&values, CHOICES_MAX) {
                match computed {
                    Some(value) => counts.add(value, 1),
                    None => counts.absent += 1,
                }
            }
        }
    }
}

/// The values that an event has in a column that was asked for with a filter.
fn each_value(
    sifted: &Sifted<'_>,
    event: &Event<'_>,
    filter: usize,
    (path, shape): &(String, Shape),
    at: usize,
    mut take: impl FnMut(Scalar<'_>),
) {
    if path == INDEX && *shape == Shape::Leaf {
        let name = sifted.indices().get(event.index as usize);
        return take(Scalar::Str(name.map_or("", String::as_str)));
    }
    let slot = sifted.needs(filter)[at];
    for &ordinal in sifted.row(slot, event) {
        take(sifted.column(slot).value(ordinal));
    }
}
