//! Values of columns that are filled later, taken while the record is parsed.
//!
//! A later column is filled only where a filter's verdict hangs on it, from the record's text, which is parsed once more for
//! that. Where nearly all rows of some calls come to it, that is twice the work: of these the values are taken at once and
//! wait here, in case they are asked for.
//!
//! ```text
//! of a hundred rows of a call    their late values are
//! ten were filled                taken from the text, of those that need them
//! ninety were filled             taken with the early ones, of all, and put into the block of those that need them
//! ```
//!
//! It would be wrong to put all of them into the block at once: what is late is also what a filter was not asked about
//! yet, and within a column rows must come in order. So a value goes from here into the block when it would come from the
//! text, and no other does.

use std::ops::Range;

use block::{Block, Slot};
use cloudtrail::{Columns, Event};
use ecs::Scalar;

/// Before so many rows nothing is known of what is usual.
const ROWS_MIN: u32 = if cfg!(test) { 2 } else { 128 };

/// How often the rows of some calls were filled later.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Habit {
    rows: u32,
    filled: u32,
}

impl Habit {
    pub(crate) fn saw_row(&mut self) {
        self.rows += 1;
        // What was usual long ago counts less.
        if self.rows == u32::MAX / 2 {
            (self.rows, self.filled) = (self.rows / 2, self.filled / 2);
        }
    }

    pub(crate) fn saw_filled(&mut self) {
        self.filled += 1;
    }

    /// Whether most rows come to it.
    pub(crate) fn is_usual(self) -> bool {
        self.rows >= ROWS_MIN && self.filled > self.rows / 2
    }
}

/// The values of some rows of a block.
#[derive(Debug, Default)]
pub(crate) struct Stash {
    texts: String,
    values: Vec<(Slot, Stashed)>,
}

#[derive(Clone, Copy, Debug)]
enum Stashed {
    Str { start: usize, end: usize },
    NumberText { start: usize, end: usize },
    Int(i64),
    UInt(u64),
    Float(f64),
    Bool(bool),
}

impl Stash {
    /// Takes what an event has for some columns. Says where it lies.
    pub(crate) fn take(&mut self, columns: &Columns, event: &mut Event<'_>) -> Range<usize> {
        let Self { texts, values } = self;
        let first = values.len();
        let mut put = |text: &str| {
            let start = texts.len();
            texts.push_str(text);
            (start, texts.len())
        };
        event.values_by_column(columns, |slot, value| {
            let stashed = match value {
                Scalar::Str(text) => {
                    let (start, end) = put(text);
                    Stashed::Str { start, end }
                }
                Scalar::NumberText(text) => {
                    let (start, end) = put(text);
                    Stashed::NumberText { start, end }
                }
                Scalar::Int(value) => Stashed::Int(value),
                Scalar::UInt(value) => Stashed::UInt(value),
                Scalar::Float(value) => Stashed::Float(value),
                Scalar::Bool(value) => Stashed::Bool(value),
            };
            values.push((slot, stashed));
        });
        first..values.len()
    }

    /// Puts what lies there into the columns of a row.
    pub(crate) fn put(&self, place: Range<usize>, row: usize, block: &mut Block) {
        for &(slot, value) in &self.values[place] {
            let value = match value {
                Stashed::Str { start, end } => Scalar::Str(&self.texts[start..end]),
                Stashed::NumberText { start, end } => Scalar::NumberText(&self.texts[start..end]),
                Stashed::Int(value) => Scalar::Int(value),
                Stashed::UInt(value) => Scalar::UInt(value),
                Stashed::Float(value) => Scalar::Float(value),
                Stashed::Bool(value) => Scalar::Bool(value),
            };
            block.push_late(row, slot, value);
        }
    }

    /// Bytes that it holds.
    pub(crate) fn bytes(&self) -> usize {
        self.texts.len() + self.values.len() * size_of::<(Slot, Stashed)>()
    }

    /// Forgets everything but the memory.
    pub(crate) fn clear(&mut self) {
        self.texts.clear();
        self.values.clear();
    }
}

#[cfg(test)]
mod tests {
    use ecs::{Catalog, Shape};
    use plan::Expr;
    use proptest::prelude::*;

    use crate::{Filter, Kind, Policy, Record, Settings, Sift, Sifted, Sink};

