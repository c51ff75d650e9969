//! Expressions over values as text, as a query would write them.

use std::fmt::{self, Display, Formatter};

use super::{Computed, Datum, Function, Measure, Operand, Relation, ValueExpr};

impl Display for Relation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.write(f, false)
    }
}

impl Relation {
    /// As text; `within`: in parentheses if it has signs.
    pub(crate) fn write(&self, f: &mut Formatter<'_>, within: bool) -> fmt::Result {
        let names: Vec<String> = self.operands().iter().map(ToString::to_string).collect();
        self.expr().write(f, &names, within)
    }
}

impl Display for Measure {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.operands().iter().map(ToString::to_string).collect();
        self.expr().write(f, &names, false)
    }
}

impl Display for Operand {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.paths.join("|"))
    }
}

impl Computed {
    /// As text, with this name for the value; `within`: in parentheses if it has signs.
    pub(crate) fn write(&self, f: &mut Formatter<'_>, name: &str, within: bool) -> fmt::Result {
        self.expr.write(f, &[name.to_owned()], within)
    }
}

impl ValueExpr {
    /// As text, given the names of its operands; `within`: in parentheses if it has signs.
    fn write(&self, f: &mut Formatter<'_>, names: &[String], within: bool) -> fmt::Result {
        let (function, arguments) = match self {
            Self::Const(datum) => return write!(f, "{datum}"),
            Self::Field(number, _) => return f.write_str(names.get(*number).map_or("null", String::as_str)),
            Self::Call(function, arguments) => (function, arguments),
        };
        let is_plain = match function.style() {
            Style::Call => true,
            Style::Before | Style::Between | Style::After => false,
        };
        if within && !is_plain {
            f.write_str("(")?;
        }
        match function.style() {
            Style::Call => {
                write!(f, "{}(", function.name())?;
                list(f, arguments, names, ", ", false)?;
                function.write_rest(f)?;
                f.write_str(")")?;
            }
            Style::Before => {
                let space = if *function == Function::Not { " " } else { "" };
                write!(f, "{}{space}", function.name())?;
                list(f, arguments, names, ", ", true)?;
            }
            Style::Between => list(f, arguments, names, &format!(" {} ", function.name()), true)?,
            Style::After => {
                let (first, others) = arguments.split_at(1.min(arguments.len()));
                list(f, first, names, "", true)?;
                write!(f, " {}", function.name())?;
                if !others.is_empty() {
                    f.write_str(" (")?;
                    list(f, others, names, ", ", false)?;
                    f.write_str(")")?;
                }
                function.write_rest(f)?;
            }
        }
        if within && !is_plain { f.write_str(")") } else { Ok(()) }
    }
}

fn list(
    f: &mut Formatter<'_>,
    arguments: &[ValueExpr],
    names: &[String],
    between: &str,
    within: bool,
) -> fmt::Result {
    for (at, argument) in arguments.iter().enumerate() {
        if at > 0 {
            f.write_str(between)?;
        }
        argument.write(f, names, within)?;
    }
    Ok(())
}

/// Where a function's name stands.
#[derive(Clone, Copy)]
enum Style {
    /// `f(a, b)`.
    Call,
    /// `not a`.
    Before,
    /// `a == b`.
    Between,
    /// `a in (b, c)`.
    After,
}

impl Function {
    fn style(&self) -> Style {
        match self {
            Self::Not | Self::Negate => Style::Before,
            Self::And
            | Self::Or
            | Self::Equals
            | Self::Less
            | Self::LessOrEqual
            | Self::Greater
            | Self::GreaterOrEqual
            | Self::Add
            | Self::Subtract
            | Self::Multiply
            | Self::Divide
            | Self::Modulo => Style::Between,
            Self::IsNull | Self::IsNotNull | Self::OneOf(_) | Self::Like(_) | Self::Matches(_) => {
                Style::After
            }
            Self::Length
            | Self::ToText
            | Self::ToNumber
            | Self::Concat
            | Self::StartsWith(_)
            | Self::EndsWith(_)
            | Self::Contains(_)
            | Self::IndexOf(_)
            | Self::Substring
            | Self::Between(_)
            | Self::WithinCidr(_) => Style::Call,
        }
    }

    /// What it compares with, after its arguments.
    fn write_rest(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let any = |f: &mut Formatter<'_>, texts: Vec<String>| match texts.as_slice() {
            [single] => write!(f, " {single}"),
            _ => write!(f, " ({})", texts.join(", ")),
        };
        if let Self::Like(like) = self {
            any(f, like.patterns().iter().map(ToString::to_string).collect())
        } else if let Self::Matches(all) = self {
            any(f, all.iter().map(|it| format!("/{}/", it.source())).collect())
        } else if let Self::WithinCidr(ranges) = self {
            ranges.as_slice().iter().try_for_each(|(first, last)| {
                write!(f, ", {}", Datum::Ip(*first))?;
                if first == last { Ok(()) } else { write!(f, " to {}", Datum::Ip(*last)) }
            })
        } else {
            Ok(())
        }
    }
}

impl Display for Datum<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Period(first, last) => write!(f, "{} to {}", Datum::Date(*first), Datum::Date(*last)),
            _ => f.write_str(&self.to_text().unwrap_or("null".into())),
        }
    }
}
