//! Parquet: rows with a record in one of their texts, such as `eventJson` of CloudTrail Lake.
//!
//! As in a table, the cells tell where the records are: a column that is called like a place where records stand is asked
//! first, then all other texts. No other column is read. Rows that are something else, such as OCSF events, are named.
//!
//! What decodes the file is not ours: whatever it makes of a file that is damaged, also a panic, is a problem of that file.

use std::fs::File;
use std::io::Read;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use parquet::basic::Type as Physical;
use parquet::file::reader::{ChunkReader, FileReader as _};
use parquet::file::serialized_reader::SerializedFileReader;
use parquet::record::{Field, Row};
use parquet::schema::types::Type;

use crate::known::{FLAT_TABLE, Holds, OCSF_FILE, Other, PARQUET_FILE, PLACES};
use crate::open::{Found, Given, Opener};
use crate::read::{Run, Space};
use crate::table::is_flat_table;
use crate::texts::Origin;
use crate::{Cause, TextPlace};

/// What a Parquet file begins and ends with.
pub(crate) const MAGIC: &[u8] = b"PAR1";

/// The shortest file that is one: both of these, and the length of what says where everything is.
const FILE_BYTES_MIN: u64 = 12;

/// The largest file that is held in memory, because it is compressed, in an archive, or was sent.
const HELD_BYTES_MAX: u64 = 512 << 20;

/// Rows after which progress is told.
const PROGRESS_ROWS: u64 = 4_096;

impl Run<'_> {
    /// Reads a Parquet file where it lies.
    pub(crate) fn parquet_file(&mut self, file: File, space: &mut Space) -> ControlFlow<()> {
        let flow = if self.input.size < FILE_BYTES_MIN {
            self.problem(None, Cause::OtherFile { other: PARQUET_FILE });
            ControlFlow::Continue(())
        } else {
            self.rows(file, space)
        };
        self.meter.stored.set(self.input.size);
        self.progress(0);
        flow
    }

    /// Reads a Parquet file that can only be read from its beginning.
    pub(crate) fn parquet(&mut self, source: &mut dyn Read, space: &mut Space) -> ControlFlow<()> {
        let mut bytes = Vec::new();
        let read = source.take(HELD_BYTES_MAX + 1).read_to_end(&mut bytes);
        let cause = match read {
            Err(error) => Some(crate::meter::cause_of(&error)),
            Ok(length) if length as u64 > HELD_BYTES_MAX => Some(Cause::TooBig { limit: HELD_BYTES_MAX }),
            Ok(length) if (length as u64) < FILE_BYTES_MIN => Some(Cause::OtherFile { other: PARQUET_FILE }),
            Ok(_) => None,
        };
        if let Some(cause) = cause {
            self.problem(None, cause);
            return ControlFlow::Continue(());
        }
        self.rows(Bytes::from(bytes), space)
    }

    fn rows<R: ChunkReader + 'static>(&mut self, source: R, space: &mut Space) -> ControlFlow<()> {
        let damaged = |detail: String| Cause::Parquet { detail };
        let opened = guarded(|| SerializedFileReader::new(source).map_err(|it| it.to_string()));
        let reader = match opened {
            Ok(reader) => reader,
            Err(detail) => {
                self.problem(None, damaged(detail));
                return ControlFlow::Continue(());
            }
        };
        let metadata = reader.metadata();
        let schema = metadata.file_metadata().schema();
        let names: Vec<&str> = schema.get_fields().iter().map(|it| it.name()).collect();
        let rest = other(&names);
        let texts = texts(schema);
        let limit = self.options.limits.decompressed_bytes;
        let unpacked = (0..metadata.num_row_groups()).flat_map(|it| metadata.row_group(it).columns());
        let is_text = |name: &str| texts.get_fields().iter().any(|it| it.name() == name);
        let unpacked: u64 = unpacked
            .filter(|it| it.column_path().parts().first().is_some_and(|name| is_text(name)))
            .map(|it| it.uncompressed_size().max(0).unsigned_abs())
            .fold(0, u64::saturating_add);
        if unpacked > limit {
            self.problem(None, Cause::TooBig { limit });
            return ControlFlow::Continue(());
        }
        if texts.get_fields().is_empty() {
            self.problem(None, Cause::OtherFile { other: rest });
            return ControlFlow::Continue(());
        }
        let order = order(&texts);
        let rows = guarded(|| reader.get_row_iter(Some(texts)).map_err(|it| it.to_string()));
        let mut rows = match rows {
            Ok(rows) => rows,
            Err(detail) => {
                self.problem(None, damaged(detail));
                return ControlFlow::Continue(());
            }
        };
        let (mut number, mut bytes, mut reported, mut records) = (0, 0, 0, 0);
        let mut without: Option<(TextPlace, u64)> = None;
        loop {
            let row = guarded(|| rows.next().transpose().map_err(|it| it.to_string()));
            let row = match row {
                Ok(Some(row)) => row,
                Ok(None) => break,
                Err(detail) => {
                    self.problem(Some(TextPlace { offset: number, line: number + 1 }), damaged(detail));
                    break;
                }
            };
            let place = TextPlace { offset: number, line: number + 1 };
            number += 1;
            let found = self.cells(&row, &order, place, space, &mut bytes)?;
            if found.records > 0 || found.is_more_than_records() {
                records += found.records;
                self.tell_found(place, found);
            } else {
                without.get_or_insert((place, 0)).1 += 1;
            }
            if bytes > limit {
                self.problem(Some(place), Cause::TooBig { limit });
                break;
            }
            if number % PROGRESS_ROWS == 0 {
                self.progress(bytes - reported);
                reported = bytes;
            }
        }
        self.progress(bytes - reported);
        self.tell_others();
        match without {
            Some((place, count)) if records > 0 => self.problem(Some(place), Cause::Rows { count }),
            Some(_) => self.problem(None, Cause::OtherFile { other: rest }),
            None if number == 0 => self.problem(None, Cause::Empty),
            None => {}
        }
        ControlFlow::Continue(())
    }

    /// The records in a row. `bytes` counts the texts.
    fn cells(
        &mut self,
        row: &Row,
        order: &[usize],
        place: TextPlace,
        space: &mut Space,
        bytes: &mut u64,
    ) -> ControlFlow<(), Found> {
        let (options, meter) = (self.options, self.meter);
        let cells: Vec<&Field> = row.get_column_iter().map(|it| it.1).collect();
        let mut found = Found::default();
        for &column in order {
            let cell = match cells.get(column) {
                Some(Field::Str(text)) => text.as_str(),
                Some(Field::Bytes(bytes)) => {
                    let Ok(text) = std::str::from_utf8(bytes.data()) else { continue };
                    text
                }
                Some(_) | None => continue,
            };
            *bytes += cell.len() as u64;
            let take = &mut |given: Given<'_>| self.give(&given, Origin::at(place.offset));
            let opener = Opener { space: &mut space.open, limits: &options.limits, meter, take };
            let inner = { opener }.open_text(cell)?;
            if inner.records > 0 {
                return ControlFlow::Continue(inner);
            }
            if found.others.is_empty() {
                found.others = inner.others;
            }
            found.note(inner.is_too_deep, inner.failure);
        }
        ControlFlow::Continue(found)
    }
}

