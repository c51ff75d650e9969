//! What an EQL query finds in all events, apart from rules and their executions.

use ecs::{Millis, Origin};
use serde_json::Value;

use super::execute::taken;
use super::ordered::Ordered;
use crate::collect::Matches;
use crate::rule_type::{RuleType, Run, TERMS_PAGE};
use crate::schedule::{Bound, Bounds, Ticks};

/// One result of a query.
#[derive(Clone, Debug, PartialEq)]
pub struct QueryResult {
    /// One a stage; `None` stands for an event that had to be missing.
    pub events: Vec<Option<Origin>>,
    /// The values that the events have in common; null where none has one.
    pub join_keys: Vec<Value>,
}

impl Matches {
    /// The results of an EQL query over all events, as its pipes take them; so many, if there is none.
    /// The tail must be [of a query](crate::Tail::of_query).
    pub fn results(&self, rule: usize, size: usize) -> Vec<QueryResult> {
        let tail = &self.tails.rules()[rule];
        let (RuleType::Eql(eql), crate::rule_type::Complete::Eql(complete)) =
            (&tail.rule_type, &self.rules[rule].complete)
        else {
            return Vec::new();
        };
        let bounds = Bounds { from: Bound::Fixed(Millis::MIN), to: Bound::Fixed(Millis::MAX), history: None };
        let ticks = Ticks::single(bounds, 0);
        let (ticks, budget) = (&ticks, u32::MAX);
        let run = Run { matches: self, rule, tail, ticks, counted: &[], page: TERMS_PAGE, budget };
        let ordered = Ordered::new(complete, eql, run);
        let all: Vec<u32> = (0..ordered.timeline.len() as u32).collect();
        let (mut found, _) = ordered.results(&ordered.timeline, &all, Millis::MAX);
        let taken = taken(&eql.pattern, found.len(), size);
        found.truncate(taken.end);
        let result = |it: &super::ordered::Found| {
            let mut places = it.events.get().iter();
            let mut next = || {
                let &place = places.next()?;
                Some(self.events.origin(ordered.events[place as usize].of))
            };
            let stages = eql.pattern.stages.iter();
            QueryResult {
                events: stages.map(|stage| if stage.missing { None } else { next() }).collect(),
                join_keys: ordered.key_values(it.key),
            }
        };
        found[taken.start..].iter().map(result).collect()
    }
}
