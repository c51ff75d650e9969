//! One thread of a pass over records: what it reads goes through a worker of `sift` into a sink; what cannot be read is
//! noted.

use reader::{FileText, Problem};
use sift::{Sink, Worker};

use crate::scan::{RawRecord, Visit};
use crate::trouble::{RecordError, Troubles};

/// What takes the events of a pass, and may make something of what lies beside them.
pub(crate) trait Takes: Sink + Send {
    /// Whether it expects what could not be read as records.
    fn expects(&self, problem: &Problem) -> bool {
        let _ = problem;
        false
    }

    /// A text was read, a file or a member of an archive; only if the reader is asked for hashes.
    fn text(&mut self, input: u32, text: &FileText<'_>) {
        let _ = (input, text);
    }
}

/// One thread of a pass.
pub(crate) struct Pushing<'s, T> {
    pub(crate) worker: Worker<'s>,
    pub(crate) taking: T,
    /// Records that the pass does not take.
    pub(crate) foreign: u64,
    pub(crate) troubles: Troubles,
}

impl<'s, T> Pushing<'s, T> {
    pub(crate) fn new(worker: Worker<'s>, taking: T) -> Self {
        Self { worker, taking, foreign: 0, troubles: Troubles::default() }
    }
}

impl<T: Takes> Visit for Pushing<'_, T> {
    fn record(&mut self, raw: RawRecord<'_>) {
        let pushed = match raw.record() {
            Ok(record) => self.worker.push(&record, &mut self.taking).map_err(RecordError::from),
            Err(error) => {
                self.foreign += 1;
                Err(error)
            }
        };
        if let Err(error) = pushed {
            self.troubles.of_record(&raw, &error);
        }
    }

    fn problem(&mut self, problem: Problem) {
        if !self.taking.expects(&problem) {
            self.troubles.of_reader(&problem);
        }
    }

    fn text(&mut self, input: u32, text: FileText<'_>) {
        self.taking.text(input, &text);
    }

    fn end(&mut self) {
        self.worker.flush(&mut self.taking);
    }
}
