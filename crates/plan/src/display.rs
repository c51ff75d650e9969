//! Expressions as text, for people who look at what a query became.
//!
//! Boolean structure as s-expressions, questions in something close to KQL: `(and a: ("x" or "y") (not b: *))`.

use std::fmt::{self, Display, Formatter};

use crate::test::TextBound;
use crate::{Expr, NumberType, Predicate, Resolution, StringTest, Test, TextRange, TextTest};

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let list = |f: &mut Formatter<'_>, word: &str, clauses: &[Self]| {
            write!(f, "({word}")?;
            clauses.iter().try_for_each(|it| {
                f.write_str(" ")?;
                it.write_within(f)
            })?;
            write!(f, ")")
        };
        match self {
            Self::Const(value) => write!(f, "{value}"),
            Self::And(clauses) => list(f, "and", clauses),
            Self::Or(clauses) => list(f, "or", clauses),
            Self::Not(inner) => {
                f.write_str("(not ")?;
                inner.write_within(f)?;
                f.write_str(")")
            }
            Self::Is(predicate) => write!(f, "{predicate}"),
            Self::Relates(relation) => write!(f, "{relation}"),
        }
    }
}

impl Expr {
    /// As text within a larger one: what is computed with signs stands in parentheses.
    fn write_within(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Is(Predicate { path, test: Test::Computed(computed), .. }) => computed.write(f, path, true),
            Self::Relates(relation) => relation.write(f, true),
            Self::Const(_) | Self::And(_) | Self::Or(_) | Self::Not(_) | Self::Is(_) => write!(f, "{self}"),
        }
    }
}

impl Display for Predicate {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.test {
            Test::Computed(computed) => computed.write(f, &self.path, false),
            test => write!(f, "{}: {test}", self.path),
        }
    }
}

impl Display for Test {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Terms(terms) => quoted(f, terms),
            Self::Keyword { test, .. } | Self::FlattenedRoot { test, .. } => write!(f, "{test}"),
            Self::Version(test) => write!(f, "version {test}"),
            Self::Text(TextTest::Any) | Self::Place | Self::Boolean { truth: true, falsity: true } => {
                write!(f, "*")
            }
            Self::Text(TextTest::Token(test)) => write!(f, "token {test}"),
            Self::Text(TextTest::Phrase { tokens, slop: 0 }) => write!(f, "phrase {:?}", tokens.join(" ")),
            Self::Text(TextTest::Phrase { tokens, slop }) => {
                write!(f, "phrase {:?}~{slop}", tokens.join(" "))
            }
            Self::Number { ty, ranges } => {
                let bounds = ty.bounds();
                alternatives(
                    f,
                    ranges.as_slice().iter().map(|range| span(*range, bounds, |key| number(*ty, key))),
                )
            }
            Self::Ip(ranges) => {
                let bounds = (0, u128::MAX);
                alternatives(f, ranges.as_slice().iter().map(|range| span(*range, bounds, address)))
            }
            Self::Date { resolution, ranges, .. } => {
                let bounds = (i128::MIN, i128::MAX);
                alternatives(
                    f,
                    ranges.as_slice().iter().map(|range| span(*range, bounds, |key| date(*resolution, key))),
                )
            }
            Self::Boolean { truth, .. } => write!(f, "{truth}"),
            Self::Dynamic { string, integer, float, boolean } => {
                let kinds =
                    [("string", string), ("integer", integer), ("float", float), ("boolean", boolean)];
                let given =
                    kinds.iter().filter_map(|(kind, test)| Some(format!("{kind} {}", test.as_ref()?)));
                alternatives(f, given)
            }
            Self::Nested(expr) => write!(f, "{{ {expr} }}"),
            Self::Computed(computed) => computed.write(f, "_", false),
        }
    }
}

impl Display for StringTest {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => write!(f, "*"),
            Self::Equals(terms) => quoted(f, terms),
            Self::Prefix(prefix) => write!(f, "prefix {prefix:?}"),
            Self::Wildcard(wildcard) => {
                write!(f, "pattern {wildcard}")?;
                if wildcard.fold() { write!(f, " in either case") } else { Ok(()) }
            }
            Self::Regexp(regexp) => write!(f, "/{}/", regexp.source()),
            Self::Fuzzy { text, edits } => write!(f, "{text:?}~{edits}"),
            Self::Range(TextRange { lower, upper }) => {
                let bound = |it: &TextBound, sign: &str| {
                    let equal = if it.inclusive { "=" } else { "" };
                    format!("{sign}{equal} {:?}", it.text)
                };
                let lower = lower.as_ref().map(|it| bound(it, ">"));
                let upper = upper.as_ref().map(|it| bound(it, "<"));
                let bounds: Vec<String> = lower.into_iter().chain(upper).collect();
                write!(f, "{}", bounds.join(" and "))
            }
        }
    }
}

fn quoted(f: &mut Formatter<'_>, terms: &[String]) -> fmt::Result {
    alternatives(f, terms.iter().map(|term| format!("{term:?}")))
}

fn alternatives(f: &mut Formatter<'_>, all: impl Iterator<Item = String>) -> fmt::Result {
    let all: Vec<String> = all.collect();
    match all.as_slice() {
        [single] => write!(f, "{single}"),
        _ => write!(f, "({})", all.join(" or ")),
    }
}

/// A range, of which nothing is said where it goes as far as the type does.
fn span<T: PartialEq + Copy>((first, last): (T, T), bounds: (T, T), text: impl Fn(T) -> String) -> String {
    match (first == bounds.0, last == bounds.1) {
        _ if first == last => text(first),
        (true, true) => "*".to_owned(),
        (true, false) => format!("<= {}", text(last)),
        (false, true) => format!(">= {}", text(first)),
        (false, false) => format!("{} to {}", text(first), text(last)),
    }
}

fn number(ty: NumberType, key: i128) -> String {
    ty.value(key).map_or_else(|| key.to_string(), |value| value.to_string())
}

fn address(key: u128) -> String {
    std::net::Ipv6Addr::from(key).to_canonical().to_string()
}

fn date(resolution: Resolution, key: i128) -> String {
    let millis = match resolution {
        Resolution::Millis => key,
        Resolution::Nanos => key.div_euclid(1_000_000),
    };
    i64::try_from(millis).map_or_else(|_| key.to_string(), ecs::date::to_iso)
}
