//! What every query language offers, for this one: the same functions, with the same forms of answers.

use ecs::Catalog;
use plan::{Condition, FieldUse, ValueKind, ValueUse};
use span::Diagnostic;

use crate::ast::{Ast, CompareOp, Event, Expr, ExprKind, Field, Item, Literal, MatchOp, Query};
use crate::{Options, lint, parse, statement};

/// Text and fields in, condition out: what is asked of an event that may be part of a result, alone or with others. Else
/// all that is wrong with the query, by the place in its text.
pub fn check(text: &str, catalog: &Catalog) -> Result<Condition, Vec<Diagnostic>> {
    let statement = statement(text, catalog, &Options::default())?;
    let items = match statement.query {
        crate::Query::Event(condition) => return Ok(condition),
        crate::Query::Sequence(sequence) => sequence.items,
        crate::Query::Sample(sample) => sample.items,
    };
    Ok(Condition::any_of(items.into_iter().filter(|it| !it.missing).map(|it| it.condition)))
}

/// Why the text is no query, whatever the fields; nothing if it is one.
pub fn errors(text: &str) -> Vec<Diagnostic> {
    parse(text).err().map_or_else(Vec::new, |errors| errors.to_diagnostics(text))
}

/// What is legal but probably not meant; nothing of a text that is no query.
pub fn findings(text: &str) -> Vec<Diagnostic> {
    parse(text).map_or_else(|_| Vec::new(), |ast| lint(&ast))
}

/// The fields that the query names, in the order of its text; nothing of a text that is no query.
pub fn fields(text: &str) -> Vec<FieldUse> {
    let Ok(ast) = parse(text) else { return Vec::new() };
    let mut found = Vec::new();
    let mut add = |field: &Field| {
        // What is underlined is the name, so that it can be mended.
        let start = field.span.start + usize::from(field.optional);
        let span = span::Span::new(start, field.span.end);
        found.push(FieldUse { name: field.path.clone(), span, may_be_object: false });
    };
    for (event, keys) in events(&ast) {
        event.condition.walk(&mut |expr| {
            if let ExprKind::Field(field) = &expr.kind {
                add(field);
            }
        });
        for key in keys {
            add(key);
        }
    }
    found.sort_by_key(|it| it.span);
    found.dedup();
    found
}

/// The events of a query, `until` included, with their keys.
fn events(ast: &Ast) -> Vec<(&Event, Vec<&Field>)> {
    fn of<'a>(by: &'a [Field], item: &'a Item) -> (&'a Event, Vec<&'a Field>) {
        (&item.event, by.iter().chain(&item.by).collect())
    }
    match &ast.query {
        Query::Event(event) => vec![(event, Vec::new())],
        Query::Sequence(it) => it.items.iter().chain(&it.until).map(|item| of(&it.by, item)).collect(),
        Query::Sample(it) => it.items.iter().map(|item| of(&it.by, item)).collect(),
    }
}

/// The values that the query compares fields with as they are, in the order of its text; nothing of a text that is no
/// query. Where upper and lower case are the same, no value is written wrongly.
pub fn values(text: &str) -> Vec<ValueUse> {
    let Ok(ast) = parse(text) else { return Vec::new() };
    let mut all: Vec<Vec<ValueUse>> = Vec::new();
    for (event, _) in events(&ast) {
        let mut found = Vec::new();
        compared(text, &event.condition, true, &mut found);
        all.push(found);
    }
    // What one event of a sequence must be, its others need not, unless all of them must.
    let is_asked_of_all = |value: &ValueUse| {
        let same = |it: &ValueUse| it.is_required && (&it.field, &it.text) == (&value.field, &value.text);
        all.iter().all(|found| found.iter().any(same))
    };
    let with_all = |mut value: ValueUse| {
        value.is_required = value.is_required && is_asked_of_all(&value);
        value
    };
    all.iter().flatten().cloned().map(with_all).collect()
}

