//! Random rules with the events that they are about.

use std::fmt;

use anyhow::Context as _;
use ecs::{Millis, Object};
use fastrand::Rng;
use rule::{Rule, RuleKind};
use serde_json::{Value, json};

use super::Kind;
use crate::differential::rules::question::written;
use crate::differential::world::{pick, word};

const MINUTE: Millis = 60_000;

/// Where the times of events begin; a multiple of all intervals.
const BEGINNING: Millis = 1_769_904_000_000 - 1_769_904_000_000 % (420 * MINUTE);

/// The other field of times that rules go by: one that no event has unless it is written in it.
const OVERRIDE: &str = "event.start";

/// Fields that rules group by, with values that they have.
const FIELDS: &[(&str, &[&str])] = &[
    ("user.name", &["\"ana\"", "\"Ana\"", "\"bo\"", "\"\"", "\"日本\"", "\"a b\"", "7", "true"]),
    ("host.name", &["\"ana\"", "\"web-1\"", "\"web-10\"", "\"web-2\"", "1.10"]),
    (
        "source.ip",
        &[
            "\"10.0.0.1\"",
            "\"10.0.0.10\"",
            "\"9.1.1.1\"",
            "\"2001:db8::1\"",
            "\"2001:DB8:0::1\"",
            "\"::ffff:10.0.0.1\"",
        ],
    ),
    ("event.sequence", &["1", "2", "10", "-3", "\"2\"", "2.7", "9007199254740993"]),
    ("event.risk_score", &["0.1", "1", "1.0", "2.5", "\"2.5\"", "-7"]),
    ("aws.cloudtrail.read_only", &["true", "false", "\"true\"", "\"\""]),
    (
        "event.created",
        &["\"2024-05-01\"", "\"2024-05-01T00:00:00Z\"", "\"2024-05-01T10:30:00.123Z\"", "1714559400000"],
    ),
    ("aws.cloudtrail.flattened.request_parameters.k", &["\"x\"", "\"y\"", "\"X\"", "5", "true"]),
    (
        "aws.cloudtrail.flattened.request_parameters",
        &["{\"k\":\"x\"}", "{\"a\":\"x\",\"b\":[\"y\",\"z\"]}", "{\"k\":5}", "{}"],
    ),
];

/// One rule, and the events that it may see.
#[derive(Clone, Debug)]
pub(super) struct Case {
    /// The rule as it is written.
    object: Object,
    pub(super) rule: Rule,
    /// With their ids.
    pub(super) documents: Vec<(String, Object)>,
}

/// What one execution looks at; all ends are included.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    pub(super) started_at: Millis,
    pub(super) from: Millis,
    pub(super) to: Millis,
    /// Where the history begins.
    pub(super) history: Millis,
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let iso = ecs::date::to_iso;
        let Self { started_at, from, to, history } = *self;
        write!(f, "{}: from {} to {}, history from {}", iso(started_at), iso(from), iso(to), iso(history))
    }
}

impl Case {
    /// A rule of the type with its events, which carry its number.
    pub(super) fn random(kind: Kind, number: usize, rng: &mut Rng) -> anyhow::Result<Self> {
        let minutes = *pick(rng, &[1, 5, 5, 7]);
        let look_back = minutes + *pick(rng, &[0, 1, 1, 2, minutes]);
        let overridden = rng.u8(0..4) == 0;
        let condition =
            *pick(rng, &["", "", " and event.outcome: success", " and not event.outcome: failure"]);
        let object = json!({
            "rule_id": format!("case-{number}"),
            "name": "n",
            "description": "d",
            "severity": "low",
            "risk_score": 1,
            "language": "kuery",
            "query": format!("event.code: \"{number}\"{condition}"),
            "interval": format!("{minutes}m"),
            "from": format!("now-{look_back}m"),
            "to": word(rng, &["now", "now", "now", "now-30s"]),
            "max_signals": *pick(rng, &[100, 100, 100, 1, 2, 3]),
        });
        let mut object = object.as_object().cloned().unwrap_or_default();
        if overridden {
            // Without the fallback there is one field of times, which a search can ask for.
            object.insert("timestamp_override".to_owned(), OVERRIDE.into());
            object.insert("timestamp_override_fallback_disabled".to_owned(), true.into());
        }
        let mut fields: Vec<&(&str, &[&str])> = FIELDS.iter().collect();
        rng.shuffle(&mut fields);
        match kind {
            Kind::NewTerms => {
                fields.truncate(*pick(rng, &[1, 1, 1, 2, 2, 3]));
                // One of them lies in the other.
                let nested = fields.iter().filter(|(name, _)| name.contains(".request_parameters")).count();
                if nested > 1 {
                    fields.truncate(1);
                }
                let names: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
                let history = look_back + *pick(rng, &[1, 5, 20, 60]);
                object.insert("type".to_owned(), "new_terms".into());
                object.insert("new_terms_fields".to_owned(), json!(names));
                object.insert("history_window_start".to_owned(), format!("now-{history}m").into());
            }
            Kind::Threshold => {
                fields.retain(|(name, _)| !name.ends_with(".request_parameters"));
                let grouped = rng.usize(0..=3);
                let names: Vec<&str> = fields[..grouped].iter().map(|(name, _)| *name).collect();
                let mut threshold = json!({"field": names, "value": rng.usize(1..=4)});
                if rng.u8(0..3) == 0 {
                    let (counted, _) = fields[grouped];
                    threshold["cardinality"] = json!([{"field": counted, "value": rng.usize(1..=3)}]);
                }
                fields.truncate(grouped + 1);
                object.insert("type".to_owned(), "threshold".into());
                object.insert("threshold".to_owned(), threshold);
            }
        }
        let documents = (0..rng.usize(1..=16))
            .map(|at| {
                let id = format!("{number}-{at:02}");
                let document = document(number, &id, minutes, &fields, rng);
                (id, document)
            })
            .collect();
        let text = Value::Object(object.clone()).to_string();
        let rule =
            rule::load_text("case.json", &text).rules.pop().with_context(|| format!("no rule: {text}"))?;
        Ok(Self { object, rule, documents })
    }

