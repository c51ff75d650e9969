//! Random Lucene query strings: mostly queries, some of them broken.

use fastrand::Rng;

use super::{DEPTH, Dice, quoted, takes_patterns, text_of};
use crate::differential::world::{FIELDS, WORDS, pick, word};

/// Names beside those of the fields themselves.
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
    "k\\*",
    "o.\\*",
    "n.\\*",
    "\\*k",
    "*",
    "\\*.t",
    "l\\*",
    "da\\*",
    "nope\\*",
    "K",
    "k.k",
    "_id",
    "fl\\*",
    "_exists_",
    "_exists_",
    "o\\.k",
];

/// A query; some are broken on purpose.
pub(in crate::differential) fn query(rng: &mut Rng) -> String {
    let rng = &mut Dice::new(rng);
    let depth = rng.usize(0..=DEPTH);
    let mut out = String::new();
    group(rng, depth, None, &mut out);
    if !rng.calm && rng.u8(0..4) == 0 {
        damage(rng, &mut out);
    }
    out
}

/// Clauses side by side. `ty` is that of the field that the groups around name.
fn group(rng: &mut Dice<'_>, depth: usize, ty: Option<&str>, out: &mut String) {
    for at in 0..rng.usize(1..=if depth == 0 { 2 } else { 4 }) {
        if at > 0 {
            let joint = word(
                rng,
                &[" ", " ", " AND ", " AND ", " OR ", " OR ", " && ", " || ", "  ", "\n", " or ", "\u{3000}"],
            );
            out.push_str(joint);
        }
        clause(rng, depth, ty, out);
    }
}

fn clause(rng: &mut Dice<'_>, depth: usize, ty: Option<&str>, out: &mut String) {
    match rng.u8(0..10) {
        0 => out.push_str(word(rng, &["+", "-", "!"])),
        1 => out.push_str("NOT "),
        2 if !rng.calm => out.push_str(word(rng, &["NOT NOT ", "+ ", "- ", "+-", "! "])),
        _ => {}
    }
    let own = match ty {
        Some(_) => rng.u8(0..8) == 0,
        None => rng.u8(0..8) > 0,
    };
    let mut named = false;
    let ty = if own {
        let (name, ty) = field(rng);
        out.push_str(name);
        named = name == "_exists_";
        out.push_str(word(rng, &[":", ":", ":", " :", ": "]));
        Some(ty)
    } else {
        ty
    };
    if depth > 0 && rng.u8(0..3) == 0 {
        out.push_str(word(rng, &["(", "( "]));
        group(rng, depth - 1, ty, out);
        out.push_str(word(rng, &[")", " )"]));
    } else if named && rng.u8(0..8) > 0 {
        let (path, ..) = pick(rng, FIELDS);
        if rng.bool() { out.push_str(path) } else { out.push_str(word(rng, NAMES)) }
    } else {
        atom(rng, ty.unwrap_or("any"), out);
    }
    if rng.u8(0..12) == 0 {
        let boosts: &[&str] = if rng.calm { &["^2", "^0.5"] } else { &["^2", "^", "^x", "^ 2", "^-1"] };
        out.push_str(word(rng, boosts));
    }
}

fn field(rng: &mut Dice<'_>) -> (&'static str, &'static str) {
    if rng.u8(0..4) == 0 {
        let name = word(rng, NAMES);
        (name, if name.starts_with("flat") { "keyword" } else { "any" })
    } else {
        let &(path, ty, _) = pick(rng, FIELDS);
        (path, ty)
    }
}

fn atom(rng: &mut Dice<'_>, ty: &str, out: &mut String) {
    let text = &text_of(rng, ty);
    let takes_patterns = takes_patterns(ty) || !rng.calm && rng.bool();
    match rng.u8(0..24) {
        0 => out.push('*'),
        1 if !rng.calm => out.push_str(word(
            rng,
            &["**", "?", "*:*", "*?", "\\", "\"\"", "()", "//", "null", "\\u0041b", "\\uzz"],
        )),
        2..=5 => {
            quoted(text, out);
            if rng.u8(0..3) == 0 {
                out.push_str(word(rng, &["~", "~1", "~2", "~3", "~1.5"]));
            }
        }
        6..=8 if takes_patterns => pattern(rng, text, out),
        9 | 10 if takes_patterns => regexp(rng, text, out),
        11 | 12 if takes_patterns && !text.is_empty() => {
            escaped(text, out);
            let edits: &[&str] =
                if rng.calm { &["~", "~0", "~1", "~2"] } else { &["~", "~3", "~0.5", "~1.0"] };
            out.push_str(word(rng, edits));
        }
        13..=15 => range(rng, ty, out),
        16 | 17 => {
            out.push_str(word(rng, &[">", ">=", "<", "<="]));
            bare(rng, text, out);
        }
        _ => {
            bare(rng, text, out);
            // Words in a row are one text.
            for _ in 0..rng.usize(0..=4).saturating_sub(2) {
                out.push_str(word(rng, &[" ", "  ", "\t"]));
                let text = text_of(rng, ty);
                bare(rng, &text, out);
            }
        }
    }
}