/// Recurses as deep as the tree. `is_required` tells whether the query holds only where the expression does.
fn compared(text: &str, expr: &Expr, is_required: bool, found: &mut Vec<ValueUse>) {
    let mut add = |field: &Expr, value: &Literal, span: span::Span, is_pattern: bool, is_required: bool| {
        let (ExprKind::Field(field), Literal::Text(value)) = (&field.kind, value) else { return };
        // What is written with escapes, or as a raw text, cannot be replaced by a word.
        if text.get(span.range()) != Some(&format!("\"{value}\"")) || field.optional {
            return;
        }
        let kind = if is_pattern { ValueKind::Pattern } else { ValueKind::Quoted };
        found.push(ValueUse { field: field.path.clone(), text: value.clone(), kind, span, is_required });
    };
    match &expr.kind {
        ExprKind::And(all) => all.iter().for_each(|it| compared(text, it, is_required, found)),
        ExprKind::Or(any) => any.iter().for_each(|it| compared(text, it, false, found)),
        ExprKind::Not(inner) => compared(text, inner, false, found),
        ExprKind::Compare { left, op: op @ (CompareOp::Equal | CompareOp::NotEqual), right } => {
            let is_required = is_required && *op == CompareOp::Equal;
            for (field, value) in [(left, right), (right, left)] {
                if let ExprKind::Constant(literal) = &value.kind {
                    add(field, literal, value.span, false, is_required);
                }
            }
        }
        ExprKind::In { value, negated, fold: false, list } => {
            for it in list {
                if let ExprKind::Constant(literal) = &it.kind {
                    add(value, literal, it.span, false, is_required && !negated && list.len() == 1);
                }
            }
        }
        ExprKind::Match { value, op: MatchOp::Like, patterns } => {
            for it in patterns {
                let is_pattern = matches!(&it.value, Literal::Text(text) if text.contains(['*', '?']));
                // One that a single character may stand in is not known to be of the form of anything.
                if !matches!(&it.value, Literal::Text(text) if text.contains('?')) {
                    let is_required = is_required && patterns.len() == 1 && !is_pattern;
                    add(value, &it.value, it.span, is_pattern, is_required);
                }
            }
        }
        ExprKind::Compare { .. }
        | ExprKind::In { .. }
        | ExprKind::Match { .. }
        | ExprKind::Arithmetic { .. }
        | ExprKind::Negate(_)
        | ExprKind::Constant(_)
        | ExprKind::Field(_)
        | ExprKind::Call { .. } => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_where_they_are_written() {
        let text = r#"iam where event.outcome == "Failure" and (event.provider in ("s3", "x\\") or not
            "a" == event.action) and user.name : "bob" and event.kind like "sig*""#;
        let found: Vec<(String, &str, bool)> = values(text)
            .into_iter()
            .map(|it| (format!("{}={}", it.field, it.text), &text[it.span.range()], it.is_required))
            .collect();
        assert_eq!(
            found,
            [
                ("event.outcome=Failure".to_owned(), "\"Failure\"", true),
                ("event.provider=s3".to_owned(), "\"s3\"", false),
                ("event.action=a".to_owned(), "\"a\"", false),
                ("event.kind=sig*".to_owned(), "\"sig*\"", false),
            ]
        );
        let required = |text: &str| values(text).iter().filter(|it| it.is_required).count();
        assert_eq!(required(r#"sequence [any where a == "x" and b == "y"] [any where a == "x"]"#), 2);
        assert_eq!(required(r#"sequence [any where a == "x"] [any where a == "z"]"#), 0);
    }

    #[test]
    fn fields_stand_where_they_are_written() {
        let text = "sequence by ?a, `b c` [any where length(d.e) > 1] by f [any where true] by ?g until [any where h] by i";
        let found: Vec<&str> = fields(text).into_iter().map(|it| &text[it.span.range()]).collect();
        assert_eq!(found, ["a", "`b c`", "d.e", "f", "g", "h", "i"]);
        let catalog = Catalog::ecs();
        let asked =
            check("sequence by user.id [iam where true] ![any where true] [file where true]", &catalog);
        assert!(asked.is_err(), "a missing event needs a `maxspan`");
        let asked =
            check("sequence with maxspan=1s [iam where true] ![any where true] [file where true]", &catalog);
        assert_eq!(asked, check("any where event.category in (\"iam\", \"file\")", &catalog));
    }
}
