//! Why a query does not fit the fields.

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
    #[error("a condition is true or false; this is {kind}")]
    NotBoolean { kind: &'static str },
    #[error("one side of a comparison has to be constant")]
    NotConstant,
    #[error("what is computed cannot be evaluated yet")]
    Computed,
}

impl CheckError {
    /// Codes are never reused.
    fn code(&self) -> &'static str {
        match self.kind {
            CheckErrorKind::UnknownField { .. } => "EQL101",
            CheckErrorKind::TextField { .. } => "EQL102",
            CheckErrorKind::Nested { .. } => "EQL103",
            CheckErrorKind::Object { .. } => "EQL104",
            CheckErrorKind::NotBoolean { .. } => "EQL105",
            CheckErrorKind::NotConstant => "EQL107",
            CheckErrorKind::Computed => "EQL100",
        }
    }

    fn help(&self) -> Option<String> {
        Some(match &self.kind {
            CheckErrorKind::Computed => return None,
            CheckErrorKind::UnknownField { field } => {
                format!("write `?{field}` if events need not have it; it is null where it is not known")
            }
            CheckErrorKind::TextField { .. } => {
                "use a field of whole values, or a query in `kuery`".to_owned()
            }
            CheckErrorKind::Nested { .. } => "use a query in `kuery`, `path:{ … }`".to_owned(),
            CheckErrorKind::Object { .. } => "use a field below it".to_owned(),
            CheckErrorKind::NotBoolean { .. } => "compare it with something".to_owned(),
            CheckErrorKind::NotConstant => {
                "a function may take several fields: `stringContains(a, b)`, `startsWith~(a, b)`".to_owned()
            }
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
