//! Tables of comma-separated values: exports of Athena, CloudTrail Lake, Logs Insights and Splunk.
//!
//! A table is known by its first row, which has names. Where its records are the cells tell: a column that is called like a
//! place where records stand is asked first, then all others.

use std::cell::Cell;
use std::io::{self, Read};
use std::ops::ControlFlow;

use csv::ByteRecord;

use crate::known::{FLAT_COLUMNS, FLAT_TABLE, Holds, Other, PLACES, TABLE};
use crate::meter::{cause_of, limit_reached};
use crate::open::{Found, Given, OpenSpace, Opener};
use crate::read::Run;
use crate::sniff::BOM;
use crate::texts::{Origin, PROGRESS_BYTES};
use crate::{Cause, TextPlace};

/// How far the end of the first row is looked for: a search of Splunk has hundreds of columns.
pub(crate) const HEADER_BYTES: usize = 64 << 10;

/// Longer names of columns are prose.
const NAME_BYTES_MAX: usize = 256;

/// More words in the name of a column are prose.
const NAME_WORDS_MAX: usize = 4;

/// How many columns that are keys of records make it a table of such.
const FLAT_COLUMNS_MIN: usize = 3;

/// The first row of a table.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Header {
    delimiter: u8,
    /// The columns in the order in which they are asked for records.
    columns: Vec<usize>,
    is_flat: bool,
}

impl Header {
    /// Reads the head of a text. Nothing if it is no table.
    pub(crate) fn of(head: &[u8]) -> Option<Self> {
        let head = head.strip_prefix(BOM).unwrap_or(head);
        let (line, rest) = head.split_at(memchr::memchr2(b'\n', b'\r', head).unwrap_or(head.len()));
        // Of equals the last is taken: a single column has no delimiter.
        let headers = b";\t,".iter().filter_map(|&delimiter| Self::with(delimiter, line));
        let header = headers.max_by_key(|it| it.columns.len())?;
        // A cell with quotes is in quotes, but for tabs. So this is the first line of something else.
        let inside = rest.trim_ascii_start().strip_prefix(b"[").unwrap_or(rest).trim_ascii_start();
        let is_json = inside.strip_prefix(b"{").is_some_and(|it| it.trim_ascii_start().starts_with(b"\""));
        (!is_json || header.delimiter == b'\t').then_some(header)
    }

    fn with(delimiter: u8, line: &[u8]) -> Option<Self> {
        let mut row = ByteRecord::new();
        let mut reader = csv::ReaderBuilder::new().has_headers(false).delimiter(delimiter).from_reader(line);
        if !reader.read_byte_record(&mut row).unwrap_or(false) || !row.iter().all(is_name) {
            return None;
        }
        let place = |name: &[u8]| {
            PLACES
                .iter()
                .position(|it| it.holds != Holds::Fields && it.key.as_bytes().eq_ignore_ascii_case(name))
        };
        let mut columns: Vec<(Option<usize>, usize)> =
            row.iter().enumerate().map(|(column, name)| (place(name), column)).collect();
        columns.sort_by_key(|(place, column)| (place.unwrap_or(usize::MAX), *column));
        // A single word is a column only if it is called like a place where records stand.
        if columns.len() < 2 && columns.iter().all(|(place, _)| place.is_none()) {
            return None;
        }
        let is_flat = is_flat_table(row.iter());
        Some(Self { delimiter, columns: columns.into_iter().map(|it| it.1).collect(), is_flat })
    }

    /// Whether a file that begins so may be ours: there is an object in a cell, or what is called like a part of one.
    pub(crate) fn may_hold_records(&self, head: &[u8]) -> bool {
        self.is_flat || memchr::memmem::find(head, b"{\"").is_some()
    }

    /// What the table is if no row holds a record.
    fn other(&self) -> Other {
        if self.is_flat { FLAT_TABLE } else { TABLE }
    }
}

/// Whether this may be the name of a column.
fn is_name(name: &[u8]) -> bool {
    let is_letter =
        |&byte: &u8| byte.is_ascii_alphanumeric() || b"_@.$-:{}()[]/# ".contains(&byte) || !byte.is_ascii();
    name.first()
        .is_some_and(|&first| first.is_ascii_alphabetic() || b"_@$".contains(&first) || !first.is_ascii())
        && name.len() <= NAME_BYTES_MAX
        && name.iter().all(is_letter)
        && name.split(|&byte| byte == b' ').count() <= NAME_WORDS_MAX
        && !matches!(name.last(), Some(b' ' | b'.' | b':'))
}

/// Whether these are columns of a table whose columns are parts of records.
pub(crate) fn is_flat_table<'n>(names: impl Iterator<Item = &'n [u8]>) -> bool {
    names.filter(|name| is_flat(name)).count() >= FLAT_COLUMNS_MIN
}

/// Whether a column is called like a key of records.
fn is_flat(name: &[u8]) -> bool {
    let name: Vec<u8> =
        name.iter().filter(|byte| byte.is_ascii_alphanumeric()).map(u8::to_ascii_lowercase).collect();
    FLAT_COLUMNS.iter().any(|it| it.as_bytes() == name)
}

