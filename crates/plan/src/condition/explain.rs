//! Conditions for people: as text, and why a document satisfies one or does not.

use std::fmt::{self, Display, Formatter};

use ecs::date::to_iso;
use ecs::{Millis, Object};

use super::{Condition, Part, leaf, nested};
use crate::{Explanation, Expr, explain};

impl Condition {
    /// The verdict on every clause in an execution that starts at `now`. What reads the clock shows both how it is
    /// written and what it stood for.
    pub fn explain(&self, now: Millis, document: &Object) -> Explanation {
        self.0.explain(now, document)
    }
}

impl Part {
    fn explain(&self, now: Millis, document: &Object) -> Explanation {
        let parts = |parts: &[Self]| parts.iter().map(|it| it.explain(now, document)).collect::<Vec<_>>();
        let list = |word: &str, verdict: fn(&[Explanation]) -> bool, parts: Vec<Explanation>| Explanation {
            clause: word.to_owned(),
            verdict: verdict(&parts),
            seen: Vec::new(),
            parts,
        };
        match self {
            Self::Always(expr) | Self::Later(expr) => explain(expr, document),
            Self::And(all) => {
                let mut shown = Vec::new();
                for (part, explained) in all.iter().zip(parts(all)) {
                    match part {
                        // Its clauses stand beside those that read the clock, as they were written.
                        Self::Always(Expr::And(_)) => shown.extend(explained.parts),
                        _ => shown.push(explained),
                    }
                }
                list("and", |parts| parts.iter().all(|it| it.verdict), shown)
            }
            Self::Or(any) => list("or", |parts| parts.iter().any(|it| it.verdict), parts(any)),
            Self::Not(part) => list("not", |parts| !parts[0].verdict, parts(std::slice::from_ref(&**part))),
            Self::Dates { path, dates } => match dates.test(now) {
                Some(test) => {
                    let (shown, asked) = (test.to_string(), leaf(path, Some(test)));
                    Explanation { clause: format!("{self} ({shown})"), ..explain(&asked, document) }
                }
                None => Explanation {
                    clause: format!("{self} (no date)"),
                    verdict: false,
                    seen: Vec::new(),
                    parts: Vec::new(),
                },
            },
            Self::Objects { path, inner } => Explanation {
                clause: self.to_string(),
                ..explain(&nested(path.clone(), inner.at(now)), document)
            },
            Self::Until(last) => Explanation {
                clause: self.to_string(),
                verdict: now <= *last,
                seen: vec![to_iso(now)],
                parts: Vec::new(),
            },
        }
    }
}

impl Display for Part {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let list = |f: &mut Formatter<'_>, word: &str, parts: &[Self]| {
            write!(f, "({word}")?;
            parts.iter().try_for_each(|it| write!(f, " {it}"))?;
            write!(f, ")")
        };
        match self {
            Self::Always(expr) | Self::Later(expr) => write!(f, "{expr}"),
            Self::And(parts) => list(f, "and", parts),
            Self::Or(parts) => list(f, "or", parts),
            Self::Not(part) => write!(f, "(not {part})"),
            Self::Dates { path, dates } => write!(f, "{path}: {dates}"),
            Self::Objects { path, inner } => write!(f, "{path}: {{ {inner} }}"),
            Self::Until(last) => write!(f, "executions until {}", to_iso(*last)),
        }
    }
}
