//! The languages that are compared, and what is not the same for all of them.

use fastrand::Rng;
use rule::{QueryLanguage, Rule};
use serde_json::{Value, json};

use super::queries;

/// A language of queries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Language {
    /// Kibana's own, which a process of its code translates for the node.
    Kql,
    /// Lucene query strings, which the node reads itself.
    Lucene,
}

impl Language {
    /// The language of a rule, if it is one of these.
    pub(super) fn of(rule: &Rule) -> Option<Self> {
        match rule.language {
            Some(QueryLanguage::Lucene) => Some(Self::Lucene),
            Some(QueryLanguage::Kuery) | None => Some(Self::Kql),
            Some(QueryLanguage::Eql | QueryLanguage::Esql) => None,
        }
    }

    /// Its name in the arguments.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Kql => "kql",
            Self::Lucene => "lucene",
        }
    }

    /// A random query.
    pub(super) fn query(self, rng: &mut Rng) -> String {
        match self {
            Self::Kql => queries::kql::query(rng),
            Self::Lucene => queries::lucene::query(rng),
        }
    }

    /// The fields that a query names.
    pub(super) fn fields(self, query: &str) -> Vec<String> {
        match self {
            Self::Kql => kql::parse(query).map(|ast| ast.fields()).unwrap_or_default(),
            Self::Lucene => lucene::fields(query).into_iter().map(|it| it.name).collect(),
        }
    }
}

/// A Lucene query as Kibana hands it on for a rule.
pub(super) fn query_string(query: &str) -> Value {
    if query.trim().is_empty() {
        return json!({"match_all": {}});
    }
    json!({"query_string": {"query": query, "analyze_wildcard": true, "time_zone": "UTC"}})
}
