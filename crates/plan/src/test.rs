//! Questions about one raw value.

use ecs::FieldType;
use ecs::date::Format;

use crate::value::Computed;
use crate::{Expr, NumberType, Ranges, Regexp, Wildcard};

/// A question about one raw value. It knows how the field indexes a value (type, `ignore_above`, format), so a
/// value that the field would not index satisfies nothing.
///
/// That a field exists is the widest question of its type: any text, any number of the type, any date.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Test {
    /// The value's [text](ecs::Scalar::text) is one of these; sorted, without repeats. The most frequent test:
    /// decided by look-ups in a block's dictionary.
    Terms(Vec<String>),
    /// The text of a keyword, `wildcard` or one key of a `flattened` field.
    Keyword {
        /// How the field indexes it.
        field: KeywordField,
        /// The question.
        test: StringTest,
    },
    /// Any leaf of a `flattened` field: the text behind the NUL of [`Shape::FlattenedRoot`](ecs::Shape).
    FlattenedRoot {
        /// How the field indexes it.
        field: KeywordField,
        /// The question.
        test: StringTest,
    },
    /// The tokens of a text.
    Text(TextTest),
    /// The number is within.
    Number {
        /// How the field indexes it.
        ty: NumberType,
        /// Keys of the type.
        ranges: Ranges<i128>,
    },
    /// The address is within; IPv4 as mapped IPv6.
    Ip(Ranges<u128>),
    /// The instant is within.
    Date {
        /// How the field's dates are written.
        format: Format,
        /// In what the ranges count.
        resolution: Resolution,
        /// Since 1970.
        ranges: Ranges<i128>,
    },
    /// The truth value is one of these.
    Boolean {
        /// True qualifies.
        truth: bool,
        /// False qualifies.
        falsity: bool,
    },
    /// The text of a `version`: ranges by semantic version.
    Version(StringTest),
    /// The text of a place: that it is there.
    Place,
    /// A field that is not mapped: the kind of the JSON value decides which of these is asked.
    Dynamic {
        /// Of strings.
        string: Option<Box<Test>>,
        /// Of whole numbers.
        integer: Option<Box<Test>>,
        /// Of other numbers.
        float: Option<Box<Test>>,
        /// Of booleans.
        boolean: Option<Box<Test>>,
    },
    /// The object satisfies the whole expression; its paths are relative to the nested field.
    Nested(Box<Expr>),
    /// What is computed of the value is true.
    Computed(Box<Computed>),
}

/// How a keyword field indexes its values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeywordField {
    /// Longer values are not indexed.
    pub ignore_above: Option<IgnoreAbove>,
    /// Values are lower-cased.
    pub lowercase: bool,
}

/// The longest value that is indexed. What counts as long differs: Elasticsearch counts the characters of a keyword (unless
/// the document writes it with `\u` escapes) and Java's code units of a flattened leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IgnoreAbove {
    /// So many characters.
    Characters(u32),
    /// So many UTF-16 code units.
    CodeUnits(u32),
}

impl IgnoreAbove {
    /// The limit of a field of that type.
    pub fn of(ty: FieldType, limit: u32) -> Self {
        if ty == FieldType::Flattened { Self::CodeUnits(limit) } else { Self::Characters(limit) }
    }

    /// Whether a value is short enough.
    pub fn fits(self, text: &str) -> bool {
        let (Self::Characters(limit) | Self::CodeUnits(limit)) = self;
        // There is no more of either than there are bytes.
        text.len() <= limit as usize
            || match self {
                Self::Characters(_) => text.chars().nth(limit as usize).is_none(),
                Self::CodeUnits(_) => text.encode_utf16().nth(limit as usize).is_none(),
            }
    }
}

/// A question about one text: a keyword, or a token.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StringTest {
    /// There is one.
    Any,
    /// It is one of these; sorted, without repeats.
    Equals(Vec<String>),
    /// It begins so.
    Prefix(String),
    /// It fits the pattern.
    Wildcard(Wildcard),
    /// It fits the expression.
    Regexp(Regexp),
    /// It differs from the text by so many edits at most.
    Fuzzy {
        /// The text.
        text: String,
        /// How many edits.
        edits: u8,
    },
    /// It lies between, by the bytes of UTF-8.
    Range(TextRange),
}

/// Bounds of a text.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TextRange {
    /// The lower bound.
    pub lower: Option<TextBound>,
    /// The upper bound.
    pub upper: Option<TextBound>,
}

/// One end of a range of texts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TextBound {
    /// The end.
    pub text: String,
    /// Whether the end itself is within.
    pub inclusive: bool,
}

/// A question about the tokens of one text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TextTest {
    /// There is a text, even without tokens.
    Any,
    /// Some token satisfies this.
    Token(StringTest),
    /// These tokens, adjacent and in order, but for `slop` moves.
    Phrase {
        /// At least two.
        tokens: Vec<String>,
        /// How many moves are allowed.
        slop: u32,
    },
}

/// In what the ranges of a [`Test::Date`] count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resolution {
    /// Milliseconds.
    Millis,
    /// Nanoseconds.
    Nanos,
}

impl Test {
    /// The question whether the text equals this one.
    pub fn term(text: impl Into<String>) -> Self {
        Self::Terms(vec![text.into()])
    }

    /// The question whether the text equals one of these.
    pub fn terms(mut texts: Vec<String>) -> Self {
        texts.sort_unstable();
        texts.dedup();
        Self::Terms(texts)
    }
}
