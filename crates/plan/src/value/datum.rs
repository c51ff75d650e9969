//! Single values, typed, as functions take and give them.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

use ecs::date::to_iso;

use crate::version;

const NANOS_PER_MILLI: i128 = 1_000_000;

/// A value of a known type, or none.
///
/// Being equal as data (`Eq`) says that two expressions are written alike; what a query calls equal is what
/// [`Function::Equals`](super::Function) says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Datum<'a> {
    /// No value, or one that cannot be told.
    Null,
    /// A truth value.
    Bool(bool),
    /// A whole number of any of the integer types.
    Int(i128),
    /// Any other number.
    Double(Double),
    /// A text.
    Text(Cow<'a, str>),
    /// An address, IPv4 as mapped IPv6.
    Ip(u128),
    /// An instant, in nanoseconds since 1970.
    Date(i128),
    /// The instants that a date of a query may mean: it leaves out the second, or the time of day. From the first to the
    /// last, both included.
    Period(i128, i128),
    /// A version.
    Version(Cow<'a, str>),
}

/// A floating point number that can be a part of data: equal if all bits are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Double(u64);

/// What kind of values an expression has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Type {
    /// Never one.
    Null,
    /// Truth values.
    Bool,
    /// Whole numbers.
    Int,
    /// Numbers with fractions, or of either kind.
    Double,
    /// Texts.
    Text,
    /// Addresses.
    Ip,
    /// Instants.
    Date,
    /// Versions.
    Version,
    /// Each value has its own, as with a field that is not mapped.
    Any,
}

impl Type {
    /// Its name in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool => "a boolean",
            Self::Int => "a whole number",
            Self::Double => "a number",
            Self::Text => "a text",
            Self::Ip => "an IP address",
            Self::Date => "a date",
            Self::Version => "a version",
            Self::Any => "a value of any type",
        }
    }

    /// Whether its values are numbers; null and what is not known may be.
    pub(crate) fn may_be_number(self) -> bool {
        matches!(self, Self::Int | Self::Double | Self::Null | Self::Any)
    }

    /// Whether a value of it may be of the other type.
    pub(crate) fn may_be(self, other: Self) -> bool {
        self == other || matches!(self, Self::Null | Self::Any)
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Double {
    /// Of this number.
    pub fn new(value: f64) -> Self {
        Self(value.to_bits())
    }

    /// The number.
    pub fn get(self) -> f64 {
        f64::from_bits(self.0)
    }
}

impl fmt::Debug for Double {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

impl<'a> Datum<'a> {
    /// A text.
    pub fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Self::Text(text.into())
    }

    /// A number with a fraction.
    pub fn double(value: f64) -> Self {
        Self::Double(Double::new(value))
    }

    /// Its type.
    pub fn ty(&self) -> Type {
        match self {
            Self::Null => Type::Null,
            Self::Bool(_) => Type::Bool,
            Self::Int(_) => Type::Int,
            Self::Double(_) => Type::Double,
            Self::Text(_) => Type::Text,
            Self::Ip(_) => Type::Ip,
            Self::Date(_) | Self::Period(..) => Type::Date,
            Self::Version(_) => Type::Version,
        }
    }

    /// The same, of which no text is copied.
    pub(crate) fn borrowed(&self) -> Datum<'_> {
        match self {
            Self::Null => Datum::Null,
            Self::Bool(it) => Datum::Bool(*it),
            Self::Int(it) => Datum::Int(*it),
            Self::Double(it) => Datum::Double(*it),
            Self::Text(it) => Datum::Text(Cow::Borrowed(it)),
            Self::Ip(it) => Datum::Ip(*it),
            Self::Date(it) => Datum::Date(*it),
            Self::Period(first, last) => Datum::Period(*first, *last),
            Self::Version(it) => Datum::Version(Cow::Borrowed(it)),
        }
    }

    /// The same, with texts of its own.
    pub fn into_owned(self) -> Datum<'static> {
        match self {
            Self::Null => Datum::Null,
            Self::Bool(it) => Datum::Bool(it),
            Self::Int(it) => Datum::Int(it),
            Self::Double(it) => Datum::Double(it),
            Self::Text(it) => Datum::Text(Cow::Owned(it.into_owned())),
            Self::Ip(it) => Datum::Ip(it),
            Self::Date(it) => Datum::Date(it),
            Self::Period(first, last) => Datum::Period(first, last),
            Self::Version(it) => Datum::Version(Cow::Owned(it.into_owned())),
        }
    }

    /// Its truth value, if it is one.
    pub(crate) fn truth(&self) -> Option<bool> {
        if let Self::Bool(truth) = self { Some(*truth) } else { None }
    }

    /// The whole number, if it is one.
    pub(crate) fn whole(&self) -> Option<i128> {
        if let Self::Int(it) = self { Some(*it) } else { None }
    }

    /// The number as a floating point number, if it is a number.
    pub(crate) fn number(&self) -> Option<f64> {
        match self {
            Self::Int(it) => Some(*it as f64),
            Self::Double(it) => Some(it.get()),
            _ => None,
        }
    }

    /// As text: numbers, truth values and dates as Java writes them, addresses in their canonical form. Null has none.
    pub fn to_text(&self) -> Option<Cow<'_, str>> {
        Some(match self {
            Self::Null => return None,
            Self::Bool(true) => Cow::Borrowed("true"),
            Self::Bool(false) => Cow::Borrowed("false"),
            Self::Int(it) => Cow::Owned(it.to_string()),
            Self::Double(it) => Cow::Owned(double_text(it.get())),
            Self::Text(it) | Self::Version(it) => Cow::Borrowed(it),
            Self::Ip(it) => Cow::Owned(std::net::Ipv6Addr::from(*it).to_canonical().to_string()),
            Self::Date(it) | Self::Period(it, _) => Cow::Owned(date_text(*it)),
        })
    }

    /// Whether two values are equal, as queries have it: numbers by value, addresses by address, texts exactly. Null if
    /// that cannot be said, of null or of values of different types.
    pub(crate) fn equals(&self, other: &Self) -> Option<bool> {
        match (self, other) {
            (Self::Date(at), Self::Period(first, last)) | (Self::Period(first, last), Self::Date(at)) => {
                Some(first <= at && at <= last)
            }
            (Self::Period(..), Self::Period(..)) => Some(self == other),
            (Self::Version(a), Self::Version(b)) => Some(a == b),
            _ => self.compare(other).map(Ordering::is_eq),
        }
    }

    /// How two values of one type are ordered: texts by the bytes of UTF-8, versions by their numbers. A period comes
    /// before what is after its end, after what is before its beginning, and equals what it covers.
    pub(crate) fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => Some(a.cmp(b)),
            (Self::Int(_) | Self::Double(_), Self::Int(_) | Self::Double(_)) => {
                self.number()?.partial_cmp(&other.number()?)
            }
            (Self::Bool(a), Self::Bool(b)) => Some(a.cmp(b)),
            (Self::Text(a), Self::Text(b)) => Some(a.cmp(b)),
            (Self::Ip(a), Self::Ip(b)) => Some(a.cmp(b)),
            (Self::Version(a), Self::Version(b)) => Some(version::compare(a, b)),
            _ => {
                let ((first, last), (from, to)) = (self.period()?, other.period()?);
                Some(if last < from {
                    Ordering::Less
                } else if first > to {
                    Ordering::Greater
                } else {
                    Ordering::Equal
                })
            }
        }
    }

    fn period(&self) -> Option<(i128, i128)> {
        match self {
            Self::Date(at) => Some((*at, *at)),
            Self::Period(first, last) => Some((*first, *last)),
            _ => None,
        }
    }

    /// An instant of so many milliseconds since 1970.
    pub fn date_of_millis(millis: i128) -> Self {
        Self::Date(millis.saturating_mul(NANOS_PER_MILLI))
    }
}

