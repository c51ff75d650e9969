//! Tests made ready to run.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv6Addr};

use ecs::date::{Format, Rounding};
use ecs::{Object, Scalar, analyze};

use crate::naive::Evaluator;
use crate::regexp::CompiledRegexp;
use crate::test::{KeywordField, Resolution, StringTest, Test, TextRange, TextTest};
use crate::value::Computed;
use crate::{NumberType, Ranges, Wildcard, fuzzy, version};

/// A test made ready to run.
#[derive(Debug)]
pub struct Matcher(Kind);

#[derive(Debug)]
enum Kind {
    Terms(Vec<String>),
    Keyword(KeywordField, StringMatcher),
    FlattenedRoot(KeywordField, StringMatcher),
    Text,
    Token(StringMatcher),
    Phrase { tokens: Vec<String>, slop: u32 },
    Number(NumberType, Ranges<i128>),
    Ip(Ranges<u128>),
    Date { format: Format, resolution: Resolution, ranges: Ranges<i128> },
    Boolean { truth: bool, falsity: bool },
    Version(StringMatcher),
    VersionRange(TextRange),
    Place,
    Dynamic { string: Maybe, integer: Maybe, float: Maybe, boolean: Maybe },
    Nested(Box<Evaluator>),
    Computed(Box<Computed>),
}

type Maybe = Option<Box<Matcher>>;

#[derive(Debug)]
enum StringMatcher {
    Any,
    Equals(Vec<String>),
    Prefix(String),
    Wildcard(Wildcard),
    Regexp(CompiledRegexp),
    Fuzzy { text: Vec<char>, edits: usize },
    Range(TextRange),
}

impl Test {
    /// Makes the test ready to run: builds its automata.
    pub fn compile(&self) -> Matcher {
        let maybe = |test: &Option<Box<Self>>| test.as_ref().map(|it| Box::new(it.compile()));
        Matcher(match self {
            Self::Terms(terms) => Kind::Terms(terms.clone()),
            Self::Keyword { field, test } => Kind::Keyword(*field, test.compile()),
            Self::FlattenedRoot { field, test } => Kind::FlattenedRoot(*field, test.compile()),
            Self::Text(TextTest::Any) => Kind::Text,
            Self::Text(TextTest::Token(test)) => Kind::Token(test.compile()),
            Self::Text(TextTest::Phrase { tokens, slop }) => {
                Kind::Phrase { tokens: tokens.clone(), slop: *slop }
            }
            Self::Number { ty, ranges } => Kind::Number(*ty, ranges.clone()),
            Self::Ip(ranges) => Kind::Ip(ranges.clone()),
            Self::Date { format, resolution, ranges } => {
                Kind::Date { format: format.clone(), resolution: *resolution, ranges: ranges.clone() }
            }
            Self::Boolean { truth, falsity } => Kind::Boolean { truth: *truth, falsity: *falsity },
            Self::Version(StringTest::Range(range)) => Kind::VersionRange(range.clone()),
            Self::Version(test) => Kind::Version(test.compile()),
            Self::Place => Kind::Place,
            Self::Dynamic { string, integer, float, boolean } => Kind::Dynamic {
                string: maybe(string),
                integer: maybe(integer),
                float: maybe(float),
                boolean: maybe(boolean),
            },
            Self::Nested(expr) => Kind::Nested(Box::new(Evaluator::new(expr))),
            Self::Computed(computed) => Kind::Computed(computed.clone()),
        })
    }
}

impl StringTest {
    fn compile(&self) -> StringMatcher {
        match self {
            Self::Any => StringMatcher::Any,
            Self::Equals(terms) => StringMatcher::Equals(terms.clone()),
            Self::Prefix(prefix) => StringMatcher::Prefix(prefix.clone()),
            Self::Wildcard(wildcard) => StringMatcher::Wildcard(wildcard.clone()),
            Self::Regexp(regexp) => StringMatcher::Regexp(regexp.compile()),
            Self::Fuzzy { text, edits } => {
                StringMatcher::Fuzzy { text: text.chars().collect(), edits: usize::from(*edits) }
            }
            Self::Range(range) => StringMatcher::Range(range.clone()),
        }
    }
}

impl Matcher {
    /// Whether the value satisfies the test. Allocates only where a text has to be made: of a number, of
    /// tokens, in lower case.
    pub fn matches(&self, value: Scalar<'_>) -> bool {
        match &self.0 {
            Kind::Terms(terms) => is_one_of(terms, &value.text()),
            Kind::Keyword(field, test) => field.index(value.text()).is_some_and(|it| test.matches(&it)),
            Kind::FlattenedRoot(field, test) => {
                let Scalar::Str(leaf) = value else { return false };
                let Some((_, text)) = leaf.split_once('\0') else { return false };
                field.index(Cow::Borrowed(text)).is_some_and(|it| test.matches(&it))
            }
            Kind::Token(test) => analyze::tokens(&value.text()).iter().any(|it| test.matches(it)),
            Kind::Phrase { tokens, slop } => has_phrase(&analyze::tokens(&value.text()), tokens, *slop),
            Kind::Number(ty, ranges) => ty.index(value).is_some_and(|it| ranges.contains(it)),
            Kind::Ip(ranges) => address(value).is_some_and(|it| ranges.contains(it)),
            Kind::Date { format, resolution, ranges } => resolution.is_within(format, ranges, value),
            Kind::Boolean { truth, falsity } => {
                truth_value(value).is_some_and(|it| if it { *truth } else { *falsity })
            }
            Kind::Version(test) => test.matches(&value.text()),
            Kind::VersionRange(range) => within(range, &value.text(), version::compare),
            Kind::Text | Kind::Place => true,
            Kind::Dynamic { string, integer, float, boolean } => {
                let matcher = match value {
                    Scalar::Str(_) => string,
                    Scalar::Int(_) | Scalar::UInt(_) => integer,
                    Scalar::Float(_) | Scalar::NumberText(_) => float,
                    Scalar::Bool(_) => boolean,
                };
                matcher.as_ref().is_some_and(|it| it.matches(value))
            }
            Kind::Nested(evaluator) => {
                let Scalar::Str(text) = value else { return false };
                serde_json::from_str::<Object>(text).is_ok_and(|it| evaluator.matches(&it))
            }
            Kind::Computed(computed) => computed.matches(value),
        }
    }
}

