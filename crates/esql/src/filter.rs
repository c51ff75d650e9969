//! What must hold of an event that has any part in what a query gives: its first conditions, as the shared expression says them.
//!
//! A pass over many events runs this and leaves the rest to whoever runs the pipeline, which decides the same conditions once
//! more: the filter may keep too much, never too little. It is read off the conditions before anything has looked at more than
//! one event. Both are careful with null and with several values:
//!
//! ```text
//! condition                        must hold
//! a == "x"                         a: "x"               also of several values, where the condition is null
//! a != "x", NOT a == "x"           a: * and not a: "x"
//! NOT (a == "x" AND b == "y")      (a: * and not a: "x") or (b: * and not b: "y")
//! LENGTH(a) > 5                    a: *                 because it is null where `a` is
//! a IS NULL OR f(b)                not a: * or b: *
//! MV_EXPAND a | WHERE a != "x"     a: *                 another value may differ
//! ```

use std::collections::HashMap;

use ecs::{Catalog, FieldType};
use plan::{Condition, Leaf, LeafKind, Literal, Query, RangeBounds};

use crate::resolved::{Assign, Expr, ExprKind, Origin, Pipeline, Slot, Source, StepKind, Value};
use crate::{Function, Type};

/// A query in two parts: what a pass over all events decides, and what is left for whoever runs the pipeline.
#[derive(Clone, Debug, PartialEq)]
pub struct Split {
    /// What must hold of every event that a row of the result is made of, or that is counted in one.
    pub filter: Condition,
    /// The pipeline over the events of which that holds: the same without the searches that the filter has decided.
    pub tail: Pipeline,
}

/// Splits a query. The catalogue is that which the pipeline was checked against.
pub fn split(mut pipeline: Pipeline, catalog: &Catalog) -> Split {
    let filter = filter(&pipeline, catalog);
    let is_row =
        |it: &StepKind| matches!(it, StepKind::Stats(_) | StepKind::InlineStats(_) | StepKind::Limit(_));
    let end = pipeline.steps.iter().position(|it| is_row(&it.kind)).unwrap_or(pipeline.steps.len());
    let mut at = 0;
    pipeline.steps.retain_mut(|step| {
        at += 1;
        match &mut step.kind {
            StepKind::Where(condition) if at <= end => match without_searches(condition) {
                Some(left) => *condition = left,
                None => return false,
            },
            _ => {}
        }
        true
    });
    Split { filter, tail: pipeline }
}

/// What is left of a condition once its searches are known to be true.
fn without_searches(condition: &Expr) -> Option<Expr> {
    match &condition.kind {
        ExprKind::Search(_) => None,
        ExprKind::Call { function: Function::And, arguments, .. } => {
            let mut left: Vec<Expr> = arguments.iter().filter_map(without_searches).collect();
            match left.len() {
                0 | 1 => left.pop(),
                _ => {
                    let kind =
                        ExprKind::Call { function: Function::And, arguments: left, options: Vec::new() };
                    Some(Expr { kind, ..condition.clone() })
                }
            }
        }
        ExprKind::Constant(_) | ExprKind::Column(_) | ExprKind::Call { .. } => Some(condition.clone()),
    }
}

/// What must hold of every event that a row of the result is made of, or that is counted in one.
fn filter(pipeline: &Pipeline, catalog: &Catalog) -> Condition {
    let Source::Events { fields, .. } = &pipeline.source else { return always(true) };
    let mut filter = Filter { catalog, fields: HashMap::new() };
    for it in fields {
        if let Origin::Field { path, stored } = &it.origin {
            let field = Field { path: path.clone(), ty: it.ty, stored: *stored, is_expanded: false };
            filter.fields.insert(it.slot, field);
        }
    }
    let mut all = Vec::new();
    for step in &pipeline.steps {
        match &step.kind {
            StepKind::Where(condition) => all.push(filter.holds(condition)),
            StepKind::Eval(assigns) => filter.copy(assigns),
            StepKind::MvExpand { from, to } => {
                if let Some(field) = filter.fields.get(from).cloned() {
                    filter.fields.insert(*to, Field { is_expanded: true, ..field });
                }
            }
            StepKind::Sort(_) | StepKind::Dissect { .. } | StepKind::Grok { .. } | StepKind::Lookup(_) => {}
            // From here on rows depend on each other.
            StepKind::Stats(_) | StepKind::InlineStats(_) | StepKind::Limit(_) => break,
        }
    }
    Condition::all_of(all)
}