    const FILTERS: [(&str, &[&str]); 4] = [
        ("event.action: GetObject and user_agent.name: Boto3", &["user.name", "user_agent.version"]),
        (
            "event.action: (PutObject or GetObject) and aws.cloudtrail.request_parameters: *logs*",
            &["user_agent.original"],
        ),
        (
            "event.action: AssumeRole",
            &["aws.cloudtrail.flattened.request_parameters.n", "user_agent.name", "related.user"],
        ),
        ("user.name: ada and not user_agent.os.name: Linux", &["aws.cloudtrail.request_parameters"]),
    ];

    /// All matches with all that is asked of them, in order.
    #[derive(Default)]
    struct Matches(Vec<String>);

    impl Sink for Matches {
        fn take(&mut self, sifted: &Sifted<'_>) {
            for event in sifted.events() {
                for filter in event.filters() {
                    let values = sifted.needs(filter).iter().map(|&slot| {
                        let column = sifted.column(slot);
                        sifted.row(slot, &event).iter().map(|&it| column.value(it)).collect::<Vec<_>>()
                    });
                    self.0.push(format!("{} {filter} {:?}", event.id, values.collect::<Vec<_>>()));
                }
            }
        }
    }

    fn filters() -> Vec<Filter> {
        let catalog = Catalog::ecs();
        let filter = |(query, needs): &(&str, &[&str])| {
            let query = kql::to_query(&kql::parse(query).unwrap(), &catalog).unwrap();
            let expr: Expr = plan::lower(&query, &catalog, 0).unwrap().simplify();
            Filter { expr, needs: needs.iter().map(|it| ((*it).to_owned(), Shape::Leaf)).collect() }
        };
        FILTERS.iter().map(filter).collect()
    }

    fn record() -> impl Strategy<Value = String> {
        let action = prop::sample::select(&["GetObject", "PutObject", "AssumeRole", "ListUsers"][..]);
        let user = prop::sample::select(&["ada", "bo"][..]);
        let agent = prop::sample::select(
            &["\"Boto3/1.34.2 Linux/6.1\"", "\"aws-cli/2.15.0 Darwin/23.1.0\"", "[\"x\"]", "\"\""][..],
        );
        let payload = prop::sample::select(
            &[
                "null",
                "{\"n\":1.50,\"bucketName\":\"logs\"}",
                "{\"n\":[1,true,-2,18446744073709551615]}",
                "{\"n\":\"\"}",
            ][..],
        );
        (action, user, agent, payload).prop_map(|(action, user, agent, payload)| {
            format!(
                "{{\"eventName\":\"{action}\",\"eventSource\":\"x.amazonaws.com\",\"userIdentity\":{{\"userName\":\"{user}\"}},\
                 \"userAgent\":{agent},\"requestParameters\":{payload}}}"
            )
        })
    }

    fn matches(records: &[String], block_rows: usize) -> Vec<String> {
        let settings = Settings { block_rows, ..Settings::default() };
        let sift = Sift::new(filters(), Policy::OnlyMatches, settings);
        let (mut worker, mut found) = (sift.worker(), Matches::default());
        for record in records {
            worker.push(&Record::of(Kind::CloudTrail, record), &mut found).unwrap();
        }
        worker.flush(&mut found);
        found.0
    }

    proptest! {
        /// In small blocks it soon shows what is usual; in one block nothing does, and nothing is stashed.
        #[test]
        fn what_was_stashed_is_what_the_text_says(
            records in prop::collection::vec(record(), 1..60),
            block_rows in 1..6_usize,
        ) {
            prop_assert_eq!(matches(&records, block_rows), matches(&records, 0));
        }
    }

    #[test]
    fn what_is_usual_is_stashed_and_what_is_not_is_not() {
        let text = |action: &str| {
            format!(
                "{{\"eventName\":\"{action}\",\"eventSource\":\"x.amazonaws.com\",\"userAgent\":\"Boto3/1.34.2\",\
                 \"requestParameters\":{{\"n\":1}}}}"
            )
        };
        let sift =
            Sift::new(filters(), Policy::OnlyMatches, Settings { block_rows: 4, ..Settings::default() });
        let (mut worker, mut found) = (sift.worker(), Matches::default());
        for _ in 0..8 {
            worker.push(&Record::of(Kind::CloudTrail, &text("AssumeRole")), &mut found).unwrap();
        }
        assert_eq!(worker.stashed(), 0, "all blocks were flushed");
        worker.push(&Record::of(Kind::CloudTrail, &text("AssumeRole")), &mut found).unwrap();
        assert!(worker.stashed() > 0);
        worker.flush(&mut found);
        worker.push(&Record::of(Kind::CloudTrail, &text("ListUsers")), &mut found).unwrap();
        assert_eq!(worker.stashed(), 0);
    }
}
