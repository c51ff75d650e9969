//! Why a document satisfies an expression, or does not.

use ecs::{Object, document};

use crate::value::{Measure, Relation};
use crate::{Expr, Predicate, Test, naive};

/// How many values of a field an explanation shows.
const MAX_SEEN: usize = 20;

/// The verdict on one clause, and on what it consists of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The clause: `and`, `or`, `not`, or the question about a field.
    pub clause: String,
    /// Whether the document satisfies it.
    pub verdict: bool,
    /// The values the question saw, as text, the first twenty of them; and what it computed from them.
    pub seen: Vec<String>,
    /// The verdicts on its clauses; of a nested question, those on each object.
    pub parts: Vec<Explanation>,
}

/// The verdict on every clause.
pub fn explain(expr: &Expr, document: &Object) -> Explanation {
    let list = |word: &str, clauses: &[Expr], verdict: fn(&[Explanation]) -> bool| {
        let parts: Vec<_> = clauses.iter().map(|it| explain(it, document)).collect();
        Explanation { clause: word.to_owned(), verdict: verdict(&parts), seen: Vec::new(), parts }
    };
    match expr {
        Expr::Const(value) => {
            let clause = if *value { "everything" } else { "nothing" };
            Explanation { clause: clause.to_owned(), verdict: *value, seen: Vec::new(), parts: Vec::new() }
        }
        Expr::And(clauses) => list("and", clauses, |parts| parts.iter().all(|it| it.verdict)),
        Expr::Or(clauses) => list("or", clauses, |parts| parts.iter().any(|it| it.verdict)),
        Expr::Not(inner) => {
            list("not", std::slice::from_ref(inner), |parts| parts.iter().all(|it| !it.verdict))
        }
        Expr::Is(predicate) => of_predicate(predicate, document),
        Expr::Relates(relation) => of_relation(relation, document),
    }
}

/// The values of each field, with its name: any of one may have been looked at together with any of another.
fn of_relation(relation: &Relation, document: &Object) -> Explanation {
    let mut seen = Vec::new();
    for operand in relation.operands() {
        let before = seen.len();
        for path in &operand.paths {
            document::values(document, path, operand.shape, |value| {
                if seen.len() < MAX_SEEN {
                    seen.push(format!("{path}: {}", value.text().replacen('\0', ": ", 1)));
                }
            });
        }
        if seen.len() == before && before < MAX_SEEN {
            seen.push(format!("{operand}: no value"));
        }
    }
    seen.extend(computed(&relation.measures(), document));
    let verdict = relation.matches(document);
    Explanation { clause: relation.to_string(), verdict, seen, parts: Vec::new() }
}

fn of_predicate(predicate: &Predicate, document: &Object) -> Explanation {
    let mut seen = Vec::new();
    let mut parts = Vec::new();
    document::values(document, &predicate.path, predicate.shape, |value| {
        if seen.len() + parts.len() == MAX_SEEN {
            return;
        }
        let text = value.text();
        match &predicate.test {
            Test::Nested(inner) => {
                if let Ok(object) = serde_json::from_str::<Object>(&text) {
                    parts.push(explain(inner, &object));
                }
            }
            _ => seen.push(text.replacen('\0', ": ", 1)),
        }
    });
    // Without a value nothing was computed.
    if !seen.is_empty() {
        seen.extend(computed(&predicate.measures(), document));
    }
    let verdict = naive::matches(&Expr::Is(predicate.clone()), document);
    Explanation { clause: predicate.to_string(), verdict, seen, parts }
}

/// What was computed: `length(user.name): 3`.
fn computed(measures: &[Measure], document: &Object) -> Vec<String> {
    let told = |measure: &Measure| -> Vec<String> {
        let of = measure.of_document(document, MAX_SEEN);
        of.iter().map(|it| format!("{measure}: {}", it.as_deref().unwrap_or("null"))).collect()
    };
    measures.iter().flat_map(told).collect()
}

impl std::fmt::Display for Explanation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.write(f, 0)
    }
}

impl Explanation {
    fn write(&self, f: &mut std::fmt::Formatter<'_>, depth: usize) -> std::fmt::Result {
        let mark = if self.verdict { "yes" } else { "no " };
        write!(f, "{mark} {:indent$}{}", "", self.clause, indent = 2 * depth)?;
        if !self.seen.is_empty() {
            let seen: Vec<String> = self.seen.iter().map(|it| format!("{it:?}")).collect();
            write!(f, "   [{}]", seen.join(", "))?;
        } else if self.parts.is_empty() && !matches!(self.clause.as_str(), "everything" | "nothing") {
            write!(f, "   [no value]")?;
        }
        writeln!(f)?;
        self.parts.iter().try_for_each(|part| part.write(f, depth + 1))
    }
}
