//! Aggregate functions: what is kept of a group's rows, and what comes of it.
//!
//! All that is kept merges: in the order of rows, the same comes of it however they were cut.

use std::hash::BuildHasher as _;
use std::mem::size_of;

use esql::{Function, Type};
use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;

use crate::column::Column;
use crate::exact::Exact;
use crate::scalar::{Scalar, Value};
use crate::warnings::Failure;

/// What an aggregate is asked for, beside its values.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) function: Function,
    pub(crate) ty: Type,
    /// `COUNT(*)`.
    pub(crate) is_of_rows: bool,
    /// Of `PERCENTILE`.
    pub(crate) percentile: f64,
    /// Of `TOP`.
    pub(crate) limit: usize,
    /// Of `TOP`.
    pub(crate) descending: bool,
}

/// Different values, in the order in which they appear.
#[derive(Clone, Debug, Default)]
pub(crate) struct Distinct {
    values: Vec<Scalar>,
    table: HashTable<u32>,
}

impl Distinct {
    /// How many bytes more it takes.
    fn add(&mut self, value: Scalar) -> usize {
        let hash = |it: &Scalar| FxBuildHasher.hash_one(it);
        let values = &self.values;
        let found = self.table.entry(
            hash(&value),
            |it| values[*it as usize] == value,
            |it| hash(&values[*it as usize]),
        );
        if let hashbrown::hash_table::Entry::Vacant(place) = found {
            let bytes = weight(&value) + 8;
            place.insert(values.len() as u32);
            self.values.push(value);
            return bytes;
        }
        0
    }
}

/// About how many bytes a value takes.
fn weight(value: &Scalar) -> usize {
    let text = match value {
        Scalar::Keyword(it) => it.len() + 16,
        Scalar::Version(it) => it.0.len() + 16,
        _ => 0,
    };
    size_of::<Scalar>() + text
}

/// What is kept of the rows of one group.
#[derive(Clone, Debug)]
pub(crate) enum Accumulator {
    Count(i64),
    Distinct(Distinct),
    Whole(Option<i128>),
    Double {
        sum: Exact,
        count: u64,
    },
    /// Also the squares.
    Moments {
        sum: Exact,
        squares: Exact,
        count: u64,
    },
    Weighted {
        products: Exact,
        weights: Exact,
        is_empty: bool,
    },
    Extreme(Option<Scalar>),
    Numbers(Vec<f64>),
    Seen(bool),
    /// Sorted, the best first; the second is what is told.
    Top(Vec<(Scalar, Option<Scalar>)>),
    /// The order and the value of the row that is first, or last.
    Row(Option<(Option<Scalar>, Value)>),
}

/// A number of any type.
fn number(scalar: &Scalar) -> f64 {
    match scalar {
        Scalar::Boolean(it) => f64::from(u8::from(*it)),
        Scalar::Integer(it) => f64::from(*it),
        Scalar::Long(it) => *it as f64,
        Scalar::UnsignedLong(it) => *it as f64,
        Scalar::Double(it) => *it,
        Scalar::Datetime(it) => it.0 as f64,
        Scalar::Keyword(_) | Scalar::Ip(_) | Scalar::Version(_) | Scalar::GeoPoint(_) => f64::NAN,
    }
}

impl Accumulator {
    pub(crate) fn new(asked: &Asked) -> Self {
        match asked.function {
            Function::CountDistinct | Function::Values => Self::Distinct(Distinct::default()),
            Function::Sum if asked.ty != Type::Double => Self::Whole(None),
            Function::Sum | Function::Avg => Self::Double { sum: Exact::default(), count: 0 },
            Function::StdDev | Function::Variance => {
                Self::Moments { sum: Exact::default(), squares: Exact::default(), count: 0 }
            }
            Function::WeightedAvg => {
                Self::Weighted { products: Exact::default(), weights: Exact::default(), is_empty: true }
            }
            Function::Min | Function::Max => Self::Extreme(None),
            Function::Median | Function::MedianAbsoluteDeviation | Function::Percentile => {
                Self::Numbers(Vec::new())
            }
            Function::Absent | Function::Present => Self::Seen(false),
            Function::Top => Self::Top(Vec::new()),
            Function::First | Function::Last => Self::Row(None),
            // `COUNT`; the checker lets nothing else be an aggregate.
            _ => Self::Count(0),
        }
    }

