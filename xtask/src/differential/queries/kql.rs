//! Random KQL: mostly queries, some of them broken.

use fastrand::Rng;

use super::{DEPTH, Dice, quoted, takes_patterns, text_of};
use crate::differential::world::{FIELDS, pick, word};

const NAMES: &[&str] = &[
    "o",
    "short",
    "n",
    "n.m",
    "unmapped",
    "nope",
    "nope.x",
    "flat.a",
    "flat.k",
    "flat.sub",
    "flat.sub.x",
    "flat.sub.a",
    "flat.nope",
    "k*",
    "o.*",
    "n.*",
    "*k",
    "*",
    "*.t",
    "l*",
    "da*",
    "nope*",
    "\"k\"",
    "\"o.k\"",
    "\"k*\"",
    "K",
    "k.k",
    "_id",
    "fl*",
];

const CALM_NAMES: &[&str] = &[
    "o",
    "unmapped",
    "nope",
    "nope.x",
    "flat.a",
    "flat.k",
    "flat.sub",
    "flat.sub.x",
    "flat.sub.a",
    "k*",
    "*k",
    "*.t",
    "nope*",
    "\"k\"",
    "o.?",
    "_id",
];

/// A query; some are broken on purpose.
pub(in crate::differential) fn query(rng: &mut Rng) -> String {
    let rng = &mut Dice::new(rng);
    let depth = rng.usize(0..=DEPTH);
    let mut out = String::new();
    condition(rng, depth, &mut out);
    if !rng.calm && rng.u8(0..4) == 0 {
        damage(rng, &mut out);
    }
    out
}

fn condition(rng: &mut Dice<'_>, depth: usize, out: &mut String) {
    if depth == 0 {
        return leaf(rng, false, out);
    }
    match rng.u8(0..12) {
        0..=3 => chain(rng, depth, out, "and"),
        4..=6 => chain(rng, depth, out, "or"),
        7 | 8 => {
            out.push_str(if rng.bool() { "not " } else { "NOT  " });
            if rng.bool() {
                parenthesised(rng, depth - 1, out);
            } else {
                leaf(rng, false, out);
            }
        }
        9 => parenthesised(rng, depth - 1, out),
        10 => nested(rng, depth, out),
        _ => leaf(rng, false, out),
    }
}

fn parenthesised(rng: &mut Dice<'_>, depth: usize, out: &mut String) {
    out.push_str(if rng.bool() { "(" } else { "( " });
    condition(rng, depth, out);
    out.push_str(if rng.bool() { ")" } else { " )" });
}

fn chain(rng: &mut Dice<'_>, depth: usize, out: &mut String, operator: &str) {
    for at in 0..rng.usize(2..=3) {
        if at > 0 {
            out.push_str(word(rng, &[" ", "  ", "\n", "\t", "\u{a0}"]));
            out.push_str(&if rng.u8(0..4) == 0 { operator.to_uppercase() } else { operator.to_owned() });
            out.push_str(word(rng, &[" ", " ", " \n "]));
        }
        condition(rng, depth - 1, out);
    }
}

/// A nested group with questions about its objects.
fn nested(rng: &mut Dice<'_>, depth: usize, out: &mut String) {
    let path = if rng.calm {
        word(rng, &["n", "n", "n.m"])
    } else {
        word(rng, &["n", "n", "n.m", "o", "nope", "n*"])
    };
    out.push_str(path);
    out.push_str(word(rng, &[":{ ", " : {", ":{"]));
    for at in 0..rng.usize(1..=2) {
        if at > 0 {
            out.push_str(word(rng, &[" and ", " or "]));
        }
        match rng.u8(0..8) {
            0 => {
                out.push_str("m:{ ");
                inner(rng, "n.m.", out);
                out.push_str(" }");
            }
            1 => {
                out.push_str("not ");
                inner(rng, "n.", out);
            }
            2 if depth > 1 => parenthesised(rng, 0, out),
            _ => inner(rng, if path == "n.m" { "n.m." } else { "n." }, out),
        }
    }
    out.push_str(" }");
}

fn inner(rng: &mut Dice<'_>, prefix: &str, out: &mut String) {
    let fields: Vec<_> = FIELDS.iter().filter(|(path, ..)| path.starts_with(prefix)).collect();
    match rng.u8(0..20) {
        0 => out.push_str("*:*"),
        1 => leaf(rng, true, out),
        _ => {
            let (path, ty, _) = pick(rng, &fields);
            question(rng, &path[prefix.len()..], ty, out);
        }
    }
}