/// A word that is not quoted, mostly escaped so that it is one.
fn bare(rng: &mut Dice<'_>, text: &str, out: &mut String) {
    if text.is_empty() {
        quoted(text, out);
    } else if !rng.calm && rng.u8(0..4) == 0 {
        out.push_str(text);
    } else {
        escaped(text, out);
    }
}

fn escaped(text: &str, out: &mut String) {
    if matches!(text, "AND" | "OR" | "NOT") {
        out.push('\\');
    }
    for c in text.chars() {
        if "+-&|!(){}[]^\"~*?:\\/ \t\n\r\u{3000}".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
}

fn range(rng: &mut Dice<'_>, ty: &str, out: &mut String) {
    out.push(if rng.bool() { '[' } else { '{' });
    bound(rng, ty, out);
    out.push_str(if rng.calm { " TO " } else { word(rng, &[" TO ", " TO ", "  TO ", " to ", " "]) });
    bound(rng, ty, out);
    out.push(if rng.bool() { ']' } else { '}' });
}

fn bound(rng: &mut Dice<'_>, ty: &str, out: &mut String) {
    let text = &text_of(rng, ty);
    match rng.u8(0..6) {
        0 => out.push('*'),
        1 | 2 if !text.is_empty() => quoted(text, out),
        _ if text.is_empty() => out.push('*'),
        _ => bare(rng, text, out),
    }
}

/// The text with asterisks and question marks in place of some of it.
fn pattern(rng: &mut Dice<'_>, text: &str, out: &mut String) {
    let chars: Vec<char> = text.chars().collect();
    let start = rng.usize(0..=chars.len());
    let end = rng.usize(start..=chars.len());
    let piece = |from: usize, to: usize, out: &mut String| {
        escaped(&chars[from..to].iter().collect::<String>(), out);
    };
    match rng.u8(0..5) {
        0 => {
            piece(0, end, out);
            out.push('*');
        }
        1 => {
            out.push('*');
            piece(start, chars.len(), out);
        }
        2 => {
            piece(0, start, out);
            out.push_str(&"?".repeat(end - start));
            piece(end, chars.len(), out);
            if start == end {
                out.push('?');
            }
        }
        _ => {
            piece(0, start, out);
            out.push_str(word(rng, &["*", "*", "?", "*?"]));
            piece(end, chars.len(), out);
            if rng.bool() {
                out.push('*');
            }
        }
    }
}

/// A regular expression that the text satisfies, mostly.
fn regexp(rng: &mut Dice<'_>, text: &str, out: &mut String) {
    out.push('/');
    let chars: Vec<char> = text.chars().collect();
    let start = rng.usize(0..=chars.len());
    let end = rng.usize(start..=chars.len());
    literally(&chars[..start], out);
    match rng.u8(0..16) {
        0 | 1 => out.push_str(".*"),
        2 => out.push_str(&".".repeat(end - start)),
        3 => {
            out.push('(');
            literally(&chars[start..end], out);
            out.push('|');
            literally(&WORDS[rng.usize(0..WORDS.len())].chars().collect::<Vec<_>>(), out);
            out.push_str(word(rng, &[")", ")?", ")+", ")*", "){1,2}"]));
        }
        4 => out.push_str("[a-z]*"),
        5 => out.push_str("[^a-z0-9]+"),
        6 => out.push_str("<0-500>"),
        7 => out.push('@'),
        8 => {
            literally(&chars[start..end], out);
            out.push_str(word(rng, &["?", "*", "+", "{2}", "{0,}", "{1,3}"]));
        }
        9 => {
            literally(&chars[start..end], out);
            out.push_str("&.*");
        }
        10 => out.push_str(word(rng, &["\\d+", "\\w*", "\\s", "\\S+", "\\D"])),
        11 => out.push_str(word(
            rng,
            &["#", "()", "\"ab\"", "^", "$", "~(a)", "[", "(", "{", "a{2,1}", "<5>", "<"],
        )),
        _ => literally(&chars[start..end], out),
    }
    literally(&chars[end..], out);
    out.push('/');
}

/// The characters, escaped where a regular expression means something else by them.
fn literally(chars: &[char], out: &mut String) {
    for &c in chars {
        if ".?+*|{}[]()\"\\#@&<>~/^$".contains(c) {
            out.push('\\');
        }
        out.push(c);
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
                    ":", "(", ")", "{", "}", "[", "]", "\"", "\\", "<", ">", "*", "?", "/", "~", "^", "+",
                    "-", "!", " AND ", " OR ", " NOT ", " && ", "||", " TO ", "\\q", "\u{3000}", "\t", "AND",
                    "|", "&",
                ],
            );
            chars.splice(at..at, extra.chars());
        }
    }
    *text = chars.into_iter().collect();
}