struct Filter<'a> {
    catalog: &'a Catalog,
    /// The columns that show fields as they are.
    fields: HashMap<Slot, Field>,
}

#[derive(Clone, Debug)]
struct Field {
    path: String,
    ty: Type,
    stored: Option<FieldType>,
    /// Each row has one of its values.
    is_expanded: bool,
}

fn always(value: bool) -> Condition {
    Condition::from(plan::Expr::Const(value))
}

impl Filter<'_> {
    /// Columns that are copies of fields.
    fn copy(&mut self, assigns: &[Assign]) {
        for it in assigns {
            if let ExprKind::Column(slot) = &it.value.kind
                && let Some(field) = self.fields.get(slot).cloned()
            {
                self.fields.insert(it.slot, field);
            }
        }
    }

    /// What follows from an expression that is true.
    fn holds(&self, expr: &Expr) -> Condition {
        self.asked(expr, true)
    }

    /// What follows from an expression that is as wanted. Recurses as deep as the tree.
    fn asked(&self, expr: &Expr, wanted: bool) -> Condition {
        match &expr.kind {
            ExprKind::Constant(Value::Boolean(it)) => always(*it == wanted),
            ExprKind::Constant(_) => always(false),
            ExprKind::Search(condition) => {
                let condition = (**condition).clone();
                if wanted { condition } else { condition.negate() }
            }
            ExprKind::Column(slot) => match self.fields.get(slot) {
                Some(field) if field.ty == Type::Boolean => {
                    let equal = self.equal(field, &[Value::Boolean(wanted)], true);
                    equal.unwrap_or_else(|| self.exists(expr, true))
                }
                Some(_) | None => always(true),
            },
            ExprKind::Call { function, arguments, .. } => match (function, arguments.as_slice()) {
                (Function::Not, [inner]) => self.asked(inner, !wanted),
                (Function::And, parts) => self.parts(parts, wanted, wanted),
                (Function::Or, parts) => self.parts(parts, wanted, !wanted),
                // `true IN (a, b)` asks whether any is true.
                (Function::In, [value, list @ ..])
                    if value.kind == ExprKind::Constant(Value::Boolean(true)) =>
                {
                    self.parts(list, wanted, !wanted)
                }
                (function, arguments) => self.question(*function, arguments, wanted),
            },
        }
    }

    fn parts(&self, parts: &[Expr], wanted: bool, all: bool) -> Condition {
        let parts = parts.iter().map(|it| self.asked(it, wanted));
        if all { Condition::all_of(parts) } else { Condition::any_of(parts) }
    }

    /// What follows of a question that is neither `and`, `or` nor `not`.
    fn question(&self, function: Function, arguments: &[Expr], wanted: bool) -> Condition {
        match (function, arguments) {
            (Function::IsNull, [value]) => return self.exists(value, !wanted),
            (Function::IsNotNull, [value]) => return self.exists(value, wanted),
            _ => {}
        }
        let precise = match arguments {
            [left, rest @ ..] if self.subject(left).is_some() => self.compared(function, left, rest, wanted),
            [left, right] => {
                let rest = std::slice::from_ref(left);
                swapped(function).and_then(|it| self.compared(it, right, rest, wanted))
            }
            _ => None,
        };
        // That a value fits says that there is one; that none does says it not.
        let is_there = match function {
            Function::Less | Function::LessOrEqual | Function::Greater | Function::GreaterOrEqual => true,
            Function::NotEqual => !wanted,
            Function::Like | Function::RLike if asks_null(function, arguments) => true,
            _ => wanted,
        };
        if let Some(precise) = &precise
            && is_there
        {
            return precise.clone();
        }
        Condition::all_of(std::iter::once(self.needed(function, arguments)).chain(precise))
    }

    /// The field that an expression is, and whether it is lower-cased.
    fn subject<'a>(&'a self, expr: &Expr) -> Option<(&'a Field, bool)> {
        match &expr.kind {
            ExprKind::Column(slot) => self.fields.get(slot).map(|it| (it, false)),
            ExprKind::Call { function: Function::ToLower, arguments, .. } => match arguments.as_slice() {
                [Expr { kind: ExprKind::Column(slot), .. }] => self.fields.get(slot).map(|it| (it, true)),
                _ => None,
            },
            ExprKind::Constant(_) | ExprKind::Call { .. } | ExprKind::Search(_) => None,
        }
    }

    /// A field next to constants.
    fn compared(&self, function: Function, left: &Expr, rest: &[Expr], wanted: bool) -> Option<Condition> {
        let (field, is_lower) = self.subject(left)?;
        let values: Vec<Value> = rest.iter().map(constant).collect::<Option<_>>()?;
        let texts = || values.iter().map(|it| if let Value::Text(text) = it { Some(&**text) } else { None });
        if is_lower {
            // Only that it holds: what differs from it in lower case may differ in case alone.
            let texts: Vec<&str> = texts().collect::<Option<_>>().filter(|_| wanted)?;
            return match function {
                Function::Equal | Function::In => self.lower_cased(field, &texts, false),
                Function::Like => self.lower_cased(field, &texts, true),
                _ => None,
            };
        }
        Some(match (function, values.as_slice()) {
            (Function::Equal | Function::In, values) => self.equal(field, values, wanted)?,
            (Function::NotEqual, values) => self.equal(field, values, !wanted)?,
            (Function::Less, [value]) => {
                self.range(field, if wanted { Bound::Lt } else { Bound::Gte }, value)?
            }
            (Function::LessOrEqual, [value]) => {
                self.range(field, if wanted { Bound::Lte } else { Bound::Gt }, value)?
            }
            (Function::Greater, [value]) => {
                self.range(field, if wanted { Bound::Gt } else { Bound::Lte }, value)?
            }
            (Function::GreaterOrEqual, [value]) => {
                self.range(field, if wanted { Bound::Gte } else { Bound::Lt }, value)?
            }
            (Function::Like, _) => {
                let texts: Vec<&str> = texts().collect::<Option<_>>()?;
                if texts.iter().any(|it| fits_all(Function::Like, it)) {
                    return self.fits_all(field, texts.len(), wanted);
                }
                self.patterns(field, texts.iter().map(|it| wildcard((*it).to_owned())), wanted)?
            }
            (Function::RLike, _) => {
                let texts: Vec<&str> = texts().collect::<Option<_>>()?;
                if texts.iter().any(|it| fits_all(Function::RLike, it)) {
                    return self.fits_all(field, texts.len(), wanted);
                }
                let regexp = |it: &&str| LeafKind::Regexp {
                    value: (*it).to_owned(),
                    flags: None,
                    case_insensitive: false,
                };
                self.patterns(field, texts.iter().map(regexp), wanted)?
            }
            (Function::StartsWith, [Value::Text(text)]) => {
                let prefix = LeafKind::Prefix { value: text.to_string(), case_insensitive: false };
                self.patterns(field, [prefix], wanted)?
            }
            (Function::EndsWith, [Value::Text(text)]) => {
                self.patterns(field, [wildcard(format!("*{}", escaped(text)))], wanted)?
            }
            (Function::Contains, [Value::Text(text)]) => {
                self.patterns(field, [wildcard(format!("*{}*", escaped(text)))], wanted)?
            }
            (Function::CidrMatch, _) if field.stored == Some(FieldType::Ip) => {
                let texts: Vec<&str> = texts().collect::<Option<_>>()?;
                let term = |it: &&str| LeafKind::Term {
                    value: Literal::Text((*it).to_owned()),
                    case_insensitive: false,
                };
                self.any(field, texts.iter().map(term), wanted)?
            }
            _ => return None,
        })
    }

    /// A pattern that fits everything asks for null alone, and of several values, too; beside others it does not.
    fn fits_all(&self, field: &Field, patterns: usize, wanted: bool) -> Option<Condition> {
        match (wanted, patterns) {
            (true, _) => self.leaf(field, LeafKind::Exists),
            (false, 1) => self.leaf(field, LeafKind::Exists).map(Condition::negate),
            (false, _) => Some(always(false)),
        }
    }

    /// One of these, or none of them.
    fn equal(&self, field: &Field, values: &[Value], wanted: bool) -> Option<Condition> {
        // Null is equal to nothing, and nothing differs from it.
        if !wanted && values.contains(&Value::Null) {
            return Some(always(false));
        }
        // Of a field that nobody has mapped, values that are written otherwise may be the same.
        if !wanted && field.stored.is_none() {
            return None;
        }
        let known = values.iter().filter(|it| **it != Value::Null);
        let leaves: Vec<LeafKind> = known.map(|it| Self::term(field, it)).collect::<Option<_>>()?;
        self.any(field, leaves, wanted)
    }

    /// Whether the field has exactly this value, as long as that is the same question to both.
    fn term(field: &Field, value: &Value) -> Option<LeafKind> {
        let term = |value: Literal| Some(LeafKind::Term { value, case_insensitive: false });
        let is_plain = |it: FieldType| {
            matches!(it, FieldType::Keyword | FieldType::ConstantKeyword | FieldType::Wildcard)
        };
        match (value, field.stored) {
            (Value::Text(text), Some(stored)) if is_plain(stored) => term(Literal::Text(text.to_string())),
            (Value::Text(text), None) if field.ty == Type::Keyword => term(Literal::Text(text.to_string())),
            (Value::Boolean(it), Some(FieldType::Boolean)) => term(Literal::Bool(*it)),
            (Value::Ip(it), Some(FieldType::Ip)) => term(Literal::Text(address(*it))),
            (Value::Datetime(it), Some(FieldType::Date)) => {
                let at = Some(Literal::Number(it.to_string()));
                let format = Some("epoch_millis".to_owned());
                Some(LeafKind::Range(RangeBounds {
                    gte: at.clone(),
                    lte: at,
                    format,
                    ..RangeBounds::default()
                }))
            }
            (value, Some(stored)) => number(value, stored).and_then(term),
            (_, None) => None,
        }
    }

    /// A value on one side of a bound.
    fn range(&self, field: &Field, bound: Bound, value: &Value) -> Option<Condition> {
        let stored = field.stored?;
        let mut bounds = RangeBounds::default();
        let value = match (value, stored) {
            (Value::Datetime(it), FieldType::Date) => {
                bounds.format = Some("epoch_millis".to_owned());
                Literal::Number(it.to_string())
            }
            (Value::Text(it), FieldType::Keyword) => Literal::Text(it.to_string()),
            (value, stored) => number(value, stored)?,
        };
        match bound {
            Bound::Lt => bounds.lt = Some(value),
            Bound::Lte => bounds.lte = Some(value),
            Bound::Gt => bounds.gt = Some(value),
            Bound::Gte => bounds.gte = Some(value),
        }
        self.leaf(field, LeafKind::Range(bounds))
    }

    /// One of several patterns fits, or none does.
    fn patterns(
        &self,
        field: &Field,
        patterns: impl IntoIterator<Item = LeafKind>,
        wanted: bool,
    ) -> Option<Condition> {
        // The words of a text are not its whole, and who knows what a field holds that nobody has mapped.
        let is_plain = matches!(
            field.stored,
            Some(FieldType::Keyword | FieldType::ConstantKeyword | FieldType::Wildcard)
        );
        if !is_plain {
            return None;
        }
        self.any(field, patterns, wanted)
    }

    /// Texts that a field's is equal to, or fits, once it is lower-cased.
    fn lower_cased(&self, field: &Field, texts: &[&str], is_pattern: bool) -> Option<Condition> {
        let one = |text: &&str| {
            if !text.is_ascii() {
                return None;
            }
            let text = if is_pattern { (*text).to_owned() } else { escaped(text) };
            // One other letter than `K` becomes `k`.
            Some(LeafKind::Wildcard { value: text.replace(['k', 'K'], "?"), case_insensitive: true })
        };
        let leaves: Vec<LeafKind> = texts.iter().map(one).collect::<Option<_>>()?;
        self.patterns(field, leaves, true)
    }

    /// Any of the questions, or none of them.
    fn any(
        &self,
        field: &Field,
        leaves: impl IntoIterator<Item = LeafKind>,
        wanted: bool,
    ) -> Option<Condition> {
        let any: Vec<Condition> = leaves.into_iter().map(|it| self.leaf(field, it)).collect::<Option<_>>()?;
        let any = Condition::any_of(any);
        match (wanted, field.is_expanded) {
            (true, _) => Some(any),
            (false, false) => Some(any.negate()),
            // Another of its values may be one of them.
            (false, true) => None,
        }
    }

    fn leaf(&self, field: &Field, kind: LeafKind) -> Option<Condition> {
        let query = Query::Leaf(Leaf { field: Some(field.path.clone()), kind, span: None });
        plan::condition(&query, self.catalog).ok()
    }

    /// Whether a value is there, as far as it is known when it is.
    fn exists(&self, value: &Expr, wanted: bool) -> Condition {
        let asked = match &value.kind {
            ExprKind::Column(slot) => {
                let field = self.fields.get(slot).filter(|it| it.ty != Type::Unsupported);
                field.and_then(|it| self.leaf(it, LeafKind::Exists))
            }
            ExprKind::Constant(it) => return always((*it != Value::Null) == wanted),
            ExprKind::Call { .. } if wanted => return self.needs(value),
            ExprKind::Call { .. } | ExprKind::Search(_) => None,
        };
        match asked {
            Some(asked) if wanted => asked,
            Some(asked) => asked.negate(),
            None => always(true),
        }
    }

    /// What follows from an expression that is not null.
    fn needs(&self, expr: &Expr) -> Condition {
        match &expr.kind {
            ExprKind::Column(_) => self.exists(expr, true),
            ExprKind::Constant(it) => always(*it != Value::Null),
            ExprKind::Search(_) => always(true),
            ExprKind::Call { function, arguments, .. } => self.needed(*function, arguments),
        }
    }

    /// What follows of the arguments of a function from what it gives being not null.
    fn needed(&self, function: Function, arguments: &[Expr]) -> Condition {
        let first = || arguments.first().map_or_else(|| always(true), |it| self.needs(it));
        match function {
            // They make something of null.
            Function::And
            | Function::Or
            | Function::IsNull
            | Function::IsNotNull
            | Function::Case
            | Function::Clamp
            | Function::ClampMax
            | Function::ClampMin
            | Function::MvContains
            | Function::MvZip => always(true),
            Function::Like | Function::RLike if asks_null(function, arguments) => always(true),
            Function::Coalesce => Condition::any_of(arguments.iter().map(|it| self.needs(it))),
            // A member of a list may be null without harm.
            Function::In | Function::Like | Function::RLike | Function::CidrMatch => first(),
            _ => Condition::all_of(arguments.iter().map(|it| self.needs(it))),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bound {
    Lt,
    Lte,
    Gt,
    Gte,
}

/// Whether the pattern fits every text.
fn fits_all(function: Function, pattern: &str) -> bool {
    match function {
        Function::Like => !pattern.is_empty() && pattern.bytes().all(|it| it == b'*'),
        _ => matches!(pattern, ".*" | "@"),
    }
}

/// Whether patterns ask no more than whether there is a value.
fn asks_null(function: Function, arguments: &[Expr]) -> bool {
    let fits =
        |it: &Expr| matches!(&it.kind, ExprKind::Constant(Value::Text(text)) if fits_all(function, text));
    arguments.iter().skip(1).any(fits)
}

fn constant(expr: &Expr) -> Option<Value> {
    match &expr.kind {
        ExprKind::Constant(value) if !matches!(value, Value::List(_)) => Some(value.clone()),
        ExprKind::Constant(_) | ExprKind::Column(_) | ExprKind::Call { .. } | ExprKind::Search(_) => None,
    }
}

/// The same question with its sides swapped.
fn swapped(function: Function) -> Option<Function> {
    Some(match function {
        Function::Equal | Function::NotEqual => function,
        Function::Less => Function::Greater,
        Function::LessOrEqual => Function::GreaterOrEqual,
        Function::Greater => Function::Less,
        Function::GreaterOrEqual => Function::LessOrEqual,
        _ => return None,
    })
}

/// Numbers from here on are not all doubles.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// A number, if the field compares it as the query does. Fields of less precision round what they are compared with.
fn number(value: &Value, stored: FieldType) -> Option<Literal> {
    let is_whole =
        matches!(stored, FieldType::Long | FieldType::Integer | FieldType::Short | FieldType::Byte);
    if !is_whole && stored != FieldType::Double {
        return None;
    }
    let text = match value {
        Value::Integer(it) => it.to_string(),
        Value::Long(it) if is_whole => it.to_string(),
        Value::Double(it) if it.abs() < EXACT => it.to_string(),
        _ => return None,
    };
    Some(Literal::Number(text))
}

fn address(bits: u128) -> String {
    let address = std::net::Ipv6Addr::from_bits(bits);
    address.to_ipv4_mapped().map_or_else(|| address.to_string(), |it| it.to_string())
}

fn wildcard(value: String) -> LeafKind {
    LeafKind::Wildcard { value, case_insensitive: false }
}

/// A text as a pattern that only it fits.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for it in text.chars() {
        if matches!(it, '*' | '?' | '\\') {
            out.push('\\');
        }
        out.push(it);
    }
    out
}
