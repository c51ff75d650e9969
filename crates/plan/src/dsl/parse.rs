//! JSON to query.

use ecs::Object;
use serde_json::Value;

use super::{DslError, DslErrorKind};
use crate::{Bool, Leaf, LeafKind, Literal, Operator, Query, RangeBounds};

/// How deep queries may nest.
const MAX_DEPTH: usize = 100;

/// Parameters that concern the score or the answer, not what matches.
const IGNORED: [&str; 4] = ["boost", "_name", "rewrite", "relation"];

/// Reads a query. Finds all errors, each with the path of the value.
pub fn parse(query: &Value) -> Result<Query, Vec<DslError>> {
    let mut parser = Parser::default();
    let parsed = parser.at("query", |it| it.query(query));
    if parser.errors.is_empty() { Ok(parsed) } else { Err(parser.errors) }
}

/// A question about a field, and where its parts stand: paths such as `query.bool.must[1].term.user.name`.
#[derive(Clone, Debug, PartialEq)]
pub struct Placed {
    /// The question.
    pub leaf: Leaf,
    /// The field's name: the last key of the path, or the text that stands there.
    pub field_at: String,
    /// What it is compared with; nothing if there is no such value, or the field is compared with several in several ways.
    pub value_at: Option<String>,
}

/// Notes errors and goes on with a query that is never used.
#[derive(Default)]
pub(crate) struct Parser {
    path: Vec<String>,
    depth: usize,
    pub(crate) errors: Vec<DslError>,
    /// What is asked, in the order of the text.
    pub(crate) placed: Vec<Placed>,
    /// Where the texts of Lucene queries stand, which the reader of filters refuses.
    pub(crate) lucene: Vec<String>,
}

impl Parser {
    /// Runs `inner` one step further down the path.
    pub(crate) fn at<T>(&mut self, step: impl Into<String>, inner: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(step.into());
        let result = inner(self);
        self.path.pop();
        result
    }

    fn place(&self) -> String {
        self.path.join(".").replace(".[", "[")
    }

    /// A question about a field whose name stands here.
    pub(crate) fn leaf(&mut self, field: &str, kind: LeafKind, value_at: Option<String>) -> Query {
        let leaf = Leaf { field: Some(field.to_owned()), kind, span: None };
        self.placed.push(Placed { leaf: leaf.clone(), field_at: self.place(), value_at });
        Query::Leaf(leaf)
    }

    pub(crate) fn fail(&mut self, kind: DslErrorKind) -> Query {
        let at = self.place();
        self.errors.push(DslError { at, kind });
        Query::MatchNone
    }

    pub(crate) fn expected(&mut self, expected: &'static str) -> Query {
        self.fail(DslErrorKind::Expected { expected })
    }

    fn parameter(&mut self, name: &str) {
        self.fail(DslErrorKind::Parameter { name: name.to_owned() });
    }

    /// An object with one key, the kind of the query.
    pub(crate) fn query(&mut self, query: &Value) -> Query {
        if self.depth == MAX_DEPTH {
            return self.fail(DslErrorKind::TooDeep { limit: MAX_DEPTH });
        }
        let mut keys = query.as_object().into_iter().flatten();
        let (Some((name, body)), None) = (keys.next(), keys.next()) else {
            return self.expected("an object with one key, the kind of query");
        };
        self.depth += 1;
        let query = self.at(name, |it| it.kind(name, body));
        self.depth -= 1;
        query
    }

    fn kind(&mut self, name: &str, body: &Value) -> Query {
        let Value::Object(object) = body else { return self.expected("an object") };
        match name {
            "match_all" => Query::MatchAll,
            "match_none" => Query::MatchNone,
            "bool" => self.bool(object),
            "nested" => self.nested(object),
            "constant_score" => self.only(object, "filter"),
            "boosting" => self.only(object, "positive"),
            "exists" => match object.get("field") {
                Some(Value::String(field)) => self.at("field", |it| it.leaf(field, LeafKind::Exists, None)),
                _ => self.expected("an object with `field`, a name"),
            },
            "ids" => self.ids(object),
            "terms" => self.terms(object),
            "multi_match" => self.multi_match(object),
            "term" => self.field(object, &["value"], Self::term),
            "match" => self.field(object, &["query"], Self::match_),
            "match_phrase" => self.field(object, &["query"], Self::match_phrase),
            "range" => self.field(object, &[], Self::range),
            "wildcard" => self.field(object, &["value", "wildcard"], |it, body| {
                Some(LeafKind::Wildcard {
                    value: it.text(body.value)?,
                    case_insensitive: it.fold(body.rest)?,
                })
            }),
            "prefix" => self.field(object, &["value", "prefix"], |it, body| {
                Some(LeafKind::Prefix { value: it.text(body.value)?, case_insensitive: it.fold(body.rest)? })
            }),
            "regexp" => self.field(object, &["value"], Self::regexp),
            "query_string"
                if object.get("query").is_some_and(|it| matches!(it.as_str(), Some("*" | "*:*"))) =>
            {
                Query::MatchAll
            }
            _ => {
                if name == "query_string" {
                    self.lucene.push(format!("{}.query", self.place()));
                }
                self.path.pop();
                let failed = self.fail(DslErrorKind::Query { name: name.to_owned() });
                self.path.push(name.to_owned());
                failed
            }
        }
    }

