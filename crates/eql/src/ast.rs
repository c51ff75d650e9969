//! The syntax tree.

use ecs::Millis;
use span::Span;

/// A parsed query. Prints back to text that parses to the same tree.
///
/// Trees are equal if they say the same, wherever it stands in their texts.
#[derive(Clone, Debug, PartialEq)]
pub struct Ast {
    /// What is looked for.
    pub query: Query,
    /// What is taken of the results, one after the other.
    pub pipes: Vec<Pipe>,
}

/// What is looked for.
#[derive(Clone, Debug, PartialEq)]
pub enum Query {
    /// Single events.
    Event(Event),
    /// Events one after the other.
    Sequence(Sequence),
    /// Events in any order.
    Sample(Sample),
}

/// `category where condition`.
#[derive(Clone, Debug)]
pub struct Event {
    /// The category; `None` is `any`.
    pub category: Option<Category>,
    /// What holds of the event.
    pub condition: Expr,
    /// Where it stands.
    pub span: Span,
}

/// The category of an event.
#[derive(Clone, Debug)]
pub struct Category {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub span: Span,
}

/// `sequence by keys with maxspan=… [event] … until [event]`.
#[derive(Clone, Debug)]
pub struct Sequence {
    /// The keys that all items have.
    pub by: Vec<Field>,
    /// How long it may take from the first event to the last.
    pub maxspan: Option<Millis>,
    /// The items, in order; one with `runs` once.
    pub items: Vec<Item>,
    /// What ends a sequence that is not complete.
    pub until: Option<Item>,
    /// Where it stands.
    pub span: Span,
}

/// `sample by keys [event] …`.
#[derive(Clone, Debug)]
pub struct Sample {
    /// The keys that all items have.
    pub by: Vec<Field>,
    /// The items.
    pub items: Vec<Item>,
    /// Where it stands.
    pub span: Span,
}

/// `[event] by keys with runs=…`.
#[derive(Clone, Debug)]
pub struct Item {
    /// `![event]`: there must be none.
    pub missing: bool,
    /// The event.
    pub event: Event,
    /// Its own keys, behind those that all items have.
    pub by: Vec<Field>,
    /// How often it stands in a row.
    pub runs: u32,
    /// Where it stands.
    pub span: Span,
}

/// A field.
#[derive(Clone, Debug)]
pub struct Field {
    /// Its full name.
    pub path: String,
    /// `?path`: it need not be mapped.
    pub optional: bool,
    /// Where it stands.
    pub span: Span,
}

/// `| head n`, `| tail n`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pipe {
    /// So many from the beginning.
    Head(u64),
    /// So many from the end.
    Tail(u64),
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
    /// `left == right`, `left < right`, …
    Compare {
        /// The left side.
        left: Box<Expr>,
        /// The operator.
        op: CompareOp,
        /// The right side.
        right: Box<Expr>,
    },
    /// `value in (…)`, `value not in~ (…)`.
    In {
        /// What is compared.
        value: Box<Expr>,
        /// `not in`.
        negated: bool,
        /// `in~`: upper and lower case are the same.
        fold: bool,
        /// With any of these; never empty.
        list: Vec<Expr>,
    },
    /// `value : "pattern"`, `value like ("a*", "b*")`.
    Match {
        /// What is compared.
        value: Box<Expr>,
        /// The operator.
        op: MatchOp,
        /// With any of these; never empty.
        patterns: Vec<Constant>,
    },
    /// `left + right`, …
    Arithmetic {
        /// The left side.
        left: Box<Expr>,
        /// The operator.
        op: ArithmeticOp,
        /// The right side.
        right: Box<Expr>,
    },
    /// `-value`; a negative number is a constant.
    Negate(Box<Expr>),
    /// A constant.
    Constant(Literal),
    /// A field.
    Field(Field),
    /// `function(arguments)`.
    Call {
        /// The function as written, without `~`.
        function: String,
        /// With `~`: upper and lower case are the same.
        fold: bool,
        /// The arguments.
        arguments: Vec<Expr>,
        /// Where the function's name stands.
        name: Name,
    },
}

