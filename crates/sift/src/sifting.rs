//! All filters, made ready to run.

use std::collections::BTreeSet;
use std::sync::Arc;

use block::{Schema, Slot};
use cloudtrail::Traits;
use ecs::{CLOUDTRAIL_INDEX, Millis, Object, Shape};
use exec::Program;
use plan::Expr;

use crate::calls::Calls;
use crate::index::Indices;
use crate::late::{is_costly, late_paths};
use crate::rows::Phase;
use crate::skip::Skip;
use crate::worker::Worker;

/// Events of a block, if nothing else is asked for.
pub const BLOCK_ROWS: usize = 4096;

/// A condition on single events, and what is asked of those that satisfy it.
#[derive(Clone, Debug)]
pub struct Filter {
    /// The condition.
    pub expr: Expr,
    /// The columns whose values are wanted of its matches.
    pub needs: Vec<(String, Shape)>,
}

/// What may be left out.
#[derive(Clone, Debug)]
pub enum Policy {
    /// Everything that does not matter to the matches: the caller sees nothing else.
    OnlyMatches,
    /// The same, of records whose fields were taken apart before ([`Worker::push_stored`]): what these fields answer is not
    /// asked of the record, and the record is asked for only where they leave a verdict open.
    Stored {
        /// The fields that come with a record, each all that the event has there.
        fields: Vec<String>,
    },
    /// Nothing: every record that can be read becomes an event that the caller sees, whatever matches it, with the
    /// values of these columns.
    Everything {
        /// What the caller wants to know of every event.
        columns: Vec<(String, Shape)>,
    },
}

/// How records are read.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// How they become events.
    pub normalise: cloudtrail::Options,
    /// The time of reading.
    pub now: Millis,
    /// Events of a block; 0 is [`BLOCK_ROWS`]. Has no influence on what is found.
    pub block_rows: usize,
    /// Whether the caller has a use for the texts of events. It gets all of them if it sees every event, else those that
    /// are at hand: see [`Worker::keep_all_texts`].
    pub wants_texts: bool,
    /// Whether all that is pushed are documents that were built here ([`Worker::push_built`]): they have no text to fill
    /// columns from later, so that all columns are filled at once.
    pub only_built: bool,
}

/// All filters, ready to run: shared by all threads.
pub struct Sift {
    pub(crate) program: Program,
    pub(crate) schema: Arc<Schema>,
    pub(crate) settings: Settings,
    /// When each column is filled.
    pub(crate) phases: Vec<Phase>,
    /// For each filter whether something is asked of its matches that no filter needs.
    pub(crate) needs_tail: Vec<bool>,
    /// Which columns matter to the records of a call.
    pub(crate) calls: Option<Arc<Calls>>,
    /// Tells records that no filter can match.
    pub(crate) skip: Option<Skip>,
    pub(crate) indices: Arc<Indices>,
    needs: Vec<Vec<Slot>>,
    /// Of stored records the fields that are asked for, and their columns.
    pub(crate) stored: Option<Vec<(String, Slot)>>,
    /// What is wanted of every event, if every event is.
    everything: Option<Vec<Slot>>,
}

/// Whether the indices that a condition names leave room for that of CloudTrail's records.
fn may_be_cloudtrail(expr: &Expr) -> bool {
    let index = Object::from_iter([(INDEX.to_owned(), CLOUDTRAIL_INDEX.into())]);
    plan::naive::matches(&expr.weaken(|predicate, _| predicate.path == INDEX), &index)
}

/// The path of the name of the index.
const INDEX: &str = "_index";

