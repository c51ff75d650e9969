//! `query` and `saved_query`: one alert for each event, oldest first.

use crate::collect::{Match, QueryMatches};
use crate::id;
use crate::outcome::Detail;
use crate::schedule::{Ticks, Window};
use crate::tail::{Tail, Writer, Written};

/// The tail of a query rule.
///
/// Ranges never move back and an execution takes the oldest first, so in each list all that was said lies
/// between where the range begins and a cursor: nothing before the cursor has to be looked at again.
pub(crate) struct QueryTail<'a> {
    lists: [List<'a>; 2],
    space_and_rule: String,
}

struct List<'a> {
    matches: &'a [Match],
    cursor: usize,
}

impl<'a> QueryTail<'a> {
    pub(crate) fn new(matches: &'a QueryMatches, space_and_rule: String) -> Self {
        Self { lists: matches.lists().map(|matches| List { matches, cursor: 0 }), space_and_rule }
    }
}

impl List<'_> {
    /// Moves past what lies before `from`.
    fn skip_to(&mut self, from: i64) {
        self.cursor += self.matches[self.cursor..].partition_point(|it| it.time < from);
    }

    fn next(&mut self, ticks: &Ticks, tick: i64) -> Option<i64> {
        loop {
            let time = self.matches.get(self.cursor)?.time;
            let reaching = ticks.first_reaching(time)?.max(tick);
            let from = ticks.window(reaching).from;
            if from <= time {
                return Some(reaching);
            }
            // The event fell between two ranges.
            self.skip_to(from);
        }
    }
}

impl Tail for QueryTail<'_> {
    fn next(&mut self, ticks: &Ticks, tick: i64) -> Option<i64> {
        self.lists.iter_mut().filter_map(|list| list.next(ticks, tick)).min()
    }

    fn execute(&mut self, _: i64, window: &Window, writer: &mut Writer<'_>) {
        for list in &mut self.lists {
            // `next` has moved the cursor past what lies before this range.
            while let Some(found) = list.matches.get(list.cursor).filter(|it| it.time <= window.to) {
                let offer =
                    |index: &str, id: &str| (id::event_alert(index, id, &self.space_and_rule), Detail::Event);
                match writer.offer(found.event, offer) {
                    Written::Created | Written::Duplicate => list.cursor += 1,
                    Written::Full => return,
                }
            }
        }
    }
}
