//! Functions of all values of a row.

use esql::Type;

use crate::cells::{Builder, Cells, Text};
use crate::column::{Column, each_type};
use crate::kernel::{At, finish, typed, whole};
use crate::numbers::{common, finite, widen};
use crate::scalar::{Element, Millis};
use crate::warnings::Failure;

/// Which value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pick {
    First,
    Last,
    Min,
    Max,
}

pub(super) fn pick(a: &Column, at: &mut At<'_>, which: Pick) -> Column {
    fn of<T: Element>(a: &Cells<T>, at: &mut At<'_>, which: Pick) -> Column {
        whole::<T, T>(a, at, |cell, out| {
            let value = match which {
                Pick::First => cell.first(),
                Pick::Last => cell.last(),
                Pick::Min => cell.iter().min_by(|a, b| a.order(b)),
                Pick::Max => cell.iter().max_by(|a, b| a.order(b)),
            };
            out.extend(value.cloned());
            Ok(())
        })
    }
    each_type!(a, it => of(it, at, which), null rows => Column::Null(*rows))
}

pub(super) fn count(a: &Column, at: &mut At<'_>) -> Column {
    fn of<T: Element>(a: &Cells<T>, at: &mut At<'_>) -> Column {
        whole::<T, i32>(a, at, |cell, out| {
            out.add(cell.len() as i32);
            Ok(())
        })
    }
    each_type!(a, it => of(it, at), null rows => Column::Null(*rows))
}

pub(super) fn dedupe(a: &Column, at: &mut At<'_>) -> Column {
    fn of<T: Element>(a: &Cells<T>, at: &mut At<'_>) -> Column {
        whole::<T, T>(a, at, |cell, out| {
            // Few values: to look at all before is quicker than to hash; many are sorted.
            if cell.len() <= 32 {
                for (index, it) in cell.iter().enumerate() {
                    if !cell[..index].iter().any(|before| before.order(it).is_eq()) {
                        out.add(it.clone());
                    }
                }
                return Ok(());
            }
            let mut order: Vec<usize> = (0..cell.len()).collect();
            order.sort_by(|x, y| cell[*x].order(&cell[*y]).then(x.cmp(y)));
            order.dedup_by(|next, before| cell[*next].order(&cell[*before]).is_eq());
            order.sort_unstable();
            out.extend(order.iter().map(|it| cell[*it].clone()));
            Ok(())
        })
    }
    each_type!(a, it => of(it, at), null rows => Column::Null(*rows))
}

pub(super) fn sort(a: &Column, direction: Option<&Column>, at: &mut At<'_>) -> Column {
    fn of<T: Element>(a: &Cells<T>, descending: bool, at: &mut At<'_>) -> Column {
        whole::<T, T>(a, at, |cell, out| {
            let mut values = cell.to_vec();
            values.sort_by(|a, b| if descending { b.order(a) } else { a.order(b) });
            out.extend(values);
            Ok(())
        })
    }
    let text = direction.and_then(|it| it.scalar(0, 0)).map(|it| it.text());
    let descending = text.is_some_and(|it| it.eq_ignore_ascii_case("desc"));
    each_type!(a, it => of(it, descending, at), null rows => Column::Null(*rows))
}

/// Two columns of one type, row by row, all values of each.
fn pairs<T: Element, U: Element>(
    a: &Column,
    b: &Column,
    at: &mut At<'_>,
    mut of: impl FnMut(&[T], &[T], &mut Builder<U>),
) -> Column {
    let (a, b) = (typed::<T>(a), typed::<T>(b));
    let is_same = a.is_same() && b.is_same();
    let rows = if is_same { at.rows.min(1) } else { at.rows };
    let mut builder = Builder::new(rows);
    for row in 0..rows {
        of(a.cell(row), b.cell(row), &mut builder);
        builder.end();
    }
    finish(builder, is_same, at.rows)
}

pub(super) fn append(a: &Column, b: &Column, at: &mut At<'_>) -> Column {
    fn of<T: Element>(_: &Cells<T>, a: &Column, b: &Column, at: &mut At<'_>) -> Column {
        pairs::<T, T>(a, b, at, |a, b, out| {
            if !a.is_empty() && !b.is_empty() {
                a.iter().chain(b).for_each(|it| out.add(it.clone()));
            }
        })
    }
    let (a, b) = common(a, b);
    each_type!(&*a, it => of(it, &a, &b, at), null rows => Column::Null(*rows))
}

