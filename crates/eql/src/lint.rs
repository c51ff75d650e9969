//! What is legal, but probably not meant.

use span::{Diagnostic, Label, Severity, Span};

use crate::ast::{Ast, CompareOp, Constant, Expr, ExprKind, Item, Literal, MatchOp, Query, Sequence};

/// Findings for people who write rules, in the order of their places in the text. None of them changes what the
/// query means; all have the codes `EQL201` and up.
pub fn lint(ast: &Ast) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    match &ast.query {
        Query::Event(event) => condition(&event.condition, &mut found),
        Query::Sequence(sequence) => {
            self::sequence(sequence, &mut found);
            sequence.items.iter().chain(&sequence.until).for_each(|it| item(it, &mut found));
        }
        Query::Sample(sample) => sample.items.iter().for_each(|it| item(it, &mut found)),
    }
    found.sort_by_key(Diagnostic::span);
    found
}

fn sequence(sequence: &Sequence, found: &mut Vec<Diagnostic>) {
    let start = Span::new(sequence.span.start, sequence.span.start + "sequence".len());
    if sequence.by.is_empty() && sequence.items.iter().all(|it| it.by.is_empty()) {
        let message = "these events need have nothing in common: any two of whoever make a sequence";
        found.push(
            warning("EQL207", message, start)
                .help("write `sequence by` and what they share, such as `user.id`"),
        );
    }
    if sequence.maxspan.is_none() {
        let message = "these events may lie as far apart as an execution of the rule reads back";
        found.push(note("EQL208", message, start).help("write `with maxspan=…` after the keys"));
    }
}

fn item(item: &Item, found: &mut Vec<Diagnostic>) {
    condition(&item.event.condition, found);
}

fn condition(expr: &Expr, found: &mut Vec<Diagnostic>) {
    expr.walk(&mut |expr| one(expr, found));
}

fn one(expr: &Expr, found: &mut Vec<Diagnostic>) {
    match &expr.kind {
        ExprKind::And(all) => both(all, found),
        ExprKind::Or(any) => either(any, found),
        ExprKind::Not(inner) => not_optional(inner, expr.span, found),
        ExprKind::Compare { left, op: CompareOp::Equal | CompareOp::NotEqual, right } => {
            for (value, other) in [(left, right), (right, left)] {
                if is_field(other) {
                    exact(value, "`==`", found);
                }
            }
        }
        ExprKind::In { value, fold, list, .. } if is_field(value) => {
            let operator = if *fold { "`in~`" } else { "`in`" };
            for it in list {
                exact(it, operator, found);
            }
        }
        ExprKind::Match { value, op, patterns } => self::patterns(value, *op, patterns, expr.span, found),
        ExprKind::Call { function, arguments, .. } => call(function, arguments, found),
        ExprKind::Compare { .. }
        | ExprKind::In { .. }
        | ExprKind::Arithmetic { .. }
        | ExprKind::Negate(_)
        | ExprKind::Constant(_)
        | ExprKind::Field(_) => {}
    }
}

fn is_field(expr: &Expr) -> bool {
    matches!(expr.kind, ExprKind::Field(_))
}

/// A pattern where none is known.
fn exact(value: &Expr, operator: &str, found: &mut Vec<Diagnostic>) {
    if let ExprKind::Constant(Literal::Text(text)) = &value.kind
        && text.contains('*')
    {
        let message = format!("{operator} knows no patterns: the `*` is an asterisk");
        found.push(warning("EQL201", message, value.span).help("write `like`, or `:` for either case"));
    }
}

fn patterns(value: &Expr, op: MatchOp, patterns: &[Constant], span: Span, found: &mut Vec<Diagnostic>) {
    let is_regexp = matches!(op, MatchOp::Regex | MatchOp::RegexFold);
    let texts = || {
        patterns.iter().filter_map(|it| match &it.value {
            Literal::Text(text) => Some((text.as_str(), it.span)),
            Literal::Null | Literal::Bool(_) | Literal::Integer(_) | Literal::Float(_) => None,
        })
    };
    for (text, span) in texts() {
        let is_anchored = text.starts_with('^') || text.ends_with('$') && !text.ends_with("\\$");
        if is_regexp && is_anchored {
            let message =
                "a regular expression has to fit the whole value; `^` and `$` are ordinary characters";
            found.push(warning("EQL202", message, span).help("remove them"));
        }
        if !is_regexp && is_field(value) && !text.is_empty() && text.bytes().all(|it| it == b'*') {
            let message = "this asks only whether the field has a value";
            found.push(note("EQL203", message, span).help("write `!= null`"));
        }
    }
    let is_plain = |text: &str| {
        !text.contains(['*', '?']) && (op == MatchOp::Like || !text.chars().any(char::is_alphabetic))
    };
    // Beside patterns it may stand for the sake of the list.
    if !is_regexp && texts().count() == patterns.len() && texts().all(|(text, _)| is_plain(text)) {
        let message = format!("without a wildcard `{}` asks what `==` and `in` ask", op.as_str());
        found.push(note("EQL204", message, span));
    }
}

