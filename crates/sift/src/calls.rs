//! Which columns the records of a call need.
//!
//! Nearly every rule is about a few calls. What a filter asks of the call is what is left of it when everything else is
//! taken out ([`Expr::weaken`]), and that is decided once a call:
//!
//! ```text
//! filter                                                asks of the call
//! event.action: StopLogging and user.name: x            event.action: StopLogging
//! not event.action: Get* and error_code: AccessDenied   not event.action: Get*
//! event.action: StopLogging or user.name: x             nothing
//! ```
//!
//! Of a `GetObject` the first filter is false whatever the user is called. So `user.name` is not looked up for its row,
//! and stays empty there: a lie, but one that only filters are told which are false anyhow. It would be wrong for the
//! third, which a `GetObject` of `x` satisfies, and it cannot happen there: a column is left out of a row only if all
//! filters that need it, or whose callers do, are false by their call. If all filters are, the record becomes no row.
//!
//! It would be wrong, too, if the call that is looked at were not the one that the filters see: a record with two names,
//! `"eventName": ["GetObject", "StopLogging"]`, is a match of the first. Such a record has no plain call
//! ([`Event::call`]) and gets all columns. What a call leaves open is decided by the [`guards`](crate::guards).

use std::sync::Arc;

use block::{BlockBuilder, Origin, RowInfo, Schema, Slot};
use cloudtrail::{Call, Columns, Event, Version};
use ecs::{Scalar, Shape};
use exec::{Program, Scratch};
use plan::{Expr, Predicate, Sign};
use rustc_hash::FxHashMap;

use crate::guards::{Guard, Guards};

pub(crate) const ACTION: &str = "event.action";
pub(crate) const PROVIDER: &str = "event.provider";

/// No call of AWS is nearly as long as this, in bytes. The records of longer ones get all columns: to remember what
/// somebody made up would take much memory.
const CALL_BYTES_MAX: usize = 256;
/// How many different calls are remembered; when there are more, all are forgotten.
const CALLS_MAX: usize = 65_536;
/// How many providers of an action are remembered: they are searched one by one.
const PROVIDERS_MAX: usize = 16;
/// The number of the part that has all columns.
pub(crate) const ALL: usize = 0;
/// How many different sets of columns there may be; the records of further calls get all columns.
const PARTS_MAX: usize = 256;
/// How many guards of a part are worth asking before a row is filled.
const GUARDS_MAX: usize = 6;
/// How many guards there may be in all, for they remember values; further parts have none.
const ALL_GUARDS_MAX: usize = 32;

/// What each filter asks of the call, and the columns that it needs otherwise: shared by all threads.
pub(crate) struct Calls {
    /// Of every filter what it asks of the call.
    program: Program,
    /// Whether each filter asks anything of the call.
    asks: Vec<bool>,
    /// For each filter the columns that it and its tail need.
    needs: Vec<Vec<Slot>>,
    /// The columns that say what the call is. All rely on them.
    own: Vec<Slot>,
    guards: Guards,
}

impl Calls {
    /// Nothing if no filter asks anything of the call. `needs` are the columns of each filter and its tail; `is_early`
    /// says which columns are filled at once.
    pub(crate) fn new(
        filters: &[Expr],
        needs: Vec<Vec<Slot>>,
        schema: &Schema,
        version: Version,
        is_early: impl Fn(Slot) -> bool,
    ) -> Option<Self> {
        let asked: Vec<Expr> = filters.iter().map(of_call).collect();
        let asks: Vec<bool> = asked.iter().map(|asked| *asked != Expr::Const(true)).collect();
        if !asks.contains(&true) {
            return None;
        }
        let own = [ACTION, PROVIDER].iter().filter_map(|path| schema.get(path, Shape::Leaf)).collect();
        let guards = Guards::new(filters, schema, version, is_early);
        Some(Self { program: Program::compile(&asked), asks, needs, own, guards })
    }
}

