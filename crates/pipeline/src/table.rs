//! Results.

use std::sync::Arc;

use crate::Type;
use crate::column::Column;
use crate::scalar::Value;

/// A column of a result.
#[derive(Clone, Debug)]
pub struct TableColumn {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: Type,
    /// Its values.
    pub values: Arc<Column>,
}

/// A result, or a table that pipelines look things up in.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// The columns, in order.
    pub columns: Vec<TableColumn>,
    /// How many rows; there may be some without any column.
    pub rows: usize,
    /// What is to be known, in words.
    pub warnings: Vec<String>,
}

impl Table {
    /// The values of a row, in the order of columns.
    pub fn row(&self, row: usize) -> impl Iterator<Item = (&TableColumn, Value)> {
        self.columns.iter().map(move |it| (it, it.values.value(row)))
    }

    /// The column of that name.
    pub fn column(&self, name: &str) -> Option<&TableColumn> {
        self.columns.iter().find(|it| it.name == name)
    }
}