fn call(function: &str, arguments: &[Expr], found: &mut Vec<Diagnostic>) {
    let is_search = ["stringContains", "endsWith"].iter().any(|it| it.eq_ignore_ascii_case(function));
    if let [field, Expr { kind: ExprKind::Constant(Literal::Text(text)), span }] = arguments
        && is_search
        && is_field(field)
        && text.contains(['*', '?', '\\'])
    {
        let message =
            "of a field, this looks for a pattern: `*` and `?` are wildcards, and a backslash escapes";
        found.push(note("EQL205", message, *span).help("write `\\\\*` for an asterisk"));
    }
}

/// `not ?field : "a"`: where no index knows the field, that is null, and so is what it is negated to.
fn not_optional(inner: &Expr, span: Span, found: &mut Vec<Diagnostic>) {
    let (ExprKind::Match { value, .. } | ExprKind::In { value, negated: false, .. }) = &inner.kind else {
        return;
    };
    if matches!(&value.kind, ExprKind::Field(field) if field.optional) {
        let message = "where Elasticsearch knows no such field in any index, this selects nothing";
        found.push(
            note("EQL206", message, span).help(
                "`?field != \"a\"` selects all events there; here every field of the catalogue is known",
            ),
        );
    }
}

/// `x == "a" and x == "b"`: one value is never both.
fn both(all: &[Expr], found: &mut Vec<Diagnostic>) {
    pairs(all, CompareOp::Equal, &mut |path, first, second| {
        // Some fields hold lists, by their names.
        let holds_lists = path.ends_with('s') || matches!(path, "event.category" | "event.type");
        let severity = if holds_lists { Severity::Note } else { Severity::Warning };
        let message = "a single value is never both: only a field with several values satisfies this";
        let label = Label { span: first, text: "the other value".to_owned() };
        let mut found_here =
            Diagnostic::new(severity, "EQL209", message, second).help("write `or`, or `in (…)`");
        found_here.labels.push(label);
        found.push(found_here);
    });
}

/// `x != "a" or x != "b"`: nearly every event satisfies one of them.
fn either(any: &[Expr], found: &mut Vec<Diagnostic>) {
    pairs(any, CompareOp::NotEqual, &mut |_, first, second| {
        let message = "one of these two is true of every single value";
        let label = Label { span: first, text: "the other value".to_owned() };
        let mut found_here = warning("EQL210", message, second).help("write `and`, or `not in (…)`");
        found_here.labels.push(label);
        found.push(found_here);
    });
}

/// Comparisons of one field with two constants.
fn pairs(parts: &[Expr], wanted: CompareOp, report: &mut dyn FnMut(&str, Span, Span)) {
    let compared = |it: &Expr| match &it.kind {
        ExprKind::Compare { left, op, right } if *op == wanted => match (&left.kind, &right.kind) {
            (ExprKind::Field(field), ExprKind::Constant(value))
            | (ExprKind::Constant(value), ExprKind::Field(field))
                if *value != Literal::Null =>
            {
                Some((field.path.clone(), value.clone(), it.span))
            }
            _ => None,
        },
        _ => None,
    };
    let compared: Vec<_> = parts.iter().filter_map(compared).collect();
    for (at, (path, value, span)) in compared.iter().enumerate() {
        let before = compared[..at].iter().find(|(other, constant, _)| other == path && constant != value);
        if let Some((.., first)) = before {
            report(path, *first, *span);
        }
    }
}

fn warning(code: &'static str, message: impl Into<String>, span: Span) -> Diagnostic {
    Diagnostic::new(Severity::Warning, code, message, span)
}

fn note(code: &'static str, message: impl Into<String>, span: Span) -> Diagnostic {
    Diagnostic::new(Severity::Note, code, message, span)
}
