//! Tree to Query DSL, as Kibana does it.

use ecs::{Catalog, FieldType, Mapping};
use plan::{Bool, Leaf, LeafKind, Literal, Operator, Query, RangeBounds};
use span::{Diagnostic, Severity, Span};

use crate::ast::full_name;
use crate::pattern;
use crate::{Ast, Node, NodeKind, RangeOp, Term, TermKind};

/// What Kibana lets its users set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Whether keyword fields fold ASCII letters; unset as in rules, where they do not.
    pub case_insensitive: Option<bool>,
    /// The zone of dates without an offset; unset, it is UTC.
    pub time_zone: Option<String>,
}

/// Why a tree that parses has no meaning with the fields at hand. Every variant carries the place to underline.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TranslateError {
    /// A group names an object that is not nested.
    #[error("`{field}` is no nested field, but stands in the nested group `{path}`")]
    NotNested {
        /// The field's full name.
        field: String,
        /// The path of the group.
        path: String,
        /// Where the name stands.
        span: Span,
    },
    /// A nested field stands outside its group.
    #[error("`{field}` is a nested field and needs its group `{path}:{{ … }}`")]
    OutsideGroup {
        /// The field's full name.
        field: String,
        /// The path it needs.
        path: String,
        /// Where the name stands.
        span: Span,
    },
    /// A nested field stands in the group of another path.
    #[error("`{field}` stands in the nested group `{path}`, but belongs to `{correct}`")]
    WrongGroup {
        /// The field's full name.
        field: String,
        /// The path of the group.
        path: String,
        /// The path it needs.
        correct: String,
        /// Where the name stands.
        span: Span,
    },
    /// `"" > 5`: Elasticsearch has no question about a field without a name, except for `match` and patterns.
    #[error("a field without a name cannot be asked this")]
    EmptyName {
        /// Where the value stands.
        span: Span,
    },
    /// `f: AND b*`: Elasticsearch takes the word for an operator, which lacks a term.
    #[error("`{word}` in this pattern is read as an operator and lacks a term")]
    MisplacedOperator {
        /// The word.
        word: String,
        /// Where the pattern stands.
        span: Span,
    },
}

impl TranslateError {
    /// A stable code for documentation, tests and interfaces. Codes are never reused.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotNested { .. } => "KQL101",
            Self::OutsideGroup { .. } => "KQL102",
            Self::WrongGroup { .. } => "KQL103",
            Self::MisplacedOperator { .. } => "KQL104",
            Self::EmptyName { .. } => "KQL105",
        }
    }

    /// The place to underline.
    pub fn span(&self) -> Span {
        match self {
            Self::NotNested { span, .. }
            | Self::OutsideGroup { span, .. }
            | Self::WrongGroup { span, .. }
            | Self::EmptyName { span }
            | Self::MisplacedOperator { span, .. } => *span,
        }
    }

    /// For printing.
    pub fn to_diagnostic(&self) -> Diagnostic {
        let help = match self {
            Self::NotNested { field, .. } => format!("write `{field}: …` outside the braces"),
            Self::OutsideGroup { field, path, .. } | Self::WrongGroup { field, correct: path, .. } => {
                let name = field.strip_prefix(path).and_then(|rest| rest.strip_prefix('.')).unwrap_or(field);
                format!("write `{path}:{{ {name}: … }}`")
            }
            Self::EmptyName { .. } => "write the name of a field".to_owned(),
            Self::MisplacedOperator { .. } => {
                "remove the word, or write it in lower case with a backslash".to_owned()
            }
        };
        Diagnostic::new(Severity::Error, self.code(), self.to_string(), self.span()).help(help)
    }
}

/// Translates a tree with the settings that detection rules use.
pub fn to_query(ast: &Ast, catalog: &Catalog) -> Result<Query, Vec<TranslateError>> {
    to_query_with(ast, catalog, &Options::default())
}