/// What a filter asks of the call, whatever else it asks for.
fn of_call(filter: &Expr) -> Expr {
    filter.weaken(|predicate, _| is_of_call(predicate)).simplify()
}

/// Whether the filter needs the call to be one of some: few rows are.
pub(crate) fn names_calls(filter: &Expr) -> bool {
    filter.weaken(|predicate, sign| sign == Sign::Holds && is_of_call(predicate)) != Expr::Const(true)
}

pub(crate) fn is_of_call(predicate: &Predicate) -> bool {
    predicate.shape == Shape::Leaf && (predicate.path == ACTION || predicate.path == PROVIDER)
}

fn is_short(call: Call<'_>) -> bool {
    call.action.len() + call.provider.len() <= CALL_BYTES_MAX
}

/// One thread's knowledge of which columns to fill.
pub(crate) struct ByCall {
    calls: Option<Arc<Calls>>,
    /// The calls known by their action, which nearly always has one provider.
    known: FxHashMap<Box<str>, Vec<Known>>,
    known_calls: usize,
    /// All columns, then parts of them. None is ever dropped.
    parts: Vec<Part>,
    by_needs: FxHashMap<Needs, usize>,
    /// The guards by their numbers, once a part has them.
    guards: FxHashMap<usize, Guard>,
    scratch: Scratch,
    builder: Option<BlockBuilder>,
}

/// What tells parts from each other.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Needs {
    slots: Vec<Slot>,
    wants_text: bool,
    guards: Vec<usize>,
}

/// What the records of some calls need.
pub(crate) struct Part {
    /// The columns of each phase.
    pub(crate) early: Columns,
    pub(crate) late: Columns,
    pub(crate) tail: Columns,
    /// Whether the text is likely to be asked for: a column may be filled later, or a rule names the call, so that the
    /// record may well alert.
    pub(crate) wants_text: bool,
    /// If none of them lets a record pass, no filter can match it. Empty if some filter has none.
    guards: Vec<usize>,
    /// How many columns stay empty that are filled at once otherwise.
    pub(crate) empty: u64,
    /// All its columns, ascending; of the part that has all, nothing.
    slots: Vec<Slot>,
}

impl Part {
    /// Whether the records of these calls need the column.
    pub(crate) fn needs(&self, slot: Slot) -> bool {
        self.slots.is_empty() || self.slots.binary_search(&slot).is_ok()
    }

    /// Its guards, by number.
    pub(crate) fn guards(&self) -> &[usize] {
        &self.guards
    }
}

/// What a record needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Needed {
    /// The columns of the part with this number.
    Part(usize),
    /// Nothing at all, not even a row: its call makes all filters false,
    Hopeless,
    /// or it lacks what the others cannot do without.
    Guarded,
}

/// A call of an action.
struct Known {
    provider: Box<str>,
    /// Nothing if no filter can match.
    part: Option<usize>,
}

impl ByCall {
    /// All columns of each phase.
    pub(crate) fn new(calls: Option<Arc<Calls>>, early: Columns, late: Columns, tail: Columns) -> Self {
        Self {
            calls,
            known: FxHashMap::default(),
            known_calls: 0,
            parts: vec![Part {
                early,
                late,
                tail,
                wants_text: true,
                guards: Vec::new(),
                empty: 0,
                slots: Vec::new(),
            }],
            by_needs: FxHashMap::default(),
            guards: FxHashMap::default(),
            scratch: Scratch::default(),
            builder: None,
        }
    }

    /// What a record with this number needs.
    pub(crate) fn part(&self, number: usize) -> &Part {
        &self.parts[number]
    }

    /// What a record needs: all columns, if it does not say plainly what it is about.
    pub(crate) fn of(&mut self, call: Option<Call<'_>>, event: &mut Event<'_>) -> Needed {
        let Some(number) = self.part_of(call) else { return Needed::Hopeless };
        let Self { parts, guards, .. } = self;
        let part = &parts[number];
        let may_match = part.guards.is_empty()
            || part.guards.iter().any(|it| guards.get_mut(it).is_none_or(|guard| guard.lets_pass(event)));
        if may_match { Needed::Part(number) } else { Needed::Guarded }
    }

