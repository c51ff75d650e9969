//! Questions to date fields.

use ecs::date::{DateError, DateMath, Format, Rounding};
use ecs::{FieldType, Mapping, Millis};

use super::values::needs_text;
use super::{Asked, Atom, LowerErrorKind};
use crate::{Literal, RangeBounds, Ranges, Resolution, Test};

pub(super) fn ask(atom: &Atom<'_>, mapping: &Mapping, now: Millis) -> Asked {
    let resolution = if mapping.ty == FieldType::DateNanos { Resolution::Nanos } else { Resolution::Millis };
    let reader = Reader { format: &mapping.format, resolution, now, offset: 0 };
    let ranges = match atom {
        Atom::Exists => Ranges::new(i128::MIN, i128::MAX),
        Atom::Term { value, fold: false }
        | Atom::OneTerm(value)
        | Atom::Match(value)
        | Atom::Phrase { value, .. } => reader.interval(value)?,
        Atom::Range(bounds) => range(bounds, reader)?,
        Atom::Term { fold: true, .. } | Atom::Wildcard { .. } | Atom::Prefix { .. } | Atom::Regexp { .. } => {
            return Err(needs_text(atom));
        }
    };
    let format = mapping.format.clone();
    Ok((!ranges.is_empty()).then_some(Test::Date { format, resolution, ranges }))
}

/// Reads the dates of a query.
#[derive(Clone, Copy)]
struct Reader<'a> {
    format: &'a Format,
    resolution: Resolution,
    now: Millis,
    /// Seconds east of UTC, of dates without an offset.
    offset: i32,
}

impl Reader<'_> {
    fn read(self, value: &Literal, rounding: Rounding) -> Result<i128, LowerErrorKind> {
        let text = value.text();
        let math = DateMath::of_query(&text, self.format, self.offset).map_err(LowerErrorKind::NotADate)?;
        let key = self.resolution.key(math.at(self.now, rounding));
        if self.resolution.holds(key) {
            Ok(key)
        } else {
            Err(LowerErrorKind::NotADate(DateError::OutOfRange { text: text.into_owned() }))
        }
    }

    /// What the date leaves out makes it an interval.
    fn interval(self, value: &Literal) -> Result<Ranges<i128>, LowerErrorKind> {
        let epoch = Format::epoch_millis();
        let reader = if is_number(value) { Reader { format: &epoch, ..self } } else { self };
        Ok(Ranges::new(reader.read(value, Rounding::Down)?, reader.read(value, Rounding::Up)?))
    }
}

/// A JSON number in a query is always milliseconds, though a text of four digits is a year.
fn is_number(value: &Literal) -> bool {
    matches!(value, Literal::Number(_))
}

fn range(bounds: &RangeBounds, reader: Reader<'_>) -> Result<Ranges<i128>, LowerErrorKind> {
    let format = bounds.format.as_deref().map(Format::new).transpose().map_err(LowerErrorKind::NotADate)?;
    let ends = [bounds.lower(), bounds.upper()];
    let format = match format {
        // One number makes the other bound be read as one.
        None if ends.iter().flatten().any(|(bound, _)| is_number(bound)) => Some(Format::epoch_millis()),
        given => given,
    };
    let reader = Reader {
        format: format.as_ref().unwrap_or(reader.format),
        offset: bounds.time_zone.as_deref().map_or(Ok(0), offset)?,
        ..reader
    };
    let first = match bounds.lower() {
        None => i128::MIN,
        Some((bound, true)) => reader.read(bound, Rounding::Down)?,
        Some((bound, false)) => reader.read(bound, Rounding::Up)? + 1,
    };
    let last = match bounds.upper() {
        None => i128::MAX,
        Some((bound, true)) => reader.read(bound, Rounding::Up)?,
        Some((bound, false)) => reader.read(bound, Rounding::Down)? - 1,
    };
    Ok(Ranges::new(first, last))
}

/// A time zone that is an offset, in seconds.
fn offset(zone: &str) -> Result<i32, LowerErrorKind> {
    if matches!(zone, "UTC" | "Z" | "GMT" | "Etc/UTC") {
        return Ok(0);
    }
    // The zone of a date that names it says how far it is off.
    let format = Format::default();
    let zoned = format.read(&format!("2000-01-01T00:00:00{zone}"), Rounding::Down, 0);
    let zulu = format.read("2000-01-01T00:00:00Z", Rounding::Down, 0);
    match (zoned, zulu) {
        (Some(zoned), Some(zulu)) if zone.starts_with(['+', '-']) => {
            Ok(((zulu.millis - zoned.millis) / 1_000) as i32)
        }
        _ => Err(LowerErrorKind::TimeZone { value: zone.to_owned() }),
    }
}
