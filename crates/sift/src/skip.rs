//! Records that cannot match, told by their bytes alone.
//!
//! If every filter needs the call to be one of a few, a record whose text holds none of their names matches none:
//!
//! ```text
//! event.action: (GetPasswordData or StopLogging) and not user.name: x     needs one of two names
//! {"eventName":"GetObject","requestParameters":{"bucketName":"logs"},…}   holds neither: not parsed
//! {"eventName":"GetObject","requestParameters":{"key":"StopLogging"},…}   holds one, of whatever: parsed, no match
//! ```
//!
//! To search a text for some names is much faster than to parse it. It would be wrong for
//! `{"eventName":"\u0053topLogging",…}`, which is a `StopLogging` and does not hold the name: so a record with such an
//! escape is parsed, and a name is searched for only if it is made of letters and digits, which nothing but this escape
//! can write otherwise. A filter that names no call (`user.name: x`), or only the beginning of one (`event.action: Stop*`),
//! leaves nothing to be searched for, and while it is among the filters nothing is skipped.
//!
//! The time of a skipped record is still told, since schedules span all events ([`cloudtrail::TimeFinder`]); a record whose
//! time is not plain is parsed. What is wrong inside of a skipped record is not noticed: nobody looks. It is counted as
//! unread ([`Counts::unread`](crate::Counts::unread)), and changes nothing else: it cannot match, and the time of a record
//! that is found unreadable is told by the same bytes.

use aho_corasick::{AhoCorasick, MatchKind};
use cloudtrail::TimeFinder;
use ecs::{Millis, Shape};
use plan::{Expr, Predicate, Sign, Test};

use crate::calls::ACTION;
use crate::record::{Kind, Record};

/// Names of calls for which a search of the text is worth it: as many as vectors can search for.
const NAMES_MAX: usize = 64;

/// Tells records that cannot match from the others.
pub(crate) struct Skip {
    /// The names of the calls, anywhere in the text.
    names: AhoCorasick,
    times: TimeFinder,
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
        Some(Self { names, times: TimeFinder::default() })
    }

    /// The time of a record that cannot match; nothing if it may, or if its time cannot be told without parsing.
    pub(crate) fn time_if_hopeless(&self, record: &Record<'_>) -> Option<Millis> {
        // Where the time is told there is no escape either in which a name could hide.
        let may_match = record.kind != Kind::CloudTrail || self.names.is_match(record.text);
        if may_match { None } else { self.times.find(record.text.as_bytes()) }
    }
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
        assert_eq!(time(&skip, r#"{"eventName":"Get"}"#), None, "no time");
        assert_eq!(time(&skip, r#"{"eventTime":"soon"}"#), None);
    }
}
