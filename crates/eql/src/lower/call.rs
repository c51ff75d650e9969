//! The functions, by their names.

use plan::Ranges;
use plan::value::{Case, Datum, Function, Operands, ValueExpr};
use span::Span;

use super::{CheckErrorKind, Lowering, Wrong};
use crate::ast::Expr;

/// A function as a query names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Length,
    String,
    Number,
    Concat,
    StartsWith,
    EndsWith,
    StringContains,
    IndexOf,
    Substring,
    Between,
    CidrMatch,
}

const FUNCTIONS: [(&str, Named); 16] = [
    ("add", Named::Add),
    ("subtract", Named::Subtract),
    ("multiply", Named::Multiply),
    ("divide", Named::Divide),
    ("modulo", Named::Modulo),
    ("length", Named::Length),
    ("string", Named::String),
    ("number", Named::Number),
    ("concat", Named::Concat),
    ("startsWith", Named::StartsWith),
    ("endsWith", Named::EndsWith),
    ("stringContains", Named::StringContains),
    ("indexOf", Named::IndexOf),
    ("substring", Named::Substring),
    ("between", Named::Between),
    ("cidrMatch", Named::CidrMatch),
];

/// What the original EQL and other languages call otherwise.
const ELSEWHERE: [(&str, &str); 14] = [
    ("wildcard", "`field like (\"a*\", \"b*\")`, or `:` for either case"),
    ("match", "`field regex \"…\"`"),
    ("matchLite", "`field regex \"…\"`"),
    ("arrayContains", "`field == \"…\"`: a comparison asks all values of the field"),
    ("arraySearch", "a comparison: it asks all values of the field"),
    ("arrayCount", "a comparison: it asks all values of the field"),
    ("safe", "what is in the parentheses: null is no error"),
    ("contains", "`stringContains(field, \"…\")`"),
    ("includes", "`stringContains(field, \"…\")`"),
    ("len", "`length(field)`"),
    ("exists", "`field != null`"),
    ("isNull", "`field == null`"),
    ("lower", "`:`, `in~` or `like~`, which ignore case"),
    ("not", "`not`, in lower case"),
];

/// The function of that name, in any case of letters.
pub(super) fn named(name: &str) -> Option<Named> {
    FUNCTIONS.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, named)| named)
}

/// Whether the function of that name says yes or no.
pub(super) fn is_condition(name: &str) -> bool {
    use Named::{CidrMatch, EndsWith, StartsWith, StringContains};
    matches!(named(name), Some(StartsWith | EndsWith | StringContains | CidrMatch))
}

impl Named {
    fn name(self) -> &'static str {
        FUNCTIONS.into_iter().find(|(_, named)| *named == self).map_or("", |(name, _)| name)
    }

    /// What it is; nothing if it knows no `~` and has one. `cidrMatch` is made of its blocks.
    fn function(self, fold: bool) -> Option<Function> {
        let case = if fold { Case::Ignored } else { Case::Exact };
        Some(match self {
            Self::StartsWith => Function::StartsWith(case),
            Self::EndsWith => Function::EndsWith(case),
            Self::StringContains => Function::Contains(case),
            Self::IndexOf => Function::IndexOf(case),
            Self::Between => Function::Between(case),
            _ if fold => return None,
            Self::Add => Function::Add,
            Self::Subtract => Function::Subtract,
            Self::Multiply => Function::Multiply,
            Self::Divide => Function::Divide,
            Self::Modulo => Function::Modulo,
            Self::Length => Function::Length,
            Self::String => Function::ToText,
            Self::Number => Function::ToNumber,
            Self::Concat => Function::Concat,
            Self::Substring => Function::Substring,
            Self::CidrMatch => Function::WithinCidr(Ranges::default()),
        })
    }
}

impl Lowering<'_> {
    pub(super) fn named_call(
        &mut self,
        name: (&str, Span),
        fold: bool,
        arguments: &[Expr],
        span: Span,
        operands: &mut Operands,
    ) -> Result<ValueExpr, Wrong> {
        let (name, name_span) = name;
        let Some(named) = named(name) else {
            let instead = ELSEWHERE.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
            let instead = instead.map(|(_, instead)| instead);
            let error = CheckErrorKind::UnknownFunction { name: name.to_owned(), instead };
            return Err(self.fail(error, name_span));
        };
        let Some(mut function) = named.function(fold) else {
            return Err(self.fail(CheckErrorKind::NoFold { function: named.name() }, name_span));
        };
        let mut arguments = arguments;
        if named == Named::CidrMatch {
            let Some((address, blocks)) = arguments.split_first().filter(|(_, blocks)| !blocks.is_empty())
            else {
                return Err(self.fail(CheckErrorKind::NoBlock { function: named.name() }, span));
            };
            function = Function::WithinCidr(self.blocks(blocks)?);
            arguments = std::slice::from_ref(address);
        }
        let values = self.values(arguments, operands)?;
        let spans: Vec<Span> = arguments.iter().map(|it| it.span).chain([span]).collect();
        self.call(function, values, &spans)
    }

    /// What all blocks of addresses cover.
    fn blocks(&mut self, blocks: &[Expr]) -> Result<Ranges<u128>, Wrong> {
        let mut all = Ranges::default();
        for block in blocks {
            let value = self.value(block, &mut Operands::default())?;
            let ValueExpr::Const(Datum::Text(text)) = value else {
                return Err(self.fail(CheckErrorKind::BlockNotConstant, block.span));
            };
            match plan::addresses(&text) {
                Ok(ranges) => all = all.union(&ranges),
                Err(error) => return Err(self.fail(CheckErrorKind::NotABlock { error }, block.span)),
            }
        }
        Ok(all)
    }

    /// A function of values. `spans`: of the arguments, and last of the whole.
    pub(super) fn call(
        &mut self,
        function: Function,
        arguments: Vec<ValueExpr>,
        spans: &[Span],
    ) -> Result<ValueExpr, Wrong> {
        let whole = spans.last().copied().unwrap_or_default();
        let is_arithmetic = matches!(
            function,
            Function::Add
                | Function::Subtract
                | Function::Multiply
                | Function::Divide
                | Function::Modulo
                | Function::Negate
        );
        let has_null = arguments.contains(&ValueExpr::Const(Datum::Null));
        match ValueExpr::call(function, arguments) {
            Ok(ValueExpr::Const(Datum::Null)) if is_arithmetic && !has_null => {
                Err(self.fail(CheckErrorKind::NoValue, whole))
            }
            Ok(value) => Ok(value),
            Err(error) => {
                let span = error.argument().and_then(|it| spans.get(it)).copied().unwrap_or(whole);
                Err(self.fail(CheckErrorKind::Call { error }, span))
            }
        }
    }
}
