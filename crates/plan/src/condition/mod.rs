//! Conditions on one event, parts of which depend on when an execution starts.
//!
//! `now` in a query is the time of the execution that asks. A pass over many events knows no execution, so it runs
//! [`Condition::filter`]: what holds of every event that satisfies the condition at some time. What is left, the
//! [`Residue`], each execution decides on the values of the events that passed. At any time, event for event:
//!
//! ```text
//! condition.at(now)  =  condition.filter()  and  condition.residue(), if there is one, at now
//! ```
//!
//! `event.action: RunInstances and @timestamp >= now-10m` is filtered by `event.action: RunInstances`; its residue is
//! the range, and needs `@timestamp` only. In `a: 1 or @timestamp >= now-10m` the clock may let any event through:
//! the filter is true, and the residue is the whole.
//!
//! An [`Expr`] cannot read the clock, so whatever runs expressions need not know of any of this.

mod dates;
mod explain;
mod residue;

use std::fmt;

use ecs::{Millis, Shape};

pub(crate) use dates::{DateBound, Dates};
pub use residue::Residue;

use crate::{Expr, Predicate, Test};

/// What a query asks of one event in an execution. Canonical: one that does not read the clock holds an [`Expr`] in
/// its canonical form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition(Part);

/// A condition, or a part of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// The same at any time.
    Always(Expr),
    /// All of them.
    And(Vec<Part>),
    /// Any of them.
    Or(Vec<Part>),
    /// Not it.
    Not(Box<Part>),
    /// A date of the field lies within bounds of which one at least moves with the clock.
    Dates { path: String, dates: Dates },
    /// Some object of a nested field satisfies a part that reads the clock.
    Objects { path: String, inner: Box<Part> },
    /// The execution starts no later than that.
    Until(Millis),
    /// A question about fields of which the pass knows nothing: what an execution sees of them may depend on its time.
    Later(Expr),
}

impl Condition {
    pub(crate) fn new(part: Part) -> Self {
        Self(part.canonical())
    }

    /// True in executions that start no later than `last`.
    pub fn until(last: Millis) -> Self {
        Self(Part::Until(last))
    }

    /// True where all of them are.
    #[must_use]
    pub fn all_of(conditions: impl IntoIterator<Item = Self>) -> Self {
        Self(combine(conditions.into_iter().map(|it| it.0), true))
    }

    /// True where any of them is.
    #[must_use]
    pub fn any_of(conditions: impl IntoIterator<Item = Self>) -> Self {
        Self(combine(conditions.into_iter().map(|it| it.0), false))
    }

    /// True where it is not.
    #[must_use]
    pub fn negate(self) -> Self {
        Self(self.0.negate())
    }

    /// The same, but what asks of these fields is left to the executions, which may know other values of them at
    /// different times.
    #[must_use]
    pub fn leaving(self, is_left: &dyn Fn(&str) -> bool) -> Self {
        Self(self.0.leaving(is_left).canonical())
    }

    /// Whether the verdict on an event may depend on when the execution starts.
    pub fn reads_clock(&self) -> bool {
        !matches!(self.0, Part::Always(_))
    }

    /// What it asks in an execution that starts at `now`, canonical.
    pub fn at(&self, now: Millis) -> Expr {
        match &self.0 {
            Part::Always(expr) => expr.clone(),
            part => part.at(now).simplify(),
        }
    }

    /// As [`Condition::at`].
    pub fn into_expr(self, now: Millis) -> Expr {
        match self.0 {
            Part::Always(expr) => expr,
            part => part.at(now).simplify(),
        }
    }

    /// The same for executions that start between `first` and `last`, both included: what all of these agree on reads
    /// the clock no more.
    #[must_use]
    pub fn between(self, first: Millis, last: Millis) -> Self {
        match self.0 {
            part @ Part::Always(_) => Self(part),
            part => Self(part.between(first, last).canonical()),
        }
    }

    /// What every event satisfies that satisfies the condition at some time; canonical. It is the condition itself if
    /// that does not read the clock.
    pub fn filter(&self) -> Expr {
        match &self.0 {
            Part::Always(expr) => expr.clone(),
            part => part.weaken(true).simplify(),
        }
    }

