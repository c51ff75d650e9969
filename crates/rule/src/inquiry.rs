//! What a guide of Kibana's has in its Markdown beside prose: `!{investigate{…}}`, a query over events, and
//! `!{osquery{…}}`, a query for a host.
//!
//! The JSON is read as Kibana reads it: `providers` are alternatives, each a list of conditions that all hold. A query over
//! events becomes KQL with its `{{field}}`s left in place, one text for each alternative.

use std::ops::Range;

use ecs::date::{DateMath, Format};
use serde_json::{Map, Value};

/// What begins each kind.
const STARTS: [(&str, bool); 2] = [("!{investigate", true), ("!{osquery", false)];

/// One of them, in a note.
#[derive(Clone, Debug, PartialEq)]
pub struct Inquiry {
    /// Where it stands in the note, as bytes.
    pub at: Range<usize>,
    /// What it is called.
    pub label: String,
    /// What it is for.
    pub description: String,
    /// What it asks; or all that is wrong with it.
    pub asks: Result<Asks, Vec<Flaw>>,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq)]
pub enum Asks {
    /// Events.
    Events(Box<EventsAsked>),
    /// A host, in the SQL of osquery with `{{field}}`s.
    Host(String),
}

/// Which events are asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct EventsAsked {
    /// Alternatives, each as KQL with `{{field}}`s.
    pub alternatives: Vec<String>,
    /// From when on, by the time of the alert; none is 24 hours before.
    pub from: Option<DateMath>,
    /// Until when; none is 24 hours after.
    pub to: Option<DateMath>,
    /// The fields that it asks for.
    pub fields: Vec<String>,
    /// It asks for alerts rather than for events.
    pub of_alerts: bool,
}

/// What is wrong with one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// It is no JSON.
    #[error("its JSON is broken: {0}")]
    Json(String),
    /// It asks nothing.
    #[error("it has no `{0}`")]
    Missing(&'static str),
    /// A condition without a field, or with one that no field can have.
    #[error("`{0}` is no name of a field")]
    Field(String),
    /// A kind of condition that nobody knows, or that cannot be asked here.
    #[error("`{0}` is no `queryType` that can be asked: `phrase`, `phrases`, `range` and `exists` can")]
    QueryType(String),
    /// A kind of value that nobody knows.
    #[error("`{0}` is no `valueType`: `string`, `number` and `boolean` are")]
    ValueType(String),
    /// A value that does not go with the condition.
    #[error("the value of `{field}` is {what}")]
    Value {
        /// The field.
        field: String,
        /// What it should be and is not.
        what: &'static str,
    },
    /// A time that is none.
    #[error("`{0}` is no time")]
    Time(String),
}

/// All of a note, in order.
pub fn inquiries(note: &str) -> Vec<Inquiry> {
    let (mut out, mut at) = (Vec::new(), 0);
    while let Some((start, asks_events)) = next(note, at) {
        let one = one(note, start, asks_events);
        at = one.at.end;
        out.push(one);
    }
    out
}

/// The note with a text of the caller's for each.
pub fn with_inquiries(note: &str, mut text: impl FnMut(usize, &Inquiry) -> String) -> String {
    let (mut out, mut at) = (String::with_capacity(note.len()), 0);
    for (number, it) in inquiries(note).iter().enumerate() {
        out.push_str(&note[at..it.at.start]);
        out.push_str(&text(number, it));
        at = it.at.end;
    }
    out.push_str(&note[at..]);
    out
}

/// Where the next begins.
fn next(note: &str, from: usize) -> Option<(usize, bool)> {
    let found = STARTS.iter().filter_map(|&(start, asks_events)| {
        let mut at = from;
        loop {
            let here = at + note[at..].find(start)?;
            // As in Kibana: what goes on otherwise is a word.
            if note[here + start.len()..].starts_with(['{', '}']) {
                return Some((here, asks_events));
            }
            at = here + start.len();
        }
    });
    found.min()
}

