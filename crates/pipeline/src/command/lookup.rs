//! `LOOKUP JOIN` and `ENRICH`: rows of a table whose keys are equal.

use std::collections::BTreeMap;
use std::sync::Arc;

use esql::Type;
use esql::resolved::{Lookup, LookupKind};
use rustc_hash::FxHashMap;
use span::Span;

use crate::block::Block;
use crate::column::Column;
use crate::error::PrepareError;
use crate::numbers::widen;
use crate::scalar::{Scalar, Value};
use crate::table::Table;

/// Tables that pipelines look things up in, by name.
pub type Tables = BTreeMap<String, Table>;

/// A table, made ready to be asked.
#[derive(Debug)]
pub(crate) struct Plan {
    kind: LookupKind,
    /// The slots of the keys, and the types that they are compared in.
    keys: Vec<(usize, Type)>,
    /// The rows of the table, in order, by their keys.
    rows: FxHashMap<Vec<Scalar>, Vec<u32>>,
    adds: Vec<(usize, Type, Arc<Column>)>,
}

impl Plan {
    pub(crate) fn new(lookup: &Lookup, place: Span, tables: &Tables) -> Result<Self, PrepareError> {
        let table = tables.get(&lookup.table).ok_or_else(|| PrepareError::Table {
            name: lookup.table.clone(),
            known: tables.keys().cloned().collect(),
            span: place,
        })?;
        let find = |name: &str| {
            table.column(name).ok_or_else(|| PrepareError::TableColumn {
                table: lookup.table.clone(),
                column: name.to_owned(),
                span: place,
            })
        };
        let mut keys = Vec::new();
        let mut columns = Vec::new();
        for (slot, name) in &lookup.on {
            let column = find(name)?;
            keys.push((slot.index(), column.ty));
            columns.push(Arc::clone(&column.values));
        }
        let mut rows: FxHashMap<Vec<Scalar>, Vec<u32>> = FxHashMap::default();
        for row in 0..table.rows {
            // A row with several values of a key is found by each of them.
            let mut found: Vec<Vec<Scalar>> = vec![Vec::new()];
            for column in &columns {
                let values = column.value(row);
                found = found
                    .iter()
                    .flat_map(|before| {
                        values
                            .as_slice()
                            .iter()
                            .map(move |it| before.iter().cloned().chain([it.clone()]).collect())
                    })
                    .collect();
            }
            for key in found {
                rows.entry(key).or_default().push(row as u32);
            }
        }
        let mut adds = Vec::new();
        for (name, slot, ty) in &lookup.adds {
            adds.push((slot.index(), *ty, Arc::clone(&find(name)?.values)));
        }
        Ok(Self { kind: lookup.kind, keys, rows, adds })
    }

    /// The slots that it reads.
    pub(crate) fn reads(&self, slots: &mut Vec<usize>) {
        slots.extend(self.keys.iter().map(|it| it.0));
    }

    pub(crate) fn apply(&self, block: Block, live: &[usize]) -> Block {
        let keys: Vec<Column> = self
            .keys
            .iter()
            .map(|(slot, ty)| {
                let column = block.get(*slot);
                widen(&column, *ty).into_owned()
            })
            .collect();
        let found = |row: usize| -> &[u32] {
            let key: Option<Vec<Scalar>> =
                keys.iter().map(|it| if it.count(row) == 1 { it.scalar(row, 0) } else { None }).collect();
            key.and_then(|it| self.rows.get(&it)).map_or(&[], Vec::as_slice)
        };
        match self.kind {
            LookupKind::Join => {
                let (mut here, mut there) = (Vec::new(), Vec::new());
                for row in 0..block.rows() {
                    let found = found(row);
                    here.extend(std::iter::repeat_n(row as u32, found.len().max(1)));
                    if found.is_empty() {
                        there.push(None);
                    }
                    there.extend(found.iter().map(|it| Some(*it)));
                }
                let mut joined = block.take(&here, live);
                for (slot, ty, column) in &self.adds {
                    let values: Vec<Value> = there
                        .iter()
                        .map(|it| it.map_or(Value::Null, |it| column.value(it as usize)))
                        .collect();
                    joined.set(*slot, Arc::new(Column::of_type(*ty, values.iter())));
                }
                joined
            }
            LookupKind::Enrich => {
                let mut enriched = block;
                for (slot, ty, column) in &self.adds {
                    let all = |row: usize| {
                        let values =
                            found(row).iter().flat_map(|it| column.value(*it as usize).as_slice().to_vec());
                        Value::of(values.collect())
                    };
                    let values: Vec<Value> = (0..enriched.rows()).map(all).collect();
                    enriched.set(*slot, Arc::new(Column::of_type(*ty, values.iter())));
                }
                enriched
            }
        }
    }
}
