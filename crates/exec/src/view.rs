//! What a predicate looks at: a column of the block, or what every event has beside its columns.

use block::{Block, Column, Ordinal, Slot};
use ecs::{Scalar, Shape};

use crate::Row;

/// The path of the event's id.
const ID: &str = "_id";
/// The path of the name of the event's index.
const INDEX: &str = "_index";

/// Where the values of a path are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Slot(Slot),
    Id,
    Index,
}

impl Source {
    /// Where the values of `path` are; `add` makes it a column if it has to be one.
    pub(crate) fn of(path: &str, shape: Shape, add: impl FnOnce(&str, Shape) -> Slot) -> Self {
        match path {
            ID => Self::Id,
            INDEX => Self::Index,
            _ => Self::Slot(add(path, shape)),
        }
    }
}

/// The values of a path in a block, numbered. Only a column's values are distinct.
#[derive(Clone, Copy, Debug)]
pub(crate) enum View<'a> {
    Column(&'a Column),
    Ids(&'a Block),
    Indices(&'a Block, &'a [String]),
}

impl<'a> View<'a> {
    pub(crate) fn new(source: Source, block: &'a Block, indices: &'a [String]) -> Self {
        match source {
            Source::Slot(slot) => Self::Column(block.column(slot)),
            Source::Id => Self::Ids(block),
            Source::Index => Self::Indices(block, indices),
        }
    }

    /// How many numbers there are.
    pub(crate) fn distinct(self) -> usize {
        match self {
            Self::Column(column) => column.distinct(),
            Self::Ids(block) => block.rows(),
            Self::Indices(_, names) => names.len(),
        }
    }

    /// The value of that number.
    pub(crate) fn value(self, ordinal: Ordinal) -> Scalar<'a> {
        match self {
            Self::Column(column) => column.value(ordinal),
            Self::Ids(block) => Scalar::Str(block.id(ordinal as usize)),
            Self::Indices(_, names) => Scalar::Str(&names[ordinal as usize]),
        }
    }

    /// The number of a text. Only columns have their values by text; nobody looks others up.
    pub(crate) fn find_str(self, text: &str) -> Option<Ordinal> {
        match self {
            Self::Column(column) => column.find_str(text),
            Self::Ids(_) | Self::Indices(..) => None,
        }
    }

    /// The numbers of the values that are no strings, ascending.
    pub(crate) fn not_strings(self) -> &'a [Ordinal] {
        match self {
            Self::Column(column) => column.not_strings(),
            Self::Ids(_) | Self::Indices(..) => &[],
        }
    }

    /// Whether `test` holds for any value of the row.
    pub(crate) fn any(self, row: Row, mut test: impl FnMut(Ordinal) -> bool) -> bool {
        match self {
            Self::Column(column) => column.row(row as usize).iter().any(|&ordinal| test(ordinal)),
            Self::Ids(_) => test(row),
            Self::Indices(block, _) => test(block.index(row as usize)),
        }
    }

    /// Calls `each` with every value of the row.
    pub(crate) fn each(self, row: Row, mut each: impl FnMut(Ordinal)) {
        self.any(row, |ordinal| {
            each(ordinal);
            false
        });
    }

    /// Calls `each` with every row and each of its values.
    pub(crate) fn for_each(self, rows: usize, mut each: impl FnMut(Row, Ordinal)) {
        match self {
            Self::Column(column) => {
                let distinct = column.distinct();
                for (row, &cell) in column.singles().iter().enumerate() {
                    if (cell as usize) < distinct {
                        each(row as Row, cell);
                    } else {
                        column.row(row).iter().for_each(|&ordinal| each(row as Row, ordinal));
                    }
                }
            }
            Self::Ids(_) => (0..rows as Row).for_each(|row| each(row, row)),
            Self::Indices(block, _) => (0..rows).for_each(|row| each(row as Row, block.index(row))),
        }
    }

    /// Drops the rows for which it is not `wanted` whether `test` holds for any value; keeps the order.
    ///
    /// Runs once per clause per filter with candidates, so it is the hottest code here. It stores every row, kept
    /// or not, and moves on only past those kept: no branch on the outcome.
    pub(crate) fn retain(self, rows: &mut Vec<Row>, wanted: bool, mut test: impl FnMut(Ordinal) -> bool) {
        let mut kept = 0;
        match self {
            Self::Column(column) => {
                let (cells, distinct) = (column.singles(), column.distinct());
                for at in 0..rows.len() {
                    let row = rows[at];
                    let is = match cells.get(row as usize) {
                        Some(&cell) if (cell as usize) < distinct => test(cell),
                        Some(_) => self.any(row, &mut test),
                        None => false,
                    };
                    rows[kept] = row;
                    kept += usize::from(is == wanted);
                }
            }
            Self::Ids(_) | Self::Indices(..) => {
                for at in 0..rows.len() {
                    let row = rows[at];
                    rows[kept] = row;
                    kept += usize::from(self.any(row, &mut test) == wanted);
                }
            }
        }
        rows.truncate(kept);
    }
}
