//! Our side, through both of its evaluators.

use ::kql::{Node, NodeKind, TermKind};
use ::lucene::{Atom, Group};
use ecs::{Catalog, FieldType, Millis, Resolved};
use plan::Glob;

use super::language::Language;
use super::{Answer, World};
use crate::evaluate;

/// This engine at a fixed instant.
#[derive(Debug)]
pub(super) struct Engine {
    now: Millis,
}

impl Engine {
    pub(super) fn new(now: Millis) -> Self {
        Self { now }
    }

    /// What the query finds here.
    pub(super) fn answer(&self, language: Language, query: &str, world: &World) -> anyhow::Result<Answer> {
        let documents = &world.documents;
        let answer = match language {
            Language::Kql => evaluate::kql(query, &world.listed, &world.catalog, documents, self.now)?,
            Language::Lucene => evaluate::lucene(query, &world.catalog, documents, self.now)?,
        };
        Ok(match answer {
            Ok(ids) => Answer::Found(ids),
            Err(reasons) => Answer::Refused(reasons),
        })
    }
}

/// Whether the query asks something that this engine answers differently on purpose, or that the peer is too old
/// for. `docs/compatibility.md` says why:
///
/// * Kibana 8.9 did not yet escape the pattern for a keyword field, so that `?`, `\` and an escaped asterisk were
///   active in it.
/// * Elasticsearch reads `10.0.0.`, `1922.0.0.1` and `::00001` as addresses.
/// * A field called `*`, asked for existence, is any field here; a node asks its own fields, too, and fails.
/// * A pattern on a key of a flattened field, other than a beginning, is compared with the values of that key, not
///   with the keys and values of the whole field.
/// * In Lucene, several asterisks at the end of a word are one.
/// * A `)` where a regular expression has nothing to close.
/// * A regular expression with `~` or `&` inside of it is refused.
/// * In Lucene, only the number after `~` belongs to it.
pub(super) fn is_different_on_purpose(language: Language, query: &str, listed: &Catalog) -> bool {
    match language {
        Language::Kql => {
            kql::parse(query).ok().and_then(|it| it.root).is_some_and(|it| has_odd_pattern(&it, listed))
        }
        Language::Lucene => {
            has_odd_tilde(query)
                || lucene::parse(query)
                    .ok()
                    .and_then(|it| it.root)
                    .is_some_and(|it| has_odd_atom(&it, None, listed))
        }
    }
}

/// A `~` with more than a number behind it: for a node all of it is the distance.
fn has_odd_tilde(query: &str) -> bool {
    let after_digits = |text: &str| text.trim_start_matches(|it: char| it.is_ascii_digit()).len();
    query.match_indices('~').any(|(at, _)| {
        let behind = &query[at + 1..];
        let mut left = after_digits(behind);
        if let Some(fraction) = behind[behind.len() - left..].strip_prefix('.') {
            // A point is part of the number between digits only.
            if left < behind.len() && after_digits(fraction) < fraction.len() {
                left = after_digits(fraction);
            }
        }
        let ends = |it: char| it.is_whitespace() || "!():^[]\"{}~*?/".contains(it);
        let next = behind[behind.len() - left..].chars().next();
        !query[..at].ends_with('\\') && next.is_some_and(|it| !ends(it))
    })
}

/// `outer` is the field that the groups around name.
fn has_odd_atom(group: &Group, outer: Option<&str>, listed: &Catalog) -> bool {
    group.0.iter().any(|clause| {
        let field = clause.field.as_ref().map(|it| it.name.as_str()).or(outer);
        match &clause.node {
            lucene::Node::Group(inner) => has_odd_atom(inner, field, listed),
            lucene::Node::Atom(atom) => is_odd_atom(atom, field, listed),
        }
    })
}

fn is_odd_atom(atom: &Atom, field: Option<&str>, listed: &Catalog) -> bool {
    match atom {
        Atom::Words(text) | Atom::Phrase { text, .. } => {
            is_misread_address(text.trim_start_matches(['<', '>', '=']))
        }
        Atom::Range { lower, upper, .. } => {
            [lower, upper].into_iter().flatten().any(|it| is_misread_address(it))
        }
        Atom::Pattern(globs) => {
            matches!(globs[..], [Glob::Text(_), Glob::Any, Glob::Any, ..])
                || !matches!(globs[..], [Glob::Text(_), Glob::Any])
                    && field.is_some_and(|it| is_flattened_key(it, listed))
        }
        Atom::Regexp(text) => {
            let is_inner = |it| matches!(it, plan::RegexpError::Inner { .. });
            text.contains(')') && !text.contains('(')
                || plan::Regexp::new(text, None, false).is_err_and(is_inner)
        }
        Atom::Star | Atom::Fuzzy { .. } => false,
    }
}

fn is_flattened_key(name: &str, listed: &Catalog) -> bool {
    matches!(listed.resolve(name), Resolved::FlattenedKey { .. })
}

fn has_odd_pattern(node: &Node, listed: &Catalog) -> bool {
    match &node.kind {
        NodeKind::Or(nodes) | NodeKind::And(nodes) => nodes.iter().any(|node| has_odd_pattern(node, listed)),
        NodeKind::Not(node) => has_odd_pattern(node, listed),
        NodeKind::Nested { query, .. } => has_odd_pattern(query, listed),
        NodeKind::Is { field: Some(field), value } => {
            if value.is_lone_wildcard() && matches!(&field.kind, TermKind::Text { text, .. } if text == "*") {
                return true;
            }
            let TermKind::Pattern(pieces) = &value.kind else { return is_misread_address(&value.text()) };
            if is_flattened_key(&field.text(), listed) && !is_beginning(pieces) {
                return !value.is_lone_wildcard();
            }
            let is_keyword = matches!(field.kind, TermKind::Pattern(_))
                || listed.get(&field.text()).is_some_and(|mapping| mapping.ty == FieldType::Keyword);
            is_keyword && pieces.iter().any(|piece| piece.contains(['?', '\\', '*']))
        }
        NodeKind::Is { field: None, value } | NodeKind::Range { value, .. } => {
            is_misread_address(&value.text())
        }
    }
}

/// `x*`, without white space, at which it would be split.
fn is_beginning(pieces: &[String]) -> bool {
    matches!(pieces, [text, rest] if rest.is_empty() && !text.is_empty() && !text.contains(char::is_whitespace))
}

/// `10.0.0.`, `1922.0.0.1`, `::00001`, with or without a prefix length.
fn is_misread_address(text: &str) -> bool {
    let groups: Vec<&str> = text.split('/').next().unwrap_or_default().split(':').collect();
    let is_long = |group: &&str| group.len() > 4 && group.bytes().all(|byte| byte.is_ascii_hexdigit());
    let octets: Vec<&str> = groups.last().copied().unwrap_or_default().split('.').collect();
    let is_digits = |octet: &&str| octet.bytes().all(|byte| byte.is_ascii_digit());
    let is_odd = octets[octets.len() - 1].is_empty() || octets.iter().any(|octet| octet.len() > 3);
    groups.len() > 2 && groups.iter().any(is_long)
        || octets.len() == 4 && octets.iter().all(is_digits) && is_odd
}