/// Where a name stands; where does not matter to what it says.
#[derive(Clone, Copy, Debug)]
pub struct Name(pub Span);

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

/// The operators whose right side is one constant or several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MatchOp {
    /// `:`.
    Colon,
    /// `like`.
    Like,
    /// `like~`.
    LikeFold,
    /// `regex`.
    Regex,
    /// `regex~`.
    RegexFold,
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

/// A constant on the right side of a [`MatchOp`].
#[derive(Clone, Debug)]
pub struct Constant {
    /// The value.
    pub value: Literal,
    /// Where it stands.
    pub span: Span,
}

/// A constant value.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// `null`.
    Null,
    /// `true`, `false`.
    Bool(bool),
    /// A whole number of 64 bits, with a sign or without.
    Integer(i128),
    /// Any other number; finite.
    Float(f64),
    /// A text.
    Text(String),
}

impl Expr {
    /// Shows every expression in it, itself included, in the order of the text. Recurses as deep as the tree, which the
    /// parser bounds.
    pub fn walk<'a>(&'a self, show: &mut dyn FnMut(&'a Self)) {
        show(self);
        match &self.kind {
            ExprKind::Or(parts) | ExprKind::And(parts) => parts.iter().for_each(|it| it.walk(show)),
            ExprKind::Not(inner) | ExprKind::Negate(inner) => inner.walk(show),
            ExprKind::Compare { left, right, .. } | ExprKind::Arithmetic { left, right, .. } => {
                left.walk(show);
                right.walk(show);
            }
            ExprKind::In { value, list, .. } => {
                value.walk(show);
                for it in list {
                    it.walk(show);
                }
            }
            ExprKind::Match { value, .. } => value.walk(show),
            ExprKind::Constant(_) | ExprKind::Field(_) => {}
            ExprKind::Call { arguments, .. } => arguments.iter().for_each(|it| it.walk(show)),
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

    /// The same with the sides swapped: `1 < x` is `x > 1`.
    #[must_use]
    pub const fn swapped(self) -> Self {
        match self {
            Self::Equal | Self::NotEqual => self,
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
        }
    }
}

impl MatchOp {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Colon => ":",
            Self::Like => "like",
            Self::LikeFold => "like~",
            Self::Regex => "regex",
            Self::RegexFold => "regex~",
        }
    }

    /// Whether upper and lower case are the same.
    pub const fn folds(self) -> bool {
        match self {
            Self::Colon | Self::LikeFold | Self::RegexFold => true,
            Self::Like | Self::Regex => false,
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

impl PartialEq for Event {
    fn eq(&self, other: &Self) -> bool {
        let Self { category, condition, span: _ } = self;
        (category, condition) == (&other.category, &other.condition)
    }
}

impl PartialEq for Category {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl PartialEq for Sequence {
    fn eq(&self, other: &Self) -> bool {
        let Self { by, maxspan, items, until, span: _ } = self;
        (by, maxspan, items, until) == (&other.by, &other.maxspan, &other.items, &other.until)
    }
}

impl PartialEq for Sample {
    fn eq(&self, other: &Self) -> bool {
        let Self { by, items, span: _ } = self;
        (by, items) == (&other.by, &other.items)
    }
}

impl PartialEq for Item {
    fn eq(&self, other: &Self) -> bool {
        let Self { missing, event, by, runs, span: _ } = self;
        (missing, event, by, runs) == (&other.missing, &other.event, &other.by, &other.runs)
    }
}

impl PartialEq for Field {
    fn eq(&self, other: &Self) -> bool {
        let Self { path, optional, span: _ } = self;
        (path, optional) == (&other.path, &other.optional)
    }
}

impl PartialEq for Expr {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

impl PartialEq for Name {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl PartialEq for Constant {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}
