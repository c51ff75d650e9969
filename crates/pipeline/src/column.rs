//! Columns: cells of one type.

use std::sync::Arc;

use crate::Type;
use crate::cells::{Builder, Cells, Text};
use crate::scalar::{Element, Ip, Millis, Point, Scalar, Value, Version};

/// The values of one column of a block.
#[derive(Clone, Debug)]
pub enum Column {
    /// Null in so many rows.
    Null(usize),
    /// `boolean`.
    Boolean(Cells<bool>),
    /// `integer`.
    Integer(Cells<i32>),
    /// `long`.
    Long(Cells<i64>),
    /// `unsigned_long`.
    UnsignedLong(Cells<u64>),
    /// `double`.
    Double(Cells<f64>),
    /// `keyword` and `text`.
    Keyword(Cells<Text>),
    /// `datetime`.
    Datetime(Cells<Millis>),
    /// `ip`.
    Ip(Cells<Ip>),
    /// `version`.
    Version(Cells<Version>),
    /// `geo_point`.
    GeoPoint(Cells<Point>),
}

/// Does the same with the cells of a column, whatever their type; a column of nulls is another matter.
macro_rules! each_type {
    ($column:expr, $cells:ident => $body:expr, null $rows:ident => $null:expr) => {
        match $column {
            $crate::column::Column::Null($rows) => $null,
            $crate::column::Column::Boolean($cells) => $body,
            $crate::column::Column::Integer($cells) => $body,
            $crate::column::Column::Long($cells) => $body,
            $crate::column::Column::UnsignedLong($cells) => $body,
            $crate::column::Column::Double($cells) => $body,
            $crate::column::Column::Keyword($cells) => $body,
            $crate::column::Column::Datetime($cells) => $body,
            $crate::column::Column::Ip($cells) => $body,
            $crate::column::Column::Version($cells) => $body,
            $crate::column::Column::GeoPoint($cells) => $body,
        }
    };
}
pub(crate) use each_type;

impl Column {
    /// How many rows.
    pub fn rows(&self) -> usize {
        each_type!(self, it => it.rows(), null rows => *rows)
    }

    /// Whether every row has the same values by construction.
    pub fn is_same(&self) -> bool {
        each_type!(self, it => it.is_same(), null _rows => true)
    }

    /// Whether a row has no value.
    pub fn is_null(&self, row: usize) -> bool {
        each_type!(self, it => it.cell(row).is_empty(), null _rows => true)
    }

    /// How many values a row has.
    pub fn count(&self, row: usize) -> usize {
        each_type!(self, it => it.cell(row).len(), null _rows => 0)
    }

    /// The values of a row.
    pub fn value(&self, row: usize) -> Value {
        fn value<T: Element>(cell: &[T]) -> Value {
            match cell {
                [] => Value::Null,
                [one] => Value::One(one.scalar()),
                many => Value::Many(many.iter().map(Element::scalar).collect()),
            }
        }
        each_type!(self, it => value(it.cell(row)), null _rows => Value::Null)
    }

    /// One value of a row.
    pub fn scalar(&self, row: usize, at: usize) -> Option<Scalar> {
        each_type!(self, it => it.cell(row).get(at).map(Element::scalar), null _rows => None)
    }

    /// Some rows, in this order.
    #[must_use]
    pub fn take(&self, rows: &[u32]) -> Self {
        each_type!(self, it => Element::column(it.take(rows)), null _rows => Self::Null(rows.len()))
    }

    /// Its first row, in every one of `rows`.
    #[must_use]
    pub fn spread(&self, rows: usize) -> Self {
        each_type!(self, it => Element::column(it.spread(rows)), null _rows => Self::Null(rows))
    }

    /// The same value in every row.
    pub fn same(value: &Value, rows: usize) -> Self {
        Self::of(std::iter::once(value.clone())).spread(rows)
    }

