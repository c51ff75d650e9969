//! Functions of texts.

use std::borrow::Cow;

use plan::value::JavaRegexp;
use plan::{CompiledRegexp, Wildcard};

use crate::cells::{Builder, Cells, Text};
use crate::column::Column;
use crate::kernel::{At, Made, finish, map1, map2, map3, typed};
use crate::node::Prepared;
use crate::warnings::Failure;

/// The longest text that a function makes.
const BYTES_MAX: usize = 1_048_576;

/// What `LIKE` and `RLIKE` ask: any of several patterns.
#[derive(Debug)]
pub(crate) enum Like {
    /// A single pattern that fits everything: whether there is a value, however many there are.
    Anything,
    Wildcards(Vec<Wildcard>),
    Regexps(Vec<CompiledRegexp>),
}

/// What `REPLACE` searches, and what it puts there.
#[derive(Debug)]
pub(crate) struct Replacement {
    regex: regex::Regex,
}

pub(super) fn like(a: &Column, prepared: &Prepared, at: &mut At<'_>) -> Column {
    match prepared {
        Prepared::Like(Like::Anything) => super::logic::is_null(a, false),
        Prepared::Like(Like::Wildcards(all)) => {
            map1::<Text, bool>(a, at, |text| Ok(all.iter().any(|it| it.matches(text))))
        }
        Prepared::Like(Like::Regexps(all)) => {
            map1::<Text, bool>(a, at, |text| Ok(all.iter().any(|it| it.matches(text))))
        }
        _ => Column::Null(at.rows),
    }
}

/// Of one value.
pub(super) fn one(a: &Column, at: &mut At<'_>, of: impl Fn(&str) -> String) -> Column {
    map1::<Text, Text>(a, at, |text| Ok(of(text).into()))
}

/// Of each value by itself.
pub(super) fn each(a: &Column, at: &mut At<'_>, of: impl Fn(&str) -> String) -> Column {
    crate::kernel::each::<Text, Text>(a, at, |text| Ok(of(text).into()))
}

pub(super) fn measure(a: &Column, at: &mut At<'_>, of: impl Fn(&str) -> usize) -> Column {
    map1::<Text, i32>(a, at, |text| Ok(i32::try_from(of(text)).unwrap_or(i32::MAX)))
}

pub(super) fn predicate(a: &Column, b: &Column, at: &mut At<'_>, of: impl Fn(&str, &str) -> bool) -> Column {
    map2::<Text, Text, bool>((a, b), at, |text, part| Ok(of(text, part)))
}

/// Any null makes null.
pub(super) fn concat(arguments: &[&Column], at: &mut At<'_>) -> Column {
    let columns: Vec<Cow<'_, Cells<Text>>> = arguments.iter().map(|it| typed::<Text>(it)).collect();
    let is_same = columns.iter().all(|it| it.is_same());
    let rows = if is_same { at.rows.min(1) } else { at.rows };
    let mut builder = Builder::<Text>::new(rows);
    let mut joined = String::new();
    for row in 0..rows {
        joined.clear();
        let mut is_whole = true;
        for column in &columns {
            if let Some(part) = at.single(column.cell(row)) {
                joined.push_str(part);
            } else {
                is_whole = false;
                break;
            }
        }
        if joined.len() > BYTES_MAX {
            at.fail(too_long("concatenating"));
            is_whole = false;
        }
        builder.push_option(is_whole.then(|| Text::from(joined.as_str())));
    }
    finish(builder, is_same, at.rows)
}

fn too_long(what: &str) -> Failure {
    Failure::Argument(format!("{what} requires more than [{BYTES_MAX}] bytes"))
}

/// The byte at which the character of that number, from 0, begins; the end if there is none.
fn byte_of(text: &str, index: usize) -> usize {
    if text.is_ascii() {
        return index.min(text.len());
    }
    text.char_indices().nth(index).map_or(text.len(), |it| it.0)
}

pub(super) fn locate(a: &Column, b: &Column, start: Option<&Column>, at: &mut At<'_>) -> Column {
    let of = |text: &str, part: &str, start: i32| {
        let from = byte_of(text, usize::try_from(start.max(1) - 1).unwrap_or(0));
        let found = text[from..].find(part).map(|it| text[..from + it].chars().count() + 1);
        i32::try_from(found.unwrap_or(0)).unwrap_or(i32::MAX)
    };
    match start {
        None => map2::<Text, Text, i32>((a, b), at, |text, part| Ok(of(text, part, 1))),
        Some(c) => {
            map3::<Text, Text, i32, i32>((a, b, c), at, |text, part, start| Ok(of(text, part, *start)))
        }
    }
}

