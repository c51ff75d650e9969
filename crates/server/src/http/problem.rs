//! Errors of the API: one shape, RFC 9457, each with a code that stays.

use std::ops::{Deref, DerefMut};

use serde_json::{Map, Value, json};

use super::{Answer, Dialect};

/// What kinds of errors there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Unauthenticated,
    Forbidden,
    NoSuchResource,
    Method,
    TooLarge,
    TooSlow,
    Parameter,
    Body,
    Unreadable,
    Busy,
    NotStored,
    Failed,
    Encoding,
    Query,
    Conflict,
    NotSupported,
    Header,
}

impl Kind {
    /// All of them, as the documentation lists them.
    pub(crate) const ALL: [Self; 17] = [
        Self::Unauthenticated,
        Self::Forbidden,
        Self::NoSuchResource,
        Self::Method,
        Self::TooLarge,
        Self::TooSlow,
        Self::Parameter,
        Self::Body,
        Self::Unreadable,
        Self::Busy,
        Self::NotStored,
        Self::Failed,
        Self::Encoding,
        Self::Query,
        Self::Conflict,
        Self::NotSupported,
        Self::Header,
    ];

    /// The code, the status, what it says, and what Elasticsearch calls its like.
    pub(crate) const fn told(self) -> (&'static str, u16, &'static str, &'static str) {
        match self {
            Self::Unauthenticated => ("API001", 401, "a key is needed", "security_exception"),
            Self::Forbidden => ("API002", 403, "the key may not do this", "security_exception"),
            Self::NoSuchResource => ("API003", 404, "there is no such thing", "resource_not_found_exception"),
            Self::Method => ("API004", 405, "this cannot be done here", "illegal_argument_exception"),
            Self::TooLarge => ("API005", 413, "the body is too long", "content_too_long_exception"),
            Self::TooSlow => ("API006", 408, "the request took too long to arrive", "timeout_exception"),
            Self::Parameter => ("API007", 400, "a parameter is wrong", "illegal_argument_exception"),
            Self::Body => ("API008", 400, "the body is wrong", "illegal_argument_exception"),
            Self::Unreadable => {
                ("API009", 422, "a part of what was delivered cannot be read", "document_parsing_exception")
            }
            Self::Busy => {
                ("API010", 429, "there is no room now; come again later", "es_rejected_execution_exception")
            }
            Self::NotStored => {
                ("API011", 503, "nothing of it was stored; come again later", "unavailable_exception")
            }
            Self::Failed => ("API012", 500, "the server failed", "internal_server_error"),
            Self::Encoding => ("API013", 415, "the encoding is not known", "media_type_header_exception"),
            Self::Query => ("API014", 400, "the query cannot be understood", "parsing_exception"),
            Self::Conflict => ("API015", 409, "this would break something", "illegal_state_exception"),
            Self::NotSupported => ("API016", 400, "this is not supported", "illegal_argument_exception"),
            Self::Header => ("API030", 400, "a header is missing", "illegal_argument_exception"),
        }
    }
}

/// An error. It is boxed: answers that are none should not be larger for it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Problem(Box<Told>);

/// What an error tells.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Told {
    pub(crate) kind: Kind,
    pub(crate) detail: String,
    /// More members.
    pub(crate) more: Map<String, Value>,
    /// Headers that go with it.
    pub(crate) headers: Vec<(&'static str, String)>,
}

impl Problem {
    pub(crate) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self(Box::new(Told { kind, detail: detail.into(), more: Map::new(), headers: Vec::new() }))
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.0.headers.push((name, value.into()));
        self
    }

    /// There is no room, or nothing can be stored: when to come again.
    pub(crate) fn later(kind: Kind, detail: impl Into<String>) -> Self {
        Self::new(kind, detail).header("retry-after", "1")
    }

    /// As it is answered, with what the clients look for that asked.
    pub(crate) fn answer(self, dialect: Dialect) -> Answer {
        let Told { kind, detail, more, headers } = *self.0;
        let (code, status, title, like) = kind.told();
        let mut body = Map::new();
        body.insert("type".to_owned(), format!("urn:trailwarden:problem:{code}").into());
        body.insert("title".to_owned(), title.into());
        body.insert("status".to_owned(), status.into());
        body.insert("detail".to_owned(), detail.as_str().into());
        body.insert("code".to_owned(), code.into());
        match dialect {
            Dialect::Own => {}
            Dialect::Elastic => {
                let reason = format!("{code} {detail}");
                body.insert("error".to_owned(), elastic_error(like, &reason));
            }
            Dialect::Kibana => body = kibana_error(code, status, &detail),
        }
        body.extend(more);
        let content_type =
            if dialect == Dialect::Own { "application/problem+json" } else { "application/json" };
        let mut answer = Answer::new(status, content_type, Value::Object(body).to_string());
        answer.headers.extend(headers);
        answer
    }
}

impl Deref for Problem {
    type Target = Told;

    fn deref(&self) -> &Told {
        &self.0
    }
}

impl DerefMut for Problem {
    fn deref_mut(&mut self) -> &mut Told {
        &mut self.0
    }
}

/// An error as Elasticsearch says it.
pub(crate) fn elastic_error(kind: &str, reason: &str) -> Value {
    json!({"type": kind, "reason": reason, "root_cause": [{"type": kind, "reason": reason}]})
}

/// An error as Kibana says it: in one of two ways, of which its clients look for either.
fn kibana_error(code: &str, status: u16, detail: &str) -> Map<String, Value> {
    let name = hyper::StatusCode::from_u16(status).ok().and_then(|it| it.canonical_reason());
    let body = json!({
        "statusCode": status,
        "error": name.unwrap_or("Error"),
        "message": detail,
        "status_code": status,
        "code": code,
    });
    body.as_object().cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_code_is_one() {
        let codes: BTreeSet<&str> = Kind::ALL.iter().map(|it| it.told().0).collect();
        assert_eq!(codes.len(), Kind::ALL.len());
        assert!(Kind::ALL.iter().all(|it| (400..600).contains(&it.told().1)));
    }
}
