//! An alert document, seen by what people ask of it.

use std::borrow::Cow;

use ecs::{Layered, Millis, Object};
use investigate::request;
use jiff::Timestamp;
use serde_json::Value;

use crate::{field_words, ocsf, plural, when};

/// The paths of an alert's event that a line about it says something of.
pub(crate) const EVENT_PATHS: [&str; 18] = [
    "@timestamp",
    "aws.cloudtrail.error_code",
    REQUEST,
    "aws.cloudtrail.user_identity.arn",
    "aws.cloudtrail.user_identity.invoked_by",
    "aws.cloudtrail.user_identity.session_context.session_issuer.arn",
    "cloud.account.id",
    "cloud.region",
    "event.action",
    "event.id",
    "event.outcome",
    "event.provider",
    "service.name",
    "source.address",
    "source.geo.country_iso_code",
    "source.ip",
    "user.id",
    "user.name",
];

/// What was asked for, as it is rendered.
const REQUEST: &str = "aws.cloudtrail.request_parameters";

/// What a threshold rule counted.
const THRESHOLD_RESULT: &str = "kibana.alert.threshold_result";
/// What it says of those that were suppressed in its favour.
const SUPPRESSION: &str = "kibana.alert.suppression";
/// The alerts that it stands on.
const EVIDENCE: &str = "trailwarden.evidence.alerts";

/// An alert document.
#[derive(Clone, Copy, Debug)]
pub struct Alert<'a>(Fields<'a>);

