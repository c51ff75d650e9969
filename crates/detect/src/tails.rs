//! The tails of all rules, with the filters and columns numbered.

use std::collections::HashMap;
use std::ops::Range;

use ecs::Shape;
use identity::RootField;

use crate::Tail;
use crate::term::TermType;

/// The number of a column among those that rules ask for; see [`Tails::columns`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ColumnNumber(u32);

impl ColumnNumber {
    /// As an index.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Values of events that go with their matches: where they stand, and how they are typed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Column {
    pub(crate) path: String,
    pub(crate) shape: Shape,
    pub(crate) ty: TermType,
}

impl Column {
    /// What of who is behind an event its values are, if they are that.
    pub(crate) fn told(&self) -> Option<RootField> {
        RootField::of(&self.path)
    }
}

/// The tails of all rules. Filters are numbered over all rules: those of a rule follow one another, and those of the
/// next rule follow them.
#[derive(Clone, Debug)]
pub struct Tails {
    rules: Vec<Tail>,
    filters: Vec<Filter>,
    columns: Vec<Column>,
    /// Whether who is behind an event is told later.
    tells: bool,
}

/// One filter of some rule.
#[derive(Clone, Debug)]
struct Filter {
    rule: usize,
    /// Which of the rule's filters it is.
    step: usize,
    columns: Vec<ColumnNumber>,
}

impl Tails {
    /// Rules are known by their place from now on.
    pub fn new(tails: Vec<Tail>) -> Self {
        let mut numbers: HashMap<Column, ColumnNumber> = HashMap::new();
        let (mut columns, mut filters) = (Vec::new(), Vec::new());
        for (rule, tail) in tails.iter().enumerate() {
            for step in 0..tail.filters() {
                let wanted = tail.columns(step).into_iter().map(|column| {
                    *numbers.entry(column).or_insert_with_key(|column| {
                        columns.push(column.clone());
                        ColumnNumber(columns.len() as u32 - 1)
                    })
                });
                filters.push(Filter { rule, step, columns: wanted.collect() });
            }
        }
        Self { rules: tails, filters, columns, tells: true }
    }

    /// For events that say themselves who is behind them.
    pub fn of_told_events(tails: Vec<Tail>) -> Self {
        Self { tells: false, ..Self::new(tails) }
    }

    /// The tails, one a rule.
    pub fn rules(&self) -> &[Tail] {
        &self.rules
    }

    /// How many filters the rules have together.
    pub fn filters(&self) -> usize {
        self.filters.len()
    }

    /// The filters of a rule.
    pub fn filters_of(&self, rule: usize) -> Range<usize> {
        let start = self.filters.partition_point(|it| it.rule < rule);
        let len = self.filters[start..].iter().take_while(|it| it.rule == rule).count();
        start..start + len
    }

    /// The rule that a filter belongs to.
    pub fn rule_of(&self, filter: usize) -> usize {
        self.filters[filter].rule
    }

    /// The tail of the rule that a filter belongs to.
    pub fn tail_of(&self, filter: usize) -> &Tail {
        &self.rules[self.filters[filter].rule]
    }

    /// The columns whose values go with a match of the filter, in this order. Filters that ask for the same values
    /// share the number.
    pub fn columns(&self, filter: usize) -> &[ColumnNumber] {
        &self.filters[filter].columns
    }

    /// Whether the column's values are told only when all that was matched is known: see
    /// [`Collector::finish_with`](crate::Collector::finish_with). What goes with a match is then whose event it is.
    pub fn is_told_later(&self, column: ColumnNumber) -> bool {
        self.tells && self.column(column).told().is_some()
    }

    /// All columns by number: the path, and how it is laid out.
    pub fn all_columns(&self) -> impl Iterator<Item = (&str, Shape)> {
        self.columns.iter().map(|it| (it.path.as_str(), it.shape))
    }

    pub(crate) fn step(&self, filter: usize) -> usize {
        self.filters[filter].step
    }

    pub(crate) fn column(&self, number: ColumnNumber) -> &Column {
        &self.columns[number.index()]
    }

    pub(crate) fn tells(&self) -> bool {
        self.tells
    }

    pub(crate) fn column_slice(&self) -> &[Column] {
        &self.columns
    }

    pub(crate) fn column_count(&self) -> usize {
        self.columns.len()
    }
}