/// Translates a tree. The catalogue is Kibana's field list: names that are not in it are passed on as they stand.
pub fn to_query_with(ast: &Ast, catalog: &Catalog, options: &Options) -> Result<Query, Vec<TranslateError>> {
    let Some(root) = &ast.root else { return Ok(Query::MatchAll) };
    let mut translator = Translator { catalog, options, errors: Vec::new() };
    let query = translator.node(root, None);
    if translator.errors.is_empty() { Ok(query) } else { Err(translator.errors) }
}

struct Translator<'a> {
    catalog: &'a Catalog,
    options: &'a Options,
    errors: Vec<TranslateError>,
}

/// A field that a name stands for.
struct Target<'a> {
    name: String,
    /// Unset if the catalogue does not know it.
    mapping: Option<&'a Mapping>,
    /// The group to put around the question: of a nested field found through a pattern.
    group: Option<&'a str>,
}

impl<'a> Translator<'a> {
    /// Recurses as deep as the tree, which the parser bounds. `path` is that of the nested groups around.
    fn node(&mut self, node: &Node, path: Option<&str>) -> Query {
        match &node.kind {
            NodeKind::Or(nodes) => any(nodes.iter().map(|node| self.node(node, path)).collect()),
            NodeKind::And(nodes) => {
                let filter = nodes.iter().map(|node| self.node(node, path)).collect();
                Query::Bool(Bool { filter, ..Bool::default() })
            }
            NodeKind::Not(node) => {
                Query::Bool(Bool { must_not: vec![self.node(node, path)], ..Bool::default() })
            }
            NodeKind::Nested { path: inner, query } => {
                let path = full_name(path, &inner.text());
                let query = Box::new(self.node(query, Some(&path)));
                Query::Nested { path, query, span: Some(inner.span) }
            }
            NodeKind::Is { field, value } => self.is(field.as_ref(), value, path),
            NodeKind::Range { field, op, value } => self.range(field, *op, value, path),
        }
    }

    fn is(&mut self, field: Option<&Term>, value: &Term, path: Option<&str>) -> Query {
        if value.is_lone_wildcard() && field.is_some_and(Term::is_lone_wildcard) {
            return Query::MatchAll;
        }
        let Some(field) = field else {
            return match path {
                None => self.everywhere(value),
                // Kibana asks for a field named `null` here.
                Some(path) => self.ask(&[Target::unknown(full_name(Some(path), "null"))], value),
            };
        };
        let targets = self.targets(field, path);
        if value.is_lone_wildcard() || matches!(value.kind, TermKind::Text { quoted: true, .. }) {
            self.check_name(&targets, value.span);
        }
        if value.is_lone_wildcard()
            && matches!(field.kind, TermKind::Pattern(_))
            && self.are_all_fields(&targets)
        {
            return Query::MatchAll;
        }
        self.ask(&targets, value)
    }

