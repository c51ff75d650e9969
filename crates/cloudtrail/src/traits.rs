//! What is known of a field before any record is read: what it takes to make it, and how its values are spread.
//!
//! Both stand beside the field's path in [`field`](crate::field). They steer how records are looked at, and no verdict.

use ecs::Shape;

use crate::columns::is_filled_from;
use crate::field::Field;
use crate::options::Version;

/// What it takes to fill a column from a parsed record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cost {
    /// To copy a value, or next to nothing.
    Copied,
    /// To look an address up in a database, if there is one; else nothing.
    LookedUp,
    /// To render a payload or find a key in it, to parse a user agent, to collect names.
    Made,
}

/// How the values of a field are spread over records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Spread {
    /// Nearly all records have one of the same few values.
    Common,
    /// There are few values, but some of them are rare.
    Few,
    /// There are many values, and each is rare.
    Wide,
}

/// What is known of a column before any record is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traits {
    /// What it takes to fill it.
    pub cost: Cost,
    /// How its values are spread.
    pub spread: Spread,
}

impl Traits {
    /// What most fields are.
    pub(crate) const PLAIN: Self = Self { cost: Cost::Copied, spread: Spread::Wide };

    /// Of a column: it costs what the costliest of its fields does, and tells records apart no better than the worst. A
    /// column that no field of a record fills costs nothing.
    pub fn of(path: &str, shape: Shape, version: Version) -> Self {
        let fields = Field::ALL.iter().filter(|field| field.is_in(version));
        let filling = fields.filter(|field| is_filled_from(path, shape, field.path(version)));
        filling.fold(Self::PLAIN, |all, field| Self {
            cost: all.cost.max(field.traits().cost),
            spread: all.spread.min(field.traits().spread),
        })
    }

    /// Whether a record may have a value in the column; `looks_up` says whether addresses are looked up.
    pub fn is_filled(path: &str, shape: Shape, version: Version, looks_up: bool) -> bool {
        let fields = Field::ALL.iter().filter(|field| field.is_in(version));
        let mut filling = fields.filter(|field| is_filled_from(path, shape, field.path(version)));
        filling.any(|field| looks_up || field.traits().cost != Cost::LookedUp)
    }

    pub(crate) const fn made(self) -> Self {
        Self { cost: Cost::Made, ..self }
    }

    pub(crate) const fn looked_up(self) -> Self {
        Self { cost: Cost::LookedUp, ..self }
    }

    pub(crate) const fn common(self) -> Self {
        Self { spread: Spread::Common, ..self }
    }

    pub(crate) const fn few(self) -> Self {
        Self { spread: Spread::Few, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(path: &str) -> (Cost, Spread) {
        let Traits { cost, spread } = Traits::of(path, Shape::Leaf, Version::V8_9);
        (cost, spread)
    }

    #[test]
    fn a_column_is_what_its_fields_are() {
        assert_eq!(of("user.name"), (Cost::Copied, Spread::Wide));
        assert_eq!(of("event.outcome"), (Cost::Copied, Spread::Common));
        assert_eq!(of("aws.cloudtrail.user_identity.type"), (Cost::Copied, Spread::Few));
        assert_eq!(of("source.geo.city_name"), (Cost::LookedUp, Spread::Wide));
        assert_eq!(of("user_agent.original"), (Cost::Copied, Spread::Wide));
        assert_eq!(of("user_agent.os.name"), (Cost::Made, Spread::Wide));
        assert_eq!(
            of("aws.cloudtrail.flattened.request_parameters.k.l"),
            (Cost::Made, Spread::Wide),
            "below it"
        );
        assert_eq!(of("aws.cloudtrail.flattened"), (Cost::Copied, Spread::Wide), "no field has values there");
        assert_eq!(of("process.name"), (Cost::Copied, Spread::Wide), "no field at all");
        let root = Traits::of("aws.cloudtrail.flattened", Shape::FlattenedRoot, Version::V8_9);
        assert_eq!(root.cost, Cost::Made, "all fields below");
    }
}
