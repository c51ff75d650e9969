//! Calls of functions.

use std::ops::ControlFlow;

use span::Span;

use super::common::{joined, nearest};
use super::expression::{Place, constant};
use super::{CheckErrorKind, Checker};
use crate::ast::{self, Literal, Name, Text};
use crate::function::{FunctionKind, Parameter, Presence, Returns, Types};
use crate::literal;
use crate::resolved::{Expr, ExprKind, Value};
use crate::{Function, Type};

/// What other engines have.
const UNSUPPORTED: [&str; 15] = [
    "CATEGORIZE",
    "COUNT_OVER_TIME",
    "KNN",
    "MATCH_PHRASE",
    "MULTI_MATCH",
    "RANDOM",
    "RATE",
    "SAMPLE",
    "SCORE",
    "ST_CENTROID_AGG",
    "ST_EXTENT_AGG",
    "TBUCKET",
    "TERM",
    "TEXT_EMBEDDING",
    "TRANGE",
];

impl Checker<'_> {
    /// `function(arguments, {options})`
    pub(super) fn function(
        &mut self,
        name: &Name,
        arguments: &[ast::Expr],
        options: &[(Text, Literal)],
        place: Place,
        span: Span,
    ) -> Option<Expr> {
        let Some(function) = Function::from_name(&name.text) else {
            let upper = name.text.to_ascii_uppercase();
            let kind = if let Some(name) = UNSUPPORTED.into_iter().find(|it| *it == upper) {
                CheckErrorKind::UnsupportedFunction { name }
            } else {
                let similar = nearest(&upper, Function::names());
                CheckErrorKind::UnknownFunction { name: name.text.clone(), similar }
            };
            self.error(kind, name.span);
            return None;
        };
        let spec = function.spec();
        match (spec.kind, place) {
            (FunctionKind::Aggregate, Place::Group) => {
                return self.aggregate(function, arguments, options, span);
            }
            (FunctionKind::Aggregate, Place::Aggregate) => {
                self.error(CheckErrorKind::NestedAggregate { function: spec.name }, span);
                return None;
            }
            (FunctionKind::Aggregate, Place::Row | Place::Filter | Place::Grouping) => {
                self.error(CheckErrorKind::AggregateOutside { function: spec.name }, span);
                return None;
            }
            (FunctionKind::Grouping, place) if place != Place::Grouping => {
                self.error(CheckErrorKind::GroupingOutside { function: spec.name }, span);
                return None;
            }
            (FunctionKind::Search, place) => return self.search(function, arguments, options, place, span),
            (FunctionKind::Grouping | FunctionKind::Scalar | FunctionKind::Operator, _) => {}
        }
        let arguments: Vec<Option<Expr>> = arguments.iter().map(|it| self.expression(it, place)).collect();
        let options = self.options(function, options)?;
        let arguments: Vec<Expr> = arguments.into_iter().collect::<Option<_>>()?;
        self.called(function, arguments, options, span)
    }

    /// A function over values whose types are known.
    pub(super) fn called(
        &mut self,
        function: Function,
        arguments: Vec<Expr>,
        options: Vec<(String, Value)>,
        span: Span,
    ) -> Option<Expr> {
        let arguments = self.arguments(function, arguments, span)?;
        if let ControlFlow::Break(folded) = self.span_constant(function, &arguments, span) {
            return folded;
        }
        let ty = self.returned(function, &arguments)?;
        Some(Expr { kind: ExprKind::Call { function, arguments, options }, ty, span })
    }

    /// Arguments that fit the signature.
    pub(super) fn arguments(
        &mut self,
        function: Function,
        arguments: Vec<Expr>,
        span: Span,
    ) -> Option<Vec<Expr>> {
        let spec = function.spec();
        let count = arguments.len();
        let least = spec.parameters.iter().filter(|it| it.presence == Presence::Required).count();
        let most = match spec.parameters.last() {
            Some(it) if it.presence == Presence::Repeated => usize::MAX,
            _ => spec.parameters.len(),
        };
        if count < least || count > most {
            let expected = counted(least, most);
            self.error(CheckErrorKind::ArgumentCount { function: spec.name, expected, found: count }, span);
            return None;
        }
        // DATE_FORMAT and DATE_PARSE may go without their first one.
        let skipped = match spec.parameters {
            [first, rest @ ..] if first.presence == Presence::Optional && count <= rest.len() => 1,
            _ => 0,
        };
        let mut out = Vec::with_capacity(count);
        let mut is_right = true;
        for (at, argument) in arguments.into_iter().enumerate() {
            let at = (at + skipped).min(spec.parameters.len() - 1);
            match self.argument(function, &spec.parameters[at], at, argument) {
                Some(it) => out.push(it),
                None => is_right = false,
            }
        }
        is_right.then_some(out)
    }

    fn argument(
        &mut self,
        function: Function,
        parameter: &Parameter,
        at: usize,
        argument: Expr,
    ) -> Option<Expr> {
        let spec = function.spec();
        let takes = if function == Function::Case { case_takes(at) } else { parameter.takes };
        let argument = if takes.contains(argument.ty) { argument } else { self.value(argument)? };
        let argument = match wanted(takes) {
            // Aggregates take texts as they are.
            Some(ty) if spec.kind != FunctionKind::Aggregate && !takes.contains(Type::Keyword) => {
                self.read_as_any(argument, takes, ty)?
            }
            _ => argument,
        };
        if argument.ty != Type::Null && !takes.contains(argument.ty) {
            if let Some(ty) = takes_of_unmapped(takes)
                && self.wish(&argument, ty)
            {
                return None;
            }
            let name = Self::argument_name(function, at);
            let kind = CheckErrorKind::ArgumentType {
                function: spec.name,
                argument: name,
                expected: described(takes),
                found: argument.ty,
            };
            self.error(kind, argument.span);
            return None;
        }
        if parameter.is_constant && !argument.is_constant() {
            self.error(
                CheckErrorKind::NotConstant { function: spec.name, argument: parameter.name },
                argument.span,
            );
            return None;
        }
        Some(argument)
    }

    /// A text as one of several types, the first that it is a text of.
    fn read_as_any(&mut self, argument: Expr, takes: Types, first: Type) -> Option<Expr> {
        let is_text = matches!(argument.kind, ExprKind::Constant(Value::Text(_)));
        if is_text
            && let ExprKind::Constant(Value::Text(text)) = &argument.kind
            && let Some((value, ty)) = takes.iter().find_map(|ty| Some((literal::cast(text, ty)?, ty)))
        {
            return Some(constant(value, ty, argument.span));
        }
        self.read_as(argument, first)
    }

    fn argument_name(function: Function, at: usize) -> String {
        let spec = function.spec();
        match spec.parameters {
            [_] => "argument".to_owned(),
            parameters => parameters
                .get(at)
                .map_or_else(|| "argument".to_owned(), |it| format!("argument `{}`", it.name)),
        }
    }

    /// Lengths of time are constants, however they are written.
    fn span_constant(
        &mut self,
        function: Function,
        arguments: &[Expr],
        span: Span,
    ) -> ControlFlow<Option<Expr>> {
        let ty = match function {
            Function::ToDatePeriod => Type::DatePeriod,
            Function::ToTimeDuration => Type::TimeDuration,
            _ => return ControlFlow::Continue(()),
        };
        let [argument] = arguments else { return ControlFlow::Continue(()) };
        ControlFlow::Break(match &argument.kind {
            ExprKind::Constant(Value::Text(_)) => self.read_as(argument.clone(), ty),
            ExprKind::Constant(it) => Some(constant(it.clone(), ty, span)),
            // Whoever runs it computes it before all else.
            ExprKind::Call { .. } if argument.is_constant() => return ControlFlow::Continue(()),
            ExprKind::Column(_) | ExprKind::Call { .. } | ExprKind::Search(_) => {
                let function = function.spec().name;
                self.error(CheckErrorKind::NotConstant { function, argument: "value" }, argument.span);
                None
            }
        })
    }

    /// What a function gives of these arguments.
    pub(super) fn returned(&mut self, function: Function, arguments: &[Expr]) -> Option<Type> {
        let spec = function.spec();
        let ty = |at: usize| arguments.get(at).map_or(Type::Null, |it| it.ty).without_text();
        Some(match spec.returns {
            Returns::Is(ty) => ty,
            Returns::Same(at) => ty(at),
            Returns::Common(start) => self.common(function, &arguments[start..])?,
            Returns::Widest => {
                arguments.iter().fold(Type::Null, |all, it| joined(all, it.ty).unwrap_or(it.ty))
            }
            Returns::Sum => match ty(0) {
                Type::Integer => Type::Long,
                other => other,
            },
            Returns::Own => match function {
                Function::Case => {
                    let count = arguments.len();
                    let is_value = |at: usize| at % 2 == 1 || at + 1 == count;
                    let values: Vec<Expr> = arguments
                        .iter()
                        .enumerate()
                        .filter(|(at, _)| is_value(*at))
                        .map(|(_, it)| it.clone())
                        .collect();
                    self.common(function, &values)?
                }
                Function::Top => ty(if arguments.len() > 3 { 3 } else { 0 }),
                Function::Bucket => match ty(0) {
                    Type::Null if arguments.get(1).is_some_and(|it| it.ty.is_span()) => Type::Datetime,
                    it if it.is_numeric() => Type::Double,
                    it => it,
                },
                _ => ty(0),
            },
        })
    }

    /// The type that all have in common.
    fn common(&mut self, function: Function, values: &[Expr]) -> Option<Type> {
        let mut common = Type::Null;
        for it in values {
            if let Some(ty) = joined(common, it.ty) {
                common = ty;
                continue;
            }
            let before = values.iter().take_while(|before| *before != it);
            let is_guessed = self.wish(it, common) || before.clone().any(|before| self.wish(before, it.ty));
            if !is_guessed {
                let function = function.spec().name;
                self.error(CheckErrorKind::TypesDiffer { function, first: common, found: it.ty }, it.span);
            }
            return None;
        }
        Some(common)
    }

    /// What a map behind the arguments says.
    fn options(&mut self, function: Function, options: &[(Text, Literal)]) -> Option<Vec<(String, Value)>> {
        let known: &[&str] = match function {
            Function::ToIp => &["leading_zeros"],
            Function::DateDiff | Function::DateFormat | Function::DateParse | Function::DateTrunc => {
                &["time_zone"]
            }
            _ => &[],
        };
        let mut out = Vec::new();
        let mut is_right = true;
        for (key, value) in options {
            let name = key.text.to_string();
            if !known.contains(&name.as_str()) {
                self.error(
                    CheckErrorKind::UnknownOption { function: function.spec().name, name, known },
                    key.span,
                );
                is_right = false;
                continue;
            }
            let allowed: &[&str] = match name.as_str() {
                "leading_zeros" => &["reject", "decimal", "octal"],
                _ => &["UTC", "Z"],
            };
            match literal::value(value) {
                Some((Value::Text(text), _)) if allowed.contains(&&*text) => {
                    out.push((name, Value::Text(text)));
                }
                _ => {
                    self.error(CheckErrorKind::OptionValue { name, value: value.to_string() }, key.span);
                    is_right = false;
                }
            }
        }
        is_right.then_some(out)
    }
}

