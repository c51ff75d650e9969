//! The values of a column: none, one or several a row.

use std::sync::Arc;

/// The values of a column of one type.
#[derive(Clone, Debug)]
pub struct Cells<T> {
    values: Vec<T>,
    shape: Shape,
}

/// Which of the values are whose.
#[derive(Clone, Debug)]
enum Shape {
    /// One a row.
    Single,
    /// Where the values of each row end.
    Ends(Vec<u32>),
    /// All of them are those of every row; so many rows.
    Same(usize),
}

impl<T> Cells<T> {
    /// One value a row.
    pub fn single(values: Vec<T>) -> Self {
        Self { values, shape: Shape::Single }
    }

    /// The same values in each row.
    pub fn same(values: Vec<T>, rows: usize) -> Self {
        Self { values, shape: Shape::Same(rows) }
    }

    /// How many rows.
    pub fn rows(&self) -> usize {
        match &self.shape {
            Shape::Single => self.values.len(),
            Shape::Ends(ends) => ends.len(),
            Shape::Same(rows) => *rows,
        }
    }

    /// The values of a row; none is null.
    pub fn cell(&self, row: usize) -> &[T] {
        match &self.shape {
            Shape::Single => std::slice::from_ref(&self.values[row]),
            Shape::Ends(ends) => {
                let start = if row == 0 { 0 } else { ends[row - 1] as usize };
                &self.values[start..ends[row] as usize]
            }
            Shape::Same(_) => &self.values,
        }
    }

    /// The cells of all rows.
    pub fn iter(&self) -> impl Iterator<Item = &[T]> {
        (0..self.rows()).map(|row| self.cell(row))
    }

    /// Whether every row has the same values by construction.
    pub fn is_same(&self) -> bool {
        matches!(self.shape, Shape::Same(_))
    }

    /// All values that rows have; those of [`Cells::same`] once.
    pub fn values(&self) -> &[T] {
        &self.values
    }

    /// Other values in the place of these.
    pub fn map<U>(&self, of: impl FnMut(&T) -> U) -> Cells<U> {
        Cells { values: self.values.iter().map(of).collect(), shape: self.shape.clone() }
    }
}

impl<T: Clone> Cells<T> {
    /// Some rows, in this order.
    #[must_use]
    pub fn take(&self, rows: &[u32]) -> Self {
        if let Shape::Same(_) = self.shape {
            return Self { values: self.values.clone(), shape: Shape::Same(rows.len()) };
        }
        let mut builder = Builder::new(rows.len());
        for &row in rows {
            builder.push_all(self.cell(row as usize));
        }
        builder.finish()
    }

    /// The first row of it in every one of `rows`.
    #[must_use]
    pub fn spread(&self, rows: usize) -> Self {
        let values = if self.rows() == 0 { Vec::new() } else { self.cell(0).to_vec() };
        Self::same(values, rows)
    }
}

/// Makes cells, row by row.
#[derive(Debug)]
pub struct Builder<T> {
    values: Vec<T>,
    ends: Vec<u32>,
    is_single: bool,
}

impl<T> Builder<T> {
    /// Nothing yet, with room for so many rows.
    pub fn new(rows: usize) -> Self {
        Self { values: Vec::with_capacity(rows), ends: Vec::with_capacity(rows), is_single: true }
    }

    /// A row with one value.
    pub fn push(&mut self, value: T) {
        self.values.push(value);
        self.ends.push(self.values.len() as u32);
    }

    /// A row without a value.
    pub fn push_null(&mut self) {
        self.end();
    }

    /// A row with one value, or none.
    pub fn push_option(&mut self, value: Option<T>) {
        match value {
            Some(value) => self.push(value),
            None => self.push_null(),
        }
    }

    /// A further value of the row that [`Builder::end`] ends.
    pub fn add(&mut self, value: T) {
        self.values.push(value);
    }

    /// Further values of the row that [`Builder::end`] ends.
    pub fn extend(&mut self, values: impl IntoIterator<Item = T>) {
        self.values.extend(values);
    }

    /// The values that were added are a row.
    pub fn end(&mut self) {
        let start = self.ends.last().copied().unwrap_or(0);
        let end = self.values.len() as u32;
        self.is_single &= end == start + 1;
        self.ends.push(end);
    }

    /// A row with these values.
    pub fn push_all(&mut self, values: &[T])
    where
        T: Clone,
    {
        self.values.extend_from_slice(values);
        self.end();
    }

    /// The cells.
    pub fn finish(self) -> Cells<T> {
        let shape = if self.is_single { Shape::Single } else { Shape::Ends(self.ends) };
        Cells { values: self.values, shape }
    }
}

/// Text that rows share.
pub type Text = Arc<str>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_have_none_one_or_several() {
        let mut builder = Builder::new(3);
        builder.push(1);
        builder.push_null();
        builder.push_all(&[2, 3]);
        let cells = builder.finish();
        assert_eq!(cells.iter().collect::<Vec<_>>(), [&[1][..], &[], &[2, 3]]);
        assert_eq!(cells.take(&[2, 0]).iter().collect::<Vec<_>>(), [&[2, 3][..], &[1]]);
        let same = Cells::same(vec![7, 8], 2);
        assert_eq!((same.rows(), same.cell(1)), (2, &[7, 8][..]));
        assert_eq!(same.take(&[0, 1, 1]).rows(), 3);
        assert_eq!(cells.spread(2).cell(1), [1]);
    }
}
