//! What is legal, but probably not meant.

use span::{Diagnostic, Severity, Span};

use crate::ast::{Ast, Atom, Clause, Conjunction, Group, Modifier, Node, Occur, occurs};

/// Findings for people who write rules, in the order of their places in the text. None of them changes what the
/// query means; all have the codes `LUC201` and up.
pub fn lint(ast: &Ast) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    if let Some(root) = &ast.root {
        group(root, false, &mut found);
    }
    found.sort_by_key(Diagnostic::span);
    found
}

/// Recurses as deep as the tree, which the parser bounds.
fn group(group: &Group, has_field: bool, found: &mut Vec<Diagnostic>) {
    siblings(group, found);
    for (at, clause) in group.0.iter().enumerate() {
        let has_field = has_field || clause.field.is_some();
        match &clause.node {
            Node::Group(inner) => self::group(inner, has_field, found),
            Node::Atom(it) => {
                atom(it, clause.span, has_field, found);
                let before = at.checked_sub(1).map(|at| &group.0[at]);
                if !has_field && matches!(it, Atom::Words(_)) && before.is_some_and(binds_a_word) {
                    found.push(stray(clause.span));
                }
            }
        }
    }
}

/// What the clauses of a group do to each other.
fn siblings(group: &Group, found: &mut Vec<Diagnostic>) {
    let occurs = occurs(group);
    let is_required = occurs.contains(&Occur::Must);
    for (at, (clause, occur)) in group.0.iter().zip(&occurs).enumerate() {
        let next = group.0.get(at + 1).and_then(|it| it.conjunction);
        let is_alternative = clause.conjunction == Some(Conjunction::Or) || next == Some(Conjunction::Or);
        if is_required && *occur == Occur::Should && is_alternative {
            let message = "this does nothing: beside what `AND` or `+` requires, an alternative is optional";
            found.push(
                warning("LUC201", message, clause.span)
                    .help("put what belongs together in parentheses: `a AND (b OR c)`"),
            );
        }
        if clause.conjunction == Some(Conjunction::Or) && clause.modifier == Some(Modifier::Not) {
            let message = "`OR NOT` excludes this from the whole group, it is no alternative";
            found.push(warning("LUC202", message, clause.span).help("put it in parentheses: `a OR (NOT b)`"));
        }
    }
}

fn atom(atom: &Atom, span: Span, has_field: bool, found: &mut Vec<Diagnostic>) {
    match atom {
        Atom::Words(words) => {
            let operator = words.split(' ').find(|it| matches!(*it, "and" | "or" | "not"));
            if let Some(operator) = operator.filter(|it| words.len() > it.len()) {
                let message = format!("`{operator}` is a word here, part of the text `{words}`");
                let help = format!("write `{}`", operator.to_uppercase());
                found.push(warning("LUC203", message, span).help(help));
            }
            let sign = words.split(' ').skip(1).find(|it| it.starts_with(['<', '>']));
            if let Some(second) = sign.filter(|_| has_field) {
                let message = format!("`{second}` is part of the text that the bound before it begins");
                found.push(warning("LUC204", message, span).help("write `AND` between the bounds"));
            }
        }
        Atom::Phrase { text, .. } if text.contains(['*', '?']) => {
            let message = "in double quotes `*` and `?` are ordinary characters";
            let help = "remove the quotes, and write a backslash before each space";
            found.push(warning("LUC205", message, span).help(help));
        }
        Atom::Regexp(text) if text.starts_with('^') || text.ends_with('$') && !text.ends_with("\\$") => {
            let message =
                "a regular expression is anchored at both ends; `^` and `$` are ordinary characters";
            found.push(warning("LUC206", message, span).help("remove them"));
        }
        Atom::Phrase { .. }
        | Atom::Star
        | Atom::Pattern(_)
        | Atom::Regexp(_)
        | Atom::Fuzzy { .. }
        | Atom::Range { .. } => {}
    }
}

/// Whether a clause is a field with a word, which a word behind it may be meant to belong to.
fn binds_a_word(clause: &Clause) -> bool {
    clause.field.is_some() && matches!(clause.node, Node::Atom(Atom::Words(_) | Atom::Pattern(_)))
}

fn stray(span: Span) -> Diagnostic {
    let message = "this is no value of the field before it: it is looked for in all fields";
    warning("LUC207", message, span).help("put the values in parentheses, `name:(a b)`, or in double quotes")
}

fn warning(code: &'static str, message: impl Into<String>, span: Span) -> Diagnostic {
    Diagnostic::new(Severity::Warning, code, message, span)
}
