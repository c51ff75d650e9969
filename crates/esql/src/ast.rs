//! The syntax tree.

mod equal;

use std::sync::Arc;

use span::Span;

/// A parsed query. Prints back to text that parses to the same tree.
///
/// Trees are equal if they say the same, wherever it stands in their texts.
#[derive(Clone, Debug, PartialEq)]
pub struct Ast {
    /// `SET name = value;` before the query.
    pub settings: Vec<Setting>,
    /// The commands; the first is where rows come from.
    pub commands: Vec<Command>,
}

/// `SET name = value;`.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The name.
    pub name: String,
    /// The value.
    pub value: Literal,
    /// Where it stands.
    pub span: Span,
}

/// A command.
#[derive(Clone, Debug)]
pub struct Command {
    /// What it does.
    pub kind: CommandKind,
    /// Where it stands, without the `|`.
    pub span: Span,
}

/// What a command does.
#[derive(Clone, Debug, PartialEq)]
pub enum CommandKind {
    /// `FROM patterns METADATA fields`.
    From {
        /// The patterns of indices.
        patterns: Vec<Text>,
        /// What else is asked of an event.
        metadata: Vec<Name>,
    },
    /// `ROW a = 1`.
    Row(Vec<Item>),
    /// `WHERE condition`.
    Where(Expr),
    /// `EVAL a = b`.
    Eval(Vec<Item>),
    /// `STATS a = COUNT(*) WHERE c BY d`.
    Stats(Stats),
    /// `INLINE STATS …`.
    InlineStats(Stats),
    /// `SORT a DESC NULLS LAST`.
    Sort(Vec<Order>),
    /// `LIMIT 10`.
    Limit(Expr),
    /// `KEEP a, b*`.
    Keep(Vec<Pattern>),
    /// `DROP a, b*`.
    Drop(Vec<Pattern>),
    /// `RENAME a AS b`, `RENAME b = a`.
    Rename(Vec<Rename>),
    /// `MV_EXPAND a`.
    MvExpand(Name),
    /// `DISSECT a "%{b} %{c}" APPEND_SEPARATOR = ","`.
    Dissect {
        /// What is cut.
        input: Expr,
        /// The pattern.
        pattern: Text,
        /// What joins values that are appended.
        separator: Option<Text>,
    },
    /// `GROK a "%{WORD:b}"`.
    Grok {
        /// What is searched.
        input: Expr,
        /// One pattern or more.
        patterns: Vec<Text>,
    },
    /// `LOOKUP JOIN table ON a, b`.
    LookupJoin {
        /// The table.
        table: Text,
        /// The columns that must be equal.
        on: Vec<Name>,
    },
    /// `ENRICH policy ON a WITH b = c`.
    Enrich {
        /// The policy.
        policy: Text,
        /// The column that is looked up; else the one that is called as in the policy.
        on: Option<Name>,
        /// What is added, with another name or with its own; nothing is all.
        with: Vec<(Option<Name>, Name)>,
    },
}

/// `STATS` without its name.
#[derive(Clone, Debug, PartialEq)]
pub struct Stats {
    /// What is told of a group.
    pub aggregates: Vec<Aggregate>,
    /// By what rows are grouped.
    pub by: Vec<Item>,
}

/// `name = expression WHERE filter`.
#[derive(Clone, Debug, PartialEq)]
pub struct Aggregate {
    /// What it is.
    pub item: Item,
    /// Which rows count.
    pub filter: Option<Expr>,
}

/// `name = expression`.
#[derive(Clone, Debug)]
pub struct Item {
    /// What it is called; none is as it is written.
    pub name: Option<Name>,
    /// The expression.
    pub value: Expr,
    /// The expression as it is written.
    pub text: String,
    /// Where it stands, its name included.
    pub span: Span,
}

/// The name of a column, its parts joined by dots.
#[derive(Clone, Debug)]
pub struct Name {
    /// The name, without quotes.
    pub text: String,
    /// Where it stands.
    pub span: Span,
}

/// A name, or a pattern of names.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// What stands between the asterisks: one part is a name.
    pub parts: Vec<String>,
    /// Where it stands.
    pub span: Span,
}

/// A text.
#[derive(Clone, Debug)]
pub struct Text {
    /// What it says.
    pub text: Arc<str>,
    /// Where it stands, quotes included.
    pub span: Span,
}

/// `old AS new`.
#[derive(Clone, Debug, PartialEq)]
pub struct Rename {
    /// What it was called.
    pub old: Name,
    /// What it is called.
    pub new: Name,
}

/// `expression DESC NULLS FIRST`.
#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    /// By what.
    pub value: Expr,
    /// The greatest first.
    pub descending: bool,
    /// Where null goes, if it is said.
    pub nulls_first: Option<bool>,
}

