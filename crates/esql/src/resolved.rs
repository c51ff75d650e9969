//! A query once names and types are known: what an evaluator runs without looking at a name again.
//!
//! Every column that a query ever has is a [`Slot`], written once. A command that overwrites a column writes a new one; `KEEP`,
//! `DROP` and `RENAME` only change which slots have names, so there is nothing left of them. What is returned is
//! [`Pipeline::output`]; what of a table is still read behind a step is [`Step::live`].

use std::sync::Arc;

use ecs::FieldType;
use plan::Condition;
use span::Span;

use crate::{Function, Type};

/// The number of a column: every column that there ever is has its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(pub u32);

impl Slot {
    /// As an index.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A checked query.
#[derive(Clone, Debug, PartialEq)]
pub struct Pipeline {
    /// The text that all spans are places of.
    pub text: Arc<str>,
    /// Where rows come from.
    pub source: Source,
    /// What is done with them, one after the other.
    pub steps: Vec<Step>,
    /// The columns of the result, in order.
    pub output: Vec<Column>,
    /// How many slots there are.
    pub slots: u32,
    /// Whether any command limits rows.
    pub is_limited: bool,
    /// What is said of the query itself, in the words of Elasticsearch.
    pub warnings: Vec<String>,
}

/// A column with its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Where its values are.
    pub slot: Slot,
    /// Its type.
    pub ty: Type,
}

/// Where rows come from.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// `FROM`.
    Events {
        /// The patterns of indices, as written, in order; those that exclude begin with `-`.
        patterns: Vec<String>,
        /// The fields that anything reads, in the order of their slots. A column of the output that is read nowhere else is
        /// among them.
        fields: Vec<SourceField>,
    },
    /// `ROW`: one row. A later value may read an earlier one.
    Row(Vec<Assign>),
}

/// A column that comes from the events themselves.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceField {
    /// Where its values go.
    pub slot: Slot,
    /// Where they come from.
    pub origin: Origin,
    /// Its type.
    pub ty: Type,
}

/// Where values of events come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A field.
    Field {
        /// Its path.
        path: String,
        /// How it is stored; none if nobody has mapped it, and its type is that which the query needs.
        stored: Option<FieldType>,
    },
    /// What `METADATA` asks for.
    Metadata(Metadata),
}

/// What an event has beside its fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Metadata {
    /// `_id`.
    Id,
    /// `_index`.
    Index,
    /// `_version`.
    Version,
    /// `_source`.
    Source,
    /// `_ignored`.
    Ignored,
    /// `_index_mode`.
    IndexMode,
    /// `_score`.
    Score,
}

/// A step.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What it does.
    pub kind: StepKind,
    /// The whole command.
    pub span: Span,
    /// The slots that later steps or the output read, sorted: all that has to be carried over it.
    pub live: Vec<Slot>,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq)]
pub enum StepKind {
    /// Keeps the rows for which it is true.
    Where(Expr),
    /// Computes columns, one after the other.
    Eval(Vec<Assign>),
    /// Makes groups, of which only their own slots are left.
    Stats(Stats),
    /// The same, but every row stays, with what its groups have.
    InlineStats(Stats),
    /// Sorts by the first, then by the second, …
    Sort(Vec<Order>),
    /// Keeps so many rows.
    Limit(u64),
    /// One row for each value.
    MvExpand {
        /// The column.
        from: Slot,
        /// The same with one value a row.
        to: Slot,
    },
    /// Cuts a text into pieces.
    Dissect {
        /// The text.
        input: Expr,
        /// The pattern.
        pattern: Arc<str>,
        /// Where it stands.
        pattern_span: Span,
        /// `APPEND_SEPARATOR`.
        separator: Arc<str>,
        /// What it makes; those that are not live, too.
        outputs: Vec<Column>,
    },
    /// Searches a text.
    Grok {
        /// The text.
        input: Expr,
        /// The patterns, of which the first that is found counts, with their places.
        patterns: Vec<(Arc<str>, Span)>,
        /// What they make, sorted by name; those that are not live, too.
        outputs: Vec<Column>,
    },
    /// Adds the columns of a table whose keys are equal.
    Lookup(Lookup),
}

/// `LOOKUP JOIN` and `ENRICH`.
#[derive(Clone, Debug, PartialEq)]
pub struct Lookup {
    /// What it is.
    pub kind: LookupKind,
    /// The name of the table or of the policy.
    pub table: String,
    /// Pairs of a column here and the name of the one that must be equal there; never empty.
    pub on: Vec<(Slot, String)>,
    /// The columns that it adds: what they are called in the table, and where they go.
    pub adds: Vec<(String, Slot, Type)>,
}

/// How a table is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LookupKind {
    /// `LOOKUP JOIN`: several rows of the table make several rows.
    Join,
    /// `ENRICH`: several rows of the table make several values.
    Enrich,
}

/// A column that is computed.
#[derive(Clone, Debug, PartialEq)]
pub struct Assign {
    /// Where it goes.
    pub slot: Slot,
    /// What it is.
    pub value: Expr,
}

/// An order of rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    /// By what.
    pub value: Expr,
    /// The greatest first.
    pub descending: bool,
    /// Where null goes.
    pub nulls_first: bool,
}