fn one(note: &str, start: usize, asks_events: bool) -> Inquiry {
    let open = start + STARTS.iter().find(|it| it.1 == asks_events).map_or(0, |it| it.0.len());
    let mut values = serde_json::Deserializer::from_str(&note[open..]).into_iter::<Value>();
    let read = values.next();
    let end = open + values.byte_offset();
    let broken = |flaw: Flaw| {
        let at = start..open + closing(&note[open..]);
        Inquiry { at, label: String::new(), description: String::new(), asks: Err(vec![flaw]) }
    };
    let object = match read {
        Some(Ok(Value::Object(object))) => object,
        Some(Ok(_)) | None => return broken(Flaw::Json("an object is expected".to_owned())),
        Some(Err(error)) => return broken(Flaw::Json(error.to_string())),
    };
    let rest = note[end..].trim_start();
    if !rest.starts_with('}') {
        return broken(Flaw::Json("the closing `}` is missing".to_owned()));
    }
    let text = |key: &str| object.get(key).and_then(Value::as_str).unwrap_or_default().trim().to_owned();
    let asks = if asks_events {
        events(&object)
    } else {
        match text("query") {
            query if query.is_empty() => Err(vec![Flaw::Missing("query")]),
            query => Ok(Asks::Host(query)),
        }
    };
    let at = start..note.len() - rest.len() + 1;
    Inquiry { at, label: text("label"), description: text("description"), asks }
}

/// Where braces close again, as Kibana counts them: those in texts count.
fn closing(text: &str) -> usize {
    let mut depth = 0_i32;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth < 0 {
            return at + 1;
        }
    }
    // What never closes ends with its line.
    text.find('\n').unwrap_or(text.len())
}

fn events(object: &Map<String, Value>) -> Result<Asks, Vec<Flaw>> {
    let mut flaws = Vec::new();
    let groups = object.get("providers").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let (mut alternatives, mut fields, mut of_alerts) = (Vec::new(), Vec::new(), false);
    for group in groups {
        let conditions = group.as_array().map_or(&[][..], Vec::as_slice);
        let mut texts = Vec::new();
        for condition in conditions {
            match Condition::read(condition) {
                Ok(it) => {
                    of_alerts |= it.is_of_alerts();
                    texts.push(it.kql());
                    if !fields.contains(&it.field) {
                        fields.push(it.field);
                    }
                }
                Err(flaw) => flaws.push(flaw),
            }
        }
        if !texts.is_empty() {
            alternatives.push(texts.join(" and "));
        }
    }
    if alternatives.is_empty() && flaws.is_empty() {
        flaws.push(Flaw::Missing("providers"));
    }
    let mut time = |key: &str| {
        let text = object.get(key).and_then(Value::as_str).filter(|it| !it.is_empty())?;
        let read = DateMath::of_query(text, &Format::default(), 0);
        read.map_err(|_| flaws.push(Flaw::Time(text.to_owned()))).ok()
    };
    let (from, to) = (time("relativeFrom"), time("relativeTo"));
    if flaws.is_empty() {
        Ok(Asks::Events(Box::new(EventsAsked { alternatives, from, to, fields, of_alerts })))
    } else {
        Err(flaws)
    }
}

/// One condition of a query.
struct Condition {
    field: String,
    is_excluded: bool,
    test: Test,
}

