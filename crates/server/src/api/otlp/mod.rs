//! Logs of OpenTelemetry over HTTP: `POST /v1/logs`, as Protocol Buffers or JSON.
//!
//! The body of a log is a record of CloudTrail or an ECS document, as text or as a value. What is neither is rejected, as the
//! protocol has it (`partial_success`), and kept as a dead letter. The index of a document is that of the attribute
//! `elasticsearch.index`, or made of `data_stream.dataset` and `data_stream.namespace`.

mod json;
mod protobuf;

use serde_json::{Map, Value, json};
use store::{Fate, RecordFate, Refused, Trouble};

use super::events::deliver;
use crate::http::{Answer, Asked, Kind, Problem};

/// The code of a log whose body is no object.
const NO_OBJECT: &str = "API018";

const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";

/// A log.
struct Log {
    body: Body,
    index: Option<String>,
}

/// What a log holds.
#[derive(Clone, Debug, PartialEq)]
enum Body {
    Nothing,
    Text(String),
    Bytes(Vec<u8>),
    Value(Value),
}

impl Body {
    /// As JSON has it. Bytes that are no text have no place there.
    fn into_value(self) -> Value {
        match self {
            Self::Nothing => Value::Null,
            Self::Text(it) => Value::String(it),
            Self::Bytes(it) => String::from_utf8(it).map_or(Value::Null, Value::String),
            Self::Value(it) => it,
        }
    }
}

impl Log {
    /// The attributes of the log go before those of its scope and of its resource.
    fn new(body: Body, attributes: [&Map<String, Value>; 3]) -> Self {
        let said = |name: &str| {
            let texts = attributes.iter().filter_map(|it| it.get(name)?.as_str());
            texts.map(str::to_owned).find(|it| !it.is_empty())
        };
        let stream = || {
            let dataset = said("data_stream.dataset")?;
            let namespace = said("data_stream.namespace").unwrap_or_else(|| "default".to_owned());
            Some(format!("logs-{dataset}-{namespace}"))
        };
        Self { body, index: said("elasticsearch.index").or_else(stream) }
    }

    /// A line that the reader takes, or what there was and why that is none.
    fn line(self, place: usize) -> Result<String, Refused> {
        let refuse = |text: String, why: &str| {
            let why = format!(
                "{NO_OBJECT}: log {place}: {why}; a record of CloudTrail or an ECS document is taken"
            );
            Refused { text, trouble: Trouble { code: NO_OBJECT, text: why } }
        };
        let text = match self.body {
            Body::Nothing => return Err(refuse(String::new(), "it has no body")),
            Body::Text(it) => it,
            Body::Bytes(it) => match String::from_utf8(it) {
                Ok(it) => it,
                Err(it) => {
                    let text = String::from_utf8_lossy(it.as_bytes()).into_owned();
                    return Err(refuse(text, "its body is no text"));
                }
            },
            Body::Value(it) => it.to_string(),
        };
        let text = text.trim();
        if !text.starts_with('{') || serde_json::from_str::<serde::de::IgnoredAny>(text).is_err() {
            return Err(refuse(text.to_owned(), "its body is no JSON object"));
        }
        // An object over several lines is one all the same: breaks stand between its tokens only.
        let text: String = text.chars().map(|it| if matches!(it, '\n' | '\r') { ' ' } else { it }).collect();
        Ok(match self.index {
            Some(index) => format!("{{\"_index\":{},\"_source\":{text}}}\n", Value::String(index)),
            None => text + "\n",
        })
    }
}

/// Takes logs, and answers in the encoding in which it was asked.
pub(super) fn logs(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&[])?;
    let encoding = asked.content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_protobuf = match encoding.as_str() {
        PROTOBUF => true,
        JSON => false,
        _ => {
            let detail = format!("`Content-Type: {encoding}` is not known; send {PROTOBUF} or {JSON}");
            return Err(Problem::new(Kind::Encoding, detail));
        }
    };
    let taken = take(asked, is_protobuf);
    match (taken, is_protobuf) {
        (Ok((rejected, message)), true) => {
            Ok(Answer::new(200, PROTOBUF, protobuf::answer(rejected, &message)))
        }
        (Ok((0, _)), false) => Ok(Answer::json(&json!({}))),
        (Ok((rejected, message)), false) => Ok(Answer::json(
            &json!({"partialSuccess": {"rejectedLogRecords": rejected.to_string(), "errorMessage": message}}),
        )),
        (Err(problem), true) => {
            let (code, status, ..) = problem.kind.told();
            let text = format!("{code} {}", problem.detail);
            let mut answer = Answer::new(status, PROTOBUF, protobuf::status(&text));
            answer.headers.clone_from(&problem.headers);
            Ok(answer)
        }
        (Err(problem), false) => Err(problem),
    }
}

/// Takes logs; how many of them are none that are taken, and why.
fn take(asked: &Asked<'_>, is_protobuf: bool) -> Result<(u64, String), Problem> {
    let body = asked.unpacked()?;
    let logs = if is_protobuf {
        protobuf::logs(&body)
            .map_err(|protobuf::Wrong| Problem::new(Kind::Body, "the body is no ExportLogsServiceRequest"))?
    } else {
        let value = serde_json::from_slice(&body);
        json::logs(&value.map_err(|it| Problem::new(Kind::Body, format!("the body is no JSON: {it}")))?)
            .map_err(|it| Problem::new(Kind::Body, it))?
    };
    if logs.is_empty() {
        return Ok((0, String::new()));
    }
    let (mut text, mut starts, mut refused) = (String::new(), Vec::new(), Vec::new());
    for (at, log) in logs.into_iter().enumerate() {
        match log.line(at + 1) {
            Ok(line) => {
                starts.push(text.len() as u64);
                text.push_str(&line);
            }
            Err(it) => refused.push(it),
        }
    }
    let of_lines = refused.len() as u64;
    let delivered = deliver(asked.app, "POST /v1/logs", text.into_bytes(), refused, true)?;
    // What gave no record at all was not taken either.
    let mut is_taken = vec![None; starts.len()];
    for RecordFate { offset, fate } in delivered.fates {
        let Some(at) = starts.partition_point(|it| *it <= offset).checked_sub(1) else { continue };
        let is_good = !matches!(fate, Fate::Unreadable(_));
        is_taken[at] = Some(is_taken[at].unwrap_or(true) && is_good);
    }
    let rejected = of_lines + is_taken.into_iter().filter(|it| *it != Some(true)).count() as u64;
    let why = delivered.troubles.first().map_or_else(String::new, |it| it.text.clone());
    let message = match delivered.letter {
        Some(letter) if rejected > 0 => format!("{why} (kept as dead letter {letter})"),
        Some(_) | None => why,
    };
    Ok((rejected, if rejected > 0 { message } else { String::new() }))
}