#[derive(Clone, Copy, Debug)]
enum Fields<'a> {
    Plain(&'a Object),
    Layered(&'a Layered),
}

impl<'a> Alert<'a> {
    /// Over any document.
    pub fn new(document: &'a Object) -> Self {
        Self(Fields::Plain(document))
    }

    /// Over an alert's document, which may hold of its event only what is asked here.
    pub fn of(document: &'a Layered) -> Self {
        Self(Fields::Layered(document))
    }

    /// The value at a path, whatever the mix of dotted keys and nested objects.
    pub fn get(self, path: &str) -> Option<&'a Value> {
        match self.0 {
            Fields::Plain(object) => lookup(|key| object.get(key), path),
            Fields::Layered(document) => {
                let is_asked = |known: &&str| path == *known;
                debug_assert!(
                    path.starts_with("kibana.")
                        || path == EVIDENCE
                        || EVENT_PATHS.iter().chain(&ocsf::EVENT_PATHS).any(is_asked),
                    "{path} may be missing"
                );
                lookup(|key| document.get(key), path)
            }
        }
    }

    /// The value at a path as text; several values are joined.
    pub fn text(self, path: &str) -> Option<Cow<'a, str>> {
        self.get(path).and_then(text)
    }

    /// `kibana.alert.uuid`.
    pub fn id(self) -> Cow<'a, str> {
        self.text("kibana.alert.uuid").unwrap_or_default()
    }

    /// `kibana.alert.rule.name`.
    pub fn rule_name(self) -> Cow<'a, str> {
        self.text("kibana.alert.rule.name").unwrap_or_default()
    }

    /// `kibana.alert.rule.rule_id`.
    pub fn rule_id(self) -> Cow<'a, str> {
        self.text("kibana.alert.rule.rule_id").unwrap_or_default()
    }

    /// `kibana.alert.severity`.
    pub fn severity(self) -> Cow<'a, str> {
        self.text("kibana.alert.severity").unwrap_or_default()
    }

    /// When the event happened; the alert's own time if its event has none.
    pub fn time(self) -> Option<Millis> {
        ["kibana.alert.original_time", "@timestamp"].into_iter().find_map(|path| {
            let text = self.text(path)?;
            text.parse::<Timestamp>().ok().map(Timestamp::as_millisecond)
        })
    }

    /// Who did it, short: `role/name (session)`, `user/name`, a service.
    pub fn who(self) -> String {
        let issuer = self.text("aws.cloudtrail.user_identity.session_context.session_issuer.arn");
        let arn = self.text("aws.cloudtrail.user_identity.arn");
        match (issuer, arn) {
            (Some(issuer), Some(arn)) => {
                let session = arn.rsplit('/').next().unwrap_or_default();
                format!("{} ({session})", resource(&issuer))
            }
            (Some(arn), None) | (None, Some(arn)) => resource(&arn).into_owned(),
            (None, None) => {
                ["user.name", "service.name", "user.id", "aws.cloudtrail.user_identity.invoked_by"]
                    .into_iter()
                    .find_map(|path| self.text(path))
                    .unwrap_or_default()
                    .into_owned()
            }
        }
    }

    /// From where: the source address, with the country if it is known.
    pub fn from_where(self) -> String {
        let address = self.text("source.ip").or_else(|| self.text("source.address")).unwrap_or_default();
        match self.text("source.geo.country_iso_code") {
            Some(country) => format!("{address} ({country})"),
            None => address.into_owned(),
        }
    }

    /// What was done: `ec2:GetPasswordData`; of what was counted, how much.
    pub fn what(self) -> String {
        if let Some(counted) = self.counted() {
            return counted;
        }
        let action = self.text("event.action").unwrap_or_default();
        match self.text("event.provider") {
            Some(provider) => format!("{}:{action}", provider.split('.').next().unwrap_or_default()),
            None => action.into_owned(),
        }
    }

    /// To what it was done: `user/mallory`'s name, an instance, a bucket.
    pub fn target(self) -> String {
        self.text(REQUEST).and_then(|it| request::object(&it)).unwrap_or_default()
    }

    /// What else of the request matters, by key: a policy, an address, an account.
    pub fn highlights(self) -> Vec<(&'static str, String)> {
        self.text(REQUEST).map(|it| request::highlights(&it)).unwrap_or_default()
    }

    /// How it ended: the error code of what was refused, else `event.outcome`.
    pub fn outcome(self) -> Cow<'a, str> {
        let outcome = self.text("event.outcome").unwrap_or_default();
        match self.text("aws.cloudtrail.error_code") {
            Some(code) if outcome != "success" => code,
            _ => outcome,
        }
    }

    /// How many events a threshold rule counted.
    pub fn count(self) -> Option<u64> {
        self.get(THRESHOLD_RESULT)?.get("count")?.as_u64()
    }

    /// What happened, in one sentence, with the rule that says so.
    pub fn sentence(self) -> String {
        let rule = self.rule_name();
        if let Some(counted) = self.counted() {
            return format!("{rule}: {counted}");
        }
        let (who, what, from, outcome) = (self.who(), self.what(), self.from_where(), self.outcome());
        let known = [(" did ", what.as_str()), (" from ", from.as_str()), (": ", outcome.as_ref())];
        let said = known
            .iter()
            .filter(|(_, text)| !text.is_empty())
            .fold(who, |said, (word, text)| said + word + text);
        if said.is_empty() { rule.into_owned() } else { format!("{rule}: {said}") }
    }

    /// The values that a threshold rule groups by: `user.name: ada, source.ip: 198.51.100.7`.
    pub fn grouped_by(self) -> Option<String> {
        self.pairs("terms")
    }

    /// What a threshold rule counted, in people's words: `12 events of user ada, with 4 different calls`.
    pub fn counted(self) -> Option<String> {
        let count = self.count()?;
        let (one, many) = if self.is_about_alerts() { ("alert", "alerts") } else { ("event", "events") };
        let mut said = plural(count, one, many);
        let groups = self.told(&format!("{THRESHOLD_RESULT}.terms"), field_words::group);
        let values = self.told(&format!("{THRESHOLD_RESULT}.cardinality"), field_words::distinct);
        said.extend(groups.map(|it| format!(" of {it}")));
        said.extend(values.map(|it| format!(", with {it}")));
        Some(said)
    }

    /// Fields and values that stand at the path, in words.
    fn told(self, path: &str, say: fn(&str, &Value) -> String) -> Option<String> {
        let pairs = self.get(path)?.as_array()?;
        let one = |it: &Value| Some(say(it.get("field")?.as_str()?, it.get("value")?));
        let all: Vec<String> = pairs.iter().filter_map(one).collect();
        (!all.is_empty()).then(|| all.join(", "))
    }

    /// Whether what it says of events it says of alerts: its rule reads these.
    fn is_about_alerts(self) -> bool {
        let names_them =
            |it: &Value| it.as_str().is_some_and(|it| it.starts_with('.') && it.contains("alerts-"));
        let indices = self.get("kibana.alert.rule.indices").and_then(Value::as_array);
        self.get(EVIDENCE).is_some()
            || indices.is_some_and(|all| !all.is_empty() && all.iter().all(names_them))
    }

    /// The alerts of the same hunt that it stands on, in the order in which they were raised.
    pub fn stands_on(self) -> Vec<StandsOn<'a>> {
        let all = self.get(EVIDENCE).and_then(Value::as_array);
        let text = |it: &'a Value, key: &str| it.get(key).and_then(Value::as_str).unwrap_or_default();
        let time = |it: &str| it.parse::<Timestamp>().ok().map(Timestamp::as_millisecond);
        let one = |it: &'a Value| StandsOn {
            id: text(it, "id"),
            rule: text(it, "rule_name"),
            severity: text(it, "severity"),
            time: time(text(it, "time")),
        };
        all.into_iter().flatten().map(one).collect()
    }

    fn pairs(self, key: &str) -> Option<String> {
        let pairs = self.get(THRESHOLD_RESULT)?.get(key)?.as_array()?;
        Some(pairs.iter().filter_map(pair).collect::<Vec<_>>().join(", "))
    }

    /// How many others were suppressed in its favour, if alerts of its rule are.
    pub fn suppressed(self) -> Option<u64> {
        self.get(&format!("{SUPPRESSION}.docs_count"))?.as_u64()
    }

    /// The values by which others are suppressed in its favour: `user.name: ada`.
    pub fn alike(self) -> Option<String> {
        let pairs = self.get(&format!("{SUPPRESSION}.terms"))?.as_array()?;
        Some(pairs.iter().filter_map(pair).collect::<Vec<_>>().join(", "))
    }

    /// How many others it stands for, in a few words; nothing if it is alone.
    pub fn stands_for(self) -> Option<String> {
        let count = self.suppressed().filter(|it| *it > 0)?;
        let alike = self.told(&format!("{SUPPRESSION}.terms"), field_words::group);
        Some(alike.into_iter().fold(format!("{count} more suppressed"), |all, it| format!("{all}, {it}")))
    }

    /// The ATT&CK tactics of its rule.
    pub fn tactics(self) -> Vec<&'a str> {
        let threats = self.get("kibana.alert.rule.threat").and_then(Value::as_array);
        threats
            .into_iter()
            .flatten()
            .filter_map(|threat| threat.get("tactic")?.get("name")?.as_str())
            .collect()
    }
}

