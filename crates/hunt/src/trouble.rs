//! What could not be read, gathered from all threads.

use reader::{PathError, Problem};

use crate::scan::RawRecord;

/// So many are kept to be shown; the rest is counted.
const KEPT: usize = 1_000;

/// Something that could not be read. Everything around it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// The code of what is wrong; `None` of a record that says itself what became of it.
    pub code: Option<&'static str>,
    /// What is wrong and where, with the code; for what the reader found also what to do.
    pub text: String,
}

/// Why a record became no event.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RecordError {
    /// Its text is not what it should be.
    #[error("{}: {_0}", .0.code())]
    Unreadable(#[from] sift::Unreadable),
    /// An object that this engine has no use for.
    #[error(
        "HUNT003: neither a CloudTrail record nor an ECS document; `query --mapping` searches other documents"
    )]
    Neither,
    /// It was kept, as a document that says what is wrong with the record.
    #[error("{_0}")]
    Failed(String),
}

impl RecordError {
    fn code(&self) -> Option<&'static str> {
        match self {
            Self::Unreadable(error) => Some(error.code()),
            Self::Neither => Some("HUNT003"),
            Self::Failed(_) => None,
        }
    }
}

/// A trouble, as a thread meets it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Met {
    /// Which input.
    input: u32,
    /// Where in it, in its own measure: bytes for what the reader found, records for what it gave.
    at: u64,
    /// The record, if the reader gave it.
    ordinal: Option<u64>,
    text: String,
    code: Option<&'static str>,
}

/// What could not be read: the first of it, and how much there is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Troubles {
    kept: Vec<Met>,
    total: u64,
    losses: u64,
}

impl Troubles {
    /// What could not be read of the paths: it is told before everything else.
    pub(crate) fn of_paths(failures: &[PathError]) -> Self {
        let mut troubles = Self::default();
        for error in failures {
            let (code, text) = (error.code(), format!("{} {error}", error.code()));
            troubles.push(Met { input: 0, at: 0, ordinal: None, text, code: Some(code) });
        }
        troubles
    }

    /// Something that the reader found.
    pub(crate) fn of_reader(&mut self, problem: &Problem) {
        let at = problem.place.map_or(0, |place| place.offset);
        let (code, text) = (Some(problem.cause.code()), problem.to_string());
        self.push(Met { input: problem.input, at, ordinal: None, text, code });
        self.losses -= u64::from(!problem.cause.is_loss());
    }

    /// A record that the reader gave.
    pub(crate) fn of_record(&mut self, record: &RawRecord<'_>, error: &RecordError) {
        let RawRecord { input, ordinal, .. } = *record;
        let (code, text) = (error.code(), error.to_string());
        self.push(Met { input, at: ordinal, ordinal: Some(ordinal), text, code });
    }

    fn push(&mut self, met: Met) {
        self.total += 1;
        self.losses += 1;
        self.kept.push(met);
        if self.kept.len() > 2 * KEPT {
            self.cut();
        }
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.total += other.total;
        self.losses += other.losses;
        self.kept.extend(other.kept);
        self.cut();
    }

    /// How many of them may have cost records: what is known to hold none costs nothing.
    pub(crate) fn losses(&self) -> u64 {
        self.losses
    }

    /// Keeps the first, whatever the order they came in.
    fn cut(&mut self) {
        self.kept.sort_unstable();
        self.kept.truncate(KEPT);
    }

    /// Those to be shown, in the order of the inputs, and how many there are in all. `name` names an input.
    pub(crate) fn finish(mut self, name: impl Fn(u32) -> String) -> (Vec<Trouble>, u64) {
        self.cut();
        let troubles = self.kept.into_iter().map(|it| {
            let text = match it.ordinal {
                Some(ordinal) => format!("{}, record {}: {}", name(it.input), ordinal + 1, it.text),
                None => it.text,
            };
            Trouble { code: it.code, text }
        });
        (troubles.collect(), self.total)
    }
}
