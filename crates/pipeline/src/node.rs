//! Expressions, made ready: patterns are compiled, lengths of time are known, and each place that may fail has a number.

use std::borrow::Cow;
use std::sync::Arc;

use esql::resolved::{Expr, ExprKind, Value as Constant};
use esql::{Function, Type};
use plan::{Condition, Regexp, Wildcard};
use span::Span as Place;

use crate::block::Block;
use crate::cells::Cells;
use crate::column::Column;
use crate::error::PrepareError;
use crate::function::net::Network;
use crate::function::{Like, Replacement, call};
use crate::kernel::{At, typed};
use crate::numbers::widen;
use crate::scalar::{Ip, Millis, Point, Scalar, Value, Version};
use crate::time::DatePattern;
use crate::time::span::{Span, bucket_span};
use crate::warnings::{Failure, Site, Warnings};

/// What the map at the end of a call says.
pub(crate) type Options = Vec<(String, Constant)>;

/// What is made of constant arguments once.
#[derive(Debug)]
pub(crate) enum Prepared {
    None,
    Like(Like),
    Replacement(Replacement),
    Span(Span),
    Width(f64),
    Date(DatePattern),
    Networks(Vec<Network>),
}

/// An expression that is ready.
#[derive(Debug)]
pub(crate) struct Node {
    kind: NodeKind,
    ty: Type,
    site: usize,
}

#[derive(Debug)]
enum NodeKind {
    Constant(Value),
    Column(usize),
    Call {
        function: Function,
        arguments: Vec<Node>,
        prepared: Prepared,
        options: Options,
    },
    /// Conditions with their values, and what else.
    Case(Vec<(Node, Node)>, Option<Box<Node>>),
    Coalesce(Vec<Node>),
}

/// Makes expressions ready.
#[derive(Debug)]
pub(crate) struct Preparer<'t> {
    text: &'t str,
    pub(crate) sites: Vec<Site>,
    /// What is asked of events, with the slots of the answers.
    pub(crate) searches: Vec<(Condition, usize)>,
    /// The next slot that is free.
    pub(crate) slots: usize,
    now: i64,
}

/// A constant as a value of a column.
pub(crate) fn value(constant: &Constant) -> Value {
    Value::One(match constant {
        Constant::Null | Constant::Period { .. } | Constant::Duration(_) => return Value::Null,
        Constant::List(all) => {
            return Value::of(all.iter().flat_map(|it| value(it).as_slice().to_vec()).collect());
        }
        Constant::Boolean(it) => Scalar::Boolean(*it),
        Constant::Integer(it) => Scalar::Integer(*it),
        Constant::Long(it) => Scalar::Long(*it),
        Constant::UnsignedLong(it) => Scalar::UnsignedLong(*it),
        Constant::Double(it) => Scalar::Double(*it),
        Constant::Text(it) => Scalar::Keyword(Arc::clone(it)),
        Constant::Datetime(it) => Scalar::Datetime(Millis(*it)),
        Constant::DateNanos(it) => Scalar::Datetime(Millis(it.div_euclid(1_000_000))),
        Constant::Ip(it) => Scalar::Ip(Ip(*it)),
        Constant::Version(it) => Scalar::Version(Version(Arc::clone(it))),
        Constant::GeoPoint { longitude, latitude } => {
            Scalar::GeoPoint(Point { lon: *longitude, lat: *latitude })
        }
    })
}

fn texts(expr: &Expr) -> Option<Vec<&str>> {
    match &expr.kind {
        ExprKind::Constant(Constant::Text(it)) => Some(vec![it]),
        ExprKind::Constant(Constant::List(all)) => {
            all.iter().map(|it| if let Constant::Text(it) = it { Some(&**it) } else { None }).collect()
        }
        ExprKind::Constant(_) | ExprKind::Column(_) | ExprKind::Call { .. } | ExprKind::Search(_) => None,
    }
}

