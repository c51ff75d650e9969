//! Where a rule was read from: what messages about it point into.

use std::sync::Arc;

use span::{Diagnostic, Span};

use crate::text::{Literal, Node, Syntax};

/// The file of a rule with the places of everything in it.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// The file, without the number of a rule in it.
    pub(crate) name: String,
    pub(crate) text: Arc<str>,
    pub(crate) syntax: Syntax,
    /// It came with the engine.
    pub(crate) built_in: bool,
    /// The rule in the form of the API, each value where it stands in the file.
    pub(crate) rule: Node,
    /// `[guide]`.
    pub(crate) guide: Option<Node>,
}

impl Source {
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The place of the value at a path of the rule, else of its nearest parent that is there.
    pub(crate) fn span(&self, path: &[&str]) -> Span {
        (0..=path.len())
            .rev()
            .find_map(|depth| self.rule.at(&path[..depth]))
            .map_or(Span::at(0), |node| self.short(node.span))
    }

    /// The place of what a path like `filters[0].query.term` names, else of its nearest parent that is there.
    /// Keys may contain dots themselves: the longest that is there is taken.
    pub(crate) fn span_of(&self, path: &str) -> Span {
        self.short(self.walk(path).0.span)
    }

    /// The span of the last key on the path; of a place in a list, that of what stands there.
    pub(crate) fn key_span_of(&self, path: &str) -> Span {
        self.walk(path).1
    }

    /// What stands at the path, as far as there is anything.
    pub(crate) fn node_at(&self, path: &str) -> &Node {
        self.walk(path).0
    }

    fn walk(&self, path: &str) -> (&Node, Span) {
        let (mut node, mut key_span) = (&self.rule, self.rule.span);
        let mut rest = path;
        while !rest.is_empty() {
            let step = match rest.strip_prefix('[').and_then(|list| list.split_once(']')) {
                Some((at, after)) => at
                    .parse::<usize>()
                    .ok()
                    .and_then(|at| node.items().get(at))
                    .map(|item| (item, item.span, after)),
                None => node
                    .members()
                    .iter()
                    .filter_map(|it| Some((&it.value, it.key_span, rest.strip_prefix(it.key.as_str())?)))
                    .filter(|(.., after)| after.is_empty() || after.starts_with(['.', '[']))
                    .min_by_key(|(.., after)| after.len()),
            };
            let Some((inner, its_span, after)) = step else { break };
            (node, key_span, rest) = (inner, its_span, after.strip_prefix('.').unwrap_or(after));
        }
        (node, key_span)
    }

    /// Moves a finding about a query to where the query stands in the file.
    pub(crate) fn place(&self, diagnostic: Diagnostic, node: Option<&Node>) -> Diagnostic {
        place(diagnostic, node, &self.text, self.syntax)
    }

    /// Long values are underlined on their first line only.
    fn short(&self, span: Span) -> Span {
        let body = self.text.get(span.range()).unwrap_or_default();
        if body.starts_with('{') {
            return Span::new(span.start, span.start + 1);
        }
        Span::new(span.start, span.start + body.find('\n').unwrap_or(body.len()))
    }
}

/// Moves a finding about the string at `node` to where that string stands in the file.
pub(crate) fn place(
    mut diagnostic: Diagnostic,
    node: Option<&Node>,
    text: &str,
    syntax: Syntax,
) -> Diagnostic {
    let literal = node.and_then(|node| Literal::of(node, text, syntax));
    for label in &mut diagnostic.labels {
        label.span = match (&literal, node) {
            (Some(literal), _) => literal.span(label.span),
            (None, Some(node)) => node.span,
            (None, None) => Span::at(0),
        };
    }
    // A change is made within the string, by its rules; else it is left to people.
    diagnostic.edits = match literal {
        Some(literal) => diagnostic.edits.iter().filter_map(|edit| literal.edit(edit)).collect(),
        None => Vec::new(),
    };
    if diagnostic.labels.is_empty()
        && let Some(node) = node
    {
        diagnostic.labels.push(span::Label { span: node.span, text: String::new() });
    }
    diagnostic
}
