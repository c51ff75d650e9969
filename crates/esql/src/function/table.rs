//! The list.

use super::{FunctionKind, Parameter, Returns, Spec, Types};
use crate::Type;

use Returns::{Common, Is, Own, Same, Sum, Widest};

/// A function or an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each is described by its line of the list")]
pub enum Function {
    Or,
    And,
    Not,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Negate,
    In,
    Like,
    RLike,
    IsNull,
    IsNotNull,
    Case,
    Coalesce,
    Greatest,
    Least,
    Concat,
    Contains,
    EndsWith,
    StartsWith,
    FromBase64,
    ToBase64,
    JsonExtract,
    Length,
    ByteLength,
    BitLength,
    Locate,
    Replace,
    Reverse,
    Repeat,
    Space,
    Split,
    Substring,
    Left,
    Right,
    ToLower,
    ToUpper,
    Trim,
    LTrim,
    RTrim,
    UrlDecode,
    UrlEncode,
    UrlEncodeComponent,
    Hash,
    Md5,
    Sha1,
    Sha256,
    MvAppend,
    MvAvg,
    MvConcat,
    MvContains,
    MvCount,
    MvDedupe,
    MvFirst,
    MvIntersection,
    MvLast,
    MvMax,
    MvMedian,
    MvMin,
    MvSlice,
    MvSort,
    MvSum,
    MvZip,
    DateDiff,
    DateExtract,
    DateFormat,
    DateParse,
    DateTrunc,
    DayName,
    MonthName,
    Now,
    Bucket,
    CidrMatch,
    IpPrefix,
    Abs,
    Acos,
    Asin,
    Atan,
    Atan2,
    Cbrt,
    Ceil,
    ClampMax,
    ClampMin,
    Clamp,
    Cos,
    Cosh,
    E,
    Exp,
    Floor,
    Hypot,
    Log,
    Log10,
    Pi,
    Pow,
    Round,
    Signum,
    Sin,
    Sinh,
    Sqrt,
    Tan,
    Tanh,
    Tau,
    ToBoolean,
    ToDatetime,
    ToDateNanos,
    ToDatePeriod,
    ToDegrees,
    ToDouble,
    ToGeoPoint,
    ToInteger,
    ToIp,
    ToLong,
    ToRadians,
    ToString,
    ToText,
    ToTimeDuration,
    ToUnsignedLong,
    ToVersion,
    StDistance,
    StX,
    StY,
    Kql,
    Match,
    Qstr,
    Absent,
    Avg,
    Count,
    CountDistinct,
    First,
    Last,
    Max,
    Median,
    MedianAbsoluteDeviation,
    Min,
    Percentile,
    Present,
    StdDev,
    Sum,
    Top,
    Values,
    Variance,
    WeightedAvg,
}

const BOOLEAN: Types = Types::of(&[Type::Boolean]);
const INTEGER: Types = Types::of(&[Type::Integer]);
const WHOLE: Types = Types::of(&[Type::Integer, Type::Long, Type::UnsignedLong]);
const NUMERIC: Types = WHOLE.or(Types::of(&[Type::Double]));
const STRING: Types = Types::of(&[Type::Keyword, Type::Text]);
const DATE: Types = Types::of(&[Type::Datetime, Type::DateNanos]);
const PERIOD: Types = Types::of(&[Type::DatePeriod]);
const DURATION: Types = Types::of(&[Type::TimeDuration]);
const SPAN: Types = PERIOD.or(DURATION);
const IP: Types = Types::of(&[Type::Ip]);
const VERSION: Types = Types::of(&[Type::Version]);
const GEO: Types = Types::of(&[Type::GeoPoint]);
const ORDERED: Types = NUMERIC.or(STRING).or(DATE).or(IP).or(VERSION).or(BOOLEAN);
const ANY: Types = ORDERED.or(GEO);
/// Also lengths of time, which are added to a date at once.
const CHOSEN: Types = ANY.or(SPAN);
/// Also what can only be carried.
const CARRIED: Types = ANY.or(Types::of(&[Type::Source, Type::Unsupported]));
const CALCULABLE: Types = NUMERIC.or(DATE).or(SPAN);
const JSON: Types = STRING.or(Types::of(&[Type::Source]));
const BUCKETABLE: Types = NUMERIC.or(DATE);
const SPAN_OR_NUMBER: Types = NUMERIC.or(SPAN);
const DATE_OR_NUMBER: Types = NUMERIC.or(DATE);
const SEARCHABLE: Types = ORDERED;
const TO_BOOLEAN: Types = STRING.or(NUMERIC).or(BOOLEAN);
const TO_DATE: Types = STRING.or(NUMERIC).or(DATE);
const TO_NUMBER: Types = STRING.or(NUMERIC).or(BOOLEAN).or(DATE);
const STRING_OR_PERIOD: Types = STRING.or(PERIOD);
const STRING_OR_DURATION: Types = STRING.or(DURATION);
const STRING_OR_GEO: Types = STRING.or(GEO);
const STRING_OR_IP: Types = STRING.or(IP);
const STRING_OR_VERSION: Types = STRING.or(VERSION);

