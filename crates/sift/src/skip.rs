//! Records that cannot match, told by their bytes alone.
//!
//! If every rule needs the call to be one of a few, a record whose text holds none of their names matches no rule: it
//! need not be parsed. Its time is still read, since the schedule spans all events. What is wrong inside of such a
//! record is not noticed: nobody looks.

use aho_corasick::{AhoCorasick, MatchKind};
use ecs::{Millis, Shape};
use memchr::memmem::Finder;
use memchr::{memchr, memchr_iter};
use plan::{Expr, Predicate, Sign, Test};

use crate::calls::ACTION;
use crate::record::{Kind, Record};

/// Names of calls for which a search of the text is worth it: as many as vectors can search for.
const NAMES_MAX: usize = 64;

/// Tells records that cannot match from the others.
pub(crate) struct Skip {
    /// The names of the calls, anywhere in the text.
    names: AhoCorasick,
    /// The escape in which a name could hide.
    escape: Finder<'static>,
    time: Finder<'static>,
    /// A record with that has another time than its `eventTime`. Among the names it would make the search for a single
    /// one half as fast.
    digest: Finder<'static>,
}

impl Skip {
    /// Nothing if some filter can match whatever the call is, or there are too many calls.
    pub(crate) fn new(filters: &[Expr]) -> Option<Self> {
        let mut names: Vec<String> = Vec::new();
        for filter in filters {
            names.extend(calls(filter)?);
        }
        names.sort_unstable();
        names.dedup();
        if names.len() > NAMES_MAX {
            return None;
        }
        // Only this kind of match is searched for with vectors; any match will do here.
        let names = AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(names).ok()?;
        Some(Self {
            names,
            escape: Finder::new(b"\\u"),
            time: Finder::new(b"\"eventTime\""),
            digest: Finder::new(b"digestEndTime"),
        })
    }

    /// The time of a record that cannot match; nothing if it may, or if its time cannot be told without parsing.
    pub(crate) fn time_if_hopeless(&self, record: &Record<'_>) -> Option<Millis> {
        let may_match = record.kind != Kind::CloudTrail
            || self.names.is_match(record.text)
            || self.escape.find(record.text.as_bytes()).is_some();
        if may_match { None } else { self.time(record.text.as_bytes()) }
    }

    /// The event's time, if the text names one exactly once and that is the record's own.
    fn time(&self, text: &[u8]) -> Option<Millis> {
        let key = self.time.needle().len();
        let start = self.time.find(text)?;
        if !is_at_top(text, start) {
            return None;
        }
        let at = start + key;
        if self.time.find(&text[at..]).is_some() || self.digest.find(text).is_some() {
            return None;
        }
        let value =
            text[at..].trim_ascii_start().strip_prefix(b":")?.trim_ascii_start().strip_prefix(b"\"")?;
        let end = value.iter().position(|&byte| byte == b'"')?;
        cloudtrail::parse_time(std::str::from_utf8(&value[..end]).ok()?)
    }
}

/// Whether what begins at `at` is certainly a key of the record itself and of no object in it. Only a few places are
/// looked at, for this is asked of nearly every record of such a hunt: `false` may mean nothing.
fn is_at_top(text: &[u8], at: usize) -> bool {
    let before = &text[..at];
    // Without escapes every quote opens or closes a text.
    if memchr(b'\\', before).is_some() {
        return false;
    }
    let mut closed = 0;
    for bracket in memchr_iter(b'}', before) {
        // In a text it would close nothing. But there the next quote ends the text, and no letter can follow that.
        let mut rest = text[bracket + 1..].iter().copied();
        let is_key = rest.find(|it| !it.is_ascii_whitespace() && !matches!(it, b'}' | b']')) == Some(b',')
            && rest.find(|it| !it.is_ascii_whitespace()) == Some(b'"')
            && rest.next().is_some_and(|it| it.is_ascii_alphanumeric());
        if !is_key {
            return false;
        }
        closed += 1;
    }
    // Brackets in texts count as open ones here, and so can make the depth seem only greater.
    memchr_iter(b'{', before).count() == closed + 1
}

/// The names of which the call must be one.
fn calls(filter: &Expr) -> Option<Vec<String>> {
    let named = filter.weaken(|predicate, sign| sign == Sign::Holds && names(predicate).is_some()).simplify();
    let asked =
        |them: &[&Predicate]| them.iter().filter_map(|it| names(it)).map(<[String]>::len).sum::<usize>();
    let them = named.one_of(&asked)?;
    Some(them.into_iter().filter_map(names).flatten().cloned().collect())
}