/// A length of time that an expression of constants says.
fn span_of(expr: &Expr) -> Option<Span> {
    match &expr.kind {
        ExprKind::Constant(Constant::Period { months, days }) => {
            Some(Span::Period { months: *months, days: *days })
        }
        ExprKind::Constant(Constant::Duration(it)) => Some(Span::Duration(*it)),
        ExprKind::Constant(Constant::Text(it)) => Span::parse(it),
        ExprKind::Call { function, arguments, .. } => match (function, arguments.as_slice()) {
            (Function::ToDatePeriod | Function::ToTimeDuration, [it]) => span_of(it),
            (Function::Negate, [it]) => span_of(it).map(Span::negate),
            (Function::Add, [a, b]) => span_of(a)?.plus(span_of(b)?),
            (Function::Subtract, [a, b]) => span_of(a)?.plus(span_of(b)?.negate()),
            _ => None,
        },
        ExprKind::Constant(_) | ExprKind::Column(_) | ExprKind::Search(_) => None,
    }
}

impl<'t> Preparer<'t> {
    pub(crate) fn new(text: &'t str, slots: usize, now: i64) -> Self {
        Self { text, sites: Vec::new(), searches: Vec::new(), slots, now }
    }

    /// The number of a place that may fail.
    pub(crate) fn site(&mut self, place: Place, treated_as: &'static str) -> usize {
        let start = place.range().start.min(self.text.len());
        let before = &self.text[..start];
        let line_start = before.rfind('\n').map_or(0, |it| it + 1);
        self.sites.push(Site {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            text: self.text.get(place.range()).unwrap_or_default().to_owned(),
            treated_as,
        });
        self.sites.len() - 1
    }

    /// An expression.
    pub(crate) fn node(&mut self, expr: &Expr) -> Result<Node, PrepareError> {
        let node = |kind, site| Node { kind, ty: expr.ty, site };
        Ok(match &expr.kind {
            ExprKind::Constant(it) => node(NodeKind::Constant(value(it)), usize::MAX),
            ExprKind::Column(slot) => node(NodeKind::Column(slot.index()), usize::MAX),
            ExprKind::Search(condition) => {
                let known = self.searches.iter().find(|it| it.0 == **condition).map(|it| it.1);
                let slot = known.unwrap_or_else(|| {
                    self.searches.push(((**condition).clone(), self.slots));
                    self.slots += 1;
                    self.slots - 1
                });
                node(NodeKind::Column(slot), usize::MAX)
            }
            ExprKind::Call { function: Function::Case, arguments, .. } => {
                let site = self.site(expr.span, "false");
                let mut branches = Vec::new();
                for pair in arguments.chunks_exact(2) {
                    branches.push((self.node(&pair[0])?, self.node(&pair[1])?));
                }
                let otherwise = match arguments.chunks_exact(2).remainder() {
                    [last] => Some(Box::new(self.node(last)?)),
                    _ => None,
                };
                node(NodeKind::Case(branches, otherwise), site)
            }
            ExprKind::Call { function: Function::Coalesce, arguments, .. } => {
                let all = arguments.iter().map(|it| self.node(it)).collect::<Result<_, _>>()?;
                node(NodeKind::Coalesce(all), usize::MAX)
            }
            ExprKind::Call { function, arguments, options } => {
                if let Some(spread) = self.over_spans(expr, *function, arguments)? {
                    return Ok(spread);
                }
                let prepared = self.prepare(*function, arguments)?;
                let site = self.site(expr.span, "null");
                let arguments = arguments.iter().map(|it| self.node(it)).collect::<Result<_, _>>()?;
                let kind =
                    NodeKind::Call { function: *function, arguments, prepared, options: options.clone() };
                node(kind, site)
            }
        })
    }

