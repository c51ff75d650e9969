//! Why an event of a sequence did not alert.

use super::Complete;
use crate::fate::{Fate, Watched};
use crate::rule_type::Run;

impl Complete {
    /// Every event that is part of a result alerts, unless there were newer ones.
    pub(crate) fn why_not(&self, watched: &Watched, run: Run<'_>) -> Vec<Fate> {
        match run.ticks.first_holding(watched.at.time) {
            Some(tick) => {
                vec![Fate::Cut { execution: run.ticks.window(tick).started_at, terms: Vec::new() }]
            }
            None => vec![Fate::Unseen],
        }
    }
}