/// An expression, with its place in the text.
#[derive(Clone, Debug)]
pub struct Expr {
    /// What it says.
    pub kind: ExprKind,
    /// Where it stands, its parentheses excluded.
    pub span: Span,
}

/// What an [`Expr`] says.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// Any of these: two or more.
    Or(Vec<Expr>),
    /// All of these: two or more.
    And(Vec<Expr>),
    /// Not this.
    Not(Box<Expr>),
    /// `left == right`.
    Compare {
        /// The left side.
        left: Box<Expr>,
        /// The operator.
        op: CompareOp,
        /// The right side.
        right: Box<Expr>,
    },
    /// `value IN (a, b)`.
    In {
        /// What is compared.
        value: Box<Expr>,
        /// `NOT IN`.
        negated: bool,
        /// With any of these; never empty.
        list: Vec<Expr>,
    },
    /// `value LIKE "a*"`, `value RLIKE ("a.*", "b")`.
    Like {
        /// What is compared.
        value: Box<Expr>,
        /// `NOT LIKE`.
        negated: bool,
        /// How patterns are read.
        kind: LikeKind,
        /// With any of these; never empty.
        patterns: Vec<Text>,
    },
    /// `value IS NULL`.
    IsNull {
        /// What is asked.
        value: Box<Expr>,
        /// `IS NOT NULL`.
        negated: bool,
    },
    /// `field : "text"`.
    Match {
        /// The field, with its cast.
        field: Box<Expr>,
        /// What is looked for.
        query: Box<Expr>,
    },
    /// `left + right`.
    Arithmetic {
        /// The left side.
        left: Box<Expr>,
        /// The operator.
        op: ArithmeticOp,
        /// The right side.
        right: Box<Expr>,
    },
    /// `-value`.
    Negate(Box<Expr>),
    /// `value::type`.
    Cast {
        /// What is cast.
        value: Box<Expr>,
        /// The name of the type.
        to: Name,
    },
    /// A constant, with its sign if it is a number.
    Literal(Literal),
    /// A column.
    Column(Name),
    /// `function(arguments)`.
    Call {
        /// The name as written.
        function: Name,
        /// The arguments; `COUNT(*)` has [`ExprKind::Star`].
        arguments: Vec<Expr>,
        /// `{"key": value}` behind them.
        options: Vec<(Text, Literal)>,
    },
    /// The `*` of `COUNT(*)`.
    Star,
}

/// A constant.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// `null`.
    Null,
    /// `true`, `false`.
    Boolean(bool),
    /// A whole number of 64 bits, with a sign or without.
    Integer(i128),
    /// Any other number; finite.
    Decimal(f64),
    /// A text.
    Text(Arc<str>),
    /// `5 minutes`.
    Span {
        /// How many.
        count: i64,
        /// Of what.
        unit: Unit,
    },
    /// `[1, 2]`: of one kind, without null; never empty.
    List(Vec<Literal>),
}

/// A unit of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// By the calendar.
    Year,
    /// Three months.
    Quarter,
    /// By the calendar.
    Month,
    /// Seven days.
    Week,
    /// By the calendar.
    Day,
    /// 3,600 seconds.
    Hour,
    /// 60 seconds.
    Minute,
    /// A second.
    Second,
    /// A thousandth of it.
    Millisecond,
}

/// `==` and its kin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompareOp {
    /// `==`.
    Equal,
    /// `!=`.
    NotEqual,
    /// `<`.
    Less,
    /// `<=`.
    LessOrEqual,
    /// `>`.
    Greater,
    /// `>=`.
    GreaterOrEqual,
}

/// How the patterns of [`ExprKind::Like`] are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LikeKind {
    /// `LIKE`: wildcards.
    Like,
    /// `RLIKE`: regular expressions.
    RLike,
}

/// `+` and its kin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArithmeticOp {
    /// `+`.
    Add,
    /// `-`.
    Subtract,
    /// `*`.
    Multiply,
    /// `/`.
    Divide,
    /// `%`.
    Modulo,
}

impl Ast {
    /// Whether a group is an alert, rather than an event: whether any command is `STATS`, as Elastic's rules see it.
    pub fn is_aggregating(&self) -> bool {
        self.commands.iter().any(|it| matches!(it.kind, CommandKind::Stats(_)))
    }

    /// What `FROM` asks for beside the fields; nothing if there is no `FROM`.
    pub fn metadata(&self) -> &[Name] {
        let first = self.commands.first().map(|it| &it.kind);
        if let Some(CommandKind::From { metadata, .. }) = first { metadata } else { &[] }
    }
}

impl Pattern {
    /// The name, if it is one.
    pub fn as_name(&self) -> Option<&str> {
        if self.parts.len() == 1 { self.parts.first().map(String::as_str) } else { None }
    }

