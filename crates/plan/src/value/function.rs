//! The functions and operators that expressions are made of, and what they take.

use ecs::date::{DateError, DateMath, Format, Rounding};

use super::{Datum, JavaRegexp, Like, Type, ValueExpr};
use crate::matcher::parse_address;
use crate::{Ranges, Resolution};

/// A function or an operator. Null in any argument gives null, unless it says otherwise.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Function {
    /// All are true. False if any is false, whatever else is null.
    And,
    /// Any is true. True if any is, whatever else is null.
    Or,
    /// It is false.
    Not,
    /// It is null; never null itself.
    IsNull,
    /// It is not null; never null itself.
    IsNotNull,
    /// Both are equal: numbers by value, texts exactly, a date if the other's period covers it.
    Equals,
    /// The first is less.
    Less,
    /// The first is not greater.
    LessOrEqual,
    /// The first is greater.
    Greater,
    /// The first is not less.
    GreaterOrEqual,
    /// The first equals one of the others. If it does not, and one of them is null, null.
    OneOf(Case),
    /// Sum.
    Add,
    /// Difference.
    Subtract,
    /// Product.
    Multiply,
    /// Quotient; of whole numbers whole, cut towards zero.
    Divide,
    /// Rest of the division, with the sign of the first.
    Modulo,
    /// The number with the other sign.
    Negate,
    /// How many UTF-16 units a text has.
    Length,
    /// The value as text.
    ToText,
    /// The number that a text is, of the base that the second argument says: without it 10, or 16 after `0x`. Null if the
    /// text is no number.
    ToNumber,
    /// All values as texts, joined.
    Concat,
    /// The first begins with the second.
    StartsWith(Case),
    /// The first ends with the second.
    EndsWith(Case),
    /// The first contains the second, which is not empty.
    Contains(Case),
    /// Where in the first the second begins, at the third or after it; null if it does not.
    IndexOf(Case),
    /// The part of a text from one position to before another. Negative ones count from the end, a null one leaves the
    /// end open.
    Substring,
    /// What stands in the first between the second and the third: the next one, or the last if the fourth is true. Null if
    /// either is absent.
    Between(Case),
    /// The address lies in one of these.
    WithinCidr(Ranges<u128>),
    /// The whole text fits one of the patterns.
    Like(Like),
    /// The whole text fits one of the expressions.
    Matches(Vec<JavaRegexp>),
}

/// Whether upper and lower case of letters are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Case {
    /// They differ.
    Exact,
    /// They are the same, of all letters.
    Ignored,
}

/// Why a function cannot be called so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// Too few or too many arguments.
    #[error("`{function}` takes {takes}, not {given}")]
    Count {
        /// The function.
        function: &'static str,
        /// How many it takes, in words.
        takes: &'static str,
        /// How many there are.
        given: usize,
    },
    /// An argument of the wrong type.
    #[error("`{function}` needs {expected} here, not {found}")]
    Type {
        /// The function.
        function: &'static str,
        /// Which argument, from 0.
        argument: usize,
        /// What it may be.
        expected: &'static str,
        /// What it is.
        found: Type,
    },
    /// Values that have nothing in common.
    #[error("{left} cannot be compared with {right}")]
    Incomparable {
        /// Which argument is wrong, from 0.
        argument: usize,
        /// The type of the first.
        left: Type,
        /// The type of the other.
        right: Type,
    },
    /// A text that should be an address.
    #[error("`{value}` is no IP address")]
    NotAnAddress {
        /// The text.
        value: String,
    },
    /// A text that should be a date.
    #[error("{0}")]
    NotADate(DateError),
    /// A text that should be a number.
    #[error("`{value}` is no number")]
    NotANumber {
        /// The text.
        value: String,
    },
}

impl CallError {
    /// A stable code for documentation, tests and the HTTP API. Codes are never reused.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Count { .. } => "PLAN017",
            Self::Type { .. } => "PLAN018",
            Self::Incomparable { .. } => "PLAN019",
            Self::NotAnAddress { .. } => "PLAN020",
            Self::NotADate(_) => "PLAN021",
            Self::NotANumber { .. } => "PLAN022",
        }
    }

    /// Which argument is to blame, from 0, if one is.
    pub fn argument(&self) -> Option<usize> {
        match self {
            Self::Type { argument, .. } | Self::Incomparable { argument, .. } => Some(*argument),
            Self::Count { .. } | Self::NotAnAddress { .. } | Self::NotADate(_) | Self::NotANumber { .. } => {
                None
            }
        }
    }
}