/// Every second argument of `CASE` is a condition, unless it is the last.
fn case_takes(at: usize) -> Types {
    let parameters = Function::Case.spec().parameters;
    parameters[at.min(1)].takes
}

/// The type that a text is read as.
fn wanted(takes: Types) -> Option<Type> {
    [Type::Datetime, Type::TimeDuration, Type::DatePeriod, Type::Ip, Type::Version, Type::Boolean]
        .into_iter()
        .find(|it| takes.contains(*it))
}

/// The type of a field of which nothing else is known.
fn takes_of_unmapped(takes: Types) -> Option<Type> {
    [
        Type::Keyword,
        Type::Datetime,
        Type::Ip,
        Type::Double,
        Type::Long,
        Type::Integer,
        Type::Boolean,
        Type::GeoPoint,
        Type::Version,
    ]
    .into_iter()
    .find(|it| takes.contains(*it))
}

/// Types in words.
fn described(takes: Types) -> String {
    let has = |ty: Type| takes.contains(ty);
    let all: Vec<&str> = [
        (has(Type::Keyword), "a text"),
        (has(Type::Double), "a number"),
        (has(Type::Integer) && !has(Type::Double), "a whole number"),
        (has(Type::Boolean), "a truth value"),
        (has(Type::Datetime), "a date"),
        (has(Type::TimeDuration) || has(Type::DatePeriod), "a length of time"),
        (has(Type::Ip), "an address"),
        (has(Type::Version), "a version"),
        (has(Type::GeoPoint), "a place"),
    ]
    .into_iter()
    .filter_map(|(is_taken, words)| is_taken.then_some(words))
    .collect();
    match all.as_slice() {
        [] => "something else".to_owned(),
        [one] => (*one).to_owned(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}

fn counted(least: usize, most: usize) -> String {
    let arguments = |count: usize| match count {
        0 => "no argument".to_owned(),
        1 => "one argument".to_owned(),
        2 => "two arguments".to_owned(),
        3 => "three arguments".to_owned(),
        it => format!("{it} arguments"),
    };
    match (least, most) {
        (least, most) if least == most => arguments(least),
        (least, usize::MAX) => format!("{} or more", arguments(least)),
        (least, most) => format!("{least} to {}", arguments(most)),
    }
}