    fn bool(&mut self, object: &Object) -> Query {
        let mut query = Bool::default();
        for (name, value) in object {
            self.at(name, |it| match name.as_str() {
                "must" => query.must = it.clauses(value),
                "filter" => query.filter = it.clauses(value),
                "should" => query.should = it.clauses(value),
                "must_not" | "mustNot" => query.must_not = it.clauses(value),
                "minimum_should_match" => match literal(value).and_then(|it| it.text().parse().ok()) {
                    Some(least) => query.minimum_should_match = Some(least),
                    None => {
                        it.expected("a whole number");
                    }
                },
                "adjust_pure_negative" => {}
                _ if IGNORED.contains(&name.as_str()) => {}
                _ => it.parameter(name),
            });
        }
        Query::Bool(query)
    }

    fn clauses(&mut self, value: &Value) -> Vec<Query> {
        match value {
            Value::Array(clauses) => clauses
                .iter()
                .enumerate()
                .map(|(at, clause)| self.at(format!("[{at}]"), |it| it.query(clause)))
                .collect(),
            _ => vec![self.query(value)],
        }
    }

    fn nested(&mut self, object: &Object) -> Query {
        for name in object.keys() {
            if !matches!(
                name.as_str(),
                "path" | "query" | "score_mode" | "ignore_unmapped" | "boost" | "_name"
            ) {
                self.parameter(name);
            }
        }
        match (object.get("path"), object.get("query")) {
            (Some(Value::String(path)), Some(query)) => {
                let query = self.at("query", |it| it.query(query));
                Query::Nested { path: path.clone(), query: Box::new(query), span: None }
            }
            _ => self.expected("an object with `path` and `query`"),
        }
    }

    /// A query that only changes the score of another one.
    fn only(&mut self, object: &Object, inner: &'static str) -> Query {
        match object.get(inner) {
            Some(query) => self.at(inner, |it| it.query(query)),
            None => self.expected("an object with the query inside"),
        }
    }

    fn ids(&mut self, object: &Object) -> Query {
        match object.get("values") {
            Some(Value::Array(values)) => {
                let ids = values.iter().filter_map(literal).map(|it| it.text().into_owned()).collect();
                leaf(None, LeafKind::Ids(ids))
            }
            Some(Value::String(id)) => leaf(None, LeafKind::Ids(vec![id.clone()])),
            _ => self.expected("an object with `values`, a list"),
        }
    }

    fn terms(&mut self, object: &Object) -> Query {
        let mut fields = object.iter().filter(|(name, _)| !IGNORED.contains(&name.as_str()));
        let (Some((field, values)), None) = (fields.next(), fields.next()) else {
            return self.expected("an object with one field");
        };
        self.at(field, |it| match values {
            Value::Array(values) => match values.iter().map(literal).collect() {
                Some(values) => {
                    let values_at = it.place();
                    it.leaf(field, LeafKind::Terms(values), Some(values_at))
                }
                None => it.expected("a list of texts, numbers and booleans"),
            },
            _ => it.expected("a list of values (looking them up in a document is not supported)"),
        })
    }