/// An alert that another stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StandsOn<'a> {
    /// `kibana.alert.uuid`.
    pub id: &'a str,
    /// The name of its rule.
    pub rule: &'a str,
    /// Its severity.
    pub severity: &'a str,
    /// When its event happened.
    pub time: Option<Millis>,
}

/// What a line about an alert says: all that is kept of it where only lines are printed.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// The alert's id.
    pub(crate) id: String,
    /// The id of its event, if it is about a single one.
    pub(crate) event: String,
    pub(crate) time: Option<Millis>,
    pub(crate) severity: String,
    pub(crate) rule: String,
    pub(crate) rule_id: String,
    pub(crate) who: String,
    pub(crate) from: String,
    pub(crate) what: String,
    pub(crate) target: String,
    pub(crate) highlights: Vec<(&'static str, String)>,
    pub(crate) outcome: String,
    pub(crate) tactics: Vec<String>,
    pub(crate) new_terms: Option<String>,
    pub(crate) counted: Option<String>,
    pub(crate) stands_for: Option<String>,
    pub(crate) stands_on: Vec<Standing>,
}

impl Line {
    pub(crate) fn new(alert: Alert<'_>) -> Self {
        // Several events stand side by side in it, or none does.
        let event = alert.text("event.id").filter(|it| !it.contains(", ") && alert.count().is_none());
        Self {
            id: alert.id().into_owned(),
            event: event.unwrap_or_default().into_owned(),
            time: alert.time(),
            severity: alert.severity().into_owned(),
            rule: alert.rule_name().into_owned(),
            rule_id: alert.rule_id().into_owned(),
            who: alert.who(),
            from: alert.from_where(),
            what: alert.what(),
            target: if alert.count().is_none() { alert.target() } else { String::new() },
            highlights: if alert.count().is_none() { alert.highlights() } else { Vec::new() },
            outcome: alert.outcome().into_owned(),
            tactics: alert.tactics().into_iter().map(str::to_owned).collect(),
            new_terms: alert.text("kibana.alert.new_terms").map(Cow::into_owned),
            counted: alert.counted(),
            stands_for: alert.stands_for(),
            stands_on: alert.stands_on().iter().map(Standing::of).collect(),
        }
    }

    /// A line about nothing but an event of this id.
    #[cfg(test)]
    pub(crate) fn for_test(event: &str) -> Self {
        let document = serde_json::json!({"event": {"id": event}});
        Self::new(Alert::new(document.as_object().expect("an object")))
    }
}

/// An alert that another stands on, as far as a line says it.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    time: Option<Millis>,
    severity: String,
    rule: String,
}

impl Standing {
    fn of(alert: &StandsOn<'_>) -> Self {
        let StandsOn { time, severity, rule, .. } = *alert;
        Self { time, severity: severity.to_owned(), rule: rule.to_owned() }
    }

    /// When, how severe, which rule.
    pub(crate) fn words(&self) -> String {
        let time = self.time.map(when).unwrap_or_default();
        format!("{time}  {:<8}  {}", self.severity, self.rule)
    }
}

/// A field with its value: `user.name: ada`.
fn pair(it: &Value) -> Option<String> {
    Some(format!("{}: {}", it.get("field")?.as_str()?, text(it.get("value")?)?))
}