    /// Takes a row. How many bytes more it takes.
    pub(crate) fn add(&mut self, asked: &Asked, arguments: &[&Column], row: usize) -> usize {
        let Some(column) = arguments.first() else {
            if let Self::Count(count) = self {
                *count += 1;
            }
            return 0;
        };
        if let Self::Count(count) = self {
            *count += if asked.is_of_rows { 1 } else { column.count(row) as i64 };
            return 0;
        }
        if let Self::Row(kept) = self {
            let order = arguments.get(1).and_then(|it| best(it, row, asked.function == Function::Last));
            if is_before(asked, kept.as_ref().map(|it| it.0.as_ref()), order.as_ref()) {
                let value = column.value(row);
                *kept = Some((order, value));
            }
            return 0;
        }
        if let Self::Weighted { products, weights, is_empty } = self {
            let weight = arguments.get(1).and_then(|it| it.scalar(row, 0));
            if let Some(weight) = weight.map(|it| number(&it)) {
                for at in 0..column.count(row) {
                    if let Some(value) = column.scalar(row, at) {
                        products.add_product(number(&value), weight);
                        weights.add(weight);
                        *is_empty = false;
                    }
                }
            }
            return 0;
        }
        let mut bytes = 0;
        for at in 0..column.count(row) {
            let Some(value) = column.scalar(row, at) else { continue };
            let told = arguments.get(3).and_then(|it| it.scalar(row, 0));
            bytes += self.take(asked, value, told, arguments.len() > 3);
        }
        bytes
    }

    fn take(&mut self, asked: &Asked, value: Scalar, told: Option<Scalar>, is_told: bool) -> usize {
        match self {
            Self::Distinct(it) => return it.add(value),
            Self::Whole(sum) => {
                let value = match value {
                    Scalar::Integer(it) => it.into(),
                    Scalar::Long(it) => it.into(),
                    Scalar::UnsignedLong(it) => it.into(),
                    _ => 0,
                };
                *sum = Some(sum.unwrap_or(0).saturating_add(value));
            }
            Self::Double { sum, count } => {
                sum.add(number(&value));
                *count += 1;
            }
            Self::Moments { sum, squares, count } => {
                let value = number(&value);
                sum.add(value);
                squares.add_product(value, value);
                *count += 1;
            }
            Self::Extreme(kept) => {
                let is_better = kept.as_ref().is_none_or(|kept| {
                    let order = value.order(kept);
                    if asked.function == Function::Max { order.is_gt() } else { order.is_lt() }
                });
                if is_better {
                    *kept = Some(value);
                }
            }
            Self::Numbers(all) => {
                all.push(number(&value));
                return size_of::<f64>();
            }
            Self::Seen(seen) => *seen = true,
            Self::Top(all) => {
                if !is_told || told.is_some() {
                    return insert(all, asked, value, told);
                }
            }
            Self::Count(_) | Self::Weighted { .. } | Self::Row(_) => {}
        }
        0
    }

