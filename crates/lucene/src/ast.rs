//! The syntax tree.

use plan::Glob;
use span::Span;

/// A parsed query. Prints back to text that parses to the same tree.
///
/// Trees are equal if they say the same, wherever it stands in their texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ast {
    /// The outermost group; `None` is the empty query, which every document matches.
    pub root: Option<Group>,
}

/// Clauses side by side: at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group(pub Vec<Clause>);

/// One clause of a group.
#[derive(Clone, Debug)]
pub struct Clause {
    /// What stands between it and the clause before.
    pub conjunction: Option<Conjunction>,
    /// What stands before it.
    pub modifier: Option<Modifier>,
    /// The field it asks, if it names one: all within ask the same unless they name their own.
    pub field: Option<Field>,
    /// What it asks.
    pub node: Node,
    /// Where it stands, modifier and field included.
    pub span: Span,
}

/// What a [`Clause`] asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// Clauses in parentheses.
    Group(Group),
    /// A question about a value.
    Atom(Atom),
}

/// `AND` or `OR` between two clauses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conjunction {
    /// `AND`, `&&`.
    And,
    /// `OR`, `||`.
    Or,
}

/// What stands before a clause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Modifier {
    /// `+`.
    Plus,
    /// `-`, `!`, `NOT`.
    Not,
}

/// The name of a field.
#[derive(Clone, Debug)]
pub struct Field {
    /// The name, without escapes; an asterisk in it stands for any characters.
    pub name: String,
    /// Where it stands.
    pub span: Span,
}

/// A question about a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Atom {
    /// Words in a row: one text, with one space between the words.
    Words(String),
    /// A text in quotes.
    Phrase {
        /// The text.
        text: String,
        /// How many moves its words may make.
        slop: u32,
    },
    /// `*` alone.
    Star,
    /// A word with `*` or `?`.
    Pattern(Vec<Glob>),
    /// What stands between slashes, as it stands there.
    Regexp(String),
    /// A word and words that differ little from it.
    Fuzzy {
        /// The word.
        text: String,
        /// How many edits; without a number, as the length of the word says.
        edits: Option<u8>,
    },
    /// A range.
    Range {
        /// The lower bound; `None` is open.
        lower: Option<String>,
        /// Whether the lower bound is itself within.
        includes_lower: bool,
        /// The upper bound; `None` is open.
        upper: Option<String>,
        /// Whether the upper bound is itself within.
        includes_upper: bool,
    },
}

/// What a clause is in its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occur {
    /// It has to match.
    Must,
    /// One of these has to match, if nothing else has to.
    Should,
    /// It must not match.
    MustNot,
}

/// What each clause of a group is, as Lucene's classic parser decides it from left to right: `AND` makes the clauses
/// on both sides required, unless they are prohibited; `OR` says nothing.
pub fn occurs(group: &Group) -> Vec<Occur> {
    occurs_where(group, &|_| false)
}

/// The same where analysis leaves nothing of some clauses, by their places: an `AND` behind such a clause makes the clause
/// before it required, as if it were not there.
pub(crate) fn occurs_where(group: &Group, is_left_out: &dyn Fn(usize) -> bool) -> Vec<Occur> {
    let mut occurs: Vec<Occur> = Vec::with_capacity(group.0.len());
    let mut before: Option<usize> = None;
    for (at, clause) in group.0.iter().enumerate() {
        let is_required = clause.conjunction == Some(Conjunction::And);
        if is_required && let Some(before @ Occur::Should) = before.and_then(|it| occurs.get_mut(it)) {
            *before = Occur::Must;
        }
        occurs.push(match clause.modifier {
            Some(Modifier::Not) => Occur::MustNot,
            Some(Modifier::Plus) => Occur::Must,
            None if is_required => Occur::Must,
            None => Occur::Should,
        });
        if !is_left_out(at) {
            before = Some(at);
        }
    }
    occurs
}

impl PartialEq for Clause {
    fn eq(&self, other: &Self) -> bool {
        let Self { conjunction, modifier, field, node, span: _ } = self;
        (conjunction, modifier, field, node)
            == (&other.conjunction, &other.modifier, &other.field, &other.node)
    }
}

impl Eq for Clause {}

impl PartialEq for Field {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Field {}
