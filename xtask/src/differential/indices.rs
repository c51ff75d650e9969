//! Indices of a node that have the mapping of the catalogue.

use std::collections::BTreeSet;

use anyhow::Context as _;
use ecs::{Catalog, FieldType, Object};
use serde_json::{Value, json};

use super::http::Client;

/// Marks the indices that this tool made: no others are ever removed.
const MADE_BY: &str = "trailwarden-differential";

/// The most events that a search gives.
pub(super) const EVENTS_MAX: usize = 1_000_000;

/// How an index is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// By its name and by patterns, as the rules of users do.
    ByPatterns,
    /// By its name alone: another run that asks patterns does not see it.
    ByName,
}

/// A connection, and the indices made over it.
#[derive(Debug)]
pub(super) struct Indices {
    client: Client,
    mapping: Value,
    made: BTreeSet<String>,
}

impl Indices {
    /// None yet, on the node at `url`.
    pub(super) fn new(url: &str, catalog: &Catalog) -> anyhow::Result<Self> {
        let mapping = mapping(catalog, Types::Own);
        let mut indices = Self { client: Client::new(url)?, mapping, made: BTreeSet::new() };
        // The smallest build of Elasticsearch lacks some types that others of it stand for.
        let index = format!("{MADE_BY}-types");
        indices.remove(&index)?;
        if let Err(refused) = indices.make(&index, Found::ByName) {
            let reason = refused.to_string();
            let is_of_type = ["No handler for type", "mapper type"].iter().any(|it| reason.contains(it));
            anyhow::ensure!(is_of_type, refused);
            indices.mapping = self::mapping(catalog, Types::Common);
            indices.make(&index, Found::ByName)?;
        }
        indices.remove(&index)?;
        Ok(indices)
    }

    /// The answers to searches: each is an expression of indices, and a body. Refusals are among the answers.
    pub(super) fn search(&mut self, searches: &[(&str, Value)]) -> anyhow::Result<Vec<Value>> {
        if searches.is_empty() {
            return Ok(Vec::new());
        }
        let mut lines = String::new();
        for (index, body) in searches {
            let head = json!({
                "index": index,
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
    pub(super) fn index(&mut self, lines: &str) -> anyhow::Result<Vec<Option<String>>> {
        let (status, body) = self.client.request("POST", "/_bulk?refresh=true", lines)?;
        anyhow::ensure!(status == 200, "the node refuses the documents: {body}");
        let answer: Value = serde_json::from_str(&body)?;
        let items = answer["items"].as_array().context("no items in the answer")?;
        let error = |item: &Value| item["index"].get("error").map(|error| error["reason"].to_string());
        Ok(items.iter().map(error).collect())
    }

    /// Makes an index anew, without documents.
    pub(super) fn renew(&mut self, index: &str, found: Found) -> anyhow::Result<()> {
        self.remove(index)?;
        self.make(index, found)?;
        self.made.insert(index.to_owned());
        Ok(())
    }

    /// All that were made, as an expression.
    pub(super) fn names(&self) -> String {
        self.made.iter().map(String::as_str).collect::<Vec<_>>().join(",")
    }

    /// Removes what was made.
    pub(super) fn clear(&mut self) -> anyhow::Result<()> {
        for index in std::mem::take(&mut self.made) {
            self.remove(&index)?;
        }
        self.client.request("DELETE", &format!("/_index_template/{MADE_BY}"), "")?;
        Ok(())
    }

    fn make(&mut self, index: &str, found: Found) -> anyhow::Result<()> {
        let settings = json!({
            "number_of_shards": 1,
            "number_of_replicas": 0,
            "mapping": {"total_fields.limit": 50_000, "ignore_malformed": true},
            "max_result_window": EVENTS_MAX,
            "hidden": found == Found::ByName,
        });
        // A full node has templates that make data streams of such names; ours comes before them.
        let template =
            json!({"index_patterns": [index], "priority": 1_000_000, "template": {"settings": &settings}});
        let path = format!("/_index_template/{MADE_BY}");
        let (status, body) = self.client.request("PUT", &path, &template.to_string())?;
        anyhow::ensure!(status == 200, "the node refuses the template: {body}");
        let whole = json!({"settings": settings, "mappings": self.mapping});
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
