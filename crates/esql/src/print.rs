//! A tree back to text. What is printed parses to the same tree.

use std::fmt::{self, Display, Formatter, Write};

use crate::ast::{
    Aggregate, Ast, Command, CommandKind, Expr, ExprKind, Item, Literal, Name, Order, Pattern, Rename, Stats,
    Text,
};
use crate::lexer::{is_keyword, is_plain};

/// How tightly an expression holds together; what stands where a higher one is due needs parentheses.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Or,
    And,
    Not,
    /// Questions about a comparison.
    Asked,
    Compare,
    Sum,
    Product,
    Sign,
    Cast,
}

impl Display for Ast {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for it in &self.settings {
            writeln!(f, "SET {} = {};", it.name, it.value)?;
        }
        for (at, command) in self.commands.iter().enumerate() {
            if at > 0 {
                f.write_str("\n| ")?;
            }
            command.fmt(f)?;
        }
        Ok(())
    }
}

impl Display for Command {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.kind.name())?;
        match &self.kind {
            CommandKind::From { patterns, metadata } => {
                list(f, patterns)?;
                if !metadata.is_empty() {
                    f.write_str(" METADATA ")?;
                    list(f, metadata)?;
                }
                Ok(())
            }
            CommandKind::Row(items) | CommandKind::Eval(items) => list(f, items),
            CommandKind::Where(expr) | CommandKind::Limit(expr) => expr.fmt(f),
            CommandKind::Stats(stats) | CommandKind::InlineStats(stats) => stats.fmt(f),
            CommandKind::Sort(orders) => list(f, orders),
            CommandKind::Keep(patterns) | CommandKind::Drop(patterns) => list(f, patterns),
            CommandKind::Rename(renames) => list(f, renames),
            CommandKind::MvExpand(name) => name.fmt(f),
            CommandKind::Dissect { input, pattern, separator } => {
                at_least(f, input, Level::Cast)?;
                write!(f, " {pattern}")?;
                separator.iter().try_for_each(|it| write!(f, " APPEND_SEPARATOR = {it}"))
            }
            CommandKind::Grok { input, patterns } => {
                at_least(f, input, Level::Cast)?;
                f.write_char(' ')?;
                list(f, patterns)
            }
            CommandKind::LookupJoin { table, on } => {
                write!(f, "{table} ON ")?;
                list(f, on)
            }
            CommandKind::Enrich { policy, on, with } => {
                policy.fmt(f)?;
                on.iter().try_for_each(|it| write!(f, " ON {it}"))?;
                for (at, (name, column)) in with.iter().enumerate() {
                    f.write_str(if at == 0 { " WITH " } else { ", " })?;
                    name.iter().try_for_each(|it| write!(f, "{it} = "))?;
                    column.fmt(f)?;
                }
                Ok(())
            }
        }
    }
}

fn list<T: Display>(f: &mut Formatter<'_>, items: &[T]) -> fmt::Result {
    for (at, it) in items.iter().enumerate() {
        if at > 0 {
            f.write_str(", ")?;
        }
        it.fmt(f)?;
    }
    Ok(())
}

impl Display for Stats {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        list(f, &self.aggregates)?;
        if !self.by.is_empty() {
            f.write_str(if self.aggregates.is_empty() { "BY " } else { " BY " })?;
            list(f, &self.by)?;
        }
        Ok(())
    }
}

impl Display for Aggregate {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.item.fmt(f)?;
        // The text of one without a name has the filter in it.
        match &self.filter {
            Some(filter) if self.item.name.is_some() => write!(f, " WHERE {filter}"),
            Some(_) | None => Ok(()),
        }
    }
}

impl Display for Item {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name} = {}", self.value),
            // It is called as it is written.
            None => f.write_str(&self.text),
        }
    }
}

impl Display for Order {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)?;
        f.write_str(if self.descending { " DESC" } else { "" })?;
        f.write_str(match self.nulls_first {
            Some(true) => " NULLS FIRST",
            Some(false) => " NULLS LAST",
            None => "",
        })
    }
}

impl Display for Rename {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} AS {}", self.old, self.new)
    }
}

impl Display for Name {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        name(f, &self.text)
    }
}

/// A name whose parts need no quotes is written without; any other is one part in backquotes.
fn name(f: &mut Formatter<'_>, text: &str) -> fmt::Result {
    let first = text.split('.').next().unwrap_or_default();
    if text.split('.').all(is_plain) && !is_keyword(first) {
        return f.write_str(text);
    }
    write!(f, "`{}`", text.replace('`', "``"))
}

impl Display for Pattern {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let Some(text) = self.as_name() {
            return segments(f, text);
        }
        let last = self.parts.len() - 1;
        for (at, part) in self.parts.iter().enumerate() {
            // What touches an asterisk has no quotes, and reaches to the next dot.
            let start = if at == 0 { Some(0) } else { part.find('.').map(|it| it + 1) };
            let end = if at == last { Some(part.len()) } else { part.rfind('.') };
            match (start, end) {
                (Some(start), Some(end)) if start <= end => {
                    f.write_str(&part[..start])?;
                    if start < end {
                        segments(f, &part[start..end])?;
                    }
                    f.write_str(&part[end..])?;
                }
                _ => f.write_str(part)?,
            }
            if at < last {
                f.write_char('*')?;
            }
        }
        Ok(())
    }
}