    fn multi_match(&mut self, object: &Object) -> Query {
        let (mut query, mut fields, mut phrase) = (None, Vec::new(), false);
        let (mut operator, mut slop, mut lenient) = (Operator::Or, 0, false);
        for (name, value) in object {
            self.at(name, |it| match (name.as_str(), value) {
                ("query", _) => query = literal(value),
                ("fields", Value::Array(names)) => fields = names.iter().filter_map(Value::as_str).collect(),
                ("fields", Value::String(name)) => fields = vec![name],
                ("type", Value::String(ty)) if ty == "phrase" => phrase = true,
                ("type", Value::String(ty)) if ty == "best_fields" || ty == "most_fields" => {}
                ("operator", _) => operator = it.operator(value),
                ("slop", _) => slop = it.slop(value),
                ("lenient", Value::Bool(value)) => lenient = *value,
                ("tie_breaker", _) => {}
                _ if IGNORED.contains(&name.as_str()) => {}
                _ => it.parameter(name),
            });
        }
        let Some(query) = query else { return self.expected("an object with `query`, a value") };
        let kind = |lenient| {
            let query = query.clone();
            if phrase {
                LeafKind::MatchPhrase { query, slop, lenient }
            } else {
                LeafKind::Match { query, operator, lenient }
            }
        };
        // A boost of a field is no part of its name.
        let names: Vec<&str> =
            fields.iter().map(|it| it.split_once('^').map_or(*it, |(name, _)| name)).collect();
        let is_list = object.get("fields").is_some_and(Value::is_array);
        let mut ask = |(at, name): (usize, &&str)| {
            self.at("fields", |it| {
                let ask = |it: &mut Self| it.leaf(name, kind(lenient), None);
                if is_list { it.at(format!("[{at}]"), ask) } else { ask(it) }
            })
        };
        match names.as_slice() {
            [] | ["*"] => leaf(None, kind(true)),
            names if names.iter().any(|it| it.contains('*')) => {
                self.at("fields", |it| it.expected("names of fields, or `*` alone"))
            }
            [name] => ask((0, name)),
            names => {
                let should = names.iter().enumerate().map(ask).collect();
                Query::Bool(Bool { should, minimum_should_match: Some(1), ..Bool::default() })
            }
        }
    }

