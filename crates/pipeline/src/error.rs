//! Why a query does not run.

use span::Span;

/// Why a checked query cannot be made ready.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrepareError {
    /// A pattern that cannot be run.
    #[error("{message}")]
    Pattern {
        /// What is wrong with it.
        message: String,
        /// Where it stands.
        span: Span,
    },
    /// A table that nobody has given.
    #[error("Unknown index [{name}]: tables of `LOOKUP JOIN` and `ENRICH` are local files{}", list(.known))]
    Table {
        /// Its name.
        name: String,
        /// Those that there are.
        known: Vec<String>,
        /// Where it stands.
        span: Span,
    },
    /// A table without that column.
    #[error("the table `{table}` has no column `{column}`")]
    TableColumn {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// Where it stands.
        span: Span,
    },
}

fn list(known: &[String]) -> String {
    if known.is_empty() {
        ", and there is none".to_owned()
    } else {
        format!("; there are {}", known.join(", "))
    }
}

impl PrepareError {
    /// A stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Pattern { .. } => "PIPE003",
            Self::Table { .. } => "PIPE004",
            Self::TableColumn { .. } => "PIPE005",
        }
    }

    /// Where.
    pub fn span(&self) -> Span {
        match self {
            Self::Pattern { span, .. } | Self::Table { span, .. } | Self::TableColumn { span, .. } => *span,
        }
    }
}

/// Why a run ends without a result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PipelineError {
    /// Groups, or the values that they collect, take too much memory.
    #[error(
        "the groups of `STATS` take more than {limit} bytes: group by fewer values, filter before, or collect less than all \
         values"
    )]
    Groups {
        /// The limit.
        limit: usize,
    },
    /// Rows that have to be kept at once are too many.
    #[error("more than {limit} rows would have to be kept at once: filter before, or add `LIMIT`")]
    Rows {
        /// The limit.
        limit: usize,
    },
}

impl PipelineError {
    /// A stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Groups { .. } => "PIPE006",
            Self::Rows { .. } => "PIPE007",
        }
    }
}
