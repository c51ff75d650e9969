//! The node of this comparison: the indices of the data, with the mapping of the catalogue.

use std::collections::BTreeSet;

use anyhow::Context as _;
use ecs::{Catalog, FieldType, Object};
use serde_json::{Value, json};

use super::corpus::Corpus;
use super::question::{Ask, PAGE, Question, term};
use crate::differential::Answer;
use crate::differential::http::Client;
use crate::differential::peers;

/// Marks the indices that this tool made: no others are ever removed.
const MADE_BY: &str = "trailwarden-differential";
/// Bytes of documents in one request.
const BULK_BYTES: usize = 8 << 20;

/// A connection, and what the node holds.
#[derive(Debug)]
pub(super) struct Node {
    client: Client,
    mapping: Value,
    /// The indices of the data at hand.
    made: BTreeSet<String>,
    /// The name of each document by its `_id`, which is its place here.
    names: Vec<String>,
}

impl Node {
    /// A node at `url`, with no data yet.
    pub(super) fn new(url: &str, catalog: &Catalog) -> anyhow::Result<Self> {
        let mut node = Self {
            client: Client::new(url)?,
            mapping: mapping(catalog, Types::Own),
            made: BTreeSet::new(),
            names: Vec::new(),
        };
        // The smallest build of Elasticsearch lacks some types that others of it stand for.
        let index = format!("{MADE_BY}-types");
        node.remove(&index)?;
        if let Err(refused) = node.make(&index) {
            let reason = refused.to_string();
            let is_of_type = ["No handler for type", "mapper type"].iter().any(|it| reason.contains(it));
            anyhow::ensure!(is_of_type, refused);
            node.mapping = mapping(catalog, Types::Common);
            node.make(&index)?;
        }
        node.remove(&index)?;
        Ok(node)
    }

    /// Makes the indices anew with the documents of the corpus, and leaves out the files with documents that the node
    /// refuses. Says how many these are, and why the first was refused.
    pub(super) fn load(&mut self, corpus: &mut Corpus) -> anyhow::Result<(usize, Option<String>)> {
        self.clear()?;
        for index in corpus.indices() {
            self.remove(index)?;
            self.make(index)?;
            self.made.insert(index.to_owned());
        }
        let (mut refused, mut reason) = (BTreeSet::new(), None);
        let mut lines = String::new();
        let mut first = 0;
        for (at, event) in corpus.events.iter().enumerate() {
            let action = json!({"index": {"_index": event.document.index, "_id": at.to_string()}});
            lines += &format!("{action}\n{}\n", Value::Object(event.document.source.clone()));
            if lines.len() >= BULK_BYTES || at + 1 == corpus.events.len() {
                let errors = self.index(&lines)?;
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
        let bodies: Vec<(&Question, Value)> =
            questions.iter().map(|question| (question, question.body(only.as_deref(), None))).collect();
        let responses = self.search(&bodies)?;
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
        let parts: Vec<Question> = peers::leaves(&question.condition)
            .into_iter()
            .map(|condition| Question {
                condition,
                ask: Ask::Events(super::question::Range::default()),
                ..question.clone()
            })
            .collect();
        Ok(self.ask(&parts, None)?.iter().any(|answer| matches!(answer, Answer::Refused(_))))
    }

    /// Removes what was made.
    pub(super) fn clear(&mut self) -> anyhow::Result<()> {
        for index in std::mem::take(&mut self.made) {
            self.remove(&index)?;
        }
        self.client.request("DELETE", &format!("/_index_template/{MADE_BY}"), "")?;
        self.names.clear();
        Ok(())
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
            response = self.search(&[(question, question.body(None, Some(&after)))])?.remove(0);
            if let Some(reason) = peers::refusal(&response) {
                return Ok(Answer::Refused(reason));
            }
        }
    }

    fn search(&mut self, searches: &[(&Question, Value)]) -> anyhow::Result<Vec<Value>> {
        if searches.is_empty() {
            return Ok(Vec::new());
        }
        let mut lines = String::new();
        for (question, body) in searches {
            let head = json!({
                "index": question.index,
                "ignore_unavailable": true,
                "allow_no_indices": true,
                "allow_partial_search_results": false,
            });
            lines += &format!("{head}\n{body}\n");
        }
        let (status, body) = self.client.request("POST", "/_msearch", &lines)?;
        let mut answer: Value = serde_json::from_str(&body).with_context(|| body.clone())?;
        if status != 200 {
            // One search that cannot be parsed fails all of a request: halves find out which.
            let [_] = searches else {
                let (left, right) = searches.split_at(searches.len() / 2);
                let mut responses = self.search(left)?;
                responses.extend(self.search(right)?);
                return Ok(responses);
            };
            anyhow::ensure!(status == 400, "the node fails with {status} on {lines}: {body}");
            return Ok(vec![answer]);
        }
        let Value::Array(responses) = answer["responses"].take() else {
            anyhow::bail!("no responses: {body}")
        };
        anyhow::ensure!(responses.len() == searches.len(), "an answer is missing");
        Ok(responses)
    }

    /// Indexes documents; the reason for each that was refused.
    fn index(&mut self, lines: &str) -> anyhow::Result<Vec<Option<String>>> {
        let (status, body) = self.client.request("POST", "/_bulk?refresh=true", lines)?;
        anyhow::ensure!(status == 200, "the node refuses the documents: {body}");
        let answer: Value = serde_json::from_str(&body)?;
        let items = answer["items"].as_array().context("no items in the answer")?;
        let error = |item: &Value| item["index"].get("error").map(|error| error["reason"].to_string());
        Ok(items.iter().map(error).collect())
    }

    fn make(&mut self, index: &str) -> anyhow::Result<()> {
        let settings = json!({
            "number_of_shards": 1,
            "number_of_replicas": 0,
            "mapping": {"total_fields.limit": 50_000, "ignore_malformed": true},
            "max_result_window": super::question::EVENTS_MAX,
        });
        // A full node has templates that make data streams of such names; ours comes before them.
        let template =
            json!({"index_patterns": [index], "priority": 1_000_000, "template": {"settings": settings}});
        let path = format!("/_index_template/{MADE_BY}");
        let (status, body) = self.client.request("PUT", &path, &template.to_string())?;
        anyhow::ensure!(status == 200, "the node refuses the template: {body}");
        let whole = json!({"mappings": self.mapping});
        let (status, body) = self.client.request("PUT", &format!("/{index}"), &whole.to_string())?;
        anyhow::ensure!(status == 200, "the node refuses the index {index}: {body}");
        let answer: Value = serde_json::from_str(&body)?;
        let started = answer["shards_acknowledged"] == true;
        anyhow::ensure!(started, "the node does not open the index {index}; its disk may be too full for it");
        Ok(())
    }

    /// Removes an index of an earlier run; an index that somebody else made is an error.
    fn remove(&mut self, index: &str) -> anyhow::Result<()> {
        let (status, body) = self.client.request("GET", &format!("/{index}/_mapping"), "")?;
        if status == 404 {
            return Ok(());
        }
        let found: Value = serde_json::from_str(&body)?;
        let is_ours = found.pointer(&format!("/{index}/mappings/_meta/made_by")) == Some(&json!(MADE_BY));
        anyhow::ensure!(
            is_ours,
            "the node has an index {index} that this tool did not make; use one for tests"
        );
        self.client.request("DELETE", &format!("/{index}"), "")?;
        Ok(())
    }
}

/// Which types a mapping may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Types {
    /// All.
    Own,
    /// Those of every build; each of the others has one among these that matches alike.
    Common,
}

