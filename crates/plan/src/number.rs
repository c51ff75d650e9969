//! Numeric field types: which number a value is indexed as.

use ecs::{FieldType, Scalar};

/// A numeric field type. A stored value and a query's bound are both turned into a key, an integer that sorts
/// as the type does; a test is then a set of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names are Elasticsearch's own")]
pub enum NumberType {
    Byte,
    Short,
    Integer,
    Long,
    UnsignedLong,
    HalfFloat,
    Float,
    Double,
    /// With the bits of its scaling factor, an `f64`.
    ScaledFloat(u64),
}

/// A number as a query or a document writes it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// A whole number that an `i128` holds.
    Whole(i128),
    /// Any other: with a fraction, or beyond.
    Real(f64),
}

/// What a text is on one side or the other of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// The least key that is not below the number.
    AtLeast,
    /// The greatest key that is not above it.
    AtMost,
}

impl NumberType {
    /// The numeric type of a field, if it is one.
    pub fn of(ty: FieldType, scaling_factor: Option<f64>) -> Option<Self> {
        match ty {
            FieldType::Byte => Some(Self::Byte),
            FieldType::Short => Some(Self::Short),
            FieldType::Integer => Some(Self::Integer),
            FieldType::Long => Some(Self::Long),
            FieldType::UnsignedLong => Some(Self::UnsignedLong),
            FieldType::HalfFloat => Some(Self::HalfFloat),
            FieldType::Float => Some(Self::Float),
            FieldType::Double => Some(Self::Double),
            FieldType::ScaledFloat => Some(Self::ScaledFloat(scaling_factor.unwrap_or(1.0).to_bits())),
            FieldType::Keyword
            | FieldType::ConstantKeyword
            | FieldType::Wildcard
            | FieldType::Text
            | FieldType::MatchOnlyText
            | FieldType::Flattened
            | FieldType::Ip
            | FieldType::Date
            | FieldType::DateNanos
            | FieldType::Boolean
            | FieldType::Version
            | FieldType::GeoPoint
            | FieldType::Nested
            | FieldType::Object => None,
        }
    }

    /// The least and the greatest key.
    pub fn bounds(self) -> (i128, i128) {
        match self {
            Self::Byte => (i8::MIN.into(), i8::MAX.into()),
            Self::Short => (i16::MIN.into(), i16::MAX.into()),
            Self::Integer => (i32::MIN.into(), i32::MAX.into()),
            Self::Long | Self::ScaledFloat(_) => (i64::MIN.into(), i64::MAX.into()),
            Self::UnsignedLong => (0, u64::MAX.into()),
            Self::HalfFloat => (float_key(-HALF_MAX), float_key(HALF_MAX)),
            Self::Float => (float_key(f32::MIN.into()), float_key(f32::MAX.into())),
            Self::Double => (float_key(f64::MIN), float_key(f64::MAX)),
        }
    }

    /// The number of a key, where the type has fractions; elsewhere the key is the number.
    pub fn value(self, key: i128) -> Option<f64> {
        match self {
            Self::Byte | Self::Short | Self::Integer | Self::Long | Self::UnsignedLong => None,
            Self::HalfFloat | Self::Float | Self::Double => Some(key_float(key)),
            Self::ScaledFloat(factor) => Some(key as f64 / f64::from_bits(factor)),
        }
    }

    /// Whether it holds whole numbers only.
    pub fn is_whole(self) -> bool {
        match self {
            Self::Byte | Self::Short | Self::Integer | Self::Long | Self::UnsignedLong => true,
            Self::HalfFloat | Self::Float | Self::Double | Self::ScaledFloat(_) => false,
        }
    }