    /// An instant and a length of time that a `CASE` chooses: a `CASE` of instants.
    fn over_spans(
        &mut self,
        expr: &Expr,
        function: Function,
        arguments: &[Expr],
    ) -> Result<Option<Node>, PrepareError> {
        let (Function::Add | Function::Subtract, [a, b]) = (function, arguments) else { return Ok(None) };
        if !expr.ty.is_date() {
            return Ok(None);
        }
        let (instant, choice, is_first) = if b.ty.is_span() { (a, b, false) } else { (b, a, true) };
        let ExprKind::Call { function: Function::Case, arguments: choices, options } = &choice.kind else {
            return Ok(None);
        };
        let last = choices.len() - 1;
        let arguments = choices.iter().enumerate().map(|(at, it)| {
            if at % 2 == 0 && at != last {
                return it.clone();
            }
            let pair = if is_first { [it, instant] } else { [instant, it] };
            let arguments = pair.map(Clone::clone).to_vec();
            Expr { kind: ExprKind::Call { function, arguments, options: options.clone() }, ..expr.clone() }
        });
        let arguments = arguments.collect();
        let kind = ExprKind::Call { function: Function::Case, arguments, options: options.clone() };
        self.node(&Expr { kind, ..expr.clone() }).map(Some)
    }

    fn prepare(&mut self, function: Function, arguments: &[Expr]) -> Result<Prepared, PrepareError> {
        let wrong = |message: String, at: &Expr| PrepareError::Pattern { message, span: at.span };
        let text = |at: usize| arguments.get(at).and_then(texts).and_then(|it| it.first().copied());
        Ok(match function {
            Function::Like | Function::RLike => {
                let patterns: Vec<&str> = arguments[1..].iter().filter_map(texts).flatten().collect();
                let anything = if function == Function::Like { "*" } else { ".*" };
                let is_anything = |it: &&str| {
                    if function == Function::Like {
                        !it.is_empty() && it.bytes().all(|it| it == b'*')
                    } else {
                        *it == anything
                    }
                };
                Prepared::Like(if patterns.len() == 1 && patterns.iter().all(is_anything) {
                    Like::Anything
                } else if function == Function::Like {
                    Like::Wildcards(patterns.iter().map(|it| Wildcard::parse(it, false)).collect())
                } else {
                    let compile = |it: &&str| {
                        let regexp = Regexp::new(it, None, false).map_err(|error| {
                            wrong(format!("Invalid pattern for RLIKE [{it}]: {error}"), &arguments[1])
                        })?;
                        Ok(regexp.compile())
                    };
                    Like::Regexps(patterns.iter().map(compile).collect::<Result<_, _>>()?)
                })
            }
            Function::Replace => match text(1) {
                Some(pattern) => Prepared::Replacement(
                    Replacement::new(pattern)
                        .map_err(|it| wrong(format!("Invalid pattern [{pattern}]: {it}"), &arguments[1]))?,
                ),
                None => Prepared::None,
            },
            Function::Add | Function::Subtract => {
                let span = arguments.iter().find(|it| it.ty.is_span()).and_then(span_of);
                span.map_or(Prepared::None, Prepared::Span)
            }
            Function::DateTrunc => match span_of(&arguments[0]) {
                Some(span) if span.is_interval() => Prepared::Span(span),
                _ => {
                    return Err(wrong(
                        "an interval of one unit, longer than nothing, is needed".to_owned(),
                        &arguments[0],
                    ));
                }
            },
            Function::Bucket => self.bucket(arguments),
            Function::DateFormat | Function::DateParse if arguments.len() == 2 => match text(0) {
                Some(pattern) => Prepared::Date(
                    DatePattern::new(pattern).map_err(|it| wrong(it.to_string(), &arguments[0]))?,
                ),
                None => Prepared::None,
            },
            Function::CidrMatch => {
                let blocks: Option<Vec<Vec<&str>>> = arguments[1..].iter().map(texts).collect();
                match blocks {
                    Some(all) if all.iter().all(|it| it.len() == 1) => {
                        let parse = |it: &&str| {
                            Network::parse(it).ok_or_else(|| {
                                wrong(format!("'{it}' is not an IP string literal."), &arguments[1])
                            })
                        };
                        Prepared::Networks(all.iter().flatten().map(parse).collect::<Result<_, _>>()?)
                    }
                    Some(_) | None => Prepared::None,
                }
            }
            _ => Prepared::None,
        })
    }