    /// Of values of one type.
    fn of(values: impl Iterator<Item = Value>) -> Self {
        let values: Vec<Value> = values.collect();
        let first = values.iter().find_map(|it| it.as_slice().first());
        let ty = first.map_or(Type::Null, |it| match it {
            Scalar::Boolean(_) => Type::Boolean,
            Scalar::Integer(_) => Type::Integer,
            Scalar::Long(_) => Type::Long,
            Scalar::UnsignedLong(_) => Type::UnsignedLong,
            Scalar::Double(_) => Type::Double,
            Scalar::Keyword(_) => Type::Keyword,
            Scalar::Datetime(_) => Type::Datetime,
            Scalar::Ip(_) => Type::Ip,
            Scalar::Version(_) => Type::Version,
            Scalar::GeoPoint(_) => Type::GeoPoint,
        });
        Self::of_type(ty, values.iter())
    }

    /// A column of a type; what is of another one is null.
    pub fn of_type<'v>(ty: Type, values: impl Iterator<Item = &'v Value>) -> Self {
        fn build<'v, T: Element>(values: impl Iterator<Item = &'v Value>) -> Column {
            let mut builder = Builder::<T>::new(values.size_hint().0);
            for value in values {
                for scalar in value.as_slice() {
                    if let Some(it) = T::of_scalar(scalar) {
                        builder.add(it.clone());
                    }
                }
                builder.end();
            }
            T::column(builder.finish())
        }
        match Kind::of(ty) {
            Kind::Null => Self::Null(values.count()),
            Kind::Boolean => build::<bool>(values),
            Kind::Integer => build::<i32>(values),
            Kind::Long => build::<i64>(values),
            Kind::UnsignedLong => build::<u64>(values),
            Kind::Double => build::<f64>(values),
            Kind::Keyword => build::<Text>(values),
            Kind::Datetime => build::<Millis>(values),
            Kind::Ip => build::<Ip>(values),
            Kind::Version => build::<Version>(values),
            Kind::GeoPoint => build::<Point>(values),
        }
    }

    /// Its cells, if they are of this type.
    pub fn cells<T: Element>(&self) -> Option<&Cells<T>> {
        T::cells(self)
    }

    /// All rows of one column after the other. They are of one type, or null.
    pub fn concat(columns: &[Arc<Self>]) -> Self {
        fn build<T: Element>(columns: &[Arc<Column>]) -> Column {
            let mut builder = Builder::<T>::new(columns.iter().map(|it| it.rows()).sum());
            for column in columns {
                match T::cells(column) {
                    Some(cells) => cells.iter().for_each(|it| builder.push_all(it)),
                    None => (0..column.rows()).for_each(|_| builder.push_null()),
                }
            }
            T::column(builder.finish())
        }
        fn same<T: Element>(_like: &Cells<T>, columns: &[Arc<Column>]) -> Column {
            build::<T>(columns)
        }
        let Some(typed) = columns.iter().find(|it| !matches!(***it, Self::Null(_))) else {
            return Self::Null(columns.iter().map(|it| it.rows()).sum());
        };
        each_type!(&**typed, it => same(it, columns), null rows => Self::Null(*rows))
    }
}

/// How values of a type are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    Boolean,
    Integer,
    Long,
    UnsignedLong,
    Double,
    Keyword,
    Datetime,
    Ip,
    Version,
    GeoPoint,
}

impl Kind {
    pub(crate) fn of(ty: Type) -> Self {
        match ty {
            Type::Null | Type::Unsupported | Type::DatePeriod | Type::TimeDuration => Self::Null,
            Type::Boolean => Self::Boolean,
            Type::Integer => Self::Integer,
            Type::Long => Self::Long,
            Type::UnsignedLong => Self::UnsignedLong,
            Type::Double => Self::Double,
            Type::Keyword | Type::Text | Type::Source => Self::Keyword,
            Type::Datetime | Type::DateNanos => Self::Datetime,
            Type::Ip => Self::Ip,
            Type::Version => Self::Version,
            Type::GeoPoint => Self::GeoPoint,
        }
    }
}
