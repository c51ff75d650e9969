//! What of a query the columns of the database decide: then documents are read only where they leave the verdict open.

use ecs::{Millis, Scalar, Shape};
use plan::{Expr, Matcher, Predicate, Resolution, Test};
use rule::Severity;
use rusqlite::Connection;
use rusqlite::types::Value;

use crate::workflow::{ASSIGNEES, ClosingReason, TAGS, WorkflowStatus};

/// A condition on rows.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Clause {
    Always,
    Never,
    /// A text of SQL, and what stands for its question marks, in their order.
    Is(String, Vec<Value>),
}

/// A query as a condition on rows.
pub(super) struct Columns<'a> {
    connection: &'a Connection,
    /// Whether the clause says all that the query says, so that no document needs to be read to decide it.
    pub(super) is_exact: bool,
}

impl<'a> Columns<'a> {
    pub(super) fn new(connection: &'a Connection) -> Self {
        Self { connection, is_exact: true }
    }

    /// What holds of every row whose document satisfies the query.
    pub(super) fn of(&mut self, query: &Expr) -> rusqlite::Result<Clause> {
        self.weaken(query, true)
    }

    /// What the query implies if `implied`, else what implies it. A question that the columns answer is answered exactly, and
    /// so is its contrary.
    fn weaken(&mut self, query: &Expr, implied: bool) -> rusqlite::Result<Clause> {
        Ok(match query {
            Expr::Const(value) => Clause::constant(*value),
            Expr::And(all) => Clause::all(self.each(all, implied)?),
            Expr::Or(any) => Clause::any(self.each(any, implied)?),
            Expr::Not(inner) => self.weaken(inner, !implied)?.negate(),
            Expr::Is(predicate) => self.predicate(predicate)?.unwrap_or_else(|| self.open(implied)),
            Expr::Relates(_) => self.open(implied),
        })
    }

    fn each(&mut self, all: &[Expr], implied: bool) -> rusqlite::Result<Vec<Clause>> {
        all.iter().map(|it| self.weaken(it, implied)).collect()
    }

    /// The documents must be asked.
    fn open(&mut self, implied: bool) -> Clause {
        self.is_exact = false;
        Clause::constant(implied)
    }

    /// The answer of the columns, if they know it.
    fn predicate(&mut self, asked: &Predicate) -> rusqlite::Result<Option<Clause>> {
        let Predicate { path, shape: Shape::Leaf, test } = asked else { return Ok(None) };
        let matcher = test.compile();
        Ok(Some(match path.as_str() {
            "kibana.alert.workflow_status" => {
                let wanted = WorkflowStatus::ALL.into_iter().filter(|it| matches(&matcher, it.as_str()));
                numbers("alerts.status", wanted.map(WorkflowStatus::number))
            }
            "kibana.alert.severity" => {
                let wanted = Severity::ALL.into_iter().map(Severity::as_str);
                texts("alerts.severity", wanted.filter(|it| matches(&matcher, it)))
            }
            "kibana.alert.workflow_reason" => {
                let wanted = ClosingReason::ALL.into_iter().map(ClosingReason::as_str);
                texts("alerts.reason", wanted.filter(|it| matches(&matcher, it)))
            }
            "kibana.alert.rule.rule_id" => self.rules("rule_id", &matcher)?,
            "kibana.alert.rule.name" => self.rules("name", &matcher)?,
            "kibana.alert.rule.uuid" => {
                let all = self.known("SELECT id, uuid FROM rules")?;
                let wanted = all.into_iter().filter(|(_, uuid)| matches(&matcher, uuid));
                numbers("alerts.rule", wanted.map(|(id, _)| id))
            }
            "kibana.alert.workflow_assignee_ids" => self.labels(ASSIGNEES, &matcher)?,
            "kibana.alert.workflow_tags" => self.labels(TAGS, &matcher)?,
            "kibana.alert.muted" if matcher.matches(Scalar::Bool(true)) => {
                Clause::Is("alerts.silence IS NOT NULL".to_owned(), Vec::new())
            }
            "kibana.alert.muted" => Clause::Never,
            "kibana.alert.uuid" | "_id" => return Ok(ids(test)),
            "@timestamp" => return Ok(times(test)),
            _ => return Ok(None),
        }))
    }

    fn known(&self, text: &str) -> rusqlite::Result<Vec<(i64, String)>> {
        self.connection.prepare_cached(text)?.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
    }

    /// Rules are few: each of their names is asked once.
    fn rules(&self, column: &str, matcher: &Matcher) -> rusqlite::Result<Clause> {
        let all = self.known(&format!("SELECT id, {column} FROM alert_rules"))?;
        let wanted = all.into_iter().filter(|(_, name)| matches(matcher, name));
        Ok(numbers("alerts.named", wanted.map(|(id, _)| id)))
    }