    /// A pattern that finds every field there is, asked for existence, is everything to Kibana.
    fn are_all_fields(&self, targets: &[Target<'_>]) -> bool {
        targets.len() == self.catalog.iter().filter(|(_, mapping)| is_listed(mapping)).count()
            && targets.iter().all(|target| target.mapping.is_some())
    }

    fn ask(&mut self, targets: &[Target<'a>], value: &Term) -> Query {
        any(targets.iter().map(|target| target.wrap(self.question(target, value), value.span)).collect())
    }

    /// The question about one field of known type, or of none.
    fn question(&mut self, target: &Target<'_>, value: &Term) -> Query {
        let leaf =
            |kind| Query::Leaf(Leaf { field: Some(target.name.clone()), kind, span: Some(value.span) });
        if value.is_lone_wildcard() {
            return leaf(LeafKind::Exists);
        }
        let ty = target.mapping.map(|mapping| mapping.ty);
        let case_insensitive = self.options.case_insensitive.unwrap_or(false);
        if let TermKind::Pattern(pieces) = &value.kind {
            return if ty == Some(FieldType::Keyword) {
                leaf(LeafKind::Wildcard { value: escaped(pieces), case_insensitive })
            } else {
                self.pattern(pieces, false, value.span, &leaf)
            };
        }
        leaf(match ty {
            Some(FieldType::Date | FieldType::DateNanos) => LeafKind::Range(RangeBounds {
                gte: Some(literal(value)),
                lte: Some(literal(value)),
                time_zone: self.time_zone(value),
                ..RangeBounds::default()
            }),
            Some(FieldType::Keyword) => LeafKind::Term { value: literal(value), case_insensitive },
            Some(_) | None => analysed(value, false),
        })
    }

    /// The question about all fields: those that cannot hold the value are passed over.
    fn everywhere(&mut self, value: &Term) -> Query {
        let leaf = |kind| Query::Leaf(Leaf { field: None, kind, span: Some(value.span) });
        match &value.kind {
            TermKind::Pattern(pieces) => self.pattern(pieces, true, value.span, &leaf),
            TermKind::Null | TermKind::Bool(_) | TermKind::Text { .. } => leaf(analysed(value, true)),
        }
    }

    fn pattern(
        &mut self,
        pieces: &[String],
        lenient: bool,
        span: Span,
        leaf: &dyn Fn(LeafKind) -> Query,
    ) -> Query {
        pattern::query(pieces, lenient, leaf).unwrap_or_else(|pattern::Misplaced(word)| {
            self.errors.push(TranslateError::MisplacedOperator { word, span });
            Query::MatchNone
        })
    }

    fn range(&mut self, field: &Term, op: RangeOp, value: &Term, path: Option<&str>) -> Query {
        let targets = self.targets(field, path);
        self.check_name(&targets, value.span);
        let question = |target: &Target<'_>| {
            let is_date =
                target.mapping.is_some_and(|it| matches!(it.ty, FieldType::Date | FieldType::DateNanos));
            let mut bounds = RangeBounds::default();
            let bound = match op {
                RangeOp::Gt => &mut bounds.gt,
                RangeOp::Gte => &mut bounds.gte,
                RangeOp::Lt => &mut bounds.lt,
                RangeOp::Lte => &mut bounds.lte,
            };
            *bound = Some(literal(value));
            bounds.time_zone = if is_date { self.time_zone(value) } else { None };
            let leaf = Leaf {
                field: Some(target.name.clone()),
                kind: LeafKind::Range(bounds),
                span: Some(value.span),
            };
            target.wrap(Query::Leaf(leaf), value.span)
        };
        any(targets.iter().map(question).collect())
    }

    /// The zone to give with a date: none with epoch milliseconds, which no zone can shift.
    fn time_zone(&self, value: &Term) -> Option<String> {
        let digits = value.text().bytes().all(|byte| byte.is_ascii_digit());
        self.options.time_zone.clone().filter(|_| !digits)
    }

    /// The fields that a name stands for. A name or pattern that matches none stands for itself.
    fn targets(&mut self, field: &Term, path: Option<&str>) -> Vec<Target<'a>> {
        let catalog = self.catalog;
        let full = full_name(path, &field.text());
        let mut targets = Vec::new();
        if let TermKind::Pattern(pieces) = &field.kind {
            let prefix = path.map(|path| format!("{path}."));
            for (name, mapping) in catalog.iter().filter(|(_, mapping)| is_listed(mapping)) {
                let rest = prefix.as_deref().map_or(Some(name), |prefix| name.strip_prefix(prefix));
                if !rest.is_some_and(|rest| matches_pieces(pieces, rest)) {
                    continue;
                }
                // Outside groups a pattern may find nested and other fields alike: the group is added.
                if path.is_some() {
                    self.check(name, mapping, path, field.span);
                }
                let group = mapping.nested.as_deref().filter(|_| path.is_none());
                targets.push(Target { name: name.to_owned(), mapping: Some(mapping), group });
            }
        } else if let Some(mapping) = catalog.get(&full).filter(|mapping| is_listed(mapping)) {
            self.check(&full, mapping, path, field.span);
            targets.push(Target { name: full.clone(), mapping: Some(mapping), group: None });
        }
        if targets.is_empty() {
            targets.push(Target::unknown(full));
        }
        targets
    }

