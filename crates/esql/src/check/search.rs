//! What asks the event itself: `KQL`, `QSTR`, `MATCH` and `:`.

use ecs::FieldType;
use plan::{Condition, Leaf, LeafKind, LowerError, Operator, Query};
use span::{Diagnostic, Span};

use super::expression::Place;
use super::{CheckErrorKind, Checker};
use crate::ast::{self, Literal, Text};
use crate::resolved::{Expr, ExprKind};
use crate::{Function, Type};

/// What `MATCH` can be told.
const OPTIONS: [&str; 5] = ["operator", "fuzziness", "lenient", "max_expansions", "boost"];

impl Checker<'_> {
    /// One of the functions.
    pub(super) fn search(
        &mut self,
        function: Function,
        arguments: &[ast::Expr],
        options: &[(Text, Literal)],
        place: Place,
        span: Span,
    ) -> Option<Expr> {
        let name = function.spec().name;
        if function == Function::Match {
            let [field, query] = arguments else {
                let expected = "two arguments".to_owned();
                self.error(
                    CheckErrorKind::ArgumentCount { function: name, expected, found: arguments.len() },
                    span,
                );
                return None;
            };
            return self.match_field(field, query, options, place, span);
        }
        let [argument] = arguments else {
            let expected = "one argument".to_owned();
            self.error(
                CheckErrorKind::ArgumentCount { function: name, expected, found: arguments.len() },
                span,
            );
            return None;
        };
        if let Some((key, _)) = options.first() {
            let kind =
                CheckErrorKind::UnknownOption { function: name, name: key.text.to_string(), known: &[] };
            self.error(kind, key.span);
            return None;
        }
        self.may_search(name, place, span)?;
        let ast::ExprKind::Literal(Literal::Text(text)) = &argument.kind else {
            self.error(CheckErrorKind::NotConstant { function: name, argument: "query" }, argument.span);
            return None;
        };
        let checked = match function {
            Function::Kql => kql::check(text, self.sources.fields),
            _ => lucene::check(text, self.sources.fields),
        };
        match checked {
            Ok(condition) => Some(search(condition, span)),
            Err(found) => {
                let at = argument.span;
                for it in found {
                    let it = self.placed(it, at, text);
                    let span = it.span().unwrap_or(at);
                    self.error(CheckErrorKind::Other(it), span);
                }
                None
            }
        }
    }

    /// What is said of an inner text, at its place in the whole, if it stands there as it is.
    fn placed(&self, mut found: Diagnostic, at: Span, text: &str) -> Diagnostic {
        let written = &self.text[at.range()];
        let quotes = if written.starts_with("\"\"\"") { 3 } else { 1 };
        let is_verbatim = written.get(quotes..written.len().saturating_sub(quotes)) == Some(text);
        for label in &mut found.labels {
            label.span = if is_verbatim { label.span.shifted(at.start + quotes) } else { at };
        }
        if found.labels.is_empty() {
            return Diagnostic {
                help: found.help,
                ..Diagnostic::new(found.severity, found.code, found.message, at)
            };
        }
        found
    }

    /// Whether events can be asked here; if not, that is said.
    fn may_search(&mut self, what: &str, place: Place, span: Span) -> Option<()> {
        let what = what.to_owned();
        match (place, self.no_events) {
            (Place::Filter, None) => return Some(()),
            (Place::Filter, Some(command)) => self.error(CheckErrorKind::SearchAfter { what, command }, span),
            (Place::Row | Place::Grouping | Place::Aggregate | Place::Group, _) => {
                self.error(CheckErrorKind::SearchPlace { what }, span);
            }
        }
        None
    }

    /// `MATCH(field, query, {options})`, `field : query`.
    pub(super) fn match_field(
        &mut self,
        field: &ast::Expr,
        query: &ast::Expr,
        options: &[(Text, Literal)],
        place: Place,
        span: Span,
    ) -> Option<Expr> {
        self.may_search("MATCH", place, span)?;
        let mut named = field;
        while let ast::ExprKind::Cast { value, .. } = &named.kind {
            named = value;
        }
        let ast::ExprKind::Column(name) = &named.kind else {
            let name = self.text[field.span.range()].to_owned();
            self.error(CheckErrorKind::SearchField { name }, field.span);
            return None;
        };
        let (slot, ty) = self.column(&name.text, name.span)?;
        let Some(path) = self.field_of(slot, &name.text).map(str::to_owned) else {
            self.error(CheckErrorKind::SearchField { name: name.text.clone() }, name.span);
            return None;
        };
        if ty == Type::Unsupported {
            let stored = self.stored_as(slot);
            self.error(CheckErrorKind::UnsupportedType { name: path, stored }, name.span);
            return None;
        }
        let ast::ExprKind::Literal(literal) = &query.kind else {
            self.error(CheckErrorKind::NotConstant { function: "MATCH", argument: "query" }, query.span);
            return None;
        };
        let value = match literal {
            Literal::Text(text) => plan::Literal::Text(text.to_string()),
            Literal::Boolean(it) => plan::Literal::Bool(*it),
            number @ (Literal::Integer(_) | Literal::Decimal(_)) => plan::Literal::Number(number.to_string()),
            Literal::Null | Literal::Span { .. } | Literal::List(_) => {
                self.error(CheckErrorKind::NotConstant { function: "MATCH", argument: "query" }, query.span);
                return None;
            }
        };
        let (operator, edits) = self.match_options(options, literal)?;
        let kind = match (edits, &value) {
            (Some(edits), plan::Literal::Text(value)) if ty.is_string() => {
                LeafKind::Fuzzy { value: value.clone(), edits }
            }
            _ => LeafKind::Match { query: value, operator, lenient: true },
        };
        let is_text = self
            .sources
            .fields
            .get(&path)
            .is_some_and(|it| matches!(it.ty, FieldType::Text | FieldType::MatchOnlyText));
        // Of an analysed text, each word may differ.
        let words: Vec<Query> = match &kind {
            LeafKind::Fuzzy { value, edits } if is_text => value
                .split_whitespace()
                .map(|it| leaf(&path, LeafKind::Fuzzy { value: it.to_owned(), edits: *edits }, span))
                .collect(),
            _ => vec![leaf(&path, kind, span)],
        };
        let asked = match operator {
            Operator::Or => {
                plan::Bool { should: words, minimum_should_match: Some(1), ..plan::Bool::default() }
            }
            Operator::And => plan::Bool { must: words, ..plan::Bool::default() },
        };
        match plan::condition(&Query::Bool(asked), self.sources.fields) {
            Ok(condition) => Some(search(condition, span)),
            Err(errors) => {
                for it in errors.iter().map(LowerError::diagnostic) {
                    self.error(CheckErrorKind::Other(it), span);
                }
                None
            }
        }
    }

    fn match_options(
        &mut self,
        options: &[(Text, Literal)],
        query: &Literal,
    ) -> Option<(Operator, Option<u8>)> {
        let (mut operator, mut edits) = (Operator::Or, None);
        let mut is_right = true;
        for (key, value) in options {
            let name = key.text.to_string();
            if !OPTIONS.contains(&name.as_str()) {
                self.error(
                    CheckErrorKind::UnknownOption { function: "MATCH", name, known: &OPTIONS },
                    key.span,
                );
                is_right = false;
                continue;
            }
            let text = match value {
                Literal::Text(text) => text.to_ascii_uppercase(),
                other => other.to_string(),
            };
            match (name.as_str(), text.as_str()) {
                ("operator", "OR") => operator = Operator::Or,
                ("operator", "AND") => operator = Operator::And,
                ("fuzziness", "0") => edits = Some(0),
                ("fuzziness", "1") => edits = Some(1),
                ("fuzziness", "2") => edits = Some(2),
                ("fuzziness", "AUTO") => {
                    let length = if let Literal::Text(text) = query { text.chars().count() } else { 0 };
                    edits = Some(match length {
                        0..=2 => 0,
                        3..=5 => 1,
                        _ => 2,
                    });
                }
                // They bound what an index looks up, or order what it finds; here every event is asked.
                ("lenient" | "max_expansions" | "boost", _) => {}
                _ => {
                    self.error(CheckErrorKind::OptionValue { name, value: value.to_string() }, key.span);
                    is_right = false;
                }
            }
        }
        is_right.then_some((operator, edits))
    }
}

fn leaf(path: &str, kind: LeafKind, span: Span) -> Query {
    Query::Leaf(Leaf { field: Some(path.to_owned()), kind, span: Some(span) })
}

fn search(condition: Condition, span: Span) -> Expr {
    Expr { kind: ExprKind::Search(Box::new(condition)), ty: Type::Boolean, span }
}