impl StringMatcher {
    fn matches(&self, text: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Equals(terms) => is_one_of(terms, text),
            Self::Prefix(prefix) => text.starts_with(prefix.as_str()),
            Self::Wildcard(wildcard) => wildcard.matches(text),
            Self::Regexp(regexp) => regexp.matches(text),
            Self::Fuzzy { text: wanted, edits } => fuzzy::is_close(wanted, text, *edits),
            Self::Range(range) => within(range, text, str::cmp),
        }
    }
}

impl KeywordField {
    /// The text as the field indexes it, unless it is too long.
    pub(crate) fn index(self, text: Cow<'_, str>) -> Option<Cow<'_, str>> {
        if self.ignore_above.is_some_and(|limit| !limit.fits(&text)) {
            return None;
        }
        Some(if self.lowercase { Cow::Owned(analyze::lower(&text)) } else { text })
    }
}

impl Resolution {
    /// The instant in what the ranges count.
    pub(crate) fn key(self, instant: ecs::date::Instant) -> i128 {
        match self {
            Self::Millis => instant.millis.into(),
            Self::Nanos => i128::from(instant.millis) * 1_000_000 + i128::from(instant.nanos),
        }
    }

    /// Whether a stored value of that format lies within the ranges.
    pub(crate) fn is_within(self, format: &Format, ranges: &Ranges<i128>, value: Scalar<'_>) -> bool {
        let instant = format.read(&value.text(), Rounding::Down, 0);
        instant.map(|it| self.key(it)).is_some_and(|it| self.holds(it) && ranges.contains(it))
    }

    /// Whether a field of the type can hold the instant: nanoseconds begin in 1970 and end in 2262.
    pub(crate) fn holds(self, key: i128) -> bool {
        match self {
            Self::Millis => true,
            Self::Nanos => (0..=i128::from(i64::MAX)).contains(&key),
        }
    }
}

fn is_one_of(sorted: &[String], text: &str) -> bool {
    match sorted {
        [single] => single == text,
        _ => sorted.binary_search_by(|it| it.as_str().cmp(text)).is_ok(),
    }
}

fn within(range: &TextRange, text: &str, compare: impl Fn(&str, &str) -> std::cmp::Ordering) -> bool {
    let above = range.lower.as_ref().is_none_or(|bound| {
        let order = compare(text, &bound.text);
        order.is_gt() || (bound.inclusive && order.is_eq())
    });
    above
        && range.upper.as_ref().is_none_or(|bound| {
            let order = compare(text, &bound.text);
            order.is_lt() || (bound.inclusive && order.is_eq())
        })
}

/// Whether `phrase` stands in `tokens`, if every token of it may be shifted, all shifts differing by at most
/// `slop`.
fn has_phrase(tokens: &[String], phrase: &[String], slop: u32) -> bool {
    if slop == 0 {
        return tokens.windows(phrase.len()).any(|it| it == phrase);
    }
    let slop = slop as usize;
    // `first` is where the phrase would begin, counted up by its length so that it never goes below zero.
    (0..tokens.len() + phrase.len()).any(|first| {
        let mut taken = vec![false; tokens.len()];
        phrase.iter().enumerate().all(|(at, wanted)| {
            let from = (first + at).saturating_sub(phrase.len());
            let to = (first + at + slop + 1).saturating_sub(phrase.len()).min(tokens.len());
            // Equal tokens of the phrase need tokens of their own: the earliest free one is always a good choice.
            let found = (from..to).find(|&it| !taken[it] && tokens[it] == *wanted);
            found.is_some_and(|it| !std::mem::replace(&mut taken[it], true))
        })
    })
}

/// The address of a value, IPv4 as mapped IPv6.
pub(crate) fn address(value: Scalar<'_>) -> Option<u128> {
    match value {
        Scalar::Str(text) => parse_address(text),
        _ => None,
    }
}

/// Reads an address as a number, IPv4 as mapped IPv6: what [`Test::Ip`](crate::Test::Ip) asks about.
pub fn parse_address(text: &str) -> Option<u128> {
    read_address(text).map(address_key)
}

/// Reads an address. The scope of an IPv6 address (`fe80::1%eth0`) does not matter; one that ends in dotted digits has
/// none, because the node reads these up to the end of the text.
pub(crate) fn read_address(text: &str) -> Option<IpAddr> {
    match text.split_once('%') {
        None => text.parse().ok(),
        Some((address, scope)) => {
            let has_scope = !scope.is_empty() && !address.contains('.');
            address.parse::<Ipv6Addr>().ok().filter(|_| has_scope).map(IpAddr::V6)
        }
    }
}

/// The address as a number, IPv4 as mapped IPv6.
pub(crate) fn address_key(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().into(),
        IpAddr::V6(address) => address.into(),
    }
}

/// The truth value of a stored value; the empty string is false.
pub(crate) fn truth_value(value: Scalar<'_>) -> Option<bool> {
    match value {
        Scalar::Bool(value) => Some(value),
        Scalar::Str("true") => Some(true),
        Scalar::Str("false" | "") => Some(false),
        _ => None,
    }
}