    fn constant(&mut self, expr: &Expr) -> Option<Scalar> {
        let node = self.node(expr).ok()?;
        let mut warnings = Warnings::default();
        let column = node.evaluate(&Block::new(1), &mut Context { warnings: &mut warnings, now: self.now });
        column.scalar(0, 0)
    }

    fn bucket(&mut self, arguments: &[Expr]) -> Prepared {
        let number = |it: Scalar| match it {
            Scalar::Integer(it) => f64::from(it),
            Scalar::Long(it) => it as f64,
            Scalar::UnsignedLong(it) => it as f64,
            Scalar::Double(it) => it,
            Scalar::Datetime(it) => it.0 as f64,
            _ => f64::NAN,
        };
        if let Some(span) = span_of(&arguments[1]).filter(|_| arguments[1].ty.is_span()) {
            return Prepared::Span(span);
        }
        let numbers: Vec<f64> =
            arguments[1..].iter().filter_map(|it| self.constant(it)).map(number).collect();
        match numbers.as_slice() {
            [width] => Prepared::Width(*width),
            [buckets, from, to] if arguments[0].ty.is_date() => {
                Prepared::Span(bucket_span(*from as i64, *to as i64, *buckets as i64))
            }
            [buckets, from, to] => {
                let width = (to - from) / buckets;
                // The next power of ten.
                let power = 10_f64.powf(width.log10().floor());
                Prepared::Width(if power >= width { power } else { power * 10.0 })
            }
            _ => Prepared::None,
        }
    }
}

/// What evaluation has at hand beside rows.
pub(crate) struct Context<'w> {
    pub(crate) warnings: &'w mut Warnings,
    pub(crate) now: i64,
}

impl Node {
    pub(crate) fn ty(&self) -> Type {
        self.ty
    }

    /// Its column.
    pub(crate) fn evaluate(&self, block: &Block, context: &mut Context<'_>) -> Arc<Column> {
        let rows = block.rows();
        match &self.kind {
            NodeKind::Constant(Value::Null) => {
                Arc::new(Column::of_type(self.ty, std::iter::once(&Value::Null)).spread(rows))
            }
            NodeKind::Constant(value) => Arc::new(Column::same(value, rows)),
            NodeKind::Column(slot) => block.get(*slot),
            NodeKind::Call { function, arguments, prepared, options } => {
                let columns: Vec<Arc<Column>> =
                    arguments.iter().map(|it| it.evaluate(block, context)).collect();
                let columns: Vec<&Column> = columns.iter().map(|it| &**it).collect();
                let mut at = At { warnings: context.warnings, site: self.site, rows, now: context.now };
                Arc::new(call(*function, &columns, prepared, options, self.ty, &mut at))
            }
            NodeKind::Case(branches, otherwise) => self.case(branches, otherwise.as_deref(), block, context),
            NodeKind::Coalesce(all) => self.coalesce(all, block, context),
        }
    }

    /// Branches are evaluated for the rows that come to them, so that the others do not warn.
    fn case(
        &self,
        branches: &[(Self, Self)],
        otherwise: Option<&Self>,
        block: &Block,
        context: &mut Context<'_>,
    ) -> Arc<Column> {
        let mut pieces = Pieces::new(self.ty);
        let mut left: Vec<u32> = (0..block.rows() as u32).collect();
        for (condition, value) in branches {
            if left.is_empty() {
                break;
            }
            let rest = Self::part(block, &left, condition);
            let verdicts = condition.evaluate(&rest, context);
            let verdicts = typed::<bool>(&verdicts);
            let (mut taken, mut others) = (Vec::new(), Vec::new());
            for (at, &row) in left.iter().enumerate() {
                let holds = match verdicts.cell(at) {
                    [holds] => *holds,
                    [] => false,
                    _ => {
                        context.warnings.add(self.site, Failure::SeveralValues);
                        false
                    }
                };
                if holds { taken.push(row) } else { others.push(row) }
            }
            if !taken.is_empty() {
                let part = Self::part(block, &taken, value);
                pieces.add(value.evaluate(&part, context), taken);
            }
            left = others;
        }
        if !left.is_empty() {
            let column = match otherwise {
                Some(it) => it.evaluate(&Self::part(block, &left, it), context),
                None => Arc::new(Column::Null(left.len())),
            };
            pieces.add(column, left);
        }
        pieces.finish(block.rows())
    }

