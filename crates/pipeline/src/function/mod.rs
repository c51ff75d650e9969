//! Functions over columns. Each module has one kind; [`call`] finds the one that is asked for.

mod compare;
mod convert;
mod dates;
mod json;
mod logic;
mod math;
mod multi;
pub(crate) mod net;
mod strings;
mod text;

use esql::{Function, Type};

use crate::cells::Cells;
use crate::column::Column;
use crate::kernel::At;
use crate::node::{Options, Prepared};
use crate::numbers::{Operator, arithmetic};

pub(crate) use compare::order_columns;
pub(crate) use strings::{Like, Replacement};

/// What the function makes of its arguments, of which each has a row for every row. Those that look at their arguments one
/// after the other (`CASE`, `COALESCE`) are no matter of this.
pub(crate) fn call(
    function: Function,
    arguments: &[&Column],
    prepared: &Prepared,
    options: &Options,
    ty: Type,
    at: &mut At<'_>,
) -> Column {
    let null = Column::Null(at.rows);
    let a = arguments.first().copied().unwrap_or(&null);
    let b = arguments.get(1).copied().unwrap_or(&null);
    let c = arguments.get(2).copied();
    match function {
        Function::Or => logic::or(a, b, at),
        Function::And => logic::and(a, b, at),
        Function::Not => logic::not(a, at),
        Function::IsNull => logic::is_null(a, true),
        Function::IsNotNull => logic::is_null(a, false),
        Function::Equal
        | Function::NotEqual
        | Function::Less
        | Function::LessOrEqual
        | Function::Greater
        | Function::GreaterOrEqual => compare::compare(function, a, b, at),
        Function::In => compare::is_in(a, &arguments[1..], at),
        Function::Greatest | Function::ClampMin => compare::extreme(arguments, true, at),
        Function::Least | Function::ClampMax => compare::extreme(arguments, false, at),
        Function::Clamp => {
            let raised = compare::extreme(&[a, b], true, at);
            compare::extreme(&[&raised, c.unwrap_or(&null)], false, at)
        }
        Function::Add => dates::add(a, b, prepared, false, at),
        Function::Subtract => dates::add(a, b, prepared, true, at),
        Function::Multiply => arithmetic(Operator::Multiply, a, b, at),
        Function::Divide => arithmetic(Operator::Divide, a, b, at),
        Function::Modulo => arithmetic(Operator::Modulo, a, b, at),
        Function::Negate => math::negate(a, at),
        Function::Like | Function::RLike => strings::like(a, prepared, at),
        Function::Concat => strings::concat(arguments, at),
        Function::Contains => strings::predicate(a, b, at, |text, part| text.contains(part)),
        Function::EndsWith => strings::predicate(a, b, at, |text, part| text.ends_with(part)),
        Function::StartsWith => strings::predicate(a, b, at, |text, part| text.starts_with(part)),
        Function::FromBase64 => text::from_base64(a, at),
        Function::ToBase64 => text::to_base64(a, at),
        Function::JsonExtract => json::extract(a, b, at),
        Function::Length => strings::measure(a, at, |text| text.chars().count()),
        Function::ByteLength => strings::measure(a, at, str::len),
        Function::BitLength => strings::measure(a, at, |text| text.len() * 8),
        Function::Locate => strings::locate(a, b, c, at),
        Function::Replace => strings::replace(a, b, c.unwrap_or(&null), prepared, at),
        Function::Reverse => strings::each(a, at, text::reverse),
        Function::Repeat => strings::repeat(a, b, at),
        Function::Space => strings::space(a, at),
        Function::Split => strings::split(a, b, at),
        Function::Substring => strings::substring(a, b, c, at),
        Function::Left => strings::left(a, b, at),
        Function::Right => strings::right(a, b, at),
        Function::ToLower => strings::each(a, at, str::to_lowercase),
        Function::ToUpper => strings::each(a, at, str::to_uppercase),
        Function::Trim => strings::one(a, at, |it| it.trim_matches(text::is_white_space).to_owned()),
        Function::LTrim => strings::one(a, at, |it| it.trim_start_matches(text::is_white_space).to_owned()),
        Function::RTrim => strings::one(a, at, |it| it.trim_end_matches(text::is_white_space).to_owned()),
        Function::UrlDecode => text::url_decode(a, at),
        Function::UrlEncode => strings::one(a, at, |it| text::url_encode(it, true)),
        Function::UrlEncodeComponent => strings::one(a, at, |it| text::url_encode(it, false)),
        Function::Hash => text::hash(a, b, at),
        Function::Md5 => strings::one(a, at, |it| text::digest("md5", it).unwrap_or_default()),
        Function::Sha1 => strings::one(a, at, |it| text::digest("sha1", it).unwrap_or_default()),
        Function::Sha256 => strings::one(a, at, |it| text::digest("sha256", it).unwrap_or_default()),
        Function::MvAppend => multi::append(a, b, at),
        Function::MvAvg => multi::average(a, at),
        Function::MvConcat => multi::concat(a, b, at),
        Function::MvContains => multi::contains(a, b, at),
        Function::MvCount => multi::count(a, at),
        Function::MvDedupe => multi::dedupe(a, at),
        Function::MvFirst => multi::pick(a, at, multi::Pick::First),
        Function::MvLast => multi::pick(a, at, multi::Pick::Last),
        Function::MvMax => multi::pick(a, at, multi::Pick::Max),
        Function::MvMin => multi::pick(a, at, multi::Pick::Min),
        Function::MvMedian => multi::median(a, at),
        Function::MvIntersection => multi::intersection(a, b, at),
        Function::MvSlice => multi::slice(a, b, c, at),
        Function::MvSort => multi::sort(a, arguments.get(1).copied(), at),
        Function::MvSum => multi::sum(a, at),
        Function::MvZip => multi::zip(a, b, c, at),
        Function::DateDiff => dates::difference(a, b, c.unwrap_or(&null), at),
        Function::DateExtract => dates::extract(a, b, at),
        Function::DateFormat => dates::format(arguments, prepared, at),
        Function::DateParse => dates::parse(arguments, prepared, at),
        Function::DateTrunc => dates::truncate(b, prepared, at),
        Function::DayName => dates::name(a, at, crate::time::pattern::day_name),
        Function::MonthName => dates::name(a, at, crate::time::pattern::month_name),
        Function::Now => Column::Datetime(Cells::same(vec![crate::Millis(at.now)], at.rows)),
        Function::Bucket => dates::bucket(a, prepared, at),
        Function::CidrMatch => net::cidr_match(a, &arguments[1..], prepared, at),
        Function::IpPrefix => net::prefix(a, b, c.unwrap_or(&null), at),
        Function::Abs => math::abs(a, at),
        Function::Ceil => math::whole(a, at, f64::ceil),
        Function::Floor => math::whole(a, at, f64::floor),
        Function::Acos => math::domain(a, at, f64::acos, "Acos input out of range"),
        Function::Asin => math::domain(a, at, f64::asin, "Asin input out of range"),
        Function::Atan => math::double(a, at, f64::atan),
        Function::Atan2 => math::double2(a, b, at, f64::atan2),
        Function::Cbrt => math::double(a, at, f64::cbrt),
        Function::Cos => math::double(a, at, f64::cos),
        Function::Cosh => math::domain(a, at, f64::cosh, "cosh overflow"),
        Function::E => math::constant(std::f64::consts::E, at),
        Function::Exp => math::double(a, at, f64::exp),
        Function::Hypot => math::double2(a, b, at, f64::hypot),
        Function::Log => math::log(arguments, at),
        Function::Log10 => math::log10(a, at),
        Function::Pi => math::constant(std::f64::consts::PI, at),
        Function::Pow => math::double2(a, b, at, f64::powf),
        Function::Round => math::round(a, arguments.get(1).copied(), at),
        Function::Signum => math::double(a, at, |it| if it == 0.0 { it } else { it.signum() }),
        Function::Sin => math::double(a, at, f64::sin),
        Function::Sinh => math::domain(a, at, f64::sinh, "sinh overflow"),
        Function::Sqrt => math::sqrt(a, at),
        Function::Tan => math::double(a, at, f64::tan),
        Function::Tanh => math::double(a, at, f64::tanh),
        Function::Tau => math::constant(std::f64::consts::TAU, at),
        Function::ToDegrees => math::each(a, at, f64::to_degrees),
        Function::ToRadians => math::each(a, at, f64::to_radians),
        Function::ToBoolean => convert::to_boolean(a, at),
        Function::ToDatetime | Function::ToDateNanos => convert::to_datetime(a, at),
        Function::ToDouble => convert::to_double(a, at),
        Function::ToGeoPoint => convert::to_geo_point(a, at),
        Function::ToInteger => convert::to_integer(a, at),
        Function::ToIp => convert::to_ip(a, options, at),
        Function::ToLong => convert::to_long(a, arguments.get(1).copied(), at),
        Function::ToString | Function::ToText => convert::to_string(a, at),
        Function::ToUnsignedLong => convert::to_unsigned_long(a, at),
        Function::ToVersion => convert::to_version(a, at),
        Function::StDistance => net::distance(a, b, at),
        Function::StX => net::coordinate(a, at, |it| it.lon),
        Function::StY => net::coordinate(a, at, |it| it.lat),
        // Decided before columns are at hand, or elsewhere: `CASE` and `COALESCE` by `node`, searches by the source of
        // rows, aggregates over groups. Lengths of time are no columns.
        Function::Case
        | Function::Coalesce
        | Function::ToDatePeriod
        | Function::ToTimeDuration
        | Function::Kql
        | Function::Match
        | Function::Qstr
        | Function::Absent
        | Function::Avg
        | Function::Count
        | Function::CountDistinct
        | Function::First
        | Function::Last
        | Function::Max
        | Function::Median
        | Function::MedianAbsoluteDeviation
        | Function::Min
        | Function::Percentile
        | Function::Present
        | Function::StdDev
        | Function::Sum
        | Function::Top
        | Function::Values
        | Function::Variance
        | Function::WeightedAvg => Column::of_type(ty, std::iter::repeat_n(&crate::Value::Null, at.rows)),
    }
}
