//! The syntax tree.

use std::borrow::Cow;

use span::Span;

/// A parsed query. Prints back to text that parses to the same tree.
///
/// Trees are equal if they say the same, wherever it stands in their texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ast {
    /// The outermost node; `None` is the empty query, which every document matches.
    pub root: Option<Node>,
}

/// A part of a query, with its place in the text.
#[derive(Clone, Debug)]
pub struct Node {
    /// What it says.
    pub kind: NodeKind,
    /// Where it stands, its parentheses excluded.
    pub span: Span,
    /// Whether it stands in parentheses of its own: the reader then needs no knowledge of precedence.
    pub parenthesised: bool,
}

/// What a [`Node`] says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NodeKind {
    /// Any of these: two or more.
    Or(Vec<Node>),
    /// All of these: two or more.
    And(Vec<Node>),
    /// Not this.
    Not(Box<Node>),
    /// `path:{ query }`: some object of a nested field satisfies the query; its names are relative to the path.
    Nested {
        /// The nested field.
        path: Term,
        /// What one of its objects must satisfy.
        query: Box<Node>,
    },
    /// `field: value`. A list of values, `field:(a or b)`, is an `Or` of these, all with the span of the one field.
    Is {
        /// The field; `None` asks all fields.
        field: Option<Term>,
        /// The value or pattern.
        value: Term,
    },
    /// `field < value`.
    Range {
        /// The field.
        field: Term,
        /// The comparison.
        op: RangeOp,
        /// The bound; an asterisk in it is no wildcard.
        value: Term,
    },
}

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RangeOp {
    /// `>`
    Gt,
    /// `>=`
    Gte,
    /// `<`
    Lt,
    /// `<=`
    Lte,
}

impl RangeOp {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gt => ">",
            Self::Gte => ">=",
            Self::Lt => "<",
            Self::Lte => "<=",
        }
    }
}

/// A field name or a value, with its place in the text.
#[derive(Clone, Debug)]
pub struct Term {
    /// What it says.
    pub kind: TermKind,
    /// Where it stands, quotes included.
    pub span: Span,
}

/// What a [`Term`] says, its escapes resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TermKind {
    /// The unquoted word `null`.
    Null,
    /// The unquoted word `true` or `false`.
    Bool(bool),
    /// Text.
    Text {
        /// The characters.
        text: String,
        /// Whether it stood in double quotes.
        quoted: bool,
    },
    /// Text with wildcards: the literal pieces between the asterisks, so one asterisk fewer than pieces.
    Pattern(Vec<String>),
}

impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

impl Eq for Node {}

impl PartialEq for Term {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

impl Eq for Term {}

impl Term {
    /// The characters it stands for; the wildcards of a pattern as plain asterisks.
    pub fn text(&self) -> Cow<'_, str> {
        match &self.kind {
            TermKind::Null => Cow::Borrowed("null"),
            TermKind::Bool(true) => Cow::Borrowed("true"),
            TermKind::Bool(false) => Cow::Borrowed("false"),
            TermKind::Text { text, .. } => Cow::Borrowed(text),
            TermKind::Pattern(pieces) => Cow::Owned(pieces.join("*")),
        }
    }

    /// Whether it is exactly one wildcard: as a value, "exists".
    pub fn is_lone_wildcard(&self) -> bool {
        matches!(&self.kind, TermKind::Pattern(pieces) if pieces.len() == 2 && pieces.iter().all(String::is_empty))
    }
}

impl Ast {
    /// The field names of the query in the order of their first appearance, each once; names within a nested
    /// group with its path. Patterns for names are among them as written.
    pub fn fields(&self) -> Vec<String> {
        let mut names = Vec::new();
        if let Some(root) = &self.root {
            collect_fields(root, None, &mut names);
        }
        let mut seen = std::collections::HashSet::new();
        names.retain(|name| seen.insert(name.clone()));
        names
    }
}

/// The name of a field as seen from outside the nested group at `path`.
pub(crate) fn full_name(path: Option<&str>, name: &str) -> String {
    path.map_or_else(|| name.to_owned(), |path| format!("{path}.{name}"))
}

/// Recurses as deep as the tree, which the parser bounds.
fn collect_fields(node: &Node, path: Option<&str>, names: &mut Vec<String>) {
    match &node.kind {
        NodeKind::Or(nodes) | NodeKind::And(nodes) => {
            for node in nodes {
                collect_fields(node, path, names);
            }
        }
        NodeKind::Not(node) => collect_fields(node, path, names),
        NodeKind::Nested { path: inner, query } => {
            collect_fields(query, Some(&full_name(path, &inner.text())), names);
        }
        NodeKind::Is { field: Some(field), .. } | NodeKind::Range { field, .. } => {
            names.push(full_name(path, &field.text()));
        }
        NodeKind::Is { field: None, .. } => {}
    }
}
