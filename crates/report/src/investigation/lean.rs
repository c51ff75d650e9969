//! What a table on a terminal need not say in every row: what all rows have in common, and the day if it is one day.

use investigate::Found;

/// Characters of a point in time, as tables have it: `2026-03-01 09:00:00`.
const TIME: usize = 19;
/// Characters of its day and the space behind it.
const DAY: usize = 11;

/// A table without what all its rows say.
pub(super) struct Lean<'f> {
    pub(super) heads: Vec<&'f str>,
    /// The cells of the rows.
    pub(super) rows: Vec<Vec<&'f str>>,
    /// Heads and values of the columns that are the same in all rows.
    pub(super) common: Vec<(&'f str, &'f str)>,
    /// The day of all times.
    pub(super) day: Option<&'f str>,
}

impl<'f> Lean<'f> {
    /// The first column stays: it says what the rows are. So does everything of a single row.
    pub(super) fn of(found: &'f Found) -> Self {
        let mut lean = Self {
            heads: Vec::new(),
            rows: vec![Vec::new(); found.rows.len()],
            common: Vec::new(),
            day: one_day(found),
        };
        for (at, head) in found.columns.iter().enumerate() {
            let cells = || column(found, at);
            if at > 0 && cells().all(str::is_empty) {
                continue;
            }
            let first = cells().next().unwrap_or_default();
            if at > 0 && found.rows.len() > 1 && cells().all(|it| it == first) {
                lean.common.push((head, first));
                continue;
            }
            lean.heads.push(head);
            for (row, cell) in lean.rows.iter_mut().zip(cells()) {
                let is_of_the_day = lean.day.is_some() && day(cell).is_some();
                row.push(if is_of_the_day { &cell[DAY..] } else { cell });
            }
        }
        lean
    }

    /// How many columns of a terminal its widest row needs, with two between cells.
    pub(super) fn width(&self) -> usize {
        let wide = |at: usize| {
            let cells = self.rows.iter().map(|row| row[at]).chain([self.heads[at]]);
            cells.map(|it| it.chars().map(super::text::columns).sum::<usize>()).max().unwrap_or(0)
        };
        (0..self.heads.len()).map(|at| wide(at) + 2).sum()
    }
}

/// The cells of a column; a row may end before it.
fn column(found: &Found, at: usize) -> impl Iterator<Item = &str> {
    found.rows.iter().map(move |row| row.cells.get(at).map(String::as_str).unwrap_or_default())
}

/// The day, if the text is a point in time.
fn day(text: &str) -> Option<&str> {
    let is_time = text.len() == TIME
        && text.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            10 => byte == b' ',
            13 | 16 => byte == b':',
            _ => byte.is_ascii_digit(),
        });
    is_time.then(|| &text[..DAY - 1])
}

/// The day of all points in time, if it is the same.
fn one_day(found: &Found) -> Option<&str> {
    let mut days = found.rows.iter().flat_map(|row| row.cells.iter().filter_map(|it| day(it)));
    let first = days.next()?;
    days.all(|it| it == first).then_some(first)
}

#[cfg(test)]
mod tests {
    use investigate::Row;

    use super::*;

    fn found(columns: &[&str], rows: &[&[&str]]) -> Found {
        let texts = |of: &[&str]| of.iter().map(|&it| it.to_owned()).collect();
        let rows = rows.iter().map(|row| Row { cells: texts(row), ..Row::default() }).collect();
        let (id, show) = ("calls".to_owned(), "table");
        Found { id, show, query: None, columns: texts(columns), rows, total: 0, events: 0 }
    }

    #[test]
    fn what_all_rows_say_is_said_once() {
        let table = found(
            &["call", "time", "from", "refused"],
            &[&["a", "2026-03-01 09:00:00", "192.0.2.1", ""], &["b", "2026-03-01 10:00:00", "192.0.2.1", ""]],
        );
        let lean = Lean::of(&table);
        assert_eq!(lean.heads, ["call", "time"]);
        assert_eq!(lean.rows, [["a", "09:00:00"], ["b", "10:00:00"]]);
        assert_eq!(lean.common, [("from", "192.0.2.1")]);
        assert_eq!(lean.day, Some("2026-03-01"));
        assert_eq!(lean.width(), 4 + 2 + 8 + 2);
    }

    #[test]
    fn one_row_and_two_days_keep_what_they_have() {
        let table = found(&["time", "from"], &[&["2026-03-01 09:00:00", "192.0.2.1"]]);
        let lean = Lean::of(&table);
        assert_eq!((lean.rows, lean.common.len()), (vec![vec!["09:00:00", "192.0.2.1"]], 0));

        let table = found(&["first", "last"], &[&["2026-03-01 09:00:00", "2026-03-02 09:00:00"], &["-"]]);
        let lean = Lean::of(&table);
        assert_eq!(lean.day, None);
        assert_eq!(lean.rows, [["2026-03-01 09:00:00", "2026-03-02 09:00:00"], ["-", ""]]);
    }

    #[test]
    fn what_only_looks_like_a_time_is_none() {
        assert_eq!(day("2026-03-01T09:00:00"), None);
        assert_eq!(day("2026-03-01 09:00"), None);
        // As many bytes, other characters.
        assert_eq!(day("ééééééééé0"), None);
    }
}
