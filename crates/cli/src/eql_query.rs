//! `trailwarden query -l eql` of what several events form, or of pipes.

use anyhow::bail;
use ecs::{Catalog, Millis, Object};
use hunt::{Asked, Correlation, Document, Progress, QueryOptions, QueryReport};
use rule::{EqlQuery, Form};

/// Events that may be part of a result: they are kept until all are known.
const EVENTS_MAX: usize = 1_000_000;

/// What a query found.
pub(crate) struct Results {
    /// The documents of the events of each result; `None` stands for one that must be missing.
    pub(crate) documents: Vec<Vec<Option<Document>>>,
    /// The values that the events of each have in common.
    pub(crate) join_keys: Vec<Vec<serde_json::Value>>,
    pub(crate) report: QueryReport,
}

/// Whether each event is a result by itself, as soon as it is met.
pub(crate) fn is_plain(query: &EqlQuery) -> bool {
    query.pattern.form == Form::Event && query.pattern.pipes.is_empty()
}

/// All results, or the newest so many. `options` has the condition on events that may be part of one.
pub(crate) fn run(
    query: &EqlQuery,
    options: &QueryOptions,
    limit: Option<u64>,
    now: Millis,
    catalog: &Catalog,
    progress: &Progress,
) -> anyhow::Result<Results> {
    let mut documents: Vec<Document> = Vec::new();
    let report = hunt::query(options, &mut std::io::stdin(), progress, &mut |document| {
        documents.push(document);
        documents.len() <= EVENTS_MAX
    })?;
    if documents.len() > EVENTS_MAX {
        bail!("more than {EVENTS_MAX} events may be part of a result: name fewer files, or ask for less");
    }
    let searched: Vec<Object> = documents
        .iter()
        .map(|it| {
            let mut searched = it.source.clone();
            searched.insert("_id".to_owned(), it.id.clone().into());
            searched.insert("_index".to_owned(), it.index.clone().into());
            searched
        })
        .collect();
    let asked: Vec<Asked<'_>> = documents
        .iter()
        .zip(&searched)
        .map(|(it, document)| Asked {
            id: &it.id,
            index: &it.index,
            timestamp: ecs::document::timestamp(&it.source).unwrap_or(now),
            document,
        })
        .collect();
    let size = limit.map_or(usize::MAX, |it| usize::try_from(it).unwrap_or(usize::MAX));
    let correlation = Correlation { query, now, tiebreaker_field: None, size, samples_of_key: 1 };
    let found = correlation.run(&asked, catalog)?;
    let document = |origin: ecs::Origin| documents[origin.ordinal as usize].clone();
    let mut results = Results { documents: Vec::new(), join_keys: Vec::new(), report };
    for it in found {
        results.documents.push(it.events.into_iter().map(|it| it.map(document)).collect());
        results.join_keys.push(it.join_keys);
    }
    Ok(results)
}
