//! What could not be read, gathered from all threads.

use reader::Problem;

use crate::scan::RawRecord;

/// So many are kept to be shown; the rest is counted.
const KEPT: usize = 1_000;

/// Something that could not be read. Everything around it was.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Trouble {
    /// Which input.
    input: u32,
    /// Where in it, in its own measure: bytes for what the reader found, records for what it gave.
    at: u64,
    /// The record, if the reader gave it.
    ordinal: Option<u64>,
    /// What is wrong, with a code; for what the reader found also where and what to do.
    text: String,
}

impl Trouble {
    pub(crate) fn of_reader(problem: &Problem) -> Self {
        let at = problem.place.map_or(0, |place| place.offset);
        Self { input: problem.input, at, ordinal: None, text: problem.to_string() }
    }

    /// What is wrong with a record, with a code.
    pub(crate) fn text(error: &sift::Unreadable) -> String {
        format!("{}: {error}", error.code())
    }

    pub(crate) fn of_record(record: &RawRecord<'_>, text: String) -> Self {
        Self { input: record.input, at: record.ordinal, ordinal: Some(record.ordinal), text }
    }
}

/// What could not be read: the first of it, and how much there is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Troubles {
    kept: Vec<Trouble>,
    total: u64,
}

impl Troubles {
    pub(crate) fn push(&mut self, trouble: Trouble) {
        self.total += 1;
        self.kept.push(trouble);
        if self.kept.len() > 2 * KEPT {
            self.cut();
        }
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.total += other.total;
        self.kept.extend(other.kept);
        self.cut();
    }

    /// Keeps the first, whatever the order they came in.
    fn cut(&mut self) {
        self.kept.sort_unstable();
        self.kept.truncate(KEPT);
    }

    /// Those to be shown, in the order of the inputs, and how many there are in all. `name` names an input.
    pub(crate) fn finish(mut self, name: impl Fn(u32) -> String) -> (Vec<String>, u64) {
        self.cut();
        let texts = self.kept.into_iter().map(|it| match it.ordinal {
            Some(ordinal) => format!("{}, record {}: {}", name(it.input), ordinal + 1, it.text),
            None => it.text,
        });
        (texts.collect(), self.total)
    }
}
