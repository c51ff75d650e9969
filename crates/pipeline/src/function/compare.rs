//! Comparisons, of any two columns of one type.

use std::borrow::Cow;
use std::cmp::Ordering;

use esql::Function;

use crate::cells::Builder;
use crate::column::{Column, each_type};
use crate::kernel::{At, map2, typed};
use crate::numbers::{common, number_type, widen};
use crate::scalar::Element;

fn verdict(function: Function, order: Ordering) -> bool {
    match function {
        Function::Equal => order.is_eq(),
        Function::NotEqual => order.is_ne(),
        Function::Less => order.is_lt(),
        Function::LessOrEqual => order.is_le(),
        Function::Greater => order.is_gt(),
        _ => order.is_ge(),
    }
}

pub(super) fn compare(function: Function, a: &Column, b: &Column, at: &mut At<'_>) -> Column {
    fn of<T: Element>(function: Function, pair: (&Column, &Column), at: &mut At<'_>) -> Column {
        map2::<T, T, bool>(pair, at, |a, b| Ok(verdict(function, a.order(b))))
    }
    fn like<T: Element>(
        _: &crate::cells::Cells<T>,
        function: Function,
        pair: (&Column, &Column),
        at: &mut At<'_>,
    ) -> Column {
        of::<T>(function, pair, at)
    }
    let (a, b) = common(a, b);
    let pair = (&*a, &*b);
    // A column of nulls still lets the other one warn of several values.
    match (&*a, &*b) {
        (Column::Null(_), other) => {
            each_type!(other, it => like(it, function, pair, at), null rows => Column::Null(*rows))
        }
        (other, _) => each_type!(other, it => like(it, function, pair, at), null rows => Column::Null(*rows)),
    }
}

/// Whether the value is among others: true if it is, else null if any is null, else false.
pub(super) fn is_in(a: &Column, others: &[&Column], at: &mut At<'_>) -> Column {
    fn of<T: Element>(_: &crate::cells::Cells<T>, a: &Column, others: &[&Column], at: &mut At<'_>) -> Column {
        let a = typed::<T>(a);
        let others: Vec<_> = others.iter().map(|it| typed::<T>(it)).collect();
        let mut builder = Builder::new(at.rows);
        for row in 0..at.rows {
            let Some(value) = at.single(a.cell(row)) else {
                builder.push_null();
                continue;
            };
            let (mut found, mut has_null) = (false, false);
            for other in &others {
                match at.single(other.cell(row)) {
                    Some(it) => found |= it.order(value).is_eq(),
                    None => has_null = true,
                }
            }
            builder.push_option(if found { Some(true) } else { (!has_null).then_some(false) });
        }
        Column::Boolean(builder.finish())
    }
    let widest = others.iter().fold(number_type(a), |widest, it| match (widest, number_type(it)) {
        (Some(a), Some(b)) => Some(a.widest(b).unwrap_or(esql::Type::Double)),
        (None, it) | (it, None) => it,
    });
    let wide = |it| widest.map_or(Cow::Borrowed(it), |ty| widen(it, ty));
    let a = wide(a);
    let others: Vec<Cow<'_, Column>> = others.iter().map(|it| wide(it)).collect();
    let others: Vec<&Column> = others.iter().map(|it| &**it).collect();
    each_type!(&*a, it => of(it, &a, &others, at), null rows => Column::Null(*rows))
}

/// The greatest or the least of single values; null if any is.
pub(super) fn extreme(columns: &[&Column], greatest: bool, at: &mut At<'_>) -> Column {
    fn of<T: Element>(
        _: &crate::cells::Cells<T>,
        a: &Column,
        b: &Column,
        greatest: bool,
        at: &mut At<'_>,
    ) -> Column {
        map2::<T, T, T>((a, b), at, |a, b| {
            let takes_b = if greatest { b.order(a).is_gt() } else { b.order(a).is_lt() };
            Ok(if takes_b { b.clone() } else { a.clone() })
        })
    }
    // One argument may hold several values: the greatest of them.
    if let [only] = columns {
        let pick = if greatest { super::multi::Pick::Max } else { super::multi::Pick::Min };
        return super::multi::pick(only, at, pick);
    }
    let mut all = columns.iter();
    let Some(first) = all.next() else { return Column::Null(at.rows) };
    all.fold((*first).clone(), |so_far, next| {
        let (a, b) = common(&so_far, next);
        each_type!(&*a, it => of(it, &a, &b, greatest, at), null rows => Column::Null(*rows))
    })
}

/// The order of two rows of a column, by the least of their values, or the greatest if it descends.
pub(crate) fn order_columns(
    column: &Column,
    a: usize,
    b: usize,
    descending: bool,
    nulls_first: bool,
) -> Ordering {
    fn of<T: Element>(a: &[T], b: &[T], descending: bool, nulls_first: bool) -> Ordering {
        let key = |cell: &[T]| -> Option<usize> {
            let best = |x: &usize, y: &usize| cell[*x].order(&cell[*y]);
            if descending { (0..cell.len()).max_by(best) } else { (0..cell.len()).min_by(best) }
        };
        match (key(a), key(b)) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => {
                if nulls_first {
                    Ordering::Less
                } else {
                    Ordering::Greater
                }
            }
            (Some(_), None) => {
                if nulls_first {
                    Ordering::Greater
                } else {
                    Ordering::Less
                }
            }
            (Some(x), Some(y)) => {
                let order = a[x].order(&b[y]);
                if descending { order.reverse() } else { order }
            }
        }
    }
    each_type!(column, it => of(it.cell(a), it.cell(b), descending, nulls_first), null _rows => Ordering::Equal)
}
