//! A tree back to text. What is printed parses to the same tree.

use std::fmt::{self, Display, Formatter, Write};

use crate::literal::{is_space, is_special};
use crate::{Ast, Node, NodeKind, Term, TermKind};

impl Display for Ast {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.root.as_ref().map_or(Ok(()), |root| root.fmt(f))
    }
}

impl Display for Node {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            NodeKind::Or(nodes) => joined(f, nodes, " or "),
            NodeKind::And(nodes) => joined(f, nodes, " and "),
            NodeKind::Not(node) => {
                f.write_str("not ")?;
                if matches!(node.kind, NodeKind::Not(_)) { write!(f, "({node})") } else { operand(f, node) }
            }
            NodeKind::Nested { path, query } => write!(f, "{path}:{{ {query} }}"),
            NodeKind::Is { field: Some(field), value } => write!(f, "{field}: {value}"),
            NodeKind::Is { field: None, value } => value.fmt(f),
            NodeKind::Range { field, op, value } => write!(f, "{field} {} {value}", op.as_str()),
        }
    }
}

fn joined(f: &mut Formatter<'_>, nodes: &[Node], operator: &str) -> fmt::Result {
    for (at, node) in nodes.iter().enumerate() {
        if at > 0 {
            f.write_str(operator)?;
        }
        operand(f, node)?;
    }
    Ok(())
}

/// A node under an operator: parentheses around `and` and `or`. A `not` needs them only under another `not`.
fn operand(f: &mut Formatter<'_>, node: &Node) -> fmt::Result {
    match node.kind {
        NodeKind::Or(_) | NodeKind::And(_) => write!(f, "({node})"),
        NodeKind::Not(_) | NodeKind::Nested { .. } | NodeKind::Is { .. } | NodeKind::Range { .. } => {
            node.fmt(f)
        }
    }
}

impl Display for Term {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            TermKind::Null | TermKind::Bool(_) => f.write_str(&self.text()),
            TermKind::Text { text, quoted: true } => quoted(f, text),
            TermKind::Text { text, quoted: false } => {
                if text.is_empty() {
                    // Only escaped white space gives an empty unquoted literal.
                    return f.write_str("\\u0020");
                }
                unquoted(f, text)
            }
            TermKind::Pattern(pieces) => {
                for (at, piece) in pieces.iter().enumerate() {
                    if at > 0 {
                        f.write_char('*')?;
                    }
                    unquoted(f, piece)?;
                }
                Ok(())
            }
        }
    }
}

fn quoted(f: &mut Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for c in text.chars() {
        match control_escape(c) {
            Some(escape) => f.write_str(escape)?,
            None if c == '"' || c == '\\' => write!(f, "\\{c}")?,
            None => f.write_char(c)?,
        }
    }
    f.write_char('"')
}

fn unquoted(f: &mut Formatter<'_>, text: &str) -> fmt::Result {
    let mut before = None;
    for (at, c) in text.char_indices() {
        match control_escape(c) {
            Some(escape) => f.write_str(escape)?,
            None if is_special(c) => write!(f, "\\{c}")?,
            // `\not` would be a line feed and `ot`, so the first letter of a keyword is written by its code.
            None if begins_keyword(&text[at..], before) => write!(f, "\\u{:04x}", u32::from(c))?,
            None => f.write_char(c)?,
        }
        before = Some(c);
    }
    Ok(())
}

fn control_escape(c: char) -> Option<&'static str> {
    match c {
        '\t' => Some("\\t"),
        '\r' => Some("\\r"),
        '\n' => Some("\\n"),
        _ => None,
    }
}

/// Whether `rest` begins with a word that could be taken for an operator, whatever is printed after the text.
fn begins_keyword(rest: &str, before: Option<char>) -> bool {
    let word = |word: &str| {
        rest.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word))
            && rest[word.len()..].chars().next().is_none_or(is_space)
    };
    word("not") || before.is_some_and(is_space) && (word("and") || word("or"))
}