    /// What the rule says, without what says nothing here.
    pub(super) fn told(&self) -> Object {
        let mut object = self.object.clone();
        object.retain(|key, _| {
            !matches!(key.as_str(), "name" | "description" | "severity" | "risk_score" | "language")
        });
        object
    }

    /// The executions that see an event.
    pub(super) fn windows(&self) -> Vec<Window> {
        let times = self.times();
        let (Some(first), Some(last)) = (times.iter().min(), times.iter().max()) else { return Vec::new() };
        let interval = self.rule.interval.millis();
        let ticks = first.div_euclid(interval)..=(last + 60 * MINUTE).div_euclid(interval);
        let window = |tick: i64| {
            let started_at = tick * interval;
            let (from, to) = (self.rule.from.millis_at(started_at), self.rule.to.millis_at(started_at));
            let history = match &self.rule.kind {
                RuleKind::NewTerms(it) => it.history_window_start.millis_at(to),
                RuleKind::Query
                | RuleKind::SavedQuery { .. }
                | RuleKind::Threshold(_)
                | RuleKind::Eql { .. }
                | RuleKind::Esql
                | RuleKind::ThreatMatch(_)
                | RuleKind::MachineLearning { .. } => from,
            };
            Window { started_at, from, to, history }
        };
        let sees = |window: &Window| times.iter().any(|time| (window.from..=window.to).contains(time));
        ticks.map(window).filter(sees).collect()
    }

    /// The times of the events that the rule goes by.
    fn times(&self) -> Vec<Millis> {
        let is_overridden = self.rule.timestamp_override.is_some();
        let time = |document: &Object| {
            let time = if is_overridden {
                document.get("event")?.get("start")?
            } else {
                document.get("@timestamp")?
            };
            ecs::date::parse(time.as_str()?).ok()
        };
        self.documents.iter().filter_map(|(_, document)| time(document)).collect()
    }
}

/// An event with some of the fields. Many lie at the ends of ranges, or just beside them.
fn document(number: usize, id: &str, minutes: Millis, fields: &[&(&str, &[&str])], rng: &mut Rng) -> Object {
    let time = |rng: &mut Rng| {
        let beside = match rng.u8(0..6) {
            0..=2 => 0,
            3 => rng.i64(-1..=1),
            _ => rng.i64(0..MINUTE),
        };
        ecs::date::to_iso(BEGINNING + rng.i64(0..minutes * 4) * MINUTE + beside)
    };
    let mut event = json!({"code": number.to_string(), "id": id});
    if rng.u8(0..4) > 0 {
        event["start"] = time(rng).into();
    }
    if rng.u8(0..4) > 0 {
        event["outcome"] = word(rng, &["success", "failure"]).into();
    }
    let mut document =
        Object::from_iter([("@timestamp".to_owned(), time(rng).into()), ("event".to_owned(), event)]);
    for (name, values) in fields {
        let few = &values[..rng.usize(1..=values.len())];
        let one = |rng: &mut Rng| serde_json::from_str(word(rng, few)).unwrap_or(Value::Null);
        let value = match rng.u8(0..12) {
            0 => continue,
            1 => Value::Null,
            2 => json!([]),
            3..=5 => (0..rng.usize(1..=3)).map(|_| one(rng)).collect(),
            _ => one(rng),
        };
        document.insert((*name).to_owned(), value);
    }
    document
}

/// Values, as both sides write them.
pub(super) fn values(values: &[Value]) -> String {
    values.iter().map(written).collect::<Vec<_>>().join(" | ")
}