    /// The key a stored value is indexed under: texts are read as numbers, fractions are cut where the type is
    /// whole. Nothing if the field refuses it.
    pub fn index(self, value: Scalar<'_>) -> Option<i128> {
        let number = match value {
            Scalar::Int(value) => Number::Whole(value.into()),
            Scalar::UInt(value) => Number::Whole(value.into()),
            Scalar::Float(value) => Number::Real(value),
            Scalar::Str(text) => self.parse(text)?,
            Scalar::NumberText(text) => Number::parse(text)?,
            Scalar::Bool(_) => return None,
        };
        let key = match (number, self.is_whole()) {
            (Number::Whole(value), true) => value,
            (Number::Real(value), true) if value.is_nan() => return None,
            // A cast cuts towards zero, and holds at the ends, which no type reaches.
            (Number::Real(value), true) => value as i128,
            (Number::Whole(value), false) => self.real_key(value as f64)?,
            (Number::Real(value), false) => self.real_key(value)?,
        };
        let (least, greatest) = self.bounds();
        (least..=greatest).contains(&key).then_some(key)
    }

    /// The key that a query's number equals, if any stored value can equal it.
    pub fn equal(self, number: Number) -> Option<i128> {
        let key = match (number, self.is_whole()) {
            (Number::Whole(value), true) => value,
            (Number::Real(value), true) if value.fract() == 0.0 => value as i128,
            (Number::Real(_), true) => return None,
            (Number::Whole(value), false) => self.real_key(value as f64)?,
            (Number::Real(value), false) => self.real_key(value)?,
        };
        let (least, greatest) = self.bounds();
        (least..=greatest).contains(&key).then_some(key)
    }

    /// What a query may name: Elasticsearch reads values for the small types as integers.
    fn query_bounds(self) -> (i128, i128) {
        match self {
            Self::Byte | Self::Short => Self::Integer.bounds(),
            _ => self.bounds(),
        }
    }

    /// Whether the type is too small to hold the number.
    pub fn is_beyond(self, number: Number) -> bool {
        let (least, greatest) = self.query_bounds();
        let key = match number {
            Number::Whole(value) if self.is_whole() => value,
            // Whole types let numbers pass that even an `f64` does not hold.
            Number::Real(value) if self.is_whole() && value.is_infinite() => return false,
            Number::Real(value) if self.is_whole() => value as i128,
            Number::Whole(_) | Number::Real(_) => float_key(self.round(number.as_f64())),
        };
        !matches!(self, Self::ScaledFloat(_)) && !(least..=greatest).contains(&key)
    }

    /// Reads a number as the type does: 64-bit integers as `BigDecimal`, all others as Java's `parseDouble`,
    /// which lets white space around it and an `f` or `d` after it pass.
    pub fn parse(self, text: &str) -> Option<Number> {
        match self {
            Self::Long | Self::UnsignedLong => Number::parse(text),
            Self::Byte
            | Self::Short
            | Self::Integer
            | Self::HalfFloat
            | Self::Float
            | Self::Double
            | Self::ScaledFloat(_) => {
                let text = text.trim_matches(|it| it <= ' ');
                if let Some(number) = Number::not_finite(text) {
                    return Some(number);
                }
                Number::parse(text.strip_suffix(['f', 'F', 'd', 'D']).unwrap_or(text))
            }
        }
    }

    /// The key at an edge of a range, and whether the number is exactly that key, so that an exclusive bound
    /// has to go one further. The key may lie beyond the type's own. Nothing if the number is beyond what the
    /// type takes for a bound.
    pub fn bound(self, number: Number, edge: Edge) -> Option<(i128, bool)> {
        if let Self::ScaledFloat(factor) = self {
            let scaled = number.as_f64() * f64::from_bits(factor);
            let rounded = match edge {
                Edge::AtLeast => scaled.ceil(),
                Edge::AtMost => scaled.floor(),
            };
            return scaled.is_finite().then_some(((rounded as i64).into(), scaled.fract() == 0.0));
        }
        if !self.is_whole() {
            // Half floats are compared with the bound as a float of 32 bits.
            let ty = if self == Self::HalfFloat { Self::Float } else { self };
            return Some((float_key(ty.round(number.as_f64())), true));
        }
        let (key, exact) = match (number, edge) {
            (Number::Whole(value), _) => (value, true),
            (Number::Real(value), Edge::AtLeast) => (value.ceil() as i128, value.fract() == 0.0),
            (Number::Real(value), Edge::AtMost) => (value.floor() as i128, value.fract() == 0.0),
        };
        let (least, greatest) = self.query_bounds();
        (least..=greatest).contains(&key).then_some((key, exact))
    }

