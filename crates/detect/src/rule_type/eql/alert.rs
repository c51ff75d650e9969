//! What alerts about sequences say: one building block an event, and a shell around them.

use serde_json::Value;

use crate::id;
use crate::outcome::SeedEvent;

/// The events of a sequence or sample, as its alerts have them.
#[derive(Clone, Debug, PartialEq)]
pub struct Sequence {
    /// One a stage; `None` stands for an event that had to be missing.
    pub events: Vec<Option<SequenceEvent>>,
    /// The values that the events have in common, in the order of the query's `by`; null where none has one.
    pub join_keys: Vec<Value>,
}

/// One event of a sequence.
#[derive(Clone, Debug, PartialEq)]
pub struct SequenceEvent {
    /// The id of the building block about it.
    pub block_id: String,
    /// The event.
    pub event: SeedEvent,
}

impl Sequence {
    pub(crate) fn new(events: Vec<Option<SeedEvent>>, join_keys: Vec<Value>, rule: &str) -> Self {
        let there = events.iter().flatten().map(|it| (it.id.as_str(), it.index.as_str()));
        let mut ids = id::building_blocks(&there.collect::<Vec<_>>(), rule).into_iter();
        let mut with_id = |event| Some(SequenceEvent { block_id: ids.next()?, event });
        Self { events: events.into_iter().map(|it| it.and_then(&mut with_id)).collect(), join_keys }
    }

    /// The events that are there.
    pub fn present(&self) -> impl Iterator<Item = &SequenceEvent> {
        self.events.iter().flatten()
    }
}

/// The id of the shell.
pub(crate) fn shell_id(sequence: &Sequence, rule: &str) -> String {
    let blocks = sequence.present();
    let ancestors: Vec<_> = blocks
        .flat_map(|it| [(it.event.id.as_str(), it.event.index.as_str()), (it.block_id.as_str(), "")])
        .collect();
    id::shell(&ancestors, rule)
}