impl Sift {
    /// One program of all filters, and the columns that they and their callers need. A filter is known by its place from
    /// now on.
    pub fn new(filters: Vec<Filter>, policy: Policy, settings: Settings) -> Self {
        let (version, looks_up) = (settings.normalise.version, settings.normalise.geo.is_some());
        let (exprs, needs): (Vec<Expr>, Vec<_>) = filters.into_iter().map(|it| (it.expr, it.needs)).unzip();
        let (columns, fields) = match policy {
            Policy::OnlyMatches => (None, None),
            Policy::Stored { fields } => (None, Some(fields)),
            Policy::Everything { columns } => (Some(columns), None),
        };
        let only_built = settings.only_built;
        // What no record has, or nobody looks up, need not be asked of one.
        let is_stored = |path: &str, shape: Shape| {
            shape == Shape::Leaf && fields.as_ref().is_some_and(|them| them.iter().any(|it| it == path))
                || !Traits::is_filled(path, shape, version, looks_up)
        };
        let late = if only_built {
            BTreeSet::new()
        } else if fields.is_some() {
            // Whatever it costs to make a value, it costs the record.
            let all = exprs.iter().flat_map(|it| it.paths()).filter(|&(path, shape)| !is_stored(path, shape));
            all.map(|(path, shape)| (path.to_owned(), shape)).collect()
        } else {
            late_paths(&exprs, version, looks_up)
        };
        let is_late = |path: &str, shape| {
            let column = (path.to_owned(), shape);
            late.contains(&column) && !columns.as_ref().is_some_and(|all| all.contains(&column))
        };
        let mut program = Program::compile_with_late(&exprs, is_late);
        let mut schema = program.schema().clone();
        let phase = |(_, path, shape): (Slot, &str, Shape)| {
            if is_late(path, shape) { Phase::Late } else { Phase::Early }
        };
        let mut phases: Vec<Phase> = schema.columns().map(phase).collect();
        let mut add = |path: &str, shape, phase| {
            let slot = schema.add(path, shape);
            if slot.index() == phases.len() {
                phases.push(phase);
            }
            slot
        };
        let everything: Option<Vec<Slot>> = columns
            .map(|columns| columns.iter().map(|(path, shape)| add(path, *shape, Phase::Early)).collect());
        let needs: Vec<Vec<Slot>> = needs
            .iter()
            .map(|needs| {
                let of = |(path, shape): &(String, Shape)| {
                    let is_costly = if fields.is_some() {
                        !is_stored(path, *shape)
                    } else {
                        !only_built && is_costly(path, *shape, version, looks_up)
                    };
                    add(path, *shape, if is_costly { Phase::Tail } else { Phase::Early })
                };
                needs.iter().map(of).collect()
            })
            .collect();
        let asks =
            |filter: usize, phase| needs[filter].iter().any(|slot: &Slot| phases[slot.index()] == phase);
        let needs_tail = (0..needs.len()).map(|filter| asks(filter, Phase::Tail)).collect();
        // A column that one filter needs late is filled only where that filter leads; the callers of others may ask for
        // it, too.
        for filter in (0..needs.len()).filter(|&filter| asks(filter, Phase::Late)) {
            program.want_late(filter);
        }
        // Who sees everything is told of records that match nothing, too.
        let (calls, skip) = if everything.is_some() || only_built {
            (None, None)
        } else {
            let all = exprs.iter().zip(&needs).map(|(expr, needs)| {
                let own = expr.paths().into_iter().filter_map(|(path, shape)| schema.get(path, shape));
                own.chain(needs.iter().copied()).collect()
            });
            let is_early = |slot: Slot| phases[slot.index()] == Phase::Early;
            let all: Vec<Vec<Slot>> = all.collect();
            // What can be no record of CloudTrail's, such as an alert, has no part in what is left out of these.
            let asked = |expr: &Expr| if may_be_cloudtrail(expr) { expr.clone() } else { Expr::Const(false) };
            let asked: Vec<Expr> = exprs.iter().map(asked).collect();
            let named: Vec<Expr> = asked.iter().filter(|it| **it != Expr::Const(false)).cloned().collect();
            // Of stored records only those come as a text whose columns do not tell.
            let skips = !named.is_empty() && fields.is_none();
            let skip = if skips { Skip::new(&named) } else { None };
            (Calls::new(&asked, all, &schema, version, is_early).map(Arc::new), skip)
        };
        let stored = fields.map(|fields| {
            let its = fields.into_iter().filter_map(|it| Some((schema.get(&it, Shape::Leaf)?, it)));
            its.map(|(slot, field)| (field, slot)).collect()
        });
        Self {
            stored,
            program,
            schema: schema.into(),
            settings,
            phases,
            needs_tail,
            calls,
            skip,
            indices: Arc::new(Indices::default()),
            needs,
            everything,
        }
    }

    /// The same with indices that have the numbers that they have in the other pass.
    #[must_use]
    pub fn with_indices_of(self, other: &Self) -> Self {
        Self { indices: Arc::clone(&other.indices), ..self }
    }

    /// One thread's part of the pass.
    pub fn worker(&self) -> Worker<'_> {
        Worker::new(self)
    }

    /// Whether most records are likely not to be parsed, so that nobody needs their tokens.
    pub fn skips(&self) -> bool {
        self.skip.is_some()
    }

    /// The fields whose values are to come with stored records, if records are stored ones.
    pub fn stored_fields(&self) -> Option<Vec<&str>> {
        self.stored.as_ref().map(|them| them.iter().map(|(field, _)| field.as_str()).collect())
    }

    /// The columns that were asked for with a filter, in that order.
    pub fn needs(&self, filter: usize) -> &[Slot] {
        &self.needs[filter]
    }

    /// The columns that are wanted of every event, in the order in which they were asked for.
    pub fn columns(&self) -> &[Slot] {
        self.everything.as_deref().unwrap_or_default()
    }

    /// The names of the indices that events have had, by number. That of CloudTrail's records is always the first.
    pub fn indices(&self) -> Vec<String> {
        self.indices.names().all().to_vec()
    }

    pub(crate) fn is_everything(&self) -> bool {
        self.everything.is_some()
    }
}