    /// What [`Condition::filter`] leaves to the executions; none if the condition does not read the clock.
    pub fn residue(&self) -> Option<Residue> {
        match &self.0 {
            Part::Always(_) => None,
            // The filter has decided what all of it is the same at any time.
            Part::And(parts) => {
                let left: Vec<&Part> = parts.iter().filter(|it| !matches!(it, Part::Always(_))).collect();
                Some(Residue::all_of(&left))
            }
            part => Some(Residue::all_of(&[part])),
        }
    }
}

impl From<Expr> for Condition {
    fn from(expr: Expr) -> Self {
        Self::new(Part::Always(expr))
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Part {
    pub(crate) fn constant(value: bool) -> Self {
        Self::Always(Expr::Const(value))
    }

    pub(crate) fn and(parts: Vec<Self>) -> Self {
        match all_always(parts) {
            Ok(clauses) => Self::Always(Expr::And(clauses)),
            Err(parts) => Self::And(parts),
        }
    }

    pub(crate) fn or(parts: Vec<Self>) -> Self {
        match all_always(parts) {
            Ok(clauses) => Self::Always(Expr::Or(clauses)),
            Err(parts) => Self::Or(parts),
        }
    }

    pub(crate) fn not(part: Self) -> Self {
        match part {
            Self::Always(expr) => Self::Always(Expr::Not(Box::new(expr))),
            part => Self::Not(Box::new(part)),
        }
    }

    /// Some object of the nested field `path` satisfies `inner`.
    pub(crate) fn in_objects(path: String, inner: Self) -> Self {
        match inner {
            Self::Always(inner) => Self::Always(nested(path, inner.simplify())),
            inner => Self::Objects { path, inner: Box::new(inner) },
        }
    }

    fn canonical(self) -> Self {
        match self {
            Self::Always(expr) => Self::Always(expr.simplify()),
            Self::And(parts) => combine(parts.into_iter().map(Self::canonical), true),
            Self::Or(parts) => combine(parts.into_iter().map(Self::canonical), false),
            Self::Not(part) => part.canonical().negate(),
            Self::Objects { path, inner } => match inner.canonical() {
                Self::Always(inner) => Self::Always(nested(path, inner).simplify()),
                inner => Self::Objects { path, inner: Box::new(inner) },
            },
            Self::Later(expr) => match expr.simplify() {
                expr @ Expr::Const(_) => Self::Always(expr),
                expr => Self::Later(expr),
            },
            Self::Dates { .. } | Self::Until(_) => self,
        }
    }

    fn leaving(self, is_left: &dyn Fn(&str) -> bool) -> Self {
        let all = |parts: Vec<Self>| parts.into_iter().map(|it| it.leaving(is_left)).collect();
        match self {
            Self::Always(expr) => leave(expr, is_left),
            Self::And(parts) => Self::And(all(parts)),
            Self::Or(parts) => Self::Or(all(parts)),
            Self::Not(part) => Self::Not(Box::new(part.leaving(is_left))),
            Self::Dates { .. } | Self::Objects { .. } | Self::Until(_) | Self::Later(_) => self,
        }
    }

    /// The complement of a canonical part, canonical.
    fn negate(self) -> Self {
        match self {
            Self::Always(expr) => Self::Always(Expr::Not(Box::new(expr)).simplify()),
            Self::Not(part) => *part,
            part => Self::Not(Box::new(part)),
        }
    }

    fn at(&self, now: Millis) -> Expr {
        match self {
            Self::Always(expr) | Self::Later(expr) => expr.clone(),
            Self::And(parts) => Expr::And(parts.iter().map(|it| it.at(now)).collect()),
            Self::Or(parts) => Expr::Or(parts.iter().map(|it| it.at(now)).collect()),
            Self::Not(part) => Expr::Not(Box::new(part.at(now))),
            Self::Dates { path, dates } => leaf(path, dates.test(now)),
            Self::Objects { path, inner } => nested(path.clone(), inner.at(now).simplify()),
            Self::Until(last) => Expr::Const(now <= *last),
        }
    }

    fn between(self, first: Millis, last: Millis) -> Self {
        let all = |parts: Vec<Self>| parts.into_iter().map(|it| it.between(first, last)).collect();
        match self {
            Self::And(parts) => Self::and(all(parts)),
            Self::Or(parts) => Self::or(all(parts)),
            Self::Not(part) => Self::not(part.between(first, last)),
            Self::Objects { path, inner } => Self::in_objects(path, inner.between(first, last)),
            Self::Dates { path, dates } if dates.is_same(first, last) => {
                Self::Always(leaf(&path, dates.test(first)))
            }
            Self::Until(end) if last <= end => Self::constant(true),
            Self::Until(end) if end < first => Self::constant(false),
            Self::Always(_) | Self::Dates { .. } | Self::Until(_) | Self::Later(_) => self,
        }
    }

    /// What the part implies at whatever time if `implied`; else what implies it at every time.
    fn weaken(&self, implied: bool) -> Expr {
        let all = |parts: &[Self]| parts.iter().map(|it| it.weaken(implied)).collect();
        match self {
            Self::Always(expr) => expr.clone(),
            Self::And(parts) => Expr::And(all(parts)),
            Self::Or(parts) => Expr::Or(all(parts)),
            Self::Not(part) => Expr::Not(Box::new(part.weaken(!implied))),
            Self::Objects { path, inner } => nested(path.clone(), inner.weaken(implied).simplify()),
            Self::Dates { .. } | Self::Until(_) | Self::Later(_) => Expr::Const(implied),
        }
    }
}

/// `and` of canonical parts if `all`, else `or`. What is the same at any time becomes one expression.
fn combine(parts: impl Iterator<Item = Part>, all: bool) -> Part {
    let (mut always, mut timed) = (Vec::new(), Vec::new());
    let mut sort = |part| match part {
        Part::Always(expr) => always.push(expr),
        part if timed.contains(&part) => {}
        part => timed.push(part),
    };
    for part in parts {
        match (part, all) {
            (Part::And(inner), true) | (Part::Or(inner), false) => inner.into_iter().for_each(&mut sort),
            (part, _) => sort(part),
        }
    }
    let always = if all { Expr::all_of(always) } else { Expr::Or(always).simplify() };
    match always {
        _ if timed.is_empty() => return Part::Always(always),
        // The constant that decides, and the one that is neutral.
        Expr::Const(value) if value != all => return Part::Always(always),
        Expr::Const(_) => {}
        expr => timed.insert(0, Part::Always(expr)),
    }
    match timed.len() {
        1 => timed.swap_remove(0),
        _ if all => Part::And(timed),
        _ => Part::Or(timed),
    }
}

/// The expression, but for what asks of the fields that are left.
fn leave(expr: Expr, is_left: &dyn Fn(&str) -> bool) -> Part {
    if !expr.paths().iter().any(|(path, _)| is_left(path)) {
        return Part::Always(expr);
    }
    let all = |clauses: Vec<Expr>| clauses.into_iter().map(|it| leave(it, is_left)).collect();
    match expr {
        Expr::And(clauses) => Part::And(all(clauses)),
        Expr::Or(clauses) => Part::Or(all(clauses)),
        Expr::Not(inner) => Part::Not(Box::new(leave(*inner, is_left))),
        Expr::Const(_) | Expr::Is(_) | Expr::Relates(_) => Part::Later(expr),
    }
}

/// The expressions of parts none of which reads the clock; else the parts.
fn all_always(parts: Vec<Part>) -> Result<Vec<Expr>, Vec<Part>> {
    if parts.iter().any(|it| !matches!(it, Part::Always(_))) {
        return Err(parts);
    }
    let expr = |part| if let Part::Always(expr) = part { Some(expr) } else { None };
    Ok(parts.into_iter().filter_map(expr).collect())
}

/// The question; nothing satisfies `None`.
fn leaf(path: &str, test: Option<Test>) -> Expr {
    test.map_or(Expr::Const(false), |test| {
        Expr::Is(Predicate { path: path.to_owned(), shape: Shape::Leaf, test })
    })
}

fn nested(path: String, inner: Expr) -> Expr {
    Expr::Is(Predicate { path, shape: Shape::Nested, test: Test::Nested(Box::new(inner)) })
}
