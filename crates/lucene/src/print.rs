//! A tree back to text. What is printed parses to the same tree.

use std::fmt::{self, Display, Formatter, Write};

use plan::Glob;

use crate::ast::{Ast, Atom, Clause, Conjunction, Field, Group, Modifier, Node};
use crate::lexer::is_special;

impl Display for Ast {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.root.as_ref().map_or(Ok(()), |root| root.fmt(f))
    }
}

impl Display for Group {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (at, clause) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_char(' ')?;
            }
            clause.fmt(f)?;
            // A boost means nothing, but joins no words.
            let is_plain = |it: &Clause| matches!(&it.node, Node::Atom(Atom::Words(_)));
            let joins = |it: &Clause| {
                is_plain(it) && it.conjunction.is_none() && it.modifier.is_none() && it.field.is_none()
            };
            if is_plain(clause) && self.0.get(at + 1).is_some_and(joins) {
                f.write_str("^1")?;
            }
        }
        Ok(())
    }
}

impl Display for Clause {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self.conjunction {
            Some(Conjunction::And) => "AND ",
            Some(Conjunction::Or) => "OR ",
            None => "",
        })?;
        f.write_str(match self.modifier {
            Some(Modifier::Plus) => "+",
            Some(Modifier::Not) => "NOT ",
            None => "",
        })?;
        if let Some(field) = &self.field {
            write!(f, "{field}:")?;
        }
        match &self.node {
            Node::Group(group) => write!(f, "({group})"),
            Node::Atom(atom) => atom.fmt(f),
        }
    }
}

impl Display for Field {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.name == "*" { f.write_char('*') } else { word(f, &self.name) }
    }
}

impl Display for Atom {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Words(text) => words(f, text),
            Self::Phrase { text, slop } => {
                quoted(f, text)?;
                if *slop > 0 { write!(f, "~{slop}") } else { Ok(()) }
            }
            Self::Star => f.write_char('*'),
            Self::Pattern(globs) => globs.iter().try_for_each(|glob| match glob {
                Glob::Text(text) => escaped(f, text),
                Glob::One => f.write_char('?'),
                Glob::Any => f.write_char('*'),
            }),
            Self::Regexp(text) => write!(f, "/{text}/"),
            Self::Fuzzy { text, edits } => {
                word(f, text)?;
                match edits {
                    Some(edits) => write!(f, "~{edits}"),
                    None => f.write_char('~'),
                }
            }
            Self::Range { lower, includes_lower, upper, includes_upper } => {
                f.write_char(if *includes_lower { '[' } else { '{' })?;
                bound(f, lower.as_deref())?;
                f.write_str(" TO ")?;
                bound(f, upper.as_deref())?;
                f.write_char(if *includes_upper { ']' } else { '}' })
            }
        }
    }
}

fn bound(f: &mut Formatter<'_>, bound: Option<&str>) -> fmt::Result {
    match bound {
        None => f.write_char('*'),
        Some(text) => quoted(f, text),
    }
}

fn quoted(f: &mut Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for it in text.chars() {
        if matches!(it, '"' | '\\') {
            f.write_char('\\')?;
        }
        f.write_char(it)?;
    }
    f.write_char('"')
}

/// Words in a row. The spaces between them stay: they may be those of one word, but say the same.
fn words(f: &mut Formatter<'_>, text: &str) -> fmt::Result {
    match text {
        // Joined to no other word, as an escaped one would be.
        "+" | "-" | "!" => write!(f, "{text} "),
        _ => word(f, text),
    }
}

/// A word, escaped so that it is one.
fn word(f: &mut Formatter<'_>, text: &str) -> fmt::Result {
    if matches!(text, "AND" | "OR" | "NOT" | "&&" | "||") {
        f.write_char('\\')?;
        return f.write_str(text);
    }
    escaped(f, text)
}

fn escaped(f: &mut Formatter<'_>, text: &str) -> fmt::Result {
    for it in text.chars() {
        if is_special(it) {
            f.write_char('\\')?;
        }
        f.write_char(it)?;
    }
    Ok(())
}
