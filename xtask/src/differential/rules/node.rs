//! The node of this comparison: the indices of the data, with the mapping of the catalogue.

use std::collections::BTreeSet;

use anyhow::Context as _;
use ecs::Catalog;
use serde_json::{Value, json};

use super::corpus::Corpus;
use super::question::{Ask, PAGE, Question, term};
use crate::differential::indices::{Found, Indices};
use crate::differential::{Answer, peers};

/// Bytes of documents in one request.
const BULK_BYTES: usize = 8 << 20;

/// A connection, and what the node holds.
#[derive(Debug)]
pub(super) struct Node {
    indices: Indices,
    /// The name of each document by its `_id`, which is its place here.
    names: Vec<String>,
}

impl Node {
    /// A node at `url`, with no data yet.
    pub(super) fn new(url: &str, catalog: &Catalog) -> anyhow::Result<Self> {
        Ok(Self { indices: Indices::new(url, catalog)?, names: Vec::new() })
    }

    /// Makes the indices anew with the documents of the corpus, and leaves out the files with documents that the node
    /// refuses. Says how many these are, and why the first was refused.
    pub(super) fn load(&mut self, corpus: &mut Corpus) -> anyhow::Result<(usize, Option<String>)> {
        self.clear()?;
        for index in corpus.indices() {
            self.indices.renew(index, Found::ByPatterns)?;
        }
        let (mut refused, mut reason) = (BTreeSet::new(), None);
        let mut lines = String::new();
        let mut first = 0;
        for (at, event) in corpus.events.iter().enumerate() {
            let action = json!({"index": {"_index": event.document.index, "_id": at.to_string()}});
            lines += &format!("{action}\n{}\n", Value::Object(event.document.source.clone()));
            if lines.len() >= BULK_BYTES || at + 1 == corpus.events.len() {
                let errors = self.indices.index(&lines)?;
                reason = reason.or(errors.iter().flatten().next().cloned());
                let numbered = errors.iter().enumerate().filter(|(_, error)| error.is_some());
                refused.extend(numbered.map(|(place, _)| first + place));
                (first, lines) = (at + 1, String::new());
            }
        }
        if refused.is_empty() {
            self.names = corpus.events.iter().map(super::corpus::Event::name).collect();
            return Ok((0, None));
        }
        corpus.leave_out(&refused)?;
        let (more, _) = self.load(corpus)?;
        Ok((refused.len() + more, reason))
    }

    /// What each question finds. With `only`, all of them look at that one document.
    pub(super) fn ask(&mut self, questions: &[Question], only: Option<usize>) -> anyhow::Result<Vec<Answer>> {
        let only = only.map(|at| at.to_string());
        let bodies: Vec<(&str, Value)> = questions
            .iter()
            .map(|question| (question.index.as_str(), question.body(only.as_deref(), None)))
            .collect();
        let responses = self.indices.search(&bodies)?;
        let mut answers = Vec::with_capacity(questions.len());
        for (question, response) in questions.iter().zip(responses) {
            answers.push(match (&question.ask, peers::refusal(&response)) {
                (_, Some(reason)) => Answer::Refused(reason),
                (Ask::Events(_), None) => self.events(&response)?,
                (Ask::Terms { .. }, None) => self.terms(question, response)?,
            });
        }
        Ok(answers)
    }

    /// Whether the node refuses a part of the condition when asked for it alone: it does not look at every part where
    /// its statistics tell that another one is empty.
    pub(super) fn refuses_a_part(&mut self, question: &Question) -> anyhow::Result<bool> {
        // Of indices that are not there, it looks at nothing either.
        let index = self.indices.names();
        let parts: Vec<Question> = peers::leaves(&question.condition)
            .into_iter()
            .map(|condition| Question {
                condition,
                index: index.clone(),
                ask: Ask::Events(super::question::Range::default()),
            })
            .collect();
        Ok(self.ask(&parts, None)?.iter().any(|answer| matches!(answer, Answer::Refused(_))))
    }

    /// Removes what was made.
    pub(super) fn clear(&mut self) -> anyhow::Result<()> {
        self.names.clear();
        self.indices.clear()
    }

    fn events(&self, response: &Value) -> anyhow::Result<Answer> {
        let hits =
            response.pointer("/hits/hits").and_then(Value::as_array).context("no hits in the answer")?;
        let name = |hit: &Value| self.names.get(hit["_id"].as_str()?.parse::<usize>().ok()?).cloned();
        let names: Option<BTreeSet<String>> = hits.iter().map(name).collect();
        Ok(Answer::Found(names.context("the node found a document that it was not given")?))
    }

    /// The terms of all pages that begin after the range does.
    fn terms(&mut self, question: &Question, mut response: Value) -> anyhow::Result<Answer> {
        let Ask::Terms { range, .. } = &question.ask else { anyhow::bail!("the question asks for no terms") };
        let mut found = BTreeSet::new();
        loop {
            // Where no index is named there is no answer either.
            let Value::Array(buckets) = response["aggregations"]["terms"]["buckets"].take() else {
                return Ok(Answer::Found(found));
            };
            for bucket in &buckets {
                let first = bucket["first"]["value"].as_f64().context("a bucket has no time")? as i64;
                if range.from.is_none_or(|from| first > from) {
                    let key = bucket["key"].as_object().context("a bucket has no key")?;
                    let values = (0..key.len()).map(|at| key[&at.to_string()].clone());
                    found.insert(term(values, first));
                }
            }
            let after = response["aggregations"]["terms"]["after_key"].take();
            if buckets.len() < PAGE || after.is_null() {
                return Ok(Answer::Found(found));
            }
            response =
                self.indices.search(&[(&question.index, question.body(None, Some(&after)))])?.remove(0);
            if let Some(reason) = peers::refusal(&response) {
                return Ok(Answer::Refused(reason));
            }
        }
    }
}
