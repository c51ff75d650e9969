//! Loops over the rows of columns.
//!
//! A function of single values says what it makes of one row. Here stands what all have in common: null makes null, and
//! several values make null with a warning.

use std::borrow::Cow;

use crate::cells::{Builder, Cells};
use crate::column::Column;
use crate::scalar::Element;
use crate::warnings::{Failure, Warnings};

/// What an expression that is evaluated has at hand.
pub(crate) struct At<'w> {
    pub(crate) warnings: &'w mut Warnings,
    /// The number of its site.
    pub(crate) site: usize,
    /// How many rows there are.
    pub(crate) rows: usize,
    /// `NOW()`.
    pub(crate) now: i64,
}

impl At<'_> {
    pub(crate) fn fail(&mut self, failure: Failure) {
        self.warnings.add(self.site, failure);
    }

    /// The single value of a cell; if there is none, why is told.
    pub(crate) fn single<'c, T>(&mut self, cell: &'c [T]) -> Option<&'c T> {
        match cell {
            [one] => Some(one),
            [] => None,
            _ => {
                self.fail(Failure::SeveralValues);
                None
            }
        }
    }

    pub(crate) fn take<T>(&mut self, result: Result<T, Failure>) -> Option<T> {
        result.map_err(|it| self.fail(it)).ok()
    }
}

/// What a row makes of values.
pub(crate) type Made<T> = Result<T, Failure>;

/// The cells of a column of that type; of any other they are null.
pub(crate) fn typed<T: Element>(column: &Column) -> Cow<'_, Cells<T>> {
    match T::cells(column) {
        Some(cells) => Cow::Borrowed(cells),
        None => Cow::Owned(Cells::same(Vec::new(), column.rows())),
    }
}

/// Of single values.
pub(crate) fn map1<A: Element, B: Element>(
    a: &Column,
    at: &mut At<'_>,
    mut of: impl FnMut(&A) -> Made<B>,
) -> Column {
    let a = typed::<A>(a);
    let rows = if a.is_same() { at.rows.min(1) } else { at.rows };
    let mut builder = Builder::new(rows);
    for row in 0..rows {
        let value = at.single(a.cell(row)).and_then(|a| {
            let made = of(a);
            made.map_err(|it| at.warnings.add(at.site, it)).ok()
        });
        builder.push_option(value);
    }
    finish(builder, a.is_same(), at.rows)
}

/// Of pairs of single values.
pub(crate) fn map2<A: Element, B: Element, C: Element>(
    (a, b): (&Column, &Column),
    at: &mut At<'_>,
    mut of: impl FnMut(&A, &B) -> Made<C>,
) -> Column {
    let (a, b) = (typed::<A>(a), typed::<B>(b));
    let is_same = a.is_same() && b.is_same();
    let rows = if is_same { at.rows.min(1) } else { at.rows };
    let mut builder = Builder::new(rows);
    for row in 0..rows {
        let value = match (at.single(a.cell(row)), b.cell(row)) {
            (None, _) => None,
            (Some(a), b) => match at.single(b) {
                Some(b) => at.take(of(a, b)),
                None => None,
            },
        };
        builder.push_option(value);
    }
    finish(builder, is_same, at.rows)
}

/// Of three single values.
pub(crate) fn map3<A: Element, B: Element, C: Element, D: Element>(
    (a, b, c): (&Column, &Column, &Column),
    at: &mut At<'_>,
    mut of: impl FnMut(&A, &B, &C) -> Made<D>,
) -> Column {
    let (a, b, c) = (typed::<A>(a), typed::<B>(b), typed::<C>(c));
    let is_same = a.is_same() && b.is_same() && c.is_same();
    let rows = if is_same { at.rows.min(1) } else { at.rows };
    let mut builder = Builder::new(rows);
    for row in 0..rows {
        let mut made = None;
        if let Some(a) = at.single(a.cell(row))
            && let Some(b) = at.single(b.cell(row))
            && let Some(c) = at.single(c.cell(row))
        {
            made = at.take(of(a, b, c));
        }
        builder.push_option(made);
    }
    finish(builder, is_same, at.rows)
}

/// Of each value by itself; what fails vanishes.
pub(crate) fn each<A: Element, B: Element>(
    a: &Column,
    at: &mut At<'_>,
    mut of: impl FnMut(&A) -> Made<B>,
) -> Column {
    let a = typed::<A>(a);
    let rows = if a.is_same() { at.rows.min(1) } else { at.rows };
    let mut builder = Builder::new(rows);
    for row in 0..rows {
        for value in a.cell(row) {
            if let Some(made) = at.take(of(value)) {
                builder.add(made);
            }
        }
        builder.end();
    }
    finish(builder, a.is_same(), at.rows)
}

/// Of all values of a row; null stays null.
pub(crate) fn whole<A: Element, B: Element>(
    a: &Cells<A>,
    at: &mut At<'_>,
    mut of: impl FnMut(&[A], &mut Builder<B>) -> Made<()>,
) -> Column {
    let rows = if a.is_same() { at.rows.min(1) } else { at.rows };
    let mut builder = Builder::new(rows);
    for row in 0..rows {
        let cell = a.cell(row);
        if !cell.is_empty() {
            let made = of(cell, &mut builder);
            at.take(made);
        }
        builder.end();
    }
    finish(builder, a.is_same(), at.rows)
}

/// A column of what was made of one row, if all have the same.
pub(crate) fn finish<T: Element>(builder: Builder<T>, is_same: bool, rows: usize) -> Column {
    let cells = builder.finish();
    T::column(if is_same { cells.spread(rows) } else { cells })
}