/// A number as Java writes it: at least one digit after the point, and an exponent from ten million on and below a
/// thousandth.
fn double_text(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    let size = value.abs();
    if value == 0.0 || (1e-3..1e7).contains(&size) {
        return format!("{value:?}");
    }
    let text = format!("{value:e}");
    match text.split_once('e') {
        Some((digits, exponent)) if digits.contains('.') => format!("{digits}E{exponent}"),
        Some((digits, exponent)) => format!("{digits}.0E{exponent}"),
        None => text,
    }
}

/// An instant as Java's `ZonedDateTime` writes it: seconds only if they or what follows is not zero, the fraction in three,
/// six or nine digits.
fn date_text(nanos: i128) -> String {
    let millis = i64::try_from(nanos.div_euclid(NANOS_PER_MILLI)).unwrap_or(i64::MAX);
    let below_second = nanos.rem_euclid(1_000 * NANOS_PER_MILLI);
    let iso = to_iso(millis);
    // `…T10:30:00.000Z`: the minutes end nine characters before the end, the seconds six before.
    let (minutes, seconds) = (&iso[..iso.len() - 8], &iso[iso.len() - 8..iso.len() - 5]);
    let fraction = match below_second {
        0 if seconds == ":00" => return format!("{minutes}Z"),
        0 => String::new(),
        _ if below_second % 1_000_000 == 0 => format!(".{:03}", below_second / 1_000_000),
        _ if below_second % 1_000 == 0 => format!(".{:06}", below_second / 1_000),
        _ => format!(".{below_second:09}"),
    };
    format!("{minutes}{seconds}{fraction}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_those_of_java() {
        for (value, text) in [
            (1.0, "1.0"),
            (2.1828, "2.1828"),
            (-0.0, "-0.0"),
            (9_999_999.0, "9999999.0"),
            (1e7, "1.0E7"),
            (0.001, "0.001"),
            (9.99e-4, "9.99E-4"),
            (5.201_28e11, "5.20128E11"),
            (f64::INFINITY, "Infinity"),
        ] {
            assert_eq!(double_text(value), text);
        }
        for (nanos, text) in [
            (0, "1970-01-01T00:00Z"),
            (1_000_000_000, "1970-01-01T00:00:01Z"),
            (60_000_000_000, "1970-01-01T00:01Z"),
            (60_500_000_000, "1970-01-01T00:01:00.500Z"),
            (1, "1970-01-01T00:00:00.000000001Z"),
            (1_000, "1970-01-01T00:00:00.000001Z"),
            (-1_000_000, "1969-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(date_text(nanos), text);
        }
    }

    #[test]
    fn periods_are_rounded_as_ranges_are() {
        let (before, within, after) = (Datum::Date(9), Datum::Date(15), Datum::Date(20));
        let period = Datum::Period(10, 19);
        assert_eq!([&before, &within, &after].map(|it| it.equals(&period)), [false, true, false].map(Some));
        let order = [&before, &within, &after].map(|it| it.compare(&period));
        assert_eq!(order, [Ordering::Less, Ordering::Equal, Ordering::Greater].map(Some));
    }

    #[test]
    fn types_do_not_mix() {
        assert_eq!(Datum::Int(1).equals(&Datum::double(1.0)), Some(true));
        assert_eq!(Datum::Int(1).equals(&Datum::text("1")), None);
        assert_eq!(Datum::Null.equals(&Datum::Null), None);
        assert_eq!(Datum::double(f64::NAN).compare(&Datum::Int(1)), None);
    }
}
