//! Truth with three values.

use crate::cells::{Builder, Cells};
use crate::column::Column;
use crate::kernel::{At, map1, typed};

/// Joins what both say; a cell of several values is null, with a warning.
fn join(
    a: &Column,
    b: &Column,
    at: &mut At<'_>,
    of: fn(Option<bool>, Option<bool>) -> Option<bool>,
) -> Column {
    let (a, b) = (typed::<bool>(a), typed::<bool>(b));
    let mut builder = Builder::new(at.rows);
    for row in 0..at.rows {
        let a = at.single(a.cell(row)).copied();
        let b = at.single(b.cell(row)).copied();
        builder.push_option(of(a, b));
    }
    Column::Boolean(builder.finish())
}

pub(super) fn and(a: &Column, b: &Column, at: &mut At<'_>) -> Column {
    join(a, b, at, |a, b| match (a, b) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        (None, _) | (_, None) => None,
    })
}

pub(super) fn or(a: &Column, b: &Column, at: &mut At<'_>) -> Column {
    join(a, b, at, |a, b| match (a, b) {
        (Some(true), _) | (_, Some(true)) => Some(true),
        (Some(false), Some(false)) => Some(false),
        (None, _) | (_, None) => None,
    })
}

pub(super) fn not(a: &Column, at: &mut At<'_>) -> Column {
    map1::<bool, bool>(a, at, |it| Ok(!it))
}

pub(super) fn is_null(a: &Column, wanted: bool) -> Column {
    Column::Boolean(Cells::single((0..a.rows()).map(|row| a.is_null(row) == wanted).collect()))
}
