//! Single values, and cells of them as rows of a result have them.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::cells::{Cells, Text};
use crate::column::Column;

/// An instant in milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Millis(pub i64);

/// An address; those of version 4 are the mapped ones of version 6, so that all have one order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ip(pub u128);

/// A version, in the order of semantic versions.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Version(pub Text);

/// A place on earth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Degrees east.
    pub lon: f64,
    /// Degrees north.
    pub lat: f64,
}

impl Ip {
    /// Reads an address; a zone is dropped.
    pub fn parse(text: &str) -> Option<Self> {
        let text = match text.split_once('%') {
            Some((address, _)) if address.contains(':') => address,
            _ => text,
        };
        let address: IpAddr = text.parse().ok()?;
        Some(Self(match address {
            IpAddr::V4(it) => it.to_ipv6_mapped().to_bits(),
            IpAddr::V6(it) => it.to_bits(),
        }))
    }

    /// As it is usually written.
    pub fn text(self) -> String {
        let address = Ipv6Addr::from_bits(self.0);
        address.to_ipv4_mapped().map_or_else(|| address.to_string(), |it: Ipv4Addr| it.to_string())
    }
}

/// One value.
#[derive(Clone, Debug)]
pub enum Scalar {
    /// `boolean`.
    Boolean(bool),
    /// `integer`.
    Integer(i32),
    /// `long`.
    Long(i64),
    /// `unsigned_long`.
    UnsignedLong(u64),
    /// `double`.
    Double(f64),
    /// `keyword` and `text`.
    Keyword(Text),
    /// `datetime`.
    Datetime(Millis),
    /// `ip`.
    Ip(Ip),
    /// `version`.
    Version(Version),
    /// `geo_point`.
    GeoPoint(Point),
}

impl Scalar {
    /// Its order among values of the same type.
    pub fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Boolean(a), Self::Boolean(b)) => a.order(b),
            (Self::Integer(a), Self::Integer(b)) => a.order(b),
            (Self::Long(a), Self::Long(b)) => a.order(b),
            (Self::UnsignedLong(a), Self::UnsignedLong(b)) => a.order(b),
            (Self::Double(a), Self::Double(b)) => a.order(b),
            (Self::Keyword(a), Self::Keyword(b)) => a.order(b),
            (Self::Datetime(a), Self::Datetime(b)) => a.order(b),
            (Self::Ip(a), Self::Ip(b)) => a.order(b),
            (Self::Version(a), Self::Version(b)) => a.order(b),
            (Self::GeoPoint(a), Self::GeoPoint(b)) => a.order(b),
            (a, b) => a.rank().cmp(&b.rank()),
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Boolean(_) => 0,
            Self::Integer(_) => 1,
            Self::Long(_) => 2,
            Self::UnsignedLong(_) => 3,
            Self::Double(_) => 4,
            Self::Keyword(_) => 5,
            Self::Datetime(_) => 6,
            Self::Ip(_) => 7,
            Self::Version(_) => 8,
            Self::GeoPoint(_) => 9,
        }
    }

    /// As it is cast to a keyword.
    pub fn text(&self) -> String {
        match self {
            Self::Boolean(it) => it.to_string(),
            Self::Integer(it) => it.to_string(),
            Self::Long(it) => it.to_string(),
            Self::UnsignedLong(it) => it.to_string(),
            Self::Double(it) => crate::numbers::java_text(*it),
            Self::Keyword(it) => it.to_string(),
            Self::Datetime(it) => ecs::date::to_iso(it.0),
            Self::Ip(it) => it.text(),
            Self::Version(it) => it.0.to_string(),
            Self::GeoPoint(it) => it.text(),
        }
    }

    /// As documents and results have it.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Boolean(it) => (*it).into(),
            Self::Integer(it) => (*it).into(),
            Self::Long(it) => (*it).into(),
            Self::UnsignedLong(it) => (*it).into(),
            Self::Double(it) => serde_json::Number::from_f64(*it).map_or(serde_json::Value::Null, Into::into),
            Self::Keyword(_) | Self::Datetime(_) | Self::Ip(_) | Self::Version(_) | Self::GeoPoint(_) => {
                self.text().into()
            }
        }
    }
}

