//! What makes alerts alike, where a type keeps the values of their events for that.

use std::cell::RefCell;
use std::collections::HashMap;

use ecs::Millis;
use ecs::date::to_iso;
use serde_json::Value;

use super::Run;
use crate::collect::EventRef;
use crate::suppression::{Candidate, Group, Suppression};
use crate::term::{Term, TermId, TermType};
use crate::writer::{Writer, Written};

/// How several values of a field stand in an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ValueForm {
    /// As a list always, as fields of events are searched.
    List,
    /// As a list if there are several, as in a document.
    Document,
}

impl<'a> Run<'a> {
    /// How alerts that the type offers suppress one another. A type that has groups of its own does so by these.
    pub(super) fn alike(&self) -> Option<&'a Suppression> {
        self.tail.suppression.as_ref().filter(|it| !it.columns.is_empty())
    }

    /// Where the values stand that make alerts alike, behind those of the type.
    pub(super) fn alike_at(&self, step: usize) -> std::ops::Range<usize> {
        let own = self.tail.rule_type.columns(step).len();
        own..own + self.tail.alike_columns().len()
    }

    /// The group of an alert with these values, seen at `time`; none if it is raised anyway.
    pub(super) fn group<V: AsRef<[TermId]>>(
        &self,
        step: usize,
        values: impl IntoIterator<Item = V>,
        time: Millis,
        form: ValueForm,
    ) -> Option<Group> {
        let suppression = self.alike()?;
        let numbers = &self.columns_of(step)[self.alike_at(step)];
        let mut terms = Vec::with_capacity(numbers.len());
        for ((column, number), ids) in suppression.columns.iter().zip(numbers).zip(values) {
            let interner = self.matches.values(*number);
            let mut found: Vec<Term<'_>> = ids.as_ref().iter().map(|&id| interner.get(id)).collect();
            // Whatever their order in the event, they are the same.
            found.sort();
            let mut all: Vec<Value> = found.into_iter().map(|it| as_field(it, column.ty)).collect();
            let value = match (all.len(), form) {
                (0, _) if !suppression.keeps_missing => return None,
                (0, _) => Value::Null,
                (1, ValueForm::Document) => all.remove(0),
                (_, ValueForm::List | ValueForm::Document) => all.into(),
            };
            terms.push((column.path.clone(), value));
        }
        Some(Group::new(terms, &self.tail.rule_uuid, (time, time)))
    }
}

/// The groups of events of which several alerts are offered: each is put together once.
#[derive(Default)]
pub(super) struct GroupsOfEvents(RefCell<HashMap<EventRef, Option<Group>>>);

impl GroupsOfEvents {
    pub(super) fn of(&self, event: EventRef, make: impl FnOnce() -> Option<Group>) -> Option<Group> {
        self.0.borrow_mut().entry(event).or_insert_with(make).clone()
    }
}

/// The value as a search for the field gives it.
fn as_field(term: Term<'_>, ty: TermType) -> Value {
    match term {
        Term::Long(millis) if ty == TermType::Date => to_iso(millis).into(),
        term => term.to_value(false),
    }
}

/// What became of alerts alike that were offered in order.
pub(super) struct Offered {
    /// By their places.
    pub(super) written: Vec<Written>,
    /// Some were not written for want of room, or not even offered.
    pub(super) is_cut: bool,
}

/// Offers alerts alike, so many at a time as an execution does, until it has had enough. A part ends where a page does, and
/// alerts that exist are no part of one.
pub(super) fn offer_alike<T>(
    writer: &mut Writer<'_>,
    page: usize,
    all: &[T],
    candidate: impl Fn(&Writer<'_>, &T) -> Candidate,
) -> Offered {
    let mut written = Vec::with_capacity(all.len());
    let most = writer.offered_max();
    'pages: for page in all.chunks(page.max(1)) {
        let mut left = page.iter();
        while left.len() > 0 {
            let (mut part, mut new) = (Vec::new(), 0);
            for it in left.by_ref() {
                let candidate = candidate(writer, it);
                new += usize::from(!writer.is_there(&candidate.id));
                part.push(candidate);
                if new == most {
                    break;
                }
            }
            written.extend(writer.offer_alike(part));
            if writer.is_exhausted() {
                writer.cut_off();
                break 'pages;
            }
        }
    }
    let is_cut = written.len() < all.len() || written.contains(&Written::Full);
    written.resize(all.len(), Written::Full);
    Offered { written, is_cut }
}