impl Replacement {
    pub(crate) fn new(pattern: &str) -> Result<Self, String> {
        JavaRegexp::search(pattern).map(|regex| Self { regex }).map_err(|it| it.to_string())
    }

    fn replace(&self, text: &str, by: &str) -> Made<Text> {
        let mut out = String::with_capacity(text.len());
        let mut done = 0;
        for found in self.regex.captures_iter(text) {
            let Some(all) = found.get(0) else { continue };
            out.push_str(&text[done..all.start()]);
            expand(&found, by, &mut out)?;
            done = all.end();
            if out.len() > BYTES_MAX {
                return Err(Failure::Argument(format!(
                    "Creating strings with more than [{BYTES_MAX}] bytes is not supported"
                )));
            }
        }
        out.push_str(&text[done..]);
        Ok(out.into())
    }
}

/// Java's replacements: `$1`, `${name}`, and a backslash before what means itself.
fn expand(found: &regex::Captures<'_>, by: &str, out: &mut String) -> Made<()> {
    let mut rest = by;
    while let Some(next) = rest.chars().next() {
        let after = &rest[next.len_utf8()..];
        rest = match next {
            '\\' => {
                let Some(literal) = after.chars().next() else {
                    return Err(Failure::Argument("character to be escaped is missing".to_owned()));
                };
                out.push(literal);
                &after[literal.len_utf8()..]
            }
            '$' => {
                if let Some(inner) = after.strip_prefix('{') {
                    let end = inner.find('}').ok_or_else(|| {
                        Failure::Argument("named capturing group is missing trailing '}'".to_owned())
                    })?;
                    let name = &inner[..end];
                    let group = found.name(name);
                    if group.is_none() && !by.is_empty() && found.iter().len() == 1 {
                        return Err(Failure::Argument(format!("No group with name {{{name}}}")));
                    }
                    out.push_str(group.map_or("", |it| it.as_str()));
                    &inner[end + 1..]
                } else {
                    let digits = after.bytes().take_while(u8::is_ascii_digit).count();
                    if digits == 0 {
                        return Err(Failure::Argument("Illegal group reference".to_owned()));
                    }
                    // As many digits as name a group that exists.
                    let mut taken = 1;
                    while taken < digits && after[..=taken].parse().is_ok_and(|it: usize| it < found.len()) {
                        taken += 1;
                    }
                    let group: usize = after[..taken].parse().unwrap_or(usize::MAX);
                    if group >= found.len() {
                        return Err(Failure::Argument(format!("No group {group}")));
                    }
                    out.push_str(found.get(group).map_or("", |it| it.as_str()));
                    &after[taken..]
                }
            }
            _ => {
                out.push(next);
                after
            }
        };
    }
    Ok(())
}

pub(super) fn replace(
    a: &Column,
    pattern: &Column,
    by: &Column,
    prepared: &Prepared,
    at: &mut At<'_>,
) -> Column {
    if let Prepared::Replacement(it) = prepared {
        return map2::<Text, Text, Text>((a, by), at, |text, by| it.replace(text, by));
    }
    // Patterns that are computed: the last one is often the next one.
    let mut last: Option<(Text, Result<Replacement, String>)> = None;
    map3::<Text, Text, Text, Text>((a, pattern, by), at, |text, pattern, by| {
        if last.as_ref().is_none_or(|it| it.0 != *pattern) {
            last = Some((Text::clone(pattern), Replacement::new(pattern)));
        }
        match &last {
            Some((_, Ok(it))) => it.replace(text, by),
            Some((_, Err(message))) => Err(Failure::Argument(message.clone())),
            None => Err(Failure::Null),
        }
    })
}

pub(super) fn repeat(a: &Column, b: &Column, at: &mut At<'_>) -> Column {
    map2::<Text, i32, Text>((a, b), at, |text, count| {
        let count = usize::try_from(*count).map_err(|_| {
            Failure::Argument(format!("Number parameter cannot be negative, found [{count}]"))
        })?;
        if text.len().saturating_mul(count) > BYTES_MAX {
            return Err(Failure::Argument(format!(
                "Creating repeated strings with more than [{BYTES_MAX}] bytes is not supported"
            )));
        }
        Ok(text.repeat(count).into())
    })
}