/// Stops where a single row would take too much memory: a quote that is not closed takes all the rest for one cell.
struct Bounded<'s> {
    source: &'s mut dyn Read,
    /// Bytes since the last row.
    since_row: Cell<usize>,
    limit: usize,
}

/// How many bytes are read at a time.
const BUFFER_BYTES: usize = 64 << 10;

impl Read for Bounded<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.since_row.get() > self.limit.saturating_add(BUFFER_BYTES) {
            return Err(limit_reached(Cause::Row { limit: self.limit }));
        }
        let read = self.source.read(buf)?;
        self.since_row.set(self.since_row.get() + read);
        Ok(read)
    }
}

impl Run<'_> {
    /// Reads the rows of a table.
    pub(crate) fn table(
        &mut self,
        source: &mut dyn Read,
        header: &Header,
        space: &mut OpenSpace,
    ) -> ControlFlow<()> {
        let limit = self.options.limits.record_bytes;
        let bounded = Bounded { source, since_row: Cell::new(0), limit };
        let mut rows = csv::ReaderBuilder::new()
            .delimiter(header.delimiter)
            .flexible(true)
            .buffer_capacity(BUFFER_BYTES)
            .from_reader(bounded);
        let mut row = ByteRecord::new();
        let mut without: Option<(TextPlace, u64)> = None;
        let (mut records, mut reported) = (0, 0);
        let mut flow = ControlFlow::Continue(());
        let failure = loop {
            match rows.read_byte_record(&mut row) {
                Ok(true) => {}
                Ok(false) => break None,
                Err(error) => break Some(error),
            }
            rows.get_ref().since_row.set(0);
            let place = row.position().map_or(TextPlace { offset: 0, line: 1 }, |at| TextPlace {
                offset: at.byte(),
                line: at.line(),
            });
            match self.row(&row, header, place, space) {
                ControlFlow::Continue(found) if found.records > 0 || found.is_more_than_records() => {
                    records += found.records;
                    self.tell_found(place, found);
                }
                ControlFlow::Continue(_) => without.get_or_insert((place, 0)).1 += 1,
                ControlFlow::Break(()) => {
                    flow = ControlFlow::Break(());
                    break None;
                }
            }
            let passed = rows.position().byte();
            if passed - reported >= PROGRESS_BYTES {
                self.progress(passed - reported);
                reported = passed;
            }
        };
        self.progress(rows.position().byte() - reported);
        self.tell_others();
        flow?;
        match without {
            Some((place, count)) if records > 0 => self.problem(Some(place), Cause::Rows { count }),
            Some(_) => self.problem(None, Cause::OtherFile { other: header.other() }),
            None => {}
        }
        if let Some(csv::ErrorKind::Io(error)) = failure.map(csv::Error::into_kind) {
            let cause = cause_of(&error);
            self.failure = Some(cause.clone());
            self.problem(None, cause);
        }
        ControlFlow::Continue(())
    }

    /// The records in a row.
    fn row(
        &mut self,
        row: &ByteRecord,
        header: &Header,
        place: TextPlace,
        space: &mut OpenSpace,
    ) -> ControlFlow<(), Found> {
        let (options, meter) = (self.options, self.meter);
        let mut found = Found::default();
        let unnamed = header.columns.len()..row.len();
        for column in header.columns.iter().copied().chain(unnamed) {
            let Some(cell) = row.get(column) else { continue };
            let Ok(cell) = std::str::from_utf8(cell) else {
                found.note(false, Some(Cause::InvalidUtf8));
                continue;
            };
            let take = &mut |given: Given<'_>| self.give(&given, Origin::at(place.offset));
            let inner = Opener { space, limits: &options.limits, meter, take }.open_text(cell)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(head: &str) -> Option<(char, Vec<usize>, bool)> {
        Header::of(head.as_bytes()).map(|it| (char::from(it.delimiter), it.columns, it.is_flat))
    }

    #[test]
    fn tables_are_known_by_their_names() {
        assert_eq!(columns("@timestamp,@message\n"), Some((',', vec![1, 0], false)));
        assert_eq!(columns("\"_time\",host,\"_raw\"\r\n1,2"), Some((',', vec![2, 0, 1], false)));
        assert_eq!(columns("a{}.b;c;EventJSON"), Some((';', vec![2, 0, 1], false)));
        assert_eq!(columns("time\tmessage\n{"), Some(('\t', vec![1, 0], false)));
        assert_eq!(columns("\u{FEFF}_raw\n"), Some((',', vec![0], false)));
        assert_eq!(columns("eventversion,useridentity,eventtime,x"), Some((',', vec![0, 1, 2, 3], true)));
        assert_eq!(columns("Event ID,Event name,Event time,User name"), Some((',', vec![0, 1, 2, 3], true)));
    }

    #[test]
    fn other_texts_are_none() {
        for text in [
            "",
            "notes",
            "Dear customer,",
            "Hello, world",
            "This is what we found there,and it is long",
            "2024-05-01T10:00:00Z,x",
            "2024-05-01 10:00:00,123 INFO app {\"eventName\":\"a\"}",
            "a,b\n{\"eventName\":\"a\"}",
            "a,,b",
            "x=1,y=2",
            "host app: {\"a\":1}, {\"b\":2}",
        ] {
            assert_eq!(columns(text), None, "{text}");
        }
    }
}