/// The catalogue as a mapping. Unknown fields are mapped as in Elastic's data streams.
fn mapping(catalog: &Catalog, types: Types) -> Value {
    let mut root = json!({
        "_meta": {"made_by": MADE_BY},
        "date_detection": false,
        "dynamic_templates": [
            {"strings": {"match_mapping_type": "string", "mapping": {"type": "keyword", "ignore_above": 1024}}},
        ],
        "properties": {},
    });
    for (path, mapping) in catalog.iter() {
        let mut at = &mut root;
        let mut prefix = String::new();
        for part in path.split('.') {
            // Below a field whose values stand in it lie further fields of the same values.
            let is_leaf = catalog.get(&prefix).is_some_and(|parent| parent.ty.is_leaf());
            at = &mut at[if is_leaf { "fields" } else { "properties" }][part];
            if !prefix.is_empty() {
                prefix.push('.');
            }
            prefix += part;
        }
        let ty = match types {
            Types::Own => mapping.ty,
            Types::Common => common(mapping.ty),
        };
        let mut parameters = Object::new();
        parameters.insert("type".to_owned(), ty.name().into());
        if let Some(most) = mapping.ignore_above {
            parameters.insert("ignore_above".to_owned(), most.into());
        } else if ty == FieldType::Keyword {
            // Longer ones are refused; a wildcard field takes them.
            parameters.insert("ignore_above".to_owned(), 8191.into());
        }
        if ty == FieldType::ScaledFloat {
            parameters.insert("scaling_factor".to_owned(), mapping.scaling_factor.unwrap_or(1.0).into());
        }
        match at {
            // What lies below it came first.
            Value::Object(object) => object.extend(parameters),
            at => *at = Value::Object(parameters),
        }
    }
    root
}

fn common(ty: FieldType) -> FieldType {
    match ty {
        FieldType::ConstantKeyword | FieldType::Wildcard | FieldType::Version => FieldType::Keyword,
        FieldType::MatchOnlyText => FieldType::Text,
        FieldType::UnsignedLong => FieldType::Long,
        FieldType::ScaledFloat => FieldType::Double,
        FieldType::Keyword
        | FieldType::Text
        | FieldType::Flattened
        | FieldType::Ip
        | FieldType::Date
        | FieldType::DateNanos
        | FieldType::Boolean
        | FieldType::Long
        | FieldType::Integer
        | FieldType::Short
        | FieldType::Byte
        | FieldType::Double
        | FieldType::Float
        | FieldType::HalfFloat
        | FieldType::GeoPoint
        | FieldType::Nested
        | FieldType::Object => ty,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mapping_is_the_catalogue() {
        let catalog = Catalog::ecs();
        let back = Catalog::from_mapping(&mapping(&catalog, Types::Own)).unwrap();
        let mut seen = 0;
        for (path, mapping) in catalog.iter() {
            seen += 1;
            let Some(found) = back.get(path) else {
                assert_eq!(mapping.ty, FieldType::Object, "{path} is lost");
                continue;
            };
            assert_eq!(found.ty, mapping.ty, "{path}");
            assert_eq!(found.nested, mapping.nested, "{path}");
            assert_eq!(found.sources, mapping.sources, "{path}");
            if mapping.ignore_above.is_some() {
                assert_eq!(found.ignore_above, mapping.ignore_above, "{path}");
            }
        }
        assert!(seen > 1_000);
        let common = mapping(&catalog, Types::Common).to_string();
        assert!(!common.contains("\"wildcard\"") && !common.contains("\"match_only_text\""));
    }
}
