//! What the bytes of a record tell without parsing it.

use ecs::Millis;
use memchr::memmem::Finder;
use memchr::{memchr, memchr_iter};

use crate::time::parse_time;

/// Finds the time of an event in the bytes of its record, where that can be told with certainty.
///
/// Of a record that can be read, what is told is what parsing it would find. Of one that cannot, it is the time that
/// stands where the time of a record stands. So whether a record was parsed makes no difference to what is known of its
/// time if whoever fails to parse one asks here, too.
#[derive(Debug)]
pub struct TimeFinder {
    key: Finder<'static>,
    /// A record with that has another time than its `eventTime`.
    digest: Finder<'static>,
    /// In this escape either of the keys could hide.
    escape: Finder<'static>,
}

impl Default for TimeFinder {
    fn default() -> Self {
        Self {
            key: Finder::new(b"\"eventTime\""),
            digest: Finder::new(b"digestEndTime"),
            escape: Finder::new(b"\\u"),
        }
    }
}

impl TimeFinder {
    /// The event's time, if the text names one exactly once and that is the record's own. Then no `\u` stands in the text:
    ///
    /// ```text
    /// {"userIdentity":{…},"eventTime":"2026-03-01T10:00:00Z",…}     told: one object was opened and closed before it
    /// {"requestParameters":{"eventTime":"2026-03-01T10:00:00Z"},…}  not: it belongs to the request
    /// {"requestParameters":{…"eventTime"…},…,"eventTime":"…"}       not: which is the event's?
    /// {"a":{"x":"}","eventTime":"2026-03-01T10:00:00Z"},…}          not: that bracket closes nothing
    /// {"eventTime":"…","digestEndTime":"…"}                         not: of a digest, the other counts
    /// {"eventTime":"…","eventTim\\u0065":"…"}                       not: an escape may hide another
    /// ```
    pub fn find(&self, text: &[u8]) -> Option<Millis> {
        let start = self.key.find(text)?;
        if !is_at_top(text, start) {
            return None;
        }
        let rest = &text[start + self.key.needle().len()..];
        let is_only = [&self.key, &self.escape].iter().all(|it| it.find(rest).is_none());
        // What stands before it has no escapes: see `is_at_top`.
        if !is_only || self.digest.find(text).is_some() {
            return None;
        }
        let value = rest.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start().strip_prefix(b"\"")?;
        let end = value.iter().position(|&byte| byte == b'"')?;
        parse_time(std::str::from_utf8(&value[..end]).ok()?)
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn time(text: &str) -> Option<Millis> {
        TimeFinder::default().find(text.as_bytes())
    }

    const AT: Option<Millis> = Some(1_772_359_200_000);

    #[test]
    fn only_what_is_certain_is_told() {
        assert_eq!(time(r#"{"eventTime":"2026-03-01T10:00:00Z","eventName":"Get"}"#), AT);
        assert_eq!(time("{\"eventTime\" :\n \"2026-03-01T10:00:00Z\"}"), AT);
        assert_eq!(
            time(r#"{"userIdentity":{"a":[{}],"b":{"c":"d"}},"eventTime":"2026-03-01T10:00:00Z"}"#),
            AT
        );
        for untold in [
            r#"{"requestParameters":{"eventTime":"2026-03-01T10:00:00Z"}}"#,
            r#"{"requestParameters":{"eventTime":"2020-01-01T00:00:00Z"},"eventTime":"2026-03-01T10:00:00Z"}"#,
            r#"{"a":{"x":"}","eventTime":"2026-03-01T10:00:00Z"}}"#,
            r#"{"a":{"x":"\"}","eventTime":"2026-03-01T10:00:00Z"}}"#,
            r#"{"a":{"x":"},","eventTime":"2026-03-01T10:00:00Z"}}"#,
            r#"{"a":{"x":"}","b":["}],"],"eventTime":"2026-03-01T10:00:00Z"}}"#,
            r#"{"a":[{"eventTime":"2026-03-01T10:00:00Z"}]}"#,
            r#"{"a":" \"eventTime\" : ","eventTime":{"eventTime":"2026-03-01T10:00:00Z"}}"#,
            r#"{"eventTime":"2026-03-01T10:00:00Z","eventTim\u0065":"2026-03-02T10:00:00Z"}"#,
            r#"{"eventTime":"2026-03-01T10:00:00Z","digestEndTime":"2026-03-02T10:00:00Z"}"#,
            r#"{"eventTime":"2026-03-01T10:00:00Z","digestEndTim\u0065":"2026-03-02T10:00:00Z"}"#,
            r#"{"eventTime":"soon"}"#,
            r#"{"eventName":"Get"}"#,
        ] {
            assert_eq!(time(untold), None, "{untold}");
        }
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
            let record = if record.is_object() { record } else { serde_json::json!({"a": record}) };
            let text = if pretty { format!("{record:#}") } else { record.to_string() };
            let own = record.get("eventTime").and_then(Value::as_str).and(AT);
            let told = time(&text);
            prop_assert!(told.is_none() || told == own, "{text}");
        }
    }
}