/// Groups and what is told of them.
///
/// First every row gets the values of [`Stats::keys`], each in its `row` slot, which aggregates may read. Then rows are
/// grouped: a row with several values of a key is in the group of each. Then aggregates go over the rows of a group, and at
/// last what is computed of them, which reads the slots of aggregates and of groups, and no others.
#[derive(Clone, Debug, PartialEq)]
pub struct Stats {
    /// By what rows are grouped; without any there is one group, also of no rows.
    pub keys: Vec<Key>,
    /// What is told of a group.
    pub aggregates: Vec<Aggregate>,
    /// What is computed of that.
    pub after: Vec<Assign>,
}

/// A key of groups.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    /// The value of a row, all of its values.
    pub value: Expr,
    /// Where that goes; the slot of the column itself, if it is one.
    pub row: Slot,
    /// Where the one value of the group goes.
    pub group: Slot,
}

/// What is told of a group.
#[derive(Clone, Debug, PartialEq)]
pub struct Aggregate {
    /// An aggregate function.
    pub function: Function,
    /// Its arguments. `COUNT(*)` has none.
    pub arguments: Vec<Expr>,
    /// `WHERE`: only rows of which this is true.
    pub filter: Option<Expr>,
    /// Where it goes.
    pub slot: Slot,
    /// Its type.
    pub ty: Type,
    /// Where it stands, without its filter.
    pub span: Span,
}

/// A typed expression. All names are resolved, and all literals have the type that is needed of them; numbers of different
/// types may still meet, and are widened to [`Type::widest`].
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// What it says.
    pub kind: ExprKind,
    /// Its type.
    pub ty: Type,
    /// Where it stands, its parentheses excluded: warnings quote it.
    pub span: Span,
}

/// What an [`Expr`] says.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// A constant.
    Constant(Value),
    /// A column.
    Column(Slot),
    /// A function or an operator.
    Call {
        /// Which.
        function: Function,
        /// Its arguments, in the order of its signature.
        arguments: Vec<Expr>,
        /// What the map at the end says, such as `{"leading_zeros": "octal"}`.
        options: Vec<(String, Value)>,
    },
    /// What a query over the whole event says: `KQL("…")`, `QSTR("…")`, `MATCH(field, "…")`, `field : "…"`. It asks the event
    /// that the row was made of, never null.
    Search(Box<Condition>),
}

/// A constant.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `null`.
    Null,
    /// A truth value.
    Boolean(bool),
    /// Of 32 bits.
    Integer(i32),
    /// Of 64 bits.
    Long(i64),
    /// Without a sign.
    UnsignedLong(u64),
    /// Finite.
    Double(f64),
    /// A text.
    Text(Arc<str>),
    /// Milliseconds since 1970.
    Datetime(i64),
    /// Nanoseconds since 1970.
    DateNanos(i64),
    /// An address; of version 4 as it is mapped into version 6.
    Ip(u128),
    /// A version, as written.
    Version(Arc<str>),
    /// A place.
    GeoPoint {
        /// Degrees east.
        longitude: f64,
        /// Degrees north.
        latitude: f64,
    },
    /// A length of time by the calendar.
    Period {
        /// Months, years included.
        months: i64,
        /// Days, weeks included.
        days: i64,
    },
    /// A length of time in milliseconds.
    Duration(i64),
    /// Several values, two or more, of one type, in order.
    List(Vec<Value>),
}

impl Expr {
    /// Whether it reads no column and asks no event, so that it has one value throughout a query. `NOW()` has.
    pub fn is_constant(&self) -> bool {
        match &self.kind {
            ExprKind::Constant(_) => true,
            ExprKind::Column(_) | ExprKind::Search(_) => false,
            ExprKind::Call { arguments, .. } => arguments.iter().all(Self::is_constant),
        }
    }

    /// Whether it depends on the time of the execution.
    pub fn reads_clock(&self) -> bool {
        match &self.kind {
            ExprKind::Constant(_) | ExprKind::Column(_) => false,
            ExprKind::Search(condition) => condition.reads_clock(),
            ExprKind::Call { function, arguments, .. } => {
                function.spec().reads_clock || arguments.iter().any(Self::reads_clock)
            }
        }
    }

    /// Shows every slot that it reads.
    pub fn slots(&self, show: &mut impl FnMut(Slot)) {
        match &self.kind {
            ExprKind::Constant(_) | ExprKind::Search(_) => {}
            ExprKind::Column(slot) => show(*slot),
            ExprKind::Call { arguments, .. } => {
                for it in arguments {
                    it.slots(show);
                }
            }
        }
    }
}

impl Metadata {
    /// All.
    pub const ALL: [Self; 7] =
        [Self::Id, Self::Index, Self::Version, Self::Source, Self::Ignored, Self::IndexMode, Self::Score];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Id => "_id",
            Self::Index => "_index",
            Self::Version => "_version",
            Self::Source => "_source",
            Self::Ignored => "_ignored",
            Self::IndexMode => "_index_mode",
            Self::Score => "_score",
        }
    }

    /// That of the name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == name)
    }

    /// Its type.
    pub const fn ty(self) -> Type {
        match self {
            Self::Id | Self::Index | Self::Ignored | Self::IndexMode => Type::Keyword,
            Self::Version => Type::Long,
            Self::Source => Type::Source,
            Self::Score => Type::Double,
        }
    }
}