impl PartialEq for Scalar {
    fn eq(&self, other: &Self) -> bool {
        self.order(other).is_eq()
    }
}

impl Eq for Scalar {}

impl Hash for Scalar {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Self::Boolean(it) => it.hash(state),
            Self::Integer(it) => it.hash(state),
            Self::Long(it) => it.hash(state),
            Self::UnsignedLong(it) => it.hash(state),
            Self::Double(it) => (it + 0.0).to_bits().hash(state),
            Self::Keyword(it) => it.hash(state),
            Self::Datetime(it) => it.hash(state),
            Self::Ip(it) => it.hash(state),
            Self::Version(it) => it.hash(state),
            Self::GeoPoint(it) => (it.lon.to_bits(), it.lat.to_bits()).hash(state),
        }
    }
}

/// The values of one row in one column.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Value {
    /// None.
    Null,
    /// One.
    One(Scalar),
    /// Two or more.
    Many(Vec<Scalar>),
}

impl Value {
    /// Of so many values as there are.
    pub fn of(mut values: Vec<Scalar>) -> Self {
        match values.len() {
            0 => Self::Null,
            1 => values.pop().map_or(Self::Null, Self::One),
            _ => Self::Many(values),
        }
    }

    /// The values.
    pub fn as_slice(&self) -> &[Scalar] {
        match self {
            Self::Null => &[],
            Self::One(it) => std::slice::from_ref(it),
            Self::Many(it) => it,
        }
    }

    /// As documents and results have it.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Null => serde_json::Value::Null,
            Self::One(it) => it.to_json(),
            Self::Many(it) => it.iter().map(Scalar::to_json).collect(),
        }
    }
}

/// What a column is made of.
pub trait Element: Clone + PartialEq + std::fmt::Debug + Send + Sync + Sized + 'static {
    /// The order of values.
    fn order(&self, other: &Self) -> Ordering;
    /// A column of such values.
    fn column(cells: Cells<Self>) -> Column;
    /// The values of a column, if they are such.
    fn cells(column: &Column) -> Option<&Cells<Self>>;
    /// The value by itself.
    fn scalar(&self) -> Scalar;
    /// The value of that type.
    fn of_scalar(scalar: &Scalar) -> Option<&Self>;
}

macro_rules! elements {
    ($($ty:ty: $variant:ident, $order:expr;)*) => {$(
        impl Element for $ty {
            fn order(&self, other: &Self) -> Ordering {
                let order: fn(&Self, &Self) -> Ordering = $order;
                order(self, other)
            }

            fn column(cells: Cells<Self>) -> Column {
                Column::$variant(cells)
            }

            fn cells(column: &Column) -> Option<&Cells<Self>> {
                if let Column::$variant(it) = column { Some(it) } else { None }
            }

            fn scalar(&self) -> Scalar {
                Scalar::$variant(self.clone())
            }

            fn of_scalar(scalar: &Scalar) -> Option<&Self> {
                if let Scalar::$variant(it) = scalar { Some(it) } else { None }
            }
        }
    )*};
}

elements! {
    bool: Boolean, Ord::cmp;
    i32: Integer, Ord::cmp;
    i64: Long, Ord::cmp;
    u64: UnsignedLong, Ord::cmp;
    // Zero is zero, whatever its sign.
    f64: Double, |a, b| (a + 0.0).total_cmp(&(b + 0.0));
    Text: Keyword, Ord::cmp;
    Millis: Datetime, Ord::cmp;
    Ip: Ip, Ord::cmp;
    Version: Version, |a, b| plan::compare_versions(&a.0, &b.0);
    Point: GeoPoint, |a, b| a.lon.total_cmp(&b.lon).then_with(|| a.lat.total_cmp(&b.lat));
}