/// Does something with a file that somebody else's code reads; what goes wrong, in words.
fn guarded<T>(read: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| Err("its parts do not fit together".to_owned()))
}

/// The columns that are texts: each is a value a row, and no part of another.
fn texts(schema: &Type) -> Type {
    let fields = schema.get_fields().iter().filter(|it| {
        let is_list = it.get_basic_info().has_repetition()
            && it.get_basic_info().repetition() == parquet::basic::Repetition::REPEATED;
        it.is_primitive() && !is_list && it.get_physical_type() == Physical::BYTE_ARRAY
    });
    let built = Type::group_type_builder(schema.name()).with_fields(fields.cloned().collect()).build();
    built.unwrap_or_else(|_| schema.clone())
}

/// In which order columns are asked: first those that are called like a place where records stand.
fn order(texts: &Type) -> Vec<usize> {
    let rank = |name: &str| {
        let place =
            PLACES.iter().position(|it| it.holds != Holds::Fields && it.key.eq_ignore_ascii_case(name));
        place.unwrap_or(usize::MAX)
    };
    let mut all: Vec<usize> = (0..texts.get_fields().len()).collect();
    all.sort_by_key(|at| rank(texts.get_fields()[*at].name()));
    all
}

/// What rows without a record are, by the names of the columns.
fn other(names: &[&str]) -> Other {
    if names.contains(&"class_uid") && names.contains(&"metadata") {
        OCSF_FILE
    } else if is_flat_table(names.iter().map(|it| it.as_bytes())) {
        FLAT_TABLE
    } else {
        PARQUET_FILE
    }
}