impl Function {
    /// Its name, or its sign.
    pub fn name(&self) -> &'static str {
        let case = |case: &Case, exact, ignored| if *case == Case::Exact { exact } else { ignored };
        match self {
            Self::And => "and",
            Self::Or => "or",
            Self::Not => "not",
            Self::IsNull => "== null",
            Self::IsNotNull => "!= null",
            Self::Equals => "==",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::OneOf(it) => case(it, "in", "in~"),
            Self::Add => "+",
            Self::Subtract | Self::Negate => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Modulo => "%",
            Self::Length => "length",
            Self::ToText => "string",
            Self::ToNumber => "number",
            Self::Concat => "concat",
            Self::StartsWith(it) => case(it, "startsWith", "startsWith~"),
            Self::EndsWith(it) => case(it, "endsWith", "endsWith~"),
            Self::Contains(it) => case(it, "stringContains", "stringContains~"),
            Self::IndexOf(it) => case(it, "indexOf", "indexOf~"),
            Self::Substring => "substring",
            Self::Between(it) => case(it, "between", "between~"),
            Self::WithinCidr(_) => "cidrMatch",
            Self::Like(it) => case(&it.case(), "like", "like~"),
            Self::Matches(any) if any.iter().any(JavaRegexp::fold) => "regex~",
            Self::Matches(_) => "regex",
        }
    }

    /// The type of its values.
    pub(super) fn ty(&self, arguments: &[ValueExpr]) -> Type {
        match self {
            Self::And
            | Self::Or
            | Self::Not
            | Self::IsNull
            | Self::IsNotNull
            | Self::Equals
            | Self::Less
            | Self::LessOrEqual
            | Self::Greater
            | Self::GreaterOrEqual
            | Self::OneOf(_)
            | Self::StartsWith(_)
            | Self::EndsWith(_)
            | Self::Contains(_)
            | Self::WithinCidr(_)
            | Self::Like(_)
            | Self::Matches(_) => Type::Bool,
            Self::Add | Self::Subtract | Self::Multiply | Self::Divide | Self::Modulo | Self::Negate => {
                if arguments.iter().all(|it| it.ty() == Type::Int) {
                    Type::Int
                } else {
                    Type::Double
                }
            }
            Self::Length | Self::IndexOf(_) => Type::Int,
            Self::ToNumber => Type::Double,
            Self::ToText | Self::Concat | Self::Substring | Self::Between(_) => Type::Text,
        }
    }

    /// Whether null in an argument makes it null.
    pub(super) fn is_strict(&self) -> bool {
        match self {
            Self::And
            | Self::Or
            | Self::IsNull
            | Self::IsNotNull
            | Self::OneOf(_)
            | Self::IndexOf(_)
            | Self::Substring
            | Self::ToNumber => false,
            Self::Not
            | Self::Equals
            | Self::Less
            | Self::LessOrEqual
            | Self::Greater
            | Self::GreaterOrEqual
            | Self::Add
            | Self::Subtract
            | Self::Multiply
            | Self::Divide
            | Self::Modulo
            | Self::Negate
            | Self::Length
            | Self::ToText
            | Self::Concat
            | Self::StartsWith(_)
            | Self::EndsWith(_)
            | Self::Contains(_)
            | Self::Between(_)
            | Self::WithinCidr(_)
            | Self::Like(_)
            | Self::Matches(_) => true,
        }
    }

    /// Checks the arguments, and gives constants the type that they are compared as.
    pub(super) fn check(&self, arguments: &mut [ValueExpr]) -> Result<(), CallError> {
        let (least, most, takes) = self.counts();
        if arguments.len() < least || arguments.len() > most {
            return Err(CallError::Count { function: self.name(), takes, given: arguments.len() });
        }
        if self.compares() {
            return comparable(arguments);
        }
        if let Self::WithinCidr(_) = self {
            as_type(&mut arguments[0], Type::Ip)?;
        }
        for (at, argument) in arguments.iter().enumerate() {
            let found = argument.ty();
            let Some(expected) = self.wrong(at, found) else { continue };
            return Err(CallError::Type { function: self.name(), argument: at, expected, found });
        }
        Ok(())
    }

    /// Whether it compares its arguments, whatever their type.
    fn compares(&self) -> bool {
        let is_order = matches!(self, Self::Less | Self::LessOrEqual | Self::Greater | Self::GreaterOrEqual);
        is_order || matches!(self, Self::Equals | Self::OneOf(Case::Exact))
    }

    /// The least and the greatest number of arguments, and in words.
    fn counts(&self) -> (usize, usize, &'static str) {
        match self {
            Self::And | Self::Or | Self::Concat => (1, usize::MAX, "at least one argument"),
            Self::OneOf(_) => (2, usize::MAX, "a value and at least one to compare it with"),
            Self::Not
            | Self::IsNull
            | Self::IsNotNull
            | Self::Negate
            | Self::Length
            | Self::ToText
            | Self::WithinCidr(_)
            | Self::Like(_)
            | Self::Matches(_) => (1, 1, "one argument"),
            Self::Equals
            | Self::Less
            | Self::LessOrEqual
            | Self::Greater
            | Self::GreaterOrEqual
            | Self::Add
            | Self::Subtract
            | Self::Multiply
            | Self::Divide
            | Self::Modulo
            | Self::StartsWith(_)
            | Self::EndsWith(_)
            | Self::Contains(_) => (2, 2, "two arguments"),
            Self::ToNumber => (1, 2, "one or two arguments"),
            Self::IndexOf(_) | Self::Substring => (2, 3, "two or three arguments"),
            Self::Between(_) => (3, 4, "three or four arguments"),
        }
    }

    /// What the argument should be, if it cannot be of the type.
    fn wrong(&self, at: usize, found: Type) -> Option<&'static str> {
        let is = |fits: bool, expected| if fits { None } else { Some(expected) };
        let text = || is(found.may_be(Type::Text), "a text");
        let number = || is(found.may_be_number(), "a number");
        let boolean = || is(found.may_be(Type::Bool), "a boolean");
        // Whether a computed number is whole shows when it is computed.
        let whole = || is(found.may_be_number(), "a whole number");
        match self {
            Self::And | Self::Or | Self::Not => boolean(),
            Self::IsNull
            | Self::IsNotNull
            | Self::ToText
            | Self::Concat
            | Self::Equals
            | Self::Less
            | Self::LessOrEqual
            | Self::Greater
            | Self::GreaterOrEqual
            | Self::OneOf(Case::Exact) => None,
            Self::Add | Self::Subtract | Self::Multiply | Self::Divide | Self::Modulo | Self::Negate => {
                number()
            }
            Self::ToNumber | Self::Substring if at > 0 => whole(),
            Self::IndexOf(_) if at > 1 => whole(),
            Self::Between(_) if at > 2 => boolean(),
            Self::OneOf(Case::Ignored)
            | Self::Length
            | Self::StartsWith(_)
            | Self::EndsWith(_)
            | Self::Contains(_)
            | Self::Like(_)
            | Self::Matches(_)
            | Self::ToNumber
            | Self::Substring
            | Self::IndexOf(_)
            | Self::Between(_) => text(),
            Self::WithinCidr(_) => is(found.may_be(Type::Ip), "an IP address"),
        }
    }
}