fn leaf(rng: &mut Dice<'_>, in_group: bool, out: &mut String) {
    match rng.u8(0..24) {
        0 if rng.calm => out.push_str(word(rng, &["*", "*:*", "**", "true"])),
        0 => out.push_str(word(rng, &["*", "*:*", "**", "* : *", "", "null", "true", "*:null"])),
        1 | 2 if !in_group => value(rng, "any", out),
        3..=8 => {
            let names = if rng.calm { CALM_NAMES } else { NAMES };
            let name = word(rng, names);
            let ty = if name.starts_with("flat") { "keyword" } else { "any" };
            question(rng, name, ty, out);
        }
        _ => {
            let (path, ty, _) = pick(rng, FIELDS);
            question(rng, path, ty, out);
        }
    }
}

fn question(rng: &mut Dice<'_>, name: &str, ty: &str, out: &mut String) {
    out.push_str(name);
    match rng.u8(0..16) {
        0 => out.push_str(": *"),
        // A range on a key of a flattened field is always refused.
        1..=3 if !(rng.calm && name.starts_with("flat.")) => {
            out.push_str(word(rng, &[" > ", " >= ", "<", "<=", " < "]));
            value(rng, ty, out);
        }
        4 | 5 => {
            out.push_str(": ");
            list(rng, ty, 2, out);
        }
        _ => {
            out.push_str(word(rng, &[": ", ":", " : "]));
            value(rng, ty, out);
        }
    }
}

fn list(rng: &mut Dice<'_>, ty: &str, depth: usize, out: &mut String) {
    out.push('(');
    let operator = word(rng, &[" or ", " and ", " OR "]);
    for at in 0..rng.usize(1..=3) {
        if at > 0 {
            out.push_str(operator);
        }
        if rng.u8(0..6) == 0 {
            out.push_str("not ");
        }
        if depth > 0 && rng.u8(0..6) == 0 { list(rng, ty, depth - 1, out) } else { value(rng, ty, out) }
    }
    out.push(')');
}

/// A value; quoted, bare or as a pattern.
fn value(rng: &mut Dice<'_>, ty: &str, out: &mut String) {
    let text = &text_of(rng, ty);
    let takes_patterns = takes_patterns(ty);
    match rng.u8(0..12) {
        0..=3 => quoted(text, out),
        4..=6 if takes_patterns || !rng.calm && rng.bool() => pattern(rng, text, out),
        7 if !rng.calm && rng.u8(0..4) == 0 => out
            .push_str(word(rng, &["null", "true", "false", "\\u0041", "a\\not", "\\and", "*", "x \\or y*"])),
        // Bare text cannot be empty.
        _ if text.is_empty() => quoted(text, out),
        _ => bare(text, out),
    }
}

fn bare(text: &str, out: &mut String) {
    for c in text.chars() {
        if "\\():<>\"*{}".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
}

/// The text with an asterisk put in, often in place of some of it.
fn pattern(rng: &mut Dice<'_>, text: &str, out: &mut String) {
    let chars: Vec<char> = text.chars().collect();
    let start = rng.usize(0..=chars.len());
    let end = rng.usize(start..=chars.len());
    let piece = |from: usize, to: usize| chars[from..to].iter().collect::<String>();
    match rng.u8(0..3) {
        0 => {
            bare(&piece(0, end), out);
            out.push('*');
        }
        1 => {
            out.push('*');
            bare(&piece(start, chars.len()), out);
        }
        _ => {
            bare(&piece(0, start), out);
            out.push('*');
            bare(&piece(end, chars.len()), out);
            if rng.bool() {
                out.push('*');
            }
        }
    }
}

/// Removes, doubles or adds something.
fn damage(rng: &mut Dice<'_>, text: &mut String) {
    let mut chars: Vec<char> = text.chars().collect();
    let at = rng.usize(0..=chars.len());
    match rng.u8(0..3) {
        0 if at < chars.len() => {
            chars.remove(at);
        }
        1 if at < chars.len() => chars.insert(at, chars[at]),
        _ => {
            let extra = word(
                rng,
                &[
                    ":", "(", ")", "{", "}", "\"", "\\", "<", "*", " and ", " not ", " or", "not", "\\q",
                    "\u{3000}", "\t",
                ],
            );
            chars.splice(at..at, extra.chars());
        }
    }
    *text = chars.into_iter().collect();
}