pub(super) fn space(a: &Column, at: &mut At<'_>) -> Column {
    map1::<i32, Text>(a, at, |count| {
        let count = usize::try_from(*count).map_err(|_| {
            Failure::Argument(format!("Number parameter cannot be negative, found [{count}]"))
        })?;
        if count > BYTES_MAX {
            return Err(Failure::Argument(format!(
                "Creating strings longer than [{BYTES_MAX}] bytes is not supported"
            )));
        }
        Ok(" ".repeat(count).into())
    })
}

pub(super) fn split(a: &Column, by: &Column, at: &mut At<'_>) -> Column {
    let (a, by) = (typed::<Text>(a), typed::<Text>(by));
    let is_same = a.is_same() && by.is_same();
    let rows = if is_same { at.rows.min(1) } else { at.rows };
    let mut builder = Builder::<Text>::new(rows);
    for row in 0..rows {
        if let Some(text) = at.single(a.cell(row))
            && let Some(by) = at.single(by.cell(row))
        {
            if by.is_empty() {
                builder.add(Text::clone(text));
            } else {
                text.split(&**by).for_each(|it| builder.add(it.into()));
            }
        }
        builder.end();
    }
    finish(builder, is_same, at.rows)
}

/// Characters from `start` on, from 1, from the end if it is negative; so many, or all.
fn part(text: &str, start: i32, length: Option<i32>) -> Made<Text> {
    if length.is_some_and(|it| it < 0) {
        let length = length.unwrap_or(0);
        return Err(Failure::Argument(format!("Length parameter cannot be negative, found [{length}]")));
    }
    let count = text.chars().count();
    let first = match start {
        0 => 0,
        1.. => usize::try_from(start).unwrap_or(1) - 1,
        _ => count.saturating_sub(start.unsigned_abs() as usize),
    };
    let from = byte_of(text, first);
    let rest = &text[from..];
    let to = length.map_or(rest.len(), |it| byte_of(rest, usize::try_from(it).unwrap_or(0)));
    Ok(rest[..to].into())
}

pub(super) fn substring(a: &Column, start: &Column, length: Option<&Column>, at: &mut At<'_>) -> Column {
    match length {
        None => map2::<Text, i32, Text>((a, start), at, |text, start| part(text, *start, None)),
        Some(length) => map3::<Text, i32, i32, Text>((a, start, length), at, |text, start, length| {
            part(text, *start, Some(*length))
        }),
    }
}

pub(super) fn left(a: &Column, b: &Column, at: &mut At<'_>) -> Column {
    map2::<Text, i32, Text>((a, b), at, |text, count| {
        Ok(text[..byte_of(text, usize::try_from(*count).unwrap_or(0))].into())
    })
}

pub(super) fn right(a: &Column, b: &Column, at: &mut At<'_>) -> Column {
    map2::<Text, i32, Text>((a, b), at, |text, count| {
        let skipped = text.chars().count().saturating_sub(usize::try_from(*count).unwrap_or(0));
        Ok(text[byte_of(text, skipped)..].into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_count_characters() {
        let of = |text, start, length| part(text, start, length).unwrap().to_string();
        assert_eq!(of("hellö", 2, Some(3)), "ell");
        assert_eq!(of("hellö", -1, None), "ö");
        assert_eq!(of("abc", -5, Some(2)), "ab");
        assert_eq!((of("abc", 0, None), of("abc", 9, Some(1))), ("abc".to_owned(), String::new()));
        assert!(part("abc", 1, Some(-1)).is_err());
    }

    #[test]
    fn replacements_are_java_s() {
        let of = |pattern: &str, text: &str, by: &str| {
            Replacement::new(pattern).unwrap().replace(text, by).map(|it| it.to_string())
        };
        assert_eq!(of("(a)(b)?", "ab a", "[$1$2]").unwrap(), "[ab] [a]");
        assert_eq!(of("a", "aa", r"\$1").unwrap(), "$1$1");
        assert_eq!(of("(?<x>a)", "ba", "${x}${x}").unwrap(), "baa");
        assert_eq!(of("", "ab", "-").unwrap(), "-a-b-");
        assert!(of("a", "a", "$5").is_err() && of("a", "a", "$").is_err());
        assert!(Replacement::new("(").is_err());
    }
}