/// Checks that all can be compared with the first.
fn comparable(arguments: &mut [ValueExpr]) -> Result<(), CallError> {
    // A constant becomes what it is compared with, on whichever side it stands.
    let ty = arguments.iter().find(|it| !matches!(it, ValueExpr::Const(_))).unwrap_or(&arguments[0]).ty();
    for argument in arguments.iter_mut() {
        as_type(argument, ty)?;
    }
    let left = arguments[0].ty();
    for (at, argument) in arguments.iter().enumerate().skip(1) {
        let right = argument.ty();
        let are_numbers = left.may_be_number() && right.may_be_number();
        if !are_numbers && !left.may_be(right) && !right.may_be(left) {
            return Err(CallError::Incomparable { argument: at, left, right });
        }
    }
    Ok(())
}

/// Makes a constant text an address, a date or a version, and a constant number a date, where that is what it is compared
/// with.
fn as_type(argument: &mut ValueExpr, ty: Type) -> Result<(), CallError> {
    let ValueExpr::Const(datum) = argument else { return Ok(()) };
    let converted = match (&*datum, ty) {
        (Datum::Text(text), Type::Ip) => address(text).map(Datum::Ip)?,
        (Datum::Text(text), Type::Date) => period(text)?,
        (Datum::Text(text), Type::Version) => Datum::Version(text.clone()),
        (Datum::Int(millis), Type::Date) => Datum::date_of_millis(*millis),
        _ => return Ok(()),
    };
    *datum = converted;
    Ok(())
}

fn address(text: &str) -> Result<u128, CallError> {
    parse_address(text).ok_or_else(|| CallError::NotAnAddress { value: text.to_owned() })
}

/// The instants that a date may mean.
fn period(text: &str) -> Result<Datum<'static>, CallError> {
    let math = DateMath::of_query(text, &Format::default(), 0).map_err(CallError::NotADate)?;
    if math.reads_clock() {
        let (text, format) = (text.to_owned(), Format::default().name());
        return Err(CallError::NotADate(DateError::NotADate { text, format }));
    }
    let end = |rounding| Resolution::Nanos.key(math.at(0, rounding));
    Ok(match (end(Rounding::Down), end(Rounding::Up)) {
        (first, last) if first == last => Datum::Date(first),
        (first, last) => Datum::Period(first, last),
    })
}
