//! An EQL query over documents: the events that it asks for, and what they form.

use std::sync::Arc;

use detect::{Collector, EventInfo, Origin, QueryResult, Tail, TailError, Tails, TermId};
use ecs::date::Rounding;
use ecs::{Catalog, FieldType, Millis, Object, Resolved, Scalar, document};
use plan::naive::Evaluator;
use rule::EqlQuery;

/// A document that a query is asked of.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The `_id`.
    pub id: &'a str,
    /// The `_index`.
    pub index: &'a str,
    /// When it happened.
    pub timestamp: Millis,
    /// As conditions see it: with `_id` and `_index`.
    pub document: &'a Object,
}

/// A query, and how its results are taken.
#[derive(Clone, Copy, Debug)]
pub struct Correlation<'a> {
    /// The query.
    pub query: &'a EqlQuery,
    /// What `now` stands for.
    pub now: Millis,
    /// What orders events of one time.
    pub tiebreaker_field: Option<&'a str>,
    /// Results, if no pipe says how many: the newest.
    pub size: usize,
    /// Samples of each key.
    pub samples_of_key: usize,
}

impl Correlation<'_> {
    /// What the query finds in the documents. The ordinal of an origin is the place of the document among them.
    pub fn run(&self, documents: &[Asked<'_>], catalog: &Catalog) -> Result<Vec<QueryResult>, TailError> {
        let EqlQuery { conditions, pattern } = self.query;
        let tail = Tail::of_query(pattern, self.tiebreaker_field, self.samples_of_key, catalog)?;
        let tails = Arc::new(Tails::of_told_events(vec![tail]));
        let filters: Vec<Evaluator> = conditions.iter().map(|it| Evaluator::new(&it.at(self.now))).collect();
        let columns: Vec<_> = tails.all_columns().map(|(path, shape)| (path.to_owned(), shape)).collect();
        // A mapping may say how its dates are written.
        let format = |path: &str| match catalog.resolve(path) {
            Resolved::Field(it) if it.ty == FieldType::Date => Some(it.format.clone()),
            Resolved::Field(_) | Resolved::FlattenedKey { .. } | Resolved::Unmapped | Resolved::Object => {
                None
            }
        };
        let formats: Vec<_> = columns.iter().map(|(path, _)| format(path)).collect();
        let mut collector = Collector::new(Arc::clone(&tails));
        let mut indices: Vec<String> = documents.iter().map(|it| it.index.to_owned()).collect();
        indices.sort_unstable();
        indices.dedup();
        collector.name_indices(&indices);
        for (ordinal, it) in documents.iter().enumerate() {
            let mut matches: Vec<(usize, Vec<Vec<TermId>>)> = Vec::new();
            for (filter, condition) in filters.iter().enumerate() {
                if !condition.matches(it.document) {
                    continue;
                }
                let values = tails.columns(filter).iter().map(|&number| {
                    let (path, shape) = &columns[number.index()];
                    let mut ids = Vec::new();
                    let format = formats[number.index()].as_ref();
                    document::values(it.document, path, *shape, |value| {
                        let date = format.and_then(|it| it.read(&value.text(), Rounding::Down, 0));
                        let value = date.map_or(value, |it| Scalar::Int(it.millis));
                        ids.extend(collector.intern(number, value));
                    });
                    ids
                });
                matches.push((filter, values.collect()));
            }
            if matches.is_empty() {
                continue;
            }
            let index = indices.iter().position(|name| name == it.index).unwrap_or_default() as u32;
            let origin = Origin { input: 0, ordinal: ordinal as u64 };
            let mut event = collector.event(EventInfo { id: it.id, index, timestamp: it.timestamp, origin });
            for (filter, values) in &matches {
                let values: Vec<&[TermId]> = values.iter().map(Vec::as_slice).collect();
                event.push(*filter, None, &values);
            }
        }
        Ok(collector.finish().results(0, self.size))
    }
}
