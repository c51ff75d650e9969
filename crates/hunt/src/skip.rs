//! Records that cannot match, told by their bytes alone.
//!
//! If every rule needs the call to be one of a few, a record whose text holds none of their names matches no rule: it
//! need not be parsed. Its time is still read, since the schedule spans all events. What is wrong inside of such a
//! record is not noticed: nobody looks.

use aho_corasick::{AhoCorasick, MatchKind};
use ecs::{Millis, Shape};
use memchr::memmem::Finder;
use plan::{Expr, Test};
use reader::RecordKind;

use crate::scan::RawRecord;

/// Names of calls for which a search of the text is worth it.
const NAMES_MAX: usize = 64;

/// Tells records that cannot match from the others.
pub(crate) struct Skip {
    /// The names of the calls, anywhere in the text.
    names: AhoCorasick,
    /// The escape in which a name could hide.
    escape: Finder<'static>,
    time: Finder<'static>,
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
        Some(Self { names, escape: Finder::new(b"\\u"), time: Finder::new(b"\"eventTime\"") })
    }

    /// The time of a record that cannot match; nothing if it may, or if its time cannot be told without parsing.
    pub(crate) fn time_if_hopeless(&self, record: &RawRecord<'_>) -> Option<Millis> {
        let may_match = record.kind != RecordKind::CloudTrail
            || self.names.is_match(record.text)
            || self.escape.find(record.text.as_bytes()).is_some();
        if may_match { None } else { self.time(record.text.as_bytes()) }
    }

    /// The event's time, if the text names it exactly once.
    fn time(&self, text: &[u8]) -> Option<Millis> {
        let key = self.time.needle().len();
        let at = self.time.find(text)? + key;
        if self.time.find(&text[at..]).is_some() {
            return None;
        }
        let value =
            text[at..].trim_ascii_start().strip_prefix(b":")?.trim_ascii_start().strip_prefix(b"\"")?;
        let end = value.iter().position(|&byte| byte == b'"')?;
        cloudtrail::parse_time(std::str::from_utf8(&value[..end]).ok()?)
    }
}

/// The names of which the call must be one.
fn calls(filter: &Expr) -> Option<Vec<String>> {
    match filter {
        Expr::Is(predicate) => match &predicate.test {
            Test::Terms(terms) if predicate.path == "event.action" && predicate.shape == Shape::Leaf => {
                // Anything else could be written in several ways.
                let plain =
                    |term: &String| !term.is_empty() && term.bytes().all(|it| it.is_ascii_alphanumeric());
                terms.iter().all(plain).then(|| terms.clone())
            }
            _ => None,
        },
        Expr::And(clauses) => clauses.iter().filter_map(calls).min_by_key(Vec::len),
        Expr::Or(clauses) => {
            let names = clauses.iter().map(calls).collect::<Option<Vec<_>>>()?;
            Some(names.into_iter().flatten().collect())
        }
        Expr::Const(value) => (!value).then(Vec::new),
        Expr::Not(_) => None,
    }
}

#[cfg(test)]
mod tests {
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
        let kind = RecordKind::CloudTrail;
        let record = RawRecord { input: 0, ordinal: 0, kind, id: None, index: None, text, tokens: None };
        skip.time_if_hopeless(&record)
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
        assert_eq!(time(&skip, r#"{"eventName":"Get"}"#), None, "no time");
        assert_eq!(time(&skip, r#"{"eventTime":"soon"}"#), None);
    }
}