pub(super) fn intersection(a: &Column, b: &Column, at: &mut At<'_>) -> Column {
    fn of<T: Element>(_: &Cells<T>, a: &Column, b: &Column, at: &mut At<'_>) -> Column {
        pairs::<T, T>(a, b, at, |a, b, out| {
            for (index, it) in a.iter().enumerate() {
                let is = |other: &T| other.order(it).is_eq();
                if b.iter().any(is) && !a[..index].iter().any(is) {
                    out.add(it.clone());
                }
            }
        })
    }
    let (a, b) = common(a, b);
    each_type!(&*a, it => of(it, &a, &b, at), null rows => Column::Null(*rows))
}

/// Null is the empty set; the answer is never null.
pub(super) fn contains(a: &Column, b: &Column, at: &mut At<'_>) -> Column {
    fn of<T: Element>(_: &Cells<T>, a: &Column, b: &Column, at: &mut At<'_>) -> Column {
        pairs::<T, bool>(a, b, at, |a, b, out| {
            out.add(b.iter().all(|it| a.iter().any(|other| other.order(it).is_eq())));
        })
    }
    let (a, b) = common(a, b);
    match (&*a, &*b) {
        (Column::Null(_), b) => {
            Column::Boolean(Cells::single((0..at.rows).map(|row| b.is_null(row)).collect()))
        }
        (a, b) => each_type!(a, it => of(it, a, b, at), null rows => Column::Null(*rows)),
    }
}

pub(super) fn concat(a: &Column, by: &Column, at: &mut At<'_>) -> Column {
    let (a, by) = (typed::<Text>(a), typed::<Text>(by));
    let is_same = a.is_same() && by.is_same();
    let rows = if is_same { at.rows.min(1) } else { at.rows };
    let mut builder = Builder::<Text>::new(rows);
    for row in 0..rows {
        let joined = match (a.cell(row), at.single(by.cell(row))) {
            ([], _) | (_, None) => None,
            ([one], _) => Some(Text::clone(one)),
            (many, Some(by)) => Some(many.iter().map(|it| &**it).collect::<Vec<_>>().join(by).into()),
        };
        builder.push_option(joined);
    }
    finish(builder, is_same, at.rows)
}

pub(super) fn zip(a: &Column, b: &Column, by: Option<&Column>, at: &mut At<'_>) -> Column {
    let comma = Column::Keyword(Cells::same(vec![Text::from(",")], at.rows));
    let by = typed::<Text>(by.unwrap_or(&comma));
    let (a, b) = (typed::<Text>(a), typed::<Text>(b));
    let mut builder = Builder::<Text>::new(at.rows);
    for row in 0..at.rows {
        if let Some(by) = at.single(by.cell(row)) {
            let (a, b) = (a.cell(row), b.cell(row));
            for index in 0..a.len().max(b.len()) {
                builder.add(match (a.get(index), b.get(index)) {
                    (Some(a), Some(b)) => format!("{a}{by}{b}").into(),
                    (Some(it), None) | (None, Some(it)) => Text::clone(it),
                    (None, None) => Text::from(""),
                });
            }
        }
        builder.end();
    }
    Column::Keyword(builder.finish())
}

/// The part of `len` values that bounds name, counted from 0, both included, from the end if they are negative.
fn bounds(start: i32, end: i32, len: usize) -> Result<std::ops::Range<usize>, Failure> {
    if start > end {
        return Err(Failure::Argument("Start offset is greater than end offset".to_owned()));
    }
    if start < 0 && end >= 0 {
        return Err(Failure::Argument("Start and end offset have different signs".to_owned()));
    }
    let len = i64::try_from(len).unwrap_or(i64::MAX);
    let from_start = |it: i32| if it < 0 { i64::from(it) + len } else { it.into() };
    let (start, end) = (from_start(start).max(0), from_start(end).min(len - 1));
    Ok(if start > end { 0..0 } else { start as usize..end as usize + 1 })
}