    /// Takes what was kept of later rows.
    pub(crate) fn merge(&mut self, asked: &Asked, later: Self) -> usize {
        let mut bytes = 0;
        match (self, later) {
            (Self::Count(a), Self::Count(b)) => *a += b,
            (Self::Distinct(a), Self::Distinct(b)) => {
                bytes += b.values.into_iter().map(|it| a.add(it)).sum::<usize>();
            }
            (Self::Whole(a), Self::Whole(Some(b))) => *a = Some(a.unwrap_or(0).saturating_add(b)),
            (Self::Double { sum, count }, Self::Double { sum: other, count: more }) => {
                sum.merge(&other);
                *count += more;
            }
            (
                Self::Moments { sum, squares, count },
                Self::Moments { sum: other, squares: other_squares, count: more },
            ) => {
                sum.merge(&other);
                squares.merge(&other_squares);
                *count += more;
            }
            (
                Self::Weighted { products, weights, is_empty },
                Self::Weighted { products: other, weights: other_weights, is_empty: was_empty },
            ) => {
                products.merge(&other);
                weights.merge(&other_weights);
                *is_empty &= was_empty;
            }
            (it @ Self::Extreme(_), Self::Extreme(Some(value))) => {
                it.take(asked, value, None, false);
            }
            (Self::Numbers(a), Self::Numbers(b)) => {
                bytes += b.len() * size_of::<f64>();
                a.extend(b);
            }
            (Self::Seen(a), Self::Seen(b)) => *a |= b,
            (Self::Top(a), Self::Top(b)) => {
                bytes += b.into_iter().map(|(value, told)| insert(a, asked, value, told)).sum::<usize>();
            }
            (Self::Row(a), Self::Row(Some((order, value))))
                if is_before(asked, a.as_ref().map(|it| it.0.as_ref()), order.as_ref()) =>
            {
                *a = Some((order, value));
            }
            // Both were made for the same aggregate; what is left is empty.
            _ => {}
        }
        bytes
    }

    /// What comes of it.
    pub(crate) fn finish(self, asked: &Asked) -> Result<Value, Failure> {
        let double = |it: f64| Ok(Value::One(Scalar::Double(it)));
        match self {
            Self::Count(count) => Ok(Value::One(Scalar::Long(count))),
            Self::Distinct(it) if asked.function == Function::CountDistinct => {
                Ok(Value::One(Scalar::Long(it.values.len() as i64)))
            }
            Self::Distinct(it) => Ok(Value::of(it.values)),
            Self::Whole(Some(sum)) if asked.ty == Type::UnsignedLong => u64::try_from(sum)
                .map(|it| Value::One(Scalar::UnsignedLong(it)))
                .map_err(|_| Failure::Arithmetic("unsigned_long overflow".to_owned())),
            Self::Whole(Some(sum)) => i64::try_from(sum)
                .map(|it| Value::One(Scalar::Long(it)))
                .map_err(|_| Failure::Arithmetic("long overflow".to_owned())),
            Self::Whole(None) | Self::Double { count: 0, .. } | Self::Moments { count: 0, .. } => {
                Ok(Value::Null)
            }
            Self::Double { sum, .. } if asked.function == Function::Sum => {
                let sum = crate::numbers::finite(sum.value())?;
                double(sum)
            }
            Self::Double { sum, count } => double(sum.value() / count as f64),
            Self::Moments { sum, squares, count } => {
                let variance = variance(&sum, squares, count);
                double(if asked.function == Function::StdDev { variance.sqrt() } else { variance })
            }
            Self::Weighted { is_empty: true, .. } => Ok(Value::Null),
            Self::Weighted { products, weights, .. } => {
                if weights.value() == 0.0 {
                    return Err(Failure::Arithmetic("/ by zero".to_owned()));
                }
                double(products.value() / weights.value())
            }
            Self::Extreme(it) => Ok(it.map_or(Value::Null, Value::One)),
            Self::Numbers(all) if all.is_empty() => Ok(Value::Null),
            Self::Numbers(mut all) => {
                all.sort_unstable_by(f64::total_cmp);
                double(match asked.function {
                    Function::Percentile => percentile(&all, asked.percentile),
                    Function::MedianAbsoluteDeviation => {
                        let median = percentile(&all, 50.0);
                        for it in &mut all {
                            *it = (*it - median).abs();
                        }
                        all.sort_unstable_by(f64::total_cmp);
                        percentile(&all, 50.0)
                    }
                    _ => percentile(&all, 50.0),
                })
            }
            Self::Seen(seen) => {
                Ok(Value::One(Scalar::Boolean(seen == (asked.function == Function::Present))))
            }
            Self::Top(all) => {
                Ok(Value::of(all.into_iter().map(|(value, told)| told.unwrap_or(value)).collect()))
            }
            Self::Row(it) => Ok(it.map_or(Value::Null, |it| it.1)),
        }
    }
}

