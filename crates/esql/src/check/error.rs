//! Why a query does not fit the columns, and what to write instead.

use span::{Diagnostic, Severity, Span};

use crate::Type;

/// Why a query does not fit, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CheckError {
    pub(crate) kind: CheckErrorKind,
    pub(crate) span: Span,
}

/// Why a query does not fit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CheckErrorKind {
    #[error("unknown column `{name}`")]
    UnknownColumn { name: String, similar: Option<String> },
    #[error("unknown function `{name}`")]
    UnknownFunction { name: String, similar: Option<&'static str> },
    #[error("the function {name} is not supported")]
    UnsupportedFunction { name: &'static str },
    #[error("`{name}` is nothing that METADATA knows")]
    UnknownMetadata { name: String },
    #[error("`{name}` stands there twice")]
    Repeated { name: String },
    #[error("no column is called like `{pattern}`")]
    NoMatch { pattern: String },
    #[error("{function} takes {expected}, not {found}")]
    ArgumentCount { function: &'static str, expected: String, found: usize },
    #[error("the {argument} of {function} has to be {expected}, found {found}")]
    ArgumentType { function: &'static str, argument: String, expected: String, found: Type },
    #[error("the {argument} of {function} has to be the same for all rows")]
    NotConstant { function: &'static str, argument: &'static str },
    #[error("`{operator}` cannot be asked of {left} and {right}")]
    Operands { operator: &'static str, left: Type, right: Type },
    #[error("{left} and {right} do not mix")]
    Unsigned { left: Type, right: Type },
    #[error("a condition has to be true or false, found {found}")]
    Condition { found: Type },
    #[error("the aggregate {function} can only stand in STATS and INLINE STATS")]
    AggregateOutside { function: &'static str },
    #[error("{function} can only stand behind BY of STATS")]
    GroupingOutside { function: &'static str },
    #[error("the aggregate {function} cannot stand in another")]
    NestedAggregate { function: &'static str },
    #[error("`{name}` is neither in an aggregate nor behind BY")]
    NotGrouped { name: String },
    #[error("expected an aggregate function, found `{found}`")]
    NotAggregate { found: String },
    #[error("`{text}` is no {ty}")]
    Literal { text: String, ty: Type },
    #[error("`{name}` is of the type {stored}, which can only be kept and dropped")]
    UnsupportedType { name: String, stored: String },
    #[error("LIMIT needs a whole number that is not negative")]
    Limit,
    #[error("unknown type `{name}`")]
    UnknownType { name: String },
    #[error("{0}")]
    Pattern(String),
    #[error("`\\` in a pattern of LIKE escapes only `*`, `?` and itself")]
    LikeEscape,
    #[error("DROP * leaves nothing")]
    DropAll,
    #[error("{what} asks events, and can only stand in WHERE")]
    SearchPlace { what: String },
    #[error("{what} cannot be asked behind {command}: the rows are no events any more")]
    SearchAfter { what: String, command: &'static str },
    #[error("`{name}` is no field of the events")]
    SearchField { name: String },
    #[error("unknown table `{name}`")]
    UnknownTable { name: String, similar: Option<String> },
    #[error("cannot find the enrich policy `{name}`")]
    UnknownPolicy { name: String, similar: Option<String> },
    #[error("the {side} has no column `{name}`")]
    NoKey { side: &'static str, name: String },
    #[error("a {ty} is no value of a column")]
    SpanColumn { ty: Type },
    #[error("{function} has no option `{name}`")]
    UnknownOption { function: &'static str, name: String, known: &'static [&'static str] },
    #[error("`{value}` is no value of `{name}`")]
    OptionValue { name: String, value: String },
    #[error("there is no setting `{name}`")]
    UnknownSetting { name: String },
    #[error("all values of {function} have to be of one type: this is {found}, the first is {first}")]
    TypesDiffer { function: &'static str, first: Type, found: Type },
    #[error("rows cannot be sorted by {ty}")]
    Unsortable { ty: Type },
    #[error("`*` can only stand in COUNT")]
    Star,
    #[error("the calendar and hours do not add up: {left} and {right}")]
    Spans { left: Type, right: Type },
    /// What another language says of its text.
    #[error("{}", .0.message)]
    Other(Diagnostic),
}

impl CheckErrorKind {
    pub(crate) fn at(self, span: Span) -> CheckError {
        CheckError { kind: self, span }
    }

    /// Codes are never reused.
    fn code(&self) -> &'static str {
        match self {
            Self::UnknownColumn { .. } => "ESQL101",
            Self::UnknownFunction { .. } => "ESQL102",
            Self::UnsupportedFunction { .. } => "ESQL103",
            Self::UnknownMetadata { .. } => "ESQL104",
            Self::Repeated { .. } => "ESQL105",
            Self::NoMatch { .. } => "ESQL106",
            Self::ArgumentCount { .. } => "ESQL107",
            Self::ArgumentType { .. } => "ESQL108",
            Self::NotConstant { .. } => "ESQL109",
            Self::Operands { .. } => "ESQL110",
            Self::Unsigned { .. } => "ESQL111",
            Self::Condition { .. } => "ESQL112",
            Self::AggregateOutside { .. } => "ESQL113",
            Self::GroupingOutside { .. } => "ESQL114",
            Self::NestedAggregate { .. } => "ESQL115",
            Self::NotGrouped { .. } => "ESQL116",
            Self::NotAggregate { .. } => "ESQL117",
            Self::Literal { .. } => "ESQL118",
            Self::UnsupportedType { .. } => "ESQL119",
            Self::Limit => "ESQL120",
            Self::UnknownType { .. } => "ESQL121",
            Self::Pattern(_) => "ESQL122",
            Self::LikeEscape => "ESQL123",
            Self::DropAll => "ESQL124",
            Self::SearchPlace { .. } => "ESQL125",
            Self::SearchAfter { .. } => "ESQL126",
            Self::SearchField { .. } => "ESQL127",
            Self::UnknownTable { .. } => "ESQL128",
            Self::UnknownPolicy { .. } => "ESQL129",
            Self::NoKey { .. } => "ESQL130",
            Self::SpanColumn { .. } => "ESQL131",
            Self::UnknownOption { .. } => "ESQL132",
            Self::OptionValue { .. } => "ESQL133",
            Self::UnknownSetting { .. } => "ESQL134",
            Self::TypesDiffer { .. } => "ESQL135",
            Self::Unsortable { .. } => "ESQL136",
            Self::Star => "ESQL137",
            Self::Spans { .. } => "ESQL138",
            Self::Other(found) => found.code,
        }
    }

    fn help(&self) -> Option<String> {
        let meant = |similar: Option<&str>| similar.map(|it| format!("did you mean `{it}`?"));
        Some(match self {
            Self::UnknownColumn { similar, .. }
            | Self::UnknownTable { similar, .. }
            | Self::UnknownPolicy { similar, .. } => return meant(similar.as_deref()),
            Self::UnknownFunction { similar, .. } => return meant(*similar),
            Self::UnsupportedFunction { name } => match *name {
                "CATEGORIZE" => "group by a part of the text that GROK or DISSECT finds",
                "RATE" | "TBUCKET" | "TRANGE" => "group by DATE_TRUNC",
                "MATCH_PHRASE" | "MULTI_MATCH" | "TERM" => "write MATCH, or KQL with a text in quotes",
                "SAMPLE" | "RANDOM" => "the same events must give the same alerts; write VALUES or TOP",
                _ => "compute it otherwise",
            }
            .to_owned(),
            Self::UnknownMetadata { .. } => {
                "write `_id`, `_index`, `_version`, `_source`, `_ignored`, `_index_mode` or `_score`".to_owned()
            }
            Self::Repeated { .. } => "remove one".to_owned(),
            Self::NoMatch { .. } => "columns that an earlier KEEP, DROP or STATS left out are gone".to_owned(),
            Self::ArgumentType { found, expected, .. } => return conversion(*found, expected),
            Self::NotConstant { .. } => "write the value itself".to_owned(),
            Self::Operands { left, right, .. } => match (left, right) {
                (Type::Datetime | Type::DateNanos, Type::Datetime | Type::DateNanos) => {
                    "write DATE_DIFF(\"seconds\", start, end)".to_owned()
                }
                (left, right) => return both(*left, *right),
            },
            Self::Unsigned { .. } => "cast one of both, such as `value::unsigned_long`".to_owned(),
            Self::Condition { found } => match found {
                Type::Keyword | Type::Text => "compare it, such as `… == \"true\"`, or write TO_BOOLEAN(…)",
                _ => "compare it, such as `… != 0`",
            }
            .to_owned(),
            Self::AggregateOutside { function } => match *function {
                "MIN" | "MAX" | "SUM" | "AVG" | "COUNT" | "MEDIAN" | "FIRST" | "LAST" => {
                    format!("of the values of one row, write MV_{function}(…)")
                }
                _ => "write STATS, or INLINE STATS to keep the rows".to_owned(),
            },
            Self::GroupingOutside { .. } => "write DATE_TRUNC".to_owned(),
            Self::NestedAggregate { .. } => "compute the inner one in a STATS before".to_owned(),
            Self::NotGrouped { name } => format!("write VALUES({name}), or put it behind BY"),
            Self::NotAggregate { .. } => "write such as COUNT(*), or compute it in an EVAL behind STATS".to_owned(),
            Self::Literal { ty, .. } => match ty {
                Type::Datetime | Type::DateNanos => {
                    "write such as \"2024-05-31T12:00:00Z\"; for a time that moves, NOW() - 1 hour".to_owned()
                }
                Type::Ip => "write such as \"10.0.0.1\" or \"::1\"; a network is asked by CIDR_MATCH".to_owned(),
                Type::DatePeriod | Type::TimeDuration => "write such as 1 day or 5 minutes".to_owned(),
                _ => return None,
            },
            Self::UnsupportedType { .. } => "ask it by KQL(\"…\") in a WHERE before all other commands".to_owned(),
            Self::UnknownType { .. } => {
                "the types are boolean, integer, long, double, unsigned_long, keyword, datetime, date_nanos, ip, version, geo_point, date_period and time_duration".to_owned()
            }
            Self::LikeEscape => "write `\\\\\\\\` in \"…\", or `\\\\` in \"\"\"…\"\"\", for a backslash".to_owned(),
            Self::SearchPlace { .. } => "write it in a WHERE, next to FROM".to_owned(),
            Self::SearchAfter { .. } => "move the WHERE before it".to_owned(),
            Self::SearchField { .. } => "MATCH and `:` ask fields as they are, not columns that were computed or renamed".to_owned(),
            Self::NoKey { .. } => "RENAME it before".to_owned(),
            Self::SpanColumn { .. } => "add it to a date, or write it where it is needed".to_owned(),
            Self::UnknownOption { known: [], .. } => "it has none".to_owned(),
            Self::UnknownOption { known, .. } => format!("it has {}", known.join(", ")),
            Self::UnknownSetting { .. } => "there is `unmapped_fields`".to_owned(),
            Self::TypesDiffer { first, .. } => format!("convert it, such as `…::{first}`"),
            Self::Unsortable { .. } => "sort by something computed of it, such as ST_X(…)".to_owned(),
            Self::Spans { .. } => "add them to a date one after the other".to_owned(),
            Self::Other(found) => return found.help.clone(),
            Self::ArgumentCount { .. } | Self::Limit | Self::Pattern(_) | Self::DropAll | Self::OptionValue { .. } | Self::Star => {
                return None;
            }
        })
    }
}

/// How something becomes what is expected.
fn conversion(found: Type, expected: &str) -> Option<String> {
    let to = match expected {
        "a text" => "TO_STRING(…)",
        "a date" => "TO_DATETIME(…)",
        "an address" => "TO_IP(…)",
        "a number" => "TO_DOUBLE(…), or TO_LONG(…)",
        "a truth value" => "a comparison",
        _ => return None,
    };
    (found != Type::Unsupported).then(|| format!("write {to}"))
}

/// How two types become one.
fn both(left: Type, right: Type) -> Option<String> {
    Some(match (left, right) {
        (Type::Keyword | Type::Text, right) if right.is_numeric() => {
            "write the number in double quotes, or TO_LONG(…) of the text".to_owned()
        }
        (left, Type::Keyword | Type::Text) if left.is_numeric() => {
            "write the number without quotes, or TO_LONG(…) of the text".to_owned()
        }
        (Type::Datetime, right) if right.is_numeric() => {
            "write a date in double quotes, or TO_LONG(…) of the date".to_owned()
        }
        (left, right) if left != right => format!("convert one of both, such as `…::{left}`"),
        _ => return None,
    })
}

impl CheckError {
    pub(crate) fn into_diagnostic(self) -> Diagnostic {
        let help = self.kind.help();
        let code = self.kind.code();
        let mut found = Diagnostic::new(Severity::Error, code, self.kind.to_string(), self.span);
        found.help = help;
        match &self.kind {
            CheckErrorKind::UnknownColumn { similar: Some(similar), .. } => {
                found = found.edit(self.span, similar.as_str());
            }
            CheckErrorKind::UnknownFunction { similar: Some(similar), .. } => {
                found = found.edit(self.span, *similar);
            }
            CheckErrorKind::Other(inner) => return Diagnostic { edits: Vec::new(), ..inner.clone() },
            _ => {}
        }
        found
    }
}