/// The resource part of an ARN without the path in between: `role/name`.
pub(crate) fn resource(arn: &str) -> Cow<'_, str> {
    let Some(rest) = arn.splitn(6, ':').nth(5).filter(|_| arn.starts_with("arn:")) else {
        return Cow::Borrowed(arn);
    };
    match (rest.split_once('/'), rest.rsplit_once('/')) {
        // The session of an assumed role is no path.
        (Some((kind @ ("role" | "user"), path)), Some((_, name))) if path != name => {
            Cow::Owned(format!("{kind}/{name}"))
        }
        _ => Cow::Borrowed(rest),
    }
}

/// The value at a path: at each level the longest dotted key first, then nested objects.
fn lookup<'a>(get: impl Fn(&str) -> Option<&'a Value>, path: &str) -> Option<&'a Value> {
    if let Some(value) = get(path) {
        return Some(value);
    }
    path.rmatch_indices('.').find_map(|(at, _)| {
        let inner = get(&path[..at])?.as_object()?;
        // Boxed in a `dyn`, or each level would be a function of its own.
        let get: &dyn Fn(&str) -> Option<&'a Value> = &|key| inner.get(key);
        lookup(get, &path[at + 1..])
    })
}

/// A value as text; null and empty containers are none.
pub(crate) fn text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Bool(_) | Value::Number(_) => Some(Cow::Owned(value.to_string())),
        Value::Array(items) => {
            let texts: Vec<_> = items.iter().filter_map(text).collect();
            (!texts.is_empty()).then(|| Cow::Owned(texts.join(", ")))
        }
        Value::Object(object) => (!object.is_empty()).then(|| Cow::Owned(value.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn arns_are_shortened() {
        let short = |arn| resource(arn).into_owned();
        assert_eq!(
            short("arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/Admin"),
            "role/Admin"
        );
        assert_eq!(short("arn:aws:iam::111122223333:user/ada"), "user/ada");
        assert_eq!(short("arn:aws:sts::111122223333:assumed-role/ci/build-7"), "assumed-role/ci/build-7");
        assert_eq!(short("arn:aws:iam::111122223333:root"), "root");
        assert_eq!(short("ada"), "ada");
    }

    #[test]
    fn reads_what_people_ask() {
        let document = json!({
            "kibana.alert.severity": "medium",
            "kibana.alert.original_time": "2026-03-01T10:00:00.000Z",
            "event": {"action": "GetPasswordData", "provider": "ec2.amazonaws.com", "outcome": "failure"},
            "aws": {"cloudtrail": {"error_code": "Client.UnauthorizedOperation", "user_identity": {
                "arn": "arn:aws:sts::111122223333:assumed-role/ci/build-7",
                "session_context": {"session_issuer": {"arn": "arn:aws:iam::111122223333:role/ci"}}}}},
            "source": {"ip": "203.0.113.9", "geo": {"country_iso_code": "NL"}},
            "kibana.alert.rule.threat": [{"tactic": {"name": "Credential Access"}}],
        });
        let alert = Alert::new(document.as_object().unwrap());
        assert_eq!(alert.who(), "role/ci (build-7)");
        assert_eq!(alert.what(), "ec2:GetPasswordData");
        assert_eq!(alert.outcome(), "Client.UnauthorizedOperation");
        assert_eq!(alert.from_where(), "203.0.113.9 (NL)");
        assert_eq!(alert.time(), Some(1_772_359_200_000));
        assert_eq!(alert.tactics(), ["Credential Access"]);
    }

    #[test]
    fn what_was_suppressed() {
        let document = json!({
            "kibana.alert.suppression.docs_count": 12,
            "kibana.alert.suppression.terms": [
                {"field": "user.name", "value": ["ada", "bo"]}, {"field": "source.ip", "value": null},
            ],
        });
        let alert = Alert::new(document.as_object().unwrap());
        assert_eq!(alert.stands_for().as_deref(), Some("12 more suppressed, user ada, bo, no address"));
        assert_eq!(Alert::new(&Object::new()).stands_for(), None);
    }

    #[test]
    fn what_was_counted() {
        let document = json!({
            "kibana.alert.threshold_result": {
                "count": 12,
                "from": "2026-03-01T10:00:00.000Z",
                "terms": [{"field": "user.name", "value": "ada"}, {"field": "source.ip", "value": "198.51.100.7"}],
                "cardinality": [{"field": "event.action", "value": 4}],
            },
            "user.name": "ada",
        });
        let alert = Alert::new(document.as_object().unwrap());
        assert_eq!((alert.count(), alert.who().as_str()), (Some(12), "ada"));
        assert_eq!(alert.what(), "12 events of user ada, address 198.51.100.7, with 4 different calls");
    }
}