/// The names for which a predicate asks, if it asks for nothing but plain ones: anything else could be written in several
/// ways.
fn names(predicate: &Predicate) -> Option<&[String]> {
    let Test::Terms(terms) = &predicate.test else { return None };
    let plain = |term: &String| !term.is_empty() && term.bytes().all(|it| it.is_ascii_alphanumeric());
    let is_action = predicate.path == ACTION && predicate.shape == Shape::Leaf;
    (is_action && terms.iter().all(plain)).then_some(terms)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn skip(queries: &[&str]) -> Option<Skip> {
        let catalog = ecs::Catalog::ecs();
        let filters: Vec<Expr> = queries
            .iter()
            .map(|query| {
                let query = kql::to_query(&kql::parse(query).unwrap(), &catalog).unwrap();
                plan::lower(&query, &catalog, 0).unwrap().simplify()
            })
            .collect();
        Skip::new(&filters)
    }

    fn time(skip: &Skip, text: &str) -> Option<Millis> {
        skip.time_if_hopeless(&Record::of(Kind::CloudTrail, text))
    }

    #[test]
    fn only_filters_that_name_their_calls() {
        assert!(skip(&["event.action: (A or B) and user.name: x", "event.action: C"]).is_some());
        assert!(skip(&["event.action: A", "user.name: x"]).is_none());
        assert!(skip(&["event.action: A or user.name: x"]).is_none());
        assert!(skip(&["not event.action: A"]).is_none());
        assert!(skip(&["event.action: A*"]).is_none());
        assert!(skip(&[r#"event.action: "a/b""#]).is_none(), "JSON may write the slash in two ways");
        let many: Vec<String> = (0..NAMES_MAX).map(|at| format!("event.action: A{at}")).collect();
        let mut many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert!(skip(&many).is_some());
        many.push("event.action: One");
        assert!(skip(&many).is_none());
    }

    #[test]
    fn a_record_is_hopeless_only_if_no_name_can_be_in_it() {
        let skip = skip(&["event.action: GetPasswordData"]).unwrap();
        let at = Some(1_772_359_200_000);
        assert_eq!(time(&skip, r#"{"eventTime":"2026-03-01T10:00:00Z","eventName":"Get"}"#), at);
        assert_eq!(time(&skip, "{\"eventTime\" :\n \"2026-03-01T10:00:00Z\"}"), at);
        assert_eq!(
            time(&skip, r#"{"eventTime":"2026-03-01T10:00:00Z","eventName":"GetPasswordData"}"#),
            None
        );
        let hidden = r#"{"eventTime":"2026-03-01T10:00:00Z","eventName":"\u0047etPasswordData"}"#;
        assert_eq!(time(&skip, hidden), None, "an escape may hide the name");
        let twice = r#"{"requestParameters":{"eventTime":"2020-01-01T00:00:00Z"},"eventTime":"2026-03-01T10:00:00Z"}"#;
        assert_eq!(time(&skip, twice), None, "which is the event's?");
        let own = r#"{"userIdentity":{"a":[{}],"b":{"c":"d"}},"eventTime":"2026-03-01T10:00:00Z"}"#;
        assert_eq!(time(&skip, own), at);
        for nested in [
            r#"{"requestParameters":{"eventTime":"2026-03-01T10:00:00Z"}}"#,
            r#"{"a":{"x":"}","eventTime":"2026-03-01T10:00:00Z"}}"#,
            r#"{"a":{"x":"\"}","eventTime":"2026-03-01T10:00:00Z"}}"#,
            r#"{"a":{"x":"},","eventTime":"2026-03-01T10:00:00Z"}}"#,
            r#"{"a":{"x":"}","b":["}],"],"eventTime":"2026-03-01T10:00:00Z"}}"#,
            r#"{"a":[{"eventTime":"2026-03-01T10:00:00Z"}]}"#,
            r#"{"a":" \"eventTime\" : ","eventTime":{"eventTime":"2026-03-01T10:00:00Z"}}"#,
        ] {
            assert_eq!(time(&skip, nested), None, "{nested}");
        }
        assert_eq!(time(&skip, r#"{"eventName":"Get"}"#), None, "no time");
        let digest = r#"{"eventTime":"2026-03-01T10:00:00Z","digestEndTime":"2026-03-02T10:00:00Z"}"#;
        assert_eq!(time(&skip, digest), None, "that of the digest counts");
        assert_eq!(time(&skip, r#"{"eventTime":"soon"}"#), None);
    }

    /// Some JSON with the key in it, at the top or not, and with texts that look like more of it.
    fn json() -> impl Strategy<Value = Value> {
        let text = prop::sample::select(vec!["", "}", "{", "},", "}],", "{}", "a", ",", "\\", "\"", "x}, "]);
        let leaf = prop_oneof![3 => text.prop_map(Value::from), 1 => Just(Value::from(1))];
        let key = prop::sample::select(vec!["a", "b}", "{c", "", "d"]);
        leaf.prop_recursive(4, 24, 4, move |inner| {
            let time = prop::option::weighted(0.4, Just(("eventTime", Value::from("2026-03-01T10:00:00Z"))));
            let members = prop::collection::vec((key.clone(), inner.clone()), 0..4);
            prop_oneof![
                1 => prop::collection::vec(inner, 0..3).prop_map(Value::from),
                3 => (members, time, any::<prop::sample::Index>()).prop_map(|(mut members, time, at)| {
                    if let Some(time) = time {
                        members.insert(at.index(members.len() + 1), time);
                    }
                    Value::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
                }),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

        /// A time that is told without parsing is the one that parsing finds.
        #[test]
        fn what_is_told_is_the_records_own(record in json(), pretty in any::<bool>()) {
            let skip = skip(&["event.action: GetPasswordData"]).unwrap();
            let record = if record.is_object() { record } else { serde_json::json!({"a": record}) };
            let text = if pretty { format!("{record:#}") } else { record.to_string() };
            let own = record.get("eventTime").and_then(Value::as_str).map(|_| 1_772_359_200_000);
            let told = time(&skip, &text);
            prop_assert!(told.is_none() || told == own, "{text}");
        }
    }
}