const fn p(name: &'static str, takes: Types) -> Parameter {
    Parameter::new(name, takes)
}

type Parameters = &'static [Parameter];

const fn spec(
    kind: FunctionKind,
    function: Function,
    name: &'static str,
    parameters: Parameters,
    returns: Returns,
    doc: &'static str,
) -> Spec {
    Spec { function, name, aliases: &[], kind, parameters, returns, reads_clock: false, doc }
}

const fn op(
    function: Function,
    name: &'static str,
    parameters: Parameters,
    returns: Returns,
    doc: &'static str,
) -> Spec {
    spec(FunctionKind::Operator, function, name, parameters, returns, doc)
}

const fn scalar(
    function: Function,
    name: &'static str,
    parameters: Parameters,
    returns: Returns,
    doc: &'static str,
) -> Spec {
    spec(FunctionKind::Scalar, function, name, parameters, returns, doc)
}

const fn aggregate(
    function: Function,
    name: &'static str,
    parameters: Parameters,
    returns: Returns,
    doc: &'static str,
) -> Spec {
    spec(FunctionKind::Aggregate, function, name, parameters, returns, doc)
}

const fn search(
    function: Function,
    name: &'static str,
    parameters: Parameters,
    returns: Returns,
    doc: &'static str,
) -> Spec {
    spec(FunctionKind::Search, function, name, parameters, returns, doc)
}

const fn grouping(
    function: Function,
    name: &'static str,
    parameters: Parameters,
    returns: Returns,
    doc: &'static str,
) -> Spec {
    spec(FunctionKind::Grouping, function, name, parameters, returns, doc)
}

impl Spec {
    const fn also(self, aliases: &'static [&'static str]) -> Self {
        Self { aliases, ..self }
    }

    const fn clock(self) -> Self {
        Self { reads_clock: true, ..self }
    }
}