    /// So are tags, and people.
    fn labels(&self, kind: i64, matcher: &Matcher) -> rusqlite::Result<Clause> {
        let all = self.known(&format!("SELECT DISTINCT kind, value FROM labels WHERE kind = {kind}"))?;
        let wanted = all.into_iter().map(|(_, value)| value).filter(|it| matches(matcher, it));
        let wanted: Vec<Value> = wanted.map(Value::Text).collect();
        if wanted.is_empty() {
            return Ok(Clause::Never);
        }
        let places = places(wanted.len());
        let text = format!(
            "alerts.number IN (SELECT alert FROM labels WHERE kind = {kind} AND value IN ({places}))"
        );
        Ok(Clause::Is(text, wanted))
    }
}

fn ids(test: &Test) -> Option<Clause> {
    let strings = match test {
        Test::Dynamic { string, .. } => string.as_deref()?,
        other => other,
    };
    let Test::Terms(ids) = strings else { return None };
    Some(texts("alerts.id", ids.iter().map(String::as_str)))
}

/// The column, which may be null, is one of the texts.
fn texts<'t>(column: &str, texts: impl Iterator<Item = &'t str>) -> Clause {
    let texts: Vec<Value> = texts.map(|it| Value::Text(it.to_owned())).collect();
    if texts.is_empty() {
        return Clause::Never;
    }
    // What is not known would make the contrary unknown, too.
    let places = places(texts.len());
    Clause::Is(format!("({column} IS NOT NULL AND {column} IN ({places}))"), texts)
}

/// So many question marks.
fn places(count: usize) -> String {
    vec!["?"; count].join(", ")
}

fn matches(matcher: &Matcher, text: &str) -> bool {
    matcher.matches(Scalar::Str(text))
}

/// The column, which is never null, is one of the numbers.
fn numbers(column: &str, numbers: impl Iterator<Item = i64>) -> Clause {
    let all: Vec<String> = numbers.map(|it| it.to_string()).collect();
    if all.is_empty() { Clause::Never } else { Clause::is(format!("{column} IN ({})", all.join(", "))) }
}

/// An alert is dated at its slot.
fn times(test: &Test) -> Option<Clause> {
    let Test::Date { resolution: Resolution::Millis, ranges, .. } = test else { return None };
    let bound = |it: i128| Millis::try_from(it).unwrap_or(if it < 0 { Millis::MIN } else { Millis::MAX });
    let ranges = ranges.as_slice().iter();
    let within =
        ranges.map(|&(first, last)| (bound(first), bound(last))).map(|(first, last)| match (first, last) {
            (Millis::MIN, Millis::MAX) => Clause::Always,
            // The smallest number cannot be written.
            (Millis::MIN, last) => Clause::is(format!("alerts.slot_ms <= {last}")),
            (first, Millis::MAX) => Clause::is(format!("alerts.slot_ms >= {first}")),
            (first, last) => Clause::is(format!("alerts.slot_ms BETWEEN {first} AND {last}")),
        });
    Some(Clause::any(within.collect()))
}

impl Clause {
    fn is(text: String) -> Self {
        Self::Is(text, Vec::new())
    }

    const fn constant(value: bool) -> Self {
        if value { Self::Always } else { Self::Never }
    }

    fn negate(self) -> Self {
        match self {
            Self::Always => Self::Never,
            Self::Never => Self::Always,
            Self::Is(text, params) => Self::Is(format!("NOT {text}"), params),
        }
    }

    fn all(clauses: Vec<Self>) -> Self {
        Self::combine(clauses, " AND ", &Self::Never, Self::Always)
    }

    fn any(clauses: Vec<Self>) -> Self {
        Self::combine(clauses, " OR ", &Self::Always, Self::Never)
    }

    fn combine(clauses: Vec<Self>, word: &str, decides: &Self, neutral: Self) -> Self {
        if clauses.contains(decides) {
            return decides.clone();
        }
        let (mut texts, mut all) = (Vec::new(), Vec::new());
        for clause in clauses {
            if let Self::Is(text, params) = clause {
                texts.push(text);
                all.extend(params);
            }
        }
        if texts.is_empty() { neutral } else { Self::Is(format!("({})", texts.join(word)), all) }
    }

    /// As it stands after `WHERE`, and what stands for its question marks.
    pub(super) fn into_sql(self) -> (String, Vec<Value>) {
        match self {
            Self::Always => ("1".to_owned(), Vec::new()),
            Self::Never => ("0".to_owned(), Vec::new()),
            Self::Is(text, params) => (text, params),
        }
    }
}