enum Test {
    Exists,
    Any(Vec<String>),
    /// Signs and bounds.
    Range(Vec<(&'static str, String)>),
}

impl Condition {
    fn read(it: &Value) -> Result<Self, Flaw> {
        let text = |key: &str| it.get(key).and_then(Value::as_str).unwrap_or_default();
        let field = text("field");
        let is_name = |it: char| it.is_alphanumeric() || "_.@-".contains(it);
        if field.is_empty() || !field.chars().all(is_name) {
            return Err(Flaw::Field(field.to_owned()));
        }
        let kind = text("valueType");
        if !["", "string", "number", "boolean", "undefined"].contains(&kind) {
            return Err(Flaw::ValueType(kind.to_owned()));
        }
        let wrong = |what| Flaw::Value { field: field.to_owned(), what };
        let one = |value: &Value| -> Result<String, Flaw> {
            let value = match value {
                Value::String(text) => text.clone(),
                Value::Number(_) | Value::Bool(_) => value.to_string(),
                Value::Null | Value::Array(_) | Value::Object(_) => String::new(),
            };
            let is_placeholder = value.starts_with("{{");
            match kind {
                _ if value.is_empty() => Err(wrong("empty")),
                "number" if !is_placeholder && value.parse::<f64>().is_err() => Err(wrong("no number")),
                "boolean" if !is_placeholder && !["true", "false"].contains(&value.as_str()) => {
                    Err(wrong("neither true nor false"))
                }
                _ => Ok(value),
            }
        };
        // Kibana's own editor writes lists and ranges as texts that hold JSON.
        let held = |value: &Value| match value {
            Value::String(text) => serde_json::from_str(text).unwrap_or(Value::Null),
            other => other.clone(),
        };
        let value = it.get("value").unwrap_or(&Value::Null);
        let test = match text("queryType") {
            "exists" => Test::Exists,
            "phrase" | "" => Test::Any(vec![one(value)?]),
            "phrases" => match held(value) {
                Value::Array(values) if !values.is_empty() => {
                    Test::Any(values.iter().map(one).collect::<Result<_, _>>()?)
                }
                _ => return Err(wrong("no list")),
            },
            "range" => {
                let held = held(value);
                let bounds = [("gte", ">="), ("gt", ">"), ("lt", "<"), ("lte", "<=")];
                let bound = |&(key, sign): &(&str, &'static str)| {
                    let bound = held.get(key).filter(|it| !it.is_null() && **it != "")?;
                    Some(one(bound).map(|it| (sign, it)))
                };
                let bounds: Vec<_> = bounds.iter().filter_map(bound).collect::<Result<_, _>>()?;
                if bounds.is_empty() {
                    return Err(wrong("no range, such as `{\"gte\": 1, \"lt\": 5}`"));
                }
                Test::Range(bounds)
            }
            other => return Err(Flaw::QueryType(other.to_owned())),
        };
        // The example that Kibana shows has a text there.
        let is_excluded = match it.get("excluded") {
            Some(Value::Bool(flag)) => *flag,
            Some(Value::String(text)) => text == "true",
            _ => false,
        };
        Ok(Self { field: field.to_owned(), is_excluded, test })
    }

    /// Alerts, which are no events.
    fn is_of_alerts(&self) -> bool {
        let is_signal =
            |test: &Test| matches!(test, Test::Any(values) if values.iter().any(|it| it == "signal"));
        !self.is_excluded
            && (self.field.starts_with("kibana.alert.")
                || self.field.starts_with("signal.")
                || (self.field == "event.kind" && is_signal(&self.test)))
    }

    fn kql(&self) -> String {
        let field = &self.field;
        let text = match &self.test {
            Test::Exists => format!("{field}: *"),
            Test::Any(values) => match values.as_slice() {
                [one] => format!("{field}: {}", quoted(one)),
                several => {
                    let values: Vec<String> = several.iter().map(|it| quoted(it)).collect();
                    format!("{field}: ({})", values.join(" or "))
                }
            },
            Test::Range(bounds) => {
                let bounds: Vec<String> =
                    bounds.iter().map(|(sign, it)| format!("{field} {sign} {}", quoted(it))).collect();
                if bounds.len() == 1 { bounds.concat() } else { format!("({})", bounds.join(" and ")) }
            }
        };
        if self.is_excluded { format!("not {text}") } else { text }
    }
}

/// A value of KQL. Placeholders stay as they are.
fn quoted(value: &str) -> String {
    let mut out = String::from("\"");
    let mut rest = value;
    while let Some(c) = rest.chars().next() {
        if rest.starts_with("{{")
            && let Some(close) = rest.find("}}")
        {
            out.push_str(&rest[..close + 2]);
            rest = &rest[close + 2..];
            continue;
        }
        if matches!(c, '\\' | '"') {
            out.push('\\');
        }
        out.push(c);
        rest = &rest[c.len_utf8()..];
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The alternatives of one; or its flaws.
    fn read(json: &str) -> Result<Vec<String>, Vec<String>> {
        let note = format!("Look !{{investigate{json}}} here.");
        let all = inquiries(&note);
        let [it] = all.as_slice() else { panic!("{} in {note}", all.len()) };
        assert_eq!(&note[it.at.end..], " here.", "{note}");
        match &it.asks {
            Ok(Asks::Events(it)) => Ok(it.alternatives.clone()),
            Ok(Asks::Host(_)) => panic!("no query of a host"),
            Err(flaws) => Err(flaws.iter().map(ToString::to_string).collect()),
        }
    }

    fn of(conditions: &str) -> Result<Vec<String>, Vec<String>> {
        read(&format!(r#"{{"label":"x","providers":[[{conditions}]]}}"#))
    }

    #[test]
    fn conditions() {
        for (condition, kql) in [
            (r#"{"field":"a","queryType":"phrase","value":"x y","excluded":false}"#, r#"a: "x y""#),
            (
                r#"{"field":"a","queryType":"phrase","value":"C:\\x\"","excluded":true}"#,
                r#"not a: "C:\\x\"""#,
            ),
            (r#"{"field":"a","queryType":"phrase","value":"{{b.c}}","excluded":"false"}"#, r#"a: "{{b.c}}""#),
            (r#"{"field":"a","queryType":"phrase","value":7,"valueType":"number"}"#, r#"a: "7""#),
            (r#"{"field":"a","queryType":"exists","value":""}"#, "a: *"),
            (r#"{"field":"a","queryType":"exists","value":"","excluded":true}"#, "not a: *"),
            (r#"{"field":"a","queryType":"phrases","value":"[\"x\",\"y\"]"}"#, r#"a: ("x" or "y")"#),
            (
                r#"{"field":"a","queryType":"range","value":"{\"gte\":1,\"lt\":5}","excluded":true}"#,
                r#"not (a >= "1" and a < "5")"#,
            ),
            (r#"{"field":"a","queryType":"range","value":{"gte":"2026-01-01"}}"#, r#"a >= "2026-01-01""#),
        ] {
            assert_eq!(of(condition), Ok(vec![kql.to_owned()]), "{condition}");
        }
    }

    #[test]
    fn flaws() {
        for (condition, flaw) in [
            (r#"{"field":"","queryType":"exists"}"#, "`` is no name of a field"),
            (r#"{"field":"a or b","queryType":"exists"}"#, "`a or b` is no name of a field"),
            (r#"{"field":"a","queryType":"spatial","value":"x"}"#, "`spatial` is no `queryType`"),
            (r#"{"field":"a","queryType":"phrase","value":""}"#, "the value of `a` is empty"),
            (
                r#"{"field":"a","queryType":"phrase","value":"x","valueType":"date"}"#,
                "`date` is no `valueType`",
            ),
            (r#"{"field":"a","queryType":"phrase","value":"x","valueType":"number"}"#, "is no number"),
            (r#"{"field":"a","queryType":"range","value":"1"}"#, "is no range"),
            (r#"{"field":"a","queryType":"phrases","value":"x"}"#, "is no list"),
        ] {
            let flaws = of(condition).unwrap_err();
            assert!(flaws.len() == 1 && flaws[0].contains(flaw), "{condition}: {flaws:?}");
        }
        for (json, flaw) in [
            (r#"{"providers":[]}"#, "it has no `providers`"),
            (
                r#"{"providers":[[{"field":"a","queryType":"exists"}]],"relativeFrom":"soon"}"#,
                "`soon` is no time",
            ),
            (r#"{"providers":[[}"#, "its JSON is broken"),
            ("", "its JSON is broken"),
        ] {
            let flaws = read(json).unwrap_err();
            assert!(flaws.len() == 1 && flaws[0].contains(flaw), "{json}: {flaws:?}");
        }
    }

    #[test]
    fn a_note_goes_on_behind_them() {
        let note = "a !{investigate{\"providers\":[[{\"field\":\"a\",\"queryType\":\"phrase\",\"value\":\"}}\"}]]}} b\n!{osquery{\"label\":\"l\",\"query\":\"SELECT 1\"}}\n!{investigated} !{investigate{ never";
        let all = inquiries(note);
        assert_eq!(all.len(), 3, "{all:?}");
        assert_eq!(all[1].asks, Ok(Asks::Host("SELECT 1".to_owned())));
        assert!(all[2].asks.is_err() && all[2].at.end == note.len());
        let out = with_inquiries(note, |at, it| format!("<{at} {}>", it.label));
        assert_eq!(out, "a <0 > b\n<1 l>\n!{investigated} <2 >");
    }

    #[test]
    fn alternatives_and_alerts() {
        let json = r#"{"providers":[[{"field":"event.kind","queryType":"phrase","value":"signal"}],[{"field":"b","queryType":"exists"},{"field":"c","queryType":"exists"}]],"relativeFrom":"now-48h/h","relativeTo":"now"}"#;
        let note = format!("!{{investigate{json}}}");
        let Ok(Asks::Events(it)) = &inquiries(&note)[0].asks else { panic!("{note}") };
        assert_eq!(it.alternatives[..], [r#"event.kind: "signal""#, "b: * and c: *"]);
        assert_eq!(it.fields[..], ["event.kind", "b", "c"]);
        assert!(it.of_alerts && it.from.as_ref().is_some_and(|it| it.text() == "now-48h/h"));
    }
}
