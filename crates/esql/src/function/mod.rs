//! Functions and operators: one list says what there is.

mod table;

use std::sync::LazyLock;

use crate::Type;

pub use table::Function;
use table::SPECS;

/// What is known of a function.
#[derive(Debug)]
pub struct Spec {
    /// Which.
    pub function: Function,
    /// Its name, in upper case; of an operator as it is written.
    pub name: &'static str,
    /// Other names.
    pub aliases: &'static [&'static str],
    /// Where it may stand.
    pub kind: FunctionKind,
    /// What it takes.
    pub parameters: &'static [Parameter],
    /// What it gives.
    pub returns: Returns,
    /// It depends on the time of the execution.
    pub reads_clock: bool,
    /// What it is for, in a line.
    pub doc: &'static str,
}

/// Where a function may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FunctionKind {
    /// It is no function in the text.
    Operator,
    /// In any expression.
    Scalar,
    /// In `STATS`, over the rows of a group.
    Aggregate,
    /// In the `BY` of `STATS`.
    Grouping,
    /// In `WHERE`: it asks the event.
    Search,
}

/// An argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// What it is.
    pub name: &'static str,
    /// Of which types; null always is.
    pub takes: Types,
    /// How often it stands there.
    pub presence: Presence,
    /// It must be the same for all rows.
    pub is_constant: bool,
    /// It takes several values; else they are null, with a warning.
    pub takes_several: bool,
}

/// How often an argument stands there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Once.
    Required,
    /// Once or not at all.
    Optional,
    /// Not at all, once or several times; it is the last.
    Repeated,
}

/// What a function gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Returns {
    /// Always this.
    Is(Type),
    /// The type of this argument; a keyword for a text.
    Same(usize),
    /// The type that all of the arguments from this one on have in common.
    Common(usize),
    /// Of numbers, the widest; nothing else.
    Widest,
    /// Of numbers, the widest of the kind that does not overflow as soon: a long for an integer.
    Sum,
    /// It has a rule of its own.
    Own,
}

/// Some types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Types(u32);

impl Types {
    /// These.
    pub const fn of(types: &[Type]) -> Self {
        let (mut bits, mut at) = (0, 0);
        while at < types.len() {
            bits |= 1 << types[at] as u32;
            at += 1;
        }
        Self(bits)
    }

    /// These and those.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether it is one of them.
    pub const fn contains(self, ty: Type) -> bool {
        self.0 >> ty as u32 & 1 == 1
    }

    /// Them.
    pub fn iter(self) -> impl Iterator<Item = Type> {
        Type::ALL.into_iter().filter(move |it| self.contains(*it))
    }
}

impl Parameter {
    const fn new(name: &'static str, takes: Types) -> Self {
        Self { name, takes, presence: Presence::Required, is_constant: false, takes_several: false }
    }

    const fn optional(self) -> Self {
        Self { presence: Presence::Optional, ..self }
    }

    const fn repeated(self) -> Self {
        Self { presence: Presence::Repeated, ..self }
    }

    const fn constant(self) -> Self {
        Self { is_constant: true, ..self }
    }

    const fn several(self) -> Self {
        Self { takes_several: true, ..self }
    }
}

impl Function {
    /// What is known of it.
    pub fn spec(self) -> &'static Spec {
        &SPECS[self as usize]
    }

    /// That of the name, in any case; operators have none.
    pub fn from_name(name: &str) -> Option<Self> {
        let name = name.to_ascii_uppercase();
        BY_NAME.binary_search_by_key(&name.as_str(), |(name, _)| name).ok().map(|at| BY_NAME[at].1)
    }

    /// All names of functions, in order.
    pub fn names() -> impl Iterator<Item = &'static str> {
        BY_NAME.iter().map(|(name, _)| *name)
    }

    /// All, operators included.
    pub fn all() -> impl Iterator<Item = &'static Spec> {
        SPECS.iter()
    }

    /// Whether it goes over the rows of a group.
    pub fn is_aggregate(self) -> bool {
        self.spec().kind == FunctionKind::Aggregate
    }

    /// The function that `::type` stands for.
    pub const fn cast_to(ty: Type) -> Option<Self> {
        Some(match ty {
            Type::Boolean => Self::ToBoolean,
            Type::Integer => Self::ToInteger,
            Type::Long => Self::ToLong,
            Type::UnsignedLong => Self::ToUnsignedLong,
            Type::Double => Self::ToDouble,
            Type::Keyword => Self::ToString,
            Type::Datetime => Self::ToDatetime,
            Type::DateNanos => Self::ToDateNanos,
            Type::Ip => Self::ToIp,
            Type::Version => Self::ToVersion,
            Type::GeoPoint => Self::ToGeoPoint,
            Type::DatePeriod => Self::ToDatePeriod,
            Type::TimeDuration => Self::ToTimeDuration,
            Type::Null | Type::Text | Type::Source | Type::Unsupported => return None,
        })
    }
}

static BY_NAME: LazyLock<Vec<(&'static str, Function)>> = LazyLock::new(|| {
    let is_named = |it: &&Spec| it.kind != FunctionKind::Operator;
    let mut names: Vec<(&str, Function)> = SPECS
        .iter()
        .filter(is_named)
        .flat_map(|it| it.aliases.iter().chain([&it.name]).map(|name| (*name, it.function)))
        .collect();
    names.sort_unstable_by_key(|(name, _)| *name);
    names
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_stands_in_its_place() {
        for (at, spec) in SPECS.iter().enumerate() {
            assert_eq!(spec.function as usize, at, "{}", spec.name);
            assert_eq!(spec.function.spec().name, spec.name);
            assert!(spec.doc.ends_with('.'), "{}", spec.name);
            let tail = spec.parameters.iter().skip_while(|it| it.presence == Presence::Required);
            let is_last = |it: &Parameter| it.presence != Presence::Required;
            let leading_format = matches!(spec.function, Function::DateFormat | Function::DateParse);
            assert!(leading_format || tail.clone().all(is_last), "{}", spec.name);
            if let Returns::Same(at) | Returns::Common(at) = spec.returns {
                assert!(at < spec.parameters.len(), "{}", spec.name);
            }
        }
        let names: Vec<&str> = Function::names().collect();
        assert!(names.windows(2).all(|it| it[0] < it[1]), "no name twice");
        assert!(names.iter().all(|it| *it == it.to_ascii_uppercase()));
        assert_eq!(Function::from_name("to_str"), Some(Function::ToString));
        assert_eq!(Function::from_name("and"), None);
    }
}
