//! Columns whose values are told when all matches are known.
//!
//! Who is behind an event may be told by a call that is read later, and that was ingested later. So what goes with a match
//! is whose event it is; when everything was read, the values are put in its place, each with the times for which it is
//! the value.

use ecs::{Millis, Scalar};
use identity::{Graph, Who};

use crate::tails::{Column, ColumnNumber, Tails};
use crate::term::{Interner, TermId};

/// The values of a column over time, by whose event it is.
#[derive(Debug)]
pub(crate) struct ToldColumn {
    /// By the number of the identity: since when which values are the column's, the earliest first.
    histories: Vec<Vec<(Millis, Box<[TermId]>)>>,
}

/// The columns of one filter that are told, each at its place among all of the filter's.
#[derive(Clone, Copy)]
pub(crate) struct Told<'t> {
    columns: &'t [ColumnNumber],
    all: &'t [Option<ToldColumn>],
}

/// The values of a match, and the first and last end of an execution for which they are that.
pub(crate) type ToldValues = (Millis, Millis, Box<[Vec<TermId>]>);

impl ToldColumn {
    /// Tells all columns that are told later: the values of these are no longer identities.
    pub(super) fn tell(tails: &Tails, values: &mut [Interner], graph: &Graph) -> Vec<Option<Self>> {
        let told = |(column, values)| tails.tells().then(|| Self::of(column, values, graph))?;
        tails.column_slice().iter().zip(values).map(told).collect()
    }

    fn of(column: &Column, values: &mut Interner, graph: &Graph) -> Option<Self> {
        let field = column.told()?;
        let identities = std::mem::take(values);
        let mut histories = Vec::with_capacity(identities.len());
        for number in 0..identities.len() as u32 {
            let identity = identities.get(TermId(number)).delivered();
            let Some(Scalar::Str(packed)) = identity else {
                histories.push(Vec::new());
                continue;
            };
            let mut history: Vec<(Millis, Box<[TermId]>)> = Vec::new();
            for piece in graph.history(Who::unpack(packed)) {
                let term = |text: &str| column.ty.with(Scalar::Str(text), |term| values.intern(term));
                let ids: Box<[TermId]> = piece.root.values(field).into_iter().filter_map(term).collect();
                if history.last().is_none_or(|(_, last)| *last != ids) {
                    history.push((piece.from, ids));
                }
            }
            histories.push(history);
        }
        Some(Self { histories })
    }

    /// The values for an execution that ends then.
    fn at(&self, identity: TermId, time: Millis) -> &[TermId] {
        let history = &self.histories[identity.index()];
        let at = history.partition_point(|(from, _)| *from <= time);
        at.checked_sub(1).map_or(&[], |at| &history[at].1)
    }
}

impl<'t> Told<'t> {
    pub(crate) fn new(columns: &'t [ColumnNumber], all: &'t [Option<ToldColumn>]) -> Self {
        Self { columns, all }
    }

    /// Whether any column is told.
    pub(crate) fn is_any(&self) -> bool {
        self.columns.iter().any(|it| self.all[it.index()].is_some())
    }

    /// What is known of a match for an execution that ends at `time`.
    pub(crate) fn at(&self, values: &[&[TermId]], time: Millis) -> Box<[Vec<TermId>]> {
        let column = |(number, ids): (&ColumnNumber, &&[TermId])| match &self.all[number.index()] {
            None => ids.to_vec(),
            Some(told) => ids.iter().flat_map(|&id| told.at(id, time)).copied().collect(),
        };
        self.columns.iter().zip(values).map(column).collect()
    }

    /// All that is ever known of a match by executions that see it: those that end no earlier than it happened.
    pub(crate) fn all(&self, values: &[&[TermId]], seen: Millis) -> Vec<ToldValues> {
        let mut starts: Vec<Millis> = self
            .columns
            .iter()
            .zip(values)
            .filter_map(|(number, ids)| Some((self.all[number.index()].as_ref()?, ids)))
            .flat_map(|(told, ids)| ids.iter().flat_map(|id| &told.histories[id.index()]))
            .map(|(from, _)| *from)
            .filter(|from| *from > seen)
            .collect();
        starts.sort_unstable();
        starts.dedup();
        let firsts = std::iter::once(Millis::MIN).chain(starts.iter().copied());
        let lasts = starts.iter().map(|it| it - 1).chain([Millis::MAX]);
        firsts.zip(lasts).map(|(first, last)| (first, last, self.at(values, first.max(seen)))).collect()
    }
}
