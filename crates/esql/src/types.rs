//! The types of values.

use std::fmt;

use ecs::FieldType;

/// The type of an expression or a column. Any of them may hold null and, but for the last five, several values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Type {
    /// Nothing but null.
    Null,
    /// `true`, `false`.
    Boolean,
    /// 32 bits with a sign.
    Integer,
    /// 64 bits with a sign.
    Long,
    /// 64 bits without a sign.
    UnsignedLong,
    /// A number of 64 bits with a binary point.
    Double,
    /// A text.
    Keyword,
    /// A text that a full-text search may ask by its words; any function makes a [`Type::Keyword`] of it.
    Text,
    /// An instant, in milliseconds.
    Datetime,
    /// An instant, in nanoseconds.
    DateNanos,
    /// An address, of either version.
    Ip,
    /// A version such as `1.2.3`.
    Version,
    /// A place on the earth.
    GeoPoint,
    /// Months and days: never a column.
    DatePeriod,
    /// Milliseconds: never a column.
    TimeDuration,
    /// The whole document, `_source`.
    Source,
    /// A column that can be carried, and always is null: of a storage type that the language cannot read.
    Unsupported,
}

impl Type {
    /// All.
    pub const ALL: [Self; 17] = [
        Self::Null,
        Self::Boolean,
        Self::Integer,
        Self::Long,
        Self::UnsignedLong,
        Self::Double,
        Self::Keyword,
        Self::Text,
        Self::Datetime,
        Self::DateNanos,
        Self::Ip,
        Self::Version,
        Self::GeoPoint,
        Self::DatePeriod,
        Self::TimeDuration,
        Self::Source,
        Self::Unsupported,
    ];

    /// The name, as the language has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::Long => "long",
            Self::UnsignedLong => "unsigned_long",
            Self::Double => "double",
            Self::Keyword => "keyword",
            Self::Text => "text",
            Self::Datetime => "datetime",
            Self::DateNanos => "date_nanos",
            Self::Ip => "ip",
            Self::Version => "version",
            Self::GeoPoint => "geo_point",
            Self::DatePeriod => "date_period",
            Self::TimeDuration => "time_duration",
            Self::Source => "_source",
            Self::Unsupported => "unsupported",
        }
    }

    /// The type that `::name` casts to, in any case.
    pub fn of_cast(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "boolean" | "bool" => Self::Boolean,
            "integer" | "int" => Self::Integer,
            "long" => Self::Long,
            "unsigned_long" | "ul" | "ulong" => Self::UnsignedLong,
            "double" => Self::Double,
            "keyword" | "string" => Self::Keyword,
            "datetime" | "date" => Self::Datetime,
            "date_nanos" => Self::DateNanos,
            "ip" => Self::Ip,
            "version" => Self::Version,
            "geo_point" => Self::GeoPoint,
            "date_period" => Self::DatePeriod,
            "time_duration" => Self::TimeDuration,
            _ => return None,
        })
    }

    /// The type that a query sees of a field that is stored as `stored`; none of an object, which is no column.
    pub const fn of_field(stored: FieldType) -> Option<Self> {
        Some(match stored {
            FieldType::Keyword | FieldType::ConstantKeyword | FieldType::Wildcard => Self::Keyword,
            FieldType::Text | FieldType::MatchOnlyText => Self::Text,
            FieldType::Ip => Self::Ip,
            FieldType::Date => Self::Datetime,
            FieldType::DateNanos => Self::DateNanos,
            FieldType::Boolean => Self::Boolean,
            FieldType::Long => Self::Long,
            FieldType::Integer | FieldType::Short | FieldType::Byte => Self::Integer,
            FieldType::UnsignedLong => Self::UnsignedLong,
            FieldType::Double | FieldType::Float | FieldType::HalfFloat | FieldType::ScaledFloat => {
                Self::Double
            }
            FieldType::Version => Self::Version,
            FieldType::GeoPoint => Self::GeoPoint,
            FieldType::Flattened => Self::Unsupported,
            FieldType::Nested | FieldType::Object => return None,
        })
    }

    /// Whether it is a number.
    pub const fn is_numeric(self) -> bool {
        matches!(self, Self::Integer | Self::Long | Self::UnsignedLong | Self::Double)
    }

    /// Whether it is a text.
    pub const fn is_string(self) -> bool {
        matches!(self, Self::Keyword | Self::Text)
    }

    /// Whether it is an instant.
    pub const fn is_date(self) -> bool {
        matches!(self, Self::Datetime | Self::DateNanos)
    }

    /// Whether it is a length of time.
    pub const fn is_span(self) -> bool {
        matches!(self, Self::DatePeriod | Self::TimeDuration)
    }

    /// What is left of it once a function has touched it.
    #[must_use]
    pub const fn without_text(self) -> Self {
        if matches!(self, Self::Text) { Self::Keyword } else { self }
    }

    /// The type of arithmetic on two numbers; none if they do not mix.
    pub fn widest(self, other: Self) -> Option<Self> {
        if !self.is_numeric() || !other.is_numeric() {
            return None;
        }
        Some(match (self, other) {
            (Self::Double, _) | (_, Self::Double) => Self::Double,
            (Self::UnsignedLong, Self::UnsignedLong) => Self::UnsignedLong,
            (Self::UnsignedLong, _) | (_, Self::UnsignedLong) => return None,
            (Self::Long, _) | (_, Self::Long) => Self::Long,
            _ => Self::Integer,
        })
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