pub(super) fn slice(a: &Column, start: &Column, end: Option<&Column>, at: &mut At<'_>) -> Column {
    fn of<T: Element>(a: &Cells<T>, start: &Column, end: &Column, at: &mut At<'_>) -> Column {
        let (start, end) = (typed::<i32>(start), typed::<i32>(end));
        let mut builder = Builder::new(at.rows);
        for row in 0..at.rows {
            let cell = a.cell(row);
            if !cell.is_empty()
                && let Some(start) = at.single(start.cell(row))
                && let Some(end) = at.single(end.cell(row))
                && let Some(range) = at.take(bounds(*start, *end, cell.len()))
            {
                cell[range].iter().for_each(|it| builder.add(it.clone()));
            }
            builder.end();
        }
        T::column(builder.finish())
    }
    each_type!(a, it => of(it, start, end.unwrap_or(start), at), null rows => Column::Null(*rows))
}

pub(super) fn sum(a: &Column, at: &mut At<'_>) -> Column {
    let overflow = |ty: &str| Failure::Arithmetic(format!("{ty} overflow"));
    match a {
        Column::Integer(cells) => whole::<i32, i32>(cells, at, |cell, out| {
            let sum: i64 = cell.iter().map(|it| i64::from(*it)).sum();
            out.add(i32::try_from(sum).map_err(|_| overflow("integer"))?);
            Ok(())
        }),
        Column::Long(cells) => whole::<i64, i64>(cells, at, |cell, out| {
            let sum: i128 = cell.iter().map(|it| i128::from(*it)).sum();
            out.add(i64::try_from(sum).map_err(|_| overflow("long"))?);
            Ok(())
        }),
        Column::UnsignedLong(cells) => whole::<u64, u64>(cells, at, |cell, out| {
            let sum: i128 = cell.iter().map(|it| i128::from(*it)).sum();
            out.add(u64::try_from(sum).map_err(|_| overflow("unsigned_long"))?);
            Ok(())
        }),
        Column::Double(cells) => whole::<f64, f64>(cells, at, |cell, out| {
            out.add(finite(crate::exact::sum(cell.iter().copied()))?);
            Ok(())
        }),
        _ => Column::Null(at.rows),
    }
}

pub(super) fn average(a: &Column, at: &mut At<'_>) -> Column {
    let a = widen(a, Type::Double);
    let cells = typed::<f64>(&a);
    whole::<f64, f64>(&cells, at, |cell, out| {
        out.add(crate::exact::sum(cell.iter().copied()) / cell.len() as f64);
        Ok(())
    })
}

pub(super) fn median(a: &Column, at: &mut At<'_>) -> Column {
    fn sorted<T: Element>(cell: &[T]) -> Vec<T> {
        let mut values = cell.to_vec();
        values.sort_by(Element::order);
        values
    }
    fn of<T: Element>(a: &Cells<T>, at: &mut At<'_>, mean: impl Fn(&T, &T) -> T) -> Column {
        whole::<T, T>(a, at, |cell, out| {
            let values = sorted(cell);
            let middle = values.len() / 2;
            out.add(if values.len() % 2 == 1 {
                values[middle].clone()
            } else {
                mean(&values[middle - 1], &values[middle])
            });
            Ok(())
        })
    }
    match a {
        Column::Integer(it) => of(it, at, |a, b| (i64::from(*a) + i64::from(*b)).div_euclid(2) as i32),
        Column::Long(it) => of(it, at, |a, b| (i128::from(*a) + i128::from(*b)).div_euclid(2) as i64),
        Column::UnsignedLong(it) => of(it, at, |a, b| u64::midpoint(*a, *b)),
        Column::Double(it) => of(it, at, |a, b| (a + b) / 2.0),
        Column::Datetime(it) => {
            of(it, at, |a, b| Millis((i128::from(a.0) + i128::from(b.0)).div_euclid(2) as i64))
        }
        _ => Column::Null(at.rows),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_count_from_both_ends() {
        assert_eq!(bounds(0, 1, 3), Ok(0..2));
        assert_eq!(bounds(-2, -1, 3), Ok(1..3));
        assert_eq!(bounds(-9, -3, 3), Ok(0..1));
        assert_eq!(bounds(2, 9, 3), Ok(2..3));
        assert_eq!(bounds(5, 9, 3), Ok(0..0));
        assert!(bounds(1, 0, 3).is_err() && bounds(-1, 1, 3).is_err());
    }
}