    /// Rows go on to the next argument while they are null.
    fn coalesce(&self, all: &[Self], block: &Block, context: &mut Context<'_>) -> Arc<Column> {
        let mut pieces = Pieces::new(self.ty);
        let mut left: Vec<u32> = (0..block.rows() as u32).collect();
        for (index, node) in all.iter().enumerate() {
            if left.is_empty() {
                break;
            }
            let column = node.evaluate(&Self::part(block, &left, node), context);
            let is_last = index + 1 == all.len();
            let (mut taken, mut places, mut others) = (Vec::new(), Vec::new(), Vec::new());
            for (at, &row) in left.iter().enumerate() {
                if is_last || !column.is_null(at) {
                    taken.push(row);
                    places.push(at as u32);
                } else {
                    others.push(row);
                }
            }
            if !taken.is_empty() {
                let column = if others.is_empty() { column } else { Arc::new(column.take(&places)) };
                pieces.add(column, taken);
            }
            left = others;
        }
        pieces.finish(block.rows())
    }

    /// Some rows of a block, as far as the expression reads it.
    fn part<'b>(block: &'b Block, rows: &[u32], node: &Self) -> Cow<'b, Block> {
        if rows.len() == block.rows() {
            return Cow::Borrowed(block);
        }
        let mut slots = Vec::new();
        node.slots(&mut slots);
        Cow::Owned(block.take(rows, &slots))
    }

    /// The slots that it reads.
    pub(crate) fn slots(&self, slots: &mut Vec<usize>) {
        match &self.kind {
            NodeKind::Constant(_) => {}
            NodeKind::Column(slot) => slots.push(*slot),
            NodeKind::Call { arguments, .. } | NodeKind::Coalesce(arguments) => {
                for it in arguments {
                    it.slots(slots);
                }
            }
            NodeKind::Case(branches, otherwise) => {
                for (condition, value) in branches {
                    condition.slots(slots);
                    value.slots(slots);
                }
                if let Some(it) = otherwise {
                    it.slots(slots);
                }
            }
        }
    }
}

/// Columns for some of the rows each, which are put together.
struct Pieces {
    ty: Type,
    columns: Vec<Arc<Column>>,
    rows: Vec<Vec<u32>>,
}

impl Pieces {
    fn new(ty: Type) -> Self {
        Self { ty, columns: Vec::new(), rows: Vec::new() }
    }

    fn add(&mut self, column: Arc<Column>, rows: Vec<u32>) {
        let column = match widen(&column, self.ty) {
            Cow::Borrowed(_) => column,
            Cow::Owned(wide) => Arc::new(wide),
        };
        self.columns.push(column);
        self.rows.push(rows);
    }

    fn finish(self, rows: usize) -> Arc<Column> {
        if let [only] = self.columns.as_slice() {
            return Arc::clone(only);
        }
        let all = Column::concat(&self.columns);
        let mut places = vec![0; rows];
        for (place, &row) in self.rows.iter().flatten().enumerate() {
            places[row as usize] = place as u32;
        }
        Arc::new(all.take(&places))
    }
}

/// The rows for which a condition is true.
pub(crate) fn rows_where(column: &Column, at: &mut At<'_>) -> Vec<u32> {
    let verdicts: Cow<'_, Cells<bool>> = typed::<bool>(column);
    let mut rows = Vec::with_capacity(at.rows);
    for row in 0..at.rows {
        if at.single(verdicts.cell(row)).is_some_and(|it| *it) {
            rows.push(row as u32);
        }
    }
    rows
}
