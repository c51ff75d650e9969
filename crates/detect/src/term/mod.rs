//! Values of columns, typed as the field's type indexes them.

mod interner;
mod term_type;

use std::cmp::Ordering;
use std::hash::Hasher;
use std::net::{IpAddr, Ipv6Addr};

use ecs::Scalar;
use rustc_hash::FxHasher;
use serde_json::Value;

pub(crate) use interner::Interner;
pub use interner::TermId;
pub(crate) use term_type::TermType;

/// One value of a field as the field's type has it. Their order is that of a terms or composite aggregation.
#[derive(Clone, Copy, Debug)]
pub enum Term<'a> {
    /// A keyword, ordered by its UTF-8 bytes.
    Str(&'a str),
    /// A number; a date in epoch milliseconds.
    Long(i64),
    /// An unsigned long beyond the signed range.
    UnsignedLong(u64),
    /// A floating-point number.
    Double(f64),
    /// A boolean.
    Bool(bool),
    /// An address; IPv4 as the IPv6 address mapped to it.
    Ip(Ipv6Addr),
    /// A number that keeps its text, of a column without a type.
    Number(&'a str),
}

impl<'a> Term<'a> {
    /// A value that keeps what was delivered.
    pub(crate) fn as_delivered(value: Scalar<'a>) -> Self {
        match value {
            Scalar::Str(text) => Self::Str(text),
            Scalar::Int(number) => Self::Long(number),
            Scalar::UInt(number) => Self::UnsignedLong(number),
            Scalar::Float(number) => Self::Double(number),
            Scalar::NumberText(text) => Self::Number(text),
            Scalar::Bool(it) => Self::Bool(it),
        }
    }

    /// The value as it was delivered, if it is of a column that keeps it so.
    pub(crate) fn delivered(self) -> Option<Scalar<'a>> {
        match self {
            Self::Str(text) => Some(Scalar::Str(text)),
            Self::Long(number) => Some(Scalar::Int(number)),
            Self::UnsignedLong(number) => Some(Scalar::UInt(number)),
            Self::Double(number) => Some(Scalar::Float(number)),
            Self::Number(text) => Some(Scalar::NumberText(text)),
            Self::Bool(it) => Some(Scalar::Bool(it)),
            Self::Ip(_) => None,
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Str(_) => 0,
            Self::Long(_) => 1,
            Self::UnsignedLong(_) => 2,
            Self::Double(_) => 3,
            Self::Bool(_) => 4,
            Self::Ip(_) => 5,
            Self::Number(_) => 6,
        }
    }

    fn hash(&self) -> u64 {
        let mut hasher = FxHasher::default();
        hasher.write_u8(self.rank());
        match self {
            Self::Str(text) | Self::Number(text) => hasher.write(text.as_bytes()),
            Self::Long(number) => hasher.write_i64(*number),
            Self::UnsignedLong(number) => hasher.write_u64(*number),
            Self::Double(number) => hasher.write_u64(number.to_bits()),
            Self::Bool(it) => hasher.write_u8(u8::from(*it)),
            Self::Ip(address) => hasher.write(&address.octets()),
        }
        hasher.finish()
    }

    /// As it stands in `kibana.alert.new_terms`. With `alone`, the field is the rule's only one: then booleans
    /// are 1 and 0, as the keys of a terms aggregation are.
    pub(crate) fn to_value(self, alone: bool) -> Value {
        match self {
            Self::Str(text) | Self::Number(text) => text.into(),
            Self::Long(number) => number.into(),
            Self::UnsignedLong(number) => number.into(),
            Self::Double(number) => number.into(),
            Self::Bool(it) if alone => u8::from(it).into(),
            Self::Bool(it) => it.into(),
            Self::Ip(address) => match address.to_ipv4_mapped() {
                Some(short) => IpAddr::V4(short).to_string().into(),
                None => address.to_string().into(),
            },
        }
    }
}

impl Ord for Term<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Str(a), Self::Str(b)) | (Self::Number(a), Self::Number(b)) => a.cmp(b),
            (Self::Long(a), Self::Long(b)) => a.cmp(b),
            (Self::UnsignedLong(a), Self::UnsignedLong(b)) => a.cmp(b),
            (Self::Double(a), Self::Double(b)) => a.total_cmp(b),
            (Self::Bool(a), Self::Bool(b)) => a.cmp(b),
            (Self::Ip(a), Self::Ip(b)) => a.cmp(b),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl PartialOrd for Term<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Term<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Term<'_> {}