    /// The key of a number of a type with fractions, rounded to what the type can hold.
    fn real_key(self, value: f64) -> Option<i128> {
        if let Self::ScaledFloat(factor) = self {
            let scaled = value * f64::from_bits(factor);
            // Java's Math.round: halves go up.
            return scaled.is_finite().then(|| ((scaled + 0.5).floor() as i64).into());
        }
        let rounded = self.round(value);
        rounded.is_finite().then(|| float_key(rounded))
    }

    /// The nearest number that the type can hold; infinite beyond.
    fn round(self, value: f64) -> f64 {
        match self {
            Self::HalfFloat => half(value as f32),
            Self::Float => f64::from(value as f32),
            Self::Byte
            | Self::Short
            | Self::Integer
            | Self::Long
            | Self::UnsignedLong
            | Self::Double
            | Self::ScaledFloat(_) => value,
        }
    }
}

impl Number {
    /// Reads a number as Java's `BigDecimal` does: sign, digits, one point, an exponent.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
        let (mantissa, exponent) = match digits.find(['e', 'E']) {
            Some(at) => (&digits[..at], Some(&digits[at + 1..])),
            None => (digits, None),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let is_digits = |text: &str| text.bytes().all(|it| it.is_ascii_digit());
        if !is_digits(whole) || !is_digits(fraction) || whole.len() + fraction.len() == 0 {
            return None;
        }
        match exponent {
            Some(exponent) => {
                let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
                if exponent.is_empty() || !is_digits(exponent) {
                    return None;
                }
            }
            None if fraction.bytes().all(|it| it == b'0') => {
                let text = text.strip_prefix('+').unwrap_or(text);
                match text[..text.find('.').unwrap_or(text.len())].parse() {
                    Ok(0) if text.starts_with('-') => return Some(Self::Real(-0.0)),
                    Ok(value) => return Some(Self::Whole(value)),
                    Err(_) => {}
                }
            }
            None => {}
        }
        text.parse().ok().map(Self::Real)
    }

    /// `NaN` and `Infinity`, which Java reads as numbers.
    pub(crate) fn not_finite(text: &str) -> Option<Self> {
        let (sign, name) = match text.strip_prefix('-') {
            Some(name) => (-1.0, name),
            None => (1.0, text.strip_prefix('+').unwrap_or(text)),
        };
        match name {
            "NaN" => Some(Self::Real(f64::NAN)),
            "Infinity" => Some(Self::Real(sign * f64::INFINITY)),
            _ => None,
        }
    }

    fn as_f64(self) -> f64 {
        match self {
            Self::Whole(value) => value as f64,
            Self::Real(value) => value,
        }
    }
}

/// An integer that sorts as the number does, -0.0 before 0.0.
fn float_key(value: f64) -> i128 {
    let bits = value.to_bits() as i64;
    i128::from(bits ^ (((bits >> 63) as u64) >> 1) as i64)
}

/// The number that [`float_key`] made the key of.
fn key_float(key: i128) -> f64 {
    let key = key as i64;
    f64::from_bits((key ^ (((key >> 63) as u64) >> 1) as i64) as u64)
}

/// The greatest finite number of 16 bits.
const HALF_MAX: f64 = 65_504.0;

/// The nearest number that 16 bits hold, ties to even; infinite beyond.
fn half(value: f32) -> f64 {
    let value = f64::from(value);
    let exponent = ((value.abs().to_bits() >> 52) as i32 - 1023).max(-14);
    let unit = f64::from(exponent - 10).exp2();
    let rounded = (value / unit).round_ties_even() * unit;
    if rounded.abs() > HALF_MAX { f64::INFINITY.copysign(value) } else { rounded }
}