    /// Whether it is a lone asterisk.
    pub fn is_all(&self) -> bool {
        self.parts.iter().all(String::is_empty) && self.parts.len() > 1
    }

    /// Whether the name fits.
    pub fn matches(&self, name: &str) -> bool {
        let [first, middle @ .., last] = self.parts.as_slice() else { return self.as_name() == Some(name) };
        let Some(mut rest) = name.strip_prefix(first.as_str()) else { return false };
        for part in middle {
            let Some(at) = rest.find(part.as_str()) else { return false };
            rest = &rest[at + part.len()..];
        }
        rest.ends_with(last.as_str())
    }
}

impl Expr {
    /// Shows every expression in it, itself included, in the order of the text. Recurses as deep as the tree, which the
    /// parser bounds.
    pub fn walk<'a>(&'a self, show: &mut dyn FnMut(&'a Self)) {
        show(self);
        match &self.kind {
            ExprKind::Or(parts) | ExprKind::And(parts) | ExprKind::Call { arguments: parts, .. } => {
                for it in parts {
                    it.walk(show);
                }
            }
            ExprKind::Not(inner)
            | ExprKind::Negate(inner)
            | ExprKind::Like { value: inner, .. }
            | ExprKind::IsNull { value: inner, .. }
            | ExprKind::Cast { value: inner, .. } => inner.walk(show),
            ExprKind::Compare { left, right, .. }
            | ExprKind::Arithmetic { left, right, .. }
            | ExprKind::Match { field: left, query: right } => {
                left.walk(show);
                right.walk(show);
            }
            ExprKind::In { value, list, .. } => {
                value.walk(show);
                for it in list {
                    it.walk(show);
                }
            }
            ExprKind::Literal(_) | ExprKind::Column(_) | ExprKind::Star => {}
        }
    }
}

impl CommandKind {
    /// The expressions that stand in it, in the order of the text.
    pub fn expressions(&self) -> Vec<&Expr> {
        match self {
            Self::Where(it) | Self::Limit(it) => vec![it],
            Self::Row(items) | Self::Eval(items) => items.iter().map(|it| &it.value).collect(),
            Self::Stats(stats) | Self::InlineStats(stats) => {
                let told = stats.aggregates.iter().flat_map(|it| [Some(&it.item.value), it.filter.as_ref()]);
                told.flatten().chain(stats.by.iter().map(|it| &it.value)).collect()
            }
            Self::Sort(orders) => orders.iter().map(|it| &it.value).collect(),
            Self::Dissect { input, .. } | Self::Grok { input, .. } => vec![input],
            Self::From { .. }
            | Self::Keep(_)
            | Self::Drop(_)
            | Self::Rename(_)
            | Self::MvExpand(_)
            | Self::LookupJoin { .. }
            | Self::Enrich { .. } => Vec::new(),
        }
    }

    /// Its name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::From { .. } => "FROM",
            Self::Row(_) => "ROW",
            Self::Where(_) => "WHERE",
            Self::Eval(_) => "EVAL",
            Self::Stats(_) => "STATS",
            Self::InlineStats(_) => "INLINE STATS",
            Self::Sort(_) => "SORT",
            Self::Limit(_) => "LIMIT",
            Self::Keep(_) => "KEEP",
            Self::Drop(_) => "DROP",
            Self::Rename(_) => "RENAME",
            Self::MvExpand(_) => "MV_EXPAND",
            Self::Dissect { .. } => "DISSECT",
            Self::Grok { .. } => "GROK",
            Self::LookupJoin { .. } => "LOOKUP JOIN",
            Self::Enrich { .. } => "ENRICH",
        }
    }
}

impl CompareOp {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }
}

impl LikeKind {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Like => "LIKE",
            Self::RLike => "RLIKE",
        }
    }
}

impl ArithmeticOp {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Modulo => "%",
        }
    }
}

impl Unit {
    /// That of the name, in any case.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "year" | "years" | "yr" | "y" => Self::Year,
            "quarter" | "quarters" | "q" => Self::Quarter,
            "month" | "months" | "mo" => Self::Month,
            "week" | "weeks" | "w" => Self::Week,
            "day" | "days" | "d" => Self::Day,
            "hour" | "hours" | "h" => Self::Hour,
            "minute" | "minutes" | "min" | "m" => Self::Minute,
            "second" | "seconds" | "sec" | "s" => Self::Second,
            "millisecond" | "milliseconds" | "ms" => Self::Millisecond,
            _ => return None,
        })
    }

    /// The name of several.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Year => "years",
            Self::Quarter => "quarters",
            Self::Month => "months",
            Self::Week => "weeks",
            Self::Day => "days",
            Self::Hour => "hours",
            Self::Minute => "minutes",
            Self::Second => "seconds",
            Self::Millisecond => "milliseconds",
        }
    }
}