/// Whole parts of a pattern: where no asterisk can be, key words are names.
fn segments(f: &mut Formatter<'_>, text: &str) -> fmt::Result {
    let is_plain = text.split('.').all(is_plain);
    if is_plain { f.write_str(text) } else { write!(f, "`{}`", text.replace('`', "``")) }
}

impl Display for Text {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        quoted(f, &self.text)
    }
}

fn quoted(f: &mut Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for it in text.chars() {
        match it {
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            it => f.write_char(it)?,
        }
    }
    f.write_char('"')
}

impl Display for Literal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Boolean(it) => it.fmt(f),
            Self::Integer(it) => it.fmt(f),
            // With a point or an exponent, so that it stays one.
            Self::Decimal(it) => write!(f, "{it:?}"),
            Self::Text(it) => quoted(f, it),
            Self::Span { count, unit } => write!(f, "{count} {}", unit.as_str()),
            Self::List(items) => {
                f.write_char('[')?;
                list(f, items)?;
                f.write_char(']')
            }
        }
    }
}

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ExprKind::Or(parts) => joined(f, parts, " OR ", Level::And),
            ExprKind::And(parts) => joined(f, parts, " AND ", Level::Not),
            ExprKind::Not(inner) => {
                f.write_str("NOT ")?;
                at_least(f, inner, Level::Not)
            }
            ExprKind::Compare { left, op, right } => {
                at_least(f, left, Level::Sum)?;
                write!(f, " {} ", op.as_str())?;
                at_least(f, right, Level::Sum)
            }
            ExprKind::In { value, negated, list: items } => {
                at_least(f, value, Level::Compare)?;
                f.write_str(if *negated { " NOT IN (" } else { " IN (" })?;
                list(f, items)?;
                f.write_char(')')
            }
            ExprKind::Like { value, negated, kind, patterns } => {
                at_least(f, value, Level::Compare)?;
                write!(f, "{} {} ", if *negated { " NOT" } else { "" }, kind.as_str())?;
                match patterns.as_slice() {
                    [one] => one.fmt(f),
                    several => {
                        f.write_char('(')?;
                        list(f, several)?;
                        f.write_char(')')
                    }
                }
            }
            ExprKind::IsNull { value, negated } => {
                at_least(f, value, Level::Compare)?;
                f.write_str(if *negated { " IS NOT NULL" } else { " IS NULL" })
            }
            ExprKind::Match { field, query } => write!(f, "{field} : {query}"),
            ExprKind::Arithmetic { left, op, right } => {
                let level = level(self);
                at_least(f, left, level)?;
                write!(f, " {} ", op.as_str())?;
                let tighter = if level == Level::Sum { Level::Product } else { Level::Sign };
                at_least(f, right, tighter)
            }
            ExprKind::Negate(inner) => {
                f.write_char('-')?;
                at_least(f, inner, Level::Sign)
            }
            ExprKind::Cast { value, to } => {
                at_least(f, value, Level::Cast)?;
                write!(f, "::{to}")
            }
            ExprKind::Literal(it) => it.fmt(f),
            ExprKind::Column(name) => name.fmt(f),
            ExprKind::Call { function, arguments, options } => {
                write!(f, "{}(", function.text)?;
                list(f, arguments)?;
                for (at, (key, value)) in options.iter().enumerate() {
                    let before = match (at, arguments.is_empty()) {
                        (0, true) => "{",
                        (0, false) => ", {",
                        _ => ", ",
                    };
                    write!(f, "{before}{key}: {value}")?;
                }
                f.write_str(if options.is_empty() { ")" } else { "})" })
            }
            ExprKind::Star => f.write_char('*'),
        }
    }
}

fn joined(f: &mut Formatter<'_>, parts: &[Expr], operator: &str, level: Level) -> fmt::Result {
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            f.write_str(operator)?;
        }
        at_least(f, part, level)?;
    }
    Ok(())
}

fn at_least(f: &mut Formatter<'_>, expr: &Expr, level: Level) -> fmt::Result {
    if self::level(expr) < level { write!(f, "({expr})") } else { expr.fmt(f) }
}

fn level(expr: &Expr) -> Level {
    use crate::ast::ArithmeticOp::{Add, Divide, Modulo, Multiply, Subtract};
    match &expr.kind {
        ExprKind::Or(_) => Level::Or,
        ExprKind::And(_) => Level::And,
        ExprKind::Not(_) => Level::Not,
        ExprKind::In { .. } | ExprKind::Like { .. } | ExprKind::IsNull { .. } | ExprKind::Match { .. } => {
            Level::Asked
        }
        ExprKind::Compare { .. } => Level::Compare,
        ExprKind::Arithmetic { op: Add | Subtract, .. } => Level::Sum,
        ExprKind::Arithmetic { op: Multiply | Divide | Modulo, .. } => Level::Product,
        ExprKind::Negate(_) => Level::Sign,
        // A sign stands before a cast.
        ExprKind::Literal(Literal::Integer(it)) if *it < 0 => Level::Sign,
        ExprKind::Literal(Literal::Decimal(it)) if it.is_sign_negative() => Level::Sign,
        ExprKind::Literal(Literal::Span { count, .. }) if *count < 0 => Level::Sign,
        ExprKind::Cast { .. }
        | ExprKind::Literal(_)
        | ExprKind::Column(_)
        | ExprKind::Call { .. }
        | ExprKind::Star => Level::Cast,
    }
}