    /// Elasticsearch cannot read `exists`, `match_phrase` and `range` about a field whose name is empty.
    fn check_name(&mut self, targets: &[Target<'_>], span: Span) {
        if targets.iter().any(|target| target.name.is_empty()) {
            self.errors.push(TranslateError::EmptyName { span });
        }
    }

    /// Whether a known field may stand in the group at `path`, or outside any.
    fn check(&mut self, field: &str, mapping: &Mapping, path: Option<&str>, span: Span) {
        let field = field.to_owned();
        match (path, mapping.nested.as_deref()) {
            (Some(path), None) => {
                self.errors.push(TranslateError::NotNested { field, path: path.to_owned(), span });
            }
            (None, Some(path)) => {
                self.errors.push(TranslateError::OutsideGroup { field, path: path.to_owned(), span });
            }
            (Some(path), Some(correct)) if path != correct => {
                let (path, correct) = (path.to_owned(), correct.to_owned());
                self.errors.push(TranslateError::WrongGroup { field, path, correct, span });
            }
            (Some(_), Some(_)) | (None, None) => {}
        }
    }
}

impl Target<'_> {
    fn unknown(name: String) -> Self {
        Self { name, mapping: None, group: None }
    }

    fn wrap(&self, query: Query, span: Span) -> Query {
        match self.group {
            Some(path) => Query::Nested { path: path.to_owned(), query: Box::new(query), span: Some(span) },
            None => query,
        }
    }
}

/// Kibana's field list has no objects: they hold no values themselves.
fn is_listed(mapping: &Mapping) -> bool {
    !matches!(mapping.ty, FieldType::Nested | FieldType::Object)
}

fn any(should: Vec<Query>) -> Query {
    Query::Bool(Bool { should, minimum_should_match: Some(1), ..Bool::default() })
}

fn analysed(value: &Term, lenient: bool) -> LeafKind {
    let query = literal(value);
    if matches!(value.kind, TermKind::Text { quoted: true, .. }) {
        LeafKind::MatchPhrase { query, slop: 0, lenient }
    } else {
        LeafKind::Match { query, operator: Operator::Or, lenient }
    }
}

/// A value for Query DSL. The wildcards of a pattern are asterisks where no pattern is allowed.
fn literal(value: &Term) -> Literal {
    match &value.kind {
        TermKind::Null => Literal::Null,
        TermKind::Bool(value) => Literal::Bool(*value),
        TermKind::Text { .. } | TermKind::Pattern(_) => Literal::Text(value.text().into_owned()),
    }
}

/// The pattern of a `wildcard` query, in which `*` alone is active.
fn escaped(pieces: &[String]) -> String {
    let escape = |piece: &String| {
        let mut out = String::with_capacity(piece.len());
        for c in piece.chars() {
            if is_reserved(c) {
                out.push('\\');
            }
            out.push(c);
        }
        out
    };
    pieces.iter().map(escape).collect::<Vec<_>>().join("*")
}

/// What Kibana escapes in a pattern.
fn is_reserved(c: char) -> bool {
    matches!(
        c,
        '+' | '-'
            | '='
            | '&'
            | '|'
            | '>'
            | '<'
            | '!'
            | '('
            | ')'
            | '{'
            | '}'
            | '['
            | ']'
            | '^'
            | '"'
            | '~'
            | '*'
            | '?'
            | ':'
            | '\\'
            | '/'
    )
}

/// Whether the text is these pieces with anything between them.
pub(crate) fn matches_pieces(pieces: &[String], text: &str) -> bool {
    let [first, middle @ .., last] = pieces else { return false };
    let Some(rest) = text.strip_prefix(first.as_str()) else { return false };
    let Some(mut rest) = rest.strip_suffix(last.as_str()) else { return false };
    for piece in middle {
        let Some(at) = rest.find(piece.as_str()) else { return false };
        rest = &rest[at + piece.len()..];
    }
    true
}