/// The least value of a row, or the greatest.
fn best(column: &Column, row: usize, greatest: bool) -> Option<Scalar> {
    let all = (0..column.count(row)).filter_map(|at| column.scalar(row, at));
    if greatest { all.max_by(Scalar::order) } else { all.min_by(Scalar::order) }
}

/// Whether a row takes the place of the one that is kept: rows without an order come last, and of several that are equal
/// the first counts.
#[expect(clippy::option_option, reason = "nothing kept yet, or kept without an order")]
fn is_before(asked: &Asked, kept: Option<Option<&Scalar>>, order: Option<&Scalar>) -> bool {
    match (kept, order) {
        (None, _) | (Some(None), Some(_)) => true,
        (Some(_), None) => false,
        (Some(Some(kept)), Some(order)) => {
            let found = order.order(kept);
            if asked.function == Function::Last { found.is_gt() } else { found.is_lt() }
        }
    }
}

fn insert(
    all: &mut Vec<(Scalar, Option<Scalar>)>,
    asked: &Asked,
    value: Scalar,
    told: Option<Scalar>,
) -> usize {
    let is_before = |it: &(Scalar, Option<Scalar>)| {
        let order = it.0.order(&value);
        if asked.descending { order.is_ge() } else { order.is_le() }
    };
    let at = all.partition_point(is_before);
    if at >= asked.limit {
        return 0;
    }
    let bytes = weight(&value);
    all.insert(at, (value, told));
    if all.len() > asked.limit {
        all.pop();
        return 0;
    }
    bytes
}

/// Of sorted values: what lies so far up, between neighbours in proportion.
fn percentile(sorted: &[f64], percent: f64) -> f64 {
    let last = sorted.len() - 1;
    let place = (percent / 100.0).clamp(0.0, 1.0) * last as f64;
    let below = place.floor();
    let (low, high) = (sorted[below as usize], sorted[(below as usize + 1).min(last)]);
    low + (high - low) * (place - below)
}

/// Of the population, without loss until the division.
fn variance(sum: &Exact, squares: Exact, count: u64) -> f64 {
    let mean = sum.value() / count as f64;
    // The sum of (x - m)² = Σx² - 2mΣx + nm².
    let mut total = squares;
    for part in sum.parts() {
        total.add_product(-2.0 * mean, *part);
    }
    let mut square = Exact::default();
    square.add_product(mean, mean);
    for part in square.parts() {
        total.add_product(count as f64, *part);
    }
    (total.value() / count as f64).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::float_cmp, reason = "these are exact")]
    fn percentiles_lie_between_neighbours() {
        assert_eq!(percentile(&[1.0, 2.0, 3.0, 4.0], 25.0), 1.75);
        assert_eq!(percentile(&[1.0, 2.0, 3.0, 4.0], 50.0), 2.5);
        assert_eq!((percentile(&[7.0], 99.0), percentile(&[1.0, 2.0], 100.0)), (7.0, 2.0));
    }

    #[test]
    #[expect(clippy::float_cmp, reason = "this is exact")]
    fn variance_keeps_small_differences_of_large_numbers() {
        let (mut sum, mut squares) = (Exact::default(), Exact::default());
        for value in [1e9 + 1.0, 1e9 + 2.0, 1e9 + 3.0, 1e9 + 4.0] {
            sum.add(value);
            squares.add_product(value, value);
        }
        assert_eq!(variance(&sum, squares, 4), 1.25);
    }
}
