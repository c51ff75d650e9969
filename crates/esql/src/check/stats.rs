//! `STATS` and `INLINE STATS`.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use span::{Span, position};

use super::expression::Place;
use super::scope::{Bound, Scope};
use super::{CheckErrorKind, Checker};
use crate::ast::{self, Literal, Text};
use crate::resolved::{Aggregate, Assign, Expr, ExprKind, Key, Slot, Stats, StepKind};
use crate::{Function, Type};

/// What is being told of groups, while their expressions are read.
#[derive(Debug, Default)]
pub(super) struct Telling {
    /// By what rows are grouped: as written, what it is called, its slot in a group.
    keys: Vec<(ast::Expr, String, Slot, Type)>,
    /// What is aggregated so far.
    aggregates: Vec<Aggregate>,
    /// The filter of the aggregate that is being read.
    filter: Option<Expr>,
    /// Whether the expression that is being read is made of a group at all.
    is_told: bool,
}

impl Checker<'_> {
    pub(super) fn stats(&mut self, stats: &ast::Stats, inline: bool) -> Stats {
        let before = self.scope.clone();
        let mut telling = Telling::default();
        let mut keys: Vec<Key> = Vec::new();
        let mut groups: Vec<(String, Bound)> = Vec::new();
        let names: Vec<String> = stats.by.iter().map(Self::item_name).collect();
        for (at, (it, name)) in stats.by.iter().zip(&names).enumerate() {
            let value = self.expression(&it.value, Place::Grouping).and_then(|value| self.keyed(value));
            let Some(value) = value else {
                self.scope.put(name, Bound::Broken);
                groups.push((name.clone(), Bound::Broken));
                continue;
            };
            let is_column = matches!(&value.kind, ExprKind::Column(_));
            let row = match &value.kind {
                ExprKind::Column(slot) => *slot,
                _ => self.slot_of(&value),
            };
            let ty = if inline { value.ty } else { value.ty.without_text() };
            // A column that stays what it is called stays where it is.
            if !is_column || self.scope.get(name) != Some(Bound::Column(row, value.ty)) {
                self.scope.put(name, Bound::Column(row, value.ty));
            }
            if let Some(shadow) = names[at + 1..].iter().rposition(|later| later == name) {
                self.shadowed(name, it.span, stats.by[at + 1 + shadow].span);
                // Rows are grouped by the last of that name; others may read this one.
                if !is_column {
                    self.step(StepKind::Eval(vec![Assign { slot: row, value }]), it.span);
                }
                continue;
            }
            let group = self.slot(ty, None, None);
            telling.keys.push((it.value.clone(), name.clone(), group, ty));
            groups.push((name.clone(), Bound::Column(if inline { row } else { group }, ty)));
            keys.push(Key { value, row, group });
        }
        self.telling = Some(telling);
        let mut told: Vec<(String, Bound, Span)> = Vec::new();
        let mut after = Vec::new();
        for it in &stats.aggregates {
            let name = Self::item_name(&it.item);
            let bound = match self.told(it, &mut after) {
                Some((slot, ty)) => Bound::Column(slot, ty),
                None => Bound::Broken,
            };
            told.push((name, bound, it.item.span));
        }
        let telling = self.telling.take().unwrap_or_default();
        let within = std::mem::replace(&mut self.scope, if inline { before } else { Scope::default() });
        self.is_open &= inline;
        if inline {
            // Fields that nobody has mapped are columns from where they are first named.
            for (name, bound) in within.iter() {
                let is_field = matches!(bound, Bound::Column(slot, _) if self.field_of(slot, name).is_some());
                if is_field && self.scope.get(name).is_none() {
                    self.scope.put(name, bound);
                }
            }
        }
        let by: BTreeMap<&str, Span> =
            names.iter().map(String::as_str).zip(stats.by.iter().map(|it| it.span)).collect();
        for (at, (name, bound, span)) in told.iter().enumerate() {
            let later = told[at + 1..].iter().rfind(|(other, _, _)| other == name).map(|(_, _, span)| *span);
            match by.get(name.as_str()).copied().or(later) {
                Some(shadow) => self.shadowed(name, *span, shadow),
                None => self.scope.put(name, *bound),
            }
        }
        for (name, bound) in groups {
            self.scope.put(&name, bound);
        }
        Stats { keys, aggregates: telling.aggregates, after }
    }

    /// Says that a column is not to be seen, because another is called the same.
    fn shadowed(&mut self, name: &str, span: Span, by: Span) {
        let (at, by) = (position(self.text, span.start), position(self.text, by.start));
        self.warnings.push(format!(
            "Line {}:{}: Field '{name}' shadowed by field at line {}:{}",
            at.line, at.column, by.line, by.column
        ));
    }

    /// A key that rows can be grouped by.
    fn keyed(&mut self, value: Expr) -> Option<Expr> {
        let value = self.value(value)?;
        if value.ty.is_span() {
            self.error(CheckErrorKind::SpanColumn { ty: value.ty }, value.span);
            return None;
        }
        Some(value)
    }

    /// One of the things that are told, and where it goes.
    fn told(&mut self, it: &ast::Aggregate, after: &mut Vec<Assign>) -> Option<(Slot, Type)> {
        if let Some(telling) = &mut self.telling {
            telling.is_told = false;
        }
        let filter = match &it.filter {
            // What is filtered by asks the events.
            Some(filter) => Some(self.condition(filter, Place::Filter)?),
            None => None,
        };
        if let Some(telling) = &mut self.telling {
            telling.filter = filter;
        }
        let value = self.expression(&it.item.value, Place::Group)?;
        if !self.telling.as_ref().is_some_and(|it| it.is_told) {
            let found = self.text[it.item.value.span.range()].to_owned();
            self.error(CheckErrorKind::NotAggregate { found }, it.item.value.span);
            return None;
        }
        if value.ty.is_span() {
            self.error(CheckErrorKind::SpanColumn { ty: value.ty }, value.span);
            return None;
        }
        if let ExprKind::Column(slot) = &value.kind {
            return Some((*slot, value.ty));
        }
        let slot = self.slot_of(&value);
        let ty = value.ty;
        after.push(Assign { slot, value });
        Some((slot, ty))
    }

    /// An expression of groups that is a key of theirs, or a column that is none. Anything else has to be looked at.
    pub(super) fn told_of_group(&mut self, expr: &ast::Expr) -> ControlFlow<Option<Expr>> {
        let Some(telling) = self.telling.as_mut() else { return ControlFlow::Continue(()) };
        let column = if let ast::ExprKind::Column(name) = &expr.kind { Some(name) } else { None };
        let is_constant = matches!(expr.kind, ast::ExprKind::Literal(_));
        let key = telling.keys.iter().rev().find(|(value, name, _, _)| {
            !is_constant && value == expr || column.is_some_and(|it| it.text == *name)
        });
        if let Some((_, _, slot, ty)) = key {
            telling.is_told = true;
            return ControlFlow::Break(Some(Expr {
                kind: ExprKind::Column(*slot),
                ty: *ty,
                span: expr.span,
            }));
        }
        let Some(name) = column else { return ControlFlow::Continue(()) };
        if self.column(&name.text, name.span).is_some() {
            self.error(CheckErrorKind::NotGrouped { name: name.text.clone() }, name.span);
        }
        ControlFlow::Break(None)
    }

    /// `COUNT(*)`, `MAX(a)`.
    pub(super) fn aggregate(
        &mut self,
        function: Function,
        arguments: &[ast::Expr],
        options: &[(Text, Literal)],
        span: Span,
    ) -> Option<Expr> {
        let name = function.spec().name;
        if let Some((key, _)) = options.first() {
            let kind =
                CheckErrorKind::UnknownOption { function: name, name: key.text.to_string(), known: &[] };
            self.error(kind, key.span);
            return None;
        }
        let arguments = match arguments {
            [ast::Expr { kind: ast::ExprKind::Star, .. }] if function == Function::Count => Vec::new(),
            several => {
                let read: Vec<Option<Expr>> =
                    several.iter().map(|it| self.expression(it, Place::Aggregate)).collect();
                read.into_iter().collect::<Option<_>>()?
            }
        };
        let arguments = self.arguments(function, arguments, span)?;
        let ty = self.returned(function, &arguments)?;
        let slot = self.slot(ty, None, super::shown_by(function, &arguments));
        let telling = self.telling.as_mut()?;
        telling.is_told = true;
        let filter = telling.filter.clone();
        telling.aggregates.push(Aggregate { function, arguments, filter, slot, ty, span });
        Some(Expr { kind: ExprKind::Column(slot), ty, span })
    }
}
