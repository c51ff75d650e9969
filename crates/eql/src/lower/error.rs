//! Why a query does not fit the fields.

use plan::LowerErrorKind;
use plan::value::{CallError, JavaRegexpError, Type};
use span::{Diagnostic, Severity, Span};

/// Why a query does not fit the fields, and where.
pub(crate) struct CheckError {
    pub(crate) kind: CheckErrorKind,
    pub(crate) span: Span,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum CheckErrorKind {
    #[error("there is no field `{field}`")]
    UnknownField { field: String },
    #[error("`{field}` is text, cut into words, and has no field below it that holds it whole")]
    TextField { field: String },
    #[error("`{field}` lies in a nested field, which this language cannot ask")]
    Nested { field: String },
    #[error("`{field}` is of type {ty}, which has no values to compare")]
    Object { field: String, ty: &'static str },
    #[error("a condition is true or false; this is {ty}")]
    NotBoolean { ty: Type },
    #[error("there is no function `{name}`")]
    UnknownFunction { name: String, instead: Option<&'static str> },
    #[error("one side of a comparison has to be constant")]
    NotConstant,
    #[error("`{function}` knows no `~`")]
    NoFold { function: &'static str },
    #[error("{error}")]
    Call { error: CallError },
    #[error("`{function}` takes an address and at least one block of addresses")]
    NoBlock { function: &'static str },
    #[error("the blocks of `cidrMatch` have to be constant texts")]
    BlockNotConstant,
    #[error("{error}")]
    NotABlock { error: LowerErrorKind },
    #[error("`{value}` is no regular expression: {error}")]
    Regexp { value: String, error: JavaRegexpError },
    #[error("this has no value: it divides by zero, or 64 bits do not hold it")]
    NoValue,
}

impl CheckError {
    /// Codes are never reused.
    fn code(&self) -> &'static str {
        match &self.kind {
            CheckErrorKind::UnknownField { .. } => "EQL101",
            CheckErrorKind::TextField { .. } => "EQL102",
            CheckErrorKind::Nested { .. } => "EQL103",
            CheckErrorKind::Object { .. } => "EQL104",
            CheckErrorKind::NotBoolean { .. } => "EQL105",
            CheckErrorKind::UnknownFunction { .. } => "EQL106",
            CheckErrorKind::NotConstant => "EQL107",
            CheckErrorKind::NoFold { .. } => "EQL108",
            CheckErrorKind::NoBlock { .. } => "EQL109",
            CheckErrorKind::BlockNotConstant => "EQL110",
            CheckErrorKind::NotABlock { .. } => "EQL111",
            CheckErrorKind::Regexp { .. } => "EQL112",
            CheckErrorKind::NoValue => "EQL113",
            CheckErrorKind::Call { error } => error.code(),
        }
    }

    fn help(&self) -> Option<String> {
        Some(match &self.kind {
            CheckErrorKind::UnknownField { field } => {
                format!("write `?{field}` if events need not have it; it is null where it is not known")
            }
            CheckErrorKind::TextField { .. } => {
                "use a field of whole values, or a query in `kuery`".to_owned()
            }
            CheckErrorKind::Nested { .. } => "use a query in `kuery`, `path:{ … }`".to_owned(),
            CheckErrorKind::Object { .. } => "use a field below it".to_owned(),
            CheckErrorKind::NotBoolean { .. } => "compare it with something".to_owned(),
            CheckErrorKind::UnknownFunction { instead, .. } => {
                return instead.map(|it| format!("write {it}"));
            }
            CheckErrorKind::NotConstant => {
                "a function may take several fields: `stringContains(a, b)`, `startsWith~(a, b)`".to_owned()
            }
            CheckErrorKind::NoFold { .. } => "remove the `~`".to_owned(),
            CheckErrorKind::NoBlock { .. }
            | CheckErrorKind::BlockNotConstant
            | CheckErrorKind::NotABlock { .. } => {
                "write such as `cidrMatch(source.ip, \"10.0.0.0/8\", \"2001:db8::/32\")`".to_owned()
            }
            CheckErrorKind::Regexp { .. } | CheckErrorKind::NoValue => return None,
            CheckErrorKind::Call { error } => match error {
                CallError::Type { expected: "a text", .. } => "`string(…)` makes a text of it".to_owned(),
                CallError::Type { expected: "a number" | "a whole number", found: Type::Text, .. }
                | CallError::Incomparable { left: Type::Text, right: Type::Int | Type::Double, .. }
                | CallError::Incomparable { left: Type::Int | Type::Double, right: Type::Text, .. } => {
                    "`number(…)` makes a number of a text, `string(…)` a text of a number".to_owned()
                }
                CallError::NotANumber { .. } => {
                    "write a number like `443` or `0.5`, or a hexadecimal one like `0x1f`".to_owned()
                }
                CallError::Type { .. }
                | CallError::Incomparable { .. }
                | CallError::Count { .. }
                | CallError::NotAnAddress { .. }
                | CallError::NotADate(_) => return None,
            },
        })
    }

    pub(crate) fn to_diagnostic(&self) -> Diagnostic {
        let found = Diagnostic::new(Severity::Error, self.code(), self.kind.to_string(), self.span);
        match self.help() {
            Some(help) => found.help(help),
            None => found,
        }
    }
}
