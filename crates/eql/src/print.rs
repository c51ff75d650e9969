//! A tree back to text. What is printed parses to the same tree.

use std::fmt::{self, Display, Formatter, Write};

use crate::ast::{
    ArithmeticOp, Ast, Category, Constant, Event, Expr, ExprKind, Field, Item, Literal, Pipe, Query, Sample,
    Sequence,
};
use crate::lexer::is_keyword;

impl Display for Ast {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.query {
            Query::Event(it) => it.fmt(f)?,
            Query::Sequence(it) => it.fmt(f)?,
            Query::Sample(it) => it.fmt(f)?,
        }
        self.pipes.iter().try_for_each(|pipe| match pipe {
            Pipe::Head(count) => write!(f, " | head {count}"),
            Pipe::Tail(count) => write!(f, " | tail {count}"),
        })
    }
}

impl Display for Event {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.category {
            None => f.write_str("any")?,
            Some(Category { name, .. }) if is_identifier(name) => f.write_str(name)?,
            Some(Category { name, .. }) => quoted(f, name)?,
        }
        write!(f, " where {}", self.condition)
    }
}

impl Display for Sequence {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("sequence")?;
        by(f, &self.by)?;
        if let Some(maxspan) = self.maxspan {
            write!(f, " with maxspan={maxspan}ms")?;
        }
        self.items.iter().try_for_each(|it| write!(f, " {it}"))?;
        self.until.iter().try_for_each(|it| write!(f, " until {it}"))
    }
}

impl Display for Sample {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("sample")?;
        by(f, &self.by)?;
        self.items.iter().try_for_each(|it| write!(f, " {it}"))
    }
}

impl Display for Item {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}]", if self.missing { "![" } else { "[" }, self.event)?;
        by(f, &self.by)?;
        if self.runs == 1 { Ok(()) } else { write!(f, " with runs={}", self.runs) }
    }
}

fn by(f: &mut Formatter<'_>, keys: &[Field]) -> fmt::Result {
    for (at, key) in keys.iter().enumerate() {
        write!(f, "{}{key}", if at == 0 { " by " } else { ", " })?;
    }
    Ok(())
}

/// How tightly an expression holds together: what stands in a tighter one needs parentheses.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Tightness {
    Or,
    And,
    Not,
    Compare,
    Sum,
    Product,
    Sign,
    Predicate,
    Whole,
}

impl ExprKind {
    fn tightness(&self) -> Tightness {
        match self {
            Self::Or(_) => Tightness::Or,
            Self::And(_) => Tightness::And,
            Self::Not(_) => Tightness::Not,
            Self::Compare { .. } => Tightness::Compare,
            Self::Arithmetic { op: ArithmeticOp::Add | ArithmeticOp::Subtract, .. } => Tightness::Sum,
            Self::Arithmetic { .. } => Tightness::Product,
            Self::Negate(_) => Tightness::Sign,
            Self::Constant(it) if it.is_negative() => Tightness::Sign,
            Self::In { .. } | Self::Match { .. } => Tightness::Predicate,
            Self::Constant(_) | Self::Field(_) | Self::Call { .. } => Tightness::Whole,
        }
    }
}

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ExprKind::Or(any) => joined(f, any, " or ", Tightness::And),
            ExprKind::And(all) => joined(f, all, " and ", Tightness::Not),
            ExprKind::Not(inner) => {
                f.write_str("not ")?;
                at_least(f, inner, Tightness::Not)
            }
            ExprKind::Compare { left, op, right } => {
                at_least(f, left, Tightness::Sum)?;
                write!(f, " {} ", op.as_str())?;
                at_least(f, right, Tightness::Sum)
            }
            ExprKind::In { value, negated, fold, list } => {
                at_least(f, value, Tightness::Whole)?;
                write!(f, " {}in{} (", if *negated { "not " } else { "" }, if *fold { "~" } else { "" })?;
                joined(f, list, ", ", Tightness::Or)?;
                f.write_char(')')
            }
            ExprKind::Match { value, op, patterns } => {
                at_least(f, value, Tightness::Whole)?;
                write!(f, " {} ", op.as_str())?;
                match &patterns[..] {
                    [one] => one.fmt(f),
                    several => {
                        for (at, it) in several.iter().enumerate() {
                            write!(f, "{}{it}", if at == 0 { "(" } else { ", " })?;
                        }
                        f.write_char(')')
                    }
                }
            }
            ExprKind::Arithmetic { left, op, right } => {
                let (sum, product) = (Tightness::Sum, Tightness::Product);
                let (before, after) =
                    if self.kind.tightness() == sum { (sum, product) } else { (product, Tightness::Sign) };
                at_least(f, left, before)?;
                write!(f, " {} ", op.as_str())?;
                at_least(f, right, after)
            }
            ExprKind::Negate(inner) => {
                f.write_char('-')?;
                at_least(f, inner, Tightness::Sign)
            }
            ExprKind::Constant(it) => it.fmt(f),
            ExprKind::Field(it) => it.fmt(f),
            ExprKind::Call { function, fold, arguments, name: _ } => {
                write!(f, "{function}{}(", if *fold { "~" } else { "" })?;
                joined(f, arguments, ", ", Tightness::Or)?;
                f.write_char(')')
            }
        }
    }
}

fn joined(f: &mut Formatter<'_>, parts: &[Expr], between: &str, least: Tightness) -> fmt::Result {
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            f.write_str(between)?;
        }
        at_least(f, part, least)?;
    }
    Ok(())
}

fn at_least(f: &mut Formatter<'_>, expr: &Expr, least: Tightness) -> fmt::Result {
    if expr.kind.tightness() < least { write!(f, "({expr})") } else { expr.fmt(f) }
}

impl Display for Constant {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

impl Literal {
    fn is_negative(&self) -> bool {
        match self {
            Self::Integer(it) => *it < 0,
            Self::Float(it) => it.is_sign_negative(),
            Self::Null | Self::Bool(_) | Self::Text(_) => false,
        }
    }
}

impl Display for Literal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(it) => it.fmt(f),
            Self::Integer(it) => it.fmt(f),
            // With a point or an exponent, always.
            Self::Float(it) => write!(f, "{it:?}"),
            Self::Text(it) => quoted(f, it),
        }
    }
}

impl Display for Field {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.optional {
            f.write_char('?')?;
        }
        if self.path.split('.').all(is_identifier) {
            f.write_str(&self.path)
        } else {
            write!(f, "`{}`", self.path.replace('`', "``"))
        }
    }
}

/// Whether the word can stand for itself as a name.
fn is_identifier(word: &str) -> bool {
    let is_letter = |it: char| it.is_ascii_alphabetic() || it == '_';
    word.starts_with(|it| is_letter(it) || it == '@')
        && word.chars().skip(1).all(|it| is_letter(it) || it.is_ascii_digit())
        && !is_keyword(word)
}

fn quoted(f: &mut Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for it in text.chars() {
        match it {
            '\u{8}' => f.write_str("\\b")?,
            '\t' => f.write_str("\\t")?,
            '\n' => f.write_str("\\n")?,
            '\u{c}' => f.write_str("\\f")?,
            '\r' => f.write_str("\\r")?,
            '"' | '\\' => write!(f, "\\{it}")?,
            it if it.is_control() => write!(f, "\\u{{{:02x}}}", u32::from(it))?,
            it => f.write_char(it)?,
        }
    }
    f.write_char('"')
}
