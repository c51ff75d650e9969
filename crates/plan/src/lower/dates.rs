//! Questions to date fields.

use ecs::date::{DateError, DateMath, Format, Rounding};
use ecs::{FieldType, Mapping};

use super::values::needs_text;
use super::{Atom, LowerErrorKind, Question};
use crate::condition::{DateBound, Dates};
use crate::{Literal, RangeBounds, Resolution};

pub(super) fn ask(atom: &Atom<'_>, mapping: &Mapping) -> Result<Option<Question>, LowerErrorKind> {
    let resolution = if mapping.ty == FieldType::DateNanos { Resolution::Nanos } else { Resolution::Millis };
    let reader = Reader { format: &mapping.format, resolution, offset: 0 };
    let (lower, upper) = match atom {
        Atom::Exists => (None, None),
        Atom::Term { value, fold: false }
        | Atom::OneTerm(value)
        | Atom::Match(value)
        | Atom::Phrase { value, .. } => {
            let bound = reader.interval(value)?;
            (Some(bound.clone()), Some(bound))
        }
        Atom::Range(bounds) => range(bounds, reader)?,
        Atom::Term { fold: true, .. }
        | Atom::Wildcard { .. }
        | Atom::Prefix { .. }
        | Atom::Regexp { .. }
        | Atom::Fuzzy { .. } => return Err(needs_text(atom)),
    };
    let dates = Dates { format: mapping.format.clone(), resolution, lower, upper };
    // One that does not read the clock is the same at any time.
    Ok(if dates.reads_clock() { Some(Question::Dates(dates)) } else { dates.test(0).map(Question::Test) })
}

/// Reads the dates of a query.
#[derive(Clone, Copy)]
struct Reader<'a> {
    format: &'a Format,
    resolution: Resolution,
    /// Seconds east of UTC, of dates without an offset.
    offset: i32,
}

impl Reader<'_> {
    /// Reads a bound. `ends` are those of what the date leaves out that the type has to hold.
    fn read(self, value: &Literal, inclusive: bool, ends: &[Rounding]) -> Result<DateBound, LowerErrorKind> {
        let text = value.text();
        let math = DateMath::of_query(&text, self.format, self.offset).map_err(LowerErrorKind::NotADate)?;
        let holds = |end: &Rounding| self.resolution.holds(self.resolution.key(math.at(0, *end)));
        // Where the clock leads, the type holds what it can.
        if math.reads_clock() || ends.iter().all(holds) {
            Ok(DateBound { math, inclusive })
        } else {
            Err(LowerErrorKind::NotADate(DateError::OutOfRange { text: text.into_owned() }))
        }
    }

    /// What the date leaves out makes it an interval: from its first instant to its last.
    fn interval(self, value: &Literal) -> Result<DateBound, LowerErrorKind> {
        let epoch = Format::epoch_millis();
        let reader = if is_number(value) { Reader { format: &epoch, ..self } } else { self };
        reader.read(value, true, &[Rounding::Down, Rounding::Up])
    }
}

/// A JSON number in a query is always milliseconds, though a text of four digits is a year.
fn is_number(value: &Literal) -> bool {
    matches!(value, Literal::Number(_))
}

type Ends = (Option<DateBound>, Option<DateBound>);

fn range(bounds: &RangeBounds, reader: Reader<'_>) -> Result<Ends, LowerErrorKind> {
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
    // An inclusive bound reaches to the far end of what its date leaves out, an exclusive one to the near end.
    let bound = |end: Option<(&Literal, bool)>, near, far| {
        end.map(|(bound, inclusive)| reader.read(bound, inclusive, &[if inclusive { far } else { near }]))
            .transpose()
    };
    Ok((
        bound(bounds.lower(), Rounding::Up, Rounding::Down)?,
        bound(bounds.upper(), Rounding::Down, Rounding::Up)?,
    ))
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