/// In the order of the variants, each in a line.
#[rustfmt::skip]
pub(super) static SPECS: [Spec; 150] = [
    op(Function::Or, "OR", &[p("left", BOOLEAN), p("right", BOOLEAN)], Is(Type::Boolean), "Whether any of both is true."),
    op(Function::And, "AND", &[p("left", BOOLEAN), p("right", BOOLEAN)], Is(Type::Boolean), "Whether both are true."),
    op(Function::Not, "NOT", &[p("value", BOOLEAN)], Is(Type::Boolean), "Whether it is false."),
    op(Function::Equal, "==", &[p("left", ANY), p("right", ANY)], Is(Type::Boolean), "Whether both are the same."),
    op(Function::NotEqual, "!=", &[p("left", ANY), p("right", ANY)], Is(Type::Boolean), "Whether they differ."),
    op(Function::Less, "<", &[p("left", ANY), p("right", ANY)], Is(Type::Boolean), "Whether the left is less."),
    op(Function::LessOrEqual, "<=", &[p("left", ANY), p("right", ANY)], Is(Type::Boolean), "Whether the left is no greater."),
    op(Function::Greater, ">", &[p("left", ANY), p("right", ANY)], Is(Type::Boolean), "Whether the left is greater."),
    op(Function::GreaterOrEqual, ">=", &[p("left", ANY), p("right", ANY)], Is(Type::Boolean), "Whether the left is no less."),
    op(Function::Add, "+", &[p("left", CALCULABLE), p("right", CALCULABLE)], Own, "The sum; of an instant and a length of time, a later instant."),
    op(Function::Subtract, "-", &[p("left", CALCULABLE), p("right", CALCULABLE)], Own, "The difference; of an instant and a length of time, an earlier instant."),
    op(Function::Multiply, "*", &[p("left", NUMERIC), p("right", NUMERIC)], Widest, "The product."),
    op(Function::Divide, "/", &[p("left", NUMERIC), p("right", NUMERIC)], Widest, "The quotient; of whole numbers, without its fraction."),
    op(Function::Modulo, "%", &[p("left", NUMERIC), p("right", NUMERIC)], Widest, "What is left of a division, with the sign of the left side."),
    op(Function::Negate, "-", &[p("value", CALCULABLE)], Same(0), "The opposite number."),
    op(Function::In, "IN", &[p("value", ANY), p("list", ANY).repeated()], Is(Type::Boolean), "Whether it is one of the list."),
    op(Function::Like, "LIKE", &[p("value", STRING), p("patterns", STRING).constant().repeated()], Is(Type::Boolean), "Whether it fits one of the patterns."),
    op(Function::RLike, "RLIKE", &[p("value", STRING), p("patterns", STRING).constant().repeated()], Is(Type::Boolean), "Whether it fits one of the regular expressions."),
    op(Function::IsNull, "IS NULL", &[p("value", CARRIED).several()], Is(Type::Boolean), "Whether it has no value."),
    op(Function::IsNotNull, "IS NOT NULL", &[p("value", CARRIED).several()], Is(Type::Boolean), "Whether it has a value."),
    scalar(Function::Case, "CASE", &[p("condition", BOOLEAN), p("value", CHOSEN).several(), p("more", CHOSEN).several().repeated()], Own, "The value behind the first condition that is true."),
    scalar(Function::Coalesce, "COALESCE", &[p("first", ANY).several(), p("rest", ANY).several().repeated()], Common(0), "The first that is not null."),
    scalar(Function::Greatest, "GREATEST", &[p("first", ORDERED).several(), p("rest", ORDERED).several().repeated()], Common(0), "The greatest."),
    scalar(Function::Least, "LEAST", &[p("first", ORDERED).several(), p("rest", ORDERED).several().repeated()], Common(0), "The least."),
    scalar(Function::Concat, "CONCAT", &[p("first", STRING), p("second", STRING), p("rest", STRING).repeated()], Is(Type::Keyword), "All texts as one."),
    scalar(Function::Contains, "CONTAINS", &[p("text", STRING), p("part", STRING)], Is(Type::Boolean), "Whether the text contains the part."),
    scalar(Function::EndsWith, "ENDS_WITH", &[p("text", STRING), p("end", STRING)], Is(Type::Boolean), "Whether the text ends so."),
    scalar(Function::StartsWith, "STARTS_WITH", &[p("text", STRING), p("start", STRING)], Is(Type::Boolean), "Whether the text begins so."),
    scalar(Function::FromBase64, "FROM_BASE64", &[p("text", STRING)], Is(Type::Keyword), "The text that is written in Base64."),
    scalar(Function::ToBase64, "TO_BASE64", &[p("text", STRING)], Is(Type::Keyword), "The text in Base64."),
    scalar(Function::JsonExtract, "JSON_EXTRACT", &[p("json", JSON), p("path", STRING)], Is(Type::Keyword), "What stands at a path of a JSON text."),
    scalar(Function::Length, "LENGTH", &[p("text", STRING)], Is(Type::Integer), "How many characters it has."),
    scalar(Function::ByteLength, "BYTE_LENGTH", &[p("text", STRING)], Is(Type::Integer), "How many bytes it has."),
    scalar(Function::BitLength, "BIT_LENGTH", &[p("text", STRING)], Is(Type::Integer), "How many bits it has."),
    scalar(Function::Locate, "LOCATE", &[p("text", STRING), p("part", STRING), p("start", INTEGER).optional()], Is(Type::Integer), "Where the part begins, from 1; 0 if it does not occur."),
    scalar(Function::Replace, "REPLACE", &[p("text", STRING), p("pattern", STRING), p("with", STRING)], Is(Type::Keyword), "The text with what fits a regular expression replaced."),
    scalar(Function::Reverse, "REVERSE", &[p("text", STRING)], Is(Type::Keyword), "The text from its end to its start."),
    scalar(Function::Repeat, "REPEAT", &[p("text", STRING), p("times", INTEGER)], Is(Type::Keyword), "The text several times."),
    scalar(Function::Space, "SPACE", &[p("count", INTEGER)], Is(Type::Keyword), "So many blanks."),
    scalar(Function::Split, "SPLIT", &[p("text", STRING), p("separator", STRING)], Is(Type::Keyword), "The parts between separators."),
    scalar(Function::Substring, "SUBSTRING", &[p("text", STRING), p("start", INTEGER), p("length", INTEGER).optional()], Is(Type::Keyword), "A part of a text, from 1."),
    scalar(Function::Left, "LEFT", &[p("text", STRING), p("length", INTEGER)], Is(Type::Keyword), "The first characters."),
    scalar(Function::Right, "RIGHT", &[p("text", STRING), p("length", INTEGER)], Is(Type::Keyword), "The last characters."),
    scalar(Function::ToLower, "TO_LOWER", &[p("text", STRING).several()], Is(Type::Keyword), "The text in lower case."),
    scalar(Function::ToUpper, "TO_UPPER", &[p("text", STRING).several()], Is(Type::Keyword), "The text in upper case."),
    scalar(Function::Trim, "TRIM", &[p("text", STRING)], Is(Type::Keyword), "The text without white space around it."),
    scalar(Function::LTrim, "LTRIM", &[p("text", STRING)], Is(Type::Keyword), "The text without white space before it."),
    scalar(Function::RTrim, "RTRIM", &[p("text", STRING)], Is(Type::Keyword), "The text without white space behind it."),
    scalar(Function::UrlDecode, "URL_DECODE", &[p("text", STRING)], Is(Type::Keyword), "The text with `%20` and its kin decoded."),
    scalar(Function::UrlEncode, "URL_ENCODE", &[p("text", STRING)], Is(Type::Keyword), "The text as it stands in a URL."),
    scalar(Function::UrlEncodeComponent, "URL_ENCODE_COMPONENT", &[p("text", STRING)], Is(Type::Keyword), "The text as it stands in a URL, a blank as `%20`."),
    scalar(Function::Hash, "HASH", &[p("algorithm", STRING), p("text", STRING)], Is(Type::Keyword), "The hash of a text, in hexadecimal digits."),
    scalar(Function::Md5, "MD5", &[p("text", STRING)], Is(Type::Keyword), "The MD5 hash."),
    scalar(Function::Sha1, "SHA1", &[p("text", STRING)], Is(Type::Keyword), "The SHA-1 hash."),
    scalar(Function::Sha256, "SHA256", &[p("text", STRING)], Is(Type::Keyword), "The SHA-256 hash."),
    scalar(Function::MvAppend, "MV_APPEND", &[p("first", ANY).several(), p("second", ANY).several()], Common(0), "The values of both."),
    scalar(Function::MvAvg, "MV_AVG", &[p("values", NUMERIC).several()], Is(Type::Double), "The mean of the values."),
    scalar(Function::MvConcat, "MV_CONCAT", &[p("values", STRING).several(), p("separator", STRING)], Is(Type::Keyword), "The values as one text."),
    scalar(Function::MvContains, "MV_CONTAINS", &[p("superset", ANY).several(), p("subset", ANY).several()], Is(Type::Boolean), "Whether all values of the second are among those of the first."),
    scalar(Function::MvCount, "MV_COUNT", &[p("values", ANY).several()], Is(Type::Integer), "How many values there are."),
    scalar(Function::MvDedupe, "MV_DEDUPE", &[p("values", ANY).several()], Same(0), "Each value once."),
    scalar(Function::MvFirst, "MV_FIRST", &[p("values", ANY).several()], Same(0), "The first value."),
    scalar(Function::MvIntersection, "MV_INTERSECTION", &[p("first", ANY).several(), p("second", ANY).several()], Common(0), "The values that are in both."),
    scalar(Function::MvLast, "MV_LAST", &[p("values", ANY).several()], Same(0), "The last value."),
    scalar(Function::MvMax, "MV_MAX", &[p("values", ORDERED).several()], Same(0), "The greatest value."),
    scalar(Function::MvMedian, "MV_MEDIAN", &[p("values", NUMERIC).several()], Same(0), "The value in the middle."),
    scalar(Function::MvMin, "MV_MIN", &[p("values", ORDERED).several()], Same(0), "The least value."),
    scalar(Function::MvSlice, "MV_SLICE", &[p("values", ANY).several(), p("start", INTEGER), p("end", INTEGER).optional()], Same(0), "Some of the values, from 0, the last included."),
    scalar(Function::MvSort, "MV_SORT", &[p("values", ORDERED).several(), p("order", STRING).constant().optional()], Same(0), "The values in order."),
    scalar(Function::MvSum, "MV_SUM", &[p("values", NUMERIC).several()], Same(0), "The sum of the values."),
    scalar(Function::MvZip, "MV_ZIP", &[p("first", STRING).several(), p("second", STRING).several(), p("separator", STRING).optional()], Is(Type::Keyword), "The values of both in pairs."),
    scalar(Function::DateDiff, "DATE_DIFF", &[p("unit", STRING), p("start", DATE), p("end", DATE)], Is(Type::Integer), "How many units lie between two instants."),
    scalar(Function::DateExtract, "DATE_EXTRACT", &[p("part", STRING), p("date", DATE)], Is(Type::Long), "A part of an instant, such as its hour."),
    scalar(Function::DateFormat, "DATE_FORMAT", &[p("format", STRING).optional(), p("date", DATE)], Is(Type::Keyword), "An instant as a text."),
    scalar(Function::DateParse, "DATE_PARSE", &[p("format", STRING).optional(), p("text", STRING)], Is(Type::Datetime), "A text as an instant."),
    scalar(Function::DateTrunc, "DATE_TRUNC", &[p("span", SPAN).constant(), p("date", DATE)], Same(1), "The start of the interval that an instant lies in."),
    scalar(Function::DayName, "DAY_NAME", &[p("date", DATE)], Is(Type::Keyword), "The name of the day of the week."),
    scalar(Function::MonthName, "MONTH_NAME", &[p("date", DATE)], Is(Type::Keyword), "The name of the month."),
    scalar(Function::Now, "NOW", &[], Is(Type::Datetime), "The time of the execution.").clock(),
    grouping(Function::Bucket, "BUCKET", &[p("field", BUCKETABLE), p("size", SPAN_OR_NUMBER).constant(), p("from", DATE_OR_NUMBER).constant().optional(), p("to", DATE_OR_NUMBER).constant().optional()], Own, "The start of the interval that a value lies in.").also(&["BIN"]),
    scalar(Function::CidrMatch, "CIDR_MATCH", &[p("ip", IP), p("block", STRING), p("rest", STRING).repeated()], Is(Type::Boolean), "Whether an address lies in any of the blocks."),
    scalar(Function::IpPrefix, "IP_PREFIX", &[p("ip", IP), p("v4", INTEGER), p("v6", INTEGER)], Is(Type::Ip), "An address with only its first bits."),
    scalar(Function::Abs, "ABS", &[p("number", NUMERIC)], Same(0), "The number without its sign."),
    scalar(Function::Acos, "ACOS", &[p("number", NUMERIC)], Is(Type::Double), "The arc cosine."),
    scalar(Function::Asin, "ASIN", &[p("number", NUMERIC)], Is(Type::Double), "The arc sine."),
    scalar(Function::Atan, "ATAN", &[p("number", NUMERIC)], Is(Type::Double), "The arc tangent."),
    scalar(Function::Atan2, "ATAN2", &[p("y", NUMERIC), p("x", NUMERIC)], Is(Type::Double), "The angle of a point."),
    scalar(Function::Cbrt, "CBRT", &[p("number", NUMERIC)], Is(Type::Double), "The cube root."),
    scalar(Function::Ceil, "CEIL", &[p("number", NUMERIC)], Same(0), "The next whole number up."),
    scalar(Function::ClampMax, "CLAMP_MAX", &[p("value", ORDERED), p("max", ORDERED)], Common(0), "The value, or the greatest that is allowed."),
    scalar(Function::ClampMin, "CLAMP_MIN", &[p("value", ORDERED), p("min", ORDERED)], Common(0), "The value, or the least that is allowed."),
    scalar(Function::Clamp, "CLAMP", &[p("value", ORDERED), p("min", ORDERED), p("max", ORDERED)], Common(0), "The value within bounds."),
    scalar(Function::Cos, "COS", &[p("number", NUMERIC)], Is(Type::Double), "The cosine."),
    scalar(Function::Cosh, "COSH", &[p("number", NUMERIC)], Is(Type::Double), "The hyperbolic cosine."),
    scalar(Function::E, "E", &[], Is(Type::Double), "Euler's number."),
    scalar(Function::Exp, "EXP", &[p("number", NUMERIC)], Is(Type::Double), "Euler's number to the power of this."),
    scalar(Function::Floor, "FLOOR", &[p("number", NUMERIC)], Same(0), "The next whole number down."),
    scalar(Function::Hypot, "HYPOT", &[p("first", NUMERIC), p("second", NUMERIC)], Is(Type::Double), "The hypotenuse."),
    scalar(Function::Log, "LOG", &[p("base", NUMERIC), p("number", NUMERIC).optional()], Is(Type::Double), "The logarithm: natural of one number, else to the base of the first."),
    scalar(Function::Log10, "LOG10", &[p("number", NUMERIC)], Is(Type::Double), "The logarithm to base 10."),
    scalar(Function::Pi, "PI", &[], Is(Type::Double), "The number pi."),
    scalar(Function::Pow, "POW", &[p("base", NUMERIC), p("exponent", NUMERIC)], Is(Type::Double), "The first to the power of the second."),
    scalar(Function::Round, "ROUND", &[p("number", NUMERIC), p("decimals", WHOLE).optional()], Same(0), "The nearest number with so many decimals."),
    scalar(Function::Signum, "SIGNUM", &[p("number", NUMERIC)], Is(Type::Double), "-1, 0 or 1."),
    scalar(Function::Sin, "SIN", &[p("number", NUMERIC)], Is(Type::Double), "The sine."),
    scalar(Function::Sinh, "SINH", &[p("number", NUMERIC)], Is(Type::Double), "The hyperbolic sine."),
    scalar(Function::Sqrt, "SQRT", &[p("number", NUMERIC)], Is(Type::Double), "The square root."),
    scalar(Function::Tan, "TAN", &[p("number", NUMERIC)], Is(Type::Double), "The tangent."),
    scalar(Function::Tanh, "TANH", &[p("number", NUMERIC)], Is(Type::Double), "The hyperbolic tangent."),
    scalar(Function::Tau, "TAU", &[], Is(Type::Double), "Twice pi."),
    scalar(Function::ToBoolean, "TO_BOOLEAN", &[p("value", TO_BOOLEAN).several()], Is(Type::Boolean), "As a truth value.").also(&["TO_BOOL"]),
    scalar(Function::ToDatetime, "TO_DATETIME", &[p("value", TO_DATE).several()], Is(Type::Datetime), "As an instant.").also(&["TO_DT"]),
    scalar(Function::ToDateNanos, "TO_DATE_NANOS", &[p("value", TO_DATE).several()], Is(Type::DateNanos), "As an instant in nanoseconds.").also(&["TO_DATENANOS"]),
    scalar(Function::ToDatePeriod, "TO_DATEPERIOD", &[p("value", STRING_OR_PERIOD).constant()], Is(Type::DatePeriod), "As a length of time by the calendar."),
    scalar(Function::ToDegrees, "TO_DEGREES", &[p("number", NUMERIC).several()], Is(Type::Double), "Radians as degrees."),
    scalar(Function::ToDouble, "TO_DOUBLE", &[p("value", TO_NUMBER).several()], Is(Type::Double), "As a number with a fraction.").also(&["TO_DBL"]),
    scalar(Function::ToGeoPoint, "TO_GEOPOINT", &[p("value", STRING_OR_GEO).several()], Is(Type::GeoPoint), "As a place."),
    scalar(Function::ToInteger, "TO_INTEGER", &[p("value", TO_NUMBER).several()], Is(Type::Integer), "As a whole number of 32 bits.").also(&["TO_INT"]),
    scalar(Function::ToIp, "TO_IP", &[p("value", STRING_OR_IP).several()], Is(Type::Ip), "As an address."),
    scalar(Function::ToLong, "TO_LONG", &[p("value", TO_NUMBER).several(), p("base", WHOLE).optional()], Is(Type::Long), "As a whole number of 64 bits."),
    scalar(Function::ToRadians, "TO_RADIANS", &[p("number", NUMERIC).several()], Is(Type::Double), "Degrees as radians."),
    scalar(Function::ToString, "TO_STRING", &[p("value", ANY).several()], Is(Type::Keyword), "As a text.").also(&["TO_STR"]),
    scalar(Function::ToText, "TO_TEXT", &[p("value", STRING).several()], Is(Type::Text), "As a text that may be searched."),
    scalar(Function::ToTimeDuration, "TO_TIMEDURATION", &[p("value", STRING_OR_DURATION).constant()], Is(Type::TimeDuration), "As a length of time."),
    scalar(Function::ToUnsignedLong, "TO_UNSIGNED_LONG", &[p("value", TO_NUMBER).several()], Is(Type::UnsignedLong), "As a whole number of 64 bits without a sign.").also(&["TO_UL", "TO_ULONG"]),
    scalar(Function::ToVersion, "TO_VERSION", &[p("value", STRING_OR_VERSION).several()], Is(Type::Version), "As a version.").also(&["TO_VER"]),
    scalar(Function::StDistance, "ST_DISTANCE", &[p("first", GEO), p("second", GEO)], Is(Type::Double), "The metres between two places."),
    scalar(Function::StX, "ST_X", &[p("place", GEO)], Is(Type::Double), "The longitude."),
    scalar(Function::StY, "ST_Y", &[p("place", GEO)], Is(Type::Double), "The latitude."),
    search(Function::Kql, "KQL", &[p("query", STRING).constant()], Is(Type::Boolean), "Whether the event matches a query in KQL."),
    search(Function::Match, "MATCH", &[p("field", SEARCHABLE), p("query", ANY).constant()], Is(Type::Boolean), "Whether the field matches a text."),
    search(Function::Qstr, "QSTR", &[p("query", STRING).constant()], Is(Type::Boolean), "Whether the event matches a query in Lucene's language."),
    aggregate(Function::Absent, "ABSENT", &[p("field", ANY).several()], Is(Type::Boolean), "Whether no row has a value."),
    aggregate(Function::Avg, "AVG", &[p("number", NUMERIC).several()], Is(Type::Double), "The mean of all values."),
    aggregate(Function::Count, "COUNT", &[p("field", CARRIED).several().optional()], Is(Type::Long), "How many values there are, or rows."),
    aggregate(Function::CountDistinct, "COUNT_DISTINCT", &[p("field", ORDERED).several(), p("precision", WHOLE).constant().optional()], Is(Type::Long), "How many different values there are."),
    aggregate(Function::First, "FIRST", &[p("value", ANY).several(), p("by", ORDERED).several()], Same(0), "The value of the row that comes first."),
    aggregate(Function::Last, "LAST", &[p("value", ANY).several(), p("by", ORDERED).several()], Same(0), "The value of the row that comes last."),
    aggregate(Function::Max, "MAX", &[p("field", ORDERED).several()], Same(0), "The greatest value."),
    aggregate(Function::Median, "MEDIAN", &[p("number", NUMERIC).several()], Is(Type::Double), "The value in the middle."),
    aggregate(Function::MedianAbsoluteDeviation, "MEDIAN_ABSOLUTE_DEVIATION", &[p("number", NUMERIC).several()], Is(Type::Double), "The median of the distances from the median."),
    aggregate(Function::Min, "MIN", &[p("field", ORDERED).several()], Same(0), "The least value."),
    aggregate(Function::Percentile, "PERCENTILE", &[p("number", NUMERIC).several(), p("percentile", NUMERIC).constant()], Is(Type::Double), "The value below which so many percent lie."),
    aggregate(Function::Present, "PRESENT", &[p("field", ANY).several()], Is(Type::Boolean), "Whether any row has a value."),
    aggregate(Function::StdDev, "STD_DEV", &[p("number", NUMERIC).several()], Is(Type::Double), "The standard deviation of the population."),
    aggregate(Function::Sum, "SUM", &[p("number", NUMERIC).several()], Sum, "The sum of all values."),
    aggregate(Function::Top, "TOP", &[p("field", ORDERED).several(), p("limit", WHOLE).constant(), p("order", STRING).constant().optional(), p("output", ORDERED).several().optional()], Own, "The greatest or the least values."),
    aggregate(Function::Values, "VALUES", &[p("field", ORDERED).several()], Same(0), "Each value once."),
    aggregate(Function::Variance, "VARIANCE", &[p("number", NUMERIC).several()], Is(Type::Double), "The variance of the population."),
    aggregate(Function::WeightedAvg, "WEIGHTED_AVG", &[p("number", NUMERIC).several(), p("weight", NUMERIC).several()], Is(Type::Double), "The mean, each value with its weight."),
];