    /// `{field: value}` or `{field: {…}}`, where the value goes by one of `names`.
    fn field(
        &mut self,
        object: &Object,
        names: &[&str],
        read: impl FnOnce(&mut Self, Body<'_>) -> Option<LeafKind>,
    ) -> Query {
        let mut fields = object.iter();
        let (Some((field, body)), None) = (fields.next(), fields.next()) else {
            return self.expected("an object with one field");
        };
        self.at(field, |it| {
            let empty = Object::new();
            let (body, value_at) = match body {
                Value::Object(rest) => {
                    let value = names.iter().find_map(|name| Some((name, rest.get(*name)?)));
                    let value_at = value.map(|(name, _)| format!("{}.{name}", it.place()));
                    (Body { value: value.map_or(&Value::Null, |(_, it)| it), rest, names }, value_at)
                }
                value => (Body { value, rest: &empty, names }, Some(it.place())),
            };
            match read(it, body) {
                Some(kind) => it.leaf(field, kind, value_at),
                None => Query::MatchNone,
            }
        })
    }

    fn term(&mut self, body: Body<'_>) -> Option<LeafKind> {
        let Some(value) = literal(body.value) else {
            self.expected("a text, a number or a boolean");
            return None;
        };
        body.only(self, &["case_insensitive"]);
        Some(LeafKind::Term { value, case_insensitive: self.fold(body.rest)? })
    }

    fn match_(&mut self, body: Body<'_>) -> Option<LeafKind> {
        if body.rest.get("type").and_then(Value::as_str) == Some("phrase") {
            return self.match_phrase(body);
        }
        let Some(query) = literal(body.value) else {
            self.expected("a text, a number or a boolean");
            return None;
        };
        body.only(self, &["operator", "lenient", "type", "auto_generate_synonyms_phrase_query"]);
        let operator = body.rest.get("operator").map_or(Operator::Or, |it| self.operator(it));
        Some(LeafKind::Match { query, operator, lenient: is_true(body.rest, "lenient") })
    }

    fn match_phrase(&mut self, body: Body<'_>) -> Option<LeafKind> {
        let Some(query) = literal(body.value) else {
            self.expected("a text, a number or a boolean");
            return None;
        };
        body.only(self, &["slop", "type"]);
        let slop = body.rest.get("slop").map_or(0, |it| self.slop(it));
        Some(LeafKind::MatchPhrase { query, slop, lenient: false })
    }

    fn regexp(&mut self, body: Body<'_>) -> Option<LeafKind> {
        body.only(self, &["flags", "case_insensitive", "max_determinized_states"]);
        let flags = body.rest.get("flags").and_then(Value::as_str).map(str::to_owned);
        Some(LeafKind::Regexp {
            value: self.text(body.value)?,
            flags,
            case_insensitive: self.fold(body.rest)?,
        })
    }

    /// The last bound given for an end counts, as in Elasticsearch.
    fn range(&mut self, body: Body<'_>) -> Option<LeafKind> {
        if !body.value.is_null() {
            self.expected("an object with `gt`, `gte`, `lt` or `lte`");
            return None;
        }
        let mut bounds = RangeBounds::default();
        let include = |name: &str| body.rest.get(name).is_none_or(|it| it != &Value::Bool(false));
        for (name, value) in body.rest {
            self.at(name, |it| {
                let mut text = |value: &Value| it.text(value);
                match name.as_str() {
                    "format" => bounds.format = text(value),
                    "time_zone" => bounds.time_zone = text(value),
                    "include_lower" | "include_upper" => {}
                    "gt" | "gte" | "lt" | "lte" | "from" | "to" => {
                        let bound = literal(value);
                        if bound.is_none() {
                            it.expected("a text or a number");
                        }
                        let bound = bound.filter(|it| *it != Literal::Null);
                        let (inclusive, exclusive) = match name.as_str() {
                            "gt" | "gte" | "from" => (&mut bounds.gte, &mut bounds.gt),
                            _ => (&mut bounds.lte, &mut bounds.lt),
                        };
                        let within = match name.as_str() {
                            "gt" | "lt" => false,
                            "from" => include("include_lower"),
                            "to" => include("include_upper"),
                            _ => true,
                        };
                        (*inclusive, *exclusive) = if within { (bound, None) } else { (None, bound) };
                    }
                    _ if IGNORED.contains(&name.as_str()) => {}
                    _ => it.parameter(name),
                }
            });
        }
        Some(LeafKind::Range(bounds))
    }

    fn text(&mut self, value: &Value) -> Option<String> {
        match literal(value) {
            Some(literal) if literal != Literal::Null => Some(literal.text().into_owned()),
            _ => {
                self.expected("a text");
                None
            }
        }
    }

    fn fold(&mut self, rest: &Object) -> Option<bool> {
        match rest.get("case_insensitive") {
            None | Some(Value::Null) => Some(false),
            Some(Value::Bool(value)) => Some(*value),
            Some(_) => {
                self.at("case_insensitive", |it| it.expected("true or false"));
                None
            }
        }
    }

    fn operator(&mut self, value: &Value) -> Operator {
        match value.as_str() {
            Some(word) if word.eq_ignore_ascii_case("and") => Operator::And,
            Some(word) if word.eq_ignore_ascii_case("or") => Operator::Or,
            _ => {
                self.expected("`and` or `or`");
                Operator::Or
            }
        }
    }

    fn slop(&mut self, value: &Value) -> u32 {
        value.as_u64().and_then(|it| u32::try_from(it).ok()).unwrap_or_else(|| {
            self.expected("how many moves are allowed");
            0
        })
    }
}

/// What stands at a field's name.
#[derive(Clone, Copy)]
struct Body<'a> {
    /// The value itself; null if there is none.
    value: &'a Value,
    /// The long form.
    rest: &'a Object,
    /// The names of the value in the long form.
    names: &'a [&'a str],
}

impl Body<'_> {
    /// Refuses parameters other than these.
    fn only(&self, parser: &mut Parser, known: &[&str]) {
        for name in self.rest.keys().map(String::as_str) {
            if !known.contains(&name) && !self.names.contains(&name) && !IGNORED.contains(&name) {
                parser.parameter(name);
            }
        }
    }
}

fn leaf(field: Option<&str>, kind: LeafKind) -> Query {
    Query::Leaf(Leaf { field: field.map(str::to_owned), kind, span: None })
}

fn literal(value: &Value) -> Option<Literal> {
    match value {
        Value::Null => Some(Literal::Null),
        Value::Bool(value) => Some(Literal::Bool(*value)),
        Value::Number(number) => Some(Literal::Number(number.to_string())),
        Value::String(text) => Some(Literal::Text(text.clone())),
        Value::Array(_) | Value::Object(_) => None,
    }
}

fn is_true(object: &Object, name: &str) -> bool {
    object.get(name) == Some(&Value::Bool(true))
}