    /// The number of the part that the records of a call need, before their guards were asked; nothing if no filter can match.
    pub(crate) fn part_of(&mut self, call: Option<Call<'_>>) -> Option<usize> {
        match call {
            Some(call) if self.calls.is_some() && is_short(call) => self.number(call),
            Some(_) | None => Some(ALL),
        }
    }

    /// A guard that some part has.
    pub(crate) fn guard(&mut self, number: usize) -> Option<&mut Guard> {
        self.guards.get_mut(&number)
    }

    fn number(&mut self, call: Call<'_>) -> Option<usize> {
        let providers = self.known.get(call.action);
        if let Some(known) = providers.and_then(|it| it.iter().find(|it| *it.provider == *call.provider)) {
            return known.part;
        }
        let part = self.find(call);
        if self.known_calls >= CALLS_MAX {
            self.known.clear();
            self.known_calls = 0;
        }
        let providers = self.known.entry(call.action.into()).or_default();
        if providers.len() >= PROVIDERS_MAX {
            providers.clear();
        }
        providers.push(Known { provider: call.provider.into(), part });
        self.known_calls += 1;
        part
    }

    /// Asks all filters about the call.
    fn find(&mut self, call: Call<'_>) -> Option<usize> {
        let calls = Arc::clone(self.calls.as_ref()?);
        let schema = calls.program.schema();
        let mut builder = self.builder.take().unwrap_or_else(|| BlockBuilder::new(Arc::new(schema.clone())));
        for (path, value) in [(ACTION, call.action), (PROVIDER, call.provider)] {
            if let Some(slot) = schema.get(path, Shape::Leaf) {
                builder.push(slot, Scalar::Str(value));
            }
        }
        builder.end_row(RowInfo { id: "", index: 0, timestamp: 0, origin: Origin::default() });
        let block = builder.finish();
        let mut slots = calls.own.clone();
        let (mut is_hopeless, mut is_named) = (true, false);
        let mut guards = Some(Vec::new());
        calls.program.evaluate(&block, &[], &mut self.scratch, |filter, _| {
            is_hopeless = false;
            is_named |= calls.asks[filter];
            slots.extend_from_slice(&calls.needs[filter]);
            match (&mut guards, calls.guards.of(filter)) {
                (Some(guards), Some(guard)) => guards.push(guard),
                _ => guards = None,
            }
        });
        self.builder = Some(BlockBuilder::reuse(block));
        if is_hopeless {
            return None;
        }
        slots.sort_unstable();
        slots.dedup();
        let is_needed = |slot: Slot| slots.binary_search(&slot).is_ok();
        let all = &self.parts[ALL];
        let (early, late, tail) =
            (all.early.only(is_needed), all.late.only(is_needed), all.tail.only(is_needed));
        let wants_text = is_named || !late.is_empty() || !tail.is_empty();
        let mut guards = guards.unwrap_or_default();
        guards.sort_unstable();
        guards.dedup();
        let new = guards.iter().filter(|it| !self.guards.contains_key(*it)).count();
        if guards.len() > GUARDS_MAX || self.guards.len() + new > ALL_GUARDS_MAX {
            guards.clear();
        }
        let needs = Needs { slots, wants_text, guards };
        if let Some(&part) = self.by_needs.get(&needs) {
            return Some(part);
        }
        if self.parts.len() >= PARTS_MAX {
            return Some(ALL);
        }
        for &guard in &needs.guards {
            self.guards.entry(guard).or_insert_with(|| calls.guards.guard(guard, &all.early));
        }
        let empty = (all.early.len() - early.len()) as u64;
        let (slots, guards) = (needs.slots.clone(), needs.guards.clone());
        self.parts.push(Part { early, late, tail, wants_text, guards, empty, slots });
        let part = self.parts.len() - 1;
        self.by_needs.insert(needs, part);
        Some(part)
    }
}

#[cfg(test)]
mod tests;
